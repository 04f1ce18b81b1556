"""Every check says what it found and what to do, in the run that found it: real Dagster runs of the night's job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

import assets.canonical
import assets.verify
from assets.tripwires import TRIPWIRES
from pipelines.location import build_definitions
from pipelines.schedule import range_tags
from pipelines.settings import Settings
from schemas.tables import TABLES
from tests.city import call, settings_of, write_calls
from tests.dagster_home import home_in, run_job

Checks = dict[tuple[str, str], dg.AssetCheckEvaluation]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with home_in(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A centre with one export."""
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    return settings_of(tmp_path)


def night(settings: Settings, instance: dg.DagsterInstance, *only: str) -> tuple[bool, Checks]:
    """Whether a night over one day succeeded, and what its checks found."""
    result = run_job(settings, instance, range_tags(settings, [date(2025, 3, 3)]), *only)
    found = result.get_asset_check_evaluations()
    return result.success, {(one.asset_key.to_user_string(), one.check_name): one for one in found}


def test_every_contract_the_ledger_and_every_tripwire_are_checks_of_their_table(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    succeeded, found = night(settings, instance)
    assert succeeded
    assert set(found) == {
        *((table.replace(".", "/"), "contract") for table in TABLES),
        *((wire.asset.replace(".", "/"), name) for name, wire in TRIPWIRES.items()),
        ("ops/ledger", "adds_up"),
        ("ops/ledger", "every_export_is_in"),
        ("ops/publications", "is_published"),
        *((asset, check) for asset in EXPORTS for check in ("contract", "no_failed_day_left_behind")),
    }
    declared = {(key.asset_key.to_user_string(), key.name) for key in _declared(settings)}
    assert set(found) == declared
    assert all(one.description for one in found.values())


EXPORTS = ("telephony_exports", "appointment_exports")


def _declared(settings: Settings) -> set[dg.AssetCheckKey]:
    graph = build_definitions(settings).resolve_asset_graph()
    return {key for node in graph.asset_nodes for key in node.check_keys}


def test_a_table_that_breaks_its_contract_fails_its_own_check_and_publishes_nothing(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets.verify, "doubled_keys", lambda _, table: 3 if table == "core.calls" else 0)
    succeeded, found = night(settings, instance)
    assert not succeeded
    broken = found["core/calls", "contract"]
    assert (broken.passed, broken.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert str(broken.description).startswith("core.calls: 3 rows have the key (source, call_id) of another row")
    assert "**What to do:** Nothing was published" in str(broken.description)
    assert not (settings.folders.data / "warehouse" / "kcc.duckdb").exists()


def test_a_sum_that_does_not_hold_fails_the_check_of_the_ledger(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(assets.verify.SUMS, "two and two are five", "select 1")
    succeeded, found = night(settings, instance)
    assert not succeeded
    assert not found["ops/ledger", "adds_up"].passed
    assert "it does not hold that two and two are five" in str(found["ops/ledger", "adds_up"].description)


def test_records_that_break_their_contract_fail_the_check_of_their_exports_and_are_not_written(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = assets.canonical.canonical_calls
    monkeypatch.setattr(
        assets.canonical, "canonical_calls", lambda *of: made(*of).with_columns(direction=pl.lit("0470 00 00 00"))
    )
    succeeded, found = night(settings, instance, "telephony_exports")
    assert not succeeded
    broken = found["telephony_exports", "contract"]
    assert not broken.passed
    assert "the records made of it break CallRecord: direction" in str(broken.description)
    assert "0470" not in str(broken.description)
    assert list((settings.folders.data / "records").rglob("*.parquet")) == []
