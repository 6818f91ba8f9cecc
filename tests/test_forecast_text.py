"""Forecasts, scores, models and backtests as text: what people are told, in 80 columns."""

import re
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from rich.cells import cell_len

from airq_etl.forecast import POLLUTANTS
from airq_etl.forecast.outlook import Backtest, BacktestScore, Outlook, Outlooks, Point
from airq_etl.forecast.scores import SCORE_SCHEMA
from airq_etl.forecast.table import MODEL_SCHEMA
from airq_etl.forecast_tables import backtest_text, models_text, scores_text, value
from airq_etl.forecast_text import NOBODY, brief_text, forecast_text, sentences
from airq_etl.sensors import BY_COLUMN
from tests.frames import hour

ORIGIN = hour(15)
LONG = "Plateau\x1b[31m 雨量観測所 " * 5

ENDS, WIDER = (("lo", -1), ("hi", 1)), ((80, 1), (95, 2))


def point(horizon: int, median: float = 11.0, spread: float = 3.0, **more: Any) -> Point:  # noqa: ANN401
    kinds: dict[str, Any] = {"horizon": horizon, "hour": ORIGIN + timedelta(hours=horizon), "model": "linear"}
    bounds = {f"{end}{interval}": sign * times * spread + median for end, sign in ENDS for interval, times in WIDER}
    return Point(**kinds | {"median": median} | bounds | more)


def outlook(*points: Point, sensor: str = "pm25", **more: Any) -> Outlook:  # noqa: ANN401
    given: dict[str, Any] = {"station_id": 7, "name": "SMART188", "last_hour": ORIGIN, "last_value": 10.0} | more
    return Outlook(sensor=sensor, unit=BY_COLUMN[sensor].unit, origin=ORIGIN, points=list(points), **given)


def text(*outlooks: Outlook) -> str:
    return forecast_text(Outlooks(run_id="1", made_at=hour(16), outlooks=list(outlooks)))


def said(one: Outlook) -> str:
    return " ".join(sentences(one))


def fits(told: str) -> bool:
    return max(map(cell_len, told.splitlines())) <= 80


def test_a_forecast_in_words() -> None:
    """What will be, when, in which interval, what was last, and how much better that was than nothing changing."""
    one = outlook(point(1, skill=16.2), point(2, 12.0, 5.0, skill=21.4))
    assert said(one) == (
        "PM2.5 at SMART188 is expected to be 11.0 µg/m³ at 16:00 and 12.0 at 17:00 (80 %: 8.0 to 14.0 and 7.0 to "
        "17.0); it was 10.0 at 15:00. "
        "Over 28 days the error would have been 16 % smaller at +1 h and 21 % smaller at +2 h than that of "
        "'it stays as it is'."
    )


def test_a_skill_below_zero_is_said_as_such() -> None:
    """A forecast that did worse than nothing changing is said to have done worse; one not scored, nothing."""
    assert "the error would have been 3 % larger at +1 h than that of" in said(outlook(point(1, skill=-3.1), point(2)))
    assert "error" not in said(outlook(point(1), point(2)))


def test_where_the_last_value_is_old_its_day_is_told() -> None:
    """A value of another day than the last hour's is not taken for one of today."""
    assert "it was 10.0 at 2024-09-08 15:00, 24 hours before the last." in said(
        outlook(point(1), last_hour=ORIGIN - timedelta(days=1))
    )


def test_no_forecast_has_its_reason() -> None:
    """Where there is no forecast the reason stands in its place, of whatever pollutant."""
    dead = outlook(sensor="no2", reason="the sensor is dead: 97 % of 336 hours are 0.0")
    assert said(dead) == "NO2 at SMART188: no forecast: the sensor is dead: 97 % of 336 hours are 0.0"
    assert " no forecast " in text(dead).splitlines()[2]
    for others in ([], [outlook(point(1))]):
        assert brief_text([*others, dead, outlook(sensor="co", reason="dead")]).endswith("no forecast")


def test_a_lesser_model_is_told() -> None:
    """Where not the best model serves, which one does, and why; also where the forecast itself is not put in words."""
    lesser = outlook(point(1, model="persistence"), sensor="o3", reason="it has 9 days of hours; a model needs 14")
    assert said(lesser) == "O3 at SMART188: forecast by persistence alone: it has 9 days of hours; a model needs 14"


def test_the_table_has_a_line_an_hour() -> None:
    """Each hour has its median, both intervals, model and skill; what is of the pollutant stands in the first."""
    one = outlook(point(1, skill=16.2), point(2, 12.0, 5.0))
    assert text(one).splitlines()[:4] == [
        "7 SMART188, after 2024-09-09 15:00 UTC",
        "             last  hour   forecast         80 %         95 %  model   skill",
        "PM2.5 µg/m³  10.0  16:00      11.0  8.0 to 14.0  5.0 to 17.0  linear   16 %",
        "                   17:00      12.0  7.0 to 17.0  2.0 to 22.0  linear      -",
    ]


@pytest.mark.parametrize("model", ["linear", "damped persistence", "a model of whatever name"])
@pytest.mark.parametrize("name", [None, "SMART188", LONG])
def test_rows_fit_80_columns(name: str | None, model: str) -> None:
    """However large the values, long the names, or many the hours; the 95 % interval gives way to the model's name."""
    points = [point(ahead, -98.7, 1200.0, model=model, skill=-123.4) for ahead in range(1, 7)]
    many = [
        outlook(*points, sensor=sensor, station_id=station_id, name=name, last_value=-99.9, reason="little " * 30)
        for station_id in (7, 283164601)
        for sensor in POLLUTANTS
    ]
    told = text(*many)
    assert fits(told)
    assert "\x1b" not in told
    assert ("95 %" in told.splitlines()[1]) == (len(model) < 20)
    assert model.removesuffix(" persistence")[:20] in told


