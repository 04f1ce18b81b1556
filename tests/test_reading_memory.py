"""What is in a file can't fill the memory: measured in a process of its own, far from the bound on either side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.reading_memory import HEADER, measure, one_line


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(one_line, id="a gigabyte in one line"),
        pytest.param(lambda path: path.write_bytes(HEADER + b"\n" * 4_000_000), id="four million line ends"),
        pytest.param(lambda path: path.write_bytes(HEADER + b";" * 900_000 + b"\n"), id="a line of delimiters"),
        pytest.param(
            lambda path: path.write_bytes(HEADER + (b"ab;" * 300_000 + b"\n") * 40), id="forty lines of short fields"
        ),
    ],
)
def test_a_hopeless_file_is_read_in_less_than_400_megabytes(tmp_path: Path, write: Callable[[Path], None]) -> None:
    """Without bounds, four million line ends take a gigabyte. An idle process takes a hundred megabytes."""
    told = measure(tmp_path, "calls_2025-03-31.csv", write)
    assert int(told.split()[0]) < 400, told
