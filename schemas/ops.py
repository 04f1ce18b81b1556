"""Contracts of `ops.*`: what was read, what could not be, and what was published."""

from __future__ import annotations

from typing import get_args

import pandera.polars as pa
import polars as pl

from pipelines.settings import TripwireName
from schemas.core import Table
from schemas.types import Amount, Instant

TRIPWIRES = list(get_args(TripwireName))
STATES = ("records", "accepted", "excluded", "duplicates", "superseded", "quarantined")
"""The columns of ops.ledger that count records: all of them, then each state."""


class Ledger(Table):
    """Contract of ops.ledger."""

    source: str = pa.Field(description="declared name of the source")
    file_name: str = pa.Field(description="name of the export file, below the exports folder")
    sha256: str = pa.Field(description="sha256 of its uncompressed bytes (of the raw ones if it was not read)")
    export_date: pl.Date = pa.Field(nullable=True, description="civil date on which the export was made")
    exported_at_utc: Instant = pa.Field(nullable=True, description="when the export was made (UTC), as declared")
    delivery: int = pa.Field(ge=1, description="order of delivery within the source: the highest of a name came last")
    status: str = pa.Field(
        isin=["loaded", "deferred", "refused", "replaced"],
        description="what became of this version of the file: loaded; replaced, when it came again under its name; "
        "deferred, as long as it seems unfinished; refused, for the reason beside it",
    )
    reason: str = pa.Field(nullable=True, description="why it was deferred or refused")
    records: int = pa.Field(
        ge=0, description="records taken in: accepted + excluded + duplicates + superseded + quarantined"
    )
    accepted: int = pa.Field(ge=0, description="valid, and the winning version")
    excluded: int = pa.Field(ge=0, description="valid and winning, left out by a named rule")
    duplicates: int = pa.Field(
        ge=0, description="same key and same content as the winning version, which is that of the newest export"
    )
    superseded: int = pa.Field(ge=0, description="a newer version won, or the file was replaced")
    quarantined: int = pa.Field(ge=0, description="could not be read; each stands in ops.quarantine")
    unread_records: int = pa.Field(
        nullable=True, ge=0, description="records of a file refused for too many bad ones; in no state above"
    )

    class Config:
        metadata = {"key": ["source", "file_name", "sha256"]}


class Quarantine(Table):
    """Contract of ops.quarantine."""

    source: str = pa.Field(description="declared name of the source")
    file_name: str = pa.Field(description="name of the export file, below the exports folder")
    sha256: str = pa.Field(description="sha256 of its uncompressed bytes")
    line: int = pa.Field(ge=1, description="line on which the record begins, counted from 1")
    column_name: str = pa.Field(description="column of the export that can't be read")
    reason: str = pa.Field(description="why it can't be read")
    pattern: str = pa.Field(
        nullable=True, description="shape of the value: letters as a, digits as 9; never its characters"
    )

    class Config:
        metadata = {"key": ["source", "file_name", "sha256", "line"]}


class IncompleteDays(Table):
    """Contract of ops.incomplete_days."""

    figures: str = pa.Field(
        isin=["calls", "visits", "bookings"],
        description="which figures: of calls, of visits by planned day, of lead times by day of booking",
    )
    date: pl.Date = pa.Field(description="civil date whose figures may still change")
    source: str = pa.Field(nullable=True, description="source that is awaited; NULL if it is none in particular")
    reason: str = pa.Field(
        isin=["not_ended", "no_source", "no_export", "exported_before_closing", "call_open", "no_hours"],
        description="not_ended: the newest export was made before the day ended; no_source: it was open and no source "
        "is declared for it; no_export: no export of the source holds it; exported_before_closing: only one made "
        "before that day's closing does; call_open: a call of it, of whichever source, had not ended; no_hours: none "
        "are declared",
    )

    class Config:
        metadata = {"key": ["figures", "date", "source"]}


DAY_STATES = ["data", "partial", "not_ended", "missing", "failed", "closed", "no_hours"]


