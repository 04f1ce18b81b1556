"""What is said of a vendor's export format, one `Format` a module beside this one.

A format spares a city the mapping: it knows the headers that the vendor writes, and what their columns and words mean.
It is nothing but a source declared beforehand, so the same reader, rules and tests hold; where a cell says several
things at once, `prepare` takes it apart first. Does not belong here: which formats there are (`formats`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl


def text(column: str) -> pl.Expr:
    """The value of a cell without blanks around it."""
    return pl.col(column).str.strip_chars()


def unknown(value: pl.Expr) -> pl.Expr:
    """A value that could not be taken apart, so that it is no word, no number and no moment: it is quarantined."""
    return pl.lit("?") + value


def shown(number: pl.Expr, value: pl.Expr) -> pl.Expr:
    """A number that was made of a value, as text; empty where that is, and unknown where it is no number."""
    return pl.when(value == "").then(pl.lit("")).otherwise(pl.coalesce(number.cast(pl.String), unknown(value)))


def missed(reason: str) -> dict[str, str]:
    """The meaning of a word: the software says missed, and this is why."""
    return {"reported": "missed", "reason": reason}


def _as_it_is(raw: pl.DataFrame) -> pl.DataFrame:
    return raw


def _nothing_missing(raw: pl.DataFrame) -> str | None:
    return None


@dataclass(frozen=True)
class Format:
    """One vendor's export.

    `headers` are those of its known generations, to the letter; `preset` are keys of a [[sources]] that a city need not
    declare; `cannot_tell` says in sentences what a city has to live with.

    With `any_case` the vendor writes the names in any case: they are read, and here told, in lower case. With
    `more_columns` a header has those of a generation in any order, and maybe others: whoever exports chooses them, or
    they are the keys of JSON.

    Of `also_reads` a column is read where there is one: at most once, and in this spelling.

    `prepare` adds text columns to those of the export, row by row, and takes none away; the preset may name them as it
    names the export's own. `unfinished` says in a sentence why the rows show that the vendor did not export everything.

    Of a format without a header `first_record` has the shapes by which it is known: a regular expression a column.
    `cut_at` are the numbers of records at which the vendor cuts an export without a word.
    """

    name: str
    title: str
    kind: str
    headers: tuple[tuple[str, ...], ...]
    preset: dict[str, Any]
    cannot_tell: tuple[str, ...]
    any_case: bool = False
    more_columns: bool = False
    prepare: Callable[[pl.DataFrame], pl.DataFrame] = _as_it_is
    unfinished: Callable[[pl.DataFrame], str | None] = _nothing_missing
    cut_at: tuple[int, ...] = ()
    also_reads: tuple[str, ...] = ()
    first_record: Mapping[str, str] = field(default_factory=dict)

    @property
    def packing(self) -> dict[str, Any]:
        """The keys of the preset that say how its records are packed."""
        return {key: self.preset[key] for key in ("text", "json", "workbook") if key in self.preset}

    def applied_to(self, declared: dict[str, Any]) -> dict[str, Any]:
        """A source as declared, on top of what the format knows: words are added to words, rules to rules."""
        merged = {**self.preset, **declared}
        for key, known in self.preset.items():
            if isinstance(known, dict) and isinstance(declared.get(key), dict):
                merged[key] = {**known, **declared[key]}
        if "exclude" in self.preset and isinstance(declared.get("exclude"), list):
            merged["exclude"] = [*self.preset["exclude"], *declared["exclude"]]
        return merged

    def names(self, header: Sequence[str]) -> list[str]:
        """The columns of a header as the preset names them."""
        return [name.lower() for name in header] if self.any_case else list(header)

    def difference(self, header: Sequence[str]) -> str | None:
        """The first thing in which a header differs from the nearest known generation; None if it is one of them."""
        names = self.names(header)
        for name in self.also_reads:
            alike = [other for other in names if other.casefold() == name.casefold()]
            if alike not in ([], [name]):
                trouble = "more than once" if len(alike) > 1 else "in another spelling"
                return f"column `{name}` stands there {trouble}: did the export template change?"
        if self.more_columns:
            return self._missing(names)
        if tuple(names) in self.headers:
            return None
        known_names = {name for known in self.headers for name in known}
        if 2 * sum(name in known_names for name in names) < len(names):
            # what stands there may be a record, with names and numbers of people
            return (
                f"most of its {len(names)} columns are none of {self.title}: is it another export, or has it no header?"
            )
        nearest = max(self.headers, key=lambda known: sum(a == b for a, b in zip(known, names, strict=False)))
        for number, (found, name, known) in enumerate(zip(header, names, nearest, strict=False), start=1):
            if name != known:
                return (
                    f"column {number} is `{_harmless(found)}`; {self.title} has `{known}` there: "
                    "did the export template change?"
                )
        lengths = " or ".join(str(length) for length in sorted({len(known) for known in self.headers}))
        return f"{len(header)} columns, where {self.title} has {lengths}: did the export template change?"

    def columns_for(self, named: Sequence[str]) -> list[str]:
        """The columns that an export without a header must have: the vendor's, and what a city names besides."""
        known = self.headers[0]
        prepared = self.prepare(pl.DataFrame(schema=dict.fromkeys(known, pl.String))).columns
        return [*known, *(column for column in named if column not in prepared)]

    def _missing(self, names: list[str]) -> str | None:
        missing = min(([name for name in known if names.count(name) != 1] for known in self.headers), key=len)
        if not missing:
            return None
        times = names.count(missing[0])
        trouble = "is not" if times == 0 else f"stands {times} times"
        return (
            f"column `{missing[0]}` {trouble} among the {len(names)} columns; {self.title} is read by it: "
            "did the export template change?"
        )


def _harmless(name: str) -> str:
    """A name of a column as it may be shown: short, and with nothing in it that a terminal obeys."""
    return re.sub(r"[^\w .,;:()/&%#'+-]", "?", name)[:60]
