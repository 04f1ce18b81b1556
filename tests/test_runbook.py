"""The runbook and the messages that name its headings, held together."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import get_args

import pytest

from assets import checks
from assets.tripwires import TRIPWIRES
from pipelines.alerts import events
from pipelines.failure import HEADINGS
from pipelines.monitoring import Verdict
from pipelines.runbook import Heading, anchor, where
from pipelines.settings import ROOT

PAGE = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
SECTIONS = {
    heading: body.partition("\n## ")[0]
    for heading, _, body in (section.partition("\n") for section in PAGE.split("\n### ")[1:])
}
REFUSALS = [
    *("_exchanged", "_no_plan", "_no_names", "_other_order", "_thousands", "_rounded", "_twice"),  # whole_file.py
    *("dated", "claimed_twice", "_made_at", "growing"),  # files.py
    *("difference", "_missing", "_unfinished", "_too_many"),
]
"""Functions that say in a sentence why a file is not taken, and leave it to others to raise it."""


@cache
def code(folder: str) -> dict[str, str]:
    """The modules of a folder, by name."""
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in (ROOT / folder).rglob("*.py")}


def sentences(node: ast.AST, constants: dict[str, str]) -> Iterator[str]:
    """The texts of several words in an expression, each value that is put into one as an ellipsis."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
        yield node.value
    elif isinstance(node, ast.Name) and node.id in constants:
        yield constants[node.id]
    else:
        for child in ast.iter_child_nodes(node):
            yield from sentences(child, constants)


def without_docstring(function: ast.FunctionDef) -> list[ast.stmt]:
    first = function.body[0]
    return function.body[isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) :]


@cache
def reasons() -> dict[str, str]:
    """Every reason for which a file is refused or deferred, and where in the code it is given."""
    found = {}
    for name, text in code("assets").items():
        module = ast.parse(text)
        constants = {
            target.id: node.value.value
            for node in module.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name) and isinstance(node.value.value, str)
        }
        for node in ast.walk(module):
            said: list[ast.AST] = []
            if isinstance(node, ast.Call):
                called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if called in ("FileRefused", "FileDeferred") or (called == "refuse" and "json" in name):
                    said = list(node.args)
            elif isinstance(node, ast.FunctionDef) and node.name in REFUSALS:
                said = [part for part in ast.walk(ast.Module(without_docstring(node), [])) if is_said(part)]
            for part in said:
                found |= dict.fromkeys(sentences(part, constants), f"{name} line {node.lineno}")
    return {text: place for text, place in found.items() if len(re.findall(r"[a-z]{2,}", text)) >= 2}


def is_said(node: ast.AST) -> bool:
    """Whether something is given back, or called a problem."""
    if isinstance(node, ast.Assign):
        return any(isinstance(t, ast.Name) and t.id in ("problem", "link", "unseen") for t in node.targets)
    return isinstance(node, ast.Return)


def rows(heading: Heading) -> list[str]:
    """What the reasons of the table below a heading say."""
    table = re.findall(r"^\| (`.*?) \| .* \|$", SECTIONS[heading], re.MULTILINE)
    return [said for row in table for said in re.findall(r"`([^`]+)`", row)]


def test_every_heading_that_the_code_knows_stands_in_the_runbook_and_no_other() -> None:
    assert [*Heading] == list(SECTIONS)


@pytest.mark.parametrize("heading", Heading)
def test_under_each_heading_stands_what_it_means_what_to_look_at_and_what_to_do(heading: Heading) -> None:
    assert re.findall(r"^\*\*(.+?):\*\*", SECTIONS[heading], re.MULTILINE) == ["Means", "Look at", "Do"]


@pytest.mark.parametrize("heading", Heading)
def test_each_heading_is_named_by_a_message(heading: Heading) -> None:
    """A check, a word of `kcc status --max-age`, and the alert that is told by its title are named by themselves."""
    by_themselves = {*check_names(), *get_args(Verdict)}
    texts = [text for name, text in (code("assets") | code("pipelines")).items() if name != "pipelines/runbook.py"]
    assert heading in by_themselves or any(f"Heading.{heading.name}" in text for text in texts)


def check_names() -> set[str]:
    return {spec.name for spec in (*checks.of_warehouse(), *checks.of_exports("telephony_exports"))}


def test_each_check_and_each_word_of_a_monitor_is_a_heading() -> None:
    assert check_names() | (set(get_args(Verdict)) - {"OK"}) <= set(Heading)
    assert set(TRIPWIRES) <= set(Heading)


def test_each_kind_of_alert_is_a_heading_and_each_reason_of_a_failed_run_has_a_first_step() -> None:
    assert {title.capitalize() for title in events.TITLES.values()} <= set(Heading)
    assert {*HEADINGS.values(), Heading.RUN_FAILED, Heading.PROCESS_KILLED} == set(events.FIRST_STEPS)


def test_each_reason_for_which_a_file_is_not_taken_stands_in_a_table_of_the_runbook() -> None:
    known = rows(Heading.EXPORT_REFUSED) + rows(Heading.EXPORT_DEFERRED)
    assert len(reasons()) > 70
    assert {text: place for text, place in reasons().items() if not any(said in text for said in known)} == {}


def test_no_row_of_those_tables_speaks_of_a_reason_that_there_is_not() -> None:
    known = rows(Heading.EXPORT_REFUSED) + rows(Heading.EXPORT_DEFERRED)
    assert [said for said in known if not any(said in text for text in reasons())] == []


def test_each_link_within_the_runbook_leads_to_a_heading_of_it() -> None:
    anchors = {anchor(heading) for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) <= anchors


def test_an_alert_names_the_address_of_its_heading_where_the_settings_know_it_else_the_file() -> None:
    assert where(Heading.DISK_FULL, None) == "Disk full, docs/runbook.md#disk-full"
    docs = "https://git.stad.example/kcc-marts/docs/"
    assert where(Heading.NOT_YOURS, docs) == f"Not yours to open, {docs}runbook.md#not-yours-to-open"
    assert where(Heading.CANNOT_BE_ASKED, None) == (
        "The warehouse can't be asked, docs/runbook.md#the-warehouse-cant-be-asked"
    )
