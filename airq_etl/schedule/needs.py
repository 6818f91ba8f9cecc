"""What airq-etl needs of a machine, by the number of its stations."""

import math

# MiB for two stations or fewer, and for each: a usual run, and the first, which fetches a year.
USUAL_MIB, USUAL_STATION_MIB = 192, 2
FIRST_MIB, FIRST_STATION_MIB = 512, 5
STATION_YEAR_GIB, YEARS_KEPT, LEAST_GIB = 0.028, 5, 5


def usual_mib(stations: int) -> int:
    """Memory that an hourly run has enough of."""
    return USUAL_MIB + USUAL_STATION_MIB * stations


def first_mib(stations: int) -> int:
    """Memory that the first run, and any other, has enough of."""
    return FIRST_MIB + FIRST_STATION_MIB * stations


def storage_gib(stations: int) -> int:
    """Disk for some years."""
    return max(LEAST_GIB, math.ceil(stations * STATION_YEAR_GIB * YEARS_KEPT))
