"""The daily table."""

import math
import random
import subprocess
import sys
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from airq_etl import daily, hourly
from airq_etl.sensors import CORE_COLUMNS
from airq_etl.stations import Rules, midnight
from tests.frames import START, STATION, answer, hour
from tests.mongo import REPOSITORY

if TYPE_CHECKING:
    from tests.conftest import Airq

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
    assert dict(daily.compute(hourly.empty(), Rules()).schema) == daily.SCHEMA
    assert dict(daily.compute(hours_of(START, 24), Rules()).schema) == daily.SCHEMA
    assert dict(daily.empty().schema) == daily.SCHEMA


def test_a_mean_has_its_hours() -> None:
    """Mean, lowest, highest and hours are over the hours reported, as reported; a missing value is not a zero."""
    frame = answer({0: {"CO": -1.0}, 1: {"CO": 0.5}, 2: {"RH": 80.0}, 23: {"CO": 2.0}}, AFTER)
    day = only(daily.compute(frame, Rules()))
    assert (day["co_mean"], day["co_min"], day["co_max"], day["co_hours"]) == (0.5, -1.0, 2.0, 3)
    assert (day["humidity_mean"], day["humidity_hours"], day["pm25_mean"], day["pm25_hours"]) == (80.0, 1, None, 0)
    assert day["day"] == date(2024, 9, 9)


@pytest.mark.parametrize(("hours", "valid"), [(17, False), (18, True), (24, True)])
def test_eighteen_hours_make_a_mean_valid(hours: int, valid: bool) -> None:  # noqa: FBT001
    """A mean is valid from 18 of 24 hours on (>=); without validity there is no index."""
    day = only(daily.compute(hours_of(START, hours), Rules()))
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
    whole = daily.compute(hours_of(start, expected), Rules(NEW_YORK))
    assert only(whole)["co_hours"] == expected
    assert only(whole)["day"] == day
    assert only(daily.compute(hours_of(start, needed), Rules(NEW_YORK)))["co_valid"] is True
    assert only(daily.compute(hours_of(start, needed - 1), Rules(NEW_YORK)))["co_valid"] is False


def test_midnight_that_the_clock_jumps_over() -> None:
    """A day whose midnight does not exist begins at the jump."""
    begins = midnight(date(2024, 4, 26), "Africa/Cairo")
    assert begins == midnight(date(2024, 4, 25), "Africa/Cairo") + timedelta(hours=24)
    assert midnight(date(2024, 4, 27), "Africa/Cairo") - begins == timedelta(hours=23)


def test_each_station_has_its_own_midnight() -> None:
    """The same UTC hours fall on different days for stations in different zones."""
    frame = pl.concat([answer({2: {"CO": 1.0}}, AFTER, station) for station in (STATION, 7)])
    days = daily.compute(frame, Rules(NEW_YORK))
    assert dict(days.select("station_id", "day").iter_rows()) == {7: date(2024, 9, 9), STATION: date(2024, 9, 8)}


def test_a_day_is_final_when_it_ended_and_was_asked_since() -> None:
    """Final: none of its hours is provisional, and they were last asked for after its end."""
    ended, running = hour(24), hour(24) - timedelta(minutes=1)
    assert only(daily.compute(hours_of(START, 24, ended), Rules()))["final"] is True
    assert only(daily.compute(hours_of(START, 20, running), Rules()))["final"] is False
    whole = hourly.merge(hours_of(START, 23, ended), hours_of(START + timedelta(hours=23), 1, running)).rows
    assert only(daily.compute(whole, Rules()))["final"] is False


def test_an_old_day_may_stay_short_and_still_be_final() -> None:
    """A day of one hour is final once it has ended, and invalid."""
    day = only(daily.compute(hours_of(START, 1), Rules()))
    assert (day["final"], day["co_valid"], day["co_hours"]) == (True, False, 1)


