"""Each SQL file alone: a few rows in, written by hand, and the rows that must come out.

What the files do together is tested beside this, from exports to published tables. Here a failure names the file.
Monday is 10 March 2025, a day on which Brussels is an hour ahead of UTC.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.build import build, reads, sql_files
from assets.files import days_between
from assets.records import RecordStore
from pipelines.publishing import History
from schemas.tables import description
from tests.city import WEEK, settings_of
from tests.sql.alone import COLUMNS, MODELS, Alone, only, syntax_of, tables_read, text_of

FILES = sql_files()
TESTED = set(re.findall(r'\.(?:run|made)\("(\w+\.\w+)"\)', Path(__file__).read_text(encoding="utf-8")))

BOTH_CLOCKS = {
    "arrived": "arrived_at_utc arrived_local",
    "booked": "booked_at_utc booked_local",
    "planned": "planned_start_utc planned_start_local",
    "first_planned": "first_planned_start_utc first_planned_start_local",
    "checked_in": "checked_in_at_utc checked_in_local",
    "started": "started_at_utc started_local",
}


def on_utc(columns: str, *rows: tuple[Any, ...]) -> list[Any]:
    """The same in a centre whose civil time is UTC: `arrived` stands for the instant and for the local time of it."""
    spread = [BOTH_CLOCKS.get(name, name).split() for name in columns.split()]
    return [
        " ".join(name for names in spread for name in names),
        *(tuple(value for value, names in zip(row, spread, strict=True) for _ in names) for row in rows),
    ]


def monday(clock: str) -> str:
    return f"2025-03-10 {clock}"


# --- of every file ---------------------------------------------------------------------------------------------------


def test_every_sql_file_has_a_test_of_its_own() -> None:
    assert set(FILES) == TESTED


@pytest.mark.parametrize("table", FILES)
def test_a_file_is_one_select_that_names_its_columns(table: str) -> None:
    (statement,) = duckdb.extract_statements(text_of(table))
    assert statement.type == duckdb.StatementType.SELECT
    final = syntax_of(table)["statements"][0]["node"]
    assert final["type"] == "SELECT_NODE"
    for column in final["select_list"]:
        assert column["class"] != "STAR"
        assert column["alias"] or column["class"] == "COLUMN_REF"


@pytest.mark.parametrize("table", FILES)
def test_a_file_begins_with_its_description_and_is_written_in_lower_case(table: str) -> None:
    assert re.fullmatch(r"[A-Z].*\.", description(table))
    code = re.sub(r"--.*|'[^']*'", "", text_of(table))
    assert code == code.lower()


@pytest.mark.parametrize("table", FILES)
def test_the_order_of_the_build_knows_every_table_that_a_file_reads(table: str) -> None:
    read = {name for name in tables_read(table) if not name.startswith("input.")}
    assert read == set(reads(table, FILES))


def test_the_columns_that_are_given_here_are_those_that_the_build_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assets.build.last_readers", lambda: dict.fromkeys(FILES, ()))  # nothing is dropped
    one_month = [{"service_point": point, "valid_from": "2026-12-01", **WEEK} for point in ("telephone", "desk")]
    settings = settings_of(tmp_path, hours=one_month)
    alone = Alone()
    for table in [*COLUMNS, *MODELS, "input.call_records", "input.appointment_records"]:
        alone.given(table)
    with alone.con as given, build(tmp_path / "empty.duckdb", settings, RecordStore(settings), History()) as built:
        assert columns_in(given) - columns_in(built) == set()


def columns_in(con: duckdb.DuckDBPyConnection) -> set[Any]:
    """Table, column and type of everything in an open warehouse."""
    return set(
        con.execute(
            """
            select if(schema_name = 'main', database_name, schema_name) || '.' || table_name, column_name, data_type
            from duckdb_columns() where not internal
            """
        ).fetchall()
    )


# --- staging: records ------------------------------------------------------------------------------------------------

UTC_DAYS: tuple[Any, ...] = (
    "utc_date offset_minutes offset_after_minutes switch_at_utc",
    ("2025-01-15", 60, 60, None),
    ("2025-03-30", 60, 120, "2025-03-30 01:00"),
    ("2025-07-01", 120, 120, None),
    ("2025-10-26", 120, 60, "2025-10-26 01:00"),
)


TOLD_OF_A_CALL = {
    "queue": "main",
    "direction": "internal",
    "reported_outcome": "other",
    "is_answered": True,
    "missed_reason": "menu",
    "exclusion_rule": "internal",
    "is_open": True,
    "arrived_at_utc": "2025-03-10 09:00:00",
    "answered_at_utc": "2025-03-10 09:01:00",
    "ended_at_utc": "2025-03-10 09:02:00",
    "wait_seconds": Decimal("60.001"),
    "queue_wait_seconds": Decimal("50.002"),
    "impossible_duration": "queue_wait",
    "is_marked_outside_hours": True,
}
TOLD_OF_AN_APPOINTMENT = {
    "service": "permit",
    "booking_channel": "web",
    "status": "completed",
    "booked_at_utc": "2025-03-01 09:00:00",
    "planned_start_utc": "2025-03-10 09:00:00",
    "planned_day": "2025-03-10",
    "first_planned_start_utc": "2025-03-09 09:00:00",
    "checked_in_at_utc": "2025-03-10 08:55:00",
    "started_at_utc": "2025-03-10 09:01:00",
    "ended_at_utc": "2025-03-10 09:20:00",
}


def test_records_keep_everything_else_that_they_tell() -> None:
    trouble = {"quarantine_column": "wait", "quarantine_reason": "no number", "quarantine_pattern": "aaaa"}
    call = {**TOLD_OF_A_CALL, **trouble, "leg_id": "2", "is_arrival_ambiguous": True, "is_wait_lower_bound": True}
    appointment = {**TOLD_OF_AN_APPOINTMENT, **trouble, "appointment_id": "a", "exclusion_rule": "test"}
    origin = {"source": "phone", "file_name": "a.csv", "exported_at_utc": "2025-03-10 20:00:00"}
    (row,) = (
        Alone()
        .given("input.files", "file_id", (1,), **origin)
        .given("input.sources", "source", ("phone",))
        .given("input.call_records", "file_id line record_key", (1, 7, "k"), **call)
        .run("staging.call_records")
    )
    assert row.items() >= {**call, **origin, "file_id": 1, "line": 7, "record_key": "k"}.items()
    (row,) = (
        Alone()
        .given("input.files", "file_id", (1,), **origin)
        .given("input.sources", "source", ("phone",))
        .given("input.appointment_records", "file_id line record_key", (1, 7, "k"), **appointment)
        .run("staging.appointment_records")
    )
    assert row.items() >= {**appointment, **origin, "file_id": 1, "line": 7, "record_key": "k"}.items()


def test_states_keep_everything_else_that_the_records_tell() -> None:
    call = {**TOLD_OF_A_CALL, "source": "phone", "call_id": "a", "leg_id": "2", "arrived_local": "2025-03-10 10:00:00"}
    call |= {"is_arrival_ambiguous": True, "is_wait_lower_bound": True}
    appointment = {**TOLD_OF_AN_APPOINTMENT, "source": "desk", "appointment_id": "a"}
    local = ("booked_local", "planned_start_local", "checked_in_local", "started_local")
    appointment |= dict.fromkeys(local, "2025-03-10 10:00:00")
    (row,) = (
        Alone()
        .given(
            "staging.call_records",
            "file_id line is_replaced replaces_dates exported_at_utc",
            (1, 7, False, False, "2025-03-10 20:00"),
            **call,
        )
        .made("staging.call_rivals")
        .made("staging.call_losers")
        .run("staging.call_states")
    )
    assert row.items() >= {**call, "file_id": 1, "line": 7, "state": "excluded"}.items()
    (row,) = (
        Alone()
        .given("staging.appointment_records", "file_id line is_replaced", (1, 7, False), **appointment)
        .run("staging.appointment_states")
    )
    assert row.items() >= {**appointment, "file_id": 1, "line": 7, "state": "accepted"}.items()


def versions(told: dict[str, Any]) -> tuple[Any, ...]:
    """Two versions of a record for each thing told, which only the older tells; and two in which both tell everything.

    The older are on even lines.
    """
    rows: list[tuple[Any, ...]] = []
    for field in told:
        rows.append((len(rows), field, "2025-03-10", *(told[name] if name == field else None for name in told)))
        rows.append((len(rows), field, "2025-03-11", *(None for _ in told)))
    rows.append((len(rows), "the same", "2025-03-10", *told.values()))
    rows.append((len(rows), "the same", "2025-03-11", *told.values()))
    return (f"line record_key exported_at_utc {' '.join(told)}", *rows)


def test_a_version_that_differs_in_anything_told_is_superseded_and_no_duplicate() -> None:
    common: dict[str, Any] = {"file_id": 1, "source": "a", "file_name": "a", "is_replaced": False}
    calls = (
        Alone()
        .given("staging.call_records", *versions(TOLD_OF_A_CALL), **common, replaces_dates=False)
        .made("staging.call_rivals")
        .made("staging.call_losers")
        .run("staging.call_states")
    )
    told = {**TOLD_OF_AN_APPOINTMENT, "exclusion_rule": "test"}
    appointments = (
        Alone().given("staging.appointment_records", *versions(told), **common).run("staging.appointment_states")
    )
    for rows in (calls, appointments):
        *different, same = [row["state"] for row in rows if row["line"] % 2 == 0]
        assert (set(different), same) == ({"superseded"}, "duplicate")
        assert {row["state"] for row in rows if row["line"] % 2 == 1} == {"accepted", "excluded"}


def test_call_records_get_the_civil_time_of_the_centre_also_when_the_clock_changes() -> None:
    rows = (
        Alone()
        .given("input.files", "file_id", (1,), source="phone", status="loaded")
        .given("input.sources", "source", ("phone",))
        .given("input.utc_days", *UTC_DAYS)
        .given(
            "input.call_records",
            "line arrived_at_utc",
            (1, "2025-01-15 23:30:00"),
            (2, "2025-03-30 00:59:59"),
            (3, "2025-03-30 01:00:00"),
            (4, "2025-07-01 08:00:00"),
            (5, "2025-10-26 00:59:59"),
            (6, "2025-10-26 01:00:00"),
            (7, "1999-01-01 00:00:00"),  # before the calendar begins
            (8, None),
            file_id=1,
        )
        .run("staging.call_records")
    )
    assert only(rows, "line arrived_local") == [
        (1, "2025-01-16 00:30:00"),
        (2, "2025-03-30 01:59:59"),
        (3, "2025-03-30 03:00:00"),
        (4, "2025-07-01 10:00:00"),
        (5, "2025-10-26 02:59:59"),
        (6, "2025-10-26 02:00:00"),
        (7, None),
        (8, None),
    ]


def test_call_records_without_an_id_get_a_key_of_the_files_content_and_their_line() -> None:
    rows = (
        Alone()
        .given(
            "input.files",
            "file_id source status sha256",
            (1, "phone", "loaded", "0123456789abcdef0123"),
            (2, "other", "replaced", "fedcba9876543210fedc"),
        )
        .given("input.sources", "source replaces_dates", ("phone", False), ("other", True))
        .given("input.call_records", "file_id line call_id", (1, 1, "c1"), (2, 7, None))
        .run("staging.call_records")
    )
    assert only(rows, "source call_id is_replaced replaces_dates") == [
        ("phone", "c1", False, False),
        ("other", "fedcba9876543210:7", True, True),
    ]


def test_call_quarantine_holds_what_cannot_be_read_and_what_arrived_on_a_day_without_hours() -> None:
    rows = (
        Alone()
        .given("core.calendar", "date service_point", ("2025-03-10", "telephone"), ("2025-03-11", "desk"))
        .given(
            "staging.call_records",
            "line arrived_local quarantine_column quarantine_reason quarantine_pattern",
            (1, monday("10:00"), None, None, None),
            (2, monday("10:00"), "wait", "no number", "aaaa"),
            (3, None, "arrived", "no date", None),
            (4, "2025-03-11 10:00", None, None, None),
            (5, None, None, None, None),
            file_id=1,
        )
        .run("staging.call_quarantine")
    )
    undeclared = "arrived on a day for which the settings declare no opening hours of the telephone"
    assert [tuple(row.values()) for row in rows] == [
        (1, 2, "wait", "no number", "aaaa"),
        (1, 3, "arrived", "no date", None),
        (1, 4, "(arrival)", undeclared, None),
        (1, 5, "(arrival)", undeclared, None),
    ]


READABLE = {"file_id": 1, "source": "phone", "is_replaced": False, "replaces_dates": False}


def test_call_states_let_the_newest_version_win_by_export_then_file_name_then_line() -> None:
    rows = (
        Alone()
        .given(
            "staging.call_records",
            "line record_key exported_at_utc file_name wait_seconds",
            (1, "by export", "2025-03-11", "a", 20),
            (2, "by export", "2025-03-10", "b", 10),
            (3, "by file name", "2025-03-10", "b", 20),
            (4, "by file name", "2025-03-10", "a", 10),
            (5, "by line", "2025-03-10", "a", 10),
            (6, "by line", "2025-03-10", "a", 20),
            (7, "by line", "2025-03-10", "a", 20),
            (8, "there and back", "2025-03-10", "a", 10),
            (9, "there and back", "2025-03-11", "a", 20),
            (10, "there and back", "2025-03-12", "a", 10),
            (11, "alone", "2025-03-10", "a", 10),
            **READABLE,
            arrived_local=monday("10:00"),
        )
        .made("staging.call_rivals")
        .made("staging.call_losers")
        .run("staging.call_states")
    )
    assert only(rows, "line state") == [
        (1, "accepted"),
        (2, "superseded"),
        (3, "accepted"),
        (4, "superseded"),
        (5, "superseded"),
        (6, "duplicate"),
        (7, "accepted"),
        (8, "duplicate"),
        (9, "superseded"),
        (10, "accepted"),
        (11, "accepted"),
    ]


def test_call_states_hold_every_readable_record_and_only_those_of_files_that_stand_are_elected() -> None:
    rows = (
        Alone()
        .given("staging.call_quarantine", "file_id line", (1, 2), (2, 3))
        .given(
            "staging.call_records",
            "line source record_key exported_at_utc is_replaced exclusion_rule",
            (1, "phone", "newer unreadable", "2025-03-10", False, None),
            (2, "phone", "newer unreadable", "2025-03-11", False, None),
            (3, "phone", "newer replaced", "2025-03-10", False, None),
            (4, "phone", "newer replaced", "2025-03-11", True, None),
            (5, "phone", "newer excluded", "2025-03-10", False, None),
            (6, "phone", "newer excluded", "2025-03-11", False, "fax"),
            (7, "phone", "older excluded", "2025-03-10", False, "fax"),
            (8, "phone", "older excluded", "2025-03-11", False, None),
            (9, "phone", "in two sources", "2025-03-10", False, None),
            (10, "other", "in two sources", "2025-03-11", False, None),
            **{**READABLE, "file_name": "a"},
        )
        .made("staging.call_rivals")
        .made("staging.call_losers")
        .run("staging.call_states")
    )
    assert only(rows, "line state") == [
        (1, "accepted"),
        (3, "accepted"),
        (4, "superseded"),
        (5, "superseded"),
        (6, "excluded"),
        (7, "superseded"),
        (8, "accepted"),
        (9, "accepted"),
        (10, "accepted"),
    ]


def test_call_states_of_a_source_without_ids_let_each_export_replace_its_range_of_dates() -> None:
    rows = (
        Alone()
        .given(
            "staging.call_records",
            "file_id line source exported_at_utc is_replaced arrived_local",
            (1, 1, "phone", "2025-03-10", False, "2025-03-03 23:59:59"),
            (1, 2, "phone", "2025-03-10", False, "2025-03-04 00:00:00"),
            (1, 3, "phone", "2025-03-10", False, "2025-03-05 10:00:00"),  # a day between those of file 2
            (1, 4, "phone", "2025-03-10", False, "2025-03-06 10:00:00"),  # a day of files 2 and 5
            (2, 1, "phone", "2025-03-11", False, "2025-03-04 10:00:00"),
            (2, 2, "phone", "2025-03-11", False, "2025-03-04 10:00:00"),  # the same again: nobody can tell
            (2, 3, "phone", "2025-03-11", False, "2025-03-06 10:00:00"),
            (3, 1, "phone", "2025-03-12", True, "2025-03-03 10:00:00"),
            (4, 1, "other", "2025-03-12", False, "2025-03-03 10:00:00"),
            (5, 1, "phone", "2025-03-13", False, "2025-03-06 10:00:00"),
            file_name="a",
            replaces_dates=True,
        )
        .made("staging.call_rivals")
        .made("staging.call_losers")
        .run("staging.call_states")
    )
    assert only(rows, "file_id line state") == [
        (1, 1, "accepted"),
        (1, 2, "superseded"),
        (1, 3, "superseded"),
        (1, 4, "superseded"),
        (2, 1, "accepted"),
        (2, 2, "accepted"),
        (2, 3, "superseded"),
        (3, 1, "superseded"),
        (4, 1, "accepted"),
        (5, 1, "accepted"),
    ]


def test_appointment_records_get_the_civil_time_of_each_of_their_moments() -> None:
    rows = (
        Alone()
        .given("input.files", "file_id", (1,), source="desk", status="loaded")
        .given("input.sources", "source", ("desk",))
        .given("input.utc_days", *UTC_DAYS)
        .given(
            "input.appointment_records",
            "booked_at_utc planned_start_utc first_planned_start_utc checked_in_at_utc started_at_utc",
            ("2025-01-15 23:30", "2025-03-30 01:00", "2025-03-30 00:59", "2025-07-01 08:00", "2025-03-30 01:00"),
            ("2025-10-26 01:00", "2025-10-26 00:59", "2025-10-26 01:00", "2025-10-26 00:58", "2025-10-26 00:57"),
            ("2025-10-26 00:59", "2025-10-26 01:00", "2025-10-26 00:58", "2025-10-26 01:00", None),
            file_id=1,
        )
        .run("staging.appointment_records")
    )
    assert only(rows, "booked_local planned_start_local first_planned_start_local checked_in_local started_local") == [
        tuple(f"2025-{moment}:00" if moment else None for moment in moments)
        for moments in (
            ("01-16 00:30", "03-30 03:00", "03-30 01:59", "07-01 10:00", "03-30 03:00"),
            ("10-26 02:59", "10-26 02:00", "10-26 02:58", "10-26 02:00", None),
            ("10-26 02:00", "10-26 02:59", "10-26 02:00", "10-26 02:58", "10-26 02:57"),
        )
    ]


def test_appointment_records_tell_whether_their_file_was_replaced() -> None:
    rows = (
        Alone()
        .given("input.files", "file_id status", (1, "loaded"), (2, "replaced"), source="desk")
        .given("input.sources", "source", ("desk",))
        .given("input.appointment_records", "file_id planned_day", (1, "2025-07-01"), (2, None))
        .run("staging.appointment_records")
    )
    assert only(rows, "file_id is_replaced planned_day") == [(1, False, "2025-07-01"), (2, True, None)]


def test_appointment_states_let_the_newest_version_win_and_keep_what_the_oldest_one_planned() -> None:
    rows = (
        Alone()
        .given(
            "staging.appointment_records",
            *on_utc(
                "line record_key exported_at_utc planned first_planned is_replaced exclusion_rule quarantine_reason",
                (1, "moved", "2025-03-01", "2025-03-10 09:00", None, False, None, None),
                (2, "moved", "2025-03-02", "2025-03-11 09:00", None, False, None, None),
                (3, "moved", "2025-03-03", "2025-03-12 09:00", None, False, None, None),
                (4, "again the same", "2025-03-01", "2025-03-10 09:00", None, False, None, None),
                (5, "again the same", "2025-03-02", "2025-03-10 09:00", None, False, None, None),
                (6, "oldest replaced", "2025-03-01", "2025-03-10 09:00", None, True, None, None),
                (7, "oldest replaced", "2025-03-02", "2025-03-11 09:00", None, False, None, None),
                (8, "source tells", "2025-03-01", "2025-03-10 09:00", None, False, None, None),
                (9, "source tells", "2025-03-02", "2025-03-11 09:00", "2025-03-07 09:00", False, None, None),
                (10, "excluded", "2025-03-01", "2025-03-10 09:00", None, False, "test", None),
                (11, "newer unreadable", "2025-03-01", "2025-03-10 09:00", None, False, None, None),
                (12, "newer unreadable", "2025-03-02", None, None, False, None, "no date"),
                (13, "planned later", "2025-03-01", None, None, False, None, None),
                (14, "planned later", "2025-03-02", "2025-03-11 09:00", None, False, None, None),
                (15, "planned later", "2025-03-03", "2025-03-12 09:00", None, False, None, None),
            ),
            file_id=1,
            source="desk",
            file_name="a",
        )
        .run("staging.appointment_states")
    )
    assert only(rows, "line state planned_start_local first_planned_start_utc first_planned_start_local") == [
        (1, "superseded", "2025-03-10 09:00:00", "2025-03-10 09:00:00", "2025-03-10 09:00:00"),
        (2, "superseded", "2025-03-11 09:00:00", "2025-03-10 09:00:00", "2025-03-10 09:00:00"),
        (3, "accepted", "2025-03-12 09:00:00", "2025-03-10 09:00:00", "2025-03-10 09:00:00"),
        (4, "duplicate", "2025-03-10 09:00:00", "2025-03-10 09:00:00", "2025-03-10 09:00:00"),
        (5, "accepted", "2025-03-10 09:00:00", "2025-03-10 09:00:00", "2025-03-10 09:00:00"),
        (6, "superseded", "2025-03-10 09:00:00", None, None),
        (7, "accepted", "2025-03-11 09:00:00", "2025-03-11 09:00:00", "2025-03-11 09:00:00"),
        (8, "superseded", "2025-03-10 09:00:00", "2025-03-10 09:00:00", "2025-03-10 09:00:00"),
        (9, "accepted", "2025-03-11 09:00:00", "2025-03-07 09:00:00", "2025-03-07 09:00:00"),
        (10, "excluded", "2025-03-10 09:00:00", "2025-03-10 09:00:00", "2025-03-10 09:00:00"),
        (11, "accepted", "2025-03-10 09:00:00", "2025-03-10 09:00:00", "2025-03-10 09:00:00"),
        (13, "superseded", None, "2025-03-11 09:00:00", "2025-03-11 09:00:00"),
        (14, "superseded", "2025-03-11 09:00:00", "2025-03-11 09:00:00", "2025-03-11 09:00:00"),
        (15, "accepted", "2025-03-12 09:00:00", "2025-03-11 09:00:00", "2025-03-11 09:00:00"),
    ]


def test_appointment_states_order_versions_of_one_instant_by_file_name_then_line() -> None:
    rows = (
        Alone()
        .given(
            "staging.appointment_records",
            *on_utc(
                "line record_key file_name planned",
                (1, "by file name", "b", "2025-03-11 09:00"),
                (2, "by file name", "a", "2025-03-10 09:00"),
                (3, "by line", "a", "2025-03-10 09:00"),
                (4, "by line", "a", "2025-03-11 09:00"),
            ),
            file_id=1,
            source="desk",
            exported_at_utc="2025-03-01",
            is_replaced=False,
        )
        .run("staging.appointment_states")
    )
    assert only(rows, "line state first_planned_start_local") == [
        (1, "accepted", "2025-03-10 09:00:00"),
        (2, "superseded", "2025-03-10 09:00:00"),
        (3, "superseded", "2025-03-10 09:00:00"),
        (4, "accepted", "2025-03-10 09:00:00"),
    ]


def test_appointment_states_of_days_without_a_time_keep_the_oldest_day() -> None:
    rows = (
        Alone()
        .given(
            "staging.appointment_records",
            "line exported_at_utc planned_day",
            (1, "2025-03-01", None),
            (2, "2025-03-02", "2025-03-10"),
            (3, "2025-03-03", "2025-03-12"),
            file_id=1,
            source="desk",
            record_key="moved",
            file_name="a",
            is_replaced=False,
        )
        .run("staging.appointment_states")
    )
    assert only(rows, "line state planned_day first_planned_day") == [
        (1, "superseded", None, "2025-03-10"),
        (2, "superseded", "2025-03-10", "2025-03-10"),
        (3, "accepted", "2025-03-12", "2025-03-10"),
    ]


# --- the calendar ----------------------------------------------------------------------------------------------------

FRIDAY, SATURDAY, SUNDAY, MONDAY, TUESDAY = (f"2025-03-{day}" for day in ("07", "08", "09", "10", "11"))
NINE, NOON, ONE, FOUR, MIDNIGHT = 540, 720, 780, 960, 1440


def segments_of(
    day: str,
    *closures: tuple[int, int, bool, str],
    afternoon_from: int = ONE,
    columns: str = "starts_minute ends_minute is_open closed_reason",
) -> list[tuple[Any, ...]]:
    """The segments of a day, in minutes, where the desk is open on Mondays, 9-12 and 13-16. A closure has no note."""
    rows = (
        Alone()
        .given("input.calendar_span", "first_date last_date", (day, day))
        .given("input.hours", "hours_id service_point valid_from valid_to", (0, "desk", "2025-01-01", "2025-12-31"))
        .given(
            "input.opening_intervals",
            "opens_minute closes_minute",
            (NINE, NOON),
            (afternoon_from, FOUR),
            hours_id=0,
            weekday=1,
        )
        .given(
            "input.closures",
            "starts_minute ends_minute is_whole_day kind",
            *closures,
            date=day,
            service_point="desk",
        )
        .run("staging.day_segments")
    )
    return only(rows, columns)


def test_day_segments_of_a_regular_day_are_open_or_closed_by_the_clock() -> None:
    assert segments_of(MONDAY) == [
        (0, NINE, False, "before_opening"),
        (NINE, NOON, True, None),
        (NOON, ONE, False, "break"),
        (ONE, FOUR, True, None),
        (FOUR, MIDNIGHT, False, "after_closing"),
    ]
    assert segments_of(SUNDAY) == [(0, MIDNIGHT, False, "closed_weekday")]


def test_day_segments_tell_their_civil_time() -> None:
    assert segments_of(MONDAY, columns="starts_local ends_local is_regular") == [
        (monday("00:00:00"), monday("09:00:00"), False),
        (monday("09:00:00"), monday("12:00:00"), True),
        (monday("12:00:00"), monday("13:00:00"), False),
        (monday("13:00:00"), monday("16:00:00"), True),
        (monday("16:00:00"), "2025-03-11 00:00:00", False),
    ]


def test_day_segments_tell_when_the_service_point_opens_and_closes_next_also_beyond_midnight() -> None:
    rows = (
        Alone()
        .given("input.calendar_span", "first_date last_date", (MONDAY, TUESDAY))
        .given("input.hours", "hours_id service_point", (0, "desk"), (1, "other"), valid_from=MONDAY, valid_to=TUESDAY)
        .given(
            "input.opening_intervals",
            "hours_id weekday opens_minute closes_minute",
            (0, 1, NINE, MIDNIGHT),
            (0, 2, 0, NOON),
            (0, 2, ONE, FOUR),
            (1, 1, 600, 660),
        )
        .run("staging.day_segments")
    )
    nine, noon, one, four = monday("09:00:00"), "2025-03-11 12:00:00", "2025-03-11 13:00:00", "2025-03-11 16:00:00"
    desk = [row for row in rows if row["service_point"] == "desk"]
    assert only(desk, "starts_local is_open next_opens_local next_closes_local") == [
        (monday("00:00:00"), False, nine, noon),
        (nine, True, "2025-03-11 00:00:00", noon),
        ("2025-03-11 00:00:00", True, one, noon),
        (noon, False, one, four),
        (one, True, None, four),
        (four, False, None, None),
    ]


def test_day_segments_that_touch_are_one() -> None:
    assert segments_of(MONDAY, afternoon_from=NOON) == [
        (0, NINE, False, "before_opening"),
        (NINE, FOUR, True, None),
        (FOUR, MIDNIGHT, False, "after_closing"),
    ]


def test_day_segments_of_a_whole_day_closed_have_its_reason_on_a_sunday_too() -> None:
    holiday = (0, MIDNIGHT, True, "holiday")
    assert {reason for *_, reason in segments_of(MONDAY, holiday)} == {"holiday"}
    assert segments_of(SUNDAY, holiday) == [(0, MIDNIGHT, False, "holiday")]
    assert {reason for *_, reason in segments_of(MONDAY, (0, MIDNIGHT, True, "closure"))} == {"closure"}
    assert {reason for *_, reason in segments_of(SUNDAY, holiday, (NOON, ONE, False, "closure"))} == {"holiday"}


def test_day_segments_of_half_a_day_closed_tell_break_closure_and_after_closing_apart() -> None:
    assert segments_of(MONDAY, (NOON, MIDNIGHT, False, "closure")) == [
        (0, NINE, False, "before_opening"),
        (NINE, NOON, True, None),
        (NOON, ONE, False, "break"),
        (ONE, FOUR, False, "closure"),
        (FOUR, MIDNIGHT, False, "after_closing"),
    ]
    assert {reason for *_, reason in segments_of(SUNDAY, (NOON, MIDNIGHT, False, "closure"))} == {"closed_weekday"}


def test_day_segments_are_cut_by_a_closure_amid_the_hours() -> None:
    assert segments_of(MONDAY, (600, 660, False, "closure"))[1:4] == [
        (NINE, 600, True, None),
        (600, 660, False, "closure"),
        (660, NOON, True, None),
    ]
    # where two overlap, the holiday is named
    assert segments_of(MONDAY, (600, 660, False, "closure"), (630, NOON, False, "holiday"))[1:4] == [
        (NINE, 600, True, None),
        (600, 630, False, "closure"),
        (630, NOON, False, "holiday"),
    ]


def test_day_segments_of_closures_that_leave_no_interval_are_all_closed_by_them() -> None:
    assert segments_of(MONDAY, (NINE, NOON, False, "closure"), (ONE, FOUR, False, "holiday")) == [
        (0, NINE, False, "holiday"),
        (NINE, NOON, False, "closure"),
        (NOON, ONE, False, "holiday"),
        (ONE, FOUR, False, "holiday"),
        (FOUR, MIDNIGHT, False, "holiday"),
    ]


def test_day_segments_follow_the_hours_that_hold_on_the_day_and_the_closures_of_the_service_point() -> None:
    rows = (
        Alone()
        .given("input.calendar_span", "first_date last_date", ("2025-03-09", "2025-03-12"))
        .given(
            "input.hours",
            "hours_id service_point valid_from valid_to",
            (0, "desk", "2025-03-10", "2025-03-10"),
            (1, "desk", "2025-03-11", "2025-03-11"),
            (2, "telephone", "2025-03-10", "2025-03-10"),
        )
        .given(
            "input.opening_intervals",
            "hours_id weekday opens_minute closes_minute",
            (0, 1, 0, NOON),
            (1, 2, ONE, FOUR),
            (2, 1, 0, MIDNIGHT),
        )
        .given(
            "input.closures",
            "service_point date starts_minute ends_minute reason",
            ("telephone", "2025-03-10", 0, 60, "move"),
            ("telephone", "2025-03-10", 60, NINE, "move"),
            ("telephone", "2025-03-10", FOUR, MIDNIGHT, "feast"),
            ("telephone", "2025-03-11", 0, NINE, "on a day without hours"),
            kind="closure",
            is_whole_day=False,
        )
        .run("staging.day_segments")
    )
    assert only(rows, "date service_point starts_minute ends_minute is_open closed_reason closure_note") == [
        ("2025-03-10", "desk", 0, NOON, True, None, None),
        ("2025-03-10", "desk", NOON, MIDNIGHT, False, "after_closing", None),
        ("2025-03-10", "telephone", 0, NINE, False, "closure", "feast, move"),
        ("2025-03-10", "telephone", NINE, FOUR, True, None, "feast, move"),
        ("2025-03-10", "telephone", FOUR, MIDNIGHT, False, "closure", "feast, move"),
        ("2025-03-11", "desk", 0, ONE, False, "before_opening", None),
        ("2025-03-11", "desk", ONE, FOUR, True, None, None),
        ("2025-03-11", "desk", FOUR, MIDNIGHT, False, "after_closing", None),
    ]


def test_the_calendar_tells_when_a_day_is_open_and_the_offset_of_its_clock() -> None:
    (row,) = (
        Alone()
        .given("input.rules", "half_days_are_working_days", (True,))
        .given("input.utc_days", "utc_date offset_minutes switch_at_utc", (MONDAY, 60, monday("01:00")))
        .given(
            "staging.day_segments",
            "starts_minute ends_minute starts_local ends_local is_regular is_open closed_reason",
            (ONE, FOUR, monday("13:00"), monday("16:00"), True, True, None),
            (0, NINE, monday("00:00"), monday("09:00"), False, False, "before_opening"),
            (NINE, NOON, monday("09:00"), monday("12:00"), True, True, None),
            (NOON, ONE, monday("12:00"), monday("13:00"), False, False, "break"),
            (FOUR, MIDNIGHT, monday("16:00"), "2025-03-11", False, False, "after_closing"),
            date=MONDAY,
            service_point="telephone",
        )
        .run("core.calendar")
    )
    assert row == {
        "date": MONDAY,
        "service_point": "telephone",
        "weekday": 1,
        "is_open": True,
        "intervals": "09:00-12:00, 13:00-16:00",
        "opens_local": monday("09:00:00"),
        "closes_local": monday("16:00:00"),
        "opening_minutes": 360,
        "is_half_day": False,
        "closed_reason": None,
        "closure_note": None,
        "is_working_day": True,
        "working_day_index": 1,
        "utc_offset_minutes": 60,
        "utc_offset_switch_at_utc": monday("01:00:00"),
    }


@pytest.mark.parametrize(
    ("half_days", "indexes"),
    [(True, [1, 2, 2, 2, 3]), (False, [1, 1, 1, 1, 2])],
    ids=["half days are working days", "half days are none"],
)
def test_the_calendar_counts_working_days_for_each_service_point(half_days: bool, indexes: list[int]) -> None:
    rows = (
        Alone()
        .given("input.rules", "half_days_are_working_days", (half_days,))
        .given("input.utc_days", "utc_date", *((f"2025-03-{day}",) for day in ("06", "07", "08", "09", "10")))
        .given(
            "staging.day_segments",
            "date service_point is_regular is_open closed_reason closure_note",
            ("2025-03-06", "desk", True, True, None, None),
            ("2025-03-07", "desk", True, True, None, "feast"),  # Friday, half a day
            ("2025-03-07", "desk", True, False, "closure", "feast"),
            ("2025-03-08", "desk", True, True, None, None),  # Saturday, open
            ("2025-03-09", "desk", False, False, "closed_weekday", None),
            ("2025-03-10", "desk", True, True, None, None),
            ("2025-03-10", "telephone", True, True, None, None),
            starts_minute=0,
            ends_minute=MIDNIGHT,
        )
        .run("core.calendar")
    )
    desk = [row for row in rows if row["service_point"] == "desk"]
    assert [row["working_day_index"] for row in desk] == indexes
    assert only(desk, "weekday is_open is_half_day closed_reason closure_note is_working_day") == [
        (4, True, False, None, None, True),
        (5, True, True, None, "feast", half_days),
        (6, True, False, None, None, False),
        (7, False, False, "closed_weekday", None, False),
        (1, True, False, None, None, True),
    ]
    assert [row["working_day_index"] for row in rows if row["service_point"] == "telephone"] == [1]


@pytest.mark.parametrize(
    ("reasons", "reason"),
    [
        (("closure", "holiday"), "holiday"),
        (("holiday", "closure"), "holiday"),
        (("closure", "closure"), "closure"),
        (("closed_weekday", "closed_weekday"), "closed_weekday"),
    ],
)
def test_the_calendar_names_a_holiday_before_any_other_closure_of_the_day(
    reasons: tuple[str, str], reason: str
) -> None:
    (row,) = (
        Alone()
        .given("input.rules", "half_days_are_working_days", (True,))
        .given("input.utc_days", "utc_date", (MONDAY,))
        .given(
            "staging.day_segments",
            "starts_minute ends_minute closed_reason",
            (0, NOON, reasons[0]),
            (NOON, MIDNIGHT, reasons[1]),
            date=MONDAY,
            service_point="desk",
            is_regular=True,
            is_open=False,
        )
        .run("core.calendar")
    )
    assert row["closed_reason"] == reason


# --- settings as tables ----------------------------------------------------------------------------------------------


def test_clusters_are_those_of_the_settings() -> None:
    mapping = ("permit", "Wonen", "2024-01-01", "9999-12-31")
    rows = Alone().given("input.clusters", "service cluster valid_from valid_to", mapping).run("core.clusters")
    assert [tuple(row.values()) for row in rows] == [mapping]


def test_the_published_history_is_that_of_the_settings() -> None:
    figure = ("missed_calls", 2016, Decimal("16.14"), "percent", "action plan")
    rows = (
        Alone()
        .given("input.published_history", "indicator year value unit source", figure)
        .run("core.published_history")
    )
    assert [tuple(row.values()) for row in rows] == [figure]


def test_a_norm_holds_until_the_next_one_for_the_same_thing() -> None:
    rows = (
        Alone()
        .given(
            "input.norms",
            "dimension valid_from value operator",
            ("Wonen", "2025-07-01", 4, "<="),
            ("Wonen", "2016-01-01", 5, "<="),
            ("OCMW", "2025-01-01", 10, "<"),
            indicator="visitor_wait",
            variant="headline",
            period_type="month",
            dimension_type="cluster",
            source="the sheet",
        )
        .run("core.norms")
    )
    assert only(rows, "dimension operator value valid_from valid_to") == [
        ("OCMW", "<", 10, "2025-01-01", "9999-12-31"),
        ("Wonen", "<=", 4, "2025-07-01", "9999-12-31"),
        ("Wonen", "<=", 5, "2016-01-01", "2025-06-30"),
    ]


# --- core.calls ------------------------------------------------------------------------------------------------------

LEG = {
    "file_id": 1,
    "state": "accepted",
    "source": "phone",
    "call_source": "phone",
    "is_event_log": False,
    "queue": "main",
    "direction": "inbound",
    "reported_outcome": "missed",
    "missed_reason": "abandoned",
    "is_answered": False,
    "is_open": False,
    "is_wait_lower_bound": False,
}


def calls_of(columns: str, *legs: tuple[Any, ...], **common: Any) -> list[dict[str, Any]]:
    """core.calls of legs on Monday 10 March, with the telephone open 9-12 and 13-16; a line for each leg, in order.

    The newest export is of that evening, unless `as_of_local` tells another moment.
    """
    as_of_local = common.pop("as_of_local", monday("20:00"))
    told = records_of(columns, *legs, **common)
    shared = Counter((record["call_source"], record["call_id"]) for record in told)
    several = [record for record in told if shared[record["call_source"], record["call_id"]] > 1]
    rows = calls_that_weigh(several, told, as_of_local)
    # what a record alone comes to is said apart; weighed against nothing it must come to the same
    assert rows == calls_that_weigh(told, told, as_of_local)
    return rows


def calls_that_weigh(
    rivals: list[dict[str, Any]], told: list[dict[str, Any]], as_of_local: str
) -> list[dict[str, Any]]:
    """core.calls of some records, of which those of calls that several tell of are weighed against each other."""
    of_rivals = [name for name in told[0] if name != "state"]
    losers = [(r["file_id"], r["line"], r["state"]) for r in told if r["state"] in ("superseded", "duplicate")]
    return (
        Alone()
        .given("input.rules", "short_abandon_seconds", (5,))
        .given("staging.as_of", "as_of_local", (as_of_local,))
        .given(
            "staging.day_segments",
            "date starts_local ends_local is_open closed_reason next_opens_local next_closes_local",
            (MONDAY, monday("00:00"), monday("09:00"), False, "before_opening", monday("09:00"), monday("12:00")),
            (MONDAY, monday("09:00"), monday("12:00"), True, None, monday("13:00"), monday("12:00")),
            (MONDAY, monday("12:00"), monday("13:00"), False, "break", monday("13:00"), monday("16:00")),
            (MONDAY, monday("13:00"), monday("16:00"), True, None, f"{TUESDAY} 09:00", monday("16:00")),
            (MONDAY, monday("16:00"), TUESDAY, False, "after_closing", f"{TUESDAY} 09:00", TUESDAY),
            (TUESDAY, f"{TUESDAY} 09:00", "2025-03-12", False, "holiday", None, None),
            service_point="telephone",
        )
        .given("staging.call_states", " ".join(told[0]), *(tuple(record.values()) for record in told))
        .given(
            "staging.call_rivals",
            " ".join(of_rivals),
            *(tuple(record[name] for name in of_rivals) for record in rivals),
            shares_call=True,
        )
        .given("staging.call_losers", "file_id line state", *losers)
        .made("staging.call_legs")
        .made("staging.weighed_calls")
        .made("staging.whole_calls")
        .run("core.calls")
    )


def records_of(columns: str, *legs: tuple[Any, ...], **common: Any) -> list[dict[str, Any]]:
    """Records that are accepted, missed and of one log unless told; a line for each, in order."""
    files = dict(common.pop("files", ((1, "calls.csv"),)))
    columns, *placed = on_utc(columns, *legs)
    named = [dict(zip(columns.split(), leg, strict=True)) for leg in placed]
    told = [{**LEG, **common, **leg, "line": line} for line, leg in enumerate(named, start=1)]
    return [{**record, "file_name": files[record["file_id"]]} for record in told]


def test_a_call_has_the_first_outcome_that_applies_and_at_opening_it_is_inside() -> None:
    rows = calls_of(
        "call_id arrived is_answered is_open state exclusion_rule",
        ("a", monday("09:00:00"), True, False, "accepted", None),
        ("b", monday("11:59:59.999"), False, False, "accepted", None),
        ("c", monday("08:59:59.999"), True, False, "accepted", None),
        ("d", monday("12:00:00"), False, False, "accepted", None),
        ("e", monday("16:00:00"), False, False, "accepted", None),
        ("f", monday("16:00:00"), False, True, "accepted", None),
        ("g", monday("10:00:00"), True, True, "accepted", None),
        ("h", monday("16:00:00"), True, True, "excluded", "fax"),
    )
    assert only(rows, "call_id outcome is_within_opening_hours closed_reason exclusion_rule") == [
        ("a", "answered", True, None, None),
        ("b", "missed", True, None, None),
        ("c", "outside_hours", False, "before_opening", None),
        ("d", "outside_hours", False, "break", None),
        ("e", "outside_hours", False, "after_closing", None),
        ("f", "open", False, "after_closing", None),
        ("g", "open", True, None, None),
        ("h", "excluded", False, "after_closing", "fax"),
    ]


def test_a_call_is_placed_and_dated_by_its_local_arrival_whatever_the_day_in_utc() -> None:
    rows = calls_of("arrived_at_utc arrived_local", ("2025-03-09 23:30", monday("00:30")), call_id="a")
    assert only(rows, "arrived_at_utc arrived_local arrived_date closed_reason") == [
        ("2025-03-09 23:30:00", monday("00:30:00"), MONDAY, "before_opening")
    ]


def test_a_call_of_several_legs_is_answered_if_one_of_them_is_and_waits_from_the_first_to_the_answer() -> None:
    rows = calls_of(
        "leg_id queue reported_outcome arrived answered_at_utc ended_at_utc wait_seconds queue_wait_seconds "
        "is_answered direction",
        ("3", "third", "missed", monday("10:01:30"), None, monday("10:09:00"), 99, 98, False, "internal"),
        ("1", "first", "missed", monday("10:00:00"), None, monday("10:00:20"), 20, 15, False, "inbound"),
        (
            "2",
            "second",
            "answered",
            monday("10:01:00.5"),
            monday("10:01:10.5"),
            monday("10:05"),
            10,
            7,
            True,
            "internal",
        ),
        call_id="a",
    )
    assert only(rows, "queue direction outcome arrived_at_utc answered_at_utc ended_at_utc") == [
        ("first", "inbound", "answered", monday("10:00:00"), monday("10:01:10.500000"), monday("10:09:00"))
    ]
    assert only(rows, "wait_seconds queue_wait_seconds speed_bucket") == [(Decimal("70.5"), 7, "61-90")]
    assert only(rows, "legs legs_reported_missed reported_outcome missed_reason") == [(3, 2, "answered", None)]


def test_a_call_is_open_while_one_of_its_legs_is() -> None:
    rows = calls_of("leg_id is_open arrived", ("1", True, monday("10:00")), ("2", False, monday("10:01")), call_id="a")
    assert only(rows, "outcome") == [("open",)]


def test_a_call_that_rings_at_several_agents_waits_to_the_first_answer_or_else_to_the_last_who_gives_up() -> None:
    rows = calls_of(
        "call_id leg_id arrived is_answered wait_seconds",
        ("answered", "1", monday("10:00:00"), True, 30),
        ("answered", "2", monday("10:00:05"), True, 10),
        ("answered", "3", monday("10:00:00"), False, 5),
        ("missed", "1", monday("10:00:00"), False, 50),
        ("missed", "2", monday("10:00:20"), False, 10),
        ("unknown", "1", monday("10:00:00"), False, 2),
        ("unknown", "2", monday("10:00:02"), False, None),
    )
    assert only(rows, "call_id outcome wait_seconds") == [
        ("answered", "answered", 15),
        ("missed", "missed", 50),
        ("unknown", "missed", None),
    ]


def test_a_missed_call_of_several_legs_waits_to_the_end_of_the_last_which_says_why() -> None:
    rows = calls_of(
        "leg_id arrived wait_seconds missed_reason",
        ("1", monday("10:00:00"), 20, "timeout"),
        ("2", monday("10:00:20"), 12, "voicemail"),
        call_id="a",
    )
    assert only(rows, "outcome wait_seconds missed_reason legs") == [("missed", 32, "voicemail", 2)]


def test_a_call_has_no_wait_that_is_longer_than_a_duration_can_be() -> None:
    rows = calls_of(
        "leg_id arrived wait_seconds", ("1", "2025-03-10 10:00", 1), ("2", "2025-03-22 10:00", 1), call_id="a"
    )
    assert only(rows, "wait_seconds legs") == [(None, 2)]


def test_legs_that_are_excluded_count_only_for_a_call_that_has_no_others() -> None:
    rows = calls_of(
        "call_id leg_id arrived state exclusion_rule is_answered queue reported_outcome",
        ("mixed", "1", monday("08:00"), "excluded", "internal", True, "staff", "answered"),
        ("mixed", "2", monday("10:00"), "accepted", None, False, "main", "missed"),
        ("excluded", "1", monday("10:00"), "excluded", "fax", False, "fax", "missed"),
        ("excluded", "2", monday("10:01"), "excluded", "test", True, "test", "answered"),
    )
    assert only(rows, "call_id outcome exclusion_rule queue reported_outcome legs legs_reported_missed") == [
        ("excluded", "excluded", "fax", "fax", "answered", 2, 1),
        ("mixed", "missed", None, "main", "missed", 2, 1),
    ]


def test_records_that_were_superseded_or_are_duplicates_are_no_legs() -> None:
    rows = calls_of(
        "call_id call_source state is_answered arrived",
        ("a", "phone", "accepted", False, monday("10:00")),
        ("a", "phone", "superseded", True, monday("10:00")),
        ("a", "phone", "duplicate", False, monday("10:00")),
        ("a", "other", "accepted", True, monday("10:00")),
        ("b", "phone", "superseded", True, monday("10:00")),
    )
    assert only(rows, "source call_id outcome legs") == [("other", "a", "answered", 1), ("phone", "a", "missed", 1)]


def test_a_call_is_in_the_speed_bucket_of_its_exact_wait() -> None:
    edges = ["0", "30", "30.001", "60", "60.001", "90", "90.001", "120", "120.001", "300", "300.001", None]
    rows = calls_of(
        "call_id wait_seconds",
        *((f"{number:02d}", wait) for number, wait in enumerate(edges)),
        arrived_at_utc=monday("10:00"),
        arrived_local=monday("10:00"),
        is_answered=True,
    )
    assert [row["speed_bucket"] for row in rows] == [
        "0-30",
        "0-30",
        "31-60",
        "31-60",
        "61-90",
        "61-90",
        "91-120",
        "91-120",
        "121-300",
        "121-300",
        "300+",
        "unknown",
    ]


def test_a_call_without_a_wait_has_a_reason() -> None:
    rows = calls_of(
        "call_id arrived is_answered wait_seconds impossible_duration",
        ("a", monday("10:00"), True, "4", None),
        ("b", monday("10:00"), False, None, None),
        ("c", monday("10:00"), True, None, "wait"),
        ("d", monday("10:00"), True, "4", "queue_wait"),
    )
    assert only(rows, "call_id wait_reason speed_bucket impossible_duration") == [
        ("a", None, "0-30", None),
        ("b", "not_recorded", None, None),
        ("c", "impossible", "unknown", "wait"),
        ("d", None, "0-30", "queue_wait"),
    ]


def test_a_caller_who_hangs_up_in_less_than_the_threshold_is_a_short_abandon() -> None:
    rows = calls_of(
        "call_id arrived is_answered wait_seconds missed_reason",
        ("a", monday("10:00"), False, "4.999", "abandoned"),
        ("b", monday("10:00"), False, "0", "menu"),
        ("c", monday("10:00"), False, "5", "abandoned"),
        ("d", monday("10:00"), False, None, "abandoned"),
        ("e", monday("10:00"), True, "4", None),
        *((reason, monday("10:00"), False, "4", reason) for reason in ("callback", "no_agent", "timeout", "voicemail")),
    )
    assert [row["call_id"] for row in rows if row["is_short_abandon"]] == ["a", "b"]
    assert {row["is_short_abandon"] for row in rows} == {True, False}


def test_a_call_that_no_person_answered_has_no_answer_and_one_still_open_no_reason_for_having_none() -> None:
    rows = calls_of(
        "call_id arrived answered_at_utc is_answered is_open",
        ("a", monday("10:00"), monday("10:01"), True, False),
        ("b", monday("10:00"), monday("10:01"), False, False),
        ("c", monday("10:00"), None, False, True),
    )
    assert only(rows, "call_id answered_at_utc missed_reason") == [
        ("a", monday("10:01:00"), None),
        ("b", None, "abandoned"),
        ("c", None, None),
    ]


def test_legs_that_arrive_at_once_are_in_the_order_of_their_ids_by_number_where_they_are_numbers() -> None:
    rows = calls_of(
        "call_id leg_id arrived queue missed_reason",
        ("a", "10", monday("10:00"), "last", "timeout"),
        ("a", "9", monday("10:00"), "first", "menu"),
        ("b", "z", monday("10:00"), "last", "timeout"),
        ("b", "y", monday("10:00"), "first", "menu"),
    )
    assert only(rows, "call_id queue missed_reason") == [("a", "first", "timeout"), ("b", "first", "timeout")]


def test_of_an_event_log_a_call_is_open_until_an_event_ends_it_and_only_those_that_count_are_legs() -> None:
    rows = calls_of(
        "call_id arrived reported_outcome is_open is_answered wait_seconds missed_reason",
        ("entered", monday("10:00"), "other", True, False, None, "abandoned"),
        ("entered and left", monday("10:00"), "other", True, False, None, "abandoned"),
        ("entered and left", monday("10:00"), "missed", False, False, 20, "timeout"),
        ("rang in vain", monday("10:00"), "missed", False, False, 20, "timeout"),
        ("rang in vain", monday("10:01"), "other", False, False, None, "abandoned"),
        ("answer proved twice", monday("10:00"), "answered", False, True, 20, "abandoned"),
        ("answer proved twice", monday("10:00"), "other", False, True, 19, "abandoned"),
        is_event_log=True,
    )
    assert only(rows, "call_id outcome legs records wait_seconds missed_reason") == [
        ("answer proved twice", "answered", 1, 2, 20, None),
        ("entered", "open", 1, 1, None, None),
        ("entered and left", "missed", 1, 2, 20, "timeout"),
        ("rang in vain", "missed", 1, 2, 20, "timeout"),
    ]


def test_a_call_that_entered_another_queue_goes_on_until_it_leaves_that_one_too() -> None:
    entered, left = ("other", True, None), ("missed", False, monday("10:00:20"))
    rows = calls_of(
        "call_id queue arrived reported_outcome is_open ended_at_utc",
        ("in its second queue", "a", monday("10:00"), *entered),
        ("in its second queue", "a", monday("10:00"), *left),
        ("in its second queue", "b", monday("10:00:20"), *entered),
        ("in the same queue again", "a", monday("10:00"), *entered),
        ("in the same queue again", "a", monday("10:00"), *left),
        ("in the same queue again", "a", monday("10:00:30"), *entered),
        ("left both", "a", monday("10:00"), *entered),
        ("left both", "a", monday("10:00"), *left),
        ("left both", "b", monday("10:00:20"), *entered),
        ("left both", "b", monday("10:00:20"), "missed", False, monday("10:00:50")),
        is_event_log=True,
    )
    assert only(rows, "call_id outcome") == [
        ("in its second queue", "open"),
        ("in the same queue again", "open"),
        ("left both", "missed"),
    ]


@pytest.mark.parametrize(
    ("as_of_local", "outcome"), [("2025-03-11 09:59:59", "open"), ("2025-03-11 10:00:00", "missed")]
)
def test_a_call_whose_end_no_event_told_within_a_day_was_not_answered(as_of_local: str, outcome: str) -> None:
    rows = calls_of(
        "call_id arrived is_open reported_outcome",
        ("a", monday("10:00"), True, "other"),
        is_event_log=True,
        as_of_local=as_of_local,
    )
    assert only(rows, "outcome wait_seconds") == [(outcome, None)]


def test_of_legs_a_call_is_open_while_one_of_them_is() -> None:
    rows = calls_of(
        "call_id leg_id arrived is_open",
        ("a", "1", monday("10:00"), False),
        ("a", "2", monday("10:01"), True),
    )
    assert only(rows, "outcome legs records") == [("open", 2, 2)]


def test_records_of_a_second_log_belong_to_the_calls_of_the_first_and_know_when_the_citizen_dialled_in() -> None:
    rows = calls_of(
        "call_id source is_event_log arrived reported_outcome is_open is_answered wait_seconds",
        ("both", "phone", True, monday("10:00:10"), "answered", False, True, 30),
        ("both", "details", False, monday("10:00:00"), "answered", False, True, 1),
        ("no exit", "phone", True, monday("10:00:10"), "other", True, False, None),
        ("no exit", "details", False, monday("10:00:00"), "missed", False, False, 50),
        ("second alone", "details", False, monday("10:00:00"), "answered", False, True, 1),
        ("first alone", "phone", True, monday("10:00:10"), "answered", False, True, 30),
        is_wait_lower_bound=True,
    )
    assert only(rows, "source call_id outcome wait_seconds is_wait_lower_bound") == [
        ("phone", "both", "answered", 40, False),
        ("phone", "first alone", "answered", 30, True),
        ("phone", "no exit", "missed", 50, True),
        ("phone", "second alone", "answered", 1, True),
    ]


def test_where_its_own_log_tells_of_a_call_the_software_counts_that_log_alone_and_its_queue_is_the_calls() -> None:
    rows = calls_of(
        "call_id source arrived reported_outcome queue",
        ("both", "phone", monday("10:00:10"), "missed", "desk"),
        ("both", "details", monday("10:00:00"), "answered", "details"),
        ("both", "details", monday("10:00:00"), "missed", "details"),
        ("second alone", "details", monday("10:00:00"), "missed", "details"),
    )
    assert only(rows, "call_id reported_outcome queue legs legs_reported_missed records") == [
        ("both", "missed", "desk", 1, 1, 3),
        ("second alone", "missed", "details", 1, 1, 1),
    ]


def test_who_hung_up_in_the_queue_spoke_to_nobody_whatever_a_second_log_takes_for_an_answer() -> None:
    rows = calls_of(
        "call_id source is_event_log arrived reported_outcome is_answered missed_reason wait_seconds",
        ("hung up", "phone", True, monday("10:00:10"), "missed", False, "abandoned", 60),
        ("hung up", "details", False, monday("10:00:00"), "answered", True, "abandoned", 0),
        ("sent on", "phone", True, monday("10:00:10"), "missed", False, "timeout", 60),
        ("sent on", "details", False, monday("10:00:00"), "answered", True, "abandoned", 0),
    )
    assert only(rows, "call_id outcome wait_seconds") == [
        ("hung up", "missed", 70),
        ("sent on", "answered", 70),  # at least as long as the queue says
    ]


def test_an_answer_that_an_event_proves_tells_the_wait_where_the_second_log_does_not() -> None:
    rows = calls_of(
        "call_id source is_event_log arrived reported_outcome is_answered wait_seconds",
        ("a", "phone", True, monday("10:00:10"), "other", True, 12),
        ("a", "details", False, monday("10:00:00"), "answered", True, None),
        ("b", "phone", False, monday("10:00:00"), "answered", True, None),
        ("b", "details", True, monday("10:00:10"), "answered", True, 12),
    )
    assert only(rows, "call_id outcome wait_seconds") == [("a", "answered", 22), ("b", "answered", 22)]


def test_a_wait_is_exact_only_if_the_second_log_saw_the_call_first() -> None:
    rows = calls_of(
        "call_id source is_event_log arrived is_answered reported_outcome wait_seconds",
        ("first", "phone", True, monday("10:00:10"), True, "answered", 10),
        ("first", "details", False, monday("10:00:00"), False, "answered", None),
        ("an hour later, in a wrong zone", "phone", True, monday("10:00:10"), True, "answered", 10),
        ("an hour later, in a wrong zone", "details", False, monday("11:00:00"), False, "answered", None),
        is_wait_lower_bound=True,
    )
    assert only(rows, "call_id is_wait_lower_bound") == [("an hour later, in a wrong zone", True), ("first", False)]


def test_a_call_is_excluded_by_its_own_log_or_by_all_that_a_second_one_knows_of_it() -> None:
    rows = calls_of(
        "call_id source state exclusion_rule",
        ("own log", "phone", "excluded", "test_call"),
        ("own log", "details", "accepted", None),
        ("second log", "phone", "accepted", None),
        ("second log", "details", "excluded", "internal"),
        ("a leg of the second log", "phone", "accepted", None),
        ("a leg of the second log", "details", "excluded", "internal"),
        ("a leg of the second log", "details", "accepted", None),
        arrived_at_utc=monday("09:00"),
        arrived_local=monday("10:00"),
    )
    assert only(rows, "call_id outcome exclusion_rule records") == [
        ("a leg of the second log", "missed", None, 3),
        ("own log", "excluded", "test_call", 2),
        ("second log", "excluded", "internal", 2),
    ]


def test_a_log_tells_of_so_many_calls_a_day_and_two_logs_of_one_call_each_tell_of_it() -> None:
    rows = (
        Alone()
        .given(
            "staging.day_segments",
            "date starts_local ends_local is_open",
            (MONDAY, monday("00:00"), monday("09:00"), False),
            (MONDAY, monday("09:00"), TUESDAY, True),
            service_point="telephone",
        )
        .given(
            "staging.call_states",
            "source call_id arrived_local state exclusion_rule",
            ("phone", "a", monday("10:00"), "accepted", None),
            ("phone", "a", monday("10:01"), "accepted", None),
            ("phone", "b", monday("08:00"), "excluded", "fax"),
            ("phone", "c", monday("10:00"), "superseded", None),
            ("phone", "NONE", monday("10:00"), "excluded", "no_call"),
            ("details", "a", monday("10:00"), "accepted", None),
        )
        .run("staging.calls_by_log")
    )
    assert only(rows, "source date calls calls_within_hours") == [("details", MONDAY, 1, 1), ("phone", MONDAY, 2, 1)]


def test_a_record_that_tells_of_no_call_is_none() -> None:
    rows = calls_of(
        "call_id arrived state exclusion_rule",
        ("NONE", monday("10:00"), "excluded", "no_call"),
        ("a", monday("10:00"), "excluded", "fax"),
    )
    assert only(rows, "call_id outcome") == [("a", "excluded")]


def test_a_call_is_marked_as_outside_hours_if_one_of_its_legs_is() -> None:
    rows = calls_of(
        "call_id leg_id arrived is_marked_outside_hours",
        ("a", "1", monday("10:00"), False),
        ("a", "2", monday("10:01"), True),
        ("b", "1", monday("10:00"), False),
        ("c", "1", monday("10:00"), None),
    )
    assert only(rows, "call_id is_marked_outside_hours") == [("a", True), ("b", False), ("c", None)]


def test_a_call_that_reaches_over_closing_or_opening_is_flagged() -> None:
    rows = calls_of(
        "call_id arrived answered_at_utc ended_at_utc is_answered",
        ("ends at closing", monday("11:59"), None, monday("12:00:00"), False),
        ("ends after closing", monday("11:59"), None, monday("12:00:00.001"), False),
        ("answered at opening", monday("08:59"), monday("09:00:00"), monday("09:01"), True),
        ("answered before opening", monday("08:58"), monday("08:59:59.999"), monday("09:01"), True),
        ("answered after the break", monday("12:59"), monday("13:00:01"), monday("13:01"), True),
        ("by a machine", monday("08:59"), monday("09:00:01"), monday("09:01"), False),
        ("answered in the evening", monday("17:00"), monday("17:01"), monday("17:02"), True),
        ("answered next morning", monday("23:59"), f"{TUESDAY} 09:00", f"{TUESDAY} 09:01", True),
        ("answered on a last day", f"{TUESDAY} 10:00", f"{TUESDAY} 10:01", f"{TUESDAY} 10:02", True),
        ("without an end", monday("11:59"), None, None, False),
    )
    assert only(rows, "call_id is_ended_after_closing is_spanning_opening") == [
        ("answered after the break", False, True),
        ("answered at opening", False, True),
        ("answered before opening", False, False),
        ("answered in the evening", False, False),
        ("answered next morning", False, True),
        ("answered on a last day", False, False),
        ("by a machine", False, False),
        ("ends after closing", True, False),
        ("ends at closing", False, False),
        ("without an end", False, False),
    ]


def test_a_call_keeps_what_the_software_says_and_what_is_uncertain_about_it() -> None:
    rows = calls_of(
        "call_id leg_id arrived reported_outcome is_arrival_ambiguous is_wait_lower_bound",
        ("a", "1", monday("10:00"), "other", None, False),
        ("b", "1", monday("10:00"), "other", True, False),
        ("b", "2", monday("10:01"), "missed", False, True),
        ("c", "1", monday("10:00"), "missed", False, True),
        ("c", "2", monday("10:01"), "answered", True, True),
    )
    assert only(rows, "call_id reported_outcome is_arrival_ambiguous is_wait_lower_bound") == [
        ("a", "other", False, False),
        ("b", "missed", True, True),
        ("c", "answered", False, True),
    ]


def test_a_call_stands_in_the_step_of_the_bridge_that_fits_its_outcome_and_what_the_software_says() -> None:
    rows = calls_of(
        "call_id arrived reported_outcome is_answered state exclusion_rule is_open",
        ("a", monday("10:00"), "missed", False, "accepted", None, False),
        ("b", monday("10:00"), "answered", False, "accepted", None, False),
        ("c", monday("10:00"), "missed", True, "accepted", None, False),
        ("d", monday("10:00"), "answered", True, "accepted", None, False),
        ("e", monday("12:30"), "missed", True, "accepted", None, False),
        ("f", monday("12:30"), "other", False, "accepted", None, False),
        ("g", monday("12:30"), "missed", False, "excluded", "fax", False),
        ("h", monday("12:30"), "missed", False, "accepted", None, True),
        ("i", monday("10:00"), "answered", False, "accepted", None, True),
    )
    assert only(rows, "call_id bridge_step") == [
        ("a", "corrected_missed"),
        ("b", "not_answered_by_a_person"),
        ("c", "answered_by_somebody_else"),
        ("d", None),
        ("e", "break"),
        ("f", None),
        ("g", "excluded"),
        ("h", "open"),
        ("i", None),
    ]


def test_a_call_leads_to_the_file_and_line_of_the_leg_that_came_first() -> None:
    rows = calls_of(
        "call_id leg_id arrived",
        ("a", "3", monday("10:00:30")),
        ("a", "1", monday("10:00:00")),
        ("a", "2", monday("10:00:30")),
        ("b", None, monday("10:00:00")),
    )
    assert only(rows, "call_id file_name line") == [("a", "calls.csv", 2), ("b", "calls.csv", 4)]


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1)], ids=["the own log first", "the second log first"])
def test_of_two_logs_that_tell_of_the_same_second_the_calls_own_leads_whatever_came_first(
    numbers: tuple[int, int],
) -> None:
    own, second = numbers
    rows = calls_of(
        "call_id source file_id arrived",
        ("a", "phone", own, monday("10:00")),
        ("a", "carrier", second, monday("10:00")),
        files=((own, "calls.csv"), (second, "acd.csv")),
        call_source="phone",
    )
    assert only(rows, "call_id file_name line") == [("a", "calls.csv", 1)]


def test_a_call_that_its_own_log_excludes_waits_from_that_logs_arrival_though_a_second_one_saw_it_later() -> None:
    (row,) = calls_of(
        "call_id source arrived wait_seconds state exclusion_rule",
        ("a", "phone", monday("10:00:00"), "3", "excluded", "test"),
        ("a", "carrier", monday("10:00:05"), "2", "accepted", None),
        call_source="phone",
    )
    told = ("outcome", "arrived_local", "wait_seconds", "line")
    assert tuple(row[name] for name in told) == ("excluded", monday("10:00:00"), Decimal("3.000"), 1)


# --- staging.whole_appointments --------------------------------------------------------------------------------------


def whole_of(columns: str, *rows: tuple[Any, ...], **common: Any) -> list[dict[str, Any]]:
    """Appointments of the log `desk`, whose visits are told by the log `visits`."""
    told = {"state": "accepted", "appointment_source": "desk", "source": "desk", "file_id": 1, "line": 1, **common}
    return Alone().given("staging.appointment_states", columns, *rows, **told).run("staging.whole_appointments")


def test_an_appointment_of_one_log_stays_as_it_is() -> None:
    told = {key: value for key, value in TOLD_OF_AN_APPOINTMENT.items() if key != "exclusion_rule"}
    local = {"booked_local": monday("08:00:00"), "planned_start_local": monday("09:00:00"), "first_planned_day": MONDAY}
    (row,) = whole_of("appointment_id", ("a",), **told, **local)
    assert row.items() >= {**told, **local, "appointment_id": "a", "records": 1, "is_walk_in": False}.items()


def test_an_appointment_is_told_by_its_own_log_and_else_by_its_first_visit() -> None:
    rows = whole_of(
        "appointment_id source file_id line checked_in_at_utc",
        ("a", "desk", 1, 5, None),
        ("a", "visits", 2, 6, monday("08:55")),
        ("b", "visits", 2, 8, monday("09:55")),
        ("b", "visits", 2, 9, monday("08:55")),
    )
    assert only(rows, "appointment_id file_id line") == [("a", 1, 5), ("b", 2, 9)]


def test_appointments_that_were_not_accepted_are_left_out() -> None:
    states = ["accepted", "excluded", "duplicate", "superseded"]
    rows = whole_of("appointment_id state", *((state, state) for state in states))
    assert only(rows, "appointment_id") == [("accepted",)]


def test_a_second_log_tells_what_happened_at_the_desk() -> None:
    rows = whole_of(
        "appointment_id source service status planned_start_utc checked_in_at_utc started_at_utc ended_at_utc",
        ("a", "desk", "permit", "planned", monday("09:00:00"), None, None, None),
        ("a", "visits", "other", "completed", None, monday("08:50:00"), monday("09:05:00"), monday("09:20:00")),
    )
    assert only(
        rows, "appointment_id service status planned_start_utc checked_in_at_utc started_at_utc ended_at_utc records"
    ) == [
        ("a", "permit", "completed", monday("09:00:00"), monday("08:50:00"), monday("09:05:00"), monday("09:20:00"), 2)
    ]


def test_several_visits_of_one_appointment_are_one_that_begins_with_the_first_that_was_served() -> None:
    rows = whole_of(
        "line appointment_id source status service checked_in_at_utc started_at_utc ended_at_utc",
        (1, "a", "visits", "no_show", "first", monday("08:50:00"), monday("09:01:00"), monday("09:02:00")),
        (2, "a", "visits", "started", "second", monday("08:51:00"), monday("09:05:00"), monday("09:10:00")),
        (3, "a", "visits", "completed", "third", monday("09:10:00"), monday("09:12:00"), monday("09:30:00")),
        (4, "b", "visits", "no_show", "first", monday("08:50:00"), monday("09:01:00"), None),
        (5, "c", "visits", "checked_in", "first", monday("08:50:00"), None, None),
        (6, "c", "visits", "cancelled", "first", monday("08:55:00"), None, None),
        names_appointment=True,
    )
    assert only(rows, "appointment_id status service checked_in_at_utc started_at_utc ended_at_utc records") == [
        ("a", "completed", "first", monday("08:50:00"), monday("09:05:00"), monday("09:30:00"), 3),
        ("b", "no_show", "first", monday("08:50:00"), None, None, 1),
        ("c", "checked_in", "first", monday("08:50:00"), None, None, 2),
    ]


def test_what_happened_before_the_day_to_which_an_appointment_was_moved_is_no_visit_for_it() -> None:
    columns = "appointment_id source status planned_start_local checked_in_local started_local"
    rows = whole_of(
        columns,
        ("a", "desk", "planned", f"{TUESDAY} 09:00", None, None),
        ("a", "visits", "completed", None, monday("08:50"), monday("09:04")),
        ("a", "visits", "completed", None, f"{TUESDAY} 08:50", f"{TUESDAY} 09:25"),
        ("b", "desk", "planned", f"{TUESDAY} 09:00", None, None),
        ("b", "visits", "no_show", None, monday("08:50"), monday("09:04")),
    )
    assert only(rows, "appointment_id status started_local records") == [
        ("a", "completed", f"{TUESDAY} 09:25:00", 3),
        ("b", "planned", None, 2),
    ]


def test_the_service_of_visits_that_came_at_once_is_that_of_the_first_id_in_whatever_order_they_were_delivered() -> (
    None
):
    for first, second in ((1, 2), (2, 1)):
        rows = whole_of(
            "file_id record_key service",
            (first, "9001", "permit"),
            (second, "9002", "passport"),
            source="visits",
            appointment_id="a",
            checked_in_at_utc=monday("08:50"),
        )
        assert only(rows, "service") == [("permit",)]


def test_who_comes_without_an_appointment_is_a_walk_in_and_one_whose_appointment_no_log_tells_is_none() -> None:
    rows = whole_of(
        "appointment_id source names_appointment planned_start_utc planned_day",
        ("own, planned", "desk", False, monday("09:00:00"), None),
        ("own, planned for a day", "desk", False, None, MONDAY),
        ("own, not planned", "desk", False, None, None),
        ("visit, without appointment", "visits", False, None, None),
        ("visit, of a lost appointment", "visits", True, None, None),
    )
    assert {row["appointment_id"] for row in rows if row["is_walk_in"]} == {
        "own, not planned",
        "visit, without appointment",
    }


# --- core.appointments -----------------------------------------------------------------------------------------------


def _is_walk_in(columns: str, row: tuple[Any, ...], common: dict[str, Any]) -> bool:
    told = {**common, **dict(zip(columns.split(), row, strict=True))}
    return told.get("planned_start_utc") is None and told.get("planned_day") is None


def appointments_of(columns: str, *rows: tuple[Any, ...], **common: Any) -> list[dict[str, Any]]:
    """core.appointments with a desk that works on Friday 7, Monday 10 and Tuesday 11 March.

    The desk of Wonen works on that Tuesday only. `permit` is a service of Wonen from Monday on, of OCMW before.
    """
    columns, *placed = on_utc(columns, *rows)
    return (
        Alone()
        .given(
            "core.clusters",
            "service cluster valid_from valid_to",
            ("permit", "OCMW", "2025-01-01", SUNDAY),
            ("permit", "Wonen", MONDAY, "9999-12-31"),
        )
        .given("input.hours", "service_point", ("desk",), ("desk:Wonen",), ("desk:Wonen",))
        .made("staging.desks")
        .given("input.desk_channels", "booking_channel", ("desk",))
        .given("input.files", "file_id file_name", (1, "desk.csv"))
        .given(
            "core.calendar",
            "service_point date is_working_day working_day_index",
            ("desk", FRIDAY, True, 1),
            ("desk", SATURDAY, False, 1),
            ("desk", SUNDAY, False, 1),
            ("desk", MONDAY, True, 2),
            ("desk", TUESDAY, True, 3),
            ("desk:Wonen", FRIDAY, False, 0),
            ("desk:Wonen", SATURDAY, False, 0),
            ("desk:Wonen", SUNDAY, False, 0),
            ("desk:Wonen", MONDAY, False, 0),
            ("desk:Wonen", TUESDAY, True, 1),
        )
        .given(
            "staging.whole_appointments",
            f"{columns} is_walk_in",
            *((*row, _is_walk_in(columns, row, common)) for row in placed),
            **{"source": "desk", "records": 1, "status": "completed", **common},
        )
        .run("core.appointments")
    )


def test_a_visit_waits_beyond_its_planned_start_and_beside_it_from_the_later_check_in() -> None:
    rows = appointments_of(
        "appointment_id checked_in started_at_utc ended_at_utc",
        ("a", monday("08:50"), monday("09:01:30.5"), monday("09:20")),
        ("b", monday("08:50"), monday("08:59:59.999"), None),
        ("c", monday("08:50"), monday("09:00"), monday("09:00")),
        ("d", monday("09:03"), monday("09:04"), monday("09:20")),
        ("e", monday("09:05"), monday("09:04"), monday("09:20")),
        ("f", None, monday("09:04"), monday("09:20")),
        planned_start_utc=monday("09:00"),
        planned_start_local=monday("09:00"),
    )
    assert only(
        rows, "appointment_id visitor_wait_seconds is_served_early arrival_based_wait_seconds visitor_wait_reason"
    ) == [
        ("a", Decimal("90.5"), False, Decimal("90.5"), None),
        ("b", 0, True, 0, None),
        ("c", 0, False, 0, None),
        ("d", 240, False, 60, None),
        ("e", 240, False, 0, None),
        ("f", 240, False, None, None),
    ]


def test_a_visit_without_a_wait_has_the_first_reason_that_applies() -> None:
    nine, half_past = monday("09:00"), monday("09:30")
    rows = appointments_of(
        "appointment_id planned planned_day status started_at_utc ended_at_utc",
        ("a", None, None, "cancelled", half_past, nine),
        ("b", nine, None, "cancelled", half_past, nine),
        ("c", nine, None, "no_show", half_past, nine),
        ("d", nine, None, "checked_in", None, half_past),
        ("e", nine, None, "completed", half_past, nine),
        ("f", None, MONDAY, "completed", half_past, None),
        ("g", nine, None, "completed", "2025-03-21 22:46:39.999", None),  # 999,999.999 seconds
        ("h", nine, None, "completed", "2025-03-21 22:46:40", None),
        ("i", nine, None, "completed", "2025-02-26 19:13:20", None),  # as much too early
    )
    assert only(rows, "appointment_id visitor_wait_seconds visitor_wait_reason is_served_early is_walk_in") == [
        ("a", None, "walk_in", None, True),
        ("b", None, "cancelled", None, False),
        ("c", None, "no_show", None, False),
        ("d", None, "not_started", None, False),
        ("e", None, "impossible", None, False),
        ("f", None, "no_planned_time", None, False),
        ("g", Decimal("999999.999"), None, False, False),
        ("h", None, "impossible", None, False),
        ("i", None, "impossible", None, False),
    ]


def test_an_appointment_has_the_cluster_of_its_service_on_the_day_to_which_it_belongs() -> None:
    rows = appointments_of(
        "appointment_id service planned planned_day checked_in started booked",
        ("a", "permit", "2025-03-09 10:00", None, "2025-03-10 09:55", None, None),
        ("b", "permit", "2025-03-10 10:00", None, None, None, None),
        ("c", "passport", "2025-03-10 10:00", None, None, None, None),
        ("d", "permit", None, SUNDAY, "2025-03-10 09:55", None, None),
        ("e", "permit", None, None, "2025-03-09 09:55", "2025-03-10 10:00", None),
        ("f", "permit", None, None, None, "2025-03-09 10:00", "2025-03-10 10:00"),
        ("g", "permit", None, None, None, None, "2025-03-09 10:00"),
        ("h", "permit", None, None, None, None, None),
    )
    assert only(rows, "appointment_id cluster planned_date visit_date is_walk_in") == [
        ("a", "OCMW", SUNDAY, SUNDAY, False),
        ("b", "Wonen", MONDAY, MONDAY, False),
        ("c", "unmapped", MONDAY, MONDAY, False),
        ("d", "OCMW", SUNDAY, SUNDAY, False),
        ("e", "OCMW", None, SUNDAY, True),
        ("f", "OCMW", None, SUNDAY, True),
        ("g", "OCMW", None, SUNDAY, True),
        ("h", "unmapped", None, None, True),
    ]


@pytest.mark.parametrize(
    ("booked", "first_planned", "days"),
    [
        (FRIDAY, FRIDAY, 0),
        (FRIDAY, SATURDAY, 0),
        (FRIDAY, MONDAY, 1),
        (FRIDAY, TUESDAY, 2),
        (SATURDAY, SUNDAY, 0),
        (SATURDAY, MONDAY, 0),
        (SATURDAY, TUESDAY, 1),
        (MONDAY, TUESDAY, 1),
        (TUESDAY, TUESDAY, 0),
    ],
)
def test_the_lead_time_is_of_working_days(booked: str, first_planned: str, days: int) -> None:
    rows = appointments_of(
        "appointment_id booked first_planned planned first_planned_day planned_day",
        ("with a time", f"{booked} 10:00", f"{first_planned} 10:00", f"{TUESDAY} 10:00", None, None),
        ("without", f"{booked} 10:00", None, None, first_planned, TUESDAY),
    )
    last = {FRIDAY: 2, SATURDAY: 1, MONDAY: 1, TUESDAY: 0}[booked]
    assert only(rows, "booked_date first_planned_date lead_time_working_days last_lead_time_working_days") == [
        (booked, first_planned, days, last),
        (booked, first_planned, days, last),
    ]


def test_an_appointment_without_a_lead_time_has_the_first_reason_that_applies() -> None:
    rows = appointments_of(
        "appointment_id booked first_planned planned",
        ("a", None, None, None),
        ("b", None, "2025-03-10 10:00", "2025-03-10 10:00"),
        ("c", "2025-03-10 10:01", "2025-03-10 10:00", "2025-03-11 10:00"),
        ("d", "2025-03-10 10:00", "2025-03-10 10:00", "2025-03-10 10:00"),
        ("e", "2024-12-31 10:00", "2025-03-10 10:00", "2025-03-10 10:00"),
        ("f", "2025-03-10 10:00", "2026-01-01 10:00", "2025-03-11 10:00"),
        ("g", "2025-03-10 10:00", "2025-03-11 10:00", "2026-01-01 10:00"),
        ("h", "2025-03-10 10:00", "2025-03-11 10:00", "2025-03-07 10:00"),  # moved to before it was booked
    )
    assert only(rows, "appointment_id lead_time_working_days lead_time_reason last_lead_time_working_days") == [
        ("a", None, "walk_in", None),
        ("b", None, "not_recorded", None),
        ("c", None, "planned_before_booked", None),
        ("d", 0, None, 0),
        ("e", None, "outside_calendar", None),
        ("f", None, "outside_calendar", 1),
        ("g", 1, None, None),
        ("h", 1, None, None),
    ]


def test_the_lead_time_counts_the_days_of_the_clusters_own_desk_where_it_has_hours() -> None:
    rows = appointments_of(
        "appointment_id service",
        ("a", "passport"),
        ("b", "permit"),
        booked_at_utc=f"{FRIDAY} 10:00",
        booked_local=f"{FRIDAY} 10:00",
        planned_start_utc=f"{TUESDAY} 10:00",
        planned_start_local=f"{TUESDAY} 10:00",
        first_planned_start_utc=f"{TUESDAY} 10:00",
        first_planned_start_local=f"{TUESDAY} 10:00",
    )
    assert only(rows, "appointment_id cluster lead_time_working_days") == [("a", "unmapped", 2), ("b", "Wonen", 0)]


def test_an_appointment_booked_at_the_desk_for_the_same_day_is_told_apart() -> None:
    rows = appointments_of(
        "appointment_id booking_channel booked first_planned planned",
        ("a", "desk", monday("09:00"), monday("11:00"), monday("11:00")),
        ("b", "desk", monday("09:00"), f"{TUESDAY} 11:00", monday("11:00")),
        ("c", "web", monday("09:00"), monday("11:00"), monday("11:00")),
        ("d", None, monday("09:00"), monday("11:00"), monday("11:00")),
        ("e", "desk", None, None, None),
    )
    assert [row["is_desk_same_day"] for row in rows] == [True, False, False, False, False]


def test_a_lead_time_counts_in_one_variant_cancelled_before_booked_at_the_desk_for_the_same_day() -> None:
    rows = appointments_of(
        "appointment_id status booking_channel booked first_planned planned",
        ("a", "completed", "web", monday("09:00"), f"{TUESDAY} 11:00", f"{TUESDAY} 11:00"),
        ("b", "completed", "desk", monday("09:00"), monday("11:00"), monday("11:00")),
        ("c", "cancelled", "desk", monday("09:00"), monday("11:00"), monday("11:00")),
        ("d", "cancelled", "web", monday("09:00"), f"{TUESDAY} 11:00", f"{TUESDAY} 11:00"),
        ("e", "planned", "web", f"{TUESDAY} 09:00", monday("11:00"), monday("11:00")),
        ("f", "planned", "web", None, monday("11:00"), monday("11:00")),
        ("g", "planned", "web", monday("09:00"), "1999-01-01 11:00", monday("11:00")),
    )
    assert only(rows, "appointment_id lead_time_variant") == [
        ("a", "headline"),
        ("b", "desk_same_day"),
        ("c", "cancelled"),
        ("d", "cancelled"),
        ("e", None),
        ("f", None),
        ("g", None),
    ]
    assert all((row["lead_time_variant"] is None) == (row["lead_time_working_days"] is None) for row in rows)


def test_an_appointment_keeps_everything_that_is_told_of_it() -> None:
    told = {name: value for name, value in TOLD_OF_AN_APPOINTMENT.items() if name not in PLANNED}
    local = {"booked_local": "2025-03-01 10:00:00", "planned_start_local": "2025-03-10 10:00:00"}
    local |= {"first_planned_start_local": "2025-03-09 10:00:00"}
    (row,) = appointments_of("appointment_id source", ("a", "web"), **told, **local, file_id=1, line=7)
    expected = {**told, **local, "appointment_id": "a", "source": "web", "file_name": "desk.csv", "line": 7}
    assert row.items() >= expected.items()


PLANNED = ("planned_day", "first_planned_start_utc")


# --- what is covered and complete ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of_utc", "as_of_local"),
    [
        ("2025-01-15 23:30:00", "2025-01-16 00:30:00"),
        ("2025-03-30 00:59:59", "2025-03-30 01:59:59"),
        ("2025-03-30 01:00:00", "2025-03-30 03:00:00"),
        ("2025-10-26 00:59:59", "2025-10-26 02:59:59"),
        ("2025-10-26 01:00:00", "2025-10-26 02:00:00"),
        (None, None),
    ],
    ids=["winter", "before spring", "spring", "before autumn", "autumn", "without any export"],
)
def test_the_warehouse_speaks_for_the_moment_of_its_newest_export_by_the_local_clock(
    as_of_utc: str | None, as_of_local: str | None
) -> None:
    rows = (
        Alone()
        .given("input.calendar_span", "first_date as_of_utc", ("2025-01-01", as_of_utc))
        .given("input.utc_days", *UTC_DAYS)
        .run("staging.as_of")
    )
    assert [tuple(row.values()) for row in rows] == [("2025-01-01", as_of_local)]


def test_a_day_is_covered_by_each_source_that_has_a_readable_call_of_it_inside_opening_hours() -> None:
    rows = (
        Alone()
        .given(
            "input.files",
            "file_id source exported_at_utc",
            (1, "phone", "2025-03-11"),
            (2, "phone", "2025-03-12"),
            (3, "other", "2025-03-13"),
            status="loaded",
        )
        .given(
            "staging.day_segments",
            "service_point date starts_local ends_local is_open",
            ("telephone", MONDAY, monday("09:00"), monday("12:00"), True),
            ("telephone", MONDAY, monday("12:00"), TUESDAY, False),
            ("telephone", TUESDAY, f"{TUESDAY} 09:00", f"{TUESDAY} 16:00", True),
            ("desk", SUNDAY, f"{SUNDAY} 09:00", f"{SUNDAY} 16:00", True),
        )
        .given(
            "staging.call_records",
            "file_id arrived_local is_replaced quarantine_reason",
            (1, f"{SUNDAY} 10:00:00", False, None),
            (1, monday("09:00:00"), False, None),
            (2, monday("11:59:59"), False, None),
            (2, monday("10:00:00"), False, None),
            (2, f"{TUESDAY} 10:00:00", False, "no number"),
            (2, f"{TUESDAY} 10:00:00", True, None),
            (3, monday("09:00:00"), False, None),
            (3, f"{TUESDAY} 16:00:00", False, None),
            (3, f"{TUESDAY} 08:59:59", False, None),
        )
        .run("staging.covered_days")
    )
    assert [tuple(row.values()) for row in rows] == [
        ("calls", "other", MONDAY, "2025-03-13 00:00:00"),
        ("calls", "phone", MONDAY, "2025-03-12 00:00:00"),
    ]


def test_appointments_cover_the_days_that_their_source_claims_to_hold_planned_or_booked() -> None:
    rows = (
        Alone()
        .given(
            "input.files", "file_id source", (1, "both"), (2, "planned"), (3, "booked"), exported_at_utc="2025-03-12"
        )
        .given(
            "input.sources",
            "source covers_planned covers_booked",
            ("both", True, True),
            ("planned", True, False),
            ("booked", False, True),
        )
        .given(
            "staging.appointment_records",
            "file_id source booked_local planned_start_local planned_day quarantine_reason",
            (1, "both", "2025-03-03 10:00", "2025-03-10 10:00", None, None),
            (1, "both", None, None, "2025-03-11", None),
            (1, "both", "2025-03-04 10:00", "2025-03-12 10:00", None, "no number"),
            (2, "planned", "2025-03-03 10:00", "2025-03-10 10:00", None, None),
            (3, "booked", "2025-03-03 10:00", "2025-03-10 10:00", None, None),
            is_replaced=False,
        )
        .run("staging.covered_days")
    )
    assert only(rows, "basis source date") == [
        ("bookings", "booked", "2025-03-03"),
        ("bookings", "both", "2025-03-03"),
        ("visits", "both", "2025-03-10"),
        ("visits", "both", "2025-03-11"),
        ("visits", "planned", "2025-03-10"),
    ]


def test_an_export_covers_as_many_days_up_to_its_own_as_its_source_declares() -> None:
    rows = (
        Alone()
        .given(
            "input.files",
            "file_id kind source status export_date exported_at_utc",
            (1, "calls", "phone", "loaded", "2025-03-10", monday("20:00")),
            (2, "calls", "phone", "replaced", "2025-03-20", "2025-03-20 20:00"),
            (3, "calls", "other", "loaded", "2025-03-10", monday("20:00")),
            (4, "appointments", "desk", "loaded", "2025-03-10", monday("20:00")),
            (5, "appointments", "booked", "loaded", "2025-03-10", monday("20:00")),
        )
        .given(
            "input.sources",
            "source covers_days covers_planned covers_booked",
            ("phone", 2, False, False),
            ("other", None, False, False),
            ("desk", 1, True, False),
            ("booked", 1, False, True),
        )
        .run("staging.covered_days")
    )
    assert [tuple(row.values()) for row in rows] == [
        ("bookings", "booked", MONDAY, monday("20:00:00")),
        ("calls", "phone", SUNDAY, monday("20:00:00")),
        ("calls", "phone", MONDAY, monday("20:00:00")),
        ("visits", "desk", MONDAY, monday("20:00:00")),
    ]


def calendar_of(first: str, last: str, *closings: str) -> tuple[Any, ...]:
    """Every day from the first to the last, closed but for those with a closing time."""
    days = [f"{day}" for day in days_between(date.fromisoformat(first), date.fromisoformat(last))]
    closes = {closing[:10]: closing for closing in closings}
    return ("date is_open closes_local", *((day, day in closes, closes.get(day)) for day in days))


OPEN_DAYS = ("2025-01-15 16:00", "2025-02-01 16:00")
QUARTER = calendar_of("2025-01-01", "2025-03-31", *OPEN_DAYS)
CALL_SOURCE: tuple[Any, ...] = (
    "source kind valid_from valid_to",
    ("phone", "calls", "0001-01-01", "9999-12-31"),
)


def months_of_calls(
    *covered: tuple[Any, ...],
    as_of: str = "2025-03-01 13:00",
    sources: tuple[Any, ...] = CALL_SOURCE,
    calls: tuple[tuple[Any, ...], ...] = (("2025-01-15", "answered"),),
    calendar: tuple[Any, ...] = QUARTER,
    offset_minutes: int = 60,
) -> list[tuple[Any, ...]]:
    """The periods of calls where 15 January and 1 February are open until 16:00, an hour ahead of UTC."""
    days = {row[2][:10] for row in covered}
    rows = (
        Alone()
        .given("staging.as_of", "first_date as_of_local", ("2025-01-01", as_of))
        .given("input.utc_days", "utc_date", *((day,) for day in sorted(days)), offset_minutes=offset_minutes)
        .given("input.sources", *sources)
        .given("core.calendar", *calendar, service_point="telephone")
        .given("core.calls", "arrived_date outcome", *calls)
        .given("staging.covered_days", "source date exported_at_utc", *covered, basis="calls")
        .made("staging.days")
        .made("staging.complete_days")
        .run("staging.periods")
    )
    return only(rows, "basis period_type period complete")


JANUARY, FEBRUARY = ("phone", "2025-01-15", "2025-01-15 15:00"), ("phone", "2025-02-01", "2025-02-01 15:00")


def test_periods_run_from_the_first_record_to_the_newest_export_and_are_complete_once_ended_and_covered() -> None:
    assert months_of_calls(JANUARY, FEBRUARY) == [
        ("calls", "month", "2025-01-01", True),
        ("calls", "month", "2025-02-01", True),
        ("calls", "month", "2025-03-01", False),
        ("calls", "year", "2025-01-01", False),
    ]


@pytest.mark.parametrize(
    ("what_differs", "complete"),
    [
        ({"covered": [JANUARY]}, [True, False, False]),
        ({"covered": [FEBRUARY]}, [False, True, False]),
        ({"covered": [JANUARY, ("phone", "2025-02-01", "2025-02-01 14:59:59")]}, [True, False, False]),
        (
            {"covered": [JANUARY, ("phone", "2025-02-01", "2025-02-01 14:00")], "offset_minutes": 120},
            [True, True, False],
        ),
        ({"as_of": "2025-02-28 23:59:59"}, [True, False]),
        ({"as_of": "2025-03-01 00:00:00"}, [True, True, False]),
        (
            {"calls": [("2025-01-15", "answered"), ("2025-02-01", "open")], "as_of": "2025-03-01 00:00"},
            [True, False, False],
        ),
        ({"calls": [("2025-02-03", "answered")], "as_of": "2025-03-01 00:00"}, [True, False]),
    ],
    ids=[
        "an open day in no export",
        "an open day of the month before in no export",
        "an export made before closing",
        "an export made at closing by the clock of that day",
        "a second before it has ended",
        "ended this moment",
        "a call still open",
        "nothing before the first record",
    ],
)
def test_a_period_is_complete_only_with_evidence(what_differs: dict[str, Any], complete: list[bool]) -> None:
    parts = {"covered": [JANUARY, FEBRUARY], **what_differs}
    found = months_of_calls(*parts.pop("covered"), **parts)
    assert [row[3] for row in found if row[1] == "month"] == complete


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "complete"),
    [
        ("0001-01-01", "9999-12-31", [True, False]),
        ("2025-02-01", "9999-12-31", [True, False]),
        ("2025-02-02", "9999-12-31", [True, True]),
        ("0001-01-01", "2025-02-01", [True, False]),
        ("0001-01-01", "2025-01-31", [True, True]),
    ],
)
def test_a_period_needs_every_source_that_is_expected_then(
    valid_from: str, valid_to: str, complete: list[bool]
) -> None:
    found = months_of_calls(
        JANUARY,
        FEBRUARY,
        ("second", "2025-01-15", "2025-01-15 20:00"),
        as_of="2025-03-01 00:00",
        sources=(*CALL_SOURCE, ("second", "calls", valid_from, valid_to)),
    )
    assert [row[3] for row in found if row[1] == "month"][:2] == complete


def test_a_year_is_complete_like_a_month() -> None:
    whole = calendar_of("2025-01-01", "2025-12-31", *OPEN_DAYS)
    ended, before = (
        months_of_calls(JANUARY, FEBRUARY, as_of=as_of, calendar=whole) for as_of in ("2026-01-01", "2025-12-31 23:59")
    )
    assert [row for row in (*ended, *before) if row[1] == "year"] == [
        ("calls", "year", "2025-01-01", True),
        ("calls", "year", "2026-01-01", False),
        ("calls", "year", "2025-01-01", False),
    ]


@pytest.mark.parametrize(
    ("exported_at", "as_of", "is_complete"),
    [
        ("2024-03-31 01:00", "2024-04-01 00:00", True),
        ("2024-03-31 00:59", "2024-04-01 00:00", False),
        ("2024-03-31 01:00", None, False),
    ],
    ids=["ended and covered", "exported before closing", "without any export"],
)
def test_a_day_closes_by_the_local_clock_also_when_the_clock_changes(
    exported_at: str, as_of: str | None, is_complete: bool
) -> None:
    utc_day = ("2024-03-31", 60, 120, "2024-03-31 01:00")
    rows = (
        Alone()
        .given("staging.as_of", "first_date as_of_local", ("2024-01-01", as_of))
        .given("input.utc_days", "utc_date offset_minutes offset_after_minutes switch_at_utc", utc_day)
        .given("input.sources", *CALL_SOURCE)
        .given(
            "core.calendar",
            *calendar_of("2024-03-01", "2024-03-31", "2024-03-31 03:00"),
            service_point="telephone",
        )
        .given("core.calls", "arrived_date", ("2024-03-31",))
        .given(
            "staging.covered_days", "source date exported_at_utc", ("phone", "2024-03-31", exported_at), basis="calls"
        )
        .made("staging.days")
        .made("staging.complete_days")
        .run("staging.periods")
    )
    march = [row for row in only(rows, "period_type period complete") if row[:2] == ("month", "2024-03-01")]
    assert march == [("month", "2024-03-01", is_complete)]


def test_a_period_with_an_open_day_on_which_no_source_is_expected_is_not_complete() -> None:
    found = months_of_calls(
        JANUARY,
        as_of="2026-01-01 00:00",
        calendar=calendar_of("2025-01-01", "2025-12-31", *OPEN_DAYS),
        sources=("source kind valid_from valid_to", ("phone", "calls", "0001-01-01", "2025-01-31")),
    )
    complete = {row[1:3]: row[3] for row in found}
    assert complete["month", "2025-01-01"] is True
    assert complete["month", "2025-02-01"] is False
    assert complete["year", "2025-01-01"] is False


@pytest.mark.parametrize(
    ("first", "last", "service_point", "is_complete"),
    [
        ("2025-01-01", "2025-01-31", "telephone", True),
        ("2025-01-02", "2025-01-31", "telephone", False),
        ("2025-01-01", "2025-01-30", "telephone", False),
        ("2025-01-01", "2025-01-31", "desk", False),
    ],
)
def test_a_period_with_a_day_for_which_its_service_point_has_no_declared_hours_is_not_complete(
    first: str, last: str, service_point: str, is_complete: bool
) -> None:
    rows = (
        Alone()
        .given("staging.as_of", "first_date as_of_local", (first, "2025-02-15"))
        .given("core.calendar", *calendar_of(first, last), service_point=service_point)
        .given("core.calls", "arrived_date", ("2025-01-15",))
        .made("staging.days")
        .made("staging.complete_days")
        .run("staging.periods")
    )
    january = [row for row in only(rows, "period_type period complete") if row[:2] == ("month", "2025-01-01")]
    assert january == [("month", "2025-01-01", is_complete)]


@pytest.mark.parametrize(
    ("covers_planned", "covers_booked"),
    [(True, True), (True, False), (False, True)],
    ids=["both", "visits", "bookings"],
)
def test_periods_of_visits_and_bookings_need_the_sources_that_claim_to_hold_them(
    covers_planned: bool, covers_booked: bool
) -> None:
    rows = (
        Alone()
        .given("staging.as_of", "first_date as_of_local", ("2025-01-01", "2025-03-01"))
        .given("input.utc_days", "utc_date offset_minutes", ("2025-02-01", 60))
        .given(
            "input.sources",
            "kind source covers_planned covers_booked",
            ("appointments", "desk", covers_planned, covers_booked),
            ("calls", "phone", False, False),
            valid_from="0001-01-01",
            valid_to="9999-12-31",
        )
        .given("core.calendar", *QUARTER, service_point="desk")
        .given("core.appointments", "booked_date visit_date", ("2025-01-02", "2025-01-15"))
        .given(
            "staging.covered_days",
            "basis date",
            ("visits", "2025-01-15"),
            ("visits", "2025-02-01"),
            ("bookings", "2025-01-15"),
            source="desk",
            exported_at_utc="2025-02-01 15:00",
        )
        .made("staging.days")
        .made("staging.complete_days")
        .run("staging.periods")
    )
    assert [row for row in only(rows, "basis period_type period complete") if row[1] == "month"] == [
        ("bookings", "month", "2025-01-01", covers_booked),
        ("bookings", "month", "2025-02-01", False),
        ("bookings", "month", "2025-03-01", False),
        ("visits", "month", "2025-01-01", covers_planned),
        ("visits", "month", "2025-02-01", covers_planned),
        ("visits", "month", "2025-03-01", False),
    ]


def test_periods_before_the_calendar_and_after_the_newest_export_are_there_if_they_have_a_record() -> None:
    rows = (
        Alone()
        .given("staging.as_of", "first_date as_of_local", ("2025-01-01", "2025-02-15"))
        .given("core.calendar", *QUARTER, service_point="desk")
        .given("core.appointments", "booked_date visit_date", ("2024-06-03", "2025-01-15"), (None, "2025-04-02"))
        .made("staging.days")
        .made("staging.complete_days")
        .run("staging.periods")
    )
    assert [row for row in only(rows, "basis period_type period complete") if row[1] == "month"] == [
        ("bookings", "month", "2024-06-01", False),
        ("bookings", "month", "2025-01-01", False),
        ("bookings", "month", "2025-02-01", False),
        ("visits", "month", "2025-01-01", False),
        ("visits", "month", "2025-02-01", False),
        ("visits", "month", "2025-04-01", False),
    ]


def test_the_days_that_keep_a_month_from_being_complete_are_told_with_source_and_reason() -> None:
    rows = (
        Alone()
        .given(
            "staging.periods",
            "basis period_type period",
            ("calls", "month", "2025-02-01"),
            ("calls", "year", "2025-01-01"),
        )
        .given(
            "staging.days",
            "basis date source incomplete_reason",
            *(("calls", f"2025-02-{day:02}", "phone", None) for day in range(3, 27)),
            ("calls", "2025-02-02", "phone", "no_export"),
            ("calls", "2025-02-02", "second", "exported_before_closing"),
            ("calls", "2025-02-27", None, "no_source"),
            ("calls", "2025-02-28", "phone", "not_ended"),
            ("calls", "2025-03-01", "phone", "not_ended"),
            ("visits", "2025-02-02", "desk", "no_export"),
        )
        .given("staging.as_of", "as_of_local", ("2025-02-28 20:00",))
        .run("ops.incomplete_days")
    )
    assert {row["reason"] for row in rows if row["date"] < "2025-02-01"} == {"no_hours"}
    assert [tuple(row.values()) for row in rows if row["date"] >= "2025-02-01"] == [
        ("calls", "2025-02-01", None, "no_hours"),
        ("calls", "2025-02-02", "phone", "no_export"),
        ("calls", "2025-02-02", "second", "exported_before_closing"),
        ("calls", "2025-02-27", None, "no_source"),
        ("calls", "2025-02-28", "phone", "not_ended"),
    ]


def test_a_day_that_has_not_ended_is_not_said_to_be_without_hours_where_the_calendar_ends() -> None:
    rows = (
        Alone()
        .given("staging.periods", "basis period_type period", ("visits", "month", "2031-02-01"))
        .given("staging.as_of", "as_of_local", ("2031-02-02 00:00",))
        .run("ops.incomplete_days")
    )
    assert [row["reason"] for row in rows] == ["no_hours", *["not_ended"] * 27]


def test_a_day_says_why_it_is_not_complete() -> None:
    sources = ("source", ("phone",), ("late",), ("silent",), ("later",))
    rows = (
        Alone()
        .given("staging.as_of", "as_of_local", ("2025-02-05 00:00",))
        .given("input.utc_days", "utc_date", ("2025-02-03",), offset_minutes=60)
        .given(
            "input.sources",
            "source valid_from",
            *((name, "2025-02-04" if name == "later" else "0001-01-01") for (name,) in sources[1:]),
            kind="calls",
            valid_to="2025-02-04",
        )
        .given(
            "core.calendar",
            *calendar_of("2025-02-01", "2025-02-05", "2025-02-03 16:00", "2025-02-05 16:00"),
            service_point="telephone",
        )
        .given("core.calls", "arrived_date outcome", ("2025-02-01", "open"), ("2025-02-02", "missed"))
        .given(
            "staging.covered_days",
            "source exported_at_utc",
            ("phone", "2025-02-03 15:00"),
            ("late", "2025-02-03 14:59:59"),
            basis="calls",
            date="2025-02-03",
        )
        .run("staging.days")
    )
    assert only(rows, "date source incomplete_reason") == [
        ("2025-02-01", None, "call_open"),
        ("2025-02-02", None, None),
        ("2025-02-03", "late", "exported_before_closing"),
        ("2025-02-03", "phone", None),
        ("2025-02-03", "silent", "no_export"),
        ("2025-02-04", None, None),
        ("2025-02-05", None, "not_ended"),
    ]


# --- marts -----------------------------------------------------------------------------------------------------------

PERIODS: tuple[Any, ...] = (
    "basis period_type period complete",
    *(
        (basis, period_type, period, period == "2025-01-01")
        for basis in ("calls", "visits", "bookings")
        for period_type, period in (("month", "2025-01-01"), ("month", "2025-02-01"), ("year", "2025-01-01"))
    ),
)


def test_missed_calls_are_counted_by_month_and_queue_with_what_is_left_out_and_why() -> None:
    rows = (
        Alone()
        .given("staging.periods", *PERIODS)
        .given(
            "core.calls",
            "arrived_date queue outcome is_answered is_short_abandon legs legs_reported_missed",
            ("2025-01-01", "main", "answered", True, False, 2, 1),
            ("2025-01-31", "main", "answered", True, False, 1, 0),
            ("2025-01-15", "main", "missed", False, True, 1, 1),
            ("2025-01-15", "main", "missed", False, False, 1, 1),
            ("2025-01-15", "main", "outside_hours", False, True, 1, 1),
            ("2025-01-15", "main", "outside_hours", True, False, 1, 0),
            ("2025-01-15", "main", "open", False, False, 1, 0),
            ("2025-01-15", "main", "excluded", False, True, 2, 2),
            ("2025-02-01", "other", "outside_hours", False, False, 1, 1),
        )
        .run("marts.missed_calls_monthly")
    )
    assert only(
        rows, "month queue calls answered missed offered missed_share missed_short_abandons open excluded complete"
    ) == [
        ("2025-01-01", "main", 8, 2, 2, 4, 0.5, 1, 1, 1, True),
        ("2025-01-01", "other", 0, 0, 0, 0, None, 0, 0, 0, True),
        ("2025-02-01", "main", 0, 0, 0, 0, None, 0, 0, 0, False),
        ("2025-02-01", "other", 1, 0, 0, 0, None, 0, 0, 0, False),
    ]
    assert only(
        rows, "outside_hours outside_hours_answered reported_records reported_missed reported_missed_share"
    ) == [
        (2, 1, 10, 6, 0.6),
        (0, 0, 0, 0, None),
        (0, 0, 0, 0, None),
        (1, 0, 1, 1, 1.0),
    ]


REASONS = ("abandoned", "voicemail", "menu", "timeout", "no_agent", "callback")


def test_missed_calls_are_told_apart_by_what_became_of_them() -> None:
    rows = (
        Alone()
        .given("staging.periods", *PERIODS)
        .given(
            "core.calls",
            "outcome missed_reason",
            *(("missed", reason) for times, reason in enumerate(REASONS, start=1) for _ in range(times)),
            *((outcome, reason) for outcome in ("outside_hours", "open", "excluded") for reason in REASONS),
            arrived_date="2025-01-15",
            queue="main",
        )
        .run("marts.missed_calls_monthly")
    )
    assert only(rows, " ".join(f"missed_{reason}" for reason in REASONS)) == [(1, 2, 3, 4, 5, 6), (0,) * 6]


def test_missed_calls_with_something_odd_about_their_times_are_counted() -> None:
    rows = (
        Alone()
        .given("staging.periods", *PERIODS)
        .given(
            "core.calls",
            "is_ended_after_closing is_spanning_opening is_arrival_ambiguous impossible_duration",
            *[(True, False, False, None)] * 4,
            *[(False, True, False, None)] * 3,
            *[(False, False, True, None)] * 2,
            (False, False, False, "wait"),
            arrived_date="2025-01-15",
            queue="main",
        )
        .run("marts.missed_calls_monthly")
    )
    assert only(rows, "month ended_after_closing spanning_opening ambiguous_arrivals impossible_durations") == [
        ("2025-01-01", 4, 3, 2, 1),
        ("2025-02-01", 0, 0, 0, 0),
    ]


def test_calls_of_a_day_are_told_in_the_terms_of_contact_centres_also_where_none_came() -> None:
    rows = (
        Alone()
        .given("staging.as_of", "as_of_local", ("2025-02-02 20:00",))
        .given(
            "core.calendar",
            "date weekday is_open is_working_day opening_minutes",
            ("2025-01-29", 3, True, True, 360),
            ("2025-01-30", 4, True, True, 360),
            ("2025-01-31", 5, True, True, 180),
            ("2025-02-01", 6, True, False, 90),
            ("2025-02-02", 7, False, False, 0),
            ("2025-02-03", 1, True, True, 360),
            service_point="telephone",
        )
        .given("staging.complete_days", "basis date", ("calls", "2025-01-30"), ("visits", "2025-01-31"))
        .given(
            "core.calls",
            "queue outcome is_answered missed_reason is_short_abandon speed_bucket wait_seconds legs_reported_missed",
            ("main", "answered", True, None, False, "0-30", "30.000", 1),
            ("main", "answered", True, None, False, "31-60", "30.001", 0),
            ("main", "answered", True, None, False, "unknown", None, 0),
            ("main", "missed", False, "abandoned", True, None, "4", 1),
            ("main", "missed", False, "voicemail", False, None, "90", 1),
            ("main", "outside_hours", True, None, False, "0-30", "3", 0),
            ("main", "outside_hours", False, "abandoned", True, None, "3", 2),
            ("main", "excluded", False, "abandoned", True, None, "3", 1),
            ("main", "open", False, None, False, None, None, 0),
            ("other", "outside_hours", False, "abandoned", False, None, "3", 1),
            arrived_date="2025-01-30",
            is_wait_lower_bound=False,
        )
        .run("marts.calls_daily")
    )
    days = [row for row in rows if row["queue"] == "main"]
    assert only(days, "date weekday is_open is_working_day opening_minutes calls complete") == [
        ("2025-01-29", 3, True, True, 360, 0, False),
        ("2025-01-30", 4, True, True, 360, 9, True),
        ("2025-01-31", 5, True, True, 180, 0, False),
        ("2025-02-01", 6, True, False, 90, 0, False),
        ("2025-02-02", 7, False, False, 0, 0, False),
    ]
    busy = days[1]
    assert (
        busy.items()
        >= {
            "answered": 3,
            "missed": 2,
            "offered": 5,
            "missed_share": 0.4,
            "missed_abandoned": 1,
            "abandonment_rate": 0.2,
            "missed_short_abandons": 1,
            "answered_within_30_seconds": 1,
            "service_level": 0.2,
            "waits": 2,
            "wait_seconds_sum": Decimal("60.001"),
            "average_speed_of_answer_seconds": 30.0005,
            "lower_bound_waits": 0,
            "outside_hours": 2,
            "reported_missed": 6,
        }.items()
    )
    nothing = ("missed_share", "abandonment_rate", "service_level", "average_speed_of_answer_seconds")
    assert all(row[name] is None for row in [days[2], rows[3]] for name in nothing)


def test_a_quarter_of_an_hour_is_there_if_the_telephone_is_open_in_it_or_a_call_comes() -> None:
    rows = (
        Alone()
        .given("marts.calls_daily", "date queue", (MONDAY, "main"), (MONDAY, "other"), (TUESDAY, "main"))
        .given(
            "staging.day_segments",
            "starts_minute ends_minute is_open service_point",
            (0, 530, False, "telephone"),
            (530, 555, True, "telephone"),
            (555, 556, False, "telephone"),
            (556, 570, True, "telephone"),
            (570, 1440, False, "telephone"),
            (0, 1440, True, "desk"),
            date=MONDAY,
        )
        .given(
            "core.calls",
            "arrived_local queue outcome is_answered speed_bucket wait_seconds",
            (monday("09:00:00"), "main", "answered", True, "0-30", "30"),
            (monday("09:14:59.999"), "main", "answered", True, "31-60", "31"),
            (monday("09:14:59.999"), "main", "missed", False, None, "31"),
            (monday("09:15:00"), "other", "answered", True, "unknown", None),
            (monday("23:59:59"), "main", "outside_hours", True, "0-30", "1"),
            arrived_date=MONDAY,
        )
        .run("marts.calls_quarter_hourly")
    )
    assert only(rows, "time_of_day queue weekday opening_minutes calls answered missed offered outside_hours") == [
        ("08:45", "main", 1, 10, 0, 0, 0, 0, 0),
        ("08:45", "other", 1, 10, 0, 0, 0, 0, 0),
        ("09:00", "main", 1, 15, 3, 2, 1, 3, 0),
        ("09:00", "other", 1, 15, 0, 0, 0, 0, 0),
        ("09:15", "main", 1, 14, 0, 0, 0, 0, 0),
        ("09:15", "other", 1, 14, 1, 1, 0, 1, 0),
        ("23:45", "main", 1, 0, 1, 0, 0, 0, 1),
    ]
    told = only(rows, "answered_within_30_seconds waits wait_seconds_sum")
    assert told[2] == (1, 2, Decimal("61.000"))
    assert set(told) == {(1, 2, Decimal("61.000")), (0, 0, Decimal("0.000"))}


def test_visits_of_a_day_are_counted_by_cluster_also_where_none_came_and_ahead_where_some_are_planned() -> None:
    rows = (
        Alone()
        .given("staging.as_of", "first_date as_of_local", ("2025-01-30", "2025-01-31 20:00"))
        .given("staging.desks", "cluster service_point", ("OCMW", "desk"), ("Wonen", "desk:Wonen"))
        .given("core.clusters", "cluster", ("Wonen",))
        .given(
            "core.calendar",
            "date service_point is_open is_working_day opening_minutes",
            ("2025-01-30", "desk", True, True, 360),
            ("2025-01-30", "desk:Wonen", False, False, 0),
            ("2025-01-31", "desk", True, True, 180),
            ("2025-02-01", "desk", True, True, 360),
        )
        .given("staging.complete_days", "basis date", ("visits", "2025-01-30"), ("calls", "2025-01-31"))
        .given(
            "core.appointments",
            "visit_date checked_in_at_utc visitor_wait_seconds visitor_wait_reason is_served_early",
            ("2025-01-30", "2025-01-30 08:59", "0", None, True),
            ("2025-01-30", "2025-01-30 09:01", "60", None, False),
            ("2025-01-30", "2025-01-30 09:00", "30", None, False),
            ("2025-01-30", None, None, "cancelled", None),
            ("2025-01-30", None, None, "no_show", None),
            ("2025-01-30", None, None, "walk_in", None),
            ("2025-02-03", None, None, "not_started", None),
            (None, None, None, "walk_in", None),
            cluster="OCMW",
            planned_start_utc="2025-01-30 09:00",
        )
        .run("marts.visits_daily")
    )
    columns = "date cluster service_point weekday is_open is_working_day opening_minutes appointments complete"
    assert only(rows, columns) == [
        ("2025-01-30", "OCMW", "desk", 4, True, True, 360, 6, True),
        ("2025-01-30", "Wonen", "desk:Wonen", 4, False, False, 0, 0, True),
        ("2025-01-31", "OCMW", "desk", 5, True, True, 180, 0, False),
        ("2025-01-31", "Wonen", "desk:Wonen", 5, False, False, 0, 0, False),
        ("2025-02-03", "OCMW", "desk", 1, False, False, 0, 1, False),
        ("2025-02-03", "Wonen", "desk:Wonen", 1, False, False, 0, 0, False),
    ]
    counts = (
        "visits wait_seconds_sum mean_wait_minutes served_early checked_in_early checked_in_late walk_ins "
        "cancelled no_shows"
    )
    assert only(rows[:2], counts) == [
        (3, Decimal("90.000"), 0.5, 1, 1, 1, 1, 1, 1),
        (0, Decimal("0.000"), None, *[0] * 6),
    ]


def test_missed_calls_of_a_year_are_the_sums_of_its_months_by_queue() -> None:
    counts = (
        "calls answered missed offered missed_short_abandons outside_hours outside_hours_answered open excluded "
        "reported_records reported_missed ended_after_closing spanning_opening ambiguous_arrivals "
        "missed_abandoned missed_voicemail missed_menu missed_timeout missed_no_agent missed_callback "
        "impossible_durations"
    )
    rows = (
        Alone()
        .given(
            "staging.periods",
            "basis period_type period complete",
            ("calls", "year", "2024-01-01", True),
            ("calls", "year", "2025-01-01", False),
            ("calls", "month", "2025-01-01", True),
            ("visits", "year", "2025-01-01", True),
        )
        .given(
            "marts.missed_calls_monthly",
            f"month queue missed_share reported_missed_share {counts}",
            ("2024-12-01", "main", None, 1.0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, *[0] * 10),
            ("2025-01-01", "main", 1.0, 1.0, 2, 1, 1, 2, 1, 3, 4, 5, 6, 2, 2, *range(7, 17)),
            ("2025-02-01", "main", 0.5, 0.0, 6, 5, 1, 6, 1, 3, 4, 5, 6, 6, 2, *range(7, 17)),
            ("2025-02-01", "other", None, None, *[0] * 21),
        )
        .run("marts.missed_calls_yearly")
    )
    assert only(rows, f"year queue complete missed_share reported_missed_share {counts}") == [
        ("2024-01-01", "main", True, None, 1.0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, *[0] * 10),
        ("2025-01-01", "main", False, 0.25, 0.5, 8, 6, 2, 8, 2, 6, 8, 10, 12, 8, 4, *range(14, 34, 2)),
        ("2025-01-01", "other", False, None, None, *[0] * 21),
    ]


def test_the_bridge_leads_from_the_records_reported_missed_to_the_calls_that_were() -> None:
    rows = (
        Alone()
        .given("staging.periods", *PERIODS)
        .given(
            "core.calls",
            "arrived_date outcome closed_reason bridge_step legs legs_reported_missed",
            ("2025-01-01", "missed", None, "corrected_missed", 4, 3),
            ("2025-01-31", "missed", None, "not_answered_by_a_person", 1, 0),
            ("2025-01-15", "answered", None, "answered_by_somebody_else", 2, 2),
            ("2025-01-15", "answered", None, None, 2, 0),
            ("2025-01-15", "outside_hours", "before_opening", "before_opening", 1, 1),
            ("2025-01-15", "outside_hours", "before_opening", "before_opening", 1, 1),
            ("2025-01-15", "outside_hours", "break", None, 2, 0),
            ("2025-01-15", "excluded", None, "excluded", 1, 1),
            ("2025-01-15", "excluded", "after_closing", None, 1, 0),
            ("2025-01-15", "open", None, "open", 1, 1),
            ("2025-02-01", "outside_hours", "holiday", "holiday", 2, 2),
            ("2025-02-01", "missed", None, "corrected_missed", 1, 1),
        )
        .run("marts.missed_calls_bridge")
    )
    records = {
        (period_type, period): [
            row["records"] for row in rows if (row["period_type"], row["period"]) == (period_type, period)
        ]
        for period_type, period in (("month", "2025-01-01"), ("month", "2025-02-01"), ("year", "2025-01-01"))
    }
    steps = [row["step"] for row in rows[:13]]
    assert dict(zip(steps, zip(*records.values(), strict=True), strict=True)) == {
        "reported_missed": (9, 3, 12),
        "before_opening": (-2, 0, -2),
        "break": (0, 0, 0),
        "after_closing": (0, 0, 0),
        "closed_weekday": (0, 0, 0),
        "holiday": (0, -1, -1),
        "closure": (0, 0, 0),
        "excluded": (-1, 0, -1),
        "open": (-1, 0, -1),
        "answered_by_somebody_else": (-1, 0, -1),
        "further_records_of_the_call": (-3, -1, -4),
        "not_answered_by_a_person": (1, 0, 1),
        "corrected_missed": (2, 1, 3),
    }
    # and, of all records, to the calls offered
    january = [row for row in rows if (row["period_type"], row["period"]) == ("month", "2025-01-01")]
    assert {step: n for step, n in only(january, "step all_records") if n} == {
        "reported_missed": 16,
        "before_opening": -2,
        "break": -1,
        "excluded": -2,
        "open": -1,
        "further_records_of_the_call": -6,
        "corrected_missed": 4,
    }
    assert [row["step_number"] for row in rows] == [*range(1, 14)] * 3
    assert {(row["period_type"], row["period"], row["complete"]) for row in rows} == {
        ("month", "2025-01-01", True),
        ("month", "2025-02-01", False),
        ("year", "2025-01-01", True),
    }


def test_telephone_waits_are_summed_exactly_over_answered_calls_inside_with_all_answered_ones_beside_them() -> None:
    rows = (
        Alone()
        .given("staging.periods", *PERIODS)
        .given(
            "core.calls",
            "arrived_date outcome is_answered wait_seconds queue_wait_seconds is_wait_lower_bound impossible_duration",
            ("2025-01-01", "answered", True, "10.001", "5", False, None),
            ("2025-01-31", "answered", True, "20.002", None, True, None),
            ("2025-01-15", "answered", True, None, "7.5", False, "wait"),
            ("2025-01-15", "outside_hours", True, "60", "50", True, None),
            ("2025-01-15", "outside_hours", False, "70", "70", True, "wait"),
            ("2025-01-15", "missed", False, "80", "80", True, "wait"),
            ("2025-01-15", "open", True, "90", "90", True, "wait"),
            ("2025-01-15", "excluded", True, "100", "100", True, "wait"),
            queue="main",
        )
        .run("marts.telephone_wait_monthly")
    )
    assert only(rows, "month queue answered waits wait_seconds_sum mean_wait_seconds unknown_waits complete") == [
        ("2025-01-01", "main", 3, 2, Decimal("30.003"), 15.0015, 1, True),
        ("2025-02-01", "main", 0, 0, 0, None, 0, False),
    ]
    assert only(rows, "queue_waits queue_wait_seconds_sum mean_queue_wait_seconds") == [
        (2, Decimal("12.5"), 6.25),
        (0, 0, None),
    ]
    assert only(rows, "all_answered all_waits all_wait_seconds_sum impossible_durations") == [
        (4, 3, Decimal("90.003"), 1),
        (0, 0, 0, 0),
    ]
    assert only(rows, "lower_bound_waits all_lower_bound_waits") == [(1, 2), (0, 0)]


def test_telephone_waits_have_a_row_for_every_month_and_queue() -> None:
    rows = (
        Alone()
        .given("staging.periods", *PERIODS)
        .given(
            "core.calls",
            "arrived_date queue outcome wait_seconds",
            ("2025-01-15", "main", "answered", 10),
            ("2025-01-15", "other", "answered", 20),
            ("2025-01-15", "silent", "missed", 30),
        )
        .run("marts.telephone_wait_monthly")
    )
    assert only(rows, "month queue answered wait_seconds_sum") == [
        ("2025-01-01", "main", 1, 10),
        ("2025-01-01", "other", 1, 20),
        ("2025-01-01", "silent", 0, 0),
        ("2025-02-01", "main", 0, 0),
        ("2025-02-01", "other", 0, 0),
        ("2025-02-01", "silent", 0, 0),
    ]


def test_answer_speed_counts_the_waits_that_a_second_more_or_less_would_put_in_another_bucket() -> None:
    rows = (
        Alone()
        .given("marts.missed_calls_monthly", "month queue", ("2025-01-01", "main"))
        .given(
            "core.calls",
            "speed_bucket wait_seconds",
            *(("0-30", wait) for wait in ("0", "29", "29.001")),
            *(("31-60", wait) for wait in ("30.999", "31", "59", "59.001", "60")),
            *(("61-90", wait) for wait in ("60.999", "61", "89", "89.001")),
            *(("91-120", wait) for wait in ("90.999", "91", "119", "119.001")),
            *(("121-300", wait) for wait in ("120.999", "121", "299", "299.001")),
            *(("300+", wait) for wait in ("300.999", "301")),
            arrived_date="2025-01-15",
            queue="main",
            outcome="answered",
        )
        .run("marts.answer_speed_monthly")
    )
    assert {row["speed_bucket"]: row["within_a_second_of_an_edge"] for row in rows} == {
        "0-30": 1,
        "31-60": 3,
        "61-90": 2,
        "91-120": 2,
        "121-300": 2,
        "300+": 1,
        "unknown": 0,
    }


def test_answer_speed_has_all_seven_buckets_for_every_month_and_queue() -> None:
    rows = (
        Alone()
        .given(
            "marts.missed_calls_monthly",
            "queue offered complete",
            ("main", 9, True),
            ("other", 0, False),
            month="2025-01-01",
        )
        .given(
            "core.calls",
            "arrived_date speed_bucket outcome is_answered wait_seconds",
            ("2025-01-01", "0-30", "answered", True, "29.001"),
            ("2025-01-31", "0-30", "answered", True, "29"),
            ("2025-01-15", "0-30", "outside_hours", True, "30"),
            ("2025-01-15", "31-60", "answered", True, "30.999"),
            ("2025-01-15", "31-60", "answered", True, "31"),
            ("2025-01-15", "300+", "answered", True, "300.5"),
            ("2025-01-15", "unknown", "answered", True, None),
            ("2025-01-15", None, "missed", False, "30"),
            ("2025-01-15", "0-30", "open", True, "30"),
            ("2025-01-15", "0-30", "excluded", True, "30"),
            queue="main",
        )
        .run("marts.answer_speed_monthly")
    )
    counts = "queue bucket_number speed_bucket answered all_answered within_a_second_of_an_edge offered_total complete"
    found = sorted(only(rows, counts))
    assert found[:7] == [
        ("main", 1, "0-30", 2, 3, 1, 9, True),
        ("main", 2, "31-60", 2, 2, 1, 9, True),
        ("main", 3, "61-90", 0, 0, 0, 9, True),
        ("main", 4, "91-120", 0, 0, 0, 9, True),
        ("main", 5, "121-300", 0, 0, 0, 9, True),
        ("main", 6, "300+", 1, 1, 1, 9, True),
        ("main", 7, "unknown", 1, 1, 0, 9, True),
    ]
    assert {row[3:] for row in found[7:]} == {(0, 0, 0, 0, False)}
    assert len(found) == 14


def test_visitor_waits_are_summed_by_cluster_and_whoever_has_none_is_counted_by_reason() -> None:
    reasons = ["walk_in", "cancelled", "no_show", "not_started", "impossible", "no_planned_time"]
    rows = (
        Alone()
        .given("staging.periods", *PERIODS)
        .given("core.clusters", "cluster", ("Wonen",), ("Wonen",), ("OCMW",))
        .given(
            "core.appointments",
            "visit_date visitor_wait_seconds arrival_based_wait_seconds is_served_early visitor_wait_reason cluster",
            ("2025-01-01", "90.5", "60", False, None, "Wonen"),
            ("2025-01-31", "0", None, True, None, "Wonen"),
            ("2025-01-31", "29.5", "15", False, None, "Wonen"),
            *(("2025-01-15", None, None, None, reason, "Wonen") for reason in reasons),
            ("2025-02-01", "30", "30", False, None, "unmapped"),
            (None, None, None, None, "walk_in", "Wonen"),
        )
        .run("marts.visitor_wait_monthly")
    )
    found = only(
        rows,
        "month cluster appointments visits wait_seconds_sum mean_wait_minutes served_early arrival_based_visits "
        "arrival_based_wait_seconds_sum complete",
    )
    assert found == [
        ("2025-01-01", "OCMW", 0, 0, 0, None, 0, 0, 0, True),
        ("2025-01-01", "Wonen", 9, 3, 120, pytest.approx(2 / 3), 1, 2, 75, True),
        ("2025-01-01", "unmapped", 0, 0, 0, None, 0, 0, 0, True),
        ("2025-02-01", "OCMW", 0, 0, 0, None, 0, 0, 0, False),
        ("2025-02-01", "Wonen", 0, 0, 0, None, 0, 0, 0, False),
        ("2025-02-01", "unmapped", 1, 1, 30, 0.5, 0, 1, 30, False),
    ]
    by_reason = only(rows, "walk_ins cancelled no_shows not_started impossible no_planned_time")
    assert by_reason == [(0,) * 6, (1,) * 6, *[(0,) * 6] * 4]


def test_lead_times_are_summed_by_cluster_and_channel_with_cancelled_and_desk_apart() -> None:
    rows = (
        Alone()
        .given("staging.periods", *PERIODS)
        .given(
            "core.appointments",
            "booked_date lead_time_variant lead_time_working_days last_lead_time_working_days lead_time_reason",
            ("2025-01-01", "headline", 2, 4, None),
            ("2025-01-31", "headline", 3, 5, None),
            ("2025-01-31", "headline", 4, None, None),
            ("2025-01-15", "cancelled", 6, 6, None),
            ("2025-01-15", "cancelled", 1, 0, None),
            ("2025-01-15", "desk_same_day", 1, 7, None),
            ("2025-01-15", "desk_same_day", 2, 7, None),
            ("2025-01-15", None, None, None, "planned_before_booked"),
            ("2025-01-15", None, None, None, "planned_before_booked"),
            ("2025-01-15", None, None, None, "outside_calendar"),
            (None, None, None, None, "not_recorded"),
            cluster="Wonen",
            is_walk_in=False,
        )
        .run("marts.appointment_lead_time_monthly")
    )
    assert only(
        rows, "month cluster booking_channel booked appointments working_days_sum mean_working_days complete"
    ) == [
        ("2025-01-01", "Wonen", "unknown", 10, 3, 9, 3.0, True),
        ("2025-02-01", "Wonen", "unknown", 0, 0, 0, None, False),
    ]
    apart = (
        "last_planned_appointments last_planned_working_days_sum cancelled cancelled_working_days_sum desk_same_day "
        "desk_same_day_working_days_sum planned_before_booked outside_calendar"
    )
    assert only(rows, apart) == [(2, 9, 2, 7, 2, 3, 2, 1), (0, 0, 0, 0, 0, 0, 0, 0)]


def test_lead_times_leave_walk_ins_out_and_have_a_row_for_each_cluster_and_channel_that_occurs() -> None:
    rows = (
        Alone()
        .given("staging.periods", *PERIODS)
        .given(
            "core.appointments",
            "cluster booking_channel booked_date is_walk_in",
            ("Wonen", "web", "2025-01-15", False),
            ("Wonen", "desk", "2025-01-15", False),
            ("OCMW", "desk", "2025-02-15", False),
            ("OCMW", "desk", "2025-02-15", False),
            ("OCMW", "desk", "2025-01-15", False),
            ("Mobiliteit", "desk", "2025-01-15", True),
        )
        .run("marts.appointment_lead_time_monthly")
    )
    assert only(rows, "month cluster booking_channel booked") == [
        ("2025-01-01", "OCMW", "desk", 1),
        ("2025-01-01", "Wonen", "desk", 1),
        ("2025-01-01", "Wonen", "web", 1),
        ("2025-02-01", "OCMW", "desk", 2),
        ("2025-02-01", "Wonen", "desk", 0),
        ("2025-02-01", "Wonen", "web", 0),
    ]


# --- the five indicators ---------------------------------------------------------------------------------------------


def figures(rows: list[dict[str, Any]], columns: str = "numerator denominator", **where: str) -> list[tuple[Any, ...]]:
    """Some figures as `2025-01-01`, dimension, and the columns asked for: months first, then years."""
    found = [row for row in rows if all(row[name] == value for name, value in where.items())]
    return only(found, f"period_type period dimension {columns}")


def test_the_figures_of_missed_calls_are_summed_over_queues_and_months() -> None:
    rows = (
        Alone()
        .given(
            "marts.missed_calls_monthly",
            "month queue missed offered missed_short_abandons reported_missed reported_records",
            ("2025-01-01", "main", 1, 4, 1, 5, 10),
            ("2025-01-01", "other", 0, 1, 0, 0, 1),
            ("2025-02-01", "main", 2, 5, 1, 2, 5),
            ("2025-02-01", "other", 0, 0, 0, 0, 0),
        )
        .given(
            "staging.uncertain_calls",
            "period_type period undecided missed answered",
            ("month", "2025-01-01", 2, 0, 0),
            ("year", "2025-01-01", 3, 2, 4),
        )
        .run("staging.values_missed_calls")
    )
    assert figures(rows, variant="headline", dimension_type="all") == [
        ("month", "2025-01-01", "all", 1, 5),
        ("month", "2025-02-01", "all", 2, 5),
        ("year", "2025-01-01", "all", 3, 10),
    ]
    assert figures(rows, variant="headline", dimension_type="queue") == [
        ("month", "2025-01-01", "main", 1, 4),
        ("month", "2025-01-01", "other", 0, 1),
        ("month", "2025-02-01", "main", 2, 5),
        ("month", "2025-02-01", "other", 0, 0),
        ("year", "2025-01-01", "main", 3, 9),
        ("year", "2025-01-01", "other", 0, 1),
    ]
    year = {row["variant"]: row for row in rows if row["period_type"] == "year" and row["dimension"] == "all"}
    assert {name: (row["numerator"], row["denominator"]) for name, row in year.items()} == {
        "headline": (3, 10),
        "reported": (7, 16),
        "without_short_abandons": (1, 8),
        "lowest_possible": (1, 13),
        "highest_possible": (10, 13),
    }
    # of what is uncertain nobody knows the queue
    assert figures(rows, variant="lowest_possible") == [
        ("month", "2025-01-01", "all", 1, 7),
        ("month", "2025-02-01", "all", 2, 5),
        ("year", "2025-01-01", "all", 1, 13),
    ]
    assert figures(rows, variant="highest_possible") == [
        ("month", "2025-01-01", "all", 3, 7),
        ("month", "2025-02-01", "all", 2, 5),
        ("year", "2025-01-01", "all", 10, 13),
    ]
    assert {tuple(row[name] for name in CONSTANTS) for row in rows} == {
        ("missed_calls", "percent", "no_calls", False, "calls")
    }


CONSTANTS = ("indicator", "unit", "reason_if_none", "is_lower_bound", "basis")


def test_the_figures_of_the_telephone_wait_are_exact_sums_and_marked_where_a_wait_is_a_lower_bound() -> None:
    rows = (
        Alone()
        .given(
            "marts.telephone_wait_monthly",
            "month queue wait_seconds_sum waits queue_wait_seconds_sum queue_waits all_wait_seconds_sum all_waits "
            "lower_bound_waits all_lower_bound_waits",
            ("2025-01-01", "main", "30.003", 2, "12.5", 3, "90.003", 4, 0, 0),
            ("2025-01-01", "other", "10", 1, "1", 1, "10", 1, 1, 1),
            ("2025-02-01", "main", "5", 1, "5", 1, "5", 1, 0, 1),
        )
        .run("staging.values_telephone_wait")
    )
    assert figures(rows, "numerator denominator is_lower_bound", variant="headline") == [
        ("month", "2025-01-01", "all", Decimal("40.003"), 3, True),
        ("month", "2025-01-01", "main", Decimal("30.003"), 2, False),
        ("month", "2025-01-01", "other", 10, 1, True),
        ("month", "2025-02-01", "all", 5, 1, False),
        ("month", "2025-02-01", "main", 5, 1, False),
        ("year", "2025-01-01", "all", Decimal("45.003"), 4, True),
        ("year", "2025-01-01", "main", Decimal("35.003"), 3, False),
        ("year", "2025-01-01", "other", 10, 1, True),
    ]
    year = [row for row in rows if row["period_type"] == "year" and row["dimension"] == "all"]
    assert only(year, "variant numerator denominator is_lower_bound") == [
        ("action_plan", Decimal("45.003"), 4, True),
        ("all_answered", Decimal("105.003"), 6, True),
        ("headline", Decimal("45.003"), 4, True),
        ("queue_wait", Decimal("18.5"), 5, False),
    ]
    main = [row for row in rows if row["dimension"] == "main" and row["variant"] in ("all_answered", "queue_wait")]
    assert only(main, "variant period_type period is_lower_bound") == [
        ("all_answered", "month", "2025-01-01", False),
        ("all_answered", "month", "2025-02-01", True),
        ("all_answered", "year", "2025-01-01", True),
        ("queue_wait", "month", "2025-01-01", False),
        ("queue_wait", "month", "2025-02-01", False),
        ("queue_wait", "year", "2025-01-01", False),
    ]
    assert {row["dimension"]: row["dimension_type"] for row in rows} == {
        "all": "all",
        "main": "queue",
        "other": "queue",
    }
    assert set(only(rows, "indicator unit reason_if_none basis")) == {
        ("telephone_wait", "seconds", "no_answered_calls", "calls")
    }


def test_the_figures_of_the_answer_speed_are_shares_of_the_calls_with_a_usable_wait() -> None:
    rows = (
        Alone()
        .given(
            "marts.telephone_wait_monthly",
            "month lower_bound_waits all_lower_bound_waits",
            ("2025-01-01", 1, 1),
            ("2025-02-01", 0, 1),
        )
        .given(
            "marts.answer_speed_monthly",
            "month queue speed_bucket answered all_answered offered_total",
            ("2025-01-01", "main", "0-30", 6, 7, 12),
            ("2025-01-01", "main", "31-60", 2, 2, 12),
            ("2025-01-01", "main", "unknown", 1, 1, 12),
            ("2025-01-01", "other", "0-30", 1, 1, 3),
            ("2025-01-01", "other", "31-60", 1, 2, 3),
            ("2025-01-01", "other", "unknown", 0, 0, 3),
            ("2025-02-01", "main", "0-30", 0, 3, 1),
            ("2025-02-01", "main", "31-60", 0, 0, 1),
            ("2025-02-01", "main", "unknown", 1, 2, 1),
        )
        .run("staging.values_answer_speed")
    )
    assert figures(rows, "numerator denominator is_lower_bound", variant="headline") == [
        ("month", "2025-01-01", "0-30", 7, 10, True),
        ("month", "2025-01-01", "31-60", 3, 10, True),
        ("month", "2025-01-01", "unknown", 1, None, True),
        ("month", "2025-02-01", "0-30", 0, 0, False),
        ("month", "2025-02-01", "31-60", 0, 0, False),
        ("month", "2025-02-01", "unknown", 1, None, False),
        ("year", "2025-01-01", "0-30", 7, 10, True),
        ("year", "2025-01-01", "31-60", 3, 10, True),
        ("year", "2025-01-01", "unknown", 2, None, True),
    ]
    february = {(row["variant"], row["is_lower_bound"]) for row in rows if row["period"] == "2025-02-01"}
    assert february == {("headline", False), ("all_answered", True), ("of_offered", False)}
    year = [row for row in rows if row["period_type"] == "year" and row["variant"] != "headline"]
    assert only(year, "variant dimension numerator denominator reason_if_none") == [
        ("all_answered", "0-30", 11, 15, "no_answered_calls"),
        ("all_answered", "31-60", 4, 15, "no_answered_calls"),
        ("all_answered", "unknown", 3, None, "outside_the_shares"),
        ("of_offered", "0-30", 7, 16, "no_calls"),
        ("of_offered", "31-60", 3, 16, "no_calls"),
        ("of_offered", "unknown", 2, None, "outside_the_shares"),
    ]
    assert set(only(rows, "indicator dimension_type unit basis")) == {
        ("answer_speed", "speed_bucket", "percent", "calls")
    }


def test_the_figures_of_the_answer_speed_are_no_lower_bound_where_every_clock_starts_in_time() -> None:
    rows = (
        Alone()
        .given("marts.telephone_wait_monthly", "lower_bound_waits all_lower_bound_waits", (0, 0), month="2025-01-01")
        .given("marts.answer_speed_monthly", "month speed_bucket", ("2025-01-01", "0-30"))
        .run("staging.values_answer_speed")
    )
    assert {row["is_lower_bound"] for row in rows} == {False}


def test_the_figures_of_the_visitor_wait_are_in_minutes_and_the_share_served_early_in_percent() -> None:
    rows = (
        Alone()
        .given(
            "marts.visitor_wait_monthly",
            "month cluster wait_seconds_sum visits arrival_based_wait_seconds_sum arrival_based_visits served_early",
            ("2025-01-01", "Wonen", "90", 2, "30", 1, 1),
            ("2025-01-01", "OCMW", "61", 1, "0", 0, 0),
            ("2025-02-01", "Wonen", "30", 1, "15", 1, 1),
        )
        .run("staging.values_visitor_wait")
    )
    assert figures(rows, variant="headline") == [
        ("month", "2025-01-01", "all", Decimal("2.516667"), 3),
        ("month", "2025-01-01", "OCMW", Decimal("1.016667"), 1),
        ("month", "2025-01-01", "Wonen", Decimal("1.5"), 2),
        ("month", "2025-02-01", "all", Decimal("0.5"), 1),
        ("month", "2025-02-01", "Wonen", Decimal("0.5"), 1),
        ("year", "2025-01-01", "all", Decimal("3.016667"), 4),
        ("year", "2025-01-01", "OCMW", Decimal("1.016667"), 1),
        ("year", "2025-01-01", "Wonen", 2, 3),
    ]
    year = [row for row in rows if row["period_type"] == "year" and row["dimension"] == "Wonen"]
    assert only(year, "variant numerator denominator unit reason_if_none") == [
        ("arrival_based", Decimal("0.75"), 2, "minutes", "no_check_ins"),
        ("headline", 2, 3, "minutes", "no_visits"),
        ("served_early", 2, 3, "percent", "no_visits"),
    ]
    assert {row["dimension"]: row["dimension_type"] for row in rows} == {
        "all": "all",
        "OCMW": "cluster",
        "Wonen": "cluster",
    }
    assert set(only(rows, "indicator is_lower_bound basis")) == {("visitor_wait", False, "visits")}


def test_the_figures_of_the_lead_time_are_summed_by_cluster_and_by_channel() -> None:
    sums = (
        "working_days_sum appointments last_planned_working_days_sum last_planned_appointments "
        "cancelled_working_days_sum cancelled desk_same_day_working_days_sum desk_same_day"
    )
    rows = (
        Alone()
        .given(
            "marts.appointment_lead_time_monthly",
            f"month cluster booking_channel {sums}",
            ("2025-01-01", "Wonen", "web", 5, 2, 7, 2, 9, 3, 0, 1),
            ("2025-01-01", "Wonen", "desk", 1, 1, 1, 1, 0, 0, 2, 0),
            ("2025-02-01", "OCMW", "web", 4, 1, 4, 1, 1, 1, 3, 2),
        )
        .run("staging.values_lead_time")
    )
    assert figures(rows, variant="headline") == [
        ("month", "2025-01-01", "all", 6, 3),
        ("month", "2025-01-01", "desk", 1, 1),
        ("month", "2025-01-01", "web", 5, 2),
        ("month", "2025-01-01", "Wonen", 6, 3),
        ("month", "2025-02-01", "all", 4, 1),
        ("month", "2025-02-01", "web", 4, 1),
        ("month", "2025-02-01", "OCMW", 4, 1),
        ("year", "2025-01-01", "all", 10, 4),
        ("year", "2025-01-01", "desk", 1, 1),
        ("year", "2025-01-01", "web", 9, 3),
        ("year", "2025-01-01", "OCMW", 4, 1),
        ("year", "2025-01-01", "Wonen", 6, 3),
    ]
    year = [row for row in rows if row["period_type"] == "year" and row["dimension"] == "all"]
    assert only(year, "variant numerator denominator") == [
        ("cancelled", 10, 4),
        ("desk_same_day", 5, 3),
        ("headline", 10, 4),
        ("last_planned", 12, 4),
    ]
    assert {row["dimension"]: row["dimension_type"] for row in rows} == {
        "all": "all",
        "desk": "booking_channel",
        "web": "booking_channel",
        "OCMW": "cluster",
        "Wonen": "cluster",
    }
    assert {tuple(row[name] for name in CONSTANTS) for row in rows} == {
        ("lead_time", "working_days", "no_appointments", False, "bookings")
    }


FIGURE = {
    "indicator": "missed_calls",
    "variant": "headline",
    "period_type": "month",
    "period": "2025-01-01",
    "dimension_type": "all",
    "dimension": "all",
    "unit": "percent",
    "reason_if_none": "no_calls",
    "is_lower_bound": False,
    "basis": "calls",
}
NORM = {name: FIGURE[name] for name in ("indicator", "variant", "period_type", "dimension_type", "dimension")}
ALWAYS = {"valid_from": "2016-01-01", "valid_to": "9999-12-31"}


def test_indicators_hold_the_exact_quotient_against_the_norm() -> None:
    rows = (
        Alone()
        .given("staging.periods", *PERIODS)
        .given(
            "core.norms",
            "dimension operator value",
            ("at most a fifth", "<=", 20),
            ("less than a fifth", "<", 20),
            ("at least a fifth", ">=", 20),
            ("more than a third", "<=", "33.333333"),
            ("nothing", "<=", 20),
            ("unknown", "<=", 20),
            ("seconds", "<", 45),
            **{**NORM, **ALWAYS},
        )
        .given(
            "staging.values_missed_calls",
            "dimension numerator denominator unit",
            ("at most a fifth", 1, 5, "percent"),
            ("less than a fifth", 1, 5, "percent"),
            ("at least a fifth", 1, 5, "percent"),
            ("more than a third", 1, 3, "percent"),
            ("nothing", 0, 0, "percent"),
            ("unknown", 3, None, "percent"),
            ("seconds", "89.999", 2, "seconds"),
            ("without a norm", 1, 4, "percent"),
            **FIGURE,
        )
        .run("marts.indicators")
    )
    assert only(rows, "dimension value value_reason norm_operator norm_value norm_met") == [
        ("at least a fifth", 20.0, None, ">=", 20, True),
        ("at most a fifth", 20.0, None, "<=", 20, True),
        ("less than a fifth", 20.0, None, "<", 20, False),
        ("more than a third", pytest.approx(100 / 3), None, "<=", Decimal("33.333333"), False),
        ("nothing", None, "no_calls", "<=", 20, None),
        ("seconds", 44.9995, None, "<", 45, True),
        ("unknown", None, "no_calls", "<=", 20, None),
        ("without a norm", 25.0, None, None, None, None),
    ]


def test_indicators_have_the_norm_of_the_last_day_of_the_period_for_the_same_thing() -> None:
    rows = (
        Alone()
        .given("staging.periods", *PERIODS)
        .given(
            "core.norms",
            "period_type value valid_from valid_to variant dimension_type",
            ("month", 10, "2016-01-01", "2025-01-30", "headline", "all"),
            ("month", 11, "2025-01-31", "2025-02-27", "headline", "all"),
            ("month", 12, "2025-02-28", "9999-12-31", "headline", "all"),
            ("year", 20, "2016-01-01", "2025-12-30", "headline", "all"),
            ("year", 21, "2025-12-31", "2025-12-31", "headline", "all"),
            ("year", 22, "2026-01-01", "9999-12-31", "headline", "all"),
            ("month", 90, "2016-01-01", "9999-12-31", "reported", "all"),
            ("month", 91, "2016-01-01", "9999-12-31", "headline", "queue"),
            **{"indicator": "missed_calls", "dimension": "all", "operator": "<="},
        )
        .given(
            "staging.values_missed_calls",
            "period_type period",
            ("month", "2025-01-01"),
            ("month", "2025-02-01"),
            ("year", "2025-01-01"),
            **{**FIGURE, "numerator": 1, "denominator": 5},
        )
        .run("marts.indicators")
    )
    assert only(rows, "period_type period norm_value") == [
        ("month", "2025-01-01", 11),
        ("month", "2025-02-01", 12),
        ("year", "2025-01-01", 21),
    ]


def test_indicators_are_those_of_all_five_and_complete_by_the_periods_of_their_own_kind() -> None:
    (missed, wait, speed, visitor, lead) = (
        {**FIGURE, "indicator": indicator, "basis": basis}
        for indicator, basis in (
            ("missed_calls", "calls"),
            ("telephone_wait", "calls"),
            ("answer_speed", "calls"),
            ("visitor_wait", "visits"),
            ("lead_time", "bookings"),
        )
    )
    rows = (
        Alone()
        .given(
            "staging.periods",
            "basis period_type complete",
            ("calls", "month", True),
            ("calls", "year", False),
            ("visits", "month", False),
            ("bookings", "month", True),
            period="2025-01-01",
        )
        .given("staging.values_missed_calls", "numerator denominator", (1, 5), **missed)
        .given("staging.values_telephone_wait", "numerator denominator is_lower_bound", (1, 5, True), **wait)
        .given("staging.values_answer_speed", "numerator denominator", (1, 5), **speed)
        .given("staging.values_visitor_wait", "numerator denominator", (1, 5), **visitor)
        .given("staging.values_lead_time", "numerator denominator", (1, 5), **lead)
        .run("marts.indicators")
    )
    assert only(rows, "indicator numerator denominator complete is_lower_bound") == [
        ("answer_speed", 1, 5, True, False),
        ("lead_time", 1, 5, True, False),
        ("missed_calls", 1, 5, True, False),
        ("telephone_wait", 1, 5, True, True),
        ("visitor_wait", 1, 5, False, False),
    ]


# --- what is uncertain -----------------------------------------------------------------------------------------------


def uncertain_of(
    columns: str,
    *records: tuple[Any, ...],
    bad: tuple[tuple[int, int], ...] = ((1, 1),),
    opened: tuple[tuple[Any, ...], ...] = (),
    counts: str = "undecided",
    **common: Any,
) -> list[tuple[Any, ...]]:
    """How many calls are uncertain if the records of these files and lines are in quarantine.

    The telephone is open on Monday 10 March, 9-12, the desk all day. `opened` are calls: id, date, outcome, whether
    inside.
    """
    told = {"file_id": 1, "source": "phone", "call_source": "phone", "is_replaced": False}
    told |= {"file_name": "a", "exported_at_utc": "2025-03-11"}
    rows = (
        Alone()
        .given("input.files", "file_id export_date", (1, "2025-03-11"), (2, "2025-05-01"))
        .given(
            "staging.day_segments",
            "service_point starts_local ends_local is_open",
            ("telephone", monday("00:00"), monday("09:00"), False),
            ("telephone", monday("09:00"), monday("12:00"), True),
            ("telephone", monday("12:00"), TUESDAY, False),
            ("desk", monday("00:00"), TUESDAY, True),
            date=MONDAY,
        )
        .given("staging.call_records", columns, *records, **{**told, **common})
        .given("staging.call_quarantine", "file_id line", *bad)
        .given("core.calls", "call_id arrived_date outcome is_within_opening_hours", *opened, source="phone")
        .run("staging.uncertain_calls")
    )
    return only(rows, f"period_type period {counts}")


def test_calls_still_open_are_uncertain_in_their_month_and_in_their_year_if_they_arrived_inside() -> None:
    opened = (
        ("a", "2025-01-31", "open", True),
        ("b", "2025-02-01", "open", True),
        ("c", "2025-02-28", "open", True),
        ("d", "2025-02-28", "open", False),
        ("e", "2025-02-28", "missed", True),
    )
    assert uncertain_of("line", opened=opened) == [
        ("month", "2025-01-01", 1),
        ("month", "2025-02-01", 2),
        ("year", "2025-01-01", 3),
    ]


@pytest.mark.parametrize(
    ("arrived", "is_uncertain"),
    [
        (monday("08:59:59"), False),
        (monday("09:00:00"), True),
        (monday("11:59:59"), True),
        (monday("12:00:00"), False),
        ("2025-03-12 10:00:00", True),
    ],
    ids=["before opening", "at opening", "before closing", "at closing", "on a day without hours"],
)
def test_a_record_in_quarantine_is_uncertain_unless_it_arrived_while_the_telephone_was_closed(
    arrived: str, is_uncertain: bool
) -> None:
    months = [("month", "2025-03-01", 1), ("year", "2025-01-01", 1)]
    assert uncertain_of("line arrived_local", (1, arrived), (2, monday("10:00"))) == (months if is_uncertain else [])


def test_records_in_quarantine_and_calls_still_open_are_uncertain_together() -> None:
    opened = (("a", "2025-03-10", "open", True),)
    records = ((1, monday("10:00")), (2, monday("10:00")))
    assert uncertain_of("line arrived_local", *records, bad=((1, 1), (1, 2)), opened=opened) == [
        ("month", "2025-03-01", 3),
        ("year", "2025-01-01", 3),
    ]


@pytest.mark.parametrize(
    ("bad", "other", "calls"),
    [
        ({}, {}, 0),
        ({}, {"record_key": "another"}, 1),
        ({"record_key": None}, {"record_key": None}, 1),
        ({}, {"exported_at_utc": "2025-03-10"}, 1),
        ({}, {"exported_at_utc": "2025-03-11", "file_name": "b"}, 0),
        ({"file_name": "b"}, {"exported_at_utc": "2025-03-11"}, 1),
        ({}, {"exported_at_utc": "2025-03-11"}, 0),
        ({}, {"source": "other"}, 1),
        ({}, {"is_replaced": True}, 1),
        ({}, {"file_id": 3}, 1),
        ({"is_replaced": True}, {"record_key": "another"}, 0),
        ({"exclusion_rule": "fax"}, {"record_key": "another"}, 0),
    ],
    ids=[
        "corrected by a newer version",
        "another call beside it",
        "without a key each is a call of its own",
        "the newest version is that in quarantine",
        "corrected by a version of the same instant, by file name",
        "the newest version by file name is that in quarantine",
        "corrected by a version of the same instant and file, by line",
        "the same key in another source",
        "the newer version was replaced",
        "the newer version is in quarantine too",
        "in a file that was replaced",
        "excluded by a rule",
    ],
)
def test_only_the_newest_version_of_a_record_is_uncertain(
    bad: dict[str, Any], other: dict[str, Any], calls: int
) -> None:
    told = {"file_id": 1, "record_key": "call", "source": "phone", "exported_at_utc": "2025-03-11", "file_name": "a"}
    told |= {"is_replaced": False, "exclusion_rule": None, "arrived_local": monday("10:00")}
    records = ({**told, "line": 1, **bad}, {**told, "line": 2, "exported_at_utc": "2025-03-12", **other})
    found = uncertain_of(" ".join(records[0]), *(tuple(record.values()) for record in records), bad=((1, 1), (3, 2)))
    assert [row[2] for row in found if row[0] == "month"] == ([calls] if calls else [])


def test_a_record_in_quarantine_without_a_date_is_uncertain_in_each_month_that_its_file_tells_of() -> None:
    found = uncertain_of(
        "file_id line arrived_local quarantine_reason",
        (1, 1, None, "no date"),
        (1, 2, "2025-01-30 10:00", None),
        (1, 3, "2025-01-31 10:00", None),
        (1, 4, "2025-02-01 10:00", None),
        # of file 2 no readable record tells a day, so it counts in the month of the export
        (2, 1, None, "no date"),
        (2, 2, None, "no date"),
        (2, 3, "2025-03-10 08:00", "no number"),
        bad=((1, 1), (2, 1), (2, 2), (2, 3)),
    )
    assert found == [
        ("month", "2025-01-01", 1),
        ("month", "2025-02-01", 1),
        ("month", "2025-05-01", 2),
        ("year", "2025-01-01", 3),
    ]


@pytest.mark.parametrize(
    ("outcome", "counted"),
    [("missed", (0, 1, 0)), ("answered", (0, 0, 1)), ("outside_hours", None), ("excluded", None)],
)
def test_a_call_of_which_a_record_is_in_quarantine_is_doubted_once_as_what_the_others_made_it(
    outcome: str, counted: tuple[int, int, int] | None
) -> None:
    found = uncertain_of(
        "line call_id record_key arrived_local",
        (1, "call", "leg 1", monday("10:00")),
        (2, "call", "leg 2", monday("10:01")),
        bad=((1, 1), (1, 2)),
        opened=(("call", "2025-03-10", outcome, True),),
        counts="undecided missed answered",
    )
    assert found == ([] if counted is None else [("month", "2025-03-01", *counted), ("year", "2025-01-01", *counted)])


@pytest.mark.parametrize(
    ("days_of_the_newer_one", "arrived", "calls"),
    [
        (("2025-03-09 10:00", "2025-03-11 10:00"), monday("10:00"), 0),
        (("2025-03-11 10:00", "2025-03-12 10:00"), monday("10:00"), 1),
        (("2025-03-09 10:00", "2025-03-11 10:00"), None, 0),
        (("2025-03-11 10:00", "2025-03-12 10:00"), None, 1),
    ],
    ids=["its day replaced", "its day not replaced", "all days of its file replaced", "a day of its file left"],
)
def test_without_ids_what_a_newer_export_replaced_is_in_doubt_no_more(
    days_of_the_newer_one: tuple[str, str], arrived: str | None, calls: int
) -> None:
    found = uncertain_of(
        "file_id line exported_at_utc arrived_local quarantine_reason",
        (1, 1, "2025-03-12", arrived, "no number"),
        (1, 2, "2025-03-12", monday("11:00"), None),
        *((2, line, "2025-03-13", day, None) for line, day in enumerate(days_of_the_newer_one)),
        replaces_dates=True,
    )
    assert [row[2] for row in found if row[0] == "month"] == ([calls] if calls else [])


# --- what looks wrong ------------------------------------------------------------------------------------------------


def tripped(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return only(rows, "source month affected total")


def test_calls_that_a_person_answered_are_counted_by_source_month_weekday_and_hour_of_arrival() -> None:
    rows = (
        Alone()
        .given(
            "core.calls",
            "source arrived_date arrived_local outcome is_answered",
            *(
                (source, moment[:10], moment, outcome, is_answered)
                for source, moment, outcome, is_answered in (
                    ("phone", "2025-03-10 09:00:00", "answered", True),
                    ("phone", "2025-03-17 09:59:59", "answered", True),
                    ("phone", "2025-03-17 09:30:00", "outside_hours", True),
                    ("phone", "2025-03-10 09:30:00", "outside_hours", False),
                    ("phone", "2025-03-10 09:30:00", "missed", False),
                    ("phone", "2025-03-10 09:30:00", "open", True),
                    ("phone", "2025-03-10 09:30:00", "excluded", True),
                    ("phone", "2025-03-10 10:00:00", "answered", True),
                    ("phone", "2025-03-16 09:00:00", "answered", True),
                    ("phone", "2025-04-07 09:00:00", "answered", True),
                    ("other", "2025-03-10 09:00:00", "outside_hours", True),
                )
            ),
        )
        .run("staging.answered_by_hour")
    )
    assert only(rows, "source month weekday hour answered outside") == [
        ("other", "2025-03-01", 1, 9, 1, 1),
        ("phone", "2025-03-01", 1, 9, 3, 1),
        ("phone", "2025-03-01", 1, 10, 1, 0),
        ("phone", "2025-03-01", 7, 9, 1, 0),
        ("phone", "2025-04-01", 1, 9, 1, 0),
    ]


def answered_outside(columns: str, *hours: tuple[Any, ...], share: str = "0.1") -> list[dict[str, Any]]:
    """The trips at more than a share of the answered calls, and at least three of them."""
    told = {"source": "phone", "month": "2025-03-01", "weekday": 1, "hour": 8}
    return (
        Alone()
        .given("input.tripwires", "answered_outside_hours_share answered_outside_hours_calls", (share, 3))
        .given("staging.answered_by_hour", columns, *hours, **told)
        .run("staging.trips_answered_outside_hours")
    )


@pytest.mark.parametrize(
    ("outside", "answered", "trips"),
    [(10, 100, False), (11, 100, True), (2, 10, False), (3, 10, True), (0, 0, False)],
    ids=["exactly the share", "more than the share", "too few calls", "just enough calls", "none at all"],
)
def test_more_than_a_share_of_the_answered_calls_outside_opening_hours_trips(
    outside: int, answered: int, trips: bool
) -> None:
    rows = answered_outside("outside answered", (outside, answered))
    assert tripped(rows) == ([("phone", "2025-03-01", outside, answered)] if trips else [])


def test_calls_answered_outside_opening_hours_are_added_up_by_source_and_month() -> None:
    rows = answered_outside(
        "source month hour outside answered",
        ("phone", "2025-03-01", 7, 2, 2),
        ("phone", "2025-03-01", 8, 1, 20),
        ("phone", "2025-04-01", 7, 2, 2),
        ("other", "2025-03-01", 7, 5, 6),
    )
    assert tripped(rows) == [("other", "2025-03-01", 5, 6), ("phone", "2025-03-01", 3, 22)]


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        (
            [(7, 23, 12, 40), (1, 9, 0, 60)],
            "12 % of the answered calls of {} lie {} (12 of 100), most on Sundays 23-24 h: {}",
        ),
        ([(1, 8, 15, 120)], "12 % of the answered calls of {} lie {} (15 of 120), most on Mondays 8-9 h: {}"),
        (
            [(2, 7, 4, 4), (1, 9, 4, 4), (1, 8, 4, 4), (1, 7, 3, 3)],
            "100 % of the answered calls of {} lie {} (15 of 15), most on Mondays 8-9 h: {}",
        ),
    ],
    ids=["the hour", "a rounded share", "of hours that are alike the first of the week"],
)
def test_calls_answered_outside_opening_hours_are_told_with_the_hour_of_most(
    hours: list[tuple[int, int, int, int]], told: str
) -> None:
    (row,) = answered_outside("weekday hour outside answered", *hours)
    parts = ("source 'phone' in March 2025", "outside the opening hours", "is the zone or the calendar right?")
    assert only([row], "tripwire sentence") == [("answered_outside_hours", told.format(*parts))]


def test_less_than_a_tenth_of_calls_answered_outside_opening_hours_is_told_with_a_decimal() -> None:
    (tenth,) = answered_outside("outside answered", (10, 100), share="0.02")
    (less,) = answered_outside("outside answered", (55, 1000), share="0.02")
    assert (tenth["sentence"][:5], less["sentence"][:5]) == ("10 % ", "5.5 %")


def disagreed(*counts: tuple[int, str, bool, bool | None, bool, str], least: int = 1) -> list[dict[str, Any]]:
    """The trips of so many calls each: when, whether within our hours, the source's mark, answered, and the outcome."""
    calls = [
        (moment[:10], moment, is_inside, mark, is_answered, outcome)
        for number, moment, is_inside, mark, is_answered, outcome in counts
        for _ in range(number)
    ]
    return (
        Alone()
        .given("input.tripwires", "hours_disagree_calls", (least,))
        .given(
            "core.calls",
            "arrived_date arrived_local is_within_opening_hours is_marked_outside_hours is_answered outcome",
            *calls,
            source="phone",
        )
        .run("staging.trips_hours_disagree")
    )


