"""Work on thousands of stations, some of them at a time, so that memory does not grow with their number.

To judge an hour takes several times the memory that it lies in, and what is asked of a year may be millions of hours.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import polars as pl

from airq_etl import quality
from airq_etl.changes import Change

if TYPE_CHECKING:
    from concurrent.futures import Future

P = TypeVar("P")
R = TypeVar("R")

ROWS_AT_ONCE = 150_000
TOGETHER = 2
HOURS_OF_A_DAY = 24
DAY = timedelta(days=1)
AROUND = quality.BEFORE + quality.AFTER + 3 * DAY
"""Of a stretch of days, the hours beside them that are read as well."""


class Portion(NamedTuple):
    """The stations from one id to another, both included; all ids lie in one of the portions."""

    first: int
    last: int

    def has(self) -> pl.Expr:
        """Whether a row is of one of its stations."""
        return pl.col("station_id").is_between(self.first, self.last)


LEAST, MOST = -(1 << 63), (1 << 63) - 1


def portions(*rows: Mapping[int, int], at_once: int = ROWS_AT_ONCE) -> list[Portion]:
    """Portions in the order of the ids, of so many rows at most where a single station has no more.

    `rows` say how many rows each station has in what is worked on.
    """
    found, first, size = list[Portion](), LEAST, 0
    for station_id in sorted({station_id for counts in rows for station_id in counts}):
        more = sum(counts.get(station_id, 0) for counts in rows)
        if size and size + more > at_once:
            found.append(Portion(first, station_id - 1))
            first, size = station_id, 0
        size += more
    return [*found, Portion(first, MOST)]


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


def two_at_a_time(compute: Callable[[P], R], of: Sequence[P]) -> Iterator[R]:
    """What `compute` makes of each, in their order: one is read while another is computed."""
    if len(of) < TOGETHER:
        yield from map(compute, of)
        return
    # Not needed for the stations of an hour.
    from concurrent.futures import ThreadPoolExecutor

    pool, waiting = ThreadPoolExecutor(TOGETHER), deque["Future[R]"]()
    try:
        for one in of:
            waiting.append(pool.submit(compute, one))
            if len(waiting) > TOGETHER:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def frame_of(changes: Iterable[Change]) -> pl.DataFrame:
    """Days of stations as a frame (`station_id`, `day`)."""
    return pl.DataFrame(list(changes), schema={"station_id": pl.Int64, "day": pl.Date}, orient="row")
