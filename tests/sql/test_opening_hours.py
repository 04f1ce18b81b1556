"""When the telephone is open, why it is closed, and on which clock: sql/staging/day_segments.sql and its readers.

A case is a moment of arrival; what is expected of it is `open`, or the reason why the telephone was closed then.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.city import CALLS, INSTANT, WEEK, call, calls, instant, settings_of, warehouse, write_calls

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EXPORT_DAY = "2026-01-31"

# `wrong` where the columns that tell of the same thing contradict each other
REASONS = """
    select
        call_id,
        case
            when outcome = 'answered' and is_within_opening_hours and closed_reason is null then 'open'
            when outcome = 'outside_hours' and not is_within_opening_hours then closed_reason
            else 'wrong'
        end
    from core.calls
"""


def phone(columns: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The call log of the test's city, declared otherwise."""
    return {**CALLS, "columns": {**CALLS["columns"], **(columns or {})}, **changes}


def telephone(valid_from: str = "2024-01-01", **days: Any) -> dict[str, Any]:
    """Opening hours of the telephone."""
    return {"service_point": "telephone", "valid_from": valid_from, **days}


def closure(date: str, interval: str | None = None, kind: str = "closure", points: str = "telephone") -> dict[str, Any]:
    """A dated closure; `points` are separated by a blank."""
    return {"date": date, "service_points": points.split(), "kind": kind, "reason": "a reason", "interval": interval}


def reasons(
    folder: Path,
    arrivals: Iterable[str],
    source: dict[str, Any] = CALLS,
    hours: list[dict[str, Any]] | None = None,
    closures: Iterable[dict[str, Any]] = (),
    **parts: Any,
) -> dict[str, str]:
    """`open` or why the telephone was closed, for an answered call at each of the arrivals."""
    rows = calls(
        folder,
        *[call(arrival, id=arrival) for arrival in arrivals],
        query=REASONS,
        export_day=EXPORT_DAY,
        sources=[source],
        hours=hours or [telephone(**WEEK)],
        calendar={"closures": list(closures)},
        **parts,
    )
    return dict(rows)


# ── Intervals ─────────────────────────────────────────────────────────────────────────────────────


def test_a_call_at_opening_time_is_inside_and_one_at_closing_time_outside(tmp_path: Path) -> None:
    to_the_thousandth = phone({"arrived_at": {"column": "arrived", "format": INSTANT + "%.f"}})
    monday = {
        "2025-03-10 00:00:00": "before_opening",
        "2025-03-10 08:59:59": "before_opening",
        "2025-03-10 08:59:59.999": "before_opening",
        "2025-03-10 09:00:00": "open",
        "2025-03-10 11:59:59": "open",
        "2025-03-10 12:00:00": "break",
        "2025-03-10 12:59:59": "break",
        "2025-03-10 13:00:00": "open",
        "2025-03-10 15:59:59": "open",
        "2025-03-10 15:59:59.999": "open",
        "2025-03-10 16:00:00": "after_closing",
        "2025-03-10 23:59:59": "after_closing",
    }
    assert reasons(tmp_path, monday, to_the_thousandth) == monday


def test_a_weekday_without_regular_hours_is_a_closed_weekday_all_day(tmp_path: Path) -> None:
    hours = [telephone(monday=["09:00-12:00"], saturday=["10:00-11:00"])]
    week = {
        "2025-03-10 10:30:00": "open",
        "2025-03-12 00:00:00": "closed_weekday",
        "2025-03-12 10:30:00": "closed_weekday",
        "2025-03-12 23:59:59": "closed_weekday",
        "2025-03-15 09:59:59": "before_opening",
        "2025-03-15 10:30:00": "open",
        "2025-03-15 11:00:00": "after_closing",
        "2025-03-16 10:30:00": "closed_weekday",
    }
    assert reasons(tmp_path, week, hours=hours) == week


