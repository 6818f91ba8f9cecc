"""Whether a sensor can be forecast at all: one that is dead or silent has no next hours worth telling."""

import numpy as np

from airq_etl.forecast.grid import Values
from airq_etl.forecast.rolling import DAY
from airq_etl.sensors import BY_COLUMN

WATCHED = 14  # days
LEAST = 7 * DAY
DEAD, DRIFTED = 0.95, 0.9
"""Shares of hours with one value, and of a concentration below zero, from which on a sensor says nothing.

Of the two stations in Abidjan a live CO sensor is below zero in up to 77 % of the hours of two weeks, the one whose
zero has drifted away in 86 to 100 %; the provider later made zeros of such values, of which many alike are dead.
"""
YOUNG = 14 * DAY
SILENT = 2 * DAY
"""Hours without a value after which the next hours are not forecast: a weekend without power is longer."""


def fault(values: Values, sensor: str) -> str | None:
    """Why a sensor with these values (the newest last) is not forecast; None where it can be."""
    recent = values[-WATCHED * DAY :]
    recent = recent[np.isfinite(recent)]
    if len(recent) < LEAST:
        return None
    value, count = _commonest(recent)
    unit = BY_COLUMN[sensor].unit
    if count >= DEAD * len(recent):
        share = 100 * count / len(recent)
        return f"it is dead: {value:g} {unit} in {share:.3g} % of the hours of the last {WATCHED} days"
    low = float((recent < 0).mean())
    if not BY_COLUMN[sensor].signed and low >= DRIFTED:
        return f"its zero has drifted: {100 * low:.3g} % of the hours of the last {WATCHED} days are below zero"
    return None


def _commonest(values: Values) -> tuple[float, int]:
    found, counts = np.unique(values, return_counts=True)
    at = int(counts.argmax())
    return float(found[at]), int(counts[at])
