"""What becomes of one citizen's call: sql/staging/call_states.sql and sql/core/calls.sql.

Most tests are a table of records and what is expected of each; the call's id says what is special about it.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.city import (
    CALL_HEADER,
    CALLS,
    INSTANT,
    WEEK,
    call,
    calls,
    instant,
    settings_of,
    warehouse,
    write,
    write_calls,
)

HOURS = [{"service_point": "telephone", "valid_from": "2024-01-01", **WEEK}]
INSIDE, BEFORE = "2025-03-10 10:00:00", "2025-03-10 08:00:00"


def phone(columns: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The call log of the test's city, declared otherwise."""
    return {**CALLS, "columns": {**CALLS["columns"], **(columns or {})}, **changes}


def exact(column: str) -> dict[str, str]:
    """An instant with thousandths of a second."""
    return {"column": column, "format": INSTANT + "%.f"}


def ask(
    folder: Path, *records: dict[str, str], of: str, source: dict[str, Any] = CALLS, **parts: Any
) -> dict[str, Any]:
    """By call id, the asked columns of core.calls: a value, or a tuple of several."""
    rows = calls(
        folder,
        *records,
        query=f"select call_id, {of} from core.calls",
        **{"sources": [source], "hours": HOURS, "export_day": "2025-03-10", **parts},
    )
    return {row[0]: row[1] if len(row) == 2 else row[1:] for row in rows}


def in_both(
    folder: Path, *records: dict[str, str], of: str, columns: dict[str, Any] | None = None, **changes: Any
) -> dict[tuple[str, str], Any]:
    """By source and call id: the same records in the log `phone` and in a log `other`, which is declared otherwise."""
    other = phone(columns, name="other", files="other_*.csv", **changes)
    other["export"] = {**CALLS["export"], "pattern": r"other_(?P<stamp>[-\d]+)"}
    write_calls(folder, "2025-03-10", records)
    write(folder, "other_2025-03-10.csv", CALL_HEADER, records)
    with warehouse(settings_of(folder, sources=[CALLS, other], hours=HOURS)) as con:
        rows = con.execute(f"select source, call_id, {of} from core.calls").fetchall()
    return {(row[0], row[1]): row[2] if len(row) == 3 else row[2:] for row in rows}


# ── Outcome ───────────────────────────────────────────────────────────────────────────────────────


def test_the_outcome_is_the_first_that_applies(tmp_path: Path) -> None:
    told = ask(
        tmp_path,
        call(BEFORE, "ringing", id="excluded before open and outside", queue="TEST"),
        call(INSIDE, "answered", id="excluded before answered", direction="internal"),
        call(INSIDE, "missed", id="excluded before missed", direction="out"),
        call(BEFORE, "ringing", id="open before outside"),
        call(INSIDE, "ringing", id="open before missed"),
        call(BEFORE, "answered", id="outside before answered"),
        call(BEFORE, "missed", id="outside before missed"),
        call(INSIDE, "answered", id="answered"),
        call(INSIDE, "missed", id="missed"),
        of="outcome",
    )
    assert told == {
        "excluded before open and outside": "excluded",
        "excluded before answered": "excluded",
        "excluded before missed": "excluded",
        "open before outside": "open",
        "open before missed": "open",
        "outside before answered": "outside_hours",
        "outside before missed": "outside_hours",
        "answered": "answered",
        "missed": "missed",
    }


def test_what_is_not_from_a_citizen_is_excluded_by_a_named_rule(tmp_path: Path) -> None:
    source = phone(
        exclude=[
            {"rule": "test_call", "column": "queue", "values": ["TEST", "Proef"]},
            {"rule": "fax", "column": "queue", "matches": r"^FAX \(\d+\)$"},
        ]
    )
    told = ask(
        tmp_path,
        call(INSIDE, id="from a citizen"),
        call(INSIDE, id="to a citizen", direction="out"),
        call(INSIDE, id="between colleagues", direction="internal"),
        call(INSIDE, id="a test", queue="TEST"),
        call(INSIDE, id="another test", queue="Proef"),
        call(INSIDE, id="a fax", queue="FAX (8888)"),
        call(INSIDE, id="about a fax", queue="FAX verkeerd"),
        call(INSIDE, id="a test between colleagues", queue="TEST", direction="internal"),
        source=source,
        of="outcome, exclusion_rule",
    )
    assert told == {
        "from a citizen": ("answered", None),
        "to a citizen": ("excluded", "outbound"),
        "between colleagues": ("excluded", "internal"),
        "a test": ("excluded", "test_call"),
        "another test": ("excluded", "test_call"),
        "a fax": ("excluded", "fax"),
        "about a fax": ("answered", None),
        "a test between colleagues": ("excluded", "test_call"),
    }


