-- How many calls each log tells of, by its own source and the day of arrival: all, and those inside opening hours. A
-- call that two logs tell of counts in both, so that a log that is missing is missed beside one that is not.
-- Calls are grouped and then counted, for the distinct ones of a `count` must all fit into memory.
with calls as (
    select
        states.source,
        states.arrived_local::date as date,
        states.call_id,
        coalesce(bool_or(segments.is_open), false) as is_within_hours
    from staging.call_states as states
    left join staging.day_segments as segments
        on
            segments.service_point = 'telephone'
            and segments.date = states.arrived_local::date
            and states.arrived_local >= segments.starts_local
            and states.arrived_local < segments.ends_local
    where
        states.state in ('accepted', 'excluded')
        and states.exclusion_rule is distinct from 'no_call'
    group by states.source, states.arrived_local::date, states.call_id
)

select
    source,
    date,
    count(*) as calls,
    count(*) filter (where is_within_hours) as calls_within_hours
from calls
group by source, date
