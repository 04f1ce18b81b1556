-- Months with holidays on which the city is open, from the first with a record to a month after the newest export.
with first_days as (
    select min(period) as first_date from staging.periods
    where period_type = 'month'
),

holidays as (
    select
        holidays.date,
        date_trunc('month', holidays.date)::date as month,
        open_holidays.sentence
    from input.holidays as holidays
    cross join staging.as_of as as_of
    inner join first_days on first_days.first_date <= holidays.date
    left join staging.open_holidays as open_holidays on open_holidays.date = holidays.date
    where holidays.date <= as_of.as_of_local::date + 31
)

select
    'open_on_holiday' as tripwire,
    'calendar' as source,
    month,
    count(sentence) as affected,
    count(*) as total,
    string_agg(sentence, ' ' order by date) as sentence
from holidays
group by month
having count(sentence) > 0