@settings(deadline=None)
@given(st.lists(st.floats(-10, 500), min_size=2, max_size=48), st.randoms(use_true_random=False))
def test_a_mean_does_not_mind_the_order_of_rows(values: list[float], dice: random.Random) -> None:
    """Days are the same to the last bit however the rows are ordered."""
    frame = answer({n: {"CO": value} for n, value in enumerate(values)}, AFTER)
    order = list(range(frame.height))
    dice.shuffle(order)
    assert_frame_equal(daily.compute(frame[order], Rules()), daily.compute(frame, Rules()), check_exact=True)


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
        assert_frame_equal(daily.compute(table, Rules()), daily.compute(whole, Rules()), check_exact=True)


def test_other_sensors_have_days_too() -> None:
    """A sensor that a station carries beside the core ones has its daily columns; without it, no hours."""
    frame = hourly.combine([answer({0: {"CO2": 410.0}}, AFTER), answer({0: {"CO": 1.0}}, AFTER, 7)])
    days = daily.compute(frame, Rules())
    assert days.select("co2_mean", "co2_hours", "co2_valid").rows() == [(None, 0, False), (410.0, 1, False)]
    both = daily.combine([daily.compute(answer({30: {"CO": 1.0}}, AFTER), Rules()), days])
    assert both["co2_hours"].to_list() == [0, 0, 1]
    assert both.columns == list(daily.schema((*CORE_COLUMNS, "co2")))


def test_completeness_is_the_share_of_the_hours_that_a_day_has() -> None:
    """In per cent of 24 hours, or of 23 or 25; an hour flagged bad is not among them."""
    day = only(daily.compute(hours_of(START, 18), Rules()))
    assert (day["expected"], day["co_hours"], day["co_completeness"]) == (24, 18, 75.0)
    spring = midnight(date(2024, 3, 10), "America/New_York")
    day = only(daily.compute(hours_of(spring, 23), Rules(NEW_YORK)))
    assert (day["expected"], day["co_completeness"]) == (23, 100.0)
    day = only(daily.compute(hours_of(START, 12, value=1e6), Rules()))
    assert (day["co_hours"], day["co_bad"], day["co_completeness"]) == (0, 12, 0.0)


@pytest.mark.parametrize(("value", "who", "eu"), [(15.0, False, False), (15.1, True, False), (25.1, True, True)])
def test_pm25_above_the_guidelines(value: float, who: bool, eu: bool) -> None:  # noqa: FBT001
    """WHO 2021: 15 µg/m³; EU 2024/2881: 25 µg/m³; a mean that equals them is not above; an invalid one has no mark."""
    day = only(daily.compute(hours_of(START, 18, value=value), Rules()))
    assert (day["pm25_above_who"], day["pm25_above_eu"]) == (who, eu)
    day = only(daily.compute(hours_of(START, 17, value=value), Rules()))
    assert (day["pm25_above_who"], day["pm25_above_eu"], day["pm25_aqi"]) == (None, None, None)


@pytest.mark.parametrize(("value", "above"), [(4.0, False), (4.1, True)])
def test_co_above_the_guidelines(value: float, above: bool) -> None:  # noqa: FBT001
    """WHO 2021 and EU 2024/2881 have 4 mg/m³ for the day."""
    day = only(daily.compute(hours_of(START, 24, value=value), Rules()))
    assert (day["co_above_who"], day["co_above_eu"], day["co_8h_above"]) == (above, above, False)


def test_the_highest_mean_of_eight_hours() -> None:
    """Of the eight hours that end with each hour of the day, those of the evening before included; six are needed."""
    values = dict.fromkeys(range(48), 1.0) | dict.fromkeys(range(20, 28), 12.0)
    frame = answer({n: {"CO": value} for n, value in values.items()}, AFTER)
    first, second = daily.compute(frame, Rules()).to_dicts()
    assert (first["co_8h_max"], first["co_8h_means"], first["co_8h_above"]) == ((4 * 12 + 4) / 8, 19, False)
    assert (second["co_8h_max"], second["co_8h_means"], second["co_8h_above"]) == (12.0, 24, True)
    alone = daily.compute(frame, Rules(), pl.DataFrame({"station_id": [STATION], "day": [date(2024, 9, 10)]}))
    assert only(alone)["co_8h_max"] == 12.0


