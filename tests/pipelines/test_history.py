"""Dagster's history as we write it is the one that Dagster would have written."""

from __future__ import annotations

import queue
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import BATCH_WRITABLE_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines.history import EventLog
from pipelines.location import build_definitions
from pipelines.schedule import RANGE_END, RANGE_START
from pipelines.settings import ROOT
from tests.city import call, settings_of, write_calls
from tests.dagster_home import home_in

FIRST, LAST = date(2025, 1, 1), date(2025, 3, 31)
DAYS = (LAST - FIRST).days + 1
WITH_FILE = (date(2025, 1, 1), date(2025, 3, 3), date(2025, 3, 31))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of Dagster."""
    return tmp_path_factory.mktemp("history")


@pytest.fixture(scope="module")
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """Its instance."""
    with home_in(home) as opened:
        yield opened


@pytest.fixture(scope="module")
def batches() -> list[int]:
    """How many events were written at a time."""
    return []


@pytest.fixture(scope="module")
def run_id(instance: dg.DagsterInstance, home: Path, batches: list[int]) -> str:
    """A night over many days, of which three have a file."""
    whole = EventLog.store_event_batch

    def counted(self: EventLog, events: Sequence[EventLogEntry]) -> None:
        batches.append(len(events))
        whole(self, events)

    for day in WITH_FILE:
        write_calls(home, day.isoformat(), [call(f"{day} 10:00:00"), call(f"{day} 25:00:00")])
    job = build_definitions(settings_of(home)).resolve_job_def("nightly")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventLog, "store_event_batch", counted)
        done = job.execute_in_process(
            instance=instance, tags={RANGE_START: FIRST.isoformat(), RANGE_END: LAST.isoformat()}
        )
    assert done.success
    return done.run_id


def entries(instance: dg.DagsterInstance, run_id: str) -> list[EventLogEntry]:
    return list(instance.all_logs(run_id))


def tables(index: Path) -> dict[str, list[Any]]:
    """What the index holds, but for when it was written."""
    asked = {
        "event_logs": "select id, run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition",
        "asset_keys": "select asset_key, last_materialization, last_run_id, last_materialization_timestamp",
        "asset_event_tags": "select *",
        "asset_check_executions": "select asset_key, check_name, run_id, execution_status, evaluation_event, "
        "evaluation_event_storage_id",
    }
    with sqlite3.connect(index) as con:
        return {table: con.execute(f"{query} from {table} order by 1, 2").fetchall() for table, query in asked.items()}


def test_every_day_of_a_range_is_told_and_those_with_a_file_tell_what_was_read(
    instance: dg.DagsterInstance, run_id: str
) -> None:
    key = dg.AssetKey("telephony_exports")
    assert len(instance.get_materialized_partitions(key)) == DAYS
    told = {}
    for record in instance.fetch_materializations(key, limit=1000).records:
        materialization = record.asset_materialization
        assert materialization is not None
        told[materialization.partition] = {name: value.value for name, value in materialization.metadata.items()}
    assert told["2025-03-03"] == {
        "dagster/row_count": 2,
        "files": 1,
        "quarantined": 1,
        "refused": 0,
        "deferred": 0,
        "read": "calls_2025-03-03.csv: loaded",
    }
    assert told["2025-03-04"] == {"read": "no export of this day"}
    assert sum("files" in metadata for metadata in told.values()) == len(WITH_FILE)


def test_a_history_is_to_the_letter_what_dagster_itself_would_have_written(
    instance: dg.DagsterInstance, run_id: str, home: Path, tmp_path: Path
) -> None:
    written = entries(instance, run_id)
    assert len(written) > 4 * DAYS  # each day was planned and materialized, of both assets

    theirs = SqliteEventLogStorage(str(tmp_path / "theirs"))
    for entry in written:
        theirs.store_event(entry)
    assert tables(home / ".dagster/storage/history/runs/index.db") == tables(tmp_path / "theirs" / "index.db")


def test_events_that_come_together_are_written_together(run_id: str, batches: list[int]) -> None:
    planned, *read = batches
    assert planned > 2 * DAYS
    assert read == [DAYS, DAYS]


def test_dagsters_own_storage_reads_what_we_wrote(instance: dg.DagsterInstance, run_id: str, home: Path) -> None:
    theirs = SqliteEventLogStorage(str(home / ".dagster/storage/history/runs"))
    assert len(theirs.get_materialized_partitions(dg.AssetKey("telephony_exports"))) == DAYS
    assert len(theirs.get_logs_for_run(run_id)) == len(entries(instance, run_id))


def test_a_batch_that_is_not_of_assets_is_written_all_the_same(
    instance: dg.DagsterInstance, run_id: str, tmp_path: Path
) -> None:
    written = entries(instance, run_id)
    ours = EventLog(str(tmp_path / "ours"))
    ours.store_event_batch(written)
    assert len(ours.get_logs_for_run(run_id)) == len(written)
    ours.dispose()


def test_only_the_index_stays_open(tmp_path: Path) -> None:
    log = EventLog(str(tmp_path))
    for run in ("one", "two", "three"):
        assert list(log.get_logs_for_run(run)) == []
        assert log.get_asset_records() == []
    open_files = {each.readlink().name for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}
    assert "index.db" in open_files
    assert open_files & {"one.db", "two.db", "three.db"} == set()
    log.wipe()
    log.dispose()


def test_a_batch_of_which_the_index_takes_nothing_leaves_nothing(
    instance: dg.DagsterInstance, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = [entry for entry in entries(instance, run_id) if entry.dagster_event_type in BATCH_WRITABLE_EVENTS]
    ours = EventLog(str(tmp_path / "ours"))
    with monkeypatch.context() as patch:
        patch.setattr(EventLog, "_store_asset_event_tags", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ours.store_event_batch(read)
    assert len(ours.get_logs_for_run(run_id)) == 0
    ours.store_event_batch(read)
    assert len(ours.get_logs_for_run(run_id)) == len(read)
    ours.dispose()


def test_who_watches_a_run_in_another_process_hears_of_each_event_while_it_goes_on(
    instance: dg.DagsterInstance, run_id: str, home: Path, tmp_path: Path
) -> None:
    heard: queue.Queue[str] = queue.Queue()
    watching = EventLog(str(tmp_path))
    assert list(watching.get_logs_for_run(run_id)) == []
    watching.watch(run_id, None, lambda entry, _: heard.put(entry.user_message))
    writing = subprocess.Popen(
        [sys.executable, "-c", WRITES, str(tmp_path), run_id], cwd=ROOT, stdin=subprocess.PIPE, text=True
    )
    assert writing.stdin is not None
    for number in range(3):
        writing.stdin.write(f"event {number}\n")
        writing.stdin.flush()
        assert heard.get(timeout=300) == f"event {number}"
    writing.stdin.close()
    assert writing.wait() == 0
    watching.dispose()


WRITES = """
import sys, time
from dagster._core.events.log import EventLogEntry
from pipelines.history import EventLog
log = EventLog(sys.argv[1])
for line in sys.stdin:
    log.store_event(EventLogEntry(None, 20, line.strip(), sys.argv[2], time.time()))
"""