def test_the_95_interval_gives_way_to_the_models_name() -> None:
    """However long the name of a model may be (up to a point), it is not cut for the interval."""
    for length in range(1, 20):
        told = text(outlook(point(1, -98.7, 50.0, model="m" * length, skill=-123.4)))
        assert "m" * length in told
        assert fits(told)


def test_no_station_is_said() -> None:
    """Where nothing is asked for the text says so."""
    assert text() == NOBODY


def test_the_brief_text_has_the_intervals() -> None:
    """One line a station and pollutant, of PM2.5 and CO alone, with each hour's 80 % interval."""
    some = [outlook(point(1), point(2, 12.0), sensor=sensor) for sensor in ("pm25", "co", "o3")]
    assert brief_text(some).splitlines() == [
        "station                last  16:00 UTC              17:00 UTC",
        "7        PM2.5 µg/m³   10.0  11.0 (8.0 to 14.0)     12.0 (9.0 to 15.0)",
        "7        CO mg/m³     10.00  11.00 (8.00 to 14.00)  12.00 (9.00 to 15.00)",
    ]


def scored(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    row = {"station_id": 7, "sensor": "pm25", "horizon": 1, "model": "linear", "hours": 1234}
    row |= {"mae": 2.345, "persistence_mae": 2.789, "skill": 15.92, "pinball": 0.812}
    return row | {"coverage80": 79.61, "coverage95": 94.77} | more


def test_the_scores_table() -> None:
    """A table a station, a line a pollutant, horizon and model; what a model has no number for is a dash."""
    rows = [scored(), scored(model="persistence", skill=None), scored(horizon=2), scored(station_id=8, sensor="co")]
    told = scores_text(pl.DataFrame(rows, schema=SCORE_SCHEMA))
    assert told.splitlines()[:5] == [
        "station 7",
        "       ahead  model        hours  error  stays  skill  pinball    80 %    95 %",
        "PM2.5  +1 h   linear       1,234   2.35   2.79   16 %     0.81  79.6 %  94.8 %",
        "              persistence  1,234   2.35   2.79      -     0.81  79.6 %  94.8 %",
        "PM2.5  +2 h   linear       1,234   2.35   2.79   16 %     0.81  79.6 %  94.8 %",
    ]
    assert "\nstation 8\n" in told
    assert fits(told)


def test_the_scores_are_in_the_order_of_the_forecast() -> None:
    """PM2.5 comes first and CO after it, as they do there, whatever the order of the rows."""
    told = scores_text(pl.DataFrame([scored(sensor=name) for name in sorted(POLLUTANTS)], schema=SCORE_SCHEMA))
    assert re.findall(r"^(\w+\.?\w+)  +\+1 h", told, re.MULTILINE) == ["PM2.5", "CO", "PM10", "NO2", "O3"]


def test_nothing_is_below_zero_by_rounding() -> None:
    """A value that is rounded to zero has no sign."""
    assert [value(number, "co") for number in (-0.004, 0.004, -0.006)] == ["0.00", "0.00", "-0.01"]


def test_nothing_scored_is_said() -> None:
    """Without scores, or a history, one sentence says so."""
    assert scores_text(pl.DataFrame(schema=SCORE_SCHEMA)).startswith("no forecast has been scored yet")
    assert models_text(pl.DataFrame(schema=MODEL_SCHEMA)) == "no model has served yet"


def test_the_history_of_models() -> None:
    """A list a station, whatever the order of the rows: since when, which, the one before, and why, wrapped."""
    why = "skill 16 % over 28 days, gain 0.31 (0.12 or more), coverage 79.6 % and 94.8 %"
    row = {"sensor": "pm25", "horizon": 1, "since": ORIGIN, "model": "linear", "before": "damped", "reason": why}
    rows = [row | {"station_id": station_id} for station_id in (8, 7, 8)]
    told = models_text(pl.DataFrame(rows, schema=MODEL_SCHEMA))
    assert told.count("station ") == 2
    assert told.startswith("station 7, since (UTC)\n2024-09-09 15:00 PM2.5 +1 h  linear ")
    assert f"{why} (before: damped)" in " ".join(told.split()).replace("2024-09-09 15:00 PM2.5 +1 h linear ", "")
    assert fits(told)


def test_the_backtest_table() -> None:
    """Beside the models those that they are compared with, which have no intervals; and what was written where."""
    whole = BacktestScore(answered=99.5, **{n: v for n, v in scored().items() if n != "persistence_mae"})
    plain = BacktestScore(
        station_id=7, sensor="pm25", horizon=1, model="persistence", hours=1234, answered=100, mae=2.789
    )
    told = backtest_text(Backtest(rows=17_472, output="found.csv", seconds=12.3, scores=[whole, plain]))
    assert told.splitlines()[2:4] == [
        "PM2.5 +1 h  linear      1,234  99.5 %  2.35 15.9 %    0.81 79.6 % 94.8 %",
        "            persistence 1,234 100.0 %  2.79      -       -      -      -",
    ]
    assert told.endswith("17,472 forecasts in 12 s, in found.csv")
    assert fits(told)
