"""The sample city, driven from the command line as its data team would."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from pipelines.cli import main
from pipelines.settings import ROOT
from tests.faults.nights import FORKS


class City:
    """The sample city in a folder of its own, driven from the command line as its data team would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warehouse = folder / "data" / "warehouse" / "kcc.duckdb"
        home = folder / "dagster"
        home.mkdir()
        (home / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
        self.home = home
        self.environment = {
            **os.environ,
            "KCC_DATA": str(folder / "data"),
            "KCC_SETTINGS": str(ROOT / "kcc.toml"),
            "DAGSTER_HOME": str(home),
            "PYTHONPATH": str(ROOT),
        }

    def kcc(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return kcc({**self.environment, **environment}, *words)

    def ask(self, query: str, *values: object) -> list[Any]:
        with duckdb.connect(str(self.warehouse), read_only=True) as con:
            return con.execute(query, list(values)).fetchall()


def kcc(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """What `kcc` says, in a process that is real but for its imports: those it has from the one it is forked from."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = FORKS.Process(target=_kcc, args=(environment, words, out, err))
        process.start()
        process.join()
        assert process.exitcode is not None
        return subprocess.CompletedProcess(words, process.exitcode, out.read_text(), err.read_text())


def _kcc(environment: dict[str, str], words: tuple[str, ...], *streams: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(ROOT)
    for number, file in enumerate(streams, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    sys.argv = ["kcc", *words]
    main()


def small_city(folder: Path) -> City:
    """The sample city with one day of exports."""
    exports = folder / "exports"
    for log in ("telephony/oproepen_20251219.csv", "appointments/afspraken_20251219.csv"):
        (exports / log).parent.mkdir(parents=True)
        (exports / log).write_bytes((ROOT / "sample_exports" / log).read_bytes())
    city = City(folder)
    city.environment["KCC_EXPORTS"] = str(exports)
    return city


Night = tuple[City, subprocess.CompletedProcess[str]]
"""A city, and what a night in it said."""
