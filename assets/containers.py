"""Which reader an export file needs: its name's ending says in what the records are packed.

Belongs here: the choice. Does not belong here: how one is read (`reading`, and a module for each other container).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from assets.reading import Batch, TextExport
from pipelines.settings import Source


class Export(Protocol):
    """One pass over an export file: its header, then its records, then the sha256 of its uncompressed bytes.

    Each of the three may raise FileRefused or FileDeferred.
    """

    header: list[str]

    def batches(self) -> Iterator[Batch]:
        """The records in parts; at least one part, if an empty one."""
        ...

    def sha256(self) -> str:
        """Of all that was read; call it when the last batch has been taken."""
        ...


def open_export(path: Path, source: Source) -> Export:
    """The reader of a file. Raises FileRefused or FileDeferred."""
    return TextExport(path, source.text)
