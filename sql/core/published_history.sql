-- Figures that were published before this warehouse existed: as published, not recomputable, never mixed with ours.
select
    indicator,
    year,
    value,
    unit,
    source
from input.published_history
