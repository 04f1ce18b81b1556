"""Tells people on call what happened: what the command line and Dagster's sensors call.

Each function returns a sentence for every channel that failed, and an empty list where all is told or nothing is to
tell. None of them raises: an alert that can't be sent fails no night. Does not belong here: what stands in an alert.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from pipelines.alerts import events
from pipelines.alerts.alert import Alert
from pipelines.alerts.channels import Sent, send
from pipelines.alerts.memory import FAILURES, Memory, kept
from pipelines.failure import Cause
from pipelines.publishing import Publication, Warehouse
from pipelines.settings import Settings
from pipelines.store import StoreTrouble


def tell_of_run(settings: Settings, run_id: str | None, failed: Sequence[Cause] | None) -> list[str]:
    """Tell what a run that ended came to; `failed` has the causes if it did, `run_id` is None if it never began."""

    def find(warehouse: Warehouse, known: Memory, now: datetime) -> Iterator[Alert]:
        published = _publication_of(warehouse, run_id) if run_id is not None else None
        refused = warehouse.refused()
        if failed is None:
            if published is not None:
                known.forget_failures()
        elif refused is not None and refused.run_id == run_id and refused.blocked_by:
            yield events.publication_blocked(settings, refused, now)
        else:
            yield events.run_failed(settings, run_id, failed, published, now)
        if published is not None and published.norms_newly_missed:
            yield events.norm_newly_missed(settings, published, now)

    return _tell(settings, find)


def tell_if_stale(settings: Settings) -> list[str]:
    """Tell if the published version is too old, but not before the first; try again what reached nobody."""

    def find(warehouse: Warehouse, _: Memory, now: datetime) -> Iterator[Alert]:
        published = _publication(warehouse, warehouse.published_version())
        if published is None:
            return
        # under a pin readers have an old version on purpose, and the nights go on building
        newest = warehouse.last_build_at_utc() if warehouse.rollbacks.pin() else published.published_at_utc
        if newest is not None and now - newest > timedelta(hours=settings.alerts.stale_after_hours):
            yield events.warehouse_stale(settings, published.version, newest, now)

    return _tell(settings, find)


def tell_a_test(settings: Settings) -> list[Sent]:
    """Send a test by every declared channel, and say what became of it on each."""
    return send(settings.alerts.channels, [events.test(settings, _now())])


def _tell(settings: Settings, find: Callable[[Warehouse, Memory, datetime], Iterator[Alert]]) -> list[str]:
    """Send what is found and was not told yet, and what waits."""
    channels, now = settings.alerts.channels, _now()
    if not channels:
        return []
    warehouse = Warehouse.of(settings)
    trouble: list[str] = []
    try:
        with kept(settings.folders.data) as file:
            known = file.memory
            alerts = [one for one in find(warehouse, known, now) if one.event in settings.alerts.events]
            due = known.due(alerts, now)
            is_kept = file.write()
            if not is_kept:  # a full disk: told again is better than not told, but not every ten minutes
                due = [one for one in due if one.event in FAILURES]
            if due:
                sent = send(channels, due)
                trouble += [sentence for one in sent for sentence in one.trouble]
                known.note(set().union(*(one.arrived for one in sent)), now)
                is_kept &= file.write()
            if not is_kept:
                trouble.append("what was told can't be remembered, and may be told again")
    except StoreTrouble as error:
        trouble.append(str(error))
    except OSError as error:
        trouble.append(f"what was told can't be read ({type(error).__name__}); do it as the user of the nights")
    return trouble


def _publication_of(warehouse: Warehouse, run_id: str) -> Publication | None:
    """What a run published, if anything. A version ends with the begin of its run's id."""
    for record in warehouse.publications.glob(f"kcc_*_{run_id[:8]}.json"):
        published = Publication.model_validate_json(record.read_bytes())
        if published.run_id == run_id:
            return published
    return None


def _publication(warehouse: Warehouse, version: str | None) -> Publication | None:
    record = warehouse.publications / f"{version}.json"
    return Publication.model_validate_json(record.read_bytes()) if record.exists() else None


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
