"""Rows belong together: each check alone, and what it leaves to another one."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from airq_etl import daily, hourly
from airq_etl.sanity import integrity
from airq_etl.sanity.evidence import Evidence, Place
from airq_etl.sanity.finding import Finding
from airq_etl.stations import Rules
from airq_etl.windows import Days
from tests.frames import STATION, answer, hour
from tests.translated import in_both

OTHER = 9999
DAYS = 6
NOW = hour(DAYS * 24) + timedelta(minutes=20)
ROME = "Europe/Rome"


def _hours(station_id: int = STATION, days: int = DAYS) -> pl.DataFrame:
    values = {n: {"CO": 0.4 + n % 7 / 10, "PM2.5": 10.0 + n % 5} for n in range(days * 24)}
    return answer(values, NOW, station_id)


def _place(hours: pl.DataFrame, name: str = "tables", rules: Rules | None = None) -> Place:
    return Place(name, hours, daily.compute(hours, rules or Rules()), frozenset({STATION, OTHER}))


def _evidence(tables: Place | None = None, store: Place | None = None, **more: Any) -> Evidence:  # noqa: ANN401 -- fields
    rules = more.pop("rules", Rules())
    tables = tables or _place(_hours(), rules=rules)
    store = store or tables
    return Evidence(now=NOW, rules=rules, tables=tables, store=store._replace(name="store"), **more)


def _found(evidence: Evidence) -> list[Finding]:
    return in_both(
        finding for check in integrity.CHECKS for find in (check.together, check.find) for finding in find(evidence)
    )


def _one(evidence: Evidence) -> Finding:
    (finding,) = _found(evidence)
    return finding


def _at(number: int, station_id: int = STATION) -> pl.Expr:
    return (pl.col("hour") == hour(number)) & (pl.col("station_id") == station_id)


def _on(number: int, station_id: int = STATION) -> pl.Expr:
    return (pl.col("day") == _day(number)) & (pl.col("station_id") == station_id)


def _day(number: int) -> date:
    return hour(number * 24).date()


def _set(frame: pl.DataFrame, where: pl.Expr, **values: Any) -> pl.DataFrame:  # noqa: ANN401 -- cells
    cells = {name: pl.lit(value, dtype=frame.schema[name]) for name, value in values.items()}
    return frame.with_columns(
        pl.when(where).then(cell).otherwise(pl.col(name)).alias(name) for name, cell in cells.items()
    )


def _altered(number: int, **values: Any) -> Place:  # noqa: ANN401 -- cells
    """The tables with other values in one day's row."""
    place = _place(_hours())
    return place._replace(daily=_set(place.daily, _on(number), **values))


GOOD = _place(hourly.combine([_hours(), _hours(OTHER)]))


def _with(fault: Place, place: str, good: Place = GOOD) -> Evidence:
    """Evidence with a fault in one place."""
    return _evidence(fault, good) if place == "tables" else _evidence(good, fault)


@pytest.mark.parametrize("rules", [Rules(), Rules({STATION: ROME}, min_hours=12)])
def test_nothing_is_found_where_all_is_well(rules: Rules) -> None:
    """Days end at the station's midnight; one of few hours follows from them as well."""
    hours = _hours().filter(~_at(30), ~pl.col("hour").is_between(hour(75), hour(90)))
    assert _found(_evidence(_place(hours, rules=rules), rules=rules)) == []
    assert _found(_evidence(_place(hourly.empty()))) == []


def test_tables_alone_are_looked_at_where_there_is_no_store() -> None:
    """Without a store nothing is said of one."""
    broken = _altered(2, co_mean=9.0)
    assert {finding.place for finding in _found(Evidence(now=NOW, rules=Rules(), tables=broken))} == {"tables"}


