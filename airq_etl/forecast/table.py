"""The tables of forecasts: what was forecast, how it turned out, and which model served since when.

A forecast is made at its `origin`, the last hour that had ended, for `hour`, which begins `horizon` hours later
(aware UTC, named by their start). It is made once: a later run of the same hour, or a better model, leaves it as
it was. `observed` is what then came, null until the hour is complete.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import polars as pl

from airq_etl.forecast import LONGEST, QUANTILES
from airq_etl.hourly import TIME
from airq_etl.quality import good, idle
from airq_etl.windows import HOUR

LOOKED_BACK = timedelta(days=45)
"""So long after its hour a forecast follows what the source revises; what comes later, a year's rewriting, it does
not: scores that were told stay as they were."""
REACH = LOOKED_BACK + LONGEST * HOUR
"""A row's `updated_at` is never longer than this after its `origin`, but for the hours that a run takes."""

NO_TIMES: Mapping[int, datetime] = MappingProxyType({})
KEY = ("station_id", "sensor", "origin", "horizon")
SCHEMA: dict[str, pl.DataType] = {
    "station_id": pl.Int64(),
    "sensor": pl.String(),
    "origin": TIME,
    "horizon": pl.Int64(),
    "hour": TIME,
    **{name: pl.Float64() for name in QUANTILES},
    "persistence": pl.Float64(),
    "model": pl.String(),
    "trained_through": TIME,
    "made_at": TIME,
    "observed": pl.Float64(),
    "updated_at": TIME,
}
MODEL_KEY = ("station_id", "sensor", "horizon", "since")
MODEL_SCHEMA: dict[str, pl.DataType] = {
    "station_id": pl.Int64(),
    "sensor": pl.String(),
    "horizon": pl.Int64(),
    "since": TIME,
    "model": pl.String(),
    "before": pl.String(),
    "reason": pl.String(),
    "hours": pl.Int64(),
    "skill": pl.Float64(),
    "gain": pl.Float64(),
    "gain_low": pl.Float64(),
    "pinball": pl.Float64(),
    "coverage80": pl.Float64(),
    "coverage95": pl.Float64(),
}


def empty() -> pl.DataFrame:
    """The table of forecasts with no rows."""
    return pl.DataFrame(schema=SCHEMA)


def no_models() -> pl.DataFrame:
    """The history of models with no rows."""
    return pl.DataFrame(schema=MODEL_SCHEMA)


def combine(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Frames of the table below each other, sorted; of a forecast made twice the one made first."""
    rows = pl.concat([empty(), *frames]).sort(*KEY, "made_at", maintain_order=True)
    return rows.unique(KEY, keep="first", maintain_order=True)


def fresh(rows: pl.DataFrame, known: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    """Those of `rows` that are not `known`, each once: what was said stays said."""
    return rows.unique(key, keep="first", maintain_order=True).join(known, on=key, how="anti", maintain_order="left")


def due(now: datetime) -> pl.Expr:
    """Whether the hour of a forecast has ended, and not so long ago that it is no longer looked at."""
    return pl.col("hour").is_between(now - LOOKED_BACK, now - HOUR)


def observe(
    forecasts: pl.DataFrame, hours: pl.DataFrame, now: datetime, in_service: Mapping[int, datetime] = NO_TIMES
) -> pl.DataFrame:
    """The forecasts, in their order, with what came of those that are due: `observed`, and where that is news `now`.

    `hours` are rows of the hourly table, `in_service` says since when (aware UTC) a station serves. An hour that is
    provisional, has no value, or a bad one, has not come: its forecast is null (again, where the source took the
    value back).
    """
    came = pl.concat([_no_values(), *_values(hours, in_service, forecasts["sensor"].unique())])
    beside = forecasts.join(came, on=["station_id", "hour", "sensor"], how="left", maintain_order="left")
    is_news = due(now) & pl.col("came").ne_missing(pl.col("observed"))
    # A replay (`--now`) must not make a row look older than what a store has of it.
    when = pl.max_horizontal("updated_at", pl.lit(now, dtype=TIME))
    return beside.with_columns(
        observed=pl.when(is_news).then("came").otherwise("observed"),
        updated_at=pl.when(is_news).then(when).otherwise("updated_at"),
    ).drop("came")


def _no_values() -> pl.DataFrame:
    return pl.DataFrame(schema={"station_id": pl.Int64, "hour": TIME, "sensor": pl.String, "came": pl.Float64})


def _values(hours: pl.DataFrame, in_service: Mapping[int, datetime], sensors: Iterable[str]) -> Iterator[pl.DataFrame]:
    """What came, a frame a sensor: what is bad (see `quality`) is so by its own hour, so that none has to be judged."""
    complete = hours.with_columns(idle(in_service)).filter(~pl.col("provisional"), ~pl.col("/idle"))
    for name in sensors:
        if name in complete.columns:
            yield complete.select("station_id", "hour", sensor=pl.lit(name), came=good(name)).drop_nulls("came")
