"""Rollbacks that are killed, nights under a pin that are, and readers while versions are rolled back."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from pipelines.publishing import Warehouse
from pipelines.versions import release_pin, roll_back
from tests.city import settings_of
from tests.faults.nights import BARE_STEPS, KilledAtMoment, Told
from tests.faults.stage import City, Outcome, Stage
from tests.pipelines.test_publishing import publication, publish, write

ROLLBACK = ("pipelines.cli", "rollback", "--reason", "tried")
VERSIONS = ("pipelines.cli", "versions", "--json")


@contextmanager
def _two_versions(stage: Stage, *first: tuple[str, ...]) -> Iterator[Callable[[], City]]:
    """Makes cities of two versions that are both kept, after these commands; all are gone afterwards."""
    made: list[City] = []

    def city(of: City | None = None) -> City:
        one = stage.city()
        made.append(one)
        settings = one.folder / "keeps.toml"
        text = (stage.folder / "kcc.toml").read_text(encoding="utf-8")
        settings.write_text(text.replace("versions = 1 ", "versions = 7 "), encoding="utf-8")
        one.environment["KCC_SETTINGS"] = str(settings)
        if of is not None:
            shutil.rmtree(one.data)
            shutil.copytree(of.data, one.data, symlinks=True)
        return one

    try:
        model = city()
        for words in (BARE_STEPS, *first):
            told = model.run(words)
            if told.status != 0:
                raise RuntimeError(f"{words} failed: {told.text}")
        yield lambda: city(model)
    finally:
        for one in made:
            shutil.rmtree(one.folder)


def _struck(city: City, words: tuple[str, ...], moment: int, outcome: Outcome) -> Told | None:
    """What was told by a command that was killed before a moment, None if it had ended well before."""
    told = city.run(words, KilledAtMoment(city.data, moment))
    if told.killed:
        return told
    outcome.tried -= 1
    outcome.expect(told.status == 0, f"{words} was not killed, and ended with {told.status}: {told.text}")
    return None


def killed_between_two_files(stage: Stage) -> Outcome:
    """Kill `kcc rollback` right before each file that gets its name, and the link: the log knows what readers get."""
    outcome = Outcome()
    with _two_versions(stage) as cities:
        for moment in count(1):
            with outcome.one(f"killed before moment {moment}"):
                city = cities()
                earlier, newest = city.warehouse.store.kept()
                if _struck(city, ROLLBACK, moment, outcome) is None:
                    break
                pin = city.warehouse.rollbacks.pin()
                shown = city.warehouse.published_version()
                outcome.expect(shown in (earlier, newest), f"moment {moment}: readers get {shown}")
                outcome.expect(pin is not None or shown == newest, f"moment {moment}: the log tells nothing of {shown}")
                told = city.run(VERSIONS)
                outcome.expect(told.status == 0, f"moment {moment}: `kcc versions` ended with {told.status}")
                expected = newest if pin is None else earlier
                shown = city.warehouse.published_version()
                outcome.expect(shown == expected, f"moment {moment}: afterwards readers get {shown}, not {expected}")
                tables = stage.after if pin is None else stage.before
                outcome.expect(city.tables() == tables, f"moment {moment}: afterwards the tables are others")
    return outcome


def night_killed_between_two_files(stage: Stage) -> Outcome:
    """Kill nights under a pin right before everything that they rename or remove: readers keep what is pinned."""
    outcome = Outcome()
    with _two_versions(stage, ROLLBACK) as cities:
        for moment in count(1):
            with outcome.one(f"killed before moment {moment}"):
                city = cities()
                warehouse = city.warehouse
                kept, records = warehouse.store.kept(), _publications(warehouse)
                if _struck(city, BARE_STEPS, moment, outcome) is None:
                    break
                for when in ("killed", "run again"):
                    name = f"moment {moment}, {when}"
                    outcome.expect(warehouse.published_version() == kept[0], f"{name}: readers get another version")
                    outcome.expect(city.tables() == stage.before, f"{name}: readers see other tables")
                    outcome.expect(warehouse.store.kept() == kept, f"{name}: kept are {warehouse.store.kept()}")
                    if when == "killed":
                        told = city.run(BARE_STEPS)
                        outcome.expect(told.status == 0, f"{name}: then it ended with {told.status}: {told.text}")
                outcome.expect(warehouse.held_back.exists(), f"moment {moment}: run again it held nothing back")
                outcome.expect(
                    _publications(warehouse) == records, f"moment {moment}: it left a trace of a publication"
                )
    return outcome


def _publications(warehouse: Warehouse) -> list[str]:
    return sorted(path.name for path in warehouse.publications.iterdir())


READER = """
import os, sys, duckdb
link, stop = sys.argv[1:]
reads, back, last = 0, 0, -1
ask = "select min(number), max(number), count(*) from published"
first = duckdb.connect(link, read_only=True)
began = first.execute(ask).fetchone()
stopping = False
while not stopping or reads < 20:
    stopping = os.path.exists(stop)  # looked at before the last read, which must see what is pinned last
    with duckdb.connect(link, read_only=True) as con:
        low, high, rows = con.execute(ask).fetchone()
    assert low == high and rows == 5000, f"a torn read: {low} to {high}, {rows} rows"
    assert first.execute(ask).fetchone() == began, "an open connection sees another version"
    reads, back, last = reads + 1, back + (low < last), low
print(reads, back, last)
"""


def under_readers(stage: Stage, rounds: int, readers: int = 8) -> Outcome:
    """Readers in processes of their own while versions are published, rolled back, held back and released."""
    folder = stage.folder / "rollbacks"
    settings = settings_of(folder)
    warehouse = Warehouse.of(settings)
    publish(warehouse, 0)
    stop = folder / "stop"
    command = [sys.executable, "-c", READER, str(warehouse.file.link), str(stop)]
    begun = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(readers)
    ]
    for number in range(1, rounds + 1):
        publish(warehouse, 2 * number)
        publish(warehouse, 2 * number + 1)
        pin = roll_back(settings, None, None)
        warehouse.hold_back(write(warehouse, 1_000_000), publication(1_000_000), pin)
        if number < rounds:
            release_pin(settings, None)
    stop.touch()
    outcome, reads, back = Outcome(), 0, 0
    for reader in begun:
        told, error = reader.communicate()
        with outcome.one("a reader"):
            if outcome.expect(reader.returncode == 0, f"a reader failed: {error}"):
                counted = [int(number) for number in told.split()]
                reads, back = reads + counted[0], back + counted[1]
                outcome.expect(counted[2] == 2 * rounds, f"a reader did not see what is pinned last: {told}")
    outcome.notes.append(f"{rounds} rollbacks among {2 * rounds} publications, {reads:,} reads, {back:,} times back")
    return outcome
