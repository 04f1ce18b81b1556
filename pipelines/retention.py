"""Forgets old runs of Dagster's history; what the UI knows of each export day stays.

Belongs here: which runs may go. Does not belong here: what of a run stays (`pipelines/event_log.py`), versions of the
warehouse (`pipelines/publishing.py`), the raw text of records (`assets/records.py`), ticks (`dagster.yaml`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.compute_log_manager import ComputeLogManager
from dagster._core.storage.dagster_run import FINISHED_STATUSES

from assets.exports import EXPORTS
from assets.keys import asset_key
from pipelines.event_log import SharedEventLog
from pipelines.runs import is_ours
from pipelines.settings import Settings


def old_runs_sensor(settings: Settings) -> dg.SensorDefinition:
    """The sensor that forgets old runs where nights are started by the daemon; running as soon as it is installed."""

    @dg.sensor(
        name="old_runs",
        minimum_interval_seconds=6 * 3600,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Forgets runs that began more than {settings.retention.history_days} days ago; what is known of "
        "each export day stays.",
    )
    def old_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(f"{forget_old_runs(context.instance, settings)} old runs forgotten")

    return old_runs


def forget_old_runs(
    instance: dg.DagsterInstance,
    settings: Settings,
    now: datetime | None = None,
    compute_logs: ComputeLogManager | None = None,
) -> int:
    """Delete the runs of this city that began more than `retention.history_days` ago; returns how many.

    One that is queued or at work is never touched, and one that failed to read a day stays until another reads it: the
    UI takes from it that the day failed, and why. What steps printed lies where `compute_logs` says, else where the
    instance has it. A storage of Dagster's own would forget with a run that its days were read, so there nothing goes.
    """
    if not isinstance(instance.event_log_storage, SharedEventLog):
        return 0
    oldest = (now or datetime.now(UTC)) - timedelta(days=settings.retention.history_days)
    of_all = instance.get_runs(dg.RunsFilter(statuses=FINISHED_STATUSES, created_before=oldest))
    old = [run for run in of_all if is_ours(run, settings)]
    if not all(run.is_success for run in old):
        needed = _left_days_unread(instance, settings)
        old = [run for run in old if run.run_id not in needed]
    for run in old:
        (compute_logs or instance.compute_log_manager).delete_logs(prefix=[run.run_id])
        instance.delete_run(run.run_id)
    return len(old)


def _left_days_unread(instance: dg.DagsterInstance, settings: Settings) -> set[str]:
    """The runs that were the last to try a day, and did not read it."""
    unread = instance.event_log_storage.get_latest_asset_partition_materialization_attempts_without_materializations
    return {run_id for name in EXPORTS for run_id, _ in unread(asset_key(settings, name)).values()}
