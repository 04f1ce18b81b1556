"""What looks wrong is said in a sentence, by source and month; what would flatter the city blocks the publication.

Mondays of March 2025 are the 3rd, 10th, 17th, 24th and 31st. The telephone opens 9-12 and 13-16.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.tripwires import TRIPWIRES, Blocked, inspect
from schemas.ops import TRIPWIRES as NAMES
from tests.city import (
    CALLS,
    appointment,
    call,
    publish,
    read_all,
    settings_of,
    warehouse,
    write_appointments,
    write_calls,
)

SMALL = {
    "answered_outside_hours_calls": 2,
    "answered_outside_hours_share": 0.5,
    "quiet_day_usual_calls": 4,
    "partial_export_calls": 4,
}
INSIDE, EARLY = "2025-03-10 10:00:00", "2025-03-10 08:00:00"


def found(folder: Path, tripwire: str, **parts: Any) -> list[tuple[Any, ...]]:
    """What one tripwire found, in the warehouse of whatever was written to `folder`."""
    parts.setdefault("tripwires", SMALL)
    with warehouse(settings_of(folder, **parts)) as con:
        return con.execute(
            """
            select source, month::varchar, affected, total, sentence from ops.tripwires
            where tripwire = ? order by all
            """,
            [tripwire],
        ).fetchall()


def calls_at(*moments: str, outcome: str = "answered", **fields: str) -> list[dict[str, str]]:
    return [call(moment, outcome, id=f"{moment} {outcome} {n}", **fields) for n, moment in enumerate(moments)]


def test_every_tripwire_has_a_meaning_and_something_to_do() -> None:
    assert list(TRIPWIRES) == NAMES
    assert [name for name, wire in TRIPWIRES.items() if wire.is_blocking] == ["answered_outside_hours"]


# --- answered outside hours ------------------------------------------------------------------------------------------


def test_calls_answered_while_closed_are_said_with_the_weekday_and_hour_of_most_of_them(tmp_path: Path) -> None:
    fridays = ["2025-03-07 16:10:00", "2025-03-14 16:20:00", "2025-03-21 16:30:00"]
    write_calls(tmp_path, "2025-03-31", calls_at(*fridays, "2025-03-22 10:00:00", INSIDE))
    assert found(tmp_path, "answered_outside_hours") == [
        (
            "phone",
            "2025-03-01",
            4,
            5,
            "80 % of the answered calls of source 'phone' in March 2025 lie outside the opening hours (4 of 5), most "
            "on Fridays 16-17 h: is the zone or the calendar right?",
        )
    ]


@pytest.mark.parametrize(
    ("outside", "inside", "trips"),
    [(2, 2, False), (3, 2, True), (1, 0, False), (2, 0, True)],
    ids=["exactly the share", "more than the share", "one call too few", "as many calls as it needs"],
)
def test_it_needs_more_than_the_share_and_at_least_so_many_calls(
    tmp_path: Path, outside: int, inside: int, trips: bool
) -> None:
    write_calls(tmp_path, "2025-03-10", calls_at(*[EARLY] * outside, *[INSIDE] * inside))
    assert bool(found(tmp_path, "answered_outside_hours")) is trips


def test_only_what_a_person_answered_counts_and_no_excluded_or_open_call(tmp_path: Path) -> None:
    records = [
        *calls_at(EARLY, EARLY, EARLY, outcome="missed"),
        *calls_at(EARLY, EARLY, outcome="machine"),
        *calls_at(EARLY, EARLY, queue="TEST"),
        *calls_at(EARLY, EARLY, direction="out"),
        *calls_at(EARLY, EARLY, outcome="ringing"),
        *calls_at(INSIDE),
    ]
    write_calls(tmp_path, "2025-03-10", records)
    assert found(tmp_path, "answered_outside_hours") == []


def test_each_source_and_month_is_judged_by_itself(tmp_path: Path) -> None:
    other = {**CALLS, "name": "second", "files": "second_*.csv", "export": {"at": "2025-04-30T20:00:00"}}
    write_calls(tmp_path, "2025-04-30", calls_at(EARLY, EARLY, "2025-04-07 10:00:00"))
    second = write_calls(tmp_path, "2025-04-29", calls_at(*[INSIDE] * 9, "2025-04-07 08:00:00", "2025-04-07 08:00:00"))
    second.rename(second.with_name("second_one.csv"))
    trips = found(tmp_path, "answered_outside_hours", sources=[CALLS, other])
    assert [trip[:4] for trip in trips] == [("phone", "2025-03-01", 2, 2), ("second", "2025-04-01", 2, 2)]


def test_a_zone_three_hours_off_publishes_nothing_and_what_was_published_stays(tmp_path: Path) -> None:
    day = [f"2025-03-10 {hour:02d}:{minute:02d}:00" for hour in (9, 10, 11, 13, 14, 15) for minute in range(0, 60, 5)]
    write_calls(tmp_path, "2025-03-10", calls_at(*day))
    right = settings_of(tmp_path)
    publish(right)
    link = tmp_path / "data" / "warehouse" / "kcc.duckdb"
    published = link.readlink()

    wrong = settings_of(tmp_path, sources=[{**CALLS, "time_zone": "Asia/Dubai"}])
    with pytest.raises(Blocked) as blocked:
        publish(wrong)
    assert str(blocked.value).startswith(
        "67 % of the answered calls of source 'phone' in March 2025 lie outside the opening hours (48 of 72), most on "
        "Mondays 6-7 h: is the zone or the calendar right?"
    )
    assert link.readlink() == published
    assert [path.name for path in link.resolve().parent.iterdir()] == [published.name]


def test_the_hours_are_broken_down_while_the_warehouse_is_being_built(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-10", calls_at(EARLY, EARLY, "2025-03-10 12:30:00", INSIDE))
    accepted = [{"tripwire": "answered_outside_hours", "reason": "a trial", "until": "2025-12-31"}]
    with warehouse(settings_of(tmp_path, tripwires={**SMALL, "accepted": accepted})) as con:
        (one,) = [one for one in inspect(con) if one.tripwire == "answered_outside_hours"]
    assert one.hours == [("Monday", 8, 2, 2), ("Monday", 12, 1, 1)]


# --- what the source marks -------------------------------------------------------------------------------------------

MARKING = {**CALLS, "columns": {**CALLS["columns"], "outside_hours": {"column": "leg", "values": ["closed"]}}}
"""A source that marks calls in a column that CALLS leaves unused."""


def test_a_holiday_that_only_the_telephone_knows_is_asked_about_and_publishes(tmp_path: Path) -> None:
    monday = [f"2025-03-10 10:{minute:02d}:00" for minute in range(5)]
    write_calls(tmp_path, "2025-03-31", calls_at(*monday, outcome="missed", leg="closed"))
    assert found(tmp_path, "hours_disagree", sources=[MARKING]) == [
        (
            "phone",
            "2025-03-01",
            5,
            5,
            "source 'phone' in March 2025 marks 5 of its calls as outside opening hours that arrived inside ours, and "
            "does not mark 0 of its missed calls that arrived outside ours, most on Mondays 10-11 h: is the calendar "
            "right, or the telephone's own schedule?",
        )
    ]
    publish(settings_of(tmp_path, sources=[MARKING]))


def test_four_calls_are_no_disagreement_unless_the_city_says_so(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-31", calls_at(*[EARLY] * 4, outcome="missed"))
    assert found(tmp_path, "hours_disagree", sources=[MARKING]) == []
    strict = {**SMALL, "hours_disagree_calls": 4}
    assert [trip[2:4] for trip in found(tmp_path, "hours_disagree", sources=[MARKING], tripwires=strict)] == [(4, 4)]


# --- what the settings accept ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "publishes"),
    [
        ({"tripwire": "answered_outside_hours", "until": "2025-03-01"}, True),
        ({"tripwire": "answered_outside_hours", "until": "2025-02-28"}, False),
        ({"tripwire": "answered_outside_hours", "until": "2025-03-01", "source": "phone"}, True),
        ({"tripwire": "answered_outside_hours", "until": "2025-03-01", "source": "desk"}, False),
        ({"tripwire": "quiet_day", "until": "2025-12-31"}, False),
    ],
    ids=["its month", "a month before", "its source", "another source", "another tripwire"],
)
def test_an_acceptance_is_for_its_tripwire_its_source_and_the_months_that_begin_up_to_its_end(
    tmp_path: Path, accepted: dict[str, str], publishes: bool
) -> None:
    write_calls(tmp_path, "2025-03-10", calls_at(EARLY, EARLY))
    settings = settings_of(tmp_path, tripwires={**SMALL, "accepted": [{"reason": "trial with evenings", **accepted}]})
    if not publishes:
        with pytest.raises(Blocked):
            publish(settings)
        return
    publish(settings)
    with duckdb.connect(str(tmp_path / "data" / "warehouse" / "kcc.duckdb"), read_only=True) as con:
        shown = con.execute("select tripwire, accepted_reason, is_blocking from ops.tripwires").fetchall()
    assert shown == [("answered_outside_hours", "trial with evenings", True)]


# --- days ------------------------------------------------------------------------------------------------------------


def test_an_open_day_without_a_call_is_said_and_a_closed_one_or_one_to_come_is_not(tmp_path: Path) -> None:
    closed = {
        "closures": [{"date": "2025-03-06", "service_points": ["telephone"], "kind": "closure", "reason": "staking"}]
    }
    days = ["2025-03-03 10:00:00", "2025-03-07 20:00:00", "2025-03-11 10:00:00"]  # Friday's only call came at night
    write_calls(tmp_path, "2025-03-11", calls_at(*days))
    assert found(tmp_path, "open_day_without_calls", calendar=closed) == [
        (
            "phone",
            "2025-03-01",
            3,
            6,
            "source 'phone' has no call on 3 of the 6 open days of March 2025: Tue 4, Wed 5, Mon 10. Was the telephone "
            "closed, or is an export missing?",
        )
    ]


def test_a_source_is_not_asked_before_its_first_call_nor_where_it_is_not_expected(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-14", calls_at("2025-03-12 10:00:00"))
    ended = {**CALLS, "valid_to": "2025-03-13"}
    assert [trip[2:4] for trip in found(tmp_path, "open_day_without_calls", sources=[ended])] == [(1, 2)]


def mondays(*numbers: int) -> list[dict[str, str]]:
    """So many calls on each Monday from 6 January 2025 on."""
    first = 6
    moments: list[str] = []
    for week, number in enumerate(numbers):
        day = duckdb.execute("select (date '2025-01-01' + ?::int)::varchar", [first - 1 + 7 * week]).fetchall()[0][0]
        moments += [f"{day} 10:00:{second:02d}" for second in range(number)]
    return calls_at(*moments)


@pytest.mark.parametrize(
    ("numbers", "quiet"),
    [
        ([10, 10, 10, 10, 2], True),
        ([10, 10, 10, 10, 3], False),
        ([10, 10, 10, 2], False),
        ([50, 10, 10, 10, 10, 10, 10, 10, 10, 2], True),
        ([3, 3, 3, 3, 1, 0, 3], False),
    ],
    ids=[
        "below the share",
        "exactly the share",
        "too few Mondays before",
        "the median counts",
        "too few calls usually",
    ],
)
def test_a_day_is_quiet_if_its_weekday_usually_has_far_more_calls(
    tmp_path: Path, numbers: Sequence[int], quiet: bool
) -> None:
    write_calls(tmp_path, "2025-03-31", mondays(*numbers))
    assert bool(found(tmp_path, "quiet_day")) is quiet


def test_a_quiet_day_says_how_many_calls_it_has_and_usually_has(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-02-03", mondays(10, 12, 10, 10, 2))
    assert found(tmp_path, "quiet_day") == [
        (
            "phone",
            "2025-02-01",
            1,
            1,
            "source 'phone' has far fewer calls than usual on 1 of the 1 open days of February 2025: Mon 3 (2 calls, "
            "usually 10). Is an export cut short?",
        )
    ]


def test_half_a_day_is_held_against_half_of_what_is_usual(tmp_path: Path) -> None:
    half = {"date": "2025-02-03", "service_points": ["telephone"], "kind": "closure", "reason": "namiddag"}
    closed = {"closures": [{**half, "interval": "12:00-24:00"}]}
    write_calls(tmp_path, "2025-02-03", mondays(10, 10, 10, 10, 2))
    assert found(tmp_path, "quiet_day", calendar=closed) == []


def test_the_day_of_an_export_made_before_closing_is_not_judged(tmp_path: Path) -> None:
    early = {**CALLS, "export": {**CALLS["export"], "time": "15:59"}}
    write_calls(tmp_path, "2025-02-03", mondays(10, 10, 10, 10, 2))
    assert found(tmp_path, "quiet_day", sources=[early]) == []


# --- exports, services, holidays -------------------------------------------------------------------------------------


def test_an_export_that_holds_far_fewer_calls_of_a_day_than_an_older_one_had_is_partial(tmp_path: Path) -> None:
    day = [f"2025-03-04 10:00:0{n}" for n in range(5)]
    write_calls(tmp_path, "2025-03-04", calls_at(*day))
    around = ["2025-03-03 10:00:00", "2025-03-05 10:00:00"]
    write_calls(tmp_path, "2025-03-05", calls_at(*day[:2], *around))
    assert found(tmp_path, "partial_export") == [
        (
            "phone",
            "2025-03-01",
            1,
            1,
            "source 'phone', March 2025: calls_2025-03-05.csv holds 2 calls of Tue 4, of which an older export had 5. "
            "Was an export cut off or filtered?",
        )
    ]


def test_the_first_and_the_last_day_of_an_export_may_be_parts_of_a_day(tmp_path: Path) -> None:
    day = [f"2025-03-04 10:00:0{n}" for n in range(5)]
    write_calls(tmp_path, "2025-03-04", calls_at(*day))
    write_calls(tmp_path, "2025-03-05", calls_at(*day[:2], "2025-03-05 10:00:00"))
    assert found(tmp_path, "partial_export") == []


@pytest.mark.parametrize("left", [0, 2])
def test_an_export_that_comes_again_with_far_fewer_calls_is_partial(tmp_path: Path, left: int) -> None:
    day = [f"2025-03-04 10:00:0{n}" for n in range(5)]
    write_calls(tmp_path, "2025-03-04", calls_at(*day))
    read_all(settings_of(tmp_path))
    write_calls(tmp_path, "2025-03-04", calls_at(*day[:left]))
    ((*_, sentence),) = found(tmp_path, "partial_export")
    assert f"calls_2025-03-04.csv holds {left} calls of Tue 4, of which an older export had 5" in sentence


def test_services_of_no_cluster_are_named_with_their_appointments(tmp_path: Path) -> None:
    visits = [
        appointment("2025-03-03 10:00:00", id="a"),
        appointment("2025-03-04 10:00:00", id="b", service="huwelijk"),
        appointment("2025-03-05 10:00:00", id="c", service="rouw"),
        appointment("2025-03-06 10:00:00", id="d", service="huwelijk"),
    ]
    write_appointments(tmp_path, "2025-03-31", visits)
    assert found(tmp_path, "unmapped_service") == [
        (
            "desk",
            "2025-03-01",
            3,
            4,
            "3 of the 4 appointments of source 'desk' in March 2025 are for a service of no cluster: 'huwelijk' (2), "
            "'rouw' (1). Add it to [[clusters]].",
        )
    ]


HOLIDAYS = {"country": "BE", "yearly": {"07-11": "Feest van de Vlaamse Gemeenschap"}}


def test_a_holiday_on_which_the_city_is_open_is_asked_about_and_never_closes_it(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-07-14", calls_at("2025-07-11 10:00:00"))
    national = {"date": "2025-07-21", "service_points": ["telephone", "desk"], "kind": "holiday", "reason": "feest"}
    assert found(tmp_path, "open_on_holiday", calendar={**HOLIDAYS, "closures": [national]}) == [
        (
            "calendar",
            "2025-07-01",
            1,
            2,
            "11 July 2025 is Feest van de Vlaamse Gemeenschap and your desk, telephone are open: intended?",
        )
    ]
    with warehouse(settings_of(tmp_path, calendar=HOLIDAYS)) as con:
        assert con.execute("select outcome from core.calls").fetchall() == [("answered",)]


def test_holidays_are_asked_about_from_the_first_month_with_a_record_to_a_month_after_the_newest_export(
    tmp_path: Path,
) -> None:
    write_calls(tmp_path, "2025-04-10", calls_at("2025-04-10 10:00:00"))
    trips = found(tmp_path, "open_on_holiday", calendar=HOLIDAYS)
    assert [trip[1:3] for trip in trips] == [("2025-04-01", 1), ("2025-05-01", 1)]  # Easter Monday, 1 May; not 29 May
