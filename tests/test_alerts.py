"""Alerts of real nights from the command line, to a real mail server and real receivers of webhooks."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_status_sensor_definition import RunStatusSensorCursor

from pipelines.night import dagster_instance
from pipelines.runs import DATA, OF_COMMAND_LINE
from pipelines.settings import ROOT
from tests.planted import CARRIED, PARTS, parts_in, plant, settings_text
from tests.receivers import Mailbox, Receiver, http_receiver, mail_server
from tests.sample import City, small_city

SHAPES = ("teams", "slack", "zulip")
ZONE = 'time_zone = "Europe/Brussels" # the zone of the clock'
WRONG_ZONE = 'time_zone = "Asia/Dubai" #'


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as found:
        yield found


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with http_receiver() as found:
        yield found


def declare(city: City, box: Mailbox, hook: Receiver, settings: str) -> None:
    """Give a city settings, and a channel of each kind."""
    channels = f"""
[alerts.email]
host = "127.0.0.1"
port = {box.port}
security = "none"
sender = "kcc@stad.example"
recipients = ["wacht@stad.example"]
"""
    for shape in SHAPES:
        channels += f'\n[[alerts.webhooks]]\nname = "{shape}"\nshape = "{shape}"\naddress_in = "KCC_{shape.upper()}"\n'
        city.environment[f"KCC_{shape.upper()}"] = f"{hook.address}/{shape}"
    file = city.folder / "city.toml"
    file.write_text(settings + channels, encoding="utf-8")
    city.environment["KCC_SETTINGS"] = str(file)


def take(city: City, *patterns: str) -> None:
    """Lay exports of the sample city into its folder."""
    for pattern in patterns:
        for file in (ROOT / "sample_exports").glob(f"[ta]*/{pattern}"):
            place = city.folder / "exports" / file.parent.name / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)


def told(box: Mailbox, hook: Receiver) -> list[str]:
    """Everything that left the machine."""
    return [str(mail) for mail in box.mails] + [json.dumps(body) for body in hook.posted]


def test_a_blocked_publication_is_told_once_on_each_channel_and_again_after_one_that_was_published(
    tmp_path: Path, box: Mailbox, hook: Receiver
) -> None:
    city = small_city(tmp_path)
    right = (ROOT / "kcc.toml").read_text(encoding="utf-8")
    wrong = right.replace(ZONE, WRONG_ZONE)
    declare(city, box, hook, wrong)
    for _ in range(2):
        night = city.kcc("run", "-q")
        assert night.returncode == 1
        assert "not told" not in night.stderr
    assert box.subjects == ["publication blocked"]
    assert sorted(path.rpartition("/")[2] for path in hook.paths) == sorted(SHAPES)
    lines = box.texts[0].splitlines()
    assert lines[0] == "A check blocked the publication; readers keep the version that they had."
    assert [line.partition(": ")[0] for line in lines[2:-4]] == ["at", "run", "version", "blocked by"]
    assert re.fullmatch(r"blocked by: answered_outside_hours, source telephony, 2025-12: \d+ of \d+", lines[-5])
    assert lines[-1] == "Runbook: Publication blocked, docs/runbook.md#publication-blocked"
    assert str(box.mails[0]["Subject"]) == "Stad Waterbeke (verzonnen): publication blocked"

    declare(city, box, hook, right)
    assert city.kcc("run", "-q").returncode == 0
    declare(city, box, hook, wrong)
    assert city.kcc("run", "-q").returncode == 1
    assert box.subjects == ["publication blocked"] * 2


def test_a_norm_newly_missed_is_told_and_a_webhook_that_is_down_ends_the_published_night_with_1(
    tmp_path: Path, box: Mailbox, hook: Receiver
) -> None:
    city = City(tmp_path)
    city.environment["KCC_EXPORTS"] = str(tmp_path / "exports")
    take(city, "*_202511*", "*_20251201*")  # October and November
    declare(city, box, hook, (ROOT / "kcc.toml").read_text(encoding="utf-8"))
    assert city.kcc("run", "-q").returncode == 0
    missed = "select count(*) > 1 from marts.indicators where complete and not norm_met"
    assert city.ask(missed) == [(True,)]
    assert told(box, hook) == []  # for it was the first publication

    take(city, "*_202512*", "*_2026*")
    before = city.warehouse.readlink()
    hook.status = 404
    night = city.kcc("run", "-q")
    assert night.returncode == 1
    assert city.warehouse.readlink() != before
    assert night.stderr.splitlines() == [
        f"not told: webhook '{shape}': it answers HTTP 404 (runbook: Alert not sent)" for shape in SHAPES
    ]
    assert box.subjects == ["norm newly missed"]
    assert "visitor_wait 2025-12, cluster Burgerzaken: 1.03 minutes, norm <= 1" in box.texts[0]
    assert "since this publication: 1." in box.texts[0]


def test_no_alert_tells_of_a_person_or_names_a_file(tmp_path: Path, box: Mailbox, hook: Receiver) -> None:
    city = City(tmp_path)
    plant(tmp_path / "exports")
    city.environment["KCC_EXPORTS"] = str(tmp_path / "exports")
    declare(city, box, hook, settings_text().replace(ZONE, WRONG_ZONE))
    night = city.kcc("run", "-q")
    assert night.returncode == 1
    assert box.subjects == ["publication blocked"]

    (tmp_path / "exports").rename(tmp_path / "unmounted")
    assert city.kcc("run", "-q").returncode == 1
    assert box.subjects == ["publication blocked", "run failed"]
    assert "run: none, it failed before it began" in box.texts[1]
    assert "step: beginning, NoExportsFolder" in box.texts[1]
    assert len(told(box, hook)) == 8
    never = [*PARTS, *CARRIED.values(), "oproepen", "afspraken", ".csv", str(tmp_path), "exports/"]
    for text in [mail.as_string() for mail in box.mails] + told(box, hook):
        assert parts_in(text, never) == set()


def test_a_night_of_the_command_line_that_was_killed_is_told_by_the_daemon(
    tmp_path: Path, box: Mailbox, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = small_city(tmp_path)
    declare(city, box, hook, (ROOT / "kcc.toml").read_text(encoding="utf-8"))
    monkeypatch.chdir(city.home)
    monkeypatch.setenv("DAGSTER_HOME", str(city.home))
    with dagster_instance() as instance:
        tags = {DATA: str((tmp_path / "data").resolve()), **OF_COMMAND_LINE}
        killed = instance.create_run_for_job(_nightly, status=dg.DagsterRunStatus.STARTED, tags=tags)
        instance.report_run_failed(killed, "The process of this run was killed.")
    # in a process of its own, for in this one Dagster knows no code location, and would take any run for its own
    ask = ["sensor", "preview", "tell_of_failed_run", "-m", "pipelines.definitions"]
    cursor = RunStatusSensorCursor(record_id=-1).to_json()
    command = [sys.executable, "-W", "ignore", "-m", "dagster", *ask, "--cursor", cursor]
    subprocess.run(command, env=city.environment, cwd=city.home, capture_output=True, check=True)
    assert box.subjects == ["run failed"]
    assert f"run: {killed.run_id}" in box.texts[0]


@dg.job
def _nightly() -> None:
    pass


def test_a_warehouse_that_grows_old_is_told_once_by_whoever_asks_for_its_status(
    tmp_path: Path, box: Mailbox, hook: Receiver
) -> None:
    city = small_city(tmp_path)
    declare(city, box, hook, (ROOT / "kcc.toml").read_text(encoding="utf-8"))
    assert city.kcc("run", "-q").returncode == 0
    assert city.kcc("status", "--max-age", "26h", "--alert").returncode == 0
    assert box.subjects == []
    (publication,) = (tmp_path / "data" / "warehouse" / "publications").glob("*.json")
    published = json.loads(publication.read_text())
    publication.write_text(json.dumps({**published, "published_at_utc": "2025-12-20T03:15:00"}))
    log = city.warehouse.resolve().with_name(f"{city.warehouse.resolve().name}.wal")
    log.touch()  # it can't be asked
    asked = city.kcc("status", "--alert", "--prometheus", "/nowhere/kcc.prom")
    assert asked.returncode == 1
    assert box.subjects == ["warehouse stale"]
    log.unlink()
    assert city.kcc("status", "--alert").returncode == 0
    assert box.subjects == ["warehouse stale"]
    box.refuses = {"wacht@stad.example"}
    publication.write_text(json.dumps({**published, "published_at_utc": "2025-12-19T03:15:00"}))
    unheard = city.kcc("status", "--alert")
    assert (unheard.returncode, unheard.stderr.splitlines()) == (
        1,
        ["not told: e-mail by 127.0.0.1: it refuses every recipient (runbook: Alert not sent)"],
    )


def test_a_test_is_sent_by_every_channel_and_says_what_became_of_it(
    tmp_path: Path, box: Mailbox, hook: Receiver
) -> None:
    city = City(tmp_path)
    without = city.kcc("alerts", "--test")
    assert without.returncode == 1
    assert without.stderr == "kcc: no channel is declared, so nothing is told: docs/settings.md#alerts\n"

    declare(city, box, hook, (ROOT / "kcc.toml").read_text(encoding="utf-8"))
    asked = city.kcc("alerts")
    assert (asked.returncode, asked.stdout.splitlines()[-1]) == (0, "by: webhook 'zulip'")
    assert told(box, hook) == []
    sent = city.kcc("alerts", "--test")
    assert (sent.returncode, sent.stderr) == (0, "")
    assert sent.stdout.splitlines() == ["told: e-mail by 127.0.0.1", *(f"told: webhook '{name}'" for name in SHAPES)]
    assert box.subjects == ["test of alerts"]
    assert len(hook.posted) == 3

    del city.environment["KCC_TEAMS"]
    missing = city.kcc("alerts", "--test")
    assert missing.returncode == 1
    assert (
        missing.stderr
        == "not told: webhook 'teams': KCC_TEAMS is not set, nor is KCC_TEAMS_FILE (runbook: Alert not sent)\n"
    )
