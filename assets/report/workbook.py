"""Writes the tables of the sheet as an .xlsx workbook: real numbers with formats, and a sheet of definitions.

Belongs here: sheets, formats and widths. Does not belong here: which figures there are (`tables`). Text is always
written as text: no name of a queue or cluster becomes a formula or a link.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from assets.report import dutch, tables, words
from assets.report.figures import Figures
from assets.report.sheet import period_in_words
from assets.report.tables import Cell, Kind, Table
from pipelines.settings import Settings

FORMATS: dict[Kind, str] = {
    "count": "#,##0",
    "signed": "+#,##0;-#,##0;0",
    "euro": '"€" #,##0.00',
    "percent": '0.00" %"',
    "seconds": "0.00",
    "minutes": "0.00",
    "working_days": "0.00",
    "month": "mmmm yyyy",
    "year": "0",
}


def workbook(figures: Figures, settings: Settings) -> bytes:
    """The whole workbook; the same figures make the same bytes."""
    stream = BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.set_properties(
        {
            "title": f"Indicatorenfiche {period_in_words(figures.range)}",
            "company": settings.centre.name,
            "created": figures.publication.published_at_utc.replace(microsecond=0),
        }
    )
    formats = _Formats(book)
    _definitions(book, formats, figures, settings)
    for table in all_tables(figures, settings):
        _sheet(book, formats, table)
    book.close()
    return stream.getvalue()


def all_tables(figures: Figures, settings: Settings) -> list[Table]:
    """Every table of the page, in its order."""
    plan = settings.action_plan
    of_figures = [
        tables.visitor_wait(figures),
        tables.telephone_wait(figures),
        tables.answer_speed(figures),
        tables.missed_by_year(figures),
        tables.history(figures),
        tables.bridge(figures),
        tables.missed_by_month(figures),
        tables.lead_time(figures),
        tables.lead_time_by_channel(figures),
    ]
    return [
        *([tables.money(plan)] if plan.money else []),
        *(of_figures if figures.has_data else []),
        tables.files(figures),
        *([tables.restated(figures, ZoneInfo(settings.centre.time_zone))] if figures.restated else []),
    ]


class _Formats:
    """The formats of a workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self.head = book.add_format({"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1})
        self.title = book.add_format({"bold": True, "font_size": 12})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.bold = book.add_format({"bold": True, "valign": "top"})
        self.plain = {kind: book.add_format({"num_format": shown, "align": "left"} if kind in ("month", "year") else
                                            {"num_format": shown}) for kind, shown in FORMATS.items()}  # fmt: skip
        self._book = book
        self._of_figures: dict[tuple[str, bool], Any] = {}

    def of(self, cell: Cell) -> Any:
        """As the page shows it: with its bound, bold where it misses its norm, and never rounded to its norm."""
        if cell.kind not in tables.PLACES:
            return self.plain.get(cell.kind)
        shown = FORMATS[cell.kind].replace("0.00", f"0.{'0' * cell.places}")
        key = (f'"{cell.bound} "{shown}' if cell.bound else shown, cell.misses_norm)
        if key not in self._of_figures:
            self._of_figures[key] = self._book.add_format({"num_format": key[0], "bold": key[1]})
        return self._of_figures[key]


def _sheet(book: Any, formats: _Formats, table: Table) -> None:
    sheet = book.add_worksheet(table.sheet)
    sheet.write_string(0, 0, table.caption, formats.title)
    titles = [*table.columns, *(["Volledig"] if table.has_periods else [])]
    for column, title in enumerate(titles):
        sheet.write_string(2, column, title, formats.head)
    for line, row in enumerate(table.rows, 3):
        cells = [row.name, *row.cells]
        if table.has_periods:
            cells.append(Cell("met", row.complete))
        for column, cell in enumerate(cells):
            _write(sheet, line, column, cell, formats)
    notes = list(table.notes)
    if any(cell.misses_norm for row in table.rows for cell in row.cells):
        notes.append("Vet: de norm werd niet gehaald.")
    for line, note in enumerate(notes, len(table.rows) + 4):
        sheet.write_string(line, 0, note)
    sheet.freeze_panes(3, 1)
    sheet.set_column(0, 0, _width([row.name for row in table.rows]))
    sheet.set_column(1, len(titles), 15)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)


def _width(names: Sequence[Cell]) -> int:
    return min(50, max([16, *(len(name.text) + 2 for name in names)]))


def _write(sheet: Any, line: int, column: int, cell: Cell, formats: _Formats) -> None:
    value = cell.value
    if isinstance(value, date):
        sheet.write_datetime(line, column, datetime(value.year, value.month, value.day), formats.of(cell))
    elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        sheet.write_number(line, column, float(value), formats.of(cell))
    elif value is None and not cell.reason:
        sheet.write_blank(line, column, None)
    else:
        sheet.write_string(line, column, cell.text)


def _definitions(book: Any, formats: _Formats, figures: Figures, settings: Settings) -> None:
    sheet = book.add_worksheet("Definities")
    sheet.set_column(0, 0, 44, formats.bold)
    sheet.set_column(1, 4, 48, formats.wrapped)
    titles = ["Indicator", "Definitie", "Telling", "Frequentie", "Norm"]
    for column, title in enumerate(titles):
        sheet.write_string(0, column, title, formats.head)
    line = 1
    for indicator, one in words.DEFINITIONS.items():
        norms = [
            f"{'' if norm.dimension in ('all', words.BUCKETS[0]) else words.dimension(norm.dimension) + ': '}"
            f"{words.OPERATORS[norm.operator]} {dutch.plain(norm.value)} ({norm.source})"
            for norm in figures.norms
            if norm.indicator == indicator
        ]
        cells = [one.title, one.definition, one.rules, one.frequency, "\n".join(norms)]
        for column, text in enumerate(cells):
            sheet.write_string(line, column, text, formats.bold if column == 0 else formats.wrapped)
        line += 1
    for label, text in (
        ("Stad", settings.centre.name),
        ("Periode", period_in_words(figures.range)),
        ("Publicatie", figures.publication.version),
        ("Instellingen, sha256", figures.publication.settings_sha256),
        ("Buiten de openingsuren als gemist geregistreerd", dutch.number(figures.misregistered)),
    ):
        line += 1
        sheet.write_string(line, 0, label, formats.bold)
        sheet.write_string(line, 1, text, formats.wrapped)
    sheet.freeze_panes(1, 1)
