"""Daily rows of many station-years computed anew from the hourly tables; beside pandas and DuckDB on the same files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airq_etl import quality, usual
from airq_etl.sensors import SENSORS
from airq_etl.synthetic import HISTORY
from tests.bench import others
from tests.bench.costs import Sample, Samples, TooLongError, bare, cost
from tests.bench.directories import Directory
from tests.bench.made_up_years import NOW
from tests.bench.served import HOUR
from tests.bench.station_years import tables
from tests.bench.suite import COST, Asked, Outcome, medians, ratio

SMALL = (2,)
AT_MOST_S = 15 * 60
OURS = "airq-etl transform"
WAYS = {"pandas": "pandas_daily", "DuckDB": "duckdb_daily"}


def rules() -> dict[str, Any]:
    """What judges a value, for programs that know nothing of airq-etl."""
    names = ("column", "lowest", "highest", "signed", "detection", "flat_h", "warm_up_h")
    return {
        "sensors": [{name: getattr(sensor, name) for name in names} for sensor in SENSORS if sensor.core],
        "usual_days": usual.DAYS,
        "fewest_usual": usual.FEWEST,
        "spike": quality.SPIKE,
        "mad_to_sigma": usual.MAD_TO_SIGMA,
        "off_h": quality.OFF // HOUR,
        "alone_h": quality.ALONE // HOUR,
    }


def measure(asked: Asked) -> Outcome:
    """See above."""
    samples: Samples = {}
    late: dict[str, str] = {}
    sizes = asked.sizes(SMALL)
    for count in sizes:
        cases = _cases(asked, count)
        for _ in range(asked.rounds):
            for name, case in cases.items():
                if name in late:
                    continue
                try:
                    samples.setdefault(name, []).append(case())
                except TooLongError as error:
                    late[name] = f"{name}: {error}, given up."
                    samples.pop(name)
    found = medians(samples)
    ratios = {
        f"{name} / ours": ratio(found, name, f"{count}: {OURS}", COST)
        for count in sizes
        for name in found
        if name.startswith(f"{count}: ") and name != f"{count}: {OURS}"
    }
    views = tuple((f"{count} station-years", f"{count}: ", COST) for count in sizes)
    notes = (
        (
            "ours: mean, least, most, number, completeness and flags of eight sensors, CO over eight hours, the index "
            "and guidelines, written by year and noted in the ledger. 'means': mean, least, most and number alone. "
            f"'flags too': by the same rules. More than {AT_MOST_S // 60} minutes are given up."
        ),
        *late.values(),
    )
    return Outcome(samples, ratios, views, notes)


def _cases(asked: Asked, count: int) -> dict[str, Callable[[], Sample]]:
    directory = tables(count, asked.directory)
    told = asked.directory / "rules.json"
    told.write_text(json.dumps(rules()), encoding="utf-8")
    cases: dict[str, Callable[[], Sample]] = {f"{count}: {OURS}": lambda: _ours(directory)}
    for what, shown in (("means", "means"), ("flags", "flags too")):
        for name in WAYS:
            cases[f"{count}: {name}, {shown}"] = lambda name=name, what=what: theirs(  # type: ignore[misc]
                name, what, directory, asked.directory
            )
    return cases


def _ours(directory: Directory) -> Sample:
    days = ("--start-date", f"{NOW - HISTORY:%Y-%m-%d}", "--end-date", f"{NOW:%Y-%m-%d}")
    return directory("transform", *days, now=NOW).sample


def theirs(name: str, what: str, directory: Directory, place: Path) -> Sample:
    """By pandas or DuckDB, `means` or `flags`, into `NAME-WHAT.parquet` of a place that has the rules."""
    words: list[str | Path] = [what, directory.data / "hourly", place / "rules.json", place / f"{name}-{what}.parquet"]
    return cost([*others.way(WAYS[name]), *words], place, bare(), at_most_s=AT_MOST_S).sample
