"""Air that is made up, on a grid: a daily cycle, weather that lasts, noise, all of it drawn from a fixed seed."""

from datetime import UTC, datetime

import numpy as np

from airq_etl.forecast.grid import Grid, Values

START = datetime(2024, 1, 1, tzinfo=UTC)
STATION, OTHER = 283164601, 283181971


def lasting(length: int, seed: int, memory: float = 0.9) -> Values:
    """Noise in which each hour is much like the one before."""
    draws = np.random.default_rng(seed).normal(size=length)
    found = np.zeros(length)
    for at in range(1, length):
        found[at] = memory * found[at - 1] + draws[at]
    return found


def particles(length: int, seed: int) -> Values:
    """PM2.5, µg/m³: twice as much in the evening as at noon."""
    cycle = np.cos(2 * np.pi * (np.arange(length) % 24 - 20) / 24)
    return np.exp(2.3 + 0.35 * cycle + 0.25 * lasting(length, seed))


def made_up(days: int, **changed: Values) -> Grid:
    """Two stations with PM2.5, CO and temperature; `changed` arrays stand in for those of the first station."""
    length = 24 * days
    warmth = 27 + 3 * np.cos(2 * np.pi * (np.arange(length) % 24 - 13) / 24) + 0.3 * lasting(length, 9)
    values = {
        (STATION, "pm25"): particles(length, 1),
        (OTHER, "pm25"): particles(length, 2),
        (STATION, "co"): 0.4 + 0.02 * particles(length, 3),
        (STATION, "temperature"): warmth,
    }
    return Grid(START, length, values | {(STATION, name): array for name, array in changed.items()}, {})
