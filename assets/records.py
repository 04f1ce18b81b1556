"""Keeps, for every export file, its canonical records and a receipt of how it was read.

    records/<source>/<day>/<sha256>.parquet   the records, quarantined ones among them
    records/<source>/receipts/<name>-<sha256>.json   one per version of a file
    private/<source>/<day>/<sha256>.jsonl     raw fields of quarantined records; expires

A receipt is written last, atomically: what has no receipt was not read. Does not belong here: what records mean
together, which is SQL's.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path

import polars as pl
from pydantic import BaseModel

from assets.adapters.declared import LINE, canonical_appointments, canonical_calls, columns_of
from assets.files import ExportFile, claims
from assets.reading import Batch, FileDeferred, FileRefused, TextExport, sha256_of
from pipelines import durable
from pipelines.settings import Settings, Source
from schemas.records import AppointmentRecord, CallRecord

MOST_RAW_TEXT = 1000
"""Records of a file whose raw fields are kept: a wrong mapping must not copy a whole export, callers included."""
READER_VERSION = 1
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


class RecordStore:
    """The folders of canonical records, receipts and private raw text below `$KCC_DATA`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.records = settings.folders.data / "records"
        self.private = settings.folders.data / "private"
        for folder in (self.records, self.private):
            durable.private_folder(folder)
            folder.chmod(0o700)
        self.receipts = self._receipts()

    def _receipts(self) -> list[Receipt]:
        """All receipts of files that the declared sources claim today, by source and delivery.

        Of a file that two sources claim only the refusal counts, however it was read before.
        """
        sources = self.settings.sources
        found = [
            receipt
            for source in sources
            for path in (self.records / source.name / "receipts").glob("*.json")
            if (receipt := Receipt.model_validate_json(path.read_bytes()))
            and claims(source, receipt.name)
            and (receipt.status == "refused" or sum(claims(other, receipt.name) for other in sources) == 1)
        ]
        return sorted(found, key=lambda receipt: (receipt.source, receipt.delivery, receipt.name))

    def unread(self, files: Iterable[ExportFile]) -> list[ExportFile]:
        """The files that have no receipt yet, or changed since, or would be read differently today."""
        latest = latest_by_name(self.receipts)
        return [file for file in files if not self._is_read(file, latest.get((file.source.name, file.name)))]

    def read(self, file: ExportFile) -> Receipt:
        """Read one file into records, unless that is done already. Never raises for what is in the file."""
        deliveries = [receipt for receipt in self.receipts if receipt.source == file.source.name]
        before = latest_by_name(deliveries).get((file.source.name, file.name))
        if before is not None and self._is_read(file, before):
            return before
        size, modified_ns = _stat(file)
        receipt = Receipt(
            source=file.source.name,
            name=file.name,
            sha256="",
            day=file.day,
            exported_at_utc=file.exported_at_utc,
            delivery=1 + max((receipt.delivery for receipt in deliveries), default=0),
            size=size,
            modified_ns=modified_ns,
            delivered_at_utc=datetime.now(UTC).replace(tzinfo=None),
            reader=file.source.reader_fingerprint(READER_VERSION),
            status="loaded",
        )
        try:
            if file.problem is not None:
                raise FileRefused(file.problem)
            receipt = self._load(file, receipt)
        except (FileRefused, FileDeferred) as reason:
            status = "deferred" if isinstance(reason, FileDeferred) else "refused"
            receipt = receipt.model_copy(
                update={"status": status, "reason": str(reason), "sha256": sha256_of(file.path)}
            )
        if before is not None and before.sha256 == receipt.sha256:
            receipt = receipt.model_copy(update={"delivered_at_utc": before.delivered_at_utc})
        self._keep(receipt)
        return receipt

    def _load(self, file: ExportFile, receipt: Receipt) -> Receipt:
        source, frames, raw_lines = file.source, [], list[str]()
        export = TextExport(file.path, source.text)
        _require_columns(export.header, source)
        for batch in export.batches():
            frame = _canonical(batch, export.header, source)
            frames.append(frame)
            raw_lines.extend(islice(_raw_text(batch, frame), MOST_RAW_TEXT - len(raw_lines)))
        records = pl.concat(frames)
        sha256 = export.sha256()
        parquet = self.records / source.name / str(file.day) / f"{sha256}.parquet"
        durable.private_folder(parquet.parent)
        versions = self._take_back(parquet, receipt.reader)
        partial = parquet.with_suffix(".partial")
        records.write_parquet(partial, compression="zstd")
        durable.rename(partial, parquet)
        private = self.private / source.name / str(file.day) / f"{sha256}.jsonl"
        if raw_lines and not private.exists():  # its time of writing decides when it expires
            durable.private_folder(private.parent)
            durable.write_private(private, "".join(raw_lines))
        quarantined = records.filter(pl.col("quarantine_reason").is_not_null())
        first = None
        if quarantined.height:
            line, column, reason = quarantined.select("line", "quarantine_column", "quarantine_reason").row(0)
            first = f"line {line}, {column}: {reason}"
        read = {
            "sha256": sha256,
            "reader": receipt.reader,
            "records": records.height,
            "quarantined": quarantined.height,
            "first_quarantine": first,
            "parquet": parquet.relative_to(self.records).as_posix(),
        }
        for version in versions:
            self._give_back(version, version.model_copy(update=read))
        return receipt.model_copy(update=read)

    def _keep(self, receipt: Receipt) -> None:
        """Write the receipt; a deferred file that came further leaves no trace of having been deferred."""
        folder = self.records / receipt.source / "receipts"
        durable.private_folder(folder)
        name = _receipt_name(receipt)
        durable.write_private(folder / name, receipt.model_dump_json(indent=1))
        kept = []
        for old in self.receipts:
            same_file = (old.source, old.name) == (receipt.source, receipt.name)
            if same_file and _receipt_name(old) == name:
                continue
            if same_file and old.status == "deferred":
                (folder / _receipt_name(old)).unlink(missing_ok=True)
                continue
            kept.append(old)
        self.receipts = [*kept, receipt]

    def _is_read(self, file: ExportFile, receipt: Receipt | None) -> bool:
        """Whether a receipt still tells what reading the file today would give."""
        if receipt is None or receipt.status == "deferred" or not receipt.sha256:
            return False
        if receipt.parquet is not None and not (self.records / receipt.parquet).exists():
            return False
        reader = file.source.reader_fingerprint(READER_VERSION)
        dated = (receipt.day, receipt.exported_at_utc) == (file.day, file.exported_at_utc)
        return dated and (receipt.size, receipt.modified_ns, receipt.reader) == (*_stat(file), reader)

    def _take_back(self, parquet: Path, reader: str) -> list[Receipt]:
        """Take back the receipts of records that another reader will replace: killed here, they are read again.

        Returns them: they may be of other names, and of versions that no longer lie in the exports folder.
        """
        content = parquet.relative_to(self.records).as_posix()
        versions = [one for one in self.receipts if one.reader != reader and one.parquet == content]
        for version in versions:
            self._path(version).unlink(missing_ok=True)
        return versions

    def _give_back(self, version: Receipt, read_again: Receipt) -> None:
        """What the new reader made of a content holds for each version with that content."""
        durable.write_private(self._path(read_again), read_again.model_dump_json(indent=1))
        self.receipts[self.receipts.index(version)] = read_again

    def _path(self, receipt: Receipt) -> Path:
        return self.records / receipt.source / "receipts" / _receipt_name(receipt)

    def expire_private(self, now: float | None = None) -> int:
        """Delete the raw text of quarantined records that is older than the settings allow; returns how many."""
        oldest = (time.time() if now is None else now) - self.settings.retention.private_days * 86_400
        expired = [path for path in self.private.rglob("*.jsonl*") if path.stat().st_mtime < oldest]
        for path in expired:
            path.unlink()
        return len(expired)


