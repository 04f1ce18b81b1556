"""Processes that run a night, and what strikes them.

A process is forked from one that has imported everything, which saves most of its time; it is real in all else. A night
runs as `kcc run` does, through Dagster, or in its bare steps: read, build, publish.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import runpy
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

FORKS = multiprocessing.get_context("forkserver")
REPORT = ("assets.report.sheet", "assets.report.workbook")
FORKS.set_forkserver_preload(
    ["tests.sample", "pipelines.night", "pipelines.summary", "pipelines.alerts.telling", *REPORT]
)

KCC_RUN = ("pipelines.cli", "run", "--quiet")
BARE_STEPS = ("tests.faults.nights",)


@dataclass(frozen=True)
class Told:
    """How a process ended: its exit status, negative for a signal, and all that it printed."""

    status: int
    text: str

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL


class Night:
    """A night under way in a process of its own. `struck_by` is called in it before anything else."""

    def __init__(
        self,
        environment: dict[str, str],
        told: Path,
        words: tuple[str, ...] = KCC_RUN,
        struck_by: Callable[[], None] | None = None,
    ) -> None:
        self._told = told
        self.process: ForkServerProcess = FORKS.Process(target=_live, args=(environment, told, words, struck_by))
        self.process.start()

    def kill(self, after: float) -> None:
        """Kill it with no chance to clean up, so many seconds from now, if it still lives."""
        self.process.join(after)
        self.process.kill()

    def end(self) -> Told:
        """Wait for its end."""
        self.process.join()
        status = self.process.exitcode
        return Told(-1 if status is None else status, self._told.read_text() if self._told.exists() else "")


def _live(
    environment: dict[str, str], told: Path, words: tuple[str, ...], struck_by: Callable[[], None] | None
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(environment["DAGSTER_HOME"])
    stream = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    sys.argv = list(words)
    if struck_by is not None:
        struck_by()
    module = sys.modules.get(words[0])
    if module is not None and hasattr(module, "main"):
        module.main()
    else:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def main() -> None:
    """The bare steps of a night, without Dagster."""
    from datetime import date

    from assets.files import export_files
    from assets.records import RecordStore
    from assets.warehouse import build_and_publish
    from pipelines.lock import night_lock
    from pipelines.settings import load_settings
    from pipelines.space import NoSpace, told_if_full

    settings = load_settings()
    try:
        with told_if_full(settings.folders.data), night_lock(settings.folders.data, wait=True):
            store = RecordStore(settings)
            for file in export_files(settings, date(2026, 1, 31)):
                store.read(file)
            build_and_publish(settings, f"{os.getpid():08d}")
    except NoSpace as full:
        print(f"kcc: {full}", file=sys.stderr)
        raise SystemExit(1) from None


@dataclass(frozen=True)
class KilledAtMoment:
    """Kills the process right before the n-th time that it renames, links or removes something below a folder.

    These are the moments at which a record file, a receipt, a version, the link or a publication comes to be, and those
    at which something old goes.
    """

    folder: Path
    moment: int

    def __call__(self) -> None:
        passed = 0

        def struck(act: Callable[..., Any]) -> Callable[..., Any]:
            def acting(path: Any, *others: Any, **options: Any) -> Any:
                nonlocal passed
                if str(path).startswith(str(self.folder)):
                    passed += 1
                    if passed == self.moment:
                        os.kill(os.getpid(), signal.SIGKILL)
                return act(path, *others, **options)

            return acting

        os.replace = struck(os.replace)
        for name in ("unlink", "symlink_to"):
            setattr(Path, name, struck(getattr(Path, name)))


@dataclass(frozen=True)
class FileLimit:
    """Lets no file of the process grow beyond so many bytes: from the start, or once it begins to publish."""

    size: int
    when_publishing: bool = False

    def __call__(self) -> None:
        if not self.when_publishing:
            self._set()
            return
        from pipelines.publishing import Warehouse

        publish = Warehouse.publish

        def publishing(*words: Any) -> Path:
            self._set()
            return publish(*words)

        setattr(Warehouse, "publish", publishing)  # noqa: B010 - mypy takes no assignment to a method

    def _set(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.size))


if __name__ == "__main__":
    main()
