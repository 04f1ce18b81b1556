"""Writes the same invented calls as each vendor would, for the round trip: what goes in must come out again.

Belongs here: one writer a format, in the vendor's exact shape, and what that shape can't tell. Does not belong here:
the vendors' traps, which have tests of their own in `tests/assets`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from assets.adapters import aircall, asterisk, cisco_uccx, genesys, three_cx

ZONE = ZoneInfo("Europe/Brussels")


@dataclass(frozen=True)
class Call:
    """A citizen's call: when it arrived (civil time), how long it waited, whether it was answered, its talk."""

    number: int
    arrived: datetime
    waited: int
    is_answered: bool
    talked: int
    queue: str

    @property
    def stopped_waiting(self) -> datetime:
        return self.arrived + timedelta(seconds=self.waited)

    @property
    def ended(self) -> datetime:
        return self.stopped_waiting + timedelta(seconds=self.talked if self.is_answered else 0)

    @property
    def epoch(self) -> int:
        """Seconds since 1970 of the arrival."""
        return int(self.arrived.replace(tzinfo=ZONE).timestamp())

    def utc(self, format_: str, moment: datetime | None = None) -> str:
        """A moment of the call in UTC, the arrival unless told."""
        return (moment or self.arrived).replace(tzinfo=ZONE).astimezone(UTC).strftime(format_)


@dataclass(frozen=True)
class Vendor:
    """How a format writes calls, under which name, and which columns of core.calls it can't tell."""

    write: Callable[[list[Call]], bytes]
    name: str = "calls_2025-12-31.csv"
    cannot_tell: frozenset[str] = frozenset()
    settings: tuple[tuple[str, Any], ...] = ()


def table(header: Iterable[str] | None, rows: Iterable[dict[str, Any]], columns: Iterable[str] = ()) -> bytes:
    """A CSV file; what a row does not tell is empty."""
    columns = list(header or columns)
    text = io.StringIO()
    lines = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    if header is not None:
        lines.writeheader()
    lines.writerows(rows)
    return text.getvalue().encode()


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def three_cx_v20(calls: list[Call]) -> bytes:
    return table(
        three_cx.COLUMNS,
        [
            {
                "Call Time": f"{call.arrived:%Y-%m-%dT%H:%M:%S}",
                "Call ID": f"{call.number:08X}",
                "From": f"Voorbeeld, An ({call.number})",
                "To": f"{call.queue} (800)",
                "Direction": "Inbound",
                "Status": "Answered" if call.is_answered else "Missed",
                "Ringing": clock(call.waited),
                "Talking": clock(call.talked if call.is_answered else 0),
                "Cost": "0",
            }
            for call in calls
        ],
    )


def queue_log(calls: list[Call]) -> bytes:
    lines = []
    for call in calls:
        start, begins = call.epoch, f"{call.epoch}.{call.number}|{call.queue}"
        lines.append((start, f"{begins}|NONE|ENTERQUEUE||0470000000|1"))
        leaves = start + call.waited
        if call.is_answered:
            lines.append((leaves, f"{begins}|PJSIP/101|CONNECT|{call.waited}|{leaves}.1|3"))
            over = leaves + call.talked
            lines.append((over, f"{begins}|PJSIP/101|COMPLETECALLER|{call.waited}|{call.talked}|1"))
        else:
            lines.append((leaves, f"{begins}|NONE|ABANDON|1|1|{call.waited}"))
    return "".join(f"{at}|{line}\n" for at, line in sorted(lines)).encode()


def master_csv(calls: list[Call]) -> bytes:
    second = "%Y-%m-%d %H:%M:%S"
    return table(
        None,
        [
            {
                "channel": f"PJSIP/trunk-{call.number:08x}",
                "dstchannel": f"PJSIP/101-{call.number:08x}",
                "lastapp": "Dial",
                "start": f"{call.arrived:{second}}",
                "answer": f"{call.stopped_waiting:{second}}" if call.is_answered else "",
                "end": f"{call.ended:{second}}",
                "duration": call.waited + (call.talked if call.is_answered else 0),
                "billsec": call.talked if call.is_answered else 0,
                "disposition": "ANSWERED" if call.is_answered else "NO ANSWER",
                "uniqueid": f"{call.epoch}.{call.number}",
            }
            for call in calls
        ],
        asterisk.CDR_COLUMNS,
    )


