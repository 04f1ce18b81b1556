"""Every record of every file is accounted for, in any order of delivery.

A *delivery* lays a content under a name in the exports folder; what lay there under that name is gone. Deliveries come
in groups, after each of which a run reads. No run can know what was overwritten before it looked, so a group holds at
most one delivery of a name. Then, whatever the deliveries are:

1. **Order.** Two orders of the same deliveries, each repeated as often as you like, give the same `core`, `marts`,
   `ops.quarantine` and `ops.ledger`, as long as under each name the same content comes last, and the same comes last
   of those that can be loaded. How they are grouped, whether a run is a new process, and whether a warehouse was built
   in between, does not matter.
2. **A clean start.** They give the same `core` and `marts`, and for the loaded files the same ledger and quarantine, as
   one run in a new data folder on exports in which under each name lies the content that holds: the last that can be
   loaded. (That run can't know replaced and refused versions; so the ledger as a whole is compared by 1 and 3.)
3. **Account.** The ledger is the one that the rules of docs/indicators.md give, worked out here again, in Python:
   each content that was ever read under a name stands in it once, with as many records as the test wrote into it, each
   of them in its state. A half-written content stands in it only while it is the last of its name.

Left out of the comparison, because they are history: `ops.publications` (which run published when) and
`ops.ledger.delivery` (the number that says when a version came).

`pytest tests/test_order.py --long` tries 500 sequences instead of 10.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.build import build
from assets.files import export_files
from assets.records import RecordStore
from assets.verify import verify
from pipelines.publishing import History
from pipelines.settings import Settings
from tests.city import (
    APPOINTMENT_HEADER,
    APPOINTMENTS,
    CALL_HEADER,
    CALLS,
    NO_IDS,
    WEEK,
    appointment,
    call,
    settings_of,
    tables,
)

SEQUENCES = {"short": 10, "long": 500}
TODAY = date(2025, 12, 2)
MOST_UNREADABLE = 0.5
NOT_TEXT = b"\xff\n"

# Exports vouch for all of November and the last of them is made in December, so that the month can be complete. Hours
# begin with that month: the calendar stays short, and an earlier call is on a day without declared hours.
COMMON: dict[str, Any] = {"max_quarantined_share": MOST_UNREADABLE, "covers_days": 40}
SOURCES: dict[str, dict[str, Any]] = {
    "phone": {**CALLS, **COMMON, "files": "calls_*.csv*", "columns": {**CALLS["columns"], "leg_id": "leg"}},
    "old": {**NO_IDS, **COMMON, "files": "old_*.csv*"},
    "desk": {**APPOINTMENTS, **COMMON, "files": "appointments_*.csv*"},
}


@dataclass(frozen=True)
class Line:
    """One record, whatever the source. A `flaw` is why it goes to quarantine."""

    who: str
    leg: str
    day: int
    queue: str
    flaw: str


@dataclass(frozen=True)
class Content:
    """What one file holds; damage makes it a file that can't be loaded."""

    lines: tuple[Line, ...]
    damage: str


@dataclass(frozen=True)
class Name:
    """Where a content is laid: its source, the day on which it claims to be exported, and the rest of its name."""

    source: str
    day: str
    suffix: str
    ending: str

    def __str__(self) -> str:
        files: str = SOURCES[self.source]["files"]
        return files.replace("*.csv*", f"{self.day}{self.suffix}{self.ending}")


Delivery = tuple[Name, Content]


@dataclass(frozen=True)
class Run:
    """Some deliveries, and then a run that reads them."""

    deliveries: tuple[Delivery, ...]
    is_new_process: bool
    is_built: bool


# ── What is written ──────────────────────────────────────────────────────────────────────────────


