"""`kcc init`: a city is set up by one export of each kind, and nothing that a file can't tell is guessed."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner, Result

from assets.adapters.formats import FORMATS
from assets.dry_run import check
from pipelines.cli import app
from pipelines.plain import printable
from pipelines.setting_up.asking import Untold
from pipelines.setting_up.city import week_of
from pipelines.setting_up.proposing import personal, proposed
from pipelines.setting_up.settings_file import toml, toml_key
from pipelines.setting_up.sniffing import look_at
from pipelines.setting_up.stamps import files_like, stamps_in
from pipelines.settings import ROOT, Settings, load_settings
from tests.city import TODAY

FIXTURES = {name: next((ROOT / "tests" / "formats").glob(f"{name}.*"), None) for name in FORMATS}
ZONE = ["--calls-zone", "Europe/Brussels"]
CITY = ["--name", "Testdorp", "--hours", "mo-fr 09:00-12:00,13:00-16:00"]
WORDS = [
    *("--outcome", "Opgenomen=answered", "--outcome", "Opgehangen=missed", "--outcome", "Bandje=missed:voicemail"),
    *("--direction", "IN=inbound", "--direction", "UIT=outbound"),
]

HEADER = "Gespreknr;Datum;Aanvang;Lijn;Richting;Afloop;Oproeper;Behandeld door;Wachttijd;Opmerking"


def record(number: int, day: str = "13/03/2025", **changes: str) -> str:
    """One record of a call log that nobody here has seen before."""
    fields = {
        "id": f"G-{number:04d}",
        "day": day,
        "clock": f"{9 + number % 7:02d}:{number % 60:02d}:05",
        "line": ("Burgerzaken", "Werk & Leven")[number % 2],
        "direction": "UIT" if number % 9 == 0 else "IN",
        "outcome": ("Opgenomen", "Opgenomen", "Opgehangen", "Bandje")[number % 4],
        "phone": f"0470 00 {number // 100 % 100:02d} {number % 100:02d}",
        "agent": ("Voorbeeld, An", "Fictief, Bo")[number % 2],
        "wait": f"00:00:{number % 60:02d}",
        "note": "" if number % 3 else "belt terug",
    }
    return ";".join({**fields, **changes}.values())


def export(
    folder: Path,
    lines: Sequence[str],
    name: str = "oproepen_20250331.csv",
    header: str = HEADER,
    encoding: str = "utf-8",
) -> Path:
    path = folder / name
    path.write_bytes("".join(f"{line}\r\n" for line in [header, *lines]).encode(encoding))
    return path


@pytest.fixture
def unknown(tmp_path: Path) -> Path:
    """A Dutch call log of no known format, of 60 calls on one day."""
    return export(tmp_path, [record(number) for number in range(60)])


def init(folder: Path, *words: str | Path, answers: str | None = None) -> Result:
    target = ["--settings", str(folder / "city.toml")]
    return CliRunner().invoke(app, ["init", *target, *map(str, words)], input=answers)


def written(folder: Path) -> Settings:
    return load_settings(folder / "city.toml")


def content(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "city.toml").read_text(encoding="utf-8"))


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.cli.is_somebody_there", lambda: True)


def refused(told: Result, sentence: str, folder: Path) -> None:
    """It ended with 2 and this in one sentence, and nothing was written."""
    assert told.exit_code == 2, told.output
    assert sentence in told.stderr
    assert told.stderr.count("\n") == 1
    assert not list(folder.glob("city.toml*"))


# ── Known formats ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [name for name, known in FORMATS.items() if known.kind == "calls" and FIXTURES[name]])
def test_an_export_of_a_known_format_is_set_up_and_then_sound(tmp_path: Path, name: str) -> None:
    fixture = FIXTURES[name]
    assert fixture is not None
    told = init(tmp_path, *CITY, *ZONE, "--calls", fixture, "--exported-at", "2025-03-31T20:00", "--yes")
    assert told.exit_code == 0, told.output
    settings = written(tmp_path)
    assert settings.sources[0].format == name
    assert check(fixture, settings, TODAY).is_sound
    assert f"{name} can't tell: " in told.stdout


def test_the_answer_of_kcc_check_is_shown_as_kcc_check_shows_it(tmp_path: Path) -> None:
    fixture = str(FIXTURES["3cx_v20"])
    told = init(tmp_path, *CITY, *ZONE, "--calls", fixture, "--exported-at", "2025-03-31T20:00", "--yes")
    checked = CliRunner().invoke(app, ["check", fixture, "--settings", str(tmp_path / "city.toml")])
    assert checked.exit_code == 0
    assert checked.stdout in told.stdout


def test_a_recognised_format_must_be_confirmed(tmp_path: Path) -> None:
    words = [*CITY, *ZONE, "--calls", str(FIXTURES["3cx_v20"]), "--exported-at", "2025-03-31T20:00"]
    refused(init(tmp_path, *words), "confirm it with --calls-format 3cx_v20, else say --calls-format none", tmp_path)
    assert init(tmp_path, *words, "--calls-format", "3cx_v20").exit_code == 0


def test_an_unknown_table_is_not_taken_for_a_log_without_a_header(tmp_path: Path, unknown: Path) -> None:
    told = init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", unknown, "--yes", "--export-time", "20:00")
    assert "no known format" in told.stdout
    assert written(tmp_path).sources[0].format is None


# ── An export that nobody has seen before ─────────────────────────────────────────────────────────


def test_an_unknown_dutch_call_log_is_set_up_by_flags_and_then_sound(tmp_path: Path, unknown: Path) -> None:
    told = init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", unknown, "--yes", "--export-time", "20:00")
    assert told.exit_code == 0, told.output
    (source,) = content(tmp_path)["sources"]
    assert source["files"] == "oproepen_*.csv"
    assert source["export"] == {"pattern": r"oproepen_(?P<stamp>\d{8})", "format": "%Y%m%d", "time": "20:00"}
    assert source["text"] == {"delimiter": ";"}
    assert source["columns"] == {
        "call_id": "Gespreknr",
        "outcome": "Afloop",
        "direction": "Richting",
        "queue": "Lijn",
        "arrived_at": {"column": ["Datum", "Aanvang"], "format": "%d/%m/%Y %H:%M:%S"},
        "wait_seconds": {"column": "Wachttijd", "unit": "clock"},
    }
    answer = check(unknown, written(tmp_path), TODAY)
    assert (answer.is_sound, answer.records["accepted"], answer.records["excluded"]) == (True, 53, 7)


def test_the_same_log_as_a_workbook_is_set_up_likewise(tmp_path: Path, unknown: Path) -> None:
    book = Workbook()
    for line in unknown.read_text(encoding="utf-8").splitlines():
        book.worksheets[0].append(line.split(";"))
    book.save(tmp_path / "oproepen_20250314.xlsx")
    workbook = tmp_path / "oproepen_20250314.xlsx"
    told = init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", workbook, "--yes", "--export-time", "20:00")
    assert told.exit_code == 0, told.output
    assert "no known format; a workbook" in told.stdout
    assert check(workbook, written(tmp_path), TODAY).is_sound


def test_nothing_of_persons_is_shown_or_written(tmp_path: Path, unknown: Path) -> None:
    told = init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", unknown, "--yes")
    everything = told.output + (tmp_path / "city.toml").read_text(encoding="utf-8")
    assert not [word for word in ("0470", "Voorbeeld", "Fictief", "belt terug", "G-00") if word in everything]
    assert "9999 99 99 99" in told.stdout


def test_what_looks_like_persons_is_never_proposed_as_what_is_published(tmp_path: Path) -> None:
    header = "id;wachtrij;dienst;kanaal;start;resultaat"
    rows = [
        f"04700000{n:02d};an{n}@voorbeeld.be;0470 00 00 {n:02d};Voorbeeld, An;2025-03-13 10:00:{n:02d};ja"
        for n in range(30)
    ]
    looks = look_at(export(tmp_path, rows, header=header))
    published = {"call_id", "queue", "appointment_id", "service", "booking_channel"}
    for kind in ("calls", "appointments"):
        assert not published & set(proposed(kind, looks))
    assert [personal(column) for column in looks.columns[:4]] == [
        "its values look like telephone numbers",
        "its values look like e-mail addresses",
        "its values look like telephone numbers",
        "its values look like names of persons",
    ]


def test_who_declares_such_a_column_all_the_same_is_warned(tmp_path: Path, unknown: Path) -> None:
    told = init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", unknown, "--yes", "--column", "queue=Oproeper")
    assert "Warning: 'Oproeper' is to be published as queue, but its values look like telephone numbers." in told.stdout


def test_names_of_agents_are_not_taken_for_words_whatever_is_declared(tmp_path: Path, unknown: Path) -> None:
    told = init(tmp_path, *CITY, *ZONE, "--calls", unknown, "--yes", "--column", "outcome=Behandeld door")
    refused(told, "'Behandeld door' can't be the outcome: its values look like names of persons", tmp_path)
    assert "Voorbeeld" not in told.output


def test_encoding_and_decimal_comma_are_seen(tmp_path: Path) -> None:
    rows = [f"a{n};2025-03-13 10:00:{n:02d};{n},5;réussi" for n in range(20)]
    looks = look_at(export(tmp_path, rows, header="id;début;attente;résultat", encoding="cp1252"))
    assert (looks.text.encoding, looks.text.decimal, looks.text.delimiter) == ("cp1252", ",", ";")
    assert proposed("calls", looks) == {
        "call_id": ["id"],
        "outcome": ["résultat"],
        "arrived_at": ["début"],
        "wait_seconds": ["attente"],
    }


def test_ids_with_zeros_before_them_are_no_telephone_numbers(tmp_path: Path) -> None:
    rows = [f"{n:08d};2025-03-13 10:00:{n:02d};ja" for n in range(20)]
    looks = look_at(export(tmp_path, rows, header="nr;start;resultaat"))
    assert proposed("calls", looks)["call_id"] == ["nr"]


def test_numbers_are_taken_for_seconds_and_that_is_left_to_confirm(tmp_path: Path) -> None:
    path = export(
        tmp_path, [f"a{n};2025-03-13 10:00:{n:02d};ja;{n}" for n in range(20)], header="id;start;resultaat;wacht"
    )
    told = init(tmp_path, *CITY, *ZONE, "--calls", path, "--yes", "--outcome", "ja=answered")
    assert "Whether the numbers in 'wacht' are seconds (wait_seconds)." in told.stdout


def test_a_moment_is_one_only_if_every_value_has_its_shape(tmp_path: Path) -> None:
    rows = [f"a{n};2025-03-13 10:00:{n:02d};ja" for n in range(20)]
    rows[7] = "a7;13 maart;ja"
    looks = look_at(export(tmp_path, rows, header="id;start;resultaat"))
    assert looks.columns[1].moments == ()
    assert "arrived_at" not in proposed("calls", looks)


def test_an_appointment_log_is_set_up_and_its_services_wait_to_be_sorted(tmp_path: Path) -> None:
    header = "Afspraaknummer;Product;Kanaal;Toestand;Aangemaakt;Gepland;Gestart;Klant"
    rows = []
    for n in range(40):
        service, channel = ("Reispas", '"Premie ""Wonen"""')[n % 2], ("Balie", "Website")[n % 2]
        status, started = (("Klaar", f"2025-03-13 {9 + n % 6:02d}:05"), ("Afwezig", "-"))[n % 2]
        rows.append(
            f"A{n:03d};{service};{channel};{status};"
            f"2025-03-01 10:{n:02d};2025-03-13 {9 + n % 6:02d}:00;{started};Persoon {n}"
        )
    path = export(tmp_path, rows, "afspraken-2025-03-31.csv", header)
    words = ["--status", "Klaar=completed", "--status", "Afwezig=no_show", "--cluster", "Burgerzaken=Reispas,Rijbewijs"]
    zone = ["--appointments-zone", "Europe/Brussels"]
    told = init(tmp_path, *CITY, *zone, *words, "--appointments", path, "--yes")
    assert told.exit_code == 0, told.output
    columns = content(tmp_path)["sources"][0]["columns"]
    assert columns["started_at"] == {"column": "Gestart", "format": "%Y-%m-%d %H:%M", "never": ["-"]}
    assert set(columns) == {
        *("appointment_id", "service", "booking_channel", "status", "booked_at", "planned_start", "started_at"),
    }
    assert check(path, written(tmp_path), TODAY).is_sound
    text = (tmp_path / "city.toml").read_text(encoding="utf-8")
    assert '#   "Premie \\"Wonen\\""\n' in text
    assert "To which clusters 1 services belong" in told.stdout
    assert "--cluster names the service 'Rijbewijs', which is not in the file" in told.stdout
    assert '"Klant"' not in text


