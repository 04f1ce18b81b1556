"""A small invented city for tests: write its exports, read them, build its warehouse, ask it.

The exports go through the real reader and the real SQL, in a folder of their own. All figures are synthetic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from assets.build import bounded, build
from assets.files import export_files
from assets.records import RecordStore
from assets.verify import verify
from assets.warehouse import Built, build_and_publish
from pipelines.publishing import History
from pipelines.settings import Settings
from schemas.tables import TABLES, columns

WEEK = {day: ["09:00-12:00", "13:00-16:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}
TODAY = date(2026, 1, 31)

CALL_HEADER = "id;leg;queue;direction;outcome;arrived;queued;answered;ended;wait;queue_wait"
INSTANT = "%Y-%m-%d %H:%M:%S"


def instant(column: str) -> dict[str, str]:
    return {"column": column, "format": INSTANT}


CALLS: dict[str, Any] = {
    "name": "phone",
    "kind": "calls",
    "files": "calls_*.csv",
    "time_zone": "Europe/Brussels",
    "export": {"pattern": r"calls_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "20:00"},
    "text": {"delimiter": ";"},
    "columns": {
        "call_id": "id",
        "queue": "queue",
        "direction": "direction",
        "outcome": "outcome",
        "arrived_at": instant("arrived"),
        "queue_entered_at": instant("queued"),
        "answered_at": instant("answered"),
        "ended_at": instant("ended"),
        "wait_seconds": {"column": "wait"},
    },
    "directions": {"in": "inbound", "out": "outbound", "internal": "internal"},
    "outcomes": {
        "answered": "answered",
        "missed": "missed",
        "voicemail": {"reported": "missed", "reason": "voicemail"},
        "machine": {"reported": "answered", "by_person": False, "reason": "voicemail"},
        "menu": {"reported": "missed", "reason": "menu"},
        "timeout": {"reported": "missed", "reason": "timeout"},
        "other": "other",
        "ringing": {"reported": "missed", "open": True},
    },
    "exclude": [{"rule": "test_call", "column": "queue", "values": ["TEST"]}],
}

NO_IDS: dict[str, Any] = {
    **CALLS,
    "name": "old",
    "files": "old_*.csv",
    "export": {**CALLS["export"], "pattern": r"old_(?P<stamp>\d{4}-\d{2}-\d{2})"},
    "replaces_dates": True,
    "columns": {key: value for key, value in CALLS["columns"].items() if key != "call_id"},
}

APPOINTMENT_HEADER = "id;service;channel;status;booked;planned;checked_in;started;ended"
APPOINTMENTS: dict[str, Any] = {
    "name": "desk",
    "kind": "appointments",
    "files": "appointments_*.csv",
    "time_zone": "Europe/Brussels",
    "export": {"pattern": r"appointments_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "20:00"},
    "text": {"delimiter": ";"},
    "covers": ["planned", "booked"],
    "columns": {
        "appointment_id": "id",
        "service": "service",
        "booking_channel": "channel",
        "status": "status",
        "booked_at": instant("booked"),
        "planned_start": instant("planned"),
        "checked_in_at": instant("checked_in"),
        "started_at": instant("started"),
        "ended_at": instant("ended"),
    },
    "statuses": {
        "planned": "planned",
        "here": "checked_in",
        "busy": "started",
        "done": "completed",
        "no_show": "no_show",
        "cancelled": "cancelled",
    },
}


def settings_of(folder: Path, **parts: Any) -> Settings:
    """The settings of the test's city; `parts` replace whole sections. Sources: `sources=[CALLS]`."""
    content: dict[str, Any] = {
        "centre": {"name": "Testdorp", "time_zone": "Europe/Brussels", "start": "2025-01-01"},
        "folders": {"exports": str(folder / "exports"), "data": str(folder / "data")},
        "rules": {"desk_channels": ["desk"]},
        "sources": [CALLS, APPOINTMENTS],
        "hours": [
            {"service_point": "telephone", "valid_from": "2024-01-01", **WEEK},
            {"service_point": "desk", "valid_from": "2024-01-01", **WEEK},
        ],
        "clusters": [{"cluster": "Wonen", "valid_from": "2024-01-01", "services": ["premium"]}],
        "text": "# of a test",
    }
    return Settings.model_validate({**content, **parts})


