-- Every record of a call that has several, weighed against the others: which of two logs counts, whether a person
-- answered, whether the call is excluded, whether an event ended it.
with records as (
    select
        * exclude (source),
        call_source as source,
        exclusion_rule is not null as is_left_out,
        source <> call_source as is_of_second_log,
        -- a second log adds what it knows, but where the call's own log tells of it the software counts that one
        bool_or(source = call_source) over (partition by call_source, call_id) and source <> call_source as is_beside,
        -- an event that is no leg of its own: the call entered a queue, an agent's telephone rang in vain
        is_event_log and reported_outcome = 'other' as is_step,
        is_event_log and not is_open and (is_answered or reported_outcome <> 'other') as is_exit,
        coalesce(ended_at_utc, answered_at_utc, arrived_at_utc) as happened_at_utc
    from staging.call_rivals
    anti join staging.call_losers using (file_id, line)
    where
        shares_call
        -- an agent logged in, a queue started
        and exclusion_rule is distinct from 'no_call'
),

entered as (
    select
        *,
        max(arrived_at_utc) filter (where is_open) over (partition by source, call_id) as last_entered_at_utc,
        max_by(queue, arrived_at_utc) filter (where is_open) over (partition by source, call_id) as last_entered_queue,
        bool_or(is_exit and not is_beside and not is_answered and missed_reason = 'abandoned')
            over (partition by source, call_id) as is_hung_up
    from records
)

select
    source,
    call_id,
    leg_id,
    file_id,
    file_name,
    line,
    exported_at_utc,
    is_left_out,
    is_event_log,
    is_of_second_log,
    is_beside,
    is_step,
    queue,
    direction,
    reported_outcome,
    -- who hung up in a queue spoke to nobody, though a second log may take the queue's own answer for a person's
    is_answered and not (is_beside and is_hung_up) as is_answered,
    missed_reason,
    exclusion_rule,
    is_open,
    -- an exit ends the call unless it entered another queue at that moment or later
    is_exit
    and (
        last_entered_at_utc is null
        or happened_at_utc > last_entered_at_utc
        or (happened_at_utc = last_entered_at_utc and queue = last_entered_queue)
    ) as is_end,
    -- by its own log, or by what the second one knows of it, such as its direction
    bool_and(is_left_out) filter (where not is_beside) over (partition by source, call_id)
    or coalesce(bool_and(is_left_out) filter (where is_of_second_log) over (partition by source, call_id), false)
        as is_excluded,
    arrived_at_utc,
    arrived_local,
    is_arrival_ambiguous,
    answered_at_utc,
    ended_at_utc,
    wait_seconds,
    queue_wait_seconds,
    arrived_at_utc + to_milliseconds((wait_seconds * 1000)::bigint) as wait_ended_at_utc,
    is_wait_lower_bound,
    is_marked_outside_hours,
    impossible_duration
from entered
