"""What a report costs: `python -m tests.bench.report [STATIONS [DIR]]` (100 by default).

So many made-up stations, each with two years of hours, go through extract, transform and load into a temporary data
directory (or DIR, where they may lie already). Then the page, the facts alone, and the page of one station are made by
processes of their own, three times each; the page from the store once, and once more in the tables when a look at
everything is recorded, as it is each night. Last, Chromium opens the page with no
network, where it is installed (the extra `dev` brings what drives it): when it is ready, and how large it gets.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airq_etl import settings as configuration
from airq_etl.lake import HOURLY, Lake
from airq_etl.pipeline.run import run_all
from airq_etl.simulator import Simulator
from airq_etl.stations_file import parse_stations
from tests.bench.forecast import Cost, cost

NOW = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)
YEAR = timedelta(days=365)
ROUNDS, MANY = 3, 100


def fill(data: Path, stations: str) -> None:
    """Two years of hours of each station, asked for a year apart, where they are not there yet."""
    if Lake(data).parts(HOURLY):
        return
    for now in (NOW - YEAR, NOW):
        with Simulator(parse_stations(stations), now=lambda now=now: now) as simulator:  # type: ignore[misc]
            asked = {"data_dir": data, "api_url": simulator.url, "now": now, "stations": stations}
            run_all(configuration.build(asked), forecast=False, sanity_check=False)


def _report(data: Path, *words: str | Path) -> Cost:
    return cost("report", "--data-dir", data, "--now", f"{NOW:%Y-%m-%dT%H:%M:%S}", *words)


def _show(count: int, directory: Path) -> None:
    data, page, few = directory / "data", directory / "all.html", directory / "one.html"
    stations = ",".join(map(str, range(1, count + 1)))
    began = time.perf_counter()
    fill(data, stations)
    print(f"{count} stations, two years of hours each, in {time.perf_counter() - began:.0f} s")  # noqa: T201
    print(f"{'':<28} {'CPU':>8} {'wall':>8} {'memory':>9} {'size':>9}")  # noqa: T201
    _tell("the page", [_report(data, "-o", page) for _ in range(ROUNDS)], page)
    _tell("the page of one station", [_report(data, "--station", "1", "-o", few) for _ in range(ROUNDS)], few)
    _tell("the facts (--json)", [_report(data, "--json") for _ in range(ROUNDS)])
    _tell("the page, from the store", [_report(data, "--source", "store", "-o", page)], page)
    looking = ["sanity-check", "-q", "--data-dir", str(data), "--now", f"{NOW:%Y-%m-%dT%H:%M:%S}"]
    subprocess.run([sys.executable, "-m", "airq_etl", *looking], check=False, stdout=subprocess.DEVNULL)
    _tell("the page, findings known", [_report(data, "-o", page) for _ in range(ROUNDS)], page)
    if chromium := shutil.which("chromium"):
        _open(chromium, page)


def _tell(what: str, costs: list[Cost], file: Path | None = None) -> None:
    spent = Cost(*map(statistics.median, zip(*costs, strict=True)))
    size = "" if file is None else f"{file.stat().st_size / 1e6:6.1f} MB"
    print(f"{what:<28} {spent.cpu:>6.1f} s {spent.wall:>6.1f} s {spent.rss:>6.0f} MB {size:>9}")  # noqa: T201


def _open(chromium: str, page: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        seconds, heap = [], 0.0
        for _ in range(ROUNDS):
            tab = browser.new_context(offline=True).new_page()
            began = time.perf_counter()
            tab.goto(page.as_uri())
            tab.wait_for_selector(".chart svg")
            seconds.append(time.perf_counter() - began)
            heap = tab.evaluate("performance.memory.usedJSHeapSize / 1e6")
            tab.close()
        browser.close()
    print(f"opened, its first chart drawn, in {statistics.median(seconds):.1f} s; JavaScript heap {heap:.0f} MB")  # noqa: T201


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    if len(sys.argv) > 2:
        _show(number, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as place:
            _show(number, Path(place))
