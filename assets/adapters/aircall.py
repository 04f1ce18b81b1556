"""Aircall, the export of calls as CSV: one row a call, with its durations, a clock in UTC and one of its line.

Only the clock in UTC is read. Each line has a zone of its own (`Etc/UTC` beside `Australia/Melbourne` in one file), and
nobody knows which zone it had when the call came. `from`, `to`, `user` and whatever else names or numbers people are
not taken over. The newest header has ids; the older ones have none, and are a format of their own.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from assets.adapters.vendor import Format, missed, shown, text

_OLDER = (
    "line;date (tz offset incl.);time (tz offset incl.);number timezone;datetime (utc);country_code;direction;from;to;"
    "answered;missed_call_reason;user;duration (total);duration (in call);via;voicemail;tags"
)
_NEWEST = (
    "line;datetime (tz offset incl.);number timezone;datetime (utc);country_code;direction;from;to;answered;"
    "missed_call_reason;user;duration (total);duration (in call);voicemail;recording;comments;tags;call quality;team;"
    "call direction - type;call start time;call end time;aircall number;customer number;in-call duration;call id;"
    "call type;waiting time;time to answer;time in ivr;call id (internal);disconnected by;ivr branch;ivr widget;"
    "call timeline;callback details;callback failure;automatic callback pending time;time with ai voice agent;"
    "entry number;ai voice agent transfer branch"
)
OLDER, NEWEST = tuple(_OLDER.split(";")), tuple(_NEWEST.split(";"))
ALSO_READ = ("call type", "callback details")
WHOLE_SECONDS = "^[0-9]{1,7}$"

COLUMNS: dict[str, Any] = {
    "queue": "line",
    "direction": "direction",
    "outcome": "outcome",
    "arrived_at": {"column": "arrived (utc)", "format": "%Y-%m-%d %H:%M:%S%.f%z"},
    "answered_at": {"column": "answered (utc)", "format": "unix_milliseconds"},
    "ended_at": {"column": "ended (utc)", "format": "unix_milliseconds"},
    "outside_hours": {"column": "missed_call_reason", "values": ["out_of_opening_hours"]},
}
MEANINGS: dict[str, Any] = {
    "time_zone": "Etc/UTC",
    "directions": {"inbound": "inbound", "outbound": "outbound"},
    "outcomes": {
        "yes": "answered",
        "no": "missed",
        "voicemail": missed("voicemail"),
        "callback": missed("callback"),
        # a machine that talks is no person, whatever it is called
        "ai call": missed("menu"),
        "short_abandoned": "missed",
        "abandoned": "missed",
        "abandoned_in_classic": "missed",
        "abandoned_in_ivr": missed("menu"),
        "agents_did_not_answer": missed("timeout"),
        "no_available_agent": missed("no_agent"),
        # by the telephone's own schedule nobody was there; whether we were open is for the calendar to say
        "out_of_opening_hours": missed("no_agent"),
    },
}
OF_BOTH = (
    "Which line the citizen dialled, where a menu passed the call on: it counts for the line that it reached.",
    "Who gave up first: agents_did_not_answer says that agents rang in vain, or that the caller hung up meanwhile.",
    "Calls between colleagues: it has none, and an outgoing call that was passed on to a colleague counts as incoming.",
)


def _with_outcome(raw: pl.DataFrame) -> pl.DataFrame:
    """What became of the call, in one word: whether it was answered, and if not, why."""
    answered, reason = text("answered").str.to_lowercase(), text("missed_call_reason")
    has = {column: column in raw.columns for column in ALSO_READ}
    by_machine = text("call type").str.to_lowercase().str.starts_with("ai") if has["call type"] else pl.lit(False)
    callback = text("callback details") != "" if has["callback details"] else pl.lit(False)
    return raw.with_columns(
        pl.when(by_machine)
        .then(pl.lit("ai call"))
        .when(answered != "no")
        .then(answered)
        .when(text("voicemail") != "")
        .then(pl.lit("voicemail"))
        .when(callback)
        .then(pl.lit("callback"))
        .when(reason != "")
        .then(reason)
        .otherwise(answered)
        .alias("outcome")
    )


def _with_moments(raw: pl.DataFrame) -> pl.DataFrame:
    """Arrival as UTC that says so, and the end and the answer, which the durations tell.

    What can't be read is passed on as it is, to be quarantined.
    """
    utc, total, in_call = text("datetime (utc)"), text("duration (total)"), text("duration (in call)")
    arrived = utc.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="ms").dt.epoch("ms")
    ended = arrived + 1000 * _seconds(total)
    return raw.with_columns(
        pl.when(utc == "").then(pl.lit("")).otherwise(utc + "Z").alias("arrived (utc)"),
        shown(ended, total).alias("ended (utc)"),
        shown(ended - 1000 * _seconds(in_call), in_call).alias("answered (utc)"),
    )


def _with_wait(raw: pl.DataFrame) -> pl.DataFrame:
    """The seconds before a person spoke: all but those in the call. With a voicemail nobody knows: it counts too."""
    total, in_call = text("duration (total)"), text("duration (in call)")
    spoken = pl.when(in_call == "").then(pl.lit(0)).otherwise(_seconds(in_call))
    return raw.with_columns(
        pl.when((total == "") | (text("voicemail") != ""))
        .then(pl.lit(""))
        .otherwise(shown(_seconds(total) - spoken, total + " - " + in_call))
        .alias("waited")
    )


def _seconds(value: pl.Expr) -> pl.Expr:
    return pl.when(value.str.contains(WHOLE_SECONDS)).then(value).cast(pl.Int64, strict=False)


def _prepare(raw: pl.DataFrame) -> pl.DataFrame:
    return _with_moments(_with_outcome(raw))


def _prepare_older(raw: pl.DataFrame) -> pl.DataFrame:
    return _with_wait(_prepare(raw))


AIRCALL = Format(
    name="aircall",
    title="the calls export of Aircall",
    kind="calls",
    headers=(NEWEST,),
    any_case=True,
    prepare=_prepare,
    preset={
        **MEANINGS,
        "columns": {
            **COLUMNS,
            "call_id": "call id",
            # the menu is in it: 44 s of waiting are 15 s in the menu and 29 s to the answer
            "wait_seconds": {"column": "waiting time", "unit": "clock"},
            "queue_wait_seconds": {"column": "time to answer", "unit": "clock"},
        },
    },
    cannot_tell=(*OF_BOTH, "How long who was not answered waited after the menu: only the whole wait is told."),
)

OLDER_AIRCALL = Format(
    name="aircall_v2",
    title="the older calls export of Aircall",
    kind="calls",
    headers=(OLDER,),
    any_case=True,
    more_columns=True,
    also_reads=ALSO_READ,
    prepare=_prepare_older,
    preset={
        **MEANINGS,
        "replaces_dates": True,
        "columns": {**COLUMNS, "wait_seconds": {"column": "waited"}},
    },
    cannot_tell=(
        *OF_BOTH,
        "Which row is which call: it has no ids, so each export replaces the range of dates that it holds.",
        "How long callers waited in the menu: it is in the whole wait.",
        "How long who left a voicemail waited: the message counts in the duration of the call.",
    ),
)
