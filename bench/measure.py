"""What a command costs: the CPU seconds of its process and all that it started, its wall time, its own peak memory."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LOOK_EVERY = 0.02


@dataclass(frozen=True)
class Cost:
    """What one run of a command cost."""

    cpu: float
    wall: float
    peak_megabytes: float


class CommandFailed(Exception):
    """A command that was to be measured did not end as it should; the message has the end of what it said."""


def cost(
    words: Sequence[str | Path],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    ends_with: Sequence[int] = (0,),
) -> Cost:
    """Run a command in a folder and say what it cost; raises CommandFailed unless it ends with a given status."""
    told = folder / ".told"
    with told.open("wb") as stream:
        began = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own commands
            words, cwd=folder, env={**os.environ, **(environment or {})}, stdout=stream, stderr=subprocess.STDOUT
        )
        peak = _Peak(process.pid)
        peak.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)  # it was waited for here, and not by subprocess
    peak.join()
    if process.returncode not in ends_with:
        said = told.read_text(errors="replace")[-2000:]
        raise CommandFailed(f"{' '.join(map(str, words))} ended with {process.returncode}:\n{said}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak.megabytes)


class _Peak(threading.Thread):
    """Looks at the most memory that a process ever had, until it is gone.

    `ru_maxrss` of a child would count its parent's, from which it was forked. The mark only rises, so that what is
    missed is what it rose by after the last look.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.megabytes = 0.0
        self._status = Path(f"/proc/{pid}/status")

    def run(self) -> None:
        while True:
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            marks = [line for line in lines if line.startswith("VmHWM:")]
            if not marks:  # it has ended, or there is no such mark on this system
                return
            self.megabytes = int(marks[0].split()[1]) / 1024
            time.sleep(LOOK_EVERY)
