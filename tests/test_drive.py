"""A bad night, driven as a data team would: services as installed, an alert, the runbook, and how it heals.

One story in real time: the daemon waits for real minutes. Each step waits for what must happen, and fails if it does
not within minutes.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect, sync_playwright

from pipelines.runbook import Heading, anchor
from pipelines.settings import ROOT
from tests.receivers import Mailbox, mail_server
from tests.sample import City

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
UNITS = ROOT / "deploy" / "systemd"
SAMPLES = ROOT / "sample_exports"
RIGHT, WRONG = (f'time_zone = "{zone}" # the zone of the clock' for zone in ("Europe/Brussels", "Asia/Dubai"))
AT = 'at = "04:15"'
REFUSED = "telephony/oproepen_20251222.csv"


def eventually(happened: Callable[[], object], what: str, seconds: int = 240) -> None:
    """Wait until something has happened."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.5)


def command_of(unit: str, port: int) -> list[str]:
    """How a unit starts its service, with the programs of these tests, and a port that is free."""
    [line] = re.findall(r"^ExecStart=(.*)$", (UNITS / unit).read_text(encoding="utf-8"), re.MULTILINE)
    program, *words = line.replace("3000", str(port)).split()
    return [str(Path(sys.executable).with_name(Path(program).name)), *words]


@contextmanager
def service(unit: str, city: City, port: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """A service that runs until the end, or until it is stopped as systemd stops it."""
    log = (city.folder / f"{unit}.log").open("ab")
    with (
        log,
        subprocess.Popen(
            command_of(unit, port), env=city.environment, cwd=city.home, stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        try:
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to all processes of a service, as systemd does, and SIGKILL to those that do not mind it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                continue


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class DataTeam:
    """Who has the sample city to look after: its settings, its exports, its mail."""

    def __init__(self, folder: Path, box: Mailbox) -> None:
        self.city, self.box = City(folder), box
        self.settings = folder / "city.toml"
        self.exports = folder / "exports"
        self.exports.mkdir()
        self.city.environment |= {"KCC_SETTINGS": str(self.settings), "KCC_EXPORTS": str(self.exports)}
        self.city.environment.pop("PYTEST_CURRENT_TEST", None)

    def declare(self, zone: str, night_at: str) -> None:
        text = (ROOT / "kcc.toml").read_text(encoding="utf-8")
        assert RIGHT in text
        assert AT in text
        self.settings.write_text(
            text.replace(RIGHT, zone).replace(AT, f'at = "{night_at}"')
            + f'\n[alerts.email]\nhost = "127.0.0.1"\nport = {self.box.port}\n'
            'security = "none"\nsender = "kcc@stad.example"\nrecipients = ["wacht@stad.example"]\n',
            encoding="utf-8",
        )

    def drop(self, *names: str) -> None:
        for name in names:
            (self.exports / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(SAMPLES / name, self.exports / name)

    @property
    def published(self) -> Path | None:
        link = self.city.warehouse
        return link.readlink() if link.is_symlink() else None


def section(mail: str) -> str:
    """What the runbook says below the heading that a mail names."""
    told = re.fullmatch(r"Runbook: (.*), docs/runbook\.md#(.*)", mail.splitlines()[-1])
    assert told is not None, mail
    assert anchor(Heading(told[1])) == told[2]
    return below(told[1])


def below(heading: str) -> str:
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    return page.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]


def test_a_bad_night_is_told_and_heals_by_the_runbook(tmp_path: Path) -> None:
    zone = ZoneInfo("Europe/Brussels")
    with ExitStack() as stack:
        team = DataTeam(tmp_path, stack.enter_context(mail_server()))
        city, port = team.city, free_port()

        # somebody declares a wrong zone; exports arrive, the daemon takes them in, and publishes nothing
        team.declare(WRONG, "04:15")
        team.drop("telephony/oproepen_20251219.csv", "appointments/afspraken_20251219.csv")
        webserver = stack.enter_context(service("kcc-webserver.service", city, port))
        daemon = stack.enter_context(service("kcc-daemon.service", city))
        eventually(lambda: team.box.mails, "a mail")
        assert team.box.subjects == ["publication blocked"]
        assert team.published is None

        # the mail names a check, the runbook says what to do about it
        [mail] = team.box.texts
        assert "blocked by: answered_outside_hours, source telephony, 2025-12" in mail
        assert "That check is a heading" in section(mail)
        assert "mend `time_zone` or `[[hours]]`" in below(Heading.ANSWERED_OUTSIDE_HOURS)
        assert "(runbook: answered_outside_hours)" in city.kcc("status").stderr

        # the zone is mended and the daemon started again: it publishes by itself
        at = (datetime.now(zone) + timedelta(seconds=100)).replace(second=0, microsecond=0)
        team.declare(RIGHT, f"{at:%H:%M}")
        stop(daemon)
        daemon = stack.enter_context(service("kcc-daemon.service", city))
        eventually(lambda: team.published, "a publication")
        first = team.published

        # the schedule's night takes in what arrived meanwhile, and says which file is broken
        team.drop("telephony/oproepen_20251222.csv", "appointments/afspraken_20251222.csv")
        whole = (team.exports / REFUSED).read_bytes()
        (team.exports / REFUSED).write_bytes(whole.replace(b";", b",", 3))
        eventually(lambda: datetime.now(zone) > at and team.published != first, "a night at its time")
        eventually(lambda: city.kcc("status", "--max-age", "1h").stdout.startswith("ATTENTION"), "a refused file")
        told = city.kcc("status").stdout
        assert f"not in: {REFUSED} was refused: " in told
        assert "(runbook: Export refused)" in told
        assert "did the export template change" in below(Heading.EXPORT_REFUSED)

        # who watches the UI reads the same
        with sync_playwright() as playwright:
            page = playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
            ).new_page(viewport={"width": 1700, "height": 1000})
            page.goto(f"http://127.0.0.1:{port}/assets/ops/ledger?view=checks&checkDetail=every_export_is_in")
            expect(page.get_by_text("(runbook: Export refused)").first).to_be_visible(timeout=60_000)
            page.goto(f"http://127.0.0.1:{port}/automation")
            for name in ("every_night", "new_exports", "killed_runs", "tell_of_failed_run"):
                expect(page.get_by_text(name).first).to_be_visible(timeout=60_000)

        # the file comes again under its name, and all is well
        (team.exports / REFUSED).write_bytes(whole)
        assert city.kcc("run", "-q").stderr == ""
        assert city.kcc("status", "--max-age", "1h").stdout.startswith("OK: ")
        assert team.box.subjects == ["publication blocked"]
        assert webserver.poll() is None
        assert daemon.poll() is None
