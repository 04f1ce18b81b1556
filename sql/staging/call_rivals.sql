-- The readable call records of files that stand which others may have to be weighed against: other versions of the same
-- record, or other records of the same call (`shares_call`). Nearly all records are alone in both ways.
-- What is shared is found by hash, which may find one too many: whatever weighs these weighs a record alone, too.
with hashed as (
    select
        records.file_id,
        records.line,
        hash(records.call_source, records.call_id) as call_hash,
        -- a record without a key is its only version, and so is each of a source whose exports replace dates
        if(
            records.record_key is null or records.replaces_dates,
            hash(records.file_id, records.line), hash(records.source, records.record_key)
        ) as record_hash
    from staging.call_records as records
    anti join staging.call_quarantine as quarantine using (file_id, line)
    where not records.is_replaced
),

shared_records as (
    select record_hash
    from hashed
    group by record_hash
    having count(*) > 1
),

-- told by more than versions of one record
shared_calls as (
    select call_hash
    from hashed
    group by call_hash
    having min(record_hash) <> max(record_hash)
),

rivals as (
    select
        file_id,
        line,
        call_hash in (select shared_calls.call_hash from shared_calls) as shares_call,
        record_hash in (select shared_records.record_hash from shared_records) as shares_record
    from hashed
)

select
    rivals.shares_call,
    records.file_id,
    records.line,
    records.source,
    records.file_name,
    records.exported_at_utc,
    records.call_source,
    records.is_event_log,
    records.replaces_dates,
    records.record_key,
    records.call_id,
    records.leg_id,
    records.queue,
    records.direction,
    records.reported_outcome,
    records.is_answered,
    records.missed_reason,
    records.exclusion_rule,
    records.is_open,
    records.arrived_at_utc,
    records.arrived_local,
    records.is_arrival_ambiguous,
    records.answered_at_utc,
    records.ended_at_utc,
    records.wait_seconds,
    records.queue_wait_seconds,
    records.is_wait_lower_bound,
    records.is_marked_outside_hours,
    records.impossible_duration
from staging.call_records as records
inner join rivals
    on
        rivals.file_id = records.file_id
        and rivals.line = records.line
        and (rivals.shares_call or rivals.shares_record)
