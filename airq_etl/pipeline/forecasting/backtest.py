"""What forecasts of past days would have been, hour by hour, and how they would have done beside simple rivals."""

import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

import numpy as np
import polars as pl

from airq_etl.errors import UsageError
from airq_etl.forecast import POLLUTANTS
from airq_etl.forecast.backtest import SERVED, Replayed, replay
from airq_etl.forecast.fitted import MEDIAN
from airq_etl.forecast.gate import evidence, pinball
from airq_etl.forecast.grid import Grid, Values
from airq_etl.forecast.outlook import Backtest, BacktestScore
from airq_etl.forecast.rolling import DAY
from airq_etl.forecast.sight import Series
from airq_etl.forecast.standing import FIT_BACK
from airq_etl.forecast.track import Track
from airq_etl.pipeline.forecasting.make import parts, read_grid, seen_by
from airq_etl.pipeline.output import write_whole
from airq_etl.sensors import BY_COLUMN
from airq_etl.settings import Settings
from airq_etl.windows import HOUR, Days

SCHEMA = {
    "origin": pl.String(),
    "target_time": pl.String(),
    "station": pl.Int64(),
    "pollutant": pl.String(),
    "horizon": pl.Int64(),
    **dict.fromkeys(("mean", "lo80", "hi80", "lo95", "hi95"), pl.Float64()),
}
"""Of the file: `mean` is the median, in the sensor's unit; `origin` the last hour known, `pollutant` the API's key."""
WRITTEN = {"mean": 2, "lo80": 1, "hi80": 3, "lo95": 0, "hi95": 4}


def run_backtest(  # noqa: PLR0913 -- what a backtest is of
    settings: Settings,
    days: Days,
    stations: Collection[int],
    horizon: int,
    output: Path | None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Forecast from every hour of some days (UTC) once more, as if nothing were known that came later.

    `stations` are all where empty. The forecasts go to `output` as CSV, where it is given. `progress` is told how
    many series of how many are done. UsageError where there are no hours in these days.
    """
    began = time.monotonic()
    frames: list[pl.DataFrame] = []
    scores: list[BacktestScore] = []
    chosen = sorted(set(stations or settings.stations))
    count = len(chosen) * len(POLLUTANTS) * horizon
    for done, (grid, series, replayed) in enumerate(_replays(settings, chosen, days, horizon), start=1):
        frames.append(_rows(grid, series, replayed))
        scores += _scores(series, replayed)
        if progress is not None:
            progress(min(done, count), count)
    if not frames:
        raise UsageError(
            f"there are no hours from {days.first} to {days.last} to forecast; see --start-date, --station"
        )
    rows = pl.concat(frames).sort("origin", "station", "pollutant", "horizon", maintain_order=True)
    if output is not None:
        write_whole(output, [rows.write_csv().encode()])
    told = None if output is None else str(output)
    return Backtest(rows=rows.height, output=told, seconds=round(time.monotonic() - began, 1), scores=scores)


def _replays(
    settings: Settings, stations: list[int], days: Days, horizon: int
) -> Iterator[tuple[Grid, Series, Replayed]]:
    first = datetime.combine(days.first, clock_time(), UTC)
    last = datetime.combine(days.last, clock_time(), UTC) + DAY * HOUR - HOUR
    until = min(last + horizon * HOUR, settings.clock().replace(minute=0, second=0, microsecond=0) - HOUR)
    for part in parts(settings, stations):
        grid = read_grid(settings, part.seen, first - timedelta(days=FIT_BACK), until)
        for station_id in part.stations:
            own = seen_by(grid, part, station_id)
            for sensor in POLLUTANTS:
                if not _has_hours(own, station_id, sensor, first, last):
                    continue
                for ahead in range(1, horizon + 1):
                    series = Series(station_id, sensor, ahead)
                    yield own, series, replay(own, series, own.place(first), own.place(last))


def _has_hours(grid: Grid, station_id: int, sensor: str, first: datetime, last: datetime) -> bool:
    values = grid.values.get((station_id, sensor))
    if values is None:
        return False
    return bool(np.isfinite(values[max(grid.place(first), 0) : max(grid.place(last) + 1, 0)]).any())


def _rows(grid: Grid, series: Series, replayed: Replayed) -> pl.DataFrame:
    """The forecasts that were served, as rows of the file."""
    there = np.isfinite(replayed.served[:, MEDIAN])
    start = grid.start.replace(tzinfo=None)
    origins = [start + int(at) * HOUR for at in replayed.origins[there]]
    served = replayed.served[there]
    frame = pl.DataFrame({"at": origins}, schema={"at": pl.Datetime("us")})
    return frame.select(
        origin=_hour(pl.col("at")),
        target_time=_hour(pl.col("at").dt.offset_by(f"{series.horizon}h")),
        station=pl.lit(series.station_id, pl.Int64),
        pollutant=pl.lit(BY_COLUMN[series.sensor].key),
        horizon=pl.lit(series.horizon, pl.Int64),
        **{name: pl.Series(np.round(served[:, at], 6)) for name, at in WRITTEN.items()},
    )


def _hour(time_: pl.Expr) -> pl.Expr:
    return time_.dt.strftime("%Y-%m-%d %H:00:00")


def _scores(series: Series, replayed: Replayed) -> Iterator[BacktestScore]:
    """What was served, and each rival: its share of the hours that came, and its errors over those of all of them."""
    models = {SERVED: replayed.served, **replayed.rivals}
    came = np.isfinite(replayed.observed)
    known = {model: came & np.isfinite(quantiles[:, MEDIAN]) for model, quantiles in models.items()}
    common = np.all([answered for answered in known.values() if answered.any()] or [came], axis=0)
    for model, quantiles in models.items():
        share = 100 * float(known[model].sum()) / max(float(came.sum()), 1.0)
        yield _score(series, model, replayed, np.where(common[:, None], quantiles, np.nan), (int(came.sum()), share))


def _score(
    series: Series, model: str, replayed: Replayed, quantiles: Values, answered: tuple[int, float]
) -> BacktestScore:
    track = Track(model, int(replayed.origins[0]), quantiles, replayed.observed, replayed.persistence).scored()
    found = evidence(track)
    bounded = bool(found.hours) and bool(np.isfinite(track.quantiles).all())
    return BacktestScore(
        **series._asdict(),
        model=model,
        hours=answered[0],
        answered=answered[1],
        mae=float(np.abs(track.observed - track.quantiles[:, MEDIAN]).mean()) if found.hours else None,
        skill=found.skill,
        pinball=float(pinball(track.observed, track.quantiles).mean()) if bounded else None,
        coverage80=found.coverage80 if bounded else None,
        coverage95=found.coverage95 if bounded else None,
    )
