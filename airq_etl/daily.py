"""The daily table: one row a station and day, recomputed from all the hours of that day.

A day runs from midnight to midnight in the station's time zone. A mean divides by the hours that were reported
(those flagged bad left out) and stands beside their number; it is valid with enough of them (18 of 24, which is
75 %: US 40 CFR Part 50 App. N 3.0(c), EU 2024/2881 Annex V), in proportion on the days of 23 and 25 hours. An
invalid day keeps its mean.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from airq_etl import quality
from airq_etl.guidelines import pm25_aqi
from airq_etl.hourly import KEY as HOUR_KEY
from airq_etl.hourly import TIME
from airq_etl.sensors import CORE_COLUMNS, present
from airq_etl.stations import midnight

KEY = ("station_id", "day")
UTC_ZONE = "UTC"

Zones = Mapping[int, str]
"""The IANA time zone of each station that is not in UTC."""


class Rules(NamedTuple):
    """What makes a day, and a mean: zones, hours (of 24) that make a mean valid, and since when stations serve.

    Hours before `in_service` (aware UTC, by station) are kept, flagged bad, and left out of means.
    """

    zones: Zones = MappingProxyType({})
    min_hours: int = 18
    in_service: Mapping[int, datetime] = MappingProxyType({})


def schema(sensors: tuple[str, ...] = CORE_COLUMNS) -> dict[str, pl.DataType]:
    """The columns of the daily table for these sensors."""
    columns: dict[str, pl.DataType] = {"station_id": pl.Int64(), "day": pl.Date()}
    for name in sensors:
        columns |= {f"{name}_{value}": pl.Float64() for value in ("mean", "min", "max")}
        columns |= {f"{name}_hours": pl.Int32(), f"{name}_valid": pl.Boolean()}
    return columns | {"final": pl.Boolean(), "pm25_aqi": pl.Int32(), "updated_at": TIME}


SCHEMA = schema()


def empty() -> pl.DataFrame:
    """The daily table with no rows."""
    return pl.DataFrame(schema=SCHEMA)


def combine(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Frames of the daily table below each other; a sensor that one of them lacks has no hours there."""
    whole = pl.concat([empty(), *frames], how="diagonal")
    means = (name for name in whole.columns if name.endswith("_mean") and whole[name].null_count() < whole.height)
    sensors = present(name.removesuffix("_mean") for name in means)
    added = [name for name in sensors if name not in CORE_COLUMNS]
    return whole.select(schema(sensors).keys()).with_columns(
        *(pl.col(f"{name}_hours").fill_null(0) for name in added),
        *(pl.col(f"{name}_valid").fill_null(value=False) for name in added),
    )


def day_of(zones: Zones, column: str = "hour") -> pl.Expr:
    """The local day (Date) of a UTC time in `column`, by the zone of the row's `station_id`."""
    day = pl.col(column).dt.date()
    for zone in sorted(set(zones.values()) - {UTC_ZONE}):
        stations = [station for station, its in zones.items() if its == zone]
        local = pl.col(column).dt.convert_time_zone(zone).dt.date()
        day = pl.when(pl.col("station_id").is_in(stations)).then(local).otherwise(day)
    return day


def compute(hours: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """The daily rows of all days that `hours` (rows of the hourly table, whole days) touches.

    `final` says that the day had ended when its hours were last asked for
    and that none of them is provisional; `pm25_aqi` is null where the PM2.5 mean is not valid; `updated_at` is
    the newest `requested_at` under the day.
    """
    sensors = present(hours.columns)
    # Sorted first, so that a mean is the same to the last bit whatever the order of the rows.
    days = (
        hours.sort(HOUR_KEY)
        .with_columns(day=day_of(rules.zones))
        .group_by(KEY, maintain_order=True)
        .agg(
            *(expression for name in sensors for expression in _values(name)),
            settled=~pl.col("provisional").any(),
            updated_at=pl.col("requested_at").max(),
        )
    )
    days = days.join(_bounds(days.select(KEY), rules.zones, rules.min_hours), on=KEY, how="left").with_columns(
        *(_valid(name) for name in sensors), final=pl.col("settled") & (pl.col("updated_at") >= pl.col("ends"))
    )
    aqi = pl.when(pl.col("pm25_valid")).then(pm25_aqi(pl.col("pm25_mean")))
    return days.with_columns(pm25_aqi=aqi).select(schema(sensors).keys()).sort(KEY)


def _values(name: str) -> list[pl.Expr]:
    column = quality.good(name)
    return [
        column.mean().alias(f"{name}_mean"),
        column.min().alias(f"{name}_min"),
        column.max().alias(f"{name}_max"),
        column.count().cast(pl.Int32).alias(f"{name}_hours"),
    ]


def _valid(name: str) -> pl.Expr:
    return (pl.col(f"{name}_hours") >= pl.col("needed")).alias(f"{name}_valid")


def _bounds(days: pl.DataFrame, zones: Zones, min_hours: int) -> pl.DataFrame:
    """For each station and day: when it `ends` (UTC), and the hours `needed` for a valid mean."""
    zone = pl.col("station_id").replace_strict(dict(zones) or {0: UTC_ZONE}, default=UTC_ZONE, return_dtype=pl.String)
    days = days.with_columns(zone=zone)
    local = days.select("zone", "day").unique()
    rows = [(name, day, *_bound(day, name, min_hours)) for name, day in local.iter_rows()]
    columns: dict[str, pl.DataType] = {"zone": pl.String(), "day": pl.Date(), "ends": TIME, "needed": pl.Int32()}
    return days.join(pl.DataFrame(rows, schema=columns, orient="row"), on=("zone", "day"))


def _bound(day: date, zone: str, min_hours: int) -> tuple[datetime, int]:
    ends = midnight(day + timedelta(days=1), zone)
    expected = (ends - midnight(day, zone)) / timedelta(hours=1)
    return ends, math.ceil(min_hours * expected / 24)


def touched_days(outcome: pl.DataFrame, zones: Zones) -> pl.DataFrame:
    """The days that the hours of `outcome` (see `hourly.Merged`) fall on, each with whether its content `changed`.

    A day changes where an hour is new or differs, and where the newest answer is the first one since it ended
    (it may then become final).
    """
    days = (
        outcome.with_columns(day=day_of(zones))
        .group_by(KEY)
        .agg(
            differs=(pl.col("outcome") != "confirmed").any(),
            before=pl.col("requested_before").max(),
            now=pl.col("requested_at").max(),
        )
    )
    ended = pl.col("before").is_null() | ((pl.col("before") < pl.col("ends")) & (pl.col("now") >= pl.col("ends")))
    bounds = _bounds(days.select(KEY), zones, min_hours=0)
    return days.join(bounds, on=KEY, how="left").select(*KEY, changed=pl.col("differs") | ended).sort(KEY)
