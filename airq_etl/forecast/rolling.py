"""Arrays by hour, looked at backwards: at each hour from it and those before, never from one after it."""

import numpy as np

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
    """The mean over the last `window` entries, NaN where fewer than `least` of them have a value."""
    there = ~np.isnan(values)
    total = np.cumsum(np.concatenate(([0.0], np.where(there, values, 0.0))))
    count = np.cumsum(np.concatenate(([0], there)))
    end = np.arange(1, len(values) + 1)
    begin = np.maximum(end - window, 0)
    number = count[end] - count[begin]
    return np.where(number >= least, (total[end] - total[begin]) / np.maximum(number, 1), np.nan)


def spread(values: Values, window: int) -> Values:
    """The standard deviation over the last `window` entries."""
    known = values[np.isfinite(values)]
    # About the first value: sums of squares of large numbers would lose what is small.
    centred = values - known[0] if len(known) else values
    return np.sqrt(np.maximum(mean(centred**2, window, 2) - mean(centred, window, 2) ** 2, 0.0))


def profile(values: Values, days: int) -> Values:
    """The mean at the same hour of the day over the last `days`, the hour itself included."""
    whole = np.concatenate((values, np.full(-len(values) % DAY, np.nan))).reshape(-1, DAY)
    columns = [mean(whole[:, hour], days, max(2, days // 4)) for hour in range(DAY)]
    return np.stack(columns, axis=1).ravel()[: len(values)]
