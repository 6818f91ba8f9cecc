"""Flags stand beside values, which stay as reported."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from airq_etl import daily, quality
from airq_etl.sensors import BY_KEY
from airq_etl.stations import Rules
from tests.frames import STATION, answer, captured, hour

LATER = hour(24 * 400)


def judged(values: Mapping[int, dict[str, float]], in_service: datetime | None = None) -> dict[int, dict[str, Any]]:
    """The judged rows of an answer, by the number of their hour."""
    since = {} if in_service is None else {STATION: in_service}
    rows = quality.judge(answer(dict(values), LATER), since)
    return {round((row["hour"] - hour(0)) / timedelta(hours=1)): row for row in rows.iter_rows(named=True)}


def series(key: str, values: list[float | None], first: int = 0) -> dict[int, dict[str, float]]:
    """Hours one after the other, each with a value of one sensor, or none."""
    return {first + n: {} if value is None else {key: value} for n, value in enumerate(values)}


def reasons(key: str, values: list[float | None]) -> list[str | None]:
    """What is said of each of some hours of one sensor, without its name; the hours before it have no value."""
    name = f"{BY_KEY[key].column} "
    return [row["reasons"] and row["reasons"].replace(name, "") for row in judged(series(key, values)).values()]


@pytest.mark.parametrize(
    ("key", "value", "flag"),
    [
        ("CO", -1.0116867, "suspect"),
        ("CO", -0.2301, "suspect"),
        ("CO", -0.23, "info"),
        ("CO", -0.0001, "info"),
        ("CO", 0.0, "ok"),
        ("CO", -999.0, "bad"),
        ("PM2.5", -2.0, "info"),
        ("PM2.5", -2.1, "suspect"),
        ("PM2.5", 1000.0, "ok"),
        ("PM2.5", 1000.1, "bad"),
        ("PM2.5", 1e6, "bad"),
        ("T", -5.0, "ok"),
        ("T", -999.0, "bad"),
        ("RH", 100.5, "bad"),
    ],
)
def test_a_flag_by_the_value_alone(key: str, value: float, flag: str) -> None:
    """Beyond what the sensor can give a value is bad; below zero it is suspect, within its noise only worth a word."""
    rows = judged({0: {}, 1: {key: value}})
    column = BY_KEY[key].column
    assert [row[f"{column}_flag"] for row in rows.values()] == [None, flag]
    assert [row[column] for row in rows.values()] == [None, value]


def test_levels_are_ordered() -> None:
    """From ok over info and suspect to bad, so that the worst of several is their maximum."""
    assert pl.Series(["bad", "ok", "suspect", "info"], dtype=quality.LEVELS).sort().to_list() == [
        *("ok", "info", "suspect", "bad")
    ]


def test_the_worst_of_several_reasons_counts_and_all_are_named() -> None:
    """A sentinel that stays is bad, and flat besides."""
    rows = judged(series("CO", [-999.0] * 6))
    assert {row["co_flag"] for row in rows.values()} == {"bad"}
    assert rows[0]["reasons"] == "co out of range, co negative, co flat"


@pytest.mark.parametrize(("key", "hours"), [("PM2.5", 6), ("CO", 6), ("RH", 12), ("T", 12)])
def test_the_same_value_for_hours_is_flat(key: str, hours: int) -> None:
    """From so many hours in a row on all of them are suspect, zeros included; one fewer is nothing."""
    assert reasons(key, [1.0, *[0.0] * hours, 1.0]) == [None, *["flat"] * hours, None]
    assert set(reasons(key, [1.0, *[0.0] * (hours - 1), 1.0])) == {None}


def test_a_missing_hour_ends_what_is_flat() -> None:
    """Equal values on both sides of a gap are two runs."""
    assert set(reasons("CO", [1.0] * 5 + [None] + [1.0] * 5)) == {None}
    rows = judged(series("CO", [1.0] * 5) | series("CO", [1.0] * 5, first=6))
    assert {row["co_flag"] for row in rows.values()} == {"ok"}


def steady(days: int = 30) -> list[float | None]:
    """Days that go by like each other, and not quite: 5 at night, up to 15 by day."""
    return [5.0 + (n % 24) / 2.4 + (n * 7 % 11) / 10 for n in range(days * 24)]


def with_value(number: int, value: float | None, values: list[float | None] | None = None) -> list[float | None]:
    return [value if n == number else v for n, v in enumerate(values or steady())]


def test_one_hour_far_from_its_hour_of_the_day_is_a_spike() -> None:
    """It must stand out from the last two weeks at its hour, and from the hours on either side."""
    at = 24 * 29 + 12
    assert [n for n, said in enumerate(reasons("PM2.5", with_value(at, 40.0))) if said] == [at]
    assert [n for n, said in enumerate(reasons("PM2.5", with_value(at, -0.5))) if said] == [at]
    assert reasons("PM2.5", with_value(at, 40.0))[at] == "spike"
    two_hours = with_value(at + 1, 40.0, with_value(at, 40.0))
    assert set(reasons("PM2.5", two_hours)) == {None}
    assert set(reasons("PM2.5", with_value(at, 11.5))) == {None}


def test_a_spike_needs_both_neighbours() -> None:
    """Beside a missing hour nobody can tell a spike from the beginning of something."""
    at = 24 * 29 + 12
    assert set(reasons("PM2.5", with_value(at - 1, None, with_value(at, 40.0)))) == {None}
    assert set(reasons("PM2.5", [*steady()[:at], 40.0])) == {None}


def test_spikes_are_those_of_the_rule_taken_of_every_row(captures_dir: Path) -> None:
    """What is usual is asked for few rows only; of all rows, polars finds the same spikes. Some are put in."""
    put_in = pl.when(pl.col("row") % 97 == 5).then(pl.col("row") % 13 * 10.0 - 60).otherwise(0.0)
    rows = captured(captures_dir).with_row_index("row").with_columns(pl.col("pm25") + 60 + put_in).drop("row")
    value = pl.col("pm25")

    def median(of: pl.Expr) -> pl.Expr:
        rolling = of.rolling_median_by("hour", "14d", closed="left", min_samples=7)
        return rolling.over("station_id", pl.col("hour").dt.hour())

    found = rows.with_columns(away=value - median(value), goes_on=pl.col("hour").diff() == timedelta(hours=1))
    found = found.with_columns(spread=1.4826 * median(pl.col("away").abs()))
    away, sides = pl.col("away"), [value - value.shift(step) for step in (1, -1)]
    beside = [side * away.sign() > away.abs() / 2 for side in sides]
    far = away.abs() > pl.max_horizontal(6 * pl.col("spread"), 2.0)
    whole = pl.col("spread").is_not_null() & pl.col("goes_on") & pl.col("goes_on").shift(-1)
    by_rule = found.filter(pl.all_horizontal(far, whole, *beside)).select("station_id", "hour")
    spikes = quality.judge(rows, {}).filter(pl.col("reasons").str.contains("pm25 spike"))
    assert_frame_equal(spikes.select("station_id", "hour"), by_rule)
    assert by_rule.height > 20


def test_a_sensor_that_says_next_to_nothing_has_no_spikes_below_its_detection() -> None:
    """Among zeros a value within the noise is none, a real one is."""
    zeros: list[float | None] = [0.0 for _ in range(24 * 30)]
    assert reasons("CO", with_value(700, 0.2, zeros))[700] is None
    assert reasons("CO", with_value(700, 0.3, zeros))[700] == "spike"


def test_warm_up_after_a_gap() -> None:
    """The first four hours of NO2 and O3 after ten hours without are suspect; after nine, and of CO, none is."""

    def after(gap: int) -> list[str | None]:
        values = {n: {"NO2": n * 1.0, "CO": n * 1.0} for n in (*range(20), *range(19 + gap, 40 + gap))}
        return [row["reasons"] for row in judged(values).values()][20:]

    assert after(10) == [*["no2 warm-up"] * 4, *[None] * 17]
    assert after(9) == [None] * 21


def test_the_first_hours_known_are_a_warm_up() -> None:
    """Nobody knows what was before; a station that was just put up warms up, too."""
    said = reasons("O3", [20.0 + n for n in range(10)])
    assert said == [*["warm-up"] * 4, *[None] * 6]


def test_an_hour_alone_is_isolated() -> None:
    """With three hours missing on either side an hour is worth a word; with two on one side it is not."""
    rows = judged({n: {"CO": 1.0 + n} for n in (0, 4, 8, 11)})
    assert [row["reasons"] for row in rows.values()] == ["co isolated", "co isolated", None, None]
    assert rows[4]["co_flag"] == "info"


def test_hours_before_the_service_are_bad() -> None:
    """What a station said before it was put up is kept, flagged, and left out of means and of what is usual."""
    rows = judged(series("T", [15.0 + n / 10 for n in range(48)]), in_service=hour(24))
    assert [row["temperature_flag"] for row in rows.values()] == [*["bad"] * 24, *["ok"] * 24]
    assert rows[0]["reasons"] == "temperature not in service"
    assert rows[0]["temperature"] == 15.0
    table = answer(series("T", [15.0 + n / 10 for n in range(48)]), LATER)
    first, second = daily.compute(table, Rules(in_service={STATION: hour(24)})).to_dicts()
    assert [first[f"temperature_{what}"] for what in ("mean", "hours", "bad", "valid")] == [None, 0, 24, False]
    assert [second[f"temperature_{what}"] for what in ("hours", "bad", "valid")] == [24, 0, True]


def test_stations_do_not_touch() -> None:
    """What one station says has no part in another's flags."""
    values = series("CO", [1.0] * 5)
    both = pl.concat([answer(values, LATER, 7), answer(series("CO", [1.0] * 5, first=5), LATER, 8)])
    assert set(quality.judge(both, {})["co_flag"].to_list()) == {"ok"}


