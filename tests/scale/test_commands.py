"""The sample city in a lake, driven from the command line: every command answers as it does of a file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from pipelines import ducklake
from pipelines.publishing import Warehouse
from pipelines.settings import ROOT, load_settings
from schemas.tables import TABLES
from tests.postgres import Postgres
from tests.sample import City


@pytest.fixture
def in_a_lake(tmp_path: Path, lake: Path) -> City:
    """The sample city with `kind = "ducklake"`, before its first night."""
    settings = tmp_path / "kcc.toml"
    exports = f'exports = "{ROOT}/sample_exports"'
    text = (ROOT / "kcc.toml").read_text().replace('exports = "sample_exports"', exports)
    settings.write_text(f'{text}\n[warehouse]\nkind = "ducklake"\ncity = "waterbeke"\nfolder = "{lake}"\n')
    city = City(tmp_path)
    city.environment["KCC_SETTINGS"] = str(settings)
    return city


def lake_of(city: City) -> ducklake.DuckLake:
    settings = load_settings(Path(city.environment["KCC_SETTINGS"]))
    store = Warehouse.of(settings).store
    assert isinstance(store, ducklake.DuckLake)
    return store


def test_the_sample_city_is_the_same_in_a_lake_row_for_row(in_a_lake: City, tmp_path: Path) -> None:
    first = in_a_lake.kcc("run")
    assert first.returncode == 0, first.stderr
    (tmp_path / "other").mkdir()
    in_file = City(tmp_path / "other")
    assert in_file.kcc("run", "--quiet").returncode == 0
    rows = 0
    with lake_of(in_a_lake).open() as con, duckdb.connect(str(in_file.warehouse), read_only=True) as file:
        for table in TABLES:
            if table != "ops.publications":  # tells of the run
                expected = file.execute(f"from {table}").fetchall()
                assert con.execute(f"from {table}").fetchall() == expected, table
                rows += len(expected)
    assert rows > 30_000
    assert not in_a_lake.warehouse.exists()


def test_every_command_answers_of_a_lake(in_a_lake: City) -> None:
    nothing = in_a_lake.kcc("status")
    assert nothing.returncode == 1
    assert "nothing is published yet" in nothing.stderr
    night = in_a_lake.kcc("run")
    assert night.returncode == 0, night.stderr
    assert "warehouse  lake waterbeke in " in night.stdout
    status = json.loads(in_a_lake.kcc("status", "--json").stdout)
    versions = json.loads(in_a_lake.kcc("versions", "--json").stdout)
    assert [one["version"] for one in versions] == [status["version"]]
    assert versions[0]["bytes"] > 100_000
    watched = in_a_lake.kcc("status", "--max-age", "26h")
    assert watched.stdout.startswith("OK:") or watched.stdout.startswith("ATTENTION"), watched.stdout
    assert in_a_lake.kcc("report").returncode == 0
    assert in_a_lake.kcc("run", "--quiet").returncode == 0
    back = in_a_lake.kcc("rollback", "--reason", "to try it")
    assert back.returncode == 0, back.stderr
    assert f"readers get: {status['version']}, with their next query" in back.stdout
    assert lake_of(in_a_lake).published_version() == status["version"]
    held = in_a_lake.kcc("run")
    assert (held.returncode, "not published:" in held.stderr) == (0, True)
    assert in_a_lake.kcc("rollback", "--release").returncode == 0
    assert in_a_lake.kcc("run", "--quiet").returncode == 0
    assert lake_of(in_a_lake).published_version() not in (None, status["version"])


def test_without_postgresql_every_command_says_so_in_a_sentence_and_tells_no_password(
    in_a_lake: City, postgres: Postgres
) -> None:
    assert in_a_lake.kcc("run", "--quiet").returncode == 0
    with postgres.down():
        for command in ("run", "status", "versions", "rollback", "report"):
            told = in_a_lake.kcc(command)
            assert told.returncode == 1
            assert "the lake's catalog can't be reached: PostgreSQL does not answer" in told.stderr, command
            assert "Traceback" not in told.stderr + told.stdout
            assert postgres.password not in told.stderr + told.stdout
        unknown = in_a_lake.kcc("status", "--max-age", "26h")
        assert unknown.returncode == 1
        assert unknown.stdout == "ATTENTION: version unknown, it can't be asked: `kcc status` says why\n"
    assert in_a_lake.kcc("run", "--quiet").returncode == 0


def test_rows_that_are_not_where_the_settings_say_are_one_sentence_of_each_command(in_a_lake: City, lake: Path) -> None:
    assert in_a_lake.kcc("run", "--quiet").returncode == 0
    lake.rename(lake.with_name("unmounted"))
    for command in ("status", "report", "run"):
        told = in_a_lake.kcc(command)
        assert told.returncode == 1
        assert re.search(r"no such folder.* mount it.* \(runbook: The lake unreachable\)$", told.stderr), command
    lake.with_name("unmounted").rename(lake)
    for file in lake.glob("*/marts/indicators/*.parquet"):
        file.unlink()
    report = in_a_lake.kcc("report")
    assert report.returncode == 1
    assert re.search(r"can't be asked \(IO Error: .* \(runbook: The warehouse can't be asked\)$", report.stderr)
    settings = Path(in_a_lake.environment["KCC_SETTINGS"])
    lake.rename(lake.with_name("moved"))
    settings.write_text(settings.read_text().replace(f'"{lake}"', f'"{lake}/../moved"'))
    for command in ("status", "report", "run"):
        told = in_a_lake.kcc(command)
        assert told.returncode == 1
        kept_in = rf"in {lake}/waterbeke/, and warehouse\.folder has them in {lake.with_name('moved')}/waterbeke:"
        assert re.search(rf"{kept_in} .* \(runbook: A lake of another city\)$", told.stderr), command


def test_who_goes_back_to_a_file_has_it_the_next_night_with_the_history_of_before(in_a_lake: City) -> None:
    assert in_a_lake.kcc("run", "--quiet").returncode == 0
    settings = Path(in_a_lake.environment["KCC_SETTINGS"])
    settings.write_text(settings.read_text().split("[warehouse]")[0])
    assert in_a_lake.kcc("run", "--quiet").returncode == 0
    assert in_a_lake.ask("select count(*) from ops.publications") == [(2,)]
    assert in_a_lake.ask("select count(*) from ops.restatements") == [(0,)]
    assert len(json.loads(in_a_lake.kcc("versions", "--json").stdout)) == 1


def test_no_secret_is_in_what_a_night_leaves(in_a_lake: City, postgres: Postgres, tmp_path: Path) -> None:
    assert in_a_lake.kcc("run").returncode == 0
    searched = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert searched
    assert not [path for path in searched if postgres.password.encode() in path.read_bytes()]
