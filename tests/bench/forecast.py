"""What the forecast costs a station, of 2 by default.

So many made-up stations, each with a year of hours, go through extract and transform into a temporary data directory.
Then `airq-etl forecast` is run as a process of its own: for the first time, an hour later, on the next day, and on a
day on which models are due again, each round on a copy of the data. CPU is that of the whole process, and a station's
share of it without that of `airq-etl --version`, whose start is no forecast. At last, of two stations, a backtest of a
year, all pollutants, once.
"""

import shutil
from datetime import datetime, timedelta
from pathlib import Path

from airq_etl import settings as configuration
from airq_etl.pipeline.run import run_extract, run_transform
from airq_etl.simulator import Simulator
from airq_etl.stations_file import parse_stations
from tests.bench.costs import AIRQ, Sample, Samples, cost, median, ours
from tests.bench.made_up_years import NOW
from tests.bench.suite import COST, Asked, Outcome

TWO = 2
LATER = {"the first time": 0, "an hour later": 1, "the next day": 24, "three weeks later, fitted anew": 21 * 24}


def fill(data: Path, stations: str) -> None:
    """A year of hours of each station, up to three weeks and a day after NOW."""
    last = NOW + timedelta(days=22)
    with Simulator(parse_stations(stations), now=lambda: last) as simulator:
        settings = configuration.build({"data_dir": data, "api_url": simulator.url, "now": last, "stations": stations})
        run_extract(settings)
        run_transform(settings)


def measure(asked: Asked) -> Outcome:
    """See above."""
    samples: Samples = {}
    sizes = asked.sizes((1,))
    for count in sizes:
        samples |= _of(asked, count, asked.place(str(count)))
    views = tuple((f"{count} stations", f"{count}: ", (*COST, "cpu_station")) for count in sizes)
    return Outcome(samples, {}, views, ("CPU ms/st: of each station, without that of the start.",))


def _of(asked: Asked, count: int, directory: Path) -> Samples:
    data, stations = directory / "data", ",".join(map(str, range(1, count + 1)))
    fill(data, stations)
    plain = f"{count}: --version"
    samples: Samples = {plain: [cost([*AIRQ, "--version"], directory, ours()).sample for _ in range(asked.rounds)]}
    start = median(samples[plain])["cpu_s"]
    for number in range(asked.rounds):
        copy = directory / f"copy-{number}"
        shutil.copytree(data, copy)
        for what, hours in LATER.items():
            sample = _forecast(copy, NOW + timedelta(hours=hours), stations)
            samples.setdefault(f"{count}: {what}", []).append(sample | _share(sample, start, count))
        shutil.rmtree(copy)
    if count == TWO and not asked.small:
        days = [f"{NOW + timedelta(days=shift):%Y-%m-%d}" for shift in (-343, 21)]
        words = ["--start-date", days[0], "--end-date", days[1], "--station", "1", "--station", "2"]
        line: list[str | Path] = [*AIRQ, "forecast", "--backtest", "-q", "--data-dir", data, *words]
        sample = cost(line, directory, ours()).sample
        samples[f"{count}: a backtest of a year"] = [sample | _share(sample, start, count)]
    return samples


def _share(sample: Sample, start: float, count: int) -> Sample:
    return {"cpu_station": (sample["cpu_s"] - start) / count}


def _forecast(data: Path, now: datetime, stations: str) -> Sample:
    words = [word for station in stations.split(",") for word in ("--station", station)]
    line: list[str | Path] = [*AIRQ, "forecast", "-q", "--data-dir", data, "--now", f"{now:%Y-%m-%dT%H:%M:%S}", *words]
    return cost(line, data.parent, ours()).sample
