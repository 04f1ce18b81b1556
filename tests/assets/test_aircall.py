"""Calls exports of Aircall, of its newest and its older headers. The fixtures are invented, in the vendor's shape.

The telephone of the city opens 9-12 and 13-16; 10 March 2025 is a Monday, and Brussels is an hour ahead of UTC.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from assets.adapters.aircall import AIRCALL, NEWEST, OLDER
from assets.adapters.declared import columns_of
from assets.adapters.formats import recognised
from assets.dry_run import check
from assets.records import Receipt
from pipelines.settings import ROOT, Settings, Tripwires
from tests.city import TODAY, read_all, settings_of, warehouse

FORMATS = ROOT / "tests" / "formats"
EXPORT = (FORMATS / "aircall.csv").read_text(encoding="utf-8")
OLDER_EXPORT = (FORMATS / "aircall_v2.csv").read_text(encoding="utf-8")
SOURCE: dict[str, Any] = {
    "name": "phone",
    "kind": "calls",
    "format": "aircall",
    "files": "calls_*.csv",
    "export": {"pattern": r"calls_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "22:00"},
}


def city(folder: Path, content: str = EXPORT, **changes: Any) -> Settings:
    """A city with one export of Aircall; what its source declares may change."""
    (folder / "exports").mkdir(exist_ok=True)
    (folder / "exports" / "calls_2025-03-10.csv").write_text(content, encoding="utf-8")
    return settings_of(folder, sources=[{**SOURCE, **changes}])


def exported(row: int = 0, content: str = EXPORT, **changes: str) -> str:
    """One row of an export, with other values in some columns; a blank in a column's name may be written as _."""
    rows = list(csv.DictReader(io.StringIO(content)))
    text = io.StringIO()
    out = csv.DictWriter(text, rows[0], lineterminator="\n")
    out.writeheader()
    out.writerow(
        rows[row] | {name.replace("_", " ") if name not in rows[0] else name: v for name, v in changes.items()}
    )
    return text.getvalue()


def ask(folder: Path, columns: str, content: str = EXPORT, **changes: Any) -> list[tuple[Any, ...]]:
    """Some columns of every call, in the order of arrival."""
    with warehouse(city(folder, content, **changes)) as con:
        return con.execute(f"select {columns} from core.calls order by arrived_at_utc").fetchall()


def receipt(folder: Path, content: str, **changes: Any) -> Receipt:
    (one,) = read_all(city(folder, content, **{"max_quarantined_share": 1, **changes})).receipts
    return one


# --- calls -----------------------------------------------------------------------------------------------------------


def test_an_export_becomes_calls_without_a_mapping_and_without_a_zone(tmp_path: Path) -> None:
    columns = "call_id[-1:], queue, outcome, reported_outcome, missed_reason, wait_seconds::double, exclusion_rule"
    assert ask(tmp_path, columns) == [
        ("1", "Burgerzaken", "answered", "answered", None, 44.0, None),
        ("2", "Wonen", "missed", "missed", "no_agent", 217.0, None),
        ("3", "Wonen", "missed", "missed", "menu", 12.0, None),
        ("4", "Wonen", "missed", "missed", "voicemail", 60.0, None),
        ("6", "Burgerzaken", "excluded", "answered", None, 7.0, "outbound"),
        ("7", "Burgerzaken", "missed", "missed", "callback", 40.0, None),
        ("8", "Burgerzaken", "missed", "missed", "menu", 5.0, None),
        ("5", "Burgerzaken", "outside_hours", "missed", "no_agent", 26.0, None),
    ]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("short_abandoned", "abandoned"),
        ("abandoned", "abandoned"),
        ("abandoned_in_classic", "abandoned"),
        ("abandoned_in_ivr", "menu"),
        ("agents_did_not_answer", "timeout"),
        ("no_available_agent", "no_agent"),
        ("out_of_opening_hours", "no_agent"),
        ("", "abandoned"),
    ],
)
def test_each_reason_of_aircall_is_one_of_ours(tmp_path: Path, word: str, reason: str) -> None:
    assert ask(tmp_path, "outcome, missed_reason", exported(1, missed_call_reason=word)) == [("missed", reason)]


@pytest.mark.parametrize(
    "changes",
    [{"missed_call_reason": "eaten_by_a_dog"}, {"answered": ""}, {"answered": "perhaps"}, {"direction": "sideways"}],
    ids=["a reason", "no answer to whether it was answered", "another answer to it", "a direction"],
)
def test_a_word_that_is_not_known_is_quarantined(tmp_path: Path, changes: dict[str, str]) -> None:
    assert receipt(tmp_path, exported(1, **changes)).quarantined == 1


