"""The few column types that all tables share, and their names in DuckDB."""

from __future__ import annotations

from typing import Annotated

import polars as pl

Instant = Annotated[pl.Datetime, "us", None]
"""A moment in UTC (`_at_utc`) or in the centre's civil time (`_local`), without a zone of its own."""
Seconds = Annotated[pl.Decimal, 9, 3]
"""One duration, exact to the millisecond."""
Total = Annotated[pl.Decimal, 18, 3]
"""A sum of durations in seconds, exact."""
Amount = Annotated[pl.Decimal, 18, 6]
"""A count, or a sum in the unit of its value."""


def duckdb_type(dtype: pl.DataType | type[pl.DataType]) -> str:
    """The DuckDB name of a column's type."""
    if isinstance(dtype, type):
        dtype = dtype()
    if isinstance(dtype, pl.Decimal):
        return f"DECIMAL({dtype.precision},{dtype.scale})"
    names: dict[type, str] = {
        pl.String: "VARCHAR",
        pl.Int64: "BIGINT",
        pl.Float64: "DOUBLE",
        pl.Boolean: "BOOLEAN",
        pl.Date: "DATE",
        pl.Datetime: "TIMESTAMP",
    }
    return names[type(dtype)]