def test_a_mean_of_eight_hours_is_the_same_whatever_was_before() -> None:
    """To the last bit, so that days computed one by one, as runs do, are those of a rebuild."""
    frame = answer({n: {"CO": math.sin(n * n) / 3} for n in range(24 * 60)}, hour(24 * 61))
    whole = daily.compute(frame, Rules())
    for day in whole["day"]:
        near = frame.filter(pl.col("hour").dt.date().is_between(day - timedelta(days=1), day))
        alone = daily.compute(near, Rules()).filter(pl.col("day") == day)
        assert only(alone)["co_8h_max"] == only(whole.filter(pl.col("day") == day))["co_8h_max"]


DIGEST = """
import hashlib
import polars as pl
from airq_etl import daily, hourly
from airq_etl.stations import Rules
from tests.frames import made_up
hours = pl.concat(made_up(station, 60) for station in range(1, 6))
whole = daily.compute(hours, Rules())
parts = pl.concat(daily.compute(hours.filter(pl.col("station_id") == s), Rules()) for s in range(1, 6))
assert whole.equals(parts)
print(hashlib.sha256(repr(whole.rows()).encode()).hexdigest())
"""


def test_a_day_is_the_same_on_however_many_threads(airq: "Airq") -> None:
    """To the last bit, by itself and among others: so on every machine, and in whatever portions days are computed."""
    found = set()
    for threads in (1, 2, 3, 8):
        env = airq.environment | {"POLARS_MAX_THREADS": str(threads), "PYTHONPATH": str(REPOSITORY)}
        ran = subprocess.run([sys.executable, "-c", DIGEST], env=env, capture_output=True, text=True, check=True)
        found.add(ran.stdout)
    assert len(found) == 1


def test_a_mean_of_eight_hours_may_end_with_one_that_is_missing() -> None:
    """Six of eight hours are enough, whichever are missing; nothing ends after the last hour known."""
    gone = {n: 1.0 for n in range(24) if n not in {10, 11, 12}}
    frame = answer({n: {"CO": value} for n, value in gone.items()} | {9: {"CO": 9.0}}, AFTER)
    day = only(daily.compute(frame, Rules()))
    # Those that end at 10:00 and 11:00 have seven and six; at 12:00, 13:00, 14:00 and so on until 17:00 five.
    assert (day["co_8h_max"], day["co_8h_means"]) == ((5 * 1.0 + 9.0) / 6, 24 - 5 - 6)
    alone = only(daily.compute(answer({n: {"CO": 1.0} for n in range(8)}, AFTER), Rules()))
    assert alone["co_8h_means"] == 3
    midnight_gone = answer({n: {"CO": 1.0} for n in (*range(23), 25, 26, 27)}, AFTER)
    assert daily.compute(midnight_gone, Rules())["co_8h_means"].to_list() == [19, 4]


def test_too_few_means_of_eight_hours_have_no_mark() -> None:
    """The highest of fewer than 18 of 24 is told, and marks nothing."""
    frame = answer({n: {"CO": 20.0} for n in range(22)}, AFTER)
    day = only(daily.compute(frame, Rules()))
    assert (day["co_8h_max"], day["co_8h_means"], day["co_8h_above"]) == (20.0, 17, None)
    frame = answer({n: {"CO": 20.0} for n in range(23)}, AFTER)
    assert only(daily.compute(frame, Rules()))["co_8h_above"] is True


def test_influenced_days() -> None:
    """Flags look back four weeks, and some hours ahead: a changed day may change the day before and 29 after."""
    changed = pl.DataFrame({"station_id": [STATION], "day": [date(2024, 1, 10)]})
    last = pl.DataFrame({"station_id": [STATION, 7], "day": [date(2024, 9, 9)] * 2})
    days = daily.influenced_days(changed, last)["day"].to_list()
    assert (days[0], days[-1], len(days)) == (date(2024, 1, 9), date(2024, 2, 8), 31)
    near = daily.influenced_days(changed, last.with_columns(day=pl.lit(date(2024, 1, 10))))["day"].to_list()
    assert near == [date(2024, 1, 9), date(2024, 1, 10)]


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
