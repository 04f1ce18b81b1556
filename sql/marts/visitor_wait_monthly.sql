-- How long visitors waited beyond the planned start, by month of the planned day and cluster; why others have no wait.
with summed as (
    select
        date_trunc('month', visit_date)::date as month,
        cluster,
        count(*) as appointments,
        count(visitor_wait_seconds) as visits,
        sum(visitor_wait_seconds) as wait_seconds_sum,
        count(*) filter (where is_served_early) as served_early,
        count(arrival_based_wait_seconds) as arrival_based_visits,
        sum(arrival_based_wait_seconds) as arrival_based_wait_seconds_sum,
        count(*) filter (where visitor_wait_reason = 'walk_in') as walk_ins,
        count(*) filter (where visitor_wait_reason = 'cancelled') as cancelled,
        count(*) filter (where visitor_wait_reason = 'no_show') as no_shows,
        count(*) filter (where visitor_wait_reason = 'not_started') as not_started,
        count(*) filter (where visitor_wait_reason = 'impossible') as impossible,
        count(*) filter (where visitor_wait_reason = 'no_planned_time') as no_planned_time
    from core.appointments
    where visit_date is not null
    group by all
),

clusters as (
    select cluster from core.clusters
    union
    select cluster from core.appointments
)

select
    periods.period as month,
    clusters.cluster,
    coalesce(summed.appointments, 0) as appointments,
    coalesce(summed.visits, 0) as visits,
    coalesce(summed.wait_seconds_sum, 0)::decimal(18, 3) as wait_seconds_sum,
    summed.wait_seconds_sum / nullif(summed.visits, 0) / 60 as mean_wait_minutes,
    coalesce(summed.served_early, 0) as served_early,
    coalesce(summed.arrival_based_visits, 0) as arrival_based_visits,
    coalesce(summed.arrival_based_wait_seconds_sum, 0)::decimal(18, 3) as arrival_based_wait_seconds_sum,
    coalesce(summed.walk_ins, 0) as walk_ins,
    coalesce(summed.cancelled, 0) as cancelled,
    coalesce(summed.no_shows, 0) as no_shows,
    coalesce(summed.not_started, 0) as not_started,
    coalesce(summed.impossible, 0) as impossible,
    coalesce(summed.no_planned_time, 0) as no_planned_time,
    periods.complete
from staging.periods as periods
cross join clusters
left join summed
    on
        summed.month = periods.period
        and summed.cluster = clusters.cluster
where
    periods.basis = 'visits'
    and periods.period_type = 'month'
