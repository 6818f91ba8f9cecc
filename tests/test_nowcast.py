"""NowCast beside each hour."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from airq_etl import nowcast, quality
from airq_etl.hourly import KEY, empty
from tests.frames import answer, captured, hour, published

LATER = hour(24 * 400)


def by_hour(values: dict[int, float], provisional: int | None = None) -> dict[int, tuple[float | None, int | None]]:
    asked = LATER if provisional is None else hour(provisional) + timedelta(minutes=30)
    frame = published(answer({n: {"PM2.5": value} for n, value in values.items()}, asked))
    numbers = ((frame["hour"] - hour(0)).dt.total_hours()).to_list()
    pairs = frame.select("pm25_nowcast", "pm25_nowcast_aqi").rows()
    return dict(zip(numbers, pairs, strict=True))


def test_each_hour_has_the_nowcast_of_its_last_twelve() -> None:
    """At every hour that has enough before it, with its index; an hour of long ago does not count."""
    found = by_hour({0: 999.0, 12: 40.0, 13: 20.0, 14: 10.0})
    assert found == {0: (None, None), 12: (None, None), 13: (26.6, 84), 14: (17.1, 66)}


def test_missing_hours_are_told_by_time_not_by_row() -> None:
    """After a gap the hours before it are as old as they are."""
    found = by_hour({0: 20.0, 1: 20.0, 4: 10.0})
    assert found[1] == (20.0, 71)
    assert found[4] == (None, None)


def test_a_provisional_hour_has_none() -> None:
    """What is not over does not say how the air is; the hour before does."""
    found = by_hour({0: 10.0, 1: 10.0, 2: 10.0}, provisional=2)
    assert (found[1], found[2]) == ((10.0, 53), (None, None))


def test_bad_values_are_left_out() -> None:
    """A sentinel is no air."""
    found = by_hour({0: 10.0, 1: 10.0, 2: -999.0})
    assert found[2] == (10.0, 53)


def test_an_empty_table_has_the_columns() -> None:
    """Nothing has no NowCast, and the same columns."""
    frame = published(empty())
    assert frame.height == 0
    assert frame.columns[-2:] == ["pm25_nowcast", "pm25_nowcast_aqi"]


def test_stations_do_not_mix() -> None:
    """Each station's NowCast is of its own hours."""
    both = pl.concat([answer({0: {"PM2.5": 5.0}, 1: {"PM2.5": 5.0}}, LATER, s) for s in (7, 8)])
    both = both.with_columns(pm25=pl.col("pm25") * (pl.col("station_id") - 6))
    assert published(both)["pm25_nowcast"].to_list() == [None, 5.0, None, 10.0]
    assert quality.judge(both, {}).height == 4


def test_what_was_not_judged_has_the_same(captures_dir: Path) -> None:
    """A value is bad by its own hour, so it takes no flags to know it: a year of two stations, with bad values."""
    bad = pl.when(pl.col("hour").dt.hour() % 5 == 0).then(-999.0).otherwise(pl.col("pm25"))
    hours = captured(captures_dir).with_columns(bad.alias("pm25"))
    middle = hours["hour"].median()
    assert isinstance(middle, datetime)
    since = {283164601: middle}
    expected = nowcast.add(quality.judge(hours, since))
    found = nowcast.of(hours.sample(fraction=1, shuffle=True, seed=1), since)
    assert_frame_equal(found.select(*KEY, *nowcast.COLUMNS), expected.select(*KEY, *nowcast.COLUMNS), check_exact=True)
    assert found["pm25_nowcast"].null_count() < found.height
