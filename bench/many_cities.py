"""Many invented cities that share a lake: what they export, and how a night of one of them is run.

A city's calls and visits are those of the sample's script (`sample_exports/make_samples.py`) from a seed of its own:
some 100 calls a day with its known bug, exported each day together with those of the day before; a line here and there
can't be read. Does not belong here: who runs the nights, and what is measured.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from pipelines.publishing import Warehouse
from pipelines.settings import ROOT, load_settings
from schemas.tables import TABLES, columns

sys.path.insert(0, str(ROOT / "sample_exports"))  # a script that imports another beside it

import make_samples

LAST = date(2025, 12, 30)
"""The day of the last export. The week before it has holidays, half days and calls that were corrected afterwards."""
CORRECTION = make_samples.Export(date(2025, 12, 23), date(2025, 12, 22), date(2025, 12, 23), "_correctie")
HISTORY = ("ops.publications", "ops.restatements", "ops.rollbacks")
"""Tables that tell of the runs themselves: who was killed, or read more in one night, has another history."""
ORDER_OF_DELIVERY = "delivery"
"""The column of the ledger that tells it, too."""


@dataclass(frozen=True)
class City:
    """A city as one warehouse keeps it, in a folder of its own: exports delivered so far, data, Dagster's history.

    `lake` is the folder that it shares with others, None where its warehouse is a file.
    """

    name: str
    folder: Path
    to_come: Path
    lake: Path | None = None

    def settle(self, first: date) -> None:
        """Make its folders and its settings: the sample city's, but for where and since when."""
        (self.folder / "home").mkdir(parents=True)
        shutil.copy(ROOT / "dagster.yaml", self.folder / "home")
        text = (ROOT / "kcc.toml").read_text(encoding="utf-8")
        own = {"name": f'"{self.name}"', "start": str(first), "exports": '"exports"', "data": '"data"'}
        for key, value in own.items():
            text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, count=1, flags=re.MULTILINE)
        if self.lake is not None:
            text += f'\n[warehouse]\nkind = "ducklake"\ncity = "{self.name}"\nfolder = "{self.lake}"\n'
        self.settings_file.write_text(text, encoding="utf-8")

    @property
    def settings_file(self) -> Path:
        """What it runs by."""
        return self.folder / "kcc.toml"

    def deliver(self, days: Sequence[date]) -> None:
        """Lay the exports of some days where its next night finds them."""
        for day in days:
            for export in self.to_come.glob(f"*/*_{day:%Y%m%d}*.csv"):
                place = self.folder / "exports" / export.relative_to(self.to_come)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.hardlink_to(export)

    @property
    def night(self) -> list[str]:
        """The command that runs its night."""
        return [sys.executable, "-m", "pipelines.cli", "run", "--quiet"]

    @property
    def environment(self) -> dict[str, str]:
        """What the command has to know beside the address of the catalog."""
        return {
            "KCC_SETTINGS": str(self.settings_file),
            "DAGSTER_HOME": str(self.folder / "home"),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
        }

    def open(self) -> duckdb.DuckDBPyConnection:
        """Its published warehouse, as readers get it."""
        return Warehouse.of(load_settings(self.settings_file)).store.open()

    def tables(self) -> dict[str, list[Any]]:
        """The rows of every table that follows from exports and settings alone."""
        with self.open() as con:
            return {table: _rows(con, table) for table in TABLES if table not in HISTORY}


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> list[Any]:
    names = [column.name for column in columns(table) if column.name != ORDER_OF_DELIVERY]
    return con.execute(f"select {', '.join(names)} from {table} order by all").fetchall()


def export_days(number: int) -> list[date]:
    """The last so many days on which exports are made."""
    return [LAST - timedelta(days=number - 1 - n) for n in range(number)]


def parts_of(days: Sequence[date], number: int) -> list[Sequence[date]]:
    """The days in so many parts, in order, each a night's."""
    return [days[len(days) * n // number : len(days) * (n + 1) // number] for n in range(number)]


def write_exports(folder: Path, seed: int, days: Sequence[date]) -> None:
    """Write a city's exports of some days; the seed tells it from others."""
    make_samples.RNG.seed(seed)
    calls, visits = make_samples.make_calls(), make_samples.make_visits()
    exports = [make_samples.Export(day, day - timedelta(days=1), day) for day in days]
    for export in [*exports, *([CORRECTION] if CORRECTION.stamp in days else [])]:
        name = f"{export.stamp:%Y%m%d}{export.suffix}.csv"
        _write(
            folder / "telephony" / f"oproepen_{name}",
            make_samples.CALL_HEADER,
            _spoilt(make_samples.call_records(calls, export), export.stamp.toordinal() + seed),
        )
        if not export.suffix:
            _write(
                folder / "appointments" / f"afspraken_{name}",
                make_samples.VISIT_HEADER,
                make_samples.visit_records(visits, export),
            )


def _spoilt(records: list[list[str]], number: int) -> list[list[str]]:
    """Of every third export a line can't be read: an unknown word, or a field too few; a small one would be refused."""
    if number % 3 == 0 and len(records) > 60:
        record = records[number % len(records)]
        if number % 2:
            record[-1] = "???"
        else:
            record.pop()
    return records


def _write(file: Path, header: str, records: Sequence[Sequence[str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in [header, *map(";".join, records)]), encoding="utf-8")
    os.utime(file, (time.time() - 3600,) * 2)  # finished an hour ago: one that was just written might still grow
