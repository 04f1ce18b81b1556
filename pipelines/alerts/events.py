"""The alert of each event. What may stand in it: ids, versions, counts, figures, names that the settings declare.

Does not belong here: whether it is told (`memory`), and to whom.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from pipelines.alerts.alert import Alert
from pipelines.failure import Cause, heading_of
from pipelines.plain import printable
from pipelines.publishing import Block, MissedNorm, NotPublished, Publication
from pipelines.runbook import Heading, where
from pipelines.settings import AlertEvent, Settings

SHOWN = 10
"""So many lines of one kind stand in an alert."""
TITLES: dict[AlertEvent, str] = {
    "run_failed": "run failed",
    "publication_blocked": "publication blocked",
    "warehouse_stale": "warehouse stale",
    "norm_newly_missed": "norm newly missed",
}
FIRST_STEPS = {
    Heading.DISK_FULL: "free space where the data lie; the daemon tries again by itself, `kcc run` does it now.",
    Heading.NO_EXPORTS_FOLDER: "see whether the exports folder, or the share that it lies on, is mounted.",
    Heading.NOT_YOURS: "see to whom the files below the data folder belong.",
    Heading.OUT_OF_MEMORY: "see what else takes the memory of the machine, and run `kcc run`.",
    Heading.PROCESS_KILLED: "see what ended it: a reboot, want of memory, a person. The next night goes on from there.",
    Heading.HISTORY_UNREACHABLE: "start PostgreSQL, or see why it refuses, and run `kcc run`. No reader notices.",
    Heading.LAKE_UNREACHABLE: "start the PostgreSQL of the lake, or see why it refuses, and run `kcc run`.",
    Heading.OF_ANOTHER_CITY: "give the city a warehouse.city of its own, and run `kcc run`.",
    Heading.CONTRACT: "a fault of the program: report it with what `kcc run` or the Dagster UI says.",
    Heading.UNEXPECTED: "a fault of the program: report it with what `kcc run` or the Dagster UI says.",
    Heading.NO_REPORT: "mend what the run names and run `kcc report`.",
    Heading.RUN_FAILED: "look at the run in the Dagster UI or at what `kcc run` said, mend it, and run `kcc run`.",
}
"""What to do first about a run that failed, by where the runbook speaks of it."""
Facts = list[tuple[str, str]]


def run_failed(
    settings: Settings, run_id: str | None, causes: Sequence[Cause], published: Publication | None, now: datetime
) -> Alert:
    """A run that failed; `published` is what it published all the same, as one whose report failed does."""
    facts = [_at(now), ("run", run_id or "none, it failed before it began")]
    facts += _shown([("step", f"{cause.step}, {cause.kind}") for cause in causes])
    if published is not None:
        facts.append(("published", published.version))
        sentence = "The warehouse is published, and the run failed afterwards."
    else:
        sentence = "Nothing was published; readers keep the version that they had."
    if not causes:
        facts.append(("step", "none said why: its process ended"))
    heading = heading_of(causes)
    same = [f"{cause.step} {cause.kind}" for cause in causes]
    return _alert(settings, "run_failed", same, sentence, facts, FIRST_STEPS[heading], heading)


def publication_blocked(settings: Settings, refused: NotPublished, now: datetime) -> Alert:
    """A build that a check kept from being published."""
    facts = [_at(now), ("run", refused.run_id), ("version", refused.version)]
    facts += _shown([("blocked by", _block(one)) for one in refused.blocked_by])
    return _alert(
        settings,
        "publication_blocked",
        [_block(one) for one in refused.blocked_by],
        "A check blocked the publication; readers keep the version that they had.",
        facts,
        "`kcc status` says why and what to do, and so does the check in the Dagster UI.",
        Heading.PUBLICATION_BLOCKED,
    )


def warehouse_stale(settings: Settings, version: str, newest: datetime, now: datetime) -> Alert:
    """A published version, or under a pin the newest build, that is older than the settings allow."""
    hours = (now - newest).total_seconds() / 3600
    return _alert(
        settings,
        "warehouse_stale",
        [version, f"{newest}"],
        "No newer version was built in time.",
        [
            _at(now),
            ("version", version),
            ("age", f"{hours:.1f} hours, allowed are {settings.alerts.stale_after_hours}"),
        ],
        "see whether the nights run: `kcc status`, the Dagster UI, the machine and its clock.",
        Heading.WAREHOUSE_STALE,
    )


def norm_newly_missed(settings: Settings, published: Publication, now: datetime) -> Alert:
    """The norms that a publication shows as missed, and the one before did not."""
    missed = published.norms_newly_missed
    return _alert(
        settings,
        "norm_newly_missed",
        [published.version],
        f"Complete figures that miss their norm since this publication: {len(missed)}.",
        [_at(now), ("version", published.version), *_shown([_figure(one) for one in missed])],
        "look at marts.indicators or at the indicator sheet.",
        Heading.NORM_NEWLY_MISSED,
    )


def test(settings: Settings, now: datetime) -> Alert:
    """One that only shows that alerts arrive."""
    return Alert(
        event=None,
        key="test",
        subject=f"{printable(settings.centre.name)}: test of alerts",
        sentence="Somebody asked for it: `kcc alerts --test`. Nothing is wrong.",
        facts=[_at(now), ("events that are told", ", ".join(TITLES[event] for event in settings.alerts.events))],
        next_step="none.",
    )


def _alert(  # noqa: PLR0913, PLR0917 - an alert is made of all these
    settings: Settings,
    event: AlertEvent,
    same: Sequence[str],
    sentence: str,
    facts: Facts,
    next_step: str,
    heading: Heading,
) -> Alert:
    """`same` are the facts by which one alert of an event is told from the next."""
    return Alert(
        event=event,
        key=f"{event}:{hashlib.sha256(repr(sorted(same)).encode()).hexdigest()[:16]}",
        subject=f"{printable(settings.centre.name)}: {TITLES[event]}",
        sentence=sentence,
        facts=facts,
        next_step=next_step,
        runbook=where(heading, settings.centre.docs),
    )


def _at(now: datetime) -> tuple[str, str]:
    return "at", f"{now:%Y-%m-%d %H:%M} UTC"


def _shown(facts: Facts) -> Facts:
    more = len(facts) - SHOWN
    return facts if more <= 0 else [*facts[:SHOWN], ("and", f"{more} more")]


def _block(block: Block) -> str:
    if block.source is None or block.month is None:
        return block.check
    return f"{block.check}, source {block.source}, {block.month:%Y-%m}: {block.affected} of {block.total}"


def _figure(missed: MissedNorm) -> tuple[str, str]:
    period = f"{missed.period:%Y}" if missed.period_type == "year" else f"{missed.period:%Y-%m}"
    variant = "" if missed.variant == "headline" else f" {missed.variant}"
    of = "" if missed.dimension_type == "all" else f", {missed.dimension_type} {printable(missed.dimension)}"
    norm = f"{missed.norm_operator} {missed.norm_value.normalize():f}"
    return f"{missed.indicator}{variant} {period}{of}", f"{missed.value:.2f} {missed.unit}, norm {norm}"
