"""What sensors say against their past and their neighbours: the checks of `sites`, `steps` and `drift`."""

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from airq_etl import hourly
from airq_etl.sanity import drift, levels, sites, steps
from airq_etl.sanity.finding import Finding
from airq_etl.stations import Rules
from tests.frames import captured
from tests.years import BEGIN, STATION, Value, calm, cycle, found, hours_of, lively, noise, season, told

CHECKS = (*sites.CHECKS, *steps.CHECKS, *drift.CHECKS)
OTHER = 8
QUARTER = 120 * 24
YEAR = 366 * 24
CHANGE = 60 * 24  # the hour at which something happens

WEATHER = noise(1, 3)


def temperature(number: int) -> float:
    return 20 + 4 * cycle(number) + WEATHER(number)


def stepped(before: Value, by: float, at: int = CHANGE, until: int = YEAR) -> Value:
    return lambda number: before(number) + (by if at <= number < until else 0)


def pair(count: int = QUARTER, /, **values: Value) -> pl.DataFrame:
    """A station with these values, and one in the same weather whose own are steady."""
    steady = {"humidity": calm(70.0, seed=5), "co": calm(0.5, 0.02, seed=6), "o3": calm(30.0, seed=7)}
    return both(count, values, {name: steady.get(name, calm(20.0, seed=8)) for name in values})


def both(count: int, one: dict[str, Value], other: dict[str, Value]) -> pl.DataFrame:
    """Two stations in the same weather."""
    shared: dict[str, Value] = {"temperature": temperature}
    return pl.concat([hours_of(count, STATION, **shared | one), hours_of(count, OTHER, **shared | other)])


def temperate(station: int) -> dict[str, Value]:
    """A year in a temperate climate; the weather is that of all stations."""
    own = [noise(10 * station + n, 1) for n in range(6)]
    return {
        "temperature": lambda n: 12 + 10 * season(n) + 4 * cycle(n) + WEATHER(n) + 0.3 * own[0](n),
        "humidity": lambda n: 70 - 12 * season(n) - 10 * cycle(n) - 2 * WEATHER(n) + 2 * own[1](n),
        "o3": lambda n: 50 + 25 * season(n) + 10 * cycle(n) + 3 * WEATHER(n) + 2 * own[2](n),
        "no2": lambda n: 25 - 6 * season(n) - WEATHER(n) + own[3](n),
        "pm25": lambda n: 12 - 5 * season(n) + abs(WEATHER(n)) + abs(own[4](n)),
        "co": lambda n: 0.5 - 0.2 * season(n) + 0.05 * own[5](n),
    }


def only(hours: pl.DataFrame) -> Finding:
    (finding,) = found(CHECKS, hours)
    return finding


def at(number: int) -> date:
    return (BEGIN + timedelta(hours=number)).date()


@pytest.mark.parametrize("stations", [1, 3])
def test_a_year_of_seasons(stations: int) -> None:
    """A temperate year is neither step nor drift nor another place, with neighbours or without."""
    years = [hours_of(YEAR, station, **temperate(station)) for station in range(1, stations + 1)]
    assert found(CHECKS, pl.concat(years)) == []


def test_without_hours() -> None:
    """A table without hours, or with very few, gives nothing."""
    assert found(CHECKS, hourly.empty()) == []
    assert found(CHECKS, hours_of(30, temperature=lively)) == []


@pytest.mark.parametrize(("by", "number"), [(9.3, 0), (10.7, 1), (-10.7, 1)])
def test_a_step(by: float, number: int) -> None:
    """A level that changes at once by what is worth a look, while the neighbour's does not."""
    findings = found(CHECKS, pair(humidity=stepped(calm(70.0), by)))
    assert told(findings) == [("step", "warning", STATION, "humidity")] * number
    assert [(f.first, f.count) for f in findings] == [(at(CHANGE), 1)] * number


def test_a_step_says_from_what_to_what() -> None:
    """Day, levels with their unit (particles too), and that others show no such thing."""
    clean, dusty = calm(11.0, 0.3), calm(33.0)
    finding = only(pair(pm10=lambda n: dusty(n) if n >= CHANGE else clean(n)))
    assert finding.sentence == (
        "the fortnight from 2024-03-01 on has PM10 33.0 instead of 11.0 µg/m³, at once; stations with the same weather"
        " show less than half of it, if any"
    )


