"""Persons stay in the export: planted in every field, searched for in everything that a night keeps or says."""

from __future__ import annotations

import os
import re
import stat
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets import canonical
from pipelines.location import build_definitions
from pipelines.schedule import RANGE_END, RANGE_START
from pipelines.settings import ROOT
from schemas.records import AppointmentRecord, CallRecord
from tests.city import CALLS, call, settings_of, write_calls
from tests.planted import CARRIED, PARTS, layers, parts_in, plant, settings_text
from tests.sample import City

PAGE = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")


@dataclass
class Planted:
    """A city whose exports are full of persons, after its night, and all that was said."""

    city: City
    said: dict[str, str]

    def kept(self) -> list[Path]:
        """Every file below the city but the exports themselves."""
        exports = self.city.folder / "exports"
        return [path for path in self.city.folder.rglob("*") if path.is_file() and exports not in path.parents]

    def private(self) -> list[Path]:
        return [path for path in self.kept() if self.city.folder / "data" / "private" in path.parents]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    city = City(tmp_path_factory.mktemp("planted"))
    plant(city.folder / "exports")
    settings = city.folder / "city.toml"
    settings.write_text(settings_text(), encoding="utf-8")
    city.environment |= {"KCC_SETTINGS": str(settings), "KCC_EXPORTS": str(city.folder / "exports")}
    files = [str(path) for path in sorted((city.folder / "exports").rglob("*.csv*"))]
    said = {}
    before = os.umask(0o022)
    try:
        for words in (["run"], ["run", "--json"], ["status"], ["status", "--json"]):
            told = city.kcc(*words)
            said[" ".join(words)] = f"{told.returncode}\n{told.stdout}\n{told.stderr}"
        for words in (["check"], ["check", "--json"]):
            told = city.kcc(*words, *files)
            said[" ".join(words)] = f"{told.returncode}\n{told.stdout}\n{told.stderr}"
    finally:
        os.umask(before)
    return Planted(city, said)


def test_the_night_read_refused_and_deferred_what_it_should_so_that_the_search_means_something(
    planted: Planted,
) -> None:
    status = dict(planted.city.ask("select status, count(*) from ops.ledger group by 1"))
    assert status == {"loaded": 4, "refused": 12, "deferred": 4}
    ((quarantined, accepted),) = planted.city.ask("select sum(quarantined), sum(accepted) from ops.ledger")
    assert quarantined > 300
    assert accepted > 100
    assert all(said.startswith("1\n") for said in planted.said.values())
    assert len({part for path in planted.private() for part in parts_in(path.read_bytes())}) == len(PARTS)


def test_no_person_is_in_anything_that_was_kept_outside_private_or_said(planted: Planted) -> None:
    private = set(planted.private())
    searched = 0
    found: dict[str, set[str]] = defaultdict(set)
    for path in planted.kept():
        if path not in private:
            name = path.relative_to(planted.city.folder).as_posix()
            found["a file's name"] |= parts_in(name)
            for layer, data in layers(path):
                searched += len(data)
                found[f"{name} ({layer})"] |= parts_in(data)
    for what, text in planted.said.items():
        searched += len(text)
        found[f"what `kcc {what}` said"] |= parts_in(text)
    assert {place: parts for place, parts in found.items() if parts} == {}
    assert searched > 5_000_000
    print(f"searched {searched:,} bytes of {len(planted.kept()) - len(private)} files")


PUBLISHED = {
    "oproep_id": {"core.calls.call_id"},
    "wachtrij": {
        *["core.calls.queue", "marts.answer_speed_monthly.queue", "marts.indicators.dimension"],
        *["marts.calls_daily.queue", "marts.calls_quarter_hourly.queue"],
        *["marts.missed_calls_monthly.queue", "marts.missed_calls_yearly.queue", "marts.telephone_wait_monthly.queue"],
    },
    "afspraak_id": {"core.appointments.appointment_id"},
    "dienst": {"core.appointments.service", "ops.tripwires.sentence"},
    "kanaal": {
        *["core.appointments.booking_channel", "marts.appointment_lead_time_monthly.booking_channel"],
        "marts.indicators.dimension",
    },
    "the file's name": {
        *["core.calls.file_name", "core.appointments.file_name", "ops.ledger.file_name", "ops.quarantine.file_name"],
        *["ops.tripwires.sentence", "ops.restatements.why"],
    },
}
"""Where the values of declared text columns are published, as the export has them; and nothing else of an export is."""


def test_what_is_published_as_the_export_has_it_is_known_column_by_column(planted: Planted) -> None:
    found: dict[str, set[str]] = {column: set() for column in CARRIED}
    (version,) = (planted.city.folder / "data" / "warehouse").glob("kcc.duckdb")
    for layer, data in layers(version):
        for column, value in CARRIED.items():
            if layer not in ("bytes", "comments") and parts_in(data, [value]):
                found[column].add(layer)
    for column, places in found.items():
        assert places, column
        assert places <= PUBLISHED[column], column


def test_the_page_for_the_data_protection_officer_names_everything_that_is_published_as_it_is() -> None:
    table = PAGE.split("## What is published as the export has it")[1].split("##")[0]
    named = set(re.findall(r"`((?:core|marts|ops)\.\w+\.\w+)`", table))
    assert named == set().union(*PUBLISHED.values())


CLOSED_LIST = {
    CallRecord: """
        line record_key exclusion_rule quarantine_column quarantine_reason quarantine_pattern
        call_id leg_id queue direction reported_outcome is_answered missed_reason is_open arrived_at_utc
        is_arrival_ambiguous answered_at_utc ended_at_utc wait_seconds queue_wait_seconds is_wait_lower_bound
        is_marked_outside_hours impossible_duration
    """,
    AppointmentRecord: """
        line record_key exclusion_rule quarantine_column quarantine_reason quarantine_pattern
        appointment_id service booking_channel status booked_at_utc planned_start_utc planned_day
        first_planned_start_utc checked_in_at_utc started_at_utc ended_at_utc
    """,
}


