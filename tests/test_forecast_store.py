"""Forecasts for those who read the store, an export or the scores."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from airq_etl import documents
from airq_etl import settings as configuration
from airq_etl.documents import LAYOUT, META, Document
from airq_etl.errors import StoreError, UsageError
from airq_etl.forecast import table
from airq_etl.lake import Lake
from airq_etl.ledger import Ledger
from airq_etl.pipeline.forecasting.keep import keep
from airq_etl.pipeline.forecasting.known import models_known, scores_known
from airq_etl.pipeline.forecasting.send import AT_ONCE, send
from airq_etl.pipeline.load import open_store
from airq_etl.pipeline.run import run_load
from airq_etl.store import Store
from airq_etl.windows import Days
from tests.forecasts import LATER, at_work, forecast, forecasts, news, put_hours
from tests.frames import STATION, answer, hour
from tests.raw import Raw, RawMongo, RawSqlite

if TYPE_CHECKING:
    from tests.conftest import Airq

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
DATA = Path("data")
NOW = hour(20) + LATER
NO_NEWS = table.no_models()
DOWN = "mongodb://127.0.0.1:1/air_quality?serverSelectionTimeoutMS=100"


@pytest.fixture(params=["embedded", "mongo"])
def uri(request: pytest.FixtureRequest) -> str | None:
    """Of MongoDB, None of the embedded store."""
    return request.getfixturevalue("mongo_uri") if request.param == "mongo" else None


@pytest.fixture
def store(uri: str | None) -> Iterator[Store]:
    """The store that is sent to."""
    lake = Lake(DATA)
    lake.open()
    with closing(open_store(configuration.build({"data_dir": DATA, "mongodb_uri": uri}), lake, 30)) as opened:
        yield opened


@pytest.fixture
def raw(uri: str | None) -> Raw:
    """The same, as anybody else sees it."""
    return RawSqlite(DATA / "airq.db") if uri is None else RawMongo(uri)


def kept(*rows: dict[str, Any], now: datetime = NOW) -> None:
    """Forecasts in the table, and not in the store: the run was killed in between."""
    with at_work(DATA, now) as work:
        keep(work, forecasts(*rows), NO_NEWS)


def sent(uri: str | None, now: datetime = NOW, *, full: bool = False) -> int:
    """How many a run at `now` writes to the store."""
    with at_work(DATA, now, mongodb_uri=uri) as work:
        written, _ = send(work, full=full)
    return written["forecasts"]


def ids(store: Store) -> list[str]:
    """What the store holds, without the station."""
    return [str(found["_id"]).removeprefix(f"{STATION}:") for found in store.read(documents.FORECASTS)]


def mark(store: Store) -> Document:
    with Ledger(DATA) as ledger:
        mine = f"forecasts:{ledger.lake_id}"
    return next(found for found in store.read(META) if found["_id"] == mine)


# -- the store -----------------------------------------------------------------------------------------------


def test_a_forecast_is_a_document(uri: str | None, store: Store) -> None:
    """It comes back field for field, under a key that says what of and from when; times to the millisecond."""
    made_at = hour(10) + timedelta(minutes=20, microseconds=1234)
    kept(forecast(9, 2, made_at=made_at, updated_at=made_at))
    assert sent(uri) == 1
    (found,) = store.read(documents.FORECASTS)
    assert found == {
        "_id": "283164601:pm25:2024-09-09T09:2",
        "station_id": STATION,
        "sensor": "pm25",
        "origin": datetime(2024, 9, 9, 9, tzinfo=UTC),
        "horizon": 2,
        "hour": datetime(2024, 9, 9, 11, tzinfo=UTC),
        "lo95": 6.0,
        "lo80": 8.0,
        "median": 10.0,
        "hi80": 12.0,
        "hi95": 14.0,
        "persistence": 11.0,
        "model": "linear",
        "trained_through": None,
        "made_at": datetime(2024, 9, 9, 10, 20, 0, 1000, tzinfo=UTC),
        "observed": None,
        "updated_at": datetime(2024, 9, 9, 10, 20, 0, 1000, tzinfo=UTC),
    }
    assert sent(uri, full=True) == 0


def test_what_is_new_or_has_come_is_sent(uri: str | None, store: Store) -> None:
    """A run sends what it made and what has come since; the mark is the newest of that, in microseconds."""
    put_hours(DATA, answer({10: {"PM2.5": 7.0}}, NOW))
    kept(forecast(9), forecast(9, 2), now=hour(10) + LATER)
    assert sent(uri, hour(10) + LATER) == 2
    kept(forecast(10), now=hour(11) + LATER)
    assert sent(uri, hour(11) + LATER) == 2
    assert [found["observed"] for found in store.read(documents.FORECASTS)] == [7.0, None, None]
    position = (hour(11) + LATER - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert mark(store) | {"position": position, "layout": LAYOUT} == mark(store)


def test_sent_twice_is_sent_once(uri: str | None, store: Store) -> None:
    """A second run, of the same moment or a later one, writes nothing; nor does sending everything."""
    kept(forecast(9), forecast(9, 2), forecast(18))
    assert sent(uri) == 3
    before = list(store.read(documents.FORECASTS)), list(store.read(META))
    assert [sent(uri), sent(uri, NOW + timedelta(hours=1)), sent(uri, full=True)] == [0, 0, 0]
    assert (list(store.read(documents.FORECASTS)), list(store.read(META))) == before
    assert len(ids(store)) == 3


def test_a_run_that_was_killed_is_made_up_for(uri: str | None, store: Store) -> None:
    """What an earlier run put into the table and did not send is sent by the next, even of the same moment."""
    kept(forecast(9), now=hour(10) + LATER)
    assert sent(uri, hour(10) + LATER) == 1
    kept(forecast(9, 2), now=hour(10) + LATER)
    kept(forecast(10), now=hour(11) + LATER)
    kept(forecast(11), now=hour(12) + LATER)
    assert sent(uri, hour(12) + LATER) == 3
    assert ids(store) == [
        "pm25:2024-09-09T09:1",
        "pm25:2024-09-09T09:2",
        "pm25:2024-09-09T10:1",
        "pm25:2024-09-09T11:1",
    ]


def test_more_than_goes_at_once_is_sent(uri: str | None, store: Store) -> None:
    """Of thousands of stations there are thousands of forecasts an hour, and each is sent."""
    ids = range(1, AT_ONCE + 3)
    kept(*(forecast(9, station_id=one) for one in ids))
    assert sent(uri) == len(ids)
    assert {found["station_id"] for found in store.read(documents.FORECASTS)} == set(ids)


def test_what_waited_for_months_is_sent(uri: str | None) -> None:
    """A store that was out of reach gets all that was made meanwhile, and what came late of what it has."""
    kept(forecast(9), now=hour(10) + LATER)
    assert sent(uri, hour(10) + LATER) == 1
    months = [9 + 24 * days for days in (25, 50, 75, 100)]
    for origin in months:
        kept(forecast(origin), now=hour(origin + 1) + LATER)
    put_hours(DATA, answer({10: {"PM2.5": 7.0}}, NOW))
    kept(now=hour(10) + timedelta(days=44))
    assert sent(uri, hour(months[-1] + 2)) == 1 + len(months)


def test_what_came_late_of_the_month_before_is_sent(uri: str | None) -> None:
    """What is seen weeks after the forecast was made lies in an older file, and is sent all the same."""
    october = hour(24 * 30) + LATER
    kept(forecast(9), forecast(24 * 30 - 1), now=october)
    assert sent(uri, october) == 2
    put_hours(DATA, answer({10: {"PM2.5": 7.0}}, NOW))
    kept(now=october + timedelta(days=3))
    assert sent(uri, october + timedelta(days=3)) == 1


def test_a_new_store_is_sent_everything(uri: str | None, store: Store, raw: Raw) -> None:
    """So is one that lost its mark, or was loaded by an older layout; what is there is not written again."""
    kept(forecast(9), forecast(10))
    sent(uri)
    store.remove(documents.FORECASTS, ["283164601:pm25:2024-09-09T09:1"])
    assert sent(uri) == 0
    store.remove(META, [str(mark(store)["_id"])])
    assert sent(uri) == 1
    store.remove(documents.FORECASTS, ["283164601:pm25:2024-09-09T09:1"])
    raw.change("meta", str(mark(store)["_id"]), layout=LAYOUT - 1)
    assert sent(uri) == 1
    store.remove(documents.FORECASTS, ["283164601:pm25:2024-09-09T09:1"])
    assert sent(uri, full=True) == 1


def test_a_replay_sends_what_it_makes(uri: str | None, store: Store) -> None:
    """With `--now` in the past all is looked at, and the run after it, which goes on in the present, loses nothing."""
    kept(forecast(18))
    assert sent(uri) == 1
    kept(forecast(9), now=hour(10) + LATER)
    assert sent(uri, hour(10) + LATER) == 1
    kept(forecast(10), now=hour(11) + LATER)  # and was killed
    kept(forecast(19), now=NOW + timedelta(hours=1))
    assert sent(uri, NOW + timedelta(hours=1)) == 2
    assert len(ids(store)) == 4


def test_a_table_that_was_restored_is_sent_whole(uri: str | None, store: Store) -> None:
    """A mark beyond all rows says that the table is older than the store."""
    kept(forecast(9), now=hour(10) + LATER)
    older = (DATA / "forecasts" / "2024-09.parquet").read_bytes()
    kept(forecast(18))
    sent(uri)
    (DATA / "forecasts" / "2024-09.parquet").write_bytes(older)
    store.remove(documents.FORECASTS, ["283164601:pm25:2024-09-09T09:1"])
    assert sent(uri, NOW + timedelta(hours=1)) == 1


def test_what_another_data_directory_knows_better_stays(uri: str | None, store: Store, raw: Raw) -> None:
    """Of a forecast that two of them send, the one on which there is newer news stands."""
    kept(forecast(9))
    sent(uri)
    raw.change("forecasts", "283164601:pm25:2024-09-09T09:1", observed=7.0, updated_at=NOW)
    assert sent(uri, full=True) == 0
    assert [found["observed"] for found in store.read(documents.FORECASTS)] == [7.0]


def test_a_store_of_a_newer_version_is_refused(uri: str | None, store: Store, raw: Raw) -> None:
    """Nothing is sent to a store that a newer airq-etl loaded."""
    kept(forecast(9))
    raw.insert("meta", {"_id": "loaded:other", "position": 1, "layout": LAYOUT + 1})
    with pytest.raises(StoreError, match="upgrade airq-etl"):
        sent(uri)
    assert ids(store) == []


def test_a_store_is_sent_nothing_where_there_is_nothing() -> None:
    """Without forecasts nobody asks the store, which may be down."""
    with at_work(DATA, NOW, mongodb_uri=DOWN) as work:
        assert send(work) == ({}, None)


def test_a_store_that_the_load_did_not_reach_is_not_tried_again() -> None:
    """A run loses no more time to a store that is down; asked for alone, it is tried, and said to be down."""
    kept(forecast(9))
    with at_work(DATA, NOW, mongodb_uri=DOWN) as work:
        work.fail(StoreError("it is down"))
        assert send(work) == ({}, None)
    with pytest.raises(StoreError, match="cannot be used"):
        sent(DOWN)


def test_a_damaged_capture_keeps_no_forecast_from_the_store(mongo_uri: str) -> None:
    """A problem with the data directory is none of the store, which the load did reach."""
    kept(forecast(9))
    with at_work(DATA, NOW, mongodb_uri=mongo_uri) as work:
        work.fail(StoreError("a capture is damaged"))
        work.result.store = "MongoDB"
        assert send(work)[0] == {"forecasts": 1}


def test_a_full_load_sends_all_forecasts_again(uri: str | None, store: Store) -> None:
    """`load` sends what the store was not sent yet, `load --full` makes good what it lost; both say what they wrote."""
    kept(forecast(9), forecast(10))
    settings = configuration.build({"data_dir": DATA, "mongodb_uri": uri, "now": NOW})
    assert sent(uri) == 2
    store.remove(documents.FORECASTS, ["283164601:pm25:2024-09-09T09:1"])
    assert run_load(settings).documents["forecasts"] == 0
    assert run_load(settings, full=True).documents["forecasts"] == 1
    assert run_load(settings, full=True).documents["forecasts"] == 0
    assert len(ids(store)) == 2


def test_a_store_of_before_there_were_forecasts_gets_them(airq: "Airq") -> None:
    """An embedded store that an older version made takes the table."""
    kept(forecast(9))
    assert sent(None) == 1
    with closing(sqlite3.connect(DATA / "airq.db")) as db:
        db.execute("drop table forecasts")
        db.execute("delete from meta")
        db.commit()
    assert sent(None) == 1
    assert airq("status", "--data-dir", DATA.absolute(), "--json", expect=0).json["disk"]["tables"] > 0


# -- scores and history ----------------------------------------------------------------------------------------


def test_scores_are_of_the_last_28_days(tmp_path: Path) -> None:
    """By default those of hours in the last 28 days count, of all stations or of some."""
    put_hours(DATA, answer({n: {"PM2.5": 9.0} for n in (10, 11, 12)}, NOW))
    kept(forecast(9), forecast(9, 2), forecast(10, 2), forecast(11, model="damped"))
    at = configuration.build({"data_dir": DATA, "now": NOW})
    names = ("horizon", "model", "hours")
    assert scores_known(at).select(names).rows() == [(1, "damped", 1), (1, "linear", 1), (2, "linear", 2)]
    later = configuration.build({"data_dir": DATA, "now": hour(11) + timedelta(days=28)})
    assert scores_known(later).select(names).rows() == [(1, "damped", 1), (2, "linear", 2)]
    assert scores_known(at, [STATION]).height == 3
    assert scores_known(at, [7]).is_empty()
    assert not (tmp_path / "share").exists()


def test_scores_of_local_days() -> None:
    """A day is the station's own: what is forecast for its first hours, from the month before, is of it."""
    first = 24 * 22  # 2024-10-01 00:00
    put_hours(DATA, answer({first + n: {"PM2.5": 9.0} for n in (-6, -1, 0, 18)}, hour(first + 20)))
    kept(*(forecast(first + n - 1) for n in (-6, -1, 0, 18)), now=hour(first + 20))
    day = Days(hour(first).date(), hour(first).date())
    counts = {
        zone: scores_known(
            configuration.build({"data_dir": DATA, "now": hour(first + 20), "timezone": zone}), days=day
        )["hours"].sum()
        for zone in ("UTC", "Asia/Tokyo", "America/New_York")
    }
    assert counts == {"UTC": 2, "Asia/Tokyo": 3, "America/New_York": 1}


