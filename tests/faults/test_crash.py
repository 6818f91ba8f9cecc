"""Killed anywhere, stopped at any time: what a run leaves, the next one puts right."""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pymongo
import pytest

from airq_etl import settings as configuration
from airq_etl.ledger import FILE
from airq_etl.pipeline.run import run_all
from tests.faults.state import State, assert_same, copy_data, lines, state
from tests.frames import body, hour
from tests.server import Reply, Request, Server, in_turn, serving

if TYPE_CHECKING:
    from tests.conftest import Airq

STATIONS = (7, 8)
SHORT, LONG = 20, 200  # kills, over both stores


class World(NamedTuple):
    """An API, a data directory before the run that is killed; what an undisturbed run makes of it, in what time."""

    server: Server
    before: Path
    expected: State
    mongodb_uri: str | None
    second: datetime
    run_s: float = 0.0

    def run(self, data: Path, now: datetime | None = None) -> int:
        """A whole run, undisturbed."""
        given = {"data_dir": data, "api_url": self.server.url, "stations": STATIONS, "sweep_days": 1}
        given |= {"now": now or self.second, "mongodb_uri": self.mongodb_uri}
        return run_all(configuration.build(given)).exit_code

    def begin(self, environment: dict[str, str], data: Path) -> "subprocess.Popen[bytes]":
        """A whole run in a process of its own; returns when it has made its first request."""
        env = {"AIRQ_API_URL": self.server.url, "AIRQ_STATIONS": "7,8", "AIRQ_SWEEP_DAYS": "1"}
        env |= {"AIRQ_NOW": self.second.isoformat()}
        env |= {"AIRQ_MONGODB_URI": self.mongodb_uri} if self.mongodb_uri else {}
        asked = len(self.server.requests)
        words = [sys.executable, "-m", "airq_etl", "run", "--data-dir", data]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        victim: subprocess.Popen[bytes]
        victim = subprocess.Popen(words, env=environment | env, **quiet)  # type: ignore[call-overload]
        while len(self.server.requests) == asked:
            assert victim.poll() is None
            time.sleep(0.001)
        return victim


def answer(now: datetime, second: datetime, station: int) -> bytes:
    """The hours up to `now`; the second answer revises every fifth of the first."""
    last = int((now - hour(0)) / timedelta(hours=1))
    shift = 0.5 if now == second else 0.0
    return body({n: {"CO": n % 24 / 10 + (shift if n % 5 == 0 else 0), "RH": float(station)} for n in range(last)})


def copy_database(uri: str, source: str, target: str) -> None:
    """Make `target` hold what `source` holds."""
    with closing(pymongo.MongoClient[dict[str, object]](uri)) as client:
        client.drop_database(target)
        for name in client[source].list_collection_names():
            if found := list(client[source][name].find()):
                client[target][name].insert_many(found)


