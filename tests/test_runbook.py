"""The runbook and the messages that name its headings, held together."""

from __future__ import annotations

import ast
import errno
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from assets import checks
from assets.canonical import NotCanonical
from assets.keys import asset_key
from assets.tripwires import TRIPWIRES, Blocked
from assets.verify import NotPublishable
from pipelines.alerts import events
from pipelines.failure import HEADINGS, Cause
from pipelines.lock import NightIsRunning
from pipelines.monitoring import Verdict
from pipelines.night import NightFailed, run_night
from pipelines.publishing import Warehouse
from pipelines.runbook import Heading, anchor, where
from pipelines.settings import ROOT, Settings, SettingsError, load_settings
from pipelines.space import NoSpace, told_if_full
from pipelines.status import NoStatus, status_of
from tests.city import APPOINTMENTS, CALLS, WEEK, call, publish, settings_of, write_calls
from tests.dagster_home import night_of_somebody_else

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
    settings = load_settings(ROOT / "kcc.toml")
    of_exports = checks.of_exports(asset_key(settings, "telephony_exports"))
    return {spec.name for spec in (*checks.of_warehouse(settings), *of_exports)}


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


def headings_in(*sentences: str | None) -> list[list[str]]:
    """Which headings each sentence names, if any."""
    return [re.findall(r"\(runbook: (.*?)\)", sentence or "") for sentence in sentences]


def told_of(settings: Settings) -> list[str]:
    """All that asks for action in what `kcc status` says."""
    status = status_of(settings)
    return [*status.not_in, *status.days, *status.warnings, *filter(None, (status.pinned, status.not_published))]


def test_each_line_of_kcc_status_that_asks_for_action_names_one_heading(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    write_calls(tmp_path, "2025-03-11", [call("2024-03-11 10:00:00", id="long ago")])
    write_calls(tmp_path, "2025-03-12", []).write_text("<html>\n")
    write_calls(tmp_path, "2025-03-13", []).write_text("")
    write_calls(tmp_path, "2025-03-14", [call("2025-03-14 10:00:00", id="later")])
    hours = [{"service_point": point, "valid_from": "2025-01-01", **WEEK} for point in ("telephone", "desk")]
    settings = settings_of(tmp_path, sources=[CALLS, APPOINTMENTS], hours=hours)
    publish(settings)
    warehouse = Warehouse.of(settings)
    warehouse.pin(warehouse.store.kept()[-1], None)
    held_back = publish(settings).not_published
    found = headings_in(*told_of(settings), held_back)
    assert all(len(named) == 1 for named in found), told_of(settings)
    assert {named for [named] in found} == {
        Heading.EXPORT_REFUSED,
        Heading.EXPORT_DEFERRED,
        Heading.SOURCE_WITHOUT_FILE,
        Heading.DAYS_WITHOUT_HOURS,
        Heading.DAYS_MISSING,
        Heading.OPEN_DAY_WITHOUT_CALLS,
        Heading.IS_PUBLISHED,
    }


def test_a_build_that_is_blocked_names_the_heading_of_the_tripwire_wherever_it_is_told(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-11", [call("2025-03-11 22:00:00", id=f"late {n}") for n in range(20)])
    settings = settings_of(tmp_path, sources=[CALLS])
    with pytest.raises(Blocked) as blocked:
        publish(settings)
    with pytest.raises(NoStatus) as told:
        status_of(settings)
    assert headings_in(str(blocked.value), str(told.value)) == [[Heading.ANSWERED_OUTSIDE_HOURS]] * 2
    refused = Warehouse.of(settings).refused()
    assert refused is not None
    alert = events.publication_blocked(settings, refused, datetime(2025, 3, 12))
    assert alert.text.endswith("\nRunbook: Publication blocked, docs/runbook.md#publication-blocked")
    assert "blocked by: answered_outside_hours, " in alert.text


@pytest.mark.parametrize(
    ("error", "heading"),
    [
        (NotPublishable("what is wrong"), Heading.ADDS_UP),
        (NotPublishable("what is wrong", "core.calls"), Heading.CONTRACT),
        (NotCanonical("what is wrong"), Heading.CONTRACT),
        (SettingsError("what is wrong"), Heading.SETTINGS_REFUSED),
    ],
)
def test_an_error_that_stops_a_night_names_its_heading(error: Exception, heading: Heading) -> None:
    assert str(error) == f"what is wrong (runbook: {heading})"


def test_a_full_disk_names_its_heading(tmp_path: Path) -> None:
    with pytest.raises(NoSpace) as full, told_if_full(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert headings_in(str(full.value)) == [[Heading.DISK_FULL]]


def test_a_failed_run_is_told_with_the_heading_of_its_cause_and_the_first_thing_to_do(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, sources=[CALLS])
    for causes, heading in (
        ([Cause("warehouse", "NoSpace")], Heading.DISK_FULL),
        ([Cause("report", "Failure"), Cause("warehouse", "MemoryError")], Heading.OUT_OF_MEMORY),
        ([Cause("warehouse", "KeyError")], Heading.RUN_FAILED),
        ([], Heading.PROCESS_KILLED),
    ):
        alert = events.run_failed(settings, "some run", causes, None, datetime(2025, 3, 12))
        assert alert.next_step == events.FIRST_STEPS[heading]
        assert alert.runbook == where(heading, None)


def test_a_night_without_its_exports_folder_names_the_heading(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, sources=[CALLS])
    with pytest.raises(NightFailed) as failed:
        run_night(settings)
    assert headings_in(str(failed.value)) == [[Heading.NO_EXPORTS_FOLDER]]


def test_a_night_beside_another_names_the_heading(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", [])
    settings = settings_of(tmp_path, sources=[CALLS])
    with night_of_somebody_else(settings.folders.data), pytest.raises(NightIsRunning) as running:
        run_night(settings)
    assert headings_in(str(running.value)) == [[Heading.ANOTHER_RUN]]
