"""Where tables and store differ, row by row, beyond what other checks say of the same rows."""

from collections.abc import Sequence

import polars as pl

from airq_etl import daily, hourly
from airq_etl.sanity import faults
from airq_etl.sanity.evidence import Evidence, Place
from airq_etl.sensors import present

MISSING, MORE, OTHER = KINDS = ("missing", "more", "other")
MEANS = ("mean", "min", "max", "hours", "valid")  # of a day's sensor: what follows from its hours alone


def of_hours(evidence: Evidence, store: Place) -> pl.DataFrame:
    """The hours that differ: `station_id`, `hour`, `day`, `kind`, and each value in the tables and in the store.

    Values of the store end in `_store`. In a store that is shared only what is missing counts.
    """
    tables = evidence.tables
    # The tables may hold many more days than are looked at of the store.
    ours, theirs = (_looked_at(evidence, faults.dated(evidence, rows)) for rows in (tables.hourly, store.hourly))
    found = _compared(hourly.combine([ours, theirs]), ours.height, faults.HOUR, "requested_at")
    if evidence.shares:
        found = found.filter(kind=MISSING)
    found = _looked_at(evidence, faults.dated(evidence, found))
    if found.is_empty():
        return found
    places = evidence.places()
    keys = [f(place) for place in places for f in (_doubled_hours, lambda place: faults.hours_to_come(evidence, place))]
    days = [evidence.waiting, *(faults.days_without_hours(evidence, place) for place in places)]
    return _without(_without(_of_strangers(evidence, store, found), faults.HOUR, keys), faults.DAY, days)


def of_days(evidence: Evidence, store: Place) -> pl.DataFrame:
    """The days that differ, as `of_hours`; those whose means differ are not among them (see `daily-mean`)."""
    tables = evidence.tables
    both = daily.combine([tables.daily, store.daily])
    found = _compared(both, tables.daily.height, faults.DAY, "updated_at")
    if evidence.shares:
        found = found.filter(kind=MISSING)
    means = [f"{name}_{value}" for name in present(_sensors(both)) for value in MEANS]
    same_means = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_store")) for name in means)
    found = _looked_at(evidence, found.filter((pl.col("kind") != OTHER) | same_means))
    if found.is_empty():
        return found
    places = evidence.places()
    days = [
        evidence.waiting,
        *(faults.twice(place.daily, faults.DAY) for place in places),
        *(faults.days_to_come(evidence, place) for place in places),
        *(faults.days_without_hours(evidence, place) for place in places),
        *(faults.hours_without_day(evidence, place) for place in places),
    ]
    return _without(_of_strangers(evidence, store, found), faults.DAY, days)


def _doubled_hours(place: Place) -> pl.DataFrame:
    return faults.twice(place.hourly, faults.HOUR)


def _sensors(days: pl.DataFrame) -> list[str]:
    return [name.removesuffix("_mean") for name in days.columns if name.endswith("_mean")]


def _compared(both: pl.DataFrame, ours: int, key: Sequence[str], ignored: str) -> pl.DataFrame:
    """Rows that differ between the first so many of `both` and the others, with their `kind`."""
    tables = both.head(ours).drop(ignored).with_columns(in_tables=True)
    store = both.slice(ours).drop(ignored).with_columns(in_store=True)
    values = [name for name in tables.columns if name not in {*key, "in_tables"}]
    joined = tables.join(store, on=key, how="full", coalesce=True, suffix="_store")
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_store")) for name in values)
    kind = (
        pl.when(pl.col("in_store").is_null())
        .then(pl.lit(MISSING))
        .when(pl.col("in_tables").is_null())
        .then(pl.lit(MORE))
        .when(differs)
        .then(pl.lit(OTHER))
    )
    return joined.with_columns(kind=kind).drop_nulls("kind").drop("in_tables", "in_store").sort(key)


def _looked_at(evidence: Evidence, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of days that both frames hold."""
    for days in (evidence.days, evidence.store_days):
        if days is not None:
            rows = rows.filter(pl.col("day").is_between(days.first, days.last))
    return rows


def _of_strangers(evidence: Evidence, store: Place, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows without those of stations that one place has and does not list, and that the other has not."""
    alone: set[int | None] = set()
    for place, other in ((evidence.tables, store), (store, evidence.tables)):
        alone |= faults.strangers(place) - faults.stations(other.hourly) - faults.stations(other.daily)
    return rows.filter(~pl.col("station_id").is_in(list(alone), nulls_equal=True))


def _without(rows: pl.DataFrame, key: Sequence[str], reported: Sequence[pl.DataFrame]) -> pl.DataFrame:
    for frame in reported:
        rows = rows.join(frame.select(key), on=key, how="anti")
    return rows
