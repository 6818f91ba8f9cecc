"""forecast: the next hours of each pollutant at each station; by itself, and as a step of each run."""

from collections.abc import Collection
from datetime import timedelta

import polars as pl

from airq_etl.errors import UsageError
from airq_etl.forecast import HORIZON, POLLUTANTS
from airq_etl.forecast.outlook import Outlook, Outlooks, Point
from airq_etl.forecast.table import MODEL_SCHEMA, SCHEMA
from airq_etl.lake import HOURLY, Lake
from airq_etl.pipeline.forecasting.keep import keep
from airq_etl.pipeline.forecasting.send import send
from airq_etl.pipeline.job import Job, begun, job
from airq_etl.pipeline.recording import step
from airq_etl.sensors import BY_COLUMN
from airq_etl.settings import Settings

STEP = "forecast"
HOUR = timedelta(hours=1)


def run_forecast(settings: Settings, stations: Collection[int] = (), horizon: int = HORIZON) -> Outlooks:
    """Forecast `horizon` hours for `stations` (all where empty), keep that, and send it to the store.

    UsageError where there is no data. Where the store fails the forecasts are kept, and the StoreError is raised.
    """
    if not settings.data_dir.is_dir() or not Lake(settings.data_dir).parts(HOURLY):
        raise UsageError(f"there is no data in {settings.data_dir} yet; `airq-etl run` fetches some")
    with job(settings, begun(settings, STEP), STEP) as work:
        return forecast(work, stations or settings.stations, horizon)


def forecast(work: Job, stations: Collection[int], horizon: int = HORIZON) -> Outlooks:
    """The step: forecasts are made, those whose hour has come are scored, and the store is brought up to them."""
    with step(work, STEP) as counts:
        found = _outlooks(work, stations, horizon)
        kept = keep(work, _rows(found), pl.DataFrame(schema=MODEL_SCHEMA))
        found.made, found.scored = kept.made, kept.scored
        counts.update(made=kept.made, scored=kept.scored)
        found.documents, found.store = send(work)
        counts.update(found.documents)
    return found


def _outlooks(work: Job, stations: Collection[int], horizon: int) -> Outlooks:
    # A stand-in: persistence with made-up bounds.
    origin = work.now.replace(minute=0, second=0, microsecond=0) - HOUR
    hours = work.lake.read(HOURLY).filter(~pl.col("provisional"))
    outlooks = []
    for station_id in sorted(stations):
        for sensor in POLLUTANTS:
            known = hours.filter(pl.col("station_id") == station_id).drop_nulls(sensor)
            one = Outlook(station_id=station_id, sensor=sensor, unit=BY_COLUMN[sensor].unit, origin=origin)
            outlooks.append(one)
            if known.is_empty():
                one.reason = "it has no hours"
                continue
            one.last_hour, one.last_value = known["hour"][-1], known[sensor][-1]
            value = known[sensor][-1]
            one.points = [
                Point(
                    horizon=ahead,
                    hour=origin + ahead * HOUR,
                    median=value,
                    lo80=value - 1,
                    hi80=value + 1,
                    lo95=value - 2,
                    hi95=value + 2,
                    model="persistence",
                )
                for ahead in range(1, horizon + 1)
            ]
    return Outlooks(run_id=work.result.run_id, made_at=work.now, outlooks=outlooks)


def _rows(found: Outlooks) -> pl.DataFrame:
    """The forecasts as rows of their table."""
    rows = [
        {name: getattr(point, name, None) for name in SCHEMA}
        | {"station_id": one.station_id, "sensor": one.sensor, "origin": one.origin, "persistence": one.last_value}
        | {"made_at": found.made_at, "updated_at": found.made_at}
        for one in found.outlooks
        for point in one.points
    ]
    return pl.DataFrame(rows, schema=SCHEMA)
