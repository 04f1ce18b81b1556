"""Finds export files and the moment at which each was made.

Belongs here: names and places of files. Does not belong here: anything inside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from pipelines.plain import printable
from pipelines.runbook import Heading, see
from pipelines.settings import Settings, Source


@dataclass(frozen=True)
class ExportFile:
    """One file in the exports folder.

    `name` is relative to that folder, with what can't be seen in it written out. `exported_at_utc` is when its source
    made it, and `day` that moment's date in the centre's zone; both are None where `problem` says in a sentence why
    the file can't be taken for an export. One that `leads_out` of the folder must not be opened.
    """

    source: Source
    path: Path
    name: str
    day: date | None
    exported_at_utc: datetime | None
    problem: str | None = None
    leads_out: bool = False


def today(settings: Settings) -> date:
    """The date now, in the centre's zone."""
    return datetime.now(ZoneInfo(settings.centre.time_zone)).date()


def export_files(settings: Settings, today: date) -> list[ExportFile]:
    """Every file that a declared source claims, in order of name. Two sources may not claim the same file."""
    found: dict[Path, ExportFile] = {}
    for source in settings.sources:
        for path in _claimed(source, settings):
            file = dated(path, name_of(path, settings), source, settings, today)
            if path in found:
                file = claimed_twice(found[path], source)
            found[path] = file
    return [found[path] for path in sorted(found)]


def no_exports_folder(settings: Settings) -> str:
    """What is said where the exports folder is not there."""
    folder = settings.folders.exports
    return f"{folder}: there is no such folder; set folders.exports or KCC_EXPORTS {see(Heading.NO_EXPORTS_FOLDER)}"


def names_in_exports(settings: Settings) -> set[str]:
    """The names of all files that lie in the exports folder and that a source claims."""
    return {name_of(path, settings) for source in settings.sources for path in _claimed(source, settings)}


def listing(settings: Settings) -> list[tuple[str, int, int]]:
    """Name, size and time of change of all that a night would look at in the exports folder, manifests too."""
    found = set()
    for source in settings.sources:
        for path in _claimed(source, settings):
            manifest = path.with_name(path.name + (source.manifest or ""))
            found |= {(name_of(one, settings), *stamp(one)) for one in (path, manifest)}
    return sorted(found)


def _claimed(source: Source, settings: Settings) -> list[Path]:
    """The files that a source claims. A folder, a pipe or a device is no file, whatever its name."""
    found = settings.folders.exports.glob(source.files)
    return sorted(path for path in found if not _is_manifest(path.name, source) and _is_file(path))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # nobody may look; reading it will say so
        return True


def is_in_exports(path: Path, settings: Settings) -> bool:
    """Whether a path lies below the exports folder, by its name."""
    return path.absolute().is_relative_to(settings.folders.exports.absolute())


def name_of(path: Path, settings: Settings) -> str:
    """The name of a file below the exports folder, or the last part of any other; what can't be seen written out."""
    return printable(_raw_name(path, settings))


def _raw_name(path: Path, settings: Settings) -> str:
    if is_in_exports(path, settings):
        return path.absolute().relative_to(settings.folders.exports.absolute()).as_posix()
    return path.name


def claimed_twice(file: ExportFile, other: Source) -> ExportFile:
    """The file with the problem that another source claims it as well."""
    problem = f"both '{file.source.name}' and '{other.name}' claim it; mend 'files' of one of them"
    return ExportFile(file.source, file.path, file.name, None, None, problem, file.leads_out)


def claims(source: Source, name: str) -> bool:
    """Whether a source claims a file of this name, below the exports folder."""
    return PurePosixPath("/", name).match("/" + source.files) and not _is_manifest(name, source)


def _is_manifest(name: str, source: Source) -> bool:
    return source.manifest is not None and name.endswith(source.manifest)


def stamp(path: Path) -> tuple[int, int]:
    """Size and time of change; that of nothing if nobody can tell: it went away, or may not be looked at."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def growing(file: ExportFile, now_ns: int) -> str | None:
    """Why a file can't be taken for complete, by what its source declares; its content may tell more."""
    if file.source.manifest is not None and not file.path.with_name(file.path.name + file.source.manifest).exists():
        return f"'{file.path.name}{file.source.manifest}' does not lie beside it yet, which says that it is complete"
    seconds = file.source.unchanged_seconds
    if abs(now_ns - stamp(file.path)[1]) < seconds * 1_000_000_000:
        return f"it changed less than {seconds} s ago, so it may still be written"
    return None


def dated(path: Path, name: str, source: Source, settings: Settings, today: date) -> ExportFile:
    """A file as an export of a source, with the moment at which it was made or the problem that it has none."""
    if _leads_out(path, settings):
        link = "a link that leads out of the exports folder is not followed; put the file itself there"
        return ExportFile(source, path, name, None, None, link, leads_out=True)
    if name != _raw_name(path, settings):
        unseen = "its name holds a control character, or bytes that are not UTF-8; rename it"
        return ExportFile(source, path, name, None, None, unseen)
    made, problem = _made_at(path.name, source)
    if made is not None and made.date() < settings.centre.start:
        problem = f"made on {made.date()}, before centre.start {settings.centre.start}"
    elif made is not None and made.date() > today:
        problem = f"made on {made.date()}, which is still to come: is the date in its name right?"
    if made is None or problem:
        return ExportFile(source, path, name, None, None, problem)
    exported_at = made.replace(tzinfo=ZoneInfo(settings.centre.time_zone)).astimezone(UTC)
    return ExportFile(source, path, name, made.date(), exported_at.replace(tzinfo=None))


def _leads_out(path: Path, settings: Settings) -> bool:
    """Whether a path in the exports folder is, by a link, a file elsewhere. The folder itself may be a link."""
    if not is_in_exports(path, settings):
        return False
    try:
        return not path.resolve().is_relative_to(settings.folders.exports.resolve())
    except (OSError, RuntimeError):  # a link that goes round in circles
        return True


def _made_at(file_name: str, source: Source) -> tuple[datetime | None, str | None]:
    """The moment, in the centre's civil time, or the reason why there is none."""
    rule = source.export
    if rule.at is not None:
        return rule.at, None
    match = re.search(rule.pattern or "", file_name)
    if match is None or match["stamp"] is None:
        return None, f"its name has no export date by the pattern {rule.pattern!r}"
    try:
        made = datetime.strptime(match["stamp"], rule.format or "")
    except ValueError:
        return None, f"the export date in its name is not in the format {rule.format!r}"
    return (datetime.combine(made.date(), rule.time) if rule.time is not None else made), None


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from first to last, both included."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)
