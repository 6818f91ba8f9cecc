"""airq-etl with made-up checks alone, whatever others there are; stands before the command line of a test."""

import sys
from collections.abc import Iterator

import polars as pl

from airq_etl.sanity import checks
from airq_etl.sanity.evidence import Check, Evidence
from airq_etl.sanity.finding import Finding, Severity

CRASH, HANG = 77.0, 78.0  # a CO that a check cannot bear, and one that it never comes to an end with


def _of(name: str, severity: Severity, low: float, high: float) -> Check:
    """A check that finds CO between two values (mg/m³)."""

    def find(evidence: Evidence) -> Iterator[Finding]:
        hours = evidence.tables.hourly.filter(pl.col("co").is_between(low, high, closed="left")).sort("hour")
        for (station_id,), of_station in hours.group_by("station_id", maintain_order=True):
            yield Finding(
                check=name,
                severity=severity,
                station_id=int(str(station_id)),
                sensor="co",
                first=of_station["hour"][0],
                last=of_station["hour"][-1],
                count=of_station.height,
                sentence=f"{low:g} mg/m³ or more in {of_station.height:,} hours",
                action=f"have a look at the {severity}",
            )

    return Check(name, f"CO from {low:g} to {high:g}", f"{low:g} mg/m³", "made up for a test", find, by_station=True)


def _crash(evidence: Evidence) -> Iterator[Finding]:
    if evidence.tables.hourly.filter(co=CRASH).height:
        raise ZeroDivisionError("made up")
    while evidence.tables.hourly.filter(co=HANG).height:
        pass
    yield from ()


MADE_UP = (
    _of("too-much", "error", 100, 1000),
    _of("much", "warning", 10, 77),
    _of("some", "info", 5, 10),
    Check("crash", "what breaks", "-", "made up", _crash, by_station=True),
)

if __name__ == "__main__":
    checks.CHECKS = MADE_UP

    from airq_etl.cli import main

    # Before us stand the words that would start the command without us.
    sys.argv[1:] = sys.argv[sys.argv.index("airq_etl") + 1 :]
    main()
