"""Takes the XML of a workbook's sheet apart into rows of cells, as they stand there, one row after the other.

Belongs here: elements, references, shared texts, and what must hold of them so that no cell is lost. Does not belong
here: how the file is packed (`workbook`), what a cell's value is as text (`cells`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import IO, NamedTuple, NoReturn, TypeVar
from xml.parsers import expat

from assets.reading import MAX_LINE, FileRefused

MOST_ROWS = 1 << 20
MOST_COLUMNS = 1 << 14
"""As many as a spreadsheet program can hold."""
BLOCK = 1 << 16
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
"""How a workbook writes a character that XML can't hold."""


class Kind(Enum):
    """What a cell says its value is. A date is a number too, shown as a day or a time; a span one shown as hours."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    SPAN = "span"
    ISO = "date written as text"
    TRUTH = "truth"
    ERROR = "error"
    UNCALCULATED = "formula without a value"


class Cell(NamedTuple):
    """A cell that is not empty: its column, counted from 0, and its value as the XML has it."""

    column: int
    kind: Kind
    value: str


@dataclass(frozen=True)
class Styles:
    """The numbers of the styles in which a number is shown as a date or a time, and of those that count hours on."""

    dates: frozenset[int] = frozenset()
    spans: frozenset[int] = frozenset()


Row = tuple[int, list[Cell]]
Done = TypeVar("Done")


def rows(stream: IO[bytes], texts: list[str], styles: Styles) -> Iterator[Row]:
    """The rows that have a cell, with their numbers counted from 1. Raises FileRefused."""
    sheet = _Sheet(texts, styles)
    yield from _parsed(stream, sheet.start, sheet.end, sheet.text, sheet.done)


def shared_texts(stream: IO[bytes]) -> list[str]:
    """The texts to which the cells of all sheets refer by their number. Raises FileRefused."""
    table = _Texts()
    return list(_parsed(stream, table.start, table.end, table.text, table.done))


def _parsed(
    stream: IO[bytes],
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    text: Callable[[str], None],
    done: list[Done],
) -> Iterator[Done]:
    """What the handlers have done, block by block; nothing of the XML is kept."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    while block := stream.read(BLOCK):
        parser.Parse(block)
        yield from done
        done.clear()
    parser.Parse(b"", True)
    yield from done


def _refuse_doctype(*_: object) -> None:
    raise FileRefused("its XML declares a document type, which no workbook does")


def _local(name: str) -> str:
    """The name of an element without the prefix that some programs write."""
    return name.rpartition(":")[2]


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    plain = ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    # two escapes may be the halves of one character; half of one is none, and no file can keep it
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass
class _Texts:
    """Collects the shared texts: the runs of each, without the signs that only tell how it is read aloud."""

    done: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    in_run: bool = False
    aloud: bool = False

    def start(self, name: str, _: dict[str, str]) -> None:
        name = _local(name)
        if name == "t":
            self.in_run = not self.aloud
        elif name == "rPh":
            self.aloud = True

    def end(self, name: str) -> None:
        name = _local(name)
        if name == "t":
            self.in_run = False
        elif name == "rPh":
            self.aloud = False
        elif name == "si":
            self.done.append(_unescaped("".join(self.runs)))
            self.runs = []

    def text(self, characters: str) -> None:
        if self.in_run:
            self.runs.append(characters)


