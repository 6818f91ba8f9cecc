"""A fitted model: numbers alone, so that whoever has them and the hours makes the same forecast again.

The median is linear in the features; each other quantile is linear in what says how sure it is, upon the median's
error. Hours count the less the older they are: half as much every `HALF_LIFE` days, since seasons change.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import numpy as np

from airq_etl.forecast import LEVELS
from airq_etl.forecast.features import VERSION, Situation
from airq_etl.forecast.gaps import bridged
from airq_etl.forecast.grid import Places, Values
from airq_etl.forecast.regression import Manner, fit
from airq_etl.forecast.rolling import DAY
from airq_etl.forecast.scale import ROOTED, floor
from airq_etl.forecast.sight import Sight
from airq_etl.forecast.trees import given_by

HALF_LIFE = 60.0  # days
MIDDLE, TAILS = Manner(60, 0.2, 5), Manner(10, 0.02, 15)
FARTHEST = 4.0  # standard deviations that a feature is heeded
OLDEST = DAY  # hours since the last value beyond which nothing is learnt
FLOOR_DAYS, AT_THE_FLOOR = 60, 0.02
LEARNT_DAYS = 240
MEDIAN = LEVELS.index(0.5)
CALM = 1e-9

DAMPED = ("usual move 28", "mean 24", "mean 168", "lag 1")
"""Persistence that goes back to where the hours before were, and follows the usual course of the day."""
UNSURE = ("level", "spread 6", "spread 24", "unrest 24", "mean 24", "cos 1", "sin 1", "cos 2", "sin 2", "age")
"""What says how sure a forecast is."""


class Fitted(msgspec.Struct, kw_only=True, frozen=True):
    """What was fitted: to the values of a station's sensor up to `trained_through`, `hours` of them (aware UTC).

    `features` are centred and divided by `scales`; `median` are their coefficients, the constant first. Where there
    is a `booster` (trees as text, see `trees`) it is added: what the line leaves, by the features as they are and the
    line's move. `tails` are the coefficients of the other quantiles, of `UNSURE` and of the size of the move that the
    median makes. `floor` is that of the scale, in the sensor's unit.
    """

    model: str
    station_id: int
    sensor: str
    horizon: int
    serves_from: datetime
    trained_from: datetime
    trained_through: datetime
    hours: int
    floor: float
    features: list[str]
    centres: list[float]
    scales: list[float]
    median: list[float]
    booster: str | None = None
    unsure_centres: list[float]
    unsure_scales: list[float]
    tails: list[list[float]]
    version: int = VERSION


def floor_of(sight: Sight, end: int) -> float:
    """The lowest value of the last weeks before an index of the grid."""
    return floor(sight.series.sensor, sight.values[max(end - FLOOR_DAYS * DAY, 0) : end])


def lessons(sight: Sight, end: int) -> Places:
    """The hours (indexes) from which a model may learn at an index of the grid: what came of them was known by then."""
    hours = sight.at(floor_of(sight, end))
    first = max(end - LEARNT_DAYS * DAY, 0)
    last = max(end - sight.series.horizon, first)
    found: Places = first + np.flatnonzero(np.isfinite(hours.target[first:last]) & (hours.age[first:last] < OLDEST))
    return found


class Lesson(NamedTuple):
    """What is learnt from at an index of the grid: its `rows` (indexes), how much each counts, and all situations."""

    rows: Places
    weights: Values
    hours: Situation
    floor: float

    def among(self, chosen: Places) -> "Lesson":
        """The same of some of its rows (indexes of these)."""
        return self._replace(rows=self.rows[chosen], weights=self.weights[chosen])

    def target(self) -> Values:
        """The move that came of each row."""
        return self.hours.target[self.rows]


def lesson(sight: Sight, end: int) -> Lesson:
    """What there is to learn from at an index of the grid."""
    lowest, rows = floor_of(sight, end), lessons(sight, end)
    return Lesson(rows, 0.5 ** ((rows[-1] - rows) / DAY / HALF_LIFE), sight.at(lowest), lowest)


def learn(model: str, sight: Sight, end: int, chosen: Sequence[str] | None = None) -> Fitted:
    """Fit a model at an index of the grid, by the `chosen` features or all."""
    given = lesson(sight, end)
    names = [name for name in given.hours.features if chosen is None or name in chosen]
    matrix = columns(given.hours, names, given.rows)
    line = line_through(given, matrix, sight)
    tails = tails_of(given, line.moves(matrix))
    return Fitted(model=model, **origin_of(given, sight, end), features=names, **line.fields(), **tails)


class Line(NamedTuple):
    """A median that is linear in the features, once these are centred and scaled: the constant first."""

    centres: Values
    scales: Values
    median: Values

    def moves(self, matrix: Values) -> Values:
        """The move that it makes, for rows of the features."""
        found: Values = _standardised(matrix, self.centres, self.scales) @ self.median
        return found

    def fields(self) -> dict[str, Any]:
        """The fields of a model, to seven digits."""
        return {name: _plain(numbers) for name, numbers in self._asdict().items()}


def line_through(given: Lesson, matrix: Values, sight: Sight) -> Line:
    """The line that fits the features of a lesson, its `matrix`, best."""
    centres, scales = _standard(matrix)
    median = _fit_median(_standardised(matrix, centres, scales), given, bounded=sight.series.sensor in ROOTED)
    return Line(centres, scales, median)


def origin_of(given: Lesson, sight: Sight, end: int) -> dict[str, Any]:
    """The fields of a model that say of what it was learnt."""
    ahead = sight.series.horizon
    return {
        **sight.series._asdict(),
        "serves_from": sight.grid.hour(end),
        "trained_from": sight.grid.hour(int(given.rows[0]) + ahead),
        "trained_through": sight.grid.hour(int(given.rows[-1]) + ahead),
        "hours": len(given.rows),
        "floor": given.floor,
    }


def tails_of(given: Lesson, moves: Values) -> dict[str, Any]:
    """The fields of a model that make its bounds, from what came of rows of which its median made these moves."""
    unsure = columns(given.hours, UNSURE, given.rows)
    centres, scales = _standard(unsure)
    doubts = np.column_stack((_standardised(unsure, centres, scales), np.abs(moves)))
    error = given.target() - moves
    tails = [fit(doubts, error, given.weights, level, TAILS) for level in LEVELS if level != LEVELS[MEDIAN]]
    return {
        "unsure_centres": _plain(centres),
        "unsure_scales": _plain(scales),
        "tails": [_plain(tail) for tail in tails],
    }


def _plain(numbers: Values) -> list[float]:
    return [float(f"{number:.7g}") for number in numbers]


def _fit_median(inputs: Values, given: Lesson, *, bounded: bool) -> Values:
    """Where values lie at the floor, those for which the model would go below it teach it nothing (Powell, 1984)."""
    target, weights, level = given.target(), given.weights, given.hours.level[given.rows]
    median = fit(inputs, target, weights, 0.5, MIDDLE)
    for _ in range(2 if bounded and (level + target <= CALM).mean() > AT_THE_FLOOR else 0):
        above = level + inputs @ median > 0
        if not above.any():  # of a sensor that was dead for long, and lives again
            break
        median = fit(inputs[above], target[above], weights[above], 0.5, MIDDLE)
    return median


def quantiles(fitted: Fitted, hours: Situation, rows: Places) -> Values:
    """The quantiles (columns as LEVELS) at some hours (indexes), in the model's scale, none below the one before."""
    line = Line(*(np.array(numbers) for numbers in (fitted.centres, fitted.scales, fitted.median)))
    moves = moves_by(line, fitted.booster, columns(hours, fitted.features, rows))
    unsure = _standardised(
        columns(hours, UNSURE, rows), np.array(fitted.unsure_centres), np.array(fitted.unsure_scales)
    )
    errors = np.column_stack((unsure, np.abs(moves))) @ np.array(fitted.tails).T
    below, above = np.minimum(errors[:, :MEDIAN], 0.0), np.maximum(errors[:, MEDIAN:], 0.0)
    middle = (hours.level[rows] + moves)[:, None]
    lower = np.minimum.accumulate(below[:, ::-1], axis=1)[:, ::-1]
    found = np.hstack((middle + lower, middle, middle + np.maximum.accumulate(above, axis=1)))
    return bridged(found, hours, rows, fitted.horizon)


