"""Asterisk: the queue log (a line an event) and two shapes of the call detail records (a line a leg).

Names of agents, channels and numbers stay in the export. Times in the queue log are Unix seconds; those in the detail
records are civil time of the telephone system, or UTC if it says `usegmtime`: nothing in the file tells which.
"""

from __future__ import annotations

import polars as pl

from assets.adapters.vendor import Format, missed, shown, text

QUEUE_COLUMNS = ("epoch", "callid", "queue", "agent", "event", "p1", "p2", "p3", "p4", "p5")
WAITED = "seconds waited"
ENTERED = "entered the queue"
ANSWERED = "answered"
ENDED = "ended"

WAIT_AT = {
    "ABANDON": "p3",
    "EXITEMPTY": "p3",
    "EXITWITHTIMEOUT": "p3",
    "EXITWITHKEY": "p4",
    "CONNECT": "p1",
    "COMPLETEAGENT": "p1",
    "COMPLETECALLER": "p1",
    "BLINDTRANSFER": "p3",
    "TRANSFER": "p3",
    "ATTENDEDTRANSFER": "p3",
}
"""In which field each event has the seconds in the queue."""
TALK_AT = dict.fromkeys(("COMPLETEAGENT", "COMPLETECALLER"), "p2") | dict.fromkeys(
    ("BLINDTRANSFER", "TRANSFER", "ATTENDEDTRANSFER"), "p4"
)
"""In which field each event after an answer has the seconds of conversation."""
NO_CALL_EVENTS = [
    *["QUEUESTART", "CONFIGRELOAD", "ADDMEMBER", "REMOVEMEMBER", "PAUSE", "UNPAUSE", "PAUSEALL", "UNPAUSEALL"],
    *[
        "PAUSEREASON",
        "AGENTLOGIN",
        "AGENTLOGOFF",
        "AGENTCALLBACKLOGIN",
        "AGENTCALLBACKLOGOFF",
        "PENALTY",
        "DID",
        "INFO",
    ],
]


def _events(raw: pl.DataFrame) -> pl.DataFrame:
    """Each event with what it says of its call: when it entered, was answered, ended, and the seconds between."""
    event, at = text("event"), text("epoch")
    moment = pl.when(at.str.contains("^[0-9]{9,10}$")).then(at).cast(pl.Int64, strict=False)
    waited, talked = _field(event, WAIT_AT), _field(event, TALK_AT)
    waits, talks = _or_none(waited), _or_none(talked)
    answered = pl.when(event == "CONNECT").then(at).when(talked.is_not_null()).then(shown(moment - talks, at))
    goes_on = event.is_in(["ENTERQUEUE", "RINGNOANSWER", "RINGCANCELED", "CONNECT", "AGENTDUMP"])
    return raw.with_columns(
        # of a wait of words the wait itself is quarantined
        shown(moment - pl.coalesce(waits, 0) - talks, at).alias(ENTERED),
        answered.fill_null("").alias(ANSWERED),
        pl.when(goes_on).then(pl.lit("")).otherwise(at).alias(ENDED),
        waited.fill_null("").alias(WAITED),
    )


def _field(event: pl.Expr, at: dict[str, str]) -> pl.Expr:
    """The field in which an event has something; NULL for one that has it nowhere."""
    return pl.coalesce(
        [
            pl.when(event.is_in([name for name, where in at.items() if where == column])).then(text(column))
            for column in sorted(set(at.values()))
        ]
    )


def _whole(value: pl.Expr) -> pl.Expr:
    """Whole seconds; NULL where it is none."""
    return pl.when(value.str.contains("^[0-9]{1,6}$")).then(value).cast(pl.Int64, strict=False)


def _or_none(value: pl.Expr) -> pl.Expr:
    """Whole seconds; 0 where there is nothing, NULL where it is no number."""
    return pl.when(value.fill_null("") == "").then(0).otherwise(_whole(value))


def _proof(by_person: bool = True) -> dict[str, object]:
    """An event after CONNECT: it proves the answer, but the software has counted the call."""
    return {"reported": "other", "by_person": by_person}


QUEUE_LOG = Format(
    name="asterisk_queue_log",
    title="the queue log of Asterisk",
    kind="calls",
    headers=(QUEUE_COLUMNS,),
    preset={
        "time_zone": "Etc/UTC",
        "text": {"delimiter": "|", "quote": "", "header": list(QUEUE_COLUMNS), "fewer_fields": True},
        "records": "events",
        "wait_starts_at": "queue",
        "columns": {
            "call_id": "callid",
            # events have no id of their own, and an agent's name is none
            "leg_id": ["epoch", "queue", "event"],
            "queue": "queue",
            "outcome": "event",
            "arrived_at": {"column": ENTERED, "format": "unix_seconds"},
            "answered_at": {"column": ANSWERED, "format": "unix_seconds"},
            "ended_at": {"column": ENDED, "format": "unix_seconds"},
            "wait_seconds": {"column": WAITED},
            "queue_wait_seconds": {"column": WAITED},
        },
        "outcomes": {
            "ENTERQUEUE": "open",
            "RINGNOANSWER": "other",
            "RINGCANCELED": "other",
            "AGENTDUMP": "other",
            "CONNECT": "answered",
            "COMPLETEAGENT": _proof(),
            "COMPLETECALLER": _proof(),
            "BLINDTRANSFER": _proof(),
            "TRANSFER": _proof(),
            "ATTENDEDTRANSFER": _proof(),
            "ABANDON": "missed",
            "EXITWITHTIMEOUT": missed("timeout"),
            "EXITEMPTY": missed("no_agent"),
            "JOINEMPTY": missed("no_agent"),
            "SYSCOMPAT": missed("no_agent"),
            # by a key, to a mailbox or a callback: no hang-up, however soon
            "EXITWITHKEY": missed("timeout"),
            **dict.fromkeys(NO_CALL_EVENTS, "other"),
        },
        "exclude": [
            {"rule": "no_call", "column": "event", "values": NO_CALL_EVENTS},
            {"rule": "no_call", "column": "callid", "values": ["NONE", "REALTIME", "MANAGER"]},
        ],
    },
    cannot_tell=(
        "When the citizen dialled in: the clock starts at the queue, so waits are lower bounds, unless the call detail "
        "records are declared beside it with legs_of.",
        "Calls that hung up before they reached a queue: they are in the call detail records alone.",
        "Fractions of a second.",
    ),
    prepare=_events,
    first_record={"epoch": "[0-9]{9,10}", "callid": r"[0-9]{9,10}\.[0-9]+|NONE|REALTIME|MANAGER", "event": "[A-Z]+"},
)