def test_a_queue_of_words_with_capitals_is_no_person_and_a_column_of_unknown_use_may_be_one(tmp_path: Path) -> None:
    rows = [f"a{n};Sociale Dienst;An Voorbeeld;2025-03-13 10:00:{n:02d};ja" for n in range(30)]
    looks = look_at(export(tmp_path, rows, header="id;wachtrij;door;start;resultaat"))
    assert [personal(column) for column in looks.columns[1:3]] == [
        None,
        "its values look like what may be names of persons",
    ]
    assert proposed("calls", looks)["queue"] == ["wachtrij"]


# ── What is never guessed ─────────────────────────────────────────────────────────────────────────


def test_the_zone_of_clock_times_is_never_guessed(tmp_path: Path, unknown: Path) -> None:
    told = init(tmp_path, *CITY, *WORDS, "--calls", unknown, "--yes")
    refused(told, "say it with --calls-zone Europe/Brussels", tmp_path)


def test_moments_counted_from_1970_need_no_zone(tmp_path: Path) -> None:
    rows = [f"a{n};{1741856400 + n};Opgenomen" for n in range(20)]
    path = export(tmp_path, rows, header="id;start;resultaat")
    assert init(tmp_path, *CITY, *WORDS, "--calls", path, "--yes").exit_code == 0
    assert content(tmp_path)["sources"][0]["columns"]["arrived_at"] == {"column": "start", "format": "unix_seconds"}


