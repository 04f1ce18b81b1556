"""Files whose names or kinds are a trap, and values that would act where they are shown: what a night makes of them."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import typer
from typer.testing import CliRunner

from assets import checks, reading, untold
from assets.dry_run import check
from assets.files import export_files
from assets.records import RecordStore
from assets.tripwires import Tripped
from assets.warehouse import build_and_publish, not_in
from pipelines import cli
from pipelines.plain import in_markdown, printable
from pipelines.settings import Settings
from tests.city import CALL_HEADER, CALLS, TODAY, read_all, settings_of, warehouse

RECORD = ";;Algemeen;in;answered;2025-03-31 10:00:00;;2025-03-31 10:00:10;2025-03-31 10:05:00;10;"
CONTENT = f"{CALL_HEADER}\n1{RECORD}\n"
ANY_NAME = {**CALLS, "files": "*", "export": {**CALLS["export"], "pattern": r"(?P<stamp>\d{4}-\d{2}-\d{2})"}}
UNSEEN = "its name holds a control character, or bytes that are not UTF-8; rename it"
LEADS_OUT = "a link that leads out of the exports folder is not followed; put the file itself there"


def city(folder: Path, **changes: Any) -> Settings:
    (folder / "exports").mkdir(exist_ok=True)
    return settings_of(folder, sources=[{**ANY_NAME, **changes}])


def ledger(settings: Settings) -> list[tuple[Any, ...]]:
    with warehouse(settings) as con:
        return con.execute("select file_name, status, reason, records from ops.ledger order by file_name").fetchall()


# ── Names ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    [
        *["2025-03-31[1].csv", "2025-03-31*.csv", "2025-03-31?.csv", "[!2]2025-03-31", "2025-03-31{a,b}.csv"],
        *["it's 2025-03-31.csv", '"2025-03-31".csv', "2025-03-31; drop table core.calls; --.csv", "$(date) 2025-03-31"],
        *[
            "-rf 2025-03-31.csv",
            "--2025-03-31",
            "..2025-03-31..csv",
            " 2025-03-31 ",
            "2025-03-31\\n.csv",
            "~2025-03-31",
        ],
        *["2025-03-31 [red]é日.csv", "<script>2025-03-31", "![](2025-03-31)", "=2025-03-31|'cmd'!A0"],
    ],
)
def test_a_file_of_any_name_that_can_be_seen_is_read_and_no_other_in_its_place(tmp_path: Path, name: str) -> None:
    settings = city(tmp_path)
    (tmp_path / "exports" / name).write_text(CONTENT, encoding="utf-8")
    (tmp_path / "exports" / "2025-03-311.csv").write_text(CONTENT.replace("\n1;", "\n2;"), encoding="utf-8")
    assert (name, "loaded", None, 1) in ledger(settings)
    assert RecordStore(settings).unread(export_files(settings, TODAY)) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (b"2025-03-31\n.csv", "2025-03-31\\n.csv"),
        (b"2025-03-31\x1b]0;owned\x07.csv", "2025-03-31\\x1b]0;owned\\x07.csv"),
        (b"2025-03-31\xff\xfe.csv", "2025-03-31\\udcff\\udcfe.csv"),
        ("2025-03-31\u202evsc.csv".encode(), "2025-03-31\\u202evsc.csv"),
    ],
)
def test_a_name_that_cannot_be_seen_is_refused_and_written_out_until_it_is_mended(
    tmp_path: Path, name: bytes, told: str
) -> None:
    settings = city(tmp_path)
    path = Path(os.fsdecode(os.fsencode(tmp_path / "exports") + b"/" + name))
    path.write_text(CONTENT, encoding="utf-8")
    assert ledger(settings) == [(told, "refused", UNSEEN, 0)]
    build_and_publish(settings, "11111111")
    with duckdb.connect(str(tmp_path / "data" / "warehouse" / "kcc.duckdb"), read_only=True) as con:
        assert not_in(con, settings) == [f"{told} was refused: {UNSEEN} (runbook: Export refused)"]
        path.rename(path.with_name("2025-03-31.csv"))
        assert not_in(con, settings) == []


def test_a_folder_named_like_a_partition_says_nothing_about_its_files(tmp_path: Path) -> None:
    settings = city(tmp_path, files="year=*/queue=*/*.csv")
    path = tmp_path / "exports" / "year=1999" / "queue=fax" / "2025-03-31.csv"
    path.parent.mkdir(parents=True)
    path.write_text(CONTENT, encoding="utf-8")
    with warehouse(settings) as con:
        assert con.execute("select year(arrived_date), queue from core.calls").fetchall() == [(2025, "Algemeen")]


@pytest.mark.parametrize("name", ["0001-01-01.csv", "9999-12-31.csv", "2025-13-45.csv", "٢٠٢٥-٠٣-٣١.csv"])
def test_a_date_in_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    settings = city(tmp_path, export={**ANY_NAME["export"], "time": "00:00"})
    (tmp_path / "exports" / name).write_text(CONTENT, encoding="utf-8")
    ((_, status, _, _),) = ledger(settings)
    assert status == "refused"


def test_a_pattern_that_need_not_find_a_date_refuses_the_file_without_one(tmp_path: Path) -> None:
    settings = city(tmp_path, export={**ANY_NAME["export"], "pattern": r"calls(?P<stamp>\d{4}-\d{2}-\d{2})?"})
    (tmp_path / "exports" / "calls.csv").write_text(CONTENT, encoding="utf-8")
    ((_, status, reason, _),) = ledger(settings)
    assert status == "refused"
    assert reason.startswith("its name has no export date")


# ── Kinds ─────────────────────────────────────────────────────────────────────────────────────────


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        before = Path.cwd()
        os.chdir(path.parent)  # the name of a socket must be short
        try:
            server.bind(path.name)
        finally:
            os.chdir(before)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(Path.mkdir, id="a folder"),
        pytest.param(os.mkfifo, id="a pipe"),
        pytest.param(_socket, id="a socket"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), id="a device"),
        pytest.param(lambda path: path.symlink_to("nowhere"), id="a link to nothing"),
        pytest.param(lambda path: path.symlink_to(path.name), id="a link to itself"),
    ],
)
def test_what_is_no_file_is_no_export_and_nobody_waits_for_it(tmp_path: Path, make: Callable[[Path], object]) -> None:
    settings = city(tmp_path, files="*.csv*")
    for name in ("2025-03-30.csv", "2025-03-30.csv.gz"):
        make(tmp_path / "exports" / name)
    (tmp_path / "exports" / "2025-03-31.csv").write_text(CONTENT, encoding="utf-8")
    assert ledger(settings) == [("2025-03-31.csv", "loaded", None, 1)]


@pytest.mark.parametrize("name", ["2025-03-31.csv", "2025-03-31.csv.gz"])
def test_a_pipe_that_takes_the_place_of_a_file_after_it_was_found_is_not_waited_for(tmp_path: Path, name: str) -> None:
    settings = city(tmp_path)
    path = tmp_path / "exports" / name
    path.write_text(CONTENT, encoding="utf-8")
    (file,) = export_files(settings, TODAY)
    path.unlink()
    os.mkfifo(path)
    receipt = RecordStore(settings).read(file)
    assert (receipt.status, receipt.reason) == ("refused", "can't be opened (it is no file)")


@pytest.mark.parametrize("through", ["a file", "a folder"])
def test_a_link_that_leads_out_is_refused_and_its_target_never_opened(
    tmp_path: Path, through: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path, files="*" if through == "a file" else "*/*")
    outside = tmp_path / "elsewhere" / "2025-03-31.csv"
    outside.parent.mkdir()
    outside.write_text(CONTENT, encoding="utf-8")
    if through == "a file":
        (tmp_path / "exports" / "2025-03-31.csv").symlink_to(outside)
    else:
        (tmp_path / "exports" / "folder").symlink_to(outside.parent)
    monkeypatch.setattr("assets.reading.opened", lambda path: pytest.fail(f"{path} was opened"))
    ((_, status, reason, records),) = ledger(settings)
    assert (status, reason, records) == ("refused", LEADS_OUT, 0)
    (path,) = [file.path for file in export_files(settings, TODAY)]
    assert check(path, settings, TODAY).reason == LEADS_OUT


def test_a_link_within_the_exports_folder_is_followed_and_so_is_the_folder_itself(tmp_path: Path) -> None:
    (tmp_path / "disk" / "in").mkdir(parents=True)
    (tmp_path / "exports").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "in" / "export").write_text(CONTENT, encoding="utf-8")
    (tmp_path / "disk" / "2025-03-31.csv").symlink_to("in/export")
    assert ledger(city(tmp_path)) == [("2025-03-31.csv", "loaded", None, 1)]


def test_a_file_that_nobody_may_look_at_is_refused_and_the_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = city(tmp_path)
    for name in ("2025-03-30.csv", "2025-03-31.csv"):
        (tmp_path / "exports" / name).write_text(CONTENT, encoding="utf-8")

    def closed(what: Any) -> Any:
        def look(path: Path, *args: Any, **options: Any) -> Any:
            if path.name == "2025-03-30.csv":
                raise PermissionError(13, "Permission denied")
            return what(path, *args, **options)

        return look

    for name in ("stat", "is_file"):
        monkeypatch.setattr(Path, name, closed(getattr(Path, name)))
    monkeypatch.setattr("assets.reading.opened", closed(reading.opened))
    read = {receipt.name: (receipt.status, receipt.reason) for receipt in read_all(settings).receipts}
    assert read == {
        "2025-03-30.csv": ("refused", "can't be opened (Permission denied)"),
        "2025-03-31.csv": ("loaded", None),
    }


# ── Where text is shown ───────────────────────────────────────────────────────────────────────────


def test_a_text_is_printable_once_what_cannot_be_seen_in_it_is_written_out() -> None:
    assert printable("é 日 \u00a0[red] =1") == "é 日 \u00a0[red] =1"
    assert printable("a\tb\nc\x1b\x9b\u202e\u200b\u2028\udcff") == "a\\tb\\nc\\x1b\\x9b\\u202e\\u200b\\u2028\\udcff"


def test_in_markdown_a_text_is_no_link_no_image_no_tag_and_no_table() -> None:
    hostile = "![x](http://example.org/p.png) <script>alert(1)</script> | `a` *b* ~~c~~ \\"
    assert in_markdown(hostile) == (
        "!\\[x\\](http://example.org/p.png) \\<script\\>alert(1)\\</script\\> \\| \\`a\\` \\*b\\* \\~\\~c\\~\\~ \\\\"
    )
    assert in_markdown("oproepen_20250301.csv: 12 (3 %)") == "oproepen_20250301.csv: 12 (3 %)"


def test_what_dagster_shows_of_names_is_text_and_no_markdown(tmp_path: Path) -> None:
    """The UI takes the description of a check's result for Markdown, which would fetch an image from anywhere."""
    settings, name = settings_of(tmp_path), "![](http://example.org/p.png)"
    touched = Tripped("unmapped_service", "desk", TODAY.replace(day=1), f"1 for {name}.", False, None, None)
    (result,) = [one for one in checks.tripwires(settings, [touched]) if one.check_name == "unmapped_service"]
    outstanding = checks.every_export_is_in(settings, [f"{name} was refused: why"])
    for description in (result.description, outstanding.description):
        assert description is not None
        assert "!\\[\\](http" in description


