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

-- of all records only those that can matter: of the files that are new, and those that gave way to others
dated as (
    select
        'calls' as basis,
        file_id,
        source,
        file_name,
        record_key,
        is_replaced,
        replaces_dates,
        state,
        arrived_local::date as date
    from staging.call_states
    where state = 'superseded' or file_id in (select fresh.file_id from fresh)
    union all
    select
        bases.basis,
        records.file_id,
        records.source,
        records.file_name,
        records.record_key,
        records.is_replaced,
        false,
        states.state,
        if(
            bases.basis = 'visits',
            coalesce(
                records.planned_start_local::date,
                records.planned_day,
                records.checked_in_local::date,
                records.started_local::date,
                records.booked_local::date
            ),
            records.booked_local::date
        )
    from staging.appointment_records as records
    inner join staging.appointment_states as states using (file_id, line)
    cross join (values ('visits'), ('bookings')) as bases (basis)
    where states.state = 'superseded' or records.file_id in (select fresh.file_id from fresh)
),

incoming as (
    select
        *,
        state in ('accepted', 'excluded') as wins
    from dated
    semi join fresh using (file_id)
),

-- what was published before and is not any more
superseded as (
    select * from dated
    anti join fresh using (file_id)
    where state = 'superseded'
),

ranges as (
    select
        basis,
        file_id,
        source,
        min(date) as first_date,
        max(date) as last_date
    from incoming
    where replaces_dates
    group by all
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
            and incoming.wins
    where not superseded.is_replaced
    union all
    -- the days that it replaced
    select
        superseded.basis,
        ranges.file_id,
        superseded.date,
        true
    from superseded
    inner join ranges
        on
            ranges.basis = superseded.basis
            and ranges.source = superseded.source
            and superseded.date between ranges.first_date and ranges.last_date
    where superseded.replaces_dates and not superseded.is_replaced
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