def test_the_order_of_day_and_month_is_asked_where_the_values_do_not_tell(tmp_path: Path) -> None:
    path = export(tmp_path, [record(number, day="03/04/2025") for number in range(40)], "oproepen_20250430.csv")
    words = [*CITY, *ZONE, *WORDS, "--calls", path, "--yes"]
    told = init(tmp_path, *words)
    refused(told, "say it with --moment 'Datum+Aanvang=%d/%m/%Y %H:%M:%S' or", tmp_path)
    assert init(tmp_path, *words, "--moment", "Datum+Aanvang=%d/%m/%Y %H:%M:%S").exit_code == 0
    assert check(path, written(tmp_path), TODAY).is_sound


def test_one_column_that_tells_the_order_tells_it_for_its_neighbours(tmp_path: Path) -> None:
    rows = [f"a{n};03/04/2025 10:00;{13 + n % 10}/04/2025 11:00;ja" for n in range(20)]
    looks = look_at(export(tmp_path, rows, header="id;start;einde;resultaat"))
    assert [column.moments for column in looks.columns[1:3]] == [("%d/%m/%Y %H:%M",)] * 2


def test_what_words_mean_is_never_guessed(tmp_path: Path, unknown: Path) -> None:
    told = init(tmp_path, *CITY, *ZONE, "--calls", unknown, "--yes")
    refused(told, "--outcome 'Opgenomen=…' --outcome 'Opgehangen=…' --outcome 'Bandje=…'", tmp_path)


