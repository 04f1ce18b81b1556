-- Working days from booking to the first planned day, by month of booking, cluster and booking channel.
-- Cancelled appointments and those booked at the desk for the same day stand apart, in columns of their own.
with summed as (
    select
        date_trunc('month', booked_date)::date as month,
        cluster,
        coalesce(booking_channel, 'unknown') as booking_channel,
        count(*) as booked,
        count(*) filter (where lead_time_variant = 'headline') as appointments,
        sum(lead_time_working_days) filter (where lead_time_variant = 'headline') as working_days_sum,
        count(last_lead_time_working_days) filter (where lead_time_variant = 'headline') as last_planned_appointments,
        sum(last_lead_time_working_days) filter (where lead_time_variant = 'headline')
            as last_planned_working_days_sum,
        count(*) filter (where lead_time_variant = 'cancelled') as cancelled,
        sum(lead_time_working_days) filter (where lead_time_variant = 'cancelled') as cancelled_working_days_sum,
        count(*) filter (where lead_time_variant = 'desk_same_day') as desk_same_day,
        sum(lead_time_working_days) filter (where lead_time_variant = 'desk_same_day')
            as desk_same_day_working_days_sum,
        count(*) filter (where lead_time_reason = 'planned_before_booked') as planned_before_booked,
        count(*) filter (where lead_time_reason = 'outside_calendar') as outside_calendar
    from core.appointments
    where booked_date is not null and not is_walk_in
    group by all
),

dimensions as (
    select distinct
        cluster,
        booking_channel
    from summed
)

select
    periods.period as month,
    dimensions.cluster,
    dimensions.booking_channel,
    coalesce(summed.booked, 0) as booked,
    coalesce(summed.appointments, 0) as appointments,
    coalesce(summed.working_days_sum, 0)::bigint as working_days_sum,
    summed.working_days_sum / nullif(summed.appointments, 0) as mean_working_days,
    coalesce(summed.last_planned_appointments, 0) as last_planned_appointments,
    coalesce(summed.last_planned_working_days_sum, 0)::bigint as last_planned_working_days_sum,
    coalesce(summed.cancelled, 0) as cancelled,
    coalesce(summed.cancelled_working_days_sum, 0)::bigint as cancelled_working_days_sum,
    coalesce(summed.desk_same_day, 0) as desk_same_day,
    coalesce(summed.desk_same_day_working_days_sum, 0)::bigint as desk_same_day_working_days_sum,
    coalesce(summed.planned_before_booked, 0) as planned_before_booked,
    coalesce(summed.outside_calendar, 0) as outside_calendar,
    periods.complete
from staging.periods as periods
cross join dimensions
left join summed
    on
        summed.month = periods.period
        and summed.cluster = dimensions.cluster
        and summed.booking_channel = dimensions.booking_channel
where
    periods.basis = 'bookings'
    and periods.period_type = 'month'
