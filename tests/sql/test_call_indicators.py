"""I1, I2 and I3 with their variants and norms: the call marts and marts.indicators.

Figures are compared as their exact numerator and denominator; the value follows from them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import CALL_HEADER, CALLS, WEEK, call, settings_of, warehouse, write, write_calls

HOURS = [{"service_point": "telephone", "valid_from": "2024-01-01", **WEEK}]
INSIDE, BEFORE = "2025-03-10 10:00:00", "2025-03-10 08:00:00"
BUCKETS = ("0-30", "31-60", "61-90", "91-120", "121-300", "300+", "unknown")


def phone(columns: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The call log of the test's city, declared otherwise."""
    return {**CALLS, "columns": {**CALLS["columns"], **(columns or {})}, **changes}


def norm(
    indicator: str, operator: str, value: str, variant: str = "headline", since: str = "2024-01-01"
) -> dict[str, str]:
    """A norm of the action plan."""
    return {
        "indicator": indicator, "variant": variant, "operator": operator, "value": value, "valid_from": since,
        "source": "a sentence",
    }  # fmt: skip


@contextmanager
def city(
    folder: Path,
    *records: dict[str, str],
    source: dict[str, Any] = CALLS,
    norms: Sequence[dict[str, str]] = (),
    export_day: str = "2025-03-10",
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse of one call log."""
    write_calls(folder, export_day, records)
    with warehouse(settings_of(folder, sources=[source], hours=HOURS, action_plan={"norms": list(norms)})) as con:
        yield con


def many(number: int, arrived: str, outcome: str = "answered", **fields: str) -> list[dict[str, str]]:
    """So many like calls, each with an id of its own."""
    kind = " ".join([arrived, outcome, *fields.values()])
    return [call(arrived, outcome, id=f"{kind} {n}", **fields) for n in range(number)]


def fractions(con: duckdb.DuckDBPyConnection, indicator: str, where: str = "true") -> dict[str, tuple[Any, Any]]:
    """Numerator and denominator of each variant, of the months and of `all` unless told."""
    if "period_type" not in where:
        where += " and period_type = 'month'"
    if "dimension" not in where:
        where += " and dimension_type = 'all'"
    rows = con.execute(
        f"select variant, numerator, denominator from marts.indicators where indicator = ? and {where}", [indicator]
    ).fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    return {variant: (numerator, denominator) for variant, numerator, denominator in rows}


def one(con: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The one row that a query returns."""
    [row] = con.execute(query).fetchall()
    return row


# ── I1: missed calls ──────────────────────────────────────────────────────────────────────────────


def test_the_missed_share_is_of_the_calls_answered_or_missed_inside_opening_hours(tmp_path: Path) -> None:
    records = [
        *many(3, INSIDE, "answered"),
        *many(1, INSIDE, "missed"),
        *many(1, INSIDE, "voicemail"),
        *many(1, INSIDE, "machine"),  # reported answered
        *many(4, BEFORE, "missed"),
        *many(1, BEFORE, "answered"),
        *many(1, INSIDE, "missed", direction="out"),
        *many(1, INSIDE, "answered", queue="TEST"),
        *many(1, INSIDE, "ringing"),  # reported missed
        *many(1, INSIDE, "other"),
        *many(1, INSIDE, "no such word"),
    ]
    with city(tmp_path, *records, source=phone(max_quarantined_share=1)) as con:
        assert fractions(con, "missed_calls") == {
            "headline": (4, 7),
            "without_short_abandons": (4, 7),
            "reported": (8, 15),
            "lowest_possible": (4, 9),  # the open call and the one in quarantine, all answered …
            "highest_possible": (6, 9),  # … and all missed
        }
        month = """
            select
                sum(calls), sum(answered), sum(missed), sum(offered), sum(outside_hours), sum(outside_hours_answered),
                sum(open), sum(excluded), sum(reported_records), sum(reported_missed)
            from marts.missed_calls_monthly
        """
        assert one(con, month) == (15, 3, 4, 7, 5, 1, 1, 2, 15, 8)
        assert one(con, "select sum(quarantined) from ops.ledger") == (1,)
        shares = "select missed_share, reported_missed_share from marts.missed_calls_monthly where queue = 'Algemeen'"
        assert one(con, shares) == (4 / 7, 8 / 14)
        value = """
            select value, unit from marts.indicators
            where indicator = 'missed_calls' and variant = 'headline' and period_type = 'month' and dimension = 'all'
        """
        assert one(con, value) == (400 / 7, "percent")


@pytest.mark.parametrize(
    ("second_leg", "lowest", "highest"),
    [("missed", (0, 1), (1, 1)), ("answered", (0, 1), (1, 1))],
)
def test_a_call_of_several_legs_is_in_doubt_once_and_a_share_stays_a_share(
    tmp_path: Path, second_leg: str, lowest: tuple[int, int], highest: tuple[int, int]
) -> None:
    source = phone({"leg_id": "leg"}, max_quarantined_share=1)
    legs = [call(INSIDE, "missed", id="a", leg="1"), call(INSIDE, second_leg, id="a", leg="2")]
    write_calls(tmp_path, "2025-03-10", legs)
    write_calls(tmp_path, "2025-03-11", [{**leg, "outcome": "no such word"} for leg in legs])
    with warehouse(settings_of(tmp_path, sources=[source], hours=HOURS)) as con:
        bounds = fractions(con, "missed_calls")
    assert (bounds["lowest_possible"], bounds["highest_possible"]) == (lowest, highest)


def test_a_call_with_a_leg_in_quarantine_may_have_been_answered_there(tmp_path: Path) -> None:
    source = phone({"leg_id": "leg"}, max_quarantined_share=1)
    records = [
        call(INSIDE, "missed", id="a", leg="1"),
        call(INSIDE, "no such word", id="a", leg="2"),
        call(INSIDE, "missed", id="b", leg="1"),
    ]
    with city(tmp_path, *records, source=source) as con:
        bounds = fractions(con, "missed_calls")
    assert (bounds["lowest_possible"], bounds["highest_possible"]) == ((1, 2), (2, 2))


def test_reported_counts_records_but_no_duplicates_and_no_superseded_versions(tmp_path: Path) -> None:
    source = phone({"leg_id": "leg"})
    write_calls(
        tmp_path,
        "2025-03-10",
        [
            call(INSIDE, "missed", id="twice the same", leg="1"),
            call(INSIDE, "missed", id="corrected", leg="1"),
            call(INSIDE, "missed", id="answered at the third desk", leg="1"),
            call(INSIDE, "missed", id="answered at the third desk", leg="2"),
            call(INSIDE, "answered", id="answered at the third desk", leg="3"),
            call(BEFORE, "machine", id="a machine at night", leg="1"),
        ],
    )
    write_calls(
        tmp_path,
        "2025-03-11",
        [call(INSIDE, "missed", id="twice the same", leg="1"), call(INSIDE, "answered", id="corrected", leg="1")],
    )
    with warehouse(settings_of(tmp_path, sources=[source], hours=HOURS)) as con:
        assert fractions(con, "missed_calls") == {
            "headline": (1, 3),
            "without_short_abandons": (1, 3),
            "reported": (3, 6),
            "lowest_possible": (1, 3),
            "highest_possible": (1, 3),
        }


def test_without_short_abandons_they_are_in_neither_numerator_nor_denominator(tmp_path: Path) -> None:
    records = [
        *many(2, INSIDE, "missed", wait="4.99"),
        *many(3, INSIDE, "missed", wait="5"),
        *many(1, INSIDE, "missed", wait=""),
        *many(4, INSIDE, "answered", wait="1"),
        *many(5, INSIDE, "voicemail", wait="1"),
        *many(8, BEFORE, "missed", wait="1"),
        *many(8, INSIDE, "ringing", wait="1"),
        *many(8, INSIDE, "missed", wait="1", queue="TEST"),
    ]
    with city(tmp_path, *records) as con:
        assert fractions(con, "missed_calls") == {
            "headline": (11, 15),
            "without_short_abandons": (9, 13),
            "reported": (35, 39),
            "lowest_possible": (11, 23),
            "highest_possible": (19, 23),
        }
        assert one(con, "select sum(missed_short_abandons) from marts.missed_calls_monthly") == (2,)


def test_a_call_counts_in_the_queue_in_which_it_arrived(tmp_path: Path) -> None:
    source = phone({"leg_id": "leg"})
    records = [
        call(INSIDE, "missed", id="overflowed", leg="1", queue="Algemeen"),
        call("2025-03-10 10:00:10", "answered", id="overflowed", leg="2", queue="Wonen"),
        call(INSIDE, "missed", id="lost", leg="1", queue="Wonen"),
    ]
    with city(tmp_path, *records, source=source) as con:
        rows = con.execute("""
            select indicator, dimension, numerator, denominator from marts.indicators
            where variant = 'headline' and period_type = 'month' and dimension_type = 'queue' order by all
        """).fetchall()
    assert rows == [
        ("missed_calls", "Algemeen", 0, 1),
        ("missed_calls", "Wonen", 1, 1),
        ("telephone_wait", "Algemeen", 20, 1),
        ("telephone_wait", "Wonen", 0, 0),
    ]


# ── I2: telephone wait ────────────────────────────────────────────────────────────────────────────


def test_the_telephone_wait_is_of_answered_calls_inside_with_all_answered_ones_beside_it(tmp_path: Path) -> None:
    records = [
        call(INSIDE, wait="10", queued="2025-03-10 10:00:04", answered="2025-03-10 10:00:10"),
        call(INSIDE, wait="20.5"),
        call(INSIDE, wait=""),
        call(INSIDE, wait="-1"),
        call(BEFORE, wait="100"),
        call(BEFORE, wait=""),
        call(INSIDE, "missed", wait="1000"),
        call(INSIDE, "machine", wait="1000"),
        call(BEFORE, "missed", wait="1000"),
        call(INSIDE, "answered", wait="1000", direction="out"),
        call(INSIDE, "ringing", wait="1000"),
    ]
    with city(tmp_path, *records) as con:
        assert fractions(con, "telephone_wait") == {
            "headline": (Decimal("30.5"), 2),
            "action_plan": (Decimal("30.5"), 2),
            "all_answered": (Decimal("130.5"), 3),
            "queue_wait": (6, 1),
        }
        month = """
            select
                answered, waits, wait_seconds_sum, mean_wait_seconds, unknown_waits, queue_waits,
                queue_wait_seconds_sum, mean_queue_wait_seconds, all_answered, all_waits, all_wait_seconds_sum,
                impossible_durations
            from marts.telephone_wait_monthly
        """
        assert one(con, month) == (4, 2, Decimal("30.5"), 15.25, 2, 1, 6, 6.0, 6, 3, Decimal("130.5"), 1)


def test_sums_of_waits_are_exact(tmp_path: Path) -> None:
    """Floats make 0.9999999999999999 of ten times 0.1, and short ones 100000 of 99999.999."""
    records = [*many(10, INSIDE, wait="0.1"), *many(1, INSIDE, wait="99999.999"), *many(1, BEFORE, wait="0.001")]
    with city(tmp_path, *records) as con:
        assert fractions(con, "telephone_wait") == {
            "headline": (Decimal("100000.999"), 11),
            "action_plan": (Decimal("100000.999"), 11),
            "all_answered": (Decimal("100001.000"), 12),
            "queue_wait": (0, 0),
        }


def test_a_figure_that_holds_waits_from_the_queue_only_is_marked_as_a_lower_bound(tmp_path: Path) -> None:
    """In March calls inside, in April only one outside, in May none that was answered; a second source can tell."""
    late = phone(name="late", files="late_*.csv", wait_starts_at="queue")
    late["export"] = {**CALLS["export"], "pattern": r"late_(?P<stamp>[-\d]+)"}
    days = [("2025-03-10 10:00:00", "answered"), ("2025-04-07 08:00:00", "answered"), ("2025-05-05 10:00:00", "missed")]
    times = {"queue": "Laat", "queued": "2025-03-10 10:00:00", "answered": "2025-03-10 10:00:10"}
    write(tmp_path, "late_2025-05-31.csv", CALL_HEADER, [call(day, outcome, **times) for day, outcome in days])
    write_calls(tmp_path, "2025-05-31", [call(day, queue="Vroeg") for day, _ in days])
    with warehouse(settings_of(tmp_path, sources=[CALLS, late], hours=HOURS)) as con:
        marked = con.execute("""
            select distinct
                monthname(period), indicator, variant, dimension_type,
                if(dimension_type = 'queue', dimension, null)
            from marts.indicators
            where is_lower_bound and value is not null and period_type = 'month'
        """).fetchall()
        counted = con.execute("""
            select monthname(month), queue, lower_bound_waits from marts.telephone_wait_monthly
            where lower_bound_waits > 0
        """).fetchall()
        is_year_marked = con.execute("""
            select is_lower_bound from marts.indicators
            where indicator = 'telephone_wait' and variant = 'headline' and period_type = 'year' and dimension = 'all'
        """).fetchall()
    marked = sorted(marked, key=str)
    assert [row for row in marked if row[0] == "March"] == [
        ("March", "answer_speed", "all_answered", "speed_bucket", None),
        ("March", "answer_speed", "headline", "speed_bucket", None),
        ("March", "answer_speed", "of_offered", "speed_bucket", None),
        ("March", "telephone_wait", "action_plan", "all", None),
        ("March", "telephone_wait", "action_plan", "queue", "Laat"),
        ("March", "telephone_wait", "all_answered", "all", None),
        ("March", "telephone_wait", "all_answered", "queue", "Laat"),
        ("March", "telephone_wait", "headline", "all", None),
        ("March", "telephone_wait", "headline", "queue", "Laat"),
    ]
    assert counted == [("March", "Laat", 1)]
    assert is_year_marked == [(True,)]
    assert [row for row in marked if row[0] == "April"] == [
        ("April", "answer_speed", "all_answered", "speed_bucket", None),
        ("April", "telephone_wait", "all_answered", "all", None),
        ("April", "telephone_wait", "all_answered", "queue", "Laat"),
    ]
    assert [row for row in marked if row[0] == "May"] == []


# ── I3: answer speed ──────────────────────────────────────────────────────────────────────────────


def speeds(con: duckdb.DuckDBPyConnection, variant: str) -> dict[str, tuple[Any, Any]]:
    """Numerator and denominator of each bucket of the month."""
    where = f"variant = '{variant}' and period_type = 'month' and dimension_type = 'speed_bucket'"
    rows = con.execute(
        f"select dimension, numerator, denominator from marts.indicators where indicator = 'answer_speed' and {where}"
    ).fetchall()
    return {bucket: (numerator, denominator) for bucket, numerator, denominator in rows}


def test_the_answer_speed_is_of_answered_calls_inside_with_all_answered_and_all_offered_beside_it(
    tmp_path: Path,
) -> None:
    records = [
        *many(4, INSIDE, wait="30"),
        *many(1, INSIDE, wait="30.001"),
        *many(2, INSIDE, wait="301"),
        *many(3, INSIDE, wait=""),
        *many(5, INSIDE, "missed", wait="1"),
        *many(6, BEFORE, wait="90"),
        *many(1, BEFORE, wait=""),
        *many(7, BEFORE, "missed", wait="1"),
        *many(8, INSIDE, wait="1", queue="TEST"),
        *many(8, INSIDE, "ringing", wait="1"),
    ]
    with city(tmp_path, *records) as con:
        assert speeds(con, "headline") == {
            "0-30": (4, 7), "31-60": (1, 7), "61-90": (0, 7), "91-120": (0, 7), "121-300": (0, 7), "300+": (2, 7),
            "unknown": (3, None),
        }  # fmt: skip
        assert speeds(con, "all_answered") == {
            "0-30": (4, 13), "31-60": (1, 13), "61-90": (6, 13), "91-120": (0, 13), "121-300": (0, 13), "300+": (2, 13),
            "unknown": (4, None),
        }  # fmt: skip
        assert speeds(con, "of_offered") == {
            "0-30": (4, 15), "31-60": (1, 15), "61-90": (0, 15), "91-120": (0, 15), "121-300": (0, 15), "300+": (2, 15),
            "unknown": (3, None),
        }  # fmt: skip
        unknown = con.execute("""
            select distinct value, value_reason from marts.indicators
            where indicator = 'answer_speed' and dimension = 'unknown'
        """).fetchall()
        assert unknown == [(None, "outside_the_shares")]
        mart = con.execute("""
            select speed_bucket, sum(answered), sum(all_answered), any_value(offered_total)
            from marts.answer_speed_monthly where queue = 'Algemeen' group by all order by any_value(bucket_number)
        """).fetchall()
    assert mart == [
        ("0-30", 4, 4, 15),
        ("31-60", 1, 1, 15),
        ("61-90", 0, 6, 15),
        ("91-120", 0, 0, 15),
        ("121-300", 0, 0, 15),
        ("300+", 2, 2, 15),
        ("unknown", 3, 4, 15),
    ]


def test_waits_within_a_second_of_an_edge_are_counted(tmp_path: Path) -> None:
    waits = ("29", "29.001", "30", "30.999", "31", "60.5", "89.5", "120.5", "299.5", "301", "")
    with city(tmp_path, *[call(INSIDE, wait=wait) for wait in waits], call(BEFORE, wait="30")) as con:
        counted = con.execute("""
            select speed_bucket, within_a_second_of_an_edge from marts.answer_speed_monthly order by bucket_number
        """).fetchall()
    assert counted == list(zip(BUCKETS, (2, 1, 2, 0, 2, 0, 0), strict=True))


# ── Norms ─────────────────────────────────────────────────────────────────────────────────────────


def met(con: duckdb.DuckDBPyConnection, indicator: str, period_type: str) -> dict[tuple[str, str], tuple[Any, ...]]:
    """By variant and period: the norm, and whether it is met; where there is one."""
    rows = con.execute(
        """
        select variant, strftime(period, '%Y-%m'), norm_operator || ' ' || norm_value::double, norm_met
        from marts.indicators where indicator = ? and period_type = ? and norm_operator is not null
        """,
        [indicator, period_type],
    ).fetchall()
    assert len({row[:2] for row in rows}) == len(rows)
    return {(variant, period): (told, is_met) for variant, period, told, is_met in rows}


def test_exactly_a_fifth_missed_meets_the_norm_of_the_year(tmp_path: Path) -> None:
    """The norm is for the year: the months have none."""
    records = [
        *many(4, "2024-03-11 10:00:00"),
        *many(1, "2024-06-10 10:00:00", "missed"),
        *many(7, "2025-03-10 10:00:00"),
        *many(2, "2025-03-10 10:00:00", "missed"),
    ]
    with city(tmp_path, *records, norms=[norm("missed_calls", "<=", "20")]) as con:
        assert met(con, "missed_calls", "year") == {
            ("headline", "2024-01"): ("<= 20.0", True),
            ("headline", "2025-01"): ("<= 20.0", False),
        }
        assert met(con, "missed_calls", "month") == {}


def test_a_mean_of_exactly_45_seconds_fails_the_sheet_and_meets_the_action_plan(tmp_path: Path) -> None:
    records = [
        *[call("2025-01-13 10:00:00", id=f"exactly {wait}", wait=wait) for wait in ("0.1", "0.2", "134.7")],
        *[call("2025-02-10 10:00:00", id=f"below {wait}", wait=wait) for wait in ("0.1", "0.2", "134.699")],
        *[call("2025-03-10 10:00:00", id=f"above {wait}", wait=wait) for wait in ("0.1", "0.2", "134.701")],
    ]
    norms = [norm("telephone_wait", "<", "45"), norm("telephone_wait", "<=", "45", variant="action_plan")]
    with city(tmp_path, *records, norms=norms) as con:
        assert met(con, "telephone_wait", "month") == {
            ("headline", "2025-01"): ("< 45.0", False),
            ("headline", "2025-02"): ("< 45.0", True),
            ("headline", "2025-03"): ("< 45.0", False),
            ("action_plan", "2025-01"): ("<= 45.0", True),
            ("action_plan", "2025-02"): ("<= 45.0", True),
            ("action_plan", "2025-03"): ("<= 45.0", False),
        }
        assert met(con, "telephone_wait", "year") == {}


def test_exactly_seventy_percent_within_thirty_seconds_meets_the_norm_on_that_bucket_alone(tmp_path: Path) -> None:
    records = [
        *many(7, "2025-01-13 10:00:00", wait="30"),
        *many(3, "2025-01-13 10:00:00", wait="31"),
        *many(9, "2025-01-13 10:00:00", wait=""),
        *many(9, "2025-01-13 10:00:00", "missed"),
        *many(69, "2025-02-10 10:00:00", wait="30"),
        *many(30, "2025-02-10 10:00:00", wait="31"),
        *many(1, "2025-02-10 10:00:00", wait="30.001"),
    ]
    with city(tmp_path, *records, norms=[norm("answer_speed", ">=", "70")], export_day="2025-02-28") as con:
        assert met(con, "answer_speed", "month") == {
            ("headline", "2025-01"): (">= 70.0", True),
            ("headline", "2025-02"): (">= 70.0", False),
        }
        dimension = "select distinct dimension from marts.indicators where norm_met is not null"
        assert con.execute(dimension).fetchall() == [("0-30",)]


def test_a_norm_is_held_against_the_exact_quotient_not_a_rounded_one(tmp_path: Path) -> None:
    """A third is more than 33.333333 percent, and two thirds are less than 66.666667."""
    records = [*many(2, INSIDE, wait="30"), *many(1, INSIDE, wait="31"), *many(1, INSIDE, "missed", wait="9")]
    norms = [
        norm("answer_speed", ">=", "66.666667"),
        norm("telephone_wait", "<=", "30.333333"),
        norm("missed_calls", "<=", "25"),
    ]
    with city(tmp_path, *records, norms=norms) as con:
        assert met(con, "answer_speed", "month") == {("headline", "2025-03"): (">= 66.666667", False)}
        assert met(con, "telephone_wait", "month") == {("headline", "2025-03"): ("<= 30.333333", False)}
        assert met(con, "missed_calls", "year") == {("headline", "2025-01"): ("<= 25.0", True)}


def test_a_period_is_held_against_the_norm_of_its_last_day(tmp_path: Path) -> None:
    records = [
        *[record for month in ("01-13", "02-10", "03-10") for record in many(4, f"2025-{month} 10:00:00", wait="30")],
        *[record for year in (2024, 2025) for record in many(1, f"{year}-01-15 10:00:00", "missed")],
        *many(4, "2024-01-15 10:00:00", wait="30"),
    ]
    norms = [
        norm("missed_calls", "<=", "5", since="2025-01-01"),
        norm("missed_calls", "<=", "20"),
        norm("missed_calls", "<=", "1", since="2026-01-01"),
        norm("telephone_wait", "<", "45", since="2025-02-01"),
        norm("telephone_wait", "<", "20", since="2025-03-01"),
    ]
    with city(tmp_path, *records, norms=norms) as con:
        assert met(con, "missed_calls", "year") == {
            ("headline", "2024-01"): ("<= 20.0", True),
            ("headline", "2025-01"): ("<= 5.0", False),
        }
        assert met(con, "telephone_wait", "month") == {
            ("headline", "2025-02"): ("< 45.0", True),
            ("headline", "2025-03"): ("< 20.0", False),
        }


# ── Periods ───────────────────────────────────────────────────────────────────────────────────────


def test_a_month_without_calls_has_no_figure_but_a_reason(tmp_path: Path) -> None:
    """March holds nothing at all, April calls outside hours only, May only missed ones."""
    records = [
        *many(1, "2025-02-10 10:00:00"),
        *many(3, "2025-04-07 08:00:00", "missed"),
        *many(2, "2025-05-05 10:00:00", "missed"),
        *many(1, "2025-06-02 10:00:00"),
    ]
    norms = [norm("telephone_wait", "<", "45"), norm("answer_speed", ">=", "70")]
    with city(tmp_path, *records, norms=norms, export_day="2025-06-30") as con:
        told = con.execute("""
            select month(period), indicator, variant, value, value_reason, norm_met from marts.indicators
            where
                period_type = 'month' and month(period) between 3 and 5
                and (dimension = '0-30' or dimension_type = 'all')
        """).fetchall()
        shares = con.execute("""
            select month(month), missed_share, reported_missed_share from marts.missed_calls_monthly
            where month(month) between 3 and 5 order by all
        """).fetchall()
        means = con.execute("""
            select distinct mean_wait_seconds from marts.telephone_wait_monthly where month(month) between 3 and 5
        """).fetchall()
    answered_ones = [
        ("telephone_wait", variant) for variant in ("headline", "action_plan", "all_answered", "queue_wait")
    ]
    answered_ones += [("answer_speed", "headline"), ("answer_speed", "all_answered")]
    expected: dict[tuple[int, str, str], tuple[Any, ...]] = {}
    for month in (3, 4, 5):
        expected |= {(month, *figure): (None, "no_answered_calls", None) for figure in answered_ones}
        for figure in [
            ("missed_calls", "headline"),
            ("missed_calls", "without_short_abandons"),
            ("missed_calls", "lowest_possible"),
            ("missed_calls", "highest_possible"),
            ("answer_speed", "of_offered"),
        ]:
            expected[month, *figure] = (None, "no_calls", None)
        expected[month, "missed_calls", "reported"] = (100.0, None, None)
    expected[3, "missed_calls", "reported"] = (None, "no_calls", None)
    for variant in ("headline", "without_short_abandons", "lowest_possible", "highest_possible"):
        expected[5, "missed_calls", variant] = (100.0, None, None)
    expected[5, "answer_speed", "of_offered"] = (0.0, None, None)
    assert {row[:3]: row[3:] for row in told} == expected
    assert shares == [(3, None, None), (4, None, 1.0), (5, 1.0, 1.0)]
    assert means == [(None,)]


def test_a_year_is_the_sum_of_its_months_never_the_mean_of_their_means(tmp_path: Path) -> None:
    records = [
        *many(1, "2025-01-13 10:00:00", "missed", wait="1"),
        *many(1, "2025-01-13 10:00:00", wait="100"),
        *many(9, "2025-02-10 10:00:00", wait="10"),
        *many(1, "2025-02-10 10:00:00", wait="10", queue="Wonen"),
        *many(2, "2025-02-10 08:00:00", "missed"),
    ]
    with city(tmp_path, *records) as con:
        assert fractions(con, "missed_calls", "period_type = 'year'") == {
            "headline": (1, 12),
            "without_short_abandons": (0, 11),
            "reported": (3, 14),
            "lowest_possible": (1, 12),
            "highest_possible": (1, 12),
        }
        assert fractions(con, "telephone_wait", "period_type = 'year'") == {
            "headline": (200, 11),
            "action_plan": (200, 11),
            "all_answered": (200, 11),
            "queue_wait": (0, 0),
        }
        within_thirty = fractions(con, "answer_speed", "period_type = 'year' and dimension = '0-30'")
        assert within_thirty == {"headline": (10, 11), "all_answered": (10, 11), "of_offered": (10, 12)}
        yearly = con.execute("""
            select queue, calls, answered, missed, offered, missed_share, missed_short_abandons, outside_hours,
                reported_records, reported_missed, reported_missed_share
            from marts.missed_calls_yearly order by queue
        """).fetchall()
        assert yearly == [
            ("Algemeen", 13, 10, 1, 11, 1 / 11, 1, 2, 13, 3, 3 / 13),
            ("Wonen", 1, 1, 0, 1, 0.0, 0, 0, 1, 0, 0.0),
        ]


RECORDS = st.builds(
    call,
    st.builds(
        "2025-{0[0]:02d}-{0[1]:02d} {1:02d}:{2:02d}:00".format,
        st.sampled_from([(2, 10), (3, 10)]),
        st.integers(7, 17),
        st.integers(0, 59),
    ),
    st.sampled_from([*CALLS["outcomes"]]),
    queue=st.sampled_from(["Algemeen", "Wonen", "TEST", ""]),
    direction=st.sampled_from(["in", "in", "in", "out"]),
    wait=st.one_of(
        st.just(""),
        st.integers(-5_000, 400_000).map(lambda thousandths: f"{Decimal(thousandths) / 1000:f}"),
        st.sampled_from(["0", "30", "30.001", "60", "300", "300.001"]),
    ),
)


@settings(max_examples=4, deadline=None, database=None)
@given(st.lists(RECORDS, min_size=20, max_size=80))
def test_the_parts_sum_to_the_whole_whatever_the_calls(records: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder, city(Path(folder), *records) as con:
        calls, answered, all_answered, seconds = one(
            con,
            """
            select
                count(*),
                count(*) filter (where outcome = 'answered'),
                count(*) filter (where outcome = 'answered' or (outcome = 'outside_hours' and is_answered)),
                coalesce(sum(wait_seconds) filter (where outcome = 'answered'), 0)
            from core.calls
            """,
        )
        assert calls == len(records)
        by_outcome = "sum(answered + missed + outside_hours + open + excluded), sum(reported_records), sum(answered)"
        assert one(con, f"select {by_outcome} from marts.missed_calls_monthly") == (calls, calls, answered)
        by_bucket = "sum(answered), sum(all_answered)"
        assert one(con, f"select {by_bucket} from marts.answer_speed_monthly") == (answered, all_answered)
        by_wait = "sum(waits + unknown_waits), sum(all_answered), sum(wait_seconds_sum)"
        assert one(con, f"select {by_wait} from marts.telephone_wait_monthly") == (answered, all_answered, seconds)
        # the shares of the six buckets are of one whole, and the year is the sum of the months
        wholes = con.execute("""
            select variant, period_type, period, sum(numerator) = any_value(denominator)
            from marts.indicators
            where indicator = 'answer_speed' and variant <> 'of_offered' and dimension <> 'unknown'
            group by all
        """).fetchall()
        assert {whole[3] for whole in wholes} <= {True, None}
        sums = con.execute("""
            select indicator, variant, dimension_type, dimension,
                sum(numerator) filter (where period_type = 'month')
                = sum(numerator) filter (where period_type = 'year')
            from marts.indicators where indicator in ('missed_calls', 'telephone_wait', 'answer_speed') group by all
        """).fetchall()
        assert {is_sum for *_, is_sum in sums} == {True}
