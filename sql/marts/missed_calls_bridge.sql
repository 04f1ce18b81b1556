-- From the records that the software calls missed to the calls that were, step by signed step, by month and year.
-- The first twelve steps add up to the thirteenth; core.calls.bridge_step leads from a step to its calls.
with steps as (
    select * from (
        values
        (1, 'reported_missed'), (2, 'before_opening'), (3, 'break'), (4, 'after_closing'), (5, 'closed_weekday'),
        (6, 'holiday'), (7, 'closure'), (8, 'excluded'), (9, 'open'), (10, 'answered_by_somebody_else'),
        (11, 'further_records_of_the_call'), (12, 'not_answered_by_a_person'), (13, 'corrected_missed')
    ) as steps (step_number, step)
),

contributions as (
    select
        arrived_date,
        'reported_missed' as step,
        legs_reported_missed as records
    from core.calls
    union all
    select
        arrived_date,
        'further_records_of_the_call',
        1 - legs_reported_missed
    from core.calls
    where legs_reported_missed > 1
    union all
    -- a call leaves in one step, whatever its outcome; only one that nobody called missed comes in
    select
        arrived_date,
        bridge_step,
        if(bridge_step = 'not_answered_by_a_person', 1, -1)
    from core.calls
    where bridge_step <> 'corrected_missed'
    union all
    select
        arrived_date,
        'corrected_missed',
        1
    from core.calls
    where outcome = 'missed'
),

summed as (
    select
        period_types.period_type,
        date_trunc(period_types.period_type, contributions.arrived_date)::date as period,
        contributions.step,
        sum(contributions.records) as records
    from contributions
    cross join (values ('month'), ('year')) as period_types (period_type)
    group by all
)

select
    periods.period_type,
    periods.period,
    steps.step_number::bigint as step_number,
    steps.step,
    coalesce(summed.records, 0)::bigint as records,
    periods.complete
from staging.periods as periods
cross join steps
left join summed
    on
        summed.period_type = periods.period_type
        and summed.period = periods.period
        and summed.step = steps.step
where periods.basis = 'calls'
