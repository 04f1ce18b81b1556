"""What the sheet shows, asked of the published warehouse by small queries.

Belongs here: queries and the plain classes that hold their answers. Does not belong here: how anything is written or
drawn, and any arithmetic that SQL has not done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import polars as pl

CHANNEL_FIGURES = """
    select booking_channel, sum(working_days_sum) / nullif(sum(appointments), 0), sum(appointments)::bigint,
        bool_and(complete)
    from marts.appointment_lead_time_monthly
    where month between ? and ?
    group by booking_channel
    having sum(booked) > 0
    order by booking_channel
"""


@dataclass(frozen=True)
class Range:
    """The months of a sheet, by the first day of the first and of the last."""

    first: date
    last: date

    @classmethod
    def of_year(cls, year: int) -> Range:
        """January to December."""
        return cls(date(year, 1, 1), date(year, 12, 1))

    @property
    def year(self) -> int | None:
        """The year, if it is exactly one."""
        whole = (self.first.month, self.last.month) == (1, 12) and self.first.year == self.last.year
        return self.first.year if whole else None

    @property
    def name(self) -> str:
        """How files are named after it."""
        return str(self.year) if self.year else f"{self.first:%Y-%m}_{self.last:%Y-%m}"


@dataclass(frozen=True)
class Figure:
    """A row of marts.indicators."""

    indicator: str
    variant: str
    period_type: str
    period: date
    dimension_type: str
    dimension: str
    value: float | None
    unit: str
    numerator: Decimal | None
    denominator: Decimal | None
    value_reason: str | None
    is_lower_bound: bool
    norm_operator: str | None
    norm_value: Decimal | None
    norm_met: bool | None
    complete: bool


@dataclass(frozen=True)
class Norm:
    """A norm that holds in some month of the range."""

    indicator: str
    variant: str
    dimension: str
    operator: str
    value: Decimal
    valid_from: date
    valid_to: date
    source: str


@dataclass(frozen=True)
class Met:
    """How many months of the range meet the norm, of those with a norm and a figure that decides it.

    A lower bound that meets its norm decides nothing: the true figure may be higher.
    """

    indicator: str
    variant: str
    dimension: str
    met: int
    months: int
    incomplete: int


@dataclass(frozen=True)
class Published:
    """A figure that was published before, and can't be computed again."""

    year: int
    value: Decimal
    source: str


@dataclass(frozen=True)
class Step:
    """A step of the bridge over the whole range."""

    step: str
    records: int


@dataclass(frozen=True)
class Channel:
    """The lead time of a booking channel over the whole range."""

    channel: str
    mean_working_days: float | None
    appointments: int
    complete: bool


@dataclass(frozen=True)
class SourceFiles:
    """What was read of a source so far: files by their status, records by their state."""

    source: str
    loaded: int
    replaced: int
    deferred: int
    refused: int
    records: int
    accepted: int
    excluded: int
    duplicates: int
    superseded: int
    quarantined: int
    newest_export_at_utc: datetime | None


@dataclass(frozen=True)
class NotIn:
    """The last delivery of a file, if it is not in."""

    file_name: str
    status: str
    reason: str


@dataclass(frozen=True)
class Incomplete:
    """A month of the range that is not complete for some indicators."""

    period: date
    indicators: list[str]


@dataclass(frozen=True)
class Warned:
    """A tripwire that is touched in the range, accepted or not."""

    tripwire: str
    source: str
    month: date
    affected: int
    total: int
    accepted_reason: str | None
    accepted_until: date | None


@dataclass(frozen=True)
class Restated:
    """A figure of the range that changed after it had been published as complete."""

    restated_at_utc: datetime
    indicator: str
    variant: str
    period_type: str
    period: date
    dimension: str
    old_value: float | None
    new_value: float | None
    unit: str
    why: str


@dataclass(frozen=True)
class Publication:
    """The publication that was asked."""

    version: str
    published_at_utc: datetime
    as_of_utc: datetime | None
    settings_sha256: str


@dataclass(frozen=True)
class Marks:
    """What the marts count beside the calls of the range: see the columns of marts.missed_calls_monthly."""

    calls: int
    open: int
    excluded: int
    outside_hours_answered: int
    ended_after_closing: int
    spanning_opening: int
    impossible_durations: int


