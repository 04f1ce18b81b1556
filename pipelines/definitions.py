"""What Dagster loads: the location of the city whose settings are in force. Nothing imports this module."""

import dagster as dg

from pipelines.location import build_definitions
from pipelines.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """Assembled when Dagster asks for it, so that importing costs nothing."""
    return build_definitions(load_settings())
