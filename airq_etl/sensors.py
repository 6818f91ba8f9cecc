"""The one table of what a station can measure; every other list of sensors is derived from it.

Units are written here and nowhere else. The API's keys and units were read off real answers; the sensors
that are not `core` are carried by other station types and appear in a table only where a station has them.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Sensor(NamedTuple):
    """A measured quantity: the API's key, our column, its unit, and what the number is."""

    key: str
    column: str
    unit: str
    core: bool
    note: str


SENSORS: tuple[Sensor, ...] = (
    Sensor("CO", "co", "mg/m³", core=True, note="electrochemical; its zero drifts, so negatives occur"),
    Sensor("NO2", "no2", "µg/m³", core=True, note="metal oxide"),
    Sensor("O3", "o3", "µg/m³", core=True, note="metal oxide"),
    Sensor("PM2.5", "pm25", "µg/m³", core=True, note="optical"),
    Sensor("PM10", "pm10", "µg/m³", core=True, note="optical"),
    Sensor("T", "temperature", "°C", core=True, note="air"),
    Sensor("RH", "humidity", "%", core=True, note="relative, air"),
    Sensor("T. int.", "internal_temperature", "counts", core=True, note="a raw board reading, not degrees"),
    Sensor("CO2", "co2", "ppm", core=False, note="infrared"),
    Sensor("PM1", "pm1", "µg/m³", core=False, note="optical"),
    Sensor("VOC", "voc", "index", core=False, note="metal oxide; as the API gives it"),
    Sensor("Noise", "noise", "dB(A)", core=False, note="sound level"),
)

BY_KEY: dict[str, Sensor] = {sensor.key: sensor for sensor in SENSORS}
CORE_COLUMNS: tuple[str, ...] = tuple(sensor.column for sensor in SENSORS if sensor.core)


def present(columns: Iterable[str]) -> tuple[str, ...]:
    """The sensor columns among `columns`, the core ones always, in the order of the table."""
    names = set(columns)
    return tuple(s.column for s in SENSORS if s.core or s.column in names)
