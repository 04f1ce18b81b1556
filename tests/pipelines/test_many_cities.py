"""Two cities in one Dagster, as deploy/scale/ sets it up: their nights run beside each other, and nothing mixes.

A real PostgreSQL, the instance and the workspace of deploy/scale/, a code server a city by the command of its unit, and
a daemon. Somebody holds the lock of each city until all runs have begun that may: so they are seen beside each other,
however slow the machine is.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import yaml
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_graphql.test.utils import execute_dagster_graphql

from assets.exports import EXPORTS
from assets.keys import asset_key
from pipelines.location import build_definitions
from pipelines.postgres import URL_VARIABLE
from pipelines.runs import data_tag
from pipelines.schedule import JOB, RANGE_END, RANGE_START
from pipelines.settings import ROOT, Settings, load_settings
from schemas.tables import TABLES
from tests.dagster_home import home_in, night_of_somebody_else
from tests.postgres import Postgres
from tests.server import SCALE, UNITS, at_work, eventually, keys_of

DAYS = {"lier": "2025-12-19", "mechelen": "2025-12-22"}
"""The cities of deploy/scale/workspace.yaml, and the export day that each of them has."""
CODE = "kcc-code@.service"


def test_its_instance_differs_from_that_of_one_city_in_what_is_done_at_the_same_time_alone() -> None:
    ours, theirs = (yaml.safe_load((SCALE / name).read_text()) for name in ("dagster.yaml", "../postgres/dagster.yaml"))
    assert ours.pop("concurrency")["runs"]["max_concurrent_runs"] > 1
    assert ours.pop("sensors")["use_threads"]
    assert ours.pop("schedules")["use_threads"]
    assert theirs.pop("concurrency") == {"runs": {"max_concurrent_runs": 1}}
    assert ours == theirs


def test_the_unit_of_a_city_differs_from_that_of_a_server_of_one_city_in_its_names_and_in_who_loads_code_anew() -> None:
    own = {
        "/run/kcc-%i/": "/run/kcc/",
        "kcc-%i": "kcc",
        "/usr/bin/env KCC_SETTINGS=/etc/kcc/%i.toml ": "",
        " --settings /etc/kcc/%i.toml": "",
        "api grpc": "code-server start",
    }

    def common(unit: Path) -> dict[str, list[str]]:
        """What it says, with the words of a server of one city."""
        said = keys_of(unit)
        for key, values in said.items():
            for theirs, ours in own.items():
                values[:] = [value.replace(theirs, ours) for value in values if value != "-/etc/kcc/%i.env"]
            said[key] = values
        return {key: values for key, values in said.items() if key not in ("Description", "Before")}

    assert common(SCALE / CODE) == common(UNITS / "kcc-code.service")


# ── Two cities whose nights were begun at the same moment ─────────────────────────────────────────

LAUNCH = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""


@dataclass
class Lived:
    """What is left of the two cities: their history, their runs, and how each run stood while the locks were held."""

    folder: Path
    url: str
    runs: dict[str, str]
    meanwhile: dict[str, str]
    keys_in_workspace: set[dg.AssetKey]

    def settings(self, city: str) -> Settings:
        return load_settings(self.folder / f"{city}.toml")

    @contextmanager
    def history(self) -> Iterator[dg.DagsterInstance]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(URL_VARIABLE, self.url)
            with home_in(self.folder / "home", "deploy/scale/dagster.yaml") as instance:
                yield instance

    def record(self, run: str) -> dg.RunRecord:
        with self.history() as instance:
            found = instance.get_run_record_by_id(self.runs[run])
        assert found is not None
        return found


@pytest.fixture(scope="module")
def lived(postgres: Postgres) -> Iterator[Lived]:
    # not below pytest's own folder: the path of a socket has 107 characters at most
    with tempfile.TemporaryDirectory(prefix="kcc-cities-") as folder, ExitStack() as until_done:
        lived = Lived(Path(folder), postgres.database(), {}, {}, set())
        for city, day in DAYS.items():
            found_a_city(lived.folder, city, day)
        instance = until_done.enter_context(lived.history())
        workspace = lived.folder / "home" / "workspace.yaml"
        workspace.write_text(here(lived.folder, (SCALE / "workspace.yaml").read_text()))
        for city in DAYS:
            socket = lived.folder / "run" / f"kcc-{city}" / "code.sock"
            socket.parent.mkdir(parents=True)
            [command] = keys_of(f"kcc-code@{city}.service")["ExecStart"]
            until_done.enter_context(running(lived, command))
        eventually(lambda: len(list(lived.folder.glob("run/*/code.sock"))) == len(DAYS))
        until_done.enter_context(
            running(lived, keys_of(SCALE / "kcc-daemon.service.d" / "cities.conf")["ExecStart"][1])
        )
        with WorkspaceProcessContext(instance, WorkspaceFileTarget([str(workspace)])) as ui:
            lived.keys_in_workspace = set(ui.create_request_context().asset_graph.get_all_asset_keys())
            begin(lived, ui, instance)
        yield lived


def begin(lived: Lived, ui: WorkspaceProcessContext, instance: dg.DagsterInstance) -> None:
    """Let the UI queue all runs while somebody else is at work on both cities, then leave them to it to the end."""

    def statuses() -> dict[str, str]:
        found = {name: instance.get_run_by_id(run_id) for name, run_id in lived.runs.items()}
        return {name: run.status.value for name, run in found.items() if run is not None}

    with ExitStack() as locks:
        for city in DAYS:
            locks.enter_context(night_of_somebody_else(lived.settings(city).folders.data))
        lived.runs["lier"] = launch(ui, "lier")
        lived.runs["lier, again"] = launch(ui, "lier")
        lived.runs["mechelen"] = launch(ui, "mechelen")
        lived.runs["lier, one asset"] = launch(ui, "lier", only="appointment_exports")
        eventually(lambda: list(statuses().values()).count("STARTED") == 3)
        lived.meanwhile = statuses()
    done = {status.value for status in FINISHED_STATUSES}
    eventually(lambda: set(statuses().values()) <= done)


def launch(ui: WorkspaceProcessContext, city: str, only: str | None = None) -> str:
    """A run that the UI puts into the queue: a night of the city's day, or of one of its assets alone."""
    tags = [{"key": key, "value": DAYS[city]} for key in (RANGE_START, RANGE_END)]
    selector: dict[str, Any] = {"repositoryLocationName": city, "repositoryName": "__repository__"}
    selector |= {"jobName": "__ASSET_JOB", "assetSelection": [{"path": [city, only]}]} if only else {"jobName": JOB}
    params = {"selector": selector, "executionMetadata": {"tags": tags}}
    answer = execute_dagster_graphql(ui.create_request_context(), LAUNCH, variables={"params": params})
    assert answer.errors is None
    launched = answer.data["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return str(launched["run"]["runId"])


def found_a_city(folder: Path, city: str, day: str) -> None:
    """The settings of a city, and one day of the sample's exports."""
    text = (ROOT / "kcc.toml").read_text(encoding="utf-8")
    for old, new in (('"sample_exports"', f'"{city}/exports"'), ('data = "data"', f'data = "{city}/data"')):
        assert old in text
        text = text.replace(old, new)
    (folder / f"{city}.toml").write_text(f'{text}\n[warehouse]\nkind = "file"\ncity = "{city}"\n', encoding="utf-8")
    for log in ("telephony/oproepen", "appointments/afspraken"):
        file = folder / city / "exports" / f"{log}_{day.replace('-', '')}.csv"
        file.parent.mkdir(parents=True)
        shutil.copy(ROOT / "sample_exports" / file.relative_to(folder / city / "exports"), file)


def here(folder: Path, said: str) -> str:
    """What a file of deploy/scale/ says, with the paths of this test."""
    places = {"/srv/kcc-marts/.venv/bin/": f"{sys.prefix}/bin/", "/etc/kcc/": f"{folder}/", "/run/": f"{folder}/run/"}
    for installed, place in places.items():
        said = said.replace(installed, place)
    return said


def running(lived: Lived, command: str) -> AbstractContextManager[None]:
    """The command of a unit at work, where its unit starts it, until it is told to stop."""
    environment: Mapping[str, str] = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KCC_")},
        "DAGSTER_HOME": str(lived.folder / "home"),
        "PYTHONPATH": str(ROOT),
        URL_VARIABLE: lived.url,
    }
    words = shlex.split(here(lived.folder, command))
    return at_work(words, environment, lived.folder / "home", lived.folder / "told", signal.SIGTERM)


