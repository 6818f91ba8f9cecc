"""The whole path of the data, on real payloads and made-up ones, against real servers and real files."""

import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from airq_etl import captures, documents
from airq_etl import settings as configuration
from airq_etl.capture import Answer
from airq_etl.changes import touch
from airq_etl.errors import DamagedError, StoreError, UsageError
from airq_etl.lake import DAILY, HOURLY, REVISIONS, Lake
from airq_etl.ledger import Ledger
from airq_etl.pipeline import export
from airq_etl.pipeline.load import open_store
from airq_etl.pipeline.run import run_all, run_extract, run_import, run_load, run_transform
from airq_etl.simulator import Simulator
from airq_etl.windows import Days
from tests.frames import STATION, body, hour
from tests.server import Reply, in_turn, serving

if TYPE_CHECKING:
    from tests.conftest import MongoServer

FIRST = datetime(2023, 12, 6, 16, 20, tzinfo=UTC)
SECOND = datetime(2023, 12, 10, 0, 30, tzinfo=UTC)
STATIONS = (283164601, 283181971)


def settings(url: str = "http://127.0.0.1:9", now: datetime = FIRST, **more: Any) -> configuration.Settings:  # noqa: ANN401
    given = {"data_dir": "data", "api_url": url, "now": now, "retries": 0}
    return configuration.build(given | more)


@contextmanager
def replaying(captures_dir: Path, now: datetime) -> Iterator[str]:
    with Simulator([], now=lambda: now, captures=captures_dir) as server:
        yield server.url


