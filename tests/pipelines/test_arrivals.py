"""Files that arrive at odd hours start a night: once, when they are whole, and again if that night failed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

import assets.verify
from assets.files import no_exports_folder
from assets.records import RecordStore
from assets.sessions import readonly
from pipelines.arrivals import NOTHING_NEW, RUN_KEY, Cursor, new_exports_sensor, tick
from pipelines.runs import DATA, data_tag
from pipelines.schedule import JOB, RANGE_END, RANGE_START
from pipelines.settings import Settings
from tests.city import CALLS, call, publish, read_all, settings_of, write_calls
from tests.dagster_home import home_in, night_of_somebody_else, run_job

NEW = "1 files are new or not complete: the next ticks look whether they still change"


class Daemon:
    """What Dagster's daemon does with the sensor: it keeps the cursor, and makes the runs that are asked for."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance, settings: Settings) -> None:
        self.folder = folder
        self.instance = instance
        self.settings = settings
        self.cursor = Cursor()
        self.now = datetime.now(UTC)

    def tick(self, after: timedelta = timedelta(seconds=30)) -> dg.RunRequest | str:
        """What the sensor says some time later."""
        self.now += after
        outcome = tick(self.settings, self.instance, self.cursor, self.now)
        self.cursor = Cursor.model_validate_json(self.cursor.model_dump_json())
        return outcome

    def asked(self, after: timedelta = timedelta(seconds=30)) -> dg.RunRequest:
        """The run that a tick asks for."""
        request = self.tick(after)
        assert isinstance(request, dg.RunRequest), request
        return request

    def run(self, request: dg.RunRequest) -> bool:
        """Make the run that was asked for, to its end; whether it succeeded."""
        return _night(self.settings, self.instance, {**request.tags, RUN_KEY: str(request.run_key)})

    def days(self, request: dg.RunRequest) -> tuple[str, str]:
        """The export days that a run is to take."""
        return request.tags[RANGE_START], request.tags[RANGE_END]

    def taken_in(self) -> bool:
        """Let two ticks see the folder, and make the run that the second asks for."""
        self.tick()
        return self.run(self.asked())


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A centre whose first export was taken in."""
    with home_in(tmp_path / "home") as instance:
        daemon = Daemon(tmp_path, instance, settings_of(tmp_path))
        write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
        assert daemon.taken_in()
        assert daemon.tick() == NOTHING_NEW
        yield daemon


def names_read(daemon: Daemon) -> list[str]:
    return sorted(receipt.name for receipt in RecordStore(daemon.settings).receipts if receipt.status == "loaded")


def test_a_file_is_taken_in_when_two_ticks_find_it_the_same(daemon: Daemon) -> None:
    path = write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    assert daemon.tick() == NEW
    path.write_text(whole)
    assert daemon.tick() == NEW
    request = daemon.asked()
    assert daemon.days(request) == ("2025-03-04", "2025-03-04")
    assert run_job(daemon.settings, daemon.instance, {**request.tags, RUN_KEY: str(request.run_key)}).success
    assert names_read(daemon) == ["calls_2025-03-03.csv", "calls_2025-03-04.csv"]
    assert daemon.tick() == NOTHING_NEW
    assert daemon.tick() == NOTHING_NEW


def test_while_its_run_is_at_work_nothing_else_is_asked_for(daemon: Daemon) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    daemon.tick()
    request = daemon.asked()
    again = daemon.asked()
    assert again.run_key == request.run_key  # no run of it exists yet: Dagster makes it once
    run = daemon.instance.create_run_for_job(
        _nothing,
        status=dg.DagsterRunStatus.STARTED,
        tags={**request.tags, RUN_KEY: str(request.run_key), **data_tag(daemon.settings)},
    )
    write_calls(daemon.folder, "2025-03-05", [call("2025-03-05 10:00:00")])
    assert daemon.tick() == f"run {run.run_id} takes them in"


def test_a_run_that_another_city_asked_for_in_the_same_second_is_not_taken_for_its_own(daemon: Daemon) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    daemon.tick()
    request = daemon.asked()
    daemon.instance.create_run_for_job(_nothing, tags={RUN_KEY: str(request.run_key), DATA: "/data/of/another/city"})
    assert daemon.asked().run_key == request.run_key


def test_a_failed_run_is_tried_again_after_5_20_and_80_minutes_and_then_left_to_the_night(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    daemon.tick()
    minute = timedelta(minutes=1)
    with monkeypatch.context() as patch:
        patch.setitem(assets.verify.SUMS, "two and two are five", "select 1")
        request = daemon.asked()
        for wait in (5, 20, 80):
            assert not daemon.run(request)
            daemon.now = datetime.now(UTC)
            too_early = daemon.tick((wait - 1) * minute)
            assert isinstance(too_early, str)
            assert "failed; it is tried again at" in too_early
            request = daemon.asked(2 * minute)
        assert not daemon.run(request)
        given_up = daemon.tick(timedelta(days=1))
        assert isinstance(given_up, str)
        assert "failed, which was attempt 4" in given_up
    assert _night(daemon.settings, daemon.instance, {})  # that of the schedule
    assert daemon.tick() == NOTHING_NEW


def test_a_failed_run_is_tried_again_at_once_when_something_was_mended(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    daemon.tick()
    with monkeypatch.context() as patch:
        patch.setitem(assets.verify.SUMS, "two and two are five", "select 1")
        assert not daemon.run(daemon.asked())
    assert isinstance(daemon.tick(), str)
    path.write_text(path.read_text().replace("answered", "missed"))
    assert isinstance(daemon.tick(), str)
    assert daemon.run(daemon.asked())
    assert daemon.tick() == NOTHING_NEW


def test_a_run_that_fails_before_it_has_read_the_file_leaves_the_cursor_where_it_was(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    daemon.tick()
    with monkeypatch.context() as patch:
        patch.setattr(RecordStore, "read", lambda *_: 1 / 0)
        assert not daemon.run(daemon.asked())
    request = daemon.asked(timedelta(minutes=6))
    assert daemon.days(request) == ("2025-03-04", "2025-03-04")
    assert daemon.run(request)
    assert names_read(daemon) == ["calls_2025-03-03.csv", "calls_2025-03-04.csv"]


def test_a_file_that_is_delivered_again_under_its_name_runs_again(daemon: Daemon) -> None:
    write_calls(daemon.folder, "2025-03-03", [call("2025-03-03 10:00:00"), call("2025-03-03 11:00:00")])
    assert daemon.tick() == NEW
    request = daemon.asked()
    assert daemon.days(request) == ("2025-03-03", "2025-03-03")
    assert daemon.run(request)
    with readonly(daemon.settings.folders.data / "warehouse" / "kcc.duckdb") as con:
        assert con.execute("select count(*) from core.calls").fetchall() == [(2,)]


def test_a_refused_file_is_taken_once_and_again_when_it_comes_mended(daemon: Daemon) -> None:
    path = write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    whole = path.read_text()
    path.write_text("<html>\n")
    assert daemon.taken_in()
    assert daemon.tick() == NOTHING_NEW
    path.write_text(whole)
    assert daemon.taken_in()
    assert names_read(daemon) == ["calls_2025-03-03.csv", "calls_2025-03-04.csv"]


def test_a_file_whose_last_line_does_not_end_is_tried_once_and_again_when_it_grew(daemon: Daemon) -> None:
    path = write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    whole = path.read_text()
    path.write_text(whole[:-1])
    assert daemon.taken_in()  # reading it finds that it may still be written
    assert daemon.tick() == NOTHING_NEW
    assert daemon.tick() == NOTHING_NEW
    path.write_text(whole)
    assert daemon.taken_in()
    assert names_read(daemon) == ["calls_2025-03-03.csv", "calls_2025-03-04.csv"]


def test_two_files_that_are_not_complete_are_each_tried_once(daemon: Daemon) -> None:
    for day in ("04", "05"):
        path = write_calls(daemon.folder, f"2025-03-{day}", [call(f"2025-03-{day} 10:00:00")])
        path.write_text(path.read_text()[:-1])
        assert daemon.taken_in()
    assert [daemon.tick() for _ in range(4)] == [NOTHING_NEW] * 4


def test_a_file_that_grows_meanwhile_makes_no_failed_run_be_tried_sooner(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    daemon.tick()
    live = write_calls(daemon.folder, "2025-03-05", [call("2025-03-05 10:00:00")])
    with monkeypatch.context() as patch:
        patch.setattr(RecordStore, "read", lambda *_: 1 / 0)
        assert not daemon.run(daemon.asked())
        for n in range(5):
            with live.open("a") as stream:
                stream.write(f"n{n}\n")
            waits = daemon.tick()
            assert isinstance(waits, str)
            assert "failed; it is tried again at" in waits


def test_a_night_that_left_the_file_out_does_not_count_as_the_one_that_took_it(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    daemon.tick()
    with monkeypatch.context() as patch:
        patch.setattr(RecordStore, "read", lambda *_: 1 / 0)
        assert not daemon.run(daemon.asked())
        patch.undo()
        patch.setattr(RecordStore, "read", lambda *_: None)  # one that takes other days alone
        assert _night(daemon.settings, daemon.instance, {})
    assert daemon.run(daemon.asked(timedelta(minutes=6)))
    assert names_read(daemon) == ["calls_2025-03-03.csv", "calls_2025-03-04.csv"]


def test_a_night_of_another_city_in_the_same_history_does_not_count_either(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    daemon.tick()
    with monkeypatch.context() as patch:
        patch.setitem(assets.verify.SUMS, "two and two are five", "select 1")
        assert not daemon.run(daemon.asked())
    assert _night(daemon.settings, daemon.instance, {DATA: "/data/of/another/city"})
    waits = daemon.tick()
    assert isinstance(waits, str)
    assert "failed; it is tried again at" in waits


def test_a_clock_that_was_put_right_makes_no_nights_without_end(daemon: Daemon) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    read_all(daemon.settings)
    receipts = daemon.settings.folders.data / "records" / "phone" / "receipts"
    tomorrow = datetime.now(UTC).timestamp() + 86_400
    os.utime(receipts, (tomorrow, tomorrow))
    assert daemon.run(daemon.asked())
    assert [daemon.tick() for _ in range(3)] == [NOTHING_NEW] * 3


def test_a_file_waits_for_its_manifest(tmp_path: Path) -> None:
    with home_in(tmp_path / "home") as instance:
        daemon = Daemon(tmp_path, instance, settings_of(tmp_path, sources=[{**CALLS, "manifest": ".ok"}]))
        path = write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
        assert [daemon.tick() for _ in range(3)] == [NEW] * 3
        path.with_name(path.name + ".ok").touch()
        assert daemon.run(daemon.asked())
        assert daemon.tick() == NOTHING_NEW
        assert names_read(daemon) == ["calls_2025-03-03.csv"]


def test_what_was_read_and_not_built_is_built(daemon: Daemon) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    read_all(daemon.settings)  # as a run of telephony_exports alone would, from the UI
    assert daemon.run(daemon.asked())
    assert daemon.tick() == NOTHING_NEW


def test_what_the_command_line_took_in_asks_for_nothing(daemon: Daemon) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    daemon.tick()
    publish(daemon.settings)
    assert daemon.tick() == NOTHING_NEW


def test_while_a_night_of_somebody_else_is_at_work_it_waits(daemon: Daemon) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    daemon.tick()
    with night_of_somebody_else(daemon.settings.folders.data):
        assert daemon.tick() == "a night is at work"
    assert daemon.run(daemon.asked())


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_while_another_run_of_the_daemon_is_about_to_begin_it_waits(
    daemon: Daemon, status: dg.DagsterRunStatus
) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    daemon.tick()
    coming = daemon.instance.create_run_for_job(
        _nightly_job(daemon.settings), status=status, tags=data_tag(daemon.settings)
    )
    assert daemon.tick() == "a night is at work"
    daemon.instance.delete_run(coming.run_id)
    assert isinstance(daemon.tick(), dg.RunRequest)


def test_without_an_exports_folder_it_says_so(tmp_path: Path) -> None:
    with home_in(tmp_path / "home") as instance:
        daemon = Daemon(tmp_path, instance, settings_of(tmp_path))
        assert daemon.tick() == no_exports_folder(settings_of(tmp_path))


def test_dagster_runs_it_as_soon_as_it_is_installed_and_keeps_its_cursor(daemon: Daemon) -> None:
    write_calls(daemon.folder, "2025-03-04", [call("2025-03-04 10:00:00")])
    sensor = new_exports_sensor(daemon.settings)
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    cursor, asked = daemon.cursor.model_dump_json(), []
    for _ in range(2):
        told = sensor.evaluate_tick(dg.build_sensor_context(instance=daemon.instance, cursor=cursor))
        cursor = str(told.cursor)
        asked += told.run_requests or []
    assert [request.tags[RANGE_START] for request in asked] == ["2025-03-04"]
    assert Cursor.model_validate_json(cursor).asked is not None


def _nightly_job(settings: Settings) -> dg.JobDefinition:
    """What a run of the night's job comes to: it reads and publishes, in one op, for a tenth of the time."""

    @dg.op
    def night() -> None:
        publish(settings)

    @dg.job(name=JOB, tags=data_tag(settings))
    def nightly() -> None:
        night()

    return nightly


def _night(settings: Settings, instance: dg.DagsterInstance, tags: dict[str, str]) -> bool:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job = _nightly_job(settings)
    return job.execute_in_process(instance=instance, tags=tags, run_config=quiet, raise_on_error=False).success


@dg.job
def _nothing() -> None:
    pass
