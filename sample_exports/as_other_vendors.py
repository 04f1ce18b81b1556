"""November of the invented city as other vendors would export it: Asterisk and Qmatic. Called by `make_samples.py`.

The calls and visits are the same; what these formats can't tell is lost on the way. The settings are those of the
sample city with other sources.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from make_samples import Call, Visit

FIRST, AFTER = datetime(2025, 11, 1), datetime(2025, 12, 1)
CUT = datetime(2026, 1, 2, 20)  # when the tables of appointments were exported
HAPPENED = ("checkin", "start", "end", "cancelled", "no_show")
ZONE = ZoneInfo("Europe/Brussels")
Row = dict[str, Any]

CDR_COLUMNS = [
    *["accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start"],
    *["answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield"],
]
APPOINTMENT_COLUMNS = [
    *["appointment_id", "service", "appointment_date", "start_time", "created_date", "created_time"],
    "appointment_status",
]
VISIT_COLUMNS = [
    *["visit_transaction_id", "appointment_id", "service", "entered_queue_date", "entered_queue_time", "call_time"],
    *["end_time", "outcome"],
]

SOURCES = """\
[[sources]]
name = "telephony"
kind = "calls"
format = "asterisk_queue_log" # what its words mean is known: docs/formats.md
files = "asterisk/queue_log_*"
export = { pattern = 'queue_log_(?P<stamp>\\d{8})', format = "%Y%m%d", time = "20:00" }

[[sources]]
name = "details"
kind = "calls"
format = "asterisk_cdr"
legs_of = "telephony"         # its records belong to the calls of the queue log: they know the dial-in
files = "asterisk/Master_*"
time_zone = "Europe/Brussels" # the zone of the clock times in the file; never guessed
export = { pattern = 'Master_(?P<stamp>\\d{8})', format = "%Y%m%d", time = "20:00" }
exclude = [
    { rule = "internal", column = "dst", matches = '^1\\d\\d$' },
    { rule = "outbound", column = "dcontext", values = ["from-internal"] },
]

[[sources]]
name = "appointments"
kind = "appointments"
format = "qmatic_appointments"
files = "qmatic/appointments_*"
time_zone = "Europe/Brussels"
export = { pattern = 'appointments_(?P<stamp>\\d{8})', format = "%Y%m%d", time = "20:00" }

[[sources]]
name = "visits"
kind = "appointments"
format = "qmatic_visits"
visits_of = "appointments" # what happened at the desk, for the appointments of the other table
files = "qmatic/visits_*"
time_zone = "Europe/Brussels"
export = { pattern = 'visits_(?P<stamp>\\d{8})', format = "%Y%m%d", time = "20:00" }

