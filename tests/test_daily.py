"""The daily table."""

import random
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from airq_etl import daily, hourly
from airq_etl.sensors import CORE_COLUMNS
from airq_etl.stations import midnight
from tests.frames import START, STATION, answer, hour

AFTER = hour(24 * 400)
NEW_YORK = {STATION: "America/New_York"}


def hours_of(first: datetime, count: int, asked: datetime = AFTER, value: float = 1.0) -> pl.DataFrame:
    start = int((first - START) / timedelta(hours=1))
    return answer({start + n: {"CO": value, "PM2.5": value} for n in range(count)}, asked)


def only(frame: pl.DataFrame) -> dict[str, object]:
    (row,) = frame.to_dicts()
    return row


def test_the_schema_is_kept() -> None:
    """Days have the columns that the module names, also where there are none."""
    assert dict(daily.compute(hourly.empty(), daily.Rules()).schema) == daily.SCHEMA
    assert dict(daily.compute(hours_of(START, 24), daily.Rules()).schema) == daily.SCHEMA
    assert dict(daily.empty().schema) == daily.SCHEMA


def test_a_mean_has_its_hours() -> None:
    """Mean, lowest, highest and hours are over the hours reported, as reported; a missing value is not a zero."""
    frame = answer({0: {"CO": -1.0}, 1: {"CO": 0.5}, 2: {"RH": 80.0}, 23: {"CO": 2.0}}, AFTER)
    day = only(daily.compute(frame, daily.Rules()))
    assert (day["co_mean"], day["co_min"], day["co_max"], day["co_hours"]) == (0.5, -1.0, 2.0, 3)
    assert (day["humidity_mean"], day["humidity_hours"], day["pm25_mean"], day["pm25_hours"]) == (80.0, 1, None, 0)
    assert day["day"] == date(2024, 9, 9)


@pytest.mark.parametrize(("hours", "valid"), [(17, False), (18, True), (24, True)])
def test_eighteen_hours_make_a_mean_valid(hours: int, valid: bool) -> None:  # noqa: FBT001
    """A mean is valid from 18 of 24 hours on (>=); without validity there is no index."""
    day = only(daily.compute(hours_of(START, hours), daily.Rules()))
    assert day["pm25_valid"] is valid
    assert day["pm25_aqi"] == (6 if valid else None)
    assert day["pm25_mean"] == 1.0


@pytest.mark.parametrize(
    ("day", "expected", "needed"),
    [(date(2024, 3, 10), 23, 18), (date(2024, 11, 3), 25, 19), (date(2024, 6, 1), 24, 18)],
)
def test_days_of_23_and_25_hours(day: date, expected: int, needed: int) -> None:
    """Where the clock changes, a local day has 23 or 25 hours, and 75 % of them are needed."""
    start = midnight(day, "America/New_York")
    whole = daily.compute(hours_of(start, expected), daily.Rules(NEW_YORK))
    assert only(whole)["co_hours"] == expected
    assert only(whole)["day"] == day
    assert only(daily.compute(hours_of(start, needed), daily.Rules(NEW_YORK)))["co_valid"] is True
    assert only(daily.compute(hours_of(start, needed - 1), daily.Rules(NEW_YORK)))["co_valid"] is False


def test_midnight_that_the_clock_jumps_over() -> None:
    """A day whose midnight does not exist begins at the jump."""
    begins = midnight(date(2024, 4, 26), "Africa/Cairo")
    assert begins == midnight(date(2024, 4, 25), "Africa/Cairo") + timedelta(hours=24)
    assert midnight(date(2024, 4, 27), "Africa/Cairo") - begins == timedelta(hours=23)


def test_each_station_has_its_own_midnight() -> None:
    """The same UTC hours fall on different days for stations in different zones."""
    frame = pl.concat([answer({2: {"CO": 1.0}}, AFTER, station) for station in (STATION, 7)])
    days = daily.compute(frame, daily.Rules(NEW_YORK))
    assert dict(days.select("station_id", "day").iter_rows()) == {7: date(2024, 9, 9), STATION: date(2024, 9, 8)}


