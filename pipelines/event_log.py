"""Dagster's log of events as we keep it, whichever database holds it.

Events that come together are written together, and when a run is forgotten the days that it read stay known. Belongs
here: what is the same in SQLite (`pipelines/history.py`) and in PostgreSQL (`pipelines/postgres.py`). Does not belong
here: files and connections, which runs may go (`pipelines/retention.py`), what is told of a run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as db
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, BATCH_WRITABLE_EVENTS, DagsterEventType
from dagster._core.storage.event_log import SqlEventLogStorage, SqlEventLogStorageTable
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetEventTagsTable

if TYPE_CHECKING:
    from dagster._core.events.log import EventLogEntry
    from sqlalchemy.engine import Connection

BATCH = 1000
"""So many events of a step are written together at most; a run that is killed meanwhile loses what was to be told."""


class SharedEventLog(SqlEventLogStorage):
    """What both logs of events share; the one of Dagster that each extends stands behind it among its bases."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(BATCH))  # unset, Dagster never hands on two together
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Write events of one run in one transaction: all, or none."""
        if len({event.run_id for event in events}) != 1 or not all(
            event.dagster_event_type in BATCH_WRITABLE_EVENTS for event in events
        ):
            for event in events:
                self.store_event(event)
            return
        stored = list(zip(events, self._store_together(events), strict=True))
        for event, number in stored:
            if event.dagster_event_type in ASSET_CHECK_EVENTS:
                self.store_asset_check_event(event, number)

    def _store_together(self, events: Sequence[EventLogEntry]) -> Sequence[int]:
        """Write events of one run in one transaction; returns their numbers."""
        with self.index_transaction() as connection:
            return self._index_events(connection, events, [self._event_to_row(event) for event in events])

    def _index_events(
        self, connection: Connection, events: Sequence[EventLogEntry], rows: Sequence[Mapping[str, Any]]
    ) -> Sequence[int]:
        """Write events, and what they say of their assets, where all runs are looked up; returns their numbers."""
        numbered = SqlEventLogStorageTable.insert().returning(
            SqlEventLogStorageTable.c.id, sort_by_parameter_order=True
        )
        numbers = connection.scalars(numbered, rows).all()
        of_assets = [
            (event, number)
            for event, number in zip(events, numbers, strict=True)
            if event.dagster_event_type in ASSET_EVENTS
        ]
        self._store_asset_event_tags(connection, [event for event, _ in of_assets], [n for _, n in of_assets])
        newest = {(event.get_dagster_event().asset_key, event.dagster_event_type): (event, n) for event, n in of_assets}
        for event, number in newest.values():  # what is said of an asset, the next event would replace
            self._store_asset_event(connection, event, number)
        return numbers

    def delete_events_for_run(self, conn: Connection, run_id: str) -> None:
        """Forget a run where all are looked up, but for what nobody told after it.

        A day was read, though the run that read it is forgotten: the newest materialization of each day and each table
        stays, and the newest answer of each check. Dagster's own storage would show those days as never read.
        """
        event, check = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
        is_told_again = _is_told_again(SqlEventLogStorageTable, "asset_key", "dagster_event_type")
        is_kept = db.and_(
            event.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION.value, db.not_(is_told_again)
        )
        gone = db.select(event.id).where(event.run_id == run_id, db.not_(is_kept))
        conn.execute(AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.in_(gone)))
        conn.execute(SqlEventLogStorageTable.delete().where(event.id.in_(gone)))
        is_answered_again = _is_told_again(AssetCheckExecutionsTable, "asset_key", "check_name")
        conn.execute(AssetCheckExecutionsTable.delete().where(check.run_id == run_id, is_answered_again))


def _is_told_again(table: db.Table, *same: str) -> db.ColumnElement[bool]:
    """Whether a later row tells of the same, and of the same partition or, like this one, of none.

    Asked for both at once (`is not distinct from`) PostgreSQL uses no index: 90 s for a first night of ten years.
    """
    this, later = table.c, table.alias().c
    is_later = [later.id > this.id, *(later[name] == this[name] for name in same)]
    of_its_partition = db.exists().where(*is_later, later.partition == this.partition)
    of_none = db.exists().where(*is_later, later.partition.is_(None))
    return db.or_(of_its_partition, db.and_(this.partition.is_(None), of_none))
