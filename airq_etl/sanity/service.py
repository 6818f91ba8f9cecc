"""Since when stations serve, as the stations file says, and what that leaves out; days made by other settings."""

from collections.abc import Iterator

import polars as pl

from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.wording import at, many


def _not_in_service(evidence: Evidence) -> Iterator[Finding]:
    hours = evidence.tables.hourly
    for station_id in sorted(evidence.rules.in_service.keys() & set(hours["station_id"].unique())):
        since = evidence.rules.in_service[station_id]
        its = hours.filter(pl.col("station_id") == station_id)["hour"].sort()
        before = its.filter(its < since)
        if before.is_empty():
            continue
        never = before.len() == its.len()
        left_out = f"{many(before.len(), 'hour')} before {at(since)}, when it came into service, are left out of means"
        yield Finding(
            check="not-in-service",
            severity="error" if never else "info",
            station_id=station_id,
            first=before[0],
            last=before[-1],
            count=before.len(),
            sentence=f"it is not in service before {at(since)}, and so has no mean at all" if never else left_out,
            action="see its in_service_from in AIRQ_STATIONS_FILE" if never else "nothing, if that is the day",
        )


def _settings_changed(evidence: Evidence) -> Iterator[Finding]:
    for station_id in sorted(evidence.outdated):
        yield Finding(
            check="settings-changed",
            severity="warning",
            station_id=station_id,
            count=1,
            sentence="its zone, its hours of a valid mean or its beginning are not set as when its days were made",
            action="run `airq-etl transform` and `airq-etl load`, or wait for the next run",
        )


CHECKS: tuple[Check, ...] = (
    Check(
        "not-in-service",
        "hours before a station came into service, which are left out of means",
        "1 hour (info); error where all of its hours are",
        "in_service_from in the stations file",
        _not_in_service,
        by_station=True,
    ),
    Check(
        "settings-changed",
        "days that were made by other settings than those in force; they are not compared with their hours",
        "any of AIRQ_TIMEZONE, AIRQ_MIN_HOURS, the stations file",
        "the rule that each day is made by",
        _settings_changed,
    ),
)
