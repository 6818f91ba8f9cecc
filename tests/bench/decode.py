"""One answer of a whole year: decoded and checked, with daily means and flags; by us, and as the naive do it."""

import gzip
import json
import sys
from pathlib import Path

from airq_etl.sensors import SENSORS
from tests.bench import made_up_years, others
from tests.bench.costs import Samples, bare, cost, ours
from tests.bench.made_up_years import NOW
from tests.bench.suite import Asked, Outcome, medians, ratio

REFERENCE = "msgspec, typed decode alone"
REPEATS = 5
WAY = Path(__file__).with_name("way_decode.py")


def measure(asked: Asked) -> Outcome:
    """See above."""
    made_up_years.make(made_up_years.kept(), [1])
    body = asked.directory / "body.json"
    body.write_bytes(gzip.decompress(made_up_years.file_of(made_up_years.kept(), 1, NOW).read_bytes()))
    keys = json.dumps({sensor.key: sensor.column for sensor in SENSORS})
    samples: Samples = {}
    theirs = others.python()
    for _ in range(asked.rounds):
        for whose, python, environment in (("ours", Path(sys.executable), ours()), ("naive", theirs, bare())):
            words: list[str | Path] = [python, "-P", WAY, whose, str(REPEATS), body, keys]
            for way, spent in json.loads(cost(words, asked.directory, environment).out).items():
                name = f"{way} ({'ours' if whose == 'ours' else 'others'})" if way == REFERENCE else way
                samples.setdefault(name, []).extend({"cpu_ms": one} for one in spent)
    notes = (
        (
            f"One body of {body.stat().st_size / 1e6:.2f} MB of JSON; CPU of the process while it is worked on, "
            f"{REPEATS} times a round. 'naive' is json.loads, a DataFrame, to_datetime and groupby (mean, count, min, "
            "max); it checks nothing, and flags nothing. The reference is measured in both processes."
        ),
    )
    return Outcome(samples, _ratios(samples), (("", "", ("cpu_ms",)),), notes)


def _ratios(samples: Samples) -> dict[str, dict[str, float]]:
    found = medians(samples)
    mine, theirs = (f"{REFERENCE} ({whose})" for whose in ("ours", "others"))
    ways = [name for name in samples if name not in {mine, theirs}]
    pairs = [(name, mine if name.startswith("ours") else theirs) for name in ways]
    pairs += [(name, other) for name in ways if name.startswith("ours") for other in ways if other.startswith("naive")]
    return {
        f"{name} / {other.partition(',')[0]}{_which(other)}": ratio(found, name, other, ("cpu_ms",))
        for name, other in pairs
    }


def _which(other: str) -> str:
    return f",{other.partition(',')[2]}" if other.startswith("naive") else ""