def test_columns_are_proposed_and_not_taken(tmp_path: Path, unknown: Path) -> None:
    told = init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", unknown)
    refused(told, "--column call_id=…, --column outcome=…, --column arrived_at=…", tmp_path)
    assert "or take what is proposed with --yes" in told.stderr


def test_columns_may_be_told_one_by_one(tmp_path: Path, unknown: Path) -> None:
    columns = ["call_id=Gespreknr", "arrived_at=Datum+Aanvang", "outcome=Afloop"]
    flags = [word for column in columns for word in ("--column", column)]
    assert init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", unknown, *flags).exit_code == 0
    assert list(content(tmp_path)["sources"][0]["columns"]) == ["call_id", "outcome", "arrived_at"]


def test_a_log_without_ids_replaces_its_dates(tmp_path: Path, unknown: Path) -> None:
    assert init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", unknown, "--yes", "--column", "call_id=").exit_code == 0
    assert content(tmp_path)["sources"][0]["replaces_dates"] is True
    assert check(unknown, written(tmp_path), TODAY).is_sound


# ── Names of files ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "files", "pattern", "formats"),
    [
        ("calls_20250310.csv", "calls_*.csv", r"calls_(?P<stamp>\d{8})", ("%Y%m%d",)),
        ("calls 2025-03-10.csv.gz", "calls *.csv.gz", r"calls (?P<stamp>\d{4}-\d{2}-\d{2})", ("%Y-%m-%d",)),
        ("13-03-2025.csv", "*.csv", r"(?P<stamp>\d{2}-\d{2}-\d{4})", ("%d-%m-%Y",)),
        ("x10-03-2025.csv", "x*.csv", r"x(?P<stamp>\d{2}-\d{2}-\d{4})", ("%d-%m-%Y", "%m-%d-%Y")),
        ("a_20250310_2015.csv", "a_*.csv", r"a_(?P<stamp>\d{8}_\d{4})", ("%Y%m%d_%H%M",)),
        (
            "[1]_2025-03-10T20-15-59.csv",
            "[[]1]_*.csv",
            r"\]_(?P<stamp>\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2})",
            ("%Y-%m-%dT%H-%M-%S",),
        ),
    ],
)
def test_the_name_of_an_export_tells_how_its_neighbours_are_called(
    name: str, files: str, pattern: str, formats: tuple[str, ...]
) -> None:
    (stamp,) = stamps_in(name)
    assert (files_like(name, [stamp]), stamp.pattern(is_last=False), stamp.formats) == (files, pattern, formats)


