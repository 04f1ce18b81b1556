"""Qmatic: the appointments of its REST interface, as JSON; appointments and visits of its Data Connect tables, as CSV.

The tables split each moment into keys of a date and of a time, so an export is a query that joins them; docs/formats.md
has it. An appointment is planned in one table, and what happened at the desk stands in the other: declare both, the
visits with visits_of. Customers, staff and notes are in neither.
"""

from __future__ import annotations

import polars as pl

from assets.adapters.vendor import Format, text

APPOINTMENT_COLUMNS = (
    *("appointment_id", "service", "appointment_date", "start_time", "created_date", "created_time"),
    "appointment_status",
)
VISIT_COLUMNS = (
    *("visit_transaction_id", "appointment_id", "service", "entered_queue_date", "entered_queue_time", "call_time"),
    *("end_time", "outcome"),
)
STATUS = "status"


def _moment(date: str, time: str) -> dict[str, object]:
    return {"column": [date, time], "format": "%Y-%m-%d %H:%M:%S"}


def _spelled_alike(column: str) -> pl.Expr:
    """`No Show`, `NO_SHOW` and `no show` are one status."""
    return text(column).str.to_uppercase().str.replace_all("[ -]+", "_").alias(STATUS)


REST = Format(
    name="qmatic_rest",
    title="the appointments of Qmatic's REST interface",
    kind="appointments",
    headers=(("publicId", "status", "start", "created", "services.0.name"),),
    more_columns=True,
    preset={
        "json": {"records": "appointmentList"},
        "covers": ["planned", "booked"],
        "columns": {
            "appointment_id": "publicId",
            # of several services the first
            "service": "services.0.name",
            "status": "status",
            "booked_at": {"column": "created", "format": "unix_milliseconds"},
            "planned_start": {"column": "start", "format": "%Y-%m-%dT%H:%M:%S%.f%z"},
        },
        "statuses": {"20": "planned"},
    },
    cannot_tell=(
        "What happened at the desk: it knows plans and no visits, so there is no visitor wait.",
        "What its numbers for statuses mean, but for 20, a booked appointment: declare the others in statuses.",
        "Which of the visits in Data Connect is of which of its appointments: the ids are others.",
    ),
)
APPOINTMENTS = Format(
    name="qmatic_appointments",
    title="the appointments of Qmatic Data Connect",
    kind="appointments",
    headers=(APPOINTMENT_COLUMNS,),
    preset={
        "covers": ["planned", "booked"],
        "columns": {
            "appointment_id": "appointment_id",
            "service": "service",
            "status": STATUS,
            "booked_at": _moment("created_date", "created_time"),
            "planned_start": _moment("appointment_date", "start_time"),
        },
        "statuses": {
            "CREATED": "planned",
            "ARRIVED": "checked_in",
            "CALLED": "started",
            "COMPLETE": "completed",
            "COMPLETED": "completed",
            "NO_SHOW": "no_show",
            "CANCELLED": "cancelled",
            # a branch was reset at night with the visitor still in the queue
            "ENDED_BY_RESET": "checked_in",
        },
    },
    cannot_tell=(
        "Its zone: the dates and times are those of the branch; declare its zone.",
        "When a visit began: declare the visits beside it with visits_of.",
        "By which channel an appointment was booked.",
        "Seconds, if its table of times has minutes only: a visitor called within the minute of the plan waits 0.",
    ),
    prepare=lambda raw: raw.with_columns(_spelled_alike("appointment_status")),
)

VISITS = Format(
    name="qmatic_visits",
    title="the visit transactions of Qmatic Data Connect",
    kind="appointments",
    headers=(VISIT_COLUMNS,),
    preset={
        "columns": {
            "appointment_id": "appointment_id",
            "visit_id": "visit_transaction_id",
            "service": "service",
            "status": STATUS,
            "checked_in_at": _moment("entered_queue_date", "entered_queue_time"),
            "started_at": _moment("entered_queue_date", "call_time"),
            "ended_at": _moment("entered_queue_date", "end_time"),
        },
        "statuses": {
            "NORMAL": "completed",
            # the clerk went home and a program closed the visit: its end is late, its begin is right
            **dict.fromkeys(("END_BY_FORCE_LOGOUT", "ENDED_BY_LOGOUT", "ENDED_BY_SHIRO_TIMEOUT"), "completed"),
            # another transaction of the same visit goes on
            **dict.fromkeys(("TRANSFER_TO_QUEUE", "TRANSFER_TO_SERVICE_POINT", "TRANSFER_TO_STAFF"), "started"),
            "NO_SHOW": "no_show",
            # came, and was not served by this transaction
            **dict.fromkeys(("REMOVE", "REMOVE_BY_CUSTOMER", "REMOVE_BY_RESET", "REMOVE_BY_PUBLISH"), "checked_in"),
            "RECYCLE": "checked_in",
        },
    },
    cannot_tell=(
        "When a visitor was walked to the desk: the visit begins when it is called.",
        "For when a visit was planned: that is in the appointments.",
        "A visit that goes on past midnight: its moments are of the day on which it entered the queue.",
    ),
    prepare=lambda raw: raw.with_columns(_spelled_alike("outcome")),
)