def text_of(line: Line, source: str) -> str:
    if line.flaw == "fields":
        return "too;few"
    month, day = ("10", 31) if line.flaw == "hours" else ("11", line.day)
    moment = f"2025-{month}-{day} 10:00:00"
    if source == "desk":
        planned = "morgen" if line.flaw == "value" else moment
        header, record = APPOINTMENT_HEADER, appointment(planned, service=line.queue, booked="2025-11-20 10:00:00")
    else:
        header, record = CALL_HEADER, call(moment, queue=line.queue, leg=line.leg)
        record |= {"wait": "lang"} if line.flaw == "value" else {}
    return ";".join({"id": line.who, **record}.get(column, "") for column in header.split(";"))


def unpacked(name: Name, content: Content) -> bytes:
    header = APPOINTMENT_HEADER if name.source == "desk" else CALL_HEADER
    text = "".join(f"{line}\n" for line in [header, *(text_of(line, name.source) for line in content.lines)])
    return text.encode() + (NOT_TEXT if content.damage == "not text" else b"")


def bytes_of(name: Name, content: Content) -> bytes:
    if content.damage == "empty":
        return b""
    whole = unpacked(name, content)
    if name.ending.endswith(".gz"):
        whole = gzip.compress(whole, mtime=0)
    return whole[:-3] if content.damage == "half written" else whole


def sha256_of(name: Name, content: Content) -> str:
    """Of what can be unpacked: the uncompressed bytes."""
    is_whole = content.damage in ("", "not text")
    return hashlib.sha256(unpacked(name, content) if is_whole else bytes_of(name, content)).hexdigest()


# ── What the rules say ───────────────────────────────────────────────────────────────────────────


def status_of(name: Name, content: Content) -> str:
    """As if it were the only content of its name."""
    if name.day == "undated" or content.damage == "not text":
        return "refused"
    if content.damage:
        return "deferred"
    unreadable = sum(line.flaw in ("value", "fields") for line in content.lines)
    return "refused" if unreadable > MOST_UNREADABLE * len(content.lines) else "loaded"


def is_sound(line: Line, source: str) -> bool:
    """Whether it is kept out of quarantine; appointments may be on days without declared hours."""
    return line.flaw == "" or (line.flaw == "hours" and source == "desk")


def holding(deliveries: Sequence[Delivery]) -> dict[Name, Content]:
    """The content that holds under each name."""
    return {name: content for name, content in deliveries if status_of(name, content) == "loaded"}


def states(deliveries: Sequence[Delivery]) -> dict[tuple[Name, int], str]:
    """The state of each sound record, by file and its number there, of the contents that hold."""
    newest_last = sorted(holding(deliveries).items(), key=lambda item: (item[0].day, str(item[0])))
    records = [
        (name, number, line)
        for name, content in newest_last
        for number, line in enumerate(content.lines)
        if is_sound(line, name.source)
    ]
    winners = {key_of(name, number, line): (name, number, line) for name, number, line in records}
    days: dict[Name, list[int]] = {}
    for name, _, line in records:
        days.setdefault(name, []).append(line.day)
    old_ones = [name for name in days if name.source == "old"]  # newest last

    def state(name: Name, number: int, line: Line) -> str:
        *winner, winning_line = winners[key_of(name, number, line)]
        if winner != [name, number]:
            return "duplicate" if text_of(winning_line, name.source) == text_of(line, name.source) else "superseded"
        newer = old_ones[old_ones.index(name) + 1 :] if name in old_ones else []
        if any(min(days[file]) <= line.day <= max(days[file]) for file in newer):
            return "superseded"
        return "excluded" if line.queue == "TEST" and name.source != "desk" else "accepted"

    return {(name, number): state(name, number, line) for name, number, line in records}


def key_of(name: Name, number: int, line: Line) -> tuple[Any, ...]:
    """What makes two records versions of one; a source without ids has no such thing."""
    keys = {"phone": (line.who, line.leg), "old": (name, number), "desk": (line.who,)}
    return (name.source, *keys[name.source])


Account = tuple[Any, ...]
STATES = ("accepted", "excluded", "duplicate", "superseded", "quarantined")
ACCOUNTS = """
    select
        source, file_name, sha256, status,
        records, accepted, excluded, duplicates, superseded, quarantined, unread_records
    from ops.ledger
"""


