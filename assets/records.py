"""Keeps, for every export file, its canonical records and a receipt of how it was read.

    records/<source>/<day>/<sha256>.parquet   the records, quarantined ones among them
    records/<source>/receipts/<name>-<sha256>.json   one per version of a file
    private/<source>/<day>/<sha256>.jsonl     raw fields of quarantined records; expires

A receipt is written last, atomically: what has no receipt was not read. Does not belong here: what records mean
together, which is SQL's.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Self

import polars as pl
from pydantic import BaseModel

from assets.canonical import CanonicalExport, raw_text
from assets.files import ExportFile, claims, growing, stamp
from assets.reading import FileDeferred, FileRefused, sha256_of
from pipelines import durable
from pipelines.settings import Settings
from pipelines.stopping import nothing_swallowed

MOST_RAW_RECORDS = 1000
"""Records of a file whose raw fields are kept: a wrong mapping must not copy a whole export, callers included."""
MOST_RAW_TEXT = 10_000_000
"""Characters that they may have together."""
READER_VERSION = 5
"""Raise it when the same bytes and settings would be read into other records: everything is then read again."""


class Receipt(BaseModel):
    """How one version of one export file was read. `delivery` counts up: the highest of a name came last.

    `delivered_at_utc` is when this delivery was first read; reading it again, differently, leaves that as it was.
    """

    source: str
    name: str
    sha256: str
    day: date | None
    exported_at_utc: datetime | None
    delivery: int
    size: int
    modified_ns: int
    delivered_at_utc: datetime | None = None
    reader: str
    status: str
    reason: str | None = None
    records: int = 0
    quarantined: int = 0
    first_quarantine: str | None = None
    parquet: str | None = None

    def loaded(self, export: CanonicalExport) -> Receipt:
        """With what a pass that came to its end has counted."""
        return self.model_copy(
            update={
                "sha256": export.sha256(),
                "records": export.records,
                "quarantined": export.quarantined,
                "first_quarantine": export.first_quarantine,
            }
        )

    def not_loaded(self, reason: FileRefused | FileDeferred) -> Receipt:
        """With why the file was not read."""
        status = "deferred" if isinstance(reason, FileDeferred) else "refused"
        return self.model_copy(update={"status": status, "reason": str(reason)})


def changed_at_utc(settings: Settings) -> datetime | None:
    """When a receipt was written or deleted last (UTC), asked of their folders alone; None before the first."""
    folders = [settings.folders.data / "records" / source.name / "receipts" for source in settings.sources]
    changed = [folder.stat().st_mtime for folder in folders if folder.is_dir()]
    return datetime.fromtimestamp(max(changed), UTC).replace(tzinfo=None) if changed else None


def new_receipt(file: ExportFile, delivery: int) -> Receipt:
    """The receipt of a file that is about to be read."""
    size, modified_ns = stamp(file.path)
    return Receipt(
        source=file.source.name,
        name=file.name,
        sha256="",
        day=file.day,
        exported_at_utc=file.exported_at_utc,
        delivery=delivery,
        size=size,
        modified_ns=modified_ns,
        delivered_at_utc=datetime.now(UTC).replace(tzinfo=None),
        reader=file.source.reader_fingerprint(READER_VERSION),
        status="loaded",
    )


class RecordStore:
    """The folders of canonical records, receipts and private raw text below `$KCC_DATA`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.records = settings.folders.data / "records"
        self.private = settings.folders.data / "private"
        for folder in (self.records, self.private):
            durable.private_folder(folder)
            folder.chmod(0o700)
        self._take(self._receipts())

    @classmethod
    def without_folders(cls, settings: Settings, receipts: list[Receipt]) -> Self:
        """A store of receipts alone, for questions that must leave no trace."""
        store = cls.__new__(cls)
        store.settings = settings
        store.records, store.private = (settings.folders.data / name for name in ("records", "private"))
        store._take(receipts)
        return store

    @property
    def receipts(self) -> list[Receipt]:
        """All receipts of files that the declared sources claim today, by source and delivery."""
        every = chain.from_iterable(self._versions.values())
        return sorted(every, key=lambda receipt: (receipt.source, receipt.delivery, receipt.name))

    def _take(self, receipts: Iterable[Receipt]) -> None:
        """Hold receipts by the name of their file, in order of delivery, and the last delivery of each source."""
        self._versions: dict[tuple[str, str], list[Receipt]] = {}
        self._deliveries: Counter[str] = Counter()
        for receipt in sorted(receipts, key=lambda receipt: receipt.delivery):
            self._versions.setdefault((receipt.source, receipt.name), []).append(receipt)
            self._deliveries[receipt.source] = receipt.delivery

    def _receipts(self) -> Iterator[Receipt]:
        """The receipts on the disk.

        Of a file that two sources claim only the refusal counts, however it was read before.
        """
        sources = self.settings.sources
        for source in sources:
            for path in (self.records / source.name / "receipts").glob("*.json"):
                receipt = Receipt.model_validate_json(path.read_bytes())
                claimed = sum(claims(other, receipt.name) for other in sources)
                if claims(source, receipt.name) and (receipt.status == "refused" or claimed == 1):
                    yield receipt

    def unread(self, files: Iterable[ExportFile]) -> list[ExportFile]:
        """The files that have no receipt yet, or changed since, or would be read differently today."""
        return [file for file in files if not self._is_read(file, self.latest(file))]

    def was_read_otherwise(self, file: ExportFile) -> bool:
        """Whether the file was read by other settings: a warehouse of both readings would be right by neither."""
        receipt = self.latest(file)
        return receipt is not None and receipt.reader != file.source.reader_fingerprint(READER_VERSION)

    def read(self, file: ExportFile) -> Receipt:
        """Read one file into records, unless that is done already. Never raises for what is in the file."""
        before = self.latest(file)
        if before is not None and self._is_read(file, before):
            return before
        receipt = new_receipt(file, delivery=1 + self._deliveries[file.source.name])
        try:
            with nothing_swallowed():
                receipt = self._load(file, receipt)
        except (FileRefused, FileDeferred) as reason:
            sha256 = "" if file.leads_out else sha256_of(file.path)
            receipt = receipt.not_loaded(reason).model_copy(update={"sha256": sha256})
        if before is not None and before.sha256 == receipt.sha256:
            receipt = receipt.model_copy(update={"delivered_at_utc": before.delivered_at_utc})
        self._keep(receipt)
        return receipt

    def _load(self, file: ExportFile, receipt: Receipt) -> Receipt:
        if file.problem is None and (why := growing(file, time.time_ns())):
            raise FileDeferred(why)
        export, raw_lines = CanonicalExport(file, self.settings), _RawLines()
        folder = self.records / file.source.name
        with _Parts(folder / "unfinished") as parts:
            for batch, frame in export.frames():
                parts.add(frame)
                raw_lines.add(raw_text(batch, frame))
            parquet = folder / str(file.day) / f"{export.sha256()}.parquet"
            durable.private_folder(parquet.parent)
            versions = self._outdated(parquet, receipt.reader)
            parts.together(parquet)
        private = self.private / file.source.name / str(file.day) / f"{export.sha256()}.jsonl"
        if raw_lines.text and not private.exists():  # its time of writing decides when it expires
            durable.private_folder(private.parent)
            durable.write_private(private, raw_lines.text)
        name = parquet.relative_to(self.records).as_posix()
        for version in versions:
            again = version.loaded(export).model_copy(update={"reader": receipt.reader, "parquet": name})
            self._renew(version, again)
        return receipt.loaded(export).model_copy(update={"parquet": name})

    def _keep(self, receipt: Receipt) -> None:
        """Write the receipt; a deferred file that came further leaves no trace of having been deferred."""
        path = self._path(receipt)
        durable.private_folder(path.parent)
        durable.write_private(path, receipt.model_dump_json(indent=1))
        versions = self._versions.setdefault((receipt.source, receipt.name), [])
        kept = [old for old in versions if self._path(old) != path]
        for deferred in [old for old in kept if old.status == "deferred"]:
            self._path(deferred).unlink(missing_ok=True)
            kept.remove(deferred)
        versions[:] = [*kept, receipt]
        self._deliveries[receipt.source] = receipt.delivery

    def latest(self, file: ExportFile) -> Receipt | None:
        """How a file was read when it was delivered last."""
        versions = self._versions.get((file.source.name, file.name))
        return versions[-1] if versions else None

    def _is_read(self, file: ExportFile, receipt: Receipt | None) -> bool:
        """Whether a receipt still tells what reading the file today would give."""
        if receipt is None or receipt.status == "deferred" or not receipt.sha256:
            return False
        if receipt.parquet is not None and not (self.records / receipt.parquet).exists():
            return False
        reader = file.source.reader_fingerprint(READER_VERSION)
        dated = (receipt.day, receipt.exported_at_utc) == (file.day, file.exported_at_utc)
        return dated and (receipt.size, receipt.modified_ns, receipt.reader) == (*stamp(file.path), reader)

    def _outdated(self, parquet: Path, reader: str) -> list[Receipt]:
        """The receipts of a content that another reader made: of any name, and of versions that lie nowhere any more.

        Killed before they are renewed, those in the exports folder are read again, for their reader is not this one.
        """
        content = parquet.relative_to(self.records).as_posix()
        every = chain.from_iterable(self._versions.values())
        return [one for one in every if one.reader != reader and one.parquet == content]

    def _renew(self, version: Receipt, read_again: Receipt) -> None:
        """What the new reader made of a content holds for each version with that content."""
        durable.write_private(self._path(read_again), read_again.model_dump_json(indent=1))
        versions = self._versions[version.source, version.name]
        versions[versions.index(version)] = read_again

    def _path(self, receipt: Receipt) -> Path:
        name = hashlib.sha256(receipt.name.encode()).hexdigest()[:16]
        return self.records / receipt.source / "receipts" / f"{name}-{receipt.sha256[:32]}.json"

    def expire_private(self, now: float | None = None) -> int:
        """Delete the raw text of quarantined records that is older than the settings allow; returns how many."""
        oldest = (time.time() if now is None else now) - self.settings.retention.private_days * 86_400
        expired = [path for path in self.private.rglob("*.jsonl*") if path.stat().st_mtime < oldest]
        for path in expired:
            path.unlink()
        return len(expired)


