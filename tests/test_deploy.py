"""What deploy/ and docs/deployment.md say is tried: units, users, the login before the UI, backup, restore, upgrade."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
import trustme
import yaml
from playwright.sync_api import expect, sync_playwright
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pipelines.settings import ROOT
from schemas.tables import TABLES
from tests.server import SCALE, UNITS, Server, eventually, free_port, keys_of, needs, server

DEPLOY = ROOT / "deploy"
PAGE = ROOT / "docs" / "deployment.md"
DATA = "/var/lib/kcc/data"
MOST_EXPOSED = 2.0
"""Of 10, by `systemd-analyze security`; a unit without hardening has 9.6."""


@pytest.fixture(scope="module")
def city() -> Iterator[Server]:
    """A server that has had two nights: before the second, a rule of the settings changed, and figures with it."""
    with server() as made:
        made.deliver("telephony/oproepen_20250301.csv.gz", "appointments/afspraken_20251219.csv")
        assert made.kcc("root", "run").returncode == 0
        settings = made.root / "etc/kcc/city.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace("short_abandon_seconds = 5 ", "short_abandon_seconds = 9 "), encoding="utf-8")
        assert made.kcc("root", "run").returncode == 0
        yield made


def contents(made: Server) -> dict[str, list[Any]]:
    """Every row of every published table."""
    with duckdb.connect(made.root / DATA[1:] / "warehouse/kcc.duckdb", read_only=True) as con:
        return {table: con.execute(f"from {table} order by all").fetchall() for table in TABLES}


# ── Units ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units of a server of one city."""
    return installed(tmp_path_factory.mktemp("units"), UNITS)


@pytest.fixture(scope="module")
def units_of_many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of a server of many cities: a code server each, instead of the one, and so on."""
    folder = installed(tmp_path_factory.mktemp("units_of_many"), UNITS, SCALE)
    for file in folder.glob("kcc-*@.*"):
        file.with_name(file.name.replace("@", "")).unlink(missing_ok=True)
    return folder


def installed(folder: Path, *sources: Path) -> Path:
    """Units and their drop-ins as they are installed, with programs that this machine has."""
    for source in sources:
        for file in (*source.glob("*.service"), *source.glob("*.timer"), *source.glob("*.service.d/*.conf")):
            text = file.read_text(encoding="utf-8").replace("/srv/kcc-marts/deploy/", f"{DEPLOY}/")
            copy = folder / file.relative_to(source)
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(re.sub(r"/srv/kcc-marts/\.venv/bin/\S+", "/bin/true", text), encoding="utf-8")
    return folder


def analyze(units: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"}
    command = [shutil.which("systemd-analyze") or "", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@needs("systemd-analyze")
def test_systemd_finds_nothing_to_say_against_the_units(units: Path, units_of_many: Path) -> None:
    for folder in (units, units_of_many):
        files = [*map(str, folder.glob("*.service")), *map(str, folder.glob("*.timer"))]
        said = analyze(folder, "verify", "--man=no", *files)
        assert (said.returncode, said.stdout + said.stderr) == (0, "")


@needs("systemd-analyze")
@pytest.mark.parametrize(
    "unit", sorted(file.name for folder in (UNITS, SCALE) for file in folder.glob("kcc-*.service"))
)
def test_a_unit_is_hardened(units: Path, units_of_many: Path, unit: str) -> None:
    folder = units_of_many if (SCALE / unit).exists() else units
    said = analyze(folder, "security", "--offline=true", "--no-pager", str(folder / unit)).stdout
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert exposure is not None
    assert float(exposure[1]) <= MOST_EXPOSED, said


def test_every_unit_has_a_user_of_its_own_and_is_told_of_when_it_fails() -> None:
    for unit in (*UNITS.glob("kcc-*.service"), *SCALE.glob("kcc-*.service")):
        said = keys_of(unit)
        assert said["User"] == [said["User"][0]], unit.name  # a drop-in would win over the unit
        assert said["OnFailure"] == ["tell-kcc@%N.service"]


# ── Users ─────────────────────────────────────────────────────────────────────────────────────────


def permissions() -> Iterator[tuple[str, str, str]]:
    """Path, user and right of each cell of the page's table."""
    users = ("kcc", "kcc-monitor", "analyst", "stranger")
    for path, *rights in re.findall(r"^\|[^|]*\| `(/\S+)` \|" + r" (\S+) \|" * 4 + "$", page(), flags=re.MULTILINE):
        for user, right in zip(users, rights, strict=True):
            yield path, user, right


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@needs("systemd-tmpfiles")
def test_everybody_may_what_the_page_says_and_no_more(city: Server) -> None:
    asked = list(permissions())
    assert len(asked) == 13 * 4
    for path, user, right in asked:
        file = (city.root / path.lstrip("/")).is_file() or path.endswith(".duckdb")
        found = "writes" if city.may(user, "w", path) else "reads" if city.may(user, "r", path) else "–"
        assert (path, user, found) == (path, user, right)
        assert file or city.may(user, "x", path) == (right != "–"), (path, user)


