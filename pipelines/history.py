"""Keeps Dagster's history in its own SQLite files, in its own tables, at a fraction of what each event costs there.

Dagster's storage opens a database, and compiles each statement, anew for every event, and makes every event durable by
itself, in two files: 8 ms of CPU an event, and a day of a backfill is four events. Here the index stays open, and
events that come together are written together: 0.3 ms. Whoever opens the files with Dagster's own storage finds nothing
that it does not know (tests/pipelines/test_history.py). Does not belong here: what is told of a run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as db
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, BATCH_WRITABLE_EVENTS, DagsterEventType
from dagster._core.storage.event_log import SqlEventLogStorageTable, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetEventTagsTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

if TYPE_CHECKING:
    from dagster._core.events.log import EventLogEntry
    from dagster._serdes import ConfigurableClassData
    from sqlalchemy.engine import Connection, Engine

BATCH = 1000
"""So many events of a step are written together at most; a run that is killed meanwhile loses what was to be told."""


class EventLog(SqliteEventLogStorage):
    """Dagster's log of events: a database of each run, opened and closed as Dagster does, for the UI looks out for its
    changes; and an index of all, which stays open.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._index: Engine | None = None
        self._known: set[str] = set()
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(BATCH))  # unset, Dagster never hands on two together
        super().__init__(base_dir, inst_data)
        # a transaction in the index goes on within one of a run
        self._db_lock = threading.RLock()  # type: ignore[assignment]

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        """A transaction in the index or in the database of a run."""
        if shard != INDEX_SHARD_NAME:
            with super()._connect(shard) as connection:
                yield connection
            return
        with self._db_lock:
            if self._index is None:
                self._index = create_engine(
                    self.conn_string_for_shard(shard),
                    pool_size=1,
                    connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
                )
            if shard not in self._initialized_dbs:
                self._initdb(self._index)
                self._initialized_dbs.add(shard)
            with self._index.begin() as connection:
                yield connection

    def _close_index(self) -> None:
        with self._db_lock:
            if self._index is not None:
                self._index.dispose()
                self._index = None

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Write events of one run, in one transaction for the run and one for the index: both, or neither."""
        [run_id, *others] = {event.run_id for event in events}
        if others or not all(event.dagster_event_type in BATCH_WRITABLE_EVENTS for event in events):
            super().store_event_batch(events)
            return
        rows = [self._event_to_row(event) for event in events]
        insert = SqlEventLogStorageTable.insert()
        with self.run_connection(run_id) as of_run, self.index_connection() as connection:
            of_run.execute(insert, rows)
            numbered = insert.returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
            stored = list(zip(events, connection.scalars(numbered, rows), strict=True))
            of_assets = [(event, number) for event, number in stored if event.dagster_event_type in ASSET_EVENTS]
            self._store_asset_event_tags(connection, [event for event, _ in of_assets], [n for _, n in of_assets])
            newest = {
                (event.get_dagster_event().asset_key, event.dagster_event_type): (event, n) for event, n in of_assets
            }
            for event, number in newest.values():  # what the index says of an asset, the next event would replace
                self._store_asset_event(connection, event, number)
        for event, number in stored:
            if event.dagster_event_type in ASSET_CHECK_EVENTS:
                self.store_asset_check_event(event, number)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table: asked for each event, and one that it has does not go."""
        if table_name not in self._known and super().has_table(table_name):
            self._known.add(table_name)
        return table_name in self._known

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        if column_name not in self._known and super()._has_asset_key_col_on_connection(conn, column_name):
            self._known.add(column_name)
        return column_name in self._known

    def delete_events(self, run_id: str) -> None:
        """Forget a run; its file goes, for a database without rows is as large as before."""
        with self.index_connection() as connection:
            self.delete_events_for_run(connection, run_id)
        self._initialized_dbs.discard(run_id)
        for ending in ("", "-wal", "-shm"):
            Path(self.path_for_shard(run_id) + ending).unlink(missing_ok=True)
        if self.supports_global_concurrency_limits:
            self.free_concurrency_slots_for_run(run_id)

    def delete_events_for_run(self, conn: Connection, run_id: str) -> None:
        """Forget a run in the index, but for what nobody told after it.

        A day was read, though the run that read it is forgotten: the newest materialization of each day and each table
        stays, and the newest answer of each check. Dagster's own storage would show those days as never read.
        """
        event, check = SqlEventLogStorageTable.c, AssetCheckExecutionsTable.c
        newer, later = SqlEventLogStorageTable.alias().c, AssetCheckExecutionsTable.alias().c
        is_told_again = db.exists().where(
            newer.asset_key == event.asset_key,
            newer.dagster_event_type == event.dagster_event_type,
            newer.partition.is_not_distinct_from(event.partition),
            newer.id > event.id,
        )
        is_kept = db.and_(
            event.dagster_event_type == DagsterEventType.ASSET_MATERIALIZATION.value, db.not_(is_told_again)
        )
        gone = db.select(event.id).where(event.run_id == run_id, db.not_(is_kept))
        conn.execute(AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.in_(gone)))
        conn.execute(SqlEventLogStorageTable.delete().where(event.id.in_(gone)))
        is_answered_again = db.exists().where(
            later.asset_key == check.asset_key,
            later.check_name == check.check_name,
            later.partition.is_not_distinct_from(check.partition),
            later.id > check.id,
        )
        conn.execute(AssetCheckExecutionsTable.delete().where(check.run_id == run_id, is_answered_again))

    def wipe(self) -> None:
        """Forget every run; their files go."""
        self._close_index()
        super().wipe()

    def dispose(self) -> None:
        """Close what is open."""
        self._close_index()
        super().dispose()


class History(DagsterSqliteStorage):
    """What `dagster.yaml` names as storage: Dagster's SQLite, with the log of events above."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = EventLog(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """As its settings say."""
        return cls.from_local(inst_data=inst_data, **config_value)
