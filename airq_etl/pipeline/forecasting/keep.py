"""The tables of forecasts in the data directory: what is new is added, and what has come is put beside it.

A file is replaced only where it changes. Killed anywhere, this loses no more than the next run makes again: what
has come is found by looking, not remembered.
"""

from typing import NamedTuple

import polars as pl

from airq_etl.forecast import table
from airq_etl.hourly import TIME
from airq_etl.lake import FORECASTS, HOURLY, MODELS
from airq_etl.pieces import Pieces
from airq_etl.pipeline.job import Job
from airq_etl.portions import portions

MONTH = pl.col("origin").dt.strftime("%Y-%m")
FORECASTS_AT_ONCE = 200_000


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
    """Some stations at a time: a month of thousands is millions of forecasts."""
    counts = work.lake.count(FORECASTS, [part]), dict(made.group_by("station_id").len().iter_rows())
    pieces, kept, changed = Pieces(work.lake, FORECASTS, part), Kept(0, 0), False
    try:
        for portion in portions(*counts, at_once=FORECASTS_AT_ONCE):
            known = work.lake.read(FORECASTS, [part], portion.has())
            new = table.fresh(made.filter(portion.has()), known, table.KEY)
            rows = table.combine([known, new])
            observed = _observed(work, rows)
            came = rows["observed"].is_null() & observed["observed"].is_not_null()
            kept = Kept(kept.made + new.height, kept.scored + int(came.sum()))
            changed = changed or not observed.equals(known)
            if observed.height:
                pieces.add(observed)
        if changed:
            pieces.write(lambda rows: rows)
    finally:
        pieces.discard()
    return kept


def _observed(work: Job, rows: pl.DataFrame) -> pl.DataFrame:
    """The forecasts with what came; the hours are read only where one is due."""
    due = rows.filter(table.due(work.now)).select("station_id", day=pl.col("hour").dt.date()).unique()
    if due.is_empty():
        return rows
    stations = due["station_id"].unique()
    first, last = due.select(pl.col("day").min().cast(TIME), pl.col("day").max().alias("last").cast(TIME)).row(0)
    parts = [part for part in work.lake.parts(HOURLY) if f"{first:%Y-%m}" <= part <= f"{last:%Y-%m}"]
    near = pl.col("station_id").is_between(stations.min(), stations.max()) & pl.col("hour").is_between(first, work.now)
    return table.observe(rows, work.lake.read(HOURLY, parts, near), work.now, work.rules(stations).in_service)
