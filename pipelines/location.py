"""Everything that Dagster shows and runs, for the UI, the command line and the tests alike."""

from __future__ import annotations

import dagster as dg

from assets.exports import export_asset
from assets.report.nightly import report_asset
from assets.warehouse import warehouse_assets
from pipelines.arrivals import new_exports_sensor
from pipelines.killed_runs import killed_runs_sensor
from pipelines.retention import old_runs_sensor
from pipelines.schedule import nightly_job, nightly_schedule
from pipelines.settings import Settings
from pipelines.watching import watching


def build_definitions(settings: Settings) -> dg.Definitions:
    """Assets, checks, the job, and what starts and watches it, of one city."""
    return dg.Definitions(
        assets=[
            export_asset(
                settings,
                "telephony_exports",
                "calls",
                "Call logs as exported, read into canonical records: every record accepted, excluded or quarantined.",
            ),
            export_asset(
                settings,
                "appointment_exports",
                "appointments",
                "Appointment logs as exported, read into canonical records the same way.",
            ),
            warehouse_assets(settings),
            report_asset(settings),
        ],
        jobs=[nightly_job(settings)],
        schedules=[nightly_schedule(settings)],
        sensors=[
            new_exports_sensor(settings),
            killed_runs_sensor(settings),
            old_runs_sensor(settings),
            *watching(settings),
        ],
        executor=dg.in_process_executor,
    )
