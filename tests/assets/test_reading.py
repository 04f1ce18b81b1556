"""Reading the bytes of an export: every record is accounted for, or the whole file is refused or deferred.

The text of each file is written out in its test; where the line number matters, it can be counted there.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from assets import reading
from assets.reading import FileDeferred, FileRefused, TextExport
from pipelines.settings import TextFile

PHONE = "0470123456"
Records = list[tuple[int, list[str]]]


def read(folder: Path, content: bytes, name: str = "export.csv", **text: Any) -> tuple[list[str], Records, Records]:
    """The header, the records and the ragged ones of a file; each with the line on which it begins."""
    path = folder / name
    path.write_bytes(content)
    export = TextExport(path, TextFile(**text))
    records: Records = []
    ragged: Records = []
    for batch in export.batches():
        assert len(batch) == len(batch.rows) + len(batch.ragged)
        records += zip(batch.lines, batch.rows, strict=True)
        ragged += batch.ragged
    assert export.sha256() == hashlib.sha256(gzip.decompress(content) if name.endswith(".gz") else content).hexdigest()
    return export.header, records, ragged


def told(folder: Path, content: bytes, name: str = "export.csv", **text: Any) -> str:
    """What is said of a file that is not read: `refused: …` or `deferred: …`; else `read`."""
    try:
        read(folder, content, name, **text)
    except FileRefused as reason:
        return f"refused: {reason}"
    except FileDeferred as reason:
        return f"deferred: {reason}"
    return "read"


@pytest.mark.parametrize(
    ("content", "text", "records"),
    [
        pytest.param(b"a,b\n1,2\n3,4\n", {}, [(2, ["1", "2"]), (3, ["3", "4"])], id="LF ends a line"),
        pytest.param(b"a,b\r\n1,2\r\n3,4\r\n", {}, [(2, ["1", "2"]), (3, ["3", "4"])], id="CRLF ends a line"),
        pytest.param(b"a,b\r\n1,2\n3,4\r\n", {}, [(2, ["1", "2"]), (3, ["3", "4"])], id="both may be mixed"),
        pytest.param(b"a,b\n", {}, [], id="a header alone is a file without records"),
        pytest.param(b"\xef\xbb\xbfa,b\n1,2\n", {}, [(2, ["1", "2"])], id="a byte order mark is no part of the header"),
        pytest.param(b"a,b\n\xef\xbb\xbf1,2\n", {}, [(2, ["\ufeff1", "2"])], id="a later byte order mark is a value"),
        pytest.param(b'a,b\n"1,5",2\n', {}, [(2, ["1,5", "2"])], id="a delimiter in quotes is a character"),
        pytest.param(b'a,b\n"say ""hi""",2\n', {}, [(2, ['say "hi"', "2"])], id="a doubled quote is one"),
        pytest.param(b'a,b\n5" tv,2\n', {}, [(2, ['5" tv', "2"])], id="a quote within a bare field is a character"),
        pytest.param(
            b'a,b\n"one\ntwo\nthree",2\n3,4\n',
            {},
            [(2, ["one\ntwo\nthree", "2"]), (5, ["3", "4"])],
            id="a line end in quotes is a character and the next record begins three lines on",
        ),
        pytest.param(
            b'a,b\r\n"one\r\ntwo",2\r\n3,4\r\n',
            {},
            [(2, ["one\r\ntwo", "2"]), (4, ["3", "4"])],
            id="CRLF in quotes stays CRLF",
        ),
        pytest.param(
            b'a,b\n"one\rtwo",2\n3,4\n',
            {},
            [(2, ["one\rtwo", "2"]), (3, ["3", "4"])],
            id="a lone CR in quotes ends no line",
        ),
        pytest.param(
            "a,b\n1\u2028x\x85y\x0cz\x1e,2\n3,4\n".encode(),
            {},
            [(2, ["1\u2028x\x85y\x0cz\x1e", "2"]), (3, ["3", "4"])],
            id="only LF and CRLF end a line whatever Unicode says",
        ),
        pytest.param(b'a,b\n"",\n,""\n', {}, [(2, ["", ""]), (3, ["", ""])], id="empty fields are empty text"),
        pytest.param(b"a,b\n 1 , 2 \n", {}, [(2, [" 1 ", " 2 "])], id="blanks are handed on"),
        pytest.param(b"a,b\n007,1e3\n", {}, [(2, ["007", "1e3"])], id="nothing becomes a number"),
        pytest.param(b"a\tb\n1\t2\n", {"delimiter": "\t"}, [(2, ["1", "2"])], id="tabs may delimit"),
        pytest.param(b"a;b\n'1;5';\"2\n", {"delimiter": ";", "quote": "'"}, [(2, ["1;5", '"2'])], id="own quote"),
        pytest.param("a,b\né,€\n".encode("cp1252"), {"encoding": "cp1252"}, [(2, ["é", "€"])], id="cp1252 declared"),
        pytest.param("a,b\né,€\n".encode(), {}, [(2, ["é", "€"])], id="UTF-8 by default"),
        pytest.param(b"a,b\n1,2", {"last_line_ends": False}, [(2, ["1", "2"])], id="no last line end where declared"),
        pytest.param(b"1,2\n3,4\n", {"header": ["a", "b"]}, [(1, ["1", "2"]), (2, ["3", "4"])], id="declared header"),
    ],
)
def test_a_sound_file_is_read_to_the_letter_with_the_line_of_every_record(
    tmp_path: Path, content: bytes, text: dict[str, Any], records: Records
) -> None:
    assert read(tmp_path, content, **text) == (["a", "b"], records, [])


