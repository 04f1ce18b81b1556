"""The Dagster assets of the build: one a published table, made, checked and published in a single step.

The step can't be run in halves: a night publishes everything or nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
import duckdb

from assets import checks
from assets.build import (
    UNBOUNDED,
    bounded,
    build,
    finish,
    keep_history,
    norms_newly_missed,
    published_reads,
    sql_files,
)
from assets.exports import EXPORTS, OWNERS, column_schema
from assets.inputs import as_of, file_states
from assets.keys import asset_key
from assets.links import of_table
from assets.outstanding import not_in
from assets.previews import previews
from assets.records import RecordStore
from assets.tripwires import Blocked, Tripped, inspect
from assets.verify import NotPublishable, verify
from pipelines.failure import Cause, heading_of
from pipelines.publishing import Block, Publication, Warehouse
from pipelines.runbook import Heading, see
from pipelines.settings import Settings
from pipelines.space import is_full
from pipelines.step import night_step
from pipelines.stopping import nothing_swallowed
from pipelines.store import StoreTrouble
from schemas.tables import TABLES, columns, description

log = logging.getLogger("kcc")


def table_spec(settings: Settings, table: str) -> dg.AssetSpec:
    """A published table as an asset: its columns and what they mean, and the tables that it is computed from."""
    upstream: list[dg.AssetKey] = [asset_key(settings, name) for name in published_reads(table)]
    if table in ("core.calls", "core.appointments", "ops.ledger", "ops.quarantine"):
        upstream += [asset_key(settings, name) for name in _exports_of(table)]
    return dg.AssetSpec(
        key=asset_key(settings, table),
        deps=upstream,
        group_name=table.split(".", maxsplit=1)[0],
        description=description(table),
        kinds={"duckdb", "table"},
        freshness_policy=dg.FreshnessPolicy.time_window(timedelta(hours=settings.alerts.stale_after_hours)),
        owners=OWNERS,
        metadata={
            "dagster/column_schema": column_schema(columns(table)),
            "dagster/table_name": table,
            **of_table(settings, table),
        },
        skippable=True,  # a build that is held back makes none of them, and so no report
    )


def _exports_of(table: str) -> Sequence[str]:
    return {"core.calls": EXPORTS[:1], "core.appointments": EXPORTS[1:]}.get(table, EXPORTS)


def warehouse_assets(settings: Settings) -> dg.AssetsDefinition:
    """The step that builds, verifies and publishes every table."""

    @dg.multi_asset(
        name="warehouse",
        specs=[table_spec(settings, table) for table in TABLES],
        check_specs=checks.of_warehouse(settings),
        can_subset=False,
    )
    def build_warehouse(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        try:
            with night_step(settings):
                built = build_and_publish(settings, context.run.run_id)
        except NotPublishable as broken:
            if broken.table is None:
                yield checks.adds_up(settings, str(broken))
            else:
                yield checks.broken_contract(asset_key(settings, broken.table), str(broken))
            raise dg.Failure(description=f"Nothing was published: {broken}") from None
        except Blocked as blocked:
            yield from checks.contracts(settings)
            yield checks.adds_up(settings, None)
            yield from checks.tripwires(settings, blocked.tripped)
            raise dg.Failure(description=f"Nothing was published: {blocked}") from None
        if built.not_published is None:
            shown = previews(Warehouse.of(settings).store)
            for table in sql_files():  # Dagster wants a table after the tables that it is computed from
                if table in built.rows:
                    yield dg.MaterializeResult(
                        asset_key=asset_key(settings, table),
                        metadata={"dagster/row_count": built.rows[table], **shown.get(table, {})},
                    )
        yield checks.is_published(settings, built.not_published)
        yield from checks.contracts(settings)
        yield checks.adds_up(settings, None)
        yield checks.every_export_is_in(settings, built.outstanding)
        yield from checks.tripwires(settings, built.tripped)

    return build_warehouse


@dataclass(frozen=True)
class Built:
    """What a sound build came to: the rows of every table, a sentence for everything that is not in, the tripwires that
    it touched; and why it is not published, if a version is pinned.
    """

    rows: dict[str, int]
    outstanding: list[str]
    tripped: list[Tripped]
    not_published: str | None = None


def build_and_publish(settings: Settings, run_id: str) -> Built:
    """Build a fresh warehouse from all records, verify it and publish it; lay it aside where a version is pinned.

    Publishes nothing and raises NotPublishable where the warehouse does not hold what it promises, Blocked where a
    blocking tripwire was touched and not accepted. Whatever it raises, it leaves no half a version on the disk.
    """
    warehouse = Warehouse.of(settings)
    try:
        built = _within_bounds(warehouse, settings, run_id)
        if built is None:
            log.warning("the build needs more memory than it is bound to: it begins again with all that there is")
            warehouse.clear_left_overs()
            built = _build_and_publish(warehouse, settings, run_id, is_bounded=False)
    except BaseException as error:
        with suppress(StoreTrouble):  # the next night asks again
            warehouse.clear_left_overs()
        if isinstance(error, Exception):
            with suppress(OSError):  # a full disk may have no room for it
                warehouse.failed(run_id, _why(error))
        raise
    return built


def _why(error: Exception) -> str:
    """Why a build broke off, without the error's text, which may quote a value."""
    if is_full(error):
        return f"it broke off, for there was no space left {see(Heading.DISK_FULL)}"
    kind = type(error).__name__
    return f"it broke off ({kind}) {see(heading_of([Cause('warehouse', kind)]))}"


