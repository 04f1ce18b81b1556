"""The night's job in Dagster without any work: what Dagster itself takes to run and to write down such a graph."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import TopologicalSorter

import dagster as dg

from pipelines.location import build_definitions
from pipelines.settings import Settings


def empty_definitions(settings: Settings) -> dg.Definitions:
    """The graph of the night, its assets with their columns, days and checks, and no work in any step."""
    ours = build_definitions(settings)
    steps = [_empty_step(step) for step in ours.assets or () if isinstance(step, dg.AssetsDefinition)]
    night = dg.define_asset_job("nightly", selection=dg.AssetSelection.all())
    return dg.Definitions(assets=steps, jobs=[night], executor=dg.in_process_executor)


def _empty_step(step: dg.AssetsDefinition) -> dg.AssetsDefinition:
    checks = list(step.check_specs)

    @dg.multi_asset(
        name=step.node_def.name,
        specs=list(step.specs),
        check_specs=checks,
        can_subset=False,
        backfill_policy=step.backfill_policy,
    )
    def nothing() -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        for key in _upstream_first(step):
            yield dg.MaterializeResult(asset_key=key)
        for check in checks:
            yield dg.AssetCheckResult(asset_key=check.asset_key, check_name=check.name, passed=True)

    return nothing


def _upstream_first(step: dg.AssetsDefinition) -> Iterator[dg.AssetKey]:
    """The assets of a step, each after those of the same step that it depends on."""
    depends = {spec.key: [dep.asset_key for dep in spec.deps if dep.asset_key in step.keys] for spec in step.specs}
    return TopologicalSorter(depends).static_order()
