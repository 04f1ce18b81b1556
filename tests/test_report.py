"""The indicator sheet: what it says is what the marts say, and anybody can read it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, sync_playwright
from typer.testing import CliRunner

import assets.report.making
import pipelines.cli
from assets.report import dutch, words
from assets.report.figures import Range
from assets.report.making import NoReport, make_report
from assets.tripwires import TRIPWIRES
from pipelines.settings import ROOT, Settings, load_settings
from schemas.core import BRIDGE_STEPS, SPEED_BUCKETS
from tests.city import (
    APPOINTMENTS,
    CALLS,
    appointment,
    call,
    publish,
    settings_of,
    write_appointments,
    write_calls,
)
from tests.sample import City, Night

CHROMIUM = shutil.which("chromium")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
PLAN = {
    "code": "01/02",
    "title": "Vlot <bereikbaar>",
    "money": [{"year": 2025, "budget": 1000, "account": 999.5}],
    "actions": [{"code": "01/02/03", "status": "Lopend", "from": "2025-03-01", "to": "2025-12-31"}],
    "norms": [
        {"indicator": "telephone_wait", "operator": "<", "value": 45, "valid_from": "2025-01-01", "source": "fiche"},
        {"indicator": "missed_calls", "operator": "<=", "value": 20, "valid_from": "2025-01-01", "source": "fiche"},
    ],
}
Tables = dict[str, tuple[list[str], list[list[str]]]]
"""By caption: the titles of the columns, and the rows."""


@pytest.fixture(scope="module")
def sample(first_night: Night) -> City:
    return first_night[0]


@pytest.fixture(scope="module")
def sheet(sample: City) -> Path:
    """The page that the night itself made."""
    return sample.folder / "data" / "reports" / "indicatorenfiche_2025.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


def opened(browser: Browser, file: Path, width: int = 1100, *, script: bool = True) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=script).new_page()
    page.set_default_timeout(120_000)
    page.goto(file.as_uri())
    return page


def tables_of(page: Page) -> Tables:
    rows = page.evaluate(
        """[...document.querySelectorAll('table')].map(table => [
            table.caption.textContent,
            [...table.tHead.rows[0].cells].map(cell => cell.textContent),
            [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent.trim())),
        ])"""
    )
    return {caption: (titles, lines) for caption, titles, lines in rows}


def small_city(folder: Path, **parts: Any) -> Settings:
    return settings_of(folder, **{"action_plan": PLAN, **parts})


def made(settings: Settings, months: Range | None = None) -> tuple[str, Path]:
    """The page of a sheet, and its file."""
    file = make_report(settings, months).files[0]
    return file.read_text(encoding="utf-8"), file


def read(text: str) -> float | None:
    """A figure of the page as a number; None where there is none."""
    found = re.match(r"≥?\s*€?\s*([+−]?[\d.]+(?:,\d+)?)", text)
    return float(found[1].replace(".", "").replace(",", ".").replace("−", "-")) if found else None


# ── The figures are those of the marts ───────────────────────────────────────────────────────────

BY_MONTH = """
    select value, numerator, denominator, norm_met from marts.indicators
    where indicator = ? and variant = ? and dimension_type = ? and dimension = ?
        and period_type = 'month' and year(period) = 2025
    order by period