def test_in_a_file_of_one_column_an_empty_value_is_no_blank_line(tmp_path: Path) -> None:
    assert read(tmp_path, b'a\n""\nx\n\n') == (["a"], [(2, [""]), (3, ["x"])], [(4, [])])


@pytest.mark.parametrize(
    ("content", "ragged"),
    [
        pytest.param(b"a,b\n1\n3,4\n", [(2, ["1"])], id="a short record"),
        pytest.param(b"a,b\n1,2,3\n3,4\n", [(2, ["1", "2", "3"])], id="a long record"),
        pytest.param(b"a,b\n1,2,\n3,4\n", [(2, ["1", "2", ""])], id="a delimiter too many at the end"),
        pytest.param(b"a,b\n\n3,4\n", [(2, [])], id="a blank line"),
        pytest.param(b"a,b\n\r\n3,4\n", [(2, [])], id="a blank line of CRLF"),
        pytest.param(b"a,b\n \n3,4\n", [(2, [" "])], id="a line of blanks"),
        pytest.param(b"a,b\n3,4\n\n\n", [(3, []), (4, [])], id="blank lines at the end"),
        pytest.param(b"a,b\n3,4\nTotal: 1\n", [(3, ["Total: 1"])], id="a footer"),
        pytest.param(b'a,b\n"x\ny"\n3,4\n', [(2, ["x\ny"])], id="a short record of two lines"),
    ],
)
def test_a_record_of_another_length_is_handed_on_with_its_line_and_its_neighbours_are_read(
    tmp_path: Path, content: bytes, ragged: Records
) -> None:
    header, records, found = read(tmp_path, content)
    assert (header, [fields for _, fields in records], found) == (["a", "b"], [["3", "4"]], ragged)


def test_a_header_that_comes_again_in_the_middle_is_a_record_like_any_other(tmp_path: Path) -> None:
    assert read(tmp_path, b"a,b\n1,2\na,b\n3,4\n")[1] == [(2, ["1", "2"]), (3, ["a", "b"]), (4, ["3", "4"])]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(b"", {}, id="empty"),
        pytest.param(b"", {"header": ["a", "b"]}, id="empty where no header is expected"),
        pytest.param(b"", {"last_line_ends": False}, id="empty whatever its last line"),
        pytest.param(b"\xef\xbb\xbf", {}, id="nothing but a byte order mark"),
        pytest.param(b"a,b", {}, id="half a header"),
        pytest.param(b"a,b\n1,2", {}, id="a last line without end"),
        pytest.param(b"a,b\r\n1,2\r", {}, id="a last line with half an end"),
        pytest.param(b'a,b\n1,"x\ry",2', {}, id="a last line without end after a CR in quotes"),
        pytest.param(b'a,b\n"1\n2', {}, id="a quote that is still open on a line without end"),
    ],
)
def test_a_file_that_seems_to_be_growing_waits_for_a_later_run(
    tmp_path: Path, content: bytes, text: dict[str, Any]
) -> None:
    assert told(tmp_path, content, **text).startswith("deferred: ")


