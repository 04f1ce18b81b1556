"""Reads an .xlsx export as if it were text: its header, then its records, each cell as text.

Belongs here: the file and its parts, which sheet and which rows are the export, and the sentences about a file that is
no sound workbook. Does not belong here: the XML of a sheet (`sheets`), what a cell is as text (`cells`).

openpyxl says which sheets there are and which numbers are shown as dates; what it says of a sheet's extent is not used,
for a sheet that says too little of itself would lose its last rows.
"""

from __future__ import annotations

import hashlib
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from xml.parsers.expat import ExpatError

from assets.cells import PLAIN, Cells, Column
from assets.reading import BATCH, BATCH_TEXT, EMPTY, MOST_UNPACKED, Batch, FileDeferred, FileRefused, Rows, opened
from assets.sheets import Cell, Kind, Row, Styles, rows, shared_texts
from pipelines.plain import printable
from pipelines.settings import Workbook

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""How the old .xls begins, and a workbook with a password."""
ZIP, ZIP_ENDS = b"PK\x03\x04", b"PK\x05\x06"
MOST_PARTS = 10_000
MOST_IN_A_PART = 64 << 20
"""Bytes of a part that is no sheet: it is held in memory, and takes some ten times as much there."""
NAMES_TOLD = 10
DAMAGED = "the workbook is damaged; send it again"


class WorkbookExport:
    """One pass over an .xlsx file: its header, then its records, then the sha256 of its bytes.

    Raises FileRefused or FileDeferred, from any of the three. `header` is declared where the sheet has none.
    """

    def __init__(self, path: Path, place: Workbook, header: list[str] | None, cells: Cells) -> None:
        self._raw = _opened(path)
        self._place, self._cells = place, cells
        with _told():
            self._book = _book(self._raw)
            part = self._book.part_of(place.sheet)
            stream = self._book.parts.open(part)
            self._rows = rows(stream, self._book.texts, self._book.styles)
            self._below = place.header_row - 1
            self.header = header if header is not None else self._header()

    def __del__(self) -> None:
        if hasattr(self, "_raw"):
            self._raw.close()

    def batches(self) -> Iterator[Batch]:
        """The records, at most BATCH at a time and about BATCH_TEXT of text; at least one batch, if an empty one."""
        width, gathered, characters = len(self.header), Rows(), 0
        columns = [self._cells.columns.get(name, PLAIN) for name in self.header]
        while (row := self._taken()) is not None:
            for empty in range(self._below + 1, row[0]):
                gathered.ragged.append((empty, []))
                if len(gathered) == BATCH:
                    yield gathered.batch(width)
                    gathered, characters = Rows(), 0
            self._below = row[0]
            fields = self._fields(row[1], columns)
            if len(fields) == width:
                gathered.rows.append(fields)
                gathered.lines.append(row[0])
            else:
                gathered.ragged.append((row[0], fields))
            characters += len(fields) + sum(map(len, fields))
            if len(gathered) >= BATCH or characters >= BATCH_TEXT:
                yield gathered.batch(width)
                gathered, characters = Rows(), 0
        yield gathered.batch(width)

    def sha256(self) -> str:
        """Of the bytes as they lie there."""
        try:
            self._raw.seek(0)
            return hashlib.file_digest(self._raw, "sha256").hexdigest()
        except OSError as error:
            raise FileRefused(f"can't be read ({error.strerror})") from None

    def _fields(self, row: list[Cell], columns: list[Column]) -> list[str]:
        fields = [""] * max(len(columns), row[-1].column + 1)
        for number, kind, value in row:
            if kind is Kind.UNCALCULATED:
                self._refuse_uncalculated(number)
            else:
                column = columns[number] if number < len(columns) else PLAIN
                fields[number] = column.text(kind, value, self._book.is_1904)
        return fields

    def _header(self) -> list[str]:
        row = self._taken()
        if row is None or row[0] > self._place.header_row:
            raise FileRefused(
                f"row {self._place.header_row} of its sheet is empty, where the header is expected: is 'header_row' of "
                "[sources.workbook] right?"
            )
        self._below = row[0]
        header = [""] * (row[1][-1].column + 1)
        for column, kind, value in row[1]:
            header[column] = PLAIN.text(kind, value, self._book.is_1904)
        return header

    def _taken(self) -> Row | None:
        """The next row that is not empty, from that of the header on."""
        with _told():
            for row in self._rows:
                if row[0] > self._below:
                    return row
        return None

    def _refuse_uncalculated(self, column: int) -> None:
        """A formula without its value would be an empty cell, without a word."""
        name = self.header[column] if column < len(self.header) else ""
        if self._cells.needed is None or column >= len(self.header) or name in self._cells.needed:
            raise FileRefused(
                f"line {self._below}, {printable(name) or 'beyond the header'}: a formula whose value was never "
                "calculated; open the workbook in a spreadsheet program and save it, or export values"
            )


@dataclass(frozen=True)
class _Book:
    """What is known of a workbook before its rows are read."""

    parts: zipfile.ZipFile
    sheets: dict[str, str]
    texts: list[str]
    styles: Styles
    is_1904: bool

    def part_of(self, sheet: str | None) -> str:
        """The name of the part that holds the declared sheet, or the only one."""
        if sheet is None and len(self.sheets) == 1:
            return next(iter(self.sheets.values()))
        if sheet is not None and sheet in self.sheets:
            return self.sheets[sheet]
        names = ", ".join(f"'{printable(name)}'" for name in list(self.sheets)[:NAMES_TOLD])
        more = f" and {len(self.sheets) - NAMES_TOLD} more" if len(self.sheets) > NAMES_TOLD else ""
        what = "it has several sheets" if sheet is None else f"it has no sheet '{sheet}' but"
        if not self.sheets:
            raise FileRefused("no sheet is found in it: save it as an Excel workbook (.xlsx), not as Strict Open XML")
        raise FileRefused(f"{what} {names}{more}: say which one by 'sheet' of [sources.workbook]")


def is_old_workbook(path: Path) -> bool:
    """Whether a file is a workbook of before 2007, or one with a password, by its first bytes."""
    try:
        with opened(path) as raw:
            return raw.read(len(OLE)) == OLE
    except OSError:
        return False


def refuse_old_workbook() -> None:
    """Raise FileRefused with what to do about it."""
    raise FileRefused("an old .xls workbook is not read: save it as .xlsx, or export CSV")


def _opened(path: Path) -> BufferedReader:
    """The bytes of a file that begins and ends as a workbook does."""
    try:
        raw = opened(path)
    except OSError as error:
        raise FileRefused(f"can't be opened ({error.strerror})") from None
    try:
        _look(raw)
    except OSError as error:
        raw.close()
        raise FileRefused(f"can't be read ({error.strerror})") from None
    except (FileRefused, FileDeferred):
        raw.close()
        raise
    return raw


def _look(raw: BufferedReader) -> None:
    begin = raw.read(len(OLE))
    if not begin:
        raise FileDeferred(EMPTY)
    if begin == OLE:
        if any("EncryptedPackage".encode("utf-16-le") in block for block in iter(lambda: raw.read(1 << 20), b"")):
            raise FileRefused("the workbook is protected by a password: save it without one")
        refuse_old_workbook()
    if not begin.startswith(ZIP):
        raise FileRefused("no .xlsx workbook, whatever its name says: export it as one, or name it for what it is")
    size = raw.seek(0, 2)
    raw.seek(max(size - (1 << 16) - 22, 0))
    if ZIP_ENDS not in raw.read():
        raise FileDeferred("the workbook breaks off: it is still being written, or was cut")
    raw.seek(0)


def _book(raw: BufferedReader) -> _Book:
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.styles.stylesheet import Stylesheet
    from openpyxl.xml.constants import ARC_STYLE, SHARED_STRINGS
    from openpyxl.xml.functions import fromstring

    _refuse_bomb(zipfile.ZipFile(raw))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what is lost when a workbook is written again
        reader = ExcelReader(raw, read_only=True, data_only=True, keep_links=False)
        reader.read_manifest()
        reader.read_workbook()
        found = [(sheet.name, rel) for sheet, rel in reader.parser.find_sheets() if "worksheet" in rel.Type]
        styles = Styles()
        if ARC_STYLE in reader.valid_files:
            sheet = Stylesheet.from_tree(fromstring(reader.archive.read(ARC_STYLE)))
            styles = Styles(frozenset(sheet.date_formats), frozenset(sheet.timedelta_formats))
    texts: list[str] = []
    if (part := reader.package.find(SHARED_STRINGS)) is not None:
        with reader.archive.open(part.PartName[1:]) as stream:
            texts = shared_texts(stream)
    sheets = {name: rel.target for name, rel in found}
    return _Book(reader.archive, sheets, texts, styles, reader.wb.epoch.year == 1904)


def _refuse_bomb(parts: zipfile.ZipFile) -> None:
    """By what its directory says of each part; zipfile unpacks no more of a part than is said there."""
    infos = parts.infolist()
    if "[Content_Types].xml" not in parts.namelist():
        raise FileRefused("a zip archive that is no workbook: put what is in it there")
    if any(info.flag_bits & 1 for info in infos):
        raise FileRefused("the workbook is protected by a password: save it without one")
    if len(infos) > MOST_PARTS or sum(info.file_size for info in infos) > MOST_UNPACKED:
        raise FileRefused(f"it unpacks to more than {MOST_UNPACKED:,} bytes or {MOST_PARTS:,} parts: that is no export")
    for info in infos:
        if "/worksheets/" not in info.filename and "/media/" not in info.filename and info.file_size > MOST_IN_A_PART:
            raise FileRefused(
                f"a part that is no sheet unpacks to more than {MOST_IN_A_PART:,} bytes: split the export"
            )


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with a workbook, in one sentence; nothing of its content is quoted."""
    try:
        yield
    except (FileRefused, FileDeferred, MemoryError):
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise FileRefused(DAMAGED) from None
    except ExpatError as error:
        raise FileRefused(f"the workbook is damaged (its XML breaks on line {error.lineno}); send it again") from None
    except OSError as error:
        raise FileRefused(f"can't be read ({error.strerror or 'it is no workbook'})") from None
    except Exception as error:  # whatever else openpyxl stumbles over
        raise FileRefused(f"no sound .xlsx workbook ({type(error).__name__}); send it again, or export CSV") from None
