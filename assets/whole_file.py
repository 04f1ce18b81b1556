"""What only a whole file can tell: that its values are in their format, and yet were misread.

A date in the other order, two exchanged columns, seconds with a separator of thousands, ids that a spreadsheet
rounded: each record by itself may be right, together they give it away. Such a file is refused, with a question; a city
that knows better says so by `not_misread`. Belongs here: counting over all records of one file. Does not belong
here: anything that one record shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import polars as pl

from assets.adapters.declared import QUEUE_ENTERED
from assets.reading import FileRefused
from pipelines.settings import Doubt, Duration, Instant, Source

MANY = 10
"""What fewer records show may be chance."""
MOST_NAMES = 10_000
FORTNIGHT = timedelta(days=14)
DIGITS_OF_A_SPREADSHEET = 15
CALL_ORDER = [
    ("arrived_at", "answered_at"),
    ("answered_at", "ended_at"),
    ("arrived_at", "ended_at"),
    ("queue_wait_seconds", "wait_seconds"),
]
QUEUE_ORDER = [("arrived_at", "queue_entered_at"), ("queue_entered_at", "answered_at")]
APPOINTMENT_ORDER = [
    ("booked_at", "planned_start"),
    ("booked_at", "checked_in_at"),
    ("booked_at", "started_at"),
    ("checked_in_at", "started_at"),
    ("started_at", "ended_at"),
]
SLACK = dict.fromkeys(APPOINTMENT_ORDER[:3], timedelta(days=1))
"""A desk may book who walks in after the fact, and in a slot that began a quarter of an hour ago."""
HAPPENED = ("checked_in_at", "started_at")


class WholeFile:
    """Looks at every part of a file, then decides. Keeps counts, days, names, and 8 bytes of a record without id."""

    def __init__(self, source: Source, exported: date) -> None:
        self._source = source
        self._exported = exported
        self._of_records = {**_orders(source), **_impossible(source), **_rounds(source)}
        self._of_text = {**_ids(source), **_numbers(source)}
        self._counts: Counter[str] = Counter()
        self._days: Counter[date] = Counter()
        self._names: dict[str, set[str]] = {name: set() for name in _name_columns(source)}
        self._hashes: list[pl.Series] = []

    def look(self, raw: pl.DataFrame, frame: pl.DataFrame) -> None:
        """Count what a part of the file shows: its text, and its canonical records."""
        sound = frame.filter(pl.col("quarantine_reason").is_null())
        self._add(sound, self._of_records)
        self._add(raw, self._of_text)
        self._counts["sound"] += sound.height
        for column, names in self._names.items():
            if len(names) <= MOST_NAMES:
                names.update(sound[column].drop_nulls().unique())
        moment = _nearest_to_export(self._source)
        if moment is not None:
            local = pl.col(moment[0]).dt.replace_time_zone("UTC").dt.convert_time_zone(self._source.time_zone)
            days = sound.select(local.dt.date()).to_series()
            days = days.filter(days.dt.year().is_between(1, 9999))  # Polars has years that Python has not
            self._days.update(dict(days.value_counts().iter_rows()))
        if self._source.kind == "calls" and self._source.columns.call_id is None:
            self._hashes.append(sound.drop("line", QUEUE_ENTERED).hash_rows())

    def _add(self, frame: pl.DataFrame, what: dict[str, pl.Expr]) -> None:
        if what:
            counted = frame.select(when.fill_null(False).sum().alias(name) for name, when in what.items())
            self._counts.update(counted.row(0, named=True))

    def refuse_if_misread(self) -> None:
        """Raise FileRefused with the first thing that the records show together."""
        doubts: list[tuple[Doubt, Callable[[], str | None]]] = [
            ("exchanged", self._exchanged),
            ("exchanged", self._no_plan),
            ("names", self._no_names),
            ("date_order", self._other_order),
            ("thousands", self._thousands),
            ("ids", self._rounded),
            ("copies", self._twice),
        ]
        for name, doubt in doubts:
            if name not in self._source.not_misread and (sentence := doubt()) is not None:
                raise FileRefused(f'{sentence} If it is right as it is, declare not_misread = ["{name}"]')

    def _exchanged(self) -> str | None:
        for earlier, later in [*_pairs(self._source), *_queue_pairs(self._source)]:
            both, wrong = self._counts[f"{earlier} {later}"], self._counts[f"{earlier} > {later}"]
            if both >= MANY and 2 * wrong > both:
                names = [", ".join(_declared(self._source, name)) for name in (earlier, later)]
                return f"in {wrong} of {both} records '{names[0]}' is beyond '{names[1]}': were the columns exchanged?"
        impossible, records = self._counts["impossible"], self._counts["sound"]
        if records >= MANY and 2 * impossible > records:
            return f"{impossible} of {records} records have an impossible duration: what does its column hold?"
        return None

    def _no_plan(self) -> str | None:
        """A plan is a whole five minutes, what happens is not; exchanged, nobody would ever wait."""
        for happened in HAPPENED:
            both, plans = self._counts[f"planned {happened}"], self._counts[f"planned {happened} round plan"]
            rounds = self._counts[f"planned {happened} round"]
            if both >= MANY and 2 * plans < both and 10 * rounds > 9 * both:
                planned, other = (", ".join(_declared(self._source, name)) for name in ("planned_start", happened))
                return (
                    f"'{other}' is a whole five minutes in {rounds} of {both} records, '{planned}' in {plans}: "
                    "were the columns exchanged?"
                )
        return None

    def _no_names(self) -> str | None:
        """A caller's number in the column of the queue would be published."""
        records = self._counts["sound"]
        for column, names in self._names.items():
            if records >= 10 * MANY and 2 * len(names) > min(records, MOST_NAMES):
                return (
                    f"column '{getattr(self._source.columns, column)}' has {len(names)} different values in {records} "
                    "records: was it exchanged with a column of something else?"
                )
        return None

    def _other_order(self) -> str | None:
        moment = _nearest_to_export(self._source)
        if moment is None or not _has_two_orders(moment[1]):
            return None
        near = swapped = far = 0
        for day, records in self._days.items():
            other = date(day.year, day.day, day.month) if day.day <= 12 else date.min
            if self._is_near(day):
                near += records * (not self._is_near(other))
            elif self._is_near(other):
                swapped += records
            else:
                far += records
        if swapped > far and (swapped >= MANY or not near):
            return (
                f"{swapped} records lie far before the export in the order of days and months that "
                f"'{moment[1].format}' declares, and within a fortnight of it in the other: which order is it?"
            )
        return None

    def _is_near(self, day: date) -> bool:
        return self._exported - FORTNIGHT <= day <= self._exported

    def _thousands(self) -> str | None:
        for column in _duration_columns(self._source):
            whole, three, other = (self._counts[f"{column} {kind}"] for kind in ("whole", "three", "other"))
            if three and not other and whole >= MANY and whole > three:
                return (
                    f"in column '{column}' {three} numbers have exactly three digits after the "
                    f"'{self._source.text.decimal}' and all others none: does it separate thousands?"
                )
        return None

    def _rounded(self) -> str | None:
        for column in _id_columns(self._source):
            values, long = self._counts[f"{column} values"], self._counts[f"{column} long"]
            if long >= MANY and 10 * self._counts[f"{column} rounded"] > 9 * long:
                return (
                    f"the ids in column '{column}' are rounded to {DIGITS_OF_A_SPREADSHEET} digits, as a spreadsheet "
                    "does: export the file without opening it in one"
                )
            if values >= MANY and 10 * self._counts[f"{column} decimal"] > 9 * values:
                return f"the ids in column '{column}' end in a decimal 0: were they taken for numbers on their way?"
        return None

    def _twice(self) -> str | None:
        """Without ids nothing else tells that all records came twice."""
        hashes = pl.concat(self._hashes) if self._hashes else pl.Series(dtype=pl.UInt64)
        if len(hashes) >= 2 * MANY and hashes.is_duplicated().all():
            return "each of its records stands in it more than once: was it put together of copies?"
        return None


