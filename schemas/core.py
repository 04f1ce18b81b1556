"""Contracts of `core.*`: calls, appointments, and the calendar, norms and mappings by which they are judged."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.records import MISSED_REASONS, REPORTED, STATUSES
from schemas.types import Amount, Instant, Seconds

CLOSED_REASONS = ["before_opening", "break", "after_closing", "closed_weekday", "holiday", "closure"]
OUTCOMES = ["answered", "missed", "outside_hours", "open", "excluded"]
BRIDGE_STEPS = [
    *CLOSED_REASONS,
    "excluded",
    "open",
    "answered_by_somebody_else",
    "further_records_of_the_call",
    "not_answered_by_a_person",
    "corrected_missed",
]
SPEED_BUCKETS = ["0-30", "31-60", "61-90", "91-120", "121-300", "300+", "unknown"]
WAIT_REASONS = ["impossible", "not_recorded"]
VISITOR_WAIT_REASONS = ["walk_in", "cancelled", "no_show", "not_started", "impossible", "no_planned_time"]
LEAD_TIME_REASONS = ["walk_in", "not_recorded", "planned_before_booked", "outside_calendar"]


class Table(pa.DataFrameModel):
    """A published table: exactly these columns, in this order. `key` in its metadata names one row."""

    class Config:
        strict = True
        ordered = True


class Calls(Table):
    """Contract of core.calls."""

    source: str = pa.Field(description="declared name of the source of the call log")
    call_id: str = pa.Field(description="the source's id of the call; for a source without ids, file content and line")
    queue: str = pa.Field(description="queue in which the call first arrived; the source's name where it has none")
    direction: str = pa.Field(isin=["inbound", "outbound", "internal"], description="direction of the first leg")
    arrived_at_utc: Instant = pa.Field(description="the citizen dialled in (UTC)")
    arrived_local: Instant = pa.Field(description="the citizen dialled in (civil time of the centre)")
    arrived_date: pl.Date = pa.Field(description="civil date of arrival, to which the call belongs")
    answered_at_utc: Instant = pa.Field(nullable=True, description="a person answered (UTC); NULL if nobody did")
    ended_at_utc: Instant = pa.Field(nullable=True, description="the call ended (UTC)")
    wait_seconds: Seconds = pa.Field(
        nullable=True,
        ge=0,
        description="seconds from dialling in to the answer, or to the hang-up if nobody answered; of calls of every "
        "outcome: filter on it",
    )
    queue_wait_seconds: Seconds = pa.Field(
        nullable=True,
        ge=0,
        description="seconds of the deciding leg from its queue entry to answer or hang-up, as the source has it",
    )
    wait_reason: str = pa.Field(nullable=True, isin=WAIT_REASONS, description="why wait_seconds is NULL")
    is_wait_lower_bound: bool = pa.Field(description="the source can't tell the time before the queue")
    reported_outcome: str = pa.Field(
        isin=REPORTED, description="what the telephone software says of the call, its words translated by the settings"
    )
    outcome: str = pa.Field(
        isin=OUTCOMES, description="the first that applies: excluded, open, outside_hours, answered or missed"
    )
    is_answered: bool = pa.Field(description="a person answered it, at whatever hour")
    exclusion_rule: str = pa.Field(nullable=True, description="the named rule that excludes the call")
    missed_reason: str = pa.Field(
        nullable=True, isin=MISSED_REASONS, description="why no person answered, whatever the outcome"
    )
    is_within_opening_hours: bool = pa.Field(description="arrived while the telephone was open, [open, close)")
    closed_reason: str = pa.Field(
        nullable=True, isin=CLOSED_REASONS, description="why the telephone was closed at that moment"
    )
    speed_bucket: str = pa.Field(
        nullable=True, isin=SPEED_BUCKETS, description="bucket of the exact wait of an answered call, seconds"
    )
    records: int = pa.Field(ge=1, description="records of the exports that tell of this call")
    legs: int = pa.Field(
        ge=1, description="its legs: the records of its own log, or of an event log those by which the software counts"
    )
    legs_reported_missed: int = pa.Field(ge=0, description="of those, the ones that the software calls missed")
    bridge_step: str = pa.Field(
        nullable=True,
        isin=[step for step in BRIDGE_STEPS if step != "further_records_of_the_call"],
        description="the step of marts.missed_calls_bridge in which the call leaves, enters or stays; NULL if neither "
        "the software nor the rules call it missed",
    )
    is_short_abandon: bool = pa.Field(
        description="not answered, and hung up sooner than the threshold of the settings, whatever its outcome: also "
        "outside hours, also excluded"
    )
    is_ended_after_closing: bool = pa.Field(description="arrived inside opening hours and ended after they did")
    is_spanning_opening: bool = pa.Field(description="arrived before opening and was answered after it")
    is_arrival_ambiguous: bool = pa.Field(description="the local arrival exists twice; the earlier offset is taken")
    is_marked_outside_hours: bool = pa.Field(
        nullable=True, description="the software itself marks it as outside opening hours; NULL if it never does"
    )
    impossible_duration: str = pa.Field(
        nullable=True, isin=["wait", "queue_wait"], description="the duration that was negative, and is NULL"
    )
    file_name: str = pa.Field(description="export file that tells of its first leg, as in ops.ledger")
    line: int = pa.Field(ge=1, description="line of that file on which the record begins, counted from 1")

    class Config:
        metadata = {"key": ["source", "call_id"]}


class Appointments(Table):
    """Contract of core.appointments."""

    source: str = pa.Field(description="declared name of the source of the appointment log")
    appointment_id: str = pa.Field(description="the source's id of the appointment")
    service: str = pa.Field(description="the (first) service of the appointment")
    cluster: str = pa.Field(description="cluster of desks that gives it, on the planned date; `unmapped` if none")
    service_point: str = pa.Field(
        description="whose hours count for it, as in core.calendar: those of the cluster's own desk, or else of `desk`"
    )
    booking_channel: str = pa.Field(nullable=True, description="where it was booked, in the source's word")
    booked_at_utc: Instant = pa.Field(nullable=True, description="it was booked (UTC)")
    booked_local: Instant = pa.Field(nullable=True, description="it was booked (civil time of the centre)")
    booked_date: pl.Date = pa.Field(nullable=True, description="civil date of booking, to which the lead time belongs")
    planned_start_utc: Instant = pa.Field(nullable=True, description="planned start (UTC); NULL for walk-ins")
    planned_start_local: Instant = pa.Field(nullable=True, description="planned start (civil time of the centre)")
    planned_date: pl.Date = pa.Field(nullable=True, description="civil date of the planned start")
    first_planned_start_local: Instant = pa.Field(
        nullable=True, description="planned start before any rescheduling (civil time of the centre)"
    )
    first_planned_date: pl.Date = pa.Field(nullable=True, description="civil date of the first planned start")
    checked_in_at_utc: Instant = pa.Field(nullable=True, description="the visitor checked in (UTC)")
    started_at_utc: Instant = pa.Field(nullable=True, description="the visit started (UTC)")
    ended_at_utc: Instant = pa.Field(nullable=True, description="the visit ended (UTC)")
    visit_date: pl.Date = pa.Field(
        nullable=True, description="the planned date, or for a walk-in the date of check-in, to which the wait belongs"
    )
    records: int = pa.Field(ge=1, description="records of the exports that tell of this appointment")
    status: str = pa.Field(isin=STATUSES, description="newest known status")
    is_walk_in: bool = pa.Field(description="came without a planned start")
    visitor_wait_seconds: Seconds = pa.Field(
        nullable=True, ge=0, description="max(0, start - planned start), seconds: who is served early counts 0"
    )
    visitor_wait_reason: str = pa.Field(
        nullable=True, isin=VISITOR_WAIT_REASONS, description="why visitor_wait_seconds is NULL"
    )
    is_served_early: bool = pa.Field(nullable=True, description="started before the planned start")
    arrival_based_wait_seconds: Seconds = pa.Field(
        nullable=True, ge=0, description="the wait from the later of planned start and check-in, seconds"
    )
    lead_time_working_days: int = pa.Field(
        nullable=True,
        ge=0,
        description="working days of the cluster's desk after the booking day, up to and including the first planned "
        "day; if the booking day is none, the next working day stands for it",
    )
    lead_time_reason: str = pa.Field(
        nullable=True,
        isin=LEAD_TIME_REASONS,
        description="why lead_time_working_days is NULL; cancelled ones have a lead time too",
    )
    last_lead_time_working_days: int = pa.Field(
        nullable=True, ge=0, description="the same, up to the planned day after all rescheduling"
    )
    is_desk_same_day: bool = pa.Field(description="booked at the desk for the same day")
    lead_time_variant: str = pa.Field(
        nullable=True,
        isin=["headline", "cancelled", "desk_same_day"],
        description="variant of the indicator in which its lead time counts: a mean over all three is no figure; "
        "NULL without a lead time",
    )
    file_name: str = pa.Field(
        description="export file that tells of it, as in ops.ledger; if no log tells of the booking, of its first visit"
    )
    line: int = pa.Field(ge=1, description="line of that file on which the record begins, counted from 1")

    class Config:
        metadata = {"key": ["source", "appointment_id"]}


class CalendarDays(Table):
    """Contract of core.calendar."""

    date: pl.Date = pa.Field(description="civil date")
    service_point: str = pa.Field(
        description="`telephone`, `desk`, or a cluster's own desk such as `desk:Wonen`: a cluster has the hours of "
        "`desk` unless it has its own"
    )
    weekday: int = pa.Field(ge=1, le=7, description="1 Monday to 7 Sunday")
    is_open: bool = pa.Field(description="open for some time that day")
    intervals: str = pa.Field(nullable=True, description="opening intervals such as `09:00-12:00, 13:00-16:00`")
    opens_local: Instant = pa.Field(nullable=True, description="first opening (civil time)")
    closes_local: Instant = pa.Field(nullable=True, description="last closing (civil time)")
    opening_minutes: int = pa.Field(ge=0, le=1440, description="minutes that it is open, breaks and closures left out")
    is_half_day: bool = pa.Field(description="open, but a closure takes part of the regular hours")
    closed_reason: str = pa.Field(
        nullable=True,
        isin=["closed_weekday", "holiday", "closure"],
        description="why it is closed all day; NULL if it opens",
    )
    closure_note: str = pa.Field(nullable=True, description="reason of the day's closures, in the city's words")
    is_working_day: bool = pa.Field(description="a Monday to Friday on which the service point is open")
    working_day_index: int = pa.Field(ge=0, description="working days from the calendar's first day up to this one")
    utc_offset_minutes: int = pa.Field(description="offset of civil time at 00:00 UTC of this date, minutes")
    utc_offset_switch_at_utc: Instant = pa.Field(nullable=True, description="moment of this date at which it changes")

    class Config:
        metadata = {"key": ["date", "service_point"]}


class Norms(Table):
    """Contract of core.norms."""

    indicator: str = pa.Field(description="indicator that the norm is for")
    variant: str = pa.Field(description="variant that is held against it")
    period_type: str = pa.Field(isin=["month", "year"], description="period that the norm is for")
    dimension_type: str = pa.Field(description="as in marts.indicators")
    dimension: str = pa.Field(description="as in marts.indicators")
    operator: str = pa.Field(isin=["<", "<=", ">="], description="how the value must stand to the norm")
    value: Amount = pa.Field(description="the norm, in the unit of the indicator")
    valid_from: pl.Date = pa.Field(description="first day on which it holds")
    valid_to: pl.Date = pa.Field(description="last day on which it holds; 9999-12-31 if it still does")
    source: str = pa.Field(description="where the city promised it")

    class Config:
        metadata = {"key": ["indicator", "variant", "period_type", "dimension_type", "dimension", "valid_from"]}


class Clusters(Table):
    """Contract of core.clusters."""

    service: str = pa.Field(description="service, in the source's word")
    cluster: str = pa.Field(description="cluster of desks")
    valid_from: pl.Date = pa.Field(description="first day on which the mapping holds")
    valid_to: pl.Date = pa.Field(description="last day on which it holds; 9999-12-31 if it still does")

    class Config:
        metadata = {"key": ["service", "valid_from"]}


class PublishedHistory(Table):
    """Contract of core.published_history."""

    indicator: str = pa.Field(description="indicator")
    year: int = pa.Field(description="calendar year")
    value: Amount = pa.Field(description="the figure as published")
    unit: str = pa.Field(isin=["percent"], description="its unit")
    source: str = pa.Field(description="where it was published")

    class Config:
        metadata = {"key": ["indicator", "year"]}
