-- One row a citizen call: what its records come to, weighed against each other, or what its only record tells.
-- Source: rules in docs/indicators.md, "Calls".
-- a record that is its call's only one comes to what staging.weighed_calls would make of it, where there is nothing to
-- weigh it against. Nine calls in ten are such, and each would cost six times as much there.
with alone as (
    select
        states.call_source as source,
        states.call_id,
        1 as records,
        1 as legs,
        if(states.reported_outcome = 'missed', 1, 0) as legs_reported_missed,
        states.queue,
        states.file_name,
        states.line,
        states.direction,
        states.arrived_at_utc,
        states.arrived_local,
        states.is_arrival_ambiguous,
        states.exclusion_rule,
        states.is_answered,
        if(states.is_event_log, null, states.is_open) as is_open_by_legs,
        not states.is_answered and (states.is_open or states.reported_outcome = 'other') as is_open_by_events,
        states.ended_at_utc,
        states.is_marked_outside_hours,
        coalesce(states.reported_outcome, 'other') as reported_outcome,
        states.answered_at_utc,
        states.impossible_duration,
        states.missed_reason,
        states.is_wait_lower_bound,
        states.wait_seconds,
        states.queue_wait_seconds
    from staging.call_states as states
    anti join staging.call_legs as legs using (file_id, line)
    where
        states.state in ('accepted', 'excluded')
        and states.exclusion_rule is distinct from 'no_call'
)

select
    source,
    call_id,
    records,
    legs,
    legs_reported_missed,
    queue,
    file_name,
    line,
    direction,
    arrived_at_utc,
    arrived_local,
    is_arrival_ambiguous,
    exclusion_rule,
    is_answered,
    is_open_by_legs,
    is_open_by_events,
    ended_at_utc,
    is_marked_outside_hours,
    reported_outcome,
    answered_at_utc,
    impossible_duration,
    missed_reason,
    is_wait_lower_bound,
    wait_seconds,
    queue_wait_seconds
from (
    from staging.weighed_calls
    union all by name
    from alone
) as told
