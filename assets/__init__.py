"""What exists: one module per stage, in the order in which a record passes through them.

files      finds exports and when they were made
reading    turns the bytes of one file into text records, strictly
adapters/  turns text records into canonical ones, or into quarantine
records    keeps canonical records and the receipt of each file on disk
exports    the Dagster assets of the stages above, by export day
inputs     lays records and settings ready for the build
build      runs `sql/`, one file a table, into a fresh warehouse
verify     refuses a warehouse that breaks a contract or does not add up
warehouse  the Dagster assets of the build, one a table

Does not belong here: how a run is started, scheduled or published (`pipelines/`).
"""

import os

# A daily export is a small frame, of which several threads make no less wall time and a fifth more CPU: 365 exports of
# a million records take 9.3 s instead of 11.2. Polars asks once, when it is imported.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
