-- Missed calls by month of arrival and queue: what the software reports, what is left out and why, what remains.
with counted as (
    select
        date_trunc('month', arrived_date)::date as month,
        queue,
        count(*) as calls,
        count(*) filter (where outcome = 'answered') as answered,
        count(*) filter (where outcome = 'missed') as missed,
        count(*) filter (where outcome = 'missed' and is_short_abandon) as missed_short_abandons,
        count(*) filter (where outcome = 'missed' and missed_reason = 'abandoned') as missed_abandoned,
        count(*) filter (where outcome = 'missed' and missed_reason = 'voicemail') as missed_voicemail,
        count(*) filter (where outcome = 'missed' and missed_reason = 'menu') as missed_menu,
        count(*) filter (where outcome = 'missed' and missed_reason = 'timeout') as missed_timeout,
        count(*) filter (where outcome = 'missed' and missed_reason = 'no_agent') as missed_no_agent,
        count(*) filter (where outcome = 'missed' and missed_reason = 'callback') as missed_callback,
        count(*) filter (where outcome = 'outside_hours') as outside_hours,
        count(*) filter (where outcome = 'outside_hours' and is_answered) as outside_hours_answered,
        count(*) filter (where outcome = 'open') as open,
        count(*) filter (where outcome = 'excluded') as excluded,
        sum(legs) as reported_records,
        sum(legs_reported_missed) as reported_missed,
        count(*) filter (where is_ended_after_closing) as ended_after_closing,
        count(*) filter (where is_spanning_opening) as spanning_opening,
        count(*) filter (where is_arrival_ambiguous) as ambiguous_arrivals,
        count(*) filter (where impossible_duration is not null) as impossible_durations
    from core.calls
    group by all
),

queues as (select distinct queue from core.calls)

select
    periods.period as month,
    queues.queue,
    coalesce(counted.calls, 0) as calls,
    coalesce(counted.answered, 0) as answered,
    coalesce(counted.missed, 0) as missed,
    coalesce(counted.answered, 0) + coalesce(counted.missed, 0) as offered,
    counted.missed / nullif(counted.answered + counted.missed, 0) as missed_share,
    coalesce(counted.missed_short_abandons, 0) as missed_short_abandons,
    coalesce(counted.missed_abandoned, 0) as missed_abandoned,
    coalesce(counted.missed_voicemail, 0) as missed_voicemail,
    coalesce(counted.missed_menu, 0) as missed_menu,
    coalesce(counted.missed_timeout, 0) as missed_timeout,
    coalesce(counted.missed_no_agent, 0) as missed_no_agent,
    coalesce(counted.missed_callback, 0) as missed_callback,
    coalesce(counted.outside_hours, 0) as outside_hours,
    coalesce(counted.outside_hours_answered, 0) as outside_hours_answered,
    coalesce(counted.open, 0) as open,
    coalesce(counted.excluded, 0) as excluded,
    coalesce(counted.reported_records, 0)::bigint as reported_records,
    coalesce(counted.reported_missed, 0)::bigint as reported_missed,
    counted.reported_missed / nullif(counted.reported_records, 0) as reported_missed_share,
    coalesce(counted.ended_after_closing, 0) as ended_after_closing,
    coalesce(counted.spanning_opening, 0) as spanning_opening,
    coalesce(counted.ambiguous_arrivals, 0) as ambiguous_arrivals,
    coalesce(counted.impossible_durations, 0) as impossible_durations,
    periods.complete
from staging.periods as periods
cross join queues
left join counted
    on
        counted.month = periods.period
        and counted.queue = queues.queue
where
    periods.basis = 'calls'
    and periods.period_type = 'month'
