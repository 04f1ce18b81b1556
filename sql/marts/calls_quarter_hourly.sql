-- The calls of every quarter of an hour of arrival and queue: each in which the telephone was open, also without a
-- call, from the month of the queue's first call to that of its last; and each other in which one came. Only sums.
with open_quarters as (
    select
        date,
        starts_minute,
        ends_minute,
        unnest(generate_series(starts_minute // 15, (ends_minute - 1) // 15)) as quarter
    from staging.day_segments
    where service_point = 'telephone' and is_open
),

opening as (
    select
        date,
        quarter,
        sum(least(ends_minute, 15 * quarter + 15) - greatest(starts_minute, 15 * quarter))::bigint as opening_minutes
    from open_quarters
    group by date, quarter
),

counted as (
    select
        arrived_date as date,
        (60 * hour(arrived_local) + minute(arrived_local)) // 15 as quarter,
        queue,
        count(*) as calls,
        count(*) filter (where outcome = 'answered') as answered,
        count(*) filter (where outcome = 'missed') as missed,
        count(*) filter (where outcome = 'answered' and speed_bucket = '0-30') as answered_within_30_seconds,
        count(wait_seconds) filter (where outcome = 'answered') as waits,
        sum(wait_seconds) filter (where outcome = 'answered') as wait_seconds_sum,
        count(*) filter (where outcome = 'outside_hours') as outside_hours
    from core.calls
    group by all
),

span as (select max(date) as last_date from marts.calls_daily),

queues as (
    select
        counted.queue,
        date_trunc('month', min(counted.date)) as first_date,
        least(last_day(max(counted.date)), any_value(span.last_date)) as last_date
    from counted
    cross join span
    group by counted.queue
),

quarters as (
    select
        opening.date,
        opening.quarter,
        queues.queue
    from opening
    inner join queues on opening.date between queues.first_date and queues.last_date
    union
    select
        date,
        quarter,
        queue
    from counted
)

select
    quarters.date,
    format('{:02d}:{:02d}', quarters.quarter // 4, 15 * (quarters.quarter % 4)) as time_of_day,
    quarters.queue,
    isodow(quarters.date) as weekday,
    coalesce(opening.opening_minutes, 0) as opening_minutes,
    coalesce(counted.calls, 0) as calls,
    coalesce(counted.answered, 0) as answered,
    coalesce(counted.missed, 0) as missed,
    coalesce(counted.answered, 0) + coalesce(counted.missed, 0) as offered,
    coalesce(counted.answered_within_30_seconds, 0) as answered_within_30_seconds,
    coalesce(counted.waits, 0) as waits,
    coalesce(counted.wait_seconds_sum, 0)::decimal(18, 3) as wait_seconds_sum,
    coalesce(counted.outside_hours, 0) as outside_hours
from quarters
left join opening using (date, quarter)
left join counted using (date, quarter, queue)