def test_the_line_without_an_end_is_named(tmp_path: Path) -> None:
    assert told(tmp_path, b'a,b\n"x\ny",2\n3,4\n5,') == (
        "deferred: line 5, the last one, has no line end: it is still being written, or was cut"
    )


def test_a_file_cut_at_any_byte_is_deferred_or_refused_or_holds_only_whole_records(tmp_path: Path) -> None:
    whole = 'id,note\r\n1,"a ""b"", c"\r\n2,"één\r\ntwee"\r\n3,\r\n'.encode()
    _, records, _ = read(tmp_path, whole)
    for size in range(len(whole)):
        content = whole[:size]
        if told(tmp_path, content) == "read":
            assert content.endswith(b"\r\n")
            assert read(tmp_path, content)[1] == records[: len(read(tmp_path, content)[1])]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"a,b\r1,2\r3,4\r", "line 1: ", id="lone CRs as line ends"),
        pytest.param(b"a,b\n1,2\r3,4\n", "line 2: ", id="a lone CR between records"),
        pytest.param(b"a,b\n1,2\n3,\x00\n", "line 3: holds a NUL", id="a NUL"),
        pytest.param(b'a,b\n1,2\n3,"\x00"\n', "line 3: holds a NUL", id="a NUL in quotes"),
        pytest.param("a,b\n1,2\né,4\n".encode("cp1252"), "line 3: not utf-8 text", id="cp1252 not declared"),
        pytest.param("a,b\n1,2\n".encode("utf-16"), "line 1: not utf-8 text", id="UTF-16 with its mark"),
        pytest.param("a,b\n1,2\n".encode("utf-16-le"), "line 1: holds a NUL", id="UTF-16 without its mark"),
        pytest.param(b"PK\x03\x04\x14\x00\x08\x00\x08\x00\n", "line 1: holds a NUL", id="a zip"),
        pytest.param(b"PK\x03\x04\x14\x00\x08\x00\x08\x00", "line 1: holds a NUL", id="a zip of one line"),
        pytest.param(gzip.compress(b"a,b\n1,2\n", mtime=0), "line 1: ", id="gzip that does not say so"),
        pytest.param(b'a,b\n1,"2\n3,4\n', "line 3: ", id="a quote that never closes"),
        pytest.param(b'a,b\n1,"2"x\n3,4\n', "line 2: ", id="a character after a closing quote"),
        pytest.param(b'a,b\n"1" ,2\n3,4\n', "line 2: ", id="a blank after a closing quote"),
        pytest.param(b'a,b\n"x\ny",2\n3,"4"5\n', "line 4: ", id="the line is counted through quoted line ends"),
    ],
)
def test_a_file_that_cannot_be_read_to_the_letter_is_refused_as_a_whole_and_told_where(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    assert told(tmp_path, content).startswith(f"refused: {reason}")


def test_bytes_that_the_declared_encoding_does_not_have_are_refused(tmp_path: Path) -> None:
    assert told(tmp_path, b"a,b\n1,\x81\n", encoding="cp1252") == (
        "refused: line 2: not cp1252 text; is 'encoding' right?"
    )


def test_a_quoted_field_may_span_fifty_lines_but_not_more(tmp_path: Path) -> None:
    def note(lines: int) -> bytes:
        return b'a,b\n1,2\n3,"' + b"\n" * (lines - 1) + b'"\n5,6\n'

    assert read(tmp_path, note(50))[1][-1] == (53, ["5", "6"])
    assert told(tmp_path, note(51)) == "refused: line 3: a quote opens and does not close within 50 lines"


def test_a_quote_left_open_at_the_top_of_a_long_file_is_told_at_the_line_where_it_opens(tmp_path: Path) -> None:
    content = b"a,b\n" + b'1,"2\n' + b"3,4\n" * 1000
    assert told(tmp_path, content) == "refused: line 2: a quote opens and does not close within 50 lines"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'id,note,x\n5,",x\n6,b,y\n7,",z\n', id="with a record between"),
        pytest.param(b'id,note,x\n5,",x\n6,",z\n', id="in neighbours"),
        pytest.param(b'id,x,note\n5,x,"\n6,y,b\n7,z,"\n', id="in the last column"),
        pytest.param(b'id,note\n5,"\n6,b\n7,"\n', id="in a table of two columns"),
    ],
)
def test_two_stray_quotes_do_not_make_one_record_of_several(tmp_path: Path, content: bytes) -> None:
    """By the letter of CSV this is one record with a long note: the right number of fields, and records lost."""
    assert told(tmp_path, content).startswith("refused: line 2")


