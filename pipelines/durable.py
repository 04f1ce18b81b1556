"""Files that survive a power cut: bytes reach the disk before their name does, and the name before we go on."""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(partial: Path, path: Path) -> None:
    """Give a finished file its name, at once and for good."""
    sync(partial)
    os.replace(partial, path)
    sync(path.parent)


def private_folder(path: Path) -> None:
    """A folder that only its owner may enter, and so are the folders above it that were not there yet."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a whole file that only its owner may read, or leave what was there."""
    write(path, text, 0o600)


def write(path: Path, text: str, mode: int) -> None:
    """Write a whole file of this mode, or leave what was there."""
    partial = path.with_name(path.name + ".partial")
    with open(partial, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as stream:
        stream.write(text)
    partial.chmod(mode)
    rename(partial, path)