def test_hours_hold_from_their_first_day_to_their_last_both_included(tmp_path: Path) -> None:
    late_tuesday = telephone("2024-01-01", valid_to="2025-07-01", **{**WEEK, "tuesday": ["13:00-19:00"]})
    late_thursday = telephone("2025-07-02", **{**WEEK, "thursday": ["13:00-19:00"]})
    evenings = {
        "2025-06-24 18:00:00": "open",
        "2025-06-26 18:00:00": "after_closing",
        "2025-07-01 18:00:00": "open",
        "2025-07-01 10:00:00": "before_opening",
        "2025-07-02 10:00:00": "open",
        "2025-07-03 18:00:00": "open",
        "2025-07-08 18:00:00": "after_closing",
    }
    assert reasons(tmp_path, evenings, hours=[late_thursday, late_tuesday]) == evenings


def test_a_call_on_a_day_without_declared_hours_is_quarantined_not_judged(tmp_path: Path) -> None:
    write_calls(
        tmp_path,
        EXPORT_DAY,
        [call(f"2025-03-{day} 10:00:00", id=f"on the {day}th") for day in ("07", "10", "14", "17")],
    )
    hours = [telephone("2025-03-10", valid_to="2025-03-14", **WEEK)]
    with warehouse(settings_of(tmp_path, sources=[CALLS], hours=hours)) as con:
        assert con.execute("select call_id from core.calls order by all").fetchall() == [
            ("on the 10th",),
            ("on the 14th",),
        ]
        assert con.execute("select line, reason from ops.quarantine order by line").fetchall() == [
            (2, "arrived on a day for which the settings declare no opening hours of the telephone"),
            (5, "arrived on a day for which the settings declare no opening hours of the telephone"),
        ]


@pytest.mark.parametrize(
    ("first_ends", "second_starts", "complaint"),
    [
        ("2025-06-30", "2025-06-30", "overlap"),
        ("2025-06-30", "2025-07-02", "have a gap"),
        (None, "2025-07-01", "overlap"),
    ],
    ids=["a day declared twice", "a day between", "a first one without an end"],
)
def test_hours_that_overlap_or_leave_a_gap_are_refused(
    tmp_path: Path, first_ends: str | None, second_starts: str, complaint: str
) -> None:
    ends = {"valid_to": first_ends} if first_ends else {}
    with pytest.raises(ValidationError, match=complaint):
        settings_of(tmp_path, sources=[CALLS], hours=[telephone(**ends, **WEEK), telephone(second_starts, **WEEK)])


def test_hours_that_follow_each_other_are_accepted(tmp_path: Path) -> None:
    assert settings_of(
        tmp_path, sources=[CALLS], hours=[telephone(valid_to="2025-06-30", **WEEK), telephone("2025-07-01", **WEEK)]
    )


# ── Closures ──────────────────────────────────────────────────────────────────────────────────────


def test_half_a_day_closed_tells_the_break_the_closure_and_after_closing_apart(tmp_path: Path) -> None:
    christmas_eve = {
        "2025-12-24 08:59:59": "before_opening",
        "2025-12-24 11:59:59": "open",
        "2025-12-24 12:00:00": "break",
        "2025-12-24 12:30:00": "break",
        "2025-12-24 13:00:00": "closure",
        "2025-12-24 14:00:00": "closure",
        "2025-12-24 15:59:59": "closure",
        "2025-12-24 16:00:00": "after_closing",
        "2025-12-24 18:00:00": "after_closing",
    }
    assert reasons(tmp_path, christmas_eve, closures=[closure("2025-12-24", "12:00-24:00")]) == christmas_eve


def test_a_whole_day_closed_has_one_reason_from_midnight_to_midnight(tmp_path: Path) -> None:
    closed = [closure("2025-12-25", kind="holiday"), closure("2025-12-26"), closure("2025-12-28", kind="holiday")]
    days = {
        "2025-12-24 23:59:59": "after_closing",
        "2025-12-25 00:00:00": "holiday",
        "2025-12-25 08:00:00": "holiday",
        "2025-12-25 10:00:00": "holiday",
        "2025-12-25 12:30:00": "holiday",
        "2025-12-25 23:59:59": "holiday",
        "2025-12-26 00:00:00": "closure",
        "2025-12-26 12:30:00": "closure",
        "2025-12-26 23:59:59": "closure",
        "2025-12-27 00:00:00": "closed_weekday",
        "2025-12-28 10:00:00": "holiday",  # a Sunday
        "2025-12-29 00:00:00": "before_opening",
        "2025-12-29 09:00:00": "open",
    }
    assert reasons(tmp_path, days, closures=closed) == days


