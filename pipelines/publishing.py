"""Publishes a warehouse: all at once, under the eyes of its readers, or not at all.

    warehouse/kcc.duckdb            a relative symlink to the version that is published
    warehouse/versions/*.duckdb     the last few versions, read-only
    warehouse/publications/*.json   what was published when, with which settings; never deleted

Readers hold open the version that they opened; switching the link doesn't touch it. Does not belong here:
what is in a warehouse, and whether it is right (`assets/build.py`, `assets/verify.py`).
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from pipelines import durable


class Publication(BaseModel):
    """One publication: which version, when, by which run, with which settings, as of which newest export."""

    version: str
    published_at_utc: datetime
    run_id: str
    settings_sha256: str
    settings_text: str
    as_of_utc: datetime | None
    files: int
    records: int


class Warehouse:
    """The folder of the published warehouse. Whoever writes here holds the night's lock."""

    def __init__(self, data: Path, keep: int) -> None:
        self.folder = data / "warehouse"
        self.link = self.folder / "kcc.duckdb"
        self.versions = self.folder / "versions"
        self.publications = self.folder / "publications"
        self.keep = keep

    def fresh_file(self, run: str) -> Path:
        """Where a new version may be built; what an earlier night left half done is cleared away first."""
        for folder in (self.versions, self.publications):
            folder.mkdir(parents=True, exist_ok=True)
        self._recover()
        for left_over in self.versions.glob(".building_*"):
            left_over.unlink()
        return self.versions / f".building_{run}.duckdb"

    def _recover(self) -> None:
        """A night killed around the switch either published (the link says so) or did not."""
        for prepared in self.publications.glob("*.prepared"):
            version = prepared.name.removesuffix(".json.prepared")
            if self.published_version() == version:
                durable.rename(prepared, self.publications / f"{version}.json")
            else:
                (self.versions / f"{version}.duckdb").unlink(missing_ok=True)
                prepared.unlink()

    def published_version(self) -> str | None:
        """The name of the version that readers get, or None before the first publication."""
        return self.link.readlink().stem if self.link.is_symlink() else None

    def history(self) -> list[Publication]:
        """Every publication so far, oldest first."""
        return [Publication.model_validate_json(path.read_bytes()) for path in sorted(self.publications.glob("*.json"))]

    def publish(self, built: Path, publication: Publication) -> Path:
        """Make a finished file the published one; returns its path. The file must be closed."""
        wal = built.with_name(built.name + ".wal")
        if wal.exists():
            raise RuntimeError(f"{built.name} was not closed properly: it still has a write-ahead log")
        version = self.versions / f"{publication.version}.duckdb"
        built.chmod(0o444)
        record = self.publications / f"{publication.version}.json"
        prepared = record.with_name(record.name + ".prepared")
        durable.write_private(prepared, publication.model_dump_json(indent=1))
        durable.rename(built, version)
        link = self.folder / ".kcc.duckdb.next"
        link.unlink(missing_ok=True)
        link.symlink_to(version.relative_to(self.folder))
        os.replace(link, self.link)
        durable.sync(self.folder)
        durable.rename(prepared, record)
        self._prune()
        return version

    def _prune(self) -> None:
        """Keep the newest versions; readers of an older one keep their open file."""
        published = self.published_version()
        for old in sorted(self.versions.glob("kcc_*.duckdb"))[: -self.keep]:
            if old.stem != published:
                old.unlink()
