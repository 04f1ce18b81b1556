"""What a monitoring system is told of the warehouse: one line for cron, Nagios and systemd, metrics for Prometheus.

What is said here travels to the systems of others. Belongs here: moments and counts. Does not belong here: a name of a
file, a sentence of a night.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pipelines import durable
from pipelines.publishing import Warehouse
from pipelines.settings import Settings
from pipelines.status import NoStatus, Status, status_of
from pipelines.store import StoreTrouble

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
CLOCK_SKEW = timedelta(minutes=1)
"""A clock that was put right may have been so far ahead; a file from further in the future is told."""

Verdict = Literal["OK", "STALE", "ATTENTION", "NOTHING PUBLISHED"]


def duration(text: str) -> timedelta:
    """`26h`, `90m` or `2d`. Raises ValueError with a sentence."""
    if match := re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text):
        return timedelta(**{UNITS[match[2]]: int(match[1])})
    raise ValueError(f"{text!r} is no age; write a whole number and m, h or d, such as 26h, 90m or 2d")


@dataclass(frozen=True)
class Watched:
    """What is watched, at one moment. Instants in UTC.

    `version` is what readers get, None before the first publication; `status` what it answers, None where it can't be
    asked, and then `problem` says why, on this machine alone.
    """

    centre: str
    asked_at_utc: datetime
    version: str | None
    published_at_utc: datetime | None
    is_last_build_published: bool
    status: Status | None
    problem: NoStatus | None

    @property
    def age(self) -> timedelta | None:
        """Of the published file; negative for one from the future, None where nothing tells it."""
        return None if self.published_at_utc is None else self.asked_at_utc - self.published_at_utc

    @property
    def is_from_the_future(self) -> bool:
        """Whether this machine's clock, or the one that published, is wrong."""
        return self.age is not None and self.age < -CLOCK_SKEW

    def is_stale(self, max_age: timedelta | None) -> bool:
        """Whether the published file is older than it may be, if somebody said how old that is."""
        return max_age is not None and self.age is not None and self.age > max_age

    def late_sources(self, max_data_age: timedelta | None) -> list[str]:
        """The sources whose newest export is older than it may be, if somebody said how old that is."""
        if max_data_age is None or self.status is None:
            return []
        newest = self.status.newest_exports
        return [source for source, made_at in newest.items() if self.asked_at_utc - made_at > max_data_age]

    def verdict(self, max_age: timedelta | None, max_data_age: timedelta | None = None) -> Verdict:
        """In a word; everything but OK is for somebody to look at."""
        if self.version is None:
            return "NOTHING PUBLISHED"
        if self.is_stale(max_age) or self.late_sources(max_data_age):
            return "STALE"
        if self.status is None or self.status.needs_attention or self.age is None or self.is_from_the_future:
            return "ATTENTION"
        return "OK"


def watch(settings: Settings) -> Watched:
    """Ask how the warehouse stands. Raises nothing where it can't be asked: that is told, too."""
    warehouse = Warehouse.of(settings)
    status, problem, version, published_at, is_published = None, None, None, None, True
    try:
        status = status_of(settings)
        version, published_at, is_published = status.version, status.published_at_utc, status.not_published is None
    except NoStatus as why:
        problem = why
        try:
            version = warehouse.published_version() if warehouse.store.is_there() else None
            is_published = warehouse.refused() is None
        except (OSError, StoreTrouble):
            version = "unknown"
        with suppress(ValueError):
            published_at = Warehouse.built_at_utc(version) if version else None
    return Watched(
        centre=settings.centre.name,
        asked_at_utc=datetime.now(UTC).replace(tzinfo=None),
        version=version,
        published_at_utc=published_at,
        is_last_build_published=is_published,
        status=status,
        problem=problem,
    )


