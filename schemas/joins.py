"""Which rows of the published tables belong together: for the data dictionary, and checked on the sample city.

No foreign keys are declared in the file: DuckDB would check them at every build, and `assets/verify.py` checks more. A
file is joined by its name alone: that of a second log (`legs_of`, `visits_of`) is of another source than the call.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Join:
    """A table whose rows belong to one row of another, and the condition; `where` says of which rows that holds."""

    many: str
    one: str
    on: str
    always: bool = True
    where: str = "true"


JOINS = [
    Join("core.calls", "core.calendar", "calendar.service_point = 'telephone' and calendar.date = calls.arrived_date"),
    Join(
        "core.calls", "marts.calls_daily", "calls_daily.date = calls.arrived_date and calls_daily.queue = calls.queue"
    ),
    Join(
        "core.calls",
        "marts.calls_quarter_hourly",
        "calls_quarter_hourly.date = calls.arrived_date and calls_quarter_hourly.queue = calls.queue and "
        "calls_quarter_hourly.time_of_day = strftime(time_bucket(interval 15 minutes, calls.arrived_local), '%H:%M')",
    ),
    Join(
        "core.calls",
        "marts.missed_calls_monthly",
        "missed_calls_monthly.month = date_trunc('month', calls.arrived_date) and "
        "missed_calls_monthly.queue = calls.queue",
    ),
    Join(
        "marts.missed_calls_monthly",
        "marts.missed_calls_yearly",
        "missed_calls_yearly.year = date_trunc('year', missed_calls_monthly.month) and "
        "missed_calls_yearly.queue = missed_calls_monthly.queue",
    ),
    Join(
        "core.calls",
        "marts.missed_calls_bridge",
        "missed_calls_bridge.period_type = 'month' and missed_calls_bridge.step = calls.bridge_step and "
        "missed_calls_bridge.period = date_trunc('month', calls.arrived_date)",
        where="calls.bridge_step is not null",
    ),
    Join(
        "core.calls",
        "marts.telephone_wait_monthly",
        "telephone_wait_monthly.month = date_trunc('month', calls.arrived_date) and "
        "telephone_wait_monthly.queue = calls.queue",
    ),
    Join(
        "core.calls",
        "marts.answer_speed_monthly",
        "answer_speed_monthly.month = date_trunc('month', calls.arrived_date) and "
        "answer_speed_monthly.queue = calls.queue and answer_speed_monthly.speed_bucket = calls.speed_bucket",
        where="calls.is_answered",
    ),
    Join("core.calls", "ops.ledger", "ledger.file_name = calls.file_name and ledger.status = 'loaded'"),
    Join(
        "core.appointments",
        "core.clusters",
        "clusters.service = appointments.service and "
        "appointments.visit_date between clusters.valid_from and clusters.valid_to",
        always=False,
    ),
    Join(
        "core.appointments",
        "core.calendar",
        "calendar.date = appointments.visit_date and calendar.service_point = appointments.service_point",
        always=False,
    ),
    Join(
        "core.appointments",
        "marts.visits_daily",
        "visits_daily.date = appointments.visit_date and visits_daily.cluster = appointments.cluster",
        where="appointments.visit_date is not null",
    ),
    Join(
        "core.appointments",
        "marts.visitor_wait_monthly",
        "visitor_wait_monthly.month = date_trunc('month', appointments.visit_date) and "
        "visitor_wait_monthly.cluster = appointments.cluster",
        where="appointments.visit_date is not null",
    ),
    Join(
        "core.appointments",
        "marts.appointment_lead_time_monthly",
        "appointment_lead_time_monthly.month = date_trunc('month', appointments.booked_date) and "
        "appointment_lead_time_monthly.cluster = appointments.cluster and "
        "appointment_lead_time_monthly.booking_channel = coalesce(appointments.booking_channel, 'unknown')",
        where="appointments.lead_time_variant is not null",
    ),
    Join("core.appointments", "ops.ledger", "ledger.file_name = appointments.file_name and ledger.status = 'loaded'"),
    Join(
        "marts.indicators",
        "core.norms",
        "norms.indicator = indicators.indicator and norms.variant = indicators.variant and "
        "norms.period_type = indicators.period_type and norms.dimension_type = indicators.dimension_type and "
        "norms.dimension = indicators.dimension and last_day(indicators.period + "
        "if(indicators.period_type = 'year', interval 11 month, interval 0 month)) "
        "between norms.valid_from and norms.valid_to",
        always=False,
    ),
    Join(
        "core.published_history",
        "marts.indicators",
        "indicators.indicator = published_history.indicator and year(indicators.period) = published_history.year and "
        "indicators.period_type = 'year' and indicators.variant = 'headline' and indicators.dimension_type = 'all'",
        always=False,
    ),
    Join(
        "ops.quarantine",
        "ops.ledger",
        "ledger.source = quarantine.source and ledger.file_name = quarantine.file_name and "
        "ledger.sha256 = quarantine.sha256",
    ),
    Join("ops.restatements", "ops.publications", "publications.version = restatements.version"),
    Join("ops.rollbacks", "ops.publications", "publications.version = rollbacks.version"),
    Join(
        "ops.restatements",
        "marts.indicators",
        "indicators.indicator = restatements.indicator and indicators.variant = restatements.variant and "
        "indicators.period_type = restatements.period_type and indicators.period = restatements.period and "
        "indicators.dimension_type = restatements.dimension_type and indicators.dimension = restatements.dimension",
        always=False,
    ),
]