def accounts(deliveries: Sequence[Delivery]) -> list[Account]:
    """The ledger that the rules give: every content that was read under a name, told by its bytes."""
    versions = {(name, sha256_of(name, content)): content for name, content in deliveries}
    last = {(name, sha256_of(name, content)) for name, content in dict(deliveries).items()}
    holds = {(name, sha256_of(name, content)) for name, content in holding(deliveries).items()}
    state = states(deliveries)
    found = []
    for (name, sha256), content in versions.items():
        status = status_of(name, content)
        if status == "deferred" and (name, sha256) not in last:
            continue
        if status == "loaded" and (name, sha256) not in holds:
            status = "replaced"
        of_each = Counter(
            ("superseded" if status == "replaced" else state[name, number])
            if is_sound(line, name.source)
            else "quarantined"
            for number, line in enumerate(content.lines if status in ("loaded", "replaced") else ())
        )
        is_read = content.damage == "" and name.day != "undated"
        unread = len(content.lines) if status == "refused" and is_read else None
        counts = [of_each[one] for one in STATES]
        found.append((name.source, str(name), sha256, status, sum(counts), *counts, unread))
    return sorted(found)


# ── What happens ─────────────────────────────────────────────────────────────────────────────────


def city(folder: Path) -> Settings:
    hours = [{"service_point": point, "valid_from": "2025-11-01", **WEEK} for point in ("telephone", "desk")]
    return settings_of(folder, sources=list(SOURCES.values()), hours=hours)


