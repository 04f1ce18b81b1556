"""Keeps the text of unexpected errors to itself: libraries quote the values that they could not handle.

What Dagster keeps of a failed step, and a terminal shows, then tells the kind of the error and its place in the code.
Belongs here: which errors may speak for themselves. Does not belong here: what becomes of a failure.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

OURS = {"assets", "pipelines", "schemas", "dagster"}
"""Packages whose own errors name files, columns and counts, and no value."""
OF_THE_MACHINE = (OSError, MemoryError, duckdb.IOException, duckdb.OutOfMemoryException)
"""Errors that tell of disks, files and memory."""


class UnexpectedError(Exception):
    """Something failed that nobody foresaw; the message says what kind of error it was and where, not its text."""


@contextmanager
def without_values() -> Iterator[None]:
    """Turn an error that may quote a value into an UnexpectedError."""
    try:
        yield
    except Exception as error:
        if error.__cause__ is not None and not isinstance(error.__cause__, Exception):
            raise error.__cause__ from None  # a signal, of which DuckDB makes an error of its own
        if isinstance(error, OF_THE_MACHINE) or type(error).__module__.partition(".")[0] in OURS:
            raise
        raise UnexpectedError(kind_and_place(error)) from None


def kind_and_place(error: Exception) -> str:
    """What may be told of an unexpected error: its kind, and where in the code it came up; not its text."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name} line {frame.lineno}, in {frame.name}" for frame in reversed(frames)]
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    return f"{kind} at {'; from '.join(places[:4])} (its text may quote an export and is not kept)"
