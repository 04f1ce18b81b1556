"""A city's server in a folder, set up by deploy/ as docs/deployment.md says, and its units run as systemd would.

Each command runs in a mount namespace whose root is the folder, so that every path and user of a unit is the one that
is written there, and nothing of this machine is changed: users stand in the folder's own /etc/passwd. What is not
applied is what only systemd can: system call filters, address families, limits of memory. Needs root.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import ROOT
from tests.folders import folder_for_everybody

UNITS = ROOT / "deploy" / "systemd"
SCALE = ROOT / "deploy" / "scale"
PROGRAM = ("assets", "pipelines", "schemas", "sql", "deploy", "dagster.yaml", "kcc.toml", "pyproject.toml")


def keys_of(unit: str | Path) -> dict[str, list[str]]:
    """The values of each key of a unit, and behind them those of the drop-in for all units, as systemd reads them.

    It is one of deploy/systemd/, a path, or of a template of deploy/scale/ the unit of a city: kcc-code@lier.service.
    """
    found: dict[str, list[str]] = {}
    of_a_city = re.fullmatch(r"(.+@)(\w+)(\.\w+)", str(unit))
    file = SCALE / f"{of_a_city[1]}{of_a_city[3]}" if of_a_city else UNITS / unit
    city = of_a_city[2] if of_a_city else "%i"
    for part in (file, *(UNITS / "kcc-.service.d").glob("*.conf")):
        for line in part.read_text(encoding="utf-8").replace("%i", city).splitlines():
            if "=" in line and not line.startswith("#"):
                key, value = line.split("=", 1)
                found.setdefault(key, []).append(value)
    return found


def free_port() -> int:
    """A port on this machine at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where a program is missing, or where the test may not become other users."""
    missing = [program for program in programs if shutil.which(program) is None]
    why = f"needs Debian's {', '.join(missing)}" if missing else "runs as other users, which only root may"
    return pytest.mark.skipif(bool(missing) or os.geteuid() != 0, reason=why)


def eventually(holds: Callable[[], Any], seconds: int = 180) -> Any:
    """What `holds` returns, as soon as it is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if found := holds():
                return found
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.25)
    raise AssertionError("it never came true")


