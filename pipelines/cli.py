"""The command line: `kcc`. Says in words what Dagster does, and ends with 0 only when what was asked is done.

Exit status: 0 done, 1 failed or partly failed, 2 wrong use or settings; 130 and 143 a run that Ctrl-C or SIGTERM
stopped. A user's mistake gets one sentence.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

from pipelines.lock import NightIsRunning
from pipelines.plain import printable
from pipelines.printing import (
    print_check,
    print_release,
    print_rollback,
    print_status,
    print_summary,
    print_versions,
)
from pipelines.progress import Counts, shown
from pipelines.publishing import Warehouse
from pipelines.runbook import Heading, see
from pipelines.settings import Settings, SettingsError, load_settings
from pipelines.stopping import Stop, stoppable
from pipelines.store import StoreTrouble
from pipelines.terminal import clear_line, console, is_somebody_there, say

if TYPE_CHECKING:
    from assets.report.figures import Range
    from pipelines.night import Days

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="From a contact centre's export files to a DuckDB warehouse that a city can defend.",
    epilog="Begin with  kcc run  on the sample exports, then with your own settings:  KCC_SETTINGS=city.toml kcc run.  "
    "Every key of the settings stands in docs/settings.md.",
)

SettingsFile = Annotated[
    Path | None, typer.Option("--settings", help="The city's settings; default $KCC_SETTINGS, else kcc.toml.")
]


@app.command(
    epilog="Examples:  kcc run   |   kcc run --json > night.json   |   KCC_SETTINGS=/etc/kcc/lier.toml kcc run --quiet"
    "   |   kcc run --from 2025-03-01 --to 2025-03-31"
)
def run(
    first: Annotated[
        str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="Only exports made on or after this day.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Only exports made on or before this day.")
    ] = None,
    settings_file: SettingsFile = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what went wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Take in every export that was not read yet; build, verify and publish the warehouse.

    With --from and --to go over the exports that were made on some days, and leave others for the next run.
    """
    settings, counts = _settings(settings_file), Counts()
    only = _days(settings, first, last)
    warehouse = Warehouse.of(settings)
    before = _published(warehouse)

    def stopped() -> None:
        clear_line()
        say(("red", "kcc:"), f" {_where_it_stopped(counts, before, _published(warehouse))}", err=True)

    with stoppable(stopped) as stop:
        try:
            _run(settings, only, counts, stop, quiet, as_json)
        except KeyboardInterrupt:
            stop.end(stopped)


def _published(warehouse: Warehouse) -> str | None:
    """The version that readers get, if that can be asked."""
    try:
        return warehouse.published_version()
    except StoreTrouble:
        return None


def _run(  # noqa: PLR0913, PLR0917 - what `run` was told
    settings: Settings, only: Days | None, counts: Counts, stop: Stop, quiet: bool, as_json: bool
) -> None:
    with _quiet_dagster():
        from assets.report.making import reports_folder
        from pipelines.alerts.telling import tell_of_run
        from pipelines.night import NightFailed, ReportFailed, run_night
        from pipelines.summary import summarise

        no_report, failed = None, None
        try:
            with shown(counts, silent=quiet or as_json):
                run_id = run_night(settings, only)
        except ReportFailed as error:
            run_id, no_report, failed = error.run_id, str(error), error.causes
        except NightIsRunning as error:
            stop.if_told()
            _stop(str(error), 1)
        except NightFailed as error:
            stop.if_told()
            _told(tell_of_run(settings, error.run_id, error.causes))
            _stop(str(error), 1)
        stop.if_told()
        everything_told = _told(tell_of_run(settings, run_id, failed))
    warehouse = Warehouse.of(settings)
    refused = warehouse.refused()  # a night that ends well is published, or held back; another may be at work by now
    not_published = None if refused is None or refused.run_id != run_id else refused.reason
    summary = summarise(settings, None if not_published is None else warehouse.held_back)
    if as_json:
        told = {"run_id": run_id, "not_published": not_published, **asdict(summary)}
        print(json.dumps(told, default=str, indent=2))
    elif not quiet:
        print_summary(summary, reports_folder(settings))
    if not_published is not None:
        say(("yellow", "not published:"), f" {not_published}", err=True)
    for sentence in summary.outstanding:
        say(("red", "not in:"), f" {sentence}", err=True)
    if no_report is not None:
        say(("red", "no report:"), f" {no_report}", err=True)
    if summary.outstanding or no_report is not None or not everything_told:
        raise typer.Exit(1)


