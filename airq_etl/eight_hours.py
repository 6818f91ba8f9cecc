"""The means of CO over eight hours, the highest of which a guideline is about."""

from functools import reduce
from operator import add

import polars as pl

from airq_etl import quality
from airq_etl.hourly import KEY

HOURS = 8
FEWEST = 6
"""75 % of eight."""
SPAN = HOURS * quality.HOUR
_PLACES = HOURS - FEWEST + 1
"""An hour, and those that may be missing behind it."""


def means(judged: pl.DataFrame) -> pl.DataFrame:
    """For each hour (`station_id`, `hour`) the mean of CO over the eight that end with it, `co_8h`; null of under six.

    `judged` are hours as `quality.judge` has them, sorted; bad ones do not count. A mean may end with an hour that is
    missing, where the station goes on after no more than `quality.AFTER`.
    """
    ends = _ends(judged.select(*KEY, co=quality.usable("co")))
    # Sums are made row by row, since what a rolling mean carries on differs in the last bit with where it began; and
    # in one order, since that in which polars sums columns up differs with the number of its threads.
    ages = range(HOURS)
    clock = pl.col("clock")
    ends = ends.with_columns((clock - clock.shift(age) < SPAN).alias(f"within {age}") for age in ages)
    values = [pl.when(f"within {age}").then(pl.col("co").shift(age)) for age in ages]
    count = reduce(add, (value.is_not_null().cast(pl.Int8) for value in values))
    total = reduce(add, (value.fill_null(0.0) for value in values))
    return ends.select(*KEY, co_8h=pl.when(count >= FEWEST).then(total / count))


def _ends(known: pl.DataFrame) -> pl.DataFrame:
    """Hours with the missing ones that a mean may end with, and a `clock` on which stations lie eight hours apart."""
    station, hour, place = pl.col("station_id"), pl.col("hour"), pl.col("place")
    rows = known.with_row_index("place").with_columns(place * _PLACES)
    until = pl.when(station == station.shift(-1)).then(hour.shift(-1) - hour)
    missing = [
        rows.filter(until.is_between((later + 1) * quality.HOUR, quality.AFTER)).select(
            place + later, "station_id", hour + later * quality.HOUR, co=pl.lit(None, pl.Float64)
        )
        for later in range(1, _PLACES)
    ]
    since = pl.when(station == station.shift(1)).then(hour - hour.shift(1)).otherwise(SPAN)
    # By one number, which takes a thirtieth of the time that station and hour take.
    return pl.concat([rows, *missing]).sort("place").with_columns(clock=since.cum_sum())
