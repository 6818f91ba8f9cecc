"""What models would have forecast, hour after hour, each with what was known by then; and what came.

The bounds are corrected as time goes on: each day those of a model are moved by as much as they were wrong over
the last `WINDOW` days (conformal prediction: Vovk et al., Algorithmic Learning in a Random World, 2005), in the
scale of the model. The levels asked of the correction lie a little outside those of the bounds, since the air
changes faster than any window.

An origin is an index of the grid, the last hour that had ended; it belongs to the day on which it had. Days are
counted from the start of the grid, which is a midnight (UTC).
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from airq_etl.forecast.fitted import MEDIAN, Fitted, quantiles
from airq_etl.forecast.grid import Flags, Values
from airq_etl.forecast.rolling import DAY, filled
from airq_etl.forecast.scale import scaled, unscaled
from airq_etl.forecast.sight import Series, Sight

WINDOW = 28
LEAST = 7 * DAY
CORRECTED = (0.022, 0.096, 0.5, 0.904, 0.978)

Corrections = Mapping[int, Values]
"""What to add to each quantile on a day, in the scale of the model."""


class Raw(NamedTuple):
    """Quantiles (columns as LEVELS) as a model gives them from the origin `first` on, in its scale; NaN without one.

    `floors` are those of the scale, `came` what was observed, in the same scale.
    """

    first: int
    quantiles: Values
    floors: Values
    came: Values


class Track(NamedTuple):
    """Corrected quantiles from the origin `first` on, in the sensor's unit, beside what came and the last value."""

    model: str
    first: int
    quantiles: Values
    observed: Values
    persistence: Values

    def last(self, days: int) -> "Track":
        """The same over its last days."""
        begin = max(len(self.observed) - days * DAY, 0)
        return self._of(slice(begin, None))._replace(first=self.first + begin)

    def until(self, origin: int) -> "Track":
        """The same up to before an origin."""
        return self._of(slice(0, max(origin - self.first, 0)))

    def scored(self) -> "Track":
        """The same where there is a forecast and what came is known."""
        return self._of(
            np.isfinite(self.observed) & np.isfinite(self.quantiles[:, MEDIAN]) & np.isfinite(self.persistence)
        )

    def _of(self, rows: slice | Flags) -> "Track":
        return Track(self.model, self.first, self.quantiles[rows], self.observed[rows], self.persistence[rows])


def day_of(origin: int) -> int:
    """The day on which the hour of an origin had ended."""
    return (origin + 1) // DAY


def first_origin(day: int) -> int:
    """The first origin of a day."""
    return day * DAY - 1


def raw(sight: Sight, models: Mapping[int, Fitted], first: int, end: int) -> Raw:
    """What models, each serving from its day on, give from the origin `first` to before `end`."""
    length = end - first
    found = Raw(first, np.full((length, 5), np.nan), np.zeros(length), np.full(length, np.nan))
    came = sight.came(np.arange(first, end))
    days = sorted(models)
    for at, day in enumerate(days):
        begins = max(first, first_origin(day))
        ends = min(end, first_origin(days[at + 1])) if at + 1 < len(days) else end
        if begins >= ends:
            continue
        model, rows = models[day], np.arange(begins, ends)
        found.quantiles[rows - first] = quantiles(model, sight.at(model.floor), rows)
        found.floors[rows - first] = model.floor
        found.came[rows - first] = scaled(sight.series.sensor, came[rows - first], model.floor)
    return found


def corrections(of: Raw, series: Series, days: range) -> dict[int, Values]:
    """The corrections of some days, each by the errors that were known when it began; none after too few of them."""
    return {day: _correction(of, series, day) for day in days}


def _correction(of: Raw, series: Series, day: int) -> Values:
    begin = max((day - WINDOW) * DAY - of.first, 0)
    end = max(day * DAY - series.horizon - of.first, 0)
    errors = of.came[begin:end, None] - of.quantiles[begin:end]
    errors = errors[np.isfinite(errors[:, MEDIAN])]
    if len(errors) < LEAST:
        return np.zeros(len(CORRECTED))
    moved: Values = np.quantile(errors, CORRECTED, axis=0).diagonal().copy()
    moved[MEDIAN] = 0.0
    return moved


def corrected(sensor: str, quantiles_: Values, moved: Values, floors: Values) -> Values:
    """Quantiles in the sensor's unit, moved by their corrections (rows, or one for all), none below the one before."""
    found = quantiles_ + moved
    found[:, MEDIAN::-1] = np.minimum.accumulate(found[:, MEDIAN::-1], axis=1)
    found[:, MEDIAN:] = np.maximum.accumulate(found[:, MEDIAN:], axis=1)
    return unscaled(sensor, found, floors[:, None])


def track(sight: Sight, model: str, of: Raw, moved: Corrections) -> Track:
    """The track over the days for which there are corrections, as far as the raw forecasts go."""
    first = max(first_origin(min(moved)), of.first)
    end = min(first_origin(max(moved) + 1), of.first + len(of.came))
    origins = np.arange(first, end)
    rows = origins - of.first
    added = np.stack([moved[day_of(int(origin))] for origin in origins]) if len(origins) else np.zeros((0, 5))
    found = corrected(sight.series.sensor, of.quantiles[rows], added, of.floors[rows])
    return Track(model, first, found, sight.came(origins), filled(sight.values)[0][origins])
