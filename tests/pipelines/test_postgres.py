"""Dagster's history in a real PostgreSQL, by settings alone: the same nights, seen in the same way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests
import yaml
from dagster_postgres import PostgresEventLogStorage
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

import assets.report.nightly
import pipelines.cli
import pipelines.postgres
from assets.exports import EXPORTS
from assets.records import RecordStore
from pipelines.killed_runs import end_silent_runs
from pipelines.night import dagster_instance
from pipelines.postgres import URL_VARIABLE, EventLog, HistoryUnreachable
from pipelines.retention import forget_old_runs
from pipelines.runs import data_tag
from pipelines.schedule import RANGE_END, RANGE_START
from pipelines.settings import ROOT, Settings, load_settings
from schemas.tables import TABLES
from tests.city import call, settings_of, write_calls
from tests.dagster_home import home_in, run_job
from tests.pipelines.test_retention import A_YEAR_ON, answers, in_the_ui, statuses
from tests.postgres import Postgres
from tests.sample import City, small_city
from tests.server import at_work

SETTINGS = "deploy/postgres/dagster.yaml"
DAY = "2025-12-19"


def test_its_settings_differ_from_the_projects_own_in_the_storage_alone() -> None:
    ours, theirs = (yaml.safe_load((ROOT / name).read_text()) for name in (SETTINGS, "dagster.yaml"))
    assert ours.pop("storage") == {"custom": {"module": "pipelines.postgres", "class": "History"}}
    assert theirs.pop("storage")["custom"]["class"] == "History"
    assert ours == theirs


# ── A city whose first nights are run by everything at once ───────────────────────────────────────


@dataclass
class Lived:
    """What is left of a city whose webserver, daemon and `kcc run` began at the same moment, on an empty database."""

    city: City
    url: str
    night: subprocess.CompletedProcess[str]
    launched: str
    info: str
    commands: str
    told: str


@pytest.fixture(scope="module")
def lived(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    url = postgres.database()
    city = in_postgres(small_city(tmp_path_factory.mktemp("lived")), url)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = city.folder / "told"
    with ExitStack() as stack:
        for program in (["dagster_webserver", "-h", "127.0.0.1", "-p", str(port)], ["dagster._daemon", "run"]):
            stack.enter_context(running(city, log, *program, "-m", "pipelines.definitions"))
        night = city.kcc("run")
        ask = asking(f"http://127.0.0.1:{port}/graphql")
        launched = ask(LAUNCH, tags=[{"key": key, "value": DAY} for key in (RANGE_START, RANGE_END)])["launchRun"]
        run_id = launched["run"]["runId"]
        commands = ""
        while ask(STATUS, id=run_id)["runOrError"]["status"] not in {"SUCCESS", "FAILURE"}:
            commands += commands_of_all()
            time.sleep(0.2)
        info = ask("{ instance { info } }")["instance"]["info"]
    return Lived(city, url, night, run_id, info, commands, log.read_text())


LAUNCH = """
mutation ($tags: [ExecutionTag!]!) {
    launchRun(executionParams: {
        selector: {
            repositoryLocationName: "pipelines.definitions", repositoryName: "__repository__", jobName: "nightly"
        },
        executionMetadata: {tags: $tags}
    }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""
STATUS = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


def in_postgres(city: City, url: str) -> City:
    """The city, but its history is where the URL says."""
    (city.home / "dagster.yaml").write_text((ROOT / SETTINGS).read_text())
    city.environment[URL_VARIABLE] = url
    return city


def running(city: City, log: Path, module: str, *words: str) -> AbstractContextManager[None]:
    """A program of Dagster's, until it is told to stop."""
    return at_work([sys.executable, "-m", module, *words], city.environment, city.home, log, signal.SIGINT)


def asking(address: str) -> Callable[..., Any]:
    """Asks a webserver, which may not have begun to answer."""

    def ask(query: str, **variables: object) -> Any:
        for _ in range(300):
            try:
                told = requests.post(address, json={"query": query, "variables": variables}, timeout=30).json()
            except requests.ConnectionError:
                time.sleep(0.2)
            else:
                assert "errors" not in told, told
                return told["data"]
        pytest.fail("the webserver does not answer")

    return ask


def commands_of_all() -> str:
    """The command lines of all processes, which every user of a machine may read."""
    found = ""
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += each.read_text(errors="replace")
        except OSError:
            continue  # it has ended
    return found


@contextmanager
def history_of(lived: Lived) -> Iterator[tuple[dg.DagsterInstance, Settings]]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in lived.city.environment.items():
            patch.setenv(name, value)
        with home_in(lived.city.home, SETTINGS) as instance:
            yield instance, load_settings()


def test_a_night_from_the_command_line_is_told_as_ever(lived: Lived) -> None:
    assert lived.night.returncode == 0, lived.night.stderr
    assert "Retrying" not in lived.night.stderr + lived.told  # to make the tables
    with history_of(lived) as (instance, settings):
        newest = instance.get_runs()[-1]
        assert newest.is_success
        assert newest.tags.items() >= data_tag(settings).items()


def test_the_daemon_takes_a_run_of_the_ui_from_its_queue(lived: Lived) -> None:
    with history_of(lived) as (instance, _):
        run = instance.get_run_by_id(lived.launched)
        assert run is not None
        assert run.is_success
        kinds = {entry.dagster_event_type for entry in instance.all_logs(lived.launched)}
        assert {dg.DagsterEventType.RUN_ENQUEUED, dg.DagsterEventType.RUN_STARTING} <= kinds


def test_days_checks_and_tables_are_seen_through_the_instance(lived: Lived) -> None:
    with history_of(lived) as (instance, settings):
        for name in EXPORTS:
            assert DAY in instance.get_materialized_partitions(dg.AssetKey(name))
        answered = answers(instance, settings)
        newest = {key: instance.get_latest_materialization_event(dg.AssetKey(key.split("."))) for key in TABLES}
    assert {status for status, _ in answered.values()} <= {"SUCCEEDED", "FAILED"}
    assert {run_id for _, run_id in answered.values()} == {lived.launched}
    assert {event.run_id for event in newest.values() if event is not None} == {lived.launched}
    assert None not in newest.values()


def test_the_first_starts_made_the_tables_together_and_no_migration_is_left(lived: Lived) -> None:
    with history_of(lived) as (instance, _):
        for storage in (instance.run_storage, instance.event_log_storage, instance.schedule_storage):
            found, newest = storage.alembic_version()  # type: ignore[union-attr, misc]
            assert found == newest is not None
    assert Postgres.ask(lived.url, "select name from secondary_indexes where migration_completed is null") == []


def test_the_password_is_in_no_log_no_command_line_no_page_and_no_row(lived: Lived, postgres: Postgres) -> None:
    assert lived.launched in lived.commands
    kept = "".join(path.read_text(errors="replace") for path in lived.city.home.rglob("*") if path.is_file())
    rows = ""
    for (table,) in Postgres.ask(lived.url, "select tablename from pg_tables where schemaname = 'public'"):
        rows += str(Postgres.ask(lived.url, f"select * from {table}"))
    assert lived.launched in rows
    assert "pipelines.postgres" in lived.commands  # Dagster hands its settings on to each process that it starts
    assert "max_concurrent_runs" in lived.info
    for place in (lived.night.stdout, lived.night.stderr, lived.told, lived.commands, lived.info, kept, rows):
        assert postgres.password not in place


# ── What is kept ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def instance(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv(URL_VARIABLE, database)
    with home_in(tmp_path / "home", SETTINGS) as opened:
        yield opened


def test_an_export_day_looks_as_before_when_the_run_that_read_it_is_forgotten(
    instance: dg.DagsterInstance, database: str, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path)
    for day in ("2025-03-03", "2025-03-04"):
        write_calls(tmp_path, day, [call(f"{day} 10:00:00")])
    for first in ("2025-03-03", "2025-03-04"):
        assert run_job(settings, instance, {RANGE_START: first, RANGE_END: "2025-03-04"}).success
    before, answered = statuses(instance, settings), answers(instance, settings)
    told = {each["partition"]: each for each in materializations(instance)[::-1]}

    assert forget_old_runs(instance, settings, now=A_YEAR_ON) == 2
    assert statuses(instance, settings) == before
    assert answers(instance, settings) == answered
    still = materializations(instance)
    assert {each["partition"] for each in still} == {"2025-03-03", "2025-03-04"} == set(told)
    assert [each["metadataEntries"] for each in still] == [told[each["partition"]]["metadataEntries"] for each in still]
    assert instance.get_runs_count() == 0
    kept = Postgres.ask(database, "select dagster_event_type, asset_key, partition from event_logs")
    assert {kind for kind, *_ in kept} == {"ASSET_MATERIALIZATION"}
    assert len(kept) == len(set(kept))
    orphans = "select count(*) from asset_event_tags where event_id not in (select id from event_logs)"
    assert Postgres.ask(database, orphans) == [(0,)]


def materializations(instance: dg.DagsterInstance) -> list[Any]:
    return list(in_the_ui(instance)["assetOrError"]["assetMaterializations"])


def test_a_history_is_to_the_letter_what_dagster_itself_would_have_written(
    instance: dg.DagsterInstance, database: str, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = []
    whole = EventLog.store_event_batch

    def counted(self: EventLog, events: Sequence[Any]) -> None:
        batches.append(len(events))
        whole(self, events)

    monkeypatch.setattr(EventLog, "store_event_batch", counted)
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    tags = {RANGE_START: "2025-03-01", RANGE_END: "2025-03-12"}
    written = list(instance.all_logs(run_job(settings_of(tmp_path), instance, tags).run_id))
    planned, *read = batches
    assert planned > 2 * 12
    assert read == [12, 12]

    other = postgres.database()
    theirs = PostgresEventLogStorage(other.replace("postgresql:", "postgresql+psycopg2:"))
    theirs._engine = create_engine(theirs.postgres_url, isolation_level="AUTOCOMMIT")  # theirs connects each time anew
    for entry in written:
        theirs.store_event(entry)
    for table in (
        "select id, run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition from event_logs",
        "select asset_key, last_materialization, last_run_id, last_materialization_timestamp from asset_keys",
        "select event_id, asset_key, key, value from asset_event_tags",
        "select asset_key, check_name, run_id, execution_status, evaluation_event from asset_check_executions",
    ):
        ours = Postgres.ask(database, f"{table} order by 1, 2")
        assert ours
        assert ours == Postgres.ask(other, f"{table} order by 1, 2")


def test_a_run_whose_process_is_gone_is_ended(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    run_id = instance.create_run_for_job(_nothing, status=dg.DagsterRunStatus.STARTED).run_id
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    assert end_silent_runs(instance, settings_of(tmp_path), datetime.now(UTC)) == []
    assert end_silent_runs(instance, settings_of(tmp_path), in_an_hour) == [run_id]
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.FAILURE


@dg.job
def _nothing() -> None:
    pass


def test_an_instance_outlives_a_restart_of_postgresql(instance: dg.DagsterInstance, postgres: Postgres) -> None:
    run_id = instance.create_run_for_job(_nothing).run_id
    with postgres.down():
        pass
    assert instance.has_run(run_id)


def test_a_connection_that_is_lost_in_use_is_told_in_a_sentence(
    instance: dg.DagsterInstance, postgres: Postgres
) -> None:
    log = instance.event_log_storage
    assert isinstance(log, EventLog)
    with pytest.raises(HistoryUnreachable, match="PostgreSQL went away"), log.index_transaction() as connection:  # noqa: PT012
        with postgres.down(signal.SIGQUIT):
            pass
        connection.execute(text("select 1"))


# ── When it can't be reached ──────────────────────────────────────────────────────────────────────

PART = "s3cr3t"
"""A part of a password."""


@dataclass
class Told:
    """What `kcc run` ended with, and said on stderr."""

    status: int
    lines: list[str]


@pytest.fixture
def kcc_run(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Told]:
    """`kcc run` of a small city, in this process; it does not wait for PostgreSQL to come back."""
    city = in_postgres(small_city(tmp_path), database)
    for name, value in city.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(city.home)
    monkeypatch.setattr(pipelines.postgres, "PAUSES", ())

    def run() -> Told:
        told = CliRunner().invoke(pipelines.cli.app, ["run", "--quiet"])
        assert PART not in told.output
        return Told(told.exit_code, told.stderr.splitlines())

    return run


UNREACHABLE = "(runbook: Dagster's history unreachable)"
UNREACHED = "kcc: Dagster's history can't be reached: {}? `kcc status` says what is published " + UNREACHABLE
SILENT = UNREACHED.format(
    "PostgreSQL does not answer; does it run, and are its host and port right in KCC_POSTGRES_URL"
)
NO_SUCH_HOST = UNREACHED.format(
    "PostgreSQL is on a machine whose name nobody knows here; is its host (an @ in the password is %40) right in "
    "KCC_POSTGRES_URL"
)
WRONG_PASSWORD = UNREACHED.format(
    "PostgreSQL refuses the password, or gets none; are user and password (or the file that PGPASSFILE names) right in "
    "KCC_POSTGRES_URL"
)
NO_URL = (
    "kcc: dagster.yaml keeps Dagster's history in PostgreSQL, but KCC_POSTGRES_URL {}: it is "
    f"postgresql://USER:PASSWORD@HOST:5432/DATABASE, with %40 for an @ in the password {UNREACHABLE}"
)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        pytest.param("postgresql://kcc:{part}@127.0.0.1:1/history", SILENT, id="nobody listens"),
        pytest.param("postgresql://kcc:{part}@127.0.0.1:{port}/history", WRONG_PASSWORD, id="wrong password"),
        pytest.param("postgresql://kcc:p@{part}@127.0.0.1:{port}/history", NO_SUCH_HOST, id="an @ in the password"),
        pytest.param("postgresql://kcc:p/{part}#@127.0.0.1:{port}/history", WRONG_PASSWORD, id="other marks in it"),
        pytest.param("postgresql://kcc:p@127.0.0.1:{part}/history", NO_URL.format("holds no URL"), id="no port"),
        pytest.param("host=127.0.0.1 password={part}", NO_URL.format("holds no URL"), id="no URL"),
        pytest.param(None, NO_URL.format("is not set"), id="not set"),
    ],
)
def test_a_history_that_can_not_be_reached_is_one_sentence_that_quotes_nothing(
    kcc_run: Callable[[], Told], postgres: Postgres, monkeypatch: pytest.MonkeyPatch, url: str | None, sentence: str
) -> None:
    if url is None:
        monkeypatch.delenv(URL_VARIABLE)
    else:
        monkeypatch.setenv(URL_VARIABLE, url.format(part=PART, port=postgres.port))
    assert kcc_run() == Told(1, [sentence])


def test_without_the_driver_a_sentence_says_what_to_install(
    kcc_run: Callable[[], Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "pipelines.postgres")
    monkeypatch.setitem(sys.modules, "dagster_postgres", None)
    assert kcc_run() == Told(
        1,
        [
            "kcc: dagster.yaml keeps Dagster's history in PostgreSQL, and what that needs is not installed: install "
            f"requirements-postgres.txt {UNREACHABLE}"
        ],
    )


def test_a_password_may_lie_in_a_file_instead(
    kcc_run: Callable[[], Told], database: str, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "pgpass"
    passwords.touch(mode=0o600)
    passwords.write_text(f"127.0.0.1:{postgres.port}:*:kcc:{postgres.password}\n")
    monkeypatch.setenv(URL_VARIABLE, database.replace(f":{postgres.password}@", "@"))
    assert kcc_run().lines == [WRONG_PASSWORD]
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    with dagster_instance() as instance:
        assert instance.get_runs() == []


@pytest.mark.parametrize(
    ("step", "is_published"),
    [
        pytest.param((RecordStore, "read"), False, id="while it reads"),
        pytest.param((assets.report.nightly, "make_reports_of_the_night"), True, id="when it has published"),
    ],
)
def test_a_night_whose_postgresql_dies_publishes_whole_or_nothing_and_the_next_heals(
    kcc_run: Callable[[], Told], postgres: Postgres, monkeypatch: pytest.MonkeyPatch, step: Any, is_published: bool
) -> None:
    whole = getattr(*step)

    def dies(*words: Any) -> Any:
        postgres.stop(signal.SIGQUIT)
        return whole(*words)

    with monkeypatch.context() as patch:
        patch.setattr(*step, dies)
        told = kcc_run()
    postgres.start()
    assert (told.status, told.lines[-1]) == (1, SILENT)
    assert "Traceback" not in "".join(told.lines)
    assert load_settings().folders.data.joinpath("warehouse", "kcc.duckdb").exists() == is_published

    runs = "select status from runs order by id"
    assert Postgres.ask(os.environ[URL_VARIABLE], runs) == [("STARTED",)]
    assert kcc_run() == Told(0, [])
    assert Postgres.ask(os.environ[URL_VARIABLE], runs) == [("FAILURE",), ("SUCCESS",)]


def test_a_full_disk_of_postgresqls_is_not_taken_for_one_of_ours(kcc_run: Callable[[], Told], database: str) -> None:
    dagster_instance().dispose()  # makes the tables
    Postgres.ask(
        database,
        """
        create function no_room() returns trigger language plpgsql as $$
        begin raise 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
        create trigger no_room before insert on event_logs execute function no_room()
        """,
    )
    assert kcc_run().lines[-1] == (
        "kcc: no space left where PostgreSQL keeps Dagster's history: free some and run again (runbook: Disk full)"
    )