def test_calls_on_which_the_source_and_the_calendar_disagree_are_told_with_both_counts_and_the_hour_of_most() -> None:
    rows = disagreed(
        (3, "2025-03-10 09:59:59", True, True, False, "missed"),
        (1, "2025-03-11 10:00:00", True, True, True, "answered"),
        (2, "2025-03-10 12:10:00", False, False, False, "outside_hours"),
        # both agree
        (4, "2025-03-10 13:10:00", True, False, False, "missed"),
        (5, "2025-03-10 07:10:00", False, True, False, "outside_hours"),
        # of a time in which the source did not mark
        (6, "2025-03-10 07:10:00", False, None, False, "outside_hours"),
    )
    assert [tuple(row.values()) for row in rows] == [
        (
            "hours_disagree",
            "phone",
            "2025-03-01",
            6,
            15,
            "source 'phone' in March 2025 marks 4 of its calls as outside opening hours that arrived inside ours, and "
            "does not mark 2 of its missed calls that arrived outside ours, most on Mondays 9-10 h: is the calendar "
            "right, or the telephone's own schedule?",
        )
    ]


@pytest.mark.parametrize(
    ("is_inside", "mark", "is_answered", "outcome", "trips"),
    [
        (True, True, True, "answered", True),
        (True, True, False, "excluded", False),
        (True, True, False, "open", False),
        (False, False, False, "excluded", False),
        (False, False, False, "open", False),
        (False, False, True, "outside_hours", False),
        (False, None, False, "outside_hours", False),
        (False, False, False, "outside_hours", True),
    ],
    ids=[
        "answered and marked",
        "excluded and marked",
        "open and marked",
        "excluded",
        "open",
        "answered by nobody who marks",
        "of a source without marks",
        "missed and not marked",
    ],
)
def test_calls_excluded_open_answered_unmarked_or_of_a_source_without_marks_disagree_with_nobody(
    is_inside: bool, mark: bool | None, is_answered: bool, outcome: str, trips: bool
) -> None:
    rows = disagreed((1, "2025-03-10 09:00:00", is_inside, mark, is_answered, outcome))
    assert bool(rows) is trips


