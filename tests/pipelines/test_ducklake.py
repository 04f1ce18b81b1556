"""What is said where a lake can't be reached; a lake itself is tried in tests/scale, where its extensions are."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import ducklake
from pipelines.ducklake import DuckLake, LakeUnreachable
from pipelines.settings import DuckLakeWarehouse
from pipelines.versioned_file import VersionedFile


def lake(folder: Path) -> DuckLake:
    place = DuckLakeWarehouse(kind="ducklake", city="lier", folder=folder)
    return DuckLake(place, centre="Lier", is_ours=lambda _: False, file=VersionedFile(folder))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "KCC_CATALOG_URL is not set"),
        ("", "KCC_CATALOG_URL holds no URL"),
        ("kcc:geheim@db", "KCC_CATALOG_URL holds no URL"),
        ("mysql://kcc:geheim@db/lake", "KCC_CATALOG_URL holds no URL"),
        ("postgresql://kcc:geheim@db", "KCC_CATALOG_URL holds no URL"),
        ("postgresql://kcc:geheim@db:many/lake", "KCC_CATALOG_URL holds no URL"),
    ],
)
def test_an_address_that_cannot_be_one_is_told_without_what_it_holds(
    url: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KCC_CATALOG_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("KCC_CATALOG_URL", url)
    with pytest.raises(LakeUnreachable) as told:
        lake(tmp_path).published_version()
    assert said in str(told.value)
    assert "geheim" not in str(told.value)


def test_an_address_is_told_to_postgresql_in_its_own_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = "postgresql://k%27cc:a%40b%5C@[::1]:5433/kcc%20lake?sslmode=verify-full&connect_timeout=3"
    monkeypatch.setenv("KCC_CATALOG_URL", url)
    statement = lake(tmp_path)._attaching("kcc", "read_only").replace("''", "'")
    assert statement == (
        "attach 'ducklake:postgres:host='::1' port='5433' dbname='kcc lake' user='k\\'cc' connect_timeout='3' "
        "sslmode='verify-full'' as kcc (metadata_schema 'lier', meta_schema 'lier', read_only)"
    )
    assert ("password", "a@b\\") in ducklake._address().items()


def test_postgresql_may_listen_in_a_folder_and_know_its_user_by_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KCC_CATALOG_URL", "postgresql:///kcc_lake?host=/run/postgresql")
    assert "host=''/run/postgresql'' dbname=''kcc_lake'' connect" in lake(tmp_path)._attaching("kcc", "read_only")


def test_an_extension_that_duckdb_lacks_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KCC_CATALOG_URL", "postgresql://kcc@127.0.0.1/lake")
    monkeypatch.setattr(ducklake, "EXTENSIONS", {"no_such_extension": "no_such_package"})
    with pytest.raises(LakeUnreachable, match=r"'no_such_extension'.* install requirements-ducklake\.txt"):
        lake(tmp_path).published_version()
