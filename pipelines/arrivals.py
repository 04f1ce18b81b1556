"""Starts a night when exports arrive at odd hours.

A file is waited for until two ticks find it the same. A run is asked for once; only when it succeeded does the cursor
go on, and when it failed it is asked for again, less and less often. Belongs here: when a night begins because of what
lies in the exports folder. Does not belong here: what is read of it, and when (`assets/records.py`).
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from pydantic import BaseModel

from assets.files import ExportFile, export_files, growing, listing, stamp, today
from assets.records import RecordStore, changed_at_utc
from pipelines.lock import is_night_at_work
from pipelines.publishing import Warehouse
from pipelines.schedule import JOB, days_of, range_tags, to_take
from pipelines.settings import Settings

SECONDS = 30
"""Between two ticks, at least."""
WAITS = [timedelta(minutes=5), timedelta(minutes=20), timedelta(minutes=80)]
"""How long after each failed attempt the next one is made; after the last, the night of the schedule is the next."""
NOTHING_NEW = "nothing has changed since exports were taken in last"
RUN_KEY = "dagster/run_key"
Stamps = dict[str, tuple[int, int]]
"""Size and time of change of files, by name."""


class Asked(BaseModel):
    """A run that was asked for: by which key, how the folder looked then, for which files, and which attempt it is."""

    key: str
    folder: str
    files: Stamps
    attempt: int = 1


class Cursor(BaseModel):
    """What one tick hands to the next: how the folder looked when all in it was taken in; the files not read that were
    seen last; those that a run took and could not read yet; the run that was asked for.
    """

    done: str = ""
    seen: Stamps = {}
    taken: Stamps = {}
    asked: Asked | None = None


def new_exports_sensor(settings: Settings) -> dg.SensorDefinition:
    """The sensor that starts a night for new, changed and re-delivered files; running as soon as it is installed."""

    @dg.sensor(
        name="new_exports",
        job_name=JOB,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a night when files arrived that two ticks found unchanged, or when exports were read and "
        "not built. A failed run is tried again after 5, 20 and 80 minutes.",
    )
    def new_exports(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        cursor = Cursor.model_validate_json(context.cursor) if context.cursor else Cursor()
        outcome = tick(settings, context.instance, cursor, datetime.now(UTC))
        said = {"skip_reason": outcome} if isinstance(outcome, str) else {"run_requests": [outcome]}
        return dg.SensorResult(cursor=cursor.model_dump_json(), **said)

    return new_exports


def tick(settings: Settings, instance: dg.DagsterInstance, cursor: Cursor, now: datetime) -> dg.RunRequest | str:
    """Look at the exports folder: the run to ask for, or why there is none. Brings the cursor forward."""
    return _Tick(settings, instance, cursor, now).outcome()


class _Tick:
    """One look at the exports folder."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance, cursor: Cursor, now: datetime) -> None:
        self.settings = settings
        self.instance = instance
        self.cursor = cursor
        self.now = now
        self.folder = _digest(settings)

    def outcome(self) -> dg.RunRequest | str:
        """The run to ask for, or why there is none."""
        if not self.settings.folders.exports.is_dir():
            return f"{self.settings.folders.exports}: there is no such folder; set folders.exports or KCC_EXPORTS"
        attempt = 1
        if self.cursor.asked is not None:
            told = self._of_the_last(self.cursor.asked)
            if not isinstance(told, int):
                return told
            attempt = told
        is_left = self.cursor.asked is not None or not _is_built(self.settings)
        if self.cursor.done == self.folder and not is_left:
            return NOTHING_NEW
        if self._is_night_coming():
            return "a night is at work"
        return self._of_the_folder(attempt, is_left)

    def _of_the_last(self, asked: Asked) -> dg.RunRequest | str | int:
        """What the run that was asked for came to: the number of the attempt to make now, or what to do instead."""
        record = next(iter(self.instance.get_run_records(dg.RunsFilter(tags={RUN_KEY: asked.key}), limit=1)), None)
        if record is None:  # the daemon was stopped before it made the run
            return dg.RunRequest(run_key=asked.key, tags=range_tags(self.settings, self._days(asked)))
        if not record.dagster_run.is_finished:
            return f"run {record.dagster_run.run_id} takes them in"
        if self._has_succeeded(record):
            self.cursor.taken, self.cursor.asked = asked.files, None
            return 1
        return 1 if self.folder != asked.folder else self._again(asked, record)

    def _has_succeeded(self, record: dg.RunRecord) -> bool:
        """Whether the run did what was asked of it, or another night since."""
        later = dg.RunsFilter(
            job_name=JOB, statuses=[dg.DagsterRunStatus.SUCCESS], created_after=record.create_timestamp
        )
        return record.dagster_run.status == dg.DagsterRunStatus.SUCCESS or bool(self.instance.get_runs(later, limit=1))

    def _again(self, asked: Asked, record: dg.RunRecord) -> str | int:
        """Of a run that failed while nothing has changed since: the number of the next attempt, or why it waits."""
        failed = f"run {record.dagster_run.run_id} failed"
        if asked.attempt > len(WAITS):
            return (
                f"{failed}, which was attempt {asked.attempt}; mend what it names: the next night takes them in, or "
                "`kcc run`"
            )
        again_at = datetime.fromtimestamp(record.end_time or 0, UTC) + WAITS[asked.attempt - 1]
        return f"{failed}; it is tried again at {again_at:%H:%M} UTC" if self.now < again_at else asked.attempt + 1

    def _is_night_coming(self) -> bool:
        """Whether a run of whoever is at work, or stands in the queue."""
        queued = dg.RunsFilter(job_name=JOB, statuses=[dg.DagsterRunStatus.QUEUED])
        return is_night_at_work(self.settings.folders.data) or bool(self.instance.get_runs(queued, limit=1))

    def _of_the_folder(self, attempt: int, is_left: bool) -> dg.RunRequest | str:
        unread = [file for file in self._unread() if self.cursor.taken.get(file.name) != stamp(file.path)]
        seen = {file.name: stamp(file.path) for file in unread}
        same = [file for file in unread if self.cursor.seen.get(file.name) == seen[file.name]]
        ready = [file for file in same if growing(file, int(self.now.timestamp() * 1e9)) is None]
        self.cursor.seen = seen
        if ready or (is_left and len(same) == len(unread)):
            files = {file.name: seen[file.name] for file in ready}
            key = f"exports that arrived by {self.now:%Y-%m-%d %H:%M:%S} UTC"
            self.cursor.asked = Asked(key=key, folder=self.folder, files=files, attempt=attempt)
            days = to_take(ready, self.instance, self.settings)
            return dg.RunRequest(run_key=key, tags=range_tags(self.settings, days))
        if not unread:
            self.cursor.done = self.folder
            return NOTHING_NEW
        return f"{len(unread)} files are new or not complete: the next ticks look whether they still change"

    def _days(self, asked: Asked) -> list[date]:
        return days_of(file for file in self._unread() if file.name in asked.files)

    def _unread(self) -> list[ExportFile]:
        return RecordStore(self.settings).unread(export_files(self.settings, today(self.settings)))


def _digest(settings: Settings) -> str:
    """Another one whenever the exports folder or the settings changed."""
    return hashlib.sha256(json.dumps([settings.sha256, listing(settings)]).encode()).hexdigest()


def _is_built(settings: Settings) -> bool:
    """Whether a build, published or not, has begun since exports were read last."""
    read = changed_at_utc(settings)
    built = Warehouse(settings.folders.data, settings.retention.versions).last_build_at_utc()
    return read is None or (built is not None and read <= built)
