"""The declared mapping: what the columns of an export become, and what goes to quarantine instead.

Every test writes an export, reads it through the whole reader, and looks at the canonical records. Civil times are
of Brussels: UTC+1 in winter, UTC+2 from 30 March to 26 October 2025.
"""

from __future__ import annotations

import csv
import json
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from assets.adapters.declared import pattern
from assets.files import export_files
from assets.records import Receipt, RecordStore
from tests.city import APPOINTMENT_HEADER, APPOINTMENTS, CALL_HEADER, CALLS, TODAY, instant, settings_of

PHONE = "0470123456"
Row = dict[str, Any]


def _read(base: Row, header: str, rows: tuple[dict[str, str], ...], changes: Row) -> tuple[Receipt, list[Row]]:
    """Write the rows as one export of the changed source, read it, and give its receipt and its records."""
    columns = {**base["columns"], **changes.pop("columns", {})}
    source = {**base, "columns": {name: what for name, what in columns.items() if what is not None}, **changes}
    source["text"] = {"delimiter": ";", **changes.get("text", {})}
    with tempfile.TemporaryDirectory() as folder:
        declared = settings_of(Path(folder), sources=[source])
        path = declared.folders.exports / base["files"].replace("*", "2025-12-31")
        path.parent.mkdir()
        with path.open("w", encoding="utf-8", newline="") as stream:
            lines = csv.DictWriter(stream, header.split(";"), restval="", delimiter=";", lineterminator="\n")
            lines.writeheader()
            lines.writerows(rows)
        store = RecordStore(declared)
        (file,) = export_files(declared, TODAY)
        receipt = store.read(file)
        assert receipt.status == "loaded", receipt.reason
        assert receipt.parquet is not None
        records = pl.read_parquet(store.records / receipt.parquet)
        assert records.height == receipt.records == len(rows)
        moments = cs.datetime()  # Polars has years that Python has not
        told = pl.when(moments.dt.year().is_between(2, 9998)).then(moments).otherwise(None)
        return receipt, records.with_columns(told).to_dicts()


def calls(*rows: dict[str, str], **changes: Any) -> list[Row]:
    """The canonical records of a call log; each row is an answered call of 15 January at noon unless told."""
    told = {"id": "1", "direction": "in", "outcome": "answered", "arrived": "2025-01-15 12:00:00"}
    return _read(CALLS, CALL_HEADER, tuple({**told, **row} for row in rows), changes)[1]


def call(row: dict[str, str] | None = None, /, **changes: Any) -> Row:
    """The canonical record of one call."""
    (record,) = calls(row or {}, **changes)
    return record


def each(column: str, values: list[str], **changes: Any) -> dict[str, Row]:
    """The canonical records of calls that differ in one column, by the value that stands there."""
    return dict(zip(values, calls(*({column: value} for value in values), **changes), strict=True))


def appointment(row: dict[str, str] | None = None, /, **changes: Any) -> Row:
    """The canonical record of one appointment: planned on 15 January at noon, for a premium, unless told."""
    told = {"id": "1", "service": "premium", "status": "planned", "planned": "2025-01-15 12:00:00"}
    (record,) = _read(APPOINTMENTS, APPOINTMENT_HEADER, ({**told, **(row or {})},), changes)[1]
    return record


def trouble(record: Row) -> tuple[str | None, str | None, str | None]:
    """Column, reason and pattern of a quarantined record."""
    return record["quarantine_column"], record["quarantine_reason"], record["quarantine_pattern"]


SOUND = (None, None, None)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


# ── Keys ──────────────────────────────────────────────────────────────────────────────────────────


def test_several_key_columns_make_one_key() -> None:
    record = call({"id": "A", "leg": "7"}, columns={"call_id": ["id", "leg"]})
    assert (record["call_id"], record["record_key"], record["leg_id"]) == ("A|7", "A|7", None)


def test_a_leg_is_part_of_the_key_and_not_of_the_call() -> None:
    record = call({"id": "A", "leg": "7"}, columns={"leg_id": "leg"})
    assert (record["call_id"], record["record_key"], record["leg_id"]) == ("A", "A|7", "7")


def test_a_key_keeps_its_zeros_and_loses_the_blanks_around_it() -> None:
    assert call({"id": " 007\t"})["record_key"] == "007"


def test_a_key_without_a_value_is_quarantined() -> None:
    empty = ["", "  ", "\t", "\u00a0"]
    for columns in ({"call_id": ["id", "leg"]}, {"leg_id": "leg"}):
        for record in each("leg", empty, columns=columns).values():
            assert trouble(record)[:2] == ("leg", "no value, where one is required")
    assert trouble(appointment({"service": " "}))[:2] == ("service", "no value, where one is required")


