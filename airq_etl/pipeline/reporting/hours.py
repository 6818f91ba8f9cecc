"""The hours under a report, a month of them at a time: a year of a hundred stations need not lie in memory at once."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from airq_etl import daily, nowcast, quality
from airq_etl.guidelines import NOWCAST_HOURS
from airq_etl.hourly import TIME
from airq_etl.report import SHOWN
from airq_etl.report.material import CLOCK_SCHEMA
from airq_etl.report.now import LAST_HOURS
from airq_etl.stations import Rules
from airq_etl.windows import HOUR, Days

REACH = timedelta(hours=LAST_HOURS + NOWCAST_HOURS)
OF_AN_HOUR = ("station_id", "sensor", "month", "hour")


class Hours(NamedTuple):
    """What a report says of hours: the last ones, judged; the newest of each station; and the mean day of a month."""

    recent: pl.DataFrame
    newest: Mapping[int, datetime]
    clock: pl.DataFrame


def newest_of(months: Iterable[pl.DataFrame]) -> dict[int, datetime]:
    """The newest hour of each station, of frames with `station_id` and `hour`."""
    found: dict[int, datetime] = {}
    for rows in months:
        for station_id, hour in rows.group_by("station_id").agg(pl.col("hour").max()).iter_rows():
            found[station_id] = max(hour, found.get(station_id, hour))
    return found


def judged(hours: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Hours with their flags and NowCast; which values are bad does not depend on the hours around them."""
    return nowcast.add(quality.judge(hours, rules.in_service))


def is_recent(now: datetime, newest: Mapping[int, datetime]) -> pl.Expr:
    """The hours of the last two days, and those that the NowCast of each station's newest hour needs."""
    last = pl.col("station_id").replace_strict(dict(newest) or {0: None}, default=None, return_dtype=TIME)
    return (pl.col("hour") >= now - REACH) | (pl.col("hour") > last - NOWCAST_HOURS * HOUR - HOUR)


def mean_day(months: Iterable[pl.DataFrame], rules: Rules, days: Days | None) -> pl.DataFrame:
    """The mean of each (local) hour of the day in each month (see CLOCK_SCHEMA), of complete hours on `days`."""
    parts = [part for rows in months for part in _sums(rows, rules, days)]
    if not parts:
        return pl.DataFrame(schema=CLOCK_SCHEMA)
    whole = pl.concat(parts).group_by(OF_AN_HOUR).agg(pl.col("sum", "hours").sum())
    return whole.with_columns(mean=pl.col("sum") / pl.col("hours")).select(CLOCK_SCHEMA.keys()).sort(OF_AN_HOUR)


def _sums(rows: pl.DataFrame, rules: Rules, days: Days | None) -> Iterator[pl.DataFrame]:
    rows = rows.filter(~pl.col("provisional"), ~quality.idle(rules.in_service))
    rows = rows.with_columns(day=daily.day_of(rules.zones), local=daily.hour_of_day(rules.zones).cast(pl.Int64))
    if days is not None:
        rows = rows.filter(pl.col("day").is_between(*days))
    for name in SHOWN:
        yield (
            rows.select("station_id", "day", "local", value=quality.good(name))
            .drop_nulls("value")
            .group_by("station_id", month=pl.col("day").dt.strftime("%Y-%m"), hour="local")
            .agg(sum=pl.col("value").sum(), hours=pl.len().cast(pl.Int64))
            .select("station_id", pl.lit(name).alias("sensor"), "month", "hour", "sum", "hours")
        )


def until(now: datetime) -> pl.Expr:
    """The hours that have begun: a report of an earlier time (`--now`) knows of no later one."""
    return pl.col("hour") <= now


def only(stations: Collection[int]) -> pl.Expr:
    """Rows of these stations."""
    return pl.col("station_id").is_in(list(stations))
