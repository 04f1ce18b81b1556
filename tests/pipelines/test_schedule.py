"""A night begins every night, by the clock of the centre, and takes every day that it should."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from pathlib import Path
from threading import Timer
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator
from hypothesis import given
from hypothesis import strategies as st

import assets.exports
from assets.exports import failed_days
from pipelines.schedule import RANGE_END, RANGE_START, nightly_schedule, range_tags
from pipelines.settings import Settings
from tests.city import call, read_all, settings_of, write_calls
from tests.dagster_home import home_in, night_of_somebody_else, run_job

BRUSSELS = ZoneInfo("Europe/Brussels")
CLOCK_GOES_FORWARD = date(2026, 3, 29)
CLOCK_GOES_BACK = date(2026, 10, 25)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with home_in(tmp_path / "home") as opened:
        yield opened


def ticks(settings: Settings, first: date, last: date) -> list[datetime]:
    """When Dagster starts a night, from the beginning of one day to the end of another, in the zone of the centre."""
    zone = ZoneInfo(settings.centre.time_zone)
    begins, ends = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
    found = nightly_schedule(settings)
    assert isinstance(found.cron_schedule, str)
    times = schedule_execution_time_iterator(begins.timestamp(), found.cron_schedule, found.execution_timezone, True)
    return [tick.astimezone(zone) for tick in takewhile(lambda tick: tick < ends, times)]


def test_a_night_begins_at_a_quarter_past_four_by_the_clock_also_when_the_clock_changes(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    forward = ticks(settings, CLOCK_GOES_FORWARD - timedelta(days=1), CLOCK_GOES_FORWARD + timedelta(days=1))
    back = ticks(settings, CLOCK_GOES_BACK - timedelta(days=1), CLOCK_GOES_BACK + timedelta(days=1))
    assert [f"{tick:%d %H:%M}" for tick in forward + back] == [
        "28 04:15", "29 04:15", "30 04:15", "24 04:15", "25 04:15", "26 04:15",
    ]  # fmt: skip
    assert [f"{tick.astimezone(UTC):%d %H:%M}" for tick in forward + back] == [
        "28 03:15", "29 02:15", "30 02:15", "24 02:15", "25 03:15", "26 03:15",
    ]  # fmt: skip


@given(at=st.times(), changes_on=st.sampled_from([CLOCK_GOES_FORWARD, CLOCK_GOES_BACK]))
def test_whatever_time_is_declared_every_civil_day_has_one_night(at: time, changes_on: date) -> None:
    settings = settings_of(Path("unused"), night={"at": f"{at:%H:%M}"})
    days = [changes_on + timedelta(days=shift) for shift in (-1, 0, 1)]
    assert [tick.date() for tick in ticks(settings, days[0], days[-1])] == days


def test_a_centre_elsewhere_has_its_nights_by_its_own_clock(tmp_path: Path) -> None:
    lisbon = {"name": "Aldeia", "time_zone": "Europe/Lisbon", "start": "2025-01-01"}
    (tick,) = ticks(settings_of(tmp_path, centre=lisbon, night={"at": "05:00"}), date(2026, 7, 1), date(2026, 7, 1))
    assert f"{tick.astimezone(UTC):%H:%M}" == "04:00"


def request_at(settings: Settings, instance: dg.DagsterInstance, moment: datetime) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=moment)
    found = nightly_schedule(settings).evaluate_tick(context)
    return found.run_requests[0] if found.run_requests else dg.SkipReason(found.skip_message)


def days_at(settings: Settings, instance: dg.DagsterInstance, moment: datetime) -> tuple[str, str]:
    request = request_at(settings, instance, moment)
    assert isinstance(request, dg.RunRequest)
    return request.tags[RANGE_START], request.tags[RANGE_END]


@pytest.mark.parametrize("night", [CLOCK_GOES_FORWARD, CLOCK_GOES_BACK, date(2026, 7, 1)], ids=str)
def test_it_goes_over_the_last_days_again_up_to_the_day_of_the_night(
    tmp_path: Path, instance: dg.DagsterInstance, night: date
) -> None:
    settings = settings_of(tmp_path, night={"look_back_days": 3})
    (tick,) = ticks(settings, night, night)
    request = request_at(settings, instance, tick.astimezone(UTC))
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == f"night of {night}"
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == (str(night - timedelta(days=3)), str(night))


def test_an_export_that_comes_later_than_that_is_taken_all_the_same_and_once(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    settings = settings_of(tmp_path, night={"look_back_days": 3})
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    night = datetime(2026, 7, 1, 4, 15, tzinfo=BRUSSELS)
    assert days_at(settings, instance, night) == ("2025-03-03", "2026-07-01")
    read_all(settings)
    assert days_at(settings, instance, night) == ("2026-06-28", "2026-07-01")


def test_before_the_first_export_day_there_is_no_night(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    settings = settings_of(tmp_path)
    found = request_at(settings, instance, datetime(2024, 12, 31, 4, 15, tzinfo=BRUSSELS))
    assert isinstance(found, dg.SkipReason)
    assert found.skip_message == "centre.start 2025-01-01 is still to come"
    assert days_at(settings, instance, datetime(2025, 1, 1, 4, 15, tzinfo=BRUSSELS))[0] == "2025-01-01"


def test_it_is_running_when_it_is_installed(tmp_path: Path) -> None:
    assert nightly_schedule(settings_of(tmp_path)).default_status == dg.DefaultScheduleStatus.RUNNING


def test_a_day_that_a_run_failed_to_read_is_named_until_the_next_night_has_read_it(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path)
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])

    def breaks(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(assets.exports, "_read", breaks)
        assert not _read(settings, instance, range_tags(settings, [date(2025, 3, 3)])).success
    assert failed_days(instance, settings, "telephony_exports") == {date(2025, 3, 3)}

    other = _read(settings, instance, range_tags(settings, [date(2025, 3, 10)]))
    assert other.success
    left = _check(other, "telephony_exports")
    assert not left.passed
    assert left.severity == dg.AssetCheckSeverity.ERROR
    assert "2025-03-03: a run failed before it was read" in str(left.description)
    assert "What to do" in str(left.description)

    night = datetime(2026, 7, 1, 4, 15, tzinfo=BRUSSELS)
    assert days_at(settings, instance, night)[0] == "2025-03-03"
    healed = _read(settings, instance, range_tags(settings, [date(2025, 3, 3), date(2025, 3, 10)]))
    assert _check(healed, "telephony_exports").passed
    assert failed_days(instance, settings, "telephony_exports") == set()


def test_a_run_of_the_daemon_waits_for_the_night_of_somebody_else(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    settings = settings_of(tmp_path)
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    with night_of_somebody_else(settings.folders.data) as night:
        ends = Timer(1, night.kill)
        ends.start()
        assert _read(settings, instance, range_tags(settings, [date(2025, 3, 3)])).success
        assert night.wait(0) is not None  # it ended first


def test_a_day_whose_export_is_refused_is_named_by_every_night_until_it_is_mended(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    settings = settings_of(tmp_path)
    broken = write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    whole = broken.read_text()
    broken.write_text("<html>\n")
    write_calls(tmp_path, "2025-03-04", [call("2025-03-04 10:00:00")])
    assert _read(settings, instance, range_tags(settings, [date(2025, 3, 3)])).success
    later = _check(_read(settings, instance, range_tags(settings, [date(2025, 3, 4)])), "telephony_exports")
    assert not later.passed
    assert "2025-03-03: calls_2025-03-03.csv was refused: line 1" in str(later.description)

    broken.write_text(whole)
    assert _check(_read(settings, instance, range_tags(settings, [date(2025, 3, 3)])), "telephony_exports").passed


def _read(settings: Settings, instance: dg.DagsterInstance, tags: Mapping[str, str]) -> dg.ExecuteInProcessResult:
    return run_job(settings, instance, tags, "telephony_exports")


def _check(result: dg.ExecuteInProcessResult, asset: str) -> dg.AssetCheckEvaluation:
    (found,) = [
        one
        for one in result.get_asset_check_evaluations()
        if one.check_name == "no_failed_day_left_behind" and one.asset_key == dg.AssetKey(asset)
    ]
    return found
