"""How many records a second each vendor's format is read at, bytes to canonical records: `python -m bench.formats`.

Every format reads the same invented calls, round after round in one process, so that a busy machine slows all alike.
"""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from assets.canonical import CanonicalExport
from assets.files import ExportFile, export_files
from pipelines.settings import Settings
from tests.city import settings_of
from tests.vendors import VENDORS, Call

CALLS = 20_000
ROUNDS = 5


def calls() -> list[Call]:
    """Calls of a year, one every twenty minutes."""
    first = datetime(2025, 1, 6)
    return [
        Call(n, first + timedelta(minutes=20 * (n % 24_000)), n % 200, n % 5 != 0, n % 600 + 1, f"Loket {n % 4}")
        for n in range(1, CALLS + 1)
    ]


def seconds(file: ExportFile, settings: Settings) -> tuple[float, int]:
    """CPU seconds to read a file, and its records."""
    began = time.process_time()
    export = CanonicalExport(file, settings)
    for _ in export.frames():
        pass
    return time.process_time() - began, export.records


def main() -> None:
    """Print the table, fastest first."""
    made = calls()
    with tempfile.TemporaryDirectory() as folder:
        files: dict[str, tuple[ExportFile, Settings]] = {}
        for known, vendor in VENDORS.items():
            source = {
                "name": "phone",
                "kind": "calls",
                "format": known,
                "files": "calls_*",
                "time_zone": "Europe/Brussels",
                "export": {"at": "2025-12-31 23:00:00"},
                **dict(vendor.settings),
            }
            settings = settings_of(Path(folder) / known, sources=[source])
            settings.folders.exports.mkdir(parents=True)
            (settings.folders.exports / vendor.name).write_bytes(vendor.write(made))
            (file,) = export_files(settings, date(2026, 1, 1))
            files[known] = (file, settings)
        measured: dict[str, list[tuple[float, int]]] = {known: [] for known in files}
        for _ in range(ROUNDS):
            for known, (file, settings) in files.items():
                measured[known].append(seconds(file, settings))
    print(f"{datetime.now(UTC):%Y-%m-%d}: medians of {ROUNDS} interleaved rounds, CPU seconds")
    rates = {known: rounds[0][1] / median(spent for spent, _ in rounds) for known, rounds in measured.items()}
    for known, rate in sorted(rates.items(), key=lambda item: -item[1]):
        print(f"{known:24} {measured[known][0][1]:7} records {rate:10,.0f} a second")


if __name__ == "__main__":
    main()
