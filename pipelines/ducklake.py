"""A warehouse in a DuckLake: `kind = "ducklake"`. Many cities share one PostgreSQL database and one folder.

    PostgreSQL   a schema a city: DuckLake's catalog, which knows its tables, snapshots and files
    <folder>/<city>/<schema>/<table>/*.parquet   the rows

Each city has a lake of its own, so its tables have the names that they have in a file, a user of PostgreSQL may be
given one city, and cities never wait for each other. A publication is one transaction: DuckLake's newest snapshot is
what readers get, and its commit message is the name of the version. Does not belong here: what is published when.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qsl, unquote, urlsplit

import duckdb

from assets.sessions import confine, in_memory, quoted
from pipelines import durable
from pipelines.patience import CONNECT_SECONDS, PAUSES, obstacle
from pipelines.runbook import Heading, see
from pipelines.settings import DuckLakeWarehouse
from pipelines.space import told_if_full
from pipelines.store import StoreTrouble
from pipelines.versioned_file import VersionedFile

URL_VARIABLE = "KCC_CATALOG_URL"
"""The environment variable that says where the catalog is, with the password: no settings file holds a secret."""
EXTENSIONS = {"ducklake": "duckdb_extension_ducklake", "postgres_scanner": "duckdb_extension_postgres"}
"""What DuckDB needs, by its own names, and the packages that bring it where nothing can be downloaded."""
AUTHOR = "kcc-marts"
"""The author of the snapshots that are versions; maintenance by hand makes others."""
CHANGES = ["tables_inserted_into", "tables_deleted_from", "tables_altered", "tables_dropped"]
"""What DuckLake says of a snapshot in which readers get something else than before."""
GRACE = "interval 1 day"
"""How long the files of a version that is kept no more stay, for who still reads it; and those of a transaction that
never ended, for it may be at work."""
log = logging.getLogger("kcc")


class LakeUnreachable(StoreTrouble):
    """Catalog or folder can't be reached; the message says what to do and quotes neither URL nor driver."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"{sentence} {see(Heading.LAKE_UNREACHABLE)}")


class OfAnotherCity(StoreTrouble):
    """What the settings name is another city's; nothing of it was read or written."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"{sentence} {see(Heading.OF_ANOTHER_CITY)}")


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that is a version."""

    number: int
    version: str
    centre: str


