"""A data directory that meets a fault, beside one that never does."""

import gzip
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tests.conftest import COMMAND_S, Airq, Ran
from tests.faults.state import State, assert_same, state
from tests.frames import body, hour
from tests.server import Reply, Request, serving

if TYPE_CHECKING:
    from collections.abc import Mapping

STATIONS = (7, 8)
LAST = (40, 64)  # the newest hour of the first run, and of the second
FIRST, SECOND = (f"{hour(last):%Y-%m-%dT%H}:20:00" for last in LAST)
ENV = {"AIRQ_STATIONS": "7,8", "AIRQ_NOW": SECOND, "AIRQ_RETRIES": "1", "AIRQ_TIMEOUT_S": "20"}
# Started between, so that the peak is that of the command and not of whoever starts it. Memory and processor
# time are bounded, for the machine has other work.
WEIGH = """
import resource, subprocess, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
code = subprocess.call(sys.argv[2:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
open(sys.argv[1], "w").write(str(peak >> 20 if sys.platform == "darwin" else peak >> 10))
sys.exit(code)
"""


def hours(station: int, *, again: bool = True) -> bytes:
    """What the API says of a station: 41 hours at first, then 24 more, and an old one with another value."""
    values = {n: {"CO": 1.0 + n / 100, "RH": float(station)} for n in range(LAST[again] + 1)}
    if again:
        values[20] = {"CO": 9.0, "RH": float(station)}
    return body(values)


def station(request: Request) -> int:
    """The station that is asked for."""
    return int(request.path.rpartition("/")[2])


def well(request: Request) -> Reply:
    """A good answer; the first run asks without dates."""
    return Reply(body=hours(station(request), again="start_date" in request.query))


def only(found: State, station_id: int) -> State:
    """What a state says of one station."""
    tables = {name: table.filter(pl.col("station_id") == station_id) for name, table in found.tables.items()}
    store = {name: [d for d in kept if d["station_id"] == station_id] for name, kept in found.store.items()}
    return State(tables, store)


def assert_hidden(secrets: Iterable[str], ran: Ran, data: Path) -> None:
    """No secret was said, and none is in any file but the one that keeps the refresh token."""
    files = [path for path in data.rglob("*") if path.is_file() and path.name != "refresh_token.json"]
    contents = {
        path: gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in files
    }
    for secret in secrets:
        assert secret not in ran.out + ran.err
        assert [path for path, content in contents.items() if secret.encode() in content] == []


class Twins:
    """Two data directories after the same first run: `undisturbed` went on well, `data` is to meet a fault."""

    def __init__(self, airq: Airq, source: Path) -> None:
        self.airq = airq
        self.data = airq.directory / "data"
        shutil.copytree(source / "before", self.data)
        self.before, self.undisturbed = state(self.data), state(source / "undisturbed")

    def settings(self, given: "Mapping[str, object]") -> dict[str, str]:
        """The environment of a command: `retries=2` is AIRQ_RETRIES=2, a name in capitals stays."""
        named = {name if name.isupper() else f"AIRQ_{name.upper()}": str(value) for name, value in given.items()}
        return ENV | {"AIRQ_DATA_DIR": str(self.data)} | named

    def run(self, expect: int, *words: str, **settings: object) -> Ran:
        """The second run, as cron calls it, with its result as JSON."""
        return self.airq("run", "-q", "--json", *words, env=self.settings(settings), expect=expect)

    def meet(self, expect: int, **settings: object) -> Ran:
        """A run that fails for all stations, and changes nothing."""
        ran = self.run(expect, **settings)
        assert_same(state(self.data), self.before)
        assert ran.json["exit_code"] == expect
        assert all(found["error"] and found["hours_new"] == 0 for found in ran.json["stations"])
        return ran

    def start(self, **settings: object) -> "subprocess.Popen[bytes]":
        """The second run, left to itself."""
        return subprocess.Popen(
            [sys.executable, "-m", "airq_etl", "run", "-q"],
            env=self.airq.environment | self.settings(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def say(self, expect: int, secrets: Iterable[str], **settings: object) -> None:
        """The same failure with -v, which may say more, and shows no secret."""
        ran = self.airq("run", "-v", env=self.settings(settings), expect=expect)
        assert ran.err
        assert_hidden(secrets, ran, self.data)

    def weigh(self, *expect: int, **settings: object) -> tuple[Ran, int]:
        """A run, and what it held of memory at most, in MB."""
        peak = self.airq.directory / "peak"
        words = [sys.executable, "-c", WEIGH, str(peak), sys.executable, "-m", "airq_etl", "run", "-q", "--json"]
        done = subprocess.run(
            words,
            env=self.airq.environment | self.settings(settings),
            capture_output=True,
            encoding="utf-8",
            timeout=COMMAND_S,
            check=False,
        )
        assert done.returncode in expect, done.stderr[-2000:]
        return Ran(done.returncode, done.stdout, done.stderr), int(peak.read_text())

    def assert_failed_alone(self, failed: int, *, other: int) -> None:
        """One station is as it was before, the other as where nothing happened."""
        found = state(self.data)
        assert_same(only(found, failed), only(self.before, failed))
        assert_same(only(found, other), only(self.undisturbed, other))

    def assert_like_undisturbed(self) -> None:
        """The fault has left nothing behind."""
        assert_same(state(self.data), self.undisturbed)

    def recover(self) -> None:
        """One clean run brings what the fault kept away."""
        with serving(well) as server:
            ran = self.run(0, api_url=server.url)
        assert ran.err == ""
        self.assert_like_undisturbed()


def prepare(airq: Airq) -> Path:
    """The directory that holds `before` (a good first run) and `undisturbed` (and a good second one)."""
    with serving(well) as server:
        for directory, now in (("undisturbed", FIRST), ("undisturbed", SECOND)):
            env = ENV | {"AIRQ_API_URL": server.url, "AIRQ_NOW": now}
            airq("run", "-q", "--data-dir", directory, env=env)
            if now == FIRST:
                shutil.copytree(airq.directory / directory, airq.directory / "before")
    return airq.directory
