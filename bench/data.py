"""Makes the call log that the benchmarks read: daily exports of a year that overlap, with bad records among them.

Everything is invented and follows from the number of a call alone, so the same records come out every time. A record
has 12 columns and about 135 bytes; 5 % of a day's calls stand in the next day's file too, one in five of them changed
since; 4 records in a thousand can't be read.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

HEADER = "id;leg;queue;direction;outcome;arrived;queued;answered;ended;wait;queue_wait;agent"
FIRST = date(2024, 1, 1)
INSTANT = "%Y-%m-%d %H:%M:%S"
WEEK = {day: ["09:00-12:00", "13:00-16:30"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}

CALLS = """
create or replace table calls as
with numbered as (
    select
        {first_number} + range as n,
        (range * {days} // {records})::int as day,
        hash({first_number} + range) as h,
        hash({first_number} + range + 1_000_000_007) as g
    from range({records})
),
-- most calls come while the office is open, a quarter while it is not; both nights of the clock are kept out of it
moments as (
    select
        *,
        date '{first}' + day + interval (if(
            h % 100 < 75, 9 * 3600 + (h // 100) % 27_000, (16.5 * 3600)::int + (h // 100) % 24_000
        )) second as arrived,
        (g % 600)::int as wait
    from numbered
),
-- while the office is closed a machine answers, and nobody else does
placed as (
    select
        *,
        if(
            isodow(arrived) > 5 or not (
                hour(arrived) between 9 and 11
                or hour(arrived) between 13 and 15
                or hour(arrived) = 16 and minute(arrived) < 30
            ),
            70 + (g // 600) % 30,
            (g // 600) % 100
        )::int as luck
    from moments
)
select
    n,
    day,
    printf('%016d', n // 20 * 20 + if(n % 20 = 1, 0, n % 20)) as id,
    -- every twentieth call has a second leg: it was transferred
    if(n % 20 = 1, '2', '1') as leg,
    ['Algemeen', 'Burgerzaken', 'Wonen en bouwen', 'Vrije tijd', 'Afval'][1 + (g % 5)::int] as queue,
    if(g % 100 < 3, 'out', 'in') as direction,
    case when luck < 70 then 'answered' when luck < 92 then 'missed' when luck < 97 then 'menu' else 'voicemail' end
        as outcome,
    arrived,
    arrived + interval (wait // 5) second as queued,
    if(luck < 70, arrived + interval (wait) second, null) as answered,
    arrived + interval (wait + if(luck < 70, 30 + (h % 400)::int, 0)) second as ended,
    wait,
    'medewerker ' || (h % 40) as agent,
    h % 1000 as fate
from placed
"""
LINES = """
with delivered as (
    select *, day as file, false as is_again from calls where day between $from and $to
    union all
    select *, day + 1 as file, true as is_again from calls where day between $from - 1 and $to - 1 and n % 20 = 7
),
written as (
    select
        file,
        n,
        case when fate = 1 and not is_again then '' else id end as id,
        leg,
        queue,
        direction,
        case
            when fate = 2 then 'verbonden?'
            when is_again and n % 100 = 7 and outcome = 'missed' then 'voicemail'
            else outcome
        end as outcome,
        if(fate = 3, strftime(arrived, '%d/%m/%Y %H:%M'), strftime(arrived, '{instant}')) as arrived,
        strftime(queued, '{instant}') as queued,
        coalesce(strftime(answered, '{instant}'), '') as answered,
        strftime(ended, '{instant}') as ended,
        wait::varchar as wait,
        (wait - wait // 5)::varchar as queue_wait,
        -- a record that breaks off early
        agent || if(fate = 4, ';', '') as agent
    from delivered
)
select file, string_agg(
    concat_ws(';', id, leg, queue, direction, outcome, arrived, queued, answered, ended, wait, queue_wait, agent),
    chr(10) order by n
) as text
from written group by file order by file
"""


def file_name(day: date) -> str:
    """The export of a day."""
    return f"calls_{day:%Y-%m-%d}.csv"


def write_exports(folder: Path, records: int, days: int = 365, first: date = FIRST, first_number: int = 0) -> int:
    """Write so many daily files with so many records, those that come twice not counted; returns their bytes.

    The calls are numbered from `first_number`: a later log that goes on where this one ends has other calls.
    """
    folder.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect()
    con.execute(CALLS.format(records=records, days=days, first=first, first_number=first_number))
    size, step = 0, max(1, 1_000_000 * days // records)
    for begin in range(0, days, step):
        until = min(begin + step, days) - 1
        made = con.execute(LINES.replace("{instant}", INSTANT), {"from": begin, "to": until}).fetchall()
        for day, text in made:
            content = f"{HEADER}\n{text}\n".encode()
            (folder / file_name(first + timedelta(days=day))).write_bytes(content)
            size += len(content)
    return size


def settings(folder: Path, first: date = FIRST) -> dict[str, Any]:
    """The settings of the city whose log this is, with its exports and its data below a folder."""
    return {
        "centre": {"name": "Bench", "time_zone": "Europe/Brussels", "start": first.isoformat()},
        "folders": {"exports": str(folder / "exports"), "data": str(folder / "data")},
        "rules": {"desk_channels": ["desk"]},
        "sources": [
            {
                "name": "phone",
                "kind": "calls",
                "files": "calls_*.csv",
                "time_zone": "Europe/Brussels",
                "export": {"pattern": r"calls_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "23:59"},
                "text": {"delimiter": ";"},
                "columns": {
                    "call_id": "id",
                    "leg_id": "leg",
                    "queue": "queue",
                    "direction": "direction",
                    "outcome": "outcome",
                    **{
                        key: {"column": column, "format": INSTANT}
                        for key, column in (
                            ("arrived_at", "arrived"),
                            ("queue_entered_at", "queued"),
                            ("answered_at", "answered"),
                            ("ended_at", "ended"),
                        )
                    },
                    "wait_seconds": {"column": "wait"},
                    "queue_wait_seconds": {"column": "queue_wait"},
                },
                "directions": {"in": "inbound", "out": "outbound"},
                "outcomes": {
                    "answered": "answered",
                    "missed": "missed",
                    "menu": {"reported": "missed", "reason": "menu"},
                    "voicemail": {"reported": "missed", "reason": "voicemail"},
                },
            }
        ],
        "hours": [{"service_point": point, "valid_from": first.isoformat(), **WEEK} for point in ("telephone", "desk")],
        "calendar": {},
        "text": "# a benchmark",
    }


def write_settings(folder: Path, first: date = FIRST) -> Path:
    """The same as a settings file, which every side of a benchmark reads."""
    from pipelines.setting_up.settings_file import toml

    content = settings(folder, first)
    comment = content.pop("text")
    file = folder / "bench.toml"
    file.write_text("\n".join([comment, *(f"{key} = {toml(value)}" for key, value in content.items())]) + "\n")
    return file
