"""Canonical calls, written as each vendor would, are read back equal as far as the format can tell."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.adapters.formats import FORMATS
from tests.city import settings_of, warehouse
from tests.vendors import VENDORS, Call

TOLD = ("queue", "is_answered", "arrived", "waited", "ended")
FIRST = datetime(2025, 1, 6)
NIGHTS_OF_THE_SWITCH = (datetime(2025, 3, 30), datetime(2025, 10, 26))


@st.composite
def calls(draw: st.DrawFn) -> list[Call]:
    """Calls of a year at any hour but those of the two nights in which the clock is changed."""
    made = []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        arrived = FIRST + timedelta(days=draw(st.integers(0, 350)), seconds=draw(st.integers(0, 86_399)))
        if any(abs(arrived - night) < timedelta(hours=12) for night in NIGHTS_OF_THE_SWITCH):
            arrived += timedelta(hours=24)
        waited = draw(st.integers(0, 400) | st.sampled_from([0, 30, 31, 300, 301]))
        is_answered, talked = draw(st.booleans()), draw(st.integers(1, 4000))
        queue = draw(st.sampled_from(["Onthaal", "Burgerzaken", "Énergie & wonen"]))
        made.append(Call(number, arrived, waited, is_answered, talked, queue))
    return made


def expected(call: Call) -> dict[str, Any]:
    return {
        "queue": call.queue,
        "is_answered": call.is_answered,
        "arrived": call.arrived,
        "waited": call.waited,
        "ended": call.ended,
    }


@pytest.mark.parametrize("known", [name for name, one in FORMATS.items() if one.kind == "calls"])
@settings(max_examples=8, deadline=None)
@given(made=calls())
def test_calls_written_as_the_vendor_would_are_read_back_equal(known: str, made: list[Call]) -> None:
    vendor = VENDORS[known]
    with tempfile.TemporaryDirectory() as folder:
        source = {
            "name": "phone",
            "kind": "calls",
            "format": known,
            "files": "calls_*",
            "time_zone": "Europe/Brussels",
            "export": {"at": "2025-12-31 23:00:00"},
            **dict(vendor.settings),
        }
        city = settings_of(Path(folder), sources=[source])
        city.folders.exports.mkdir(parents=True)
        (city.folders.exports / vendor.name).write_bytes(vendor.write(made))
        with warehouse(city) as con:
            found = con.execute(
                """
                select
                    queue, is_answered, arrived_local as arrived, wait_seconds::double as waited,
                    arrived_local + (ended_at_utc - arrived_at_utc) as ended
                from core.calls order by all
                """
            ).fetchall()
            refused = con.execute("select status, reason from ops.ledger where status <> 'loaded'").fetchall()
    assert refused == []
    told = [name for name in TOLD if name not in vendor.cannot_tell]

    def as_told(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        return sorted(tuple(row[name] for name in told) for row in rows)

    assert as_told([dict(zip(TOLD, row, strict=True)) for row in found]) == as_told([expected(call) for call in made])
