"""Exports in JSON: every record is accounted for, or the whole file is refused or deferred.

The content of each file is written out in its test. All data are synthetic.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from assets import json_records
from assets.containers import open_export
from assets.dry_run import CannotTellSource, check
from assets.json_records import JsonExport
from assets.reading import Batch, FileDeferred, FileRefused
from pipelines.settings import JsonFile, Settings
from tests.city import CALLS, TODAY, read_all, settings_of, warehouse

Records = list[tuple[int, list[str]]]


def batches(
    folder: Path, content: bytes | str, columns: str = "a b", name: str = "x.json", **declared: Any
) -> list[Batch]:
    """The batches of a file; its hash must be that of its uncompressed bytes."""
    content = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    export = JsonExport(path, columns.split(), JsonFile(**declared))
    found = list(export.batches())
    assert export.sha256() == hashlib.sha256(content).hexdigest()
    return found


def test_the_ending_of_the_name_may_be_in_capitals(tmp_path: Path) -> None:
    path = tmp_path / "CALLS.JSON"
    path.write_text('[{"id": "1"}]', encoding="utf-8")
    source = settings_of(tmp_path, sources=[CALLS]).sources[0]
    assert isinstance(open_export(path, source), JsonExport)


def test_two_fields_of_one_name_are_a_mistake_in_the_settings() -> None:
    with pytest.raises(ValidationError, match="expected each name once"):
        JsonFile(fields=["id", "start", "id"])


def read(folder: Path, content: bytes | str, columns: str = "a b", **declared: Any) -> Records:
    """The records of a file in which all can be read, each with its line."""
    found = batches(folder, content, columns, **declared)
    assert [batch.ragged for batch in found if batch.ragged] == []
    return [record for batch in found for record in zip(batch.lines, batch.rows, strict=True)]


def ragged(folder: Path, content: bytes | str, columns: str = "a b", **declared: Any) -> dict[int, str]:
    """Why records of a file can't be read, by their line; the file holds sound ones too."""
    found = batches(folder, content, columns, **declared)
    assert sum(len(batch.rows) for batch in found)
    assert all(set(batch.why) == {line for line, _ in batch.ragged} for batch in found)
    return {line: why for batch in found for line, why in batch.why.items()}


def told(folder: Path, content: bytes | str, columns: str = "a b", **declared: Any) -> str:
    """What is said of a file that is not read: `refused: …` or `deferred: …`; else `read`."""
    try:
        batches(folder, content, columns, **declared)
    except FileRefused as reason:
        return f"refused: {reason}"
    except FileDeferred as reason:
        return f"deferred: {reason}"
    return "read"


def row(content: str) -> str:
    """A file of one record with the value `content` under `a`."""
    return f'[{{"a": {content}, "b": 0}}]'


@pytest.mark.parametrize(
    ("content", "value"),
    [
        pytest.param('"007"', "007", id="text is text"),
        pytest.param('" x "', " x ", id="blanks are handed on"),
        pytest.param('"é€\\u00e9\\n\\ud83d\\ude00"', "é€é\n😀", id="an escape is its character"),
        pytest.param("4711000000000001", "4711000000000001", id="a long id keeps every digit"),
        pytest.param("123456789012345678901234567890", "123456789012345678901234567890", id="however long"),
        pytest.param("1.50", "1.50", id="a fraction keeps its zeros"),
        pytest.param("0.1000000000000000055", "0.1000000000000000055", id="and all of its digits"),
        pytest.param("-0", "-0", id="nothing is calculated"),
        pytest.param("1e3", "1000", id="an exponent is written out"),
        pytest.param("4.711000000000001E+15", "4711000000000001", id="to the last digit"),
        pytest.param("1.5E-3", "0.0015", id="downwards too"),
        pytest.param("1e999999999", "1e999999999", id="but not into a gigabyte"),
        pytest.param("true", "true", id="true"),
        pytest.param("false", "false", id="false"),
        pytest.param("null", "", id="null is empty"),
        pytest.param("[]", "", id="an empty array is empty"),
    ],
)
def test_a_value_keeps_its_text(tmp_path: Path, content: str, value: str) -> None:
    assert read(tmp_path, row(content)) == [(1, [value, "0"])]


def test_a_records_line_is_its_number_in_the_array_and_its_keys_may_come_in_any_order(tmp_path: Path) -> None:
    content = '[\r\n{"a": 1, "b": 2},\r\n\r\n{"b": 4, "c": "x",\r\n "a": 3},{"a":5}]\r\n'
    assert read(tmp_path, content) == [(1, ["1", "2"]), (2, ["3", "4"]), (3, ["5", ""])]


