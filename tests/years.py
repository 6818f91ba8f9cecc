"""Made-up years of stations, and what the checks are given of them."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from math import cos, pi
from random import Random

import polars as pl

from airq_etl import daily, hourly
from airq_etl.sanity.evidence import Check, Evidence, Place
from airq_etl.sanity.finding import Finding
from airq_etl.stations import Rules
from tests.translated import in_both

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
NOW = datetime(2025, 6, 1, tzinfo=UTC)
STATION = 7

Value = Callable[[int], float]


def hours_of(count: int, station: int = STATION, /, **values: Callable[[int], float | None]) -> pl.DataFrame:
    """So many hours from BEGIN on: of each sensor named the value of each hour by its number."""
    numbers = range(count)
    frame = pl.DataFrame(
        {
            "station_id": [station] * count,
            "hour": [BEGIN + timedelta(hours=number) for number in numbers],
            **{name: [value(number) for number in numbers] for name, value in values.items()},
        },
        schema={"station_id": pl.Int64, "hour": hourly.TIME, **dict.fromkeys(values, pl.Float64)},
    )
    return hourly.arrange(frame.with_columns(provisional=pl.lit(value=False), requested_at=pl.lit(NOW, hourly.TIME)))


def lively(number: int) -> float:
    """A value that never stands still: 10 to 20."""
    return 10 + number * 7919 % 1009 / 100.9


def noise(seed: int, size: float) -> Value:
    """Weather: a value that changes slowly from day to day, and a little from hour to hour."""
    dice = Random(seed)  # noqa: S311 -- weather
    days = [0.0]
    for _ in range(400):
        days.append(0.7 * days[-1] + dice.gauss(0, 0.7 * size))
    hours = [dice.gauss(0, 0.2 * size) for _ in range(997)]
    return lambda number: days[number // 24] + hours[number % 997]


def calm(level: float, size: float = 1, seed: int = 0) -> Value:
    """A level that a sensor keeps from day to day, with a little noise from hour to hour."""
    dice = Random(seed)  # noqa: S311 -- noise
    hours = [dice.uniform(-size, size) for _ in range(997)]
    return lambda number: level + hours[number % 997]


def cycle(number: int) -> float:
    """The course of the day, from -1 in the night to 1 at 13:00."""
    return cos(2 * pi * (number - 13) / 24)


def season(number: int) -> float:
    """The course of the year, from -1 to 1 and back."""
    return -cos(2 * pi * number / 24 / 366)


def evidence_of(hours: pl.DataFrame, rules: Rules | None = None) -> Evidence:
    """Evidence of these hours, and of nothing else."""
    place = Place("tables", hours, daily.empty(), frozenset(hours["station_id"]))
    return Evidence(now=NOW, rules=rules or Rules(), tables=place)


def found(checks: Iterable[Check], hours: pl.DataFrame, rules: Rules | None = None) -> list[Finding]:
    """What these checks find in these hours; it must have its French."""
    evidence = evidence_of(hours, rules)
    return in_both(finding for check in checks for finding in check.find(evidence))


def told(findings: Iterable[Finding]) -> list[tuple[str, str, int | None, str | None]]:
    """Findings in short: check, severity, station, sensor; in order."""
    return sorted(((f.check, f.severity, f.station_id, f.sensor) for f in findings), key=str)
