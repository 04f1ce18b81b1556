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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

import assets.records
import assets.report.making
import assets.verify
import assets.warehouse
from bench.data import settings as settings_of
from bench.data import write_exports
from pipelines import stopping
from pipelines.publishing import UNFINISHED, Warehouse
from pipelines.settings import ROOT
from tests import city
from tests.faults.stage import checksums
from tests.sample import kcc

RECORDS, DAYS = 24_000, 24
ENDS_WITHIN = 120
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
    done = kcc(office.environment, "run", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")
    return checksums(office.warehouse.file.link)


@pytest.fixture
def office(tmp_path: Path, exports: Path) -> Office:
    return Office(tmp_path, exports)


def reading(office: Office) -> bool:
    return 5 <= len(list(office.data.glob("records/phone/receipts/*.json"))) < DAYS


def building(office: Office) -> bool:
    return any(office.warehouse.file.versions.glob(".building_*")) and not office.warehouse.file.link.exists()


def reporting(office: Office) -> bool:
    is_published = office.warehouse.file.link.exists() and any(office.warehouse.publications.glob("*.json"))
    return is_published and not any(office.data.glob("reports/*"))


def held(run: subprocess.Popen[str], moment: Callable[[], bool]) -> bool:
    """Whether the run was stopped in that moment; it waits there, and what it is sent meanwhile it gets as it goes on.

    A moment that is seen may be over before a signal comes. It can't be while the run is stopped. One that it has
    missed is killed.
    """
    while run.poll() is None:
        if moment():
            run.send_signal(signal.SIGSTOP)
            ended = os.waitid(os.P_PID, run.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            if ended is not None and ended.si_code == os.CLD_STOPPED and moment():
                return True
            break
        time.sleep(0.005)
    run.kill()
    run.communicate()
    return False


def quietly(office: Office) -> subprocess.Popen[str]:
    return office.begin("--quiet")


def held_at(
    folder: Path,
    exports: Path,
    moment: Callable[[Office], bool],
    begin: Callable[[Office], subprocess.Popen[str]] = quietly,
) -> tuple[Office, subprocess.Popen[str]]:
    """A run that waits in a moment, in a folder of its own."""
    for attempt in range(20):
        office = Office(folder / f"attempt_{attempt}", exports)
        run = begin(office)
        if held(run, partial(moment, office)):
            return office, run
    raise AssertionError(f"{moment.__name__}: every run had left that moment before it could be stopped in it")


Hold = Callable[..., tuple[Office, subprocess.Popen[str]]]


@pytest.fixture
def hold(tmp_path: Path, exports: Path) -> Hold:
    """`held_at` for a test."""
    return partial(held_at, tmp_path, exports)


def is_pending(number: signal.Signals, process: int) -> bool:
    """Whether a signal was sent to a process that has not taken it yet."""
    status = Path(f"/proc/{process}/status").read_text()
    return any(int(mask, 16) & 1 << number - 1 for mask in re.findall(r"^S\w+Pnd:\s*(\w+)", status, re.MULTILINE))


KEPT = re.compile(rf"kcc: stopped; (\d+) of {DAYS} new files are read; nothing was published, there is no ")


def test_whoever_starts_a_run_may_have_it_ignore_ctrl_c() -> None:
    words = "import signal, os, time\nfrom pipelines.stopping import stoppable\nwith stoppable(print) as stop:\n"
    words += "    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(2)\nprint('went on')"
    shell = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", sys.executable, "-c", words]
    assert subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, check=True).stdout == "went on\n"


def test_a_signal_is_known_as_soon_as_it_interrupts() -> None:
    words = "import os, signal, time\nfrom pipelines.stopping import stoppable\nwith stoppable(print) as stop:\n"
    words += (
        "    try:\n        os.kill(os.getpid(), signal.SIGTERM)\n        sum(range(10**7))\n        time.sleep(60)\n"
    )
    words += "    except KeyboardInterrupt:\n        stop.end(lambda: print('stopped'))"
    done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (143, "stopped\n")


def test_an_interrupt_that_a_library_swallows_is_no_traceback_and_ends_the_run_all_the_same() -> None:
    words = "import os, signal, time\nfrom pipelines.stopping import stoppable\nclass Library:\n"
    words += "    def __del__(self):\n        os.kill(os.getpid(), signal.SIGTERM)\n        time.sleep(60)\n"
    words += "class Broken:\n    def __del__(self):\n        raise ValueError('of a library')\n"
    words += "with stoppable(lambda: print('stopped')):\n    Broken()\n    Library()\n    time.sleep(60)\n"
    done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (143, "stopped\n")
    assert "ValueError: of a library" in done.stderr
    assert "KeyboardInterrupt" not in done.stderr


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
    hold: Hold, undisturbed: dict[str, str], at: Callable[[Office], bool], number: signal.Signals, again: bool
) -> None:
    office, run = hold(at)
    run.send_signal(number)
    run.send_signal(signal.SIGCONT)
    if again:
        while is_pending(number, run.pid):  # two that wait would be one
            time.sleep(0.001)
        run.send_signal(number)
    _, told = run.communicate(timeout=ENDS_WITHIN)
    assert run.returncode == 128 + number
    assert told.count("\n") == 1, told
    read = len(list(office.data.glob("records/phone/receipts/*.json")))
    # a library may swallow the interrupt: a run then goes on until patience ends, and what it published by then is said
    if office.warehouse.file.link.is_symlink():
        version = office.warehouse.published_version()
        assert told.startswith(f"kcc: stopped; {version} was published, its report may be missing")
    else:
        assert at is not reporting
        said = KEPT.match(told)
        assert said is not None, told
        assert 4 <= int(said[1]) <= read  # five receipts are there, the fifth may not be counted yet
    with (office.data / ".night.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    kept = {path: path.stat().st_mtime_ns for path in office.data.glob("records/phone/receipts/*.json")}
    done = kcc(office.environment, "run", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert checksums(office.warehouse.file.link) == undisturbed
    assert office.runs()[0] == dg.DagsterRunStatus.SUCCESS
    assert dg.DagsterRunStatus.STARTED not in office.runs()
    left = [
        path
        for name in (".building_*", "*.prepared", "unfinished", "*.partial", "*.wal")
        for path in office.data.rglob(name)
    ]
    assert left == []


# ── An interrupt that a library swallows ──────────────────────────────────────────────────────────


@pytest.fixture(params=["of kcc run", "of Dagster"])
def run_of(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[BaseException]]:
    """What an interrupt raises in a run that hears signals as `kcc run` does, or as a process of Dagster's."""
    monkeypatch.setattr(stopping, "PATIENCE", 600)
    with stopping.stoppable(lambda: None):
        if request.param == "of kcc run":
            yield KeyboardInterrupt
        else:
            with dg.raise_execution_interrupts():
                yield DagsterExecutionInterruptedError


@contextmanager
def swallowed_in(module: ModuleType, name: str) -> Iterator[None]:
    """Let a function hear an interrupt that nobody else does."""
    whole = getattr(module, name)

    def told_and_deaf(*words: Any) -> Any:
        with suppress(KeyboardInterrupt, DagsterExecutionInterruptedError):
            os.kill(os.getpid(), signal.SIGINT)
        return whole(*words)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, told_and_deaf)
        yield


def test_a_file_in_whose_reading_it_was_swallowed_is_read_again(run_of: type[BaseException], tmp_path: Path) -> None:
    city.write_calls(tmp_path, "2025-03-31", [city.call("2025-03-31 09:00:00")])
    settings = city.settings_of(tmp_path)
    with swallowed_in(assets.records, "raw_text"), pytest.raises(run_of):
        city.read_all(settings)
    assert not list(settings.folders.data.rglob("receipts/*.json"))
    assert [receipt.records for receipt in city.read_all(settings).receipts] == [1]


@pytest.mark.parametrize("is_sound", [True, False])
def test_a_build_in_which_it_was_swallowed_is_not_published_and_not_said_to_be_unsound(
    run_of: type[BaseException], is_sound: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.write_calls(tmp_path, "2025-03-31", [city.call("2025-03-31 09:00:00")])
    settings = city.settings_of(tmp_path)
    if not is_sound:
        monkeypatch.setitem(assets.verify.SUMS, "two and two are five", "select 1")
    with swallowed_in(assets.warehouse, "verify"), pytest.raises(run_of):
        city.publish(settings)
    warehouse = Warehouse.of(settings)
    assert warehouse.published_version() is None
    refused = warehouse.refused()
    assert refused is not None
    assert refused.reason == UNFINISHED


def test_a_report_in_which_it_was_swallowed_is_not_kept(run_of: type[BaseException], tmp_path: Path) -> None:
    city.write_calls(tmp_path, "2025-03-31", [city.call("2025-03-31 09:00:00")])
    settings = city.settings_of(tmp_path)
    city.publish(settings)
    with swallowed_in(assets.report.making, "figures_of"), pytest.raises(run_of):
        assets.report.making.make_report(settings)
    assert not [*settings.folders.data.glob("reports/*")]


def test_a_backfill_says_now_and_then_how_far_it_is(office: Office) -> None:
    run = office.begin()
    _, told = run.communicate()
    assert run.returncode == 0
    lines = [line for line in told.splitlines() if " files, " in line]
    assert 3 <= len(lines) <= 20
    assert re.fullmatch(rf"\d+ of {DAYS} files, [\d,]+ records, [\d,]+ a second, \d+:\d\d left", lines[0])
    assert lines[-1].startswith(f"{DAYS} of {DAYS} files, ")
    assert "calls_" not in told


class Terminal:
    """A terminal, and what a run has shown on it."""

    def __init__(self) -> None:
        self.leader, self.follower = os.openpty()
        termios.tcsetwinsize(self.follower, (24, 100))
        os.set_blocking(self.leader, False)
        self.shown = b""

    def begin(self, office: Office) -> subprocess.Popen[str]:
        office.environment |= {"TERM": "xterm-256color"}
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self.follower)
        run = office.begin(**streams, start_new_session=True)
        os.close(self.follower)
        return run

    def look(self) -> None:
        """See what is shown by now; without that, a run waits for somebody who looks."""
        with suppress(OSError):  # nothing more by now, or for good
            while shown := os.read(self.leader, 4096):
                self.shown += shown

    @property
    def seen(self) -> str:
        return self.shown.decode(errors="replace")  # it may end in the middle of a character


def test_a_terminal_sees_a_bar_while_a_backfill_is_read_and_ctrl_c_leaves_it_in_order(hold: Hold) -> None:
    terminals: list[Terminal] = []

    def begin(office: Office) -> subprocess.Popen[str]:
        terminals.append(Terminal())
        return terminals[-1].begin(office)

    def reading_is_seen(office: Office) -> bool:
        terminals[-1].look()
        return reading(office)

    _, run = hold(reading_is_seen, begin)
    assert re.search(rf"[1-9] of {DAYS} files, [\d,]+ records, [\d,]+ a second, \d+:\d\d left", terminals[-1].seen)
    run.send_signal(signal.SIGINT)
    run.send_signal(signal.SIGCONT)
    assert run.wait(ENDS_WITHIN) == 130
    terminals[-1].look()
    seen = terminals[-1].seen
    assert "━" in seen
    assert seen.rindex("\x1b[?25h") > seen.rindex("\x1b[?25l")  # the cursor is back
    assert "Traceback" not in seen
    assert " stopped; " in seen
