-- The days that keep a month or year from being complete, and why: one row a day, kind of figure and source.
-- A month is complete when none of its days stands here, a year when all of its months are.
with months as (
    select
        basis,
        unnest(generate_series(period, last_day(period), interval 1 day))::date as date
    from staging.periods
    where period_type = 'month'
)

select
    months.basis as figures,
    months.date,
    days.source,
    coalesce(days.incomplete_reason, 'no_hours') as reason
from months
left join staging.days as days
    on
        days.basis = months.basis
        and days.date = months.date
where
    days.date is null
    or days.incomplete_reason is not null
