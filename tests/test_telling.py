"""Telling others may not hold a run up, nor change how it ended."""

import json
import os
import signal
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airq_etl import settings as configuration
from airq_etl.ledger import FILE, Ledger
from airq_etl.ledger_runs import runs
from airq_etl.pipeline.mirror import mirror_now
from airq_etl.results import Result
from tests.frames import body, hour
from tests.server import Reply, Request, serving

if TYPE_CHECKING:
    from tests.conftest import Airq

GOOD = Reply(body=body({n: {"CO": 0.5 + n % 5 / 10, "PM2.5": 9.0 + n % 7} for n in range(30)}))
NOW = {"AIRQ_STATIONS": "7", "AIRQ_NOW": (hour(29) + timedelta(minutes=20)).isoformat(), "AIRQ_RETRIES": "0"}


def hook(url: str) -> str:
    return f"form://{url.removeprefix('http://')}/hook"


def test_services_are_told_side_by_side(airq: "Airq") -> None:
    """However many services hang, they cost the few seconds of one."""
    together = threading.Barrier(3, timeout=3)

    def hanging(request: Request) -> Reply:
        if not request.path.startswith("/hook"):
            return Reply(503)
        together.wait()
        return Reply()

    with serving(hanging) as server:
        urls = ",".join(f"{hook(server.url)}/{number}" for number in range(3))
        said = airq("run", "-q", env=NOW | {"AIRQ_API_URL": server.url, "AIRQ_ALERT_URLS": urls}, expect=5).err
    assert not together.broken
    assert "the alert was not sent" not in said


def test_what_breaks_in_telling_is_not_the_runs(airq: "Airq") -> None:
    """A row of the ledger that nobody foresaw costs a warning, and keeps neither metrics nor store from being told."""
    data, metrics = airq.directory / "share/airq-etl", airq.directory / "airq_etl.prom"
    with serving(lambda _: GOOD) as server:
        env = NOW | {"AIRQ_API_URL": server.url, "AIRQ_METRICS_FILE": str(metrics), "AIRQ_ALERT_URLS": hook(server.url)}
        airq("run", "-q", env=env)
        metrics.unlink()
        with closing(sqlite3.connect(data / FILE)) as ledger:
            ledger.execute(
                "insert into alerts values ('k', 7, '', 'loud', ?1, 's', 'a', ?1, 'x', null, null, null)", "?"
            )
            ledger.commit()
        said = airq("run", "-q", env=env).err
    assert "warning: the alerts are not judged: ValidationError" in said
    with closing(sqlite3.connect(data / "airq.db")) as store:
        assert store.execute("select count(*) from runs").fetchone() == (2,)


def test_a_start_that_nobody_takes_holds_up_no_run(airq: "Airq") -> None:
    """The run goes on while the dead man's switch is told that it began, which hears of the end after it."""
    asked = threading.Event()
    in_time = []

    def slow(request: Request) -> Reply:
        if request.path == "/uuid/start":
            in_time.append(asked.wait(8))
        elif not request.path.startswith("/uuid"):
            asked.set()
        return GOOD

    with serving(slow) as server:
        airq("run", "-q", env=NOW | {"AIRQ_API_URL": server.url, "AIRQ_PING_URL": f"{server.url}/uuid"})
    assert in_time == [True]
    assert [request.path for request in server.requests if request.path.startswith("/uuid")] == ["/uuid/start", "/uuid"]


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no alarm on this system")
def test_telling_that_takes_too_long_is_not_the_runs(airq: "Airq") -> None:
    """When its time is over telling ends with a warning, and a good run stays one."""
    data = airq.directory / "share/airq-etl"

    def ring(request: Request) -> Reply:
        if request.path != "/hook":
            return Reply(body=body({n: {"CO": 0.5} for n in range(3)}))
        os.kill(json.loads((data / "lock.json").read_bytes())["pid"], signal.SIGALRM)
        return Reply()

    with serving(ring) as server:
        done = airq("run", "-q", env=NOW | {"AIRQ_API_URL": server.url, "AIRQ_ALERT_URLS": hook(server.url)})
    assert "warning: telling how the run ended took longer than" in done.err
    with Ledger(data) as ledger:
        assert [run.state for run in runs(ledger)] == ["SUCCESS"]


def test_a_record_that_cannot_be_copied_is_not_the_commands(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A load that is done has succeeded, whatever becomes of the copy of its record."""
    (tmp_path / FILE).write_bytes(b"no ledger" * 1000)
    result = Result(command="load", run_id="x", started_at=datetime.now(UTC), store="embedded store")
    mirror_now(configuration.build({"data_dir": tmp_path}), result)
    assert "the record of this run was not sent to the store" in caplog.text
