"""How much of the last day has come."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from airq_etl import settings as configuration
from airq_etl.lake import HOURLY, Lake
from airq_etl.pipeline.recent import recent
from airq_etl.watched import Recent
from tests.frames import answer, hour

NOW = hour(30) + timedelta(minutes=20)  # so that the last day runs from hour 6 to hour 29


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "data")
    lake.open()
    return lake


def keep(lake: Lake, stations: dict[int, range]) -> None:
    frames = [answer({n: {"CO": 1.0} for n in hours}, NOW, station) for station, hours in stations.items()]
    lake.write(HOURLY, "2024-09", pl.concat(frames))


def of(lake: Lake, *stations: int, file: str = "") -> dict[int, Recent]:
    given: dict[str, object] = {"data_dir": lake.root, "stations": stations}
    if file:
        (lake.root / "stations.toml").write_text(file)
        given["stations_file"] = lake.root / "stations.toml"
    return recent(lake, configuration.build(given), stations, NOW)


def test_a_whole_day(lake: Lake) -> None:
    """Twenty-four hours that have ended; the running one does not count."""
    keep(lake, {7: range(31)})
    assert of(lake, 7) == {7: Recent(24, 24, hour(30), None)}


def test_a_station_that_fell_silent(lake: Lake) -> None:
    """It is missing since its newest hour, if that is older than a day as well."""
    keep(lake, {7: range(25), 8: range(3)})
    assert of(lake, 7, 8) == {7: Recent(19, 24, hour(24), hour(25)), 8: Recent(0, 24, hour(2), hour(3))}


def test_a_station_that_is_new(lake: Lake) -> None:
    """Of one whose first hour is of today, the hours before are not expected; of one with none, all are."""
    keep(lake, {7: range(20, 31)})
    assert of(lake, 7, 8) == {7: Recent(10, 10, hour(30), None), 8: Recent(0, 24, None, hour(6))}


def test_a_station_that_is_not_yet_in_service(lake: Lake) -> None:
    """Nothing is expected of a station before it serves."""
    keep(lake, {7: range(25)})
    file = '[7]\nin_service_from = "2024-09-10T02:30:00"\n[8]\nin_service_from = 2024-10-01\n'
    assert of(lake, 7, 8, file=file) == {7: Recent(0, 3, hour(24), hour(25)), 8: Recent(0, 0, None, None)}


def test_a_gap_in_the_day(lake: Lake) -> None:
    """Missing since its first missing hour."""
    keep(lake, {7: range(10)})
    frames = [answer({n: {"CO": 1.0} for n in (*range(10), *range(15, 31))}, NOW, 7)]
    lake.write(HOURLY, "2024-09", pl.concat(frames))
    assert of(lake, 7) == {7: Recent(19, 24, hour(30), hour(10))}