def test_a_day_is_final_when_it_ended_and_was_asked_since() -> None:
    """Final: none of its hours is provisional, and they were last asked for after its end."""
    ended, running = hour(24), hour(24) - timedelta(minutes=1)
    assert only(daily.compute(hours_of(START, 24, ended), daily.Rules()))["final"] is True
    assert only(daily.compute(hours_of(START, 20, running), daily.Rules()))["final"] is False
    whole = hourly.merge(hours_of(START, 23, ended), hours_of(START + timedelta(hours=23), 1, running)).rows
    assert only(daily.compute(whole, daily.Rules()))["final"] is False


def test_an_old_day_may_stay_short_and_still_be_final() -> None:
    """A day of one hour is final once it has ended, and invalid."""
    day = only(daily.compute(hours_of(START, 1), daily.Rules()))
    assert (day["final"], day["co_valid"], day["co_hours"]) == (True, False, 1)


@settings(deadline=None)
@given(st.lists(st.floats(-10, 500), min_size=2, max_size=48), st.randoms(use_true_random=False))
def test_a_mean_does_not_mind_the_order_of_rows(values: list[float], dice: random.Random) -> None:
    """Days are the same to the last bit however the rows are ordered."""
    frame = answer({n: {"CO": value} for n, value in enumerate(values)}, AFTER)
    order = list(range(frame.height))
    dice.shuffle(order)
    assert_frame_equal(
        daily.compute(frame[order], daily.Rules()), daily.compute(frame, daily.Rules()), check_exact=True
    )


@settings(deadline=None)
@given(st.lists(st.floats(-10, 500), min_size=2, max_size=30), st.integers(0, 30))
def test_a_mean_does_not_mind_how_hours_came(values: list[float], cut: int) -> None:
    """Days are the same whether their hours came in one answer or in two, the later one first or not."""
    rows = {n: {"CO": value} for n, value in enumerate(values)}
    parts = [dict(list(rows.items())[:cut]), dict(list(rows.items())[cut:])]
    whole = hourly.merge(hourly.empty(), answer(rows, AFTER)).rows
    for order in (parts, parts[::-1]):
        table = hourly.empty()
        for part in order:
            table = hourly.merge(table, answer(part, AFTER)).rows
        assert_frame_equal(daily.compute(table, daily.Rules()), daily.compute(whole, daily.Rules()), check_exact=True)


def test_other_sensors_have_days_too() -> None:
    """A sensor that a station carries beside the core ones has its daily columns; without it, no hours."""
    frame = hourly.combine([answer({0: {"CO2": 410.0}}, AFTER), answer({0: {"CO": 1.0}}, AFTER, 7)])
    days = daily.compute(frame, daily.Rules())
    assert days.select("co2_mean", "co2_hours", "co2_valid").rows() == [(None, 0, False), (410.0, 1, False)]
    both = daily.combine([daily.compute(answer({30: {"CO": 1.0}}, AFTER), daily.Rules()), days])
    assert both["co2_hours"].to_list() == [0, 0, 1]
    assert both.columns == list(daily.schema((*CORE_COLUMNS, "co2")))


def test_touched_days() -> None:
    """A day changes where an hour does, or where it was first asked for after its end; else it is only touched."""

    def touched(before: pl.DataFrame, now: pl.DataFrame) -> list[tuple[object, ...]]:
        outcome = hourly.merge(hourly.merge(hourly.empty(), before).rows, now).outcome
        return daily.touched_days(outcome, {}).rows()

    day = date(2024, 9, 9)
    assert touched(hours_of(START, 5, hour(6)), hours_of(START, 5, hour(7))) == [(STATION, day, False)]
    assert touched(hours_of(START, 5, hour(6)), hours_of(START, 5, hour(7), value=2.0)) == [(STATION, day, True)]
    assert touched(hours_of(START, 5, hour(6)), hours_of(START, 5, hour(24))) == [(STATION, day, True)]
    assert touched(hours_of(START, 5, hour(24)), hours_of(START, 5, hour(30))) == [(STATION, day, False)]
    assert touched(hours_of(START, 5, hour(6)), hours_of(START, 6, hour(7))) == [(STATION, day, True)]
