"""One contract, two keepers; then what is particular to each."""

import socket
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pymongo
import pytest
from polars.testing import assert_frame_equal

from airq_etl import daily, documents, hourly
from airq_etl.documents import DAILY, HOURLY, LAYOUT, META, REVISIONS, STATIONS, Document
from airq_etl.errors import DamagedError, StoreError, UsageError
from airq_etl.lake import private
from airq_etl.stations import Rules, Station
from airq_etl.store import Batch, Store, probe
from airq_etl.store.embedded import EmbeddedStore
from airq_etl.store.mongo import MongoStore, _insert, _replace
from tests.frames import published
from tests.raw import Raw, RawMongo, RawSqlite

if TYPE_CHECKING:
    from tests.conftest import MongoServer

Opener = Callable[[], Store]
Database = pymongo.database.Database[dict[str, Any]]

STATION, OTHER = 283164601, 9999
LAKE, OTHER_LAKE = "lake-a", "lake-b"
START = datetime(2024, 9, 9, tzinfo=UTC)
LIMIT_S = 30
PASSWORD = "s3cret-w0rd"  # noqa: S105 -- no message may show it


def _frame(hours: int, station_id: int = STATION, **columns: Any) -> pl.DataFrame:  # noqa: ANN401 -- cells
    times = [START + timedelta(hours=number) for number in range(hours)]
    asked = {"requested_at": START + timedelta(days=40)}
    values = {"co": 0.41, "pm25": 12.5, "provisional": False} | asked | columns
    lists = {name: value if isinstance(value, list) else [value] * hours for name, value in values.items()}
    return hourly.arrange(pl.DataFrame({"station_id": [station_id] * hours, "hour": times} | lists))


def _hours(hours: int = 3, station_id: int = STATION, **columns: Any) -> list[Document]:  # noqa: ANN401 -- as above
    return documents.hourly(published(_frame(hours, station_id, **columns)))


def _days(hours: int = 48, station_id: int = STATION, **columns: Any) -> list[Document]:  # noqa: ANN401 -- as above
    return documents.daily(daily.compute(_frame(hours, station_id, **columns), Rules()))


def _revisions(**columns: Any) -> list[Document]:  # noqa: ANN401 -- as above
    seen_at = datetime(2024, 9, 16, 10, 20, 0, 123_000, tzinfo=UTC)
    row = {"station_id": STATION, "hour": START, "sensor": "co", "old": 0.41, "new": None, "seen_at": seen_at}
    return documents.revisions(pl.DataFrame([row | columns], schema=hourly.REVISION_SCHEMA))


def _stations() -> list[Document]:
    known = {STATION: Station(name="SMART188", latitude=5.36, longitude=-4.0, timezone="UTC"), OTHER: Station()}
    return documents.stations(known)


def _everything() -> list[Batch]:
    """A document of each kind at least, with nulls, with and without a sensor that few stations carry."""
    return [
        (STATIONS, _stations()),
        (HOURLY, _hours(48, co2=[415.0, None] * 24, no2=[None, 18.0] * 24)),
        (HOURLY, _hours(2, OTHER, provisional=[False, True])),
        (REVISIONS, _revisions() + _revisions(sensor="pm25", old=12.0, new=-1.5)),
        (DAILY, _days(30, co2=[415.0] * 24 + [None] * 6)),
    ]


def _content(store: Store) -> dict[str, list[Document]]:
    return {collection.name: list(store.read(collection)) for collection in (STATIONS, HOURLY, DAILY, REVISIONS)}