CDR_COLUMNS = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata"),
    *("start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield"),
)
FREEPBX_COLUMNS = (
    *("calldate", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "duration"),
    *("billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield", "did", "recordingfile", "cnum"),
    *("cnam", "outbound_cnum", "outbound_cnam", "dst_cnam", "linkedid", "peeraccount", "sequence"),
)
DURATIONS = ("duration", "billsec")
HAPPENED = "what happened"


def _legs(raw: pl.DataFrame) -> pl.DataFrame:
    """Each leg with what happened: ANSWERED alone says no more than that some machine took the line."""
    app, disposition, lasted, talked = text("lastapp").str.to_lowercase(), *map(text, ("disposition", *DURATIONS))
    connects, has_other_end = app.is_in(["dial", "queue"]), text("dstchannel") != ""
    by = (
        pl.when(connects & has_other_end)
        .then(pl.lit("person"))
        .when(connects)
        .then(pl.lit("nobody"))
        .when(app.is_in(["voicemail", "minivm"]))
        .then(pl.lit("voicemail"))
        .otherwise(pl.lit("menu"))
    )
    happened = pl.when(disposition == "ANSWERED").then(pl.concat_str(pl.lit("ANSWERED by "), by)).otherwise(disposition)
    waited = (
        pl.when(happened != "ANSWERED by person")
        .then(shown(_whole(lasted), lasted))
        # a queue took the line before the agent did: when the agent answered is not in its record
        .when(app == "queue")
        .then(pl.lit(""))
        .otherwise(shown(_whole(lasted) - _whole(talked), lasted + " - " + talked))
    )
    return raw.with_columns(happened.alias(HAPPENED), waited.alias(WAITED))


def _machine(reason: str) -> dict[str, object]:
    return {"reported": "answered", "by_person": False, "reason": reason}


CDR_PRESET = {
    "wait_starts_at": "queue",
    "outcomes": {
        "ANSWERED by person": "answered",
        "ANSWERED by nobody": _machine("abandoned"),
        "ANSWERED by voicemail": _machine("voicemail"),
        "ANSWERED by menu": _machine("menu"),
        "NO ANSWER": "missed",
        "BUSY": missed("no_agent"),
        "FAILED": missed("no_agent"),
        "CONGESTION": missed("no_agent"),
    },
}
CDR_CANNOT_TELL = (
    "Its zone: civil time of the telephone system, or UTC where cdr.conf says usegmtime; declare which.",
    "Direction: exclude outgoing and internal calls by a rule on `dcontext` or `channel`, whose names are your own.",
    "Which queue a call was in, without telling numbers: all calls are in the queue named for the source.",
    "When a person answered a call that a menu or a queue had taken before: the wait for a Dial is a lower bound, that "
    "for a Queue is unknown.",
)

CDR = Format(
    name="asterisk_cdr",
    title="the call detail records of Asterisk (Master.csv)",
    kind="calls",
    headers=(CDR_COLUMNS, (*CDR_COLUMNS, "linkedid")),
    preset={
        **CDR_PRESET,
        "text": {"header": list(CDR_COLUMNS)},
        "columns": {
            "call_id": "uniqueid",
            "leg_id": ["start", "end", "lastapp", "disposition", "duration", "billsec"],
            "outcome": HAPPENED,
            "arrived_at": {"column": "start", "format": "%Y-%m-%d %H:%M:%S"},
            "ended_at": {"column": "end", "format": "%Y-%m-%d %H:%M:%S"},
            "wait_seconds": {"column": WAITED},
        },
    },
    cannot_tell=(
        "Which records are of one call, but for those of one channel: without linkedid a call that rang at several "
        "telephones is several calls; write linkedid as a 19th column by cdr_custom, and declare header and call_id.",
        *CDR_CANNOT_TELL,
    ),
    prepare=_legs,
    first_record={
        "start": r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}",
        "duration": "[0-9]+",
        "disposition": "ANSWERED|NO ANSWER|BUSY|FAILED|CONGESTION",
    },
)

FREEPBX = Format(
    name="freepbx_cdr",
    title="the table cdr of FreePBX",
    kind="calls",
    headers=(FREEPBX_COLUMNS,),
    preset={
        **CDR_PRESET,
        "columns": {
            "call_id": "linkedid",
            "leg_id": ["uniqueid", "sequence"],
            "outcome": HAPPENED,
            "arrived_at": {"column": "calldate", "format": "%Y-%m-%d %H:%M:%S"},
            "lasted_seconds": {"column": "duration"},
            "wait_seconds": {"column": WAITED},
        },
    },
    cannot_tell=CDR_CANNOT_TELL,
    prepare=_legs,
)
