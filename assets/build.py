"""Builds a fresh warehouse: warehouse = f(records, settings), computed by `sql/`, one file a table.

    sql/staging/  steps between, gone when the build ends
    sql/core/  sql/marts/  sql/ops/  published

The order follows from the SQL itself: a file comes after the tables that it reads. Does not belong here: any rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from assets.inputs import lay_inputs
from assets.records import RecordStore
from pipelines.publishing import Publication
from pipelines.settings import ROOT, Settings
from schemas.tables import TABLES, description, key

SQL = ROOT / "sql"
STORAGE_VERSION = "v1.4.0"
PUBLISHED_SCHEMAS = ("core", "marts", "ops")
_READS = re.compile(r"\b(?:from|join)\s+((?:staging|core|marts|ops)\.\w+)")


@cache
def sql_files() -> dict[str, Path]:
    """Every table that is built, as schema.name, with its file, in an order in which they can be built."""
    files = {f"{path.parent.name}.{path.stem}": path for path in sorted(SQL.glob("*/*.sql"))}
    order = TopologicalSorter({table: reads(table, files) for table in files})
    return {table: files[table] for table in order.static_order()}


def reads(table: str, files: dict[str, Path]) -> list[str]:
    """The tables that one table is computed from, `input.*` left out."""
    return sorted(set(_READS.findall(files[table].read_text(encoding="utf-8"))))


@cache
def upstream(table: str) -> frozenset[str]:
    """Every table that one table is computed from, directly or through others."""
    direct = reads(table, sql_files())
    return frozenset(direct).union(*(upstream(name) for name in direct))


def published_reads(table: str) -> list[str]:
    """The published tables that one table is computed from, less those that another of them already implies."""
    published = {name for name in upstream(table) if name in TABLES}
    return sorted(published - {implied for name in published for implied in upstream(name)})


def build(
    file: Path,
    settings: Settings,
    store: RecordStore,
    publications: list[Publication],
    progress: Callable[[str], None] = lambda table: None,
) -> duckdb.DuckDBPyConnection:
    """Build the warehouse in `file`, which must not exist yet.

    Returns a connection in which `core`, `marts`, `ops`, `staging.*` and `input.*` can be queried, for the
    checks; `close` it with `finish`.
    """
    con = open_databases(f"{quoted(str(file))} as kcc (storage_version '{STORAGE_VERSION}')")
    lay_inputs(con, settings, store, publications)
    for table, path in sql_files().items():
        progress(table)
        select = path.read_text(encoding="utf-8")
        if table in TABLES:
            con.execute(f"create table {table} as from (\n{select}\n) order by {', '.join(key(table))}")
            _comment(con, table)
        else:
            con.execute(f"create table {table} as {select}")
    return con


def open_databases(kcc: str) -> duckdb.DuckDBPyConnection:
    """Empty `input`, `staging` and `kcc`; what `kcc` is attached to is said in SQL."""
    con = duckdb.connect(":memory:")
    con.execute("set timezone = 'UTC'")
    con.execute(f"attach {kcc}")
    con.execute("attach ':memory:' as input")
    con.execute("attach ':memory:' as staging")
    con.execute("use kcc")
    for schema in PUBLISHED_SCHEMAS:
        con.execute(f"create schema {schema}")
    return con


def finish(con: duckdb.DuckDBPyConnection) -> None:
    """Write everything to the file and let go of it."""
    con.execute("checkpoint kcc")
    con.execute("use memory")
    con.execute("detach kcc")
    con.close()


def _comment(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Meaning, unit and source of the table and of each column, for whoever opens the file."""
    con.execute("begin")  # one transaction: each comment by itself would be made durable by itself
    con.execute(f"comment on table {table} is {quoted(description(table))}")
    for name, column in TABLES[table].to_schema().columns.items():
        con.execute(f'comment on column {table}."{name}" is {quoted(column.description or "")}')
    con.execute("commit")


def quoted(text: str) -> str:
    """A SQL string, for the few statements that take no bound parameter."""
    return "'" + text.replace("'", "''") + "'"
