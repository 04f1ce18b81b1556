"""`kcc check`: what a night would do with a file, said before it is dropped into the exports folder."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assets.dry_run import CannotTellSource, Check, check
from assets.files import export_files
from pipelines.cli import app
from pipelines.settings import ROOT, Settings
from tests.city import (
    APPOINTMENT_HEADER,
    APPOINTMENTS,
    CALL_HEADER,
    CALLS,
    TODAY,
    appointment,
    call,
    settings_of,
    warehouse,
    write,
    write_appointments,
    write_calls,
)
from tests.faulty_files import FAULTS, Exact, Fault, Unnoticed

NIGHTLY = ROOT / "sample_exports" / "telephony" / "oproepen_20251219.csv"


def kcc(*words: str | Path, settings: Path = ROOT / "kcc.toml") -> Result:
    return CliRunner().invoke(app, ["check", *map(str, words), "--settings", str(settings)])


def checked(path: Path, settings: Settings, source: str | None = None) -> Check:
    """The check of a file, which leaves no trace."""
    before = sorted(settings.folders.data.parent.rglob("*"))
    answer = check(path, settings, TODAY, source)
    assert sorted(settings.folders.data.parent.rglob("*")) == before
    return answer


# ── As a night would ──────────────────────────────────────────────────────────────────────────────

TRIED = [fault for fault in FAULTS[::9] if not isinstance(fault.expected, Unnoticed)]


@pytest.mark.parametrize("fault", TRIED, ids=[fault.name for fault in TRIED])
def test_a_check_says_of_a_faulty_file_what_the_night_then_does(tmp_path: Path, fault: Fault) -> None:
    settings = settings_of(tmp_path, sources=[fault.log.source])
    path = tmp_path / "exports" / fault.file_name
    path.parent.mkdir()
    path.write_bytes(fault.content)
    answer = checked(path, settings)
    with warehouse(settings) as con:
        status, reason, *counts = con.execute(
            "select status, reason, records, accepted, excluded, duplicates, superseded, quarantined from ops.ledger"
        ).fetchall()[0]
        quarantine = con.execute(
            "select line, column_name, reason, pattern from ops.quarantine order by line"
        ).fetchall()
    assert (answer.status, answer.reason) == (status, reason)
    if status == "loaded":
        assert list(answer.records.values()) == counts
        assert [(told.line, told.column, told.reason, told.pattern) for told in answer.quarantined] == quarantine
    assert answer.is_sound == (isinstance(fault.expected, Exact) and fault.expected.quarantined == 0)


def test_a_record_on_a_day_without_declared_hours_is_found_too(tmp_path: Path) -> None:
    path = write_calls(tmp_path, "2025-03-31", [call("2025-03-10 10:00:00"), call("2023-12-31 10:00:00")])
    answer = checked(path, settings_of(tmp_path))
    assert [str(told) for told in answer.quarantined] == [
        "line 3, (arrival): arrived on a day for which the settings declare no opening hours of the telephone"
    ]


def test_a_file_of_which_too_much_is_quarantined_is_refused_and_its_records_are_told(tmp_path: Path) -> None:
    records = [call("2025-03-10 10:00:00", wait="5,5 s" if n < 30 else "5") for n in range(100)]
    answer = checked(write_calls(tmp_path, "2025-03-31", records), settings_of(tmp_path))
    assert answer.status == "refused"
    assert "30 of 100 records (30.0 %) can't be read" in str(answer.reason)
    assert answer.records["quarantined"] == 30
    assert len(answer.quarantined) == 20
    assert str(answer.quarantined[0]) == (
        "line 2, wait: not a number of seconds with decimal '.' (it looks like 9,9 a)"
    )


def test_a_file_is_checked_by_itself_whatever_was_read_before(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    write_calls(tmp_path, "2025-03-30", [call("2025-03-10 10:00:00", id="a")])
    with warehouse(settings):
        pass
    again = write(tmp_path, "calls_2025-03-31.csv", CALL_HEADER, [call("2025-03-10 10:00:00", id="a")] * 2)
    answer = checked(again, settings)
    assert (answer.records["accepted"], answer.records["duplicates"], answer.is_sound) == (1, 1, True)
    assert answer.exported_at_utc == datetime(2025, 3, 31, 18)


# ── For which source ──────────────────────────────────────────────────────────────────────────────


def test_the_name_says_for_which_source_a_file_is_taken_wherever_it_lies(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    elsewhere = write_calls(tmp_path / "downloads", "2025-03-31", [call("2025-03-10 10:00:00")])
    assert (checked(elsewhere, settings).source, checked(elsewhere, settings).is_sound) == ("phone", True)
    visits = write_appointments(tmp_path, "2025-03-31", [appointment("2025-03-10 10:00:00")])
    assert checked(visits, settings).source == "desk"


def test_where_the_name_fits_no_source_the_header_tells_and_no_night_would_take_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "downloads", "week 9 2025-03-31.csv", CALL_HEADER, [call("2025-03-10 10:00:00")])
    answer = checked(path, settings_of(tmp_path))
    assert answer.source == "phone"
    assert answer.not_seen == "no night would take it for 'phone', whose files are called calls_*.csv"
    assert not answer.is_sound


def test_where_the_name_fits_several_sources_the_header_tells(tmp_path: Path) -> None:
    sources = [{**CALLS, "files": "a/*.csv"}, {**APPOINTMENTS, "files": "b/*.csv"}]
    settings = settings_of(tmp_path, sources=sources)
    path = write(tmp_path / "downloads", "appointments_2025-03-31.csv", APPOINTMENT_HEADER, [])
    assert checked(path, settings).source == "desk"


def test_in_the_exports_folder_the_folder_counts_too(tmp_path: Path) -> None:
    sources = [{**CALLS, "files": "a/*.csv"}, {**CALLS, "name": "other", "files": "b/*.csv"}]
    settings = settings_of(tmp_path, sources=sources)
    path = write(tmp_path, "b/calls_2025-03-31.csv", CALL_HEADER, [])
    assert checked(path, settings).source == "other"


def test_a_file_in_the_exports_folder_that_two_sources_claim_is_refused_as_in_a_night(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, sources=[CALLS, {**CALLS, "name": "other", "files": "*.csv"}])
    answer = checked(write_calls(tmp_path, "2025-03-31", [call("2025-03-10 10:00:00")]), settings)
    (file,) = export_files(settings, TODAY)
    assert (answer.status, answer.reason) == ("refused", file.problem)


def test_where_several_sources_fit_it_must_be_said_which(tmp_path: Path) -> None:
    sources = [{**CALLS, "files": "a/*.csv"}, {**CALLS, "name": "other", "files": "b/*.csv"}]
    settings = settings_of(tmp_path, sources=sources)
    path = write(tmp_path / "downloads", "calls_2025-03-31.csv", CALL_HEADER, [])
    with pytest.raises(CannotTellSource, match=r"several sources fit \(phone, other\); say which it is with --source"):
        check(path, settings, TODAY)
    assert checked(path, settings, "other").source == "other"


def test_where_no_source_fits_it_must_be_said_which(tmp_path: Path) -> None:
    path = write(tmp_path / "downloads", "numbers.csv", "a;b", [])
    with pytest.raises(CannotTellSource, match=r"no source fits by name or header \(phone, desk\)"):
        check(path, settings_of(tmp_path), TODAY)


# ── On the command line ───────────────────────────────────────────────────────────────────────────


def test_a_sound_file_ends_with_0_and_its_counts() -> None:
    told = kcc(NIGHTLY)
    assert told.exit_code == 0
    assert told.stdout.splitlines()[1:] == [
        "  taken for an export of source 'telephony', made on 2025-12-19 at 20:00",
        "  119 records, 115 accepted, 4 excluded",
    ]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """The sample's export with 25 records of a word that nobody declared."""
    path = tmp_path / NIGHTLY.name
    path.write_text(NIGHTLY.read_text(encoding="utf-8").replace("Beantwoord", "0470123456", 25), encoding="utf-8")
    return path


