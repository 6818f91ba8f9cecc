"""Fitting: quantiles by regression, models that are numbers alone."""

import msgspec
import numpy as np
import pytest

from airq_etl.forecast.fitted import DAMPED, Fitted, learn, lessons, quantiles
from airq_etl.forecast.regression import Manner, fit
from airq_etl.forecast.sight import Series, Sight
from tests.air import STATION, lasting, made_up

EXACT = Manner(1e-3, 0.001, 60)


@pytest.mark.parametrize("quantile", [0.025, 0.1, 0.5, 0.9, 0.975])
def test_a_quantile_has_its_share_of_the_values_below_it(quantile: float) -> None:
    """Of values that spread the more the larger x is, its share is below, at small and large x."""
    draws = np.random.default_rng(5)
    x = draws.uniform(0, 2, 20_000)
    y = 1 + 3 * x + (0.5 + x) * draws.normal(size=len(x))
    inputs = np.column_stack((np.ones(len(x)), x))
    below = y < inputs @ fit(inputs, y, np.ones(len(x)), quantile, EXACT)
    for part in (x < 1, x >= 1):
        assert below[part].mean() == pytest.approx(quantile, abs=0.01)


def test_the_median_does_not_heed_outliers() -> None:
    """A tenth of wild values moves the median regression a little, where least squares would follow them."""
    draws = np.random.default_rng(6)
    x = draws.normal(size=5000)
    y = 2 * x + 0.1 * draws.normal(size=len(x))
    y[::10] += 50
    found = fit(np.column_stack((np.ones(len(x)), x)), y, np.ones(len(x)), 0.5, EXACT)
    assert found == pytest.approx([0.0, 2.0], abs=0.05)


def test_weights_say_how_much_a_row_counts() -> None:
    """Of two populations the one that weighs more is heeded."""
    inputs, y = np.ones((200, 1)), np.repeat([1.0, 5.0], 100)
    assert fit(inputs, y, np.repeat([1.0, 3.0], 100), 0.5, EXACT) == pytest.approx([5.0], abs=0.01)
    assert fit(inputs, y, np.repeat([3.0, 1.0], 100), 0.5, EXACT) == pytest.approx([1.0], abs=0.01)


def test_where_there_are_few_rows_coefficients_stay_near_zero() -> None:
    """The pull to zero is as strong as so many rows: it rules ten rows, and is lost among ten thousand."""
    draws = np.random.default_rng(7)
    for count, low, high in ((10, 0.0, 0.5), (10_000, 0.97, 1.03)):
        x = draws.normal(size=count)
        inputs = np.column_stack((np.ones(count), x))
        found = fit(inputs, x + 0.1 * draws.normal(size=count), np.ones(count), 0.5, Manner(60, 0.05, 30))
        assert low < found[1] < high


SERIES = Series(STATION, "pm25", 1)


def fitted(days: int = 60) -> tuple[Sight, Fitted]:
    sight = Sight(made_up(days), SERIES)
    return sight, learn("linear", sight, 24 * days)


def test_a_model_is_numbers_and_comes_back_from_json() -> None:
    """Whoever has the JSON and the hours makes the same forecast; it says what it learnt from."""
    sight, model = fitted()
    again = msgspec.json.decode(msgspec.json.encode(model), type=Fitted)
    assert again == model
    rows = np.arange(1000, 1100)
    hours = sight.at(model.floor)
    np.testing.assert_array_equal(quantiles(again, hours, rows), quantiles(model, hours, rows))
    assert model.trained_through == sight.grid.hour(24 * 60 - 1)
    assert model.hours == len(lessons(sight, 24 * 60)) == 24 * 60 - 1


def test_a_model_knows_nothing_of_what_came_after_it_was_fitted() -> None:
    """Fitted at a day, a model is the same, to the last bit, whatever came later; not if what was before differs."""
    grid, day = made_up(60), 50
    model = learn("linear", Sight(grid, SERIES), 24 * day)
    for at, same in ((24 * day, True), (24 * day - 1, False)):
        changed = grid.values[STATION, "pm25"].copy()
        changed[at:] += 40
        other = learn("linear", Sight(made_up(60, pm25=changed), SERIES), 24 * day)
        assert (other == model) is same


def test_quantiles_do_not_cross() -> None:
    """Of every hour the bounds are in order, the median between them."""
    sight, model = fitted()
    found = quantiles(model, sight.at(model.floor), np.arange(sight.grid.length))
    found = found[np.isfinite(found).all(axis=1)]
    assert len(found) > 1000
    assert (np.diff(found, axis=1) >= 0).all()


def test_a_feature_that_is_gone_is_taken_as_usual() -> None:
    """A station beside it that is no longer there leaves a model working, with nothing to hear from it."""
    sight, model = fitted()
    alone = sight.grid._replace(values={key: array for key, array in sight.grid.values.items() if key[0] == STATION})
    found = quantiles(model, Sight(alone, SERIES).at(0.0), np.arange(1000, 1100))
    assert np.isfinite(found).all()
    assert not np.array_equal(found, quantiles(model, sight.at(0.0), np.arange(1000, 1100)))


def test_damped_persistence_has_its_features_alone() -> None:
    """The simple model is of four numbers."""
    sight = Sight(made_up(30), SERIES)
    assert set(learn("damped persistence", sight, 24 * 30, DAMPED).features) == set(DAMPED)


def test_at_the_floor_the_model_learns_from_what_is_above_it() -> None:
    """Of a CO sensor whose negative values are made zeros, the forecast of a zero that lasts is zero."""
    air = lasting(24 * 90, 4, memory=0.97)
    co = np.maximum(0.1 * air, 0.0)
    sight = Sight(made_up(90, co=co), Series(STATION, "co", 1))
    model = learn("linear", sight, 24 * 80)
    rows = np.arange(24 * 80, 24 * 90)
    low = quantiles(model, sight.at(model.floor), rows)[:, 2]
    silent = (co[rows - 1] == 0) & (co[rows] == 0) & (co[rows - 2] == 0)
    assert silent.sum() > 20
    assert (low[silent] < 0.1).mean() > 0.9
