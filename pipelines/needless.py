"""Lets Pandera and DuckDB do without what they would import for nothing, for a command that somebody waits for.

Where they are installed, Pandera imports NumPy for frames of pandas, which is no dependency of ours, and Hypothesis for
making up frames, which is there for our tests; DuckDB looks for pandas at every value that it is given. Each does
without what is missing. Does not belong here: what is checked with them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec

NEEDLESS = {"numpy", "pandas", "hypothesis"}


class _Missing:
    """A finder that says of them what Python says of a package that is not installed."""

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if name in NEEDLESS:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return None


@contextmanager
def needless_imports_left_out() -> Iterator[None]:
    """What is imported meanwhile finds none of them; where one is there already, nothing changes."""
    import polars  # noqa: F401 - it asks for them, too, and must know what is installed

    finder = _Missing()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
