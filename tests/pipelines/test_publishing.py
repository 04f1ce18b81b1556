"""Publishing under the eyes of readers, with real files and real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from pipelines.publishing import Publication, Warehouse

READER = """
import os, sys, duckdb
link, stop = sys.argv[1:]
reads, last = 0, -1
stopping = False
while not stopping or reads < 20:
    stopping = os.path.exists(stop)  # looked at before the last read, which must see the last publication
    with duckdb.connect(link, read_only=True) as con:
        low, high, rows = con.execute("select min(number), max(number), count(*) from published").fetchone()
        assert low == high and rows == 5000, f"a torn read: {low} to {high}, {rows} rows"
        assert low >= last, f"back in time: {low} after {last}"
        last, reads = low, reads + 1
print(reads, last)
"""


def publication(number: int) -> Publication:
    now = datetime.now(UTC).replace(tzinfo=None)
    return Publication(
        version=f"kcc_{now:%Y%m%dT%H%M%S%f}_{number:08d}",
        published_at_utc=now,
        run_id=str(number),
        settings_sha256="",
        settings_text="",
        as_of_utc=None,
        files=0,
        records=0,
    )


def write(warehouse: Warehouse, number: int) -> Path:
    file = warehouse.fresh_file(str(number))
    with duckdb.connect(str(file)) as con:
        con.execute(f"create table published as select {number} as number from range(5000)")
    return file


def publish(warehouse: Warehouse, number: int) -> Path:
    published = publication(number)
    warehouse.publish(write(warehouse, number), published)
    return warehouse.file.file_of(published.version)


def test_readers_in_other_processes_through_twenty_publications_see_no_error_and_no_torn_read(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, keep=7)
    publish(warehouse, 0)
    stop = tmp_path / "stop"
    command = [sys.executable, "-c", READER, str(warehouse.file.link), str(stop)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for number in range(1, 21):
        publish(warehouse, number)
    stop.touch()
    for reader in readers:
        told, error = reader.communicate(timeout=300)
        assert reader.returncode == 0, error
        reads, last = map(int, told.split())
        assert reads >= 20
        assert last == 20


def test_an_open_connection_keeps_its_version_and_a_new_one_sees_the_next(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, keep=1)
    publish(warehouse, 1)
    with duckdb.connect(str(warehouse.file.link), read_only=True) as before:
        publish(warehouse, 2)
        publish(warehouse, 3)  # by now the first version's file is gone
        assert before.execute("select max(number) from published").fetchone() == (1,)
        with duckdb.connect(str(warehouse.file.link), read_only=True) as after:
            assert after.execute("select max(number) from published").fetchone() == (3,)


def test_the_published_file_is_a_relative_link_to_a_read_only_version_and_old_versions_go(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, keep=3)
    for number in range(5):
        publish(warehouse, number)
    assert os.readlink(warehouse.file.link).startswith("versions/kcc_")  # noqa: PTH115 - the text of the link is the point
    assert warehouse.file.link.resolve().stat().st_mode & 0o777 == 0o444
    assert len(list(warehouse.file.versions.iterdir())) == 3
    assert [p.run_id for p in warehouse.history().publications] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("switched", [True, False])
def test_a_night_killed_around_the_switch_is_told_by_the_link(tmp_path: Path, switched: bool) -> None:
    warehouse = Warehouse(tmp_path, keep=7)
    publish(warehouse, 1)
    version = publish(warehouse, 2)
    record = warehouse.publications / f"{version.stem}.json"
    record.rename(record.with_name(record.name + ".prepared"))
    if not switched:
        warehouse.file.link.unlink()
        warehouse.file.link.symlink_to(min(warehouse.file.versions.glob("kcc_*")).relative_to(warehouse.folder))
    (warehouse.file.versions / ".building_killed.duckdb").touch()
    warehouse.fresh_file("next")
    assert [p.run_id for p in warehouse.history().publications] == (["1", "2"] if switched else ["1"])
    assert version.exists() is switched
    assert not list(warehouse.file.versions.glob(".building_*"))


def test_a_log_that_somebody_left_beside_a_version_or_the_link_goes_with_the_next_night(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, keep=7)
    version = publish(warehouse, 1)
    for log in (version.with_name(version.name + ".wal"), warehouse.file.link.with_name("kcc.duckdb.wal")):
        log.write_bytes(b"not ours")
    assert len(warehouse.file.foreign_logs()) == 2
    publish(warehouse, 2)
    assert warehouse.file.foreign_logs() == []
    assert len(list(warehouse.file.versions.iterdir())) == 2


def test_a_file_that_was_not_closed_is_not_published(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path, keep=7)
    publish(warehouse, 1)
    file = warehouse.fresh_file("2")
    file.touch()
    file.with_name(file.name + ".wal").touch()
    with pytest.raises(RuntimeError, match="write-ahead log"):
        warehouse.publish(file, publication(2))
    assert len(warehouse.history().publications) == 1
