"""Exports of the sample city in which invented persons stand in every field, and a search for them.

Nobody in here exists: the numbers begin with a prefix that nobody has, the births lie in a 99th month.
"""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl

from pipelines.settings import ROOT

PERSONAL = [
    *["+32 999 98 76 54", "0032999987654", "0999/98.76.54", "0999987654", "(0999) 98-76-54"],
    *["Zebedeus Kwibus", "Quirina Fantasië-Bedenksel", "KWIBUS, Z."],
    *["zebedeus.kwibus@voorbeeld.example", "85.99.99-999.99", "85999999999"],
    "belt terug over schimmel in de kelder",
]
PARTS = ["98 76 54", "98.76.54", "98-76-54", "0999987654", "32999987654", "kwibus", "zebedeus", "quirina", "fantasië"]
PARTS += ["bedenksel", "voorbeeld.example", "85.99.99", "85999999999", "schimmel", "kelder"]
"""What is searched for, without regard to case: parts, so that what was cut or joined is found too."""

FILE_NAME = "the file's name"
CARRIED = {
    "oproep_id": "W-000-98-71",
    "wachtrij": "Wachtrij van Bartholomea",
    "afspraak_id": "A-000-98-72",
    "dienst": "Dienst van Cunegonde",
    "kanaal": "Kanaal van Desiderius",
    FILE_NAME: "Eulalia",
}
"""What is published as the export has it, by the column in which it stands: these come through, and must be told."""

CALLS = ["oproep_id", "wachtrij", "richting", "tijdstip", "beantwoord_om", "beeindigd_om", "wachttijd_s", "wachtrij_s"]
CALLS += ["beller", "medewerker", "resultaat", "notitie", "e-mail", "rijksregisternummer"]
APPOINTMENTS = ["afspraak_id", "dienst", "kanaal", "aangemaakt_op", "gepland_op", "aangemeld_op", "gestart_op"]
APPOINTMENTS += ["beeindigd_op", "bezoeker", "status", "notitie", "e-mail", "rijksregisternummer"]
CALL = {
    "wachtrij": "Algemeen",
    "richting": "Inkomend",
    "tijdstip": "18/12/2025 09:30:00",
    "beantwoord_om": "18/12/2025 09:30:20",
    "beeindigd_om": "18/12/2025 09:33:00",
    "wachttijd_s": "20,0",
    "wachtrij_s": "10,0",
    "resultaat": "Beantwoord",
}
APPOINTMENT = {
    "dienst": "Reispas",
    "kanaal": "Website",
    "aangemaakt_op": "2025-12-10 10:00:00",
    "gepland_op": "2025-12-18 10:00:00",
    "aangemeld_op": "2025-12-18 09:55:00",
    "gestart_op": "2025-12-18 10:02:00",
    "beeindigd_op": "2025-12-18 10:12:00",
    "status": "Afgerond",
}
UNDECLARED = {"beller", "medewerker", "bezoeker", "notitie", "e-mail", "rijksregisternummer"}
TEXTS = {"wachtrij", "dienst", "kanaal"}


def plant(exports: Path) -> None:
    """Write the exports: persons in every column of sound and broken records, of broken and misread files."""
    for folder, stem, header, sound in (
        ("telephony", "oproepen", CALLS, CALL),
        ("appointments", "afspraken", APPOINTMENTS, APPOINTMENT),
    ):
        (exports / folder).mkdir(parents=True)

        def write(day: int, content: str | bytes, more: str = "", *, at: Path = exports / folder / stem) -> None:
            data = content.encode() if isinstance(content, str) else content
            at.with_name(f"{at.name}_202512{day}{more}").write_bytes(data)

        head = ";".join(header) + "\n"
        lines = list(_records(header, sound))
        write(19, head + "".join(lines) + "".join(_ragged(header)), ".csv")
        carried = {column: CARRIED.get(column, value) for column, value in {header[0]: "", **sound}.items()}
        write(20, head + _line(header, carried, "Zebedeus Kwibus"), f"_{CARRIED[FILE_NAME]}.csv")
        write(21, head + "".join(lines[:50]) + f'"{PERSONAL[0]}"{PERSONAL[5]}\n', ".csv")
        write(22, ";".join(PERSONAL) + "\n" + "".join(lines[:50]), ".csv")
        write(23, head.replace(header[1], PERSONAL[0]) + "".join(lines[:50]), ".csv")
        write(24, head + "".join(lines[:50]) + PERSONAL[5], ".csv")
        write(25, (head + lines[0]).encode() + PERSONAL[6].encode("cp1252") + b"\n", ".csv")
        write(26, gzip.compress((head + lines[0] * 50).encode())[:-9], ".csv.gz")
        write(27, (PERSONAL[5] + "\n").encode() * 3, ".csv.gz")
        # a caller's number in the column of the queue, of the service, and of the channel
        people = [{**sound, header[0]: f"{n}", header[1]: f"{PERSONAL[0]} {n}"} for n in range(300)]
        write(28, head + "".join(_line(header, person, PERSONAL[5]) for person in people), ".csv")


