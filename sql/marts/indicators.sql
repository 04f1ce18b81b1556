-- Every indicator, variant, period and dimension in one long table, with its norm where the action plan sets one.
-- value = numerator / denominator, in percent for shares; the norm is held against the exact quotient.
with figures as (
    select * from staging.values_missed_calls
    union all by name
    select * from staging.values_telephone_wait
    union all by name
    select * from staging.values_answer_speed
    union all by name
    select * from staging.values_visitor_wait
    union all by name
    select * from staging.values_lead_time
),

normed as (
    select
        figures.*,
        norms.operator as norm_operator,
        norms.value as norm_value,
        if(figures.unit = 'percent', 100, 1) * figures.numerator as scaled_numerator,
        norms.value * figures.denominator as norm_times_denominator
    from figures
    left join core.norms as norms
        on
            norms.indicator = figures.indicator
            and norms.variant = figures.variant
            and norms.period_type = figures.period_type
            and norms.dimension_type = figures.dimension_type
            and norms.dimension = figures.dimension
            -- the norm of the period's last day
            and last_day(figures.period + if(figures.period_type = 'year', interval 11 month, interval 0 month))
            between norms.valid_from and norms.valid_to
)

select
    normed.indicator,
    normed.variant,
    normed.period_type,
    normed.period,
    normed.dimension_type,
    normed.dimension,
    normed.scaled_numerator / nullif(normed.denominator, 0) as value,
    normed.unit,
    normed.numerator,
    normed.denominator,
    if(coalesce(normed.denominator, 0) = 0, normed.reason_if_none, null) as value_reason,
    normed.is_lower_bound,
    normed.norm_operator,
    normed.norm_value,
    case
        when coalesce(normed.denominator, 0) = 0 then null
        when normed.norm_operator = '<' then normed.scaled_numerator < normed.norm_times_denominator
        when normed.norm_operator = '<=' then normed.scaled_numerator <= normed.norm_times_denominator
        when normed.norm_operator = '>=' then normed.scaled_numerator >= normed.norm_times_denominator
    end as norm_met,
    periods.complete
from normed
inner join staging.periods as periods
    on
        periods.basis = normed.basis
        and periods.period_type = normed.period_type
        and periods.period = normed.period
