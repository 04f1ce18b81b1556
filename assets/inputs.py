"""Lays everything ready that the build reads: records, receipts and settings, as tables `input.*`.

    input.files, input.call_records, input.appointment_records
    input.rules, input.desk_channels, input.sources, input.hours, input.opening_intervals, input.closures,
    input.clusters, input.norms, input.published_history
    input.tripwires, input.accepted_tripwires
    input.calendar_span, input.utc_days, input.holidays
    input.publications, input.published_figures, input.restatements, input.changed_settings, input.rollbacks

Belongs here: what Python knows and SQL needs. Does not belong here: any rule; those stand in `sql/`.
"""

from __future__ import annotations

import glob
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandera.polars as pa
import polars as pl

from assets.files import days_between
from assets.records import Receipt, RecordStore
from assets.sessions import quoted
from pipelines.publishing import History, Publication
from pipelines.settings import WEEKDAYS, WHOLE_DAY, Norm, Settings, changed_settings
from schemas.records import AppointmentRecord, CallRecord
from schemas.tables import columns

Row = tuple[Any, ...]


def lay_inputs(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    store: RecordStore,
    history: History,
    publication: Publication | None = None,
) -> None:
    """Create every `input.*` table in the attached database `input`."""
    files = file_states(store.receipts, settings)
    _files(con, settings, files, store.records, history.last.published_at_utc if history.last else None)
    for kind, table, model in (
        ("calls", "call_records", CallRecord),
        ("appointments", "appointment_records", AppointmentRecord),
    ):
        sources = {source.name for source in settings.sources if source.kind == kind}
        read = [file for file in files if file.source in sources and file.status in ("loaded", "replaced")]
        by_reader: dict[str, set[str]] = {}
        for file in read:
            if file.parquet:
                by_reader.setdefault(file.reader, set()).add(str(store.records / file.parquet))
        _records(con, table, model, [sorted(paths) for paths in by_reader.values()])
    newest = as_of(files)
    first = min(hours.valid_from for hours in settings.hours)
    last = date((newest or settings.centre.start).year + 1, 12, 31)
    lay_calendar(con, settings, (first, last), _civil_span(con, first, last), newest)
    _rest_of_settings(con, settings)
    _history(con, settings, history, publication)


def lay_calendar(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    calendar: tuple[date, date],
    civil: tuple[date, date],
    newest: datetime | None = None,
) -> None:
    """Create the tables that the calendar is computed from: its span, the longer one of days that need a civil time,
    and the moment of the newest export (UTC), if there is one.
    """
    first, last = calendar
    _rules_and_hours(con, settings)
    _create(con, "calendar_span", "first_date date, last_date date, as_of_utc timestamp", [(first, last, newest)])
    _utc_days(con, settings, *civil)
    _create(con, "holidays", "date date, name varchar", [*settings.calendar.holidays(first.year, last.year)])


def file_states(receipts: list[Receipt], settings: Settings) -> list[Receipt]:
    """The receipts with the status that the ledger shows.

    Of the loadable versions of a name the last delivered is loaded and the others are replaced. A version of
    which more than the declared share is quarantined is refused, and replaces nothing.
    """
    most = {source.name: source.max_quarantined_share for source in settings.sources}
    states: list[Receipt] = []
    current: dict[tuple[str, str], int] = {}
    for receipt in receipts:
        state = receipt
        if state.status == "loaded" and state.quarantined > most[state.source] * state.records:
            state = state.model_copy(update={"status": "refused", "reason": _too_many(state, most)})
        if state.status == "loaded":
            key = (state.source, state.name)
            if key in current:
                states[current[key]] = states[current[key]].model_copy(update={"status": "replaced"})
            current[key] = len(states)
        states.append(state)
    return states


def as_of(files: list[Receipt]) -> datetime | None:
    """When the newest loaded export was made (UTC): the moment for which the whole warehouse speaks."""
    return max((f.exported_at_utc for f in files if f.status == "loaded" and f.exported_at_utc), default=None)