# -- one place by itself -----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["tables", "store"])
def test_an_hour_that_stands_twice(place: str) -> None:
    """It is reported once, whatever its values, and not as a mean that does not follow."""
    doubled = GOOD._replace(hourly=pl.concat([GOOD.hourly, _set(GOOD.hourly.filter(_at(30)), _at(30), co=9.0)]))
    finding = _one(_with(doubled, place))
    assert (finding.check, finding.severity, finding.place) == ("duplicate-hours", "error", place)
    assert (finding.station_id, finding.first, finding.last, finding.count) == (STATION, hour(30), hour(30), 1)
    assert finding.sentence == "1 hour stands more than once: 2024-09-10 06:00"
    assert ("_id is not like 283164601:2024-09-09T10" in finding.action) == (place == "store")


@pytest.mark.parametrize("place", ["tables", "store"])
def test_a_day_that_stands_twice(place: str) -> None:
    """It is reported once, whatever its values."""
    again = GOOD.daily.filter(_on(1) | _on(2))
    doubled = GOOD._replace(daily=pl.concat([GOOD.daily, _set(again, _on(1), co_mean=9.0)]))
    finding = _one(_with(doubled, place))
    assert (finding.check, finding.station_id, finding.first, finding.last) == (
        "duplicate-days",
        STATION,
        _day(1),
        _day(2),
    )
    assert finding.sentence == "2 days stand more than once, the first is 2024-09-10"


@pytest.mark.parametrize("place", ["tables", "store"])
def test_days_none_of_whose_hours_is_there(place: str) -> None:
    """Their hours are then not said to be missing as well."""
    gone = pl.col("hour").is_between(hour(48), hour(95)) & (pl.col("station_id") == STATION)
    finding = _one(_with(GOOD._replace(hourly=GOOD.hourly.filter(~gone)), place))
    assert (finding.check, finding.first, finding.last, finding.count) == ("days-without-hours", _day(2), _day(3), 2)
    assert finding.sentence == "2 days have means and not one hour, the first is 2024-09-11"


@pytest.mark.parametrize("place", ["tables", "store"])
def test_hours_whose_day_is_not_there(place: str) -> None:
    """The day is then not said to be missing as well."""
    finding = _one(_with(GOOD._replace(daily=GOOD.daily.filter(~_on(2))), place))
    assert (finding.check, finding.first, finding.count) == ("hours-without-day", hour(48), 24)
    assert finding.sentence == "24 hours have no daily row, on 1 day: 2024-09-11"


@pytest.mark.parametrize("place", ["tables", "store"])
def test_rows_of_a_station_that_is_not_listed(place: str) -> None:
    """Where the other place lists it, the way to have it here too is told."""
    finding = _one(_with(GOOD._replace(stations=frozenset({OTHER})), place))
    assert (finding.check, finding.station_id, finding.count) == ("unknown-station", STATION, 144 + 6)
    assert finding.sentence == "144 hours and 6 days of a station of which there is no record"
    assert finding.action.startswith("run `airq-etl ")


@pytest.mark.parametrize("with_hours", [True, False])
@pytest.mark.parametrize("with_days", [True, False])
@pytest.mark.parametrize("place", ["tables", "store"])
def test_rows_of_a_station_that_nobody_lists(place: str, *, with_hours: bool, with_days: bool) -> None:
    """They are one finding, of hours, of days, or of both."""
    strange = _place(_hours(7, 2))
    hours = [GOOD.hourly, strange.hourly] if with_hours else [GOOD.hourly]
    days = [GOOD.daily, strange.daily] if with_days else [GOOD.daily]
    found = _found(_with(GOOD._replace(hourly=pl.concat(hours), daily=pl.concat(days)), place))
    expected = [("unknown-station", 7, 48 * with_hours + 2 * with_days)] if with_hours or with_days else []
    assert [(finding.check, finding.station_id, finding.count) for finding in found] == expected


def test_rows_of_no_station() -> None:
    """What somebody else wrote without a station is told, and ends nothing."""
    nobody = _hours().filter(_at(30)).with_columns(station_id=pl.lit(None, dtype=pl.Int64))
    finding = _one(_evidence(GOOD, GOOD._replace(hourly=pl.concat([GOOD.hourly, nobody]))))
    assert (finding.check, finding.station_id, finding.count) == ("unknown-station", None, 1)


