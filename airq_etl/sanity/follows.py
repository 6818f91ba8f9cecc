"""Do the daily rows follow from the hours of their place."""

from collections.abc import Iterator

import polars as pl

from airq_etl import daily
from airq_etl.sanity import differences, faults
from airq_etl.sanity.differences import MEANS
from airq_etl.sanity.evidence import Evidence, Place
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.saying import LOAD, REBUILD, error, value
from airq_etl.sanity.wording import at, many
from airq_etl.sensors import BY_COLUMN, present

EXACT = 1e-9  # relative; a mean is the same to the last bit on one machine
_SAID = {"mean": "mean", "min": "minimum", "max": "maximum", "hours": "number of hours", "valid": "validity"}


def daily_mean(evidence: Evidence) -> Iterator[Finding]:
    """Daily rows that are not what their hours give; but not where these are not what they were loaded as."""
    given = _given(evidence, evidence.tables)
    wrong = _wrong(evidence, evidence.tables, given)
    yield from _say_means(evidence.tables, wrong, REBUILD)
    if evidence.store is not None:
        theirs = _wrong_in_store(evidence, evidence.store, given)
        # What the store only has from the tables is said of the tables.
        theirs = theirs.join(wrong, on=faults.DAY, how="anti")
        yield from _say_means(evidence.store, theirs, LOAD)


def wrong_in_tables(evidence: Evidence) -> pl.DataFrame:
    """The daily rows of the tables that do not follow from their hours."""
    return _wrong(evidence, evidence.tables, _given(evidence, evidence.tables))


def _given(evidence: Evidence, place: Place) -> pl.DataFrame:
    """The daily rows that the hours of a place give."""
    nulls = place.hourly.select(pl.col(faults.HOUR).null_count()).row(0)
    hours = place.hourly.drop_nulls(faults.HOUR) if any(nulls) else place.hourly
    return daily.compute(hours, evidence.rules)


def _wrong_in_store(evidence: Evidence, store: Place, given: pl.DataFrame) -> pl.DataFrame:
    """As `_wrong`; days whose hours are not those of the tables, or wait to be loaded, are not looked at.

    `given` by the hours of the tables, which are then those of the store; but a shared store may hold other ones.
    """
    if evidence.shares:
        given = _given(evidence, store)
    elsewhere = differences.of_hours(evidence, store)
    wrong = _wrong(evidence, store, given).join(elsewhere, on=faults.DAY, how="anti")
    return faults.settled(evidence, store, wrong)


def _wrong(evidence: Evidence, place: Place, given: pl.DataFrame) -> pl.DataFrame:
    """The daily rows that do not follow, beside those `given`, with the sensors (`off`) where they do not."""
    both = daily.combine([place.daily, given])
    sensors = present(name.removesuffix("_mean") for name in both.columns if name.endswith("_mean"))
    rows, follows = both.head(place.daily.height), both.slice(place.daily.height)
    joined = rows.join(follows, on=faults.DAY, how="inner", suffix="_given")
    off = [pl.when(_differs(name)).then(pl.lit(name)) for name in sensors]
    # When an hour was asked for last is not sent where nothing else changed, and `final` follows from it.
    final = pl.lit(value=False)
    if place is evidence.tables:
        final = pl.col("final").ne_missing(pl.col("final_given"))
    found = joined.with_columns(off=pl.concat_list(off).list.drop_nulls(), unsettled=final)
    found = found.filter((pl.col("off").list.len() > 0) | pl.col("unsettled"))
    found = found.filter(~pl.col("station_id").is_in(list(evidence.outdated)))
    if found.is_empty():
        return found
    for other in evidence.places():
        for hours in (faults.twice(other.hourly, faults.HOUR), faults.hours_to_come(evidence, other)):
            found = found.join(faults.dated(evidence, hours), on=faults.DAY, how="anti")
    return found.join(faults.twice(place.daily, faults.DAY), on=faults.DAY, how="anti").sort(faults.DAY)


def _differs(sensor: str) -> pl.Expr:
    return pl.any_horizontal(_value_differs(f"{sensor}_{name}", name) for name in MEANS)


def _value_differs(column: str, name: str) -> pl.Expr:
    stored, given = pl.col(column), pl.col(f"{column}_given")
    if name in {"hours", "valid"}:
        return stored.ne_missing(given)
    near = (stored - given).abs() <= EXACT * pl.max_horizontal(stored.abs(), given.abs(), 1.0)
    return ~near.fill_null(stored.is_null() & given.is_null())


def _say_means(place: Place, wrong: pl.DataFrame, action: str) -> Iterator[Finding]:
    """One finding a station for each sensor that is wrong alone, and one for the days on which several are."""
    which = pl.when(pl.col("off").list.len() == 1).then(pl.col("off").list.first())
    for (station_id, sensor), rows in wrong.sort(faults.DAY).group_by(
        "station_id", which.alias("sensor"), maintain_order=True
    ):
        yield error(
            "daily-mean",
            place,
            rows["day"],
            station_id=station_id,
            sensor=sensor,
            sentence=_mean_said(rows),
            action=action,
        )


def _mean_said(rows: pl.DataFrame) -> str:
    row = rows.row(0, named=True)
    first = f"{at(row['day'])} is marked final where its hours are not, or not where they are"
    if row["off"]:
        sensor = BY_COLUMN[row["off"][0]]
        name = next(
            name for name in MEANS if rows.head(1).select(_value_differs(f"{sensor.column}_{name}", name)).item()
        )
        unit = "" if name in {"hours", "valid"} else sensor.unit
        stored, given = (value(row[f"{sensor.column}_{name}{end}"], unit) for end in ("", "_given"))
        first = f"{sensor.key} {_SAID[name]} of {at(row['day'])} is {stored}, its hours give {given}"
    more = len(row["off"]) - 1
    days = f"; the first of {many(rows.height, 'day')}" if rows.height > 1 else ""
    return first + (f"; so it is with {many(more, 'more sensor')}" if more > 0 else "") + days
