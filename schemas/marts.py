"""Contracts of `marts.*`: sums and counts by month, and every indicator in one long table."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.core import BRIDGE_STEPS, SPEED_BUCKETS, Table
from schemas.types import Amount, Total

SPEED = "of answered, those with a wait of at most 30 seconds"
DAY_COMPLETE = "the day has ended, an export made after its closing covers it if it was open, and no call of it is open"
WEEKDAY = "1 Monday to 7 Sunday"
COVERED = "the period has ended and every open day is covered by an export made after its closing"
COMPLETE = f"{COVERED}, no call is open; ops.incomplete_days tells what is missing"

VARIANTS = {
    "headline": "the definition of the indicator sheet",
    "reported": "missed calls as the software says, at any hour",
    "without_short_abandons": "missed calls but for those that hung up sooner than the threshold",
    "lowest_possible": "the missed share if every call in doubt was answered",
    "highest_possible": "the missed share if every call in doubt was missed",
    "action_plan": "the telephone wait against the wording of the action plan, up to and including 45 seconds",
    "all_answered": "answered calls at any hour, not only those that arrived inside opening hours",
    "queue_wait": "the wait in the queue alone, without what came before it",
    "of_offered": "answer speed as a share of the calls offered, not of those answered",
    "arrival_based": "the visitor's wait from the later of planned start and check-in",
    "served_early": "the share of visits that started before the planned start",
    "last_planned": "the lead time to the planned day after all rescheduling",
    "cancelled": "the lead time of cancelled appointments",
    "desk_same_day": "the lead time of appointments booked at the desk for the same day",
}
"""Every variant of marts.indicators, and how it differs from the headline."""


class _MissedCalls(Table):
    """What the month's and the year's table of missed calls share."""

    queue: str = pa.Field(description="queue in which the calls first arrived")
    calls: int = pa.Field(ge=0, description="all calls, whatever their outcome")
    answered: int = pa.Field(ge=0, description="answered calls that arrived inside opening hours")
    missed: int = pa.Field(ge=0, description="missed calls that arrived inside opening hours")
    offered: int = pa.Field(ge=0, description="answered + missed: the denominator of the missed share")
    missed_share: float = pa.Field(
        nullable=True, ge=0, le=1, description="missed / offered, 0 to 1; NULL without calls"
    )
    missed_short_abandons: int = pa.Field(ge=0, description="missed calls that hung up within the threshold")
    missed_abandoned: int = pa.Field(ge=0, description="of the missed calls, those in which the caller hung up")
    missed_voicemail: int = pa.Field(ge=0, description="of the missed calls, those that ended in voicemail")
    missed_menu: int = pa.Field(ge=0, description="of the missed calls, those that hung up in the menu")
    missed_timeout: int = pa.Field(ge=0, description="of the missed calls, those that a time-out ended")
    missed_no_agent: int = pa.Field(ge=0, description="of the missed calls, those that ended for want of an agent")
    missed_callback: int = pa.Field(ge=0, description="of the missed calls, those that asked to be called back")
    outside_hours: int = pa.Field(ge=0, description="calls that arrived outside opening hours")
    outside_hours_answered: int = pa.Field(ge=0, description="of those, the ones that a person answered all the same")
    open: int = pa.Field(ge=0, description="calls that had not ended when the newest export was cut")
    excluded: int = pa.Field(ge=0, description="calls excluded by a named rule")
    reported_records: int = pa.Field(
        ge=0, description="records of the exports behind these calls, any outcome and hour"
    )
    reported_missed: int = pa.Field(ge=0, description="of those, the ones that the software calls missed")
    reported_missed_share: float = pa.Field(
        nullable=True, ge=0, le=1, description="reported_missed / reported_records: what the software would say"
    )
    ended_after_closing: int = pa.Field(ge=0, description="calls that arrived inside and ended after closing")
    spanning_opening: int = pa.Field(ge=0, description="calls that arrived before opening and were answered after it")
    ambiguous_arrivals: int = pa.Field(ge=0, description="calls whose local arrival exists twice")
    impossible_durations: int = pa.Field(ge=0, description="calls of any outcome with a negative duration, now NULL")
    complete: bool = pa.Field(description=COMPLETE)


class _Month(Table):
    """The column with which the month's table begins."""

    month: pl.Date = pa.Field(description="first day of the month of arrival")


