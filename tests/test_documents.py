"""Documents: the same for both stores, and a function of the data alone."""

from datetime import UTC, date, datetime

import polars as pl
from polars.testing import assert_frame_equal

from airq_etl import daily, documents, hourly
from airq_etl.stations import Rules, Station
from tests.frames import STATION, answer, hour, published

LATER = hour(100)


def test_hourly_documents() -> None:
    """An hour's document has its key, UTC time, every core sensor (null without a value) and flag, and its answer's."""
    (document,) = documents.hourly(published(answer({10: {"CO": -0.5, "PM2.5": 7.0}}, LATER)))
    assert document == {
        "_id": "283164601:2024-09-09T10",
        "station_id": STATION,
        "hour": datetime(2024, 9, 9, 10, tzinfo=UTC),
        "co": -0.5,
        "no2": None,
        "o3": None,
        "pm25": 7.0,
        "pm10": None,
        "temperature": None,
        "humidity": None,
        "internal_temperature": None,
        "co_flag": "suspect",
        "no2_flag": None,
        "o3_flag": None,
        "pm25_flag": "info",
        "pm10_flag": None,
        "temperature_flag": None,
        "humidity_flag": None,
        "internal_temperature_flag": None,
        "reasons": "co negative, co isolated, pm25 isolated",
        "pm25_nowcast": None,
        "pm25_nowcast_aqi": None,
        "provisional": False,
        "requested_at": LATER,
    }


def test_daily_documents() -> None:
    """A day's document has its key, its midnight, and its values a core sensor."""
    (document,) = documents.daily(daily.compute(answer({n: {"CO": 1.0} for n in range(20)}, LATER), Rules()))
    assert document["_id"] == "283164601:2024-09-09"
    assert document["day"] == datetime(2024, 9, 9, tzinfo=UTC)
    assert [document[f"co_{name}"] for name in ("mean", "min", "max", "hours", "valid")] == [1.0, 1.0, 1.0, 20, True]
    assert [document[f"o3_{name}"] for name in ("mean", "hours", "valid")] == [None, 0, False]
    assert document["final"] is True
    assert document["updated_at"] == LATER


def test_other_sensors_only_where_they_have_a_value() -> None:
    """A sensor beside the core ones is in a document only where it has a value, whatever else is loaded."""
    alone = answer({0: {"CO": 1.0}}, LATER, 7)
    both = hourly.combine([alone, answer({0: {"VOC": 3.0}}, LATER)])
    assert documents.hourly(published(both))[0] == documents.hourly(published(alone))[0]
    assert documents.hourly(published(both))[1]["voc"] == 3.0
    days = daily.compute(both, Rules())
    assert documents.daily(days)[0] == documents.daily(daily.compute(alone, Rules()))[0]
    assert documents.daily(days)[1]["voc_hours"] == 1


def test_documents_are_rows_again() -> None:
    """The hourly table comes back from its documents, sensors beside the core ones included."""
    rows = hourly.combine([answer({0: {"CO": 1.0}, 5: {"RH": 50.0}}, LATER, 7), answer({0: {"VOC": 3.0}}, LATER)])
    assert_frame_equal(documents.hourly_frame(documents.hourly(published(rows))), rows)
    assert_frame_equal(documents.hourly_frame([]), hourly.empty())


def test_revision_documents() -> None:
    """A revision's document is named by hour, sensor and when it was seen."""
    frame = pl.DataFrame([(STATION, hour(10), "co", -1.0, None, hour(20))], schema=hourly.REVISION_SCHEMA, orient="row")
    (document,) = documents.revisions(frame)
    assert document["_id"] == "283164601:2024-09-09T10:co:2024-09-09T20:00:00.000"
    assert (document["old"], document["new"], document["seen_at"]) == (-1.0, None, hour(20))


def test_station_documents() -> None:
    """One document a station, by id."""
    seven = Station(name="a", latitude=1.0, timezone="UTC", in_service_from=hour(0))
    found = documents.stations({9: Station(name="b"), 7: seven})
    assert [document["_id"] for document in found] == ["7", "9"]
    assert (found[0]["timezone"], found[0]["in_service_from"]) == ("UTC", hour(0))


def test_every_field_is_declared() -> None:
    """What a document holds is what its collection declares, types included."""
    frame = answer({n: {"CO": 1.0, "VOC": 3.0} for n in range(20)}, LATER)
    made = [
        (documents.HOURLY, documents.hourly(published(frame))),
        (documents.DAILY, documents.daily(daily.compute(frame, Rules()))),
        (documents.STATIONS, documents.stations({7: Station(name="a")})),
    ]
    for collection, found in made:
        for name, value in found[0].items():
            assert value is None or isinstance(value, collection.fields[name]), name
        assert set(collection.fields) - set(found[0]) <= set(collection.optional)
    assert documents.daily(daily.empty()) == []
    assert date(2024, 9, 9) == made[1][1][0]["day"].date()
