"""Settings that are wrong, the bare environment of cron, and who is told when they cannot be reached."""

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airq_etl import settings as configuration
from tests.faults.state import assert_same, complaint, lines, state
from tests.frames import body, hour
from tests.server import Reply, Server, in_turn, serving, talking

if TYPE_CHECKING:
    from tests.conftest import Airq

NOW = hour(31)
GOOD = Reply(body=body({n: {"CO": n + 0.5} for n in range(31)}))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(in_turn(GOOD)) as opened:
        yield opened


def settings(server: Server) -> dict[str, str]:
    return {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": str(NOW)}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AIRQ_STATION", "7", "the nearest one is AIRQ_STATIONS"),
        ("AIRQ_RETRYS", "7", "the nearest one is AIRQ_RETRIES"),
        ("AIRQ_TIMEOUT_S", "soon", "'soon' will not do"),
        ("AIRQ_TIMEOUT_S", "-1", "'-1' will not do"),
        ("AIRQ_RUN_DEADLINE_S", "inf", "'inf' will not do"),
        ("AIRQ_RUN_DEADLINE_S", "nan", "'nan' will not do"),
        ("AIRQ_MIN_HOURS", "25", "'25' will not do"),
        ("AIRQ_ALERT_AFTER", "0", "'0' will not do"),
        ("AIRQ_API_URL", "airqino.example", "is not a URL"),
        ("AIRQ_API_URL", "ftp://airqino.example", "is not a URL"),
        ("AIRQ_PING_URL", "never", "is not a URL"),
        ("AIRQ_STATIONS", "../x", "'../x'"),
        ("AIRQ_STATIONS", "1 OR 1", "'1 OR 1'"),
        ("AIRQ_STATIONS", "7;drop table hourly", "'7;drop table hourly'"),
        ("AIRQ_TIMEZONE", "Africa/../../etc", "AIRQ_TIMEZONE"),
        ("AIRQ_NOW", "yesterday", "'yesterday'"),
        ("AIRQ_DATA_DIR", "~nobody-of-that-name/x", "no such user"),
    ],
)
def test_40_a_wrong_setting(airq: "Airq", server: Server, name: str, value: str, said: str) -> None:
    """Exit 2 before any request, with the variable named."""
    ran = airq("run", env=settings(server) | {name: value}, expect=2)
    assert name in complaint(ran)
    assert said in complaint(ran)
    assert server.requests == []
    assert not (airq.directory / "share").exists()


def test_40_an_env_file_that_cannot_be_read(airq: "Airq", server: Server) -> None:
    """A missing env file, a directory or binary junk in its place: exit 2, with the file named."""
    (airq.directory / "directory").mkdir()
    (airq.directory / "junk").write_bytes(b"\xff\xfe\x00AIRQ")
    for name in ("missing", "directory", "junk"):
        assert name in complaint(airq("run", "--env-file", name, env=settings(server), expect=2))
    assert server.requests == []


def test_40_secrets_that_others_may_read(airq: "Airq", server: Server) -> None:
    """An env file with secrets that others may read is warned of, by name and not by content, and used."""
    env_file = airq.directory / "open.env"
    env_file.write_text(
        "AIRQ_CLIENT_SECRET=opensesame\nAIRQ_REFRESH_TOKEN=token-of-mine\nAIRQ_TOKEN_URL=http://x.invalid\n"
    )
    env_file.chmod(0o644)
    ran = airq("run", "--env-file", env_file, env=settings(server) | {"AIRQ_RETRIES": "0"}, expect=5)
    assert f"others may read the secrets in {env_file}; `chmod 600` it" in ran.err
    assert "opensesame" not in ran.err
    env_file.chmod(0o600)
    assert "others may read" not in airq("export", "daily", "--env-file", env_file, expect=None).err


def bare(airq: "Airq", server: Server, *words: str, **more: str) -> list[str]:
    given = settings(server) | {"AIRQ_DATA_DIR": str(airq.directory / "data")} | more
    return [
        *("env", "-i", "PATH=/usr/bin:/bin", *(f"{name}={value}" for name, value in given.items())),
        *(sys.executable, "-m", "airq_etl", "run", *words),
    ]