class _Year(Table):
    """The column with which the year's table begins."""

    year: pl.Date = pa.Field(description="first day of the year of arrival")


class MissedCallsMonthly(_MissedCalls, _Month):
    """Contract of marts.missed_calls_monthly."""

    class Config:
        metadata = {"key": ["month", "queue"]}


class MissedCallsYearly(_MissedCalls, _Year):
    """Contract of marts.missed_calls_yearly."""

    class Config:
        metadata = {"key": ["year", "queue"]}


class MissedCallsBridge(Table):
    """Contract of marts.missed_calls_bridge."""

    period_type: str = pa.Field(isin=["month", "year"], description="length of the period")
    period: pl.Date = pa.Field(description="first day of the period of arrival")
    step_number: int = pa.Field(ge=1, le=13, description="place of the step, from reported to corrected")
    step: str = pa.Field(
        isin=["reported_missed", *BRIDGE_STEPS],
        description="what is taken off or added; core.calls.bridge_step leads to its calls, but for "
        "further_records_of_the_call: those of calls with legs_reported_missed > 1",
    )
    records: int = pa.Field(
        description="missed, signed: the first twelve steps add up to the thirteenth, corrected_missed"
    )
    all_records: int = pa.Field(
        description="missed or not, signed: the same steps from all reported records to the calls offered"
    )
    complete: bool = pa.Field(description=COMPLETE)

    class Config:
        metadata = {"key": ["period_type", "period", "step_number"]}


class TelephoneWaitMonthly(Table):
    """Contract of marts.telephone_wait_monthly."""

    month: pl.Date = pa.Field(description="first day of the month of arrival")
    queue: str = pa.Field(description="queue in which the calls first arrived")
    answered: int = pa.Field(ge=0, description="answered calls that arrived inside opening hours")
    waits: int = pa.Field(ge=0, description="of those, the ones with a usable wait")
    wait_seconds_sum: Total = pa.Field(ge=0, description="sum of their waits from dialling in, seconds")
    mean_wait_seconds: float = pa.Field(nullable=True, description="wait_seconds_sum / waits; NULL without waits")
    unknown_waits: int = pa.Field(ge=0, description="answered calls without a usable wait, outside the mean")
    queue_waits: int = pa.Field(ge=0, description="answered calls inside with a usable wait in the queue")
    queue_wait_seconds_sum: Total = pa.Field(ge=0, description="sum of their waits in the queue alone, seconds")
    mean_queue_wait_seconds: float = pa.Field(nullable=True, description="queue_wait_seconds_sum / queue_waits")
    all_answered: int = pa.Field(ge=0, description="answered calls at any hour")
    all_waits: int = pa.Field(ge=0, description="of those, the ones with a usable wait")
    all_wait_seconds_sum: Total = pa.Field(ge=0, description="sum of their waits from dialling in, seconds")
    lower_bound_waits: int = pa.Field(ge=0, description="answered calls inside whose source starts the clock late")
    all_lower_bound_waits: int = pa.Field(ge=0, description="answered calls at any hour of such a source")
    impossible_durations: int = pa.Field(ge=0, description="answered calls inside with a negative duration, now NULL")
    complete: bool = pa.Field(description=COMPLETE)

    class Config:
        metadata = {"key": ["month", "queue"]}


