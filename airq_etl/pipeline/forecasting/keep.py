"""The tables of forecasts in the data directory: what is new is added, and what has come is put beside it.

A file is replaced only where it changes. Killed anywhere, this loses no more than the next run makes again: what
has come is found by looking, not remembered.
"""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from airq_etl import quality
from airq_etl.forecast import table
from airq_etl.lake import FORECASTS, MODELS
from airq_etl.pipeline.days import hours_around
from airq_etl.pipeline.job import Job

MONTH = pl.col("origin").dt.strftime("%Y-%m")
STATIONS_AT_ONCE = 100


class Kept(NamedTuple):
    """How many forecasts are new, and of how many the hour has come since."""

    made: int
    scored: int


def keep(work: Job, made: pl.DataFrame, models: pl.DataFrame) -> Kept:
    """Add forecasts (rows of `table.SCHEMA`) and news of who serves (`table.MODEL_SCHEMA`), and fill in what came.

    A forecast, or a piece of news, that is known stays as it is.
    """
    for (year,), of_year in models.group_by(pl.col("since").dt.strftime("%Y").alias("part")):
        _add_models(work, str(year), of_year)
    kept = [_keep_month(work, part, made.filter(part == MONTH)) for part in _parts(work, made)]
    return Kept(sum(of_month.made for of_month in kept), sum(of_month.scored for of_month in kept))


def _add_models(work: Job, part: str, models: pl.DataFrame) -> None:
    known = work.lake.read(MODELS, [part])
    new = table.fresh(models, known, table.MODEL_KEY)
    if not new.is_empty():
        work.lake.write(MODELS, part, pl.concat([known, new]))


def _parts(work: Job, made: pl.DataFrame) -> list[str]:
    """The files that new forecasts go into, and those of forecasts that are still looked at."""
    first, last = (f"{time:%Y-%m}" for time in (work.now - table.REACH, work.now))
    recent = {part for part in work.lake.parts(FORECASTS) if first <= part <= last}
    return sorted(recent | set(made.select(MONTH).to_series()))


def _keep_month(work: Job, part: str, made: pl.DataFrame) -> Kept:
    known = work.lake.read(FORECASTS, [part])
    new = table.fresh(made, known, table.KEY)
    rows = table.combine([known, new])
    observed = pl.concat(_observed(work, some) for some in _portions(rows))
    if not observed.equals(known):
        work.lake.write(FORECASTS, part, observed)
    came = rows["observed"].is_null() & observed["observed"].is_not_null()
    return Kept(new.height, int(came.sum()))


def _portions(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows, in their order, some stations at a time: to judge all hours of thousands takes gigabytes."""
    stations = rows["station_id"].unique().sort()
    for some in stations.to_frame().iter_slices(STATIONS_AT_ONCE):
        yield rows.filter(pl.col("station_id").is_between(some.item(0, 0), some.item(-1, 0)))


def _observed(work: Job, rows: pl.DataFrame) -> pl.DataFrame:
    """The forecasts with what came; the hours are read only where one is due."""
    due = rows.filter(table.due(work.now)).select("station_id", day=pl.col("hour").dt.date()).unique()
    if due.is_empty():
        return rows
    rules = work.rules(due["station_id"].unique())
    return table.observe(rows, quality.judge(hours_around(work.lake, due), rules.in_service), work.now)
