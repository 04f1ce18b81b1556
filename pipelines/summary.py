"""What a person wants to know after a night: the indicators, what became of the records, what is not in.

Belongs here: questions to the warehouse that it built. Does not belong here: how the answers are printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assets.outstanding import not_in
from assets.sessions import readonly
from assets.tripwires import tripped
from pipelines.publishing import Warehouse
from pipelines.settings import Settings
from schemas.ops import STATES


@dataclass(frozen=True)
class IndicatorLine:
    """One indicator in its newest complete period, or the newest with a value if none is complete.

    `reported` is what the telephone software would say, for missed calls only; both figures are in `unit`.
    """

    indicator: str
    variant: str
    dimension: str
    period_type: str
    period: date
    complete: bool
    reported: float | None
    value: float | None
    unit: str
    norm: str
    norm_met: bool | None


@dataclass(frozen=True)
class Summary:
    """A warehouse in a page. `files` are loaded, `warnings` tripwires that nobody accepted."""

    indicators: list[IndicatorLine]
    records: dict[str, dict[str, int]]
    files: int
    outstanding: list[str]
    warnings: int
    warehouse: str
    version: str


INDICATORS = """
    with normed as (
        select * from marts.indicators
        where variant in ('headline', 'action_plan') and norm_operator is not null and value is not null
        qualify row_number() over (
            partition by indicator, variant, dimension_type, dimension
            order by complete desc, period desc
        ) = 1
    )
    select
        normed.indicator, normed.variant, normed.dimension, normed.period_type, normed.period, normed.complete,
        reported.value, normed.value, normed.unit,
        normed.norm_operator || ' ' || rtrim(rtrim(normed.norm_value::varchar, '0'), '.'), normed.norm_met
    from normed
    left join marts.indicators as reported
        on
            reported.variant = 'reported'
            and (reported.indicator, reported.period_type, reported.period, reported.dimension_type, reported.dimension)
            = (normed.indicator, normed.period_type, normed.period, normed.dimension_type, normed.dimension)
    order by
        list_position(
            ['missed_calls', 'telephone_wait', 'answer_speed', 'visitor_wait', 'lead_time'], normed.indicator
        ),
        normed.variant desc,
        normed.dimension
"""


VERSION = "select max_by(version, (published_at_utc, version)) from ops.publications"


def summarise(settings: Settings, held_back: Path | None = None) -> Summary:
    """Ask the published warehouse, or one that was held back."""
    store = Warehouse.of(settings).store
    with store.open() if held_back is None else readonly(held_back) as con:
        lines = [IndicatorLine(*row) for row in con.execute(INDICATORS).fetchall()]
        counts = con.execute(
            f"""
            select source, {", ".join(f"sum({state})::bigint" for state in STATES)}
            from ops.ledger group by source order by source
            """
        ).fetchall()
        return Summary(
            indicators=lines,
            records={source: dict(zip(STATES, numbers, strict=True)) for source, *numbers in counts},
            files=con.execute("select count(*) from ops.ledger where status = 'loaded'").fetchall()[0][0],
            outstanding=not_in(con, settings),
            warnings=sum(one.accepted_reason is None for one in tripped(con)),
            warehouse=store.where if held_back is None else str(held_back),
            version=con.execute(VERSION).fetchall()[0][0],
        )