def test_a_call_that_no_person_answered_is_missed_and_keeps_its_reason(tmp_path: Path) -> None:
    words = {
        **CALLS["outcomes"],
        "no_agent": {"reported": "missed", "reason": "no_agent"},
        "callback": {"reported": "other", "reason": "callback"},
        "taken over": {"reported": "missed", "by_person": True},
    }
    told = ask(
        tmp_path,
        call(INSIDE, "answered", id="a person", answered="2025-03-10 10:00:05"),
        call(INSIDE, "machine", id="a machine", answered="2025-03-10 10:00:05"),
        call(INSIDE, "taken over", id="a person at another desk"),
        *[call(INSIDE, word, id=word) for word in ("missed", "voicemail", "menu", "timeout", "no_agent", "callback")],
        call(BEFORE, "voicemail", id="voicemail before opening"),
        call(INSIDE, "ringing", id="not yet anybody"),
        source=phone(outcomes=words),
        of="outcome, is_answered, missed_reason, reported_outcome, answered_at_utc is not null",
    )
    assert told == {
        "a person": ("answered", True, None, "answered", True),
        "a machine": ("missed", False, "voicemail", "answered", False),
        "a person at another desk": ("answered", True, None, "missed", False),
        "missed": ("missed", False, "abandoned", "missed", False),
        "voicemail": ("missed", False, "voicemail", "missed", False),
        "menu": ("missed", False, "menu", "missed", False),
        "timeout": ("missed", False, "timeout", "missed", False),
        "no_agent": ("missed", False, "no_agent", "missed", False),
        "callback": ("missed", False, "callback", "other", False),
        "voicemail before opening": ("outside_hours", False, "voicemail", "missed", False),
        "not yet anybody": ("open", False, None, "missed", False),
    }


def test_an_answered_call_without_an_end_is_answered_unless_its_source_says_that_it_is_open(tmp_path: Path) -> None:
    told = in_both(
        tmp_path,
        call(INSIDE, id="no end"),
        call(INSIDE, id="ended", ended="2025-03-10 10:05:00"),
        of="outcome",
        open_without_end=True,
    )
    assert told == {
        ("phone", "no end"): "answered",
        ("phone", "ended"): "answered",
        ("other", "no end"): "open",
        ("other", "ended"): "answered",
    }


def test_every_call_counts_however_often_somebody_redials(tmp_path: Path) -> None:
    redials = [call(INSIDE, "missed", id=f"redial {number}") for number in range(4)]
    assert len(ask(tmp_path, *redials, of="outcome")) == 4


# ── Records, versions, legs ───────────────────────────────────────────────────────────────────────


def test_the_newest_version_of_a_record_wins_and_the_others_are_kept(tmp_path: Path) -> None:
    write_calls(
        tmp_path,
        "2025-03-10",
        [
            call(INSIDE, "ringing", id="corrected"),
            call(INSIDE, "missed", id="the same"),
            call(INSIDE, "missed", id="unreadable later"),
        ],
    )
    write_calls(
        tmp_path,
        "2025-03-11",
        [
            call(INSIDE, "answered", id="corrected", wait="20"),
            call(INSIDE, "missed", id="the same"),
            call(INSIDE, "nonsense", id="unreadable later"),
        ],
    )
    source = phone(max_quarantined_share=1)
    with warehouse(settings_of(tmp_path, sources=[source], hours=HOURS)) as con:
        told = con.execute("select call_id, outcome, wait_seconds, legs from core.calls order by all").fetchall()
        counted = con.execute("""
            select export_date::varchar, accepted, duplicates, superseded, quarantined from ops.ledger order by all
        """).fetchall()
    assert told == [
        ("corrected", "answered", Decimal(20), 1),
        ("the same", "missed", Decimal(10), 1),
        ("unreadable later", "missed", Decimal(10), 1),
    ]
    assert counted == [("2025-03-10", 1, 1, 1, 0), ("2025-03-11", 2, 0, 0, 1)]