def built(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The warehouse of what lies on the disk: not of what the process that read it remembers."""
    file = settings.folders.data / "built.duckdb"
    file.unlink(missing_ok=True)
    return build(file, settings, RecordStore(settings), History())


def warehouse_after(runs: Sequence[Run], *, is_verified: bool = False) -> tuple[dict[str, list[Any]], list[Account]]:
    """All that does not depend on history, after runs in an empty folder; and the ledger's account of each version."""
    moments = count(1)  # of change: no two deliveries are of the same moment, however fast this machine is
    with tempfile.TemporaryDirectory() as folder:
        settings = city(Path(folder))
        settings.folders.exports.mkdir()
        store = RecordStore(settings)
        for run in runs:
            for name, content in run.deliveries:
                path = settings.folders.exports / str(name)
                path.write_bytes(bytes_of(name, content))
                os.utime(path, ns=(0, next(moments)))
            if run.is_new_process:
                store = RecordStore(settings)
            for export in export_files(settings, TODAY):
                store.read(export)
            if run.is_built:
                built(settings).close()
        with built(settings) as con:
            if is_verified:
                verify(con)
            return tables(con), sorted(con.execute(ACCOUNTS).fetchall())


# ── What is tried ────────────────────────────────────────────────────────────────────────────────


LINES = st.builds(
    Line,
    who=st.sampled_from("ab"),
    leg=st.sampled_from("12"),
    day=st.sampled_from([24, 25, 26, 27]),  # the first export is of the 27th
    queue=st.sampled_from(["Een", "Twee", "TEST"]),
    flaw=st.sampled_from([*[""] * 9, "value", "fields", "hours"]),
)
DAMAGES = st.sampled_from([*[""] * 12, "not text", "half written", "empty"])
NAMES = st.builds(
    Name,
    source=st.sampled_from(list(SOURCES)),
    day=st.sampled_from([*["2025-11-27", "2025-11-28", "2025-12-01"] * 4, "undated"]),
    suffix=st.sampled_from(["", "_b"]),
    ending=st.sampled_from([".csv", ".csv", ".csv.gz"]),
)


@st.composite
def deliveries_by_name(draw: st.DrawFn) -> dict[Name, list[Content]]:
    """What is delivered under each name, in order. Names share lines and contents: overlaps, copies, corrections."""
    lines = st.sampled_from(draw(st.lists(LINES, min_size=6, max_size=12)))
    contents = st.builds(Content, lines=st.lists(lines, min_size=2, max_size=9).map(tuple), damage=DAMAGES)
    some = st.sampled_from([Content((), ""), *draw(st.lists(contents, min_size=4, max_size=6))])
    return draw(st.dictionaries(NAMES, st.lists(some, min_size=1, max_size=3), min_size=4, max_size=6))


@st.composite
def another_order(draw: st.DrawFn, name: Name, contents: list[Content]) -> list[Content]:
    """The same contents under a name, the earlier ones in another order and repeated; the last ones stay the last."""
    *rest, last = contents
    holds = holding([(name, content) for content in rest]).get(name)
    if holds is not None and status_of(name, last) != "loaded":
        rest.remove(holds)
        last_ones = [holds, last]
    else:
        last_ones = [last]
    repeated = draw(st.lists(st.sampled_from(rest), max_size=2)) if rest else []
    return [*draw(st.permutations([*rest, *repeated])), *last_ones]


@st.composite
def runs_of(draw: st.DrawFn, by_name: dict[Name, list[Content]]) -> list[Run]:
    """The deliveries of all names, interleaved and grouped; under each name they keep their order."""
    turns = draw(st.permutations([name for name, contents in by_name.items() for _ in contents]))
    left = {name: iter(contents) for name, contents in by_name.items()}
    return [
        Run(tuple((name, next(left[name])) for name in group), draw(st.booleans()), draw(st.integers(0, 19)) == 19)
        for group in groups(turns, [draw(st.booleans()) for _ in turns])
    ]


def groups(names: Sequence[Name], is_cut_before: Sequence[bool]) -> Iterator[list[Name]]:
    """Cut where told, and wherever a name comes again: it is read before it is overwritten."""
    group: list[Name] = []
    for name, is_cut in zip(names, is_cut_before, strict=True):
        if group and (is_cut or name in group):
            yield group
            group = []
        group.append(name)
    yield group


@st.composite
def orders(draw: st.DrawFn) -> tuple[list[Run], list[Run]]:
    by_name = draw(deliveries_by_name())
    other = {name: draw(another_order(name, contents)) for name, contents in by_name.items()}
    return draw(runs_of(by_name)), draw(runs_of(other))


def deliveries_of(runs: Sequence[Run]) -> list[Delivery]:
    return [delivery for run in runs for delivery in run.deliveries]


def clean_start(deliveries: Sequence[Delivery]) -> list[Run]:
    """One run on exports in which under each name lies what holds, or if nothing does, what came last."""
    return [Run(tuple((dict(deliveries) | holding(deliveries)).items()), is_new_process=False, is_built=False)]


def figures(tables: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {table: rows for table, rows in tables.items() if not table.startswith("ops.")}


def loaded(accounts: Sequence[Account]) -> list[Account]:
    return [account for account in accounts if account[3] == "loaded"]


def assert_promises(one: list[Run], other: list[Run]) -> None:
    """What the top of this file promises of two orders of the same deliveries."""
    deliveries = deliveries_of(one)
    tables_of_one, accounts_of_one = warehouse_after(one, is_verified=True)  # the others are equal to it
    assert accounts_of_one == accounts(deliveries)

    tables_of_other, accounts_of_other = warehouse_after(other)
    assert accounts_of_other == accounts_of_one
    assert tables_of_other == tables_of_one

    tables_of_clean, accounts_of_clean = warehouse_after(clean_start(deliveries))
    files = loaded(accounts_of_one)
    assert figures(tables_of_clean) == figures(tables_of_one)
    assert loaded(accounts_of_clean) == files
    versions = {(source, name, sha256) for source, name, sha256, *_ in files}
    quarantine = [row for row in tables_of_one["ops.quarantine"] if row[:3] in versions]
    assert tables_of_clean["ops.quarantine"] == quarantine


def test_any_order_of_deliveries_gives_the_same_warehouse(request: pytest.FixtureRequest) -> None:
    form = "long" if request.config.getoption("--long") else "short"

    @settings(max_examples=SEQUENCES[form], deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(orders())
    def any_order_gives_the_same(orders: tuple[list[Run], list[Run]]) -> None:
        assert_promises(*orders)

    any_order_gives_the_same()
