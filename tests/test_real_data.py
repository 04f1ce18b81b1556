"""Real logs that nobody here wrote, read by declaration alone. Skipped where the data are not at hand."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from assets.tripwires import Blocked
from pipelines.settings import ROOT, Folders, Settings, Tripwires, load_settings
from tests.city import publish, warehouse

DATA = ROOT.parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real logs are not at hand; they may not be copied here")


def settings_for(name: str, folder: str, tmp_path: Path) -> Settings:
    settings = load_settings(Path(__file__).parent / "real_data" / f"{name}.toml")
    return settings.model_copy(update={"folders": Folders(exports=DATA / folder, data=tmp_path)})


@contextmanager
def built(name: str, folder: str, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse(settings_for(name, folder, tmp_path)) as con:
        yield con


def ledger(con: duckdb.DuckDBPyConnection) -> tuple[int, ...]:
    columns = "records, accepted, excluded, duplicates, superseded, quarantined"
    return con.execute(f"select {columns} from ops.ledger where status = 'loaded'").fetchall()[0]


def test_a_call_centres_log_of_1999(tmp_path: Path) -> None:
    with built("bank", "anonymous_bank_1999", tmp_path) as con:
        assert ledger(con) == (23_668, 23_469, 199, 0, 0, 0)  # 199 are PHANTOM, "to be ignored"

        # records, hang-ups and mean queue time a day, as somebody else computed them from the same log
        theirs = DATA / "anonymous_bank_1999" / "third_party_daily_metrics_1999-08-01_15.csv"
        with theirs.open(newline="") as stream:
            expected = [
                (row["date"], int(row["total_calls"]), int(row["hangs"]), float(row["avg_queue_time"]))
                for row in csv.DictReader(stream)
            ]
        ours = con.execute(
            """
            select
                arrived_date::varchar, sum(legs)::int, sum(legs_reported_missed)::int,
                (sum(queue_wait_seconds) / count(*))::double
            from core.calls group by arrived_date order by arrived_date
            """
        ).fetchall()
        assert [row[:3] for row in ours] == [row[:3] for row in expected]
        assert [row[3] for row in ours] == pytest.approx([row[3] for row in expected], abs=0.005)

        # the documented hours are wrong on Fridays: 66 calls were answered between 14:00 and 15:00
        fridays = """
            select count(*) from core.calls
            where outcome = 'outside_hours' and is_answered and isodow(arrived_date) = 5 and hour(arrived_local) = 14
        """
        assert con.execute(fridays).fetchall() == [(66,)]

        without_service_start = "select count(*) from core.calls where is_answered and wait_seconds is null"
        assert con.execute(without_service_start).fetchall() == [(22,)]
        assert con.execute("select count(*) from core.calls where speed_bucket = 'unknown'").fetchall() == [(22,)]

        figures = dict(
            con.execute(
                """
                select indicator || ' ' || variant, round(value, 2) from marts.indicators
                where dimension_type = 'all' and period_type = 'month'
                """
            ).fetchall()
        )
        missed, offered, mean_queue_wait = bank_by_hand()
        assert figures["missed_calls headline"] == pytest.approx(100 * missed / offered, abs=0.005) == 31.16
        assert figures["missed_calls reported"] == pytest.approx(100 * 7_581 / 23_668, abs=0.005) == 32.03
        assert figures["telephone_wait headline"] == 121.44  # from dialling in …
        assert figures["telephone_wait queue_wait"] == pytest.approx(mean_queue_wait, abs=0.005) == 115.2


def test_a_tight_threshold_points_at_the_hour_in_which_the_documented_calendar_is_wrong(tmp_path: Path) -> None:
    settings = settings_for("bank", "anonymous_bank_1999", tmp_path)
    tight = Tripwires(answered_outside_hours_share=Decimal("0.001"))
    settings = settings.model_copy(update={"tripwires": tight})
    with pytest.raises(Blocked) as blocked:
        publish(settings)
    assert str(blocked.value).startswith(
        "0.5 % of the answered calls of source 'bank' in August 1999 lie outside the opening hours (84 of 15888), most "
        "on Fridays 14-15 h: is the zone or the calendar right?"
    )


def bank_by_hand() -> tuple[int, int, float]:
    """Missed and offered calls inside the documented hours, and the mean queue time of the answered ones.

    Counted with nothing but the csv module.
    """
    missed = offered = queued = 0
    with next((DATA / "anonymous_bank_1999").glob("calls_*.csv")).open(newline="") as stream:
        for row in csv.DictReader(stream):
            hour, weekday = int(row["vru_entry"].split(":")[0]), date.fromisoformat(row["date"]).weekday()
            opens, closes = {4: (7, 14), 5: (20, 24)}.get(weekday, (7, 24))
            if row["outcome"] != "PHANTOM" and opens <= hour < closes:
                offered += 1
                missed += row["outcome"] == "HANG"
                queued += int(row["q_time"]) * (row["outcome"] == "AGENT")
    return missed, offered, queued / (offered - missed)


def test_appointments_with_a_planned_day_and_no_time(tmp_path: Path) -> None:
    with built("noshow", "noshow_vitoria_2016", tmp_path) as con:
        assert ledger(con) == (110_527, 110_527, 0, 0, 0, 0)
        assert con.execute("select count(*) from core.appointments where status = 'no_show'").fetchall() == [(22_319,)]
        reasons = (
            "select lead_time_reason, count(*) from core.appointments where lead_time_reason is not null group by 1"
        )
        assert con.execute(reasons).fetchall() == [("planned_before_booked", 5)]
        same_day = "select count(*) from core.appointments where booked_date = planned_date"
        assert con.execute(same_day).fetchall() == [(38_563,)]
        assert con.execute("select count(visitor_wait_seconds) from core.appointments").fetchall() == [(0,)]


def test_a_workbook_with_days_as_text_and_times_as_fractions_of_a_day(tmp_path: Path) -> None:
    with built("phonenow", "phonenow_calls_2021", tmp_path) as con:
        assert ledger(con) == (5_000, 5_000, 0, 0, 0, 0)
        answered = (
            "select is_answered, count(*), round(avg(wait_seconds), 2)::double from core.calls group by 1 order by 1"
        )
        assert con.execute(answered).fetchall() == [(False, 946, None), (True, 4_054, 67.52)]
        hours = "select min(arrived_local::time)::varchar, max(arrived_local::time)::varchar from core.calls"
        assert con.execute(hours).fetchall() == [("09:00:00", "18:00:00")]


def test_the_sign_rule_decides_the_norm(tmp_path: Path) -> None:
    with built("operating_rooms", "or_utilization_2022q1", tmp_path) as con:
        assert ledger(con) == (2_172, 2_172, 0, 0, 0, 0)
        clamped_and_signed = """
            select
                round(avg(visitor_wait_seconds) / 60, 2),
                round(avg(date_diff('minute', planned_start_utc, started_at_utc)), 2)
            from core.appointments
        """
        assert con.execute(clamped_and_signed).fetchall() == [(36.28, 35.54)]
        assert con.execute(clamped_and_signed + " where service = 'Ophthalmology'").fetchall() == [(0.99, -3.67)]
        totals = con.execute("select sum(visits), sum(wait_seconds_sum) from marts.visitor_wait_monthly").fetchall()
        assert totals == [(2_172, Decimal(60 * 78_799))]  # 78,799 minutes
