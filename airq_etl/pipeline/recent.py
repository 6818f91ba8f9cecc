"""How much of the last day has come, station by station."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl

from airq_etl.hourly import TIME
from airq_etl.lake import HOURLY, Lake
from airq_etl.pipeline.extract import newest_hours
from airq_etl.settings import Settings
from airq_etl.watched import Recent
from airq_etl.windows import HOUR, hour_of, whole_hour

DAY = timedelta(days=1)


def recent(lake: Lake, settings: Settings, stations: Iterable[int], now: datetime) -> dict[int, Recent]:
    """Of each station the hours that ended in the last 24 h; what it could not yet have is not expected of it.

    A station of which no hour is known was to have all of them; one that is new, or back after months, those from
    its first hour on.
    """
    end = hour_of(now)
    begin = end - DAY
    wanted = sorted(set(stations))
    newest = newest_hours(lake, wanted)
    parts = [part for part in lake.parts(HOURLY) if part <= f"{end:%Y-%m}"][-2:]
    hours = lake.read(HOURLY, parts, pl.col("station_id").is_in(wanted) & (pl.col("hour") < end), HOURLY.key)
    first = dict(hours.group_by("station_id").agg(pl.col("hour").min()).iter_rows())
    of_last_day = hours.filter(pl.col("hour") >= begin).group_by("station_id").agg("hour")
    there = {station_id: set(found) for station_id, found in of_last_day.iter_rows()}
    return {
        station_id: _recent(
            there.get(station_id, set()),
            newest.get(station_id),
            max(filter(None, (begin, first.get(station_id), settings.in_service(station_id)))),
            end,
        )
        for station_id in wanted
    }


def _recent(there: set[datetime], newest: datetime | None, begin: datetime, end: datetime) -> Recent:
    expected = (
        pl.datetime_range(whole_hour(begin), end, "1h", closed="left", eager=True, time_unit="us").cast(TIME).to_list()
    )
    missing = [hour for hour in expected if hour not in there]
    if not missing:
        return Recent(len(expected), len(expected), newest, None)
    since = missing[0] if newest is None or newest > missing[0] else newest + HOUR
    return Recent(len(expected) - len(missing), len(expected), newest, since)
