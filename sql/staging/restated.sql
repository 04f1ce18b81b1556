-- The figures that this publication changes after their period was published as complete, and why, as far as it can be
-- told: files that are new since the last publication and tell something of the period, and settings that changed.
with changed as (
    select
        was.*,
        now.value as new_value,
        now.numerator as new_numerator,
        now.denominator as new_denominator,
        case
            when was.indicator in ('missed_calls', 'telephone_wait', 'answer_speed') then 'calls'
            when was.indicator = 'visitor_wait' then 'visits'
            else 'bookings'
        end as basis
    from input.published_figures as was
    left join marts.indicators as now using (indicator, variant, period_type, period, dimension_type, dimension)
    where row(was.numerator, was.denominator) is distinct from row(now.numerator, now.denominator)
),

reasons as (
    select
        changed.basis,
        changed.period_type,
        changed.period,
        if(bool_or(touched.is_correction), 'corrected export ', 'late export ') || touched.file_name as reason
    from (select distinct
        basis,
        period_type,
        period
    from changed) as changed
    inner join staging.touched_days as touched
        on
            touched.basis = changed.basis
            and date_trunc(changed.period_type, touched.date) = changed.period
    group by changed.basis, changed.period_type, changed.period, touched.file_name
    union all
    select
        changed.basis,
        changed.period_type,
        changed.period,
        'setting ' || settings.setting
    from (select distinct
        basis,
        period_type,
        period
    from changed) as changed
    cross join input.changed_settings as settings
),

explained as (
    select
        basis,
        period_type,
        period,
        string_agg(reason, '; ' order by reason) as why
    from reasons
    group by basis, period_type, period
),

this_publication as (
    select
        version,
        published_at_utc
    from input.publications
    qualify row_number() over (order by published_at_utc desc, version desc) = 1
)

select
    this_publication.version,
    this_publication.published_at_utc as restated_at_utc,
    changed.indicator,
    changed.variant,
    changed.period_type,
    changed.period,
    changed.dimension_type,
    changed.dimension,
    changed.value as old_value,
    changed.new_value,
    changed.unit,
    changed.numerator as old_numerator,
    changed.denominator as old_denominator,
    changed.new_numerator,
    changed.new_denominator,
    coalesce(
        explained.why, 'neither an export nor a setting: another version of this software, or records that are gone'
    ) as why
from changed
cross join this_publication
left join explained using (basis, period_type, period)