class AnswerSpeedMonthly(Table):
    """Contract of marts.answer_speed_monthly."""

    month: pl.Date = pa.Field(description="first day of the month of arrival")
    queue: str = pa.Field(description="queue in which the calls first arrived")
    speed_bucket: str = pa.Field(isin=SPEED_BUCKETS, description="bucket of the exact wait, seconds")
    bucket_number: int = pa.Field(ge=1, le=7, description="1 for 0-30 to 6 for 300+, 7 for unknown")
    answered: int = pa.Field(ge=0, description="answered calls that arrived inside opening hours")
    all_answered: int = pa.Field(ge=0, description="answered calls at any hour")
    within_a_second_of_an_edge: int = pa.Field(ge=0, description="of answered, waits within 1 s of a bucket's edge")
    offered_total: int = pa.Field(ge=0, description="answered and missed calls inside, of all buckets together")
    complete: bool = pa.Field(description=COMPLETE)

    class Config:
        metadata = {"key": ["month", "queue", "speed_bucket"]}


class VisitorWaitMonthly(Table):
    """Contract of marts.visitor_wait_monthly."""

    month: pl.Date = pa.Field(description="first day of the month of the planned date")
    cluster: str = pa.Field(description="cluster of desks; `unmapped` for services that belong to none")
    appointments: int = pa.Field(ge=0, description="all appointments and walk-ins: visits + the reasons below")
    visits: int = pa.Field(ge=0, description="started visits with a planned start: those that have a wait")
    wait_seconds_sum: Total = pa.Field(ge=0, description="sum of max(0, start - planned start), seconds")
    mean_wait_minutes: float = pa.Field(nullable=True, ge=0, description="wait_seconds_sum / visits, in minutes")
    served_early: int = pa.Field(ge=0, description="visits that started before the planned start (they count 0)")
    arrival_based_visits: int = pa.Field(ge=0, description="visits with a check-in")
    arrival_based_wait_seconds_sum: Total = pa.Field(
        ge=0, description="sum of the waits from the later of planned start and check-in, seconds"
    )
    walk_ins: int = pa.Field(ge=0, description="came without a planned start: no wait, by date of check-in")
    cancelled: int = pa.Field(ge=0, description="cancelled: no wait")
    no_shows: int = pa.Field(ge=0, description="did not come: no wait")
    not_started: int = pa.Field(ge=0, description="not started: no wait")
    impossible: int = pa.Field(ge=0, description="ended before the start, or over eleven days late: no wait")
    no_planned_time: int = pa.Field(ge=0, description="planned for a day without a time: no wait")
    complete: bool = pa.Field(description=f"{COVERED}; ops.incomplete_days tells what is missing")

    class Config:
        metadata = {"key": ["month", "cluster"]}


class LeadTimeMonthly(Table):
    """Contract of marts.appointment_lead_time_monthly."""

    month: pl.Date = pa.Field(description="first day of the month of booking")
    cluster: str = pa.Field(description="cluster of desks; `unmapped` for services that belong to none")
    booking_channel: str = pa.Field(description="where it was booked; `unknown` where the source does not tell")
    booked: int = pa.Field(
        ge=0, description="appointments + cancelled + desk_same_day + planned_before_booked + outside_calendar"
    )
    appointments: int = pa.Field(ge=0, description="appointments that count for the lead time")
    working_days_sum: int = pa.Field(ge=0, description="sum of their lead times, working days")
    mean_working_days: float = pa.Field(nullable=True, ge=0, description="working_days_sum / appointments")
    last_planned_appointments: int = pa.Field(
        ge=0, description="of them, those with a lead time to the last planned day"
    )
    last_planned_working_days_sum: int = pa.Field(ge=0, description="sum of the lead times to the last planned day")
    cancelled: int = pa.Field(ge=0, description="cancelled appointments, shown apart")
    cancelled_working_days_sum: int = pa.Field(ge=0, description="sum of their lead times, working days")
    desk_same_day: int = pa.Field(ge=0, description="booked at the desk for the same day, shown apart")
    desk_same_day_working_days_sum: int = pa.Field(ge=0, description="sum of their lead times, working days")
    planned_before_booked: int = pa.Field(ge=0, description="planned before they were booked: no lead time")
    outside_calendar: int = pa.Field(
        ge=0, description="booked or planned on a day without declared hours: no lead time"
    )
    complete: bool = pa.Field(description=f"{COVERED}; ops.incomplete_days tells what is missing")

    class Config:
        metadata = {"key": ["month", "cluster", "booking_channel"]}


