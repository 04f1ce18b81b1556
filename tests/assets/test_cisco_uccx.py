"""Cisco Unified CCX: the fixture is synthetic, in the shape of the report; its workbook is made of the same rows."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from assets.adapters.cisco_uccx import COLUMNS
from assets.adapters.formats import recognised
from assets.dry_run import CannotTellSource, check
from pipelines.settings import ROOT, Settings
from tests.city import CALLS, TODAY, read_all, settings_of, warehouse

EXPORT = (ROOT / "tests" / "formats" / "cisco_uccx.csv").read_text(encoding="utf-8")
SOURCE: dict[str, Any] = {
    "name": "phone",
    "kind": "calls",
    "format": "cisco_uccx",
    "files": "calls_*",
    "time_zone": "Europe/Brussels",
    "export": {"pattern": r"calls_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "20:00"},
}
JAVA = "%a %b %d %H:%M:%S CET %Y"
CALLS_OF_THE_EXPORT = [
    ("1-12000000001", "answered", None, "Onthaal", 17.0, 12.0, 1),
    ("1-12000000002", "answered", None, "Onthaal", 45.0, 40.0, 2),  # Bo's telephone rang in vain, then An answered
    ("1-12000000003", "missed", "abandoned", "Onthaal", 45.0, 45.0, 1),
    ("1-12000000004", "missed", "menu", "phone", None, None, 1),
    ("1-12000000005", "missed", "menu", "phone", None, None, 1),  # handled, but by no person
    ("1-12000000006", "missed", "no_agent", "phone", None, None, 1),
    ("1-12000000007", "missed", "no_agent", "phone", None, None, 1),
    ("1-12000000008", "missed", "no_agent", "Onthaal", 30.0, 30.0, 1),
    ("1-12000000009", "excluded", None, "phone", None, None, 1),
    ("1-12000000010", "answered", None, "Onthaal", 26.0, 20.0, 2),  # An's leg was a transfer of Bo's
    ("1-12000000011", "outside_hours", "abandoned", "Onthaal", 30.0, 30.0, 1),
]


def city(folder: Path, content: str = EXPORT, **changes: Any) -> Settings:
    """A city with one export as CSV."""
    (folder / "exports").mkdir(exist_ok=True)
    (folder / "exports" / "calls_2025-03-10.csv").write_text(content, encoding="utf-8")
    return settings_of(folder, sources=[{**SOURCE, **changes}])


def workbook(folder: Path, title: bool = True, days: bool = False) -> Path:
    """The same export as a workbook: dates and times are cells, below a title. `days`: their cell formats got lost."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    if title:
        sheet.append(["Detailed Call CSQ Agent Report"])
    sheet.append(list(COLUMNS))
    for row in list(csv.reader(EXPORT.splitlines()))[1:]:
        moments = [datetime.strptime(text, JAVA) for text in row[1:3]]
        spans = {number: _days(row[number]) for number in (9, 11, 12, 13)}
        sheet.append([row[0], *moments, int(row[3]), *(spans.get(n, row[n]) for n in range(4, 14))])
        if not days:
            for number in spans:
                sheet.cell(sheet.max_row, number + 1).number_format = "h:mm:ss"
    path = folder / "exports" / "calls_2025-03-10.xlsx"
    path.parent.mkdir(exist_ok=True)
    book.save(path)
    return path


def _days(clock: str) -> float | None:
    hours, minutes, seconds = (int(part) for part in clock.split(":")) if clock else (0, 0, 0)
    return (hours * 3600 + minutes * 60 + seconds) / 86_400 if clock else None


def calls_of(settings: Settings) -> list[Any]:
    with warehouse(settings) as con:
        return con.execute(
            """
            select call_id, outcome, missed_reason, queue, wait_seconds::double, queue_wait_seconds::double, legs
            from core.calls order by call_id
            """
        ).fetchall()


def test_a_report_of_cisco_becomes_calls_without_a_mapping(tmp_path: Path) -> None:
    assert calls_of(city(tmp_path)) == CALLS_OF_THE_EXPORT


@pytest.mark.parametrize("days", [False, True], ids=["times", "bare fractions of a day"])
def test_the_report_as_a_workbook_becomes_the_same_calls(tmp_path: Path, days: bool) -> None:
    workbook(tmp_path, days=days)
    assert calls_of(settings_of(tmp_path, sources=[SOURCE])) == CALLS_OF_THE_EXPORT


