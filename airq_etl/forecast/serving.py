"""The forecast at one hour: the quantiles of whoever serves, or why there is none."""

import numpy as np

from airq_etl.forecast import LEVELS
from airq_etl.forecast.fitted import MEDIAN, Fitted, quantiles
from airq_etl.forecast.gate import PERSISTENCE
from airq_etl.forecast.grid import Places, Values
from airq_etl.forecast.rolling import DAY, filled
from airq_etl.forecast.scale import unscaled
from airq_etl.forecast.sight import Sight
from airq_etl.forecast.standing import Standing
from airq_etl.forecast.track import corrected

WIDER = 1.5
"""By which the bounds of persistence are wider than its errors of the few days that there are."""


def forecast(sight: Sight, standing: Standing, fitted: Fitted | None, origin: int) -> Values | None:
    """The quantiles (as LEVELS) in the sensor's unit at an origin, by its day's standing; None where there are none."""
    at = np.array([origin])
    if standing.model == PERSISTENCE:
        found = persisted(sight, at)
    elif fitted is not None:
        made = quantiles(fitted, sight.at(fitted.floor), at)
        found = corrected(sight.series.sensor, made, np.array(standing.corrections), np.array([fitted.floor]))
    else:
        return None
    one: Values = found[0]
    return None if np.isnan(one).any() else one


def persisted(sight: Sight, origins: Places) -> Values:
    """The last value at some origins, within bounds by the moves that were seen until then.

    With the moves of less than a day, which say nothing, it is NaN.
    """
    found = np.full((len(origins), len(LEVELS)), np.nan)
    hours, values = sight.at(0.0), filled(sight.values)[0]
    for row, origin in enumerate(origins):
        moves = hours.target[: max(int(origin) + 1 - sight.series.horizon, 0)]
        moves = moves[np.isfinite(moves)]
        if len(moves) < DAY:
            continue
        bounds = WIDER * np.quantile(moves, LEVELS)
        bounds[:MEDIAN], bounds[MEDIAN + 1 :] = np.minimum(bounds[:MEDIAN], 0), np.maximum(bounds[MEDIAN + 1 :], 0)
        found[row] = unscaled(sight.series.sensor, hours.level[origin] + bounds)
        found[row, MEDIAN] = values[origin]
    return found
