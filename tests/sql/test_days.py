"""What became of each day stands in one place: it has data, is missing, failed, or was closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.city import (
    APPOINTMENTS,
    CALLS,
    appointment,
    call,
    read_all,
    settings_of,
    warehouse,
    write_appointments,
    write_calls,
)

MARCH = {"centre": {"name": "Testdorp", "start": "2025-03-01"}}


def states(folder: Path, source: str = "phone", **parts: Any) -> dict[str, str]:
    """The state of each day of a source, by weekday and day of the month. 3 March 2025 is a Monday."""
    with warehouse(settings_of(folder, **MARCH, **parts)) as con:
        query = "select strftime(date, '%a %d'), state from ops.days where source = ? order by date"
        return dict(con.execute(query, [source]).fetchall())


def test_days_have_data_are_missing_were_closed_or_have_not_ended(tmp_path: Path) -> None:
    closure = {"date": "2025-03-05", "service_points": ["telephone"], "kind": "closure", "reason": "storm"}
    for day in ("03", "06", "07", "10"):
        write_calls(tmp_path, f"2025-03-{day}", [call(f"2025-03-{day} 10:00:00")])
    assert states(tmp_path, calendar={"closures": [closure]}) == {
        "Mon 03": "data",
        "Tue 04": "missing",
        "Wed 05": "closed",
        "Thu 06": "data",
        "Fri 07": "data",
        "Sat 08": "closed",
        "Sun 09": "closed",
        "Mon 10": "not_ended",  # its export was made at 20:00
    }


def test_a_day_whose_export_is_refused_failed_until_it_comes_again(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    broken = write_calls(tmp_path, "2025-03-04", [call("2025-03-04 10:00:00")])
    whole = broken.read_text()
    broken.write_text("<html>\n")
    write_calls(tmp_path, "2025-03-05", [call("2025-03-05 10:00:00")])
    write_calls(tmp_path, "2025-03-06", [call("2025-03-06 10:00:00")])
    assert states(tmp_path) == {"Mon 03": "data", "Tue 04": "failed", "Wed 05": "data", "Thu 06": "not_ended"}
    broken.write_text(whole)
    assert states(tmp_path)["Tue 04"] == "data"


def test_a_refused_export_of_a_day_that_another_one_tells_is_counted_and_the_day_has_data(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    write_calls(tmp_path, "2025-03-03", [], suffix="_again").write_text("<html>\n")
    write_calls(tmp_path, "2025-03-04", [call("2025-03-04 10:00:00", id="a"), call("2025-03-04 11:00:00", id="b")])
    with warehouse(settings_of(tmp_path, **MARCH)) as con:
        rows = con.execute(
            "select day(date), state, records, files, files_not_in from ops.days order by date"
        ).fetchall()
    assert rows == [(3, "data", 1, 1, 1), (4, "not_ended", 2, 1, 0)]


def test_a_refused_export_made_on_a_closed_day_failed(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-07", [call("2025-03-07 10:00:00")])
    write_calls(tmp_path, "2025-03-08", []).write_text("<html>\n")
    write_calls(tmp_path, "2025-03-10", [call("2025-03-10 10:00:00")])
    assert states(tmp_path) == {"Fri 07": "data", "Sat 08": "failed", "Sun 09": "closed", "Mon 10": "not_ended"}


def test_a_day_of_which_only_an_export_before_closing_tells_is_partial(tmp_path: Path) -> None:
    noon = {**CALLS, "export": {**CALLS["export"], "time": "12:00"}}
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    write_calls(tmp_path, "2025-03-04", [call("2025-03-04 10:00:00")])
    assert states(tmp_path, sources=[noon]) == {"Mon 03": "partial", "Tue 04": "not_ended"}


def test_a_day_without_declared_hours_says_so(tmp_path: Path) -> None:
    hours = [{"service_point": "telephone", "valid_from": "2025-03-04", "tuesday": ["09:00-16:00"]}]
    write_calls(tmp_path, "2025-03-03", []).write_text("<html>\n")
    write_calls(tmp_path, "2025-03-04", [call("2025-03-04 10:00:00")])
    write_calls(tmp_path, "2025-03-05", [call("2025-03-05 10:00:00")])
    found = states(tmp_path, sources=[{**CALLS, "covers_days": 3}], hours=hours)
    assert found["Tue 04"] == "data"
    assert found["Mon 03"] == "failed"
    (tmp_path / "exports" / "calls_2025-03-03.csv").unlink()
    (tmp_path / "data").rename(tmp_path / "before")
    assert states(tmp_path, sources=[{**CALLS, "covers_days": 3}], hours=hours)["Mon 03"] == "no_hours"


def test_visits_are_told_from_the_first_day_of_which_they_are_known_not_from_the_first_booking(tmp_path: Path) -> None:
    booked = {"booked": "2025-01-07 10:00:00", "started": "2025-03-03 10:00:00", "ended": "2025-03-03 10:10:00"}
    visits = [appointment("2025-03-03 10:00:00", **booked)]
    sources = [{**APPOINTMENTS, "covers": ["planned", "booked"], "covers_days": 1}]
    write_appointments(tmp_path, "2025-03-03", visits)
    write_appointments(tmp_path, "2025-03-04", [])
    assert states(tmp_path, "desk", sources=sources) == {"Mon 03": "data", "Tue 04": "not_ended"}


def test_a_source_is_told_only_on_the_days_on_which_it_is_expected(tmp_path: Path) -> None:
    late = {**CALLS, "valid_from": "2025-03-04", "valid_to": "2025-03-05"}
    for day in ("03", "04", "06"):
        write_calls(tmp_path, f"2025-03-{day}", [call(f"2025-03-{day} 10:00:00")])
    assert states(tmp_path, sources=[late]) == {"Tue 04": "data", "Wed 05": "missing"}


def test_a_source_that_never_delivered_has_no_days(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-03", [call("2025-03-03 10:00:00")])
    settings = settings_of(tmp_path, **MARCH)
    read_all(settings)
    assert states(tmp_path, "desk") == {}


def test_files_without_a_date_that_are_refused_make_no_days(tmp_path: Path) -> None:
    refused = write_calls(tmp_path, "2025-03-03", [])
    refused.rename(refused.with_name("calls_of_march.csv"))
    assert states(tmp_path) == {}
    write_appointments(tmp_path, "2025-03-04", [appointment("2025-03-04 10:00:00")])
    assert states(tmp_path) == {}
    assert states(tmp_path, "desk") != {}


def test_a_first_file_that_is_refused_is_a_failed_day(tmp_path: Path) -> None:
    write_calls(tmp_path, "2025-03-03", []).write_text("<html>502 Bad Gateway</html>\n")
    assert states(tmp_path) == {"Mon 03": "failed"}
