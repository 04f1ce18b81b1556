{# A model says itself where it stands; dbt would put the target's schema before it. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}

{# A local time in UTC by the day's offset: of one that exists twice the earlier, NULL for one that does not exist. #}
{% macro to_utc(local, day) -%}
    {{ local }} - to_minutes(case
        when {{ day }}.switch_at_utc is null
            or {{ local }} < {{ day }}.switch_at_utc + to_minutes({{ day }}.offset_minutes)
            then {{ day }}.offset_minutes
        when {{ local }} >= {{ day }}.switch_at_utc + to_minutes({{ day }}.offset_after_minutes)
            then {{ day }}.offset_after_minutes
    end)
{%- endmacro %}
