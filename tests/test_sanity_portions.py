"""Checks that look at each station for itself find the same some stations at a time."""

from datetime import timedelta

import polars as pl
import pytest

from airq_etl.sanity import checks
from airq_etl.sanity.evidence import Evidence, Place
from airq_etl.sanity.hours import each_later
from airq_etl.stations import Rules
from tests.frames import hour, made_up

STATIONS = range(1, 8)


def evidence() -> Evidence:
    """Two months of seven stations: one out of range, one dead, one below zero, one with swapped particles."""
    hours = pl.concat(made_up(station, 60) for station in STATIONS)
    odd = pl.col("station_id")
    hours = hours.with_columns(
        pm25=pl.when(odd == 2).then(5000.0).when(odd == 6).then(pl.col("pm10") + 9).otherwise(pl.col("pm25")),
        o3=pl.when(odd == 3).then(7.0).when(odd == 5).then(-4.0 - pl.col("hour").dt.hour()).otherwise(pl.col("o3")),
    )
    newest = hours["hour"].max()
    assert newest is not None
    tables = Place("tables", hours, pl.DataFrame(), frozenset(STATIONS))
    return Evidence(now=hour(24 * 1000), rules=Rules(), tables=tables)


def test_some_stations_at_a_time_are_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same findings in the same order, whatever lies in a portion."""
    given = evidence()
    by_station = [check for check in checks.CHECKS if check.by_station]
    monkeypatch.setattr(checks, "CHECKS", tuple(by_station))
    whole = checks.examine(given)
    assert {finding.check for finding in whole} >= {
        "out-of-range",
        "dead-sensor",
        "negative-share",
        "particles-swapped",
    }
    for most in (1, 2000, 3000, 5000):
        monkeypatch.setattr(checks, "HOURS_AT_ONCE", most)
        assert checks.examine(given) == whole


def test_rows_in_order_are_known_from_those_that_are_not() -> None:
    """By station, then by time; one that stands twice, and one that has none, is out of order."""
    key = ("station_id", "hour")
    frame = pl.DataFrame({"station_id": [1, 1, 2, 2], "hour": [hour(5), hour(6), hour(1), hour(2)]})
    assert each_later(frame, key)
    assert each_later(frame.clear(), key)
    assert not each_later(frame.reverse(), key)
    assert not each_later(pl.concat([frame, frame.tail(1)]), key)
    assert not each_later(frame.with_columns(hour=pl.col("hour") - timedelta(hours=1) * pl.int_range(4) * 9), key)
    missing = pl.when(pl.int_range(pl.len()) == 1).then(None).otherwise(pl.col("hour")).alias("hour")
    assert not each_later(frame.with_columns(missing), key)
