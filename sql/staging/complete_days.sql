-- The days whose figures are complete, for each kind of figure: none of their sources stands in the way.
select
    basis,
    date
from staging.days
group by basis, date
having count(incomplete_reason) = 0
