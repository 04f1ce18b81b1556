"""Where the versions of a warehouse lie, and which of them readers get: what a kind of warehouse must be able to do.

Two do: a file of its own (`pipelines/versioned_file.py`) and a lake of many cities (`pipelines/ducklake.py`). A build
makes and verifies a finished DuckDB file for either. Does not belong here: when something is published, and what is
kept (`pipelines/publishing.py`).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipelines.runbook import Heading, see

if TYPE_CHECKING:
    import duckdb


class StoreTrouble(Exception):
    """The store can't be asked, or is not this city's; nothing was published. The message says what to do."""


def cannot_be_asked(store: Store, error: Exception) -> str:
    """That the published version does not answer, in a sentence with what DuckDB says of it."""
    return f"{store.where}: can't be asked ({str(error).splitlines()[0]}) {see(Heading.CANNOT_BE_ASKED)}"


class Store(Protocol):
    """The published versions of one city's warehouse. Whoever changes them holds the night's lock."""

    folder: Path
    """Below which its files lie."""
    where: str
    """Where readers find the warehouse, in a sentence."""
    readers_follow: str
    """When a connected reader gets another version, in a sentence."""

    def published_version(self) -> str | None:
        """The name of the version that readers get, or None before the first publication."""

    def is_there(self) -> bool:
        """Whether readers get any version."""

    def kept(self) -> list[str]:
        """The versions that can be had, oldest first."""

    def bytes_of(self, version: str) -> int:
        """How much room a version that is kept takes on the disk."""

    def open(self) -> duckdb.DuckDBPyConnection:
        """Ask the published version, read-only: `core`, `marts` and `ops` are there. Somebody must have published."""

    def prepare(self) -> None:
        """See that a version can be published, before one is built. Raises StoreTrouble if not."""

    def publish(self, built: Path, version: str) -> None:
        """Keep a finished file as a version and give it to readers, at once and for good."""

    def give(self, version: str) -> None:
        """Give readers a version that is kept, at once and for good."""

    def discard(self, version: str) -> None:
        """Forget what is left of a publication that was broken off before readers got it."""

    def keep_only(self, versions: Collection[str]) -> None:
        """Let go of all other versions; who reads one of them at this moment may go on."""

    def clear_left_overs(self) -> None:
        """Forget what others left beside a version, and finish a switch that was broken off."""

    def spoiled(self) -> str | None:
        """That somebody changed what readers get, in words; None if it is as published."""
