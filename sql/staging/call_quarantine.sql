-- Call records that are in no figure: those that could not be read, and those on a day without declared hours.
select
    records.file_id,
    records.line,
    coalesce(records.quarantine_column, '(arrival)') as column_name,
    coalesce(
        records.quarantine_reason,
        'arrived on a day for which the settings declare no opening hours of the telephone'
    ) as reason,
    records.quarantine_pattern as pattern
from staging.call_records as records
left join core.calendar as calendar
    on
        calendar.service_point = 'telephone'
        and calendar.date = records.arrived_local::date
where
    records.quarantine_reason is not null
    or calendar.date is null