def freepbx(calls: list[Call]) -> bytes:
    rows = []
    for call in calls:
        linked = f"{call.epoch}.{call.number}"
        lasted = call.waited + (call.talked if call.is_answered else 0)
        leg = {"calldate": f"{call.arrived:%Y-%m-%d %H:%M:%S}", "linkedid": linked, "duration": lasted}
        rows.append({**leg, "lastapp": "Queue", "billsec": lasted, "disposition": "ANSWERED", "uniqueid": linked})
        rows.append(
            {
                **leg,
                "lastapp": "Dial",
                "dstchannel": "PJSIP/101-00000001",
                "billsec": call.talked if call.is_answered else 0,
                "disposition": "ANSWERED" if call.is_answered else "NO ANSWER",
                "uniqueid": f"{linked}1",
            }
        )
        for number, row in enumerate(rows[-2:], start=1):
            row["sequence"] = number
    return table(asterisk.FREEPBX_COLUMNS, rows)


def teams_call_queue(calls: list[Call]) -> bytes:
    second = "%Y-%m-%dT%H:%M:%S"
    return json.dumps(
        [
            {
                "ConferenceID": f"c{call.number}",
                "DialogID": f"d{call.number}",
                "DocumentID": f"e{call.number}",
                "rawUserStartTimeUTC": call.utc(second),
                "rawEndTime": call.utc(second, call.ended),
                "rawCallQueueIdentity": f"{call.queue}@stad.example",
                "rawCallQueueCallResult": "agent_joined_conference" if call.is_answered else "disconnected",
                "rawCallQueueTargetType": "User" if call.is_answered else "Disconnect",
                "rawCallQueueDurationSeconds": call.waited,
                "rawTotalCallCount": 1,
            }
            for call in calls
        ]
    ).encode()


def detailed_call_csq_agent(calls: list[Call]) -> bytes:
    java = "%a %b %d %H:%M:%S CET %Y"
    return table(
        cisco_uccx.COLUMNS,
        [
            {
                "Node ID - Session ID - Sequence No": f"1-{call.number}-0",
                "Call Start Time": call.arrived.strftime(java),
                "Call End Time": call.ended.strftime(java),
                "Contact Disposition": "2" if call.is_answered else "1",
                "Application Name": "Onthaal_App",
                "CSQ Names": f"{call.queue}*",
                "Queue Time": clock(call.waited),
                "Agent Name": "An Voorbeeld" if call.is_answered else "",
                "Ring Time": clock(0) if call.is_answered else "",
                "Talk Time": clock(call.talked) if call.is_answered else "",
            }
            for call in calls
        ],
    )


def interactions(calls: list[Call]) -> bytes:
    return table(
        (*genesys.NEEDED, "Conversation ID"),
        [
            {
                "Full Export Completed": "YES",
                "Conversation ID": f"c{call.number}",
                "Media Type": "voice",
                "Direction": "Inbound",
                "Date": f"{call.arrived:%m/%d/%y %I:%M %p}",
                "Queue": f"{call.queue}; Elders",
                "Abandoned": "NO" if call.is_answered else "YES",
                "Total IVR": 0,
                "Total Queue": 1000 * call.waited,
                "Total Handle": 1000 * call.talked if call.is_answered else "",
            }
            for call in calls
        ],
    )


def aircall_calls(calls: list[Call], header: tuple[str, ...]) -> bytes:
    told = [
        {
            "line": call.queue,
            "number timezone": "Australia/Melbourne",
            "datetime (utc)": call.utc("%Y-%m-%d %H:%M:%S"),
            "direction": "inbound",
            "answered": "Yes" if call.is_answered else "No",
            "missed_call_reason": "" if call.is_answered else "abandoned_in_classic",
            "duration (total)": call.waited + (call.talked if call.is_answered else 0),
            "duration (in call)": call.talked if call.is_answered else "",
            "call id": f"c{call.number}",
            "waiting time": clock(call.waited),
        }
        for call in calls
    ]
    return table(header, [{name: value for name, value in row.items() if name in header} for row in told])


VENDORS: dict[str, Vendor] = {
    "3cx_v20": Vendor(three_cx_v20, cannot_tell=frozenset({"queue"})),
    "asterisk_queue_log": Vendor(queue_log),
    "asterisk_cdr": Vendor(master_csv, cannot_tell=frozenset({"queue"})),
    "freepbx_cdr": Vendor(freepbx, cannot_tell=frozenset({"queue"})),
    "cisco_uccx": Vendor(detailed_call_csq_agent),
    "genesys_interactions": Vendor(interactions, cannot_tell=frozenset({"arrived", "ended"})),
    "aircall": Vendor(lambda calls: aircall_calls(calls, aircall.NEWEST)),
    "aircall_v2": Vendor(lambda calls: aircall_calls(calls, aircall.OLDER)),
    "teams_call_queue": Vendor(teams_call_queue, "calls_2025-12-31.json"),
}
"""Each format of calls, and how its vendor writes."""
