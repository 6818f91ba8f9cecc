"""forecast --challenge: challengers tried over a data directory, kept, told of; and what is refused."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from airq_etl import hourly
from airq_etl import settings as configuration
from airq_etl.errors import UsageError
from airq_etl.forecast.gate import CHALLENGER, LINEAR
from airq_etl.lake import HOURLY, MODELS, Lake
from airq_etl.pipeline.forecasting.challenge import run_challenge
from airq_etl.pipeline.forecasting.make import run_forecast
from airq_etl.settings import Settings
from tests.air import STATION
from tests.no_lightgbm import REFUSED
from tests.test_forecast_challenger import bent

DAYS = 100
REPOSITORY = Path(__file__).resolve().parent.parent
GRID = bent(DAYS)


def at(hours: int, data: Path) -> Settings:
    """Settings for a time so many hours after the grid begins."""
    return configuration.build({"data_dir": data, "stations": [STATION], "now": GRID.hour(hours)})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with the hours of air that no line can follow, of which the linear model was the first."""
    lake = Lake(tmp_path / "data")
    lake.open()
    hours = [GRID.hour(place) for place in range(24 * DAYS)]
    rows = pl.DataFrame(
        {"station_id": STATION, "hour": hours, "provisional": False, "requested_at": hours[-1]}
        | {name: GRID.values[STATION, name] for name in ("pm25", "temperature")},
        schema_overrides={"station_id": pl.Int64, "hour": hourly.TIME, "requested_at": hourly.TIME},
    )
    for (month,), of_month in rows.group_by(pl.col("hour").dt.strftime("%Y-%m").alias("month")):
        lake.write(HOURLY, str(month), hourly.combine([of_month]))
    run_forecast(at(24 * 97 + 3, lake.root), horizon=1)
    return lake.root


def history(data: Path) -> list[tuple[str, datetime]]:
    return [(row["model"], row["since"]) for row in Lake(data).read(MODELS).sort("since").iter_rows(named=True)]


def files(data: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (data / "forecasts" / "fitted").iterdir()}


def test_a_night_brings_a_challenger_that_wins_to_serve(data: Path) -> None:
    """It is in the history of models since that hour, and makes the forecasts from then on, in the store as well."""
    told: list[tuple[int, int]] = []
    found = run_challenge(at(24 * 98 + 2, data), horizon=1, progress=lambda done, most: told.append((done, most)))
    (trial,) = found.trials
    assert (trial.verdict, trial.over, told) == ("promoted", LINEAR, [(1, 5)])
    assert trial.trained_through is not None
    assert trial.trained_through < GRID.hour(24 * 98)
    assert history(data) == [(LINEAR, GRID.hour(24 * 97)), (CHALLENGER, GRID.hour(24 * 98 + 2))]
    for hours in (24 * 98 + 3, 24 * 99 + 1):
        (outlook,) = run_forecast(at(hours, data), horizon=1).outlooks
        assert [point.model for point in outlook.points] == [CHALLENGER]
    assert len(history(data)) == 2


def test_two_trials_are_one(data: Path) -> None:
    """Tried again on the same day nothing is fitted, no file changes, and nothing is new in the history."""
    run_challenge(at(24 * 98 + 2, data), horizon=1)
    before = files(data), history(data)
    again = run_challenge(at(24 * 98 + 5, data), horizon=1)
    assert [(trial.fitted, trial.verdict) for trial in again.trials] == [(0, "serves")]
    assert history(data) == before[1]
    trees = f"{STATION}.lightgbm.json.gz"
    assert files(data)[trees] == before[0][trees]


def test_a_trial_without_data_says_what_fetches_some(tmp_path: Path) -> None:
    """Where there are no hours it is refused in one line."""
    with pytest.raises(UsageError, match=r"there is no data in .*; `airq-etl run` fetches some"):
        run_challenge(at(0, tmp_path / "none"))
    assert not (tmp_path / "none").exists()


WITHOUT_LIGHTGBM = (
    REFUSED
    + """
from airq_etl import settings
from airq_etl.errors import UsageError
from airq_etl.pipeline.forecasting.challenge import run_challenge

try:
    run_challenge(settings.build({"data_dir": sys.argv[1]}))
except UsageError as error:
    print(error.exit_code, error)
"""
)


def test_without_the_extra_a_trial_names_it(data: Path) -> None:
    """Without LightGBM nothing is done, and the one line says how to install it."""
    words = [sys.executable, "-c", WITHOUT_LIGHTGBM, str(data)]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=False)
    assert done.stdout.startswith("2 ")
    assert "pip install 'airq-etl[lightgbm]'" in done.stdout
    assert len(done.stdout.splitlines()) == 1
