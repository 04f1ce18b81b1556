"""Which reader an export file needs: its name's ending says in what the records are packed.

Belongs here: the choice. Does not belong here: how one is read (`reading`, and a module for each other container).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from assets.adapters.declared import columns_of
from assets.adapters.vendor import Format
from assets.cells import Cells, cells_of
from assets.json_records import ENDINGS, JsonExport
from assets.reading import Batch, TextExport
from assets.workbook import WorkbookExport, is_old_workbook, refuse_old_workbook
from pipelines.settings import Packing, Source


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
    named = columns_of(source)
    return _opened(path, source, cells_of(source), vendor.columns_for(named) if vendor is not None else named)


def names_in(path: Path, packing: Packing) -> list[str]:
    """What a file itself calls its columns: its header line, or the keys of its first records. Raises as above."""
    if path.name.lower().endswith(ENDINGS):
        return JsonExport(path, [], packing.json_file).keys()
    return _opened(path, packing, Cells(), []).header


def first_record_in(path: Path, packing: Packing) -> list[str]:
    """The fields of the first record of a file that has no header; none if it has no record. Raises as above."""
    batch = next(_opened(path, packing, Cells(), []).batches())
    records = [*zip(batch.lines, batch.rows, strict=True), *batch.ragged]
    return min(records)[1] if records else []


def where_header_is(path: Path, source: Source) -> tuple[str, str]:
    """The line on which a header is expected, and what else than the export may be wrong if it is not there."""
    if is_workbook(path):
        row = source.workbook.header_row
        return f"line {row}", f"is row {row} of this sheet not its header"
    return "line 1", f"is '{source.text.delimiter}' not its delimiter"


def is_workbook(path: Path) -> bool:
    """Whether the name of a file says that it is a workbook."""
    return path.suffix.lower() == ".xlsx"


def _opened(path: Path, packing: Packing, cells: Cells, columns: list[str]) -> Export:
    if path.name.lower().endswith(ENDINGS):
        return JsonExport(path, columns, packing.json_file)
    if is_workbook(path):
        return WorkbookExport(path, packing.workbook, packing.text.header, cells)
    if path.suffix.lower() == ".xls" and is_old_workbook(path):  # others call a table of text so
        refuse_old_workbook()
    return TextExport(path, packing.text)