def _days(settings: Settings, first: str | None, last: str | None) -> Days | None:
    """The export days that --from and --to name: from the start of the centre, up to today, unless they say it."""
    if first is None and last is None:
        return None
    from assets.files import today

    days = {"--from": settings.centre.start, "--to": today(settings)}
    for option, text in (("--from", first), ("--to", last)):
        try:
            day = days[option] if text is None else date.fromisoformat(text)
        except ValueError:
            _stop(f"{option} '{text}' is no day such as 2025-03-01", 2)
        if not settings.centre.start <= day <= today(settings):
            _stop(f"{option} {day}: exports are made from {settings.centre.start} (centre.start) up to today", 2)
        days[option] = day
    if days["--from"] > days["--to"]:
        _stop(f"--from {days['--from']} lies after --to {days['--to']}", 2)
    return days["--from"], days["--to"]


def _told(trouble: list[str]) -> bool:
    """Say which channels did not take an alert; whether all did."""
    for sentence in trouble:
        say(("red", "not told:"), f" {sentence} {see(Heading.ALERT_NOT_SENT)}", err=True)
    return not trouble


def _where_it_stopped(counts: Counts, before: str | None, published: str | None) -> str:
    """What a run that was told to stop has done, and what the next one does."""
    if published != before:
        return f"stopped; {published} was published, its report may be missing: `kcc report` makes it"
    read = f"{counts.files_read:,} of {counts.files:,} new files are read; " if counts.files else ""
    keep = "readers keep the version that they had" if before else "there is no version yet"
    return f"stopped; {read}nothing was published, {keep}; the next `kcc run` goes on from there"


@app.command(
    epilog="Examples:  kcc status   |   kcc status --json   |   kcc status --max-age 26h || echo 'have a look'   |   "
    "kcc status --max-age 26h --max-data-age 4d   |   kcc status --prometheus /var/lib/node_exporter/kcc.prom"
)
def status(  # noqa: PLR0913, PLR0917 - an option each
    settings_file: SettingsFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the status as JSON.")] = False,
    max_age: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Print one line for a monitor, and end with 1 if it is older: 26h, 90m, 2d."),
    ] = None,
    max_data_age: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="With --max-age: end with 1, too, if the newest export of a source is older."),
    ] = None,
    prometheus: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write metrics for node_exporter's textfile collector.")
    ] = None,
    alert: Annotated[
        bool, typer.Option("--alert", help="Tell people on call, once, if it is older than alerts.stale_after_hours.")
    ] = False,
) -> None:
    """Say how the warehouse stands. Ends with 1 if the last build was not published, something is not in, or the
    published file is older than --max-age.
    """
    settings = _settings(settings_file, quick=True)
    from pipelines.monitoring import duration, facts, line, watch, write_metrics
    from pipelines.versions import finish_rollback

    finish_rollback(settings)
    if max_data_age is not None and max_age is None:
        _stop("--max-data-age goes with --max-age, such as --max-age 26h --max-data-age 4d", 2)
    limits = []
    for option, text in (("--max-age", max_age), ("--max-data-age", max_data_age)):
        try:
            limits.append(None if text is None else duration(text))
        except ValueError as error:
            _stop(f"{option}: {error}", 2)
    limit, data_limit = limits
    if alert:
        _require_a_channel(settings)
    watched = watch(settings)
    everything_told = not alert or _told(_tell_if_stale(settings))
    if prometheus is not None:
        try:
            write_metrics(watched, prometheus)
        except OSError as error:
            _stop(f"{prometheus}: the metrics can't be written ({error.strerror}); name another file", 1)
    if limit is not None and not as_json:
        print(line(watched, limit, data_limit))
    elif limit is not None:
        print(json.dumps(facts(watched, limit, data_limit), default=str, indent=2))
    elif watched.status is None:
        _stop(str(watched.problem), 1)
    elif as_json:
        print(json.dumps(asdict(watched.status), default=str, indent=2))
    else:
        print_status(watched.status, settings.centre.name)
    if watched.verdict(limit, data_limit) != "OK" or not everything_told:
        raise typer.Exit(1)


def _require_a_channel(settings: Settings) -> None:
    if not settings.alerts.channels:
        _stop("no channel is declared, so nothing is told: docs/settings.md#alerts", 1)


def _tell_if_stale(settings: Settings) -> list[str]:
    from pipelines.alerts.telling import tell_if_stale

    return tell_if_stale(settings)


