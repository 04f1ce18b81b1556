"""The general door: any table of text whose columns are declared in the settings.

Every function builds Polars expressions over the raw text columns; what several of them need is a step, done once. A
value that can't be what it is declared to be puts its record in quarantine, with the first such column, a reason, and
the value's *pattern* (letters as `a`, digits as `9`); the value itself goes no further.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pipelines.settings import AppointmentSource, CallSource, Duration, Exclusion, Instant, Mark, Source

LINE = "\0line"
"""The column of the raw table that holds each record's line; no column of a text file can have that name."""
QUEUE_ENTERED = "\0queue_entered_at_utc"
"""When the call entered the queue: of a whole file it tells something, of a record only the wait is kept."""
_QUARANTINE = ("quarantine_column", "quarantine_reason", "quarantine_pattern")
_STRIPPED, _TEXT, _HAS_PROBLEM = "\0stripped ", "\0text ", "\0has_problem"
"""Columns of the parser's own; no column of a text file can have such a name."""
KEY_SEPARATOR = "|"
SECONDS = pl.Decimal(9, 3)
MAX_SECONDS = 999_999.999

SPREADSHEET_ID = r"""^[+-]?[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]+$|^="|^'[^']*$|^#+$|^#(?:N/A|REF!|NUM!|NAME\?|VALUE!)$"""
"""4711000000000001 becomes 4.711E+15, and so do its neighbours; a column too narrow becomes ####."""
NO_ID = r"^(?:\\N|\(?(?i:null)\)?|None|NaN|nan|nil)$"
"""What a database or a program writes for an id that is not there: of all such records it would make one."""
GARBLED = "[ÂÃ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€|\ufffd"
"""UTF-8 that was taken for cp1252 on its way (é became Ã©), and the sign for what could not be decoded at all."""
GARBLED_ON_A_MAC = "[¬√≈][ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø]|‚[ÄÇ]"
"""The same, taken for Mac Roman: é became √©."""
ACTS = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"
"""Characters that act instead of being seen: a tab, a line end, an escape, a mark that turns the reading direction."""
FORMULA = r"^=|^[+\-@].*[(|!]"
"""What a spreadsheet would calculate, or run: `=1+1`, `@SUM(A1)`, `+cmd|' /C calc'!A0`; not `+32 3 000 00 00`."""
MOST_CHARACTERS = 200
"""Of a name or an id; what is longer is no name but free text."""
HARD_BLANKS = "[\u00a0\u2007\u202f]"


