"""Work on thousands of stations, some of them at a time, so that memory does not grow with their number.

To judge an hour takes several times the memory that it lies in, and what is asked of a year may be millions of hours.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import polars as pl

if TYPE_CHECKING:
    from concurrent.futures import Future

P = TypeVar("P")
R = TypeVar("R")

ROWS_AT_ONCE = 150_000
TOGETHER = 2


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