def test_the_command_line_shows_what_others_wrote_and_does_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    hostile = "[red]a[/red] \x1b]0;owned\x07 \u202e :boom: [link=http://example.org]b[/link]"
    shown = "[red]a[/red] \\x1b]0;owned\\x07 \\u202e :boom: [link=http://example.org]b[/link]"
    with pytest.raises(typer.Exit):
        cli._stop(hostile, 1)
    told = capsys.readouterr().err
    assert "\x1b[31mkcc:" in told
    assert shown in told


def test_a_check_of_a_file_with_a_hostile_name_shows_it_written_out(tmp_path: Path) -> None:
    settings_file = tmp_path / "city.toml"
    settings_file.write_bytes((Path(__file__).parent.parent / "kcc.toml").read_bytes())
    path = tmp_path / "oproepen_20251220\x1b]0;owned\x07[red].csv"
    path.write_text("x\n", encoding="utf-8")
    for words in ([], ["--json"]):
        result = CliRunner().invoke(
            cli.app, ["check", str(path), "--source", "telephony", "--settings", str(settings_file), *words]
        )
        assert result.exit_code == 1
        assert "\x1b" not in result.output
        assert "oproepen_20251220" in result.output
        assert UNSEEN in (json.loads(result.output)[0]["reason"] if words else result.output)
    missing = CliRunner().invoke(cli.app, ["check", "no\x1bthing.csv", "--settings", str(settings_file)])
    assert "no\\x1bthing.csv: there is no such file" in missing.output


# ── What fails unexpectedly ───────────────────────────────────────────────────────────────────────


def test_an_unexpected_error_is_told_by_its_kind_and_place_and_without_its_text() -> None:
    with pytest.raises(untold.UnexpectedError) as failed, untold.without_values():
        int("0470 00 00 00")
    said = str(failed.value)
    assert said.startswith("builtins.ValueError at test_hostile_files.py line ")
    assert "0470" not in said
    assert failed.value.__suppress_context__


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), duckdb.IOException("disk full")])
def test_an_error_of_the_machine_speaks_for_itself(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error.args[-1])), untold.without_values():
        raise error
