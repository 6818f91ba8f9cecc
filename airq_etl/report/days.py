"""Days, months and years of a station, from its rows of the daily table."""

import calendar
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from airq_etl import daily
from airq_etl.report.facts import Guideline
from airq_etl.report.series import Daily, Highest, Months, Year
from airq_etl.stations import midnight
from airq_etl.windows import HOUR

DAY = timedelta(days=1)
PLACES = 4
SHARE_OF_MONTH = 0.75
"""As of a day's hours: the share of a month's days without which its mean is no mean of the month."""


class Calendar(NamedTuple):
    """All days from the first to the last: those without a row have no hours. `over` says which have ended."""

    rows: pl.DataFrame
    over: pl.Series


def lay_out(rows: pl.DataFrame, first: date, last: date, zone: str, today: date) -> Calendar:
    """The daily rows of one station, with one for every day from `first` to `last`."""
    every = pl.DataFrame({"day": pl.date_range(first, last, "1d", eager=True)})
    laid = every.join(rows.drop("station_id"), on="day", how="left", maintain_order="left")
    missing = laid.filter(pl.col("expected").is_null())["day"].to_list()
    hours = pl.DataFrame(
        {"day": missing, "in_zone": [_hours_of(day, zone) for day in missing]},
        schema={"day": pl.Date, "in_zone": pl.Int32},
    )
    laid = laid.join(hours, on="day", how="left", maintain_order="left")
    laid = laid.with_columns(pl.coalesce("expected", "in_zone").alias("expected")).drop("in_zone")
    return Calendar(laid, laid["day"] < today)


def _hours_of(day: date, zone: str) -> int:
    if zone == daily.UTC_ZONE:
        return 24
    return round((midnight(day + DAY, zone) - midnight(day, zone)) / HOUR)


def rounded(values: pl.Series) -> list[float | None]:
    """Values to four decimals, which is more than such a sensor tells."""
    return values.round(PLACES).to_list()


def one(value: object) -> float | None:
    """A single value, as `rounded`."""
    return round(float(value), PLACES) if isinstance(value, int | float) else None


def daily_of(laid: Calendar, sensor: str) -> Daily:
    """The columns of a sensor."""
    return Daily(
        mean=rounded(laid.rows[f"{sensor}_mean"]),
        hours=laid.rows[f"{sensor}_hours"].fill_null(0).to_list(),
        valid=laid.rows[f"{sensor}_valid"].fill_null(value=False).to_list(),
    )


def completeness(laid: Calendar, sensor: str) -> float | None:
    """The share of hours that are there of those that all days have that are over, in per cent; null without one."""
    over = laid.rows.filter(laid.over)
    there, expected = over.select(pl.col(f"{sensor}_hours").sum(), pl.col("expected").sum()).row(0)
    return round(100 * there / expected, 1) if expected else None


def valid(laid: Calendar, sensor: str) -> pl.DataFrame:
    """The valid days: `day`, `mean`, `hours`, `expected`."""
    return _means(laid, sensor).filter("valid").drop("valid")


def highest(laid: Calendar, sensor: str, *, of_valid: bool) -> Highest | None:
    """The highest daily mean, of valid days or of all."""
    rows = (valid(laid, sensor) if of_valid else _means(laid, sensor)).drop_nulls("mean")
    if rows.is_empty():
        return None
    row = rows.row(int(str(rows["mean"].arg_max())), named=True)
    return Highest(day=row["day"], mean=round(row["mean"], PLACES), hours=row["hours"], expected=row["expected"])


def _means(laid: Calendar, sensor: str) -> pl.DataFrame:
    return laid.rows.select(
        "day",
        "expected",
        mean=f"{sensor}_mean",
        hours=pl.col(f"{sensor}_hours").fill_null(0),
        valid=pl.col(f"{sensor}_valid").fill_null(value=False) & pl.col(f"{sensor}_mean").is_not_null(),
    )


def months(laid: Calendar, sensor: str) -> Months:
    """Every month that the days touch."""
    rows = (
        _means(laid, sensor)
        .with_columns(month=pl.col("day").dt.strftime("%Y-%m"), over=laid.over)
        .with_columns(mean=pl.when("valid").then("mean"))
        .group_by("month", maintain_order=True)
        .agg(
            pl.col("mean").mean(),
            highest=pl.col("mean").max(),
            days=(pl.col("over") | pl.col("valid")).sum(),
            valid_days=pl.col("valid").sum(),
        )
    )
    in_month = [calendar.monthrange(int(month[:4]), int(month[5:]))[1] for month in rows["month"]]
    needed = [SHARE_OF_MONTH * days for days in in_month]
    return Months(
        month=rows["month"].to_list(),
        mean=rounded(rows["mean"]),
        highest=rounded(rows["highest"]),
        days=rows["days"].to_list(),
        valid_days=rows["valid_days"].to_list(),
        valid=[count >= least for count, least in zip(rows["valid_days"], needed, strict=True)],
    )


def years(laid: Calendar, sensor: str, guideline: Guideline) -> list[Year]:
    """Every year that the days touch; a day counts above a guideline where it is valid."""
    mean = pl.col("mean")
    rows = (
        _means(laid, sensor)
        .with_columns(year=pl.col("day").dt.year(), over=laid.over)
        .with_columns(mean=pl.when("valid").then("mean"))
        .group_by("year", maintain_order=True)
        .agg(
            mean.mean(),
            highest=mean.max(),
            days=(pl.col("over") | pl.col("valid")).sum(),
            valid_days=pl.col("valid").sum(),
            above_who=(mean > guideline.who).sum(),
            above_eu=(mean > guideline.eu).sum(),
        )
    )
    return [Year(**row | {name: one(row[name]) for name in ("mean", "highest")}) for row in rows.iter_rows(named=True)]


def correlation(left: Sequence[float] | pl.Series, right: Sequence[float] | pl.Series, least: int = 10) -> float | None:
    """Pearson's r, to three decimals; null under `least` values, and where one of them does not move."""
    rows = pl.DataFrame({"left": left, "right": right}, schema={"left": pl.Float64, "right": pl.Float64})
    if rows.height < least:
        return None
    r = rows.select(pl.corr("left", "right")).item()
    return None if r is None or r != r else round(r, 3)  # noqa: PLR0124 -- NaN
