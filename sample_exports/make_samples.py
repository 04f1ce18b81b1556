"""Write the sample exports: one SYNTHETIC year of an INVENTED city, "Stad Waterbeke".

Nothing here comes from a real telephone exchange, appointment system or person: phone numbers have
the impossible prefix 000, visitors and agents are numbered placeholders. The seed is fixed, so
every run of ``python sample_exports/make_samples.py`` writes the same bytes.

The imitated telephone software registers every call placed while the office is closed as missed
("Gemist"). ``tests/sample_truth.json`` holds the right counts, taken from the generated calls and
visits themselves: not by reading the files again, and not with the code of the project.

All times are local wall-clock times; no generated call or visit crosses a change of the clock.
"""

from __future__ import annotations

import gzip
import json
import math
import random
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import as_other_vendors

HERE = Path(__file__).resolve().parent
RNG = random.Random(20250101)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
Hours = list[tuple[int, int]]  # half-open intervals, in minutes after midnight
Records = list[list[str]]

HOLIDAYS = (
    "2024-12-25 2024-12-26 2025-01-01 2025-04-21 2025-05-01 2025-05-29 2025-06-09 2025-07-11 "
    "2025-07-21 2025-08-15 2025-11-01 2025-11-11 2025-12-25 2025-12-26 2026-01-01"
)
CLOSURES = "2025-01-02 2025-05-30 2025-11-10 2026-01-02"
WHOLE_DAYS = {
    date.fromisoformat(day): kind
    for days, kind in ((HOLIDAYS, "holiday"), (CLOSURES, "closure"))
    for day in days.split()
}
PART_DAYS = {("phone", date(2025, 2, 19)): (600, 690), ("desk", date(2025, 6, 12)): (720, 1440)}
PART_DAYS |= {(where, date(2025, 12, day)): (720, 1440) for where in ("phone", "desk") for day in (24, 31)}
REASONS = ("before_opening", "break", "after_closing", "closed_weekday", "holiday", "closure")

MONTHS = dict(
    enumerate(
        [  # volume, share missed, share with a short queue, a long queue in seconds
            (1.11, 0.140, 0.720, 88),
            (1.03, 0.125, 0.735, 86),
            (1.05, 0.105, 0.765, 88),
            (0.98, 0.110, 0.755, 84),
            (0.98, 0.120, 0.735, 90),
            (1.08, 0.150, 0.680, 85),
            (0.85, 0.095, 0.790, 90),
            (0.89, 0.100, 0.770, 86),
            (1.22, 0.195, 0.640, 81),
            (1.11, 0.160, 0.690, 87),
            (1.03, 0.120, 0.745, 86),
            (0.98, 0.100, 0.770, 86),
        ],
        start=1,
    )
)
WEEKDAYS = (1.30, 1.05, 1.00, 0.95, 0.85)
CALLS_PER_MINUTE = {9: 0.32, 10: 0.31, 11: 0.25, 13: 0.23, 14: 0.25, 15: 0.21, 16: 0.13, 17: 0.10, 18: 0.07}

# Per cluster: share of visitors helped late, mean minutes late of those, weight per service.
CLUSTERS: dict[str, tuple[float, float, dict[str, float]]] = {
    "Burgerzaken": (0.25, 4.15, {"Identiteitskaart": 24, "Reispas": 14, "Rijbewijs": 12, "Aangifte geboorte": 4}),
    "Energieloket": (0.33, 9.0, {"Energieadvies": 4, "Renovatiepremie": 4}),
    "Mobiliteit": (0.30, 6.0, {"Bewonerskaart": 6, "Parkeervergunning": 4}),
    "OCMW": (0.38, 19.0, {"Sociale dienst": 8, "Leefloon": 5}),
    "Omgeving": (0.36, 12.0, {"Omgevingsvergunning": 4, "Stedenbouwkundig attest": 3}),
    "Wonen": (0.35, 10.0, {"Huursubsidie": 7, "Sociale huisvesting": 5}),
    "unmapped": (0.30, 6.0, {"Laadpaal aanvragen": 0.9}),  # a new service, from October on
}
SERVICES = {
    service: (cluster, weight) for cluster, (_, _, services) in CLUSTERS.items() for service, weight in services.items()
}
CHANNELS = {"Mijn Burgerprofiel": 3.9, "Website": 4.7, "Telefoon": 6.6, "Balie": 5.5}  # lead days
PRESSURE = {(c, month): RNG.uniform(0.85, 1.15) for c in CLUSTERS for month in MONTHS}