@app.command(epilog="Examples:  kcc versions   |   kcc versions --json")
def versions(
    settings_file: SettingsFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the versions as JSON.")] = False,
) -> None:
    """List the versions of the warehouse that are kept, newest first, and which of them readers get."""
    settings = _settings(settings_file, quick=True)
    from pipelines.versions import finish_rollback, versions_of

    with _as_its_owner():
        finish_rollback(settings)
        found = versions_of(settings)
    if as_json:
        print(json.dumps([asdict(one) for one in found], default=str, indent=2))
    elif found:
        print_versions(found, ZoneInfo(settings.centre.time_zone))
    else:
        say(f"nothing is published yet; run `kcc run` {see(Heading.NOTHING_PUBLISHED)}")


@app.command(
    epilog="Examples:  kcc rollback   |   kcc rollback --reason 'zone of the telephone was wrong'   |   "
    "kcc rollback --release"
)
def rollback(
    version: Annotated[
        str | None,
        typer.Argument(
            show_default=False,
            help="A version that `kcc versions` lists; default the one before that which readers get.",
        ),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why; it is published in ops.rollbacks, so name no person.")
    ] = None,
    release: Annotated[bool, typer.Option("--release", help="Let the next night publish again.")] = False,
    settings_file: SettingsFile = None,
) -> None:
    """Give readers an earlier version again, at once, and pin it.

    Nights go on building and verifying, and do not publish until it is released.
    """
    if release and version is not None:
        _stop("--release takes no version: the next night publishes a new one", 2)
    settings = _settings(settings_file, quick=True)
    from pipelines.space import NoSpace, told_if_full
    from pipelines.versions import NotRolledBack, UnknownVersion, release_pin, roll_back

    why = None if reason is None else printable(reason)
    try:
        with _as_its_owner(), told_if_full(settings.folders.data):
            if release:
                print_release(release_pin(settings, why))
            else:
                print_rollback(roll_back(settings, version, why), settings)
    except UnknownVersion as error:
        _stop(f"{error} {see(Heading.UNDO)}", 2)
    except NotRolledBack as error:
        _stop(f"{error} {see(Heading.UNDO)}", 1)
    except (NightIsRunning, NoSpace) as error:
        _stop(str(error), 1)


@contextmanager
def _as_its_owner() -> Iterator[None]:
    """For what only the user who runs the nights may do."""
    try:
        yield
    except PermissionError as error:
        _stop(f"{error.filename}: not yours to open; ask the user who runs the nights {see(Heading.NOT_YOURS)}", 1)


@app.command(epilog="Examples:  kcc alerts   |   kcc alerts --test")
def alerts(
    settings_file: SettingsFile = None,
    test: Annotated[bool, typer.Option("--test", help="Send a test by each channel.")] = False,
) -> None:
    """Say which events are told to people on call, and by which channels; `--test` shows whether they arrive."""
    settings = _settings(settings_file, quick=True)
    _require_a_channel(settings)
    if not test:
        from pipelines.alerts.channels import name_of

        for event in settings.alerts.events:
            say(("bold", "told:"), f" {event}")
        for channel in settings.alerts.channels:
            say(("bold", "by:"), f" {name_of(channel)}")
        return
    from pipelines.alerts.telling import tell_a_test

    results = tell_a_test(settings)
    for sent in results:
        if not sent.trouble:
            say(("green", "told:"), f" {sent.channel}")
    if not _told([sentence for sent in results for sentence in sent.trouble]):
        raise typer.Exit(1)


@app.command(epilog="Examples:  kcc calendar 2025   |   KCC_SETTINGS=/etc/kcc/lier.toml kcc calendar 2026")
def calendar(
    year: Annotated[int, typer.Argument(min=1900, max=2200, help="The year to print.")],
    settings_file: SettingsFile = None,
) -> None:
    """Print a year as the settings declare it: open days, closures, changed hours, and holidays without a closure."""
    settings = _settings(settings_file)
    from assets.calendar import year_of
    from pipelines.calendar_page import page

    out = console()
    for line in page(settings, year, year_of(settings, year)):
        out.print(line, soft_wrap=True)


