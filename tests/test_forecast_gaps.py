"""Over a gap a forecast goes back to the usual course of the day, and its bounds widen."""

import numpy as np
import pytest

from airq_etl.forecast.features import situation
from airq_etl.forecast.fitted import learn, quantiles
from airq_etl.forecast.gaps import FADES, bridged
from airq_etl.forecast.gate import covered
from airq_etl.forecast.grid import Grid, Places
from airq_etl.forecast.scale import scaled
from airq_etl.forecast.sight import Series, Sight
from tests.air import STATION, made_up

SERIES = Series(STATION, "pm25", 1)
DAYS = 130


def broken(gap: int) -> tuple[Grid, Places]:
    """Air with a gap of so many hours, at both stations, every 31 hours; and the last hours of the gaps."""
    grid = made_up(DAYS)
    ends = np.arange(24 * 90, 24 * DAYS - 2, 31 + 2 * gap)
    values = {key: array.copy() for key, array in grid.values.items()}
    for array in values.values():
        for end in ends:
            array[end - gap + 1 : end + 1] = np.nan
    return grid._replace(values=values), ends


@pytest.mark.parametrize("gap", [3, 6, 24])
def test_the_bounds_hold_after_a_gap(gap: int) -> None:
    """Of the first hour after a gap the 80 % bounds hold what they promise, as they do of any other hour."""
    model = learn("linear", Sight(made_up(DAYS), SERIES), 24 * 90)
    grid, ends = broken(gap)
    found = quantiles(model, Sight(grid, SERIES).at(0.0), ends)
    came = scaled("pm25", made_up(DAYS).values[STATION, "pm25"][ends + 1])
    assert 70 <= covered(came, found[:, 1], found[:, 3]) <= 97


def test_no_hour_without_a_gap_is_touched() -> None:
    """Where the last value is of the last hour a forecast stays as the model made it."""
    hours = situation(made_up(60), STATION, "pm25", 1, 0.0)
    made = np.arange(50.0).reshape(10, 5)
    np.testing.assert_array_equal(bridged(made, hours, np.arange(1000, 1010), 1), made)


def test_the_longer_the_gap_the_more_it_is_as_usual() -> None:
    """What the last value says shrinks to a third in four hours; after a day the forecast is the usual one."""
    grid = made_up(60)
    values = {key: array.copy() for key, array in grid.values.items()}
    for array in values.values():
        array[24 * 50 :] = np.nan
    hours = situation(grid._replace(values=values), STATION, "pm25", 1, 0.0)
    rows = np.array([24 * 50 + 3, 24 * 51 + 3])
    made = np.tile([-0.2, -0.1, 0.0, 0.1, 0.2], (2, 1)) + 9.0
    found = bridged(made, hours, rows, 1)
    usual = hours.level[rows] + hours.features["usual 28"][rows]
    heeded = np.exp(-np.array([4, 28]) / FADES)
    np.testing.assert_allclose(found[:, 2], heeded * 9 + (1 - heeded) * usual)
    wide = found[:, 4] - found[:, 0]
    assert (wide > 0.4).all()
    assert wide[1] >= wide[0]
