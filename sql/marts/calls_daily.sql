-- The calls of every day and queue, also of days without any, with the working-day flag and contact centres' own terms.
-- Every day with declared hours from the month of the first call to the newest export; sums and what derives from them.
with counted as (
    select
        arrived_date as date,
        queue,
        count(*) as calls,
        count(*) filter (where outcome = 'answered') as answered,
        count(*) filter (where outcome = 'missed') as missed,
        count(*) filter (where outcome = 'missed' and missed_reason = 'abandoned') as missed_abandoned,
        count(*) filter (where outcome = 'missed' and is_short_abandon) as missed_short_abandons,
        count(*) filter (where outcome = 'answered' and speed_bucket = '0-30') as answered_within_30_seconds,
        count(wait_seconds) filter (where outcome = 'answered') as waits,
        sum(wait_seconds) filter (where outcome = 'answered') as wait_seconds_sum,
        count(wait_seconds) filter (where outcome = 'answered' and is_wait_lower_bound) as lower_bound_waits,
        count(*) filter (where outcome = 'outside_hours') as outside_hours,
        sum(legs_reported_missed) as reported_missed
    from core.calls
    group by all
),

queues as (select distinct queue from core.calls),

span as (
    select
        date_trunc('month', min(calls.arrived_date))::date as first_date,
        greatest(any_value(as_of.as_of_local)::date, max(calls.arrived_date)) as last_date
    from core.calls as calls
    cross join staging.as_of as as_of
)

select
    calendar.date,
    queues.queue,
    calendar.weekday,
    calendar.is_open,
    calendar.is_working_day,
    calendar.opening_minutes,
    coalesce(counted.calls, 0) as calls,
    coalesce(counted.answered, 0) as answered,
    coalesce(counted.missed, 0) as missed,
    coalesce(counted.answered, 0) + coalesce(counted.missed, 0) as offered,
    counted.missed / nullif(counted.answered + counted.missed, 0) as missed_share,
    coalesce(counted.missed_abandoned, 0) as missed_abandoned,
    counted.missed_abandoned / nullif(counted.answered + counted.missed, 0) as abandonment_rate,
    coalesce(counted.missed_short_abandons, 0) as missed_short_abandons,
    coalesce(counted.answered_within_30_seconds, 0) as answered_within_30_seconds,
    counted.answered_within_30_seconds / nullif(counted.answered + counted.missed, 0) as service_level,
    coalesce(counted.waits, 0) as waits,
    coalesce(counted.wait_seconds_sum, 0)::decimal(18, 3) as wait_seconds_sum,
    counted.wait_seconds_sum / nullif(counted.waits, 0) as average_speed_of_answer_seconds,
    coalesce(counted.lower_bound_waits, 0) as lower_bound_waits,
    coalesce(counted.outside_hours, 0) as outside_hours,
    coalesce(counted.reported_missed, 0)::bigint as reported_missed,
    complete.date is not null as complete
from core.calendar as calendar
inner join span on calendar.date between span.first_date and span.last_date
cross join queues
left join staging.complete_days as complete
    on
        complete.basis = 'calls'
        and complete.date = calendar.date
left join counted
    on
        counted.date = calendar.date
        and counted.queue = queues.queue
where calendar.service_point = 'telephone'
