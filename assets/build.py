"""Builds a fresh warehouse: warehouse = f(records, settings), computed by `sql/`, one file a table.

    sql/staging/  steps between, gone when the build ends
    sql/core/  sql/marts/  sql/ops/  published

The order follows from the SQL itself: a file comes after the tables that it reads. Does not belong here: any rule.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from assets.inputs import lay_inputs
from assets.records import RecordStore
from assets.sessions import confine, in_memory, quoted
from pipelines import durable
from pipelines.publishing import History, MissedNorm, Publication
from pipelines.settings import ROOT, Settings
from schemas.tables import TABLES, columns, description, key

SQL = ROOT / "sql"
STORAGE_VERSION = "v1.4.0"
PUBLISHED_SCHEMAS = ("core", "marts", "ops")
log = logging.getLogger("kcc")
SESSION = {
    # published tables are sorted by their key, and no other has an order: a million records are laid down in 0.9 s
    # instead of 1.4 s
    "preserve_insertion_order": "false",
    # a join is hashed on the table that is written second, here always the small one; DuckDB's guess from what a file
    # holds was to hash a million wide records instead
    "disabled_optimizers": "'build_side_probe_side'",
}
"""How DuckDB is to work while it builds."""
UNBOUNDED: dict[str, str] = {}
"""DuckDB's own bounds: all cores, and most of the machine's memory."""
VIEWS = frozenset({"staging.call_states", "staging.whole_calls"})
"""Wide tables with a row a record that are computed where they are read: each is read whole once, and of a few columns
by others. To write a million rows down takes half a second and 300 MB.
"""
READ_LATER = frozenset(
    {
        "staging.call_states",
        "staging.appointment_states",
        "staging.answered_by_hour",
        "staging.restated",
        "staging.norms_newly_missed",
    }
)
"""What the checks after the build ask; the other tables of `staging` are gone when the last table that reads them is
built.
"""
_READS = re.compile(r"\b(?:from|join)\s+((?:staging|core|marts|ops)\.\w+)")


def bounded(records: int) -> dict[str, str]:
    """How DuckDB is to work where what memory can't hold goes to the disk, below records; Python's share comes on top.

    Not everything can go there, and what can't grows with the records: of ten million, 450 and 520 MB held one build
    and not the next. Two threads sorting calls need more than that, and take a third more CPU for the same.
    """
    return {"memory_limit": f"'{400 + 15 * records // 1_000_000}MB'", "threads": "1"}


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


def build(  # noqa: PLR0913, PLR0917 - a warehouse is made of all these
    file: Path,
    settings: Settings,
    store: RecordStore,
    history: History,
    publication: Publication | None = None,
    bounds: dict[str, str] = UNBOUNDED,
) -> duckdb.DuckDBPyConnection:
    """Build the warehouse in `file`, which must not exist yet, to be published as `publication` after `history`.

    Returns a connection in which `core`, `marts`, `ops`, `staging.*` and `input.*` can be queried, for the
    checks; `close` it with `finish`. Raises duckdb.OutOfMemoryException where `bounds` are too narrow.
    """
    con = empty_warehouse(str(file), settings.folders.data, bounds)
    try:
        lay_inputs(con, settings, store, history, publication)
        done_with = last_readers()
        for table in sql_files():
            log.debug("building %s", table)
            run_sql(con, table)
            if table in TABLES:
                _comment(con, table)
            for no_more in done_with[table]:
                con.execute(f"drop {_kind(no_more)} {no_more}")
    except BaseException:
        con.close()
        raise
    return con


def empty_warehouse(
    file: str = ":memory:", data: Path | None = None, bounds: dict[str, str] = UNBOUNDED
) -> duckdb.DuckDBPyConnection:
    """A new warehouse without tables: the published schemas in `file`, `input` and `staging` in memory.

    Its SQL opens no other file than records and warehouse below `data`.
    """
    con = in_memory()
    con.execute("set timezone = 'UTC'")
    for setting, value in (SESSION | bounds).items():
        con.execute(f"set {setting} = {value}")
    # no write-ahead log: nobody reads a build that was broken off, `finish` writes it whole. A log is synchronised to
    # the disk with every table and its comments, hundreds of times
    con.execute(f"attach {quoted(file)} as kcc (storage_version '{STORAGE_VERSION}', recovery_mode 'no_wal_writes')")
    con.execute("attach ':memory:' as input")
    con.execute("attach ':memory:' as staging")
    con.execute("use kcc")
    for schema in PUBLISHED_SCHEMAS:
        con.execute(f"create schema {schema}")
    confine(con, data)
    return con


def run_sql(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Make one table (or view) by its file; a published one in the order of its key."""
    select = sql_files()[table].read_text(encoding="utf-8")
    order = f"order by {', '.join(key(table))}" if table in TABLES else ""
    con.execute(f"create {_kind(table)} {table} as from (\n{select}\n) {order}")


