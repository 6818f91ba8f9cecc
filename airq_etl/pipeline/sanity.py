"""sanity-check: does what is stored make sense? By itself over all that is there, and at the end of each run."""

import logging
from collections.abc import Collection
from datetime import timedelta

import polars as pl

from airq_etl.errors import AirqError, UsageError
from airq_etl.lake import HOURLY, with_data
from airq_etl.open_findings import Look, News, record
from airq_etl.pipeline.evidence import gather
from airq_etl.pipeline.harmless import harmless
from airq_etl.pipeline.job import MOST_NAMED, Job, begun, job
from airq_etl.pipeline.recording import step
from airq_etl.sanity.checks import examine
from airq_etl.sanity.evidence import Evidence
from airq_etl.sanity.finding import subject
from airq_etl.settings import Settings
from airq_etl.verdict import FailOn, Verdict, all_stations, counted, names, verdict
from airq_etl.windows import Days

log = logging.getLogger(__name__)

STEP = "sanity-check"
# What a run looks at, so that it stays cheap for thousands of stations.
TABLES_DAYS, STORE_DAYS = 60, 7
LEAST_S = 5  # a run with less time left leaves it to the next one
TOLD_ALREADY = {"rejected-rows", "stale-station", "vanished-sensor"}  # by the steps of the run before


def run_sanity_check(
    settings: Settings, days: Days | None = None, stations: Collection[int] = (), fail_on: FailOn = "error"
) -> Verdict:
    """What the checks find in tables and store, of `stations` (all where empty) and local `days` (all where None).

    A look at everything is recorded as such. UsageError where there is no data, or none of a station.
    """
    with_data(settings.data_dir, HOURLY)
    with job(settings, begun(settings, STEP), STEP) as work, step(work, STEP) as counts:
        evidence = gather(work, days, days)
        _refuse_unknown(stations, evidence)
        findings = examine(evidence, stations)
        counts.update(counted(findings))
        if days is None and not stations:
            record(work.ledger, findings, Look(work.result.run_id, work.now))
    return verdict(evidence, findings, run_id=work.result.run_id, stations=stations, fail_on=fail_on)


def _refuse_unknown(stations: Collection[int], evidence: Evidence) -> None:
    known = all_stations(evidence)
    for station_id in sorted(set(stations) - known):
        some = ", ".join(map(str, sorted(known)[:MOST_NAMED]))
        raise UsageError(f"--station {station_id}: nothing is known of it; there are {some}")


def check_newest(work: Job, stations: Collection[int], *, loaded: bool) -> None:
    """Look at the newest days, record what is found, and warn of errors that are new; never fails the run.

    The store is left out where it was not `loaded`. What was there before is not told again.
    """
    if work.seconds_left() < LEAST_S:
        log.debug("sanity-check: left to the next run, since this one has no time left")
        return
    with harmless(work, STEP), step(work, STEP) as counts:
        counts.update(_check_newest(work, stations, loaded=loaded))


def _check_newest(work: Job, stations: Collection[int], *, loaded: bool) -> dict[str, int]:
    # A day ahead: somewhere it is tomorrow.
    last = work.now.date() + timedelta(days=1)
    days, store_days = (Days(last - timedelta(days=count), last) for count in (TABLES_DAYS, STORE_DAYS))
    try:
        evidence = gather(work, days, store_days, with_store=loaded, short=True)
        findings = examine(evidence, stations, short=True)
    except AirqError:
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        log.debug("where it broke", exc_info=True)
        raise AirqError(f"this is a bug, and the run goes on: {type(error).__name__}: {error}") from error
    since = {evidence.tables.name: days.first}
    if evidence.store is not None:
        since[evidence.store.name] = store_days.first
    news = record(work.ledger, findings, Look(work.result.run_id, work.now, since, frozenset(stations)))
    work.result.findings = counted(findings)
    # That all are silent is no news where nobody answered.
    _warn_of_errors(news, evidence, TOLD_ALREADY | ({"silent-network"} if work.result.problems else set()))
    return work.result.findings


def _warn_of_errors(news: News, evidence: Evidence, told: Collection[str]) -> None:
    errors = [one for one in news.opened if one.severity == "error" and one.check not in told]
    known = names(evidence)
    for finding in errors[:MOST_NAMED]:
        name = None if finding.station_id is None else known.get(finding.station_id, f"station {finding.station_id}")
        log.warning("%s%s; %s", subject(finding, name), finding.sentence, finding.action)
    if len(errors) > MOST_NAMED:
        log.warning("and %d more errors in what is stored; see airq-etl sanity-check", len(errors) - MOST_NAMED)