def call(arrived: str, outcome: str = "answered", **fields: str) -> dict[str, str]:
    """One record of the call log, arriving at `YYYY-MM-DD HH:MM:SS`; it waited 10 s unless told."""
    return {"queue": "Algemeen", "direction": "in", "outcome": outcome, "arrived": arrived, "wait": "10", **fields}


def appointment(planned: str, status: str = "done", **fields: str) -> dict[str, str]:
    """One record of the appointment log."""
    return {"service": "premium", "channel": "web", "status": status, "planned": planned, **fields}


def write(folder: Path, name: str, header: str, records: Sequence[Mapping[str, str]]) -> Path:
    """Write one export file; records without an id get r1, r2, …, unique within the file."""
    columns = header.split(";")
    lines = [header]
    for number, record in enumerate(records, start=1):
        lines.append(";".join({"id": f"r{number}", **record}.get(column, "") for column in columns))
    path = folder / "exports" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_calls(folder: Path, day: str, records: Sequence[Mapping[str, str]], suffix: str = "") -> Path:
    """The call log exported on `day` at 20:00."""
    return write(folder, f"calls_{day}{suffix}.csv", CALL_HEADER, records)


def write_appointments(folder: Path, day: str, records: Sequence[Mapping[str, str]], suffix: str = "") -> Path:
    """The appointment log exported on `day` at 20:00."""
    return write(folder, f"appointments_{day}{suffix}.csv", APPOINTMENT_HEADER, records)


def read_all(settings: Settings) -> RecordStore:
    """Read whatever lies in the exports folder and was not read yet."""
    settings.folders.exports.mkdir(parents=True, exist_ok=True)
    store = RecordStore(settings)
    for file in export_files(settings, TODAY):
        store.read(file)
    return store


def publish(settings: Settings) -> Built:
    """Read what is new, build the warehouse and publish it, as a night does."""
    read_all(settings)
    return build_and_publish(settings, "11111111-run")


@contextmanager
def warehouse(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Read all exports, build the warehouse, verify it, and open it for questions."""
    store = read_all(settings)
    file = settings.folders.data / "built.duckdb"
    file.unlink(missing_ok=True)
    con = build(file, settings, store, History(), bounds=bounded(0))
    try:
        verify(con)
        yield con
    finally:
        con.close()


def tables(con: duckdb.DuckDBPyConnection, *, leave_out: Sequence[str] = ("delivery",)) -> dict[str, list[Any]]:
    """Everything but some columns; by default, what must not depend on when and in what order the files came."""
    contents = {}
    for table in TABLES:
        if table != "ops.publications":
            names = [column.name for column in columns(table) if column.name not in leave_out]
            contents[table] = con.execute(f"select {', '.join(names)} from {table} order by all").fetchall()
    return contents


def calls(
    folder: Path, *records: Mapping[str, str], query: str, export_day: str = "2025-03-31", **parts: Any
) -> list[Any]:
    """Ask `query` of the warehouse of one call log."""
    write_calls(folder, export_day, records)
    with warehouse(settings_of(folder, **parts)) as con:
        return con.execute(query).fetchall()


def appointments(
    folder: Path, *records: Mapping[str, str], query: str, export_day: str = "2025-03-31", **parts: Any
) -> list[Any]:
    """Ask `query` of the warehouse of one appointment log."""
    write_appointments(folder, export_day, records)
    with warehouse(settings_of(folder, **parts)) as con:
        return con.execute(query).fetchall()