def test_the_word_for_answered_may_be_in_any_case(tmp_path: Path) -> None:
    assert ask(tmp_path, "outcome", exported(0, answered="yes")) == [("answered",)]
    assert ask(tmp_path, "outcome", exported(1, answered="NO")) == [("missed",)]


def test_a_call_that_a_machine_talked_to_was_not_answered_whatever_is_said_of_it(tmp_path: Path) -> None:
    content = exported(0, call_type="AI Call")
    assert ask(tmp_path, "outcome, missed_reason", content) == [("missed", "menu")]


def test_whatever_a_machine_that_talks_is_called_it_is_no_person(tmp_path: Path) -> None:
    assert ask(tmp_path, "outcome, missed_reason", exported(0, **{"call type": "AI Voice Agent"})) == [
        ("missed", "menu")
    ]


def test_the_wait_counts_from_dialling_in_and_the_wait_in_the_queue_without_the_menu(tmp_path: Path) -> None:
    columns = "wait_seconds::double, queue_wait_seconds::double, is_wait_lower_bound"
    answered, missed, *_ = ask(tmp_path, columns)
    assert (answered, missed) == ((44.0, 29.0, False), (217.0, None, False))


def test_answer_and_end_are_told_by_the_durations(tmp_path: Path) -> None:
    columns = "answered_at_utc::varchar, ended_at_utc::varchar"
    answered, missed, *_ = ask(tmp_path, columns)
    assert answered == ("2025-03-10 09:00:49", "2025-03-10 09:08:55")
    assert missed == (None, "2025-03-10 09:13:37.083")


@pytest.mark.parametrize(
    "changes",
    [{"duration (total)": "long"}, {"duration (in call)": "long"}, {"waiting time": "44"}, {"time to answer": "29"}],
    ids=["in all", "in the call", "of waiting", "to the answer"],
)
def test_a_duration_that_cannot_be_read_is_quarantined(tmp_path: Path, changes: dict[str, str]) -> None:
    assert receipt(tmp_path, exported(0, **changes)).quarantined == 1


def test_a_call_that_aircall_says_came_outside_hours_is_marked_and_an_answered_one_never_is(tmp_path: Path) -> None:
    with warehouse(city(tmp_path)) as con:
        marked = con.execute("select call_id[-1:] from core.calls where is_marked_outside_hours").fetchall()
        unmarked = con.execute("select count(*) from core.calls where not is_marked_outside_hours").fetchall()
    assert (marked, unmarked) == ([("5",)], [(7,)])


def test_a_voicemail_left_outside_hours_stays_marked(tmp_path: Path) -> None:
    content = exported(4, voicemail="https://calls.example/5/voicemail")
    assert ask(tmp_path, "missed_reason, is_marked_outside_hours", content) == [("voicemail", True)]


def test_a_call_that_aircall_turned_away_while_we_were_open_is_asked_about(tmp_path: Path) -> None:
    settings = city(tmp_path, exported(1, missed_call_reason="out_of_opening_hours"))
    strict = settings.model_copy(update={"tripwires": Tripwires(hours_disagree_calls=1)})
    with warehouse(strict) as con:
        (sentence,) = con.execute("select sentence from ops.tripwires where tripwire = 'hours_disagree'").fetchall()
    assert "marks 1 of its calls as outside opening hours that arrived inside ours" in sentence[0]
    assert "most on Mondays 10-11 h" in sentence[0]


# --- clocks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Etc/UTC", "Australia/Melbourne", "Europe/Brussels", "No/Such_Zone", ""])
def test_the_zone_of_a_line_does_not_move_a_call(tmp_path: Path, zone: str) -> None:
    content = exported(0, number_timezone=zone)
    assert ask(tmp_path, "arrived_at_utc::varchar", content) == [("2025-03-10 09:00:05",)]


def test_the_zone_of_the_settings_does_not_move_a_call(tmp_path: Path) -> None:
    for zone in ("Europe/Brussels", "Asia/Dubai"):
        calls = ask(tmp_path, "arrived_at_utc::varchar, arrived_local::varchar", time_zone=zone)
        assert calls[0] == ("2025-03-10 09:00:05", "2025-03-10 10:00:05")


