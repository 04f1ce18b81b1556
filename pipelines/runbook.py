"""The headings of docs/runbook.md, which every message that asks for action names.

Belongs here: the headings, and how a message names one. Does not belong here: what stands below them, which is for
people (`docs/runbook.md`; tests/test_runbook.py holds the two together).
"""

from __future__ import annotations

import re
from enum import StrEnum


class Heading(StrEnum):
    """A heading of the runbook. A check, and a word with which `kcc status --max-age` begins, is its own heading."""

    RUN_FAILED = "Run failed"
    PUBLICATION_BLOCKED = "Publication blocked"
    WAREHOUSE_STALE = "Warehouse stale"
    NORM_NEWLY_MISSED = "Norm newly missed"
    ALERT_NOT_SENT = "Alert not sent"

    DISK_FULL = "Disk full"
    NO_EXPORTS_FOLDER = "No exports folder"
    NOT_YOURS = "Not yours to open"
    OUT_OF_MEMORY = "Out of memory"
    PROCESS_KILLED = "Process killed"
    ANOTHER_RUN = "Another run is at work"
    HISTORY_UNREACHABLE = "Dagster's history unreachable"
    LAKE_UNREACHABLE = "The lake unreachable"
    OF_ANOTHER_CITY = "A lake of another city"
    UNEXPECTED = "Unexpected error"
    NO_REPORT = "No report"
    SETTINGS_REFUSED = "Settings refused"

    EXPORT_REFUSED = "Export refused"
    EXPORT_DEFERRED = "Export deferred"
    SOURCE_WITHOUT_FILE = "Source without a file"
    DAYS_WITHOUT_HOURS = "Days without hours"
    DAYS_MISSING = "Days missing or failed"
    QUARANTINE = "Records in quarantine"

    CONTRACT = "contract"
    ADDS_UP = "adds_up"
    EVERY_EXPORT_IS_IN = "every_export_is_in"
    NO_FAILED_DAY = "no_failed_day_left_behind"
    IS_PUBLISHED = "is_published"
    ANSWERED_OUTSIDE_HOURS = "answered_outside_hours"
    HOURS_DISAGREE = "hours_disagree"
    OPEN_DAY_WITHOUT_CALLS = "open_day_without_calls"
    QUIET_DAY = "quiet_day"
    PARTIAL_EXPORT = "partial_export"
    UNMAPPED_SERVICE = "unmapped_service"
    OPEN_ON_HOLIDAY = "open_on_holiday"

    STALE = "STALE"
    ATTENTION = "ATTENTION"
    NOTHING_PUBLISHED = "NOTHING PUBLISHED"
    BUILD_NOT_FINISHED = "Build not finished"
    CANNOT_BE_ASKED = "The warehouse can't be asked"
    UNDO = "Going back to an earlier version"


def see(heading: Heading) -> str:
    """How a sentence names a heading, at its end."""
    return f"(runbook: {heading})"


def where(heading: Heading, docs: str | None) -> str:
    """A heading and its address, if the settings know that of the docs (`centre.docs`), else its file."""
    return f"{heading}, {(docs or 'docs').rstrip('/')}/runbook.md#{anchor(heading)}"


def anchor(heading: Heading) -> str:
    """The anchor that GitHub and GitLab make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