def test_41_the_environment_of_cron(airq: "Airq", server: Server) -> None:
    """With PATH alone, no HOME, TZ or LANG, and stdin closed, a run works and is silent."""
    ran = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *bare(airq, server, "-q")],
        cwd="/",
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    assert len(state(airq.directory / "data").hours) == 31


def test_41_nowhere_to_keep_data(airq: "Airq", server: Server) -> None:
    """Without HOME, for a user whom the system does not know either, one clear line says what to set: exit 2."""
    program = """
import os, sys
from airq_etl import cli
import airq_etl.pipeline.run

for words in (["export", "daily", "--data-dir", "/nowhere"], ["run"]):
    sys.argv[1:] = words
    try:
        cli.main()
    except SystemExit as ended:
        code = ended.code
    # All that it takes has been imported now: as that user it may not be read.
    if os.geteuid() == 0:
        os.setuid(54321)
sys.exit(code)
"""
    words = [sys.executable, "-c", program]
    environment = settings(server) | {"PATH": "/usr/bin:/bin"}
    ran = subprocess.run(words, env=environment, cwd="/", capture_output=True, encoding="utf-8", check=False)
    if os.geteuid() == 0:
        assert ran.returncode == 2
        assert ran.stderr.endswith("airq-etl: there is no home directory to keep data in; set AIRQ_DATA_DIR\n")
    assert "Traceback" not in ran.stderr
    assert airq.directory.is_dir()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_41_closed_output(airq: "Airq", server: Server, closed: str) -> None:
    """With stdout or stderr closed the data are fetched and stored all the same, and no file is written into."""
    ran = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *bare(airq, server)], capture_output=True, cwd="/", check=False
    )
    assert ran.returncode in {0, 1}
    assert b"Traceback" not in ran.stderr
    assert len(state(airq.directory / "data").hours) == 31
    for path in (airq.directory / "data").glob("*.json*"):
        json.loads(path.read_bytes())


def test_41_stdout_to_a_full_pipe(airq: "Airq", server: Server) -> None:
    """A pipe that takes nothing more costs the result that was to be printed, in one line; the data are stored."""
    readable, writable = os.pipe()
    fcntl.fcntl(writable, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writable, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writable, bytes(4096)):
            pass
    ran = subprocess.run(
        bare(airq, server), stdout=writable, stderr=subprocess.PIPE, encoding="utf-8", cwd="/", check=False
    )
    os.close(writable)
    os.close(readable)
    assert ran.returncode == 1
    assert ran.stderr == "airq-etl: standard output cannot be written: write could not complete without blocking\n"
    assert len(state(airq.directory / "data").hours) == 31


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_44_targets_that_are_down(airq: "Airq", server: Server, closed_port: int, tmp_path: Path) -> None:
    """With alert, ping and metrics target down the run's own result stands, and each is one warning."""
    down = {
        "AIRQ_PING_URL": f"http://127.0.0.1:{closed_port}/uuid-of-mine",
        "AIRQ_METRICS_FILE": str(tmp_path / "nowhere" / "airq.prom"),
        "AIRQ_ALERT_URLS": f"json://127.0.0.1:{closed_port}/hook-of-mine",
    }
    ran = airq("run", env=settings(server) | down)
    warned = [line for line in lines(ran) if "warning" in line]
    # The start, the metrics, the end.
    assert len(warned) == 3
    assert [name for name in down if name in ran.err] == ["AIRQ_PING_URL", "AIRQ_METRICS_FILE"]
    assert len(state(airq.directory / "share/airq-etl").hours) == 31
    before = state(airq.directory / "share/airq-etl")
    server.script = in_turn(Reply(404, b"{}"))
    ran = airq("run", env=settings(server) | down, expect=5)
    assert "AIRQ_ALERT_URLS: the alert was not sent" in ran.err
    assert "of-mine" not in ran.err
    assert_same(state(airq.directory / "share/airq-etl"), before)


def test_44_a_target_that_hangs(airq: "Airq", server: Server) -> None:
    """A ping target that accepts and says nothing holds a run up for seconds, not for ever."""
    began = time.monotonic()
    with talking(lambda _: time.sleep(60)) as silent:
        ran = airq("run", env=settings(server) | {"AIRQ_PING_URL": silent.url})
    assert time.monotonic() - began < 50
    assert ran.err.count("AIRQ_PING_URL: the ping was not taken") == 2