class DuckLake:
    """One city's lake, published by the centre of that name; with `keep_file`, the same versions as files, too.

    `file` is where these lie, and those of before of a city that came from files; `is_ours` tells of a version whether
    it was published from this data folder. Everything here raises LakeUnreachable where PostgreSQL does not answer, and
    OfAnotherCity where the lake is not this city's.
    """

    def __init__(
        self,
        place: DuckLakeWarehouse,
        centre: str,
        is_ours: Callable[[str], bool],
        file: VersionedFile,
    ) -> None:
        self.city = place.city
        self.folder = place.folder / place.city
        self.centre = centre
        self.is_ours = is_ours
        self.file = file
        self.copies = file if place.keep_file else None
        self.readers_follow = "with their next query"
        if self.copies is not None:
            self.readers_follow += f", those of {file.link.name} {file.readers_follow}"
        self.where = f"lake {self.city} in {self.folder}"

    def published_version(self) -> str | None:
        """What the newest snapshot that is a version is named."""
        versions = self._versions()
        return versions[-1].version if versions else None

    def is_there(self) -> bool:
        """Whether there is a snapshot that is a version."""
        return self.published_version() is not None

    def kept(self) -> list[str]:
        """The names of the snapshots that are there, oldest first."""
        return sorted({snapshot.version for snapshot in self._versions()})

    def bytes_of(self, version: str) -> int:
        """The size of the Parquet files that a snapshot reads."""
        with self._connect() as con:
            number = _number_of(con, version)
            return _count(
                con,
                f"""
                select coalesce(sum(file_size_bytes), 0) from __ducklake_metadata_kcc."{self.city}".ducklake_data_file
                where begin_snapshot <= {number} and coalesce(end_snapshot > {number}, true)
                """,
            )

    def open(self) -> duckdb.DuckDBPyConnection:
        """Ask the snapshot that is the newest now, with each query the same."""
        con = self._connect()
        try:
            self._require_rows(con)
            con.execute("use kcc")
            con.execute("begin")
        except BaseException:
            con.close()
            raise
        return con

    def prepare(self) -> None:
        """Connect as a publication does."""
        self._connect(for_writing=True).close()

    def publish(self, built: Path, version: str) -> None:
        """Copy a finished file into the lake, in one transaction."""
        if self.copies is not None:
            built = self.copies.add(built, version)
        self._commit(version, f"attach {quoted(str(built))} as source (read_only)")
        if self.copies is not None:
            self.copies.give(version)
        else:
            built.unlink()
            self.file.withdraw()

    def give(self, version: str) -> None:
        """Make a new snapshot of that name with what the one that is kept holds."""
        with self._connect() as con:
            number = _number_of(con, version)
        self._commit(version, self._attaching("source", f"read_only, snapshot_version {number}"))
        self._let_copies_follow()

    def discard(self, version: str) -> None:
        """Nothing: a transaction that never ended is nowhere."""
        if self.copies is not None:
            self.copies.discard(version)

    def keep_only(self, versions: Collection[str]) -> None:
        """Expire the snapshots of other versions, and delete what nobody reads for a day, or never could."""
        if self.copies is not None:
            self.copies.keep_only(versions)
        try:
            with self._connect(for_writing=True) as con:
                wanted = {snapshot.number for snapshot in _last(con).values() if snapshot.version in versions}
                every = {row[0] for row in con.execute("select snapshot_id from ducklake_snapshots('kcc')").fetchall()}
                expired = sorted(every - wanted - {max(every)})
                if expired:
                    _count(con, f"select count(*) from ducklake_expire_snapshots('kcc', versions => {expired})")
                for clean in ("cleanup_old_files", "delete_orphaned_files"):
                    _count(con, f"select count(*) from ducklake_{clean}('kcc', older_than => now() - {GRACE})")
        except (duckdb.Error, OSError) as error:
            raise LakeUnreachable(f"{self.where} can't be tidied ({type(error).__name__})") from None

    def clear_left_overs(self) -> None:
        """Let the copies follow: a transaction leaves nothing."""
        if self.copies is not None:
            self.copies.clear_left_overs()
            self._let_copies_follow()

    def spoiled(self) -> str | None:
        """A snapshot in which somebody else changed rows or tables, after the newest version."""
        with self._connect() as con:
            newest = _versions(con)[-1]
            changes = _count(
                con,
                f"""
                select count(*) from ducklake_snapshots('kcc')
                where snapshot_id > {newest.number} and list_has_any(map_keys(changes), {CHANGES})
                """,
            )
        if not changes:
            return None
        return f"{self.where}: somebody wrote to it after {newest.version}, and readers may get changed figures"

    def _let_copies_follow(self) -> None:
        """Give the readers of files what those of the lake get, where that is kept as a file."""
        if self.copies is not None:
            version = self.published_version()
            if version is not None and version != self.copies.published_version() and version in self.copies.kept():
                self.copies.give(version)

    def _versions(self) -> list[Snapshot]:
        try:
            with self._connect() as con:
                return _versions(con)
        except _NoLake:
            return []

    def _commit(self, version: str, attach_source: str) -> None:
        """Fill the lake with the tables of a database, which one statement attaches as `source`, in one transaction.

        One that meets another writer, or loses its connection, begins again.
        """
        for pause in (*PAUSES, None):
            try:
                with (
                    told_if_full(self.folder),
                    self._connect(for_writing=True, attach_source=attach_source) as con,
                ):
                    self._fill(con, version)
                    return
            except (duckdb.TransactionException, duckdb.IOException):
                if pause is None:
                    raise LakeUnreachable(
                        f"{self.where}: {version} could not be committed in {len(PAUSES) + 1} attempts: is another "
                        "writer at work there, does PostgreSQL go away or take no writes, can the folder be written? "
                        "Readers keep what they have"
                    ) from None
            log.warning("%s: a commit met another writer or lost its connection; it is tried again", self.where)
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - so that two don't meet again
            if self.published_version() == version:
                return  # it had been done, and only the answer was lost

    def _fill(self, con: duckdb.DuckDBPyConnection, version: str) -> None:
        """Put the tables of `source` in the place of those that are there, which are not even read."""
        files = {*self.folder.rglob("*.parquet")}
        tables = _tables(con, "source")
        schemas = {table.split(".")[0] for table in tables}
        con.execute("begin")
        for table in _tables(con, "kcc"):
            if table.split(".")[0] in schemas:
                con.execute(f"drop table kcc.{table}")
        for schema in sorted(schemas):
            con.execute(f"create schema if not exists kcc.{schema}")
        for table, (comment, columns) in tables.items():
            con.execute(f"create table kcc.{table} as from source.{table}")
            con.execute(f"comment on table kcc.{table} is {_told(comment)}")
            for column, meaning in columns:
                con.execute(f'comment on column kcc.{table}."{column}" is {_told(meaning)}')
        about = json.dumps({"centre": self.centre})
        con.execute(f"call kcc.set_commit_message('{AUTHOR}', '{version}', extra_info => {quoted(about)})")
        added = {*self.folder.rglob("*.parquet")} - files
        for place in added.union(*(file.parents[:3] for file in added)):  # before the catalog says that they are there
            durable.sync(place)
        con.execute("commit")

    def _connect(self, for_writing: bool = False, attach_source: str | None = None) -> duckdb.DuckDBPyConnection:
        """A session with the lake attached as `kcc`. Raises _NoLake where nobody has written to it yet."""
        options = "read_only"
        if for_writing:
            _require_folder(self.folder.parent, "mount it, or make it if it is new")
            options = f"data_path {quoted(str(self.folder))}, data_inlining_row_limit 0"
        con = self._attached(self._attaching("kcc", options))
        try:
            versions = _versions(con)
            self._refuse_another_city(versions, for_writing)
            if for_writing and not versions:
                self.folder.mkdir(exist_ok=True)
            elif for_writing:
                self._require_rows(con)
            if attach_source is not None:
                con.execute(attach_source)
            if for_writing:
                con.execute("set threads = 1")  # more of them write a table's rows in another order than it has
            confine(con, None, self.folder)
        except BaseException:
            con.close()
            raise
        return con

    def _require_rows(self, con: duckdb.DuckDBPyConnection) -> None:
        """Raise unless what the catalog knows lies where the settings say: a folder that is gone may not be mounted."""
        ((kept_in,),) = con.execute("select data_path from ducklake_settings('kcc')").fetchall()
        if Path(kept_in) != self.folder:
            raise self._elsewhere(kept_in)
        _require_folder(
            self.folder, "the catalog has rows there, so mount it; if it is lost, make it, and `kcc run` fills it anew"
        )

    def _elsewhere(self, kept_in: str) -> OfAnotherCity:
        return OfAnotherCity(
            f"the catalog keeps the rows of city '{self.city}' in {kept_in}, and warehouse.folder has them in "
            f"{self.folder}: name the folder that is right; of one that moved, docs/many-cities.md tells"
        )

    def _attaching(self, name: str, options: str) -> str:
        """The statement that attaches the lake; by `meta_schema` DuckDB looks at no other schema of PostgreSQL."""
        address = " ".join(f"{key}={_in_libpq(value)}" for key, value in _address().items() if key != "password")
        schema = f"metadata_schema '{self.city}', meta_schema '{self.city}'"
        return f"attach {quoted(f'ducklake:postgres:{address}')} as {name} ({schema}, {options})"

    def _attached(self, statement: str) -> duckdb.DuckDBPyConnection:
        """A session in which a statement has attached the lake; each attempt takes a new one.

        When the pauses are spent, each further attempt of this process is the only one, until one succeeds.
        """
        while True:
            begun = time.monotonic()
            con = _session()
            try:
                _tell_password(con)
                con.execute(statement)
            except BaseException as error:
                con.close()
                if not isinstance(error, duckdb.Error):
                    raise
                if time.monotonic() - begun > sum(PAUSES):
                    _pauses.clear()  # who says nothing at all is not being restarted
                self._wait_after(error)
            else:
                _pauses[:] = PAUSES
                return con

    def _wait_after(self, error: duckdb.Error) -> None:
        """Wait after an attempt that failed, or raise what it came to, if no other can do better."""
        said = str(error)
        if "explicitly disabled" in said:
            raise _NoLake from None
        if elsewhere := re.search(r'DATA_PATH .* in the catalog "(.*)"', said):
            raise self._elsewhere(elsewhere[1]) from None
        if "catalog version mismatch" in said:
            raise LakeUnreachable(
                f"the catalog of city '{self.city}' was made by another release of DuckLake than that of this program: "
                "nothing of it was changed; run the release that made it, or the newer one on every machine"
            ) from None
        if not _pauses:
            told = said.rpartition('": ')[2]  # by libpq; what stands before is the address, whose words are anybody's
            raise LakeUnreachable(f"the lake's catalog can't be reached: {obstacle(told, URL_VARIABLE)}") from None
        time.sleep(_pauses.pop(0))

    def _refuse_another_city(self, versions: list[Snapshot], for_writing: bool) -> None:
        """Raise OfAnotherCity unless the newest version is this centre's, or for writing this data folder's."""
        newest = versions[-1] if versions else None
        if newest is None or self.is_ours(newest.version):
            return
        if newest.centre != self.centre:
            raise OfAnotherCity(
                f"warehouse.city '{self.city}' is the lake of '{newest.centre}', and these settings are of "
                f"'{self.centre}': name another city"
            )
        if for_writing:
            raise OfAnotherCity(
                f"the lake of warehouse.city '{self.city}' holds {newest.version}, which was published from another "
                "data folder than folders.data: name another city"
            )


