"""The Dagster assets of reading: telephony and appointment exports, partitioned by the day they were made.

A materialised partition means that the exports of that day, if any, were read into records. What of them is
published stands in ops.ledger.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Literal

import dagster as dg
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from assets import checks
from assets.canonical import NotCanonical
from assets.files import ExportFile, export_files, names_in_exports, today
from assets.inputs import file_states
from assets.keys import asset_key
from assets.links import page
from assets.outstanding import was_not_loaded
from assets.records import Receipt, RecordStore
from pipelines.failure import KIND
from pipelines.plain import in_markdown
from pipelines.settings import Settings
from pipelines.step import night_step
from schemas.records import AppointmentRecord, CallRecord
from schemas.tables import TableColumn, columns_of

EXPORTS = ("telephony_exports", "appointment_exports")
OWNERS = ["team:data-team"]
log = logging.getLogger("kcc")


def export_days(settings: Settings) -> dg.DailyPartitionsDefinition:
    """One partition a civil day of the centre, from its declared start up to and including today."""
    return dg.DailyPartitionsDefinition(
        start_date=settings.centre.start.isoformat(), timezone=settings.centre.time_zone, end_offset=1
    )


def export_asset(
    settings: Settings, name: str, kind: Literal["calls", "appointments"], description: str
) -> dg.AssetsDefinition:
    """The asset that reads the exports of all sources of one kind."""
    records = CallRecord if kind == "calls" else AppointmentRecord
    key = asset_key(settings, name)
    spec = dg.AssetSpec(
        key=key,
        partitions_def=export_days(settings),
        group_name="exports",
        description=description,
        kinds={"polars", "parquet"},
        owners=OWNERS,
        metadata={"dagster/column_schema": column_schema(columns_of(records)), "docs": page(settings, "formats.md")},
    )

    @dg.multi_asset(  # `asset` would put the city into the name of the step
        name=name,
        specs=[spec],
        check_specs=checks.of_exports(key),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def read_exports(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        days = {date.fromisoformat(partition) for partition in context.partition_keys}
        try:
            with night_step(settings):
                store = RecordStore(settings)
                store.expire_private()  # first: raw text goes after its days though reading should fail
                files = [
                    file
                    for file in export_files(settings, today(settings))
                    # a file without a usable date belongs to no partition: every run says that it is refused
                    if file.source.kind == kind
                    and (file.day in days or file.day is None or store.was_read_otherwise(file))
                ]
                log.debug("reading %s", name.replace("_", " "))
                receipts = [_read(store, file) for file in files]
        except NotCanonical as broken:
            yield checks.broken_contract(key, str(broken))
            raise dg.Failure(
                description=f"Nothing was published: {broken}", metadata={KIND: type(broken).__name__}
            ) from None
        for day, of_day in _by_day(receipts).items():
            if day in days:
                context.add_asset_metadata(_metadata(of_day), asset_key=key, partition_key=day.isoformat())
        # metadata given here is copied to every day, and the days that had files have said otherwise
        yield dg.MaterializeResult(metadata={"read": dg.MetadataValue.md("no export of this day")})
        yield checks.records_keep_contract(key, sum(receipt.records for receipt in receipts))
        yield checks.no_failed_day(key, failed_days(context.instance, settings, name), _not_in(store, kind))

    return read_exports


def failed_days(instance: dg.DagsterInstance, settings: Settings, name: str) -> set[date]:
    """The days of an asset of exports that a run failed to read, and that no later run has read or is reading."""
    days = export_days(settings)
    status = instance.get_status_by_partition(asset_key(settings, name), days.get_partition_keys(), days) or {}
    return {date.fromisoformat(day) for day, found in status.items() if found == AssetPartitionStatus.FAILED}


def column_schema(columns: Sequence[TableColumn]) -> dg.TableSchema:
    """Columns as Dagster's Columns tab shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type,
                description=column.meaning,
                constraints=dg.TableColumnConstraints(nullable=column.is_nullable),
            )
            for column in columns
        ]
    )


def _read(store: RecordStore, file: ExportFile) -> Receipt:
    known = store.latest(file)
    receipt = store.read(file)
    is_new = receipt is not known
    level, told = logging.INFO, f"{receipt.records} records"
    if receipt.status != "loaded":
        level, told = logging.WARNING, f"{receipt.status}: {receipt.reason}"
    if receipt.quarantined:
        told += f", {receipt.quarantined} quarantined"
    numbers = {"has_read": (receipt.size, receipt.records)} if is_new else {}
    log.log(level if is_new else logging.DEBUG, "%s: %s", receipt.name, told, extra=numbers)
    return receipt


def _not_in(store: RecordStore, kind: str) -> dict[date, str]:
    """Of each day whose exports lie there and are not in, why: of every day, whatever this run takes."""
    kinds = {source.name: source.kind for source in store.settings.sources}
    latest = {(one.source, one.name): one for one in file_states(store.receipts, store.settings)}
    lying = names_in_exports(store.settings)
    left = [one for one in latest.values() if one.status in ("refused", "deferred") and one.name in lying]
    return {
        day: "; ".join(was_not_loaded(one.name, one.status, one.reason) for one in of_day)
        for day, of_day in _by_day([one for one in left if kinds[one.source] == kind]).items()
    }


def _by_day(receipts: Sequence[Receipt]) -> dict[date, list[Receipt]]:
    """The receipts of each day; a file without a usable date is of none."""
    found: dict[date, list[Receipt]] = {}
    for receipt in receipts:
        if receipt.day is not None:
            found.setdefault(receipt.day, []).append(receipt)
    return found


def _metadata(receipts: Sequence[Receipt]) -> dict[str, int | dg.MetadataValue[Any]]:
    """What the UI shows of an export day that had files: counts, file names and reasons, never values."""
    told = [
        f"{in_markdown(receipt.name)}: {receipt.status}"
        + (f", {in_markdown(receipt.reason)}" if receipt.reason else "")
        for receipt in receipts
    ]
    return {
        "dagster/row_count": sum(receipt.records for receipt in receipts),
        "files": len(receipts),
        "quarantined": sum(receipt.quarantined for receipt in receipts),
        "refused": sum(receipt.status == "refused" for receipt in receipts),
        "deferred": sum(receipt.status == "deferred" for receipt in receipts),
        "read": dg.MetadataValue.md("\n\n".join(told)),
    }
