"""Asterisk's queue log and call detail records. The fixtures in tests/formats are synthetic, in Asterisk's exact shape.

The events begin on Monday 10 March 2025 at 09:00 in Brussels, which is 1741593600.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assets.adapters.asterisk import CDR as CDR_FORMAT
from assets.adapters.formats import recognised_without_header
from pipelines.settings import ROOT, Settings
from tests.city import read_all, settings_of, warehouse

FORMATS = ROOT / "tests" / "formats"
QUEUE_LOG = (FORMATS / "asterisk_queue_log.txt").read_text(encoding="utf-8")
CDR = (FORMATS / "asterisk_cdr.csv").read_text(encoding="utf-8")
FREEPBX = (FORMATS / "freepbx_cdr.csv").read_text(encoding="utf-8")


def source(name: str, known: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "calls",
        "format": known,
        "files": f"{name}_*",
        "export": {"pattern": name + r"_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "20:00"},
        **changes,
    }


EVENTS = source("queue", "asterisk_queue_log")
DETAILS = source("cdr", "asterisk_cdr", time_zone="Europe/Brussels")
SECOND_LOG = {**DETAILS, "legs_of": "queue"}
TABLE = source("pbx", "freepbx_cdr", time_zone="Europe/Brussels")


def city(folder: Path, sources: list[dict[str, Any]], **exports: str) -> Settings:
    """A city with these sources, and an export of 10 March of each that is named."""
    (folder / "exports").mkdir(exist_ok=True)
    for name, content in exports.items():
        (folder / "exports" / f"{name}_2025-03-10").write_text(content, encoding="utf-8")
    return settings_of(folder, sources=sources)


def calls_of(settings: Settings, columns: str) -> dict[str, tuple[Any, ...]]:
    """These columns of core.calls by the last part of the call's id."""
    with warehouse(settings) as con:
        rows = con.execute(f"select split_part(call_id, '.', 2), {columns} from core.calls").fetchall()
    return {row[0]: row[1:] for row in rows}


def events(folder: Path, *lines: str) -> dict[str, tuple[Any, ...]]:
    """Outcome, wait, reason and legs of the calls that these events tell of."""
    settings = city(folder, [EVENTS], queue="".join(f"{line}\n" for line in lines))
    return calls_of(settings, "outcome, wait_seconds::double, missed_reason, legs")


def test_events_become_calls_whichever_field_holds_the_wait(tmp_path: Path) -> None:
    settings = city(tmp_path, [EVENTS], queue=QUEUE_LOG)
    assert calls_of(settings, "queue, outcome, missed_reason, wait_seconds::double, legs, is_wait_lower_bound") == {
        "10": ("onthaal", "answered", None, 12, 1, True),
        "20": ("onthaal", "missed", "abandoned", 45, 1, True),
        "30": ("onthaal", "answered", None, 90, 2, True),  # 60 s in the first queue, 30 s in the second
        "40": ("onthaal", "answered", None, 10, 1, True),  # then transferred
        "50": ("onthaal", "missed", "timeout", 20, 1, True),
        "60": ("onthaal", "outside_hours", "no_agent", 10, 1, True),  # at 06:53
        "70": ("onthaal", "open", None, None, 1, True),
    }


def test_every_event_is_in_the_ledger_and_those_of_no_call_are_excluded_by_name(tmp_path: Path) -> None:
    with warehouse(city(tmp_path, [EVENTS], queue=QUEUE_LOG)) as con:
        ledger = con.execute("select records, accepted, excluded, quarantined from ops.ledger").fetchall()
        told = con.execute("select sum(records), sum(legs) from core.calls").fetchall()
    assert ledger == [(20, 18, 2, 0)]
    assert told == [(18, 8)]


def test_what_the_software_reports_counts_legs_and_no_ringing(tmp_path: Path) -> None:
    with warehouse(city(tmp_path, [EVENTS], queue=QUEUE_LOG)) as con:
        sums = con.execute("select sum(reported_missed), sum(reported_records) from marts.missed_calls_monthly")
        assert sums.fetchall() == [(4, 8)]