def test_a_disagreement_needs_so_many_calls_of_both_kinds_together_in_one_month() -> None:
    marked = (2, "2025-03-10 09:00:00", True, True, False, "missed")
    unmarked = (1, "2025-03-10 07:00:00", False, False, False, "outside_hours")
    later = (1, "2025-04-07 07:00:00", False, False, False, "outside_hours")
    assert tripped(disagreed(marked, unmarked, later, least=3)) == [("phone", "2025-03-01", 3, 3)]
    assert disagreed(marked, unmarked, later, least=4) == []


def test_of_hours_on_which_source_and_calendar_disagree_alike_the_first_of_the_week_is_told() -> None:
    (row,) = disagreed(
        *(
            (1, moment, True, True, False, "missed")
            for moment in ("2025-03-11 09:00:00", "2025-03-10 11:00:00", "2025-03-17 10:00:00")
        )
    )
    assert "most on Mondays 10-11 h:" in row["sentence"]


def empty_days(
    as_of: str = "2025-04-02 16:00",
    valid: tuple[str, str] = ("0001-01-01", "9999-12-31"),
    kind: str = "calls",
) -> list[dict[str, Any]]:
    """The trips where the first call came on 11 March, the next on 13 March and 1 April; 10-14 March and 1-2 April
    are open until 16:00.
    """
    days = ("2025-03-10", "2025-03-11", "2025-03-12", "2025-03-13", "2025-03-14", "2025-04-01", "2025-04-02")
    return (
        Alone()
        .given("staging.as_of", "as_of_local", (as_of,))
        .given("input.sources", "source kind valid_from valid_to", ("phone", kind, *valid), ("silent", "calls", *valid))
        .given(
            "core.calendar",
            "service_point date is_open closes_local",
            *(("telephone", day, True, f"{day} 16:00") for day in days),
            ("telephone", "2025-03-15", False, "2025-03-15 16:00"),
            ("desk", "2025-03-16", True, "2025-03-16 16:00"),
        )
        .given(
            "staging.calls_by_log",
            "source date",
            ("phone", "2025-03-11"),
            ("phone", "2025-03-13"),
            ("phone", "2025-04-01"),
            ("undeclared", "2025-03-12"),
        )
        .run("staging.trips_open_day_without_calls")
    )


