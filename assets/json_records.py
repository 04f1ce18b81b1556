"""Turns an export in JSON into text records, so that not one is lost: an array of objects, read part by part.

Belongs here: JSON's syntax, where its records stand, their dotted names, the text of a value.
Does not belong here: what a field means; bytes and gzip (`reading`).

JSON has no header, so the columns are those that the caller names. Python's own decoder reads one record at a time, its
numbers as the text that they are; a parser that streams would change them (see docs/decisions.md).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from assets.reading import BATCH, BATCH_TEXT, EMPTY, Batch, FileDeferred, FileRefused, Hashed, Rows
from pipelines.settings import JsonFile

ENDINGS = (".json", ".json.gz")
MAX_VALUE = 1_000_000
"""Characters of one record, and of one value beside the records."""
MOST_LEVELS = 20
MOST_DIGITS = 40
PART = 1 << 18
CUT = "the JSON breaks off: it is still being written, or was cut"
FIRST = 100
"""How many records tell which keys a file has."""

_WORDS = {(True, False): "true", (False, True): "false", (False, False): ""}
_BLANKS = re.compile(r"[ \t\n\r]*")
_MAY_GO_ON = re.compile(r"\s*(?:tr?u?|fa?l?s?|nu?l?|-|\.|[eE][+-]?|u[0-9a-fA-F]{0,4})?")
"""What is left where the text ends within a value: the begin of a word, of a number's rest, of an escape."""


class JsonExport:
    """One pass over an export in JSON: the named columns, then its records, then the sha256 of its uncompressed bytes.

    A key that a record does not have, or null, is an empty value; a column that no record of the file has refuses it.
    A record's line is its number in the array. Raises FileRefused or FileDeferred, from any of the three.
    """

    def __init__(self, path: Path, columns: Sequence[str], declared: JsonFile) -> None:
        self.header = list(columns)
        self._declared = declared
        self._bytes = Hashed(path)
        self._text = _Text(self._bytes)
        self._wanted = frozenset(columns)
        self._unseen = set(columns) - set(declared.optional)

    def batches(self) -> Iterator[Batch]:
        """The records, at most BATCH at a time and about BATCH_TEXT of text; at least one batch, if an empty one."""
        with self._bytes:
            gathered, characters, sound = Rows(), 0, 0
            for number, record in enumerate(self._records(), start=1):
                try:
                    values = self._values(record)
                    row = [values.get(column, "") for column in self.header]
                    _require_characters(row)
                except _NotReadable as why:
                    gathered.ragged.append((number, [self._text.last]))
                    gathered.why[number] = str(why)
                else:
                    sound += 1
                    self._unseen.difference_update(values)
                    gathered.rows.append(row)
                    gathered.lines.append(number)
                characters += len(self._text.last)
                if len(gathered) == BATCH or characters >= BATCH_TEXT:
                    yield gathered.batch(len(self.header))
                    gathered, characters = Rows(), 0
            if sound and self._unseen:
                column = next(column for column in self.header if column in self._unseen)
                raise FileRefused(f"column '{column}': none of its {sound:,} records has it: did the export change?")
            yield gathered.batch(len(self.header))

    def sha256(self) -> str:
        """Of all that was read; call it when the last batch has been taken."""
        return self._bytes.digest.hexdigest()

    def keys(self) -> list[str]:
        """The dotted names in the first records, for a file of which nothing else is known. Takes the pass."""
        names: dict[str, None] = {}
        with self._bytes:
            for number, record in enumerate(self._records(), start=1):
                try:
                    names.update(dict.fromkeys(self._values(record)))
                except _NotReadable:
                    continue
                if number == FIRST:
                    break
        return list(names)

    def _records(self) -> Iterator[object]:
        path = self._declared.records.split(".") if self._declared.records else []
        yield from self._below(path, self._declared.records)
        if self._text.next_character() != "":
            self._text.refuse("something follows after the end of the JSON")

    def _below(self, path: list[str], whole: str) -> Iterator[object]:
        """The records of the array to which a path leads; whatever stands beside it is passed over."""
        if not path:
            where = f" at '{whole}'" if whole else ""
            if not self._text.takes("["):
                self._text.refuse(
                    f"expected an array of records{where}; [sources.json] says under which key they are: records"
                )
            yield from self._text.values_of_array()
            return
        if not self._text.takes("{"):
            self._text.refuse(f"expected an object in which to find '{whole}'")
        found = False
        for key in self._text.keys_of_object():
            if key != path[0]:
                self._text.value()
                continue
            if found:
                self._text.refuse(f"'{path[0]}' is there twice")
            found = True
            yield from self._below(path[1:], whole)
        if not found:
            self._text.refuse(f"there is no '{whole}' in which its records should be")

    def _values(self, record: object) -> dict[str, str]:
        """The text of a record's values by their dotted names. Raises _NotReadable."""
        fields = self._declared.fields
        if isinstance(record, list) and fields:
            if len(record) != len(fields):
                raise _NotReadable(f"{len(record)} values, where [sources.json] names {len(fields)} fields")
            record = dict(zip(fields, record, strict=True))
        if not isinstance(record, dict):
            raise _NotReadable("it is no object")
        values: dict[str, str] = {}
        self._flatten(record, "", values, 1)
        return values

    def _flatten(self, parent: dict[str, Any] | list[Any], prefix: str, values: dict[str, str], level: int) -> None:
        if level > MOST_LEVELS:
            raise _NotReadable(f"nested more than {MOST_LEVELS} levels deep")
        if isinstance(parent, _Twice):
            raise _NotReadable("a key is twice in one object")
        for key, value in parent.items() if isinstance(parent, dict) else enumerate(parent):
            name = f"{prefix}{key}"
            if value and isinstance(value, dict | list):
                if name in self._wanted:
                    raise _NotReadable(f"'{name}' holds several values, where one is expected")
                self._flatten(value, f"{name}.", values, level + 1)
                continue
            if name in values:
                raise _NotReadable("two of its values have the same dotted name")
            values[name] = value if isinstance(value, str) else _WORDS[value is True, value is False]
            if self._unseen and not isinstance(value, str | bool):
                # what would stand below a null, or in an array without an item, is not missing
                self._unseen = {column for column in self._unseen if not column.startswith(f"{name}.")}


