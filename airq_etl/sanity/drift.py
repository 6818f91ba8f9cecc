"""Slow losses: a zero that sinks, a level that leaves that of the neighbours."""

from collections.abc import Iterator
from itertools import combinations
from math import exp

import polars as pl

from airq_etl.daily import day_of
from airq_etl.quality import good
from airq_etl.sanity import sites
from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.hours import served
from airq_etl.sanity.levels import BY_SENSOR, SWING
from airq_etl.sanity.wording import number, plain

# Four weeks have quiet hours enough, whatever the weather: their lower quartile tells what the sensor makes of clean
# air. (The lowest 5 % follow the heat of the day as much, on which the zero of an electrochemical cell depends.)
BLOCK = 28
QUIET = 0.25
BLOCK_HOURS, BLOCK_DAYS = 200, 10
LEAST_BLOCKS = 4
RECENT = 3  # blocks, whose median is the level of now
# What goes within one block is no drift: a step, a season, a move.
AT_ONCE = 0.75
# No season takes clean air below zero, so a zero that sinks needs no neighbour. CO of the two stations in
# Abidjan sank by 0.4 and 0.7 mg/m³ in a year, and by no more than 0.2 in the half year in which it held.
SINKS = {"co": 0.3, "no2": 10.0, "o3": 10.0}
# Against the neighbours: more than a step is, nearly all the time in one direction, and most of it the sensor's own.
STEPS = 1.5
ONE_WAY = 0.8  # of the pairs of blocks
OWN = 0.6  # the distance grew by at least so much of the own change, and the other way round


def _drifts(evidence: Evidence) -> Iterator[Finding]:
    days = sites.days_of(evidence)
    elsewhere = sites.stretches(days)
    hours = served(evidence).with_columns(day=day_of(evidence.rules.zones))
    # What it read elsewhere, in another climate or a room, says nothing of its zero here.
    sunk = list(_sunk(hours.filter(~sites.within(elsewhere)).drop("day")))
    yield from sunk
    told = {(finding.station_id, finding.sensor) for finding in sunk}
    left = _left(sites.at_site(days, elsewhere))
    yield from (finding for finding in left if (finding.station_id, finding.sensor) not in told)


def _sunk(hours: pl.DataFrame) -> Iterator[Finding]:
    """Zeros that have sunk below zero, by the quiet hours of each block of four weeks."""
    for name, least in SINKS.items():
        value = good(name)
        blocks = (
            hours.filter(value.is_not_null())
            .group_by("station_id", block=_block(pl.col("hour").dt.date()))
            .agg(
                level=value.quantile(QUIET),
                count=value.count(),
                first=pl.col("hour").min(),
                last=pl.col("hour").max(),
            )
            .filter(pl.col("count") >= BLOCK_HOURS)
            .sort("station_id", "first")
        )
        for _, rows in blocks.group_by("station_id", maintain_order=True):
            yield from _sinking(name, rows, least)


def _block(day: pl.Expr) -> pl.Expr:
    """The number of the four weeks that a day falls in, counted back from the last day of its station."""
    return (day.max().over("station_id") - day).dt.total_days() // BLOCK


def _sinking(name: str, blocks: pl.DataFrame, least: float) -> Iterator[Finding]:
    rest = blocks[int(str(blocks["level"].arg_max())) :]
    if rest.height < LEAST_BLOCKS:
        return
    levels = rest["level"]
    high, now = levels[0], float(str(levels[-RECENT:].median()))
    fall, at_once = high - now, -float(str(levels.diff().min()))
    if now < 0 and fall >= least and at_once <= AT_ONCE * fall:
        yield Finding(
            check="drift",
            severity="warning",
            station_id=blocks["station_id"][0],
            sensor=name,
            first=rest["first"][0],
            last=rest["last"][-1],
            count=int(rest["count"].sum()),
            sentence=f"its zero sank by {number(fall, name)}: its quiet hours (lower quartile) read {plain(high)}"
            f" in the four weeks from {rest['first'][0]:%Y-%m-%d}, and read {number(now, name)} of late",
            action="set its zero anew, and trust no trend of its means",
        )


def _left(days: pl.DataFrame) -> Iterator[Finding]:
    """Levels that left those of the neighbours, over the days at which stations were at their sites."""
    blocks = (
        days.drop_nulls("apart")
        .filter(pl.col("sensor") != SWING)
        .group_by("station_id", "sensor", block=_block(pl.col("day")))
        .agg(pl.col("level", "apart").median(), days=pl.len(), first=pl.col("day").min(), last=pl.col("day").max())
        .filter(pl.col("days") >= BLOCK_DAYS)
        .sort("station_id", "sensor", "first")
    )
    for _, rows in blocks.group_by("station_id", "sensor", maintain_order=True):
        if rows.height >= LEAST_BLOCKS:
            yield from _leaving(rows)


def _leaving(blocks: pl.DataFrame) -> Iterator[Finding]:
    name, apart = blocks["sensor"][0], blocks["apart"]
    left, own = _moved(apart), _moved(blocks["level"])
    far = abs(left) >= STEPS * BY_SENSOR[name].smallest and own != 0 and OWN <= left / own <= 1 / OWN
    at_once = float(str(apart.diff().abs().max()))
    if far and at_once <= AT_ONCE * abs(left) and _one_way(apart, left) >= ONE_WAY:
        yield Finding(
            check="drift",
            severity="warning",
            station_id=blocks["station_id"][0],
            sensor=name,
            first=blocks["first"][0],
            last=blocks["last"][-1],
            count=int(blocks["days"].sum()),
            sentence=f"its level went {_by(name, left)} against stations with the same weather",
            action="compare it with a reference, or with a neighbour at one site, and trust no trend of its means",
        )


def _moved(values: pl.Series) -> float:
    """From the first two blocks to the last two."""
    return float(str(values[-2:].mean())) - float(str(values[:2].mean()))


def _one_way(values: pl.Series, to: float) -> float:
    """The share of pairs of blocks of which the later is further on the way."""
    pairs = [(later - earlier) * to > 0 for earlier, later in combinations(values.to_list(), 2)]
    return pairs.count(True) / len(pairs)


def _by(name: str, left: float) -> str:
    way = "up" if left > 0 else "down"
    return (
        f"{way} by a factor of {plain(exp(abs(left)))}"
        if BY_SENSOR[name].logarithm
        else f"{way} by {number(abs(left), name)}"
    )


CHECKS: tuple[Check, ...] = (
    Check(
        "drift",
        "a zero that sinks below zero, or a level that leaves that of stations with the same weather",
        f"quiet hours of four weeks below zero, {SINKS['co']:g} mg/m³ (CO) or {SINKS['no2']:g} µg/m³ (NO2, O3) under"
        f" their highest; or {STEPS:g} steps away from the neighbours in {LEAST_BLOCKS} times four weeks or more",
        "two stations in Abidjan, whose CO sank by 0.4 and 0.7 mg/m³ in a year",
        _drifts,
        for_runs=False,
    ),
)
