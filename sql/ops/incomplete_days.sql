-- The days that keep a month or year from being complete, and why: one row a day, kind of figure and source.
-- A month or year is complete when none of its days stands here; of a running year, months to come are left out.
with dated as (
    select
        basis,
        period_type,
        unnest(
            generate_series(
                period, period + if(period_type = 'year', interval 1 year, interval 1 month) - interval 1 day,
                interval 1 day
            )
        )::date as date
    from staging.periods
),

dates as (
    select distinct
        dated.basis,
        dated.date,
        coalesce(dated.date + interval 1 day <= as_of.as_of_local, false) as is_ended
    from dated
    cross join staging.as_of as as_of
    where dated.period_type = 'month' or dated.date <= as_of.as_of_local
)

select
    dates.basis as figures,
    dates.date,
    days.source,
    -- the calendar ends some time after the newest export
    coalesce(days.incomplete_reason, if(dates.is_ended, 'no_hours', 'not_ended')) as reason
from dates
left join staging.days as days
    on
        days.basis = dates.basis
        and days.date = dates.date
where
    days.date is null
    or days.incomplete_reason is not null