def test_one_id_in_two_sources_is_two_calls_which_without_a_queue_take_their_sources_name(tmp_path: Path) -> None:
    told = in_both(tmp_path, call(INSIDE, id="1", queue=""), call(INSIDE, id="2", queue="  "), of="legs, queue")
    assert told == {
        ("phone", "1"): (1, "phone"),
        ("phone", "2"): (1, "phone"),
        ("other", "1"): (1, "other"),
        ("other", "2"): (1, "other"),
    }


def test_without_ids_nothing_is_taken_for_a_duplicate_and_a_newer_export_replaces_its_days(tmp_path: Path) -> None:
    source = phone({"call_id": None}, replaces_dates=True)
    same = call("2025-03-10 10:00:00", "missed")
    write_calls(tmp_path, "2025-03-10", [same, same, call("2025-03-07 10:00:00", "missed")])
    write_calls(tmp_path, "2025-03-12", [same, same, same, call("2025-03-12 10:00:00")])
    with warehouse(settings_of(tmp_path, sources=[source], hours=HOURS)) as con:
        told = con.execute("""
            select arrived_date::varchar, count(*), count(distinct call_id) from core.calls group by all order by all
        """).fetchall()
        counted = con.execute("select accepted, superseded from ops.ledger order by export_date").fetchall()
    assert told == [("2025-03-07", 1, 1), ("2025-03-10", 3, 3), ("2025-03-12", 1, 1)]
    assert counted == [(1, 2), (4, 0)]


LEGS = phone(
    {"leg_id": "leg", "arrived_at": exact("arrived"), "answered_at": exact("answered"), "ended_at": exact("ended")}
)


def leg(id: str, number: int, arrived: str, outcome: str, wait: str, **fields: str) -> dict[str, str]:  # noqa: A002
    """One leg of a call, on the Monday of these tests."""
    return call(f"2025-03-10 {arrived}", outcome, id=id, leg=str(number), wait=wait, **fields)


def test_where_exports_replace_days_records_of_one_id_are_one_call_all_the_same(tmp_path: Path) -> None:
    rows = calls(
        tmp_path,
        call("2025-03-10 10:00:00", id="a", queue="Algemeen"),
        call("2025-03-10 10:05:00", id="a", queue="Wonen"),
        call("2025-03-10 11:00:00", id="b"),
        query="select call_id, records, queue from core.calls order by call_id",
        sources=[phone({}, replaces_dates=True)],
    )
    assert rows == [("a", 2, "Algemeen"), ("b", 1, "Algemeen")]


def test_one_citizens_call_is_one_call_however_many_legs(tmp_path: Path) -> None:
    told = ask(
        tmp_path,
        leg("overflowed", 1, "10:00:00.250", "timeout", "31.250", queue="Algemeen"),
        leg("overflowed", 2, "10:00:31.500", "answered", "5.125", queue="Wonen"),
        leg("transferred in vain", 1, "10:00:00", "answered", "12", queue="Algemeen"),
        leg("transferred in vain", 2, "10:03:00", "missed", "40", queue="Wonen"),
        leg("answered twice", 1, "10:00:00", "missed", "15"),
        leg("answered twice", 2, "10:00:20", "answered", "5"),
        leg("answered twice", 3, "10:09:00", "answered", "33"),
        leg("rang at three desks", 1, "10:00:00", "missed", "20"),
        leg("rang at three desks", 2, "10:00:20", "missed", "20"),
        leg("rang at three desks", 3, "10:00:40", "voicemail", "0.001"),
        leg("told backwards", 2, "10:01:00", "answered", "3", queue="Wonen"),
        leg("told backwards", 1, "10:00:00", "missed", "60", queue="Algemeen"),
        leg("alone", 1, "10:00:00", "answered", "7.125"),
        leg("within one second", 10, "10:00:00", "answered", "4", queue="Wonen"),
        leg("within one second", 9, "10:00:00", "missed", "1", queue="Algemeen"),
        source=LEGS,
        of="legs, legs_reported_missed, outcome, reported_outcome, queue, wait_seconds",
    )
    assert told == {
        "overflowed": (2, 1, "answered", "answered", "Algemeen", Decimal("36.375")),
        "transferred in vain": (2, 1, "answered", "answered", "Algemeen", Decimal(12)),
        "answered twice": (3, 1, "answered", "answered", "Algemeen", Decimal(25)),
        "rang at three desks": (3, 3, "missed", "missed", "Algemeen", Decimal("40.001")),
        "told backwards": (2, 1, "answered", "answered", "Algemeen", Decimal(63)),
        "alone": (1, 0, "answered", "answered", "Algemeen", Decimal("7.125")),
        "within one second": (2, 1, "answered", "answered", "Algemeen", Decimal(4)),
    }