@pytest.fixture(scope="module")
def both_runs(captures_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory after a run at the first and one at the second time, loaded into the embedded store."""
    where = tmp_path_factory.mktemp("both") / "data"
    for now in (FIRST, SECOND):
        with replaying(captures_dir, now) as url:
            run_all(settings(url, now, data_dir=where))
    return where


def table(where: Path | str, kind: Any = HOURLY) -> pl.DataFrame:  # noqa: ANN401 -- a kind of table
    return Lake(Path(where)).read(kind)


def stored(given: configuration.Settings) -> dict[str, list[documents.Document]]:
    store = open_store(given, Lake(given.data_dir), 60)
    try:
        kinds = (documents.STATIONS, documents.HOURLY, documents.DAILY, documents.REVISIONS)
        return {kind.name: list(store.read(kind)) for kind in kinds}
    finally:
        store.close()


def snapshot(where: Path) -> dict[str, bytes]:
    """The tables to the byte, and all that the store holds."""
    kept = [*where.glob("hourly/*"), *where.glob("daily/*"), *where.glob("revisions/*")]
    with closing(sqlite3.connect(where / "airq.db")) as store:
        # But for the record of the runs, to which each adds itself.
        stored = "\n".join(line for line in store.iterdump() if 'INTO "runs"' not in line)
    return {path.name: path.read_bytes() for path in kept} | {"airq.db": stored.encode()}


def test_a_year_of_two_stations(captures_dir: Path) -> None:
    """A first run takes the year: 16,162 hours, of which the newest are provisional, in tables and store."""
    with replaying(captures_dir, FIRST) as url:
        result = run_all(settings(url))
    assert result.exit_code == 0
    assert [(s.station_id, s.name, s.hours_new, s.days_changed) for s in result.stations] == [
        (283164601, "SMART188", 8133, 348),
        (283181971, "SMART189", 8029, 345),
    ]
    hours = table("data")
    assert hours.height == 16162
    assert hours.filter("provisional")["hour"].to_list() == [FIRST.replace(minute=0)] * 2
    assert result.documents == {"stations": 2, "hourly": 16162, "revisions": 0, "daily": 693}
    assert sum(station.wire_bytes for station in result.stations) < 620_000


def test_daily_means_agree_with_an_independent_table(captures_dir: Path, both_runs: Path) -> None:
    """The daily means of CO and PM2.5 of one capture agree with the expected table to 1e-9, day for day."""
    expected = pl.read_csv(captures_dir / "expected_daily_283164601_2023-12-06.csv", try_parse_dates=True)
    with replaying(captures_dir, FIRST) as url:
        run_all(settings(url))
    days = export.rows(settings(), "daily", [283164601], None)
    assert days["day"].to_list() == expected["day"].to_list()
    assert days.height == 348
    for sensor in ("co", "pm25"):
        assert (days[f"{sensor}_mean"] - expected[f"{sensor}_mean"]).abs().max() < 1e-9  # type: ignore[operator]
    # Four days later the days before the window that the API then keeps have not lost an hour.
    later = table(both_runs, DAILY).filter(pl.col("station_id") == 283164601, pl.col("day") < date(2023, 12, 6))
    columns = ["day", "co_mean", "co_hours", "pm25_mean"]
    assert_frame_equal(later.select(columns), days.filter(pl.col("day") < date(2023, 12, 6)).select(columns))


def test_a_second_run_changes_nothing(captures_dir: Path) -> None:
    """The same run again finds nothing new, and leaves tables (to the byte) and store as they are."""
    with replaying(captures_dir, FIRST) as url:
        run_all(settings(url))
        before = snapshot(Path("data"))
        again = run_all(settings(url))
    assert sum(s.hours_new + s.hours_settled + s.hours_revised + s.days_changed for s in again.stations) == 0
    assert again.documents == {}
    assert snapshot(Path("data")) == before
    assert sum(station.wire_bytes for station in again.stations) < 20_000


def test_four_days_later(both_runs: Path) -> None:
    """A provisional hour takes its final values without a revision; hours before the window stay; none is doubled."""
    hours = table(both_runs)
    assert hours.height == 16162 + 160
    assert not hours.select(HOURLY.key).is_duplicated().any()
    settled = hours.filter(station_id=283164601, hour=FIRST.replace(minute=0))
    assert settled.select("co", "provisional").rows() == [(pytest.approx(-0.41551, abs=1e-5), False)]
    assert table(both_runs, REVISIONS).is_empty()
    assert hours["hour"].min() == datetime(2022, 12, 6, 17, tzinfo=UTC)


def test_an_hourly_run_is_small(captures_dir: Path, both_runs: Path) -> None:
    """An hourly run for both stations moves under 20 kB over the wire."""
    shutil.copytree(both_runs, "data")
    with replaying(captures_dir, SECOND) as url:
        result = run_all(settings(url, SECOND))
    assert 0 < sum(station.wire_bytes for station in result.stations) < 20_000


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_saved_payloads_in_any_order(captures_dir: Path, both_runs: Path, order: tuple[int, ...]) -> None:
    """Saved payloads, taken one by one in any order, give the same tables, and so does a rebuild."""
    files = sorted(captures_dir.glob("*.json.gz"))
    for place in order:
        run_import(settings(now=SECOND), [files[place]], None, None)
        run_transform(settings(now=SECOND))
    expected = {kind: table("data", kind) for kind in (HOURLY, DAILY)}
    run_transform(settings(now=SECOND), anew=True)
    for kind, frame in expected.items():
        assert_frame_equal(table("data", kind), frame, check_exact=True)
        bookkeeping = ("requested_at", "updated_at")
        assert_frame_equal(
            frame.drop(bookkeeping, strict=False), table(both_runs, kind).drop(bookkeeping, strict=False)
        )


def test_a_rebuild_gives_the_same_tables_and_store(both_runs: Path) -> None:
    """The tables made again from the captures are the same, and loading them writes nothing."""
    shutil.copytree(both_runs, "data")
    before = {kind: table("data", kind) for kind in (HOURLY, DAILY, REVISIONS)}
    run_transform(settings(now=SECOND), anew=True)
    for kind, frame in before.items():
        assert_frame_equal(table("data", kind), frame, check_exact=True)
    assert sum(run_load(settings(now=SECOND)).documents.values()) == 0


def test_a_rebuild_mends_damaged_tables(both_runs: Path) -> None:
    """A damaged table is named, and a rebuild makes it again; a new ledger changes nothing."""
    shutil.copytree(both_runs, "data")
    before = table("data")
    Path("data/hourly/2023-05.parquet").write_bytes(b"PAR1 and nothing else")
    Path("data/daily/2023.parquet").write_bytes(b"")
    with pytest.raises(DamagedError, match=r"2023-05\.parquet.*--rebuild"):
        table("data")
    run_transform(settings(now=SECOND), anew=True)
    assert_frame_equal(table("data"), before)
    for path in Path("data").glob("ledger.db*"):
        path.unlink()
    run_transform(settings(now=SECOND))
    assert_frame_equal(table("data"), before)
    assert sum(run_load(settings(now=SECOND)).documents.values()) == 0


def test_a_rebuild_loses_nothing(both_runs: Path) -> None:
    """Where a capture is gone, a rebuild that would lose its hours replaces nothing unless told to."""
    shutil.copytree(both_runs, "data")
    before = table("data")
    oldest = captures.files(Lake(Path("data")))[0]
    oldest.unlink()
    with pytest.raises(UsageError, match="--discard"):
        run_transform(settings(now=SECOND), anew=True)
    assert_frame_equal(table("data"), before)
    run_transform(settings(now=SECOND), anew=True, discard=True)
    assert table("data").height < before.height


def test_revisions() -> None:
    """A value that the source changes afterwards is recorded, in table, store and export; a rebuild agrees."""
    answers = [body({0: {"CO": -1.0, "RH": 50.0}, 5: {"CO": 1.0}}), body({0: {"CO": 0.0}, 5: {"CO": 3.0}})]
    with serving(in_turn(*(Reply(body=answer) for answer in answers))) as server:
        for number, now in enumerate((hour(5) + timedelta(minutes=20), hour(30))):
            result = run_all(settings(server.url, now, stations=(STATION,)))
            assert result.stations[0].hours_revised == number
            assert result.stations[0].hours_settled == number
    expected = [(STATION, hour(0), "co", -1.0, 0.0, hour(30)), (STATION, hour(0), "humidity", 50.0, None, hour(30))]
    assert table("data", REVISIONS).rows() == expected
    assert [d["new"] for d in stored(settings())["revisions"]] == [0.0, None]
    day = Days(date(2024, 9, 9), date(2024, 9, 9))
    assert export.rows(settings(), "revisions", [], day).height == 2
    assert export.rows(settings(), "moved", [], day).select("sensor", "before", "after").rows() == [
        ("co", 1.0, 1.5),
        ("humidity", 50.0, None),
    ]
    run_transform(settings(), anew=True)
    assert table("data", REVISIONS).rows() == expected


def test_both_stores_hold_the_same(captures_dir: Path, both_runs: Path, mongo_uri: str) -> None:
    """After the same runs, MongoDB and the embedded store hold the same documents, field for field."""
    mongo = settings(now=SECOND, data_dir=both_runs, mongodb_uri=mongo_uri)
    for now in (FIRST, SECOND):
        with replaying(captures_dir, now) as url:
            assert run_all(settings(url, now, mongodb_uri=mongo_uri)).exit_code == 0
    embedded = stored(settings(data_dir=both_runs))
    assert {name: len(found) for name, found in embedded.items()} == {
        "stations": 2,
        "hourly": 16322,
        "daily": 701,
        "revisions": 0,
    }
    assert stored(mongo) == embedded


def test_a_store_that_was_down_catches_up(mongo_server: "MongoServer", mongo_uri: str) -> None:
    """A MongoDB that is down for two runs costs them exit code 7, and is complete after the third."""
    if not mongo_server.ours:
        pytest.skip("a MongoDB that is not the tests' own is not stopped")
    with Simulator([STATION], now=lambda: now) as server:
        for number in range(4):
            now = hour(24) + timedelta(hours=number)
            if number == 1:
                mongo_server.stop()
            if number == 3:
                mongo_server.start()
            result = run_all(settings(server.url, now, stations=(STATION,), mongodb_uri=mongo_uri))
            assert result.exit_code == (7 if number in {1, 2} else 0)
    found = stored(settings(mongodb_uri=mongo_uri))
    run_load(settings(now=now))
    embedded = stored(settings())
    newness = {"requested_at": None, "updated_at": None}  # those of the answer that a store last took values from
    for name, kept in found.items():
        assert [document | newness for document in kept] == [document | newness for document in embedded[name]]
    run_load(settings(mongodb_uri=mongo_uri), full=True)
    assert stored(settings(mongodb_uri=mongo_uri)) == embedded
    assert len(found["hourly"]) == table("data").height


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_flags_do_not_depend_on_how_hours_came(order: tuple[int, ...]) -> None:
    """Hours that come later, or of long before, change the flags of those around them, in tables and store alike.

    So do answers that were asked for long before those that are known.
    """
    hours = [n for n in range(24 * 60) if n % 200 > 12]
    values = {n: {"NO2": 20 + n % 24 + n * 7 % 11 + 99 * (n % 97 == 0), "CO": n // 7 % 2 / 2} for n in hours}
    for number in range(4):
        portion = {n: value for n, value in values.items() if n // 360 == number}
        Path(f"{number}.json").write_bytes(body(portion))
    for where, portions in (("whole", [(0, 1, 2, 3)]), ("data", [(number,) for number in order])):
        given = settings(data_dir=where, now=hour(24 * 80))
        for numbers in portions:
            for number in numbers:
                run_import(given, [Path(f"{number}.json")], STATION, hour(360 * (number + 1) + 1))
            run_transform(given)
            run_load(given)
    for kind in (HOURLY, DAILY):
        assert_frame_equal(table("data", kind), table("whole", kind), check_exact=True)
    found = stored(settings())
    assert found == stored(settings(data_dir="whole"))
    said = " ".join(document["reasons"] or "" for document in found["hourly"])
    for word in ("no2 warm-up", "no2 spike", "co flat"):
        assert word in said


def test_an_hour_before_midnight_is_flagged_when_the_next_day_begins() -> None:
    """A spike at 23:00 is one when 00:00 has come: the day before, its document and its counts are brought up."""
    usual = {n: {"CO": 0.5 + (n % 5) / 100} for n in range(24 * 20)}
    last = 24 * 20 - 1
    bodies = [body(usual | {last: {"CO": 9.0}}), body(usual | {last: {"CO": 9.0}, last + 1: {"CO": 0.5}})]
    flags = []
    for number, answered in enumerate(bodies):
        with serving(in_turn(Reply(body=answered))) as server:
            run_all(settings(server.url, hour(last + 1 + number) + timedelta(minutes=5), stations=(STATION,)))
        documents_of = stored(settings())
        flags.append((documents_of["hourly"][last]["co_flag"], documents_of["daily"][19]["co_suspect"]))
    assert flags == [("ok", 0), ("suspect", 1)]


def test_a_new_store_gets_everything() -> None:
    """A store that is removed is made again, whole, by the next load."""
    with serving(in_turn(Reply(body=body({n: {"CO": 1.0} for n in range(30)})))) as server:
        run_all(settings(server.url, hour(40), stations=(STATION,)))
    before = stored(settings())
    for path in Path("data").glob("airq.db*"):
        path.unlink()
    assert run_load(settings()).documents["hourly"] == 30
    assert stored(settings()) == before
    assert sum(run_load(settings(), full=True).documents.values()) == 0


def test_one_station_fails() -> None:
    """Where one station fails the others are stored, the run is partial, and says which and why."""
    good = Reply(body=body({0: {"CO": 1.0}}))
    with serving(lambda request: Reply(404) if request.path.endswith("/7") else good) as server:
        result = run_all(settings(server.url, hour(40), stations=(STATION, 7)))
    assert result.exit_code == 3
    assert [problem.message for problem in result.problems] == [
        "station 7: the API does not know this station (status 404); see AIRQ_STATIONS and AIRQ_API_URL"
    ]
    assert table("data").height == 1
    with Ledger(Path("data")) as ledger:
        assert ledger.rows("select state, exit_code from runs") == [("PARTIAL", 3)]
        assert ledger.rows("select step, state from steps order by started_at, step") == [
            ("extract", "PARTIAL"),
            ("forecast", "SUCCESS"),
            ("load", "SUCCESS"),
            ("sanity-check", "SUCCESS"),
            ("transform", "SUCCESS"),
        ]


def test_an_outage_is_no_empty_answer() -> None:
    """All stations failing is exit code 5 and changes nothing; an empty answer is a success with nothing new."""
    with serving(in_turn(Reply(body=body({0: {"CO": 1.0}})))) as server:
        run_all(settings(server.url, hour(40), stations=(STATION,)))
    before = snapshot(Path("data"))
    with serving(in_turn(Reply(503))) as server:
        assert run_all(settings(server.url, hour(41), stations=(STATION,))).exit_code == 5
    with serving(in_turn(Reply(body=b'{"header": {}, "data": []}'))) as server:
        empty = run_all(settings(server.url, hour(42), stations=(STATION,)))
    assert (empty.exit_code, empty.stations[0].hours_new) == (0, 0)
    assert snapshot(Path("data")) == before


def test_refused_credentials() -> None:
    """A 401 is exit code 6, never an empty success."""
    with serving(in_turn(Reply(401, b"{}"))) as server:
        assert run_all(settings(server.url, stations=(STATION,))).exit_code == 6


def test_the_same_failure_is_one_line() -> None:
    """Stations that fail for the same reason are one problem, which names the first of them."""
    with serving(in_turn(Reply(404))) as server:
        result = run_all(settings(server.url, stations=tuple(range(1, 9))))
    (problem,) = result.problems
    assert problem.message.startswith("stations 1, 2, 3, 4, 5 and 3 more: the API does not know")
    assert [station.error is not None for station in result.stations] == [True] * 8
    assert result.exit_code == 5


def test_rejected_rows_are_kept() -> None:
    """Bad rows are set aside with position and reason, counted, and exported; the good ones are stored."""
    text = body({0: {"CO": 1.0}}).replace(b'"data":[', b'"data":[{"timestamp":"2024-09-09 03:00:00","CO":"x"},7,')
    with serving(in_turn(Reply(body=text))) as server:
        result = run_all(settings(server.url, hour(40), stations=(STATION,)))
    assert (result.exit_code, result.stations[0].rows_rejected, table("data").height) == (0, 2, 1)
    rejects = export.rows(settings(), "rejects", [STATION], None)
    assert rejects.select("position", "key").rows() == [(0, "CO"), (1, "")]


def test_days_are_asked_for() -> None:
    """With days, exactly these are asked for (and an hour around), whatever is known."""
    with Simulator([STATION], now=lambda: hour(24)) as server:
        given = settings(server.url, hour(24), stations=(STATION,))
        result = run_extract(given, Days(date(2024, 9, 1), date(2024, 9, 2)))
        (asked,) = server.requests
    assert asked.query == {"start_date": "20240831-2300", "end_date": "20240903-0100"}
    assert result.capture is not None


def test_the_year_is_swept() -> None:
    """The whole year is asked at first, then the overlap, and the year again after AIRQ_SWEEP_DAYS."""
    now = hour(24)
    with Simulator([STATION], now=lambda: now) as server:
        for days in (0, 1, 6, 7, 8):
            now = hour(24) + timedelta(days=days)
            run_all(settings(server.url, now, stations=(STATION,)))
        assert ["start_date" in asked.query for asked in server.requests] == [False, True, True, False, True]


def test_the_result_has_the_newest_nowcast() -> None:
    """Of each station the NowCast of the newest hour that is over; of one without PM2.5 none."""
    values = {n: {"PM2.5": 20.0, "CO": 1.0} for n in range(30)}
    without = {n: {"CO": 1.0} for n in range(30)}
    with serving(lambda asked: Reply(body=body(without if asked.path.endswith("/7") else values))) as server:
        result = run_all(settings(server.url, hour(29) + timedelta(minutes=20), stations=(STATION, 7)))
    found = {station.station_id: (station.pm25_nowcast, station.pm25_nowcast_aqi) for station in result.stations}
    assert found == {STATION: (20.0, 71), 7: (None, None)}
    assert stored(settings())["hourly"][28]["pm25_nowcast"] == 20.0
    assert stored(settings())["hourly"][29]["pm25_nowcast"] is None


def test_a_daily_table_that_was_removed_costs_the_store_no_day() -> None:
    """Days that are missing from the tables, but whose hours are there, stay in the store."""
    with serving(in_turn(Reply(body=body({n: {"CO": 1.0} for n in range(48)})))) as server:
        run_all(settings(server.url, hour(60), stations=(STATION,)))
    Lake(Path("data")).path(DAILY, "2024").unlink()
    run_load(settings(), full=True)
    assert len(stored(settings())["daily"]) == 2


def test_a_station_put_into_service_later_has_its_means_anew() -> None:
    """A beginning in the stations file flags earlier hours and leaves them out of means, in tables and store."""
    with serving(in_turn(Reply(body=body({n: {"CO": 1.0} for n in range(48)})))) as server:
        run_all(settings(server.url, hour(60), stations=(STATION,)))
    Path("stations.toml").write_text(f"[{STATION}]\nin_service_from = 2024-09-10\n")
    given = settings(stations_file="stations.toml")
    run_transform(given)
    run_load(given)
    found = stored(given)
    assert [(day["co_mean"], day["co_hours"], day["co_bad"]) for day in found["daily"]] == [(None, 0, 24), (1.0, 24, 0)]
    assert [document["co_flag"] for document in found["hourly"]] == ["bad"] * 24 + ["suspect"] * 24
    assert found["stations"][0]["in_service_from"] == hour(24)
    assert export.rows(given, "hourly", [], None)["reasons"][0] == "co not in service, co flat"


def test_a_changed_rule_computes_days_anew() -> None:
    """Another zone, or other hours for a valid mean, recomputes the daily table and the store by itself."""
    with serving(in_turn(Reply(body=body({n: {"CO": float(n)} for n in range(48)})))) as server:
        run_all(settings(server.url, hour(60), stations=(STATION,)))
        assert table("data", DAILY)["co_mean"].to_list() == [11.5, 35.5]
        run_all(settings(server.url, hour(60), stations=(STATION,), timezone="Etc/GMT-1"))
        days = table("data", DAILY)
        assert days.select("day", "co_hours").rows() == [
            (date(2024, 9, 9), 23),
            (date(2024, 9, 10), 24),
            (date(2024, 9, 11), 1),
        ]
        result = run_all(settings(server.url, hour(60), stations=(STATION,), timezone="Etc/GMT-1", min_hours=24))
        assert table("data", DAILY)["co_valid"].to_list() == [False, True, False]
        assert result.documents["daily"] > 0
    assert [d["co_valid"] for d in stored(settings())["daily"]] == [False, True, False]


@pytest.mark.parametrize("full", [False, True])
def test_another_zone_leaves_no_day_behind(full: bool) -> None:  # noqa: FBT001
    """A day whose hours all belong to another one now goes from the store, as it does from the daily table."""
    with serving(in_turn(Reply(body=body({n: {"CO": 1.0} for n in range(23, 49)})))) as server:
        run_all(settings(server.url, hour(60), stations=(STATION,)))
    assert [document["_id"][-2:] for document in stored(settings())["daily"]] == ["09", "10", "11"]
    run_transform(settings(now=hour(60), stations=(STATION,), timezone="Etc/GMT-1"))
    run_load(settings(now=hour(60), stations=(STATION,), timezone="Etc/GMT-1"), full=full)
    days = [str(day) for day in table("data", DAILY)["day"]]
    assert days == ["2024-09-10", "2024-09-11"]
    assert [document["_id"] for document in stored(settings())["daily"]] == [f"{STATION}:{day}" for day in days]


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "Asia/Kolkata", "UTC"])
def test_local_days_across_months_and_years(zone: str) -> None:
    """A local day that lies in two UTC months, or years, has all its hours, in tables and store."""
    start = int((datetime(2024, 11, 29, tzinfo=UTC) - hour(0)) / timedelta(hours=1))
    readings: dict[int, dict[str, float]] = {start + n: {"CO": 1.0} for n in range(24 * 40)}
    now = hour(max(readings) + 5)
    for part in range(4):
        portion = dict(list(readings.items())[part * 240 : (part + 1) * 240])
        with serving(in_turn(Reply(body=body(portion)))) as server:
            run_all(settings(server.url, now, stations=(STATION,), timezone=zone, sweep_days=0))
    days = table("data", DAILY)
    assert days["co_hours"].sum() == 24 * 40
    assert days["co_hours"][1:-1].to_list() == [24] * (days.height - 2)
    assert not days.select(DAILY.key).is_duplicated().any()
    assert [d["co_hours"] for d in stored(settings())["daily"]] == days["co_hours"].to_list()


def test_saved_payloads_override_nothing_newer() -> None:
    """A dump counts as asked for at its newest hour: it fills gaps, and overrides nothing newer."""
    with serving(in_turn(Reply(body=body({5: {"CO": 5.0}})))) as server:
        run_all(settings(server.url, hour(40), stations=(STATION,)))
    dump = Path(f"dump_{STATION}.json")
    dump.write_bytes(body({0: {"CO": 0.0}, 5: {"CO": -5.0}, 9: {"CO": 9.0}}))
    run_import(settings(now=hour(50)), [dump], None, None)
    run_transform(settings(now=hour(50)))
    assert table("data").select("co", "provisional").rows() == [(0.0, False), (5.0, False), (9.0, True)]
    run_import(settings(now=hour(50)), [dump], STATION, hour(45))
    run_transform(settings(now=hour(50)))
    assert table("data").select("co", "provisional").rows() == [(0.0, False), (-5.0, False), (9.0, False)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none_283164601.json", None, "cannot be read"),
        ("283164601.json", b"<html>", "not JSON"),
        ("283164601.json", b'{"data": []}', "no hour"),
        ("dump.json", b'{"data": [{"timestamp": "2023-01-01 00:00:00"}]}', "--station"),
        ("283164601.json.gz", b"\x1f\x8b\x08junk", "gzip"),
    ],
)
def test_a_bad_file_is_named_before_any_is_kept(name: str, content: bytes | None, said: str) -> None:
    """A file that is no payload is named, and none of the files is kept."""
    good = Path("283164601_good.json")
    good.write_bytes(body({0: {"CO": 1.0}}))
    if content is not None:
        Path(name).write_bytes(content)
    with pytest.raises(UsageError, match=name) as caught:
        run_import(settings(now=hour(50)), [good, Path(name)], None, None)
    assert said in str(caught.value)
    assert captures.files(Lake(Path("data"))) == []


def test_a_damaged_capture_stops_no_other() -> None:
    """A capture that cannot be read is named at each run and left as it is; what else is waiting goes on."""
    with serving(in_turn(Reply(body=body({0: {"CO": 1.0}})))) as server:
        given = settings(server.url, hour(40), stations=(STATION,))
        run_extract(given)
        (path,) = captures.files(Lake(Path("data")))
        path.write_bytes(path.read_bytes()[:-20])
        damaged = path.read_bytes()
        for _ in range(2):
            result = run_all(given)
            assert result.exit_code == 7
            assert path.name in result.problems[0].message
    assert path.read_bytes() == damaged
    assert table("data").height == 1


def test_interrupted_before_the_days_were_computed() -> None:
    """Days whose hours were written by a run that got no further are computed by the next."""
    with serving(in_turn(Reply(body=body({0: {"CO": 1.0}})))) as server:
        given = settings(server.url, hour(40), stations=(STATION,))
        run_all(given)
        Path("data/daily/2024.parquet").unlink()
        with Ledger(Path("data")) as ledger, ledger.transaction() as db:
            db.execute("update meta set value = '0' where key = 'daily_position'")
        run_all(given)
    assert table("data", DAILY)["co_mean"].to_list() == [1.0]


def test_a_read_only_store_is_named() -> None:
    """A store that cannot be opened is exit code 7 with its path, and the tables are kept."""
    Path("data/airq.db").mkdir(parents=True)
    with serving(in_turn(Reply(body=body({0: {"CO": 1.0}})))) as server:
        result = run_all(settings(server.url, hour(40), stations=(STATION,)))
    assert result.exit_code == 7
    assert "airq.db" in result.problems[0].message
    assert table("data").height == 1
    with pytest.raises(StoreError):
        run_load(settings())


def test_bytes_come_first() -> None:
    """A bad answer is kept, too, and readable where it lies."""
    with serving(in_turn(Reply(200, b"<html>\xff"))) as server:
        run_all(settings(server.url, hour(40), stations=(STATION,)))
    (path,) = captures.files(Lake(Path("data")))
    (answer,) = captures.read(path)
    assert (answer.status, answer.body) == (200, b"<html>\xff")
    assert path.stat().st_mode & 0o077 == 0


def test_a_lost_ledger_costs_nothing() -> None:
    """Without its ledger the tables stay as they are, and a store gets everything again, old days as well."""
    with serving(in_turn(Reply(body=body({n: {"CO": 1.0} for n in range(30)})))) as server:
        run_all(settings(server.url, hour(40), stations=(STATION,)))
    before = table("data"), table("data", DAILY), stored(settings())
    for path in (*Path("data").glob("ledger.db*"), *Path("data").glob("airq.db*"), *Path("data/daily").glob("*")):
        path.unlink()
    run_transform(settings(now=hour(40)))
    run_load(settings(now=hour(40)))
    assert_frame_equal(table("data"), before[0])
    assert_frame_equal(table("data", DAILY), before[1])
    assert stored(settings()) == before[2]


def test_a_change_reaches_the_store_whatever_comes_between() -> None:
    """A day that changed is sent though it was touched again, and the run that did so went no further."""
    for number, value in enumerate((1.0, 2.0)):
        with serving(in_turn(Reply(body=body({5: {"CO": value}, 29: {"CO": value}})))) as server:
            given = settings(server.url, hour(40 + number), stations=(STATION,))
            run_extract(given)
            run_transform(given)
        if number == 0:
            run_load(given)
    with Ledger(Path("data")) as ledger, ledger.transaction() as db:
        touch(db, [(STATION, date(2024, 9, 9), False)])
    run_load(given)
    run_transform(given)
    run_load(given)
    assert [d["co"] for d in stored(given)["hourly"]] == [2.0, 2.0]


def test_a_restored_copy_is_sent() -> None:
    """A data directory restored from a copy sends the store all that it learns from then on."""
    for step, value in enumerate((1.0, 2.0, 3.0)):
        if step == 1:
            shutil.copytree("data", "copy")
        if step == 2:
            shutil.move("data/airq.db", "copy/airq.db")
            shutil.rmtree("data")
            Path("copy").rename("data")
        with serving(in_turn(Reply(body=body({0: {"CO": value}, 1: {"CO": value}})))) as server:
            run_all(settings(server.url, hour(40 + step), stations=(STATION,)))
    assert [d["co"] for d in stored(settings())["hourly"]] == [3.0, 3.0]


def test_a_flipped_byte_in_a_capture_stops_no_rebuild(both_runs: Path) -> None:
    """A capture with a flipped byte is named, and a rebuild that would lose its hours replaces nothing."""
    shutil.copytree(both_runs, "data")
    before = table("data")
    path = captures.files(Lake(Path("data")))[1]
    damaged = bytearray(path.read_bytes())
    damaged[60] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(UsageError, match="--discard"):
        run_transform(settings(now=SECOND), anew=True)
    assert_frame_equal(table("data"), before)
    result = run_transform(settings(now=SECOND), anew=True, discard=True)
    assert path.name in result.problems[0].message
    assert result.exit_code == 7
    assert table("data").height == 16162


def test_one_refused_station_starves_no_other() -> None:
    """A station that the API refuses us is one station that fails."""
    good = Reply(body=body({0: {"CO": 1.0}}))
    with serving(lambda request: Reply(403, b"{}") if request.path.endswith("/7") else good) as server:
        result = run_all(settings(server.url, hour(40), stations=(7, STATION), concurrency=1))
    assert (result.exit_code, table("data").height) == (3, 1)


def test_numbers_beyond_reason_stop_nothing() -> None:
    """The largest single-precision number in PM2.5 is kept as reported, and costs no other value."""
    readings = {n: {"PM2.5": 3.4028235e38 if n == 3 else 5.0, "VOC": 3.4028235e38, "CO": 1.0} for n in range(24)}
    with serving(in_turn(Reply(body=body(readings)))) as server:
        assert run_all(settings(server.url, hour(40), stations=(STATION,))).exit_code == 0
    assert table("data", DAILY).select("co_mean", "pm25_aqi").rows() == [(1.0, 28)]


@pytest.mark.parametrize(
    ("name", "station"),
    [("2023-12-06_283164601.json", 283164601), ("283164601_20231206.json.gz", 283164601), ("SMART_7777.json", 7777)],
)
def test_a_date_is_no_station(name: str, station: int) -> None:
    """The station is found in a file's name beside a date; where it is not plain it must be said."""
    Path(name).write_bytes(body({0: {"CO": 1.0}}))
    assert run_import(settings(now=hour(50)), [Path(name)], None, None).stations[0].station_id == station
    Path("12345_67890.json").write_bytes(body({0: {"CO": 1.0}}))
    with pytest.raises(UsageError, match="--station"):
        run_import(settings(now=hour(50)), [Path("12345_67890.json")], None, None)


def test_a_cut_answer_is_left_out(tmp_path: Path) -> None:
    """What a signal cut off in the middle of being written is no part of the capture."""
    lake = Lake(tmp_path / "data")
    lake.open()
    answer = Answer(station_id=7, requested_at=FIRST, url="u", status=200, body=bytes(100_000))
    writer = captures.CaptureWriter(lake, "run", FIRST)
    writer.add(answer)
    with next(lake.temporary.iterdir()).open("ab") as file:
        file.write(b"\x1f\x8b half a member")
    path = writer.keep()
    assert path is not None
    assert list(captures.read(path)) == [answer]
    assert list(lake.temporary.iterdir()) == []
