"""Qmatic's Data Connect tables. The fixtures in tests/formats are synthetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.settings import ROOT, Settings
from tests.city import settings_of, warehouse

FORMATS = ROOT / "tests" / "formats"
APPOINTMENTS = (FORMATS / "qmatic_appointments.csv").read_text(encoding="utf-8")
VISITS = (FORMATS / "qmatic_visits.csv").read_text(encoding="utf-8")


def source(name: str, known: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "appointments",
        "format": known,
        "files": f"{name}_*.csv",
        "time_zone": "Europe/Brussels",
        "export": {"pattern": name + r"_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "20:00"},
        **changes,
    }


PLANNED = source("plans", "qmatic_appointments")
HAPPENED = source("visits", "qmatic_visits", visits_of="plans")


def city(folder: Path, plans: str = APPOINTMENTS, visits: str = VISITS, **changes: Any) -> Settings:
    (folder / "exports").mkdir(exist_ok=True)
    (folder / "exports" / "plans_2025-03-10.csv").write_text(plans, encoding="utf-8")
    (folder / "exports" / "visits_2025-03-10.csv").write_text(visits, encoding="utf-8")
    return settings_of(folder, sources=[{**PLANNED, **changes}, HAPPENED])


def rows(settings: Settings, columns: str) -> dict[str, tuple[Any, ...]]:
    with warehouse(settings) as con:
        found = con.execute(f"select appointment_id, {columns} from core.appointments").fetchall()
    return {row[0]: row[1:] for row in found}


def test_a_visit_waits_from_the_plan_in_one_table_to_the_call_in_the_other(tmp_path: Path) -> None:
    columns = "source, service, status, visitor_wait_seconds::double, visitor_wait_reason, records"
    assert rows(city(tmp_path), columns) == {
        "501": ("plans", "Rijbewijs", "completed", 390, None, 4),  # by the second call, which was answered
        "502": ("plans", "Rijbewijs", "no_show", None, "no_show", 2),
        "503": ("plans", "Huursubsidie", "cancelled", None, "cancelled", 1),
        "504": ("plans", "Huursubsidie", "completed", 0, None, 2),
        "505": ("plans", "Rijbewijs", "checked_in", None, "not_started", 2),
        "visits visit 9007": ("plans", "Reispas", "completed", None, "walk_in", 1),
        "777": ("plans", "Reispas", "completed", None, "no_planned_time", 1),
    }


def test_lead_time_and_arrival_come_from_the_table_that_knows_them(tmp_path: Path) -> None:
    columns = "lead_time_working_days, strftime(checked_in_at_utc, '%H:%M:%S'), arrival_based_wait_seconds::double"
    found = rows(city(tmp_path), columns)
    assert found["501"] == (5, "07:55:10", 390)
    assert found["504"] == (3, "08:40:00", 0)


def test_every_record_of_both_tables_is_accepted_and_none_is_lost(tmp_path: Path) -> None:
    with warehouse(city(tmp_path)) as con:
        ledger = con.execute("select source, records, accepted from ops.ledger order by source").fetchall()
        (complete,) = con.execute(
            "select complete from marts.visitor_wait_monthly where month = '2025-03-01' limit 1"
        ).fetchall()
    assert ledger == [("plans", 5, 5), ("visits", 8, 8)]
    assert complete == (False,)  # one day is no month


def test_a_visit_that_was_corrected_is_not_counted_twice(tmp_path: Path) -> None:
    header = VISITS.splitlines()[0]
    settings = city(tmp_path, visits=f"{header}\n9001,,Rijbewijs,2025-03-10,08:55:10,09:04:00,09:05:00,NORMAL\n")
    corrected = f"{header}\n9001,501,Rijbewijs,2025-03-10,08:55:10,09:04:00,09:05:00,NORMAL\n"
    (tmp_path / "exports" / "visits_2025-03-11.csv").write_text(corrected, encoding="utf-8")
    with warehouse(settings) as con:
        found = con.execute("select appointment_id, records from core.appointments where is_walk_in or records > 1")
        assert found.fetchall() == [("501", 2)]
        assert con.execute("select sum(superseded) from ops.ledger").fetchall() == [(1,)]


def test_two_logs_of_visits_may_number_their_walk_ins_alike(tmp_path: Path) -> None:
    settings = city(tmp_path)
    kiosk = {**source("kiosk", "qmatic_visits", visits_of="plans")}
    (tmp_path / "exports" / "kiosk_2025-03-10.csv").write_text(VISITS, encoding="utf-8")
    both = settings_of(tmp_path, sources=[*(one.model_dump(by_alias=True) for one in settings.sources), kiosk])
    with warehouse(both) as con:
        found = con.execute("select appointment_id from core.appointments where is_walk_in order by 1").fetchall()
    assert found == [("kiosk visit 9007",), ("visits visit 9007",)]


def test_a_visit_for_an_excluded_appointment_is_excluded_with_it(tmp_path: Path) -> None:
    rule = {"rule": "test", "column": "appointment_id", "values": ["501"]}
    with warehouse(city(tmp_path, exclude=[rule])) as con:
        assert con.execute("select count(*) from core.appointments where appointment_id = '501'").fetchall() == [(0,)]
        assert con.execute("select source, excluded from ops.ledger order by 1").fetchall() == [
            ("plans", 1),
            ("visits", 3),
        ]


def test_an_unknown_status_is_quarantined_until_the_city_says_what_it_means(tmp_path: Path) -> None:
    plans = APPOINTMENTS.replace("Created", "Unknown")
    with warehouse(city(tmp_path, plans, max_quarantined_share=1)) as con:
        assert con.execute("select column_name, reason from ops.quarantine").fetchall() == [
            ("status", "not one of the declared statuses")
        ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"visits_of": None}, "a log of visits, each with an id of its own"),
        ({"visits_of": "visits"}, "expected a source of appointments that has no visits_of itself"),
        ({"visits_of": "nobody"}, "expected a source of appointments that has no visits_of itself"),
    ],
    ids=["without the appointments", "of itself", "of a source that is not there"],
)
def test_a_log_of_visits_names_the_log_of_their_appointments(
    tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        settings_of(tmp_path, sources=[PLANNED, {**HAPPENED, **changes}])
