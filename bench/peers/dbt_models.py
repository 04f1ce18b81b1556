"""Lays the dbt project ready: our own SQL as its models, and what no export tells as tables. None of it is measured."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from assets.build import VIEWS, sql_files
from assets.inputs import lay_inputs
from assets.records import RecordStore
from assets.sessions import quoted
from pipelines.publishing import History, Warehouse
from pipelines.settings import Settings
from schemas.tables import TABLES, key

PROJECT = Path(__file__).with_name("dbt")
_READS = re.compile(r"\b(from|join)\s+(?:(staging|core|marts|ops)|(input)(?=\.(?:call_records|files)\b))\.(\w+)")


def lay_project(folder: Path) -> None:
    """The dbt project in a new folder, with every file of `sql/` as a model: as it is, but for `ref` where it reads."""
    shutil.copytree(PROJECT, folder)
    for table, file in sql_files().items():
        schema, name = table.split(".")
        model = folder / "models" / schema / f"{schema}__{name}.sql"
        model.parent.mkdir(exist_ok=True)
        model.write_text(as_model(table, file.read_text(encoding="utf-8")))


def as_model(table: str, sql: str) -> str:
    """The SQL of a table as a dbt model, a view where it is one with us; a published one in the order of its key."""
    schema, name = table.split(".")
    # ours keeps what lies between in memory, as a database; what is published as schemas of a file
    place = "database='staging', schema='main'" if schema == "staging" else f"schema='{schema}'"
    select = _READS.sub(lambda found: f"{found[1]} {{{{ ref('{found[2] or found[3]}__{found[4]}') }}}}", sql)
    order = f"\norder by {', '.join(key(table))}" if table in TABLES else ""
    kind = "view" if table in VIEWS else "table"
    return f"{{{{ config(alias='{name}', materialized='{kind}', {place}) }}}}\nfrom (\n{select}\n){order}\n"


def lay_input(file: Path, settings: Settings) -> None:
    """What the project need not compute, as a database: settings, calendar, and name, moment and sha256 of each export.

    Ours must have run on the same exports: the publication that it made is told as the dbt project's.
    """
    publication = Warehouse(settings.folders.data, settings.retention.versions).history().last
    with duckdb.connect() as con:
        con.execute(f"attach {quoted(str(file))} as input")
        lay_inputs(con, settings, RecordStore(settings), History(), publication)
        con.execute(
            "create table input.file_list as "
            "select * exclude (status, reason, unread_records, path), ? || '/' || file_name as path, "
            "null::timestamp as latest_utc from input.files",
            [str(settings.folders.exports)],
        )
        for (day,) in con.execute("select distinct export_date from input.file_list").fetchall():
            ends = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(settings.centre.time_zone))
            latest = (ends.astimezone(UTC) + timedelta(hours=1)).replace(tzinfo=None)  # clocks may go wrong by an hour
            con.execute("update input.file_list set latest_utc = ? where export_date = ?", [latest, day])
        con.execute("drop view input.call_records; drop table input.files")  # the project makes them
