"""Whose run a run of Dagster's history is: it may hold those of several cities, begun by the daemon or by `kcc run`."""

from __future__ import annotations

import dagster as dg

from pipelines.settings import Settings

DATA = "kcc/data"
"""The tag by which a run says on whose data it works."""
CITY = "kcc/city"
"""The tag by which a run says to people of which city it is, where the settings name one."""
OF_COMMAND_LINE = {"kcc/begun_by": "command line"}
"""The tag of runs that `kcc run` began."""


def data_tag(settings: Settings) -> dict[str, str]:
    """What tells the runs of this city from those of another in the same history."""
    return {DATA: str(settings.folders.data.resolve())}


def tags_of(settings: Settings) -> dict[str, str]:
    """All that a night of this city says of itself."""
    city = settings.warehouse.city
    return data_tag(settings) if city is None else {**data_tag(settings), CITY: city}


def is_ours(run: dg.DagsterRun, settings: Settings) -> bool:
    """Whether a run works on the data of this city; one that the UI made for some assets alone has no tag but those."""
    if DATA in run.tags:
        return data_tag(settings).items() <= run.tags.items()
    city = settings.warehouse.city
    return city is None or all(key.has_prefix([city]) for key in run.asset_selection or ())


def is_of_command_line(run: dg.DagsterRun) -> bool:
    """Whether `kcc run` began it; one that the UI repeats has its tags, and a code location."""
    return OF_COMMAND_LINE.items() <= run.tags.items() and run.remote_job_origin is None
