"""Readers while nights publish: many at once, one who wants to write, one with another DuckDB, one with a stray log."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from pipelines.publishing import Warehouse
from tests.faults.nights import BARE_STEPS, FORKS
from tests.faults.stage import City, Outcome, Stage
from tests.pipelines.test_publishing import READER, publish

NOBODY = 65534
DUCKDB_VERSIONS = ("1.4.5", "1.5.6", "2.0.0")


def through_publications(stage: Stage, publications: int, readers: int = 8) -> Outcome:
    """Readers in processes of their own: no error, no torn read, never back in time."""
    folder = stage.folder / "publications"
    warehouse = Warehouse(folder, keep=7)
    publish(warehouse, 0)
    stop = folder / "stop"
    command = [sys.executable, "-c", READER, str(warehouse.file.link), str(stop)]
    begun = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(readers)
    ]
    for number in range(1, publications + 1):
        publish(warehouse, number)
    stop.touch()
    outcome, reads = Outcome(), 0
    for reader in begun:
        told, error = reader.communicate()
        with outcome.one("a reader"):
            if outcome.expect(reader.returncode == 0, f"a reader failed: {error}"):
                reads += int(told.split()[0])
                outcome.expect(int(told.split()[1]) == publications, f"a reader did not see the last: {told}")
    outcome.notes.append(f"{publications} publications, {reads:,} reads")
    return outcome


def _log_of(file: Path, beside: Path) -> None:
    """A write-ahead log that was made from `file`, where a killed writer or a careless copy would leave it."""
    work = beside.with_name("work.duckdb")
    shutil.copyfile(file, work)
    script = (
        "import duckdb, os, sys; con = duckdb.connect(sys.argv[1]); con.execute(\"set wal_autocheckpoint = '1TB'\"); "
        'con.execute("create or replace table core.norms as select 666 as harm"); os._exit(0)'
    )
    subprocess.run([sys.executable, "-c", script, str(work)], check=True)
    work.with_name(work.name + ".wal").rename(beside)
    work.unlink()


def _other_file(city: City) -> Path:
    file = city.folder / "other.duckdb"
    with duckdb.connect() as con:
        con.execute(f"attach '{file}' as other (storage_version 'v1.4.0')")
        con.execute("create schema other.core")
    return file


def _own_file(city: City) -> Path:
    return city.warehouse.file.link.resolve()


def stray_log(stage: Stage, short: bool) -> Outcome:
    """A `.wal` beside the link harms nobody; beside a version, the status tells it and the next night is rid of it."""
    outcome = Outcome()
    sources: dict[str, Callable[[City], Path] | None] = {
        "its own": _own_file,
        "another file's": _other_file,
        "junk": None,
    }
    cases = [(place, source) for place in ("link", "version") for source in sources]
    for place, source in [("link", "its own"), ("version", "its own")] if short else cases:
        name = f"a log beside the {place}, {source}"
        with outcome.one(name), stage.borrowed() as city:
            beside = city.warehouse.file.link if place == "link" else city.warehouse.file.link.resolve()
            log = beside.with_name(beside.name + ".wal")
            make = sources[source]
            if make is None:
                log.write_bytes(b"junk" * 100)
            else:
                _log_of(make(city), log)
            if place == "link":
                outcome.expect(city.tables() == stage.before, f"{name}: readers see something else")
            else:
                told = city.run(("pipelines.cli", "status"))
                outcome.expect(
                    told.status == 1 and "somebody opened the published file for writing" in told.text,
                    f"{name}: `kcc status` ends with {told.status} and says: {told.text}",
                )
            stage.ends_well(outcome, city, name, BARE_STEPS)
            with duckdb.connect(str(city.warehouse.file.link), read_only=True) as con:
                version = con.execute(
                    "select tags['storage_version'] from duckdb_databases() where not internal"
                ).fetchone()
            outcome.expect(version is not None and version[0].startswith("v1.4.0"), f"{name}: storage is {version}")
    return outcome


def _as_nobody(link: Path, told: Path) -> None:
    """Everything that an analyst may try, and what came of it."""
    stream = told.open("w")
    if os.getuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    version = link.resolve()

    def tried(act: Callable[[], object]) -> str:
        try:
            act()
        except (OSError, duckdb.Error) as error:
            return f"refused: {error}"
        return "done"

    def read() -> None:
        with duckdb.connect(str(link), read_only=True) as con:
            con.execute("from marts.indicators").fetchall()

    outcomes = {"read": tried(read), "open for writing": tried(lambda: duckdb.connect(str(link)).close())}
    if os.getuid() == NOBODY:  # its owner may remove a file, whatever its mode
        outcomes["leave a log"] = tried(version.with_name(version.name + ".wal").touch)
        outcomes["remove the version"] = tried(version.unlink)
        outcomes["remove the link"] = tried(link.unlink)
        outcomes["look into the records"] = tried(lambda: list((link.parent.parent / "records").iterdir()))
    json.dump(outcomes, stream)
    stream.close()


def who_would_write(stage: Stage) -> Outcome:
    """Another user may read what is published, and nothing else. Root may do everything, here as everywhere."""
    outcome = Outcome()
    with stage.borrowed() as city:
        told = city.folder / "analyst"
        analyst = FORKS.Process(target=_as_nobody, args=(city.warehouse.file.link, told))
        analyst.start()
        analyst.join()
        for act, came_of_it in json.loads(told.read_text()).items():
            with outcome.one(act):
                outcome.expect((came_of_it == "done") == (act == "read"), f"{act}: {came_of_it}")
        outcome.expect(city.tables() == stage.before, "the published tables changed")
        outcome.expect(stat.S_IMODE(city.warehouse.file.link.resolve().stat().st_mode) == 0o444, "its mode changed")
    return outcome


COUNT = """
import duckdb, json, sys
con = duckdb.connect(sys.argv[1], read_only=True)
names = con.execute("select schema_name || '.' || table_name from duckdb_tables() order by all").fetchall()
print(json.dumps({name: con.execute(f"select count(*) from {name}").fetchall()[0][0] for (name,) in names}))
"""


def other_duckdb(stage: Stage) -> Outcome:
    """The published file as read by other versions of DuckDB: as many rows in each table."""
    outcome = Outcome()
    link = stage.after_first_night.warehouse.file.link
    expected = subprocess.run([sys.executable, "-c", COUNT, link], capture_output=True, text=True, check=True).stdout
    for version in DUCKDB_VERSIONS:
        environment = stage.folder / f"duckdb_{version}"
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        python = environment / "bin" / "python"
        install = subprocess.run(
            [python, "-m", "pip", "install", "--quiet", f"duckdb=={version}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if install.returncode:
            outcome.notes.append(f"DuckDB {version} can't be installed: {install.stderr.strip().splitlines()[-1]}")
            continue
        with outcome.one(version):
            told = subprocess.run([python, "-c", COUNT, link], capture_output=True, text=True, check=False)
            outcome.expect(told.stdout == expected, f"DuckDB {version}: {told.stdout}{told.stderr}")
    return outcome
