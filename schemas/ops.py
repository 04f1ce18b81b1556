"""Contracts of `ops.*`: what was read, what could not be, and what was published."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.core import Table
from schemas.types import Instant


class Ledger(Table):
    """Contract of ops.ledger."""

    source: str = pa.Field(description="declared name of the source")
    file_name: str = pa.Field(description="name of the export file, below the exports folder")
    sha256: str = pa.Field(description="sha256 of its uncompressed bytes (of the raw ones if it was not read)")
    export_date: pl.Date = pa.Field(nullable=True, description="civil date on which the export was made")
    exported_at_utc: Instant = pa.Field(nullable=True, description="when the export was made (UTC), as declared")
    delivery: int = pa.Field(ge=1, description="order of delivery within the source: the highest of a name came last")
    status: str = pa.Field(
        isin=["loaded", "deferred", "refused", "replaced"], description="what became of this version of the file"
    )
    reason: str = pa.Field(nullable=True, description="why it was deferred or refused")
    records: int = pa.Field(
        ge=0, description="records taken in: accepted + excluded + duplicates + superseded + quarantined"
    )
    accepted: int = pa.Field(ge=0, description="valid, and the winning version")
    excluded: int = pa.Field(ge=0, description="valid and winning, left out by a named rule")
    duplicates: int = pa.Field(ge=0, description="same key and same content as the winning version")
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
