"""How assets are called in Dagster.

Dagster takes assets with the same key for one, in whichever code location they are: their days, checks and histories
would mix. So where several cities share an instance, the keys of each begin with its name. Steps and jobs need no such
thing: they belong to a code location.
"""

import dagster as dg

from pipelines.settings import Settings


def asset_key(settings: Settings, name: str) -> dg.AssetKey:
    """`core.calls` is the asset core/calls; with `warehouse.city = "lier"` it is lier/core/calls."""
    key = dg.AssetKey(name.split("."))
    return key.with_prefix(settings.warehouse.city) if settings.warehouse.city else key
