-- Months with days of which an export holds far fewer calls than an older one had: cut off, or filtered.
-- An export is asked for the days between its first and its last, of which it should hold all, or for its only day.
with held as (
    select
        file_id,
        source,
        file_name,
        exported_at_utc,
        arrived_local::date as date,
        count(*) as calls
    from staging.call_records
    where arrived_local is not null and not is_replaced
    group by all
),

spanned as (
    select
        *,
        min(date) over of_file as first_date,
        max(date) over of_file as last_date,
        max(calls) over (
            partition by source, date
            order by exported_at_utc, file_name
            rows between unbounded preceding and 1 preceding
        ) as calls_before
    from held
    window of_file as (partition by file_id)
),

judged as (
    select
        spanned.*,
        date_trunc('month', spanned.date)::date as month,
        spanned.calls_before >= tripwires.partial_export_calls
        and spanned.calls < tripwires.partial_export_share * spanned.calls_before as is_partial
    from spanned
    cross join input.tripwires as tripwires
    where
        spanned.calls_before is not null
        and (spanned.first_date = spanned.last_date or spanned.date not in (spanned.first_date, spanned.last_date))
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
