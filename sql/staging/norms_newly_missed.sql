-- The norms that a complete figure misses and did not show as missed, of a complete period, in the publication before.
-- The first publication has none: all that it holds is new.
select
    now.indicator,
    now.variant,
    now.period_type,
    now.period,
    now.dimension_type,
    now.dimension,
    now.value,
    now.unit,
    now.norm_operator,
    now.norm_value
from marts.indicators as now
left join input.published_figures as was using (indicator, variant, period_type, period, dimension_type, dimension)
where
    now.complete
    and not now.norm_met
    and not coalesce(was.complete and not was.norm_met, false)
    and (select count(*) > 1 from input.publications)
