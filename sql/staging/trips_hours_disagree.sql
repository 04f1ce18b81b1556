-- Months in which a source that marks calls as outside opening hours does it otherwise than the calendar: calls marked
-- that arrived inside, missed calls not marked that arrived outside. Nobody marks a call that was answered.
with compared as (
    select
        source,
        date_trunc('month', arrived_date)::date as month,
        isodow(arrived_date) as weekday,
        hour(arrived_local) as hour,
        is_marked_outside_hours and is_within_opening_hours as is_marked_inside,
        not is_marked_outside_hours and not is_within_opening_hours as is_unmarked_outside
    from core.calls
    where
        outcome in ('answered', 'missed', 'outside_hours')
        and is_marked_outside_hours is not null
        and (is_marked_outside_hours or not is_answered)
),

hours as (
    select
        source,
        month,
        weekday,
        hour,
        count(*) as calls,
        count(*) filter (where is_marked_inside) as marked_inside,
        count(*) filter (where is_unmarked_outside) as unmarked_outside
    from compared
    group by all
),

months as (
    select
        source,
        month,
        sum(calls)::bigint as total,
        sum(marked_inside)::bigint as marked_inside,
        sum(unmarked_outside)::bigint as unmarked_outside,
        -- of hours that are alike the first of the week; 6 January 2025 was a Monday
        arg_max(
            format('{}s {}-{} h', dayname(date '2025-01-05' + weekday::int), hour, hour + 1),
            (marked_inside + unmarked_outside, -weekday, -hour)
        ) as most_on
    from hours
    group by source, month
)

select
    'hours_disagree' as tripwire,
    months.source,
    months.month,
    months.marked_inside + months.unmarked_outside as affected,
    months.total,
    format(
        'source ''{}'' in {} marks {} of its calls as outside opening hours that arrived inside ours, and does not '
        || 'mark {} of its missed calls that arrived outside ours, most on {}: is the calendar right, or the '
        || 'telephone''s own schedule?',
        months.source,
        strftime(months.month, '%B %Y'),
        months.marked_inside,
        months.unmarked_outside,
        months.most_on
    ) as sentence
from months
cross join input.tripwires as tripwires
where months.marked_inside + months.unmarked_outside >= tripwires.hours_disagree_calls
