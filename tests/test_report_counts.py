"""The numbers of a report where they are easily got wrong: at the ends of days, months, periods and what is known."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from airq_etl import hourly
from airq_etl.pipeline.reporting.write import write_page
from airq_etl.report.facts import Report, SensorFacts
from airq_etl.report.page import embedded
from airq_etl.report.words import Words
from airq_etl.sanity.finding import Finding, Severity
from airq_etl.stations import Rules
from airq_etl.windows import HOUR, Days
from tests.made_up_report import facts_of, report_on, run_at, without
from tests.test_report_facts import forecasts, made
from tests.years import BEGIN, STATION, hours_of, lively

DAY = timedelta(days=1)
SKEWED = [8.0, 8.0, 29.0]
"""Whose mean is no median, and whose lowest is not their highest."""


def skewed() -> SensorFacts:
    return facts_of(hours_of(72, pm25=lambda number: SKEWED[number // 24]), BEGIN + 3 * DAY).pm25


def test_a_mean_is_a_mean_and_the_highest_is_the_highest() -> None:
    """Of a month as of a year."""
    (year,) = skewed().years
    assert (year.mean, year.highest) == (15.0, 29.0)
    assert (skewed().months.mean[0], skewed().months.highest[0]) == (15.0, 29.0)


@pytest.mark.parametrize(("hour", "days"), [(17, 0), (18, 1)])
def test_no_more_days_are_valid_than_there_are(hour: int, days: int) -> None:
    """On the evening of New Year's Day that day is valid already: 1 of 1, not 1 of 0; before, it is not missing."""
    pm25 = facts_of(hours_of(hour, pm25=lively), BEGIN + hour * HOUR).pm25
    (year,) = pm25.years
    assert (year.valid_days, year.days) == (days, days)
    assert (pm25.months.valid_days, pm25.months.days) == ([days], [days])


def test_a_month_of_exactly_three_of_four_days_is_valid() -> None:
    """April has thirty days, of which 22.5 are needed; of February's 28, 21."""
    rows = hours_of(24 * 500, pm25=lively).filter(pl.col("hour").dt.year() == 2025)
    rows = without(rows, lambda hour: (hour.dt.month() == 2) & (hour.dt.day() > 21))
    months = facts_of(rows, BEGIN + 500 * DAY).pm25.months
    assert dict(zip(months.month, zip(months.valid_days, months.valid, strict=True), strict=True))["2025-02"] == (
        21,
        True,
    )


def test_today_is_that_of_the_station() -> None:
    """At two in the morning of UTC it is the evening before in New York, and that day is not over."""
    rules = Rules({STATION: "America/New_York"})
    station = facts_of(hours_of(24 * 5 + 2, pm25=lively), BEGIN + timedelta(days=5, hours=2), rules)
    assert (station.days[-1], station.days_over) == (date(2024, 1, 5), 5)


def test_a_period_goes_no_further_than_today() -> None:
    """A day that is to come is not missing."""
    days = Days(date(2024, 1, 3), date(2024, 1, 20))
    assert facts_of(hours_of(240, pm25=lively), BEGIN + 9.5 * DAY, days=days).days[-1] == date(2024, 1, 10)


def test_pm25_beside_co_needs_both() -> None:
    """A day on which one of them is missing is not a day of both."""
    rows = hours_of(480, pm25=lively, co=lambda number: None if number < 120 else lively(number))
    assert facts_of(rows, BEGIN + 20 * DAY).together.days == 15


def test_runs_are_told_newest_first() -> None:
    """In whichever order they were read."""
    times = [BEGIN + hour * HOUR for hour in (3, 1, 2)]
    report = report_on(hours_of(24, pm25=lively), BEGIN + DAY, runs=[run_at(time) for time in times])
    assert [run.started_at for run in report.runs] == sorted(times, reverse=True)


