-- What a missed share may hide, for its bounds: calls still open, and records in quarantine. `undecided` are in no
-- figure; `missed` and `answered` are, by an older version or another leg, while this one can't be read. Rather too
-- many than too few: what can't be dated counts in every period that its file tells of.
with in_quarantine as (
    select records.*
    from staging.call_records as records
    semi join staging.call_quarantine as quarantine using (file_id, line)
    where not records.is_replaced
),

-- of a record that was delivered again only the newest version is in doubt
delivered_again as (
    select
        records.file_id,
        records.line
    from staging.call_records as records
    semi join in_quarantine using (source, record_key)
    where not records.is_replaced
    qualify row_number() over (
        partition by records.source, records.record_key
        order by records.exported_at_utc desc, records.file_name desc, records.line desc
    ) > 1
),

quarantined as (
    select * from in_quarantine
    anti join delivered_again using (file_id, line)
    where exclusion_rule is null
),

-- the call of which a readable record stands: an older version of this one, or another leg
known as (
    select
        quarantined.file_id,
        quarantined.line,
        calls.source,
        calls.call_id,
        calls.outcome,
        calls.arrived_date as date
    from quarantined
    inner join core.calls as calls
        on
            calls.source = quarantined.call_source
            and calls.call_id = quarantined.call_id
),

unknown as (
    select quarantined.*
    from quarantined
    anti join known using (file_id, line)
),

dates_of_files as (
    select distinct
        file_id,
        arrived_local::date as date
    from staging.call_records
    where quarantine_reason is null
),

dated as (
    select
        unknown.*,
        unknown.arrived_local::date as date
    from unknown
    left join staging.day_segments as segments
        on
            segments.service_point = 'telephone'
            and segments.date = unknown.arrived_local::date
            and unknown.arrived_local >= segments.starts_local
            and unknown.arrived_local < segments.ends_local
    where unknown.arrived_local is not null and coalesce(segments.is_open, true)
    union all
    select
        unknown.*,
        coalesce(dates_of_files.date, files.export_date) as date
    from unknown
    inner join input.files as files using (file_id)
    left join dates_of_files using (file_id)
    where unknown.arrived_local is null
),

-- of a source whose exports replace their range of dates, what a newer one replaced is in doubt no more
replaced_ranges as (
    select
        records.source,
        records.file_name,
        records.exported_at_utc,
        min(dates_of_files.date) as first_date,
        max(dates_of_files.date) as last_date
    from (
        select distinct
            file_id,
            source,
            file_name,
            exported_at_utc
        from staging.call_records
        where replaces_dates and not is_replaced
    ) as records
    inner join dates_of_files using (file_id)
    group by records.source, records.file_name, records.exported_at_utc
),

doubtful as (
    select
        dated.date,
        format('{}:{}', dated.file_id, dated.line) as name,
        'undecided' as kind
    from dated
    anti join replaced_ranges as newer
        on
            newer.source = dated.source
            and dated.date between newer.first_date and newer.last_date
            and (newer.exported_at_utc, newer.file_name) > (dated.exported_at_utc, dated.file_name)
    union all
    select
        calls.arrived_date,
        format('{}:{}', calls.source, calls.call_id),
        'undecided'
    from core.calls as calls
    where calls.outcome = 'open' and calls.is_within_opening_hours
    union all
    select
        known.date,
        format('{}:{}', known.source, known.call_id),
        known.outcome
    from known
    where known.outcome in ('missed', 'answered')
)

select
    period_types.period_type,
    date_trunc(period_types.period_type, doubtful.date)::date as period,
    count(distinct doubtful.name) filter (where doubtful.kind = 'undecided') as undecided,
    count(distinct doubtful.name) filter (where doubtful.kind = 'missed') as missed,
    count(distinct doubtful.name) filter (where doubtful.kind = 'answered') as answered
from doubtful
cross join (values ('month'), ('year')) as period_types (period_type)
group by all
