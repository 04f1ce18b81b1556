"""The city's settings: one TOML file, checked as a whole before anything runs.

Belongs here: the shape of `kcc.toml`, its rules, and the sentences that explain a mistake in it.
Does not belong here: what the settings are used for.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from calendar import isleap
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pipelines.instants import Format, read_format
from pipelines.runbook import Heading, see

ROOT = Path(__file__).resolve().parent.parent
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NO_BEGIN = date(1, 1, 1)
NO_END = date(9999, 12, 31)
FIRST_HOURS = date(1900, 1, 1)
WHOLE_DAY = (0, 24 * 60)
QUICK = {"quick": True}
"""The context of a validation that leaves out what takes long and no question needs."""


class SettingsError(Exception):
    """The settings can't be used; the message is one sentence for the person who wrote them."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"{sentence} {see(Heading.SETTINGS_REFUSED)}")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("expected an IANA time zone such as 'Europe/Brussels'") from None
    return name


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"expected a regular expression ({error})") from None
    return pattern


def _searchable(pattern: str) -> str:
    """A regular expression for the reader, whose engine knows no look-around and no back-references."""
    import polars as pl

    try:
        pl.select(pl.lit("").str.contains(pattern))
    except pl.exceptions.ComputeError:
        raise ValueError("expected a regular expression without look-around and back-references") from None
    return pattern