_pauses = [*PAUSES]
"""The seconds that this process may still wait for PostgreSQL."""


class _NoLake(Exception):
    """Nothing was published to this city's lake yet."""


def _require_folder(folder: Path, what_to_do: str) -> None:
    """Raise LakeUnreachable unless a folder is there."""
    try:
        is_there = folder.is_dir()
    except OSError as error:
        raise LakeUnreachable(f"{folder}: can't be entered ({error.strerror})") from None
    if not is_there:
        raise LakeUnreachable(f"{folder}: there is no such folder (warehouse.folder): {what_to_do}")


def _versions(con: duckdb.DuckDBPyConnection) -> list[Snapshot]:
    """The snapshots that are versions, oldest first."""
    rows = con.execute(
        f"""
        select snapshot_id, commit_message, commit_extra_info from ducklake_snapshots('kcc')
        where author = '{AUTHOR}' order by snapshot_id
        """
    ).fetchall()
    return [Snapshot(number, version, json.loads(about)["centre"]) for number, version, about in rows]


def _last(con: duckdb.DuckDBPyConnection) -> dict[str, Snapshot]:
    """Of each version the last snapshot of that name."""
    return {snapshot.version: snapshot for snapshot in _versions(con)}


def _number_of(con: duckdb.DuckDBPyConnection, version: str) -> int:
    """The snapshot that is a version, or -1, before all, if it is kept no more."""
    last = _last(con)
    return last[version].number if version in last else -1