def test_open_days_without_a_call_of_a_source_trip_from_its_first_call_to_the_newest_export() -> None:
    rows = empty_days()
    assert tripped(rows) == [("phone", "2025-03-01", 2, 4), ("phone", "2025-04-01", 1, 2)]
    assert only(rows, "tripwire sentence")[0] == (
        "open_day_without_calls",
        "source 'phone' has no call on 2 of the 4 open days of March 2025: Wed 12, Fri 14. Was the telephone closed, "
        "or is an export missing?",
    )


@pytest.mark.parametrize(
    ("what_differs", "months"),
    [
        ({"as_of": "2025-04-02 15:59"}, [(2, 4)]),
        ({"as_of": "2025-03-14 16:00"}, [(2, 4)]),
        ({"as_of": "2025-03-14 15:59"}, [(1, 3)]),
        ({"as_of": None}, []),
        ({"valid": ("2025-03-13", "2025-03-14")}, [(1, 2)]),
        ({"valid": ("2025-03-12", "2025-03-13")}, [(1, 2)]),
        ({"kind": "appointments"}, []),
    ],
    ids=[
        "a day that has not closed yet",
        "a day that closed this moment",
        "a day that closes in a minute",
        "without any export",
        "before the source is expected",
        "after the source was expected",
        "a source of appointments",
    ],
)
def test_a_day_without_a_call_trips_only_once_it_has_closed_and_if_the_source_is_expected_to_deliver(
    what_differs: dict[str, Any], months: list[tuple[int, int]]
) -> None:
    assert only(empty_days(**what_differs), "affected total") == months