def test_what_is_nested_has_a_dotted_name(tmp_path: Path) -> None:
    record = {"branch": {"zone": "CET"}, "services": [{"name": "premium"}, {"name": "visa"}], "x.y": 1}
    names = "branch.zone services.0.name services.1.name x.y"
    assert read(tmp_path, json.dumps([record]), names) == [(1, ["CET", "premium", "visa", "1"])]


def test_records_are_found_where_they_are_declared_and_what_is_beside_them_is_passed_over(tmp_path: Path) -> None:
    content = '{"meta": [1, {"data": [{"a": 9, "b": 9}]}], "data": {"n": 1, "items": [{"a": 1, "b": 2}]}, "end": null}'
    assert read(tmp_path, content, records="data.items") == [(1, ["1", "2"])]


def test_records_may_be_arrays_whose_fields_are_declared(tmp_path: Path) -> None:
    assert read(tmp_path, '[["x", null], [1, true]]', fields=["a", "b"]) == [(1, ["x", ""]), (2, ["1", "true"])]
    assert ragged(tmp_path, "[[1, 2], [3], [4, 5, 6]]", fields=["a", "b"]) == {
        2: "1 values, where [sources.json] names 2 fields",
        3: "3 values, where [sources.json] names 2 fields",
    }


def test_a_byte_order_mark_is_no_part_of_the_content(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbf" + row("1").encode()) == [(1, ["1", "0"])]


def test_gzip_is_unpacked_and_its_faults_are_told(tmp_path: Path) -> None:
    assert read(tmp_path, row("1"), name="x.json.gz") == [(1, ["1", "0"])]
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(row("1").encode())[:-9])
    with pytest.raises(FileDeferred, match="the gzip data breaks off"):
        list(JsonExport(tmp_path / "cut.json.gz", ["a"], JsonFile()).batches())


def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.json")
    with pytest.raises(FileRefused, match="it is no file"):
        JsonExport(tmp_path / "x.json", ["a"], JsonFile())


def test_an_array_without_records_is_a_file_without_records(tmp_path: Path) -> None:
    assert read(tmp_path, " [ ] ") == []
    assert len(batches(tmp_path, "[]")) == 1


@pytest.mark.parametrize(
    ("record", "why"),
    [
        pytest.param("1", "it is no object", id="a number"),
        pytest.param('"a"', "it is no object", id="a text"),
        pytest.param("null", "it is no object", id="null"),
        pytest.param("[1, 2]", "it is no object", id="an array"),
        pytest.param('{"a": 1, "b": 2, "a": 3}', "a key is twice in one object", id="a key twice"),
        pytest.param('{"a": 1, "b": 1, "c": {"d": 1, "d": 1}}', "a key is twice in one object", id="also further down"),
        pytest.param(
            '{"a": 1, "b": 1, "c.d": 1, "c": {"d": 2}}',
            "two of its values have the same dotted name",
            id="a dotted key",
        ),
        pytest.param('{"a": {"x": 1}, "b": 1}', "'a' holds several values, where one is expected", id="an object"),
        pytest.param('{"a": "\\ud800", "b": 1}', "half a character, as an escape", id="half a character"),
        pytest.param(
            '{"a": 1, "c": ' + "[" * 30 + "1" + "]" * 30 + "}", "nested more than 20 levels deep", id="too deep"
        ),
    ],
)
def test_a_record_that_cannot_be_read_is_handed_on_alone_with_its_reason(tmp_path: Path, record: str, why: str) -> None:
    assert ragged(tmp_path, f'[{{"a": 1, "b": 2}}, {record}, {{"a": 3, "b": 4}}]') == {2: why}


