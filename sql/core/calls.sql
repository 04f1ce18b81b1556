-- One row a citizen call, however many legs it has: its outcome by arrival and opening hours, its wait, its bucket.
-- Source: rules in docs/indicators.md, "Calls".
with told as (
    select
        legs.*,
        files.file_name,
        files.exported_at_utc
    from staging.call_legs as legs
    left join input.files as files using (file_id)
),

legs as (
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
                state = 'excluded' and not is_excluded,
                arrived_at_utc,
                is_beside,
                try_cast(leg_id as bigint),
                leg_id,
                -- whatever the order in which the files came
                exported_at_utc,
                file_name,
                line
        ) as leg_number
    from told
),

counted_legs as (
    select * from legs
    where is_excluded or state = 'accepted'
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

waits as (
    select
        calls.*,
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
        last_waits.queue_wait_seconds,
        -- a call goes on while one of its legs does; told by nothing but events, until one of them ends it: if none
        -- does within a day, its end was lost, and nobody answered it
        coalesce(
            calls.is_open_by_legs,
            calls.is_open_by_events and calls.arrived_local + interval 1 day > as_of.as_of_local
        ) as is_open
    from calls
    inner join last_waits using (source, call_id)
    cross join staging.as_of as as_of
),

placed as (
    select
        waits.*,
        if(
            waits.leg_wait_seconds is null,
            null,
            try_cast(greatest(waits.leg_wait_seconds + waits.earlier_seconds, waits.least_seconds) as decimal(9, 3))
        ) as wait_seconds,
        segments.is_open as is_within_opening_hours,
        segments.closed_reason,
        segments.next_opens_local,
        segments.next_closes_local,
        -- civil time runs with UTC within a call, but for the two nights a year on which no centre is open
        waits.arrived_local + (waits.ended_at_utc - waits.arrived_at_utc) as ended_local,
        waits.arrived_local + (waits.answered_at_utc - waits.arrived_at_utc) as answered_local
    from waits
    inner join staging.day_segments as segments
        on
            segments.service_point = 'telephone'
            and segments.date = waits.arrived_local::date
            and waits.arrived_local >= segments.starts_local
            and waits.arrived_local < segments.ends_local
),

-- the first that applies
judged as (
    select
        placed.*,
        case
            when placed.exclusion_rule is not null then 'excluded'
            when placed.is_open then 'open'
            when not placed.is_within_opening_hours then 'outside_hours'
            when placed.is_answered then 'answered'
            else 'missed'
        end as outcome
    from placed
)

select
    judged.source,
    judged.call_id,
    judged.queue,
    judged.direction,
    judged.arrived_at_utc,
    judged.arrived_local,
    judged.arrived_local::date as arrived_date,
    if(judged.is_answered, judged.answered_at_utc, null) as answered_at_utc,
    judged.ended_at_utc,
    judged.wait_seconds,
    judged.queue_wait_seconds,
    case
        when judged.wait_seconds is not null then null
        when judged.impossible_duration = 'wait' then 'impossible'
        else 'not_recorded'
    end as wait_reason,
    judged.is_wait_lower_bound,
    judged.reported_outcome,
    judged.outcome,
    judged.is_answered,
    judged.exclusion_rule,
    if(judged.is_answered or judged.outcome = 'open', null, judged.missed_reason) as missed_reason,
    judged.is_within_opening_hours,
    judged.closed_reason,
    case
        when not judged.is_answered then null
        when judged.wait_seconds is null then 'unknown'
        when judged.wait_seconds <= 30 then '0-30'
        when judged.wait_seconds <= 60 then '31-60'
        when judged.wait_seconds <= 90 then '61-90'
        when judged.wait_seconds <= 120 then '91-120'
        when judged.wait_seconds <= 300 then '121-300'
        else '300+'
    end as speed_bucket,
    judged.records,
    judged.legs,
    judged.legs_reported_missed,
    -- where the call stands in marts.missed_calls_bridge, from the records reported missed to the calls that were
    case
        when judged.legs_reported_missed = 0
            then if(judged.outcome = 'missed', 'not_answered_by_a_person', null)
        when judged.outcome = 'missed' then 'corrected_missed'
        when judged.outcome = 'answered' then 'answered_by_somebody_else'
        when judged.outcome = 'outside_hours' then judged.closed_reason
        else judged.outcome
    end as bridge_step,
    -- a caller who hangs up soon; what a machine or a time-out ended was not the caller's doing
    not judged.is_answered
    and judged.missed_reason in ('abandoned', 'menu')
    and coalesce(judged.wait_seconds < rules.short_abandon_seconds, false) as is_short_abandon,
    judged.is_within_opening_hours and coalesce(judged.ended_local > judged.next_closes_local, false)
        as is_ended_after_closing,
    not judged.is_within_opening_hours
    and judged.is_answered
    and coalesce(judged.answered_local >= judged.next_opens_local, false) as is_spanning_opening,
    coalesce(judged.is_arrival_ambiguous, false) as is_arrival_ambiguous,
    judged.is_marked_outside_hours,
    judged.impossible_duration,
    judged.file_name,
    judged.line
from judged
cross join input.rules as rules
