-- Every figure that came out otherwise after its period was published as complete: what it was and is, when and why.
-- Published figures are compared from one publication to the next; what earlier ones restated stays as it was told.
with restated as (
    select * from input.restatements
    union all by name
    select * from staging.restated
)

select
    version,
    restated_at_utc,
    indicator,
    variant,
    period_type,
    period,
    dimension_type,
    dimension,
    old_value,
    new_value,
    unit,
    old_numerator,
    old_denominator,
    new_numerator,
    new_denominator,
    why
from restated
