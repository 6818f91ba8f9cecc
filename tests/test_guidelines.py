"""Index values against the worked ones of their sources."""

import polars as pl
import pytest

from airq_etl.guidelines import nowcast, pm25_aqi


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


def nowcast_of(*newest_first: float | None) -> float | None:
    values = [*newest_first, *[None] * (12 - len(newest_first))]
    frame = pl.DataFrame({str(age): [value] for age, value in enumerate(values)}, schema=[str(n) for n in range(12)])
    frame = frame.cast(pl.Float64)
    value: float | None = nowcast(frame).item()
    return value


@pytest.mark.parametrize(
    ("newest_first", "expected"),
    [
        # Air that does not change: the mean, each hour counting alike.
        ((10.0,) * 12, 10.0),
        # max 40, min 10: w = 0.5 at least; (10 + 20/2 + 40/4) / (1 + 1/2 + 1/4) = 17.14, truncated.
        ((10.0, 20.0, 40.0), 17.1),
        # w = 1 - (20 - 16)/20 = 0.8; (16 + 0.8 * 20 + 0.64 * 18) / (1 + 0.8 + 0.64) = 17.84.
        ((16.0, 20.0, 18.0), 17.8),
        # An hour that is missing has no weight: (16 + 0.64 * 20) / (1 + 0.64) = 17.56.
        ((16.0, None, 20.0), 17.5),
        # Nothing in the air: w is 1.
        ((0.0, 0.0, 0.0), 0.0),
        # w = 0.5, over all twelve: the oldest still counts, by a two-thousandth.
        ((4.0, *(0.0,) * 10, 8.0), 2.0),
        # Noise below zero stays as it is, and the weight between a half and one.
        ((-1.0, -2.0), -1.5),
        ((5.0, -5.0), 1.6),
    ],
)
def test_nowcast(newest_first: tuple[float | None, ...], expected: float) -> None:
    """Σ wⁱ cᵢ / Σ wⁱ over the hours that are there, w = max(1 - range / max, 0.5), truncated to 0.1 (EPA)."""
    assert nowcast_of(*newest_first) == expected


def test_nowcast_needs_two_of_the_newest_three() -> None:
    """With fewer of the newest three hours there is none, however many older ones there are."""
    assert nowcast_of(None, 5.0, 5.0) == 5.0
    assert nowcast_of(None, None, 5.0, *(5.0,) * 9) is None
    assert nowcast_of(5.0, None, None, *(5.0,) * 9) is None
    assert nowcast_of() is None
