"""How long the sanity checks take over ten station-years in the embedded store: `python -m tests.bench.sanity`.

Ten made-up stations, each with a year of hours, go through the real job into a temporary data directory (or the
one named as an argument, where they may lie already). Then what is stored is gathered and examined, three times
in this process and three times in one of its own, start and imports included.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from airq_etl import settings as configuration
from airq_etl.lake import HOURLY, Lake
from airq_etl.pipeline.evidence import gather
from airq_etl.pipeline.job import begun, job
from airq_etl.pipeline.run import run_all
from airq_etl.sanity.checks import CHECKS, examine
from airq_etl.settings import Settings
from airq_etl.simulator import Simulator

STATIONS = tuple(range(1, 11))
NOW = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)
ROUNDS = 3
ALONE = """
import sys
from pathlib import Path
from tests.bench.sanity import looked_at
print(len(looked_at(Path(sys.argv[1]))))
"""


def fill(data: Path) -> None:
    """Ten station-years through the real job, where they are not there yet."""
    if not Lake(data).parts(HOURLY):
        with Simulator(STATIONS, now=lambda: NOW) as simulator:
            run_all(_settings(data, simulator.url))


def looked_at(data: Path) -> list[object]:
    """What is found in a data directory and its store."""
    settings = _settings(data)
    with job(settings, begun(settings, "sanity-check")) as work:
        return [*examine(gather(work))]


def _settings(data: Path, url: str = "http://127.0.0.1:9") -> Settings:
    return configuration.build({"data_dir": data, "api_url": url, "now": NOW, "stations": ",".join(map(str, STATIONS))})


def _timed(what: str, act: Callable[[], object]) -> None:
    seconds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - began)
    print(f"{what:<28} {min(seconds):6.2f} s  (of {', '.join(f'{second:.2f}' for second in seconds)})")  # noqa: T201


def _show(data: Path) -> None:
    began = time.perf_counter()
    fill(data)
    print(f"{'fill':<28} {time.perf_counter() - began:6.2f} s")  # noqa: T201
    settings = _settings(data)
    with job(settings, begun(settings, "sanity-check")) as work:
        evidence = gather(work)
        hours, days = evidence.tables.hourly.height, evidence.tables.daily.height
        print(f"{len(STATIONS)} stations, {hours:,} hours, {days:,} days; findings: {len(examine(evidence))}")  # noqa: T201
        _timed("gather", lambda: gather(work))
        for check in CHECKS:
            _timed(f"  {check.name}", lambda check=check: list(check.find(evidence)))  # type: ignore[misc]
        _timed("examine", lambda: examine(evidence))
    alone = [sys.executable, "-c", ALONE, str(data)]
    _timed("both, a process of their own", lambda: subprocess.run(alone, check=True, stdout=subprocess.DEVNULL))
    if _has_command():
        words = ["sanity-check", "--data-dir", str(data), "--now", f"{NOW:%Y-%m-%dT%H:%M:%S}"]
        command = [sys.executable, "-m", "airq_etl", *words]
        _timed("airq-etl sanity-check", lambda: subprocess.run(command, check=False, stdout=subprocess.DEVNULL))


def _has_command() -> bool:
    asked = [sys.executable, "-m", "airq_etl", "sanity-check", "--help"]
    return subprocess.run(asked, check=False, capture_output=True).returncode == 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _show(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as directory:
            _show(Path(directory) / "data")
