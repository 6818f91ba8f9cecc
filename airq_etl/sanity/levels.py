"""The level of each sensor by day, beside that of the station's neighbours, and how it changes from day to day.

A level is the median of a local day. That of particles is its natural logarithm, since they change by factors.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import polars as pl
import polars.selectors as cs

from airq_etl.daily import day_of
from airq_etl.quality import good
from airq_etl.stations import Zones

SERIES = ("station_id", "sensor")
SWING = "temperature_swing"
"""From the 5th to the 95th percentile of a day's temperature, as a sensor of its own."""

# A median of less than half a day is one of part of its cycle; the cycle itself needs a valid day.
LEVEL_HOURS, SWING_HOURS = 12, 18
LOWEST_LOGARITHM = 0.1  # µg/m³, what an optical counter tells from none

# A fortnight outlasts most weather. A window of fewer than a week of days tells nothing, nor do two windows that an
# outage of a season lies between.
WINDOW, LEAST = 14, 7
LONGEST = timedelta(days=60)
ABOUT = 3  # days on either side that show whether a change is sudden
SUDDEN = 0.6  # of the change, seen already in these days
# The distance of quartiles of a normal distribution, in standard deviations.
QUARTILES = 1.349

# In typical distances of a day from its fortnight. Three false steps in 140 made-up station-years of temperate,
# continental, monsoon and harmattan climates; of the true ones of two stations in Abidjan the weakest has 2.7.
# Against the neighbours the weather is gone. Without any it is not, and it changes all but the zero of an
# electrochemical or infrared sensor overnight: the rains, the dust of the Sahara, a cold front.
STEP, STEP_ALONE = 2.7, 5.0
STEADY = ("co", "co2")
APART = 0.6  # of the change, seen against the neighbours too
SAME_TIME = 3  # days, in which sensors of a station change together

# Day-to-day changes of temperature: the two stations in Abidjan have 0.79, unrelated ones about 0.
SAME_WEATHER = 0.5
COMMON_DAYS = 30
# Enough for a median that one moved or broken neighbour cannot turn.
MOST_NEIGHBOURS = 12
ROWS_AT_ONCE = 5_000_000


class Level(NamedTuple):
    """A sensor whose level is looked at: its kind, and the least change worth a look (in its unit, or a logarithm)."""

    sensor: str
    kind: str
    smallest: float
    logarithm: bool = False


# More than the distance of two stations in Abidjan changed from one fortnight to the next in the seven months in which
# both stood still (NO2 1.4, O3 6.7, CO 0.16, particles by 1.9, humidity 1.8), and what a user of the means would mind.
LEVELS: tuple[Level, ...] = (
    Level("co", "co", 0.2),
    Level("no2", "metal oxide", 2),
    Level("o3", "metal oxide", 8),
    Level("pm1", "particles", 0.69, logarithm=True),
    Level("pm25", "particles", 0.69, logarithm=True),
    Level("pm10", "particles", 0.69, logarithm=True),
    Level("temperature", "temperature", 3),
    Level(SWING, "temperature", 2),
    Level("humidity", "humidity", 10),
    Level("co2", "co2", 100),
    Level("noise", "noise", 6),
)
BY_SENSOR = {level.sensor: level for level in LEVELS}


def by_day(hours: pl.DataFrame, zones: Zones) -> pl.DataFrame:
    """One row a station, sensor and local day that has a level: station_id, sensor, day, level; in order."""
    there = [level for level in LEVELS if level.sensor in hours.columns]
    days = hours.group_by("station_id", day=day_of(zones), maintain_order=True)
    frame = days.agg(*(_level(level) for level in there), _swing())
    index = ["station_id", "day"]
    return frame.unpivot(index=index, variable_name="sensor", value_name="level").drop_nulls().sort(*SERIES, "day")


def _level(level: Level) -> pl.Expr:
    value = good(level.sensor)
    median = value.clip(LOWEST_LOGARITHM).median().log() if level.logarithm else value.median()
    return pl.when(value.count() >= LEVEL_HOURS).then(median).alias(level.sensor)


def _swing() -> pl.Expr:
    value = good("temperature")
    swing = value.quantile(0.95) - value.quantile(0.05)
    return pl.when(value.count() >= SWING_HOURS).then(swing).alias(SWING)


def neighbours(days: pl.DataFrame) -> pl.DataFrame:
    """Pairs of stations (station_id, neighbour) with the same weather, whatever their coordinates say.

    They have it where their temperatures rise and fall together from day to day. Where many do, those count that do
    so most, since a thousand stations of one town have a million pairs.
    """
    moves = (
        days.filter(pl.col("sensor") == "temperature")
        .with_columns(move=pl.col("level").diff().over("station_id"), gap=pl.col("day").diff().over("station_id"))
        .filter(pl.col("gap") == timedelta(days=1))
        .select("station_id", "day", "move")
    )
    portion = pl.col("station_id").rank("dense").cast(pl.Int64) * moves.height // ROWS_AT_ONCE
    pairs = [_alike(some, moves) for _, some in moves.group_by(portion.alias("portion"))]
    found = pl.concat(pairs or [_alike(moves, moves)]).sort(
        "station_id", "together", "neighbour", descending=[False, True, False]
    )
    return found.group_by("station_id", maintain_order=True).head(MOST_NEIGHBOURS).select("station_id", "neighbour")


