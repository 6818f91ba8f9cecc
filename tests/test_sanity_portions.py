"""A look at some stations at a time finds what a look at all of them at once finds."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from airq_etl import daily, hourly
from airq_etl.ledger_stations import rejects
from airq_etl.sanity import checks, parts
from airq_etl.sanity.evidence import SEEN, Evidence, Place, Position
from airq_etl.sanity.hours import each_later
from airq_etl.stations import Rules, Station
from tests.frames import hour, made_up

STATIONS = range(1, 8)
NEWEST = datetime.fromisoformat("2026-09-09T09:00:00Z")
NOW = NEWEST + timedelta(hours=8, minutes=20)
RULES = Rules(in_service={7: NEWEST - timedelta(days=50)})


def before(hours: int) -> datetime:
    """So many hours before the newest one."""
    return NEWEST - timedelta(hours=hours)


def of(station: int, first: int, last: int | None = None) -> pl.Expr:
    """The hours of a station from so many before the newest one to so many before it."""
    period = pl.col("hour").is_between(before(first), before(first if last is None else last))
    return (pl.col("station_id") == station) & period


def sensors() -> list[pl.Expr]:
    """One station out of range, one dead, one below zero, one swapped, one that hangs, and two that lack values."""
    station, clock = pl.col("station_id"), pl.col("hour").dt.hour()
    return [
        pl.when(station == 2).then(5000.0).when(station == 6).then(pl.col("pm10") + 9).otherwise("pm25").alias("pm25"),
        pl.when(station == 3).then(7.0).when(station == 5).then(-4.0 - clock).otherwise("o3").alias("o3"),
        pl.when(of(7, 400, 300)).then(0.5).otherwise("co").alias("co"),
        pl.when(~of(5, 60, 0)).then("no2").alias("no2"),
        pl.when((station != 1) | (clock > 3)).then("humidity").alias("humidity"),
    ]


def hours() -> pl.DataFrame:
    """Two months of seven stations: one silent for a week, one with an hour of two years ago, all silent together."""
    rows = pl.concat(made_up(station, 60) for station in STATIONS).filter(pl.col("hour") <= NEWEST)
    gone = of(2, 24 * 8, 0) | of(4, 700, 650) | pl.any_horizontal(of(station, 500, 480) for station in STATIONS)
    kept = rows.filter(~gone).with_columns(sensors())
    old = kept.filter(of(1, 900)).with_columns(hour=pl.lit(before(24 * 700), hourly.TIME))
    return pl.concat([kept, old]).sort(hourly.KEY)


def place(rows: pl.DataFrame, name: str, stations: Sequence[int]) -> Place:
    """A place with faults of its own: an hour and a day twice, one to come, days without the other, a wrong mean."""
    days = daily.compute(rows, RULES)
    last = days["day"].to_list()[-1]
    on = [(pl.col("station_id") == station) & (pl.col("day") == last - timedelta(days=30)) for station in STATIONS]
    wrong = pl.when(on[4]).then(999.0).otherwise("pm25_mean").alias("pm25_mean")
    to_come = rows.filter(of(6, 2)).with_columns(hour=pl.lit(before(-100), hourly.TIME))
    bare = pl.col("hour").dt.date() == last - timedelta(days=30)
    there = rows.filter((pl.col("station_id") != 3) | ~bare)
    return Place(
        name,
        pl.concat([there, rows.filter(of(2, 300)), to_come]).sort(hourly.KEY),
        pl.concat([days.filter(~on[3]).with_columns(wrong), days.filter(on[1])]).sort(daily.KEY),
        frozenset(stations),
    )


def of_nobody(rows: pl.DataFrame) -> pl.DataFrame:
    """An hour of no station."""
    return rows.head(1).with_columns(station_id=pl.lit(None, pl.Int64))


def told() -> dict[str, Any]:
    """What is told beside the rows: places, keys, revisions, rows set aside, and days that wait or are outdated."""
    spots = {1: (5.3, -4.0), 2: (5.4, -4.1), 3: (5.3, 4.0), 4: (None, None), 5: (5.35, -4.05)}
    said = {station: Station(latitude=north, longitude=east) for station, (north, east) in spots.items()}
    revised = [(3, before(number), "co", 0.1, 0.2, before(100)) for number in range(300, 400)]
    aside = {"station_id": 6, "requested_at": before(50).isoformat(), "reason": "no number", "row": "{}"}
    return {
        "configured": frozenset(STATIONS),
        "said": said,
        "known": said | {5: Station(latitude=9.0, longitude=-4.0)},
        "placed": frozenset({5}),
        "positions": tuple(Position(1, 5.3 + n, -4.0, before(90 - n), before(80 - n)) for n in range(2)),
        "keys": {4: {"XYZ": before(3)}},
        "revisions": pl.DataFrame(revised, schema=hourly.REVISION_SCHEMA, orient="row"),
        "rejects": rejects([[aside.get(name) for name in rejects([]).columns]]),
        "outdated": frozenset({7}),
    }


def evidence() -> Evidence:
    """What each check of a run finds something in."""
    rows = hours()
    theirs = rows.filter(~of(1, 700)).with_columns(co=pl.when(of(4, 200)).then(9.0).otherwise("co"))
    store = place(theirs, "store", STATIONS[1:])
    waiting = daily.compute(rows.filter(of(4, 40, 0)), RULES).select(daily.KEY)
    return Evidence(
        now=NOW,
        rules=RULES,
        tables=place(rows, "tables", STATIONS[:-1]),
        store=store._replace(hourly=pl.concat([of_nobody(rows), store.hourly])),
        waiting=waiting,
        behind=waiting.height,
        **told(),
    )


def as_read(given: Evidence) -> Evidence:
    """The evidence of a short look: of the hours their keys, and who reads them."""
    whole = given.tables.hourly
    return given._replace(tables=given.tables._replace(hourly=whole.select(SEEN)), read_hours=whole.filter)


def test_some_stations_at_a_time_are_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same findings in the same order, whatever lies in a part, and each check of a run has found something."""
    given = evidence()
    assert len(list(parts.parts(given))) == 1
    short, whole = checks.examine(given, short=True), checks.examine(given)
    assert {finding.check for finding in short} == {check.name for check in checks.CHECKS if check.for_runs}
    assert [finding.count for finding in short if "to be loaded" in finding.sentence] == [given.behind]
    assert checks.examine(as_read(given), short=True) == short
    for most, count in ((1, 7), (2500, 6), (3000, 4), (5000, 3)):
        monkeypatch.setattr(parts, "HOURS_AT_ONCE", most)
        assert len(list(parts.parts(given))) == count
        assert checks.examine(given, short=True) == short
        assert checks.examine(as_read(given), short=True) == short
        assert checks.examine(given) == whole


