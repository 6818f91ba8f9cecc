"""Rows that cannot stand as they do, by their keys: what one check reports, and what others then keep quiet about."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from airq_etl import daily, hourly
from airq_etl.sanity.evidence import Evidence, Place
from airq_etl.sanity.hours import each_later

HOUR, DAY = hourly.KEY, daily.KEY
TOLERANCE = timedelta(hours=1)  # what clocks may differ by


def twice(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The keys that stand more than once, and how often (`times`)."""
    keys = frame.select(key).drop_nulls()
    if each_later(keys, key):
        # This is soon said, where to look for them takes several times the memory of the rows.
        keys = keys.clear()
    return keys.filter(keys.is_duplicated()).group_by(key).agg(times=pl.len()).sort(key)


def strangers(place: Place) -> set[int | None]:
    """The stations of rows that the place does not list; None where a row is of no station."""
    return (stations(place.hourly) | stations(place.daily)) - place.stations


def stations(frame: pl.DataFrame) -> set[int | None]:
    """Whose rows these are."""
    return set(frame["station_id"].unique())


def dated(evidence: Evidence, hours: pl.DataFrame) -> pl.DataFrame:
    """Hours with the local `day` that they are of."""
    return hours.with_columns(day=daily.day_of(evidence.rules.zones))


def hours_to_come(evidence: Evidence, place: Place) -> pl.DataFrame:
    """The hours that begin later than an hour from now."""
    return place.hourly.select(HOUR).filter(pl.col("hour") > evidence.now + TOLERANCE)


def days_to_come(evidence: Evidence, place: Place) -> pl.DataFrame:
    """The days that have not begun an hour from now."""
    soon = pl.lit(evidence.now + TOLERANCE, dtype=hourly.TIME)
    today = daily.day_of(evidence.rules.zones, "hour")
    return place.daily.with_columns(hour=soon).filter(pl.col("day") > today).select(DAY)


def days_without_hours(evidence: Evidence, place: Place) -> pl.DataFrame:
    """The days none of whose hours is there; not of a stranger that has days alone, and not of days to come."""
    days = place.daily.select(DAY).drop_nulls().unique()
    bare = days.join(dated(evidence, place.hourly).select(DAY).unique(), on=DAY, how="anti")
    alone = strangers(place) - stations(place.hourly)
    bare = bare.filter(~pl.col("station_id").is_in(list(alone))).join(days_to_come(evidence, place), on=DAY, how="anti")
    return settled(evidence, place, bare).sort(DAY)


def hours_without_day(evidence: Evidence, place: Place) -> pl.DataFrame:
    """The hours whose day is not there, with that `day`; not of a stranger that has hours alone, nor hours to come."""
    keys = place.hourly.select(HOUR)
    hours = dated(evidence, keys if each_later(keys, HOUR) else keys.drop_nulls().unique())
    lost = hours.join(place.daily.select(DAY), on=DAY, how="anti")
    alone = strangers(place) - stations(place.daily)
    lost = lost.filter(~pl.col("station_id").is_in(list(alone))).join(
        hours_to_come(evidence, place), on=HOUR, how="anti"
    )
    return settled(evidence, place, lost).sort(HOUR)


def settled(evidence: Evidence, place: Place, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that have a `day`, in the store without those of days that wait to be loaded."""
    return rows.join(evidence.waiting, on=DAY, how="anti") if place is evidence.store else rows
