"""Other nights at the same time, and other surroundings than those of the machine that we know."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

from pipelines.settings import ROOT
from tests.faults.nights import BARE_STEPS, FORKS, KCC_RUN
from tests.faults.stage import DAYS, Outcome, Stage

FIRST_RUNS = 6
ZONES = ("Pacific/Auckland", "America/St_Johns", "Asia/Kathmandu")
LOCALES = ("tr_TR.UTF-8", "de_DE.UTF-8")


def command_line_and_dagster(stage: Stage, times: int) -> Outcome:
    """`kcc run` and the job of Dagster at once: one waits or leaves, both end well, the tables are right."""
    dice, outcome, left = random.Random(3), Outcome(), 0  # noqa: S311 - reproducible
    first, last = (f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in DAYS)
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    job = ("dagster", "job", "execute", "-m", "pipelines.definitions", "-j", "nightly", "--tags", json.dumps(tags))
    for number in range(times):
        name = f"two nights, {number + 1}"
        with outcome.one(name), stage.borrowed() as city:
            history = FORKS.Process(target=_open_history, args=(city.home, 0.0))
            history.start()  # Dagster's own command doesn't know the lock under which `kcc run` makes it
            history.join()
            by_dagster = city.begin(job)
            time.sleep(dice.uniform(0, 3))
            by_command_line = city.begin(KCC_RUN)
            told = by_command_line.end()
            left += told.status != 0
            outcome.expect(
                told.status == 0 or (told.status == 1 and "another run is at work" in told.text),
                f"{name}: `kcc run` ended with {told.status}: {told.text}",
            )
            told = by_dagster.end()
            outcome.expect(told.status == 0, f"{name}: Dagster's job ended with {told.status}: {told.text[-2000:]}")
            outcome.expect(city.tables() == stage.after, f"{name}: the tables are others")
            stage.ends_well(outcome, city, name, BARE_STEPS)
    outcome.notes.append(f"`kcc run` left {left} times")
    return outcome


def _open_history(home: Path, at: float) -> None:
    os.environ["DAGSTER_HOME"] = str(home)
    from pipelines.night import dagster_instance

    time.sleep(max(at - time.time(), 0))
    with dagster_instance() as instance:
        instance.get_runs(limit=1)


def first_runs_at_once(stage: Stage, times: int, short: bool) -> Outcome:
    """Six processes that find no history of Dagster and make one; in the long form each runs a night with it."""
    outcome = Outcome()
    for _ in range(times):
        cities = [stage.empty_city() for _ in range(FIRST_RUNS)]
        home = cities[0].home
        if short:
            at = time.time() + 0.5
            opening = [FORKS.Process(target=_open_history, args=(home, at)) for _ in cities]
            for process in opening:
                process.start()
            for process in opening:
                with outcome.one("a first run"):
                    process.join()
                    outcome.expect(process.exitcode == 0, "a first run could not open Dagster's history")
        else:
            nights = [(city, city.begin(KCC_RUN, DAGSTER_HOME=str(home))) for city in cities]
            for city, night in nights:
                with outcome.one("a first run"):
                    told = night.end()
                    outcome.expect(told.status == 0, f"a first run ended with {told.status}: {told.text[-2000:]}")
                    outcome.expect(city.tables() == stage.after, "the tables of a first run are others")
        for city in cities:
            shutil.rmtree(city.folder)
    return outcome


def zone_and_locale(stage: Stage, short: bool) -> Outcome:
    """Another zone of the machine, another language: the same tables. Each night is started from nothing."""
    outcome = Outcome()
    locales = {"C": str(stage.folder)} if short else {"C": str(stage.folder), **_locales(stage, outcome)}
    cases = [(zone, "C") for zone in ZONES[: 1 if short else None]]
    cases += [(ZONES[0], locale) for locale in locales if locale != "C"]
    for zone, locale in cases:
        name = f"TZ={zone} LC_ALL={locale}"
        with outcome.one(name), stage.borrowed() as city:
            words = BARE_STEPS if short else KCC_RUN
            language = {"LC_ALL": locale, "LANG": locale, "LOCPATH": locales[locale], "TZ": zone}
            told = subprocess.run(
                [sys.executable, "-m", *words],
                env={**city.environment, **language},
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            if outcome.expect(told.returncode == 0, f"{name}: ended with {told.returncode}: {told.stderr}"):
                outcome.expect(city.tables() == stage.after, f"{name}: the tables are others")
    return outcome


def _locales(stage: Stage, outcome: Outcome) -> dict[str, str]:
    """The locales that could be made here, each with the folder in which it lies."""
    found = {}
    localedef = shutil.which("localedef")
    for name in LOCALES:
        language, encoding = name.split(".")
        made = localedef and subprocess.run(
            [localedef, "-i", language, "-f", encoding, str(stage.folder / name)], capture_output=True, check=False
        )
        if made and (stage.folder / name).exists():
            found[name] = str(stage.folder)
        else:
            outcome.notes.append(f"locale {name} can't be made here")
    return found
