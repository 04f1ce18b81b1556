"""The canonical records: the closed list of what may leave an export. Nothing here is personal.

A record is one line of an export. One in quarantine has `line` and the three `quarantine_` columns for certain,
and whatever else could be read; every other one satisfies all checks below.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.types import Instant, Seconds

REPORTED = ["answered", "missed", "other"]
MISSED_REASONS = ["abandoned", "voicemail", "menu", "timeout", "no_agent", "callback"]
STATUSES = ["planned", "checked_in", "started", "completed", "no_show", "cancelled"]


class Record(pa.DataFrameModel):
    """What every canonical record has."""

    line: int = pa.Field(ge=1, description="line of the export on which the record begins")
    record_key: str = pa.Field(
        nullable=True, description="identifies the record within its source; NULL if it has none"
    )
    exclusion_rule: str = pa.Field(nullable=True, description="the named rule that excludes the record")
    quarantine_column: str = pa.Field(nullable=True, description="column of the export that can't be read")
    quarantine_reason: str = pa.Field(nullable=True, description="why it can't be read")
    quarantine_pattern: str = pa.Field(nullable=True, description="shape of the value, never its characters")

    class Config:
        strict = True


class CallRecord(Record):
    """One leg of a call, as one source tells it."""

    call_id: str = pa.Field(nullable=True, description="the source's id of the call")
    leg_id: str = pa.Field(nullable=True, description="the source's id of the leg within the call")
    queue: str = pa.Field(description="the queue, else the name of the source")
    direction: str = pa.Field(nullable=True, isin=["inbound", "outbound", "internal"], description="direction")
    reported_outcome: str = pa.Field(nullable=True, isin=REPORTED, description="what the software says")
    is_answered: bool = pa.Field(description="a person answered this leg")
    missed_reason: str = pa.Field(nullable=True, isin=MISSED_REASONS, description="why no person answered")
    is_open: bool = pa.Field(description="had not ended when the export was cut")
    arrived_at_utc: Instant = pa.Field(nullable=True, description="the citizen dialled in")
    is_arrival_ambiguous: bool = pa.Field(nullable=True, description="the local arrival exists twice")
    answered_at_utc: Instant = pa.Field(nullable=True, description="a person answered")
    ended_at_utc: Instant = pa.Field(nullable=True, description="the leg ended")
    wait_seconds: Seconds = pa.Field(nullable=True, ge=0, description="dial-in to answer or hang-up")
    queue_wait_seconds: Seconds = pa.Field(nullable=True, ge=0, description="queue entry to answer or hang-up")
    is_wait_lower_bound: bool = pa.Field(description="the source can't tell the time before the queue")
    is_marked_outside_hours: bool = pa.Field(
        nullable=True, description="the source itself marks it as outside opening hours; NULL if it never does"
    )
    impossible_duration: str = pa.Field(
        nullable=True, isin=["wait", "queue_wait"], description="the duration that was negative, and is NULL"
    )


class AppointmentRecord(Record):
    """One state of one appointment, as one source tells it."""

    appointment_id: str = pa.Field(nullable=True, description="the source's id of the appointment")
    service: str = pa.Field(nullable=True, description="the (first) service")
    booking_channel: str = pa.Field(nullable=True, description="where it was booked")
    status: str = pa.Field(nullable=True, isin=STATUSES, description="status")
    booked_at_utc: Instant = pa.Field(nullable=True, description="it was booked")
    planned_start_utc: Instant = pa.Field(nullable=True, description="planned start")
    planned_day: pl.Date = pa.Field(nullable=True, description="planned day, where the export has no time")
    first_planned_start_utc: Instant = pa.Field(nullable=True, description="first planned start, if the source tells")
    checked_in_at_utc: Instant = pa.Field(nullable=True, description="the visitor checked in")
    started_at_utc: Instant = pa.Field(nullable=True, description="the visit started")
    ended_at_utc: Instant = pa.Field(nullable=True, description="the visit ended")
