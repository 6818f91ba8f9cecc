"""Index values against the worked ones of their sources."""

import polars as pl
import pytest

from airq_etl.guidelines import pm25_aqi


def aqi(mean: float | None) -> int | None:
    frame = pl.DataFrame({"mean": [mean]}, schema={"mean": pl.Float64})
    value: int | None = frame.select(pm25_aqi(pl.col("mean"))).item()
    return value


@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        (0.0, 0),
        (9.0, 50),
        (9.05, 50),
        (9.1, 51),
        (35.4, 100),
        (35.5, 101),
        (55.4, 150),
        (55.5, 151),
        (125.4, 200),
        (125.5, 201),
        (225.4, 300),
        (225.5, 301),
        (325.4, 500),
    ],
)
def test_the_edges_of_2024(mean: float, expected: int) -> None:
    """The index at the edges of each category, truncated to 0.1 (EPA-454/B-24-002)."""
    assert aqi(mean) == expected


def test_beyond_the_table() -> None:
    """A negative mean counts as 0, the last segment goes on, no mean has no index."""
    assert aqi(-3.0) == 0
    assert aqi(425.4) == 699
    assert aqi(None) is None


def test_it_never_falls() -> None:
    """More particles never give a lower index."""
    frame = pl.DataFrame({"mean": [n / 100 for n in range(40_000)]}).select(aqi=pm25_aqi(pl.col("mean")))
    assert frame["aqi"].is_sorted()


def test_what_is_no_number_for_it_has_none() -> None:
    """A mean beyond all reason has no index, and stops nothing."""
    assert aqi(3.4e38) is None
    assert aqi(float("inf")) is None