def test_a_workbook_without_a_title_is_read_where_the_city_says_so(tmp_path: Path) -> None:
    workbook(tmp_path, title=False)
    (receipt,) = read_all(settings_of(tmp_path, sources=[SOURCE])).receipts
    assert receipt.reason is not None
    assert receipt.reason.startswith("line 2: most of its 14 columns are none of the Detailed Call, CSQ, Agent report")
    told = settings_of(tmp_path, sources=[{**SOURCE, "workbook": {"header_row": 1}}])
    assert [(receipt.status, receipt.quarantined) for receipt in read_all(told).receipts] == [("loaded", 0)]


def test_a_row_that_stands_twice_is_a_duplicate_and_the_rows_of_two_agents_are_none(tmp_path: Path) -> None:
    with warehouse(city(tmp_path)) as con:
        ledger = con.execute("select records, accepted, excluded, duplicates, superseded, quarantined from ops.ledger")
        # excluded: An's own call, and the leg that was transferred to her
        assert ledger.fetchall() == [(14, 11, 2, 1, 0, 0)]


def test_the_same_rows_as_text_and_as_a_workbook_are_the_same_legs(tmp_path: Path) -> None:
    workbook(tmp_path)
    with warehouse(city(tmp_path)) as con:
        ledger = con.execute("select sum(duplicates), sum(superseded), sum(quarantined) from ops.ledger").fetchall()
    assert ledger == [(15, 0, 0)]


def test_nothing_of_callers_and_agents_is_taken_over(tmp_path: Path) -> None:
    workbook(tmp_path)
    store = read_all(city(tmp_path))
    kept = b"".join(path.read_bytes() for path in store.records.rglob("*") if path.is_file())
    assert not [word for word in (b"Voorbeeld", b"Fictief", b"04700000", b"5101", b"9000") if word in kept]


def test_who_was_never_in_a_queue_is_missed_in_the_menu_and_not_a_short_abandon(tmp_path: Path) -> None:
    with warehouse(city(tmp_path)) as con:
        reason = "select missed_reason, is_short_abandon from core.calls where call_id = '1-12000000004'"
        assert con.execute(reason).fetchall() == [("menu", False)]


def test_what_the_system_ended_is_missed_and_not_reported_as_missed(tmp_path: Path) -> None:
    with warehouse(city(tmp_path)) as con:
        steps = con.execute(
            "select call_id, bridge_step from core.calls where missed_reason = 'no_agent' order by 1"
        ).fetchall()
    assert {step for _, step in steps} == {"not_answered_by_a_person"}
    assert len(steps) == 3


def test_a_queue_time_of_nothing_without_a_queue_is_no_queue_and_no_wait(tmp_path: Path) -> None:
    content = EXPORT.splitlines()[0] + "\n"
    content += "1-1-0,Mon Mar 10 09:00:05 CET 2025,Mon Mar 10 09:03:00 CET 2025,1,1,2,3,Onthaal_App,,00:00:00,,,,\n"
    with warehouse(city(tmp_path, content)) as con:
        found = con.execute("select missed_reason, wait_seconds, is_short_abandon from core.calls").fetchall()
    assert found == [("menu", None, False)]


@pytest.mark.parametrize(("column", "value"), [("Talk Time", "0:00"), ("Talk Time", "n/a"), ("Ring Time", "5 s")])
def test_a_time_of_an_agent_that_cannot_be_read_is_quarantined(tmp_path: Path, column: str, value: str) -> None:
    header, first, *_ = list(csv.reader(EXPORT.splitlines()))
    first[header.index(column)] = value
    content = "\n".join(",".join(f'"{cell}"' for cell in row) for row in (header, first)) + "\n"
    (receipt,) = read_all(city(tmp_path, content, max_quarantined_share=1)).receipts
    assert receipt.first_quarantine == "line 2, outcome: not one of the declared outcomes"


def test_waits_are_lower_bounds_and_end_when_the_telephone_was_answered(tmp_path: Path) -> None:
    with warehouse(city(tmp_path)) as con:
        waits = con.execute("select distinct is_wait_lower_bound from core.calls").fetchall()
    assert waits == [(True,)]
    without_ringing = {"wait_seconds": {"column": "queued"}}
    assert calls_of(city(tmp_path, columns=without_ringing))[0][4] == 12.0


