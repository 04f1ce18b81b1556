"""Appointments as the REST interfaces of Qmatic and JCC give them. The fixtures in tests/formats are synthetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import ROOT, Settings
from tests.city import read_all, settings_of, warehouse

FORMATS = ROOT / "tests" / "formats"


def city(folder: Path, known: str, content: str | None = None, **changes: Any) -> Settings:
    source = {
        "name": "plans",
        "kind": "appointments",
        "format": known,
        "files": "plans_*.json",
        "time_zone": "Europe/Brussels",
        "export": {"pattern": r"plans_(?P<stamp>\d{4}-\d{2}-\d{2})", "format": "%Y-%m-%d", "time": "20:00"},
        "max_quarantined_share": 1,
        **changes,
    }
    (folder / "exports").mkdir(exist_ok=True)
    export = (FORMATS / f"{known}.json").read_bytes() if content is None else content.encode()
    (folder / "exports" / "plans_2025-03-10.json").write_bytes(export)
    return settings_of(folder, sources=[source])


def rows(settings: Settings) -> list[tuple[Any, ...]]:
    with warehouse(settings) as con:
        return con.execute(
            """
            select
                appointment_id, service, status, booked_local::varchar, planned_start_local::varchar,
                lead_time_working_days, visitor_wait_reason
            from core.appointments order by appointment_id
            """
        ).fetchall()


def test_three_encodings_of_time_in_one_object_of_qmatic_are_read_rightly(tmp_path: Path) -> None:
    assert rows(city(tmp_path, "qmatic_rest")) == [
        *[("d50517a0", "Rijbewijs", "planned", "2025-03-03 15:05:00.117", "2025-03-10 09:30:00", 5, "not_started")],
        *[("d50517a1", "Huursubsidie", "planned", "2025-03-07 15:00:00", "2025-03-11 10:00:00", 2, "not_started")],
    ]


def test_a_number_of_a_status_that_nobody_explained_is_quarantined_until_the_city_does(tmp_path: Path) -> None:
    store = read_all(city(tmp_path, "qmatic_rest"))
    assert [receipt.first_quarantine for receipt in store.receipts] == [
        "line 3, status: not one of the declared statuses"
    ]
    told = city(tmp_path, "qmatic_rest", statuses={"60": "cancelled"})
    assert [row[2] for row in rows(told)] == ["planned", "planned", "cancelled"]


def test_several_products_and_persons_of_jcc_are_one_appointment_of_the_first_product(tmp_path: Path) -> None:
    assert rows(city(tmp_path, "jcc_rest")) == [
        (
            *("23b74955", "Omgevingsvergunning (aanvraag)", "planned"),
            *("2025-03-03 14:31:02.527", "2025-03-10 09:30:00", 5, "not_started"),
        ),
        ("23b74956", "Reispas", "planned", "2025-03-10 08:46:19.35", "2025-03-11 11:00:00", 1, "not_started"),
    ]


@pytest.mark.parametrize(
    ("known", "removed", "named"),
    [
        ("qmatic_rest", '"publicId"', "publicId"),
        ("jcc_rest", '"creationDateTime"', "creationDateTime"),
    ],
)
def test_an_answer_in_which_a_field_has_another_name_is_refused_by_its_name(
    tmp_path: Path, known: str, removed: str, named: str
) -> None:
    content = (FORMATS / f"{known}.json").read_text(encoding="utf-8").replace(removed, '"renamed"')
    (receipt,) = read_all(city(tmp_path, known, content)).receipts
    assert receipt.status == "refused"
    assert f"column '{named}'" in (receipt.reason or "")


@pytest.mark.parametrize("known", ["qmatic_rest", "jcc_rest"])
def test_nothing_of_customers_is_taken_over(tmp_path: Path, known: str) -> None:
    store = read_all(city(tmp_path, known, statuses={"60": "cancelled"}))
    kept = b"".join(path.read_bytes() for path in store.records.rglob("*.parquet"))
    assert not [word for word in (b"Voorbeeld", b"Fictief", b"04700000", b"Geboekt") if word in kept]
