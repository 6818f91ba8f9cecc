"""Do the rows belong together: each once, hours under each day, means that follow, tables and store alike."""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from airq_etl.sanity import faults
from airq_etl.sanity.agreement import days_waiting, store_differs
from airq_etl.sanity.evidence import Check, Evidence, Place
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.follows import daily_mean
from airq_etl.sanity.saying import LOAD, REBUILD, error, rows_of, which
from airq_etl.sanity.wording import at, many


class _Rows(NamedTuple):
    """The hours and days of one station; None where they are of no station."""

    station_id: int | None
    hours: pl.DataFrame
    days: pl.DataFrame

    @property
    def times(self) -> pl.Series:
        return self.days["day"] if self.hours.is_empty() else self.hours["hour"]

    @property
    def total(self) -> int:
        return self.hours.height + self.days.height

    def __str__(self) -> str:
        return rows_of(self.hours["hour"], self.days["day"])


def _by_station(hours: pl.DataFrame, days: pl.DataFrame) -> Iterator[_Rows]:
    for station_id in sorted(faults.stations(hours) | faults.stations(days), key=lambda station: station or 0):
        of_it = pl.col("station_id").eq_missing(station_id)
        yield _Rows(station_id, hours.filter(of_it), days.filter(of_it))


def _duplicate_hours(evidence: Evidence) -> Iterator[Finding]:
    for place in evidence.places():
        yield from _duplicates("hour", evidence, place, faults.twice(place.hourly, faults.HOUR), "2024-09-09T10")


def _duplicate_days(evidence: Evidence) -> Iterator[Finding]:
    for place in evidence.places():
        yield from _duplicates("day", evidence, place, faults.twice(place.daily, faults.DAY), "2024-09-09")


def _duplicates(unit: str, evidence: Evidence, place: Place, found: pl.DataFrame, like: str) -> Iterator[Finding]:
    for (station_id,), rows in found.group_by("station_id", maintain_order=True):
        stand = "stands" if rows.height == 1 else "stand"
        by_hand = f"remove from the store those whose _id is not like {station_id}:{like}"
        yield error(
            f"duplicate-{unit}s",
            place,
            rows[unit],
            station_id=station_id,
            sentence=f"{many(rows.height, unit)} {stand} more than once{which(rows[unit])}",
            action=REBUILD if place is evidence.tables else by_hand,
        )


def _days_without_hours(evidence: Evidence) -> Iterator[Finding]:
    for place in evidence.places():
        found = faults.days_without_hours(evidence, place)
        for (station_id,), rows in found.group_by("station_id", maintain_order=True):
            have = "has" if rows.height == 1 else "have"
            yield error(
                "days-without-hours",
                place,
                rows["day"],
                station_id=station_id,
                sentence=f"{many(rows.height, 'day')} {have} means and not one hour{which(rows['day'])}",
                action=REBUILD if place is evidence.tables else f"{LOAD}, then remove what stays",
            )


def _hours_without_day(evidence: Evidence) -> Iterator[Finding]:
    for place in evidence.places():
        found = faults.hours_without_day(evidence, place)
        for (station_id,), rows in found.group_by("station_id", maintain_order=True):
            have = "has" if rows.height == 1 else "have"
            hours, days = rows["hour"].len(), rows["day"].unique()
            yield error(
                "hours-without-day",
                place,
                rows["hour"],
                station_id=station_id,
                sentence=f"{many(hours, 'hour')} {have} no daily row, on {many(days.len(), 'day')}{which(days)}",
                action=REBUILD if place is evidence.tables else LOAD,
            )


def _unknown_station(evidence: Evidence) -> Iterator[Finding]:
    for place in evidence.places():
        strange = pl.col("station_id").is_in(list(faults.strangers(place)), nulls_equal=True)
        for rows in _by_station(place.hourly.filter(strange), place.daily.filter(strange)):
            known = any(rows.station_id in other.stations for other in evidence.places())
            mend = REBUILD if place is evidence.tables else LOAD
            yield error(
                "unknown-station",
                place,
                rows.times,
                station_id=rows.station_id,
                count=rows.total,
                sentence=f"{rows} of a station of which there is no record",
                action=mend if known else "find out who wrote them, and remove them",
            )


def _future_hours(evidence: Evidence) -> Iterator[Finding]:
    for place in evidence.places():
        to_come = faults.hours_to_come(evidence, place), faults.days_to_come(evidence, place)
        for rows in _by_station(*to_come):
            are = "is" if rows.total == 1 else "are"
            yield error(
                "future-hours",
                place,
                rows.times,
                station_id=rows.station_id,
                count=rows.total,
                sentence=f"{rows} {are} in the future{which(rows.times)}; now is {at(evidence.now)}",
                action="set right the clock of whoever writes here, and remove them",
            )


CHECKS: tuple[Check, ...] = (
    Check(
        "duplicate-hours",
        "a station's hour that stands more than once",
        "1 hour",
        "key of the table",
        _duplicate_hours,
        by_station=True,
    ),
    Check(
        "duplicate-days",
        "a station's day that stands more than once",
        "1 day",
        "key of the table",
        _duplicate_days,
        by_station=True,
    ),
    Check(
        "days-without-hours",
        "a daily row none of whose hours is there",
        "1 day",
        "a day is computed from its hours",
        _days_without_hours,
        by_station=True,
    ),
    Check(
        "hours-without-day",
        "hours whose daily row is not there",
        "1 hour",
        "a day is computed from its hours",
        _hours_without_day,
        by_station=True,
    ),
    Check(
        "unknown-station",
        "hours or days of a station that is not listed",
        "1 row",
        "the station of a row, as a foreign key",
        _unknown_station,
        by_station=True,
    ),
    Check(
        "future-hours",
        "hours and days that have not begun",
        "1 h from now",
        "the clock",
        _future_hours,
        by_station=True,
    ),
    Check(
        "daily-mean",
        "a daily row that does not follow from the hours of its place: mean, least, greatest, number, validity",
        "a relative difference of 1e-9",
        "a day is computed from its hours",
        daily_mean,
        by_station=True,
    ),
    Check(
        "store-differs",
        "hours and days that the store lacks, has beside the tables, or has with other values",
        "1 value",
        "the store is loaded from the tables",
        store_differs,
        by_station=True,
        together=days_waiting,
    ),
)
