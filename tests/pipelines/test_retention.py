"""What is forgotten when it is old enough, and what stays: runs of Dagster's history, and the raw text of records."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster_graphql.test.utils import execute_dagster_graphql

import assets.exports
import pipelines.night
from assets.exports import EXPORTS, export_days
from assets.keys import asset_key
from assets.records import RecordStore
from pipelines.location import build_definitions
from pipelines.night import run_night
from pipelines.progress import Counts, shown
from pipelines.retention import forget_old_runs
from pipelines.runs import DATA, is_ours
from pipelines.schedule import JOB, RANGE_END, RANGE_START
from pipelines.settings import Settings
from tests.city import CALLS, call, settings_of, write_calls
from tests.dagster_home import home_in, run_job

UNREAD, READ_AGAIN = "2025-03-07", "2025-03-04"
HISTORY = Path(".dagster", "storage", "history")
A_YEAR_ON = datetime.now(UTC) + timedelta(days=366)


def city(folder: Path) -> Settings:
    """Its settings: a file of which half can't be read is loaded all the same, so that something is in quarantine."""
    return settings_of(folder, sources=[{**CALLS, "max_quarantined_share": 1}])


def night(instance: dg.DagsterInstance, settings: Settings, first: str, last: str | None = None) -> str:
    """A run of the job over some days, as the UI and its daemon start it; returns its id."""
    return run_job(settings, instance, {RANGE_START: first, RANGE_END: last or first}).run_id


def from_the_command_line(home: Path, settings: Settings) -> None:
    """`kcc run`, which says nothing of what Dagster marks as beta."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="dagster")
        patch.setenv("DAGSTER_HOME", str(home))
        patch.chdir(home)
        run_night(settings)


@dataclass
class Lived:
    """A city after some nights: the runs that read every day that they tried, and the one that left a day unread."""

    home: Path
    sound: list[str]
    failed: str


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    home = tmp_path_factory.mktemp("lived")
    for day in ("2025-03-03", READ_AGAIN, "2025-03-06", UNREAD):
        write_calls(home, day, [call(f"{day} 10:00:00"), call(f"{day} 25:00:00")])
    settings = city(home)
    with home_in(home) as instance:
        sound = [night(instance, settings, "2025-03-03", "2025-03-05"), night(instance, settings, READ_AGAIN)]
        sound.append(night(instance, settings, "2025-03-06"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(RecordStore, "read", lambda *_: 1 / 0)
            failed = night(instance, settings, UNREAD)
        for run_id in [*sound, failed]:  # as a run from the UI leaves them
            printed = home / ".dagster" / "compute_logs" / run_id / "compute_logs"
            printed.mkdir(parents=True)
            (printed / "step.out").write_text("printed")
    return Lived(home, sound, failed)


@pytest.fixture
def home(lived: Lived, tmp_path: Path) -> Path:
    """A copy of that city, to do with as one likes; its runs say that they were of the copy's data."""
    copy = Path(shutil.copytree(lived.home, tmp_path / "home", symlinks=True))
    with sqlite3.connect(copy / HISTORY / "runs.db") as con:
        for table, column in (("runs", "run_body"), ("run_tags", "value")):
            con.execute(f"update {table} set {column} = replace({column}, ?, ?)", [str(lived.home), str(copy)])
    return copy


def statuses(instance: dg.DagsterInstance, settings: Settings) -> dict[str, tuple[set[str], set[str]]]:
    """The days that the UI shows as read, and those that it shows as failed."""
    found = {}
    days = export_days(settings)
    for name in EXPORTS:
        told = get_and_update_asset_status_cache_value(instance, asset_key(settings, name), days)
        assert told is not None
        found[name] = (
            set(told.deserialize_materialized_partition_subsets(days).get_partition_keys()),
            set(told.deserialize_failed_partition_subsets(days).get_partition_keys()),
        )
    return found


def in_the_ui(instance: dg.DagsterInstance) -> Any:
    """What the pages of runs and of an asset ask for."""
    query = """
        {
            runsOrError { ... on Runs { results { runId status } } }
            assetOrError(assetKey: {path: ["telephony_exports"]}) {
                ... on Asset {
                    assetMaterializations {
                        partition timestamp runOrError { __typename } metadataEntries { label description }
                    }
                }
            }
        }
    """
    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as process:
        answer = execute_dagster_graphql(process.create_request_context(), query)
    assert answer.errors is None
    return answer.data


def answers(instance: dg.DagsterInstance, settings: Settings) -> dict[str, tuple[str, str | None]]:
    """The newest answer of every check."""
    keys = build_definitions(settings).resolve_asset_graph().asset_check_keys
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys))
    return {key.name: (record.status.value, record.run_id) for key, record in found.items()}


def on_disk(home: Path) -> int:
    return sum(path.stat().st_size for path in (home / ".dagster").rglob("*") if path.is_file())


