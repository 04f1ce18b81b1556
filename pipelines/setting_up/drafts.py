"""What is told of one export file, and what its source is to be: the notes that `kcc init` takes between its questions.

Belongs here: nothing but these two. Does not belong here: any question (`source_draft`, `mapping`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

NAMES = {"calls": "telephony", "appointments": "appointments"}
"""How the source of each kind is called."""


@dataclass(frozen=True)
class Told:
    """What options told of one export file: `columns`, `moments` and `words` are as they were written, KEY=VALUE."""

    kind: str
    path: Path
    format: str | None = None
    zone: str | None = None
    columns: Sequence[str] = ()
    moments: Sequence[str] = ()
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stamp: str | None = None
    exported_at: str | None = None
    export_time: str | None = None
    takes_proposals: bool = False


@dataclass
class Draft:
    """A source as it will be declared.

    `personal` are the keys of which the column seems to hold persons all the same, so that its values are not listed;
    `left` says in sentences what stays to be decided.
    """

    kind: str
    path: Path
    files: str
    export: dict[str, Any]
    exported: datetime
    export_note: str = ""
    format: str | None = None
    zone: str | None = None
    text: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)
    words: dict[str, dict[str, Any]] = field(default_factory=dict)
    replaces_dates: bool = False
    personal: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of the source."""
        return NAMES[self.kind]

    @property
    def declared(self) -> dict[str, Any]:
        """The source as settings declare it."""
        keys = {"format": self.format, "time_zone": self.zone, "text": self.text, "columns": self.columns}
        return {
            "name": self.name,
            "kind": self.kind,
            "files": self.files,
            "export": self.export,
            **{key: value for key, value in keys.items() if value},
            **self.words,
            **({"replaces_dates": True} if self.replaces_dates else {}),
        }
