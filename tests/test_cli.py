"""The command line as a user meets it: exit codes, one line an error, what goes where."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airq_etl.simulator import Simulator
from tests.frames import body
from tests.server import Reply, in_turn, serving

if TYPE_CHECKING:
    from tests.conftest import Airq

COMMANDS = (
    *("run", "extract", "transform", "load", "sanity-check", "forecast", "report", "status", "backfill"),
    *("doctor", "export", "schedule", "simulate"),
)
NOW = "2024-09-10T16:20:00"
GOOD = Reply(body=body({n: {"CO": 1.0} for n in range(30)}))
HEAVY = {"polars", "httpx", "pymongo", "prometheus_client", "apprise", "altair", "numpy"}


@contextmanager
def simulating(airq: "Airq", *words: str) -> Iterator[dict[str, str]]:
    """`airq-etl simulate` as a process; the settings that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "airq_etl", "simulate", "--port", "0", *words],
        cwd=airq.directory,
        env=airq.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(4 if "--auth" in words else 1)]
        yield dict(line.strip().split("=", 1) for line in lines)
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
        process.communicate()


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def one_line(text: str) -> str:
    (line,) = text.splitlines()
    return line


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_80_columns(airq: "Airq", command: str) -> None:
    """Every help text fits 80 columns, says what the command does, and shows an example."""
    text = airq(*command.split(), "--help").out
    assert max(map(len, text.splitlines())) <= 80
    assert "Begin with: airq-etl run --demo" in text if not command else f"Example: airq-etl {command}" in text
    for option in ("--env-file", "--data-dir", "--verbose", "--quiet", "--log-format", "--now"):
        assert option in text


def test_every_command_is_known() -> None:
    """The commands of these tests are those that there are."""
    from airq_etl.cli import app

    assert (
        tuple(command.name or command.callback.__name__ for command in app.registered_commands if command.callback)
        == COMMANDS
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["export", "--help"],
        ["sanity-check", "--help"],
        ["forecast", "--help"],
    ],
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    """Help and version load none of the heavy modules."""
    command = [sys.executable, "-X", "importtime", "-m", "airq_etl", *words]
    said = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stderr
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in said.splitlines() if "|" in line}
    assert "typer" in loaded
    assert loaded & HEAVY == set()


LAZY = {"httpx", "stamina", "asyncio", "pymongo", "numpy", "rich", "pygments", "jinja2", "yaml", "dotenv", "tomllib"}


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (("transform", "-q"), set()),
        (("load", "-q"), set()),
        (("run", "-q", "--no-forecast", "--no-sanity-check"), {"httpx", "stamina", "asyncio"}),
        (("run", "-q", "--no-sanity-check"), {"httpx", "stamina", "asyncio", "numpy"}),
    ],
)
def test_only_what_is_needed_is_loaded(airq: "Airq", words: tuple[str, ...], needed: set[str]) -> None:
    """What only transforms and loads needs no network; what is quiet, no text for people; no run all of it."""
    command = [sys.executable, "-X", "importtime", "-m", "airq_etl", *words, "--now", NOW]
    with Simulator([1], now=lambda: datetime.fromisoformat(NOW)) as simulator:
        env = airq.environment | {"AIRQ_API_URL": simulator.url, "AIRQ_STATIONS": "1", "AIRQ_SWEEP_DAYS": "0"}
        # So that this is not the first run, whose year is worth loading numpy for.
        before = [
            *command[:1],
            "-m",
            "airq_etl",
            "run",
            "-q",
            "--now",
            NOW,
            "--start-date",
            NOW[:10],
            "--no-sanity-check",
        ]
        subprocess.run(before, cwd=airq.directory, env=env, check=True)
        ran = subprocess.run(command, cwd=airq.directory, env=env, capture_output=True, encoding="utf-8", check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.stderr.splitlines() if "|" in line}
    assert "polars" in loaded
    assert loaded & LAZY == needed


