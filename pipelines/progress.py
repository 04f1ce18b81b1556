"""Shows what a run is doing: on a terminal one line that changes, elsewhere a line now and then.

The run says it by logging to `kcc`, with numbers attached where there is something to count. Belongs here: what is
counted, and how it is shown. Does not belong here: how files are read.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from pipelines.plain import printable
from pipelines.terminal import console, say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

LOG = logging.getLogger("kcc")
FEW = 10
"""Files to read that are told one by one; more are a backfill, which is told as a whole, but for files not taken in."""
SILENCE = 10.0
"""Seconds after which a backfill says how far it is; without a terminal, it does at each tenth of the bytes, too."""


@dataclass
class Counts:
    """How far the reading is. The size of a file, in bytes, is known before it is read; its records are not."""

    files: int = 0
    size: int = 0
    files_read: int = 0
    size_read: int = 0
    records: int = 0
    _began: float = field(default_factory=monotonic)

    def to_read(self, files: int, size: int) -> None:
        """So many files are to be read, with so many bytes."""
        self.files, self.size = files, size

    def begin(self) -> None:
        """The first file is about to be read."""
        self._began = monotonic()

    def has_read(self, size: int, records: int) -> None:
        """One of them is read."""
        self.files_read += 1
        self.size_read += size
        self.records += records

    @property
    def is_backfill(self) -> bool:
        """Whether there is more to read than is told one by one, and not all of it is read."""
        return self.files > FEW and self.files_read < self.files

    @property
    def share(self) -> float:
        """How much of the bytes is read, between 0 and 1."""
        return min(1.0, self.size_read / self.size) if self.size else 1.0

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / max(monotonic() - self._began, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes if it goes on like this; unknown before the first file is read."""
        return (monotonic() - self._began) * (1 / self.share - 1) if self.size_read else None

    def __str__(self) -> str:
        left = f", {_clock(self.seconds_left)} left" if self.seconds_left is not None else ""
        return f"{self.files_read:,} of {self.files:,} files, {self.records:,} records, {self.rate:,.0f} a second{left}"


@contextmanager
def shown(counts: Counts, silent: bool) -> Iterator[None]:
    """Count what is read meanwhile, and show what is logged unless nothing is to be shown."""
    handler: _Counting
    if silent:
        handler = _Counting(counts)
    elif console(err=True).is_terminal:
        handler = _Line(counts, _terminal())
    else:
        handler = _Lines(counts)
    LOG.propagate = False
    LOG.setLevel(logging.DEBUG)
    LOG.addHandler(handler)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        handler.end()


class _Counting(logging.Handler):
    """Takes the counts from what is logged: `to_read` at the beginning, `has_read` of each file."""

    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self.counts = counts

    def emit(self, record: logging.LogRecord) -> None:
        to_read: tuple[int, int] | None = getattr(record, "to_read", None)
        has_read: tuple[int, int] | None = getattr(record, "has_read", None)
        if to_read is not None:
            self.counts.to_read(*to_read)
        if has_read is not None:
            self.counts.has_read(*has_read)
        elif not self.counts.files_read:
            self.counts.begin()
        self.show(record)

    def show(self, record: logging.LogRecord) -> None:
        """What went wrong, and nothing else."""
        if record.levelno >= logging.ERROR:
            say(record.getMessage(), err=True)

    def end(self) -> None:
        """Nothing; not `close`, which Dagster calls for every handler that it finds when it sets up its own."""


class _Lines(_Counting):
    """A line for each message; of a backfill now and then one."""

    def __init__(self, counts: Counts) -> None:
        super().__init__(counts)
        self._told, self._tenths = monotonic(), 0

    def show(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.INFO:
            return
        if not hasattr(record, "has_read") or self.counts.files <= FEW or record.levelno >= logging.WARNING:
            say(record.getMessage(), err=True)
            return
        tenths = int(10 * self.counts.share)
        if tenths > self._tenths or monotonic() - self._told >= SILENCE:
            self._told, self._tenths = monotonic(), tenths
            say(str(self.counts), err=True)


class _Line(_Counting):
    """One line that changes: a bar while a backfill is read, else the last message."""

    def __init__(self, counts: Counts, err: Console) -> None:
        super().__init__(counts)
        self._err = err
        self._bar: Progress | None = None
        self._status = err.status("starting")
        self._status.start()

    def show(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self._err.print(_escaped(record.getMessage()), highlight=False, soft_wrap=True)
            return
        if self.counts.is_backfill:
            if self._bar is None:
                self._status.stop()  # once: a second time it would take the bar with it
                self._bar = _bar(self._err)
            if record.levelno >= logging.WARNING:
                self._bar.console.print(_escaped(record.getMessage()), highlight=False, soft_wrap=True)
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=self.counts.share, description=str(self.counts), refresh=True)
            return
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            self._status.start()
        self._status.update(_escaped(record.getMessage()))

    def end(self) -> None:
        (self._bar or self._status).stop()


def _terminal() -> Console:
    """The terminal itself: during a step Dagster has stderr written to a file, which is none."""
    from rich.console import Console

    return Console(file=os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8"), emoji=False)


def _bar(err: Console) -> Progress:
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    text = TextColumn("{task.description}", table_column=Column(no_wrap=True))
    bar = Progress(BarColumn(bar_width=12), text, console=err, transient=True)
    bar.add_task("", total=1.0)
    bar.start()
    return bar


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(printable(text))


def _clock(seconds: float) -> str:
    """Seconds as minutes and seconds, or as hours, minutes and seconds."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
