"""Index values: the US AQI of PM2.5.

Source: US EPA, 89 FR 16202 and 40 CFR Part 58 Appendix G, in force since 2024-05-06 (EPA-454/B-24-002).
Tables in which 12.0 µg/m³ is 50, or 500.4 µg/m³ is 500, are older ones.
"""

import polars as pl

# (lowest AQI, highest AQI, lowest µg/m³, highest µg/m³), 24-hour mean truncated to 0.1
PM25_AQI: tuple[tuple[int, int, float, float], ...] = (
    (0, 50, 0.0, 9.0),
    (51, 100, 9.1, 35.4),
    (101, 150, 35.5, 55.4),
    (151, 200, 55.5, 125.4),
    (201, 300, 125.5, 225.4),
    (301, 500, 225.5, 325.4),
)


def pm25_aqi(mean: pl.Expr) -> pl.Expr:
    """The US AQI (Int32) of a 24-hour PM2.5 mean in µg/m³; null where the mean is null, or no number for it.

    The mean is truncated to 0.1, not rounded; a negative one counts as 0 for the index only; beyond 500 the
    last segment goes on.
    """
    # A mean of exactly 9.1 may sit a hair below it in binary, so truncation looks 1e-9 higher.
    tenths = ((mean.clip(lower_bound=0.0) * 10 + 1e-9).floor()) / 10
    index = pl.lit(None, dtype=pl.Float64)
    for low_index, high_index, low, high in PM25_AQI:
        slope = (high_index - low_index) / (high - low)
        index = pl.when(tenths >= low - 1e-6).then((tenths - low) * slope + low_index).otherwise(index)
    return (index + 0.5).floor().cast(pl.Int32, strict=False)
