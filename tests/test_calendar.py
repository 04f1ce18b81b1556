"""`kcc calendar`: a year that a person can check, from the settings alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import pipelines.cli
from assets.calendar import year_of
from pipelines.calendar_page import page
from pipelines.settings import ROOT, Settings, load_settings
from tests.city import WEEK, settings_of, warehouse

CLOSURES: list[dict[str, Any]] = [
    {"date": "2025-05-01", "service_points": ["telephone"], "kind": "holiday", "reason": "Dag van de Arbeid"},
    {"date": "2025-05-02", "service_points": ["telephone"], "kind": "closure", "reason": "brugdag"},
    {
        "date": "2025-05-05",
        "service_points": ["telephone"],
        "kind": "closure",
        "reason": "panne",
        "interval": "12:00-24:00",
    },
]


def telephone(folder: Path, **parts: Any) -> Settings:
    until_april = {"service_point": "telephone", "valid_from": "2025-01-01", "valid_to": "2025-04-30", **WEEK}
    from_may = {**until_april, "valid_from": "2025-05-01", "valid_to": "2025-12-31", "saturday": ["09:00-12:00"]}
    hours = [until_april, from_may, {"service_point": "desk", "valid_from": "2025-01-01", **WEEK}]
    return settings_of(folder, hours=hours, **parts)


def lines_of(settings: Settings, year: int) -> list[str]:
    return [line.plain.rstrip() for line in page(settings, year, year_of(settings, year))]


def test_a_month_shows_closures_half_days_closed_weekdays_and_where_other_hours_begin(tmp_path: Path) -> None:
    lines = lines_of(telephone(tmp_path, calendar={"closures": CLOSURES}), 2025)
    may = [line[31:62].rstrip() for line in lines[9:16]]  # the second of three months beside each other
    assert may == [
        "            May",
        " Mo  Tu  We  Th  Fr  Sa  Su",
        "            > 1H  2C  3   4·",
        "  5c  6   7   8   9  10  11·",
        " 12  13  14  15  16  17  18·",
        " 19  20  21  22  23  24  25·",
        " 26  27  28  29  30  31",
    ]


def test_below_it_stand_the_regular_hours_and_every_closure_with_what_it_leaves(tmp_path: Path) -> None:
    lines = lines_of(telephone(tmp_path, calendar={"closures": CLOSURES}), 2025)
    assert "regular hours from 2025-05-01:" in lines
    assert "    Sat  09:00-12:00" in lines
    assert lines[lines.index("closures:") + 1 :][:3] == [
        "    Thu 01 May  holiday: Dag van de Arbeid",
        "    Fri 02 May  closure: brugdag",
        "    Mon 05 May  open 09:00-12:00: panne",
    ]


def test_days_without_declared_hours_are_marked(tmp_path: Path) -> None:
    assert all("?" in line for line in lines_of(telephone(tmp_path), 2024)[3:8])


def test_an_open_holiday_is_asked_about(tmp_path: Path) -> None:
    calendar = {"country": "BE", "yearly": {"07-11": "Feest van de Vlaamse Gemeenschap"}, "closures": CLOSURES}
    asked = year_of(telephone(tmp_path, calendar=calendar), 2025).open_holidays
    assert "11 July 2025 is Feest van de Vlaamse Gemeenschap and your desk, telephone are open: intended?" in asked
    assert "1 May 2025 is Dag van de Arbeid and your desk is open: intended?" in asked
    assert not any("Kerstmis" in line and "telephone is" in line for line in asked)
    assert year_of(telephone(tmp_path), 2025).open_holidays == []


def test_the_names_of_holidays_do_not_depend_on_the_language_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "fr")
    holidays = dict(telephone(tmp_path, calendar={"country": "BE"}).calendar.holidays(2025, 2025))
    assert holidays[date(2025, 4, 21)] == "Paasmaandag"


def test_it_is_the_calendar_of_the_warehouse(tmp_path: Path) -> None:
    settings = telephone(tmp_path, calendar={"closures": CLOSURES})
    with warehouse(settings) as con:
        built = con.execute(
            """
            select service_point, date, is_open, intervals, closed_reason, closure_note from core.calendar
            where year(date) = 2025 order by service_point, date
            """
        ).fetchall()
    printed = [
        (d.service_point, d.date, d.is_open, d.intervals, d.closed_reason, d.closure_note)
        for d in year_of(settings, 2025).days
    ]
    assert sorted(printed, key=lambda day: day[:2]) == built


def test_the_sample_citys_calendar_of_2025_has_no_holiday_without_a_closure() -> None:
    assert year_of(load_settings(ROOT / "kcc.toml"), 2025).open_holidays == []


def test_the_command_prints_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KCC_SETTINGS", str(ROOT / "kcc.toml"))
    told = CliRunner().invoke(pipelines.cli.app, ["calendar", "2025"])
    assert told.exit_code == 0
    assert "Wed 19 Feb  open 09:00-10:00, 11:30-12:00, 13:00-16:00: panne telefooncentrale" in told.stdout
    assert CliRunner().invoke(pipelines.cli.app, ["calendar", "then"]).exit_code == 2
