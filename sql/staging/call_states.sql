-- Every readable call record with the state in which the ledger counts it.
-- Newest wins: by export instant, then file name, then line. A replaced file is out of the election.
-- Of a source without ids each export replaces its range of dates, and nothing is de-duplicated.
with readable as (
    select records.*
    from staging.call_records as records
    anti join staging.call_quarantine as quarantine using (file_id, line)
),

spans as (
    select
        file_id,
        source,
        exported_at_utc,
        file_name,
        min(arrived_local::date) as first_date,
        max(arrived_local::date) as last_date
    from readable
    where not is_replaced
    group by all
),

ranked as (
    select
        *,
        row_number() over (
            partition by source, record_key
            order by exported_at_utc desc, file_name desc, line desc
        ) as newest
    from readable
    where not is_replaced and not replaces_dates
),

losers as (
    select
        loser.file_id,
        loser.line,
        if(
            row(
                loser.queue, loser.direction, loser.reported_outcome, loser.is_answered, loser.missed_reason,
                loser.exclusion_rule, loser.is_open, loser.arrived_at_utc, loser.answered_at_utc,
                loser.ended_at_utc, loser.wait_seconds, loser.queue_wait_seconds, loser.impossible_duration,
                loser.is_marked_outside_hours
            ) is not distinct from row(
                winner.queue, winner.direction, winner.reported_outcome, winner.is_answered, winner.missed_reason,
                winner.exclusion_rule, winner.is_open, winner.arrived_at_utc, winner.answered_at_utc,
                winner.ended_at_utc, winner.wait_seconds, winner.queue_wait_seconds, winner.impossible_duration,
                winner.is_marked_outside_hours
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

replaced_by_date as (
    select
        record.file_id,
        record.line,
        'superseded' as state
    from readable as record
    semi join spans as newer
        on
            newer.source = record.source
            and record.arrived_local::date between newer.first_date and newer.last_date
            and (newer.exported_at_utc, newer.file_name) > (record.exported_at_utc, record.file_name)
    where record.replaces_dates and not record.is_replaced
),

decided as (
    select * from losers
    union all
    select * from replaced_by_date
)

select
    readable.file_id,
    readable.line,
    case
        when readable.is_replaced then 'superseded'
        when decided.state is not null then decided.state
        when readable.exclusion_rule is not null then 'excluded'
        else 'accepted'
    end as state,
    readable.source,
    readable.call_source,
    readable.is_event_log,
    readable.call_id,
    readable.leg_id,
    readable.queue,
    readable.direction,
    readable.reported_outcome,
    readable.is_answered,
    readable.missed_reason,
    readable.exclusion_rule,
    readable.is_open,
    readable.arrived_at_utc,
    readable.arrived_local,
    readable.is_arrival_ambiguous,
    readable.answered_at_utc,
    readable.ended_at_utc,
    readable.wait_seconds,
    readable.queue_wait_seconds,
    readable.is_wait_lower_bound,
    readable.is_marked_outside_hours,
    readable.impossible_duration
from readable
left join decided using (file_id, line)
