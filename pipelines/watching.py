"""The sensors of Dagster's daemon that tell people on call: of runs that ended, and of a warehouse that grows old.

A run from the command line tells of itself, for it needs no daemon. Without a declared channel there is no sensor.
Does not belong here: what is told (`pipelines/alerts/`), and sensors that begin runs.
"""

from __future__ import annotations

import dagster as dg

from pipelines.alerts.telling import tell_if_stale, tell_of_run
from pipelines.failure import causes_of
from pipelines.runbook import Heading, see
from pipelines.runs import is_of_command_line, is_ours
from pipelines.settings import Settings

ON = dg.DefaultSensorStatus.RUNNING


class NotTold(Exception):
    """An alert did not arrive; the message says by which channel and why. What reached nobody is tried again."""


def watching(settings: Settings) -> list[dg.SensorDefinition]:
    """The sensors of one city."""
    if not settings.alerts.channels:
        return []

    @dg.run_failure_sensor(
        name="tell_of_failed_run",
        description="Tells people on call of a run that failed or whose publication was blocked.",
        default_status=ON,
        monitor_all_code_locations=True,  # else it is blind to runs of the command line
    )
    def failed(context: dg.RunFailureSensorContext) -> None:
        run, causes = context.dagster_run, causes_of(context.get_step_failure_events())
        # one of the command line tells of itself, unless it was killed
        if is_ours(run, settings) and not (causes and is_of_command_line(run)):
            _told(tell_of_run(settings, run.run_id, causes))

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="tell_of_published_run",
        description="Tells people on call of norms that a publication newly shows as missed.",
        default_status=ON,
    )
    def succeeded(context: dg.RunStatusSensorContext) -> None:
        if is_ours(context.dagster_run, settings) and not is_of_command_line(context.dagster_run):
            _told(tell_of_run(settings, context.dagster_run.run_id, None))

    @dg.sensor(
        name="tell_if_stale",
        description="Tells people on call that the published warehouse is too old; tries again what reached nobody.",
        minimum_interval_seconds=600,
        default_status=ON,
    )
    def stale() -> dg.SkipReason:
        _told(tell_if_stale(settings))
        return dg.SkipReason("Told, or nothing to tell.")

    return [failed, succeeded, stale]


def _told(trouble: list[str]) -> None:
    if trouble:
        raise NotTold(f"{'; '.join(trouble)} {see(Heading.ALERT_NOT_SENT)}")
