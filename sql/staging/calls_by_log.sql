-- How many calls each log tells of, by its own source and the day of arrival: all, and those inside opening hours. A
-- call that two logs tell of counts in both, so that a log that is missing is missed beside one that is not.
select
    states.source,
    states.arrived_local::date as date,
    count(distinct states.call_id) as calls,
    count(distinct states.call_id) filter (where segments.is_open) as calls_within_hours
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
group by states.source, states.arrived_local::date
