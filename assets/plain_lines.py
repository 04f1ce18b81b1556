"""Takes apart whole blocks of text in which every line is a record by itself, at ten times the speed of line by line.

A block is plain where no parser could read it in another way: no quote, no lone CR, no NUL, nothing too long, in an
encoding of which each line can be decoded by itself. Of such a block the lines and their fields are told by counting.
Any other block is left to the strict reader of `reading`, which also finds what is wrong with it, and on which line.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from pipelines.settings import TextFile

BLOCKWISE = ("ascii", "cp1252", "iso8859-1", "iso8859-15", "utf-8")
"""Encodings in which a line end is never a part of a character, and nothing carries over from line to line."""
BYTE_ORDER_MARK = "\ufeff"
MOST_RAGGED = 10_000
MOST_RAGGED_TEXT = 500_000
"""Lines of another number of fields, and their bytes: a block of nothing else would fill the memory with them."""


class Plain(NamedTuple):
    """The records of a block: a text column a field, and where each begins; and those that have not as many fields."""

    fields: pl.DataFrame
    lines: pl.Series
    ragged: list[tuple[int, list[str]]]

    def parts(self, most: int) -> Iterator[Plain]:
        """The same in parts of so many records; those of another number of fields come with the first."""
        for first in range(0, max(len(self.lines), 1), most):
            ragged = [] if first else self.ragged
            yield Plain(self.fields.slice(first, most), self.lines.slice(first, most), ragged)


def take_apart(block: bytes, text: TextFile, width: int, first_line: int) -> Plain | None:
    """The records of a block that begins with the file's line of that number; None where the block is not plain."""
    decoded = _decoded(block, text)
    if decoded is None or width == 0:
        return None
    records = pl.Series("record", [decoded]).str.split("\n").explode().head(-1).str.strip_suffix("\r")
    if (records.str.len_bytes() > csv.field_size_limit()).any():
        return None
    fits = (records.str.count_matches(text.delimiter, literal=True) == width - 1) & (records != "")
    lines = pl.int_range(first_line, first_line + len(records), dtype=pl.Int64, eager=True)
    ragged: list[tuple[int, list[str]]] = []
    if not fits.all():
        uneven = records.filter(~fits)
        if text.fewer_fields or len(uneven) > MOST_RAGGED or uneven.str.len_bytes().sum() > MOST_RAGGED_TEXT:
            return None
        ragged = [
            (line, record.split(text.delimiter) if record else [])
            for line, record in zip(lines.filter(~fits), uneven, strict=True)
        ]
        records, lines = records.filter(fits), lines.filter(fits)
    fields = records.to_frame() if width == 1 else records.str.split_exact(text.delimiter, width - 1).struct.unnest()
    fields.columns = [str(number) for number in range(width)]
    return Plain(fields, lines, ragged)


def _decoded(block: bytes, text: TextFile) -> str | None:
    if codecs.lookup(text.encoding).name not in BLOCKWISE or not block.endswith(b"\n") or b"\0" in block:
        return None
    if block.count(b"\r") != block.count(b"\r\n"):
        return None
    try:
        decoded = block.decode(text.encoding)
    except UnicodeDecodeError:
        return None
    if (text.quote and text.quote in decoded) or BYTE_ORDER_MARK in decoded:
        return None
    return decoded
