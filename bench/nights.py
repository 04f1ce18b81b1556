"""What a night costs beside its peers: `make bench`, or `python -m bench.nights`.

Every side runs in a process of its own, one after the other, round after round, so that a busy machine slows all
alike. What counts is CPU seconds of the process and all that it started; wall time stands beside it. Before any number
is printed, the warehouses of all sides are held against each other, row by row.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.agree import agree
from bench.cities import City, peers_missing
from bench.measure import Cost, cost

Costs = dict[str, list[Cost]]


@dataclass(frozen=True)
class Line:
    """One comparison: what costs how much, beside what, in so many rounds each."""

    what: str
    ours: list[Cost]
    beside: str
    peer: list[Cost]

    def cells(self) -> tuple[str, ...]:
        """The line of the table: medians in seconds, and the ratios with their smallest and largest of a round."""
        return (
            self.what,
            _seconds(self.ours),
            self.beside,
            _seconds(self.peer),
            ratio([one.cpu for one in self.ours], [one.cpu for one in self.peer]),
            ratio([one.wall for one in self.ours], [one.wall for one in self.peer]),
        )


HEAD = ("ours", "CPU s (wall)", "beside", "CPU s (wall)", "ratio of CPU", "ratio of wall")


def _seconds(costs: Sequence[Cost]) -> str:
    return f"{median(one.cpu for one in costs):.2f} ({median(one.wall for one in costs):.2f})"


def ratio(ours: Sequence[float], peer: Sequence[float]) -> str:
    """Of the medians; in brackets the smallest and largest of a round."""
    rounds = [mine / theirs for mine, theirs in zip(ours, peer, strict=True)]
    return f"{median(ours) / median(peer):.2f} ({min(rounds):.2f} to {max(rounds):.2f})"


def interleaved(sides: dict[str, Callable[[], Cost]], rounds: int) -> Costs:
    """What each side costs, every side once in each round."""
    costs: Costs = {name: [] for name in sides}
    for number in range(1, rounds + 1):
        for name, side in sides.items():
            print(f"round {number} of {rounds}: {name}", file=sys.stderr)
            costs[name].append(side())
    return costs


def less(costs: Sequence[Cost], part: Sequence[Cost]) -> list[Cost]:
    """What each round cost without a part of it; the peak is that of the whole."""
    return [
        Cost(one.cpu - other.cpu, one.wall - other.wall, one.peak_megabytes)
        for one, other in zip(costs, part, strict=True)
    ]


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    asked = _asked(words)
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        report(Path(folder), asked.records, asked.rounds)


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.nights", description="What a night costs beside its peers.")
    parser.add_argument("--records", type=int, nargs="+", metavar="N", help="sizes of the log; default 1000000")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the median counts; default 5")
    parser.add_argument("--quick", action="store_true", help="20000 records and one round: does it run, not how fast")
    parser.add_argument("--folder", type=Path, help="where the data are made, and deleted; default the temporary one")
    asked = parser.parse_args(words)
    if asked.quick:
        asked.rounds = 1
    asked.records = sorted(asked.records or ([20_000] if asked.quick else [1_000_000]))
    if asked.rounds < 1 or min(asked.records) < 2_000 or any(number % 20 for number in asked.records):
        parser.error("at least one round, and at least 2000 records, in a number that 20 divides")
    return asked


def report(folder: Path, sizes: Sequence[int], rounds: int) -> None:
    """Measure cities of some sizes below a folder and print what was found."""
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {_load()}")
    print(f"medians of {rounds} interleaved rounds; in brackets behind a ratio its smallest and largest of a round")
    cities = [_city(folder, size) for size in sizes]
    lines, peaks, imports = _backfills(cities, rounds)
    if len(cities) == 1:  # a night must not depend on how long the history is: there have to be two
        shorter = _city(folder, sizes[0] // 10)
        shorter.kcc_run()
        cities.insert(0, shorter)
        new, more = _new_nights(cities, rounds, 1, imports)
    else:
        for city in cities[1:]:
            city.kcc_run()
        new, more = _new_nights(cities, rounds, 0, imports)
    lines += new + _commands(cities[-1], rounds)
    print()
    print(table([HEAD, *(line.cells() for line in lines)]))
    print()
    print(table([("peak memory", "MB"), *peaks, *more]))
    print(f"\nat the end: {_load()}")


def _load() -> str:
    return "load average " + " ".join(f"{load:.2f}" for load in os.getloadavg())


def _city(folder: Path, records: int) -> City:
    print(f"making {records:,} records", file=sys.stderr)
    below = folder / str(records)
    below.mkdir()
    return City(below, records)


def _backfills(cities: Sequence[City], rounds: int) -> tuple[list[Line], list[tuple[str, str]], list[Cost]]:
    """A first night that reads everything: at every size beside DuckDB, at the smallest beside all the others.

    Also tells what it costs to import alone.
    """
    lines: list[Line] = []
    city = cities[0]
    sides = {"ours": city.ours, "typed": city.typed}
    missing = peers_missing()
    if missing is None:
        sides |= {"pandas": city.pandas, "dbt": city.dbt}
    sides |= {"night": city.night, "kcc run": city.kcc_run, "empty": city.empty, "imports": city.imports}
    costs = interleaved(sides, rounds)
    for side in ("kcc_run", *(("pandas", "dbt") if missing is None else ())):
        tables = agree(city.warehouse("ours"), city.warehouse(side))
        print(f"{side} made the same as ours: {sum(tables.values()):,} rows in {len(tables)} tables")
    what = f"files to published, {city.records:,} records"
    lines.append(Line(what, costs["ours"], "DuckDB's typed `create table as`", costs["typed"]))
    for larger in cities[1:]:
        more = interleaved({"ours": larger.ours, "typed": larger.typed}, rounds)
        name = f"files to published, {larger.records:,} records"
        lines.append(Line(name, more["ours"], "DuckDB's typed `create table as`", more["typed"]))
    if missing is None:
        lines.append(Line(what, costs["ours"], "pandas", costs["pandas"]))
        lines.append(Line(what, costs["ours"], "dbt run", costs["dbt"]))
    else:
        print(f"not measured: {missing}")
    lines += dagsters_own(f"a backfill of {city.records:,} records", costs)
    peak = max(one.peak_megabytes for one in costs["kcc run"])
    return lines, [(f"`kcc run`, a backfill of {city.records:,} records", f"{peak:.0f}")], costs["imports"]


def dagsters_own(of: str, costs: Costs) -> list[Line]:
    """What running under Dagster adds to a night, beside an empty run; with and without what both sides import."""
    own = less(costs["kcc run"], costs["night"])
    return [
        Line(f"Dagster's part of {of}", own, "an empty run", costs["empty"]),
        Line("the same", own, "an empty run without imports", less(costs["empty"], costs["imports"])),
    ]


def _new_nights(
    cities: Sequence[City], rounds: int, of: int, imports: list[Cost]
) -> tuple[list[Line], list[tuple[str, str]]]:
    """A night on which 500 records came: on each history, and beside Dagster alone on one of them."""
    city = cities[of]
    sides: dict[str, Callable[[], Cost]] = {f"kcc run {one.records}": _new_kcc_run(one) for one in cities}
    sides |= {"night": lambda: city.new_night("new_night"), "empty": lambda: city.new_empty("new_empty")}
    costs = interleaved(sides, rounds)
    costs |= {"kcc run": costs[f"kcc run {city.records}"], "imports": imports}
    small, large = cities[0], cities[-1]
    lines = dagsters_own(f"a night of 500 records after {city.records:,}", costs)
    lines.append(
        Line(
            f"`kcc run` of 500 records after {large.records:,}",
            costs[f"kcc run {large.records}"],
            f"after {small.records:,}",
            costs[f"kcc run {small.records}"],
        )
    )
    peaks = [
        (
            f"`kcc run`, 500 records after {one.records:,}",
            f"{max(spent.peak_megabytes for spent in costs[f'kcc run {one.records}']):.0f}",
        )
        for one in cities
    ]
    return lines, peaks


def _new_kcc_run(city: City) -> Callable[[], Cost]:
    return lambda: city.new_kcc_run("new_kcc_run")


def _commands(city: City, rounds: int) -> list[Line]:
    """How soon a question on the command line is answered, beside a Python that imports DuckDB and ends."""
    file, either = str(city.new_file), (0, 1)  # 1: something needs attention, and is told
    costs = interleaved(
        {
            "kcc status": lambda: city.our("kcc_run", "pipelines.cli", "status", ends_with=either),
            "kcc check": lambda: city.our("kcc_run", "pipelines.cli", "check", file, ends_with=either),
            "import duckdb": lambda: cost([sys.executable, "-c", "import duckdb"], city.folder),
        },
        rounds,
    )
    beside = "python -c 'import duckdb'"
    return [
        Line(f"`kcc status`, {city.records:,} records", costs["kcc status"], beside, costs["import duckdb"]),
        Line("`kcc check` of 500 records", costs["kcc check"], beside, costs["import duckdb"]),
    ]


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its columns aligned."""
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


if __name__ == "__main__":
    main()
