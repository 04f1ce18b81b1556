"""How the answers of `kcc` look on a terminal. Does not belong here: what is answered, and exit statuses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipelines.plain import printable
from pipelines.runbook import Heading, see
from pipelines.settings import Settings
from pipelines.terminal import console, say

if TYPE_CHECKING:
    from assets.dry_run import Check
    from pipelines.rollbacks import Rollback
    from pipelines.status import Status
    from pipelines.summary import IndicatorLine, Summary
    from pipelines.versions import Version

UNITS = {"percent": "%", "seconds": "s", "minutes": "min", "working_days": "days"}
TITLES = {
    "missed_calls": "missed calls",
    "telephone_wait": "telephone wait",
    "answer_speed": "answered within 30 s",
    "visitor_wait": "visitor wait",
    "lead_time": "lead time in working days",
}


def print_summary(summary: Summary, reports: Path) -> None:
    """After a night: the indicators, what became of the records, and where everything is."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    from schemas.ops import STATES

    out = console()
    table = Table(title="Indicators, newest complete period", title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("indicator", "period", "reported", "value", "norm", "met"):
        table.add_column(heading, justify="right" if heading in ("reported", "value") else "left", no_wrap=True)
    for line in summary.indicators:
        met = "" if line.norm_met is None else "[green]yes[/green]" if line.norm_met else "[red]no[/red]"
        unit = UNITS[line.unit]
        table.add_row(
            escape(printable(_title(line))),
            _period(line),
            _figure(line.reported, unit),
            _figure(line.value, unit),
            line.norm,
            met,
        )
    out.print(table)
    if not all(line.complete for line in summary.indicators):
        say("* incomplete: not ended, an open day not covered by an export, or a call still open\n")
    states = Table(
        "", *summary.records, title="Records, each in exactly one state", title_justify="left", box=box.SIMPLE_HEAD
    )
    for column in states.columns[1:]:
        column.justify = "right"
    for state in STATES:
        states.add_row(state, *(f"{counts[state]:,}" for counts in summary.records.values()))
    out.print(states)
    quarantined = sum(counts["quarantined"] for counts in summary.records.values())
    at_that = f" {see(Heading.QUARANTINE)}" if quarantined else ""
    for text in (
        f"in         {summary.files:,} files; {quarantined:,} records are in quarantine and in no figure{at_that}",
        f"not in     {len(summary.outstanding):,}; {summary.warnings:,} warnings: `kcc status` tells them",
        f"warehouse  {summary.warehouse}",
        f"version    {summary.version}",
        f"report     {reports}",
    ):
        say(text)


def _title(line: IndicatorLine) -> str:
    title = TITLES[line.indicator]
    if line.variant == "action_plan":
        return f"{title}, action plan"
    return title if line.dimension in ("all", "0-30") else f"{title}, {line.dimension}"


def _period(line: IndicatorLine) -> str:
    period = f"{line.period:%Y}" if line.period_type == "year" else f"{line.period:%Y-%m}"
    return period if line.complete else f"{period} *"


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.2f} {unit}"


def print_status(status: Status, centre: str) -> None:
    """What a person on call wants to know, a line each."""
    say(("bold", "centre:"), f" {centre}, {status.warehouse}")
    as_of = f"as of {status.as_of_utc:%Y-%m-%d %H:%M} UTC" if status.as_of_utc else "without any export"
    say(("bold", "published:"), f" {status.version}, {status.age_hours:.1f} hours ago, {as_of}")
    if status.pinned is not None:
        say(("yellow", "pinned:"), f" {status.pinned}")
    if status.not_published is not None:
        say(("red", "not published:"), f" {status.not_published}")
    if status.no_room is not None:
        say(("red", "no room:"), f" {status.no_room}")
    for sentence in status.not_in:
        say(("red", "not in:"), f" {sentence}")
    for sentence in status.days:
        say(("yellow", "days:"), f" {sentence}")
    for sentence in status.warnings:
        say(("yellow", "warning:"), f" {sentence}")
    for sentence in status.accepted:
        say(("cyan", "accepted:"), f" {sentence}")
    if status.newest_restatement is not None:
        say(("bold", "restated:"), f" {status.newest_restatement.restated_at_utc:%Y-%m-%d} {status.newest_restatement}")
    if not status.needs_attention and not status.days:
        say(("green", "all exports are in"))


def print_versions(found: list[Version], zone: ZoneInfo) -> None:
    """The versions that are kept, with moments in the zone of the centre; each name whole, for a rollback takes it."""

    def local(moment: datetime) -> str:
        return f"{moment.replace(tzinfo=UTC).astimezone(zone):%Y-%m-%d %H:%M}"

    for one in found:
        as_of = f"as of {local(one.as_of_utc)}" if one.as_of_utc else "without any export"
        say(("bold", one.version), ("green" if one.state == "published" else "yellow", f"  {one.state}"))
        say(f"  made {local(one.published_at_utc)}, {as_of} ({zone})")
        say(f"  {one.files:,} files, {one.records:,} records, {one.bytes / 1_000_000:.1f} MB")
        if one.changed_settings:
            say(f"  settings that changed: {', '.join(one.changed_settings)}")


def print_rollback(pin: Rollback, settings: Settings) -> None:
    """What readers get from now on, and what that means for nights and reports."""
    from assets.report.making import reports_folder
    from pipelines.publishing import Warehouse

    say(("bold", "readers get:"), f" {pin.version}, {Warehouse.of(settings).store.readers_follow}")
    say(("bold", "pinned:"), " nights build and verify, and do not publish until `kcc rollback --release`")
    if pin.instead_of_version != pin.version:
        say(
            ("bold", "reports:"),
            f" those in {reports_folder(settings)} are still of {pin.instead_of_version}; `kcc report` makes that of "
            "the newest year anew, `kcc report 2024` that of another",
        )


def print_release(pin: Rollback | None) -> None:
    """What was pinned, if anything was."""
    if pin is None:
        say("nothing is pinned: nights publish")
    else:
        say(("bold", "released:"), f" {pin.version}; readers keep it until the next night publishes, or `kcc run` now")


def print_check(one: Check, settings: Settings) -> None:
    """What a night would do with a file."""
    from assets.outstanding import NOT_LOADED

    colour = "green" if one.is_sound else "yellow" if one.status == "loaded" else "red"
    say(("bold", one.file), ": ", (colour, f"would be {one.status}"))
    made = "at an unknown moment"
    if one.exported_at_utc is not None:
        zone = ZoneInfo(settings.centre.time_zone)
        made = f"on {one.exported_at_utc.replace(tzinfo=UTC).astimezone(zone):%Y-%m-%d at %H:%M}"
    lines = [f"taken for an export of source '{one.source}', made {made}"]
    if one.not_seen is not None:
        lines.append(one.not_seen)
    if one.waits is not None:
        lines.append(f"a night would wait: {one.waits}")
    if one.reason is not None:
        lines.append(f"{one.reason} {see(NOT_LOADED[one.status])}")
    if one.records:
        lines.append(", ".join(f"{number:,} {state}" for state, number in one.records.items() if number) or "no record")
    lines += map(str, one.quarantined)
    if one.records and (more := one.records["quarantined"] - len(one.quarantined)):
        lines.append(f"and {more:,} more")
    for line in lines:
        say(f"  {line}")
