"""Documents of the hours of some station-years into both stores: all new, again, some changed, all changed."""

import json
import sys
from pathlib import Path

from tests.bench.costs import FailedError, Sample, Samples, cost, ours
from tests.bench.served import is_another, mongo
from tests.bench.station_years import tables
from tests.bench.suite import COST, Asked, Outcome, medians, ratio

SMALL = (1,)
STORES = {"embedded": "embedded", "MongoDB": "mongodb", "naive, MongoDB": "naive"}
NOTHING = "the same"
FEW, FEWEST = 1000, 200
LIMITED = (
    "MongoDB: {:,} documents only. The server that the benchmarks start, FerretDB 1 on SQLite, goes through a whole "
    "collection for each replacement and each look at a list of _id; with TEST_MONGODB_URI all documents go to that."
)


def measure(asked: Asked) -> Outcome:
    """See above."""
    sizes, samples = asked.sizes(SMALL), dict[str, list[Sample]]()
    with mongo(asked.directory) as database:
        for count in sizes:
            data = tables(count, asked.directory).data
            for number in range(asked.rounds):
                for name, kind in STORES.items():
                    new = f"{kind}_{count}_{number}"
                    where = str(asked.directory / new) if kind == "embedded" else database(new)
                    for what, sample in _saved(asked, kind, where, data).items():
                        samples.setdefault(f"{count}: {name}: {what}", []).append(sample)
    views = tuple((f"{count} station-years of hours", f"{count}: ", ("rows", "rows_s", *COST[:2])) for count in sizes)
    notes = (
        (
            "docs/s: documents gone through in a second, written or not; CPU of the process that saves, not of the "
            "server. Documents are made before. naive: insert_many, then a ReplaceOne with upsert for each document."
        ),
        *([] if is_another() else [LIMITED.format(_most(asked))]),
    )
    return Outcome(samples, _ratios(samples, sizes), views, notes)


def _most(asked: Asked) -> int:
    return FEWEST if asked.small else FEW


def _saved(asked: Asked, kind: str, where: str, data: Path) -> dict[str, Sample]:
    most = 0 if kind == "embedded" or is_another() else _most(asked)
    words: list[str | Path] = [sys.executable, "-m", "tests.bench.saving", kind, where, data, str(most)]
    told: dict[str, Sample] = json.loads(cost(words, asked.directory, ours()).out)
    if kind != "naive" and told[NOTHING]["rows"]:
        raise FailedError(f"{kind}: {told[NOTHING]['rows']} documents were written of which none had changed")
    return told


def _ratios(samples: Samples, sizes: tuple[int, ...]) -> dict[str, Sample]:
    found, ratios = medians(samples), dict[str, Sample]()
    for count in sizes:
        for name in ("embedded", "MongoDB"):
            one = f"{count}: {name}: changed, 1 %"
            ratios[f"{one} / all"] = ratio(found, one, f"{count}: {name}: changed, all", COST[:2])
        for what in ("new", NOTHING, "changed, 1 %", "changed, all"):
            mine, its = (f"{count}: {name}: {what}" for name in ("MongoDB", "naive, MongoDB"))
            ratios[f"{mine} / naive"] = ratio(found, mine, its, COST[:2])
    return ratios