@needs("systemd-tmpfiles")
def test_an_analyst_reads_the_warehouse_and_the_monitor_the_status(city: Server) -> None:
    count = "import duckdb; print(duckdb.connect(r'%s', read_only=True).sql('from core.calls').count('*'))"
    assert city.run("analyst", sys.executable, "-c", count % f"{DATA}/warehouse/kcc.duckdb").returncode == 0
    assert city.run("stranger", sys.executable, "-c", count % f"{DATA}/warehouse/kcc.duckdb").returncode != 0
    said = city.kcc("kcc-monitor", "status", "--max-age", "26h")
    assert (said.returncode, said.stdout[:2], said.stderr) == (0, "OK", "")
    assert city.kcc("stranger", "status", "--max-age", "26h").returncode == 2


@needs("systemd-tmpfiles")
def test_each_city_of_a_server_of_many_is_asked_and_backed_up_by_units_of_its_own() -> None:
    page = (ROOT / "docs" / "many-cities.md").read_text(encoding="utf-8")
    with server() as made:
        for command in re.findall(r"^install -d .*/lier.*$", page, flags=re.MULTILINE):
            made.run("root", "sh", "-c", command, check=True)
        made.deliver("telephony/oproepen_20250301.csv.gz", "appointments/afspraken_20251219.csv")
        kcc = made.root / "etc/kcc"
        (kcc / "kcc.env").write_text((kcc / "kcc.env").read_text().replace(" --max-data-age 4d", ""))
        text = (kcc / "city.toml").read_text(encoding="utf-8").replace(f'"{DATA}"', f'"{DATA}/lier"')
        (kcc / "lier.toml").write_text(f'{text}\n[warehouse]\nkind = "file"\ncity = "lier"\n', encoding="utf-8")
        (kcc / "city.toml").unlink()
        assert made.kcc("root", "run", "--settings", "/etc/kcc/lier.toml").returncode == 0
        assert made.unit("kcc-status@lier.service").startswith("OK: version kcc_")
        archive = made.unit("kcc-backup@lier.service")
        assert archive.startswith("/var/backups/kcc/lier/kcc-")
        names = made.run("kcc", "tar", "--list", "--file", archive, check=True).stdout
        assert {"records/", "settings.toml"} <= set(names.splitlines())


# ── Backup and restore ────────────────────────────────────────────────────────────────────────────


