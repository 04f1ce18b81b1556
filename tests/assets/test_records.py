"""What is kept of an export file: its canonical records, one receipt, and the raw text of what can't be read."""

from __future__ import annotations

import gzip
import json
import os
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, example, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from assets import containers, reading, records
from assets.files import export_files
from assets.records import Receipt, RecordStore
from pipelines.settings import Settings
from tests.city import APPOINTMENT_HEADER, APPOINTMENTS, CALL_HEADER, CALLS, TODAY, settings_of

PHONE = "0470123456"
NAME = "calls_2025-03-31.csv"
HEADER = CALL_HEADER + "\n"
SOUND = "1;;Algemeen;in;answered;2025-03-31 10:00:00;;2025-03-31 10:00:10;2025-03-31 10:05:00;10;\n"
BAD = f"2;;Algemeen;in;{PHONE};2025-03-31 10:00:00;;;;10;\n"


def city(folder: Path, **changes: Any) -> Settings:
    """The settings of a city with one call log, some of whose keys are changed."""
    return settings_of(folder, sources=[{**CALLS, **changes}])


def deliver(folder: Path, content: str | bytes, name: str = NAME) -> Path:
    """Put a file among the exports. Its clock is set a second on from what it was, as a copy would."""
    path = folder / "exports" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.stat().st_mtime_ns if path.exists() else time.time_ns()
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, ns=(before + 10**9,) * 2)
    return path


def read(settings: Settings) -> list[Receipt]:
    """Read what was not read yet in a new run, and give the receipts that are then on the disk."""
    store = RecordStore(settings)
    for file in store.unread(export_files(settings, TODAY)):
        store.read(file)
    on_disk = RecordStore(settings).receipts
    assert on_disk == sorted(store.receipts, key=lambda receipt: (receipt.source, receipt.delivery, receipt.name))
    return on_disk


def outcome(folder: Path, content: str | bytes, name: str = NAME, **changes: Any) -> tuple[str, str | None]:
    """Status and reason of one file, read with a changed source."""
    deliver(folder, content, name)
    (receipt,) = read(city(folder, **changes))
    assert (receipt.status == "loaded") == (receipt.parquet is not None)
    assert receipt.status == "loaded" or receipt.records == receipt.quarantined == 0
    return receipt.status, receipt.reason


def rows(folder: Path, receipt: Receipt) -> pl.DataFrame:
    assert receipt.parquet is not None
    return pl.read_parquet(folder / "data" / "records" / receipt.parquet)


def files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


# ── Once is enough ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def names_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose bytes were read, each time that they were."""
    names: list[str] = []

    class Counted(reading.TextExport):
        def __init__(self, path: Path, text: Any) -> None:
            names.append(path.name)
            super().__init__(path, text)

    monkeypatch.setattr(containers, "TextExport", Counted)
    return names


def test_a_file_is_read_once_and_not_again_while_nothing_changed(tmp_path: Path, names_read: list[str]) -> None:
    deliver(tmp_path, HEADER + SOUND)
    first = read(city(tmp_path))
    kept = {path: path.stat().st_mtime_ns for path in files_below(tmp_path / "data")}
    assert read(city(tmp_path)) == first
    store = RecordStore(city(tmp_path))
    assert [store.read(file) for file in export_files(store.settings, TODAY)] == first
    assert names_read == [NAME]
    assert {path: path.stat().st_mtime_ns for path in files_below(tmp_path / "data")} == kept


