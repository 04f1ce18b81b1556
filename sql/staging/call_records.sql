-- Every call record of every file that was read, with the local time of its arrival and the key of its call.
-- A source without ids gets a key from the file's content and the line, which no second record can have.
select
    records.file_id,
    records.line,
    files.source,
    files.file_name,
    files.exported_at_utc,
    files.status = 'replaced' as is_replaced,
    coalesce(sources.legs_of, files.source) as call_source,
    sources.is_event_log,
    sources.replaces_dates,
    records.record_key,
    coalesce(records.call_id, format('{}:{}', left(files.sha256, 16), records.line)) as call_id,
    records.leg_id,
    records.queue,
    records.direction,
    records.reported_outcome,
    records.is_answered,
    records.missed_reason,
    records.exclusion_rule,
    records.is_open,
    records.arrived_at_utc,
    records.arrived_at_utc + to_minutes(
        if(
            records.arrived_at_utc >= utc_days.switch_at_utc,
            utc_days.offset_after_minutes, utc_days.offset_minutes
        )
    ) as arrived_local,
    records.is_arrival_ambiguous,
    records.answered_at_utc,
    records.ended_at_utc,
    records.wait_seconds,
    records.queue_wait_seconds,
    records.is_wait_lower_bound,
    records.is_marked_outside_hours,
    records.impossible_duration,
    records.quarantine_column,
    records.quarantine_reason,
    records.quarantine_pattern
from input.call_records as records
inner join input.files as files using (file_id)
inner join input.sources as sources using (source)
left join input.utc_days as utc_days on utc_days.utc_date = records.arrived_at_utc::date