@dataclass(frozen=True)
class Figures:
    """Everything that the sheet of a range shows."""

    range: Range
    publication: Publication
    months: list[Figure]
    years: list[Figure]
    norms: list[Norm]
    met: list[Met]
    history: list[Published]
    bridge: list[Step]
    misregistered: int
    channels: list[Channel]
    marks: Marks
    whole_minutes: bool
    files: list[SourceFiles]
    not_in: list[NotIn]
    incomplete: list[Incomplete]
    warned: list[Warned]
    restated: list[Restated]
    restated_more: int

    @property
    def has_data(self) -> bool:
        """Whether any month of the range has a figure."""
        return any(figure.value is not None for figure in self.months)

    def series(
        self, indicator: str, variant: str = "headline", by: str = "all", dimension: str = "all"
    ) -> list[Figure]:
        """One figure by month, oldest first. `by` is the type of the dimension."""
        return _selected(self.months, indicator, variant, by, dimension)

    def yearly(
        self, indicator: str, variant: str = "headline", by: str = "all", dimension: str = "all"
    ) -> list[Figure]:
        """One figure by year, oldest first."""
        return _selected(self.years, indicator, variant, by, dimension)

    def dimensions(self, indicator: str, dimension_type: str) -> list[str]:
        """The values of a dimension, in the order of their names; `unmapped` last."""
        found = {
            figure.dimension
            for figure in self.months
            if figure.indicator == indicator and figure.dimension_type == dimension_type
        }
        return sorted(found, key=lambda name: (name == "unmapped", name))

    def norms_of(self, indicator: str, variant: str = "headline", dimension: str | None = None) -> list[Norm]:
        """The norms of an indicator that hold in the range, oldest first."""
        return [
            norm
            for norm in self.norms
            if (norm.indicator, norm.variant) == (indicator, variant) and dimension in (None, norm.dimension)
        ]


def _selected(figures: list[Figure], indicator: str, variant: str, by: str, dimension: str) -> list[Figure]:
    wanted = (indicator, variant, by, dimension)
    return [one for one in figures if (one.indicator, one.variant, one.dimension_type, one.dimension) == wanted]


FIGURE = ", ".join(Figure.__dataclass_fields__)


def year_of_the_newest_month(con: duckdb.DuckDBPyConnection) -> int | None:
    """The year of the newest month that is complete, or of the newest that has a figure; None without any."""
    rows = con.execute(
        """
        select year(period) from marts.indicators
        where period_type = 'month' and value is not null
        order by complete desc, period desc
        limit 1
        """
    ).fetchall()
    return int(rows[0][0]) if rows else None


def restated_years(con: duckdb.DuckDBPyConnection) -> list[int]:
    """The years of which the newest publication changed a figure that had been complete."""
    return [
        year
        for (year,) in con.execute(
            """
            select distinct year(period) from ops.restatements
            where version = (select max_by(version, (published_at_utc, version)) from ops.publications)
            order by 1
            """
        ).fetchall()
    ]


def indicators_of(con: duckdb.DuckDBPyConnection, months: Range) -> pl.DataFrame:
    """marts.indicators of the range: its months, and the years that it covers from January to December."""
    described = con.execute(
        """
        select * from marts.indicators
        where if(period_type = 'month', period, period + interval 11 month) between ? and ? and period >= ?
        order by all
        """,
        [months.first, months.last, months.first],
    )
    names = [column[0] for column in described.description or []]
    rows = described.fetchall()
    amount, texts = pl.Decimal(18, 6), pl.String()
    types: dict[str, pl.DataType] = {"period": pl.Date(), "value": pl.Float64()}
    types |= dict.fromkeys(("numerator", "denominator", "norm_value"), amount)
    types |= dict.fromkeys(("is_lower_bound", "norm_met", "complete"), pl.Boolean())
    return pl.DataFrame(rows, schema={name: types.get(name, texts) for name in names}, orient="row")


def figures_of(con: duckdb.DuckDBPyConnection, months: Range) -> Figures:
    """Ask the warehouse for everything that the sheet of these months shows."""
    between = [months.first, months.last]
    last_year = months.last.replace(month=1)
    restated = [Restated(*row) for row in con.execute(RESTATED, between * 2).fetchall()]
    return Figures(
        range=months,
        publication=Publication(*con.execute(PUBLICATION).fetchall()[0]),
        months=_figures(con, "period_type = 'month' and period between ? and ?", between),
        years=_figures(con, "period_type = 'year' and period <= ?", [last_year]),
        norms=[Norm(*row) for row in con.execute(NORMS, [months.last, months.first]).fetchall()],
        met=[Met(*row) for row in con.execute(MET, between).fetchall()],
        history=[Published(*row) for row in con.execute(HISTORY).fetchall()],
        bridge=[Step(*row) for row in con.execute(BRIDGE, between).fetchall()],
        misregistered=_one(con, MISREGISTERED, between)[0],
        channels=[Channel(*row) for row in con.execute(CHANNEL_FIGURES, between).fetchall()],
        marks=Marks(*_one(con, MARKS, between)),
        whole_minutes=_one(con, WHOLE_MINUTES, between)[0],
        files=[SourceFiles(*row) for row in con.execute(FILES).fetchall()],
        not_in=[NotIn(*row) for row in con.execute(NOT_IN).fetchall()],
        incomplete=[Incomplete(*row) for row in con.execute(INCOMPLETE, between).fetchall()],
        warned=[Warned(*row) for row in con.execute(WARNED, between).fetchall()],
        restated=restated[:SHOWN],
        restated_more=max(0, len(restated) - SHOWN),
    )


