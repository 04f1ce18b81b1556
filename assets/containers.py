"""Which reader an export file needs: its name's ending says in what the records are packed.

Belongs here: the choice. Does not belong here: how one is read (`reading`, and a module for each other container).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from assets.adapters.declared import columns_of
from assets.adapters.vendor import Format
from assets.json_records import ENDINGS, JsonExport
from assets.reading import Batch, TextExport
from pipelines.settings import JsonFile, Source, TextFile


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


def open_export(path: Path, source: Source, vendor: Format | None = None) -> Export:
    """The reader of a file; `vendor` is the format of its source. Raises FileRefused or FileDeferred."""
    if path.name.endswith(ENDINGS):
        named = columns_of(source)
        return JsonExport(path, vendor.columns_for(named) if vendor is not None else named, source.json_file)
    return TextExport(path, source.text)


def names_in(path: Path, text: TextFile, json_file: JsonFile) -> list[str]:
    """What a file itself calls its columns: its header line, or the keys of its first records. Raises as above."""
    if path.name.endswith(ENDINGS):
        return JsonExport(path, [], json_file).keys()
    return TextExport(path, text).header
