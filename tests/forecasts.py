"""Small tables of forecasts that tests are made of."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from airq_etl import settings as configuration
from airq_etl.forecast.table import MODEL_SCHEMA, SCHEMA
from airq_etl.hourly import combine
from airq_etl.lake import HOURLY, Lake
from airq_etl.pipeline.job import Job, begun, job
from tests.frames import STATION, hour

LATER = timedelta(minutes=20)
"""So long after an hour has begun, a run is at work."""


def forecast(origin: int, horizon: int = 1, **given: Any) -> dict[str, Any]:  # noqa: ANN401 -- cells
    """A forecast of PM2.5 at the so-manieth hour, made 20 minutes after that hour has ended."""
    made_at = hour(origin + 1) + LATER
    bounds = {"lo95": 6.0, "lo80": 8.0, "median": 10.0, "hi80": 12.0, "hi95": 14.0, "persistence": 11.0}
    row = dict.fromkeys(SCHEMA) | bounds | {"station_id": STATION, "sensor": "pm25", "model": "linear"}
    row |= {"origin": hour(origin), "horizon": horizon, "hour": hour(origin + horizon)}
    return row | {"made_at": made_at, "updated_at": made_at} | given


def forecasts(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows of their table."""
    return pl.DataFrame(rows, schema=SCHEMA)


def news(since: int, **given: Any) -> pl.DataFrame:  # noqa: ANN401 -- as above
    """A row of the history of models: which one serves PM2.5 since the so-manieth hour."""
    row = dict.fromkeys(MODEL_SCHEMA) | {"station_id": STATION, "sensor": "pm25", "horizon": 1, "since": hour(since)}
    return pl.DataFrame([row | {"model": "linear", "reason": "it is better"} | given], schema=MODEL_SCHEMA)


def put_hours(data: Path, rows: pl.DataFrame) -> None:
    """Have the hourly table hold these rows, and no others in their months."""
    lake = Lake(data)
    lake.open()
    for (part,), of_month in rows.group_by(pl.col("hour").dt.strftime("%Y-%m").alias("part")):
        lake.write(HOURLY, str(part), combine([of_month]))


@contextmanager
def at_work(data: Path, now: datetime, **given: Any) -> Iterator[Job]:  # noqa: ANN401 -- settings
    """A job at `now` on a data directory."""
    settings = configuration.build({"data_dir": data, "now": now} | given)
    with job(settings, begun(settings, "forecast"), "forecast") as work:
        yield work