@pytest.mark.parametrize("is_cached", [False, True], ids=["asked for the first time", "known to the UI before"])
def test_an_export_day_looks_as_before_when_the_run_that_read_it_is_forgotten(
    lived: Lived, home: Path, is_cached: bool
) -> None:
    settings = city(home)
    with home_in(lived.home) as instance:
        before, shown_before, answered = statuses(instance, settings), in_the_ui(instance), answers(instance, settings)
    with home_in(home) as instance:
        if is_cached:
            statuses(instance, settings)
        assert forget_old_runs(instance, settings, now=A_YEAR_ON) == len(lived.sound)
        assert statuses(instance, settings) == before
        shown_after = in_the_ui(instance)
        assert answers(instance, settings) == answered

    read, failed = before["telephony_exports"]
    assert (read, failed) == ({"2025-03-03", READ_AGAIN, "2025-03-05", "2025-03-06"}, {UNREAD})
    assert len(answered) > 5
    assert [run["runId"] for run in shown_after["runsOrError"]["results"]] == [lived.failed]
    assert len(shown_before["runsOrError"]["results"]) == 4
    told = {each["partition"]: each for each in shown_before["assetOrError"]["assetMaterializations"][::-1]}
    still = shown_after["assetOrError"]["assetMaterializations"]
    assert len(still) == len(told) == len(read)
    for each in still:  # the newest of each day, with all that it tells but a link to its run
        assert each.pop("runOrError") == {"__typename": "RunNotFoundError"}
        assert told[each["partition"]].pop("runOrError") == {"__typename": "Run"}
        assert each == told[each["partition"]]


def test_of_a_forgotten_run_nothing_stays_but_what_nobody_told_after_it(lived: Lived, home: Path) -> None:
    before = on_disk(home)
    with home_in(home) as instance:
        forget_old_runs(instance, city(home), now=A_YEAR_ON)
    history = home / HISTORY
    assert {path.name for path in (history / "runs").glob("*-*-*")} == {f"{lived.failed}.db"}
    assert on_disk(home) < before - 3 * 100_000
    with sqlite3.connect(history / "runs" / "index.db") as con:
        kept = con.execute(
            "select dagster_event_type, asset_key, partition from event_logs where run_id <> ?", [lived.failed]
        ).fetchall()
        orphans = con.execute("select count(*) from asset_event_tags where event_id not in (select id from event_logs)")
        assert orphans.fetchone() == (0,)
        checks = con.execute(
            "select asset_key, check_name, count(*) from asset_check_executions group by 1, 2"
        ).fetchall()
    assert {kind for kind, _, _ in kept} == {"ASSET_MATERIALIZATION"}
    assert len(kept) == len(set(kept))
    assert all(count <= 2 for *_, count in checks)
    with sqlite3.connect(history / "runs.db") as con:
        assert con.execute("select distinct run_id from run_tags").fetchall() == [(lived.failed,)]


def test_a_run_that_left_a_day_unread_goes_when_another_has_read_it(lived: Lived, home: Path) -> None:
    settings = city(home)
    with home_in(home) as instance:
        again = night(instance, settings, UNREAD)
        before = statuses(instance, settings)
        assert before["telephony_exports"][1] == set()
        assert forget_old_runs(instance, settings, now=A_YEAR_ON) == len(lived.sound) + 2
        assert [instance.has_run(run_id) for run_id in (lived.failed, again)] == [False, False]
        assert statuses(instance, settings) == before


@pytest.mark.parametrize(("days", "gone"), [(364, 0), (366, 3)], ids=["younger than a year", "older"])
def test_what_the_settings_keep_is_kept(home: Path, days: int, gone: int) -> None:
    with home_in(home) as instance:
        assert forget_old_runs(instance, city(home), now=datetime.now(UTC) + timedelta(days=days)) == gone
        assert instance.get_runs_count() == 4 - gone


def test_a_run_that_is_queued_or_at_work_is_never_touched(home: Path) -> None:
    settings = city(home)
    job = build_definitions(settings).resolve_job_def(JOB)
    waiting = [status for status in dg.DagsterRunStatus if status not in FINISHED_STATUSES]
    assert dg.DagsterRunStatus.STARTED in waiting
    with home_in(home) as instance:
        runs = [instance.create_run_for_job(job).run_id for _ in waiting]
        with sqlite3.connect(home / HISTORY / "runs.db") as con:
            for status, run_id in zip(waiting, runs, strict=True):
                con.execute("update runs set status = ? where run_id = ?", [status.value, run_id])
        forget_old_runs(instance, settings, now=A_YEAR_ON)
    with sqlite3.connect(home / HISTORY / "runs.db") as con:
        assert {run_id for (run_id,) in con.execute("select run_id from runs")} >= set(runs)


