"""What the build leaves standing while it goes on, and what it lets go of."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import duckdb
import pytest

from assets import verify
from assets.build import READ_LATER, VIEWS, build, finish, last_readers, reads, sql_files
from assets.sessions import readonly
from pipelines.publishing import History
from pipelines.space import NoSpace, told_if_full
from schemas.tables import TABLES
from tests.city import call, publish, read_all, settings_of, write_calls


def test_no_table_is_let_go_of_before_the_last_that_is_computed_from_it_through_views_too() -> None:
    standing: set[str] = set()
    files, gone = sql_files(), last_readers()
    for table in files:
        if table not in VIEWS:
            behind, asked = set(), set(reads(table, files))
            while asked:
                behind |= asked
                asked = {name for view in asked & VIEWS for name in reads(view, files)} - behind
            assert behind <= standing
        standing = (standing | {table}) - set(gone[table])
    assert {table for table in standing if table.startswith("staging.")} >= READ_LATER


def test_what_the_checks_ask_of_the_build_is_kept_for_them() -> None:
    asked = {name for query in verify.SUMS.values() for name in re.findall(r"from (staging\.\w+)", query)}
    assert asked
    assert asked <= READ_LATER
    assert set(sql_files()) - set(TABLES) >= READ_LATER | VIEWS


def test_after_the_build_nothing_of_the_staging_tables_stands_but_what_is_asked_later(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00"), call("2025-03-03 11:00:00", "missed")])
    settings = settings_of(tmp_path)
    with build(tmp_path / "built.duckdb", settings, read_all(settings), History()) as con:
        left = con.execute(
            """
            select 'staging.' || table_name from duckdb_tables() where database_name = 'staging'
            union all
            select 'staging.' || view_name from duckdb_views() where database_name = 'staging' and not internal
            """
        ).fetchall()
        behind = {"staging.call_records", "staging.call_quarantine", "staging.call_losers"}
        assert {name for (name,) in left} == READ_LATER | behind
        assert con.execute("select state, count(*) from staging.call_states group by all").fetchall() == [
            ("accepted", 2)
        ]


def test_a_build_keeps_no_log_beside_its_file_and_is_whole_once_it_is_finished(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    settings, file = settings_of(tmp_path), tmp_path / "built" / "built.duckdb"
    file.parent.mkdir()
    con = build(file, settings, read_all(settings), History())
    assert list(file.parent.iterdir()) == [file]
    finish(con)
    with readonly(file) as published:
        assert published.execute("select call_id from core.calls").fetchall() == [("r1",)]


def test_two_files_of_one_content_and_files_that_were_read_by_other_settings_keep_their_own_records(
    tmp_path: Path,
) -> None:
    settings = settings_of(tmp_path)
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")], suffix="_again")
    write_calls(tmp_path, "2025-03-04", [call("2025-03-04 10:00:00"), call("2025-03-04 11:00:00")])
    store = read_all(settings)
    latest = [receipt for receipt in store.receipts if "03-04" in receipt.name]
    store.receipts[:] = [
        receipt.model_copy(update={"reader": "another"}) if receipt in latest else receipt for receipt in store.receipts
    ]
    with build(tmp_path / "built.duckdb", settings, store, History()) as con:
        told = con.execute("select file_name, records from ops.ledger order by file_name").fetchall()
    assert told == [("calls_2025-03-03.csv", 1), ("calls_2025-03-03_again.csv", 1), ("calls_2025-03-04.csv", 2)]


def test_a_build_that_needs_more_memory_than_it_is_bound_to_begins_again_without_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    monkeypatch.setattr("assets.warehouse.bounded", lambda _: {"memory_limit": "'1MB'", "threads": "1"})
    with caplog.at_level(logging.WARNING, "kcc"):
        published = publish(settings_of(tmp_path))
    assert published.rows["core.calls"] == 1
    assert "begins again" in caplog.text
    assert not list((tmp_path / "data" / "warehouse" / "versions").glob(".*"))


def test_a_check_that_needs_more_memory_than_the_build_is_bound_to_begins_again_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    verified, attempts = verify.verify, []

    def fails_once(con: duckdb.DuckDBPyConnection) -> None:
        attempts.append(con)
        if len(attempts) == 1:
            raise duckdb.OutOfMemoryException
        verified(con)

    monkeypatch.setattr("assets.warehouse.verify", fails_once)
    assert publish(settings_of(tmp_path)).rows["core.calls"] == 1
    assert len(attempts) == 2


def test_a_disk_that_is_full_of_what_memory_can_not_hold_is_no_lack_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    full = (
        "failed to offload data block of size 256.0 KiB. This limit was set by the 'max_temp_directory_size' setting."
    )

    def fails(_: duckdb.DuckDBPyConnection) -> None:
        raise duckdb.OutOfMemoryException(full)

    monkeypatch.setattr("assets.warehouse.verify", fails)
    with pytest.raises(NoSpace), told_if_full(tmp_path):
        publish(settings_of(tmp_path))