MONDAYS = [str(day) for day in days_between(date(2025, 1, 6), date(2025, 3, 31)) if day.isoweekday() == 1]


def quiet_days(
    *calls: int,
    days: list[str] = MONDAYS,
    half_days: tuple[str, ...] = (),
    as_of: str = "2025-12-31",
    usual: int = 10,
    others: tuple[tuple[Any, ...], ...] = (),
) -> list[dict[str, Any]]:
    """The trips at less than three tenths of so many calls on these days, open 9-12 and 13-16, half days 9-12.

    `others` are further calls: source, day, whether inside opening hours.
    """
    told = {("phone", day): times for day, times in zip(days, calls, strict=False) if times}
    for source, day, is_inside in others:
        told[source, day] = told.get((source, day), 0) + is_inside
    return (
        Alone()
        .given("staging.as_of", "as_of_local", (as_of,))
        .given("input.tripwires", "quiet_day_share quiet_day_usual_calls", ("0.3", usual))
        .given(
            "staging.day_segments",
            "date service_point is_open starts_minute ends_minute ends_local",
            *(
                (day, point, is_open and not (day in half_days and starts == ONE), starts, ends, f"{day} {closes}")
                for day in days
                for point, is_open, starts, ends, closes in (
                    ("telephone", False, 0, NINE, "09:00"),
                    ("telephone", True, NINE, NOON, "12:00"),
                    ("telephone", True, ONE, FOUR, "16:00"),
                    ("telephone", False, FOUR, MIDNIGHT, "23:59"),
                    ("desk", True, 0, MIDNIGHT, "23:59"),
                )
            ),
        )
        .given(
            "staging.calls_by_log",
            "source date calls_within_hours",
            *((source, day, within) for (source, day), within in told.items()),
        )
        .run("staging.trips_quiet_day")
    )


