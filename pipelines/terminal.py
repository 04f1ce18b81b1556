"""What the command line says. A line needs no rich, whose import takes longer than most commands have to say.

Belongs here: how words reach a terminal, a pipe or a file. Does not belong here: which words.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from pipelines.plain import printable

if TYPE_CHECKING:
    from rich.console import Console

Words = str | tuple[str, str]
"""Text, or a colour (`bold` is one) and text."""


def say(*parts: Words, err: bool = False) -> None:
    """Print a line. Whoever wrote the words, the terminal finds no command in them; a line end in them is one."""
    shown = "".join(_shown("", part) if isinstance(part, str) else _shown(*part) for part in parts)
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    typer.echo(shown, err=err, color=False if plain else None)


def _shown(colour: str, text: str) -> str:
    text = "\n".join(map(printable, text.split("\n")))
    if not colour:
        return text
    return typer.style(text, bold=True) if colour == "bold" else typer.style(text, fg=colour)


def console(err: bool = False) -> Console:
    """For tables, bars and questions."""
    from rich.console import Console

    return Console(stderr=err, emoji=False)


def clear_line() -> None:
    """Take away what a bar that was broken off left, and show the cursor again."""
    if sys.stderr.isatty():
        typer.echo("\r\x1b[2K\x1b[?25h", err=True, nl=False)


def is_somebody_there() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()
