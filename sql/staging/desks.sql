-- Whose hours count for a cluster: those of its own desk (`desk:Wonen`) where it has any, or else those of `desk`.
with clusters as (
    select cluster from core.clusters
    union
    select 'unmapped' as cluster
),

own as (
    select distinct service_point from input.hours
)

select
    clusters.cluster,
    coalesce(own.service_point, 'desk') as service_point
from clusters
left join own on own.service_point = 'desk:' || clusters.cluster
