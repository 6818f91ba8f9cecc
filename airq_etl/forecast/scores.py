"""How forecasts turned out: error, skill against persistence, pinball loss and coverage, a row a series."""

import polars as pl

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
    raise NotImplementedError
