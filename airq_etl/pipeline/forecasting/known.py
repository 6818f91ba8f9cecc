"""What is known of forecasts: how they turned out, and which model served; nothing is changed by looking."""

from collections.abc import Collection

import polars as pl

from airq_etl.forecast.scores import SCORE_SCHEMA
from airq_etl.forecast.table import MODEL_SCHEMA
from airq_etl.settings import Settings
from airq_etl.windows import Days


def scores_known(settings: Settings, stations: Collection[int] = (), days: Days | None = None) -> pl.DataFrame:
    """How the forecasts of `days` turned out, by default of the last 28."""
    del settings, stations, days
    return pl.DataFrame(schema=SCORE_SCHEMA)


def models_known(settings: Settings, stations: Collection[int] = ()) -> pl.DataFrame:
    """Which model served since when, the newest last."""
    del settings, stations
    return pl.DataFrame(schema=MODEL_SCHEMA)
