"""What models are given: hours laid out, and the features of each, known by then."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from airq_etl import hourly, quality
from airq_etl.forecast.features import REACH, situation
from airq_etl.forecast.grid import Grid, lay_out
from airq_etl.forecast.rolling import before, filled, mean, profile, spread
from airq_etl.forecast.scale import floor, scaled, unscaled
from tests.air import OTHER, STATION, made_up

START = datetime(2024, 3, 1, tzinfo=UTC)


def rows(values: dict[int, float | None], *, sensor: str = "pm25", provisional: tuple[int, ...] = ()) -> pl.DataFrame:
    """Rows of the hourly table of one station: hour number -> value."""
    frame = pl.DataFrame(
        {
            "station_id": [STATION] * len(values),
            "hour": [START + timedelta(hours=number) for number in values],
            sensor: list(values.values()),
            "provisional": [number in provisional for number in values],
            "requested_at": [START + timedelta(days=9)] * len(values),
        },
        schema_overrides={"hour": hourly.TIME, "requested_at": hourly.TIME, sensor: pl.Float64},
    )
    return hourly.combine([frame])


def laid_out(frame: pl.DataFrame, last: int, **in_service: datetime) -> list[float]:
    served = dict.fromkeys([STATION], in_service["since"]) if in_service else {}
    found: list[float] = lay_out(frame, START + timedelta(hours=last), served).values[STATION, "pm25"].tolist()
    return found


def test_an_hour_without_a_value_is_nan() -> None:
    """Hours stand where they belong, gaps between them are NaN, and the grid begins at a midnight."""
    frame = rows({2: 5.0, 4: None, 5: 7.0})
    np.testing.assert_equal(laid_out(frame, 6), [np.nan, np.nan, 5.0, np.nan, np.nan, 7.0, np.nan])


def test_the_provisional_hour_is_no_value() -> None:
    """An hour that is still filling is not known."""
    np.testing.assert_equal(laid_out(rows({0: 5.0, 1: 6.0}, provisional=(1,)), 1), [5.0, np.nan])


def test_what_came_after_the_last_hour_is_not_there() -> None:
    """A grid ends where it is told to, whatever the table holds."""
    assert laid_out(rows({0: 5.0, 1: 6.0, 2: 7.0}), 1) == [5.0, 6.0]


def test_hours_before_service_are_no_values() -> None:
    """What a station said before it was put up is of no use."""
    np.testing.assert_equal(laid_out(rows({0: 5.0, 1: 6.0}), 1, since=START + timedelta(hours=1)), [np.nan, 6.0])


def test_a_grid_has_the_values_that_are_not_flagged_bad() -> None:
    """What the grid leaves out is what the rules of quality flag bad, and nothing else."""
    values: dict[int, float | None] = {number: float(number % 7) for number in range(60)}
    values |= {3: -999.0, 9: 5000.0, 20: 900.0, 31: -1.0}
    frame, since = rows(values), START + timedelta(hours=5)
    judged = quality.judge(frame, {STATION: since})
    expected = judged.select(quality.usable("pm25").fill_null(float("nan"))).to_series().to_list()
    np.testing.assert_equal(laid_out(frame, 59, since=since), expected)
    assert np.isnan(expected).sum() == 6


def test_a_sensor_that_never_spoke_is_not_in_the_grid() -> None:
    """A station without a sensor has no series of it."""
    assert set(lay_out(rows({0: 1.0}), START, {}).values) == {(STATION, "pm25")}


def test_rolling_looks_backwards() -> None:
    """Worked by hand: the last value and its age, the value before, means, spread and the profile of a day."""
    values = np.array([np.nan, 2.0, np.nan, 4.0])
    level, age = filled(values)
    np.testing.assert_equal(level, [np.nan, 2.0, 2.0, 4.0])
    np.testing.assert_equal(age, [np.inf, 0.0, 1.0, 0.0])
    np.testing.assert_equal(before(values, 2), [np.nan, np.nan, np.nan, 2.0])
    np.testing.assert_equal(mean(values, 3), [np.nan, 2.0, 2.0, 3.0])
    np.testing.assert_allclose(spread(values, 3), [np.nan, np.nan, np.nan, 1.0])
    days = np.concatenate([np.full(24, 1.0), np.full(24, 3.0), np.full(5, 8.0)])
    np.testing.assert_allclose(profile(days, 2)[[25, 48, 52]], [2.0, 5.5, 5.5])


@pytest.mark.parametrize(("sensor", "lowest"), [("pm25", 0.0), ("co", -0.4), ("co", 0.0), ("no2", 0.0)])
def test_scales_can_be_undone(sensor: str, lowest: float) -> None:
    """A value at or above the floor comes back from its scale, and what is below comes back as the floor."""
    values = np.array([lowest, 0.0, 0.3, 7.0, 120.0])
    np.testing.assert_allclose(unscaled(sensor, scaled(sensor, values, lowest), lowest), values, atol=1e-12)
    if sensor != "no2":
        assert unscaled(sensor, scaled(sensor, np.array([lowest - 1]), lowest), lowest) == [lowest]


def test_the_floor_is_the_lowest_value_and_at_most_zero() -> None:
    """CO drifts below zero; a sensor that reads above it has its floor at zero, and so has any other pollutant."""
    assert floor("co", np.array([0.3, -0.2, np.nan])) == -0.2
    assert floor("co", np.array([0.3, 0.1])) == 0.0
    assert floor("pm25", np.array([-1.0])) == 0.0


def features(grid: Grid, until: int) -> dict[str, list[float]]:
    found = situation(grid, STATION, "pm25", 2, 0.0).features
    return {name: array[:until].tolist() for name, array in found.items()}


def test_no_feature_knows_the_future() -> None:
    """All features of an hour are the same, to the last bit, whatever came after it, at any station."""
    grid, at = made_up(60), 24 * 50 + 7
    changed = {key: np.concatenate([array[:at], array[at:] * 3 + 5]) for key, array in grid.values.items()}
    one, other = features(grid, at), features(grid._replace(values=changed), at)
    for name in one:
        np.testing.assert_equal(one[name], other[name], err_msg=name)
    assert features(grid, at + 1) != features(grid._replace(values=changed), at + 1)


def test_every_feature_looks_back_so_far_and_no_farther() -> None:
    """From so many hours on that the grid holds before an hour, its features do not depend on where the grid begins."""
    grid, cut = made_up(90), 24 * 40
    later = {key: array[cut:] for key, array in grid.values.items()}
    shorter = Grid(grid.start + timedelta(hours=cut), grid.length - cut, later, {})
    one = situation(grid, STATION, "pm25", 1, 0.0).features
    other = situation(shorter, STATION, "pm25", 1, 0.0).features
    for name in one:
        np.testing.assert_allclose(one[name][cut + REACH :], other[name][REACH:], atol=1e-9, err_msg=name)


def test_the_target_is_the_move_from_the_last_value() -> None:
    """What a model learns is how far the value so many hours on lies from the last one; unknown at the end."""
    grid = made_up(3)
    hours = situation(grid, STATION, "pm25", 2, 0.0)
    values = scaled("pm25", grid.values[STATION, "pm25"])
    np.testing.assert_allclose(hours.target[:-2], values[2:] - values[:-2])
    assert np.isnan(hours.target[-2:]).all()


def test_the_weekend_is_that_of_the_stations_clock() -> None:
    """Saturday begins at local midnight: at 20:00 UTC on Friday four hours east of Greenwich."""
    grid = made_up(14)  # from a Monday
    hour = 24 * 4 + 20
    for offset, expected in ((4, 1.0), (3, 0.0)):
        found = situation(grid._replace(offset={STATION: offset}), STATION, "pm25", 1, 0.0)
        assert found.features["saturday"][hour - 1] == expected


def test_stations_see_each_other_unless_there_are_too_many() -> None:
    """The other stations are an input of a few, not of a country."""
    grid = made_up(9)
    assert "others" in situation(grid, STATION, "pm25", 1, 0.0).features
    crowd = dict(grid.values) | {(number, "pm25"): grid.values[OTHER, "pm25"] for number in range(10)}
    assert "others" not in situation(grid._replace(values=crowd), STATION, "pm25", 1, 0.0).features