def _within_bounds(warehouse: Warehouse, settings: Settings, run_id: str) -> Built | None:
    """What a build in bounded memory came to, or None if it needs more."""
    try:
        return _build_and_publish(warehouse, settings, run_id, is_bounded=True)
    except duckdb.OutOfMemoryException as error:
        if is_full(error):  # what memory can't hold did not fit on the disk
            raise
        return None


def _build_and_publish(warehouse: Warehouse, settings: Settings, run_id: str, is_bounded: bool) -> Built:
    file = warehouse.fresh_file(run_id)
    store = RecordStore(settings)
    publication = _publication(settings, store, run_id)
    warehouse.refuse(publication)
    warehouse.store.prepare()
    pin = warehouse.rollbacks.pin()
    bounds = bounded(publication.records) if is_bounded else UNBOUNDED
    try:
        with nothing_swallowed(), build(file, settings, store, warehouse.history(), publication, bounds) as con:
            log.info("verifying contracts, ledger and sums")
            verify(con)
            found = inspect(con)
            rows = {table: _count(con, f"select count(*) from {table}") for table in TABLES}
            outstanding = not_in(con, settings)
            if pin is None:
                version = publication.version
                keep_history(con, warehouse.figures_of(version), warehouse.restatements_of(version))
            publication = publication.model_copy(update={"norms_newly_missed": norms_newly_missed(con)})
            finish(con)
    except NotPublishable as broken:
        check = checks.ADDS_UP if broken.table is None else f"{checks.CONTRACT} of {broken.table}"
        warehouse.refuse(publication, str(broken), [Block(check=check)])
        raise
    except Blocked as blocked:
        warehouse.refuse(publication, str(blocked), blocked.by)
        raise
    if pin is not None:
        not_published = warehouse.hold_back(file, publication, pin)
        log.info("held back %s", publication.version)
        return Built(rows, outstanding, found, not_published)
    warehouse.publish(file, publication)
    log.info("published %s", publication.version)
    return Built(rows, outstanding, found)


def _publication(settings: Settings, store: RecordStore, run_id: str) -> Publication:
    now = datetime.now(UTC).replace(tzinfo=None)
    files = file_states(store.receipts, settings)
    read = [file for file in files if file.status in ("loaded", "replaced")]
    return Publication(
        version=f"kcc_{now:%Y%m%dT%H%M%S%f}_{run_id[:8]}",
        published_at_utc=now,
        run_id=run_id,
        settings_sha256=settings.sha256,
        settings_text=settings.text,
        as_of_utc=as_of(files),
        files=len(files),
        records=sum(file.records for file in read),
    )


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0