def test_each_row_is_in_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of no station too, and those of stations that one table alone has."""
    monkeypatch.setattr(parts, "HOURS_AT_ONCE", 3000)
    given = evidence()
    stray, only_days = of_nobody(given.tables.hourly), given.tables.daily.head(1).with_columns(station_id=99)
    rows = pl.concat([stray, given.tables.hourly]), pl.concat([given.tables.daily, only_days], how="vertical_relaxed")
    given = given._replace(tables=given.tables._replace(hourly=rows[0], daily=rows[1]))
    found = list(parts.parts(as_read(given)))
    for name in ("hourly", "daily"):
        frames = [getattr(part.tables, name) for part in found]
        assert pl.concat(frames).equals(getattr(given.tables, name))
    assert given.store is not None
    assert sum(part.store.hourly.height for part in found if part.store) == given.store.hourly.height
    assert pl.concat(part.revisions for part in found).equals(given.revisions)
    assert pl.concat(part.rejects for part in found).equals(given.rejects)


def test_rows_in_order_are_known_from_those_that_are_not() -> None:
    """By station, then by time; one that stands twice, and one that has none, is out of order."""
    key = ("station_id", "hour")
    frame = pl.DataFrame({"station_id": [1, 1, 2, 2], "hour": [hour(5), hour(6), hour(1), hour(2)]})
    assert each_later(frame, key)
    assert each_later(frame.clear(), key)
    assert not each_later(frame.reverse(), key)
    assert not each_later(pl.concat([frame, frame.tail(1)]), key)
    assert not each_later(frame.with_columns(hour=pl.col("hour") - timedelta(hours=1) * pl.int_range(4) * 9), key)
    missing = pl.when(pl.int_range(pl.len()) == 1).then(None).otherwise(pl.col("hour")).alias("hour")
    assert not each_later(frame.with_columns(missing), key)
