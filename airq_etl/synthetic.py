"""Made-up stations: what the AirQino API would say of them, from the station id and the hour alone.

Every number comes from a hash of the station and the hour, so the same question always has the
same answer, on any machine, and nothing is stored. The ranges are those of two real stations in
Abidjan; so are the habits: a baseline that drifts below zero, a sensor that only says 0.0,
outages, rows without humidity, a newest hour that is still partial, hours published late.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from math import cos, exp, pi
from struct import Struct
from typing import Any, NamedTuple

__all__ = ["HISTORY", "as_utc", "made_up", "readings", "station_header"]

HISTORY = timedelta(days=365)
"""How far back the API answers; what is older has expired."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEYS = ("CO", "T", "T. int.", "NO2", "O3", "PM10", "PM2.5", "RH")
_SALT = "airq/195"
_DICE = Struct("<16H")
_FACES = 65536

_HOUR_MIN = 60
_WEEK_H = 168
_WAVE_H = 6  # the noise of one sensor takes a new direction every 6 hours
_WEATHER_H = 72  # dust and damp air come and go for all sensors of a station in spells of days
_DRIFT_H = 24 * 400  # a drifting CO sensor is set to zero anew after 400 days
_HARMATTAN_DAY = 14  # the heart of the season, counted from 1 January
_HARMATTAN_WIDTH = 55  # days from its heart to its ends: late November, early March
_OUTAGE_SHARE = 0.35  # of the weeks
_LATEST_MIN = 120

_SUN = tuple(cos(2 * pi * (hour - 12.5) / 24) for hour in range(24))
_TRAFFIC = tuple(exp(-(((hour - 7) / 2) ** 2)) + exp(-(((hour - 19.5) / 2.5) ** 2)) for hour in range(24))


class _Site(NamedTuple):
    """What sets one station apart: its dust in µg/m³, its moods, its broken sensors."""

    station_id: int
    dust: float
    co_drifts: bool
    drift_phase: int
    dead: int | None


class _Day(NamedTuple):
    """What all hours of a day share: its date, how deep in the harmattan (0 to 1), its traffic."""

    text: str
    harmattan: float
    traffic: float


