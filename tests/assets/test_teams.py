"""Call queues of Microsoft Teams as VAAC tells of them. The fixture is synthetic, in the shape of the documentation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assets.adapters.formats import FORMATS, recognised
from assets.adapters.teams import CALL_QUEUE, COLUMNS, COUNT
from assets.dry_run import CannotTellSource, check
from pipelines.settings import ROOT, Settings
from tests.city import CALLS, TODAY, read_all, settings_of, warehouse

EXPORT = (ROOT / "tests" / "formats" / "teams_call_queue.json").read_text(encoding="utf-8")
ANSWERED = json.loads(EXPORT)[0]
SOURCE: dict[str, Any] = {
    "name": "phone",
    "kind": "calls",
    "format": "teams_call_queue",
    "files": "calls_*.json",
    "time_zone": "Europe/Brussels",
    "export": {"pattern": r"calls_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "20:00"},
}


def city(folder: Path, content: object = None, **changes: Any) -> Settings:
    """A city with one export of VAAC: the fixture, or other records."""
    (folder / "exports").mkdir(exist_ok=True)
    text = EXPORT if content is None else json.dumps(content)
    (folder / "exports" / "calls_2025-03-10.json").write_text(text, encoding="utf-8")
    return settings_of(folder, sources=[{**SOURCE, **changes}])


def ask(settings: Settings, query: str) -> list[Any]:
    with warehouse(settings) as con:
        return con.execute(query).fetchall()


def test_call_queue_records_become_calls_without_a_mapping(tmp_path: Path) -> None:
    calls = ask(
        city(tmp_path),
        """
        select right(call_id, 1), queue, outcome, coalesce(exclusion_rule, missed_reason), wait_seconds::double, legs
        from core.calls order by call_id
        """,
    )
    assert calls == [
        ("1", "cq_onthaal", "answered", None, 12.5, 1),
        ("2", "cq_onthaal", "answered", None, 30.0, 2),  # overflowed after 0 s; 10 s later in a queue for 20 s
        ("3", "cq_onthaal", "missed", "abandoned", 30.25, 1),
        ("4", "cq_onthaal", "missed", "voicemail", 120.0, 1),
        ("5", "cq_onthaal", "missed", "no_agent", 1.0, 1),
        ("6", "cq_onthaal", "missed", "callback", 240.0, 1),
        ("7", "cq_onthaal", "outside_hours", "abandoned", 20.0, 1),
        ("8", "phone", "excluded", "auto_attendant", None, 1),
    ]


def test_times_are_utc_whether_they_say_so_or_not(tmp_path: Path) -> None:
    moments = [
        "2025-03-10T09:00:00",
        "2025-03-10 09:00:00.5",
        "2025-03-10T09:00:00.0000000Z",
        "2025-03-10T10:00:00+01:00",
    ]
    records = [{**ANSWERED, "ConferenceID": f"c{n}", "rawUserStartTimeUTC": m} for n, m in enumerate(moments)]
    query = "select call_id, arrived_at_utc::varchar, arrived_local::varchar from core.calls order by call_id"
    for zone in ("Europe/Brussels", "America/New_York"):
        assert ask(city(tmp_path, records, time_zone=zone), query) == [
            ("c0", "2025-03-10 09:00:00", "2025-03-10 10:00:00"),
            ("c1", "2025-03-10 09:00:00.5", "2025-03-10 10:00:00.5"),
            ("c2", "2025-03-10 09:00:00", "2025-03-10 10:00:00"),
            ("c3", "2025-03-10 09:00:00", "2025-03-10 10:00:00"),
        ]


def test_a_night_of_the_switch_loses_no_call_for_utc_has_none(tmp_path: Path) -> None:
    # 01:30 UTC is 03:30 in Brussels; as local times 02:30 would not exist
    record = {**ANSWERED, "rawUserStartTimeUTC": "2025-03-09T02:30:00", "rawEndTime": "2025-03-09T02:31:00"}
    query = "select arrived_local::varchar, is_arrival_ambiguous from core.calls"
    assert ask(city(tmp_path, [record], time_zone="America/New_York"), query) == [("2025-03-09 03:30:00", False)]


@pytest.mark.parametrize(
    ("result", "target", "outcome"),
    [
        ("agent_joined_conference", "User", ("answered", None)),
        ("transferred_to_agent", "User", ("answered", None)),
        ("transferred_to_callback_caller", "", ("missed", "callback")),
        ("callback_call_timed_out", "", ("missed", "callback")),
        ("disconnected", "Disconnect", ("missed", "abandoned")),
        ("disconnected", "", ("missed", "abandoned")),
        ("timed_out", "Disconnect", ("missed", "timeout")),
        ("timed_out", "User", ("missed", "timeout")),
        ("timed_out", "MailBox", ("missed", "voicemail")),
        ("timed_out", "Mailbox", ("missed", "voicemail")),
        ("overflown", "ApplicationEndpoint", ("missed", "no_agent")),
        ("overflown", "MailBox", ("missed", "voicemail")),
        ("no_agent", "Phone", ("missed", "no_agent")),
        ("no_agent", "MailBox", ("missed", "voicemail")),
        ("error", "Other", ("missed", "no_agent")),
    ],
)
def test_only_an_agent_answers_and_a_mailbox_is_a_voicemail(
    tmp_path: Path, result: str, target: str, outcome: tuple[str, str | None]
) -> None:
    record = {**ANSWERED, "rawCallQueueCallResult": result, "rawCallQueueTargetType": target}
    assert ask(city(tmp_path, [record]), "select outcome, missed_reason from core.calls") == [outcome]


def test_a_callback_is_reported_as_answered_as_the_vendor_counts_it(tmp_path: Path) -> None:
    record = {**ANSWERED, "rawCallQueueCallResult": "transferred_to_callback_caller"}
    assert ask(city(tmp_path, [record]), "select reported_outcome, outcome from core.calls") == [("answered", "missed")]


def test_a_result_that_is_not_known_is_quarantined(tmp_path: Path) -> None:
    records = [ANSWERED, {**ANSWERED, "ConferenceID": "c2", "rawCallQueueCallResult": "NOTAUTHCQ"}]
    reasons = ask(city(tmp_path, records, max_quarantined_share=1), "select line, reason from ops.quarantine")
    assert reasons == [(2, "not one of the declared outcomes")]


def test_one_conference_is_one_call_and_an_auto_attendant_is_no_leg_of_it(tmp_path: Path) -> None:
    attendant = {
        **ANSWERED,
        "DialogID": "d2",
        "rawUserStartTimeUTC": "2025-03-10T07:59:00Z",
        "rawCallQueueIdentity": None,
        "rawCallQueueCallResult": None,
        "rawCallQueueDurationSeconds": None,
    }
    query = "select outcome, records, legs, wait_seconds::double, is_wait_lower_bound from core.calls"
    assert ask(city(tmp_path, [attendant, ANSWERED]), query) == [("answered", 2, 2, 12.5, True)]


def test_an_answer_of_vaac_as_it_comes_is_read_by_the_order_of_the_query(tmp_path: Path) -> None:
    rows = [[record.get(column) for column in (*COLUMNS, COUNT)] for record in json.loads(EXPORT)]
    query = "select * exclude (arrived_at_utc) from core.calls order by all"
    as_it_comes = ask(city(tmp_path, {"dataResult": rows}, json={"records": "dataResult"}), query)
    assert len(as_it_comes) == 8
    assert as_it_comes == ask(city(tmp_path), query)


def test_a_key_that_is_missing_in_every_record_refuses_the_file_and_more_keys_do_not(tmp_path: Path) -> None:
    less = [{key: value for key, value in ANSWERED.items() if key != "rawEndTime"}]
    (receipt,) = read_all(city(tmp_path, less)).receipts
    reason = "column 'rawEndTime': none of its 1 records has it: did the export change?"
    assert (receipt.status, receipt.reason) == ("refused", reason)
    assert read_all(city(tmp_path, [{**ANSWERED, "rawPSTNTotalMinutes": 3}])).receipts[-1].status == "loaded"


def test_an_export_with_as_many_records_as_a_query_returns_at_most_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CALL_QUEUE.cut_at == (90_000, 100_000, 200_000)
    many = [{**ANSWERED, "ConferenceID": f"c{number}"} for number in range(9)]
    monkeypatch.setitem(FORMATS, CALL_QUEUE.name, replace(CALL_QUEUE, cut_at=(9,)))
    (receipt,) = read_all(city(tmp_path, many)).receipts
    assert receipt.status == "refused"
    assert receipt.reason is not None
    assert receipt.reason.startswith("exactly 9 records, at which the call-queue analytics")
    assert read_all(city(tmp_path, many[:8])).receipts[-1].status == "loaded"


def test_nobody_who_called_or_answered_is_taken_over(tmp_path: Path) -> None:
    named = {
        "rawCallerNumber": "+32470000001",
        "rawFirstUPN": "an.voorbeeld@stad.example",
        "agent": {"name": "Bo Fictief"},
    }
    store = read_all(city(tmp_path, [{**record, **named} for record in json.loads(EXPORT)]))
    kept = b"".join(path.read_bytes() for path in store.records.rglob("*") if path.is_file())
    assert not [word for word in (b"0470000001", b"voorbeeld", b"Fictief", b"stad.example") if word in kept]


def test_the_city_may_exclude_by_a_key_that_the_format_does_not_use(tmp_path: Path) -> None:
    rule = {"rule": "internal_call", "column": "rawPSTNConnectivityType", "values": ["CallingPlan"]}
    query = "select exclusion_rule from core.calls where outcome = 'excluded' order by 1"
    assert ask(city(tmp_path, exclude=[rule]), query) == [("auto_attendant",), ("internal_call",)]


def test_kcc_check_knows_it_by_its_keys(tmp_path: Path) -> None:
    assert (
        recognised([*COLUMNS, "more"]).sentence
        == f'it has every column of {CALL_QUEUE.title}: format = "teams_call_queue"'
    )
    almost = recognised(COLUMNS[1:]).sentence
    assert almost is not None
    assert "almost" in almost
    assert "column `ConferenceID` is not among the 8 columns" in almost
    (tmp_path / "x.json").write_text(EXPORT, encoding="utf-8")
    assert check(tmp_path / "x.json", city(tmp_path), TODAY).source == "phone"
    with pytest.raises(CannotTellSource, match=r'format = "teams_call_queue"'):
        check(tmp_path / "x.json", settings_of(tmp_path, sources=[CALLS]), TODAY)


def test_what_it_cannot_tell_stands_in_the_docs() -> None:
    page = " ".join((ROOT / "docs" / "formats.md").read_text(encoding="utf-8").split())
    assert [sentence for sentence in CALL_QUEUE.cannot_tell if sentence not in page] == []