def restored(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> set[str]:
    """The tables that differ; the run that restored is a publication of its own."""
    publications = before.pop("ops.publications"), after.pop("ops.publications")
    assert publications[0] == publications[1][: len(publications[0])]
    assert len(publications[1]) == len(publications[0]) + 1
    return {table for table in before if before[table] != after[table]}


@needs("systemd-tmpfiles")
def test_a_backup_brings_back_every_row_without_a_single_export(city: Server) -> None:
    before = contents(city)
    assert len(before["ops.publications"]) == 2
    assert before["ops.restatements"]
    archive = city.unit("kcc-backup.service")
    names = city.run("kcc", "tar", "--list", "--file", archive, check=True).stdout
    assert "settings.toml" in names
    assert "private/" not in names
    with server() as another:
        shutil.copy2(city.root / archive[1:], another.root / "var/backups/kcc")
        for command in restore_commands(Path(archive).name):
            assert another.run("root", "sh", "-c", command).returncode == 0, command
        assert another.kcc("root", "run").returncode == 0
        assert restored(before, contents(another)) == set()
        assert not another.may("analyst", "x", f"{DATA}/records")
        assert another.may("analyst", "r", f"{DATA}/warehouse/kcc.duckdb")
        settings = "etc/kcc/city.toml"
        assert (another.root / settings).read_text() == (city.root / settings).read_text()


def restore_commands(archive: str) -> list[str]:
    """The page's commands that unpack an archive."""
    commands = re.findall(r"^(?:runuser -u kcc -- )?tar --extract .*$", page(), flags=re.MULTILINE)
    assert len(commands) == 2
    return [re.sub(r"kcc-\d{8}T\d{6}Z\.tar\.gz", archive, command) for command in commands]


@needs("systemd-tmpfiles")
def test_exports_alone_bring_back_every_figure_and_not_the_history(city: Server) -> None:
    with server() as another:
        shutil.copytree(city.root / "srv/kcc-exports", another.root / "srv/kcc-exports", dirs_exist_ok=True)
        settings = city.root / "etc/kcc/city.toml"
        (another.root / "etc/kcc/city.toml").write_text(settings.read_text(encoding="utf-8"), encoding="utf-8")
        assert another.kcc("root", "run").returncode == 0
        before, after = contents(city), contents(another)
    different = {table for table in TABLES if before[table] != after[table]}
    assert different == {"ops.publications", "ops.restatements"}


@needs("systemd-tmpfiles")
def test_a_backup_waits_for_a_night_and_is_no_night_for_those_who_ask(city: Server) -> None:
    lock = f"{DATA}/.night.lock"
    with subprocess.Popen(
        city.words("kcc", f"flock {lock} sh -c 'echo held; read _'"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as night:
        assert night.stdout is not None
        assert night.stdout.readline() == b"held\n"
        assert city.run("kcc", "flock", "--shared", "--timeout", "0", lock, "true").returncode == 1
        night.communicate(b"\n")
    assert city.run("kcc", "flock", "--shared", "--timeout", "0", lock, "true").returncode == 0


# ── The services, and the login before the UI ─────────────────────────────────────────────────────

HEALTHY = "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }"
TICKS = """{ sensorsOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "%s"}) {
    ... on Sensors { results { name sensorState { ticks(limit: 1) { status } } } } } }"""
LAUNCH = """mutation Launch($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
LAUNCHED = "{ runOrError(runId: %s) { ... on Run { status } } }"


@pytest.fixture(scope="module")
def services(city: Server) -> Iterator[Server]:
    """The services at work, as their units start them."""
    with city.running("kcc-code.service", "kcc-daemon.service", "kcc-webserver.service", "kcc-viewer.service"):
        eventually(lambda: "LOADED" in json.dumps(city.graphql(HEALTHY)))
        yield city


@needs("systemd-tmpfiles")
def test_a_sensor_ticks_and_a_night_from_the_ui_is_published(services: Server) -> None:
    before = services.kcc("kcc-monitor", "status", "--max-age", "26h").stdout
    [entry] = services.graphql(HEALTHY)["workspaceOrError"]["locationEntries"]
    launched = services.graphql(
        LAUNCH,
        params={
            "selector": {
                "repositoryLocationName": entry["name"],
                "repositoryName": "__repository__",
                "pipelineName": "nightly",
            },
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": "2025-12-19"}]},
        },
    )["launchPipelineExecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run = json.dumps(launched["run"]["runId"])
    eventually(lambda: services.graphql(LAUNCHED % run)["runOrError"]["status"] in {"SUCCESS", "FAILURE"})
    assert services.graphql(LAUNCHED % run)["runOrError"]["status"] == "SUCCESS"
    after = services.kcc("kcc-monitor", "status", "--max-age", "26h").stdout
    assert after.startswith("OK: ")
    assert after.split(",")[0] != before.split(",")[0]
    assert services.may("analyst", "r", f"{DATA}/warehouse/kcc.duckdb")
    eventually(lambda: "SKIPPED" in json.dumps(services.graphql(TICKS % entry["name"])))


NGINX = (
    "user www-data; error_log {folder}/error.log; pid {folder}/pid; events {{}}\nhttp {{ access_log off;\n{conf}\n}}\n"
)
ANNA, BART = ("anna", "of an operator"), ("bart", "of a viewer")


@contextmanager
def nginx(folder: Path, conf: str) -> Iterator[None]:
    """Debian's nginx with a configuration."""
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, conf=conf), encoding="utf-8")
    words = ["nginx", "-p", str(folder), "-c", str(file)]
    tried = subprocess.run([*words, "-t"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr
    with subprocess.Popen([*words, "-g", "daemon off;"]) as running:
        try:
            yield
        finally:
            running.terminate()


def conf_below(folder: Path) -> tuple[str, int, int]:
    """deploy/nginx/kcc.conf with a certificate, two passwords and ports of this test: operators', viewers'."""
    certificate = trustme.CA().issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(folder / "kcc.pem")
    certificate.private_key_pem.write_to_path(folder / "kcc.key")
    for name, (user, password) in (("kcc-operators", ANNA), ("kcc-viewers", BART)):
        (folder / name).write_text(f"{user}:{{PLAIN}}{password}\n", encoding="utf-8")
    ports = [free_port() for _ in range(3)]
    conf = (DEPLOY / "nginx" / "kcc.conf").read_text(encoding="utf-8")
    conf = re.sub(r"/etc/ssl/(certs|private)|/etc/nginx", str(folder), conf)
    conf = conf.replace("listen 80;", f"listen 127.0.0.1:{ports[2]};")
    for port in ports[:2]:
        conf = conf.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl", 1)
    return conf, ports[0], ports[1]


@pytest.fixture(scope="module")
def logins(services: Server) -> Iterator[tuple[int, int]]:
    """The ports of operators and of viewers, behind which the UI is."""
    folder = services.root / "nginx"
    folder.mkdir()
    conf, operators, viewers = conf_below(folder)
    for declared, port in services.ports.items():
        conf = conf.replace(f"127.0.0.1:{declared};", f"127.0.0.1:{port};")
    with nginx(folder, conf):
        eventually(lambda: status(operators, None))
        eventually(lambda: status(viewers, BART)[0] == 200)
        yield operators, viewers


def trusting() -> ssl.SSLContext:
    """Of a certificate that this test made itself, nothing is asked."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def basic(login: tuple[str, str]) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"}


def status(port: int, login: tuple[str, str] | None, query: str | None = None, **more: str) -> tuple[int, str]:
    """The status of an answer through nginx, and what it says; `more` headers go along."""
    content = json.dumps({"query": query}).encode() if query else None
    headers = {"Content-Type": "application/json", **(basic(login) if login else {}), **more}
    asked = urllib.request.Request(
        f"https://127.0.0.1:{port}/{'graphql' if query else 'server_info'}", content, headers
    )
    try:
        with urllib.request.urlopen(asked, context=trusting(), timeout=30) as answer:  # noqa: S310 - to ourselves
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, ""


@needs("systemd-tmpfiles", "nginx")
def test_nobody_sees_the_ui_without_a_login(logins: tuple[int, int]) -> None:
    operators, viewers = logins
    assert [status(operators, login)[0] for login in (None, ("anna", "a guess"), BART, ANNA)] == [401, 401, 401, 200]
    assert [status(viewers, login)[0] for login in (None, ANNA, BART)] == [401, 401, 200]
    with pytest.raises(InvalidStatus):
        connect(f"wss://127.0.0.1:{operators}/graphql", ssl=trusting(), proxy=None)


@needs("systemd-tmpfiles", "nginx")
def test_a_viewer_changes_nothing(logins: tuple[int, int]) -> None:
    stop = 'mutation { wipeAssets(assetPartitionRanges: [{assetKey: {path: ["report"]}}]) { __typename } }'
    assert "UnauthorizedError" in status(logins[1], BART, stop)[1]
    asked = "{ permissions { permission value } }"
    may = [json.loads(status(logins[0], ANNA, asked)[1]), json.loads(status(logins[1], BART, asked)[1])]
    assert [any(one["value"] for one in answer["data"]["permissions"]) for answer in may] == [True, False]


@needs("systemd-tmpfiles", "nginx")
def test_no_page_of_somebody_elses_acts_with_an_operators_password(logins: tuple[int, int]) -> None:
    for site, answer in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        assert status(logins[0], ANNA, "{ version }", **{"Sec-Fetch-Site": site})[0] == answer
    address = f"https://127.0.0.1:{logins[0]}/graphql?query=mutation%20%7B%20__typename%20%7D"
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(urllib.request.Request(address, headers=basic(ANNA)), context=trusting(), timeout=30)


@needs("systemd-tmpfiles", "nginx")
def test_live_updates_come_through(logins: tuple[int, int]) -> None:
    address = f"wss://127.0.0.1:{logins[0]}/graphql"
    words = {"ssl": trusting(), "additional_headers": basic(ANNA), "subprotocols": ["graphql-ws"], "proxy": None}
    with connect(address, **words) as live:
        live.send(json.dumps({"type": "connection_init"}))
        assert json.loads(live.recv(timeout=30))["type"] == "connection_ack"


@needs("systemd-tmpfiles", "nginx", "chromium")
def test_the_ui_renders_behind_its_login(logins: tuple[int, int]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        login = {"username": ANNA[0], "password": ANNA[1]}
        context = browser.new_context(ignore_https_errors=True, http_credentials=login)
        shown = context.new_page()
        shown.goto(f"https://127.0.0.1:{logins[0]}/assets/marts/indicators")
        expect(shown.get_by_text("Every indicator, variant, period").first).to_be_visible(timeout=30_000)
        browser.close()


@needs("nginx")
def test_nginx_takes_a_login_of_the_city_instead(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    conf, _, _ = conf_below(tmp_path)
    oidc = (DEPLOY / "nginx" / "oidc.conf").read_text(encoding="utf-8")
    instead, passwords = re.subn(r"auth_basic [^;]*;\s*auth_basic_user_file [^;]*;", lambda _: oidc, conf)
    assert passwords == 2
    with nginx(tmp_path, instead):
        pass


# ── Containers ────────────────────────────────────────────────────────────────────────────────────

COMPOSE = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text(encoding="utf-8"))


def test_the_container_file_copies_what_is_there_and_what_the_program_needs() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    copied = [name for line in re.findall(r"^COPY (.*)", text, flags=re.MULTILINE) for name in line.split()[:-1]]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    packages = {
        name.split(".")[0]
        for name in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    }
    assert {*packages, "sql", "pyproject.toml"} <= set(copied)
    assert "USER 10001:10001" in text
    assert "--require-hashes" in text


def test_only_the_ui_is_published_and_on_this_machine_alone() -> None:
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert published == {"webserver": ["127.0.0.1:3000:3000"]}


@pytest.mark.parametrize("name", ["code", "daemon", "webserver"])
def test_a_container_has_no_rights_and_a_check_of_its_health(name: str) -> None:
    service = COMPOSE["services"][name]
    assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (
        True,
        ["ALL"],
        ["no-new-privileges:true"],
    )
    assert service["healthcheck"]["test"][0] == "CMD"


# ── The page ──────────────────────────────────────────────────────────────────────────────────────


def commands() -> list[str]:
    """What stands in the page's blocks of code, a line each, and in its text between backticks."""
    blocks = re.findall(r"^```\n(.*?)^```", page(), flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def test_every_file_and_unit_of_the_page_is_there() -> None:
    named = set(re.findall(r"(?<![\w/.])((?:deploy|tests|docs)/[\w./@*-]*\w)", page()))
    assert len(named) > 10
    assert [name for name in named if not list(ROOT.glob(name))] == []
    units = set(re.findall(r"[\w@-]+\.(?:service|timer)\b(?!\.d)", page()))
    assert {unit.name for unit in (*UNITS.glob("*.service"), *UNITS.glob("*.timer"))} - units == {"kcc-status.service"}
    assert [unit for unit in units if not (UNITS / unit).exists()] == []


def test_every_command_of_kcc_on_the_page_exists() -> None:
    told = re.findall(
        r"\bkcc (run|status|init|rollback|check|report|versions|alerts|calendar)\b((?: --[a-z-]+)*)", page()
    )
    assert len(told) > 5
    for command, options in set(told):
        said = subprocess.run(
            [sys.executable, "-m", "pipelines.cli", command, "--help"],
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert [option for option in options.split() if option not in said] == [], command


def test_the_settings_of_the_page_are_those_of_the_environment_file() -> None:
    declared = set(re.findall(r"^#?([A-Z_]+)=", (UNITS / "kcc.env").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(re.findall(r"`(KCC_[A-Z_]+)=", page())) <= declared
    words = [shlex.split(line) for line in commands() if line.startswith(("cp ", "install ", "ln "))]
    assert len(words) > 5