class Parser:
    """Takes `raw` apart, step by step, and collects, column by column, what can be wrong with a record; the first thing
    found is its reason.

    Nothing that has happened lies after `latest` (UTC): the end of the day on which the export was made.
    """

    def __init__(self, source: Source, raw: pl.DataFrame, latest: datetime | None = None) -> None:
        self._source, self._latest = source, latest
        self._problems: list[tuple[pl.Expr, str, str, pl.Expr]] = []
        self._wrong: list[pl.Expr] = []
        self._moments: dict[tuple[str, tuple[str, ...], tuple[str, ...]], pl.Expr] = {}
        columns = columns_of(source)
        stripped = [pl.col(column).str.strip_chars().alias(_STRIPPED + column) for column in columns]
        texts = [pl.when(_stripped(name) != "").then(_stripped(name)).alias(_TEXT + name) for name in columns]
        self._raw = raw.with_columns(stripped).with_columns(texts)

    def step(self, value: pl.Expr) -> pl.Expr:
        """A value that others are made of, calculated once: Polars would do it again for each of them."""
        name = f"\0step {self._raw.width}"
        self._raw = self._raw.with_columns(value.alias(name))
        return pl.col(name)

    def problem(self, when: pl.Expr, column: str, reason: str, value: pl.Expr) -> None:
        """Quarantine the record `when` this holds, unless an earlier problem did."""
        self._wrong.append(when)
        self._problems.append((when, column, reason, value))

    def required(self, columns: list[str], may_be_empty: bool = False) -> pl.Expr:
        """The columns joined into one key; none of them may be empty, unless told. NULL where it can't be a key."""
        before = len(self._wrong)
        for column in columns:
            if not may_be_empty:
                self.problem(_text(column).is_null(), column, "no value, where one is required", _raw(column))
            self.problem(
                _text(column).str.contains(SPREADSHEET_ID),
                column,
                "what a spreadsheet made of an id; export it without opening it in one",
                _raw(column),
            )
            self.problem(
                _text(column).str.contains(NO_ID),
                column,
                "a word for an id that is not there; export an empty value",
                _raw(column),
            )
            self._publishable(column)
        if len(columns) > 1:
            joined = self.step(pl.concat_str([_text(column) for column in columns]))
            formula = joined.str.contains(FORMULA)
            self.problem(formula, ", ".join(columns), "begins like a formula of a spreadsheet", joined)
        unusable = self.step(pl.any_horizontal(self._wrong[before:]))
        self._wrong[before:] = [unusable]
        return self.step(pl.when(~unusable.fill_null(True)).then(_key([_text(column) for column in columns])))

    def _publishable(self, column: str) -> None:
        """A text that is shown as the export has it must be harmless wherever it is shown, and short."""
        text, value = _text(column), _raw(column)
        self.problem(text.str.contains(ACTS), column, "holds a control character", value)
        too_long = text.str.len_chars() > MOST_CHARACTERS
        self.problem(too_long, column, f"longer than {MOST_CHARACTERS} characters", value)
        self.problem(text.str.contains(FORMULA), column, "begins like a formula of a spreadsheet", value)

    def name(self, column: str | None) -> pl.Expr:
        """A name that people gave, such as that of a queue: one spelling of its blanks and accents, else NULL."""
        if column is None:
            return pl.lit(None, dtype=pl.String)
        garbled = _raw(column).str.contains(f"{GARBLED}|{GARBLED_ON_A_MAC}")
        self.problem(
            garbled, column, "letters garbled by a wrong encoding, as an é that became two signs", _raw(column)
        )
        self._publishable(column)
        return _text(column).str.replace_all(HARD_BLANKS, " ").str.normalize("NFC")

    def word(self, column: str, meanings: dict[str, str], what: str) -> pl.Expr:
        """What a declared word of the export means to us."""
        meaning = self.step(_text(column).replace_strict(meanings, default=None, return_dtype=pl.String))
        self.problem(meaning.is_null(), column, f"not one of the declared {what}", _raw(column))
        return meaning

    def instant(
        self, instant: Instant, arrival: pl.Expr | None = None, planned: bool = False
    ) -> tuple[pl.Expr, pl.Expr]:
        """The moment in UTC, and whether its local time was ambiguous (the earlier offset is then taken).

        NULL where it did not happen. A local time that does not exist is a problem, never a guess; so is one to come,
        unless it is `planned`.
        """
        moment, is_ambiguous = self._instant(instant, arrival)
        moment = self.step(moment)
        if self._latest is not None and not planned:
            column = ", ".join(instant.column)
            self.problem(moment > self._latest, column, "after the day on which the export was made", _joined(instant))
        return moment, is_ambiguous

    def _instant(self, instant: Instant, arrival: pl.Expr | None) -> tuple[pl.Expr, pl.Expr]:
        column, value, happened = ", ".join(instant.column), _joined(instant), _happened(instant)
        parsed = self._parsed(instant, instant.read_format.parse, value)
        self.problem(happened & parsed.is_null(), column, f"not in the format {instant.format}", value)
        if instant.read_format.has_offset:
            return parsed.dt.convert_time_zone("UTC").dt.replace_time_zone(None), pl.lit(False)
        if instant.rolls_over_hours is not None and arrival is not None:
            rolled = parsed < arrival - pl.duration(hours=instant.rolls_over_hours)
            parsed = self.step(pl.when(rolled).then(parsed + pl.duration(days=1)).otherwise(parsed))
        zone = self._source.time_zone
        earlier = self.step(parsed.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null"))
        later = parsed.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
        self.problem(
            parsed.is_not_null() & earlier.is_null(), column, f"a local time that does not exist in {zone}", value
        )
        is_ambiguous = (earlier != later).fill_null(False)
        return earlier.dt.convert_time_zone("UTC").dt.replace_time_zone(None), is_ambiguous

    def local(self, instant: Instant) -> pl.Expr:
        """The moment as the export writes it, for the day that it names and for clock times that roll over."""
        value = _joined(instant)
        if instant.read_format.microseconds is not None:
            return self._parsed(instant, instant.format, value).dt.replace_time_zone(None)
        if instant.read_format.has_offset:
            value = value.str.replace(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$", "")
        return self._parsed(instant, instant.read_format.parse_local, value)

    def _parsed(self, instant: Instant, parse: str, value: pl.Expr) -> pl.Expr:
        """A step of `_parsed`, one for the moment in UTC and the moment as it is written, where they are the same."""
        known = (parse, tuple(instant.column), tuple(instant.never))
        if known not in self._moments:
            self._moments[known] = self.step(_parsed(instant, parse, value))
        return self._moments[known]

    def seconds(self, duration: Duration) -> pl.Expr:
        """The source's own seconds, exact to the millisecond and still signed; NULL where it has none."""
        parts = [self._seconds(column, duration) for column in duration.column]
        return self.step(pl.sum_horizontal(*parts, ignore_nulls=False))

    def _seconds(self, column: str, duration: Duration) -> pl.Expr:
        happened = _did_happen(column, duration.never)
        value = self.step(pl.when(happened).then(_text(column)))
        if duration.unit == "clock":
            parts = value.str.extract_groups(r"^([0-9]{1,6}):([0-5][0-9]):([0-5][0-9](?:\.[0-9]+)?)$")
            hours, minutes, rest = (parts.struct.field(str(n)).cast(pl.Decimal(18, 3)) for n in (1, 2, 3))
            seconds = hours * 3600 + minutes * 60 + rest
            reason = "not a duration as hours:minutes:seconds"
        else:
            if self._source.text.decimal == ",":
                value = pl.when(~value.str.contains(".", literal=True)).then(value.str.replace(",", ".", literal=True))
            seconds = (
                pl.when(value.str.contains(r"^-?[0-9]+(\.[0-9]+)?$")).then(value).cast(pl.Decimal(18, 3), strict=False)
            )
            reason = f"not a number of seconds with decimal '{self._source.text.decimal}'"
        seconds = self.step(seconds)
        self.problem(happened & seconds.is_null(), column, reason, _raw(column))
        return seconds

    def records(self, *columns: pl.Expr) -> pl.DataFrame:
        """The columns of each record, and of the few that have a problem its column, reason and pattern, else NULL.

        Which of the problems it is, is asked of those few alone: of all it would cost more than all else together.
        """
        has_problem = pl.any_horizontal(self._wrong).fill_null(False)
        frame = self._raw.select(*columns, has_problem.alias(_HAS_PROBLEM))
        wrong = frame[_HAS_PROBLEM]
        if not wrong.any():
            return frame.drop(_HAS_PROBLEM).with_columns(pl.lit(None, pl.String).alias(name) for name in _QUARANTINE)
        problems = self._raw.filter(wrong).select(pl.col(LINE).alias("line"), *self._quarantine())
        return frame.drop(_HAS_PROBLEM).join(problems, on="line", how="left", maintain_order="left")

    def _quarantine(self) -> list[pl.Expr]:
        """Column, reason and pattern of the first problem of each record, else NULL."""
        told = [
            _first((when, pl.lit(column)) for when, column, _, _ in self._problems),
            _first((when, pl.lit(reason)) for when, _, reason, _ in self._problems),
            pattern(_first((when, value) for when, _, _, value in self._problems)),
        ]
        return [value.alias(name) for name, value in zip(_QUARANTINE, told, strict=True)]


def pattern(value: pl.Expr) -> pl.Expr:
    """The shape of a value without its characters: `99/99/9999 aa`, at most 60 long."""
    return (
        value.str.replace_all(r"\p{L}", "a")
        .str.replace_all(r"\p{N}", "9")
        .str.replace_all(r"[^a9 .,:;/+\-_()|]", "?")
        .str.slice(0, 60)
    )


def _raw(column: str) -> pl.Expr:
    return pl.col(column)


def _stripped(column: str) -> pl.Expr:
    """The value without blanks around it."""
    return pl.col(_STRIPPED + column)


def _text(column: str) -> pl.Expr:
    """The value without blanks around it, NULL where nothing is left."""
    return pl.col(_TEXT + column)


def _key(parts: list[pl.Expr]) -> pl.Expr:
    """One text of several, of which no two different lists make the same."""
    if len(parts) > 1:
        parts = [
            part.str.replace_all("\\", "\\\\", literal=True).str.replace_all(
                KEY_SEPARATOR, "\\" + KEY_SEPARATOR, literal=True
            )
            for part in parts
        ]
    return pl.concat_str(parts, separator=KEY_SEPARATOR)


def _joined(instant: Instant) -> pl.Expr:
    return pl.concat_str([_stripped(name) for name in instant.column], separator=" ")


def _parsed(instant: Instant, parse: str, value: pl.Expr) -> pl.Expr:
    """The value parsed, where it happened and has exactly the shape of its format: nothing parses by luck."""
    sound = _happened(instant) & _joined(instant).str.contains(instant.read_format.shape)
    value = pl.when(sound).then(value)
    unit = instant.read_format.microseconds
    if unit is not None:
        counted = (value.cast(pl.Decimal(20, 6), strict=False) * unit).cast(pl.Int64)
        return pl.from_epoch(counted, time_unit="us").dt.replace_time_zone("UTC")
    if instant.read_format.has_offset:
        value = value.str.replace("Z$", "+00:00")
    return value.str.to_datetime(parse, strict=False, time_unit="us", ambiguous="earliest")


def _happened(instant: Instant) -> pl.Expr:
    return _did_happen(instant.column[-1], instant.never)


def _did_happen(column: str, never: list[str]) -> pl.Expr:
    return ~_stripped(column).is_in(["", *never])


def _first(cases: Iterable[tuple[pl.Expr, pl.Expr]]) -> pl.Expr:
    return pl.coalesce([pl.when(when).then(value) for when, value in cases] + [pl.lit(None, dtype=pl.String)])


def _exclusion(rules: list[Exclusion], more: Iterable[tuple[pl.Expr, pl.Expr]] = ()) -> pl.Expr:
    """The name of the first rule that excludes the record, else NULL."""
    cases = [
        (
            _text(rule.column).is_in(rule.values)
            if rule.values is not None
            else _raw(rule.column).str.contains(rule.matches or ""),
            pl.lit(rule.rule),
        )
        for rule in rules
    ]
    return _first([*cases, *more])


def _mark(mark: Mark | None) -> pl.Expr:
    """Whether the source itself marks the record; NULL if it never does."""
    if mark is None:
        return pl.lit(None, dtype=pl.Boolean)
    return _text(mark.column).is_in(mark.values).fill_null(False)


def columns_of(source: Source) -> list[str]:
    """Every column that the mapping of a source names, so that the header can be held against it."""
    named: list[str] = [rule.column for rule in source.exclude]
    for key, value in source.columns:
        if key == "service_separator" or value is None:
            continue
        for part in value if isinstance(value, list) else [value]:
            column = part if isinstance(part, str) else part.column
            named.extend([column] if isinstance(column, str) else column)
    return list(dict.fromkeys(named))


def canonical_calls(raw: pl.DataFrame, source: CallSource, latest: datetime | None = None) -> pl.DataFrame:
    """One canonical call record a row of `raw` (text columns, and LINE), as in schemas.records.CallRecord; beside it
    QUEUE_ENTERED.
    """
    columns, parser = source.columns, Parser(source, raw, latest)
    if columns.call_id is None:
        call_id = record_key = pl.lit(None, dtype=pl.String)
    else:
        call_id = record_key = parser.required(columns.call_id)
    leg_id = pl.lit(None, dtype=pl.String)
    if columns.leg_id is not None:
        leg_id = parser.required(columns.leg_id)
        record_key = _key([record_key, leg_id])

    words = source.outcomes
    reported = parser.word(columns.outcome, {word: w.reported for word, w in words.items()}, "outcomes")
    answering = [word for word, meaning in words.items() if meaning.is_answered]
    is_answered = _text(columns.outcome).is_in(answering).fill_null(False)
    is_open = _text(columns.outcome).is_in([w for w, meaning in words.items() if meaning.open]).fill_null(False)
    reason = _text(columns.outcome).replace_strict(
        {word: w.reason for word, w in words.items()}, default=None, return_dtype=pl.String
    )
    queue, direction = parser.name(columns.queue), pl.lit("inbound")
    if columns.direction is not None:
        direction = parser.word(columns.direction, dict(source.directions), "directions")

    parser.problem(
        ~_happened(columns.arrived_at),
        ", ".join(columns.arrived_at.column),
        "no arrival, so the call belongs to no day",
        _raw(columns.arrived_at.column[-1]),
    )
    arrived_at, is_ambiguous = parser.instant(columns.arrived_at)
    arrival = parser.local(columns.arrived_at)
    never = pl.lit(None, dtype=pl.Datetime("us"))
    answered_at = parser.instant(columns.answered_at, arrival)[0] if columns.answered_at else never
    queued_at = parser.instant(columns.queue_entered_at, arrival)[0] if columns.queue_entered_at else never
    ended_at = pl.coalesce([parser.instant(end, arrival)[0] for end in columns.ended_at] or [never])
    if columns.lasted_seconds is not None:
        lasted = parser.seconds(columns.lasted_seconds)
        ended_at = pl.coalesce(ended_at, arrived_at + pl.duration(milliseconds=(lasted * 1000).cast(pl.Int64)))
    stopped_waiting = pl.when(is_answered).then(answered_at).otherwise(ended_at)
    if columns.wait_seconds is not None:
        wait = parser.seconds(columns.wait_seconds)
    else:
        wait = parser.step(_between(arrived_at, stopped_waiting))
    if columns.queue_wait_seconds is not None:
        queue_wait = parser.seconds(columns.queue_wait_seconds)
    else:
        queue_wait = parser.step(_between(queued_at, stopped_waiting))

    if source.open_without_end:
        is_open = is_open | ended_at.is_null()
    by_direction = [(direction == name, pl.lit(name)) for name in ("outbound", "internal")]
    return parser.records(
        pl.col(LINE).alias("line"),
        record_key.alias("record_key"),
        call_id.alias("call_id"),
        leg_id.alias("leg_id"),
        queue.fill_null(pl.lit(source.name)).alias("queue"),
        direction.alias("direction"),
        reported.alias("reported_outcome"),
        is_answered.alias("is_answered"),
        pl.when(~is_answered).then(reason).alias("missed_reason"),
        _exclusion(source.exclude, by_direction).alias("exclusion_rule"),
        is_open.alias("is_open"),
        arrived_at.alias("arrived_at_utc"),
        is_ambiguous.alias("is_arrival_ambiguous"),
        answered_at.alias("answered_at_utc"),
        ended_at.alias("ended_at_utc"),
        queued_at.alias(QUEUE_ENTERED),
        _possible(wait).alias("wait_seconds"),
        _possible(queue_wait).alias("queue_wait_seconds"),
        pl.lit(source.wait_starts_at == "queue").alias("is_wait_lower_bound"),
        _mark(columns.outside_hours).alias("is_marked_outside_hours"),
        _first([(_impossible(wait), pl.lit("wait")), (_impossible(queue_wait), pl.lit("queue_wait"))]).alias(
            "impossible_duration"
        ),
    )


def canonical_appointments(
    raw: pl.DataFrame, source: AppointmentSource, latest: datetime | None = None
) -> pl.DataFrame:
    """One canonical appointment record a row of `raw`, as in schemas.records.AppointmentRecord."""
    columns, parser = source.columns, Parser(source, raw, latest)
    if columns.visit_id is None:
        appointment_id = record_key = parser.required(columns.appointment_id)
    else:
        named, visit_id = parser.required(columns.appointment_id, may_be_empty=True), parser.required(columns.visit_id)
        # of whom the export names no appointment: two logs of visits may number them alike
        walk_in = pl.concat_str([pl.lit(f"{source.name} visit "), visit_id])
        appointment_id, record_key = pl.when(named.is_null()).then(walk_in).otherwise(named), visit_id
    service = pl.lit(source.name)
    if columns.service is not None:
        parser.required([columns.service])
        service = parser.name(columns.service)
    if columns.service_separator is not None:
        parts = service.str.split(columns.service_separator).list.eval(pl.element().str.strip_chars())
        service = parts.list.eval(pl.element().filter(pl.element() != "")).list.first()
        parser.problem(service.is_null(), columns.service or "", "no service in the list", _raw(columns.service or ""))
    never = pl.lit(None, dtype=pl.Datetime("us"))

    def instant(declared: Instant | None, planned: bool = False) -> pl.Expr:
        return never if declared is None or declared.day_only else parser.instant(declared, planned=planned)[0]

    def day(declared: Instant | None) -> pl.Expr:
        """The planned day itself, where the export has a day and no time."""
        if declared is None or not declared.day_only:
            return pl.lit(None, dtype=pl.Date)
        parser.instant(declared, planned=True)
        return parser.local(declared).dt.date()

    started_at, ended_at = instant(columns.started_at), instant(columns.ended_at)
    if columns.status is None:
        status = pl.when(started_at.is_not_null()).then(pl.lit("completed")).otherwise(pl.lit("planned"))
    else:
        status = parser.word(columns.status, dict(source.statuses), "statuses")
    channel = parser.name(columns.booking_channel)
    return parser.records(
        pl.col(LINE).alias("line"),
        record_key.alias("record_key"),
        appointment_id.alias("appointment_id"),
        service.alias("service"),
        channel.alias("booking_channel"),
        status.alias("status"),
        _exclusion(source.exclude).alias("exclusion_rule"),
        instant(columns.booked_at).alias("booked_at_utc"),
        instant(columns.planned_start, planned=True).alias("planned_start_utc"),
        day(columns.planned_start).alias("planned_day"),
        instant(columns.first_planned_start, planned=True).alias("first_planned_start_utc"),
        instant(columns.checked_in_at).alias("checked_in_at_utc"),
        started_at.alias("started_at_utc"),
        ended_at.alias("ended_at_utc"),
    )


def _between(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Whole milliseconds from start to end as exact seconds, signed; NULL where one of them is."""
    return (end - start).dt.total_milliseconds().cast(pl.Decimal(18, 3), strict=False) / 1000


def _impossible(seconds: pl.Expr) -> pl.Expr:
    return (seconds < 0) | (seconds > MAX_SECONDS)


def _possible(seconds: pl.Expr) -> pl.Expr:
    return pl.when(~_impossible(seconds)).then(seconds).cast(SECONDS)
