"""The same nightly work as a pandas script, as a good data engineer would write it: vectorised, without a framework.

    python pandas_peer.py SETTINGS.toml WAREHOUSE.duckdb

Reads the exports of a city with one log of calls, keeps bad records out with a reason, takes the newest version of each
record, makes calls of legs, judges them by the opening hours and writes `core.calls`, three marts, `ops.ledger` and
`ops.quarantine`. It imports nothing of ours. What it does less than ours, in its favour: it looks for the mistakes that
these exports hold and for few others, knows no closures, verifies nothing, keeps no history, and begins from nothing
every night.
"""

from __future__ import annotations

import re
import sys
import tomllib
from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
STATES = ("accepted", "excluded", "duplicate", "superseded")
BUCKETS = ("0-30", "31-60", "61-90", "91-120", "121-300", "300+", "unknown")
EDGES = (30, 60, 90, 120, 300)
MOMENTS = ("arrived_at", "answered_at", "queue_entered_at", "ended_at")
MOST_QUARANTINED = 0.02
LONGEST_WAIT = 999_999.999


def main(settings_file: Path, warehouse: Path) -> None:
    """Read everything, compute everything, write everything."""
    settings = tomllib.loads(settings_file.read_text())
    (source,) = settings["sources"]
    if settings.get("calendar", {}).get("closures"):
        sys.exit("this peer knows no closures")
    files, raw, ragged = read_exports(Path(settings["folders"]["exports"]), source)
    records, wrong = checked(raw, files, source, settings["centre"]["time_zone"])
    quarantine = pd.concat([ragged, wrong], ignore_index=True)
    files["lines"] = np.bincount(np.r_[raw["file"], ragged["file"]], minlength=len(files))
    files["bad"] = np.bincount(quarantine["file"], minlength=len(files))
    files["status"] = np.where(files["bad"] > MOST_QUARANTINED * files["lines"], "refused", "loaded")
    is_loaded = files["status"].eq("loaded").to_numpy()
    records = records[is_loaded[records["file"]]].reset_index(drop=True)
    quarantine = quarantine[is_loaded[quarantine["file"]]]

    records["state"] = states(records)
    segments = day_segments(settings, files.loc[is_loaded, "exported_at_utc"].max())
    calls = calls_of(records[records["state"].isin(["accepted", "excluded"])], files)
    calls = judged(calls, segments, settings.get("rules", {}).get("short_abandon_seconds", 5))
    months = months_of(calls, complete_days(records, files[is_loaded], segments, settings["centre"]["time_zone"]))
    missed = missed_calls_monthly(calls, months)
    write(
        warehouse,
        {
            "core.calls": calls.assign(source=source["name"]),
            "marts.missed_calls_monthly": missed,
            "marts.answer_speed_monthly": answer_speed_monthly(calls, missed),
            "marts.telephone_wait_monthly": telephone_wait_monthly(calls, months),
            "ops.ledger": ledger(files, records).assign(source=source["name"]),
            "ops.quarantine": quarantine.assign(
                source=source["name"], file_name=files["file_name"].to_numpy()[quarantine["file"]]
            ),
        },
    )


