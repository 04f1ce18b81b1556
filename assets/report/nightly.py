"""The Dagster asset of the report: made after every published night, in a step of its own.

The warehouse is published before it begins, so a report that fails takes nothing back.
"""

import dagster as dg

from assets.exports import OWNERS
from assets.keys import asset_key
from assets.report.making import NoReport, make_reports_of_the_night
from pipelines.failure import KIND
from pipelines.settings import Settings
from pipelines.step import night_step
from schemas.tables import TABLES

STEP = "report"


def report_asset(settings: Settings) -> dg.AssetsDefinition:
    """The step that makes the sheet of the newest year, and of the years that the night restated."""
    spec = dg.AssetSpec(
        key=asset_key(settings, STEP),
        deps=[asset_key(settings, table) for table in TABLES if table.split(".")[0] in ("marts", "ops")],
        group_name="report",
        description="The indicator sheet in Dutch, as a page, a workbook, CSV and Parquet, in $KCC_DATA/reports. The "
        "warehouse is published before it is made: if it fails, readers have the new figures all the same.",
        kinds={"html", "excel"},
        owners=OWNERS,
    )

    @dg.multi_asset(name=STEP, specs=[spec])  # `asset` would put the city into the name of the step
    def report() -> dg.MaterializeResult[None]:
        try:
            with night_step(settings):
                made = make_reports_of_the_night(settings)
        except NoReport as error:
            raise dg.Failure(description=str(error), metadata={KIND: type(error).__name__}) from None
        files = [str(file) for one in made for file in one.files]
        return dg.MaterializeResult(metadata={"files": dg.MetadataValue.json(files)})

    return report
