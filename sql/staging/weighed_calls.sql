-- One row a call that several records tell of, what they tell together: when it began and ended, who answered, how long
-- it waited.
-- Source: rules in docs/indicators.md, "Calls".
with legs as (
    select
        *,
        count(*) over (partition by source, call_id) as records,
        -- a call that only entered a queue has a leg that has not ended
        greatest(count(*) filter (where not is_step and not is_beside) over (partition by source, call_id), 1) as legs,
        count(*) filter (where reported_outcome = 'missed' and not is_beside)
            over (partition by source, call_id) as legs_reported_missed,
        row_number() over (
            partition by source, call_id
            order by
                -- excluded legs count only for a call that is excluded
                is_left_out and not is_excluded,
                arrived_at_utc,
                is_beside,
                try_cast(leg_id as bigint),
                leg_id,
                -- whatever the order in which the files came
                exported_at_utc,
                file_name,
                line
        ) as leg_number
    from staging.call_legs
),

counted_legs as (
    select * from legs
    where is_excluded or not is_left_out
),

-- several agents may ring at once: the call's wait ends with the first answer, or for a missed call with the last leg
last_waits as (
    select
        source,
        call_id,
        arrived_at_utc,
        wait_seconds,
        queue_wait_seconds,
        impossible_duration,
        missed_reason,
        is_wait_lower_bound,
        is_of_second_log,
        is_beside,
        answered_at_utc
    from counted_legs
    qualify row_number() over (
        partition by source, call_id
        order by
            is_answered desc,
            -- what tells when it ended comes before what does not, and the call's own log before a second one
            (is_answered and wait_ended_at_utc is null) asc,
            (is_step and not is_answered) asc,
            is_beside asc,
            is_step asc,
            if(is_answered, wait_ended_at_utc, null) asc nulls last,
            -- a leg of unknown length may have been the last
            if(is_answered, null, wait_ended_at_utc) desc nulls first,
            if(is_answered, leg_number, -leg_number) asc
    ) = 1
),

calls as (
    select
        source,
        call_id,
        any_value(records) as records,
        any_value(legs) as legs,
        any_value(legs_reported_missed) as legs_reported_missed,
        min_by(queue, (is_beside, leg_number)) as queue,
        any_value(file_name) filter (where leg_number = 1) as file_name,
        any_value(line) filter (where leg_number = 1) as line,
        any_value(direction) filter (where leg_number = 1) as direction,
        any_value(arrived_at_utc) filter (where leg_number = 1) as arrived_at_utc,
        any_value(arrived_local) filter (where leg_number = 1) as arrived_local,
        any_value(is_arrival_ambiguous) filter (where leg_number = 1) as is_arrival_ambiguous,
        min_by(exclusion_rule, leg_number) filter (where is_excluded and exclusion_rule is not null)
            as exclusion_rule,
        bool_or(is_answered) as is_answered,
        bool_or(is_open) filter (where not is_event_log) as is_open_by_legs,
        not bool_or(is_answered) and not bool_or(is_end) as is_open_by_events,
        max(ended_at_utc) as ended_at_utc,
        min(arrived_at_utc) filter (where not is_of_second_log) as first_arrived_at_utc,
        min(arrived_at_utc) filter (where is_of_second_log) as second_arrived_at_utc,
        max(wait_ended_at_utc) filter (where not is_of_second_log) as first_waited_until_utc,
        bool_or(is_marked_outside_hours) as is_marked_outside_hours,
        case
            when bool_or(reported_outcome = 'answered' and not is_beside) then 'answered'
            when bool_or(reported_outcome = 'missed' and not is_beside) then 'missed'
            else 'other'
        end as reported_outcome
    from counted_legs
    group by source, call_id
),

weighed as (
    select
        calls.* exclude (first_arrived_at_utc, second_arrived_at_utc, first_waited_until_utc),
        last_waits.answered_at_utc,
        last_waits.impossible_duration,
        last_waits.missed_reason,
        -- what the call's own log can't tell, a second one does if it saw the call first: when the citizen dialled in
        last_waits.is_wait_lower_bound
        and (
            last_waits.is_of_second_log
            or coalesce(calls.second_arrived_at_utc > calls.first_arrived_at_utc, true)
        ) as is_wait_lower_bound,
        -- what passed before the last leg began, exact to the millisecond
        (epoch_ms(last_waits.arrived_at_utc) - epoch_ms(calls.arrived_at_utc)) * 0.001 as earlier_seconds,
        last_waits.wait_seconds as leg_wait_seconds,
        -- who was answered after the queue gave up waited at least as long as the queue says
        if(
            last_waits.is_beside,
            (epoch_ms(calls.first_waited_until_utc) - epoch_ms(calls.arrived_at_utc)) * 0.001,
            null
        ) as least_seconds,
        last_waits.queue_wait_seconds
    from calls
    inner join last_waits using (source, call_id)
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
    if(
        leg_wait_seconds is null,
        null,
        try_cast(greatest(leg_wait_seconds + earlier_seconds, least_seconds) as decimal(9, 3))
    ) as wait_seconds,
    queue_wait_seconds
from weighed
