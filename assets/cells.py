"""Makes text of a workbook's cells, so that what is declared for text holds for them too.

A spreadsheet stores a date as a number of days, and so a time and a duration. What such a number means is in the
settings: in a column that is declared as a moment it becomes text in the declared format, in one that is declared as a
duration text in the declared unit. Text stays as it is. Does not belong here: what the text means afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Protocol
from zoneinfo import ZoneInfo

from assets.adapters.declared import columns_of
from assets.sheets import Kind
from pipelines.instants import UNIX, shape_of, tokens_of
from pipelines.settings import Duration, Instant, Source

DAY = 86_400_000
"""The milliseconds of a day; a spreadsheet's numbers are exact to about one of them."""
LONGEST = 12 * DAY
"""No call waits longer; a larger number in a column of durations is no duration."""
EXACT = 1 << 53
"""Beyond it a number with a fraction has none."""
NEVER = re.compile("0|0?0:00(:00)?")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WRITTEN: dict[str, Callable[[datetime], str]] = {
    "%Y": lambda when: f"{when.year:04d}",
    "%y": lambda when: f"{when.year % 100:02d}",
    "%m": lambda when: f"{when.month:02d}",
    "%d": lambda when: f"{when.day:02d}",
    "%b": lambda when: MONTHS[when.month - 1],
    "%H": lambda when: f"{when.hour:02d}",
    "%I": lambda when: f"{when.hour % 12 or 12:02d}",
    "%p": lambda when: "AM" if when.hour < 12 else "PM",
    "%M": lambda when: f"{when.minute:02d}",
    "%S": lambda when: f"{when.second:02d}",
    "%.f": lambda when: f".{when.microsecond // 1000:03d}",
}
"""In English, whatever the machine speaks."""


class Column(Protocol):
    """How the cells of one column become text."""

    def text(self, kind: Kind, value: str, is_1904: bool) -> str:
        """The text of a cell; `is_1904` if the workbook counts its days from 1904."""
        ...


@dataclass(frozen=True)
class Cells:
    """How the cells of an export become text. `needed`: columns that must hold values; None if any may."""

    columns: dict[str, Column] = field(default_factory=dict)
    needed: frozenset[str] | None = None


def cells_of(source: Source) -> Cells:
    """By what is declared of the source's columns. Of a vendor's format, which takes columns apart, all are needed."""
    columns: dict[str, Column] = {}
    for _, value in source.columns:
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, Instant):
                for name, moment in _moments(part, source.time_zone):
                    columns.setdefault(name, moment)
            elif isinstance(part, Duration):
                for name in part.column:
                    columns.setdefault(name, Span(part, source.text.decimal))
    return Cells(columns, None if source.format is not None else frozenset(columns_of(source)))


class Plain:
    """A column of which nothing is declared that a number of days could be."""

    def text(self, kind: Kind, value: str, is_1904: bool) -> str:
        """Digits without an exponent; a day as 2025-03-10 09:00:00, a time as 9:00:00; TRUE, #N/A."""
        if kind is Kind.NUMBER:
            return number(value)
        if kind is Kind.TRUTH:
            return "FALSE" if value.strip() in ("0", "false") else "TRUE"
        if kind in (Kind.DATE, Kind.SPAN, Kind.ISO):
            milliseconds = _milliseconds(kind, value, is_1904)
            if milliseconds is None or milliseconds < 0:
                return value
            when = _day(milliseconds, is_1904) if kind is not Kind.SPAN and milliseconds >= DAY else None
            if when is None:
                return clock(milliseconds)
            return when.isoformat(" ", "milliseconds" if when.microsecond else "seconds")
        return value


PLAIN = Plain()


class Moment:
    """A column that holds a declared moment, or the part of it that `tokens` write."""

    def __init__(self, instant: Instant, tokens: list[str], zone: str) -> None:
        self._never, self._zone, self._tokens = instant.never, ZoneInfo(zone), tokens
        self._counted = UNIX.get(instant.format)
        self._shape = re.compile(self._counted[0] if self._counted else f"^{shape_of(tokens)}$")
        self._has_date = self._counted is not None or "%d" in tokens
        self._needs_zone = self._counted is not None or "%z" in tokens
        self._is_exact = self._counted is not None or "%.f" in tokens

    def text(self, kind: Kind, value: str, is_1904: bool) -> str:
        """In the declared format, rounded to the second if that has no fraction; a number in the format is text."""
        if kind in (Kind.NUMBER, Kind.DATE, Kind.SPAN, Kind.ISO):
            written = number(value) if kind is Kind.NUMBER else ""
            if kind is Kind.NUMBER and (self._counted or written in self._never or self._shape.match(written)):
                return written
            milliseconds = _milliseconds(kind, value, is_1904)
            if milliseconds is not None and milliseconds >= 0:
                text = self._written(milliseconds, kind is Kind.NUMBER, is_1904)
                return text if text is not None else PLAIN.text(kind, value, is_1904)
        return PLAIN.text(kind, value, is_1904)

    def _written(self, milliseconds: int, is_bare: bool, is_1904: bool) -> str | None:
        if not self._is_exact:
            milliseconds = (milliseconds + 500) // 1000 * 1000
        if milliseconds == 0 or (not self._has_date and milliseconds % DAY == 0):
            for never in self._never:
                if NEVER.fullmatch(never):
                    return never
        if self._has_date:
            when = _day(milliseconds, is_1904) if milliseconds >= DAY else None
        elif is_bare and milliseconds >= DAY and milliseconds % DAY == 0:
            when = None  # a whole number is no time of day
        else:
            when = datetime(2000, 1, 1) + timedelta(milliseconds=milliseconds % DAY)
        if when is None or (self._needs_zone and not self._exists(when)):
            return None
        if self._counted is not None:
            return number(repr(when.replace(tzinfo=self._zone).timestamp() * 1_000_000 / self._counted[1]))
        return "".join(self._directive(token, when) for token in self._tokens)

    def _exists(self, when: datetime) -> bool:
        """Whether the clocks of the source's zone ever showed it."""
        moment = when.replace(tzinfo=self._zone)
        try:
            return datetime.fromtimestamp(moment.timestamp(), self._zone).replace(tzinfo=None) == when
        except (ValueError, OverflowError):  # the last hours of the year 9999 are of the year after, elsewhere
            return False

    def _directive(self, directive: str, when: datetime) -> str:
        if directive == "%z":
            return when.replace(tzinfo=self._zone).strftime("%z")
        write = WRITTEN.get(directive)
        return write(when) if write is not None else directive


