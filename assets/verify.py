"""Refuses to publish a warehouse that breaks a contract or does not add up.

Belongs here: what must hold of every warehouse, whatever is in it. A failure names the table, the rule and how
many rows break it; never a value.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pandera.errors
import pandera.polars as pa
import polars as pl

from pipelines.runbook import Heading, see
from schemas.rules import rules_of
from schemas.tables import TABLES, columns, key

BATCH = 50_000


class NotPublishable(Exception):
    """The warehouse breaks what it promises; nothing is published. `table` is the one that breaks its contract, None
    where it is a sum that does not hold.
    """

    def __init__(self, message: str, table: str | None = None) -> None:
        self.table = table
        heading = Heading.ADDS_UP if table is None else Heading.CONTRACT
        super().__init__(f"{message} {see(heading)}")


SUMS: dict[str, str] = {
    "every record of a loaded or replaced file is in exactly one state (ops.ledger)": """
        select count(*) from ops.ledger
        where records <> accepted + excluded + duplicates + superseded + quarantined
    """,
    "a refused or deferred file has no record in any state (ops.ledger)": """
        select count(*) from ops.ledger where status in ('refused', 'deferred') and records > 0
    """,
    "every quarantined record stands in ops.quarantine": """
        select abs((select count(*) from ops.quarantine) - (select coalesce(sum(quarantined), 0) from ops.ledger))
    """,
    "every accepted or excluded record that tells of a call tells of one (core.calls)": """
        select abs(
            (select coalesce(sum(records), 0) from core.calls)
            - (
                select count(*) from staging.call_states
                where state in ('accepted', 'excluded') and exclusion_rule is distinct from 'no_call'
            )
        )
    """,
    "every accepted record of an appointment is of one appointment (core.appointments)": """
        select abs(
            (select coalesce(sum(records), 0) from core.appointments)
            - (select count(*) from staging.appointment_states where state = 'accepted')
        )
    """,
    "the months of missed calls hold every call (marts.missed_calls_monthly)": """
        select abs(
            (select count(*) from core.calls) - (select coalesce(sum(calls), 0) from marts.missed_calls_monthly)
        )
    """,
    "answered, missed, outside, open and excluded sum to the calls (marts.missed_calls_monthly)": """
        select count(*) from marts.missed_calls_monthly
        where calls <> answered + missed + outside_hours + open + excluded
    """,
    "the days of a month sum to it (marts.calls_daily)": """
        select count(*) from (
            select
                date_trunc('month', date)::date as month,
                queue,
                sum(calls) as calls,
                sum(answered) as answered,
                sum(missed) as missed
            from marts.calls_daily group by all
        ) as days
        full join marts.missed_calls_monthly as months using (month, queue)
        where
            (coalesce(days.calls, 0), coalesce(days.answered, 0), coalesce(days.missed, 0))
            is distinct from (months.calls, months.answered, months.missed)
    """,
    "the quarters of an hour of a day sum to it (marts.calls_quarter_hourly)": """
        select count(*) from (
            select
                date,
                queue,
                sum(calls) as calls,
                sum(answered) as answered,
                sum(missed) as missed,
                sum(opening_minutes) as opening_minutes
            from marts.calls_quarter_hourly group by all
        ) as quarters
        full join marts.calls_daily as days using (date, queue)
        where
            (coalesce(quarters.calls, 0), coalesce(quarters.answered, 0), coalesce(quarters.missed, 0))
            is distinct from (days.calls, days.answered, days.missed)
            or coalesce(quarters.opening_minutes, 0) not in (0, days.opening_minutes)
    """,
    "the days of a month sum to it (marts.visits_daily)": """
        select count(*) from (
            select
                date_trunc('month', date)::date as month,
                cluster,
                sum(appointments) as appointments,
                sum(visits) as visits,
                sum(wait_seconds_sum) as wait_seconds_sum
            from marts.visits_daily group by all
        ) as days
        full join marts.visitor_wait_monthly as months using (month, cluster)
        where
            (coalesce(days.appointments, 0), coalesce(days.visits, 0), coalesce(days.wait_seconds_sum, 0))
            is distinct from (months.appointments, months.visits, months.wait_seconds_sum)
    """,
    "the reasons of missed calls sum to them (marts.missed_calls_monthly)": """
        select count(*) from marts.missed_calls_monthly
        where missed
            <> missed_abandoned + missed_voicemail + missed_menu + missed_timeout + missed_no_agent + missed_callback
    """,
    "every share is between 0 and 100 % (marts.indicators)": """
        select count(*) from marts.indicators where unit = 'percent' and value not between 0 and 100
    """,
    "the missed share lies within its bounds (marts.indicators)": """
        select count(*) from (
            pivot (from marts.indicators where indicator = 'missed_calls' and dimension = 'all')
            on variant in ('headline', 'lowest_possible', 'highest_possible') using any_value(value)
            group by period_type, period
        )
        where headline not between lowest_possible and highest_possible
    """,
    "the bridge adds up, step by signed step (marts.missed_calls_bridge)": """
        select count(*) from (
            select
                sum(if(step_number <= 12, records, -records)) as missed,
                sum(if(step_number <= 12, all_records, -all_records)) as offered
            from marts.missed_calls_bridge group by period_type, period
        )
        where (missed, offered) <> (0, 0)
    """,
    "the bridge leads from the reported to the corrected missed calls (marts.missed_calls_monthly)": """
        select count(*) from (
            select
                period as month,
                sum(records) filter (step = 'reported_missed') as reported_missed,
                sum(all_records) filter (step = 'reported_missed') as reported,
                sum(records) filter (step = 'corrected_missed') as missed,
                sum(all_records) filter (step = 'corrected_missed') as offered
            from marts.missed_calls_bridge where period_type = 'month' group by period
        ) as bridge
        full join (
            select
                month,
                sum(reported_missed) as reported_missed,
                sum(reported_records) as reported,
                sum(missed) as missed,
                sum(offered) as offered
            from marts.missed_calls_monthly group by month
        ) as calls using (month)
        where
            (bridge.reported_missed, bridge.reported, bridge.missed, bridge.offered)
            is distinct from (calls.reported_missed, calls.reported, calls.missed, calls.offered)
    """,
    "the speed buckets sum to the answered calls (marts.answer_speed_monthly)": """
        select count(*) from (
            select month, queue, sum(answered) as answered from marts.answer_speed_monthly group by all
        ) as buckets
        full join marts.missed_calls_monthly as calls using (month, queue)
        where buckets.answered is distinct from calls.answered
    """,
    "the seven buckets are there for every month and queue (marts.answer_speed_monthly)": """
        select count(*) from (
            select month, queue from marts.answer_speed_monthly group by all having count(*) <> 7
        )
    """,
    "visits and the reasons for having none sum to the appointments (marts.visitor_wait_monthly)": """
        select count(*) from marts.visitor_wait_monthly
        where appointments <> visits + walk_ins + cancelled + no_shows + not_started + impossible + no_planned_time
    """,
    "the months of visits hold every appointment that has a day (marts.visitor_wait_monthly)": """
        select abs(
            (select count(*) from core.appointments where visit_date is not null)
            - (select coalesce(sum(appointments), 0) from marts.visitor_wait_monthly)
        )
    """,
    "the parts of the lead time sum to what was booked (marts.appointment_lead_time_monthly)": """
        select count(*) from marts.appointment_lead_time_monthly
        where booked <> appointments + cancelled + desk_same_day + planned_before_booked + outside_calendar
    """,
    "a value is NULL with a reason, or there without one (marts.indicators)": """
        select count(*) from marts.indicators where (value is null) <> (value_reason is not null)
    """,
}
"""What must add up: each query counts what does not."""


def verify(con: duckdb.DuckDBPyConnection) -> None:
    """Hold every published table against its contract and everything against everything.

    Raises NotPublishable with the first that fails.
    """
    for table in TABLES:
        _contract(con, table)
    for promise, query in SUMS.items():
        row = con.execute(query).fetchone()
        if row is None or row[0] != 0:
            raise NotPublishable(f"it does not hold that {promise}: off by {row[0] if row else '?'}")


def _contract(con: duckdb.DuckDBPyConnection, table: str) -> None:
    model = TABLES[table]
    declared = {column.name: column.type for column in columns(table)}
    built = {row[0]: row[1] for row in con.execute(f"describe {table}").fetchall()}
    if built != declared:
        wrong = sorted(set(built.items()) ^ set(declared.items()))
        raise NotPublishable(f"{table}: columns are not as declared: {wrong}", table)
    doubles = doubled_keys(con, table)
    if doubles:
        raise NotPublishable(f"{table}: {doubles} rows have the key ({', '.join(key(table))}) of another row", table)
    rules = rules_of(model)
    if rules is None:
        _by_pandera(con, table, model)
        return
    counts = ", ".join(f"count(*) filter (where {rule.broken_in_sql()})" for rule in rules)
    for rule, broken in zip(rules, con.execute(f"select {counts} from {table}").fetchall()[0], strict=True):
        if broken:
            raise NotPublishable(f"{table}.{rule.column}: {broken} values break the rule {rule.name}", table)


def doubled_keys(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """How many rows have the key of another one. In a table in the order of its key equal ones are neighbours.

    Of a million calls the neighbours are compared in 0.05 s, in which 0.2 s and 150 MB would go to counting keys.
    """
    names = ", ".join(key(table))
    in_order = con.execute(
        f"""
        select count(*) - count(*) filter (where place = place_before + 1 and names > names_before) <= 1
        from (
            select rowid as place, row({names}) as names, lag(rowid) over () as place_before,
                lag(row({names})) over () as names_before
            from {table}
        )
        """
    ).fetchone()
    if in_order == (True,):
        return 0
    counted = con.execute(f"select count(*) - count(distinct row({names})) from {table}").fetchone()
    return int(counted[0]) if counted else 0


def _by_pandera(con: duckdb.DuckDBPyConnection, table: str, model: type[pa.DataFrameModel]) -> None:
    """Hold a table against its contract where Pandera itself must look at the rows."""
    names = [column.name for column in columns(table)]
    for frame in _batches(con, table):
        try:
            model.validate(frame.select(names), lazy=True)
        except pandera.errors.SchemaErrors as errors:
            first = errors.failure_cases.row(0, named=True)
            raise NotPublishable(
                f"{table}.{first['column']}: {errors.failure_cases.height} values break the rule {first['check']}",
                table,
            ) from None


def _batches(con: duckdb.DuckDBPyConnection, table: str) -> Iterator[pl.DataFrame]:
    """The table in parts, so that memory stays bounded; at least one part."""
    row = con.execute(f"select count(*) from {table}").fetchone()
    rows = row[0] if row else 0
    for first in range(0, max(rows, 1), BATCH):
        part = con.sql(f"from {table} where rowid >= {first} and rowid < {first + BATCH}")
        yield pl.DataFrame(part)