def as_utc(moment: datetime) -> datetime:
    """Return the same moment in UTC; one without a zone is taken as UTC already."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def station_header(station_id: int) -> dict[str, str | float]:
    """Return the header of a station's answer: `station_name`, `station_lat`, `station_lon`.

    The name is SIM and the last three digits of the id, the place (degrees) lies in Abidjan.
    """
    north, east, *_ = _dice("place", station_id, 0)
    return {
        "station_name": f"SIM{station_id % 1000:03d}",
        "station_lat": round(5.28 + 0.14 * north / _FACES, 6),
        "station_lon": round(-4.08 + 0.16 * east / _FACES, 6),
    }


def readings(station_id: int, first: datetime, last: datetime, now: datetime) -> list[dict[str, str | float]]:
    """Return the rows that the API would give at `now`, for the hours from `first` to `last`.

    Both ends are included. A row is `timestamp` ("YYYY-mm-dd HH:MM:SS", UTC, the start of its
    hour) and the sensors that had a value, by API key, in the API's units; rows are sorted by
    time. Hours in an outage, not yet published, in the future or older than a year are absent.
    While an hour runs its values are the means of the minutes so far. Times without a zone are UTC.
    """
    site = _site(station_id)
    minute = (as_utc(now) - _EPOCH) // timedelta(minutes=1)
    begin = max(_next_hour(first), _next_hour(as_utc(now) - HISTORY))
    end = min((as_utc(last) - _EPOCH) // timedelta(hours=1), minute // _HOUR_MIN)
    rows = []
    for hour in range(begin, end + 1):
        if hour in _outage(station_id, hour // _WEEK_H):
            continue
        dice = _dice("hour", station_id, hour)
        age = minute - _HOUR_MIN * hour
        if age >= _LATEST_MIN or age >= _lag(dice[8]):
            rows.append(_row(site, hour, dice, age))
    return rows


def made_up(stations: Iterable[int]) -> Callable[[int, datetime, datetime, datetime], dict[str, Any] | None]:
    """Return the answer, as a function of station, first hour, last hour and now; None: no such station."""
    known = frozenset(stations)

    def answer(station_id: int, first: datetime, last: datetime, now: datetime) -> dict[str, Any] | None:
        if station_id not in known:
            return None
        return {"header": station_header(station_id), "data": readings(station_id, first, last, now)}

    return answer


def _next_hour(moment: datetime) -> int:
    """Hours from 1970 to the first start of an hour that is not before `moment`."""
    return -((_EPOCH - as_utc(moment)) // timedelta(hours=1))


def _dice(kind: str, station_id: int, number: int) -> tuple[int, ...]:
    """Sixteen numbers from 0 to 65535, always the same for the same question."""
    question = f"{_SALT}/{kind}/{station_id}/{number}"
    return _DICE.unpack(blake2b(question.encode(), digest_size=_DICE.size).digest())


@lru_cache(maxsize=4096)
def _site(station_id: int) -> _Site:
    dust, drift, phase, dead, *_ = _dice("site", station_id, 0)
    return _Site(
        station_id,
        dust=6 + 6 * dust / _FACES,
        co_drifts=drift % 3 == 0,
        drift_phase=phase % _DRIFT_H,
        dead={0: _KEYS.index("NO2"), 1: _KEYS.index("O3")}.get(dead % 6),
    )


@lru_cache(maxsize=1024)
def _day(number: int) -> _Day:
    """Describe the day that is `number` days after 1970-01-01."""
    day = date.fromordinal(_EPOCH.toordinal() + number)
    distance = abs((day.timetuple().tm_yday - 1 - _HARMATTAN_DAY + 182) % 365 - 182)
    depth = cos(pi / 2 * min(distance / _HARMATTAN_WIDTH, 1)) ** 2
    return _Day(day.isoformat(), depth, (1.0, 1.0, 1.0, 1.0, 1.1, 0.75, 0.5)[day.weekday()])


@lru_cache(maxsize=8192)
def _outage(station_id: int, week: int) -> range:
    """The hours of one outage of 2 to 40 hours in this week, or none."""
    share, length, start, *_ = _dice("outage", station_id, week)
    if share >= _OUTAGE_SHARE * _FACES:
        return range(0)
    begin = week * _WEEK_H + start % (_WEEK_H - 40)
    return range(begin, begin + 2 + length % 39)


def _lag(die: int) -> int:
    """Minutes from the start of an hour to its first publication: mostly 3 to 15, up to 120."""
    return 3 + (die // 10 % 13 if die % 10 else die // 10 % (_LATEST_MIN - 2))


@lru_cache(maxsize=65536)
def _anchor(kind: str, station_id: int, number: int, count: int) -> tuple[float, ...]:
    """So many numbers from -1 to 1, between which noises move smoothly."""
    return tuple(die / (_FACES / 2) - 1 for die in _dice(kind, station_id, number)[:count])


def _wave(kind: str, station_id: int, hour: int, span: int, count: int) -> list[float]:
    """So many smooth noises from -1 to 1, with an anchor every `span` hours."""
    number, step = divmod(hour, span)
    share = step / span
    share *= share * (3 - 2 * share)
    left = _anchor(kind, station_id, number, count)
    right = _anchor(kind, station_id, number + 1, count)
    return [a + (b - a) * share for a, b in zip(left, right, strict=True)]


def _row(site: _Site, hour: int, dice: tuple[int, ...], age: int) -> dict[str, str | float]:
    """One row of the answer; `age` is in minutes since the hour began."""
    values = _means(site, hour, dice)
    if site.dead is not None:
        values[site.dead] = 0.0
    if age < _HOUR_MIN:
        values = _so_far(site, hour, values, age)
    row: dict[str, str | float] = {"timestamp": f"{_day(hour // 24).text} {hour % 24:02d}:00:00"}
    # The API's numbers are single-precision means: 8 significant digits.
    row |= zip(_KEYS, [float(f"{value:.8g}") for value in values], strict=True)
    if dice[9] < 0.01 * _FACES:
        del row["RH"]
    elif dice[9] >= _FACES - 8:
        del row["NO2"], row["O3"]
    return row


def _means(site: _Site, hour: int, dice: tuple[int, ...]) -> list[float]:
    """The final means of an hour, in the order of the keys and in the API's units."""
    clock = hour % 24
    _, harmattan, week = _day(hour // 24)
    sun, traffic = _SUN[clock], _TRAFFIC[clock] * week
    dusty, damp = _wave("weather", site.station_id, hour, _WEATHER_H, 2)
    waves = _wave("wave", site.station_id, hour, _WAVE_H, 8)
    co, warm, board, no2, o3, coarse, fine, wet = [
        wave + die / (2 * _FACES) - 0.25 for wave, die in zip(waves, dice, strict=False)
    ]
    temperature = 26.8 - 2 * harmattan + (2.5 + 2.5 * harmattan) * sun - 0.8 * damp + 0.7 * warm
    pm25 = site.dust * (0.8 + 0.5 * traffic) * (1 + 3 * harmattan)
    pm25 *= exp((0.3 + 0.3 * harmattan) * dusty + 0.25 * fine - 0.2 * damp)
    humidity = 82 - (9 + 6 * harmattan) * sun - 28 * harmattan + 4 * damp + 3 * wet
    return [
        _co(site, hour, traffic, co),
        temperature,
        105 + 10 * temperature + 6 * board,
        18.5 + 3.2 * traffic + 2 * harmattan + 0.8 * no2,
        22 + 7 * sun - 4 * traffic - 6 * harmattan + 4 * o3,
        pm25 * (2 + 0.5 * coarse + 0.8 * harmattan),
        pm25,
        max(12.0, min(96.0, humidity)),
    ]


def _co(site: _Site, hour: int, traffic: float, noise: float) -> float:
    """CO in mg/m³; a drifting baseline falls for five months and then stays below zero."""
    co = (0.25 + 0.3 * traffic) * exp(0.35 * noise)
    if site.co_drifts:
        age = (hour + site.drift_phase) % _DRIFT_H / _DRIFT_H
        co += 0.1 - 0.75 * min(1.0, age / 0.4)
    return co


def _so_far(site: _Site, hour: int, finals: list[float], age: int) -> list[float]:
    """The means of the first `age` minutes: the nearer the end, the nearer the final ones."""
    dice = _dice("minute", site.station_id, _HOUR_MIN * hour + age)
    reach = 0.04 * (1 - age / _HOUR_MIN)
    return [
        value * (1 + reach * (0.5 + die / (2 * _FACES)) * (1 if die % 2 else -1))
        for value, die in zip(finals, dice, strict=False)
    ]
