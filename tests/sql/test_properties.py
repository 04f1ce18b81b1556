"""What holds of any calls whatever: the bridge counted by hand, exports split in two, the days of the clock changes."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import CALLS, call, calls, settings_of, tables, warehouse, write_calls

WITH_LEGS: dict[str, Any] = {**CALLS, "columns": {**CALLS["columns"], "leg_id": "leg"}}
MOMENTS = {
    "2025-03-03 10:00:00": None,
    "2025-03-03 08:59:59": "before_opening",
    "2025-03-03 12:00:00": "break",
    "2025-03-03 16:00:00": "after_closing",
    "2025-03-02 10:00:00": "closed_weekday",
    "2025-03-05 10:00:00": "holiday",
    "2025-03-06 10:00:00": "closure",
}
CLOSURES = {
    "closures": [
        {"date": "2025-03-05", "service_points": ["telephone"], "kind": "holiday", "reason": "feest"},
        {"date": "2025-03-06", "service_points": ["telephone"], "kind": "closure", "reason": "staking"},
    ]
}
OUTCOMES = ("answered", "missed", "voicemail", "machine", "menu", "timeout", "other", "ringing")
REPORTED_MISSED = {"missed", "voicemail", "menu", "timeout", "ringing"}

citizens_calls = st.lists(
    st.tuples(
        st.sampled_from(list(MOMENTS)),
        st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=3),
        st.sampled_from(["in", "in", "in", "out"]),
    ),
    max_size=12,
)


def records_of(drawn: list[tuple[str, list[str], str]]) -> list[dict[str, str]]:
    return [
        call(moment, outcome, id=f"c{number}", leg=str(leg), direction=direction)
        for number, (moment, legs, direction) in enumerate(drawn)
        for leg, outcome in enumerate(legs)
    ]


def bridge_by_hand(drawn: list[tuple[str, list[str], str]]) -> Counter[str]:
    """The bridge by its definition, call by call."""
    steps: Counter[str] = Counter()
    for moment, legs, direction in drawn:
        reported = sum(outcome in REPORTED_MISSED for outcome in legs)
        steps["reported_missed"] += reported
        steps["further_records_of_the_call"] -= max(reported - 1, 0)
        if direction == "out":
            left = "excluded"
        elif "ringing" in legs:
            left = "open"
        elif MOMENTS[moment] is not None:
            left = str(MOMENTS[moment])
        elif "answered" in legs:
            left = "answered_by_somebody_else"
        else:
            steps["corrected_missed"] += 1
            steps["not_answered_by_a_person"] += reported == 0
            continue
        steps[left] -= reported > 0
    return Counter({step: records for step, records in steps.items() if records})


@settings(max_examples=15, deadline=None)
@given(citizens_calls)
def test_the_bridge_is_the_one_counted_by_hand_and_adds_up(drawn: list[tuple[str, list[str], str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = calls(
            Path(folder),
            *records_of(drawn),
            query="select step, records from marts.missed_calls_bridge where period_type = 'year' and records <> 0",
            sources=[WITH_LEGS],
            calendar=CLOSURES,
        )
    assert Counter(dict(rows)) == bridge_by_hand(drawn)
    assert sum(n for step, n in rows if step != "corrected_missed") == dict(rows).get("corrected_missed", 0)


@settings(max_examples=15, deadline=None)
@given(citizens_calls, st.data())
def test_an_export_split_in_two_gives_the_same_figures(
    drawn: list[tuple[str, list[str], str]], data: st.DataObject
) -> None:
    records = records_of(drawn)
    cut = data.draw(st.integers(0, len(records)))
    found: list[list[Any]] = []
    for parts in ([records], [records[:cut], records[cut:]]):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number, part in enumerate(parts):
                write_calls(folder, "2025-03-31", part, suffix=f"_{number}")
            with warehouse(settings_of(folder, sources=[WITH_LEGS], calendar=CLOSURES)) as con:
                told = tables(con, leave_out=("file_name", "line"))
                found.append([told[name] for name in ("core.calls", "marts.indicators", "marts.missed_calls_bridge")])
    assert found[0] == found[1]


@pytest.mark.parametrize("sunday", ["2025-03-30", "2025-10-26"], ids=["forward", "back"])
def test_the_days_around_both_clock_changes_are_judged_like_any_other(tmp_path: Path, sunday: str) -> None:
    year, month, day = map(int, sunday.split("-"))
    friday_and_monday = [f"{year}-{month:02d}-{day + offset:02d}" for offset in (-2, 1)]
    clocks = ["08:59:59", "09:00:00", "11:59:59", "12:00:00", "13:00:00", "15:59:59", "16:00:00"]
    records = [call(f"{date} {clock}", id=f"{date} {clock}") for date in friday_and_monday for clock in clocks]
    query = """
        select arrived_date::varchar, count(*) filter (outcome = 'answered'), count(*)
        from core.calls group by all order by all
    """
    told = calls(tmp_path, *records, query=query, export_day="2025-12-31")
    assert told == [(date, 4, 7) for date in friday_and_monday]


def test_missed_calls_are_counted_by_their_reasons(tmp_path: Path) -> None:
    asked = {**CALLS, "outcomes": {**CALLS["outcomes"], "callback": {"reported": "missed", "reason": "callback"}}}
    busy = {**asked, "outcomes": {**asked["outcomes"], "busy": {"reported": "missed", "reason": "no_agent"}}}
    words = ["missed", "voicemail", "machine", "menu", "timeout", "busy", "callback", "callback", "answered"]
    records = [call("2025-03-03 10:00:00", word, id=f"c{n}") for n, word in enumerate(words)]
    records.append(call("2025-03-03 08:00:00", "voicemail", id="at night"))
    reasons = "abandoned voicemail menu timeout no_agent callback"
    query = f"select {', '.join(f'sum(missed_{reason})' for reason in reasons.split())} from marts.missed_calls_%s"
    with_records = {"sources": [busy]}
    assert calls(tmp_path, *records, query=query % "monthly", **with_records) == [(1, 2, 1, 1, 1, 2)]
    assert calls(tmp_path, *records, query=query % "yearly", **with_records) == [(1, 2, 1, 1, 1, 2)]