@pytest.mark.parametrize("name", ["calls.csv", "12345678.csv", "calls_20251399.csv", "calls_123456789.csv"])
def test_a_number_that_is_no_date_is_none(name: str) -> None:
    assert stamps_in(name) == []


@pytest.mark.parametrize(
    ("name", "sentence", "flags"),
    [
        ("calls.csv", "say it with --exported-at 2025-03-10T20:00", ["--exported-at", "2025-03-31T20:00"]),
        ("calls_01-04-2025.csv", "say it with --stamp '%d-%m-%Y' or --stamp '%m-%d-%Y'", ["--stamp", "%d-%m-%Y"]),
        ("calls_20250301-20250331.csv", "say it with --stamp first or --stamp last", ["--stamp", "last"]),
    ],
)
def test_a_name_that_does_not_tell_the_moment_of_the_export_names_the_flag(
    tmp_path: Path, name: str, sentence: str, flags: list[str]
) -> None:
    path = export(tmp_path, [record(number) for number in range(60)], name)
    words = [*CITY, *ZONE, *WORDS, "--calls", path, "--yes"]
    refused(init(tmp_path, *words), sentence, tmp_path)
    if "01-04-2025" in name:
        refused(init(tmp_path, *words, "--stamp", "%d/%m/%Y"), "'%d/%m/%Y' is none of %d-%m-%Y, %m-%d-%Y", tmp_path)
    assert init(tmp_path, *words, *flags).exit_code == 0
    assert check(path, written(tmp_path), TODAY).is_sound


def test_an_export_in_a_folder_of_the_exports_is_claimed_there(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "telefonie"
    folder.mkdir(parents=True)
    path = export(folder, [record(number) for number in range(60)])
    told = init(tmp_path, *CITY, *ZONE, *WORDS, "--exports", tmp_path / "in", "--calls", path, "--yes")
    assert told.exit_code == 0, told.output
    assert content(tmp_path)["folders"] == {"exports": "in", "data": "data"}
    assert content(tmp_path)["sources"][0]["files"] == "telefonie/oproepen_*.csv"
    assert check(path, written(tmp_path), TODAY).is_sound


def test_two_kinds_of_exports_that_are_called_alike_are_refused(tmp_path: Path, unknown: Path) -> None:
    visits = [f"A{n};2025-03-13 09:{n:02d}" for n in range(30)]
    path = export(tmp_path, visits, "oproepen_en_bezoek_20250331.csv", "afspraak id;gepland")
    both = ["--calls", unknown, "--appointments", path, "--appointments-zone", "Europe/Brussels"]
    told = init(tmp_path, *CITY, *ZONE, *WORDS, *both, "--yes")
    refused(told, "oproepen_en_bezoek_20250331.csv is called like exports of calls (oproepen_*.csv)", tmp_path)


# ── Hours ─────────────────────────────────────────────────────────────────────────────────────────


def test_hours_are_told_by_weekdays_in_english_or_dutch() -> None:
    assert week_of("ma-wo,vr 09:00-12:00, 13:00-16:00; th 09:00-19:00") == {
        "monday": ["09:00-12:00", "13:00-16:00"],
        "tuesday": ["09:00-12:00", "13:00-16:00"],
        "wednesday": ["09:00-12:00", "13:00-16:00"],
        "thursday": ["09:00-19:00"],
        "friday": ["09:00-12:00", "13:00-16:00"],
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mo-fr", "expected weekdays and hours"),
        ("xx 09:00-12:00", "'xx' is no weekday"),
        ("fr-mo 09:00-12:00", "a week begins on Monday"),
        ("mo 09:00-12:00; mo 13:00-16:00", "monday has hours already"),
        ("mo 12:00-09:00", "opening before it closes"),
        ("mo 09:00-12:00,11:00-16:00", "they overlap or are not in order"),
    ],
)
def test_hours_that_cannot_be_are_told_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Untold, match=sentence):
        week_of(text)


