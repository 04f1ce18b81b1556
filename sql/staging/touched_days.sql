-- The days of which files that are new since the last publication tell something, by what they hold. A file corrects a
-- day if records of it were superseded by this file's, or were in the version of this file that came before.
with fresh as (
    select
        file_id,
        source,
        file_name
    from input.files
    where is_new and status = 'loaded'
),

dated as (
    select
        'calls' as basis,
        file_id,
        line,
        source,
        file_name,
        record_key,
        is_replaced,
        replaces_dates,
        arrived_local::date as date
    from staging.call_records
    where quarantine_reason is null
    union all
    select
        'visits',
        file_id,
        line,
        source,
        file_name,
        record_key,
        is_replaced,
        false,
        coalesce(
            planned_start_local::date, planned_day, checked_in_local::date, started_local::date, booked_local::date
        )
    from staging.appointment_records
    where quarantine_reason is null
    union all
    select
        'bookings',
        file_id,
        line,
        source,
        file_name,
        record_key,
        is_replaced,
        false,
        booked_local::date
    from staging.appointment_records
    where quarantine_reason is null
),

superseded_lines as (
    select
        file_id,
        line
    from staging.call_states
    where state = 'superseded'
    union all
    select
        file_id,
        line
    from staging.appointment_states
    where state = 'superseded'
),

superseded as (
    select dated.*
    from dated
    semi join superseded_lines using (file_id, line)
),

incoming as (
    select dated.*
    from dated
    semi join fresh using (file_id)
),

incoming_dates as (
    select distinct
        basis,
        file_id,
        source,
        date
    from incoming
    where replaces_dates
),

touched as (
    select
        basis,
        file_id,
        date,
        false as is_correction
    from incoming
    union all
    -- the versions that its records took the place of
    select
        superseded.basis,
        incoming.file_id,
        superseded.date,
        true
    from superseded
    inner join incoming
        on
            incoming.basis = superseded.basis
            and incoming.source = superseded.source
            and incoming.record_key = superseded.record_key
            and incoming.file_id <> superseded.file_id
    where not superseded.is_replaced
    union all
    select
        superseded.basis,
        incoming_dates.file_id,
        superseded.date,
        true
    from superseded
    inner join incoming_dates
        on
            incoming_dates.basis = superseded.basis
            and incoming_dates.source = superseded.source
            and incoming_dates.date = superseded.date
            and incoming_dates.file_id <> superseded.file_id
    where not superseded.is_replaced
    union all
    -- and all that the file held when it came before
    select
        superseded.basis,
        fresh.file_id,
        superseded.date,
        true
    from superseded
    inner join fresh using (source, file_name)
    where superseded.is_replaced
)

select
    touched.basis,
    fresh.file_name,
    touched.date,
    bool_or(touched.is_correction) as is_correction
from touched
inner join fresh using (file_id)
where touched.date is not null
group by touched.basis, fresh.file_name, touched.date
