"""The bridge: from the records that the software calls missed to the calls that were, step by signed step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.city import CALLS, call, calls

WITH_LEGS: dict[str, Any] = {**CALLS, "columns": {**CALLS["columns"], "leg_id": "leg"}}
CLOSURES = {
    "closures": [
        {"date": "2025-03-05", "service_points": ["telephone"], "kind": "holiday", "reason": "feest"},
        {"date": "2025-03-06", "service_points": ["telephone"], "kind": "closure", "reason": "staking"},
    ]
}


def leg(call_id: str, number: int, arrived: str, outcome: str) -> dict[str, str]:
    return call(arrived, outcome, id=call_id, leg=str(number))


def test_every_step_of_the_bridge_takes_off_its_calls_and_adds_its_own(tmp_path: Path) -> None:
    night_and_day = [
        leg("before", 1, "2025-03-03 08:59:59", "missed"),
        leg("break", 1, "2025-03-03 12:30:00", "missed"),
        leg("after", 1, "2025-03-03 16:00:00", "missed"),
        leg("weekend", 1, "2025-03-02 10:00:00", "missed"),
        leg("holiday", 1, "2025-03-05 10:00:00", "missed"),
        leg("closure", 1, "2025-03-06 10:00:00", "missed"),
        {**leg("outbound", 1, "2025-03-03 10:00:00", "missed"), "direction": "out"},
        leg("open", 1, "2025-03-03 10:00:00", "ringing"),
        # rang at two desks in vain and was answered at the third: two records too many called missed
        leg("answered", 1, "2025-03-03 10:00:00", "missed"),
        leg("answered", 2, "2025-03-03 10:00:20", "missed"),
        leg("answered", 3, "2025-03-03 10:00:40", "answered"),
        # rang at two desks in vain: one call
        leg("twice", 1, "2025-03-03 11:00:00", "missed"),
        leg("twice", 2, "2025-03-03 11:00:20", "missed"),
        # the answering machine took it, and the software calls that answered
        leg("machine", 1, "2025-03-03 11:30:00", "machine"),
        leg("missed", 1, "2025-03-03 11:40:00", "missed"),
        leg("quiet night", 1, "2025-03-03 20:00:00", "answered"),  # reported answered and outside: in no step
    ]
    rows = calls(
        tmp_path,
        *night_and_day,
        query="select step, records from marts.missed_calls_bridge where period_type = 'month' order by step_number",
        sources=[WITH_LEGS],
        calendar=CLOSURES,
    )
    assert rows == [
        ("reported_missed", 13),
        ("before_opening", -1),
        ("break", -1),
        ("after_closing", -1),
        ("closed_weekday", -1),
        ("holiday", -1),
        ("closure", -1),
        ("excluded", -1),
        ("open", -1),
        ("answered_by_somebody_else", -1),
        ("further_records_of_the_call", -2),
        ("not_answered_by_a_person", 1),
        ("corrected_missed", 3),
    ]


def test_one_query_leads_from_a_step_to_its_calls(tmp_path: Path) -> None:
    rows = calls(
        tmp_path,
        call("2025-03-03 08:59:59", "missed", id="early"),
        call("2025-03-03 12:30:00", "missed", id="lunch"),
        call("2025-03-03 10:00:00", "missed", id="missed"),
        call("2025-03-03 10:00:00", "answered", id="answered"),
        query="select call_id, bridge_step from core.calls order by call_id",
    )
    assert rows == [
        ("answered", None),
        ("early", "before_opening"),
        ("lunch", "break"),
        ("missed", "corrected_missed"),
    ]
