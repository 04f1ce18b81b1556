-- One row an appointment or walk-in: its cluster, its visitor wait and its lead time, or why it has none.
-- Source: rules in docs/indicators.md, "Appointments".
with dated as (
    select
        *,
        booked_local::date as booked_date,
        coalesce(planned_start_local::date, planned_day) as planned_date,
        coalesce(first_planned_start_local::date, first_planned_day) as first_planned_date,
        -- a walk-in belongs to the day on which it checked in, or else was first heard of
        if(
            planned_start_utc is null and planned_day is null,
            coalesce(checked_in_local::date, started_local::date, booked_local::date),
            coalesce(planned_start_local::date, planned_day)
        ) as visit_date
    from staging.whole_appointments
),

clustered as (
    select
        dated.*,
        coalesce(clusters.cluster, 'unmapped') as cluster
    from dated
    left join core.clusters as clusters
        on
            clusters.service = dated.service
            and dated.visit_date between clusters.valid_from and clusters.valid_to
),

waited as (
    select
        *,
        case
            when is_walk_in then 'walk_in'
            when status = 'cancelled' then 'cancelled'
            when status = 'no_show' then 'no_show'
            when started_at_utc is null then 'not_started'
            when ended_at_utc < started_at_utc then 'impossible'
            when planned_start_utc is null then 'no_planned_time'
            -- eleven days and more: no wait, and more than a duration can hold
            when abs(epoch_ms(started_at_utc) - epoch_ms(planned_start_utc)) >= 1000000000 then 'impossible'
        end as visitor_wait_reason,
        (epoch_ms(started_at_utc) - epoch_ms(planned_start_utc)) * 0.001 as late_seconds,
        (epoch_ms(started_at_utc) - epoch_ms(greatest(planned_start_utc, checked_in_at_utc))) * 0.001
            as late_after_arrival_seconds,
        case
            when is_walk_in then 'walk_in'
            when booked_at_utc is null then 'not_recorded'
            when
                coalesce(first_planned_start_utc < booked_at_utc, first_planned_date < booked_date)
                then 'planned_before_booked'
        end as lead_time_obstacle
    from clustered
),

placed as (
    select
        waited.*,
        desks.service_point
    from waited
    left join staging.desks as desks using (cluster)
),

led as (
    select
        placed.*,
        -- booked on a day that is none: the next working day stands for the booking day
        if(booked.is_working_day, booked.working_day_index, booked.working_day_index + 1) as booked_index,
        first_planned.working_day_index as first_planned_index,
        planned.working_day_index as planned_index,
        coalesce(
            placed.booking_channel in (select booking_channel from input.desk_channels)
            and placed.booked_date = placed.first_planned_date,
            false
        ) as is_desk_same_day
    from placed
    left join core.calendar as booked
        on booked.service_point = placed.service_point and booked.date = placed.booked_date
    left join core.calendar as first_planned
        on first_planned.service_point = placed.service_point and first_planned.date = placed.first_planned_date
    left join core.calendar as planned
        on planned.service_point = placed.service_point and planned.date = placed.planned_date
)

select
    led.source,
    led.appointment_id,
    led.service,
    led.cluster,
    led.service_point,
    led.booking_channel,
    led.booked_at_utc,
    led.booked_local,
    led.booked_date,
    led.planned_start_utc,
    led.planned_start_local,
    led.planned_date,
    led.first_planned_start_local,
    led.first_planned_date,
    led.checked_in_at_utc,
    led.started_at_utc,
    led.ended_at_utc,
    led.visit_date,
    led.records,
    led.status,
    led.is_walk_in,
    if(
        led.visitor_wait_reason is null, (greatest(led.late_seconds, 0))::decimal(9, 3), null
    ) as visitor_wait_seconds,
    led.visitor_wait_reason,
    if(led.visitor_wait_reason is null, led.late_seconds < 0, null) as is_served_early,
    if(
        led.visitor_wait_reason is null and led.checked_in_at_utc is not null,
        (greatest(led.late_after_arrival_seconds, 0))::decimal(9, 3),
        null
    ) as arrival_based_wait_seconds,
    -- greatest() passes over a NULL, so a missing index must not reach it
    case
        when led.lead_time_obstacle is null and led.first_planned_index is not null and led.booked_index is not null
            then greatest(led.first_planned_index - led.booked_index, 0)
    end as lead_time_working_days,
    case
        when led.lead_time_obstacle is not null then led.lead_time_obstacle
        when led.first_planned_index is null or led.booked_index is null then 'outside_calendar'
    end as lead_time_reason,
    case
        when
            led.lead_time_obstacle is null
            and coalesce(led.planned_start_utc >= led.booked_at_utc, led.planned_date >= led.booked_date)
            and led.planned_index is not null
            and led.booked_index is not null
            then greatest(led.planned_index - led.booked_index, 0)
    end as last_lead_time_working_days,
    led.is_desk_same_day,
    case
        when lead_time_working_days is null then null
        when led.status = 'cancelled' then 'cancelled'
        when led.is_desk_same_day then 'desk_same_day'
        else 'headline'
    end as lead_time_variant,
    files.file_name,
    led.line
from led
left join input.files as files using (file_id)