def _expected(batches: list[Batch]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for collection, batch in batches:
        found.setdefault(collection.name, []).extend(batch)
    return {name: sorted(batch, key=lambda document: str(document["_id"])) for name, batch in found.items()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the embedded store lies."""
    return tmp_path / "airq.db"


@pytest.fixture(params=["embedded", "mongo"])
def opener(request: pytest.FixtureRequest, path: Path) -> Opener:
    """Opens the same store again and again; its caller closes it."""
    if request.param == "embedded":
        return partial(EmbeddedStore, path)
    return partial(MongoStore, request.getfixturevalue("mongo_uri"), None, LIMIT_S)


@pytest.fixture
def store(opener: Opener) -> Iterator[Store]:
    """A new, empty store."""
    with closing(opener()) as opened:
        yield opened


@pytest.fixture
def raw(store: Store, path: Path, request: pytest.FixtureRequest) -> Raw:
    """The same store as anybody else sees it."""
    return RawSqlite(path) if isinstance(store, EmbeddedStore) else RawMongo(request.getfixturevalue("mongo_uri"))


@pytest.fixture
def embedded(path: Path) -> Iterator[EmbeddedStore]:
    """An embedded store that loses patience with another writer at once."""
    with closing(EmbeddedStore(path, wait_s=0.2)) as opened:
        yield opened


@pytest.fixture
def mongo(mongo_uri: str) -> Iterator[MongoStore]:
    """A store in an empty database."""
    with closing(MongoStore(mongo_uri, None, LIMIT_S)) as opened:
        yield opened


@pytest.fixture
def database(mongo_uri: str) -> Iterator[Database]:
    """The database of `mongo`, as anybody sees it."""
    with closing(pymongo.MongoClient[dict[str, Any]](mongo_uri, tz_aware=True)) as client:
        yield client.get_default_database()


# -- the contract of both ----------------------------------------------------------------------------------


def test_an_empty_store_has_no_position_and_no_documents(store: Store) -> None:
    """A data directory that was never loaded has the position None."""
    assert store.mark(LAKE).position is None
    assert _content(store) == {"stations": [], "hourly": [], "daily": [], "revisions": []}


def test_documents_come_back_field_for_field(store: Store) -> None:
    """What was saved is read back equal, with its types: nulls, booleans, whole numbers, aware UTC times."""
    batches = _everything()
    store.save(batches, LAKE, 1)
    content = _content(store)
    assert content == _expected(batches)
    for name, found in content.items():
        for document, sent in zip(found, _expected(batches)[name], strict=True):
            assert {key: type(value) for key, value in document.items()} == {k: type(v) for k, v in sent.items()}


def test_times_are_aware_and_keep_their_milliseconds(store: Store) -> None:
    """A time is read as UTC, to the millisecond."""
    store.save([(REVISIONS, _revisions())], LAKE, 1)
    (revision,) = store.read(REVISIONS)
    assert revision["seen_at"].isoformat() == "2024-09-16T10:20:00.123000+00:00"
    assert revision["hour"].utcoffset() == timedelta(0)


def test_a_sensor_that_a_station_lacks_is_absent(store: Store) -> None:
    """Core sensors are null where there is no value, any other one is not there at all."""
    store.save([(HOURLY, _hours(2, co2=[415.0, None])), (DAILY, _days(25, co2=[415.0] * 24 + [None]))], LAKE, 1)
    with_co2, without = store.read(HOURLY)
    assert (with_co2["co2"], "co2" in without) == (415.0, False)
    assert without["no2"] is None
    first, second = store.read(DAILY)
    assert first["co2_hours"] == 24
    assert not [name for name in second if name.startswith("co2")]


def test_new_documents_are_inserted_and_counted(store: Store) -> None:
    """The count of a collection is over all its batches."""
    written = store.save(_everything(), LAKE, 1)
    assert written == {"stations": 2, "hourly": 50, "revisions": 2, "daily": 2}


def test_twice_is_once(store: Store) -> None:
    """The same documents again: none is written, none is there twice."""
    store.save(_everything(), LAKE, 1)
    before = _content(store)
    assert set(store.save(_everything(), LAKE, 1).values()) == {0}
    assert _content(store) == before


def test_only_what_differs_is_replaced(store: Store) -> None:
    """One changed value is one document written; the others stay."""
    store.save([(HOURLY, _hours(3))], LAKE, 1)
    changed = _hours(4, co=[0.41, -0.2, 0.41, 0.41])
    assert store.save([(HOURLY, changed)], LAKE, 2) == {"hourly": 2}
    assert list(store.read(HOURLY)) == changed


@pytest.mark.parametrize(("before", "after"), [(0.41, None), (None, 0.41), (0.0, None), (415.0, 416.0)])
@pytest.mark.parametrize("sensor", ["co", "co2"])
def test_a_value_that_comes_or_goes_is_a_difference(
    store: Store, sensor: str, before: float | None, after: float | None
) -> None:
    """A document is replaced whole, so that a value that is gone is gone in the store too."""
    first, changed = (
        documents.hourly(published(_frame(1).with_columns(pl.lit(value, pl.Float64).alias(sensor))))
        for value in (before, after)
    )
    store.save([(HOURLY, first)], LAKE, 1)
    assert store.save([(HOURLY, changed)], LAKE, 2) == {"hourly": 1}
    assert list(store.read(HOURLY)) == changed


def test_an_hour_that_settles_is_a_difference(store: Store) -> None:
    """A boolean alone is reason enough."""
    store.save([(HOURLY, _hours(1, provisional=True))], LAKE, 1)
    assert store.save([(HOURLY, _hours(1, provisional=False))], LAKE, 2) == {"hourly": 1}
    assert [hour["provisional"] for hour in store.read(HOURLY)] == [False]


def test_of_two_with_one_id_the_later_stays(store: Store) -> None:
    """A batch that holds a document twice leaves one, with the later values."""
    store.save([(HOURLY, _hours(2, co=0.1) + _hours(1, co=0.2))], LAKE, 1)
    assert [hour["co"] for hour in store.read(HOURLY)] == [0.2, 0.1]


def test_documents_are_removed_by_id(store: Store) -> None:
    """One that is not there is no error, so twice is once."""
    store.save([(DAILY, _days(48)), (HOURLY, _hours(2))], LAKE, 1)
    for _ in range(2):
        store.remove(DAILY, [f"{STATION}:2024-09-10", f"{STATION}:2024-09-30"])
    store.remove(DAILY, [])
    assert [document["_id"] for document in store.read(DAILY)] == [f"{STATION}:2024-09-09"]
    assert len(list(store.read(HOURLY))) == 2


def test_a_probe_leaves_nothing(store: Store) -> None:
    """A document is written and read back; neither it nor a mark stays."""
    store.save(_everything(), "lake", 7)
    before = _content(store), list(store.read(META))
    probe(store)
    assert (_content(store), list(store.read(META))) == before
    assert store.mark("another").position is None


def test_the_mark_moves_with_each_save(store: Store) -> None:
    """Also with nothing to write, and also back: a ledger may be a restored copy."""
    for position in (1, 7, 3):
        store.save([], LAKE, position)
        assert store.mark(LAKE).position == position


def test_each_data_directory_has_its_own_mark(store: Store) -> None:
    """Two data directories may load into one store."""
    store.save([(HOURLY, _hours(1))], LAKE, 5)
    assert store.mark(OTHER_LAKE).position is None
    store.save([(HOURLY, _hours(1, OTHER))], OTHER_LAKE, 2)
    assert (store.mark(LAKE).position, store.mark(OTHER_LAKE).position) == (5, 2)


def test_the_newest_answer_stands(store: Store) -> None:
    """Of two documents that differ the newer one stays, whoever wrote it last; one as new replaces."""
    newer, older = START + timedelta(days=40), START + timedelta(days=39)
    store.save([(HOURLY, _hours(3))], LAKE, 1)
    assert store.save([(HOURLY, _hours(3, co=0.9, requested_at=older))], OTHER_LAKE, 1) == {"hourly": 0}
    assert store.save([(DAILY, _days(3))], LAKE, 2) == {"daily": 1}
    assert store.save([(DAILY, _days(3, co=0.9, requested_at=older))], OTHER_LAKE, 2) == {"daily": 0}
    assert [document["co"] for document in store.read(HOURLY)] == [0.41] * 3
    assert store.save([(HOURLY, _hours(3, co=0.7, requested_at=newer))], OTHER_LAKE, 3) == {"hourly": 3}


def test_what_is_only_newer_is_written_where_that_is_wanted(store: Store) -> None:
    """A document that is newer and else the same is left alone, but for an exact save."""
    newer = START + timedelta(days=41)
    store.save([(HOURLY, _hours(2))], LAKE, 1)
    assert store.save([(HOURLY, _hours(2, requested_at=newer))], LAKE, 2) == {"hourly": 0}
    assert store.save([(HOURLY, _hours(2, requested_at=newer))], LAKE, 3, exact=True) == {"hourly": 2}
    assert {document["requested_at"] for document in store.read(HOURLY)} == {newer}


def test_a_span_of_hours_is_read(store: Store) -> None:
    """The hours of one station from a time on and before another."""
    store.save([(HOURLY, _hours(6)), (HOURLY, _hours(6, OTHER))], LAKE, 1)
    found = store.between(HOURLY, OTHER, START + timedelta(hours=2), START + timedelta(hours=4))
    assert sorted(document["_id"] for document in found) == ["9999:2024-09-09T02", "9999:2024-09-09T03"]


def test_one_station_is_read_alone(store: Store) -> None:
    """`read` with a station gives its documents and no others."""
    ours, theirs = _hours(2), _hours(3, OTHER)
    store.save([(HOURLY, ours + theirs)], LAKE, 1)
    assert list(store.read(HOURLY, STATION)) == ours
    assert list(store.read(HOURLY, OTHER)) == theirs
    assert list(store.read(HOURLY, 1)) == []


def test_documents_are_read_by_id(store: Store) -> None:
    """The order is that of `_id` as text, whatever the order in which they came."""
    store.save([(HOURLY, [*reversed(_hours(30)), *_hours(2, OTHER)])], LAKE, 1)
    ids = [hour["_id"] for hour in store.read(HOURLY)]
    assert ids == sorted(ids)
    assert ids[0] == "283164601:2024-09-09T00"


def test_a_frame_holds_what_the_documents_hold(store: Store) -> None:
    """Each document is a row, each field a column of its type, one that is absent null; with no rows the same."""
    for collection in (STATIONS, HOURLY, DAILY, REVISIONS):
        assert_frame_equal(store.frame(collection), pl.DataFrame(schema=documents.schema(collection)))
    store.save(_everything(), LAKE, 1)
    for collection in (STATIONS, HOURLY, DAILY, REVISIONS):
        names = documents.schema(collection)
        rows = [{name: document.get(name) for name in names} for document in store.read(collection)]
        expected = pl.DataFrame(rows, schema=names)
        assert_frame_equal(store.frame(collection).sort("_id"), expected, check_exact=True)


def test_a_frame_gives_the_table_back(store: Store) -> None:
    """The rows that were loaded come back as they were, days as well."""
    hours = _frame(48, co2=[415.0, None] * 24)
    days = daily.compute(hours, Rules())
    store.save([(HOURLY, documents.hourly(published(hours))), (DAILY, documents.daily(days))], LAKE, 1)
    found = documents.hourly_frame(store.frame(HOURLY, fields=documents.hourly_fields()))
    assert_frame_equal(found.sort(hourly.KEY), hours, check_exact=True)
    assert_frame_equal(documents.daily_frame(store.frame(DAILY)).sort(daily.KEY), days, check_exact=True)


def test_a_frame_of_some_hours_and_fields(store: Store) -> None:
    """From a time on and before another, each where it is given; only the fields that are asked for."""
    store.save([(HOURLY, _hours(6))], LAKE, 1)
    first, last = START + timedelta(hours=2), START + timedelta(hours=4)
    for begin, end, expected in ((first, last, [2, 3]), (first, None, [2, 3, 4, 5]), (None, last, [0, 1, 2, 3])):
        found = store.frame(HOURLY, begin, end, ["hour", "co"])
        assert found.columns == ["hour", "co"]
        assert sorted(time.hour for time in found["hour"]) == expected
    store.save([(DAILY, _days(72))], LAKE, 2)
    assert store.frame(DAILY, START + timedelta(days=1))["day"].dt.day().sort().to_list() == [10, 11]


def test_a_frame_of_some_stations(store: Store) -> None:
    """Of these alone, beside the bounds of time; of none nothing."""
    store.save([(HOURLY, [*_hours(6), *_hours(6, OTHER), *_hours(6, 1)])], LAKE, 1)
    found = store.frame(HOURLY, START + timedelta(hours=4), None, ["station_id", "hour"], {OTHER, 1, 2})
    assert sorted(found["station_id"]) == [1, 1, OTHER, OTHER]
    assert store.frame(HOURLY, stations=()).is_empty()


def test_the_stations_of_a_collection_are_known(store: Store, raw: Raw) -> None:
    """Each once, whatever somebody else wrote there; an empty collection has none."""
    assert store.stations(HOURLY) == frozenset()
    store.save([(HOURLY, [*_hours(3), *_hours(2, OTHER), *_hours(1, 1)])], LAKE, 1)
    raw.change("hourly", "283164601:2024-09-09T01", station_id="SMART188")
    raw.change("hourly", "1:2024-09-09T00", station_id=1.0)
    assert store.stations(HOURLY) == {1, STATION, OTHER}
    assert store.stations(DAILY) == frozenset()


def test_a_frame_is_the_same_in_however_small_portions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents are turned into columns some at a time, which nobody sees."""
    store.save(_everything(), LAKE, 1)
    whole = store.frame(HOURLY).sort("_id")
    monkeypatch.setattr(sys.modules[type(store).__module__], "FRAME_AT_ONCE", 7)
    assert_frame_equal(store.frame(HOURLY).sort("_id"), whole, check_exact=True)
    assert whole.height == 50


@pytest.mark.parametrize(
    ("field", "value"),
    [("co", "n/a"), ("pm25", "high"), ("station_id", "SMART188"), ("provisional", "no"), ("requested_at", "today")],
)
def test_a_value_of_another_type_is_null_in_a_frame(store: Store, raw: Raw, field: str, value: str) -> None:
    """What somebody else wrote does not end the reading; all other values stay."""
    store.save([(HOURLY, _hours(3))], LAKE, 1)
    expected = store.frame(HOURLY).sort("_id")
    raw.change("hourly", "283164601:2024-09-09T01", **{field: value})
    theirs = pl.when(pl.col("_id") == "283164601:2024-09-09T01").then(None).otherwise(pl.col(field)).alias(field)
    assert_frame_equal(store.frame(HOURLY).sort("_id"), expected.with_columns(theirs), check_exact=True)


def test_whole_numbers_of_another_kind_are_numbers_in_a_frame(store: Store, raw: Raw) -> None:
    """MongoDB's shell writes 24 as a double, and 1 where 1.0 is meant: both are what they were."""
    store.save([(DAILY, _days(24, co=1.0))], LAKE, 1)
    expected = store.frame(DAILY)
    raw.change("daily", "283164601:2024-09-09", co_hours=24.0, co_mean=1)
    assert_frame_equal(store.frame(DAILY), expected, check_exact=True)


def test_a_restart_in_between_changes_nothing(opener: Opener) -> None:
    """What one process saved, the next one finds."""
    with closing(opener()) as first:
        first.save(_everything(), LAKE, 4)
        before = _content(first)
    with closing(opener()) as second:
        assert second.mark(LAKE).position == 4
        assert _content(second) == before
        assert set(second.save(_everything(), LAKE, 4).values()) == {0}


def test_a_load_that_breaks_off_leaves_the_mark(store: Store) -> None:
    """The mark moves last, so the load is done again; its own error comes through as it is."""
    store.save([(HOURLY, _hours(1))], LAKE, 1)
    with pytest.raises(DamagedError, match="a table is damaged"):
        store.save(_broken_off(), LAKE, 2)
    assert store.mark(LAKE).position == 1
    store.save([(HOURLY, _hours(5, co=0.9))], LAKE, 2)
    assert list(store.read(HOURLY)) == _hours(5, co=0.9)


def test_a_name_has_no_credentials(store: Store) -> None:
    """`name` is for messages: it says which store it is, on one line."""
    assert store.name
    assert "\n" not in store.name


def _broken_off() -> Iterator[Batch]:
    yield HOURLY, _hours(5, co=0.9)
    raise DamagedError("a table is damaged")


# -- the embedded store ------------------------------------------------------------------------------------


def test_a_load_is_one_transaction(embedded: EmbeddedStore) -> None:
    """Embedded, a load that breaks off leaves what was there before, to the last document."""
    embedded.save(_everything(), LAKE, 1)
    before = _content(embedded)
    with suppress(DamagedError):
        embedded.save(_broken_off(), LAKE, 2)
    assert (_content(embedded), embedded.mark(LAKE).position) == (before, 1)


def test_another_writer_is_waited_for_and_not_for_ever(embedded: EmbeddedStore, path: Path) -> None:
    """While somebody else writes, a save gives up with StoreError; afterwards it does its work."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"airq\.db cannot be used: database is locked"):
            embedded.save(_everything(), LAKE, 1)
        assert 0.2 <= time.monotonic() - began < 5
    embedded.save(_everything(), LAKE, 1)
    assert embedded.mark(LAKE).position == 1


def test_readers_do_not_block_a_writer(embedded: EmbeddedStore, path: Path) -> None:
    """Somebody who reads keeps seeing what was there when he began, and hinders no load."""
    embedded.save([(HOURLY, _hours(2))], LAKE, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        count = "select count(*) from hourly"
        reader.execute("begin")
        assert reader.execute(count).fetchone() == (2,)
        embedded.save([(HOURLY, _hours(9))], LAKE, 2)
        assert reader.execute(count).fetchone() == (2,)
        reader.execute("commit")
        assert reader.execute(count).fetchone() == (9,)


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    """Damage is an error that names the file, and not a byte of it is written over."""
    rubbish = b"not what was written here" * 1000
    path.write_bytes(rubbish)
    with pytest.raises(DamagedError, match=r"airq\.db is damaged"):
        EmbeddedStore(path)
    assert path.read_bytes() == rubbish


def test_a_damaged_page_is_found_when_it_is_read(path: Path) -> None:
    """A page overwritten by something else is an error, never a document less."""
    with closing(EmbeddedStore(path)) as opened:
        opened.save([(HOURLY, _hours(500))], LAKE, 1)
    whole = path.read_bytes()
    middle = len(whole) // 2
    damaged = whole[:middle] + b"\xff" * 8192 + whole[middle + 8192 :]
    path.write_bytes(damaged)
    with closing(EmbeddedStore(path)) as opened, pytest.raises(DamagedError):
        list(opened.read(HOURLY))
    assert path.read_bytes() == damaged


def test_its_files_are_private(path: Path) -> None:
    """Where a job makes the store, nobody else may read it, nor what lies beside it while it is open."""
    with private(), closing(EmbeddedStore(path)) as store:
        store.save(_everything(), LAKE, 1)
        files = sorted(path.parent.glob("airq.db*"))
        assert len(files) > 1
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_newer_layout_is_refused(path: Path) -> None:
    """A file of a newer version is not touched by an older one."""
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("pragma user_version = 99")
    with pytest.raises(StoreError, match=r"newer airq-etl \(layout 99"):
        EmbeddedStore(path)
    with closing(sqlite3.connect(path)) as newer:
        assert newer.execute("select count(*) from sqlite_master").fetchone() == (0,)


def test_an_older_layout_is_brought_up_to_date(path: Path) -> None:
    """A file of the first version gets the fields that it lacks, keeps its rows, and is to be loaded anew."""
    with closing(sqlite3.connect(path)) as older:
        older.executescript(
            "create table hourly (_id text primary key, station_id integer, hour text, co real) without rowid;"
            "create table meta (_id text primary key, position integer) without rowid;"
            "insert into hourly values ('283164601:2024-09-09T00', 283164601, '2024-09-09 00:00:00', 0.4);"
            "insert into meta values ('loaded:lake-a', 17); pragma user_version = 1"
        )
    with closing(EmbeddedStore(path)) as store:
        assert store.mark(LAKE).position is None
        assert [document["co"] for document in store.read(HOURLY)] == [0.4]
        assert store.save([(HOURLY, _hours(2))], LAKE, 18) == {"hourly": 2}
        assert store.mark(LAKE).position == 18
    with closing(EmbeddedStore(path)) as store:
        assert list(store.read(HOURLY)) == _hours(2)


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """A directory that is not there is told as StoreError."""
    with pytest.raises(StoreError, match="unable to open"):
        EmbeddedStore(tmp_path / "nowhere" / "airq.db")


def test_embedded_tables_have_indexes(embedded: EmbeddedStore, path: Path) -> None:
    """A station's hours and days are found without reading the others'."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        for table, column in (("hourly", "hour"), ("daily", "day")):
            query = f"explain query plan select * from {table} where station_id = 1 and {column} > ''"  # noqa: S608
            assert f"(station_id=? AND {column}>?)" in reader.execute(query).fetchone()[3]
    assert embedded.mark(LAKE).position is None


# -- MongoDB -----------------------------------------------------------------------------------------------


def test_more_than_a_hundred_may_change_at_once(mongo: MongoStore) -> None:
    """FerretDB 1.x hangs on a bulk of a hundred replacements, so they are sent in portions."""
    mongo.save([(HOURLY, _hours(1100))], LAKE, 1)
    changed = _hours(1100, co=[0.41] * 900 + [0.9] * 200)
    assert mongo.save([(HOURLY, changed)], LAKE, 2) == {"hourly": 200}
    assert list(mongo.read(HOURLY)) == changed


def test_others_who_share_the_database_are_seen(mongo: MongoStore) -> None:
    """A database into which another data directory was loaded is shared, and only such a one."""
    assert not mongo.mark(LAKE).shares
    mongo.save([(STATIONS, _stations())], LAKE, 1)
    assert not mongo.mark(LAKE).shares
    mongo.save([(STATIONS, _stations())], OTHER_LAKE, 2)
    assert mongo.mark(LAKE) == (1, True)


def test_a_newer_one_is_not_overtaken_between_reading_and_writing(mongo: MongoStore, database: Database) -> None:
    """What another wrote after we looked stays where it is newer than ours."""
    (ours,), (theirs,) = (
        _hours(1, co=co, requested_at=START + timedelta(days=days)) for co, days in ((0.1, 40), (0.2, 41))
    )
    database["hourly"].insert_one(dict(theirs))
    _replace(mongo._database["hourly"], [ours], "requested_at")  # noqa: SLF001 -- the moment between the two
    assert list(mongo.read(HOURLY)) == [theirs]


def test_one_that_was_removed_between_reading_and_writing_is_there_again(mongo: MongoStore, database: Database) -> None:
    """What was to be replaced and is gone is inserted; what is there beside it is replaced."""
    there, gone = _hours(2, co=0.9)
    database["hourly"].insert_one(there | {"co": 0.1})
    _replace(mongo._database["hourly"], [there, gone], None)  # noqa: SLF001 -- the moment between the two
    assert list(mongo.read(HOURLY)) == [there, gone]


class _Heard(pymongo.monitoring.CommandListener):
    """The updates that a client sends, and the collections in which it looks for documents by `_id`."""

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.looked: list[str] = []

    def started(self, event: pymongo.monitoring.CommandStartedEvent) -> None:
        self.updates += event.command.get("updates", [])
        if "_id" in event.command.get("filter", {}):
            self.looked.append(event.command["find"])

    def succeeded(self, event: pymongo.monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: pymongo.monitoring.CommandFailedEvent) -> None:
        pass


@pytest.fixture
def heard(mongo: MongoStore, mongo_uri: str) -> Iterator[_Heard]:
    """What `mongo` sends from now on."""
    listener = _Heard()
    with closing(pymongo.MongoClient[dict[str, Any]](mongo_uri, tz_aware=True, event_listeners=[listener])) as client:
        mongo._database = client.get_database(mongo._database.name)  # noqa: SLF001 -- to hear what it sends
        yield listener


@pytest.mark.parametrize("shares", [False, True])
def test_a_sharded_collection_takes_each_write(mongo: MongoStore, heard: _Heard, *, shares: bool) -> None:
    """Sharded by `station_id`, MongoDB takes no upsert by `_id`, and routes a replacement by the station in it."""
    for co in (0.41, 0.9):
        mongo.save([(HOURLY, _hours(30, co=co)), (DAILY, _days(30, co=co))], LAKE, 1, exact=True, shares=shares)
    replacements = [update for update in heard.updates if "station_id" in update["u"]]
    assert len(replacements) == 32
    assert not any(update.get("upsert") for update in heard.updates)


def test_nothing_is_looked_for_in_what_was_empty_at_first(mongo: MongoStore, heard: _Heard) -> None:
    """The first load of a data directory inserts where nothing is there; all others look at what is."""
    mongo.save([(HOURLY, _hours(30))], LAKE, 1)
    assert set(heard.looked) == {"meta"}
    mongo.save([(HOURLY, _hours(30))], OTHER_LAKE, 1)
    assert heard.looked.count("hourly") == 1
    assert mongo.save([(HOURLY, _hours(30, co=0.9)), (DAILY, _days(30))], LAKE, 2) == {"hourly": 30, "daily": 2}
    assert heard.looked.count("hourly") == 2
    assert heard.looked.count("daily") == 1


def test_what_others_insert_during_the_first_load_is_replaced_only_by_what_is_newer(
    mongo: MongoStore, database: Database
) -> None:
    """Although nobody looked: the newer hour of another stays, the older one goes."""
    ours = _hours(3, co=0.1)
    newer, older = (
        _hours(3, co=0.2, requested_at=START + timedelta(days=days))[number] for number, days in ((0, 41), (1, 39))
    )

    def batches() -> Iterator[Batch]:
        yield STATIONS, _stations()
        database["hourly"].insert_many([dict(newer), dict(older)])
        yield HOURLY, ours

    mongo.save(batches(), LAKE, 1)
    assert list(mongo.read(HOURLY)) == [newer, *ours[1:]]


def test_a_database_of_a_newer_version_is_left_alone(mongo: MongoStore, database: Database) -> None:
    """Where a newer airq-etl has loaded, an older one does not write."""
    database[META.name].insert_one({"_id": "loaded:x", "position": 1, "layout": LAYOUT + 1})
    with pytest.raises(StoreError, match="newer airq-etl"):
        mongo.mark(LAKE)


def test_indexes_are_there(mongo: MongoStore, database: Database) -> None:
    """A station's hours, days and revisions are found by an index, made if absent and once."""
    for position in (1, 2):
        mongo.save(_everything(), LAKE, position)
        for collection, time_field in ((HOURLY, "hour"), (DAILY, "day"), (REVISIONS, "hour")):
            keys = [list(index["key"].items()) for index in database[collection.name].list_indexes()]
            assert keys == [[("_id", 1)], [("station_id", 1), (time_field, 1)]]


def test_documents_are_plain(mongo: MongoStore, database: Database) -> None:
    """Anybody finds the documents under their `_id`, in plain collections, and the mark in `meta`."""
    mongo.save(_everything(), LAKE, 3)
    assert database["hourly"].find_one({"_id": "283164601:2024-09-09T00"}) == _expected(_everything())["hourly"][0]
    assert database["daily"].count_documents({"station_id": STATION, "day": {"$gte": START}}) == 2
    assert list(database[META.name].find()) == [{"_id": f"loaded:{LAKE}", "position": 3, "layout": LAYOUT}]


def test_what_somebody_else_inserted_first_is_replaced(mongo: MongoStore, database: Database) -> None:
    """A document that appears between the look and the insert is no error: it is handed back, to be replaced."""
    mongo.save([(HOURLY, _hours(1))], LAKE, 1)
    rows = _hours(3, co=0.9)
    assert _insert(database[HOURLY.name], rows) == rows[:1]
    assert [hour["co"] for hour in mongo.read(HOURLY)] == [0.41, 0.9, 0.9]
    assert mongo.save([(HOURLY, rows)], LAKE, 2) == {"hourly": 1}
    assert list(mongo.read(HOURLY)) == rows


def test_refused_credentials_are_an_error(mongo_uri: str) -> None:
    """What the server refuses is told in its words, without the password."""
    host = mongo_uri.partition("://")[2].rpartition("@")[2]
    with closing(MongoStore(f"mongodb://nobody:{PASSWORD}@{host}", None, LIMIT_S)) as store:
        message, _ = _failure(partial(_ask, store))
    assert " refuses: " in message
    assert PASSWORD not in message + store.name


def test_a_server_that_is_down_is_an_error_within_seconds(unused_port: int) -> None:
    """Nobody waits for long, and the message names the host and the setting but no password."""
    uri = f"mongodb://airq:{PASSWORD}@127.0.0.1:{unused_port}/air"
    for act in (_ask, _save, _look):
        with closing(MongoStore(uri, None, LIMIT_S)) as store:
            message, seconds = _failure(partial(act, store))
            assert seconds < 8
            assert f"127.0.0.1:{unused_port}" in message
            assert "AIRQ_MONGODB_URI" in message
            assert PASSWORD not in message + store.name


def test_a_server_that_went_down_and_came_back(mongo: MongoStore, mongo_server: "MongoServer") -> None:
    """The same store fails while the server is away, and goes on where it was when it is back."""
    if not mongo_server.ours:
        pytest.skip("only a server of our own can be stopped")
    mongo.save([(HOURLY, _hours(2))], LAKE, 1)
    mongo_server.stop()
    _, seconds = _failure(partial(_save, mongo))
    assert seconds < 8
    mongo_server.start()
    assert mongo.mark(LAKE).position == 1
    assert mongo.save([(HOURLY, _hours(5))], LAKE, 2) == {"hourly": 3}


def test_a_server_that_says_nothing_is_an_error_at_the_limit(mongo_uri: str, mongo_server: "MongoServer") -> None:
    """A server that accepts and then is silent holds nobody longer than the limit of the store."""
    if not mongo_server.ours:
        pytest.skip("only a server of our own can be paused")
    with closing(MongoStore(mongo_uri, None, 2)) as store:
        store.save([(HOURLY, _hours(2))], LAKE, 1)
        mongo_server.pause()
        _, seconds = _failure(partial(_save, store))
        assert seconds < 5
        mongo_server.resume()
        assert store.mark(LAKE).position == 1


@pytest.mark.parametrize(
    "uri",
    [
        f"http://airq:{PASSWORD}@localhost/air",
        f"mongodb://airq:{PASSWORD}@localhost:port/air",
        f"mongodb://airq:{PASSWORD}@@localhost/air",
        f"mongodb://airq:{PASSWORD}/@localhost/air",
        f"mongodb://airq:{PASSWORD}@localhost/air quality",
        f"mongodb://airq:{PASSWORD}@localhost/?tls=true&tlsCAFile=/nowhere.pem",
        "",
    ],
)
def test_a_bad_uri_is_an_error_of_usage(uri: str) -> None:
    """The message names the setting and what it should look like, and shows nothing of a password."""
    with pytest.raises(UsageError, match="AIRQ_MONGODB_URI") as error:
        MongoStore(uri, None, LIMIT_S)
    assert PASSWORD not in str(error.value)


@pytest.mark.parametrize("name", ["air.quality", "air quality", "air/quality"])
def test_a_bad_database_name_is_an_error_of_usage(name: str) -> None:
    """The message names the setting."""
    with pytest.raises(UsageError, match="AIRQ_MONGODB_DATABASE"):
        MongoStore("mongodb://localhost", name, LIMIT_S)


def test_the_database_is_the_one_that_is_named(mongo_uri: str) -> None:
    """A name given beside the URI wins over the URI's; without either it is air_quality."""
    host = mongo_uri.partition("://")[2].partition("/")[0]
    for uri, given, expected in (
        (mongo_uri, "other", "other"),
        (f"mongodb://{host}/air", None, "air"),
        (f"mongodb://{host}", None, "air_quality"),
        (f"mongodb://{host}/?retryWrites=false", None, "air_quality"),
    ):
        with closing(MongoStore(uri, given, LIMIT_S)) as store:
            assert store.name.startswith(f"MongoDB database {expected} on ")


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port at which nobody answers, and that nobody else can take."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_frame_of_more_than_one_batch(mongo: MongoStore) -> None:
    """All documents come, however many the server gives at once."""
    mongo.save([(HOURLY, _hours(1500))], LAKE, 1)
    assert mongo.frame(HOURLY, fields=["hour"])["hour"].n_unique() == 1500


def _look(store: Store) -> None:
    store.frame(HOURLY)


def _ask(store: Store) -> None:
    store.mark(LAKE)


def _save(store: Store) -> None:
    store.save([(HOURLY, _hours(5))], LAKE, 9)


def _failure(act: Callable[[], None]) -> tuple[str, float]:
    """The message of the StoreError that comes of it, and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(StoreError) as error:
        act()
    return str(error.value), time.monotonic() - began
