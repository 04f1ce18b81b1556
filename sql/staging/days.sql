-- Every day with declared hours, for each kind of figure and each source that is expected to deliver it (none if it is
-- closed), and why its figures are not complete, if they are not.
with bases as (
    select * from (
        values ('calls', 'calls', 'telephone'), ('visits', 'appointments', 'desk'), ('bookings', 'appointments', 'desk')
    ) as bases (basis, kind, service_point)
),

expected as (
    select
        bases.basis,
        calendar.date,
        calendar.is_open,
        calendar.closes_local,
        sources.source
    from core.calendar as calendar
    inner join bases using (service_point)
    left join input.sources as sources
        on
            calendar.is_open
            and sources.kind = bases.kind
            and calendar.date between sources.valid_from and sources.valid_to
            and (bases.basis <> 'visits' or sources.covers_planned)
            and (bases.basis <> 'bookings' or sources.covers_booked)
),

covered as (
    select
        covered.basis,
        covered.source,
        covered.date,
        covered.exported_at_utc + to_minutes(
            if(
                covered.exported_at_utc >= utc_days.switch_at_utc,
                utc_days.offset_after_minutes, utc_days.offset_minutes
            )
        ) as exported_local
    from staging.covered_days as covered
    left join input.utc_days as utc_days on utc_days.utc_date = covered.exported_at_utc::date
),

still_open as (
    select distinct
        'calls' as basis,
        arrived_date as date
    from core.calls
    where outcome = 'open'
)

select
    expected.basis,
    expected.date,
    expected.source,
    case
        when not coalesce(expected.date + interval 1 day <= as_of.as_of_local, false) then 'not_ended'
        when expected.is_open and expected.source is null then 'no_source'
        when expected.is_open and covered.date is null then 'no_export'
        when expected.is_open and covered.exported_local < expected.closes_local then 'exported_before_closing'
        when still_open.date is not null then 'call_open'
    end as incomplete_reason
from expected
cross join staging.as_of as as_of
left join covered
    on
        covered.basis = expected.basis
        and covered.source = expected.source
        and covered.date = expected.date
left join still_open
    on
        still_open.basis = expected.basis
        and still_open.date = expected.date