def test_nights_of_two_cities_run_at_the_same_time_in_processes_of_their_own(lived: Lived) -> None:
    assert lived.meanwhile["lier"] == lived.meanwhile["mechelen"] == "STARTED"
    nights = [lived.record(city) for city in DAYS]
    assert all(night.dagster_run.is_success for night in nights)
    assert [night.dagster_run.tags["kcc/city"] for night in nights] == [*DAYS]
    assert max(night.start_time or 0 for night in nights) < min(night.end_time or 0 for night in nights)
    with lived.history() as instance:
        assert len({process_of(instance, lived.runs[city]) for city in DAYS}) == len(DAYS)


def process_of(instance: dg.DagsterInstance, run_id: str) -> object:
    """The number of the process in which a run ran."""
    events = [entry.dagster_event for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)]
    told = [event.engine_event_data.metadata for event in events if event is not None]
    [pid] = {metadata["pid"].value for metadata in told if "pid" in metadata}
    return pid


def test_a_second_night_of_a_city_waits_in_the_queue_for_its_first(lived: Lived) -> None:
    assert lived.meanwhile["lier, again"] == "QUEUED"
    first, second = lived.record("lier"), lived.record("lier, again")
    assert second.dagster_run.is_success
    assert (second.start_time or 0) >= (first.end_time or 0) > 0


