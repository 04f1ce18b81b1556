-- Indicator I4 and its variants: mean minutes beyond the planned start, and the share that was served early.
with sums as (
    select
        period_types.period_type,
        date_trunc(period_types.period_type, monthly.month)::date as period,
        dimensions.dimension_type,
        if(dimensions.dimension_type = 'all', 'all', monthly.cluster) as dimension,
        sum(monthly.wait_seconds_sum) / 60 as wait_minutes_sum,
        sum(monthly.visits) as visits,
        sum(monthly.arrival_based_wait_seconds_sum) / 60 as arrival_based_wait_minutes_sum,
        sum(monthly.arrival_based_visits) as arrival_based_visits,
        sum(monthly.served_early) as served_early
    from marts.visitor_wait_monthly as monthly
    cross join (values ('month'), ('year')) as period_types (period_type)
    cross join (values ('all'), ('cluster')) as dimensions (dimension_type)
    group by all
),

variants as (
    select
        *,
        'headline' as variant,
        'minutes' as unit,
        wait_minutes_sum as numerator,
        visits as denominator
    from sums
    union all
    select
        *,
        'arrival_based',
        'minutes',
        arrival_based_wait_minutes_sum,
        arrival_based_visits
    from sums
    union all
    select
        *,
        'served_early',
        'percent',
        served_early,
        visits
    from sums
)

select
    'visitor_wait' as indicator,
    variant,
    period_type,
    period,
    dimension_type,
    dimension,
    numerator::decimal(18, 6) as numerator,
    denominator::decimal(18, 6) as denominator,
    unit,
    if(variant = 'arrival_based', 'no_check_ins', 'no_visits') as reason_if_none,
    false as is_lower_bound,
    'visits' as basis
from variants