class CallsDaily(Table):
    """Contract of marts.calls_daily."""

    date: pl.Date = pa.Field(description="civil date of arrival")
    queue: str = pa.Field(description="queue in which the calls first arrived")
    weekday: int = pa.Field(ge=1, le=7, description=WEEKDAY)
    is_open: bool = pa.Field(description="the telephone was open for some time that day")
    is_working_day: bool = pa.Field(description="a Monday to Friday on which the telephone was open")
    opening_minutes: int = pa.Field(ge=0, le=1440, description="minutes that the telephone was open")
    calls: int = pa.Field(ge=0, description="all calls, whatever their outcome")
    answered: int = pa.Field(ge=0, description="answered calls that arrived inside opening hours")
    missed: int = pa.Field(ge=0, description="missed calls that arrived inside opening hours")
    offered: int = pa.Field(ge=0, description="answered + missed: the calls offered to the contact centre")
    missed_share: float = pa.Field(
        nullable=True, ge=0, le=1, description="missed / offered, 0 to 1; NULL without calls"
    )
    missed_abandoned: int = pa.Field(ge=0, description="of the missed calls, those in which the caller hung up")
    abandonment_rate: float = pa.Field(
        nullable=True, ge=0, le=1, description="missed_abandoned / offered; NULL without calls"
    )
    missed_short_abandons: int = pa.Field(ge=0, description="missed calls that hung up within the threshold")
    answered_within_30_seconds: int = pa.Field(ge=0, description=SPEED)
    service_level: float = pa.Field(
        nullable=True, ge=0, le=1, description="answered_within_30_seconds / offered; NULL without calls"
    )
    waits: int = pa.Field(ge=0, description="of answered, those with a usable wait")
    wait_seconds_sum: Total = pa.Field(ge=0, description="sum of their waits from dialling in, seconds")
    average_speed_of_answer_seconds: float = pa.Field(
        nullable=True, ge=0, description="wait_seconds_sum / waits, from dialling in; NULL without waits"
    )
    lower_bound_waits: int = pa.Field(ge=0, description="of waits, those whose source starts the clock late")
    outside_hours: int = pa.Field(ge=0, description="calls that arrived outside opening hours")
    reported_missed: int = pa.Field(ge=0, description="records of these calls that the software calls missed")
    complete: bool = pa.Field(description=DAY_COMPLETE)

    class Config:
        metadata = {"key": ["date", "queue"]}


class CallsQuarterHourly(Table):
    """Contract of marts.calls_quarter_hourly."""

    date: pl.Date = pa.Field(description="civil date of arrival")
    time_of_day: str = pa.Field(description="when the quarter of an hour begins by the centre's clock, such as `09:15`")
    queue: str = pa.Field(description="queue in which the calls first arrived")
    weekday: int = pa.Field(ge=1, le=7, description=WEEKDAY)
    opening_minutes: int = pa.Field(ge=0, le=15, description="minutes of it in which the telephone was open")
    calls: int = pa.Field(ge=0, description="all calls, whatever their outcome")
    answered: int = pa.Field(ge=0, description="answered calls that arrived inside opening hours")
    missed: int = pa.Field(ge=0, description="missed calls that arrived inside opening hours")
    offered: int = pa.Field(ge=0, description="answered + missed: the calls offered to the contact centre")
    answered_within_30_seconds: int = pa.Field(ge=0, description=SPEED)
    waits: int = pa.Field(ge=0, description="of answered, those with a usable wait")
    wait_seconds_sum: Total = pa.Field(ge=0, description="sum of their waits from dialling in, seconds")
    outside_hours: int = pa.Field(ge=0, description="calls that arrived outside opening hours")

    class Config:
        metadata = {"key": ["date", "time_of_day", "queue"]}


