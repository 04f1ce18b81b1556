-- Every export with its status: one of which more than 2 % can't be read is refused. What its name and its content say
-- (source, moment, sha256) is laid ready.
{{ config(alias='files', schema='input', database='staging') }}
with counted as (
    select
        file_id,
        count(*) as records,
        count(quarantine_reason) as quarantined,
        min_by(row(line, quarantine_column, quarantine_reason), line) filter (where quarantine_reason is not null)
            as first_wrong
    from {{ ref('input__read_records') }}
    group by file_id
)

select
    files.* exclude (latest_utc),
    if(counted.quarantined > 0.02 * counted.records, 'refused', 'loaded') as status,
    if(
        counted.quarantined > 0.02 * counted.records,
        format(
            '{} of {} records ({:.1f} %) can''t be read, more than the 2 % of max_quarantined_share of source ''{}''; '
            'the first: line {}, {}: {}',
            counted.quarantined, counted.records, 100 * counted.quarantined / counted.records, files.source,
            counted.first_wrong[1], counted.first_wrong[2], counted.first_wrong[3]
        ),
        null
    ) as reason,
    if(counted.quarantined > 0.02 * counted.records, counted.records, null) as unread_records
from input.file_list as files
inner join counted using (file_id)
