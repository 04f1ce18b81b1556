"""How many working days an appointment lets a citizen wait: from booking to the first planned day.

Rules: docs/indicators.md, "Appointments". The desk is open from Monday to Friday; 2025-03-10 is a Monday.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.city import (
    APPOINTMENTS,
    WEEK,
    appointment,
    appointments,
    instant,
    read_all,
    settings_of,
    warehouse,
    write,
    write_appointments,
)

LEAD_TIMES = "select appointment_id, lead_time_working_days from core.appointments"

# booked, planned, working days
Cases = Mapping[str, tuple[str, str, int | None]]


def records(cases: Cases, **fields: str) -> list[dict[str, str]]:
    """One appointment a case; a day without a time is taken at 10:00."""

    def moment(text: str) -> str:
        return text if len(text) != 10 else f"{text} 10:00:00"

    return [
        appointment(moment(planned), "planned", id=name, booked=moment(booked), **fields)
        for name, (booked, planned, _) in cases.items()
    ]


def expected(cases: Cases) -> dict[str, int | None]:
    return {name: days for name, (_, _, days) in cases.items()}


def lead_times(folder: Path, cases: Cases, export_day: str = "2025-07-31", **parts: Any) -> dict[str, int | None]:
    return dict(appointments(folder, *records(cases), query=LEAD_TIMES, export_day=export_day, **parts))


def desk(**week: Any) -> dict[str, Any]:
    return {"service_point": "desk", "valid_from": "2024-01-01", **WEEK, **week}


def figures(con: duckdb.DuckDBPyConnection, where: str) -> list[Any]:
    return con.execute(
        f"""
        select variant, dimension, numerator, denominator, value from marts.indicators
        where indicator = 'lead_time' and {where} order by all
        """
    ).fetchall()


# ── Working days ─────────────────────────────────────────────────────────────────────────────────

ORDINARY_WEEKS: Cases = {
    "for the same day": ("2025-03-10 09:00:00", "2025-03-10 14:00:00", 0),
    "for the same moment": ("2025-03-10 09:00:00", "2025-03-10 09:00:00", 0),
    "before the desk opens, for that day": ("2025-03-10 06:30:00", "2025-03-10 09:00:00", 0),
    "for tomorrow": ("2025-03-10", "2025-03-11", 1),
    "just before midnight, for tomorrow": ("2025-03-10 23:59:59", "2025-03-11 09:00:00", 1),
    "just after midnight, for that day": ("2025-03-11 00:00:00", "2025-03-11 09:00:00", 0),
    "Monday to Friday": ("2025-03-10", "2025-03-14", 4),
    "Monday to Monday": ("2025-03-10", "2025-03-17", 5),
    "Friday to Monday": ("2025-03-07", "2025-03-10", 1),
    "Friday to Saturday": ("2025-03-07", "2025-03-08", 0),
    "Friday to Sunday": ("2025-03-07", "2025-03-09", 0),
    "Saturday to Sunday": ("2025-03-08", "2025-03-09", 0),
    "Saturday to Monday": ("2025-03-08", "2025-03-10", 0),
    "Sunday to Monday": ("2025-03-09", "2025-03-10", 0),
    "Saturday to Tuesday": ("2025-03-08", "2025-03-11", 1),
    "over the night without 02:30": ("2025-03-28", "2025-03-31", 1),
    "over New Year's Eve": ("2024-12-30", "2025-01-02", 3),
}


def test_the_lead_time_counts_the_working_days_after_the_booking_day_up_to_the_planned_day(tmp_path: Path) -> None:
    assert lead_times(tmp_path, ORDINARY_WEEKS) == expected(ORDINARY_WEEKS)


CLOSURES = {
    "closures": [
        {"date": day, "service_points": points, "kind": kind, "reason": "a test", **interval}
        for day, points, kind, interval in (
            ("2025-04-21", ["telephone", "desk"], "holiday", {}),
            ("2025-05-29", ["desk"], "holiday", {}),
            ("2025-05-30", ["desk"], "closure", {}),
            ("2025-06-05", ["telephone"], "closure", {}),
            ("2025-06-12", ["desk"], "closure", {"interval": "12:00-24:00"}),
            ("2025-06-19", ["desk"], "closure", {"interval": "09:00-16:00"}),
        )
    ]
}

CLOSED_DAYS: Cases = {
    "over Easter Monday": ("2025-04-18", "2025-04-22", 1),
    "for Easter Monday itself": ("2025-04-18", "2025-04-21", 0),
    "on Easter Monday, for tomorrow": ("2025-04-21", "2025-04-22", 0),
    "on Easter Monday, for the day after": ("2025-04-21", "2025-04-23", 1),
    "on the Saturday before, for Tuesday": ("2025-04-19", "2025-04-22", 0),
    "over a holiday, a closure and a weekend": ("2025-05-28", "2025-06-02", 1),
    "over a day on which only the telephone is closed": ("2025-06-04", "2025-06-06", 2),
    "over a day of which a closure leaves nothing": ("2025-06-18", "2025-06-20", 1),
}

HALF_DAYS: Cases = {
    "over a half day": ("2025-06-11", "2025-06-13", 2),
    "for a half day": ("2025-06-11", "2025-06-12", 1),
    "on a half day, for tomorrow": ("2025-06-12", "2025-06-13", 1),
}


def test_holidays_and_closures_are_no_working_days_and_half_days_are(tmp_path: Path) -> None:
    cases = {**CLOSED_DAYS, **HALF_DAYS}
    assert lead_times(tmp_path, cases, calendar=CLOSURES) == expected(cases)


def test_a_city_may_declare_that_half_days_are_no_working_days(tmp_path: Path) -> None:
    half_days: Cases = {
        "over a half day": ("2025-06-11", "2025-06-13", 1),
        "for a half day": ("2025-06-11", "2025-06-12", 0),
        "on a half day, for tomorrow": ("2025-06-12", "2025-06-13", 0),
        # short by its regular hours: that is no half day
        "for a Wednesday that is always short": ("2025-06-10", "2025-06-11", 1),
    }
    cases = {**CLOSED_DAYS, **half_days}
    found = lead_times(
        tmp_path,
        cases,
        calendar=CLOSURES,
        hours=[{**desk(), "service_point": "telephone"}, desk(wednesday=["09:00-12:00"])],
        rules={"half_days_are_working_days": False},
    )
    assert found == expected(cases)


def test_a_weekend_day_with_hours_is_still_no_working_day_and_a_weekday_without_them_is_none_either(
    tmp_path: Path,
) -> None:
    cases: Cases = {
        "Friday to an open Saturday": ("2025-03-07", "2025-03-08", 0),
        "Friday to Monday": ("2025-03-07", "2025-03-10", 1),
        "an open Saturday to Monday": ("2025-03-08", "2025-03-10", 0),
        "an open Saturday to an open Sunday": ("2025-03-08", "2025-03-09", 0),
        "Monday over a closed Wednesday to Thursday": ("2025-03-10", "2025-03-13", 2),
        "a closed Wednesday to Thursday": ("2025-03-12", "2025-03-13", 0),
    }
    weekend = desk(saturday=["09:00-12:00"], sunday=["09:00-12:00"], wednesday=[])
    found = lead_times(tmp_path, cases, hours=[{**desk(), "service_point": "telephone"}, weekend])
    assert found == expected(cases)


def test_a_desk_with_hours_of_its_own_counts_its_own_working_days(tmp_path: Path) -> None:
    days: dict[str, tuple[str, str, int, int]] = {  # booked, planned, at the desk of Wonen, at every other
        "Monday to Wednesday": ("2025-03-10", "2025-03-12", 1, 2),
        "Tuesday to Wednesday": ("2025-03-11", "2025-03-12", 0, 1),
        "Monday to Tuesday": ("2025-03-10", "2025-03-11", 0, 1),
        "Monday to Monday": ("2025-03-10", "2025-03-17", 3, 5),
        "over a day on which every desk is closed": ("2025-03-17", "2025-03-21", 1, 3),
        "over a day on which that desk is closed": ("2025-03-24", "2025-03-28", 1, 4),
    }
    write_appointments(
        tmp_path,
        "2025-03-31",
        [
            appointment(f"{planned} 10:00:00", "planned", id=f"{service} {name}", service=service)
            | {"booked": f"{booked} 10:00:00"}
            for name, (booked, planned, _, _) in days.items()
            for service in ("premium", "reispas", "laadpaal")
        ],
    )
    own = {
        "hours": [
            {**desk(), "service_point": "telephone"},
            desk(),
            {"service_point": "desk:Wonen", "valid_from": "2024-01-01"}
            | {day: ["09:00-12:00"] for day in ("monday", "wednesday", "friday")},
        ],
        "clusters": [
            {"cluster": "Wonen", "valid_from": "2024-01-01", "services": ["premium"]},
            {"cluster": "Burgerzaken", "valid_from": "2024-01-01", "services": ["reispas"]},
        ],
        "calendar": {
            "closures": [
                {"date": "2025-03-19", "service_points": ["desk"], "kind": "closure", "reason": "a test"},
                {"date": "2025-03-26", "service_points": ["desk:Wonen"], "kind": "closure", "reason": "a test"},
            ]
        },
    }
    with warehouse(settings_of(tmp_path, **own)) as con:
        found = dict(con.execute(LEAD_TIMES).fetchall())
    assert found == {
        f"{service} {name}": at_wonen if service == "premium" else elsewhere
        for name, (_, _, at_wonen, elsewhere) in days.items()
        for service in ("premium", "reispas", "laadpaal")
    }


# ── What has no lead time, or stands apart ───────────────────────────────────────────────────────


def test_without_a_lead_time_there_is_a_reason_and_the_month_counts_it(tmp_path: Path) -> None:
    cases: dict[str, tuple[str, str, tuple[int | None, str | None]]] = {
        "counted": ("2025-03-10 10:00:00", "2025-03-12 10:00:00", (2, None)),
        "planned the day before it was booked": (
            "2025-03-10 10:00:00",
            "2025-03-07 10:00:00",
            (None, "planned_before_booked"),
        ),
        "planned an hour before it was booked": (
            "2025-03-10 10:00:00",
            "2025-03-10 09:00:00",
            (None, "planned_before_booked"),
        ),
        "planned a second before it was booked": (
            "2025-03-10 10:00:00",
            "2025-03-10 09:59:59",
            (None, "planned_before_booked"),
        ),
        "booking not recorded": ("", "2025-03-12 10:00:00", (None, "not_recorded")),
        "without a plan": ("2025-03-10 10:00:00", "", (None, "walk_in")),
        "planned after the calendar": ("2025-03-10 10:00:00", "2027-01-04 10:00:00", (None, "outside_calendar")),
        "planned on the calendar's last day": ("2025-01-02 08:00:00", "2026-12-31 10:00:00", (520, None)),
    }
    write_appointments(
        tmp_path,
        "2025-04-30",
        [appointment(planned, "planned", id=name, booked=booked) for name, (booked, planned, _) in cases.items()],
    )
    with warehouse(settings_of(tmp_path)) as con:
        found = con.execute(
            "select appointment_id, lead_time_working_days, lead_time_reason from core.appointments"
        ).fetchall()
        month = con.execute(
            """
            select booked, appointments, working_days_sum, planned_before_booked, outside_calendar
            from marts.appointment_lead_time_monthly where month = '2025-03-01'
            """
        ).fetchall()
        headline = figures(con, "variant = 'headline' and period = '2025-03-01' and dimension = 'all'")
        april = con.execute(
            """
            select value, value_reason from marts.indicators
            where indicator = 'lead_time' and variant = 'headline' and period = '2025-04-01' and dimension = 'all'
            """
        ).fetchall()
    assert {name: tuple(rest) for name, *rest in found} == {name: outcome for name, (_, _, outcome) in cases.items()}
    # the clusters of one month, summed: what has no plan in reach of the calendar may be unmapped
    assert [sum(column) for column in zip(*month, strict=True)] == [5, 1, 2, 3, 1]
    assert headline == [("headline", "all", 2, 1, 2.0)]
    assert april == [(None, "no_appointments")]


def test_booked_before_the_calendar_begins_it_is_counted_in_its_month_with_that_reason(tmp_path: Path) -> None:
    hours = [{**desk(), "service_point": point, "valid_from": "2025-03-01"} for point in ("telephone", "desk")]
    write_appointments(
        tmp_path,
        "2025-03-31",
        [appointment("2025-03-10 10:00:00", "planned", booked="2025-02-20 10:00:00", channel="web")],
    )
    with warehouse(settings_of(tmp_path, hours=hours)) as con:
        core = con.execute(
            "select booked_date, lead_time_working_days, lead_time_reason from core.appointments"
        ).fetchall()
        months = con.execute(
            """
            select month, booked, appointments, outside_calendar from marts.appointment_lead_time_monthly
            where booked > 0
            """
        ).fetchall()
    assert core == [(date(2025, 2, 20), None, "outside_calendar")]
    assert months == [(date(2025, 2, 1), 1, 0, 1)]


def test_cancelled_ones_and_those_booked_at_the_desk_for_the_same_day_stand_apart(tmp_path: Path) -> None:
    some: list[tuple[str, str, str, str]] = [  # channel, status, booked, planned
        ("web", "done", "2025-03-10", "2025-03-12"),
        ("web", "planned", "2025-03-10", "2025-03-14"),
        ("web", "no_show", "2025-03-10", "2025-03-10"),
        ("desk", "done", "2025-03-10", "2025-03-11"),
        ("desk", "done", "2025-03-10", "2025-03-10"),
        ("desk", "done", "2025-03-08", "2025-03-08"),
        ("desk", "cancelled", "2025-03-10", "2025-03-10"),
        ("web", "cancelled", "2025-03-10", "2025-03-17"),
        ("", "done", "2025-03-10", "2025-03-13"),
    ]
    write_appointments(
        tmp_path,
        "2025-03-31",
        [
            appointment(f"{planned} 10:00:00", status, channel=channel, booked=f"{booked} 09:00:00")
            for channel, status, booked, planned in some
        ],
    )
    with warehouse(settings_of(tmp_path)) as con:
        months = con.execute(
            """
            select booking_channel, booked, appointments, working_days_sum, cancelled, cancelled_working_days_sum,
                desk_same_day, desk_same_day_working_days_sum
            from marts.appointment_lead_time_monthly order by booking_channel
            """
        ).fetchall()
        all_together = figures(con, "period_type = 'month' and dimension_type = 'all'")
        by_channel = figures(con, "period_type = 'month' and dimension_type = 'booking_channel' and denominator > 0")
    assert months == [
        ("desk", 4, 1, 1, 1, 0, 2, 0),
        ("unknown", 1, 1, 3, 0, 0, 0, 0),
        ("web", 4, 3, 6, 1, 5, 0, 0),
    ]
    assert all_together == [
        ("cancelled", "all", 5, 2, 2.5),
        ("desk_same_day", "all", 0, 2, 0.0),
        ("headline", "all", 10, 5, 2.0),
        ("last_planned", "all", 10, 5, 2.0),
    ]
    assert [figure for figure in by_channel if figure[0] != "last_planned"] == [
        ("cancelled", "desk", 0, 1, 0.0),
        ("cancelled", "web", 5, 1, 5.0),
        ("desk_same_day", "desk", 0, 2, 0.0),
        ("headline", "desk", 1, 1, 1.0),
        ("headline", "unknown", 3, 1, 3.0),
        ("headline", "web", 6, 3, 2.0),
    ]


# ── The month and the norm ───────────────────────────────────────────────────────────────────────


def test_the_lead_time_belongs_to_the_local_day_of_booking(tmp_path: Path) -> None:
    # in UTC: half past midnight of 1 April in Brussels, and the last second of 31 March
    write_appointments(
        tmp_path,
        "2025-05-31",
        [
            appointment("2025-05-06 08:00:00", "planned", id="April", booked="2025-03-31 22:30:00"),
            appointment("2025-05-06 08:00:00", "planned", id="March", booked="2025-03-31 21:59:59"),
            # a Sunday evening in UTC, and in Brussels Monday already
            appointment("2025-03-11 08:00:00", "planned", id="Monday", booked="2025-03-09 23:30:00"),
            # and planned for Monday 23:30 UTC, which is Tuesday
            appointment("2025-03-10 23:30:00", "planned", id="Tuesday", booked="2025-03-10 08:00:00"),
        ],
    )
    with warehouse(settings_of(tmp_path, sources=[{**APPOINTMENTS, "time_zone": "UTC"}])) as con:
        core = con.execute(
            """
            select appointment_id, booked_date, first_planned_date, lead_time_working_days from core.appointments
            """
        ).fetchall()
        months = con.execute(
            "select month, booked from marts.appointment_lead_time_monthly where booked > 0 order by month"
        ).fetchall()
    assert {name: tuple(rest) for name, *rest in core} == {
        "April": (date(2025, 4, 1), date(2025, 5, 6), 25),
        "March": (date(2025, 3, 31), date(2025, 5, 6), 26),
        "Monday": (date(2025, 3, 10), date(2025, 3, 11), 1),
        "Tuesday": (date(2025, 3, 10), date(2025, 3, 11), 1),
    }
    assert months == [(date(2025, 3, 1), 3), (date(2025, 4, 1), 1)]


def test_a_mean_of_exactly_five_working_days_meets_the_norm_and_more_does_not(tmp_path: Path) -> None:
    norm = {"indicator": "lead_time", "operator": "<=", "value": 5, "valid_from": "2016-01-01", "source": "a test"}
    cases: Cases = {
        "four": ("2025-03-10", "2025-03-14", 4),
        "five": ("2025-03-10", "2025-03-17", 5),
        "six": ("2025-03-10", "2025-03-18", 6),
        "in April four": ("2025-04-07", "2025-04-11", 4),
        "in April six": ("2025-04-07", "2025-04-15", 6),
        "in April six again": ("2025-04-07", "2025-04-15", 6),
    }
    found = appointments(
        tmp_path,
        *records(cases),
        export_day="2025-04-30",
        action_plan={"norms": [norm]},
        query="""
            select month(period), variant, dimension_type, numerator, denominator, norm_met from marts.indicators
            where indicator = 'lead_time' and norm_met is not null order by period
        """,
    )
    assert found == [(3, "headline", "all", 15, 3, True), (4, "headline", "all", 16, 3, False)]


# ── Rescheduling ─────────────────────────────────────────────────────────────────────────────────


def test_the_lead_time_ends_at_the_first_planned_slot_and_a_variant_at_the_last(tmp_path: Path) -> None:
    exports: dict[str, dict[str, str]] = {  # export day, and the planned day that it tells
        "2025-03-10": {"later twice": "2025-03-11", "earlier": "2025-03-20", "before it was booked": "2025-03-14"},
        "2025-03-11": {"later twice": "2025-03-14"},
        "2025-03-12": {"later twice": "2025-03-17", "earlier": "2025-03-12", "before it was booked": "2025-03-07"},
        "2025-03-13": {"later twice": "2025-03-17", "once": "2025-03-14"},
    }
    for day, planned in exports.items():
        write_appointments(
            tmp_path,
            day,
            [
                appointment(f"{when} 10:00:00", "planned", id=name, booked="2025-03-10 09:00:00")
                for name, when in planned.items()
            ],
        )
    with warehouse(settings_of(tmp_path)) as con:
        found = con.execute(
            """
            select appointment_id, first_planned_date, planned_date, lead_time_working_days,
                last_lead_time_working_days
            from core.appointments
            """
        ).fetchall()
        variants = figures(con, "period_type = 'month' and dimension = 'all' and denominator > 0")
    assert {name: tuple(rest) for name, *rest in found} == {
        "later twice": (date(2025, 3, 11), date(2025, 3, 17), 1, 5),
        "earlier": (date(2025, 3, 20), date(2025, 3, 12), 8, 2),
        "before it was booked": (date(2025, 3, 14), date(2025, 3, 7), 4, None),
        "once": (date(2025, 3, 14), date(2025, 3, 14), 4, 4),
    }
    assert variants == [("headline", "all", 17, 4, 4.25), ("last_planned", "all", 11, 3, pytest.approx(11 / 3))]


def test_the_first_slot_is_not_looked_for_in_a_file_that_was_replaced(tmp_path: Path) -> None:
    def export(day: str, **planned: str) -> None:
        records = [
            appointment(f"{when} 10:00:00", "planned", id=name, booked="2025-03-10 09:00:00")
            for name, when in planned.items()
        ]
        write_appointments(tmp_path, day, records)

    export("2025-03-10", withdrawn="2025-03-28", corrected="2025-03-28")
    read_all(settings_of(tmp_path))
    export("2025-03-10", another="2025-03-10", corrected="2025-03-11")
    export("2025-03-12", withdrawn="2025-03-14", corrected="2025-03-14")
    with warehouse(settings_of(tmp_path)) as con:
        found = con.execute(
            """
            select appointment_id, lead_time_working_days, last_lead_time_working_days
            from core.appointments where appointment_id <> 'another' order by 1
            """
        ).fetchall()
    assert found == [("corrected", 1, 4), ("withdrawn", 4, 4)]


def test_a_first_slot_that_the_export_declares_goes_before_what_older_exports_told(tmp_path: Path) -> None:
    header = "id;booked;first;planned;service;status"
    declared = {
        **APPOINTMENTS,
        "files": "log_*.csv",
        "time_zone": "UTC",
        "export": {**APPOINTMENTS["export"], "pattern": r"log_(?P<stamp>\d{4}-\d{2}-\d{2})"},
        "columns": {
            "appointment_id": "id",
            "service": "service",
            "status": "status",
            "booked_at": instant("booked"),
            "planned_start": instant("planned"),
            "first_planned_start": instant("first"),
        },
    }

    def export(day: str, **slots: tuple[str, str]) -> None:
        """Write what an export of the day tells: by id, the first and the present slot."""
        records = [
            {"id": name.replace("_", " "), "booked": "2025-03-10 09:00:00", "service": "premium", "status": "planned"}
            | {"first": first, "planned": planned}
            for name, (first, planned) in slots.items()
        ]
        write(tmp_path, f"log_{day}.csv", header, records)

    # 23:30 UTC is the next day in Brussels
    export(
        "2025-03-10",
        declared=("2025-03-11 23:30:00", "2025-03-14 09:00:00"),
        told_before=("", "2025-03-13 09:00:00"),
    )
    export(
        "2025-03-11",
        declared=("2025-03-11 23:30:00", "2025-03-17 09:00:00"),
        told_before=("", "2025-03-20 09:00:00"),
        never_told=("", "2025-03-11 09:00:00"),
    )
    with warehouse(settings_of(tmp_path, sources=[declared])) as con:
        found = con.execute(
            """
            select appointment_id, first_planned_start_local, lead_time_working_days, last_lead_time_working_days
            from core.appointments
            """
        ).fetchall()
    assert {name: tuple(rest) for name, *rest in found} == {
        "declared": (datetime(2025, 3, 12, 0, 30), 2, 5),
        "told before": (datetime(2025, 3, 13, 10), 3, 8),
        "never told": (datetime(2025, 3, 11, 10), 1, 1),
    }


def test_booked_without_a_slot_at_first_its_first_slot_is_the_one_it_got_later(tmp_path: Path) -> None:
    slots = {  # export day, and the slots that it tells
        "2025-03-10": {"later": "", "an hour before it was booked": ""},
        "2025-03-11": {"later": "2025-03-12 10:00:00", "an hour before it was booked": "2025-03-10 08:00:00"},
        "2025-03-12": {"later": "2025-03-14 10:00:00", "an hour before it was booked": "2025-03-12 10:00:00"},
    }
    for day, planned in slots.items():
        write_appointments(
            tmp_path,
            day,
            [appointment(when, "planned", id=name, booked="2025-03-10 09:00:00") for name, when in planned.items()],
        )
    with warehouse(settings_of(tmp_path)) as con:
        found = con.execute(
            """
            select appointment_id, lead_time_working_days, lead_time_reason, first_planned_start_local
            from core.appointments
            """
        ).fetchall()
    assert {name: tuple(rest) for name, *rest in found} == {
        "later": (2, None, datetime(2025, 3, 12, 10)),
        "an hour before it was booked": (None, "planned_before_booked", datetime(2025, 3, 10, 8)),
    }
