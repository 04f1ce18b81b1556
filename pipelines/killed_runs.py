"""Ends runs whose process is gone, in Dagster's history: it would count them as running for ever.

Its queue lets one run begin at a time, so every later one would wait for them. Does not belong here: clearing away what
a killed run left on the disk (`pipelines/publishing.py`, `assets/records.py`), which the next run does.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

from pipelines.lock import is_night_at_work
from pipelines.runbook import Heading, see
from pipelines.runs import OF_COMMAND_LINE, data_tag, is_of_command_line, is_ours
from pipelines.settings import Settings

SILENCE = timedelta(minutes=10)
"""A run that lives either holds the night's lock, or waits for it, or tells something every few seconds."""
BEGUN = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def end_runs_of_the_command_line(instance: dg.DagsterInstance, settings: Settings) -> None:
    """End earlier runs from the command line on the same data. Whoever holds the night's lock knows that none lives."""
    for run in instance.get_runs(dg.RunsFilter(statuses=BEGUN, tags={**data_tag(settings), **OF_COMMAND_LINE})):
        if is_of_command_line(run):
            _end(instance, run)


def killed_runs_sensor(settings: Settings) -> dg.SensorDefinition:
    """The sensor that ends runs whose process is gone; running as soon as it is installed."""

    @dg.sensor(
        name="killed_runs",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends runs that were killed, by whatever: they would hold up all others.",
    )
    def killed_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = end_silent_runs(context.instance, settings, datetime.now(UTC))
        if not ended:
            return dg.SkipReason("none is gone")
        return dg.SkipReason(f"ended, for their process is gone: {', '.join(ended)} {see(Heading.PROCESS_KILLED)}")

    return killed_runs


def end_silent_runs(instance: dg.DagsterInstance, settings: Settings, now: datetime) -> list[str]:
    """End every run that has told nothing for ten minutes while nobody holds the night's lock; returns their ids."""
    records = instance.get_run_records(dg.RunsFilter(statuses=BEGUN))
    begun = [record for record in records if is_ours(record.dagster_run, settings)]
    if not begun or is_night_at_work(settings.folders.data):
        return []
    silent = [record.dagster_run for record in begun if _last_told(instance, record) < now - SILENCE]
    for run in silent:
        _end(instance, run)
    return [run.run_id for run in silent]


def _last_told(instance: dg.DagsterInstance, record: dg.RunRecord) -> datetime:
    told = instance.get_records_for_run(record.dagster_run.run_id, limit=1, ascending=False).records
    return datetime.fromtimestamp(told[0].event_log_entry.timestamp, UTC) if told else record.create_timestamp


def _end(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    instance.report_run_failed(run, "The process of this run was killed.")
