-- Months with open days on which a source that is expected to deliver has no call at all: closed, or an export lost.
-- From the first day of which the source has a call to the last that had closed when the newest export was made.
with first_days as (
    select
        source,
        min(date) as first_date
    from staging.calls_by_log
    group by source
),

open_days as (
    select
        sources.source,
        calendar.date
    from core.calendar as calendar
    cross join staging.as_of as as_of
    inner join input.sources as sources
        on
            sources.kind = 'calls'
            and calendar.date between sources.valid_from and sources.valid_to
    inner join first_days
        on
            first_days.source = sources.source
            and calendar.date >= first_days.first_date
    where
        calendar.service_point = 'telephone'
        and calendar.is_open
        and calendar.closes_local <= as_of.as_of_local
),

judged as (
    select
        open_days.source,
        open_days.date,
        date_trunc('month', open_days.date)::date as month,
        told.date is null as is_empty
    from open_days
    left join staging.calls_by_log as told using (source, date)
)

select
    'open_day_without_calls' as tripwire,
    source,
    month,
    count(*) filter (where is_empty) as affected,
    count(*) as total,
    format(
        'source ''{}'' has no call on {} of the {} open days of {}: {}. '
        || 'Was the telephone closed, or is an export missing?',
        source,
        count(*) filter (where is_empty),
        count(*),
        strftime(month, '%B %Y'),
        string_agg(strftime(date, '%a %-d'), ', ' order by date) filter (where is_empty)
    ) as sentence
from judged
group by source, month
having count(*) filter (where is_empty) > 0