def test_rows_of_no_time() -> None:
    """A document whose hour is not a time is none that the tables have."""
    timeless = _hours().filter(_at(30)).with_columns(hour=pl.lit(None, dtype=hourly.TIME))
    finding = _one(_evidence(GOOD, GOOD._replace(hourly=pl.concat([GOOD.hourly, timeless]))))
    assert (finding.check, finding.station_id, finding.count) == ("store-differs", STATION, 1)
    assert finding.sentence == "1 hour is not in the tables; its time cannot be read"


@pytest.mark.parametrize("place", ["tables", "store"])
def test_hours_and_days_to_come(place: str) -> None:
    """An hour that begins within an hour may be a matter of clocks; a later one, and a day after today, is wrong."""
    soon = _set(GOOD.hourly.filter(_at(143)), _at(143), hour=hour(145))
    near = _place(pl.concat([GOOD.hourly, soon]))
    assert _found(_evidence(near)) == []
    later = pl.concat([_set(soon, pl.lit(value=True), hour=hour(number)) for number in (146, 168)])
    to_come = pl.concat([near.daily, _set(GOOD.daily.filter(_on(5)), _on(5), day=_day(9))])
    finding = _one(_with(near._replace(hourly=pl.concat([near.hourly, later]), daily=to_come), place, near))
    assert (finding.check, finding.first, finding.last, finding.count) == ("future-hours", hour(146), hour(168), 3)
    assert finding.sentence == (
        "2 hours and 1 day are in the future, the first is 2024-09-15 02:00; now is 2024-09-15 00:20"
    )


def test_today_is_the_stations_own() -> None:
    """East of Greenwich a day begins before UTC's."""
    rules = Rules({STATION: "Pacific/Auckland"})
    assert _found(_evidence(_place(_hours(), rules=rules), rules=rules)) == []


# -- means and hours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["tables", "store"])
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"co_mean": 9.99}, "CO mean of 2024-09-11 is 9.99 mg/m³, its hours give 0."),
        ({"co_mean": None}, "CO mean of 2024-09-11 is none, its hours give 0."),
        ({"co_min": -1.0}, "CO minimum of 2024-09-11 is -1 mg/m³, its hours give 0.4 mg/m³"),
        ({"co_max": 3.0}, "CO maximum of 2024-09-11 is 3 mg/m³, its hours give 1 mg/m³"),
        ({"co_hours": 23}, "CO number of hours of 2024-09-11 is 23, its hours give 24"),
        ({"co_valid": False}, "CO validity of 2024-09-11 is no, its hours give yes"),
    ],
)
def test_a_daily_row_that_does_not_follow(place: str, values: dict[str, Any], said: str) -> None:
    """It is said of the place in which it is so, with what is stored and what follows, and not as a difference."""
    finding = _one(_with(_altered(2, **values), place, _place(_hours())))
    assert (finding.check, finding.severity, finding.place) == ("daily-mean", "error", place)
    assert (finding.sensor, finding.first, finding.last, finding.count) == ("co", _day(2), _day(2), 1)
    assert finding.sentence.startswith(said)


def test_a_mean_may_differ_in_its_last_digits() -> None:
    """Another machine adds in another order."""
    place = _place(_hours())
    nearly = place._replace(daily=place.daily.with_columns(pl.col("co_mean") * (1 + 1e-10)))
    assert _found(_evidence(nearly)) == []


def test_a_day_that_is_final_too_early() -> None:
    """Of the tables; the store may have been loaded when that was not so yet, and is compared with them."""
    finding = _one(_evidence(_altered(5, final=False), _place(_hours())))
    assert (finding.check, finding.place, finding.sensor) == ("daily-mean", "tables", None)
    finding = _one(_evidence(_place(_hours()), _altered(5, final=False)))
    assert (finding.check, finding.place, finding.sensor) == ("store-differs", "store", None)
    assert finding.sentence == "1 day has other values than in the tables: final of 2024-09-14 is no, there yes"


