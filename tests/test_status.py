"""`kcc status`: how old, what is not in, what looks wrong, what was restated."""

from __future__ import annotations

import errno
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

import assets.warehouse
import pipelines.cli
import pipelines.status
from assets.tripwires import Blocked
from pipelines.monitoring import line, watch
from pipelines.publishing import NotPublished, Warehouse
from pipelines.settings import Settings
from pipelines.space import LEAST_ROOM
from pipelines.status import NoStatus, status_of
from tests.city import (
    APPOINTMENTS,
    CALLS,
    WEEK,
    appointment,
    call,
    publish,
    settings_of,
    write_appointments,
    write_calls,
)
from tests.dagster_home import night_of_somebody_else

EARLY = "2025-03-10 08:00:00"


def published(folder: Path, **parts: Any) -> Settings:
    """The settings of a city with one call log, after a night."""
    settings = settings_of(folder, **{"sources": [CALLS], **parts})
    publish(settings)
    return settings


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_before_the_first_publication_there_is_nothing_but_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NoStatus, match="nothing is published yet; run `kcc run`"):
        status_of(settings_of(tmp_path))


def test_a_warehouse_that_stands_well(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    status = status_of(published(tmp_path))
    assert not status.needs_attention
    assert (status.not_published, status.not_in, status.warnings, status.accepted) == (None, [], [], [])
    assert status.newest_restatement is None
    assert status.age_hours < 1
    assert str(status.as_of_utc) == "2025-03-10 19:00:00"


def test_a_build_that_was_blocked_is_told_until_the_next_is_published(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    published(tmp_path)
    write_calls(tmp_path, "2025-03-11", [call(EARLY, id=f"e{n}") for n in range(20)])
    with pytest.raises(Blocked):
        published(tmp_path)
    status = status_of(settings_of(tmp_path))
    assert status.needs_attention
    assert status.not_published is not None
    assert "95 % of the answered calls of source 'phone' in March 2025 lie outside" in status.not_published

    accepted = [{"tripwire": "answered_outside_hours", "reason": "avonddienst op proef", "until": "2025-06-30"}]
    status = status_of(published(tmp_path, tripwires={"accepted": accepted}))
    assert not status.needs_attention
    assert status.accepted[0].endswith("Accepted until 2025-06-30: avonddienst op proef")


def test_what_is_not_in_and_what_looks_wrong_is_said_in_sentences(tmp_path: Path) -> None:
    write_appointments(tmp_path, "2025-03-31", [appointment("2025-03-10 10:00:00", service="huwelijk")])
    write_calls(tmp_path, "2025-03-10", []).write_text("<html>\n")
    status = status_of(published(tmp_path, sources=[CALLS, APPOINTMENTS]))
    assert status.needs_attention
    assert status.not_in[0].startswith("calls_2025-03-10.csv was refused: line 1")
    assert [warning.split(":")[0] for warning in status.warnings] == [
        "1 of the 1 appointments of source 'desk' in March 2025 are for a service of no cluster"
    ]


def test_days_that_are_missing_or_failed_are_counted_and_the_newest_named(tmp_path: Path) -> None:
    for day in ("03", "14"):
        write_calls(tmp_path, f"2025-03-{day}", [call(f"2025-03-{day} 10:00:00", id=day)])
    for day in ("04", "05"):
        write_calls(tmp_path, f"2025-03-{day}", []).write_text("<html>\n")
    assert status_of(published(tmp_path, sources=[CALLS])).days == [
        "of source 'phone' 2 days failed: 2025-03-05, 2025-03-04 (runbook: Days missing or failed)",
        "of source 'phone' 6 days missing: 2025-03-13, 2025-03-12, 2025-03-11, 2025-03-10, 2025-03-07, … "
        "(runbook: Days missing or failed)",
    ]


def test_the_newest_restatement_is_told_by_its_headline(tmp_path: Path) -> None:
    hours = [{"service_point": "telephone", "valid_from": "2025-01-01", **WEEK}]
    parts: dict[str, Any] = {"sources": [{**CALLS, "covers_days": 31}], "hours": hours, "clusters": []}
    write_calls(tmp_path, "2025-03-01", [call("2025-02-10 10:00:00"), call("2025-02-10 10:01:00", "missed")])
    published(tmp_path, **parts)
    write_calls(tmp_path, "2025-03-02", [call("2025-02-11 10:00:00", "missed", id="late")])
    status = status_of(published(tmp_path, **parts))
    assert str(status.newest_restatement) == (
        "missed_calls, 2025-02: 50.00 became 66.67 percent, and 13 more figures (late export calls_2025-03-02.csv)"
    )


def test_a_warehouse_of_another_version_of_the_software_is_told_in_a_sentence(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    settings = published(tmp_path)
    version = (tmp_path / "data" / "warehouse" / "kcc.duckdb").resolve()
    version.chmod(0o644)
    with duckdb.connect(str(version)) as con:
        con.execute("drop table ops.tripwires")
    with pytest.raises(NoStatus, match="published by another version of this software; run `kcc run`"):
        status_of(settings)


def test_a_build_that_died_is_told_and_one_that_died_after_publishing_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    published(tmp_path)
    with monkeypatch.context() as dying:
        dying.setattr(assets.warehouse, "verify", interrupted)
        with pytest.raises(KeyboardInterrupt):
            published(tmp_path)
    assert "it has not finished: it is at work, or was killed" in str(status_of(settings_of(tmp_path)).not_published)

    refusal = tmp_path / "data" / "warehouse" / "not_published.json"
    told = refusal.read_text()
    settings = published(tmp_path)
    version = status_of(settings).version
    refusal.write_text(told.replace(NotPublished.model_validate_json(told).version, version))  # killed before it went
    assert status_of(settings_of(tmp_path, sources=[CALLS])).not_published is None


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "there was no space left (runbook: Disk full)"),
        (MemoryError(), "it broke off (MemoryError) (runbook: Out of memory)"),
        (KeyError("04 123 45 67"), "it broke off (KeyError) (runbook: Run failed)"),
    ],
)
def test_a_build_that_broke_off_is_told_with_why_and_without_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, why: str
) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    published(tmp_path)

    def breaks(*_: object) -> None:
        raise error

    with monkeypatch.context() as breaking:
        breaking.setattr(assets.warehouse, "verify", breaks)
        with pytest.raises(type(error)):
            published(tmp_path)
    assert str(status_of(settings_of(tmp_path)).not_published).endswith(why)
    assert status_of(published(tmp_path)).not_published is None


