-- The months and years of each kind of figure, and whether they are complete: every day of them is.
with dated as (
    select
        'calls' as basis,
        arrived_date as date
    from core.calls
    union
    select
        'visits' as basis,
        visit_date
    from core.appointments
    union
    select
        'bookings' as basis,
        booked_date
    from core.appointments
),

first_months as (
    select
        dated.basis,
        date_trunc('month', greatest(min(dated.date), any_value(as_of.first_date))) as first_month,
        date_trunc('month', any_value(as_of.as_of_local)) as last_month
    from dated
    cross join staging.as_of as as_of
    where dated.date is not null
    group by dated.basis
),

-- every month from the first record to the newest export, and any other month that has a record
months as (
    select
        basis,
        unnest(generate_series(first_month, last_month, interval 1 month))::date as month
    from first_months
    union
    select
        basis,
        date_trunc('month', date)::date
    from dated
    where date is not null
),

periods as (
    select
        basis,
        'month' as period_type,
        month as period,
        month + interval 1 month as ends_local
    from months
    union
    select
        basis,
        'year',
        date_trunc('year', month)::date,
        date_trunc('year', month) + interval 1 year
    from months
)

select
    periods.basis,
    periods.period_type,
    periods.period,
    -- a day without declared hours is never complete: nobody knows whether it was open
    date_diff('day', periods.period, any_value(periods.ends_local)) = count(days.date) as complete
from periods
left join staging.complete_days as days
    on
        days.basis = periods.basis
        and days.date >= periods.period
        and days.date < periods.ends_local
group by periods.basis, periods.period_type, periods.period
