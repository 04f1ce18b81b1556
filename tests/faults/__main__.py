"""Tries every fault and prints what survived; ends with 1 if something did not.

python -m tests.faults               the long form, half an hour and more
python -m tests.faults --short       a few seconds each
python -m tests.faults --only disk   those with this word in their name
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.faults import disk, killed, neighbours, readers, rollbacks
from tests.faults.nights import BARE_STEPS
from tests.faults.stage import Outcome, Stage, open_stage


@dataclass(frozen=True)
class Fault:
    """What strikes, tried at length, and for a few seconds unless that would be no try at all."""

    name: str
    long: Callable[[Stage], Outcome]
    short: Callable[[Stage], Outcome] | None = None


FAULTS = (
    Fault(
        "killed at a random moment",
        lambda stage: killed.at_random_moments(stage, 100, at_once=2),
        lambda stage: killed.at_random_moments(stage, 3, BARE_STEPS),
    ),
    Fault(
        "killed between two files",
        killed.between_two_files,
        lambda stage: killed.between_two_files(stage, (2, 7, 12)),
    ),
    Fault(
        "a rollback killed between two files",
        rollbacks.killed_between_two_files,
        rollbacks.killed_between_two_files,
    ),
    Fault(
        "a night under a pin killed between two files",
        rollbacks.night_killed_between_two_files,
        rollbacks.night_killed_between_two_files,
    ),
    Fault(
        "two nights at once",
        lambda stage: neighbours.command_line_and_dagster(stage, 4),
        lambda stage: neighbours.command_line_and_dagster(stage, 1),
    ),
    Fault("disk full", lambda stage: disk.full(stage, short=False), lambda stage: disk.full(stage, short=True)),
    Fault(
        "eight readers while nights publish",
        lambda stage: readers.through_publications(stage, 100),
        lambda stage: readers.through_publications(stage, 20),
    ),
    Fault(
        "eight readers while versions are rolled back",
        lambda stage: rollbacks.under_readers(stage, 100),
        lambda stage: rollbacks.under_readers(stage, 10, readers=4),
    ),
    Fault(
        "a stray write-ahead log",
        lambda stage: readers.stray_log(stage, short=False),
        lambda stage: readers.stray_log(stage, short=True),
    ),
    Fault("another user who would write", readers.who_would_write, readers.who_would_write),
    Fault("read by another DuckDB", readers.other_duckdb),
    Fault(
        "another zone and language",
        lambda stage: neighbours.zone_and_locale(stage, short=False),
        lambda stage: neighbours.zone_and_locale(stage, short=True),
    ),
    Fault(
        "six first runs at once",
        lambda stage: neighbours.first_runs_at_once(stage, 2, short=False),
        lambda stage: neighbours.first_runs_at_once(stage, 1, short=True),
    ),
)


def main(
    short: Annotated[bool, typer.Option("--short", help="A few seconds each.")] = False,
    only: Annotated[str, typer.Option("--only", help="Those with this word in their name.")] = "",
) -> None:
    """Try every fault and print what survived."""
    console = Console()
    table = Table("fault", "tried", "survived", "", box=box.SIMPLE_HEAD)
    failures: list[str] = []
    with open_stage() as stage:
        for fault in FAULTS:
            if only not in fault.name:
                continue
            attempt = fault.short if short else fault.long
            if attempt is None:
                table.add_row(fault.name, "", "", "skipped: tried only at length")
                continue
            began = time.monotonic()
            with console.status(fault.name):
                outcome = attempt(stage)
            failures += [f"{fault.name}: {failure}" for failure in outcome.failures]
            notes = [*outcome.notes, f"{time.monotonic() - began:.0f} s"]
            table.add_row(fault.name, f"{outcome.tried:,}", f"{outcome.survived:,}", escape("; ".join(notes)))
    console.print(table)
    for failure in failures:
        console.print(f"[red]did not survive:[/red] {escape(failure)}", soft_wrap=True, highlight=False)
    if failures:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
