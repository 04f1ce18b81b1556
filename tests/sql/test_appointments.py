"""What an appointment is: its wait or the reason for having none, its month, its cluster, its norm.

Rules: docs/indicators.md, "Appointments". 2025-03-10 is a Monday; all times are those of Europe/Brussels.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.city import APPOINTMENTS, appointment, appointments, settings_of, warehouse, write_appointments

MONDAY = "2025-03-10 "
PLANNED = MONDAY + "09:00:00"

MONTH_OF_WONEN = """
    select appointments, visits, wait_seconds_sum, served_early, walk_ins, cancelled, no_shows, not_started,
        impossible, no_planned_time
    from marts.visitor_wait_monthly where month = '2025-03-01' and cluster = 'Wonen'
"""


def at(clock: str) -> str:
    return MONDAY + clock


def source(**parts: Any) -> list[dict[str, Any]]:
    """The appointment log alone, with some of its declaration replaced."""
    return [{**APPOINTMENTS, **parts}]


def columns(**parts: Any) -> list[dict[str, Any]]:
    """The appointment log alone, with some of its columns declared otherwise."""
    return source(columns={**APPOINTMENTS["columns"], **parts})


# ── The wait, per visit ──────────────────────────────────────────────────────────────────────────

# what the record says, then: wait in seconds, why it has none, served early, wait from the later of planned and
# checked in. Planned at 09:00 unless told.
VISITS: dict[str, tuple[dict[str, str], tuple[int | None, str | None, bool | None, int | None]]] = {
    "helped on the dot": ({"started": at("09:00:00")}, (0, None, False, None)),
    "helped a second late": ({"started": at("09:00:01")}, (1, None, False, None)),
    "helped half an hour late": ({"started": at("09:30:00")}, (1800, None, False, None)),
    "helped a second early": ({"started": at("08:59:59")}, (0, None, True, None)),
    "helped an hour early": ({"started": at("08:00:00")}, (0, None, True, None)),
    "came early, helped late": (
        {"checked_in": at("08:40:00"), "started": at("09:05:00")},
        (300, None, False, 300),
    ),
    "came late, helped five minutes after": (
        {"checked_in": at("09:10:00"), "started": at("09:15:00")},
        (900, None, False, 300),
    ),
    "came early, helped early": (
        {"checked_in": at("08:40:00"), "started": at("08:50:00")},
        (0, None, True, 0),
    ),
    "started before checked in": (
        {"checked_in": at("09:06:00"), "started": at("09:05:00")},
        (300, None, False, 0),
    ),
    "started and not ended": ({"status": "busy", "started": at("09:05:00")}, (300, None, False, None)),
    "ended as it started": ({"started": at("09:05:00"), "ended": at("09:05:00")}, (300, None, False, None)),
    "ended before it started": (
        {"checked_in": at("08:55:00"), "started": at("09:05:00"), "ended": at("09:04:59")},
        (None, "impossible", None, None),
    ),
    "started two weeks late": ({"started": "2025-03-24 09:00:00"}, (None, "impossible", None, None)),
    "no-show": ({"status": "no_show"}, (None, "no_show", None, None)),
    "no-show with a start": (
        {"status": "no_show", "checked_in": at("09:00:00"), "started": at("09:20:00")},
        (None, "no_show", None, None),
    ),
    "cancelled": ({"status": "cancelled"}, (None, "cancelled", None, None)),
    "cancelled after it started": (
        {"status": "cancelled", "checked_in": at("09:00:00"), "started": at("09:20:00")},
        (None, "cancelled", None, None),
    ),
    "done without a start": ({"checked_in": at("09:00:00")}, (None, "not_started", None, None)),
    "waiting still": ({"status": "here", "checked_in": at("08:55:00")}, (None, "not_started", None, None)),
    "still to come": ({"status": "planned"}, (None, "not_started", None, None)),
    "walked in": (
        {"planned": "", "checked_in": at("10:00:00"), "started": at("10:20:00")},
        (None, "walk_in", None, None),
    ),
}


def test_every_visit_has_a_wait_beyond_its_planned_start_or_the_reason_for_having_none(tmp_path: Path) -> None:
    found = appointments(
        tmp_path,
        *(appointment(**{"planned": PLANNED, "id": name, **record}) for name, (record, _) in VISITS.items()),
        query="""
            select appointment_id, visitor_wait_seconds, visitor_wait_reason, is_served_early,
                arrival_based_wait_seconds
            from core.appointments
        """,
    )
    assert {name: tuple(rest) for name, *rest in found} == {name: expected for name, (_, expected) in VISITS.items()}


def test_those_without_a_wait_are_counted_apart_by_reason_and_are_in_no_mean(tmp_path: Path) -> None:
    records = [
        appointment(PLANNED, started=at("08:50:00"), checked_in=at("08:45:00")),
        appointment(PLANNED, started=at("09:06:00"), checked_in=at("09:02:00")),
        appointment(PLANNED, started=at("09:06:00")),
        appointment("", checked_in=at("10:00:00"), started=at("11:00:00")),
        *[appointment(PLANNED, "cancelled", started=at("11:00:00"))] * 2,
        *[appointment(PLANNED, "no_show", started=at("11:00:00"))] * 3,
        *[appointment(PLANNED, "planned")] * 4,
        *[appointment(PLANNED, started=at("11:00:00"), ended=at("10:00:00"))] * 5,
    ]
    write_appointments(tmp_path, "2025-03-31", records)
    with warehouse(settings_of(tmp_path)) as con:
        month = con.execute(MONTH_OF_WONEN).fetchall()
        mean = con.execute("select mean_wait_minutes from marts.visitor_wait_monthly").fetchall()
        figures = con.execute(
            """
            select variant, numerator, denominator, value, unit from marts.indicators
            where indicator = 'visitor_wait' and period_type = 'month' and dimension_type = 'cluster'
            order by variant
            """
        ).fetchall()
    assert month == [(18, 3, 720, 1, 1, 2, 3, 4, 5, 0)]
    assert mean == [(4.0,)]
    assert figures == [
        ("arrival_based", 4, 2, 2.0, "minutes"),
        ("headline", 12, 3, 4.0, "minutes"),
        ("served_early", 1, 3, pytest.approx(100 / 3), "percent"),
    ]


def test_helping_one_visitor_early_does_not_make_up_for_the_late_one(tmp_path: Path) -> None:
    figures = appointments(
        tmp_path,
        appointment(PLANNED, started=at("08:50:00")),
        appointment(PLANNED, started=at("09:10:00")),
        query="""
            select variant, value from marts.indicators
            where indicator = 'visitor_wait' and period_type = 'month' and dimension = 'all'
                and variant in ('headline', 'served_early')
            order by variant
        """,
    )
    assert figures == [("headline", 5.0), ("served_early", 50.0)]


def test_a_month_without_visits_or_check_ins_says_why_it_has_no_figure(tmp_path: Path) -> None:
    records = [
        appointment("2025-03-10 09:00:00", started=at("09:10:00")),  # nobody checked in
        appointment("2025-04-10 09:00:00", "no_show"),
        appointment("", checked_in="2025-04-10 09:00:00", started="2025-04-10 09:10:00"),
    ]
    figures = appointments(
        tmp_path,
        *records,
        export_day="2025-04-30",
        query="""
            select month(period), variant, value, value_reason from marts.indicators
            where indicator = 'visitor_wait' and period_type = 'month' and dimension = 'all'
            order by all
        """,
    )
    assert figures == [
        (3, "arrival_based", None, "no_check_ins"),
        (3, "headline", 10.0, None),
        (3, "served_early", 0.0, None),
        (4, "arrival_based", None, "no_check_ins"),
        (4, "headline", None, "no_visits"),
        (4, "served_early", None, "no_visits"),
    ]


def test_the_year_is_the_sum_of_its_months_and_not_the_mean_of_their_means(tmp_path: Path) -> None:
    figures = appointments(
        tmp_path,
        appointment("2025-02-10 09:00:00", started="2025-02-10 09:01:00"),
        appointment("2025-02-10 09:00:00", started="2025-02-10 09:01:00"),
        appointment("2025-02-10 09:00:00", started="2025-02-10 09:01:00"),
        appointment("2025-03-10 09:00:00", started="2025-03-10 09:09:00"),
        query="""
            select numerator, denominator, value from marts.indicators
            where indicator = 'visitor_wait' and variant = 'headline' and period_type = 'year' and dimension = 'all'
        """,
    )
    assert figures == [(12, 4, 3.0)]


def test_an_appointment_planned_for_a_day_without_a_time_has_a_lead_time_and_no_wait(tmp_path: Path) -> None:
    records = [
        appointment("2025-03-12", id="helped", booked=at("10:00:00"), started="2025-03-12 09:30:00"),
        appointment("2025-03-12", "no_show", id="no-show", booked=at("10:00:00")),
        appointment("2025-03-12", "planned", id="to come", booked=at("10:00:00")),
        appointment("2025-03-10", "planned", id="same day", booked=at("10:00:00")),
        appointment("2025-03-07", "planned", id="the day before", booked=at("10:00:00")),
    ]
    write_appointments(tmp_path, "2025-03-31", records)
    day = {"column": "planned", "format": "%Y-%m-%d", "day_only": True}
    with warehouse(settings_of(tmp_path, sources=columns(planned_start=day))) as con:
        found = con.execute(
            """
            select appointment_id, planned_date, is_walk_in, visitor_wait_reason,
                lead_time_working_days, lead_time_reason
            from core.appointments
            """
        ).fetchall()
        month = con.execute(MONTH_OF_WONEN).fetchall()
    assert {name: rest for name, *rest in found} == {
        "helped": [date(2025, 3, 12), False, "no_planned_time", 2, None],
        "no-show": [date(2025, 3, 12), False, "no_show", 2, None],
        "to come": [date(2025, 3, 12), False, "not_started", 2, None],
        "same day": [date(2025, 3, 10), False, "not_started", 0, None],
        "the day before": [date(2025, 3, 7), False, "not_started", None, "planned_before_booked"],
    }
    assert month == [(5, 0, 0, 0, 0, 0, 1, 3, 0, 1)]


def test_planned_and_started_in_the_same_minute_is_no_wait_where_the_export_has_only_minutes(tmp_path: Path) -> None:
    minutes = {
        "planned_start": {"column": "planned", "format": "%Y-%m-%d %H:%M"},
        "started_at": {"column": "started", "format": "%Y-%m-%d %H:%M"},
    }
    found = appointments(
        tmp_path,
        appointment("2025-03-10 09:00", started="2025-03-10 09:00"),
        appointment("2025-03-10 09:00", started="2025-03-10 09:01"),
        sources=columns(**minutes),
        query="select visitor_wait_seconds, is_served_early from core.appointments order by appointment_id",
    )
    assert found == [(0, False), (60, False)]


def test_without_a_status_column_whoever_started_was_helped(tmp_path: Path) -> None:
    without = {key: value for key, value in APPOINTMENTS["columns"].items() if key != "status"}
    found = appointments(
        tmp_path,
        appointment(PLANNED, "", started=at("09:05:00")),
        appointment(PLANNED, ""),
        sources=source(columns=without, statuses={}),
        query="select status, visitor_wait_seconds, visitor_wait_reason from core.appointments order by appointment_id",
    )
    assert found == [("completed", 300, None), ("planned", None, "not_started")]


def test_a_status_that_is_not_declared_is_quarantined_and_never_guessed(tmp_path: Path) -> None:
    records = [
        appointment(PLANNED, started=at("09:05:00")),
        appointment(PLANNED, "ended by reset", started=at("09:05:00")),
        appointment(PLANNED, "", started=at("09:05:00")),
    ]
    write_appointments(tmp_path, "2025-03-31", records)
    with warehouse(settings_of(tmp_path, sources=source(max_quarantined_share=1.0))) as con:
        kept = con.execute("select appointment_id, status from core.appointments").fetchall()
        why = con.execute("select line, column_name, reason, pattern from ops.quarantine").fetchall()
    assert kept == [("r1", "completed")]
    assert why == [
        (3, "status", "not one of the declared statuses", "aaaaa aa aaaaa"),
        (4, "status", "not one of the declared statuses", ""),
    ]


def test_an_appointment_still_to_come_is_seen_in_its_month_which_is_not_complete(tmp_path: Path) -> None:
    found = appointments(
        tmp_path,
        appointment(PLANNED, started=at("09:05:00")),
        appointment("2025-06-10 09:00:00", "planned"),
        query="""
            select month(month), appointments, not_started, complete from marts.visitor_wait_monthly
            where month > '2025-03-31' order by month
        """,
    )
    assert found == [(6, 1, 1, False)]


# ── The day and month to which it belongs ────────────────────────────────────────────────────────


def test_an_appointment_belongs_to_the_month_of_its_local_planned_date(tmp_path: Path) -> None:
    planned_in_utc = {
        "the last second of February": ("2025-02-28 22:59:59", date(2025, 2, 28)),
        "the first second of March": ("2025-02-28 23:00:00", date(2025, 3, 1)),
        "the last second of March, in summer time": ("2025-03-31 21:59:59", date(2025, 3, 31)),
        "half past eleven UTC is April already": ("2025-03-31 23:30:00", date(2025, 4, 1)),
        "before the clock goes forward": ("2025-03-30 00:59:59", date(2025, 3, 30)),
    }
    # all of them start in May: the month is that of the planned date
    records = [
        appointment(planned, "busy", id=name, booked="2025-01-10 09:00:00", started="2025-05-05 09:00:00")
        for name, (planned, _) in planned_in_utc.items()
    ]
    write_appointments(tmp_path, "2025-05-31", records)
    with warehouse(settings_of(tmp_path, sources=source(time_zone="UTC"))) as con:
        dates = con.execute("select appointment_id, planned_date from core.appointments").fetchall()
        switch = con.execute(
            "select planned_start_local from core.appointments where appointment_id like 'before the clock%'"
        ).fetchall()
        months = con.execute(
            "select month(month), appointments from marts.visitor_wait_monthly where appointments > 0 order by month"
        ).fetchall()
    assert dict(dates) == {name: expected for name, (_, expected) in planned_in_utc.items()}
    assert switch == [(datetime(2025, 3, 30, 1, 59, 59),)]
    assert months == [(2, 1), (3, 3), (4, 1)]


def test_a_walk_in_stands_apart_on_the_local_day_on_which_it_checked_in(tmp_path: Path) -> None:
    # in UTC: all of them are April already in Brussels
    walked_in = {
        "checked in": {"checked_in": "2025-03-31 22:30:00", "started": "2025-04-02 09:00:00", "booked": at("08:00:00")},
        "did not check in, and started": {"started": "2025-03-31 22:30:00", "booked": at("08:00:00")},
        "only put down": {"status": "here", "booked": "2025-03-31 22:30:00"},
    }
    write_appointments(
        tmp_path,
        "2025-04-30",
        [
            appointment(PLANNED, started=at("09:05:00")),
            *(appointment(**{"planned": "", "id": name, **fields}) for name, fields in walked_in.items()),
        ],
    )
    with warehouse(settings_of(tmp_path, sources=source(time_zone="UTC"))) as con:
        core = con.execute(
            "select appointment_id, visit_date, cluster, lead_time_reason from core.appointments where is_walk_in"
        ).fetchall()
        months = con.execute(
            """
            select month(month), appointments, visits, walk_ins from marts.visitor_wait_monthly
            where cluster = 'Wonen' order by month
            """
        ).fetchall()
        booked = con.execute("select coalesce(sum(booked), 0) from marts.appointment_lead_time_monthly").fetchall()
    assert {name: tuple(rest) for name, *rest in core} == dict.fromkeys(
        walked_in, (date(2025, 4, 1), "Wonen", "walk_in")
    )
    assert months == [(3, 1, 1, 0), (4, 3, 0, 3)]
    assert booked == [(0,)]  # a walk-in was not booked, whatever the export says


def test_an_appointment_planned_beyond_the_calendar_keeps_its_day_and_its_cluster(tmp_path: Path) -> None:
    # systems park appointments on a day far away; the calendar ends a year after the newest export
    parked = {"2027-06-01": date(2027, 6, 1), "2099-12-31": date(2099, 12, 31)}
    write_appointments(
        tmp_path,
        "2025-03-31",
        [
            appointment(PLANNED, started=at("09:05:00")),
            *(appointment(f"{day} 09:00:00", "planned", id=day, booked=at("08:00:00")) for day in parked),
        ],
    )
    with warehouse(settings_of(tmp_path)) as con:
        core = con.execute(
            """
            select appointment_id, planned_date, visit_date, cluster, lead_time_working_days, lead_time_reason
            from core.appointments where status = 'planned'
            """
        ).fetchall()
        months = con.execute(
            "select year(month), sum(appointments) from marts.visitor_wait_monthly group by 1 order by 1"
        ).fetchall()
    assert {name: tuple(rest) for name, *rest in core} == {
        name: (day, day, "Wonen", None, "outside_calendar") for name, day in parked.items()
    }
    assert months == [(2025, 1), (2027, 1), (2099, 1)]


# ── The cluster ──────────────────────────────────────────────────────────────────────────────────


def test_the_cluster_is_the_one_that_the_mapping_names_on_the_local_planned_date(tmp_path: Path) -> None:
    mapping = [
        {"cluster": "Wonen", "valid_from": "2024-01-01", "valid_to": "2025-03-14", "services": ["premium"]},
        {"cluster": "Energieloket", "valid_from": "2025-03-15", "valid_to": "2025-03-31", "services": ["premium"]},
        {"cluster": "OCMW", "valid_from": "2024-01-01", "services": ["budget"]},
    ]
    cases: dict[str, tuple[dict[str, str], str]] = {
        "on the last day of the old mapping": ({"planned": "2025-03-14 22:59:59"}, "Wonen"),
        "on the first day of the new one": ({"planned": "2025-03-14 23:00:00"}, "Energieloket"),
        "booked under the old one": (
            {"planned": "2025-03-20 09:00:00", "booked": "2025-03-03 09:00:00"},
            "Energieloket",
        ),
        "started under the new one": ({"planned": "2025-03-14 09:00:00", "started": "2025-03-15 09:00:00"}, "Wonen"),
        "on the last day of the new one": ({"planned": "2025-03-31 21:59:59"}, "Energieloket"),
        "when the mapping has ended": ({"planned": "2025-03-31 22:00:00"}, "unmapped"),
        "a service that is not mapped": ({"service": "laadpaal"}, "unmapped"),
        "a service in other letters": ({"service": "Premium"}, "unmapped"),
        "another service": ({"service": "budget"}, "OCMW"),
        "a walk-in, on the day it came": ({"planned": "", "checked_in": "2025-03-20 09:00:00"}, "Energieloket"),
    }
    write_appointments(
        tmp_path,
        "2025-04-30",
        [appointment(**{"planned": PLANNED, "id": name, **record}) for name, (record, _) in cases.items()],
    )
    with warehouse(settings_of(tmp_path, clusters=mapping, sources=source(time_zone="UTC"))) as con:
        found = con.execute("select appointment_id, cluster from core.appointments").fetchall()
        marts = con.execute(
            """
            select cluster, sum(appointments)::int from marts.visitor_wait_monthly group by cluster order by cluster
            """
        ).fetchall()
        shown = con.execute(
            "select distinct dimension from marts.indicators where dimension_type = 'cluster' order by 1"
        ).fetchall()
    assert dict(found) == {name: cluster for name, (_, cluster) in cases.items()}
    assert marts == [("Energieloket", 4), ("OCMW", 1), ("Wonen", 2), ("unmapped", 3)]
    assert shown == [("Energieloket",), ("OCMW",), ("Wonen",), ("unmapped",)]


def test_a_rescheduled_appointment_goes_to_the_cluster_and_month_of_its_newest_planned_date(tmp_path: Path) -> None:
    mapping = [
        {"cluster": "Wonen", "valid_from": "2024-01-01", "valid_to": "2025-03-31", "services": ["premium"]},
        {"cluster": "Energieloket", "valid_from": "2025-04-01", "services": ["premium"]},
    ]
    write_appointments(tmp_path, "2025-03-03", [appointment("2025-03-20 09:00:00", "planned", id="a")])
    write_appointments(
        tmp_path, "2025-04-30", [appointment("2025-04-10 09:00:00", id="a", started="2025-04-10 09:02:00")]
    )
    with warehouse(settings_of(tmp_path, clusters=mapping)) as con:
        found = con.execute(
            "select cluster, visit_date, visitor_wait_seconds, first_planned_date from core.appointments"
        ).fetchall()
    assert found == [("Energieloket", date(2025, 4, 10), 120, date(2025, 3, 20))]


def test_several_services_are_one_observation_in_the_cluster_of_the_first(tmp_path: Path) -> None:
    mapping = [
        {"cluster": "Wonen", "valid_from": "2024-01-01", "services": ["premium"]},
        {"cluster": "Burgerzaken", "valid_from": "2024-01-01", "services": ["reispas"]},
    ]
    services = {
        "premium + reispas": ("premium", "Wonen"),
        "reispas+premium+premium": ("reispas", "Burgerzaken"),
        "reispas": ("reispas", "Burgerzaken"),
    }
    write_appointments(
        tmp_path,
        "2025-03-31",
        [appointment(PLANNED, id=named, service=named, started=at("09:05:00")) for named in services],
    )
    declared = columns(service_separator="+")
    with warehouse(settings_of(tmp_path, clusters=mapping, sources=declared)) as con:
        found = con.execute("select appointment_id, service, cluster from core.appointments").fetchall()
        visits = con.execute("select cluster, visits from marts.visitor_wait_monthly order by cluster").fetchall()
    assert {named: tuple(rest) for named, *rest in found} == services
    assert visits == [("Burgerzaken", 2), ("Wonen", 1)]


# ── The norm ─────────────────────────────────────────────────────────────────────────────────────


def test_every_cluster_is_held_against_its_own_norm_which_is_met_at_exactly_its_value(tmp_path: Path) -> None:
    norms = {"Burgerzaken": "1", "Energieloket": "5", "Mobiliteit": "2", "OCMW": "10"}
    declared = {
        "norms": [
            {"indicator": "visitor_wait", "cluster": cluster, "operator": "<=", "value": value}
            | {"valid_from": "2016-01-01", "source": "a test"}
            for cluster, value in norms.items()
        ]
    }
    mapping = [
        {"cluster": cluster, "valid_from": "2024-01-01", "services": [cluster.lower()]}
        for cluster in [*norms, "Omgeving"]
    ]
    # waits in seconds of the visits of each cluster: mean exactly at the norm, or beyond it by the least there is
    waits = {
        "Burgerzaken": ["01:00", "00:20", "01:40"],
        "Energieloket": ["10:00", "00:00.001"],
        "Mobiliteit": ["02:00.001"],
        "OCMW": ["09:59.999"],
        "Omgeving": ["59:00"],
    }
    write_appointments(
        tmp_path,
        "2025-03-31",
        [
            appointment(PLANNED, service=cluster.lower(), started=at(f"09:{wait}" + ("" if "." in wait else ".000")))
            for cluster, some in waits.items()
            for wait in some
        ],
    )
    started = {"column": "started", "format": "%Y-%m-%d %H:%M:%S%.f"}
    with warehouse(
        settings_of(tmp_path, clusters=mapping, action_plan=declared, sources=columns(started_at=started))
    ) as con:
        found = con.execute(
            """
            select dimension, numerator, denominator, norm_operator, norm_value, norm_met from marts.indicators
            where indicator = 'visitor_wait' and period_type = 'month' and variant = 'headline'
            order by dimension
            """
        ).fetchall()
        elsewhere = con.execute(
            """
            select count(*), count(norm_value), count(norm_met) from marts.indicators
            where indicator = 'visitor_wait' and not (period_type = 'month' and variant = 'headline')
            """
        ).fetchall()
    beyond = [numerator for _, numerator, *_ in found]
    assert found == [
        ("Burgerzaken", 3, 3, "<=", 1, True),
        ("Energieloket", beyond[1], 2, "<=", 5, False),
        ("Mobiliteit", beyond[2], 1, "<=", 2, False),
        ("OCMW", beyond[3], 1, "<=", 10, True),
        ("Omgeving", 59, 1, None, None, None),
        ("all", beyond[5], 8, None, None, None),
    ]
    assert elsewhere[0][0] > 0
    assert elsewhere[0][1:] == (0, 0)


def test_a_month_is_held_against_the_norm_valid_on_its_last_day_and_the_past_keeps_its_own(tmp_path: Path) -> None:
    def norm(value: int, valid_from: str) -> dict[str, Any]:
        return {"indicator": "visitor_wait", "cluster": "Wonen", "operator": "<=", "value": value} | {
            "valid_from": valid_from,
            "source": "a test",
        }

    declared = {"norms": [norm(2, "2025-03-01"), norm(5, "2025-02-01"), norm(9, "2025-05-01")]}
    found = appointments(
        tmp_path,
        *(
            appointment(f"2025-{month:02}-10 09:00:00", started=f"2025-{month:02}-10 09:04:00")
            for month in (1, 2, 3, 4, 5)
        ),
        appointment("2025-06-10 09:00:00", "no_show"),
        export_day="2025-06-30",
        action_plan=declared,
        query="""
            select month(period), norm_value, norm_met from marts.indicators
            where indicator = 'visitor_wait' and variant = 'headline' and period_type = 'month'
                and dimension = 'Wonen'
            order by period
        """,
    )
    # June had no visit: it neither meets its norm nor misses it
    assert found == [(1, None, None), (2, 5, True), (3, 2, False), (4, 2, False), (5, 9, True), (6, 9, None)]


def test_an_appointment_excluded_by_a_named_rule_is_in_no_figure(tmp_path: Path) -> None:
    write_appointments(
        tmp_path,
        "2025-03-31",
        [
            appointment(PLANNED, id="counted", started=at("09:05:00")),
            appointment(PLANNED, id="a test", service="TEST", started=at("11:00:00")),
        ],
    )
    declared = source(exclude=[{"rule": "test_appointment", "column": "service", "values": ["TEST"]}])
    with warehouse(settings_of(tmp_path, sources=declared)) as con:
        core = con.execute("select appointment_id from core.appointments").fetchall()
        ledger = con.execute("select records, accepted, excluded from ops.ledger").fetchall()
    assert core == [("counted",)]
    assert ledger == [(2, 1, 1)]
