"""A series on a grid, as its models see it."""

from typing import NamedTuple

import numpy as np

from airq_etl.forecast.features import Seen, Situation, situation
from airq_etl.forecast.grid import Grid, Places, Values


class Series(NamedTuple):
    """Whose hours, and how far ahead."""

    station_id: int
    sensor: str
    horizon: int


class Sight:
    """The situations of a series at all hours of a grid, made when they are asked for, and its values.

    Series of the same grid may share what they have `seen`.
    """

    def __init__(self, grid: Grid, series: Series, seen: Seen | None = None) -> None:
        self.grid = grid
        self._seen = {} if seen is None else seen
        self.series = series
        self.values: Values = grid.values[series.station_id, series.sensor]
        self._situations: dict[float, Situation] = {}

    def at(self, lowest: float) -> Situation:
        """The situations where the scale has this floor."""
        if lowest not in self._situations:
            station_id, sensor, horizon = self.series
            self._situations[lowest] = situation(self.grid, station_id, sensor, horizon, lowest, self._seen)
        return self._situations[lowest]

    def came(self, origins: Places) -> Values:
        """What was observed `horizon` hours after some origins (indexes), NaN where nothing was, or not yet."""
        ahead = origins + self.series.horizon
        length = self.grid.length
        return np.where(ahead < length, self.values[np.minimum(ahead, length - 1)], np.nan)

    def known(self, end: int) -> int:
        """How many hours have a value before an index of the grid."""
        return int(np.isfinite(self.values[:end]).sum())