class VisitsDaily(Table):
    """Contract of marts.visits_daily."""

    date: pl.Date = pa.Field(description="planned date; for a walk-in the date of check-in")
    cluster: str = pa.Field(description="cluster of desks; `unmapped` for services that belong to none")
    service_point: str = pa.Field(description="whose hours are the cluster's, as in core.calendar")
    weekday: int = pa.Field(ge=1, le=7, description=WEEKDAY)
    is_open: bool = pa.Field(description="the cluster's desk was open for some time that day")
    is_working_day: bool = pa.Field(description="a Monday to Friday on which the cluster's desk was open")
    opening_minutes: int = pa.Field(ge=0, le=1440, description="minutes that the cluster's desk was open")
    appointments: int = pa.Field(ge=0, description="all appointments and walk-ins, whatever became of them")
    visits: int = pa.Field(ge=0, description="started visits with a planned start: those that have a wait")
    wait_seconds_sum: Total = pa.Field(ge=0, description="sum of max(0, start - planned start), seconds")
    mean_wait_minutes: float = pa.Field(nullable=True, ge=0, description="wait_seconds_sum / visits, in minutes")
    served_early: int = pa.Field(ge=0, description="visits that started before the planned start (they count 0)")
    checked_in_early: int = pa.Field(ge=0, description="visitors who checked in before the planned start")
    checked_in_late: int = pa.Field(ge=0, description="visitors who checked in after the planned start")
    walk_ins: int = pa.Field(ge=0, description="came without a planned start: no wait")
    cancelled: int = pa.Field(ge=0, description="cancelled: no wait")
    no_shows: int = pa.Field(ge=0, description="did not come: no wait")
    complete: bool = pa.Field(
        description="the day has ended and, if `desk` was open, an export made after its closing covers it"
    )

    class Config:
        metadata = {"key": ["date", "cluster"]}


class Indicators(Table):
    """Contract of marts.indicators."""

    indicator: str = pa.Field(
        isin=["missed_calls", "telephone_wait", "answer_speed", "visitor_wait", "lead_time"],
        description="missed_calls (I1), telephone_wait (I2), answer_speed (I3), visitor_wait (I4) or lead_time (I5)",
    )
    variant: str = pa.Field(
        isin=list(VARIANTS), description="; ".join(f"{name}: {meaning}" for name, meaning in VARIANTS.items())
    )
    period_type: str = pa.Field(isin=["month", "year"], description="length of the period")
    period: pl.Date = pa.Field(description="first day of the period")
    dimension_type: str = pa.Field(
        isin=["all", "queue", "speed_bucket", "cluster", "booking_channel"], description="by what it is broken down"
    )
    dimension: str = pa.Field(description="`all`, or the value of the dimension")
    value: float = pa.Field(
        nullable=True, description="numerator / denominator, times 100 for percent; NULL with a value_reason"
    )
    unit: str = pa.Field(isin=["percent", "seconds", "minutes", "working_days"], description="unit of the value")
    numerator: Amount = pa.Field(nullable=True, description="exact count, or exact sum in the unit of the value")
    denominator: Amount = pa.Field(nullable=True, description="exact count of calls, visits or appointments")
    value_reason: str = pa.Field(
        nullable=True,
        isin=[
            "no_calls",
            "no_answered_calls",
            "outside_the_shares",
            "no_visits",
            "no_check_ins",
            "no_appointments",
        ],
        description="why the value is NULL",
    )
    is_lower_bound: bool = pa.Field(description="some waits lack the time before the queue: the truth is higher")
    norm_operator: str = pa.Field(
        nullable=True, isin=["<", "<=", ">="], description="how the value must stand to the norm"
    )
    norm_value: Amount = pa.Field(nullable=True, description="norm on the period's last day; NULL where none is set")
    norm_met: bool = pa.Field(nullable=True, description="whether the exact quotient meets the norm")
    complete: bool = pa.Field(description=COMPLETE)

    class Config:
        metadata = {"key": ["indicator", "variant", "period_type", "period", "dimension_type", "dimension"]}
