"""Flags stand beside values, which stay as reported."""

import polars as pl
import pytest

from airq_etl import daily, quality
from airq_etl.sensors import BY_KEY
from tests.frames import answer, hour

LATER = hour(100)


@pytest.mark.parametrize(
    ("key", "value", "flag"),
    [
        ("CO", -1.0116867, "suspect"),
        ("O3", -41.607136, "suspect"),
        ("CO", 0.0, "ok"),
        ("CO", -999.0, "bad"),
        ("PM2.5", 1000.0, "ok"),
        ("PM2.5", 1000.1, "bad"),
        ("PM2.5", 1e6, "bad"),
        ("T", -5.0, "ok"),
        ("T", -999.0, "bad"),
        ("RH", 100.5, "bad"),
    ],
)
def test_a_flag_by_the_value_alone(key: str, value: float, flag: str) -> None:
    """Beyond what the sensor can give a value is bad; a negative one is suspect where it cannot really be."""
    rows = answer({0: {key: value}, 1: {}}, LATER)
    column = BY_KEY[key].column
    flagged = rows.with_columns(*quality.flags(rows.columns))
    assert flagged[f"{column}_flag"].to_list() == [flag, None]
    assert flagged[column].to_list() == [value, None]


def test_levels_are_ordered() -> None:
    """From ok over info and suspect to bad, so that the worst of several is their maximum."""
    assert pl.Series(["bad", "ok", "suspect", "info"], dtype=quality.LEVELS).sort().to_list() == [
        *("ok", "info", "suspect", "bad")
    ]


def test_a_bad_value_is_left_out_of_the_day() -> None:
    """Mean, extremes and hours are those of the values that are readings; suspect ones count."""
    values = {n: {"PM2.5": 1e6 if n < 7 else 10.0, "CO": -0.5} for n in range(24)}
    (day,) = daily.compute(answer(values, LATER), daily.Rules()).to_dicts()
    assert [day[f"pm25_{name}"] for name in ("mean", "min", "max", "hours", "valid")] == [10.0, 10.0, 10.0, 17, False]
    assert (day["co_mean"], day["co_hours"]) == (-0.5, 24)
