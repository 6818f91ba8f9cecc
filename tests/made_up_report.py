"""Reports on made-up hours."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from airq_etl import daily, hourly
from airq_etl.forecast import table as forecasts
from airq_etl.pipeline.reporting import hours
from airq_etl.report.build import build
from airq_etl.report.facts import Report, Run, StationFacts
from airq_etl.report.material import Material
from airq_etl.stations import Rules, Station
from airq_etl.windows import Days
from tests.years import NOW, STATION

VERSION = "0.0"


def report_on(
    rows: pl.DataFrame,
    now: datetime = NOW,
    rules: Rules | None = None,
    days: Days | None = None,
    names: Mapping[int, str | None] | None = None,
    **more: Any,  # noqa: ANN401 -- other parts of a report's material
) -> Report:
    """The report on rows of the hourly table, made as the tables are read."""
    names = names or dict.fromkeys(rows["station_id"].unique(), None)
    rules = rules or Rules()
    newest = hours.newest_of([rows])
    table = daily.compute(rows, rules)
    parts: dict[str, Any] = {
        "now": now,
        "source": "tables",
        "rules": rules,
        "days": days,
        "stations": {station_id: Station(name=name) for station_id, name in names.items()},
        "daily": table if days is None else table.filter(pl.col("day").is_between(*days)),
        "recent": hours.judged(rows.filter(hours.is_recent(now, newest)), rules),
        "newest": newest,
        "clock": hours.mean_day([rows], rules, days),
        "revisions": pl.DataFrame(schema=hourly.REVISION_SCHEMA),
        "forecasts": forecasts.empty(),
        "reasons": {},
        "findings": [],
        "findings_as_of": None,
        "runs": [],
        "run_days": {},
    }
    return build(Material(**parts | more), VERSION)


def facts_of(rows: pl.DataFrame, now: datetime = NOW, rules: Rules | None = None, **more: Any) -> StationFacts:  # noqa: ANN401
    """What a report says of the only station of these rows."""
    (station,) = report_on(rows, now, rules, **more).stations
    return station


def without(rows: pl.DataFrame, gone: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    """The rows but for the hours that are gone."""
    return rows.filter(~gone(pl.col("hour")))


def run_at(when: datetime, state: str = "SUCCESS", message: str = "") -> Run:
    """A run that began then."""
    code = {"SUCCESS": 0, "PARTIAL": 3}.get(state, 5)
    return Run(run_id="4f53cda1", state=state, started_at=when, duration_s=2.5, exit_code=code, message=message)


__all__ = ["NOW", "STATION", "facts_of", "report_on", "run_at", "without"]