def test_part_of_a_day_closed_is_half_open_and_counts_only_where_the_hours_were_open(tmp_path: Path) -> None:
    closed = [
        closure("2025-12-15", "10:00-11:00"),
        closure("2025-12-16", "08:00-10:00"),
        closure("2025-12-17", "13:00-24:00", kind="holiday"),
        closure("2025-12-18", "11:00-14:00"),
        closure("2025-12-21", "10:00-11:00", kind="holiday"),
    ]
    days = {
        "2025-12-15 09:59:59": "open",
        "2025-12-15 10:00:00": "closure",
        "2025-12-15 10:59:59": "closure",
        "2025-12-15 11:00:00": "open",
        "2025-12-16 08:30:00": "before_opening",
        "2025-12-16 09:30:00": "closure",
        "2025-12-16 10:00:00": "open",
        "2025-12-17 12:30:00": "break",
        "2025-12-17 14:00:00": "holiday",
        "2025-12-17 16:00:00": "after_closing",
        "2025-12-18 11:30:00": "closure",
        "2025-12-18 12:30:00": "break",
        "2025-12-18 13:30:00": "closure",
        "2025-12-18 14:00:00": "open",
        "2025-12-21 09:59:59": "closed_weekday",  # a Sunday
        "2025-12-21 10:30:00": "closed_weekday",
    }
    assert reasons(tmp_path, days, closures=closed) == days


def test_closures_that_leave_no_interval_close_the_whole_day(tmp_path: Path) -> None:
    closed = [
        closure("2025-12-15", "09:00-16:00"),
        closure("2025-12-16", "09:00-12:00"),
        closure("2025-12-16", "13:00-16:00"),
        closure("2025-12-17", "09:00-15:59"),
        closure("2025-12-18", "09:00-12:00"),
        closure("2025-12-18", "13:00-24:00", kind="holiday"),
        closure("2025-12-19", kind="holiday"),
        closure("2025-12-19", "10:00-11:00"),
    ]
    days = {
        "2025-12-15 08:00:00": "closure",
        "2025-12-15 10:00:00": "closure",
        "2025-12-15 12:30:00": "closure",
        "2025-12-15 18:00:00": "closure",
        "2025-12-16 08:00:00": "closure",
        "2025-12-16 12:30:00": "closure",
        "2025-12-16 18:00:00": "closure",
        "2025-12-17 08:00:00": "before_opening",
        "2025-12-17 12:30:00": "break",
        "2025-12-17 15:59:00": "open",  # the one minute that is left
        "2025-12-17 18:00:00": "after_closing",
        "2025-12-18 10:00:00": "closure",
        "2025-12-18 14:00:00": "holiday",
        "2025-12-18 18:00:00": "holiday",  # of two, the day is named after the holiday
        "2025-12-19 10:30:00": "holiday",
        "2025-12-19 18:00:00": "holiday",
    }
    assert reasons(tmp_path, days, closures=closed) == days


def test_a_closure_from_midnight_to_midnight_is_one_of_the_whole_day(tmp_path: Path) -> None:
    """On a Sunday, where part of a day would be a closed weekday."""
    sunday = {"2025-12-28 10:00:00": "holiday"}
    assert reasons(tmp_path, sunday, closures=[closure("2025-12-28", "00:00-24:00", kind="holiday")]) == sunday


def test_only_the_citys_calendar_closes_a_day(tmp_path: Path) -> None:
    """Christmas on a Thursday: no library, and nobody's log-in, decides that it is a holiday."""
    christmas = {"2025-12-25 10:00:00": "open", "2025-12-25 12:30:00": "break"}
    assert reasons(tmp_path, christmas) == christmas


