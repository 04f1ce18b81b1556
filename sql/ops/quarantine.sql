-- Records that can't be read: where they stand and why, with the shape of the value and never its characters.
with quarantined as (
    select
        file_id,
        line,
        column_name,
        reason,
        pattern
    from staging.call_quarantine
    union all
    select
        file_id,
        line,
        quarantine_column,
        quarantine_reason,
        quarantine_pattern
    from staging.appointment_records
    where quarantine_reason is not null
)

select
    files.source,
    files.file_name,
    files.sha256,
    quarantined.line,
    quarantined.column_name,
    quarantined.reason,
    quarantined.pattern
from quarantined
inner join input.files as files using (file_id)
