-- Indicator I1 and its variants: missed calls in % of the calls offered within opening hours.
with sums as (
    select
        period_types.period_type,
        date_trunc(period_types.period_type, monthly.month)::date as period,
        dimensions.dimension_type,
        if(dimensions.dimension_type = 'all', 'all', monthly.queue) as dimension,
        sum(monthly.missed) as missed,
        sum(monthly.offered) as offered,
        sum(monthly.missed_short_abandons) as missed_short_abandons,
        sum(monthly.reported_missed) as reported_missed,
        sum(monthly.reported_records) as reported_records
    from marts.missed_calls_monthly as monthly
    cross join (values ('month'), ('year')) as period_types (period_type)
    cross join (values ('all'), ('queue')) as dimensions (dimension_type)
    group by all
),

variants as (
    select
        *,
        'headline' as variant,
        missed as numerator,
        offered as denominator
    from sums
    union all
    select
        *,
        'reported',
        reported_missed,
        reported_records
    from sums
    union all
    select
        *,
        'without_short_abandons',
        missed - missed_short_abandons,
        offered - missed_short_abandons
    from sums
)

select
    'missed_calls' as indicator,
    variant,
    period_type,
    period,
    dimension_type,
    dimension,
    numerator::decimal(18, 6) as numerator,
    denominator::decimal(18, 6) as denominator,
    'percent' as unit,
    'no_calls' as reason_if_none,
    false as is_lower_bound,
    'calls' as basis
from variants