def test_the_desk_may_have_hours_of_its_own(tmp_path: Path, unknown: Path) -> None:
    path = export(
        tmp_path, [f"A{n};2025-03-13 09:{n:02d}" for n in range(30)], "bezoek_20250331.csv", "afspraak id;gepland"
    )
    both = ["--calls", unknown, "--appointments", path, "--appointments-zone", "Europe/Brussels"]
    told = init(
        tmp_path,
        *CITY,
        *ZONE,
        *WORDS,
        *both,
        "--yes",
        "--desk-hours",
        "tu 09:00-12:00",
        "--desk-hours",
        "do 09:00-19:00",
    )
    assert told.exit_code == 0, told.output
    phone, desk = written(tmp_path).hours
    assert (phone.service_point, desk.service_point) == ("telephone", "desk")
    assert (desk.monday, desk.tuesday, desk.thursday) == ([], [(540, 720)], [(540, 1140)])


# ── Nobody to ask, and somebody ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "name one with --calls FILE or --appointments FILE"),
        (["--calls", "gone.csv"], "gone.csv: there is no such file"),
        (["--calls", "."], ".: a folder, name a file in it"),
        (["--calls", "{unknown}", *CITY[2:]], "say it with --name"),
        (["--calls", "{unknown}", *CITY[:2], *ZONE, *WORDS, "--yes"], "say it with --hours"),
        (["--calls", "{unknown}", *CITY, *ZONE, "--yes", "--outcome", "Opgenomen=nice"], "'nice' is none of answered"),
        (["--calls", "{unknown}", *CITY, *ZONE, "--yes", "--column", "queue"], "expected two things with a = between"),
        (["--calls", "{unknown}", *CITY, *ZONE, "--yes", "--column", "fax=Lijn"], "'fax' is none of call_id"),
        (["--calls", "{unknown}", *CITY, *ZONE, "--yes", "--column", "queue=Fax"], "column 'Fax' for queue is not in"),
        (["--calls", "{unknown}", *CITY, "--calls-zone", "Brussel"], "'Brussel' is no IANA time zone"),
        (["--calls", "{unknown}", *CITY, "--calls-format", "4cx"], "'4cx' is none of 3cx_v20"),
        (["--calls", "{unknown}", *CITY, *ZONE, *WORDS, "--yes", "--cluster", "Wonen"], "expected a cluster and its"),
    ],
)
def test_without_a_terminal_what_is_missing_or_wrong_is_one_sentence(
    tmp_path: Path, unknown: Path, words: list[str], sentence: str
) -> None:
    words = [str(unknown) if word == "{unknown}" else word for word in words]
    if "--calls-zone" in words and "Brussel" in words:
        words += [*WORDS, "--yes"]
    refused(init(tmp_path, *words), sentence, tmp_path)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"", "the file is empty"),
        (b"\xff\xfea\x00;\x00", "its text is UTF-16"),
        (b"just a line\n", "is it a table of text at all?"),
        (b"PK\x03\x04,\x00\x00\n1,2\n", "this is not a text file"),
        (b"2025-03-10 10:00:00;x;1\n2025-03-10 10:00:00;x;1\n", "its first line holds values instead of names"),
        (b"id;start;resultaat\n1;2025-03-10 10:00:00;ja", "has no line end"),
    ],
)
def test_a_file_that_is_no_table_is_told_in_a_sentence(tmp_path: Path, file: bytes, sentence: str) -> None:
    path = tmp_path / "calls_20250331.csv"
    path.write_bytes(file)
    refused(init(tmp_path, *CITY, *ZONE, "--calls", path, "--yes"), sentence, tmp_path)


