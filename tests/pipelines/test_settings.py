"""The settings file: what a mistake in it is answered with, and which file and folders are taken.

Every refusal is one sentence that names the key, the value where there is one, and what is expected.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.settings import ROOT, Calendar, DuckLakeWarehouse, SettingsError, changed_settings, load_settings

CITY = """
[centre]
name = "Testdorp"
time_zone = "Europe/Brussels"
start = 2025-01-01

[folders]
exports = "exports"
data = "kept/data"

[rules]
short_abandon_seconds = 5

[[sources]]
name = "phone"
kind = "calls"
files = "calls_*.csv"
time_zone = "Europe/Brussels"
export = { pattern = 'calls_(?P<stamp>[0-9]{8})', format = "%Y%m%d", time = "20:00" }

[sources.columns]
call_id = "id"
outcome = "outcome"
arrived_at = { column = "arrived", format = "%Y-%m-%d %H:%M:%S" }

[sources.outcomes]
answered = "answered"

[[sources]]
name = "desk"
kind = "appointments"
files = "appointments_*.csv"
time_zone = "Europe/Brussels"
export = { at = 2025-03-31T20:00:00 }

[sources.columns]
appointment_id = "id"
service = "service"
planned_start = { column = "planned", format = "%Y-%m-%d %H:%M:%S" }

[[hours]]
service_point = "telephone"
valid_from = 2024-01-01
valid_to = 2025-06-30
monday = ["09:00-12:00", "13:00-16:00"]

[[hours]]
service_point = "telephone"
valid_from = 2025-07-01
monday = ["09:00-12:00"]

[[hours]]
service_point = "desk"
valid_from = 2024-01-01
monday = ["09:00-12:00"]

[calendar]
closures = [{ date = 2025-12-25, service_points = ["telephone", "desk"], kind = "holiday", reason = "Kerstmis" }]

[[clusters]]
cluster = "Wonen"
valid_from = 2024-01-01
services = ["premium"]

[action_plan]
norms = [
    { indicator = "missed_calls", operator = "<=", value = 20, valid_from = 2016-01-01, source = "fiche" },
    { indicator = "telephone_wait", operator = "<", value = 45, valid_from = 2016-02-01, source = "fiche" },
]
published_history = [{ indicator = "missed_calls", year = 2018, value = 11.70, source = "fiche" }]
"""


def city(folder: Path, old: str = "", new: str = "", text: str = CITY) -> Path:
    """A settings file with one piece of it replaced, at the first place where it stands."""
    assert old in text
    path = folder / "kcc.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings(path)
    sentence = str(refused.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    assert sentence.endswith(" (runbook: Settings refused)")
    return sentence.removeprefix(f"{path}: ").removesuffix(" (runbook: Settings refused)")


def without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KCC_SETTINGS", "KCC_EXPORTS", "KCC_DATA"):
        monkeypatch.delenv(name, raising=False)


# ── What is refused ──────────────────────────────────────────────────────────────────────────────

CALL_ZONE = 'files = "calls_*.csv"\ntime_zone = "Europe/Brussels"'
ONE_CLUSTER = 'cluster = "Wonen"\nvalid_from = 2024-01-01\n'
FORMER_CLUSTER = """cluster = "OCMW"
valid_from = 2024-01-01
valid_to = 2024-12-31
services = ["premium"]