CALL_HEADER = (
    "oproep_id;wachtrij;richting;tijdstip;beantwoord_om;beeindigd_om;wachttijd_s;wachtrij_s;beller;medewerker;resultaat"
)
VISIT_HEADER = "afspraak_id;dienst;kanaal;aangemaakt_op;gepland_op;aangemeld_op;gestart_op;beeindigd_op;bezoeker;status"


@dataclass
class Call:
    """The final state of one call; ``draft`` is what was exported before a correction."""

    arrival: datetime
    direction: str
    result: str
    wait: int  # tenths of a second
    menu: int  # tenths of a second
    answered: datetime | None
    end: datetime
    queue: str
    caller: str
    agent: str
    id: str = ""
    draft: Call | None = None


@dataclass
class Visit:
    """One appointment or walk-in, with the moment at which each thing happened."""

    service: str
    channel: str
    created: datetime
    plans: list[tuple[datetime, datetime]]  # (known since, planned for)
    visitor: str
    checkin: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    cancelled: datetime | None = None
    no_show: datetime | None = None
    id: str = ""


class Export(NamedTuple):
    """One export: the days first..last as they were at 20:00 of the stamp date."""

    stamp: date
    first: date
    last: date
    suffix: str = ""

    @property
    def cut(self) -> datetime:
        """The moment at which the export was made."""
        return datetime.combine(self.stamp, time(20))

    @property
    def daily(self) -> bool:
        """Whether this is one of the daily exports, which are not compressed."""
        return self.stamp > date(2025, 12, 18)


def all_exports() -> list[Export]:
    """Monthly for January to November, one for 1-17 December, then daily, with one correction."""
    firsts = [date(2025, month, 1) for month in range(1, 13)]
    exports = [Export(after, first, after - DAY) for first, after in pairwise(firsts)]
    exports.append(Export(date(2025, 12, 18), date(2025, 12, 1), date(2025, 12, 17)))
    exports += [Export(stamp, stamp - DAY, stamp) for stamp in (date(2025, 12, 19) + n * DAY for n in range(15))]
    exports.append(Export(date(2025, 12, 23), date(2025, 12, 22), date(2025, 12, 23), "_correctie"))
    return sorted(exports, key=lambda export: (export.stamp, export.suffix))


EXPORTS = all_exports()
LAST_CUT = EXPORTS[-1].cut


# --- opening hours ---------------------------------------------------------------------------


@cache
def regular_hours(point: str, day: date) -> Hours:
    """Opening hours by weekday; the late evening moved from Tuesday to Thursday in July."""
    weekday, late = day.weekday(), 1 if day < date(2025, 7, 1) else 3
    if weekday > 4 or (point == "desk Wonen" and weekday not in (0, 2, 4)):
        return []
    if point == "phone":
        return [(540, 720), (780, 1140 if weekday == late else 960)]
    afternoon = [(810, 960)] if weekday in (0, 2) else [(960, 1140)] if weekday == late else []
    return [(540, 720)] + (afternoon if point == "desk" else [])


@cache
def opening_hours(point: str, day: date) -> Hours:
    """Opening hours of one day, after holidays and closures."""
    closed = (0, 1440) if day in WHOLE_DAYS else PART_DAYS.get((point.split(maxsplit=1)[0], day), (0, 0))
    parts = [part for a, b in regular_hours(point, day) for part in ((a, min(b, closed[0])), (max(a, closed[1]), b))]
    return [(a, b) for a, b in parts if a < b]


def within(hours: Hours, moment: datetime) -> bool:
    """Whether the moment falls in one of the half-open intervals."""
    return any(a <= moment.hour * 60 + moment.minute < b for a, b in hours)


