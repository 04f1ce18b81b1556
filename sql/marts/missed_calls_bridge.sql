-- From the records that the software calls missed to the calls that were, step by signed step, by month and year.
-- The first twelve steps add up to the thirteenth; core.calls.bridge_step leads from a step to its calls. `all_records`
-- goes the same way from all reported records to the calls offered: records / all_records, each summed so far, is the
-- missed share after a step (it may rise again where a call has several records).
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
        legs_reported_missed as records,
        legs as all_records
    from core.calls
    union all
    select
        arrived_date,
        'further_records_of_the_call',
        if(legs_reported_missed > 1, 1 - legs_reported_missed, 0),
        1 - legs
    from core.calls
    where legs > 1
    union all
    -- a call leaves in one step, whatever its outcome; only one that nobody called missed comes in
    select
        arrived_date,
        coalesce(bridge_step, if(outcome = 'outside_hours', closed_reason, outcome)),
        case
            when bridge_step is null then 0
            when bridge_step = 'not_answered_by_a_person' then 1
            else -1
        end,
        if(outcome in ('answered', 'missed'), 0, -1)
    from core.calls
    where bridge_step <> 'corrected_missed' or outcome in ('outside_hours', 'excluded', 'open')
    union all
    select
        arrived_date,
        'corrected_missed',
        (outcome = 'missed')::bigint,
        1
    from core.calls
    where outcome in ('answered', 'missed')
),

summed as (
    select
        period_types.period_type,
        date_trunc(period_types.period_type, contributions.arrived_date)::date as period,
        contributions.step,
        sum(contributions.records) as records,
        sum(contributions.all_records) as all_records
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
    coalesce(summed.all_records, 0)::bigint as all_records,
    periods.complete
from staging.periods as periods
cross join steps
left join summed
    on
        summed.period_type = periods.period_type
        and summed.period = periods.period
        and summed.step = steps.step
where periods.basis = 'calls'
