-- Which cluster's desk gives a service, and when.
select
    service,
    cluster,
    valid_from,
    valid_to
from input.clusters