def test_the_first_leg_places_a_call_and_the_last_one_says_why_it_was_missed(tmp_path: Path) -> None:
    told = ask(
        tmp_path,
        leg("before opening", 1, "08:59:30", "missed", "40"),
        leg("before opening", 2, "09:00:10", "answered", "5", answered="2025-03-10 09:00:15"),
        leg("past closing", 1, "11:59:50", "missed", "15", ended="2025-03-10 12:00:05"),
        leg("past closing", 2, "12:00:05", "timeout", "60", ended="2025-03-10 12:01:05"),
        leg("still ringing", 1, "10:00:00", "timeout", "30"),
        leg("still ringing", 2, "10:00:30", "ringing", ""),
        leg("one leg unknown", 1, "10:00:00", "missed", "20"),
        leg("one leg unknown", 2, "10:00:20", "answered", ""),
        source=LEGS,
        of="""
            outcome, missed_reason, speed_bucket,
            is_ended_after_closing, is_spanning_opening
        """,
    )
    assert told == {
        "before opening": ("outside_hours", None, "31-60", False, True),
        "past closing": ("missed", "timeout", None, True, False),
        "still ringing": ("open", None, None, False, False),
        "one leg unknown": ("answered", None, "unknown", False, False),
    }


def test_excluded_legs_count_only_for_a_call_that_has_no_others(tmp_path: Path) -> None:
    told = ask(
        tmp_path,
        leg("asked a colleague", 1, "09:59:00", "answered", "2", direction="internal", queue="Intern"),
        leg("asked a colleague", 2, "10:00:00", "missed", "20"),
        leg("only colleagues", 1, "10:00:00", "answered", "2", direction="internal"),
        leg("only colleagues", 2, "10:01:00", "missed", "2", direction="internal"),
        source=LEGS,
        of="outcome, exclusion_rule, queue, arrived_local::varchar, wait_seconds, legs, legs_reported_missed",
    )
    assert told == {
        "asked a colleague": ("missed", None, "Algemeen", "2025-03-10 10:00:00", Decimal(20), 2, 1),
        "only colleagues": ("excluded", "internal", "Algemeen", "2025-03-10 10:00:00", Decimal(2), 2, 1),
    }


def test_a_caller_for_whom_several_agents_ring_waits_until_the_first_answers_or_the_last_gives_up(
    tmp_path: Path,
) -> None:
    told = ask(
        tmp_path,
        leg("in vain", 1, "10:00:00", "missed", "40"),
        leg("in vain", 2, "10:00:01", "missed", "2"),
        leg("for how long is unknown", 1, "10:00:00", "missed", "2"),
        leg("for how long is unknown", 2, "10:00:02", "missed", ""),
        leg("second agent is faster", 1, "10:00:00", "answered", "40"),
        leg("second agent is faster", 2, "10:00:05", "answered", "5"),
        source=LEGS,
        of="wait_seconds, is_short_abandon",
    )
    assert told == {
        "in vain": (Decimal(40), False),
        "for how long is unknown": (None, False),
        "second agent is faster": (Decimal(10), False),
    }


def test_legs_in_two_exports_are_one_call_of_the_first_legs_day(tmp_path: Path) -> None:
    """Over New Year too: the year is that in which the citizen dialled in."""
    first = call("2024-12-31 23:59:50", "timeout", id="1", leg="a", wait="15", queue="Algemeen")
    second = call("2025-01-01 00:00:05", "answered", id="1", leg="b", wait="4", queue="Wonen")
    write_calls(tmp_path, "2025-01-01", [first])
    write_calls(tmp_path, "2025-01-02", [second])
    with warehouse(settings_of(tmp_path, sources=[LEGS], hours=HOURS)) as con:
        told = con.execute("select arrived_date::varchar, queue, legs, is_answered, wait_seconds from core.calls")
        assert told.fetchall() == [("2024-12-31", "Algemeen", 2, True, Decimal(19))]
        years = con.execute("select year(year), calls, reported_records from marts.missed_calls_yearly order by all")
        assert years.fetchall() == [(2024, 1, 2), (2025, 0, 0)]


