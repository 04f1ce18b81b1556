"""A good export and what can happen to it on its way: every known fault, with how it must end.

    python -m tests.faulty_files FOLDER     writes all of them there, to look at or to try elsewhere

A faulty file is refused, deferred, or read so exactly that every record is the good file's or in quarantine. What
can't be noticed, by nobody who has only the file, stands here too and says why. All data are synthetic.
"""

from __future__ import annotations

import gzip
import io
import re
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.city import APPOINTMENTS, CALLS, INSTANT

# ── How a file may end ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Refused:
    """The whole file stays out; its reason holds these words."""

    reason: str


@dataclass(frozen=True)
class Deferred:
    """The file waits for a later run; its reason holds these words."""

    reason: str


@dataclass(frozen=True)
class Exact:
    """All records are the good file's, but for those in quarantine (`lost` of them the good file's) and copies."""

    quarantined: int = 0
    lost: int = 0
    duplicates: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Unnoticed:
    """Loaded with other records than the good file's, and nobody who has only the file could tell: why."""

    why: str


End = Refused | Deferred | Exact | Unnoticed

# ── The good exports ──────────────────────────────────────────────────────────────────────────────

CALL_COLUMNS = "id;queue;direction;outcome;arrived;queued;answered;ended;wait;queue_wait;caller;note"
QUEUES = ("Algemeen", "Balie één", "Burgerzaken", "Privé dossiers")
DAY_FIRST = "%d/%m/%Y %H:%M:%S"


def _call(number: int, arrived: datetime, written: str) -> str:
    wait = 1000 + number if number % 60 == 59 else 5 + number % 50
    is_answered = number % 4 != 3
    stopped = arrived + timedelta(seconds=wait)
    ended = stopped + timedelta(seconds=90 if is_answered else 0)
    note = {50: '"belt terug;\nzegt ""dringend"""', 120: "wacht ’s morgens"}.get(number, "")
    return ";".join(
        [
            f"{47_110_000_000_000_123 + 7 * number}",
            QUEUES[number % 4],
            "out" if number % 20 == 19 else "in",
            "answered" if is_answered else "missed",
            arrived.strftime(written),
            (arrived + timedelta(seconds=3)).strftime(written),
            stopped.strftime(written) if is_answered else "",
            ended.strftime(written),
            str(wait),
            str(wait - 3),
            f"0470{number:06d}",
            note,
        ]
    )


