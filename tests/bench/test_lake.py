"""The benchmark of many cities compares what it says, and its workers don't give up."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from bench.agree import Disagree
from bench.lake import compare
from bench.many_cities import City, export_days, parts_of, write_exports
from bench.measure import CommandFailed
from bench.workers import Workers

DAYS = export_days(9)[:3]  # working days before Christmas, with the correction


def test_a_city_has_the_same_exports_every_time_and_no_other_city_has_them(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        write_exports(tmp_path / name, seed, DAYS)
    one, again, other = (
        {file.name: file.read_bytes() for file in (tmp_path / name).glob("*/*")} for name in ("one", "again", "other")
    )
    assert "oproepen_20251223_correctie.csv" in one
    assert one == again
    assert one.keys() == other.keys()
    assert all(one[name] != other[name] for name in one)


def test_cities_are_alike_only_if_every_row_is(tmp_path: Path) -> None:
    write_exports(tmp_path / "exports", 1, DAYS)
    at_once, in_parts = (City("lier", tmp_path / name, tmp_path / "exports") for name in ("at_once", "in_parts"))
    for city in (at_once, in_parts):
        city.settle(DAYS[0])
    workers = Workers(2)
    workers.run({at_once: [DAYS], in_parts: parts_of(DAYS, 2)})
    assert (workers.nights, workers.kills) == (3, 0)
    assert compare([at_once], [in_parts]) > 1000
    with at_once.open() as con:
        assert all(con.execute("select sum(records), sum(superseded), sum(quarantined) from ops.ledger").fetchall()[0])

    file = (in_parts.folder / "data" / "warehouse" / "kcc.duckdb").resolve()
    file.chmod(0o644)
    with duckdb.connect(str(file)) as con:
        con.execute("update core.norms set value = value + 1 where indicator = 'answer_speed'")
    with pytest.raises(Disagree, match=r"lier: core\.norms"):
        compare([at_once], [in_parts])


def sleeper(folder: Path, then: int) -> City:
    """A city whose first night does not end by itself, and whose second ends with a status."""

    class Sleeper(City):
        night = ["sh", "-c", f"test -e begun && exit {then}; touch begun; sleep 600"]

    return Sleeper("sleeper", folder, folder)


def test_a_night_that_is_killed_is_run_again(tmp_path: Path) -> None:
    workers = Workers(2)
    with workers.killed((0.5, 1), seed=1):
        workers.run({sleeper(tmp_path, then=0): [[], []]})
    assert workers.nights == 2
    assert workers.kills >= 1


def test_a_night_that_fails_is_told(tmp_path: Path) -> None:
    workers = Workers(2)
    with workers.killed((0.5, 1), seed=1), pytest.raises(CommandFailed, match="sleeper ended with 3"):
        workers.run({sleeper(tmp_path, then=3): [[]]})
