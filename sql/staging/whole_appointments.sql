-- One row an appointment: what its own log says, and what a second log says of its visits (settings: `visits_of`).
-- Several visits are one observation: it begins with the first that was served and ends with the last.
with accepted as (
    select * from staging.appointment_states
    where state = 'accepted'
),

own as (
    select
        *,
        coalesce(planned_start_local::date, planned_day) as planned_date
    from accepted
    where source = appointment_source
),

visits as (
    select
        told.appointment_source,
        told.* exclude (source, appointment_source),
        -- of an appointment that was moved, what happened before its day was for the day before
        coalesce(coalesce(told.checked_in_local, told.started_local)::date >= own.planned_date, true) as counts
    from accepted as told
    left join own
        on
            own.source = told.appointment_source
            and own.appointment_id = told.appointment_id
    where told.source <> told.appointment_source
),

visited as (
    select
        appointment_source as source,
        appointment_id,
        count(*) as records,
        bool_or(names_appointment) as names_appointment,
        min_by(service, (coalesce(checked_in_at_utc, started_at_utc), record_key)) as service,
        min_by(
            struct_pack(file_id, line), (coalesce(checked_in_at_utc, started_at_utc), record_key, line)
        ) as first_record,
        min(checked_in_at_utc) filter (where counts) as checked_in_at_utc,
        min(checked_in_local) filter (where counts) as checked_in_local,
        -- who missed the first call was served by a later one
        min(started_at_utc) filter (where counts and status in ('started', 'completed')) as started_at_utc,
        min(started_local) filter (where counts and status in ('started', 'completed')) as started_local,
        max(ended_at_utc) filter (where counts and status in ('started', 'completed')) as ended_at_utc,
        case
            when not bool_or(counts) then null
            when bool_or(status = 'completed') filter (where counts) then 'completed'
            when bool_or(status = 'started') filter (where counts) then 'started'
            when bool_or(status = 'no_show') filter (where counts) then 'no_show'
            -- who came and left again cancelled a visit and no appointment
            else 'checked_in'
        end as status
    from visits
    group by all
)

select
    coalesce(own.source, visited.source) as source,
    coalesce(own.appointment_id, visited.appointment_id) as appointment_id,
    coalesce(visited.records, 0) + if(own.source is null, 0, 1) as records,
    coalesce(own.file_id, visited.first_record.file_id) as file_id,
    coalesce(own.line, visited.first_record.line) as line,
    coalesce(own.service, visited.service) as service,
    own.booking_channel,
    -- what happened at the desk is known best where it happened
    coalesce(visited.status, own.status) as status,
    own.booked_at_utc,
    own.booked_local,
    own.planned_start_utc,
    own.planned_start_local,
    own.planned_day,
    own.first_planned_start_utc,
    own.first_planned_start_local,
    own.first_planned_day,
    coalesce(visited.checked_in_at_utc, own.checked_in_at_utc) as checked_in_at_utc,
    coalesce(visited.checked_in_local, own.checked_in_local) as checked_in_local,
    coalesce(visited.started_at_utc, own.started_at_utc) as started_at_utc,
    coalesce(visited.started_local, own.started_local) as started_local,
    coalesce(visited.ended_at_utc, own.ended_at_utc) as ended_at_utc,
    -- a visit for an appointment that no log tells of is no walk-in
    own.planned_start_utc is null
    and own.planned_day is null
    and (own.source is not null or not visited.names_appointment) as is_walk_in
from own
full join visited using (source, appointment_id)
