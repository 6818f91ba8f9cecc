"""Arrays by hour, looked at backwards: at each hour from it and those before, never from one after it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from airq_etl.forecast.grid import Values

DAY = 24


def filled(values: Values) -> tuple[Values, Values]:
    """The last value at each hour, and how many hours old it is; before the first one NaN, and infinite."""
    places = np.where(np.isnan(values), -1, np.arange(len(values)))
    last = np.maximum.accumulate(places) if len(values) else places
    known = last >= 0
    ages = np.where(known, np.arange(len(values)) - last, np.inf)
    return np.where(known, values[np.maximum(last, 0)], np.nan), ages


def before(values: Values, hours: int) -> Values:
    """What stood so many hours earlier."""
    if hours == 0:
        return values
    earlier = np.full(len(values), np.nan)
    earlier[hours:] = values[:-hours]
    return earlier


def mean(values: Values, window: int, least: int = 1) -> Values:
    """The mean over the last `window` entries (or rows), NaN where fewer than `least` of them have a value."""
    there = ~np.isnan(values)
    total, count = _running(np.where(there, values, 0.0)), _running(there)
    end = len(values)
    # The first entries look at all that there are.
    first = min(window, end)
    number, found = count[1:].copy(), total[1:].copy()
    number[first:] -= count[1 : end + 1 - first]
    found[first:] -= total[1 : end + 1 - first]
    return np.where(number >= least, found / np.maximum(number, 1), np.nan)


def _running(values: NDArray[Any]) -> NDArray[Any]:
    """The sum of the entries before each, and after the last."""
    found = np.zeros((len(values) + 1, *values.shape[1:]), dtype=np.int64 if values.dtype == bool else np.float64)
    np.cumsum(values, axis=0, out=found[1:])
    return found


def spread(values: Values, window: int) -> Values:
    """The standard deviation over the last `window` entries."""
    known = values[np.isfinite(values)]
    # About the first value: sums of squares of large numbers would lose what is small.
    centred = values - known[0] if len(known) else values
    return np.sqrt(np.maximum(mean(centred**2, window, 2) - mean(centred, window, 2) ** 2, 0.0))


def profile(values: Values, days: int) -> Values:
    """The mean at the same hour of the day over the last `days`, the hour itself included."""
    whole = np.concatenate((values, np.full(-len(values) % DAY, np.nan))).reshape(-1, DAY)
    return mean(whole, days, max(2, days // 4)).ravel()[: len(values)]
