"""What the Dagster UI shows of each published mart: some rows of the newest complete month, and a bar chart of it.

Bars are written in block characters: the UI shows Markdown below 1,000 characters at once, a picture only after a
click, and nothing has to be imported to draw them. Marts only: a row of `core` is one citizen's call or appointment.
Does not belong here: any figure that the marts don't have.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
import duckdb

from assets.untold import kind_and_place
from pipelines.plain import in_markdown
from pipelines.store import Store
from schemas.ops import DAY_STATES, STATES
from schemas.tables import columns, key

Metadata = Mapping[str, dg.MetadataValue[Any]]
ROWS = 4
WIDTH = 12
SHOWN_AT_ONCE = 1000
log = logging.getLogger("kcc")


@dataclass(frozen=True)
class Preview:
    """How a mart is shown: which indicator tells its newest month, which of its rows are of that month, and its bars.

    `bars` asks for a label, a value in `unit`, and a `note` beside it; it and `rows` may use `$month`, its first day.
    """

    indicator: str
    rows: str
    unit: str
    bars: str
    note: str = "norm"


_NORM = "figure.norm_operator || ' ' || figure.norm_value::float || if(figure.norm_met, ' ✓', ' ✗')"
_BY_MONTH = f"""
    select strftime(figure.period, '%Y-%m'), figure.value, {_NORM}
    from marts.indicators as figure
    where figure.indicator = '{{}}' and figure.variant = 'headline' and figure.dimension_type = 'all'
        and figure.period_type = 'month' and figure.period between $month - interval 11 month and $month
    order by figure.period
"""
_BY_DIMENSION = f"""
    select figure.dimension, figure.value, {_NORM}
    from marts.indicators as figure
    where figure.indicator = '{{}}' and figure.variant = 'headline' and figure.dimension_type = '{{}}'
        and figure.period_type = 'month' and figure.period = $month
    order by figure.dimension
"""
_A_DAY = """
    select strftime(date, '%d %a'), sum({counted}), null from marts.{mart}
    where date between $month and last_day($month)
    group by date having bool_or(is_open) or sum({counted}) > 0 order by date
