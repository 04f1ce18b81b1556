-- What became of each civil day for each source, up to the newest export: has it data, is it missing, did an export of
-- it fail, was it closed.
with latest as (
    from input.files
    qualify delivery = max(delivery) over (partition by source, file_name)
),

not_in as (
    select
        source,
        export_date as date,
        count(*) as files
    from latest
    where status in ('refused', 'deferred')
    group by source, export_date
),

loaded as (
    select
        source,
        export_date as date,
        count(*) as files
    from input.files
    where status = 'loaded'
    group by source, export_date
),

held as (
    select
        source,
        arrived_date as date,
        count(*) as records
    from core.calls
    group by source, arrived_date
    union all
    select
        source,
        visit_date,
        count(*)
    from core.appointments
    group by source, visit_date
),

-- appointments are booked long before the first day of which visits are known
known as (
    select
        source,
        max(date) as date
    from (
        select
            source,
            basis,
            min(date) as date
        from staging.covered_days
        group by source, basis
    ) as by_basis
    group by source
    union all
    select
        source,
        min(export_date)
    from input.files
    group by source
),

first_days as (
    select
        source,
        min(date) as date
    from known
    group by source
),

-- the last day to tell of: of the newest export that is in, or before there is one, of the newest that is not
newest as (
    select coalesce(any_value(as_of.as_of_local::date), max(files.export_date)) as date
    from staging.as_of as as_of
    left join input.files as files on true
),

dates as (
    select
        sources.source,
        if(sources.kind = 'calls', 'telephone', 'desk') as service_point,
        unnest(
            generate_series(
                greatest(first_days.date, sources.valid_from),
                least(newest.date, sources.valid_to),
                interval 1 day
            )
        )::date as date
    from input.sources as sources
    inner join first_days using (source)
    cross join newest
    -- `greatest` and `least` pass over a date that is not there, and would begin in the year 1 and end in 9999
    where first_days.date is not null and newest.date is not null
),

-- why the figures of a day are not complete, if they are not; of appointments those of visits and of bookings
reasons as (
    select
        source,
        date,
        list(distinct incomplete_reason) filter (where incomplete_reason is not null) as reasons
    from staging.days
    where source is not null
    group by source, date
)

select
    dates.date,
    dates.source,
    case
        when calendar.is_open and reasons.date is not null and coalesce(len(reasons.reasons), 0) = 0 then 'data'
        when not_in.files > 0 then 'failed'
        when not calendar.is_open then 'closed'
        when calendar.date is null then 'no_hours'
        when list_contains(reasons.reasons, 'not_ended') then 'not_ended'
        when list_contains(reasons.reasons, 'no_export') then 'missing'
        else 'partial'
    end as state,
    coalesce(held.records, 0) as records,
    coalesce(loaded.files, 0) as files,
    coalesce(not_in.files, 0) as files_not_in
from dates
left join core.calendar as calendar using (date, service_point)
left join reasons using (date, source)
left join not_in using (date, source)
left join loaded using (date, source)
left join held using (date, source)
