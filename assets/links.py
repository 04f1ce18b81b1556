"""Where the docs speak of an asset, for the Dagster UI: an address if the settings know one, else a page's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from pipelines.settings import Settings
from schemas.dictionary import anchor

DEFINITIONS = {
    "core.calls": "calls",
    "core.appointments": "appointments",
    "core.calendar": "opening-hours",
    "marts.missed_calls_bridge": "the-bridge",
    "marts.visitor_wait_monthly": "appointments",
    "marts.visits_daily": "appointments",
    "marts.appointment_lead_time_monthly": "appointments",
    "ops.ledger": "every-record-is-in-one-state",
    "ops.quarantine": "every-record-is-in-one-state",
    "ops.tripwires": "tripwires",
    "ops.restatements": "restatements",
    "ops.days": "what-the-figures-are-made-of",
    "ops.incomplete_days": "what-the-figures-are-made-of",
}
"""The heading of docs/indicators.md that defines a table; the other marts are defined with the calls."""


def of_table(settings: Settings, table: str) -> Mapping[str, dg.MetadataValue[Any]]:
    """Links of a published table: its columns, and its definition where it has one."""
    links = {"docs": page(settings, f"data-dictionary.md#{anchor(table)}")}
    if table in DEFINITIONS:
        links["definition"] = page(settings, f"indicators.md#{DEFINITIONS[table]}")
    elif table.startswith("marts."):
        links["definition"] = page(settings, "indicators.md#calls")
    return links


def page(settings: Settings, name: str) -> dg.MetadataValue[Any]:
    """A page of docs/, with its heading."""
    if settings.centre.docs is None:
        return dg.MetadataValue.path(f"docs/{name}")
    return dg.MetadataValue.url(f"{settings.centre.docs.rstrip('/')}/{name}")
