"""Nights that are killed, with no chance to clean up."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from tests.faults.nights import BARE_STEPS, KCC_RUN, KilledAtMoment
from tests.faults.stage import City, Outcome, Stage

SEED = 20250219


def at_random_moments(stage: Stage, times: int, words: tuple[str, ...] = KCC_RUN, at_once: int = 1) -> Outcome:
    """Kill nights anywhere, half of the times in their last two fifths, where they build and publish."""
    dice = random.Random(SEED)  # noqa: S311 - reproducible
    with stage.borrowed() as city:
        began = time.monotonic()
        city.run(words)
        length = time.monotonic() - began
    moments = [length * dice.uniform(0.6 if number % 2 else 0, 1) for number in range(times)]
    outcome, ended = Outcome(), []

    def strike(moment: float) -> None:
        with outcome.one(f"killed after {moment:.2f} s"), stage.borrowed() as city:
            night = city.begin(words)
            night.kill(moment)
            if not night.end().killed:
                ended.append(moment)
            _is_whole(outcome, stage, city, f"killed after {moment:.2f} s")
            stage.ends_well(outcome, city, f"killed after {moment:.2f} s", words)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(strike, moments))
    outcome.notes.append(f"{times - len(ended)} killed, {len(ended)} had ended before")
    return outcome


def between_two_files(
    stage: Stage, moments: Iterable[int] | None = None, words: tuple[str, ...] = BARE_STEPS
) -> Outcome:
    """Kill nights right before every file that gets its name, every link and everything that is removed."""
    outcome = Outcome()
    for moment in count(1) if moments is None else moments:
        with outcome.one(f"killed before moment {moment}"), stage.borrowed() as city:
            told = city.run(words, KilledAtMoment(city.data, moment))
            if not told.killed:
                outcome.tried -= 1
                outcome.expect(told.status == 0, f"not killed, and ended with {told.status}: {told.text}")
                break
            _is_whole(outcome, stage, city, f"killed before moment {moment}")
            stage.ends_well(outcome, city, f"killed before moment {moment}", words)
    return outcome


def _is_whole(outcome: Outcome, stage: Stage, city: City, name: str) -> None:
    """What is published is either the first night or the second, to the last row."""
    outcome.expect(city.tables() in (stage.before, stage.after), f"{name}: what is published is neither night")
