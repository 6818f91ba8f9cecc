"""What the source changed afterwards, and how far it moved the daily means."""

import polars as pl

from airq_etl import daily
from airq_etl.hourly import KEY as HOUR_KEY
from airq_etl.hourly import TIME
from airq_etl.stations import Rules

SCHEMA: dict[str, pl.DataType] = {
    "station_id": pl.Int64(),
    "day": pl.Date(),
    "sensor": pl.String(),
    "seen_at": TIME,
    "before": pl.Float64(),
    "after": pl.Float64(),
}
KEY = ("station_id", "day", "sensor", "seen_at")


def moved(hourly: pl.DataFrame, revisions: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """The daily means that each answer moved by revising hours: one row a station, day, sensor and answer.

    `before` and `after` are the mean of the day with the values known just before the answer and just after it:
    those of `hourly` (rows of the hourly table, the whole days that were revised), with the old values of
    `revisions` put back, all that came later included. A value that a revision took away, and one that it gave
    to an hour that had none (which is no revision), count as today. Means that did not move are left out.
    """
    if hourly.is_empty() or revisions.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    dated = revisions.with_columns(day=daily.day_of(rules.zones))
    answers = dated.select("station_id", "seen_at").unique().sort("station_id", "seen_at").with_row_index("version")
    answers = answers.with_columns(pl.col("version").cast(pl.Int64))
    days = dated.select("station_id", "day", "seen_at").unique().join(answers, on=("station_id", "seen_at"))
    hours = hourly.with_columns(day=daily.day_of(rules.zones)).join(days, on=("station_id", "day")).sort("seen_at")
    of_versions = _for_versions(rules, answers)
    sensors = revisions["sensor"].unique().sort().to_list()
    hours = hours.with_columns(pl.lit(None, pl.Float64).alias(name) for name in sensors if name not in hours.columns)
    before, after = (_means(_as_known(hours, revisions, sensors, at=at), of_versions, sensors) for at in (True, False))
    return (
        before.rename({"mean": "before"})
        .join(after.rename({"mean": "after"}), on=("version", "day", "sensor"))
        .join(answers, on="version")
        .filter(pl.col("before").ne_missing(pl.col("after")))
        .select(SCHEMA.keys())
        .sort(KEY)
    )


def _for_versions(rules: Rules, answers: pl.DataFrame) -> Rules:
    """The rules of each station for the versions of its days, which `daily.compute` takes for stations."""
    stations = dict(answers.select("version", "station_id").iter_rows())
    return rules._replace(
        zones={version: rules.zones[s] for version, s in stations.items() if s in rules.zones},
        in_service={version: rules.in_service[s] for version, s in stations.items() if s in rules.in_service},
    )


def _as_known(hours: pl.DataFrame, revisions: pl.DataFrame, sensors: list[str], *, at: bool) -> pl.DataFrame:
    """The hours with the values known before the answer of `seen_at`, or (not `at`) just after it.

    What an hour's value was at a time is what the next revision calls old, else what it is today.
    """
    for name in sensors:
        old = revisions.filter(pl.col("sensor") == name).select(*HOUR_KEY, "seen_at", "old").sort("seen_at")
        hours = (
            hours.join_asof(
                old, on="seen_at", by=HOUR_KEY, strategy="forward", allow_exact_matches=at, check_sortedness=False
            )
            .with_columns(pl.coalesce("old", name).alias(name))
            .drop("old")
        )
    return hours


def _means(hours: pl.DataFrame, rules: Rules, sensors: list[str]) -> pl.DataFrame:
    versions = hours.drop("station_id", "day", "seen_at").rename({"version": "station_id"})
    days = daily.compute(versions, rules).rename({"station_id": "version"})
    columns = {f"{name}_mean": name for name in sensors}
    return (
        days.select("version", "day", *columns)
        .rename(columns)
        .unpivot(index=["version", "day"], variable_name="sensor", value_name="mean")
    )
