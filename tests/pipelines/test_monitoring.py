"""What a monitoring system is told: by one line and its exit status, as JSON, as metrics."""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

import pipelines.cli
from pipelines.durable import write_private
from pipelines.monitoring import Watched, duration, line, metrics, watch
from pipelines.publishing import NotPublished, Warehouse
from pipelines.settings import Settings
from schemas.ops import STATES
from tests.city import CALLS, call, publish, settings_of, write_calls

DAY = timedelta(hours=26)
PLOTTED = re.compile(r"[a-z_]+=(U|\d+s?)(;\d*){0,4}")
"""Performance data as Nagios plots it: what=value[unit];warn;crit;min;max."""


def city(folder: Path) -> Settings:
    """A city with one call log, after a night that took everything in."""
    write_calls(folder, "2025-03-10", [call("2025-03-10 10:00:00"), call("2025-03-10 25:00:00")])
    settings = settings_of(folder, sources=[{**CALLS, "max_quarantined_share": 1}])
    publish(settings)
    return settings


def not_published(settings: Settings) -> Path:
    """The mark of a night that built and could not publish."""
    refusal = Warehouse(settings.folders.data, 7).refusal
    later = NotPublished(version="kcc_later", at_utc="2025-03-11T03:15:00", run_id="r", reason="calls_x.csv is bad")
    write_private(refusal, later.model_dump_json())
    return refusal


def later(watched: Watched, **hours: float) -> Watched:
    """The same, asked at another time."""
    return replace(watched, asked_at_utc=watched.asked_at_utc + timedelta(**hours))


def status(settings: Settings, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    """The exit status and the output of `kcc status`."""
    monkeypatch.setattr(pipelines.cli, "load_settings", lambda path, quick: settings)
    told = CliRunner().invoke(pipelines.cli.app, ["status", *words])
    return told.exit_code, told.stdout


# ── One line ──────────────────────────────────────────────────────────────────────────────────────


def test_a_warehouse_that_stands_well_is_ok_in_one_line_that_nagios_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, told = status(city(tmp_path), monkeypatch, "--max-age", "26h")
    assert ended == 0
    assert told.count("\n") == 1
    words, plotted = told.rstrip("\n").split(" | ")
    assert re.fullmatch(
        r"OK: version kcc_\w+, 0.0 hours old, as of 2025-03-10 19:00 UTC, 0 not in, \d+ warnings", words
    )
    assert all(PLOTTED.fullmatch(each) for each in plotted.split())
    assert [each.split("=")[0] for each in plotted.split()] == ["age", "not_in", "warnings"]


@pytest.mark.parametrize(
    ("hours", "begins", "age"),
    [
        (25.9, "OK: ", "age=93240s;93600;;0"),
        (26.1, "STALE: ", "age=93960s;93600;;0"),
        (-0.01, "OK: ", "age=0s;93600;;0"),
        (-3, "ATTENTION: ", "age=U"),
    ],
    ids=["young enough", "too old", "a clock that was put right a little", "from the future"],
)
def test_the_age_is_that_of_the_published_file(tmp_path: Path, hours: float, begins: str, age: str) -> None:
    watched = watch(city(tmp_path))
    assert watched.published_at_utc is not None
    asked = replace(watched, asked_at_utc=watched.published_at_utc + timedelta(hours=hours))
    told = line(asked, DAY)
    assert told.startswith(begins)
    assert told.split(" | ")[1].split()[0] == age
    assert ("published 3.0 hours in the future" in told) == (hours == -3)
    assert (asked.verdict(DAY) == "OK") == (begins == "OK: ")


def test_a_source_whose_exports_stopped_coming_is_named_though_nights_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path)
    watched = watch(settings)
    made_at = datetime(2025, 3, 10, 19)
    for hours, late in ((95.9, []), (96.1, ["phone"])):
        asked = replace(watched, asked_at_utc=made_at + timedelta(hours=hours))
        assert asked.late_sources(timedelta(days=4)) == late
        assert (asked.verdict(None, timedelta(days=4)) == "STALE") == bool(late)
    ended, told = status(settings, monkeypatch, "--max-age", "26h", "--max-data-age", "4d")
    assert ended == 1
    assert told.startswith("STALE: ")
    assert re.search(r", the newest export of 'phone' is \d+\.\d days old \| age=", told)
    assert status(settings, monkeypatch, "--max-data-age", "4d")[0] == 2
    gone = settings.model_copy(
        update={"sources": [one.model_copy(update={"valid_to": date(2025, 12, 31)}) for one in settings.sources]}
    )
    assert watch(gone).late_sources(timedelta(days=4)) == []


