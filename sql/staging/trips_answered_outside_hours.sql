-- Months in which a source has too many calls answered while the telephone was closed. Nobody answers a closed
-- telephone: the zone or the calendar is wrong, and the correction of the bug would flatter the city.
with months as (
    select
        source,
        month,
        sum(outside)::bigint as affected,
        sum(answered)::bigint as total,
        -- of hours that are alike the first of the week; 6 January 2025 was a Monday
        arg_max(
            format('{}s {}-{} h', dayname(date '2025-01-05' + weekday::int), hour, hour + 1), (outside, -weekday, -hour)
        ) as most_on
    from staging.answered_by_hour
    group by source, month
)

select
    'answered_outside_hours' as tripwire,
    months.source,
    months.month,
    months.affected,
    months.total,
    format(
        '{} % of the answered calls of source ''{}'' in {} lie outside the opening hours ({} of {}), most on {}: '
        || 'is the zone or the calendar right?',
        if(
            months.affected * 10 >= months.total,
            format('{:.0f}', months.affected * 100 / months.total),
            format('{:.1f}', months.affected * 100 / months.total)
        ),
        months.source,
        strftime(months.month, '%B %Y'),
        months.affected,
        months.total,
        months.most_on
    ) as sentence
from months
cross join input.tripwires as tripwires
where
    months.affected > tripwires.answered_outside_hours_share * months.total
    and months.affected >= tripwires.answered_outside_hours_calls
