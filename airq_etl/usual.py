"""What is usual at an hour of the day: the median of that hour over the two weeks before, and its spread.

Both are rolling medians of no more than fourteen values, and they are wanted of few rows: of those alone that are
worth the question. Of many rows the hours of each station are laid on a grid without gaps, where the same hour of the
days before lies 24, 48, ... places back, and the fourteen of each row that is asked for are sorted. In a small frame
polars takes the medians of all rows one by one, which needs no numpy and says the same to the last bit.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Places = NDArray[np.int64]

DAYS = 14
"""Long enough for a median, short for the season."""
FEWEST = 7
MAD_TO_SIGMA = 1.4826
"""Of a normal distribution: its standard deviation, by the median absolute deviation."""

DAY_H = 24
MANY = 5_000
"""Rows from which the grid is quicker, what numpy takes to load included."""
SPARSE = 4
"""Places of the grid a row from which it is not."""
AT_ONCE = 1 << 13
_BACK = range(DAY_H, DAYS * DAY_H + 1, DAY_H)


def add(frame: pl.DataFrame, names: Sequence[str], still_asked: Sequence[pl.Expr] = ()) -> pl.DataFrame:
    """Rows sorted by `station_id` and `hour`, with how far values are from what is usual, and how far they were.

    For `co`, where `co/asked` is true, `co/away` is the value less the median of the same hour (UTC) of the fourteen
    days before, and `co/spread` the median of how far those days' values were from what was usual then, as a standard
    deviation. `still_asked` gives `co/asked` anew for the latter, once `co/away` is known. Null where fewer than seven
    of the days have what they are made of; for rows that are not asked for they may be.
    """
    places = places_of(frame) if frame.height >= MANY else None
    if places is not None and places[-1] > SPARSE * frame.height:
        places = None
    frame = _added(frame, names, places, AWAY).with_columns(still_asked)
    return _added(frame, names, places, SPREAD)


class _What(NamedTuple):
    """What is added, and both ways to it: of all rows by windows, of some places of a grid."""

    word: str
    by_window: Callable[[str], pl.Expr]
    by_grid: Callable[["Values", "Places"], "Values"]


def _added(frame: pl.DataFrame, names: Sequence[str], places: pl.Series | None, what: _What) -> pl.DataFrame:
    wanted = [name for name in names if frame[f"{name}/asked"].any()]
    frame = frame.with_columns(pl.lit(None, pl.Float64).alias(f"{name}/{what.word}") for name in names)
    if places is None:
        return frame.with_columns(what.by_window(name).alias(f"{name}/{what.word}") for name in wanted)
    return frame.with_columns(
        laid_out(frame, name, places, what.by_grid).alias(f"{name}/{what.word}") for name in wanted
    )


def _median(value: pl.Expr) -> pl.Expr:
    median = value.rolling_median_by("hour", timedelta(days=DAYS), closed="left", min_samples=FEWEST)
    return median.over("station_id", pl.col("hour").dt.hour())


def places_of(frame: pl.DataFrame) -> pl.Series | None:
    """Where each row lies on the grid: hours since the first of its station, behind the stations before it.

    Each station has two weeks of nothing before its first hour. None where rows are not on the hour, or stand twice.
    """
    starts = (pl.col("station_id") != pl.col("station_id").shift(1)).fill_null(value=True)
    since = (pl.col("hour") - pl.col("hour").first().over("station_id")).dt.total_hours()
    begins = frame.select(since=since, starts=starts)
    room = pl.when("starts").then(DAYS * DAY_H + 1 + pl.col("since").shift(1, fill_value=-1)).otherwise(0)
    places = begins.select(room.cum_sum() + pl.col("since")).to_series()
    on_the_hour = (frame["hour"] == frame["hour"].dt.truncate("1h")).all()
    return places if on_the_hour and (places.diff().drop_nulls() > 0).all() else None


def laid_out(
    frame: pl.DataFrame, name: str, places: pl.Series, of: Callable[["Values", "Places"], "Values"]
) -> pl.Series:
    """What `of` says of the places that are asked for, on the grid of a column; null for all other rows."""
    import numpy as np

    where, asked = places.to_numpy(), frame[f"{name}/asked"].fill_null(value=False).to_numpy()
    grid = np.full(where[-1] + 1, np.nan)
    grid[where] = frame[name].to_numpy()
    found = np.full(frame.height, np.nan)
    found[asked] = of(grid, where[asked])
    return pl.Series(found, nan_to_null=True)


def _away_by_grid(grid: "Values", places: "Places") -> "Values":
    return grid[places] - _medians(grid, places)


def _spread_by_grid(grid: "Values", places: "Places") -> "Values":
    import numpy as np

    wanted = np.zeros(len(grid), dtype=bool)
    for back in _BACK:
        wanted[places - back] = True
    (days,) = np.nonzero(wanted & ~np.isnan(grid))
    away = np.full_like(grid, np.nan)
    away[days] = np.abs(_away_by_grid(grid, days))
    return MAD_TO_SIGMA * _medians(away, places)


AWAY = _What("away", lambda name: pl.col(name) - _median(pl.col(name)), _away_by_grid)
SPREAD = _What("spread", lambda name: MAD_TO_SIGMA * _median(pl.col(f"{name}/away").abs()), _spread_by_grid)


def _medians(grid: "Values", places: "Places") -> "Values":
    """For each place the median of those 1 to 14 days back, NaN where fewer than seven have a value."""
    import numpy as np

    medians = np.full(len(places), np.nan)
    for begin in range(0, len(places), AT_ONCE):
        some = places[begin : begin + AT_ONCE]
        columns = [grid[some - back] for back in _BACK]
        missing = [np.isnan(column) for column in columns]
        count = DAYS - np.sum(missing, axis=0, dtype=np.int8)
        # What has no value goes to the end.
        for column, lacks in zip(columns, missing, strict=True):
            column[lacks] = np.inf
        ordered = _ordered(columns)
        for each in range(max(count.min(), FEWEST), count.max() + 1):
            low, high = ordered[(each - 1) // 2], ordered[each // 2]
            with np.errstate(invalid="ignore"):
                # As polars has it, to the last bit.
                middle = low + (high - low) * 0.5
            np.copyto(medians[begin : begin + len(some)], middle, where=count == each)
    return medians


def _ordered(columns: "list[Values]") -> "list[Values]":
    """As many columns as there are days, with the middle ones of each row in their places, as if it were in order."""
    import numpy as np

    spare = np.empty_like(columns[0])
    for low, high in network():
        np.minimum(columns[low], columns[high], out=spare)
        np.maximum(columns[low], columns[high], out=columns[high])
        columns[low], spare = spare, columns[low]
    return columns


@cache
def network() -> tuple[tuple[int, int], ...]:
    """Pairs of columns that, put in order one after the other, bring the middle ones to their places.

    Batcher's odd-even merge sort (Knuth, The Art of Computer Programming, 5.2.2, algorithm M), for the next power of
    two, without the columns that there are not (these would hold the largest values), and from its end without what
    only orders columns that no median is made of.
    """
    middle, pairs = set(range((FEWEST - 1) // 2, DAYS // 2 + 1)), list[tuple[int, int]]()
    for pair in reversed([*_merge_exchange(1 << (DAYS - 1).bit_length())]):
        if max(pair) < DAYS and not middle.isdisjoint(pair):
            middle.update(pair)
            pairs.append(pair)
    return tuple(reversed(pairs))


def _merge_exchange(count: int) -> Iterator[tuple[int, int]]:
    p = count // 2
    while p:
        q, r, d = count // 2, 0, p
        while True:
            yield from ((i, i + d) for i in range(count - d) if i & p == r)
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2