class Server:
    """The server of the sample city, with no export yet; `ports` says at which ports its units listen instead."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.ports = {3000: free_port(), 3001: free_port()}
        for name in ("etc", "srv/kcc-marts", "usr", "proc", "dev", "tmp", "run", "var/tmp"):
            (folder / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (folder / name).symlink_to(f"usr/{name}")
        for name in PROGRAM:
            source, copy = ROOT / name, folder / "srv/kcc-marts" / name
            shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
        scripts = folder / "srv/kcc-marts/.venv/bin"
        scripts.mkdir(parents=True)
        for name in ("dagster", "dagster-daemon", "dagster-webserver"):
            (scripts / name).symlink_to(Path(sys.prefix) / "bin" / name)
        (scripts / "kcc").write_text(f'#!/bin/sh\nexec {sys.executable} -m pipelines.cli "$@"\n')
        (scripts / "kcc").chmod(0o755)
        (folder / "etc/pam.d").mkdir()
        (folder / "etc/pam.d/runuser").write_text(
            "auth sufficient pam_rootok.so\naccount required pam_permit.so\nsession required pam_permit.so\n"
        )
        # as the page says
        for file, place in (("sysusers.conf", "sysusers.d"), ("tmpfiles.conf", "tmpfiles.d")):
            (folder / "etc" / place).mkdir()
            shutil.copy(UNITS / file, folder / "etc" / place / "kcc-marts.conf")
        for program in (["systemd-sysusers"], ["systemd-tmpfiles", "--create"]):
            subprocess.run([*program, f"--root={folder}", "kcc-marts.conf"], check=True, capture_output=True)
        with (folder / "etc/passwd").open("a") as users, (folder / "etc/group").open("a") as groups:
            users.write("analyst:x:64201:64201::/:/bin/sh\nstranger:x:64202:64202::/:/bin/sh\n")
            groups.write("analyst:x:64201:\nstranger:x:64202:\n")
        group = (folder / "etc/group").read_text()
        (folder / "etc/group").write_text(re.sub(r"^kcc-readers:.*", r"\g<0>,analyst", group, flags=re.MULTILINE))
        shutil.copy(UNITS / "kcc.env", folder / "etc/kcc/kcc.env")
        text = (ROOT / "kcc.toml").read_text(encoding="utf-8")
        text = text.replace('"sample_exports"', '"/srv/kcc-exports"').replace(
            'data = "data"', 'data = "/var/lib/kcc/data"'
        )
        (folder / "etc/kcc/city.toml").write_text(text, encoding="utf-8")
        self.run("root", "sh", "-c", "chgrp kcc-readers /etc/kcc/city.toml; chmod 640 /etc/kcc/city.toml", check=True)

    def deliver(self, *names: str) -> None:
        """Lay exports of the sample city ready."""
        for name in names:
            file = self.root / "srv/kcc-exports" / name
            file.parent.mkdir(exist_ok=True)
            shutil.copy2(ROOT / "sample_exports" / name, file)

    def words(self, user: str, command: str, writable: list[str] | None = None) -> list[str]:
        """What runs a command of the shell as a user; where only some folders can be `writable`, if they are named."""
        python = {path for path in (sys.prefix, sys.base_prefix) if not path.startswith("/usr/")}
        mounts = ["mount --make-rprivate /", f"cd {self.root}", "mount --bind . .", "cd $PWD"]
        if writable is not None:
            mounts += [f"mount --bind .{path} .{path}" for path in writable if (self.root / path.lstrip("/")).exists()]
            mounts += ["mount -o remount,ro,bind ."]
        mounts += ["mount -t tmpfs -o mode=1777 tmpfs ./tmp"]
        for path in ("/usr", "/proc", "/dev", *sorted(python)):
            (self.root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
            mounts += [f"mkdir -p .{path}", f"mount --rbind {path} .{path}"]
        become = f"setpriv --reuid={user} --regid={user} --init-groups --no-new-privs --"
        inner = f"set -a; . /etc/kcc/kcc.env; set +a; umask 027; exec {'' if user == 'root' else become} {command}"
        return ["unshare", "--mount", "sh", "-ec", "\n".join([*mounts, f"exec chroot . sh -ec {shlex.quote(inner)}"])]

    def run(self, user: str, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, as a user."""
        return subprocess.run(
            self.words(user, shlex.join(words)), env=self._environment(), capture_output=True, text=True, check=check
        )

    def kcc(self, user: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `kcc` as /usr/local/bin/kcc does."""
        return self.run(user, "/srv/kcc-marts/deploy/kcc", *words)

    def may(self, user: str, what: str, path: str) -> bool:
        """Whether a user may `r` read, `w` write or `x` enter."""
        return self.run(user, "test", f"-{what}", path).returncode == 0

    def unit(self, name: str) -> str:
        """Run the command of a unit to its end, in its sandbox; returns what it said."""
        log = self.root / f"{name}.log"
        assert self.start(name, log).wait() == 0, log.read_text()
        return log.read_text().strip()

    def start(self, unit: str, log: Path) -> subprocess.Popen[bytes]:
        """Start the command of a unit as its user, in its sandbox."""
        said = keys_of(unit)
        for name in said.get("RuntimeDirectory", []):
            folder = f"/run/{name}"
            self.run("root", "install", "-d", "-o", said["User"][-1], "-m", said["RuntimeDirectoryMode"][-1], folder)
        for command in said.get("ExecStartPre", []):
            self.run(said["User"][-1], *shlex.split(command), check=True)
        writable = [path.removeprefix("-") for line in said.get("ReadWritePaths", []) for path in line.split()]
        writable += [f"/run/{name}" for name in said.get("RuntimeDirectory", [])]
        command = f"env --chdir={said.get('WorkingDirectory', ['/'])[-1]} {said['ExecStart'][-1]}"
        for declared, port in self.ports.items():
            command = command.replace(f"--port {declared}", f"--port {port}")
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.words(said["User"][-1], command, writable),
                env=self._environment(),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        for after in said.get("ExecStartPost", []):
            if "systemctl" not in after:
                # the main process is not yet its user's, and may not be asked
                self.run(said["User"][-1], *shlex.split(after.replace("$MAINPID", "$$")), check=True)
        return process

    @contextmanager
    def running(self, *units: str) -> Iterator[dict[str, Path]]:
        """Some units at work, and what they say; they are told to stop last first, and killed if they don't."""
        logs = {unit: self.root / f"{unit}.log" for unit in units}
        started = []
        try:
            for unit, log in logs.items():
                started.append(self.start(unit, log))
            yield logs
        finally:
            for process in reversed(started):
                process.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=20)
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def graphql(self, query: str, **variables: Any) -> Any:
        """What kcc-webserver.service answers."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[3000]}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - to ourselves
            return json.load(answer)["data"]

    def _environment(self) -> dict[str, str]:
        # an editable install leads to this project; the server has its own
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": "/srv/kcc-marts", "LANG": "C.UTF-8"}


@contextmanager
def at_work(
    words: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path, told_by: signal.Signals
) -> Iterator[None]:
    """A program at work in a folder, what it says in a log, until a signal tells it to stop."""
    with log.open("ab") as told:
        process = subprocess.Popen(words, env=environment, cwd=folder, stdout=told, stderr=told)
    try:
        yield
    finally:
        assert process.poll() is None, log.read_text()
        process.send_signal(told_by)
        process.wait(timeout=60)


@contextmanager
def server() -> Iterator[Server]:
    """A server below the system's folder for temporary files, gone afterwards."""
    with folder_for_everybody("kcc-server-") as folder:
        yield Server(folder)
