"""The daemon's sensors: real runs in an instance of Dagster, real ticks, a real mail server."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from assets import canonical
from pipelines import watching
from pipelines.location import build_definitions
from pipelines.runs import DATA, OF_COMMAND_LINE, data_tag, is_of_command_line
from pipelines.schedule import RANGE_END, RANGE_START
from pipelines.settings import Settings
from tests.city import call, settings_of, write_calls
from tests.pipelines.test_alerts_telling import box, city, later, waits
from tests.planted import PARTS, parts_in
from tests.receivers import Mailbox

__all__ = ["box"]
DAY = dict.fromkeys((RANGE_START, RANGE_END), "2025-02-01")


class Daemon:
    """One sensor of a city, ticked by hand: the first tick looks where the history stands."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance, sensor: str) -> None:
        self.definitions = build_definitions(settings)
        self.instance = instance
        self.sensor = self.definitions.resolve_sensor_def(sensor)
        self.cursor: str | None = None
        self.tick()

    def tick(self) -> SensorExecutionData:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, definitions=self.definitions, sensor_name=self.sensor.name
        )
        ticked = self.sensor.evaluate_tick(context)
        self.cursor = ticked.cursor
        return ticked

    def night(self, **tags: str) -> dg.ExecuteInProcessResult:
        job = self.definitions.resolve_job_def("nightly")
        return job.execute_in_process(instance=self.instance, tags={**DAY, **tags}, raise_on_error=False)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


QUOTES = pl.exceptions.ComputeError("could not parse '0999987654' of zebedeus.kwibus@voorbeeld.example")
FULL = OSError(errno.ENOSPC, "No space left on device", "/kelder/0999987654")


@pytest.mark.parametrize("failure", [(QUOTES, "UnexpectedError"), (FULL, "NoSpace")], ids=["unexpected", "full"])
def test_a_run_of_the_daemon_that_fails_is_told_without_the_text_of_its_error_and_one_of_the_command_line_is_not(
    tmp_path: Path,
    box: Mailbox,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    failure: tuple[Exception, str],
) -> None:
    error, kind = failure

    def fails(*_: object) -> pl.DataFrame:
        raise error

    monkeypatch.setattr(canonical, "canonical_calls", fails)
    write_calls(tmp_path, "2025-02-01", waits(1, 60))
    daemon = Daemon(city(tmp_path, box), instance, "tell_of_failed_run")
    daemon.night(**OF_COMMAND_LINE)
    daemon.tick()
    assert box.mails == []
    failed = daemon.night()
    assert not failed.success
    (reaction,) = daemon.tick().dagster_run_reactions
    assert reaction.error is None
    assert box.subjects == ["run failed"]
    assert f"run: {failed.run_id}" in box.texts[0]
    assert f"step: telephony_exports, {kind}" in box.texts[0]
    assert parts_in(box.envelopes[0].content, PARTS) == set()


def test_a_run_of_the_daemon_that_publishes_tells_of_norms(
    tmp_path: Path, box: Mailbox, instance: dg.DagsterInstance
) -> None:
    daemon = Daemon(city(tmp_path, box), instance, "tell_of_published_run")
    write_calls(tmp_path, "2025-01-31", [call("2025-01-30 10:00:00")])
    daemon.night(**{RANGE_START: "2025-01-31", RANGE_END: "2025-01-31"})
    daemon.tick()
    write_calls(tmp_path, "2025-02-01", waits(1, 60))
    daemon.night()
    daemon.tick()
    assert box.subjects == ["norm newly missed"]


def test_a_channel_that_fails_is_the_error_of_the_tick_and_another_sensor_tries_again(
    tmp_path: Path, box: Mailbox, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path, box)
    write_calls(tmp_path, "2025-02-01", waits(1, 60))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "records").touch()  # no records can be kept
    daemon = Daemon(settings, instance, "tell_of_failed_run")
    daemon.night()
    box.refuses = {"wacht@stad.example"}
    (reaction,) = daemon.tick().dagster_run_reactions
    assert reaction.error is not None
    assert reaction.error.message == (
        "pipelines.watching.NotTold: e-mail by 127.0.0.1: it refuses every recipient (runbook: Alert not sent)\n"
    )
    assert (reaction.error.cause, reaction.error.context) == (None, None)
    box.refuses = set()
    Daemon(settings, instance, "tell_if_stale")
    assert box.subjects == ["run failed"]


def test_an_old_warehouse_is_told_by_a_tick(
    tmp_path: Path, box: Mailbox, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(city(tmp_path, box), instance, "tell_if_stale")
    write_calls(tmp_path, "2025-02-01", waits(1, 60))
    daemon.night()
    daemon.tick()
    later(monkeypatch, 27)
    daemon.tick()
    daemon.tick()
    assert box.subjects == ["warehouse stale"]


def test_a_run_of_the_command_line_that_the_ui_repeats_has_its_tag_and_is_told_all_the_same() -> None:
    by_command_line = dg.DagsterRun(job_name="nightly", tags=OF_COMMAND_LINE)
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="pipelines.definitions"))
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), "nightly")
    repeated = dg.DagsterRun(job_name="nightly", tags=OF_COMMAND_LINE, remote_job_origin=origin)
    assert is_of_command_line(by_command_line)
    assert not is_of_command_line(repeated)


def test_a_killed_run_of_the_command_line_is_told_by_the_daemon(
    tmp_path: Path, box: Mailbox, instance: dg.DagsterInstance
) -> None:
    settings = city(tmp_path, box)
    daemon = Daemon(settings, instance, "tell_of_failed_run")
    killed = [
        instance.create_run_for_job(_nightly, status=dg.DagsterRunStatus.STARTED, tags={**OF_COMMAND_LINE, **data})
        for data in (data_tag(settings), {DATA: "/data/of/another/city"})
    ]
    for run in killed:
        instance.report_run_failed(run, "The process of this run was killed.")
    daemon.tick()
    assert box.subjects == ["run failed"]
    assert f"run: {killed[0].run_id}" in box.texts[0]


@dg.job
def _nightly() -> None:
    pass


def test_sensors_run_from_the_start_and_there_are_none_without_a_channel(tmp_path: Path, box: Mailbox) -> None:
    sensors = watching.watching(city(tmp_path, box))
    assert {sensor.default_status for sensor in sensors} == {dg.DefaultSensorStatus.RUNNING}
    assert watching.watching(settings_of(tmp_path)) == []
