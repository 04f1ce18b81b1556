"""Many cities in one lake: `make bench-scale`, or `python -m bench.lake`, in an environment with the extra `ducklake`.

Says three things, each with a PostgreSQL of its own that keeps what it says it keeps:

1. Workers that share the cities, one of them killed every few seconds, leave the tables of an undisturbed build of the
   same exports by file, row for row.
2. What a night costs in a lake beside one by file, as cities grow.
3. How much sooner two workers are done than one.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median

from bench.agree import Disagree
from bench.many_cities import City, export_days, parts_of, write_exports
from bench.measure import Cost, cost
from bench.nights import HEAD, Line, ratio, table
from bench.workers import Workers
from tests.postgres import PROGRAMS, Postgres, running_postgres

PARTS = ("kills", "cost", "speed_up")
WORKERS = 4
"""While one is killed again and again."""
NIGHTS = 3
"""In which a city's exports come while workers are killed."""
SIZES = (1, 5, 10, 20)
"""Numbers of cities in a catalog, of which the first five are measured."""
MEASURED = 5
DAY = 86_400
FILES = ("ducklake_data_file", "ducklake_delete_file", "ducklake_files_scheduled_for_deletion")
"""The tables of the catalog that know files."""


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    asked = _asked(words)
    for name in ("KCC_EXPORTS", "KCC_DATA"):  # each city's settings say it
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        bench = Bench(Path(folder), asked)
        print(
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {asked.cities} cities x {asked.days} days"
        )
        for part in asked.only or PARTS:
            print(f"\n{getattr(bench, part)()}\n", flush=True)
    print("load average at the end: " + " ".join(f"{load:.2f}" for load in os.getloadavg()))


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.lake", description="Many cities in one lake.")
    parser.add_argument("--cities", type=int, default=20, help="default 20")
    parser.add_argument("--days", type=int, default=60, help="of exports; default 60")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts; default 3")
    parser.add_argument(
        "--kill-every",
        type=float,
        nargs=2,
        default=(1, 3),
        metavar="SECONDS",
        help="at random between the two a night is killed; default 1 3, a busy machine needs more",
    )
    parser.add_argument("--seed", type=int, default=1, help="of who is killed when; default 1")
    parser.add_argument("--only", choices=PARTS, nargs="+", help="one of the three things; default all")
    parser.add_argument("--quick", action="store_true", help="4 cities, 10 days, one round: does it run, not how fast")
    parser.add_argument("--folder", type=Path, help="where the data are made, and deleted; default the temporary one")
    asked = parser.parse_args(words)
    if asked.quick:
        asked.cities, asked.days, asked.rounds = 4, 10, 1
    if PROGRAMS is None:
        parser.error("needs Debian's postgresql")
    if asked.cities < 1 or asked.rounds < 1 or asked.days <= asked.rounds * len(SIZES):
        parser.error(f"at least a city and a round, and more days than {len(SIZES)} for each round")
    return asked


