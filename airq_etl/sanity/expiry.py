"""Missing hours that the source no longer gives, and those that it soon will not: it keeps 365 days."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import polars as pl

from airq_etl.hourly import TIME
from airq_etl.sanity.evidence import Evidence
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.gaps import HOUR, gaps, is_expected, judged_at, served, spans
from airq_etl.sanity.wording import at, many
from airq_etl.windows import KEPT, whole_hour

SOON = timedelta(days=30)
LATE = timedelta(hours=2)
"""An hour that an answer lacked may still have come so long after its end."""


def lost_hours(evidence: Evidence) -> Iterator[Finding]:
    """For each station the hours to fetch before they are lost, else those that are lost for ever.

    An hour that an answer spanned and did not have will not come by asking again: it is no reason to hurry.
    """
    hours = served(evidence)
    horizon = evidence.now - KEPT
    missing = pl.concat([gaps(hours).drop("hours"), _since_newest(evidence, hours)])
    kept = pl.col("first").clip(lower_bound=whole_hour(horizon))
    askable = pl.col("asked").is_null() | (pl.col("asked") < pl.col("last") + HOUR + LATE)
    until = pl.col("last").clip(upper_bound=whole_hour(horizon + SOON) - HOUR)
    urgent = missing.filter(askable).with_columns(first=kept, last=until)
    gone = missing.with_columns(last=pl.col("last").clip(upper_bound=whole_hour(horizon) - HOUR))
    for row in spans(hours).iter_rows(named=True):
        station = pl.col("station_id") == row["station_id"]
        soon, lost = (_some(frame.filter(station)) for frame in (urgent, gone))
        if is_expected(evidence, row["station_id"]) and row["newest"] < horizon:
            yield _all_the_time(evidence, row)
        elif is_expected(evidence, row["station_id"]) and soon.height:
            yield _soon(row["station_id"], soon)
        elif lost.height:
            yield _for_ever(row["station_id"], lost)


def _since_newest(evidence: Evidence, hours: pl.DataFrame) -> pl.DataFrame:
    """The hours that no answer spans, from the newest answer of each station to the end; of one not asked for, none."""
    begins = pl.max_horizontal(pl.col("newest") + HOUR, pl.col("asked").dt.truncate("1h"))
    ends = pl.lit(judged_at(evidence), TIME).dt.truncate("1h") - HOUR
    expected = [station_id for station_id in hours["station_id"].unique() if is_expected(evidence, station_id)]
    newest = spans(hours.filter(pl.col("station_id").is_in(expected)))
    return newest.select("station_id", first=begins, last=ends, asked=pl.lit(None, TIME))


def _some(gaps_of_one: pl.DataFrame) -> pl.DataFrame:
    return gaps_of_one.filter(pl.col("first") <= pl.col("last")).sort("first")


def _hours(missing: pl.DataFrame) -> int:
    return int((missing["last"] - missing["first"]).dt.total_hours().sum()) + missing.height


def _soon(station_id: int, soon: pl.DataFrame) -> Finding:
    first, last = soon.row(0, named=True)["first"], soon.row(-1, named=True)["last"]
    return Finding(
        check="lost-hours",
        severity="warning",
        station_id=station_id,
        first=first,
        last=last,
        count=_hours(soon),
        sentence=(
            f"{many(_hours(soon), 'missing hour')} from {at(first)} on may never have been asked for, and the source "
            f"keeps them until {at(first + KEPT)} only"
        ),
        action="run `airq-etl backfill` before",
    )


def _for_ever(station_id: int, lost: pl.DataFrame) -> Finding:
    first, last = lost.row(0, named=True)["first"], lost.row(-1, named=True)["last"]
    return Finding(
        check="lost-hours",
        severity="info",
        station_id=station_id,
        first=first,
        last=last,
        count=_hours(lost),
        sentence=f"{many(_hours(lost), 'missing hour')} until {at(last)} lie beyond the 365 days that the source keeps",
        action="do not wait for them: no asking brings them back",
    )


def _all_the_time(evidence: Evidence, row: dict[str, Any]) -> Finding:
    return Finding(
        check="lost-hours",
        severity="warning",
        station_id=row["station_id"],
        first=row["newest"] + HOUR,
        last=whole_hour(evidence.now - KEPT) - HOUR,
        count=(evidence.now - KEPT - row["newest"]) // HOUR,
        sentence=(
            f"its newest hour is {at(row['newest'])}, older than the 365 days that the source keeps: if the station "
            "measures, an hour is lost with each that passes"
        ),
        action="run `airq-etl run`; take the station out of AIRQ_STATIONS if it is gone",
    )