@pytest.mark.parametrize(
    ("words", "env", "code", "said"),
    [
        (
            ["run"],
            {"AIRQ_STATION": "5"},
            2,
            "AIRQ_STATION in the environment is not a setting; the nearest one is AIRQ_STATIONS",
        ),
        (["run"], {"AIRQ_API_URL": "airqino"}, 2, "AIRQ_API_URL: 'airqino'"),
        (["run", "--start-date", "2024-02-30"], {}, 2, "--start-date: '2024-02-30'"),
        (["run", "--start-date", "2024-03-02", "--end-date", "2024-03-01"], {}, 2, "before"),
        (["run", "--end-date", "2024-03-01"], {}, 2, "--end-date 2024-03-01 needs a --start-date"),
        (["run", "--station", "../x"], {}, 2, "--station: '../x'"),
        (["transform", "--start-date", "9999-12-31"], {}, 2, "--start-date 9999-12-31 is in the future"),
        (["transform", "--start-date", "0202-09-01"], {}, 2, "--start-date 0202-09-01"),
        (
            ["extract", "--from", "x", "--requested-at", "2199-01-01"],
            {},
            2,
            "--requested-at 2199-01-01 is in the future",
        ),
        (["extract", "--from", "x", "--requested-at", "soon"], {}, 2, "--requested-at: 'soon'"),
        (["run"], {"AIRQ_API_URL": "http://xn--/"}, 2, "AIRQ_API_URL"),
        (["run", "--demo", "--station", "7"], {}, 2, "--demo"),
        (["transform", "--rebuild", "--start-date", "2024-01-01"], {}, 2, "--rebuild"),
        (["transform", "--discard"], {}, 2, "--discard"),
        *(
            ([*words, "--data-dir", sys.executable], {}, 2, f"{sys.executable} is no directory; name another")
            for words in (["load"], ["status"], ["sanity-check"], ["forecast"], ["report"], ["export", "daily"])
        ),
        (["export", "rejects", "--data-dir", "."], {}, 2, "no ledger"),
        (["run", "--now", "soon"], {}, 2, "--now: 'soon'"),
        (["run"], {"AIRQ_NOW": "soon"}, 2, "AIRQ_NOW: 'soon'"),
        (["run", "--env-file", "none.env"], {}, 2, "none.env"),
        (["run", "--nosuch"], {}, 2, "--nosuch"),
        (["fetch"], {}, 2, "fetch"),
        (["export", "weekly"], {}, 2, "weekly"),
        (["export", "daily"], {}, 2, "airq-etl run"),
        (["export", "daily", "--format", "xls"], {}, 2, "Invalid value for '--format': 'xls'"),
        (["extract", "dump.json"], {}, 2, "--from"),
        (["extract", "--from", "dump.json"], {}, 2, "dump.json"),
        (["simulate", "--captures", "nowhere"], {}, 2, "nowhere"),
        (["simulate", "--port", "70000"], {}, 2, "65535"),
    ],
)
def test_wrong_use_is_one_line(airq: "Airq", words: list[str], env: dict[str, str], code: int, said: str) -> None:
    """Wrong use is exit code 2, and one line on stderr that names the thing."""
    ran = airq(*words, env=env, expect=code)
    assert said in one_line(ran.err)
    assert ran.out == ""


def test_a_bad_mongodb_uri_is_one_line(airq: "Airq") -> None:
    """A MongoDB URI that is none is exit code 2 without its password."""
    ran = airq("load", env={"AIRQ_MONGODB_URI": "mongo://u:hush@h"}, expect=2)
    assert "AIRQ_MONGODB_URI" in one_line(ran.err)
    assert "hush" not in ran.err


def test_an_unreachable_api(airq: "Airq", free_port: int) -> None:
    """An API that cannot be reached is exit code 5, and a line a station."""
    env = {"AIRQ_API_URL": f"http://127.0.0.1:{free_port}", "AIRQ_RETRIES": "0", "AIRQ_STATIONS": "7"}
    ran = airq("run", "-q", env=env, expect=5)
    assert "station 7: 127.0.0.1 cannot be reached" in one_line(ran.err)
    assert ran.out == ""


def test_refused_credentials(airq: "Airq") -> None:
    """Without the token that the API wants it is exit code 6, and a line that says what to set."""
    with simulating(airq, "--auth") as given:
        ran = airq("run", "-q", env={"AIRQ_API_URL": given["AIRQ_API_URL"], "AIRQ_STATIONS": "283164601"}, expect=6)
        assert "AIRQ_CLIENT_SECRET" in one_line(ran.err)
        ran = airq("run", "-q", env=given | {"AIRQ_REFRESH_TOKEN": "wr0ng", "AIRQ_STATIONS": "283164601"}, expect=6)
        assert "refuses the credentials" in one_line(ran.err)
        assert "wr0ng" not in ran.err