class _Text:
    """The characters of a file, a part at a time, and where among them the reader is."""

    def __init__(self, stream: Hashed) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._part, self._at = "", 0
        self._lines = 1
        self._is_begun = self._is_over = False
        self._value_began = 0

    @property
    def last(self) -> str:
        """The value that was taken last, as it stands in the file."""
        return self._part[self._value_began : self._at]

    def next_character(self) -> str:
        """The next character that is no blank, without taking it; empty at the end of the file."""
        while True:
            self._at = self._after_blanks()
            if self._at < len(self._part):
                return self._part[self._at]
            if not self._more():
                return ""

    def takes(self, character: str) -> bool:
        """Whether this character comes next; it is taken then. A file that ends here was cut."""
        if self._must_go_on() != character:
            return False
        self._at += 1
        return True

    def value(self) -> object:
        """The value that comes next."""
        self._must_go_on()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._part, self._at)
            except json.JSONDecodeError as error:
                if not error.msg.startswith("Unterminated") and not _MAY_GO_ON.fullmatch(self._part, error.pos):
                    self.refuse(f"not JSON ({error.msg})", error.pos)
            except _NotANumber:
                self.refuse("NaN or Infinity, which JSON does not have")
            except RecursionError:
                self.refuse("nested too deeply")
            else:
                # a number may go on behind its point
                if len(self._part) - end > 2 or not self._more():
                    if self._is_over and self._part[end:].strip() and _MAY_GO_ON.fullmatch(self._part, end):
                        raise FileDeferred(CUT)
                    self._value_began, self._at = self._at, end
                    if len(self.last) > MAX_VALUE:
                        self._refuse_length()
                    return value
                continue
            if len(self._part) - self._at > MAX_VALUE:
                self._refuse_length()
            if not self._more():
                raise FileDeferred(CUT)

    def values_of_array(self) -> Iterator[object]:
        """The values of an array whose bracket has been taken."""
        if self.takes("]"):
            return
        while True:
            yield self.value()
            if self.takes("]"):
                return
            if not self.takes(","):
                self.refuse("not JSON (Expecting ',' delimiter)")

    def keys_of_object(self) -> Iterator[str]:
        """The keys of an object whose brace has been taken; whoever asks takes the value of each."""
        if self.takes("}"):
            return
        while True:
            key = self.value()
            if not isinstance(key, str) or not self.takes(":"):
                self.refuse("not JSON (Expecting a key and ':')")
            yield key
            if self.takes("}"):
                return
            if not self.takes(","):
                self.refuse("not JSON (Expecting ',' delimiter)")

    def refuse(self, reason: str, at: int | None = None) -> NoReturn:
        """Refuse the file for what stands here."""
        line = self._lines + self._part.count("\n", 0, self._at if at is None else at)
        raise FileRefused(f"line {line}: {reason}")

    def _must_go_on(self) -> str:
        """The next character that is no blank; a file that ends here was cut."""
        if character := self.next_character():
            return character
        raise FileDeferred(CUT)

    def _refuse_length(self) -> NoReturn:
        self.refuse(f"a record or value of more than {MAX_VALUE:,} characters")

    def _after_blanks(self) -> int:
        blanks = _BLANKS.match(self._part, self._at)
        return blanks.end() if blanks else self._at

    def _more(self) -> bool:
        """Read on; whatever lies before the reader is forgotten. False at the end of the file."""
        while not self._is_over:
            block = self._stream.read(PART)
            self._is_over = not block
            try:
                text = self._decoder.decode(block or b"", final=self._is_over)
            except UnicodeDecodeError as error:
                if self._is_over:
                    raise FileDeferred("the last character breaks off: it is still being written, or was cut") from None
                line = self._lines + self._part.count("\n") + error.object[: error.start].count(b"\n")
                raise FileRefused(f"line {line}: not UTF-8 text, which JSON is") from None
            if text:
                if not self._is_begun:
                    text, self._is_begun = text.removeprefix("\ufeff"), True
                self._lines += self._part.count("\n", 0, self._at)
                self._part, self._at = self._part[self._at :] + text, 0
                return True
        if not self._is_begun:
            raise FileDeferred(EMPTY)
        return False


class _NotReadable(Exception):
    """This record can't be read, though its neighbours can."""


class _NotANumber(Exception):
    """NaN and the like, which Python would read and JSON does not know."""


class _Twice(dict[str, Any]):
    """An object in which a key stood twice: one of its values is lost."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Twice(found)


def _number(text: str) -> str:
    """A number with a fraction or an exponent: 1e3 is 1000, and so exact; one of absurd length stays as it is."""
    digits, _, exponent = text.lower().partition("e")
    if not exponent or len(digits) > MOST_DIGITS or not -MOST_DIGITS <= int(exponent[:9]) <= MOST_DIGITS:
        return text
    return format(Decimal(text), "f")


def _no_number(text: str) -> NoReturn:
    raise _NotANumber(text)


def _require_characters(row: list[str]) -> None:
    """Half of a pair of escapes is no character, and no file can keep it."""
    joined = "".join(row)
    if not joined.isascii():
        try:
            joined.encode()
        except UnicodeEncodeError:
            raise _NotReadable("half a character, as an escape") from None


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=str, parse_float=_number, parse_constant=_no_number, strict=True
)
