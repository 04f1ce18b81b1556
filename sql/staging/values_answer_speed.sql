-- Indicator I3 and its variants: answered calls in % by speed bucket. Calls without a usable wait are outside the
-- shares: the `unknown` bucket has a count and no value.
with sums as (
    select
        period_types.period_type,
        date_trunc(period_types.period_type, speed.month)::date as period,
        speed.speed_bucket,
        sum(speed.answered) as answered,
        sum(speed.all_answered) as all_answered,
        sum(speed.offered_total) as offered
    from marts.answer_speed_monthly as speed
    cross join (values ('month'), ('year')) as period_types (period_type)
    group by all
),

wholes as (
    select
        *,
        sum(answered) filter (where speed_bucket <> 'unknown') over (partition by period_type, period)
            as answered_total,
        sum(all_answered) filter (where speed_bucket <> 'unknown') over (partition by period_type, period)
            as all_answered_total
    from sums
),

variants as (
    select
        *,
        'headline' as variant,
        answered as numerator,
        answered_total as denominator
    from wholes
    union all
    select
        *,
        'all_answered',
        all_answered,
        all_answered_total
    from wholes
    union all
    select
        *,
        'of_offered',
        answered,
        offered
    from wholes
),

lower_bounds as (
    select
        period_types.period_type,
        date_trunc(period_types.period_type, monthly.month)::date as period,
        sum(monthly.lower_bound_waits) > 0 as has_lower_bounds,
        sum(monthly.all_lower_bound_waits) > 0 as all_has_lower_bounds
    from marts.telephone_wait_monthly as monthly
    cross join (values ('month'), ('year')) as period_types (period_type)
    group by all
)

select
    'answer_speed' as indicator,
    variants.variant,
    variants.period_type,
    variants.period,
    'speed_bucket' as dimension_type,
    variants.speed_bucket as dimension,
    variants.numerator::decimal(18, 6) as numerator,
    if(variants.speed_bucket = 'unknown', null, variants.denominator)::decimal(18, 6) as denominator,
    'percent' as unit,
    case
        when variants.speed_bucket = 'unknown' then 'outside_the_shares'
        when variants.variant = 'of_offered' then 'no_calls'
        else 'no_answered_calls'
    end as reason_if_none,
    if(variants.variant = 'all_answered', lower_bounds.all_has_lower_bounds, lower_bounds.has_lower_bounds)
        as is_lower_bound,
    'calls' as basis
from variants
inner join lower_bounds using (period_type, period)
