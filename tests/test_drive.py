"""A bad night, driven as a data team would: a server as deploy/ installs it, an alert, the runbook, and how it heals.

One story in real time, for the daemon looks every half minute and a schedule has its hour: three minutes, nearly all of
them waiting. Each step waits for what must happen, and fails if it does not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect, sync_playwright

from pipelines.runbook import Heading, anchor
from pipelines.settings import ROOT
from tests.receivers import Mailbox, mail_server
from tests.server import Server, eventually, needs, server

ZONE = ZoneInfo("Europe/Brussels")
RIGHT, WRONG = (f'time_zone = "{zone}" # the zone of the clock' for zone in ("Europe/Brussels", "Asia/Dubai"))
OF_SCHEDULE = """{ runsOrError(filter: {tags: [{key: "dagster/schedule_name", value: "every_night"}]}) {
    ... on Runs { results { status } } } }"""
AT = 'at = "04:15"'
BROKEN = "telephony/oproepen_20251222.csv"


class DataTeam:
    """Who looks after the sample city: its server, its settings, its mail."""

    def __init__(self, made: Server, box: Mailbox) -> None:
        self.server, self.box = made, box
        self._settings = made.root / "etc/kcc/city.toml"
        self._sample = self._settings.read_text(encoding="utf-8")
        assert RIGHT in self._sample
        assert AT in self._sample

    def declare(self, zone: str = RIGHT, at: datetime | None = None) -> None:
        """Write the settings: a zone of the telephone, a time of the night, and by whom alerts go."""
        text = self._sample.replace(RIGHT, zone)
        if at is not None:
            text = text.replace(AT, f'at = "{at:%H:%M}"')
        self._settings.write_text(
            f'{text}\n[alerts.email]\nhost = "127.0.0.1"\nport = {self.box.port}\nsecurity = "none"\n'
            'sender = "kcc@stad.example"\nrecipients = ["wacht@stad.example"]\n',
            encoding="utf-8",
        )

    @property
    def published(self) -> Path | None:
        """What readers get."""
        link = self.server.root / "var/lib/kcc/data/warehouse/kcc.duckdb"
        return link.readlink() if link.is_symlink() else None

    def status(self, *words: str) -> str:
        """What `kcc status` says, whichever way it says it."""
        said = self.server.kcc("root", "status", *words)
        return said.stdout + said.stderr


@pytest.fixture
def team() -> Iterator[DataTeam]:
    with mail_server() as box, server() as made:
        yield DataTeam(made, box)


def nights_of_the_schedule(made: Server) -> list[dict[str, str]]:
    """The runs that the schedule began, as the UI has them."""
    found: list[dict[str, str]] = made.graphql(OF_SCHEDULE)["runsOrError"]["results"]
    return found


def below(heading: str) -> str:
    """What the runbook says below a heading."""
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    return page.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]


def heading_of(mail: str) -> str:
    """The heading that an alert names, at its end."""
    told = re.fullmatch(r"Runbook: (.*), docs/runbook\.md#(.*)", mail.splitlines()[-1])
    assert told is not None, mail
    assert anchor(Heading(told[1])) == told[2]
    return told[1]


@needs("systemd-tmpfiles", "chromium")
def test_a_bad_night_is_told_and_heals_by_the_runbook(team: DataTeam) -> None:
    with ExitStack() as until_the_end:
        # somebody declares a wrong zone; exports arrive, the daemon takes them in, and nothing is published
        team.declare(WRONG)
        team.server.deliver("telephony/oproepen_20251219.csv", "appointments/afspraken_20251219.csv")
        with team.server.running("kcc-code.service"):
            until_the_end.enter_context(team.server.running("kcc-daemon.service", "kcc-webserver.service"))
            eventually(lambda: team.box.mails)
        assert team.published is None

        # the mail names a check, and the runbook says what to do about it
        assert team.box.subjects == ["publication blocked"]
        [mail] = team.box.texts
        assert heading_of(mail) == Heading.PUBLICATION_BLOCKED
        assert "blocked by: answered_outside_hours, source telephony, 2025-12" in mail
        assert "(runbook: answered_outside_hours)" in team.status()
        assert "mend `time_zone`" in below(Heading.ANSWERED_OUTSIDE_HOURS)

        # the zone is mended and the code server started again: what was read is published without anybody asking
        at = (datetime.now(ZONE) + timedelta(seconds=130)).replace(second=0, microsecond=0)
        team.declare(RIGHT, at)
        until_the_end.enter_context(team.server.running("kcc-code.service"))
        eventually(lambda: team.published)

        # the night of the schedule takes in what arrived meanwhile, and says which file is broken
        team.server.deliver(BROKEN, "appointments/afspraken_20251222.csv")
        file = team.server.root / "srv/kcc-exports" / BROKEN
        whole = file.read_bytes()
        file.write_bytes(whole.replace(b";", b",", 3))
        eventually(lambda: [run["status"] for run in nights_of_the_schedule(team.server)] == ["SUCCESS"])
        eventually(lambda: team.status("--max-age", "1h").startswith("ATTENTION: "))
        told = team.status()
        assert f"not in: {BROKEN} was refused: line 1" in told
        assert "(runbook: Export refused)" in told
        assert "did the export template change" in below(Heading.EXPORT_REFUSED)

        # who watches the UI reads the same
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1700, "height": 1000})
            ui = f"http://127.0.0.1:{team.server.ports[3000]}"
            page.goto(f"{ui}/assets/ops/ledger?view=checks&checkDetail=every_export_is_in")
            expect(page.get_by_text("(runbook: Export refused)").first).to_be_visible(timeout=60_000)
            page.goto(f"{ui}/automation")
            for name in ("every_night", "new_exports", "killed_runs", "tell_of_failed_run"):
                expect(page.get_by_text(name).first).to_be_visible(timeout=60_000)

        # the file comes again under its name, and all is well
        file.write_bytes(whole)
        eventually(lambda: team.server.kcc("root", "run", "--quiet").returncode == 0)  # another may be at work
        assert team.status("--max-age", "1h").startswith("OK: ")
        assert team.box.subjects == ["publication blocked"]


@needs("systemd-tmpfiles")
def test_a_service_whose_settings_can_not_be_used_does_not_start_and_says_why(team: DataTeam) -> None:
    team.declare('time_zone = "Brussel" #')
    with pytest.raises(subprocess.CalledProcessError) as refused:
        team.server.start("kcc-code.service", team.server.root / "log")
    assert "kcc: /etc/kcc/city.toml: sources[0].time_zone is 'Brussel'" in refused.value.stderr
    assert "(runbook: Settings refused)" in refused.value.stderr