def test_of_a_handled_call_to_whose_agent_nobody_talked_the_wait_is_unknown(tmp_path: Path) -> None:
    lines = EXPORT.splitlines()
    (call,) = calls_of(city(tmp_path, f"{lines[0]}\n{lines[2]}\n"))
    assert call == ("1-12000000002", "answered", None, "Onthaal", None, 40.0, 1)


def test_seconds_may_be_bare_numbers_too(tmp_path: Path) -> None:
    content = EXPORT.replace("00:00:12,An", "12,An").replace("00:00:05,00:02:30,00:00:10", "5,150,10")
    assert calls_of(city(tmp_path, content)) == CALLS_OF_THE_EXPORT


@pytest.mark.parametrize(
    ("number", "word"), [("1", "Abandoned"), ("2", "HANDLED"), ("12", "rejected"), ("7", "rejected")]
)
def test_a_disposition_may_be_its_word(tmp_path: Path, number: str, word: str) -> None:
    def with_disposition(said: str) -> list[Any]:
        (tmp_path / said).mkdir()
        line = EXPORT.splitlines()[4].replace(",1,0470000003", f",{said},0470000003")
        return calls_of(city(tmp_path / said, f"{EXPORT.splitlines()[0]}\n{line}\n"))

    (by_number,) = with_disposition(number)
    assert with_disposition(word) == [by_number]


@pytest.mark.parametrize(
    ("old", "new", "column", "reason"),
    [
        ("1-12000000003-0", "Total", "call", "no value, where one is required"),
        (",1,0470000003", ",3,0470000003", "outcome", "not one of the declared outcomes"),
        ("00:00:45,,,,", "45 s,,,,", "queued", "not a number of seconds with decimal '.'"),
        ("Mon Mar 10 09:20:00 CET 2025", "10.03.2025 09:20:00", "started", "not in the format %Y-%m-%d %H:%M:%S"),
        ("Mon Mar 10 09:20:00 CET 2025", "lun mar 10 09:20:00 2025", "started", "not in the format %Y-%m-%d %H:%M:%S"),
    ],
    ids=["no id", "an unknown disposition", "another duration", "another date", "another language"],
)
def test_what_cannot_be_taken_apart_is_quarantined(
    tmp_path: Path, old: str, new: str, column: str, reason: str
) -> None:
    content = "\n".join(line.replace(old, new) if "0470000003" in line else line for line in EXPORT.splitlines()) + "\n"
    with warehouse(city(tmp_path, content, max_quarantined_share=1)) as con:
        quarantine = con.execute("select line, column_name, reason from ops.quarantine").fetchall()
    assert quarantine == [(5, column, reason)]


def test_a_formula_that_was_never_calculated_refuses_the_report(tmp_path: Path) -> None:
    path = workbook(tmp_path)
    book = load_workbook(path)
    book["Sheet"]["J3"] = "=6+6"
    book.save(path)
    (receipt,) = read_all(settings_of(tmp_path, sources=[SOURCE])).receipts
    assert receipt.reason is not None
    assert receipt.reason.startswith("line 3, Queue Time: a formula whose value was never calculated")


def test_the_city_declares_how_its_dates_are_written(tmp_path: Path) -> None:
    lines = list(csv.reader(EXPORT.splitlines()))
    for row in lines[1:]:
        row[1:3] = [datetime.strptime(text, JAVA).strftime("%d/%m/%Y %H:%M:%S") for text in row[1:3]]
    content = "\n".join(",".join(f'"{field}"' for field in row) for row in lines) + "\n"
    form = "%d/%m/%Y %H:%M:%S"
    columns = {
        "arrived_at": {"column": "Call Start Time", "format": form},
        "ended_at": {"column": "Call End Time", "format": form},
    }
    assert calls_of(city(tmp_path, content, columns=columns)) == CALLS_OF_THE_EXPORT
    (tmp_path / "exports" / "calls_2025-03-10.csv").unlink()
    workbook(tmp_path)  # in whose cells the same format is written
    assert calls_of(settings_of(tmp_path, sources=[{**SOURCE, "columns": columns}])) == CALLS_OF_THE_EXPORT


def test_the_report_is_known_by_its_header_as_text_and_as_a_workbook(tmp_path: Path) -> None:
    title = "the Detailed Call, CSQ, Agent report of Cisco Unified CCX"
    assert recognised(COLUMNS).sentence == f'its header is exactly that of {title}: format = "cisco_uccx"'
    path = workbook(tmp_path)
    with pytest.raises(CannotTellSource, match=f"{title}: format"):
        check(path, settings_of(tmp_path, sources=[CALLS]), TODAY)
