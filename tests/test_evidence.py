"""What is gathered for the sanity checks is what is stored, and after real runs there is nothing to find."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from airq_etl import settings as configuration
from airq_etl.errors import StoreError
from airq_etl.lake import DAILY, HOURLY, Lake
from airq_etl.pipeline.evidence import gather
from airq_etl.pipeline.job import begun, job
from airq_etl.pipeline.run import run_all, run_load, run_transform
from airq_etl.sanity import integrity, parts
from airq_etl.sanity.checks import examine
from airq_etl.sanity.evidence import SEEN, Evidence
from airq_etl.sanity.finding import Finding
from airq_etl.settings import Settings
from airq_etl.simulator import Simulator
from airq_etl.windows import Days
from tests.frames import STATION, hour
from tests.translated import in_both

OTHER = 9999
NOW = hour(6 * 24) + timedelta(minutes=20)
WEEKS = Days(date(2024, 8, 1), date(2024, 9, 15))
ROME = "Europe/Rome"
DAY = hour(48).date()


def _settings(url: str = "http://127.0.0.1:9", now: datetime = NOW, **more: Any) -> Settings:  # noqa: ANN401 -- settings
    given = {"data_dir": "data", "api_url": url, "now": now, "retries": 0, "stations": f"{STATION},{OTHER}"}
    return configuration.build(given | more)


def _run(now: datetime = NOW, days: Days | None = WEEKS, **more: Any) -> None:  # noqa: ANN401 -- settings
    with Simulator([STATION, OTHER], now=lambda: now) as simulator:
        assert run_all(_settings(simulator.url, now, sweep_days=0, **more), days).exit_code == 0


def _found(evidence: Evidence) -> list[Finding]:
    return in_both(
        finding for check in integrity.CHECKS for find in (check.together, check.find) for finding in find(evidence)
    )


def _one(evidence: Evidence) -> Finding:
    (finding,) = _found(evidence)
    return finding


def _set(table: pl.DataFrame, day: date, **values: float) -> pl.DataFrame:
    """A table with other values in one day's row of the station."""
    where = (pl.col("day") == day) & (pl.col("station_id") == STATION)
    cells = {name: pl.lit(value, dtype=table.schema[name]) for name, value in values.items()}
    return table.with_columns(
        pl.when(where).then(cell).otherwise(pl.col(name)).alias(name) for name, cell in cells.items()
    )


def _gathered(
    days: Days | None = None,
    store_days: Days | None = None,
    *,
    short: bool = False,
    **more: Any,  # noqa: ANN401 -- settings
) -> Evidence:
    settings = _settings(**more)
    with job(settings, begun(settings, "sanity-check")) as work:
        return gather(work, days, store_days, short=short)


def test_what_is_gathered() -> None:
    """Tables and store with the same rows, who is known and what of them, and nothing to find."""
    _run()
    evidence = _gathered()
    assert evidence.store is not None
    assert evidence.tables.hourly.height > 2000
    assert evidence.tables.hourly.drop("requested_at").equals(evidence.store.hourly.drop("requested_at"))
    assert evidence.tables.daily.drop("updated_at").equals(evidence.store.daily.drop("updated_at"))
    assert evidence.tables.stations == evidence.store.stations == evidence.configured == {STATION, OTHER}
    assert evidence.known.keys() == evidence.said.keys() == evidence.keys.keys() == {STATION, OTHER}
    assert "PM2.5" in evidence.keys[STATION]
    assert (evidence.now, evidence.behind, evidence.shares) == (NOW, 0, False)
    assert _found(evidence) == []


@pytest.mark.parametrize("zone", ["UTC", ROME])
def test_days_are_whole_and_local(zone: str) -> None:
    """A period cuts tables and store alike, at the midnight of the station; the store may be cut to less."""
    _run(timezone=zone)
    days, less = Days(date(2024, 8, 30), date(2024, 9, 2)), Days(date(2024, 9, 1), date(2024, 9, 1))
    whole = _gathered(timezone=zone).tables
    for asked, of_store in ((None, days), (days, None), (days, less)):
        evidence = _gathered(asked, of_store, timezone=zone)
        assert evidence.store is not None
        for place, its in ((evidence.tables, asked), (evidence.store, of_store or asked)):
            first, last = its or (date.min, date.max)
            local = pl.col("hour").dt.convert_time_zone(zone).dt.date()
            assert (
                place.hourly["hour"].to_list() == whole.hourly.filter(local.is_between(first, last))["hour"].to_list()
            )
            assert (
                place.daily["day"].to_list()
                == whole.daily.filter(pl.col("day").is_between(first, last))["day"].to_list()
            )
        assert _found(evidence) == []


