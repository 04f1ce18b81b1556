"""Runs that are told to stop, by Ctrl-C or SIGTERM, while they read, build or make the report."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from bench.data import settings as settings_of
from bench.data import write_exports
from pipelines.publishing import Warehouse
from pipelines.settings import ROOT
from tests.faults.stage import checksums

RECORDS, DAYS = 100_000, 24
ENDS_WITHIN = 10
"""Seconds in which a run must end here. Two are promised; the machine may be busy with other tests."""


def in_toml(value: Any) -> str:
    """A value as TOML writes it, tables in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {in_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_toml, value)) + "]"
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return value
    return json.dumps(value)


class Office:
    """A contact centre with a backfill to read, in a folder of its own."""

    def __init__(self, folder: Path, exports: Path) -> None:
        self.data = folder / "data"
        self.warehouse = Warehouse(self.data, 7)
        self.home = folder / "dagster"
        self.home.mkdir(parents=True)
        shutil.copy(ROOT / "dagster.yaml", self.home)
        declared = {key: value for key, value in settings_of(folder).items() if key != "text"}
        (folder / "kcc.toml").write_text("".join(f"{key} = {in_toml(value)}\n" for key, value in declared.items()))
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("KCC_")},
            "KCC_SETTINGS": str(folder / "kcc.toml"),
            "KCC_EXPORTS": str(exports),
            "DAGSTER_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
        }

    def begin(self, *words: str, **streams: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pipelines.cli", "run", *words],
            env=self.environment,
            cwd=ROOT,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
        )

    def runs(self) -> list[dg.DagsterRunStatus]:
        """How the runs in Dagster's history stand, the newest first."""
        here = Path.cwd()
        os.chdir(self.home)
        try:
            with dg.DagsterInstance.from_config(str(self.home)) as instance:
                return [run.status for run in instance.get_runs()]
        finally:
            os.chdir(here)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    write_exports(folder, RECORDS, DAYS)
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, exports: Path) -> dict[str, str]:
    """The tables of a run that nobody stops."""
    office = Office(tmp_path_factory.mktemp("undisturbed"), exports)
    done = office.begin("--quiet").communicate()
    assert done == ("", "")
    return checksums(office.warehouse.link)


@pytest.fixture
def office(tmp_path: Path, exports: Path) -> Office:
    return Office(tmp_path, exports)


def reading(office: Office) -> bool:
    return len(list(office.data.glob("records/phone/receipts/*.json"))) >= 5


def building(office: Office) -> bool:
    return any(office.warehouse.versions.glob(".building_*"))


def reporting(office: Office) -> bool:
    return office.warehouse.link.is_symlink() and any(office.warehouse.publications.glob("*.json"))


KEPT = re.compile(rf"kcc: stopped; (\d+) of {DAYS} new files are read; nothing was published, there is no ")


def test_whoever_starts_a_run_may_have_it_ignore_ctrl_c() -> None:
    words = "import signal, os, time\nfrom pipelines.stopping import stoppable\nwith stoppable(print) as stop:\n"
    words += "    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(2)\nprint('went on')"
    shell = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-c", words]
    assert subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "went on\n"


def test_a_signal_is_known_as_soon_as_it_interrupts() -> None:
    words = "import signal, os\nfrom pipelines.stopping import stoppable\nwith stoppable(print) as stop:\n"
    words += "    try:\n        os.kill(os.getpid(), signal.SIGTERM)\n        sum(range(10**7))\n"
    words += "    except KeyboardInterrupt:\n        stop.end(lambda: print('stopped'))"
    done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (143, "stopped\n")


@pytest.mark.parametrize(
    ("at", "number", "again"),
    [
        pytest.param(reading, signal.SIGINT, False, id="while it reads"),
        pytest.param(reading, signal.SIGTERM, False, id="by SIGTERM"),
        pytest.param(building, signal.SIGINT, False, id="while it builds"),
        pytest.param(building, signal.SIGINT, True, id="while it builds, twice"),
        pytest.param(reporting, signal.SIGINT, False, id="after it has published"),
    ],
)
def test_a_run_that_is_told_to_stop_says_what_is_done_and_the_next_goes_on(
    office: Office, undisturbed: dict[str, str], at: Callable[[Office], bool], number: signal.Signals, again: bool
) -> None:
    run = office.begin("--quiet")
    while not at(office):
        assert run.poll() is None, "it ended before it could be stopped"
        time.sleep(0.005)
    run.send_signal(number)
    if again:
        run.send_signal(number)
    _, told = run.communicate(timeout=ENDS_WITHIN)
    assert run.returncode == 128 + number
    assert told.count("\n") == 1, told
    read = len(list(office.data.glob("records/phone/receipts/*.json")))
    if at is reporting:
        assert told.startswith("kcc: stopped; kcc_")
        assert "was published, its report may be missing" in told
    else:
        said = KEPT.match(told)
        assert said is not None, told
        assert read - 1 <= int(said[1]) <= read
        assert not office.warehouse.link.exists()
    with (office.data / ".night.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if not again:
        assert office.runs()[0] in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)

    kept = {path: path.stat().st_mtime_ns for path in office.data.glob("records/phone/receipts/*.json")}
    assert office.begin("--quiet").communicate() == ("", "")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert checksums(office.warehouse.link) == undisturbed
    assert office.runs()[0] == dg.DagsterRunStatus.SUCCESS
    assert dg.DagsterRunStatus.STARTED not in office.runs()
    left = [
        path
        for name in (".building_*", "*.prepared", "unfinished", "*.partial", "*.wal")
        for path in office.data.rglob(name)
    ]
    assert left == []


def test_a_backfill_says_now_and_then_how_far_it_is_and_nothing_if_asked_to_be_quiet(office: Office) -> None:
    run = office.begin()
    _, told = run.communicate()
    assert run.returncode == 0
    lines = [line for line in told.splitlines() if " files, " in line]
    assert 3 <= len(lines) <= 20
    assert re.fullmatch(rf"\d+ of {DAYS} files, [\d,]+ records, [\d,]+ a second, \d+:\d\d left", lines[0])
    assert lines[-1].startswith(f"{DAYS} of {DAYS} files, ")
    assert "calls_" not in told

    run = office.begin("--json")
    assert json.loads(run.communicate()[0])["files"] == DAYS


def test_a_terminal_sees_a_bar_while_a_backfill_is_read_and_ctrl_c_leaves_it_in_order(office: Office) -> None:
    leader, follower = os.openpty()
    termios.tcsetwinsize(follower, (24, 100))
    office.environment |= {"TERM": "xterm-256color"}
    run = office.begin(stdin=follower, stdout=follower, stderr=follower, start_new_session=True)
    os.close(follower)
    seen = ""
    while not re.search(rf"[1-9] of {DAYS} files, [\d,]+ records, [\d,]+ a second, \d+:\d\d left", seen):
        seen += os.read(leader, 4096).decode()
    run.send_signal(signal.SIGINT)
    while True:
        try:
            seen += os.read(leader, 4096).decode()
        except OSError:  # nobody holds the other end any more
            break
    assert run.wait(ENDS_WITHIN) == 130
    assert "━" in seen
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")  # the cursor is back
    assert "Traceback" not in seen
    assert "new files are read; " in seen