def test_a_settings_file_that_is_there_is_never_overwritten(tmp_path: Path, unknown: Path) -> None:
    there = tmp_path / "city.toml"
    there.write_text("mine", encoding="utf-8")
    told = init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", unknown, "--yes")
    assert (told.exit_code, told.stdout, there.read_text(encoding="utf-8")) == (2, "", "mine")
    assert "this file is there already, and is never overwritten" in told.stderr


@pytest.mark.usefixtures("at_a_terminal")
def test_at_a_terminal_everything_that_is_needed_is_asked(tmp_path: Path, unknown: Path) -> None:
    answers = [
        *(str(tmp_path / "none.csv"), str(unknown), "-"),  # no such file, the file; no appointments
        *("Testdorp", "", "", ""),  # name; zone, exports and data as offered
        *("25:00", "20:00"),  # when exports are made: no time, a time
        "y",  # what is proposed
        *("answered", "weg", "missed", "missed:voicemail"),  # words, one of them in vain
        *("", "outbound"),  # Inkomend is offered as inbound
        *("Brussel", ""),  # the zone
        *("altijd", "mo-fr 09:00-12:00,13:00-16:00"),
    ]
    told = init(tmp_path, answers="".join(f"{answer}\n" for answer in answers))
    assert told.exit_code == 0, told.output
    settings = written(tmp_path)
    assert settings.centre.name == "Testdorp"
    assert settings.sources[0].time_zone == "Europe/Brussels"
    assert check(unknown, settings, TODAY).is_sound


@pytest.mark.usefixtures("at_a_terminal")
def test_who_does_not_take_what_is_proposed_is_asked_for_each_column(tmp_path: Path, unknown: Path) -> None:
    columns = ["", "", "-", "-", "Fax", "", "-", "-", "-", "", "-", "-"]
    answers = ["n", *columns, "answered", "missed", "missed:voicemail"]
    words = [
        *CITY,
        *ZONE,
        "--time-zone",
        "Europe/Brussels",
        "--exports",
        "in",
        "--data",
        "data",
        "--export-time",
        "20:00",
    ]
    told = init(tmp_path, *words, "--calls", unknown, answers="".join(f"{answer}\n" for answer in answers))
    assert told.exit_code == 0, told.output
    assert list(content(tmp_path)["sources"][0]["columns"]) == ["call_id", "outcome", "arrived_at", "wait_seconds"]


@pytest.mark.usefixtures("at_a_terminal")
def test_who_goes_away_leaves_nothing_behind(tmp_path: Path, unknown: Path) -> None:
    refused(
        init(tmp_path, "--calls", unknown, answers="Testdorp\n"), "the answers ended, so nothing was written", tmp_path
    )


