"""What is not in the warehouse and asks for somebody's attention, in sentences.

Belongs here: questions to a warehouse and to the exports folder. Does not belong here: Dagster, which `kcc status` does
without.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from assets.files import claims, names_in_exports, no_exports_folder
from pipelines.runbook import Heading, see
from pipelines.settings import Settings

NOT_LOADED = {"refused": Heading.EXPORT_REFUSED, "deferred": Heading.EXPORT_DEFERRED}
"""Where the runbook speaks of a file of such a status."""


def not_in(con: duckdb.DuckDBPyConnection, settings: Settings) -> list[str]:
    """A sentence for everything that is not in and asks for somebody's attention.

    Files that still lie in the exports folder and whose last delivery is not in; sources without any file; records
    on days without declared hours.
    """
    rows = con.execute(
        """
        with latest as (
            select * from ops.ledger
            qualify delivery = max(delivery) over (partition by source, file_name)
        )
        select file_name, status, reason from latest
        where status in ('refused', 'deferred')
        order by file_name
        """
    ).fetchall()
    lying, exports = names_in_exports(settings), settings.folders.exports
    sentences = [
        was_not_loaded(name, status, reason)
        for name, status, reason in rows
        if name in lying or _is_hidden(exports / name)
    ]
    if not _is_hidden(exports) and not exports.is_dir():
        sentences.append(no_exports_folder(settings))
    known = {source for (source,) in con.execute("select distinct source from ops.ledger").fetchall()}
    sentences += [
        f"source '{source.name}': no file in {exports} matches {source.files!r}; is 'files' right? "
        + see(Heading.SOURCE_WITHOUT_FILE)
        for source in settings.sources
        if source.name not in known and not any(claims(source, name) for name in lying)
    ]
    without_hours = con.execute(
        "select source, count(*) from ops.quarantine where column_name = '(arrival)' group by source order by source"
    ).fetchall()
    return sentences + [
        f"source '{source}': {count} records arrived on days for which the settings declare no hours of the "
        f"telephone; add [[hours]] for them (which they are: ops.quarantine) {see(Heading.DAYS_WITHOUT_HOURS)}"
        for source, count in without_hours
    ]


def was_not_loaded(name: str, status: str, reason: str | None) -> str:
    """That a file was refused or deferred, and why."""
    return f"{name} was {status}: {reason} {see(NOT_LOADED[status])}"


def _is_hidden(path: Path) -> bool:
    """Whether who asks may not see if it is there: a status may be asked by who may read the warehouse alone."""
    try:
        path.lstat()
    except PermissionError:
        return True
    except OSError:
        return False
    return False