# ── Waits ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_wait_is_null_when_it_is_impossible_or_not_recorded_and_zero_is_a_wait(tmp_path: Path) -> None:
    write_calls(
        tmp_path,
        "2025-03-31",
        [
            call(INSIDE, id="zero", wait="0"),
            call(INSIDE, id="not recorded", wait=""),
            call(INSIDE, id="negative", wait="-0.001"),
            call(INSIDE, id="no number", wait="1m30"),
            call(INSIDE, id="nine hours", wait="32400"),
            call(INSIDE, "missed", id="negative and missed", wait="-3"),
            call(
                INSIDE,
                id="negative in the queue, else not recorded",
                queued="2025-03-10 10:00:30",
                answered="2025-03-10 10:00:10",
                wait="",
            ),
            call(
                INSIDE,
                id="negative in the queue",
                queued="2025-03-10 10:00:30",
                answered="2025-03-10 10:00:10",
                wait="10",
            ),
        ],
    )
    source = phone(max_quarantined_share=1)
    with warehouse(settings_of(tmp_path, sources=[source], hours=HOURS)) as con:
        told = con.execute("""
            select call_id, outcome, wait_seconds, wait_reason, impossible_duration, speed_bucket, queue_wait_seconds
            from core.calls
        """).fetchall()
        quarantined = con.execute("select line, column_name, reason from ops.quarantine").fetchall()
        counted = con.execute("select answered, missed, excluded from marts.missed_calls_monthly").fetchall()
        flagged = con.execute("select waits, unknown_waits, impossible_durations from marts.telephone_wait_monthly")
        assert flagged.fetchall() == [(3, 3, 3)]
    assert {row[0]: row[1:] for row in told} == {
        "zero": ("answered", Decimal(0), None, None, "0-30", None),
        "not recorded": ("answered", None, "not_recorded", None, "unknown", None),
        "negative": ("answered", None, "impossible", "wait", "unknown", None),
        "negative in the queue, else not recorded": ("answered", None, "not_recorded", "queue_wait", "unknown", None),
        "nine hours": ("answered", Decimal(32400), None, None, "300+", None),
        "negative and missed": ("missed", None, "impossible", "wait", None, None),
        "negative in the queue": ("answered", Decimal(10), None, "queue_wait", "0-30", None),
    }
    assert quarantined == [(5, "wait", "not a number of seconds with decimal '.'")]
    assert counted == [(6, 1, 0)]


def test_durations_come_from_the_sources_own_seconds_where_it_has_them(tmp_path: Path) -> None:
    record = call(
        INSIDE,
        id="1",
        queued="2025-03-10 10:00:20",
        answered="2025-03-10 10:00:50",
        wait="48.5",
        queue_wait="29.5",
    )
    told = in_both(
        tmp_path,
        record,
        of="wait_seconds, queue_wait_seconds",
        columns={"wait_seconds": None, "queue_wait_seconds": {"column": "queue_wait"}},
    )
    assert told == {("phone", "1"): (Decimal("48.5"), Decimal(30)), ("other", "1"): (Decimal(50), Decimal("29.5"))}


def test_a_wait_between_two_instants_is_exact_also_when_the_clock_changes_between_them(tmp_path: Path) -> None:
    source = phone(
        {
            "arrived_at": exact("arrived"),
            "answered_at": exact("answered"),
            "ended_at": exact("ended"),
            "wait_seconds": None,
        }
    )
    told = ask(
        tmp_path,
        call("2025-03-10 10:00:00.100", id="thousandths", answered="2025-03-10 10:00:30.101"),
        call("2025-03-10 10:00:00.100", "missed", id="until the hang-up", ended="2025-03-10 10:00:04.000"),
        call(
            "2025-03-10 10:00:00",
            "voicemail",
            id="until the end",
            answered="2025-03-10 10:00:05",
            ended="2025-03-10 10:01:00",
        ),
        call("2025-03-10 10:00:00", id="no answer time"),
        call("2025-03-10 10:00:00", id="answered too soon", answered="2025-03-10 09:59:59.999"),
        call("2025-03-30 01:59:30", id="over the missing hour", answered="2025-03-30 03:00:30"),
        call("2025-10-26 01:59:30", id="into the doubled hour", answered="2025-10-26 02:00:30"),
        call("2025-10-26 02:59:50", id="perhaps into its second pass", answered="2025-10-26 02:00:10"),
        call("2025-12-31 23:59:50", id="over New Year", answered="2026-01-01 00:00:20"),
        source=source,
        of="wait_seconds, wait_reason, speed_bucket, is_arrival_ambiguous",
        export_day="2026-01-31",
    )
    assert told == {
        "thousandths": (Decimal("30.001"), None, "31-60", False),
        "until the hang-up": (Decimal("3.900"), None, None, False),
        "until the end": (Decimal(60), None, None, False),
        "no answer time": (None, "not_recorded", "unknown", False),
        "answered too soon": (None, "impossible", "unknown", False),
        "over the missing hour": (Decimal(60), None, "31-60", False),
        "into the doubled hour": (Decimal(60), None, "31-60", False),
        "perhaps into its second pass": (None, "impossible", "unknown", True),
        "over New Year": (Decimal(30), None, "0-30", False),
    }


