-- Every line of every export as a canonical record, or with the first thing that is wrong with it.
-- Whole lines are read and then split: no line is lost, whatever number of fields it has, each keeps its number, and
-- it takes half the time of read_csv with its table of rejects. It knows no quotes; these exports have none.
{{ config(alias='read_records', schema='input', database='staging') }}
{%- set form = '%Y-%m-%d %H:%M:%S' %}
{%- set moments = ['arrived', 'answered', 'queued', 'ended'] %}
with numbered as (
    select
        filename,
        text,
        row_number() over () as number
    from read_csv(
        '{{ env_var("BENCH_EXPORTS") }}/calls_*.csv', columns = {'text': 'VARCHAR'}, auto_detect = false, header = false,
        delim = chr(31), quote = '', escape = '', nullstr = chr(30), filename = true
    )
),

firsts as (
    select
        filename,
        min(number) as first_number
    from numbered
    group by filename
),

split as (
    select
        files.file_id,
        files.latest_utc,
        numbered.number - firsts.first_number + 1 as line,
        string_split(coalesce(numbered.text, ''), ';') as field
    from numbered
    inner join firsts using (filename)
    inner join input.file_list as files on files.path = numbered.filename
    where numbered.number > firsts.first_number
),

-- of a line of another width no field is used
sound as (
    select
        * replace (if(len(field) = 12, field, null) as field),
        len(field) as fields
    from split
),

fields as (
    select
        file_id,
        latest_utc,
        line,
        fields,
        trim(field[1]) as id,
        trim(field[2]) as leg,
        coalesce(nullif(trim(field[3]), ''), 'phone') as queue,
        trim(field[4]) as direction,
        trim(field[5]) as outcome,
        {% for name in moments %}
        trim(field[{{ {'arrived': 6, 'queued': 7, 'answered': 8, 'ended': 9}[name] }}]) as {{ name }},
        {% endfor %}
        trim(field[10]) as wait,
        trim(field[11]) as queue_wait
    from sound
),

typed as (
    select
        *,
        case direction when 'in' then 'inbound' when 'out' then 'outbound' end as meant_direction,
        case
            when outcome = 'answered' then 'answered'
            when outcome in ('missed', 'menu', 'voicemail') then 'missed'
        end as reported_outcome,
        case outcome when 'missed' then 'abandoned' when 'menu' then 'menu' when 'voicemail' then 'voicemail' end
            as missed_reason,
        {% for name in moments %}
        try_strptime({{ name }}, '{{ form }}') as {{ name }}_local,
        {% endfor %}
        try_cast(wait as decimal(18, 3)) as wait_read,
        try_cast(queue_wait as decimal(18, 3)) as queue_wait_read
    from fields
),

dated as (
    select
        typed.*,
        coalesce(
            typed.arrived_local >= arrived_day.switch_at_utc + to_minutes(arrived_day.offset_after_minutes)
            and typed.arrived_local < arrived_day.switch_at_utc + to_minutes(arrived_day.offset_minutes),
            false
        ) as is_arrival_ambiguous,
        {% for name in moments %}
        {{ to_utc('typed.' ~ name ~ '_local', name ~ '_day') }} as {{ name }}_at_utc{{ ',' if not loop.last }}
        {% endfor %}
    from typed
    {% for name in moments %}
    left join input.utc_days as {{ name }}_day on {{ name }}_day.utc_date = typed.{{ name }}_local::date
    {% endfor %}
),

judged as (
    select
        *,
        -- the first that applies: column, reason, value
        case
            when fields <> 12 then row('(all)', fields || ' fields, where the header has 12', null::varchar)
            when id = '' then row('id', 'no value, where one is required', id)
            when leg = '' then row('leg', 'no value, where one is required', leg)
            when reported_outcome is null then row('outcome', 'not one of the declared outcomes', outcome)
            when meant_direction is null then row('direction', 'not one of the declared directions', direction)
            when arrived = '' then row('arrived', 'no arrival, so the call belongs to no day', arrived)
            {% for name in moments %}
            when {{ name }} <> '' and {{ name }}_local is null
                then row('{{ name }}', 'not in the format {{ form }}', {{ name }})
            when {{ name }}_local is not null and {{ name }}_at_utc is null
                then row('{{ name }}', 'a local time that does not exist in Europe/Brussels', {{ name }})
            when {{ name }}_at_utc > latest_utc
                then row('{{ name }}', 'after the day on which the export was made', {{ name }})
            {% endfor %}
            when wait <> '' and wait_read is null
                then row('wait', 'not a number of seconds with decimal ''.''', wait)
            when queue_wait <> '' and queue_wait_read is null
                then row('queue_wait', 'not a number of seconds with decimal ''.''', queue_wait)
        end::struct(column_name varchar, reason varchar, value varchar) as wrong,
        wait_read < 0 or wait_read > 999999.999 as is_wait_impossible,
        queue_wait_read < 0 or queue_wait_read > 999999.999 as is_queue_wait_impossible
    from dated
)

select
    file_id,
    line,
    if(
        id <> '' and leg <> '',
        replace(replace(id, '\', '\\'), '|', '\|') || '|' || replace(replace(leg, '\', '\\'), '|', '\|'),
        null
    ) as record_key,
    if(meant_direction = 'inbound', null, meant_direction) as exclusion_rule,
    wrong.column_name as quarantine_column,
    wrong.reason as quarantine_reason,
    regexp_replace(regexp_replace(regexp_replace(wrong.value, '\p{L}', 'a', 'g'), '\p{N}', '9', 'g'),
        '[^a9 .,:;/+\-_()|]', '?', 'g')[:60] as quarantine_pattern,
    if(id <> '' and leg <> '', id, null) as call_id,
    if(wrong is null, leg, null) as leg_id,
    if(wrong is null, queue, '') as queue,
    meant_direction as direction,
    reported_outcome,
    coalesce(reported_outcome = 'answered', false) as is_answered,
    missed_reason,
    false as is_open,
    arrived_at_utc,
    is_arrival_ambiguous,
    answered_at_utc,
    ended_at_utc,
    if(is_wait_impossible, null, wait_read)::decimal(9, 3) as wait_seconds,
    if(is_queue_wait_impossible, null, queue_wait_read)::decimal(9, 3) as queue_wait_seconds,
    false as is_wait_lower_bound,
    null::boolean as is_marked_outside_hours,
    case when is_wait_impossible then 'wait' when is_queue_wait_impossible then 'queue_wait' end as impossible_duration
from judged
