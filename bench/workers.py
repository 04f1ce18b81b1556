"""Workers that run the nights of many cities, each a city at a time, and one who kills them.

Belongs here: processes, and how they end. Does not belong here: what the cities are, and what is measured.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from queue import Empty, SimpleQueue

from bench.many_cities import City
from bench.measure import CommandFailed

LOOK_EVERY = 0.02
TRIED_AGAIN = "it is tried again"
"""What a night says of a commit that met another writer."""
Nights = Sequence[Sequence[date]]
"""The days whose exports come before each of a city's nights."""


class Workers:
    """So many workers that share a queue of cities; they count nights that ended, those that were killed, and commits
    that were tried again.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.nights = self.kills = self.retries = 0
        self._running: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def run(self, to_come: Mapping[City, Nights]) -> float:
        """Run all nights of all cities, those of a city in order, and one that was killed again; returns how many
        seconds that took.
        """
        queue: SimpleQueue[tuple[City, Nights]] = SimpleQueue()
        for one in to_come.items():
            queue.put(one)
        began = time.perf_counter()
        with ThreadPoolExecutor(self.number) as pool:
            for worker in [pool.submit(self._work, queue) for _ in range(self.number)]:
                worker.result()
        return time.perf_counter() - began

    @contextmanager
    def killed(self, every: tuple[float, float], seed: int) -> Iterator[None]:
        """Meanwhile, after a random time between two bounds in seconds, again and again, kill a random worker's night
        and all that it started.
        """
        chance, over = random.Random(seed), threading.Event()  # noqa: S311 - the same times every time

        def kill() -> None:
            while not over.wait(chance.uniform(*every)):
                with self._lock:  # so that the number is still the night's
                    struck = chance.randrange(self.number)
                    if struck < len(self._running):  # else the worker had no night
                        os.killpg(self._running[struck].pid, signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        try:
            yield
        finally:
            over.set()
            killer.join()

    def _work(self, queue: SimpleQueue[tuple[City, Nights]]) -> None:
        while True:
            try:
                city, nights = queue.get_nowait()
            except Empty:
                return
            if nights:
                city.deliver(nights[0])
                while not self._ends_well(city):
                    self.kills += 1
                self.nights += 1
                queue.put((city, nights[1:]))

    def _ends_well(self, city: City) -> bool:
        """Run a night; False if it was killed. Raises CommandFailed if it failed."""
        told = city.folder / "told"
        with told.open("wb") as stream:
            with self._lock:
                night = subprocess.Popen(  # noqa: S603 - our own command
                    city.night,
                    cwd=city.folder,
                    env={**os.environ, **city.environment},
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self._running.append(night)
            while True:
                with self._lock:
                    if night.poll() is not None:
                        self._running.remove(night)
                        break
                time.sleep(LOOK_EVERY)
        said = told.read_text(errors="replace")
        self.retries += said.count(TRIED_AGAIN)
        if night.returncode not in (0, -signal.SIGKILL):
            raise CommandFailed(f"the night of {city.name} ended with {night.returncode}:\n{said[-2000:]}")
        return night.returncode == 0