def read_exports(folder: Path, source: dict) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The files in the order in which they were made, their records as text, and the lines of another width."""
    stamp, columns = re.compile(source["export"]["pattern"]), source["columns"]
    made_at = time.fromisoformat(source["export"]["time"])
    names = {key: column["column"] if isinstance(column, dict) else column for key, column in columns.items()}
    words = pa.dictionary(pa.int32(), pa.string())
    options = csv.ConvertOptions(
        include_columns=list(names.values()),
        column_types={
            column: words if key in ("outcome", "queue", "direction", "leg_id") else pa.string()
            for key, column in names.items()
        },
    )
    files, tables, ragged = [], [], []
    for path in sorted(folder.glob(source["files"])):
        found = stamp.search(path.name)
        if found is None:
            sys.exit(f"{path.name}: no date in its name")
        day = datetime.strptime(found["stamp"], source["export"]["format"]).date()
        bad: list[csv.InvalidRow] = []

        def keep(row: csv.InvalidRow, bad: list[csv.InvalidRow] = bad) -> str:
            bad.append(row)
            return "skip"

        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(use_threads=False),  # only then a bad line is told with its number
            parse_options=csv.ParseOptions(
                delimiter=source["text"]["delimiter"], ignore_empty_lines=False, invalid_row_handler=keep
            ),
            convert_options=options,
        )
        lines = np.arange(2, 2 + table.num_rows + len(bad))
        lines = np.delete(lines, [row.number - 2 for row in bad])
        table = table.rename_columns(list(names)).append_column("line", pa.array(lines))
        tables.append(table.append_column("file", pa.array(np.full(table.num_rows, len(files), dtype=np.int32))))
        ragged += [
            (len(files), row.number, "(all)", f"{row.actual_columns} fields, where the header has "
             f"{row.expected_columns}", None)
            for row in bad
        ]  # fmt: skip
        files.append((path.name, day, datetime.combine(day, made_at)))
    raw = pa.concat_tables(tables).unify_dictionaries().to_pandas()
    made = pd.DataFrame(files, columns=["file_name", "export_date", "exported_local"])
    made["exported_at_utc"] = to_utc(made["exported_local"], source["time_zone"])
    reasons = pd.DataFrame(ragged, columns=["file", "line", "column_name", "reason", "pattern"])
    return made, raw, reasons.astype({"file": "int64", "line": "int64"})


def to_utc(local: pd.Series, zone: str, is_earlier: bool = True) -> pd.Series:
    """A local time in UTC; of one that exists twice the earlier or the later, NULL for one that does not exist."""
    earlier = np.full(len(local), is_earlier)
    return local.dt.tz_localize(zone, ambiguous=earlier, nonexistent="NaT").dt.tz_convert("UTC").dt.tz_localize(None)


def to_local(utc: pd.Series, zone: str) -> pd.Series:
    """A moment in UTC as the clock of a zone shows it."""
    return utc.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)


def checked(
    raw: pd.DataFrame, files: pd.DataFrame, source: dict, centre_zone: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The records that can be read, typed, and the others with the first thing that is wrong with each."""
    zone, columns = source["time_zone"], source["columns"]
    problems: list[tuple[pd.Series, str, str]] = []
    record = pd.DataFrame({"file": raw["file"], "line": raw["line"]})
    for key in ("call_id", "leg_id"):
        record[key] = stripped(raw[key])
        problems.append((record[key].eq(""), key, "no value, where one is required"))
    outcomes = {
        word: {"reported": meaning} if isinstance(meaning, str) else meaning
        for word, meaning in source["outcomes"].items()
    }
    word = stripped(raw["outcome"])
    record["reported_outcome"] = translated(word, {key: meaning["reported"] for key, meaning in outcomes.items()})
    record["is_answered"] = record["reported_outcome"].eq("answered")
    reasons = {key: meaning.get("reason", "abandoned") for key, meaning in outcomes.items()}
    record["missed_reason"] = translated(word, reasons).mask(record["is_answered"])
    problems.append((record["reported_outcome"].isna(), "outcome", "not one of the declared outcomes"))
    record["queue"] = stripped(raw["queue"]).cat.rename_categories({"": source["name"]})
    record["direction"] = translated(stripped(raw["direction"]), source["directions"])
    problems.append((record["direction"].isna(), "direction", "not one of the declared directions"))

    midnight = (pd.to_datetime(files["export_date"]) + pd.Timedelta(days=1)).dt.as_unit("us")
    latest = (to_utc(midnight, zone) + pd.Timedelta(hours=1)).to_numpy()[raw["file"]]
    problems.append((raw["arrived_at"].eq(""), "arrived_at", "no arrival, so the call belongs to no day"))
    for key in MOMENTS:
        form = columns[key]["format"]
        local = pd.to_datetime(raw[key], format=form, errors="coerce", exact=True).dt.as_unit("us")
        utc = to_utc(local, zone)
        problems += [
            (local.isna() & raw[key].ne(""), key, f"not in the format {form}"),
            (utc.isna() & local.notna(), key, f"a local time that does not exist in {zone}"),
            (utc > latest, key, "after the day on which the export was made"),
        ]
        record[f"{key}_utc"] = utc
        if key == "arrived_at":
            later = to_utc(local, zone, is_earlier=False)
            record["is_arrival_ambiguous"] = utc.ne(later) & utc.notna()
            record["arrived_local"] = to_local(utc, centre_zone)
    record["impossible_duration"] = pd.Series(None, index=record.index, dtype="str")
    for key, name in (("queue_wait_seconds", "queue_wait"), ("wait_seconds", "wait")):
        seconds = pd.to_numeric(raw[key], errors="coerce")
        problems.append((seconds.isna() & raw[key].ne(""), key, "not a number of seconds with decimal '.'"))
        is_impossible = seconds.notna() & ~seconds.between(0, LONGEST_WAIT)
        record[key] = seconds.mask(is_impossible)
        if is_impossible.any():
            record.loc[is_impossible, "impossible_duration"] = name

    first = np.select([when.to_numpy() for when, *_ in problems], [*range(len(problems))], default=-1)
    is_bad = first >= 0
    wrong = record.loc[is_bad, ["file", "line"]]
    keys = [problems[number][1] for number in first[is_bad]]
    wrong["column_name"] = [columns[key]["column"] if isinstance(columns[key], dict) else columns[key] for key in keys]
    wrong["reason"] = [problems[number][2] for number in first[is_bad]]
    values = [raw[key].iat[row] for key, row in zip(keys, np.flatnonzero(is_bad), strict=True)]
    wrong["pattern"] = [shape(value) for value in values]
    return record[~is_bad].reset_index(drop=True), wrong


