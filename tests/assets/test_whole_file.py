"""What all records of a file give away together, and what a few of them may show by chance."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.canonical import CanonicalExport
from assets.files import ExportFile
from assets.reading import FileRefused
from tests.city import APPOINTMENTS, CALLS, instant, settings_of

HEADER = "id;queue;direction;outcome;arrived;queued;answered;ended;wait\n"
DAY_FIRST = "%d/%m/%Y %H:%M"
ARRIVED_DAY_FIRST = {**CALLS["columns"], "arrived_at": {"column": "arrived", "format": DAY_FIRST}}


def read(folder: Path, content: str, exported: date, **changes: Any) -> tuple[int, int]:
    """Records and quarantined records of one export; raises FileRefused."""
    declared = settings_of(folder, sources=[{**(APPOINTMENTS if "statuses" in changes else CALLS), **changes}])
    path = folder / "calls.csv"
    path.write_text(content, encoding="utf-8")
    noon = datetime(exported.year, exported.month, exported.day, 12)
    export = CanonicalExport(ExportFile(declared.sources[0], path, path.name, exported, noon), declared)
    for _ in export.frames():
        pass
    return export.records, export.quarantined


def calls(*records: dict[str, str]) -> str:
    """A call log; each record has an id of its own and is answered after ten seconds unless told."""
    told = {
        "queue": "Algemeen",
        "direction": "in",
        "outcome": "answered",
        "arrived": "2025-03-10 10:00:00",
        "wait": "10",
    }
    rows = [{"id": f"r{number}", **told, **record} for number, record in enumerate(records)]
    return HEADER + "".join(
        ";".join(row.get(column, "") for column in HEADER.strip().split(";")) + "\n" for row in rows
    )


def arriving(days: list[date], written: str) -> str:
    return calls(*({"arrived": day.strftime(f"{written} 10:00")} for day in days))


# ── Days and months ───────────────────────────────────────────────────────────────────────────────

EXPORTED = st.dates(date(2024, 1, 1), date(2025, 12, 31))


@settings(max_examples=60, deadline=None)
@given(EXPORTED, st.lists(st.integers(0, 14), min_size=1, max_size=8))
def test_recent_records_in_the_other_order_are_never_loaded_on_another_day(
    tmp_path_factory: pytest.TempPathFactory, exported: date, ages: list[int]
) -> None:
    days = [exported - timedelta(days=age) for age in ages]
    unmoved = sum(day.day == day.month for day in days)
    content = arriving(days, "%m/%d/%Y")
    try:
        records, quarantined = read(tmp_path_factory.mktemp("x"), content, exported, columns=ARRIVED_DAY_FIRST)
    except FileRefused as refused:
        assert "which order is it" in str(refused)  # noqa: PT017
        return
    assert records - quarantined == unmoved


@settings(max_examples=60, deadline=None)
@given(EXPORTED, st.integers(0, 400), st.integers(0, 400))
def test_an_unbroken_run_of_days_in_the_declared_order_is_read_however_old_if_it_is_a_month(
    tmp_path_factory: pytest.TempPathFactory, exported: date, age: int, more: int
) -> None:
    days = [exported - timedelta(days=age + n) for n in range(30 + more)]
    content = arriving(days, "%d/%m/%Y")
    assert read(tmp_path_factory.mktemp("x"), content, exported, columns=ARRIVED_DAY_FIRST) == (len(days), 0)


@settings(max_examples=60, deadline=None)
@given(EXPORTED, st.integers(1, 14))
def test_the_days_before_an_export_in_the_declared_order_are_read(
    tmp_path_factory: pytest.TempPathFactory, exported: date, days: int
) -> None:
    content = arriving([exported - timedelta(days=n) for n in range(days)], "%d/%m/%Y")
    assert read(tmp_path_factory.mktemp("x"), content, exported, columns=ARRIVED_DAY_FIRST) == (days, 0)


def test_a_day_in_the_other_order_that_lies_in_the_fortnight_before_the_export_is_asked_about(tmp_path: Path) -> None:
    content = arriving([date(2025, 2, 3)] * 3, "%d/%m/%Y")  # or 2 March
    assert read(tmp_path, content, date(2025, 2, 14), columns=ARRIVED_DAY_FIRST) == (3, 0)
    with pytest.raises(FileRefused, match=r"3 records lie far before the export in the order .*%d/%m/%Y"):
        read(tmp_path, content, date(2025, 3, 3), columns=ARRIVED_DAY_FIRST)


def test_a_few_old_records_among_recent_ones_may_be_old(tmp_path: Path) -> None:
    exported, recent, old = date(2025, 3, 3), date(2025, 3, 1), date(2025, 2, 3)
    few, many = (arriving([recent] * 40 + [old] * number, "%d/%m/%Y") for number in (9, 10))
    assert read(tmp_path, few, exported, columns=ARRIVED_DAY_FIRST) == (49, 0)
    with pytest.raises(FileRefused, match="10 records lie far before"):
        read(tmp_path, many, exported, columns=ARRIVED_DAY_FIRST)


def test_a_doubt_that_the_city_has_looked_into_is_none(tmp_path: Path) -> None:
    content = arriving([date(2025, 2, 3)] * 3, "%d/%m/%Y")
    with pytest.raises(FileRefused, match=r'declare not_misread = \["date_order"\]'):
        read(tmp_path, content, date(2025, 3, 3), columns=ARRIVED_DAY_FIRST)
    known = {"not_misread": ["date_order"], "columns": ARRIVED_DAY_FIRST}
    assert read(tmp_path, content, date(2025, 3, 3), **known) == (3, 0)


def test_nobody_writes_a_year_and_then_the_day(tmp_path: Path) -> None:
    content = calls(*[{"arrived": "2025-02-03 10:00:00"}] * 3)
    assert read(tmp_path, content, date(2025, 3, 3)) == (3, 0)


@pytest.mark.parametrize(
    ("arrived", "quarantined"),
    [
        pytest.param("2025-03-03 23:59:59", 0, id="later on the day of the export"),
        pytest.param("2025-03-04 01:00:00", 0, id="an hour after midnight, for clocks differ"),
        pytest.param("2025-03-04 01:00:01", 1, id="a second more"),
        pytest.param("2026-03-03 10:00:00", 1, id="next year"),
    ],
)
def test_what_happened_after_the_day_of_the_export_is_quarantined(
    tmp_path: Path, arrived: str, quarantined: int
) -> None:
    assert read(tmp_path, calls({"arrived": arrived}), date(2025, 3, 3)) == (1, quarantined)


# ── Columns ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("records", "wrong", "is_refused"), [(10, 6, True), (10, 5, False), (9, 9, False)])
def test_the_columns_were_exchanged_if_most_of_many_records_end_before_they_were_answered(
    tmp_path: Path, records: int, wrong: int, is_refused: bool
) -> None:
    moments = {"answered": "2025-03-10 10:00:10", "ended": "2025-03-10 10:05:00"}
    turned = {"answered": "2025-03-10 10:05:00", "ended": "2025-03-10 10:00:10"}
    content = calls(*[turned] * wrong, *[moments] * (records - wrong))
    if is_refused:
        with pytest.raises(FileRefused, match="in 6 of 10 records 'answered' is beyond 'ended'"):
            read(tmp_path, content, date(2025, 3, 31))
    else:
        assert read(tmp_path, content, date(2025, 3, 31)) == (records, 0)


def test_a_slot_that_began_just_before_its_booking_is_no_exchange(tmp_path: Path) -> None:
    header = "id;service;channel;status;booked;planned;checked_in;started;ended\n"
    walked_in = "a{};premium;desk;done;2025-03-10 10:07:00;2025-03-10 10:00:00;;2025-03-10 10:09:00;\n"
    content = header + "".join(walked_in.format(n) for n in range(20))
    assert read(tmp_path, content, date(2025, 3, 31), statuses=APPOINTMENTS["statuses"]) == (20, 0)


@pytest.mark.parametrize(("queues", "is_refused"), [(50, False), (51, True)])
def test_a_queue_that_is_another_in_every_second_record_is_no_queue(
    tmp_path: Path, queues: int, is_refused: bool
) -> None:
    content = calls(*({"queue": f"0470{n % queues:06d}"} for n in range(100)))
    if is_refused:
        with pytest.raises(FileRefused, match="column 'queue' has 51 different values in 100 records") as refused:
            read(tmp_path, content, date(2025, 3, 31))
        assert "0470" not in str(refused.value)
    else:
        assert read(tmp_path, content, date(2025, 3, 31)) == (100, 0)


# ── Numbers ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("waits", "is_refused"),
    [
        pytest.param(["10", "999"] * 5 + ["1.234"], True, id="1.234 among many whole numbers"),
        pytest.param(["0", "0", "9.125"], False, id="0 among few"),
        pytest.param(["0"] * 20 + ["9.125"], False, id="0 is written so in any number of digits"),
        pytest.param(["10", "999", "1.5", "1.234"], False, id="1.5 shows what the point is"),
        pytest.param(["10.000", "0.999", "1.234"], False, id="milliseconds"),
        pytest.param(["10", "1000", "1.234"], False, id="1000 shows that nothing separates thousands"),
        pytest.param(["1.234"], False, id="alone"),
    ],
)
def test_three_digits_after_the_point_among_whole_numbers_may_be_thousands(
    tmp_path: Path, waits: list[str], is_refused: bool
) -> None:
    content = calls(*({"wait": wait} for wait in waits))
    if is_refused:
        with pytest.raises(FileRefused, match=r"column 'wait' 1 numbers .* does it separate thousands"):
            read(tmp_path, content, date(2025, 3, 31))
    else:
        assert read(tmp_path, content, date(2025, 3, 31)) == (len(waits), 0)


def test_long_ids_that_differ_in_their_last_digits_are_ids(tmp_path: Path) -> None:
    long = [f"{4_711_000_000_000_000_000 + n}" for n in range(200)]
    assert read(tmp_path, calls(*({"id": name} for name in long)), date(2025, 3, 31)) == (200, 0)
    rounded = [name[:15] + "0000" for name in long]
    with pytest.raises(FileRefused, match="rounded to 15 digits"):
        read(tmp_path, calls(*({"id": name} for name in rounded)), date(2025, 3, 31))


def test_records_without_ids_may_be_the_same_but_not_all_of_them(tmp_path: Path) -> None:
    without = {key: value for key, value in CALLS["columns"].items() if key != "call_id"}
    changes: dict[str, Any] = {"columns": {**without, "arrived_at": instant("arrived")}, "replaces_dates": True}
    minutes = [{"arrived": f"2025-03-10 10:{n:02d}:00"} for n in range(20)]
    assert read(tmp_path, calls(*minutes, *minutes[:19]), date(2025, 3, 31), **changes) == (39, 0)
    with pytest.raises(FileRefused, match="more than once"):
        read(tmp_path, calls(*minutes, *minutes), date(2025, 3, 31), **changes)