def _too_many(receipt: Receipt, most: dict[str, Decimal]) -> str:
    share = 100 * receipt.quarantined / receipt.records
    return (
        f"{receipt.quarantined} of {receipt.records} records ({share:.1f} %) can't be read, more than the "
        f"{100 * float(most[receipt.source]):g} % of max_quarantined_share of source '{receipt.source}'; the first: "
        f"{receipt.first_quarantine}"
    )


def _create(con: duckdb.DuckDBPyConnection, table: str, columns: str, rows: list[Row]) -> None:
    """A table with these rows, handed over as text that DuckDB casts: value by value takes 3 ms a row."""
    con.execute(f"create table input.{table} ({columns})")
    if rows:
        text = [[None if value is None else str(value) for value in row] for row in rows]
        names = [f"column_{number}" for number in range(len(rows[0]))]
        con.register("rows", Stream(pl.DataFrame(text, schema=dict.fromkeys(names, pl.String), orient="row")))
        con.execute(f"insert into input.{table} from rows")
        con.unregister("rows")


def _files(
    con: duckdb.DuckDBPyConnection,
    settings: Settings,
    files: list[Receipt],
    records: Path,
    last_published_at_utc: datetime | None,
) -> None:
    kinds = {source.name: source.kind for source in settings.sources}
    _create(
        con,
        "files",
        "file_id bigint, source varchar, kind varchar, file_name varchar, sha256 varchar, export_date date, "
        "exported_at_utc timestamp, delivery bigint, status varchar, reason varchar, unread_records bigint, "
        "is_new boolean, path varchar",
        [
            (
                number,
                file.source,
                kinds[file.source],
                file.name,
                file.sha256,
                file.day,
                file.exported_at_utc,
                file.delivery,
                file.status,
                file.reason,
                file.records if file.status == "refused" and file.parquet else None,
                last_published_at_utc is not None
                and file.delivered_at_utc is not None
                and file.delivered_at_utc > last_published_at_utc,
                str(records / file.parquet) if file.parquet else None,
            )
            for number, file in enumerate(files, start=1)
        ],
    )


def _records(con: duckdb.DuckDBPyConnection, table: str, model: type[pa.DataFrameModel], read: list[list[str]]) -> None:
    """All canonical records of one kind, each with the number of the file version that it came in.

    A view: they stay in the files that `read` lists, those of one reader together, for these have the same columns.
    (`union_by_name` would ask each file for its columns, and keep 50 KB for each.)
    """
    if not read:
        con.register("no_records", Stream(model.empty()))
        con.execute(f"create table input.{table} as select 0::bigint as file_id, * from no_records")
        con.unregister("no_records")
        return
    places = list(enumerate(path for paths in read for path in paths))
    _create(con, f"{table}_in", "place ubigint, path varchar", places)
    parts, before = [], 0
    for paths in read:
        listed = ", ".join(quoted(glob.escape(path)) for path in paths)
        parts.append(
            f"select {before}::ubigint + file_index as place, * "
            f"from read_parquet([{listed}], hive_partitioning = false)"
        )
        before += len(paths)
    con.execute(
        f"""create view input.{table} as
        select files.file_id, record.* exclude (place)
        from ({" union all by name ".join(parts)}) as record
        inner join input.{table}_in as places on places.place = record.place
        inner join input.files as files on files.path = places.path and files.status in ('loaded', 'replaced')"""
    )


