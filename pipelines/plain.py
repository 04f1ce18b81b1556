"""Shows text that others wrote so that it is seen and does nothing: on a terminal, in Markdown.

Belongs here: how characters are written. Does not belong here: which text is taken in at all (`assets/adapters`).
"""

from __future__ import annotations

import re
from unicodedata import category

_ACT = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Controls, marks of format and direction, bytes that were no UTF-8, separators of lines."""


def printable(text: str) -> str:
    r"""The text with every character that can't be seen written out: an escape as `\x1b`, a line end as `\n`."""
    return "".join(
        character.encode("unicode_escape").decode() if category(character) in _ACT else character for character in text
    )


def in_markdown(text: str) -> str:
    """The text as Markdown shows it to the letter: no link, no image that is fetched, no tag, no table."""
    return re.sub(r"([\\`*\[\]<>|~])", r"\\\1", text)
