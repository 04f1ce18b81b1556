"""Turns the bytes of one export file into text records, so that not one is lost.

Belongs here: bytes, encoding, gzip, lines, fields. Does not belong here: what a field means.

A file that can't be read to the letter is refused as a whole (FileRefused) and one that seems to be still
growing is deferred (FileDeferred); a line with the wrong number of fields is handed on as `ragged`, because its
neighbours are sound. Where every line is a record by itself, whole blocks are taken apart at once (`plain_lines`); of
all else Python's own csv reader in strict mode does the parsing: the faster ones of Polars and DuckDB pad short lines,
drop what they can't read, or ignore the header (see docs/decisions.md).
"""

from __future__ import annotations

import csv
import errno
import gzip
import hashlib
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import starmap
from pathlib import Path
from typing import Any

import polars as pl

from assets.plain_lines import take_apart
from pipelines.settings import TextFile

BATCH = 50_000
BATCH_TEXT = 2_000_000
"""Records and characters of a batch read one by one, whichever comes first; in memory it is twenty times its text."""
BLOCK = 4_000_000
"""Bytes that are looked at, and if possible taken apart, at once: as a rule some thirty thousand records."""
MAX_LINE = 1_000_000
MAX_LINES_IN_A_RECORD = 50
MOST_UNPACKED = 1 << 30
EMPTY = "the file is empty: it is still being written, or was cut"


class FileRefused(Exception):
    """The file can't be read to the letter; the message says where and why."""


class FileDeferred(Exception):
    """The file seems incomplete, so it waits for a later run; the message says why."""


@dataclass(frozen=True)
class Batch:
    """Some records of a file: `fields`, a text column each, and `lines`, where each begins, counted from 1.

    `ragged` are those with another number of fields than the header, with their lines; `why` says by their line what is
    wrong with them, where it is not that.
    """

    fields: pl.DataFrame
    lines: pl.Series
    ragged: list[tuple[int, list[str]]]
    why: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.fields.height + len(self.ragged)

    @property
    def rows(self) -> list[list[str]]:
        """The fields of each record that has as many as the header."""
        return [list(row) for row in self.fields.iter_rows()]


@dataclass
class Rows:
    """The records of a batch to be, as they are read one by one."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    ragged: list[tuple[int, list[str]]] = field(default_factory=list)
    why: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows) + len(self.ragged)

    def batch(self, width: int) -> Batch:
        """All of them together; `width` is the number of columns in the header."""
        names = dict.fromkeys(map(str, range(width)), pl.String)
        fields = pl.DataFrame(self.rows, schema=names, orient="row")
        return Batch(fields, pl.Series(self.lines, dtype=pl.Int64), self.ragged, self.why)


class TextExport:
    """One pass over an export file: its header, then its records, then the sha256 of its uncompressed bytes.

    Raises FileRefused or FileDeferred, from any of the three.
    """

    def __init__(self, path: Path, text: TextFile) -> None:
        self._bytes = Hashed(path)
        self._text = text
        self._lines = _Lines(self._bytes, text)
        self._records = csv.reader(
            self._lines,
            delimiter=text.delimiter,
            quotechar=text.quote or None,
            quoting=csv.QUOTE_MINIMAL if text.quote else csv.QUOTE_NONE,
            strict=True,
        )
        header = text.header if text.header is not None else self._next()
        if header is None:
            raise FileDeferred(EMPTY)
        self.header: list[str] = header

    def batches(self) -> Iterator[Batch]:
        """The records in parts; at least one, if an empty one."""
        width, has_records = len(self.header), False
        with closing(self._lines):
            while block := self._lines.block():
                plain = take_apart(block, self._text, width, self._lines.taken + 1)
                if plain is not None:
                    self._lines.pass_block(len(plain.lines) + len(plain.ragged))
                for batch in self._strictly() if plain is None else starmap(Batch, plain.parts(BATCH)):
                    has_records = True
                    yield batch
        if not self._lines.taken:
            raise FileDeferred(EMPTY)
        if not has_records:
            yield Rows().batch(width)

    def _strictly(self) -> Iterator[Batch]:
        """The records that begin in a block, one by one: the last may end beyond it."""
        width, rows, text_before = len(self.header), Rows(), self._lines.characters
        while self._lines.in_block() and (row := self._next()) is not None:
            if self._lines.look_like_records(width):
                raise FileRefused(
                    f"line {self._lines.record_began}: a quote opens here and closes {len(self._lines.record) - 1} "
                    "lines below, but each of these lines looks like a record of its own: a stray quote?"
                )
            if self._text.fewer_fields and row:
                row += [""] * (width - len(row))
            if len(row) == width:
                rows.rows.append(row)
                rows.lines.append(self._lines.record_began)
            else:
                rows.ragged.append((self._lines.record_began, row))
            if len(rows) == BATCH or self._lines.characters - text_before >= BATCH_TEXT:
                yield rows.batch(width)
                rows, text_before = Rows(), self._lines.characters
        if len(rows):
            yield rows.batch(width)

    def _next(self) -> list[str] | None:
        self._lines.begin_record()
        try:
            return next(self._records)
        except StopIteration:
            return None
        except csv.Error as error:
            began = self._lines.record_began
            opens = f" (its quote opens on line {began})" if began < self._lines.taken else ""
            raise FileRefused(f"line {self._lines.taken}: {error}{opens}") from None

    def sha256(self) -> str:
        """Of all that was read; call it when the last batch has been taken."""
        return self._bytes.digest.hexdigest()


class Hashed(io.RawIOBase):
    """The uncompressed bytes of a file, hashed as they are read; gzip's own checks become ours."""

    def __init__(self, path: Path) -> None:
        try:
            self._raw = opened(path)
        except OSError as error:
            raise FileRefused(f"can't be opened ({error.strerror})") from None
        self._stream = gzip.GzipFile(fileobj=self._raw) if path.suffix == ".gz" else self._raw
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes. Raises FileRefused or FileDeferred."""
        try:
            block = self._stream.read(len(buffer))
        except (gzip.BadGzipFile, zlib.error):
            raise FileRefused("not sound gzip: it is no gzip at all, or was damaged; send it again") from None
        except EOFError:
            raise FileDeferred("the gzip data breaks off: it is still being written, or was cut") from None
        except OSError as error:
            raise FileRefused(f"can't be read ({error.strerror})") from None
        self.digest.update(block)
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the file below too."""
        self._stream.close()
        self._raw.close()
        super().close()


