"""Hours that are missing between hours that are there, and since the newest one."""

from datetime import datetime, timedelta

import polars as pl

from airq_etl.daily import UTC_ZONE
from airq_etl.hourly import KEY
from airq_etl.sanity.evidence import SEEN, Evidence
from airq_etl.sanity.hours import each_later, in_service
from airq_etl.stations import midnight
from airq_etl.windows import KEPT

HOUR = timedelta(hours=1)


def judged_at(evidence: Evidence, station_id: int | None = None) -> datetime:
    """The moment to judge by: now, or the end of the days asked for (in the station's zone) where it is past."""
    if evidence.days is None:
        return evidence.now
    zone = UTC_ZONE if station_id is None else evidence.rules.zones.get(station_id, UTC_ZONE)
    return min(evidence.now, midnight(evidence.days.last + timedelta(days=1), zone))


def is_expected(evidence: Evidence, station_id: int) -> bool:
    """Whether new hours of a station are to come: it is in the settings (an unnamed one is not asked for)."""
    return not evidence.configured or station_id in evidence.configured


def served(evidence: Evidence) -> pl.DataFrame:
    """The hours of the tables, each once and in order, from when their station served until now."""
    if evidence.served is not None:
        return evidence.served
    counts = (pl.col("hour") <= evidence.now) & in_service(evidence.rules)
    hours = evidence.tables.hourly
    if not hours.select(counts.all()).item():
        hours = hours.filter(counts)
    if each_later(hours, KEY):
        return hours
    # Once sorted, an hour that stands twice stands beside itself: this is much quicker than unique().
    again = pl.all_horizontal(pl.col(name) == pl.col(name).shift(-1) for name in KEY)
    return hours.sort(KEY, maintain_order=True).filter(~again.fill_null(value=False))


def spans(hours: pl.DataFrame) -> pl.DataFrame:
    """From `oldest` to `newest` hour of each station, how many `hours` it has, and when it last `asked` answered."""
    return (
        hours.group_by("station_id")
        .agg(
            oldest=pl.col("hour").min(),
            newest=pl.col("hour").max(),
            hours=pl.len().cast(pl.Int64),
            asked=pl.col("requested_at").max(),
        )
        .sort("station_id")
    )


def gaps(hours: pl.DataFrame) -> pl.DataFrame:
    """Each gap between two hours of a station: its `first` and `last` missing hour, how many `hours`, and `asked`.

    `asked` is when an answer spanned the gap, and so would have given its hours had the source had them: it gave
    the hours on both sides, or gave that before it and only a later one, for which that was too old, has given
    that behind it since. Null where there may have been no such answer.
    """
    station, hour, request = pl.col("station_id"), pl.col("hour"), pl.col("requested_at")
    before, answered = pl.col("before"), pl.col("answered")
    spanned = (request == answered) | ((request > answered) & (before < request - KEPT))
    seen = hours.select(SEEN)
    is_gap = station.eq_missing(station.shift(1)) & (hour - hour.shift(1) > HOUR)
    return (
        (seen if each_later(seen, KEY) else seen.sort(KEY))
        .lazy()
        .select(*SEEN, before=hour.shift(1), answered=request.shift(1), is_gap=is_gap)
        .filter("is_gap")
        .collect()
        .select(
            "station_id",
            first=before + HOUR,
            last=hour - HOUR,
            hours=(hour - before).dt.total_hours() - 1,
            asked=pl.when(spanned).then(answered),
        )
    )
