"""An hourly run of two stations whose source is 100 ms away, beside what others do in an hour.

Each case has a directory of its own, filled with a year before anything counts. Then the source goes on an hour, and
every case runs once; and again.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from tests.bench import made_up_years, others
from tests.bench.costs import Sample, bare, cost, interleaved
from tests.bench.directories import SHORT, Directory
from tests.bench.served import HOUR, OF_OURS, Served, is_another, mongo, source
from tests.bench.suite import FETCHING, Asked, Outcome, medians, ratio

STATIONS = 2
FEW_DAYS = timedelta(days=5)
ONE_TRIP = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1])
connection.request("GET", sys.argv[2])
connection.getresponse().read()
"""
LIBRARIES = """
import sys
sys.modules["httpx._main"] = None  # its own command line, which airq-etl does not load either
import httpx, polars, typer
def main(name: str = ""): ...
typer.run(main)
"""
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
STEPS = ("extract_s", "transform_s", "load_s", "forecast_s", "sanity_check_s")
COMPARED = ("cpu_s", "wall_s", "wire_bytes")
PAIRS = (
    ("MongoDB", "naive, MongoDB"),
    *(("embedded", others) for others in ("naive, MongoDB", "naive, SQLite", "dlt, DuckDB")),
)
ONE_TRIP_CASE = "bare Python, one round trip"
LIBRARIES_CASE = "polars, typer, httpx, no work"
Case = Callable[[], Sample]


def measure(asked: Asked) -> Outcome:
    """See above."""
    with ready(asked) as (served, cases):
        samples = interleaved(cases, asked.rounds, lambda: _tick(asked, served))
    found = medians(samples)
    ratios = {f"{ours} / {its}": ratio(found, ours, its, COMPARED) for ours, its in _pairs()}
    for bare_case in (ONE_TRIP_CASE, LIBRARIES_CASE):
        name = f"run --no-..., embedded / {bare_case}"
        ratios[name] = ratio(found, "run --no-..., embedded", bare_case, ("cpu_s", "wall_s"))
    least = ratio(found, LIBRARIES_CASE, "naive, MongoDB", ("cpu_s",))
    ratios[f"{LIBRARIES_CASE} / naive, MongoDB"] = least
    notes = (
        (
            f"{STATIONS} stations, a year each there before; every round an hour later. 'run' forecasts and looks at "
            "what is stored, as cron's does; 'run --no-...' (--no-forecast --no-sanity-check) is the job that the "
            f"others do. '{LIBRARIES_CASE}' loads what airq-etl is made of, and ends."
        ),
        (
            "naive: requests, the whole year, pandas, all rows inserted anew. dlt: two days and what is new, merged "
            "into DuckDB. Both from an environment of their own. CPU of the store's server is not in it."
        ),
        *([] if is_another() else [OF_OURS]),
    )
    views = (("", "", FETCHING), ("steps, as the runs themselves recorded them", "run", STEPS))
    return Outcome(samples, ratios, views, notes)


def _pairs() -> Iterator[tuple[str, str]]:
    for run in ("run --no-...", "run"):
        for store, its in PAIRS:
            yield f"{run}, {store}", its


@contextmanager
def ready(asked: Asked) -> Iterator[tuple[Served, dict[str, Case]]]:
    """The source, and the cases, which have a year and have run once since."""
    years = asked.directory / "years"
    made_up_years.make(years, range(1, STATIONS + 1))
    with (
        source(asked.directory, STATIONS, years=years) as served,
        mongo(asked.directory) as database,
    ):
        theirs = _theirs(asked, served, database)
        interleaved(theirs, 1)
        cases = _ours(asked, served, database) | theirs
        interleaved(cases, 1, lambda: _tick(asked, served))
        yield served, cases


def _tick(asked: Asked, served: Served) -> None:
    """An hour on; the whole year of then, which the naive ask for, lies ready before they do."""
    made_up_years.make(asked.directory / "years", range(1, STATIONS + 1), served.now + HOUR)
    served.tick()


def _ours(asked: Asked, served: Served, database: Callable[[str], str]) -> dict[str, Case]:
    cases: dict[str, Case] = {}
    # Of a small try some days are enough: the server that the benchmarks start takes long for a year.
    first = ("--start-date", f"{served.now - FEW_DAYS:%Y-%m-%d}") if asked.small else ()
    for number, (name, words) in enumerate((("run --no-...", SHORT), ("run", ()))):
        for store in ("embedded", "MongoDB"):
            settings = {"MONGODB_URI": database(f"ours_{number}")} if store == "MongoDB" else {}
            settings |= {"SWEEP_DAYS": "0"} if asked.small else {}
            directory = Directory(asked.directory / f"{store}-{number}", STATIONS, served.url, **settings)
            directory("run", *words, *first, now=served.now)
            cases[f"{name}, {store}"] = _an_hour(served, directory, words)
    return cases


def _theirs(asked: Asked, served: Served, database: Callable[[str], str]) -> dict[str, Case]:
    stations = [str(station) for station in range(1, STATIONS + 1)]
    kept = asked.place("dlt")
    environments = {"naive": bare(), "dlt": bare(**QUIET, DLT_DATA_DIR=str(kept))}

    def ran(way: str, store: str) -> Case:
        words = [*others.way(way), served.url, store, *stations]
        return lambda: served.counted(lambda: cost(words, kept, environments[way]).sample)

    return {
        "naive, MongoDB": ran("naive", database("naive")),
        "naive, SQLite": ran("naive", str(asked.directory / "naive.db")),
        "dlt, DuckDB": ran("dlt", str(kept)),
        ONE_TRIP_CASE: lambda: served.counted(lambda: _one_trip(asked, served)),
        LIBRARIES_CASE: lambda: served.counted(lambda: cost([sys.executable, "-c", LIBRARIES], kept, bare()).sample),
    }


def _an_hour(served: Served, directory: Directory, words: tuple[str, ...]) -> Case:
    def an_hour() -> Sample:
        return served.counted(lambda: directory("run", *words, now=served.now).sample) | directory.steps()

    return an_hour


def _one_trip(asked: Asked, served: Served) -> Sample:
    hour = served.now.replace(minute=0) - HOUR
    asking = f"/v3/getStationHourlyAvg/1?start_date={hour:%Y%m%d-%H%M}&end_date={hour:%Y%m%d-%H%M}"
    host = served.url.removeprefix("http://")
    return cost([sys.executable, "-c", ONE_TRIP, host, asking], asked.directory, bare()).sample
