"""The contracts of `schemas/` hold in SQL what they hold in Pandera, and say so in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets import verify
from assets.inputs import Stream
from assets.verify import NotPublishable, doubled_keys
from schemas.core import Table
from schemas.rules import rules_of
from schemas.tables import TABLES


class Contract(Table):
    """Every kind of rule that the contracts have, and the ones next to them."""

    name: str = pa.Field(isin=["a", "it's"])
    day: pl.Date
    least: int = pa.Field(nullable=True, ge=0)
    most: int = pa.Field(nullable=True, le=3)
    between: float = pa.Field(nullable=True, gt=0, lt=1)
    not_that: str = pa.Field(nullable=True, notin=["x", "y"])
    exact: int = pa.Field(nullable=True, eq=7)

    class Config:
        metadata = {"key": ["name", "day"]}


class Patterned(Contract):
    """A contract with a rule that is not told in SQL."""

    pattern: str = pa.Field(str_matches="^a+$")


SOUND: dict[str, Any] = {"name": "a", "day": date(2025, 1, 1), "least": 0, "most": 3, "between": 0.5}
SOUND |= {"not_that": "z", "exact": 7}


@pytest.fixture
def contract(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A published table `core.invented` with a contract of its own."""
    monkeypatch.setitem(TABLES, "core.invented", Contract)
    yield "core.invented"
    verify.columns.cache_clear()


def said_of(model: type[Table], rows: list[dict[str, Any]]) -> str | None:
    """What is wrong with a table of these rows, or None."""
    schema = {name: column.dtype.type for name, column in model.to_schema().columns.items()}
    with duckdb.connect() as con:
        con.execute("create schema core")
        con.register("told", Stream(pl.DataFrame(rows, schema=schema)))
        con.execute("create table core.invented as from told order by all")
        try:
            verify._contract(con, "core.invented")
        except NotPublishable as broken:
            return str(broken).removesuffix(" (runbook: contract)")
    return None


def test_a_table_that_keeps_its_contract_passes(contract: str) -> None:
    nothing = dict.fromkeys(SOUND)
    assert said_of(Contract, []) is None
    assert said_of(Contract, [SOUND, {**nothing, "name": "it's", "day": SOUND["day"]}]) is None


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("name", "b", "isin(['a', \"it's\"])"),
        ("name", None, "not_nullable"),
        ("day", None, "not_nullable"),
        ("least", -1, "greater_than_or_equal_to(0)"),
        ("most", 4, "less_than_or_equal_to(3)"),
        ("between", 0.0, "greater_than(0)"),
        ("between", 1.0, "less_than(1)"),
        ("not_that", "y", "notin(['x', 'y'])"),
        ("exact", 8, "equal_to(7)"),
    ],
)
def test_a_rule_that_is_broken_is_named_with_its_column_and_how_often_as_pandera_does(
    contract: str, monkeypatch: pytest.MonkeyPatch, column: str, value: object, rule: str
) -> None:
    days = [date(2025, 1, day) for day in (1, 2, 3)]
    rows = [{**SOUND, "day": days[0]}, *({**SOUND, "day": day, column: value} for day in days[1:])]
    rows = rows if column != "day" else rows[:2]
    expected = f"core.invented.{column}: {len(rows) - 1} values break the rule {rule}"
    assert said_of(Contract, rows) == expected
    monkeypatch.setattr(verify, "rules_of", lambda _: None)
    assert said_of(Contract, rows) == expected


def test_what_can_not_be_told_in_sql_is_left_to_pandera(contract: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert rules_of(Contract) is not None
    assert rules_of(Patterned) is None
    monkeypatch.setitem(TABLES, "core.invented", Patterned)
    monkeypatch.setattr(verify, "BATCH", 2)
    rows = [{**SOUND, "day": date(2025, 1, day), "pattern": "aa"} for day in range(1, 6)]
    assert said_of(Patterned, rows) is None
    rows[4]["pattern"] = "ab"
    assert said_of(Patterned, rows) == "core.invented.pattern: 1 values break the rule str_matches('^a+$')"


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 2)), max_size=8), st.booleans())
def test_rows_with_the_key_of_another_are_counted_whatever_their_order(
    keys: list[tuple[str | None, int]], in_order: bool
) -> None:
    with duckdb.connect() as con:
        con.execute(
            "create schema ops; create table ops.incomplete_days (figures varchar, date bigint, source varchar)"
        )
        for figures, day in keys:
            con.execute("insert into ops.incomplete_days values ('calls', ?, ?)", [day, figures])
        if in_order:
            con.execute("create table ops.sorted as from ops.incomplete_days order by figures, date, source")
            con.execute("drop table ops.incomplete_days; alter table ops.sorted rename to incomplete_days")
        assert doubled_keys(con, "ops.incomplete_days") == len(keys) - len(set(keys))
