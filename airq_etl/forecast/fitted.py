"""A fitted model: numbers alone, so that whoever has them and the hours makes the same forecast again.

The median is linear in the features; each other quantile is linear in what says how sure it is, upon the median's
error. Hours count the less the older they are: half as much every `HALF_LIFE` days, since seasons change.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np

from airq_etl.forecast import LEVELS
from airq_etl.forecast.features import VERSION, Situation
from airq_etl.forecast.grid import Places, Values
from airq_etl.forecast.regression import Manner, fit
from airq_etl.forecast.rolling import DAY
from airq_etl.forecast.scale import ROOTED, floor
from airq_etl.forecast.sight import Sight

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

    `features` are centred and divided by `scales`; `median` are their coefficients, the constant first. `tails`
    are those of the other quantiles, of `UNSURE` and of the size of the move that the median makes. `floor` is that
    of the scale, in the sensor's unit.
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


def learn(model: str, sight: Sight, end: int, chosen: Sequence[str] | None = None) -> Fitted:
    """Fit a model at an index of the grid, by the `chosen` features or all."""
    lowest = floor_of(sight, end)
    hours = sight.at(lowest)
    rows = lessons(sight, end)
    names = [name for name in hours.features if chosen is None or name in chosen]
    matrix = _columns(hours, names, rows)
    centres, scales = _standard(matrix)
    inputs = _standardised(matrix, centres, scales)
    weights = 0.5 ** ((rows[-1] - rows) / DAY / HALF_LIFE)
    target = hours.target[rows]
    median = _fit_median(inputs, target, weights, hours.level[rows], bounded=sight.series.sensor in ROOTED)
    moves = inputs @ median
    unsure = _columns(hours, UNSURE, rows)
    unsure_centres, unsure_scales = _standard(unsure)
    doubts = np.column_stack((_standardised(unsure, unsure_centres, unsure_scales), np.abs(moves)))
    tails = [fit(doubts, target - moves, weights, level, TAILS) for level in LEVELS if level != LEVELS[MEDIAN]]
    return Fitted(
        model=model,
        **sight.series._asdict(),
        serves_from=sight.grid.hour(end),
        trained_from=sight.grid.hour(int(rows[0]) + sight.series.horizon),
        trained_through=sight.grid.hour(int(rows[-1]) + sight.series.horizon),
        hours=len(rows),
        floor=lowest,
        features=names,
        centres=_plain(centres),
        scales=_plain(scales),
        median=_plain(median),
        unsure_centres=_plain(unsure_centres),
        unsure_scales=_plain(unsure_scales),
        tails=[_plain(tail) for tail in tails],
    )


def _plain(numbers: Values) -> list[float]:
    return [float(f"{number:.7g}") for number in numbers]


def _fit_median(inputs: Values, target: Values, weights: Values, level: Values, *, bounded: bool) -> Values:
    """Where values lie at the floor, those for which the model would go below it teach it nothing (Powell, 1984)."""
    median = fit(inputs, target, weights, 0.5, MIDDLE)
    for _ in range(2 if bounded and (level + target <= CALM).mean() > AT_THE_FLOOR else 0):
        above = level + inputs @ median > 0
        median = fit(inputs[above], target[above], weights[above], 0.5, MIDDLE)
    return median


def quantiles(fitted: Fitted, hours: Situation, rows: Places) -> Values:
    """The quantiles (columns as LEVELS) at some hours (indexes), in the model's scale, none below the one before."""
    matrix = _columns(hours, fitted.features, rows)
    moves = _standardised(matrix, np.array(fitted.centres), np.array(fitted.scales)) @ np.array(fitted.median)
    unsure = _standardised(
        _columns(hours, UNSURE, rows), np.array(fitted.unsure_centres), np.array(fitted.unsure_scales)
    )
    errors = np.column_stack((unsure, np.abs(moves))) @ np.array(fitted.tails).T
    below, above = np.minimum(errors[:, :MEDIAN], 0.0), np.maximum(errors[:, MEDIAN:], 0.0)
    middle = (hours.level[rows] + moves)[:, None]
    lower = np.minimum.accumulate(below[:, ::-1], axis=1)[:, ::-1]
    return np.hstack((middle + lower, middle, middle + np.maximum.accumulate(above, axis=1)))


def _columns(hours: Situation, names: Sequence[str], rows: Places) -> Values:
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
