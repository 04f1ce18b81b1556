"""`kcc init`: from options, answers and one export of each kind to a settings file, and what is left to decide.

Belongs here: questions about the city, and what its settings file says. Does not belong here: questions about one
export (`source_draft`), how a question is put (`asking`), how the file is written (`settings_file`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import ValidationError

from pipelines.plain import printable
from pipelines.setting_up.asking import Conversation, Untold
from pipelines.setting_up.drafts import Draft, Told
from pipelines.setting_up.settings_file import rendered
from pipelines.setting_up.sniffing import is_number_or_address
from pipelines.setting_up.source_draft import draft_of, zone_name
from pipelines.setting_up.trying import Held, held
from pipelines.settings import WEEKDAYS, Calendar, Hours

SHORT_DAYS = {
    **dict(zip(("mo", "tu", "we", "th", "fr", "sa", "su"), WEEKDAYS, strict=True)),
    **dict(zip(("ma", "di", "wo", "do", "vr", "za", "zo"), WEEKDAYS, strict=True)),
}
"""Weekdays as --hours names them, in English and in Dutch."""
COUNTRIES = {"Europe/Brussels": "BE"}
"""The country whose holidays are suggested for a zone."""
DESK = {"calls": "telephone", "appointments": "desk"}
Week = dict[str, list[str]]


@dataclass(frozen=True)
class City:
    """What options told of the city; None or nothing where they did not."""

    name: str | None
    time_zone: str | None
    exports: Path | None
    data: Path | None
    hours: Sequence[str]
    desk_hours: Sequence[str]
    clusters: Sequence[str]


@dataclass(frozen=True)
class SetUp:
    """The text of the settings, the file of each source, and in sentences what is left to decide."""

    text: str
    files: dict[str, Path]
    left: list[str]


def set_up(path: Path, city: City, exports: Sequence[Told], talk: Conversation) -> SetUp:
    """Ask what was not told, and say what the settings at `path` are to be. Raises Untold or SettingsError."""
    name = talk.ask("The name of the contact centre", _some_text, "--name", city.name)
    default = "Europe/Brussels"
    zone = talk.ask(
        "The time zone of the city", zone_name, "--time-zone", city.time_zone or _unless_asked(talk, default), default
    )
    exports_folder = _folder("exports", city.exports, path, talk)
    data_folder = _folder("data", city.data, path, talk)
    drafts = [draft_of(told, zone, talk) for told in exports]
    holds = [held(draft.path, draft.declared, draft.exported, zone) for draft in drafts]
    hours = _hours(city, [DESK[draft.kind] for draft in drafts], talk)
    clusters = _clusters(city)
    first, last = _years(drafts, holds)
    services = _harmless(
        one.services for draft, one in zip(drafts, holds, strict=True) if "service" not in draft.personal
    )
    channels = _harmless(
        one.channels for draft, one in zip(drafts, holds, strict=True) if "booking_channel" not in draft.personal
    )
    mapped = {service for names in clusters.values() for service in names}
    unmapped = [service for service in services if service not in mapped]
    country = COUNTRIES.get(zone)
    for draft in drafts:
        draft.files = _below(draft, exports_folder)
        if not _is_below(draft.path, exports_folder):
            draft.left.append(
                f"When {draft.path.name} and its like are put into {exports_folder}, where a night looks."
            )
    _apart(drafts)
    text = rendered(
        {
            "name": name,
            "time_zone": zone,
            "start": min(date(draft.exported.year, 1, 1) for draft in drafts),
            "exports": _from(path, exports_folder),
            "data": _from(path, data_folder),
            "channels": channels,
            "sources": drafts,
            "hours": hours,
            "first_day": date(first, 1, 1),
            "country": country,
            "holidays": Calendar(country=country).holidays(first, last) if country else [],
            "clusters": clusters,
            "unmapped": unmapped,
        }
    )
    left = [sentence for draft in drafts for sentence in draft.left]
    left += _left(first, last, country, [draft.kind for draft in drafts], unmapped)
    left += [
        f"--cluster names the service '{name}', which is not in the file." for name in sorted(mapped - {*services})
    ]
    return SetUp(text, {draft.name: draft.path for draft in drafts}, left)


def exports_of(calls: Path | None, appointments: Path | None, talk: Conversation) -> dict[str, Path]:
    """The export of each kind, as told or asked. Raises Untold if there is none."""
    told = {"calls": calls, "appointments": appointments}
    if talk.is_there and not any(told.values()):
        for kind in told:
            told[kind] = talk.ask(f"An export of {kind} (a file; - for none)", _file, f"--{kind}", default="-")
    files = {kind: file for kind, path in told.items() if path is not None and (file := _file(str(path))) is not None}
    if not files:
        raise Untold("no export to look at: name one with --calls FILE or --appointments FILE, or one of each")
    return files


def _file(text: str) -> Path | None:
    path = Path(text).expanduser()
    if text != "-" and not path.is_file():
        raise Untold(f"{text}: {'a folder, name a file in it' if path.is_dir() else 'there is no such file'}")
    return None if text == "-" else path


def _left(first: int, last: int, country: str | None, kinds: list[str], unmapped: list[str]) -> Iterator[str]:
    years = f"{first}" if first == last else f"{first} to {last}"
    listed = f": the public holidays of {country} stand there as comments" if country else ""
    yield f"The closures and holidays of {years} (`closures`{listed})."
    yield f"Whether the opening hours held on all days since {first}-01-01 (`[[hours]]`)."
    yield "The norms of your action plan (`norms`): the file shows another city's as an example."
    if "calls" in kinds:
        yield "Below how many seconds a hang-up is a short abandon (`short_abandon_seconds`, 5)."
    if "appointments" in kinds:
        yield "Which booking channels are the desk (`desk_channels`)."
        yield "Whether a half day counts as a working day (`half_days_are_working_days`)."
        if unmapped:
            yield f"To which clusters {len(unmapped)} services belong (`[[clusters]]`); they stand there as comments."


def _unless_asked(talk: Conversation, default: str) -> str | None:
    """What is taken where nobody can be asked."""
    return None if talk.is_there else default


def _some_text(text: str) -> str:
    if not text.strip():
        raise Untold("expected some text")
    return text.strip()


# ── Where files lie ───────────────────────────────────────────────────────────────────────────────


def _folder(what: str, told: Path | None, path: Path, talk: Conversation) -> Path:
    """The folder of exports or data, unless told beside the settings."""
    beside = str(path.parent / what)
    text = str(told) if told is not None else _unless_asked(talk, beside)
    return Path(talk.ask(f"The folder of {what}", _some_text, f"--{what}", text, beside))


def _from(path: Path, folder: Path) -> str:
    """A folder as the settings name it: from where they lie, if it is below."""
    base, absolute = path.absolute().parent, folder.absolute()
    return absolute.relative_to(base).as_posix() if absolute.is_relative_to(base) else str(absolute)


def _below(draft: Draft, exports: Path) -> str:
    """The pattern of the files, in the folder in which this one lies if that is one of the exports."""
    if not _is_below(draft.path, exports):
        return draft.files
    folder = draft.path.absolute().parent
    parts = [re.sub(r"[*?\[]", r"[\g<0>]", part) for part in folder.relative_to(exports.absolute()).parts]
    return "/".join([*parts, draft.files])


def _is_below(path: Path, folder: Path) -> bool:
    return path.absolute().is_relative_to(folder.absolute())


def _apart(drafts: list[Draft]) -> None:
    """Refuse patterns of which one claims the file of the other too."""
    for draft in drafts:
        folder, _, pattern = draft.files.rpartition("/")
        for other in drafts:
            shares_folder = other is not draft and other.files.rpartition("/")[0] == folder
            if shares_folder and fnmatchcase(other.path.name, pattern):
                raise Untold(
                    f"{printable(other.path.name)} is called like exports of {draft.kind} ({printable(draft.files)}): "
                    "give them names of their own, or folders of their own below the exports folder"
                )


# ── Opening hours, clusters, years ────────────────────────────────────────────────────────────────


def _hours(city: City, points: list[str], talk: Conversation) -> dict[str, Week]:
    told = {"telephone": city.hours, "desk": city.desk_hours or city.hours}
    example = "mo-fr 09:00-12:00,13:00-16:00"
    answer: dict[str, Week] = {}
    for point in dict.fromkeys(points):
        option = "--desk-hours" if point == "desk" and city.hours == () and "telephone" in points else "--hours"
        previous = next((" ; ".join(_specs(week)) for week in answer.values()), None)
        answer[point] = talk.ask(
            f"When the {point} is open (such as {example}; several with a ; between)",
            week_of,
            f"{option} '{example}'",
            ";".join(told[point]) if told[point] else None,
            previous,
        )
    return answer


def _specs(week: Week) -> Iterator[str]:
    short = {long: name for name, long in reversed(SHORT_DAYS.items())}
    for day, intervals in week.items():
        yield f"{short[day]} {','.join(intervals)}"


def week_of(text: str) -> Week:
    """'mo-fr 09:00-12:00,13:00-16:00; sa 09:00-12:00' as a week of the settings. Raises Untold."""
    week: Week = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        days, _, intervals = part.partition(" ")
        if not intervals.strip():
            raise Untold(f"'{part}': expected weekdays and hours, such as mo-fr 09:00-12:00,13:00-16:00")
        for day in _days(days.lower()):
            if day in week:
                raise Untold(f"'{part}': {day} has hours already; part the hours of one day with a comma")
            week[day] = [interval.strip() for interval in intervals.split(",")]
    if not week:
        raise Untold("expected weekdays and hours, such as mo-fr 09:00-12:00,13:00-16:00")
    week = {day: week[day] for day in WEEKDAYS if day in week}
    try:
        Hours.model_validate({"service_point": "desk", "valid_from": date(2000, 1, 1), **week})
    except ValidationError as error:
        raise Untold(f"'{text}': {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    return week


def _days(text: str) -> Iterator[str]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        for name in (first, last or first):
            if name not in SHORT_DAYS:
                raise Untold(f"'{name}' is no weekday: {' '.join(SHORT_DAYS)}")
        begin, end = (WEEKDAYS.index(SHORT_DAYS[name]) for name in (first, last or first))
        if end < begin:
            raise Untold(f"'{part}': a week begins on Monday, so name the days before and after it apart")
        yield from WEEKDAYS[begin : end + 1]


def _clusters(city: City) -> dict[str, list[str]]:
    clusters: dict[str, list[str]] = {}
    for text in city.clusters:
        cluster, _, services = text.partition("=")
        names = [name.strip() for name in services.split(",") if name.strip()]
        if not cluster.strip() or not names:
            raise Untold(
                f"--cluster '{text}': expected a cluster and its services, such as 'Wonen=Huursubsidie,Premies'"
            )
        for name in names:
            for other, known in clusters.items():
                if name in known:
                    raise Untold(f"--cluster '{text}': the service '{name}' belongs to '{other}' already")
        clusters.setdefault(cluster.strip(), []).extend(dict.fromkeys(names))
    return clusters


def _years(drafts: list[Draft], holds: list[Held]) -> tuple[int, int]:
    """The years of the records, else that of the export."""
    days = [day for one in holds for day in one.days or ()]
    years = [day.year for day in days] or [draft.exported.year for draft in drafts]
    return min(years), max(years)


def _harmless(counts: Iterator[Counter[str]]) -> list[str]:
    """Services or channels, the frequent ones first, without what looks like the number or address of a person."""
    names = dict.fromkeys(name for count in counts for name, _ in count.most_common())
    return [name for name in names if not is_number_or_address(name)]