def closed_reason(moment: datetime) -> str | None:
    """Why the telephone is closed at this moment, or None when it is open."""
    day, regular = moment.date(), regular_hours("phone", moment.date())
    if within(opening_hours("phone", day), moment):
        return None
    if day in WHOLE_DAYS:
        return WHOLE_DAYS[day]
    if within(regular, moment):
        return "closure"  # of a part of this day
    if not regular:
        return "closed_weekday"
    if moment < at(day, regular[0][0]):
        return "before_opening"
    return "break" if moment < at(day, regular[-1][0]) else "after_closing"


# --- calls -----------------------------------------------------------------------------------


def at(day: date, minute: float) -> datetime:
    """The moment that many minutes after midnight, in whole seconds."""
    return datetime.combine(day, time()) + timedelta(seconds=round(minute * 60))


def between(a: datetime, b: datetime) -> datetime:
    """A moment between two moments, in whole seconds."""
    return a + timedelta(seconds=int((b - a).total_seconds() * RNG.uniform(0.05, 0.95)))


def poisson(mean: float) -> int:
    """A Poisson number (Knuth's method, for small means)."""
    product, count = RNG.random(), 0
    while product > math.exp(-mean):
        product, count = product * RNG.random(), count + 1
    return count


def volume(day: date) -> float:
    """How busy this part of the year is, 1 being normal."""
    return MONTHS[day.month][0] * (0.6 if day >= date(2025, 12, 18) else 1)


def call_rate(moment: datetime) -> float:
    """Expected number of calls in the minute that starts at this moment."""
    reason, day, hour = closed_reason(moment), moment.date(), moment.hour
    if hour < 4 and day in (date(2025, 3, 30), date(2025, 10, 26)):
        return 0  # the calls in the nights of the clock change are set by hand
    if reason is None:
        rush = 1.15 if day.weekday() == 0 and hour < 12 else 1
        closing = 0.08 if closed_reason(moment + 8 * MINUTE) else 1
        return CALLS_PER_MINUTE[hour] * WEEKDAYS[day.weekday()] * rush * closing * volume(day)
    rate = 0.004 if 7 <= hour < 23 else 0.0006
    if reason == "before_opening" and hour == 8:
        rate = 0.13 * moment.minute / 60
    elif reason == "after_closing" and hour < 21:
        closing_time = at(day, regular_hours("phone", day)[-1][1])
        rate = 0.055 if moment < closing_time + 60 * MINUTE else 0.015
    elif reason == "break" or 9 <= hour < 17:
        rate = {"break": 0.075, "closed_weekday": 0.01, "holiday": 0.02, "closure": 0.09}[reason]
    return rate * volume(day)