class Span:
    """A column that holds a declared duration."""

    def __init__(self, duration: Duration, decimal: str) -> None:
        self._duration, self._decimal = duration, decimal

    def text(self, kind: Kind, value: str, is_1904: bool) -> str:
        """In the declared unit. A bare number is seconds where those are declared, unless it can only be days."""
        if kind is Kind.NUMBER:
            written = number(value)
            if written in self._duration.never or not self._is_days(value):
                return self._signed(written) if self._duration.unit == "seconds" else written
        elif kind not in (Kind.DATE, Kind.SPAN):
            return PLAIN.text(kind, value, is_1904)
        milliseconds = _milliseconds(Kind.SPAN, value, is_1904)
        if milliseconds is None or milliseconds < 0 or (kind is Kind.DATE and milliseconds >= LONGEST):
            return PLAIN.text(kind, value, is_1904)
        if milliseconds == 0:
            for never in self._duration.never:
                if NEVER.fullmatch(never):
                    return never
        if self._duration.unit == "clock":
            return clock(milliseconds)
        return self._signed(number(repr(milliseconds / 1000)))

    def _is_days(self, value: str) -> bool:
        try:
            days = float(value)
        except ValueError:
            return False
        if not 0 <= days * DAY < LONGEST:
            return False
        if self._duration.unit == "clock":
            return days == 0 or days % 1 != 0
        seconds = days * 86_400
        # 143 s are 0.0016550925925925926 days; no system measures seconds like that
        return abs(days * 1000 - round(days * 1000)) > 1e-6 and abs(seconds - round(seconds)) < 1e-4

    def _signed(self, written: str) -> str:
        """With the decimal sign that is declared, and never with the three digits of a thousand behind it."""
        whole, point, fraction = written.partition(".")
        return f"{whole}{self._decimal}{fraction.ljust(4, '0') if len(fraction) == 3 else fraction}" if point else whole


def number(value: str) -> str:
    """The number in digits: no exponent, no decimal zero, and of a fraction the shortest that is the same number."""
    if value.isascii() and value.isdigit():
        return value.lstrip("0") or "0"
    try:
        exact = float(value)
        if exact.is_integer():
            return str(int(exact) if abs(exact) < EXACT else int(Decimal(value)))
        return format(Decimal(repr(exact)), "f")
    except (ValueError, OverflowError, ArithmeticError):  # it is none
        return value


def clock(milliseconds: int) -> str:
    """A duration or a time of day as 9:05:00, with a fraction only where it has one."""
    seconds, fraction = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" + (f".{fraction:03d}" if fraction else "")


def _milliseconds(kind: Kind, value: str, is_1904: bool) -> int | None:
    """Since the first day of the workbook, as its own numbers count them; None if it is no number."""
    try:
        if kind is Kind.ISO:
            when = datetime.fromisoformat(value.strip().removesuffix("Z"))
            return (when - (datetime(1904, 1, 1) if is_1904 else datetime(1899, 12, 30))) // timedelta(milliseconds=1)
        return round(float(value) * DAY)
    except (ValueError, OverflowError, TypeError):
        return None


def _day(milliseconds: int, is_1904: bool) -> datetime | None:
    """The moment so many milliseconds are; None after 9999, and on 29 February 1900, in which spreadsheets believe."""
    first = datetime(1904, 1, 1) if is_1904 else datetime(1899, 12, 30)
    if not is_1904 and milliseconds < 61 * DAY:
        if milliseconds >= 60 * DAY:
            return None
        first = datetime(1899, 12, 31)
    try:
        return first + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def _moments(instant: Instant, zone: str) -> Iterator[tuple[str, Moment]]:
    """Each column of a moment with the part of the format that its cells are written in."""
    if instant.format in UNIX:
        if len(instant.column) == 1:
            yield instant.column[0], Moment(instant, [], zone)
        return
    parts = _parts(instant)
    if len(parts) == len(instant.column):
        for name, part in zip(instant.column, parts, strict=True):
            tokens = tokens_of(part)
            if "%z" not in tokens or "%d" in tokens:  # of a time alone nobody knows the offset
                yield name, Moment(instant, tokens, zone)


def _parts(instant: Instant) -> list[str]:
    """The format, taken apart at its blanks for columns that are joined by a blank: dates together, times together."""
    if len(instant.column) == 1:
        return [instant.format]
    parts = instant.format.split(" ")
    if len(parts) == len(instant.column):
        return parts
    return [" ".join(group) for _, group in groupby(parts, lambda part: bool(re.search("%[HIMSpfz.:#]", part)))]