class Bench:
    """The cities' exports, made once, and what is measured with them."""

    def __init__(self, folder: Path, asked: argparse.Namespace) -> None:
        self.folder, self.asked, self.rounds = folder, asked, asked.rounds
        self.days = export_days(asked.days)
        self.names = [f"city_{number:02d}" for number in range(1, asked.cities + 1)]
        for number, name in enumerate(self.names, start=1):
            print(f"making the exports of {name}", file=sys.stderr)
            write_exports(folder / "exports" / name, number, self.days)

    def kills(self) -> str:
        """Kill workers while they take in all exports in several nights each; compare; clean up; compare again."""
        undisturbed, struck = self._cities("kills", "file"), self._cities("kills", "lake")
        with a_catalog() as catalog:
            Workers(1).run({city: [self.days] for city in undisturbed})
            workers = Workers(WORKERS)
            with workers.killed(self.asked.kill_every, self.asked.seed):
                seconds = workers.run({city: parts_of(self.days, NIGHTS) for city in struck})
            rows = compare(undisturbed, struck)
            lake = self.folder / "kills" / "lake" / "parquet"
            left = catalog.orphans(lake)
            for file in lake.rglob("*.parquet"):
                os.utime(file, (time.time() - 2 * DAY,) * 2)
            Workers(WORKERS).run({city: [[]] for city in struck})
            compare(undisturbed, struck)
            return table(
                [
                    (f"{WORKERS} workers, {len(struck)} cities x {len(self.days)} days", ""),
                    ("nights that ended well", str(workers.nights)),
                    ("nights that were killed", str(workers.kills)),
                    ("commits that were tried again", str(workers.retries)),
                    ("rows that are those of the undisturbed build by file", f"all {rows:,}"),
                    ("Parquet files that killed writers left", str(left)),
                    ("the same after one more night each, two days later", str(catalog.orphans(lake))),
                    ("wall seconds", f"{seconds:.0f}"),
                ]
            )

    def cost(self) -> str:
        """What one more day costs each city, in a lake and by file in turns, as cities grow in one catalog."""
        files, lakes = self._cities("cost", "file"), self._cities("cost", "lake")
        sizes = sorted({min(size, len(lakes)) for size in SIZES})
        nights = len(sizes) * self.rounds
        before, to_come = list(self.days[:-nights]), list(self.days[-nights:])
        lines, of_postgres, there = [], [], 0
        with a_catalog() as catalog:
            for size in sizes:
                newcomers = [*lakes[there:size], *files[there : min(size, MEASURED)]]
                Workers(2).run({city: [before] for city in newcomers})
                there = size
                by_file, in_lake, its = [], [], []
                for _ in range(self.rounds):
                    before.append(to_come.pop(0))
                    for file, lake in list(zip(files, lakes, strict=True))[: min(size, MEASURED)]:
                        print(f"a night of {lake.name} among {size}", file=sys.stderr)
                        by_file.append(_night(file, before[-1]))
                        begun = catalog.cpu()
                        spent = _night(lake, before[-1])
                        its.append(catalog.cpu() - begun)
                        in_lake.append(Cost(spent.cpu + its[-1], spent.wall, spent.peak_megabytes))
                lines.append(Line(f"a night in a lake of {size}", in_lake, "by file", by_file))
                of_postgres.append((str(size), f"{median(its):.2f}"))
        head = ("cities in the catalog", "of a night, PostgreSQL's CPU s")
        return table([HEAD, *(line.cells() for line in lines)]) + "\n\n" + table([head, *of_postgres])

    def speed_up(self) -> str:
        """How long the same nights take one worker and two, in turns: one more day of each city."""
        cities = self._cities("speed_up", "lake")
        days = iter(self.days[-2 * self.rounds :])
        walls: dict[int, list[float]] = {1: [], 2: []}
        with a_catalog():
            Workers(2).run({city: [self.days[: -2 * self.rounds]] for city in cities})
            for number in range(1, self.rounds + 1):
                for workers, taken in walls.items():
                    print(f"round {number} of {self.rounds}: {workers} at work", file=sys.stderr)
                    day = next(days)
                    taken.append(Workers(workers).run({city: [[day]] for city in cities}))
        return table(
            [
                (f"nights of {len(cities)} cities", "wall s, 1 worker", "wall s, 2 workers", "times as fast"),
                ("one more day each", f"{median(walls[1]):.1f}", f"{median(walls[2]):.1f}", ratio(walls[1], walls[2])),
            ]
        )

    def _cities(self, part: str, kind: str) -> list[City]:
        """All cities, new, below a folder: each with its file, or in a lake that they share."""
        place = self.folder / part / kind
        lake = None
        if kind == "lake":
            lake = place / "parquet"
            lake.mkdir(parents=True)
        made = [City(name, place / name, self.folder / "exports" / name, lake) for name in self.names]
        for city in made:
            city.settle(self.days[0])
        return made


def compare(these: Sequence[City], those: Sequence[City]) -> int:
    """How many rows all tables of the cities have; raises Disagree if one is not alike."""
    rows = 0
    for one, other in zip(these, those, strict=True):
        tables, others = one.tables(), other.tables()
        unlike = [name for name in tables if tables[name] != others[name]]
        if unlike:
            raise Disagree(f"{one.name}: {', '.join(unlike)}")
        rows += sum(map(len, tables.values()))
    return rows


def _night(city: City, day: date) -> Cost:
    city.deliver([day])
    return cost(city.night, city.folder, city.environment)


@dataclass(frozen=True)
class Catalog:
    """A lake's catalog, in a PostgreSQL of its own."""

    server: Postgres
    url: str

    def orphans(self, lake: Path) -> int:
        """How many Parquet files below a folder stand in no table of the catalog."""
        found = 0
        for place in lake.iterdir():  # a city's
            known = " union all ".join(f"select path from {place.name}.{files}" for files in FILES)
            named = {Path(path).name for (path,) in self.server.ask(self.url, known)}
            found += len({file.name for file in place.rglob("*.parquet")} - named)
        return found

    def cpu(self) -> float:
        """The CPU seconds that the server has spent so far, with all that it started."""
        ticks, own = 0, str(self.server.server.pid)
        for process in Path("/proc").glob("[0-9]*/stat"):
            try:
                stat = process.read_text()
            except OSError:  # it has ended
                continue
            fields = stat.rpartition(")")[2].split()
            if process.parent.name == own:
                ticks += sum(map(int, fields[11:15]))  # its own, and its children's that have ended
            elif fields[1] == own:
                ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def a_catalog() -> Iterator[Catalog]:
    """A new, empty catalog, which all cities use meanwhile."""
    with running_postgres(PROGRAMS, durable=True) as server:
        url = server.database()
        os.environ["KCC_CATALOG_URL"] = url
        yield Catalog(server, url)


if __name__ == "__main__":
    main()