def test_a_speed_bucket_ends_at_its_last_second_and_not_a_thousandth_later(tmp_path: Path) -> None:
    buckets = {
        "0": "0-30", "30": "0-30", "30.001": "31-60", "30.4": "31-60", "60": "31-60", "60.001": "61-90",
        "90": "61-90", "90.001": "91-120", "120": "91-120", "120.001": "121-300", "300": "121-300",
        "300.001": "300+", "999999.999": "300+", "": "unknown", "-1": "unknown",
    }  # fmt: skip
    told = ask(
        tmp_path,
        *[call(INSIDE, id=f"'{wait}'", wait=wait) for wait in buckets],
        call(BEFORE, id="answered outside hours"),
        call(INSIDE, "missed", id="missed"),
        call(INSIDE, "machine", id="by a machine"),
        of="speed_bucket",
    )
    others = {"answered outside hours": "0-30", "missed": None, "by a machine": None}
    assert told == {f"'{wait}'": bucket for wait, bucket in buckets.items()} | others


def test_who_hangs_up_in_less_than_the_threshold_is_a_short_abandon(tmp_path: Path) -> None:
    records = [
        call(INSIDE, "missed", id=f"after {wait} s", wait=wait) for wait in ("0", "4.999", "5", "9.999", "", "-1")
    ]
    others = [call(INSIDE, word, id=word, wait="1") for word in ("answered", "menu", "voicemail", "timeout")]
    five = ask(tmp_path / "five", *records, *others, of="is_short_abandon, outcome = 'missed'")
    assert five == {
        "after 0 s": (True, True),
        "after 4.999 s": (True, True),
        "after 5 s": (False, True),
        "after 9.999 s": (False, True),
        "after  s": (False, True),
        "after -1 s": (False, True),
        "answered": (False, False),
        "menu": (True, True),
        "voicemail": (False, True),
        "timeout": (False, True),
    }
    none = ask(tmp_path / "none", *records, *others, of="is_short_abandon", rules={"short_abandon_seconds": 0})
    assert set(none.values()) == {False}


def test_a_source_whose_clock_starts_at_the_queue_marks_its_waits_as_a_lower_bound(tmp_path: Path) -> None:
    record = call(INSIDE, id="1", queued="2025-03-10 10:00:03", answered="2025-03-10 10:00:10")
    told = in_both(tmp_path, record, of="is_wait_lower_bound, wait_seconds, queue_wait_seconds", wait_starts_at="queue")
    assert told == {
        ("phone", "1"): (False, Decimal(10), Decimal(7)),
        ("other", "1"): (True, Decimal(10), Decimal(7)),
    }


def test_durations_are_exact_decimals(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-31", [call(INSIDE)])
    with warehouse(settings_of(tmp_path, sources=[phone({"queue_entered_at": instant("queued")})], hours=HOURS)) as con:
        types = con.execute("""
            select table_schema, column_name, data_type from information_schema.columns
            where table_catalog = 'kcc' and column_name like '%wait_seconds%' and table_name <> 'appointments'
            and column_name not like 'is_%' and column_name not like 'mean_%'
        """).fetchall()
    assert len(types) == 2 + 3 + 2 + 3
    assert {data_type for schema, _, data_type in types if schema == "core"} == {"DECIMAL(9,3)"}
    assert {data_type for schema, _, data_type in types if schema == "marts"} == {"DECIMAL(18,3)"}
