"""A warehouse that is one DuckDB file: `kind = "file"`.

    warehouse/kcc.duckdb            a relative symlink to the version that is published
    warehouse/versions/*.duckdb     the versions that are kept, read-only

Readers hold open the version that they opened; switching the link doesn't touch it.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import durable

if TYPE_CHECKING:
    import duckdb


class VersionedFile:
    """The files and the link below one folder."""

    readers_follow = "as soon as they connect again"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.link = folder / "kcc.duckdb"
        self.versions = folder / "versions"
        self.where = str(self.link)

    def file_of(self, version: str) -> Path:
        """Where a version lies while it is kept."""
        return self.versions / f"{version}.duckdb"

    def published_version(self) -> str | None:
        """What the link names, whether it is there or not."""
        return self.link.readlink().stem if self.link.is_symlink() else None

    def is_there(self) -> bool:
        """Whether the file that the link names is there."""
        return self.link.exists()

    def kept(self) -> list[str]:
        """The versions that lie there, oldest first."""
        return sorted(file.stem for file in self.versions.glob("kcc_*.duckdb"))

    def bytes_of(self, version: str) -> int:
        """The size of its file, or of a copy that somebody put in the place of the link."""
        file = self.file_of(version)
        return (file if file.exists() else self.link).stat().st_size

    def open(self) -> duckdb.DuckDBPyConnection:
        """Ask the file that the link names."""
        from assets.sessions import readonly

        return readonly(self.link)

    def prepare(self) -> None:
        """Nothing: a build begins where it ends."""

    def add(self, built: Path, version: str) -> Path:
        """Keep a finished file as a version that nobody gets yet; returns where it is."""
        self.versions.mkdir(parents=True, exist_ok=True)
        durable.rename(built, self.file_of(version))
        return self.file_of(version)

    def publish(self, built: Path, version: str) -> None:
        """Keep a finished file, and switch the link to it."""
        self.add(built, version)
        self.give(version)

    def give(self, version: str) -> None:
        """Switch the link."""
        link = self.folder / ".kcc.duckdb.next"
        link.unlink(missing_ok=True)
        link.symlink_to(self.file_of(version).relative_to(self.folder))
        os.replace(link, self.link)
        durable.sync(self.folder)

    def withdraw(self) -> None:
        """Take the link away: what gets no newer version must not be taken for the newest."""
        self.link.unlink(missing_ok=True)

    def discard(self, version: str) -> None:
        """Delete a file that the link does not name."""
        self.file_of(version).unlink(missing_ok=True)

    def keep_only(self, versions: Collection[str]) -> None:
        """Delete the other files; readers of one keep their open file."""
        for version in self.kept():
            if version not in versions:
                self.discard(version)

    def clear_left_overs(self) -> None:
        """Forget write-ahead logs: a switch is never half done."""
        for log in self.foreign_logs():
            log.unlink(missing_ok=True)

    def foreign_logs(self) -> list[Path]:
        """Write-ahead logs beside the published files: none is ours, for what is published was closed.

        DuckDB replays one into what readers see if it was made from the same version, else it refuses to open the file.
        """
        return [*self.folder.glob("*.wal"), *self.versions.glob("kcc_*.wal")]

    def spoiled(self) -> str | None:
        """A write-ahead log of the published file."""
        for log in self.foreign_logs():
            if log.name == f"{self.published_version()}.duckdb.wal":
                return (
                    f"{log}: somebody opened the published file for writing, and readers may get changed figures or "
                    "none"
                )
        return None
