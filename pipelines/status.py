"""How the published warehouse stands: how old, what is not in, what looks wrong, what was restated.

Belongs here: questions to the published file and the folder around it. Does not belong here: how they are printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb

from assets.outstanding import not_in
from assets.tripwires import tripped
from pipelines.lock import is_night_at_work
from pipelines.publishing import UNFINISHED, NotPublished, Warehouse
from pipelines.rollbacks import Rollback
from pipelines.runbook import Heading, see
from pipelines.settings import Settings
from pipelines.space import no_room
from pipelines.store import StoreTrouble, cannot_be_asked


@dataclass(frozen=True)
class Restatement:
    """The restatement of one publication: its foremost figure, and how many others came out otherwise with it."""

    restated_at_utc: datetime
    figure: str
    period: str
    old_value: float | None
    new_value: float | None
    unit: str
    why: str
    others: int

    def __str__(self) -> str:
        others = f", and {self.others} more figures" if self.others else ""
        return (
            f"{self.figure}, {self.period}: {_number(self.old_value)} became {_number(self.new_value)} {self.unit}"
            + (f"{others} ({self.why})")
        )


@dataclass(frozen=True)
class Status:
    """What a person on call wants to know. Sentences in English; instants in UTC."""

    warehouse: str
    version: str
    published_at_utc: datetime
    age_hours: float
    as_of_utc: datetime | None
    pinned: str | None
    not_published: str | None
    no_room: str | None
    not_in: list[str]
    days: list[str]
    warnings: list[str]
    accepted: list[str]
    newest_restatement: Restatement | None
    records: dict[str, int]
    newest_exports: dict[str, datetime]

    @property
    def needs_attention(self) -> bool:
        """Whether a night failed to publish or may not, the next has no room, or something is not in."""
        return any((self.pinned, self.not_published, self.no_room, self.not_in))


class NoStatus(Exception):
    """There is no published warehouse that can be asked; the message says why and what to do."""


LONGEST_BUILD = timedelta(hours=1)
"""So long a build is taken for being at work by who can't see whether it is."""
PUBLISHED = """
    select version, published_at_utc, as_of_utc from ops.publications
    order by published_at_utc desc, version desc limit 1
"""
RECORDS = """
    select
        sum(accepted)::bigint as accepted, sum(excluded)::bigint as excluded, sum(duplicates)::bigint as duplicates,
        sum(superseded)::bigint as superseded, sum(quarantined)::bigint as quarantined
    from ops.ledger
"""


def status_of(settings: Settings) -> Status:
    """Ask the published warehouse. Raises NoStatus where there is none that can be asked."""
    warehouse = Warehouse.of(settings)
    try:
        return _status_of(warehouse, settings)
    except StoreTrouble as trouble:
        raise NoStatus(str(trouble)) from None
    except OSError as error:
        raise NoStatus(f"{error.filename}: can't be read ({error.strerror}) {see(Heading.NOT_YOURS)}") from None


def _status_of(warehouse: Warehouse, settings: Settings) -> Status:
    refused = _refused(warehouse, settings)
    why_not = _sentence(refused) if refused else None
    if not warehouse.store.is_there():
        what_now = why_not or f"run `kcc run` {see(Heading.NOTHING_PUBLISHED)}"
        raise NoStatus(f"{warehouse.store.where}: nothing is published yet; {what_now}")
    if spoiled := warehouse.store.spoiled():
        raise NoStatus(f"{spoiled}; `kcc run` publishes it anew {see(Heading.CANNOT_BE_ASKED)}")
    try:
        return _ask(warehouse, refused, settings)
    except (duckdb.CatalogException, duckdb.BinderException):
        other = f"{warehouse.published_version()} was published by another version of this software"
        what_now = why_not or f"run `kcc run` {see(Heading.CANNOT_BE_ASKED)}"
        raise NoStatus(f"{warehouse.store.where}: {other}; {what_now}") from None
    except duckdb.Error as error:
        raise NoStatus(cannot_be_asked(warehouse.store, error)) from None


