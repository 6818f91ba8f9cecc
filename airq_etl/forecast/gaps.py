"""Over a gap a forecast goes back to the usual course of the day, and its bounds widen.

Models learn from hours of which the last value is known. Tried on two stations whose hours were taken away (see
README), a model that goes on from the last value is wrong by half as much again, and its 80 % bounds hold a third of
the hours, after a gap of six; going back as here they hold 64 to 96 % of them.
"""

import numpy as np

from airq_etl.forecast.features import SEASON, Situation
from airq_etl.forecast.grid import Places, Values

FADES = 4.0
"""Hours in which what the last value says shrinks to a third."""


def bridged(quantiles: Values, hours: Situation, rows: Places, horizon: int) -> Values:
    """Quantiles (columns as LEVELS, the median in the middle) at some hours, where the last value is old as said."""
    old = np.flatnonzero((hours.age[rows] > 0) & np.isfinite(hours.age[rows]))
    if not len(old):
        return quantiles
    places = rows[old]
    usual = hours.level[places] + hours.features["usual 28"][places]
    middle = quantiles[old, quantiles.shape[1] // 2]
    heeded = np.exp(-hours.age[places] / FADES)
    back = np.where(np.isfinite(usual), heeded * middle + (1 - heeded) * usual, middle)
    wider = np.array([_wider(hours, int(place), horizon) for place in places])
    found = quantiles.copy()
    found[old] = back[:, None] + wider[:, None] * (quantiles[old] - middle[:, None])
    return found


def _wider(hours: Situation, place: int, horizon: int) -> float:
    """By how much values lie farther apart over the gap and the hours ahead than over these, in the last four weeks."""
    recent = slice(max(place + 1 - SEASON, 0), place + 1)
    values = np.where(hours.age[recent] == 0, hours.level[recent], np.nan)
    gap = int(hours.age[place])
    if gap + horizon >= len(values):
        return 1.0
    apart = [_apart(values, horizon + more) for more in range(gap + 1)]
    return max(1.0, max(apart) / apart[0]) if apart[0] > 0 else 1.0


def _apart(values: Values, lag: int) -> float:
    moves = np.abs(values[lag:] - values[:-lag])
    known = moves[np.isfinite(moves)]
    return float(known.mean()) if len(known) else 0.0
