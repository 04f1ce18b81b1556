-- When readers were given an earlier version again, and when publishing went on: a row for every pin and every release
-- before this version was built.
select
    at_utc,
    action,
    version,
    instead_of_version,
    reason
from input.rollbacks
