"""Folders that processes of other users may enter, which those of pytest are not."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def folder_for_everybody(prefix: str) -> Iterator[Path]:
    """A folder below the system's for temporary files, into which everybody may look; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
