"""Hours laid out without gaps: what every model works on, and nothing that it may not know.

A value is there where its hour is complete, in service and not flagged bad, and is NaN otherwise: the provisional
hour is no value. Concentrations are as reported, in the sensor's unit.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from airq_etl.hourly import TIME
from airq_etl.quality import good
from airq_etl.sensors import CORE_COLUMNS
from airq_etl.windows import HOUR

INPUTS = tuple(name for name in CORE_COLUMNS if name != "internal_temperature")

Values = NDArray[np.floating[Any]]
Places = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]


class Grid(NamedTuple):
    """The values of some stations, an array of `length` a station and sensor; its first hour is `start` (aware UTC).

    `offset` says how many hours a station's clocks are ahead of UTC, for its days of the week.
    """

    start: datetime
    length: int
    values: Mapping[tuple[int, str], Values]
    offset: Mapping[int, int]

    def place(self, hour: datetime) -> int:
        """Where an hour stands; beyond the grid it is negative, or `length` and more."""
        return (hour - self.start) // HOUR

    def hour(self, index: int) -> datetime:
        """The hour that stands at an index (aware UTC, by its start)."""
        return self.start + index * HOUR

    def stations(self) -> list[int]:
        """The stations that have hours."""
        return sorted({station for station, _ in self.values})

    def until(self, length: int) -> "Grid":
        """The same as it was when only its first hours were known."""
        cut = {key: array[:length] for key, array in self.values.items()}
        return self._replace(length=min(length, self.length), values=cut)


def lay_out(
    hours: pl.DataFrame, last: datetime, in_service: Mapping[int, datetime], offset: Mapping[int, int] | None = None
) -> Grid:
    """The grid of rows of the hourly table, from the midnight (UTC) before the first of them to `last`.

    `in_service` says since when (aware UTC) a station serves, where that is known.
    """
    served = pl.col("station_id").replace_strict(dict(in_service) or {0: None}, default=None, return_dtype=TIME)
    known = hours.filter(
        ~pl.col("provisional"), pl.col("hour") <= last, (pl.col("hour") >= served).fill_null(value=True)
    )
    first: datetime = known["hour"].min() or last  # type: ignore[assignment]  # of a column of times
    start = first.replace(hour=0)
    length = (last - start) // HOUR + 1
    return Grid(start, length, dict(_columns(known, start, length)), offset or {})


def _columns(hours: pl.DataFrame, start: datetime, length: int) -> Iterable[tuple[tuple[int, str], Values]]:
    names = [name for name in INPUTS if name in hours.columns]
    rows = hours.select("station_id", (pl.col("hour") - start).dt.total_hours().alias("at"), *map(good, names))
    for (station_id,), own in rows.group_by("station_id", maintain_order=True):
        at = own["at"].to_numpy()
        for name in names:
            array = np.full(length, np.nan)
            array[at] = own[name].fill_null(float("nan")).to_numpy()
            if np.isfinite(array).any():
                yield (int(station_id), name), array
