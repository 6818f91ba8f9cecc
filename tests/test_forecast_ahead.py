"""The next hours of a station, day after day: what is kept, what is told, and that a look back gives the same."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from airq_etl.forecast.ahead import Ahead, Cabinet, Served, as_it_stood, look_ahead
from airq_etl.forecast.backtest import SEASONAL, replay
from airq_etl.forecast.gate import DAMPED, LINEAR, NOBODY, PERSISTENCE
from airq_etl.forecast.grid import Grid
from airq_etl.forecast.outlook import Outlook
from airq_etl.forecast.sight import Series
from airq_etl.forecast.standing import FIT_BACK, LOOK_BACK, REFIT, last_refit
from tests.air import STATION, made_up

HOUR = timedelta(hours=1)
DAYS = 130
PM = Series(STATION, "pm25", 1)


def cut(grid: Grid, origin: int) -> Grid:
    """The grid as it was when the hour of an origin had just ended."""
    values = {key: array[: origin + 1] for key, array in grid.values.items()}
    return grid._replace(length=origin + 1, values=values)


def looked(
    grid: Grid,
    origin: int,
    cabinet: Cabinet | None = None,
    serving: Mapping[Series, Served] | None = None,
    horizon: int = 2,
) -> Ahead:
    kept = cabinet or Cabinet(station_id=STATION)
    return look_ahead(cut(grid, origin), kept, grid.hour(origin), horizon, serving or {})


def outlook(ahead: Ahead, sensor: str = "pm25") -> Outlook:
    (found,) = (one for one in ahead.outlooks if one.sensor == sensor)
    return found


def test_the_next_hours_of_each_pollutant() -> None:
    """Each pollutant that the station has gets its hours, in order, in its unit, with bounds around the median."""
    grid = made_up(DAYS)
    ahead = looked(grid, 24 * 120 + 9)
    assert [one.sensor for one in ahead.outlooks] == ["pm25", "co"]
    found = outlook(ahead)
    assert (found.unit, found.origin, found.last_hour) == ("µg/m³", grid.hour(24 * 120 + 9), grid.hour(24 * 120 + 9))
    assert [point.hour for point in found.points] == [found.origin + HOUR, found.origin + 2 * HOUR]
    for point in found.points:
        assert point.lo95 < point.lo80 < point.median < point.hi80 < point.hi95
        assert point.model == LINEAR
        assert point.skill is not None
        assert point.skill > 0
    assert found.reason is None


def test_a_forecast_is_the_one_that_a_look_back_gives() -> None:
    """What is forecast at an hour is what the backtest says would have been, by the same models and corrections."""
    grid = made_up(DAYS)
    for origin in (24 * 120 - 1, 24 * 120 + 9, 24 * 121 + 22):
        for horizon in (1, 2):
            replayed = replay(grid, PM._replace(horizon=horizon), origin, origin)
            point = outlook(looked(grid, origin)).points[horizon - 1]
            made = [point.lo95, point.lo80, point.median, point.hi80, point.hi95]
            np.testing.assert_allclose(made, replayed.served[0], rtol=1e-6)


def test_what_is_kept_makes_the_same_forecast() -> None:
    """With the cabinet of the day nothing is fitted or judged again, and the forecast is that of an empty one."""
    grid, origin = made_up(DAYS), 24 * 120 + 9
    first = looked(grid, origin)
    assert first.cabinet is not None
    kept = msgspec.json.decode(msgspec.json.encode(first.cabinet), type=Cabinet)
    again = looked(grid, origin, kept)
    assert again.cabinet is None
    assert again.news == []
    assert again.outlooks == first.outlooks


def test_the_models_of_yesterday_serve_until_they_are_due() -> None:
    """A new day takes the models that there are; on the day of a refit, and not before, one more is fitted."""
    grid = made_up(DAYS)
    day = next(
        day for day in range(100, 122) if last_refit(STATION, grid.hour(24 * day).date()) == grid.hour(24 * day).date()
    )
    cabinet = looked(grid, 24 * (day - 2)).cabinet
    assert cabinet is not None
    fitted = {model.serves_from for model in cabinet.models}
    for later, new in ((day - 1, 0), (day, 1)):
        assert cabinet.days_needed(grid.hour(24 * later).date(), 2) == (FIT_BACK if new else LOOK_BACK)
        following = looked(grid, 24 * later, cabinet).cabinet
        assert following is not None
        assert len({model.serves_from for model in following.models} - fitted) == new
    assert REFIT == 21


def test_models_of_other_features_are_fitted_again() -> None:
    """A cabinet of another version of the features is of no use, and is made anew."""
    grid, origin = made_up(DAYS), 24 * 120 + 9
    first = looked(grid, origin)
    assert first.cabinet is not None
    old = msgspec.structs.replace(first.cabinet, version=0, models=[], standings=[])
    assert old.days_needed(grid.hour(origin).date(), 2) == FIT_BACK
    assert looked(grid, origin, old).cabinet == first.cabinet


def test_who_serves_first_is_news_and_afterwards_is_not() -> None:
    """A change of the model is told once, with its reason; a day on which the same one serves has no news."""
    grid = made_up(DAYS)
    first = looked(grid, 24 * 120 + 9)
    told = {one.series: one for one in first.news}
    assert told[PM].before is None
    assert told[PM].standing.model == LINEAR
    assert "below that of persistence" in told[PM].standing.reason
    serving = {series: Served(one.standing.model or "", one.standing.reason) for series, one in told.items()}
    assert looked(grid, 24 * 121 + 9, first.cabinet, serving).news == []


def test_a_young_sensor_is_forecast_as_it_is_within_wide_bounds() -> None:
    """With less than 14 days of hours persistence serves, within bounds wider than its errors were, and says so."""
    grid = made_up(DAYS)
    found = outlook(looked(grid, 24 * 10 + 5))
    assert found.reason == "less than 14 days of hours to learn from"
    values = grid.values[STATION, "pm25"]
    assert [point.median for point in found.points] == [values[24 * 10 + 5]] * 2
    moves = np.diff(np.log1p(values[: 24 * 10 + 6]))
    low, high = np.quantile(moves, [0.1, 0.9])
    point = found.points[0]
    assert (point.lo80, point.hi80) == pytest.approx(
        tuple(np.expm1(np.log1p(point.median) + 1.5 * np.array([low, high]))), rel=1e-6
    )
    assert {point.model for point in found.points} == {PERSISTENCE}
    assert outlook(looked(grid, 20)).points == []


def test_two_weeks_are_enough_to_begin() -> None:
    """On the day that a sensor has 14 days of hours it is fitted, and damped persistence serves until more is known."""
    found = outlook(looked(made_up(DAYS), 24 * 15 + 3))
    assert {point.model for point in found.points} == {DAMPED}
    assert found.reason is not None
    assert "less than 14 days by which to judge" in found.reason


def test_why_a_lesser_model_serves_is_said_for_as_long_as_it_does() -> None:
    """The reason of the day on which it began is that of the days after it."""
    grid = made_up(DAYS)
    first = looked(grid, 24 * 15 + 3)
    serving = {one.series: Served(one.standing.model or "", one.standing.reason) for one in first.news}
    later = looked(grid, 24 * 16 + 3, first.cabinet, serving)
    assert later.news == []
    assert outlook(later).reason == outlook(first).reason


def test_a_gap_is_bridged_for_two_days_and_no_longer() -> None:
    """After hours without a value the last one serves; after two days the sensor is silent, and has no forecast."""
    values = made_up(DAYS).values[STATION, "pm25"].copy()
    values[24 * 120 :] = np.nan
    grid = made_up(DAYS, pm25=values)
    fresh, old = outlook(looked(grid, 24 * 121 + 20)), outlook(looked(grid, 24 * 122))
    assert len(fresh.points) == 2
    assert fresh.last_hour == grid.hour(24 * 120 - 1)
    assert old.points == []
    assert old.reason == "it has been silent since 2024-04-29 23:00 UTC"


def test_a_dead_sensor_has_no_forecast_and_says_why() -> None:
    """The others of the station are forecast all the same."""
    co = np.where(np.arange(24 * DAYS) < 24 * 90, made_up(DAYS).values[STATION, "co"], 0.0)
    ahead = looked(made_up(DAYS, co=co), 24 * 120 + 9)
    assert outlook(ahead, "co").points == []
    assert outlook(ahead, "co").reason == "it is dead: 0 mg/m³ in 100 % of the hours of the last 14 days"
    assert len(outlook(ahead).points) == 2
    (news,) = (one for one in ahead.news if one.series == Series(STATION, "co", 1))
    assert (news.before, news.standing.model, news.standing.reason) == (None, None, outlook(ahead, "co").reason)


def test_a_sensor_that_lives_again_is_forecast_again() -> None:
    """Two weeks after a dead sensor was replaced it is served again, and that is news."""
    alive = made_up(DAYS).values[STATION, "co"]
    at = np.arange(24 * DAYS)
    grid = made_up(DAYS, co=np.where((at > 24 * 90) & (at < 24 * 105), 0.0, alive))
    series = Series(STATION, "co", 1)
    ahead = looked(grid, 24 * 120 + 9, serving={series: Served(NOBODY, "it is dead")})
    assert outlook(ahead, "co").points[0].model in {LINEAR, DAMPED}
    (news,) = (one for one in ahead.news if one.series == series)
    assert news.before == NOBODY
    assert news.standing.reason.startswith("after none: ")


def test_a_sensor_that_was_dead_for_most_of_what_there_is_to_learn_from_is_forecast() -> None:
    """Where the median of all hours lies at the floor there are no others to learn from; that is no reason to fail."""
    alive = made_up(80).values[STATION, "co"]
    grid = made_up(80, co=np.where(np.arange(24 * 80) < 24 * 40, 0.0, alive))
    assert len(outlook(looked(grid, 24 * 70 + 9), "co").points) == 2


def test_up_to_six_hours_are_forecast() -> None:
    """Six hours ahead are forecast with bounds that are the wider the farther they lie."""
    found = outlook(looked(made_up(DAYS), 24 * 120 + 9, horizon=6))
    assert len(found.points) == 6
    assert found.points[5].hi80 - found.points[5].lo80 > found.points[0].hi80 - found.points[0].lo80


def everything(grid: Grid) -> dict[str, Any]:
    replayed = replay(grid, PM, 24 * 90, 24 * 110)
    return {"served": replayed.served, "models": replayed.standings}


def test_a_backtest_looks_at_nothing_that_came_later() -> None:
    """Whatever comes after an hour, all forecasts up to it are the same to the last bit, and so is who served."""
    grid, at = made_up(DAYS), 24 * 100 + 13
    one = everything(grid)
    changed = {key: np.concatenate([array[:at], array[at:] * 2 + 9]) for key, array in grid.values.items()}
    other = everything(grid._replace(values=changed))
    known = at - 24 * 90  # the origins whose last hour is before it
    np.testing.assert_array_equal(one["served"][:known], other["served"][:known])
    assert not np.array_equal(one["served"][known], other["served"][known])
    for day in range(90, 101):
        assert one["models"][day] == other["models"][day]


@pytest.mark.parametrize("back", [1, 24, 24 * 20, 24 * 60])
def test_a_backtest_looks_at_the_past(back: int) -> None:
    """An hour that was different yesterday, weeks ago, or when the models were fitted, makes another forecast."""
    grid, at = made_up(DAYS), 24 * 100
    one = replay(grid, PM, at, at).served
    values = grid.values[STATION, "pm25"].copy()
    values[at - back] += 25
    assert not np.array_equal(one, replay(made_up(DAYS, pm25=values), PM, at, at).served)


def test_rivals_are_what_they_are_called() -> None:
    """Persistence is the last value, the seasonal naive forecast that of the day before at the same hour."""
    grid = made_up(DAYS)
    values = grid.values[STATION, "pm25"]
    replayed = replay(grid, PM._replace(horizon=2), 24 * 100, 24 * 101)
    np.testing.assert_array_equal(replayed.rivals[PERSISTENCE][:, 2], values[replayed.origins])
    np.testing.assert_array_equal(replayed.rivals[SEASONAL][:, 2], values[replayed.origins + 2 - 24])
    np.testing.assert_array_equal(replayed.observed, values[replayed.origins + 2])
    assert {LINEAR, DAMPED} <= set(replayed.rivals)


def test_where_there_is_no_time_the_standings_of_yesterday_serve() -> None:
    """A station that cannot be judged today is forecast by who served yesterday, for a week and no longer."""
    grid = made_up(DAYS)
    cabinet = looked(grid, 24 * 120 + 9).cabinet
    assert cabinet is not None
    origin = 24 * 121 + 9
    late = as_it_stood(cut(grid, origin), cabinet, grid.hour(origin), 2, {})
    assert (late.cabinet, late.news) == (None, [])
    assert [point.model for point in outlook(late).points] == [LINEAR, LINEAR]
    today = grid.hour(24 * 120).date()
    assert cabinet.is_recent(today + timedelta(days=7), 2)
    assert not cabinet.is_recent(today + timedelta(days=8), 2)
    assert not cabinet.is_recent(today, 3)
