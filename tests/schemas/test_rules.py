"""The rules that are taken out of the contracts say what Pandera says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pandera.errors
import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.inputs import Stream
from schemas.records import AppointmentRecord, CallRecord
from schemas.rules import holds, rules_of
from schemas.tables import TABLES
from schemas.types import Seconds


class Contract(pa.DataFrameModel):
    """One column a kind of rule."""

    word: str = pa.Field(nullable=True, isin=["it's", "b"])
    never: str = pa.Field(nullable=True, notin=["x"])
    number: int = pa.Field(ge=1, lt=5)
    other: int = pa.Field(nullable=True, gt=1, le=5)
    one: int = pa.Field(nullable=True, eq=1)
    seconds: Seconds = pa.Field(nullable=True, ge=0)


WORDS = st.sampled_from([None, "it's", "b", "x", ""])
NUMBERS = st.sampled_from([None, 0, 1, 2, 5, 6])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "word": WORDS,
            "never": WORDS,
            "number": NUMBERS,
            "other": NUMBERS,
            "one": NUMBERS,
            "seconds": st.sampled_from([None, Decimal("-0.001"), Decimal(0), Decimal("1.5")]),
        }
    ),
    max_size=3,
)


def keeps(model: type[pa.DataFrameModel], frame: pl.DataFrame) -> bool:
    """Whether Pandera finds nothing wrong."""
    try:
        model.validate(frame)
    except pandera.errors.SchemaError:
        return False
    return True


@given(rows=ROWS)
def test_a_frame_keeps_a_contract_by_its_rules_exactly_if_pandera_finds_nothing(rows: list[dict[str, Any]]) -> None:
    frame = pl.DataFrame(rows, schema=Contract.empty().schema)
    assert holds(Contract, frame) == keeps(Contract, frame)


@given(rows=ROWS)
def test_a_rule_is_broken_by_the_same_rows_in_duckdb_as_in_polars(rows: list[dict[str, Any]]) -> None:
    frame = pl.DataFrame(rows, schema=Contract.empty().schema)
    rules = rules_of(Contract)
    assert rules is not None
    con = duckdb.connect()
    con.register("rows", Stream(frame))
    con.execute("create table table_of_rows as from rows")
    for rule in rules:
        query = f"select count(*) from table_of_rows where {rule.broken_in_sql()}"
        assert con.execute(query).fetchone() == (frame.filter(rule.broken_in_polars()).height,), rule


@pytest.mark.parametrize("model", [CallRecord, AppointmentRecord, *TABLES.values()], ids=lambda model: model.__name__)
def test_the_rules_of_every_contract_of_ours_can_be_told(model: type[pa.DataFrameModel]) -> None:
    assert rules_of(model) is not None
    assert holds(model, model.empty())


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(Contract.empty().drop("one"), id="a column is missing"),
        pytest.param(Contract.empty().cast({"one": pl.String}), id="a column of another type"),
        pytest.param(
            Contract.empty().with_columns(more=pl.lit(1)), id="a column too many, which strict = True forbids"
        ),
    ],
)
def test_a_frame_of_other_columns_is_never_certain_to_keep_a_contract(frame: pl.DataFrame) -> None:
    assert not holds(Contract, frame)


def test_a_contract_with_a_rule_that_is_not_known_is_pandera_s_to_judge() -> None:
    class Longer(pa.DataFrameModel):
        word: str = pa.Field(str_length={"max_value": 3})

    assert rules_of(Longer) is None
    assert not holds(Longer, pl.DataFrame({"word": ["a"]}))
