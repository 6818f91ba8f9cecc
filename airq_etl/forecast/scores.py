"""How forecasts turned out: error, skill against persistence, pinball loss and coverage, a row a series."""

from functools import reduce
from operator import add

import polars as pl

from airq_etl.forecast import LEVELS, QUANTILES

SCORE_KEY = ("station_id", "sensor", "horizon", "model")
SCORE_SCHEMA: dict[str, pl.DataType] = {
    "station_id": pl.Int64(),
    "sensor": pl.String(),
    "horizon": pl.Int64(),
    "model": pl.String(),
    "hours": pl.Int64(),
    "mae": pl.Float64(),
    "persistence_mae": pl.Float64(),
    "skill": pl.Float64(),
    "pinball": pl.Float64(),
    "coverage80": pl.Float64(),
    "coverage95": pl.Float64(),
}


def scores(forecasts: pl.DataFrame) -> pl.DataFrame:
    """One row a station, sensor, horizon and model over the rows (see `table.SCHEMA`) that have an `observed` value.

    `mae` and `pinball` (its mean over the five quantiles) are in the sensor's unit; `skill` is 100 (1 - mae /
    persistence_mae), null where persistence made no error; the coverages are per cent of hours within the bounds.
    """
    mae, persistence_mae = pl.col("mae"), pl.col("persistence_mae")
    return (
        forecasts.drop_nulls("observed")
        .group_by(SCORE_KEY)
        .agg(
            hours=pl.len().cast(pl.Int64),
            mae=_error("median"),
            persistence_mae=_error("persistence"),
            # In one order: in which polars sums columns up differs with the number of its threads.
            pinball=reduce(add, map(_loss, QUANTILES, LEVELS)) / len(LEVELS),
            coverage80=_coverage("lo80", "hi80"),
            coverage95=_coverage("lo95", "hi95"),
        )
        .with_columns(skill=pl.when(persistence_mae > 0).then(100 * (1 - mae / persistence_mae)))
        .select(SCORE_SCHEMA.keys())
        .sort(SCORE_KEY)
    )


def _error(name: str) -> pl.Expr:
    return (pl.col("observed") - pl.col(name)).abs().mean()


def _loss(name: str, level: float) -> pl.Expr:
    """The pinball loss of a quantile: an hour above it costs `level` a unit, one below it the rest."""
    above = pl.col("observed") - pl.col(name)
    return pl.max_horizontal(level * above, (level - 1) * above).mean()


def _coverage(low: str, high: str) -> pl.Expr:
    return 100 * pl.col("observed").is_between(pl.col(low), pl.col(high)).mean()
