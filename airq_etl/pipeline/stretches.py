"""Days of stations, and which of them are best read together: what a whole month has is not read for one day."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import polars as pl

from airq_etl import quality
from airq_etl.changes import Change

HOURS_OF_A_DAY = 24
DAY = timedelta(days=1)
AROUND = quality.BEFORE + quality.AFTER + 3 * DAY
"""Of a stretch of days, the hours beside them that are read as well."""


def stretches(days: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Days (`station_id`, `day`) in parts whose hours are best read together: of months in a row.

    Days of a station that lie farther apart than what is read around them stand in parts of their own.
    """
    if days.is_empty():
        return
    begins = (pl.col("day").diff() > AROUND).fill_null(value=False).over("station_id")
    month = pl.col("day").dt.truncate("1mo")
    bounds = days.sort("station_id", "day").with_columns(run=begins.cum_sum().over("station_id"))
    marked = bounds.with_columns(
        from_=month.min().over("station_id", "run"), until=month.max().over("station_id", "run")
    )
    for _, some in marked.group_by("from_", "until", maintain_order=True):
        yield some.select("station_id", "day")


def hours_under(days: pl.DataFrame) -> dict[int, int]:
    """About how many hours each station has under and around its days (`station_id`, `day`)."""
    day = pl.col("day")
    span = ((day.max() - day.min()) + AROUND).dt.total_days()
    apart = pl.len() * (AROUND // DAY + 1)
    counts = days.group_by("station_id").agg(hours=pl.min_horizontal(span, apart) * HOURS_OF_A_DAY)
    return dict(counts.iter_rows())


def frame_of(changes: Iterable[Change]) -> pl.DataFrame:
    """Days of stations as a frame (`station_id`, `day`)."""
    return pl.DataFrame(list(changes), schema={"station_id": pl.Int64, "day": pl.Date}, orient="row")
