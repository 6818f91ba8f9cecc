"""What one sensor says by itself: the checks of `readings` and `stuck`."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from airq_etl import hourly
from airq_etl.sanity import readings, stuck
from airq_etl.sanity.finding import Finding
from airq_etl.stations import Rules
from tests.frames import captured
from tests.years import BEGIN, STATION, found, hours_of, lively, told

CHECKS = (*readings.CHECKS, *stuck.CHECKS)
DAYS = 40 * 24


def only(hours: pl.DataFrame) -> Finding:
    (finding,) = found(CHECKS, hours)
    return finding


def test_a_live_sensor_gives_no_finding() -> None:
    """Values that change, within range and above zero, are nothing to tell of; nor is a table without hours."""
    assert found(CHECKS, hours_of(DAYS, co=lively, temperature=lively, humidity=lively)) == []
    assert found(CHECKS, hourly.empty()) == []


def test_a_sensor_that_never_had_a_value_is_absent_not_dead() -> None:
    """What is not there is told of by another check."""
    assert found(CHECKS, hours_of(DAYS, co=lambda _: None, no2=lively)) == []


@pytest.mark.parametrize(("value", "count"), [(100.0, 0), (100.1, 1), (-0.1, 1), (-999.0, 1)])
def test_out_of_range(value: float, count: int) -> None:
    """A value at the end of the range is one; beyond it, it is told of."""
    findings = found(CHECKS, hours_of(DAYS, humidity=lambda n: value if n == 5 else lively(n)))
    assert told(findings) == [("out-of-range", "warning", STATION, "humidity")] * count


def test_out_of_range_names_the_values() -> None:
    """Lowest, highest and commonest; the value alone where there is one; the period is that of these hours."""
    odd = {3: -999.0, 4: -999.0, 9: 5000.0}
    finding = only(hours_of(DAYS, co=lambda n: odd.get(n, lively(n))))
    assert finding.sentence == (
        "3 of 960 values are not between -50.0 and 500 mg/m³"
        " (lowest -999 mg/m³, highest 5,000 mg/m³, most often -999 mg/m³)"
    )
    assert (finding.first, finding.last) == (BEGIN + timedelta(hours=3), BEGIN + timedelta(hours=9))
    one = only(hours_of(DAYS, co=lambda n: -999.0 if n < 2 else lively(n)))
    assert one.sentence.endswith("(all -999 mg/m³)")


@pytest.mark.parametrize(("below", "severity"), [(9, None), (10, "info"), (99, "info"), (100, "warning")])
def test_negative_share(below: int, severity: str | None) -> None:
    """Of 1,000 hours ten below zero are worth a word, and a hundred somebody's look."""
    findings = found(CHECKS, hours_of(1000, co=lambda n: -lively(n) if n * 7 % 1000 < below else lively(n)))
    assert told(findings) == ([("negative-share", severity, STATION, "co")] if severity else [])


def test_a_lost_zero_has_a_verdict() -> None:
    """Where many hours are below zero, clean air says by how much means are too low."""
    finding = only(hours_of(1000, co=lambda n: n * 7 % 1000 / 1000 - 0.8))
    assert finding.count == 800
    assert finding.sentence == (
        "80 % of hours are below zero: its zero has drifted; clean air (the lowest 5 % of hours) reads -0.75 mg/m³ or"
        " less, and means are too low by about as much"
    )


def test_frost_is_no_lost_zero() -> None:
    """Temperatures may be below zero."""
    assert found(CHECKS, hours_of(DAYS, temperature=lambda n: lively(n) - 30)) == []


@pytest.mark.parametrize(
    ("sensor", "length", "severity"),
    [
        *[("pm25", 5, None), ("pm25", 6, "info"), ("co", 6, "info"), ("no2", 23, "info"), ("o3", 24, "warning")],
        *[("temperature", 11, None), ("temperature", 12, "info"), ("internal_temperature", 24, "warning")],
    ],
)
def test_a_flat_sensor(sensor: str, length: int, severity: str | None) -> None:
    """Particles and gases may say the same for 5 hours, the others for 11; from a day on somebody should look."""
    hours = hours_of(DAYS, **{sensor: lambda n: 2.0 if 100 <= n < 100 + length else lively(n)})
    assert told(found(CHECKS, hours)) == ([("flat-sensor", severity, STATION, sensor)] if severity else [])


def test_flat_hours_are_counted() -> None:
    """The hours of all long runs, and the longest of them; hours without a value do not end a run."""
    values = dict.fromkeys([*range(10, 16), *range(50, 55), *range(58, 63)], 2.0) | dict.fromkeys(range(55, 58))
    finding = only(hours_of(DAYS, pm25=lambda n: values.get(n, lively(n))))
    assert finding.sentence == (
        "it said the same for hours 2 times, 16 h in all, the longest 10 h of 2.0 µg/m³ from 2024-01-03 02:00 on"
    )
    assert (finding.count, finding.first, finding.last) == (
        16,
        BEGIN + timedelta(hours=10),
        BEGIN + timedelta(hours=62),
    )
    once = only(hours_of(DAYS, pm25=lambda n: 2.0 if n >= DAYS - 7 else lively(n)))
    assert once.sentence == "it said the same for 7 h of 2.0 µg/m³ from 2024-02-09 17:00 on"
    assert once.last == BEGIN + timedelta(hours=DAYS - 1)