@pytest.mark.parametrize(
    ("one", "other"), [(("A|B", "C"), ("A", "B|C")), (("A\\", "B|C"), ("A|B\\", "C")), (("A\\|B", "C"), ("A\\", "B|C"))]
)
def test_two_records_never_share_a_key_because_of_the_sign_between_its_columns(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    rows = [{"id": call_id, "leg": leg} for call_id, leg in (one, other)]
    for columns in ({"call_id": ["id", "leg"]}, {"leg_id": "leg"}):
        assert len({record["record_key"] for record in calls(*rows, columns=columns)}) == 2


def test_a_source_without_ids_has_records_without_keys() -> None:
    record = call(columns={"call_id": None}, replaces_dates=True)
    assert (record["record_key"], record["call_id"], trouble(record)) == (None, None, SOUND)


# ── Instants ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        (
            "Europe/Brussels",
            {
                "2025-01-15 12:00:00": "2025-01-15 11:00:00",
                "2025-07-15 12:00:00": "2025-07-15 10:00:00",
                "2025-01-01 00:30:00": "2024-12-31 23:30:00",
                " 2025-01-15 12:00:00\t": "2025-01-15 11:00:00",
                "2024-02-29 12:00:00": "2024-02-29 11:00:00",
            },
        ),
        ("UTC", {"2025-07-15 12:00:00": "2025-07-15 12:00:00", "2025-03-30 02:30:00": "2025-03-30 02:30:00"}),
        ("Etc/GMT-2", {"2025-01-15 12:00:00": "2025-01-15 10:00:00"}),
        ("Europe/London", {"2025-07-15 12:00:00": "2025-07-15 11:00:00"}),
    ],
)
def test_a_civil_time_is_of_the_zone_of_its_source(zone: str, expected: dict[str, str]) -> None:
    records = each("arrived", list(expected), time_zone=zone)
    assert {value: record["arrived_at_utc"] for value, record in records.items()} == {
        value: utc(moment) for value, moment in expected.items()
    }
    assert {trouble(record) for record in records.values()} == {SOUND}


def test_a_time_that_exists_twice_takes_the_earlier_offset_and_is_flagged() -> None:
    expected = {
        "2025-03-30 01:59:59": ("2025-03-30 00:59:59", False),
        "2025-03-30 03:00:00": ("2025-03-30 01:00:00", False),
        "2025-10-26 01:59:59": ("2025-10-25 23:59:59", False),
        "2025-10-26 02:00:00": ("2025-10-26 00:00:00", True),
        "2025-10-26 02:59:59": ("2025-10-26 00:59:59", True),
        "2025-10-26 03:00:00": ("2025-10-26 02:00:00", False),
    }
    records = each("arrived", list(expected))
    assert {v: (str(r["arrived_at_utc"]), r["is_arrival_ambiguous"]) for v, r in records.items()} == expected
    assert {trouble(record) for record in records.values()} == {SOUND}
    assert call({"ended": "2025-10-26 02:30:00"})["ended_at_utc"] == utc("2025-10-26 00:30:00")


@pytest.mark.parametrize("column", ["arrived", "queued", "answered", "ended"])
def test_a_time_that_does_not_exist_is_quarantined_and_never_moved(column: str) -> None:
    for record in each(column, ["2025-03-30 02:00:00", "2025-03-30 02:59:59"]).values():
        assert trouble(record) == (
            column,
            "a local time that does not exist in Europe/Brussels",
            "9999-99-99 99:99:99",
        )


@pytest.mark.parametrize("directive", ["%z", "%:z", "%#z"])
def test_an_offset_in_the_value_wins_over_the_zone_of_the_source(directive: str) -> None:
    expected = {
        "2025-07-15T12:00:00+02:00": "2025-07-15 10:00:00",
        "2025-07-15T12:00:00-0500": "2025-07-15 17:00:00",
        "2025-03-30T02:30:00+01:00": "2025-03-30 01:30:00",
        "2025-10-26T02:30:00+01:00": "2025-10-26 01:30:00",
    }
    arrived = {"column": "arrived", "format": f"%Y-%m-%dT%H:%M:%S{directive}"}
    try:
        records = each("arrived", list(expected), columns={"arrived_at": arrived})
    except ValidationError:
        assert directive != "%z"  # the settings may refuse the rarer spellings, but not shift them in silence
        return
    assert {value: str(record["arrived_at_utc"]) for value, record in records.items()} == expected
    assert {(trouble(r), r["is_arrival_ambiguous"]) for r in records.values()} == {(SOUND, False)}


def test_a_value_without_its_declared_offset_is_quarantined() -> None:
    values = [
        "2025-07-15T12:00:00",
        "2025-07-15T12:00:00+02:00x",
        "2025-07-15T12:00:00+99:00",
        "2025-07-15T12:00:00CET",
    ]
    arrived = {"column": "arrived", "format": "%Y-%m-%dT%H:%M:%S%z"}
    records = each("arrived", values, columns={"arrived_at": arrived})
    assert {value: record["quarantine_reason"] for value, record in records.items()} == dict.fromkeys(
        values, "not in the format %Y-%m-%dT%H:%M:%S%z"
    )


def test_date_and_time_may_stand_in_columns_of_their_own() -> None:
    columns = {"arrived_at": {"column": ["arrived", "queued"], "format": "%d/%m/%Y %H:%M"}, "queue_entered_at": None}
    record = call({"arrived": " 05/02/2025 ", "queued": " 08:30 "}, columns=columns)
    assert (record["arrived_at_utc"], trouble(record)) == (utc("2025-02-05 07:30"), SOUND)
    record = call({"arrived": "", "queued": "08:30"}, columns=columns)
    assert trouble(record) == ("arrived, queued", "not in the format %d/%m/%Y %H:%M", " 99:99")
    record = call({"arrived": "05/02/2025", "queued": ""}, columns=columns)
    assert trouble(record)[:2] == ("arrived, queued", "no arrival, so the call belongs to no day")


def test_a_never_word_means_that_it_did_not_happen() -> None:
    columns = {"answered_at": {**instant("answered"), "never": ["-", "0000-00-00 00:00:00"]}, "wait_seconds": None}
    for record in each("answered", ["", " ", "-", " - ", "0000-00-00 00:00:00"], columns=columns).values():
        assert (record["answered_at_utc"], record["wait_seconds"], trouble(record)) == (None, None, SOUND)


def test_a_never_word_that_was_not_declared_is_quarantined() -> None:
    assert trouble(call({"answered": "-"})) == ("answered", "not in the format %Y-%m-%d %H:%M:%S", "-")


