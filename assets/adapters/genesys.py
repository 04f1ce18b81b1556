"""Genesys Cloud, the export of the interactions view as CSV: one row an interaction, whatever its medium.

Whoever exports chooses the columns, so a header is held against those that are needed. A cell may say several things,
joined by `;`: the first queue is the call's. Users and numbers are not taken over. Each row says whether the export
is whole; one that is not makes the file unfinished.
"""

from __future__ import annotations

import polars as pl

from assets.adapters.vendor import Format, missed, shown, text, unknown

WHOLE = "Full Export Completed"
NEEDED = (WHOLE, "Media Type", "Direction", "Date", "Queue", "Abandoned", "Total IVR", "Total Queue", "Total Handle")
IDS = ("Interaction ID", "Conversation ID")
SEPARATOR = ";"
MEDIA = ("voice", "callback", "chat", "email", "message", "cobrowse", "screenshare", "video", "")
"""In lower case; an interaction may have had several. What has none is a call, as in exports of calls alone."""
MILLISECONDS = r"^[0-9]{1,9}$"
CLOCK = r"^([0-9]{1,4}):([0-5][0-9]):([0-5][0-9](?:\.[0-9]{1,3})?)$"
SECONDS = pl.Decimal(18, 3)


def _is_yes(column: str) -> pl.Expr:
    return text(column).str.to_lowercase().is_in(["yes", "true"])


def _first(column: str) -> pl.Expr:
    return text(column).str.split(SEPARATOR).list.first().str.strip_chars()


def _seconds(column: str) -> pl.Expr:
    """Milliseconds, or hours:minutes:seconds, as the user chose for the export."""
    value = text(column)
    parts = value.str.extract_groups(CLOCK)
    hours, minutes, seconds = (parts.struct.field(str(part)).cast(SECONDS, strict=False) for part in (1, 2, 3))
    counted = pl.when(value.str.contains(MILLISECONDS)).then(value).cast(SECONDS, strict=False) / 1000
    return pl.coalesce(counted.cast(SECONDS), (hours * 3600 + minutes * 60 + seconds).cast(SECONDS))


def _shown(column: str) -> pl.Expr:
    """The same as text; what can't be read is made to be quarantined: 29500.0 must not pass for seconds."""
    return shown(_seconds(column), text(column))


def _media() -> pl.Expr:
    return text("Media Type").str.to_lowercase().str.split(SEPARATOR).list.eval(pl.element().str.strip_chars())


def _outcome(raw: pl.DataFrame) -> pl.Expr:
    """What became of a call, in one of our words."""
    handled = _seconds("Total Handle")
    in_queue, is_abandoned = text("Queue") != "", _is_yes("Abandoned")
    is_unreadable = handled.is_null() & (text("Total Handle") != "")
    known_media = _media().list.eval(pl.element().is_in([*MEDIA])).list.all()
    goes_on = text("End Date") == "" if "End Date" in raw.columns else pl.lit(False)
    return (
        pl.when(is_unreadable)
        .then(unknown(text("Total Handle")))
        .when(~known_media)
        .then(unknown(text("Media Type")))
        .when(~is_abandoned & ~text("Abandoned").str.to_lowercase().is_in(["no", "false", ""]))
        .then(unknown(text("Abandoned")))
        .when(goes_on)
        .then(pl.lit("goes on"))
        # who is called back had not been answered when they called
        .when(_media().list.contains("callback"))
        .then(pl.lit("callback"))
        .when(handled > 0)
        .then(pl.lit("handled"))
        .when(is_abandoned & in_queue)
        .then(pl.lit("abandoned in queue"))
        .when(is_abandoned)
        .then(pl.lit("abandoned in menu"))
        .when(in_queue)
        .then(pl.lit("left the queue"))
        .otherwise(pl.lit("ended in menu"))
    )


def _prepare(raw: pl.DataFrame) -> pl.DataFrame:
    ivr, queue = _shown("Total IVR"), _shown("Total Queue")
    (call_id,) = [name for name in IDS if name in raw.columns][:1]
    direction = _first("Initial Direction") if "Initial Direction" in raw.columns else text("Direction")
    is_other = _media().list.eval(pl.element().is_in(["voice", ""])).list.any().not_()
    is_known = _media().list.eval(pl.element().is_in([*MEDIA])).list.all()
    return raw.with_columns(
        pl.col(call_id).alias("id"),
        direction.str.to_lowercase().alias("direction"),
        pl.when(is_other & is_known).then(pl.lit("other")).otherwise(pl.lit("voice")).alias("medium"),
        _first("Queue").alias("first queue"),
        _outcome(raw).alias("outcome"),
        # a stage that a call skipped is empty; a call that tells of neither waited nobody knows how long
        pl.when((ivr == "") & (queue != "")).then(pl.lit("0")).otherwise(ivr).alias("seconds in menu"),
        pl.when((queue == "") & (ivr != "")).then(pl.lit("0")).otherwise(queue).alias("seconds in queues"),
        pl.when(text("Queue") != "").then(queue).otherwise(pl.lit("")).alias("seconds in its queues"),
    )


def _unfinished(raw: pl.DataFrame) -> str | None:
    partial = raw.filter(~_is_yes(WHOLE)).height
    if not partial:
        return None
    return (
        f"the vendor says that this export is partial ('{WHOLE}' is not yes in {partial} of its rows): export it again"
    )


INTERACTIONS = Format(
    name="genesys_interactions",
    title="the interactions export of Genesys Cloud",
    kind="calls",
    headers=tuple((*NEEDED, call_id) for call_id in IDS),
    more_columns=True,
    also_reads=("Initial Direction", "End Date"),
    prepare=_prepare,
    unfinished=_unfinished,
    preset={
        "columns": {
            "call_id": "id",
            "queue": "first queue",
            "direction": "direction",
            "outcome": "outcome",
            "arrived_at": {"column": "Date", "format": "%m/%d/%y %I:%M %p"},
            # a telephone that rings for a call still holds it in its queue
            "wait_seconds": {"column": ["seconds in menu", "seconds in queues"]},
            "queue_wait_seconds": {"column": "seconds in its queues"},
        },
        # both: it came in, and led to a call out of the house
        "directions": {"inbound": "inbound", "inbound/outbound": "inbound", "outbound": "outbound"},
        "outcomes": {
            "handled": "answered",
            "callback": {"reported": "other", "reason": "callback"},
            "abandoned in queue": "missed",
            "abandoned in menu": missed("menu"),
            "left the queue": {"reported": "other", "reason": "timeout"},
            "ended in menu": {"reported": "other", "reason": "menu"},
            "goes on": "open",
        },
        "exclude": [{"rule": "not_voice", "column": "medium", "values": ["other"]}],
    },
    cannot_tell=(
        "The zone of its clock times: it is that of whoever exported, and has to be declared.",
        "The second in which a call came: its moments are whole minutes.",
        "How long a call that was passed on waited for its first answer: the waits in all its queues are added up.",
        "When a call was answered: one that arrives before opening and is answered after it is not flagged.",
        "Whether a filter of the view left calls out: only what the vendor itself cut off is told.",
        "Whether an agent answered a call for which a callback was made too: it counts as not answered.",
    ),
)
