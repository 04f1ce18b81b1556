"""Which column of an unknown export is what: proposed by what its values are, then by what it is called.

A proposal is shown to a person and never taken by itself. Belongs here: the keys of a mapping, which columns can be
theirs, the words that headers use. Does not belong here: what values show (`sniffing`), any question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from unicodedata import combining, normalize

from pipelines.setting_up.sniffing import MAY_BE_NAMES, Column, Looks

Wants = Literal["id", "word", "name", "moment", "duration"]
SHARE_OF_NAMES = 0.5
"""A column of names comes again and again; with more different values than this it is something else."""
MOSTLY = 0.98
"""Every call has arrived, but for a few broken records."""
TOO_FEW = 20
"""Records from which on it can be told whether values come again."""


@dataclass(frozen=True)
class Key:
    """One key of `columns`: what it says, what its column must hold, and how headers call it, the plainest first."""

    name: str
    says: str
    wants: Wants
    hints: tuple[str, ...]
    is_required: bool = False


KEYS: dict[str, tuple[Key, ...]] = {
    "calls": (
        Key(
            "call_id", "the id of the call", "id", ("(oproep|call|gesprek|appel).?(id|nr|nummer)", r"\bid\b|nr|nummer")
        ),
        Key(
            "outcome",
            "the word for what became of the call",
            "word",
            ("resultaat|result|uitkomst|outcome|afloop", "status|disposition|afhandeling|etat"),
            is_required=True,
        ),
        Key("direction", "the word for its direction", "word", ("richting|direction|sens", r"\btype\b")),
        Key("queue", "the queue", "name", ("wachtrij|queue|file d|rij", "groep|group|skill|lijn|dienst|service|keuze")),
        Key(
            "arrived_at",
            "the moment of dialling in",
            "moment",
            ("aankomst|binnen|arriv|inkom", "start|begin|debut|tijdstip|oproep|call", "datum|date|tijd|time"),
            is_required=True,
        ),
        Key("queue_entered_at", "the moment of entry into the queue", "moment", ("wachtrij|queue|file d",)),
        Key(
            "answered_at",
            "the moment at which a person answered",
            "moment",
            ("beantwoord|opgenomen|aangenomen|answer|repon|connect",),
        ),
        Key("ended_at", "the moment of its end", "moment", ("eind|einde|\\bend|ended|opgehangen|hang|\\bfin\\b|stop",)),
        Key(
            "wait_seconds",
            "the seconds from dialling in to the answer or the end",
            "duration",
            ("wacht(?!rij)|wait|attente",),
        ),
        Key("queue_wait_seconds", "the seconds in the queue", "duration", ("wachtrij|queue",)),
        Key("lasted_seconds", "the seconds from dialling in to the end", "duration", ("totale? (duur|tijd)|total",)),
    ),
    "appointments": (
        Key(
            "appointment_id",
            "the id of the appointment",
            "id",
            ("(afspraak|appointment|rdv|rendez).*(id|nr|nummer)", r"\bid\b|nr|nummer|code"),
            is_required=True,
        ),
        Key("service", "the service", "name", ("dienst|service|product", "onderwerp|reden|type|subject")),
        Key("booking_channel", "where it was booked", "name", ("kanaal|channel|canal", "bron|source|via")),
        Key("status", "the word for its status", "word", ("status|statut|toestand|etat",)),
        Key("booked_at", "the moment of booking", "moment", ("aangemaakt|geboekt|gemaakt|book|creat|cree|reserv",)),
        Key(
            "planned_start",
            "the planned moment",
            "moment",
            ("gepland|plan|schedul|prevu", "afspraak|appointment|rendez|rdv", "datum|date"),
            is_required=True,
        ),
        Key("checked_in_at", "the moment of checking in", "moment", ("aangemeld|check|aanmeld|arriv|aankomst|ticket",)),
        Key("started_at", "the moment at which it began", "moment", ("gestart|opgeroepen|started|start|begin|debut",)),
        Key("ended_at", "the moment of its end", "moment", ("eind|\\bend|ended|\\bfin\\b|stop|afgerond",)),
    ),
}

_PERSON = re.compile(
    r"naam|\bname|\bnom\b|prenom|beller|caller|appelant|medewerk|agent|employee|behandela|behandeld door|operator|"
    r"bezoeker|visitor|klant|customer|client|burger|citizen|inwoner|\btel\b|telef|phone|gsm|mobiel|mobile|mail|"
    r"rijksreg|insz|niss|adres|geboorte|birth|^van$|^naar$|^from$|^to$|user|gebruiker|oproeper"
)
_THING = re.compile(r"wachtrij|queue|dienst|service|product|kanaal|channel|groep|group")
"""Columns of which the name says that they name things: 'Naam wachtrij'."""
WORDS = {
    "outcome": {
        "answered": "beantwoord|answered|opgenomen|aangenomen|repondu",
        "missed": "gemist|missed|unanswered|niet beantwoord|no answer|abandoned|afgebroken|manque|abandonne",
        "missed:voicemail": "voicemail|antwoordapparaat",
        "open": "lopend|bezig|ongoing|in progress",
    },
    "direction": {
        "inbound": "in|inkomend|inbound|incoming|entrant",
        "outbound": "uit|out|uitgaand|outbound|outgoing|sortant",
        "internal": "intern|internal|interne",
    },
    "status": {
        "planned": "gepland|planned|ingepland|prevu",
        "checked_in": "aangemeld|checked in|arrived|present",
        "started": "bezig|gestart|started|in progress|opgeroepen",
        "completed": "afgerond|completed|done|afgehandeld|termine",
        "no_show": "niet verschenen|niet opgedaagd|no show|no-show|noshow|absent",
        "cancelled": "geannuleerd|cancelled|canceled|annule",
    },
}
"""What well-known words mostly mean: offered as an answer, never taken for one."""


def usual_meaning(what: str, word: str) -> str | None:
    """What a word mostly means, if it is a well-known one."""
    return next((meaning for meaning, known in WORDS[what].items() if _plain(word) in known.split("|")), None)


def personal(column: Column) -> str | None:
    """Why a column must not be published: by its name, else by what its values look like."""
    if column.looks_like is not None and not (column.looks_like == MAY_BE_NAMES and _names_things(column)):
        return f"its values look like {column.looks_like}"
    if _PERSON.search(_plain(column.name)) and not _names_things(column):
        return "its name says that it holds persons, their numbers or addresses"
    return None


def _names_things(column: Column) -> bool:
    return _THING.search(_plain(column.name)) is not None


def joined(looks: Looks) -> Iterator[list[str]]:
    """The columns of a day that make a moment together with one of a clock time."""
    days = [column for column in looks.columns if column.days and not column.duration]
    for day in days if len(days) == 1 else []:
        for clock in looks.columns:
            if clock.clock is not None and not re.search("duur|wacht|duration|wait", _plain(clock.name)):
                yield [day.name, clock.name]


def formats_of(looks: Looks, columns: list[str]) -> tuple[str, ...]:
    """The formats of a moment in one column or in two; none where its values are no moments."""
    parts = [column for name in columns if (column := looks.column(name)) is not None]
    if len(parts) == 1:
        return parts[0].moments
    if len(parts) == 2 and parts[1].clock is not None:
        return tuple(f"{day} {parts[1].clock}" for day in parts[0].days)
    return ()


def proposed(kind: str, looks: Looks) -> dict[str, list[str]]:
    """The columns proposed for each key that has a plain candidate; two that are as likely are none."""
    scores: list[tuple[int, str, list[str]]] = []
    for key in KEYS[kind]:
        rated = [(score, columns) for columns in _candidates(key, looks) if (score := _score(key, columns, looks))]
        if not rated and key.is_required:
            only = list(_candidates(key, looks))
            rated = [(1, columns) for columns in only] if len(only) == 1 else []
        scores += [(score, key.name, columns) for score, columns in rated]
    answer: dict[str, list[str]] = {}
    tied: set[str] = set()
    taken: set[tuple[str, ...]] = set()
    for score, name, columns in sorted(scores, key=lambda one: -one[0]):
        if name in answer or name in tied or tuple(columns) in taken:
            continue
        rivals = [c for s, n, c in scores if (s, n) == (score, name) and tuple(c) not in taken]
        if len(rivals) > 1:
            tied.add(name)
            continue
        answer[name] = columns
        taken.add(tuple(columns))
    return {key.name: answer[key.name] for key in KEYS[kind] if key.name in answer}


def _candidates(key: Key, looks: Looks) -> Iterator[list[str]]:
    names = [column.name for column in looks.columns]
    for column in looks.columns:
        if names.count(column.name) == 1 and column.filled and _can_be(key, column):
            yield [column.name]
    if key.wants == "moment":
        yield from joined(looks)


def _can_be(key: Key, column: Column) -> bool:
    if key.wants == "moment":
        return bool(column.moments) and (column.filled > MOSTLY * column.records or key.name != "arrived_at")
    if key.wants == "duration":
        return column.duration is not None and "min" not in _plain(column.name).split()
    if personal(column) is not None or column.moments or column.days:
        return False
    if key.wants == "id":
        return column.is_unique and any("9" in shape for shape in column.shapes)
    if key.wants == "word":
        return bool(column.words) and (column.different < column.records or column.records < TOO_FEW)
    is_number = column.duration is not None
    comes_again = column.different <= column.filled * SHARE_OF_NAMES or column.records < TOO_FEW
    return bool(column.values) and comes_again and not is_number


def _score(key: Key, columns: list[str], looks: Looks) -> int:
    name = _plain(" ".join(columns[-1:]))
    score = next((30 - 5 * at for at, hint in enumerate(key.hints) if re.search(hint, name)), 0)
    column = looks.column(columns[-1])
    if key.name in WORDS and column is not None:
        known = sum(usual_meaning(key.name, word) is not None for word in column.words)
        score += 50 * known // max(len(column.words), 1) if known else 0
    return score


def _plain(text: str) -> str:
    """Lower case, without accents, its parts apart."""
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    letters = "".join(letter for letter in normalize("NFKD", text) if not combining(letter))
    return re.sub(r"[\s_./-]+", " ", letters).strip().lower()