"""

PREVIEWS = {
    "marts.missed_calls_monthly": Preview(
        "missed_calls",
        "month = $month",
        "% missed",
        """
        select strftime(period, '%Y-%m'), any_value(value) filter (where variant = 'headline'),
            round(any_value(value) filter (where variant = 'reported'), 2)::varchar
        from marts.indicators
        where indicator = 'missed_calls' and dimension_type = 'all' and period_type = 'month'
            and period between $month - interval 11 month and $month
        group by period order by period
        """,
        note="reported",
    ),
    "marts.missed_calls_yearly": Preview(
        "missed_calls",
        "year = date_trunc('year', $month)",
        "% missed",
        """
        select year(period)::varchar, value, if(complete, null, 'not complete') from marts.indicators
        where indicator = 'missed_calls' and variant = 'headline' and dimension_type = 'all' and period_type = 'year'
        order by period
        """,
        note="",
    ),
    "marts.missed_calls_bridge": Preview(
        "missed_calls",
        "period_type = 'month' and period = $month",
        "records",
        """
        select step, records, null from marts.missed_calls_bridge
        where period_type = 'month' and period = $month and records <> 0
        order by step_number
        """,
        note="",
    ),
    "marts.telephone_wait_monthly": Preview(
        "telephone_wait", "month = $month", "seconds", _BY_MONTH.format("telephone_wait")
    ),
    "marts.answer_speed_monthly": Preview(
        "answer_speed",
        "month = $month",
        "% of answered",
        f"""
        select distinct figure.dimension, figure.value, {_NORM}, speed.bucket_number
        from marts.indicators as figure
        inner join marts.answer_speed_monthly as speed on speed.speed_bucket = figure.dimension
        where figure.indicator = 'answer_speed' and figure.variant = 'headline' and figure.value is not null
            and figure.period_type = 'month' and figure.period = $month
        order by speed.bucket_number
        """,
    ),
    "marts.visitor_wait_monthly": Preview(
        "visitor_wait", "month = $month", "minutes", _BY_DIMENSION.format("visitor_wait", "cluster")
    ),
    "marts.appointment_lead_time_monthly": Preview(
        "lead_time", "month = $month", "working days", _BY_DIMENSION.format("lead_time", "booking_channel")
    ),
    "marts.calls_daily": Preview(
        "missed_calls",
        "date between $month and last_day($month)",
        "calls offered",
        _A_DAY.format(counted="offered", mart="calls_daily"),
        note="",
    ),
    "marts.calls_quarter_hourly": Preview(
        "missed_calls",
        "date between $month and last_day($month)",
        "calls offered",
        """
        select left(time_of_day, 2) || ' h', sum(offered), null from marts.calls_quarter_hourly
        where date between $month and last_day($month) and opening_minutes > 0
        group by 1 order by 1
        """,
        note="",
    ),
    "marts.visits_daily": Preview(
        "visitor_wait",
        "date between $month and last_day($month)",
        "visits",
        _A_DAY.format(counted="visits", mart="visits_daily"),
        note="",
    ),
    "marts.indicators": Preview(
        "missed_calls",
        "period_type = 'month' and period = $month and variant = 'headline' and dimension_type = 'all'",
        "% of what the norm allows",
        f"""
        select
            replace(figure.indicator, '_', ' ') || if(figure.dimension_type = 'cluster', ' ' || figure.dimension, ''),
            100 * if(
                figure.norm_operator = '>=',
                figure.norm_value / nullif(figure.value, 0),
                figure.value / nullif(figure.norm_value, 0)
            ),
            {_NORM}
        from marts.indicators as figure
        where figure.variant = 'headline' and figure.norm_value is not null
            and figure.period_type = 'month' and figure.period = $month
        order by figure.indicator, figure.dimension
        """,
    ),
}
"""Every mart, in the words of its own queries."""


def previews(store: Store) -> dict[str, Metadata]:
    """What to show of every mart of a published warehouse; nothing, and a warning, where that fails.

    The night is published: what is shown of it must not turn it into a failure.
    """
    try:
        with store.open() as con:
            marts = {table: _shown(con, table, preview) for table, preview in PREVIEWS.items()}
            return {**marts, "ops.ledger": _records(con), "ops.days": _days(con)}
    except Exception as error:
        log.warning("published, but without previews: %s", kind_and_place(error))
        return {}


def _shown(con: duckdb.DuckDBPyConnection, table: str, preview: Preview) -> Metadata:
    newest = con.execute(
        """
        select period, complete from marts.indicators
        where indicator = ? and period_type = 'month' and value is not null
        order by complete desc, period desc limit 1
        """,
        [preview.indicator],
    ).fetchone()
    if newest is None:
        return {}
    month, is_complete = newest
    return {
        "month": dg.MetadataValue.text(f"{month:%B %Y}{'' if is_complete else ', not complete'}"),
        "chart": dg.MetadataValue.md(_chart(con, preview, month)),
        "preview": _rows(con, table, preview, month),
    }


def _records(con: duckdb.DuckDBPyConnection) -> Metadata:
    """How many records are in each state, as numbers that the UI plots from night to night."""
    counted = con.execute(f"select {', '.join(f'sum({state})::bigint' for state in STATES)} from ops.ledger").fetchone()
    return {state: dg.MetadataValue.int(count or 0) for state, count in zip(STATES, counted or [], strict=True)}


def _days(con: duckdb.DuckDBPyConnection) -> Metadata:
    """How many days of each of the newest months have data, are missing and so on; and which ask to be looked at."""
    states = ", ".join(f"count(*) filter (state = '{state}') as {state}" for state in DAY_STATES)
    months = con.execute(
        f"""
        select strftime(date, '%Y-%m') as month, source, {states} from ops.days
        group by all order by month desc, source limit 12
        """
    ).fetchall()
    lines = ["| month | source | " + " | ".join(DAY_STATES) + " |", "|---|---|" + "--:|" * len(DAY_STATES)]
    lines += [f"|{month}|{in_markdown(source)}|{'|'.join(map(str, counts))}|" for month, source, *counts in months]
    left = con.execute(
        """
        select date, source, state from ops.days where state in ('missing', 'failed', 'partial', 'no_hours')
        order by date desc, source
        """
    ).fetchall()
    told = [f"{day:%a %Y-%m-%d}, {in_markdown(source)}: {state}" for day, source, state in left[:12]]
    more = [f"… and {len(left) - 12} more: `select * from ops.days`"] if len(left) > 12 else []
    return {
        "months": dg.MetadataValue.md("\n".join(lines)),
        "to_look_at": dg.MetadataValue.md("\n\n".join(told + more) or "no day"),
        "days_to_look_at": dg.MetadataValue.int(len(left)),
    }


def _chart(con: duckdb.DuckDBPyConnection, preview: Preview, month: date) -> str:
    """A table of Markdown: label, value, bar, note. If it gets too long the bars shrink, and then the last rows go."""
    rows = con.execute(preview.bars, {"month": month} if "$month" in preview.bars else None).fetchall()
    highest = max((abs(row[1]) for row in rows if row[1] is not None), default=0) or 1
    for width in (WIDTH, WIDTH // 2, 0):
        lines = [f"| | {preview.unit} | | {preview.note} |", "|---|--:|---|---|"]
        lines += [
            f"|{in_markdown(label)}|{_number(value)}|{_bar(value, highest, width)}|{in_markdown(note or '')}|"
            for label, value, note, *_ in rows
        ]
        chart = "\n".join(lines)
        if len(chart) < SHOWN_AT_ONCE:
            return chart
    return "\n".join(lines[:20])


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _bar(value: float | None, highest: float, width: int) -> str:
    """A bar of block characters to an eighth of one; a pale one, to a whole one, for what is taken off."""
    eighths = round(abs(value or 0) / highest * width * 8)
    if (value or 0) < 0:
        return "░" * round(eighths / 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _rows(con: duckdb.DuckDBPyConnection, table: str, preview: Preview, month: date) -> dg.TableMetadataValue:
    """A column a row and a row a column, for most marts have more columns than a page is wide."""
    of_table = [column.name for column in columns(table)]
    query = (
        f"select {', '.join(of_table)} from {table} where {preview.rows} order by {', '.join(key(table))} limit {ROWS}"
    )
    rows = con.execute(query, {"month": month}).fetchall()
    names = [str(number) for number in range(1, len(rows) + 1)]
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord({"column": name, **{n: _told(row[place]) for n, row in zip(names, rows, strict=True)}})
            for place, name in enumerate(of_table)
        ],
        schema=dg.TableSchema([dg.TableColumn("column"), *(dg.TableColumn(name) for name in names)]),
    )


def _told(value: object) -> str | float | bool | None:
    if value is None or isinstance(value, str | bool | int | float):
        return round(value, 4) if isinstance(value, float) else value
    return str(value)