def _kind(table: str) -> str:
    return "view" if table in VIEWS else "table"


@cache
def last_readers() -> dict[str, list[str]]:
    """For every table, which tables of `staging` are read no more once it is built, a view after those that read it.

    What reads a view reads the tables behind it, too.
    """
    order = list(sql_files())
    last = {table: table for table in order if table.startswith("staging.") and table not in READ_LATER}
    for reader in order:
        if reader not in VIEWS:
            last |= {table: reader for table in _behind(reader) if table in last}
    for kept in READ_LATER & VIEWS:
        for table in _behind(kept):
            last.pop(table, None)
    done: dict[str, list[str]] = {table: [] for table in order}
    for table in reversed(order):
        if table in last:
            done[last[table]].append(table)
    return done


def _behind(table: str) -> set[str]:
    """The tables that one table is computed from, and those behind the views among them."""
    direct = set(reads(table, sql_files()))
    return direct.union(*(_behind(name) for name in direct & VIEWS))


def finish(con: duckdb.DuckDBPyConnection) -> None:
    """Write everything to the file and let go of it."""
    con.execute("checkpoint kcc")
    con.execute("use memory")
    con.execute("detach kcc")
    con.close()


def keep_history(con: duckdb.DuckDBPyConnection, figures: Path, restatements: Path) -> None:
    """Write down, durably, what the next publication is compared with, and what this one restates, if anything.

    Figures are those of periods that are complete now, or were when they were published before; one that is no more
    is kept without a value, for it may come back.
    """
    copy = "copy ({}) to {} (format parquet, compression zstd)"
    key_columns = ", ".join(key("marts.indicators"))
    once_complete = f"""
        select now.* from marts.indicators as now
        left join input.published_figures as was using ({key_columns})
        where now.complete or was.period is not null
        union all by name
        select was.* replace (null as value, null as numerator, null as denominator)
        from input.published_figures as was
        anti join marts.indicators as now using ({key_columns})
    """
    con.execute(copy.format(once_complete, quoted(str(figures))))
    durable.sync(figures)
    if con.execute("from staging.restated limit 1").fetchone():
        con.execute(copy.format("from staging.restated", quoted(str(restatements))))
        durable.sync(restatements)


def norms_newly_missed(con: duckdb.DuckDBPyConnection) -> list[MissedNorm]:
    """The norms that this publication shows as missed and the one before did not, those of all first."""
    rows = con.execute(
        """
        select * from staging.norms_newly_missed
        order by dimension_type <> 'all', period desc, indicator, variant, dimension
        """
    )
    names = [column[0] for column in rows.description]
    return [MissedNorm(**dict(zip(names, row, strict=True))) for row in rows.fetchall()]


def _comment(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Meaning, unit and source of the table and of each column, for whoever opens the file."""
    told = f"{description(table)} Key: {', '.join(key(table))}."
    comments = [f"comment on table {table} is {quoted(told)}"]
    comments += [f'comment on column {table}."{column.name}" is {quoted(column.meaning)}' for column in columns(table)]
    # one transaction: each comment by itself would be made durable by itself
    con.execute("; ".join(["begin", *comments, "commit"]))