@pytest.mark.parametrize(
    ("content", "declared", "reason"),
    [
        pytest.param('[{"a": 1, "b": 2},]', {}, "line 1: not JSON (", id="a comma too many"),
        pytest.param('[\n{"a": 1, "b": 2}\n{"a": 1}]', {}, "line 3: not JSON (", id="a comma too few"),
        pytest.param('[\n{"a": 1 "b": 2}]', {}, "line 2: not JSON (", id="a comma too few within a record"),
        pytest.param('[\n{"a": x}]', {}, "line 2: not JSON (", id="a bare word"),
        pytest.param("[{'a': 1}]", {}, "line 1: not JSON (", id="single quotes"),
        pytest.param('[{"a": 01}]', {}, "line 1: not JSON (", id="a number that begins with 0"),
        pytest.param('[{"a": "x\ny"}]', {}, "line 1: not JSON (", id="a line end within a text"),
        pytest.param('[{"a": NaN}]', {}, "line 1: NaN or Infinity", id="NaN"),
        pytest.param('[{"a": -Infinity}]', {}, "line 1: NaN or Infinity", id="Infinity"),
        pytest.param("[] []", {}, "line 1: something follows after the end", id="a second array"),
        pytest.param('[{"a":1,"b":2}]\n}', {}, "line 2: something follows after the end", id="a brace too many"),
        pytest.param("<html>no access</html>", {}, "line 1: expected an array of records", id="a page of HTML"),
        pytest.param('{"a": 1}', {}, "line 1: expected an array of records; [sources.json] says", id="no array"),
        pytest.param('{"x": {}}', {"records": "x"}, "line 1: expected an array of records at 'x'", id="no array there"),
        pytest.param('{"error": "no access"}', {"records": "x"}, "line 1: there is no 'x'", id="no such key"),
        pytest.param("[]", {"records": "x"}, "line 1: expected an object in which to find 'x'", id="no object"),
        pytest.param('{"x": [], "x": []}', {"records": "x"}, "line 1: 'x' is there twice", id="the records twice"),
        pytest.param(b'[{"a":\n"\xe9"}]', {}, "line 2: not UTF-8 text", id="another encoding"),
        pytest.param("[1]".encode("utf-16"), {}, "line 1: not UTF-8 text", id="UTF-16"),
        pytest.param("[" * 200_000, {}, "line 1: nested too deeply", id="a bomb of brackets"),
        pytest.param('[{"a":' * 100_000, {}, "line 1: nested too deeply", id="a bomb of objects"),
    ],
)  # fmt: skip
def test_what_is_not_json_to_the_letter_refuses_the_file(
    tmp_path: Path, content: bytes | str, declared: dict[str, Any], reason: str
) -> None:
    assert told(tmp_path, content, **declared).startswith(f"refused: {reason}")


@pytest.mark.parametrize("part", [100, 5000])
def test_a_record_or_value_beside_them_has_at_most_a_million_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    assert json_records.MAX_VALUE == 1_000_000
    monkeypatch.setattr(json_records, "MAX_VALUE", 1000)
    monkeypatch.setattr(json_records, "PART", part)
    reason = "refused: line 1: a record or value of more than 1,000 characters"
    long = "x" * 2000
    assert told(tmp_path, row(f'"{long}"')) == reason
    assert told(tmp_path, f'{{"y": "{long}", "r": []}}', records="r") == reason
    assert told(tmp_path, f'[{{"a": "{long}') == reason  # nobody waits for its end


CONTENT = '{"n": 1.5e3, "r": [{"a": "é\\u00e9", "b": [true, null]}, {"a": -1.5, "b": []}], "z": false}\n'.encode()


@pytest.mark.parametrize("part", [1, 7, 1 << 18])
def test_a_file_that_was_cut_anywhere_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    monkeypatch.setattr(json_records, "PART", part)
    assert read(tmp_path, CONTENT, "a b.0", records="r") == [(1, ["éé", "true"]), (2, ["-1.5", ""])]
    for length in range(len(CONTENT) - 1):
        assert told(tmp_path, CONTENT[:length], "a b.0", records="r").startswith("deferred: "), CONTENT[:length]
    assert told(tmp_path, b"") == "deferred: the file is empty: it is still being written, or was cut"


def test_a_column_that_no_record_has_refuses_the_file_and_is_named(tmp_path: Path) -> None:
    reason = "refused: column 'b': none of its 2 records has it: did the export change?"
    assert told(tmp_path, '[{"a": 1}, {"a": 2, "B": 3}]') == reason
    assert told(tmp_path, '[{"a": 1}, {"a": 2, "b": 3}]') == "read"
    assert told(tmp_path, '[{"a": 1}, {"a": 2, "b": null}]') == "read"
    assert told(tmp_path, "[]") == "read"


def test_what_would_stand_below_null_or_in_an_empty_array_is_not_missing(tmp_path: Path) -> None:
    assert read(tmp_path, '[{"a": null, "b": []}]', "a.x b.0.x") == [(1, ["", ""])]
    assert "'b.0.x'" in told(tmp_path, '[{"a": null, "b": ["y"]}]', "a.x b.0.x")


def test_a_key_that_is_declared_as_optional_may_be_in_no_record(tmp_path: Path) -> None:
    assert read(tmp_path, '[{"a": 1}]', optional=["b"]) == [(1, ["1", ""])]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = TEXT | st.none() | st.booleans() | st.integers()
