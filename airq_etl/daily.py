"""The daily table: one row a station and day, recomputed from all the hours of that day.

A day runs from midnight to midnight in the station's time zone. A mean divides by the hours that were reported
(those flagged bad left out) and stands beside their number, its share of the hours that the day has (23 or 25
where the clock changes), and how many of them have which flag. It is valid with enough hours (18 of 24, which is
75 %: US 40 CFR Part 50 App. N 3.0(c), EU 2024/2881 Annex V). An invalid day keeps its mean; an index and a mark
against a guideline it has not.
"""

import math
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import cache

import polars as pl

from airq_etl import eight_hours, guidelines, quality
from airq_etl.hourly import TIME
from airq_etl.sensors import CORE_COLUMNS, present
from airq_etl.stations import Rules, Zones, midnight

KEY = ("station_id", "day")
COUNTED = ("info", "suspect", "bad")
"""Flag levels whose hours are counted; the rest of `hours` are ok. Bad ones are not among `hours`."""
MARKS = ("pm25_above_who", "pm25_above_eu", "co_above_who", "co_above_eu", "co_8h_above")
"""Whether a valid mean is above a guideline; null where it is not valid."""
OF_A_SENSOR: dict[str, pl.DataType] = {
    **dict.fromkeys(("mean", "min", "max"), pl.Float64()),
    "hours": pl.Int32(),
    "completeness": pl.Float64(),
    "valid": pl.Boolean(),
    **dict.fromkeys(COUNTED, pl.Int32()),
}
OF_A_DAY: dict[str, pl.DataType] = {
    "co_8h_max": pl.Float64(),
    "co_8h_means": pl.Int32(),
    "pm25_aqi": pl.Int32(),
    **dict.fromkeys(MARKS, pl.Boolean()),
    "final": pl.Boolean(),
    "updated_at": TIME,
}
UTC_ZONE = "UTC"


def schema(sensors: tuple[str, ...] = CORE_COLUMNS) -> dict[str, pl.DataType]:
    """The columns of the daily table for these sensors."""
    columns: dict[str, pl.DataType] = {"station_id": pl.Int64(), "day": pl.Date(), "expected": pl.Int32()}
    for name in sensors:
        columns |= {f"{name}_{what}": kind for what, kind in OF_A_SENSOR.items()}
    return columns | OF_A_DAY


SCHEMA = schema()


@cache
def empty() -> pl.DataFrame:
    """The daily table with no rows."""
    return pl.DataFrame(schema=SCHEMA)


