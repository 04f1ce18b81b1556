"""Dagster's history as we write it is the one that Dagster would have written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines.history import EventLog
from pipelines.location import build_definitions
from pipelines.night import RANGE_END, RANGE_START, dagster_instance
from pipelines.settings import ROOT
from tests.city import call, settings_of, write_calls

FIRST, LAST = date(2025, 1, 1), date(2025, 3, 31)
DAYS = (LAST - FIRST).days + 1
WITH_FILE = (date(2025, 1, 1), date(2025, 3, 3), date(2025, 3, 31))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of Dagster as the project has it."""
    folder = tmp_path_factory.mktemp("history")
    (folder / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    return folder


@pytest.fixture(scope="module")
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """Its instance."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        patch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
        patch.chdir(home)
        with dagster_instance() as opened:
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


def test_only_the_index_and_the_newest_run_stay_open(tmp_path: Path) -> None:
    log = EventLog(str(tmp_path))
    for run in ("one", "two", "three"):
        assert list(log.get_logs_for_run(run)) == []
        assert log.get_asset_records() == []
    assert sorted(log._engines) == ["index", "three"]
    log.wipe()
    assert list(log._engines) == ["index"]
    log.dispose()
