"""What is said of a vendor's export format, one `Format` a module beside this one.

A format spares a city the mapping: it knows the headers that the vendor writes, and what their columns and words mean.
It is nothing but a source declared beforehand, so the same reader, rules and tests hold; where a cell says several
things at once, `prepare` takes it apart first. Does not belong here: which formats there are (`formats`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl


def _as_it_is(raw: pl.DataFrame) -> pl.DataFrame:
    return raw


def _nothing_missing(raw: pl.DataFrame) -> str | None:
    return None


@dataclass(frozen=True)
class Format:
    """One vendor's export.

    `headers` are those of its known generations, to the letter; `preset` are keys of a [[sources]] that a city need not
    declare; `cannot_tell` says in sentences what a city has to live with.

    `prepare` adds text columns to those of the export, row by row, and takes none away; the preset may name them as it
    names the export's own. `unfinished` says in a sentence why the rows show that the vendor did not export everything.

    `to_the_letter` is false where values have names instead of places, as in JSON: the one known header is what must be
    there, in any order and among others. `cut_at` are the numbers of records at which the vendor cuts without a word.
    """

    name: str
    title: str
    kind: str
    headers: tuple[tuple[str, ...], ...]
    preset: dict[str, Any]
    cannot_tell: tuple[str, ...]
    prepare: Callable[[pl.DataFrame], pl.DataFrame] = _as_it_is
    unfinished: Callable[[pl.DataFrame], str | None] = _nothing_missing
    to_the_letter: bool = True
    cut_at: tuple[int, ...] = ()

    def applied_to(self, declared: dict[str, Any]) -> dict[str, Any]:
        """A source as declared, on top of what the format knows: words are added to words, rules to rules."""
        merged = {**self.preset, **declared}
        for key, known in self.preset.items():
            if isinstance(known, dict) and isinstance(declared.get(key), dict):
                merged[key] = {**known, **declared[key]}
            elif isinstance(known, list) and isinstance(declared.get(key), list):
                merged[key] = [*known, *declared[key]]
        return merged

    def difference(self, header: Sequence[str]) -> str | None:
        """The first thing in which a header differs from the nearest known generation; None if it is one of them."""
        if not self.to_the_letter:
            missing = [column for column in self.headers[0] if column not in header]
            return f"`{missing[0]}` is missing, which {self.title} has: did the export change?" if missing else None
        if tuple(header) in self.headers:
            return None
        nearest = max(self.headers, key=lambda known: sum(a == b for a, b in zip(known, header, strict=False)))
        for number, (found, known) in enumerate(zip(header, nearest, strict=False), start=1):
            if found != known:
                return (
                    f"column {number} is `{found}`; {self.title} has `{known}` there: did the export template change?"
                )
        lengths = " or ".join(str(length) for length in sorted({len(known) for known in self.headers}))
        return f"{len(header)} columns, where {self.title} has {lengths}: did the export template change?"

    def columns_for(self, named: Sequence[str]) -> list[str]:
        """The columns that an export without a header must have: the vendor's, and what a city names besides."""
        known = self.headers[0]
        prepared = self.prepare(pl.DataFrame(schema=dict.fromkeys(known, pl.String))).columns
        return [*known, *(column for column in named if column not in prepared)]