@pytest.mark.parametrize("missing", ["", "never"])
def test_a_call_without_an_arrival_belongs_to_no_day_and_is_quarantined(missing: str) -> None:
    record = call({"arrived": missing}, columns={"arrived_at": {**instant("arrived"), "never": ["never"]}})
    assert trouble(record)[:2] == ("arrived", "no arrival, so the call belongs to no day")


@pytest.mark.parametrize(
    ("arrived", "clock", "hours", "answered"),
    [
        pytest.param("2025-01-15 23:59:50", "00:00:10", 12, "2025-01-15 23:00:10", id="past midnight is the next day"),
        pytest.param("2025-12-31 23:59:50", "00:00:10", 12, "2025-12-31 23:00:10", id="past the end of the year too"),
        pytest.param("2025-01-15 12:00:00", "11:58:33", 12, "2025-01-15 10:58:33", id="87 s earlier is the same day"),
        pytest.param("2025-01-15 12:00:00", "12:00:00", 12, "2025-01-15 11:00:00", id="the same second"),
        pytest.param("2025-01-15 12:00:00", "08:00:00", 4, "2025-01-15 07:00:00", id="as much earlier as declared"),
        pytest.param("2025-01-15 12:00:00", "07:59:59", 4, "2025-01-16 06:59:59", id="a second more than declared"),
        pytest.param("2025-01-15 23:59:50", "00:00:10", None, "2025-01-14 23:00:10", id="not unless declared"),
        pytest.param("2025-03-29 23:59:50", "03:00:00", 4, "2025-03-30 01:00:00", id="into the night of the switch"),
    ],
)
def test_a_clock_time_far_before_the_arrival_is_of_the_next_day(
    arrived: str, clock: str, hours: int | None, answered: str
) -> None:
    day, time = arrived.split()
    columns = {
        "arrived_at": {"column": ["arrived", "queued"], "format": "%Y-%m-%d %H:%M:%S"},
        "queue_entered_at": None,
        "answered_at": {
            "column": ["arrived", "answered"],
            "format": "%Y-%m-%d %H:%M:%S",
            "rolls_over_hours": hours,
        },
        "wait_seconds": None,
    }
    record = call({"arrived": day, "queued": time, "answered": clock}, columns=columns)
    assert (record["answered_at_utc"], trouble(record)) == (utc(answered), SOUND)


def test_a_clock_time_that_rolls_into_a_time_that_does_not_exist_is_quarantined() -> None:
    columns = {"answered_at": {**instant("answered"), "rolls_over_hours": 4}}
    record = call({"arrived": "2025-03-29 23:59:50", "answered": "2025-03-29 02:30:00"}, columns=columns)
    assert trouble(record)[:2] == ("answered", "a local time that does not exist in Europe/Brussels")


def test_a_call_ends_when_it_has_lasted_as_long_as_the_source_says() -> None:
    columns = {"ended_at": None, "lasted_seconds": {"column": ["wait", "queued"], "unit": "seconds"}}
    record = call({"wait": "10", "queued": "50.5"}, columns={**columns, "queue_entered_at": None})
    assert record["ended_at_utc"] == utc("2025-01-15 11:01:00.5")


def test_an_end_that_the_source_has_wins_over_how_long_the_call_lasted() -> None:
    columns = {"ended_at": instant("ended"), "lasted_seconds": {"column": "wait"}}
    record = call({"wait": "10", "ended": "2025-01-15 12:00:30"}, columns=columns)
    assert record["ended_at_utc"] == utc("2025-01-15 11:00:30")


def test_the_sources_own_mark_of_calls_outside_hours_is_kept() -> None:
    columns = {"outside_hours": {"column": "queue", "values": ["closed"]}}
    records = each("queue", ["closed", " closed ", "open", ""], columns=columns)
    assert [record["is_marked_outside_hours"] for record in records.values()] == [True, True, False, False]
    assert call()["is_marked_outside_hours"] is None


@pytest.mark.parametrize("key", [{"legs_of": "desk"}, {"records": "events"}], ids=["legs of another log", "events"])
def test_legs_and_events_of_calls_without_ids_are_refused_when_the_settings_load(key: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="nothing tells which records are of one call"):
        call(columns={"call_id": None, "leg_id": None}, replaces_dates=True, **key)


def test_the_first_of_several_ends_that_happened_counts() -> None:
    columns = {"ended_at": [instant("ended"), instant("queued")], "queue_entered_at": None}
    ended, queued = "2025-01-15 12:03:00", "2025-01-15 12:01:00"
    assert call({"ended": ended, "queued": queued}, columns=columns)["ended_at_utc"] == utc("2025-01-15 11:03:00")
    assert call({"queued": queued}, columns=columns)["ended_at_utc"] == utc("2025-01-15 11:01:00")
    assert call({}, columns=columns)["ended_at_utc"] is None


