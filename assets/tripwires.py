"""What looks wrong enough to say so, or not to publish at all.

The rules stand in `sql/staging/trips_*.sql`, the thresholds and what the city accepts in its settings. Belongs here:
what each tripwire means to a person, and that a blocking one blocks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

import duckdb

from pipelines.publishing import Block
from pipelines.runbook import Heading, see
from pipelines.settings import TripwireName


@dataclass(frozen=True)
class Tripwire:
    """One tripwire: the table that it is about, what it means, what to do, and whether it stops a publication."""

    asset: str
    meaning: str
    what_to_do: str
    is_blocking: bool = False


TRIPWIRES: dict[TripwireName, Tripwire] = {
    "answered_outside_hours": Tripwire(
        "core.calls",
        "Few calls are answered while the telephone is closed. Checked before publishing: a failure publishes nothing.",
        "Compare the zone of the source and the opening hours with the days and hours that are named; mend the "
        "settings, or accept it in [tripwires] with a reason and an end date.",
        is_blocking=True,
    ),
    "hours_disagree": Tripwire(
        "core.calls",
        "The telephone and the calendar agree on which calls came outside opening hours.",
        "Compare the opening hours and closures of the settings with the schedule of the telephone system at the hours "
        "that are named; the figures follow the settings.",
    ),
    "open_day_without_calls": Tripwire(
        "core.calls",
        "Every open day has calls of every source that is expected to deliver.",
        "Ask for the export of those days, or add a closure if the telephone was closed.",
    ),
    "quiet_day": Tripwire(
        "core.calls",
        "No day has far fewer calls than its weekday usually has.",
        "Ask whether the export of those days is whole; an export made later takes its place.",
    ),
    "partial_export": Tripwire(
        "ops.ledger",
        "No export holds far fewer calls of a day than an older export had.",
        "Ask for the export again, without a filter or a limit on its rows.",
    ),
    "unmapped_service": Tripwire(
        "core.appointments",
        "Every service belongs to a cluster on its day.",
        "Add the services to [[clusters]] of the settings.",
    ),
    "open_on_holiday": Tripwire(
        "core.calendar",
        "The calendar is closed on public holidays; the city's calendar decides, this only asks.",
        "Add a closure to the settings, or accept it in [tripwires] with a reason and an end date.",
    ),
}


Hour = tuple[str, int, int, int]
"""A weekday, an hour of it, the calls answered then and those of them that arrived outside opening hours."""


@dataclass(frozen=True)
class Tripped:
    """A tripwire that was touched by one source in one month, in a sentence, and why it is accepted if it is.

    It is about `affected` of `total` records; `hours` breaks calls answered outside opening hours down, while the
    warehouse is being built.
    """

    tripwire: TripwireName
    source: str
    month: date
    sentence: str
    is_blocking: bool
    accepted_reason: str | None
    accepted_until: date | None
    affected: int = 0
    total: int = 0
    hours: list[Hour] = field(default_factory=list)

    @property
    def blocks(self) -> bool:
        """Whether it forbids to publish."""
        return self.is_blocking and self.accepted_reason is None

    def __str__(self) -> str:
        if self.accepted_reason is None:
            return self.sentence
        return f"{self.sentence} Accepted until {self.accepted_until}: {self.accepted_reason}"


class Blocked(Exception):
    """A blocking tripwire was touched and not accepted: nothing is published.

    `tripped` holds all that were touched, `by` those that block, as data without a name of the exports.
    """

    def __init__(self, tripped: list[Tripped]) -> None:
        self.tripped = tripped
        self.by = [
            Block(check=one.tripwire, source=one.source, month=one.month, affected=one.affected, total=one.total)
            for one in tripped
            if one.blocks
        ]
        newest, *others = [one for one in tripped if one.blocks]
        more = f" ({len(others)} more like it.)" if others else ""
        what_to_do = f"{TRIPWIRES[newest.tripwire].what_to_do} {see(Heading(newest.tripwire))}"
        super().__init__(f"{newest.sentence}{more} {what_to_do}")


def tripped(con: duckdb.DuckDBPyConnection) -> list[Tripped]:
    """Every tripwire that a warehouse touches, blocking ones first, the newest month first."""
    rows = con.execute(
        """
        select
            tripwire, source, month, sentence, is_blocking, accepted_reason, accepted_until, affected, total
        from ops.tripwires
        order by is_blocking desc, month desc, tripwire, source
        """
    ).fetchall()
    return [Tripped(*row) for row in rows]


def inspect(con: duckdb.DuckDBPyConnection) -> list[Tripped]:
    """The same, of a warehouse that is being built, with the hours at which calls were answered outside opening hours.

    Raises Blocked where one of them forbids to publish.
    """
    found = [replace(one, hours=_hours(con, one)) for one in tripped(con)]
    if any(one.blocks for one in found):
        raise Blocked(found)
    return found


def _hours(con: duckdb.DuckDBPyConnection, one: Tripped) -> list[Hour]:
    if one.tripwire != "answered_outside_hours":
        return []
    return con.execute(
        """
        select dayname(date '2025-01-05' + weekday::int), hour, answered, outside from staging.answered_by_hour
        where source = ? and month = ? and outside > 0
        order by weekday, hour
        """,
        [one.source, one.month],
    ).fetchall()