"""


def write(folder: Path, settings: str, calls: list[Call], closed: set[str], visits: list[Visit]) -> None:
    """Write the exports and the settings; `closed` are the ids of the calls that met a closed telephone."""
    november = [call for call in calls if FIRST <= call.arrival < AFTER]
    asterisk, qmatic = folder / "asterisk", folder / "qmatic"
    for made in (asterisk, qmatic):
        made.mkdir(parents=True, exist_ok=True)
    _write(asterisk / "queue_log_20251201.gz", queue_log(november, closed))
    rows = [row for call in november for row in detail_records(call, call.id in closed)]
    _write(asterisk / "Master_20251201.csv.gz", table(CDR_COLUMNS, rows, has_header=False))
    planned, happened = qmatic_tables(visits)
    _write(qmatic / "appointments_20260102.csv.gz", table(APPOINTMENT_COLUMNS, planned))
    _write(qmatic / "visits_20260102.csv.gz", table(VISIT_COLUMNS, happened))
    before, rest = settings.split("# ── Sources:", 1)
    title, rest = rest.split("\n", 1)
    after = rest[rest.index("# ── ") :]
    text = f"{before}# ── Sources:{title}\n\n{SOURCES}{after}"
    text = text.replace('exports = "sample_exports"', 'exports = "."').replace('"data"', '"../../data/other_vendors"')
    (folder / "kcc.toml").write_text(text, encoding="utf-8")


def queue_log(calls: list[Call], closed: set[str]) -> str:
    """The events of the calls that came as far as a queue, in order of time, in whole seconds."""
    events: list[tuple[int, int, str]] = []
    for call in calls:
        if call.direction != "Inkomend" or not _reached_queue(call, call.id in closed):
            continue
        entered, left = _epoch(call.arrival) + call.menu // 10, _epoch(_left(call))
        begins, waited = f"{_unique(call)}|{call.queue}", max(left - entered, 0)
        told = [(entered, "NONE|ENTERQUEUE||" + call.caller.replace(" ", "") + "|1")]
        if call.answered:
            agent, over = f"PJSIP/{call.agent}", _epoch(call.end)
            told.append((left, f"{agent}|CONNECT|{waited}|{left}.1|{min(waited, 5)}"))
            told.append((over, f"{agent}|COMPLETECALLER|{waited}|{over - left}|1"))
        elif call.result == "Voicemail":
            told.append((left, f"NONE|EXITWITHTIMEOUT|1|1|{waited}"))
        else:
            told.append((left, f"NONE|ABANDON|1|1|{waited}"))
        events += [(at, number, f"{at}|{begins}|{event}") for number, (at, event) in enumerate(told)]
    start = f"{_epoch(FIRST)}|NONE|NONE|NONE|QUEUESTART|"
    return "".join(f"{line}\n" for line in [start, *(line for _, _, line in sorted(events))])


def detail_records(call: Call, is_closed: bool) -> list[Row]:
    """What the exchange writes of a call when it has ended: a menu, a queue, a mailbox or another telephone."""
    inbound = call.direction == "Inkomend"
    if not inbound:
        app, other_end = "Dial", "PJSIP/trunk-00000002" if call.direction == "Uitgaand" else "PJSIP/101-00000002"
    elif not _reached_queue(call, is_closed):
        app, other_end = "Playback" if is_closed else "BackGround", ""
    elif call.result == "Voicemail":
        app, other_end = "VoiceMail", ""
    else:
        app, other_end = "Queue", f"PJSIP/{call.agent}" if call.answered else ""
    # the message that the office is closed is played before the line is taken
    taken = call.answered is not None or (inbound and not is_closed)
    lasted = int((max(call.end, _left(call)) - call.arrival).total_seconds())
    answered = call.arrival if inbound else call.answered
    return [
        {
            "src": call.caller if inbound else "101",
            "dst": {"Inkomend": "80", "Intern": "102"}.get(call.direction, "+320000000000"),
            "dcontext": "from-trunk" if inbound else "from-internal",
            "channel": "PJSIP/trunk-00000001" if inbound else "PJSIP/101-00000001",
            "dstchannel": other_end,
            "lastapp": app,
            "start": str(call.arrival),
            "answer": str(answered) if taken and answered else "",
            "end": str(call.arrival + timedelta(seconds=lasted)),
            "duration": lasted,
            "billsec": lasted if taken and inbound else lasted - _whole(call.wait) if taken else 0,
            "disposition": "ANSWERED" if taken else "NO ANSWER",
            "amaflags": "DOCUMENTATION",
            "uniqueid": _unique(call),
        }
    ]


def qmatic_tables(visits: list[Visit]) -> tuple[list[Row], list[Row]]:
    """Appointments that were planned or booked in November, and the visits for them and of walk-ins, as known later."""
    planned: list[Row] = []
    happened: list[Row] = []
    for made in visits:
        visit = replace(made, **{name: _known(getattr(made, name)) for name in HAPPENED})
        number, plan = str(int(visit.id[1:])), visit.plans[-1][1] if visit.plans else None
        days = [moment.date() for moment in (visit.created, plan, visit.checkin) if moment]
        if not any(FIRST.date() <= day < AFTER.date() for day in days):
            continue
        if plan:
            ended = "COMPLETE" if visit.end else "CALLED" if visit.start else "CREATED"
            planned.append(
                {
                    "appointment_id": number,
                    "service": visit.service,
                    **_moment(plan, "appointment_date", "start_time"),
                    **_moment(visit.created, "created_date", "created_time"),
                    "appointment_status": "CANCELLED" if visit.cancelled else "NO_SHOW" if visit.no_show else ended,
                }
            )
        if visit.checkin:
            happened.append(
                {
                    "visit_transaction_id": f"9{number}",
                    "appointment_id": number if plan else "",
                    "service": visit.service,
                    **_moment(visit.checkin, "entered_queue_date", "entered_queue_time"),
                    "call_time": f"{visit.start:%H:%M:%S}" if visit.start else "",
                    "end_time": f"{visit.end:%H:%M:%S}" if visit.end else "",
                    "outcome": "NORMAL" if visit.start else "REMOVE_BY_RESET",
                }
            )
    return planned, happened


def table(columns: list[str], rows: Iterable[Row], has_header: bool = True) -> str:
    """A CSV file; without a header every text is in quotes, as Asterisk writes it."""
    text = io.StringIO()
    quoting = csv.QUOTE_MINIMAL if has_header else csv.QUOTE_NONNUMERIC
    lines = csv.DictWriter(text, columns, restval="", lineterminator="\n", quoting=quoting)
    if has_header:
        lines.writeheader()
    lines.writerows(rows)
    return text.getvalue()


def _known(moment: datetime | None) -> datetime | None:
    return moment if moment and moment <= CUT else None


def _reached_queue(call: Call, is_closed: bool) -> bool:
    return call.answered is not None or (call.wait >= call.menu and not is_closed)


def _left(call: Call) -> datetime:
    """When the wait ended, in whole seconds."""
    return call.answered or call.arrival + timedelta(seconds=_whole(call.wait))


def _whole(tenths: int) -> int:
    return (tenths + 5) // 10


def _epoch(moment: datetime) -> int:
    return int(moment.replace(tzinfo=ZONE).astimezone(UTC).timestamp())


def _unique(call: Call) -> str:
    return f"{_epoch(call.arrival)}.{int(call.id[1:])}"


def _moment(moment: datetime, day: str, clock: str) -> Row:
    return {day: f"{moment:%Y-%m-%d}", clock: f"{moment:%H:%M:%S}"}


def _write(path: Path, text: str) -> None:
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:
        file.write(text.encode())
