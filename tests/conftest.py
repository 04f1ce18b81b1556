"""What all tests share: the sample city's first night, a PostgreSQL; what `.ci/run` requires; what begins first."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator

import hypothesis
import pytest

from tests.pages import Generated
from tests.postgres import PROGRAMS, Postgres, running_postgres
from tests.sample import City, Night

LONG = [
    "test_drive.py",
    "test_deploy.py",
    "test_many_cities.py",
    "test_postgres.py",
    "test_night.py",
    "test_stopping.py",
    "test_alerts.py",
    "test_report.py",
    "test_round_trip.py",
    "test_rollback.py",
    "test_privacy.py",
    "test_properties.py",
    "test_arrivals.py",
    "test_retention.py",
    "test_order.py",
]
"""The modules that take longest. A module is one worker's: were they the last, the others would wait for it."""

# how long an example takes says how busy the machine is
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="write what is generated anew: pages, the asset graph")
    parser.addoption("--long", action="store_true", help="try many more sequences of deliveries (tests/test_order.py)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest modules first. pytest-xdist keeps this order if told `--no-loadscope-reorder`."""
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is required, a test that is skipped has failed."""
    report = yield
    if report.skipped and os.environ.get("KCC_REQUIRE_ALL"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but everything is required here: {report.longrepr}"
    return report


@pytest.fixture
def generated(request: pytest.FixtureRequest) -> Generated:
    return Generated(bool(request.config.getoption("--accept")))


@pytest.fixture(scope="session")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The sample city after its first night, and what that night said."""
    city = City(tmp_path_factory.mktemp("city"))
    return city, city.kcc("run")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server, for all tests that ask for it."""
    if PROGRAMS is None:
        pytest.skip("needs Debian's postgresql")
    with running_postgres(PROGRAMS) as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> str:
    """The URL of a fresh, empty database."""
    return postgres.database()
