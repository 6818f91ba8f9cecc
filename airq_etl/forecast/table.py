"""The tables of forecasts: what was forecast, how it turned out, and which model served since when.

A forecast is made at its `origin`, the last hour that had ended, for `hour`, which begins `horizon` hours later
(aware UTC, named by their start). It is made once: a later run of the same hour, or a better model, leaves it as
it was. `observed` is what then came, null until the hour is complete.
"""

from collections.abc import Iterable

import polars as pl

from airq_etl.forecast import QUANTILES
from airq_etl.hourly import TIME

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


def combine(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Frames of the table below each other, sorted; of a forecast made twice the one made first."""
    rows = pl.concat([empty(), *frames]).sort(*KEY, "made_at", maintain_order=True)
    return rows.unique(KEY, keep="first", maintain_order=True)
