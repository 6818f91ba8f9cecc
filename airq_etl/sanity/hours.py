"""The hours that checks of readings look at, and what their rows say in a finding."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from airq_etl.hourly import EARLIEST, KEY, TIME
from airq_etl.sanity.evidence import Evidence


def served(evidence: Evidence) -> pl.DataFrame:
    """The hours of the tables from when a station is in service, the provisional left out, sorted."""
    since = dict(evidence.rules.in_service) or {0: EARLIEST}
    begins = pl.col("station_id").replace_strict(since, default=EARLIEST, return_dtype=TIME)
    return evidence.tables.hourly.filter(~pl.col("provisional"), pl.col("hour") >= begins).sort(KEY)


def where(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of a row stands in a finding as it is."""
    return {name: row[name] for name in ("station_id", "first", "last", "count")}
