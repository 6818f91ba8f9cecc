"""Which hours and values are missing: gaps, days below the rule, sensors left out, what can no longer be had."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from airq_etl.sanity import silence
from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.expiry import lost_hours
from airq_etl.sanity.finding import Finding, Severity
from airq_etl.sanity.gaps import HOUR, gaps, judged_at, served, spans
from airq_etl.sanity.wording import at, listed, many, percent, sensor
from airq_etl.sensors import present

ENOUGH = 0.75
WEEK_H = 168
RECENT = timedelta(days=30)
SMALL, LARGE = 0.05, 0.10
MOST_DAYS = 3


def missing_hours(evidence: Evidence) -> Iterator[Finding]:
    """The gaps of each station, from its first hour to its newest."""
    hours = served(evidence)
    missing = gaps(hours)
    for row in spans(hours).iter_rows(named=True):
        found = missing.filter(station_id=row["station_id"])
        if found.height:
            yield _missing(evidence, row, found)


def _missing(evidence: Evidence, row: dict[str, Any], found: pl.DataFrame) -> Finding:
    expected = (row["newest"] - row["oldest"]) // HOUR + 1
    lacking = expected - row["hours"]
    share = percent(lacking / expected)
    longest = found.sort("hours", "first", descending=[True, False]).row(0, named=True)
    recent = judged_at(evidence, row["station_id"]) - RECENT
    long_of_late = not found.filter(pl.col("hours") >= WEEK_H, pl.col("last") >= recent).is_empty()
    few = expected >= WEEK_H and row["hours"] < ENOUGH * expected
    gap = "one gap" if found.height == 1 else f"{found.height:,} gaps, the longest"
    span = f"of {many(longest['hours'], 'hour')} from {at(longest['first'])} to {at(longest['last'])}"
    return Finding(
        check="missing-hours",
        severity="warning" if few or long_of_late else "info",
        station_id=row["station_id"],
        first=found.row(0, named=True)["first"],
        last=found.row(-1, named=True)["last"],
        count=lacking,
        sentence=f"{lacking:,} of {many(expected, 'hour')} ({share}) are missing, in {gap} {span}",
        action="see the station: its power, its network, its SIM card"
        if few or long_of_late
        else "mind the gaps when you compare months",
    )


def incomplete_days(evidence: Evidence) -> Iterator[Finding]:
    """Days that have ended and have hours, but no valid mean; and sensors that have fewer such days than others."""
    daily = evidence.tables.daily.filter("final").unique(("station_id", "day"), keep="last").sort("station_id", "day")
    columns = [name.removesuffix("_hours") for name in daily.columns if name.endswith("_hours")]
    days = daily.with_columns(most=pl.max_horizontal(f"{name}_hours" for name in columns)).filter(pl.col("most") > 0)
    days = days.with_columns(short=~pl.any_horizontal(f"{name}_valid" for name in columns))
    rest = days.filter(~pl.col("short")).with_columns(_lacks(name).alias(f"{name}_lacks") for name in columns)
    lacking = rest.filter(pl.any_horizontal(f"{name}_lacks" for name in columns))
    found = pl.concat([days.filter("short"), lacking], how="diagonal").sort("station_id", "most", "day")
    worst = pl.col("day", "most").filter("short").head(MOST_DAYS).name.prefix("worst_")
    rows = (
        found.group_by("station_id", maintain_order=True)
        .agg(
            worst,
            pl.col(f"{name}_lacks" for name in columns).sum(),
            pl.col("short").sum(),
            first=pl.col("day").min(),
            last=pl.col("day").max(),
            count=pl.len(),
        )
        .join(days.group_by("station_id").agg(days=pl.len()), on="station_id", how="left", maintain_order="left")
    )
    for row in rows.iter_rows(named=True):
        yield _incomplete(evidence, row, columns)


def _incomplete(evidence: Evidence, row: dict[str, Any], columns: list[str]) -> Finding:
    few = [f"{sensor(name)} on {many(row[f'{name}_lacks'], 'day')}" for name in columns if row[f"{name}_lacks"]]
    said = [_short_days(evidence, row)] if row["short"] else []
    said += [f"with enough hours of other sensors, too few of {listed(few)}"] if few else []
    return Finding(
        check="incomplete-days",
        severity="info",
        station_id=row["station_id"],
        first=row["first"],
        last=row["last"],
        count=row["count"],
        sentence="; ".join(said),
        action="leave means out that are not marked valid",
    )


def _lacks(name: str) -> pl.Expr:
    """A day without a valid mean of a sensor, between its station's first and last day on which it had values."""
    day, has = pl.col("day"), pl.col(f"{name}_hours") > 0
    first, last = (bound.over("station_id") for bound in (day.filter(has).min(), day.filter(has).max()))
    return ~pl.col(f"{name}_valid") & day.is_between(first, last)


