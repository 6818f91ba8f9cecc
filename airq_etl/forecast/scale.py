"""The scale in which a pollutant is forecast: there its errors are of one size, high or low.

Particles as log(1 + x). CO as the square root of its height above a `floor`, the lowest value of late: its zero
drifts, so that negative values are reported, and are values. NO2 and O3 as they are.
"""

import numpy as np

from airq_etl.forecast.grid import Values

PARTICLES = ("pm25", "pm10", "pm1")
ROOTED = ("co",)


def floor(sensor: str, values: Values) -> float:
    """The lowest of some values, and at most zero."""
    if sensor not in ROOTED or np.isnan(values).all():
        return 0.0
    return min(0.0, float(np.nanmin(values)))


def scaled(sensor: str, values: Values, lowest: float = 0.0) -> Values:
    """Values in the sensor's unit, in the scale of its models; for the model alone nothing is below the floor."""
    if sensor in PARTICLES:
        logarithms: Values = np.log1p(np.maximum(values, 0.0))
        return logarithms
    if sensor in ROOTED:
        roots: Values = np.sqrt(np.maximum(values - lowest, 0.0))
        return roots
    return values


def unscaled(sensor: str, values: Values, lowest: float | Values = 0.0) -> Values:
    """The inverse of `scaled`: it rises with its values, and gives nothing below the floor."""
    if sensor in PARTICLES:
        found: Values = np.expm1(np.maximum(values, 0.0))
        return found
    if sensor in ROOTED:
        squares: Values = np.maximum(values, 0.0) ** 2 + lowest
        return squares
    return values
