"""The calendar of one year, computed from the settings alone by the same SQL as the warehouse's.

Belongs here: what a person wants to know of a year. Does not belong here: any rule, and how a year is printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from assets.build import empty_warehouse, run_sql
from assets.inputs import lay_calendar
from pipelines.settings import Settings


@dataclass(frozen=True)
class Day:
    """One day of one service point: its intervals if it is open, else why it is closed; and what a closure says."""

    service_point: str
    date: date
    is_open: bool
    intervals: str | None
    closed_reason: str | None
    closure_note: str | None


@dataclass(frozen=True)
class Year:
    """The days of a year for which hours are declared, and a sentence for each holiday on which the city is open."""

    days: list[Day]
    open_holidays: list[str]


def year_of(settings: Settings, year: int) -> Year:
    """One year of the city's calendar."""
    span = date(year, 1, 1), date(year, 12, 31)
    with empty_warehouse() as con:
        lay_calendar(con, settings, span, span)
        for table in ("staging.day_segments", "core.calendar", "staging.open_holidays"):
            run_sql(con, table)
        days = con.execute(
            """
            select service_point, date, is_open, intervals, closed_reason, closure_note
            from core.calendar order by date
            """
        ).fetchall()
        asked = con.execute("select sentence from staging.open_holidays order by date").fetchall()
    return Year([Day(*day) for day in days], [sentence for (sentence,) in asked])
