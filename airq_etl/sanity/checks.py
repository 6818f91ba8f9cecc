"""All checks, and what they find together."""

from collections.abc import Collection

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
from airq_etl.sanity.hours import each_later, portions

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
    some = _by_station(evidence)
    found = (
        finding
        for check in wanted
        for seen in (some if check.by_station else [evidence])
        for finding in check.find(seen)
    )
    asked = [finding for finding in found if not stations or finding.station_id in {None, *stations}]
    return sorted(asked, key=lambda f: (SEVERITIES.index(f.severity), order[f.check], f.station_id or 0))


def _by_station(evidence: Evidence) -> list[Evidence]:
    """The evidence for what looks at each station for itself: of many hours, some stations at a time."""
    tables = evidence.tables
    if tables.hourly.height <= HOURS_AT_ONCE or not each_later(tables.hourly, KEY):
        return [evidence]
    some = portions(tables.hourly, HOURS_AT_ONCE)
    return [evidence._replace(tables=tables._replace(hourly=hours)) for hours in some]
