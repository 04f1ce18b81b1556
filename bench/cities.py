"""The city whose nights are measured: its exports, one more of 500 records, and what each side runs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from bench.data import FIRST, file_name, write_exports, write_settings
from bench.measure import Cost, cost
from pipelines.settings import ROOT, load_settings

PEERS = Path(__file__).parent / "peers"
ENVIRONMENT = ROOT / ".venv-bench" / "bin"
NEW_RECORDS = 500
PUBLISHED = (0, 1)
"""How a night ends that published: 1 if a file was refused, as happens to small ones with several bad records."""


def peers_missing() -> str | None:
    """Why the peers that need packages of their own can't run, or None if they can."""
    if (ENVIRONMENT / "dbt").exists():
        return None
    return "pandas and dbt are not installed: `make .venv-bench/made` does it, and so does `make bench`"


class City:
    """A call log of so many records in a folder, with an empty `$KCC_DATA` and history wherever one is asked for."""

    def __init__(self, folder: Path, records: int, days: int | None = None) -> None:
        self.folder, self.records = folder, records
        days = days or (365 if records >= 100_000 else max(2, records // 500))
        self.first, self.last = FIRST, FIRST + timedelta(days=days - 1)
        self.new_day = self.last + timedelta(days=1)
        self.exports, self.exports_and_new = folder / "exports", folder / "exports_and_new"
        write_exports(self.exports, records, days)
        self.settings_file = write_settings(folder)
        self.exports_and_new.mkdir()
        for export in self.exports.iterdir():
            (self.exports_and_new / export.name).hardlink_to(export)
        write_exports(self.exports_and_new, NEW_RECORDS, 1, self.new_day, first_number=records)
        self._dbt: Path | None = None

    @property
    def new_file(self) -> Path:
        """The export that comes after all others."""
        return self.exports_and_new / file_name(self.new_day)

    def warehouse(self, side: str) -> Path:
        """What a side made."""
        published = self.folder / side / "data" / "warehouse" / "kcc.duckdb"
        return published if published.exists() else self.folder / side / "warehouse.duckdb"

    def fresh(self, side: str, like: str | None = None) -> Path:
        """A folder for a side, empty or with all that another side left; what it had is gone."""
        folder = self.folder / side
        shutil.rmtree(folder, ignore_errors=True)
        if like is None:
            folder.mkdir()
            (folder / "home").mkdir()
            shutil.copy(ROOT / "dagster.yaml", folder / "home")
        else:
            shutil.copytree(self.folder / like, folder, symlinks=True)
        return folder

    def our(self, side: str, *words: str, exports: Path | None = None, ends_with: tuple[int, ...] = (0,)) -> Cost:
        """What a module of ours costs, on the data and with the history in a side's folder."""
        folder = self.folder / side
        environment = {
            "KCC_SETTINGS": str(self.settings_file),
            "KCC_EXPORTS": str(exports or self.exports),
            "KCC_DATA": str(folder / "data"),
            "DAGSTER_HOME": str(folder / "home"),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
        }
        return cost([sys.executable, "-m", *words], folder, environment, ends_with)

    def ours(self) -> Cost:
        """From files to a published warehouse, without a run of Dagster."""
        self.fresh("ours")
        return self.our("ours", "bench.sides", "ours")

    def night(self) -> Cost:
        """The same with the report of the night."""
        self.fresh("night")
        return self.our("night", "bench.sides", "night")

    def kcc_run(self) -> Cost:
        """`kcc run`: the same as a run of Dagster, kept in its history."""
        self.fresh("kcc_run")
        return self.our("kcc_run", "pipelines.cli", "run", "--quiet", ends_with=PUBLISHED)

    def empty(self) -> Cost:
        """A run of Dagster over the same assets, checks and days, without any work."""
        self.fresh("empty")
        return self.our("empty", "bench.sides", "empty", self.first.isoformat(), self.last.isoformat())

    def imports(self) -> Cost:
        """What every process of ours begins with."""
        self.fresh("imports")
        return self.our("imports", "bench.sides", "imports")

    def typed(self) -> Cost:
        """DuckDB's own reading of the same files."""
        folder = self.fresh("typed")
        words = ("bench.sides", "typed", str(self.exports), str(folder / "warehouse.duckdb"))
        return self.our("typed", *words)

    def pandas(self) -> Cost:
        """The same work as a pandas script."""
        folder = self.fresh("pandas")
        words = [ENVIRONMENT / "python", PEERS / "pandas_peer.py", self.settings_file, folder / "warehouse.duckdb"]
        return cost(words, folder)

    def dbt(self) -> Cost:
        """The same work as `dbt run`; ours must have run. The project is laid and parsed before it is measured."""
        folder = self.fresh("dbt")
        project = self._dbt_project()
        environment = {
            "BENCH_WAREHOUSE": str(folder / "warehouse.duckdb"),
            "BENCH_INPUT": str(project.parent / "input.duckdb"),
            "BENCH_EXPORTS": str(self.exports),
        }
        words = ["--project-dir", project, "--profiles-dir", project]
        if not (project / "target").exists():
            cost([ENVIRONMENT / "dbt", "parse", *words], folder, environment)
            (folder / "warehouse.duckdb").unlink(missing_ok=True)
        return cost([ENVIRONMENT / "dbt", "run", *words], folder, environment)

    def _dbt_project(self) -> Path:
        from bench.peers.dbt_models import lay_input, lay_project

        if self._dbt is None:
            folder = self.folder / "dbt_project"
            folder.mkdir()
            with _environment(KCC_EXPORTS=str(self.exports), KCC_DATA=str(self.folder / "ours" / "data")):
                lay_input(folder / "input.duckdb", load_settings(self.settings_file))
            self._dbt = folder / "dbt"
            lay_project(self._dbt)
        return self._dbt

    def new_night(self, of: str) -> Cost:
        """The night after the history that `kcc_run` left, when 500 records came: all its work, without Dagster."""
        self.fresh(of, like="kcc_run")
        return self.our(of, "bench.sides", "night", exports=self.exports_and_new)

    def new_kcc_run(self, of: str) -> Cost:
        """The same night as `kcc run`."""
        self.fresh(of, like="kcc_run")
        words = ("pipelines.cli", "run", "--quiet")
        return self.our(of, *words, exports=self.exports_and_new, ends_with=PUBLISHED)

    def new_empty(self, of: str) -> Cost:
        """A run of Dagster of that night, after the same history, without any work."""
        self.fresh(of, like="kcc_run")
        return self.our(of, "bench.sides", "empty", self.new_day.isoformat(), self.new_day.isoformat())


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
