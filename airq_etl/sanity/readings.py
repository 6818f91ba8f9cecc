"""What one sensor says by itself: out of range, below zero, finer particles than there are."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from airq_etl.quality import good
from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.hours import served, where
from airq_etl.sanity.stuck import dead
from airq_etl.sanity.wording import number, percent, plain
from airq_etl.sensors import BY_COLUMN, present

# A few values below zero are noise about a zero that is right; from one hour in ten on it is the zero that is wrong.
FEW_NEGATIVE, MANY_NEGATIVE = 0.01, 0.1
# Clean air, whose true value is near zero or above it, is taken to be the lowest 5 % of hours.
CLEAN_AIR = 0.05

# The fine particles are part of the coarse. Of 16,322 hours of two stations one says otherwise.
SWAPPED = 0.05
SWAPPED_HOURS = 24
NESTED = (("pm25", "pm10"), ("pm1", "pm25"))


def _out_of_range(evidence: Evidence) -> Iterator[Finding]:
    hours = served(evidence)
    for name in present(hours.columns):
        beyond = pl.col(name).is_not_null() & good(name).is_null()
        off = hours.filter(beyond) if hours.select(beyond.any()).item() else hours.clear()
        for (station,), rows in off.group_by("station_id", maintain_order=True):
            of = hours.filter(pl.col("station_id") == station)[name].count()
            yield Finding(
                check="out-of-range",
                severity="warning",
                station_id=int(str(station)),
                sensor=name,
                first=rows["hour"][0],
                last=rows["hour"][-1],
                count=rows.height,
                sentence=_beyond(name, rows[name], of),
                action="check its cable and power; these hours are left out of means",
            )


def _beyond(name: str, off: pl.Series, of: int) -> str:
    sensor, low, high = BY_COLUMN[name], number(float(str(off.min())), name), number(float(str(off.max())), name)
    commonest = number(off.mode(maintain_order=True)[0], name)
    which = f"all {low}" if low == high else f"lowest {low}, highest {high}, most often {commonest}"
    return (
        f"{off.len():,} of {of:,} values are not between {plain(sensor.lowest)} and {number(sensor.highest, name)}"
        f" ({which})"
    )


def _negative_share(evidence: Evidence) -> Iterator[Finding]:
    hours = served(evidence)
    gone = dead(hours)
    for name in present(hours.columns):
        if not BY_COLUMN[name].signed:
            rows = _negatives(hours, name).iter_rows(named=True)
            yield from (_below_zero(name, row) for row in rows if (row["station_id"], name) not in gone)


def _negatives(hours: pl.DataFrame, name: str) -> pl.DataFrame:
    """Of each station the share of its values below zero, their count and period, the lowest, and clean air."""
    value = pl.col("value")
    return (
        hours.select("station_id", "hour", value=good(name))
        .drop_nulls("value")
        .group_by("station_id", maintain_order=True)
        .agg(
            share=(value < 0).mean(),
            count=(value < 0).sum(),
            first=pl.col("hour").filter(value < 0).first(),
            last=pl.col("hour").filter(value < 0).last(),
            lowest=value.min(),
            clean=value.quantile(CLEAN_AIR),
        )
        .filter(pl.col("share") >= FEW_NEGATIVE)
    )


def _below_zero(name: str, row: dict[str, Any]) -> Finding:
    many = row["share"] >= MANY_NEGATIVE
    lowest, clean = number(row["lowest"], name), number(row["clean"], name)
    verdict = (
        f": its zero has drifted; clean air (the lowest 5 % of hours) reads {clean} or less, and means are too low by"
        " about as much"
    )
    return Finding(
        check="negative-share",
        severity="warning" if many else "info",
        sensor=name,
        **where(row),
        sentence=f"{percent(row['share'])} of hours are below zero" + (verdict if many else f", the lowest {lowest}"),
        action="set its zero anew, and do not compare its means with limits"
        if many
        else "keep it in mind where low values matter",
    )


def _swapped(evidence: Evidence) -> Iterator[Finding]:
    hours = served(evidence)
    for fine, coarse in NESTED:
        if {fine, coarse} <= set(hours.columns):
            yield from _finer(hours.drop_nulls([fine, coarse]), fine, coarse)


def _finer(hours: pl.DataFrame, fine: str, coarse: str) -> Iterator[Finding]:
    more = good(fine) > good(coarse)
    found = (
        hours.group_by("station_id", maintain_order=True)
        .agg(
            share=more.mean(),
            count=more.sum(),
            first=pl.col("hour").filter(more).first(),
            last=pl.col("hour").filter(more).last(),
        )
        .filter(pl.col("share") > SWAPPED, pl.col("count") >= SWAPPED_HOURS)
    )
    names = BY_COLUMN[fine].key, BY_COLUMN[coarse].key
    for row in found.iter_rows(named=True):
        yield Finding(
            check="particles-swapped",
            severity="warning",
            sensor=fine,
            **where(row),
            sentence=f"{names[0]} is above {names[1]} in {percent(row['share'])} of hours, but is part of it",
            action="check how the two are wired or named, and its optics",
        )


CHECKS: tuple[Check, ...] = (
    Check(
        "out-of-range",
        "values that no working sensor of its kind gives",
        "any value beyond the sensor's range",
        "AirQo and OpenAQ for particles and humidity; else the measuring range of such sensors",
        _out_of_range,
        by_station=True,
    ),
    Check(
        "negative-share",
        "sensors that often read below zero, where nothing can",
        f"info from {percent(FEW_NEGATIVE)} of hours on, warning from {percent(MANY_NEGATIVE)}",
        "two stations in Abidjan, whose gases lose their zero",
        _negative_share,
        by_station=True,
    ),
    Check(
        "particles-swapped",
        "finer particles above the coarser that they are part of",
        f"more than {percent(SWAPPED)} of hours, at least {SWAPPED_HOURS}",
        "physics; one hour in 16,000 of two stations in Abidjan",
        _swapped,
        by_station=True,
    ),
)
