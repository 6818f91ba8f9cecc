"""What is usual at an hour of the day: the median of that hour over the two weeks before, and its spread.

Both are rolling medians of no more than fourteen values. Of many rows they are taken in one go: the hours of each
station are laid on a grid without gaps, where the same hour of the days before lies 24, 48, ... places back, and a
sorting network orders the fourteen, thousands of hours at a time. Of few rows polars takes them one by one, which
needs no numpy and says the same to the last bit.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

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
AT_ONCE = 1 << 12


def add(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Rows sorted by `station_id` and `hour`, with what is usual of each value column in `names`.

    For `co` these are `co/usual`, the median over the days before of the same hour (UTC) of the day, `co/away`, how
    far the value is from it, and `co/spread`, how far it was on the days before, as a standard deviation. All are null
    where fewer than seven of the days have what they are made of.
    """
    places = places_of(frame) if frame.height >= MANY else None
    if places is None or places[-1] > SPARSE * frame.height:
        return by_window(frame, names)
    return by_grid(frame, names, places)


def by_window(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """As `add`, value by value."""
    frame = frame.with_columns(_median(pl.col(name)).alias(f"{name}/usual") for name in names)
    frame = frame.with_columns((pl.col(name) - pl.col(f"{name}/usual")).alias(f"{name}/away") for name in names)
    # Step by step: an expression that stands twice in another one is computed twice.
    return frame.with_columns(
        (MAD_TO_SIGMA * _median(pl.col(f"{name}/away").abs())).alias(f"{name}/spread") for name in names
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


def by_grid(frame: pl.DataFrame, names: Sequence[str], places: pl.Series) -> pl.DataFrame:
    """As `add`, of rows that have `places`, thousands at a time."""
    import numpy as np

    where = places.to_numpy()
    columns: dict[str, Values] = {}
    for name in names:
        grid = np.full(where[-1] + 1, np.nan)
        grid[where] = frame[name].to_numpy()
        usual = _medians(grid)
        away = grid - usual
        columns[f"{name}/usual"], columns[f"{name}/away"] = usual[where], away[where]
        columns[f"{name}/spread"] = MAD_TO_SIGMA * _medians(np.abs(away))[where]
    return frame.with_columns(pl.Series(name, values, nan_to_null=True) for name, values in columns.items())


def _medians(grid: "Values") -> "Values":
    """For each place the median of those 1 to 14 days back, NaN where fewer than seven have a value."""
    import numpy as np

    medians, known = np.full_like(grid, np.nan), ~np.isnan(grid)
    # What has no value goes to the end.
    filled, known_8 = np.where(known, grid, np.inf), known.view(np.int8)
    for begin in range(DAYS * DAY_H, len(grid), AT_ONCE):
        end = min(begin + AT_ONCE, len(grid))
        days = [slice(begin - back, end - back) for back in range(DAY_H, DAYS * DAY_H + 1, DAY_H)]
        ordered = _ordered([filled[day].copy() for day in days])
        count = np.sum([known_8[day] for day in days], axis=0, dtype=np.int8)
        for each in range(max(count.min(), FEWEST), count.max() + 1):
            low, high = ordered[(each - 1) // 2], ordered[each // 2]
            with np.errstate(invalid="ignore"):
                # As polars has it, to the last bit.
                middle = low + (high - low) * 0.5
            np.copyto(medians[begin:end], middle, where=count == each)
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