def _records(header: list[str], sound: dict[str, str]) -> Iterator[str]:
    """Sound records with persons in every undeclared column; and one for each person in each other column."""
    for number, person in enumerate(PERSONAL * 5):
        yield _line(header, {header[0]: f"S{number}", **sound}, person)
    for column in [*sound]:
        for number, person in enumerate(PERSONAL):
            told = person if column not in TEXTS else f"\x1b{person}" if number % 2 else person * 20
            # digits alone are a wait, too long to be one: it becomes NULL, and its record stays
            texts = {} if person.isdigit() else dict.fromkeys(TEXTS, person)
            yield _line(header, {header[0]: f"Q{column}{number}", **sound, **texts, column: told}, person)
    for number, person in enumerate(PERSONAL):
        yield _line(header, {header[0]: f"={person}", **sound}, person)
        yield _line(header, {header[0]: f"\t\x07{person}{number}", **sound}, person)


def _line(header: list[str], fields: dict[str, str], person: str) -> str:
    return ";".join(person if name in UNDECLARED else fields[name] for name in header) + "\n"


def _ragged(header: list[str]) -> Iterator[str]:
    for person in PERSONAL:
        yield person + "\n"
        yield ";".join([person] * (len(header) + 1)) + "\n"
        yield f'"{person}\n{person}";{person}\n'


def settings_text() -> str:
    """The sample city's settings, by which a file may be half unreadable and is read all the same."""
    text = (ROOT / "kcc.toml").read_text(encoding="utf-8")
    for kind in ('kind = "calls"', 'kind = "appointments"'):
        text = text.replace(kind, f"{kind}\nmax_quarantined_share = 0.95")
    return text


# ── Searching ─────────────────────────────────────────────────────────────────────────────────────


def parts_in(data: bytes | str, parts: list[str] = PARTS) -> set[str]:
    """Which of the parts stand in some bytes: as UTF-8, as Latin-1, as UTF-16, or escaped as JSON does."""
    raw = (data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data).lower()
    found = set()
    for part in parts:
        spellings = {part.encode(code) for code in ("utf-8", "latin-1", "utf-16-le")} | {
            json.dumps(part)[1:-1].encode()
        }
        if any(spelling.lower() in raw for spelling in spellings):
            found.add(part)
    return found


def layers(path: Path) -> Iterator[tuple[str, bytes]]:
    """Every form in which a file holds something: its bytes, and all values of a table or database in it."""
    raw = path.read_bytes()
    yield "bytes", raw
    if path.suffix == ".parquet":
        frame, plain = pl.read_parquet(path, glob=False, hive_partitioning=False), io.BytesIO()
        frame.write_parquet(plain, compression="uncompressed", statistics="full")
        yield "pages", plain.getvalue()
        yield "values", str(frame.rows()).encode()
    elif path.suffix == ".duckdb":
        yield from _tables_of(path)
    elif raw.startswith(b"SQLite format 3"):
        yield from _rows_of(path)
    elif path.suffix == ".gz":
        yield "unpacked", gzip.decompress(raw)


def _tables_of(path: Path) -> Iterator[tuple[str, bytes]]:
    with duckdb.connect(str(path), read_only=True) as con:
        for schema, table in con.execute("select schema_name, table_name from duckdb_tables()").fetchall():
            for (column,) in con.execute(
                "select column_name from duckdb_columns() where schema_name = ? and table_name = ?", [schema, table]
            ).fetchall():
                values = con.execute(f'select distinct "{column}"::varchar from {schema}.{table}').fetchall()
                yield f"{schema}.{table}.{column}", "\n".join(str(value) for (value,) in values).encode()
        comments = con.execute("select comment from duckdb_columns() union all select comment from duckdb_tables()")
        yield "comments", str(comments.fetchall()).encode()


def _rows_of(path: Path) -> Iterator[tuple[str, bytes]]:
    con = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        for (table,) in con.execute("select name from sqlite_master where type = 'table'").fetchall():
            for row in con.execute(f'select * from "{table}"'):
                for value in row:
                    if isinstance(value, bytes):
                        try:
                            yield table, zlib.decompress(value)
                        except zlib.error:
                            yield table, value
                    elif isinstance(value, str):
                        yield table, value.encode("utf-8", "surrogateescape")
    finally:
        con.close()