def stripped(text: pd.Series) -> pd.Series:
    """Text without blanks around it, NULL as empty text; of words that come again and again, each is looked at once."""
    if not isinstance(text.dtype, pd.CategoricalDtype):
        return text.fillna("").str.strip()
    categories = text.cat.categories
    known = text if "" in categories else text.cat.add_categories("")
    known = known.fillna("")
    return known if (categories.str.strip() == categories).all() else known.astype("str").str.strip().astype("category")


def translated(words: pd.Series, meanings: dict[str, str]) -> pd.Series:
    """What the words mean, each looked up once; NULL for one that means nothing."""
    known = sorted(set(meanings.values()))
    codes = [known.index(meanings[word]) if word in meanings else -1 for word in words.cat.categories]
    return pd.Series(pd.Categorical.from_codes(np.array([*codes, -1])[words.cat.codes], known), index=words.index)


def shape(value: str) -> str:
    """A value without its characters: letters as `a`, digits as `9`."""
    letters = "".join("a" if c.isalpha() else "9" if c.isnumeric() else c for c in value)
    return re.sub(r"[^a9 .,:;/+\-_()|]", "?", letters)[:60]


def states(records: pd.DataFrame) -> pd.Categorical:
    """What the ledger calls each record: the newest version of its key counts. Records come oldest export first."""
    key = records.groupby(["call_id", "leg_id"], sort=False, observed=True).ngroup().to_numpy()
    newest = np.zeros(key.max(initial=-1) + 1, dtype=np.int64)
    newest[key] = np.arange(len(records))  # the last one that is written stays
    loser = np.flatnonzero(newest[key] != np.arange(len(records)))
    same = np.ones(len(loser), dtype=bool)
    told = ["queue", "direction", "reported_outcome", "missed_reason", *(f"{moment}_utc" for moment in MOMENTS)]
    told = [name for name in told if name != "queue_entered_at_utc"]
    for name in [*told, "wait_seconds", "queue_wait_seconds", "impossible_duration"]:
        values = records[name]
        lost, won = values.iloc[loser].reset_index(drop=True), values.iloc[newest[key[loser]]].reset_index(drop=True)
        same &= ((lost == won).fillna(False) | (lost.isna() & won.isna())).to_numpy(dtype=bool)
    state = np.where(records["direction"].eq("inbound"), 0, 1)
    state[loser] = np.where(same, 2, 3)
    return pd.Categorical.from_codes(state, STATES)


def day_segments(settings: dict, newest_export: pd.Timestamp) -> pd.DataFrame:
    """Every day of the telephone, cut where it opens and closes, and why it is closed in between."""
    hours = [hours for hours in settings["hours"] if hours["service_point"] == "telephone"]
    first = min(date.fromisoformat(str(week["valid_from"])) for week in hours)
    last = date(newest_export.year + 1, 12, 31)
    rows = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        (week,) = [
            week for week in hours if str(week["valid_from"]) <= day.isoformat() <= str(week.get("valid_to", "9999"))
        ]
        spans = [tuple(map(minutes, span.split("-"))) for span in week.get(WEEKDAYS[day.weekday()], [])]
        edges = sorted({0, *(edge for span in spans for edge in span)} - {1440})
        for minute in edges:
            if not spans:
                reason = "closed_weekday"
            elif any(opens <= minute < closes for opens, closes in spans):
                reason = None
            elif minute < spans[0][0]:
                reason = "before_opening"
            else:
                reason = "after_closing" if minute >= spans[-1][1] else "break"
            rows.append((day, datetime.combine(day, time()) + timedelta(minutes=minute), reason))
    segments = pd.DataFrame(rows, columns=["date", "starts_local", "closed_reason"])
    segments["starts_local"] = segments["starts_local"].dt.as_unit("us")
    segments["is_open"] = segments["closed_reason"].isna()
    segments["next_opens_local"] = segments["starts_local"].where(segments["is_open"]).shift(-1).bfill()
    segments["next_closes_local"] = segments["starts_local"].mask(segments["is_open"]).shift(-1).bfill()
    return segments


