"""Nights that do not go well: refused files, failed checks, two at once."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from typer.testing import CliRunner

import assets.verify
import assets.warehouse
import pipelines.alerts.telling
import pipelines.cli
from pipelines.lock import night_lock
from pipelines.night import dagster_instance
from pipelines.publishing import Warehouse
from pipelines.runs import DATA, OF_COMMAND_LINE
from pipelines.settings import ROOT, Settings
from schemas.tables import TABLES
from tests.city import call, publish, settings_of, write_calls
from tests.sample import City, small_city


@pytest.fixture
def small(tmp_path: Path) -> City:
    return small_city(tmp_path)


def test_a_refused_file_stays_out_the_others_are_published_and_the_night_ends_with_1(small: City) -> None:
    page = small.folder / "exports" / "telephony" / "oproepen_20251220.csv"
    page.write_text("<html><body>502 Bad Gateway</body></html>\n")
    night = small.kcc("run")
    assert night.returncode == 1
    assert night.stderr.splitlines()[-1] == (
        "not in: telephony/oproepen_20251220.csv was refused: line 1: column 'oproep_id' is not in the header of "
        "1 columns: did the export template change, or is ';' not its delimiter? (runbook: Export refused)"
    )
    assert small.ask("select count(*) > 0 from core.calls") == [(True,)]
    assert small.ask("select status, records from ops.ledger where file_name like '%1220.csv'") == [("refused", 0)]
    assert small.kcc("run", "-q").returncode == 1  # it is still not in

    page.write_bytes((ROOT / "sample_exports" / "telephony" / "oproepen_20251220.csv").read_bytes())
    assert small.kcc("run", "-q").returncode == 0
    assert small.ask("select status from ops.ledger where file_name like '%1220.csv' order by delivery") == [
        ("refused",),
        ("loaded",),
    ]


def test_a_failed_check_publishes_nothing_and_readers_keep_what_they_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path)
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    publish(settings)
    link = tmp_path / "data" / "warehouse" / "kcc.duckdb"
    published = link.readlink()

    monkeypatch.setitem(assets.verify.SUMS, "two and two are five", "select 1")
    with pytest.raises(assets.verify.NotPublishable, match="it does not hold that two and two are five"):
        publish(settings)
    assert link.readlink() == published
    assert [path.name for path in link.resolve().parent.iterdir()] == [published.name]
    with duckdb.connect(str(link), read_only=True) as con:
        assert con.execute("select run_id from ops.publications").fetchall() == [("11111111-run",)]


def test_a_wrong_zone_is_told_in_a_sentence_and_fails_its_check_in_dagster(
    small: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert small.kcc("run", "-q").returncode == 0
    published = small.ask("select version from ops.publications")
    wrong = small.folder / "wrong.toml"
    telephony = 'time_zone = "Europe/Brussels" # the zone of the clock'
    wrong.write_text((ROOT / "kcc.toml").read_text().replace(telephony, 'time_zone = "Asia/Dubai" #'))

    night = small.kcc("run", "-q", KCC_SETTINGS=str(wrong))
    assert night.returncode == 1
    assert "of the answered calls of source 'telephony' in December 2025 lie outside the opening hours" in night.stderr
    assert "Traceback" not in night.stderr
    assert small.ask("select version from ops.publications") == published
    status = small.kcc("status", KCC_SETTINGS=str(wrong))
    assert status.returncode == 1
    assert "not published: the build of" in status.stdout

    monkeypatch.chdir(small.home)  # the folders of its history are relative
    with dg.DagsterInstance.from_config(str(small.home)) as instance:
        run = instance.get_runs(limit=1)[0]
        evaluations = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    results = [log.dagster_event.asset_check_evaluation_data for log in evaluations if log.dagster_event is not None]
    assert {r.asset_key.to_user_string() for r in results if r.check_name == "contract" and r.passed} >= {
        table.replace(".", "/") for table in TABLES
    }
    blocking = {result.check_name: result for result in results}["answered_outside_hours"]
    assert (blocking.passed, blocking.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "is the zone or the calendar right?" in str(blocking.description)
    assert "| telephony | 2025-12 | Friday |" in str(blocking.metadata["by_weekday_and_hour"].value)


def test_a_table_that_breaks_its_contract_is_named_without_its_values(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        con.execute("create schema core")
        con.execute(
            """create table core.published_history as
            select 'missed_calls' as indicator, 2022::bigint as year, 1::decimal(18, 6) as value, 'secret' as unit,
                'fiche' as source"""
        )
        with pytest.raises(assets.verify.NotPublishable) as broken:
            assets.verify._contract(con, "core.published_history")
        assert "core.published_history.unit: 1 values break the rule isin" in str(broken.value)
        assert "secret" not in str(broken.value)


def test_a_night_that_breaks_off_leaves_no_half_a_version_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(tmp_path)
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(assets.warehouse, "finish", no_room)
    with pytest.raises(OSError, match="No space left"):
        publish(settings)
    left = [path.name for path in (tmp_path / "data" / "warehouse").rglob("*") if path.is_file()]
    assert left == ["not_published.json"]


def test_a_run_that_was_killed_is_ended_by_the_next_night_and_holds_up_no_queue(
    small: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.home)
    monkeypatch.setenv("DAGSTER_HOME", str(small.home))
    data = str((small.folder / "data").resolve())
    kinds = [{DATA: data, **OF_COMMAND_LINE}, {DATA: "/data/of/another/city", **OF_COMMAND_LINE}, {DATA: data}]
    with dagster_instance() as instance:
        ours, other, of_the_daemon = (
            instance.create_run_for_job(_nothing, status=dg.DagsterRunStatus.STARTED, tags=tags).run_id
            for tags in kinds
        )
    assert small.kcc("run", "-q").returncode == 0
    with dagster_instance() as instance:
        found = {run.run_id: run.status for run in instance.get_runs()}
    assert found[ours] == dg.DagsterRunStatus.FAILURE
    assert found[other] == dg.DagsterRunStatus.STARTED
    assert found[of_the_daemon] == dg.DagsterRunStatus.STARTED  # it may wait for the lock


@dg.job
def _nothing() -> None:
    pass


LOADED = """
import json, sys
from assets.report import nightly
made = nightly.make_reports_of_the_night
def make(settings):
    global before
    before = set(sys.modules)
    return made(settings)
