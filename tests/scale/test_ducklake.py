"""A warehouse in a lake that many cities share: what readers get is what a file would hold, whole or not at all."""

from __future__ import annotations

import logging
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from datetime import date, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from assets.sessions import readonly
from pipelines import ducklake, durable
from pipelines.ducklake import DuckLake, LakeUnreachable, OfAnotherCity
from pipelines.publishing import Warehouse
from pipelines.settings import FileWarehouse, Settings
from pipelines.status import status_of
from pipelines.versioned_file import VersionedFile
from pipelines.versions import release_pin, roll_back, versions_of
from schemas.tables import TABLES, columns
from tests.city import appointment, call, publish, settings_of, tables, write_appointments, write_calls
from tests.faults.nights import FORKS
from tests.postgres import Postgres

KEPT = 3
OLD = "kcc_20250301T000000000000_old"


def city(folder: Path, lake: Path, name: str = "lier", **parts: Any) -> Settings:
    """The settings of one city of the lake, with a centre of its own name."""
    warehouse = {"kind": "ducklake", "city": name, "folder": str(lake), **parts}
    return settings_of(
        folder / name,
        centre={"name": name.title(), "time_zone": "Europe/Brussels", "start": "2025-01-01"},
        warehouse=warehouse,
        retention={"versions": KEPT},
    )


def deliver(settings: Settings, days: int = 1, first: int = 1) -> None:
    """Exports of some weekdays of March 2025: on each as many calls as its number, and an appointment."""
    folder = settings.folders.exports.parent
    for day in range(first, first + days):
        weeks, weekday = divmod(day - 1, 5)
        on = str(date(2025, 3, 3) + timedelta(weeks=weeks, days=weekday))
        write_calls(folder, on, [call(f"{on} 09:{number:02}:00", id=f"c{day}-{number}") for number in range(day)])
        write_appointments(folder, on, [appointment(f"{on} 10:00:00", id=f"a{day}", booked=f"{on} 09:00:00")])


def ask(settings: Settings, query: str) -> list[Any]:
    """What a reader of the lake gets."""
    with Warehouse.of(settings).store.open() as con:
        return con.execute(query).fetchall()


def calls(settings: Settings) -> int:
    found: int = ask(settings, "select count(*) from core.calls")[0][0]
    return found


def store_of(settings: Settings) -> DuckLake:
    store = Warehouse.of(settings).store
    assert isinstance(store, DuckLake)
    return store


def every_version_is_ours(store: DuckLake) -> DuckLake:
    """The same, where a test publishes by itself and leaves no records of it."""
    store.is_ours = lambda _: True
    return store


def parquet(lake: Path, name: str = "lier") -> set[Path]:
    return {*(lake / name).rglob("*.parquet")}