def test_a_real_terminal_is_asked(tmp_path: Path, unknown: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pipelines.cli", "init", "--settings", str(tmp_path / "city.toml")]
    words = [*CITY[2:], *ZONE, *WORDS, "--calls", str(unknown), "--yes", "--export-time", "20:00"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    process = subprocess.Popen(
        [*command, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=tmp_path, close_fds=True
    )
    os.close(theirs)
    os.write(ours, b"Testdorp\n\n\n\n")
    said = b""
    try:
        while block := os.read(ours, 4096):
            said += block
    except OSError:  # the other end is closed
        pass
    assert process.wait(60) == 0, said.decode(errors="replace")
    os.close(ours)
    assert b"The name of the contact centre" in said
    assert written(tmp_path).centre.name == "Testdorp"


# ── Hostile files ─────────────────────────────────────────────────────────────────────────────────

HOSTILE = [
    'quo"te',
    "back\\slash",
    "it's",
    "new\nline",
    "\x1b[31mred",
    "[bold]",
    "{{ 7 * 7 }}",
    "ü\u202eñ#=",
    "'''",
    "\x7f",
]


@pytest.mark.parametrize("text", [*HOSTILE, "".join(HOSTILE), "", " ", "# no comment", '"""'])
def test_whatever_is_quoted_is_read_back_to_the_letter(text: str) -> None:
    assert tomllib.loads(f"key = {toml(text)}")["key"] == text
    assert tomllib.loads(f"{toml_key(text)} = {toml([text, {text: text}])}") == {text: [text, {text: text}]}


@pytest.mark.parametrize("name", [name for name in HOSTILE if "\n" not in name])
def test_hostile_names_words_and_services_reach_neither_terminal_nor_toml(tmp_path: Path, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    header = f"afspraak id;gepland;dienst;{quoted}"
    rows = [f"A{n};2025-03-13 09:{n:02d};{quoted};{quoted}" for n in range(30)]
    path = export(tmp_path, rows, "bezoek_20250331.csv", header)
    told = init(
        *(
            tmp_path,
            *CITY[2:],
            "--name",
            name,
            "--appointments",
            path,
            "--appointments-zone",
            "Europe/Brussels",
            "--yes",
        ),
        *("--column", f"status={name}", "--status", f"{name}=completed"),
    )
    assert told.exit_code == 0, told.output
    assert written(tmp_path).centre.name == name
    source = content(tmp_path)["sources"][0]
    assert (source["columns"]["status"], source["statuses"]) == (name, {name: "completed"})
    assert told.output == "\n".join(printable(line) for line in told.output.split("\n"))
    assert "49" not in (tmp_path / "city.toml").read_text(encoding="utf-8")


def test_a_header_with_a_line_end_in_a_name_is_declared_to_the_letter(tmp_path: Path) -> None:
    path = export(
        tmp_path, [f"a{n};2025-03-13 10:00:{n:02d};ja" for n in range(20)], header='id;"start\nmoment";afloop'
    )
    told = init(tmp_path, *CITY, *ZONE, "--calls", path, "--yes", "--outcome", "ja=answered")
    assert told.exit_code == 0, told.output
    assert content(tmp_path)["sources"][0]["columns"]["arrived_at"]["column"] == "start\nmoment"
    assert check(path, written(tmp_path), TODAY).is_sound


# ── What is left ──────────────────────────────────────────────────────────────────────────────────


def test_at_the_end_stands_what_is_left_to_decide_and_the_next_command(tmp_path: Path, unknown: Path) -> None:
    told = init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", unknown, "--yes").stdout
    left = told[told.index("Left to decide") :]
    for words in (
        "closures and holidays of 2025",
        "norms",
        "short_abandon_seconds",
        "wait_starts_at",
        "`time` in `export`",
    ):
        assert words in left
    assert "kcc check --settings " in left
    assert "kcc run --settings " in left


def test_no_figure_is_made_up_for_the_city(tmp_path: Path, unknown: Path) -> None:
    init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", unknown, "--yes")
    settings = written(tmp_path)
    assert settings.action_plan.norms == []
    assert settings.calendar.closures == []
    assert settings.calendar.country == "BE"
    text = (tmp_path / "city.toml").read_text(encoding="utf-8")
    assert (
        '# { date = 2025-07-21, service_points = ["telephone"], kind = "holiday", reason = "Nationale feestdag" },'
        in text
    )
    assert '"indicatorenfiche: ≤ 20 %"' in text


def test_every_comment_that_offers_a_line_is_a_valid_line(tmp_path: Path, unknown: Path) -> None:
    init(tmp_path, *CITY, *ZONE, *WORDS, "--calls", unknown, "--yes")
    lines = (tmp_path / "city.toml").read_text(encoding="utf-8").splitlines()
    offers = (
        "# {",
        "# norms",
        "# [",
        "# ]",
        "#     {",
        "# cluster =",
        "# valid_from",
        "# services",
        "# wait_starts",
        "# desk",
    )
    uncommented = [
        line.replace("# ", "", 1) if line.strip().startswith((*offers, "# yearly", "# open_without")) else line
        for line in lines
    ]
    path = tmp_path / "all.toml"
    path.write_text("\n".join(uncommented) + "\n", encoding="utf-8")
    settings = load_settings(path)
    assert len(settings.calendar.closures) > 10
    assert len(settings.action_plan.norms) == 5
    assert settings.rules.desk_channels == ["Balie"]
