"""report: the facts, from the tables or from the store."""

from collections.abc import Collection
from typing import Literal

import airq_etl
from airq_etl.pipeline.reporting import tables
from airq_etl.report.build import build
from airq_etl.report.facts import Report
from airq_etl.settings import Settings
from airq_etl.windows import Days

Source = Literal["tables", "store"]


def facts(settings: Settings, stations: Collection[int], days: Days | None, source: Source = "tables") -> Report:
    """The facts of `stations` (all where empty) on local `days` (all where None).

    UsageError where there is no data, or none of a station.
    """
    if source == "store":
        from airq_etl.pipeline.reporting import stored

        return build(stored.material(settings, stations, days), airq_etl.__version__)
    return build(tables.material(settings, stations, days), airq_etl.__version__)
