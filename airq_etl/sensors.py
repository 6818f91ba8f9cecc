"""The one table of what a station can measure; every other list of sensors is derived from it.

Units are written here and nowhere else. The API's keys and units were read off real answers; the sensors
that are not `core` are carried by other station types and appear in a table only where a station has them.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Sensor(NamedTuple):
    """A measured quantity: the API's key, our column, its unit, the values it can have, and what the number is.

    Beyond `lowest` and `highest` a value is no reading but a fault of the sensor or a sentinel (-999). What a
    drifting zero or noise can give lies inside; it is `signed` where a negative value is nothing odd. Down to
    minus `detection` a negative value is noise about zero. The same value for `flat_h` hours in a row is odd,
    and so are the first `warm_up_h` hours after the sensor was without power.
    """

    key: str
    column: str
    unit: str
    core: bool
    lowest: float
    highest: float
    note: str
    signed: bool = False
    detection: float = 0.0
    flat_h: int = 6
    warm_up_h: int = 0


# Range. Particles and humidity: the physical ranges that AirQo and OpenAQ use (0 to 1000 µg/m³, 0 to 100 %),
# particles down to the noise below zero. The others: the measuring range of such sensors, on both sides of zero
# where it drifts.
# Detection. Gases: the lower detectable limit that US EPA asks of a reference analyser (40 CFR Part 53, Table B-1:
# CO 0.2 ppm in the lower range, NO2 0.010 ppm, O3 0.005 ppm) at 25 °C. Particles: the lower limit of the reference
# method (40 CFR Part 50, App. L 3.1: 2 µg/m³).
# Flat. Three hours are usual for particles (AirQo), but these report 1.0 or 2.0 for as long in clean air, and
# temperatures in steps of 0.1 degrees stay for seven: six hours, and twelve for what is no concentration.
# Warm-up. After gaps of ten hours or more NO2 reads too high and O3 too low, by 7 to 12 times its usual spread in
# the first hour and twice in the fourth (two stations, 23 gaps); CO and particles do not.
SENSORS: tuple[Sensor, ...] = (
    Sensor(
        "CO",
        "co",
        "mg/m³",
        core=True,
        lowest=-50,
        highest=500,
        note="electrochemical; its zero drifts, so negatives occur",
        detection=0.23,
    ),
    Sensor(
        "NO2",
        "no2",
        "µg/m³",
        core=True,
        lowest=-200,
        highest=4000,
        note="metal oxide",
        detection=19,
        warm_up_h=4,
    ),
    Sensor(
        "O3",
        "o3",
        "µg/m³",
        core=True,
        lowest=-200,
        highest=2000,
        note="metal oxide",
        detection=10,
        warm_up_h=4,
    ),
    Sensor("PM2.5", "pm25", "µg/m³", core=True, lowest=-10, highest=1000, note="optical", detection=2),
    Sensor("PM10", "pm10", "µg/m³", core=True, lowest=-10, highest=1000, note="optical", detection=2),
    Sensor("T", "temperature", "°C", core=True, lowest=-40, highest=85, note="air", signed=True, flat_h=12),
    Sensor("RH", "humidity", "%", core=True, lowest=0, highest=100, note="relative, air", flat_h=12),
    Sensor(
        "T. int.",
        "internal_temperature",
        "counts",
        core=True,
        lowest=0,
        highest=65535,
        note="a raw board reading, not degrees",
        flat_h=12,
    ),
    Sensor("CO2", "co2", "ppm", core=False, lowest=0, highest=40000, note="infrared"),
    Sensor("PM1", "pm1", "µg/m³", core=False, lowest=-10, highest=1000, note="optical", detection=2),
    Sensor(
        "VOC",
        "voc",
        "index",
        core=False,
        lowest=0,
        highest=65535,
        note="metal oxide; as the API gives it",
        warm_up_h=4,
    ),
    Sensor("Noise", "noise", "dB(A)", core=False, lowest=0, highest=140, note="sound level"),
)

BY_KEY: dict[str, Sensor] = {sensor.key: sensor for sensor in SENSORS}
BY_COLUMN: dict[str, Sensor] = {sensor.column: sensor for sensor in SENSORS}
CORE_COLUMNS: tuple[str, ...] = tuple(sensor.column for sensor in SENSORS if sensor.core)


def present(columns: Iterable[str]) -> tuple[str, ...]:
    """The sensor columns among `columns`, the core ones always, in the order of the table."""
    names = set(columns)
    return tuple(s.column for s in SENSORS if s.core or s.column in names)
