"""NowCast of PM2.5, hour by hour: what the last twelve hours say of the air now (see `guidelines.nowcast`)."""

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from airq_etl import guidelines, quality
from airq_etl.hourly import KEY

COLUMNS = ("pm25_nowcast", "pm25_nowcast_aqi")


def add(judged: pl.DataFrame) -> pl.DataFrame:
    """Hours that were judged, with `pm25_nowcast` (µg/m³) and its US AQI (`pm25_nowcast_aqi`) beside them.

    Values flagged bad are left out. Both are null at an hour that is provisional, and where too few of the
    newest hours have a value.
    """
    return _beside(judged, quality.usable("pm25"))


def of(hours: pl.DataFrame, in_service: Mapping[int, datetime]) -> pl.DataFrame:
    """As `add`, of hours that were not judged: a value is bad by its own hour (see `quality.judge`)."""
    usable = pl.when(~quality.idle(in_service)).then(quality.good("pm25"))
    return _beside(hours.sort(KEY), usable)


def _beside(judged: pl.DataFrame, usable: pl.Expr) -> pl.DataFrame:
    values = judged.select(*KEY, usable.alias("0"))
    every_hour = pl.datetime_ranges(pl.col("hour").min(), pl.col("hour").max(), "1h").explode()
    grid = (
        values.group_by("station_id", maintain_order=True)
        .agg(hour=every_hour)
        .explode("hour")
        .join(values, on=KEY, how="left", maintain_order="left")
        .with_columns(
            pl.col("0").shift(age).over("station_id").alias(str(age)) for age in range(1, guidelines.NOWCAST_HOURS)
        )
    )
    last_hours = grid.select(str(age) for age in range(guidelines.NOWCAST_HOURS))
    grid = grid.select(*KEY, guidelines.nowcast(last_hours).alias("pm25_nowcast"))
    return (
        judged.join(grid, on=KEY, how="left", maintain_order="left")
        .with_columns(pm25_nowcast=pl.when(~pl.col("provisional")).then("pm25_nowcast"))
        .with_columns(pm25_nowcast_aqi=guidelines.pm25_aqi(pl.col("pm25_nowcast")))
        .select(*judged.columns, *COLUMNS)
    )