def opened(path: Path) -> io.BufferedReader:
    """The bytes of a file; of a pipe or device that took its place nobody waits for a byte. Raises OSError."""
    stream = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115 - theirs to close
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "it is no file")
    return stream


def sha256_of(path: Path) -> str:
    """Names a file that was not read: by its uncompressed bytes, else by those that lie there, else empty.

    gzip that unpacks to more than MOST_UNPACKED bytes may have no end worth waiting for.
    """
    try:
        return (_sha256_unpacked(path) if path.suffix == ".gz" else None) or _sha256_on_disk(path)
    except OSError:
        return ""


def _sha256_unpacked(path: Path) -> str | None:
    unpacked = 0
    try:
        with Hashed(path) as stream:
            while block := stream.read(1 << 20):
                unpacked += len(block)
                if unpacked > MOST_UNPACKED:
                    return None
            return stream.digest.hexdigest()
    except (FileRefused, FileDeferred):
        return None


def _sha256_on_disk(path: Path) -> str:
    with opened(path) as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()


class _Lines:
    """The decoded lines of a file with their ends, for csv to take, and those of the record at hand.

    Only LF and CRLF end a line: a lone CR is csv's to refuse. A block of lines may be looked at, and passed, before
    they are taken one by one. Raises FileRefused or FileDeferred.
    """

    def __init__(self, stream: io.RawIOBase, text: TextFile) -> None:
        self._stream = io.BufferedReader(stream, 1 << 20)
        self._block, self._size = io.BytesIO(), 0
        self._text = text
        self.taken = 0
        self.characters = 0
        self.record: list[str] = []

    def block(self) -> bytes:
        """The next lines, about BLOCK of them; nothing where the file has ended. All before must be taken."""
        block = self._stream.read(BLOCK)
        if not block.endswith(b"\n"):
            block += self._stream.readline(MAX_LINE + 1)
        self._block, self._size = io.BytesIO(block), len(block)
        return block

    def in_block(self) -> bool:
        """Whether lines of the block are left."""
        return self._block.tell() < self._size

    def pass_block(self, lines: int) -> None:
        """Take all lines of the block at once."""
        self.taken += lines
        self._block, self._size = io.BytesIO(), 0

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    @property
    def record_began(self) -> int:
        """The line on which the record at hand begins, counted from 1."""
        return self.taken - len(self.record) + 1

    def begin_record(self) -> None:
        """What comes next is another record."""
        self.record = []

    def look_like_records(self, width: int) -> bool:
        """Whether a record of several lines is more likely several records, joined by two stray quotes."""
        if len(self.record) == 1 or width == 1:
            return False
        return sum(line.count(self._text.delimiter) >= width - 1 for line in self.record) > 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.record) >= MAX_LINES_IN_A_RECORD:
            raise FileRefused(
                f"line {self.record_began}: a quote opens and does not close within {MAX_LINES_IN_A_RECORD} lines"
            )
        encoded = self._block.readline(MAX_LINE + 1) or self._stream.readline(MAX_LINE + 1)
        if not encoded:
            raise StopIteration
        self.taken += 1
        line = self._decoded(encoded, self.taken)
        self.characters += len(line)
        self.record.append(line)
        return line

    def _decoded(self, encoded: bytes, number: int) -> str:
        if len(encoded) > MAX_LINE:
            raise FileRefused(f"line {number}: longer than {MAX_LINE:,} bytes")
        try:
            line = encoded.decode(self._text.encoding)
        except UnicodeDecodeError as error:
            if error.end == len(encoded) and error.reason == "unexpected end of data":
                raise FileDeferred(
                    f"line {number}, the last one, breaks off within a character: it is still being written, or was cut"
                ) from None
            raise FileRefused(f"line {number}: not {self._text.encoding} text; is 'encoding' right?") from None
        if "\0" in line:
            raise FileRefused(f"line {number}: holds a NUL character, so this is not a text file")
        if self._text.last_line_ends and not line.endswith("\n"):
            if number == 1 and "\r" in line.rstrip("\r"):
                raise FileRefused(f"line {number}: its lines end in CR alone; export with LF or CRLF line ends")
            raise FileDeferred(f"line {number}, the last one, has no line end: it is still being written, or was cut")
        return line.removeprefix("\ufeff") if number == 1 else line
