"""The sample city through a real night: the figures that its generator knows, the ledger, the whole of `kcc run`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.settings import ROOT
from tests.sample import Night

TRUTH: dict[str, Any] = json.loads((Path(__file__).parent / "sample_truth.json").read_text())


def test_the_night_succeeds_and_prints_indicators_records_and_paths(first_night: Night) -> None:
    sample, night = first_night
    assert night.returncode == 0, night.stderr
    for expected in ("missed calls", "28.01 %", "13.11 %", "<= 20 ", "visitor wait, Wonen", "quarantined", "28,803"):
        assert expected in night.stdout
    assert str(sample.warehouse) in night.stdout
    assert "of 55 files" in night.stderr


def test_every_call_is_where_the_generator_knows_it_to_be(first_night: Night) -> None:
    sample, _ = first_night
    counted: dict[str, dict[str, Any]] = {}
    rows = sample.ask(
        """
        select
            strftime(arrived_date, '%Y-%m') as month,
            case
                when outcome = 'outside_hours' then closed_reason
                when outcome = 'excluded' then exclusion_rule
                else outcome
            end as place,
            count(*), coalesce(sum(wait_seconds) filter (outcome = 'answered') * 10, 0)::bigint,
            count(*) filter (outcome = 'outside_hours' and is_answered)
        from core.calls group by all
        """
    )
    for month, place, calls, tenths, outside_answered in rows:
        found = counted.setdefault(month, {"tenths": 0, "outside_answered": 0})
        found[place] = calls
        found["tenths"] += tenths
        found["outside_answered"] += outside_answered
    expected = {
        month: {
            "answered": true["inside_answered"],
            "missed": true["inside_missed"],
            **true["outside_by_reason"],
            **true["excluded"],
            "tenths": true["sum_wait_tenths"],
            "outside_answered": true["outside_answered"],
        }
        for month, true in TRUTH["calls"].items()
    }
    assert {month: _without_zeros(found) for month, found in counted.items()} == {
        month: _without_zeros(true) for month, true in expected.items()
    }


def test_every_visit_waited_as_the_generator_knows(first_night: Night) -> None:
    sample, _ = first_night
    rows = sample.ask(
        """
        select strftime(month, '%Y-%m'), cluster, visits, wait_seconds_sum::bigint
        from marts.visitor_wait_monthly where visits > 0
        """
    )
    assert {(month, cluster): (visits, seconds) for month, cluster, visits, seconds in rows} == {
        (month, cluster): (true["visits"], true["sum_wait_seconds"])
        for month, clusters in TRUTH["appointments"].items()
        for cluster, true in clusters.items()
        if true["visits"]
    }


def test_every_record_of_every_file_is_in_the_ledger(first_night: Night) -> None:
    sample, _ = first_night
    rows = sample.ask("select file_name, records from ops.ledger")
    assert {Path(name).name: records for name, records in rows} == {
        Path(name).name: records for name, records in TRUTH["records"].items()
    }


def test_a_second_night_changes_nothing_but_history(first_night: Night) -> None:
    sample, _ = first_night
    tables = [row[0] for row in sample.ask("select schema_name || '.' || table_name from duckdb_tables()")]
    same = [table for table in tables if table != "ops.publications"]

    def contents() -> dict[str, Any]:
        return {table: sample.ask(f"select count(*), bit_xor(hash(row)) from {table} as row") for table in same}

    before, published = contents(), sample.ask("select count(*) from ops.publications")[0][0]
    again = sample.kcc("run", "--quiet")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert contents() == before
    assert sample.ask("select count(*) from ops.publications") == [(published + 1,)]


def test_every_table_and_column_tells_what_it_means(first_night: Night) -> None:
    sample, _ = first_night
    assert sample.ask("select table_name from duckdb_tables() where comment is null") == []
    assert (
        sample.ask("select table_name, column_name from duckdb_columns() where comment is null and not internal") == []
    )


def test_nothing_personal_leaves_the_exports(first_night: Night) -> None:
    sample, night = first_night
    assert "+32 000" not in night.stdout + night.stderr
    for path in sample.folder.rglob("*"):
        if path.is_file() and "private" not in path.parts:
            content = path.read_bytes()
            for personal in (b"+32 000", b"agent-0", b"bezoeker-0"):
                assert personal not in content, path


def test_the_run_stands_in_dagsters_history_with_rows_by_day(first_night: Night) -> None:
    sample, _ = first_night
    before = Path.cwd()
    try:
        os.chdir(sample.home)
        with dg.DagsterInstance.from_config(str(sample.home)) as instance:
            runs = instance.get_runs()
            assert {(run.job_name, run.status.value) for run in runs} == {("nightly", "SUCCESS")}
            days = instance.get_materialized_partitions(dg.AssetKey("telephony_exports"))
            assert {"2025-02-01", "2026-01-02"} <= days
            latest = instance.get_latest_materialization_event(dg.AssetKey(["core", "calls"]))
            assert latest is not None
            assert latest.asset_materialization is not None
            assert latest.asset_materialization.metadata["dagster/row_count"].value == 30_010
    finally:
        os.chdir(before)


def test_json_is_for_machines(first_night: Night) -> None:
    sample, _ = first_night
    told = sample.kcc("run", "--json")
    assert told.returncode == 0
    content = json.loads(told.stdout)
    assert content["records"]["telephony"]["accepted"] == 28_803
    missed = content["indicators"][0]
    assert (missed["indicator"], missed["period"], missed["norm_met"]) == ("missed_calls", "2025-01-01", True)
    assert missed["value"] == pytest.approx(13.11, abs=0.005)
    assert missed["reported"] == pytest.approx(28.01, abs=0.005)


def test_a_settings_mistake_is_one_sentence_and_status_2(first_night: Night, tmp_path: Path) -> None:
    sample, _ = first_night
    wrong = tmp_path / "kcc.toml"
    wrong.write_text((ROOT / "kcc.toml").read_text().replace('time_zone = "Europe/Brussels"', 'time_zone = "Lier"', 1))
    told = sample.kcc("run", KCC_SETTINGS=str(wrong))
    assert told.returncode == 2
    assert told.stderr == (
        f"kcc: {wrong}: centre.time_zone is 'Lier': expected an IANA time zone such as 'Europe/Brussels' "
        "(runbook: Settings refused)\n"
    )


def _without_zeros(counts: dict[str, Any]) -> dict[str, Any]:
    return {key: count for key, count in counts.items() if count}
