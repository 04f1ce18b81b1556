"""What the docs promise of the tests is there."""

from __future__ import annotations

import re

from pipelines.settings import ROOT


def test_every_test_that_the_page_of_pitfalls_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "pitfalls.md").read_text(encoding="utf-8")))
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert named - set(re.findall(r"^def (test_\w+)\(", code, flags=re.MULTILINE)) == set()
    assert len(named) > 40
