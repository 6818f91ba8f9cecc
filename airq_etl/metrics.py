"""What Prometheus is told of a run: a text file for node_exporter's textfile collector, replaced whole.

All are gauges, in base units; of a forecast in the unit of its sensor. What was not measured is left out: a run that
failed before its first step has none.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from airq_etl import __version__, ledger_runs
from airq_etl.forecast import LEVELS, QUANTILES
from airq_etl.forecast.outlook import Outlook
from airq_etl.open_alerts import open_alerts
from airq_etl.open_findings import open_findings
from airq_etl.results import Result
from airq_etl.runs import RunRecord
from airq_etl.sanity.finding import SEVERITIES

if TYPE_CHECKING:
    import polars as pl

    from airq_etl.ledger import Ledger

PREFIX = "airq_etl_"
READABLE = 0o644  # by the exporter, which is another user
ONE_OF_OURS = timedelta(days=2)  # that no run asked for longer than this, a station has been taken out of the settings
MOST_FORECAST = 100  # stations: each has a hundred series, and Prometheus keeps them all


class Metric(NamedTuple):
    """What a metric says, and what tells its samples apart."""

    meaning: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """A value of a metric, with those of its labels in their order."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


_OF_A_FORECAST = ("station", "sensor", "horizon")
METRICS = {
    "info": Metric("always 1: the version that ran, and where", ("version", "host")),
    "last_run_timestamp_seconds": Metric("when the last run ended"),
    "last_run_duration_seconds": Metric("how long it took"),
    "last_run_exit_code": Metric("what it ended with"),
    "last_run_success": Metric("1 where that was 0, else 0"),
    "last_success_timestamp_seconds": Metric("when the last good run ended; kept over bad ones"),
    "step_duration_seconds": Metric("how long a step of the last run took", ("step",)),
    "step_success": Metric("1 where the step did all its work, else 0", ("step",)),
    "last_run_answer_rows": Metric("rows of the answers: `read`, `rejected`, `duplicate`", ("outcome",)),
    "last_run_table_rows": Metric("rows of the hourly table: `new`, `settled`, `revised`", ("outcome",)),
    "last_run_missing_values": Metric("sensors left out in rows read"),
    "last_run_requests": Metric("requests made"),
    "last_run_retries": Metric("those made again"),
    "last_run_wire_bytes": Metric("bytes of the answers, as they came"),
    "last_run_decoded_bytes": Metric("the same unpacked"),
    "last_run_documents_written": Metric("documents written to the store", ("collection",)),
    "newest_hour_timestamp_seconds": Metric("the newest hour known, by its start", ("station",)),
    "station_up": Metric("1 where the run that last asked got its answer, else 0", ("station",)),
    "open_findings": Metric("what the sanity check has found and still does", ("severity",)),
    "open_alerts": Metric("alerts that have not cleared", ("severity",)),
    "forecast_value": Metric(
        "the newest forecast, so many hours ahead: its median (level 0.5) and bounds", (*_OF_A_FORECAST, "level")
    ),
    "forecast_mean_absolute_error": Metric("that of forecasts of the last 28 days", _OF_A_FORECAST),
    "forecast_skill_ratio": Metric("by how much it is below that of 'it stays as it is'", _OF_A_FORECAST),
    "forecast_coverage_ratio": Metric("share of hours within the interval", (*_OF_A_FORECAST, "interval")),
    "forecast_scored_hours": Metric("hours under these three", _OF_A_FORECAST),
}

# Of each station, how the last run went that asked for it, and the newest hour that had a value.
_STATIONS = f"""
select station_id, asked.state, max(runs.rowid),
    (select max(seen_at) from station_keys where station_keys.station_id = asked.station_id)
from runs join station_steps as asked using (run_id)
where step = 'extract' and command = ? and runs.started_at >= ?
    and not asked.{ledger_runs.IS_UNFINISHED}
group by station_id order by station_id
"""  # noqa: S608


def write(path: Path, ledger: "Ledger", result: Result, scores: "pl.DataFrame | None" = None) -> None:
    """Write what the ledger has of a run that has ended, and of all before; OSError where the file cannot be written.

    Stations that this run left out are there as the runs before had them, but for their forecasts. `scores` are those
    of the last 28 days (rows of `scores.SCORE_SCHEMA`), of which only those of `forecast_stations` are told.
    """
    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for name, value, labels in (*_samples(ledger, result), *_of_forecasts(result, scores)):
        meaning, label_names = METRICS[name]
        if name not in gauges:
            gauges[name] = Gauge(PREFIX + name, meaning, label_names, registry=registry)
        (gauges[name].labels(*labels) if labels else gauges[name]).set(value)
    _replace(path, generate_latest(registry))


