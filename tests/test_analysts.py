"""docs/analysts.md does what it says: its queries give the answers that stand below them, its snippets run.

The city is the sample city, whose December was published once before the correction of 23 December came, so that there
is something restated. `make docs` writes the answers anew.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.settings import ROOT, load_settings
from tests.city import publish
from tests.pages import Generated

PAGE = ROOT / "docs" / "analysts.md"
LATE = Path("telephony/oproepen_20251223_correctie.csv")
WHOLE, SHOWN = 24, 5
"""An answer of so many rows is shown as a whole, a longer one by its first few."""
QUESTION = re.compile(
    r"""
    (?P<question>\#\#\#\ [^\n]+\n(?:(?!\n\#).)*?\n```sql\n(?P<sql>.*?)\n```\n)
    (?P<answer>\n(?:\|[^\n]*\n)+(?:\n\*\d+\ of\ [\d,]+\ rows\*\n)?)?
    """,
    re.DOTALL | re.VERBOSE,
)
"""A heading, a text, a query, and if there is one already the answer."""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample city's warehouse after two publications, in a folder laid out as the page has it."""
    folder = tmp_path_factory.mktemp("analysts")
    exports = folder / "exports"
    shutil.copytree(ROOT / "sample_exports", exports)
    settings = load_settings(ROOT / "kcc.toml")
    folders = settings.folders.model_copy(update={"exports": exports, "data": folder / "data"})
    settings = settings.model_copy(update={"folders": folders})
    (exports / LATE).unlink()
    publish(settings)
    shutil.copy(ROOT / "sample_exports" / LATE, exports / LATE)
    publish(settings)
    return folder / "data" / "warehouse" / "kcc.duckdb"


def shown(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).replace("|", r"\|")


def answer(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """The first rows of an answer as a table of Markdown."""
    asked = con.execute(query)
    names = [column[0] for column in asked.description or ()]
    rows = asked.fetchall()
    assert rows, query
    first = rows if len(rows) <= WHOLE else rows[:SHOWN]
    lines = [names, ["---"] * len(names), *([shown(value) for value in row] for row in first)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"\n{table}\n" + ("" if first is rows else f"\n*{SHOWN} of {len(rows):,} rows*\n")


def test_every_question_has_the_answer_that_the_page_shows(warehouse: Path, generated: Generated) -> None:
    text = PAGE.read_text(encoding="utf-8")
    with duckdb.connect(str(warehouse), read_only=True) as con:
        page = QUESTION.sub(lambda found: found["question"] + answer(con, found["sql"]), text)
    generated.hold(PAGE, page)
    assert len(QUESTION.findall(text)) >= 20


def test_the_snippets_of_python_run_beside_the_warehouse(warehouse: Path) -> None:
    snippets = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(snippets) == 2
    for snippet in snippets:
        ran = subprocess.run(
            [sys.executable, "-c", snippet], cwd=warehouse.parents[2], capture_output=True, text=True, check=False
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert "missed" in ran.stdout


def test_the_warehouse_can_be_attached_beside_other_data(warehouse: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (snippet,) = re.findall(r"```sql\n(attach .*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(warehouse.parents[2])
    with duckdb.connect() as con:
        assert len(con.execute(snippet).fetchall()) == 5
