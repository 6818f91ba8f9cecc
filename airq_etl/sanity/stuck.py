"""Sensors that say the same hour after hour: flat for a while, or dead."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.hours import SERIES, moment, number, percent, served, values, where

# Particles and gases of the two stations in Abidjan repeat a value for 7 hours at most (whole 1.0 or 2.0 µg/m³ in clean
# indoor air), temperature rounded to 0.1 °C for 7 too. Neither has ever been still for a day.
LIVELY = frozenset({"co", "no2", "o3", "co2", "pm1", "pm25", "pm10"})
FLAT_H, FLAT_STILL_H, FLAT_DAY_H = 6, 12, 24
# Fog and dew hold a hygrometer at its end for as long as they last.
SATURATED = 99.0

# Share of hours with one and the same value. A live sensor of the two stations has at most 1.5 %.
DEAD = 0.95
DEAD_DAYS = 14
DEAD_HOURS = 7 * 24


def _flat(evidence: Evidence) -> Iterator[Finding]:
    runs = _runs(alive(values(served(evidence))))
    least = pl.when(pl.col("sensor").is_in(LIVELY)).then(FLAT_H).otherwise(FLAT_STILL_H)
    saturated = (pl.col("sensor") == "humidity") & (pl.col("value") >= SATURATED)
    longest = pl.col("hours").arg_max()
    found = (
        runs.filter(pl.col("hours") >= least, ~saturated)
        .group_by(SERIES, maintain_order=True)
        .agg(
            runs=pl.len(),
            count=pl.col("hours").sum(),
            first=pl.col("first").min(),
            last=pl.col("last").max(),
            hours=pl.col("hours").max(),
            value=pl.col("value").get(longest),
            begins=pl.col("first").get(longest),
        )
    )
    for row in found.iter_rows(named=True):
        stuck = row["hours"] >= FLAT_DAY_H
        yield Finding(
            check="flat-sensor",
            severity="warning" if stuck else "info",
            **where(row),
            sentence=_same(row),
            action="look whether it still follows the air" if stuck else "take clean air or a brief hang as the cause",
        )


def _same(row: dict[str, Any]) -> str:
    longest = f"{row['hours']:,} h of {number(row['value'], row['sensor'])} from {moment(row['begins'])}"
    if row["runs"] == 1:
        return f"one value stood still: {longest}"
    return f"one value stood still {row['runs']:,} times, {row['count']:,} h in all, the longest {longest}"


def _dead(evidence: Evidence) -> Iterator[Finding]:
    for row in _deaths(values(served(evidence))).iter_rows(named=True):
        which = "hours" if row["whole"] else f"the hours of its last {DEAD_DAYS} days"
        yield Finding(
            check="dead-sensor",
            severity="error",
            **where(row),
            sentence=f"{number(row['value'], row['sensor'])} in {percent(row['share'])} of {which},"
            f" one run of {row['run']:,} h: the daily mean says nothing",
            action="have the sensor replaced, and do not publish its means",
        )


def _deaths(readings: pl.DataFrame) -> pl.DataFrame:
    """The series that are dead over all their hours, else over the last days: the period, value, share, longest run."""
    day = pl.col("hour").dt.date()
    days = (
        readings.select("station_id", day=day).unique().group_by("station_id").agg(pl.col("day").top_k(DEAD_DAYS).min())
    )
    recent = readings.join(days, on="station_id").filter(day >= pl.col("day"))
    dead = pl.concat([_still(readings, whole=True), _still(recent, whole=False)])
    return dead.unique(SERIES, keep="first", maintain_order=True)


def _still(readings: pl.DataFrame, *, whole: bool) -> pl.DataFrame:
    # Where nearly all values are the same, the median is that value.
    dead = (
        readings.with_columns(same=pl.col("value") == pl.col("value").median().over(SERIES))
        .group_by(SERIES, maintain_order=True)
        .agg(
            pl.col("value").median(),
            share=pl.col("same").mean(),
            count=pl.col("same").sum(),
            first=pl.col("hour").first(),
            last=pl.col("hour").last(),
            hours=pl.len(),
        )
        .filter(pl.col("share") >= DEAD, pl.col("hours") >= DEAD_HOURS)
    )
    longest = _runs(readings.join(dead, on=SERIES, how="semi")).group_by(SERIES).agg(run=pl.col("hours").max())
    return dead.join(longest, on=SERIES, how="left", maintain_order="left").with_columns(whole=pl.lit(whole))


def alive(readings: pl.DataFrame) -> pl.DataFrame:
    """Without the series that are dead: nothing else is to be said of them."""
    return readings.join(_deaths(readings), on=SERIES, how="anti", maintain_order="left")


def _runs(readings: pl.DataFrame) -> pl.DataFrame:
    """Hours in a row that say the same, hours without a value between them or not: value, hours, first, last."""
    columns = (*SERIES, "value")
    run = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in columns).cum_sum()
    return (
        readings.group_by(*columns, run=run, maintain_order=True)
        .agg(hours=pl.len(), first=pl.col("hour").first(), last=pl.col("hour").last())
        .drop("run")
    )


CHECKS: tuple[Check, ...] = (
    Check(
        "flat-sensor",
        "the same value hour after hour",
        f"info from {FLAT_H} h on (gases, particles) or {FLAT_STILL_H} h (others), warning from {FLAT_DAY_H} h",
        "two stations in Abidjan, whose live sensors repeat a value for 7 h at most",
        _flat,
    ),
    Check(
        "dead-sensor",
        "one value in nearly all hours",
        f"{percent(DEAD)} of all hours, or of the last {DEAD_DAYS} days; at least {DEAD_HOURS} h",
        "two stations in Abidjan, whose live sensors have one value in 1.5 % of hours at most",
        _dead,
    ),
)