def rows_of(con: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """Every row of every published table, as it comes."""
    return {table: con.execute(f"from {table}").fetchall() for table in TABLES}


def told_of(con: duckdb.DuckDBPyConnection) -> list[Any]:
    """The type and the comment of every column, and the comments of tables."""
    return con.execute(
        """
        select schema_name, table_name, column_name, data_type, comment from duckdb_columns()
        where schema_name in ('core', 'marts', 'ops') and database_name = current_database()
        union all
        select schema_name, table_name, null, null, comment from duckdb_tables()
        where schema_name in ('core', 'marts', 'ops') and database_name = current_database()
        order by all
        """
    ).fetchall()


def test_a_lake_holds_row_for_row_what_the_file_holds_in_the_same_order_with_the_same_comments(
    tmp_path: Path, lake: Path
) -> None:
    settings = city(tmp_path, lake, keep_file=True)
    for first in (1, 4, 7):
        deliver(settings, days=3, first=first)
        publish(settings)
        with readonly(Warehouse.of(settings).file.link) as file, store_of(settings).open() as con:
            assert rows_of(con) == rows_of(file)
            assert told_of(con) == told_of(file)
            assert all(comment for *_, comment in told_of(con))


def test_a_city_in_a_lake_has_the_same_tables_as_one_in_a_file(tmp_path: Path, lake: Path) -> None:
    in_lake = city(tmp_path, lake)
    in_file = settings_of(tmp_path / "file", centre=in_lake.centre.model_dump())
    for settings in (in_lake, in_file):
        deliver(settings, days=5)
        publish(settings)
    with store_of(in_lake).open() as one, readonly(Warehouse.of(in_file).file.link) as other:
        assert tables(one) == tables(other)


def test_a_snapshot_is_named_like_a_version_and_older_ones_can_be_asked(tmp_path: Path, lake: Path) -> None:
    settings = city(tmp_path, lake)
    for days in (1, 2):
        deliver(settings, days)
        publish(settings)
    named = ask(
        settings,
        "select commit_message, snapshot_id from kcc.snapshots() where author = 'kcc-marts' order by snapshot_id",
    )
    assert [name for name, _ in named] == [one.version for one in versions_of(settings)][::-1]
    assert ask(settings, f"select count(*) from core.calls at (version => {named[0][1]})") == [(1,)]
    assert calls(settings) == 3


def test_cities_share_catalog_and_folder_and_none_sees_anothers_records(
    tmp_path: Path, lake: Path, postgres: Postgres, catalog: str
) -> None:
    lier, mol = city(tmp_path, lake, "lier"), city(tmp_path, lake, "mol")
    for settings, days in ((lier, 2), (mol, 4)):
        deliver(settings, days)
        publish(settings)
    assert (calls(lier), calls(mol)) == (3, 10)
    assert ask(lier, "select distinct database_name from duckdb_tables() where schema_name = 'core'") == [("kcc",)]
    with store_of(lier).open() as con:
        for known in ("duckdb_databases", "duckdb_secrets", "duckdb_settings"):
            assert postgres.password not in str(con.execute(f"from {known}()").fetchall())
        for query in (
            f"from read_parquet('{lake}/mol/core/calls/*.parquet')",
            f"from read_text('{lier.folders.exports}/calls_2025-03-01.csv')",
            "attach 'ducklake:postgres:' as mol (metadata_schema 'mol')",
            "delete from core.calls",
            f"copy core.calls to '{lake}/calls.parquet'",
        ):
            with pytest.raises(duckdb.Error, match=r"disabled|read-only"):
                con.execute(query)
    # a user of PostgreSQL who was given one city reads that one
    postgres.ask(catalog, "create user reader password 'reader'")
    for grant in ("usage on schema lier", "select on all tables in schema lier"):
        postgres.ask(catalog, f"grant {grant} to reader")
    os.environ[ducklake.URL_VARIABLE] = catalog.replace(f"kcc:{postgres.password}", "reader:reader")
    assert calls(lier) == 3
    with pytest.raises(LakeUnreachable, match="does not let this user read or write"):
        calls(mol)


def test_settings_copied_with_the_name_of_the_city_read_and_change_nothing(tmp_path: Path, lake: Path) -> None:
    lier = city(tmp_path, lake, "lier")
    deliver(lier)
    publish(lier)
    before = parquet(lake)
    copied = settings_of(
        tmp_path / "mol",
        centre={"name": "Mol", "time_zone": "Europe/Brussels", "start": "2025-01-01"},
        warehouse=lier.warehouse.model_dump(),
    )
    deliver(copied, days=2)
    for attempt in (publish, calls, versions_of):
        with pytest.raises(OfAnotherCity, match="'lier' is the lake of 'Lier', and these settings are of 'Mol'"):
            attempt(copied)
    assert (calls(lier), parquet(lake)) == (1, before)


def test_a_centre_that_was_renamed_keeps_its_lake(tmp_path: Path, lake: Path) -> None:
    settings = city(tmp_path, lake)
    deliver(settings)
    publish(settings)
    renamed = settings.model_copy(update={"centre": settings.centre.model_copy(update={"name": "Stad Lier"})})
    deliver(renamed, days=2)
    publish(renamed)
    assert calls(renamed) == 3


def test_a_city_whose_parquet_is_elsewhere_is_not_mixed_with_another_folder(tmp_path: Path, lake: Path) -> None:
    settings = city(tmp_path, lake)
    deliver(settings)
    publish(settings)
    (tmp_path / "other").mkdir()
    with pytest.raises(OfAnotherCity, match=r"in .*/lake/lier/, and warehouse\.folder has them in .*/other/lier:"):
        publish(city(tmp_path, tmp_path / "other"))
    assert calls(settings) == 1


def test_a_reader_sees_one_publication_whole_whatever_is_published_meanwhile(tmp_path: Path, lake: Path) -> None:
    settings = city(tmp_path, lake)
    deliver(settings)
    publish(settings)
    with store_of(settings).open() as reader:
        assert reader.execute("select count(*) from core.calls").fetchone() == (1,)
        deliver(settings, days=2)
        publish(settings)
        assert reader.execute("select count(*) from core.calls").fetchone() == (1,)
        assert reader.execute("select count(*) from core.appointments").fetchone() == (1,)
    assert calls(settings) == 3


def small(file: Path, query: str = "select unnest([1, 2, 3]) as call_id") -> Path:
    """A finished file with one small table."""
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as con:
        con.execute(f"create schema core; create table core.calls as {query}")
    return file


def test_a_large_table_keeps_its_order(tmp_path: Path, lake: Path) -> None:
    store = every_version_is_ours(store_of(city(tmp_path, lake)))
    store.publish(small(tmp_path / "built.duckdb", "select range as call_id from range(700_000)"), OLD)
    with store.open() as con:
        unsorted = "select count(*) from (select call_id < lag(call_id) over () as back from core.calls) where back"
        assert con.execute(unsorted).fetchone() == (0,)


def test_every_type_of_a_contract_survives_parquet() -> None:
    types = {column.type for table in TABLES for column in columns(table)}
    assert not [name for name in types if name.startswith(("HUGEINT", "UHUGEINT", "ENUM", "BIT", "UNION"))]


def test_another_data_folder_does_not_publish_over_a_lake(tmp_path: Path, lake: Path) -> None:
    settings = city(tmp_path, lake)
    deliver(settings, days=2)
    publish(settings)
    staging = city(tmp_path / "staging", lake)
    deliver(staging)
    with pytest.raises(OfAnotherCity, match=r"published from another data folder than folders\.data"):
        publish(staging)
    assert calls(settings) == 3


def test_a_shared_folder_that_is_not_there_is_not_made(tmp_path: Path, lake: Path) -> None:
    settings = city(tmp_path, lake / "mounted")
    deliver(settings)
    with pytest.raises(LakeUnreachable, match=r"no such folder .*: mount it"):
        publish(settings)
    assert not (lake / "mounted").exists()


def test_a_lake_without_room_for_the_next_night_is_told_before_it_fails(
    tmp_path: Path, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path, lake)
    deliver(settings)
    publish(settings)
    assert status_of(settings).no_room is None
    monkeypatch.setattr(
        shutil, "disk_usage", lambda folder: SimpleNamespace(free=0 if lake in folder.parents else 10**12)
    )
    assert str(status_of(settings).no_room).startswith(f"0 MB are free in {lake}/lier, and a night may need 50 MB")


def test_a_folder_that_the_catalog_knows_and_that_is_gone_is_not_made(tmp_path: Path, lake: Path) -> None:
    settings = city(tmp_path, lake)
    deliver(settings)
    publish(settings)
    (lake / "lier").rename(lake / "unmounted")
    for attempt in (calls, publish):
        with pytest.raises(LakeUnreachable, match=r"lier: there is no such folder .* so mount it; if it is lost"):
            attempt(settings)
    (lake / "lier").mkdir()
    deliver(settings, days=2)
    publish(settings)
    assert calls(settings) == 3


def test_parquet_that_was_lost_is_there_again_after_the_next_night(tmp_path: Path, lake: Path) -> None:
    settings = city(tmp_path, lake)
    deliver(settings)
    publish(settings)
    for file in parquet(lake):
        file.unlink()
    deliver(settings, days=2)
    publish(settings)
    assert calls(settings) == 3


def test_who_wrote_to_a_lake_after_its_publication_is_told_of_until_the_next(tmp_path: Path, lake: Path) -> None:
    store = every_version_is_ours(store_of(city(tmp_path, lake)))
    store.publish(small(tmp_path / "built.duckdb"), OLD)
    assert store.spoiled() is None
    with store._connect(for_writing=True) as con:
        con.execute("create schema kcc.notes; create table kcc.notes.mine as select 1 as a").fetchall()
    with store._connect(for_writing=True) as con:
        con.execute("delete from kcc.core.calls where call_id = 2").fetchall()
    assert "somebody wrote to it after" in str(store.spoiled())
    store.publish(small(tmp_path / "built.duckdb"), "kcc_20250302T000000000000_new")
    assert store.spoiled() is None
    with store.open() as con:
        assert con.execute("from notes.mine").fetchall() == [(1,)]


def test_a_night_is_published_even_if_what_is_kept_no_more_cannot_go(
    tmp_path: Path, lake: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings = city(tmp_path, lake)
    deliver(settings)
    monkeypatch.setattr(ducklake, "GRACE", "interval 'nonsense'")
    with caplog.at_level(logging.WARNING, logger="kcc"):
        publish(settings)
    assert "what is kept no more stays until the next publication" in caplog.text
    assert calls(settings) == 1


@pytest.fixture
def before_commit(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Do something once, when a transaction has written everything and is about to be committed; then don't wait."""
    monkeypatch.setattr(ducklake, "PAUSES", (0.01, 0.01))

    def arrange(something: Callable[[], object]) -> None:
        to_do, sync = [something], durable.sync

        def interrupted(path: Path) -> None:
            if path.name.startswith("ducklake-") and to_do:
                to_do.pop()()
            sync(path)

        monkeypatch.setattr(durable, "sync", interrupted)

    return arrange


AGAIN = "a commit met another writer or lost its connection; it is tried again"


def test_a_commit_that_meets_another_writer_begins_again(
    tmp_path: Path,
    lake: Path,
    before_commit: Callable[[Callable[[], object]], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = city(tmp_path, lake)

    def write_too() -> None:
        with store._connect(for_writing=True) as con:
            con.execute("create or replace table kcc.core.calls as select 4 as call_id").fetchall()

    store, built = every_version_is_ours(store_of(settings)), tmp_path / "built.duckdb"
    store.publish(small(built), "kcc_20250401T000000000000_first")
    before_commit(write_too)
    with caplog.at_level(logging.WARNING, logger="kcc"):
        store.publish(small(built), "kcc_20250402T000000000000_next")
    assert AGAIN in caplog.text
    assert store.published_version() == "kcc_20250402T000000000000_next"
    assert calls(settings) == 3


def test_a_commit_that_loses_its_connection_begins_again(
    tmp_path: Path,
    lake: Path,
    before_commit: Callable[[Callable[[], object]], None],
    postgres: Postgres,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = city(tmp_path, lake)
    deliver(settings, days=2)
    others = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'kcc' and pid <> pg_backend_pid()"
    before_commit(lambda: postgres.ask(postgres.url(), others))
    with caplog.at_level(logging.WARNING, logger="kcc"):
        publish(settings)
    assert AGAIN in caplog.text
    assert calls(settings) == 3
    assert len(versions_of(settings)) == 1


def test_where_postgresql_is_gone_a_sentence_says_so_and_readers_keep_what_they_had(
    tmp_path: Path, lake: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ducklake, "_pauses", [0.01])
    settings = city(tmp_path, lake)
    deliver(settings)
    publish(settings)
    deliver(settings, days=2)
    with postgres.down():
        for attempt in (publish, calls, versions_of):
            with pytest.raises(LakeUnreachable, match="PostgreSQL does not answer; does it run") as told:
                attempt(settings)
            assert postgres.password not in str(told.value)
    assert calls(settings) == 1
    publish(settings)
    assert calls(settings) == 3


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        pytest.param(("{password}@", "geheim@"), "refuses the password, or gets none", id="password"),
        pytest.param((":{password}@", "@"), "refuses the password, or gets none", id="no password"),
        pytest.param((":{port}/", ":1/"), "does not answer; does it run, and are its host and port", id="port"),
        pytest.param(("{database}", "geheim"), "has no such database", id="database"),
        pytest.param(("{database}", "{database}?sslmode=require"), "does not offer the TLS", id="TLS"),
        pytest.param((":{port}/{database}", ":1/{database}?sslrootcert=/certificate"), "does not answer", id="not TLS"),
        pytest.param(("{database}", "{database}?sslmode=geheim"), "libpq does not know an option", id="an option"),
    ],
)
@pytest.mark.usefixtures("catalog")
def test_what_is_wrong_with_the_address_is_told_and_not_quoted(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, str], sentence: str
) -> None:
    monkeypatch.setattr(ducklake, "_pauses", [])
    catalog = os.environ[ducklake.URL_VARIABLE]
    parts = {"password": postgres.password, "port": postgres.port, "database": catalog.rpartition("/")[2]}
    right, other = (part.format(**parts) for part in wrong)
    assert right in catalog
    monkeypatch.setenv(ducklake.URL_VARIABLE, catalog.replace(right, other))
    with pytest.raises(LakeUnreachable, match=f"PostgreSQL .*{sentence}") as told:
        calls(city(tmp_path, tmp_path))
    assert "geheim" not in str(told.value)


def test_a_catalog_of_another_release_of_ducklake_is_told_and_left_as_it_is(
    tmp_path: Path, lake: Path, catalog: str
) -> None:
    settings = city(tmp_path, lake)
    deliver(settings)
    publish(settings)
    Postgres.ask(catalog, "update lier.ducklake_metadata set value = '99.0' where key = 'version'")
    for attempt in (calls, publish):
        with pytest.raises(LakeUnreachable, match="made by another release of DuckLake"):
            attempt(settings)
    assert Postgres.ask(catalog, "select value from lier.ducklake_metadata where key = 'version'") == [("99.0",)]


def test_what_could_not_be_published_is_not_built(
    tmp_path: Path, lake: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ducklake, "_pauses", [])
    settings = city(tmp_path, lake)
    deliver(settings)
    monkeypatch.setattr("assets.warehouse.build", None)
    with postgres.down(), pytest.raises(LakeUnreachable):
        publish(settings)
    refused = Warehouse.of(settings).refused()
    assert refused is not None
    assert refused.reason == "it broke off (LakeUnreachable) (runbook: The lake unreachable)"


def worker_of(settings: Settings) -> ForkServerProcess:
    """A process that publishes a city, in the environment of this test."""
    return FORKS.Process(target=_publish, args=(settings, os.environ[ducklake.URL_VARIABLE]))


def _publish(settings: Settings, catalog: str) -> None:
    os.environ[ducklake.URL_VARIABLE] = catalog
    publish(settings)


def test_a_worker_killed_at_any_moment_leaves_nothing_visible_and_a_rerun_ends_with_the_same_tables(
    tmp_path: Path, lake: Path
) -> None:
    settings, undisturbed = city(tmp_path, lake), settings_of(tmp_path / "file")
    dice, kills = random.Random(14), 0  # noqa: S311 - so that a failure can be had again
    for day in (1, 2, 3):
        for one in (settings, undisturbed):
            deliver(one, days=day)
        publish(undisturbed)
        before = calls(settings) if day > 1 else None
        while True:
            worker = worker_of(settings)
            worker.start()
            worker.join(dice.uniform(0, 1.2) if kills < 12 * day else None)
            if worker.exitcode is not None:
                break
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGKILL)
            worker.join()
            kills += 1
            if before is not None:
                assert calls(settings) in (before, day * (day + 1) // 2)
        assert worker.exitcode == 0
        with store_of(settings).open() as con, readonly(Warehouse.of(undisturbed).file.link) as file:
            assert tables(con) == tables(file)
    assert kills > 3


def test_going_back_gives_readers_of_lake_and_file_the_earlier_version_and_the_release_the_next(
    tmp_path: Path, lake: Path
) -> None:
    settings = city(tmp_path, lake, keep_file=True)
    for days in (1, 2):
        deliver(settings, days)
        publish(settings)
    file = Warehouse.of(settings).file
    newest, first = (one.version for one in versions_of(settings))
    roll_back(settings, None, "a wrong zone")
    assert (calls(settings), file.published_version()) == (1, first)
    assert [(one.version, one.state) for one in versions_of(settings)] == [(newest, "rolled back"), (first, "pinned")]
    deliver(settings, days=3)
    assert publish(settings).not_published is not None
    assert calls(settings) == 1
    release_pin(settings, None)
    publish(settings)
    assert calls(settings) == 6
    assert file.published_version() == versions_of(settings)[0].version
    with readonly(file.link) as con:
        assert con.execute("select count(*) from core.calls").fetchone() == (6,)


def test_a_rollback_across_a_change_of_the_tables_brings_the_old_tables_back(tmp_path: Path, lake: Path) -> None:
    settings = city(tmp_path, lake)
    store = every_version_is_ours(store_of(settings))
    for name, tables_made in {
        OLD: ["create table core.calls as select 1 as call_id", "create table core.gone (a int)"],
        "kcc_20250302T000000000000_new": ["create table core.calls as select 'x' as call_id, 2.5 as wait_seconds"],
    }.items():
        built = tmp_path / f"{name}.duckdb"
        with duckdb.connect(str(built)) as con:
            con.execute("create schema core")
            for made in tables_made:
                con.execute(made)
            con.execute(f"comment on column core.calls.call_id is 'as in {name}'")
        store.publish(built, name)
    assert ask(settings, "from core.calls")[0][0] == "x"
    assert ask(settings, "select table_name from duckdb_tables() where schema_name = 'core'") == [("calls",)]
    store.give(OLD)
    assert ask(settings, "from core.calls") == [(1,)]
    assert ask(settings, "select table_name from duckdb_tables() where schema_name = 'core' order by all") == [
        ("calls",),
        ("gone",),
    ]
    assert ask(settings, "select comment from duckdb_columns() where column_name = 'call_id'") == [(f"as in {OLD}",)]


def test_versions_that_are_kept_no_more_go_and_their_files_when_nobody_reads_them_any_more(
    tmp_path: Path, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path, lake)
    for days in range(1, KEPT + 3):
        deliver(settings, days)
        publish(settings)
    assert len(store_of(settings).kept()) == KEPT
    assert ask(settings, "select count(*) from kcc.snapshots()") == [(KEPT,)]
    many = parquet(lake)
    monkeypatch.setattr(ducklake, "GRACE", "interval 0 second")
    store_of(settings).keep_only(store_of(settings).kept())
    few = parquet(lake)
    assert few < many
    versions = ask(settings, "select snapshot_id, commit_message from kcc.snapshots() order by all")
    for (number, _), days in zip(versions, range(3, 6), strict=True):
        assert ask(settings, f"select count(*) from core.calls at (version => {number})") == [(days * (days + 1) // 2,)]


def test_parquet_that_a_killed_worker_left_goes_a_day_later_and_younger_files_stay(tmp_path: Path, lake: Path) -> None:
    settings = city(tmp_path, lake)
    deliver(settings)
    publish(settings)
    folder = next(iter(parquet(lake))).parent
    old, young = folder / "ducklake-old.parquet", folder / "ducklake-young.parquet"
    for file in (old, young):
        file.write_bytes(b"left")
    yesterday = time.time() - timedelta(days=1, minutes=1).total_seconds()
    os.utime(old, (yesterday, yesterday))
    deliver(settings, days=2)
    publish(settings)
    assert (old.exists(), young.exists()) == (False, True)
    assert calls(settings) == 3


def test_a_file_beside_the_lake_follows_it_after_a_kill_between_the_two(
    tmp_path: Path, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path, lake, keep_file=True)
    deliver(settings)
    publish(settings)
    deliver(settings, days=2)
    with monkeypatch.context() as killed:

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        killed.setattr(VersionedFile, "give", die)
        with pytest.raises(KeyboardInterrupt):
            publish(settings)
    warehouse = Warehouse.of(settings)
    assert warehouse.file.published_version() != warehouse.published_version()
    warehouse.clear_left_overs()
    assert warehouse.file.published_version() == warehouse.published_version()
    assert len(warehouse.history().publications) == 2


def test_a_city_that_moves_into_a_lake_leaves_no_file_that_looks_like_the_newest_version(
    tmp_path: Path, lake: Path
) -> None:
    settings = city(tmp_path, lake)
    in_file = settings.model_copy(update={"warehouse": FileWarehouse(kind="file")})
    deliver(settings)
    publish(in_file)
    file = Warehouse.of(in_file).file
    before = file.file_of(file.published_version() or "")
    publish(settings)
    assert calls(settings) == 1
    assert not file.link.is_symlink()
    assert before.exists()


def test_two_cities_publish_at_the_same_time(tmp_path: Path, lake: Path) -> None:
    both = [city(tmp_path, lake, name) for name in ("lier", "mol")]
    for settings in both:
        deliver(settings, days=3)
    workers = [worker_of(settings) for settings in both]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert [calls(settings) for settings in both] == [6, 6]
