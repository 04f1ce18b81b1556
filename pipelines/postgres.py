"""Keeps Dagster's history in PostgreSQL, for an instance whose `dagster.yaml` says so (`deploy/postgres/dagster.yaml`).

Dagster's own storage connects anew for every statement, logs what the driver says of a connection that fails (a part
of the password, where it has an @ in it), and leaves the choice of a driver to SQLAlchemy, which changed its mind. Here
one connection stays open, and a failure is one sentence that quotes nothing. The tables are Dagster's own, made by
the first start. Does not belong here: what is the same in SQLite (`pipelines/event_log.py`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pipelines.event_log import SharedEventLog
from pipelines.patience import CONNECT_SECONDS, PAUSES, obstacle
from pipelines.runbook import Heading, see
from pipelines.space import NoSpace


class HistoryUnreachable(ConnectionError):
    """PostgreSQL can't be reached, or went away; the message says what to do and quotes neither URL nor driver."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"{sentence} {see(Heading.HISTORY_UNREACHABLE)}")


try:
    from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage
except ModuleNotFoundError:
    raise HistoryUnreachable(
        "dagster.yaml keeps Dagster's history in PostgreSQL, and what that needs is not installed: install "
        "requirements-postgres.txt"
    ) from None

if TYPE_CHECKING:
    from dagster._config import UserConfigSchema
    from dagster._serdes import ConfigurableClassData
    from sqlalchemy.engine import Dialect, Engine, ExceptionContext

URL_VARIABLE = "KCC_POSTGRES_URL"
"""The environment variable that holds the URL: what stands in `dagster.yaml` is on the command line of every process
that Dagster starts, for all users of the machine to see."""
FIRST_START = 0x6B6363
"""The number of a lock in PostgreSQL: of several that start at the same moment one makes the tables."""
DISK_FULL = "53100"
"""PostgreSQL's code of that error, whatever language it speaks."""


class EventLog(SharedEventLog, PostgresEventLogStorage):
    """Dagster's log of events in PostgreSQL."""

    def delete_events(self, run_id: str) -> None:
        """Forget a run, whole or not at all."""
        with self.index_transaction() as connection:
            self.delete_events_for_run(connection, run_id)
        self.free_concurrency_slots_for_run(run_id)

    def dispose(self) -> None:
        """Close what is open."""
        super().dispose()
        self._engine.dispose()


class History(DagsterPostgresStorage):
    """What `dagster.yaml` names as storage: Dagster's, over one connection, with the log of events above."""

    def __init__(self, url: URL, inst_data: ConfigurableClassData | None = None) -> None:
        engine = _engine(url)
        address = url.render_as_string(hide_password=False)
        with engine.connect() as connection:  # before Dagster does, which would log what the driver says of a failure
            connection.execute(select(func.pg_advisory_lock(FIRST_START)))
            try:
                super().__init__(address, inst_data=inst_data)
            finally:
                connection.execute(select(func.pg_advisory_unlock(FIRST_START)))
        self._event_log_storage = EventLog(address, should_autocreate_tables=False)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = engine

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Nothing: where PostgreSQL is, the environment tells."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, _: Mapping[str, Any]) -> Self:
        """As the environment says. Raises HistoryUnreachable."""
        return cls(_url(), inst_data)


def _url() -> URL:
    """Where PostgreSQL is, with the driver that Dagster is written for."""
    try:
        return make_url(os.environ[URL_VARIABLE]).set(drivername="postgresql+psycopg2")
    except KeyError:
        why = "is not set"
    except (ArgumentError, ValueError):
        why = "holds no URL"
    raise HistoryUnreachable(
        f"dagster.yaml keeps Dagster's history in PostgreSQL, but {URL_VARIABLE} {why}: "
        "it is postgresql://USER:PASSWORD@HOST:5432/DATABASE, with %40 for an @ in the password"
    )


def _engine(url: URL) -> Engine:
    """Connections: one stays open, more are opened while they are needed."""
    engine = create_engine(
        url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=-1, pool_pre_ping=True, hide_parameters=True
    )
    event.listen(engine, "do_connect", _connect(list(PAUSES)))
    event.listen(engine, "handle_error", _told)
    return engine


def _connect(pauses: list[float]) -> Callable[..., object]:
    """How a connection is opened: patiently, and what the driver says of a failure is never told.

    When the pauses are spent, each further attempt is the only one, until one succeeds.
    """

    def connect(dialect: Dialect, _: object, args: tuple[Any, ...], options: dict[str, Any]) -> object:
        options.setdefault("connect_timeout", CONNECT_SECONDS)
        while True:
            try:
                connection = dialect.connect(*args, **options)
            except dialect.loaded_dbapi.Error as error:
                why = obstacle(str(error), URL_VARIABLE)
            else:
                pauses[:] = PAUSES
                return connection
            if not pauses:
                raise HistoryUnreachable(
                    f"Dagster's history can't be reached: {why} `kcc status` says what is published"
                )
            time.sleep(pauses.pop(0))

    return connect


def _told(context: ExceptionContext) -> None:
    """Say in a sentence that PostgreSQL is full, or went away; that a connection in the pool is dead is no failure."""
    if getattr(context.original_exception, "pgcode", None) == DISK_FULL:
        raise NoSpace(
            f"no space left where PostgreSQL keeps Dagster's history: free some and run again {see(Heading.DISK_FULL)}"
        )
    if context.is_disconnect and not context.is_pre_ping:
        raise HistoryUnreachable(
            "Dagster's history can't be reached: PostgreSQL went away; `kcc status` says what is published"
        )