def test_the_moments_of_a_call_are_those_of_its_events(tmp_path: Path) -> None:
    settings = city(tmp_path, [EVENTS], queue=QUEUE_LOG)
    local = "strftime(answered_at_utc, '%H:%M:%S'), strftime(ended_at_utc, '%H:%M:%S')"
    calls = calls_of(settings, f"strftime(arrived_local, '%H:%M:%S'), {local}")
    assert calls["10"] == ("09:00:00", "08:00:12", "08:02:22")
    assert calls["20"] == ("09:10:00", None, "08:10:45")
    assert calls["40"] == ("09:30:00", "08:30:10", "08:31:40")


ENTER = "1741593600|1741593590.10|onthaal|NONE|ENTERQUEUE||0470000001|1"
CONNECT = "1741593612|1741593590.10|onthaal|PJSIP/102|CONNECT|12|1741593606.11|6"
COMPLETE = "1741593742|1741593590.10|onthaal|PJSIP/102|COMPLETEAGENT|12|130|1"
ABANDON = "1741593645|1741593590.10|onthaal|NONE|ABANDON|1|1|45"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([CONNECT, ENTER], ("answered", 12, None, 1)),
        ([COMPLETE, CONNECT, ENTER], ("answered", 12, None, 1)),
        ([ENTER, ENTER, CONNECT, CONNECT, COMPLETE], ("answered", 12, None, 1)),
        ([ENTER, CONNECT], ("answered", 12, None, 1)),
        ([CONNECT], ("answered", 12, None, 1)),
        ([ENTER, COMPLETE], ("answered", 12, None, 1)),
        ([COMPLETE], ("answered", 12, None, 1)),
        ([ABANDON], ("missed", 45, "abandoned", 1)),
        ([ABANDON, ENTER], ("missed", 45, "abandoned", 1)),
        ([ENTER], ("open", None, None, 1)),
    ],
    ids=[
        "connected before it entered",
        "everything backwards",
        "everything twice",
        "no end after the answer",
        "nothing but the answer",
        "no answer but an end that proves it",
        "nothing but the end",
        "nothing but the hang-up",
        "hung up before it entered",
        "no exit at all: open",
    ],
)
def test_events_out_of_order_doubled_or_missing_end_in_one_call(
    tmp_path: Path, lines: list[str], expected: tuple[Any, ...]
) -> None:
    assert events(tmp_path, *lines) == {"10": expected}


def test_a_call_that_exits_in_the_export_of_the_next_day_is_open_no_more(tmp_path: Path) -> None:
    city(tmp_path, [EVENTS], queue=f"{ENTER}\n")
    (tmp_path / "exports" / "queue_2025-03-11").write_text(f"{ABANDON}\n", encoding="utf-8")
    assert calls_of(settings_of(tmp_path, sources=[EVENTS]), "outcome, wait_seconds::double") == {"10": ("missed", 45)}


def test_three_queues_and_five_ringing_agents_are_one_call(tmp_path: Path) -> None:
    lines = []
    for queue, entered in (("a", 1741593600), ("b", 1741593620), ("c", 1741593640)):
        lines.append(f"{entered}|1.10|{queue}|NONE|ENTERQUEUE||0470000001|1")
        lines += [f"{entered + ring}|1.10|{queue}|PJSIP/{ring}|RINGNOANSWER|1000" for ring in range(1, 6)]
        lines.append(f"{entered + 20}|1.10|{queue}|NONE|EXITWITHTIMEOUT|1|1|20")
    assert events(tmp_path, *lines) == {"10": ("missed", 60, "timeout", 3)}


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("1741593645|1741593590.10|onthaal|NONE|ABANDON|1|1|", None),
        ("1741593645|1741593590.10|onthaal|NONE|ABANDON|1|1|soon", "seconds waited"),
        ("1741593645|1741593590.10|onthaal|NONE|VANISHED|1|1|45", "event"),
        ("soon|1741593590.10|onthaal|NONE|ABANDON|1|1|45", "entered the queue"),
        ("1741593645||onthaal|NONE|ABANDON|1|1|45", "callid"),
        ("1741593645|1741593590.10|onthaal|NONE|ABANDON|1|1|45|||more", "(all)"),
    ],
    ids=["no wait", "a wait of words", "an event that nobody knows", "a moment of words", "no call", "a field more"],
)
def test_an_event_that_cannot_be_read_is_quarantined_by_its_field(
    tmp_path: Path, line: str, column: str | None
) -> None:
    settings = city(tmp_path, [{**EVENTS, "max_quarantined_share": 1}], queue=f"{ENTER}\n{line}\n")
    with warehouse(settings) as con:
        assert con.execute("select column_name from ops.quarantine").fetchall() == (
            [] if column is None else [(column,)]
        )
        assert con.execute("select sum(records) from ops.ledger").fetchall() == [(2,)]


