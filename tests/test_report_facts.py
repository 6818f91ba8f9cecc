"""The facts of a report: gaps stay gaps, what is not valid counts nowhere, and nothing is summed up."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from airq_etl import hourly
from airq_etl.forecast.table import SCHEMA as FORECAST
from airq_etl.report.comparison import FEW
from airq_etl.report.facts import StationFacts
from airq_etl.report.history import RUN_DAYS
from airq_etl.sanity.finding import Finding
from airq_etl.stations import Rules
from airq_etl.windows import HOUR, Days
from tests.made_up_report import facts_of, report_on, without
from tests.years import BEGIN, STATION, hours_of, lively

DAY = timedelta(days=1)
TEN_DAYS = BEGIN + 10 * DAY


def by_day(station: StationFacts, sensor: str = "pm25") -> dict[date, tuple[float | None, int, bool]]:
    daily = getattr(station, sensor).daily
    return dict(zip(station.days, zip(daily.mean, daily.hours, daily.valid, strict=True), strict=True))


def test_a_day_without_data_is_there_without_a_mean() -> None:
    """Between the first day and the last none is left out, so that a chart has a gap to show."""
    rows = without(hours_of(240, pm25=lambda _: 8.0), lambda hour: hour.dt.day().is_between(4, 6))
    days = by_day(facts_of(rows, TEN_DAYS))
    assert list(days) == [BEGIN.date() + number * DAY for number in range(11)]
    assert days[date(2024, 1, 3)] == (8.0, 24, True)
    assert days[date(2024, 1, 4)] == (None, 0, False)
    assert days[date(2024, 1, 11)] == (None, 0, False)


@pytest.mark.parametrize(("silent", "ends"), [(59, "now"), (61, "its last day")])
def test_a_silent_station_has_a_gap_until_now_and_one_that_left_has_not(silent: int, ends: str) -> None:
    """An outage of today is seen in the chart; a station that was taken down does not shrink it for ever."""
    now = BEGIN + timedelta(days=10 + silent, hours=-1)
    station = facts_of(hours_of(240, pm25=lively), now)
    assert station.days[-1] == (now.date() if ends == "now" else date(2024, 1, 10))


def test_a_period_ends_where_it_was_asked_to() -> None:
    """What lies outside the days that are asked for is in no number of them."""
    rows = hours_of(240, pm25=lambda number: number // 24 + 1.0)
    station = facts_of(rows, TEN_DAYS, days=Days(date(2024, 1, 3), date(2024, 1, 5)))
    assert by_day(station) == {date(2024, 1, number): (float(number), 24, True) for number in (3, 4, 5)}
    assert station.pm25.months.mean == [4.0]
    assert set(station.pm25.clock.hours) == {3}


def test_an_invalid_day_keeps_its_mean_and_counts_nowhere() -> None:
    """With 17 of 24 hours a day is shown, and is in no month, no year, above no guideline and not the highest."""
    rows = hours_of(72, pm25=lambda number: 90.0 if number // 24 == 1 else 8.0)
    rows = without(rows, lambda hour: (hour.dt.day() == 2) & (hour.dt.hour() < 7))
    pm25 = facts_of(rows, BEGIN + 3 * DAY).pm25
    assert by_day(facts_of(rows, BEGIN + 3 * DAY))[date(2024, 1, 2)] == (90.0, 17, False)
    assert pm25.valid_days == 2
    assert pm25.months.mean == pm25.months.highest == [8.0]
    assert [(year.valid_days, year.mean, year.above_who, year.above_eu) for year in pm25.years] == [(2, 8.0, 0, 0)]
    assert pm25.highest is not None
    assert (pm25.highest.mean, pm25.highest.hours) == (8.0, 24)
    assert pm25.highest_of_all is not None
    assert (pm25.highest_of_all.day, pm25.highest_of_all.mean, pm25.highest_of_all.hours) == (
        date(2024, 1, 2),
        90.0,
        17,
    )


def test_the_mean_of_a_month_is_of_its_days() -> None:
    """A day of 18 hours weighs as much as one of 24."""
    rows = hours_of(48, pm25=lambda number: 10.0 if number < 24 else 20.0)
    rows = without(rows, lambda hour: (hour.dt.day() == 2) & (hour.dt.hour() < 6))
    assert facts_of(rows, BEGIN + 2 * DAY).pm25.months.mean == [15.0]


@pytest.mark.parametrize(("count", "valid"), [(24, True), (23, False)])
def test_a_month_is_valid_with_three_of_four_days(count: int, *, valid: bool) -> None:
    """January has 31 days, of which 24 are 77 % and 23 are 74 %."""
    months = facts_of(hours_of(24 * count, pm25=lively), BEGIN + 31 * DAY).pm25.months
    assert (months.month, months.valid_days, months.valid) == (["2024-01", "2024-02"], [count, 0], [valid, False])


def test_a_day_at_a_guideline_is_not_above_it() -> None:
    """Above WHO's 15 and the EU's 25 µg/m³ is what is greater."""
    values = [15.0, 15.1, 25.0, 25.1]
    years = facts_of(hours_of(96, pm25=lambda number: values[number // 24]), BEGIN + 4 * DAY).pm25.years
    assert [(year.above_who, year.above_eu) for year in years] == [(3, 1)]


def test_today_is_not_missing_yet() -> None:
    """Completeness is of the days that are over."""
    rows = without(hours_of(30, co=lively), lambda hour: (hour.dt.day() == 1) & (hour.dt.hour() < 6))
    station = facts_of(rows, BEGIN + timedelta(hours=30))
    assert (station.days_over, station.co.completeness) == (1, 75.0)


def test_a_day_of_a_clock_change_has_its_hours() -> None:
    """A day without data of 23 or 25 hours is as long as one with data."""
    rows = hours_of(24 * 366, pm25=lively)
    rows = without(rows, lambda hour: hour.dt.date().is_in([date(2024, 3, 30), date(2024, 3, 31), date(2024, 10, 27)]))
    station = facts_of(rows, BEGIN + 366 * DAY, Rules({STATION: "Europe/Rome"}))
    expected = dict(zip(station.days, station.expected, strict=True))
    assert [expected[date(2024, *day)] for day in ((3, 30), (3, 31), (10, 27), (10, 28))] == [24, 23, 25, 24]


def test_days_and_hours_of_the_day_are_local() -> None:
    """A rush hour at 7 in Abidjan's neighbour in the east is at 7 in its heat map, whatever UTC says."""
    rows = hours_of(24 * 20, pm25=lambda number: 50.0 if number % 24 == 6 else 5.0)
    clock = facts_of(rows, BEGIN + 20 * DAY, Rules({STATION: "Africa/Lagos"})).pm25.clock
    high = [hour for hour, mean in zip(clock.hour, clock.mean, strict=True) if mean == 50.0]
    assert high == [7]
    assert sorted(set(clock.hour)) == list(range(24))