def test_runs_end_with_their_station() -> None:
    """The last hours of one station and the first of the next are no run."""
    both = [hours_of(96, station, co=lambda n: 2.0 if n % 92 < 4 else lively(n)) for station in (7, 8)]
    assert found(CHECKS, pl.concat(both)) == []


def test_fog_is_not_flat() -> None:
    """Saturated air reads the same for as long as it lasts."""
    assert found(CHECKS, hours_of(DAYS, humidity=lambda n: 99.8 if 100 <= n < 150 else lively(n))) == []
    assert found(CHECKS, hours_of(DAYS, humidity=lambda n: 98.9 if 100 <= n < 150 else lively(n))) != []


@pytest.mark.parametrize(("other", "dead"), [(10, True), (11, False)])
def test_a_dead_sensor(other: int, dead: bool) -> None:  # noqa: FBT001
    """One value in 95 % of hours: its means say nothing; and that it is flat need not be said."""
    findings = found(CHECKS, hours_of(200, co=lambda n: lively(n) if n < other else 0.0))
    assert told(findings) == [("dead-sensor" if dead else "flat-sensor", "error" if dead else "warning", STATION, "co")]


def test_a_dead_sensor_says_so() -> None:
    """Value, share and longest run; a share short of all is not rounded up to it."""
    finding = only(hours_of(3000, co=lambda n: 1.0 if n == 1 else 0.0))
    assert finding.sentence == "0.0 mg/m³ in 99.9 % of hours, one run of 2,998 h: the daily mean says nothing"
    assert (finding.count, finding.first, finding.last) == (2999, BEGIN, BEGIN + timedelta(hours=2999))


@pytest.mark.parametrize(("hours", "check"), [(167, "flat-sensor"), (168, "dead-sensor")])
def test_a_week_makes_a_sensor_dead(hours: int, check: str) -> None:
    """Fewer hours than a week are too few to say so."""
    assert only(hours_of(hours, no2=lambda _: 20.0)).check == check


@pytest.mark.parametrize(("alive", "check"), [(0, "dead-sensor"), (17, "flat-sensor")])
def test_dead_of_late(alive: int, check: str) -> None:
    """A sensor that lived is dead when it says one value in 95 % of the last 14 days that the station has."""
    hours = hours_of(DAYS, o3=lambda n: 5.0 if n >= DAYS - 14 * 24 + alive else lively(n))
    finding = only(hours)
    assert finding.check == check
    if check == "dead-sensor":
        assert finding.sentence == (
            "5.0 µg/m³ in 100 % of the hours of its last 14 days, one run of 336 h: the daily mean says nothing"
        )


def test_the_dead_are_not_told_of_twice() -> None:
    """A dead sensor is neither flat nor below zero, though its one value is."""
    assert told(found(CHECKS, hours_of(DAYS, co=lambda _: -0.4))) == [("dead-sensor", "error", STATION, "co")]


@pytest.mark.parametrize(("share", "number"), [(50, 0), (51, 1)])
def test_finer_above_coarser(share: int, number: int) -> None:
    """PM2.5 above PM10 in more than 5 of 100 hours is no noise."""
    hours = hours_of(1000, pm25=lively, pm10=lambda n: lively(n) + (-1 if n * 7 % 1000 < share else 1))
    assert told(found(CHECKS, hours)) == [("particles-swapped", "warning", STATION, "pm25")] * number


def test_a_few_hours_are_not_swapped() -> None:
    """Fewer than 24 hours are too few to say so."""
    hours = hours_of(24, pm25=lively, pm10=lambda n: lively(n) - 1)
    assert told(found(CHECKS, hours)) == [("particles-swapped", "warning", STATION, "pm25")]
    assert found(CHECKS, hours[1:]) == []


def test_hours_before_service_and_provisional_ones_do_not_count() -> None:
    """What was read before a station was at its site, and what is not final, is nobody's fault."""
    hours = hours_of(DAYS, humidity=lambda n: 120.0 if n in {5, DAYS - 1} else lively(n))
    hours = hours.with_columns(provisional=pl.col("hour") == pl.col("hour").max())
    assert only(hours).count == 1
    assert found(CHECKS, hours, Rules(in_service={STATION: BEGIN + timedelta(hours=6)})) == []
    assert len(found(CHECKS, hours, Rules(in_service={STATION: BEGIN + timedelta(hours=5), 8: BEGIN}))) == 1


def test_two_real_stations(captures_dir: Path) -> None:
    """CO has lost its zero, O3 dips below at times, one counter said 1.0 for a night; nothing else."""
    findings = found(CHECKS, captured(captures_dir))
    assert told(findings) == [
        ("flat-sensor", "info", 283164601, "pm25"),
        ("negative-share", "info", 283164601, "o3"),
        ("negative-share", "info", 283181971, "o3"),
        ("negative-share", "warning", 283164601, "co"),
        ("negative-share", "warning", 283181971, "co"),
    ]
    sentences = {(f.check, f.station_id, f.sensor): f.sentence for f in findings}
    assert "81.9 % of hours" in sentences["negative-share", 283164601, "co"]
    assert "reads -0.534 mg/m³" in sentences["negative-share", 283164601, "co"]
    assert "7 h of 1.0 µg/m³ from 2023-04-22 00:00" in sentences["flat-sensor", 283164601, "pm25"]
