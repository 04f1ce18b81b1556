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
    sum(monthly.missed_abandoned)::bigint as missed_abandoned,
    sum(monthly.missed_voicemail)::bigint as missed_voicemail,
    sum(monthly.missed_menu)::bigint as missed_menu,
    sum(monthly.missed_timeout)::bigint as missed_timeout,
    sum(monthly.missed_no_agent)::bigint as missed_no_agent,
    sum(monthly.missed_callback)::bigint as missed_callback,
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
    sum(monthly.impossible_durations)::bigint as impossible_durations,
    any_value(periods.complete) as complete
from marts.missed_calls_monthly as monthly
inner join staging.periods as periods
    on
        periods.basis = 'calls'
        and periods.period_type = 'year'
        and periods.period = date_trunc('year', monthly.month)
group by date_trunc('year', monthly.month), monthly.queue