def test_a_closure_is_for_the_service_points_that_it_names_and_calls_follow_the_telephones(tmp_path: Path) -> None:
    hours = [
        {"service_point": point, "valid_from": "2024-01-01", **WEEK} for point in ("telephone", "desk", "desk:Wonen")
    ]
    hours[1]["saturday"] = ["09:00-17:00"]
    closed = [
        closure("2025-03-10", points="desk"),
        closure("2025-03-11", points="telephone"),
        closure("2025-03-12", points="desk:Wonen"),
        closure("2025-03-13", points="telephone desk", kind="holiday"),
        closure("2025-03-14", "12:00-24:00", points="desk"),
    ]
    write_calls(tmp_path, "2025-03-31", [call(f"2025-03-{day} 15:00:00", id=f"{day}") for day in range(10, 16)])
    with warehouse(settings_of(tmp_path, hours=hours, calendar={"closures": closed})) as con:
        days = con.execute("""
            select
                strftime(date, '%d'),
                string_agg(service_point || ' ' || coalesce(intervals, closed_reason), '; ' order by service_point desc)
            from core.calendar where date between '2025-03-10' and '2025-03-15' group by date order by date
        """).fetchall()
        told = dict(con.execute(REASONS).fetchall())
    whole = "09:00-12:00, 13:00-16:00"
    assert days == [
        ("10", f"telephone {whole}; desk:Wonen closure; desk closure"),
        ("11", f"telephone closure; desk:Wonen {whole}; desk {whole}"),
        ("12", f"telephone {whole}; desk:Wonen closure; desk {whole}"),
        ("13", "telephone holiday; desk:Wonen holiday; desk holiday"),
        ("14", f"telephone {whole}; desk:Wonen 09:00-12:00; desk 09:00-12:00"),
        ("15", "telephone closed_weekday; desk:Wonen closed_weekday; desk 09:00-17:00"),
    ]
    assert told == {
        "10": "open", "11": "closure", "12": "open", "13": "holiday", "14": "open", "15": "closed_weekday",
    }  # fmt: skip


# ── Zones and clock changes ───────────────────────────────────────────────────────────────────────


def test_a_source_in_utc_is_compared_in_the_centres_time_of_that_day(tmp_path: Path) -> None:
    """dbt_zendesk #25, #64, #86: historical minutes with another day's offset, and the days beside a clock change."""
    nine_oclock = {
        "2025-01-15 07:59:59": "before_opening",
        "2025-01-15 08:00:00": "open",
        "2025-07-15 06:59:59": "before_opening",
        "2025-07-15 07:00:00": "open",
        "2025-03-28 07:59:59": "before_opening",  # the last day before summer time
        "2025-03-28 08:00:00": "open",
        "2025-03-31 06:59:59": "before_opening",  # the first one in it
        "2025-03-31 07:00:00": "open",
        "2025-10-24 07:00:00": "open",
        "2025-10-24 14:00:00": "after_closing",
        "2025-10-27 07:59:59": "before_opening",
        "2025-10-27 08:00:00": "open",
        "2025-10-27 14:59:59": "open",
        "2025-10-27 15:00:00": "after_closing",
    }
    assert reasons(tmp_path, nine_oclock, phone(time_zone="UTC")) == nine_oclock


def test_a_source_in_a_zone_with_other_clock_changes_is_compared_in_the_centres_time(tmp_path: Path) -> None:
    """New York is six hours behind, but five between its own clock change and ours."""
    in_new_york = {
        "2025-03-03 02:59:59": "before_opening",
        "2025-03-03 03:00:00": "open",
        "2025-03-17 03:59:59": "before_opening",
        "2025-03-17 04:00:00": "open",
        "2025-04-07 02:59:59": "before_opening",
        "2025-04-07 03:00:00": "open",
    }
    assert reasons(tmp_path, in_new_york, phone(time_zone="America/New_York")) == in_new_york


