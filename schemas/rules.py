"""The rules of a contract, taken out of its Pandera model, so that they can be asked where the rows are.

Pandera asks rule by rule, in Python: 7 ms for a daily export, and all rows of a table have to come to it. Here they are
one question to Polars or DuckDB. Does not belong here: a rule; those stand in the models, and in them alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.api.checks import Check


@dataclass(frozen=True)
class Rule:
    """What must hold of each value of a column that is not NULL: `comparison` with the value, or one of the values.

    The comparison `is not` has no value: none may be NULL. `name` is what Pandera calls the rule.
    """

    column: str
    name: str
    comparison: str
    values: tuple[str | int, ...] = ()

    def broken_in_sql(self) -> str:
        """The condition of the rows that break it."""
        if self.comparison == "is not":
            return f'"{self.column}" is null'
        values = ", ".join(_literal(value) for value in self.values)
        if self.comparison in _COMPARED:
            return f'not ("{self.column}" {self.comparison} {values})'
        # a function looks once at each value of a compressed column, `in` at each row: that takes six times as long
        listed = f'list_contains([{values}], "{self.column}")'
        return f"not {listed}" if self.comparison == "in" else listed

    def broken_in_polars(self) -> pl.Expr:
        """Whether a row breaks it; NULL for a value that is NULL and may be."""
        column = pl.col(self.column)
        if self.comparison == "is not":
            return column.is_null()
        if self.comparison in _COMPARED:
            holds: pl.Expr = _COMPARED[self.comparison](column, self.values[0])
            return ~holds
        listed = column.is_in(self.values)
        return ~listed if self.comparison == "in" else listed


@cache
def rules_of(model: type[pa.DataFrameModel]) -> tuple[Rule, ...] | None:
    """The rules of a model, but for names and types of its columns; None if one of them can't be told here.

    As in Pandera, a check passes over NULL.
    """
    schema = model.to_schema()
    if schema.checks or schema.unique or schema.parsers:
        return None
    rules = []
    for name, column in schema.columns.items():
        if column.unique or column.parsers or column.regex or not column.required:
            return None
        if not column.nullable:
            rules.append(Rule(name, "not_nullable", "is not"))
        for check in column.checks:
            rule = _rule(name, check)
            if rule is None:
                return None
            rules.append(rule)
    return tuple(rules)


def holds(model: type[pa.DataFrameModel], frame: pl.DataFrame) -> bool:
    """Whether a frame is certain to keep its contract; if it is not, Pandera may tell why, or find that it does."""
    rules = rules_of(model)
    if rules is None or dict(frame.schema) != _types(model):
        return False
    broken = [rule.broken_in_polars().any().alias(str(number)) for number, rule in enumerate(rules)]
    return not any(frame.select(broken).row(0))


@cache
def _types(model: type[pa.DataFrameModel]) -> dict[str, pl.DataType]:
    return {name: column.dtype.type for name, column in model.to_schema().columns.items()}


_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "=": operator.eq,
}
_CHECKS = {
    "greater_than_or_equal_to": (">=", "min_value"),
    "greater_than": (">", "min_value"),
    "less_than_or_equal_to": ("<=", "max_value"),
    "less_than": ("<", "max_value"),
    "equal_to": ("=", "value"),
    "isin": ("in", "allowed_values"),
    "notin": ("not in", "forbidden_values"),
}
"""Pandera's checks that are known here, and in which statistic each has its value or values."""


def _rule(column: str, check: Check) -> Rule | None:
    if check.name not in _CHECKS or not check.ignore_na or check.raise_warning or check.groupby is not None:
        return None
    comparison, statistic = _CHECKS[check.name]
    told: Any = (check.statistics or {})[statistic]
    values = (told,) if comparison in _COMPARED else tuple(told)
    if not values or not all(type(value) in (str, int) for value in values):
        return None
    return Rule(column, str(check.error), comparison, values)


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
