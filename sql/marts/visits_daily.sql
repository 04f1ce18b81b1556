-- The appointments and walk-ins of every day and cluster of desks, also of days without any, with the working-day flag.
-- Every day from the month of the first visit to the newest export, and each later day for which something is planned.
with counted as (
    select
        visit_date as date,
        cluster,
        count(*) as appointments,
        count(visitor_wait_seconds) as visits,
        sum(visitor_wait_seconds) as wait_seconds_sum,
        count(*) filter (where is_served_early) as served_early,
        count(*) filter (where checked_in_at_utc < planned_start_utc) as checked_in_early,
        count(*) filter (where checked_in_at_utc > planned_start_utc) as checked_in_late,
        count(*) filter (where visitor_wait_reason = 'walk_in') as walk_ins,
        count(*) filter (where visitor_wait_reason = 'cancelled') as cancelled,
        count(*) filter (where visitor_wait_reason = 'no_show') as no_shows
    from core.appointments
    where visit_date is not null
    group by all
),

clusters as (
    select cluster from core.clusters
    union
    select cluster from core.appointments
),

span as (
    select
        date_trunc('month', greatest(min(counted.date), any_value(as_of.first_date)))::date as first_date,
        any_value(as_of.as_of_local)::date as last_date
    from counted
    cross join staging.as_of as as_of
),

dates as (
    select calendar.date
    from core.calendar as calendar
    inner join span on calendar.date between span.first_date and span.last_date
    where calendar.service_point = 'desk'
    union
    select date from counted
),

desks as (
    select
        clusters.cluster,
        desks.service_point
    from clusters
    left join staging.desks as desks using (cluster)
)

select
    dates.date,
    desks.cluster,
    desks.service_point,
    isodow(dates.date) as weekday,
    coalesce(calendar.is_open, false) as is_open,
    coalesce(calendar.is_working_day, false) as is_working_day,
    coalesce(calendar.opening_minutes, 0) as opening_minutes,
    coalesce(counted.appointments, 0) as appointments,
    coalesce(counted.visits, 0) as visits,
    coalesce(counted.wait_seconds_sum, 0)::decimal(18, 3) as wait_seconds_sum,
    counted.wait_seconds_sum / nullif(counted.visits, 0) / 60 as mean_wait_minutes,
    coalesce(counted.served_early, 0) as served_early,
    coalesce(counted.checked_in_early, 0) as checked_in_early,
    coalesce(counted.checked_in_late, 0) as checked_in_late,
    coalesce(counted.walk_ins, 0) as walk_ins,
    coalesce(counted.cancelled, 0) as cancelled,
    coalesce(counted.no_shows, 0) as no_shows,
    complete.date is not null as complete
from dates
cross join desks
left join core.calendar as calendar
    on
        calendar.service_point = desks.service_point
        and calendar.date = dates.date
left join staging.complete_days as complete
    on
        complete.basis = 'visits'
        and complete.date = dates.date
left join counted
    on
        counted.date = dates.date
        and counted.cluster = desks.cluster
