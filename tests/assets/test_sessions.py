"""What SQL may open while a warehouse is built, checked or asked: its own files, and nothing else on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from assets import sessions
from assets.build import build, empty_warehouse, finish, keep_history
from assets.inputs import lay_inputs
from assets.warehouse import build_and_publish
from pipelines import status, summary
from pipelines.publishing import History
from pipelines.settings import Settings
from tests.city import call, read_all, settings_of, write_calls

LOCKED = r"disabled (by|through) configuration|been locked|Cannot change"


def city_in(folder: Path) -> Settings:
    """A small city that has read one call, and something private beside it."""
    write_calls(folder, "2025-03-31", [call("2025-03-31 10:00:00")])
    settings = settings_of(folder)
    read_all(settings)
    (settings.folders.data / "private" / "raw.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    return settings


@contextmanager
def session(kind: str, settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    if kind == "build":
        con = build(settings.folders.data / "built.duckdb", settings, read_all(settings), History())
    elif kind == "check or calendar":
        con = empty_warehouse()
    else:
        build_and_publish(settings, "11111111")
        con = sessions.readonly(settings.folders.data / "warehouse" / "kcc.duckdb")
    with con:
        yield con


@pytest.mark.parametrize("kind", ["build", "check or calendar", "status and summary"])
@pytest.mark.parametrize(
    "query",
    [
        "from read_csv('/etc/passwd')",
        "from read_text('/etc/hostname')",
        "from glob('/etc/*')",
        "from '{data}/private/raw.csv'",
        "from read_text('{data}/records/../private/raw.csv')",
        "copy (select 1) to '{data}/private/out.csv'",
        "copy (select 1) to '{data}/out.csv'",
        "attach '{data}/other.duckdb'",
        "from 'https://example.org/calls.parquet'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "set threads = 1",
    ],
)
def test_sql_opens_nothing_on_the_machine_and_changes_no_setting_that_says_so(
    tmp_path: Path, kind: str, query: str
) -> None:
    settings = city_in(tmp_path)
    with session(kind, settings) as con, pytest.raises(duckdb.Error, match=LOCKED):
        con.execute(query.format(data=settings.folders.data))
    assert not (settings.folders.data / "private" / "out.csv").exists()


def test_status_and_summary_ask_by_a_session_that_opens_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city_in(tmp_path)
    build_and_publish(settings, "11111111")
    opened: list[Path] = []
    readonly = sessions.readonly

    def counted(file: Path) -> duckdb.DuckDBPyConnection:
        opened.append(file)
        return readonly(file)

    monkeypatch.setattr(sessions, "readonly", counted)
    status.status_of(settings)
    summary.summarise(settings)
    assert opened == [settings.folders.data / "warehouse" / "kcc.duckdb"] * 2


@pytest.mark.parametrize("name", ["year=1999", "a[b]c", "sto*p", "it's; drop", "-data", 'two\nlines "quoted"'])
def test_the_data_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    settings = city_in(tmp_path / name)
    for run in ("11111111", "22222222"):  # the second reads what the first left of its figures
        build_and_publish(settings, run)
    with sessions.readonly(settings.folders.data / "warehouse" / "kcc.duckdb") as con:
        assert con.execute("select count(*) from core.calls").fetchall() == [(1,)]
        assert con.execute("select count(*) from ops.publications").fetchall() == [(2,)]


def test_a_data_folder_with_a_question_mark_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"path without '\?'"):
        settings_of(tmp_path / "what?")


def test_the_data_folder_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    settings = city_in(tmp_path)
    for run in ("11111111", "22222222"):
        build_and_publish(settings, run)
    assert summary.summarise(settings).files == 1


def test_what_a_build_cannot_hold_in_memory_lies_among_the_records_and_goes_with_it(tmp_path: Path) -> None:
    settings = city_in(tmp_path)
    left = settings.folders.data / "records" / ".spill" / "duckdb_temp_storage.tmp"
    left.parent.mkdir()
    left.write_text("what a killed run left", encoding="utf-8")
    con = build(settings.folders.data / "built.duckdb", settings, read_all(settings), History())
    assert con.execute("select current_setting('temp_directory')").fetchall() == [(str(left.parent),)]
    finish(con)
    assert not left.parent.exists()


def test_a_check_writes_nothing_even_where_memory_is_short(tmp_path: Path) -> None:
    with empty_warehouse() as con:
        assert con.execute("select current_setting('temp_directory')").fetchall() == [("",)]


def test_what_the_next_publication_compares_with_can_be_written(tmp_path: Path) -> None:
    settings = city_in(tmp_path)
    (settings.folders.data / "warehouse").mkdir()
    figures = settings.folders.data / "warehouse" / "figures.parquet"
    con = build(settings.folders.data / "built.duckdb", settings, read_all(settings), History())
    keep_history(con, figures, figures)
    con.close()
    with empty_warehouse(":memory:", settings.folders.data) as con:
        lay_inputs(con, settings, read_all(settings), History(figures=figures))