class Days(Table):
    """Contract of ops.days."""

    date: pl.Date = pa.Field(description="civil date, from the first day of the source up to that of the newest export")
    source: str = pa.Field(description="declared name of the source")
    state: str = pa.Field(
        isin=DAY_STATES,
        description="data: open, and exports vouch for all of it; partial: only an export made before closing does, or "
        "a call had not ended; not_ended: the newest export was made before the day ended; missing: open, and no "
        "export vouches for it; failed: the same or closed, and an export made on it was refused or is deferred; "
        "closed: its telephone or desk was; no_hours: the settings declare none",
    )
    records: int = pa.Field(ge=0, description="calls that arrived or visits of that day in core, of this source")
    files: int = pa.Field(ge=0, description="export files made on that day that are in")
    files_not_in: int = pa.Field(
        ge=0, description="export files made on that day whose last delivery was refused or is deferred"
    )

    class Config:
        metadata = {"key": ["date", "source"]}


class Publications(Table):
    """Contract of ops.publications."""

    version: str = pa.Field(description="name of the version's file")
    published_at_utc: Instant = pa.Field(description="when it was published (UTC)")
    run_id: str = pa.Field(description="Dagster run that published it")
    as_of_utc: Instant = pa.Field(nullable=True, description="when the newest export in it was made (UTC)")
    files: int = pa.Field(ge=0, description="versions of export files in the ledger")
    records: int = pa.Field(ge=0, description="records in the ledger")
    settings_sha256: str = pa.Field(description="sha256 of the settings that made it")
    settings_text: str = pa.Field(description="the settings themselves")

    class Config:
        metadata = {"key": ["version"]}


class Rollbacks(Table):
    """Contract of ops.rollbacks."""

    at_utc: Instant = pa.Field(description="when the version was pinned or released (UTC)")
    action: str = pa.Field(
        isin=["pin", "release"],
        description="pin: readers get this version, and nothing is published; release: the next night publishes again",
    )
    version: str = pa.Field(description="the version that was pinned or released")
    instead_of_version: str = pa.Field(
        nullable=True, description="the version that readers had until it was pinned; NULL where it is released"
    )
    reason: str = pa.Field(nullable=True, description="why, in the words of who did it; NULL if none was given")

    class Config:
        metadata = {"key": ["at_utc", "action"]}


class Tripwires(Table):
    """Contract of ops.tripwires."""

    tripwire: str = pa.Field(isin=TRIPWIRES, description="what looks wrong; docs/indicators.md tells when each trips")
    source: str = pa.Field(description="declared name of the source; `calendar` where the city's calendar is asked")
    month: pl.Date = pa.Field(description="first day of the month that it is about")
    affected: int = pa.Field(ge=1, description="how many calls, days, appointments or exports look wrong")
    total: int = pa.Field(ge=1, description="of how many")
    sentence: str = pa.Field(description="what was found and what to ask, in English")
    is_blocking: bool = pa.Field(description="publishes nothing unless it is accepted")
    accepted_reason: str = pa.Field(nullable=True, description="why the settings accept it; NULL if they don't")
    accepted_until: pl.Date = pa.Field(nullable=True, description="months that begin up to this date are accepted")

    class Config:
        metadata = {"key": ["tripwire", "source", "month"]}


class Restatements(Table):
    """Contract of ops.restatements."""

    version: str = pa.Field(description="the publication that first showed the new value")
    restated_at_utc: Instant = pa.Field(description="when it was published (UTC)")
    indicator: str = pa.Field(description="indicator of marts.indicators")
    variant: str = pa.Field(description="variant of the indicator")
    period_type: str = pa.Field(isin=["month", "year"], description="length of the period")
    period: pl.Date = pa.Field(description="first day of the period, which had been published as complete")
    dimension_type: str = pa.Field(description="by what it is broken down")
    dimension: str = pa.Field(description="`all`, or the value of the dimension")
    old_value: float = pa.Field(nullable=True, description="value published before; NULL if it had none")
    new_value: float = pa.Field(nullable=True, description="value from this publication on; NULL if it has none")
    unit: str = pa.Field(description="unit of both values")
    old_numerator: Amount = pa.Field(nullable=True, description="exact numerator before")
    old_denominator: Amount = pa.Field(nullable=True, description="exact denominator before")
    new_numerator: Amount = pa.Field(nullable=True, description="exact numerator now")
    new_denominator: Amount = pa.Field(nullable=True, description="exact denominator now")
    why: str = pa.Field(
        description="the late or corrected exports that tell of the period, and the settings that changed since"
    )

    class Config:
        metadata = {"key": ["version", "indicator", "variant", "period_type", "period", "dimension_type", "dimension"]}
