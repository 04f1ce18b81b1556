"""Says what a night would do with a file before it is dropped into the exports folder. Leaves no trace.

The file goes through the reader and through the SQL of the ledger, in memory, as the only export there is. Does not
belong here: any rule of its own; how the answer is printed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from time import time_ns

import duckdb

from assets.adapters.declared import columns_of
from assets.adapters.formats import FORMATS, Recognised, recognised, recognised_without_header
from assets.build import empty_warehouse, run_sql, sql_files, upstream
from assets.canonical import CanonicalExport
from assets.containers import first_record_in, names_in
from assets.files import claimed_twice, claims, dated, growing, is_in_exports, name_of
from assets.inputs import Stream, file_states, lay_inputs
from assets.reading import FileDeferred, FileRefused
from assets.records import RecordStore, new_receipt
from pipelines.plain import printable
from pipelines.publishing import History
from pipelines.settings import Packing, Settings, Source
from schemas.ops import STATES

TOLD = 20
"""How many quarantined records are told one by one."""


class CannotTellSource(Exception):
    """Several sources fit the file, or none; the message says which and what to do."""


@dataclass(frozen=True)
class Quarantined:
    """One record that can't be read: where, why, and the shape of the value, never its characters."""

    line: int
    column: str
    reason: str
    pattern: str | None

    def __str__(self) -> str:
        shape = f" (it looks like {self.pattern})" if self.pattern else ""
        return f"line {self.line}, {self.column}: {self.reason}{shape}"


@dataclass(frozen=True)
class Check:
    """What would become of one file by itself. `records` counts it by state; `not_seen` says why no night takes it, and
    `waits` why a night would not take it yet.
    """

    file: str
    source: str
    exported_at_utc: datetime | None
    status: str
    reason: str | None = None
    not_seen: str | None = None
    waits: str | None = None
    records: dict[str, int] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether a night would load the file with every record."""
        return self.status == "loaded" and self.not_seen is None and not self.records["quarantined"]


def check(path: Path, settings: Settings, today: date, source_name: str | None = None) -> Check:
    """What a night would do with the file. Raises CannotTellSource."""
    source = _named(settings, source_name) if source_name is not None else _source_of(path, settings)
    file = dated(path, name_of(path, settings), source, settings, today)
    for other in settings.sources:
        if (
            other is not source
            and is_in_exports(path, settings)
            and claims(other, file.name)
            and claims(source, file.name)
        ):
            file = claimed_twice(file, other)
    answer = Check(
        printable(str(path)),
        source.name,
        file.exported_at_utc,
        "loaded",
        not_seen=_not_seen(path, source, settings),
        waits=growing(file, time_ns()),
    )
    receipt, con = new_receipt(file, delivery=1), empty_warehouse()
    try:
        export = CanonicalExport(file, settings)
        lay_inputs(con, _without_holidays(settings), RecordStore.without_folders(settings, [receipt]), History())
        for _, frame in export.frames():
            con.register("part", Stream(frame))
            con.execute(f"insert into input.{_TABLES[source.kind]} by name select 1 as file_id, * from part")
        (receipt,) = file_states([receipt.loaded(export)], settings)
        counts, quarantined = _states(con)
    except (FileRefused, FileDeferred) as reason:
        receipt = receipt.not_loaded(reason)
        return replace(answer, status=receipt.status, reason=receipt.reason)
    finally:
        con.close()
    if receipt.status == "refused":  # its records are in no other state
        counts = {state: counts[state] for state in ("records", "quarantined")}
    return replace(answer, status=receipt.status, reason=receipt.reason, records=counts, quarantined=quarantined)


def _without_holidays(settings: Settings) -> Settings:
    """No record's state depends on which days are public holidays, and their library is slow to import."""
    return settings.model_copy(update={"calendar": settings.calendar.model_copy(update={"country": None})})


_TABLES = {"calls": "call_records", "appointments": "appointment_records"}


def _states(con: duckdb.DuckDBPyConnection) -> tuple[dict[str, int], list[Quarantined]]:
    """How many records are in each state by the SQL of the ledger, and the first that are quarantined."""
    wanted = {"ops.ledger", "ops.quarantine"}
    wanted |= upstream("ops.ledger") | upstream("ops.quarantine")
    for table in sql_files():
        if table in wanted:
            run_sql(con, table)
    (row,) = con.execute(f"select {', '.join(STATES)} from ops.ledger").fetchall()
    first = con.execute(
        "select line, column_name, reason, pattern from ops.quarantine order by line limit ?", [TOLD]
    ).fetchall()
    return dict(zip(STATES, row, strict=True)), [Quarantined(*each) for each in first]


def _named(settings: Settings, name: str) -> Source:
    for source in settings.sources:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in settings.sources)
    raise CannotTellSource(f"there is no source '{name}' in the settings; they declare {known}")


def _source_of(path: Path, settings: Settings) -> Source:
    """The source for which the file is taken: by its name, and by its header where the name leaves a choice."""
    by_name = [source for source in settings.sources if _not_seen(path, source, settings) is None]
    if len(by_name) == 1 or (by_name and is_in_exports(path, settings)):
        return by_name[0]
    fitting = [source for source in by_name or settings.sources if _header_fits(path, source)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(source.name for source in fitting or by_name or settings.sources)
    what = f"several sources fit ({names})" if fitting or by_name else f"no source fits by name or header ({names})"
    known = recognised_by_content(path)
    hint = f"; {known.sentence}" if known is not None else ""
    raise CannotTellSource(f"{printable(str(path))}: {what}; say which it is with --source{hint}")


def recognised_by_content(path: Path) -> Recognised | None:
    """What a file is by its header, its keys or its first record, if it is like a format that is known by name."""
    for known in FORMATS.values():
        packing = Packing.model_validate(known.packing)
        try:
            what = (
                recognised_without_header(known, first_record_in(path, packing))
                if known.first_record
                else recognised(names_in(path, packing))
            )
        except (FileRefused, FileDeferred):
            continue
        if what is not None:
            return what
    return None


def _not_seen(path: Path, source: Source, settings: Settings) -> str | None:
    """Why no night would take the file for an export of this source. Outside the exports folder its name decides."""
    name = name_of(path, settings)
    if (
        claims(source, name)
        if is_in_exports(path, settings)
        else fnmatchcase(path.name, PurePosixPath(source.files).name)
    ):
        return None
    return f"no night would take it for '{source.name}', whose files are called {source.files}"


def _header_fits(path: Path, source: Source) -> bool:
    """Whether the file's header, or its first records, have each declared column once; nobody knows without either."""
    if source.text.header is not None:
        return False
    try:
        header = names_in(path, source)
    except (FileRefused, FileDeferred):
        return False
    if source.format is not None:
        return FORMATS[source.format].difference(header) is None
    return all(header.count(column) == 1 for column in columns_of(source))
