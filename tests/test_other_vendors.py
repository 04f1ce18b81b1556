"""The same invented city as other vendors would export it: the figures agree wherever the formats tell the same."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import ROOT, load_settings
from tests.sample import City, Night

SETTINGS = ROOT / "sample_exports" / "other_vendors" / "kcc.toml"
NOVEMBER = "period_type = 'month' and period = '2025-11-01'"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> City:
    """The city by its exports from Asterisk and Qmatic, after its first night."""
    city = City(tmp_path_factory.mktemp("other"))
    city.environment["KCC_SETTINGS"] = str(SETTINGS)
    night = city.kcc("run", "--quiet")
    assert night.returncode == 0, night.stderr
    return city


@pytest.fixture(scope="module")
def first(first_night: Night) -> City:
    return first_night[0]


def both(first: City, other: City, query: str) -> tuple[list[Any], list[Any]]:
    return first.ask(query), other.ask(query)


def test_the_settings_are_those_of_the_sample_city_with_other_sources() -> None:
    sample, others = load_settings(ROOT / "kcc.toml"), load_settings(SETTINGS)
    assert others.model_dump(exclude={"sources", "folders"}) == sample.model_dump(exclude={"sources", "folders"})
    assert [source.format for source in others.sources if source.format is None] == []


def test_every_record_is_in_and_november_is_complete(other: City) -> None:
    assert other.ask("select sum(quarantined), count(*) filter (where status <> 'loaded') from ops.ledger") == [(0, 0)]
    query = f"select distinct indicator, complete from marts.indicators where {NOVEMBER} order by 1"
    assert other.ask(query) == [
        (name, True) for name in ("answer_speed", "lead_time", "missed_calls", "telephone_wait", "visitor_wait")
    ]


@pytest.mark.parametrize(
    "which",
    [
        "indicator = 'missed_calls' and variant in ('headline', 'lowest_possible', 'highest_possible') "
        "and dimension = 'all'",
        "indicator = 'visitor_wait'",
        "indicator = 'lead_time' and variant = 'cancelled' and dimension_type <> 'booking_channel'",
    ],
    ids=[
        "missed calls",
        "visitor wait by cluster, early visitors, from the check-in",
        "lead time of what was cancelled",
    ],
)
def test_what_both_sets_tell_agrees_to_the_last_digit(first: City, other: City, which: str) -> None:
    one, two = both(
        first,
        other,
        "select variant, dimension, value, numerator, denominator, norm_met from marts.indicators "
        f"where {NOVEMBER} and {which} order by all",
    )
    assert one == two
    assert one


def test_why_the_telephone_was_closed_agrees_call_by_call(first: City, other: City) -> None:
    query = """
        select outcome, closed_reason, is_answered, arrived_local, count(*) from core.calls
        where arrived_date between '2025-11-01' and '2025-11-30' group by all order by all
    """
    one, two = both(first, other, query)
    assert one == two


def test_waits_differ_by_the_fractions_of_a_second_that_asterisk_does_not_have(first: City, other: City) -> None:
    query = f"""
        select value, denominator from marts.indicators
        where {NOVEMBER} and indicator = 'telephone_wait' and variant = 'headline' and dimension = 'all'
    """
    ((one, answered),), ((two, also_answered),) = both(first, other, query)
    assert answered == also_answered
    assert one != two
    assert abs(one - two) <= 0.5


def test_a_speed_bucket_differs_at_most_by_the_calls_within_half_a_second_of_its_edges(
    first: City, other: City
) -> None:
    query = f"""
        select dimension, numerator from marts.indicators
        where {NOVEMBER} and indicator = 'answer_speed' and variant = 'headline' order by 1
    """
    one, two = both(first, other, query)
    ((near,),) = first.ask(
        """
        select count(*) from core.calls, (values (30), (60), (90), (120), (300)) as edges (edge)
        where outcome = 'answered' and arrived_date between '2025-11-01' and '2025-11-30'
            and abs(wait_seconds - edge) <= 0.5
        """
    )
    assert sum(abs(a - b) for (_, a), (_, b) in zip(one, two, strict=True)) <= 2 * near
    assert one != two


def test_without_a_booking_channel_nobody_knows_what_was_booked_at_the_desk_for_the_same_day(
    first: City, other: City
) -> None:
    query = """
        select sum(appointments), sum(desk_same_day), sum(last_planned_working_days_sum)
        from marts.appointment_lead_time_monthly where month = '2025-11-01'
    """
    ((own, at_desk, days),), ((others, none, same_days),) = both(first, other, query)
    assert (own + at_desk, days, none) == (others, same_days, 0)
    assert at_desk == Decimal(31)
    assert other.ask("select distinct booking_channel from core.appointments") == [(None,)]


def test_of_a_plan_that_was_moved_before_the_export_only_the_last_is_known(first: City, other: City) -> None:
    query = """
        select sum(abs(working_days_sum - last_planned_working_days_sum))
        from marts.appointment_lead_time_monthly where month = '2025-11-01'
    """
    one, two = both(first, other, query)
    assert one != [(0,)]
    assert two == [(0,)]


def test_what_the_software_reports_is_another_matter_with_each_vendor(first: City, other: City) -> None:
    query = f"""
        select numerator, denominator from marts.indicators
        where {NOVEMBER} and indicator = 'missed_calls' and variant = 'reported' and dimension = 'all'
    """
    ((missed, records),), ((fewer, same),) = both(first, other, query)
    # who hung up in the menu was missed by the one, and answered (by the menu) by the other
    assert records == same
    ((menu,),) = other.ask(
        """
        select count(*) from core.calls
        where missed_reason = 'menu' and reported_outcome = 'answered'
            and arrived_date between '2025-11-01' and '2025-11-30'
        """
    )
    ((others_excluded,),) = other.ask("select count(*) from core.calls where exclusion_rule is not null")
    assert missed - fewer == menu
    assert others_excluded == 95


def test_a_call_that_came_as_far_as_a_queue_is_in_that_queue(first: City, other: City) -> None:
    query = """
        select queue, count(*) from core.calls
        where is_answered and exclusion_rule is null and arrived_date between '2025-11-01' and '2025-11-30'
        group by 1 order by 1
    """
    one, two = both(first, other, query)
    assert one == two


def test_no_number_of_a_caller_is_in_the_warehouse(other: City, tmp_path: Path) -> None:
    kept = b"".join(path.read_bytes() for path in (other.folder / "data").rglob("*") if path.is_file())
    assert b"+32000" not in kept
    assert b"+32 000" not in kept
