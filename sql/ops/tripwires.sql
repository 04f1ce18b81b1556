-- What looks wrong in what was read, by source and month, in a sentence; with the acceptance of the settings, if any.
-- A blocking one that nobody accepted publishes nothing, so in a published warehouse each of those was accepted.
with tripped as (
    select * from staging.trips_answered_outside_hours
    union all by name
    select * from staging.trips_hours_disagree
    union all by name
    select * from staging.trips_open_day_without_calls
    union all by name
    select * from staging.trips_quiet_day
    union all by name
    select * from staging.trips_unmapped_service
    union all by name
    select * from staging.trips_partial_export
    union all by name
    select * from staging.trips_open_on_holiday
)

select
    tripped.tripwire,
    tripped.source,
    tripped.month,
    tripped.affected,
    tripped.total,
    tripped.sentence,
    tripped.tripwire = 'answered_outside_hours' as is_blocking,
    accepted.reason as accepted_reason,
    accepted.until as accepted_until
from tripped
left join input.accepted_tripwires as accepted
    on
        accepted.tripwire = tripped.tripwire
        and coalesce(accepted.source = tripped.source, true)
        -- an acceptance is for the months that begin up to its end date
        and tripped.month <= accepted.until
-- of several acceptances the one that ends first
qualify row_number() over (
    partition by tripped.tripwire, tripped.source, tripped.month
    order by accepted.until, accepted.source, accepted.reason
) = 1
