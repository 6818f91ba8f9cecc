"""The hours that checks of readings look at, and how their numbers are written."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from airq_etl.hourly import EARLIEST, KEY, TIME
from airq_etl.sanity.evidence import Evidence
from airq_etl.sensors import BY_COLUMN


def served(evidence: Evidence) -> pl.DataFrame:
    """The hours of the tables from when a station is in service, the provisional left out, sorted."""
    since = dict(evidence.rules.in_service) or {0: EARLIEST}
    begins = pl.col("station_id").replace_strict(since, default=EARLIEST, return_dtype=TIME)
    return evidence.tables.hourly.filter(~pl.col("provisional"), pl.col("hour") >= begins).sort(KEY)


def number(value: float, sensor: str) -> str:
    """A value with its unit: `-0.53 mg/m³`."""
    return f"{plain(value)} {BY_COLUMN[sensor].unit}"


def plain(value: float) -> str:
    """A value to three significant digits, or to the whole where it is large: `0.0`, `-0.526`, `26.4`, `-999`."""
    if value == 0:
        return "0.0"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{places}f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0') or '0'}" if decimals else whole


def percent(share: float) -> str:
    """A share cut to a tenth of a percent, so that 100 % is said of all alone: `99.9 %`."""
    # A share of 0.29 is a hair below it in binary, so cutting looks 1e-9 higher.
    return f"{math.floor(share * 1000 + 1e-9) / 10:g} %"


def moment(time: datetime) -> str:
    """An hour as people write it: `2023-04-22 00:00` (UTC)."""
    return f"{time:%Y-%m-%d %H:%M}"


def where(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of a row stands in a finding as it is."""
    return {name: row[name] for name in ("station_id", "first", "last", "count")}