def test_a_note_of_several_lines_with_delimiters_in_it_is_still_one_record(tmp_path: Path) -> None:
    content = b'id,x,note\n5,x,"dear,\nsir,\nmadam"\n6,y,\n'
    assert read(tmp_path, content)[1] == [(2, ["5", "x", "dear,\nsir,\nmadam"]), (5, ["6", "y", ""])]


def test_a_line_may_have_a_million_bytes_but_not_one_more(tmp_path: Path) -> None:
    fields = ["x" * 99_999] * 9
    line = ",".join([*fields, "y" * (1_000_000 - 900_000 - 1)]) + "\n"
    assert len(line) == reading.MAX_LINE
    header = ",".join("abcdefghij") + "\n"
    assert read(tmp_path, (header + line).encode())[1] == [(2, line[:-1].split(","))]
    assert told(tmp_path, (header + "y" + line).encode()) == "refused: line 2: longer than 1,000,000 bytes"


def test_a_file_without_any_line_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    assert told(tmp_path, b"x" * 3_000_000) == "refused: line 1: longer than 1,000,000 bytes"


def test_a_field_that_is_too_long_is_told_with_its_line(tmp_path: Path) -> None:
    assert told(tmp_path, b"a,b\n1,2\n3," + b"x" * 200_000 + b"\n").startswith("refused: line 3: field larger than")


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_batches_change_nothing_but_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    content = b'a,b\n1,2\n\n"x\ny",4\n5\n6,7\n8,9\n'
    expected = read(tmp_path, content)
    monkeypatch.setattr(reading, "BATCH", size)
    assert read(tmp_path, content) == expected
    batches = list(TextExport(tmp_path / "export.csv", TextFile()).batches())
    assert all(len(batch) == size for batch in batches[:-1])
    assert 0 < len(batches[-1]) <= size
    assert sum(map(len, batches)) == 6


def test_a_file_without_records_gives_one_empty_batch(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_bytes(b"a,b\n")
    assert [len(batch) for batch in TextExport(tmp_path / "export.csv", TextFile()).batches()] == [0]


# ── gzip ──────────────────────────────────────────────────────────────────────────────────────────

PLAIN = b"id,note\n" + b"".join(b"%d,word %d\n" % (n, n * n) for n in range(40))


def test_a_gzip_file_is_the_same_file_as_its_plain_content(tmp_path: Path) -> None:
    zipped = gzip.compress(PLAIN)
    assert read(tmp_path, zipped, "export.csv.gz") == read(tmp_path, PLAIN)  # read() compares the sha256 too


def test_members_of_gzip_one_after_the_other_are_one_file(tmp_path: Path) -> None:
    zipped = gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:])
    assert read(tmp_path, zipped, "export.csv.gz") == read(tmp_path, PLAIN)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(gzip.compress(PLAIN)[:-8] + bytes(4) + gzip.compress(PLAIN)[-4:], "refused", id="wrong CRC"),
        pytest.param(gzip.compress(PLAIN)[:-4] + b"\x01\x00\x00\x00", "refused", id="wrong length"),
        pytest.param(gzip.compress(PLAIN) + b"trailing garbage", "refused", id="trailing garbage"),
        pytest.param(gzip.compress(PLAIN) + PLAIN, "refused", id="plain text after it"),
        pytest.param(PLAIN, "refused", id="not gzip at all"),
        pytest.param(b"<!DOCTYPE html>\n", "refused", id="an HTML page"),
        pytest.param(gzip.compress(PLAIN)[:10] + b"\xff" * 40, "refused", id="damaged in the middle"),
        pytest.param(gzip.compress(PLAIN)[:-1], "deferred", id="one byte short"),
        pytest.param(gzip.compress(PLAIN)[:-8], "deferred", id="without its check sums"),
        pytest.param(gzip.compress(PLAIN)[:60], "deferred", id="cut in the middle"),
        pytest.param(gzip.compress(PLAIN)[:5], "deferred", id="cut in its own header"),
        pytest.param(gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:])[:-9], "deferred", id="second member cut"),
        pytest.param(gzip.compress(PLAIN[:-1]), "deferred", id="sound but its last line has no end"),
        pytest.param(gzip.compress(b""), "deferred", id="nothing in it"),
        pytest.param(b"", "deferred", id="no byte at all"),
    ],
)
def test_gzip_that_is_not_sound_is_never_read(tmp_path: Path, content: bytes, expected: str) -> None:
    assert told(tmp_path, content, "export.csv.gz").split(":")[0] == expected


