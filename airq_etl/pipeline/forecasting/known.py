"""What is known of forecasts: the tables as they stand, read without a lock, and how they turned out."""

import logging
from collections.abc import Collection
from datetime import timedelta

import polars as pl

from airq_etl import daily
from airq_etl.errors import UsageError
from airq_etl.forecast import LONGEST
from airq_etl.forecast.scores import scores
from airq_etl.lake import FORECASTS, MODELS, Lake
from airq_etl.settings import Settings
from airq_etl.windows import HOUR, Days

log = logging.getLogger(__name__)

SCORED = timedelta(days=28)
DAY = timedelta(days=1)


def forecasts_known(settings: Settings) -> Lake:
    """The data directory, if it has forecasts; UsageError where it has none."""
    lake = Lake(settings.data_dir)
    if not lake.parts(FORECASTS):
        raise UsageError(f"there are no forecasts in {settings.data_dir} yet; `airq-etl forecast` makes some")
    return lake


def scores_known(settings: Settings, stations: Collection[int] = (), days: Days | None = None) -> pl.DataFrame:
    """How the forecasts of `stations` (all where empty) turned out (see `scores`).

    Those for hours on local `days`; where these are None, for hours of the last 28 days.
    """
    lake = forecasts_known(settings)
    rows = _recent(settings, lake) if days is None else _of_days(settings, lake, days)
    return scores(_of(rows, stations))


def models_known(settings: Settings, stations: Collection[int] = ()) -> pl.DataFrame:
    """Which model served `stations` (all where empty) since when, and why; newest last. See `table.MODEL_SCHEMA`."""
    rows = forecasts_known(settings).read(MODELS)
    return _of(rows, stations).sort("since", maintain_order=True)


def _recent(settings: Settings, lake: Lake) -> pl.DataFrame:
    now = settings.clock()
    first = f"{now - SCORED - LONGEST * HOUR:%Y-%m}"
    recent = pl.col("hour").is_between(now - SCORED, now)
    return lake.read(FORECASTS, [part for part in lake.parts(FORECASTS) if part >= first], recent)


def _of_days(settings: Settings, lake: Lake, days: Days) -> pl.DataFrame:
    # A local day begins up to a day before, and ends up to a day after, that of UTC.
    first, last = f"{days.first - 2 * DAY:%Y-%m}", f"{days.last + DAY:%Y-%m}"
    rows = lake.read(FORECASTS, [part for part in lake.parts(FORECASTS) if first <= part <= last])
    rules = settings.rules(rows["station_id"].unique())
    return rows.filter(daily.day_of(rules.zones).is_between(days.first, days.last))


def _of(rows: pl.DataFrame, stations: Collection[int]) -> pl.DataFrame:
    if not stations:
        return rows
    for nobody in sorted(set(stations) - set(rows["station_id"])):
        log.warning("there is nothing of station %s in this table", nobody)
    return rows.filter(pl.col("station_id").is_in(list(stations)))