def test_44_targets_that_are_up(airq: "Airq", server: Server, tmp_path: Path) -> None:
    """A good run pings start and success, a bad one failure; people are told once, and once when all is well again."""
    metrics = tmp_path / "airq.prom"
    told: list[dict[str, str]] = []

    with serving(lambda _: Reply()) as target:
        host = target.url.removeprefix("http://")
        up = {
            "AIRQ_PING_URL": f"{target.url}/uuid/",
            "AIRQ_METRICS_FILE": str(metrics),
            "AIRQ_ALERT_URLS": f"form://{host}/hook",
            "AIRQ_ALERT_AFTER": "2",
        }
        expected = []
        for good in (True, False, False, False, True, True):
            server.script = in_turn(GOOD if good else Reply(404, b"{}"))
            airq("run", "-q", env=settings(server) | up, expect=0 if good else 5)
            expected += ["/uuid/start", "/uuid" if good else "/uuid/fail"]
            text = metrics.read_text()
            assert f"airq_etl_last_run_exit_code {0 if good else 5}.0" in text
            assert 'airq_etl_newest_hour_timestamp_seconds{station="7"}' in text
        assert [r.path for r in target.requests if r.path.startswith("/uuid")] == expected
        told = [r.form for r in target.requests if r.path == "/hook"]
    assert metrics.stat().st_mode & 0o044 == 0o044
    titles = [alert["title"] for alert in told]
    assert [title.partition(" (status")[0] for title in titles] == [
        "airq-etl: 2 bad runs in a row: station 7: the API does not know this station",
        "airq-etl: runs are good again",
    ]
    assert "Next: airq-etl doctor" in told[0]["message"]
    assert [alert["type"] for alert in told] == ["failure", "success"]


def test_44_a_data_directory_that_fails_is_told_of(airq: "Airq", server: Server) -> None:
    """Where not even the ledger can be read, the switch and people are told, by those targets that are there."""
    airq("run", env=settings(server))
    (airq.directory / "share/airq-etl/ledger.db").write_bytes(b"not a database" * 300)
    with serving(lambda _: Reply()) as target:
        host = target.url.removeprefix("http://")
        up = {"AIRQ_PING_URL": f"{target.url}/uuid", "AIRQ_ALERT_URLS": f"form://127.0.0.1:1/x, form://{host}/hook"}
        ran = airq("run", "-q", env=settings(server) | up, expect=7)
        assert [request.path for request in target.requests] == ["/uuid/fail", "/hook"]
        assert "ledger.db is damaged" in target.requests[1].form["message"]
        assert "the alert was not sent to URL 1" in ran.err


def test_44_one_of_two_targets_is_down(airq: "Airq", server: Server) -> None:
    """People who were told by one of two services are not told at every run because of the other."""
    server.script = in_turn(Reply(404, b"{}"))
    with serving(lambda _: Reply()) as target:
        host = target.url.removeprefix("http://")
        up = {"AIRQ_ALERT_URLS": f"form://{host}/hook, form://127.0.0.1:1/x"}
        for _ in range(3):
            airq("run", "-q", env=settings(server) | up, expect=5)
        assert len(target.requests) == 1


@pytest.mark.parametrize("reply", [Reply(301, headers={"Location": "https://x/uuid-of-mine"}), Reply(404)])
def test_44_a_ping_that_is_refused_shows_no_address(airq: "Airq", server: Server, reply: Reply) -> None:
    """What a ping target answers is told by its status alone: the address is a secret."""
    with serving(in_turn(reply)) as target:
        address = target.url.replace("127.0.0.1", "LOCALHOST") + "/uuid-of-mine"
        ran = airq("run", "-v", env=settings(server) | {"AIRQ_PING_URL": address})
    assert f"AIRQ_PING_URL: the ping was not taken: status {reply.status}" in ran.err
    assert "uuid-of-mine" not in ran.err


def test_44_the_names_of_settings_that_tell() -> None:
    """What a target's address holds is a secret like any other."""
    given = configuration.build(
        {"data_dir": Path("d"), "ping_url": "https://x/uuid/", "alert_urls": "mailto://a:b@c, slack://t/o/k"}
    )
    assert given.alert_urls == ("mailto://a:b@c", "slack://t/o/k")
    assert {"https://x/uuid", "mailto://a:b@c", "slack://t/o/k"} <= set(given.secrets())
