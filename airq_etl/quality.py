"""Flags: what a reading is worth. Values stay as reported; a flag stands beside each, and `reasons` in words.

The levels are ordered: `ok`, `info`, `suspect`, `bad`. A bad value is no reading, and is left out of means.

    bad       not in service   before the station was put up (`in_service_from` of the stations file)
              out of range     what no such sensor can give
    suspect   negative         a concentration below zero by more than noise: the zero has drifted
              flat             the same value for hours, zeros included
              spike            far from its hour of the day in the last two weeks, and from the hour on either side
              warm-up          the first hours after the sensor was off
    info      noise below zero by no more than a sensor's limit of detection
              isolated         no hour of the station for some hours before and after

A flag depends on the hours around its own, from `BEFORE` to `AFTER` it, and on nothing else: whatever portion of
a station's hours is judged, a flag is the same as long as these are among them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from airq_etl import usual
from airq_etl.hourly import TIME
from airq_etl.sensors import BY_COLUMN, Sensor, present

LEVELS = pl.Enum(["ok", "info", "suspect", "bad"])
RULES = 1
"""The version of these rules; another one has all days computed anew."""

HOUR = timedelta(hours=1)
OFF = timedelta(hours=10)
"""Without values for so long, a sensor has cooled down (seen at both stations of the source)."""
ALONE = timedelta(hours=3)
SPIKE = 6.0
"""Median absolute deviations, scaled to a standard deviation: at each station it is passed a few times a year."""

BEFORE = 2 * timedelta(days=usual.DAYS)
AFTER = timedelta(hours=12)


class Reason(NamedTuple):
    """Why a reading has a flag: the word for it, the level it asks for, and where it holds (for a sensor)."""

    word: str
    level: str
    holds: Callable[[Sensor], pl.Expr]


def judge(hours: pl.DataFrame, in_service: Mapping[int, datetime]) -> pl.DataFrame:
    """Rows of the hourly table, sorted, with a flag a sensor (`co_flag`; null without a value) and `reasons`.

    `reasons` is like "co negative, o3 warm-up, o3 flat", null where there is nothing to say. `in_service` says
    since when (aware UTC) a station serves.
    """
    sensors = [BY_COLUMN[name] for name in present(hours.columns)]
    frame = hours.sort("station_id", "hour").with_columns(idle(in_service), *_neighbours()).with_columns(_alone())
    frame = frame.with_columns(_serving(sensor).alias(f"{sensor.column}/good") for sensor in sensors)
    frame = _with_what_is_usual(frame, sensors)
    frame = frame.with_columns(_holds(sensor, reason) for sensor in sensors for reason in REASONS)
    return (
        frame.with_columns(_level(sensor).alias(f"{sensor.column}_flag") for sensor in sensors)
        .with_columns(_words(frame, sensors))
        .select(*hours.columns, *(f"{sensor.column}_flag" for sensor in sensors), "reasons")
    )


def usable(name: str) -> pl.Expr:
    """The values of a sensor in a frame that was judged, null where they are bad."""
    return pl.when(pl.col(f"{name}_flag") != "bad").then(pl.col(name))


def good(name: str) -> pl.Expr:
    """The values of a sensor's column that it can give at all, null where it cannot."""
    return pl.when(pl.col(name).is_between(BY_COLUMN[name].lowest, BY_COLUMN[name].highest)).then(pl.col(name))


def idle(in_service: Mapping[int, datetime]) -> pl.Expr:
    """Whether an hour lies before its station came into service."""
    since = pl.col("station_id").replace_strict(dict(in_service) or {0: None}, default=None, return_dtype=TIME)
    return (pl.col("hour") < since).fill_null(value=False).alias("/idle")


def _neighbours() -> list[pl.Expr]:
    """How long before and after each hour the nearest one of its station lies; null where there is none."""
    return [
        pl.col("hour").diff().over("station_id").alias("/before"),
        (pl.col("hour").shift(-1) - pl.col("hour")).over("station_id").alias("/after"),
    ]


def _alone() -> list[pl.Expr]:
    """Whether an hour goes on where the last one was, is gone on from, or has none near it."""
    sides = [pl.col(side) for side in ("/before", "/after")]
    goes_on, is_gone_on_from = (side.eq_missing(HOUR) for side in sides)
    isolated = pl.all_horizontal(side.is_null() | (side > ALONE) for side in sides)
    return [goes_on.alias("/goes on"), is_gone_on_from.alias("/is gone on from"), isolated.alias("/isolated")]


def _serving(sensor: Sensor) -> pl.Expr:
    """The values of a sensor, null where they are bad."""
    return pl.when(~pl.col("/idle")).then(good(sensor.column))


def _is_negative(sensor: Sensor) -> pl.Expr:
    return pl.lit(value=False) if sensor.signed else pl.col(sensor.column) < -sensor.detection


def _is_below_zero(sensor: Sensor) -> pl.Expr:
    near = pl.col(sensor.column).is_between(-sensor.detection, 0, closed="left")
    return pl.lit(value=False) if sensor.signed else near


