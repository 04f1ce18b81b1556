-- The moment for which the warehouse speaks, that of its newest export, in civil time; and the calendar's first day.
select
    span.first_date,
    span.as_of_utc + to_minutes(
        if(
            span.as_of_utc >= utc_days.switch_at_utc,
            utc_days.offset_after_minutes, utc_days.offset_minutes
        )
    ) as as_of_local
from input.calendar_span as span
left join input.utc_days as utc_days on utc_days.utc_date = span.as_of_utc::date
