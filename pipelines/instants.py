"""The formats in which an export may write a moment: a closed list of strptime's directives, each with its shape.

Parsers of dates are lenient (two-digit years where four are declared, blanks, missing digits, 24:00, second 60) and
would make moments up. So a value must first have the exact shape of its format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SHAPES = {
    "%Y": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%m": "[0-9]{1,2}",
    "%d": "[0-9]{1,2}",
    "%b": "[A-Za-z]{3}",
    "%H": "(?:[01]?[0-9]|2[0-3])",
    "%I": "[0-9]{1,2}",
    "%p": "[AaPp][Mm]",
    "%M": "[0-5][0-9]",
    "%S": "[0-5][0-9]",
    "%.f": r"(?:\.[0-9]{1,9})?",
    "%z": "(?:Z|[+-][0-9]{2}:?[0-9]{2})",
}
_OTHER_SPELLINGS = {".%f": "%.f", "%:z": "%z", "%#z": "%z"}
_TOKEN = re.compile(r"%\.f|%.|[^%]+|%")
_RUNNING_ON = {"%m": "[0-9]{2}", "%d": "[0-9]{2}", "%H": "(?:[01][0-9]|2[0-3])", "%I": "[0-9]{2}"}
"""Next to another number, a number has two digits."""
_NUMBERS = ("%Y", "%y", "%m", "%d", "%H", "%I", "%M", "%S")
UNIX = {"unix_seconds": (r"^[0-9]{9,10}(?:\.[0-9]{1,6})?$", 1_000_000), "unix_milliseconds": ("^[0-9]{12,13}$", 1000)}
"""Moments counted from 1970 in UTC: the shape of the number, and the microseconds of its unit."""


@dataclass(frozen=True)
class Format:
    """A declared format: what Polars parses by, the regular expression that a value must match, its offset.

    `microseconds` are those of the unit in which a moment is counted from 1970, where it is nothing but a number.
    """

    parse: str
    shape: str
    has_offset: bool
    microseconds: int | None = None

    @property
    def parse_local(self) -> str:
        """The format without its offset: the moment as the export writes it."""
        return self.parse.removesuffix("%z")


def read_format(declared: str, day_only: bool) -> Format:
    """Understand a format, or raise ValueError with what is expected of it.

    A moment needs its year, month, day, hour and minute; a day (`day_only`) its year, month and day.
    """
    if declared in UNIX:
        shape, microseconds = UNIX[declared]
        return Format(declared, shape, has_offset=True, microseconds=microseconds)
    tokens = tokens_of(declared)
    shape = shape_of(tokens)
    _require(tokens, [{"%Y", "%y"}, {"%m", "%b"}, {"%d"}], "a day needs %Y, %m and %d")
    if bool({"%H", "%I"} & set(tokens)) != ("%M" in tokens):
        raise ValueError("format: hours and minutes go together")
    if not day_only:
        _require(tokens, [{"%H", "%I"}, {"%M"}], "a moment needs %H and %M; a day alone is declared by day_only = true")
    if ("%I" in tokens) != ("%p" in tokens):
        raise ValueError("format: %I and %p go together")
    if "%z" in tokens and tokens[-1] != "%z":
        raise ValueError("format: %z must come last")
    return Format("".join(tokens), f"^{shape}$", "%z" in tokens)


def tokens_of(declared: str) -> list[str]:
    """The directives of a format, each in one spelling, and the text between them."""
    for other, spelling in _OTHER_SPELLINGS.items():
        declared = declared.replace(other, spelling)
    return _TOKEN.findall(declared)


def shape_of(tokens: list[str]) -> str:
    """The regular expression of what is written in a format, or ValueError with what is expected of it."""
    shape = ""
    for number, token in enumerate(tokens):
        if not token.startswith("%"):
            shape += re.escape(token)
        elif token not in _SHAPES:
            raise ValueError(f"format: '{token}' is not among the directives {' '.join(_SHAPES)}")
        else:
            neighbours = {*tokens[max(number - 1, 0) : number], *tokens[number + 1 : number + 2]}
            runs_on = token in _NUMBERS and not neighbours.isdisjoint(_NUMBERS)
            shape += _RUNNING_ON[token] if runs_on and token in _RUNNING_ON else _SHAPES[token]
    return shape


def _require(tokens: list[str], choices: list[set[str]], sentence: str) -> None:
    if not all(choice & set(tokens) for choice in choices):
        raise ValueError(f"format: {sentence}")
