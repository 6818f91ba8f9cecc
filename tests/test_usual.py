"""What is usual at an hour of the day: the two ways to take the medians give the same, to the last bit."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import product
from pathlib import Path
from statistics import median

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from airq_etl import usual
from airq_etl.hourly import TIME
from tests.frames import captured, hour

VALUES = st.one_of(st.none(), st.floats(-1e3, 1e3), st.sampled_from([0.0, -0.0, 0.1, 1e300, 5e-324]))


def rows(stations: Sequence[tuple[int, Sequence[int]]], values: Sequence[float | None]) -> pl.DataFrame:
    """Rows of stations, each with its hours; the values are taken in turn."""
    keys = [(station, hour(0) + timedelta(hours=at)) for station, hours in stations for at in hours]
    column = [values[n % len(values)] for n in range(len(keys))]
    frame = pl.DataFrame(keys, schema={"station_id": pl.Int64, "hour": TIME}, orient="row")
    return frame.with_columns(pl.Series("co", column, dtype=pl.Float64))


def by_grid(frame: pl.DataFrame, names: Sequence[str] = ("co",)) -> pl.DataFrame:
    """By the grid, however few the rows are."""
    places = usual.places_of(frame)
    assert places is not None
    return usual.by_grid(frame, names, places)


def same(frame: pl.DataFrame, names: Sequence[str] = ("co",)) -> None:
    """Both ways give the same."""
    expected = usual.by_window(frame, names)
    assert_frame_equal(by_grid(frame, names).select(expected.columns), expected, check_exact=True)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.integers(1, 5),
        # Few hours of the day, so that some of them are there on many days.
        st.sets(st.builds(lambda day, at: 24 * day + at, st.integers(0, 60), st.integers(0, 1)), min_size=30),
        min_size=1,
    ),
    st.lists(VALUES, min_size=1, max_size=40),
)
def test_both_ways_give_the_same_to_the_last_bit(hours: dict[int, set[int]], values: list[float | None]) -> None:
    """Whatever hours there are, of whatever stations, and whatever values they have or lack."""
    same(rows([(station, sorted(hours[station])) for station in sorted(hours)], values))


def test_both_ways_give_the_same_for_what_the_source_said(captures_dir: Path) -> None:
    """The years of the real stations."""
    frame = captured(captures_dir)
    same(frame, ["co", "pm25", "pm10", "temperature"])
    assert frame.height >= usual.MANY  # so this is what `add` does
    expected = usual.by_window(frame, ["o3"])
    assert_frame_equal(usual.add(frame, ["o3"]).select(expected.columns), expected, check_exact=True)


def test_the_median_is_that_of_the_same_hour_of_fourteen_days_at_most() -> None:
    """By hand: not of this day, not of the fifteenth before, not of another hour; with six of them there is none."""
    there = [24 * day for day in range(20)] + [24 * day + 1 for day in range(20)]
    frame = rows([(7, sorted(there))], [float(n * n % 17) for n in range(40)])
    values = {at: value for at, value in zip(sorted(there), frame["co"], strict=True) if at % 24 == 0}
    found = by_grid(frame).filter(pl.col("hour").dt.hour() == hour(0).hour)["co/usual"].to_list()
    before = [[values[24 * d] for d in range(max(day - 14, 0), day)] for day in range(20)]
    assert found == [median(some) if len(some) >= 7 else None for some in before]
    assert sum(value is not None for value in found) == 13


def test_the_network_brings_the_middle_to_its_place() -> None:
    """For every order of zeros and ones, and so for every order of whatever there is (Knuth's 0-1 principle)."""
    for bits in product((0, 1), repeat=usual.DAYS):
        values = list(bits)
        for low, high in usual.network():
            if values[low] > values[high]:
                values[low], values[high] = values[high], values[low]
        assert values[3:8] == sorted(bits)[3:8]


@pytest.mark.parametrize(
    "hours",
    [
        pytest.param([hour(0), hour(1), hour(1)], id="an hour that stands twice"),
        pytest.param([hour(0), hour(0), hour(1)], id="a first hour that stands twice"),
        pytest.param([hour(0), hour(1) + timedelta(minutes=1)], id="off the hour"),
    ],
)
def test_what_fits_no_grid_has_no_places(hours: list[object]) -> None:
    """Rows that are not hours in order."""
    frame = pl.DataFrame({"station_id": [1] * len(hours), "hour": hours}, schema={"station_id": pl.Int64, "hour": TIME})
    assert usual.places_of(frame) is None


def test_many_rows_that_fit_no_grid_or_leave_it_empty_are_taken_by_windows() -> None:
    """Whatever there are many of: the way is chosen by itself."""
    near = rows([(1, range(usual.MANY))], [1.0, None, 3.0])
    far = rows([(1, [*range(usual.MANY), usual.SPARSE * 2 * usual.MANY])], [1.0, None, 3.0])
    twice = pl.concat([near, near.tail(1)])
    for frame in (near, far, twice):
        assert_frame_equal(usual.add(frame, ["co"]), usual.by_window(frame, ["co"]), check_column_order=False)
