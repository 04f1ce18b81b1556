-- Every readable appointment record with the state in which the ledger counts it; newest wins, as for calls.
-- `first_*` are the planned start and day of the oldest version that has one and was not replaced.
with readable as (
    select * from staging.appointment_records
    where quarantine_reason is null
),

ranked as (
    select
        *,
        row_number() over newest_first as newest,
        last_value(planned_start_utc ignore nulls) over oldest_last as oldest_planned_start_utc,
        last_value(planned_start_local ignore nulls) over oldest_last as oldest_planned_start_local,
        last_value(planned_day ignore nulls) over oldest_last as oldest_planned_day
    from readable
    where not is_replaced
    window
        newest_first as (
            partition by source, record_key
            order by exported_at_utc desc, file_name desc, line desc
        ),
        oldest_last as (
            partition by source, record_key
            order by exported_at_utc desc, file_name desc, line desc
            rows between unbounded preceding and unbounded following
        )
),

losers as (
    select
        loser.file_id,
        loser.line,
        if(
            row(
                loser.appointment_id, loser.service, loser.booking_channel, loser.status, loser.exclusion_rule,
                loser.booked_at_utc, loser.planned_start_utc, loser.planned_day, loser.first_planned_start_utc,
                loser.checked_in_at_utc, loser.started_at_utc, loser.ended_at_utc
            ) is not distinct from row(
                winner.appointment_id, winner.service, winner.booking_channel, winner.status, winner.exclusion_rule,
                winner.booked_at_utc, winner.planned_start_utc, winner.planned_day, winner.first_planned_start_utc,
                winner.checked_in_at_utc, winner.started_at_utc, winner.ended_at_utc
            ),
            'duplicate',
            'superseded'
        ) as state
    from ranked as loser
    inner join ranked as winner
        on
            winner.source = loser.source
            and winner.record_key = loser.record_key
            and winner.newest = 1
    where loser.newest > 1
),

-- a visit for an appointment that is excluded is excluded with it
excluded as (
    select
        source,
        appointment_id
    from ranked
    where newest = 1 and source = appointment_source and exclusion_rule is not null
)

select
    readable.file_id,
    readable.line,
    case
        when readable.is_replaced then 'superseded'
        when losers.state is not null then losers.state
        when readable.exclusion_rule is not null or excluded.appointment_id is not null then 'excluded'
        else 'accepted'
    end as state,
    readable.source,
    readable.appointment_source,
    readable.appointment_id,
    readable.record_key,
    not starts_with(readable.appointment_id, readable.source || ' visit ') as names_appointment,
    readable.service,
    readable.booking_channel,
    readable.status,
    readable.booked_at_utc,
    readable.booked_local,
    readable.planned_start_utc,
    readable.planned_start_local,
    readable.planned_day,
    coalesce(readable.first_planned_start_utc, ranked.oldest_planned_start_utc) as first_planned_start_utc,
    coalesce(readable.first_planned_start_local, ranked.oldest_planned_start_local) as first_planned_start_local,
    ranked.oldest_planned_day as first_planned_day,
    readable.checked_in_at_utc,
    readable.checked_in_local,
    readable.started_at_utc,
    readable.started_local,
    readable.ended_at_utc
from readable
left join ranked using (file_id, line)
left join losers using (file_id, line)
left join excluded
    on
        excluded.source = readable.appointment_source
        and excluded.appointment_id = readable.appointment_id
        and readable.source <> readable.appointment_source
