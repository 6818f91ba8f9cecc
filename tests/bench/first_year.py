"""The first full year of 2 and of 100 stations, from a source 100 ms away: step by step, and as one run.

Each round has data directories of its own and, in MongoDB, a database of its own.
"""

from collections.abc import Callable

from tests.bench import made_up_years
from tests.bench.costs import Sample, Samples
from tests.bench.directories import SHORT, Directory
from tests.bench.made_up_years import NOW
from tests.bench.served import Served, is_another, mongo, source
from tests.bench.suite import FETCHING, Asked, Outcome, medians, ratio

MOST_INTO_OURS = 2
"""Stations whose year the benchmarks' own server takes in a bearable time."""
NOT_INTO_OURS = (
    f"No load into MongoDB beyond {MOST_INTO_OURS} stations: the server that the benchmarks start, FerretDB 1 on "
    "SQLite, takes long for millions of documents. With TEST_MONGODB_URI there is."
)
SMALL = (2,)
APART = ("extract", "transform", "load, embedded")
TOGETHER = "run --no-..."


def measure(asked: Asked) -> Outcome:
    """See above."""
    sizes = asked.sizes(SMALL)
    made_up_years.make(made_up_years.kept(), range(1, max(sizes) + 1))
    samples: Samples = {}
    with source(asked.directory, max(sizes)) as served, mongo(asked.directory) as database:
        for number in range(asked.rounds):
            for count in sizes:
                for what, sample in _round(asked, served, count, number, database).items():
                    samples.setdefault(f"{count}: {what}", []).append(sample | {"cpu_station": sample["cpu_s"] / count})
    found = medians(samples)
    ratios = {}
    for count in sizes:
        apart = {name: sum(found[f"{count}: {what}"][name] for what in APART) for name in ("cpu_s", "wall_s")}
        ratios[f"{count}: run / extract + transform + load"] = ratio(
            {"run": found[f"{count}: {TOGETHER}"], "apart": apart}, "run", "apart", ("cpu_s", "wall_s")
        )
    views = tuple((f"{count} stations", f"{count}: ", (*FETCHING, "cpu_station")) for count in sizes)
    notes = (
        "CPU ms/st: of the whole process, a station. CPU of the store's server is not in it.",
        *([NOT_INTO_OURS] if not all(map(_is_bearable, sizes)) else []),
    )
    return Outcome(samples, ratios, views, notes)


def _is_bearable(count: int) -> bool:
    return count <= MOST_INTO_OURS or is_another()


def _round(asked: Asked, served: Served, count: int, number: int, database: Callable[[str], str]) -> dict[str, Sample]:
    place = asked.place(f"{count}-{number}")
    apart, together = (Directory(place / name, count, served.url) for name in ("apart", "together"))
    uri = database(f"year_{count}_{number}")
    return {
        "extract": served.counted(lambda: apart("extract", now=NOW).sample),
        "transform": apart("transform", now=NOW).sample,
        "load, embedded": apart("load", now=NOW).sample,
        **({"load, MongoDB": apart("load", now=NOW, MONGODB_URI=uri).sample} if _is_bearable(count) else {}),
        TOGETHER: served.counted(lambda: together("run", *SHORT, now=NOW).sample),
    }