def test_a_centre_in_another_zone_is_judged_by_its_own_clock(tmp_path: Path) -> None:
    in_brussels = {
        "2025-03-10 09:59:59": "before_opening",  # 08:59:59 in Lisbon
        "2025-03-10 10:00:00": "open",
        "2025-03-10 16:59:59": "open",
        "2025-03-10 17:00:00": "after_closing",
    }
    centre = {"name": "Testdorp", "time_zone": "Europe/Lisbon", "start": "2025-01-01"}
    assert reasons(tmp_path, in_brussels, centre=centre) == in_brussels


def test_hours_on_the_day_of_a_clock_change_are_those_on_the_wall(tmp_path: Path) -> None:
    """Of a source in UTC, in a centre that is open on Sundays from 1 to 4."""
    nights = {
        "2025-03-29 23:59:59": "before_opening",  # 00:59:59
        "2025-03-30 00:00:00": "open",  # 01:00
        "2025-03-30 00:59:59": "open",  # 01:59:59
        "2025-03-30 01:00:00": "open",  # 03:00
        "2025-03-30 01:59:59": "open",  # 03:59:59
        "2025-03-30 02:00:00": "after_closing",  # 04:00
        "2025-10-25 22:59:59": "before_opening",  # 00:59:59
        "2025-10-25 23:00:00": "open",  # 01:00
        "2025-10-26 00:30:00": "open",  # 02:30
        "2025-10-26 01:30:00": "open",  # 02:30 again
        "2025-10-26 02:59:59": "open",  # 03:59:59
        "2025-10-26 03:00:00": "after_closing",  # 04:00
    }
    assert reasons(tmp_path, nights, phone(time_zone="UTC"), hours=[telephone(sunday=["01:00-04:00"])]) == nights


def test_a_local_time_that_does_not_exist_is_quarantined_and_one_that_exists_twice_is_flagged(tmp_path: Path) -> None:
    night = [
        "2025-03-30 01:59:59", "2025-03-30 02:00:00", "2025-03-30 02:59:59", "2025-03-30 03:00:00",
        "2025-10-26 01:59:59", "2025-10-26 02:00:00", "2025-10-26 02:59:59", "2025-10-26 03:00:00",
    ]  # fmt: skip
    write_calls(tmp_path, EXPORT_DAY, [call(arrived, id=arrived) for arrived in night])
    source = phone(max_quarantined_share=1)
    with warehouse(settings_of(tmp_path, sources=[source], hours=[telephone(**WEEK)])) as con:
        told = con.execute("""
            select call_id, arrived_at_utc::varchar, arrived_local::varchar = call_id, is_arrival_ambiguous
            from core.calls order by call_id
        """).fetchall()
        quarantined = con.execute("select line, column_name, reason from ops.quarantine order by line").fetchall()
        counted = con.execute("select sum(calls), sum(ambiguous_arrivals) from marts.missed_calls_monthly").fetchall()
    assert told == [
        ("2025-03-30 01:59:59", "2025-03-30 00:59:59", True, False),
        ("2025-03-30 03:00:00", "2025-03-30 01:00:00", True, False),
        ("2025-10-26 01:59:59", "2025-10-25 23:59:59", True, False),
        ("2025-10-26 02:00:00", "2025-10-26 00:00:00", True, True),  # summer time, the earlier of the two
        ("2025-10-26 02:59:59", "2025-10-26 00:59:59", True, True),
        ("2025-10-26 03:00:00", "2025-10-26 02:00:00", True, False),
    ]
    reason = "a local time that does not exist in Europe/Brussels"
    assert quarantined == [(3, "arrived", reason), (4, "arrived", reason)]
    assert counted == [(6, 2)]


def test_both_passes_of_the_doubled_hour_are_told_apart_in_a_source_in_utc(tmp_path: Path) -> None:
    passes = calls(
        tmp_path,
        call("2025-10-26 00:30:00"),
        call("2025-10-26 01:30:00"),
        query="""
            select arrived_at_utc::varchar, arrived_local::varchar, is_arrival_ambiguous
            from core.calls order by arrived_at_utc
        """,
        export_day=EXPORT_DAY,
        sources=[phone(time_zone="UTC")],
        hours=[telephone(**WEEK)],
    )
    assert passes == [
        ("2025-10-26 00:30:00", "2025-10-26 02:30:00", False),
        ("2025-10-26 01:30:00", "2025-10-26 02:30:00", False),
    ]