def test_a_line_whose_two_clocks_disagree_is_taken_at_its_word_in_utc(tmp_path: Path) -> None:
    content = exported(0, **{"datetime (tz offset incl.)": "2025-03-10 17:00:05", "number timezone": "Europe/Brussels"})
    assert ask(tmp_path, "arrived_at_utc::varchar", content) == [("2025-03-10 09:00:05",)]


def test_arrivals_with_and_without_milliseconds_stand_in_one_file(tmp_path: Path) -> None:
    arrivals = ask(tmp_path, "arrived_at_utc::varchar")
    assert arrivals[:2] == [("2025-03-10 09:00:05",), ("2025-03-10 09:10:00.083",)]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "no arrival, so the call belongs to no day"),
        ("10/03/2025 09:00", "not in the format %Y-%m-%d %H:%M:%S%.f%z"),
        ("2025-03-10T09:00:05", "not in the format %Y-%m-%d %H:%M:%S%.f%z"),
    ],
    ids=["empty", "as a spreadsheet shows it", "in another shape"],
)
def test_an_arrival_that_is_not_as_aircall_writes_it_is_quarantined(tmp_path: Path, value: str, reason: str) -> None:
    with warehouse(city(tmp_path, exported(0, **{"datetime (utc)": value}), max_quarantined_share=1)) as con:
        assert con.execute("select column_name, reason from ops.quarantine").fetchall() == [("arrived (utc)", reason)]


# --- headers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [str.upper, str.title, str.lower], ids=["upper", "title", "lower"])
def test_the_case_of_the_header_may_be_any(tmp_path: Path, case: Any) -> None:
    header, rest = EXPORT.split("\n", 1)
    one = receipt(tmp_path, f"{case(header)}\n{rest}")
    assert (one.status, one.records, one.quarantined) == ("loaded", 8, 0)


@pytest.mark.parametrize(
    ("found", "becomes", "difference"),
    [
        (
            "Waiting Time",
            "Queue Time",
            "column 28 is `Queue Time`; the calls export of Aircall has `waiting time` there: "
            "did the export template change?",
        ),
        (
            ",Ai Voice Agent Transfer Branch",
            "",
            "40 columns, where the calls export of Aircall has 41: did the export template change?",
        ),
    ],
    ids=["a column renamed", "a column less"],
)
def test_another_header_refuses_the_file_and_names_the_difference_as_it_is_written(
    tmp_path: Path, found: str, becomes: str, difference: str
) -> None:
    header, rest = EXPORT.split("\n", 1)
    one = receipt(tmp_path, f"{header.title().replace(found, becomes)}\n{rest}")
    assert (one.status, one.reason) == ("refused", f"line 1: {difference}")


def test_each_generation_is_recognised_in_any_case() -> None:
    for header, name in ((NEWEST, "aircall"), (OLDER, "aircall_v2"), ((*OLDER, "ivr branch"), "aircall_v2")):
        told = recognised([column.upper() for column in header]).sentence
        assert told is not None
        assert told.endswith(f'format = "{name}"')


def test_a_header_that_changed_is_recognised_as_almost_aircalls_in_any_case() -> None:
    told = recognised([column.upper() for column in (*NEWEST[:27], "queue time", *NEWEST[28:])]).sentence
    assert told is not None
    assert "almost that of the calls export of Aircall" in told
    assert "column 28 is `QUEUE TIME`" in told


def test_a_file_of_any_name_is_checked_as_the_source_whose_format_its_header_is(tmp_path: Path) -> None:
    path = tmp_path / "download.csv"
    path.write_text(EXPORT.split("\n", 1)[0].title() + "\n" + EXPORT.split("\n", 1)[1], encoding="utf-8")
    once = {"export": {"at": "2025-03-10T22:00:00"}}
    older_source = {**SOURCE, **once, "name": "before", "files": "before_*.csv", "format": "aircall_v2"}
    found = check(path, settings_of(tmp_path, sources=[older_source, {**SOURCE, **once}]), TODAY)
    assert (found.source, found.status, found.records["records"]) == ("phone", "loaded", 8)


# --- the older headers -----------------------------------------------------------------------------------------------


def older(content: str = OLDER_EXPORT) -> dict[str, Any]:
    return {"content": content, "format": "aircall_v2"}