def _calls(days: list[datetime], written: str) -> str:
    arrivals = [day + timedelta(hours=9, minutes=2 * n, seconds=n) for day in days for n in range(200 // len(days))]
    return "\n".join([CALL_COLUMNS, *(_call(n, arrived, written) for n, arrived in enumerate(arrivals))]) + "\n"


def _appointments() -> str:
    lines = ["id;service;channel;status;booked;planned;checked_in;started;ended;visitor"]
    for n in range(200):
        planned = datetime(2025, 3, 3 + n % 25, 9) + timedelta(minutes=15 * (n // 25))
        checked_in = planned + timedelta(minutes=n % 7 - 5, seconds=n % 50)
        moments = [
            planned - timedelta(days=4, minutes=n),
            planned,
            checked_in,
            checked_in + timedelta(minutes=3),
            checked_in + timedelta(minutes=13),
        ]
        written = ";".join(moment.strftime(INSTANT) for moment in moments)
        lines.append(f"a{n:04d};première aanvraag;web;done;{written};bezoeker {n}")
    return "\n".join(lines) + "\n"


def _moments(written: str) -> dict[str, Any]:
    columns = {"arrived_at": "arrived", "queue_entered_at": "queued", "answered_at": "answered", "ended_at": "ended"}
    return {key: {"column": column, "format": written} for key, column in columns.items()}


PHONE: dict[str, Any] = {
    **CALLS,
    "files": "calls_*",
    "columns": {**CALLS["columns"], "queue_wait_seconds": {"column": "queue_wait"}},
}
WITHOUT_IDS = {key: value for key, value in PHONE["columns"].items() if key != "call_id"}
ONE_BYTE = {"delimiter": ";", "encoding": "cp1252"}
MARCH = [datetime(2025, 3, day) for day in (3, 10, 17, 24, 31)]
DECEMBER = [datetime(2025, 12, day) for day in (1, 2, 3, 4, 5)]


@dataclass(frozen=True)
class Log:
    """A declared source, a good export of it, the day on which that was made."""

    source: dict[str, Any]
    good: bytes
    made_on: str


CALL_LOG = Log(PHONE, _calls(MARCH, INSTANT).encode(), "2025-03-31")
DAY_FIRST_LOG = Log(
    {**PHONE, "columns": {**PHONE["columns"], **_moments(DAY_FIRST)}},
    _calls(DECEMBER, DAY_FIRST).encode(),
    "2025-12-05",
)
LOG_WITHOUT_IDS = Log(
    {**PHONE, "columns": WITHOUT_IDS, "replaces_dates": True}, _calls(MARCH, INSTANT).encode(), "2025-03-31"
)
ONE_BYTE_LOG = Log({**PHONE, "text": ONE_BYTE}, _calls(MARCH, INSTANT).encode("cp1252"), "2025-03-31")
APPOINTMENT_LOG = Log({**APPOINTMENTS, "files": "appointments_*"}, _appointments().encode(), "2025-03-31")

# ── What happens to them ──────────────────────────────────────────────────────────────────────────

Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Fault:
    """One fault: what it makes of the good export, and how that must end."""

    name: str
    change: Change
    expected: End
    log: Log = CALL_LOG
    suffix: str = ".csv"

    @property
    def content(self) -> bytes:
        """The faulty file."""
        return self.change(self.log.good)

    @property
    def file_name(self) -> str:
        """The name under which its source delivers it."""
        return self.log.source["files"].replace("*", self.log.made_on) + self.suffix


def text(change: Callable[[str], str]) -> Change:
    """A change of the decoded text."""
    return lambda good: change(good.decode()).encode()


def lines(change: Callable[[list[str]], list[str]]) -> Change:
    """A change of the lines, header first, without their ends."""
    return text(lambda good: "\n".join(change(good.removesuffix("\n").split("\n"))) + "\n")


def insert(number: int, *added: str) -> Change:
    """Lines added before the line of that number, counted from 1; a negative one counts from the end."""
    return lines(lambda all_: [*all_[: number - 1], *added, *all_[number - 1 :]] if number > 0 else [*all_, *added])


def table(change: Callable[[list[str], list[list[str]]], None]) -> Change:
    """A change, in place, of the header and of the records that stand on one line."""

    def changed(all_: list[str]) -> list[str]:
        header, rows = all_[0].split(";"), [line.split(";") for line in all_[1:]]
        change(header, [row for row in rows if len(row) == len(header)])
        return [";".join(row) for row in [header, *rows]]

    return lines(changed)


def column(name: str, change: Callable[[str], str], most: int | None = None) -> Change:
    """A change of the values of one column, in the first `most` records that have one."""

    def changed(header: list[str], rows: list[list[str]]) -> None:
        place = header.index(name)
        for row in [row for row in rows if row[place]][:most]:
            row[place] = change(row[place])

    return table(changed)


def columns(names: tuple[str, ...], change: Callable[[str], str]) -> Change:
    """The same change of the values of several columns."""

    def changed(good: bytes) -> bytes:
        for name in names:
            good = column(name, change)(good)
        return good

    return changed


def exchange(one: str, other: str) -> Change:
    """The values of two columns, exchanged under a header that did not change."""

    def changed(header: list[str], rows: list[list[str]]) -> None:
        first, second = header.index(one), header.index(other)
        for row in rows:
            if row[first] and row[second]:
                row[first], row[second] = row[second], row[first]

    return table(changed)


def header(change: Callable[[str], str]) -> Change:
    """A change of the header line alone."""
    return lines(lambda all_: [change(all_[0]), *all_[1:]])


def cut(mark: str, more: int = 0) -> Change:
    """Nothing after the first occurrence of a mark, and so many bytes more."""
    return lambda good: good[: good.index(mark.encode()) + more]


def whole(content: bytes) -> Change:
    """Something else under its name."""
    return lambda good: content


def pack(change: Change = lambda packed: packed) -> Change:
    """The good file as gzip, and then changed."""
    return lambda good: change(gzip.compress(good, mtime=0))


def _reordered(good: str) -> str:
    """Every column in reverse; the record of two lines is put on one, its note is not declared."""
    one_line = good.replace('"belt terug;\nzegt ""dringend"""', "")
    return "\n".join(";".join(reversed(line.split(";"))) for line in one_line.split("\n"))


def _rewritten(written: str, as_: str) -> Callable[[str], str]:
    return lambda value: datetime.strptime(value, written).strftime(as_)


def _serial(value: str) -> str:
    return f"{(datetime.strptime(value, INSTANT) - datetime(1899, 12, 30)) / timedelta(days=1):.5f}"


def _earlier(value: str) -> str:
    return (datetime.strptime(value, INSTANT) - timedelta(hours=1)).strftime(INSTANT)


def _half(change: Callable[[str], str]) -> Callable[[str], str]:
    """Changes every second value."""
    seen: list[str] = []

    def changed(value: str) -> str:
        seen.append(value)
        return change(value) if len(seen) % 2 else value

    return changed


def _zip(name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), CALL_LOG.good)
    return packed.getvalue()


def _quoted(good: str) -> str:
    rows = good.replace('"belt terug;\nzegt ""dringend"""', "note").removesuffix("\n").split("\n")
    return "\n".join(";".join(f'"{field}"' for field in row.split(";")) for row in rows) + "\n"


MOMENTS = ("arrived", "queued", "answered", "ended")
AMERICAN = _rewritten(DAY_FIRST, "%m/%d/%Y %H:%M:%S")
NO_LINE_END = "has no line end"
NO_COLUMN = "is not in the header"
TOO_MANY = "can't be read, more than the 2"
WRITTEN_ELSEWHERE = "it is a sound file of fewer records, and nothing in it says how many there should be"
ANOTHER_VALUE = "one valid value became another"

# ── The table ─────────────────────────────────────────────────────────────────────────────────────

FAULTS = [
    # cut
    Fault("cut within the header", cut("direction", 4), Deferred(NO_LINE_END)),
    Fault("cut within a field", cut("Burgerzaken", 5), Deferred(NO_LINE_END)),
    Fault("cut between two fields", cut("Burgerzaken;", 12), Deferred(NO_LINE_END)),
    Fault("cut before the last line end", lambda good: good[:-1], Deferred(NO_LINE_END)),
    Fault("cut within a quoted field", cut("belt terug", 4), Deferred(NO_LINE_END)),
    Fault("cut within a quoted field, after a line end in it", cut("zegt"), Refused("unexpected end of data")),
    Fault("cut within a letter of two bytes", cut("één", 1), Deferred("breaks off within a character")),
    Fault("cut after a line end", cut("47110000000000823"), Unnoticed(WRITTEN_ELSEWHERE)),
    Fault("cut after the header", cut("4711"), Unnoticed("an export of a quiet day is the same: no record vouches for it")),
    Fault("nothing at all", whole(b""), Deferred("the file is empty")),
    Fault("nothing but a byte order mark", whole(b"\xef\xbb\xbf"), Deferred(NO_LINE_END)),
    Fault("nothing but a line end", whole(b"\n"), Refused(NO_COLUMN)),
    # gzip
    Fault("gzip cut in the middle", pack(lambda packed: packed[:1000]), Deferred("breaks off"), suffix=".csv.gz"),
    Fault("gzip cut before its check sum", pack(lambda packed: packed[:-8]), Deferred("breaks off"), suffix=".csv.gz"),
    Fault("gzip cut in its own header", pack(lambda packed: packed[:6]), Deferred("breaks off"), suffix=".csv.gz"),
    Fault(
        "gzip with a wrong check sum",
        pack(lambda packed: packed[:-8] + bytes(4) + packed[-4:]),
        Refused("not sound gzip"),
        suffix=".csv.gz",
    ),
    Fault("gzip with a wrong length", pack(lambda packed: packed[:-4] + b"\1\0\0\0"), Refused("not sound gzip"), suffix=".csv.gz"),
    Fault("gzip with a bit flipped", pack(lambda p: p[:900] + bytes([p[900] ^ 8]) + p[901:]), Refused("gzip"), suffix=".csv.gz"),
    Fault("gzip with something after it", pack(lambda packed: packed + b"end"), Refused("not sound gzip"), suffix=".csv.gz"),
    Fault("gzip padded with zeros", pack(lambda packed: packed + bytes(512)), Exact(), suffix=".csv.gz"),
    Fault("gzip of two members", lambda good: gzip.compress(good[:999]) + gzip.compress(good[999:]), Exact(), suffix=".csv.gz"),
    Fault(
        "gzip of two members, the second cut",
        lambda good: gzip.compress(good[:999]) + gzip.compress(good[999:])[:-9],
        Deferred("breaks off"),
        suffix=".csv.gz",
    ),
    Fault("text named gzip", lambda good: good, Refused("not sound gzip"), suffix=".csv.gz"),
    Fault("gzip named text", pack(), Refused("line 1")),
    # quotes
    Fault("a quote that never closes", text(lambda good: good.replace("0470000060;", '0470000060;"')), Refused("line 63: a quote opens and does not close within 50")),
    Fault("a quote that never closes, near the end", text(lambda good: good.replace("0470000190;", '0470000190;"')), Refused("unexpected end of data (its quote opens on line 193)")),
    Fault(
        "two stray quotes in neighbours",
        text(lambda good: good.replace("0470000010;", '0470000010;"').replace("0470000011;", '0470000011;"')),
        Refused("looks like a record of its own"),
    ),
    Fault(
        "two stray quotes thirty lines apart",
        text(lambda good: good.replace("0470000010;", '0470000010;"').replace("0470000040;", '0470000040;"')),
        Refused("looks like a record of its own"),
    ),
    Fault(
        "two stray quotes a hundred lines apart",
        text(lambda good: good.replace("0470000060;", '0470000060;"').replace("0470000160;", '0470000160;"')),
        Refused("does not close within 50"),
    ),
    Fault(
        "two stray quotes that swallow a delimiter",
        text(lambda good: good.replace("0470000010;", '"0470000010;"')),
        Exact(quarantined=1, lost=1, reason="11 fields, where the header has 12"),
    ),
    Fault("a quote within a bare field", text(lambda good: good.replace("0470000010;", '0470000010;55" tv')), Exact()),
    Fault("a quote that closes and goes on", text(lambda good: good.replace("0470000010;", '0470000010;"a"b')), Refused("line 12")),
    Fault("doubled quotes that do not close", text(lambda good: good.replace("0470000010;", '0470000010;"""')), Refused("its quote opens on line 12")),
    Fault("every field quoted", text(_quoted), Exact()),
    Fault("every field in single quotes", text(lambda good: _quoted(good).replace('"', "'")), Refused(NO_COLUMN)),
    # letters
    Fault("cp1252 where UTF-8 is declared", lambda good: good.decode().encode("cp1252"), Refused("not utf-8 text")),
    Fault(
        "one line of cp1252 among UTF-8",
        lambda good: good.replace("één".encode(), "één".encode("cp1252"), 1),
        Refused("line 3: not utf-8 text"),
    ),
    Fault("UTF-16 with its mark", lambda good: good.decode().encode("utf-16"), Refused("line 1: not utf-8 text")),
    Fault("UTF-16 without its mark", lambda good: good.decode().encode("utf-16-le"), Refused("line 1: holds a NUL")),
    Fault("UTF-8 with its mark", lambda good: b"\xef\xbb\xbf" + good, Exact()),
    Fault("UTF-8 with its mark twice", lambda good: b"\xef\xbb\xbf" * 2 + good, Refused(NO_COLUMN)),
    Fault("all letters garbled", lambda good: good.decode("cp1252").encode(), Refused(TOO_MANY)),
    Fault(
        "letters of one record garbled",
        text(lambda good: good.replace("één", "Ã©Ã©n", 1)),
        Exact(quarantined=1, lost=1, reason="letters garbled"),
    ),
    Fault(
        "a letter that could not be decoded",
        text(lambda good: good.replace("één", "\ufffdén", 1)),
        Exact(quarantined=1, lost=1, reason="letters garbled"),
    ),
    Fault("UTF-8 where cp1252 is declared", lambda good: good.decode("cp1252").encode(), Refused(TOO_MANY), ONE_BYTE_LOG),
    Fault("accents written apart, as a Mac does", text(lambda good: unicodedata.normalize("NFD", good)), Exact()),
    Fault("hard blanks within names", text(lambda good: good.replace("Balie één", "Balie\u00a0één")), Exact()),
    Fault(
        "another one-byte encoding",
        lambda good: good.decode("cp1252").replace("’", "'").encode("cp850"),
        Unnoticed("every byte is a letter in every one-byte encoding"),
        ONE_BYTE_LOG,
    ),
    Fault("accents lost", text(lambda good: good.replace("één", "een")), Unnoticed(ANOTHER_VALUE)),
    # columns
    Fault("columns in another order", text(_reordered), Exact()),
    Fault("a column more", lines(lambda all_: [all_[0] + ";agent", *(f"{line};x" if "belt" not in line else line for line in all_[1:])]), Exact()),
    Fault("a column less", table(lambda head, rows: [row.pop(3) for row in [head, *rows]] and None), Refused(NO_COLUMN)),
    Fault("a column renamed", header(lambda head: head.replace("arrived", "arrival")), Refused("'arrived' is not in")),
    Fault("a column twice", header(lambda head: head.replace("caller", "wait")), Refused("'wait' stands 2 times")),
    Fault("a header in capitals", header(str.upper), Refused(NO_COLUMN)),
    Fault("a header with blanks", header(lambda head: head.replace(";", " ; ")), Refused(NO_COLUMN)),
    Fault("no header", lines(lambda all_: all_[1:]), Refused(NO_COLUMN)),
    Fault("answered and ended exchanged", exchange("answered", "ended"), Refused("were the columns exchanged")),
    Fault("arrived and ended exchanged", exchange("arrived", "ended"), Refused("were the columns exchanged")),
    Fault("arrived and queued exchanged", exchange("arrived", "queued"), Refused("were the columns exchanged")),
    Fault("queued and answered exchanged", exchange("queued", "answered"), Refused("were the columns exchanged")),
    Fault("the two waits exchanged", exchange("wait", "queue_wait"), Refused("were the columns exchanged")),
    Fault("queue and caller exchanged", exchange("queue", "caller"), Refused("has 200 different values")),
    Fault("queue and direction exchanged", exchange("queue", "direction"), Refused(TOO_MANY)),
    Fault("commas as delimiters", text(lambda good: good.replace(";", ",")), Refused(NO_COLUMN)),
    Fault("tabs as delimiters", text(lambda good: good.replace(";", "\t")), Refused(NO_COLUMN)),
    Fault("commas as delimiters after the header", lines(lambda all_: [all_[0], *(line.replace(";", ",") for line in all_[1:])]), Refused(TOO_MANY)),
    Fault("a delimiter at the end of every record", lines(lambda all_: [all_[0], *(f"{line};" for line in all_[1:])]), Refused(TOO_MANY)),
    Fault(
        "a bare delimiter within a note",
        text(lambda good: good.replace("0470000010;", "0470000010;fiets; rood")),
        Exact(quarantined=1, lost=1, reason="13 fields, where the header has 12"),
    ),
    # lines
    Fault("a footer", insert(-1, "Totaal: 200"), Exact(quarantined=1, reason="1 fields")),
    Fault("a footer as wide as the table", insert(-1, "Totaal: 200" + ";" * 11), Exact(quarantined=1)),
    Fault("a title above the header", insert(1, "Oproepen maart 2025"), Refused(NO_COLUMN)),
    Fault("a line for Excel above the header", insert(1, "sep=;"), Refused(NO_COLUMN)),
    Fault("a blank line", insert(20, ""), Exact(quarantined=1, reason="an empty line")),
    Fault("blank lines at the end", insert(-1, "", "", ""), Exact(quarantined=3, reason="an empty line")),
    Fault("a line of delimiters", insert(20, ";" * 11), Exact(quarantined=1)),
    Fault("the header again in the middle", insert(100, CALL_COLUMNS), Exact(quarantined=1)),
    Fault("a record twice", insert(-1, CALL_LOG.good.decode().split("\n")[1]), Exact(duplicates=1)),
    Fault("records in another order", lines(lambda all_: [all_[0], *sorted(all_[1:51]), *all_[53:], *all_[51:53]]), Exact()),
    Fault("the whole file twice", lambda good: good * 2, Exact(quarantined=1, duplicates=200)),
    Fault("all records twice", lambda good: good + good.partition(b"\n")[2], Exact(duplicates=200)),
    Fault("the whole file twice, without ids", lambda good: good * 2, Refused("more than once"), LOG_WITHOUT_IDS),
    Fault("CRLF line ends", text(lambda good: good.replace("\n", "\r\n")), Exact()),
    Fault("mixed line ends", text(lambda good: good.replace("\n", "\r\n", 90)), Exact()),
    Fault("CR line ends", text(lambda good: good.replace("\n", "\r")), Refused("CR alone")),
    Fault("CR line ends among LF", text(lambda good: good.replace("\n4711", "\r4711", 3)), Refused("line 1")),
    Fault("a NUL", text(lambda good: good.replace("Burgerzaken", "Burger\0zaken", 1)), Refused("line 4: holds a NUL")),
    Fault("a block of NULs at the end, as after a power cut", lambda good: good[:-500] + bytes(500), Refused("holds a NUL")),
    Fault("an end-of-file sign of DOS", lambda good: good + b"\x1a", Deferred(NO_LINE_END)),
    Fault("a line end within a quoted note", text(lambda good: good.replace("0470000010;", '0470000010;"rode\nfiets"')), Exact()),
    Fault(
        "a line end within a bare note",
        text(lambda good: good.replace("0470000010;", "0470000010;rode\nfiets")),
        Exact(quarantined=1, reason="1 fields"),
    ),
    Fault("other line separators of Unicode within a note", text(lambda good: good.replace("0470000010;", "0470000010;a\u2028b\x85c\x0cd")), Exact()),
    Fault("a very long line", text(lambda good: good.replace("0470000010;", "0470000010;" + "x" * 2_000_000)), Refused("line 12: longer than")),
    Fault("a very long field", text(lambda good: good.replace("0470000010;", "0470000010;" + "x" * 500_000)), Refused("line 12: field larger")),
    Fault("a page of HTML", whole(b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n"), Refused(NO_COLUMN)),
    Fault("a message in JSON", whole(b'{"error": "unauthorized"}'), Deferred(NO_LINE_END)),
    Fault("a zip named text", whole(_zip("calls.csv")), Refused("line 1")),
    Fault("a workbook named text", whole(_zip("xl/worksheets/sheet1.xml")), Refused("line 1")),
    Fault("a zip named gzip", whole(_zip("calls.csv")), Refused("not sound gzip"), suffix=".csv.gz"),
    # moments
    Fault("days and months in the other order", columns(MOMENTS, AMERICAN), Refused("which order is it"), DAY_FIRST_LOG),
    Fault("half of the records in the other order", columns(MOMENTS, _half(AMERICAN)), Refused("which order is it"), DAY_FIRST_LOG),
    Fault("a day in the other order that no month has", columns(MOMENTS, _rewritten(INSTANT, "%Y-%d-%m %H:%M:%S")), Refused(TOO_MANY)),
    Fault("days first where years are declared", columns(MOMENTS, _rewritten(INSTANT, DAY_FIRST)), Refused(TOO_MANY)),
    Fault("years of two digits", columns(MOMENTS, _rewritten(INSTANT, "%y-%m-%d %H:%M:%S")), Refused(TOO_MANY)),
    Fault("no seconds, as a spreadsheet writes them", columns(MOMENTS, _rewritten(INSTANT, "%Y-%m-%d %H:%M")), Refused(TOO_MANY)),
    Fault("a clock of twelve hours", columns(MOMENTS, _rewritten(INSTANT, "%Y-%m-%d %I:%M:%S %p")), Refused(TOO_MANY)),
    Fault("days as numbers of a spreadsheet", columns(MOMENTS, _serial), Refused(TOO_MANY)),
    Fault("moments in another zone", columns(MOMENTS, _earlier), Unnoticed("an hour earlier is as good an hour")),
    Fault("a time that does not exist", column("arrived", lambda _: "2025-03-30 02:30:00", 1), Exact(1, 1, reason="does not exist")),
    Fault("24:00:00", column("ended", lambda value: value[:10] + " 24:00:00", 1), Exact(1, 1, reason="not in the format")),
    Fault("no arrival", column("arrived", lambda _: "", 1), Exact(1, 1, reason="no arrival")),
    Fault("a word where a moment stands", column("answered", lambda _: "n.v.t.", 2), Exact(2, 2, reason="not in the format")),
    Fault(
        "an arrival after the export was made",
        column("arrived", lambda _: "2025-04-02 10:00:00", 2),
        Exact(2, 2, reason="after the day on which the export was made"),
    ),
    Fault(
        "an end in another year",
        column("ended", lambda value: value.replace("2025", "2052"), 2),
        Exact(2, 2, reason="after the day on which the export was made"),
    ),
    Fault(
        "an arrival a hundred years ago",
        column("arrived", lambda value: value.replace("2025", "1925"), 2),
        Exact(2, 2, reason="no opening hours"),
    ),
    # numbers, ids, words
    Fault("decimal commas", column("wait", lambda value: f"{value},5"), Refused(TOO_MANY)),
    Fault("some decimal commas", column("wait", lambda value: f"{value},5", 3), Exact(3, 3, reason="not a number of seconds")),
    Fault("a separator of thousands", column("wait", lambda value: f"{int(value):,}".replace(",", ".")), Refused("separate thousands")),
    Fault("another separator of thousands", column("wait", lambda value: f"{int(value):,}"), Exact(3, 3, reason="not a number of seconds")),
    Fault("scientific numbers", column("wait", lambda value: f"{float(value):.1E}", 2), Exact(2, 2, reason="not a number of seconds")),
    Fault("negative waits", column("wait", lambda value: f"-{value}"), Refused("have an impossible duration")),
    Fault("ids as scientific numbers", column("id", lambda value: f"{float(value):.2E}"), Refused(TOO_MANY)),
    Fault("one id as a scientific number", column("id", lambda value: f"{float(value):.2E}", 1), Exact(1, 1, reason="a spreadsheet made of an id")),
    Fault("ids rounded by a spreadsheet", column("id", lambda value: value[:15] + "00"), Refused("are rounded to 15 digits")),
    Fault("ids with a decimal 0", text(lambda good: re.sub(r"^(4711\d+);", r"\1.0;", good, flags=re.M)), Refused("end in a decimal 0")),
    Fault("ids as formulas", column("id", lambda value: f'="{value}"'), Refused(TOO_MANY)),
    Fault("ids with the sign of text", column("id", lambda value: f"'{value}"), Refused(TOO_MANY)),
    Fault("ids in columns too narrow", column("id", lambda value: "#" * 8), Refused(TOO_MANY)),
    Fault("ids without their zeros", column("id", lambda value: value[1:], 30), Unnoticed(ANOTHER_VALUE)),
    Fault("no id", column("id", lambda _: " ", 1), Exact(1, 1, reason="no value, where one is required")),
    Fault("blanks around values", table(lambda _, rows: [row.__setitem__(n, f" {row[n]} ") for row in rows for n in range(10)] and None), Exact()),
    Fault("hard blanks around values", table(lambda _, rows: [row.__setitem__(n, f"\u00a0{row[n]}\u00a0") for row in rows for n in range(10)] and None), Exact()),
    Fault("words in capitals", column("outcome", str.upper), Refused(TOO_MANY)),
    Fault("a new word", column("outcome", lambda _: "forwarded", 4), Exact(4, 4, reason="not one of the declared outcomes")),
    # appointments
    Fault("start and end of visits exchanged", exchange("started", "ended"), Refused("were the columns exchanged"), APPOINTMENT_LOG),
    Fault("check-in and start exchanged", exchange("checked_in", "started"), Refused("were the columns exchanged"), APPOINTMENT_LOG),
    Fault("booking and plan exchanged", exchange("booked", "planned"), Refused("were the columns exchanged"), APPOINTMENT_LOG),
    Fault("plan and check-in exchanged", exchange("planned", "checked_in"), Refused("a whole five minutes"), APPOINTMENT_LOG),
    Fault("plan and start exchanged", exchange("planned", "started"), Refused("were the columns exchanged"), APPOINTMENT_LOG),
    Fault("plan and end exchanged", exchange("planned", "ended"), Refused("were the columns exchanged"), APPOINTMENT_LOG),
    Fault("booking and check-in exchanged", exchange("booked", "checked_in"), Refused("were the columns exchanged"), APPOINTMENT_LOG),
    Fault("service and visitor exchanged", exchange("service", "visitor"), Refused("has 200 different values"), APPOINTMENT_LOG),
    Fault("a visit after the export was made", column("started", lambda _: "2025-04-03 10:00:00", 1), Exact(1, 1, reason="after the day"), APPOINTMENT_LOG),
    Fault("services garbled", lambda good: good.decode("cp1252").encode(), Refused(TOO_MANY), APPOINTMENT_LOG),
    Fault("a footer among appointments", insert(-1, "200 rijen"), Exact(quarantined=1), APPOINTMENT_LOG),
]  # fmt: skip


def write_all(folder: Path) -> int:
    """Write every faulty file below a folder, each in a folder that is named for its fault; returns how many."""
    for fault in FAULTS:
        path = folder / fault.name.replace(" ", "_").replace(":", "") / fault.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(fault.content)
    return len(FAULTS)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("use: python -m tests.faulty_files FOLDER")
    print(f"{write_all(Path(sys.argv[1]))} files in {sys.argv[1]}")