def test_no_byte_of_a_gzip_file_can_change_and_leave_other_records(tmp_path: Path) -> None:
    """The ten bytes of its header hold a time and a system, which don't matter; all others do."""
    whole = gzip.compress(PLAIN, mtime=0)
    expected = read(tmp_path, whole, "export.csv.gz")
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0x55
        path = tmp_path / "changed.csv.gz"
        path.write_bytes(changed)
        try:
            export = TextExport(path, TextFile())
            records = [pair for batch in export.batches() for pair in zip(batch.lines, batch.rows, strict=True)]
        except (FileRefused, FileDeferred):
            continue
        assert place < 10
        assert records == expected[1]


# ── what can't be opened, and what is told ────────────────────────────────────────────────────────


def test_what_is_no_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "dangling.csv").symlink_to(tmp_path / "gone.csv")
    for path in (tmp_path, tmp_path / "gone.csv", tmp_path / "gone.csv.gz", tmp_path / "dangling.csv"):
        with pytest.raises(FileRefused, match="can't be opened"):
            TextExport(path, TextFile())


def test_a_disk_that_fails_while_a_file_is_read_is_told_as_a_sentence(tmp_path: Path) -> None:
    memory = Path("/proc/self/mem")  # opens, and then can't be read
    if not memory.exists():
        pytest.skip("needs /proc, which only Linux has")
    with pytest.raises((FileRefused, FileDeferred)):
        TextExport(memory, TextFile())


@pytest.mark.parametrize(
    ("content", "name", "text"),
    [
        pytest.param(f"a,b\n1,{PHONE}", "x.csv", {}, id="a cut line"),
        pytest.param(f'a,b\n1,"{PHONE}"{PHONE}\n', "x.csv", {}, id="a character after a quote"),
        pytest.param(f'a,b\n1,"{PHONE}\n', "x.csv", {}, id="an open quote"),
        pytest.param(f"a,b\n1,{PHONE}\r2,{PHONE}\n", "x.csv", {}, id="a lone CR"),
        pytest.param(f"a,b\n1,{PHONE}\0\n", "x.csv", {}, id="a NUL"),
        pytest.param(f"a,b\n1,{PHONE}é\n", "x.csv", {"encoding": "ascii"}, id="another encoding"),
        pytest.param(f"{PHONE},{PHONE * 100_000}\n", "x.csv", {}, id="a long line"),
        pytest.param(f"{PHONE},{PHONE * 15_000}\n", "x.csv", {}, id="a long field"),
        pytest.param(f"{PHONE},b\n", "x.csv.gz", {}, id="not gzip"),
        pytest.param(f"{PHONE},b\n", "x.csv.gz", {"header": ["a", "b"]}, id="not gzip and no header"),
    ],
)
def test_what_is_told_of_a_file_holds_no_character_of_its_values(
    tmp_path: Path, content: str, name: str, text: dict[str, Any]
) -> None:
    outcome = told(tmp_path, content.encode(), name, **text)
    assert outcome != "read"
    assert PHONE not in outcome
    assert f"b'{PHONE[:2]}" not in outcome


# ── whatever the bytes ────────────────────────────────────────────────────────────────────────────


def test_without_a_quote_every_character_stands_for_itself(tmp_path: Path) -> None:
    content = b'a|b\n"x|1\n""|"2"\n'
    header, records, ragged = read(tmp_path, content, delimiter="|", quote="")
    assert (header, records, ragged) == (["a", "b"], [(2, ['"x', "1"]), (3, ['""', '"2"'])], [])


