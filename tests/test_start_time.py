"""What a command doesn't need it doesn't import: who only asks waits for nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.settings import ROOT
from tests.city import call, publish, settings_of, write_calls

IMPORTED = """
import sys
from pipelines.cli import main
try:
    main()
except SystemExit:
    print("imported", *{name.partition(".")[0] for name in sys.modules})
"""
HEAVY = {"dagster", "matplotlib", "holidays", "jinja2", "xlsxwriter", "pandas", "pyarrow"}
TABLES = {"polars", "pandera", "numpy"}
NIGHTLY = ROOT / "sample_exports" / "telephony" / "oproepen_20251219.csv"


def imported(data: Path, *words: str) -> tuple[set[str], str]:
    """The packages that a command imports, and what it says."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "KCC_SETTINGS": str(ROOT / "kcc.toml"), "KCC_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )
    told, _, names = done.stdout.rpartition("imported ")
    assert names, done.stderr
    return set(names.split()), told + done.stderr


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published warehouse, of another city: what it is asked does not depend on whose it is."""
    folder = tmp_path_factory.mktemp("city")
    write_calls(folder, "2025-03-10", [call("2025-03-10 10:00:00")])
    publish(settings_of(folder))
    return folder / "data"


@pytest.mark.parametrize("words", [["status"], ["status", "--max-age", "26h"]], ids=["for a person", "for a monitor"])
def test_a_status_imports_neither_dagster_nor_tables_nor_colours(data: Path, words: list[str]) -> None:
    names, told = imported(data, *words)
    assert " kcc_2" in told
    assert names & {*HEAVY, *TABLES, "rich", "prometheus_client"} == set()


def test_a_check_of_a_file_imports_what_reads_it_and_no_dagster(tmp_path: Path) -> None:
    names, told = imported(tmp_path, "check", str(NIGHTLY))
    assert "would be loaded" in told
    assert {"polars", "pandera", "duckdb"} <= names
    assert names & {*HEAVY, "rich"} == set()


@pytest.mark.parametrize("words", [["--help"], ["status", "--settings", "/nowhere.toml"]], ids=["help", "a mistake"])
def test_help_and_mistakes_import_next_to_nothing(tmp_path: Path, words: list[str]) -> None:
    names, _ = imported(tmp_path, *words)
    assert names & {*HEAVY, *TABLES, "duckdb"} == set()
