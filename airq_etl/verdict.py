"""What a look at what is stored comes to: the findings, what was looked at, and the exit code."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec
import polars as pl

from airq_etl.sanity.checks import CHECKS
from airq_etl.sanity.evidence import Evidence
from airq_etl.sanity.finding import SEVERITIES, Finding, Severity

FAILED = 4  # an exit code beside those of `errors`: the checks went well, what they looked at is not

FailOn = Literal["error", "warning"]


class Looked(msgspec.Struct, frozen=True):
    """A station that was looked at: that is stored, or that a finding is about."""

    station_id: int
    name: str | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the `checks` found, the worst first, in the tables and in the `store` (None: not looked at).

    `first` and `last` are the first and last hour (UTC) of the tables that were looked at, None where there is
    none; `hours` and `days` count the rows of the tables. `counts` are the findings by severity.
    """

    command: str = "sanity-check"
    run_id: str
    now: datetime
    first: datetime | None
    last: datetime | None
    hours: int
    days: int
    store: str | None
    stations: list[Looked]
    checks: list[str]
    findings: list[Finding]
    counts: dict[str, int]
    fail_on: FailOn
    exit_code: int

    def failing(self) -> list[Finding]:
        """The findings that make the exit code what it is."""
        return [finding for finding in self.findings if counts_as(finding.severity, self.fail_on)]

    def name(self, station_id: int) -> str:
        """What to call a station: by its name where it has one."""
        names = (station.name for station in self.stations if station.station_id == station_id)
        return next(names, None) or f"station {station_id}"


def verdict(
    evidence: Evidence,
    findings: Sequence[Finding],
    *,
    run_id: str,
    stations: Collection[int],
    fail_on: FailOn,
) -> Verdict:
    """What `findings` come to, where all checks were given the evidence and asked about `stations` (none: all)."""
    about = {finding.station_id for finding in findings if finding.station_id is not None}
    looked = sorted(stations or _there(evidence) | about)
    hours = evidence.tables.hourly.filter(pl.col("station_id").is_in(looked))
    first, last = hours.select(pl.col("hour").min(), last=pl.col("hour").max()).row(0)
    return Verdict(
        run_id=run_id,
        now=evidence.now,
        first=first,
        last=last,
        hours=hours.height,
        days=evidence.tables.daily.filter(pl.col("station_id").is_in(looked)).height,
        store=None if evidence.store is None else evidence.store.name,
        stations=[Looked(station_id, names(evidence).get(station_id)) for station_id in looked],
        checks=[check.name for check in CHECKS],
        findings=list(findings),
        counts=counted(findings),
        fail_on=fail_on,
        exit_code=FAILED if any(counts_as(finding.severity, fail_on) for finding in findings) else 0,
    )


def all_stations(evidence: Evidence) -> set[int]:
    """The stations that the settings, the API, the tables or the store know of."""
    return _there(evidence) | evidence.configured | evidence.known.keys()


def _there(evidence: Evidence) -> set[int]:
    """The stations of which anything is stored."""
    there: set[int] = set()
    for place in evidence.places():
        there |= place.stations | set(place.hourly["station_id"].unique())
    return there


def names(evidence: Evidence) -> dict[int, str]:
    """The names of stations, where one is known."""
    return {station_id: station.name for station_id, station in evidence.known.items() if station.name}


def counts_as(severity: Severity, bar: Severity) -> bool:
    """Whether a severity is as bad as the bar, or worse."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(bar)


def counted(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings there are of each severity, none left out."""
    there = Counter(finding.severity for finding in findings)
    return {severity: there[severity] for severity in SEVERITIES}