KEYS = ["a", "b", "é.ö", ""]


def written(value: Any) -> str:
    """A value as it stands in JSON, without the quotes of a text."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


@given(
    records=st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES)),
    indent=st.sampled_from([None, 0, 3]),
    is_ascii=st.booleans(),
    part=st.sampled_from([1, 5, 1000]),
)
@settings(max_examples=150, deadline=None)
def test_any_list_of_flat_objects_is_read_back_value_for_value(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, Any]],
    indent: int | None,
    is_ascii: bool,
    part: int,
) -> None:
    path = tmp_path_factory.mktemp("any") / "x.json"
    path.write_text(json.dumps(records, indent=indent, ensure_ascii=is_ascii), encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_records, "PART", part)
        found = list(JsonExport(path, KEYS, JsonFile(optional=KEYS)).batches())
    assert [line for batch in found for line in batch.lines] == list(range(1, len(records) + 1))
    rows = [row for batch in found for row in batch.rows]
    assert rows == [[written(record.get(key)) for key in KEYS] for record in records]


@given(st.binary(max_size=60) | st.text(alphabet='[]{}",:.0123eE+-truefalsn \\u', max_size=40).map(str.encode))
@settings(max_examples=400, deadline=None)
def test_whatever_the_bytes_the_file_is_read_refused_or_deferred(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    told(tmp_path_factory.mktemp("any"), content)


def test_a_batch_is_bounded_by_its_records_and_by_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps([{"a": number, "b": "x" * 100} for number in range(10)])
    monkeypatch.setattr(json_records, "BATCH", 4)
    assert [len(batch) for batch in batches(tmp_path, content)] == [4, 4, 2]
    monkeypatch.setattr(json_records, "BATCH_TEXT", 250)
    assert [len(batch) for batch in batches(tmp_path, content)] == [3, 3, 3, 1]


def city(folder: Path, content: str, **changes: Any) -> Settings:
    """A city whose call log is JSON."""
    (folder / "exports").mkdir(exist_ok=True)
    (folder / "exports" / "calls_2025-03-31.json").write_text(content, encoding="utf-8")
    return settings_of(folder, sources=[{**CALLS, "files": "calls_*.json", **changes}])


CALL = {
    "id": 4711000000000001,
    "queue": "Algemeen",
    "direction": "in",
    "outcome": "answered",
    "arrived": "2025-03-31 09:00:00",
    "queued": None,
    "answered": "2025-03-31 09:00:12",
    "ended": "2025-03-31 09:02:00",
    "wait": 12.5,
    "queue_wait": None,
}


def test_a_call_log_in_json_becomes_calls_by_the_same_mapping_as_one_in_text(tmp_path: Path) -> None:
    content = json.dumps({"items": [CALL, {**CALL, "id": 2, "outcome": "missed", "wait": 1e1}]})
    with warehouse(city(tmp_path, content, json={"records": "items"})) as con:
        calls = con.execute("select call_id, outcome, wait_seconds::double from core.calls order by call_id").fetchall()
    assert calls == [("2", "missed", 10.0), ("4711000000000001", "answered", 12.5)]


def test_a_record_that_cannot_be_read_is_quarantined_with_its_reason_and_its_text_kept_in_private(
    tmp_path: Path,
) -> None:
    declared = city(tmp_path, json.dumps([CALL, "x", {**CALL, "id": 2}]), max_quarantined_share=1)
    with warehouse(declared) as con:
        quarantined = con.execute("select line, column_name, reason from ops.quarantine").fetchall()
    assert quarantined == [(2, "(all)", "it is no object")]
    private = [
        path.read_bytes() for path in declared.folders.data.rglob("*") if path.is_file() and "private" in str(path)
    ]
    assert any(b'"x' in (gzip.decompress(kept) if kept[:2] == b"\x1f\x8b" else kept) for kept in private)


def test_a_missing_column_is_a_refused_file(tmp_path: Path) -> None:
    content = json.dumps([{key: value for key, value in CALL.items() if key != "queue"}])
    (receipt,) = read_all(city(tmp_path, content)).receipts
    assert receipt.status == "refused"
    assert "'queue'" in (receipt.reason or "")


def test_kcc_check_knows_the_source_of_a_file_by_its_keys(tmp_path: Path) -> None:
    declared = city(tmp_path, json.dumps([CALL]))
    other = tmp_path / "other.json"
    other.write_text(json.dumps([CALL]), encoding="utf-8")
    assert check(other, declared, TODAY).source == "phone"
    other.write_text(json.dumps([{"id": 1}]), encoding="utf-8")
    with pytest.raises(CannotTellSource, match="no source fits by name or header"):
        check(other, declared, TODAY)


QMATIC = {
    "name": "desk",
    "kind": "appointments",
    "files": "appointments_*.json",
    "time_zone": "Europe/Brussels",
    "export": {"pattern": r"appointments_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "20:00"},
    "json": {"records": "appointmentList"},
    "columns": {
        "appointment_id": "publicId",
        "service": "services.0.name",
        "status": "status",
        "booked_at": {"column": "created", "format": "unix_milliseconds"},
        "planned_start": {"column": "start", "format": "%Y-%m-%dT%H:%M:%S%.f%z"},
    },
    "statuses": {"20": "planned"},
}
"""The REST interface of Qmatic Orchestra, in the shape that its clients record."""

JCC = {
    **{key: value for key, value in QMATIC.items() if key not in ("json", "statuses")},
    "columns": {
        "appointment_id": "id",
        "service": "activityList.0.activity.description",
        "booked_at": {"column": "creationDateTime", "format": "%Y-%m-%dT%H:%M:%S%.f"},
        "planned_start": {"column": "startDateTime", "format": "%Y-%m-%dT%H:%M:%S"},
    },
}
"""The REST interface of JCC, likewise."""


def appointments(folder: Path, source: dict[str, Any], content: str) -> list[Any]:
    """What becomes of an export of appointments made on 31 March 2025."""
    (folder / "exports").mkdir(exist_ok=True)
    (folder / "exports" / "appointments_2025-03-31.json").write_bytes(content.encode())
    with warehouse(settings_of(folder, sources=[source])) as con:
        assert con.execute("select reason from ops.quarantine").fetchall() == []
        return con.execute(
            """
            select appointment_id, service, booked_local::varchar, planned_start_local::varchar
            from core.appointments order by all
            """
        ).fetchall()


def test_appointments_of_qmatic_are_declared_with_three_spellings_of_a_moment(tmp_path: Path) -> None:
    first = {
        "publicId": "d50517a0ae88cdbc495f7a32e011cb",
        "services": [
            {"name": "premium", "duration": 5, "additionalCustomerDuration": 0},
            {"name": "visa", "duration": 10},
        ],
        "status": 20,
        "customers": [{"name": "An Voorbeeld", "phone": "0470000001", "dateOfBirth": -2206357200000}],
        "start": "2025-04-10T07:30:00.000+00:00",
        "end": "2025-04-10T07:35:00.000+00:00",
        "created": 1741597200000,
        "branch": {"name": "Stadhuis", "timeZone": "Europe/Brussels", "fullTimeZone": "Europe/Brussels"},
        "custom": None,
    }
    second = {**first, "publicId": "f00", "start": "2025-04-10T07:40:00.000+0000", "services": [{"name": "visa"}]}
    content = json.dumps({"notifications": [], "meta": {"totalResults": 2}, "appointmentList": [first, second]})
    assert appointments(tmp_path, QMATIC, content) == [
        ("d50517a0ae88cdbc495f7a32e011cb", "premium", "2025-03-10 10:00:00", "2025-04-10 09:30:00"),
        ("f00", "visa", "2025-03-10 10:00:00", "2025-04-10 09:40:00"),
    ]


def test_an_appointment_of_jcc_for_several_products_is_one_by_the_first_of_them(tmp_path: Path) -> None:
    record = {
        "id": "7f0c6ab1-0000-4000-8000-000000000001",
        "number": "A-1",
        "startDateTime": "2025-04-10T09:30:00",
        "endDateTime": "2025-04-10T09:50:00",
        "creationDateTime": "2025-03-10T10:00:00.527",
        "activityList": [
            {"amount": 2, "activity": {"number": 1, "description": "paspoort", "appointmentDuration": 600}},
            {"amount": 1, "activity": {"number": 2, "description": "rijbewijs", "appointmentDuration": 600}},
        ],
        "customerList": [{"lastName": "Voorbeeld", "emailAddress": "an@stad.example"}, {"lastName": "Fictief"}],
        "location": {"description": "Stadhuis"},
    }
    content = json.dumps([record], indent=2).replace("\n", "\r\n")
    assert appointments(tmp_path, JCC, content) == [
        ("7f0c6ab1-0000-4000-8000-000000000001", "paspoort", "2025-03-10 10:00:00.527", "2025-04-10 09:30:00")
    ]
