"""When a period is complete: it has ended, an export vouches for every open day of it, and no call is open.

Rules: docs/indicators.md, "Audit and guard". Telephone and desk are open on Mondays only, until 16:00, so that a month
has four or five open days: the cases of a table are months of 2025, in one warehouse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from tests.city import (
    APPOINTMENT_HEADER,
    APPOINTMENTS,
    CALL_HEADER,
    CALLS,
    appointment,
    call,
    read_all,
    settings_of,
    warehouse,
    write,
)

MONDAYS = {"monday": ["09:00-12:00", "13:00-16:00"]}
HOURS = [{"service_point": point, "valid_from": "2024-01-01", **MONDAYS} for point in ("telephone", "desk")]
HOUR = {"pattern": r"_(?P<stamp>\d{4}-\d{2}-\d{2}T\d{4})", "format": "%Y-%m-%dT%H%M"}
PHONE: dict[str, Any] = {**CALLS, "export": HOUR, "max_quarantined_share": 1.0}
DESK: dict[str, Any] = {**APPOINTMENTS, "export": HOUR, "max_quarantined_share": 1.0}


def mondays(*months: int, without: Iterable[str] = ()) -> list[str]:
    """The Mondays of these months of 2025 as dates, some left out."""
    days = (date(2025, 1, 6) + timedelta(weeks=week) for week in range(52))
    return [f"{day}" for day in days if day.month in months and f"{day}" not in without]


def calls_on(days: Iterable[str], **fields: str) -> list[dict[str, str]]:
    return [{**call(f"{day} 10:00:00", id=day), **fields} for day in days]


def export_calls(folder: Path, made: str, records: list[dict[str, str]], name: str = "calls") -> Path:
    return write(folder, f"{name}_{made}.csv", CALL_HEADER, records)


def complete(con: duckdb.DuckDBPyConnection, table: str = "missed_calls_monthly") -> dict[int, bool]:
    """Which months are complete, by their number."""
    return dict(con.execute(f"select distinct month(month), complete from marts.{table} order by 1").fetchall())


def test_a_month_is_complete_if_an_export_made_after_closing_holds_each_of_its_open_days(tmp_path: Path) -> None:
    newest = "2025-12-01T0000"
    months: Mapping[int, tuple[bool, str, list[dict[str, str]]]] = {  # complete, why, what the newest export holds
        1: (
            True,
            "every Monday is in it, and one in an export of that noon before",
            calls_on(mondays(1)),
        ),
        2: (False, "a Monday is in no export", calls_on(mondays(2, without=["2025-02-10"]))),
        3: (False, "a Monday is only in an export made a minute before closing", calls_on(mondays(3)[:-1])),
        4: (True, "a Monday is only in an export made at closing time", calls_on(mondays(4)[:-1])),
        5: (False, "a call was open in the last export that knows it", calls_on(mondays(5))),
        6: (True, "the Monday that is not in it was a holiday", calls_on(mondays(6, without=["2025-06-09"]))),
        7: (
            False,
            "what it holds of a Monday can't be read",
            [*calls_on(mondays(7)[:-1]), *calls_on(mondays(7)[-1:], wait="lang")],
        ),
        8: (True, "of a Monday it only holds an internal call, which may go on", calls_on(mondays(8)[:-1])),
        9: (False, "it holds no day at all", []),
        10: (False, "a Monday is open until 10:00, and all it holds of it is a call of 10:00", calls_on(mondays(10))),
        11: (True, "it ended at midnight, when the newest export was made", calls_on(mondays(11))),
        12: (False, "it has not ended", calls_on(["2025-12-01"])),
    }
    export_calls(tmp_path, "2025-01-06T1200", calls_on(["2025-01-06"]))
    export_calls(tmp_path, "2025-03-31T1559", calls_on(["2025-03-31"]))
    export_calls(tmp_path, "2025-04-28T1600", calls_on(["2025-04-28"]))
    export_calls(tmp_path, "2025-05-26T2000", calls_on(["2025-05-26"], id="open", outcome="ringing"))
    export_calls(
        tmp_path, "2025-08-25T2000", calls_on(["2025-08-25"], id="internal", direction="internal", outcome="ringing")
    )
    export_calls(tmp_path, newest, [record for _, _, records in months.values() for record in records])
    closures = [
        {"date": "2025-06-09", "service_points": ["telephone"], "kind": "holiday", "reason": "a test"},
        {"date": "2025-10-13", "service_points": ["telephone"], "kind": "closure", "reason": "a test"}
        | {"interval": "10:00-24:00"},
    ]
    settings = settings_of(tmp_path, sources=[PHONE], hours=HOURS, calendar={"closures": closures})
    with warehouse(settings) as con:
        found = complete(con)
        indicators = con.execute(
            """
            select month(period), bool_and(complete), bool_or(complete) from marts.indicators
            where period_type = 'month' and indicator in ('missed_calls', 'telephone_wait', 'answer_speed')
            group by 1
            """
        ).fetchall()
        year = con.execute("select distinct complete from marts.missed_calls_yearly").fetchall()
        without_records = con.execute(
            """
            select value, value_reason, complete from marts.indicators
            where indicator = 'missed_calls' and variant = 'headline' and dimension = 'all'
                and period_type = 'month' and period = '2025-09-01'
            """
        ).fetchall()
    assert {months[month][1]: is_complete for month, is_complete in found.items()} == {
        why: expected for expected, why, _ in months.values()
    }
    assert {month: both for month, *both in indicators} == {month: [found[month]] * 2 for month in found}
    assert year == [(False,)]
    assert without_records == [(None, "no_calls", False)]


def test_a_year_is_complete_if_every_open_day_of_it_is_covered_and_it_has_ended(tmp_path: Path) -> None:
    # open on Tuesdays in 2024, the last of which was New Year's Eve, and on Mondays in 2025
    tuesdays = [f"{date(2024, 1, 2) + timedelta(weeks=week)}" for week in range(53)]
    hours = [
        {
            "service_point": "telephone",
            "valid_from": "2023-12-01",
            "valid_to": "2024-12-31",
            "tuesday": ["09:00-16:00"],
        },
        {**HOURS[0], "valid_from": "2025-01-01"},
    ]
    export_calls(tmp_path, "2025-01-01T0000", calls_on(tuesdays))
    export_calls(tmp_path, "2025-12-31T2359", calls_on(mondays(*range(1, 13))))
    with warehouse(settings_of(tmp_path, sources=[PHONE], hours=hours)) as con:
        years = con.execute("select distinct year(year), complete from marts.missed_calls_yearly order by 1").fetchall()
        indicators = con.execute(
            """
            select distinct year(period), complete from marts.indicators
            where indicator = 'missed_calls' and period_type = 'year' order by 1
            """
        ).fetchall()
    assert years == indicators == [(2024, True), (2025, False)]


def test_a_source_that_is_missing_on_an_open_day_leaves_the_month_incomplete_while_it_is_expected(
    tmp_path: Path,
) -> None:
    second = {**PHONE, "name": "second", "files": "second_*.csv", "valid_from": "2025-02-10", "valid_to": "2025-06-09"}
    third = {**PHONE, "name": "third", "files": "third_*.csv", "valid_from": "2025-07-07", "valid_to": "2025-09-08"}
    made = "2025-11-01T0000"
    export_calls(tmp_path, made, calls_on(mondays(*range(1, 11))))
    missing = ["2025-04-14", "2025-05-05"]
    held = [day for day in mondays(2, 3, 4, 5, 6) if "2025-02-10" <= day <= "2025-06-09" and day not in missing]
    export_calls(tmp_path, made, calls_on(held), name="second")
    # its first and its last day are missing
    held = [day for day in mondays(7, 8, 9) if "2025-07-07" < day < "2025-09-08"]
    export_calls(tmp_path, made, calls_on(held), name="third")
    with warehouse(settings_of(tmp_path, sources=[PHONE, second, third], hours=HOURS)) as con:
        found = complete(con)
    incomplete = {4, 5, 7, 9, 11}  # November has not ended
    assert found == {month: month not in incomplete for month in range(1, 12)}


def test_a_source_that_declares_how_many_days_an_export_holds_vouches_for_those_without_a_record(
    tmp_path: Path,
) -> None:
    # by local dates: thirty days up to and including that of the export
    export_calls(tmp_path, "2025-02-01T0030", calls_on(["2025-01-13"]))  # 3 January to 1 February
    export_calls(tmp_path, "2025-04-01T2000", calls_on(["2025-03-10"]))  # 3 March to 1 April
    export_calls(tmp_path, "2025-06-04T2000", calls_on(["2025-05-12"]))  # 6 May to 4 June: not the 5th
    export_calls(tmp_path, "2025-06-30T1559", calls_on(["2025-06-16"]))  # made before that day's closing
    export_calls(tmp_path, "2025-07-31T2000", [])
    export_calls(tmp_path, "2025-08-29T2000", [])
    export_calls(tmp_path, "2025-09-01T1600", calls_on(["2025-09-01"]))
    export_calls(tmp_path, "2025-10-31T2000", calls_on(["2025-10-13"], outcome="?"))  # refused
    export_calls(tmp_path, "2025-12-04T2000", [])
    source = {**PHONE, "covers_days": 30, "max_quarantined_share": 0.02}
    with warehouse(settings_of(tmp_path, sources=[source], hours=HOURS)) as con:
        found = complete(con)
    assert found == {month: month in (1, 3, 7, 8) for month in range(1, 13)}


def test_files_that_were_refused_or_replaced_vouch_for_no_day(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, sources=[{**PHONE, "max_quarantined_share": 0.02}], hours=HOURS)
    export_calls(tmp_path, "2025-02-01T0000", calls_on(mondays(1)))
    export_calls(tmp_path, "2025-03-01T0000", calls_on(mondays(2)))
    read_all(settings)
    export_calls(tmp_path, "2025-02-01T0000", calls_on(mondays(1)[:-1]))  # a Monday less than before
    export_calls(tmp_path, "2025-03-01T0000", calls_on(mondays(2), outcome="?"))  # refused: what was there stands
    export_calls(tmp_path, "2025-04-01T0000", calls_on(mondays(3)))
    export_calls(tmp_path, "2025-05-01T0000", calls_on(mondays(4), outcome="?"))
    export_calls(tmp_path, "2025-06-01T0000", calls_on(mondays(5)))
    with warehouse(settings) as con:
        found = complete(con)
        states = con.execute("select status, count(*) from ops.ledger group by all order by all").fetchall()
    assert states == [("loaded", 4), ("refused", 2), ("replaced", 1)]
    assert found == {1: False, 2: True, 3: True, 4: False, 5: True, 6: False}


def test_visits_are_complete_by_their_planned_days_and_lead_times_by_the_days_of_booking(tmp_path: Path) -> None:
    def visits(planned: Iterable[str], booked: Iterable[str]) -> list[dict[str, str]]:
        # what vouches for a day by its booking is planned on a Tuesday, and the reverse
        return [
            *(appointment(f"{day} 10:00:00", id=f"planned {day}", booked="2025-01-02 10:00:00") for day in planned),
            *(appointment("2025-09-02 10:00:00", id=f"booked {day}", booked=f"{day} 10:00:00") for day in booked),
        ]

    write(
        tmp_path,
        "appointments_2025-07-01T0000.csv",
        APPOINTMENT_HEADER,
        visits(
            planned=[*mondays(1, 2, 3), *mondays(4)[:-1], *mondays(5, 6)],
            booked=[*mondays(1, 2), *mondays(3)[:-1], *mondays(4, 5, 6)],
        ),
    )
    # what was planned for July is known from June; no export tells what became of it
    write(tmp_path, "appointments_2025-06-30T1500.csv", APPOINTMENT_HEADER, visits(planned=mondays(7), booked=[]))
    write(tmp_path, "appointments_2025-08-01T0000.csv", APPOINTMENT_HEADER, visits(planned=[], booked=["2025-07-01"]))
    with warehouse(settings_of(tmp_path, sources=[DESK], hours=HOURS)) as con:
        both = complete(con, "visitor_wait_monthly"), complete(con, "appointment_lead_time_monthly")
        indicators = con.execute(
            """
            select indicator, month(period), bool_and(complete), bool_or(complete) from marts.indicators
            where period_type = 'month' and indicator in ('visitor_wait', 'lead_time') group by all
            """
        ).fetchall()
    by_planned = {1: True, 2: True, 3: True, 4: False, 5: True, 6: True, 7: False, 8: False, 9: False}
    by_booked = {1: True, 2: True, 3: False, 4: True, 5: True, 6: True, 7: False, 8: False}
    assert both == (by_planned, by_booked)
    assert {(name, month): both for name, month, *both in indicators} == {
        **{("visitor_wait", month): [is_complete] * 2 for month, is_complete in by_planned.items()},
        **{("lead_time", month): [is_complete] * 2 for month, is_complete in by_booked.items()},
    }


def test_lead_times_are_never_complete_where_no_export_claims_to_hold_all_that_was_booked(tmp_path: Path) -> None:
    records = [appointment(f"{day} 10:00:00", id=day, booked=f"{day} 09:00:00") for day in mondays(1, 2)]
    write(tmp_path, "appointments_2025-03-01T0000.csv", APPOINTMENT_HEADER, records)
    with warehouse(settings_of(tmp_path, sources=[{**DESK, "covers": ["planned"]}], hours=HOURS)) as con:
        both = complete(con, "visitor_wait_monthly"), complete(con, "appointment_lead_time_monthly")
    assert both == ({1: True, 2: True, 3: False}, {1: False, 2: False, 3: False})


def test_a_month_that_the_calendar_or_the_sources_know_in_part_is_not_complete(tmp_path: Path) -> None:
    export_calls(tmp_path, "2025-05-01T0000", calls_on(mondays(1, 2, 3, 4)))
    sources = [{**PHONE, "valid_to": "2025-03-10"}]  # after it an open day is expected of nobody
    hours = [{**HOURS[0], "valid_from": "2025-01-02"}]  # whether New Year's Day was open, nobody knows
    with warehouse(settings_of(tmp_path, sources=sources, hours=hours)) as con:
        found = complete(con)
    assert found == {1: False, 2: True, 3: False, 4: False, 5: False}


def test_a_norm_for_the_year_is_the_one_that_holds_on_its_last_day(tmp_path: Path) -> None:
    norms = [
        {"indicator": "missed_calls", "operator": "<=", "value": value, "valid_from": f"{year}-01-01", "source": "x"}
        for year, value in ((2025, 20), (2024, 50), (2026, 10))
    ]
    records = [
        *calls_on(["2024-12-30"]),
        *calls_on(["2025-12-29"]),
        *calls_on(["2024-12-23", "2025-12-22"], outcome="missed"),
    ]
    export_calls(tmp_path, "2026-01-01T0000", records)
    settings = settings_of(tmp_path, sources=[PHONE], hours=HOURS, action_plan={"norms": norms})
    with warehouse(settings) as con:
        found = con.execute(
            """
            select year(period), value, norm_value, norm_met from marts.indicators
            where indicator = 'missed_calls' and variant = 'headline' and period_type = 'year' and dimension = 'all'
            order by period
            """
        ).fetchall()
        elsewhere = con.execute("select count(norm_value) from marts.indicators where period_type = 'month'").fetchall()
    assert found == [(2024, 50.0, 50, True), (2025, 50.0, 20, False), (2026, None, 10, None)]
    assert elsewhere == [(0,)]