def _pairs(source: Source) -> Iterator[tuple[str, str]]:
    """Keys of `columns` of which the first is never beyond the second, where both are declared."""
    for pair in CALL_ORDER if source.kind == "calls" else APPOINTMENT_ORDER:
        if all(_declared(source, key) for key in pair):
            yield pair


def _declared(source: Source, key: str) -> list[str]:
    """The columns of the export from which a key of `columns` is made."""
    value = getattr(source.columns, key)
    return [column for part in (value if isinstance(value, list) else [value]) if part for column in part.column]


def _orders(source: Source) -> dict[str, pl.Expr]:
    counted: dict[str, pl.Expr] = {}
    for first, second in [*_pairs(source), *_queue_pairs(source)]:
        counted |= _order(first, second, _moment_or_wait(first), _moment_or_wait(second))
    return counted


def _moment_or_wait(name: str) -> pl.Expr:
    if name == "queue_entered_at":
        return pl.col(QUEUE_ENTERED)
    return pl.col(name if name.endswith("_seconds") else f"{name}_utc")


def _order(first: str, second: str, one: pl.Expr, other: pl.Expr) -> dict[str, pl.Expr]:
    beyond = one > other + SLACK[first, second] if (first, second) in SLACK else one > other
    return {f"{first} {second}": one.is_not_null() & other.is_not_null(), f"{first} > {second}": beyond}