def test_what_is_not_in_or_was_not_published_is_for_somebody_to_look_at_and_no_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path)
    not_published(settings)
    write_calls(tmp_path, "2025-03-11", []).write_text("<html>\n")
    ended, told = status(settings, monkeypatch, "--max-age", "2d")
    assert (ended, told[:10]) == (1, "ATTENTION:")
    assert "the last build was not published" in told

    publish(settings)
    ended, told = status(settings, monkeypatch, "--max-age", "2d")
    assert (ended, told[:10]) == (1, "ATTENTION:")
    assert "1 not in" in told
    assert "not_in=1;0;;0" in told
    assert "calls_" not in told


def test_a_version_that_is_pinned_is_for_somebody_to_look_at(tmp_path: Path) -> None:
    settings = city(tmp_path)
    warehouse = Warehouse(settings.folders.data, 7)
    version = warehouse.published_version()
    assert version is not None
    warehouse.pin(version, "a reason that names somebody")
    told = line(watch(settings), DAY)
    assert told.startswith("ATTENTION: ")
    assert ", pinned by `kcc rollback` | " in told
    assert "somebody" not in told


def test_before_the_first_publication_nothing_is_published_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path)
    assert status(settings, monkeypatch, "--max-age", "26h") == (
        1,
        "NOTHING PUBLISHED: `kcc status` says more\n",
    )
    ended, told = status(settings, monkeypatch, "--max-age", "26h", "--json")
    facts = json.loads(told)
    assert (ended, facts["version"], facts["is_stale"], facts["needs_attention"]) == (1, None, False, True)
    assert "nothing is published yet" in facts["problem"]


def broken(settings: Settings) -> None:
    version = Warehouse(settings.folders.data, 7).file.link.resolve()
    version.chmod(0o644)
    version.write_bytes(b"this is no database" * 1000)


def of_other_software(settings: Settings) -> None:
    version = Warehouse(settings.folders.data, 7).file.link.resolve()
    version.chmod(0o644)
    with duckdb.connect(str(version)) as con:
        con.execute("alter table ops.ledger drop column superseded")


@pytest.mark.parametrize("harm", [broken, of_other_software])
def test_a_warehouse_that_cannot_be_asked_still_tells_how_old_it_is(tmp_path: Path, harm: object) -> None:
    settings = city(tmp_path)
    assert callable(harm)
    harm(settings)
    watched = watch(settings)
    assert re.fullmatch(
        r"ATTENTION: version kcc_\w+, 0.0 hours old, it can't be asked: `kcc status` says why \| age=\d+s;93600;;0",
        line(watched, DAY),
    )
    assert line(later(watched, hours=27), DAY).startswith("STALE: version")
    assert watched.problem is not None
    assert "\n" not in str(watched.problem)


@pytest.mark.parametrize("text", ["26", "0h", "1.5h", "-2h", "h", "26 h", "26H", "999999d", ""])
def test_a_mistake_in_the_age_is_one_sentence_and_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(pipelines.cli, "load_settings", lambda path, quick: settings_of(tmp_path))
    told = CliRunner().invoke(pipelines.cli.app, ["status", f"--max-age={text}"])
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr == (
        f"kcc: --max-age: {text!r} is no age; write a whole number and m, h or d, such as 26h, 90m or 2d\n"
    )


def test_an_age_is_told_in_minutes_hours_or_days() -> None:
    assert [duration(text) / timedelta(hours=1) for text in ("90m", "26h", "2d")] == [1.5, 26, 48]


