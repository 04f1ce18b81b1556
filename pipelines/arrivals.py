"""Starts a night when exports arrive at odd hours.

A file is waited for until two ticks find it the same. A run is asked for once; only when it succeeded does the cursor
go on, and when it failed it is asked for again, less and less often. Belongs here: when a night begins because of what
lies in the exports folder. Does not belong here: what is read of it, and when (`assets/records.py`).
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import cached_property

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from pydantic import BaseModel

from assets.files import ExportFile, export_files, growing, listing, no_exports_folder, stamp, today
from assets.records import RecordStore, changed_at_utc
from pipelines.lock import is_night_at_work
from pipelines.publishing import Warehouse
from pipelines.runbook import Heading, see
from pipelines.runs import data_tag
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
    """A run that was asked for: by which key, with which settings, for which files, and which attempt it is."""

    key: str
    settings_sha256: str
    files: Stamps
    attempt: int = 1


class Cursor(BaseModel):
    """What one tick hands to the next: how the folder looked when nothing was left to do; the files not read that were
    seen last; those that runs took in vain, for they are not complete; when receipts had changed last when a run
    succeeded; the run that was asked for.
    """

    done: str = ""
    seen: Stamps = {}
    in_vain: Stamps = {}
    built: datetime | None = None
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

    def outcome(self) -> dg.RunRequest | str:
        """The run to ask for, or why there is none."""
        if not self.settings.folders.exports.is_dir():
            return no_exports_folder(self.settings)
        failed = None
        if (asked := self.cursor.asked) is not None:
            # another city's sensor may have asked in the same second
            its_run = dg.RunsFilter(tags={RUN_KEY: asked.key, **data_tag(self.settings)})
            record = next(iter(self.instance.get_run_records(its_run, limit=1)), None)
            if record is None:  # the daemon was stopped before it made the run
                days = days_of(file for file in self._unread if file.name in asked.files)
                return dg.RunRequest(run_key=asked.key, tags=range_tags(self.settings, days))
            if not record.dagster_run.is_finished:
                return f"run {record.dagster_run.run_id} takes them in"
            if not self._is_done(asked, record):
                failed = record
        folder = _digest(self.settings)
        if failed is None and self.cursor.done == folder and self._is_built():
            return NOTHING_NEW
        if self._is_night_coming():
            return "a night is at work"
        return self._of_the_folder(folder, failed)

    def _is_done(self, asked: Asked, record: dg.RunRecord) -> bool:
        """Whether the run that was asked for did it, or another night has since; then the cursor goes on."""
        is_done = record.dagster_run.status == dg.DagsterRunStatus.SUCCESS
        if not is_done and not asked.files.items() & self._stamps.items():
            later = dg.RunsFilter(
                job_name=JOB,
                statuses=[dg.DagsterRunStatus.SUCCESS],
                tags=data_tag(self.settings),
                created_after=record.create_timestamp,
            )
            is_done = bool(self.instance.get_runs(later, limit=1))
        if is_done:
            self.cursor.in_vain |= asked.files
            self.cursor.built = changed_at_utc(self.settings)
            self.cursor.asked = None
        return is_done

    def _is_built(self) -> bool:
        """Whether a build, published or not, has begun since exports were read last.

        A folder may have changed in the future, by a clock that was put right since; then the cursor knows.
        """
        read = changed_at_utc(self.settings)
        built = Warehouse.of(self.settings).last_build_at_utc()
        return read is None or read == self.cursor.built or (built is not None and read <= built)

    def _is_night_coming(self) -> bool:
        """Whether a run of whoever is at work, is about to be, or stands in the queue."""
        coming = dg.RunsFilter(job_name=JOB, statuses=NOT_FINISHED_STATUSES, tags=data_tag(self.settings))
        return is_night_at_work(self.settings.folders.data) or bool(self.instance.get_runs(coming, limit=1))

    def _of_the_folder(self, folder: str, failed: dg.RunRecord | None) -> dg.RunRequest | str:
        self.cursor.in_vain = dict(self.cursor.in_vain.items() & self._stamps.items())
        new = [file for file in self._unread if file.name not in self.cursor.in_vain]
        same = [file for file in new if self.cursor.seen.get(file.name) == self._stamps[file.name]]
        ready = [file for file in same if growing(file, int(self.now.timestamp() * 1e9)) is None]
        self.cursor.seen = self._stamps_of(new)
        if failed is not None and self.cursor.asked is not None:
            again = self._again(self.cursor.asked, failed, self._stamps_of(ready))
            return again if isinstance(again, str) else self._ask(ready, again)
        if ready or (not self._is_built() and len(same) == len(new)):
            return self._ask(ready, attempt=1)
        if not new:
            self.cursor.done = folder
            return NOTHING_NEW
        return f"{len(new)} files are new or not complete: the next ticks look whether they still change"

    def _again(self, asked: Asked, record: dg.RunRecord, ready: Stamps) -> str | int:
        """Of a run that failed: the number of the next attempt, 1 if something was mended or came, or why it waits."""
        lying = {name: (size, changed) for name, size, changed in listing(self.settings)}
        is_gone = not asked.files.keys() <= lying.keys()
        if is_gone or ready.items() - asked.files.items() or asked.settings_sha256 != self.settings.sha256:
            return 1
        failed = f"run {record.dagster_run.run_id} failed"
        if asked.attempt > len(WAITS):
            return (
                f"{failed}, which was attempt {asked.attempt}; mend what it names: the next night takes them in, or "
                f"`kcc run` {see(Heading.RUN_FAILED)}"
            )
        again_at = datetime.fromtimestamp(record.end_time or 0, UTC) + WAITS[asked.attempt - 1]
        if self.now < again_at:
            return f"{failed}; it is tried again at {again_at:%H:%M} UTC {see(Heading.RUN_FAILED)}"
        return asked.attempt + 1

    def _ask(self, ready: list[ExportFile], attempt: int) -> dg.RunRequest:
        files = self._stamps_of(ready)
        if attempt > 1 and self.cursor.asked is not None:
            files = self.cursor.asked.files | files
        key = f"exports that arrived by {self.now:%Y-%m-%d %H:%M:%S} UTC"
        self.cursor.asked = Asked(key=key, settings_sha256=self.settings.sha256, files=files, attempt=attempt)
        days = to_take(ready, self.instance, self.settings)
        return dg.RunRequest(run_key=key, tags=range_tags(self.settings, days))

    def _stamps_of(self, files: list[ExportFile]) -> Stamps:
        return {file.name: self._stamps[file.name] for file in files}

    @cached_property
    def _stamps(self) -> Stamps:
        """Of the files that are not read, as this tick saw them."""
        return {file.name: stamp(file.path) for file in self._unread}

    @cached_property
    def _unread(self) -> list[ExportFile]:
        return RecordStore(self.settings).unread(export_files(self.settings, today(self.settings)))


def _digest(settings: Settings) -> str:
    """Another one whenever the exports folder or the settings changed."""
    return hashlib.sha256(json.dumps([settings.sha256, listing(settings)]).encode()).hexdigest()
