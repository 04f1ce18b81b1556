"""Disks that are full: by a limit on the size of files, and by a small disk of its own where one may be mounted."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.nights import BARE_STEPS, KCC_RUN, FileLimit, Told
from tests.faults.stage import City, Outcome, Stage

LIMITS = {
    "reading": (BARE_STEPS, FileLimit(10_000)),
    "building": (BARE_STEPS, FileLimit(100_000)),
    "writing the version": (KCC_RUN, FileLimit(1_500_000)),
    "publishing": (BARE_STEPS, FileLimit(1_000, when_publishing=True)),
}
ROOM = {
    "reading": 8,
    "reading the second source": 24,
    "the first table": 48,
    "building": 300,
    "writing the version": 2000,
}
"""KiB left on the disk, and where a night then ends."""


def full(stage: Stage, short: bool) -> Outcome:
    """A night without room ends with one sentence and 1; readers keep what they had; with room it ends well."""
    outcome = Outcome()
    for where, (words, limit) in LIMITS.items():
        name = f"no file may grow beyond {limit.size} bytes while {where}"
        with outcome.one(name), stage.borrowed() as city:
            _says_so(outcome, stage, city, name, city.run(words, limit))
            stage.ends_well(outcome, city, name, BARE_STEPS)
    why_not = _cannot_mount(stage)
    if why_not:
        outcome.notes.append(f"no small disk: {why_not}")
        return outcome
    for where, kibibytes in {} if short else ROOM.items():
        name = f"{kibibytes} KiB left ({where})"
        with outcome.one(name), stage.borrowed() as city, _small_disk(city):
            ballast = city.data / "ballast"
            ballast.write_bytes(bytes(shutil.disk_usage(city.data).free - kibibytes * 1024))
            _says_so(outcome, stage, city, name, city.run(KCC_RUN))
            ballast.unlink()
            stage.ends_well(outcome, city, name, BARE_STEPS)
    name = "filled by a night that was killed"
    with outcome.one(name), stage.borrowed() as city, _small_disk(city):
        left_over = city.warehouse.file.versions / ".building_killed.duckdb"
        left_over.write_bytes(bytes(shutil.disk_usage(city.data).free))
        stage.ends_well(outcome, city, name, KCC_RUN)
    return outcome


def _says_so(outcome: Outcome, stage: Stage, city: City, name: str, told: Told) -> None:
    outcome.expect(
        told.status == 1
        and told.text.startswith(f"kcc: no space left in {city.data}: free some and run again")
        and len(told.text.splitlines()) == 1,
        f"{name}: ended with {told.status} and said: {told.text.strip()}",
    )
    outcome.expect(city.tables() == stage.before, f"{name}: what was published changed")
    left = [*city.data.rglob(".building_*"), *city.data.rglob("unfinished"), *city.data.rglob("*.prepared")]
    outcome.expect(not left, f"{name}: it left {left}")


def _mount(city: City) -> str | None:
    mount = shutil.which("mount")
    if mount is None:
        return "there is no `mount`"
    command = [mount, "-t", "tmpfs", "-o", "size=32m,mode=755", "tmpfs", str(city.data)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return told.stderr.strip() or "may not mount" if told.returncode else None


def _umount(city: City) -> None:
    subprocess.run(["umount", str(city.data)], check=True)  # noqa: S607 - where `mount` was found


def _cannot_mount(stage: Stage) -> str | None:
    with stage.borrowed() as city:
        why_not = _mount(city)
        if why_not is None:
            _umount(city)
        return why_not


@contextmanager
def _small_disk(city: City) -> Iterator[None]:
    """The city's data on a disk of 32 MiB."""
    beside = city.folder / "beside"
    city.data.rename(beside)
    city.data.mkdir()
    if why_not := _mount(city):
        raise RuntimeError(why_not)
    try:
        shutil.copytree(beside, city.data, symlinks=True, dirs_exist_ok=True)
        yield
    finally:
        _umount(city)
