"""The air now, the last hours, and what was forecast of the next."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import polars as pl

from airq_etl import guidelines, quality
from airq_etl.forecast.outlook import Outlook, Point
from airq_etl.forecast.scores import scores
from airq_etl.hourly import TIME
from airq_etl.report.days import one, rounded
from airq_etl.report.facts import Newest
from airq_etl.report.series import Recent, Score
from airq_etl.sensors import BY_COLUMN
from airq_etl.windows import HOUR, hour_of

LAST_HOURS = 48
SCORED = timedelta(days=28)
STALE = timedelta(hours=5)
"""A station whose newest hour is older is silent, as the alert rules have it: of its air now nothing is known."""


def newest(hours: pl.DataFrame, last: datetime | None, now: datetime) -> Newest | None:
    """What is known of the air now: from the `last` hour known and from judged `hours` of one station."""
    if last is None:
        return None
    complete = hours.filter(~pl.col("provisional"), pl.lit(now - last <= STALE)).tail(1)
    row = complete.row(0, named=True) if complete.height else {}
    usable = complete.select(pm25=quality.usable("pm25"), co=quality.usable("co"))
    index = row.get("pm25_nowcast_aqi")
    return Newest(
        hour=last,
        age_h=round((now - last) / HOUR, 2),
        complete=row.get("hour"),
        **{name: one(usable[name][0]) if complete.height else None for name in ("pm25", "co")},
        nowcast=one(row.get("pm25_nowcast")),
        aqi=index,
        category=None if index is None else guidelines.category(index).name,
    )


def recent(hours: pl.DataFrame, sensor: str, now: datetime) -> Recent:
    """The last two days of judged `hours` of one station, every hour of them; one that is not complete is null."""
    end = hour_of(now)
    every = pl.DataFrame({"hour": pl.datetime_range(end - LAST_HOURS * HOUR, end, "1h", eager=True).cast(TIME)})
    complete = hours.filter(~pl.col("provisional")).select("hour", value=quality.usable(sensor))
    laid = every.join(complete, on="hour", how="left", maintain_order="left")
    return Recent(hour=laid["hour"].to_list(), value=rounded(laid["value"]))


def outlook(forecasts: pl.DataFrame, sensor: str, now: datetime, station_id: int, reason: str | None) -> Outlook | None:
    """The newest forecasts of a station's sensor whose hours are not over; else the reason, if one is known."""
    unit = BY_COLUMN[sensor].unit
    ahead = forecasts.filter(pl.col("sensor") == sensor, pl.col("hour") + HOUR > now, pl.col("made_at") <= now)
    ahead = ahead.filter(pl.col("origin") == pl.col("origin").max()).sort("horizon")
    if ahead.is_empty():
        origin = hour_of(now) - HOUR
        return (
            None
            if reason is None
            else Outlook(station_id=station_id, sensor=sensor, unit=unit, origin=origin, reason=reason)
        )
    first = ahead.row(0, named=True)
    return Outlook(
        station_id=station_id,
        sensor=sensor,
        unit=unit,
        origin=first["origin"],
        last_value=one(first["persistence"]),
        points=[_point(row) for row in ahead.iter_rows(named=True)],
    )


def _point(row: Mapping[str, object]) -> Point:
    values = {name: one(row[name]) for name in ("median", "lo80", "hi80", "lo95", "hi95")}
    others = {name: row[name] for name in ("horizon", "hour", "model", "trained_through")}
    return Point(**values, **others)  # type: ignore[arg-type]


def scored(forecasts: pl.DataFrame, sensor: str, now: datetime) -> list[Score]:
    """How forecasts of the last 28 days turned out, whichever model made them."""
    rows = forecasts.filter(pl.col("sensor") == sensor, pl.col("hour").is_between(now - SCORED, now))
    found = scores(rows.with_columns(model=pl.lit("any")))
    kept = found.select(name for name in Score.__struct_fields__)
    return [Score(**row) for row in kept.with_columns(pl.selectors.float().round(4)).iter_rows(named=True)]