@pytest.mark.parametrize(
    ("format_", "values"),
    [
        (
            "%Y-%m-%d %H:%M:%S",
            [
                "25-01-15 12:00:00",
                "025-01-15 12:00:00",
                "20255-01-15 12:00:00",
                "-2025-01-15 12:00:00",
                "+2025-01-15 12:00:00",
                "+99999-01-15 12:00:00",
                "2025-01-1512:00:00",
                "2025-01-15\n12:00:00",
                "2025-01- 5 12:00:00",
                "2025-01-15 24:00:00",
                "2025-01-15 23:59:60",
                "2025-01-15 12:60:00",
                "2025-01-15 12:00",
                "2025-01-15 12:00:00x",
                "2025-01-15 12:00:00.5",
                "2025-01-15T12:00:00",
                "2025-02-29 12:00:00",
                "2025-13-01 12:00:00",
                "2025-01-1٣ 12:00:00",
                "0000-00-00 00:00:00",
            ],
        ),
        (
            "%d/%m/%Y %H:%M",
            [
                "15/01/25 12:00",
                "15/01/2025 12:00:30",
                "01/15/2025 12:00",
                "15/01/202512:00",
            ],
        ),
        (
            "%d/%m/%y %H:%M",
            ["15/01/2025 12:00", "15/01/2x 12:00", "15/01/2 12:00"],
        ),
        (
            "%Y%m%d%H%M%S",
            ["2025011512000", "202501151200000", "20250115120060", "20250115126000", "20250115240000"],
        ),
        (
            "%d/%m/%Y %I:%M:%S %p",
            ["15/01/2025 13:00:00 PM"],
        ),
        (
            "%Y-%m-%d %H:%M:%S%.f",
            ["2025-01-15 12:00:00,5"],
        ),
        ("unix_seconds", ["17387391", "1738739100250", "1738739100,5", "1.7387391e9", "-1738739100", "0x67A30CDC"]),
        ("unix_milliseconds", ["1738739100", "1738739100250.5", "20250205080500"]),
    ],
)
def test_a_value_that_is_almost_in_its_format_is_quarantined_and_not_guessed(format_: str, values: list[str]) -> None:
    columns = {"arrived_at": {"column": "arrived", "format": format_}}
    records = each("arrived", values, columns=columns)
    assert [
        value for value in values if trouble(records[value])[:2] != ("arrived", f"not in the format {format_}")
    ] == []


@pytest.mark.parametrize(
    ("format_", "value", "expected"),
    [
        ("%d/%m/%Y %H:%M", "5/2/2025 8:05", "2025-02-05 07:05:00"),
        ("%d/%m/%y %H:%M", "05/02/25 08:05", "2025-02-05 07:05:00"),
        ("%d/%m/%Y %I:%M:%S %p", "05/02/2025 12:05:00 AM", "2025-02-04 23:05:00"),
        ("%d/%m/%Y %I:%M:%S %p", "05/02/2025 01:05:00 pm", "2025-02-05 12:05:00"),
        ("%d %b %Y %H:%M", "05 Feb 2025 08:05", "2025-02-05 07:05:00"),
        ("%Y%m%d%H%M%S", "20250205080500", "2025-02-05 07:05:00"),
        ("%Y-%m-%dT%H:%M:%S%.f", "2025-02-05T08:05:00.25", "2025-02-05 07:05:00.25"),
        ("%Y-%m-%dT%H:%M:%S%.f", "2025-02-05T08:05:00", "2025-02-05 07:05:00"),
        ("%Y-%m-%dT%H:%M:%S%.f%z", "2025-02-05T08:05:00.25Z", "2025-02-05 08:05:00.25"),
        ("%Y-%m-%dT%H:%M:%S%z", "2025-02-05T08:05:00+0200", "2025-02-05 06:05:00"),
        ("unix_seconds", "1738739100", "2025-02-05 07:05:00"),
        ("unix_seconds", "1738739100.25", "2025-02-05 07:05:00.25"),
        ("unix_milliseconds", "1738739100250", "2025-02-05 07:05:00.25"),
    ],
)
def test_a_value_in_its_format_is_read(format_: str, value: str, expected: str) -> None:
    record = call({"arrived": value}, columns={"arrived_at": {"column": "arrived", "format": format_}})
    assert (record["arrived_at_utc"], trouble(record)) == (utc(expected), SOUND)


@pytest.mark.parametrize(
    ("format_", "value", "expected"),
    [
        pytest.param("%Y-%m-%d %H:%M:%S.%f", "2025-02-05 08:05:00.250", "2025-02-05 07:05:00.25", id="fractions"),
        pytest.param("%s", "1738739100", "2025-02-05 07:05:00", id="seconds since 1970 are of UTC"),
        pytest.param("%Y-%m-%dT%H:%M:%S%Z", "2025-02-05T08:05:00UTC", "2025-02-05 08:05:00", id="a zone's name"),
        pytest.param("%+", "2025-02-05T08:05:00+01:00", "2025-02-05 07:05:00", id="the ISO format"),
        pytest.param("%H:%M:%S", "08:05:00", None, id="a time without a date"),
        pytest.param("%d/%m %H:%M", "05/02 08:05", None, id="a date without a year"),
        pytest.param("%Y-%m-%d %H", "2025-02-05 08", None, id="an hour without minutes"),
        pytest.param("%Y-%m-%d %I:%M", "2025-02-05 08:05", None, id="twelve hours without AM or PM"),
    ],
)
def test_a_format_is_read_rightly_or_refused_when_the_settings_load_but_never_misread(
    format_: str, value: str, expected: str | None
) -> None:
    try:
        record = call({"arrived": value}, columns={"arrived_at": {"column": "arrived", "format": format_}})
    except ValidationError:
        return
    if record["quarantine_reason"] is None:
        assert expected is not None, "a moment without its whole date and time was made up"
        assert record["arrived_at_utc"] == utc(expected)


# ── Durations ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("decimal", "expected"),
    [
        (
            ".",
            {
                "10": "10",
                " 10 ": "10",
                "30.001": "30.001",
                "0": "0",
                "-0": "0",
                "-0.0": "0",
                "007": "7",
                "30.0004": "30",
                "30.0006": "30.001",
                "0.1": "0.1",
                "999999.999": "999999.999",
            },
        ),
        (",", {"10": "10", "30,001": "30.001", "0,1": "0.1", " 1,50 ": "1.5"}),
    ],
)
def test_seconds_are_exact_to_the_millisecond(decimal: str, expected: dict[str, str]) -> None:
    records = each("wait", list(expected), text={"decimal": decimal})
    assert {value: record["wait_seconds"] for value, record in records.items()} == {
        value: Decimal(seconds) for value, seconds in expected.items()
    }
    assert {(trouble(record), record["impossible_duration"]) for record in records.values()} == {(SOUND, None)}


