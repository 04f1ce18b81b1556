-- What was published when, by which run, with which settings; the last row is this file itself.
select
    version,
    published_at_utc,
    run_id,
    as_of_utc,
    files,
    records,
    settings_sha256,
    settings_text
from input.publications