def _samples(ledger: "Ledger", result: Result) -> Iterator[Sample]:
    run = ledger_runs.run_of(ledger, result.run_id)
    host = "" if run is None else run.host or ""
    yield Sample("info", 1, (__version__, host))
    yield from _of_the_run(result, ledger_runs.last_success(ledger, result.command))
    if run is not None:
        yield from _of_its_steps(run)
        yield from _of_its_counts(run)
    yield from _of_stations(ledger, result)
    findings = Counter(known.finding.severity for known in open_findings(ledger))
    alerts = Counter(known.alert.severity for known in open_alerts(ledger))
    for severity in SEVERITIES:
        yield Sample("open_findings", findings[severity], (severity,))
        yield Sample("open_alerts", alerts[severity], (severity,))


def _of_the_run(result: Result, last_success: datetime | None) -> Iterator[Sample]:
    # By the result: on a full disk the ledger does not know how the run ended.
    yield Sample("last_run_timestamp_seconds", (result.ended_at or result.started_at).timestamp())
    yield Sample("last_run_exit_code", result.exit_code)
    yield Sample("last_run_success", result.exit_code == 0)
    if result.duration_s is not None:
        yield Sample("last_run_duration_seconds", result.duration_s)
    if last_success is not None:
        yield Sample("last_success_timestamp_seconds", last_success.timestamp())


def _of_its_steps(run: RunRecord) -> Iterator[Sample]:
    for step in run.steps:
        yield Sample("step_success", step.state == "SUCCESS", (step.step,))
        if step.duration_s is not None:
            yield Sample("step_duration_seconds", step.duration_s, (step.step,))


def _of_its_counts(run: RunRecord) -> Iterator[Sample]:
    for outcome in ("read", "rejected", "duplicate"):
        yield Sample("last_run_answer_rows", run.count(f"rows_{outcome}"), (outcome,))
    for outcome in ("new", "settled", "revised"):
        yield Sample("last_run_table_rows", run.count(f"hours_{outcome}"), (outcome,))
    yield Sample("last_run_missing_values", run.count("values_missing"))
    yield Sample("last_run_requests", run.count("requests"))
    yield Sample("last_run_retries", run.count("retries"))
    yield Sample("last_run_wire_bytes", run.count("wire_bytes"))
    yield Sample("last_run_decoded_bytes", run.count("body_bytes"))
    for step in run.steps:
        if step.step == "load":
            for collection, written in step.counts.items():
                yield Sample("last_run_documents_written", written, (collection,))


def _of_stations(ledger: "Ledger", result: Result) -> Iterator[Sample]:
    since = (result.started_at - ONE_OF_OURS).isoformat()
    asked_now = {station.station_id for station in result.stations}
    for station_id, state, _, newest in ledger.rows(_STATIONS, [result.command, since]):
        if newest is None and station_id not in asked_now:
            continue  # a slip of somebody's --station
        yield Sample("station_up", state == "SUCCESS", (str(station_id),))
        if newest is not None:
            hour = datetime.fromisoformat(newest)
            yield Sample("newest_hour_timestamp_seconds", hour.timestamp(), (str(station_id),))


def forecast_stations(result: Result) -> list[int]:
    """The stations whose forecasts are told: those of the run, none where they are too many."""
    stations = sorted({one.station_id for one in result.outlooks})
    return stations if len(stations) <= MOST_FORECAST else []


def _of_forecasts(result: Result, scores: "pl.DataFrame | None") -> Iterator[Sample]:
    told = set(forecast_stations(result))
    for outlook in result.outlooks:
        if outlook.station_id in told:
            yield from _of_an_outlook(outlook)
    if scores is not None:
        yield from _of_scores(scores, told)


def _of_an_outlook(outlook: Outlook) -> Iterator[Sample]:
    for point in outlook.points:
        whose = (str(outlook.station_id), outlook.sensor, str(point.horizon))
        for name, level in zip(QUANTILES, LEVELS, strict=True):
            yield Sample("forecast_value", getattr(point, name), (*whose, str(level)))


def _of_scores(scores: "pl.DataFrame", stations: Collection[int]) -> Iterator[Sample]:
    """Those of all models that served, together: each by its hours."""
    whose, means = ("station_id", "sensor", "horizon"), ("mae", "persistence_mae", "coverage80", "coverage95")
    hours = scores["hours"]
    weighed = scores.select(*whose, "hours", *(scores[name] * hours for name in means))
    totals = weighed.group_by(whose, maintain_order=True).sum()
    for row in totals.filter(totals["station_id"].is_in(list(stations))).iter_rows(named=True):
        labels = tuple(str(row[name]) for name in whose)
        yield Sample("forecast_scored_hours", row["hours"], labels)
        yield Sample("forecast_mean_absolute_error", row["mae"] / row["hours"], labels)
        if row["persistence_mae"]:
            yield Sample("forecast_skill_ratio", 1 - row["mae"] / row["persistence_mae"], labels)
        for interval in ("80", "95"):
            share = row[f"coverage{interval}"] / row["hours"] / 100
            yield Sample("forecast_coverage_ratio", share, (*labels, interval))


def _replace(path: Path, text: bytes) -> None:
    # A name that the exporter, which reads *.prom, does not take up.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            # Whatever the umask of cron's user: the exporter is another one.
            unfinished.chmod(READABLE)
            file.write(text)
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
