-- The readable call records of files that stand which lost against another one, with the state in which that leaves
-- them. Newest wins: by export instant, then file name, then line. Of a source without ids each export replaces its
-- range of dates, and nothing is de-duplicated.
with dated as not materialized (
    select
        records.file_id,
        records.line,
        records.source,
        records.exported_at_utc,
        records.file_name,
        records.arrived_local::date as date
    from staging.call_records as records
    anti join staging.call_quarantine as quarantine using (file_id, line)
    where records.replaces_dates and not records.is_replaced
),

spans as (
    select
        file_id,
        source,
        exported_at_utc,
        file_name,
        min(date) as first_date,
        max(date) as last_date
    from dated
    group by all
),

ranked as (
    select
        *,
        row_number() over (
            partition by source, record_key
            order by exported_at_utc desc, file_name desc, line desc
        ) as newest
    from staging.call_rivals
    where not replaces_dates
),

outvoted as (
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
        dated.file_id,
        dated.line,
        'superseded' as state
    from dated
    semi join spans as newer
        on
            newer.source = dated.source
            and dated.date between newer.first_date and newer.last_date
            and (newer.exported_at_utc, newer.file_name) > (dated.exported_at_utc, dated.file_name)
)

select
    file_id,
    line,
    state
from (
    select * from outvoted
    union all
    select * from replaced_by_date
) as losers