def test_a_holiday_lasts_from_local_midnight_to_local_midnight_in_a_centre_that_never_closes(tmp_path: Path) -> None:
    """dbt_zendesk #117, #114, #121, #215: holiday and hours on two clocks, inclusive ends, no minute or every one."""
    always = [telephone(**{day: ["00:00-24:00"] for day in WEEKDAYS})]
    in_utc = {
        "2025-04-30 21:59:59": "open",
        "2025-04-30 22:00:00": "holiday",
        "2025-05-01 07:30:00": "holiday",
        "2025-05-01 21:59:59": "holiday",
        "2025-05-01 22:00:00": "open",
        "2025-05-03 22:00:00": "open",
        "2025-03-30 00:59:59": "open",
        "2025-03-30 01:00:00": "open",
        "2025-10-26 00:30:00": "open",
        "2025-10-26 01:30:00": "open",
        "2025-12-31 23:00:00": "open",
    }
    holiday = closure("2025-05-01", kind="holiday")
    assert reasons(tmp_path, in_utc, phone(time_zone="UTC"), hours=always, closures=[holiday]) == in_utc


def test_a_call_belongs_to_the_local_date_of_its_arrival(tmp_path: Path) -> None:
    """A source in UTC: months and years end an hour (or two) before they do there."""
    dates = calls(
        tmp_path,
        call("2024-12-31 22:59:59", id="a second before New Year", ended="2024-12-31 23:10:00"),
        call("2024-12-31 23:00:00", id="at New Year"),
        call("2025-07-31 21:59:59", id="a second before August", ended="2025-07-31 22:10:00"),
        call("2025-07-31 22:00:00", id="at the first of August"),
        query="""
            select calls.call_id, calls.arrived_date::varchar, monthly.month::varchar, yearly.year::varchar
            from core.calls as calls
            inner join marts.missed_calls_monthly as monthly
                on monthly.queue = calls.queue and monthly.calls > 0
                and calls.arrived_date between monthly.month and last_day(monthly.month)
            inner join marts.missed_calls_yearly as yearly
                on yearly.queue = calls.queue and yearly.calls > 0 and year(yearly.year) = year(calls.arrived_date)
            order by calls.arrived_at_utc
        """,
        export_day=EXPORT_DAY,
        sources=[phone(time_zone="UTC")],
        hours=[telephone(**WEEK)],
    )
    assert dates == [
        ("a second before New Year", "2024-12-31", "2024-12-01", "2024-01-01"),
        ("at New Year", "2025-01-01", "2025-01-01", "2025-01-01"),
        ("a second before August", "2025-07-31", "2025-07-01", "2025-01-01"),
        ("at the first of August", "2025-08-01", "2025-08-01", "2025-01-01"),
    ]


# ── Calls that reach over an edge ─────────────────────────────────────────────────────────────────

EDGES = """
    select
        call_id,
        outcome
        || if(is_ended_after_closing, ', ended after closing', '')
        || if(is_spanning_opening, ', spanning opening', '')
    from core.calls
"""


def edge(day: str, arrived: str, answered: str = "", ended: str = "", outcome: str = "") -> dict[str, str]:
    """One call of a day by its clock times, named after them."""
    return call(
        f"{day} {arrived}",
        outcome or ("answered" if answered else "missed"),
        id=" ".join(clock for clock in (arrived, answered, ended) if clock),
        answered=f"{day} {answered}" if answered else "",
        ended=f"{day} {ended}" if ended else "",
    )


