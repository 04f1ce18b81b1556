"""Finds out, with the person who sets up, which column of an unknown export is what, and what its words mean.

Belongs here: questions about columns and words. Does not belong here: what the columns look like (`assets/sniffing`),
which is proposed for what (`assets/proposing`), the rest of a source (`source_draft`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from assets.containers import is_workbook
from pipelines.instants import UNIX, read_format
from pipelines.setting_up.asking import Conversation, Untold, one_of
from pipelines.setting_up.drafts import Draft, Told
from pipelines.setting_up.proposing import KEYS, Key, formats_of, personal, proposed, usual_meaning
from pipelines.setting_up.sniffing import Column, Looks, look_at
from pipelines.settings import OutcomeWord

REASONS: tuple[str, ...] = get_args(OutcomeWord.model_fields["reason"].annotation)
MEANINGS = {
    "outcome": (
        "answered",
        "missed",
        "other",
        "open",
        *(f"{how}:{why}" for how in ("missed", "answered") for why in REASONS),
    ),
    "direction": ("inbound", "outbound", "internal"),
    "status": ("planned", "checked_in", "started", "completed", "no_show", "cancelled"),
}
"""What a word of an export can say. `answered:voicemail`: the software counts it as answered, and no person did."""
TABLES = {"outcome": "outcomes", "direction": "directions", "status": "statuses"}
PUBLISHED = ("call_id", "queue", "appointment_id", "service", "booking_channel")
"""Keys whose values are published as the export has them."""
NO_COLUMN = "-"


class Columns:
    """The columns of a file of no known format, and what its words mean."""

    def __init__(self, told: Told, draft: Draft, talk: Conversation) -> None:
        self._told, self._draft, self._talk = told, draft, talk
        self._looks: Looks = look_at(told.path)
        self._orders: dict[tuple[str, ...], str] = {}
        self._moments = dict(_pair("--moment", text, last=True) for text in told.moments)

    def find_out(self) -> None:
        """Fill in the draft."""
        chosen, untold = self._told_columns(), []
        guesses = {
            key: columns
            for key, columns in proposed(self._told.kind, self._looks).items()
            if key not in chosen and columns not in chosen.values()
        }
        self._show(chosen, guesses)
        takes = self._told.takes_proposals or (bool(guesses) and self._talk.agree("Take what is proposed?"))
        for key in KEYS[self._told.kind]:
            if key.name in chosen:
                continue
            guess = guesses.get(key.name)
            must = key.is_required or key.name == "call_id"
            if takes and guess:
                chosen[key.name] = guess
            elif self._talk.is_there and (must or not takes):
                chosen[key.name] = self._ask(key, guess)
            elif must:
                untold.append(key.name)
        if untold:
            flags = ", ".join(f"--column {name}=…" for name in untold)
            ids = " (nothing after the = where the log has no ids)" if "call_id" in untold else ""
            take = ", or take what is proposed with --yes" if not takes and set(untold) & set(guesses) else ""
            raise Untold(f"{self._told.path.name}: say which column is what with {flags}{ids}{take}")
        self._declare({name: columns for name, columns in chosen.items() if columns})

    def _told_columns(self) -> dict[str, list[str]]:
        keys = {key.name: key for key in KEYS[self._told.kind]}
        others = {key.name for kind, known in KEYS.items() if kind != self._told.kind for key in known}
        chosen: dict[str, list[str]] = {}
        for text in self._told.columns:
            name, column = _pair("--column", text)
            if name in keys:
                try:
                    chosen[name] = self._columns(keys[name])(column)
                except Untold:
                    if name not in others:
                        raise
            elif name not in others:
                raise Untold(f"--column {text}: '{name}' is none of {', '.join(keys)}")
        return chosen

    def _columns(self, key: Key) -> Callable[[str], list[str]]:
        """Reads the name of a column, or of several joined by +; nothing is none."""
        names = [column.name for column in self._looks.columns]

        def read(text: str) -> list[str]:
            if text in ("", NO_COLUMN):
                if key.is_required:
                    raise Untold(f"{key.name} can't be left out")
                return []
            parts = [text] if text in names else text.split("+")
            for part in parts:
                if names.count(part) != 1:
                    trouble = "is not" if part not in names else "stands several times"
                    raise Untold(f"column '{part}' for {key.name} {trouble} in the header of {self._told.path.name}")
            return parts

        return read

    def _ask(self, key: Key, guess: list[str] | None) -> list[str]:
        default = "+".join(guess) if guess else None if key.is_required else NO_COLUMN
        none = "" if key.is_required else f", {NO_COLUMN} for none"
        question = f"Which column is {key.name}: {key.says}{none}"
        return self._talk.ask(question, self._columns(key), f"--column {key.name}=…", default=default)

    def _show(self, chosen: dict[str, list[str]], guesses: dict[str, list[str]]) -> None:
        looks = self._looks
        separator = {"\t": "a tab"}.get(looks.text.delimiter, f"'{looks.text.delimiter}'")
        what = f"{looks.text.encoding} text, its columns apart by {separator}"
        if is_workbook(self._told.path):
            what = "a workbook"
        self._talk.say(f"{self._told.path.name}: no known format; {what}")
        rows = []
        for column in looks.columns:
            told = [name for name, columns in chosen.items() if column.name in columns]
            guess = [f"{name}?" for name, columns in guesses.items() if column.name in columns]
            worded = {"outcome", "direction", "status"} & {name.removesuffix("?") for name in (*told, *guess)}
            shows_words = worded and not personal(column)
            looks_like = ", ".join(column.words if shows_words else column.shapes) or "(nothing)"
            why = personal(column)
            rows.append((column.name, looks_like, ", ".join([*told, *guess]) or (f"left out: {why}" if why else "")))
        self._talk.show(("column", "its values look like", "what it is"), rows)

    def _declare(self, chosen: dict[str, list[str]]) -> None:
        draft, kind = self._draft, self._told.kind
        defaults = type(self._looks.text)()
        keys = ("delimiter", "encoding", "decimal")
        draft.text = {
            key: getattr(self._looks.text, key)
            for key in keys
            if getattr(self._looks.text, key) != getattr(defaults, key)
        }
        for key in KEYS[kind]:
            if key.name in chosen:
                draft.columns[key.name] = self._value(key, chosen[key.name])
        if kind == "calls" and "call_id" not in chosen:
            draft.replaces_dates = True
        for what, table in TABLES.items():
            if what in chosen:
                draft.words[table] = self._words(what, self._one(chosen[what]))
        left_out = [key.name for key in KEYS[kind] if key.name not in chosen]
        if left_out:
            draft.left.append(f"No column of {self._told.path.name} is declared as {', '.join(left_out)}.")
        if kind == "calls":
            draft.left.append(
                "Whether the log knows when the citizen dialled in, or begins at the queue (`wait_starts_at`)."
            )
        else:
            draft.left.append("Whether an export also holds what was booked in its days (`covers`): else no lead time.")

    def _one(self, columns: list[str]) -> Column:
        column = self._looks.column(columns[0])
        if column is None or len(columns) > 1:
            raise Untold(f"'{'+'.join(columns)}' is not one column")
        return column

    def _value(self, key: Key, columns: list[str]) -> Any:
        if key.wants == "moment":
            return self._moment(key, columns)
        if key.wants == "duration":
            return self._duration(key, columns)
        if key.name in PUBLISHED:
            for column in (self._looks.column(name) for name in columns):
                if column is not None and (why := personal(column)) is not None:
                    self._draft.personal.append(key.name)
                    self._talk.say(f"Warning: '{column.name}' is to be published as {key.name}, but {why}.")
        return columns if key.wants == "id" and len(columns) > 1 else self._one(columns).name

    def _moment(self, key: Key, columns: list[str]) -> dict[str, Any]:
        joined, last = "+".join(columns), self._looks.column(columns[-1])
        formats = formats_of(self._looks, columns)
        is_day = False
        if not formats and key.name == "planned_start" and len(columns) == 1 and last is not None:
            formats, is_day = last.days, True
        option = f"--moment '{joined}={formats[0] if formats else '%d/%m/%Y %H:%M:%S'}'"
        told = self._moments.get(joined)
        if told is not None:
            format_ = _format_text(told)
        elif len(formats) == 1:
            format_ = formats[0]
        elif formats in self._orders:
            format_ = self._orders[formats]
        elif formats:
            others = " or ".join(f"--moment '{joined}={each}'" for each in formats)
            format_ = self._talk.ask(
                f"In which order '{joined}' has day and month, which its values don't tell ({' or '.join(formats)})",
                one_of(formats),
                others,
            )
        else:
            shapes = ", ".join(last.shapes) if last is not None else ""
            format_ = self._talk.ask(
                f"The format of the moments in '{joined}' ({key.name}), whose values look like {shapes},",
                _format_text,
                option,
            )
        if formats:
            self._orders[formats] = format_
        value: dict[str, Any] = {"column": columns if len(columns) > 1 else columns[0], "format": format_}
        if last is not None and last.never:
            value["never"] = list(last.never)
        return {**value, "day_only": True} if is_day or ("%M" not in format_ and format_ not in UNIX) else value

    def _duration(self, key: Key, columns: list[str]) -> dict[str, Any]:
        units = {column.duration for name in columns if (column := self._looks.column(name)) is not None}
        if len(units) != 1 or None in units:
            raise Untold(
                f"'{'+'.join(columns)}' is no duration ({key.name}): neither seconds nor hours:minutes:seconds"
            )
        value: dict[str, Any] = {"column": columns if len(columns) > 1 else columns[0]}
        if units == {"clock"}:
            value["unit"] = "clock"
        else:
            self._draft.left.append(f"Whether the numbers in '{'+'.join(columns)}' are seconds ({key.name}).")
        never = {word for name in columns if (column := self._looks.column(name)) is not None for word in column.never}
        return {**value, "never": sorted(never)} if never else value

    def _words(self, what: str, column: Column) -> dict[str, Any]:
        if not column.codes:
            raise Untold(
                f"'{column.name}' can't be the {what}: it has no words, or has too many ({column.different:,})"
            )
        if (why := personal(column)) is not None:
            raise Untold(f"'{column.name}' can't be the {what}: {why}")
        answer = told_words(self._told)[what]
        untold = [word for word in column.codes if word not in answer]
        if untold and not self._talk.is_there:
            flags = " ".join(f"--{what} '{word}=…'" for word in untold)
            raise Untold(
                f"what the words of column '{column.name}' mean is not known: say it with {flags} ({_choice(what)})"
            )
        if untold:
            self._talk.say(f"What do the words of '{column.name}' mean? {_choice(what)}")
        for word in untold:
            answer[word] = self._talk.ask(
                f"  '{word}'", _meaning(what), f"--{what} '{word}=…'", default=usual_meaning(what, word)
            )
        return answer


def told_words(told: Told) -> dict[str, dict[str, Any]]:
    """What options told of words, for each kind of word that the file can have."""
    answer: dict[str, dict[str, Any]] = {}
    for what in TABLES:
        pairs = [_pair(f"--{what}", text, last=True) for text in told.words.get(what, ())]
        if told.kind == ("appointments" if what == "status" else "calls"):
            answer[what] = {word: _meaning(what)(meaning) for word, meaning in pairs}
    return answer


def _choice(what: str) -> str:
    if what == "outcome":
        return f"answered, missed, other or open; or with a reason, missed:{REASONS[1]} ({', '.join(REASONS[1:])})"
    return ", ".join(MEANINGS[what])


def _meaning(what: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if text not in MEANINGS[what]:
            raise Untold(f"'{text}' is none of {_choice(what)}")
        reported, _, reason = text.partition(":")
        if not reason:
            return text
        by = {"by_person": False} if reported == "answered" else {}
        return {"reported": reported, **by, "reason": reason}

    return read


def _format_text(text: str) -> str:
    try:
        read_format(text, day_only="%M" not in text)
    except ValueError as error:
        raise Untold(str(error)) from None
    return text


def _pair(option: str, text: str, last: bool = False) -> tuple[str, str]:
    """KEY=VALUE; the `last` = parts them where the key may hold one."""
    before, parts, after = text.rpartition("=") if last else text.partition("=")
    if not parts or not before:
        raise Untold(f"{option} {text}: expected two things with a = between")
    return before, after