def test_a_file_that_was_touched_is_read_again_with_the_same_result(tmp_path: Path, names_read: list[str]) -> None:
    path = deliver(tmp_path, HEADER + SOUND + BAD)
    (first,) = read(city(tmp_path))
    before = rows(tmp_path, first)
    os.utime(path, ns=(0, 0))
    (again,) = read(city(tmp_path))
    assert names_read == [NAME, NAME]
    changed = {"modified_ns", "delivery"}
    assert again.model_dump(exclude=changed) == first.model_dump(exclude=changed)
    assert rows(tmp_path, again).equals(before)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"time_zone": "UTC"}, id="another zone"),
        pytest.param({"columns": {**CALLS["columns"], "wait_seconds": {"column": "queue_wait"}}}, id="another column"),
        pytest.param({"outcomes": {**CALLS["outcomes"], "menu": "other"}}, id="another meaning of a word"),
        pytest.param({"exclude": []}, id="no exclusion"),
        pytest.param({"wait_starts_at": "queue"}, id="another start of the wait"),
        pytest.param({"text": {"delimiter": ";", "decimal": ","}}, id="another decimal sign"),
    ],
)
def test_a_change_of_the_mapping_reads_everything_again(
    tmp_path: Path, names_read: list[str], changes: dict[str, Any]
) -> None:
    deliver(tmp_path, HEADER + SOUND)
    (first,) = read(city(tmp_path))
    (again,) = read(city(tmp_path, **changes))
    assert names_read == [NAME, NAME]
    assert (again.sha256, again.status) == (first.sha256, "loaded")
    assert again.reader != first.reader


