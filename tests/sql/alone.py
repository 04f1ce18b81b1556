"""Runs one SQL file of `sql/` alone, on tables written by hand: no reader, no settings, no other SQL file.

    rows = Alone().given("input.clusters", "service cluster", ("permit", "Wonen")).run("core.clusters")

Belongs here: the catalogs of `assets/build.py` in memory, and the columns that one file gives to the next. Does not
belong here: any value of a test.
"""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from typing import Any

import duckdb
import pandera.polars as pa

from assets.build import PUBLISHED_SCHEMAS, SQL
from schemas.records import AppointmentRecord, CallRecord
from schemas.tables import TABLES
from schemas.types import duckdb_type

Row = dict[str, Any]

FIGURES = (
    "indicator varchar, variant varchar, period_type varchar, period date, dimension_type varchar, dimension varchar, "
    "numerator decimal(18, 6), denominator decimal(18, 6), unit varchar, reason_if_none varchar, "
    "is_lower_bound boolean, basis varchar"
)
WHOLE_CALL = (
    "source varchar, call_id varchar, records bigint, legs bigint, "
    "legs_reported_missed bigint, queue varchar, file_name varchar, line bigint, direction varchar, "
    "arrived_at_utc timestamp, arrived_local timestamp, is_arrival_ambiguous boolean, exclusion_rule varchar, "
    "is_answered boolean, is_open_by_legs boolean, is_open_by_events boolean, ended_at_utc timestamp, "
    "is_marked_outside_hours boolean, reported_outcome varchar, answered_at_utc timestamp, "
    "impossible_duration varchar, missed_reason varchar, is_wait_lower_bound boolean, "
    "wait_seconds decimal(9, 3), queue_wait_seconds decimal(9, 3)"
)
TRIPS = "tripwire varchar, source varchar, month date, affected bigint, total bigint, sentence varchar"
MODELS = {
    **TABLES,
    "input.published_figures": TABLES["marts.indicators"],
    "input.restatements": TABLES["ops.restatements"],
    "input.rollbacks": TABLES["ops.rollbacks"],
    "staging.restated": TABLES["ops.restatements"],
}
"""The contract of each table that has one in `schemas/tables.py`, or holds the rows of one that has."""

