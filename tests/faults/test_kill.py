"""Killed anywhere, a run leaves nothing that the next one does not put right."""

import random
import shutil
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from polars.testing import assert_frame_equal

from airq_etl import documents
from airq_etl import settings as configuration
from airq_etl.lake import TABLES, Lake
from airq_etl.pipeline.load import open_store
from airq_etl.pipeline.run import run_all
from tests.frames import body, hour
from tests.server import Reply, Request, Server, serving

if TYPE_CHECKING:
    from tests.conftest import Airq

FIRST, SECOND = hour(24 * 60), hour(24 * 61)
STATIONS = (7, 8)
LONGEST_S = 0.5


def answer(now: datetime, station: int) -> bytes:
    """Two months of hours up to `now`; the second answer revises every fifth of the first."""
    last = int((now - hour(0)) / timedelta(hours=1))
    shift = 0.5 if now == SECOND else 0.0
    return body({n: {"CO": n % 24 / 10 + (shift if n % 5 == 0 else 0), "RH": float(station)} for n in range(last)})


def state(data: Path) -> tuple[list[Any], dict[str, list[documents.Document]]]:
    """The tables, and the documents of the embedded store."""
    lake = Lake(data)
    store = open_store(configuration.build({"data_dir": data}), lake, 60)
    try:
        kinds = (documents.STATIONS, documents.HOURLY, documents.DAILY, documents.REVISIONS)
        return [lake.read(table) for table in TABLES], {kind.name: list(store.read(kind)) for kind in kinds}
    finally:
        store.close()


def run(server: Server, data: Path, now: datetime) -> None:
    given = {"data_dir": data, "api_url": server.url, "stations": STATIONS, "now": now, "sweep_days": 1}
    assert run_all(configuration.build(given)).exit_code == 0


@pytest.mark.parametrize("seed", range(20))
def test_killed_at_a_random_moment(airq: "Airq", seed: int) -> None:
    """A run that is killed, then run again, gives the tables and the store of one that was not disturbed."""
    asked_for = [FIRST]

    def script(request: Request) -> Reply:
        return Reply(body=answer(asked_for[0], int(request.path.rpartition("/")[2])))

    undisturbed, killed = airq.directory / "undisturbed", airq.directory / "killed"
    with serving(script) as server:
        run(server, undisturbed, FIRST)
        shutil.copytree(undisturbed, killed)
        asked_for[0] = SECOND
        run(server, undisturbed, SECOND)
        env = {
            "AIRQ_API_URL": server.url,
            "AIRQ_STATIONS": "7,8",
            "AIRQ_NOW": SECOND.isoformat(),
            "AIRQ_SWEEP_DAYS": "1",
        }
        asked = len(server.requests)
        victim = subprocess.Popen(
            [sys.executable, "-m", "airq_etl", "run", "--data-dir", killed],
            env=airq.environment | env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while len(server.requests) == asked:
            assert victim.poll() is None
            time.sleep(0.001)
        time.sleep(random.Random(seed).uniform(0, LONGEST_S))  # noqa: S311 -- a moment, no secret
        victim.kill()
        victim.wait()
        run(server, killed, SECOND)
    (tables, stored), (expected, expected_stored) = state(killed), state(undisturbed)
    for table, other in zip(tables, expected, strict=True):
        assert_frame_equal(table, other, check_exact=True)
    assert stored == expected_stored
    assert len(expected_stored["revisions"]) > 0
    assert list((killed / "tmp").iterdir()) == []
