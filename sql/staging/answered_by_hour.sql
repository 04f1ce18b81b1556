-- Calls that a person answered, by source, month, weekday and hour of arrival; and those of them outside opening hours.
select
    source,
    date_trunc('month', arrived_date)::date as month,
    isodow(arrived_date) as weekday,
    hour(arrived_local) as hour,
    count(*) as answered,
    count(*) filter (where outcome = 'outside_hours') as outside
from core.calls
where is_answered and outcome in ('answered', 'outside_hours')
group by source, month, weekday, hour
