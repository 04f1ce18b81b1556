"""Every record of every export file in exactly one state, and every file in one: what was delivered, and what held.

Rules: docs/indicators.md, "Audit and guard". The exports of the test's city are made at 20:00.
"""

from __future__ import annotations

import gzip
import os
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.files import export_files
from assets.inputs import file_states
from assets.records import Receipt, RecordStore
from pipelines.settings import Settings
from tests.city import (
    APPOINTMENT_HEADER,
    APPOINTMENTS,
    CALL_HEADER,
    CALLS,
    NO_IDS,
    TODAY,
    appointment,
    call,
    read_all,
    settings_of,
    tables,
    warehouse,
    write,
    write_appointments,
    write_calls,
)

Counts = dict[str, int]
STATES = ("accepted", "excluded", "duplicates", "superseded", "quarantined")


def ledger(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, Counts]]:
    """Every version of every file in order of name and delivery: its state, and how many records are in each state."""
    rows = con.execute(
        f"select file_name, status, records, {', '.join(STATES)} from ops.ledger order by file_name, delivery"
    ).fetchall()
    assert all(records == sum(counts) for _, _, records, *counts in rows)
    return [
        (name, status, {state: count for state, count in zip(STATES, counts, strict=True) if count})
        for name, status, _, *counts in rows
    ]