@pytest.mark.parametrize(("size", "number"), [(5.0, 1), (12.0, 0)])
def test_a_step_within_the_weather(size: float, number: int) -> None:
    """A change is no step where the days before and after differ as much among themselves."""
    moves = calm(60.0, size, seed=4)
    findings = found(CHECKS, pair(humidity=lambda n: moves(n // 24) + 12 * (n >= CHANGE)))
    assert told(findings) == [("step", "warning", STATION, "humidity")] * number


def test_a_change_that_neighbours_share_is_weather() -> None:
    """What two stations do together is weather or season."""
    values = {"humidity": stepped(calm(70.0), 25), "o3": stepped(calm(30.0), 20)}
    assert found(CHECKS, both(QUARTER, values, values)) == []


def test_a_change_that_goes_again_is_none() -> None:
    """What does not last a week is an event."""
    assert found(CHECKS, pair(humidity=stepped(calm(70.0), 20, until=CHANGE + 6 * 24))) == []


@pytest.mark.parametrize(("days", "number"), [(2, 1), (10, 0)])
def test_a_slow_change_is_no_step(days: int, number: int) -> None:
    """What takes more than a few days is season or drift."""
    level = calm(70.0)
    findings = found(steps.CHECKS, pair(humidity=lambda n: level(n) + 20 * min(1, max(0, (n - CHANGE) / 24 / days))))
    assert told(findings) == [("step", "warning", STATION, "humidity")] * number


@pytest.mark.parametrize(("days", "number"), [(30, 1), (40, 0)])
def test_an_outage_hides_a_step(days: int, number: int) -> None:
    """After a month a station's level may be another because the season is; a shorter outage hides nothing."""
    hours = pair(2 * QUARTER, co=stepped(calm(0.5, 0.03), 0.6))
    begin = BEGIN + timedelta(hours=CHANGE)
    hours = hours.filter(~pl.col("hour").is_between(begin, begin + timedelta(days=days), closed="left"))
    assert len(found(CHECKS, hours)) == number


@pytest.mark.parametrize(("by", "number"), [(0.19, 0), (0.25, 1)])
def test_a_step_of_a_station_alone(by: float, number: int) -> None:
    """Without neighbours a zero that jumps is told of."""
    findings = found(CHECKS, hours_of(QUARTER, co=stepped(calm(0.3, 0.03), by)))
    assert told(findings) == [("step", "warning", STATION, "co")] * number
    assert all("same weather" not in finding.sentence for finding in findings)


def test_a_zero_in_rough_air_makes_no_step_alone() -> None:
    """Without neighbours a change must stand out of the days far more than with them."""
    moves = calm(0.3, 0.3, seed=4)
    hours: dict[str, Value] = {"co": lambda n: moves(n // 24) + 0.6 * (n >= CHANGE)}
    assert found(CHECKS, hours_of(QUARTER, temperature=temperature, **hours)) == []
    assert [finding.check for finding in found(CHECKS, pair(**hours))] == ["step"]


def test_weather_is_no_step_of_a_station_alone() -> None:
    """Without neighbours nobody knows whether dust, rain or heat came overnight."""
    dust = {"pm10": lambda n: 200.0 + n % 7 if n >= CHANGE else 10.0 + n % 3, "humidity": stepped(calm(70.0), -30)}
    assert found(CHECKS, hours_of(QUARTER, temperature=temperature, **dust)) == []


def test_neighbours_are_those_with_the_same_weather() -> None:
    """Stations whose temperatures rise and fall together, whatever their coordinates say."""
    far = noise(99, 3)
    three = [pair(), hours_of(QUARTER, 9, temperature=lambda n: 20 + far(n))]
    days = levels.by_day(pl.concat(three), {})
    assert sorted(levels.neighbours(days).rows()) == [(STATION, OTHER), (OTHER, STATION)]


def test_a_dead_thermometer_makes_no_neighbour() -> None:
    """Days that do not differ rise and fall with nobody's."""
    days = levels.by_day(pl.concat([pair(), hours_of(QUARTER, 9, temperature=lambda _: 20.0)]), {})
    assert sorted(levels.neighbours(days).rows()) == [(STATION, OTHER), (OTHER, STATION)]


def test_a_station_of_a_large_network_has_its_nearest_neighbours() -> None:
    """A thousand stations of one town have a million pairs: those count whose weather is most alike."""

    def station(share: int) -> pl.DataFrame:
        own = noise(100 + share, 1)
        return hours_of(QUARTER, 1 + share, temperature=lambda n: temperature(n) + share / 10 * own(n))

    shares = range(levels.MOST_NEIGHBOURS + 3)
    pairs = levels.neighbours(levels.by_day(pl.concat(map(station, shares)), {}))
    assert pairs["station_id"].value_counts()["count"].to_list() == [levels.MOST_NEIGHBOURS] * len(shares)
    assert sorted(pairs.filter(station_id=1)["neighbour"]) == [1 + share for share in shares[1:-2]]


def test_steps_of_several_sensors_are_one() -> None:
    """What happened to a station on one day is told of once, with the sensors that show it."""
    day_after = CHANGE + 24
    finding = only(pair(co=stepped(calm(0.5, 0.03), 0.4), o3=stepped(calm(30.0), 12, at=day_after)))
    assert (finding.check, finding.sensor, finding.count) == ("step", None, 2)
    assert (finding.first, finding.last) == (at(CHANGE), at(day_after))
    assert "has CO 0.899 instead of 0.497 mg/m³, O3 41.9 instead of 29.9 µg/m³, at once" in finding.sentence


def test_a_sensor_that_dies_makes_no_step() -> None:
    """What ends in one value is dead, and told of as that."""
    assert found(CHECKS, pair(o3=lambda n: 0.0 if n >= CHANGE else 30 + lively(n) / 9)) == []


MOVES = {
    "the beginning": (0, CHANGE, "2024-03-01"),
    "the middle": (CHANGE, CHANGE + 30 * 24, "2024-03-31"),
    "the end": (CHANGE + 20 * 24, QUARTER, None),
}


@pytest.mark.parametrize("where", MOVES)
def test_days_in_a_room(where: str) -> None:
    """Dry air without ozone while the neighbour has both: one finding with the days, and no steps beside it."""
    first, end, returns = MOVES[where]
    count = 2 * QUARTER if where == "the beginning" else QUARTER
    room = {"humidity": stepped(calm(80.0), -25, first, end), "o3": stepped(calm(30.0), -18, first, end)}
    finding = only(pair(count, **room))
    assert (finding.check, finding.station_id, finding.sensor) == ("not-at-site", STATION, None)
    assert (finding.first, finding.last, finding.count) == (at(first), at(end - 1), (end - first) // 24)
    assert "RH 5" in finding.sentence
    assert "instead of 80" in finding.sentence
    assert ("find out where it stands" in finding.action) is (returns is None)
    assert returns is None or f'in_service_from = "{returns}"' in finding.action


def test_one_kind_of_sensor_does_not_move_a_station() -> None:
    """Humidity alone may be the sensor's own fault."""
    assert only(pair(humidity=stepped(calm(80.0), -25, 0, CHANGE))).check == "step"
    gases = {"no2": stepped(calm(20.0), 9), "o3": stepped(calm(30.0), -18)}
    assert only(pair(**gases)).check == "step"


@pytest.mark.parametrize(("colder", "number"), [(7.0, 0), (9.0, 2)])
def test_another_climate(colder: float, number: int) -> None:
    """Two stations that come from the cold together were not at their sites, though they agree."""
    weather = noise(4, 0.6)
    values: dict[str, Value] = {
        "temperature": lambda n: 28 + 3 * cycle(n) * (0.3 if n < CHANGE else 1) - colder * (n < CHANGE) + weather(n),
        "humidity": lambda n: 80 - 6 * cycle(n) - 20 * (n < CHANGE) + 2 * weather(n),
    }
    findings = found(CHECKS, both(QUARTER * 2, values, values))
    assert told(findings) == [("not-at-site", "warning", s, None) for s in (STATION, OTHER)][:number]


def test_a_station_in_service_since_it_came_to_its_site() -> None:
    """The days that in_service leaves out are not told of."""
    room = {"humidity": stepped(calm(80.0), -25, 0, CHANGE), "o3": stepped(calm(30.0), -18, 0, CHANGE)}
    hours = pair(2 * QUARTER, **room)
    assert found(CHECKS, hours, Rules(in_service={STATION: BEGIN + timedelta(hours=CHANGE)})) == []
    assert len(found(CHECKS, hours)) == 1


@pytest.mark.parametrize(("falls", "number"), [(0.31, 0), (0.36, 1)])
def test_a_zero_that_sinks(falls: float, number: int) -> None:
    """Quiet hours that sank below zero by 0.3 mg/m³ need no neighbour to be told of."""
    sinking = calm(0.1, 0.02)
    findings = found(CHECKS, hours_of(YEAR, co=lambda n: sinking(n) - falls * n / YEAR))
    assert told(findings) == [("drift", "warning", STATION, "co")] * number
    assert all(f"its zero sank by 0.{int(falls * 10)}" in finding.sentence for finding in findings)


def test_a_season_above_zero_is_no_drift() -> None:
    """What falls and stays above zero may be the air."""
    assert found(CHECKS, hours_of(YEAR // 2, co=lambda n: 1.2 - n / YEAR + lively(n) / 500)) == []


def test_a_zero_lost_at_once_is_a_step() -> None:
    """What is lost from one day to the next is told of as that alone."""
    assert told(found(CHECKS, hours_of(YEAR, co=stepped(calm(0.3, 0.03), -0.7)))) == [
        ("step", "warning", STATION, "co")
    ]


@pytest.mark.parametrize(("rises", "number"), [(17.0, 0), (18.5, 1)])
def test_a_level_that_leaves_the_neighbours(rises: float, number: int) -> None:
    """One and a half steps away from stations with the same weather, slowly and one way."""
    rising = calm(60.0)
    hours = pair(YEAR, humidity=lambda n: rising(n) + rises * n / YEAR)
    findings = found(CHECKS, hours)
    assert told(findings) == [("drift", "warning", STATION, "humidity")] * number
    assert all("its level went up by 15" in finding.sentence for finding in findings)


def test_a_level_that_goes_and_comes_leaves_no_neighbour() -> None:
    """A distance that grows and shrinks with the months is the place's."""
    rising = calm(60.0)
    hours = pair(YEAR, humidity=lambda n: rising(n) + 70 * min(n / YEAR, 0.5) - 28 * max(0, n / YEAR - 0.5))
    assert found(CHECKS, hours) == []


def test_a_stronger_season_is_no_drift() -> None:
    """Where the neighbours go the same way most of it is season, which no two places have alike."""
    level = calm(30.0)
    strong: dict[str, Value] = {"o3": lambda n: level(n) + 60 * n / YEAR}
    weak: dict[str, Value] = {"o3": lambda n: level(n) + 40 * n / YEAR}
    assert found(CHECKS, both(YEAR, strong, weak)) == []


def test_two_real_stations(captures_dir: Path) -> None:
    """Europe until January, a room for SMART188 in April, dust about SMART189 since; nothing else.

    CO sank where the stations moved: what it read elsewhere is no measure of its zero.
    """
    findings = found(CHECKS, captured(captures_dir))
    assert told(findings) == [
        ("not-at-site", "warning", 283164601, None),
        ("not-at-site", "warning", 283164601, None),
        ("not-at-site", "warning", 283181971, None),
        ("step", "warning", 283164601, None),
        ("step", "warning", 283181971, None),
    ]
    days = [(f.station_id, f.first, f.last) for f in findings if f.check in {"not-at-site", "step"}]
    assert days == [
        (283164601, date(2022, 12, 8), date(2023, 1, 15)),
        (283164601, date(2023, 3, 30), date(2023, 5, 5)),
        (283181971, date(2022, 12, 7), date(2023, 1, 15)),
        (283164601, date(2023, 2, 15), date(2023, 2, 15)),
        (283181971, date(2023, 3, 30), date(2023, 3, 30)),
    ]


def test_two_real_stations_in_service(captures_dir: Path) -> None:
    """With the dates of their sites given, no place and no step is left."""
    since = {
        283164601: datetime(2023, 5, 6, tzinfo=BEGIN.tzinfo),
        283181971: datetime(2023, 3, 30, tzinfo=BEGIN.tzinfo),
    }
    assert found(CHECKS, captured(captures_dir), Rules(in_service=since)) == []