class _Parts:
    """The frames of one file, put together in its Parquet file; where there are several, memory holds one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: list[Path] = []

    def __enter__(self) -> Self:
        self._clear()  # what a killed run left
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def _clear(self) -> None:
        if self._folder.exists():
            for path in self._folder.iterdir():
                path.unlink()
            self._folder.rmdir()

    def add(self, frame: pl.DataFrame) -> None:
        if not self._written:
            durable.private_folder(self._folder)
        self._written.append(self._folder / f"{len(self._written)}.parquet")
        frame.write_parquet(self._written[-1], compression="zstd")

    def together(self, path: Path) -> None:
        """Make the file of all that were added, at least one."""
        whole = self._written[0]
        if len(self._written) > 1:
            whole = self._folder / "whole.parquet"
            parts = pl.scan_parquet(self._written, glob=False, hive_partitioning=False)
            parts.sink_parquet(whole, compression="zstd")
        whole.chmod(0o600)
        durable.rename(whole, path)


class _RawLines:
    """The raw text of the first quarantined records, as many as may be kept."""

    def __init__(self) -> None:
        self.text = ""
        self._records = 0

    def add(self, lines: Iterable[str]) -> None:
        for line in islice(lines, MOST_RAW_RECORDS - self._records):
            if len(self.text) + len(line) > MOST_RAW_TEXT:
                self._records = MOST_RAW_RECORDS
                return
            self.text += line
            self._records += 1