def _short_days(evidence: Evidence, row: dict[str, Any]) -> str:
    worst = zip(row["worst_day"], row["worst_most"], strict=True)
    named = listed([f"{day} with {hours} h" for day, hours in worst])
    rule = f"fewer than the {evidence.rules.min_hours} of 24 hours that make a mean valid"
    worst_are = "the worst" if row["short"] > MOST_DAYS else "namely"
    return f"{row['short']:,} of {many(row['days'], 'day')} have {rule}, {worst_are} {named}"


def missing_values(evidence: Evidence) -> Iterator[Finding]:
    """Sensors left out of hours that are there, from the first hour to the last for which they had a value."""
    hours = served(evidence)
    names = present(hours.columns)
    rows = hours.group_by("station_id", maintain_order=True).agg(_left_out(name).alias(name) for name in names)
    for row in rows.iter_rows(named=True):
        station: int = row["station_id"]
        lacking = [{"sensor": name, **row[name]} for name in names if row[name]["missing"]]
        large = [found for found in lacking if found["missing"] >= SMALL * found["hours"]]
        small = [found for found in lacking if found not in large]
        yield from (_values(station, [found], found["sensor"]) for found in large)
        if small:
            yield _values(station, small, None)


def _left_out(name: str) -> pl.Expr:
    """In how many of the `hours` between its first value and its last a sensor is `missing`, the first and the last."""
    hour, has = pl.col("hour"), pl.col(name).is_not_null()
    lived = hour.is_between(hour.filter(has).min(), hour.filter(has).max())
    without = hour.filter(lived & ~has)
    return pl.struct(hours=lived.sum(), missing=without.len(), first=without.min(), last=without.max())


def _values(station_id: int, found: list[dict[str, Any]], name: str | None) -> Finding:
    share = max(one["missing"] / one["hours"] for one in found)
    severity: Severity = "warning" if share >= LARGE else "info"
    first: datetime = min(one["first"] for one in found)
    counts = [
        f"{sensor(one['sensor'])} in {one['missing']:,} of {many(one['hours'], 'hour')} "
        f"({percent(one['missing'] / one['hours'])})"
        for one in sorted(found, key=lambda one: -one["missing"])
    ]
    return Finding(
        check="missing-values",
        severity=severity,
        station_id=station_id,
        sensor=name,
        first=first,
        last=max(one["last"] for one in found),
        count=sum(one["missing"] for one in found),
        sentence=f"no value of {listed(counts)}",
        action="see the sensor" if severity == "warning" else "mind the hours beside each mean",
    )


CHECKS: tuple[Check, ...] = (
    Check(
        "missing-hours",
        "hours missing between a station's first and newest hour",
        "from 1 h; warning where under 75 % of at least a week are there, or a gap of a week ended in the last 30 days",
        "75 % as for a day (40 CFR 50 App. N); gaps of 2 to 314 h are usual for these stations",
        missing_hours,
        by_station=True,
    ),
    Check(
        "incomplete-days",
        "days that have ended and have hours, but fewer than make a mean valid",
        "AIRQ_MIN_HOURS of 24 (18), in proportion on days of 23 and 25 hours",
        "75 %: US 40 CFR Part 50 App. N 3.0(c), EU 2024/2881 Annex V",
        incomplete_days,
        by_station=True,
    ),
    *silence.CHECKS,
    Check(
        "missing-values",
        "hours that are there but lack the value of a sensor that has had values",
        "from 1 h; a finding of its own from 5 % of the hours, warning from 10 %",
        "the API leaves a sensor without a value out of its row; RH in 0.5 to 2 % of the rows seen",
        missing_values,
        by_station=True,
    ),
    Check(
        "lost-hours",
        "missing hours that the source no longer gives, or soon will not",
        "older than 365 days (info); lost within 30 days, and not known to have been asked for (warning)",
        "the API keeps 365 days",
        lost_hours,
        by_station=True,
    ),
)
