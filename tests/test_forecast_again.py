"""Forecasts made again: after a replay of a later day, after a run that was killed, for some stations alone."""

from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from airq_etl import hourly
from airq_etl import settings as configuration
from airq_etl.forecast.ahead import Cabinet
from airq_etl.forecast.outlook import Outlook
from airq_etl.forecast.table import MODEL_SCHEMA
from airq_etl.lake import HOURLY, MODELS, Lake
from airq_etl.pipeline.forecasting import cabinet
from airq_etl.pipeline.forecasting.make import run_forecast
from airq_etl.settings import Settings
from tests.air import OTHER, STATION, made_up
from tests.server import Reply, serving

if TYPE_CHECKING:
    from tests.conftest import Airq

DAYS = 130
GRID = made_up(DAYS)
DAY = timedelta(days=1)
NOON = GRID.hour(24 * 110 + 12)


def at(now: datetime, data: Path) -> Settings:
    """Settings for a time."""
    return configuration.build({"data_dir": data, "stations": [STATION, OTHER], "now": now})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with the hours of the two stations."""
    lake = Lake(tmp_path / "data")
    lake.open()
    hours = [GRID.hour(place) for place in range(24 * DAYS)]
    frames = [
        pl.DataFrame(
            {"station_id": station_id, "hour": hours, "provisional": False, "requested_at": hours[-1]}
            | {name: values for (whose, name), values in GRID.values.items() if whose == station_id},
            schema_overrides={"station_id": pl.Int64, "hour": hourly.TIME, "requested_at": hourly.TIME},
        )
        for station_id in (STATION, OTHER)
    ]
    rows = hourly.combine(frames)
    for (month,), of_month in rows.group_by(pl.col("hour").dt.strftime("%Y-%m").alias("month")):
        lake.write(HOURLY, str(month), of_month)
    return lake.root


def forecast(now: datetime, data: Path) -> list[Outlook]:
    return run_forecast(at(now, data)).outlooks


def forget(data: Path, *names: str) -> None:
    """Remove files of forecasts, so that all that lie beside them are made again."""
    for name in names:
        for path in (data / "forecasts").glob(name):
            path.unlink()


def test_going_back_in_time_knows_nothing_of_what_was_fitted_later(data: Path) -> None:
    """With --now of an earlier day the forecast is that of a directory in which no later day was ever looked at."""
    alone = forecast(NOON, data)
    forget(data, "*.parquet", "models/*", "fitted/*")
    forecast(NOON + 15 * DAY, data)
    assert forecast(NOON, data) == alone


def test_going_back_in_time_knows_nothing_of_who_served_later(data: Path) -> None:
    """What the history of models says of later days is no part of how an earlier one stands."""
    alone = forecast(NOON, data)
    forget(data, "*.parquet", "models/*", "fitted/*")
    later = {"station_id": STATION, "sensor": "pm25", "horizon": 1, "since": NOON + DAY, "model": "damped persistence"}
    row = dict.fromkeys(MODEL_SCHEMA) | later | {"reason": "made up"}
    Lake(data).write(MODELS, f"{NOON:%Y}", pl.DataFrame([row], schema=MODEL_SCHEMA))
    assert forecast(NOON, data) == alone


def test_a_day_that_is_begun_twice_begins_with_the_same_models(data: Path) -> None:
    """A run that was killed once it had told who serves, and had kept nothing else, is done again to the same end."""
    young = GRID.hour(24 * 16 + 12)
    alone = forecast(young, data)
    assert "the first to serve" in (alone[0].reason or "")
    told = Lake(data).read(MODELS)
    forget(data, "*.parquet", "fitted/*")
    assert forecast(young, data) == alone
    assert Lake(data).read(MODELS).equals(told)
    kept = [path.read_bytes() for path in sorted((data / "forecasts" / "fitted").iterdir())]
    forget(data, "*.parquet", "models/*", "fitted/*")
    forecast(young, data)
    assert [path.read_bytes() for path in sorted((data / "forecasts" / "fitted").iterdir())] == kept


def test_a_run_of_one_station_forecasts_it_beside_the_others(data: Path, airq: "Airq") -> None:
    """With --station the models are those of a run of all: the station sees what the others said."""
    words = ("--data-dir", data, "--now", NOON.isoformat(), "--json", "--station", str(STATION))
    alone = airq("forecast", *words).json["outlooks"]
    forget(data, "*.parquet", "models/*", "fitted/*")
    with serving(lambda _: Reply(404)) as server:
        env = {"AIRQ_API_URL": server.url, "AIRQ_RETRIES": "0"}
        assert airq("run", *words, env=env, expect=5).json["outlooks"] == alone


def test_fitted_models_take_their_place_together(tmp_path: Path) -> None:
    """What is put aside stands nowhere until all is well, and not at all where it is not."""
    lake = Lake(tmp_path / "data")
    lake.open()
    both = [Cabinet(station_id=station_id) for station_id in (STATION, OTHER)]

    def broken_off() -> None:
        with ExitStack() as written:
            for one in both:
                cabinet.put_aside(lake, one, written)
            assert len(list(lake.temporary.iterdir())) == len(both)
            raise KeyError

    with pytest.raises(KeyError):
        broken_off()
    assert not (lake.root / cabinet.FOLDER).exists()
    with ExitStack() as written:
        for one in both:
            cabinet.put_aside(lake, one, written)
        assert not (lake.root / cabinet.FOLDER).exists()
    assert {path.stem for path in (lake.root / cabinet.FOLDER).iterdir()} == {str(STATION), str(OTHER)}
    assert list(lake.temporary.iterdir()) == []
