"""The interactions export of Genesys Cloud. The fixture is invented, with columns as its users choose them.

The telephone of the city opens 9-12 and 13-16; 10 March 2025 is a Monday.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from assets.adapters.declared import columns_of
from assets.adapters.formats import recognised
from assets.adapters.genesys import NEEDED
from assets.records import Receipt
from pipelines.settings import ROOT, Settings
from tests.city import read_all, settings_of, warehouse

EXPORT = (ROOT / "tests" / "formats" / "genesys_interactions.csv").read_text(encoding="utf-8")
SOURCE: dict[str, Any] = {
    "name": "phone",
    "kind": "calls",
    "format": "genesys_interactions",
    "files": "calls_*.csv",
    "time_zone": "Europe/Brussels",
    "export": {"pattern": r"calls_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "20:00"},
}


def city(folder: Path, content: str = EXPORT, day: str = "2025-03-10", **changes: Any) -> Settings:
    """A city with one export of Genesys Cloud; what its source declares may change."""
    (folder / "exports").mkdir(exist_ok=True)
    (folder / "exports" / f"calls_{day}.csv").write_text(content, encoding="utf-8")
    return settings_of(folder, sources=[{**SOURCE, **changes}])


def exported(row: int = 0, **changes: str) -> str:
    """One row of the export, with other values in some columns."""
    rows = list(csv.DictReader(io.StringIO(EXPORT)))
    assert not set(changes) - set(rows[0])
    text = io.StringIO()
    out = csv.DictWriter(text, rows[0], lineterminator="\n")
    out.writeheader()
    out.writerow(rows[row] | changes)
    return text.getvalue()


def without(*columns: str, content: str = EXPORT) -> str:
    """An export of which the user left columns out."""
    rows = list(csv.DictReader(io.StringIO(content)))
    text = io.StringIO()
    kept = [name for name in rows[0] if name not in columns]
    out = csv.DictWriter(text, kept, lineterminator="\n", extrasaction="ignore")
    out.writeheader()
    out.writerows(rows)
    return text.getvalue()


def ask(folder: Path, columns: str, content: str = EXPORT, **changes: Any) -> list[tuple[Any, ...]]:
    """Some columns of every call, in the order of their ids."""
    with warehouse(city(folder, content, **changes)) as con:
        return con.execute(f"select {columns} from core.calls order by call_id").fetchall()


def receipt(folder: Path, content: str, **changes: Any) -> Receipt:
    (one,) = read_all(city(folder, content, **{"max_quarantined_share": 1, **changes})).receipts
    return one


# --- calls -----------------------------------------------------------------------------------------------------------


def test_an_export_becomes_calls_without_a_mapping(tmp_path: Path) -> None:
    columns = "call_id[-2:], queue, outcome, reported_outcome, missed_reason, wait_seconds::double, exclusion_rule"
    assert ask(tmp_path, columns) == [
        ("01", "Burgerzaken", "answered", "answered", None, 44.5, None),
        ("02", "Wonen", "answered", "answered", None, 100.25, None),
        ("03", "Wonen", "missed", "missed", "abandoned", 120.0, None),
        ("04", "phone", "missed", "missed", "menu", 30.0, None),
        ("05", "phone", "missed", "other", "menu", 40.0, None),
        ("06", "Wonen", "missed", "other", "timeout", 300.0, None),
        ("07", "Wonen", "missed", "other", "callback", 70.0, None),
        ("08", "Chat", "excluded", "answered", None, 20.0, "not_voice"),
        ("09", "phone", "excluded", "answered", None, None, "outbound"),
        ("10", "Wonen", "open", "other", None, 5.0, None),
        ("11", "Wonen", "outside_hours", "missed", "abandoned", 60.0, None),
    ]


def test_the_first_of_several_queues_is_the_call_s(tmp_path: Path) -> None:
    assert ask(tmp_path, "queue", exported(0, Queue=" Wonen ;Burgerzaken; Fin")) == [("Wonen",)]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("1500", 1.5), ("0", 0.0), ("00:00:01.500", 1.5), (" 50:38:24.085", 182_304.085), ("01:00:00", 3600.0)],
    ids=["milliseconds", "none", "clock", "many hours after a blank", "clock without a fraction"],
)
def test_durations_are_milliseconds_or_hours_minutes_and_seconds(tmp_path: Path, value: str, seconds: float) -> None:
    content = exported(0, **{"Total IVR": "", "Total Queue": value})
    columns = "wait_seconds::double, queue_wait_seconds::double"
    assert ask(tmp_path, columns, content) == [(seconds, seconds)]


@pytest.mark.parametrize("column", ["Total IVR", "Total Queue", "Total Handle"])
@pytest.mark.parametrize("value", ["29.5 s", "1:30", "00:61:00", "-5", "1,500", "29500.0", "1234567890"])
def test_a_duration_of_another_shape_is_quarantined(tmp_path: Path, column: str, value: str) -> None:
    assert receipt(tmp_path, exported(0, **{column: value})).quarantined == 1


@pytest.mark.parametrize(
    ("ivr", "queue", "in_queue", "waits"),
    [
        ("15000", "29500", "Wonen", (44.5, 29.5, None)),
        ("", "29500", "Wonen", (29.5, 29.5, None)),
        ("15000", "", "", (15.0, None, None)),
        ("15000", "", "Wonen", (15.0, None, None)),
        ("", "", "", (None, None, "not_recorded")),
    ],
    ids=["menu and queue", "queue alone", "menu alone", "menu, and no time in the queue", "neither"],
)
def test_the_wait_is_the_menu_and_the_queue_and_of_neither_it_is_not_known(
    tmp_path: Path, ivr: str, queue: str, in_queue: str, waits: tuple[Any, ...]
) -> None:
    content = exported(2, **{"Total IVR": ivr, "Total Queue": queue, "Queue": in_queue})
    columns = "wait_seconds::double, queue_wait_seconds::double, wait_reason"
    assert ask(tmp_path, columns, content) == [waits]


def test_a_wait_counts_from_dialling_in_and_is_no_lower_bound(tmp_path: Path) -> None:
    assert ask(tmp_path, "is_wait_lower_bound", exported(0)) == [(False,)]


# --- what became of a call -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media", "outcome", "rule"),
    [
        ("Voice", "answered", None),
        ("voice; message", "answered", None),
        ("", "answered", None),
        ("email", "excluded", "not_voice"),
        ("callback", "excluded", "not_voice"),
        ("chat;message", "excluded", "not_voice"),
    ],
)
def test_what_is_told_to_be_no_voice_is_excluded(tmp_path: Path, media: str, outcome: str, rule: str | None) -> None:
    content = exported(0, **{"Media Type": media})
    assert ask(tmp_path, "outcome, exclusion_rule", content) == [(outcome, rule)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *[("Media Type", "call"), ("Media Type", "Spraak"), ("Media Type", "Voicemail"), ("Media Type", "voice; fax")],
        *[("Abandoned", "JA"), ("Abandoned", "1"), ("Total Handle", "handled"), ("Total Handle", "29500.0")],
    ],
)
def test_a_word_that_nobody_explained_is_quarantined_and_never_guessed(tmp_path: Path, column: str, value: str) -> None:
    header = EXPORT.splitlines()[0]
    content = exported(0, **{column: value})
    assert content.startswith(header)
    assert receipt(tmp_path, content).first_quarantine == "line 2, outcome: not one of the declared outcomes"


@pytest.mark.parametrize("name", ["End date", "End Date,End Date"], ids=["in another spelling", "twice"])
def test_a_column_that_is_read_where_it_is_there_stands_once_and_in_its_spelling(tmp_path: Path, name: str) -> None:
    header, rest = EXPORT.split("\n", 1)
    added = "," if "," in name else ""
    content = header.replace("End Date", name) + "\n" + "\n".join(line + added for line in rest.splitlines()) + "\n"
    refused = receipt(tmp_path, content)
    assert refused.status == "refused"
    assert "column `End Date` stands there" in (refused.reason or "")


def test_who_is_called_back_was_not_answered_when_they_called(tmp_path: Path) -> None:
    content = exported(0, **{"Media Type": "Callback; Voice"})
    assert ask(tmp_path, "outcome, missed_reason", content) == [("missed", "callback")]


@pytest.mark.parametrize(("handled", "outcome"), [("1", "answered"), ("0", "missed"), ("", "missed")])
def test_a_call_is_answered_if_somebody_handled_it(tmp_path: Path, handled: str, outcome: str) -> None:
    assert ask(tmp_path, "outcome", exported(0, **{"Total Handle": handled})) == [(outcome,)]


@pytest.mark.parametrize("yes", ["YES", "true", "Yes"])
def test_abandoned_may_be_said_by_yes_or_true(tmp_path: Path, yes: str) -> None:
    assert ask(tmp_path, "reported_outcome", exported(2, Abandoned=yes)) == [("missed",)]


def test_a_call_without_an_end_goes_on_and_nobody_knows_of_a_view_without_ends(tmp_path: Path) -> None:
    assert ask(tmp_path, "outcome", exported(0, **{"End Date": ""})) == [("open",)]
    assert ask(tmp_path, "outcome", without("End Date", content=exported(0, **{"End Date": ""}))) == [("answered",)]


@pytest.mark.parametrize(
    ("direction", "initial", "outcome"),
    [
        ("Inbound/Outbound", "Outbound", "excluded"),
        ("Inbound/Outbound", None, "answered"),
        ("INBOUND", None, "answered"),
        ("Outbound", None, "excluded"),
    ],
)
def test_the_first_direction_counts_and_of_both_the_incoming_one(
    tmp_path: Path, direction: str, initial: str | None, outcome: str
) -> None:
    content = exported(0, **{"Direction": direction, "Initial Direction": initial or ""})
    if initial is None:
        content = without("Initial Direction", content=content)
    assert ask(tmp_path, "outcome", content) == [(outcome,)]


def test_a_direction_that_is_not_known_is_quarantined(tmp_path: Path) -> None:
    assert receipt(tmp_path, exported(0, **{"Initial Direction": "sideways"})).quarantined == 1


# --- whole and partial exports ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["NO", "", "false", "partly"])
def test_an_export_that_says_that_it_is_partial_is_refused(tmp_path: Path, flag: str) -> None:
    one = receipt(tmp_path, EXPORT.replace("YES,,,", f"{flag},2025-03-10,,", 2))
    assert (one.status, one.reason) == (
        "refused",
        "the vendor says that this export is partial ('Full Export Completed' is not yes in 2 of its rows): "
        "export it again",
    )


def test_a_whole_export_may_say_so_by_true(tmp_path: Path) -> None:
    assert receipt(tmp_path, EXPORT.replace("YES,", "True,")).status == "loaded"


def test_rows_of_the_day_before_are_duplicates_or_take_the_place_of_what_was_told_then(tmp_path: Path) -> None:
    city(tmp_path)
    rows = EXPORT.splitlines()
    ended = rows[10].replace("3:59 PM,,,", "3:59 PM,3/10/25 4:02 PM,,").replace("5000,,,", "5000,20000,,90000")
    settings = city(tmp_path, "\n".join([rows[0], rows[1], ended]) + "\n", day="2025-03-11")
    with warehouse(settings) as con:
        states = con.execute(
            "select export_date::varchar, accepted, excluded, duplicates, superseded from ops.ledger order by 1"
        ).fetchall()
        (call,) = con.execute("select outcome from core.calls where call_id like '%10'").fetchall()
    assert states == [("2025-03-10", 7, 2, 1, 1), ("2025-03-11", 2, 0, 0, 0)]
    assert call == ("answered",)


# --- headers, zones and moments --------------------------------------------------------------------------------------


def test_the_user_chooses_columns_and_their_order(tmp_path: Path) -> None:
    rows = [row[::-1] for row in csv.reader(io.StringIO(without("Users", "ANI", "DNIS", "Flow", "Filters")))]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    one = receipt(tmp_path, text.getvalue())
    assert (one.status, one.records, one.quarantined) == ("loaded", 11, 0)


@pytest.mark.parametrize("column", NEEDED)
def test_a_column_that_is_needed_and_left_out_refuses_the_file(tmp_path: Path, column: str) -> None:
    one = receipt(tmp_path, without(column))
    assert (one.status, one.reason) == (
        "refused",
        f"line 1: column `{column}` is not among the 22 columns; the interactions export of Genesys Cloud is read by "
        "it: did the export template change?",
    )


def test_the_id_is_called_that_of_the_interaction_or_of_the_conversation(tmp_path: Path) -> None:
    renamed = EXPORT.replace("Conversation ID", "Interaction ID", 1)
    assert ask(tmp_path, "call_id", renamed) == ask(tmp_path, "call_id")


def test_an_export_without_ids_is_refused(tmp_path: Path) -> None:
    assert receipt(tmp_path, without("Conversation ID")).status == "refused"


def test_the_format_is_recognised_by_the_columns_that_it_needs() -> None:
    told = recognised(EXPORT.splitlines()[0].split(",")).sentence
    assert told is not None
    assert told.endswith('format = "genesys_interactions"')


def test_the_zone_is_that_of_whoever_exported_and_is_declared(tmp_path: Path) -> None:
    arrived = "arrived_at_utc::varchar"
    assert ask(tmp_path, arrived, exported(0)) == [("2025-03-10 08:10:00",)]
    assert ask(tmp_path, arrived, exported(0), time_zone="Etc/UTC") == [("2025-03-10 09:10:00",)]
    with pytest.raises(ValueError, match="time_zone"):
        city(tmp_path, time_zone=None)


def test_a_city_whose_users_see_days_before_months_says_so(tmp_path: Path) -> None:
    arrived_at = {"column": "Date", "format": "%d/%m/%Y %H:%M"}
    content = exported(0, Date="10/03/2025 09:10")
    assert receipt(tmp_path, content).quarantined == 1
    with warehouse(city(tmp_path, content, columns={"arrived_at": arrived_at})) as con:
        arrived = con.execute("select arrived_local::varchar from core.calls").fetchall()
    assert arrived == [("2025-03-10 09:10:00",)]


# --- people ----------------------------------------------------------------------------------------------------------


def test_nothing_of_callers_and_users_is_taken_over(tmp_path: Path) -> None:
    settings = city(tmp_path)
    store = read_all(settings)
    kept = b"".join(path.read_bytes() for path in store.records.rglob("*") if path.is_file())
    assert not [word for word in (b"Voorbeeld", b"Fictief", b"+3247", b"tel:") if word in kept]
    assert {"Users", "Remote", "ANI", "DNIS"}.isdisjoint(columns_of(settings.sources[0]))
