-- Every appointment record of every file that was read, with its moments in the centre's civil time too.
select
    records.file_id,
    records.line,
    files.source,
    coalesce(sources.visits_of, files.source) as appointment_source,
    files.file_name,
    files.exported_at_utc,
    files.status = 'replaced' as is_replaced,
    records.record_key,
    records.appointment_id,
    records.service,
    records.booking_channel,
    records.status,
    records.exclusion_rule,
    records.booked_at_utc,
    records.booked_at_utc + to_minutes(
        if(
            records.booked_at_utc >= booked.switch_at_utc,
            booked.offset_after_minutes, booked.offset_minutes
        )
    ) as booked_local,
    records.planned_start_utc,
    records.planned_start_utc + to_minutes(
        if(
            records.planned_start_utc >= planned.switch_at_utc,
            planned.offset_after_minutes, planned.offset_minutes
        )
    ) as planned_start_local,
    records.planned_day,
    records.first_planned_start_utc,
    records.first_planned_start_utc + to_minutes(
        if(
            records.first_planned_start_utc >= first_planned.switch_at_utc,
            first_planned.offset_after_minutes, first_planned.offset_minutes
        )
    ) as first_planned_start_local,
    records.checked_in_at_utc,
    records.checked_in_at_utc + to_minutes(
        if(
            records.checked_in_at_utc >= checked_in.switch_at_utc,
            checked_in.offset_after_minutes, checked_in.offset_minutes
        )
    ) as checked_in_local,
    records.started_at_utc,
    records.started_at_utc + to_minutes(
        if(
            records.started_at_utc >= started.switch_at_utc,
            started.offset_after_minutes, started.offset_minutes
        )
    ) as started_local,
    records.ended_at_utc,
    records.quarantine_column,
    records.quarantine_reason,
    records.quarantine_pattern
from input.appointment_records as records
inner join input.files as files using (file_id)
inner join input.sources as sources using (source)
left join input.utc_days as booked on booked.utc_date = records.booked_at_utc::date
left join input.utc_days as planned on planned.utc_date = records.planned_start_utc::date
left join input.utc_days as first_planned on first_planned.utc_date = records.first_planned_start_utc::date
left join input.utc_days as started on started.utc_date = records.started_at_utc::date
left join input.utc_days as checked_in on checked_in.utc_date = records.checked_in_at_utc::date