@pytest.mark.parametrize("model", CLOSED_LIST, ids=lambda model: model.__name__)
def test_the_list_of_what_leaves_an_export_is_closed_and_stands_in_the_page(
    model: type[CallRecord] | type[AppointmentRecord],
) -> None:
    """A column that is added here is one more thing that is kept of a person: say so in docs/privacy.md."""
    columns = list(model.to_schema().columns)
    assert columns == CLOSED_LIST[model].split()
    section = PAGE.split("## What leaves an export")[1].split("##")[0]
    assert [column for column in columns if f"`{column}`" not in section] == []
    assert set(re.findall(r"`(\w+)`", section)) <= {name for listed in CLOSED_LIST.values() for name in listed.split()}


@pytest.mark.parametrize("model", CLOSED_LIST, ids=lambda model: model.__name__)
def test_a_column_that_is_not_on_the_list_does_not_pass_the_border(
    model: type[CallRecord] | type[AppointmentRecord],
) -> None:
    frame = model.empty().with_columns(pl.lit("0999987654").alias("caller"))
    kind = {CallRecord: "calls", AppointmentRecord: "appointments"}[model]
    (source,) = [source for source in settings_of(Path("unused")).sources if source.kind == kind]
    with pytest.raises(canonical.NotCanonical, match="column_in_schema"):
        canonical._check_border(frame, source)


# ── Who may read what, and for how long ───────────────────────────────────────────────────────────

WHO: list[tuple[str, Callable[[Path], bool], int, int]] = [
    ("private", lambda _: True, 0o700, 0o600),
    ("records", lambda _: True, 0o700, 0o600),
    (".night.lock", lambda _: True, 0, 0o600),
    ("reports", lambda _: True, 0o755, 0o644),
    ("warehouse/versions", lambda path: path.suffix == ".duckdb", 0o755, 0o444),
    ("warehouse/publications", lambda path: path.suffix == ".json", 0o755, 0o600),
    ("warehouse/publications", lambda path: path.suffix == ".parquet", 0o755, 0o644),
]


def test_everything_below_the_data_folder_is_as_open_as_the_page_says(planted: Planted) -> None:
    data = planted.city.folder / "data"
    for path in data.rglob("*"):
        if path.is_symlink():
            continue
        name = path.relative_to(data).as_posix()
        mode = stat.S_IMODE(path.stat().st_mode)
        rules = [rule for rule in WHO if name == rule[0] or name.startswith(rule[0] + "/")]
        if path.is_dir():
            assert mode == (rules[0][2] if rules else 0o755), name
        else:
            (allowed,) = {rule[3] for rule in rules if rule[1](path)}
            assert mode == allowed, name


def test_a_warehouse_folder_that_was_closed_to_others_stays_so(planted: Planted) -> None:
    warehouse = planted.city.folder / "data" / "warehouse"
    warehouse.chmod(0o2750)
    planted.city.kcc("run", "-q")
    assert stat.S_IMODE(warehouse.stat().st_mode) == 0o2750
    warehouse.chmod(0o755)


def test_after_the_days_of_the_settings_no_person_is_in_private_either(planted: Planted) -> None:
    old = time.time() - 31 * 86_400
    for path in planted.private():
        os.utime(path, (old, old))
    planted.city.kcc("run", "-q")
    assert planted.private() == []


# ── Erasing ───────────────────────────────────────────────────────────────────────────────────────


def test_an_export_that_is_erased_as_the_page_says_is_nowhere_any_more(planted: Planted) -> None:
    city, name = planted.city, "telephony/oproepen_20251220_Eulalia.csv"
    value = CARRIED["oproep_id"]
    (sha256,) = {row[0] for row in city.ask("select sha256 from ops.ledger where file_name = ?", name)}
    (city.folder / "exports" / name).unlink()
    erased = [path for path in planted.kept() if path.name.endswith((f"{sha256}.parquet", f"{sha256[:32]}.json"))]
    assert sorted(path.suffix for path in erased) == [".json", ".parquet"]
    for path in erased:
        path.unlink()
    city.kcc("run", "-q")
    published = (city.folder / "data" / "warehouse" / "kcc.duckdb").resolve()
    for path in published.parent.iterdir():
        if path != published:
            path.unlink()
    assert city.ask("select count(*) from core.calls") != [(0,)]
    still = [path for path in planted.kept() for _, data in layers(path) if parts_in(data, [value])]
    assert still == []


# ── What fails ────────────────────────────────────────────────────────────────────────────────────


def test_what_dagster_keeps_of_a_step_that_failed_unexpectedly_quotes_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> pl.DataFrame:
        try:
            raise KeyError("zebedeus.kwibus@voorbeeld.example")
        except KeyError as error:
            raise pl.exceptions.ComputeError("could not parse '0999987654'") from error

    monkeypatch.setattr(canonical, "canonical_calls", fails)
    write_calls(tmp_path, "2025-03-31", [call("2025-03-31 10:00:00")])
    definitions = build_definitions(settings_of(tmp_path, sources=[CALLS]))
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("nightly").execute_in_process(
            instance=instance, tags=dict.fromkeys((RANGE_START, RANGE_END), "2025-03-31"), raise_on_error=False
        )
        assert not result.success
        events = "\n".join(str(event) for event in instance.all_logs(result.run_id))
    assert "polars.exceptions.ComputeError at test_privacy.py line" in events
    assert parts_in(events) == set()