def test_a_disk_without_room_for_the_next_night_is_told_before_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    settings = published(tmp_path)
    size = (tmp_path / "data" / "warehouse" / "kcc.duckdb").stat().st_size
    assert 2 * size < LEAST_ROOM
    for free, is_told in ((LEAST_ROOM, False), (LEAST_ROOM - 1, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert status_of(settings).needs_attention == is_told
    assert status_of(settings).no_room == (
        f"49 MB are free in {tmp_path}/data, and a night may need 50 MB: free some (runbook: Disk full)"
    )
    monkeypatch.setattr("pipelines.space.LEAST_ROOM", 0)
    for free, is_told in ((2 * size, False), (2 * size - 1, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert status_of(settings).needs_attention == is_told
    said = line(watch(settings), timedelta(hours=26))
    assert said.startswith("ATTENTION: ")
    assert "too little room for a night" in said


def test_a_build_that_is_at_work_is_no_trouble(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    settings = published(tmp_path)
    warehouse = Warehouse.of(settings)
    last = warehouse.history().last
    assert last is not None
    with night_of_somebody_else(settings.folders.data):
        warehouse.refuse(last.model_copy(update={"version": "kcc_20991231T000000000000_next"}))
        assert status_of(settings).not_published is None
    assert "was killed" in str(status_of(settings).not_published)


def test_who_may_not_look_whether_a_night_is_at_work_takes_a_young_build_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    settings = published(tmp_path)
    warehouse = Warehouse.of(settings)
    last = warehouse.history().last
    assert last is not None

    def not_yours(_: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(pipelines.status, "is_night_at_work", not_yours)
    now = datetime.now(UTC).replace(tzinfo=None)
    for begun, is_told in ((now - timedelta(minutes=50), False), (now - timedelta(minutes=70), True)):
        warehouse.refuse(last.model_copy(update={"version": "kcc_2099_next", "published_at_utc": begun}))
        assert (status_of(settings).not_published is not None) == is_told


def test_an_exports_folder_that_is_away_is_told(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    settings = published(tmp_path)
    (tmp_path / "exports").rename(tmp_path / "away")
    assert status_of(settings).not_in == [
        f"{tmp_path}/exports: there is no such folder; set folders.exports or KCC_EXPORTS (runbook: No exports folder)"
    ]


def test_the_command_prints_it_and_ends_with_1_if_somebody_should_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    settings = published(tmp_path)
    monkeypatch.setattr(pipelines.cli, "load_settings", lambda path, quick: settings)
    told = CliRunner().invoke(pipelines.cli.app, ["status"])
    assert told.exit_code == 0
    assert "published: kcc_" in told.stdout
    assert "as of 2025-03-10 19:00 UTC" in told.stdout
    write_calls(tmp_path, "2025-03-11", []).write_text("<html>\n")
    published(tmp_path)
    told = CliRunner().invoke(pipelines.cli.app, ["status", "--json"])
    assert told.exit_code == 1
    assert '"calls_2025-03-11.csv was refused: line 1' in told.stdout
