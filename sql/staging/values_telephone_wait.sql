-- Indicator I2 and its variants: mean wait from dialling in until a person answers, answered calls only.
-- `action_plan` is the headline again, held against the wording of the action plan ("tot 45 seconden").
with sums as (
    select
        period_types.period_type,
        date_trunc(period_types.period_type, monthly.month)::date as period,
        dimensions.dimension_type,
        if(dimensions.dimension_type = 'all', 'all', monthly.queue) as dimension,
        sum(monthly.wait_seconds_sum) as wait_seconds_sum,
        sum(monthly.waits) as waits,
        sum(monthly.queue_wait_seconds_sum) as queue_wait_seconds_sum,
        sum(monthly.queue_waits) as queue_waits,
        sum(monthly.all_wait_seconds_sum) as all_wait_seconds_sum,
        sum(monthly.all_waits) as all_waits,
        sum(monthly.lower_bound_waits) > 0 as has_lower_bounds,
        sum(monthly.all_lower_bound_waits) > 0 as all_has_lower_bounds
    from marts.telephone_wait_monthly as monthly
    cross join (values ('month'), ('year')) as period_types (period_type)
    cross join (values ('all'), ('queue')) as dimensions (dimension_type)
    group by all
),

variants as (
    select
        *,
        'headline' as variant,
        wait_seconds_sum as numerator,
        waits as denominator
    from sums
    union all
    select
        *,
        'action_plan',
        wait_seconds_sum,
        waits
    from sums
    union all
    select
        *,
        'all_answered',
        all_wait_seconds_sum,
        all_waits
    from sums
    union all
    select
        *,
        'queue_wait',
        queue_wait_seconds_sum,
        queue_waits
    from sums
)

select
    'telephone_wait' as indicator,
    variant,
    period_type,
    period,
    dimension_type,
    dimension,
    numerator::decimal(18, 6) as numerator,
    denominator::decimal(18, 6) as denominator,
    'seconds' as unit,
    'no_answered_calls' as reason_if_none,
    case variant
        when 'queue_wait' then false
        when 'all_answered' then all_has_lower_bounds
        else has_lower_bounds
    end as is_lower_bound,
    'calls' as basis
from variants