def test_runs_of_another_city_in_the_same_history_are_left_to_it(tmp_path: Path) -> None:
    ours, theirs = (
        settings_of(tmp_path / name, warehouse={"kind": "file", "city": name}) for name in ("lier", "mechelen")
    )
    with home_in(tmp_path / "home") as instance:
        for settings in (ours, theirs):
            assert run_job(settings, instance, {RANGE_START: UNREAD, RANGE_END: UNREAD}).success
            of_the_ui = run_job(settings, instance, {RANGE_START: UNREAD, RANGE_END: UNREAD}, EXPORTS[0])
            with_tags_of_the_ui(instance, of_the_ui.run_id)
        before = statuses(instance, theirs)
        assert before["telephony_exports"][0] == {UNREAD}
        assert forget_old_runs(instance, ours, now=A_YEAR_ON) == 2
        assert statuses(instance, theirs) == before
        assert {is_ours(run, theirs) for run in instance.get_runs()} == {True}
        assert forget_old_runs(instance, theirs, now=A_YEAR_ON) == 2


def with_tags_of_the_ui(instance: dg.DagsterInstance, run_id: str) -> None:
    """A run that the UI makes for some assets alone is no run of the job `nightly`, and has not its tags."""
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.asset_selection
    tags = {key: value for key, value in run.tags.items() if key != DATA}
    instance.run_storage.delete_run(run_id)
    instance.run_storage.add_run(run.with_tags(tags))


def test_a_storage_that_would_forget_the_days_with_the_run_keeps_its_runs(tmp_path: Path) -> None:
    write_calls(tmp_path, UNREAD, [call(f"{UNREAD} 10:00:00")])
    settings = city(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = night(instance, settings, UNREAD)
        assert forget_old_runs(instance, settings, now=A_YEAR_ON) == 0
        assert instance.get_materialized_partitions(dg.AssetKey("telephony_exports")) == {UNREAD}
        instance.delete_run(run_id)  # as Dagster does it
        assert instance.get_materialized_partitions(dg.AssetKey("telephony_exports")) == set()


def test_a_night_from_the_command_line_forgets_what_is_old_with_what_its_steps_printed(
    lived: Lived, home: Path
) -> None:
    with sqlite3.connect(home / HISTORY / "runs.db") as con:
        con.execute("update runs set create_timestamp = '2024-01-01 00:00:00.000000' where run_id = ?", lived.sound[:1])
    from_the_command_line(home, city(home))
    printed = {path.name for path in (home / ".dagster" / "compute_logs").iterdir()}
    assert printed == {*lived.sound[1:], lived.failed}
    with home_in(home) as instance:
        assert not instance.has_run(lived.sound[0])
        assert instance.get_runs_count() == 4


def test_a_night_does_not_fail_because_nothing_could_be_forgotten_and_says_so_even_if_it_is_quiet(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object, **__: object) -> int:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(pipelines.night, "forget_old_runs", fails)
    with shown(Counts(), silent=True):
        from_the_command_line(home, city(home))
    assert capsys.readouterr().err == (
        "old runs of Dagster's history are still there: database is locked; the next night tries again\n"
    )


def test_ticks_that_did_nothing_are_kept_for_a_week_and_the_others_for_a_year(home: Path) -> None:
    """Dagster's daemon purges them as its instance says."""
    year = {TickStatus.SUCCESS: 365, TickStatus.FAILURE: 365}
    with home_in(home) as instance:
        sensor = instance.get_tick_retention_settings(InstigatorType.SENSOR)
        schedule = instance.get_tick_retention_settings(InstigatorType.SCHEDULE)
    assert sensor == {**year, TickStatus.SKIPPED: 7, TickStatus.STARTED: 7}
    assert schedule == {**year, TickStatus.SKIPPED: 365, TickStatus.STARTED: 365}


# ── The raw text of records in quarantine ─────────────────────────────────────────────────────────


def from_the_ui(home: Path, settings: Settings) -> None:
    with home_in(home) as instance:
        night(instance, settings, "2025-03-20")  # a day without any export


def without_exports(home: Path, settings: Settings) -> None:
    shutil.rmtree(settings.folders.exports)
    from_the_ui(home, settings)


def while_reading_fails(home: Path, settings: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch, home_in(home) as instance:
        patch.setattr(assets.exports, "export_files", lambda *_: 1 / 0)
        night(instance, settings, UNREAD)


@pytest.mark.parametrize("runs", [from_the_command_line, from_the_ui, without_exports, while_reading_fails])
def test_raw_text_goes_after_its_days_whichever_way_a_night_runs_though_it_reads_nothing_new(
    home: Path, runs: Any
) -> None:
    settings = city(home)
    with home_in(home) as instance:
        night(instance, settings, "2025-03-03", UNREAD)
    kept = sorted((settings.folders.data / "private").rglob("*.jsonl"))
    assert len(kept) == 4
    for path in kept[:3]:
        os.utime(path, (time.time() - 30.01 * 86_400,) * 2)
    os.utime(kept[3], (time.time() - 29.99 * 86_400,) * 2)
    runs(home, settings)
    assert sorted((settings.folders.data / "private").rglob("*.jsonl")) == kept[3:]
