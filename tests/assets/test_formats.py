"""Exports as vendors write them. The fixtures in tests/formats are synthetic, in the vendor's exact shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from assets.adapters.formats import FORMATS, recognised
from assets.adapters.three_cx import COLUMNS, V20
from assets.dry_run import CannotTellSource, check
from pipelines.settings import ROOT, Settings
from tests.city import CALLS, TODAY, read_all, settings_of, warehouse

EXPORT = (ROOT / "tests" / "formats" / "3cx_v20.csv").read_text(encoding="utf-8")
EXPORTED = {"pattern": r"calls_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "20:00"}
SOURCE: dict[str, Any] = {
    "name": "phone",
    "kind": "calls",
    "format": "3cx_v20",
    "files": "calls_*.csv",
    "time_zone": "Europe/Brussels",
    "export": EXPORTED,
}


def city(folder: Path, content: str = EXPORT, **changes: Any) -> Settings:
    """A city with one export of 3CX."""
    (folder / "exports").mkdir(exist_ok=True)
    (folder / "exports" / "calls_2025-03-10.csv").write_text(content, encoding="utf-8")
    return settings_of(folder, sources=[{**SOURCE, **changes}])


def test_a_3cx_call_log_becomes_calls_without_a_mapping(tmp_path: Path) -> None:
    with warehouse(city(tmp_path)) as con:
        calls = con.execute(
            """
            select call_id, outcome, exclusion_rule, wait_seconds::double, legs, is_wait_lower_bound
            from core.calls order by call_id
            """
        ).fetchall()
    assert calls == [
        ("00000A1", "answered", None, 12.0, 1, True),
        ("00000A2", "answered", None, 25.0, 2, True),  # rang in the queue, then was answered by the next
        ("00000A3", "missed", None, 45.0, 1, True),
        ("00000A4", "outside_hours", None, 30.0, 1, True),
        ("00000A5", "excluded", "fax", 0.0, 1, True),
        ("00000A6", "excluded", "outbound", 8.0, 1, True),
        ("00000A7", "excluded", "internal", 10.0, 1, True),
    ]


def test_nothing_of_callers_and_agents_is_taken_over(tmp_path: Path) -> None:
    store = read_all(city(tmp_path))
    kept = b"".join(path.read_bytes() for path in store.records.rglob("*") if path.is_file())
    assert not [word for word in (b"Voorbeeld", b"Fictief", b"04700000", b"Onthaal") if word in kept]


def test_the_second_generation_of_its_header_is_known_too(tmp_path: Path) -> None:
    lines = EXPORT.splitlines()
    longer = "\n".join([lines[0] + ",Call Activity Details", *(f"{line}," for line in lines[1:])]) + "\n"
    (receipt,) = read_all(city(tmp_path, longer)).receipts
    assert (receipt.status, receipt.records, receipt.quarantined) == ("loaded", 8, 0)


@pytest.mark.parametrize(
    ("header", "difference"),
    [
        (
            EXPORT.replace("Ringing,Talking", "Talking,Ringing", 1),
            "column 7 is `Talking`; the call log of 3CX v20 has `Ringing` there: did the export template change?",
        ),
        (
            EXPORT.replace(",Cost", "", 1),
            "8 columns, where the call log of 3CX v20 has 9 or 10: did the export template change?",
        ),
    ],
    ids=["two columns exchanged", "one column less"],
)
def test_a_header_of_no_known_generation_refuses_the_file_and_names_the_difference(
    tmp_path: Path, header: str, difference: str
) -> None:
    (receipt,) = read_all(city(tmp_path, header)).receipts
    assert (receipt.status, receipt.reason) == ("refused", f"line 1: {difference}")


def test_a_file_without_its_header_is_refused_and_nothing_of_it_is_quoted(tmp_path: Path) -> None:
    (receipt,) = read_all(city(tmp_path, EXPORT.split("\n", 1)[1].replace("0470000001", "\x1b[31m0470000001"))).receipts
    assert receipt.reason == (
        "line 1: most of its 9 columns are none of the call log of 3CX v20: is it another export, or has it no header?"
    )


def test_a_city_narrows_what_a_format_covers_and_adds_to_its_rules(tmp_path: Path) -> None:
    source = {**SOURCE, "name": "plans", "kind": "appointments", "format": "qmatic_appointments", "covers": ["planned"]}
    (declared,) = settings_of(tmp_path, sources=[source]).sources
    assert declared.covers == ["planned"]


@pytest.mark.parametrize("known", [["3cx_v20"], {"name": "3cx_v20"}, 3, ""])
def test_a_format_that_is_no_name_of_one_is_a_mistake_in_the_settings(tmp_path: Path, known: object) -> None:
    with pytest.raises(ValidationError, match="format: expected one of those for calls: 3cx_v20"):
        settings_of(tmp_path, sources=[{**SOURCE, "format": known}])


def test_a_word_that_is_not_known_is_quarantined_until_the_city_says_what_it_means(tmp_path: Path) -> None:
    content = EXPORT.replace("Inbound,Missed,00:00:45", "Inbound,Redirected,00:00:45")
    (receipt,) = read_all(city(tmp_path, content, max_quarantined_share=1)).receipts
    assert receipt.quarantined == 1
    told = city(tmp_path, content, outcomes={"Redirected": "missed"})
    assert [receipt.quarantined for receipt in read_all(told).receipts] == [0]


def test_the_city_adds_rules_to_those_of_the_format(tmp_path: Path) -> None:
    rule = {"rule": "test_call", "column": "From", "values": ["0470000003"]}
    with warehouse(city(tmp_path, exclude=[rule])) as con:
        excluded = con.execute("select exclusion_rule from core.calls where outcome = 'excluded' order by 1").fetchall()
    assert excluded == [("fax",), ("internal",), ("outbound",), ("test_call",)]


def test_a_format_is_known_by_its_header_and_says_how_sure_that_is() -> None:
    assert recognised(COLUMNS).sentence == 'its header is exactly that of the call log of 3CX v20: format = "3cx_v20"'
    almost = [*COLUMNS[:6], "Ring Time", *COLUMNS[7:]]
    told = recognised(almost).sentence
    assert told is not None
    assert "almost" in told
    assert "column 7 is `Ring Time`" in told
    assert recognised(["id", "queue", "outcome"]) is None


@pytest.mark.parametrize("known", FORMATS)
def test_kcc_check_recognises_an_export_by_its_content_whatever_it_is_called(tmp_path: Path, known: str) -> None:
    (fixture,) = (ROOT / "tests" / "formats").glob(f"{known}.*")
    unknown = tmp_path / f"download{fixture.suffix}"
    unknown.write_bytes(fixture.read_bytes())
    with pytest.raises(CannotTellSource) as told:
        check(unknown, settings_of(tmp_path, sources=[CALLS]), TODAY)
    assert str(told.value).endswith(f'of {FORMATS[known].title}: format = "{known}"') or str(told.value).endswith(
        f'its first record looks like {FORMATS[known].title}: format = "{known}"'
    )


@pytest.mark.parametrize(
    "content",
    [
        "a,b,c\n1,2,3\n",
        "1741593600|x\n",
        '{"a": [1, 2]}',
        "",
        "PK\x03\x04",
        ",".join(f'"{n}"' for n in range(18)) + "\n",
    ],
    ids=["a table", "a line with a bar", "JSON", "nothing", "half a zip", "eighteen quoted fields"],
)
def test_what_is_like_no_format_is_not_recognised_as_one(tmp_path: Path, content: str) -> None:
    for ending in ("csv", "json", "xlsx", "txt"):
        unknown = tmp_path / f"download.{ending}"
        unknown.write_text(content, encoding="latin-1")
        with pytest.raises(CannotTellSource) as told:
            check(unknown, settings_of(tmp_path, sources=[CALLS]), TODAY)
        assert "format =" not in str(told.value)


@pytest.mark.parametrize("known", FORMATS.values(), ids=list(FORMATS))
def test_every_format_says_what_it_cannot_tell_and_stands_in_the_docs(known: Any) -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert f"`{known.name}`" in page
    assert known.cannot_tell
    assert [sentence for sentence in known.cannot_tell if sentence not in page.replace("\n", " ")] == []
    assert known is FORMATS[known.name]


def test_waits_of_3cx_are_lower_bounds() -> None:
    assert V20.preset["wait_starts_at"] == "queue"
