"""Opens DuckDB so that SQL reaches the files that it must, and nothing else on the machine.

Belongs here: what a session may open. Does not belong here: any query.
"""

from __future__ import annotations

import glob
import shutil
from pathlib import Path

import duckdb

NO_EXTENSIONS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def readonly(file: Path) -> duckdb.DuckDBPyConnection:
    """A published warehouse, to be asked: the session opens this file and no other."""
    locked = {"enable_external_access": False, "lock_configuration": True}
    return duckdb.connect(str(file), read_only=True, config={**NO_EXTENSIONS, **locked})


def in_memory(allow_unsigned: bool = False) -> duckdb.DuckDBPyConnection:
    """A session without a file, open to the machine until it is confined; it may load extensions unseen."""
    return duckdb.connect(":memory:", config={**NO_EXTENSIONS, "allow_unsigned_extensions": allow_unsigned})


def confine(con: duckdb.DuckDBPyConnection, data: Path | None, *others: Path) -> None:
    """From now on the session opens what is attached, records and warehouse below `data`, and other folders; never
    `private`.

    What does not fit into memory goes below `records`, which is the owner's alone; without `data` it goes nowhere.
    """
    folders = [*others] if data is None else [data / "records", data / "warehouse", *others]
    allowed = [spelling for folder in folders for spelling in (str(folder), glob.escape(str(folder)))]
    spill = "" if data is None else str(data / "records" / ".spill")
    if spill:
        shutil.rmtree(spill, ignore_errors=True)  # what a killed run left
    con.execute(f"set temp_directory = {quoted(spill)}")
    con.execute(f"set allowed_directories = [{', '.join(map(quoted, allowed))}]")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")


def quoted(text: str) -> str:
    """A SQL string, for the few statements that take no bound parameter."""
    return "'" + text.replace("'", "''") + "'"
