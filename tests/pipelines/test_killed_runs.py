"""A run whose process is gone is ended, for Dagster would let no other begin; a run that lives is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from assets.keys import asset_key
from pipelines.killed_runs import end_runs_of_the_command_line, end_silent_runs, killed_runs_sensor
from pipelines.runs import DATA, OF_COMMAND_LINE, data_tag
from tests.city import settings_of
from tests.dagster_home import home_in, night_of_somebody_else

IN_AN_HOUR = timedelta(hours=1)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with home_in(tmp_path / "home") as opened:
        yield opened


@dg.job
def _nightly() -> None:
    pass


def begun(instance: dg.DagsterInstance, status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED, **tags: str) -> str:
    return instance.create_run_for_job(_nightly, status=status, tags=tags).run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_a_run_that_has_long_told_nothing_while_nobody_is_at_work_has_failed(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    run_id = begun(instance)
    assert end_silent_runs(instance, settings_of(tmp_path), datetime.now(UTC)) == []
    assert status_of(instance, run_id) == dg.DagsterRunStatus.STARTED
    assert end_silent_runs(instance, settings_of(tmp_path), datetime.now(UTC) + IN_AN_HOUR) == [run_id]
    assert status_of(instance, run_id) == dg.DagsterRunStatus.FAILURE


def test_a_run_that_told_something_lately_is_left_alone(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    run_id = begun(instance)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_engine_event("still here", run)
    now = datetime.now(UTC) + timedelta(minutes=9)
    assert end_silent_runs(instance, settings_of(tmp_path), now) == []


def test_while_somebody_is_at_work_no_run_is_ended(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    run_id = begun(instance)
    with night_of_somebody_else(tmp_path / "data"):
        assert end_silent_runs(instance, settings_of(tmp_path), datetime.now(UTC) + IN_AN_HOUR) == []
    assert end_silent_runs(instance, settings_of(tmp_path), datetime.now(UTC) + IN_AN_HOUR) == [run_id]


def test_a_run_that_is_done_is_left_alone(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    run_id = begun(instance, dg.DagsterRunStatus.SUCCESS)
    assert end_silent_runs(instance, settings_of(tmp_path), datetime.now(UTC) + IN_AN_HOUR) == []
    assert status_of(instance, run_id) == dg.DagsterRunStatus.SUCCESS


def test_a_run_of_another_city_in_the_same_history_is_left_alone(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    begun(instance, **{DATA: "/data/of/another/city"})
    ours = begun(instance, **data_tag(settings_of(tmp_path)))
    assert end_silent_runs(instance, settings_of(tmp_path), datetime.now(UTC) + IN_AN_HOUR) == [ours]


def test_a_run_that_the_ui_made_for_assets_of_another_city_is_left_alone_though_it_has_no_tag(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    ours, theirs = (
        settings_of(tmp_path / name, warehouse={"kind": "file", "city": name}) for name in ("lier", "mechelen")
    )
    selections = [frozenset({asset_key(city, "telephony_exports")}) for city in (ours, theirs)]
    runs = [
        dg.DagsterRun(job_name="__ASSET_JOB", status=dg.DagsterRunStatus.STARTED, asset_selection=selection)
        for selection in selections
    ]
    for run in runs:
        instance.run_storage.add_run(run)
    assert end_silent_runs(instance, ours, datetime.now(UTC) + IN_AN_HOUR) == [runs[0].run_id]
    assert status_of(instance, runs[1].run_id) == dg.DagsterRunStatus.STARTED


def test_a_run_of_the_command_line_that_the_ui_repeats_is_one_of_the_daemon(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    settings = settings_of(tmp_path)
    tags = {**data_tag(settings), **OF_COMMAND_LINE}
    ours = begun(instance, **tags)
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="pipelines.definitions"))
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), "nightly")
    started = dg.DagsterRunStatus.STARTED
    repeated = dg.DagsterRun(job_name="nightly", tags=tags, status=started, remote_job_origin=origin)
    instance.run_storage.add_run(repeated)
    end_runs_of_the_command_line(instance, settings)
    assert status_of(instance, ours) == dg.DagsterRunStatus.FAILURE
    assert status_of(instance, repeated.run_id) == started


def test_its_sensor_runs_as_soon_as_it_is_installed(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    sensor = killed_runs_sensor(settings_of(tmp_path))
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.evaluate_tick(dg.build_sensor_context(instance=instance)).skip_message == "none is gone"
