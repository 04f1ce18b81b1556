"""What of a failed run may be told to others: its steps and the kinds of their errors, never an error's text; and where
the runbook speaks of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.runbook import Heading

if TYPE_CHECKING:
    import dagster as dg

KIND = "kind"
"""The metadata by which a `dg.Failure` says of what kind it is: the name of the error that it stands for."""


@dataclass(frozen=True)
class Cause:
    """A step that failed and the kind of its error, the name of a class."""

    step: str
    kind: str


def causes_of(events: Iterable[dg.DagsterEvent]) -> list[Cause]:
    """The causes among the events of a run."""
    return [Cause(event.step_key or "run", _kind(event)) for event in events if event.is_step_failure]


HEADINGS = {
    "NoSpace": Heading.DISK_FULL,
    "NoExportsFolder": Heading.NO_EXPORTS_FOLDER,
    "PermissionError": Heading.NOT_YOURS,
    "MemoryError": Heading.OUT_OF_MEMORY,
    "OutOfMemoryException": Heading.OUT_OF_MEMORY,
    "NotCanonical": Heading.CONTRACT,
    "UnexpectedError": Heading.UNEXPECTED,
    "NoReport": Heading.NO_REPORT,
    "HistoryUnreachable": Heading.HISTORY_UNREACHABLE,
    "LakeUnreachable": Heading.LAKE_UNREACHABLE,
    "OfAnotherCity": Heading.OF_ANOTHER_CITY,
}
"""Where the runbook speaks of the errors of one kind; of others it speaks where it speaks of failed runs."""


def heading_of(causes: Sequence[Cause]) -> Heading:
    """Where the runbook speaks of a run that failed by these causes; a run of which no step failed was killed."""
    if not causes:
        return Heading.PROCESS_KILLED
    return next((HEADINGS[cause.kind] for cause in causes if cause.kind in HEADINGS), Heading.RUN_FAILED)


def _kind(event: dg.DagsterEvent) -> str:
    failure = event.step_failure_data
    if failure.user_failure_data is not None and KIND in failure.user_failure_data.metadata:
        return str(failure.user_failure_data.metadata[KIND].value)
    error = failure.error
    if error is not None and error.cause is not None:
        error = error.cause
    return (error.cls_name if error is not None else None) or "unknown"
