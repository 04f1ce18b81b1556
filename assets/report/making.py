"""Makes the files of the sheet from the published warehouse: page, workbook, CSV and Parquet.

Belongs here: which months, which files, where they go and how they get there. Does not belong here: what is in them.
All are made in memory first, and each takes its place at once, so nobody reads half a file.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import duckdb
import polars as pl

from assets.report.figures import Range, figures_of, indicators_of, restated_years, year_of_the_newest_month
from pipelines import durable
from pipelines.publishing import Warehouse
from pipelines.settings import Settings
from pipelines.space import FULL
from pipelines.stopping import nothing_swallowed
from pipelines.store import StoreTrouble, cannot_be_asked

NAME = "indicatorenfiche"


class NoReport(Exception):
    """The sheet can't be made; the message says why and what to do."""


@dataclass(frozen=True)
class Made:
    """The files of a sheet, the page first, and whether there was any figure to show."""

    months: Range
    files: list[Path]
    has_data: bool


def reports_folder(settings: Settings) -> Path:
    """Where sheets go if nobody says otherwise."""
    return settings.folders.data / "reports"


def make_report(settings: Settings, months: Range | None = None, folder: Path | None = None) -> Made:
    """Make the sheet of some months, of the year of the newest complete month by default. Raises NoReport."""
    with _asked(settings) as con:
        if months is None:
            year = year_of_the_newest_month(con)
            months = Range.of_year(settings.centre.start.year if year is None else year)
        return _make(con, settings, months, folder or reports_folder(settings))


def make_reports_of_the_night(settings: Settings) -> list[Made]:
    """Make the sheet of the year of the newest complete month, and of every year that the publication restated."""
    with _asked(settings) as con:
        newest = year_of_the_newest_month(con)
        years = {settings.centre.start.year if newest is None else newest, *restated_years(con)}
        years |= {year for year in _years_with_a_sheet(settings) if _is_stale(con, settings, year)}
        return [_make(con, settings, Range.of_year(year), reports_folder(settings)) for year in sorted(years)]


def _years_with_a_sheet(settings: Settings) -> list[int]:
    names = (file.stem.removeprefix(f"{NAME}_") for file in reports_folder(settings).glob(f"{NAME}_????.parquet"))
    return [int(name) for name in names if name.isdecimal()]


def _is_stale(con: duckdb.DuckDBPyConnection, settings: Settings, year: int) -> bool:
    """Whether a sheet that lies there tells other figures than the warehouse."""
    months = Range.of_year(year)
    lying = reports_folder(settings) / f"{NAME}_{months.name}.parquet"
    return lying.read_bytes() != _parquet(indicators_of(con, months))


@contextmanager
def _asked(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published warehouse, while its figures are asked for. Raises NoReport where it can't be."""
    store = Warehouse.of(settings).store
    try:
        if not store.is_there():
            raise NoReport(f"{store.where}: nothing is published yet; run `kcc run`")
        with store.open() as con:
            yield con
    except StoreTrouble as trouble:
        raise NoReport(str(trouble)) from None
    except (duckdb.CatalogException, duckdb.BinderException):
        raise NoReport("the warehouse was published by another version of this software; run `kcc run`") from None
    except duckdb.Error as error:
        raise NoReport(cannot_be_asked(store, error)) from None


def _make(con: duckdb.DuckDBPyConnection, settings: Settings, months: Range, folder: Path) -> Made:
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would tell of its cache of fonts
    from assets.report.sheet import page  # draws, and what draws is slow to import
    from assets.report.workbook import workbook

    with nothing_swallowed():
        figures = figures_of(con, months)
        rows = indicators_of(con, months)
        contents = {
            "html": page(figures, settings).encode(),
            "xlsx": workbook(figures, settings),
            "csv": _without_formulas(rows).write_csv().encode(),
            "parquet": _parquet(rows),
        }
    files = {folder / f"{NAME}_{months.name}.{ending}": content for ending, content in contents.items()}
    partials = {file.with_name(f".{file.name}.partial"): file for file in files}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for partial, file in partials.items():
            partial.write_bytes(files[file])
        # Parquet last: a night that finds it as it should be knows that the other three were in place before
        for partial, file in partials.items():
            durable.rename(partial, file)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise NoReport(
            f"{folder}: no file can be written there ({error.strerror}); name another with --output"
        ) from None
    finally:
        for partial in partials:
            with suppress(OSError):
                partial.unlink()
    return Made(months, list(files), figures.has_data)


def _parquet(rows: pl.DataFrame) -> bytes:
    stream = BytesIO()
    rows.write_parquet(stream)
    return stream.getvalue()


def _without_formulas(rows: pl.DataFrame) -> pl.DataFrame:
    """Text that a spreadsheet would take for a formula, behind an apostrophe; Parquet keeps it to the letter."""
    return rows.with_columns(
        pl.when(pl.col("dimension").str.contains(r"^[=+\-@\t\r]"))
        .then(pl.lit("'") + pl.col("dimension"))
        .otherwise(pl.col("dimension"))
        .alias("dimension")
    )