def test_a_new_version_of_the_reader_reads_everything_again(
    tmp_path: Path, names_read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(tmp_path, HEADER + SOUND)
    read(city(tmp_path))
    monkeypatch.setattr(records, "READER_VERSION", records.READER_VERSION + 1)
    assert len(read(city(tmp_path))) == 1
    assert names_read == [NAME, NAME]


@pytest.mark.parametrize("changes", [{"max_quarantined_share": 0.5}, {"valid_to": "2030-01-01"}, {"covers_days": 7}])
def test_a_setting_that_changes_no_record_reads_nothing_again(
    tmp_path: Path, names_read: list[str], changes: dict[str, Any]
) -> None:
    deliver(tmp_path, HEADER + SOUND)
    assert read(city(tmp_path)) == read(city(tmp_path, **changes))
    assert names_read == [NAME]


# ── Deferred, refused, mended ─────────────────────────────────────────────────────────────────────


def test_a_file_that_was_growing_and_came_leaves_one_receipt(tmp_path: Path) -> None:
    for content in ("", HEADER + SOUND[:30], HEADER + SOUND + SOUND[:-1]):
        deliver(tmp_path, content)
        (receipt,) = read(city(tmp_path))
        assert (receipt.status, receipt.records, receipt.parquet) == ("deferred", 0, None)
    deliver(tmp_path, HEADER + SOUND + SOUND)
    (receipt,) = read(city(tmp_path))
    assert (receipt.status, receipt.records, receipt.reason) == ("loaded", 2, None)


def test_a_file_whose_header_is_only_half_written_is_growing_and_not_refused(tmp_path: Path) -> None:
    deliver(tmp_path, HEADER[:5])
    assert [receipt.status for receipt in read(city(tmp_path))] == ["deferred"]
    deliver(tmp_path, HEADER + SOUND)
    assert [receipt.status for receipt in read(city(tmp_path))] == ["loaded"]


def test_a_growing_file_is_looked_at_in_every_run(tmp_path: Path, names_read: list[str]) -> None:
    deliver(tmp_path, HEADER + SOUND[:-1])
    assert [receipt.status for _ in range(3) for receipt in read(city(tmp_path))] == ["deferred"] * 3
    assert names_read == [NAME] * 3


def test_with_a_manifest_an_export_waits_for_it_and_it_is_no_export_itself(tmp_path: Path) -> None:
    marked = {"manifest": ".ok", "files": "calls_*"}
    assert outcome(tmp_path, HEADER + SOUND, **marked) == (
        "deferred",
        f"'{NAME}.ok' does not lie beside it yet, which says that it is complete",
    )
    deliver(tmp_path, "", NAME + ".ok")
    assert [(receipt.name, receipt.status) for receipt in read(city(tmp_path, **marked))] == [(NAME, "loaded")]


def test_an_export_that_changed_a_moment_ago_waits_where_that_is_declared(tmp_path: Path) -> None:
    told = outcome(tmp_path, HEADER + SOUND, unchanged_seconds=60)
    assert told == ("deferred", "it changed less than 60 s ago, so it may still be written")
    os.utime(tmp_path / "exports" / NAME, ns=(time.time_ns() - 61 * 10**9,) * 2)
    assert [receipt.status for receipt in read(city(tmp_path, unchanged_seconds=60))] == ["loaded"]


def test_an_export_that_changes_while_it_is_read_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deliver(tmp_path, HEADER + SOUND)

    class Grows(reading.TextExport):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            with path.open("a") as stream:
                stream.write(SOUND.replace("1;", "2;", 1))

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(containers, "TextExport", Grows)
        (receipt,) = read(city(tmp_path))
    assert (receipt.status, receipt.reason) == (
        "deferred",
        "it changed while it was being read: it is still being written",
    )
    assert [(receipt.status, receipt.records) for receipt in read(city(tmp_path))] == [("loaded", 2)]


def test_a_refused_file_that_comes_mended_is_loaded_and_its_refusal_stays_told(tmp_path: Path) -> None:
    deliver(tmp_path, HEADER + '1;"\n')
    read(city(tmp_path))
    deliver(tmp_path, HEADER + SOUND)
    assert [(receipt.status, receipt.delivery) for receipt in read(city(tmp_path))] == [("refused", 1), ("loaded", 2)]


def test_a_refused_file_is_not_read_again_until_it_changes(tmp_path: Path, names_read: list[str]) -> None:
    deliver(tmp_path, "<html>\n")
    assert read(city(tmp_path)) == read(city(tmp_path))
    assert names_read == [NAME]


def test_a_sound_version_stays_when_a_broken_one_comes_under_its_name(tmp_path: Path) -> None:
    deliver(tmp_path, HEADER + SOUND)
    read(city(tmp_path))
    deliver(tmp_path, HEADER + SOUND + '"x"y\n')
    receipts = read(city(tmp_path))
    assert [receipt.status for receipt in receipts] == ["loaded", "refused"]
    assert rows(tmp_path, receipts[0]).height == 1


def test_every_version_of_a_name_keeps_its_receipt_and_the_last_delivered_counts_last(tmp_path: Path) -> None:
    one, two = HEADER + SOUND, HEADER + SOUND + SOUND
    for content in (one, two, one):
        deliver(tmp_path, content)
        receipts = read(city(tmp_path))
    assert [(receipt.records, receipt.delivery) for receipt in receipts] == [(2, 2), (1, 3)]


def test_a_mapping_under_which_a_file_is_refused_leaves_the_same_receipts_plain_or_zipped(tmp_path: Path) -> None:
    content = (HEADER + SOUND).encode()
    statuses = {}
    for name, delivered in ((NAME, content), (NAME + ".gz", gzip.compress(content))):
        folder = tmp_path / name
        assert outcome(folder, delivered, name, files="calls_*")[0] == "loaded"
        columns = {**CALLS["columns"], "queue": "wachtrij"}
        statuses[name] = [receipt.status for receipt in read(city(folder, files="calls_*", columns=columns))]
    assert statuses[NAME] == statuses[NAME + ".gz"]


def test_a_file_that_could_not_be_opened_is_tried_again_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mended rights change neither the size nor the time of a file."""
    deliver(tmp_path, HEADER + SOUND)

    def denied(_: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(reading, "opened", denied)
        (receipt,) = read(city(tmp_path))
        assert receipt.status in ("refused", "deferred")
        assert receipt.reason == "can't be opened (Permission denied)"
    assert read(city(tmp_path))[-1].status == "loaded"


def test_a_file_that_goes_away_before_it_is_read_does_not_stop_the_others(tmp_path: Path) -> None:
    deliver(tmp_path, HEADER + SOUND)
    deliver(tmp_path, HEADER + SOUND, "calls_2025-03-30.csv")
    settings = city(tmp_path)
    store = RecordStore(settings)
    files = export_files(settings, TODAY)
    files[0].path.unlink()
    assert [store.read(file).status for file in store.unread(files)][-1] == "loaded"


def test_a_file_without_a_date_in_its_name_is_refused_with_the_sentence_that_says_so(tmp_path: Path) -> None:
    status, reason = outcome(tmp_path, HEADER + SOUND, "calls_2025-02-30.csv")
    assert status == "refused"
    assert reason is not None
    assert "in its name is not" in reason
    assert "'%Y-%m-%d'" in reason


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("calls_*", NAME),
        ("phone/calls_*.csv", "phone/" + NAME),
        ("*/calls_*.csv", "phone/" + NAME),
        ("calls_[0-9]*.csv", NAME),
    ],
)
def test_what_was_found_and_read_is_known_in_the_next_run(tmp_path: Path, pattern: str, name: str) -> None:
    assert outcome(tmp_path, HEADER + SOUND, name, files=pattern) == ("loaded", None)
    store = RecordStore(city(tmp_path, files=pattern))
    assert [receipt.name for receipt in store.receipts] == [name]
    assert store.unread(export_files(store.settings, TODAY)) == []


def test_the_same_content_plain_and_zipped_has_one_sha256_and_the_same_records(tmp_path: Path) -> None:
    content = (HEADER + SOUND + BAD).encode()
    deliver(tmp_path, content)
    deliver(tmp_path, gzip.compress(content), NAME + ".gz")
    plain, zipped = read(city(tmp_path, files="calls_*"))
    assert (plain.sha256, plain.parquet, plain.records) == (zipped.sha256, zipped.parquet, zipped.records)
    assert plain.size != zipped.size
    assert read(city(tmp_path, files="calls_*")) == [plain, zipped]


# ── Headers ───────────────────────────────────────────────────────────────────────────────────────

DID_IT_CHANGE = "did the export template change, or is ';' not its delimiter?"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(
            HEADER.replace("queue;", "") + SOUND,
            f"line 1: column 'queue' is not in the header of 10 columns: {DID_IT_CHANGE}",
            id="a column is missing",
        ),
        pytest.param(
            HEADER.replace("queue;", "Queue;") + SOUND,
            f"line 1: column 'queue' is not in the header of 11 columns: {DID_IT_CHANGE}",
            id="a column has another name",
        ),
        pytest.param(
            HEADER.replace("leg;", "outcome;") + SOUND,
            f"line 1: column 'outcome' stands 2 times in the header of 11 columns: {DID_IT_CHANGE}",
            id="a column stands twice",
        ),
        pytest.param(
            (HEADER + SOUND).replace(";", ","),
            f"line 1: column 'queue' is not in the header of 1 columns: {DID_IT_CHANGE}",
            id="another delimiter",
        ),
        pytest.param(
            "<!DOCTYPE html>\n<html>\n<body>Session expired</body>\n</html>\n",
            f"line 1: column 'queue' is not in the header of 1 columns: {DID_IT_CHANGE}",
            id="an HTML page",
        ),
        pytest.param(
            "\n" + HEADER + SOUND,
            f"line 1: column 'queue' is not in the header of 0 columns: {DID_IT_CHANGE}",
            id="a blank line first",
        ),
        pytest.param(
            SOUND.replace("Algemeen", PHONE) * 2,
            f"line 1: column 'queue' is not in the header of 11 columns: {DID_IT_CHANGE}",
            id="no header",
        ),
    ],
)
def test_a_header_that_is_not_as_declared_refuses_the_file_by_the_first_declared_column_that_it_misses(
    tmp_path: Path, content: str, reason: str
) -> None:
    assert outcome(tmp_path, content) == ("refused", reason)


def test_a_zip_named_csv_is_refused(tmp_path: Path) -> None:
    assert outcome(tmp_path, b"PK\x03\x04\x14\x00\x00\x00\x08\x00\n") == (
        "refused",
        "line 1: holds a NUL character, so this is not a text file",
    )


def test_columns_may_come_in_another_order_and_others_among_them(tmp_path: Path) -> None:
    deliver(tmp_path, HEADER + SOUND)
    (receipt,) = read(city(tmp_path))
    expected = rows(tmp_path, receipt)
    names, values = CALL_HEADER.split(";"), SOUND.strip().split(";")
    mixed = [
        ("caller", PHONE),
        *reversed([*zip(names, values, strict=True)]),
        ("agent", "Jan"),
        ("agent", ""),
        ("", ""),
    ]
    deliver(tmp_path, "\n".join(";".join(line) for line in zip(*mixed, strict=True)) + "\n")
    receipt = read(city(tmp_path))[-1]
    assert rows(tmp_path, receipt).equals(expected)


@pytest.mark.parametrize("header", ["note;note;", "note;note;note#12", "note#12;note;note", "note;;"])
def test_columns_that_nobody_declared_may_have_any_name(tmp_path: Path, header: str) -> None:
    assert outcome(tmp_path, f"{CALL_HEADER};{header}\n{SOUND.strip()};a;b;c\n") == ("loaded", None)


@pytest.mark.parametrize("name", ["line", "literal", "quarantine_reason", "len", "queue "])
def test_a_declared_column_may_have_any_name(tmp_path: Path, name: str) -> None:
    """A telephone system may well have a column `line`."""
    columns = {**CALLS["columns"], "queue": name}
    content = HEADER.replace(";queue;", f";{name};") + SOUND
    deliver(tmp_path, content)
    (receipt,) = read(city(tmp_path, columns=columns, exclude=[]))
    assert (receipt.status, receipt.reason) == ("loaded", None)
    assert rows(tmp_path, receipt).select("line", "queue", "quarantine_reason").row(0) == (2, "Algemeen", None)


def test_a_file_without_a_header_is_read_by_the_declared_one(tmp_path: Path) -> None:
    text = {"delimiter": ";", "header": CALL_HEADER.split(";")}
    deliver(tmp_path, SOUND + BAD)
    (receipt,) = read(city(tmp_path, text=text))
    assert rows(tmp_path, receipt)["line"].to_list() == [1, 2]
    assert receipt.first_quarantine == "line 2, outcome: not one of the declared outcomes"


def test_a_header_where_none_was_declared_to_be_is_a_quarantined_record(tmp_path: Path) -> None:
    text = {"delimiter": ";", "header": CALL_HEADER.split(";")}
    deliver(tmp_path, HEADER + SOUND)
    (receipt,) = read(city(tmp_path, text=text))
    assert (receipt.records, receipt.quarantined) == (2, 1)
    assert receipt.first_quarantine == "line 1, outcome: not one of the declared outcomes"


# ── Every record is in one place ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("batch", [1, 2, 50_000])
def test_every_record_is_kept_with_its_line_and_what_is_wrong_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(reading, "BATCH", batch)
    content = HEADER + SOUND + "\n" + SOUND.replace("Algemeen", '"Al\nge"') + HEADER + "Totaal;3\n" + BAD + SOUND * 2
    deliver(tmp_path, content + "x;" + SOUND)
    (receipt,) = read(city(tmp_path))
    frame = rows(tmp_path, receipt)
    assert dict(zip(frame["line"], frame["quarantine_reason"], strict=True)) == {
        2: None,
        3: "an empty line",
        4: "holds a control character",
        6: "not one of the declared outcomes",
        7: "2 fields, where the header has 11",
        8: "not one of the declared outcomes",
        9: None,
        10: None,
        11: "12 fields, where the header has 11",
    }
    assert frame["line"].is_sorted()
    assert (receipt.records, receipt.quarantined) == (9, 6)
    assert receipt.first_quarantine == "line 3, (all): an empty line"


def test_a_file_of_nothing_but_broken_records_keeps_every_one(tmp_path: Path) -> None:
    deliver(tmp_path, HEADER + "a\nb;c\n\n")
    (receipt,) = read(city(tmp_path))
    assert (receipt.records, receipt.quarantined) == (3, 3)
    assert rows(tmp_path, receipt)["line"].to_list() == [2, 3, 4]


def test_a_file_of_a_header_alone_is_loaded_without_records(tmp_path: Path) -> None:
    deliver(tmp_path, HEADER)
    (receipt,) = read(city(tmp_path))
    assert (receipt.status, receipt.records, rows(tmp_path, receipt).height) == ("loaded", 0, 0)


CALL_COLUMNS = [
    *["line", "record_key", "call_id", "leg_id", "queue", "direction", "reported_outcome", "is_answered"],
    *["missed_reason", "exclusion_rule", "is_open", "arrived_at_utc", "is_arrival_ambiguous", "answered_at_utc"],
    *["ended_at_utc", "wait_seconds", "queue_wait_seconds", "is_wait_lower_bound", "impossible_duration"],
    "is_marked_outside_hours",
    *["quarantine_column", "quarantine_reason", "quarantine_pattern"],
]
APPOINTMENT_COLUMNS = [
    *["line", "record_key", "appointment_id", "service", "booking_channel", "status", "exclusion_rule"],
    *["booked_at_utc", "planned_start_utc", "planned_day", "first_planned_start_utc", "checked_in_at_utc"],
    *["started_at_utc", "ended_at_utc", "quarantine_column", "quarantine_reason", "quarantine_pattern"],
]


@pytest.mark.parametrize("broken", ["", "x\n"], ids=["all sound", "one broken"])
def test_the_records_of_a_call_log_have_the_closed_list_of_columns_and_nothing_of_caller_or_agent(
    tmp_path: Path, broken: str
) -> None:
    extra = f"caller;agent;{CALL_HEADER}\n" + f"{PHONE};Jan Peeters;{SOUND}" + broken
    deliver(tmp_path, extra)
    (receipt,) = read(city(tmp_path))
    assert sorted(rows(tmp_path, receipt).columns) == sorted(CALL_COLUMNS)
    for path in files_below(tmp_path / "data"):
        assert not any(word in path.read_bytes() for word in (PHONE.encode(), b"Peeters", b"caller", b"agent"))


@pytest.mark.parametrize("broken", ["", "x\n"], ids=["all sound", "one broken"])
def test_the_records_of_an_appointment_log_have_the_closed_list_of_columns(tmp_path: Path, broken: str) -> None:
    content = f"{APPOINTMENT_HEADER};visitor\n1;premium;web;planned;;2025-04-01 10:00:00;;;;{PHONE}\n{broken}"
    deliver(tmp_path, content, "appointments_2025-03-31.csv")
    (receipt,) = read(settings_of(tmp_path, sources=[APPOINTMENTS]))
    assert sorted(rows(tmp_path, receipt).columns) == sorted(APPOINTMENT_COLUMNS)
    assert not any(PHONE.encode() in path.read_bytes() for path in files_below(tmp_path / "data"))


def test_the_types_are_the_same_whatever_the_file_holds(tmp_path: Path) -> None:
    contents = {"01": HEADER, "02": HEADER + SOUND, "03": HEADER + "x\n", "04": HEADER + BAD + "\n" + SOUND}
    for day, content in contents.items():
        deliver(tmp_path, content, f"calls_2025-03-{day}.csv")
    assert len({tuple(rows(tmp_path, receipt).schema.items()) for receipt in read(city(tmp_path))}) == 1


# ── Who may read what, and for how long ───────────────────────────────────────────────────────────


def modes(folder: Path) -> dict[str, str]:
    """The modes of everything below the data folder, once a file with a quarantined record was read."""
    deliver(folder, HEADER + SOUND + BAD)
    before = os.umask(0o022)
    try:
        read(city(folder))
    finally:
        os.umask(before)
    return {path.relative_to(folder).as_posix(): oct(path.stat().st_mode & 0o777) for path in folder.glob("data/**/*")}


def test_receipts_and_raw_text_are_the_owners_alone(tmp_path: Path) -> None:
    private = {name: mode for name, mode in modes(tmp_path).items() if ".json" in name}
    assert sorted(Path(name).suffix for name in private) == [".json", ".jsonl"]
    assert set(private.values()) == {"0o600"}


def test_folders_are_the_owners_alone(tmp_path: Path) -> None:
    folders = {name: mode for name, mode in modes(tmp_path).items() if "." not in name}
    assert {"data/records", "data/records/phone/receipts", "data/private/phone/2025-03-31"} <= set(folders)
    assert folders == dict.fromkeys(folders, "0o700")


def test_folders_that_others_could_read_are_closed_again(tmp_path: Path) -> None:
    RecordStore(city(tmp_path))
    for name in ("records", "private"):
        (tmp_path / "data" / name).chmod(0o755)
    RecordStore(city(tmp_path))
    assert {(tmp_path / "data" / name).stat().st_mode & 0o777 for name in ("records", "private")} == {0o700}


def test_raw_text_is_kept_of_quarantined_records_only(tmp_path: Path) -> None:
    deliver(tmp_path, HEADER + SOUND + BAD + "Totaal;1\n")
    (receipt,) = read(city(tmp_path))
    (private,) = files_below(tmp_path / "data" / "private")
    assert private.name == f"{receipt.sha256}.jsonl"
    assert [json.loads(line) for line in private.read_text(encoding="utf-8").splitlines()] == [
        {"line": 3, "fields": BAD.strip().split(";")},
        {"line": 4, "fields": ["Totaal", "1"]},
    ]


@pytest.mark.parametrize("content", [HEADER + SOUND, HEADER, HEADER + BAD + '"', "<html>\n", HEADER + BAD + '"x"y\n'])
def test_without_a_quarantined_record_in_a_file_that_was_read_no_raw_text_is_kept(tmp_path: Path, content: str) -> None:
    outcome(tmp_path, content)
    assert files_below(tmp_path / "data" / "private") == []


def test_raw_text_expires_and_records_do_not(tmp_path: Path) -> None:
    deliver(tmp_path, HEADER + SOUND + BAD)
    read(city(tmp_path))
    store = RecordStore(city(tmp_path))
    (private,) = files_below(store.private)
    written = private.stat().st_mtime
    kept = files_below(store.records)
    assert store.expire_private(now=written + 30 * 86_400 - 1) == 0
    assert files_below(store.private) == [private]
    assert store.expire_private(now=written + 30 * 86_400 + 1) == 1
    assert files_below(store.private) == []
    assert files_below(store.records) == kept
    assert store.unread(export_files(store.settings, TODAY)) == []


def test_raw_text_that_a_power_cut_left_half_written_expires_too(tmp_path: Path) -> None:
    store = RecordStore(city(tmp_path))
    left = store.private / "phone" / "2025-03-31" / "0.jsonl.partial"
    left.parent.mkdir(parents=True)
    left.write_text(PHONE, encoding="utf-8")
    store.expire_private(now=time.time() + 365 * 86_400)
    assert files_below(store.private) == []


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(HEADER + BAD, id="a quarantined record"),
        pytest.param(HEADER + f"{PHONE}\n", id="a short record"),
        pytest.param(f"{PHONE};{PHONE}\n" * 3, id="no header and too few columns"),
        pytest.param(SOUND.replace("Algemeen", PHONE) * 3, id="no header and as many columns"),
        pytest.param(HEADER + SOUND + PHONE, id="a cut line"),
        pytest.param(HEADER + f'"{PHONE}"{PHONE}\n', id="a broken quote"),
        pytest.param(HEADER + f'"{PHONE}' + "\n" * 60, id="an open quote"),
        pytest.param(HEADER + f"{PHONE}\0\n", id="a NUL"),
        pytest.param((HEADER + f"{PHONE}é\n").encode("cp1252"), id="another encoding"),
        pytest.param(HEADER + PHONE * 200_000 + "\n", id="a long line"),
    ],
)
def test_a_telephone_number_in_a_file_is_in_nothing_that_is_kept_but_the_private_folder(
    tmp_path: Path, content: str | bytes, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(tmp_path, content)
    (receipt,) = read(city(tmp_path))
    assert receipt.status != "loaded" or receipt.quarantined == receipt.records
    for path in files_below(tmp_path / "data" / "records"):
        assert PHONE.encode() not in path.read_bytes()
    assert PHONE not in caplog.text + "".join(capsys.readouterr())


# ── Whatever the bytes ────────────────────────────────────────────────────────────────────────────

PIECES = [
    '"',
    ";",
    "\n",
    "\r\n",
    "\r",
    "\0",
    "\ufeff",
    "é",
    "٣",
    "x",
    SOUND,
    SOUND[:-1],
    BAD,
    HEADER,
    "2025-03-31 10:00:00",
]


@tried(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.binary(max_size=8), st.booleans())
@example([SOUND, "+99999-01-01 00:00:00".join(SOUND.rsplit("2025-03-31 10:00:10", 1))], b"", False)
def test_nothing_in_a_file_stops_the_night_and_every_line_is_accounted_for(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], junk: bytes, first: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    content = (HEADER if not first else "").encode() + "".join(pieces).encode() + junk
    deliver(folder, content)
    (receipt,) = read(city(folder))
    assert receipt.status in ("loaded", "deferred", "refused")
    if receipt.status == "loaded":
        assert rows(folder, receipt).height == receipt.records
        if b'"' not in content:
            assert receipt.records == content.count(b"\n") - 1
    else:
        assert receipt.reason