def new_call(moment: datetime, direction: str, result: str, seconds: float, menu: float) -> Call:
    """A call that waits so long, after which it is answered and has a talk, or ends."""
    wait, answered, inbound = round(seconds * 10), result == "Beantwoord", direction == "Inkomend"
    waited = moment + timedelta(seconds=(wait + 5) // 10)
    talk = min(1500, max(12, RNG.lognormvariate(math.log(150), 0.75))) if answered else 0
    caller = RNG.randrange(1000, 7000) if inbound else 0
    return Call(
        moment,
        direction,
        result,
        wait,
        round(menu * 10),
        waited if answered else None,
        waited + timedelta(seconds=round(talk)),
        RNG.choices(["Algemeen", "Burgerzaken", "Wonen en Omgeving"], [60, 28, 12])[0],
        f"+32 000 00 {caller // 100:02} {caller % 100:02}",
        f"agent-{RNG.randrange(1, 13):02}" if answered or not inbound else "",
    )


def random_call(moment: datetime) -> Call:
    """A call at this moment: missed when the telephone is closed, else as the month goes."""
    _, missed, short_share, long_queue = MONTHS[moment.month]
    if closed_reason(moment):
        return new_call(moment, "Inkomend", "Gemist", RNG.uniform(2, 40), 40)
    direction = RNG.choices(["Inkomend", "Uitgaand", "Intern"], [95.1, 3.7, 1.2])[0]
    if direction != "Inkomend":
        result, wait = RNG.choices(["Beantwoord", "Gemist"], [8, 2])[0], RNG.uniform(3, 25)
        return new_call(moment, direction, result, wait, wait)
    menu = RNG.uniform(5, 18)
    if RNG.random() < missed:
        patience = menu + RNG.expovariate(1 / 50) if RNG.random() < 0.85 else RNG.uniform(0.8, 4.9)
        voicemail = patience > menu and RNG.random() < 0.2
        return new_call(moment, direction, "Voicemail" if voicemail else "Gemist", patience, menu)
    short, long = RNG.expovariate(1 / 4), RNG.lognormvariate(math.log(long_queue), 0.5)
    queued = short if RNG.random() < short_share else long
    return new_call(moment, direction, "Beantwoord", menu + queued, menu)


def hand_made_calls() -> list[Call]:
    """Calls in the nights of the clock change, answered while closed, and cut by an export."""
    missed = {
        "2025-03-30 01:40:12": 21.4,
        "2025-03-30 03:20:41": 18.2,
        "2025-10-26 02:30:05": 25.9,
        "2025-12-22 19:59:41": 33.7,
    }
    answered = {
        "2025-01-20 08:59:21": 52.3,
        "2025-03-11 19:00:40": 31.8,
        "2025-05-14 16:01:15": 24.6,
        "2025-08-25 08:59:40": 38.9,
        "2025-10-09 19:00:09": 27.2,
        "2025-12-01 12:00:33": 22.5,
    }
    calls = [
        new_call(datetime.fromisoformat(text), "Inkomend", result, wait, menu)
        for rows, result, menu in ((missed, "Gemist", 40), (answered, "Beantwoord", 11))
        for text, wait in rows.items()
    ]
    long_call = new_call(datetime(2025, 12, 29, 19, 48, 30), "Uitgaand", "Beantwoord", 11.2, 11.2)
    return [*calls, replace(long_call, end=datetime(2025, 12, 29, 20, 6, 51))]


def make_calls() -> list[Call]:
    """All calls until the last export, in order of time."""
    calls, moment = hand_made_calls(), datetime(2025, 1, 1)
    while moment < LAST_CUT:
        for _ in range(poisson(call_rate(moment))):
            calls.append(random_call(moment + timedelta(seconds=RNG.randrange(60))))
        moment += MINUTE
    calls.sort(key=lambda call: call.arrival)
    for number, call in enumerate(calls, start=1):
        call.id = f"W{number:06}"
    add_drafts(calls)
    return calls


def pick_call(calls: list[Call], day: date, result: str, nth: int) -> Call:
    """The nth inbound call of that day that was placed in hours and had this result."""
    return [
        call
        for call in calls
        if call.arrival.date() == day
        and call.result == result
        and call.direction == "Inkomend"
        and not closed_reason(call.arrival)
    ][nth]


def add_drafts(calls: list[Call]) -> None:
    """Give the three corrected calls of 22 and 23 December a wrong first version."""
    call = pick_call(calls, date(2025, 12, 22), "Beantwoord", 5)
    whole = int((call.end - call.arrival).total_seconds()) * 10
    call.draft = replace(call, result="Gemist", answered=None, agent="", wait=whole)
    call = pick_call(calls, date(2025, 12, 22), "Beantwoord", 20)
    answered = call.arrival + timedelta(seconds=(call.wait + 605) // 10)
    call.draft = replace(call, wait=call.wait + 600, answered=answered, end=call.end + MINUTE)
    call = pick_call(calls, date(2025, 12, 23), "Gemist", 0)
    call.draft = replace(call, result="Voicemail")


# --- appointments ----------------------------------------------------------------------------


@cache
def desk_hours(service: str, day: date) -> Hours:
    """When the desk of a service is open."""
    if service == "Laadpaal aanvragen" and day < date(2025, 10, 1):
        return []
    return opening_hours("desk Wonen" if SERVICES[service][0] == "Wonen" else "desk", day)


def workdays_before(day: date, count: int) -> date:
    """Go back that many days on which the desk opens."""
    while count:
        day -= DAY
        count -= bool(opening_hours("desk", day))
    return day


def booked(channel: str, planned: datetime) -> datetime:
    """When an appointment was made: longer before by telephone than online."""
    mean = CHANNELS[channel] * (0.35 + 5 * MONTHS[planned.month][1])
    day = workdays_before(planned.date(), max(1, round(RNG.gammavariate(1.8, mean / 1.8))))
    if channel in ("Mijn Burgerprofiel", "Website"):
        return at(day - DAY * RNG.choices([0, 1, 2], [8, 1, 1])[0], RNG.uniform(420, 1380))
    hours = opening_hours("phone" if channel == "Telefoon" else "desk", day)
    return at(day, RNG.uniform(*RNG.choice(hours)))


def new_visit(day: date, service: str) -> Visit:
    """An appointment or walk-in for this service on this day, with all that happens to it."""
    slot = 10 if SERVICES[service][0] == "Burgerzaken" else 15
    starts = [minute for a, b in desk_hours(service, day) for minute in range(a, b, slot)]
    planned = at(day, RNG.choice(starts))
    visitor, kind = f"bezoeker-{RNG.randrange(1, 7000):05}", RNG.random()
    if kind < 0.04:  # a walk-in
        arrived = between(planned, planned + slot * MINUTE)
        start = between(arrived, arrived + 25 * MINUTE)
        end = start + timedelta(seconds=RNG.randrange(240, 1200))
        return Visit(service, "Balie", arrived, [], visitor, arrived, start, end)
    channel, created = "Balie", between(planned - 100 * MINUTE, planned - 10 * MINUTE)
    if kind > 0.11 or not within(opening_hours("desk", day), created):  # not made on the same day
        channel = RNG.choices(list(CHANNELS), [36, 30, 25, 9])[0]
        created = booked(channel, planned)
    visit = Visit(service, channel, created, [(created, planned)], visitor)
    first = datetime.combine(workdays_before(day, RNG.randrange(1, 6)), planned.time())
    if (
        RNG.random() < 0.08 and first - DAY > created and within(desk_hours(service, first.date()), first)
    ):  # planned earlier, then moved
        visit.plans = [(created, first), (between(created, first), planned)]
    fate = RNG.random()
    if fate < 0.06 and created.date() < day:
        visit.cancelled = between(visit.plans[-1][0], planned)
    elif fate < 0.14:
        visit.no_show = planned + timedelta(seconds=RNG.randrange(1200, 2400))
    else:
        receive(visit, planned)
    return visit


def receive(visit: Visit, planned: datetime) -> None:
    """Check-in, start and end of a visit that took place."""
    cluster = SERVICES[visit.service][0]
    late_share, late_minutes, _ = CLUSTERS[cluster]
    late = RNG.gammavariate(3, late_minutes * PRESSURE[cluster, planned.month] / 3)
    minutes = late if RNG.random() < late_share else -RNG.uniform(0, 7)
    visit.start = planned + timedelta(seconds=round(minutes * 60))
    ready = visit.start - timedelta(seconds=RNG.randrange(20, 120))
    visit.checkin = min(ready, planned - timedelta(seconds=RNG.randrange(720)))
    if ready > planned and RNG.random() < 0.25:  # the visitor came late
        visit.checkin = between(planned, ready)
    visit.checkin = max(visit.checkin, visit.created)
    visit.end = visit.start + timedelta(seconds=90 + round(RNG.gammavariate(4, 165)))


def make_visits() -> list[Visit]:
    """All visits planned up to mid January that were made before the last export."""
    visits = []
    for day in (date(2025, 1, 1) + n * DAY for n in range(381)):
        services = [service for service in SERVICES if desk_hours(service, day)]
        weights = [SERVICES[service][1] for service in services]
        minutes = sum(b - a for a, b in opening_hours("desk", day))
        for _ in range(poisson(0.128 * volume(day) * minutes)):
            visits.append(new_visit(day, RNG.choices(services, weights)[0]))
    add_oddities(visits)
    visits = sorted((v for v in visits if v.created <= LAST_CUT), key=lambda v: v.created)
    for number, visit in enumerate(visits, start=1):
        visit.id = f"A{number:05}"
    return visits


def add_oddities(visits: list[Visit]) -> None:
    """Ended before it started, planned before it was booked, closed only the next morning."""

    def pick(day: date) -> Visit:
        return next(v for v in visits if v.end and v.plans and v.plans[-1][1].date() == day and v.created.date() < day)

    visit = pick(date(2025, 3, 5))
    visit.end = visit.checkin
    visit = pick(date(2025, 9, 3))
    planned = visit.plans[-1][1]
    visit.created, visit.channel = planned + 40 * MINUTE, "Balie"
    visit.plans = [(visit.created, planned)]
    pick(date(2025, 7, 1)).end = datetime(2025, 7, 2, 8, 41, 17)
    pick(date(2025, 12, 29)).end = datetime(2025, 12, 30, 8, 43, 52)


# --- export files ----------------------------------------------------------------------------


def call_records(calls: list[Call], export: Export) -> Records:
    """The calls of an export; a monthly one repeats the last two days of the month before."""
    first = export.first - (2 * DAY if export.stamp.day == 1 and not export.daily else 0 * DAY)
    return [
        call_fields(call, export)
        for call in calls
        if call.arrival <= export.cut and first <= call.arrival.date() <= export.last
    ]


def call_fields(call: Call, export: Export) -> list[str]:
    """One call as an export shows it: before a correction, still going on, or final."""
    if call.draft and export.stamp <= date(2025, 12, 23) and not export.suffix:
        call = call.draft
    going_on, wait = call.end > export.cut, call.wait
    if going_on and not call.answered:
        wait = int((export.cut - call.arrival).total_seconds()) * 10
    times = (call.arrival, call.answered, None if going_on else call.end)
    return [
        call.id,
        call.queue,
        call.direction,
        *(f"{t:%d/%m/%Y %H:%M:%S}" if t else "" for t in times),
        *(f"{tenths // 10},{tenths % 10}" for tenths in (wait, max(0, wait - call.menu))),
        call.caller,
        call.agent,
        "Lopend" if going_on else call.result,
    ]


def visit_records(visits: list[Visit], export: Export) -> Records:
    """All that was made, changed or planned in the days of an export, as known at its cut."""

    def known(moment: datetime | None) -> datetime | None:
        return moment if moment and moment <= export.cut else None

    records = []
    for visit in (v for v in visits if v.created <= export.cut):
        plans = [(since, planned) for since, planned in visit.plans if since <= export.cut]
        shown = [
            visit.created,
            plans[-1][1] if plans else None,
            known(visit.checkin),
            known(visit.start),
            known(visit.end),
        ]
        status = next(
            word
            for moment, word in (
                (visit.cancelled, "Geannuleerd"),
                (visit.no_show, "Niet verschenen"),
                (visit.end, "Afgerond"),
                (visit.start, "Bezig"),
                (visit.created, "Gepland"),
            )
            if known(moment)
        )
        dates = [*shown, known(visit.cancelled), known(visit.no_show), *(p[0] for p in plans)]
        if any(t and export.first <= t.date() <= export.last for t in dates):
            records.append(
                [visit.id, visit.service, visit.channel, *(str(t) if t else "" for t in shown), visit.visitor, status]
            )
    return records


def spoil_some(files: dict[str, Records], calls: list[Call], visits: list[Visit]) -> set[str]:
    """Make five records unreadable; give back the ids that are in good form in no other file."""

    def spoil(name: str, record_id: str, column: int, text: str | None) -> str:
        record = next(r for r in files[name] if r[0] == record_id)
        record[column : column + 1] = [] if text is None else [text]
        return record_id

    lost, name = set(), "telephony/oproepen_{}.csv.gz"
    for stamp, day, column, text in (
        ("20250301", date(2025, 2, 12), 3, "31/02/2025 10:15:00"),
        ("20250501", date(2025, 4, 9), 6, "n.v.t."),
        ("20251001", date(2025, 9, 17), 8, None),
    ):
        call = pick_call(calls, day, "Beantwoord", 30)
        lost.add(spoil(name.format(stamp), call.id, column, text))
    call = pick_call(calls, date(2025, 6, 30), "Beantwoord", 30)
    spoil(name.format("20250701"), call.id, 10, "???")  # the next export repeats it in good form
    visit = next(v for v in visits if v.end and f"{v.created:%Y-%m} {v.end:%m}" == "2025-05 05")
    return lost | {spoil("appointments/afspraken_20250601.csv.gz", visit.id, 6, "2025-05-32 10:00:00")}


def write_file(name: str, header: str, records: Records) -> None:
    """Write one export; a compressed one has no name or time in its header, so it never differs."""
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    data = "".join(f"{line}\n" for line in [header, *map(";".join, records)]).encode()
    packed = path.suffix == ".gz"
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) if packed else raw as file:
        file.write(data)


# --- truth -----------------------------------------------------------------------------------


def call_truth(calls: list[Call]) -> dict[str, Any]:
    """Right counts per local month of arrival."""
    months: dict[str, Any] = {}
    for call in calls:
        month = months.setdefault(
            f"{call.arrival:%Y-%m}",
            {
                "inside_answered": 0,
                "inside_missed": 0,
                "sum_wait_tenths": 0,
                "outside_answered": 0,
                "outside_by_reason": dict.fromkeys(REASONS, 0),
                "excluded": {"outbound": 0, "internal": 0},
            },
        )
        reason, answered = closed_reason(call.arrival), call.result == "Beantwoord"
        if call.direction != "Inkomend":
            month["excluded"]["outbound" if call.direction == "Uitgaand" else "internal"] += 1
        elif reason:
            month["outside_by_reason"][reason] += 1
            month["outside_answered"] += answered
        else:
            month["inside_answered" if answered else "inside_missed"] += 1
            month["sum_wait_tenths"] += call.wait if answered else 0
    return months


def visit_truth(visits: list[Visit]) -> dict[str, Any]:
    """Visits with a wait and the sum of their waits, per planned month and cluster."""
    months: dict[str, Any] = {}
    for visit in visits:
        if not visit.plans or not visit.start or visit.start > LAST_CUT:
            continue  # a walk-in, cancelled, a no-show, or still to come
        if not visit.end or visit.end < visit.start:
            continue  # ended before it started
        planned = visit.plans[-1][1]
        sums = months.setdefault(f"{planned:%Y-%m}", {}).setdefault(
            SERVICES[visit.service][0], {"visits": 0, "sum_wait_seconds": 0}
        )
        sums["visits"] += 1
        sums["sum_wait_seconds"] += max(0, int((visit.start - planned).total_seconds()))
    return months


def main() -> None:
    """Generate the year, write every export, and write the truth."""
    calls, visits = make_calls(), make_visits()
    files: dict[str, Records] = {}
    for export in EXPORTS:
        ending = f"{export.stamp:%Y%m%d}{export.suffix}.csv{'' if export.daily else '.gz'}"
        files[f"telephony/oproepen_{ending}"] = call_records(calls, export)
        if not export.suffix:
            files[f"appointments/afspraken_{ending}"] = visit_records(visits, export)
    lost = spoil_some(files, calls, visits)
    closed = {call.id for call in calls if closed_reason(call.arrival)}
    settings = (HERE.parent / "kcc.toml").read_text(encoding="utf-8")
    as_other_vendors.write(HERE / "other_vendors", settings, calls, closed, visits)
    for name, records in files.items():
        write_file(name, CALL_HEADER if name.startswith("telephony") else VISIT_HEADER, records)
    truth = {
        "calls": call_truth([call for call in calls if call.id not in lost]),
        "appointments": visit_truth([visit for visit in visits if visit.id not in lost]),
        "records": {name: len(records) for name, records in files.items()},
    }
    path = HERE.parent / "tests" / "sample_truth.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes((json.dumps(truth, indent=1, sort_keys=True) + "\n").encode())


if __name__ == "__main__":
    main()
