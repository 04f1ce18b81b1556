"""Cisco Unified CCX, the report *Detailed Call, CSQ, Agent*: one row a leg of a call and agent whose telephone rang.

A cell says several things here: three numbers make the id, a list names the queues, and who was handled by whom stands
in two columns. So the rows are taken apart first. Numbers of telephones are not looked at; of an agent's name only
whether there is one, and it goes no further.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from assets.adapters.vendor import Format, missed, text, unknown

COLUMNS = (
    "Node ID - Session ID - Sequence No",
    "Call Start Time",
    "Call End Time",
    "Contact Disposition",
    "Originator DN (Calling Number)",
    "Destination DN",
    "Called Number",
    "Application Name",
    "CSQ Names",
    "Queue Time",
    "Agent Name",
    "Ring Time",
    "Talk Time",
    "Work Time",
)
ID = r"^([0-9]+)\s*-\s*([0-9]+)\s*-\s*([0-9]+)$"
CLOCK = r"^([0-9]{1,4}):([0-5][0-9]):([0-5][0-9])$"
JAVA = r"^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})(?: [A-Z]{1,5})? ([0-9]{4})$"
"""Mon Mar 10 09:00:05 CET 2025"""
MONTHS = {"Jan": "01", "Feb": "02", "Mar": "03", "Apr": "04", "May": "05", "Jun": "06"}
MONTHS |= {"Jul": "07", "Aug": "08", "Sep": "09", "Oct": "10", "Nov": "11", "Dec": "12"}
DISPOSITIONS = {"1": "abandoned", "2": "handled", "4": "aborted", "99": "cleared"}
DISPOSITIONS |= {str(number): "rejected" for number in range(5, 99)}
DISPOSITIONS |= {word: word for word in ("abandoned", "handled", "aborted", "rejected", "cleared")}
STOPPED = {"reported": "other", "reason": "no_agent"}


def _seconds(column: str) -> pl.Expr:
    """Whole seconds as text: from 0:02:23, from 143, or from the fraction of a day that a workbook made of it."""
    value = text(column)
    parts = value.str.extract_groups(CLOCK)
    hours, minutes, rest = (parts.struct.field(str(number)).cast(pl.Int64) for number in (1, 2, 3))
    days = pl.when(value.str.contains(r"^0\.[0-9]+$")).then(value).cast(pl.Float64, strict=False) * 86_400
    clock = (hours * 3600 + minutes * 60 + rest).cast(pl.String)
    return pl.coalesce(clock, days.round().cast(pl.Int64).cast(pl.String), value)


def _moment(column: str) -> pl.Expr:
    """2025-03-10 09:00:05 of what Java writes; what is in another form stays, to be declared or quarantined."""
    parts = text(column).str.extract_groups(JAVA)
    month, day, clock, year = (parts.struct.field(str(number)) for number in (1, 2, 3, 4))
    number = month.replace_strict(MONTHS, default=None, return_dtype=pl.String)
    return pl.coalesce(pl.concat_str([year, pl.lit("-"), number, pl.lit("-"), day, pl.lit(" "), clock]), text(column))


def prepare(raw: pl.DataFrame) -> pl.DataFrame:
    """Adds what is declared below. What can't be taken apart stays as it is, or empty, and is quarantined by that."""
    numbers = text("Node ID - Session ID - Sequence No").str.extract_groups(ID)
    node, session, sequence = (numbers.struct.field(str(number)).fill_null("") for number in (1, 2, 3))
    disposition = text("Contact Disposition").str.to_lowercase()
    meaning = disposition.replace_strict(DISPOSITIONS, default=None, return_dtype=pl.String)
    talked, rang, queued = _seconds("Talk Time"), _seconds("Ring Time"), _seconds("Queue Time")
    # a time of nothing without a queue is the time in no queue
    has_agent, has_queue = text("Agent Name") != "", (text("CSQ Names") != "") | ~queued.is_in(["", "0"])
    in_vain = (meaning == "handled").fill_null(False) & has_agent & talked.is_in(["", "0"])
    # of several agents each has a row with the numbers of the leg, so these alone don't tell the rows apart
    rows_of_agents = pl.concat_str([sequence, rang, talked], separator="/")
    are_seconds = rang.str.contains("^[0-9]*$") & talked.str.contains("^[0-9]*$")
    unreadable = pl.when(rang.str.contains("^[0-9]*$")).then(talked).otherwise(rang)
    return raw.with_columns(
        pl.when(node != "").then(pl.concat_str([node, session], separator="-")).otherwise(pl.lit("")).alias("call"),
        pl.when((sequence != "") & has_agent).then(rows_of_agents).otherwise(sequence).alias("leg"),
        _moment("Call Start Time").alias("started"),
        _moment("Call End Time").alias("ended"),
        pl.when(~are_seconds)
        .then(unknown(unreadable))
        .when((meaning == "abandoned") & ~has_queue)
        .then(pl.lit("abandoned in the menu"))
        .when((meaning == "handled") & ~has_agent)
        .then(pl.lit("handled without an agent"))
        .otherwise(pl.coalesce(meaning, text("Contact Disposition")))
        .alias("outcome"),
        text("CSQ Names").str.split(",").list.first().str.strip_chars(" *").alias("csq"),
        pl.when(has_queue).then(queued).otherwise(pl.lit("")).alias("queued"),
        pl.when(in_vain).then(pl.lit("")).when(rang == "").then(pl.lit("0")).otherwise(rang).alias("rang"),
    )


PRESET: dict[str, Any] = {
    "workbook": {"header_row": 2},  # the report's name stands in the first
    "wait_starts_at": "queue",
    "columns": {
        "call_id": "call",
        "leg_id": "leg",
        "queue": "csq",
        "outcome": "outcome",
        "arrived_at": {"column": "started", "format": "%Y-%m-%d %H:%M:%S"},
        "ended_at": {"column": "ended", "format": "%Y-%m-%d %H:%M:%S"},
        "wait_seconds": {"column": ["queued", "rang"]},
        "queue_wait_seconds": {"column": "queued"},
    },
    "outcomes": {
        "handled": "answered",
        "handled without an agent": {"reported": "answered", "by_person": False, "reason": "menu"},
        "abandoned": "missed",
        "abandoned in the menu": missed("menu"),
        "aborted": STOPPED,
        "rejected": STOPPED,
        "cleared": STOPPED,
    },
    # what agents dial themselves, to outside or to each other, goes through no application
    "exclude": [{"rule": "agents_own_call", "column": "Application Name", "matches": r"^\s*$"}],
}

DETAILED_CALL_CSQ_AGENT = Format(
    name="cisco_uccx",
    title="the Detailed Call, CSQ, Agent report of Cisco Unified CCX",
    kind="calls",
    headers=(COLUMNS,),
    preset=PRESET,
    cannot_tell=(
        "The zone of its clock times: it has to be declared; where a date names one (`CET`), the name is not used.",
        "The time in the menu before the first queue: waits are lower bounds.",
        "How long a caller waited who was never in a queue: such a wait is unknown.",
        "When a call was answered: calls that reach from before opening into it are not flagged.",
        "Which of several queues a caller waited in for how long: a call is in the first that its list names.",
        "Whether an agent's own call was to outside or to a colleague: both are excluded by one rule.",
    ),
    prepare=prepare,
)