def test_an_older_export_becomes_calls_too_with_the_wait_that_its_durations_tell(tmp_path: Path) -> None:
    columns = (
        "queue, outcome, missed_reason, wait_seconds::double, wait_reason, queue_wait_seconds, is_wait_lower_bound"
    )
    assert ask(tmp_path, columns, **older()) == [
        ("Burgerzaken", "answered", None, 44.0, None, None, False),
        ("Wonen", "missed", "no_agent", 217.0, None, None, False),
        # its message counts in the duration
        ("Wonen", "missed", "voicemail", None, "not_recorded", None, False),
        ("Burgerzaken", "excluded", None, 7.0, None, None, False),
    ]


def test_the_oldest_header_has_no_branch_of_the_menu(tmp_path: Path) -> None:
    lines = [line.rsplit(",", 1)[0] for line in OLDER_EXPORT.splitlines()]
    one = receipt(tmp_path, **older("\n".join(lines) + "\n"))
    assert (one.status, one.records, one.quarantined) == ("loaded", 4, 0)


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (OLDER_EXPORT.replace("answered", "picked up", 1), "column `answered` is not among the 18 columns"),
        (OLDER_EXPORT.replace("IVR Branch", "Line", 1), "column `line` stands 2 times among the 18 columns"),
    ],
    ids=["without it", "with it twice"],
)
def test_an_older_export_is_refused_without_a_needed_column_or_with_two_of_it(
    tmp_path: Path, content: str, trouble: str
) -> None:
    one = receipt(tmp_path, **older(content))
    assert (one.status, one.reason) == (
        "refused",
        f"line 1: {trouble}; the older calls export of Aircall is read by it: did the export template change?",
    )


def test_without_ids_a_newer_export_replaces_the_days_that_it_holds(tmp_path: Path) -> None:
    settings = city(tmp_path, OLDER_EXPORT, format="aircall_v2")
    one = exported(0, OLDER_EXPORT, **{"datetime (UTC)": "2025-03-10 09:00:06"})
    (tmp_path / "exports" / "calls_2025-03-11.csv").write_text(one, encoding="utf-8")
    with warehouse(settings) as con:
        assert con.execute("select arrived_at_utc::varchar from core.calls").fetchall() == [("2025-03-10 09:00:06",)]


@pytest.mark.parametrize("column", ["duration (total)", "duration (in call)"])
def test_a_duration_of_an_older_export_that_cannot_be_read_is_quarantined(tmp_path: Path, column: str) -> None:
    assert receipt(tmp_path, **older(exported(0, OLDER_EXPORT, **{column: "8:50"}))).quarantined == 1


def test_no_duration_is_no_wait_and_no_end(tmp_path: Path) -> None:
    content = exported(1, OLDER_EXPORT, **{"duration (total)": ""})
    assert ask(tmp_path, "wait_seconds, ended_at_utc", **older(content)) == [(None, None)]


# --- people ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("content", "name"), [(EXPORT, "aircall"), (OLDER_EXPORT, "aircall_v2")])
def test_nothing_of_callers_and_users_is_taken_over(tmp_path: Path, content: str, name: str) -> None:
    settings = city(tmp_path, content, format=name)
    store = read_all(settings)
    kept = b"".join(path.read_bytes() for path in store.records.rglob("*") if path.is_file())
    assert not [word for word in (b"Voorbeeld", b"Fictief", b"47000", b"470 00", b"calls.example") if word in kept]
    persons = {"from", "to", "user", "customer number", "aircall number", "comments", "entry number"}
    assert persons.isdisjoint(columns_of(settings.sources[0]))


@pytest.mark.parametrize("name", ["FamiliezÃ©ken", "C√©deline", "Standard - √† porter", "Vis ≈ìuvre", "L‚Äôaccueil"])
def test_a_line_with_garbled_letters_is_quarantined_whatever_computer_garbled_them(tmp_path: Path, name: str) -> None:
    with warehouse(city(tmp_path, exported(0, line=name), max_quarantined_share=1)) as con:
        ((column, reason),) = con.execute("select column_name, reason from ops.quarantine").fetchall()
    assert (column, reason[:15]) == ("line", "letters garbled")


@pytest.mark.parametrize("name", ["Één loket", "À porter", "≈ 5 min", "√ goedgekeurd", "¬ Wonen"])
def test_a_line_with_letters_as_they_are_is_kept(tmp_path: Path, name: str) -> None:
    assert ask(tmp_path, "queue", exported(0, line=name)) == [(name,)]


def test_the_wait_of_aircall_is_whole_and_its_zone_is_told_by_the_format() -> None:
    assert "wait_starts_at" not in AIRCALL.preset
    assert AIRCALL.preset["time_zone"] == "Etc/UTC"