def _queue_pairs(source: Source) -> list[tuple[str, str]]:
    if source.kind != "calls":
        return []
    return [pair for pair in QUEUE_ORDER if all(_declared(source, key) for key in pair)]


def _rounds(source: Source) -> dict[str, pl.Expr]:
    if source.kind != "appointments":
        return {}
    plan = pl.col("planned_start_utc")
    counted: dict[str, pl.Expr] = {}
    for key in HAPPENED:
        moment = pl.col(f"{key}_utc")
        both = plan.is_not_null() & moment.is_not_null()
        counted |= {
            f"planned {key}": both,
            f"planned {key} round plan": both & (plan == plan.dt.truncate("5m")),
            f"planned {key} round": both & (moment == moment.dt.truncate("5m")),
        }
    return counted


def _impossible(source: Source) -> dict[str, pl.Expr]:
    return {"impossible": pl.col("impossible_duration").is_not_null()} if source.kind == "calls" else {}


def _nearest_to_export(source: Source) -> tuple[str, Instant] | None:
    """The moment that by its nature lies shortly before the export: a call's arrival, the start of a visit."""
    if source.kind == "calls":
        return "arrived_at_utc", source.columns.arrived_at
    return ("started_at_utc", source.columns.started_at) if source.columns.started_at else None


def _has_two_orders(instant: Instant) -> bool:
    """Whether days and months are numbers that somebody else writes the other way round; after a year nobody does."""
    return "%m" in instant.format and not instant.format.startswith("%Y")


def _name_columns(source: Source) -> list[str]:
    """The canonical columns of which a value names a group of records, and is published, where they are declared."""
    names = ["queue"] if source.kind == "calls" else ["service", "booking_channel"]
    return [name for name in names if getattr(source.columns, name)]


def _duration_columns(source: Source) -> list[str]:
    if source.kind != "calls":
        return []
    declared: list[Duration | None] = [source.columns.wait_seconds, source.columns.queue_wait_seconds]
    return [column for duration in declared if duration and duration.unit == "seconds" for column in duration.column]


def _numbers(source: Source) -> dict[str, pl.Expr]:
    shapes = {"whole": "^[1-9][0-9]{0,2}$", "three": f"^[1-9][{source.text.decimal}][0-9]{{3}}$"}
    counted: dict[str, pl.Expr] = {}
    for column in _duration_columns(source):
        value = pl.col(column).str.strip_chars()
        whole, three = (value.str.contains(shape) for shape in shapes.values())
        counted |= {
            f"{column} whole": whole,
            f"{column} three": three,
            f"{column} other": value.str.contains("^-?[0-9]") & (value != "0") & ~whole & ~three,
        }
    return counted


def _id_columns(source: Source) -> list[str]:
    if source.kind != "calls":
        return source.columns.appointment_id
    return [*(source.columns.call_id or []), *(source.columns.leg_id or [])]


def _ids(source: Source) -> dict[str, pl.Expr]:
    counted: dict[str, pl.Expr] = {}
    for column in _id_columns(source):
        value = pl.col(column).str.strip_chars()
        digits = f"[0-9]{{{DIGITS_OF_A_SPREADSHEET}}}"
        counted |= {
            f"{column} values": value != "",
            f"{column} long": value.str.contains(f"^{digits}[0-9]+$"),
            f"{column} rounded": value.str.contains(f"^{digits}0+$"),
            f"{column} decimal": value.str.contains(r"^[0-9]+[.,]0$"),
        }
    return counted
