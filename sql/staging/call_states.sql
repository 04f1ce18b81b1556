-- Every readable call record with the state in which the ledger counts it.
select
    records.file_id,
    records.line,
    case
        -- a replaced file is out of the election
        when records.is_replaced then 'superseded'
        when losers.state is not null then losers.state
        when records.exclusion_rule is not null then 'excluded'
        else 'accepted'
    end as state,
    records.source,
    records.call_source,
    records.file_name,
    records.is_replaced,
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
anti join staging.call_quarantine as quarantine using (file_id, line)
left join staging.call_losers as losers using (file_id, line)