def test_the_mean_day_leaves_out_what_is_no_reading() -> None:
    """Sentinels, hours before a station served, and the hour that goes on are in no mean."""
    rows = hours_of(72, co=lambda number: -999.0 if number < 24 else float(number // 24))
    rows = rows.with_columns(provisional=pl.col("hour") == pl.col("hour").max())
    rules = Rules(in_service={STATION: BEGIN + timedelta(hours=25)})
    clock = facts_of(rows, BEGIN + 3 * DAY, rules).co.clock
    of_hour = {hour: (mean, hours) for hour, mean, hours in zip(clock.hour, clock.mean, clock.hours, strict=True)}
    assert of_hour[0] == (2.0, 1)
    assert of_hour[1] == (1.5, 2)
    assert of_hour[23] == (1.0, 1)


def test_the_days_begin_with_the_service() -> None:
    """What came before a station served is no day of it."""
    rules = Rules(in_service={STATION: BEGIN + 4 * DAY})
    assert facts_of(hours_of(240, pm25=lively), TEN_DAYS, rules).days[0] == date(2024, 1, 5)


def test_the_air_now_is_that_of_the_newest_complete_hour() -> None:
    """The newest hour may go on still: its age is told, and its values are not."""
    rows = hours_of(49, pm25=lambda number: 8.0 if number < 48 else 99.0, co=lambda _: 0.5)
    rows = rows.with_columns(provisional=pl.col("hour") == pl.col("hour").max())
    newest = facts_of(rows, BEGIN + timedelta(hours=48, minutes=30)).newest
    assert newest is not None
    assert (newest.hour, newest.age_h) == (BEGIN + 48 * HOUR, 0.5)
    assert newest.complete == BEGIN + 47 * HOUR
    assert (newest.pm25, newest.co, newest.nowcast, newest.aqi, newest.category) == (8.0, 0.5, 8.0, 44, "Good")


@pytest.mark.parametrize(("later", "known"), [(5, True), (5.1, False)])
def test_of_the_air_now_nothing_is_told_by_what_is_old(later: float, *, known: bool) -> None:
    """A station that fell silent five hours ago says nothing of the air now; since when is told."""
    newest = facts_of(hours_of(48, pm25=lively, co=lively), BEGIN + timedelta(hours=47 + later)).newest
    assert newest is not None
    assert (newest.hour, newest.age_h) == (BEGIN + 47 * HOUR, later)
    told = {newest.pm25, newest.co, newest.nowcast, newest.aqi, newest.category, newest.complete}
    assert (told != {None}) == known


def test_the_last_hours_have_a_gap_where_there_is_one() -> None:
    """Two days of hours up to the one that goes on, each with its value or none."""
    now = BEGIN + timedelta(hours=72, minutes=10)
    rows = without(hours_of(73, pm25=float), lambda hour: hour == BEGIN + 60 * HOUR)
    recent = facts_of(rows, now).pm25.recent
    assert recent.hour == [BEGIN + number * HOUR for number in range(24, 73)]
    assert recent.value == [None if number == 60 else float(number) for number in range(24, 73)]


def forecasts(*rows: dict[str, Any]) -> pl.DataFrame:
    same = {"station_id": STATION, "sensor": "pm25", "model": "linear", "persistence": 8.0}
    values = {"lo95": 1.0, "lo80": 2.0, "median": 3.0, "hi80": 4.0, "hi95": 5.0}
    return pl.DataFrame([same | values | {"updated_at": row["made_at"]} | row for row in rows], schema=FORECAST)


def made(origin: int, horizon: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    at = BEGIN + origin * HOUR
    return {"origin": at, "horizon": horizon, "hour": at + horizon * HOUR, "made_at": at + 1.3 * HOUR} | more


def test_a_forecast_is_shown_until_its_hour_is_over() -> None:
    """Of the newest forecasts those that are still to come; what was forecast of hours that are over is past."""
    rows, now = hours_of(240, pm25=lively), BEGIN + timedelta(hours=240, minutes=30)
    made_up = forecasts(made(238, 1), made(238, 2), made(239, 1, median=6.0), made(239, 2, median=7.0))
    outlook = facts_of(rows, now, forecasts=made_up).pm25.outlook
    assert outlook is not None
    assert [(point.hour, point.median) for point in outlook.points] == [(now - HOUR / 2, 6.0), (now + HOUR / 2, 7.0)]
    later = facts_of(rows, now + 3 * HOUR, forecasts=made_up)
    assert later.pm25.outlook is None


def test_a_forecast_made_later_is_not_known_yet() -> None:
    """A report of an earlier time (--now) knows nothing that was said after it."""
    now = BEGIN + timedelta(hours=240, minutes=10)
    late = forecasts(made(239, 1, made_at=now + HOUR))
    assert facts_of(hours_of(240, pm25=lively), now, forecasts=late).pm25.outlook is None


def test_why_there_is_no_forecast_is_told() -> None:
    """The reason stands where the forecast would."""
    reasons = {(STATION, "co"): "it is dead"}
    station = facts_of(hours_of(240, co=lively), TEN_DAYS, reasons=reasons)
    assert station.co.outlook is not None
    assert (station.co.outlook.points, station.co.outlook.reason) == ([], "it is dead")
    assert station.pm25.outlook is None


def test_forecasts_are_scored_over_all_models() -> None:
    """Who served does not matter to who reads: an error an hour ahead is one number."""
    came = forecasts(made(230, 1, observed=4.0), made(231, 1, observed=1.0, model="damped persistence"))
    (score,) = facts_of(hours_of(240, pm25=lively), TEN_DAYS, forecasts=came).pm25.scores
    assert (score.horizon, score.hours, score.mae, score.persistence_mae) == (1, 2, 1.5, 5.5)
    assert (score.coverage80, score.coverage95) == (50.0, 100.0)


def test_revisions_are_told_by_sensor() -> None:
    """How many values, of which hours, when they were seen, and how far they moved; what was taken back beside it."""
    rows = hours_of(240, co=lively)
    changes = [(5, -0.4, 0.0, 100), (6, -0.2, 0.0, 101), (7, 1.0, None, 101)]
    revisions = pl.DataFrame(
        [(STATION, BEGIN + hour * HOUR, "co", old, new, BEGIN + seen * HOUR) for hour, old, new, seen in changes],
        schema=hourly.REVISION_SCHEMA,
        orient="row",
    )
    station = facts_of(rows, TEN_DAYS, revisions=revisions)
    (its,) = station.revisions
    assert (its.sensor, its.unit, its.values, its.taken_back, station.days_revised) == ("co", "mg/m³", 3, 1, 1)
    assert (its.first_hour, its.last_hour) == (BEGIN + 5 * HOUR, BEGIN + 7 * HOUR)
    assert (its.first_seen, its.last_seen) == (BEGIN + 100 * HOUR, BEGIN + 101 * HOUR)
    assert (its.mean_change, its.largest_change) == (0.3, 0.4)


def test_a_day_without_a_run_is_a_gap() -> None:
    """Runs are counted by the day on which they began, days without one included; what goes on is neither."""
    now = datetime(2024, 3, 10, 12, tzinfo=UTC)
    counts = {
        date(2024, 3, 7): {"SUCCESS": 22, "PARTIAL": 1, "FAILED": 1},
        date(2024, 3, 9): {"CANCELLED": 2, "RUNNING": 1},
    }
    days = report_on(hours_of(24, pm25=lively), now, run_days=counts).run_days
    assert days.day == [date(2024, 3, number) for number in (7, 8, 9, 10)]
    assert (days.good, days.partial, days.failed) == ([22, 0, 0, 0], [1, 0, 0, 0], [1, 0, 2, 0])


def test_no_more_days_of_runs_are_shown_than_can_be_seen() -> None:
    """Sixty of them."""
    now = datetime(2024, 12, 31, tzinfo=UTC)
    counts = {date(2024, 1, 1): {"SUCCESS": 1}, now.date(): {"SUCCESS": 1}}
    assert len(report_on(hours_of(24, pm25=lively), now, run_days=counts).run_days.day) == RUN_DAYS


def test_stations_of_one_name_are_told_apart() -> None:
    """Two that were given the same name have their numbers beside it."""
    rows = pl.concat([hours_of(24, number, pm25=lively) for number in (1, 2, 3, 4)])
    names = {1: "Plateau", 2: "Plateau", 3: "Cocody", 4: None}
    labels = [station.label for station in report_on(rows, BEGIN + DAY, names=names).stations]
    assert labels == ["Plateau (1)", "Plateau (2)", "Cocody", "4"]


def test_stations_are_compared_over_the_days_of_both() -> None:
    """The highest median first; r and difference of the days that are valid at both; no r of ten days and less."""
    first = hours_of(480, 1, pm25=lambda number: 10.0 + number // 24)
    second = without(hours_of(480, 2, pm25=lambda number: 13.0 + number // 24), lambda hour: hour.dt.day() <= 5)
    (pm25, co) = report_on(pl.concat([first, second]), BEGIN + 20 * DAY).compared
    assert [(its.station, its.days, its.median, its.highest) for its in pm25.spread] == [
        ("2", 15, 25.0, 32.0),
        ("1", 20, 19.5, 29.0),
    ]
    (pair,) = pm25.pairs
    assert (pair.one, pair.other, pair.days, pair.r, pair.difference) == ("1", "2", 15, 1.0, -3.0)
    assert (co.spread, co.pairs) == ([], [])


def test_of_many_stations_no_pairs_are_told() -> None:
    """Seven have 21 pairs, which nobody reads; their spreads stay."""
    rows = pl.concat([hours_of(48, number, pm25=lively) for number in range(FEW + 1)])
    (pm25, _) = report_on(rows, BEGIN + 2 * DAY).compared
    assert (len(pm25.spread), pm25.pairs) == (FEW + 1, [])


def test_pm25_beside_co_is_of_days_valid_for_both() -> None:
    """And has no r where there are few, or where one of them never moves."""
    rows = hours_of(480, pm25=lambda number: 5.0 + number // 24, co=lambda number: 1.0 - number // 24 / 10)
    together = facts_of(rows, BEGIN + 20 * DAY).together
    assert (together.days, together.r) == (20, -1.0)
    dead = hours_of(480, pm25=lively, co=lambda _: 0.0)
    assert facts_of(dead, BEGIN + 20 * DAY).together.r is None
    assert facts_of(hours_of(216, pm25=lively, co=lively), TEN_DAYS).together.r is None


def test_a_finding_is_with_its_station_or_with_all() -> None:
    """None is left out, none is told twice."""
    of_one, of_all = (
        Finding(check=check, severity="error", station_id=station_id, count=1, sentence="it is", action="do")
        for check, station_id in (("dead-sensor", STATION), ("silent-network", None))
    )
    findings = [of_one, of_all]
    report = report_on(hours_of(24, pm25=lively), BEGIN + DAY, findings=findings)
    assert report.stations[0].findings + report.findings == findings


def test_a_report_on_nothing_says_so() -> None:
    """A station that never said anything is there, with no day and no number."""
    rows = hours_of(24, 1, pm25=lively)
    silent = report_on(rows, BEGIN + DAY, names={1: "one", 2: "two"}).stations[1]
    assert (silent.newest, silent.days, silent.pm25.highest, silent.pm25.completeness) == (None, [], None, None)
