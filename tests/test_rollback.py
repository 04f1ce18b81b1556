"""`kcc versions` and `kcc rollback` on the sample city, and a night under a pin in Dagster."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

import assets.verify
from pipelines.lock import night_lock
from pipelines.publishing import Warehouse
from pipelines.settings import ROOT, Settings
from pipelines.status import status_of
from pipelines.versions import release_pin, roll_back
from tests.city import CALLS, WEEK, call, publish, settings_of, write_calls
from tests.sample import City

# ── At the command line ───────────────────────────────────────────────────────────────────────────


def deliver(city: City, day: str) -> None:
    """The exports of one day arrive."""
    for log in (f"telephony/oproepen_{day}.csv", f"appointments/afspraken_{day}.csv"):
        file = city.folder / "exports" / log
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((ROOT / "sample_exports" / log).read_bytes())


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """The sample city after two nights, of one day of exports each."""
    city = City(tmp_path_factory.mktemp("city"))
    city.environment["KCC_EXPORTS"] = str(city.folder / "exports")
    for day in ("20251219", "20251220"):
        deliver(city, day)
        assert city.kcc("run", "-q").returncode == 0
    return city


@pytest.fixture(scope="module")
def versions(city: City) -> list[str]:
    """The two versions, oldest first."""
    return Warehouse(city.folder / "data", 7).store.kept()


@pytest.fixture(scope="module")
def rolled_back(city: City, versions: list[str]) -> subprocess.CompletedProcess[str]:
    """What `kcc rollback` said."""
    assert len(versions) == 2
    return city.kcc("rollback", "--reason", "de kalender klopte niet")


@pytest.fixture(scope="module")
def under_a_pin(
    city: City, rolled_back: subprocess.CompletedProcess[str]
) -> tuple[subprocess.CompletedProcess[str], str]:
    """What a night with new exports said under the pin, and the id of its run."""
    assert rolled_back.returncode == 0
    deliver(city, "20251221")
    night = city.kcc("run", "--json")
    return night, json.loads(night.stdout)["run_id"]


def shown(city: City) -> str:
    version: str = city.ask("select max_by(version, published_at_utc) from ops.publications")[0][0]
    return version


def test_readers_get_the_version_before_and_the_command_says_what_now(
    city: City, versions: list[str], rolled_back: subprocess.CompletedProcess[str]
) -> None:
    earlier, newest = versions
    assert (rolled_back.returncode, rolled_back.stderr) == (0, "")
    assert rolled_back.stdout.splitlines() == [
        f"readers get: {earlier}, as soon as they connect again",
        "pinned: nights build and verify, and do not publish until `kcc rollback --release`",
        f"reports: those in {city.folder}/data/reports are still of {newest}; `kcc report` makes that of the newest "
        "year anew, `kcc report 2024` that of another",
    ]
    assert shown(city) == earlier
    sheet = city.folder / "data" / "reports" / "indicatorenfiche_2025.html"
    assert newest in sheet.read_text(encoding="utf-8")
    assert city.kcc("report").returncode == 0
    assert earlier in sheet.read_text(encoding="utf-8")


def test_a_night_under_a_pin_ends_well_and_says_that_it_does_not_publish(
    city: City, versions: list[str], under_a_pin: tuple[subprocess.CompletedProcess[str], str]
) -> None:
    night, _ = under_a_pin
    held_back = city.folder / "data" / "warehouse" / "held_back.duckdb"
    assert night.returncode == 0
    last = night.stderr.splitlines()[-1]
    assert last.startswith(f"not published: readers are pinned to {versions[0]} since ")
    release = "`kcc rollback --release` lets the next night publish (runbook: is_published)"
    assert last.endswith(f"lies in {held_back}; {release}")
    told = json.loads(night.stdout)
    assert f"not published: {told['not_published']}" == last
    assert told["warehouse"] == str(held_back)
    assert (shown(city), city.kcc("run", "-q").returncode) == (versions[0], 0)
    with duckdb.connect(str(held_back), read_only=True) as con:
        assert con.execute("select count(*) from ops.ledger where file_name like '%20251221%'").fetchone() == (2,)
        assert con.execute("select action, version, instead_of_version, reason from ops.rollbacks").fetchall() == [
            ("pin", *versions, "de kalender klopte niet")
        ]
    assert city.ask("select count(*) from ops.ledger where file_name like '%20251221%'") == [(0,)]


def test_the_status_and_the_list_tell_what_is_pinned(
    city: City, versions: list[str], under_a_pin: tuple[subprocess.CompletedProcess[str], str]
) -> None:
    assert under_a_pin[0].returncode == 0
    status = city.kcc("status")
    assert status.returncode == 1
    assert f"pinned: {versions[0]}, since " in status.stdout
    assert "(de kalender klopte niet); nights do not publish until `kcc rollback --release`" in status.stdout
    assert "not published: the build of " in status.stdout
    listed = city.kcc("versions", COLUMNS="40")
    assert listed.returncode == 0
    newest, pinned = versions[::-1]
    assert [line for line in listed.stdout.splitlines() if "kcc_" in line] == [
        f"{newest}  rolled back",
        f"{pinned}  pinned",
    ]
    assert [one["is_pinned"] for one in json.loads(city.kcc("versions", "--json").stdout)] == [False, True]


def test_in_dagster_a_night_under_a_pin_succeeds_and_materializes_no_table_and_no_report(
    city: City, under_a_pin: tuple[subprocess.CompletedProcess[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run_id = under_a_pin
    monkeypatch.chdir(city.home)  # the folders of its history are relative
    with dg.DagsterInstance.from_config(str(city.home)) as instance:
        run = instance.get_run_by_id(run_id)
        events = [log.dagster_event for log in instance.all_logs(run_id) if log.dagster_event is not None]
        ordinary = instance.get_runs()[-1]
        first = [log.dagster_event for log in instance.all_logs(ordinary.run_id) if log.dagster_event is not None]
    assert run is not None
    assert run.status == dg.DagsterRunStatus.SUCCESS
    assert run.tags["dagster/asset_partition_range_start"] == "2025-12-21"
    made = {event.asset_key.to_user_string() for event in events if event.is_step_materialization and event.asset_key}
    assert made == {"telephony_exports", "appointment_exports"}
    assert [event.step_key for event in events if event.event_type_value == "STEP_SKIPPED"] == ["report"]
    checked = results(events)
    held_back = checked["ops/publications", "is_published"]
    assert (held_back.passed, held_back.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "kcc rollback --release" in str(held_back.description)
    assert checked["ops/ledger", "adds_up"].passed
    assert results(first)["ops/publications", "is_published"].passed
    assert checked.keys() == results(first).keys()


def results(events: list[dg.DagsterEvent]) -> dict[tuple[str, str], Any]:
    found = [
        event.asset_check_evaluation_data for event in events if event.event_type_value == "ASSET_CHECK_EVALUATION"
    ]
    by_check = {(result.asset_key.to_user_string(), result.check_name): result for result in found}
    assert len(by_check) == len(found)
    return by_check


def test_after_the_release_the_next_night_publishes_what_came_meanwhile(
    city: City, versions: list[str], under_a_pin: tuple[subprocess.CompletedProcess[str], str]
) -> None:
    assert under_a_pin[0].returncode == 0
    released = city.kcc("rollback", "--release")
    assert released.stdout == (
        f"released: {versions[0]}; readers keep it until the next night publishes, or `kcc run` now\n"
    )
    assert shown(city) == versions[0]
    assert city.kcc("rollback", "--release").stdout == "nothing is pinned: nights publish\n"
    night = city.kcc("run", "-q")
    assert (night.returncode, night.stderr) == (0, "")
    assert shown(city) not in versions
    assert city.ask("select count(*) from ops.ledger where file_name like '%20251221%'") == [(2,)]
    assert city.ask("select action, version from ops.rollbacks order by at_utc") == [
        ("pin", versions[0]),
        ("release", versions[0]),
    ]
    assert city.kcc("status").returncode == 0
    assert not (city.folder / "data" / "warehouse" / "held_back.duckdb").exists()


def test_wrong_use_is_answered_with_a_sentence(city: City, versions: list[str]) -> None:
    unknown = city.kcc("rollback", "kcc_of_yesterday")
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("kcc: 'kcc_of_yesterday' is no version that is kept; kept are kcc_")
    assert versions[0] in unknown.stderr
    both = city.kcc("rollback", versions[0], "--release")
    assert (both.returncode, both.stderr) == (
        2,
        "kcc: --release takes no version: the next night publishes a new one\n",
    )
    with night_lock(city.folder / "data", wait=False):
        for words in ((), ("--release",)):
            busy = city.kcc("rollback", *words)
            assert busy.returncode == 1
            assert "another run is at work" in busy.stderr
        assert city.kcc("versions").returncode == 0


def test_before_the_first_night_there_is_nothing_to_list_and_nothing_to_undo(tmp_path: Path) -> None:
    city = City(tmp_path)
    assert city.kcc("versions").stdout == "nothing is published yet; run `kcc run` (runbook: NOTHING PUBLISHED)\n"
    assert city.kcc("versions", "--json").stdout == "[]\n"
    told = city.kcc("rollback")
    assert (told.returncode, told.stderr.count("\n")) == (1, 1)
    assert "nothing is published yet; run `kcc run`" in told.stderr


# ── What is restated, and what is refused ─────────────────────────────────────────────────────────

FEBRUARY: dict[str, Any] = {
    "sources": [{**CALLS, "covers_days": 31}],
    "hours": [{"service_point": "telephone", "valid_from": "2025-01-01", **WEEK}],
    "clusters": [],
}


def february(folder: Path, *outcomes: str) -> Settings:
    """A city whose export of February holds calls of these outcomes."""
    records = [call("2025-02-10 10:00:00", outcome, id=f"c{n}") for n, outcome in enumerate(outcomes)]
    write_calls(folder, "2025-03-01", records)
    return settings_of(folder, **FEBRUARY)


def ask(settings: Settings, query: str) -> list[Any]:
    with duckdb.connect(str(settings.folders.data / "warehouse" / "kcc.duckdb"), read_only=True) as con:
        return con.execute(query).fetchall()


def test_after_a_release_the_restatements_go_on_from_the_publication_that_was_rolled_back(tmp_path: Path) -> None:
    settings = february(tmp_path, "answered", "missed")
    publish(settings)
    publish(february(tmp_path, "answered", "missed", "missed"))  # wrong, and shown
    roll_back(settings, None, None)
    publications = settings.folders.data / "warehouse" / "publications"
    before = sorted(publications.iterdir())
    publish(february(tmp_path, "answered", "missed"))  # mended, and held back
    assert sorted(publications.iterdir()) == before
    release_pin(settings, None)
    publish(settings)
    assert ask(
        settings,
        """
        select old_numerator::int, old_denominator::int, new_numerator::int, new_denominator::int
        from ops.restatements
        where indicator = 'missed_calls' and variant = 'headline' and dimension_type = 'all' and period_type = 'month'
        order by restated_at_utc
        """,
    ) == [(1, 2, 2, 3), (2, 3, 1, 2)]
    assert ask(settings, "select count(*) from ops.publications") == [(3,)]


def test_a_build_that_does_not_add_up_is_refused_under_a_pin_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = february(tmp_path, "answered")
    publish(settings)
    publish(settings)
    roll_back(settings, None, None)
    assert status_of(settings).needs_attention
    publish(settings)
    held_back = settings.folders.data / "warehouse" / "held_back.duckdb"
    before = held_back.stat().st_mtime_ns
    monkeypatch.setitem(assets.verify.SUMS, "two and two are five", "select 1")
    with pytest.raises(assets.verify.NotPublishable):
        publish(settings)
    assert held_back.stat().st_mtime_ns == before
    status = status_of(settings)
    assert status.needs_attention
    assert status.pinned is not None
    assert "it does not hold that two and two are five" in str(status.not_published)
