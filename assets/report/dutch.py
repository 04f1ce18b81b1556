"""Numbers and dates as they are written in Flanders: 11,56 %; € 2.312,83; 1 maart 2025.

Belongs here: how a value is written. Does not belong here: which value, and what stands around it.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

MONTHS = (
    "januari februari maart april mei juni juli augustus september oktober november december".split()  # noqa: SIM905
)
SHORT_MONTHS = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"]
BLANK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
MOST_PLACES = 6


def number(value: Decimal | float | int, places: int = 0, apart_from: Decimal | None = None) -> str:
    """12.345,67; rounded half up.

    With `apart_from` it gets as many places as it takes not to read as that value when it is not: 44,998 is below 45.
    """
    places = places_apart(value, places, apart_from)
    rounded = _rounded(_exact(value), places)
    text = f"{abs(rounded):,.{places}f}".translate(str.maketrans(",.", ".,"))
    return f"{MINUS}{text}" if rounded < 0 else text


def places_apart(value: Decimal | float | int, places: int, apart_from: Decimal | None) -> int:
    """How many decimal places the value gets: `places`, or as many as it takes not to read as `apart_from`."""
    exact = _exact(value)
    while apart_from is not None and _rounded(exact, places) == apart_from != exact and places < MOST_PLACES:
        places += 1
    return places


def _exact(value: Decimal | float | int) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def plain(value: Decimal) -> str:
    """A number as it was declared, without zeros at its end: 20; 2,5."""
    places = max(0, -int(value.normalize().as_tuple().exponent))
    return number(value, places)


def signed(value: int) -> str:
    """+12; −1.065; 0."""
    return f"+{number(value)}" if value > 0 else number(value)


def percent(value: Decimal | float, places: int = 2, apart_from: Decimal | None = None) -> str:
    """11,56 %."""
    return f"{number(value, places, apart_from)}{BLANK}%"


def euro(value: Decimal) -> str:
    """€ 2.312,83."""
    return f"€{BLANK}{number(value, 2)}"


def day(value: date) -> str:
    """1 maart 2025."""
    return f"{value.day}{BLANK}{MONTHS[value.month - 1]}{BLANK}{value.year}"


def moment(value: datetime) -> str:
    """1 maart 2025 om 20.05 uur."""
    return f"{day(value)} om {value.hour}.{value.minute:02d}{BLANK}uur"


def month(value: date) -> str:
    """Maart 2025."""
    return f"{MONTHS[value.month - 1]}{BLANK}{value.year}"


def listed(parts: list[str]) -> str:
    """a, b en c."""
    return " en ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