def queues(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The calls by id, with the queue that tells which version of the record holds."""
    return dict(con.execute("select call_id, queue from core.calls order by call_id").fetchall())


def phone(**parts: Any) -> list[dict[str, Any]]:
    """The call log alone, with some of its declaration replaced; bad records don't refuse a file unless told."""
    return [{**CALLS, "max_quarantined_share": 1.0, **parts}]


def record(name: str, queue: str = "Algemeen", **fields: str) -> dict[str, str]:
    return {**call("2025-03-10 09:30:00", id=name, queue=queue), **fields}


def bad(name: str, **fields: str) -> dict[str, str]:
    return record(name, **{"wait": "lang", **fields})


# ── One record, several files ────────────────────────────────────────────────────────────────────


def test_a_renamed_copy_of_a_file_changes_no_figure_and_the_older_records_are_its_duplicates(tmp_path: Path) -> None:
    # a call comes from the newest export that tells of it
    records = [record("a"), record("b", outcome="missed"), record("c", queue="TEST")]
    write_calls(tmp_path, "2025-03-10", records)
    with warehouse(settings_of(tmp_path)) as con:
        before = tables(con, leave_out=("delivery", "file_name", "line", "files"))
        assert ledger(con) == [("calls_2025-03-10.csv", "loaded", {"accepted": 2, "excluded": 1})]
    write_calls(tmp_path, "2025-03-10", records, suffix="_copy")
    with warehouse(settings_of(tmp_path)) as con:
        after = tables(con, leave_out=("delivery", "file_name", "line", "files"))
        assert ledger(con) == [
            ("calls_2025-03-10.csv", "loaded", {"duplicates": 3}),
            ("calls_2025-03-10_copy.csv", "loaded", {"accepted": 2, "excluded": 1}),
        ]
    assert len(before["core.calls"]) == 3
    assert {**after, "ops.ledger": None} == {**before, "ops.ledger": None}


def test_of_overlapping_exports_identical_records_are_duplicates_and_changed_ones_superseded(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", [record("same"), record("changed", outcome="missed"), record("only here")])
    write_calls(tmp_path, "2025-03-11", [record("same"), record("changed"), record("new")])
    write_calls(tmp_path, "2025-03-12", [record("same")])
    # changed, and then back to what it was: identical to the version that holds
    write_calls(tmp_path, "2025-03-13", [record("changed", outcome="missed")])
    planned = "2025-03-10 09:00:00"
    write_appointments(tmp_path, "2025-03-10", [appointment(planned, "planned", id=name) for name in ("s", "c", "o")])
    write_appointments(tmp_path, "2025-03-11", [appointment(planned, "planned", id="s"), appointment(planned, id="c")])
    with warehouse(settings_of(tmp_path)) as con:
        assert ledger(con) == [
            ("appointments_2025-03-10.csv", "loaded", {"accepted": 1, "duplicates": 1, "superseded": 1}),
            ("appointments_2025-03-11.csv", "loaded", {"accepted": 2}),
            ("calls_2025-03-10.csv", "loaded", {"accepted": 1, "duplicates": 2}),
            ("calls_2025-03-11.csv", "loaded", {"accepted": 1, "duplicates": 1, "superseded": 1}),
            ("calls_2025-03-12.csv", "loaded", {"accepted": 1}),
            ("calls_2025-03-13.csv", "loaded", {"accepted": 1}),
        ]
        outcomes = con.execute("select call_id, outcome, legs from core.calls order by call_id").fetchall()
        statuses = con.execute("select appointment_id, status from core.appointments").fetchall()
    assert outcomes == [
        ("changed", "missed", 1),
        ("new", "answered", 1),
        ("only here", "answered", 1),
        ("same", "answered", 1),
    ]
    assert dict(statuses) == {"s": "planned", "c": "completed", "o": "planned"}


def test_a_late_export_adds_what_only_it_has_and_takes_nothing_from_newer_ones(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, sources=[CALLS, NO_IDS])
    write_calls(tmp_path, "2025-03-11", [record("a", "newer"), record("b")])
    write(tmp_path, "old_2025-03-12.csv", CALL_HEADER, [call("2025-03-11 09:00:00"), call("2025-03-12 09:00:00")])
    with warehouse(settings) as con:
        assert con.execute("select count(*) from core.calls").fetchall() == [(4,)]
    write_calls(tmp_path, "2025-03-10", [record("a", "late"), record("b"), record("c", "late")])
    write(tmp_path, "old_2025-03-11.csv", CALL_HEADER, [call("2025-03-10 09:00:00"), call("2025-03-11 10:00:00")])
    with warehouse(settings) as con:
        calls = dict(con.execute("select call_id, queue from core.calls where source = 'phone'").fetchall())
        days = con.execute("select strftime(arrived_local, '%d %H') from core.calls where source = 'old' order by 1")
        assert calls == {"a": "newer", "b": "Algemeen", "c": "late"}
        assert days.fetchall() == [("10 09",), ("11 09",), ("12 09",)]
        assert ledger(con) == [
            ("calls_2025-03-10.csv", "loaded", {"accepted": 1, "duplicates": 1, "superseded": 1}),
            ("calls_2025-03-11.csv", "loaded", {"accepted": 2}),
            ("old_2025-03-11.csv", "loaded", {"accepted": 1, "superseded": 1}),
            ("old_2025-03-12.csv", "loaded", {"accepted": 2}),
        ]


CHANGES_OF_A_CALL: dict[str, dict[str, str]] = {
    "queue": {"queue": "Burgerzaken"},
    "direction": {"direction": "internal"},
    "outcome": {"outcome": "other"},
    "reason": {"outcome": "menu"},
    "arrival": {"arrived": "2025-03-10 09:30:01"},
    "answer": {"answered": "2025-03-10 09:31:00"},
    "end": {"ended": "2025-03-10 09:31:00"},
    "wait": {"wait": "10.001"},
    "wait gone": {"wait": ""},
    "wait impossible": {"wait": "-1"},
}
CHANGES_OF_AN_APPOINTMENT: dict[str, dict[str, str]] = {
    "service": {"service": "reispas"},
    "channel": {"channel": "desk"},
    "channel gone": {"channel": ""},
    "status": {"status": "no_show"},
    "booking": {"booked": "2025-03-03 09:00:00"},
    "plan": {"planned": "2025-03-10 09:30:00"},
    "check-in": {"checked_in": "2025-03-10 09:00:00"},
    "start": {"started": "2025-03-10 09:00:00"},
    "end": {"ended": "2025-03-10 09:00:00"},
}


def test_any_field_that_changes_makes_the_older_version_superseded_and_no_duplicate(tmp_path: Path) -> None:
    write_calls(
        tmp_path, "2025-03-10", [record(name, outcome="missed") for name in ["nothing at all", *CHANGES_OF_A_CALL]]
    )
    write_calls(
        tmp_path,
        "2025-03-11",
        [
            record(**{"name": name, "outcome": "missed", **change})
            for name, change in {"nothing at all": {}, **CHANGES_OF_A_CALL}.items()
        ],
    )
    planned = "2025-03-10 09:00:00"
    write_appointments(tmp_path, "2025-03-10", [appointment(planned, id=name) for name in CHANGES_OF_AN_APPOINTMENT])
    write_appointments(
        tmp_path,
        "2025-03-11",
        [appointment(**{"planned": planned, "id": name, **new}) for name, new in CHANGES_OF_AN_APPOINTMENT.items()],
    )
    with warehouse(settings_of(tmp_path)) as con:
        states = con.execute("select file_name, duplicates, superseded from ops.ledger order by all").fetchall()
    assert states == [
        ("appointments_2025-03-10.csv", 0, len(CHANGES_OF_AN_APPOINTMENT)),
        ("appointments_2025-03-11.csv", 0, 0),
        ("calls_2025-03-10.csv", 1, len(CHANGES_OF_A_CALL)),
        ("calls_2025-03-11.csv", 0, 0),
    ]


def test_newest_is_by_the_moment_of_the_export_then_by_file_name_then_by_line(tmp_path: Path) -> None:
    export = {"pattern": r"_(?P<stamp>\d{4}-\d{2}-\d{2}T\d{4})", "format": "%Y-%m-%dT%H%M"}
    sources = [
        {**CALLS, "files": "calls/*.csv", "export": export},
        {**APPOINTMENTS, "files": "desk/*.csv", "export": export},
    ]
    exports = {
        # made first, though its name comes last and its line is the highest
        "z_2025-03-10T0800.csv": ["-", "-", "by moment"],
        "a_2025-03-10T2000.csv": ["by moment", "by name"],
        "b_2025-03-10T2000.csv": ["by name", "by line", "by line"],
    }
    for name, ids in exports.items():
        versions = [(who, f"{name[0]}{line}", line) for line, who in enumerate(ids, start=2)]
        write(tmp_path, f"calls/{name}", CALL_HEADER, [record(who, told) for who, told, _ in versions])
        planned = [
            appointment(f"2025-03-{day:02} 09:00:00", id=who, service=told, booked="2025-03-01 09:00:00")
            for who, told, day in versions
        ]
        write(tmp_path, f"desk/{name}", APPOINTMENT_HEADER, planned)
    with warehouse(settings_of(tmp_path, sources=sources)) as con:
        calls = queues(con)
        desk = con.execute("select appointment_id, service, day(first_planned_date) from core.appointments").fetchall()
        counts = ledger(con)
    assert calls == {"-": "z3", "by moment": "a2", "by name": "b2", "by line": "b4"}
    # the first slot is that of the oldest version, by the same order
    assert {who: tuple(rest) for who, *rest in desk} == {
        "-": ("z3", 2),
        "by moment": ("a2", 4),
        "by name": ("b2", 3),
        "by line": ("b4", 3),
    }
    assert counts == [
        (f"{folder}/{name}", "loaded", states)
        for folder in ("calls", "desk")
        for name, states in (
            ("a_2025-03-10T2000.csv", {"accepted": 1, "superseded": 1}),
            ("b_2025-03-10T2000.csv", {"accepted": 2, "superseded": 1}),
            ("z_2025-03-10T0800.csv", {"accepted": 1, "superseded": 2}),
        )
    ]


def test_the_same_id_in_another_source_is_another_call_and_a_leg_has_versions_of_its_own(tmp_path: Path) -> None:
    def another(name: str, **columns: str) -> dict[str, Any]:
        return {
            **CALLS,
            "name": name,
            "files": f"{name}_*.csv",
            "export": {**CALLS["export"], "pattern": name + r"_(?P<stamp>\d{4}-\d{2}-\d{2})"},
            "columns": {**CALLS["columns"], **columns},
        }

    write_calls(tmp_path, "2025-03-10", [record("a", "old")])
    write_calls(tmp_path, "2025-03-11", [record("a", "of phone")])
    write(tmp_path, "second_2025-03-12.csv", CALL_HEADER, [record("a", "of second")])
    first_leg, second_leg = record("a", "of legs", leg="1"), record("a", "of legs", leg="2", outcome="missed")
    write(tmp_path, "legs_2025-03-13.csv", CALL_HEADER, [first_leg, second_leg])
    write(tmp_path, "legs_2025-03-14.csv", CALL_HEADER, [{**second_leg, "outcome": "menu"}])
    sources = [CALLS, another("second"), another("legs", leg_id="leg")]
    with warehouse(settings_of(tmp_path, sources=sources)) as con:
        calls = con.execute("select source, queue, legs from core.calls order by source").fetchall()
        counts = ledger(con)
    assert calls == [("legs", "of legs", 2), ("phone", "of phone", 1), ("second", "of second", 1)]
    assert counts == [
        ("calls_2025-03-10.csv", "loaded", {"superseded": 1}),
        ("calls_2025-03-11.csv", "loaded", {"accepted": 1}),
        ("legs_2025-03-13.csv", "loaded", {"accepted": 1, "superseded": 1}),
        ("legs_2025-03-14.csv", "loaded", {"accepted": 1}),
        ("second_2025-03-12.csv", "loaded", {"accepted": 1}),
    ]


def test_a_newer_version_that_cannot_be_read_is_quarantined_and_the_older_one_stands(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", [record("a", "older")])
    write_calls(tmp_path, "2025-03-11", [bad("a", queue="newer")])
    write_appointments(tmp_path, "2025-03-10", [appointment("2025-03-10 09:00:00", id="a")])
    write_appointments(tmp_path, "2025-03-11", [appointment("maandag", id="a")])
    sources = [*phone(), {**APPOINTMENTS, "max_quarantined_share": 1.0}]
    with warehouse(settings_of(tmp_path, sources=sources)) as con:
        calls = queues(con)
        planned = con.execute("select planned_date from core.appointments").fetchall()
        counts = ledger(con)
    assert calls == {"a": "older"}
    assert planned == [(date(2025, 3, 10),)]
    assert counts == [
        ("appointments_2025-03-10.csv", "loaded", {"accepted": 1}),
        ("appointments_2025-03-11.csv", "loaded", {"quarantined": 1}),
        ("calls_2025-03-10.csv", "loaded", {"accepted": 1}),
        ("calls_2025-03-11.csv", "loaded", {"quarantined": 1}),
    ]


def test_what_a_named_rule_excludes_is_counted_as_excluded_where_it_holds(tmp_path: Path) -> None:
    write_calls(
        tmp_path,
        "2025-03-10",
        [
            record("test", "TEST"),
            record("out", direction="out"),
            record("internal", direction="internal"),
            record("was no test"),
            record("was a test", "TEST"),
            record("citizen"),
        ],
    )
    write_calls(tmp_path, "2025-03-11", [record("was no test", "TEST"), record("was a test")])
    with warehouse(settings_of(tmp_path)) as con:
        rules = con.execute("select call_id, outcome, exclusion_rule from core.calls").fetchall()
        counts = ledger(con)
    assert {name: tuple(rest) for name, *rest in rules} == {
        "test": ("excluded", "test_call"),
        "out": ("excluded", "outbound"),
        "internal": ("excluded", "internal"),
        "was no test": ("excluded", "test_call"),
        "was a test": ("answered", None),
        "citizen": ("answered", None),
    }
    assert counts == [
        ("calls_2025-03-10.csv", "loaded", {"accepted": 1, "excluded": 3, "superseded": 2}),
        ("calls_2025-03-11.csv", "loaded", {"accepted": 1, "excluded": 1}),
    ]


# ── Sources without ids ──────────────────────────────────────────────────────────────────────────


def test_without_ids_a_newer_export_replaces_its_range_of_dates_and_nothing_is_de_duplicated(tmp_path: Path) -> None:
    write(
        tmp_path,
        "old_2025-03-13.csv",
        CALL_HEADER,
        [
            *[call("2025-03-10 09:00:00")] * 2,  # two anonymous callers in the same second
            call("2025-03-11 23:59:59"),
            call("2025-03-12 00:00:00"),  # the newer export does not know it any more
            call("2025-03-13 09:00:00"),  # nor anything of its day, which lies within its range
        ],
    )
    write(
        tmp_path,
        "old_2025-03-14.csv",
        CALL_HEADER,
        [*[call("2025-03-12 10:00:00")] * 3, call("2025-03-14 09:00:00")],
    )
    # made at the same moment: the name decides. What can't be read does not widen its range
    write(
        tmp_path,
        "old_2025-03-14_b.csv",
        CALL_HEADER,
        [call("2025-03-14 10:00:00"), call("2025-03-12 10:00:00", wait="lang")],
    )
    sources = [{**NO_IDS, "max_quarantined_share": 1.0}]
    with warehouse(settings_of(tmp_path, sources=sources)) as con:
        calls = con.execute(
            "select strftime(arrived_local, '%d %H:%M'), count(*), count(distinct call_id), max(legs) from core.calls "
            "group by 1 order by 1"
        ).fetchall()
        counts = ledger(con)
    assert calls == [
        ("10 09:00", 2, 2, 1),
        ("11 23:59", 1, 1, 1),
        ("12 10:00", 3, 3, 1),
        ("14 10:00", 1, 1, 1),
    ]
    assert counts == [
        ("old_2025-03-13.csv", "loaded", {"accepted": 3, "superseded": 2}),
        ("old_2025-03-14.csv", "loaded", {"accepted": 3, "superseded": 1}),
        ("old_2025-03-14_b.csv", "loaded", {"accepted": 1, "quarantined": 1}),
    ]


def test_the_range_of_a_replaced_file_replaces_nothing(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, sources=[NO_IDS])
    write(tmp_path, "old_2025-03-12.csv", CALL_HEADER, [call("2025-03-10 09:00:00"), call("2025-03-12 09:00:00")])
    write(tmp_path, "old_2025-03-13.csv", CALL_HEADER, [call("2025-03-10 10:00:00"), call("2025-03-13 09:00:00")])
    read_all(settings)
    write(tmp_path, "old_2025-03-13.csv", CALL_HEADER, [call("2025-03-13 09:00:00")])
    with warehouse(settings) as con:
        days = con.execute("select day(arrived_date) from core.calls order by 1").fetchall()
        counts = ledger(con)
    assert days == [(10,), (12,), (13,)]
    assert counts == [
        ("old_2025-03-12.csv", "loaded", {"accepted": 2}),
        ("old_2025-03-13.csv", "replaced", {"superseded": 2}),
        ("old_2025-03-13.csv", "loaded", {"accepted": 1}),
    ]


# ── The same name again ──────────────────────────────────────────────────────────────────────────


def test_what_was_delivered_last_under_a_name_holds_even_if_it_was_there_before(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, sources=phone())
    older = write_calls(tmp_path, "2025-03-10", [record("withdrawn", "older export")]).name
    name = "calls_2025-03-11.csv"

    def deliver_a() -> None:
        write_calls(tmp_path, "2025-03-11", [record("a", "A"), record("withdrawn", "A"), bad("bad")])

    deliver_a()
    with warehouse(settings) as con:
        assert queues(con) == {"a": "A", "withdrawn": "A"}
        first = tables(con)
    write_calls(tmp_path, "2025-03-11", [record("a", "B"), record("b", "B")])
    with warehouse(settings) as con:
        # what the last delivery no longer has is taken from the older export
        assert queues(con) == {"a": "B", "b": "B", "withdrawn": "older export"}
        assert ledger(con) == [
            (older, "loaded", {"accepted": 1}),
            (name, "replaced", {"superseded": 2, "quarantined": 1}),
            (name, "loaded", {"accepted": 2}),
        ]
        assert con.execute("select file_name, line from ops.quarantine").fetchall() == [(name, 4)]
    deliver_a()
    with warehouse(settings) as con:
        assert queues(con) == {"a": "A", "withdrawn": "A"}
        assert ledger(con) == [
            (older, "loaded", {"superseded": 1}),
            (name, "replaced", {"superseded": 2}),
            (name, "loaded", {"accepted": 2, "quarantined": 1}),
        ]
        again = tables(con)
    assert {**again, "ops.ledger": None} == {**first, "ops.ledger": None}


def test_a_replaced_appointment_file_leaves_its_quarantined_records_where_they_are(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, sources=[{**APPOINTMENTS, "max_quarantined_share": 1.0}])
    write_appointments(tmp_path, "2025-03-10", [appointment("2025-03-10 09:00:00", id="a"), appointment("morgen")])
    read_all(settings)
    write_appointments(tmp_path, "2025-03-10", [appointment("2025-03-11 09:00:00", id="a")])
    with warehouse(settings) as con:
        planned = con.execute("select planned_date from core.appointments").fetchall()
        counts = ledger(con)
    assert planned == [(date(2025, 3, 11),)]
    assert counts == [
        ("appointments_2025-03-10.csv", "replaced", {"superseded": 1, "quarantined": 1}),
        ("appointments_2025-03-10.csv", "loaded", {"accepted": 1}),
    ]


def test_a_refused_or_half_written_re_delivery_replaces_nothing(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, sources=phone(max_quarantined_share=0.02))
    good = write_calls(tmp_path, "2025-03-10", [record("a", "A")])
    read_all(settings)
    write_calls(tmp_path, "2025-03-10", [record("a", "too many bad ones"), bad("b")])
    read_all(settings)
    good.write_bytes(CALL_HEADER.encode() + b"\n\xff\n")
    read_all(settings)
    good.write_text(CALL_HEADER + "\na;;half wri", encoding="utf-8")
    with warehouse(settings) as con:
        assert queues(con) == {"a": "A"}
        assert ledger(con) == [
            (good.name, "loaded", {"accepted": 1}),
            (good.name, "refused", {}),
            (good.name, "refused", {}),
            (good.name, "deferred", {}),
        ]
    write_calls(tmp_path, "2025-03-10", [record("a", "mended")])
    with warehouse(settings) as con:
        assert queues(con) == {"a": "mended"}
        assert ledger(con) == [
            (good.name, "replaced", {"superseded": 1}),
            (good.name, "refused", {}),
            (good.name, "refused", {}),
            (good.name, "loaded", {"accepted": 1}),
        ]


def test_a_file_still_growing_is_deferred_and_once_it_is_whole_nothing_tells_of_that(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    path = write_calls(tmp_path, "2025-03-10", [record("a"), record("b")])
    whole = path.read_text(encoding="utf-8")
    path.write_text("", encoding="utf-8")
    read_all(settings)
    path.write_text(whole[:-5], encoding="utf-8")
    assert [(receipt.status, receipt.reason, receipt.records) for receipt in read_all(settings).receipts] == [
        ("deferred", "line 3, the last one, has no line end: it is still being written, or was cut", 0)
    ]
    path.write_text(whole, encoding="utf-8")
    with warehouse(settings) as con:
        assert ledger(con) == [(path.name, "loaded", {"accepted": 2})]


# ── Refused files ────────────────────────────────────────────────────────────────────────────────


def test_two_bad_records_in_a_hundred_are_quarantined_and_more_refuse_the_file(tmp_path: Path) -> None:
    def export(day: str, good: int, *others: dict[str, str]) -> None:
        write_calls(tmp_path, day, [*others, *(record(f"{day} {number}") for number in range(good))])

    export("2025-03-10", 49, bad("x"))
    export("2025-03-11", 97, record("y", outcome="???"), bad("z"))
    export("2025-03-12", 0)
    with warehouse(settings_of(tmp_path)) as con:
        states = con.execute(
            "select day(export_date), status, records, quarantined, unread_records, reason from ops.ledger order by 1"
        ).fetchall()
        days = con.execute("select distinct left(call_id, 10) from core.calls").fetchall()
        quarantined = con.execute("select file_name, line from ops.quarantine").fetchall()
    reason = states[1][5]
    assert states == [
        (10, "loaded", 50, 1, None, None),
        (11, "refused", 0, 0, 99, reason),
        (12, "loaded", 0, 0, None, None),
    ]
    assert reason.startswith("2 of 99 records ")
    assert reason.endswith("; the first: line 2, outcome: not one of the declared outcomes")
    # the other files are in
    assert days == [("2025-03-10",)]
    assert quarantined == [("calls_2025-03-10.csv", 2)]


@pytest.mark.parametrize(
    ("share", "quarantined", "records", "status"),
    [
        (0.02, 0, 0, "loaded"),
        (0.02, 1, 50, "loaded"),
        (0.02, 1, 49, "refused"),
        (0.02, 200, 10_000, "loaded"),
        (0.02, 201, 10_000, "refused"),
        (0.29, 29, 100, "loaded"),
        (0.0, 0, 10, "loaded"),
        (0.0, 1, 1_000_000, "refused"),
        (1.0, 10, 10, "loaded"),
    ],
)
def test_exactly_the_declared_share_of_bad_records_is_not_too_many(
    tmp_path: Path, share: float, quarantined: int, records: int, status: str
) -> None:
    receipt = Receipt(
        source="phone",
        name="calls.csv",
        sha256="",
        day=date(2025, 3, 10),
        exported_at_utc=None,
        delivery=1,
        size=0,
        modified_ns=0,
        reader="",
        status="loaded",
        records=records,
        quarantined=quarantined,
    )
    settings = settings_of(tmp_path, sources=phone(max_quarantined_share=share))
    assert [state.status for state in file_states([receipt], settings)] == [status]


def test_a_file_of_the_year_1_is_refused_like_any_other_of_before_the_start(tmp_path: Path) -> None:
    midnight = {**CALLS, "export": {**CALLS["export"], "time": "00:00"}}
    write_calls(tmp_path, "0001-01-01", [call("2025-03-10 10:00:00")])
    (receipt,) = read_all(settings_of(tmp_path, sources=[midnight])).receipts
    assert (receipt.status, receipt.reason) == ("refused", "made on 0001-01-01, before centre.start 2025-01-01")


def test_a_file_whose_export_day_cannot_be_right_is_refused_and_says_why(tmp_path: Path) -> None:
    # the test's today is 31 January 2026, and the centre starts on 1 January 2025
    refused = {
        "2026-02-01": "made on 2026-02-01, which is still to come",
        "2024-12-31": "made on 2024-12-31, before centre.start 2025-01-01",
        "2025-02-30": "in its name is not",
        "maart": "its name has no export date by the pattern",
    }
    for day in ("2025-01-01", "2026-01-31", *refused):
        write_calls(tmp_path, day, [record(day, arrived="2024-12-31 09:30:00")])
    with warehouse(settings_of(tmp_path)) as con:
        found = con.execute("select file_name, status, export_date, records, reason from ops.ledger").fetchall()
        calls = queues(con)
    states = {name.removeprefix("calls_").removesuffix(".csv"): tuple(rest) for name, *rest in found}
    assert {day: state[:3] for day, state in states.items()} == {
        "2025-01-01": ("loaded", date(2025, 1, 1), 1),
        "2026-01-31": ("loaded", date(2026, 1, 31), 1),
        **dict.fromkeys(refused, ("refused", None, 0)),
    }
    assert [day for day, reason in refused.items() if reason not in states[day][3]] == []
    assert calls.keys() == {"2025-01-01", "2026-01-31"}


def test_a_file_that_two_sources_claim_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    second = {**CALLS, "name": "second", "files": "*_2025-03-11.csv"}
    write_calls(tmp_path, "2025-03-10", [record("a")])
    write_calls(tmp_path, "2025-03-11", [record("b")])
    with warehouse(settings_of(tmp_path, sources=[CALLS, second])) as con:
        found = con.execute("select file_name, status, reason, records from ops.ledger order by 1").fetchall()
        calls = queues(con)
    assert found == [
        ("calls_2025-03-10.csv", "loaded", None, 1),
        (
            "calls_2025-03-11.csv",
            "refused",
            "both 'phone' and 'second' claim it; mend 'files' of one of them",
            0,
        ),
    ]
    assert calls.keys() == {"a"}


# ── Quarantine ───────────────────────────────────────────────────────────────────────────────────


def test_the_quarantine_tells_where_and_why_and_shows_the_shape_of_a_value_and_none_of_its_characters(
    tmp_path: Path,
) -> None:
    kept_from_sight = ("Žanssens", "0470", "٣٤", "zes", "jan@")
    path = write_calls(
        tmp_path,
        "2025-03-10",
        [
            record("fine", leg='"Balie\nNoord"'),  # on lines 2 and 3
            record("", queue="no id"),
            record("b", outcome="Žanssens"),
            record("c", direction="jan@zes.be"),
            record("d", arrived="Žanssens 0470/12.34.56"),
            record("e", arrived=""),
            record("f", arrived="2025-03-30 02:30:00"),
            record("g", wait="zes"),
            record("h", wait="٣٤"),
            record("i", ended="10/03/2025 0470"),
            record("j", wait="zes", ended="0470"),  # the first problem is its reason
            record("k", outcome="Žanssens " * 9),
            record("l", arrived="2023-12-31 10:00:00"),  # before the first declared hours
        ],
    )
    with path.open("a", encoding="utf-8") as file:
        file.write("Žanssens;0470\n")
    write_appointments(tmp_path, "2025-03-10", [appointment("Žanssens 0470", id="m")])
    settings = settings_of(tmp_path, sources=[*phone(), {**APPOINTMENTS, "max_quarantined_share": 1.0}])
    instant = "not in the format %Y-%m-%d %H:%M:%S"
    with warehouse(settings) as con:
        found = con.execute(
            "select source, file_name, line, column_name, reason, pattern from ops.quarantine order by source, line"
        ).fetchall()
        everything = str(tables(con))
    calls = ("phone", "calls_2025-03-10.csv")
    no_hours = "arrived on a day for which the settings declare no opening hours of the telephone"
    assert found == [
        ("desk", "appointments_2025-03-10.csv", 2, "planned", instant, "aaaaaaaa 9999"),
        (*calls, 4, "id", "no value, where one is required", ""),
        (*calls, 5, "outcome", "not one of the declared outcomes", "aaaaaaaa"),
        (*calls, 6, "direction", "not one of the declared directions", "aaa?aaa.aa"),
        (*calls, 7, "arrived", instant, "aaaaaaaa 9999/99.99.99"),
        (*calls, 8, "arrived", "no arrival, so the call belongs to no day", ""),
        (*calls, 9, "arrived", "a local time that does not exist in Europe/Brussels", "9999-99-99 99:99:99"),
        (*calls, 10, "wait", "not a number of seconds with decimal '.'", "aaa"),
        (*calls, 11, "wait", "not a number of seconds with decimal '.'", "99"),
        (*calls, 12, "ended", instant, "99/99/9999 9999"),
        (*calls, 13, "ended", instant, "9999"),
        (*calls, 14, "outcome", "not one of the declared outcomes", ("aaaaaaaa " * 9)[:60]),
        (*calls, 15, "(arrival)", no_hours, None),
        (*calls, 16, "(all)", "2 fields, where the header has 11", None),
    ]
    assert not [word for word in kept_from_sight if word in everything]
    receipts = "".join(path.read_text() for path in (settings.folders.data / "records").rglob("*.json"))
    assert "calls_2025-03-10.csv" in receipts
    assert not [word for word in kept_from_sight if word in receipts]


# ── The same deliveries, however they are read ───────────────────────────────────────────────────


def every_kind_of_export(folder: Path) -> None:
    """Overlaps, copies, corrections, bad records, exclusions, rescheduling, a source without ids, a refused file."""
    write_calls(folder, "2025-03-10", [record("a", "1"), record("b"), record("c", "TEST"), bad("d")])
    write_calls(folder, "2025-03-11", [record("a", "2"), record("b"), record("d"), record("a", "3")])
    write_calls(folder, "2025-03-11", [record("a", "2"), record("b"), record("d"), record("a", "3")], suffix="_copy")
    write_calls(folder, "2025-03-11", [record("b", "corrected"), bad("a")], suffix="_correctie")
    write_calls(folder, "maart", [record("e")])
    for day, planned in (("2025-03-10", "11"), ("2025-03-12", "20"), ("2025-03-14", "18")):
        write_appointments(
            folder,
            day,
            [appointment(f"2025-03-{planned} 09:00:00", "planned", id="a", booked="2025-03-10 09:00:00")],
        )
    for day, arrivals in (("2025-03-10", (10, 10, 12)), ("2025-03-12", (12, 12, 14)), ("2025-03-11", (9, 13))):
        write(
            folder,
            f"old_{day}.csv",
            CALL_HEADER,
            [call(f"2025-03-{arrived:02} 10:00:00", queue=f"exported {day}") for arrived in arrivals],
        )


def test_the_order_of_reading_and_any_repetition_of_it_do_not_matter(tmp_path: Path) -> None:
    every_kind_of_export(tmp_path)

    def settings(data: str) -> Settings:
        folders = {"exports": str(tmp_path / "exports"), "data": str(tmp_path / data)}
        return settings_of(tmp_path, sources=[*phone(), NO_IDS, APPOINTMENTS], folders=folders)

    def built(settings: Settings) -> dict[str, list[Any]]:
        with warehouse(settings) as con:
            return tables(con)

    with warehouse(settings("at once")) as con:
        expected = tables(con)
        states = {(status, *counts) for _, status, counts in ledger(con)}
    assert {status for status, *_ in states} == {"loaded", "refused"}
    assert {state for _, *counts in states for state in counts} == set(STATES)

    one_by_one = settings("last first, one a run")
    for file in reversed(export_files(one_by_one, TODAY)):
        RecordStore(one_by_one).read(file)
    assert built(one_by_one) == expected, "last first, one a run"

    again = settings("the odd ones, the even ones, then all of them again")
    files = export_files(again, TODAY)
    for some in (files[1::2], files[::2]):
        store = RecordStore(again)
        for file in some:
            store.read(file)
    for number, file in enumerate(files, start=1):
        os.utime(file.path, ns=(number, number))  # as if it had been copied there again
    assert len(RecordStore(again).unread(files)) == len(files)
    assert built(again) == expected, "again"


def test_a_compressed_file_is_the_same_content(tmp_path: Path) -> None:
    path = write_calls(tmp_path, "2025-03-10", [record("a"), record("b")])
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with warehouse(settings_of(tmp_path, sources=phone(files="calls_*.csv*"))) as con:
        hashes = con.execute("select distinct sha256 from ops.ledger").fetchall()
        counts = ledger(con)
        calls = con.execute("select call_id, legs from core.calls order by call_id").fetchall()
    assert len(hashes) == 1
    assert counts == [(path.name, "loaded", {"duplicates": 2}), (packed.name, "loaded", {"accepted": 2})]
    assert calls == [("a", 1), ("b", 1)]


# ── Settings that change ─────────────────────────────────────────────────────────────────────────


def test_a_changed_mapping_reads_everything_again_and_other_settings_do_not(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", [record("a", outcome="menu")])
    settings = settings_of(tmp_path)
    read_all(settings)
    another_share = settings_of(tmp_path, sources=phone(), rules={"short_abandon_seconds": 9})
    mapped = settings_of(tmp_path, sources=phone(outcomes={**CALLS["outcomes"], "menu": "answered"}))

    def unread(settings: Settings) -> list[str]:
        return [file.name for file in RecordStore(settings).unread(export_files(settings, TODAY))]

    assert (unread(settings), unread(another_share), unread(mapped)) == ([], [], ["calls_2025-03-10.csv"])
    with warehouse(mapped) as con:
        after = con.execute("select reported_outcome, outcome from core.calls").fetchall()
        counts = ledger(con)
    assert after == [("answered", "answered")]
    assert counts == [("calls_2025-03-10.csv", "loaded", {"accepted": 1})]


def test_a_changed_mapping_keeps_a_replaced_version_that_has_the_content_of_a_file_that_is_read_again(
    tmp_path: Path,
) -> None:
    records = [record("a", "A", outcome="menu"), bad("b")]
    name = write_calls(tmp_path, "2025-03-10", records).name
    copy = write_calls(tmp_path, "2025-03-10", records, suffix="_copy").name
    read_all(settings_of(tmp_path, sources=phone()))
    write_calls(tmp_path, "2025-03-10", [record("a", "B")])
    read_all(settings_of(tmp_path, sources=phone()))
    mapped = settings_of(tmp_path, sources=phone(outcomes={**CALLS["outcomes"], "menu": "answered"}))
    stores = {"the run that reads it again": read_all(mapped), "a run after that": RecordStore(mapped)}
    for run, store in stores.items():
        versions = [(state.name, state.status, state.quarantined) for state in file_states(store.receipts, mapped)]
        assert sorted(versions) == [(name, "loaded", 0), (name, "replaced", 1), (copy, "loaded", 1)], run
        assert len({receipt.reader for receipt in store.receipts}) == 1, run


OTHER_COLUMN = phone(files="calls_*.csv*", columns={**CALLS["columns"], "queue": "rij"})
OTHER_CLAIM = {**CALLS, "name": "other", "files": "*_2025-03-1*.csv*"}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("sources", "status"),
    [
        (OTHER_COLUMN, ["refused"]),
        (phone(files="oproepen_*.csv*"), []),
        ([*phone(files="calls_*.csv*"), OTHER_CLAIM], ["refused"]),
        ([OTHER_CLAIM, *phone(files="calls_*.csv*")], ["refused"]),
        (phone(files="calls_*.csv*", max_quarantined_share=0.3), ["refused"]),
    ],
    ids=["a column that is not there", "other files", "claimed twice", "claimed twice, by a first source", "a share"],
)
def test_after_a_change_of_settings_files_stand_as_if_those_had_always_been_the_settings(
    tmp_path: Path, sources: list[dict[str, Any]], status: list[str], *, packed: bool
) -> None:
    path = write_calls(tmp_path, "2025-03-10", [record("a"), bad("b")])
    if packed:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()

    def states(data: str, sources: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
        """The state of each file, in a data folder of that name."""
        folders = {"exports": str(tmp_path / "exports"), "data": str(tmp_path / data)}
        settings = settings_of(tmp_path, sources=sources, folders=folders)
        read_all(settings)
        found = file_states(RecordStore(settings).receipts, settings)
        return [(state.source, state.status, state.records) for state in found]

    first = phone(files="calls_*.csv*")
    assert states("kept", first) == [("phone", "loaded", 2)]
    assert [state for _, state, _ in states("fresh", sources)] == status
    assert states("kept", sources) == states("fresh", sources)
    assert states("kept", first) == [("phone", "loaded", 2)]


def test_the_moment_of_an_export_follows_the_zone_of_the_centre_also_for_files_that_were_read_before(
    tmp_path: Path,
) -> None:
    write_calls(tmp_path, "2025-03-10", [record("a")])

    def made_at(zone: str) -> list[str]:
        centre = {"name": "Testdorp", "time_zone": zone, "start": "2025-01-01"}
        return [str(receipt.exported_at_utc) for receipt in read_all(settings_of(tmp_path, centre=centre)).receipts]

    assert made_at("Europe/Brussels") == ["2025-03-10 19:00:00"]
    assert made_at("UTC") == ["2025-03-10 20:00:00"]
