"""What a chart is."""

from typing import NamedTuple

from airq_etl.sensors import BY_COLUMN
from airq_etl.superset.kinds import Params

PM25, CO = (f"{sensor.key}, {sensor.unit}" for sensor in (BY_COLUMN["pm25"], BY_COLUMN["co"]))
"""What an axis of each says."""
TENTH, HUNDREDTH = ",.1f", ",.2f"
"""How the numbers of PM2.5 and of CO are written (d3)."""


class Chart(NamedTuple):
    """A chart: its key, its title, what it shows and what not, the key of its dataset, and Superset's parameters.

    Where it has no `station` the filter of stations is not for it; where it is not of `any_time` that of time is not.
    """

    key: str
    title: str
    said: str
    dataset: str
    params: Params
    station: bool = True
    any_time: bool = True
