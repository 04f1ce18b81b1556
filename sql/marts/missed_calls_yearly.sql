-- Missed calls by year of arrival and queue: the sums of the months, so that they add up.
select
    date_trunc('year', monthly.month)::date as year,
    monthly.queue,
    sum(monthly.calls)::bigint as calls,
    sum(monthly.answered)::bigint as answered,
    sum(monthly.missed)::bigint as missed,
    sum(monthly.offered)::bigint as offered,
    sum(monthly.missed) / nullif(sum(monthly.offered), 0) as missed_share,
    sum(monthly.missed_short_abandons)::bigint as missed_short_abandons,
    sum(monthly.outside_hours)::bigint as outside_hours,
    sum(monthly.outside_hours_answered)::bigint as outside_hours_answered,
    sum(monthly.open)::bigint as open,
    sum(monthly.excluded)::bigint as excluded,
    sum(monthly.reported_records)::bigint as reported_records,
    sum(monthly.reported_missed)::bigint as reported_missed,
    sum(monthly.reported_missed) / nullif(sum(monthly.reported_records), 0) as reported_missed_share,
    sum(monthly.ended_after_closing)::bigint as ended_after_closing,
    sum(monthly.spanning_opening)::bigint as spanning_opening,
    sum(monthly.ambiguous_arrivals)::bigint as ambiguous_arrivals,
    any_value(periods.complete) as complete
from marts.missed_calls_monthly as monthly
inner join staging.periods as periods
    on
        periods.basis = 'calls'
        and periods.period_type = 'year'
        and periods.period = date_trunc('year', monthly.month)
group by date_trunc('year', monthly.month), monthly.queue
