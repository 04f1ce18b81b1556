"""The published tables by name, and what is said of them wherever they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandera.polars as pa
from pandera.api.polars.components import Column

from schemas.core import Appointments, CalendarDays, Calls, Clusters, Norms, PublishedHistory, Table
from schemas.marts import (
    AnswerSpeedMonthly,
    CallsDaily,
    CallsQuarterHourly,
    Indicators,
    LeadTimeMonthly,
    MissedCallsBridge,
    MissedCallsMonthly,
    MissedCallsYearly,
    TelephoneWaitMonthly,
    VisitorWaitMonthly,
    VisitsDaily,
)
from schemas.ops import Days, IncompleteDays, Ledger, Publications, Quarantine, Restatements, Rollbacks, Tripwires
from schemas.types import duckdb_type

SQL = Path(__file__).resolve().parent.parent / "sql"

TABLES: dict[str, type[Table]] = {
    "core.calls": Calls,
    "core.appointments": Appointments,
    "core.calendar": CalendarDays,
    "core.norms": Norms,
    "core.clusters": Clusters,
    "core.published_history": PublishedHistory,
    "marts.missed_calls_monthly": MissedCallsMonthly,
    "marts.missed_calls_yearly": MissedCallsYearly,
    "marts.missed_calls_bridge": MissedCallsBridge,
    "marts.telephone_wait_monthly": TelephoneWaitMonthly,
    "marts.answer_speed_monthly": AnswerSpeedMonthly,
    "marts.visitor_wait_monthly": VisitorWaitMonthly,
    "marts.appointment_lead_time_monthly": LeadTimeMonthly,
    "marts.calls_daily": CallsDaily,
    "marts.calls_quarter_hourly": CallsQuarterHourly,
    "marts.visits_daily": VisitsDaily,
    "marts.indicators": Indicators,
    "ops.ledger": Ledger,
    "ops.quarantine": Quarantine,
    "ops.tripwires": Tripwires,
    "ops.days": Days,
    "ops.incomplete_days": IncompleteDays,
    "ops.publications": Publications,
    "ops.restatements": Restatements,
    "ops.rollbacks": Rollbacks,
}


def key(table: str) -> list[str]:
    """The columns that together name one row of a table."""
    metadata: dict[str, list[str]] = getattr(TABLES[table].Config, "metadata")  # noqa: B009
    return metadata["key"]


@dataclass(frozen=True)
class TableColumn:
    """A column of a published table: its DuckDB type, whether it may be NULL, and what it means and may hold."""

    name: str
    type: str
    is_nullable: bool
    meaning: str


@cache
def columns(table: str) -> list[TableColumn]:
    """The columns of a published table, in order."""
    return columns_of(TABLES[table])


def columns_of(model: type[pa.DataFrameModel]) -> list[TableColumn]:
    """The columns of a model, in order."""
    return [
        TableColumn(name, duckdb_type(column.dtype.type), column.nullable, _meaning(column))
        for name, column in model.to_schema().columns.items()
    ]


def _meaning(column: Column) -> str:
    described = column.description or ""
    listed = [check.statistics["allowed_values"] for check in column.checks if "allowed_values" in check.statistics]
    values = [str(value) for value in next(iter(listed), [])]
    return described if all(value in described for value in values) else f"{described} ({', '.join(values)})"


def description(table: str) -> str:
    """What a table holds: the comment at the head of its SQL file."""
    lines = (SQL / f"{table.replace('.', '/')}.sql").read_text(encoding="utf-8").splitlines()
    head = []
    for line in lines:
        if not line.startswith("--"):
            break
        head.append(line.removeprefix("--").strip())
    return " ".join(head)
