"""How long the sanity checks take over ten station-years in the embedded store.

Ten made-up stations, each with a year of hours, go through the real job. Then what is stored is gathered and examined
in this process, check by check, and by the command as a process of its own, start and imports included.
"""

import time
from collections.abc import Callable
from pathlib import Path

from airq_etl import settings as configuration
from airq_etl.pipeline.evidence import gather
from airq_etl.pipeline.job import begun, job
from airq_etl.pipeline.run import run_all
from airq_etl.sanity.checks import CHECKS, examine
from airq_etl.settings import Settings
from airq_etl.simulator import Simulator
from airq_etl.stations_file import parse_stations
from tests.bench.costs import AIRQ, Sample, Samples, cost, interleaved, ours
from tests.bench.made_up_years import NOW
from tests.bench.suite import COST, Asked, Outcome, by_size

FINDINGS = 4  # the exit code of a sanity check that found something


def fill(data: Path, stations: str) -> None:
    """A year of each station, through the real job."""
    with Simulator(parse_stations(stations), now=lambda: NOW) as simulator:
        run_all(_settings(data, stations, simulator.url))


def _settings(data: Path, stations: str, url: str = "http://127.0.0.1:9") -> Settings:
    return configuration.build({"data_dir": data, "api_url": url, "now": NOW, "stations": stations})


def measure(asked: Asked) -> Outcome:
    """See above."""
    sizes = asked.sizes((2,))
    views = tuple((f"{count} station-years", f"{count}: ", COST) for count in sizes)
    return Outcome(
        by_size(asked, sizes, _of), {}, views, ("examine: all checks. What has a peak is a process of its own.",)
    )


def _of(asked: Asked, count: int, directory: Path) -> Samples:
    data, stations = directory / "data", ",".join(map(str, range(1, count + 1)))
    fill(data, stations)
    settings = _settings(data, stations)
    words: list[str | Path] = [*AIRQ, "sanity-check", "-q", "--data-dir", data, "--now", f"{NOW:%Y-%m-%dT%H:%M:%S}"]
    line = [word for station in stations.split(",") for word in ("--station", station)]
    with job(settings, begun(settings, "sanity-check")) as work:
        evidence = gather(work)
        cases = {"gather": _timed(lambda: gather(work)), "examine": _timed(lambda: examine(evidence))}
        for check in CHECKS:
            cases[f"  {check.name}"] = _timed(lambda check=check: list(check.find(evidence)))  # type: ignore[misc]
        samples = interleaved(cases, asked.rounds)
    whole = {"airq-etl sanity-check": lambda: cost([*words, *line], directory, ours(), fine=(0, FINDINGS)).sample}
    return samples | interleaved(whole, asked.rounds)


def _timed(act: Callable[[], object]) -> Callable[[], Sample]:
    def timed() -> Sample:
        cpu, wall = time.process_time(), time.perf_counter()
        act()
        return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}

    return timed
