"""What the docs promise of the tests is there."""

from __future__ import annotations

import re

import pytest

from pipelines.settings import ROOT
from schemas.dictionary import anchor, dictionary
from schemas.joins import JOINS, Join
from schemas.tables import TABLES
from tests.generated import Generated
from tests.sample import Night


def test_every_test_that_the_page_of_pitfalls_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "pitfalls.md").read_text(encoding="utf-8")))
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert named - set(re.findall(r"^def (test_\w+)\(", code, flags=re.MULTILINE)) == set()
    assert len(named) > 40


def test_the_data_dictionary_is_what_the_models_say(generated: Generated) -> None:
    page = dictionary()
    generated.hold(ROOT / "docs" / "data-dictionary.md", page)
    headings = set(re.findall(r"^## (.*)$", page, flags=re.MULTILINE))
    assert {re.sub(r"[^\w -]", "", heading) for heading in headings} >= {anchor(table) for table in TABLES}


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
    assert empty == {"ops.restatements"}
