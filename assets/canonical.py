"""Turns one export file into canonical records, part by part, each with what is wrong with it.

Belongs here: what must hold of the header, of each record, and of the whole file before any of it is used.
Does not belong here: what is kept of a file (`records`), what a column means (`adapters`), how bytes become fields
(`reading`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

import pandera.errors
import polars as pl

from assets.adapters.declared import LINE, QUEUE_ENTERED, canonical_appointments, canonical_calls, columns_of
from assets.adapters.formats import FORMATS
from assets.adapters.vendor import Format
from assets.containers import open_export, where_header_is
from assets.files import ExportFile, stamp
from assets.reading import Batch, FileDeferred, FileRefused
from assets.whole_file import WholeFile
from pipelines.runbook import Heading, see
from pipelines.settings import Settings, Source
from schemas.records import AppointmentRecord, CallRecord
from schemas.rules import holds

MOST_QUARANTINED = 100_000
"""With more records that can't be read a file is refused without reading on, whatever its share allows."""
MOST_COLUMNS = 1000
HOUR = timedelta(hours=1)


class NotCanonical(Exception):
    """The reader made records that break their contract: a fault of this program, told without a value."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"{sentence} {see(Heading.CONTRACT)}")


class CanonicalExport:
    """One pass over an export file: `frames`, then how many records there were and the sha256 of its content.

    Raises FileRefused or FileDeferred, also after the last frame: only a pass that came to its end counts.
    """

    def __init__(self, file: ExportFile, settings: Settings) -> None:
        if file.problem is not None or file.day is None:
            raise FileRefused(file.problem or "it has no export date")
        self.source = file.source
        self.records = 0
        self.quarantined = 0
        self.first_quarantine: str | None = None
        self._latest = _latest(file.day, settings.centre.time_zone)
        self._whole = WholeFile(file.source, file.day)
        self._path, self._stamp = file.path, stamp(file.path)
        self._format = FORMATS[file.source.format] if file.source.format is not None else None
        self._export = open_export(file.path, file.source, self._format)
        header = self._export.header
        _require_columns(header, file, self._format)
        self._header = header if self._format is None else self._format.names(header)

    def frames(self) -> Iterator[tuple[Batch, pl.DataFrame]]:
        """The canonical records in order of line, with the fields that they were made of; at least one frame."""
        for batch in self._export.batches():
            raw = _raw(batch, self._header)
            if self._format is not None:
                if why := self._format.unfinished(raw):
                    raise FileRefused(why)
                raw = self._format.prepare(raw)
            frame = _canonical(raw, batch, len(self._header), self.source, self._latest)
            self._count(frame)
            self._whole.look(raw, frame)
            frame = frame.drop(QUEUE_ENTERED, strict=False)
            _check_border(frame, self.source)
            yield batch, frame
        if stamp(self._path) != self._stamp:
            raise FileDeferred("it changed while it was being read: it is still being written")
        if self._format is not None and self.records in self._format.cut_at:
            raise FileRefused(
                f"exactly {self.records:,} records, at which {self._format.title} ends without a word: "
                "export fewer days at a time"
            )
        self._whole.refuse_if_misread()

    def sha256(self) -> str:
        """Of the uncompressed content; call it when the last frame has been taken."""
        return self._export.sha256()

    def _count(self, frame: pl.DataFrame) -> None:
        wrong = frame.filter(pl.col("quarantine_reason").is_not_null())
        self.records += frame.height
        self.quarantined += wrong.height
        if wrong.height and self.first_quarantine is None:
            line, column, reason = wrong.select("line", "quarantine_column", "quarantine_reason").row(0)
            self.first_quarantine = f"line {line}, {column}: {reason}"
        if self.quarantined > MOST_QUARANTINED:
            raise FileRefused(
                f"more than {MOST_QUARANTINED:,} of its records can't be read; the first: {self.first_quarantine}"
            )


def raw_text(batch: Batch, frame: pl.DataFrame) -> Iterator[str]:
    """The fields of quarantined records as JSON lines, for the private folder."""
    quarantined = frame.filter(pl.col("quarantine_reason").is_not_null())["line"]
    if len(quarantined):
        wrong = batch.lines.is_in(quarantined)
        rows = zip(batch.lines.filter(wrong), batch.fields.filter(wrong).iter_rows(), strict=True)
        for line, row in sorted([*rows, *batch.ragged], key=itemgetter(0)):
            yield json.dumps({"line": line, "fields": row}, ensure_ascii=False) + "\n"


def _latest(day: date, zone: str) -> datetime:
    """Until when something in an export of that day can have happened (UTC): its midnight, and HOUR for slow clocks."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return midnight.astimezone(UTC).replace(tzinfo=None) + HOUR