class Stream:
    """Shows DuckDB a Polars frame as an Arrow stream, for which it needs no further library."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def _rules_and_hours(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    _create(
        con,
        "rules",
        "time_zone varchar, short_abandon_seconds decimal(9, 3), half_days_are_working_days boolean, start date",
        [
            (
                settings.centre.time_zone,
                settings.rules.short_abandon_seconds,
                settings.rules.half_days_are_working_days,
                settings.centre.start,
            )
        ],
    )
    _create(
        con,
        "hours",
        "hours_id bigint, service_point varchar, valid_from date, valid_to date",
        [(n, h.service_point, h.valid_from, h.valid_to) for n, h in enumerate(settings.hours)],
    )
    _create(
        con,
        "opening_intervals",
        "hours_id bigint, weekday bigint, opens_minute bigint, closes_minute bigint",
        [
            (number, weekday, opens, closes)
            for number, hours in enumerate(settings.hours)
            for weekday, name in enumerate(WEEKDAYS, start=1)
            for opens, closes in hours.on(name)
        ],
    )
    _create(
        con,
        "closures",
        "service_point varchar, date date, starts_minute bigint, ends_minute bigint, is_whole_day boolean, "
        "kind varchar, reason varchar",
        [
            (point, closure.date, *closure.minutes, closure.minutes == WHOLE_DAY, closure.kind, closure.reason)
            for closure in settings.calendar.closures
            for point in settings.service_points
            if point in closure.service_points or point.split(":")[0] in closure.service_points
        ],
    )


def _rest_of_settings(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    _create(con, "desk_channels", "booking_channel varchar", [(word,) for word in settings.rules.desk_channels])
    _create(
        con,
        "sources",
        "source varchar, kind varchar, covers_planned boolean, covers_booked boolean, visits_of varchar, "
        "is_event_log boolean, legs_of varchar, replaces_dates boolean, valid_from date, valid_to date, "
        "covers_days bigint",
        [
            (
                source.name,
                source.kind,
                source.kind == "appointments" and "planned" in source.covers,
                source.kind == "appointments" and "booked" in source.covers,
                source.visits_of if source.kind == "appointments" else None,
                source.kind == "calls" and source.records == "events",
                source.legs_of if source.kind == "calls" else None,
                source.kind == "calls" and source.replaces_dates,
                source.valid_from,
                source.valid_to,
                source.covers_days,
            )
            for source in settings.sources
        ],
    )
    _create(
        con,
        "clusters",
        "service varchar, cluster varchar, valid_from date, valid_to date",
        [
            (service, cluster.cluster, cluster.valid_from, cluster.valid_to)
            for cluster in settings.clusters
            for service in cluster.services
        ],
    )
    _create(
        con,
        "norms",
        "indicator varchar, variant varchar, period_type varchar, dimension_type varchar, dimension varchar, "
        "operator varchar, value decimal(18, 6), valid_from date, source varchar",
        [
            (n.indicator, n.variant, n.period_type, *_dimension(n), n.operator, n.value, n.valid_from, n.source)
            for n in settings.action_plan.norms
        ],
    )
    _create(
        con,
        "published_history",
        "indicator varchar, year bigint, value decimal(18, 6), unit varchar, source varchar",
        [(f.indicator, f.year, f.value, f.unit, f.source) for f in settings.action_plan.published_history],
    )
    wires = settings.tripwires
    _create(
        con,
        "tripwires",
        "answered_outside_hours_share decimal(9, 6), answered_outside_hours_calls bigint, "
        "hours_disagree_calls bigint, "
        "quiet_day_share decimal(9, 6), quiet_day_usual_calls bigint, "
        "partial_export_share decimal(9, 6), partial_export_calls bigint",
        [
            (
                wires.answered_outside_hours_share,
                wires.answered_outside_hours_calls,
                wires.hours_disagree_calls,
                wires.quiet_day_share,
                wires.quiet_day_usual_calls,
                wires.partial_export_share,
                wires.partial_export_calls,
            )
        ],
    )
    _create(
        con,
        "accepted_tripwires",
        "tripwire varchar, source varchar, reason varchar, until date",
        [(a.tripwire, a.source, a.reason, a.until) for a in wires.accepted],
    )


def _dimension(norm: Norm) -> tuple[str, str]:
    """Where in marts.indicators a norm stands: a cluster's, the 0-30 s bucket's, else that of all."""
    if norm.cluster is not None:
        return "cluster", norm.cluster
    return ("speed_bucket", "0-30") if norm.indicator == "answer_speed" else ("all", "all")


def _utc_days(con: duckdb.DuckDBPyConnection, settings: Settings, first: date, last: date) -> None:
    """The centre's offset on every UTC day that has to be shown, and the moment at which it switches, if it does."""
    zone = ZoneInfo(settings.centre.time_zone)
    rows: list[Row] = []
    for day in days_between(first, last):
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        before, after = _offset(midnight, zone), _offset(midnight + timedelta(days=1), zone)
        switch = None if before == after else _switch(midnight, zone).replace(tzinfo=None)
        rows.append((day, before, after, switch))
    frame = pl.DataFrame(
        rows,
        schema={
            "utc_date": pl.Date,
            "offset_minutes": pl.Int64,
            "offset_after_minutes": pl.Int64,
            "switch_at_utc": pl.Datetime("us"),
        },
        orient="row",
    )
    con.register("days", Stream(frame))
    con.execute("create table input.utc_days as select * from days")
    con.unregister("days")


