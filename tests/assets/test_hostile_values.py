"""Values that would act where they are shown: on a terminal, in a browser, in a spreadsheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from assets import canonical
from assets.files import export_files
from assets.records import RecordStore
from tests.city import APPOINTMENTS, CALLS, TODAY, appointment, call, settings_of, write_appointments, write_calls

CONTROL, LONG, FORMULA = (
    "holds a control character",
    "longer than 200 characters",
    "begins like a formula of a spreadsheet",
)
QUARANTINED = {
    "a title for the terminal": ("Al\x1b]0;owned\x07gemeen", CONTROL, "aa??9;aaaaa?aaaaaa"),
    "a colour for the terminal": ("\x1b[31mAlgemeen", CONTROL, "??99aaaaaaaaa"),
    "a tab": ("Alge\tmeen", CONTROL, "aaaa?aaaa"),
    "a line end": ("Alge\nmeen", CONTROL, "aaaa?aaaa"),
    "a C1 control": ("Alge\x9bmeen", CONTROL, "aaaa?aaaa"),
    "a mark that turns the direction of reading": ("Alge\u202emeen", CONTROL, "aaaa?aaaa"),
    "an isolate": ("\u2067Algemeen\u2069", CONTROL, "?aaaaaaaa?"),
    "a blank of no width": ("Alge\u200bmeen", CONTROL, "aaaa?aaaa"),
    "a line separator": ("Alge\u2028meen", CONTROL, "aaaa?aaaa"),
    "a formula": ("=cmd|' /C calc'!A0", FORMULA, "?aaa|? /a aaaa??a9"),
    "a formula behind blanks": ("  =1+1", FORMULA, "  ?9+9"),
    "a formula that begins with a plus": ("+cmd|' /C calc'!A0", FORMULA, "+aaa|? /a aaaa??a9"),
    "a formula that begins with a minus": ("-2+3+cmd|' /C calc'!A0", FORMULA, "-9+9+aaa|? /a aaaa??a9"),
    "a formula that begins with an at": ("@SUM(1+1)*cmd|' /C calc'!A0", FORMULA, "?aaa(9+9)?aaa|? /a aaaa??a9"),
    "a whole note": ("x" * 201, LONG, "a" * 60),
}
PUBLISHED = [
    "<script>alert(1)</script>",
    "![](http://example.org/p.png)",
    "[red]Algemeen[/red]",
    ":boom:",
    "x'; drop table core.calls; --",
    "+32 000 00 00 00",
    "-",
    "@balie",
    "x" * 200,
    "Ελληνικά العربية 日本",
    "../../etc/passwd",
]


def records(folder: Path, kind: str, column: str, value: str) -> pl.DataFrame:
    """The canonical records of one export of one record that has the value in one of its columns."""
    value = f'"{value}"' if {";", "\n"} & {*value} else value
    source: dict[str, Any] = CALLS if kind == "calls" else APPOINTMENTS
    if kind == "calls":
        source = {**CALLS, "columns": {**CALLS["columns"], "leg_id": "leg"}}
        write_calls(folder, "2025-03-31", [{**call("2025-03-31 10:00:00"), "leg": "1", column: value}])
    else:
        write_appointments(folder, "2025-03-31", [{**appointment("2025-04-01 10:00:00", "planned"), column: value}])
    settings = settings_of(folder, sources=[{**source, "max_quarantined_share": 1}])
    (file,) = export_files(settings, TODAY)
    receipt = RecordStore(settings).read(file)
    assert (receipt.status, receipt.records) == ("loaded", 1)
    return pl.read_parquet(folder / "data" / "records" / (receipt.parquet or ""))


TEXTS = [
    *(("calls", column) for column in ("id", "leg", "queue")),
    *(("appointments", column) for column in ("id", "service", "channel")),
]


@pytest.mark.parametrize(("kind", "column"), TEXTS)
@pytest.mark.parametrize("what", QUARANTINED)
def test_a_text_that_acts_where_it_is_shown_is_quarantined_with_its_shape(
    tmp_path: Path, kind: str, column: str, what: str
) -> None:
    value, reason, pattern = QUARANTINED[what]
    (record,) = records(tmp_path, kind, column, value).rows(named=True)
    told = (record["quarantine_column"], record["quarantine_reason"], record["quarantine_pattern"])
    assert told == (column, reason, pattern)
    assert value not in {str(kept) for kept in record.values()}


@pytest.mark.parametrize(("kind", "column"), TEXTS)
@pytest.mark.parametrize("value", PUBLISHED, ids=lambda value: value[:20])
def test_a_text_that_is_only_odd_is_kept_as_it_is(tmp_path: Path, kind: str, column: str, value: str) -> None:
    (record,) = records(tmp_path, kind, column, value).rows(named=True)
    assert record["quarantine_reason"] is None
    names = {"id": f"{kind.rstrip('s')}_id", "leg": "leg_id", "channel": "booking_channel"}
    assert record[names.get(column, column)] == value


def test_two_columns_of_an_id_make_no_formula_together(tmp_path: Path) -> None:
    source = {**CALLS, "columns": {**CALLS["columns"], "call_id": ["id", "leg"]}, "max_quarantined_share": 1}
    parts = [{"id": "+cmd", "leg": "' /C calc'!A0"}, {"id": "-1", "leg": "4711"}]
    write_calls(tmp_path, "2025-03-31", [{**call("2025-03-31 10:00:00"), **part} for part in parts])
    settings = settings_of(tmp_path, sources=[source])
    receipt = RecordStore(settings).read(export_files(settings, TODAY)[0])
    frame = pl.read_parquet(tmp_path / "data" / "records" / (receipt.parquet or ""))
    assert frame["quarantine_column"].to_list() == ["id, leg", None]
    assert frame["record_key"].to_list() == [None, "-1|4711"]


def test_of_a_record_in_quarantine_no_text_of_the_export_is_kept_but_its_key(tmp_path: Path) -> None:
    """Where a column too many and one too few meet, a caller's number stands in the column of the queue."""
    number = "+32 000 00 10 62"
    columns = {**CALLS["columns"], "leg_id": "leg"}
    source = {**CALLS, "columns": columns, "max_quarantined_share": 1}
    shifted = {**call("not a moment"), "leg": "1", "queue": number}
    write_calls(tmp_path, "2025-03-31", [shifted])
    write_appointments(tmp_path, "2025-03-31", [{**appointment("not a moment"), "service": number, "channel": number}])
    settings = settings_of(tmp_path, sources=[source, {**APPOINTMENTS, "max_quarantined_share": 1}])
    store = RecordStore(settings)
    for file in export_files(settings, TODAY):
        receipt = store.read(file)
        (record,) = pl.read_parquet(store.records / (receipt.parquet or "")).rows(named=True)
        assert record["quarantine_reason"] == "not in the format %Y-%m-%d %H:%M:%S"
        assert record["record_key"] in ("r1", "r1|1")
        assert {record.get("call_id"), record.get("appointment_id")} == {"r1", None}  # what the key is made of
        assert {"leg_id", "queue", "service", "booking_channel"} & {
            name for name, value in record.items() if value
        } == set()


def test_a_record_that_breaks_its_contract_is_told_without_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = canonical.canonical_calls
    monkeypatch.setattr(
        canonical, "canonical_calls", lambda *of: made(*of).with_columns(direction=pl.lit("0470 00 00 00"))
    )
    with pytest.raises(canonical.NotCanonical) as failed:
        records(tmp_path, "calls", "queue", "Algemeen")
    assert str(failed.value).startswith("source 'phone': the records made of it break CallRecord: direction, ")
    assert "0470" not in str(failed.value)
    assert failed.value.__suppress_context__