COLUMNS: dict[str, str] = {
    "input.files": "file_id bigint, source varchar, kind varchar, file_name varchar, sha256 varchar, "
    "export_date date, exported_at_utc timestamp, delivery bigint, status varchar, reason varchar, "
    "unread_records bigint, is_new boolean",
    "input.sources": "source varchar, kind varchar, covers_planned boolean, covers_booked boolean, visits_of varchar, "
    "is_event_log boolean, legs_of varchar, replaces_dates boolean, valid_from date, valid_to date, "
    "covers_days bigint",
    "input.rules": "short_abandon_seconds decimal(9, 3), half_days_are_working_days boolean",
    "input.desk_channels": "booking_channel varchar",
    "input.hours": "hours_id bigint, service_point varchar, valid_from date, valid_to date",
    "input.opening_intervals": "hours_id bigint, weekday bigint, opens_minute bigint, closes_minute bigint",
    "input.closures": "service_point varchar, date date, starts_minute bigint, ends_minute bigint, "
    "is_whole_day boolean, kind varchar, reason varchar",
    "input.clusters": "service varchar, cluster varchar, valid_from date, valid_to date",
    "input.norms": "indicator varchar, variant varchar, period_type varchar, dimension_type varchar, "
    "dimension varchar, operator varchar, value decimal(18, 6), valid_from date, source varchar",
    "input.published_history": "indicator varchar, year bigint, value decimal(18, 6), unit varchar, source varchar",
    "input.tripwires": "answered_outside_hours_share decimal(9, 6), answered_outside_hours_calls bigint, "
    "hours_disagree_calls bigint, "
    "quiet_day_share decimal(9, 6), quiet_day_usual_calls bigint, "
    "partial_export_share decimal(9, 6), partial_export_calls bigint",
    "input.accepted_tripwires": "tripwire varchar, source varchar, reason varchar, until date",
    "input.holidays": "date date, name varchar",
    "input.changed_settings": "setting varchar",
    "input.utc_days": "utc_date date, offset_minutes bigint, offset_after_minutes bigint, switch_at_utc timestamp",
    "input.calendar_span": "first_date date, last_date date, as_of_utc timestamp",
    "input.publications": "version varchar, published_at_utc timestamp, run_id varchar, settings_sha256 varchar, "
    "settings_text varchar, as_of_utc timestamp, files bigint, records bigint",
    "staging.call_records": "file_id bigint, line bigint, source varchar, file_name varchar, "
    "exported_at_utc timestamp, is_replaced boolean, call_source varchar, is_event_log boolean, "
    "replaces_dates boolean, record_key varchar, call_id varchar, leg_id varchar, queue varchar, "
    "direction varchar, reported_outcome varchar, is_answered boolean, "
    "missed_reason varchar, exclusion_rule varchar, is_open boolean, arrived_at_utc timestamp, "
    "arrived_local timestamp, is_arrival_ambiguous boolean, answered_at_utc timestamp, ended_at_utc timestamp, "
    "wait_seconds decimal(9, 3), queue_wait_seconds decimal(9, 3), is_wait_lower_bound boolean, "
    "is_marked_outside_hours boolean, impossible_duration varchar, quarantine_column varchar, "
    "quarantine_reason varchar, quarantine_pattern varchar",
    "staging.call_quarantine": "file_id bigint, line bigint, column_name varchar, reason varchar, pattern varchar",
    "staging.call_rivals": "shares_call boolean, file_id bigint, line bigint, source varchar, file_name varchar, "
    "exported_at_utc timestamp, call_source varchar, is_event_log boolean, replaces_dates boolean, "
    "record_key varchar, call_id varchar,leg_id varchar, queue varchar, direction varchar, "
    "reported_outcome varchar, is_answered boolean, missed_reason varchar, exclusion_rule varchar, is_open boolean, "
    "arrived_at_utc timestamp, arrived_local timestamp, is_arrival_ambiguous boolean, answered_at_utc timestamp, "
    "ended_at_utc timestamp, wait_seconds decimal(9, 3), queue_wait_seconds decimal(9, 3), "
    "is_wait_lower_bound boolean, is_marked_outside_hours boolean, impossible_duration varchar",
    "staging.call_losers": "file_id bigint, line bigint, state varchar",
    "staging.call_states": "file_id bigint, line bigint, state varchar, source varchar, call_source varchar, "
    "file_name varchar, is_replaced boolean, is_event_log boolean, replaces_dates boolean, record_key varchar, "
    "call_id varchar,leg_id varchar, queue varchar, direction varchar, "
    "reported_outcome varchar, is_answered boolean, missed_reason varchar, exclusion_rule varchar, is_open boolean, "
    "arrived_at_utc timestamp, arrived_local timestamp, is_arrival_ambiguous boolean, answered_at_utc timestamp, "
    "ended_at_utc timestamp, wait_seconds decimal(9, 3), queue_wait_seconds decimal(9, 3), "
    "is_wait_lower_bound boolean, is_marked_outside_hours boolean, impossible_duration varchar",
    "staging.appointment_records": "file_id bigint, line bigint, source varchar, appointment_source varchar, "
    "file_name varchar, exported_at_utc timestamp, is_replaced boolean, record_key varchar, appointment_id varchar, "
    "service varchar, booking_channel varchar, status varchar, exclusion_rule varchar, booked_at_utc timestamp, "
    "booked_local timestamp, planned_start_utc timestamp, planned_start_local timestamp, planned_day date, "
    "first_planned_start_utc timestamp, first_planned_start_local timestamp, checked_in_at_utc timestamp, "
    "checked_in_local timestamp, started_at_utc timestamp, started_local timestamp, ended_at_utc timestamp, "
    "quarantine_column varchar, quarantine_reason varchar, quarantine_pattern varchar",
    "staging.appointment_states": "file_id bigint, line bigint, state varchar, source varchar, "
    "appointment_source varchar, record_key varchar, appointment_id varchar, names_appointment boolean, "
    "service varchar, "
    "booking_channel varchar, status varchar, booked_at_utc timestamp, booked_local timestamp, "
    "planned_start_utc timestamp, planned_start_local timestamp, planned_day date, "
    "first_planned_start_utc timestamp, first_planned_start_local timestamp, first_planned_day date, "
    "checked_in_at_utc timestamp, checked_in_local timestamp, started_at_utc timestamp, started_local timestamp, "
    "ended_at_utc timestamp",
    "staging.call_legs": "source varchar, call_id varchar, leg_id varchar, file_id bigint, file_name varchar, "
    "line bigint, exported_at_utc timestamp, is_left_out boolean, "
    "is_event_log boolean, is_of_second_log boolean, is_beside boolean, is_step boolean, queue varchar, "
    "direction varchar, reported_outcome varchar, is_answered boolean, missed_reason varchar, "
    "exclusion_rule varchar, is_open boolean, is_end boolean, is_excluded boolean, arrived_at_utc timestamp, "
    "arrived_local timestamp, is_arrival_ambiguous boolean, answered_at_utc timestamp, ended_at_utc timestamp, "
    "wait_seconds decimal(9, 3), queue_wait_seconds decimal(9, 3), wait_ended_at_utc timestamp, "
    "is_wait_lower_bound boolean, is_marked_outside_hours boolean, impossible_duration varchar",
    "staging.weighed_calls": WHOLE_CALL,
    "staging.whole_calls": WHOLE_CALL,
    "staging.calls_by_log": "source varchar, date date, calls bigint, calls_within_hours bigint",
    "staging.whole_appointments": "source varchar, appointment_id varchar, records bigint, file_id bigint, "
    "line bigint, service varchar, "
    "booking_channel varchar, status varchar, booked_at_utc timestamp, booked_local timestamp, "
    "planned_start_utc timestamp, planned_start_local timestamp, planned_day date, "
    "first_planned_start_utc timestamp, first_planned_start_local timestamp, first_planned_day date, "
    "checked_in_at_utc timestamp, checked_in_local timestamp, started_at_utc timestamp, started_local timestamp, "
    "ended_at_utc timestamp, is_walk_in boolean",
    "staging.day_segments": "date date, service_point varchar, starts_local timestamp, ends_local timestamp, "
    "starts_minute bigint, ends_minute bigint, is_regular boolean, is_open boolean, closed_reason varchar, "
    "closure_note varchar, next_opens_local timestamp, next_closes_local timestamp",
    "staging.as_of": "first_date date, as_of_local timestamp",
    "staging.covered_days": "basis varchar, source varchar, date date, exported_at_utc timestamp",
    "staging.days": "basis varchar, date date, source varchar, incomplete_reason varchar",
    "staging.complete_days": "basis varchar, date date",
    "staging.desks": "cluster varchar, service_point varchar",
    "staging.periods": "basis varchar, period_type varchar, period date, complete boolean",
    "staging.uncertain_calls": "period_type varchar, period date, undecided bigint, missed bigint, answered bigint",
    "staging.values_missed_calls": FIGURES,
    "staging.values_telephone_wait": FIGURES,
    "staging.values_answer_speed": FIGURES,
    "staging.values_visitor_wait": FIGURES,
    "staging.values_lead_time": FIGURES,
    "staging.answered_by_hour": "source varchar, month date, weekday bigint, hour bigint, answered bigint, "
    "outside bigint",
    "staging.open_holidays": "date date, sentence varchar",
    "staging.trips_answered_outside_hours": TRIPS,
    "staging.trips_hours_disagree": TRIPS,
    "staging.trips_open_day_without_calls": TRIPS,
    "staging.trips_quiet_day": TRIPS,
    "staging.trips_unmapped_service": TRIPS,
    "staging.trips_partial_export": TRIPS,
    "staging.trips_open_on_holiday": TRIPS,
    "staging.touched_days": "basis varchar, file_name varchar, date date, is_correction boolean",
}
"""The columns that SQL files read, of the tables that hold the rows of no contract in `schemas/`."""


