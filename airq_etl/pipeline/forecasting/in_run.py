"""forecast as a step of each run, which it never fails."""

import logging
import time

import polars as pl

from airq_etl.errors import AirqError
from airq_etl.pipeline.forecasting import make
from airq_etl.pipeline.job import Job

log = logging.getLogger(__name__)

LEAST_S = 10  # a run with less time left leaves it to the next one


def forecast_newest(work: Job) -> None:
    """Forecast the next hours of the run's stations, and score those that have come; never fails the run."""
    if work.seconds_left() < LEAST_S:
        log.debug("forecast: left to the next run, since this one has no time left")
        return
    try:
        found = make.forecast(work, work.settings.stations)
    except AirqError as error:
        log.warning("forecast: %s", error)
    except KeyboardInterrupt:
        if time.monotonic() < work.deadline:
            raise  # somebody stops the run
        log.warning("forecast: not done before the run's deadline; `airq-etl forecast` takes its time")
    except (Exception, pl.exceptions.PanicException) as error:
        log.warning("forecast: this is a bug, and the run goes on: %s: %s", type(error).__name__, error)
        log.debug("where it broke", exc_info=True)
    else:
        work.result.forecasts = {"made": found.made, "scored": found.scored}
        work.result.outlooks = found.outlooks