def test_an_unknown_station(airq: "Airq") -> None:
    """A station that the API does not know fails alone: exit code 3, and the others are stored."""
    with simulating(airq) as given:
        ran = airq("run", "--json", "--station", "283164601", "--station", "5", env=given, expect=3)
    assert "station 5: the API does not know this station" in one_line(ran.err)
    assert [(s["station_id"], s["error"] is None, s["hours_new"] > 8000) for s in ran.json["stations"]] == [
        (5, False, False),
        (283164601, True, True),
    ]


def test_one_refresh_token_lasts(airq: "Airq") -> None:
    """With tokens of a minute that rotate, three runs work from one configured refresh token; no token is shown."""
    with simulating(airq, "--auth", "--token-seconds", "60") as given:
        for _ in range(3):
            ran = airq("run", "-v", env=given | {"AIRQ_STATIONS": "283164601"})
            shown = ran.out + ran.err
            files = [path for path in airq.directory.rglob("*") if path.is_file()]
            kept = next(path for path in files if path.name == "refresh_token.json")
            rotated = json.loads(kept.read_text())["refresh_token"]
            for secret in (given["AIRQ_CLIENT_SECRET"], given["AIRQ_REFRESH_TOKEN"], rotated):
                assert secret not in shown
                holders = [path for path in files if secret.encode() in path.read_bytes()]
                assert holders == ([kept] if secret == rotated else [])


def test_json_is_one_document(airq: "Airq") -> None:
    """With --json stdout is one JSON document, on failure as well."""
    with serving(in_turn(GOOD, Reply(404))) as server:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": NOW}
        good = airq("run", "--json", env=env).json
        assert good["stations"][0]["hours_new"] == 30
        assert good["documents"]["hourly"] == 30
        bad = airq("run", "--json", env=env, expect=5).json
        assert bad["problems"][0]["exit_code"] == 5


def test_quiet_says_nothing(airq: "Airq") -> None:
    """A clean run with -q prints nothing at all, so that cron has nothing to mail."""
    with serving(in_turn(GOOD)) as server:
        ran = airq("run", "-q", "--now", NOW, env={"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7"})
    assert (ran.out, ran.err) == ("", "")


def test_options_before_and_after_the_command(airq: "Airq") -> None:
    """The common options may stand before the command; after it they win."""
    with serving(in_turn(GOOD)) as server:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7"}
        airq("-q", "--now", "nonsense", "--data-dir", "before", "run", "--now", NOW, env=env)
        airq("--data-dir", "before", "run", "--data-dir", "after", "--now", NOW, env=env)
    assert (airq.directory / "before" / "airq.db").is_file()
    assert (airq.directory / "after" / "airq.db").is_file()


def test_logs_as_json(airq: "Airq", free_port: int) -> None:
    """With --log-format json each line on stderr is an object with the Elastic names."""
    env = {"AIRQ_API_URL": f"http://127.0.0.1:{free_port}", "AIRQ_RETRIES": "1", "AIRQ_STATIONS": "7"}
    ran = airq("run", "--log-format", "json", env=env, expect=5)
    events = [json.loads(line) for line in ran.err.splitlines()]
    assert {event["log.level"] for event in events} == {"info", "error"}
    assert all({"@timestamp", "message"} <= set(event) for event in events)


def test_a_traceback_only_when_verbose(airq: "Airq") -> None:
    """-v adds the traceback to the line, and changes no exit code."""
    quiet, verbose = (airq(*words, "--env-file", "none", expect=2).err for words in (["load"], ["load", "-v"]))
    assert "Traceback" not in quiet
    assert "Traceback" in verbose
    assert verbose.splitlines()[-1] == quiet.strip()


def test_exports(airq: "Airq") -> None:
    """A table is written as CSV, Parquet or JSON lines, the same rows, to stdout or a file."""
    with serving(in_turn(GOOD)) as server:
        airq("run", env={"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": NOW})
    lines = airq("export", "hourly").out.splitlines()
    assert lines[0].startswith("station_id,hour,co,no2,o3,pm25,pm10,temperature,humidity,internal_temperature,prov")
    assert lines[1].startswith("7,2024-09-09T00:00:00Z,1.0,,")
    for name in ("hours.csv", "hours.parquet", "hours.jsonl"):
        assert airq("export", "hourly", "-o", name).out == ""
    assert (airq.directory / "hours.csv").read_text().splitlines() == lines
    assert pl.read_parquet(airq.directory / "hours.parquet").height == 30
    rows = [json.loads(line) for line in (airq.directory / "hours.jsonl").read_text().splitlines()]
    assert (len(rows), rows[0]["hour"], rows[0]["no2"]) == (30, "2024-09-09T00:00:00Z", None)
    days = airq("export", "daily", "--start-date", "2024-09-10", "--end-date", "2024-09-10", "--format", "jsonl").out
    assert [(row["day"], row["co_hours"]) for row in map(json.loads, days.splitlines())] == [("2024-09-10", 6)]
    assert airq("export", "hourly", "--start-date", "2024-09-10").out.count("\n") == 7
    assert airq("export", "daily", "--station", "8").out.count("\n") == 1


