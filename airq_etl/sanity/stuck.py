"""Sensors that say the same hour after hour: flat for a while, or dead."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from airq_etl.quality import good
from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.hours import served, where
from airq_etl.sanity.wording import at, number, percent
from airq_etl.sensors import BY_COLUMN, present

# From so many hours in a row on somebody should look: of the two stations in Abidjan no sensor has been still for more
# than 7 (see `sensors`).
FLAT_DAY_H = 24
# Fog and dew hold a hygrometer at its end for as long as they last.
SATURATED = 99.0

# Share of hours with one and the same value. A live sensor of the two stations has at most 1.5 %.
DEAD = 0.95
DEAD_DAYS = 14
DEAD_HOURS = 7 * 24


def _flat(evidence: Evidence) -> Iterator[Finding]:
    hours = served(evidence)
    gone = dead(hours)
    for name in present(hours.columns):
        for row in _stills(_runs(hours, name), name).iter_rows(named=True):
            if (row["station_id"], name) in gone:
                continue
            stuck = row["longest"] >= FLAT_DAY_H
            yield Finding(
                check="flat-sensor",
                severity="warning" if stuck else "info",
                sensor=name,
                **where(row),
                sentence=_same(name, row),
                action="look whether it still follows the air"
                if stuck
                else "expect clean air or a short hang behind it",
            )


def _stills(runs: pl.DataFrame, name: str) -> pl.DataFrame:
    """Of each station the runs that are too long, taken together, and the longest of them."""
    saturated = pl.lit(name == "humidity") & (pl.col("value") >= SATURATED)
    longest = pl.col("hours").arg_max()
    return (
        runs.filter(pl.col("hours") >= BY_COLUMN[name].flat_h, ~saturated)
        .group_by("station_id", maintain_order=True)
        .agg(
            pl.col("first").first(),
            pl.col("last").last(),
            runs=pl.len(),
            count=pl.col("hours").sum(),
            longest=pl.col("hours").max(),
            value=pl.col("value").get(longest),
            begins=pl.col("first").get(longest),
        )
    )


def _same(name: str, row: dict[str, Any]) -> str:
    longest = f"{row['longest']:,} h of {number(row['value'], name)} from {at(row['begins'])} on"
    if row["runs"] == 1:
        return f"it said the same for {longest}"
    return f"it said the same for hours {row['runs']:,} times, {row['count']:,} h in all, the longest {longest}"


def _dead(evidence: Evidence) -> Iterator[Finding]:
    for (_, name), row in dead(served(evidence)).items():
        which = "hours" if row["whole"] else f"the hours of its last {DEAD_DAYS} days"
        yield Finding(
            check="dead-sensor",
            severity="error",
            sensor=name,
            **where(row),
            sentence=f"{number(row['value'], name)} in {percent(row['share'])} of {which},"
            f" one run of {row['run']:,} h: the daily mean says nothing",
            action="have the sensor replaced, and do not publish its means",
        )


def dead(hours: pl.DataFrame) -> dict[tuple[int, str], dict[str, Any]]:
    """The sensors, by station and column, that are dead over all of `hours`, else over the station's last days.

    Each with its value, the share, count and period (`first`, `last`) of the hours that have it, the longest run
    of them, and whether it is the `whole` time.
    """
    days = hours.select("station_id", day=pl.col("hour").dt.date()).unique()
    begin = days.group_by("station_id").agg(begin=pl.col("day").top_k(DEAD_DAYS).min())
    recent = hours.join(begin, on="station_id", maintain_order="left").filter(
        pl.col("hour").dt.date() >= pl.col("begin")
    )
    found = {}
    for whole, part in ((False, recent), (True, hours)):
        for name in present(hours.columns):
            for row in _still(part, name).iter_rows(named=True):
                found[row["station_id"], name] = row | {"whole": whole}
    return found


def _still(hours: pl.DataFrame, name: str) -> pl.DataFrame:
    # Where nearly all values are the same, the median is that value.
    value = pl.col("value")
    same = value == value.median()
    still = (
        hours.select("station_id", "hour", value=good(name))
        .drop_nulls("value")
        .group_by("station_id", maintain_order=True)
        .agg(
            value.median(),
            share=same.mean(),
            count=same.sum(),
            first=pl.col("hour").filter(same).first(),
            last=pl.col("hour").filter(same).last(),
            hours=pl.len(),
        )
        .filter(pl.col("share") >= DEAD, pl.col("hours") >= DEAD_HOURS)
    )
    if still.is_empty():
        return still
    its = _runs(hours.join(still, on="station_id", how="semi", maintain_order="left"), name)
    return still.join(its.group_by("station_id").agg(run=pl.col("hours").max()), on="station_id", maintain_order="left")


def _runs(hours: pl.DataFrame, name: str) -> pl.DataFrame:
    """Hours in a row that say the same, whether hours without a value lie between them or not.

    Columns: station_id, value, hours, first, last.
    """
    rows = hours.select("station_id", "hour", value=good(name)).drop_nulls("value")
    begins = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift(1)) for c in ("station_id", "value"))
    starts = rows.with_row_index("row").with_columns(before=pl.col("hour").shift(1)).filter(begins)
    return starts.select(
        "station_id",
        "value",
        hours=pl.col("row").cast(pl.Int64).shift(-1, fill_value=rows.height) - pl.col("row").cast(pl.Int64),
        first=pl.col("hour"),
        last=pl.col("before").shift(-1, fill_value=None if rows.is_empty() else rows["hour"][-1]),
    )


CHECKS: tuple[Check, ...] = (
    Check(
        "flat-sensor",
        "the same value hour after hour",
        f"info from {BY_COLUMN['co'].flat_h} h on, {BY_COLUMN['humidity'].flat_h} h (temperature, humidity, board), "
        f"warning from {FLAT_DAY_H} h",
        "two stations in Abidjan, whose live sensors repeat a value for 7 h at most",
        _flat,
        by_station=True,
    ),
    Check(
        "dead-sensor",
        "one value in nearly all hours",
        f"{percent(DEAD)} of all hours, or of the last {DEAD_DAYS} days; at least {DEAD_HOURS} h",
        "two stations in Abidjan, whose live sensors have one value in 1.5 % of hours at most",
        _dead,
        by_station=True,
    ),
)