def _figures(con: duckdb.DuckDBPyConnection, where: str, values: list[date]) -> list[Figure]:
    query = f"""
        select {FIGURE} from marts.indicators where {where}
        order by period, indicator, variant, dimension_type, dimension
    """
    return [Figure(*row) for row in con.execute(query, values).fetchall()]


def _one(con: duckdb.DuckDBPyConnection, query: str, values: list[date]) -> tuple[Any, ...]:
    rows: list[tuple[Any, ...]] = con.execute(query, values).fetchall()
    return rows[0]


SHOWN = 40
"""So many restatements are printed; how many more there are is said."""

PUBLICATION = """
    select version, published_at_utc, as_of_utc, settings_sha256 from ops.publications
    order by published_at_utc desc, version desc limit 1
"""

NORMS = """
    select indicator, variant, dimension, operator, value, valid_from, valid_to, source from core.norms
    where valid_from <= last_day(?) and valid_to >= ?
    order by indicator, variant, dimension, valid_from
"""

MET = """
    select
        indicator, variant, dimension,
        count(*) filter (where norm_met)::bigint, count(norm_met)::bigint,
        count(*) filter (where norm_met is not null and not complete)::bigint
    from marts.indicators
    where
        period_type = 'month' and norm_operator is not null and period between ? and ?
        and not (is_lower_bound and coalesce(norm_met, false))
    group by indicator, variant, dimension
    order by indicator, variant desc, dimension
"""

HISTORY = "select year, value, source from core.published_history where indicator = 'missed_calls' order by year"

BRIDGE = """
    select step, sum(records)::bigint from marts.missed_calls_bridge
    where period_type = 'month' and period between ? and ?
    group by step_number, step order by step_number
"""

MISREGISTERED = """
    select coalesce(-sum(records), 0)::bigint from marts.missed_calls_bridge
    where
        period_type = 'month' and period between ? and ?
        and step in ('before_opening', 'break', 'after_closing', 'closed_weekday', 'holiday', 'closure')
"""

MARKS = f"""
    select {", ".join(f"coalesce(sum({name}), 0)::bigint" for name in Marks.__dataclass_fields__)}
    from marts.missed_calls_monthly where month between ? and ?
"""

WHOLE_MINUTES = """
    select count(*) > 0 and bool_and(second(planned_start_utc) = 0 and second(started_at_utc) = 0)
    from core.appointments
    where visitor_wait_seconds is not null and date_trunc('month', visit_date) between ? and ?
"""

FILES = """
    select
        source,
        count(*) filter (where status = 'loaded'), count(*) filter (where status = 'replaced'),
        count(*) filter (where status = 'deferred'), count(*) filter (where status = 'refused'),
        sum(records)::bigint, sum(accepted)::bigint, sum(excluded)::bigint, sum(duplicates)::bigint,
        sum(superseded)::bigint, sum(quarantined)::bigint,
        max(exported_at_utc) filter (where status = 'loaded')
    from ops.ledger group by source order by source
"""

NOT_IN = """
    with latest as (
        select * from ops.ledger qualify delivery = max(delivery) over (partition by source, file_name)
    )
    select file_name, status, coalesce(reason, '') from latest
    where status in ('refused', 'deferred') order by file_name
"""

INCOMPLETE = """
    select period, list(distinct indicator order by indicator) from marts.indicators
    where period_type = 'month' and not complete and period between ? and ?
    group by period order by period
"""

WARNED = """
    select tripwire, source, month, affected, total, accepted_reason, accepted_until from ops.tripwires
    where month between ? and ?
    order by is_blocking desc, month, tripwire, source
"""

RESTATED = """
    select
        restated_at_utc, indicator, variant, period_type, period, dimension, old_value, new_value, unit, why
    from ops.restatements
    where (period_type = 'month' and period between ? and ?)
        or (period_type = 'year' and period between date_trunc('year', ?::date) and date_trunc('year', ?::date))
    order by
        restated_at_utc desc, version desc, variant <> 'headline', dimension <> 'all', period, indicator, variant,
        dimension_type, dimension
"""
