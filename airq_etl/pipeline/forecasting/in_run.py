"""forecast as a step of each run, which it never fails."""

import logging
from collections.abc import Collection

import msgspec
import polars as pl

from airq_etl.errors import AirqError
from airq_etl.pipeline.forecasting import make
from airq_etl.pipeline.harmless import harmless
from airq_etl.pipeline.job import Job

log = logging.getLogger(__name__)

LEAST_S = 10  # a run with less time left leaves it to the next one


def forecast_newest(work: Job, beside: Collection[int] = ()) -> None:
    """Forecast the next hours of the run's stations, and score those that have come; never fails the run.

    They see the hours of those `beside` them as well: models that serve for weeks must not hang on who is asked.
    """
    stations = work.settings.stations
    seen = tuple(sorted({*stations, *beside}))
    if work.seconds_left() < LEAST_S:
        log.debug("forecast: left to the next run, since this one has no time left")
        return
    with harmless(work, make.STEP):
        try:
            settings = msgspec.structs.replace(work.settings, stations=seen)
            found = make.forecast(work._replace(settings=settings), stations)
        except AirqError:
            raise
        except (Exception, pl.exceptions.PanicException) as error:
            log.debug("where it broke", exc_info=True)
            raise AirqError(f"this is a bug, and the run goes on: {type(error).__name__}: {error}") from error
        work.result.forecasts = {"made": found.made, "scored": found.scored}
        work.result.outlooks = found.outlooks
