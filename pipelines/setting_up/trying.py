"""Tries a declaration on a file before any settings stand: whether it reads the file, and what the file then holds.

The file goes through the reader of every night. Does not belong here: what becomes of it in the warehouse (`dry_run`),
what an unknown file looks like (`sniffing`), any rule of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from assets.canonical import CanonicalExport
from assets.files import ExportFile
from assets.reading import FileDeferred, FileRefused
from pipelines.settings import WEEKDAYS, Settings, SettingsError

MOST_NAMES = 200
"""Services or channels; a column with more holds something else."""
LONG_AGO, FAR_AHEAD = timedelta(days=3660), timedelta(days=732)
"""How far a record may lie from its export and still say which years the file is about."""


@dataclass
class Held:
    """What a file holds: from which day to which, and its services and booking channels, most frequent first."""

    days: tuple[date, date] | None = None
    services: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)


def held(path: Path, declared: dict[str, Any], exported: datetime, zone: str) -> Held:
    """What a file holds by a declared source. Empty where the file can't be read: the check then says why."""
    answer = Held()
    try:
        for _, frame in CanonicalExport(*_tried(path, declared, exported, zone)).frames():
            _add(answer, frame.filter(pl.col("quarantine_reason").is_null()), exported.date())
    except (FileRefused, FileDeferred):
        pass
    return answer


def _add(answer: Held, frame: pl.DataFrame, exported: date) -> None:
    for names, column in ((answer.services, "service"), (answer.channels, "booking_channel")):
        if column in frame and len(names) <= MOST_NAMES:
            names.update(dict(frame[column].drop_nulls().value_counts().iter_rows()))
    moments = [
        pl.col(name).dt.date() for name in ("arrived_at_utc", "planned_start_utc", "planned_day") if name in frame
    ]
    days = frame.select(pl.coalesce(moments)).to_series().drop_nulls()
    days = days.filter(days.is_between(exported - LONG_AGO, exported + FAR_AHEAD))
    if days.len():
        first, last = answer.days or (date.max, date.min)
        low, high = days.sort().gather([0, -1]).to_list()
        answer.days = min(first, low), max(last, high)


def _tried(path: Path, declared: dict[str, Any], exported: datetime, zone: str) -> tuple[ExportFile, Settings]:
    """A file as an export of a source that no settings declare yet."""
    week = {day: ["00:00-24:00"] for day in WEEKDAYS}
    try:
        settings = Settings.model_validate(
            {
                "centre": {"name": "tried", "time_zone": zone, "start": date(1990, 1, 1)},
                "folders": {"exports": "exports", "data": "data"},
                "sources": [{**declared, "export": {"at": exported}}],
                "hours": [
                    {"service_point": point, "valid_from": date(1990, 1, 1), **week} for point in ("telephone", "desk")
                ],
            }
        )
    except ValidationError as error:
        raise SettingsError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    return ExportFile(settings.sources[0], path, path.name, exported.date(), exported), settings
