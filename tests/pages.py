"""Pages of the project: those that are written from the code must say what it says, and links find their headings."""

from __future__ import annotations

import re
from pathlib import Path


class Generated:
    """A file that is written from the code: the same, or with `--accept` written anew."""

    def __init__(self, accept: bool) -> None:
        self.accept = accept

    def hold(self, file: Path, content: str) -> None:
        """Fail if the file says something else; `make docs` makes it say this."""
        if self.accept:
            file.write_text(content, encoding="utf-8")
        assert file.read_text(encoding="utf-8") == content, f"{file.name} is not up to date: make docs"


def headings(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    return {re.sub(r"[^\w -]", "", line.lstrip("#").strip().lower()).replace(" ", "-") for line in lines}
