"""The published tables by name, and what is said of them wherever they are shown."""

from __future__ import annotations

from pathlib import Path

from schemas.core import Appointments, CalendarDays, Calls, Clusters, Norms, PublishedHistory, Table
from schemas.marts import (
    AnswerSpeedMonthly,
    Indicators,
    LeadTimeMonthly,
    MissedCallsBridge,
    MissedCallsMonthly,
    MissedCallsYearly,
    TelephoneWaitMonthly,
    VisitorWaitMonthly,
)
from schemas.ops import Ledger, Publications, Quarantine, Restatements, Tripwires

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
    "marts.indicators": Indicators,
    "ops.ledger": Ledger,
    "ops.quarantine": Quarantine,
    "ops.tripwires": Tripwires,
    "ops.publications": Publications,
    "ops.restatements": Restatements,
}


def key(table: str) -> list[str]:
    """The columns that together name one row of a table."""
    metadata: dict[str, list[str]] = getattr(TABLES[table].Config, "metadata")  # noqa: B009
    return metadata["key"]


def description(table: str) -> str:
    """What a table holds: the comment at the head of its SQL file."""
    lines = (SQL / f"{table.replace('.', '/')}.sql").read_text(encoding="utf-8").splitlines()
    head = []
    for line in lines:
        if not line.startswith("--"):
            break
        head.append(line.removeprefix("--").strip())
    return " ".join(head)
