"""No fault is silent: each faulty file ends as its table says, through the real reader and the real build."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.city import settings_of, warehouse
from tests.faulty_files import (
    APPOINTMENT_LOG,
    CALL_LOG,
    DAY_FIRST_LOG,
    FAULTS,
    LOG_WITHOUT_IDS,
    ONE_BYTE_LOG,
    Deferred,
    Exact,
    Fault,
    Log,
    Refused,
    Unnoticed,
    write_all,
)

LOGS = {
    "calls": CALL_LOG,
    "calls, days first": DAY_FIRST_LOG,
    "calls without ids": LOG_WITHOUT_IDS,
    "calls in cp1252": ONE_BYTE_LOG,
    "appointments": APPOINTMENT_LOG,
}


@dataclass(frozen=True)
class Outcome:
    """What became of one file: its row in the ledger, why records are in quarantine, and all that the others say."""

    ledger: dict[str, Any]
    reasons: list[str]
    records: Counter[tuple[Any, ...]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The outcome of every good and every faulty file, by name: each is the one export of a source of its own."""
    folder = tmp_path_factory.mktemp("faults")
    files = [Fault(name, lambda good: good, Exact(), log) for name, log in LOGS.items()] + FAULTS
    sources = []
    for number, file in enumerate(files):
        sources.append({**file.log.source, "name": f"s{number}", "files": f"{number}/{file.log.source['files']}"})
        path = folder / "exports" / str(number) / file.file_name
        path.parent.mkdir(parents=True)
        path.write_bytes(file.content)
    with warehouse(settings_of(folder, sources=sources)) as con:
        return {file.name: _outcome(con, f"s{number}", file.log) for number, file in enumerate(files)}


def _outcome(con: duckdb.DuckDBPyConnection, source: str, log: Log) -> Outcome:
    columns = [column for column, *_ in con.execute("describe ops.ledger").fetchall()]
    (row,) = con.execute("from ops.ledger where source = ?", [source]).fetchall()
    reasons = con.execute("select reason from ops.quarantine where source = ?", [source]).fetchall()
    kind = "call" if log.source["kind"] == "calls" else "appointment"
    unnamed = ", call_id" if log is LOG_WITHOUT_IDS else ""  # it is made of the file's own hash
    named_otherwise = f"file_id, line, source, {kind}_source{', file_name' if kind == 'call' else ''}{unnamed}"
    records = con.execute(
        f"select * exclude ({named_otherwise}) from staging.{kind}_states "
        "where source = ? and state in ('accepted', 'excluded')",
        [source],
    ).fetchall()
    return Outcome(dict(zip(columns, row, strict=True)), [reason for (reason,) in reasons], Counter(records))


def good(outcomes: dict[str, Outcome], log: Log) -> Outcome:
    return next(outcomes[name] for name, other in LOGS.items() if other is log)


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS.keys())
def test_the_good_files_are_loaded_with_every_record(outcomes: dict[str, Outcome], log: Log) -> None:
    outcome = good(outcomes, log)
    assert outcome.ledger["status"] == "loaded"
    assert outcome.ledger["records"] == outcome.records.total() == 200
    assert outcome.ledger["quarantined"] == 0


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_faulty_file_is_refused_deferred_or_exact_and_never_silently_another(
    outcomes: dict[str, Outcome], fault: Fault
) -> None:
    outcome, expected = outcomes[fault.name], good(outcomes, fault.log)
    ledger = outcome.ledger
    states = [ledger[state] for state in ("accepted", "excluded", "duplicates", "superseded", "quarantined")]
    assert sum(states) == ledger["records"]
    match fault.expected:
        case Refused(reason) | Deferred(reason):
            assert ledger["status"] == type(fault.expected).__name__.lower(), ledger["reason"]
            assert reason in ledger["reason"]
            assert ledger["records"] == 0
        case Exact(quarantined, lost, duplicates, reason):
            assert ledger["status"] == "loaded", ledger["reason"]
            assert outcome.records <= expected.records
            assert expected.records.total() - outcome.records.total() == lost
            assert (ledger["quarantined"], ledger["duplicates"], ledger["superseded"]) == (quarantined, duplicates, 0)
            assert all(reason in told for told in outcome.reasons)
            assert len(outcome.reasons) == quarantined
        case Unnoticed():
            assert ledger["status"] == "loaded"
            assert (ledger["quarantined"], ledger["duplicates"], ledger["superseded"]) == (0, 0, 0)
            assert outcome.records != expected.records


def test_there_are_many_faults_each_has_its_own_name_and_few_go_unnoticed() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 100
    assert sum(isinstance(fault.expected, Unnoticed) for fault in FAULTS) <= 6


def test_they_can_be_written_to_a_folder(tmp_path: Path) -> None:
    assert write_all(tmp_path) == len([path for path in tmp_path.rglob("*") if path.is_file()]) == len(FAULTS)
