"""What the Dagster UI shows of the marts: true, short enough to be seen at once, and nobody's name or call."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from assets.links import of_table, page
from assets.previews import PREVIEWS, SHOWN_AT_ONCE, previews
from pipelines.settings import ROOT
from pipelines.versioned_file import VersionedFile
from schemas.tables import TABLES
from tests.city import appointment, call, publish, settings_of, write_appointments, write_calls
from tests.pages import headings
from tests.sample import Night


def shown_of(folder: Path) -> dict[str, Any]:
    return previews(VersionedFile(folder / "data" / "warehouse"))


def test_every_mart_is_shown_and_no_other_table_row_by_row() -> None:
    assert set(PREVIEWS) == {table for table in TABLES if table.startswith("marts.")}


def test_every_chart_is_short_enough_to_be_shown_at_once_and_of_the_newest_complete_month(first_night: Night) -> None:
    city, _ = first_night
    shown = previews(VersionedFile(city.warehouse.parent))
    for table in PREVIEWS:
        assert shown[table]["month"].value == "December 2025"
        assert 0 < len(str(shown[table]["chart"].value)) < SHOWN_AT_ONCE
        assert shown[table]["preview"].records


def test_a_preview_names_its_columns_rightly(first_night: Night) -> None:
    city, _ = first_night
    for table, metadata in previews(VersionedFile(city.warehouse.parent)).items():
        if table in PREVIEWS:
            first = {record.data["column"]: record.data["1"] for record in metadata["preview"].records}
            types = dict(
                city.ask(
                    "select column_name, data_type from duckdb_columns() where schema_name || '.' || table_name = ?",
                    table,
                )
            )
            assert set(first) == set(types)
            for name, value in first.items():
                if value is not None and types[name] == "DATE":
                    assert re.fullmatch(r"\d{4}-\d\d-01|2025-12-\d\d", str(value)), (table, name)
                assert isinstance(value, bool) == (types[name] == "BOOLEAN" and value is not None), (table, name)


def test_the_ledger_shows_the_records_of_each_state_as_numbers(first_night: Night) -> None:
    city, _ = first_night
    shown = {
        state: value.value for state, value in previews(VersionedFile(city.warehouse.parent))["ops.ledger"].items()
    }
    assert shown["records"] == sum(count for state, count in shown.items() if state != "records") > 0


def test_names_in_a_chart_act_as_no_markdown_and_many_of_them_shrink_the_bars(tmp_path: Path) -> None:
    queue = "![x](http://example.org/p.png)|<b>"
    write_calls(tmp_path, "2025-03-31", [call("2025-03-03 10:00:00", queue=queue)])
    clusters = [
        {
            "cluster": f"{number:02} {'very long name of a cluster ' * 2}",
            "valid_from": "2024-01-01",
            "services": [f"s{number}"],
        }
        for number in range(30)
    ]
    clusters.append({"cluster": "!a|b [c](d)", "valid_from": "2024-01-01", "services": ["x"]})
    visits = [
        appointment("2025-03-03 10:00:00", "done", id=str(number), service=f"s{number}", started="2025-03-03 10:01:00")
        for number in range(30)
    ]
    visits.append(appointment("2025-03-03 10:00:00", "done", id="x", service="x", started="2025-03-03 10:01:00"))
    write_appointments(tmp_path, "2025-03-31", visits)
    publish(settings_of(tmp_path, clusters=clusters))
    shown = shown_of(tmp_path)
    chart = str(shown["marts.visitor_wait_monthly"]["chart"].value)
    assert chart.count("\n") >= 15
    assert "█" not in chart
    assert r"!a\|b \[c\](d)" in chart
    assert shown["marts.visitor_wait_monthly"]["month"].value == "March 2025, not complete"


def test_what_is_taken_off_has_a_pale_bar_and_over_100_percent_of_a_norm_is_always_too_much(first_night: Night) -> None:
    city, _ = first_night
    shown = previews(VersionedFile(city.warehouse.parent))
    bars = dict(
        re.findall(r"^\|([^|]*)\|[^|]*\|([^|]*)\|", str(shown["marts.missed_calls_bridge"]["chart"].value), re.M)
    )
    assert set(bars["after_closing"]) == {"░"}
    assert "█" in bars["corrected_missed"]
    norms = re.findall(r"^\|[^|]+\|([\d.,]+)\|[^|]*\|(.*)\|", str(shown["marts.indicators"]["chart"].value), re.M)
    assert len(norms) > 5
    assert all((float(percent) > 100) == note.endswith("✗") for percent, note in norms)


def test_a_norm_of_nothing_at_all_takes_no_chart_away(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-31", [call("2025-03-03 10:00:00")])
    norm = {"indicator": "telephone_wait", "operator": "<=", "value": 0, "valid_from": "2024-01-01", "source": "test"}
    publish(settings_of(tmp_path, action_plan={"norms": [norm]}))
    assert "|telephone wait|–||" in str(shown_of(tmp_path)["marts.indicators"]["chart"].value)


def test_a_warehouse_without_figures_shows_none(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-31", [])
    publish(settings_of(tmp_path))
    assert all(not shown_of(tmp_path)[table] for table in PREVIEWS)


def test_what_cannot_be_shown_is_told_and_fails_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    duckdb.connect(str(tmp_path / "kcc.duckdb")).close()
    with caplog.at_level(logging.WARNING, logger="kcc"):
        assert previews(VersionedFile(tmp_path)) == {}
    assert "published, but without previews: _duckdb.CatalogException at previews.py line" in caplog.text


def test_links_lead_to_headings_that_are_there(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    for table in TABLES:
        for link in of_table(settings, table).values():
            assert isinstance(link, dg.PathMetadataValue)
            name, _, heading = str(link.value).partition("#")
            assert heading in headings(ROOT / name), link.value


def test_links_are_addresses_where_the_settings_know_where_the_docs_are_read(tmp_path: Path) -> None:
    centre = {"name": "Testdorp", "start": "2025-01-01", "docs": "https://git.example.be/kcc/docs/"}
    link = page(settings_of(tmp_path, centre=centre), "formats.md")
    assert link == dg.MetadataValue.url("https://git.example.be/kcc/docs/formats.md")