def test_a_day_with_far_fewer_calls_than_its_weekday_usually_has_trips() -> None:
    rows = quiet_days(10, 10, 10, 10, 2, 10, 10, 10, 1, 0)
    assert tripped(rows) == [("phone", "2025-02-01", 1, 4), ("phone", "2025-03-01", 1, 1)]
    assert only(rows, "tripwire sentence")[0] == (
        "quiet_day",
        "source 'phone' has far fewer calls than usual on 1 of the 4 open days of February 2025: Mon 3 (2 calls, "
        "usually 10). Is an export cut short?",
    )


@pytest.mark.parametrize(
    ("calls", "quiet"),
    [
        ([10, 10, 10, 10, 3], []),
        ([10, 10, 10, 2], []),
        ([9, 9, 9, 9, 1], []),
        ([10, 10, 10, 50, 2], ["Mon 3 (2 calls, usually 10)"]),
        ([10, 10, 10, 10, 2, 2], ["Mon 3 (2 calls, usually 10)", "Mon 10 (2 calls, usually 10)"]),
        ([2, 2, 2, 2, 2, 20, 20, 20, 20, 3], ["Mon 10 (3 calls, usually 11)"]),
    ],
    ids=[
        "exactly the share",
        "fewer than four earlier days",
        "too few calls on a usual day",
        "usual is the median",
        "each quiet day is named",
        "the last eight days",
    ],
)
def test_a_day_is_held_against_the_median_of_the_last_eight_of_its_weekday(calls: list[int], quiet: list[str]) -> None:
    found = [re.findall(r"\w+ \d+ \(\d+ calls, usually \d+\)", row["sentence"]) for row in quiet_days(*calls)]
    assert [sentence for sentences in found for sentence in sentences] == quiet