def _require_columns(header: list[str], file: ExportFile, vendor: Format | None) -> None:
    where, doubt = where_header_is(file.path, file.source)
    if len(header) > MOST_COLUMNS:
        raise FileRefused(f"{where}: a header of {len(header):,} columns, more than {MOST_COLUMNS:,}")
    known = header
    if vendor is not None:
        if difference := vendor.difference(header):
            raise FileRefused(f"{where}: {difference}")
        known = vendor.prepare(pl.DataFrame(schema=dict.fromkeys(vendor.names(header), pl.String))).columns
    for column in columns_of(file.source):
        times = known.count(column)
        if times != 1:
            trouble = "is not" if times == 0 else f"stands {times} times"
            raise FileRefused(
                f"{where}: column '{column}' {trouble} in the header of {len(header)} columns: "
                f"did the export template change, or {doubt}?"
            )


def _raw(batch: Batch, header: list[str]) -> pl.DataFrame:
    """The text of the records that have a field for each column of the header, and their lines."""
    # no text file holds a NUL, so these names meet no column's
    times = Counter(header)
    unique = [name if times[name] == 1 else f"\0{number}" for number, name in enumerate(header)]
    return batch.fields.rename(dict(zip(batch.fields.columns, unique, strict=True))).with_columns(
        batch.lines.alias(LINE)
    )


def _canonical(raw: pl.DataFrame, batch: Batch, width: int, source: Source, latest: datetime) -> pl.DataFrame:
    """The canonical records of a batch, those with a wrong number of fields too, in order of line."""
    if source.kind == "calls":
        frame = canonical_calls(raw, source, latest)
    else:
        frame = canonical_appointments(raw, source, latest)
    if batch.ragged:
        reasons = [
            batch.why.get(line) or (f"{len(row)} fields, where the header has {width}" if row else "an empty line")
            for line, row in batch.ragged
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
    sound, keyed = pl.col("quarantine_reason").is_null(), pl.col("record_key").is_not_null()
    frame = frame.with_columns(
        pl.when(sound | keyed if name in _IDS else sound).then(name).alias(name)
        for name in (*_IDS, *_SAID_BY_THE_EXPORT)
        if name in frame
    )
    frame = frame.with_columns(pl.col(name).fill_null(value) for name, value in _WHEN_UNKNOWN if name in frame)
    return frame.sort("line")


def _check_border(frame: pl.DataFrame, source: Source) -> None:
    """Hold the records against their contract; what Pandera says of a failure would quote the values."""
    model = CallRecord if source.kind == "calls" else AppointmentRecord
    if holds(model, frame):
        return
    try:
        model.validate(frame)
    except pandera.errors.SchemaError as error:
        raise NotCanonical(
            f"source '{source.name}': the records made of it break {model.__name__}: "
            f"{getattr(error.schema, 'name', model.__name__)}, {error.check}"
        ) from None


_IDS = ("call_id", "appointment_id")
"""Parts of the key, kept where it is: they tell which call or appointment a record that can't be read is of."""
_SAID_BY_THE_EXPORT = ("leg_id", "queue", "service", "booking_channel")
"""Text that is the export's own. In a line that can't be read it may be anything, so nothing is kept of it."""


_WHEN_UNKNOWN: tuple[tuple[str, str | bool], ...] = (
    ("queue", ""),
    ("is_answered", False),
    ("is_open", False),
    ("is_wait_lower_bound", False),
)
"""What a record that could not be taken apart has in columns that are never NULL; it is in no figure."""