def test_an_export_that_cannot_be_written(airq: "Airq") -> None:
    """A full disk, or a folder that is not there, is exit code 1 and one line; a closed pipe is none."""
    with serving(in_turn(GOOD)) as server:
        airq("run", env={"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": NOW})
    assert "none/x.csv" in one_line(airq("export", "daily", "-o", "none/x.csv", expect=1).err)
    words = [sys.executable, "-m", "airq_etl", "export", "hourly"]
    options: dict[str, Any] = {"cwd": airq.directory, "env": airq.environment, "stderr": subprocess.PIPE}
    if Path("/dev/full").exists():
        with Path("/dev/full").open("wb") as full:
            ran = subprocess.run(words, stdout=full, check=False, **options)
        assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 1)
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(words, stdout=writer, check=False, **options)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_a_result_that_cannot_be_printed(airq: "Airq") -> None:
    """Where the result cannot be printed it is exit code 1 and one line, and the work is done."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with serving(in_turn(GOOD)) as server, Path("/dev/full").open("wb") as full:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": NOW}
        words = [sys.executable, "-m", "airq_etl", "run"]
        ran = subprocess.run(
            words, cwd=airq.directory, env=airq.environment | env, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (ran.returncode, len(ran.stderr.splitlines())) == (1, 1)
    assert airq("export", "hourly").out.count("\n") == 31


def test_an_env_file_that_others_may_read(airq: "Airq") -> None:
    """Secrets in a file that others may read are warned of."""
    file = airq.directory / "open.env"
    file.write_text("AIRQ_PASSWORD=hush\n")
    file.chmod(0o644)
    ran = airq("load", "-q", "--env-file", file)
    assert "chmod 600" in one_line(ran.err)
    file.chmod(0o600)
    assert airq("load", "-q", "--env-file", file).err == ""


def test_the_demo(airq: "Airq") -> None:
    """The demo needs no network and no setting, shows daily means with their hours, and prints the same again."""
    first = airq("run", "--demo", env={"AIRQ_API_URL": "nonsense"})
    assert re.search(r"^283164601 2026-09-08 +\d+\.\d +24 ", first.out, re.MULTILINE)
    assert first.err == ""
    assert max(map(len, first.out.splitlines()[:-1])) <= 80
    again = airq("run", "--demo")
    assert again.out.partition("Daily means")[2] == first.out.partition("Daily means")[2]
    assert (airq.directory / "share/airq-etl-demo/airq.db").is_file()


def test_a_demo_keeps_away_from_real_data(airq: "Airq") -> None:
    """The demo mixes its made-up hours with nothing that it did not make."""
    with serving(in_turn(GOOD)) as server:
        airq("run", "--data-dir", "real", env={"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": NOW})
    assert "no demo made" in one_line(airq("run", "--demo", "--data-dir", "real", expect=2).err)


def test_without_a_command_there_is_help(airq: "Airq") -> None:
    """Without a command the help is shown, as for people, and the exit code is 2."""
    assert airq(expect=2).err.splitlines() == airq("--help").out.splitlines()


def test_a_pipe_stays_a_pipe(airq: "Airq") -> None:
    """An export to a pipe or a device writes into it, and does not take its place; `-` is standard output."""
    with serving(in_turn(GOOD)) as server:
        airq("run", env={"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": NOW})
    pipe = airq.directory / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        airq("export", "hourly", "-o", pipe)
        out, _ = reader.communicate(timeout=20)
    assert pipe.is_fifo()
    assert out.decode() == airq("export", "hourly", "-o", "-").out
    assert out.count(b"\n") == 31


def test_an_empty_environment(airq: "Airq") -> None:
    """Without HOME, TZ, LANG and with cron's PATH it works all the same."""
    with serving(in_turn(GOOD)) as server:
        done = subprocess.run(
            [sys.executable, "-m", "airq_etl", "run", "--data-dir", "data", "--now", NOW],
            cwd=airq.directory,
            env={"PATH": "/usr/bin:/bin", "AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")
