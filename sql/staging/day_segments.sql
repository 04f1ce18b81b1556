-- Every day of every service point, cut into segments within which nothing changes: open, or closed and why.
-- Half-open: a segment holds its start and not its end. A closure wins from regular hours.
-- Source: opening hours and closures of the settings; rules in docs/indicators.md, "Opening hours".
with days as (
    select
        day.date::date as date,
        hours.service_point,
        hours.hours_id
    from input.calendar_span as span
    cross join unnest(generate_series(span.first_date, span.last_date, interval 1 day)) as day (date)
    inner join input.hours as hours
        on day.date::date between hours.valid_from and hours.valid_to
),

regular as (
    select
        days.date,
        days.service_point,
        intervals.opens_minute as starts_minute,
        intervals.closes_minute as ends_minute
    from days
    inner join input.opening_intervals as intervals
        on
            intervals.hours_id = days.hours_id
            and intervals.weekday = isodow(days.date)
),

edges as (
    select
        date,
        service_point,
        0 as minute
    from days
    union
    select
        date,
        service_point,
        starts_minute
    from regular
    union
    select
        date,
        service_point,
        ends_minute
    from regular
    union
    select
        closures.date,
        closures.service_point,
        closures.starts_minute
    from input.closures as closures
    inner join days using (date, service_point)
    union
    select
        closures.date,
        closures.service_point,
        closures.ends_minute
    from input.closures as closures
    inner join days using (date, service_point)
),

segments as (
    select
        date,
        service_point,
        minute as starts_minute,
        lead(minute, 1, 1440) over (partition by date, service_point order by minute) as ends_minute
    from edges
    where minute < 1440
),

-- of a day as a whole: its regular hours, and whether a closure takes all of it
regular_days as (
    select
        date,
        service_point,
        min(starts_minute) as first_opens_minute,
        max(ends_minute) as last_closes_minute
    from regular
    group by date, service_point
),

closed_days as (
    select
        date,
        service_point,
        bool_or(is_whole_day) as has_whole_day_closure,
        -- a holiday is named before any other closure of the same day
        case when bool_or(kind = 'holiday') then 'holiday' else 'closure' end as kind,
        string_agg(distinct reason, ', ' order by reason) as reason
    from input.closures
    group by date, service_point
),

covered as (
    select
        segments.date,
        segments.service_point,
        segments.starts_minute,
        segments.ends_minute,
        bool_or(regular.date is not null) as is_regular,
        bool_or(closures.date is not null) as is_in_closure,
        bool_or(closures.kind = 'holiday') as is_in_holiday
    from segments
    left join regular
        on
            regular.date = segments.date
            and regular.service_point = segments.service_point
            and regular.starts_minute <= segments.starts_minute
            and segments.starts_minute < regular.ends_minute
    left join input.closures as closures
        on
            closures.date = segments.date
            and closures.service_point = segments.service_point
            and closures.starts_minute <= segments.starts_minute
            and segments.starts_minute < closures.ends_minute
    group by segments.date, segments.service_point, segments.starts_minute, segments.ends_minute
),

judged as (
    select
        *,
        is_regular and not is_in_closure as is_open,
        bool_or(is_regular and not is_in_closure) over (partition by date, service_point) as is_open_some_time
    from covered
),

reasoned as (
    select
        judged.date,
        judged.service_point,
        judged.starts_minute,
        judged.ends_minute,
        judged.is_regular,
        judged.is_open,
        case
            when judged.is_open then null
            -- the regular hours would have been open
            when judged.is_regular then if(judged.is_in_holiday, 'holiday', 'closure')
            -- a closure leaves no interval that day
            when
                not judged.is_open_some_time
                and (
                    closed_days.has_whole_day_closure
                    or (regular_days.date is not null and closed_days.date is not null)
                )
                then closed_days.kind
            when regular_days.date is null then 'closed_weekday'
            when judged.starts_minute < regular_days.first_opens_minute then 'before_opening'
            when judged.starts_minute >= regular_days.last_closes_minute then 'after_closing'
            else 'break'
        end as closed_reason,
        closed_days.reason as closure_note
    from judged
    left join regular_days using (date, service_point)
    left join closed_days using (date, service_point)
),

-- neighbours that are alike are one segment
numbered as (
    select
        *,
        row_number() over (partition by date, service_point order by starts_minute)
        - row_number() over (
            partition by date, service_point, is_regular, is_open, closed_reason
            order by starts_minute
        ) as island
    from reasoned
),

merged as (
    select
        date,
        service_point,
        is_regular,
        is_open,
        closed_reason,
        any_value(closure_note) as closure_note,
        min(starts_minute) as starts_minute,
        max(ends_minute) as ends_minute
    from numbered
    group by date, service_point, is_regular, is_open, closed_reason, island
)

select
    date,
    service_point,
    date + to_minutes(starts_minute) as starts_local,
    date + to_minutes(ends_minute) as ends_local,
    starts_minute,
    ends_minute,
    is_regular,
    is_open,
    closed_reason,
    closure_note,
    -- along the days, so that midnight is no closing of a centre that is open all night
    min(if(is_open, date + to_minutes(starts_minute), null)) over later as next_opens_local,
    min(if(is_open, null, date + to_minutes(starts_minute))) over later as next_closes_local
from merged
window
    later as (
        partition by service_point
        order by date, starts_minute
        rows between 1 following and unbounded following
    )
