"""The record of runs in the store, and how far a run is while it is at work."""

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airq_etl import documents
from airq_etl import settings as configuration
from airq_etl.lake import Lake
from airq_etl.ledger import FILE, Ledger
from airq_etl.ledger_runs import run_of, runs
from airq_etl.pipeline.load import open_store
from tests.frames import body, hour
from tests.server import Reply, Request, serving

if TYPE_CHECKING:
    from tests.conftest import Airq

GOOD = Reply(body=body({n: {"CO": 0.5 + n % 5 / 10, "PM2.5": 9.0 + n % 7} for n in range(30)}))
NOW = {"AIRQ_STATIONS": "7", "AIRQ_NOW": (hour(29) + timedelta(minutes=20)).isoformat(), "AIRQ_RETRIES": "0"}


def mirrored(data: Path, uri: str | None = None) -> list[dict[str, Any]]:
    settings = configuration.build({"data_dir": data, "mongodb_uri": uri})
    with closing(open_store(settings, Lake(data), 30)) as store:
        return sorted(store.read(documents.RUNS), key=lambda run: run["started_at"])


@pytest.fixture(params=["embedded", "mongo"])
def uri(request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("mongo_uri") if request.param == "mongo" else None


def test_runs_are_in_the_store(airq: "Airq", uri: str | None) -> None:
    """Each run of whatever command is a document there, good or bad, and stands there once."""
    data = airq.directory / "share/airq-etl"
    with serving(lambda _: GOOD) as server:
        env = NOW | {"AIRQ_API_URL": server.url} | ({"AIRQ_MONGODB_URI": uri} if uri else {})
        airq("run", env=env)
        server.script = lambda _: Reply(503)
        airq("run", env=env, expect=5)
        airq("sanity-check", env=env, expect=None)
        airq("load", env=env)
    with Ledger(data) as ledger:
        ids = [run.run_id for run in reversed(runs(ledger))]
        lake_id = ledger.lake_id
    there = {run["_id"]: run for run in mirrored(data, uri)}
    assert there.keys() == set(ids)
    found = [there[run_id] for run_id in ids]
    assert [run["command"] for run in found] == ["run", "run", "sanity-check", "load"]
    assert [run["state"] for run in found] == ["SUCCESS", "FAILED", found[2]["state"], "SUCCESS"]
    good, bad, _, loaded = found
    assert good | {"exit_code": 0, "hours_new": 30, "requests": 1, "extract_state": "SUCCESS"} == good
    assert good["duration_s"] >= good["load_s"] > 0
    assert good["documents"] > 30
    assert (bad["exit_code"], bad["extract_state"]) == (5, "FAILED")
    assert "503" in bad["message"]
    assert (loaded["extract_state"], loaded["load_state"], loaded["documents"]) == (None, "SUCCESS", 0)
    assert {run["data_dir"] for run in found} == {lake_id}


def test_a_store_that_was_down_is_told_later(airq: "Airq", mongo_uri: str) -> None:
    """What happened while the store was down is there after the next run that reaches it."""
    data = airq.directory / "share/airq-etl"
    with serving(lambda _: GOOD) as server:
        env = NOW | {"AIRQ_API_URL": server.url, "AIRQ_MONGODB_URI": mongo_uri}
        down = env | {"AIRQ_MONGODB_URI": "mongodb://127.0.0.1:1/air_quality?serverSelectionTimeoutMS=100"}
        airq("run", "-q", env=down, expect=7)
        airq("run", "-q", env=env)
    assert {(run["state"], run["exit_code"]) for run in mirrored(data, mongo_uri)} == {("FAILED", 7), ("SUCCESS", 0)}


def test_a_store_of_before_there_were_runs_gets_them(airq: "Airq") -> None:
    """An embedded store that an older version made takes the table, and what is in it stays."""
    data = airq.directory / "share/airq-etl"
    with serving(lambda _: GOOD) as server:
        env = NOW | {"AIRQ_API_URL": server.url}
        airq("run", env=env)
        with closing(sqlite3.connect(data / "airq.db")) as store:
            store.execute("drop table runs")
            (before,) = store.execute("select count(*) from hourly").fetchone()
        with closing(sqlite3.connect(data / FILE)) as ledger:
            ledger.execute("update runs set mirrored_to = null")
            ledger.commit()
        airq("run", env=env)
    assert len(mirrored(data)) == 2
    with closing(sqlite3.connect(data / "airq.db")) as store:
        assert store.execute("select count(*) from hourly").fetchone() == (before,)


def test_a_station_that_is_to_be_asked_again_is_seen(airq: "Airq") -> None:
    """While a run waits to ask again, the ledger says so, with the reason; killed then, it was interrupted."""
    asked = threading.Event()

    def busy(request: Request) -> Reply:
        if request.number:
            asked.set()
        return Reply(503, headers={"Retry-After": "1" if request.number == 0 else "60"})

    data = airq.directory / "share/airq-etl"
    with serving(busy) as server:
        env = airq.environment | NOW | {"AIRQ_API_URL": server.url, "AIRQ_RETRIES": "3"}
        run = subprocess.Popen([sys.executable, "-m", "airq_etl", "run", "-q"], env=env, stderr=subprocess.DEVNULL)
        try:
            assert asked.wait(60)
            with Ledger(data) as ledger:
                (known,) = runs(ledger)
                deadline = time.monotonic() + 10
                while True:
                    at_work = run_of(ledger, known.run_id)
                    assert at_work is not None
                    (station,) = at_work.steps[0].stations
                    if station.state == "RETRY" or time.monotonic() > deadline:
                        break
                    time.sleep(0.05)
        finally:
            run.send_signal(signal.SIGKILL)
            run.wait(10)
        assert [at_work.state, *(step.state for step in at_work.steps)] == ["RUNNING", "RUNNING", *["PENDING"] * 4]
        assert (station.station_id, station.state) == (7, "RETRY")
        assert "503" in station.message
        server.script = lambda _: GOOD
        airq("run", "-q", env=NOW | {"AIRQ_API_URL": server.url})
    with Ledger(data) as ledger:
        good, dead = runs(ledger)
        assert (good.state, dead.state, dead.message) == ("SUCCESS", "FAILED", "interrupted")
        whole = run_of(ledger, dead.run_id)
        assert whole is not None
        extract = whole.steps[0]
        assert (extract.state, [station.state for station in extract.stations]) == ("FAILED", ["FAILED"])