def minutes(clock: str) -> int:
    """The minute of the day of `09:30`."""
    return 60 * int(clock[:2]) + int(clock[3:])


def placed(moments: pd.Series, segments: pd.DataFrame) -> np.ndarray:
    """The row of the segment in which each moment lies."""
    return np.searchsorted(segments["starts_local"].to_numpy(), moments.to_numpy(), side="right") - 1


def calls_of(legs: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """One row a call: the first leg tells how it came in, the deciding one how its wait ended."""
    code, ids = pd.factorize(legs["call_id"])
    is_excluded, is_missed = legs["state"].eq("excluded").to_numpy(), legs["reported_outcome"].eq("missed").to_numpy()
    count, excluded = np.bincount(code), np.bincount(code, weights=is_excluded)
    all_excluded = excluded == count
    missed = np.bincount(code, weights=is_missed).astype(np.int64)
    # an excluded leg counts only for a call that is excluded
    counted = all_excluded[code] | ~is_excluded
    legs, code = legs[counted], code[counted]

    leg_text = legs["leg_id"].astype("str")
    arrived = legs["arrived_at_utc"].to_numpy().astype(np.int64)
    by_arrival = np.lexsort(
        (
            legs["line"],
            legs["file"],
            leg_text.rank(method="dense"),
            pd.to_numeric(leg_text, errors="coerce").fillna(np.inf),
            arrived,
            code,
        )
    )
    legs, code = legs.iloc[by_arrival].reset_index(drop=True), code[by_arrival]
    first = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
    answered = legs["is_answered"].to_numpy()
    waited = legs["wait_seconds"].to_numpy()
    wait_ended = arrived[by_arrival] / 1e6 + waited
    # the first answer, or of a missed call the last hang-up; a leg of unknown length may have been the last
    until = np.where(answered, np.nan_to_num(wait_ended, nan=np.inf), -np.nan_to_num(wait_ended, nan=np.inf))
    number = np.arange(len(legs))
    by_decision = np.lexsort((np.where(answered, number, -number), until, ~answered, code))
    deciding = by_decision[first]

    # of each call its legs stand together; what has no end is the smallest number there is
    ended_at = np.maximum.reduceat(legs["ended_at_utc"].to_numpy().astype(np.int64), first)
    told = legs["reported_outcome"]
    any_answered, any_missed = (
        np.logical_or.reduceat(told.eq(word).to_numpy(), first) for word in ("answered", "missed")
    )
    reported = np.select([any_answered, any_missed], ["answered", "missed"], default="other")

    begin, end = legs.iloc[first].reset_index(drop=True), legs.iloc[deciding].reset_index(drop=True)
    earlier = (end["arrived_at_utc"] - begin["arrived_at_utc"]).dt.total_seconds()
    which = code[first]
    calls = begin[["queue", "direction", "arrived_at_utc", "arrived_local", "is_arrival_ambiguous", "line"]].copy()
    calls["call_id"] = ids.to_numpy()[which]
    calls["file_name"] = files["file_name"].to_numpy()[begin["file"]]
    calls["ended_at_utc"] = ended_at.astype("datetime64[us]")
    calls["is_answered"] = answered[deciding]
    calls["reported_outcome"] = reported
    calls["answered_at_utc"] = end["answered_at_utc"].where(end["is_answered"])
    calls["missed_reason"] = end["missed_reason"].mask(end["is_answered"])
    calls["impossible_duration"] = end["impossible_duration"]
    calls["wait_seconds"] = (end["wait_seconds"] + earlier).round(3)
    calls["queue_wait_seconds"] = end["queue_wait_seconds"]
    calls["exclusion_rule"] = begin["direction"].where(all_excluded[which])
    calls["records"] = calls["legs"] = count[which]
    calls["legs_reported_missed"] = missed[which]
    return calls


def judged(calls: pd.DataFrame, segments: pd.DataFrame, short_abandon_seconds: float) -> pd.DataFrame:
    """The calls with what the opening hours make of them."""
    where = placed(calls["arrived_local"], segments)
    is_open = segments["is_open"].to_numpy()[where]
    wait, answered = calls["wait_seconds"], calls["is_answered"]
    is_excluded = calls["exclusion_rule"].notna()
    calls["arrived_date"] = calls["arrived_local"].dt.normalize()
    calls["is_within_opening_hours"] = is_open
    calls["closed_reason"] = segments["closed_reason"].to_numpy()[where]
    calls["outcome"] = np.select(
        [is_excluded, ~is_open, answered], ["excluded", "outside_hours", "answered"], default="missed"
    )
    calls["wait_reason"] = np.where(
        wait.notna(), None, np.where(calls["impossible_duration"].eq("wait"), "impossible", "not_recorded")
    )
    bucket = np.array([*BUCKETS, None], dtype=object)
    number = np.where(wait.isna(), 6, np.searchsorted(EDGES, wait.to_numpy(), side="left"))
    calls["speed_bucket"] = bucket[np.where(answered, number, 7)]
    calls["bridge_step"] = np.select(
        [
            calls["legs_reported_missed"].eq(0) & calls["outcome"].eq("missed"),
            calls["legs_reported_missed"].eq(0),
            calls["outcome"].eq("missed"),
            calls["outcome"].eq("answered"),
            calls["outcome"].eq("outside_hours"),
        ],
        ["not_answered_by_a_person", None, "corrected_missed", "answered_by_somebody_else", calls["closed_reason"]],
        default=calls["outcome"],
    )
    calls["is_short_abandon"] = (
        ~answered & calls["missed_reason"].isin(["abandoned", "menu"]) & wait.lt(short_abandon_seconds)
    )
    ended_local = calls["arrived_local"] + (calls["ended_at_utc"] - calls["arrived_at_utc"])
    answered_local = calls["arrived_local"] + (calls["answered_at_utc"] - calls["arrived_at_utc"])
    calls["is_ended_after_closing"] = is_open & (
        ended_local.to_numpy() > segments["next_closes_local"].to_numpy()[where]
    )
    calls["is_spanning_opening"] = (
        ~is_open & answered & (answered_local.to_numpy() >= segments["next_opens_local"].to_numpy()[where])
    )
    calls["is_wait_lower_bound"] = False
    calls["is_marked_outside_hours"] = None
    calls["month"] = calls["arrived_local"].to_numpy().astype("datetime64[M]").astype("datetime64[us]")
    return calls


def complete_days(records: pd.DataFrame, files: pd.DataFrame, segments: pd.DataFrame, zone: str) -> pd.DatetimeIndex:
    """The days that have ended, and that an export made after closing tells of if the telephone was open."""
    is_open = segments["is_open"].to_numpy()[placed(records["arrived_local"], segments)]
    exported = to_local(files["exported_at_utc"], zone)
    told = pd.DataFrame({
        "date": records["arrived_local"].to_numpy().astype("datetime64[D]")[is_open],
        "exported": exported.reindex(records["file"]).to_numpy()[is_open],
    })  # fmt: skip
    newest = told.groupby("date")["exported"].max()
    days = segments.assign(
        date=pd.to_datetime(segments["date"]), closes=segments["next_closes_local"].where(segments["is_open"])
    )
    days = days.groupby("date").agg(is_open=("is_open", "any"), closes=("closes", "max"))
    covered = newest.reindex(days.index) >= days["closes"]
    has_ended = days.index + pd.Timedelta(days=1) <= exported.max()
    return days.index[has_ended & (~days["is_open"] | covered)].append(pd.DatetimeIndex([exported.max()]))


def months_of(calls: pd.DataFrame, complete: pd.DatetimeIndex) -> pd.DataFrame:
    """Every month from the first call to the newest export, for each queue, and whether all its days are complete."""
    *days, as_of = complete
    months = pd.period_range(calls["arrived_date"].min(), as_of, freq="M")
    months = months.union(pd.PeriodIndex(calls["month"].unique(), freq="M"))
    sound = pd.Series(1, index=pd.DatetimeIndex(days).to_period("M")).groupby(level=0).sum()
    sound = sound.reindex(months, fill_value=0).to_numpy() == months.days_in_month
    queues = np.sort(calls["queue"].astype("str").unique())
    return pd.DataFrame(
        {
            "month": np.repeat(months.to_timestamp().as_unit("us"), len(queues)),
            "queue": np.tile(queues, len(months)),
            "complete": np.repeat(sound, len(queues)),
        }
    )


def counted(calls: pd.DataFrame, parts: dict[str, pd.Series], months: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Each part summed by month and queue, with a row for every month and queue and 0 where there is none."""
    keys = calls[by].assign(queue=calls["queue"].astype("str"))
    summed = keys.assign(**parts).groupby(by, observed=True)[list(parts)].sum().reset_index()
    found = months.merge(summed, on=by, how="left")
    whole = [name for name, values in parts.items() if not pd.api.types.is_float_dtype(values)]
    return found.fillna(dict.fromkeys(parts, 0)).astype(dict.fromkeys(whole, "int64"))


def missed_calls_monthly(calls: pd.DataFrame, months: pd.DataFrame) -> pd.DataFrame:
    """Missed calls by month of arrival and queue."""
    outcome, reason = calls["outcome"], calls["missed_reason"]
    is_missed, is_outside = outcome.eq("missed"), outcome.eq("outside_hours")
    reasons = ("abandoned", "voicemail", "menu", "timeout", "no_agent", "callback")
    found = counted(
        calls,
        {
            "calls": outcome.notna(),
            "answered": outcome.eq("answered"),
            "missed": is_missed,
            "missed_short_abandons": is_missed & calls["is_short_abandon"],
            **{f"missed_{name}": is_missed & reason.eq(name) for name in reasons},
            "outside_hours": is_outside,
            "outside_hours_answered": is_outside & calls["is_answered"],
            "open": outcome.eq("open"),
            "excluded": outcome.eq("excluded"),
            "reported_records": calls["legs"],
            "reported_missed": calls["legs_reported_missed"],
            "ended_after_closing": calls["is_ended_after_closing"],
            "spanning_opening": calls["is_spanning_opening"],
            "ambiguous_arrivals": calls["is_arrival_ambiguous"],
            "impossible_durations": calls["impossible_duration"].notna(),
        },
        months,
        ["month", "queue"],
    )
    found["offered"] = found["answered"] + found["missed"]
    found["missed_share"] = found["missed"] / found["offered"].replace(0, np.nan)
    found["reported_missed_share"] = found["reported_missed"] / found["reported_records"].replace(0, np.nan)
    return found


def answer_speed_monthly(calls: pd.DataFrame, missed: pd.DataFrame) -> pd.DataFrame:
    """Answered calls by speed bucket, month of arrival and queue."""
    heard = calls[calls["outcome"].eq("answered") | (calls["outcome"].eq("outside_hours") & calls["is_answered"])]
    is_inside, wait = heard["outcome"].eq("answered"), heard["wait_seconds"].to_numpy()
    near = (np.abs(wait[:, None] - np.array(EDGES)) < 1).any(axis=1)
    buckets = pd.DataFrame({"speed_bucket": BUCKETS, "bucket_number": range(1, 8)})
    rows = missed[["month", "queue", "offered", "complete"]].rename(columns={"offered": "offered_total"})
    return counted(
        heard,
        {
            "answered": is_inside,
            "all_answered": heard["outcome"].notna(),
            "within_a_second_of_an_edge": is_inside & near,
        },
        rows.merge(buckets, how="cross"),
        ["month", "queue", "speed_bucket"],
    )


def telephone_wait_monthly(calls: pd.DataFrame, months: pd.DataFrame) -> pd.DataFrame:
    """How long callers waited until a person answered, by month of arrival and queue."""
    heard = calls[calls["outcome"].eq("answered") | (calls["outcome"].eq("outside_hours") & calls["is_answered"])]
    inside, wait, queue_wait = heard["outcome"].eq("answered"), heard["wait_seconds"], heard["queue_wait_seconds"]
    is_bound = heard["is_wait_lower_bound"]
    found = counted(
        heard,
        {
            "answered": inside,
            "waits": inside & wait.notna(),
            "wait_seconds_sum": wait.where(inside),
            "unknown_waits": inside & wait.isna(),
            "queue_waits": inside & queue_wait.notna(),
            "queue_wait_seconds_sum": queue_wait.where(inside),
            "all_answered": heard["outcome"].notna(),
            "all_waits": wait.notna(),
            "all_wait_seconds_sum": wait,
            "lower_bound_waits": inside & wait.notna() & is_bound,
            "all_lower_bound_waits": wait.notna() & is_bound,
            "impossible_durations": inside & heard["impossible_duration"].notna(),
        },
        months,
        ["month", "queue"],
    )
    found["mean_wait_seconds"] = found["wait_seconds_sum"] / found["waits"].replace(0, np.nan)
    found["mean_queue_wait_seconds"] = found["queue_wait_seconds_sum"] / found["queue_waits"].replace(0, np.nan)
    return found


def ledger(files: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Every file, and the one state in which each of its records is counted."""
    found = files[["file_name", "export_date", "exported_at_utc", "status"]].copy()
    is_loaded = found["status"].eq("loaded")
    counts = pd.crosstab(records["file"], records["state"]).reindex(files.index, fill_value=0)
    for state, name in (
        ("accepted", "accepted"),
        ("excluded", "excluded"),
        ("duplicate", "duplicates"),
        ("superseded", "superseded"),
    ):
        found[name] = counts.get(state, 0)
    found["quarantined"] = files["bad"].where(is_loaded, 0)
    found["records"] = files["lines"].where(is_loaded, 0)
    found["unread_records"] = files["lines"].mask(is_loaded).astype("Int64")
    return found


COLUMNS = {
    "core.calls": """
        source, call_id, queue::varchar as queue, direction::varchar as direction, arrived_at_utc, arrived_local,
        arrived_date::date as arrived_date, answered_at_utc, ended_at_utc, wait_seconds::decimal(9, 3) as wait_seconds,
        queue_wait_seconds::decimal(9, 3) as queue_wait_seconds, wait_reason::varchar as wait_reason,
        is_wait_lower_bound, reported_outcome, outcome, is_answered, exclusion_rule::varchar as exclusion_rule,
        missed_reason::varchar as missed_reason,
        is_within_opening_hours, closed_reason::varchar as closed_reason, speed_bucket, records, legs,
        legs_reported_missed, bridge_step::varchar as bridge_step, is_short_abandon, is_ended_after_closing,
        is_spanning_opening, is_arrival_ambiguous, is_marked_outside_hours::boolean as is_marked_outside_hours,
        impossible_duration, file_name, line""",
    "marts.missed_calls_monthly": """
        month::date as month, queue, calls, answered, missed, offered, missed_share, missed_short_abandons,
        missed_abandoned, missed_voicemail, missed_menu, missed_timeout, missed_no_agent, missed_callback,
        outside_hours, outside_hours_answered, open, excluded, reported_records, reported_missed,
        reported_missed_share, ended_after_closing, spanning_opening, ambiguous_arrivals, impossible_durations,
        complete""",
    "marts.answer_speed_monthly": """
        month::date as month, queue, speed_bucket, bucket_number, answered, all_answered, within_a_second_of_an_edge,
        offered_total, complete""",
    "marts.telephone_wait_monthly": """
        month::date as month, queue, answered, waits, wait_seconds_sum::decimal(18, 3) as wait_seconds_sum,
        mean_wait_seconds, unknown_waits, queue_waits, queue_wait_seconds_sum::decimal(18, 3) as queue_wait_seconds_sum,
        mean_queue_wait_seconds, all_answered, all_waits, all_wait_seconds_sum::decimal(18, 3) as all_wait_seconds_sum,
        lower_bound_waits, all_lower_bound_waits, impossible_durations, complete""",
    "ops.ledger": """
        source, file_name, export_date::date as export_date, exported_at_utc, status, records, accepted, excluded,
        duplicates, superseded, quarantined, unread_records""",
    "ops.quarantine": "source, file_name, line, column_name, reason, pattern",
}
"""What is published of each table, in order and with its types."""


def write(warehouse: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write every table to a new DuckDB file."""
    with duckdb.connect(str(warehouse)) as con:
        for table, frame in tables.items():
            con.execute(f"create schema if not exists {table.split('.')[0]}")
            con.register("frame", pa.Table.from_pandas(frame, preserve_index=False))
            con.execute(f"create table {table} as select {COLUMNS[table]} from frame")
            con.unregister("frame")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
