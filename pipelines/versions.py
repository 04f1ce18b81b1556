"""Which versions of the warehouse are kept, and which one readers get: `kcc versions`, `kcc rollback`.

Belongs here: what somebody may choose, and what is said if not. Does not belong here: how readers get it
(`pipelines/store.py`), what a night does under a pin (`assets/warehouse.py`), how it is printed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from pipelines.lock import NightIsRunning, night_lock
from pipelines.publishing import Publication, Warehouse
from pipelines.rollbacks import Rollback
from pipelines.settings import Settings, changed_settings


class UnknownVersion(Exception):
    """The version is not among those that are kept; the message names those."""


class NotRolledBack(Exception):
    """There is no version to go back to, or none was named and one is pinned already; the message says why."""


@dataclass(frozen=True)
class Version:
    """A version that is kept. Instants in UTC; `bytes` is the size of its files.

    `changed_settings` are the keys that can change a figure and differ from those of the publication before it.
    """

    version: str
    published_at_utc: datetime
    as_of_utc: datetime | None
    files: int
    records: int
    bytes: int
    settings_sha256: str
    changed_settings: list[str]
    is_published: bool
    is_pinned: bool
    is_withdrawn: bool

    @property
    def state(self) -> str:
        """Whether readers get it, in a word or two."""
        if self.is_published:
            return "pinned" if self.is_pinned else "published"
        return "rolled back" if self.is_withdrawn else ""


def versions_of(settings: Settings) -> list[Version]:
    """The versions that are kept, newest first."""
    warehouse = _warehouse(settings)
    pin, published = warehouse.rollbacks.pin(), warehouse.published_version()
    kept = warehouse.store.kept()
    withdrawn = warehouse.rollbacks.withdrawn(kept)
    found, before = [], None
    for publication in warehouse.history().publications:
        if publication.version in kept:
            found.append(
                Version(
                    version=publication.version,
                    published_at_utc=publication.published_at_utc,
                    as_of_utc=publication.as_of_utc,
                    files=publication.files,
                    records=publication.records,
                    bytes=warehouse.store.bytes_of(publication.version),
                    settings_sha256=publication.settings_sha256,
                    changed_settings=_changed(before, publication),
                    is_published=publication.version == published,
                    is_pinned=pin is not None and publication.version == pin.version,
                    is_withdrawn=publication.version in withdrawn,
                )
            )
        before = publication
    return found[::-1]


def _changed(before: Publication | None, publication: Publication) -> list[str]:
    if before is None or before.settings_sha256 == publication.settings_sha256:
        return []
    return changed_settings(before.settings_text, publication.settings_text)


def roll_back(settings: Settings, version: str | None, reason: str | None) -> Rollback:
    """Pin a version, by default the one before that which readers get; returns the pin, which may hold already.

    Raises UnknownVersion, NotRolledBack, or NightIsRunning where another process is at work.
    """
    with night_lock(settings.folders.data, wait=False):
        warehouse = _warehouse(settings)
        warehouse.clear_left_overs()
        chosen = _earlier(warehouse) if version is None else version
        if chosen not in warehouse.store.kept():
            raise UnknownVersion(f"'{chosen}' is no version that is kept; {_kept(warehouse)}")
        pin = warehouse.rollbacks.pin()
        return pin if pin is not None and pin.version == chosen else warehouse.pin(chosen, reason)


def _earlier(warehouse: Warehouse) -> str:
    """The version before the one that readers get, but for those that somebody rolled back from.

    Never by itself a second step back: who repeats a command that was killed means the first.
    """
    published, pin = warehouse.published_version(), warehouse.rollbacks.pin()
    if published is None:
        raise NotRolledBack(f"{warehouse.store.where}: nothing is published yet; run `kcc run`")
    if pin is not None:
        raise NotRolledBack(f"{pin.version} is pinned already; to go elsewhere name a version: {_kept(warehouse)}")
    kept = warehouse.store.kept()
    withdrawn = warehouse.rollbacks.withdrawn(kept)
    earlier = [version for version in kept if version < published and version not in withdrawn]
    if not earlier:
        raise NotRolledBack(f"there is no version before {published} to go back to; {_kept(warehouse)}")
    return earlier[-1]


def _kept(warehouse: Warehouse) -> str:
    return f"kept are {', '.join(reversed(warehouse.store.kept())) or 'none'}: `kcc versions` tells more"


def release_pin(settings: Settings, reason: str | None) -> Rollback | None:
    """Let nights publish again; returns the pin that held until now, None if there was none.

    Raises NightIsRunning where another process is at work.
    """
    with night_lock(settings.folders.data, wait=False):
        warehouse = _warehouse(settings)
        warehouse.clear_left_overs()
        pin = warehouse.rollbacks.pin()
        if pin is not None:
            warehouse.release(pin, reason)
        return pin


def finish_rollback(settings: Settings) -> None:
    """Give readers the pinned version where a rollback was killed before it did.

    Leaves it to the next night where somebody is at work, the folder is somebody else's, or the disk is full.
    """
    warehouse = _warehouse(settings)
    with suppress(NightIsRunning, OSError):
        if not warehouse.is_settled():
            with night_lock(settings.folders.data, wait=False):
                warehouse.settle()


def _warehouse(settings: Settings) -> Warehouse:
    return Warehouse.of(settings)