def test_a_bad_value_is_left_out_of_the_day() -> None:
    """Mean, extremes and hours are those of the values that are readings; suspect ones count."""
    values = {n: {"PM2.5": 1e6 if n < 7 else 10.0, "CO": -0.5} for n in range(24)}
    (day,) = daily.compute(answer(values, LATER), Rules()).to_dicts()
    assert [day[f"pm25_{name}"] for name in ("mean", "min", "max", "hours", "valid")] == [10.0, 10.0, 10.0, 17, False]
    assert (day["co_mean"], day["co_hours"]) == (-0.5, 24)
    assert [day[f"pm25_{level}"] for level in daily.COUNTED] == [0, 17, 7]
    assert [day[f"co_{level}"] for level in daily.COUNTED] == [0, 24, 0]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.integers(29, 44), st.integers(1, 10))
def test_a_flag_is_the_same_whatever_portion_is_judged(seed: int, first: int, length: int) -> None:
    """Days judged with the hours that their flags depend on have the flags that they have among all hours."""
    rows = _wild(seed)
    begins, ends = hour(24 * first), hour(24 * (first + length))
    part = rows.filter(pl.col("hour").is_between(begins - quality.BEFORE, ends + quality.AFTER))
    days = pl.col("hour").is_between(begins, ends, closed="left")
    assert_frame_equal(quality.judge(part, {}).filter(days), quality.judge(rows, {}).filter(days))