def _refused(warehouse: Warehouse, settings: Settings) -> NotPublished | None:
    """The newest build if it was not published, and is not at work either."""
    refused = warehouse.refused()
    if refused is None or refused.reason != UNFINISHED:
        return refused
    try:
        is_at_work = is_night_at_work(settings.folders.data)
    except OSError:  # who may only read the warehouse may not look
        is_at_work = datetime.now(UTC).replace(tzinfo=None) - refused.at_utc < LONGEST_BUILD
    return None if is_at_work else refused


def _ask(warehouse: Warehouse, refused: NotPublished | None, settings: Settings) -> Status:
    with warehouse.store.open() as con:
        version, published_at, as_of = con.execute(PUBLISHED).fetchall()[0]
        found = tripped(con)
        return Status(
            warehouse=warehouse.store.where,
            version=version,
            published_at_utc=published_at,
            age_hours=(datetime.now(UTC).replace(tzinfo=None) - published_at).total_seconds() / 3600,
            as_of_utc=as_of,
            pinned=_pinned(warehouse.rollbacks.pin()),
            not_published=_sentence(refused) if refused else None,
            no_room=no_room((settings.folders.data, warehouse.store.folder), warehouse.store.bytes_of(version)),
            not_in=not_in(con, settings),
            days=_days(con),
            warnings=[f"{one} {see(Heading(one.tripwire))}" for one in found if one.accepted_reason is None],
            accepted=[str(one) for one in found if one.accepted_reason is not None],
            newest_restatement=_newest_restatement(con),
            records=_records(con),
            newest_exports=_newest_exports(con, settings),
        )


def _newest_exports(con: duckdb.DuckDBPyConnection, settings: Settings) -> dict[str, datetime]:
    """When the newest export that is in was made (UTC), of each source that is still expected to deliver."""
    rows = con.execute(
        """
        select source, max(exported_at_utc) from ops.ledger
        where status = 'loaded' and exported_at_utc is not null
        group by source order by source
        """
    ).fetchall()
    today = datetime.now(ZoneInfo(settings.centre.time_zone)).date()
    expected = {source.name for source in settings.sources if source.valid_to >= today}
    return {source: made_at for source, made_at in rows if source in expected}


def _days(con: duckdb.DuckDBPyConnection) -> list[str]:
    """For each source the days that are missing or failed, how many and the newest of them."""
    rows = con.execute(
        """
        select
            source, state, count(*),
            string_agg(date::varchar, ', ' order by date desc) filter (place <= 5)
        from (select *, row_number() over (partition by source, state order by date desc) as place from ops.days)
        where state in ('missing', 'failed')
        group by source, state
        order by source, state
        """
    ).fetchall()
    return [
        f"of source '{source}' {count} {'day' if count == 1 else 'days'} {state}: {dates}{', …' if count > 5 else ''} "
        + see(Heading.DAYS_MISSING)
        for source, state, count, dates in rows
    ]


def _newest_restatement(con: duckdb.DuckDBPyConnection) -> Restatement | None:
    """The newest restated headline, or another figure if there is none."""
    row = con.execute(
        """
        select
            restated_at_utc,
            concat_ws(' ', indicator, nullif(variant, 'headline'), nullif(dimension, 'all')),
            if(period_type = 'year', strftime(period, '%Y'), strftime(period, '%Y-%m')),
            old_value, new_value, unit, why,
            count(*) over () - 1
        from ops.restatements
        where version = (select max(version) from ops.restatements)
        order by variant <> 'headline', dimension_type <> 'all', period_type, period desc, indicator, variant, dimension
        limit 1
        """
    ).fetchone()
    return Restatement(*row) if row else None


def _records(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many records are in each state."""
    found = con.execute(RECORDS)
    states = [name for name, *_ in found.description or []]
    return {state: count or 0 for state, count in zip(states, found.fetchall()[0], strict=True)}


def _pinned(pin: Rollback | None) -> str | None:
    if pin is None:
        return None
    return (
        f"{pin.version}, since {pin.at_utc:%Y-%m-%d %H:%M} UTC ({pin.reason or 'no reason given'}); nights do not "
        f"publish until `kcc rollback --release` {see(Heading.IS_PUBLISHED)}"
    )


def _sentence(refused: NotPublished) -> str:
    return f"the build of {refused.at_utc:%Y-%m-%d %H:%M} UTC: {refused.reason}"


def _number(value: float | None) -> str:
    return "no figure" if value is None else f"{value:.2f}"