Told = tuple[str | None, list[tuple[str, str | None]]]
"""A table's comment; of each of its columns name and comment."""


def _tables(con: duckdb.DuckDBPyConnection, database: str) -> dict[str, Told]:
    """The tables of a database, by schema.name."""
    rows = con.execute(
        """
        select
            schema_name || '.' || table_name, any_value(tables.comment),
            list((column_name, columns.comment) order by column_index)
        from duckdb_tables() as tables
        inner join duckdb_columns() as columns using (database_name, schema_name, table_name)
        where database_name = ?
        group by all order by all
        """,
        [database],
    ).fetchall()
    return {table: (comment, columns) for table, comment, columns in rows}


def _told(comment: str | None) -> str:
    return "null" if comment is None else quoted(comment)


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(con.execute(query).fetchall()[0][0])  # all: what is not read to its end may not be committed


def _session() -> duckdb.DuckDBPyConnection:
    """A session that knows lakes; its extensions are those of packages where these are installed, else DuckDB's own.

    DuckDB checks who signed an extension by reading its 40 MB: 0.2 s of CPU for both, once in a process.
    """
    files = {extension: _packaged(extension) for extension in EXTENSIONS}
    con = in_memory(allow_unsigned=_checked.issuperset(files.values()))
    for extension, file in files.items():
        try:
            if file is None:
                con.load_extension(extension)
            else:
                with TemporaryDirectory() as folder:  # DuckDB takes a file for what it is by its name
                    link = Path(folder) / f"{extension}.duckdb_extension"
                    link.symlink_to(file)
                    con.load_extension(str(link))
                _checked.add(file)
        except duckdb.Error:
            con.close()
            raise LakeUnreachable(
                f"DuckDB {duckdb.__version__} has no extension '{extension}', which a lake needs: install "
                "requirements-ducklake.txt"
            ) from None
    return con


_checked: set[Path | None] = set()
"""Extensions whose signature DuckDB checked in this process."""


def _packaged(extension: str) -> Path | None:
    """The file of an extension that a package brought for this DuckDB, if there is one."""
    found = find_spec(EXTENSIONS[extension])
    places = found.submodule_search_locations if found is not None else None
    files = (file for place in places or [] for file in Path(place).glob(f"*/v{duckdb.__version__}/*"))
    return next(files, None)


def _tell_password(con: duckdb.DuckDBPyConnection) -> None:
    """Give the password as a secret, which DuckDB shows nobody, in no list of databases and no error."""
    password = _address().get("password")
    if password:
        con.execute(f"create secret (type postgres, password {quoted(password)})")


def _address() -> dict[str, str]:
    """Where the catalog is, by the words of libpq."""
    try:
        url = urlsplit(os.environ[URL_VARIABLE])
        parts = {
            "host": url.hostname or "",
            "port": str(url.port or ""),
            "dbname": unquote(url.path.strip("/")),
            "user": unquote(url.username or ""),
            "password": unquote(url.password or ""),
            "connect_timeout": str(CONNECT_SECONDS),
            **dict(parse_qsl(url.query)),
        }
        if url.scheme not in ("postgresql", "postgres") or not parts["dbname"] or not parts["host"]:
            raise ValueError
    except KeyError:
        why = "is not set"
    except ValueError:
        why = "holds no URL"
    else:
        return {word: value for word, value in parts.items() if value}
    raise LakeUnreachable(
        f"the warehouse is in a lake, but {URL_VARIABLE} {why}: it is "
        "postgresql://USER:PASSWORD@HOST:5432/DATABASE, with %40 for an @ in the password"
    )


def _in_libpq(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
