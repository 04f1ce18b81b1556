-- How long callers waited until a person answered, by month of arrival and queue. Sums and counts; means derived.
-- `inside` are answered calls that arrived inside opening hours, `all` every answered call at any hour.
with answered as (
    select
        date_trunc('month', arrived_date)::date as month,
        queue,
        outcome = 'answered' as is_inside,
        wait_seconds,
        queue_wait_seconds,
        is_wait_lower_bound,
        impossible_duration
    from core.calls
    where outcome = 'answered' or (outcome = 'outside_hours' and is_answered)
),

summed as (
    select
        month,
        queue,
        count(*) filter (where is_inside) as answered,
        count(wait_seconds) filter (where is_inside) as waits,
        sum(wait_seconds) filter (where is_inside) as wait_seconds_sum,
        count(*) filter (where is_inside and wait_seconds is null) as unknown_waits,
        count(queue_wait_seconds) filter (where is_inside) as queue_waits,
        sum(queue_wait_seconds) filter (where is_inside) as queue_wait_seconds_sum,
        count(*) as all_answered,
        count(wait_seconds) as all_waits,
        sum(wait_seconds) as all_wait_seconds_sum,
        count(wait_seconds) filter (where is_inside and is_wait_lower_bound) as lower_bound_waits,
        count(wait_seconds) filter (where is_wait_lower_bound) as all_lower_bound_waits,
        count(*) filter (where is_inside and impossible_duration is not null) as impossible_durations
    from answered
    group by month, queue
),

queues as (select distinct queue from core.calls)

select
    periods.period as month,
    queues.queue,
    coalesce(summed.answered, 0) as answered,
    coalesce(summed.waits, 0) as waits,
    coalesce(summed.wait_seconds_sum, 0)::decimal(18, 3) as wait_seconds_sum,
    summed.wait_seconds_sum / nullif(summed.waits, 0) as mean_wait_seconds,
    coalesce(summed.unknown_waits, 0) as unknown_waits,
    coalesce(summed.queue_waits, 0) as queue_waits,
    coalesce(summed.queue_wait_seconds_sum, 0)::decimal(18, 3) as queue_wait_seconds_sum,
    summed.queue_wait_seconds_sum / nullif(summed.queue_waits, 0) as mean_queue_wait_seconds,
    coalesce(summed.all_answered, 0) as all_answered,
    coalesce(summed.all_waits, 0) as all_waits,
    coalesce(summed.all_wait_seconds_sum, 0)::decimal(18, 3) as all_wait_seconds_sum,
    coalesce(summed.lower_bound_waits, 0) as lower_bound_waits,
    coalesce(summed.all_lower_bound_waits, 0) as all_lower_bound_waits,
    coalesce(summed.impossible_durations, 0) as impossible_durations,
    periods.complete
from staging.periods as periods
cross join queues
left join summed
    on
        summed.month = periods.period
        and summed.queue = queues.queue
where
    periods.basis = 'calls'
    and periods.period_type = 'month'
