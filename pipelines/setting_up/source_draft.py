"""Finds out, with the person who sets up, how one export file is to be declared as a source.

The file is looked at, what it shows is proposed, and what it can't show is asked: the zone of its clock times, the
order of days and months, what its words mean. Belongs here: questions about one export as a whole. Does not belong
here: its columns and words (`mapping`), the city (`city`), how the settings are written (`settings_file`).
"""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from assets.adapters.formats import FORMATS
from assets.adapters.vendor import Format
from assets.dry_run import recognised_by_content
from assets.reading import FileDeferred, FileRefused
from pipelines.instants import UNIX, read_format
from pipelines.plain import printable
from pipelines.setting_up.asking import Conversation, Untold, one_of
from pipelines.setting_up.drafts import Draft, Told
from pipelines.setting_up.mapping import TABLES, Columns, told_words
from pipelines.setting_up.stamps import Stamp, files_like, stamps_in

BY_HAND = "none"
"""The format of a file that has no known one."""


def draft_of(told: Told, centre_zone: str, talk: Conversation) -> Draft:
    """Find out how a file is to be declared. Raises Untold."""
    try:
        return _draft(told, centre_zone, talk)
    except (FileRefused, FileDeferred) as reason:
        raise Untold(f"{told.path.name}: {reason}") from None


def _draft(told: Told, centre_zone: str, talk: Conversation) -> Draft:
    draft = _dated(told, talk)
    known = _format(told, talk)
    if known is not None:
        draft.format = known.name
        draft.left += [f"{known.name} can't tell: {sentence}" for sentence in known.cannot_tell]
        draft.words = {TABLES[what]: words for what, words in told_words(told).items() if words}
        if told.columns:
            raise Untold(f"--column is for a file of no known format; with --{told.kind}-format {BY_HAND} it is one")
        if told.zone is not None or "time_zone" not in known.preset:
            draft.zone = _zone(told, centre_zone, talk)
        return draft
    Columns(told, draft, talk).find_out()
    moments = [value["format"] for value in draft.columns.values() if isinstance(value, dict) and "format" in value]
    if told.zone is None and all(format_ in UNIX or read_format(format_, True).has_offset for format_ in moments):
        draft.zone = "Etc/UTC"
    else:
        draft.zone = _zone(told, centre_zone, talk)
    return draft


# ── The name of the file ──────────────────────────────────────────────────────────────────────────


def _dated(told: Told, talk: Conversation) -> Draft:
    """By its name: how its neighbours are called, and when each of them was made."""
    name, shown = told.path.name, printable(told.path.name)
    if shown != name:
        raise Untold(f"{shown}: its name holds a control character, or bytes that are not UTF-8; rename it")
    stamps = [] if told.exported_at is not None else stamps_in(name)
    if not stamps:
        at = talk.ask(
            f"{shown} has no date in its name; when it was made (such as 2025-03-10T20:00)",
            moment,
            "--exported-at 2025-03-10T20:00",
            told.exported_at,
        )
        left = (
            f"How the exports to come are called: {shown} is declared as the only one, made at {at:%Y-%m-%d %H:%M}. "
            "Give them a date in their names, and in `export` a `pattern` instead of `at`."
        )
        return Draft(told.kind, told.path, files_like(name, []), {"at": at}, at, left=[left])
    stamp, is_last = _stamp(stamps, told, talk)
    format_ = _order(shown, stamp, told, talk)
    export = {"pattern": stamp.pattern(is_last and len(stamps) > 1), "format": format_}
    draft = Draft(told.kind, told.path, files_like(name, stamps), export, stamp.read(format_))
    if stamp.has_time:
        return draft
    default = None if talk.is_there else "00:00"
    at_time = talk.ask(
        f"At what time of the day are exports such as {shown} made (HH:MM)",
        _clock,
        "--export-time 20:00",
        told.export_time or default,
        "00:00",
    )
    export["time"] = at_time
    if told.export_time is None and default is not None:
        draft.export_note = "yours to decide: the time of day at which exports are made"
        draft.left.append(
            f"At what time of the day exports such as {shown} are made: until you say it (`time` in `export`) none "
            "counts for its own day."
        )
    return draft


def _stamp(stamps: list[Stamp], told: Told, talk: Conversation) -> tuple[Stamp, bool]:
    if len(stamps) == 1:
        return stamps[0], False
    texts = " and ".join(stamp.name[stamp.start : stamp.end] for stamp in (stamps[0], stamps[-1]))
    which = talk.ask(
        f"Which date in the name {stamps[0].name} says when it was made, the first or the last ({texts})",
        one_of(["first", "last"]),
        "--stamp first or --stamp last",
        told.stamp if told.stamp in ("first", "last") else None,
    )
    return (stamps[-1], True) if which == "last" else (stamps[0], False)


def _order(shown: str, stamp: Stamp, told: Told, talk: Conversation) -> str:
    if len(stamp.formats) == 1:
        return stamp.formats[0]
    return talk.ask(
        f"In which order the date in the name {shown} has day and month ({' or '.join(stamp.formats)})",
        one_of(stamp.formats),
        f"--stamp '{stamp.formats[0]}' or --stamp '{stamp.formats[1]}'",
        told.stamp if told.stamp not in ("first", "last") else None,
    )


def moment(text: str) -> datetime:
    """A civil moment such as 2025-03-10T20:00. Raises Untold."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None or len(text) < len("2025-03-10T20:00"):
        raise Untold(f"'{text}' is no moment such as 2025-03-10T20:00")
    return at


def _clock(text: str) -> str:
    try:
        return f"{time.fromisoformat(text):%H:%M}"
    except ValueError:
        raise Untold(f"'{text}' is no time of day such as 20:00") from None


def zone_name(text: str) -> str:
    """A zone that exists. Raises Untold."""
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise Untold(f"'{text}' is no IANA time zone such as Europe/Brussels") from None
    return text


def _zone(told: Told, centre_zone: str, talk: Conversation) -> str:
    return talk.ask(
        f"The zone of the clock times in {printable(told.path.name)}, which no file tells,",
        zone_name,
        f"--{told.kind}-zone {centre_zone}",
        told.zone,
        centre_zone,
    )


# ── The vendor's format ───────────────────────────────────────────────────────────────────────────


def _format(told: Told, talk: Conversation) -> Format | None:
    """The vendor's format, as told or as recognised and confirmed; None for a file of no known format."""
    option = f"--{told.kind}-format"
    names = [name for name, known in FORMATS.items() if known.kind == told.kind]
    if told.format is not None:
        name = one_of([*names, BY_HAND])(told.format)
        return FORMATS.get(name)
    found = recognised_by_content(told.path)
    if found is None or found.known.kind != told.kind:
        return None
    known, sentence, is_sure = found
    talk.say(f"{told.path.name}: {sentence}")
    if (told.takes_proposals and is_sure) or talk.agree(f"Is it an export of {known.title}?"):
        return known
    if talk.is_there:
        return None
    raise Untold(f"{told.path.name}: {sentence}; confirm it with {option} {known.name}, else say {option} {BY_HAND}")