[[clusters]]
"""
AT = "export = { at = 2025-03-31T20:00:00 }"

# what is changed, into what, then what the sentence must hold: key, value, and what is expected
REFUSED: dict[str, tuple[str, str, list[str]]] = {
    "an unknown key": ("short_abandon_seconds", "short_abandon", ["rules.short_abandon ", "5", "no such key"]),
    "an unknown section": ("[rules]", "[regels]", ["regels", "no such key"]),
    "an unknown key of a source": (AT, AT + '\nzone = "UTC"', ["sources[1].zone", "'UTC'", "no such key"]),
    "a key that is missing": ('name = "Testdorp"\n', "", ["centre.name", "required"]),
    "a negative threshold": (
        "short_abandon_seconds = 5",
        "short_abandon_seconds = -1",
        ["rules.short_abandon_seconds", "-1", "greater than or equal to 0"],
    ),
    "a zone that does not exist": (
        'time_zone = "Europe/Brussels"\nstart',
        'time_zone = "Europe/Brussel"\nstart',
        ["centre.time_zone", "'Europe/Brussel'", "expected an IANA time zone such as 'Europe/Brussels'"],
    ),
    "a fixed offset as the zone of a source": (
        CALL_ZONE,
        CALL_ZONE.replace("Europe/Brussels", "+01:00"),
        ["sources[0].time_zone", "'+01:00'", "expected an IANA time zone such as 'Europe/Brussels'"],
    ),
    "a source without a zone": (CALL_ZONE, 'files = "calls_*.csv"', ["sources[0].time_zone", "required"]),
    "a date that is none": ("start = 2025-01-01", 'start = "vandaag"', ["centre.start", "'vandaag'", "date"]),
    "an interval that ends before it begins": (
        "13:00-16:00",
        "16:00-13:00",
        ["hours[0].monday[1]", "'16:00-13:00'", "expected an interval such as '09:00-12:00', opening before it closes"],
    ),
    "an interval of no time": ("13:00-16:00", "13:00-13:00", ["hours[0].monday[1]", "'13:00-13:00'", "expected"]),
    "an interval beyond midnight": ("13:00-16:00", "13:00-24:01", ["hours[0].monday[1]", "'13:00-24:01'", "expected"]),
    "an interval in other words": ("13:00-16:00", "13u-16u", ["hours[0].monday[1]", "'13u-16u'", "expected"]),
    "intervals that overlap": ("13:00-16:00", "11:59-16:00", ["hours[0]", "monday", "'11:59-16:00'", "overlap"]),
    "intervals out of order": (
        '["09:00-12:00", "13:00-16:00"]',
        '["13:00-16:00", "09:00-12:00"]',
        ["hours[0]", "monday", "not in order"],
    ),
    "hours valid twice on a day": (
        "valid_to = 2025-06-30",
        "valid_to = 2025-07-01",
        ["hours of 'telephone' overlap", "valid to 2025-07-01", "again from 2025-07-01"],
    ),
    "hours without an end, followed by others": (
        "valid_to = 2025-06-30\n",
        "",
        ["hours of 'telephone' overlap", "again from 2025-07-01"],
    ),
    "a day without valid hours": (
        "valid_to = 2025-06-30",
        "valid_to = 2025-06-29",
        ["hours of 'telephone' have a gap", "after 2025-06-29", "before 2025-07-01"],
    ),
    "hours that end before they begin": (
        "valid_to = 2025-06-30",
        "valid_to = 2023-12-31",
        ["hours[0]", "valid_to 2023-12-31 lies before valid_from 2024-01-01"],
    ),
    "a cluster that ends before it begins": (
        ONE_CLUSTER,
        ONE_CLUSTER + "valid_to = 2023-12-31\n",
        ["clusters[0]", "valid_to 2023-12-31 lies before valid_from 2024-01-01"],
    ),
    # no day of it would be expected, and every period complete without it
    "a source that ends before it begins": (
        AT,
        AT + "\nvalid_from = 2025-02-01\nvalid_to = 2025-01-31",
        ["sources[1]", "valid_to 2025-01-31 lies before valid_from 2025-02-01"],
    ),
    "no hours for a service point that a source needs": (
        '[[hours]]\nservice_point = "desk"\nvalid_from = 2024-01-01\nmonday = ["09:00-12:00"]\n',
        "",
        ["hours", "none for 'desk'"],
    ),
    "hours of an unknown service point": (
        'service_point = "desk"',
        'service_point = "balie"',
        ["hours[2].service_point", "'balie'", "telephone|desk"],
    ),
    "a closure of an unknown service point": (
        '["telephone", "desk"]',
        '["telephone", "desk:Wonen"]',
        ["calendar.closures", "2025-12-25", "'desk:Wonen'", "has no hours"],
    ),
    "a closure for an unknown kind of reason": ('"holiday"', '"feest"', ["closures[0].kind", "'feest'", "'holiday'"]),
    "a monthly norm that starts within a month": (
        "2016-02-01",
        "2016-02-02",
        ["action_plan.norms[1]", "2016-02-02", "starts on the first of a month"],
    ),
    "a yearly norm that starts within a year": (
        "2016-01-01",
        "2016-07-01",
        ["action_plan.norms[0]", "2016-07-01", "starts on 1 January"],
    ),
    "a norm declared twice": (
        'indicator = "telephone_wait", operator = "<", value = 45, valid_from = 2016-02-01',
        'indicator = "missed_calls", operator = "<=", value = 19, valid_from = 2016-01-01',
        ["norms", "missed_calls", "2016-01-01", "declared twice"],
    ),
    "a norm of a cluster for what has none": (
        'indicator = "missed_calls", operator',
        'indicator = "missed_calls", cluster = "Wonen", operator',
        ["action_plan.norms[0]", "'cluster' is for visitor_wait"],
    ),
    "a norm of visitors without a cluster": (
        'indicator = "missed_calls", operator',
        'indicator = "visitor_wait", operator',
        ["action_plan.norms[0]", "'cluster' is for visitor_wait, and required there"],
    ),
    "a norm of an unknown cluster": (
        'indicator = "missed_calls", operator',
        'indicator = "visitor_wait", cluster = "Woning", operator',
        ["action_plan.norms", "'Woning'", "is not a cluster of [[clusters]]"],
    ),
    "a norm of a variant that has none": (
        'indicator = "missed_calls", operator',
        'indicator = "missed_calls", variant = "reported", operator',
        ["action_plan.norms[0].variant", "'reported'", "'headline' or 'action_plan'"],
    ),
    "money of a year declared twice": (
        "published_history =",
        "money = [{ year = 2024, budget = 1 }, { year = 2024, account = 1 }]\npublished_history =",
        ["money", "2024", "declared twice"],
    ),
    "an action that ends before it begins": (
        "published_history =",
        'actions = [{ code = "1", status = "bezig", from = 2025-01-01, to = 2024-12-31 }]\npublished_history =',
        ["action_plan.actions[0]", "to 2024-12-31 lies before from 2025-01-01"],
    ),
    "a service mapped twice at once": (
        "[action_plan]",
        '[[clusters]]\ncluster = "OCMW"\nvalid_from = 2025-01-01\nservices = ["premium"]\n\n[action_plan]',
        ["clusters", "service 'premium'", "overlap", "again from 2025-01-01"],
    ),
    "a call log without ids that does not replace its dates": (
        'call_id = "id"\n',
        "",
        ["sources[0]", "columns.call_id is missing", "replaces_dates = true"],
    ),
    "a pattern that is no regular expression": (
        "(?P<stamp>[0-9]{8})",
        "(?P<stamp>[0-9]{8}",
        ["sources[0].export.pattern", "'calls_(?P<stamp>[0-9]{8}'", "expected a regular expression"],
    ),
    "an exclusion that is no regular expression": (
        AT,
        AT + '\nexclude = [{ rule = "test", column = "service", matches = "(" }]',
        ["sources[1].exclude[0].matches", "'('", "expected a regular expression"],
    ),
    "an exclusion that says nothing": (
        AT,
        AT + '\nexclude = [{ rule = "test", column = "service" }]',
        ["sources[1].exclude[0]", "expected either 'values' or 'matches'"],
    ),
    "a pattern without a stamp": (
        "calls_(?P<stamp>[0-9]{8})",
        "calls_([0-9]{8})",
        ["sources[0].export", "'calls_([0-9]{8})'", "needs a group (?P<stamp>"],
    ),
    "a pattern without a format": ('format = "%Y%m%d", ', "", ["sources[0].export", "'format'"]),
    "a format without an hour, and no time": (', time = "20:00"', "", ["sources[0].export", "no hour", "'time'"]),
    "a time of day in other words": (
        'time = "20:00"',
        'time = "8 uur"',
        ["sources[0].export.time", "'8 uur'", "expected a time of day such as '16:00'"],
    ),
    "neither a pattern nor a moment": (AT, "export = {}", ["sources[1].export", "expected either 'at', or 'pattern'"]),
    "a moment with an offset": (
        AT,
        AT.replace("20:00:00", "20:00:00+01:00"),
        ["sources[1].export", "at: expected the centre's local time, without an offset"],
    ),
    "a source declared twice": ('name = "desk"', 'name = "phone"', ["sources", "'phone' is declared twice"]),
    "a source of an unknown kind": ('kind = "calls"', 'kind = "call"', ["sources[0]", "'call'", "'calls'"]),
    "a source without a kind": ('kind = "calls"\n', "", ["sources[0]", "'kind'"]),
    # pathlib can't look for the first, and would end the night with a traceback
    "files in a folder of their own": (
        'files = "calls_*.csv"',
        'files = "/data/calls_*.csv"',
        ["sources[0].files", "'/data/calls_*.csv'", "expected a pattern below the exports folder"],
    ),
    "files above the exports folder": (
        'files = "calls_*.csv"',
        'files = "../calls_*.csv"',
        ["sources[0].files", "'../calls_*.csv'", "expected a pattern below the exports folder"],
    ),
    "an outcome that means nothing": (
        'answered = "answered"',
        'answered = "beantwoord"',
        ["sources[0].outcomes.answered", "'beantwoord'", "'answered', 'missed' or 'other'"],
    ),
    "a status without the words that it may have": (
        'service = "service"',
        'service = "service"\nstatus = "status"',
        ["sources[1]", "columns.status", "[statuses] must say what its words mean"],
    ),
    "a day without a time, where only a planned day may be that": (
        'service = "service"',
        'service = "service"\nbooked_at = { column = "booked", format = "%Y-%m-%d", day_only = true }',
        ["sources[1].columns", "booked_at", "day_only"],
    ),
    "an encoding that is unknown": (
        AT,
        AT + '\ntext = { encoding = "utf-9" }',
        ["sources[1].text", "'utf-9' is not a known text encoding"],
    ),
    "an encoding that is not read line by line": (
        AT,
        AT + '\ntext = { encoding = "utf-16" }',
        ["sources[1].text", "'utf-16'", "export as utf-8 or cp1252"],
    ),
    "a share above the whole": (
        AT,
        AT + "\nmax_quarantined_share = 2",
        ["sources[1].max_quarantined_share", "2", "less than or equal to 1"],
    ),
    "a country without a calendar of holidays": (
        "[calendar]",
        '[calendar]\ncountry = "XX"',
        ["calendar", "country", "'XX'", "no calendar"],
    ),
    "a region without a calendar of holidays": (
        "[calendar]",
        '[calendar]\ncountry = "BE"\nsubdivision = "Lier"',
        ["calendar", "'BE Lier'", "no calendar"],
    ),
    "a format that is not known": (
        'kind = "calls"',
        'kind = "calls"\nformat = "5cx"',
        ["sources[0]", "format", "expected one of those for calls: 3cx_v20"],
    ),
    "a region without its country": (
        "[calendar]",
        '[calendar]\nsubdivision = "BY"',
        ["calendar", "subdivision", "'country'"],
    ),
    "a yearly holiday without its zeros": (
        "[calendar]",
        '[calendar]\nyearly = { "7-1" = "feest" }',
        ["calendar", "yearly", "'7-1'", "'07-11'"],
    ),
    "hours from a time before there were telephones": (
        'service_point = "desk"\nvalid_from = 2024-01-01',
        'service_point = "desk"\nvalid_from = 0001-01-01',
        ["hours[2]", "0001-01-01", "1900-01-01"],
    ),
    "a manifest that every export is": (AT, AT + '\nmanifest = ".csv"', ["sources[1]", "manifest", "'.csv'"]),
    "a doubt that does not exist": (
        AT,
        AT + '\nnot_misread = ["zone"]',
        ["sources[1].not_misread[0]", "'zone'", "'ids'"],
    ),
    "a yearly holiday that is no day": (
        "[calendar]",
        '[calendar]\nyearly = { "11-31" = "feest" }',
        ["calendar", "yearly", "'11-31'", "'07-11'"],
    ),
    "a tripwire that does not exist": (
        "[calendar]",
        '[tripwires]\naccepted = [{ tripwire = "missed", reason = "x", until = 2025-12-31 }]\n[calendar]',
        ["tripwires.accepted[0].tripwire", "'missed'", "'quiet_day'"],
    ),
    "an acceptance without an end": (
        "[calendar]",
        '[tripwires]\naccepted = [{ tripwire = "quiet_day", reason = "x" }]\n[calendar]',
        ["tripwires.accepted[0].until", "required"],
    ),
    "an acceptance without a reason": (
        "[calendar]",
        '[tripwires]\naccepted = [{ tripwire = "quiet_day", reason = "", until = 2025-12-31 }]\n[calendar]',
        ["tripwires.accepted[0].reason", "at least 1 character"],
    ),
    "an acceptance for a source that is not declared": (
        "[calendar]",
        '[tripwires]\naccepted = [{ tripwire = "quiet_day", source = "fax", reason = "x", until = 2025-12-31 }]\n'
        "[calendar]",
        ["tripwires.accepted", "'fax'", "not a source"],
    ),
    "a published figure declared twice": (
        "published_history = [",
        'published_history = [{ indicator = "missed_calls", year = 2018, value = 12, source = "fiche" }, ',
        ["published_history", "2018", "declared twice"],
    ),
    "a syntax error, by its line": ('name = "Testdorp"', "name = Testdorp", ["not valid TOML", "line 3"]),
}


@pytest.mark.parametrize(("old", "new", "parts"), REFUSED.values(), ids=REFUSED.keys())
def test_a_mistake_is_answered_with_one_sentence_that_names_it(
    tmp_path: Path, old: str, new: str, parts: list[str]
) -> None:
    sentence = refusal(city(tmp_path, old, new))
    assert [part for part in parts if part not in sentence] == []
    assert "more after this one" not in sentence


def test_of_several_mistakes_the_first_is_told_with_how_many_follow(tmp_path: Path) -> None:
    text = CITY.replace('name = "Testdorp"', 'nam = "Testdorp"').replace("13:00-16:00", "13u-16u")
    sentence = refusal(city(tmp_path, text=text))
    assert "centre.name" in sentence
    assert sentence.endswith("(2 more after this one)")


def test_what_is_no_mistake_is_accepted(tmp_path: Path) -> None:
    accepted = {
        "hours until midnight": ("13:00-16:00", "13:00-24:00"),
        "intervals that touch": ("13:00-16:00", "12:00-16:00"),
        "no ids, replaced by date": ('call_id = "id"\n', ""),
        "a cluster of one day": (ONE_CLUSTER, ONE_CLUSTER + "valid_to = 2024-01-01\n"),
        "a service that changes cluster": (ONE_CLUSTER, FORMER_CLUSTER + ONE_CLUSTER.replace("2024", "2025")),
        "a planned day without a time": (
            '"planned", format = "%Y-%m-%d %H:%M:%S"',
            '"planned", format = "%Y-%m-%d", day_only = true',
        ),
    }
    for why, (old, new) in accepted.items():
        text = CITY
        if why == "no ids, replaced by date":
            text = CITY.replace('kind = "calls"', 'kind = "calls"\nreplaces_dates = true')
        assert load_settings(city(tmp_path, old, new, text)).centre.name == "Testdorp", why


def test_settings_do_not_change_once_they_are_loaded(tmp_path: Path) -> None:
    settings = load_settings(city(tmp_path))
    with pytest.raises(ValidationError):
        settings.rules.short_abandon_seconds = Decimal(9)  # type: ignore[misc]


def test_the_settings_carry_their_text_and_its_hash_to_every_publication(tmp_path: Path) -> None:
    settings = load_settings(city(tmp_path))
    assert settings.text == CITY
    assert settings.sha256 == hashlib.sha256(CITY.encode()).hexdigest()
    assert load_settings(city(tmp_path, "Testdorp", "Testdorp ")).sha256 != settings.sha256


def test_a_figure_is_taken_as_it_is_written(tmp_path: Path) -> None:
    plan = load_settings(city(tmp_path)).action_plan
    assert [figure.value for figure in plan.published_history] == [Decimal("11.7")]


# ── Which file, which folders ────────────────────────────────────────────────────────────────────


def test_a_file_that_cannot_be_read_is_named_with_what_to_do(tmp_path: Path) -> None:
    missing = tmp_path / "elsewhere.toml"
    assert (
        refusal(missing)
        == "the settings can't be read (No such file or directory); set KCC_SETTINGS to the city's file"
    )
    assert refusal(tmp_path) == "the settings can't be read (Is a directory); set KCC_SETTINGS to the city's file"
    latin = tmp_path / "latin.toml"
    latin.write_bytes('[centre]\nname = "Café"\n'.encode("latin-1"))
    assert refusal(latin) == "the settings are not UTF-8 text; save the file as UTF-8"


def test_folders_count_from_the_settings_file_and_not_from_where_it_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_variables(monkeypatch)
    (tmp_path / "city").mkdir()
    city(tmp_path / "city")
    monkeypatch.chdir(tmp_path)
    folders = load_settings(Path("city/kcc.toml")).folders
    assert (folders.exports, folders.data) == (tmp_path / "city/exports", tmp_path / "city/kept/data")


def test_variables_take_the_place_of_the_folders_and_relative_ones_count_from_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_variables(monkeypatch)
    path = city(tmp_path)
    monkeypatch.setenv("KCC_EXPORTS", "/srv/exports")
    monkeypatch.setenv("KCC_DATA", "../data")
    folders = load_settings(path).folders
    assert folders.exports == Path("/srv/exports")
    assert folders.data.resolve() == tmp_path.parent.resolve() / "data"
    monkeypatch.setenv("KCC_EXPORTS", "")
    assert load_settings(path).folders.exports == tmp_path / "exports"


def test_the_settings_are_those_that_are_named_else_those_of_the_folder_else_the_projects_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_variables(monkeypatch)
    (tmp_path / "other").mkdir()
    city(tmp_path / "other", "Testdorp", "Anderdorp")
    monkeypatch.chdir(tmp_path)
    names = [load_settings().centre.name]
    city(tmp_path)
    names.append(load_settings().centre.name)
    monkeypatch.setenv("KCC_SETTINGS", "other/kcc.toml")
    names.append(load_settings().centre.name)
    names.append(load_settings(tmp_path / "kcc.toml").centre.name)
    assert names == ["Stad Waterbeke (verzonnen)", "Testdorp", "Anderdorp", "Testdorp"]
    assert load_settings().folders.exports == tmp_path / "other/exports"


def test_the_projects_own_settings_load(monkeypatch: pytest.MonkeyPatch) -> None:
    without_variables(monkeypatch)
    settings = load_settings(ROOT / "kcc.toml")
    assert settings.folders.exports == ROOT / "sample_exports"
    assert settings.folders.data == ROOT / "data"
    assert [source.name for source in settings.sources] == ["telephony", "appointments"]
    norms = {(norm.indicator, norm.cluster): (norm.operator, norm.value) for norm in settings.action_plan.norms}
    assert norms["visitor_wait", "Burgerzaken"] == ("<=", 1)
    assert len({cluster.cluster for cluster in settings.clusters}) == 6
    assert [figure.value for figure in settings.action_plan.published_history][2] == Decimal("11.70")
    money = {one.year: (one.budget, one.account) for one in settings.action_plan.money}
    assert money[2022] == (Decimal("9600"), Decimal("1276.44"))
    assert money[2023] == (Decimal("30000"), None)


# ── Which settings changed ───────────────────────────────────────────────────────────────────────


def test_changed_settings_are_named_by_their_keys_and_sources_by_their_names() -> None:
    before = CITY.replace("[rules]", "[tripwires]\nquiet_day_share = 0.1\n[rules]")
    after = CITY.replace(CALL_ZONE, CALL_ZONE.replace("Europe/Brussels", "Etc/UTC"))
    after = after.replace("short_abandon_seconds = 5", "half_days_are_working_days = false")
    after = after.replace("Kerstmis", "kerst").replace('["09:00-12:00"]', '["09:00-13:00"]')
    assert changed_settings(before, after) == [
        "calendar.closures",
        "hours",
        "rules.half_days_are_working_days",
        "rules.short_abandon_seconds",
        "sources.phone.time_zone",
    ]
    assert changed_settings(CITY, "# a remark\n" + CITY) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Testdorp", "Teststad"),
        ('data = "kept/data"', 'data = "elsewhere"'),
        ("value = 20", "value = 25"),
        ("[rules]", "[retention]\nversions = 3\n[rules]"),
        ("[rules]", "[tripwires]\nquiet_day_share = 0.1\n[rules]"),
        ("[rules]", "[alerts]\nstale_after_hours = 30\n[rules]"),
        ("[rules]", "[warehouse]\nkind = 'ducklake'\ncity = 'testdorp'\nfolder = 'lake'\n[rules]"),
    ],
    ids=["a name", "a folder", "a norm", "retention", "a tripwire", "alerts", "where the warehouse is"],
)
def test_settings_that_change_no_figure_are_not_named(old: str, new: str) -> None:
    assert changed_settings(CITY, CITY.replace(old, new)) == []


MAIL = """
[alerts.email]
host = "mail.stad.example"
sender = "kcc@stad.example"
recipients = ["wacht@stad.example"]
"""
HOOK = """
[[alerts.webhooks]]
name = "ops"
shape = "teams"
address_in = "KCC_TEAMS_WEBHOOK"
"""


def test_alerts_are_sent_nowhere_unless_a_channel_is_declared(tmp_path: Path) -> None:
    assert load_settings(city(tmp_path)).alerts.channels == []
    alerts = load_settings(city(tmp_path, text=CITY + MAIL + HOOK)).alerts
    assert len(alerts.channels) == 2
    assert alerts.events == ["run_failed", "publication_blocked", "warehouse_stale", "norm_newly_missed"]
    assert alerts.stale_after_hours == 26
    assert alerts.email is not None
    assert (alerts.email.port, alerts.email.security) == (587, "starttls")


@pytest.mark.parametrize(
    ("channel", "parts"),
    [
        (MAIL + 'password = "hunter2"', ["alerts.email: password: a secret is not written here"]),
        (HOOK + 'address = "https://hooks.example/hunter2"', ["alerts.webhooks[0]: address: a secret is not written"]),
        (HOOK.replace("KCC_TEAMS_WEBHOOK", "https://hooks.example/hunter2"), ["address_in: expected the name of an"]),
        (HOOK.replace("teams", "irc"), ["alerts.webhooks[0].shape", "'teams', 'slack' or 'zulip'"]),
        (HOOK + HOOK, ["alerts.webhooks: 'ops' is declared twice"]),
        (MAIL + 'security = "none"\nuser = "kcc"', ["alerts.email", "a password goes out encrypted or not at all"]),
        (MAIL.replace('"wacht@stad.example"', '"wacht"'), ["alerts.email.recipients[0]: String should match"]),
        (MAIL.replace('["wacht@stad.example"]', "[]"), ["alerts.email.recipients"]),
        ('[alerts]\nsmtp_password = "hunter2"', ["alerts.smtp_password: there is no such key"]),
        ('[alerts]\nwebhook = "https://hooks.example/hunter2"', ["alerts.webhook: there is no such key"]),
        ('[alerts]\nwebhooks = ["https://hooks.example/hunter2"]', ["alerts.webhooks[0]"]),
        (HOOK.replace("ops", "https://hunter2"), ["alerts.webhooks[0].name"]),
        (MAIL.replace("mail.stad.example", "smtp://kcc:hunter2@mail"), ["alerts.email.host"]),
        ("[alerts]\nstale_after_hours = 99999999999", ["alerts.stale_after_hours"]),
        ('[alerts]\nevents = ["run_succeeded"]', ["alerts.events[0]: Input should be 'run_failed'"]),
    ],
)
def test_a_mistake_in_the_alerts_is_one_sentence_that_tells_no_secret(
    tmp_path: Path, channel: str, parts: list[str]
) -> None:
    sentence = refusal(city(tmp_path, text=CITY + channel))
    assert [part for part in parts if part not in sentence] == []
    assert "hunter2" not in sentence


def test_holidays_are_those_of_the_country_and_of_the_city_by_date() -> None:
    calendar = Calendar(country="BE", yearly={"07-11": "Feest van de Vlaamse Gemeenschap", "02-29": "schrikkeldag"})
    holidays = dict(calendar.holidays(2024, 2025))
    assert holidays[date(2025, 7, 11)] == "Feest van de Vlaamse Gemeenschap"
    assert holidays[date(2025, 6, 9)] == "Pinkstermaandag"
    assert [day for day, name in holidays.items() if name == "schrikkeldag"] == [date(2024, 2, 29)]
    assert list(holidays) == sorted(holidays)
    assert Calendar().holidays(2024, 2025) == []


def test_the_folder_of_a_lake_counts_from_the_settings_file(tmp_path: Path) -> None:
    lake = "[warehouse]\nkind = 'ducklake'\ncity = 'testdorp'\nfolder = 'lake'\n[rules]"
    (tmp_path / "kcc.toml").write_text(CITY.replace("[rules]", lake))
    assert load_settings(tmp_path / "kcc.toml").warehouse == DuckLakeWarehouse(
        kind="ducklake", city="testdorp", folder=tmp_path / "lake"
    )


@pytest.mark.parametrize(
    ("warehouse", "said"),
    [
        ("city = 'lier'", "warehouse: it has no 'kind'; docs/settings.md lists them all"),
        ("kind = 'oracle'", "warehouse: its kind is 'oracle': expected one of 'file', 'ducklake'"),
        ("kind = 'ducklake'\nfolder = 'lake'", "warehouse.city: Field required"),
        ("kind = 'ducklake'\ncity = 'lier'", "warehouse.folder: Field required"),
        ("kind = 'file'\ncity = 'pg_lier'", "warehouse.city is 'pg_lier': expected a name such as 'lier'"),
        ("kind = 'file'\ncity = 'temp'", "such as 'lier': databases have taken this one"),
        ("kind = 'file'\ncity = 'Lier'", "warehouse.city is 'Lier': expected a name such as 'lier'"),
        ("kind = 'file'\ncity = 'l; drop'", "warehouse.city is 'l; drop': expected a name such as 'lier'"),
        ("kind = 'file'\nkeep_file = true", "warehouse.keep_file is True: there is no such key"),
    ],
)
def test_where_the_warehouse_is_must_be_told_in_full(tmp_path: Path, warehouse: str, said: str) -> None:
    (tmp_path / "kcc.toml").write_text(CITY.replace("[rules]", f"[warehouse]\n{warehouse}\n[rules]"))
    with pytest.raises(SettingsError, match=re.escape(said)):
        load_settings(tmp_path / "kcc.toml")