def _web_address(address: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+[^\s]*", address):
        raise ValueError("expected an address such as 'https://git.example.be/kcc-marts/blob/main/docs'")
    return address


def _below(pattern: str) -> str:
    if not pattern or pattern.startswith(("/", "~")) or {"..", "**"} & set(pattern.split("/")):
        raise ValueError("expected a pattern below the exports folder, such as 'telephony/calls_*.csv', without **")
    return pattern


TAKEN = {"public", "information_schema", "main", "memory", "system", "temp"}
"""Schemas and databases that are there already; analysts attach a city by its name."""


def _city(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError("expected a name such as 'lier' or 'sint_niklaas': letters a-z, digits and _, at most 63")
    if name.startswith("pg_") or name in TAKEN:
        raise ValueError("expected a name such as 'lier': databases have taken this one")
    return name


def _clock(text: object) -> object:
    """'16:00' as a time of day; TOML's own local times pass through."""
    if isinstance(text, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        return time.fromisoformat(text)
    if isinstance(text, time):
        return text
    raise ValueError("expected a time of day such as '16:00'")


def _interval(text: object) -> object:
    """'09:00-12:00' as minutes of the day (540, 720); 24:00 may end a day."""
    match = re.fullmatch(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", text) if isinstance(text, str) else None
    if match:
        h1, m1, h2, m2 = (int(part) for part in match.groups())
        opens, closes = h1 * 60 + m1, h2 * 60 + m2
        if opens < closes <= 24 * 60:
            return opens, closes
    raise ValueError("expected an interval such as '09:00-12:00', opening before it closes")


def shown(interval: tuple[int, int]) -> str:
    """Minutes of the day as they are written in the settings: '09:00-12:00'."""
    return "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in interval)


def _several(value: object) -> object:
    return [value] if isinstance(value, str | dict) else value


Zone = Annotated[str, AfterValidator(_zone)]
Regex = Annotated[str, AfterValidator(_regex)]
City = Annotated[str, AfterValidator(_city)]
Clock = Annotated[time, BeforeValidator(_clock)]
Interval = Annotated[tuple[int, int], BeforeValidator(_interval)]
Columns = Annotated[list[str], BeforeValidator(_several), Field(min_length=1)]


class Section(BaseModel):
    """A part of the settings: unknown keys are mistakes, and nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Centre(Section):
    """The contact centre: its name, the zone in which everything is dated, the first export day; where the docs are."""

    name: str
    time_zone: Zone = "Europe/Brussels"
    start: date
    docs: Annotated[str, AfterValidator(_web_address)] | None = None


class Folders(Section):
    """Where exports come from and where everything we keep goes."""

    exports: Path
    data: Path

    @field_validator("data")
    @classmethod
    def _without_question_mark(cls, data: Path) -> Path:
        if "?" in str(data):
            raise ValueError("expected a path without '?', at which DuckDB would cut the name of a database off")
        return data


class Rules(Section):
    """The choices that the rules leave to the city."""

    short_abandon_seconds: Decimal = Field(default=Decimal(5), ge=0)
    half_days_are_working_days: bool = True
    desk_channels: list[str] = []


class Retention(Section):
    """How much of the past is kept: warehouse versions, days of quarantined raw text and of Dagster's history."""

    versions: int = Field(default=7, ge=1)
    private_days: int = Field(default=30, ge=0)
    history_days: int = Field(default=365, ge=1, le=36_500)


class FileWarehouse(Section):
    """The warehouse is one DuckDB file, kept in versions. `city` tells its assets from other cities' in one Dagster."""

    kind: Literal["file"]
    city: City | None = None


class DuckLakeWarehouse(Section):
    """The warehouse is a schema of a DuckLake: its catalog in PostgreSQL (`$KCC_CATALOG_URL`), its Parquet below
    `folder`, both of which several cities share; `city` is the name of this one's own part in each.

    `keep_file`: the same versions of `kcc.duckdb` beside it, too.
    """

    kind: Literal["ducklake"]
    city: City
    folder: Path
    keep_file: bool = False


class Night(Section):
    """When the daemon starts a night, in the zone of the centre, and how many export days it goes over again.

    A night takes in all that it has not read, of whichever day; those gone over again show what became of them.
    """

    at: Clock = time(4, 15)
    look_back_days: int = Field(default=14, ge=0, le=366)


class TextFile(Section):
    """How the bytes of an export become fields. `header` is declared where the file has none.

    Without a `quote` every character stands for itself. `fewer_fields`: a line may end early, and what it leaves out is
    empty.
    """

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', max_length=1)
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    header: list[str] | None = None
    fewer_fields: bool = False
    last_line_ends: bool = True

    @model_validator(mode="after")
    def _known_encoding(self) -> Self:
        try:
            lines_end_in_lf = "\n".encode(self.encoding) == b"\n"
        except LookupError:
            raise ValueError(f"encoding: '{self.encoding}' is not a known text encoding") from None
        if not lines_end_in_lf:
            raise ValueError(f"encoding: '{self.encoding}' is not read line by line; export as utf-8 or cp1252")
        return self


class JsonFile(Section):
    """Where an export in JSON has its records: under which dotted key (`records`), else it is nothing but their array.

    Keys of `optional` may be in none of them. Where a record is an array of values, `fields` names them in order.
    """

    records: str = Field(default="", pattern=r"^$|^[^.]+(\.[^.]+)*$")
    optional: list[str] = []
    fields: list[str] = []

    @field_validator("fields")
    @classmethod
    def _each_once(cls, fields: list[str]) -> list[str]:
        if len(set(fields)) != len(fields):
            raise ValueError("expected each name once, for of two alike one would be lost")
        return fields


class Workbook(Section):
    """Where in an .xlsx workbook the export lies: on which sheet, if it has several, and below which row.

    Where `text` declares the header, `header_row` is that of the first record.
    """

    sheet: str | None = None
    header_row: int = Field(default=1, ge=1, le=1000)


class ExportTime(Section):
    """When an export was made: read from its name, or declared for a one-off (`at`)."""

    pattern: Regex | None = None
    format: str | None = None
    time: Clock | None = None
    at: datetime | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.at is None) == (self.pattern is None):
            raise ValueError("expected either 'at', or 'pattern' with 'format'")
        if self.at is not None and self.at.tzinfo is not None:
            raise ValueError("at: expected the centre's local time, without an offset")
        if self.pattern is not None:
            if "(?P<stamp>" not in self.pattern or self.format is None:
                raise ValueError(f"pattern {self.pattern!r} needs a group (?P<stamp>…), and 'format' to read it")
            if "%H" not in self.format and self.time is None:
                raise ValueError("'format' has no hour, so 'time' must say at what time of day exports are made")
        return self


class Instant(Section):
    """One moment in a record: the column (or several, joined by a blank) and its strptime format.

    A value listed in `never` (and an empty one) means that it did not happen; where several columns
    are joined, it is the last that counts. `rolls_over_hours`: a clock time earlier than the arrival by
    more than so many hours belongs to the next day.
    """

    column: Columns
    format: str
    never: list[str] = []
    rolls_over_hours: int | None = Field(default=None, ge=1, le=23)
    day_only: bool = False

    @model_validator(mode="after")
    def _understood(self) -> Self:
        read_format(self.format, self.day_only)
        return self

    @property
    def read_format(self) -> Format:
        """How values are parsed, and what they must look like."""
        return read_format(self.format, self.day_only)


class Duration(Section):
    """Seconds that the source measured itself: one column, or several that are added up."""

    column: Columns
    unit: Literal["seconds", "clock"] = "seconds"
    never: list[str] = []


class OutcomeWord(Section):
    """What one word of the export says: what the software reports, and what happened."""

    reported: Literal["answered", "missed", "other"]
    by_person: bool | None = None
    open: bool = False
    reason: Literal["abandoned", "voicemail", "menu", "timeout", "no_agent", "callback"] = "abandoned"

    @property
    def is_answered(self) -> bool:
        """A person answered: as declared by `by_person`, else what the software says."""
        return self.reported == "answered" if self.by_person is None else self.by_person


def _outcome_word(value: object) -> object:
    if value == "open":
        return {"reported": "other", "open": True}
    return {"reported": value} if isinstance(value, str) else value


class Mark(Section):
    """A column in which certain values mark a record."""

    column: str
    values: list[str] = Field(min_length=1)


class Exclusion(Section):
    """A named rule that takes records out of every indicator, visibly."""

    rule: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    column: str
    values: list[str] | None = None
    matches: Annotated[str, AfterValidator(_searchable)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.values is None) == (self.matches is None):
            raise ValueError("expected either 'values' or 'matches'")
        return self


class CallColumns(Section):
    """Which column of a call log is what. A source without ids leaves `call_id` out."""

    call_id: Columns | None = None
    leg_id: Columns | None = None
    queue: str | None = None
    direction: str | None = None
    outcome: str
    arrived_at: Instant
    queue_entered_at: Instant | None = None
    answered_at: Instant | None = None
    ended_at: Annotated[list[Instant], BeforeValidator(_several)] = []
    wait_seconds: Duration | None = None
    queue_wait_seconds: Duration | None = None
    lasted_seconds: Duration | None = None
    outside_hours: Mark | None = None

    @model_validator(mode="after")
    def _no_days(self) -> Self:
        moments = [self.arrived_at, self.queue_entered_at, self.answered_at, *self.ended_at]
        if any(moment is not None and moment.day_only for moment in moments):
            raise ValueError("day_only is for planned_start alone; a call has moments")
        return self


class AppointmentColumns(Section):
    """Which column of an appointment log is what. Without `service` the source's name stands for it.

    A log of visits has a `visit_id`, and knows no `planned_start`; a visit without `appointment_id` is a walk-in.
    """

    appointment_id: Columns
    visit_id: Columns | None = None
    service: str | None = None
    service_separator: str | None = None
    booking_channel: str | None = None
    status: str | None = None
    booked_at: Instant | None = None
    planned_start: Instant | None = None
    first_planned_start: Instant | None = None
    checked_in_at: Instant | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None

    @model_validator(mode="after")
    def _only_planned_days(self) -> Self:
        for name, column in self:
            if name != "planned_start" and isinstance(column, Instant) and column.day_only:
                raise ValueError(f"{name}: day_only is for planned_start alone")
        return self


class Valid(Section):
    """What holds from a date to a date, both included."""

    valid_from: date
    valid_to: date = NO_END

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.valid_to < self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} lies before valid_from {self.valid_from}")
        return self


Doubt = Literal["exchanged", "date_order", "thousands", "ids", "names", "copies"]
"""Why a whole file may have been misread although each of its values is in its format."""


class Packing(Section):
    """How the records of an export are packed, for whichever of the containers it is."""

    text: TextFile = TextFile()
    json_file: JsonFile = Field(default=JsonFile(), alias="json")
    workbook: Workbook = Workbook()


class SourceBase(Valid, Packing):
    """What call logs and appointment logs have in common.

    `valid_from` and `valid_to` bound the days on which the source is expected to deliver; `covers_days` declares
    that each export holds that many days up to its own date, also those without a record.

    `format` names a vendor's export, which spares the mapping. `not_misread` names the doubts about whole files that
    the city has looked into and that are none for this source.

    An export is complete if a file of its name and `manifest` lies beside it (where that is declared), if it has not
    changed for `unchanged_seconds` nor while it is read, and if its last line ends.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    format: str | None = None
    files: Annotated[str, AfterValidator(_below)]
    time_zone: Zone
    export: ExportTime
    exclude: list[Exclusion] = []
    max_quarantined_share: Decimal = Field(default=Decimal("0.02"), ge=0, le=1)
    valid_from: date = NO_BEGIN
    covers_days: int | None = Field(default=None, ge=1)
    manifest: str | None = Field(default=None, pattern=r"^\.[a-z0-9_.]+$")
    unchanged_seconds: int = Field(default=0, ge=0)
    not_misread: list[Doubt] = []

    @model_validator(mode="before")
    @classmethod
    def _preset_of_format(cls, declared: Any) -> Any:
        if not isinstance(declared, dict) or declared.get("format") is None:
            return declared
        from assets.adapters.formats import FORMATS  # they bring Polars, which no other source needs to be declared

        known = FORMATS.get(declared["format"]) if isinstance(declared["format"], str) else None
        if known is None or known.kind != declared.get("kind"):
            names = ", ".join(name for name, one in FORMATS.items() if one.kind == declared.get("kind")) or "none"
            raise ValueError(f"format: expected one of those for {declared.get('kind')}: {names}")
        return known.applied_to(declared)

    @model_validator(mode="after")
    def _manifests_are_no_exports(self) -> Self:
        if self.manifest is not None and self.files.endswith(self.manifest):
            raise ValueError(
                f"manifest: {self.files!r} end with {self.manifest!r}, so every export would be a manifest"
            )
        return self

    def reader_fingerprint(self, version: int) -> str:
        """Changes whenever the same bytes would be read into other records."""
        later = {"files", "max_quarantined_share", "valid_from", "valid_to", "covers_days", "covers"}
        later |= {"manifest", "unchanged_seconds"}
        if self.workbook == Workbook():
            later |= {"workbook"}  # as before there were workbooks
        used = self.model_dump(mode="json", exclude=later)
        return hashlib.sha256(json.dumps([version, used], sort_keys=True).encode()).hexdigest()[:16]


class CallSource(SourceBase):
    """A call log. Its `records` are legs of calls, or events of them; those of a log with `legs_of` belong to the calls
    of another log, which bear the same ids.
    """

    kind: Literal["calls"]
    columns: CallColumns
    outcomes: dict[str, Annotated[OutcomeWord, BeforeValidator(_outcome_word)]] = Field(min_length=1)
    directions: dict[str, Literal["inbound", "outbound", "internal"]] = {}
    wait_starts_at: Literal["dial_in", "queue"] = "dial_in"
    open_without_end: bool = False
    records: Literal["legs", "events"] = "legs"
    legs_of: str | None = None
    replaces_dates: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.columns.call_id is None and not self.replaces_dates:
            raise ValueError(
                "columns.call_id is missing: a source without ids must declare replaces_dates = true "
                "(each export replaces its range of dates)"
            )
        if self.columns.call_id is None and (self.legs_of is not None or self.records == "events"):
            raise ValueError("columns.call_id is missing: without it nothing tells which records are of one call")
        if self.columns.direction is not None and not self.directions:
            raise ValueError("columns.direction is declared, so [directions] must say what its words mean")
        return self


class AppointmentSource(SourceBase):
    """An appointment log. `covers` says by which dates an export is complete for its range of days.

    The records of a log with `visits_of` are visits for the appointments of another log, which bear the same ids.
    """

    kind: Literal["appointments"]
    columns: AppointmentColumns
    statuses: dict[str, Literal["planned", "checked_in", "started", "completed", "no_show", "cancelled"]] = {}
    covers: list[Literal["planned", "booked"]] = ["planned"]
    visits_of: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.visits_of is None) != (self.columns.visit_id is None):
            raise ValueError("visits_of and columns.visit_id go together: a log of visits, each with an id of its own")
        if (self.visits_of is None) != (self.columns.planned_start is not None):
            raise ValueError("columns.planned_start: required of appointments, and unknown to a log of visits")
        if self.columns.status is not None and not self.statuses:
            raise ValueError("columns.status is declared, so [statuses] must say what its words mean")
        return self


Source = Annotated[CallSource | AppointmentSource, Field(discriminator="kind")]


class Hours(Valid):
    """Regular opening hours of one service point while they are valid."""

    service_point: str = Field(pattern=r"^(telephone|desk|desk:.+)$")
    monday: list[Interval] = []
    tuesday: list[Interval] = []
    wednesday: list[Interval] = []
    thursday: list[Interval] = []
    friday: list[Interval] = []
    saturday: list[Interval] = []
    sunday: list[Interval] = []

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from < FIRST_HOURS:
            raise ValueError(f"valid_from {self.valid_from}: expected {FIRST_HOURS} or later")
        for weekday in WEEKDAYS:
            intervals = self.on(weekday)
            for earlier, later in pairwise(intervals):
                if later[0] < earlier[1]:
                    raise ValueError(
                        f"{weekday}: {shown(later)!r} after {shown(earlier)!r}: they overlap or are not in order"
                    )
        return self

    def on(self, weekday: str) -> list[tuple[int, int]]:
        """The intervals of one weekday, as minutes of the day."""
        intervals: list[tuple[int, int]] = getattr(self, weekday)
        return intervals


class Closure(Section):
    """A dated closure, whole or part of a day, of one or more service points, with its reason.

    `desk` closes every desk, `desk:Wonen` that one only.
    """

    date: date
    service_points: list[str] = Field(min_length=1)
    kind: Literal["holiday", "closure"]
    reason: str
    interval: Interval | None = None

    @property
    def minutes(self) -> tuple[int, int]:
        """From which to which minute of the day it closes."""
        return self.interval or WHOLE_DAY


class Cluster(Valid):
    """The services of one cluster of desks while the mapping is valid."""

    cluster: str
    services: list[str] = Field(min_length=1)


class Norm(Section):
    """What was promised for an indicator, from a date until the next norm for the same thing."""

    indicator: Literal["missed_calls", "telephone_wait", "answer_speed", "visitor_wait", "lead_time"]
    variant: Literal["headline", "action_plan"] = "headline"
    cluster: str | None = None
    operator: Literal["<", "<=", ">="]
    value: Decimal
    valid_from: date
    source: str

    @property
    def period_type(self) -> Literal["month", "year"]:
        """The period that the norm is for: missed calls by the year, all else by the month."""
        return "year" if self.indicator == "missed_calls" else "month"

    @model_validator(mode="after")
    def _whole_periods(self) -> Self:
        yearly = self.period_type == "year"
        if self.valid_from.day != 1 or (yearly and self.valid_from.month != 1):
            start = "1 January" if yearly else "the first of a month"
            raise ValueError(f"valid_from {self.valid_from}: a norm for {self.indicator} starts on {start}")
        if (self.cluster is not None) != (self.indicator == "visitor_wait"):
            raise ValueError("'cluster' is for visitor_wait, and required there")
        if self.variant == "action_plan" and self.indicator != "telephone_wait":
            raise ValueError("variant 'action_plan' is for telephone_wait")
        return self


class PublishedFigure(Section):
    """A figure that was published before, which can't be recomputed from records."""

    indicator: Literal["missed_calls"]
    year: int
    value: Decimal
    unit: Literal["percent"] = "percent"
    source: str


class Calendar(Section):
    """The dated exceptions to the opening hours, and against which holidays they are checked.

    The closures alone decide. `country` (and `subdivision`) name a calendar of the holidays library, `yearly` adds days
    that it does not know, as MM-DD = name: an open day among them only makes a warning.
    """

    closures: list[Closure] = []
    country: str | None = None
    subdivision: str | None = None
    yearly: dict[str, str] = {}

    @model_validator(mode="after")
    def _known(self, info: ValidationInfo) -> Self:
        for day in self.yearly:
            try:
                date.fromisoformat(f"2024-{day}")
            except ValueError:
                raise ValueError(f"yearly: {day!r} is no day of the year such as '07-11'") from None
        if self.subdivision is not None and self.country is None:
            raise ValueError("subdivision: expected 'country' beside it")
        if info.context == QUICK:
            return self
        try:
            self.holidays(2024, 2024)
        except NotImplementedError:
            place = " ".join(filter(None, [self.country, self.subdivision]))
            raise ValueError(f"country: the holidays library has no calendar of {place!r}") from None
        return self

    def holidays(self, first_year: int, last_year: int) -> list[tuple[date, str]]:
        """The holidays of some years by the library and `yearly`, by date, named in the country's own language."""
        known: dict[date, str] = {}
        years = range(first_year, last_year + 1)
        if self.country is not None:
            from holidays import country_holidays

            language = country_holidays(self.country, subdiv=self.subdivision).default_language
            known.update(country_holidays(self.country, subdiv=self.subdivision, years=years, language=language))
        for day, name in self.yearly.items():
            for year in years:
                if day != "02-29" or isleap(year):
                    known.setdefault(date.fromisoformat(f"{year}-{day}"), name)
        return sorted(known.items())


TripwireName = Literal[
    "answered_outside_hours",
    "hours_disagree",
    "open_day_without_calls",
    "quiet_day",
    "partial_export",
    "unmapped_service",
    "open_on_holiday",
]


class AcceptedTripwire(Section):
    """A tripwire that the city knows of, for the months that begin up to `until`; it shows with its reason."""

    tripwire: TripwireName
    source: str | None = None
    reason: str = Field(min_length=1)
    until: date


class Tripwires(Section):
    """When something looks wrong enough to say so, or not to publish. Shares are between 0 and 1."""

    answered_outside_hours_share: Decimal = Field(default=Decimal("0.02"), ge=0, le=1)
    answered_outside_hours_calls: int = Field(default=20, ge=1)
    hours_disagree_calls: int = Field(default=5, ge=1)
    quiet_day_share: Decimal = Field(default=Decimal("0.3"), ge=0, le=1)
    quiet_day_usual_calls: int = Field(default=20, ge=1)
    partial_export_share: Decimal = Field(default=Decimal("0.5"), ge=0, le=1)
    partial_export_calls: int = Field(default=20, ge=1)
    accepted: list[AcceptedTripwire] = []


class Action(Section):
    """One action of the plan: what is done, how far it is, from when to when."""

    code: str
    title: str = ""
    description: str = ""
    status: str
    begins: date = Field(alias="from")
    ends: date = Field(alias="to")

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.ends < self.begins:
            raise ValueError(f"to {self.ends} lies before from {self.begins}")
        return self


class Money(Section):
    """What a year was to cost and what it did cost, in euro; what is not known yet is left out."""

    year: int
    budget: Decimal | None = None
    account: Decimal | None = None


class ActionPlan(Section):
    """What was promised, what it costs, and what was published about it before."""

    code: str = ""
    title: str = ""
    description: str = ""
    source: str = ""
    actions: list[Action] = []
    money: list[Money] = []
    norms: list[Norm] = []
    published_history: list[PublishedFigure] = []


AlertEvent = Literal["run_failed", "publication_blocked", "warehouse_stale", "norm_newly_missed"]
MailAddress = Annotated[str, Field(pattern=r"^[^@\s,;:<>]+@[^@\s,;:<>]+$")]


class Channel(Section):
    """One way by which alerts reach people. Its secret is never in the settings, whose text is published."""

    @model_validator(mode="before")
    @classmethod
    def _without_secrets(cls, declared: Any) -> Any:
        if isinstance(declared, dict) and (found := {"password", "address", "url", "token"} & declared.keys()):
            raise ValueError(
                f"{min(found)}: a secret is not written here, for these settings are published; put it into an "
                "environment variable (docs/settings.md#alerts)"
            )
        return declared


class Email(Channel):
    """A mail server and who gets its mail. `user` logs in, with the password in $KCC_SMTP_PASSWORD."""

    host: str = Field(pattern=r"^[^\s/@]+$")
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    sender: MailAddress
    recipients: list[MailAddress] = Field(min_length=1)

    @model_validator(mode="after")
    def _password_is_encrypted(self) -> Self:
        if self.user is not None and self.security == "none":
            raise ValueError("user: a password goes out encrypted or not at all; expected security 'starttls' or 'tls'")
        return self


class Webhook(Channel):
    """An incoming webhook. Its address is its secret: `address_in` names the environment variable that holds it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    shape: Literal["teams", "slack", "zulip"]
    address_in: str

    @model_validator(mode="after")
    def _names_a_variable(self) -> Self:
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", self.address_in):  # not shown: it may be the address itself
            raise ValueError("address_in: expected the name of an environment variable such as 'KCC_TEAMS_WEBHOOK'")
        return self


class Alerts(Section):
    """What people on call are told, and by which channels; without a channel nothing is sent."""

    events: list[AlertEvent] = list(get_args(AlertEvent))
    stale_after_hours: int = Field(default=26, ge=1, le=87_600)
    email: Email | None = None
    webhooks: list[Webhook] = []

    @property
    def channels(self) -> list[Email | Webhook]:
        """Every declared channel."""
        return [*([self.email] if self.email else []), *self.webhooks]


class Settings(Section):
    """Everything that a city decides. Relative folders count from the settings file."""

    centre: Centre
    folders: Folders
    warehouse: FileWarehouse | DuckLakeWarehouse = Field(default=FileWarehouse(kind="file"), discriminator="kind")
    rules: Rules = Rules()
    night: Night = Night()
    retention: Retention = Retention()
    sources: list[Source] = Field(min_length=1)
    hours: list[Hours] = Field(min_length=1)
    calendar: Calendar = Calendar()
    tripwires: Tripwires = Tripwires()
    alerts: Alerts = Alerts()
    clusters: list[Cluster] = []
    action_plan: ActionPlan = ActionPlan()
    text: str = Field(default="", exclude=True, repr=False)

    @model_validator(mode="after")
    def _as_a_whole(self) -> Self:
        _refuse_doubles("sources", [source.name for source in self.sources])
        _refuse_doubles("alerts.webhooks", [webhook.name for webhook in self.alerts.webhooks])
        if any(source.kind == "calls" for source in self.sources):
            self._require_hours("telephone")
        if any(source.kind == "appointments" for source in self.sources):
            self._require_hours("desk")
        for point in self.service_points:
            _refuse_overlap_and_gap(
                f"hours of '{point}'", [(h.valid_from, h.valid_to) for h in self.hours if h.service_point == point]
            )
        mapped: dict[str, list[tuple[date, date]]] = {}
        for cluster in self.clusters:
            for service in cluster.services:
                mapped.setdefault(service, []).append((cluster.valid_from, cluster.valid_to))
        for service, spans in mapped.items():
            _refuse_overlap(f"clusters: service '{service}'", spans)
        plan = self.action_plan
        clusters = {cluster.cluster for cluster in self.clusters}
        for norm in plan.norms:
            if norm.cluster is not None and norm.cluster not in clusters:
                raise ValueError(f"action_plan.norms: '{norm.cluster}' is not a cluster of [[clusters]]")
        _refuse_doubles("norms", [(n.indicator, n.variant, n.cluster, str(n.valid_from)) for n in plan.norms])
        _refuse_doubles("published_history", [(f.indicator, f.year) for f in plan.published_history])
        _refuse_doubles("money", [money.year for money in plan.money])
        _refuse_doubles("actions", [action.code for action in plan.actions])
        return self

    @model_validator(mode="after")
    def _names_that_exist(self) -> Self:
        for closure in self.calendar.closures:
            for point in closure.service_points:
                if point not in self.service_points:
                    raise ValueError(f"calendar.closures: {closure.date} names '{point}', which has no hours")
        calls = {source.name: source for source in self.sources if source.kind == "calls"}
        for log in calls.values():
            main = calls.get(log.legs_of or log.name)
            if log.legs_of and (main is None or main.legs_of is not None or main.columns.call_id is None):
                raise ValueError(
                    f"sources: legs_of of '{log.name}' is '{log.legs_of}': expected a source of calls that has ids and "
                    "no legs_of itself"
                )
        appointments = {source.name: source for source in self.sources if source.kind == "appointments"}
        for visits in appointments.values():
            planned = appointments.get(visits.visits_of or visits.name)
            if visits.visits_of and (planned is None or planned.visits_of is not None):
                raise ValueError(
                    f"sources: visits_of of '{visits.name}' is '{visits.visits_of}': expected a source of appointments "
                    "that has no visits_of itself"
                )
        sources = {"calendar", *(source.name for source in self.sources)}
        for accepted in self.tripwires.accepted:
            if accepted.source is not None and accepted.source not in sources:
                raise ValueError(f"tripwires.accepted: '{accepted.source}' is not a source of [[sources]]")
        return self

    def _require_hours(self, point: str) -> None:
        if point not in self.service_points:
            raise ValueError(f"hours: there are none for '{point}', which the declared sources need")

    @property
    def service_points(self) -> list[str]:
        """The service points that have hours, in the order of the settings."""
        return list(dict.fromkeys(h.service_point for h in self.hours))

    @property
    def sha256(self) -> str:
        """Names this version of the settings wherever it was used."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def _refuse_doubles(what: str, keys: Iterable[object]) -> None:
    seen: set[object] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"{what}: {key!r} is declared twice")
        seen.add(key)


def _refuse_overlap(what: str, spans: list[tuple[date, date]]) -> None:
    ordered = sorted(spans)
    for (_, ends), (starts, _) in pairwise(ordered):
        if starts <= ends:
            raise ValueError(f"{what} overlap: valid to {ends}, and again from {starts}")


def _refuse_overlap_and_gap(what: str, spans: list[tuple[date, date]]) -> None:
    _refuse_overlap(what, spans)
    ordered = sorted(spans)
    for (_, ends), (starts, _) in pairwise(ordered):
        if starts > ends + timedelta(days=1):
            raise ValueError(f"{what} have a gap: nothing is valid after {ends} and before {starts}")


def _sentence(path: Path, error: ValidationError) -> str:
    """The first mistake, as file, key, value and what is expected."""
    first = error.errors()[0]
    key = ""
    for part in first["loc"]:
        if part in ("calls", "appointments", "file", "ducklake") and re.fullmatch(r"sources\[\d+\]|warehouse", key):
            continue  # pydantic names the kind of source or warehouse it tried; it is not a key of the file
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "there is no such key; docs/settings.md lists them all"
    if first["type"] == "union_tag_not_found":
        message = "it has no 'kind'; docs/settings.md lists them all"
    if first["type"] == "union_tag_invalid":
        message = f"its kind is '{first['ctx']['tag']}': expected one of {first['ctx']['expected_tags']}"
    value = first.get("input")
    # what stands in the wrong place below `alerts` may be a password or the address of a webhook
    may_be_shown = first["loc"][:1] != ("alerts",) and isinstance(value, str | int | float | bool | date | time)
    shown = f" is {value!r}" if may_be_shown else ""
    more = f" ({error.error_count() - 1} more after this one)" if error.error_count() > 1 else ""
    return f"{path}: {key + shown + ': ' if key else ''}{message}{more}"


def load_settings(path: Path | None = None, quick: bool = False) -> Settings:
    """Read and check the settings.

    `path` defaults to $KCC_SETTINGS, else `kcc.toml` in the working folder, else in the project's root.
    $KCC_EXPORTS and $KCC_DATA take the place of the folders in it; relative ones count from the file.
    `quick` leaves one thing to the next run: whether the holidays library knows the country. The library imports every
    country to say so, which takes longer than all else that who only asks waits for.
    Raises SettingsError with one sentence.
    """
    if path is None:
        named = os.environ.get("KCC_SETTINGS")
        here = Path("kcc.toml")
        path = Path(named) if named else here if here.exists() else ROOT / "kcc.toml"
    path = path.absolute()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{path}: the settings can't be read ({error.strerror}); set KCC_SETTINGS to the city's file"
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: the settings are not UTF-8 text; save the file as UTF-8") from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    folders = content.get("folders")
    if isinstance(folders, dict):
        for key, variable in (("exports", "KCC_EXPORTS"), ("data", "KCC_DATA")):
            chosen = os.environ.get(variable) or folders.get(key)
            if isinstance(chosen, str):
                folders[key] = str((path.parent / chosen).absolute())
    warehouse = content.get("warehouse")
    if isinstance(warehouse, dict) and isinstance(warehouse.get("folder"), str):
        warehouse["folder"] = str((path.parent / warehouse["folder"]).resolve())
    try:
        return Settings.model_validate({**content, "text": text}, context=QUICK if quick else None)
    except ValidationError as error:
        raise SettingsError(_sentence(path, error)) from None


def changed_settings(before: str, after: str) -> list[str]:
    """The keys in which two settings files differ and that can change a figure, in the order of their names.

    Tables in a list that have a name are told apart by it: `sources.telephony.time_zone`; other lists are named whole.
    """
    old, new = tomllib.loads(before), tomllib.loads(after)
    for settings in (old, new):
        for key in ("folders", "warehouse", "night", "alerts", "retention", "tripwires", "action_plan"):
            settings.pop(key, None)
        settings.get("centre", {}).pop("name", None)
        for key in ("country", "subdivision", "yearly"):
            settings.get("calendar", {}).pop(key, None)
        for source in settings.get("sources", []):
            for key in ("manifest", "unchanged_seconds", "not_misread"):
                source.pop(key, None)
    return sorted(_differences(old, new))


def _differences(old: object, new: object, path: str = "") -> Iterable[str]:
    old, new = _by_name(old), _by_name(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}".removeprefix("."))
    elif old != new:
        yield path


def _by_name(value: object) -> object:
    if isinstance(value, list) and value and all(isinstance(part, dict) and "name" in part for part in value):
        return {part["name"]: part for part in value}
    return value