def _wild(seed: int) -> pl.DataFrame:
    """Two months with gaps, runs, spikes and bad values, as a seed will have them."""
    hours = pl.DataFrame({"n": range(24 * 60)}).with_columns(dice=pl.col("n").hash(seed) % 1000)
    gone = hours.filter(pl.col("dice") < 12)["n"].to_list()
    missing = {m for n in gone for m in range(n, n + 1 + n % 17)}
    values = {
        n: {"NO2": [5.0 + n % 24, 5.0, 900.0, 9999.0][(dice > 700) + (dice > 985) + (dice > 995)], "PM2.5": dice % 7.0}
        for n, dice in hours.iter_rows()
        if n not in missing
    }
    return answer(values, LATER)


def test_on_the_captures(captures_dir: Path) -> None:
    """On a real year the flags name what is known of it, and cry wolf nowhere."""
    rows = captured(captures_dir, 283164601)
    said = quality.judge(rows, {}).select(pl.col("reasons").str.split(", ")).explode("reasons").drop_nulls()
    counts: dict[str, int] = dict(said["reasons"].value_counts().iter_rows())
    assert counts["co negative"] + counts["co noise below zero"] > 0.8 * rows.height
    assert counts["o3 warm-up"] == counts["no2 warm-up"] == 33
    assert max(count for said, count in counts.items() if said.endswith("spike")) < 0.002 * rows.height
    assert "pm10 flat" not in counts
    assert not any(said.endswith("out of range") for said in counts)