def test_a_fault_of_the_tables_is_said_of_them() -> None:
    """An hour that is gone from the tables, or altered there, is one finding; the store, which has it, is not wrong."""
    place = _place(_hours())
    for hours, sensor in ((place.hourly.filter(~_at(50)), None), (_set(place.hourly, _at(50), co=5.0), "co")):
        finding = _one(_evidence(place._replace(hourly=hours), place))
        assert (finding.check, finding.place, finding.first) == ("daily-mean", "tables", _day(2))
        assert finding.sensor == sensor
    assert _one(_evidence(_altered(2, co_mean=9.0))).place == "tables"


def test_a_sensor_is_one_finding() -> None:
    """Days on which one sensor alone is wrong are told of that sensor, those of several together."""
    place = _altered(2, co_mean=9.0)
    days = _set(_set(place.daily, _on(3), co_mean=8.0), _on(4), co_mean=7.0, pm25_mean=1.0)
    found = _found(_evidence(place._replace(daily=days), _place(_hours())))
    assert [(finding.sensor, finding.first, finding.count) for finding in found] == [
        ("co", _day(2), 2),
        (None, _day(4), 1),
    ]
    assert found[0].sentence.endswith("; the first of 2 days")
    assert found[1].sentence.endswith("; so it is with 1 more sensor")


# -- tables and store --------------------------------------------------------------------------------------


def test_hours_that_the_store_lacks() -> None:
    """They are one finding, with the month's counts; the mean that does not follow from what is left is not another."""
    store = GOOD._replace(hourly=GOOD.hourly.filter(~_at(50), ~_at(75), ~_at(75, OTHER)))
    found = _found(_evidence(GOOD, store))
    assert [(f.check, f.station_id, f.first, f.last, f.count) for f in found] == [
        ("store-differs", OTHER, hour(75), hour(75), 1),
        ("store-differs", STATION, hour(50), hour(75), 2),
    ]
    assert found[1].sentence == (
        "2 hours of the tables are missing, the first is 2024-09-11 02:00; 2024-09 has 142 hours, in the tables 144"
    )
    assert found[1].action == "run `airq-etl load --full`"


def test_days_that_the_store_lacks_with_their_hours() -> None:
    """Hours and days are one finding."""
    gone = pl.col("hour").is_between(hour(48), hour(71)) & (pl.col("station_id") == STATION)
    store = GOOD._replace(hourly=GOOD.hourly.filter(~gone), daily=GOOD.daily.filter(~_on(2)))
    finding = _one(_evidence(GOOD, store))
    assert (finding.check, finding.count) == ("store-differs", 25)
    assert finding.sentence.startswith("24 hours and 1 day of the tables are missing, the first is 2024-09-11 00:00; ")
    assert _one(_evidence(store, GOOD)).sentence.startswith("24 hours and 1 day are not in the tables, ")


def test_an_hour_that_has_another_value_in_the_store() -> None:
    """It is told with both values; what was asked for later and is the same is no difference."""
    altered = GOOD._replace(hourly=_set(GOOD.hourly, _at(50), co=5.0, requested_at=NOW - timedelta(days=1)))
    finding = _one(_evidence(GOOD, altered))
    assert (finding.check, finding.sensor, finding.first, finding.count) == ("store-differs", "co", hour(50), 1)
    assert finding.sentence == (
        "1 hour has other values than in the tables: CO of 2024-09-11 02:00 is 5 mg/m³, there 0.5 mg/m³"
    )
    asked = GOOD.hourly.with_columns(pl.col("requested_at") - timedelta(hours=1))
    assert _found(_evidence(GOOD, GOOD._replace(hourly=asked))) == []


