"""What an export of no known format looks like: encoding, delimiter, and of each column the shape of its values.

It looks at the first records alone, through the reader of every night, and tells shapes: a value leaves this module
only as one of few that come again and again. Belongs here: what the values show, whatever the column is called. Does
not belong here: which column is what (`proposing`), what the name of a file says (`stamps`), any question.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import TypeAdapter

from assets.adapters.declared import pattern
from assets.containers import open_export
from assets.reading import EMPTY, FileDeferred, FileRefused, opened
from pipelines.instants import UNIX, read_format
from pipelines.settings import Source, TextFile

FIRST = 10_000
"""Records that are looked at."""
HEAD = 1 << 20
"""Bytes by which encoding and delimiter are told."""
FEW = 15
"""A column with so many different values may be one of words."""
MOST_SHAPES = 2
ZIP = b"PK\x03\x04"
"""Begins what is no text: whoever reads such a container knows its header."""
DELIMITERS = (";", ",", "\t", "|")
MAY_BE_NAMES = "what may be names of persons"
"""Words with a capital each, as 'Sociale Dienst' has them too."""
NOTHING = ("-", "--", "n/a", "N/A", "nvt", "n.v.t.", "null", "NULL")
"""What some exports write where there is no moment."""

_DAYS = (
    *("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%m.%d.%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d/%m/%y", "%m/%d/%y", "%y/%m/%d", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d", "%d.%m.%y", "%m.%d.%y"),
    *("%d-%b-%Y", "%d %b %Y", "%Y%m%d"),
)
_CLOCKS = (
    *("%H:%M:%S", "%H:%M", "%H:%M:%S%.f", "%I:%M:%S %p", "%I:%M %p"),
    *("%H:%M:%S%z", "%H:%M:%S%.f%z", "%H:%M%z"),
)
_CLOCK = re.compile(r"^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")
_LONG_CLOCK = re.compile(r"^\d{1,6}:[0-5]\d:[0-5]\d(\.\d+)?$")
_NUMBER = re.compile(r"^-?\d+([.,]\d+)?$")
_PHONE = re.compile(r"^(?:\+|00?)[1-9](?:[ ./()-]*\d){7,14}$")
_MAIL = re.compile(r"\S@\S+\.\S")
_DIGITS = re.compile(r"\d{4}")
_YEARS_OF_UNIX = range(2000, 2100)


@dataclass(frozen=True)
class Column:
    """What the values of one column show.

    `moments` and `days` are the formats in which every value can be read: several where nothing tells days from months.
    `values` are the different ones, most frequent first, where they are few enough to be words or names of things.
    `looks_like` says what persons' data its values seem to be.
    """

    name: str
    records: int
    filled: int
    different: int
    shapes: tuple[str, ...]
    values: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    clock: str | None = None
    duration: Literal["seconds", "clock"] | None = None
    never: tuple[str, ...] = ()
    looks_like: str | None = None

    @property
    def is_full(self) -> bool:
        """Whether every record has a value."""
        return self.filled == self.records

    @property
    def is_unique(self) -> bool:
        """Whether every record has a value of its own."""
        return self.is_full and self.different == self.records

    @property
    def codes(self) -> tuple[str, ...]:
        """The different values, where they are few and no numbers of something."""
        return self.values if len(self.values) <= FEW and not any(map(_DIGITS.search, self.values)) else ()

    @property
    def words(self) -> tuple[str, ...]:
        """The different values, where they are few and are words."""
        return self.codes if all(any(map(str.isalpha, value)) for value in self.codes) else ()


@dataclass(frozen=True)
class Looks:
    """What a file looks like: how its bytes become fields, and its columns in their order."""

    text: TextFile
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)


def look_at(path: Path) -> Looks:
    """Look at the first records of a file. Raises FileRefused or FileDeferred."""
    head = _head(path)
    text = TextFile() if head.startswith(ZIP) else _text_of(head)
    header, rows = _first_records(path, text)
    _require_names(header)
    columns = [_column(name, [row[at].strip() for row in rows]) for at, name in enumerate(header)]
    seconds = [column for column in columns if column.duration == "seconds"]
    if any("," in shape for column in seconds for shape in column.shapes):
        if any("." in shape for column in seconds for shape in column.shapes):  # one of the two separates thousands
            columns = [replace(column, duration=None) if column in seconds else column for column in columns]
        else:
            text = text.model_copy(update={"decimal": ","})
    return Looks(text, tuple(_settled(columns)))


def _head(path: Path) -> bytes:
    try:
        with opened(path) as raw:
            return (gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw).read(HEAD)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise FileRefused("not sound gzip: it is no gzip at all, or was damaged; send it again") from None
    except OSError as error:
        raise FileRefused(f"can't be read ({error.strerror})") from None


def _text_of(head: bytes) -> TextFile:
    """Encoding and delimiter, by the first lines."""
    if not head:
        raise FileDeferred(EMPTY)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileRefused("its text is UTF-16, which is not read line by line; export it as UTF-8")
    whole = head[: head.rfind(b"\n") + 1] or head
    try:
        lines, encoding = whole.decode("utf-8-sig").splitlines(keepends=True)[:200], "utf-8"
    except UnicodeDecodeError:
        lines, encoding = whole.decode("cp1252", errors="replace").splitlines(keepends=True)[:200], "cp1252"
    fits: list[tuple[float, int, str]] = []
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter, strict=True)]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            fits.append((widths.count(widths[0]) / len(widths), widths[0], delimiter))
    if not fits:
        raise FileRefused("its first line has no columns apart by ; , | or a tab: is it a table of text at all?")
    return TextFile(encoding=encoding, delimiter=max(fits)[2])


def _first_records(path: Path, text: TextFile) -> tuple[list[str], list[list[str]]]:
    """The header and the first records, as the reader of a night gives them."""
    source: Source = TypeAdapter(Source).validate_python(
        {
            "name": "unknown",
            "kind": "appointments",
            "files": "*",
            "time_zone": "Etc/UTC",
            "export": {"at": "2000-01-01T00:00:00"},
            "text": text,
            "columns": {"appointment_id": "", "planned_start": {"column": "", "format": "unix_seconds"}},
        }
    )
    export = open_export(path, source)
    rows: list[list[str]] = []
    for batch in export.batches():
        rows += batch.rows
        if len(rows) >= FIRST:
            break
    return export.header, rows[:FIRST]


def _require_names(header: list[str]) -> None:
    nameless = [name for name in header if _NUMBER.match(name.strip()) or any(_formats_of([name.strip()], _MOMENTS))]
    if nameless or not any(name.strip() for name in header):
        raise FileRefused(
            "its first line holds values instead of names of columns; such a file needs `header` in its `text`, "
            "which docs/settings.md tells"
        )


def _column(name: str, texts: list[str]) -> Column:
    filled = [text for text in texts if text]
    told = [text for text in filled if text not in NOTHING]
    counts = Counter(filled)
    shapes = Counter(pl.Series("", filled, dtype=pl.String).to_frame().select(pattern(pl.first())).to_series())
    base = Column(
        name,
        len(texts),
        len(filled),
        len(counts),
        tuple(shape for shape, _ in shapes.most_common(MOST_SHAPES)),
        tuple(value for value, _ in counts.most_common()) if len(counts) <= FIRST // 20 else (),
        looks_like=_persons(filled),
    )
    if not told:
        return base
    moments = _one_an_order(_formats_of(told, _MOMENTS)) or _unix(told)
    days = tuple(_formats_of(told, _DAYS))
    return replace(
        base,
        moments=moments,
        days=days,
        clock=next((clock for clock in _CLOCKS[:2] if _CLOCK.match(told[0]) and any(_formats_of(told, [clock]))), None),
        duration=_duration(told),
        never=tuple(sorted(set(filled) - set(told))),
        looks_like=None if moments or days else base.looks_like,
    )


def _moments() -> Iterator[str]:
    for day in _DAYS:
        for clock in _CLOCKS:
            yield from (f"{day}{gap}{clock}" for gap in (" ", "T", ", "))
    yield from ("%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d_%H%M%S", "%Y%m%d-%H%M%S")


_MOMENTS = tuple(_moments())


def _formats_of(values: list[str], formats: tuple[str, ...] | list[str]) -> Iterator[str]:
    """Each format of which all values have the shape, and in which they can all be read."""
    series = pl.Series("", values, dtype=pl.String)
    for format_ in formats:
        is_clock = "%d" not in format_
        declared = read_format(f"%Y-%m-%d {format_}" if is_clock else format_, day_only="%M" not in format_)
        shaped = series if not is_clock else "2000-01-01 " + series
        if not re.match(declared.shape, shaped[0]) or not shaped.str.contains(declared.shape).all():
            continue
        if declared.has_offset:
            shaped = shaped.str.replace("Z$", "+00:00")
        read = (
            shaped.str.to_datetime(declared.parse, strict=False, time_unit="us")
            if "%M" in format_
            else shaped.str.to_date(declared.parse, strict=False)
        )
        if read.is_not_null().all():
            yield format_


def _one_an_order(formats: Iterator[str]) -> tuple[str, ...]:
    """Of several ways to write the same clock time the plainest; the order of day and month is kept apart."""
    kept: dict[str, str] = {}
    for format_ in formats:
        kept.setdefault(re.split(r"[ T,_-]*%[HI]", format_)[0], format_)
    return tuple(kept.values())


def _unix(values: list[str]) -> tuple[str, ...]:
    for name, (shape, microseconds) in UNIX.items():
        if all(re.match(shape, value) for value in values):
            years = (1970 + float(value) * microseconds / 1_000_000 / 31_556_952 for value in values)
            return (name,) if all(int(year) in _YEARS_OF_UNIX for year in years) else ()
    return ()


def _duration(values: list[str]) -> Literal["seconds", "clock"] | None:
    if all(_NUMBER.match(value) for value in values):
        return "seconds"
    return "clock" if all(_LONG_CLOCK.match(value) for value in values) else None


def _settled(columns: list[Column]) -> Iterator[Column]:
    """The order of day and month that one column shows holds for its neighbours that are written alike."""
    shown = {column.moments[0] for column in columns if len(column.moments) == 1}
    shown_days = {column.days[0] for column in columns if len(column.days) == 1}
    for column in columns:
        moments = [format_ for format_ in column.moments if format_ in shown]
        days = [format_ for format_ in column.days if format_ in shown_days]
        yield replace(
            column,
            moments=(moments[0],) if len(moments) == 1 else column.moments,
            days=(days[0],) if len(days) == 1 else column.days,
        )


def _persons(values: list[str]) -> str | None:
    """What persons' data the values seem to be; one in twenty is enough for a number or an address."""
    some, half = len(values) / 20, len(values) / 2
    if not values:
        return None
    if sum(_MAIL.search(value) is not None for value in values) >= some:
        return "e-mail addresses"
    if sum(_PHONE.match(value) is not None for value in values) >= some:
        return "telephone numbers"
    names = [value for value in values if _is_name(value)]
    if len(names) >= half:
        return "names of persons" if any("," in name for name in names) else MAY_BE_NAMES
    return None


def is_number_or_address(value: str) -> bool:
    """Whether a text looks like a telephone number or an e-mail address."""
    return _PHONE.match(value) is not None or _MAIL.search(value) is not None


def _is_name(value: str) -> bool:
    """Two to four words of which the first and the last begin with a capital: 'Voorbeeld, An', 'An van Voorbeeld'."""
    words = value.replace(",", " ").split()
    if not 2 <= len(words) <= 4 or any(not word.replace("-", "").replace("'", "").isalpha() for word in words):
        return False
    return all(word[0].isupper() and word[1:2].islower() for word in (words[0], words[-1]) if len(word) > 1)
