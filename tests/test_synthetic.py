"""Made-up stations: what of the real ones they must have, and that chance has no part in it."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from itertools import pairwise
from statistics import mean

import pytest

from airq_etl.sensors import BY_KEY, SENSORS
from airq_etl.synthetic import HISTORY, as_utc, made_up, readings, station_header

FIRST, SECOND = 283164601, 283181971  # the two stations of the defaults
NOW = datetime(2026, 9, 10, 10, 20, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
GASES = {"CO", "NO2", "O3"}

Row = dict[str, str | float]

KNOWN: Row = {
    "timestamp": "2026-03-01 12:00:00",
    "CO": 0.32807699,
    "T": 28.642152,
    "T. int.": 393.80157,
    "NO2": 18.526394,
    "O3": 30.001454,
    "PM10": 18.10885,
    "PM2.5": 8.1841396,
    "RH": 73.505219,
}  # of FIRST
RANGES = {
    "CO": (-1.1, 2.9),
    "T": (6, 37.2),
    "T. int.": (86, 536),
    "NO2": (0, 33),
    "O3": (-41.7, 50.3),
    "PM10": (0, 365),
    "PM2.5": (0, 103),
    "RH": (10, 99.8),
}  # seen in the captures of both real stations; 0 is also what a dead sensor says


@cache
def year(station_id: int, now: datetime = NOW) -> list[Row]:
    return readings(station_id, now - HISTORY, now, now)


def hour(row: Row) -> datetime:
    return datetime.fromisoformat(str(row["timestamp"])).replace(tzinfo=UTC)


def values(rows: Iterable[Row], key: str) -> list[float]:
    return [float(row[key]) for row in rows if key in row]


def test_same_question_same_answer() -> None:
    """An hour's final values depend on the station and the hour, not on the window or the moment asked from."""
    day = readings(FIRST, NOW - 24 * HOUR, NOW - 6 * HOUR, NOW)
    later = [row for row in year(FIRST, NOW + 90 * 24 * HOUR) if row["timestamp"] in {r["timestamp"] for r in day}]
    assert len(day) > 10
    assert later == day


def test_known_row() -> None:
    """The numbers are the same on every machine: the README shows what the demo makes of them."""
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert readings(FIRST, moment, moment, NOW) == [KNOWN]


def test_stations_differ() -> None:
    """Two stations are never the same air."""
    first, second = ({row["timestamp"]: row for row in year(station)} for station in (FIRST, SECOND))
    shared = first.keys() & second.keys()
    assert len(shared) > 7000
    assert not [hour for hour in shared if first[hour]["PM2.5"] == second[hour]["PM2.5"]]


def test_rows_are_those_of_the_api() -> None:
    """A row has the API's timestamp and the API's keys, and rows are sorted and unique."""
    rows = year(FIRST)
    stamps = [str(row["timestamp"]) for row in rows]
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2} \d{2}:00:00", stamp) for stamp in stamps)
    assert stamps == sorted(set(stamps))
    assert {key for row in rows for key in row} == {"timestamp"} | {sensor.key for sensor in SENSORS if sensor.core}
    assert {"timestamp", *BY_KEY} >= rows[0].keys()


def test_values_are_single_precision_means() -> None:
    """A value has at most 8 significant digits, as the API's have."""
    rows = year(FIRST)
    assert all(value == float(f"{value:.8g}") for row in rows for value in row.values() if isinstance(value, float))


def test_both_ends_are_included() -> None:
    """A window holds the hours that start at its ends, and none beside them."""
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    rows = readings(FIRST, begin, begin + 5 * HOUR, NOW)
    assert [hour(row) for row in rows] == [begin + n * HOUR for n in range(6)]
    assert [hour(row) for row in readings(FIRST, begin + MINUTE, begin + 2 * HOUR - MINUTE, NOW)] == [begin + HOUR]


def test_nothing_expired_nothing_ahead() -> None:
    """What is older than 365 days, or has not begun, is never told, however wide the window."""
    for station in range(1, 40):
        oldest = readings(station, NOW - 2 * HISTORY, NOW - HISTORY + 72 * HOUR, NOW)
        newest = readings(station, NOW - 72 * HOUR, NOW + HISTORY, NOW)
        assert hour(oldest[0]) >= NOW - HISTORY
        assert hour(newest[-1]) <= NOW


