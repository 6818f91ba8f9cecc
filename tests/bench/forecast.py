"""What the forecast costs a station: `python -m tests.bench.forecast [STATIONS]` (2 by default).

So many made-up stations, each with a year of hours, go through extract and transform into a temporary data directory.
Then `airq-etl forecast` is run as a process of its own: for the first time, an hour later, on the next day, and on a
day on which models are due again, each three times on a copy of the data. CPU is that of the whole process and of
`airq-etl --version` beside it, whose start is no forecast; of the stations together, and a station. At last a backtest
of a year, all stations and pollutants, once.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from airq_etl import settings as configuration
from airq_etl.pipeline.run import run_extract, run_transform
from airq_etl.simulator import Simulator
from airq_etl.stations_file import parse_stations

NOW = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)
ROUNDS, TWO = 3, 2
LATER = {"the first time": 0, "an hour later": 1, "the next day": 24, "three weeks later, fitted anew": 21 * 24}


class Cost(NamedTuple):
    """Of a process: CPU and wall seconds, and its largest resident size in MB."""

    cpu: float
    wall: float
    rss: float


def fill(data: Path, stations: str) -> None:
    """A year of hours of each station, up to three weeks and a day after NOW."""
    last = NOW + timedelta(days=22)
    with Simulator(parse_stations(stations), now=lambda: last) as simulator:
        settings = configuration.build({"data_dir": data, "api_url": simulator.url, "now": last, "stations": stations})
        run_extract(settings)
        run_transform(settings)


def cost(*words: str | Path) -> Cost:
    """What a command costs."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "airq_etl", *words], stdout=subprocess.DEVNULL, env=_bare()
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"airq-etl {words[0]} ended with {process.returncode}")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss / 1024)


def _bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AIRQ_")}


def _forecast(data: Path, now: datetime, stations: str) -> Cost:
    words = [word for station in stations.split(",") for word in ("--station", station)]
    return cost("forecast", "-q", "--data-dir", data, "--now", f"{now:%Y-%m-%dT%H:%M:%S}", *words)


def _show(count: int, directory: Path) -> None:
    data, stations = directory / "data", ",".join(map(str, range(1, count + 1)))
    began = time.perf_counter()
    fill(data, stations)
    print(f"{count} stations, a year of hours each, in {time.perf_counter() - began:.0f} s")  # noqa: T201
    start = statistics.median(cost("--version").cpu for _ in range(ROUNDS))
    print(f"{'':<32} {'CPU':>8} {'a station':>10} {'wall':>8} {'memory':>8}   (a bare start: {start:.2f} s)")  # noqa: T201
    rounds: dict[str, list[Cost]] = {what: [] for what in LATER}
    for number in range(ROUNDS):
        copy = directory / f"copy-{number}"
        shutil.copytree(data, copy)
        for what, hours in LATER.items():
            rounds[what].append(_forecast(copy, NOW + timedelta(hours=hours), stations))
    for what, costs in rounds.items():
        _tell(what, Cost(*map(statistics.median, zip(*costs, strict=True))), start, count)
    if count == TWO:
        days = [f"{NOW + timedelta(days=shift):%Y-%m-%d}" for shift in (-343, 21)]
        words = ["--start-date", days[0], "--end-date", days[1], "--station", "1", "--station", "2"]
        _tell("a backtest of a year", cost("forecast", "--backtest", "-q", "--data-dir", data, *words), start, count)


def _tell(what: str, spent: Cost, start: float, count: int) -> None:
    a_station = (spent.cpu - start) / count
    print(f"{what:<32} {spent.cpu:>6.2f} s {a_station:>8.3f} s {spent.wall:>6.2f} s {spent.rss:>5.0f} MB")  # noqa: T201


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        _show(int(sys.argv[1]) if len(sys.argv) > 1 else 2, Path(place))
