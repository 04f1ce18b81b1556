"""What deploy/ and docs/deployment.md say is tried: units, users, the login before the UI, backup, restore, upgrade."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
import trustme
import yaml
from playwright.sync_api import expect, sync_playwright

from pipelines.settings import ROOT, load_settings
from schemas.tables import TABLES
from tests.server import UNITS, Server, keys_of, server

DEPLOY = ROOT / "deploy"
PAGE = ROOT / "docs" / "deployment.md"
HISTORY = ("ops.publications", "ops.restatements")
DATA = "/var/lib/kcc/data"
MOST_EXPOSED = 2.0
"""Of 10, by `systemd-analyze security`; a unit without hardening has 9.6."""


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip where a program is missing, or where the test may not become other users."""
    missing = [program for program in programs if shutil.which(program) is None]
    why = f"needs Debian's {', '.join(missing)}" if missing else "runs as other users, which only root may"
    return pytest.mark.skipif(bool(missing) or os.geteuid() != 0, reason=why)


@pytest.fixture(scope="module")
def city() -> Iterator[Server]:
    """A server that has had two nights, the second of which changed a figure of the first."""
    with server() as made:
        made.deliver("telephony/oproepen_20251219.csv", "appointments/afspraken_20251219.csv")
        assert made.kcc("root", "run").returncode == 0
        restate(made)
        yield made


def restate(made: Server) -> None:
    """A night with the exports of the next day, and with calls of a complete month that the first did not have."""
    made.deliver("telephony/oproepen_20251220.csv", "appointments/afspraken_20251220.csv")
    assert made.kcc("root", "run").returncode == 0


def contents(made: Server, data: str = DATA) -> dict[str, list[Any]]:
    """Every row of every published table."""
    with duckdb.connect(str(made.root / data.lstrip("/") / "warehouse/kcc.duckdb"), read_only=True) as con:
        return {table: con.execute(f"from {table} order by all").fetchall() for table in TABLES}