class _Sheet:
    """Collects the rows. Each must stand below the one before, and each cell right of it: else one would be lost."""

    def __init__(self, texts: list[str], styles: Styles) -> None:
        self._texts, self._styles = texts, styles
        self.done: list[Row] = []
        self._row = self._column = self._characters = self._unfinished = 0
        self._cells: list[Cell] = []
        self._attributes: dict[str, str] = {}
        self._runs: list[str] = []
        self._in_data = self._in_value = self._aloud = self._has_value = self._is_formula = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = _local(name) if ":" in name else name
        if name == "sheetData":
            self._in_data = True
        elif not self._in_data:
            return
        elif name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "t"):
            self._in_value = not self._aloud
            self._has_value = True
        elif name == "f":
            self._is_formula = True
        elif name == "row":
            self._begin_row(attributes)
        elif name == "rPh":
            self._aloud = True

    def end(self, name: str) -> None:
        name = _local(name) if ":" in name else name
        if not self._in_data:
            return
        if name == "c":
            self._end_cell()
        elif name in ("v", "t"):
            self._in_value = False
        elif name == "row":
            if self._cells:
                self.done.append((self._row, self._cells))
        elif name == "rPh":
            self._aloud = False
        elif name == "sheetData":
            self._in_data = False

    def text(self, characters: str) -> None:
        if self._in_value:
            self._runs.append(characters)
            self._unfinished += len(characters)
            if self._unfinished > MAX_LINE:
                self._refuse_length()

    def _begin_row(self, attributes: dict[str, str]) -> None:
        before = self._row
        self._row = int(float(attributes["r"])) if "r" in attributes else before + 1
        if not before < self._row <= MOST_ROWS:
            raise FileRefused(f"row {self._row:,} stands after row {before:,}: its rows are not in order")
        self._column = -1
        self._cells = []
        self._characters = 0

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        before = self._column
        self._column = _column(attributes["r"], self._row) if "r" in attributes else before + 1
        if not before < self._column < MOST_COLUMNS:
            raise FileRefused(f"row {self._row:,}: its cells are not in order")
        self._attributes = attributes
        self._runs, self._unfinished = [], 0
        self._has_value = self._is_formula = False

    def _end_cell(self) -> None:
        value = "".join(self._runs)
        kind = self._kind(value)
        if kind is Kind.TEXT:
            value = self._text_of(value)
        if not value and kind is not Kind.UNCALCULATED:
            return
        self._characters += len(value)
        if self._characters > MAX_LINE:
            self._refuse_length()
        self._cells.append(Cell(self._column, kind, value))

    def _refuse_length(self) -> NoReturn:
        raise FileRefused(f"row {self._row:,}: longer than {MAX_LINE:,} characters")

    def _kind(self, value: str) -> Kind:
        declared = self._attributes.get("t", "n")
        # a formula may have calculated an empty text, but no empty number
        if self._is_formula and not value and not (declared == "str" and self._has_value):
            return Kind.UNCALCULATED
        kind = _KINDS.get(declared)
        if kind is None:
            raise FileRefused(f"row {self._row:,}: a cell of a kind that no spreadsheet program writes")
        if kind is not Kind.NUMBER or "s" not in self._attributes:
            return kind
        style = int(self._attributes["s"])
        if style in self._styles.spans:
            return Kind.SPAN
        return Kind.DATE if style in self._styles.dates else Kind.NUMBER

    def _text_of(self, value: str) -> str:
        if self._attributes.get("t") != "s" or not value:
            return _unescaped(value)
        number = int(value)
        if not 0 <= number < len(self._texts):
            raise FileRefused(f"row {self._row:,}: a cell refers to a text that is not there; send the file again")
        return self._texts[number]


_KINDS = {
    "s": Kind.TEXT,
    "str": Kind.TEXT,
    "inlineStr": Kind.TEXT,
    "n": Kind.NUMBER,
    "b": Kind.TRUTH,
    "e": Kind.ERROR,
    "d": Kind.ISO,
}


def _column(reference: str, row: int) -> int:
    """Column A is 0; the reference must name the row in which it stands."""
    letters = reference.removesuffix(str(row))
    if not (letters.isascii() and letters.isalpha()):
        raise FileRefused(f"row {row:,}: a cell says that it stands elsewhere")
    return _number(letters)


@lru_cache(maxsize=MOST_COLUMNS)
def _number(letters: str) -> int:
    number = 0
    for letter in letters[:4].upper():
        number = 26 * number + ord(letter) - 64
    return number - 1
