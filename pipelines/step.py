"""What every step of a night does around its own work, so that the UI shows a sentence where it fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from assets.untold import without_values
from pipelines.failure import KIND
from pipelines.lock import night_lock
from pipelines.settings import Settings
from pipelines.space import NoSpace, told_if_full
from pipelines.store import StoreTrouble


@contextmanager
def night_step(settings: Settings) -> Iterator[None]:
    """Hold the night's lock, waiting for it; a full disk, or a lake out of reach, fails the step in a sentence, and no
    error tells a value.
    """
    data = settings.folders.data
    try:
        with without_values(), told_if_full(data), night_lock(data, wait=True):
            yield
    except (NoSpace, StoreTrouble) as told:
        raise dg.Failure(description=str(told), metadata={KIND: type(told).__name__}) from None