def test_a_file_that_is_not_sound_ends_with_1_and_the_first_twenty_sentences(broken: Path) -> None:
    told = kcc(broken, NIGHTLY)
    assert told.exit_code == 1
    assert told.stdout.count("not one of the declared outcomes (it looks like 9999999999)") == 20
    assert "  and 5 more\n" in told.stdout
    assert "would be refused" in told.stdout
    assert "would be loaded" in told.stdout


def test_as_json_it_holds_the_same(broken: Path) -> None:
    (first, second) = json.loads(kcc(broken, NIGHTLY, "--json").stdout)
    assert (first["status"], first["is_sound"], first["records"]["quarantined"]) == ("refused", False, 25)
    assert (second["status"], second["is_sound"], second["source"]) == ("loaded", True, "telephony")


def test_no_value_is_told_only_its_shape(broken: Path) -> None:
    for more in ([], ["--json"]):
        assert "0470123456" not in kcc(broken, *more).output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["gone.csv"], "gone.csv: there is no such file"),
        (["."], ".: a folder, name the files in it"),
        (
            [NIGHTLY, "--source", "fax"],
            "there is no source 'fax' in the settings; they declare telephony, appointments",
        ),
    ],
)
def test_wrong_use_ends_with_2_and_a_sentence(words: list[str | Path], sentence: str) -> None:
    told = kcc(*words)
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr == f"kcc: {sentence}\n"


def test_settings_that_cannot_be_used_end_with_2(tmp_path: Path) -> None:
    assert kcc(NIGHTLY, settings=tmp_path / "none.toml").exit_code == 2


def test_a_file_that_no_source_takes_is_recognised_by_its_header(tmp_path: Path) -> None:
    fixture = ROOT / "tests" / "formats" / "3cx_v20.csv"
    with pytest.raises(CannotTellSource, match=r'exactly that of the call log of 3CX v20: format = "3cx_v20"'):
        check(fixture, settings_of(tmp_path), TODAY)