@pytest.mark.parametrize(
    ("what_differs", "trips"),
    [
        ({}, True),
        ({"as_of": "2025-02-03 16:00"}, True),
        ({"as_of": "2025-02-03 15:59"}, False),
        ({"half_days": ("2025-02-03",), "as_of": "2025-02-03 12:00", "usual": 5}, False),
        ({"others": (("phone", "2025-02-03", False),) * 10}, True),
        ({"others": (("phone", "2025-02-03", True),)}, False),
        ({"others": (("other", "2025-02-03", True),)}, True),
        ({"days": [*MONDAYS[:3], "2025-01-28", "2025-02-03"]}, False),
        ({"usual": 11}, False),
    ],
    ids=[
        "a quiet day",
        "it closed this moment",
        "it closes in a minute",
        "half a day has half the calls",
        "calls outside opening hours do not count",
        "one call more",
        "calls of another source do not count",
        "other weekdays do not count",
        "there are usually too few",
    ],
)
def test_a_quiet_day_is_one_that_has_closed_and_has_few_calls_inside_opening_hours(
    what_differs: dict[str, Any], trips: bool
) -> None:
    assert tripped(quiet_days(10, 10, 10, 10, 2, **what_differs)) == ([("phone", "2025-02-01", 1, 1)] if trips else [])


def test_half_a_day_is_quiet_with_few_calls_for_half_a_day() -> None:
    half_days = ("2025-02-03",)
    (row,) = quiet_days(10, 10, 10, 10, 1, half_days=half_days, as_of="2025-02-03 12:00", usual=5)
    assert "Mon 3 (1 calls, usually 5)" in row["sentence"]
    # and after half a day a whole one has twice as many
    (row,) = quiet_days(10, 10, 10, 10, 5, half_days=tuple(MONDAYS[:4]), usual=20)
    assert "Mon 3 (5 calls, usually 20)" in row["sentence"]


def test_appointments_for_services_of_no_cluster_trip_by_source_and_month() -> None:
    rows = (
        Alone()
        .given(
            "core.appointments",
            "source visit_date service cluster",
            ("desk", "2025-01-01", "permit", "Wonen"),
            ("desk", "2025-01-31", "permit", "unmapped"),  # a service of a cluster only for a time
            ("desk", "2025-01-15", "passport", "unmapped"),
            ("desk", "2025-01-15", "tax", "unmapped"),
            ("desk", "2025-01-15", "tax", "unmapped"),
            ("desk", None, "tax", "unmapped"),
            ("desk", "2025-02-01", "permit", "Wonen"),
            ("other", "2025-01-15", "permit", "unmapped"),
        )
        .run("staging.trips_unmapped_service")
    )
    assert tripped(rows) == [("desk", "2025-01-01", 4, 5), ("other", "2025-01-01", 1, 1)]
    assert only(rows, "tripwire sentence")[0] == (
        "unmapped_service",
        "4 of the 5 appointments of source 'desk' in January 2025 are for a service of no cluster: 'tax' (2), "
        "'passport' (1), 'permit' (1). Add it to [[clusters]].",
    )


def partial_exports(columns: str, *held: tuple[Any, ...]) -> list[dict[str, Any]]:
    """The trips at less than half of the calls that an older export had, and ten of them.

    Each row tells how many `calls` a file holds of a day; files a to d were exported one day after the other.
    Every file also holds 1 and 31 March, so that no other day is its first or last, unless this is its `only` day.
    """
    told = {"source": "phone", "is_replaced": False, "date": MONDAY, "only": False, "exported": None}
    records = []
    for row in ({**told, **dict(zip(columns.split(), values, strict=True))} for values in held):
        file_id = " abcd".index(row["file"])
        exported = row["exported"] or f"2025-04-0{file_id}"
        days = [row["date"]] * row["calls"] + ([] if row["only"] else ["2025-03-01", "2025-03-31"])
        records += [(file_id, row["file"], exported, row["source"], row["is_replaced"], f"{day} 10:00") for day in days]
    return (
        Alone()
        .given("input.tripwires", "partial_export_share partial_export_calls", ("0.5", 10))
        .given(
            "input.files",
            "file_id source file_name status",
            *{(row[0], row[3], row[1], "replaced" if row[4] else "loaded") for row in records},
        )
        .given(
            "staging.call_records",
            "file_id file_name exported_at_utc source is_replaced arrived_local",
            *records,
            *[(1, "a", "2025-04-01", "phone", False, None)] * 10,
            (2, "b", "2025-04-02", "phone", False, None),
        )
        .run("staging.trips_partial_export")
    )


def test_an_export_that_holds_far_fewer_calls_of_a_day_than_an_older_one_trips() -> None:
    rows = partial_exports(
        "file date calls",
        ("a", MONDAY, 10),
        ("b", MONDAY, 4),
        ("c", MONDAY, 2),
        ("a", "2025-03-04", 10),
        ("b", "2025-03-04", 5),
        ("c", "2025-03-04", 4),
    )
    assert tripped(rows) == [("phone", "2025-03-01", 3, 4)]
    assert only(rows, "tripwire sentence") == [
        (
            "partial_export",
            "source 'phone', March 2025: c holds 4 calls of Tue 4, of which an older export had 10; b holds 4 calls of "
            "Mon 10, of which an older export had 10; c holds 2 calls of Mon 10, of which an older export had 10. Was "
            "an export cut off or filtered?",
        )
    ]


@pytest.mark.parametrize(
    ("columns", "older", "newer", "trips"),
    [
        ("calls", (10,), (4,), True),
        ("calls", (10,), (5,), False),
        ("calls", (9,), (1,), False),
        ("calls", (4,), (10,), False),
        ("calls exported", (10, "2025-04-02"), (4, "2025-04-02"), False),
        ("calls exported", (4, "2025-04-02"), (10, "2025-04-02"), False),
        ("calls exported", (10, "2025-04-03"), (4, "2025-04-02"), False),
        ("calls source", (10, "other"), (4, "phone"), False),
        ("calls is_replaced", (10, True), (4, False), False),
        ("calls is_replaced", (10, False), (4, True), False),
        ("calls date", (10, "2025-03-09"), (4, MONDAY), True),
        ("calls date", (10, "2025-03-01"), (4, "2025-03-01"), False),
        ("calls date", (10, "2025-03-31"), (3, "2025-03-31"), True),
        ("calls only", (10, False), (4, True), True),
        ("calls only", (10, True), (4, False), True),
    ],
    ids=[
        "far fewer",
        "exactly the share",
        "too few before",
        "fewer before",
        "of the same moment",
        "newer by file name",
        "older by its export, whatever its name",
        "of another source",
        "the older one was replaced",
        "the newer one was replaced",
        "nothing of the day",
        "the first day of the export",
        "the last day of the export",
        "the only day of the export",
        "the only day of the older export",
    ],
)
def test_an_export_is_held_against_an_older_one_of_the_same_source_and_day(
    columns: str, older: tuple[Any, ...], newer: tuple[Any, ...], trips: bool
) -> None:
    rows = partial_exports(f"file {columns}", ("a", *older), ("b", *newer))
    assert only(rows, "source month affected") == ([("phone", "2025-03-01", 1)] if trips else [])


def test_an_export_is_held_against_the_one_that_had_most_of_the_day() -> None:
    rows = partial_exports("file calls", ("a", 10), ("b", 12), ("c", 7), ("d", 5))
    assert tripped(rows) == [("phone", "2025-03-01", 1, 3)]


def test_a_holiday_on_which_the_city_is_open_is_asked_about_once_for_all_its_service_points() -> None:
    rows = (
        Alone()
        .given(
            "input.holidays",
            "date name",
            ("2025-07-21", "Nationale feestdag"),
            ("2025-11-01", "Allerheiligen"),
            ("2025-12-25", "Kerstmis"),
        )
        .given(
            "core.calendar",
            "date service_point is_open",
            ("2025-07-21", "telephone", True),
            ("2025-07-21", "desk", True),
            ("2025-11-01", "telephone", False),
            ("2025-11-01", "desk", True),
            ("2025-12-24", "desk", True),
            ("2025-12-25", "desk", False),
        )
        .run("staging.open_holidays")
    )
    assert [tuple(row.values()) for row in rows] == [
        ("2025-07-21", "21 July 2025 is Nationale feestdag and your desk, telephone are open: intended?"),
        ("2025-11-01", "1 November 2025 is Allerheiligen and your desk is open: intended?"),
    ]


def test_open_holidays_trip_by_month_from_the_first_month_to_a_month_after_the_newest_export() -> None:
    open_days = ("2025-01-31", "2025-02-01", "2025-02-06", "2025-05-01", "2025-05-02", "2025-05-03")
    rows = (
        Alone()
        .given(
            "staging.periods",
            "period_type period",
            ("year", "2025-01-01"),
            ("month", "2025-03-01"),
            ("month", "2025-02-01"),
        )
        .given("staging.as_of", "as_of_local", ("2025-04-01 23:59:59",))
        .given("input.holidays", "date", *((day,) for day in (*open_days, "2025-02-07", "2025-03-19")))
        .given("staging.open_holidays", "date sentence", *((day, f"{day}?") for day in open_days))
        .run("staging.trips_open_on_holiday")
    )
    assert [tuple(row.values()) for row in rows] == [
        ("open_on_holiday", "calendar", "2025-02-01", 2, 3, "2025-02-01? 2025-02-06?"),
        ("open_on_holiday", "calendar", "2025-05-01", 2, 2, "2025-05-01? 2025-05-02?"),
    ]


WIRES = (
    "answered_outside_hours",
    "hours_disagree",
    "open_day_without_calls",
    "open_on_holiday",
    "partial_export",
    "quiet_day",
    "unmapped_service",
)


def test_every_tripwire_shows_and_only_calls_answered_outside_opening_hours_block() -> None:
    alone = Alone()
    for number, wire in enumerate(WIRES, start=1):
        trip = (wire, "phone", "2025-03-01", number, 9, f"sentence {number}")
        alone.given(f"staging.trips_{wire}", "tripwire source month affected total sentence", trip)
    rows = alone.run("ops.tripwires")
    assert [tuple(row.values()) for row in rows] == [
        (wire, "phone", "2025-03-01", number, 9, f"sentence {number}", number == 1, None, None)
        for number, wire in enumerate(WIRES, start=1)
    ]


@pytest.mark.parametrize(
    ("accepted", "reason"),
    [
        ([("quiet_day", "phone", "known", "2025-03-01")], "known"),
        ([("quiet_day", None, "known", "2025-12-31")], "known"),
        ([("quiet_day", "phone", "known", "2025-02-28")], None),
        ([("quiet_day", "other", "known", "2025-12-31")], None),
        ([("partial_export", "phone", "known", "2025-12-31")], None),
        (
            [
                ("quiet_day", "phone", "last", "2025-12-31"),
                ("quiet_day", None, "first", "2025-06-30"),
                ("quiet_day", "phone", "over", "2025-02-28"),
            ],
            "first",
        ),
        (
            [("quiet_day", None, "of all", "2025-06-30"), ("quiet_day", "phone", "of its own", "2025-06-30")],
            "of its own",
        ),
        ([("quiet_day", None, "b", "2025-06-30"), ("quiet_day", None, "a", "2025-06-30")], "a"),
    ],
    ids=[
        "until the day on which the month begins",
        "of any source",
        "until the month before",
        "of another source",
        "of another tripwire",
        "the one that ends first",
        "its own before that of any source",
        "of several alike the first by reason",
    ],
)
def test_a_tripwire_is_accepted_for_months_that_begin_up_to_the_end(
    accepted: list[tuple[Any, ...]], reason: str | None
) -> None:
    (row,) = (
        Alone()
        .given("staging.trips_quiet_day", "tripwire source month", ("quiet_day", "phone", "2025-03-01"))
        .given("input.accepted_tripwires", "tripwire source reason until", *accepted)
        .run("ops.tripwires")
    )
    until = {words: end for _, _, words, end in accepted}
    assert only([row], "accepted_reason accepted_until") == [(reason, until[reason] if reason else None)]


