"""How long commands take that do little, on a data directory with two stations and a year."""

import sys
from collections.abc import Callable

from tests.bench import made_up_years, others
from tests.bench.costs import AIRQ, Sample, bare, cost, interleaved, ours
from tests.bench.directories import SHORT, Directory
from tests.bench.made_up_years import NOW
from tests.bench.served import source
from tests.bench.suite import COST, Asked, Outcome, medians, ratio

STATIONS = 2
FINDINGS = (0, 4)  # what is made up is not all well


def measure(asked: Asked) -> Outcome:
    """See above."""
    made_up_years.make(made_up_years.kept(), range(1, STATIONS + 1))
    with source(asked.directory, STATIONS, latency_s=0) as served:
        directory = Directory(asked.directory / "data", STATIONS, served.url)
        directory("run", *SHORT, now=NOW)
    theirs = others.python()

    def plain(*words: str) -> Callable[[], Sample]:
        return lambda: cost([*AIRQ, *words], asked.directory, ours()).sample

    def on_data(command: str, *words: str) -> Callable[[], Sample]:
        return lambda: directory(command, *words, now=NOW, fine=FINDINGS, quiet=False).sample

    def python(code: str) -> Callable[[], Sample]:
        return lambda: cost([sys.executable, "-c", code], asked.directory, bare()).sample

    cases = {
        "python -c pass": python("pass"),
        "python -c 'import polars'": python("import polars"),
        "python -c 'import pandas'": lambda: cost([theirs, "-c", "import pandas"], asked.directory, bare()).sample,
        "airq-etl --version": plain("--version"),
        "airq-etl --help": plain("--help"),
        "airq-etl status": on_data("status"),
        "airq-etl status --check": on_data("status", "--check"),
        "airq-etl sanity-check": on_data("sanity-check"),
    }
    interleaved(cases, 1)  # byte code is compiled, files are read
    samples = interleaved(cases, asked.rounds)
    found, (bare_start, polars, *_) = medians(samples), cases
    ratios = {f"{case} / {bare_start}": ratio(found, case, bare_start, ("cpu_s", "wall_s")) for case in list(cases)[3:]}
    ratios["airq-etl status / import polars"] = ratio(found, "airq-etl status", polars, ("cpu_s", "wall_s"))
    return Outcome(samples, ratios, (("", "", COST),))