def test_a_forecast_is_over_with_its_hour() -> None:
    """To the minute."""
    of_hour = forecasts(made(238, 1))
    rows, end = hours_of(240, pm25=lively), BEGIN + 240 * HOUR
    assert facts_of(rows, end - timedelta(minutes=1), forecasts=of_hour).pm25.outlook is not None
    assert facts_of(rows, end, forecasts=of_hour).pm25.outlook is None


def test_a_forecast_has_its_own_bounds() -> None:
    """None of the five takes another's place."""
    now = BEGIN + 240.5 * HOUR
    outlook = facts_of(hours_of(240, pm25=lively), now, forecasts=forecasts(made(239, 1))).pm25.outlook
    assert outlook is not None
    (point,) = outlook.points
    assert (point.lo95, point.lo80, point.median, point.hi80, point.hi95) == (1.0, 2.0, 3.0, 4.0, 5.0)


def test_forecasts_are_scored_over_28_days() -> None:
    """What was forecast before is told no more, and what is to come not yet."""
    rows, now = hours_of(24 * 40, pm25=lively), BEGIN + 40 * DAY
    told: list[dict[str, Any]] = [made(origin, 1, observed=4.0) for origin in (24, 24 * 20, 24 * 41)]
    (score,) = facts_of(rows, now, forecasts=forecasts(*told)).pm25.scores
    assert score.hours == 1


def test_the_air_now_and_the_last_hours_hold_no_sentinel() -> None:
    """What no sensor can give is no value."""
    rows = hours_of(48, pm25=lambda number: -999.0 if number in {30, 47} else 8.0, co=lambda _: 0.5)
    station = facts_of(rows, BEGIN + timedelta(hours=48, minutes=10))
    assert station.newest is not None
    assert (station.newest.pm25, station.newest.co) == (None, 0.5)
    of_hour = dict(zip(station.pm25.recent.hour, station.pm25.recent.value, strict=True))
    assert (of_hour[BEGIN + 29 * HOUR], of_hour[BEGIN + 30 * HOUR]) == (8.0, None)


def test_the_mean_day_holds_no_sentinel() -> None:
    """Nor what is out of the range of a sensor."""
    clock = facts_of(hours_of(48, pm25=lambda number: -999.0 if number == 5 else 8.0), BEGIN + 2 * DAY).pm25.clock
    assert set(clock.mean) == {8.0}
    assert dict(zip(clock.hour, clock.hours, strict=True))[5] == 1


def test_the_nowcast_is_of_the_twelve_hours_up_to_the_newest() -> None:
    """And not of those up to now: the source lags by some hours."""
    rows = hours_of(240, pm25=lambda number: 8.0 if number < 228 else 20.0)
    newest = facts_of(rows, BEGIN + 10 * DAY + 4 * HOUR).newest
    assert newest is not None
    assert (newest.nowcast, newest.pm25) == (20.0, 20.0)


