"""All checks, and what they find together."""

from collections.abc import Collection

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
    found = (finding for check in CHECKS if check.for_runs or not short for finding in check.find(evidence))
    asked = [finding for finding in found if not stations or finding.station_id in {None, *stations}]
    return sorted(asked, key=lambda f: (SEVERITIES.index(f.severity), order[f.check], f.station_id or 0))
