"""Holds two warehouses of the same exports against each other: a benchmark of sides that differ measures nothing."""

from __future__ import annotations

from pathlib import Path

import duckdb

from assets.sessions import quoted
from schemas.tables import TABLES

NIGHTLY = "ops.publications"
"""Tells of the run itself, so it is never the same."""
SHARED = (
    "core.calls",
    "marts.missed_calls_monthly",
    "marts.answer_speed_monthly",
    "marts.telephone_wait_monthly",
    "ops.ledger",
    "ops.quarantine",
)
"""The tables that every side makes; a side may make more."""


class Disagree(Exception):
    """Two sides made different warehouses; the message names the table and the rows."""


def agree(ours: Path, peer: Path) -> dict[str, int]:
    """The rows of every table that both have; raises Disagree unless all of them are alike, column by column.

    Columns that the peer lacks are left out, and so is no row: each must be there as often on either side.
    """
    rows = {}
    with duckdb.connect() as con:
        for name, file in (("ours", ours), ("peer", peer)):
            con.execute(f"attach {quoted(str(file))} as {name} (read_only)")
        for table in (table for table in TABLES if table != NIGHTLY):
            theirs = _columns(con, "peer", table)
            if not theirs:
                if table in SHARED:
                    raise Disagree(f"{table}: the peer has no such table")
                continue
            shared = {name: kind for name, kind in _columns(con, "ours", table).items() if name in theirs}
            told = ", ".join(f"round({n}, 9) as {n}" if kind == "DOUBLE" else n for n, kind in shared.items())
            for one, other in (("ours", "peer"), ("peer", "ours")):
                only = con.execute(
                    f"select {told} from {one}.{table} except all select {told} from {other}.{table}"
                ).fetchall()
                if only:
                    raise Disagree(
                        f"{table}: {len(only)} rows only in {one}, the first {dict(zip(shared, only[0], strict=True))}"
                    )
            rows[table] = con.execute(f"select count(*) from ours.{table}").fetchall()[0][0]
    return rows


def _columns(con: duckdb.DuckDBPyConnection, catalog: str, table: str) -> dict[str, str]:
    schema, name = table.split(".")
    found = con.execute(
        "select column_name, data_type from duckdb_columns() "
        "where database_name = ? and schema_name = ? and table_name = ?",
        [catalog, schema, name],
    ).fetchall()
    return dict(found)
