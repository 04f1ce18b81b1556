"""The Dagster UI in a real browser, on the sample city's history."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.sample import Night

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")


@pytest.fixture(scope="module")
def ui(first_night: Night) -> Iterator[str]:
    """The address of a webserver on this machine."""
    city, _ = first_night
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "dagster_webserver",
        "-m",
        "pipelines.definitions",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    server = subprocess.Popen(
        command, env=city.environment, cwd=city.home, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=120)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        page = browser.new_page(viewport={"width": 1700, "height": 1000})
        page.set_default_timeout(120_000)
        yield page
        browser.close()


def test_the_graph_shows_the_groups(ui: str, page: Page) -> None:
    page.goto(f"{ui}/asset-groups")
    for group in ("exports", "core", "marts", "ops"):
        expect(page.get_by_text(group, exact=True).first).to_be_visible(timeout=120_000)


def test_a_mart_shows_what_it_is_its_rows_owner_kind_and_columns(ui: str, page: Page) -> None:
    page.goto(f"{ui}/assets/marts/indicators")
    for text in (
        "Every indicator, variant, period and dimension in one long table",
        "Row count",
        "data-team",
        "DuckDB",
        "value_reason",
        "why the value is NULL",
        "docs/data-dictionary.md#martsindicators",
    ):
        expect(page.get_by_text(text).first).to_be_visible(timeout=120_000)


def test_a_mart_shows_a_chart_and_rows_of_the_newest_complete_month_without_a_click(ui: str, page: Page) -> None:
    page.goto(f"{ui}/assets/marts/telephone_wait_monthly")
    for text in ("December 2025", "38.51", "< 45.0 ✓", "█████", "wait_seconds_sum", "Wonen en Omgeving"):
        expect(page.get_by_text(text).first).to_be_visible(timeout=120_000)


def test_row_counts_and_records_are_plotted_over_time(ui: str, page: Page) -> None:
    page.goto(f"{ui}/assets/ops/ledger")
    page.get_by_text("Plots").first.click()
    for text in ("dagster/row_count", "accepted", "quarantined"):
        expect(page.get_by_text(text).last).to_be_visible(timeout=120_000)
    assert page.locator("canvas").count() > 3


def test_a_check_says_what_it_found_and_what_to_do(ui: str, page: Page) -> None:
    page.goto(f"{ui}/assets/core/appointments?view=checks&checkDetail=unmapped_service")
    for text in ("are for a service of no cluster: 'Laadpaal aanvragen'", "What to do:", "of the settings"):
        expect(page.get_by_text(text).first).to_be_visible(timeout=120_000)
    page.goto(f"{ui}/assets/ops/ledger?view=checks&checkDetail=adds_up")
    expect(page.get_by_text("sums hold.").first).to_be_visible(timeout=120_000)
    page.goto(f"{ui}/assets/core/calls?view=checks&checkDetail=contract")
    expect(page.get_by_text("are as declared.").first).to_be_visible(timeout=120_000)


def test_which_days_have_data_are_missing_or_were_closed_stands_in_one_place(ui: str, page: Page) -> None:
    page.goto(f"{ui}/assets/ops/days")
    for text in ("not_ended", "to_look_at", "Fails if more than 26 hours"):
        expect(page.get_by_text(text).first).to_be_visible(timeout=120_000)


def test_what_starts_nights_by_itself_is_on(ui: str, page: Page) -> None:
    page.goto(f"{ui}/automation")
    for name in ("every_night", "new_exports", "killed_runs", "old_runs"):
        expect(page.get_by_text(name).first).to_be_visible(timeout=120_000)


def test_an_export_day_shows_its_records_and_files(ui: str, page: Page) -> None:
    page.goto(f"{ui}/assets/telephony_exports?view=partitions&partition=2025-03-01")
    for text in ("telephony/oproepen_20250301.csv.gz: loaded", "quarantined", "refused", "2643"):
        expect(page.get_by_text(text).first).to_be_visible(timeout=120_000)