def test_arrival_decides_and_what_reaches_over_closing_or_opening_is_flagged(tmp_path: Path) -> None:
    day = "2025-03-11"
    cases = [
        (edge(day, "15:59:50", "", "15:59:59"), "missed"),
        (edge(day, "15:59:50", "", "16:00:00"), "missed"),
        (edge(day, "15:59:50", "", "16:00:01"), "missed, ended after closing"),
        (edge(day, "15:59:51", "16:00:20", "16:05:00"), "answered, ended after closing"),
        (edge(day, "11:59:50", "11:59:55", "12:00:10"), "answered, ended after closing"),
        (edge(day, "11:59:50", "11:59:55", "13:30:00"), "answered, ended after closing"),
        (edge(day, "11:59:52", "11:59:55", ""), "answered"),
        (edge(day, "08:59:50", "08:59:59", "09:10:00"), "outside_hours"),
        (edge(day, "08:59:50", "09:00:00", "09:10:00"), "outside_hours, spanning opening"),
        (edge(day, "08:59:50", "09:00:05", "09:10:00"), "outside_hours, spanning opening"),
        (edge(day, "08:59:51", "", "09:00:30"), "outside_hours"),
        (edge(day, "08:59:52", "09:00:05", "09:10:00", "machine"), "outside_hours"),
        (edge(day, "12:59:50", "13:00:05", "16:10:00"), "outside_hours, spanning opening"),
        (edge(day, "17:00:00", "17:00:05", "17:10:00"), "outside_hours"),
    ]
    write_calls(tmp_path, "2025-03-31", [record for record, _ in cases])
    with warehouse(settings_of(tmp_path, sources=[CALLS], hours=[telephone(**WEEK)])) as con:
        told = dict(con.execute(EDGES).fetchall())
        published = con.execute("""
            select ended_after_closing, spanning_opening, outside_hours, outside_hours_answered, answered, missed
            from marts.missed_calls_monthly
        """).fetchall()
    assert told == {record["id"]: expected for record, expected in cases}
    assert published == [(4, 3, 7, 5, 4, 3)]


def test_a_closure_is_a_closing_too_and_intervals_that_touch_are_not(tmp_path: Path) -> None:
    hours = [telephone(monday=["09:00-12:00", "12:00-16:00"], tuesday=["09:00-16:00"])]
    cases = [
        (edge("2025-03-10", "11:59:00", "11:59:10", "12:01:00"), "answered"),
        (edge("2025-03-11", "09:59:00", "09:59:10", "10:01:00"), "answered, ended after closing"),
        (edge("2025-03-11", "10:59:00", "11:00:10", "11:01:00"), "outside_hours, spanning opening"),
    ]
    told = calls(
        tmp_path,
        *[record for record, _ in cases],
        query=EDGES,
        sources=[CALLS],
        hours=hours,
        calendar={"closures": [closure("2025-03-11", "10:00-11:00")]},
    )
    assert dict(told) == {record["id"]: expected for record, expected in cases}


def test_midnight_is_no_closing_of_a_centre_that_never_closes(tmp_path: Path) -> None:
    """dbt_zendesk #215, and the same for a centre that opens at midnight."""
    hours = [telephone(monday=["00:00-24:00"], tuesday=["00:00-24:00"], thursday=["00:00-12:00"])]
    told = calls(
        tmp_path,
        call("2025-03-10 23:59:00", id="into an open day", ended="2025-03-11 00:01:00"),
        call("2025-03-11 23:59:00", id="into a closed day", ended="2025-03-12 00:01:00"),
        call("2025-03-12 23:59:00", id="answered after midnight", answered="2025-03-13 00:01:00"),
        query=EDGES,
        sources=[CALLS],
        hours=hours,
    )
    assert dict(told) == {
        "into an open day": "answered",
        "into a closed day": "answered, ended after closing",
        "answered after midnight": "outside_hours, spanning opening",
    }


# ── What holds of any hours ───────────────────────────────────────────────────────────────────────

MONDAY = datetime(2025, 3, 3)
MINUTES = st.integers(0, 24 * 60)
# never in a night in which a clock may change
MOMENTS = st.tuples(st.integers(0, 6), st.integers(4 * 3600, 24 * 3600 - 1)).map(
    lambda moment: MONDAY + timedelta(days=moment[0], seconds=moment[1])
)


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def intervals(minutes: Iterable[tuple[int, int]]) -> list[str]:
    """Intervals of the settings that open exactly the given minutes, merged where they meet."""
    merged: list[tuple[int, int]] = []
    for opens, closes in sorted(minutes):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], closes))
        else:
            merged.append((opens, closes))
    return [f"{clock(opens)}-{clock(closes)}" for opens, closes in merged]


