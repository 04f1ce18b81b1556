"""The log of rollbacks: every pin and every release, in one file that no night deletes.

    warehouse/rollbacks.jsonl   a line each, oldest first; what is pinned is what its last line says

There is no second file of what is pinned, so none can say otherwise than the log. Does not belong here: what readers
get (`pipelines/publishing.py`), and which version somebody may choose (`pipelines/versions.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from pipelines import durable


class Rollback(BaseModel):
    """One pin or release.

    `version` is the one that is pinned or released, `instead_of_version` the one that readers had before a pin.
    """

    at_utc: datetime
    action: Literal["pin", "release"]
    version: str
    instead_of_version: str | None
    reason: str | None


class RollbackLog:
    """The file of the log. Whoever appends to it holds the night's lock."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[Rollback]:
        """Every pin and release, oldest first."""
        if not self.path.exists():
            return []
        return [Rollback.model_validate_json(line) for line in self.path.read_bytes().splitlines()]

    def pin(self) -> Rollback | None:
        """The pin that holds now, if there is one."""
        entries = self.entries()
        return entries[-1] if entries and entries[-1].action == "pin" else None

    def withdrawn(self, versions: Iterable[str]) -> set[str]:
        """Which of these versions somebody rolled back from, or past, and nobody pinned since."""
        found: set[str] = set()
        for entry in self.entries():
            if entry.action == "pin":
                found |= {one for one in versions if entry.version < one <= (entry.instead_of_version or "")}
                found.discard(entry.version)
        return found

    def append(self, entry: Rollback) -> None:
        """Add a line, at once and for good: the whole file is written anew, so that no line is ever half there."""
        lines = [one.model_dump_json() for one in [*self.entries(), entry]]
        durable.write(self.path, "".join(f"{line}\n" for line in lines), 0o644)