def test_a_duration_that_the_source_does_not_have_is_null() -> None:
    columns = {"wait_seconds": {"column": "wait", "never": ["-"]}}
    for record in each("wait", ["", " ", "-", " - "], columns=columns).values():
        assert (record["wait_seconds"], record["impossible_duration"], trouble(record)) == (None, None, SOUND)


@pytest.mark.parametrize(
    ("decimal", "values"),
    [
        (
            ".",
            [
                "1,5",
                "1,500.5",
                "1,500",
                "1 500",
                "1\u00a0500",
                "1_500",
                "1'500",
                "1e3",
                "1E3",
                "+5",
                "--5",
                "5-",
                "5.",
                ".5",
                "5s",
                "0x10",
                "NaN",
                "inf",
                "None",
                "12:30",
                "٣",
                "½",
                "−5",
                "9" * 20,
                "1\n2",
                "-",
            ],
        ),
        (
            ",",
            [
                "1.5",
                "1.500,5",
                "1.500",
                "1,500,5",
                "1e3",
                ",5",
            ],
        ),
    ],
)
def test_what_is_no_number_of_seconds_is_quarantined_and_never_zero(decimal: str, values: list[str]) -> None:
    records = each("wait", values, text={"decimal": decimal})
    assert {
        value: (*trouble(record)[:2], record["wait_seconds"]) for value, record in records.items()
    } == dict.fromkeys(values, ("wait", f"not a number of seconds with decimal '{decimal}'", None))


def test_an_impossible_duration_is_null_and_counted_and_its_record_stays() -> None:
    values = ["-3", "-0.001", "1000000", "999999999999999"]
    for record in each("wait", values).values():
        assert (record["wait_seconds"], record["impossible_duration"], trouble(record)) == (None, "wait", SOUND)
    for record in each("queue_wait", values, columns={"queue_wait_seconds": {"column": "queue_wait"}}).values():
        assert (record["queue_wait_seconds"], record["impossible_duration"]) == (None, "queue_wait")


CLOCK = {"wait_seconds": {"column": "wait", "unit": "clock"}}


def test_a_clock_duration_is_hours_minutes_and_seconds() -> None:
    expected = {
        "0:01:27": "87",
        "00:01:27": "87",
        "00:01:27.250": "87.25",
        "100:00:00": "360000",
        "0:00:00": "0",
        " 0:00:05 ": "5",
    }
    records = each("wait", list(expected), columns=CLOCK)
    assert {value: (record["wait_seconds"], trouble(record)) for value, record in records.items()} == {
        value: (Decimal(seconds), SOUND) for value, seconds in expected.items()
    }


def test_what_is_no_clock_duration_is_quarantined() -> None:
    values = ["01:27", "87", "1:60:00", "1:00:60", "1:2:3", "-0:00:05", "0:00:5", "0:00:05 h", "12:00:00 PM", "1:0:0:0"]
    records = each("wait", values, columns=CLOCK)
    assert {value: record["quarantine_reason"] for value, record in records.items()} == dict.fromkeys(
        values, "not a duration as hours:minutes:seconds"
    )


def test_a_clock_duration_of_strange_digits_or_without_end_does_not_stop_the_night() -> None:
    for record in each(
        "wait", ["٣:00:00", "0:0٣:00", "0:00:00.٣", "9" * 16 + ":00:00", "9" * 99 + ":00:00"], columns=CLOCK
    ).values():
        assert record["wait_seconds"] is None
        assert record["quarantine_column"] == "wait" or record["impossible_duration"] == "wait"


def test_seconds_of_several_columns_are_added_up_exactly() -> None:
    columns = {"wait_seconds": {"column": ["wait", "queue_wait"]}}
    assert call({"wait": "0.1", "queue_wait": "0.2"}, columns=columns)["wait_seconds"] == Decimal("0.300")
    assert call({"wait": "-5", "queue_wait": "7"}, columns=columns)["wait_seconds"] == Decimal(2)
    assert call({"wait": "5", "queue_wait": "-7"}, columns=columns)["impossible_duration"] == "wait"


def test_a_sum_with_a_part_that_is_missing_is_null_and_not_the_other_part() -> None:
    record = call({"wait": "5"}, columns={"wait_seconds": {"column": ["wait", "queue_wait"]}})
    assert (record["wait_seconds"], trouble(record)) == (None, SOUND)


def test_a_sum_with_a_part_that_is_no_number_is_quarantined_by_the_name_of_that_part() -> None:
    record = call({"wait": "5", "queue_wait": "x"}, columns={"wait_seconds": {"column": ["wait", "queue_wait"]}})
    assert trouble(record) == ("queue_wait", "not a number of seconds with decimal '.'", "a")


MILLISECONDS = "%Y-%m-%d %H:%M:%S%.f"
FINE: Row = {
    name: {"column": column, "format": MILLISECONDS}
    for name, column in (
        ("arrived_at", "arrived"),
        ("queue_entered_at", "queued"),
        ("answered_at", "answered"),
        ("ended_at", "ended"),
    )
} | {"wait_seconds": None}


