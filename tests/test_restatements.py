"""A figure of a period that was published as complete and changes later is recorded: old, new, when and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from pipelines.settings import Settings
from tests.city import (
    APPOINTMENTS,
    CALLS,
    WEEK,
    appointment,
    call,
    publish,
    read_all,
    settings_of,
    write_appointments,
    write_calls,
)

WHOLE_FEBRUARY = {**CALLS, "covers_days": 31}
TELEPHONE = [{"service_point": "telephone", "valid_from": "2025-01-01", **WEEK}]
DESK = [{"service_point": "desk", "valid_from": "2025-01-01", **WEEK}]
HEADLINE = "variant = 'headline' and dimension_type = 'all' and period_type = 'month'"


def city_of(folder: Path, **parts: Any) -> Settings:
    return settings_of(folder, **{"sources": [WHOLE_FEBRUARY], "hours": TELEPHONE, "clusters": [], **parts})


def restated(settings: Settings, where: str = f"indicator = 'missed_calls' and {HEADLINE}") -> list[tuple[Any, ...]]:
    """What was restated so far: period, old and new numerator and denominator, and why."""
    with duckdb.connect(str(settings.folders.data / "warehouse" / "kcc.duckdb"), read_only=True) as con:
        return con.execute(
            f"""
            select
                period::varchar, old_numerator::int, old_denominator::int, new_numerator::int, new_denominator::int, why
            from ops.restatements where {where} order by restated_at_utc, period, why
            """
        ).fetchall()


def february(*outcomes: str) -> list[dict[str, str]]:
    return [call("2025-02-10 10:00:00", outcome, id=f"c{n}") for n, outcome in enumerate(outcomes)]


def test_a_late_export_that_changes_a_complete_month_is_recorded_with_its_name(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-01", february("answered", "missed"))
    settings = city_of(tmp_path)
    publish(settings)
    assert restated(settings) == []

    late = [call("2025-02-11 10:00:00", "missed", id="late"), call("2025-02-28 10:00:00", id="later")]
    write_calls(tmp_path, "2025-02-28", late)
    publish(settings)
    why = "late export calls_2025-02-28.csv"
    assert restated(settings) == [("2025-02-01", 1, 2, 2, 4, why)]
    values = "select old_value, new_value, unit from ops.restatements where indicator = 'missed_calls' and " + HEADLINE
    with duckdb.connect(str(tmp_path / "data" / "warehouse" / "kcc.duckdb"), read_only=True) as con:
        assert con.execute(values).fetchall() == [(50.0, 50.0, "percent")]  # the same share of other numbers
        version, at = con.execute("select distinct version, restated_at_utc from ops.restatements").fetchall()[0]
        newest = con.execute("select version, published_at_utc from ops.publications order by 2 desc").fetchall()[0]
    assert (version, at) == newest

    publish(settings)  # another night without anything new restates nothing, and forgets nothing
    assert restated(settings) == [("2025-02-01", 1, 2, 2, 4, why)]


def test_a_corrected_export_is_told_from_a_late_one(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    write_calls(tmp_path, "2025-03-01", february("answered", "missed"))
    publish(settings)
    write_calls(tmp_path, "2025-03-01", february("answered", "answered"))  # under its own name
    publish(settings)
    write_calls(tmp_path, "2025-03-02", february("missed"))  # by a newer export
    publish(settings)
    assert restated(settings) == [
        ("2025-02-01", 1, 2, 0, 2, "corrected export calls_2025-03-01.csv"),
        ("2025-02-01", 0, 2, 1, 2, "corrected export calls_2025-03-02.csv"),
    ]


def test_a_record_that_a_re_delivery_no_longer_holds_is_a_correction_of_its_month(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    january = call("2025-01-10 10:00:00", "missed", id="gone")
    write_calls(tmp_path, "2025-01-31", [call("2025-01-10 11:00:00", id="stays")])
    write_calls(tmp_path, "2025-03-01", [january, *february("answered")])
    publish(settings)
    write_calls(tmp_path, "2025-03-01", february("answered"))
    publish(settings)
    assert restated(settings) == [("2025-01-01", 1, 2, 0, 1, "corrected export calls_2025-03-01.csv")]


def test_a_figure_that_goes_and_comes_back_is_restated_twice(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    wonen = call("2025-02-12 10:00:00", "missed", id="w", queue="Wonen")
    for records in ([*february("answered"), wonen], february("answered"), [*february("answered"), wonen]):
        write_calls(tmp_path, "2025-03-01", records)
        publish(settings)
    with duckdb.connect(str(tmp_path / "data" / "warehouse" / "kcc.duckdb"), read_only=True) as con:
        told = con.execute(
            """
            select old_value, new_value from ops.restatements
            where dimension = 'Wonen' and variant = 'headline' and indicator = 'missed_calls' and period_type = 'month'
            order by restated_at_utc
            """
        ).fetchall()
    assert told == [(100.0, None), (None, 100.0)]


def test_a_setting_that_changes_a_complete_month_is_named(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-01", [call("2025-02-10 16:30:00", "missed"), *february("answered")])
    publish(city_of(tmp_path, text='[[hours]]\nservice_point = "telephone"\nmonday = ["09:00-16:00"]\n'))
    later = [{**TELEPHONE[0], "monday": ["09:00-17:00"]}]
    text = '[folders]\ndata = "elsewhere"\n[[hours]]\nservice_point = "telephone"\nmonday = ["09:00-17:00"]\n'
    settings = city_of(tmp_path, hours=later, text=text)
    publish(settings)
    assert restated(settings) == [("2025-02-01", 0, 1, 1, 2, "setting hours")]


def test_a_month_that_was_never_published_as_complete_may_change_without_a_word(tmp_path: Path) -> None:
    settings = city_of(tmp_path, sources=[CALLS])  # nothing vouches for the days without a call
    write_calls(tmp_path, "2025-02-10", february("answered"))
    publish(settings)
    write_calls(tmp_path, "2025-02-11", [call("2025-02-11 10:00:00", "missed", id="next")])
    publish(settings)
    assert restated(settings, "true") == []


def test_a_month_that_was_complete_once_is_remembered_while_it_is_incomplete(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-01", february("answered"))
    publish(city_of(tmp_path))
    doubtful = city_of(tmp_path, sources=[CALLS], text="[rules]\n")  # no export covers the whole month any more
    publish(doubtful)
    assert restated(doubtful) == []
    write_calls(tmp_path, "2025-02-28", [call("2025-02-28 10:00:00", "missed", id="late")])
    publish(doubtful)
    assert restated(doubtful) == [("2025-02-01", 0, 1, 1, 2, "late export calls_2025-02-28.csv")]


def test_every_variant_and_dimension_that_changes_has_a_row_and_the_others_have_none(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    write_calls(tmp_path, "2025-03-01", [*february("answered"), call("2025-02-12 10:00:00", id="w", queue="Wonen")])
    publish(settings)
    late = [call("2025-02-28 08:00:00", "missed", id="early", queue="Wonen"), call("2025-02-28 10:00:00", id="x")]
    write_calls(tmp_path, "2025-02-28", late)
    publish(settings)
    with duckdb.connect(str(tmp_path / "data" / "warehouse" / "kcc.duckdb"), read_only=True) as con:
        rows = con.execute(
            "select variant, dimension from ops.restatements where indicator = 'missed_calls' order by all"
        ).fetchall()
    changed = ["headline", "highest_possible", "lowest_possible", "reported", "without_short_abandons"]
    expected = [(variant, "all") for variant in changed]
    expected += [(variant, "Algemeen") for variant in ("headline", "reported", "without_short_abandons")]
    assert rows == sorted([*expected, ("reported", "Wonen")])


def test_lead_times_are_restated_by_the_day_of_booking(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, sources=[{**APPOINTMENTS, "covers_days": 31}], hours=DESK)
    planned = "2025-02-12 10:00:00"
    write_appointments(tmp_path, "2025-03-01", [appointment(planned, id="a", booked="2025-02-10 10:00:00")])
    publish(settings)
    write_appointments(tmp_path, "2025-03-02", [appointment(planned, id="b", booked="2025-02-11 10:00:00")])
    publish(settings)
    told = restated(settings, f"indicator = 'lead_time' and {HEADLINE}")
    assert told == [("2025-02-01", 2, 1, 3, 2, "late export appointments_2025-03-02.csv")]


def test_a_figure_can_be_recomputed_from_the_settings_in_the_publication_and_the_records(tmp_path: Path) -> None:
    settings = city_of(tmp_path, text="[rules]\nshort_abandon_seconds = 5\n")
    write_calls(tmp_path, "2025-03-01", february("answered", "missed"))
    publish(settings)
    link = tmp_path / "data" / "warehouse" / "kcc.duckdb"
    with duckdb.connect(str(link), read_only=True) as con:
        text, sha256 = con.execute("select settings_text, settings_sha256 from ops.publications").fetchall()[0]
        before = con.execute("from marts.indicators").fetchall()
    assert (text, sha256) == (settings.text, settings.sha256)
    link.resolve().unlink()  # a lost warehouse is one build away
    link.unlink()
    publish(settings)
    with duckdb.connect(str(link), read_only=True) as con:
        assert con.execute("from marts.indicators").fetchall() == before
        assert con.execute("select value from marts.indicators where numerator = 1 and denominator = 2").fetchall()


def test_the_moment_of_a_delivery_stays_when_it_is_read_again_otherwise(tmp_path: Path) -> None:
    settings = city_of(tmp_path)
    write_calls(tmp_path, "2025-03-01", february("answered"))
    first = read_all(settings).receipts[0]
    other = read_all(city_of(tmp_path, sources=[{**WHOLE_FEBRUARY, "open_without_end": True}])).receipts[0]
    assert other.reader != first.reader
    assert other.delivered_at_utc == first.delivered_at_utc
    write_calls(tmp_path, "2025-03-01", february("missed"))
    newer = read_all(settings).receipts[-1]
    assert newer.delivered_at_utc is not None
    assert first.delivered_at_utc is not None
    assert newer.delivered_at_utc > first.delivered_at_utc
