"""The Dagster assets of reading: telephony and appointment exports, partitioned by the day they were made.

A materialised partition means that the exports of that day, if any, were read into records. What of them is
published stands in ops.ledger.
"""

import logging
from datetime import date
from typing import Literal

import dagster as dg

from assets.files import ExportFile, export_files, today
from assets.records import Receipt, RecordStore
from pipelines.settings import Settings
from pipelines.step import night_step

OWNERS = ["team:data-team"]
log = logging.getLogger("kcc")


def export_days(settings: Settings) -> dg.DailyPartitionsDefinition:
    """One partition a civil day of the centre, from its declared start up to and including today."""
    return dg.DailyPartitionsDefinition(
        start_date=settings.centre.start.isoformat(), timezone=settings.centre.time_zone, end_offset=1
    )


def export_asset(
    settings: Settings, key: str, kind: Literal["calls", "appointments"], description: str
) -> dg.AssetsDefinition:
    """The asset that reads the exports of all sources of one kind."""

    @dg.asset(
        key=key,
        partitions_def=export_days(settings),
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="exports",
        description=description,
        kinds={"polars", "parquet"},
        owners=OWNERS,
    )
    def read_exports(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        days = {date.fromisoformat(partition) for partition in context.partition_keys}
        with night_step(settings):
            store = RecordStore(settings)
            receipts = [
                _read(store, file)
                for file in export_files(settings, today(settings))
                # a file without a usable date belongs to no partition: every run says that it is refused
                if file.source.kind == kind and (file.day in days or file.day is None)
            ]
            store.expire_private()
        for day in sorted(days):
            context.add_asset_metadata(
                _metadata([r for r in receipts if r.day == day]), asset_key=key, partition_key=day.isoformat()
            )
        return dg.MaterializeResult(metadata={"exports/files": len(receipts)})

    return read_exports


def _read(store: RecordStore, file: ExportFile) -> Receipt:
    receipt = store.read(file)
    told = f"{receipt.records} records" if receipt.status == "loaded" else f"{receipt.status}: {receipt.reason}"
    if receipt.quarantined:
        told += f", {receipt.quarantined} quarantined"
    log.info("%s: %s", receipt.name, told)
    return receipt


def _metadata(receipts: list[Receipt]) -> dict[str, int | str]:
    """What the UI shows of one export day: counts and file names, never values."""
    return {
        "dagster/row_count": sum(receipt.records for receipt in receipts),
        "quarantined": sum(receipt.quarantined for receipt in receipts),
        "not_loaded": sum(receipt.status != "loaded" for receipt in receipts),
        "read": ", ".join(f"{receipt.name} ({receipt.status})" for receipt in receipts) or "no export of this day",
    }
