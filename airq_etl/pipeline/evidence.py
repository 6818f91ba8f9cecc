"""What the sanity checks are given, read from the tables, the store and the ledger."""

from datetime import date

import polars as pl

from airq_etl import daily
from airq_etl.lake import DAILY, HOURLY
from airq_etl.pipeline.job import Job
from airq_etl.pipeline.load import open_store
from airq_etl.sanity.evidence import Evidence, Place
from airq_etl.windows import Days


def gather(
    work: Job,
    days: Days | None = None,
    store_days: Days | None = None,  # noqa: ARG001 -- no document is read yet
    *,
    with_store: bool = True,
) -> Evidence:
    """The tables of local `days`, and whether the store can be opened. StoreError where either cannot be read."""
    if with_store:
        open_store(work.settings, work.lake, work.seconds_left()).close()
    first, last = days or Days(date.min, date.max)
    means = work.lake.read(DAILY, where=pl.col("day").is_between(first, last))
    rules = work.rules(means["station_id"].unique())
    hours = work.lake.read(HOURLY, where=daily.day_of(rules.zones).is_between(first, last))
    said = work.ledger.stations()
    return Evidence(
        now=work.now,
        rules=rules,
        tables=Place("tables", hours, means, frozenset(hours["station_id"].unique())),
        days=days,
        configured=frozenset(work.settings.stations),
        known={station_id: work.settings.station(station_id, station) for station_id, station in said.items()},
        said=said,
    )
