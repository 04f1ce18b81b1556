"""What Dagster shows: a rename or a lost line in the asset graph must be seen in review."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import dagster as dg

from pipelines.location import build_definitions
from pipelines.settings import ROOT, load_settings
from schemas.tables import TABLES
from tests.city import settings_of
from tests.pages import Generated

SNAPSHOT = Path(__file__).parent / "asset_graph.txt"


def graph() -> str:
    """The asset graph as text: key, group, checks, and what it depends on."""
    definitions = build_definitions(load_settings(ROOT / "kcc.toml"))
    assets = definitions.resolve_asset_graph()
    lines = []
    for node in sorted(assets.asset_nodes, key=lambda node: node.key):
        checks = sorted(check.name for check in node.check_keys)
        parents = sorted(parent.to_user_string() for parent in node.parent_keys)
        lines.append(f"{node.key.to_user_string()} [{node.group_name}]" + (f" checks {checks}" if checks else ""))
        lines.extend(f"    <- {parent}" for parent in parents)
    return "\n".join(lines) + "\n"


def test_the_asset_graph_is_the_one_that_was_accepted(generated: Generated) -> None:
    generated.hold(SNAPSHOT, graph())


def test_the_assets_of_a_city_begin_with_its_name_and_are_the_same_in_all_else(tmp_path: Path) -> None:
    without, lier, mechelen = (
        build_definitions(settings_of(tmp_path, warehouse=warehouse)).resolve_asset_graph()
        for warehouse in ({"kind": "file"}, *({"kind": "file", "city": city} for city in ("lier", "mechelen")))
    )
    keys = {key.with_prefix("lier") for key in without.get_all_asset_keys()}
    assert lier.get_all_asset_keys() == keys
    assert {dg.AssetKey(["lier", "core", "calls"]), dg.AssetKey(["lier", "report"])} < keys
    for node in without.asset_nodes:
        named = lier.get(node.key.with_prefix("lier"))
        assert named.parent_keys == {key.with_prefix("lier") for key in node.parent_keys}
        assert {check.name for check in named.check_keys} == {check.name for check in node.check_keys}
        assert named.group_name == node.group_name
    assert not lier.get_all_asset_keys() & mechelen.get_all_asset_keys()
    assert not lier.asset_check_keys & mechelen.asset_check_keys


def test_every_asset_says_what_it_is_whose_it_is_and_what_its_columns_mean() -> None:
    specs = {spec.key: spec for spec in build_definitions(load_settings(ROOT / "kcc.toml")).resolve_all_asset_specs()}
    for spec in specs.values():
        assert spec.description
        assert spec.owners
        assert spec.kinds
    for table in TABLES:
        schema = specs[dg.AssetKey(table.split("."))].metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert all(column.description for column in schema.columns)


def test_export_days_are_days_of_the_centre_and_today_is_one_of_them() -> None:
    definitions = build_definitions(load_settings(ROOT / "kcc.toml"))
    node = definitions.resolve_asset_graph().get(dg.AssetKey("telephony_exports"))
    assert isinstance(node.partitions_def, dg.DailyPartitionsDefinition)
    assert node.partitions_def.timezone == "Europe/Brussels"
    assert node.partitions_def.get_first_partition_key() == "2025-01-01"
    assert node.partitions_def.end_offset == 1


def test_every_table_of_the_warehouse_must_be_published_as_often_as_the_settings_say() -> None:
    for spec in build_definitions(load_settings(ROOT / "kcc.toml")).resolve_all_asset_specs():
        expected = dg.FreshnessPolicy.time_window(timedelta(hours=26)) if len(spec.key.path) == 2 else None
        assert spec.freshness_policy == expected


def test_everything_that_runs_by_itself_runs_as_soon_as_it_is_installed() -> None:
    definitions = build_definitions(load_settings(ROOT / "kcc.toml"))
    running = [*(definitions.schedules or []), *(definitions.sensors or [])]
    assert {one.name: one.default_status.value for one in running} == dict.fromkeys(
        ["every_night", "new_exports", "killed_runs", "old_runs"], "RUNNING"
    )