def test_an_agents_name_with_a_quote_in_it_is_a_field_like_any_other(tmp_path: Path) -> None:
    assert events(tmp_path, ENTER, CONNECT.replace("PJSIP/102", 'An "de snelle" V')) == {
        "10": ("answered", 12, None, 1)
    }


def test_the_settings_zone_does_not_shift_unix_seconds(tmp_path: Path) -> None:
    settings = city(tmp_path, [{**EVENTS, "time_zone": "Asia/Dubai"}], queue=QUEUE_LOG)
    assert calls_of(settings, "strftime(arrived_local, '%H:%M')")["10"] == ("09:00",)


def test_with_the_detail_records_beside_it_waits_begin_at_the_dial_in(tmp_path: Path) -> None:
    settings = city(tmp_path, [EVENTS, SECOND_LOG], queue=QUEUE_LOG, cdr=CDR)
    calls = calls_of(settings, "source, outcome, wait_seconds::double, queue_wait_seconds::double, is_wait_lower_bound")
    # dialled in at 08:59:50, entered the queue at 09:00:00, was answered 12 s later: but arrived before opening
    assert calls["10"] == ("queue", "outside_hours", 22, 12, False)
    assert calls["20"] == ("queue", "missed", 75, 45, False)  # the hang-up, 75 s after the dial-in
    assert calls["30"] == ("queue", "answered", 90, 30, True)  # has no detail record
    assert calls["80"] == ("queue", "missed", 12, None, True)  # hung up in the menu: in no queue
    assert len(calls) == 11


def test_a_second_log_decides_no_wait_that_the_first_one_tells(tmp_path: Path) -> None:
    # by its detail record the menu answered at once
    settings = city(tmp_path, [EVENTS, SECOND_LOG], queue=f"{ENTER}\n{CONNECT}\n", cdr=CDR.splitlines()[0] + "\n")
    assert calls_of(settings, "wait_seconds::double, answered_at_utc - arrived_at_utc = interval 22 seconds") == {
        "10": (22, True)
    }


def test_a_call_without_an_exit_is_ended_by_its_detail_record(tmp_path: Path) -> None:
    settings = city(tmp_path, [EVENTS, SECOND_LOG], queue=f"{ENTER}\n", cdr=CDR.splitlines()[1].replace(".20", ".10"))
    log = settings.folders.exports / "cdr_2025-03-10"
    log.write_text(CDR.splitlines()[1].replace("1741594195.20", "1741593590.10") + "\n", encoding="utf-8")
    assert calls_of(settings, "outcome, missed_reason") == {"10": ("missed", "abandoned")}


@pytest.mark.parametrize("main", ["nobody", "cdr"], ids=["a source that is not there", "itself"])
def test_legs_of_names_another_source_of_calls(tmp_path: Path, main: str) -> None:
    with pytest.raises(ValidationError, match="expected a source of calls that has ids and no legs_of itself"):
        settings_of(tmp_path, sources=[EVENTS, {**DETAILS, "legs_of": main}])


def test_detail_records_alone_know_a_person_from_a_machine(tmp_path: Path) -> None:
    settings = city(tmp_path, [DETAILS], cdr=CDR)
    assert calls_of(settings, "outcome, missed_reason, reported_outcome, wait_seconds::double") == {
        "10": ("outside_hours", None, "answered", None),  # in a queue: when the agent answered is not told
        "20": ("missed", "abandoned", "answered", 75),
        "80": ("missed", "menu", "answered", 12),
        "90": ("answered", None, "answered", 8),
        "100": ("missed", "abandoned", "missed", 30),
        "110": ("missed", "voicemail", "answered", 50),
    }


@pytest.mark.parametrize("lasted", ["60.5", "x", "-1"])
def test_a_duration_that_cannot_be_read_is_quarantined(tmp_path: Path, lasted: str) -> None:
    (line,) = [line for line in CDR.splitlines() if ".90" in line]
    settings = city(
        tmp_path, [{**DETAILS, "max_quarantined_share": 1}], cdr=line.replace(",60,52,", f",{lasted},52,") + "\n"
    )
    (receipt,) = read_all(settings).receipts
    assert receipt.first_quarantine == "line 1, seconds waited: not a number of seconds with decimal '.'"


