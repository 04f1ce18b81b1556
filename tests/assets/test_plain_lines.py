"""A block of plain lines is taken apart at once, into the very records that the strict reader makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets import reading
from assets.plain_lines import take_apart
from assets.reading import FileDeferred, FileRefused, TextExport
from pipelines.settings import TextFile

PIECES = [
    "a",
    "é",
    "€",
    "1",
    ";",
    ",",
    "\t",
    " ",
    '"',
    "'",
    "\n",
    "\r\n",
    "\r",
    "\0",
    "\ufeff",
    "\u2028",
    "\x85",
    "\x0b",
]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(["x;y\n", "x,y\n", "1;2\r\n", ";\n"]))).map("".join)
DECLARED = st.builds(
    TextFile,
    delimiter=st.sampled_from([";", ",", "\t", "a", "é"]),
    quote=st.sampled_from(['"', "'", ""]),
    encoding=st.sampled_from(["utf-8", "cp1252", "latin-1", "utf-7", "shift_jis"]),
    header=st.sampled_from([None, ["one"], ["one", "two"], ["one", "two", "three"]]),
    fewer_fields=st.booleans(),
    last_line_ends=st.booleans(),
)


def told(path: Path, text: TextFile) -> tuple[list[tuple[int, list[str]]], str]:
    """Every record with its line, as far as the file can be read, and why it can't be read further."""
    records: list[tuple[int, list[str]]] = []
    try:
        export = TextExport(path, text)
        for batch in export.batches():
            records += zip(batch.lines, batch.rows, strict=True)
            records += batch.ragged
    except (FileRefused, FileDeferred) as why:
        return [], f"{type(why).__name__}: {why}"
    return sorted(records), export.sha256()


@given(content=TEXTS, text=DECLARED, encoding=st.sampled_from(["utf-8", "cp1252"]), block=st.integers(1, 40))
def test_whatever_the_text_it_is_read_as_line_by_line(
    tmp_path_factory: pytest.TempPathFactory, content: str, text: TextFile, encoding: str, block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "whatever.csv"
    path.write_bytes(content.encode(encoding, "replace"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", block)
        at_once = told(path, text)
        patch.setattr(reading, "take_apart", lambda *_: None)
        assert at_once == told(path, text)


def test_a_block_of_plain_lines_is_taken_apart_at_once() -> None:
    plain = take_apart("1;Köln;\r\n2;;x\n".encode(), TextFile(delimiter=";"), 3, first_line=7)
    assert plain is not None
    assert (plain.fields.rows(), plain.lines.to_list()) == ([("1", "Köln", ""), ("2", "", "x")], [7, 8])


def test_a_line_of_another_number_of_fields_and_an_empty_line_are_handed_on_beside_the_others() -> None:
    plain = take_apart(b"1;2\n\n3\n4;5;6\n7;8\n", TextFile(delimiter=";"), 2, first_line=2)
    assert plain is not None
    assert (plain.fields.rows(), plain.lines.to_list()) == ([("1", "2"), ("7", "8")], [2, 6])
    assert plain.ragged == [(3, []), (4, ["3"]), (5, ["4", "5", "6"])]


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b'1;"2"\n', id="quote"),
        pytest.param(b"1;\r2\n", id="lone CR"),
        pytest.param(b"1;\0\n", id="NUL"),
        pytest.param(b"1;\xff\n", id="no UTF-8"),
        pytest.param(b"1;2", id="no line end"),
        pytest.param(b"1;" + b"x" * 200_000 + b"\n", id="longer than the strict reader takes"),
        pytest.param(b"1\n" * 20_000, id="nothing but lines of another number of fields"),
    ],
)
def test_what_is_not_plain_is_left_to_the_strict_reader(block: bytes) -> None:
    assert take_apart(block, TextFile(delimiter=";"), 2, first_line=1) is None
