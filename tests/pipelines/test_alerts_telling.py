"""What is told, and how often: a norm once, a failure once a night, an old warehouse once, and nothing twice."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.warehouse import build_and_publish
from pipelines import durable
from pipelines.alerts import channels, telling
from pipelines.alerts.telling import tell_if_stale, tell_of_run
from pipelines.failure import Cause
from pipelines.publishing import Block, MissedNorm, Publication, Warehouse
from pipelines.settings import Settings
from pipelines.versions import roll_back
from tests.city import CALLS, WEEK, call, read_all, settings_of, write_calls
from tests.receivers import Mailbox, mail_server

RUN = "0a1b2c3d-run"
CRASH = [Cause("warehouse", "KeyError")]
NORMS = [
    {"indicator": "telephone_wait", "operator": "<", "value": "45", "valid_from": "2025-01-01", "source": "plan"},
    {"indicator": "missed_calls", "operator": "<=", "value": "20", "valid_from": "2025-01-01", "source": "plan"},
]


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    monkeypatch.setattr(channels, "PAUSE", 0)
    with mail_server() as found:
        yield found


def city(folder: Path, box: Mailbox, **more: Any) -> Settings:
    """A city of telephones whose exports hold whole months, and whose alerts go to the mailbox."""
    people = {"sender": "kcc@stad.example", "recipients": ["wacht@stad.example"]}
    return settings_of(
        folder,
        sources=[{**CALLS, "covers_days": 31}],
        hours=[{"service_point": "telephone", "valid_from": "2024-01-01", **WEEK}],
        clusters=[],
        action_plan={"norms": NORMS},
        alerts={"email": {"host": "127.0.0.1", "port": box.port, "security": "none", **people}, **more},
    )


def later(monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    """What is told now is told so many hours later."""
    now = telling._now() + timedelta(hours=hours)
    monkeypatch.setattr(telling, "_now", lambda: now)


def night(settings: Settings, run_id: str) -> Publication:
    """Read, build, publish and tell, as a night does."""
    read_all(settings)
    build_and_publish(settings, run_id)
    assert tell_of_run(settings, run_id, None) == []
    last = Warehouse(settings.folders.data, keep=7).history().last
    assert last is not None
    return last


def waits(month: int, seconds: int) -> list[dict[str, str]]:
    return [call(f"2025-0{month}-10 10:0{n}:00", wait=str(seconds), id=f"m{month}c{n}") for n in range(3)]


# ── Norms ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_publication_tells_of_no_norm_however_many_are_missed(tmp_path: Path, box: Mailbox) -> None:
    settings = city(tmp_path, box)
    write_calls(tmp_path, "2025-03-01", waits(2, 60))
    assert night(settings, "11111111-a").norms_newly_missed == []
    assert box.mails == []
    with duckdb.connect(str(tmp_path / "data" / "warehouse" / "kcc.duckdb"), read_only=True) as con:
        missed = con.execute("select indicator from marts.indicators where complete and not norm_met").fetchall()
    assert missed == [("telephone_wait",)]


def test_a_norm_is_told_when_its_month_is_complete_and_not_again_until_it_was_met(tmp_path: Path, box: Mailbox) -> None:
    settings = city(tmp_path, box)
    write_calls(tmp_path, "2025-02-01", waits(1, 60))
    night(settings, "11111111-a")
    write_calls(tmp_path, "2025-02-15", waits(2, 50))
    assert night(settings, "22222222-b").norms_newly_missed == []  # February has not ended
    write_calls(tmp_path, "2025-03-01", waits(2, 50))
    (missed,) = night(settings, "33333333-c").norms_newly_missed
    assert (missed.indicator, missed.variant, missed.dimension_type, missed.value) == (
        *("telephone_wait", "headline", "all"),
        50,
    )
    assert box.subjects == ["norm newly missed"]
    assert "telephone_wait 2025-02: 50.00 seconds, norm < 45" in box.texts[0]

    night(settings, "44444444-d")  # nothing new
    assert len(box.mails) == 1
    write_calls(tmp_path, "2025-03-01", waits(2, 40))  # corrected: met
    night(settings, "55555555-e")
    assert len(box.mails) == 1
    write_calls(tmp_path, "2025-03-01", waits(2, 55))  # and missed after all
    night(settings, "66666666-f")
    assert box.subjects == ["norm newly missed"] * 2
    assert "telephone_wait 2025-02: 55.00 seconds, norm < 45" in box.texts[1]


def test_a_first_night_without_a_complete_month_does_not_hide_the_first_that_misses(
    tmp_path: Path, box: Mailbox
) -> None:
    settings = city(tmp_path, box)
    write_calls(tmp_path, "2025-01-15", waits(1, 60))
    night(settings, "11111111-a")
    write_calls(tmp_path, "2025-02-01", waits(1, 60))
    night(settings, "22222222-b")
    assert box.subjects == ["norm newly missed"]


def test_many_norms_are_one_alert_of_ten_lines(tmp_path: Path, box: Mailbox) -> None:
    settings = city(tmp_path, box)
    write_calls(tmp_path, "2025-01-31", waits(1, 10))
    night(settings, "11111111-a")
    missed = MissedNorm(
        indicator="visitor_wait",
        variant="headline",
        period_type="month",
        period=datetime(2025, 3, 1),
        dimension_type="cluster",
        dimension="Wonen",
        value=6.5,
        unit="minutes",
        norm_operator="<=",
        norm_value=Decimal("5.000000"),
    )
    publication = _rewrite(settings, norms_newly_missed=[missed] * 14)
    tell_of_run(settings, publication.run_id, None)
    (text,) = box.texts
    assert "Complete figures that miss their norm since this publication: 14." in text
    assert text.count("visitor_wait 2025-03, cluster Wonen: 6.50 minutes, norm <= 5") == 10
    assert "and: 4 more" in text


def _rewrite(settings: Settings, **parts: Any) -> Publication:
    """The newest publication, said to be otherwise."""
    warehouse = Warehouse(settings.folders.data, keep=7)
    last = warehouse.history().last
    assert last is not None
    changed = last.model_copy(update=parts)
    (warehouse.publications / f"{last.version}.json").write_text(changed.model_dump_json())
    return changed


def test_a_publication_of_before_there_were_alerts_is_still_read() -> None:
    old = {"version": "kcc_1", "published_at_utc": "2025-03-01T04:15:00", "run_id": RUN, "settings_sha256": ""}
    known = Publication.model_validate({**old, "settings_text": "", "as_of_utc": None, "files": 0, "records": 0})
    assert known.norms_newly_missed == []


# ── Failures ──────────────────────────────────────────────────────────────────────────────────────


def test_a_failed_run_is_told_once_whoever_tells_it_and_by_how_many_at_once(tmp_path: Path, box: Mailbox) -> None:
    settings = city(tmp_path, box)
    with ThreadPoolExecutor(4) as both:  # the command line, and the daemon
        assert list(both.map(lambda _: tell_of_run(settings, RUN, CRASH), range(4))) == [[]] * 4
    assert box.subjects == ["run failed"]
    lines = box.texts[0].splitlines()
    assert lines[0] == "Nothing was published; readers keep the version that they had."
    assert lines[2].startswith("at: 20")
    assert lines[3:5] == [f"run: {RUN}", "step: warehouse, KeyError"]


def test_the_same_cause_is_told_again_the_next_night_and_another_at_once(
    tmp_path: Path, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path, box)
    for run_id, causes in (("r1", CRASH), ("r2", CRASH), ("r3", [Cause("warehouse", "NoSpace")]), ("r4", CRASH)):
        tell_of_run(settings, run_id, causes)
    assert [text.splitlines()[3] for text in box.texts] == ["run: r1", "run: r3"]
    later(monkeypatch, 19.9)
    tell_of_run(settings, "r5", CRASH)
    assert len(box.mails) == 2
    later(monkeypatch, 0.2)
    tell_of_run(settings, "r6", CRASH)
    assert [text.splitlines()[3] for text in box.texts] == ["run: r1", "run: r3", "run: r6"]


def test_a_publication_makes_the_next_failure_news_again(tmp_path: Path, box: Mailbox) -> None:
    settings = city(tmp_path, box)
    write_calls(tmp_path, "2025-01-31", waits(1, 10))
    tell_of_run(settings, "r1", CRASH)
    night(settings, "11111111-a")
    tell_of_run(settings, "r2", CRASH)
    assert len(box.mails) == 2
    tell_of_run(settings, "r3-of-exports-alone", None)  # published nothing
    tell_of_run(settings, "r4", CRASH)
    assert len(box.mails) == 2


def test_a_run_whose_report_failed_has_published(tmp_path: Path, box: Mailbox) -> None:
    settings = city(tmp_path, box)
    write_calls(tmp_path, "2025-01-31", waits(1, 10))
    read_all(settings)
    build_and_publish(settings, RUN)
    tell_of_run(settings, RUN, [Cause("report", "NoReport")])
    (text,) = box.texts
    assert text.startswith("The warehouse is published, and the run failed afterwards.")
    assert "published: kcc_2" in text
    assert "step: report, NoReport" in text


def test_a_blocked_build_is_told_from_one_that_crashed_and_from_that_of_another_run(
    tmp_path: Path, box: Mailbox
) -> None:
    settings = city(tmp_path, box)
    write_calls(tmp_path, "2025-01-31", waits(1, 10))
    last = night(settings, "11111111-a")
    warehouse = Warehouse(settings.folders.data, keep=7)
    begun = last.model_copy(update={"version": "kcc_next", "run_id": RUN})
    warehouse.refuse(begun)
    tell_of_run(settings, RUN, CRASH)
    warehouse.refuse(begun, "the sentence names file.csv", [Block(check="adds_up")])
    tell_of_run(settings, RUN, [Cause("warehouse", "Failure")])
    tell_of_run(settings, "another", [Cause("telephony_exports", "KeyError")])
    assert box.subjects == ["run failed", "publication blocked", "run failed"]
    assert "blocked by: adds_up\n" in box.texts[1].replace("\r\n", "\n")
    assert "file.csv" not in box.texts[1]


def test_a_run_whose_process_ended_says_so(tmp_path: Path, box: Mailbox) -> None:
    tell_of_run(city(tmp_path, box), RUN, [])
    assert "step: none said why: its process ended" in box.texts[0]


# ── An old warehouse ──────────────────────────────────────────────────────────────────────────────


def test_an_old_warehouse_is_told_once_a_version_and_none_before_the_first(
    tmp_path: Path, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path, box, stale_after_hours=30)
    assert tell_if_stale(settings) == []
    write_calls(tmp_path, "2025-01-31", waits(1, 10))
    version = night(settings, "11111111-a").version
    later(monkeypatch, 29.9)
    tell_if_stale(settings)
    assert box.mails == []
    later(monkeypatch, 0.3)
    for _ in range(3):
        assert tell_if_stale(settings) == []
    later(monkeypatch, 24 * 30)
    tell_if_stale(settings)
    assert box.subjects == ["warehouse stale"]
    assert f"version: {version}" in box.texts[0]
    assert "age: 30.2 hours, allowed are 30" in box.texts[0]

    monkeypatch.undo()
    night(settings, "22222222-b")
    later(monkeypatch, 31)
    tell_if_stale(settings)
    assert box.subjects == ["warehouse stale"] * 2


def test_under_a_pin_the_warehouse_is_old_only_when_nights_build_no_more(
    tmp_path: Path, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path, box)
    write_calls(tmp_path, "2025-01-31", waits(1, 10))
    old = night(settings, "11111111-a").version
    warehouse = Warehouse(settings.folders.data, keep=7)
    record = warehouse.publications / f"{old}.json"
    record.write_text(record.read_text().replace(f"{telling._now():%Y-%m-%dT}", "2025-12-01T"))
    night(settings, "22222222-b")
    roll_back(settings, old, None)
    assert tell_if_stale(settings) == []
    later(monkeypatch, 27)
    tell_if_stale(settings)
    assert box.subjects == ["warehouse stale"]


# ── What was told ─────────────────────────────────────────────────────────────────────────────────


def test_what_reached_nobody_waits_and_is_told_once_when_it_can_be(
    tmp_path: Path, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path, box)
    box.refuses = {"wacht@stad.example"}
    for _ in range(2):
        assert tell_of_run(settings, RUN, CRASH) == ["e-mail by 127.0.0.1: it refuses every recipient"]
    assert tell_if_stale(settings) == ["e-mail by 127.0.0.1: it refuses every recipient"]
    box.refuses = set()
    assert tell_if_stale(settings) == []
    assert tell_if_stale(settings) == []
    assert box.subjects == ["run failed"]

    box.refuses = {"wacht@stad.example"}
    tell_of_run(settings, RUN, [Cause("warehouse", "NoSpace")])
    box.refuses = set()
    later(monkeypatch, 24 * 8)  # nobody wants to know any more
    assert tell_if_stale(settings) == []
    assert len(box.mails) == 1


def test_a_failure_that_reached_nobody_is_past_with_the_next_publication(tmp_path: Path, box: Mailbox) -> None:
    settings = city(tmp_path, box)
    box.refuses = {"wacht@stad.example"}
    tell_of_run(settings, RUN, CRASH)
    write_calls(tmp_path, "2025-01-31", waits(1, 10))
    night(settings, "11111111-a")
    box.refuses = set()
    assert tell_if_stale(settings) == []
    assert box.mails == []


def test_what_was_told_is_its_owners_to_read_and_is_begun_anew_where_it_is_broken(tmp_path: Path, box: Mailbox) -> None:
    settings = city(tmp_path, box)
    tell_of_run(settings, RUN, CRASH)
    folder = tmp_path / "data" / "alerts"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        ".lock": 0o600,
        "told.json": 0o600,
    }
    (folder / "told.json").write_bytes(b"{\xff")
    assert tell_of_run(settings, RUN, CRASH) == []
    assert len(box.mails) == 2


def test_on_a_full_disk_a_failure_is_told_all_the_same_and_an_old_warehouse_not_every_ten_minutes(
    tmp_path: Path, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path, box, stale_after_hours=1)
    write_calls(tmp_path, "2025-01-31", waits(1, 10))
    night(settings, "11111111-a")
    later(monkeypatch, 2)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(durable, "write_private", full)
    not_kept = ["what was told can't be remembered, and may be told again"]
    assert tell_if_stale(settings) == not_kept
    assert tell_of_run(settings, RUN, [Cause("warehouse", "NoSpace")]) == not_kept
    assert box.subjects == ["run failed"]


def test_a_memory_that_cannot_be_read_is_one_sentence(tmp_path: Path, box: Mailbox) -> None:
    settings = city(tmp_path, box)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "alerts").touch()
    (sentence,) = tell_of_run(settings, RUN, CRASH)
    assert sentence.startswith("what was told can't be read (FileExistsError)")


def test_an_event_that_is_not_asked_for_is_not_told(tmp_path: Path, box: Mailbox) -> None:
    assert tell_of_run(city(tmp_path, box, events=["warehouse_stale"]), RUN, CRASH) == []
    assert box.mails == []


def test_without_a_channel_nothing_is_told_and_nothing_is_remembered(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert (tell_of_run(settings, RUN, CRASH), tell_if_stale(settings)) == ([], [])
    assert not (tmp_path / "data").exists()