def combine(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Frames of the daily table below each other; a sensor that one of them lacks has no hours there."""
    whole = pl.concat([empty(), *frames], how="diagonal")
    means = (name for name in whole.columns if name.endswith("_mean") and whole[name].null_count() < whole.height)
    sensors = present(name.removesuffix("_mean") for name in means)
    return whole.select(filled(sensors))


def filled(sensors: tuple[str, ...]) -> list[pl.Expr]:
    """The columns of the daily table for these sensors; one that a station lacks has no hours there."""
    none: dict[str, int | bool] = {**dict.fromkeys(("hours", "completeness", *COUNTED), 0), "valid": False}
    numbers = {f"{name}_{what}": of for name in sensors if name not in CORE_COLUMNS for what, of in none.items()}
    return [pl.col(c).fill_null(numbers[c]) if c in numbers else pl.col(c) for c in schema(sensors)]


def day_of(zones: Zones, column: str = "hour") -> pl.Expr:
    """The local day (Date) of a UTC time in `column`, by the zone of the row's `station_id`."""
    return _local(zones, column, lambda time: time.dt.date())


def hour_of_day(zones: Zones, column: str = "hour") -> pl.Expr:
    """The local hour of the day (0 to 23) of a UTC time, as `day_of` has its day."""
    return _local(zones, column, lambda time: time.dt.hour())


def _local(zones: Zones, column: str, part: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """A part of a UTC time in `column`, as the clocks of each row's station have it."""
    found = part(pl.col(column))
    for zone in sorted(set(zones.values()) - {UTC_ZONE}):
        stations = [station for station, its in zones.items() if its == zone]
        local = part(pl.col(column).dt.convert_time_zone(zone))
        found = pl.when(pl.col("station_id").is_in(stations)).then(local).otherwise(found)
    return found


def compute(hours: pl.DataFrame, rules: Rules, days: pl.DataFrame | None = None) -> pl.DataFrame:
    """The daily rows of `days` (`station_id`, `day`), by default of all days that the hours touch.

    `hours` are rows of the hourly table: whole days, and those around them that flags depend on (see `quality`;
    where they are missing, so are the flags that need them). `final` says that a day had ended when its hours
    were last asked for and that none of them is provisional; `updated_at` is the newest `requested_at` under it.
    """
    sensors = present(hours.columns)
    # Sorted, so that a mean is the same to the last bit whatever the order of the rows.
    judged = quality.judge(hours, rules.in_service).with_columns(day=day_of(rules.zones))
    highest = _eight_hours(judged, rules.zones)
    if days is not None:
        judged = judged.join(days.select(KEY), on=KEY, how="semi", maintain_order="left")
    found = judged.group_by(KEY, maintain_order=True).agg(
        *(expression for name in sensors for expression in _values(name)),
        settled=~pl.col("provisional").any(),
        updated_at=pl.col("requested_at").max(),
    )
    bounds = _bounds(found.select(KEY), rules.zones, rules.min_hours)
    return (
        found.join(bounds, on=KEY, how="left")
        .join(highest, on=KEY, how="left")
        .with_columns(*(expression for name in sensors for expression in _completeness(name)))
        .with_columns(*_marks(), final=pl.col("settled") & (pl.col("updated_at") >= pl.col("ends")))
        .select(schema(sensors).keys())
        .sort(KEY)
    )


def _values(name: str) -> list[pl.Expr]:
    column, flag = quality.usable(name), pl.col(f"{name}_flag")
    return [
        column.mean().alias(f"{name}_mean"),
        column.min().alias(f"{name}_min"),
        column.max().alias(f"{name}_max"),
        column.count().cast(pl.Int32).alias(f"{name}_hours"),
        *((flag == level).sum().cast(pl.Int32).alias(f"{name}_{level}") for level in COUNTED),
    ]


def _completeness(name: str) -> list[pl.Expr]:
    hours = pl.col(f"{name}_hours")
    return [
        (hours >= pl.col("needed")).alias(f"{name}_valid"),
        (100 * hours / pl.col("expected")).round(1).alias(f"{name}_completeness"),
    ]


def _eight_hours(judged: pl.DataFrame, zones: Zones) -> pl.DataFrame:
    """For each station and day the highest mean of CO over eight hours, and how many means it is the highest of.

    A mean belongs to the day on which its eight hours end.
    """
    mean = pl.col("co_8h")
    days = eight_hours.means(judged).with_columns(day=day_of(zones)).group_by(KEY)
    return days.agg(co_8h_max=mean.max(), co_8h_means=mean.count().cast(pl.Int32))


def _marks() -> list[pl.Expr]:
    pm25 = pl.when(pl.col("pm25_valid")).then(pl.col("pm25_mean"))
    co = pl.when(pl.col("co_valid")).then(pl.col("co_mean"))
    highest = pl.when(pl.col("co_8h_means") >= pl.col("needed")).then(pl.col("co_8h_max"))
    return [
        guidelines.pm25_aqi(pm25).alias("pm25_aqi"),
        (pm25 > guidelines.WHO_PM25_DAY).alias("pm25_above_who"),
        (pm25 > guidelines.EU_PM25_DAY).alias("pm25_above_eu"),
        (co > guidelines.WHO_CO_DAY).alias("co_above_who"),
        (co > guidelines.EU_CO_DAY).alias("co_above_eu"),
        (highest > guidelines.CO_8H).alias("co_8h_above"),
    ]


def _bounds(days: pl.DataFrame, zones: Zones, min_hours: int) -> pl.DataFrame:
    """For each station and day: when it `ends` (UTC), the hours `expected` in it and `needed` for a valid mean."""
    zone = pl.col("station_id").replace_strict(dict(zones) or {0: UTC_ZONE}, default=UTC_ZONE, return_dtype=pl.String)
    days = days.with_columns(zone=zone)
    local = days.select("zone", "day").unique()
    rows = [(name, day, *_bound(day, name, min_hours)) for name, day in local.iter_rows()]
    columns: dict[str, pl.DataType] = {"zone": pl.String(), "day": pl.Date(), "ends": TIME}
    columns |= {"expected": pl.Int32(), "needed": pl.Int32()}
    return days.join(pl.DataFrame(rows, schema=columns, orient="row"), on=("zone", "day"))


def _bound(day: date, zone: str, min_hours: int) -> tuple[datetime, int, int]:
    ends = midnight(day + timedelta(days=1), zone)
    expected = round((ends - midnight(day, zone)) / timedelta(hours=1))
    return ends, expected, math.ceil(min_hours * expected / 24)


def touched_days(outcome: pl.DataFrame, zones: Zones) -> pl.DataFrame:
    """The days that the hours of `outcome` (see `hourly.Merged`) fall on, each with whether its content `changed`.

    A day changes where an hour is new or differs, and where the newest answer is the first one since it ended
    (it may then become final).
    """
    days = (
        outcome.with_columns(day=day_of(zones))
        .group_by(KEY)
        .agg(
            differs=(pl.col("outcome") != "confirmed").any(),
            before=pl.col("requested_before").max(),
            now=pl.col("requested_at").max(),
        )
    )
    ended = pl.col("before").is_null() | ((pl.col("before") < pl.col("ends")) & (pl.col("now") >= pl.col("ends")))
    bounds = _bounds(days.select(KEY), zones, min_hours=0)
    return days.join(bounds, on=KEY, how="left").select(*KEY, changed=pl.col("differs") | ended).sort(KEY)


def influenced_days(changed: pl.DataFrame, last: pl.DataFrame) -> pl.DataFrame:
    """The days (`station_id`, `day`) whose flags may change with the hours of `changed` days, these included.

    Flags depend on the hours around theirs (see `quality`). `last` has the last `day` to look at of each station.
    """
    reach = pl.date_ranges(pl.col("day").dt.offset_by("-1d"), pl.min_horizontal("until", "last"))
    until = pl.col("day") + quality.BEFORE + timedelta(days=1)
    return (
        changed.select(*KEY, until=until)
        .join(last.select("station_id", last="day"), on="station_id")
        .select("station_id", day=reach)
        .explode("day")
        .drop_nulls()
        .unique()
        .sort(KEY)
    )
