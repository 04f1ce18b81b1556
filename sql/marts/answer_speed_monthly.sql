-- Answered calls by speed bucket, by month of arrival and queue. The seven buckets sum to the answered calls.
with buckets as (
    select * from (
        values ('0-30', 1), ('31-60', 2), ('61-90', 3), ('91-120', 4), ('121-300', 5), ('300+', 6), ('unknown', 7)
    ) as buckets (speed_bucket, bucket_number)
),

counted as (
    select
        date_trunc('month', arrived_date)::date as month,
        queue,
        speed_bucket,
        count(*) filter (where outcome = 'answered') as answered,
        count(*) as all_answered,
        -- a wait that a second more or less would put elsewhere
        count(*) filter (
            where outcome = 'answered'
            and (
                abs(wait_seconds - 30) < 1 or abs(wait_seconds - 60) < 1 or abs(wait_seconds - 90) < 1
                or abs(wait_seconds - 120) < 1 or abs(wait_seconds - 300) < 1
            )
        ) as within_a_second_of_an_edge
    from core.calls
    where outcome = 'answered' or (outcome = 'outside_hours' and is_answered)
    group by all
)

select
    missed.month,
    missed.queue,
    buckets.speed_bucket,
    buckets.bucket_number::bigint as bucket_number,
    coalesce(counted.answered, 0) as answered,
    coalesce(counted.all_answered, 0) as all_answered,
    coalesce(counted.within_a_second_of_an_edge, 0) as within_a_second_of_an_edge,
    -- the whole of which the bucket is a part, the same on each row of a month and queue
    missed.offered as offered_total,
    missed.complete
from marts.missed_calls_monthly as missed
cross join buckets
left join counted
    on
        counted.month = missed.month
        and counted.queue = missed.queue
        and counted.speed_bucket = buckets.speed_bucket
