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


def usual_of(frame: pl.DataFrame, names: Sequence[str], *, by_grid: bool) -> pl.DataFrame:
    """What `usual` adds to the rows, by one of its ways, however many they are."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(usual, "MANY", 0 if by_grid else frame.height + 1)
        patched.setattr(usual, "SPARSE", 1 << 40)
        return usual.add(frame, names)


def asked(frame: pl.DataFrame, names: Sequence[str], answers: Sequence[bool] = (True,)) -> pl.DataFrame:
    """The rows, of which those are asked for where the answer, taken in turn, is yes."""
    turns = [answers[n % len(answers)] for n in range(frame.height)]
    return frame.with_columns(pl.Series(f"{name}/asked", turns, dtype=pl.Boolean) for name in names)


def same(frame: pl.DataFrame, names: Sequence[str] = ("co",)) -> None:
    """Both ways say the same of the rows that are asked for."""
    columns = [f"{name}/{what}" for name in names for what in ("away", "spread")]
    told = [pl.when(f"{column.partition('/')[0]}/asked").then(column).alias(column) for column in columns]
    windows, grid = (usual_of(frame, names, by_grid=by_grid).select(told) for by_grid in (False, True))
    assert_frame_equal(grid, windows, check_exact=True)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.integers(1, 5),
        # Few hours of the day, so that some of them are there on many days.
        st.sets(st.builds(lambda day, at: 24 * day + at, st.integers(0, 60), st.integers(0, 1)), min_size=30),
        min_size=1,
    ),
    st.lists(VALUES, min_size=1, max_size=40),
    st.lists(st.booleans(), min_size=1, max_size=7),
)
def test_both_ways_give_the_same_to_the_last_bit(
    hours: dict[int, set[int]], values: list[float | None], answers: list[bool]
) -> None:
    """Whatever hours there are, of whatever stations, whatever values they have or lack, and whatever is asked for."""
    frame = rows([(station, sorted(hours[station])) for station in sorted(hours)], values)
    same(asked(frame, ["co"], answers))


def test_both_ways_give_the_same_for_what_the_source_said(captures_dir: Path) -> None:
    """The years of the real stations."""
    names = ["co", "pm25", "pm10", "temperature"]
    for answers in ([True], [True, False, False]):
        same(asked(captured(captures_dir), names, answers), names)


def test_away_is_from_the_median_of_the_same_hour_of_fourteen_days_at_most() -> None:
    """By hand: not of this day, not of the fifteenth before, not of another hour; with six of them there is none."""
    there = [24 * day for day in range(40)] + [24 * day + 1 for day in range(40)]
    frame = asked(rows([(7, sorted(there))], [float(n * n % 17) for n in range(80)]), ["co"])
    values = {at: value for at, value in zip(sorted(there), frame["co"], strict=True) if at % 24 == 0}
    of_the_hour = usual_of(frame, ["co"], by_grid=True).filter(pl.col("hour").dt.hour() == hour(0).hour)
    before = [[values[24 * d] for d in range(max(day - 14, 0), day)] for day in range(40)]
    away = [values[24 * day] - median(some) if len(some) >= 7 else None for day, some in enumerate(before)]
    assert of_the_hour["co/away"].to_list() == away
    distances = [[abs(one) for one in away[max(day - 14, 0) : day] if one is not None] for day in range(40)]
    spread = [1.4826 * median(some) if len(some) >= 7 else None for some in distances]
    assert of_the_hour["co/spread"].to_list() == spread
    assert (sum(one is not None for one in away), sum(one is not None for one in spread)) == (33, 26)


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
    for frame in (asked(some, ["co"]) for some in (near, far, twice)):
        found = usual.add(frame, ["co"])
        assert_frame_equal(found, usual_of(frame, ["co"], by_grid=False))


def test_nothing_is_said_where_nothing_is_asked() -> None:
    """Nor is anything computed."""
    frame = asked(rows([(1, range(usual.MANY))], [1.0, 2.0, 3.0]), ["co"], [False])
    found = usual.add(frame, ["co"])
    assert found.select(pl.col("co/away", "co/spread").null_count()).row(0) == (frame.height, frame.height)