def latest_by_name(receipts: Iterable[Receipt]) -> dict[tuple[str, str], Receipt]:
    """The receipt of the last delivery of each file name. `receipts` come in order of delivery."""
    return {(receipt.source, receipt.name): receipt for receipt in receipts}


def _stat(file: ExportFile) -> tuple[int, int]:
    """Size and time of change; that of nothing if the file went away since it was found."""
    try:
        stat = file.path.stat()
    except FileNotFoundError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def _require_columns(header: list[str], source: Source) -> None:
    for column in columns_of(source):
        times = header.count(column)
        if times != 1:
            trouble = "is not" if times == 0 else f"stands {times} times"
            raise FileRefused(
                f"line 1: column '{column}' {trouble} in the header of {len(header)} columns: "
                f"did the export template change, or is '{source.text.delimiter}' not its delimiter?"
            )


def _canonical(batch: Batch, header: list[str], source: Source) -> pl.DataFrame:
    """The canonical records of a batch, those with a wrong number of fields too, in order of line."""
    # no text file holds a NUL, so these names meet no column's
    unique = [name if header.count(name) == 1 else f"\0{number}" for number, name in enumerate(header)]
    raw = pl.DataFrame(batch.rows, schema=dict.fromkeys(unique, pl.String), orient="row")
    raw = raw.with_columns(pl.Series(LINE, batch.lines, dtype=pl.Int64))
    model: type[CallRecord] | type[AppointmentRecord]
    if source.kind == "calls":
        model, frame = CallRecord, canonical_calls(raw, source)
    else:
        model, frame = AppointmentRecord, canonical_appointments(raw, source)
    if batch.ragged:
        reasons = [
            f"{len(row)} fields, where the header has {len(header)}" if row else "an empty line"
            for _, row in batch.ragged
        ]
        ragged = pl.DataFrame(
            {
                "line": [line for line, _ in batch.ragged],
                "quarantine_column": ["(all)"] * len(reasons),
                "quarantine_reason": reasons,
            },
            schema_overrides={"line": pl.Int64},
        )
        frame = pl.concat([frame, ragged], how="diagonal")
        frame = frame.with_columns(pl.col(name).fill_null(value) for name, value in _WHEN_UNKNOWN if name in frame)
    model.validate(frame)
    return frame.sort("line")


_WHEN_UNKNOWN: tuple[tuple[str, str | bool], ...] = (
    ("queue", ""),
    ("is_answered", False),
    ("is_open", False),
    ("is_wait_lower_bound", False),
)
"""What a record that could not be taken apart has in columns that are never NULL; it is in no figure."""


def _raw_text(batch: Batch, frame: pl.DataFrame) -> Iterator[str]:
    """The fields of quarantined records as JSON lines, for the private folder."""
    quarantined = set(frame.filter(pl.col("quarantine_reason").is_not_null())["line"])
    if quarantined:
        rows = [*zip(batch.lines, batch.rows, strict=True), *batch.ragged]
        for line, row in sorted(rows):
            if line in quarantined:
                yield json.dumps({"line": line, "fields": row}, ensure_ascii=False) + "\n"


def _receipt_name(receipt: Receipt) -> str:
    return f"{hashlib.sha256(receipt.name.encode()).hexdigest()[:16]}-{receipt.sha256[:32]}.json"
