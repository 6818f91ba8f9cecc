"""Index and guideline values: the US AQI of PM2.5, its NowCast, what WHO and the EU say of PM2.5 and CO.

Sources: US EPA, 89 FR 16202 and 40 CFR Part 58 Appendix G, in force since 2024-05-06 (EPA-454/B-24-002). Tables in
which 12.0 µg/m³ is 50, or 500.4 µg/m³ is 500, are older ones. WHO global air quality guidelines 2021 (ISBN
978-92-4-003422-8). Directive (EU) 2024/2881, Annex I, limit values to be attained by 2030-01-01.

WHO's and the EU's daily values may be exceeded on some days a year (WHO: 3 to 4, the 99th percentile; EU: 18): a
day above them is a mark, not yet a breach.
"""

from typing import NamedTuple

import polars as pl

WHO_PM25_DAY = 15.0
"""µg/m³, mean of a day."""
EU_PM25_DAY = 25.0
"""µg/m³, mean of a day."""
WHO_CO_DAY = 4.0
"""mg/m³, mean of a day."""
EU_CO_DAY = 4.0
"""mg/m³, mean of a day."""
CO_8H = 10.0
"""mg/m³, the highest mean of eight hours in a day; WHO and the EU agree."""

WHO_DAYS, EU_DAYS = 4, 18
"""So many days of a year may be above their values (WHO: the 99th percentile, 3 to 4 days)."""

NOWCAST_HOURS = 12
NOWCAST_NEWEST, NOWCAST_FEWEST = 3, 2
"""Of the newest three hours two are needed."""

# (lowest AQI, highest AQI, lowest µg/m³, highest µg/m³), 24-hour mean truncated to 0.1
PM25_AQI: tuple[tuple[int, int, float, float], ...] = (
    (0, 50, 0.0, 9.0),
    (51, 100, 9.1, 35.4),
    (101, 150, 35.5, 55.4),
    (151, 200, 55.5, 125.4),
    (201, 300, 125.5, 225.4),
    (301, 500, 225.5, 325.4),
)


class Category(NamedTuple):
    """A category of the US AQI: up to which index it goes (included), EPA's word for it, and its colour."""

    highest: int
    name: str
    colour: str


CATEGORIES: tuple[Category, ...] = (
    Category(50, "Good", "#00e400"),
    Category(100, "Moderate", "#ffff00"),
    Category(150, "Unhealthy for Sensitive Groups", "#ff7e00"),
    Category(200, "Unhealthy", "#ff0000"),
    Category(300, "Very Unhealthy", "#8f3f97"),
    Category(500, "Hazardous", "#7e0023"),
)


def category(index: int) -> Category:
    """The category of an index; what is beyond the table is hazardous."""
    return next((category for category in CATEGORIES if index <= category.highest), CATEGORIES[-1])


def pm25_aqi(mean: pl.Expr) -> pl.Expr:
    """The US AQI (Int32) of a 24-hour PM2.5 mean (or NowCast) in µg/m³; null where it is null, or no number.

    The mean is truncated to 0.1, not rounded; a negative one counts as 0 for the index only; beyond 500 the
    last segment goes on.
    """
    tenths = truncated(mean.clip(lower_bound=0.0))
    index = pl.lit(None, dtype=pl.Float64)
    for low_index, high_index, low, high in PM25_AQI:
        slope = (high_index - low_index) / (high - low)
        index = pl.when(tenths >= low - 1e-6).then((tenths - low) * slope + low_index).otherwise(index)
    return (index + 0.5).floor().cast(pl.Int32, strict=False)


def nowcast(hours: pl.DataFrame) -> pl.Series:
    """EPA's NowCast of particles, a row each, from twelve columns of hourly means, the newest first, null without one.

    A weighted mean in which an hour counts the less the older it is, and the more so the more the air changes:
    w = 1 - (max - min) / max, but at least a half, and 1 where max is 0; Σ wⁱ cᵢ / Σ wⁱ over the hours that are
    there, truncated to 0.1. Null where fewer than two of the newest three are.
    """
    values = [pl.col(name) for name in hours.columns]
    highest, lowest = pl.max_horizontal(values), pl.min_horizontal(values)
    weight = pl.when(highest == 0).then(1.0).otherwise((lowest / highest).clip(0.5, 1.0))
    total = weights = pl.lit(0.0)
    for value in reversed(values):
        total = total * pl.col("/weight") + value.fill_null(0.0)
        weights = weights * pl.col("/weight") + value.is_not_null()
    newest = pl.sum_horizontal(value.is_not_null().cast(pl.Int8) for value in values[:NOWCAST_NEWEST])
    # Step by step: an expression that stands in another one many times is computed as often.
    means = hours.with_columns(weight.alias("/weight")).select(mean=total / weights, newest=newest)
    enough = pl.col("newest") >= NOWCAST_FEWEST
    return means.select(nowcast=pl.when(enough).then(truncated(pl.col("mean")))).to_series()


def truncated(value: pl.Expr) -> pl.Expr:
    """A concentration cut to 0.1, towards zero."""
    # One of exactly 9.1 may sit a hair below it in binary, so truncation looks 1e-9 further.
    return (value.sign() * ((value.abs() * 10 + 1e-9).floor() / 10)).round(1)
