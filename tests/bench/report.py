"""What a report costs, of 100 stations by default.

So many made-up stations, each with two years of hours, go through extract, transform and load. Then the page, the facts
alone, and the page of one station are made by processes of their own; the page from the store once, and once more from
the tables when a look at everything is recorded, as it is each night. Last, Chromium opens the page with no network,
where it is installed (the extra `dev` brings what drives it): when it is ready, and how large it gets.
"""

import importlib.util
import shutil
import time
from datetime import timedelta
from pathlib import Path

from airq_etl import settings as configuration
from airq_etl.lake import HOURLY, Lake
from airq_etl.pipeline.run import run_all
from airq_etl.simulator import Simulator
from airq_etl.stations_file import parse_stations
from tests.bench.costs import AIRQ, Sample, Samples, cost, interleaved, ours
from tests.bench.made_up_years import NOW
from tests.bench.suite import COST, Asked, Outcome, by_size

YEAR = timedelta(days=365)
FINDINGS = 4  # the exit code of a sanity check that found something


def fill(data: Path, stations: str) -> None:
    """Two years of hours of each station, asked for a year apart, where they are not there yet."""
    if Lake(data).parts(HOURLY):
        return
    for now in (NOW - YEAR, NOW):
        with Simulator(parse_stations(stations), now=lambda now=now: now) as simulator:  # type: ignore[misc]
            asked = {"data_dir": data, "api_url": simulator.url, "now": now, "stations": stations}
            run_all(configuration.build(asked), forecast=False, sanity_check=False)


def measure(asked: Asked) -> Outcome:
    """See above."""
    sizes = asked.sizes((2,))
    views = tuple((f"{count} stations, two years each", f"{count}: ", (*COST, "size_mb", "heap_mb")) for count in sizes)
    return Outcome(
        by_size(asked, sizes, _of),
        {},
        views,
        ("opened: by Chromium, with no network, until its first chart is drawn.",),
    )


def _of(asked: Asked, count: int, directory: Path) -> Samples:
    page, few = directory / "all.html", directory / "one.html"
    fill(directory / "data", ",".join(map(str, range(1, count + 1))))

    def made(*words: str | Path, file: Path | None = None) -> Sample:
        to: list[str | Path] = [] if file is None else ["-o", file]
        sample = _command(directory, "report", *words, *to)
        return sample if file is None else sample | {"size_mb": file.stat().st_size / 1e6}

    cases = {
        "the page": lambda: made(file=page),
        "the page of one station": lambda: made("--station", "1", file=few),
        "the facts (--json)": lambda: made("--json"),
    }
    samples = interleaved(cases, asked.rounds)
    samples["the page, from the store"] = [made("--source", "store", file=page)]
    _command(directory, "sanity-check", "-q")
    samples["the page, findings known"] = [made(file=page) for _ in range(asked.rounds)]
    if (chromium := shutil.which("chromium")) and importlib.util.find_spec("playwright"):
        samples["opened"] = opened(chromium, page, asked.rounds)
    return samples


def _command(directory: Path, *words: str | Path) -> Sample:
    line = [*AIRQ, *words, "--data-dir", directory / "data", "--now", f"{NOW:%Y-%m-%dT%H:%M:%S}"]
    return cost(line, directory, ours(), fine=(0, FINDINGS)).sample


def opened(chromium: str, page: Path, rounds: int) -> list[Sample]:
    """How long a page takes to be there, and how large its JavaScript gets."""
    from playwright.sync_api import sync_playwright

    samples = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(rounds):
            tab = browser.new_context(offline=True).new_page()
            began = time.perf_counter()
            tab.goto(page.as_uri())
            tab.wait_for_selector(".chart svg")
            wall = time.perf_counter() - began
            samples.append({"wall_s": wall, "heap_mb": tab.evaluate("performance.memory.usedJSHeapSize / 1e6")})
            tab.close()
        browser.close()
    return samples
