-- What was promised for each indicator, with the span in which it holds: until the next norm for the same thing.
select
    indicator,
    variant,
    period_type,
    dimension_type,
    dimension,
    operator,
    value,
    valid_from,
    coalesce(
        lead(valid_from) over (
            partition by indicator, variant, period_type, dimension_type, dimension
            order by valid_from
        ) - 1,
        date '9999-12-31'
    ) as valid_to,
    source
from input.norms