def _alike(moves: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The pairs of stations whose moves go `together`, and how far they do."""
    return (
        moves.select("station_id", "day", "move")
        .join(others.rename({"station_id": "neighbour"}), on="day", suffix="_there")
        .filter(pl.col("station_id") != pl.col("neighbour"))
        .group_by("station_id", "neighbour")
        # Rounded, so that the order of the rows decides nothing.
        .agg(together=pl.corr("move", "move_there").round(6), days=pl.len())
        # Of a temperature that never moves it is no number, which counts as more than any.
        .filter(pl.col("together").is_not_nan())
        .filter(pl.col("days") >= COMMON_DAYS, pl.col("together") >= SAME_WEATHER)
    )


def beside(days: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The days with `apart`: how far a level is from the median of the neighbours' that day, null without any."""
    whose = pairs.rename({"station_id": "to", "neighbour": "station_id"})
    theirs = pl.concat(
        some.join(whose, on="station_id")
        .group_by(station_id="to", sensor="sensor", day="day")
        .agg(theirs=pl.col("level").median())
        for some in (days.partition_by("sensor") or [days])
    )
    both = days.join(theirs, on=["station_id", "sensor", "day"], how="left", maintain_order="left")
    return both.with_columns(apart=pl.col("level") - pl.col("theirs")).drop("theirs")


def changes(days: pl.DataFrame) -> pl.DataFrame:
    """What each day (of `beside`) begins: the fortnight from it on against the fortnight before it.

    `number` counts the days of a series. `before` and `after` are medians of levels, `change` their difference,
    `spreads` the same in typical distances of a day from its fortnight, `sudden` whether the days next to it show it
    already, `still` whether most days from it on are the same, `between` the days from the middle of the one
    fortnight to that of the other, `edge` a measure that is largest at the very day. `apart_change` and
    `apart_spreads` are the same for the distance from the neighbours, null without any.
    """
    own = _windows(days, "level")
    theirs = _windows(days.drop_nulls("apart"), "apart").select(
        *SERIES, "day", apart_change=pl.col("change"), apart_spreads=pl.col("spreads")
    )
    return own.join(theirs, on=[*SERIES, "day"], how="left", maintain_order="left").drop_nulls("change")


def _windows(days: pl.DataFrame, name: str) -> pl.DataFrame:
    value, day = pl.col(name), pl.col("day")
    low, median, high = (_sides(value, partial(_quantile, share=share)) for share in (0.25, 0.5, 0.75))
    mean, near, centre = _sides(value, _mean), _sides(value, _near), _sides(day.to_physical(), _mean)
    change = median.later - median.earlier
    spread = (high.earlier - low.earlier + high.later - low.later) / 2 / QUARTILES
    length = day.shift(1 - WINDOW).fill_null(day.last()) - day.shift(WINDOW).fill_null(day.first())
    return (
        days.group_by(SERIES, maintain_order=True)
        .agg(
            pl.all(),
            number=pl.int_range(pl.len()),
            before=median.earlier,
            after=median.later,
            change=pl.when(length <= LONGEST).then(change),
            spreads=change / spread,
            sudden=(near.later - near.earlier) / change >= SUDDEN,
            still=high.later == low.later,
            between=centre.later - centre.earlier,
            edge=(mean.later - mean.earlier).abs(),
        )
        .explode(cs.exclude(SERIES))
    )


class _Sides(NamedTuple):
    """A rolling value of the days before each day, and of those from it on."""

    earlier: pl.Expr
    later: pl.Expr


def _sides(value: pl.Expr, rolling: Callable[[pl.Expr], pl.Expr]) -> _Sides:
    return _Sides(rolling(value).shift(1), rolling(value.reverse()).reverse())


def _mean(value: pl.Expr) -> pl.Expr:
    return value.rolling_mean(WINDOW, min_samples=LEAST)


def _near(value: pl.Expr) -> pl.Expr:
    return value.rolling_mean(ABOUT)


def _quantile(value: pl.Expr, share: float) -> pl.Expr:
    return value.rolling_quantile(share, "linear", window_size=WINDOW, min_samples=LEAST)


def steps(changed: pl.DataFrame) -> pl.DataFrame:
    """Of `changes` the sudden ones that stay and are the station's own: one row a step, at its day, with its `kind`.

    What neighbours share is weather or season; what ends in one value for ever is a dead sensor.
    """
    smallest = pl.col("sensor").replace_strict({level.sensor: level.smallest for level in LEVELS})
    own = pl.col("spreads").abs()
    apart = (pl.col("apart_spreads").abs() >= STEP) & (pl.col("apart_change") / pl.col("change") >= APART)
    alone = pl.col("apart_spreads").is_null() & pl.col("sensor").is_in(STEADY) & (own >= STEP_ALONE)
    large = (pl.col("change").abs() >= smallest) & (own >= STEP)
    return peaks(changed.filter(pl.col("sudden"), ~pl.col("still"), large, apart | alone))


def peaks(found: pl.DataFrame) -> pl.DataFrame:
    """Of days less than a fortnight of levels from each other that of the sharpest edge, with its `kind`."""
    kinds = {level.sensor: level.kind for level in LEVELS}
    begins = (pl.col("number").diff() >= WINDOW).fill_null(value=True)
    return (
        found.with_columns(run=begins.cum_sum().over(SERIES), kind=pl.col("sensor").replace_strict(kinds))
        .sort("edge", descending=True, maintain_order=True)
        .unique([*SERIES, "run"], keep="first", maintain_order=True)
        .sort("station_id", "day", "sensor")
    )


def together(found: pl.DataFrame) -> pl.DataFrame:
    """The rows, by station and day, with `group`: those of a station that lie a few days apart share it."""
    begins = (pl.col("day").diff() > timedelta(days=SAME_TIME)).fill_null(value=True).over("station_id")
    return found.sort("station_id", "day", maintain_order=True).with_columns(group=begins.cum_sum())
