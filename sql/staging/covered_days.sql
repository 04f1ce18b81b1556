-- The days that exports vouch for, by what they hold: calls that arrived, visits planned, appointments booked.
-- A file vouches for a day if it has a readable record of that day (of a call: while the telephone was open), or if its
-- source declares how many days each export holds. `exported_at_utc` is when the newest such export was made.
with held as (
    -- inside opening hours: a lone call of the evening before says nothing of that day
    select
        'calls' as basis,
        records.file_id,
        records.arrived_local::date as date
    from staging.call_records as records
    inner join staging.day_segments as segments
        on
            segments.service_point = 'telephone'
            and segments.date = records.arrived_local::date
            and records.arrived_local >= segments.starts_local
            and records.arrived_local < segments.ends_local
            and segments.is_open
    where records.quarantine_reason is null and not records.is_replaced
    union
    select
        'visits' as basis,
        records.file_id,
        coalesce(
            records.planned_start_local::date,
            records.planned_day,
            -- a log of visits knows no plan
            if(records.appointment_source <> records.source, records.checked_in_local::date, null),
            if(records.appointment_source <> records.source, records.started_local::date, null)
        ) as date
    from staging.appointment_records as records
    inner join input.sources as sources on sources.source = records.source and sources.covers_planned
    where records.quarantine_reason is null and not records.is_replaced
    union
    select
        'bookings' as basis,
        records.file_id,
        records.booked_local::date as date
    from staging.appointment_records as records
    inner join input.sources as sources on sources.source = records.source and sources.covers_booked
    where records.quarantine_reason is null and not records.is_replaced
    union
    select
        bases.basis,
        files.file_id,
        unnest(
            generate_series(files.export_date - (sources.covers_days - 1)::int, files.export_date, interval 1 day)
        )::date as date
    from input.files as files
    inner join input.sources as sources using (source)
    inner join
        (values ('calls', 'calls'), ('appointments', 'visits'), ('appointments', 'bookings')) as bases (kind, basis)
        on
            bases.kind = files.kind
            and (bases.basis <> 'visits' or sources.covers_planned)
            and (bases.basis <> 'bookings' or sources.covers_booked)
    where files.status = 'loaded' and sources.covers_days is not null
)

select
    held.basis,
    files.source,
    held.date,
    max(files.exported_at_utc) as exported_at_utc
from held
inner join input.files as files using (file_id)
where held.date is not null
group by held.basis, files.source, held.date
