"""What is measured, each in a process of its own: `python -m bench.sides SIDE …`.

    ours                  read every export that was not read, build, verify, publish; no run of Dagster
    night                 the same, and then the report: all that a night does but for Dagster
    empty FIRST LAST      the night's job in Dagster, with the same assets, checks and days, whose steps do nothing
    imports               only what both of them import
    typed EXPORTS FILE    DuckDB's own reading: one typed `create table as` over the same files

The settings and folders come from KCC_SETTINGS, KCC_EXPORTS and KCC_DATA, as for `kcc`.
"""

from __future__ import annotations

import sys
from pathlib import Path

COLUMNS = {
    "id": "varchar",
    "leg": "varchar",
    "queue": "varchar",
    "direction": "varchar",
    "outcome": "varchar",
    "arrived": "timestamp",
    "queued": "timestamp",
    "answered": "timestamp",
    "ended": "timestamp",
    "wait": "decimal(9, 3)",
    "queue_wait": "decimal(9, 3)",
    "agent": "varchar",
}
"""The columns of the benchmark's call log, as DuckDB types them."""


def ours() -> None:
    """From files to a published warehouse, as a night does it, without a run of Dagster."""
    from assets.files import export_files, today
    from assets.records import RecordStore
    from assets.warehouse import build_and_publish
    from pipelines.settings import load_settings

    settings = load_settings()
    store = RecordStore(settings)
    for file in store.unread(export_files(settings, today(settings))):
        store.read(file)
    build_and_publish(settings, "00000000-bench")


def night() -> None:
    """All that a night does, without a run of Dagster."""
    from assets.report.making import make_reports_of_the_night
    from pipelines.settings import load_settings

    ours()
    make_reports_of_the_night(load_settings())


def empty(first: str, last: str) -> None:
    """Run the night's job of assets that do nothing, over the days of a range, kept in the same history."""
    from bench.empty_job import empty_definitions
    from pipelines.night import dagster_instance
    from pipelines.schedule import RANGE_END, RANGE_START
    from pipelines.settings import load_settings

    job = empty_definitions(load_settings()).get_job_def("nightly")
    with dagster_instance() as instance:
        job.execute_in_process(
            instance=instance,
            tags={RANGE_START: first, RANGE_END: last},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )


def imports() -> None:
    """Import what a night imports, and end."""
    from pipelines.location import build_definitions
    from pipelines.settings import load_settings

    build_definitions(load_settings())


def typed(exports: str, file: str) -> None:
    """Let DuckDB read the files into a table of a new database, typed; it loses the lines that it can't read."""
    import duckdb

    with duckdb.connect(file) as con:
        con.execute(
            "create table calls as from read_csv($files, columns = $columns, auto_detect = false, header = true, "
            "delim = ';', quote = '\"', ignore_errors = true)",
            {"files": str(Path(exports) / "calls_*.csv"), "columns": COLUMNS},
        )


def main() -> None:
    """Run one side."""
    side, *words = sys.argv[1:]
    {"ours": ours, "night": night, "empty": empty, "imports": imports, "typed": typed}[side](*words)


if __name__ == "__main__":
    main()
