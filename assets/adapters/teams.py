"""Microsoft Teams, call queues: what the Voice Applications Analytics Collector (VAAC) answers to a query, as JSON.

A record is what became of one call in one queue; those of one conference are legs of one call. A result that hands the
call on says to what kind of target, so both together are the outcome. Who called and who answered is asked of VAAC
nowhere: neither has a column here.
"""

from __future__ import annotations

import polars as pl

from assets.adapters.vendor import Format, missed, text

COLUMNS = (
    "ConferenceID",
    "DialogID",
    "DocumentID",
    "rawUserStartTimeUTC",
    "rawEndTime",
    "rawCallQueueIdentity",
    "rawCallQueueCallResult",
    "rawCallQueueTargetType",
    "rawCallQueueDurationSeconds",
)
COUNT = "rawTotalCallCount"
"""VAAC wants a measurement in every query; of calls told one by one it is always 1."""
START, END = "rawUserStartTimeUTC as UTC", "rawEndTime as UTC"
QUEUE, OUTCOME = "rawCallQueueIdentity without domain", "rawCallQueueCallResult and target"
MOMENT = "%Y-%m-%dT%H:%M:%S%.f%z"
AUTO_ATTENDANT = "auto attendant"
TO_VOICEMAIL = " to voicemail"


def _prepare(raw: pl.DataFrame) -> pl.DataFrame:
    identity, result = text("rawCallQueueIdentity"), text("rawCallQueueCallResult")
    voicemail = text("rawCallQueueTargetType").str.to_lowercase() == "mailbox"
    return raw.with_columns(
        _utc("rawUserStartTimeUTC").alias(START),
        _utc("rawEndTime").alias(END),
        # the account of the queue, cq_desk@city.example, without the domain
        identity.str.replace("@.*$", "").alias(QUEUE),
        pl.when((identity == "") & (result == "") & (text("rawCallQueueDurationSeconds") == ""))
        .then(pl.lit(AUTO_ATTENDANT))
        .when(voicemail)
        .then(result + TO_VOICEMAIL)
        .otherwise(result)
        .alias(OUTCOME),
    )


def _utc(column: str) -> pl.Expr:
    """A moment that is UTC whether it says so or not."""
    return text(column).str.replace(r"^([0-9-]{10})[T ]([0-9:]{8}(?:\.[0-9]+)?)$", "${1}T${2}Z")


def _handed_on(result: str, reason: str) -> dict[str, object]:
    """A result that no agent of the queue answered, and the same where a mailbox took the call."""
    return {
        result: missed(reason),
        result + TO_VOICEMAIL: missed("voicemail"),
    }


CALL_QUEUE = Format(
    name="teams_call_queue",
    title="the call-queue analytics of Microsoft Teams (VAAC)",
    kind="calls",
    headers=(COLUMNS,),
    more_columns=True,
    prepare=_prepare,
    # what the report and the documented query ask for at most, and the bound of the server
    cut_at=(90_000, 100_000, 200_000),
    preset={
        "json": {"fields": [*COLUMNS, COUNT]},
        "wait_starts_at": "queue",
        "columns": {
            "call_id": "ConferenceID",
            "leg_id": ["DialogID", "DocumentID"],
            "queue": QUEUE,
            "outcome": OUTCOME,
            "arrived_at": {"column": START, "format": MOMENT},
            "ended_at": {"column": END, "format": MOMENT},
            "wait_seconds": {"column": "rawCallQueueDurationSeconds"},
        },
        "outcomes": {
            "agent_joined_conference": "answered",
            "transferred_to_agent": "answered",
            # an agent called back: the report says answered, but the citizen had to be called
            "transferred_to_callback_caller": {"reported": "answered", "by_person": False, "reason": "callback"},
            "callback_call_timed_out": missed("callback"),
            **_handed_on("disconnected", "abandoned"),
            **_handed_on("timed_out", "timeout"),
            **_handed_on("overflown", "no_agent"),
            **_handed_on("no_agent", "no_agent"),
            # documented without a meaning: whatever it was, no agent came to the call
            **_handed_on("declined", "no_agent"),
            **_handed_on("error", "no_agent"),
            **_handed_on("failed", "no_agent"),
            **_handed_on("invalid", "no_agent"),
            AUTO_ATTENDANT: "other",
        },
        "exclude": [{"rule": "auto_attendant", "column": OUTCOME, "values": [AUTO_ATTENDANT]}],
    },
    cannot_tell=(
        "The time in an auto attendant before the queue: waits are lower bounds.",
        "What became of a call that overflowed or timed out to a person, an external number or another application: it "
        "counts as missed, unless another record of its conference says that an agent answered.",
        "Whether who was called back was helped: a call that an agent answered by calling back is missed, with the "
        "reason callback.",
        "Calls that a query left out: it returns 90,000 records unless told and never more than 200,000, without a "
        "word. A file with exactly 90,000, 100,000 or 200,000 is refused; query a few days at a time.",
        "When a call was answered: calls that reach over opening are not flagged.",
        "Anything older than 28 days, which is all that Microsoft keeps: export at least every week.",
    ),
)
