-- Months with days of which an export holds far fewer calls than an older one had, or none: cut off, or filtered.
-- An export is asked for the days after its first, which may be part of a day, to its last, or for its only day; one
-- that came again under its name for all that it held before.
with held as (
    select
        file_id,
        source,
        file_name,
        exported_at_utc,
        is_replaced,
        arrived_local::date as date,
        count(*) as calls
    from staging.call_records
    where arrived_local is not null
    group by all
),

spans as (
    select
        file_id,
        source,
        file_name,
        exported_at_utc,
        min(date) as first_date,
        max(date) as last_date
    from held
    where not is_replaced
    group by all
),

older as (
    select
        spans.file_id,
        held.date,
        held.calls
    from spans
    inner join held
        on
            held.source = spans.source
            and not held.is_replaced
            and held.exported_at_utc < spans.exported_at_utc
            and held.date <= spans.last_date
            and (held.date > spans.first_date or held.date = spans.last_date)
    union all
    select
        files.file_id,
        held.date,
        held.calls
    from input.files as files
    inner join held
        on
            held.source = files.source
            and held.file_name = files.file_name
            and held.is_replaced
    where files.status = 'loaded'
),

compared as (
    select
        files.file_id,
        files.source,
        files.file_name,
        older.date,
        max(older.calls) as calls_before
    from older
    inner join input.files as files using (file_id)
    group by all
),

judged as (
    select
        compared.source,
        compared.file_name,
        compared.date,
        compared.calls_before,
        date_trunc('month', compared.date)::date as month,
        coalesce(held.calls, 0) as calls,
        coalesce(held.calls, 0) < tripwires.partial_export_share * compared.calls_before as is_partial
    from compared
    left join held using (file_id, date)
    cross join input.tripwires as tripwires
    where compared.calls_before >= tripwires.partial_export_calls
)

select
    'partial_export' as tripwire,
    source,
    month,
    count(*) filter (where is_partial) as affected,
    count(*) as total,
    format(
        'source ''{}'', {}: {}. Was an export cut off or filtered?',
        source,
        strftime(month, '%B %Y'),
        string_agg(
            format(
                '{} holds {} calls of {}, of which an older export had {}',
                file_name, calls, strftime(date, '%a %-d'), calls_before
            ),
            '; ' order by date, file_name
        ) filter (where is_partial)
    ) as sentence
from judged
group by source, month
having count(*) filter (where is_partial) > 0
