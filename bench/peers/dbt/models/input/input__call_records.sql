-- The records of the exports that were not refused.
{{ config(alias='call_records', schema='input', database='staging', materialized='view') }}
select records.*
from {{ ref('input__read_records') }} as records
semi join {{ ref('input__files') }} as files on files.file_id = records.file_id and files.status = 'loaded'
