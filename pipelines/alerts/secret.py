"""Secrets: in an environment variable, or in a file that only its owner may read. Never in the settings."""

from __future__ import annotations

import os
import stat


class NoSecret(Exception):
    """A secret is missing or lies open; the message names the variable, never the secret."""


def secret(name: str) -> str:
    """The secret in variable `name`, else in the file that variable `<name>_FILE` names."""
    held = os.environ.get(name, "").strip()
    if held:
        return held
    file = os.environ.get(f"{name}_FILE")
    if not file:
        raise NoSecret(f"{name} is not set, nor is {name}_FILE")
    try:
        held = _of_file(f"{name}_FILE", file)
    except (OSError, UnicodeDecodeError) as error:
        raise NoSecret(f"the file that {name}_FILE names can't be read ({type(error).__name__})") from None
    if not held:
        raise NoSecret(f"the file that {name}_FILE names is empty")
    return held


def _of_file(variable: str, file: str) -> str:
    with open(file, encoding="utf-8") as stream:  # noqa: PTH123 - its mode is asked of what was opened
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise NoSecret(f"what {variable} names is no file")
        if status.st_mode & 0o077:
            raise NoSecret(f"the file that {variable} names may be read by others than its owner: chmod 600")
        return stream.read().strip()
