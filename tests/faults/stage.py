"""A small city of two nights: the first is published, the second is to be disturbed.

What its tables come to if nothing disturbs the second night is known; what a disturbed one leaves is held against it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path

import duckdb

from pipelines.publishing import Warehouse
from pipelines.settings import ROOT
from schemas.tables import TABLES
from tests.faults.nights import BARE_STEPS, KCC_RUN, Night, Told
from tests.folders import folder_for_everybody

DAYS = ("20251219", "20251220")
HISTORY = ("ops.publications", "ops.restatements", "ops.rollbacks")
KEPT = 1
"""Versions kept, so that every night has something to remove."""


@dataclass
class Outcome:
    """How often a fault was tried, and what did not survive, a sentence each."""

    tried: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def expect(self, holds: bool, sentence: str) -> bool:
        """Note what does not hold."""
        if not holds:
            self.failures.append(sentence)
        return holds

    @contextmanager
    def one(self, name: str) -> Iterator[None]:
        """Count one try; whatever breaks in it is a failure."""
        self.tried += 1
        try:
            yield
        except Exception as error:
            self.failures.append(f"{name}: {type(error).__name__}: {error}")

    @property
    def survived(self) -> int:
        """How many tries left nothing to say."""
        return max(self.tried - len(self.failures), 0)


def checksums(file: Path) -> dict[str, str]:
    """Rows and content of every table that must not depend on what disturbed a night; opens the file read-only."""
    with duckdb.connect(str(file), read_only=True) as con:
        return {
            table: str(
                con.execute(
                    f"select count(*), md5(string_agg(one::varchar, chr(10) order by one::varchar)) from {table} as one"
                ).fetchone()
            )
            for table in TABLES
            if table not in HISTORY
        }


class City:
    """One city on the stage, with folders of its own."""

    def __init__(self, folder: Path, exports: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.warehouse = Warehouse(self.data, KEPT)
        self.home = folder / "dagster"
        self.environment = {
            **os.environ,
            "KCC_DATA": str(self.data),
            "KCC_EXPORTS": str(exports),
            "KCC_SETTINGS": str(folder.parent / "kcc.toml"),
            "DAGSTER_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
        }
        self._told = count()

    def begin(
        self, words: tuple[str, ...] = KCC_RUN, struck_by: Callable[[], None] | None = None, **environment: str
    ) -> Night:
        """Begin a night in a process of its own."""
        told = self.folder / f"told_{next(self._told)}"
        return Night({**self.environment, **environment}, told, words, struck_by)

    def run(self, words: tuple[str, ...] = KCC_RUN, struck_by: Callable[[], None] | None = None) -> Told:
        """Run a night to its end, whatever that is."""
        return self.begin(words, struck_by).end()

    def tables(self) -> dict[str, str]:
        """The checksums of what is published."""
        return checksums(self.warehouse.file.link)


class Stage:
    """A folder that every user may look into, with the city after its first night to be copied."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = (ROOT / "kcc.toml").read_text(encoding="utf-8")
        (folder / "kcc.toml").write_text(text.replace("versions = 7 ", f"versions = {KEPT} "), encoding="utf-8")
        self.exports = folder / "exports"
        first = folder / "exports_of_the_first_night"
        for day in DAYS:
            for name in (f"telephony/oproepen_{day}.csv", f"appointments/afspraken_{day}.csv"):
                for exports in (self.exports, first) if day == DAYS[0] else (self.exports,):
                    (exports / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(ROOT / "sample_exports" / name, exports / name)
        self._names = count()
        self.after_first_night = self._fresh(first)
        told = self.after_first_night.run(BARE_STEPS)
        if told.status != 0:
            raise RuntimeError(f"the first night failed: {told.text}")
        self.before = self.after_first_night.tables()

    def _fresh(self, exports: Path) -> City:
        city = City(self.folder / f"city_{next(self._names)}", exports)
        city.home.mkdir(parents=True)
        shutil.copy(ROOT / "dagster.yaml", city.home)
        return city

    def city(self) -> City:
        """A city before its second night, with a history of Dagster that is still to be made."""
        city = self._fresh(self.exports)
        shutil.copytree(self.after_first_night.data, city.data, symlinks=True)
        return city

    def empty_city(self) -> City:
        """A city before its first night."""
        return self._fresh(self.exports)

    @contextmanager
    def borrowed(self) -> Iterator[City]:
        """A city before its second night, gone afterwards."""
        city = self.city()
        try:
            yield city
        finally:
            shutil.rmtree(city.folder)

    @cached_property
    def after(self) -> dict[str, str]:
        """What the tables come to if nothing disturbs the second night."""
        with self.borrowed() as city:
            told = city.run(BARE_STEPS)
            if told.status != 0:
                raise RuntimeError(f"the undisturbed night failed: {told.text}")
            return city.tables()

    def ends_well(self, outcome: Outcome, city: City, name: str, words: tuple[str, ...] = KCC_RUN) -> None:
        """Run the night again, undisturbed: it must end with 0, with the tables that were never disturbed."""
        told = city.run(words)
        if outcome.expect(told.status == 0, f"{name}: run again it ended with {told.status}: {told.text.strip()}"):
            outcome.expect(city.tables() == self.after, f"{name}: run again its tables are others")
            left = [
                *city.warehouse.file.foreign_logs(),
                *city.data.rglob(".building_*"),
                *city.data.rglob("*.prepared"),
                *city.data.rglob("unfinished"),
            ]
            outcome.expect(not left, f"{name}: run again it left {left}")
            kept = list(city.warehouse.file.versions.iterdir())
            outcome.expect(len(kept) == KEPT, f"{name}: run again it kept {kept}")


@contextmanager
def open_stage() -> Iterator[Stage]:
    """A stage below the system's folder for temporary files."""
    with folder_for_everybody("kcc-faults-") as folder:
        yield Stage(folder)
