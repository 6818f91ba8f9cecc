"""The hours that checks of readings look at, and what their rows say in a finding."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from airq_etl.hourly import EARLIEST, KEY, TIME
from airq_etl.sanity.evidence import Evidence
from airq_etl.stations import Rules


def served(evidence: Evidence) -> pl.DataFrame:
    """The hours of the tables from when a station is in service, the provisional left out, sorted."""
    hours = evidence.tables.hourly.filter(~pl.col("provisional"), in_service(evidence.rules))
    return hours if each_later(hours, KEY) else hours.sort(KEY)


def in_service(rules: Rules) -> pl.Expr:
    """Whether the station of a row was in service at its hour."""
    since = dict(rules.in_service) or {0: EARLIEST}
    return pl.col("hour") >= pl.col("station_id").replace_strict(since, default=EARLIEST, return_dtype=TIME)


def each_later(frame: pl.DataFrame, key: Sequence[str]) -> bool:
    """Whether each row comes behind the one before it, by station and time: in order, and none of them twice."""
    station, time = (pl.col(name) for name in key)
    later = (station > station.shift(1)) | ((station == station.shift(1)) & (time > time.shift(1)))
    return bool(frame.select(later.slice(1).fill_null(value=False).all()).item())


def where(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of a row stands in a finding as it is."""
    return {name: row[name] for name in ("station_id", "first", "last", "count")}