nightly.make_reports_of_the_night = make
from pipelines.night import run_night
from pipelines.settings import load_settings
run_night(load_settings())
print(json.dumps([sorted(before), sorted(sys.modules)]))
"""


def test_a_night_loads_neither_pandas_nor_pyarrow_and_what_draws_and_writes_pages_only_for_its_report(
    small: City,
) -> None:
    night = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOADED],
        env=small.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = (set(names) for names in json.loads(night.stdout.splitlines()[-1]))
    assert {"pandas", "pyarrow"}.isdisjoint(after)
    assert {"matplotlib", "xlsxwriter"} <= after
    assert {"matplotlib", "PIL", "xlsxwriter", "openpyxl"}.isdisjoint(before)


def test_a_broken_history_of_dagster_is_one_sentence(small: City) -> None:
    assert small.kcc("run", "-q").returncode == 0
    (history,) = small.home.rglob("runs.db")
    history.write_bytes(b"this is no database, said 0999987654" * 200)
    told = small.kcc("run", "-q")
    assert told.returncode == 1
    assert told.stderr.startswith("kcc: the night broke off: sqlalchemy.exc.DatabaseError at ")
    assert len(told.stderr.splitlines()) == 1
    assert "0999987654" not in told.stderr


def test_a_night_that_published_does_not_take_the_next_that_is_at_work_for_its_own(
    small: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in small.environment.items():
        monkeypatch.setenv(name, value)

    def next_begins(settings: Settings, *_: object) -> list[str]:
        warehouse = Warehouse.of(settings)
        last = warehouse.history().last
        assert last is not None
        warehouse.refuse(last.model_copy(update={"version": "kcc_20991231T000000000000_next", "run_id": "next"}))
        return []

    monkeypatch.setattr(pipelines.alerts.telling, "tell_of_run", next_begins)
    told = CliRunner().invoke(pipelines.cli.app, ["run", "--json"])
    assert (told.exit_code, json.loads(told.stdout)["not_published"]) == (0, None)


def test_one_night_at_a_time(small: City) -> None:
    with night_lock(small.folder / "data", wait=False):
        told = small.kcc("run")
        assert told.returncode == 1
        assert "another run is at work" in told.stderr
    assert small.kcc("run", "-q").returncode == 0


def test_a_night_may_take_its_own_lock_again_in_a_step(tmp_path: Path) -> None:
    with night_lock(tmp_path, wait=False), night_lock(tmp_path, wait=True):
        pass
    with night_lock(tmp_path, wait=False):
        pass


def test_the_exports_of_some_days_are_taken_in_and_the_others_by_the_next_run(small: City) -> None:
    for day in ("20251220", "20251221", "20251222"):
        file = f"telephony/oproepen_{day}.csv"
        (small.folder / "exports" / file).write_bytes((ROOT / "sample_exports" / file).read_bytes())
    names = "select right(file_name, 8) from ops.ledger where source = 'telephony' order by 1"
    assert small.kcc("run", "-q", "--from", "2025-12-20", "--to", "2025-12-21").returncode == 0
    assert small.ask(names) == [("1220.csv",), ("1221.csv",)]
    assert small.kcc("run", "-q", "--from", "2025-12-22").returncode == 0
    assert small.ask(names) == [("1220.csv",), ("1221.csv",), ("1222.csv",)]
    assert small.kcc("run", "-q").returncode == 0
    assert small.ask(names) == [("1219.csv",), ("1220.csv",), ("1221.csv",), ("1222.csv",)]


def test_after_a_change_of_settings_a_run_over_some_days_reads_all_files_again(small: City) -> None:
    file = "telephony/oproepen_20251220.csv"
    (small.folder / "exports" / file).write_bytes((ROOT / "sample_exports" / file).read_bytes())
    assert small.kcc("run", "-q").returncode == 0
    voicemail = "select missed_reason, count(*) > 0 from core.calls where missed_reason = 'voicemail' group by all"
    assert small.ask(voicemail) == [("voicemail", True)]
    changed = small.folder / "changed.toml"
    settings = (ROOT / "kcc.toml").read_text()
    changed.write_text(
        settings.replace('Voicemail = { reported = "missed", reason = "voicemail" }', 'Voicemail = "missed"')
    )
    assert (
        small.kcc("run", "-q", "--from", "2025-12-20", "--to", "2025-12-20", KCC_SETTINGS=str(changed)).returncode == 0
    )
    assert small.ask(voicemail) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--from", "maart"], "--from 'maart' is no day such as 2025-03-01"),
        (["--to", "2024-12-31"], "--to 2024-12-31: exports are made from 2025-01-01 (centre.start) up to today"),
        (["--from", "2999-01-01"], "--from 2999-01-01: exports are made from 2025-01-01 (centre.start) up to today"),
        (["--from", "2025-03-02", "--to", "2025-03-01"], "--from 2025-03-02 lies after --to 2025-03-01"),
    ],
)
def test_days_that_are_none_are_said_in_a_sentence(small: City, words: list[str], sentence: str) -> None:
    told = small.kcc("run", *words)
    assert (told.returncode, told.stderr) == (2, f"kcc: {sentence}\n")


def test_no_exports_folder_is_said_in_a_sentence(small: City) -> None:
    told = small.kcc("run", KCC_EXPORTS="/nowhere")
    assert told.returncode == 1
    assert told.stderr == (
        "kcc: /nowhere: there is no such folder; set folders.exports or KCC_EXPORTS (runbook: No exports folder)\n"
    )


def test_help_shows_examples(small: City) -> None:
    told = small.kcc("run", "--help")
    assert told.returncode == 0
    assert "Examples" in told.stdout
    assert small.kcc("fly").returncode == 2