def test_eight_of_ten_days_lie_between_two_tenths() -> None:
    """Of 21 daily means from 0 to 20 those are 2 and 18; days that are not valid are in none of it."""
    rows = hours_of(22 * 24, pm25=lambda number: 500.0 if number >= 21 * 24 else float(number // 24))
    rows = without(rows, lambda hour: (hour.dt.day() == 22) & (hour.dt.hour() < 7))
    (spread,) = report_on(rows, BEGIN + 22 * DAY).compared[0].spread
    assert (spread.days, spread.p10, spread.median, spread.p90, spread.highest) == (21, 2.0, 10.0, 18.0, 20.0)


def test_the_largest_change_may_be_downwards() -> None:
    """It has its sign."""
    changes = [(STATION, BEGIN + hour * HOUR, "co", 1.0, new, BEGIN + DAY) for hour, new in ((1, 1.5), (2, -2.0))]
    revisions = pl.DataFrame(changes, schema=hourly.REVISION_SCHEMA, orient="row")
    (its,) = facts_of(hours_of(48, co=lively), BEGIN + 2 * DAY, revisions=revisions).revisions
    assert (its.mean_change, its.largest_change) == (-1.25, -3.0)


def test_a_label_holds_nothing_that_turns_the_line() -> None:
    """A name that goes from right to left would be read as another; the name itself stays as it was given."""
    rows = pl.concat([hours_of(24, number, pm25=lively) for number in (1, 2, 3)])
    names: dict[int, str | None] = {1: "\u202eevil\x00", 2: " evil ", 3: "\x07"}
    stations = report_on(rows, BEGIN + DAY, names=names).stations
    assert [station.label for station in stations] == ["evil (1)", "evil (2)", "3"]
    assert [station.name for station in stations] == list(names.values())


def test_a_period_before_all_data_has_no_day() -> None:
    """And nothing of it that is told of now is lost."""
    report = report_on(hours_of(48, pm25=lively), BEGIN + 2 * DAY, days=Days(date(2020, 1, 1), date(2020, 1, 2)))
    (station,) = report.stations
    assert (report.first_day, station.days, station.days_over, station.pm25.years) == (None, [], 0, [])
    assert station.newest is not None


def test_one_hour_is_a_report() -> None:
    """Of a station that has just begun: a day that is not valid, no NowCast, no mean of a month."""
    station = facts_of(hours_of(1, pm25=lively), datetime.fromisoformat("2024-01-01T01:10:00+00:00"))
    assert station.newest is not None
    assert (station.newest.pm25, station.newest.nowcast, station.newest.aqi) == (10.0, None, None)
    assert (station.days, station.pm25.valid_days, station.pm25.months.mean) == ([date(2024, 1, 1)], 0, [None])
    assert station.pm25.completeness is None


def text_of(report: Report, directory: Path) -> str:
    target = directory / "page.html"
    write_page(report, Words(), target)
    return target.read_text(encoding="utf-8").partition("<main>")[2].partition('<script type="application/json"')[0]


def test_what_is_embedded_ends_no_script() -> None:
    """Whatever stands behind the slash, or begins a comment."""
    text = embedded({"name": "</script x><!--&"})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {"name": "</script x><!--&"}


@pytest.mark.parametrize(("age", "late"), [(5, False), (5.1, True)])
def test_an_hour_that_is_late_is_marked(tmp_path: Path, age: float, *, late: bool) -> None:
    """From five hours on; the source itself lags by up to two."""
    report = report_on(hours_of(48, pm25=lively), BEGIN + (47 + age) * HOUR)
    assert ('class="n late"' in text_of(report, tmp_path)) == late


def test_the_next_hour_and_each_run_are_told(tmp_path: Path) -> None:
    """With the bounds of 80 %, as the head of its column says; a good run as good, another one as failed."""
    ahead = forecasts(made(239, 1))
    runs = [run_at(BEGIN), run_at(BEGIN, "FAILED")]
    report = report_on(hours_of(240, pm25=lively), BEGIN + 240.5 * HOUR, forecasts=ahead, runs=runs)
    text = text_of(report, tmp_path)
    assert ">3.0 (2.0 \u2013 4.0)<" in text
    assert '<span class="badge good">SUCCESS<' in text
    assert '<span class="badge failed">FAILED<' in text


@pytest.mark.parametrize(("severity", "doubted"), [("warning", True), ("info", False)])
def test_co_that_is_doubted_has_a_question_mark(tmp_path: Path, severity: Severity, *, doubted: bool) -> None:
    """Where the sanity check warns of it, not where it only tells."""
    finding = Finding(
        check="negative-share",
        severity=severity,
        station_id=STATION,
        sensor="co",
        count=1,
        sentence="it is",
        action="do",
    )
    report = report_on(hours_of(48, co=lively), BEGIN + 2 * DAY, findings=[finding])
    assert ('class="doubt"' in text_of(report, tmp_path)) == doubted