def test_a_conversation_of_words_does_not_move_the_arrival(tmp_path: Path) -> None:
    settings = city(
        tmp_path, [{**EVENTS, "max_quarantined_share": 1}], queue=COMPLETE.replace("|130|", "|long|") + "\n"
    )
    (receipt,) = read_all(settings).receipts
    assert receipt.first_quarantine == "line 1, entered the queue: not in the format unix_seconds"


@pytest.mark.parametrize("word", ["NULL", "null", "(null)", "\\N", "None", "NaN"])
def test_what_a_database_writes_for_no_id_makes_no_one_call_of_all_its_records(tmp_path: Path, word: str) -> None:
    lines = FREEPBX.splitlines()
    content = "\n".join([lines[0], *(line.replace("1741595400.5", word) for line in lines[4:6])]) + "\n"
    (receipt,) = read_all(city(tmp_path, [{**TABLE, "max_quarantined_share": 1}], pbx=content)).receipts
    assert receipt.quarantined == 2
    assert "a word for an id that is not there" in (receipt.first_quarantine or "")


def test_detail_records_with_a_linkedid_are_recognised_too_and_make_one_call_of_its_legs(tmp_path: Path) -> None:
    lines = [f'{line},"1741593590.10"' for line in CDR.splitlines()[:2]]
    told = recognised_without_header(CDR_FORMAT, next(csv.reader(lines)))
    assert told is not None
    assert told.is_sure
    header = list(CDR_FORMAT.headers[1])
    source = {**DETAILS, "text": {"header": header}, "columns": {"call_id": "linkedid"}}
    settings = city(tmp_path, [source], cdr="\n".join(lines) + "\n")
    assert calls_of(settings, "legs, outcome") == {"10": (2, "outside_hours")}


def test_a_detail_record_in_utc_is_declared_as_such(tmp_path: Path) -> None:
    settings = city(tmp_path, [{**DETAILS, "time_zone": "Etc/UTC"}], cdr=CDR)
    assert calls_of(settings, "strftime(arrived_local, '%H:%M')")["90"] == ("11:10",)


def test_legs_of_freepbx_are_one_call_by_linkedid_and_the_wait_ends_with_the_agent(tmp_path: Path) -> None:
    own = {"rule": "outbound", "column": "channel", "matches": "^PJSIP/[0-9]{3}-"}
    settings = city(tmp_path, [{**TABLE, "exclude": [own]}], pbx=FREEPBX)
    columns = "outcome, exclusion_rule, wait_seconds::double, legs, strftime(ended_at_utc, '%H:%M:%S')"
    assert calls_of(settings, columns) == {
        "1": ("answered", None, 30, 3, "08:01:40"),  # 25 s until the second agent's telephone rang, 5 s of ringing
        "5": ("missed", None, 40, 2, "08:30:40"),
        "8": ("excluded", "outbound", 10, 1, "09:03:20"),
    }


@pytest.mark.parametrize(
    ("sources", "exports"),
    [([EVENTS, SECOND_LOG], {"queue": QUEUE_LOG, "cdr": CDR}), ([TABLE], {"pbx": FREEPBX})],
    ids=["queue log and detail records", "FreePBX"],
)
def test_nothing_of_callers_and_agents_is_taken_over(
    tmp_path: Path, sources: list[dict[str, Any]], exports: dict[str, str]
) -> None:
    store = read_all(city(tmp_path, sources, **exports))
    kept = b"".join(path.read_bytes() for path in store.records.rglob("*.parquet"))
    assert not [word for word in (b"Voorbeeld", b"Fictief", b"04700000", b"PJSIP", b"Denkbeeldig") if word in kept]


def test_a_header_of_freepbx_with_a_column_less_is_refused(tmp_path: Path) -> None:
    (receipt,) = read_all(city(tmp_path, [TABLE], pbx=FREEPBX.replace(",did,", ",", 1))).receipts
    assert (receipt.status, receipt.reason) == (
        "refused",
        "line 1: column 17 is `recordingfile`; the table cdr of FreePBX has `did` there: "
        "did the export template change?",
    )
