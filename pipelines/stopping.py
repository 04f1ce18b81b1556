"""Ends a run that is told to stop, by Ctrl-C or SIGTERM, within two seconds wherever it is.

Whatever is under way is broken off and cleared away, as by any other failure. Where that takes too long, for Python
hears of a signal only between two calls of a library, or where it comes again, the process ends at once, and what
it leaves is cleared away by the next run. And an interrupt that a library swallows is raised again before its work is
kept. Does not belong here: what is said.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 1.2
"""Seconds for clearing away what is under way."""
LAST_WORDS = 0.4
"""Seconds for saying that the process ends."""


Handler = Callable[[int, FrameType | None], object]


@dataclass
class Stop:
    """Whether the run was told to stop, and by which signal."""

    signal: int | None = None
    _told: threading.Lock = field(default_factory=threading.Lock)

    def if_told(self) -> None:
        """Raise KeyboardInterrupt if it was: Dagster takes one for a failure of the step in which it comes."""
        if self.signal is not None:
            raise KeyboardInterrupt

    def end(self, tell: Callable[[], None]) -> NoReturn:
        """Say it, if nobody does already, and end the process as a signal does, with 130 or 143.

        At once: Python would first wait for threads of its libraries.
        """
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:  # a further one finds the process on its way out
                signal.signal(number, signal.SIG_IGN)
        status = 128 + (self.signal or signal.SIGINT)
        at_the_latest = threading.Timer(LAST_WORDS, os._exit, [status])
        at_the_latest.daemon = True
        at_the_latest.start()
        with self._told, suppress(Exception):
            tell()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        os._exit(status)


@contextmanager
def nothing_swallowed() -> Iterator[None]:
    """Let an interrupt that comes meanwhile be raised in the end at the latest, by whoever hears signals: `kcc run`, or
    Dagster in a run of its own.

    Where Polars or DuckDB call Python it may be swallowed, and with it what was being handed on: what was read or built
    by then must not be kept.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    before: dict[int, Handler] = {number: handler for number, handler in handlers.items() if callable(handler)}

    def remember(number: int, frame: FrameType | None) -> None:
        came.append(number)
        before[number](number, frame)

    for number in before:
        signal.signal(number, remember)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            before[came[0]](came[0], None)


@contextmanager
def stoppable(tell: Callable[[], None]) -> Iterator[Stop]:
    """Let both signals raise KeyboardInterrupt; `tell` is called where the process must end before that has an effect.

    Python writes the number of a signal to a pipe when it comes, whatever the main thread is busy with.
    """
    if threading.current_thread() is not threading.main_thread():
        yield Stop()
        return
    stop = Stop()

    def interrupt(number: int, _frame: object) -> None:
        stop.signal = stop.signal or number
        raise KeyboardInterrupt

    heard, hearing = os.pipe()
    os.set_blocking(hearing, False)
    heeded = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]  # whoever started us decides
    before = {number: signal.signal(number, interrupt) for number in heeded}
    wakeup = signal.set_wakeup_fd(hearing, warn_on_full_buffer=False)
    unraisable = sys.unraisablehook
    sys.unraisablehook = partial(_unless_interrupt, unraisable)
    threading.Thread(target=_watch, args=(heard, stop, tell), name="stopping", daemon=True).start()
    try:
        yield stop
    finally:
        sys.unraisablehook = unraisable
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(hearing)


def _unless_interrupt(show: Callable[[sys.UnraisableHookArgs], object], ignored: sys.UnraisableHookArgs) -> None:
    """Show an error that a library had to ignore, but no interrupt: it comes where Polars calls Python, whose error
    it can't hand on, and Python prints a traceback. `_watch` ends the run all the same.
    """
    if issubclass(ignored.exc_type, Exception):  # an interrupt is none, nor is Dagster's
        show(ignored)


def _watch(heard: int, stop: Stop, tell: Callable[[], None]) -> None:
    patience = None
    while select.select([heard], [], [], patience)[0]:
        sent = os.read(heard, 64)
        if not sent:  # the run has ended by itself
            os.close(heard)
            return
        numbers = [number for number in sent if number in SIGNALS]
        if numbers and patience is not None:  # again
            break
        if numbers:
            stop.signal, patience = numbers[0], PATIENCE
    stop.end(tell)
