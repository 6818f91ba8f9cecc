"""The tables of forecasts: what was said stays said, and what came is put beside it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from airq_etl.errors import DamagedError
from airq_etl.forecast import table
from airq_etl.lake import FORECASTS, HOURLY, MODELS, Lake
from airq_etl.pipeline.forecasting.keep import FORECASTS_AT_ONCE, Kept, keep
from tests.forecasts import LATER, at_work, forecast, forecasts, news, put_hours
from tests.frames import STATION, answer, hour

DATA = Path("data")
NO_NEWS = table.no_models()
NOW = hour(20) + LATER


def observed(rows: pl.DataFrame, values: dict[int, dict[str, float]], now: datetime = NOW) -> list[float | None]:
    return table.observe(rows, answer(values, NOW), now)["observed"].to_list()


def kept(made: pl.DataFrame, models: pl.DataFrame = NO_NEWS, now: datetime = NOW, **given: Any) -> Kept:  # noqa: ANN401 -- settings
    with at_work(DATA, now, **given) as work:
        return keep(work, made, models)


def stored() -> pl.DataFrame:
    return Lake(DATA).read(FORECASTS)


def files() -> dict[str, tuple[int, bytes]]:
    """Each file of the tables of forecasts, which one it is, and what it holds."""
    paths = sorted((DATA / "forecasts").rglob("*.parquet"))
    return {path.name: (path.stat().st_ino, path.read_bytes()) for path in paths}


# -- frames ------------------------------------------------------------------------------------------------


def test_what_came_is_put_beside_the_forecast() -> None:
    """Each forecast whose hour has come takes its sensor's value there, and when that was seen; the order stays."""
    rows = forecasts(forecast(9, 2), forecast(8, 1), forecast(9, 1, sensor="co"))
    found = table.observe(rows, answer({9: {"PM2.5": 7.0, "CO": 0.5}, 10: {"CO": 0.25}, 11: {"PM2.5": 8.0}}, NOW), NOW)
    assert found["observed"].to_list() == [8.0, 7.0, 0.25]
    assert found["updated_at"].to_list() == [NOW] * 3
    assert_frame_equal(found.drop("observed", "updated_at"), rows.drop("observed", "updated_at"))
    assert dict(found.schema) == table.SCHEMA


def test_what_has_not_come_is_null() -> None:
    """An hour that is missing, provisional, without a value or with a bad one is no observation, and no news."""
    rows = forecasts(*(forecast(number) for number in (9, 10, 11, 19)))
    came = answer({11: {"CO": 0.5}, 12: {"PM2.5": 1e6}, 20: {"PM2.5": 7.0}}, NOW)
    found = table.observe(rows, came, NOW + timedelta(1))
    assert found["observed"].to_list() == [None] * 4
    assert found["updated_at"].to_list() == rows["updated_at"].to_list()


def test_a_sensor_that_the_station_does_not_carry_is_null() -> None:
    """Hours without a column of the sensor observe nothing."""
    assert observed(forecasts(forecast(9, sensor="noise")), {10: {"PM2.5": 7.0}}) == [None]


def test_an_hour_is_looked_at_from_its_end_on_for_45_days() -> None:
    """A value is taken once the hour has ended by the clock, and no longer after 45 days."""
    rows, values = forecasts(forecast(9)), {10: {"PM2.5": 7.0}}
    assert observed(rows, values, hour(11) - timedelta(microseconds=1)) == [None]
    assert observed(rows, values, hour(11)) == [7.0]
    assert observed(rows, values, hour(10) + table.LOOKED_BACK) == [7.0]
    assert observed(rows, values, hour(11) + table.LOOKED_BACK) == [None]


def test_what_the_source_revised_is_followed() -> None:
    """A value that changed is news, one that is gone becomes null again, one that did not change stays as it was."""
    seen = hour(12) + LATER
    rows = forecasts(*(forecast(n, observed=7.0, updated_at=seen) for n in (8, 9, 10)))
    found = table.observe(rows, answer({9: {"PM2.5": 7.0}, 10: {"PM2.5": 7.5}}, NOW), NOW)
    assert found["observed"].to_list() == [7.0, 7.5, None]
    assert found["updated_at"].to_list() == [seen, NOW, NOW]


