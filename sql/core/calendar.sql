-- One row a date and service point: when it is open, why it is closed, and its place among the working days.
-- Its closures are those of the settings: a day far ahead may still get one.
with days as (
    select
        date,
        service_point,
        bool_or(is_open) as is_open,
        bool_or(is_regular and not is_open) as is_cut_short,
        string_agg(
            format(
                '{:02d}:{:02d}-{:02d}:{:02d}',
                starts_minute // 60, starts_minute % 60, ends_minute // 60, ends_minute % 60
            ),
            ', ' order by starts_minute
        ) filter (where is_open) as intervals,
        min(starts_local) filter (where is_open) as opens_local,
        max(ends_local) filter (where is_open) as closes_local,
        coalesce(sum(ends_minute - starts_minute) filter (where is_open), 0) as opening_minutes,
        -- of a day that is closed all day: a holiday is named first, then any other closure
        case
            when bool_or(closed_reason = 'holiday') then 'holiday'
            when bool_or(closed_reason = 'closure') then 'closure'
            else 'closed_weekday'
        end as day_reason,
        any_value(closure_note) as closure_note
    from staging.day_segments
    group by date, service_point
),

working as (
    select
        days.*,
        days.is_open
        and isodow(days.date) <= 5
        and (rules.half_days_are_working_days or not days.is_cut_short) as is_working_day
    from days
    cross join input.rules as rules
)

select
    working.date,
    working.service_point,
    isodow(working.date) as weekday,
    working.is_open,
    working.intervals,
    working.opens_local,
    working.closes_local,
    working.opening_minutes::bigint as opening_minutes,
    working.is_open and working.is_cut_short as is_half_day,
    if(working.is_open, null, working.day_reason) as closed_reason,
    working.closure_note,
    working.is_working_day,
    count(*) filter (where working.is_working_day)
        over (partition by working.service_point order by working.date) as working_day_index,
    utc_days.offset_minutes as utc_offset_minutes,
    utc_days.switch_at_utc as utc_offset_switch_at_utc
from working
inner join input.utc_days as utc_days on utc_days.utc_date = working.date