def test_the_facts_go_on_as_json_with_what_follows_from_the_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path)
    ended, told = status(settings, monkeypatch, "--json")
    without = json.loads(told)
    ended_with_age, told = status(settings, monkeypatch, "--json", "--max-age", "90m")
    added = {key: value for key, value in json.loads(told).items() if key not in without}
    assert added == {"max_age_hours": 1.5, "is_stale": False, "late_sources": [], "needs_attention": False}
    assert (ended, ended_with_age) == (0, 0)


# ── Who may read the warehouse alone ──────────────────────────────────────────────────────────────


@contextmanager
def somebody_else() -> Iterator[None]:
    """As another account of this machine, where this one may become it."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_who_may_read_the_warehouse_alone_is_told_the_same() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        write_calls(folder, "2025-03-11", []).write_text("<html>\n")
        settings = city(folder)
        settings.folders.data.chmod(0o755)
        closed = [folder / "exports", *(settings.folders.data / part for part in ("records", "private"))]
        for each in closed:
            each.chmod(0)
        with somebody_else():
            with pytest.raises(PermissionError):
                list(os.scandir(folder / "exports"))
            watched = watch(settings)
        assert watched.status is not None
        assert [sentence.split(":")[0] for sentence in watched.status.not_in] == ["calls_2025-03-11.csv was refused"]

        warehouse = settings.folders.data / "warehouse"
        warehouse.chmod(0)
        closed.append(warehouse)
        with somebody_else():
            shut_out = watch(settings)
        assert line(shut_out, DAY) == "ATTENTION: version unknown, it can't be asked: `kcc status` says why"
        for each in closed:
            each.chmod(0o700)


# ── Prometheus ────────────────────────────────────────────────────────────────────────────────────


def told_by(text: str) -> dict[str, float]:
    """The metrics as Prometheus reads them, by name and by what tells several apart."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            assert sample.labels.pop("centre") == "Testdorp"
            found[" ".join([sample.name, *sample.labels.values()])] = sample.value
    return found


def test_the_metrics_tell_moments_counts_and_records_by_state(tmp_path: Path) -> None:
    settings = city(tmp_path)
    watched = watch(settings)
    told = told_by(metrics(watched))
    assert told["kcc_asked_timestamp_seconds"] - told["kcc_published_timestamp_seconds"] == pytest.approx(
        watched.age.total_seconds() if watched.age else None, abs=0.001
    )
    assert told["kcc_as_of_timestamp_seconds"] == 1_741_633_200  # 2025-03-10 19:00 UTC
    assert {name: told[name] for name in ("kcc_up", "kcc_last_build_published", "kcc_not_in")} == {
        "kcc_up": 1,
        "kcc_last_build_published": 1,
        "kcc_not_in": 0,
    }
    records = {name.split()[1]: value for name, value in told.items() if name.startswith("kcc_records ")}
    assert records == {"accepted": 1, "excluded": 0, "duplicates": 0, "superseded": 0, "quarantined": 1}
    assert list(records) == list(STATES[1:])
    not_published(settings)
    assert told_by(metrics(watch(settings)))["kcc_last_build_published"] == 0


def test_the_file_is_written_whole_for_everybody_to_read_and_changes_no_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, file = city(tmp_path), tmp_path / "kcc.prom"
    before = os.umask(0o077)
    try:
        assert status(settings, monkeypatch, "--prometheus", str(file))[0] == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [path.name for path in tmp_path.glob("kcc.prom*")] == ["kcc.prom"]
    assert told_by(file.read_text())["kcc_up"] == 1

    Warehouse(settings.folders.data, 7).file.link.unlink()
    assert status(settings, monkeypatch, "--prometheus", str(file))[0] == 1
    told = told_by(file.read_text())
    assert told.pop("kcc_asked_timestamp_seconds") > 0
    assert told == {"kcc_up": 0, "kcc_last_build_published": 0}


def test_a_file_that_cannot_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines.cli, "load_settings", lambda path, quick: settings_of(tmp_path))
    told = CliRunner().invoke(pipelines.cli.app, ["status", "--prometheus", str(tmp_path / "no" / "kcc.prom")])
    assert told.exit_code == 1
    assert told.stderr == (
        f"kcc: {tmp_path}/no/kcc.prom: the metrics can't be written (No such file or directory); name another file\n"
    )