def test_a_replay_makes_no_row_look_older() -> None:
    """What is seen in a replay is not older than what was known of the row before."""
    later = NOW + timedelta(days=9)
    found = table.observe(forecasts(forecast(9, updated_at=later)), answer({10: {"PM2.5": 7.0}}, NOW), NOW)
    assert found.select("observed", "updated_at").rows() == [(7.0, later)]


def test_nothing_to_observe() -> None:
    """No forecasts, or no hours, are as good as any."""
    assert_frame_equal(table.observe(table.empty(), answer({10: {"PM2.5": 7.0}}, NOW), NOW), table.empty())
    rows = forecasts(forecast(9))
    assert_frame_equal(table.observe(rows, answer({}, NOW), NOW), rows)


def test_what_is_known_is_not_fresh() -> None:
    """A row that is known, or stands twice, is not added again, whatever else it says."""
    known = forecasts(forecast(9))
    rows = forecasts(forecast(9, median=1.0), forecast(9, 2), forecast(9, 2, median=1.0))
    assert_frame_equal(table.fresh(rows, known, table.KEY), forecasts(forecast(9, 2)))


# -- the data directory --------------------------------------------------------------------------------------


def test_forecasts_are_kept_and_scored() -> None:
    """New forecasts are in the table with what has come since of older ones; both are counted."""
    put_hours(DATA, answer({10: {"PM2.5": 7.0}, 11: {"PM2.5": 8.0}}, hour(12)))
    assert kept(forecasts(forecast(9), forecast(9, 2)), now=hour(10) + LATER) == Kept(2, 0)
    assert stored()["observed"].to_list() == [None, None]
    assert kept(forecasts(forecast(10), forecast(10, 2)), now=hour(11) + LATER) == Kept(2, 1)
    assert kept(table.empty(), now=hour(12) + LATER) == Kept(0, 2)
    found = stored().select("origin", "horizon", "observed", "updated_at").rows()
    assert found == [
        (hour(9), 1, 7.0, hour(11) + LATER),
        (hour(9), 2, 8.0, hour(12) + LATER),
        (hour(10), 1, 8.0, hour(12) + LATER),
        (hour(10), 2, None, hour(11) + LATER),
    ]


def test_twice_is_once() -> None:
    """A second run of the same moment, even of an earlier one, changes no byte, and replaces no file."""
    put_hours(DATA, answer({10: {"PM2.5": 7.0}}, NOW))
    made = forecasts(forecast(9), forecast(19), forecast(19, 2))
    assert kept(made, news(9)) == Kept(3, 1)
    before = files()
    assert kept(made, news(9)) == Kept(0, 0)
    earlier = made.with_columns(pl.col("made_at", "updated_at").dt.offset_by("-5m"), median=1.0)
    assert kept(earlier, news(9, model="other"), now=NOW - timedelta(minutes=5)) == Kept(0, 0)
    assert files() == before


def test_a_file_a_month_of_the_origin_and_only_what_changes_is_replaced() -> None:
    """A forecast lies in the file of the month it was made in; one of which nothing is news stays as it is."""
    last = 24 * 22 - 1  # of September
    kept(forecasts(forecast(9), forecast(last)), now=hour(last + 1))
    before = files()
    kept(forecasts(forecast(last + 1)), now=hour(last + 2))
    assert files().keys() == {"2024-09.parquet", "2024-10.parquet"}
    assert files()["2024-09.parquet"] == before["2024-09.parquet"]
    put_hours(DATA, answer({10: {"PM2.5": 7.0}}, NOW))
    before = files()
    kept(table.empty(), now=hour(last + 2))
    assert files()["2024-09.parquet"] != before["2024-09.parquet"]
    assert files()["2024-10.parquet"] == before["2024-10.parquet"]


def test_hours_before_the_station_served_are_no_observation() -> None:
    """What the settings call not in service is not scored, and no longer once they say so."""
    put_hours(DATA, answer({10: {"PM2.5": 7.0}}, NOW))
    Path("stations.toml").write_text(f"[{STATION}]\nin_service_from = 2024-09-10\n", encoding="utf-8")
    assert kept(forecasts(forecast(9))) == Kept(1, 1)
    assert kept(table.empty(), stations_file="stations.toml") == Kept(0, 0)
    assert stored()["observed"].to_list() == [None]


