"""A full disk is recognised in the words of whoever met it first."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipelines.space import NoSpace, told_if_full

KCC = Path("/srv/kcc")


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OSError(errno.ENOSPC, "No space left on device"), id="Python, no space"),
        pytest.param(OSError(errno.EDQUOT, "Disk quota exceeded"), id="Python, quota"),
        pytest.param(OSError(errno.EFBIG, "File too large"), id="Python, limit"),
        pytest.param(
            duckdb.IOException('IO Error: Could not write file "kcc.duckdb": No space left on device'), id="DuckDB"
        ),
        pytest.param(
            pl.exceptions.ComputeError("parquet: underlying IO error: No space left on device (os error 28)"),
            id="Polars",
        ),
        pytest.param(
            pl.exceptions.ComputeError("parquet: File out of specification: Invalid thrift: transport error"),
            id="Polars, at the end of a file",
        ),
        pytest.param(sqlite3.OperationalError("database or disk is full"), id="SQLite"),
    ],
)
def test_a_full_disk_is_one_sentence_that_names_the_folder(error: Exception) -> None:
    with pytest.raises(NoSpace, match=r"^no space left in /srv/kcc: free some and run again; "), told_if_full(KCC):
        raise error


def test_it_is_recognised_behind_another_error() -> None:
    failed = RuntimeError("the step failed")
    failed.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(NoSpace), told_if_full(KCC):
        raise failed


def test_any_other_error_is_left_alone() -> None:
    with pytest.raises(PermissionError), told_if_full(KCC):
        raise PermissionError(errno.EACCES, "Permission denied")
