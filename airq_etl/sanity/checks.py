"""All checks, and what they find together."""

from collections.abc import Collection, Iterator

import polars as pl

from airq_etl.hourly import KEY
from airq_etl.sanity import (
    coverage,
    drift,
    integrity,
    positions,
    readings,
    service,
    sites,
    source,
    spikes,
    steps,
    stuck,
)
from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import SEVERITIES, Finding
from airq_etl.sanity.gaps import served
from airq_etl.sanity.hours import each_later

HOURS_AT_ONCE = 250_000
"""What a check makes of hours takes several times the memory that they lie in."""

CHECKS: tuple[Check, ...] = (
    *integrity.CHECKS,
    *coverage.CHECKS,
    *readings.CHECKS,
    *stuck.CHECKS,
    *spikes.CHECKS,
    *sites.CHECKS,
    *steps.CHECKS,
    *drift.CHECKS,
    *source.CHECKS,
    *service.CHECKS,
    *positions.CHECKS,
)


def examine(evidence: Evidence, stations: Collection[int] = (), *, short: bool = False) -> list[Finding]:
    """What the checks find (about `stations` or no single one, where some are named), the worst first.

    A `short` look leaves out those that are not `for_runs`.
    """
    evidence = evidence._replace(served=served(evidence))
    order = {check.name: number for number, check in enumerate(CHECKS)}
    wanted = [check for check in CHECKS if check.for_runs or not short]
    found = (finding for check in wanted for finding in _found(check, evidence))
    asked = [finding for finding in found if not stations or finding.station_id in {None, *stations}]
    return sorted(asked, key=lambda f: (SEVERITIES.index(f.severity), order[f.check], f.station_id or 0))


def _found(check: Check, evidence: Evidence) -> Iterator[Finding]:
    """What a check finds; of many hours, where it may, some stations at a time."""
    hours = evidence.tables.hourly
    if not check.by_station or hours.height <= HOURS_AT_ONCE or not each_later(hours, KEY):
        yield from check.find(evidence)
        return
    for some in _portions(hours):
        yield from check.find(evidence._replace(tables=evidence.tables._replace(hourly=some)))


def _portions(hours: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Hours in the order of their stations, in portions of whole stations."""
    begin = size = 0
    for length in hours.group_by("station_id", maintain_order=True).len()["len"]:
        if size and size + length > HOURS_AT_ONCE:
            yield hours.slice(begin, size)
            begin, size = begin + size, 0
        size += length
    yield hours.slice(begin)
