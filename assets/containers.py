"""Which reader an export file needs: its name's ending says in what the records are packed.

Belongs here: the choice. Does not belong here: how one is read (`reading`, and a module for each other container).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from assets.cells import Cells, cells_of
from assets.reading import Batch, TextExport
from assets.workbook import WorkbookExport, is_old_workbook, refuse_old_workbook
from pipelines.settings import Source, TextFile, Workbook


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
    return _opened(path, source.text, source.workbook, cells_of(source))


def header_of(path: Path, text: TextFile, workbook: Workbook) -> list[str]:
    """The header of a file of which no source is known. Raises FileRefused or FileDeferred."""
    return _opened(path, text, workbook, Cells()).header


def where_header_is(path: Path, source: Source) -> tuple[str, str]:
    """The line on which a header is expected, and what else than the export may be wrong if it is not there."""
    if is_workbook(path):
        row = source.workbook.header_row
        return f"line {row}", f"is row {row} of this sheet not its header"
    return "line 1", f"is '{source.text.delimiter}' not its delimiter"


def is_workbook(path: Path) -> bool:
    """Whether the name of a file says that it is a workbook."""
    return path.suffix.lower() == ".xlsx"


def _opened(path: Path, text: TextFile, workbook: Workbook, cells: Cells) -> Export:
    if is_workbook(path):
        return WorkbookExport(path, workbook, text.header, cells)
    if path.suffix.lower() == ".xls" and is_old_workbook(path):  # others call a table of text so
        refuse_old_workbook()
    return TextExport(path, text)