def test_empty_windows() -> None:
    """A window in the future, or turned round, is an empty list."""
    assert readings(FIRST, NOW + HOUR, NOW + 9 * HOUR, NOW) == []
    assert readings(FIRST, NOW - 5 * HOUR, NOW - 9 * HOUR, NOW) == []


def test_zones() -> None:
    """A time in another zone is converted; one without a zone is UTC."""
    paris = NOW.astimezone(timezone(timedelta(hours=2)))
    assert as_utc(paris).isoformat() == NOW.isoformat()
    assert as_utc(NOW.replace(tzinfo=None)) == NOW
    assert year(FIRST, paris) == year(FIRST, NOW.replace(tzinfo=None)) == year(FIRST)


def test_outages() -> None:
    """Hours are missing in runs of 2 to 40, some in a year but not most of it."""
    for station in (FIRST, SECOND, 7):
        hours = [hour(row) for row in year(station, NOW)]
        missing = [(b - a) // HOUR - 1 for a, b in pairwise(hours) if b - a > HOUR]
        assert 8 <= len(missing) <= 30
        assert min(missing) >= 2
        assert max(missing) <= 40


def test_absent_keys() -> None:
    """About one row in a hundred lacks the humidity; it is left out, never null."""
    rows = year(FIRST) + year(SECOND)
    lacking = sum("RH" not in row for row in rows)
    assert 0.005 < lacking / len(rows) < 0.02
    assert None not in {value for row in rows for value in row.values()}


@pytest.mark.parametrize("key", RANGES)
def test_values_are_those_of_abidjan(key: str) -> None:
    """Values stay where those of the two real stations were."""
    low, high = RANGES[key]
    measured = values(year(FIRST) + year(SECOND), key)
    assert low <= min(measured)
    assert max(measured) <= high


def test_harmattan() -> None:
    """From December to February the Sahara's dust comes: far more PM, and drier air."""
    winter = [row for row in year(FIRST) if hour(row).month in {12, 1, 2}]
    summer = [row for row in year(FIRST) if hour(row).month in {5, 6, 7, 8}]
    assert mean(values(winter, "PM2.5")) > 2 * mean(values(summer, "PM2.5"))
    assert mean(values(winter, "PM10")) > 2 * mean(values(summer, "PM10"))
    assert mean(values(winter, "RH")) < mean(values(summer, "RH")) - 10


def test_day_and_week() -> None:
    """The temperature peaks at 12 to 13 h UTC in every season, and Sunday's traffic is less than Tuesday's."""
    rows = year(FIRST)
    for months in ({1, 2}, {7, 8}):
        season = [row for row in rows if hour(row).month in months]
        by_clock = [mean(values([row for row in season if hour(row).hour == clock], "T")) for clock in range(24)]
        assert by_clock.index(max(by_clock)) in {12, 13}
    rush = [row for row in year(SECOND) if hour(row).hour in {7, 19}]
    sunday, tuesday = (values([r for r in rush if hour(r).weekday() == day], "CO") for day in (6, 1))
    assert mean(sunday) < mean(tuesday)


def test_neighbouring_hours_are_alike() -> None:
    """Noise has a memory, as air has: two hours in a row differ less than two a day apart."""
    rows = {hour(row): float(row["PM2.5"]) for row in year(SECOND)}
    near = [abs(rows[h] - rows[h + HOUR]) for h in rows if h + HOUR in rows]
    far = [abs(rows[h] - rows[h + 24 * HOUR]) for h in rows if h + 24 * HOUR in rows]
    assert mean(near) < 0.7 * mean(far)


def test_default_stations() -> None:
    """Of the two default stations the first has a CO that drifts below zero, the second one dead gas sensor."""
    for now in (NOW, datetime(2023, 12, 6, 16, 20, tzinfo=UTC)):
        first, second = year(FIRST, now), year(SECOND, now)
        below = sum(value < 0 for value in values(first, "CO"))
        assert below > 0.5 * len(first)
        assert max(values(first, "CO")) > 0
        assert min(values(second, "CO")) > 0
        assert all(0.0 not in values(first, key) for key in ("NO2", "O3"))
        dead = [key for key in ("NO2", "O3") if set(values(second, key)) == {0.0}]
        assert len(dead) == 1


def test_habits_are_shared_out() -> None:
    """Of many stations some drift, some have a dead sensor, and some are well."""
    kinds = []
    for station in range(1, 61):
        days = [NOW - n * timedelta(days=20) for n in range(1, 19)]
        rows = [row for day in days for row in readings(station, day, day + 6 * HOUR, NOW)]
        drifts = min(values(rows, "CO")) < 0
        kinds.append((drifts, any(set(values(rows, key)) == {0.0} for key in GASES)))
    assert {(True, False), (False, True), (False, False)} <= set(kinds)
    assert 10 <= sum(drifts for drifts, _ in kinds) <= 35


def newest(station: int, moment: datetime) -> dict[datetime, Row]:
    return {hour(row): row for row in readings(station, moment - 5 * HOUR, moment, moment)}


def test_newest_hour_is_partial() -> None:
    """While an hour runs, each of its values changes with the minute and none is the final one."""
    begin, seen = datetime(2026, 3, 1, 12, tzinfo=UTC), {}
    for minute in range(60):
        seen[minute] = newest(FIRST, begin + minute * MINUTE).get(begin)
    partial = [row for row in seen.values() if row is not None]
    assert seen[0] is None
    assert len(partial) > 30
    (final,) = readings(FIRST, begin, begin, begin + 5 * HOUR)
    for key in final.keys() - {"timestamp"}:
        assert final[key] not in values(partial, key)
        assert len(set(values(partial, key))) == len(partial)
        assert values(partial, key)[-1] == pytest.approx(float(final[key]), rel=0.01)


def test_an_ended_hour_does_not_change() -> None:
    """An hour that has ended keeps its values from its last minute on."""
    begin = datetime(2026, 3, 1, 12, tzinfo=UTC)
    answers = [newest(FIRST, begin + HOUR + n * MINUTE).get(begin) for n in range(0, 240, 7)]
    assert all(answer == answers[-1] for answer in answers if answer is not None)
    assert answers[-1] is not None


def test_a_dead_sensor_is_dead_in_a_running_hour() -> None:
    """A sensor that only says 0.0 says so in the partial hour too."""
    (key,) = [key for key in ("NO2", "O3") if set(values(year(SECOND), key)) == {0.0}]
    rows = [row for n in range(200) for row in newest(SECOND, NOW + n * 11 * MINUTE).values()]
    assert set(values(rows, key)) == {0.0}


def test_publication_lag() -> None:
    """An hour appears some minutes to two hours after it began, and stays; a few come after their successors."""
    begin, lags, overtaken = datetime(2026, 3, 2, tzinfo=UTC), [], 0
    window = [newest(FIRST, begin + n * MINUTE) for n in range(24 * 60)]
    for row in readings(FIRST, begin, begin + 20 * HOUR, NOW):
        start = hour(row)
        seen = [n for n, rows in enumerate(window) if start in rows and n < (start - begin) // MINUTE + 300]
        assert seen == list(range(seen[0], seen[0] + len(seen)))
        lags.append(seen[0] - (start - begin) // MINUTE)
        overtaken += start + HOUR in window[seen[0] - 1]
    assert len(lags) > 15
    assert min(lags) >= 3
    assert max(lags) <= 120
    assert sum(lag < 20 for lag in lags) > len(lags) / 2


def test_some_hours_are_overtaken() -> None:
    """Among many stations an hour is still unpublished while its successor is out."""
    late, moment = 0, NOW + 10 * MINUTE
    for station in range(1, 200):
        told = {hour(row) for row in readings(station, NOW - 5 * HOUR, NOW, moment)}
        exist = {hour(row) for row in readings(station, NOW - 5 * HOUR, NOW, moment + 3 * HOUR)}
        late += any(start + HOUR in told for start in exist - told)
    assert late > 0


def test_header() -> None:
    """A station is named for its id and stands in Abidjan."""
    header = station_header(FIRST)
    assert header["station_name"] == "SIM601"
    assert station_header(5)["station_name"] == "SIM005"
    for station in (FIRST, SECOND, 5):
        latitude, longitude = station_header(station)["station_lat"], station_header(station)["station_lon"]
        assert 5.2 < float(latitude) < 5.5
        assert -4.1 < float(longitude) < -3.9
    assert station_header(FIRST) != station_header(SECOND)


def test_made_up() -> None:
    """The stations that were named answer with header and rows, the others with None."""
    answer = made_up([FIRST])
    assert answer(SECOND, NOW - HOUR, NOW, NOW) is None
    told = answer(FIRST, NOW - 9 * HOUR, NOW, NOW)
    assert told == {"header": station_header(FIRST), "data": readings(FIRST, NOW - 9 * HOUR, NOW, NOW)}