@pytest.mark.parametrize(
    ("outcome", "times", "wait", "queue_wait", "impossible"),
    [
        pytest.param(
            "answered",
            {"queued": "12:00:04.500", "answered": "12:00:30.001", "ended": "12:05:00"},
            "30.001",
            "25.501",
            None,
            id="an answered call waits until the answer",
        ),
        pytest.param(
            "missed",
            {"queued": "12:00:04.500", "answered": "12:00:30.001", "ended": "12:01:00.999"},
            "60.999",
            "56.499",
            None,
            id="a missed one until its end",
        ),
        pytest.param("machine", {"answered": "12:00:01", "ended": "12:00:09"}, "9", None, None, id="a machine's too"),
        pytest.param("missed", {"queued": "12:00:04"}, None, None, None, id="no end is no wait"),
        pytest.param("answered", {"ended": "12:00:09"}, None, None, None, id="no answer is no wait"),
        pytest.param("answered", {"answered": "12:00:00"}, "0", None, None, id="at once is zero"),
        pytest.param("answered", {"answered": "11:58:33"}, None, None, "wait", id="before it arrived is impossible"),
        pytest.param(
            "answered",
            {"queued": "12:00:09", "answered": "12:00:08"},
            "8",
            None,
            "queue_wait",
            id="before it was queued is impossible",
        ),
    ],
)
def test_without_seconds_of_the_source_the_wait_lies_between_two_instants(
    outcome: str, times: dict[str, str], wait: str | None, queue_wait: str | None, impossible: str | None
) -> None:
    day = {column: f"2025-01-15 {time}" for column, time in times.items()}
    record = call({"outcome": outcome, "arrived": "2025-01-15 12:00:00.000", **day}, columns=FINE)
    assert record["wait_seconds"] == (wait and Decimal(wait))
    assert record["queue_wait_seconds"] == (queue_wait and Decimal(queue_wait))
    assert (record["impossible_duration"], trouble(record)) == (impossible, SOUND)


def test_a_wait_through_the_night_of_the_switch_has_its_true_length() -> None:
    record = call({"arrived": "2025-03-30 01:59:30", "answered": "2025-03-30 03:00:30"}, columns={"wait_seconds": None})
    assert record["wait_seconds"] == Decimal(60)


def test_the_seconds_of_the_source_win_over_the_instants() -> None:
    assert call({"answered": "2025-01-15 12:00:30", "wait": "7"})["wait_seconds"] == Decimal(7)


def test_a_source_whose_clock_starts_at_the_queue_gives_a_lower_bound() -> None:
    assert call(wait_starts_at="queue")["is_wait_lower_bound"] is True
    assert call()["is_wait_lower_bound"] is False


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_declared_word_says_what_the_software_reports_and_what_happened() -> None:
    expected = {
        "answered": ("answered", True, False, None),
        " answered ": ("answered", True, False, None),
        "missed": ("missed", False, False, "abandoned"),
        "voicemail": ("missed", False, False, "voicemail"),
        "machine": ("answered", False, False, "voicemail"),
        "menu": ("missed", False, False, "menu"),
        "timeout": ("missed", False, False, "timeout"),
        "other": ("other", False, False, "abandoned"),
        "ringing": ("missed", False, True, "abandoned"),
    }
    records = each("outcome", list(expected))
    assert {
        word: (record["reported_outcome"], record["is_answered"], record["is_open"], record["missed_reason"])
        for word, record in records.items()
    } == expected
    assert {trouble(record) for record in records.values()} == {SOUND}


def test_a_word_that_was_not_declared_is_quarantined() -> None:
    words = ["", " ", "Answered", "answered?", "beantwoord"]
    for column, what in (("outcome", "outcomes"), ("direction", "directions")):
        for record in each(column, words).values():
            assert trouble(record)[:2] == (column, f"not one of the declared {what}")
    assert trouble(appointment({"status": "Done"}))[:2] == ("status", "not one of the declared statuses")


def test_a_call_without_an_end_is_open_only_where_that_is_declared() -> None:
    ended = {"ended": "2025-01-15 12:01:00"}
    assert [record["is_open"] for record in calls({}, ended, open_without_end=True)] == [True, False]
    assert [record["is_open"] for record in calls({}, ended)] == [False, False]
    assert call({**ended, "outcome": "ringing"}, open_without_end=True)["is_open"] is True


def test_the_word_open_alone_says_all_of_an_open_call() -> None:
    record = call({"outcome": "busy"}, outcomes={"busy": "open"})
    assert (record["reported_outcome"], record["is_open"], record["is_answered"]) == ("other", True, False)


def test_calls_that_are_no_citizens_calls_are_excluded_by_the_rule_of_their_direction() -> None:
    records = each("direction", ["in", "out", "internal"])
    assert {word: (record["direction"], record["exclusion_rule"]) for word, record in records.items()} == {
        "in": ("inbound", None),
        "out": ("outbound", "outbound"),
        "internal": ("internal", "internal"),
    }


def test_without_a_direction_every_call_is_inbound() -> None:
    assert call({"direction": "?"}, columns={"direction": None})["direction"] == "inbound"


def test_a_call_without_a_queue_is_of_the_queue_named_for_its_source() -> None:
    assert [record["queue"] for record in each("queue", ["Wonen ", "", " "]).values()] == ["Wonen", "phone", "phone"]
    assert call({"queue": "Wonen"}, columns={"queue": None}, exclude=[])["queue"] == "phone"


def test_a_record_is_excluded_by_declared_values_or_by_a_pattern() -> None:
    rules = [
        {"rule": "test_call", "column": "queue", "values": ["TEST", "TEST2"]},
        {"rule": "fax", "column": "queue", "matches": r"^Fax \d$"},
    ]
    expected = {
        "TEST": "test_call",
        " TEST ": "test_call",
        "TEST2": "test_call",
        "Fax 2": "fax",
        "TESTER": None,
        "fax 2": None,
        "Fax 22": None,
        "": None,
    }
    records = each("queue", list(expected), exclude=rules)
    assert {queue: record["exclusion_rule"] for queue, record in records.items()} == expected
    assert {trouble(record) for record in records.values()} == {SOUND}


