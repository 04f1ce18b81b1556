"""How much memory and time the reading of large and of hopeless files takes; writes them and deletes them again.

    python -m bench.reading_memory [FOLDER]     FOLDER needs 2 GB for a moment; default the system's temporary one

Each file is read in a process of its own.
"""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

HEADER = b"id;leg;queue;direction;outcome;arrived;queued;answered;ended;wait;queue_wait\n"
MEGABYTE = 1 << 20


def one_line(path: Path) -> None:
    """1 GB without a line end; sparse, so it is written at once."""
    with path.open("wb") as stream:
        stream.truncate(1024 * MEGABYTE)


def line_ends(path: Path) -> None:
    """A header and 20 MB of nothing but line ends."""
    path.write_bytes(HEADER + b"\n" * 20_000_000)


def records(path: Path, megabytes: int) -> None:
    """So many MB of sound records."""
    with path.open("wb") as stream:
        stream.write(HEADER)
        number = 0
        while stream.tell() < megabytes * MEGABYTE:
            day = f"2025-03-{number % 28 + 1:02d} 10:{number % 60:02d}"
            record = f"r{number:08d};;Algemeen;in;answered;{day}:00;;{day}:10;{day}:59;10;\n"
            stream.write(record.encode())
            number += 1


def bomb(path: Path, of: bytes) -> None:
    """1 GB of one byte, as gzip."""
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(HEADER)
        for _ in range(1024):
            stream.write(of * MEGABYTE)


FILES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "1 GB in one line": ("calls_2025-03-31.csv", one_line),
    "20 MB of line ends": ("calls_2025-03-31.csv", line_ends),
    "200 MB of sound records": ("calls_2025-03-31.csv", lambda path: records(path, 200)),
    "800 MB of sound records": ("calls_2025-03-31.csv", lambda path: records(path, 800)),
    "gzip of 1 GB of zeros": ("calls_2025-03-31.csv.gz", lambda path: bomb(path, b"\0")),
    "gzip of 1 GB of line ends": ("calls_2025-03-31.csv.gz", lambda path: bomb(path, b"\n")),
}


def peak_megabytes() -> float:
    """The most memory that this process ever had. `getrusage` would count that of its parent on Linux."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read(folder: Path) -> str:
    """Read the one file below a folder into records, and tell how it ended."""
    from assets.files import export_files
    from assets.records import RecordStore
    from tests.city import CALLS, settings_of

    settings = settings_of(folder, sources=[{**CALLS, "files": "calls_*"}])
    (file,) = export_files(settings, date(2026, 1, 1))
    started = time.perf_counter()
    receipt = RecordStore(settings).read(file)
    took = time.perf_counter() - started
    ended = f"{receipt.status}, {receipt.records:,} records  {(receipt.reason or '')[:60]}"
    return f"{peak_megabytes():.0f} MB {took:6.1f} s  {ended}"


def measure(folder: Path, file_name: str, write: Callable[[Path], None]) -> str:
    """Write one file and read it in a process of its own: its peak in MB first, then all else."""
    path = folder / "exports" / file_name
    path.parent.mkdir()
    write(path)
    words = [sys.executable, "-m", "bench.reading_memory", "--read", str(folder)]
    root = Path(__file__).parent.parent
    return subprocess.run(words, capture_output=True, text=True, check=True, cwd=root).stdout.strip()  # noqa: S603


def main(below: str | None) -> None:
    """Measure every file, one after the other."""
    for name, (file_name, write) in FILES.items():
        with tempfile.TemporaryDirectory(dir=below) as folder:
            print(f"{name:26} {measure(Path(folder), file_name, write)}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        print(read(Path(sys.argv[2])))
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else None)
