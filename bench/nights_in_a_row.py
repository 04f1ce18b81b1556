"""What grows from night to night: runs many nights in one process, each with one more daily export of 100 calls.

    python -m bench.nights_in_a_row [NIGHTS] [FOLDER]     default 60 nights, in the system's temporary folder

The exports are of the past, so the clock is the machine's; only what expires by its age, the raw text of records in
quarantine, is made a day older each night.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from datetime import timedelta
from pathlib import Path

from bench.data import FIRST, file_name, settings, write_exports
from pipelines.night import run_night
from pipelines.settings import ROOT, Settings

DAY = 86_400
RECORDS_A_DAY = 100
EVERY = 10
"""After so many nights it tells how things stand."""


def main(nights: int, folder: Path) -> None:
    """Run the nights and tell what they left."""
    home, to_come = folder / "dagster", folder / "to_come"
    home.mkdir(parents=True)
    shutil.copy(ROOT / "dagster.yaml", home)
    os.environ["DAGSTER_HOME"] = str(home)
    logging.getLogger("kcc").propagate = False
    write_exports(to_come, nights * RECORDS_A_DAY, nights)
    city = Settings.model_validate(settings(folder))
    city.folders.exports.mkdir()
    cpu = 0.0
    for night in range(1, nights + 1):
        _deliver(to_come / file_name(FIRST + timedelta(days=night - 1)), city.folders.exports)
        _grow_older(city.folders.data / "private")
        before = time.process_time()
        run_night(city)
        cpu += time.process_time() - before
        if night % EVERY == 0 or night == nights:
            told = {**_sizes(city.folders.data, home / ".dagster"), **_process()}
            print(f"night {night}: {cpu / ((night - 1) % EVERY + 1):.2f} CPU s a night", flush=True)
            print("  " + "\n  ".join(f"{name:42s} {value}" for name, value in told.items()), flush=True)
            cpu = 0.0


def _deliver(file: Path, exports: Path) -> None:
    """A file that was finished an hour ago; one that was just written might still grow."""
    os.utime(file, (time.time() - 3600,) * 2)
    file.rename(exports / file.name)


def _grow_older(private: Path) -> None:
    for file in private.rglob("*.jsonl"):
        os.utime(file, (file.stat().st_mtime - DAY,) * 2)


def _sizes(data: Path, dagster: Path) -> dict[str, str]:
    """Files and bytes of each kind: one of a day or a run counts with those of the other days and runs."""
    files: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for path in sorted([*data.rglob("*"), *dagster.rglob("*")]):
        if path.is_symlink() or not path.is_file():
            continue
        folders = path.relative_to(data.parent if path.is_relative_to(data) else dagster.parent).parts[:-1]
        general = [folder for folder in folders if not folder[:4].isdecimal()]
        kind = "/".join([*general, path.name if path.stem == "index" else "*" + "".join(path.suffixes[-2:])])
        files[kind] += 1
        size[kind] += path.stat().st_size
    return {kind: f"{files[kind]:6,} files {size[kind] / 1024:10,.0f} kB" for kind in sorted(files)}


def _process() -> dict[str, str]:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "open file descriptors": str(len(list(Path("/proc/self/fd").iterdir()))),
        "threads": f"{status['Threads'].strip()} ({threading.active_count()} of Python)",
        "resident memory": f"{int(status['VmRSS'].split()[0]) / 1024:.0f} MB",
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    if len(sys.argv) > 2:
        main(count, Path(sys.argv[2]).absolute())
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(count, Path(temporary))
