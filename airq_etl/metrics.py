"""The last run as a text file for Prometheus (node_exporter's textfile collector), replaced whole."""

from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from airq_etl.results import Result


def write(path: Path, result: Result, last_success: datetime | None) -> None:
    """Write gauges of a run that has ended; OSError where the file cannot be written."""
    registry = CollectorRegistry()

    def gauge(name: str, what: str, value: float) -> None:
        Gauge(f"airq_etl_{name}", what, registry=registry).set(value)

    ended_at = result.ended_at or result.started_at
    gauge("last_run_timestamp_seconds", "When the last run ended.", ended_at.timestamp())
    gauge("last_run_exit_code", "What the last run ended with.", result.exit_code)
    gauge("last_run_duration_seconds", "How long the last run took.", (ended_at - result.started_at).total_seconds())
    if last_success is not None:
        gauge("last_success_timestamp_seconds", "When the last good run ended.", last_success.timestamp())
    for name in ("hours_new", "hours_settled", "hours_revised", "rows_rejected", "requests", "retries", "wire_bytes"):
        gauge(f"last_run_{name}", f"{name} of the last run.", sum(getattr(s, name) for s in result.stations))
    newest = Gauge("airq_etl_newest_hour_timestamp_seconds", "The newest hour known.", ["station"], registry=registry)
    for station in result.stations:
        if station.newest_hour is not None:
            newest.labels(str(station.station_id)).set(station.newest_hour.timestamp())
    write_to_textfile(str(path), registry)