def types(table: str) -> str:
    """The columns of a table with their types: those of its contract, or else of `COLUMNS`."""
    if table in MODELS:
        return _of_model(MODELS[table])
    if table == "input.call_records":
        return f"file_id bigint, {_of_model(CallRecord)}"
    if table == "input.appointment_records":
        return f"file_id bigint, {_of_model(AppointmentRecord)}"
    return COLUMNS[table]


def _of_model(model: type[pa.DataFrameModel]) -> str:
    columns = model.to_schema().columns
    return ", ".join(f'"{name}" {duckdb_type(column.dtype.type)}' for name, column in columns.items())


def text_of(table: str) -> str:
    """The SQL file of a table."""
    return (SQL / f"{table.replace('.', '/')}.sql").read_text(encoding="utf-8")


def syntax_of(table: str) -> Any:
    """The syntax tree of a SQL file, as DuckDB's own parser sees it."""
    row = duckdb.execute("select json_serialize_sql(?)", [text_of(table)]).fetchone()
    assert row is not None
    tree = json.loads(row[0])
    assert not tree["error"], f"{table}: {tree}"
    return tree


@cache
def tables_read(table: str) -> set[str]:
    """Every table, as schema.name, that a SQL file reads anywhere; the steps of the file itself left out."""
    found, branches = set(), [syntax_of(table)]
    while branches:
        branch = branches.pop()
        if isinstance(branch, list):
            branches.extend(branch)
        elif isinstance(branch, dict):
            branches.extend(branch.values())
            if branch.get("type") == "BASE_TABLE" and branch["schema_name"]:
                found.add(f"{branch['schema_name']}.{branch['table_name']}")
    return found