def test_what_else_a_day_says_is_compared() -> None:
    """Whatever column it is that does not follow from the hours alone."""
    finding = _one(_evidence(_place(_hours()), _altered(2, pm25_aqi=400)))
    assert (finding.check, finding.sensor) == ("store-differs", "pm25")
    assert finding.sentence.startswith(
        "1 day has other values than in the tables: pm25_aqi of 2024-09-11 is 400, there "
    )


def test_a_sensor_that_only_one_place_has() -> None:
    """Its values are a difference where it is, and none for stations that have no such sensor."""
    some = _set(GOOD.hourly.with_columns(voc=pl.lit(None, dtype=pl.Float64)), _at(30), voc=3.0)
    with_it = _place(hourly.arrange(some))
    assert _found(_evidence(with_it)) == []
    finding = _one(_evidence(with_it, GOOD))
    assert (finding.check, finding.station_id, finding.sensor, finding.count) == ("store-differs", STATION, "voc", 1)


def test_days_that_wait_to_be_loaded() -> None:
    """They are one warning, and the store is not held against them; on other days it is."""
    store = GOOD._replace(
        hourly=_set(GOOD.hourly.filter(hour(72) > pl.col("hour")), _at(50), co=5.0), daily=GOOD.daily.filter(~_on(2))
    )
    waiting = GOOD.daily.filter(pl.col("day") >= _day(2)).select(daily.KEY)
    finding = _one(_evidence(GOOD, store, waiting=waiting, behind=waiting.height))
    assert (finding.check, finding.severity, finding.count) == ("store-differs", "warning", 8)
    assert (finding.sentence, finding.action) == ("8 days wait to be loaded", "run `airq-etl load`")
    broken = store._replace(hourly=store.hourly.filter(~_at(30)))
    found = _found(_evidence(GOOD, broken, waiting=waiting, behind=waiting.height))
    assert [(finding.severity, finding.first) for finding in found] == [("warning", _day(2)), ("error", hour(30))]


def test_days_of_which_only_the_number_waits() -> None:
    """Where it is not said which days wait, no difference is told."""
    finding = _one(_evidence(GOOD, GOOD._replace(hourly=GOOD.hourly.filter(~_at(50))), behind=3))
    assert (finding.severity, finding.sentence) == ("warning", "3 days wait to be loaded")


def test_a_store_that_others_load_too() -> None:
    """It may hold more hours, newer values, and days that follow from these; what it lacks of ours is an error."""
    newer = _set(_hours(days=7), _at(50), co=5.0)
    shared = _place(newer)
    assert _found(_evidence(_place(_hours()), shared, shares=True)) == []
    lacking = shared._replace(hourly=newer.filter(~_at(50)))
    finding = _one(_evidence(_place(_hours()), lacking, shares=True))
    assert (finding.check, finding.first) == ("store-differs", hour(50))
    days = _set(shared.daily, _on(2), co_mean=9.0)
    finding = _one(_evidence(_place(_hours()), shared._replace(daily=days), shares=True))
    assert (finding.check, finding.place, finding.first) == ("daily-mean", "store", _day(2))


def test_only_what_both_were_cut_to_is_compared() -> None:
    """A store of which the last days are looked at lacks nothing before them."""
    since = GOOD._replace(
        hourly=GOOD.hourly.filter(pl.col("hour") >= hour(96)), daily=GOOD.daily.filter(pl.col("day") >= _day(4))
    )
    days = Days(_day(4), _day(9))
    assert _found(_evidence(GOOD, since, store_days=days)) == []
    broken = since._replace(hourly=since.hourly.filter(~_at(100)))
    assert _one(_evidence(GOOD, broken, store_days=days)).first == hour(100)


def test_every_check_is_described() -> None:
    """A name as in findings, what it looks for, from when on, and why."""
    names = [check.name for check in integrity.CHECKS]
    assert len(set(names)) == len(names) == 8
    assert all(check.what and check.threshold and check.source for check in integrity.CHECKS)
