"""Publishes a warehouse: all at once, under the eyes of its readers, or not at all.

    warehouse/publications/*.json   what was published when, with which settings; never deleted
    warehouse/publications/*.restatements.parquet   figures that it changed after they were complete; never deleted
    warehouse/publications/*.figures.parquet        its complete figures, for the next publication to compare with
    warehouse/not_published.json    why the last build was not published; gone with the next that is
    warehouse/rollbacks.jsonl       every pin and release (`pipelines/rollbacks.py`)
    warehouse/held_back.duckdb      the last build under a pin, read-only; gone with the next publication

Does not belong here: where versions lie and how readers get one (`pipelines/store.py`), what is in a warehouse, and
whether it is right (`assets/build.py`, `assets/verify.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel

from pipelines import durable
from pipelines.rollbacks import Rollback, RollbackLog
from pipelines.runbook import Heading, see
from pipelines.settings import DuckLakeWarehouse, Settings
from pipelines.store import Store, StoreTrouble
from pipelines.versioned_file import VersionedFile

log = logging.getLogger("kcc")


class MissedNorm(BaseModel):
    """A complete figure that misses its norm: where it stands in marts.indicators, its value, unit and norm."""

    indicator: str
    variant: str
    period_type: str
    period: date
    dimension_type: str
    dimension: str
    value: float
    unit: str
    norm_operator: str
    norm_value: Decimal


class Block(BaseModel):
    """What kept a build from being published: an asset check; of a tripwire the source, the month, and how many of how
    many records it is about.
    """

    check: str
    source: str | None = None
    month: date | None = None
    affected: int | None = None
    total: int | None = None


class Publication(BaseModel):
    """One publication: which version, when, by which run, with which settings, as of which newest export; and the
    norms that were not missed in the publication before.
    """

    version: str
    published_at_utc: datetime
    run_id: str
    settings_sha256: str
    settings_text: str
    as_of_utc: datetime | None
    files: int
    records: int
    norms_newly_missed: list[MissedNorm] = []


UNFINISHED = f"it has not finished: it is at work, or was killed {see(Heading.BUILD_NOT_FINISHED)}"
"""Why a build is not published from its begin to its end."""


class NotPublished(BaseModel):
    """A build that was not published: what version it was to be, when it began, by which run, and why: in a sentence,
    and as data where a check blocked it.
    """

    version: str
    at_utc: datetime
    run_id: str
    reason: str
    blocked_by: list[Block] = []


@dataclass(frozen=True)
class History:
    """What was published before: every publication, oldest first; what they restated; the last one's figures; and
    every pin and release.
    """

    publications: list[Publication] = field(default_factory=list)
    restatements: list[Path] = field(default_factory=list)
    figures: Path | None = None
    rollbacks: list[Rollback] = field(default_factory=list)

    @property
    def last(self) -> Publication | None:
        """The newest publication, or None before the first."""
        return self.publications[-1] if self.publications else None


class Warehouse:
    """The folder of the published warehouse, and the store of its versions: `file` below it, unless `of` settings say
    otherwise. Whoever writes here holds the night's lock.
    """

    def __init__(self, data: Path, keep: int) -> None:
        self.folder = data / "warehouse"
        self.publications = self.folder / "publications"
        self.refusal = self.folder / "not_published.json"
        self.rollbacks = RollbackLog(self.folder / "rollbacks.jsonl")
        self.held_back = self.folder / "held_back.duckdb"
        self.file = VersionedFile(self.folder)
        self.store: Store = self.file
        self.keep = keep

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The warehouse of a city, where its settings say."""
        warehouse = cls(settings.folders.data, settings.retention.versions)
        if isinstance(settings.warehouse, DuckLakeWarehouse):
            from pipelines.ducklake import DuckLake

            warehouse.store = DuckLake(
                settings.warehouse,
                centre=settings.centre.name,
                is_ours=warehouse.is_ours,
                file=warehouse.file,
            )
        return warehouse

    def fresh_file(self, run: str) -> Path:
        """Where a new version may be built; what an earlier night left half done is cleared away first."""
        for folder in (self.file.versions, self.publications):
            folder.mkdir(parents=True, exist_ok=True)
        self.clear_left_overs()
        return self.file.versions / f".building_{run}.duckdb"

    def clear_left_overs(self) -> None:
        """Free what an earlier night left half done, and forget what others wrote beside a version."""
        for left_over in self.file.versions.glob(".building_*"):
            left_over.unlink(missing_ok=True)
        self._recover()
        self.settle()
        self.store.clear_left_overs()
        published = {record.stem for record in self.publications.glob("*.json")}
        for left_over in self.publications.glob("*.parquet"):
            if left_over.name.split(".")[0] not in published:
                left_over.unlink()

    def _recover(self) -> None:
        """A night killed around the switch either published (the store says so) or did not."""
        for prepared in self.publications.glob("*.prepared"):
            version = prepared.name.removesuffix(".json.prepared")
            if self.published_version() == version:
                durable.rename(prepared, self.record_of(version))
            else:
                self.store.discard(version)
                prepared.unlink()

    def published_version(self) -> str | None:
        """The name of the version that readers get, or None before the first publication."""
        return self.store.published_version()

    @staticmethod
    def built_at_utc(version: str) -> datetime:
        """When a version was made, by its name. Raises ValueError for a name that is not ours."""
        return datetime.strptime("_".join(version.split("_")[:2]), "kcc_%Y%m%dT%H%M%S%f")

    def history(self) -> History:
        """What was published so far."""
        records = sorted(self.publications.glob("*.json"))
        publications = [Publication.model_validate_json(path.read_bytes()) for path in records]
        figures = self.figures_of(publications[-1].version) if publications else None
        return History(
            publications,
            [path for known in publications if (path := self.restatements_of(known.version)).exists()],
            figures if figures is not None and figures.exists() else None,
            self.rollbacks.entries(),
        )

    def record_of(self, version: str) -> Path:
        """What is known of a publication; written when readers got it."""
        return self.publications / f"{version}.json"

    def is_ours(self, version: str) -> bool:
        """Whether a version was published from this data folder, or was about to be."""
        return self.record_of(version).exists() or self._prepared(version).exists()

    def figures_of(self, version: str) -> Path:
        """Where the complete figures of a publication lie; written before it is published."""
        return self.publications / f"{version}.figures.parquet"

    def restatements_of(self, version: str) -> Path:
        """Where the restatements of a publication lie, if it has any; written before it is published."""
        return self.publications / f"{version}.restatements.parquet"

    def refuse(
        self,
        publication: Publication,
        reason: str = UNFINISHED,
        blocked_by: Sequence[Block] = (),
    ) -> None:
        """Write down that a build is not published, and why, for who asks for the status.

        Done when it begins, too: one that is killed says nothing any more.
        """
        refusal = NotPublished(
            version=publication.version,
            at_utc=publication.published_at_utc,
            run_id=publication.run_id,
            reason=reason,
            blocked_by=list(blocked_by),
        )
        # who may ask the warehouse may ask for its status
        durable.write(self.refusal, refusal.model_dump_json(indent=1), 0o644)

    def failed(self, run_id: str, why: str) -> None:
        """Write down why the build of a run did not end. Raises OSError where there is no room for it."""
        refusal = self._last_refusal()
        if refusal is not None and refusal.run_id == run_id and refusal.reason == UNFINISHED:
            durable.write(self.refusal, refusal.model_copy(update={"reason": why}).model_dump_json(indent=1), 0o644)

    def refused(self) -> NotPublished | None:
        """The newest build, if it was not published."""
        refusal = self._last_refusal()
        return None if refusal is None or self._is_known(refusal.version) else refusal

    def _last_refusal(self) -> NotPublished | None:
        return NotPublished.model_validate_json(self.refusal.read_bytes()) if self.refusal.exists() else None

    def _is_known(self, version: str) -> bool:
        """Whether a version was published, as far as is written down; one killed in between is asked of the store."""
        is_asked = self._prepared(version).exists()
        return self.record_of(version).exists() or (is_asked and version == self.published_version())

    def _prepared(self, version: str) -> Path:
        """The same, written before readers get it."""
        return self.publications / f"{version}.json.prepared"

    def last_build_at_utc(self) -> datetime | None:
        """When the newest build began (UTC), whatever became of it; None before the first."""
        begun = []
        if refusal := self._last_refusal():
            begun.append(refusal.at_utc)
        if newest := max(self.publications.glob("*.json"), default=None):
            begun.append(Publication.model_validate_json(newest.read_bytes()).published_at_utc)
        return max(begun, default=None)

    def publish(self, built: Path, publication: Publication) -> None:
        """Make a finished file the published version. The file must be closed, and nothing pinned."""
        _seal(built)
        prepared = self._prepared(publication.version)
        durable.write_private(prepared, publication.model_dump_json(indent=1))
        before = self.published_version()
        self.store.publish(built, publication.version)
        durable.rename(prepared, self.record_of(publication.version))
        self.refusal.unlink(missing_ok=True)
        self.held_back.unlink(missing_ok=True)
        self._prune(publication.version, before)

    def hold_back(self, built: Path, publication: Publication, pin: Rollback) -> str:
        """Lay a finished file aside, for the data team to look at; returns why it is not published, in a sentence."""
        _seal(built)
        durable.rename(built, self.held_back)
        why = (
            f"readers are pinned to {pin.version} since {pin.at_utc:%Y-%m-%d %H:%M} UTC; what was built is verified "
            f"and lies in {self.held_back}; `kcc rollback --release` lets the next night publish "
            + see(Heading.IS_PUBLISHED)
        )
        self.refuse(publication, why)
        return why

    def pin(self, version: str, reason: str | None) -> Rollback:
        """Give readers a kept version; from now on builds are held back until `release`."""
        before = self.published_version()
        pinned = self._log("pin", version, before, reason)
        self.settle()
        return pinned

    def release(self, pin: Rollback, reason: str | None) -> None:
        """Let the next night publish; until then readers keep the version that was pinned."""
        self._log("release", pin.version, None, reason)

    def settle(self) -> None:
        """Finish a pin that was killed on its way: the log knows what is pinned, and readers get it."""
        pin = self.rollbacks.pin()
        if pin is not None and not self.is_settled():
            self.store.give(pin.version)

    def is_settled(self) -> bool:
        """Whether readers get what is pinned, or can't, for it is kept no more."""
        pin = self.rollbacks.pin()
        return pin is None or pin.version == self.published_version() or pin.version not in self.store.kept()

    def _log(self, action: Literal["pin", "release"], version: str, before: str | None, reason: str | None) -> Rollback:
        entry = Rollback(
            at_utc=datetime.now(UTC).replace(tzinfo=None),
            action=action,
            version=version,
            instead_of_version=before,
            reason=reason,
        )
        self.rollbacks.append(entry)
        return entry

    def _prune(self, newest: str, before: str | None) -> None:
        """Keep the newest versions, and the newest figures.

        After a rollback the version that readers had until now may be older than those. It goes with the next
        publication: somebody may have followed the link to it and be about to open it.
        """
        for old in self.publications.glob("*.figures.parquet"):
            if old != self.figures_of(newest):
                old.unlink()
        spared = {newest, before or newest} if self.keep > 1 else {newest}
        try:
            self.store.keep_only(spared.union(self.store.kept()[-self.keep :]))
        except StoreTrouble as trouble:
            log.warning("published; what is kept no more stays until the next publication: %s", trouble)


def _seal(built: Path) -> None:
    """Make sure that nothing more is to come into a finished file, and that nobody changes it."""
    if built.with_name(built.name + ".wal").exists():
        raise RuntimeError(f"{built.name} was not closed properly: it still has a write-ahead log")
    built.chmod(0o444)
