-- One row an appointment: what its own log says, and what a second log says of its visits (settings: `visits_of`).
-- Several visits are one observation: it begins with the first that was served and ends with the last.
with accepted as (
    select * from staging.appointment_states
    where state = 'accepted'
),

own as (
    select * from accepted
    where source = appointment_source
),

visits as (
    select
        appointment_source as source,
        appointment_id,
        count(*) as records,
        bool_or(names_appointment) as names_appointment,
        arg_min(service, (coalesce(checked_in_at_utc, started_at_utc), file_id, line)) as service,
        min(checked_in_at_utc) as checked_in_at_utc,
        min(checked_in_local) as checked_in_local,
        -- who missed the first call was served by a later one
        min(started_at_utc) filter (where status in ('started', 'completed')) as started_at_utc,
        min(started_local) filter (where status in ('started', 'completed')) as started_local,
        max(ended_at_utc) filter (where status in ('started', 'completed')) as ended_at_utc,
        case
            when bool_or(status = 'completed') then 'completed'
            when bool_or(status = 'started') then 'started'
            when bool_or(status = 'no_show') then 'no_show'
            when bool_or(status = 'cancelled') then 'cancelled'
            else 'checked_in'
        end as status
    from accepted
    where source <> appointment_source
    group by all
)

select
    coalesce(own.source, visits.source) as source,
    coalesce(own.appointment_id, visits.appointment_id) as appointment_id,
    coalesce(visits.records, 0) + if(own.source is null, 0, 1) as records,
    coalesce(own.service, visits.service) as service,
    own.booking_channel,
    -- what happened at the desk is known best where it happened
    coalesce(visits.status, own.status) as status,
    own.booked_at_utc,
    own.booked_local,
    own.planned_start_utc,
    own.planned_start_local,
    own.planned_day,
    own.first_planned_start_utc,
    own.first_planned_start_local,
    own.first_planned_day,
    coalesce(visits.checked_in_at_utc, own.checked_in_at_utc) as checked_in_at_utc,
    coalesce(visits.checked_in_local, own.checked_in_local) as checked_in_local,
    coalesce(visits.started_at_utc, own.started_at_utc) as started_at_utc,
    coalesce(visits.started_local, own.started_local) as started_local,
    coalesce(visits.ended_at_utc, own.ended_at_utc) as ended_at_utc,
    -- a visit for an appointment that no log tells of is no walk-in
    own.planned_start_utc is null
    and own.planned_day is null
    and (own.source is not null or not visits.names_appointment) as is_walk_in
from own
full join visits using (source, appointment_id)