def test_an_acceptance_holds_for_every_source_and_month_that_it_fits() -> None:
    rows = (
        Alone()
        .given(
            "staging.trips_quiet_day",
            "source month",
            ("phone", "2025-03-01"),
            ("phone", "2025-04-01"),
            ("phone", "2025-05-01"),
            ("other", "2025-03-01"),
            tripwire="quiet_day",
        )
        .given("input.accepted_tripwires", "tripwire reason until", ("quiet_day", "known", "2025-04-30"))
        .run("ops.tripwires")
    )
    assert only(rows, "source month accepted_reason") == [
        ("other", "2025-03-01", "known"),
        ("phone", "2025-03-01", "known"),
        ("phone", "2025-04-01", "known"),
        ("phone", "2025-05-01", None),
    ]


# --- what changes after it was published -----------------------------------------------------------------------------

DELIVERED: tuple[Any, ...] = (
    "file_id source file_name status is_new",
    (1, "phone", "known", "loaded", False),
    (2, "phone", "fresh", "loaded", True),
    (3, "phone", "again", "replaced", False),
    (4, "phone", "again", "loaded", True),
    (5, "phone", "refused", "refused", True),
    (6, "other", "known", "loaded", False),
    (7, "other", "again", "replaced", False),
)


def touched_by_calls(*records: tuple[Any, ...], replaces_dates: bool = False) -> list[tuple[Any, ...]]:
    """File, day and whether it is corrected, of calls told by file, line, key, day and state.

    File 1 was there before, 2 is new, 3 was replaced by 4, which is new too; see `DELIVERED`.
    """
    origin = {file: (source, name, status == "replaced") for file, source, name, status, _ in DELIVERED[1:]}
    rows = (
        Alone()
        .given("input.files", *DELIVERED)
        .given(
            "staging.call_states",
            "file_id line record_key arrived_local state source file_name is_replaced",
            *((file, line, key, day, state, *origin[file]) for file, line, key, day, state in records),
            replaces_dates=replaces_dates,
        )
        .run("staging.touched_days")
    )
    assert {row["basis"] for row in rows} <= {"calls"}
    return only(rows, "file_name date is_correction")


def test_files_that_are_new_touch_each_day_of_their_readable_records() -> None:
    assert touched_by_calls(
        (1, 1, "a", "2025-03-01 10:00", "accepted"),
        (2, 1, "b", "2025-03-10 00:00", "accepted"),
        (2, 2, "c", "2025-03-10 23:59", "excluded"),
        (2, 3, "d", "2025-03-11 10:00", "accepted"),
        (2, 4, "e", None, "accepted"),
        (5, 1, "f", "2025-03-12 10:00", "accepted"),
    ) == [("fresh", "2025-03-10", False), ("fresh", "2025-03-11", False)]


@pytest.mark.parametrize(
    ("older", "corrected"),
    [
        ((1, 1, "a", "2025-03-10 10:00", "superseded"), [("fresh", "2025-03-10", True)]),
        (
            (1, 1, "a", "2025-02-28 10:00", "superseded"),
            [("fresh", "2025-02-28", True), ("fresh", "2025-03-10", False)],
        ),
        ((1, 1, "a", "2025-03-10 10:00", "duplicate"), [("fresh", "2025-03-10", False)]),
        ((1, 1, "another", "2025-03-10 10:00", "superseded"), [("fresh", "2025-03-10", False)]),
        ((2, 2, "a", "2025-03-10 10:00", "superseded"), [("fresh", "2025-03-10", False)]),
        ((6, 1, "a", "2025-03-10 10:00", "superseded"), [("fresh", "2025-03-10", False)]),
        ((3, 1, "a", "2025-03-10 10:00", "accepted"), [("fresh", "2025-03-10", False)]),
    ],
    ids=[
        "of the same day",
        "of another day",
        "that tells the same",
        "of another record",
        "in the same file",
        "of another source",
        "without a loss",
    ],
)
def test_a_new_file_corrects_the_days_of_the_versions_that_its_records_took_the_place_of(
    older: tuple[Any, ...], corrected: list[tuple[Any, ...]]
) -> None:
    assert touched_by_calls((2, 1, "a", "2025-03-10 10:00", "accepted"), older) == corrected


def test_a_file_that_was_delivered_again_corrects_every_day_that_it_held_before() -> None:
    assert touched_by_calls(
        (3, 1, "a", "2025-03-10 10:00", "superseded"),
        (3, 2, "b", "2025-03-11 10:00", "superseded"),
        (4, 1, "a", "2025-03-10 10:00", "accepted"),
        (4, 2, "c", "2025-03-12 10:00", "accepted"),
        (7, 1, "d", "2025-03-14 10:00", "superseded"),
        # of the records that were replaced no other file takes the place
        (2, 1, "b", "2025-03-13 10:00", "accepted"),
    ) == [
        ("again", "2025-03-10", True),
        ("again", "2025-03-11", True),
        ("again", "2025-03-12", False),
        ("fresh", "2025-03-13", False),
    ]


@pytest.mark.parametrize(
    ("older", "is_correction"),
    [
        ((1, 1, "x", "2025-03-10 10:00", "superseded"), True),
        ((1, 1, "x", "2025-03-10 10:00", "accepted"), False),
        ((2, 2, "x", "2025-03-10 10:00", "superseded"), False),
        ((3, 1, "x", "2025-03-10 10:00", "superseded"), False),
        ((6, 1, "x", "2025-03-10 10:00", "superseded"), False),
        ((1, 1, "x", "2025-03-09 10:00", "superseded"), False),
    ],
    ids=[
        "of an older export",
        "that still stands",
        "in the same file",
        "of a file that was replaced",
        "of another source",
        "of another day",
    ],
)
def test_a_new_file_of_a_source_without_ids_corrects_the_days_whose_records_it_replaces(
    older: tuple[Any, ...], is_correction: bool
) -> None:
    found = touched_by_calls((2, 1, "y", "2025-03-10 11:00", "accepted"), older, replaces_dates=True)
    assert [row[2] for row in found if row[0] == "fresh"] == [is_correction]


def test_a_new_file_of_a_source_without_ids_corrects_every_day_between_its_first_and_its_last() -> None:
    assert touched_by_calls(
        (2, 1, "y", "2025-03-10 11:00", "accepted"),
        (2, 2, "z", "2025-03-12 11:00", "accepted"),
        (1, 1, "x", "2025-03-11 10:00", "superseded"),
        replaces_dates=True,
    ) == [("fresh", "2025-03-10", False), ("fresh", "2025-03-11", True), ("fresh", "2025-03-12", False)]


@pytest.mark.parametrize("state", ["superseded", "duplicate"])
def test_a_late_file_whose_records_lose_corrects_nothing(state: str) -> None:
    loser = (2, 1, "a", "2025-03-10 10:00", state)
    assert touched_by_calls(loser, (1, 1, "a", "2025-03-10 10:00", "superseded")) == [("fresh", "2025-03-10", False)]


def test_what_was_never_published_is_not_corrected() -> None:
    newer, older = (4, 1, "a", "2025-03-10 10:00", "accepted"), (2, 1, "a", "2025-03-10 10:00", "superseded")
    assert touched_by_calls(newer, older) == [("again", "2025-03-10", False), ("fresh", "2025-03-10", False)]


def test_a_new_file_of_a_source_with_ids_replaces_no_days() -> None:
    older, newer = (1, 1, "x", "2025-03-10 10:00", "superseded"), (2, 1, "y", "2025-03-10 11:00", "accepted")
    assert touched_by_calls(older, newer) == [("fresh", "2025-03-10", False)]


@pytest.mark.parametrize(
    ("columns", "moments", "day"),
    [
        ("planned_start_local planned_day checked_in_local", ("2025-03-10 09:00", "2025-03-11", "2025-03-12"), "10"),
        ("planned_day checked_in_local started_local", ("2025-03-10", "2025-03-11 09:00", "2025-03-12"), "10"),
        ("checked_in_local started_local booked_local", ("2025-03-10 09:00", "2025-03-11", "2025-03-12"), "10"),
        ("started_local booked_local", ("2025-03-10 09:00", "2025-03-12"), "10"),
        ("booked_local", ("2025-03-12 09:00",), "12"),
    ],
    ids=["planned at a time", "planned for a day", "checked in", "started", "booked"],
)
def test_appointments_touch_the_day_of_the_visit_and_the_day_of_the_booking(
    columns: str, moments: tuple[str, ...], day: str
) -> None:
    rows = (
        Alone()
        .given("input.files", "file_id file_name status is_new", (1, "fresh", "loaded", True))
        .given("staging.appointment_records", f"file_id line {columns}", (1, 1, *moments))
        .given("staging.appointment_states", "file_id line state", (1, 1, "accepted"))
        .run("staging.touched_days")
    )
    booked = [("bookings", "fresh", "2025-03-12", False)] if "booked" in columns else []
    assert [tuple(row.values()) for row in rows] == [*booked, ("visits", "fresh", f"2025-03-{day}", False)]


def test_an_appointment_that_was_moved_corrects_the_day_for_which_it_was_planned_and_that_of_its_booking() -> None:
    rows = (
        Alone()
        .given("input.files", *DELIVERED)
        .given(
            "staging.appointment_records",
            "file_id line record_key booked_local planned_start_local quarantine_reason",
            (1, 1, "moved", "2025-03-01 09:00", "2025-03-10 09:00", None),
            (2, 1, "moved", "2025-03-01 09:00", "2025-04-10 09:00", None),
            (2, 2, "unreadable", "2025-03-02 09:00", "2025-04-11 09:00", "no date"),
            (1, 3, "the same", "2025-03-03 09:00", "2025-03-12 09:00", None),
            (2, 3, "the same", "2025-03-03 09:00", "2025-03-12 09:00", None),
            source="phone",
            is_replaced=False,
        )
        .given(
            "staging.appointment_states",
            "file_id line state",
            (1, 1, "superseded"),
            (1, 3, "duplicate"),
            (2, 1, "accepted"),
            (2, 3, "accepted"),
        )
        .run("staging.touched_days")
    )
    assert only(rows, "basis file_name date is_correction") == [
        ("bookings", "fresh", "2025-03-01", True),
        ("bookings", "fresh", "2025-03-03", False),
        ("visits", "fresh", "2025-03-10", True),
        ("visits", "fresh", "2025-03-12", False),
        ("visits", "fresh", "2025-04-10", False),
    ]


FIGURE_KEY = {**NORM, "period": "2025-01-01"}
PUBLISHED = {**FIGURE_KEY, "numerator": 1, "denominator": 5, "value": 20.0, "unit": "percent"}
PUBLICATIONS: tuple[Any, ...] = (
    "version published_at_utc",
    ("v2", "2025-03-11 03:30:00"),
    ("v3", "2025-03-12 03:30:00"),
    ("v1", "2025-03-10 03:30:00"),
)


def restated_of(
    was: dict[str, Any] | None = None,
    now: dict[str, Any] | None = None,
    touched: tuple[tuple[Any, ...], ...] = (),
    settings: tuple[str, ...] = (),
    publications: tuple[Any, ...] = PUBLICATIONS,
) -> list[dict[str, Any]]:
    """What is restated of the missed calls of January, 1 of 5 before and 2 of 5 now, or as told."""
    before, after = (
        {**PUBLISHED, **(was or {})},
        {**PUBLISHED, "numerator": 2, "value": 40.0, **(was or {}), **(now or {})},
    )
    return (
        Alone()
        .given("input.publications", *publications)
        .given("input.published_figures", " ".join(before), tuple(before.values()))
        .given("marts.indicators", " ".join(after), tuple(after.values()))
        .given("staging.touched_days", "basis file_name date is_correction", *touched)
        .given("input.changed_settings", "setting", *((setting,) for setting in settings))
        .run("staging.restated")
    )


def test_a_figure_that_came_out_otherwise_is_restated_with_what_it_was_and_is_by_the_newest_publication() -> None:
    assert [tuple(row.values()) for row in restated_of()] == [
        (
            *("v3", "2025-03-12 03:30:00"),
            *("missed_calls", "headline", "month", "2025-01-01", "all", "all"),
            *(20.0, 40.0, "percent", 1, 5, 2, 5),
            "neither an export nor a setting: another version of this software, or records that are gone",
        )
    ]


def test_of_publications_of_one_instant_the_last_by_name_restates() -> None:
    columns, *_ = PUBLICATIONS
    at_once = (columns, *((version, "2025-03-10") for version in ("v1", "v2")))
    assert only(restated_of(publications=at_once), "version") == [("v2",)]


@pytest.mark.parametrize(
    ("now", "is_restated"),
    [
        ({"numerator": 1}, False),
        ({"numerator": 1, "denominator": 6}, True),
        ({"numerator": 2, "denominator": 10, "value": 20.0}, True),
        ({"numerator": None}, True),
        ({"numerator": 1, "norm_met": True, "complete": False}, False),
    ],
    ids=["unchanged", "another denominator", "other numbers of the same quotient", "without a numerator", "the rest"],
)
def test_a_figure_is_restated_if_one_of_its_two_numbers_changed(now: dict[str, Any], is_restated: bool) -> None:
    assert bool(restated_of(now=now)) == is_restated


@pytest.mark.parametrize(
    "another",
    [
        {"indicator": "telephone_wait"},
        {"variant": "reported"},
        {"period_type": "year"},
        {"period": "2025-02-01"},
        {"dimension_type": "queue"},
        {"dimension": "main"},
    ],
    ids=" ".join,
)
def test_a_figure_that_is_gone_is_restated_without_a_new_one(another: dict[str, str]) -> None:
    assert only(restated_of(now=another), "old_value old_numerator new_value new_numerator new_denominator") == [
        (20.0, 1, None, None, None)
    ]


def test_a_figure_that_was_not_published_as_complete_is_not_restated() -> None:
    rows = (
        Alone()
        .given("input.publications", *PUBLICATIONS)
        .given("marts.indicators", "numerator denominator", (1, 5), **FIGURE_KEY)
        .run("staging.restated")
    )
    assert rows == []


@pytest.mark.parametrize(
    ("was", "touched", "why"),
    [
        ({}, ("calls", "a.csv", "2025-01-01", False), "late export a.csv"),
        ({}, ("calls", "a.csv", "2025-01-31", True), "corrected export a.csv"),
        ({}, ("calls", "a.csv", "2025-02-01", True), None),
        ({}, ("calls", "a.csv", "2024-12-31", True), None),
        ({}, ("visits", "a.csv", "2025-01-15", True), None),
        ({"period_type": "year"}, ("calls", "a.csv", "2025-12-31", False), "late export a.csv"),
        ({"period_type": "year"}, ("calls", "a.csv", "2026-01-01", False), None),
        ({"indicator": "telephone_wait"}, ("calls", "a.csv", "2025-01-15", False), "late export a.csv"),
        ({"indicator": "answer_speed"}, ("calls", "a.csv", "2025-01-15", False), "late export a.csv"),
        ({"indicator": "visitor_wait"}, ("visits", "a.csv", "2025-01-15", False), "late export a.csv"),
        ({"indicator": "visitor_wait"}, ("bookings", "a.csv", "2025-01-15", False), None),
        ({"indicator": "lead_time"}, ("bookings", "a.csv", "2025-01-15", False), "late export a.csv"),
        ({"indicator": "lead_time"}, ("visits", "a.csv", "2025-01-15", False), None),
    ],
)
def test_a_figure_is_restated_because_of_the_exports_that_tell_of_its_period(
    was: dict[str, str], touched: tuple[Any, ...], why: str | None
) -> None:
    fallback = "neither an export nor a setting: another version of this software, or records that are gone"
    assert only(restated_of(was=was, touched=(touched,)), "why") == [(why or fallback,)]


def test_the_reasons_of_a_restatement_are_joined_and_an_export_that_corrects_one_day_corrects() -> None:
    touched = (
        ("calls", "c.csv", "2025-01-02", False),
        ("calls", "b.csv", "2025-01-02", False),
        ("calls", "b.csv", "2025-01-03", True),
        ("calls", "b.csv", "2025-01-04", False),
        ("calls", "a.csv", "2025-01-02", False),
    )
    (row,) = restated_of(touched=touched, settings=("rules.start", "hours"))
    assert row["why"] == (
        "corrected export b.csv; late export a.csv; late export c.csv; setting hours; setting rules.start"
    )


def test_figures_of_one_period_and_kind_are_restated_for_the_same_reasons_each_once() -> None:
    columns = "indicator variant numerator"
    rows = (
        Alone()
        .given("input.publications", *PUBLICATIONS)
        .given(
            "input.published_figures",
            columns,
            ("missed_calls", "headline", 1),
            ("missed_calls", "reported", 1),
            ("visitor_wait", "headline", 1),
            **{name: value for name, value in PUBLISHED.items() if name not in columns},
        )
        .given("staging.touched_days", "basis file_name date", ("calls", "a.csv", "2025-01-15"))
        .given("input.changed_settings", "setting", ("hours",))
        .run("staging.restated")
    )
    assert only(rows, "indicator variant why") == [
        ("missed_calls", "headline", "late export a.csv; setting hours"),
        ("missed_calls", "reported", "late export a.csv; setting hours"),
        ("visitor_wait", "headline", "setting hours"),
    ]


def test_restatements_are_those_of_this_publication_and_of_all_before_it() -> None:
    restated = {**FIGURE_KEY, "restated_at_utc": "2025-03-10 03:30:00", "old_value": 20.0, "new_value": 40.0}
    restated |= {"unit": "percent", "old_numerator": 1, "old_denominator": 5, "new_numerator": 2, "new_denominator": 5}
    rows = (
        Alone()
        .given("input.restatements", "version why", ("v1", "late export a.csv"), **restated)
        .given("staging.restated", "version why", ("v2", "setting hours"), **restated)
        .run("ops.restatements")
    )
    assert rows == [
        {"version": "v1", "why": "late export a.csv", **restated},
        {"version": "v2", "why": "setting hours", **restated},
    ]


# --- ops -------------------------------------------------------------------------------------------------------------


def test_the_ledger_counts_each_state_of_each_file_version_and_the_records_apart_from_them() -> None:
    rows = (
        Alone()
        .given(
            "input.files",
            "file_id source file_name status reason unread_records",
            (1, "phone", "a", "loaded", None, None),
            (2, "desk", "b", "loaded", None, None),
            (3, "phone", "c", "refused", "too many", 9),
        )
        .given("input.call_records", "file_id", *[(1,)] * 7)
        .given("input.appointment_records", "file_id", *[(2,)] * 5)
        .given("staging.call_quarantine", "file_id", (1,))
        .given(
            "staging.call_states",
            "state",
            ("accepted",),
            ("accepted",),
            ("excluded",),
            ("duplicate",),
            ("superseded",),
            ("superseded",),
            file_id=1,
        )
        .given("staging.appointment_states", "state", ("accepted",), ("duplicate",), file_id=2)
        .given("staging.appointment_records", "quarantine_reason", ("no date",), ("no date",), (None,), file_id=2)
        .run("ops.ledger")
    )
    counts = "records accepted excluded duplicates superseded quarantined unread_records"
    assert only(rows, f"source file_name status reason {counts}") == [
        ("desk", "b", "loaded", None, 5, 1, 0, 1, 0, 2, None),
        ("phone", "a", "loaded", None, 7, 2, 1, 1, 2, 1, None),
        ("phone", "c", "refused", "too many", 0, 0, 0, 0, 0, 0, 9),
    ]


def test_quarantine_names_the_file_and_the_line_of_each_record_that_cannot_be_read() -> None:
    rows = (
        Alone()
        .given("input.files", "file_id source file_name sha256", (1, "phone", "a", "1a"), (2, "desk", "b", "2b"))
        .given("staging.call_quarantine", "file_id line column_name reason pattern", (1, 7, "wait", "no number", "aaa"))
        .given(
            "staging.appointment_records",
            "line quarantine_column quarantine_reason quarantine_pattern",
            (8, "booked", "no date", "99"),
            (9, None, None, None),
            file_id=2,
        )
        .run("ops.quarantine")
    )
    assert [tuple(row.values()) for row in rows] == [
        ("desk", "b", "2b", 8, "booked", "no date", "99"),
        ("phone", "a", "1a", 7, "wait", "no number", "aaa"),
    ]


def test_publications_are_those_that_the_build_was_told_of() -> None:
    rows = (
        Alone()
        .given(
            "input.publications",
            "version published_at_utc run_id as_of_utc files records settings_sha256 settings_text",
            ("v1", "2025-03-10 03:30:00", "run", "2025-03-09 20:00:00", 2, 10, "ab12", "[centre]"),
        )
        .run("ops.publications")
    )
    assert [tuple(row.values()) for row in rows] == [
        ("v1", "2025-03-10 03:30:00", "run", "2025-03-09 20:00:00", 2, 10, "ab12", "[centre]")
    ]


def test_rollbacks_are_every_pin_and_release_that_the_build_was_told_of() -> None:
    rows = (
        Alone()
        .given(
            "input.rollbacks",
            "at_utc action version instead_of_version reason",
            ("2025-03-10 08:00:00", "pin", "v1", "v2", "wrong zone"),
            ("2025-03-11 09:00:00", "release", "v1", None, None),
        )
        .run("ops.rollbacks")
    )
    assert [tuple(row.values()) for row in rows] == [
        ("2025-03-10 08:00:00", "pin", "v1", "v2", "wrong zone"),
        ("2025-03-11 09:00:00", "release", "v1", None, None),
    ]


@pytest.mark.parametrize(
    ("was", "now", "is_told"),
    [
        ({"norm_met": True}, {}, True),
        ({"norm_met": False}, {}, False),
        ({"norm_met": False, "complete": False}, {}, True),
        ({"norm_met": None}, {}, True),
        ({"norm_met": True}, {"norm_met": True}, False),
        ({"norm_met": True}, {"norm_met": None}, False),
        ({"norm_met": True}, {"complete": False}, False),
        *(({"norm_met": False, **another}, {}, True) for another in ({"indicator": "lead_time"}, {"dimension": "x"})),
    ],
)
def test_a_norm_is_newly_missed_if_a_complete_figure_misses_it_and_did_not_when_it_was_published(
    was: dict[str, Any], now: dict[str, Any], is_told: bool
) -> None:
    before = {**PUBLISHED, "complete": True, **was}
    after = {**PUBLISHED, "complete": True, "norm_met": False, "norm_operator": "<=", "norm_value": 15, **now}
    rows = (
        Alone()
        .given("input.publications", *PUBLICATIONS)
        .given("input.published_figures", " ".join(before), tuple(before.values()))
        .given("marts.indicators", " ".join(after), tuple(after.values()))
        .run("staging.norms_newly_missed")
    )
    assert [row["norm_value"] for row in rows] == ([15] if is_told else [])


def test_the_first_publication_has_no_norm_newly_missed() -> None:
    after = {**PUBLISHED, "complete": True, "norm_met": False}
    rows = (
        Alone()
        .given("input.publications", *PUBLICATIONS[:2])
        .given("marts.indicators", " ".join(after), tuple(after.values()))
        .run("staging.norms_newly_missed")
    )
    assert rows == []


def test_a_day_of_a_source_has_one_state_and_the_files_that_were_made_on_it() -> None:
    reasons = {"02-03": None, "02-04": "no_export", "02-05": "exported_before_closing", "02-06": "no_export"}
    rows = (
        Alone()
        .given("staging.as_of", "as_of_local", ("2025-02-07 20:00",))
        .given(
            "input.sources",
            "source kind valid_from valid_to",
            ("phone", "calls", "0001-01-01", "9999-12-31"),
            ("silent", "calls", "0001-01-01", "9999-12-31"),
        )
        .given(
            "core.calendar",
            "date service_point is_open",
            *((f"2025-02-0{day}", "telephone", day not in (1, 2)) for day in range(1, 8)),
            *((f"2025-02-0{day}", "desk", False) for day in range(1, 8)),
        )
        .given("staging.covered_days", "basis source date", ("calls", "phone", "2025-02-02"))
        .given(
            "staging.days",
            "basis date source incomplete_reason",
            *(("calls", f"2025-{day}", "phone", reason) for day, reason in reasons.items()),
            ("calls", "2025-02-02", None, None),
            ("calls", "2025-02-07", "phone", "not_ended"),
        )
        .given(
            "input.files",
            "source file_name export_date delivery status",
            ("phone", "a", "2025-02-03", 1, "loaded"),
            ("phone", "b", "2025-02-03", 2, "refused"),
            ("phone", "c", "2025-02-06", 3, "refused"),
            ("phone", "d", "2025-02-04", 4, "refused"),
            ("phone", "d", "2025-02-04", 5, "loaded"),
            ("phone", "e", None, 6, "refused"),
        )
        .given("core.calls", "source arrived_date", ("phone", "2025-02-03"), ("phone", "2025-02-03"))
        .run("ops.days")
    )
    assert [tuple(row.values()) for row in rows] == [
        ("2025-02-02", "phone", "closed", 0, 0, 0),
        ("2025-02-03", "phone", "data", 2, 1, 1),
        ("2025-02-04", "phone", "missing", 0, 1, 0),
        ("2025-02-05", "phone", "partial", 0, 0, 0),
        ("2025-02-06", "phone", "failed", 0, 0, 1),
        ("2025-02-07", "phone", "not_ended", 0, 0, 0),
    ]