def _civil_span(con: duckdb.DuckDBPyConnection, first: date, last: date) -> tuple[date, date]:
    """The span of the calendar and of all booked and planned dates, so that each has a civil day to be shown by.

    It ends at a hundred years from the calendar: what lies beyond is no date that anybody meant.
    """
    moments = ("booked_at_utc", "planned_start_utc", "first_planned_start_utc", "checked_in_at_utc", "started_at_utc")
    row = con.execute(
        f"""
        select
            least({", ".join(f"min({moment})" for moment in moments)})::date,
            greatest({", ".join(f"max({moment})" for moment in moments)})::date
        from input.appointment_records
        """
    ).fetchone()
    earliest, latest = row or (None, None)
    margin = timedelta(days=366)
    return (
        max(min(earliest or first, first), date(first.year - 100, 1, 1)) - margin,
        min(max(latest or last, last), date(last.year + 100, 1, 1)) + margin,
    )


def _offset(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) // 60


def _switch(midnight: datetime, zone: ZoneInfo) -> datetime:
    """The minute of a UTC day from which the new offset holds."""
    before = _offset(midnight, zone)
    low, high = 0, 24 * 60
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(midnight + timedelta(minutes=middle), zone) == before:
            low = middle
        else:
            high = middle
    return midnight + timedelta(minutes=high)


def _history(
    con: duckdb.DuckDBPyConnection, settings: Settings, history: History, publication: Publication | None
) -> None:
    """What was published before, and what changed since."""
    _create(
        con,
        "publications",
        "version varchar, published_at_utc timestamp, run_id varchar, settings_sha256 varchar, "
        "settings_text varchar, as_of_utc timestamp, files bigint, records bigint",
        [
            (
                p.version,
                p.published_at_utc,
                p.run_id,
                p.settings_sha256,
                p.settings_text,
                p.as_of_utc,
                p.files,
                p.records,
            )
            for p in [*history.publications, *([publication] if publication else [])]
        ],
    )
    _parquet(con, "published_figures", "marts.indicators", [history.figures] if history.figures else [])
    _parquet(con, "restatements", "ops.restatements", history.restatements)
    _create(
        con,
        "rollbacks",
        "at_utc timestamp, action varchar, version varchar, instead_of_version varchar, reason varchar",
        [(r.at_utc, r.action, r.version, r.instead_of_version, r.reason) for r in history.rollbacks],
    )
    changed: list[str] = []
    if history.last is not None and history.last.settings_sha256 != settings.sha256:
        changed = changed_settings(history.last.settings_text, settings.text)
    _create(con, "changed_settings", "setting varchar", [(key,) for key in changed])


def _parquet(con: duckdb.DuckDBPyConnection, table: str, published: str, paths: list[Path]) -> None:
    """A table of the columns of a published one, filled from files that earlier publications left."""
    _create(con, table, ", ".join(f"{column.name} {column.type}" for column in columns(published)), [])
    if paths:
        names = ", ".join(column.name for column in columns(published))
        con.execute(
            f"insert into input.{table} ({names}) select {names} "
            "from read_parquet(?, hive_partitioning = false, union_by_name = true)",
            [[glob.escape(str(path)) for path in paths]],
        )