def _is_flat(sensor: Sensor) -> pl.Expr:
    value = pl.col(sensor.column)
    begins = pl.when(~(pl.col("/goes on") & value.eq_missing(value.shift(1)))).then(pl.int_range(pl.len()))
    ends = begins.shift(-1).backward_fill().fill_null(pl.len())
    return ends - begins.forward_fill() >= sensor.flat_h


def _with_what_is_usual(frame: pl.DataFrame, sensors: Sequence[Sensor]) -> pl.DataFrame:
    """The rows with what tells a spike: few stand out from both hours beside them, and fewer from the days before."""
    names = [f"{sensor.column}/good" for sensor in sensors]
    frame = frame.with_columns(_stands_out(sensor) for sensor in sensors)
    return usual.add(frame, names, [_is_far(sensor) for sensor in sensors])


def _beside(sensor: Sensor) -> list[pl.Expr]:
    """How far a value lies above the one before and the one after it."""
    value = pl.col(f"{sensor.column}/good")
    return [value - value.shift(step) for step in (1, -1)]


def _stands_out(sensor: Sensor) -> pl.Expr:
    """Whether a value lies above both hours beside it, or below both, by enough for a spike."""
    least, beside = sensor.detection / 2, _beside(sensor)
    above, below = (pl.all_horizontal(sides) for sides in ([s > least for s in beside], [s < -least for s in beside]))
    stands_out = pl.col("/goes on") & pl.col("/is gone on from") & (above | below)
    return stands_out.alias(f"{sensor.column}/good/asked")


def _is_far(sensor: Sensor) -> pl.Expr:
    """Whether it is also far from what is usual, and half as far on the same side from the hours beside it."""
    away = pl.col(f"{sensor.column}/good/away")
    beside = (side * away.sign() > away.abs() / 2 for side in _beside(sensor))
    return pl.all_horizontal(away.abs() > sensor.detection, *beside).alias(f"{sensor.column}/good/asked")


def _is_spike(sensor: Sensor) -> pl.Expr:
    away, spread = (pl.col(f"{sensor.column}/good/{what}") for what in ("away", "spread"))
    # Of a sensor that says next to nothing the spread is zero.
    return pl.col(f"{sensor.column}/good/asked") & (away.abs() > SPIKE * spread)


def _is_warming_up(sensor: Sensor) -> pl.Expr:
    if sensor.warm_up_h == 0:
        return pl.lit(value=False)
    there = pl.col(sensor.column).is_not_null()
    hour, station = (pl.when(there).then(name).forward_fill() for name in ("hour", "station_id"))
    is_first = station.shift(1).ne_missing(pl.col("station_id"))
    began = pl.when(there & (is_first | (pl.col("hour") - hour.shift(1) >= OFF))).then("hour").forward_fill()
    return pl.col("hour") - began < sensor.warm_up_h * HOUR


REASONS = (
    Reason("not in service", "bad", lambda _: pl.col("/idle")),
    Reason("out of range", "bad", lambda s: good(s.column).is_null()),
    Reason("negative", "suspect", _is_negative),
    Reason("flat", "suspect", _is_flat),
    Reason("spike", "suspect", _is_spike),
    Reason("warm-up", "suspect", _is_warming_up),
    Reason("noise below zero", "info", _is_below_zero),
    Reason("isolated", "info", lambda _: pl.col("/isolated")),
)


def _holds(sensor: Sensor, reason: Reason) -> pl.Expr:
    """Whether a reason holds; where it cannot be known it is null, or false, and does not."""
    holds = pl.col(sensor.column).is_not_null() & reason.holds(sensor)
    return holds.alias(f"{sensor.column} {reason.word}")


def _level(sensor: Sensor) -> pl.Expr:
    level: pl.Expr = pl.when(pl.col(sensor.column).is_not_null()).then(pl.lit("ok", LEVELS))
    for level_of in ("info", "suspect", "bad"):
        names = [f"{sensor.column} {reason.word}" for reason in REASONS if reason.level == level_of]
        level = pl.when(pl.any_horizontal(names)).then(pl.lit(level_of, LEVELS)).otherwise(level)
    return level


def _words(judged: pl.DataFrame, sensors: Iterable[Sensor]) -> pl.Series:
    """The reasons that hold in each row, in words; made for those rows only where one does."""
    every = (f"{sensor.column} {reason.word}" for sensor in sensors for reason in REASONS)
    names = [name for name in every if judged[name].any()]
    if not names:
        return pl.repeat(None, judged.height, dtype=pl.String, eager=True).alias("reasons")
    rows = judged.select(names).with_row_index("/row").filter(pl.any_horizontal(names))
    words = rows.select(
        "/row",
        reasons=pl.concat_str((pl.when(name).then(pl.lit(name)) for name in names), separator=", ", ignore_nulls=True),
    )
    return pl.select(pl.int_range(judged.height, dtype=pl.UInt32).alias("/row")).join(
        words, on="/row", how="left", maintain_order="left"
    )["reasons"]
