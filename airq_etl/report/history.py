"""What the source changed afterwards, and how the hourly job went."""

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from airq_etl.report.days import one
from airq_etl.report.facts import RunDays
from airq_etl.report.series import Revised
from airq_etl.sensors import BY_COLUMN

RUN_DAYS = 60
GOOD, PARTIAL = "SUCCESS", "PARTIAL"
UNDECIDED = ("PENDING", "RUNNING", "RETRY")


def revised(revisions: pl.DataFrame) -> list[Revised]:
    """The revisions of one station, a row a sensor."""
    change = pl.col("new") - pl.col("old")
    rows = revisions.group_by("sensor").agg(
        values=pl.len(),
        taken_back=pl.col("new").is_null().sum(),
        first_hour=pl.col("hour").min(),
        last_hour=pl.col("hour").max(),
        first_seen=pl.col("seen_at").min(),
        last_seen=pl.col("seen_at").max(),
        mean_change=change.mean(),
        largest_change=change.get(change.abs().arg_max()),
    )
    order = list(BY_COLUMN)
    known = [row for row in rows.iter_rows(named=True) if row["sensor"] in BY_COLUMN]
    return [
        Revised(
            **row | {name: one(row[name]) for name in ("mean_change", "largest_change")},
            unit=BY_COLUMN[row["sensor"]].unit,
        )
        for row in sorted(known, key=lambda row: order.index(row["sensor"]))
    ]


def run_days(counts: Mapping[date, Mapping[str, int]], last: date) -> RunDays:
    """Every day from the first on which a run began, 60 days at most, up to the last."""
    if not counts:
        return RunDays()
    first = max(min(counts), last - timedelta(days=RUN_DAYS - 1))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    there = [counts.get(day, {}) for day in days]
    return RunDays(
        day=days,
        good=[states.get(GOOD, 0) for states in there],
        partial=[states.get(PARTIAL, 0) for states in there],
        failed=[
            sum(count for state, count in states.items() if state not in {GOOD, PARTIAL, *UNDECIDED})
            for states in there
        ],
    )
