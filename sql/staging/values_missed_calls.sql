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

-- calls still open and records in quarantine, of which nobody knows whether they were answered
bounded as (
    select
        sums.*,
        coalesce(uncertain.undecided, 0) as undecided,
        coalesce(uncertain.missed, 0) as doubtful_missed,
        coalesce(uncertain.answered, 0) as doubtful_answered
    from sums
    left join staging.uncertain_calls as uncertain using (period_type, period)
),

variants as (
    select
        *,
        'headline' as variant,
        missed as numerator,
        offered as denominator
    from bounded
    union all
    select
        *,
        'reported',
        reported_missed,
        reported_records
    from bounded
    union all
    select
        *,
        'without_short_abandons',
        missed - missed_short_abandons,
        offered - missed_short_abandons
    from bounded
    union all
    -- if all that is uncertain was answered
    select
        *,
        'lowest_possible',
        missed - doubtful_missed,
        offered + undecided
    from bounded
    where dimension_type = 'all'
    union all
    -- if all that is uncertain was missed
    select
        *,
        'highest_possible',
        missed + doubtful_answered + undecided,
        offered + undecided
    from bounded
    where dimension_type = 'all'
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