class Alone:
    """An empty warehouse, with the catalogs of the build, in which one SQL file is run."""

    def __init__(self) -> None:
        self.con = duckdb.connect(":memory:", config={"threads": 1})
        self.con.execute("set timezone = 'UTC'")
        self.con.execute("attach ':memory:' as input")
        self.con.execute("attach ':memory:' as staging")
        for schema in PUBLISHED_SCHEMAS:
            self.con.execute(f"create schema {schema}")
        self.tables: set[str] = set()
        self.needed: set[str] = set()

    def given(self, table: str, columns: str = "", *rows: tuple[Any, ...], **common: Any) -> Alone:
        """Create a table with these rows; what several rows share stands in `common`, and anything else is NULL.

        Dates and instants may be written as text.
        """
        self.con.execute(f"create table {table} ({types(table)})")
        self.tables.add(table)
        filled = [{**common, **dict(zip(columns.split(), row, strict=True))} for row in rows]
        if filled:
            names = ", ".join(f'"{name}"' for name in filled[0])
            marks = ", ".join(f"({', '.join('?' * len(row))})" for row in filled)
            values = [value for row in filled for value in row.values()]
            self.con.execute(f"insert into {table} ({names}) values {marks}", values)
        return self

    def made(self, table: str) -> Alone:
        """A table that the file reads, made by its own file from what was given so far. What was not given is empty."""
        self._complete(table)
        self.con.execute(f"create table {table} as\n{text_of(table)}")
        self.tables.add(table)
        return self

    def _complete(self, table: str) -> None:
        reads = tables_read(table)
        self.needed |= reads
        for missing in sorted(reads - self.tables):
            self.given(missing)

    def run(self, table: str) -> list[Row]:
        """The rows of one SQL file, sorted, with dates and instants as text. What was not given is empty.

        A table that the file does not read, nor one that was made for it, may not be given.
        """
        self._complete(table)
        assert self.tables <= self.needed, f"{table} does not read {self.tables - self.needed}"
        answer = self.con.execute(f"from (\n{text_of(table)}\n) order by all")
        names = [column[0] for column in answer.description or ()]
        rows = [dict(zip(names, map(_plain, row), strict=True)) for row in answer.fetchall()]
        self.con.close()
        return rows


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, date) else value


def only(rows: list[Row], columns: str) -> list[tuple[Any, ...]]:
    """Some columns of rows, as tuples."""
    return [tuple(row[name] for name in columns.split()) for row in rows]