def test_the_first_rule_that_holds_gives_its_name_and_declared_rules_come_before_directions() -> None:
    rules = [
        {"rule": "first", "column": "queue", "matches": "^T"},
        {"rule": "second", "column": "queue", "values": ["TEST"]},
    ]
    assert call({"queue": "TEST", "direction": "out"}, exclude=rules)["exclusion_rule"] == "first"
    assert appointment({"service": "TEST"}, exclude=[{**rules[1], "column": "service"}])["exclusion_rule"] == "second"


@pytest.mark.parametrize("matches", [r"^(?!Wonen)", r"(a)\1", r"a\Z", r"(?<=x)y"])
def test_a_pattern_that_the_reader_cannot_use_is_refused_when_the_settings_load(matches: str) -> None:
    """Python's `re`, which checks the settings, knows more than the reader's regular expressions do."""
    try:
        record = call({"queue": "Algemeen"}, exclude=[{"rule": "other", "column": "queue", "matches": matches}])
    except ValidationError:
        return
    assert record["exclusion_rule"] == ("other" if matches == r"^(?!Wonen)" else None)


# ── Appointments ──────────────────────────────────────────────────────────────────────────────────


def test_every_moment_of_an_appointment_is_in_utc() -> None:
    record = appointment(
        {
            "status": "done",
            "booked": "2025-01-02 09:00:00",
            "checked_in": "2025-01-15 11:55:00",
            "started": "2025-01-15 12:01:00",
            "ended": "2025-01-15 12:20:00",
        }
    )
    assert {name: str(value) for name, value in record.items() if name.endswith("_utc") and value} == {
        "booked_at_utc": "2025-01-02 08:00:00",
        "planned_start_utc": "2025-01-15 11:00:00",
        "checked_in_at_utc": "2025-01-15 10:55:00",
        "started_at_utc": "2025-01-15 11:01:00",
        "ended_at_utc": "2025-01-15 11:20:00",
    }
    assert (record["status"], record["planned_day"], trouble(record)) == ("completed", None, SOUND)


def test_a_visitor_without_an_appointment_has_no_planned_start_and_is_no_trouble() -> None:
    record = appointment({"planned": "", "status": "here", "checked_in": "2025-01-15 11:55:00"})
    assert (record["planned_start_utc"], trouble(record)) == (None, SOUND)


@pytest.mark.parametrize("column", ["booked", "planned", "checked_in", "started", "ended"])
def test_a_moment_of_an_appointment_that_cannot_be_read_is_quarantined(column: str) -> None:
    assert trouble(appointment({column: "morgen"})) == (column, "not in the format %Y-%m-%d %H:%M:%S", "aaaaaa")


@pytest.mark.parametrize(
    ("value", "service"),
    [
        ("premium", "premium"),
        ("premium, rijbewijs", "premium"),
        (" premium ,rijbewijs", "premium"),
        ("premium,", "premium"),
    ],
)
def test_of_several_services_the_first_counts(value: str, service: str) -> None:
    record = appointment({"service": value}, columns={"service_separator": ","})
    assert (record["service"], trouble(record)) == (service, SOUND)
    assert appointment({"service": value})["service"] == value.strip()


@pytest.mark.parametrize("value", [",rijbewijs", " , ", ","])
def test_a_list_of_services_that_begins_with_nothing_gives_no_nameless_service(value: str) -> None:
    record = appointment({"service": value}, columns={"service_separator": ","})
    assert record["quarantine_reason"] is not None or record["service"] == "rijbewijs"


@pytest.mark.parametrize(
    ("value", "day"),
    [("2025-01-15", date(2025, 1, 15)), (" 2025-03-30 ", date(2025, 3, 30)), ("", None)],
)
def test_a_planned_day_without_a_time_is_a_day_and_not_midnight(value: str, day: date | None) -> None:
    planned = {"column": "planned", "format": "%Y-%m-%d", "day_only": True}
    record = appointment({"planned": value}, columns={"planned_start": planned})
    assert (record["planned_day"], record["planned_start_utc"], trouble(record)) == (day, None, SOUND)


def test_a_planned_day_that_is_none_is_quarantined() -> None:
    planned = {"column": "planned", "format": "%Y-%m-%d", "day_only": True}
    for value in ("2025-02-29", "15/01/2025", "2025-01-15 10:00"):
        record = appointment({"planned": value}, columns={"planned_start": planned})
        assert trouble(record)[:2] == ("planned", "not in the format %Y-%m-%d")


@pytest.mark.parametrize("format_", ["%Y-%m-%d %H", "%Y-%m-%d %H:%M", "%Y-%m-%d %M"])
def test_a_planned_day_with_a_time_or_half_a_time_is_that_day_or_its_format_is_refused(format_: str) -> None:
    planned = {"column": "planned", "format": format_, "day_only": True}
    value = format_.replace("%Y-%m-%d", "2025-01-15").replace("%H", "23").replace("%M", "30")
    try:
        record = appointment({"planned": value}, columns={"planned_start": planned})
    except ValidationError:
        return
    assert (record["planned_day"], trouble(record)) == (date(2025, 1, 15), SOUND)


def test_a_planned_day_is_the_day_that_the_export_writes_also_with_an_offset() -> None:
    planned = {"column": "planned", "format": "%Y-%m-%dT%H:%M:%S%z", "day_only": True}
    try:
        record = appointment({"planned": "2025-01-15T00:00:00+01:00"}, columns={"planned_start": planned})
    except ValidationError:
        return  # a day with an offset may be refused, but not become the day before
    assert record["planned_day"] == date(2025, 1, 15)