def test_the_history_of_models_ends_with_the_newest() -> None:
    """All of it, or that of some stations, whichever series it is of."""
    with at_work(DATA, NOW) as work:
        rows = [news(12, sensor="co"), news(9), news(10, station_id=7)]
        keep(work, forecasts(forecast(9)), pl.concat(rows))
    settings = configuration.build({"data_dir": DATA})
    assert models_known(settings)["since"].to_list() == [hour(9), hour(10), hour(12)]
    assert models_known(settings, [7])["since"].to_list() == [hour(10)]


def test_no_forecasts_yet() -> None:
    """Who asks before there are any is told what makes some."""
    settings = configuration.build({"data_dir": DATA})
    for known in (scores_known, models_known):
        with pytest.raises(UsageError, match=r"no forecasts in .*data yet; `airq-etl forecast` makes some"):
            known(settings)
    assert not DATA.exists()


# -- export --------------------------------------------------------------------------------------------------


def test_forecasts_are_exported(airq: "Airq") -> None:
    """As CSV, Parquet or JSON lines, of some stations, of the days of the hours that they are for."""
    kept(forecast(9), forecast(22, 2), forecast(9, station_id=7, trained_through=hour(8)))
    where = ("--data-dir", str(DATA.absolute()))
    lines = airq("export", "forecasts", *where).out.splitlines()
    assert lines[0] == ",".join(table.SCHEMA)
    assert lines[1].startswith("7,pm25,2024-09-09T09:00:00Z,1,2024-09-09T10:00:00Z,6.0,8.0,10.0,12.0,14.0,11.0,linear,")
    assert len(lines) == 4
    airq("export", "forecasts", *where, "-o", "found.parquet")
    assert pl.read_parquet(airq.directory / "found.parquet").schema == table.SCHEMA
    airq("export", "forecasts", *where, "-o", "found.jsonl")
    assert pl.read_ndjson(airq.directory / "found.jsonl").height == 3
    days = ("--start-date", "2024-09-10", "--end-date", "2024-09-10")
    assert "2024-09-10T00:00:00Z" in airq("export", "forecasts", *where, *days).out.splitlines()[1]
    assert airq("export", "forecasts", *where, "--station", "7").out.count("\n") == 2
    assert "station 8" in airq("export", "forecasts", *where, "--station", "8").err


@pytest.mark.parametrize("made", [False, True])
def test_no_forecasts_to_export(airq: "Airq", made: bool) -> None:  # noqa: FBT001 -- a case
    """One line says so and what makes some, whether or not there are data."""
    if made:
        put_hours(DATA, answer({10: {"PM2.5": 7.0}}, NOW))
    ran = airq("export", "forecasts", "--data-dir", DATA.absolute(), expect=2)
    assert (ran.out, ran.err.count("\n")) == ("", 1)
    assert ("`airq-etl forecast` makes some" if made else "`airq-etl run` fetches some") in ran.err


def test_every_column_is_described() -> None:
    """The README has a line for each column of the tables, in their order."""
    for columns, heading in ((table.SCHEMA, "In `forecasts/`"), (table.MODEL_SCHEMA, "In `forecasts/models/`")):
        rows = README.partition(heading)[2].partition("| column |")[2].partition("\n\n")[0].splitlines()[2:]
        assert [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])] == list(columns)