def line(watched: Watched, max_age: timedelta, max_data_age: timedelta | None = None) -> str:
    """One line: the verdict, what it rests on, and after the bar the same as Nagios plots it."""
    said, plotted = [], []
    if watched.version is not None:
        said.append(f"version {watched.version}")
    if watched.age is not None:
        hours = watched.age / timedelta(hours=1)
        if watched.is_from_the_future:
            said.append(f"published {-hours:.1f} hours in the future: is the clock of this machine right?")
            plotted.append("age=U")
        else:
            said.append(f"{max(hours, 0):.1f} hours old")
            plotted.append(f"age={max(watched.age.total_seconds(), 0):.0f}s;{max_age.total_seconds():.0f};;0")
    if (status := watched.status) is not None:
        said.append(f"as of {status.as_of_utc:%Y-%m-%d %H:%M} UTC" if status.as_of_utc else "without any export")
        said += [f"{len(status.not_in)} not in", f"{len(status.warnings)} warnings"]
        plotted += [f"not_in={len(status.not_in)};0;;0", f"warnings={len(status.warnings)};;;0"]
        said += ["pinned by `kcc rollback`"] if status.pinned is not None else []
        said += ["too little room for a night"] if status.no_room is not None else []
        for source in watched.late_sources(max_data_age):
            days = (watched.asked_at_utc - status.newest_exports[source]) / timedelta(days=1)
            said.append(f"the newest export of '{source}' is {days:.1f} days old")
    elif watched.version is not None:
        said.append("it can't be asked: `kcc status` says why")
    if not watched.is_last_build_published:
        said.append("the last build was not published")
    if watched.version is None:
        said.append("`kcc status` says more")
    told = f"{watched.verdict(max_age, max_data_age)}: {', '.join(said)}"
    return f"{told} | {' '.join(plotted)}" if plotted else told


def facts(watched: Watched, max_age: timedelta, max_data_age: timedelta | None = None) -> dict[str, Any]:
    """All that `kcc status` knows, and what follows from the age; for this machine, for it names files."""
    status = {"version": watched.version, "problem": str(watched.problem)}
    return {
        **(status if watched.status is None else asdict(watched.status)),
        "max_age_hours": max_age / timedelta(hours=1),
        "is_stale": watched.is_stale(max_age),
        "late_sources": watched.late_sources(max_data_age),
        "needs_attention": watched.verdict(max_age, max_data_age) != "OK",
    }


def write_metrics(watched: Watched, file: Path) -> None:
    """Write a file for the textfile collector of Prometheus' node_exporter, whole or not at all. Raises OSError.

    Without a warehouse that can be asked, too: an old file would go on looking well.
    """
    durable.write(file, metrics(watched), 0o644)


def metrics(watched: Watched) -> str:
    """The same in the text format of Prometheus. The label tells two cities apart that one machine watches."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry, status = CollectorRegistry(), watched.status

    def tell(name: str, meaning: str, value: float | datetime | None) -> None:
        if value is not None:
            number = value.replace(tzinfo=UTC).timestamp() if isinstance(value, datetime) else value
            Gauge(name, meaning, ["centre"], registry=registry).labels(watched.centre).set(number)

    tell("kcc_up", "Whether a published warehouse answered (1) or not (0).", status is not None)
    tell("kcc_asked_timestamp_seconds", "When this was asked, in seconds since 1970.", watched.asked_at_utc)
    tell("kcc_published_timestamp_seconds", "When the version was made that readers get.", watched.published_at_utc)
    tell(
        "kcc_last_build_published",
        "Whether the last build was published (1) or not (0); 0 before the first.",
        watched.is_last_build_published and watched.version is not None,
    )
    if status is not None:
        tell("kcc_as_of_timestamp_seconds", "When the newest export in it was made.", status.as_of_utc)
        tell("kcc_not_in", "What is not in and needs somebody: files, sources, records.", len(status.not_in))
        tell("kcc_warnings", "Tripwires that are touched and that nobody accepted.", len(status.warnings))
        newest = Gauge(
            "kcc_newest_export_timestamp_seconds",
            "When the newest export of a source was made.",
            ["centre", "source"],
            registry=registry,
        )
        for source, made_at in status.newest_exports.items():
            newest.labels(watched.centre, source).set(made_at.replace(tzinfo=UTC).timestamp())
        records = Gauge("kcc_records", "Records of all exports by their state.", ["centre", "state"], registry=registry)
        for state, number in status.records.items():
            records.labels(watched.centre, state).set(number)
    return generate_latest(registry).decode()