@pytest.mark.parametrize("days", [None, Days(date(2024, 8, 30), date(2024, 9, 9))])
def test_a_short_look_reads_the_hours_as_it_goes(days: Days | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hours as are gathered for another look, some stations at a time; and what it finds is the same."""
    _run(timezone=ROME)
    lake = Lake(Path("data"))
    lake.write(DAILY, "2024", _set(lake.read(DAILY, ["2024"]), DAY, pm25_mean=999.0, pm25_aqi=999))
    lake.write(HOURLY, "2024-08", lake.read(HOURLY, ["2024-08"]).filter(pl.col("hour") != hour(-240)))
    whole, short = (_gathered(days, timezone=ROME, short=short) for short in (False, True))
    assert short.tables.hourly.equals(whole.tables.hourly.select(SEEN))
    monkeypatch.setattr(parts, "HOURS_AT_ONCE", 1)
    found = [part.tables.hourly for part in parts.parts(short)]
    assert [set(hours["station_id"]) for hours in found] == [{OTHER}, {STATION}]
    assert pl.concat(found).equals(whole.tables.hourly)
    assert examine(short, short=True) == examine(whole, short=True)
    assert {"daily-mean", "missing-hours"} <= {finding.check for finding in examine(short, short=True)}


def test_a_store_that_is_behind() -> None:
    """Nothing loaded yet, or not since the tables changed: so many days wait, and the load ends it."""
    _run()
    Path("data/airq.db").rename("later.db")
    evidence = _gathered()
    assert evidence.behind == evidence.tables.daily.height
    assert [finding.severity for finding in _found(evidence)] == ["warning"]
    Path("data/airq.db").unlink()
    Path("later.db").rename("data/airq.db")
    run_transform(_settings(), Days(DAY, DAY + timedelta(days=1)))
    found = _found(_gathered())
    assert [(finding.severity, finding.sentence) for finding in found] == [("warning", "4 days wait to be loaded")]
    run_load(_settings())
    assert _found(_gathered()) == []


def test_hour_by_hour_nothing_is_found() -> None:
    """After each of many runs tables and store agree, though not every answer is sent."""
    _run()
    for number in range(1, 40, 4):
        now = NOW + timedelta(hours=number)
        _run(now, None)
        assert _found(_gathered(now=now)) == []


def test_a_daily_row_altered_on_the_disk() -> None:
    """Written through the lake, so its seal is right: the mean that does not follow is found; a rebuild mends it."""
    _run()
    lake = Lake(Path("data"))
    days = lake.read(DAILY, ["2024"])
    lake.write(DAILY, "2024", _set(days, DAY, pm25_mean=999.0, pm25_aqi=999))
    finding = _one(_gathered())
    assert (finding.check, finding.place, finding.sensor, finding.first) == ("daily-mean", "tables", "pm25", DAY)
    run_transform(_settings(), anew=True)
    run_load(_settings())
    assert _found(_gathered()) == []


def test_an_hour_gone_from_the_disk() -> None:
    """What lies under a daily row has changed: it is found, as a fault of the tables."""
    _run()
    lake = Lake(Path("data"))
    lake.write(HOURLY, "2024-09", lake.read(HOURLY, ["2024-09"]).filter(pl.col("hour") != hour(50)))
    found = _found(_gathered())
    assert [(f.check, f.place, f.sensor, f.first) for f in found] == [("daily-mean", "tables", None, DAY)] * 2
    assert {finding.station_id for finding in found} == {STATION, OTHER}


def test_a_store_that_is_shared(mongo_uri: str) -> None:
    """What another data directory loads is no fault: more hours of a station of ours, and stations of its own."""
    # FerretDB 1.x takes long for what is replaced only where it is not newer.
    few = Days(DAY, WEEKS.last)
    _run(days=few, mongodb_uri=mongo_uri)
    later = NOW + timedelta(hours=5)
    theirs: dict[str, Any] = {"data_dir": "theirs", "mongodb_uri": mongo_uri, "stations": f"{OTHER},7"}
    with Simulator([OTHER, 7], now=lambda: later) as simulator:
        assert run_all(_settings(simulator.url, later, **theirs), few).exit_code == 0
    evidence = _gathered(now=later, mongodb_uri=mongo_uri)
    assert evidence.shares
    assert evidence.store is not None
    assert evidence.store.stations == {STATION, OTHER, 7}
    assert set(evidence.store.hourly["station_id"]) == {STATION, OTHER}
    assert evidence.store.hourly.height > evidence.tables.hourly.height
    assert _found(evidence) == _found(_gathered(now=later, **theirs)) == []


def test_a_store_out_of_reach() -> None:
    """It is an error of the store, not a store without rows."""
    with pytest.raises(StoreError, match="AIRQ_MONGODB_URI"):
        _gathered(mongodb_uri="mongodb://127.0.0.1:9/air?serverSelectionTimeoutMS=200")