def test_the_hours_are_read_only_where_a_forecast_is_due() -> None:
    """Where no hour has come yet nobody looks at the hourly table, and where one has, at its months alone."""
    put_hours(DATA, answer({10: {"PM2.5": 7.0}}, NOW))
    (DATA / "hourly" / "2024-01.parquet").write_bytes(b"damaged")
    made = forecasts(forecast(9))
    assert kept(made) == Kept(1, 1)
    (DATA / "hourly" / "2024-09.parquet").write_bytes(b"damaged")
    assert kept(forecasts(forecast(19)), now=hour(20) + LATER - timedelta(days=30)) == Kept(1, 0)
    with pytest.raises(DamagedError, match=r"2024-09.parquet .* --rebuild"):
        kept(table.empty())


def test_files_of_long_ago_are_not_read() -> None:
    """A file of forecasts that nobody looks at any more costs nothing, even if it is damaged."""
    kept(forecasts(forecast(9)))
    (DATA / "forecasts" / "2024-01.parquet").write_bytes(b"damaged")
    assert kept(forecasts(forecast(19))) == Kept(1, 0)


def test_many_stations_are_scored_in_portions() -> None:
    """However many stations there are, each forecast takes what came at its own, and all are kept in order."""
    ids = pl.DataFrame({"station_id": range(1, 212)})
    # As many horizons as no run makes, for the number of rows.
    horizons = pl.DataFrame({"horizon": range(1, FORECASTS_AT_ONCE // 100)})
    hours = answer({10: {"PM2.5": 0.0}}, NOW).drop("station_id").join(ids, how="cross")
    put_hours(DATA, hours.with_columns(pm25=pl.col("station_id").cast(pl.Float64)).select(HOURLY.empty().columns))
    rows = forecasts(forecast(9)).drop("station_id", "horizon").join(ids, how="cross").join(horizons, how="cross")
    made = rows.select(table.SCHEMA.keys()).sample(fraction=1, shuffle=True, seed=1)
    assert made.height > 2 * FORECASTS_AT_ONCE
    assert kept(made) == Kept(made.height, made.height)
    assert_frame_equal(stored().select(table.KEY), made.select(table.KEY).sort(table.KEY))
    assert (stored()["observed"] == stored()["station_id"]).all()
    before = files()
    assert kept(made) == Kept(0, 0)
    assert files() == before
    assert [path.name for path in Lake(DATA).temporary.iterdir()] == []


def test_who_serves_is_kept_by_year() -> None:
    """A piece of news is added to the year since which it holds, once, and what is known of it stays."""
    new_year = news(24 * 130)
    kept(table.empty(), pl.concat([news(9), new_year]))
    kept(table.empty(), pl.concat([news(9, model="other"), news(12, before="linear")]))
    lake = Lake(DATA)
    assert lake.parts(MODELS) == ["2024", "2025"]
    rows = lake.read(MODELS).select("since", "model", "before").rows()
    assert rows == [(hour(9), "linear", None), (hour(12), "linear", "linear"), (hour(24 * 130), "linear", None)]


def test_a_damaged_file_is_named_and_the_advice_fits() -> None:
    """Forecasts cannot be made again from the captures, and so nobody is told to."""
    kept(forecasts(forecast(9)), news(9))
    for path in ("2024-09.parquet", "models/2024.parquet"):
        whole = (DATA / "forecasts" / path).read_bytes()
        (DATA / "forecasts" / path).write_bytes(whole[:30] + b"?" + whole[31:])
    with pytest.raises(DamagedError, match=r"forecasts/models/2024\.parquet .* move it away; forecasts begin anew$"):
        kept(table.empty(), news(12))
    with pytest.raises(DamagedError, match=r"forecasts/2024-09\.parquet .* move it away; forecasts begin anew$"):
        kept(table.empty())


def test_forecasts_are_not_among_what_a_rebuild_makes() -> None:
    """They are no function of the captures: a rebuild, which loses all hours here, leaves them as they are."""
    from airq_etl import settings as configuration
    from airq_etl.pipeline.run import run_transform

    put_hours(DATA, answer({10: {"PM2.5": 7.0}}, NOW))
    kept(forecasts(forecast(9)), news(9))
    before = files()
    run_transform(configuration.build({"data_dir": DATA, "now": NOW}), anew=True, discard=True)
    assert Lake(DATA).read(HOURLY).is_empty()
    assert files() == before
