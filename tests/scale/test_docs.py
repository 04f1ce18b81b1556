"""What docs/many-cities.md has an analyst do, to the letter, as a user of PostgreSQL who may read and not write."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.settings import ROOT
from tests.city import publish
from tests.postgres import Postgres
from tests.scale.test_ducklake import city, deliver

PAGE = (ROOT / "docs" / "many-cities.md").read_text(encoding="utf-8")
WRITTEN = "host=db.example.be dbname=kcc_lake user=analyst"


def block(language: str, word: str) -> str:
    """The block of a language that says a word."""
    return next(text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if word in text)


@pytest.fixture
def analyst(tmp_path: Path, lake: Path, catalog: str, postgres: Postgres) -> Iterator[dict[str, str]]:
    """Two cities in a lake; the environment of an analyst who was granted both, with DuckDB's extensions installed."""
    for name, days in (("lier", 2), ("as", 3)):  # a city whose name SQL has a use for
        settings = city(tmp_path, lake, name)
        deliver(settings, days)
        publish(settings)
    grants = block("sql", "create user analyst_lier").replace("…", "geheim")
    for statement in grants.split(";")[:-1]:
        postgres.ask(catalog, statement.replace("analyst_lier", "analyst"))
        if "schema lier" in statement:
            postgres.ask(catalog, statement.replace("analyst_lier", "analyst").replace("schema lier", 'schema "as"'))
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "PGPASSWORD": "geheim"}
    run(block("python", "TemporaryDirectory"), environment, catalog)
    yield environment
    postgres.ask(catalog, "drop owned by analyst; drop user analyst")


def run(code: str, environment: dict[str, str], catalog: str) -> str:
    """What a program prints, with the address of this test in place of the page's."""
    port, database = re.findall(r":(\d+)/(\w+)$", catalog)[0]
    code = code.replace(WRITTEN, f"host=127.0.0.1 port={port} dbname={database} user=analyst")
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_cities_are_asked_at_once(analyst: dict[str, str], catalog: str) -> None:
    printed = run(block("python", "catalogs"), analyst, catalog)
    assert re.findall(r"│ (lier|as) +│ (\d{4})", printed) == [("as", "2025"), ("lier", "2025")]


def test_one_city_is_asked_as_a_file_is_and_an_older_version_by_its_name(analyst: dict[str, str], catalog: str) -> None:
    first, older = block("sql", "attach 'ducklake:"), block("sql", "lier.snapshots()").replace("=> 12", "=> 1")
    queries = [query for query in (first + older).split(";") if query.strip()]
    asked = [f"print(duckdb.sql({query!r}))" for query in queries]
    printed = run("\n".join(["import duckdb", "duckdb.sql('load ducklake; load postgres')", *asked]), analyst, catalog)
    assert "kcc_2" in printed
    assert re.search(r"│ +3 │", printed)
