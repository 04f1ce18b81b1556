"""The sample city, driven from the command line as its data team would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb

from pipelines.settings import ROOT


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
        return subprocess.run(
            [sys.executable, "-m", "pipelines.cli", *words],
            env={**self.environment, **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, query: str, *values: object) -> list[Any]:
        with duckdb.connect(str(self.warehouse), read_only=True) as con:
            return con.execute(query, list(values)).fetchall()


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
