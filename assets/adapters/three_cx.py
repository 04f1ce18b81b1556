"""3CX v20, the call log as CSV: one row a leg of a call, clock times without a zone, durations as HH:MM:SS.

`From` and `To` hold names and numbers of callers and agents: neither is taken over, so a city that wants its queues
declares no column for them here.
"""

from __future__ import annotations

from assets.adapters.vendor import Format

COLUMNS = ("Call Time", "Call ID", "From", "To", "Direction", "Status", "Ringing", "Talking", "Cost")

V20 = Format(
    name="3cx_v20",
    title="the call log of 3CX v20",
    kind="calls",
    headers=(COLUMNS, (*COLUMNS, "Call Activity Details")),
    preset={
        "wait_starts_at": "queue",
        "columns": {
            "call_id": "Call ID",
            # legs have no id of their own; two that agree in all of this tell the same
            "leg_id": ["Call Time", "Status", "Ringing", "Talking"],
            "direction": "Direction",
            "outcome": "Status",
            "arrived_at": {"column": "Call Time", "format": "%Y-%m-%dT%H:%M:%S"},
            "wait_seconds": {"column": "Ringing", "unit": "clock"},
            "lasted_seconds": {"column": ["Ringing", "Talking"], "unit": "clock"},
        },
        "directions": {
            "Inbound": "inbound",
            "Inbound Queue": "inbound",
            "Outbound": "outbound",
            "Internal": "internal",
        },
        "outcomes": {"Answered": "answered", "Missed": "missed", "Unanswered": "missed"},
        # a fax machine answers at once, and would flatter the 0-30 s bucket
        "exclude": [{"rule": "fax", "column": "To", "matches": r"(?i)^\W*fax\b"}],
    },
    cannot_tell=(
        "The zone of its clock times: it is that of the telephone system, and has to be declared.",
        "The time in the menu before the first ringing: waits are lower bounds.",
        "Which queue a call was in, without naming who answered: all calls are in the queue named for the source.",
        "When a call was answered: one that arrives before opening and is answered after it is not flagged.",
    ),
)
