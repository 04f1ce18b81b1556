"""A home of Dagster as the project has it, for tests that run its job, its schedule or its sensors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from assets.keys import asset_key
from pipelines.location import build_definitions
from pipelines.night import dagster_instance
from pipelines.schedule import JOB
from pipelines.settings import ROOT, Settings


@contextmanager
def home_in(folder: Path, its_settings: str = "dagster.yaml") -> Iterator[dg.DagsterInstance]:
    """The instance of a new home in a folder; the folders in its dagster.yaml are relative to where one works."""
    folder.mkdir(exist_ok=True)
    (folder / "dagster.yaml").write_text((ROOT / its_settings).read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder))
        patch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
        patch.chdir(folder)
        with dagster_instance() as instance:
            yield instance


HOLD = """
import sys
from pathlib import Path
from pipelines.lock import night_lock
with night_lock(Path(sys.argv[1]), wait=False):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def night_of_somebody_else(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process is at work on the data, and is killed in the end."""
    command = [sys.executable, "-c", HOLD, str(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as night:
        assert night.stdout is not None
        assert night.stdout.readline() == "held\n"
        try:
            yield night
        finally:
            night.kill()


def run_job(
    settings: Settings, instance: dg.DagsterInstance, tags: Mapping[str, str], *only: str
) -> dg.ExecuteInProcessResult:
    """Run the night's job, as the daemon would; `only` some of its assets, if they are named."""
    return (
        build_definitions(settings)
        .resolve_job_def(JOB)
        .execute_in_process(
            instance=instance,
            tags=dict(tags),
            asset_selection=[asset_key(settings, name) for name in only] or None,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
    )
