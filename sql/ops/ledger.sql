-- Every version of every export file, and the one state in which each of its records is counted.
with states as (
    select
        file_id,
        state
    from staging.call_states
    union all
    select
        file_id,
        state
    from staging.appointment_states
    union all
    select
        file_id,
        'quarantined'
    from staging.call_quarantine
    union all
    select
        file_id,
        'quarantined'
    from staging.appointment_records
    where quarantine_reason is not null
),

counted as (
    select
        file_id,
        count(*) filter (where state = 'accepted') as accepted,
        count(*) filter (where state = 'excluded') as excluded,
        count(*) filter (where state = 'duplicate') as duplicates,
        count(*) filter (where state = 'superseded') as superseded,
        count(*) filter (where state = 'quarantined') as quarantined
    from states
    group by file_id
),

-- counted apart from the states, so that the sum can be held against it
handed_in as (
    select
        file_id,
        count(*) as records
    from input.call_records
    group by file_id
    union all
    select
        file_id,
        count(*)
    from input.appointment_records
    group by file_id
)

select
    files.source,
    files.file_name,
    files.sha256,
    files.export_date,
    files.exported_at_utc,
    files.delivery,
    files.status,
    files.reason,
    coalesce(handed_in.records, 0) as records,
    coalesce(counted.accepted, 0) as accepted,
    coalesce(counted.excluded, 0) as excluded,
    coalesce(counted.duplicates, 0) as duplicates,
    coalesce(counted.superseded, 0) as superseded,
    coalesce(counted.quarantined, 0) as quarantined,
    files.unread_records
from input.files as files
left join handed_in using (file_id)
left join counted using (file_id)
