"""An hourly run as stations grow in number, their source 100 ms away, 32 of them asked at a time.

The tables hold two months of each before, which is as far as a run looks back: backfilled, and some hours more, which
nobody counts, since models are fitted in them. Then the hours go by: one with a whole run, the next with a run that
neither forecasts nor looks at what is stored.
"""

import os
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from tests.bench import made_up_years
from tests.bench.costs import Sample, Samples, interleaved
from tests.bench.directories import SHORT, Directory
from tests.bench.made_up_years import NOW
from tests.bench.served import Served, source
from tests.bench.suite import FETCHING, Asked, Outcome, medians

SMALL, FIRST = (10, 20), 2
DAYS, FEW_DAYS = 62, 3
HOURS_BEFORE = 3
LATENCY_S, CONCURRENCY = 0.1, 32
STEPS = ("ideal_s", "over_ideal", "extract_s", "transform_s", "load_s", "forecast_s", "sanity_check_s")
WHOLE, SHORTER = "run", "short"


def measure(asked: Asked) -> Outcome:
    """See above."""
    sizes = asked.sizes(SMALL)
    samples: Samples = {}
    # A source for each size, so that each begins at the same hour.
    for count in dict.fromkeys((FIRST, *sizes)):
        with source(asked.directory, count, latency_s=LATENCY_S, years=made_up_years.kept()) as served:
            directory = _filled(asked, served, count)
            samples |= _hours(asked, served, directory)
    found = medians(samples)
    ratios: dict[str, Sample] = {}
    for small, large in pairwise(sizes):
        for what in (WHOLE, SHORTER):
            cost = {count: found[f"{count}: {what}"] for count in (FIRST, small, large)}
            ratios[f"{what}: {large} / ({large // small} x {small}), beyond start"] = _beyond(cost, small, large)
    views = (
        ("whole processes; the number is that of the stations", "", (*FETCHING, "source_cpu_s")),
        ("steps, as the run itself recorded them", "", STEPS),
    )
    notes = (
        (
            f"{FEW_DAYS if asked.small else DAYS} days of each station before. L/c: the sum of the latencies, divided "
            f"by {CONCURRENCY}; extr./L: how many times that extract took. Beyond start: less what the {FIRST} "
            "stations take. short: --no-forecast --no-sanity-check. source s: CPU that the source took while the run "
            f"was at work, on the same {os.cpu_count()} cores. AIRQ_SWEEP_DAYS=0, since a backfill is followed by one "
            "whole year else."
        ),
    )
    return Outcome(samples, ratios, views, notes)


def _filled(asked: Asked, served: Served, count: int) -> Directory:
    directory = Directory(
        asked.directory / f"data-{count}", count, served.url, CONCURRENCY=str(CONCURRENCY), SWEEP_DAYS="0"
    )
    first = NOW - timedelta(days=FEW_DAYS if asked.small else DAYS)
    directory("run", *SHORT, "--start-date", f"{first:%Y-%m-%d}", now=served.now)
    for _ in range(1 if asked.small else HOURS_BEFORE):
        served.tick()
        directory("run", now=served.now)
    return directory


def _hours(asked: Asked, served: Served, directory: Directory) -> Samples:
    def an_hour(words: Sequence[str]) -> Sample:
        served.tick()
        sample = served.counted(lambda: directory("run", *words, now=served.now).sample) | directory.steps()
        sample["ideal_s"] = sample["requests"] * LATENCY_S / CONCURRENCY
        return sample | {"over_ideal": sample["extract_s"] / sample["ideal_s"]}

    cases = {
        f"{directory.stations}: {WHOLE}": lambda: an_hour(()),
        f"{directory.stations}: {SHORTER}": lambda: an_hour(SHORT),
    }
    return interleaved(cases, asked.rounds)


def _beyond(cost: dict[int, Sample], small: int, large: int) -> Sample:
    """What a size costs beyond the start, over so many times what a smaller one does."""
    told = {}
    for name in ("cpu_s", "wall_s"):
        less, more = (cost[count][name] - cost[FIRST][name] for count in (small, large))
        told[name] = more / (less * large / small) if less > 0 else float("nan")
    return told
