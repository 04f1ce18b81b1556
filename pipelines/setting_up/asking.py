"""Asks the person at the terminal what no option told; without a terminal, names the option.

Belongs here: how a question is put and an answer taken. Does not belong here: which questions there are (`city`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.plain import printable

Answer = TypeVar("Answer")


class Untold(Exception):
    """Something necessary was not told, or not so that it can be used; the message is one sentence for who sets up."""


class Conversation:
    """Someone at a terminal, or nobody. What others wrote is shown so that it does nothing."""

    def __init__(self, console: Console, is_there: bool) -> None:
        self._console = console
        self.is_there = is_there

    def say(self, sentence: str) -> None:
        """Show a line."""
        self._console.print(Text(printable(sentence)), soft_wrap=True, highlight=False)

    def show(self, headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """Show a table."""
        table = Table(*headings, box=box.SIMPLE_HEAD)
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        self._console.print(table)

    def ask(
        self,
        question: str,
        read: Callable[[str], Answer],
        told_by: str,
        told: str | None = None,
        default: str | None = None,
    ) -> Answer:
        """The answer that an option told, else the person's. `read` raises Untold at one that can't be used."""
        if told is not None:
            return read(told)
        if not self.is_there:
            raise Untold(f"{question} is not known: say it with {told_by}")
        offered = default and printable(default)
        while True:
            text: str = _answered(lambda: typer.prompt(printable(question), default=offered, type=str))
            try:
                return read(default if default is not None and text == offered else text.strip())
            except Untold as trouble:
                self.say(f"  {trouble}")

    def agree(self, question: str) -> bool:
        """Whether the person says yes."""
        return self.is_there and _answered(lambda: typer.confirm(printable(question), default=True))


def _answered(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except typer.Abort:
        raise Untold("the answers ended, so nothing was written") from None


def one_of(words: Iterable[str]) -> Callable[[str], str]:
    """Takes no other answer than one of the words."""
    known = list(words)

    def read(text: str) -> str:
        if text not in known:
            raise Untold(f"'{text}' is none of {', '.join(known)}")
        return text

    return read