def test_a_run_of_some_assets_alone_has_no_tag_and_waits_for_the_lock_instead(lived: Lived) -> None:
    assert lived.meanwhile["lier, one asset"] == "STARTED"
    run = lived.record("lier, one asset").dagster_run
    assert run.is_success
    assert not data_tag(lived.settings("lier")).keys() & run.tags.keys()


def test_the_assets_of_a_city_are_its_own(lived: Lived) -> None:
    graphs = [build_definitions(lived.settings(city)).resolve_asset_graph() for city in DAYS]
    keys = [graph.get_all_asset_keys() for graph in graphs]
    assert lived.keys_in_workspace == set().union(*keys)
    assert len(lived.keys_in_workspace) == sum(map(len, keys))


@pytest.mark.parametrize("city", DAYS)
def test_days_tables_and_checks_of_a_city_are_told_by_its_own_runs_alone(lived: Lived, city: str) -> None:
    settings = lived.settings(city)
    runs = {run_id for name, run_id in lived.runs.items() if name.startswith(city)}
    checks = build_definitions(settings).resolve_asset_graph().asset_check_keys
    with lived.history() as instance:
        for name in EXPORTS:
            assert instance.get_materialized_partitions(asset_key(settings, name)) == {DAYS[city]}
        made = [instance.get_latest_materialization_event(asset_key(settings, table)) for table in TABLES]
        answered = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(checks))
    assert {event.run_id for event in made if event is not None} <= runs
    assert None not in made
    assert answered.keys() == set(checks)
    assert {record.run_id for record in answered.values()} <= runs


@pytest.mark.parametrize("city", DAYS)
def test_the_warehouse_of_a_city_has_its_own_calls_alone(lived: Lived, city: str) -> None:
    with duckdb.connect(lived.folder / city / "data/warehouse/kcc.duckdb", read_only=True) as con:
        days = con.execute("select distinct export_date::varchar from ops.ledger").fetchall()
    assert days == [(DAYS[city],)]