def moves_by(line: Line, booster: str | None, matrix: Values) -> Values:
    """The move that a median makes, for rows of the features."""
    moves = line.moves(matrix)
    return moves if booster is None else moves + given_by(booster, np.column_stack((matrix, moves)))


def columns(hours: Situation, names: Sequence[str], rows: Places) -> Values:
    """Features at some hours; one that the grid does not give (a station beside it that is no more) is not known."""
    unknown = np.full(len(rows), np.nan)
    return np.stack([hours.features[name][rows] if name in hours.features else unknown for name in names], axis=1)


def _standard(matrix: Values) -> tuple[Values, Values]:
    """Mean and standard deviation of each column, of those values that are there."""
    there = np.isfinite(matrix)
    count = np.maximum(there.sum(axis=0), 1)
    average = np.where(there, matrix, 0.0).sum(axis=0) / count
    deviation = np.sqrt(np.where(there, (matrix - average) ** 2, 0.0).sum(axis=0) / count)
    return average, deviation


def _standardised(matrix: Values, centres: Values, scales: Values) -> Values:
    """The constant and the columns; what is not known, or never varied, is as usual."""
    varies = scales > CALM
    scores = np.where(varies, (matrix - centres) / np.where(varies, scales, 1.0), 0.0)
    scores = np.clip(np.where(np.isfinite(scores), scores, 0.0), -FARTHEST, FARTHEST)
    return np.column_stack((np.ones(len(scores)), scores))
