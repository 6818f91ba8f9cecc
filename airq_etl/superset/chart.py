"""What a chart is, and what is said of several together."""

from collections.abc import Sequence
from typing import NamedTuple

from airq_etl.sensors import BY_COLUMN
from airq_etl.superset.kinds import Params, Scale

PM25 = Scale(f"PM2.5, {BY_COLUMN['pm25'].unit}", ",.1f")
CO = Scale(f"CO, {BY_COLUMN['co'].unit}", ",.2f")


class Chart(NamedTuple):
    """A chart: its key, its title, the key of its dataset, and Superset's parameters.

    Where it has no `station` the filter of stations is not for it; where it is not of `any_time` that of time is not.
    """

    key: str
    title: str
    dataset: str
    params: Params
    station: bool = True
    any_time: bool = True


class Section(NamedTuple):
    """Charts under a heading, with what is to be known of them; the charts of a row are of one `height` (of 8 px)."""

    heading: str
    said: str
    rows: Sequence[tuple[int, Sequence[Chart]]]
