"""Says in one sentence that a disk is full, whoever noticed it first.

Belongs here: how Python, DuckDB, Polars and SQLite say so. Does not belong here: what is done about it.
"""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.runbook import Heading, see

LEAST_ROOM = 50_000_000
"""Bytes that a night of a small city may need: a version, records, Dagster's history, the report."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
TOLD = re.compile(
    r"no space left on device|disk quota exceeded|file too large|database or disk is full"
    r"|thrift: transport error"  # Polars, where only the last bytes of a Parquet file found no room
    r"|max_temp_directory_size",  # DuckDB, where there is none for what memory can't hold
    re.IGNORECASE,
)


class NoSpace(Exception):
    """A disk, a quota or a limit is full; the message names the folder and says what to do."""


@contextmanager
def told_if_full(folder: Path) -> Iterator[None]:
    """Turn every error that means that there is no space left into NoSpace, and leave the others alone."""
    try:
        yield
    except NoSpace:
        raise
    except Exception as error:
        if not is_full(error):
            raise
        raise NoSpace(
            f"no space left in {folder}: free some and run again; readers keep the last version that was published "
            + see(Heading.DISK_FULL)
        ) from None


def no_room(folders: Iterable[Path], published: int) -> str | None:
    """That the disk of one of the folders to which nights write has too little room for the next, in a sentence: less
    than twice the bytes of what is published, for a build is as large and may put as much aside; or None.
    """
    needed, mega = max(2 * published, LEAST_ROOM), 1_000_000
    for folder in folders:
        if (free := shutil.disk_usage(folder).free) < needed:
            said = f"{free // mega:,} MB are free in {folder}, and a night may need {needed // mega:,} MB: free some"
            return f"{said} {see(Heading.DISK_FULL)}"
    return None


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it came of, means that there is no space left."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if TOLD.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False