@pytest.fixture(scope="module", params=["embedded", "mongo"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two runs a day apart, the second of which is to be killed; less data where the server is slow to replace."""
    days = 60 if request.param == "embedded" else 6
    first, second = hour(24 * days), hour(24 * (days + 1))
    now = [first]

    def script(asked: Request) -> Reply:
        return Reply(body=answer(now[0], second, int(asked.path.rpartition("/")[2])))

    where = tmp_path_factory.mktemp(request.param)
    uri = None
    if request.param == "mongo":
        server_uri = request.getfixturevalue("mongo_server").uri
        uri = f"{server_uri.rstrip('/')}/airq_killed"
    with serving(script) as server:
        made = World(server, where / "before", State({}, {}), uri, second)
        assert made.run(made.before, first) == 0
        if uri:
            copy_database(uri, "airq_killed", "airq_before")
        now[0] = second
        undisturbed = where / "undisturbed"
        copy_data(made.before, undisturbed)
        victim, began = made.begin(dict(os.environ), undisturbed), time.monotonic()
        assert victim.wait() == 0
        run_s = time.monotonic() - began
        expected = state(undisturbed, uri)
        assert len(expected.store["revisions"]) > 0
        yield made._replace(expected=expected, run_s=run_s)
        if uri:
            with closing(pymongo.MongoClient[dict[str, object]](uri)) as client:
                client.drop_database("airq_killed")
                client.drop_database("airq_before")


def _killed(airq: "Airq", world: World, seed: int) -> None:
    """Kill a run at a moment of chance; whatever it left, one clean run gives the undisturbed state."""
    data = airq.directory / "killed"
    copy_data(world.before, data)
    if world.mongodb_uri:
        copy_database(world.mongodb_uri, "airq_before", "airq_killed")
    victim = world.begin(airq.environment, data)
    time.sleep(random.Random(seed).uniform(0, world.run_s))  # noqa: S311 -- a moment, no secret
    victim.kill()
    victim.wait()
    assert world.run(data) == 0
    assert_same(state(data, world.mongodb_uri), world.expected)
    assert list((data / "tmp").iterdir()) == []
    shutil.rmtree(data)


@pytest.mark.parametrize("seed", range(SHORT // 2))
def test_01_killed_at_any_moment(airq: "Airq", world: World, seed: int) -> None:
    """The next run's state equals that of an undisturbed run: no duplicate, no partial day, no stray file."""
    _killed(airq, world, seed)


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(SHORT, SHORT + LONG // 2))
def test_01_killed_at_any_of_200_moments(airq: "Airq", world: World, seed: int) -> None:
    """The same at many more moments, over both stores."""
    _killed(airq, world, seed)


def test_01_strays_stop_no_scan(airq: "Airq") -> None:
    """What a killed run leaves in tmp/ lies where no scan finds it, and is swept by the next run."""
    with serving(in_turn(Reply(body=body({n: {"CO": 1.0} for n in range(30)})))) as server:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": hour(31).isoformat()}
        airq("run", env=env)
        data = airq.directory / "share/airq-etl"
        before = state(data)
        (data / "tmp" / "2024-09.parquet.4711").write_bytes(b"PAR1 half a file")
        (data / "tmp" / "rebuild" / "hourly").mkdir(parents=True)
        assert airq("export", "hourly").out.count("\n") == 31
        airq("run", env=env)
    assert list((data / "tmp").iterdir()) == []
    assert_same(state(data), before)


def test_01_what_was_fetched_is_kept(airq: "Airq") -> None:
    """Killed while it fetches, a run loses no whole answer that it had: the next run works it in."""
    answers = {station: body({n: {"CO": 1.0} for n in range(30)}) for station in range(1, 6)}

    def hanging() -> Iterator[bytes]:
        yield b"{"
        time.sleep(20)

    def script(request: Request) -> Reply:
        station = int(request.path.rpartition("/")[2])
        if station in answers:
            return Reply(body=answers[station])
        return Reply(body=hanging(), headers={"Content-Length": "99"})

    data = airq.directory / "share/airq-etl"
    with serving(script) as server:
        env = {"AIRQ_API_URL": server.url, "AIRQ_NOW": hour(31).isoformat(), "AIRQ_CONCURRENCY": "1"}
        words = [sys.executable, "-m", "airq_etl", "extract"]
        victim = subprocess.Popen(words, env=airq.environment | env | {"AIRQ_STATIONS": "1,2,3,4,5,6"})
        while len(server.requests) < 6:
            assert victim.poll() is None
            time.sleep(0.01)
        victim.kill()
        victim.wait()
        # The last answer was being written down.
        (unfinished,) = (data / "tmp").glob("*.jsonl.gz")
        os.truncate(unfinished, unfinished.stat().st_size - 5)
        assert list(data.glob("captures/*/*/*/*")) == []
        said = airq("transform", env=env).err
    assert "a run was interrupted while it fetched; its answers are kept in" in said
    assert {station for station, _ in state(data).hours} == {1, 2, 3, 4}
    assert list((data / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_03_stopped_while_it_fetches(airq: "Airq", number: signal.Signals) -> None:
    """It ends within 5 seconds with 128 + signal, and the run is recorded as CANCELLED."""
    good = Reply(body=body({n: {"CO": 1.0} for n in range(30)}))

    def hanging() -> Iterator[bytes]:
        yield b"{"
        time.sleep(20)

    with serving(in_turn(good, Reply(body=hanging(), headers={"Content-Length": "99"}))) as server:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": hour(31).isoformat()}
        airq("run", env=env)
        data = airq.directory / "share/airq-etl"
        before = state(data)
        words = [sys.executable, "-m", "airq_etl", "run"]
        run = subprocess.Popen(words, env=airq.environment | env, stderr=subprocess.PIPE, encoding="utf-8")
        while len(server.requests) < 2:
            assert run.poll() is None
            time.sleep(0.01)
        began = time.monotonic()
        run.send_signal(number)
        _, said = run.communicate(timeout=10)
        assert time.monotonic() - began < 5
    assert run.returncode == 128 + number
    assert said == "airq-etl: stopped by a signal; the next run takes up what is left\n"
    with closing(sqlite3.connect(data / FILE)) as ledger:
        runs = ledger.execute("select state, exit_code from runs order by rowid").fetchall()
        steps = ledger.execute("select step, state from steps order by rowid").fetchall()
    assert runs == [("SUCCESS", 0), ("CANCELLED", 128 + number)]
    assert steps[-5:] == [
        ("extract", "CANCELLED"),
        *((step, "SKIPPED") for step in ("transform", "load", "forecast", "sanity-check")),
    ]
    assert_same(state(data), before)


def test_03_a_run_found_running_was_interrupted(airq: "Airq") -> None:
    """A run that was killed is recorded as FAILED, interrupted, by the next one."""
    with serving(in_turn(Reply(body=body({n: {"CO": 1.0} for n in range(30)})))) as server:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": hour(31).isoformat()}
        airq("run", env=env)
        data = airq.directory / "share/airq-etl"
        with closing(sqlite3.connect(data / FILE)) as ledger:
            ledger.execute("update runs set state = 'RUNNING', ended_at = null")
            ledger.commit()
        airq("run", env=env)
        with closing(sqlite3.connect(data / FILE)) as ledger:
            runs = ledger.execute("select state, message from runs order by rowid").fetchall()
    assert runs == [("FAILED", "interrupted"), ("SUCCESS", "")]


def test_11_two_runs_at_once(airq: "Airq") -> None:
    """The second exits 75 at once and says who holds the lock since when; a killed holder frees it."""
    good = Reply(body=body({n: {"CO": 1.0} for n in range(30)}))

    def hanging() -> Iterator[bytes]:
        yield b"{"
        time.sleep(20)

    with serving(in_turn(Reply(body=hanging(), headers={"Content-Length": "99"}), good)) as server:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": hour(31).isoformat()}
        words = [sys.executable, "-m", "airq_etl", "run"]
        first = subprocess.Popen(words, env=airq.environment | env, stderr=subprocess.DEVNULL)
        while not server.requests:
            assert first.poll() is None
            time.sleep(0.01)
        # A run that hangs, and cannot even be stopped, is no other than one at work.
        first.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        second = airq("run", env=env, expect=75)
        assert time.monotonic() - began < 5
        assert f"`airq-etl run` (process {first.pid} on " in second.err
        assert "since 2024-09-10 07:00 UTC" in second.err
        assert len(lines(second)) == len(server.requests) == 1
        first.kill()
        first.wait()
        assert json.loads(airq("run", "--json", env=env).out)["stations"][0]["hours_new"] == 30


def test_11_a_run_that_hangs_ends_at_its_deadline(airq: "Airq") -> None:
    """A run that waits for a reader who never reads lets go of the lock when its time is up."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    with suppress(BlockingIOError):
        while os.write(writable, bytes(1 << 12)):
            pass
    os.set_blocking(writable, True)
    with serving(in_turn(Reply(404, b"{}"))) as server:
        env = {"AIRQ_API_URL": server.url, "AIRQ_STATIONS": "7", "AIRQ_NOW": hour(31).isoformat()}
        words = [sys.executable, "-m", "airq_etl", "run"]
        bounded = airq.environment | env | {"AIRQ_RUN_DEADLINE_S": "2"}
        first = subprocess.Popen(words, env=bounded, stderr=writable, stdout=subprocess.DEVNULL)
        while not server.requests:
            assert first.poll() is None
            time.sleep(0.01)
        time.sleep(1)
        airq("run", env=env, expect=75)
        time.sleep(7)
        airq("run", env=env, expect=5)
        # Nor does it wait for ever to say that it is late.
        assert first.wait(20) == 7
    os.close(writable)
    os.close(readable)
    with closing(sqlite3.connect(airq.directory / "share/airq-etl" / FILE)) as ledger:
        ((found, message),) = ledger.execute("select state, message from runs order by rowid limit 1").fetchall()
    assert found == "FAILED"
    assert "AIRQ_RUN_DEADLINE_S" in message