def test_a_line_may_end_early_only_where_that_is_declared(tmp_path: Path) -> None:
    content = b"a,b,c\n1\n1,2\n1,2,3\n1,2,3,4\n\n"
    _, records, ragged = read(tmp_path, content, fewer_fields=True)
    assert records == [(2, ["1", "", ""]), (3, ["1", "2", ""]), (4, ["1", "2", "3"])]
    assert ragged == [(5, ["1", "2", "3", "4"]), (6, [])]
    assert len(read(tmp_path, content)[2]) == 4


VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff\r"), max_size=8)
LIVELY = st.text(st.sampled_from("\"',;|\t\n\r aé€🐎"), max_size=8)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], dict[str, Any], bool, bool]:
    """Records of one length with a header first, a dialect of csv.writer, a byte order mark or none, gzip or not."""
    width = draw(st.integers(1, 5))
    rows = draw(st.lists(st.lists(VALUES | LIVELY, min_size=width, max_size=width), min_size=1, max_size=8))
    dialect = {
        "delimiter": draw(st.sampled_from(",;|\t")),
        "quotechar": draw(st.sampled_from("\"'")),
        "lineterminator": draw(st.sampled_from(["\n", "\r\n"])),
        "quoting": draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])),
    }
    if any("\r" in value for row in rows for value in row):
        dialect["quoting"] = csv.QUOTE_ALL  # before Python 3.13 csv.writer leaves a CR bare
    return rows, dialect, draw(st.booleans()), draw(st.booleans())


def looks_like_several(record: str, delimiter: str, width: int) -> bool:
    """More than one of its lines has as many delimiters as a record: see the two stray quotes above."""
    return width > 1 and sum(line.count(delimiter) >= width - 1 for line in record.split("\n")) > 1


@settings(max_examples=150, deadline=None)
@given(tables())
def test_whatever_csv_writes_comes_back_with_the_line_of_every_record(
    tmp_path_factory: pytest.TempPathFactory, table: tuple[list[list[str]], dict[str, Any], bool, bool]
) -> None:
    rows, dialect, marked, zipped = table
    written, lines = "", []
    for row in rows:
        lines.append(written.count("\n") + 1)
        record = io.StringIO()
        csv.writer(record, **dialect).writerow(row)
        assume(not looks_like_several(record.getvalue(), dialect["delimiter"], len(row)))
        written += record.getvalue()
    content = (b"\xef\xbb\xbf" if marked else b"") + written.encode()
    header, records, ragged = read(
        tmp_path_factory.getbasetemp(),
        gzip.compress(content, 1) if zipped else content,
        "table.csv.gz" if zipped else "table.csv",
        delimiter=dialect["delimiter"],
        quote=dialect["quotechar"],
    )
    assert [header, *[row for _, row in records]] == rows
    assert [1, *[line for line, _ in records]] == lines
    assert ragged == []


PIECES = [b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"\0", b"\xef\xbb\xbf", b"\xe9", "é\u2028".encode(), b"1", b" x"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join) | st.binary(max_size=60), st.booleans())
@example(b'a,b\n"\n",\n,"\r\n"\n', False)
def test_whatever_the_bytes_every_line_belongs_to_one_record_or_the_file_is_not_read(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, zipped: bool
) -> None:
    folder = tmp_path_factory.getbasetemp()
    name, bytes_on_disk = ("any.csv.gz", gzip.compress(content, 1)) if zipped else ("any.csv", content)
    try:
        header, records, ragged = read(folder, bytes_on_disk, name)
    except (FileRefused, FileDeferred):
        return
    lines = content.decode().removeprefix("\ufeff").split("\n")[:-1]
    following = 1
    for line, fields in [(1, header), *sorted([*records, *ragged])]:
        assert line == following
        following += 1 + sum(field.count("\n") for field in fields)
        text = "\n".join(lines[line - 1 : following - 1])
        bare = str.maketrans("", "", '",\r')
        assert "".join(fields).translate(bare) == text.translate(bare)
    assert following == len(lines) + 1


def test_bytes_that_claim_to_be_gzip_are_refused_whatever_follows(tmp_path: Path) -> None:
    for junk in (b"", b"\x00" * 20, b"\xff" * 20, zlib.compress(PLAIN)):
        assert told(tmp_path, b"\x1f\x8b\x08\x00" + bytes(6) + junk, "export.csv.gz").split(":")[0] in (
            "refused",
            "deferred",
        )
