-- How many more calls a period may hold inside opening hours, for the bounds of the missed share: calls still open, and
-- quarantined records. Rather too many than too few: what can't be dated counts in every period that its file tells of.
with newest as (
    -- of a record that was delivered again only the newest version is in doubt
    select * from staging.call_records
    where not is_replaced
    qualify
        record_key is null
        or row_number() over (
            partition by source, record_key
            order by exported_at_utc desc, file_name desc, line desc
        ) = 1
),

quarantined as (
    select newest.*
    from newest
    semi join staging.call_quarantine as quarantine using (file_id, line)
    where newest.exclusion_rule is null
),

dates_of_files as (
    select distinct
        file_id,
        arrived_local::date as date
    from staging.call_records
    where quarantine_reason is null
),

doubtful as (
    select
        quarantined.file_id,
        quarantined.line,
        quarantined.arrived_local::date as date
    from quarantined
    left join staging.day_segments as segments
        on
            segments.service_point = 'telephone'
            and segments.date = quarantined.arrived_local::date
            and quarantined.arrived_local >= segments.starts_local
            and quarantined.arrived_local < segments.ends_local
    where quarantined.arrived_local is not null and coalesce(segments.is_open, true)
    union all
    select
        quarantined.file_id,
        quarantined.line,
        coalesce(dates_of_files.date, files.export_date)
    from quarantined
    inner join input.files as files using (file_id)
    left join dates_of_files using (file_id)
    where quarantined.arrived_local is null
),

undecided as (
    select
        period_types.period_type,
        date_trunc(period_types.period_type, doubtful.date)::date as period,
        count(distinct format('{}:{}', doubtful.file_id, doubtful.line)) as calls
    from doubtful
    cross join (values ('month'), ('year')) as period_types (period_type)
    group by all
    union all
    select
        period_types.period_type,
        date_trunc(period_types.period_type, calls.arrived_date)::date,
        count(*)
    from core.calls as calls
    cross join (values ('month'), ('year')) as period_types (period_type)
    where calls.outcome = 'open' and calls.is_within_opening_hours
    group by all
)

select
    period_type,
    period,
    sum(calls)::bigint as calls
from undecided
group by period_type, period
