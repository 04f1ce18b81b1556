-- One row a citizen call, however many legs it has: its outcome by arrival and opening hours, its wait, its bucket.
-- Source: rules in docs/indicators.md, "Calls".
with placed as (
    select
        calls.*,
        -- a call goes on while one of its legs does; told by nothing but events, until one of them ends it: if none
        -- does within a day, its end was lost, and nobody answered it
        coalesce(
            calls.is_open_by_legs,
            calls.is_open_by_events and calls.arrived_local + interval 1 day > as_of.as_of_local
        ) as is_open,
        segments.is_open as is_within_opening_hours,
        segments.closed_reason,
        segments.next_opens_local,
        segments.next_closes_local,
        -- civil time runs with UTC within a call, but for the two nights a year on which no centre is open
        calls.arrived_local + (calls.ended_at_utc - calls.arrived_at_utc) as ended_local,
        calls.arrived_local + (calls.answered_at_utc - calls.arrived_at_utc) as answered_local
    from staging.whole_calls as calls
    cross join staging.as_of as as_of
    inner join staging.day_segments as segments
        on
            segments.service_point = 'telephone'
            and segments.date = calls.arrived_local::date
            and calls.arrived_local >= segments.starts_local
            and calls.arrived_local < segments.ends_local
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
