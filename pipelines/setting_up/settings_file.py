"""Writes a settings file from its template, so that it is valid or not there at all.

Belongs here: TOML, and how a file gets its name. Does not belong here: what stands in it (`city`), what makes
settings valid (`settings`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.durable import sync
from pipelines.settings import Settings, SettingsError, load_settings

TEMPLATE = Path(__file__).with_name("settings.toml.jinja")
_SHORT = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


def rendered(content: Mapping[str, Any]) -> str:
    """The text of a settings file."""
    environment = Environment(  # noqa: S701 - TOML is no HTML; every value goes through `toml`
        loader=FileSystemLoader(TEMPLATE.parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"toml": toml, "toml_key": toml_key}
    text = environment.get_template(TEMPLATE.name).render(content)
    return re.sub(r"\n{3,}", "\n\n", text).rstrip("\n") + "\n"


def toml(value: object) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_key(key)} = {toml(part)}" for key, part in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(part) for part in value) + "]"
    raise TypeError(type(value).__name__)


def toml_key(key: str) -> str:
    """A key as TOML: bare if it can be."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    """To the letter between single quotes where that spares backslashes, else between double ones with escapes."""
    if "\\" in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character.isprintable():
        return character
    return f"\\U{ord(character):08X}"


def write_settings(path: Path, text: str) -> Settings:
    """Give the text the name of a settings file, if it can be loaded; one that is there stays as it is.

    Raises SettingsError with one sentence.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        try:
            _load(partial, path)
            sync(partial)
            os.link(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        sync(path.parent)
    except FileExistsError:
        raise SettingsError(f"{path}: this file is there already, and is never overwritten") from None
    except OSError as error:
        raise SettingsError(f"{path}: can't be written ({error.strerror})") from None
    return load_settings(path)


def _load(partial: Path, path: Path) -> None:
    try:
        load_settings(partial)
    except SettingsError as error:
        raise SettingsError(str(error).replace(str(partial.absolute()), str(path))) from None
