-- Months with appointments for services that belong to no cluster on their day: in the figure of all, in no cluster's.
with services as (
    select
        source,
        date_trunc('month', visit_date)::date as month,
        service,
        cluster = 'unmapped' as is_unmapped,
        count(*) as appointments
    from core.appointments
    where visit_date is not null
    group by all
)

select
    'unmapped_service' as tripwire,
    source,
    month,
    (sum(appointments) filter (where is_unmapped))::bigint as affected,
    sum(appointments)::bigint as total,
    format(
        '{} of the {} appointments of source ''{}'' in {} are for a service of no cluster: {}. Add it to [[clusters]].',
        sum(appointments) filter (where is_unmapped),
        sum(appointments),
        source,
        strftime(month, '%B %Y'),
        string_agg(format('''{}'' ({})', service, appointments), ', ' order by appointments desc, service asc)
        filter (where is_unmapped)
    ) as sentence
from services
group by source, month
having count(*) filter (where is_unmapped) > 0
