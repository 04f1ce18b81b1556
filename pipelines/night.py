"""Runs a night from the command line: the same job as the UI's, in its history."""

from __future__ import annotations

import logging
import os
from datetime import date
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from assets.files import export_files, no_exports_folder, stamp, today
from assets.records import RecordStore
from assets.report.nightly import STEP as REPORT
from assets.untold import kind_and_place
from pipelines.failure import Cause, causes_of, heading_of
from pipelines.killed_runs import end_runs_of_the_command_line
from pipelines.location import build_definitions
from pipelines.lock import NightIsRunning, night_lock, one_at_a_time
from pipelines.publishing import Warehouse
from pipelines.retention import forget_old_runs
from pipelines.runbook import Heading, see
from pipelines.runs import OF_COMMAND_LINE
from pipelines.schedule import JOB, range_tags, to_take
from pipelines.settings import ROOT, Settings
from pipelines.space import NoSpace, told_if_full
from pipelines.store import StoreTrouble

log = logging.getLogger("kcc")
NOT_CAPTURED = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}


class NightFailed(Exception):
    """The run failed and published nothing; the message says why. Without `run_id` it failed before it began."""

    def __init__(self, why: str, run_id: str | None, causes: list[Cause]) -> None:
        self.run_id = run_id
        self.causes = causes
        super().__init__(why)


class ReportFailed(Exception):
    """The run published the warehouse, and could not make the report; the message says why."""

    def __init__(self, run_id: str, why: str, causes: list[Cause]) -> None:
        self.run_id = run_id
        self.causes = causes
        super().__init__(
            f"the warehouse is published, its report was not made: {why}; mend it and run `kcc report` "
            + see(Heading.NO_REPORT)
        )


def dagster_instance() -> dg.DagsterInstance:
    """The instance of $DAGSTER_HOME, else the project's own.

    The folders in its dagster.yaml are relative to the working folder, which is therefore changed. What steps print is
    not captured: they print nothing, warnings belong on the terminal of who sits there, and each night would pay for
    four processes that copy nothing from files to the terminal (0.1 s).
    """
    home = dagster_home()
    os.chdir(home)
    settings = InstanceRef.from_dir(str(home), overrides={"compute_logs": NOT_CAPTURED})
    with one_at_a_time(home / ".dagster" / ".opening.lock"):  # it would be created by each of several first runs
        return dg.DagsterInstance.from_ref(settings)


def dagster_home() -> Path:
    """Where Dagster keeps its history."""
    return Path(os.environ.get("DAGSTER_HOME") or ROOT)


Days = tuple[date, date]
"""The first and the last of some export days."""


def run_night(settings: Settings, only: Days | None = None) -> str:
    """Take in every export that was not read yet, or those of `only` some export days, then build, verify and publish.

    Returns the id of the run. Raises NightIsRunning where another process is at work, NightFailed where nothing was
    published, ReportFailed where everything was but the report.
    """
    if not settings.folders.exports.is_dir():
        raise NightFailed(
            no_exports_folder(settings),
            None,
            [Cause("beginning", "NoExportsFolder")],
        )
    try:
        with told_if_full(settings.folders.data), night_lock(settings.folders.data, wait=False):
            return _run_night(settings, only)
    except (NightFailed, ReportFailed, NightIsRunning):
        raise
    except Exception as error:
        raise NightFailed(_sentence(error), None, [Cause("beginning", type(error).__name__)]) from None


def _sentence(error: Exception) -> str:
    """Why a night could not begin, or could not be written down; an error that may quote a value does not speak."""
    if isinstance(error, PermissionError):
        return f"{error.filename}: not yours to open; let the user who runs the nights do it {see(Heading.NOT_YOURS)}"
    if isinstance(error, NoSpace | StoreTrouble | OSError):
        return str(error) if "(runbook: " in str(error) else f"{error} {see(Heading.RUN_FAILED)}"
    return f"the night broke off: {kind_and_place(error)} {see(Heading.UNEXPECTED)}"


def _run_night(settings: Settings, only: Days | None) -> str:
    Warehouse.of(settings).clear_left_overs()
    store = RecordStore(settings)
    unread = store.unread(export_files(settings, today(settings)))
    if only is not None:
        unread = [f for f in unread if f.day is None or only[0] <= f.day <= only[1] or store.was_read_otherwise(f)]
    log.debug("reading", extra={"to_read": (len(unread), sum(stamp(file.path)[0] for file in unread))})
    job = build_definitions(settings).resolve_job_def(JOB)
    with told_if_full(dagster_home()), dagster_instance() as instance:
        end_runs_of_the_command_line(instance, settings)
        days = only or to_take(unread, instance, settings)
        result = job.execute_in_process(
            instance=instance,
            tags={**range_tags(settings, days), **OF_COMMAND_LINE},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
        _forget_old_runs(instance, settings)
    causes = causes_of(result.all_events)
    if [cause.step for cause in causes] == [REPORT]:
        raise ReportFailed(result.run_id, _why(result), causes)
    if not result.success:
        raise NightFailed(_why(result), result.run_id, causes)
    return result.run_id


def _forget_old_runs(instance: dg.DagsterInstance, settings: Settings) -> None:
    """Forget runs that are old enough, those of the UI with what their steps printed; a night does not fail by it."""
    try:
        captured = InstanceRef.from_dir(str(dagster_home())).compute_log_manager
        forget_old_runs(instance, settings, compute_logs=captured)
    except Exception as error:
        log.error(f"old runs of Dagster's history are still there: {error}; the next night tries again")


def _why(result: dg.ExecuteInProcessResult) -> str:
    """The sentence of the step that failed, without a traceback."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            described = failure.user_failure_data
            if described is not None and described.description:
                return described.description
            error = failure.error
            cause = error.cause if error is not None and error.cause is not None else error
            message = cause.message.strip() if cause is not None else "an unknown error"
            said = f"{event.step_key} failed: {message}; look at run {result.run_id} in the Dagster UI"
            return f"{said} {see(heading_of(causes_of([event])))}"
    return f"run {result.run_id} failed; look at it in the Dagster UI {see(Heading.RUN_FAILED)}"
