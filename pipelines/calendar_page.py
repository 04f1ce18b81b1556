"""Prints a year of the city's calendar, so that a person can check it: twelve months with marks, and what they mean.

Does not belong here: when the city is open (`assets/calendar.py`).
"""

from __future__ import annotations

from calendar import Calendar as Weeks
from calendar import day_abbr, month_name
from collections.abc import Iterator
from datetime import date
from itertools import zip_longest

from rich.text import Text

from assets.calendar import Day, Year
from pipelines.settings import WEEKDAYS, Hours, Settings, shown

MARKS = {
    "holiday": ("H", "bold red"),
    "closure": ("C", "bold magenta"),
    "part": ("c", "magenta"),
    "closed_weekday": ("·", "dim"),
    "open": (" ", ""),
    "no_hours": ("?", "dim"),
}
"""What stands after the day of a month, and its colour."""
LEGEND = (
    "H holiday   C closure   c closed for part of the day   · regularly closed   > other hours from here   ? no hours"
)
BESIDE_EACH_OTHER = 3
WIDTH = 7 * 4


def page(settings: Settings, year: int, content: Year) -> Iterator[Text]:
    """The lines of a year, one service point after the other."""
    for point in settings.service_points:
        days = {day.date: day for day in content.days if day.service_point == point}
        begins = {hours.valid_from for hours in settings.hours if hours.service_point == point}
        yield Text(f"{point}, {year}", "bold")
        for first in range(1, 13, BESIDE_EACH_OTHER):
            blocks = [list(_month(year, first + n, days, begins)) for n in range(BESIDE_EACH_OTHER)]
            for lines in zip_longest(*blocks, fillvalue=Text(" " * WIDTH)):
                yield Text("   ").join(lines)
        yield from _regular_hours(settings.hours, point, year)
        yield from _exceptions(days)
        yield Text()
    yield Text(LEGEND)
    for sentence in content.open_holidays:
        yield Text(sentence, "yellow")


def _month(year: int, month: int, days: dict[date, Day], begins: set[date]) -> Iterator[Text]:
    yield Text(f"{month_name[month]:^{WIDTH}}", "bold")
    yield Text("".join(f"{name[:2]:>3} " for name in day_abbr), "dim")
    for week in Weeks().monthdayscalendar(year, month):
        yield Text("").join(_cell(date(year, month, day), days, begins) if day else Text(" " * 4) for day in week)


def _cell(day: date, days: dict[date, Day], begins: set[date]) -> Text:
    mark, style = MARKS[_kind(days.get(day))]
    return Text(f"{'>' if day in begins else ' '}{day.day:2}{mark}", style)


def _kind(day: Day | None) -> str:
    if day is None:
        return "no_hours"
    if not day.is_open:
        return str(day.closed_reason)
    return "part" if day.closure_note else "open"


def _regular_hours(declared: list[Hours], point: str, year: int) -> Iterator[Text]:
    for hours in declared:
        if hours.service_point == point and hours.valid_from.year <= year <= hours.valid_to.year:
            yield Text(f"regular hours from {max(hours.valid_from, date(year, 1, 1))}:")
            for weekday in WEEKDAYS:
                intervals = ", ".join(map(shown, hours.on(weekday))) or "closed"
                yield Text(f"    {weekday[:3].capitalize()}  {intervals}")


def _exceptions(days: dict[date, Day]) -> Iterator[Text]:
    exceptions = [day for day in days.values() if day.closure_note]
    if exceptions:
        yield Text("closures:")
    for day in exceptions:
        left = f"open {day.intervals}" if day.is_open else str(day.closed_reason).replace("_", " ")
        yield Text(f"    {day.date:%a %d %b}  {left}: {day.closure_note}", MARKS[_kind(day)][1])
