-- Indicator I5 and its variants: mean working days from booking to the planned day.
with sums as (
    select
        period_types.period_type,
        date_trunc(period_types.period_type, monthly.month)::date as period,
        dimensions.dimension_type,
        case dimensions.dimension_type
            when 'all' then 'all'
            when 'cluster' then monthly.cluster
            else monthly.booking_channel
        end as dimension,
        sum(monthly.working_days_sum) as working_days_sum,
        sum(monthly.appointments) as appointments,
        sum(monthly.last_planned_working_days_sum) as last_planned_working_days_sum,
        sum(monthly.last_planned_appointments) as last_planned_appointments,
        sum(monthly.cancelled_working_days_sum) as cancelled_working_days_sum,
        sum(monthly.cancelled) as cancelled,
        sum(monthly.desk_same_day_working_days_sum) as desk_same_day_working_days_sum,
        sum(monthly.desk_same_day) as desk_same_day
    from marts.appointment_lead_time_monthly as monthly
    cross join (values ('month'), ('year')) as period_types (period_type)
    cross join (values ('all'), ('cluster'), ('booking_channel')) as dimensions (dimension_type)
    group by all
),

variants as (
    select
        *,
        'headline' as variant,
        working_days_sum as numerator,
        appointments as denominator
    from sums
    union all
    select
        *,
        'last_planned',
        last_planned_working_days_sum,
        last_planned_appointments
    from sums
    union all
    select
        *,
        'cancelled',
        cancelled_working_days_sum,
        cancelled
    from sums
    union all
    select
        *,
        'desk_same_day',
        desk_same_day_working_days_sum,
        desk_same_day
    from sums
)

select
    'lead_time' as indicator,
    variant,
    period_type,
    period,
    dimension_type,
    dimension,
    numerator::decimal(18, 6) as numerator,
    denominator::decimal(18, 6) as denominator,
    'working_days' as unit,
    'no_appointments' as reason_if_none,
    false as is_lower_bound,
    'bookings' as basis
from variants
