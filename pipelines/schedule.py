"""The job of a night, which export days it takes, and the schedule that starts it.

Belongs here: what makes a night begin by the clock. Does not belong here: what begins one when files arrive
(`pipelines/arrivals.py`), and the command line (`pipelines/night.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from assets.exports import EXPORTS, failed_days
from assets.files import ExportFile, export_files, today
from assets.records import RecordStore
from pipelines.runs import tags_of
from pipelines.settings import Settings

JOB = "nightly"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def nightly_job(settings: Settings) -> dg.UnresolvedAssetJobDefinition:
    """All assets in one run: the exports of one or more days, then the warehouse, then its report."""
    return dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.all(),
        tags=tags_of(settings),
        description="Read the exports of one or more days, then build, verify and publish the warehouse; last, make "
        "its report.",
    )


def nightly_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """A night every night, at `night.at` in the zone of the centre; running as soon as it is installed."""

    @dg.schedule(
        name="every_night",
        job_name=JOB,
        cron_schedule=f"{settings.night.at.minute} {settings.night.at.hour} * * *",
        execution_timezone=settings.centre.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Starts a night: every export that was not read yet, and the last "
        f"{settings.night.look_back_days} export days once more.",
    )
    def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        night = context.scheduled_execution_time.astimezone(ZoneInfo(settings.centre.time_zone)).date()
        if night < settings.centre.start:
            return dg.SkipReason(f"centre.start {settings.centre.start} is still to come")
        unread = RecordStore(settings).unread(export_files(settings, today(settings)))
        again = [night - timedelta(days=settings.night.look_back_days), night]
        days = [*again, *to_take(unread, context.instance, settings)]
        return dg.RunRequest(run_key=f"night of {night}", tags=range_tags(settings, days))

    return every_night


def range_tags(settings: Settings, days: Iterable[date]) -> Mapping[str, str]:
    """What tells Dagster to take the export days from the first to the last of some, as one run; today if there is
    none. Days before `centre.start` are no export days.
    """
    known = list(days) or [today(settings)]
    first = max(min(known), settings.centre.start)
    return {RANGE_START: first.isoformat(), RANGE_END: max(known).isoformat()}


def to_take(files: Iterable[ExportFile], instance: dg.DagsterInstance, settings: Settings) -> list[date]:
    """The export days of files, and those that a run failed to read, so that none is left behind."""
    return [*days_of(files), *(day for asset in EXPORTS for day in failed_days(instance, settings, asset))]


def days_of(files: Iterable[ExportFile]) -> list[date]:
    """The export days of files; a file without a usable date is of none, and every run looks at it."""
    return [file.day for file in files if file.day is not None]
