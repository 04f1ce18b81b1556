-- Months with days that have far fewer calls inside opening hours than their weekday usually has: an export cut short,
-- or a line out of order. Usual is the median, an open minute, of the last eight days of that weekday (at least four).
with open_days as (
    select
        segments.date,
        sum(segments.ends_minute - segments.starts_minute) as open_minutes
    from staging.day_segments as segments
    cross join staging.as_of as as_of
    where
        segments.service_point = 'telephone'
        and segments.is_open
    group by segments.date
    having max(segments.ends_local) <= any_value(as_of.as_of_local)
),

counted as (
    select
        told.source,
        told.date,
        told.calls_within_hours as calls,
        open_days.open_minutes
    from staging.calls_by_log as told
    inner join open_days using (date)
),

compared as (
    select
        source,
        date,
        calls,
        if(
            count(*) over before_it >= 4,
            round(median(calls / open_minutes) over before_it * open_minutes, 6),
            null
        ) as usual_calls
    from counted
    window
        before_it as (
            partition by source, isodow(date)
            order by date
            rows between 8 preceding and 1 preceding
        )
),

judged as (
    select
        compared.*,
        date_trunc('month', compared.date)::date as month,
        coalesce(
            compared.usual_calls >= tripwires.quiet_day_usual_calls
            and compared.calls < tripwires.quiet_day_share * compared.usual_calls,
            false
        ) as is_quiet
    from compared
    cross join input.tripwires as tripwires
)

select
    'quiet_day' as tripwire,
    source,
    month,
    count(*) filter (where is_quiet) as affected,
    count(*) as total,
    format(
        'source ''{}'' has far fewer calls than usual on {} of the {} open days of {}: {}. Is an export cut short?',
        source,
        count(*) filter (where is_quiet),
        count(*),
        strftime(month, '%B %Y'),
        string_agg(
            format('{} ({} calls, usually {:.0f})', strftime(date, '%a %-d'), calls, usual_calls),
            ', ' order by date
        ) filter (where is_quiet)
    ) as sentence
from judged
group by source, month
having count(*) filter (where is_quiet) > 0
