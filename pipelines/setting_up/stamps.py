"""What the name of an export file says of when it was made: the date stamp in it, and how its neighbours are called.

Belongs here: dates in names. Does not belong here: which files a source claims (`files`), anything inside a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

_TIME = r"(?:(?P<gap>[T_ -]?)(?P<hour>\d{2})(?P<colon>[-:.h]?)(?P<minute>\d{2})(?:(?P=colon)(?P<second>\d{2}))?)?"
_YEAR_FIRST = re.compile(rf"(?<!\d)(?P<a>\d{{4}})(?P<sep>[-_.]?)(?P<b>\d{{2}})(?P=sep)(?P<c>\d{{2}}){_TIME}(?!\d)")
_YEAR_LAST = re.compile(rf"(?<!\d)(?P<a>\d{{2}})(?P<sep>[-_.]?)(?P<b>\d{{2}})(?P=sep)(?P<c>\d{{4}}){_TIME}(?!\d)")
_ORDERS = ((_YEAR_FIRST, ("%Y", "%m", "%d")), (_YEAR_LAST, ("%d", "%m", "%Y")), (_YEAR_LAST, ("%m", "%d", "%Y")))
YEARS = range(1990, 2100)
"""Eight digits with another year are a number."""


@dataclass(frozen=True)
class Stamp:
    """A date in the name of a file: where it stands, and each format in which it can be read."""

    name: str
    start: int
    end: int
    formats: tuple[str, ...]

    @property
    def has_time(self) -> bool:
        """Whether it tells the time of day too."""
        return "%H" in self.formats[0]

    def pattern(self, is_last: bool) -> str:
        """The regular expression that finds the stamp; of several in a name the first, or the last."""
        shape = re.sub(r"\d+", lambda digits: rf"\d{{{len(digits[0])}}}", _escaped(self.name[self.start : self.end]))
        if is_last:
            return rf"(?P<stamp>{shape})\D*$"
        before = re.findall(r"\D*$", self.name[: self.start])[0]
        return f"{_escaped(before)}(?P<stamp>{shape})"

    def read(self, format_: str) -> datetime:
        """The moment that it tells, at midnight where it is a day."""
        return datetime.strptime(self.name[self.start : self.end], format_)


def stamps_in(name: str) -> list[Stamp]:
    """Every date in the name of a file, in the order in which they stand."""
    found: dict[tuple[int, int], list[str]] = {}
    for expression, order in _ORDERS:
        for match in expression.finditer(name):
            format_ = _format_of(match, order)
            if _reads(match[0], format_):
                found.setdefault(match.span(), []).append(format_)
    return [Stamp(name, start, end, tuple(formats)) for (start, end), formats in sorted(_apart(found))]


def files_like(name: str, stamps: list[Stamp]) -> str:
    """The pattern of the names of a file's neighbours: any dates in place of its own."""
    parts, at = [], 0
    for stamp in stamps:
        parts.append(_literally(name[at : stamp.start]))
        at = stamp.end
    return "*".join([*parts, _literally(name[at:])])


def _apart(found: dict[tuple[int, int], list[str]]) -> Iterator[tuple[tuple[int, int], list[str]]]:
    """Of two that overlap the first found is meant."""
    taken: set[int] = set()
    for (start, end), formats in found.items():
        if taken.isdisjoint(range(start, end)):
            taken.update(range(start, end))
            yield (start, end), formats


def _format_of(match: re.Match[str], order: tuple[str, ...]) -> str:
    format_ = match["sep"].join(order)
    if match["hour"] is not None:
        clock = ["%H", "%M", *(["%S"] if match["second"] is not None else [])]
        format_ += match["gap"] + match["colon"].join(clock)
    return format_


def _reads(text: str, format_: str) -> bool:
    try:
        return datetime.strptime(text, format_).year in YEARS
    except ValueError:
        return False


def _escaped(part: str) -> str:
    return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", part)


def _literally(part: str) -> str:
    return re.sub(r"[*?\[]", r"[\g<0>]", part)
