"""Scores of forecasts, each number worked by hand."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from airq_etl.forecast.scores import SCORE_KEY, SCORE_SCHEMA, scores
from tests.forecasts import forecast, forecasts
from tests.frames import STATION


def test_no_forecasts_have_no_scores() -> None:
    """No row in, or none with what came: no row out, of the same columns."""
    nothing = pl.DataFrame(schema=SCORE_SCHEMA)
    assert_frame_equal(scores(forecasts()), nothing)
    assert_frame_equal(scores(forecasts(forecast(9))), nothing)


def test_scores_of_three_hours() -> None:
    """Quantiles 6, 8, 10, 12, 14 and persistence 11, against 10, 13 and 4: a hit, and one beyond either bound.

    The pinball loss of 10 is (4 * 0.025 + 2 * 0.1 + 0 + 2 * 0.1 + 4 * 0.025) / 5 = 0.12; that of 13 is
    (7 * 0.025 + 5 * 0.1 + 3 * 0.5 + 1 * 0.9 + 1 * 0.025) / 5 = 0.62; that of 4 is
    (2 * 0.975 + 4 * 0.9 + 6 * 0.5 + 8 * 0.1 + 10 * 0.025) / 5 = 1.92.
    """
    rows = forecasts(*(forecast(n, observed=value) for n, value in enumerate((10.0, 13.0, 4.0))), forecast(9))
    (row,) = scores(rows).rows(named=True)
    assert row == {
        "station_id": STATION,
        "sensor": "pm25",
        "horizon": 1,
        "model": "linear",
        "hours": 3,
        "mae": pytest.approx((0 + 3 + 6) / 3),
        "persistence_mae": pytest.approx((1 + 2 + 7) / 3),
        "skill": pytest.approx(10.0),
        "pinball": pytest.approx((0.12 + 0.62 + 1.92) / 3),
        "coverage80": pytest.approx(100 / 3),
        "coverage95": pytest.approx(200 / 3),
    }
    assert dict(scores(rows).schema) == SCORE_SCHEMA


def test_a_bound_is_within() -> None:
    """An hour on a bound lies within it: of a sensor that says next to nothing all bounds are one."""
    (row,) = scores(forecasts(forecast(9, observed=12.0), forecast(10, observed=6.0))).rows(named=True)
    assert (row["coverage80"], row["coverage95"]) == (50.0, 100.0)


def test_no_skill_where_persistence_made_no_error() -> None:
    """Against what is never wrong there is no skill, rather than an infinite one."""
    assert scores(forecasts(forecast(9, observed=11.0)))["skill"].to_list() == [None]


def test_a_row_a_series_and_model() -> None:
    """Stations, sensors, horizons and models are not mixed, and come in this order."""
    kinds = [(STATION, "pm25", 2, "linear"), (7, "pm25", 1, "linear"), (STATION, "co", 1, "linear")]
    kinds += [(STATION, "co", 1, "damped"), (STATION, "co", 1, "damped")]
    rows = [
        forecast(n, ahead, station_id=station_id, sensor=sensor, model=model, observed=9.0)
        for n, (station_id, sensor, ahead, model) in enumerate(kinds)
    ]
    found = scores(forecasts(*rows))
    assert found.select(SCORE_KEY).rows() == sorted(set(kinds))
    assert found["hours"].to_list() == [1, 2, 1, 1]
