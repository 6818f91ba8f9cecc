"""Made-up hours, and what the checks are given of them."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import polars as pl

from airq_etl import daily, hourly
from airq_etl.sanity.evidence import Check, Evidence, Place
from airq_etl.sanity.finding import Finding
from airq_etl.sensors import CORE_COLUMNS
from airq_etl.stations import Rules
from tests.frames import STATION, hour
from tests.translated import in_both

OTHER = 283181971
NOW = hour(24 * 400)
RULES = Rules()


def rows(
    numbers: Iterable[int],
    station: int = STATION,
    *,
    asked: datetime = NOW,
    without: Iterable[str] = (),
    **values: float,
) -> pl.DataFrame:
    """Rows of the hourly table for these hours, every core sensor 1.0, or as `values` says, or `without` a value."""
    sensors = {**dict.fromkeys(CORE_COLUMNS, 1.0), **values, **dict.fromkeys(without)}
    given = pl.DataFrame({"hour": [hour(number) for number in numbers]}, schema={"hour": hourly.TIME})
    return hourly.arrange(
        given.with_columns(
            *(pl.lit(value, pl.Float64).alias(name) for name, value in sensors.items()),
            station_id=pl.lit(station, pl.Int64),
            provisional=pl.lit(value=False),
            requested_at=pl.lit(asked, hourly.TIME),
        )
    )


def evidence(*frames: pl.DataFrame, now: datetime = NOW, rules: Rules = RULES, **more: Any) -> Evidence:  # noqa: ANN401 -- any other field
    """What there is when the tables hold these hours, and their days."""
    hours = hourly.combine(frames)
    tables = Place("tables", hours, daily.compute(hours, rules), frozenset(hours["station_id"]))
    return Evidence(now=now, rules=rules, tables=tables, **more)


def finder(checks: Iterable[Check]) -> Callable[[str, Evidence], list[Finding]]:
    """Call with a check's name and the evidence; what is found must have its French."""
    by_name = {check.name: check for check in checks}
    return lambda name, given: in_both(by_name[name].find(given))
