"""Exports as .xlsx workbooks. Each is written by its test, and all values in them are synthetic."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from assets import reading
from assets.containers import open_export
from assets.dry_run import check
from assets.reading import FileDeferred, FileRefused
from pipelines.settings import Settings, Source
from tests.city import APPOINTMENTS, CALLS, TODAY, read_all, settings_of, warehouse

HEADER = ["id", "queue", "direction", "outcome", "arrived", "answered", "wait"]
MOMENT = "%d/%m/%Y %H:%M:%S"
SHEET = "xl/worksheets/sheet1.xml"
Records = list[tuple[int, list[str]]]


def declared(**changes: Any) -> dict[str, Any]:
    """The call log of these tests; `columns` are added to its columns."""
    columns = {
        "call_id": "id",
        "queue": "queue",
        "direction": "direction",
        "outcome": "outcome",
        "arrived_at": {"column": "arrived", "format": MOMENT},
        "answered_at": {"column": "answered", "format": MOMENT},
        "wait_seconds": {"column": "wait"},
    }
    return {**CALLS, "files": "calls_*.xlsx", **changes, "columns": {**columns, **changes.get("columns", {})}}


def source_of(folder: Path, declaration: dict[str, Any]) -> Source:
    return settings_of(folder, sources=[declaration]).sources[0]


def write(
    path: Path,
    rows: Sequence[Sequence[Any]],
    formats: dict[str, str] | None = None,
    change: Callable[[Workbook], None] | None = None,
) -> Path:
    """A workbook with one sheet; `formats` says how the cells of some columns are shown."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    for letter, shown in (formats or {}).items():
        for (cell,) in sheet[f"{letter}2:{letter}{len(rows)}"]:
            cell.number_format = shown
    if change is not None:
        change(book)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def repacked(path: Path, part: str, change: Callable[[str], str]) -> Path:
    """The workbook with one of its parts changed."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    changed = change(parts.get(part, b"").decode()).encode()
    assert changed != parts.get(part)
    parts[part] = changed
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            new.writestr(name, content)
    return path


def shared(path: Path, texts: list[str]) -> Path:
    """The workbook with its texts in the table for all sheets, one a cell, as spreadsheet programs write them."""
    numbers = iter(range(len(texts)))
    inline = re.compile(r'(<c r="[A-Z]+[0-9]+") t="inlineStr"><is>.*?</is></c>')
    repacked(path, SHEET, lambda xml: inline.sub(lambda cell: f'{cell[1]} t="s"><v>{next(numbers)}</v></c>', xml))
    table = "".join(f"<si>{text if '<' in text else f'<t>{text}</t>'}</si>" for text in texts)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    named = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    repacked(path, "[Content_Types].xml", lambda xml: xml.replace("</Types>", named))
    return repacked(path, "xl/sharedStrings.xml", lambda _: f"<sst xmlns='x'>{table}</sst>")


def read(path: Path, declaration: dict[str, Any] | None = None) -> tuple[list[str], Records, Records]:
    """The header, the records and the ragged ones of a workbook, each with its row."""
    export = open_export(path, source_of(path.parent, declaration or declared()))
    records: Records = []
    ragged: Records = []
    for batch in export.batches():
        records += zip(batch.lines, batch.rows, strict=True)
        ragged += batch.ragged
    assert export.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()
    return export.header, records, ragged


def told(path: Path, declaration: dict[str, Any] | None = None) -> str:
    """What is said of a workbook that is not read; else `read`."""
    try:
        read(path, declaration)
    except FileRefused as reason:
        return f"refused: {reason}"
    except FileDeferred as reason:
        return f"deferred: {reason}"
    return "read"


def one(folder: Path, value: Any, shown: str | None = None, column: str = "plain", **changes: Any) -> str:
    """The text of a cell in a column."""
    formats = {"B": shown} if shown is not None else {}
    path = write(folder / "one.xlsx", [["id", column], ["c1", value]], formats)
    if changes.pop("is_1904", False):
        path = write(
            folder / "one.xlsx",
            [["id", column], ["c1", value]],
            formats,
            lambda book: setattr(book, "epoch", CALENDAR_MAC_1904),
        )
    _, ((_, (_, text)),), _ = read(path, declared(**changes))
    return text


def call(number: int, **values: Any) -> list[Any]:
    """One record of the call log."""
    usual = {
        "id": f"c{number}",
        "queue": "Onthaal",
        "direction": "in",
        "outcome": "answered",
        "arrived": datetime(2025, 3, 10, 9, number % 60),
        "answered": datetime(2025, 3, 10, 9, number % 60, 20),
        "wait": 20,
    }
    return [{**usual, **values}[name] for name in HEADER]


def city(folder: Path, **changes: Any) -> Settings:
    return settings_of(folder, sources=[declared(**changes)])


# ── What a cell is as text ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Onthaal", "Onthaal"),
        ("  blanks stay ", "  blanks stay "),
        ("0012", "0012"),
        (12, "12"),
        (-3, "-3"),
        (12.0, "12"),
        (67.52, "67.52"),
        (1e-7, "0.0000001"),
        (1.5e15, "1500000000000000"),
        (4711000000000001, "4711000000000001"),
        (4.711e29, "471100000000000000000000000000"),
        (True, "TRUE"),
        (False, "FALSE"),
        ("#N/A", "#N/A"),
        (datetime(2025, 3, 10, 9, 0, 1), "2025-03-10 09:00:01"),
        (date(2025, 3, 10), "2025-03-10 00:00:00"),
        (date(1900, 1, 5), "1900-01-05 00:00:00"),
        (time(9, 5, 7), "9:05:07"),
        (timedelta(hours=25), "25:00:00"),
        ("Onthaal\nbalie", "Onthaal\nbalie"),
    ],
    ids=str,
)
def test_a_cell_of_which_nothing_is_declared_is_text_without_exponent(tmp_path: Path, value: Any, text: str) -> None:
    assert one(tmp_path, value) == text


def test_a_character_that_xml_cannot_hold_is_that_character(tmp_path: Path) -> None:
    path = write(tmp_path / "one.xlsx", [["id", "plain"], ["c1", "one-two"]])
    repacked(path, SHEET, lambda xml: xml.replace("one-two", "one_x0009_two"))
    assert read(path)[1] == [(2, ["c1", "one\ttwo"])]


@pytest.mark.parametrize(
    ("escaped", "text"),
    [("_xD83D__xDE00_", "\U0001f600"), ("_xD800_", "\ufffd"), ("a_x000D_b", "a\rb")],
    ids=["two halves of a character", "half a character", "a line end"],
)
def test_an_escaped_character_is_that_character_and_half_of_one_none(tmp_path: Path, escaped: str, text: str) -> None:
    path = write(tmp_path / "calls_2025-03-10.xlsx", [["plain"], ["HERE"]])
    shared(path, ["plain", escaped])
    assert read(path)[1] == [(2, [text])]


def test_a_row_that_reaches_far_beyond_the_header_is_handed_on_in_small_batches(tmp_path: Path) -> None:
    path = tmp_path / "calls_2025-03-10.xlsx"
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["plain"])
    for row in range(2, 402):
        sheet.cell(row, 10_000, "1")
    book.save(path)
    found = list(open_export(path, source_of(tmp_path, declared())).batches())
    assert sum(map(len, found)) == 400
    assert max(map(len, found)) <= 200


def test_how_a_text_is_read_aloud_is_no_part_of_it(tmp_path: Path) -> None:
    aloud = "<rPh sb='0' eb='1'><t>aloud</t></rPh>"
    path = write(tmp_path / "one.xlsx", [["id", "plain"], ["c1", "tokyo"]])
    repacked(path, SHEET, lambda xml: xml.replace("<t>tokyo</t>", f"<r><t>tok</t></r><r><t>yo</t></r>{aloud}"))
    assert read(path)[1] == [(2, ["c1", "tokyo"])]
    shared(path, ["id", "plain", "c_x0031_", f"<t>tok</t>{aloud}"])
    assert read(path)[1] == [(2, ["c1", "tok"])]


@pytest.mark.parametrize(
    "form", [MOMENT, "%Y-%m-%d %H:%M:%S", "%m/%d/%y %I:%M:%S %p", "%d %b %Y %H:%M:%S", "%Y%m%d%H%M%S"]
)
def test_a_date_cell_is_in_the_format_whatever_that_is(tmp_path: Path, form: str) -> None:
    when = datetime(2025, 3, 9, 21, 5, 7)
    columns = {"arrived_at": {"column": "arrived", "format": form}}
    assert one(tmp_path, when, "dd/mm/yyyy", "arrived", columns=columns) == when.strftime(form)


def test_dates_as_cells_as_text_and_as_bare_numbers_may_stand_in_one_column(tmp_path: Path) -> None:
    rows = [HEADER, call(1), call(2, arrived="10/03/2025 09:02:00"), call(3, arrived=45726 + 9.05 / 24)]
    _, records, _ = read(write(tmp_path / "calls.xlsx", rows))
    assert [fields[4] for _, fields in records] == [
        "10/03/2025 09:01:00",
        "10/03/2025 09:02:00",
        "10/03/2025 09:03:00",
    ]


def test_a_number_that_is_written_in_the_declared_format_is_no_count_of_days(tmp_path: Path) -> None:
    columns = {"arrived_at": {"column": "arrived", "format": "%Y%m%d%H%M%S"}}
    assert one(tmp_path, 20250310090000, "General", "arrived", columns=columns) == "20250310090000"
    counted = {"arrived_at": {"column": "arrived", "format": "unix_seconds"}}
    assert one(tmp_path, 1741593600, "General", "arrived", columns=counted) == "1741593600"


def test_a_day_written_as_a_number_in_the_declared_format_is_that_day(tmp_path: Path) -> None:
    columns = {"arrived_at": {"column": ["day", "time"], "format": "%y%m%d %H:%M:%S"}}
    path = write(tmp_path / "calls.xlsx", [["id", "day", "time"], ["c1", 250310, time(9, 5, 7)]])
    assert read(path, declared(columns=columns))[1] == [(2, ["c1", "250310", "09:05:07"])]  # not one of the year 2585


def test_a_time_that_a_spreadsheet_missed_by_a_hair_is_rounded_to_the_second(tmp_path: Path) -> None:
    assert one(tmp_path, 45726.37499999999, "General", "arrived") == "10/03/2025 09:00:00"
    assert one(tmp_path, 45726.99999999999, "dd/mm/yyyy", "arrived") == "11/03/2025 00:00:00"
    assert one(tmp_path, datetime(2025, 3, 10, 8, 59, 59, 700_000), None, "arrived") == "10/03/2025 09:00:00"


def test_a_format_with_a_fraction_keeps_the_millisecond(tmp_path: Path) -> None:
    columns = {"arrived_at": {"column": "arrived", "format": MOMENT + "%.f"}}
    when = datetime(2025, 3, 10, 9, 0, 1, 250_000)
    assert one(tmp_path, when, "General", "arrived", columns=columns) == "10/03/2025 09:00:01.250"


def test_a_format_without_seconds_never_moves_a_call_to_the_next_minute(tmp_path: Path) -> None:
    columns = {"arrived_at": {"column": "arrived", "format": "%d/%m/%Y %H:%M"}}
    assert one(tmp_path, datetime(2025, 3, 10, 11, 59, 59), "General", "arrived", columns=columns) == "10/03/2025 11:59"


def test_a_workbook_that_counts_from_1904_tells_the_same_dates(tmp_path: Path) -> None:
    when = datetime(2025, 3, 10, 9, 0, 1)
    assert one(tmp_path, when, "dd/mm/yyyy", "arrived", is_1904=True) == "10/03/2025 09:00:01"
    assert one(tmp_path, 45726 - 1462, "General", "arrived", is_1904=True) == "10/03/2025 00:00:00"


@pytest.mark.parametrize(
    ("day", "clock"),
    [
        (date(2025, 3, 10), time(9, 5, 7)),
        ("2025-03-10", time(9, 5, 7)),
        (date(2025, 3, 10), "09:05:07"),
        (45726, 0.378553240740741),
        (datetime(2025, 3, 10, 9, 5, 7), datetime(2025, 3, 10, 9, 5, 7)),
    ],
    ids=["cells", "text and cell", "cell and text", "bare numbers", "the whole moment in both"],
)
def test_a_day_and_a_time_in_two_columns_are_joined_whatever_their_cells_are(
    tmp_path: Path, day: Any, clock: Any
) -> None:
    columns = {"arrived_at": {"column": ["day", "time"], "format": "%Y-%m-%d %H:%M:%S"}}
    path = write(tmp_path / "calls.xlsx", [["id", "day", "time"], ["c1", day, clock]])
    assert read(path, declared(columns=columns))[1] == [(2, ["c1", "2025-03-10", "09:05:07"])]


def test_a_day_of_several_words_is_joined_with_its_time(tmp_path: Path) -> None:
    columns = {"arrived_at": {"column": ["day", "time"], "format": "%d %b %Y %I:%M:%S %p"}}
    path = write(tmp_path / "calls.xlsx", [["id", "day", "time"], ["c1", date(2025, 3, 10), time(13, 5, 7)]])
    assert read(path, declared(columns=columns))[1] == [(2, ["c1", "10 Mar 2025", "01:05:07 PM"])]


def test_a_whole_number_is_no_time_of_day(tmp_path: Path) -> None:
    columns = {"arrived_at": {"column": ["day", "time"], "format": "%Y-%m-%d %H%M%S"}}
    path = write(tmp_path / "calls.xlsx", [["id", "day", "time"], ["c1", date(2025, 3, 10), 90507]])
    assert read(path, declared(columns=columns))[1] == [(2, ["c1", "2025-03-10", "90507"])]


def test_a_time_without_a_day_is_no_moment(tmp_path: Path) -> None:
    assert one(tmp_path, time(9, 5, 7), "h:mm:ss", "arrived") == "9:05:07"
    assert one(tmp_path, -1, "General", "arrived") == "-1"


def test_midnight_is_never_where_the_city_says_so(tmp_path: Path) -> None:
    columns = {"answered_at": {"column": ["day", "answered"], "format": "%Y-%m-%d %H:%M:%S", "never": ["0:00:00"]}}
    path = write(tmp_path / "calls.xlsx", [["id", "day", "answered"], ["c1", date(2025, 3, 10), time(0, 0)]])
    assert read(path, declared(columns=columns))[1] == [(2, ["c1", "2025-03-10", "0:00:00"])]


def test_no_duration_is_none_where_the_city_says_so(tmp_path: Path) -> None:
    columns = {"wait_seconds": {"column": "wait", "never": ["00:00:00"]}}
    assert one(tmp_path, time(0, 0), "h:mm:ss", "wait", columns=columns) == "00:00:00"
    assert one(tmp_path, time(0, 0), "h:mm:ss", "wait") == "0"


def test_a_date_cell_bears_the_offset_of_the_source_where_the_format_has_one(tmp_path: Path) -> None:
    columns = {"arrived_at": {"column": "arrived", "format": "%Y-%m-%d %H:%M:%S%z"}}
    when = datetime(2025, 7, 10, 9, 0)
    assert one(tmp_path, when, "General", "arrived", columns=columns) == "2025-07-10 09:00:00+0200"
    missing = datetime(2025, 3, 30, 2, 30)  # on that night the clocks went from 2 to 3
    assert one(tmp_path, missing, "dd/mm/yyyy", "arrived", columns=columns) == "2025-03-30 02:30:00"
    counted = {"arrived_at": {"column": "arrived", "format": "unix_seconds"}}
    assert one(tmp_path, when, "dd/mm/yyyy", "arrived", columns=counted) == "1752130800"


@pytest.mark.parametrize(
    ("cell", "seconds", "clock"),
    [
        ((time(0, 2, 23), "h:mm:ss"), "143", "0:02:23"),
        ((timedelta(hours=25), "[h]:mm:ss"), "90000", "25:00:00"),
        ((25 / 24, "h:mm:ss"), "90000", "25:00:00"),  # shown as 1:00:00, on 1 January 1900
        ((143 / 86_400, "General"), "143", "0:02:23"),
        ((0.5 / 86_400, "h:mm:ss"), "0.5", "0:00:00.500"),
        ((0, "h:mm:ss"), "0", "0:00:00"),
        (("0:02:23", "General"), "0:02:23", "0:02:23"),
    ],
    ids=["a time", "hours counted on", "25 hours", "a bare fraction of a day", "half a second", "nothing", "text"],
)
@pytest.mark.parametrize("is_1904", [False, True], ids=["from 1900", "from 1904"])
def test_a_time_cell_of_25_hours_is_25_00_00_or_90000_seconds_as_the_declared_unit_is(
    tmp_path: Path, cell: tuple[Any, str], seconds: str, clock: str, is_1904: bool
) -> None:
    declared_clock = {"wait_seconds": {"column": "wait", "unit": "clock"}}
    assert one(tmp_path, *cell, "wait", is_1904=is_1904) == seconds
    assert one(tmp_path, *cell, "wait", is_1904=is_1904, columns=declared_clock) == clock


@pytest.mark.parametrize(
    ("value", "text"),
    [(143, "143"), (0.5, "0.5"), (67.52, "67.52"), (0.005, "0.0050"), (0.123456, "0.123456"), (-1, "-1")],
)
def test_a_bare_number_is_seconds_where_those_are_declared(tmp_path: Path, value: float, text: str) -> None:
    assert one(tmp_path, value, "General", "wait") == text
    comma = {"delimiter": ";", "decimal": ","}
    assert one(tmp_path, value, "General", "wait", text=comma) == text.replace(".", ",")


def test_a_whole_number_is_no_clock_text(tmp_path: Path) -> None:
    columns = {"wait_seconds": {"column": "wait", "unit": "clock"}}
    assert one(tmp_path, 5, "General", "wait", columns=columns) == "5"
    assert one(tmp_path, datetime(2025, 3, 10, 9, 0), "dd/mm/yyyy", "wait", columns=columns) == "2025-03-10 09:00:00"


# ── Which cells are the export ────────────────────────────────────────────────────────────────────


def test_the_header_may_stand_below_a_title(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.xlsx", [["Calls of March"], [], ["id", "plain"], ["c1", "x"]])
    assert read(path, declared(workbook={"header_row": 3})) == (["id", "plain"], [(4, ["c1", "x"])], [])
    assert told(path, declared(workbook={"header_row": 2})).startswith("refused: row 2 of its sheet is empty")


def test_a_declared_header_makes_a_record_of_the_first_row(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.xlsx", [["c1", "x"], ["c2", "y"]])
    declaration = declared(text={"header": ["id", "plain"]})
    assert read(path, declaration)[1] == [(1, ["c1", "x"]), (2, ["c2", "y"])]


def test_of_several_sheets_one_must_be_named(tmp_path: Path) -> None:
    def two_sheets(book: Workbook) -> None:
        book.create_sheet("Bel\u202elen").append(["id", "plain"])
        book["Bel\u202elen"].append(["c2", "y"])

    path = write(tmp_path / "calls.xlsx", [["id", "plain"], ["c1", "x"]], change=two_sheets)
    assert told(path) == (
        "refused: it has several sheets 'Sheet', 'Bel\\u202elen': say which one by 'sheet' of [sources.workbook]"
    )
    assert told(path, declared(workbook={"sheet": "Calls"})).startswith("refused: it has no sheet 'Calls' but 'Sheet'")
    assert read(path, declared(workbook={"sheet": "Bel\u202elen"}))[1] == [(2, ["c2", "y"])]


def test_hidden_and_filtered_rows_are_records_like_any_other(tmp_path: Path) -> None:
    def hide(book: Workbook) -> None:
        book["Sheet"].row_dimensions[3].hidden = True
        book["Sheet"].auto_filter.ref = "A1:B4"

    path = write(tmp_path / "calls.xlsx", [["id", "plain"], ["c1", "x"], ["c2", "y"], ["c3", "z"]], change=hide)
    assert [line for line, _ in read(path)[1]] == [2, 3, 4]


def test_an_empty_row_between_records_is_told_and_those_below_the_last_are_not(tmp_path: Path) -> None:
    def stretch(book: Workbook) -> None:
        book["Sheet"].cell(9, 1).number_format = "0.00"  # a cell that is there, and empty

    path = write(tmp_path / "calls.xlsx", [["id", "plain"], ["c1", "x"], [], [], ["c2", "y"]], change=stretch)
    assert read(path) == (["id", "plain"], [(2, ["c1", "x"]), (5, ["c2", "y"])], [(3, []), (4, [])])


def test_a_value_beyond_the_header_makes_its_row_ragged_and_an_empty_end_does_not(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.xlsx", [["id", "plain", "more"], ["c1"], ["c2", "x", "y", "z"]])
    assert read(path)[1:] == ([(2, ["c1", "", ""])], [(3, ["c2", "x", "y", "z"])])


def test_a_sheet_that_says_too_little_of_its_extent_loses_no_row(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.xlsx", [["id", "plain"], ["c1", "x"], ["c2", "y"]])
    repacked(path, SHEET, lambda xml: xml.replace('ref="A1:B3"', 'ref="A1:A2"'))
    assert len(read(path)[1]) == 2


def test_references_may_be_left_out_and_names_may_have_a_prefix(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.xlsx", [["id", "plain"], ["c1", "x"]])

    def as_others_write(xml: str) -> str:
        for reference in ("A1", "B1", "A2", "B2", "1", "2"):
            xml = xml.replace(f' r="{reference}"', "")
        for name in ("worksheet", "sheetData", "row", "c", "v"):
            for mark in (" ", ">"):
                xml = xml.replace(f"<{name}{mark}", f"<x:{name}{mark}").replace(f"</{name}{mark}", f"</x:{name}{mark}")
        return xml.replace("xmlns=", "xmlns:x=")

    assert read(repacked(path, SHEET, as_others_write)) == (["id", "plain"], [(2, ["c1", "x"])], [])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('r="3"', 'r="2"', "row 2 stands after row 2: its rows are not in order"),
        ('r="B2"', 'r="A2"', "row 2: its cells are not in order"),
        ('r="B2"', 'r="B7"', "row 2: a cell says that it stands elsewhere"),
        ('r="B2"', 'r="XFE2"', "row 2: its cells are not in order"),
        ('r="3"', 'r="1048577"', "row 1,048,577 stands after row 2: its rows are not in order"),
        ('t="inlineStr"', 't="s"', "row 1: a cell refers to a text that is not there; send the file again"),
        ('t="inlineStr"', 't="q"', "row 1: a cell of a kind that no spreadsheet program writes"),
        ("<sheetData>", "<sheetData><", "the workbook is damaged (its XML breaks on line 1); send it again"),
    ],
)
def test_a_sheet_of_which_a_cell_might_be_lost_is_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = write(tmp_path / "calls.xlsx", [["id", "plain"], ["c1", "x"], ["c2", "y"]])
    changed = repacked(path, SHEET, lambda xml: xml.replace(old, new, 1).replace("<is><t>id</t></is>", "<v>0</v>"))
    assert told(changed) == f"refused: {reason}"


def test_a_row_of_more_text_than_a_line_may_have_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.sheets.MAX_LINE", 100)
    path = write(tmp_path / "calls.xlsx", [["id", "plain"], ["c1", "x" * 60], ["c2" * 20, "x" * 61]])
    assert told(path) == "refused: row 3: longer than 100 characters"


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.xlsx", [["id", "plain"], ["c1", "x"]])
    declares = '<!DOCTYPE worksheet [<!ENTITY lol "lol">]><worksheet'
    repacked(path, SHEET, lambda xml: xml.replace("<worksheet", declares, 1))
    assert told(path) == "refused: its XML declares a document type, which no workbook does"


def test_a_formula_gives_the_value_that_was_calculated_and_none_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.xlsx", [["id", "wait", "note"], ["c1", "=10+5", "=1+1"]])
    assert told(path) == (
        "refused: line 2, wait: a formula whose value was never calculated; open the workbook in a spreadsheet program "
        "and save it, or export values"
    )
    calculated = repacked(path, SHEET, lambda xml: xml.replace("<f>10+5</f><v />", "<f>10+5</f><v>15</v>"))
    assert read(calculated)[1] == [(2, ["c1", "15", ""])]  # the note is no declared column


def test_a_formula_that_calculated_an_empty_text_is_an_empty_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.xlsx", [["id", "wait"], ["c1", '=""']])
    repacked(path, SHEET, lambda xml: xml.replace('<c r="B2">', '<c r="B2" t="str">').replace("<v />", "<v></v>"))
    assert read(path)[1] == [(2, ["c1", ""])]


# ── Files that are no sound workbook ──────────────────────────────────────────────────────────────

OLD = bytes.fromhex("d0cf11e0a1b11ae1")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "deferred: the file is empty: it is still being written, or was cut"),
        (b"id;plain\nc1;x\n", "refused: no .xlsx workbook, whatever its name says"),
        (OLD + bytes(4096), "refused: an old .xls workbook is not read: save it as .xlsx, or export CSV"),
        (
            OLD + bytes(4096) + "EncryptedPackage".encode("utf-16-le"),
            "refused: the workbook is protected by a password: save it without one",
        ),
    ],
    ids=["empty", "text", "old", "with a password"],
)
def test_what_is_no_workbook_is_refused_by_its_nature(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "calls.xlsx"
    path.write_bytes(content)
    assert told(path).startswith(reason)


def test_an_old_workbook_is_known_by_its_first_bytes_and_a_text_of_its_name_is_text(tmp_path: Path) -> None:
    path = tmp_path / "calls.xls"
    path.write_bytes(OLD + bytes(512))
    assert told(path) == "refused: an old .xls workbook is not read: save it as .xlsx, or export CSV"
    path.write_text("id;plain\nc1;x\n", encoding="utf-8")
    assert told(path) == "read"


def test_a_workbook_cut_anywhere_waits_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.xlsx", [HEADER, *(call(number) for number in range(200))])
    whole = path.read_bytes()
    for cut in (5, 100, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:cut])
        assert told(path) == "deferred: the workbook breaks off: it is still being written, or was cut"
    with zipfile.ZipFile(write(path, [HEADER, *(call(number) for number in range(200))])) as book:
        at = book.getinfo(SHEET).header_offset + 400
    damaged = bytearray(path.read_bytes())
    damaged[at : at + 40] = bytes(40)
    path.write_bytes(damaged)
    assert told(path) == "refused: the workbook is damaged; send it again"


def test_another_archive_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "calls.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("calls.csv", "id;plain\n")
    assert told(path) == "refused: a zip archive that is no workbook: put what is in it there"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    assert told(path).startswith("refused: ")


def test_a_workbook_that_unpacks_without_end_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "calls.xlsx", [["id", "plain"], ["c1", "x"]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/theme/bomb.xml", bytes(70 << 20))
    assert path.stat().st_size < 200_000
    assert told(path) == "refused: a part that is no sheet unpacks to more than 67,108,864 bytes: split the export"
    monkeypatch.setattr("assets.workbook.MOST_UNPACKED", 1 << 20)
    assert told(path).startswith("refused: it unpacks to more than 1,048,576 bytes or 10,000 parts")


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.xlsx", [["id", "plain"], ["c1", "x"]])
    content = bytearray(path.read_bytes())
    for entry in re.finditer(rb"PK\x01\x02", bytes(content)):
        content[entry.start() + 8] |= 1
    path.write_bytes(content)
    assert told(path) == "refused: the workbook is protected by a password: save it without one"


def test_a_pipe_in_the_place_of_a_workbook_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "calls.xlsx")
    with pytest.raises(FileRefused, match="can't be opened"):
        open_export(tmp_path / "calls.xlsx", source_of(tmp_path, declared()))


def test_nothing_that_stands_in_a_workbook_is_said_of_one_that_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "calls.xlsx", [["id", "plain"], ["c1", 12345678]])
    repacked(path, SHEET, lambda xml: xml.replace('<c r="B2" t="n">', '<c r="B2" t="n" s="0470123456x">'))
    assert told(path) == "refused: no sound .xlsx workbook (ValueError); send it again, or export CSV"


def test_a_workbook_is_handed_on_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assets.workbook.BATCH", 3)
    path = write(tmp_path / "calls.xlsx", [HEADER, *(call(number) for number in range(7)), [], [], [], [], call(8)])
    export = open_export(path, source_of(tmp_path, declared()))
    assert [len(batch) for batch in export.batches()] == [3, 3, 3, 3, 0]
    monkeypatch.setattr("assets.workbook.BATCH", reading.BATCH)
    monkeypatch.setattr("assets.workbook.BATCH_TEXT", 100)
    again = open_export(path, source_of(tmp_path, declared()))
    assert [len(batch) for batch in again.batches()] == [2, 2, 2, 6, 0]


# ── From the file to the warehouse ────────────────────────────────────────────────────────────────


def test_a_workbook_becomes_the_same_calls_as_a_table_of_text(tmp_path: Path) -> None:
    rows = [
        HEADER,
        call(1),
        call(2, arrived="10/03/2025 09:02:00", answered="", outcome="missed", wait=time(0, 0, 12)),
        call(3, wait=45 / 86_400),
    ]
    write(tmp_path / "exports" / "calls_2025-03-10.xlsx", rows)
    with warehouse(city(tmp_path)) as con:
        calls = con.execute("select call_id, outcome, arrived_local, wait_seconds::double from core.calls order by 1")
        assert calls.fetchall() == [
            ("c1", "answered", datetime(2025, 3, 10, 9, 1), 20.0),
            ("c2", "missed", datetime(2025, 3, 10, 9, 2), 12.0),
            ("c3", "answered", datetime(2025, 3, 10, 9, 3), 45.0),
        ]


def test_appointments_may_come_as_a_workbook_too(tmp_path: Path) -> None:
    header = ["id", "service", "channel", "status", "booked", "planned", "checked_in", "started", "ended"]
    visit = ["a1", "premium", "web", "done", date(2025, 3, 3), *(datetime(2025, 3, 10, 9, m) for m in (0, 1, 5, 9))]
    write(tmp_path / "exports" / "appointments_2025-03-10.xlsx", [header, visit])
    settings = settings_of(tmp_path, sources=[{**APPOINTMENTS, "files": "appointments_*.xlsx"}])
    with warehouse(settings) as con:
        waits = con.execute("select appointment_id, visitor_wait_seconds::double from core.appointments").fetchall()
    assert waits == [("a1", 300.0)]


def test_a_row_that_cannot_be_read_is_quarantined_under_its_number(tmp_path: Path) -> None:
    rows = [HEADER, call(1), call(2, arrived="yesterday"), [], call(3, wait="#N/A"), [*call(4), "beyond"]]
    write(tmp_path / "exports" / "calls_2025-03-10.xlsx", rows)
    with warehouse(city(tmp_path, max_quarantined_share=1)) as con:
        quarantine = con.execute("select line, column_name, reason from ops.quarantine order by line").fetchall()
    assert quarantine == [
        (3, "arrived", f"not in the format {MOMENT}"),
        (4, "(all)", "an empty line"),
        (5, "wait", "not a number of seconds with decimal '.'"),
        (6, "(all)", "8 fields, where the header has 7"),
    ]


def test_a_column_that_is_not_there_is_told_with_the_row_of_the_header(tmp_path: Path) -> None:
    write(tmp_path / "exports" / "calls_2025-03-10.xlsx", [["A title"], HEADER, call(1)])
    (receipt,) = read_all(city(tmp_path)).receipts
    assert (receipt.status, receipt.reason) == (
        "refused",
        "line 1: column 'queue' is not in the header of 1 columns: did the export template change, or is row 1 of this "
        "sheet not its header?",
    )
    assert [one.status for one in read_all(city(tmp_path, workbook={"header_row": 2})).receipts] == ["loaded"]


def test_ids_that_a_spreadsheet_rounded_are_seen_in_a_workbook_too(tmp_path: Path) -> None:
    rows = [call(number, id=4711_0000_0000_0000_0 + 100 * number) for number in range(1, 40)]
    write(tmp_path / "exports" / "calls_2025-03-10.xlsx", [HEADER, *rows])
    (receipt,) = read_all(city(tmp_path)).receipts
    assert receipt.reason is not None
    assert receipt.reason.startswith("the ids in column 'id' are rounded to 15 digits")


def test_kcc_check_reads_a_workbook_and_finds_its_source_by_its_header(tmp_path: Path) -> None:
    path = write(tmp_path / "elsewhere" / "calls_2025-03-10.xlsx", [HEADER, call(1), call(2)])
    answer = check(path, city(tmp_path), TODAY)
    assert (answer.status, answer.source, answer.records["accepted"]) == ("loaded", "phone", 2)
    other = write(tmp_path / "elsewhere" / "other.xlsx", [HEADER, call(1)])
    assert check(other, city(tmp_path), TODAY).source == "phone"


def test_a_source_is_read_again_for_another_row_of_the_header_and_not_because_there_are_workbooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {**CALLS, "workbook": {"header_row": 2}}
    assert source_of(tmp_path, CALLS).reader_fingerprint(4) != source_of(tmp_path, other).reader_fingerprint(4)
    hashed: list[Any] = []
    monkeypatch.setattr("pipelines.settings.json.dumps", lambda used, **_: hashed.append(used) or "")
    source_of(tmp_path, CALLS).reader_fingerprint(4)
    assert "workbook" not in hashed[0][1]