@app.command(
    epilog="Examples:  kcc report   |   kcc report 2025   |   kcc report --from 2025-01 --to 2025-06 --output /srv/www"
)
def report(
    year: Annotated[
        int | None,
        typer.Argument(
            min=1900, max=2200, show_default=False, help="The year; default that of the newest complete month."
        ),
    ] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM", help="The first month, with --to.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM", help="The last month, with --from.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FOLDER", help="Where the files go; default $KCC_DATA/reports.")
    ] = None,
    settings_file: SettingsFile = None,
) -> None:
    """Make the indicator sheet of a year or of some months, in Dutch: a page, a workbook, CSV and Parquet."""
    settings = _settings(settings_file)
    from assets.report.making import NoReport, make_report, reports_folder
    from pipelines.space import NoSpace, told_if_full
    from pipelines.versions import finish_rollback

    months = _months(year, first, last)
    finish_rollback(settings)
    try:
        with told_if_full(output or reports_folder(settings)):
            made = make_report(settings, months, output)
    except (NoReport, NoSpace) as error:
        _stop(str(error), 1)
    if not made.has_data:
        say(
            ("yellow", "no figures:"), f" the warehouse has none of {made.months.name}, and the sheet says so", err=True
        )
    for file in made.files:
        say(str(file))


def _months(year: int | None, first: str | None, last: str | None) -> Range | None:
    from assets.report.figures import Range

    if first is None and last is None:
        return None if year is None else Range.of_year(year)
    if year is not None or first is None or last is None:
        _stop("name a year, or --from and --to together, such as --from 2025-01 --to 2025-06", 2)
    months = []
    for text in (first, last):
        if not re.fullmatch(r"(19|2[01])\d\d-(0[1-9]|1[0-2])", text):
            _stop(f"'{text}' is no month such as 2025-01", 2)
        months.append(date.fromisoformat(f"{text}-01"))
    if months[0] > months[1]:
        _stop(f"--from {first} lies after --to {last}", 2)
    return Range(*months)