def test_without_a_status_whoever_started_is_completed() -> None:
    columns = {"status": None}
    started = appointment({"status": "?", "started": "2025-01-15 12:01:00"}, columns=columns, statuses={})
    assert (started["status"], trouble(started)) == ("completed", SOUND)
    assert appointment({"status": "?"}, columns=columns, statuses={})["status"] == "planned"


def test_a_booking_channel_may_be_missing() -> None:
    assert [appointment({"channel": channel})["booking_channel"] for channel in (" web ", " ")] == ["web", None]
    assert appointment(columns={"booking_channel": None})["booking_channel"] is None


# ── Quarantine ────────────────────────────────────────────────────────────────────────────────────


def test_the_first_problem_in_the_order_of_the_record_is_the_one_told() -> None:
    row = {"id": "", "outcome": "x", "direction": "x", "arrived": "x", "queued": "x", "wait": "x"}
    columns = []
    while row:
        column, _, shape = trouble(call(row))
        assert column is not None
        assert shape == row.pop(column)[:1].replace("x", "a")
        columns.append(column)
    assert columns == ["id", "outcome", "direction", "arrived", "queued", "wait"]


def test_a_quarantined_record_stands_beside_sound_ones_each_on_its_line() -> None:
    records = calls({"id": "1"}, {"id": "2", "outcome": "a\nb"}, {"id": "3"}, {"id": "4", "wait": "x"}, {"id": "5"})
    assert [(record["line"], record["quarantine_column"]) for record in records] == [
        (2, None),
        (3, "outcome"),
        (5, None),
        (6, "wait"),
        (7, None),
    ]


def test_a_pattern_shows_the_shape_and_no_character() -> None:
    expected = {
        "12/34/5678 xy": "99/99/9999 aa",
        "Ünï cødé 漢字": "aaa aaaa aa",
        "٣½Ⅷ": "999",
        "+32 470 12 34 56": "+99 999 99 99 99",
        "jan.peeters@example.be": "aaa.aaaaaaa?aaaaaaa.aa",
        "\x1b[31mred\x1b[0m": "??99aaaa??9a",
        "a\r\nb\tc": "a??a?a",
        "<script>": "?aaaaaa?",
        "\u202eabc\u200b": "?aaa?",
        "x" * 61: "a" * 60,
        "x" * 5000: "a" * 60,
        "=1+1": "?9+9",
        "🐎": "?",
    }
    records = each("outcome", list(expected))
    assert {value: record["quarantine_pattern"] for value, record in records.items()} == expected


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
@example("\x1b]0;title\x07")
@example("e\u0301")
def test_whatever_the_value_its_pattern_is_short_and_made_of_signs_that_do_nothing(value: str) -> None:
    shape = pl.select(pattern(pl.lit(value))).item()
    assert len(shape) == min(len(value), 60)
    assert set(shape) <= set("a9 .,:;/+-_()|?")


def test_a_telephone_number_in_any_column_is_in_no_receipt_and_no_reason() -> None:
    columns = {"leg_id": "leg", "queue_wait_seconds": {"column": "queue_wait", "unit": "clock"}}
    call = {"id": "1", "leg": "1", "direction": "in", "outcome": "x", "arrived": "2025-01-15 12:00:00"}
    for base, header, row, changes in (
        (CALLS, CALL_HEADER, call, {"columns": columns}),
        (APPOINTMENTS, APPOINTMENT_HEADER, {"status": "x"}, {}),
    ):
        rows = tuple({**row, column: f"x{PHONE}"} for column in header.split(";"))
        receipt, records = _read(base, header, rows, changes)
        assert receipt.quarantined == len(rows)
        assert PHONE not in receipt.model_dump_json() + json.dumps([trouble(record) for record in records])


def test_moments_ages_apart_are_an_impossible_wait_or_quarantined() -> None:
    moments = ["9999-12-31 23:59:59", "1900-01-01 00:00:00", "0001-01-01 00:00:00"]
    for record in each("answered", moments, columns={"wait_seconds": None}).values():
        assert record["wait_seconds"] is None
        assert record["impossible_duration"] == "wait" or record["quarantine_column"] == "answered"


def test_a_year_of_five_digits_does_not_stop_the_night() -> None:
    record = call({"answered": "+99999-01-01 00:00:00"}, columns={"wait_seconds": None})
    assert trouble(record)[:2] == ("answered", "not in the format %Y-%m-%d %H:%M:%S")


ODD = "|x|answered|2025-01-15 12:00:00|2025-03-30 02:30:00|-9999-01-01 00:00:00|+99999-01-01 00:00:00|10|-1|1:00|٣|1e9"
WORDS = st.sampled_from([*ODD.split("|"), "9" * 30, "0:00:10", "NaN", "\x1b", "'", "ZZ\n", " "])


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate])  # to shrink takes a minute
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(CALL_HEADER.split(";"), WORDS | st.text(max_size=5))), min_size=1))
def test_whatever_the_values_every_record_comes_out_once(rows: list[dict[str, str]]) -> None:
    clean = [{name: value.replace("\0", "").replace("\r", "") for name, value in row.items()} for row in rows]
    clean = [{n: v.encode("utf-8", "ignore").decode() for n, v in row.items()} for row in clean]
    columns = {"wait_seconds": None, "queue_wait_seconds": {"column": "queue_wait", "unit": "clock"}}
    assert len(calls(*clean, columns=columns)) == len(rows)


def test_an_instant_of_the_export_never_depends_on_the_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Lima")
    expected = datetime(2025, 1, 15, 11, tzinfo=UTC).replace(tzinfo=None)
    assert call()["arrived_at_utc"] == expected
