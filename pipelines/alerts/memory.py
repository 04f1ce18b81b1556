"""What was told already, and what waits because it reached nobody: `alerts/told.json` below `$KCC_DATA`.

The command line and Dagster's daemon share it, one at a time. Does not belong here: how alerts are sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from pipelines import durable
from pipelines.alerts.alert import Alert
from pipelines.lock import one_at_a_time
from pipelines.settings import AlertEvent

FAILURES: tuple[AlertEvent, ...] = ("run_failed", "publication_blocked")
AGAIN_AFTER = timedelta(hours=20)
"""A failure of the same cause is told once a night, however often it is tried in between."""
KEPT = timedelta(days=400)
"""What is told once is remembered so long."""
WAITS = timedelta(days=7)
"""So long an alert that reached nobody is tried again."""


class Waiting(BaseModel):
    """An alert that reached nobody, and since when."""

    since: datetime
    alert: Alert


class Memory(BaseModel):
    """When which key was told, and the alerts that wait."""

    told: dict[str, datetime] = {}
    waiting: list[Waiting] = []

    def forget_failures(self) -> None:
        """A run succeeded: the next failure is news, whatever its cause; one that reached nobody is none any more."""
        self.waiting = [one for one in self.waiting if not one.alert.key.startswith(FAILURES)]
        self.told = {key: at for key, at in self.told.items() if not key.startswith(FAILURES)}

    def due(self, alerts: Sequence[Alert], now: datetime) -> list[Alert]:
        """The alerts to send: those of the given that are news, and those that wait. All of them wait until `note`."""
        self.told = {
            key: at for key, at in self.told.items() if now - at < (AGAIN_AFTER if key.startswith(FAILURES) else KEPT)
        }
        waiting = {one.alert.key: one for one in self.waiting if now - one.since < WAITS}
        for alert in alerts:
            if alert.key not in self.told:
                since = waiting[alert.key].since if alert.key in waiting else now
                waiting[alert.key] = Waiting(since=since, alert=alert)
        self.waiting = list(waiting.values())
        return [one.alert for one in self.waiting]

    def note(self, arrived: set[str], now: datetime) -> None:
        """Remember the keys of the alerts that arrived; the others go on waiting."""
        self.told |= dict.fromkeys(sorted(arrived), now)
        self.waiting = [one for one in self.waiting if one.alert.key not in arrived]


class Kept:
    """The file of the memory, while this process alone may change it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._written = file.read_text(encoding="utf-8")
            self.memory = Memory.model_validate_json(self._written)
        except (FileNotFoundError, ValueError):
            self._written = ""
            self.memory = Memory()

    def write(self) -> bool:
        """Keep the memory as it is now; whether that was possible."""
        text = self.memory.model_dump_json(indent=1)
        if text != self._written:
            try:
                durable.write_private(self._file, text)
            except OSError:
                return False
            self._written = text
        return True


@contextmanager
def kept(data: Path) -> Iterator[Kept]:
    """The memory of a data folder; whoever else wants it waits. Raises OSError where it can't be opened."""
    data.mkdir(parents=True, exist_ok=True)
    folder = data / "alerts"
    durable.private_folder(folder)
    with one_at_a_time(folder / ".lock"):
        yield Kept(folder / "told.json")
