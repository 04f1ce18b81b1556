"""One night at a time, whoever starts it: a lock on a file below `$KCC_DATA`. A lock dies with its process."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.runbook import Heading, see


class NightIsRunning(Exception):
    """Another process is at work on the same data."""


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold the lock of a file that may not exist yet; wait for whoever has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


_held: dict[Path, int] = {}
"""How often this process holds each lock: a night takes it once and each of its steps again."""


def is_night_at_work(data: Path) -> bool:
    """Whether another process holds the night's lock at this moment. Raises OSError where one may not look."""
    path = (data / ".night.lock").resolve()
    if _held.get(path) or not path.exists():
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def night_lock(data: Path, wait: bool) -> Iterator[None]:
    """Hold the lock; if another process has it, wait for it or raise NightIsRunning."""
    data.mkdir(parents=True, exist_ok=True)
    path = (data / ".night.lock").resolve()
    if _held.get(path):
        _held[path] += 1
        try:
            yield
        finally:
            _held[path] -= 1
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if wait:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        elif not _taken(descriptor):
            raise NightIsRunning(
                f"another run is at work on {data}; wait for it to end, or look at it in the Dagster UI "
                + see(Heading.ANOTHER_RUN)
            )
        _held[path] = 1
        try:
            yield
        finally:
            _held[path] = 0
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    """Take a lock unless somebody has it; who only looks whether it is held has it for some microseconds."""
    for pause in (0.02, 0.05, 0):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return True
    return False
