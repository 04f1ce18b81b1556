"""A lake of many cities: skipped where DuckDB's extensions are not installed (`make test-scale` installs them)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from pipelines.ducklake import EXTENSIONS, URL_VARIABLE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a lake where there can be none."""
    if not all(find_spec(package) for package in EXTENSIONS.values()):
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip("needs requirements-ducklake.txt: make test-scale"))


@pytest.fixture
def catalog(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh PostgreSQL database, where settings of a lake look for its catalog."""
    monkeypatch.setenv(URL_VARIABLE, database)
    return database


@pytest.fixture
def lake(tmp_path: Path, catalog: str) -> Path:
    """The folder that the cities of one lake share."""
    folder = tmp_path / "lake"
    folder.mkdir()
    return folder
