"""What the docs promise of the tests is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.settings import ROOT
from schemas.dictionary import anchor, dictionary
from schemas.joins import JOINS, Join
from schemas.tables import TABLES
from tests.pages import Generated, headings
from tests.sample import Night

PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
]


def test_every_test_that_the_page_of_pitfalls_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "pitfalls.md").read_text(encoding="utf-8")))
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert named - set(re.findall(r"^def (test_\w+)\(", code, flags=re.MULTILINE)) == set()
    assert len(named) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file_and_heading_that_is_there(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not target.startswith("http"):
            name, _, heading = target.partition("#")
            file = page.parent / name if name else page
            assert file.exists(), target
            assert not heading or heading in headings(file), target


def test_the_data_dictionary_is_what_the_models_say(generated: Generated) -> None:
    page = dictionary()
    generated.hold(ROOT / "docs" / "data-dictionary.md", page)
    assert headings(ROOT / "docs" / "data-dictionary.md") >= {anchor(table) for table in TABLES}


@pytest.mark.parametrize("join", JOINS, ids=lambda join: f"{join.many} to {join.one}")
def test_rows_that_belong_together_find_each_other_once(first_night: Night, join: Join) -> None:
    sample, _ = first_night
    many, one = (table.split(".")[1] for table in (join.many, join.one))
    found = sample.ask(
        f"""
        select count(matched), count(*)
        from {join.many} as {many} left join (select true as matched, * from {join.one}) as {one} on {join.on}
        where {join.where} group by {many}.rowid
        """
    )
    assert all(rows == 1 for _, rows in found)
    assert not join.always or all(matched == 1 for matched, _ in found)


def test_the_joins_are_not_all_empty_on_the_sample_city(first_night: Night) -> None:
    sample, _ = first_night
    empty = {join.many for join in JOINS if sample.ask(f"select count(*) from {join.many}") == [(0,)]}
    assert empty == {"ops.restatements", "ops.rollbacks"}
