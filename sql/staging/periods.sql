-- The months and years of each kind of figure, and whether they are complete: ended, every open day covered by an
-- export of every source made at or after that day's closing, and no call open.
with bases as (
    select * from (
        values ('calls', 'calls', 'telephone'), ('visits', 'appointments', 'desk'), ('bookings', 'appointments', 'desk')
    ) as bases (basis, kind, service_point)
),

dated as (
    select
        'calls' as basis,
        arrived_date as date
    from core.calls
    union
    select
        'visits' as basis,
        visit_date
    from core.appointments
    union
    select
        'bookings' as basis,
        booked_date
    from core.appointments
),

first_months as (
    select
        dated.basis,
        date_trunc('month', greatest(min(dated.date), any_value(as_of.first_date))) as first_month,
        date_trunc('month', any_value(as_of.as_of_local)) as last_month
    from dated
    cross join staging.as_of as as_of
    where dated.date is not null
    group by dated.basis
),

-- every month from the first record to the newest export, and any other month that has a record
months as (
    select
        basis,
        unnest(generate_series(first_month, last_month, interval 1 month))::date as month
    from first_months
    union
    select
        basis,
        date_trunc('month', date)::date
    from dated
    where date is not null
),

periods as (
    select
        basis,
        'month' as period_type,
        month as period,
        month + interval 1 month as ends_local
    from months
    union
    select
        basis,
        'year',
        date_trunc('year', month)::date,
        date_trunc('year', month) + interval 1 year
    from months
),

-- every open day with each source that is expected to deliver then, or with none
open_days as (
    select
        bases.basis,
        calendar.date,
        sources.source,
        calendar.closes_local
    from core.calendar as calendar
    inner join bases using (service_point)
    left join input.sources as sources
        on
            sources.kind = bases.kind
            and calendar.date between sources.valid_from and sources.valid_to
            and (bases.basis <> 'visits' or sources.covers_planned)
            and (bases.basis <> 'bookings' or sources.covers_booked)
    where calendar.is_open
),

uncovered as (
    select
        open_days.basis,
        open_days.date
    from open_days
    left join staging.covered_days as covered
        on
            covered.basis = open_days.basis
            and covered.source = open_days.source
            and covered.date = open_days.date
    left join input.utc_days as utc_days on utc_days.utc_date = covered.exported_at_utc::date
    where
        covered.date is null
        or covered.exported_at_utc + to_minutes(
            if(
                covered.exported_at_utc >= utc_days.switch_at_utc,
                utc_days.offset_after_minutes, utc_days.offset_minutes
            )
        ) < open_days.closes_local
),

still_open as (
    select arrived_date as date from core.calls
    where outcome = 'open'
)

select
    periods.basis,
    periods.period_type,
    periods.period,
    coalesce(periods.ends_local <= as_of.as_of_local, false)
    -- of a day without declared hours nobody knows whether it was open
    and date_diff('day', periods.period, periods.ends_local) = (
        select count(*) from core.calendar as calendar
        inner join bases using (service_point)
        where
            bases.basis = periods.basis
            and calendar.date >= periods.period
            and calendar.date < periods.ends_local
    )
    and not exists (
        select 1 from uncovered
        where
            uncovered.basis = periods.basis
            and uncovered.date >= periods.period
            and uncovered.date < periods.ends_local
    )
    and not (
        periods.basis = 'calls'
        and exists (
            select 1 from still_open
            where still_open.date >= periods.period and still_open.date < periods.ends_local
        )
    ) as complete
from periods
cross join staging.as_of as as_of
