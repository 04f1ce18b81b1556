"""A real PostgreSQL, from Debian's package, on loopback: one server for all tests, a database for each that asks.

`tests/conftest.py` hands out the server as `postgres` and the URL of a fresh, empty database as `database`. It listens
on 127.0.0.1 and in a folder of its own, asks for a password, and dies with the tests. It makes nothing durable, unless
asked to: a benchmark that left that out would flatter.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)
"""Where Debian keeps the newest of its versions; none where the package is missing."""
USER = "kcc"
UNFIT = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
"""What spares time and room, and would lose data in a power cut; killed, it loses nothing that was committed."""


class Postgres:
    """A server in a folder; whoever is root runs it as Debian's user `postgres`, for it refuses to be run by root."""

    def __init__(self, programs: Path, folder: Path, durable: bool = False) -> None:
        self.programs = programs
        self.durable = durable
        self.folder = folder
        self.data = folder / "data"
        self.password = secrets.token_hex(16)
        self.databases = 0
        self.server: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        if os.geteuid() == 0:
            debians = pwd.getpwnam("postgres")
            os.chown(folder, debians.pw_uid, debians.pw_gid)
        words = folder / "password"
        words.write_text(self.password)
        options = ["--auth=scram-sha-256", f"--pwfile={words}", "--no-sync", "--encoding=UTF8", "--locale=C"]
        subprocess.run(
            self._command("initdb", f"--pgdata={self.data}", f"--username={USER}", *options),
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def url(self, database: str = "postgres") -> str:
        """What KCC_POSTGRES_URL says of one of its databases."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            **({} if self.durable else UNFIT),
        }
        told = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.server = subprocess.Popen(
                self._command("postgres", "-D", str(self.data), *told), cwd=self.folder, stdout=log, stderr=log
            )
        ready = [str(self.programs / "pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={self.port}"]
        while subprocess.run(ready, check=False).returncode != 0:
            assert self.server.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends what is under way and closes the files, SIGQUIT (`pg_ctl stop -m immediate`) dies."""
        if self.server is not None:
            self.server.send_signal(how)
            self.server.wait(timeout=30)
            self.server = None

    @contextmanager
    def down(self, how: signal.Signals = signal.SIGINT) -> Iterator[None]:
        """It is down for a while."""
        self.stop(how)
        try:
            yield
        finally:
            self.start()

    def database(self) -> str:
        """The URL of a fresh, empty database."""
        self.databases += 1
        name = f"history_{self.databases}"
        self.ask(self.url(), f"create database {name}")
        return self.url(name)

    @staticmethod
    def ask(url: str, query: str) -> list[tuple[Any, ...]]:
        """What a query answers, nothing for one that only does."""
        import psycopg2

        connection = psycopg2.connect(url)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def _command(self, program: str, *words: str) -> list[str]:
        """A program of PostgreSQL's, never as root; it ends when the tests end, in whichever way."""
        who = ["--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        return ["setpriv", *who, "--pdeathsig", "SIGINT", str(self.programs / program), *words]


@contextmanager
def running_postgres(programs: Path, durable: bool = False) -> Iterator[Postgres]:
    """A server that has been started; its folder goes in the end."""
    folder = Path(tempfile.mkdtemp(prefix="kcc-postgres-"))  # not below pytest's own, which only its owner may enter
    try:
        server = Postgres(programs, folder, durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