SPANS = st.tuples(MINUTES, MINUTES).filter(lambda span: span[0] != span[1]).map(lambda span: (min(span), max(span)))


@settings(max_examples=3, deadline=None, database=None)
@given(
    spans=st.lists(SPANS, min_size=2, max_size=6),
    moments=st.lists(MOMENTS, min_size=20, max_size=60, unique=True),
)
def test_wider_hours_never_put_a_call_outside(spans: list[tuple[int, int]], moments: list[datetime]) -> None:
    """The same calls in as many weeks as there are spans, each week open for one span more: one build tells all."""
    weeks = range(len(spans))
    hours = []
    for week in weeks:
        monday = MONDAY + timedelta(weeks=week)
        ends = {"valid_to": f"{monday + timedelta(days=6):%Y-%m-%d}"}
        hours.append(telephone(f"{monday:%Y-%m-%d}", **ends, **dict.fromkeys(WEEKDAYS, intervals(spans[: week + 1]))))
    records = [
        call((moment + timedelta(weeks=week)).strftime(INSTANT), id=f"{number} in week {week}")
        for number, moment in enumerate(moments)
        for week in weeks
    ]
    with tempfile.TemporaryDirectory() as folder:
        told = dict(calls(Path(folder), *records, query=REASONS, export_day=EXPORT_DAY, sources=[CALLS], hours=hours))
    assert len(told) == len(records)
    assert "wrong" not in told.values()
    for number in range(len(moments)):
        history = [told[f"{number} in week {week}"] == "open" for week in weeks]
        assert history == sorted(history)


@settings(max_examples=3, deadline=None, database=None)
@given(
    moments=st.lists(MOMENTS, min_size=20, max_size=60, unique=True),
    closed=st.lists(
        st.tuples(st.integers(0, 6), st.none() | SPANS, st.sampled_from(["holiday", "closure"])), max_size=5
    ),
    weeks=st.integers(1, 40),
    talk=st.integers(1, 7200),
)
def test_a_shift_by_whole_weeks_changes_the_dates_only(
    moments: list[datetime], closed: list[tuple[int, tuple[int, int] | None, str]], weeks: int, talk: int
) -> None:
    """Calls and closures come twice, the second time some weeks later, which may be on another offset."""
    shift = timedelta(weeks=weeks)
    closures = [
        closure((MONDAY + timedelta(days=day) + later).strftime("%Y-%m-%d"), span and intervals([span])[0], kind)
        for day, span, kind in closed
        for later in (timedelta(), shift)
    ]
    records = [
        call(
            (moment + later).strftime(INSTANT),
            id=f"{number} {'later' if later else 'first'}",
            answered=(moment + later + timedelta(seconds=40)).strftime(INSTANT),
            ended=(moment + later + timedelta(seconds=40 + talk)).strftime(INSTANT),
        )
        for number, moment in enumerate(moments)
        for later in (timedelta(), shift)
    ]
    source = phone({"wait_seconds": None, "queue_entered_at": instant("arrived")})
    with tempfile.TemporaryDirectory() as folder:
        rows = calls(
            Path(folder),
            *records,
            query="""
                select
                    split_part(call_id, ' ', 2), split_part(call_id, ' ', 1)::int, arrived_local, outcome,
                    closed_reason, wait_seconds, speed_bucket, is_ended_after_closing, is_spanning_opening
                from core.calls order by all
            """,
            export_day=EXPORT_DAY,
            sources=[source],
            hours=[telephone(**{**WEEK, "saturday": ["10:00-22:00"]})],
            calendar={"closures": closures},
        )
    first = [(number, arrived + shift, *rest) for turn, number, arrived, *rest in rows if turn == "first"]
    later = [(number, arrived, *rest) for turn, number, arrived, *rest in rows if turn == "later"]
    assert len(later) == len(moments)
    assert first == later