@app.command(
    name="check",
    epilog="Examples:  kcc check oproepen_20250301.csv.gz   |   kcc check downloads/*.csv   |   "
    "kcc check --source telephony --json week9.csv",
)
def check_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", show_default=False, help="Export files, anywhere.")],
    settings_file: SettingsFile = None,
    source: Annotated[
        str | None, typer.Option("--source", help="The declared source of the files, where it can't be told.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say what a night would do with files, before they are dropped into the exports folder. Writes nothing.

    Ends with 0 if each would be loaded with every record, 1 if something is refused, deferred or quarantined.
    """
    settings = _settings(settings_file, quick=True)
    for file in files:
        if not file.is_file():
            trouble = "a folder, name the files in it" if file.is_dir() else "there is no such file"
            _stop(f"{printable(str(file))}: {trouble}", 2)
    from assets.dry_run import CannotTellSource, check
    from assets.files import today
    from assets.untold import UnexpectedError, without_values

    try:
        with without_values():
            checks = [check(file, settings, today(settings), source) for file in files]
    except CannotTellSource as error:
        _stop(str(error), 2)
    except UnexpectedError as error:
        _stop(str(error), 1)
    if as_json:
        print(json.dumps([{**asdict(one), "is_sound": one.is_sound} for one in checks], default=str, indent=2))
    else:
        for one in checks:
            print_check(one, settings)
    if not all(one.is_sound for one in checks):
        raise typer.Exit(1)


@app.command(
    epilog="Example:  kcc init --name 'Stad Voorbeeld' --calls oproepen_20250310.csv --calls-zone Europe/Brussels "
    "--hours 'mo-fr 09:00-12:00,13:00-16:00'. What is not told is asked. More: docs/settings.md."
)
def init(  # noqa: PLR0913, PLR0917 - an option each
    settings_file: Annotated[
        Path | None, typer.Option("--settings", help="The file to write; default $KCC_SETTINGS, else kcc.toml.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The name of the contact centre.")] = None,
    exports: Annotated[Path | None, typer.Option(help="The folder of exports.  [default: exports beside it]")] = None,
    data: Annotated[Path | None, typer.Option(help="The folder of all we keep.  [default: data beside it]")] = None,
    time_zone: Annotated[str | None, typer.Option(help="The zone of the city.  [default: Europe/Brussels]")] = None,
    calls: Annotated[Path | None, typer.Option(metavar="FILE", help="One export of calls.")] = None,
    calls_format: Annotated[str | None, typer.Option(help="Its format (docs/formats.md); none for another.")] = None,
    calls_zone: Annotated[str | None, typer.Option(help="The zone of the clock times in it.")] = None,
    appointments: Annotated[Path | None, typer.Option(metavar="FILE", help="One export of appointments.")] = None,
    appointments_format: Annotated[str | None, typer.Option(help="Its format; none for another.")] = None,
    appointments_zone: Annotated[str | None, typer.Option(help="The zone of the clock times in it.")] = None,
    hours: Annotated[
        list[str] | None, typer.Option(metavar="HOURS", help="Of telephone and desk: 'mo-fr 09:00-12:00,13:00-16:00'.")
    ] = None,
    desk_hours: Annotated[list[str] | None, typer.Option(metavar="HOURS", help="Of the desk, if others.")] = None,
    cluster: Annotated[
        list[str] | None, typer.Option(metavar="NAME=SERVICE,…", help="A cluster of desks and its services.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=COLUMN", help="arrived_at=Starttijd, or =Datum+Tijd, or = for none."),
    ] = None,
    moment: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=FORMAT", help="'Starttijd=%d/%m/%Y %H:%M', where it is not plain."),
    ] = None,
    outcome: Annotated[list[str] | None, typer.Option(metavar="WORD=MEANING", help="'Beantwoord=answered'.")] = None,
    direction: Annotated[list[str] | None, typer.Option(metavar="WORD=MEANING", help="'Uitgaand=outbound'.")] = None,
    status: Annotated[list[str] | None, typer.Option(metavar="WORD=MEANING", help="'Afgerond=completed'.")] = None,
    stamp: Annotated[
        str | None, typer.Option(help="Format of the date in the names of files, or first or last of several.")
    ] = None,
    exported_at: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="When a file without a date in its name was made.")
    ] = None,
    export_time: Annotated[
        str | None, typer.Option(metavar="HH:MM", help="When on their day exports are made.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Take the format and the columns that are proposed.")
    ] = False,
) -> None:
    """Write the settings of a city, by one export of each kind; ask on a terminal what no option told."""
    path = settings_file or Path(os.environ.get("KCC_SETTINGS") or "kcc.toml")
    if path.exists() or path.is_symlink():
        _stop(f"{path}: this file is there already, and is never overwritten; name another with --settings", 2)
    from assets.dry_run import check
    from assets.files import today
    from assets.untold import UnexpectedError, without_values
    from pipelines.setting_up.asking import Conversation, Untold
    from pipelines.setting_up.city import City, exports_of, set_up
    from pipelines.setting_up.drafts import Told
    from pipelines.setting_up.settings_file import write_settings

    city = City(name, time_zone, exports, data, hours or (), desk_hours or (), cluster or ())
    words = {"outcome": outcome or (), "direction": direction or (), "status": status or ()}
    own = {"calls": (calls_format, calls_zone), "appointments": (appointments_format, appointments_zone)}
    talk = Conversation(console(), is_somebody_there())
    try:
        with without_values():
            told = [
                Told(kind, file, *own[kind], column or (), moment or (), words, stamp, exported_at, export_time, yes)
                for kind, file in exports_of(calls, appointments, talk).items()
            ]
            made = set_up(path, city, told, talk)
            settings = write_settings(path, made.text)
            checks = [check(file, settings, today(settings), source) for source, file in made.files.items()]
    except (Untold, SettingsError) as error:
        _stop(str(error), 2)
    except UnexpectedError as error:
        _stop(str(error), 1)
    say(("bold", str(path)), ": written, and valid")
    for one in checks:
        print_check(one, settings)
    say(("bold", "\nLeft to decide"))
    for sentence in made.left:
        say(f"  - {sentence}")
    say(("bold", "\nNext"))
    for command in (f"check --settings {quote(str(path))} FILE…", f"run --settings {quote(str(path))}"):
        say(f"  kcc {command}")


def _settings(path: Path | None, quick: bool = False) -> Settings:
    try:
        return load_settings(path, quick)
    except SettingsError as error:
        _stop(str(error), 2)


@contextmanager
def _quiet_dagster() -> Iterator[None]:
    """The assets use Dagster's single-run backfills, which it marks as beta: nothing for who sits at a command line."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="dagster")
        yield


def _stop(sentence: str, status: int) -> NoReturn:
    say(("red", "kcc:"), f" {sentence}", err=True)
    raise typer.Exit(status)


def main() -> None:
    """The entry point of `kcc`."""
    try:
        app()
    except StoreTrouble as trouble:
        say(("red", "kcc:"), f" {trouble}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
