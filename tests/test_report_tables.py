"""Where a report reads what the sanity check says: afresh, or as it was found last."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from airq_etl import daily, lock
from airq_etl import settings as configuration
from airq_etl.forecast.table import MODEL_SCHEMA
from airq_etl.lake import DAILY, HOURLY, MODELS, Lake
from airq_etl.ledger import Ledger
from airq_etl.open_findings import Look, record
from airq_etl.pipeline.reporting import tables
from airq_etl.report.material import Material
from airq_etl.sanity.finding import Finding
from airq_etl.stations import Rules
from airq_etl.windows import Days
from tests.years import BEGIN, NOW, STATION, hours_of, lively

RECORDED = Finding(check="drift", severity="warning", station_id=STATION, count=1, sentence="it is", action="do")
OF_ANOTHER = Finding(check="drift", severity="warning", station_id=STATION + 1, count=1, sentence="it is", action="do")
YEARS = 2 * tables.LARGE // 365


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A large network, of which a look at everything found a thing at two stations."""
    lake = Lake(tmp_path)
    lake.open()
    hours = hours_of(24, pm25=lively)
    lake.write(HOURLY, f"{BEGIN:%Y-%m}", hours)
    stations = pl.DataFrame({"station_id": range(1, YEARS + 1)})
    days = pl.DataFrame({"day": [BEGIN.date() + timedelta(number) for number in range(365)]})
    rows = daily.combine([stations.join(days, how="cross")])
    others = rows.filter(pl.col("station_id") != STATION)
    lake.write(DAILY, f"{BEGIN:%Y}", pl.concat([others, daily.compute(hours, Rules())]))
    with Ledger(tmp_path) as ledger:
        record(ledger, [RECORDED, OF_ANOTHER], Look("4f53cda1", NOW))
    return tmp_path


def read(data: Path, later: timedelta = timedelta(), days: Days | None = None) -> Material:
    settings = configuration.build({"data_dir": data, "now": NOW + later, "stations": str(STATION)})
    return tables.material(settings, [STATION], days)


def test_a_large_network_is_not_examined_for_each_report(network: Path) -> None:
    """What a look at everything has found since the day before yesterday is told, and when."""
    found = read(network, timedelta(hours=30))
    assert (found.findings, found.findings_as_of) == ([RECORDED], NOW)


def test_what_was_found_long_ago_is_not_told_as_of_now(network: Path) -> None:
    """Nor where a period is asked for, of which nothing is recorded."""
    for found in (read(network, tables.LATELY), read(network, days=Days(BEGIN.date(), BEGIN.date()))):
        assert RECORDED not in found.findings
        assert found.findings_as_of is None


@pytest.mark.parametrize("last", ["none", "linear"])
def test_why_there_is_no_forecast_is_told_as_long_as_it_is_so(network: Path, last: str) -> None:
    """The reason of who took over since is none for a forecast that is not there."""
    told = {"none": "it is dead", "linear": "it came back"}
    same = {"station_id": STATION, "sensor": "co", "horizon": 1}
    rows = [
        same | {"since": NOW - timedelta(days=1 if model == last else 2), "model": model, "reason": why}
        for model, why in told.items()
    ]
    Lake(network).write(MODELS, f"{NOW:%Y}", pl.DataFrame(rows, schema=MODEL_SCHEMA))
    assert read(network).reasons == ({(STATION, "co"): "it is dead"} if last == "none" else {})


def test_while_a_run_is_at_work_nothing_is_examined(network: Path) -> None:
    """The tables may be halfway: what was found last is told, however long ago that was."""
    with lock.hold(network, "run", NOW):
        found = read(network, timedelta(days=30))
    assert (found.findings, found.findings_as_of) == ([RECORDED], NOW)