"""


def months(sample: City, indicator: str, variant: str = "headline", by: str = "all", of: str = "all") -> list[Any]:
    return sample.ask(BY_MONTH, indicator, variant, by, of)


def assert_column(rows: list[list[str]], column: int, expected: list[Any]) -> None:
    shown = [read(row[column]) for row in rows]
    assert len(shown) == len(expected) == 12
    for there, here in zip(shown, expected, strict=True):
        assert there == (None if here is None else pytest.approx(float(here), abs=0.0050001))


@needs_browser
def test_every_monthly_figure_on_the_page_is_the_one_of_the_marts(sample: City, sheet: Path, browser: Browser) -> None:
    shown = {caption.split(",")[0]: rows for caption, (_, rows) in tables_of(opened(browser, sheet)).items()}
    wait = shown["Gemiddelde wachttijd van beantwoorde oproepen per maand"]
    assert_column(wait, 1, [value for value, *_ in months(sample, "telephone_wait")])
    assert [row[2] for row in wait] == ["ja" if met else "nee" for *_, met in months(sample, "telephone_wait")]
    plan = months(sample, "telephone_wait", "action_plan")
    assert [row[3] for row in wait] == ["ja" if met else "nee" for *_, met in plan]
    assert_column(wait, 4, [denominator for _, _, denominator, _ in months(sample, "telephone_wait")])
    assert_column(wait, 5, [value for value, *_ in months(sample, "telephone_wait", "queue_wait")])

    speed = shown["Beantwoorde oproepen naar wachttijd in seconden"]
    for column, bucket in enumerate(SPEED_BUCKETS[:-1], 1):
        values = [value for value, *_ in months(sample, "answer_speed", "headline", "speed_bucket", bucket)]
        assert_column(speed, column, values)
    unknown = [numerator for _, numerator, *_ in months(sample, "answer_speed", "headline", "speed_bucket", "unknown")]
    assert_column(speed, 9, unknown)
    offered = [value for value, *_ in months(sample, "answer_speed", "of_offered", "speed_bucket", "0-30")]
    assert_column(speed, 10, offered)

    missed = shown["Gemiste oproepen per maand"]
    columns = {1: "reported", 2: "headline", 5: "lowest_possible", 6: "highest_possible"}
    for column, variant in columns.items():
        assert_column(missed, column, [value for value, *_ in months(sample, "missed_calls", variant)])
    assert_column(missed, 3, [numerator for _, numerator, *_ in months(sample, "missed_calls")])
    assert_column(missed, 4, [denominator for _, _, denominator, _ in months(sample, "missed_calls")])

    visits = shown["Gemiddelde wachttijd na het geplande startuur per maand en activiteitcluster"]
    clusters = ["Burgerzaken", "Energieloket", "Mobiliteit", "OCMW", "Omgeving", "Wonen", "unmapped"]
    for column, cluster in enumerate(clusters, 1):
        values = months(sample, "visitor_wait", "headline", "cluster", cluster)
        assert_column(visits, column, [value for value, *_ in values])
        marked = [row[column].endswith("(norm niet gehaald)") for row in visits]
        assert marked == [met is False for *_, met in values]
    assert_column(visits, 8, [denominator for _, _, denominator, _ in months(sample, "visitor_wait")])

    lead = shown["Gemiddeld aantal werkdagen tot de afspraak"]
    assert_column(lead, 1, [value for value, *_ in months(sample, "lead_time")])
    assert [row[2] for row in lead] == ["ja" if met else "nee" for *_, met in months(sample, "lead_time")]
    for column, channel in enumerate(["Balie", "Mijn Burgerprofiel", "Telefoon", "Website"], 4):
        values = [value for value, *_ in months(sample, "lead_time", "headline", "booking_channel", channel)]
        assert_column(lead, column, values)


@needs_browser
def test_every_other_figure_on_the_page_is_the_one_of_the_marts(sample: City, sheet: Path, browser: Browser) -> None:
    page = opened(browser, sheet)
    shown = {caption: rows for caption, (_, rows) in tables_of(page).items()}

    def rows_of(begin: str) -> list[list[str]]:
        return next(rows for caption, rows in shown.items() if caption.startswith(begin))

    year = dict(
        sample.ask(
            """
            select variant, value from marts.indicators
            where indicator = 'missed_calls' and period = '2025-01-01' and period_type = 'year' and dimension = 'all'
            """
        )
    )
    (line,) = rows_of("Gemiste oproepen per jaar")
    variants = ["reported", "headline", None, None, None, "lowest_possible", "highest_possible"]
    for text, variant in zip(line[1:], [*variants, "without_short_abandons"], strict=True):
        if variant is not None:
            assert read(text) == pytest.approx(year[variant], abs=0.0050001)
    assert line[3] == "ja"

    steps = sample.ask("select step, records from marts.missed_calls_bridge where period_type = 'year' order by all")
    bridge = {text: read(number) for text, number in rows_of("Van gemeld naar verbeterd")}
    in_2025 = sample.ask(
        "select step, records from marts.missed_calls_bridge where period_type = 'year' and year(period) = 2025"
    )
    assert len(steps) > len(in_2025)
    assert bridge == {words.STEPS[step]: records for step, records in in_2025}
    closed = ("before_opening", "break", "after_closing", "closed_weekday", "holiday", "closure")
    concerned = -sum(records for step, records in in_2025 if step in closed)
    assert f"ging het om {dutch.number(concerned)} oproepen" in page.locator(".alert").inner_text()

    channels = sample.ask(
        """
        select dimension, value, denominator from marts.indicators
        where indicator = 'lead_time' and variant = 'headline' and dimension_type = 'booking_channel'
            and period_type = 'year' and period = '2025-01-01' order by dimension
        """
    )
    for (name, mean, count), (channel, value, denominator) in zip(
        rows_of("Gemiddeld aantal werkdagen tot de afspraak per boekingskanaal"), channels, strict=True
    ):
        assert (name, read(count)) == (channel, float(denominator))
        assert read(mean) == pytest.approx(value, abs=0.0050001)

    published = [(year, f"{figure:.2f}".replace(".", ",") + "\N{NO-BREAK SPACE}%") for year, figure in HISTORY.items()]
    assert [(int(row[0]), row[1]) for row in rows_of("Gemiste oproepen zoals eerder gepubliceerd")] == published
    money = {int(row[0]): (read(row[1]), read(row[2])) for row in rows_of("Uitgaven van het actieplan")}
    assert money[2020] == (None, 2312.83)
    assert money[2022] == (9600.0, 1276.44)

    states = {row[0]: [read(text) for text in row[1:]] for row in rows_of("Uitvoerbestanden tot dusver")}
    ledger = sample.ask("select sum(records), sum(quarantined) from ops.ledger group by source order by source")
    assert states["Registraties"] == [float(records) for records, _ in ledger]
    assert states["waarvan onleesbaar"] == [float(quarantined) for _, quarantined in ledger]


HISTORY = {2016: 16.14, 2017: 12.19, 2018: 11.70, 2019: 11.14, 2020: 14.02, 2021: 13.08, 2022: 11.56}


def test_the_workbook_holds_the_figures_as_numbers_below_frozen_headers(sample: City, sheet: Path) -> None:
    book = openpyxl.load_workbook(sheet.with_suffix(".xlsx"))
    assert book.sheetnames[0] == "Definities"
    wait = book["Telefonische wachttijd"]
    assert wait.freeze_panes == "B4"
    values = [wait.cell(row, 2).value for row in range(4, 16)]
    assert values == pytest.approx([value for value, *_ in months(sample, "telephone_wait")])
    assert wait["B4"].number_format == "0.00"
    assert (wait["A4"].value.date(), wait["A4"].number_format) == (date(2025, 1, 1), "mmmm yyyy")
    assert book["Geld"]["C4"].value == 2312.83
    kinds = {cell.data_type for one in book for row in one.iter_rows() for cell in row}
    assert "f" not in kinds


def test_csv_and_parquet_are_the_marts_of_the_year(sample: City, sheet: Path) -> None:
    parquet = pl.read_parquet(sheet.with_suffix(".parquet"))
    query = "select count(*), sum(value), sum(numerator) from marts.indicators where year(period) = 2025"
    ((rows, values, numerators),) = sample.ask(query)
    assert (parquet.height, parquet["numerator"].sum()) == (rows, numerators)
    assert parquet["value"].sum() == pytest.approx(values)
    assert pl.read_csv(sheet.with_suffix(".csv"), infer_schema=False).height == rows


# ── Anybody can read it ──────────────────────────────────────────────────────────────────────────


@needs_browser
def test_no_request_leaves_the_page(sheet: Path, browser: Browser) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(sheet.as_uri())
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [sheet.as_uri()]


@needs_browser
@pytest.mark.parametrize("width", [320, 360, 768, 1400])
def test_the_page_never_scrolls_sideways(sheet: Path, browser: Browser, width: int) -> None:
    page = opened(browser, sheet, width)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@needs_browser
@pytest.mark.parametrize("width", [360, 1100])
def test_axe_finds_nothing_serious(sheet: Path, browser: Browser, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = opened(browser, sheet, width)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], one["impact"], one["nodes"][0]["html"][:100]) for one in found] == []


@needs_browser
def test_the_page_is_complete_without_script(sheet: Path, browser: Browser) -> None:
    assert "<script" not in sheet.read_text(encoding="utf-8")
    page = opened(browser, sheet, script=False)
    assert page.locator("svg.wide:visible").count() == 8
    assert page.locator("svg.narrow:visible").count() == 0
    page.locator("summary").first.click()
    assert page.locator("details[open] table").first.is_visible()


@needs_browser
def test_headings_are_in_order_and_every_chart_has_a_text_alternative(sheet: Path, browser: Browser) -> None:
    page = opened(browser, sheet)
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    told = page.evaluate("[...document.querySelectorAll('svg')].map(one => one.getAttribute('aria-label'))")
    assert all(len(text) > 40 for text in told)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))


@needs_browser
def test_the_tables_behind_the_charts_are_printed(sheet: Path, browser: Browser) -> None:
    page = opened(browser, sheet)
    page.emulate_media(media="print")
    table = page.locator("details table").first
    assert table.evaluate("one => one.getBoundingClientRect().height") > 100


# ── What must not be hidden ──────────────────────────────────────────────────────────────────────


def test_a_year_without_data_says_so(sample: City) -> None:
    asked = sample.kcc("report", "2019")
    assert asked.returncode == 0
    assert "no figures: the warehouse has none of 2019" in asked.stderr
    page = (sample.folder / "data" / "reports" / "indicatorenfiche_2019.html").read_text(encoding="utf-8")
    assert "Voor 2019 zijn er geen cijfers" in page
    assert "<svg" not in page


def test_two_runs_give_the_same_bytes(sample: City, sheet: Path, tmp_path: Path) -> None:
    again = sample.kcc("report", "2025", "--output", str(tmp_path / "again"))
    assert again.returncode == 0
    files = sorted((tmp_path / "again").iterdir())
    assert [file.suffix for file in files] == [".csv", ".html", ".parquet", ".xlsx"]
    for file in files:
        assert file.read_bytes() == (sheet.parent / file.name).read_bytes()


def test_incomplete_periods_are_marked(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-14", [call("2025-03-14 10:00:00", wait="50"), call("2025-03-14 11:00:00", "missed")])
    settings = small_city(tmp_path, sources=[CALLS])
    publish(settings)
    page, file = made(settings)
    assert 'maart\N{NO-BREAK SPACE}2025 <span class="mark">onvolledig</span>' in page
    assert '<th scope="row">2025 <span class="mark">onvolledig</span>' in page
    assert ">50,0*</text>" in page
    assert "<li>maart\N{NO-BREAK SPACE}2025: telefonische wachttijd, beantwoord binnen 30 seconden en gemiste" in page
    book = openpyxl.load_workbook(file.with_suffix(".xlsx"))
    assert book["Telefonische wachttijd"].cell(3, 6).value == "Volledig"
    assert book["Telefonische wachttijd"].cell(4, 6).value == "nee"


def test_where_times_are_whole_minutes_waits_are_said_to_be_exact_to_59_seconds(tmp_path: Path, sheet: Path) -> None:
    visit = appointment("2025-03-10 10:00:00", started="2025-03-10 10:03:00", booked="2025-03-05 10:00:00")
    write_appointments(tmp_path, "2025-03-31", [visit])
    settings = small_city(tmp_path, sources=[APPOINTMENTS])
    publish(settings)
    assert "±59 seconden" in made(settings)[0]
    assert "±59 seconden" not in sheet.read_text(encoding="utf-8")


def test_a_lower_bound_is_shown_as_one_and_never_meets_its_norm(tmp_path: Path) -> None:
    waits = {"2025-03-14 10:00:00": "20", "2025-03-14 10:05:00": "68", "2025-04-14 10:00:00": "100"}
    write_calls(tmp_path, "2025-04-30", [call(began, wait=wait, id=began) for began, wait in waits.items()])
    settings = small_city(tmp_path, sources=[{**CALLS, "covers_days": 61, "wait_starts_at": "queue"}])
    publish(settings)
    page, file = made(settings)
    assert "≥\N{NO-BREAK SPACE}44,00" in page
    assert "≥\N{NO-BREAK SPACE}100,00" in page
    assert "Grenzen (≥ en ≤)" in page
    book = openpyxl.load_workbook(file.with_suffix(".xlsx"))
    wait = book["Telefonische wachttijd"]
    assert [(wait[at].value, wait[at].number_format) for at in ("B4", "B5")] == [(44, '"≥ "0.00'), (100, '"≥ "0.00')]
    assert [wait["C4"].value, wait["C5"].value] == ["niet te bepalen", "nee"]
    assert "0 van 1 maand" in page
    speed = book["Snelheidscategorieën"]
    assert speed["B4"].number_format == '"≤ "0.00" %"'
    assert speed["C4"].number_format == '0.00" %"'


def test_what_misses_its_norm_is_bold_and_never_rounded_to_it(tmp_path: Path) -> None:
    days = [f"2025-03-0{day} 10:00:00" for day in (3, 4, 5, 6, 7)]
    visits = [
        appointment(planned, started=planned[:14] + at, booked="2025-02-20 10:00:00")
        for planned, at in zip(days, ["01:01", *["01:00"] * 4], strict=True)
    ]
    write_appointments(tmp_path, "2025-03-31", visits)
    norm = {"cluster": "Wonen", "operator": "<=", "value": 1, "valid_from": "2025-01-01", "source": "fiche"}
    plan = {**PLAN, "norms": [{"indicator": "visitor_wait", **norm}]}
    settings = small_city(tmp_path, sources=[APPOINTMENTS], action_plan=plan)
    publish(settings)
    page, file = made(settings)
    book = openpyxl.load_workbook(file.with_suffix(".xlsx"))
    wait = book["Bezoekerswachttijd"]
    bold = [one for row in wait.iter_rows(min_row=4) for one in row if one.font.bold]
    assert [(one.number_format, round(one.value, 3)) for one in bold] == [("0.000", 1.003)]
    assert "1,003" in page


def test_without_a_misregistered_call_nobody_is_warned_of_them(tmp_path: Path, sheet: Path) -> None:
    write_calls(tmp_path, "2025-03-31", [call("2025-03-14 10:00:00", "missed")])
    settings = small_city(tmp_path, sources=[CALLS])
    publish(settings)
    assert "Let op:" not in made(settings)[0]
    assert "Let op:" in sheet.read_text(encoding="utf-8")


def test_an_accepted_tripwire_is_printed_with_its_reason(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-31", [call("2025-03-10 08:00:00", id=f"e{n}") for n in range(20)])
    accepted = [{"tripwire": "answered_outside_hours", "reason": "proef <met> avonddienst", "until": "2025-06-30"}]
    settings = small_city(tmp_path, sources=[CALLS], tripwires={"accepted": accepted})
    publish(settings)
    page, _ = made(settings)
    assert "beantwoorde oproepen die buiten de openingsuren binnenkwamen: 20 van 20" in page
    assert "Aanvaard tot en met 30\N{NO-BREAK SPACE}juni\N{NO-BREAK SPACE}2025: proef &lt;met&gt; avonddienst" in page


def test_a_restatement_is_printed_with_what_it_was_and_why(tmp_path: Path) -> None:
    settings = small_city(tmp_path, sources=[{**CALLS, "covers_days": 31}])
    write_calls(tmp_path, "2025-03-01", [call("2025-02-10 10:00:00", "answered")])
    publish(settings)
    late = [call("2025-02-11 10:00:00", "missed", id="late"), call("2025-02-28 10:00:00", id="later")]
    write_calls(tmp_path, "2025-02-28", late)
    publish(settings)
    page, _ = made(settings)
    assert "laattijdige uitvoer calls_2025-02-28.csv" in page
    assert "<td>Gemiste oproepen</td><td>februari\N{NO-BREAK SPACE}2025</td>" in page


def test_a_refused_file_is_named(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    write_calls(tmp_path, "2025-03-11", []).write_text("<html>\n")
    settings = small_city(tmp_path, sources=[CALLS])
    publish(settings)
    assert "<li>calls_2025-03-11.csv: geweigerd" in made(settings)[0]


HOSTILE = [
    '<script>alert("x")</script>',
    '"><img src=x onerror=alert(1)>',
    "@SUM[A1]",
    "-1+2",
    "]]></svg>&amp;",
    "$x^2$",
]


@needs_browser
def test_hostile_names_are_only_letters(tmp_path: Path, browser: Browser) -> None:
    calls = [call(f"2025-03-10 10:0{n}:00", queue=name) for n, name in enumerate(HOSTILE)]
    write_calls(tmp_path, "2025-03-31", calls)
    visits = [
        appointment(
            f"2025-03-11 10:0{n}:00",
            started=f"2025-03-11 10:0{n}:30",
            booked="2025-03-05 10:00:00",
            service=f"s{n}",
            channel='"' + name.replace('"', '""') + '"',
        )
        for n, name in enumerate(HOSTILE)
    ]
    write_appointments(tmp_path, "2025-03-31", visits)
    clusters = [
        {"cluster": name, "valid_from": "2024-01-01", "services": [f"s{n}"]}
        for n, name in enumerate([*HOSTILE[:5], "=HYPERLINK(1)"])
    ]
    quoted = [{**calls_, "queue": '"' + calls_["queue"].replace('"', '""') + '"'} for calls_ in calls]
    write_calls(tmp_path, "2025-03-31", quoted)
    history = [{"indicator": "missed_calls", "year": 2024, "value": 1, "source": "=1+1"}]
    settings = small_city(tmp_path, clusters=clusters, action_plan={**PLAN, "published_history": history})
    publish(settings)
    made_now = make_report(settings)
    page = opened(browser, made_now.files[0])
    assert page.locator("script, img, iframe, object").count() == 0
    assert page.locator("svg").count() == 14
    channels = {row[0].removesuffix(" onvolledig") for row in tables_of(page)[CHANNELS][1]}
    assert channels == set(HOSTILE)
    drawn = page.evaluate("[...document.querySelectorAll('svg text')].map(one => one.textContent)")
    assert {"=HYPERLINK(1)", "@SUM[A1]"} <= set(drawn)

    book = openpyxl.load_workbook(made_now.files[1])
    cells = [cell for one in book for row in one.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert {"-1+2", "=1+1"} <= {cell.value for cell in cells}
    assert not any(cell.hyperlink for cell in cells)
    dimensions = set(pl.read_csv(made_now.files[2], infer_schema=False)["dimension"])
    assert {"'=HYPERLINK(1)", "'-1+2", "'@SUM[A1]"} <= dimensions
    assert not any(name.startswith(("=", "+", "-", "@")) for name in dimensions)
    assert "=HYPERLINK(1)" in set(pl.read_parquet(made_now.files[3])["dimension"])


CHANNELS = "Gemiddeld aantal werkdagen tot de afspraak per boekingskanaal, over de hele periode"


# ── Nights, and the command line ─────────────────────────────────────────────────────────────────


def test_a_report_that_fails_leaves_the_night_published_and_ends_with_1(tmp_path: Path) -> None:
    for log in ("telephony/oproepen_20251219.csv", "appointments/afspraken_20251219.csv"):
        (tmp_path / "exports" / log).parent.mkdir(parents=True)
        (tmp_path / "exports" / log).write_bytes((ROOT / "sample_exports" / log).read_bytes())
    city = City(tmp_path)
    city.environment["KCC_EXPORTS"] = str(tmp_path / "exports")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "reports").write_text("in the way")
    night = city.kcc("run")
    assert night.returncode == 1
    assert "no report: the warehouse is published, its report was not made:" in night.stderr
    assert "Indicators, newest complete period" in night.stdout
    assert city.ask("select count(*) > 0 from marts.indicators") == [(True,)]
    assert city.kcc("status").returncode == 0

    (tmp_path / "data" / "reports").unlink()
    assert city.kcc("run", "--quiet").returncode == 0
    assert len(list((tmp_path / "data" / "reports").iterdir())) == 4


def test_before_the_first_publication_there_is_nothing_but_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NoReport, match="nothing is published yet; run `kcc run`"):
        make_report(settings_of(tmp_path))


@pytest.mark.parametrize(
    ("words_", "sentence"),
    [
        (["--from", "2025-01"], "name a year, or --from and --to together"),
        (["2025", "--from", "2025-01", "--to", "2025-02"], "name a year, or --from and --to together"),
        (["--from", "2025-13", "--to", "2025-02"], "'2025-13' is no month such as 2025-01"),
        (["--from", "2025-05", "--to", "2025-02"], "--from 2025-05 lies after --to 2025-02"),
    ],
)
def test_a_mistake_in_the_months_gets_a_sentence(words_: list[str], sentence: str) -> None:
    result = CliRunner().invoke(pipelines.cli.app, ["report", *words_])
    assert result.exit_code == 2
    assert sentence in result.output


def test_a_night_makes_the_sheet_of_the_newest_complete_month_and_of_restated_years(tmp_path: Path) -> None:
    settings = small_city(tmp_path, sources=[{**CALLS, "covers_days": 40}])
    write_calls(tmp_path, "2025-01-01", [call("2024-12-10 10:00:00")])
    publish(settings)
    write_calls(tmp_path, "2025-02-01", [call("2025-01-10 10:00:00", id="new"), call("2024-12-11 10:00:00", id="late")])
    publish(settings)
    nightly = assets.report.making.make_reports_of_the_night(settings)
    assert [one.months.year for one in nightly] == [2024, 2025]


def test_a_night_makes_an_older_sheet_again_that_tells_other_figures(tmp_path: Path) -> None:
    settings = small_city(tmp_path, sources=[{**CALLS, "covers_days": 40}])
    write_calls(tmp_path, "2025-01-01", [call("2024-12-10 10:00:00")])
    write_calls(tmp_path, "2025-02-01", [call("2025-01-10 10:00:00", id="new")])
    publish(settings)
    assert [one.months.year for one in assets.report.making.make_reports_of_the_night(settings)] == [2025]
    older = make_report(settings, Range.of_year(2024)).files
    assert [one.months.year for one in assets.report.making.make_reports_of_the_night(settings)] == [2025]
    older[3].write_bytes(b"of another night")
    assert [one.months.year for one in assets.report.making.make_reports_of_the_night(settings)] == [2024, 2025]
    assert older[3].read_bytes() != b"of another night"


def test_a_sheet_that_cannot_be_written_leaves_the_older_one_whole(tmp_path: Path) -> None:
    settings = small_city(tmp_path, sources=[CALLS])
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    publish(settings)
    files = make_report(settings).files
    before = {file.name: file.read_bytes() for file in files}
    write_calls(tmp_path, "2025-03-11", [call("2025-03-11 10:00:00", "missed")])
    publish(settings)
    blocked = files[1].with_name(f".{files[1].name}.partial")
    blocked.mkdir()
    with pytest.raises(NoReport, match="no file can be written there"):
        make_report(settings)
    blocked.rmdir()
    assert {file.name: file.read_bytes() for file in files[0].parent.iterdir()} == before


# ── Numbers and dates in Dutch ───────────────────────────────────────────────────────────────────


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4), st.integers(0, 4))
def test_a_dutch_number_reads_back_as_the_rounded_value(value: Decimal, places: int) -> None:
    text = dutch.number(value, places)
    assert re.fullmatch(r"−?\d{1,3}(\.\d{3})*" + (rf",\d{{{places}}}" if places else ""), text)
    back = Decimal(text.replace(".", "").replace(",", ".").replace("−", "-"))
    assert abs(back - value) <= Decimal(5).scaleb(-places - 1)


@given(st.decimals(min_value=0, max_value=100, places=6), st.sampled_from([Decimal(45), Decimal(20), Decimal("2.5")]))
def test_a_figure_never_reads_as_its_norm_when_it_is_not(value: Decimal, norm: Decimal) -> None:
    for near in (value, norm + value / 10**6):
        exact = near.quantize(Decimal("0.000001"))
        text = dutch.number(exact, 2, norm)
        assert (Decimal(text.replace(",", ".")) == norm) == (exact == norm)


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_a_dutch_date_has_no_zero_before_its_day_and_no_capital(value: date) -> None:
    number, month, year = dutch.day(value).split("\N{NO-BREAK SPACE}")
    assert (int(number), dutch.MONTHS.index(month) + 1, int(year)) == (value.day, value.month, value.year)
    assert number[0] != "0"
    assert month.islower()


def test_dutch_as_it_is_written() -> None:
    blank = "\N{NO-BREAK SPACE}"
    assert dutch.percent(11.56) == f"11,56{blank}%"
    assert dutch.euro(Decimal("2312.83")) == f"€{blank}2.312,83"
    assert dutch.day(date(2025, 3, 1)) == f"1{blank}maart{blank}2025"
    assert dutch.signed(-1065) == "−1.065"
    assert dutch.number(-0.001, 2) == "0,00"
    assert dutch.number(44.998, 2, Decimal(45)) == "44,998"
    assert dutch.listed(["a", "b", "c"]) == "a, b en c"


def test_there_are_dutch_words_for_everything_that_the_marts_may_say(first_night: Night) -> None:
    assert set(words.STEPS) == {"reported_missed", *BRIDGE_STEPS}
    assert set(words.WARNINGS) == set(TRIPWIRES)
    variants = {variant for (variant,) in first_night[0].ask("select distinct variant from marts.indicators")}
    assert variants <= set(words.VARIANTS)


def test_the_settings_of_the_sample_are_those_of_the_sheet(sheet: Path) -> None:
    plan = load_settings(ROOT / "kcc.toml").action_plan
    page = sheet.read_text(encoding="utf-8")
    assert f"{plan.code} {plan.title}" in page
    assert plan.actions[0].status in page
    assert f"Startdatum</dt><dd>1{dutch.BLANK}januari{dutch.BLANK}2020" in page
