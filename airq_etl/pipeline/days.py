"""The daily tables: which days to compute, from which hours, and into which file."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import polars as pl

from airq_etl import daily, hourly, nowcast, quality
from airq_etl.changes import remember_position, touch, touched_since_daily
from airq_etl.guidelines import NOWCAST_HOURS
from airq_etl.lake import DAILY, HOURLY, Lake
from airq_etl.pieces import Pieces
from airq_etl.pipeline.job import Job
from airq_etl.pipeline.stretches import frame_of, hours_under, stretches
from airq_etl.portions import Portion, portions, two_at_a_time
from airq_etl.sanity.wording import many
from airq_etl.sensors import present
from airq_etl.stations import Rules
from airq_etl.windows import Days

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
HOURS_AT_ONCE = 300_000
"""Of which two portions are worked on at a time; to open the files of a year takes as long as 50,000 of their hours."""


def touch_days(work: Job, stations: Sequence[int], days: Days) -> None:
    """Have the daily rows of these days computed anew."""
    _touch(work, pl.col("station_id").is_in(stations), pl.col("day").is_between(days.first, days.last))


def touch_all_days(work: Job) -> None:
    """Have all daily rows computed anew."""
    _touch(work, pl.lit(value=True), pl.lit(value=True))


def _touch(work: Job, whose: pl.Expr, which: pl.Expr) -> None:
    """Touch the days that the tables hold, of which the daily one may be behind."""
    found = [*two_at_a_time(partial(_days_of_month, work, whose), work.lake.parts(HOURLY))]
    found += [work.lake.read(DAILY, [part], whose, DAILY.key) for part in work.lake.parts(DAILY)]
    wanted = pl.concat([frame_of([]), *found]).filter(which).unique()
    with work.ledger.transaction() as db:
        touch(db, ((station_id, day, True) for station_id, day in wanted.sort(daily.KEY).iter_rows()))


def _days_of_month(work: Job, whose: pl.Expr, part: str) -> pl.DataFrame:
    """The days (`station_id`, `day`) on which some stations have hours, by a file of these."""
    hours = work.lake.read(HOURLY, [part], whose, HOURLY.key)
    return hours.select("station_id", day=daily.day_of(work.zones(hours["station_id"].unique()))).unique()


def touch_where_the_rule_changed(work: Job) -> None:
    """Touch every day of a station of which what makes a day, a mean or a flag is no longer what it was."""
    changed = outdated(work)
    if not changed:
        return
    log.info("what makes a day, a mean or a flag changed for %d stations; their days are computed anew", len(changed))
    _touch(work, pl.col("station_id").is_in(changed), pl.lit(value=True))


def outdated(work: Job) -> list[int]:
    """The stations whose days were made by other rules than those in force."""
    return [station_id for station_id, rule in work.ledger.rules().items() if rule != _rule(work, station_id)]


def _rule(work: Job, station_id: int) -> str:
    settings = work.settings
    since = settings.in_service(station_id)
    return f"{settings.zone(station_id)}/{settings.min_hours}/{since or '-'}/{quality.RULES}"


def write_daily(work: Job, *, some_days: bool = False) -> None:
    """Compute the days touched since the daily table was last written, from all their hours.

    The rule in force is then that of their stations; but where only `some_days` were to be computed, one by which
    other days were made stays noted, until these are made by the new one.
    """
    behind = outdated(work) if some_days else []
    if behind:
        log.info(
            "what makes a day, a mean or a flag changed for %s: only the days asked for are computed anew, and those "
            "of new hours; the next transform without days brings up the others",
            many(len(behind), "station"),
        )
    newest, touched = touched_since_daily(work.ledger)
    days = frame_of(touched)
    _write_days(work, work.lake, days)
    stations = sorted(set(days["station_id"]).difference(behind))
    with work.ledger.transaction() as db:
        remember_position(db, newest)
        db.executemany(
            "insert into stations (station_id, rule) values (?, ?) on conflict do update set rule = excluded.rule",
            ((station_id, _rule(work, station_id)) for station_id in stations),
        )


def _write_days(work: Job, lake: Lake, days: pl.DataFrame) -> None:
    """Compute days (`station_id`, `day`), some stations at a time, and put them in place of those of the tables."""
    years = [str(year) for year in days["day"].dt.year().unique().sort()]
    pieces = {year: Pieces(lake, DAILY, year) for year in years}
    some = portions(hours_under(days), lake.count(DAILY, years), at_once=HOURS_AT_ONCE)
    for rows in two_at_a_time(partial(_renewed, work, lake, years, days), some):
        for year, its in rows.items():
            pieces[year].add(its)
    for year in years:
        if pieces[year].is_empty and year in lake.parts(DAILY):
            pieces[year].add(daily.empty())
        pieces[year].write(partial(_arranged, columns=pieces[year].columns()))


def _renewed(work: Job, lake: Lake, years: list[str], days: pl.DataFrame, portion: Portion) -> dict[str, pl.DataFrame]:
    """The rows of some stations, by the years in which there are any: `days` anew, and what else the tables hold."""
    own = days.filter(portion.has())
    fresh = daily.combine(compute_days(work, lake, stretch) for stretch in stretches(own))
    rows = {}
    for year in years:
        kept = lake.read(DAILY, [year], portion.has()).join(own, on=daily.KEY, how="anti")
        rows[year] = daily.combine([kept, fresh.filter(pl.col("day").dt.year() == int(year))])
    return {year: its.sort(daily.KEY) for year, its in rows.items() if its.height}


def _arranged(rows: pl.LazyFrame, columns: Collection[str]) -> pl.LazyFrame:
    """Rows of the daily table of which some stations have sensors that others lack: these have no hours of them."""
    sensors = present(name.removesuffix("_mean") for name in columns if name.endswith("_mean"))
    return rows.select(daily.filled(sensors))


def compute_days(work: Job, lake: Lake, days: pl.DataFrame) -> pl.DataFrame:
    """The daily rows of some days (`station_id`, `day`); days without hours are left out."""
    return daily.compute(hours_around(lake, days), work.rules(days["station_id"].unique()), days)


def hours_around(lake: Lake, days: pl.DataFrame) -> pl.DataFrame:
    """The rows of the hourly table under some days (`station_id`, `day`), and around them those their flags need."""
    first, last = span(days)
    parts = [part for part in lake.parts(HOURLY) if f"{first:%Y-%m}" <= part <= f"{last:%Y-%m}"]
    stations = days["station_id"].unique()
    # The bounds are what a reader of Parquet skips groups of rows by.
    between = pl.col("station_id").is_between(stations.min(), stations.max())
    near = pl.col("hour").is_between(first, last) & pl.col("station_id").is_in(stations.implode())
    return lake.read(HOURLY, parts, between & near)


def span(days: pl.DataFrame) -> tuple[datetime, datetime]:
    """From when to when (UTC) the hours lie that some days (`day`) and their flags depend on."""
    day = pl.col("day").cast(hourly.TIME)
    first, last = days.select(first=day.min(), last=day.max()).row(0)
    # A local day reaches into the neighbouring ones.
    return first - DAY - quality.BEFORE, last + 2 * DAY + quality.AFTER


def judged(hours: pl.DataFrame, days: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Hours that lie on some days (`station_id`, `day`), judged by those around them, with their NowCast."""
    whole = nowcast.add(quality.judge(hours, rules.in_service)).with_columns(day=daily.day_of(rules.zones))
    return whole.join(days.select(daily.KEY), on=daily.KEY, how="semi", maintain_order="left").drop("day")


def newest_nowcasts(lake: Lake, newest: Mapping[int, datetime], rules: Rules) -> dict[int, tuple[float, int]]:
    """NowCast of PM2.5 and its AQI at the newest hour of each station that is over; left out where it has none."""
    reach = timedelta(hours=NOWCAST_HOURS)
    parts = {f"{time:%Y-%m}" for hour in newest.values() for time in (hour, hour - reach)}
    last = pl.col("station_id").replace_strict(dict(newest) or {0: None}, default=None, return_dtype=hourly.TIME)
    hours = lake.read(HOURLY, parts, pl.col("hour") >= last - reach, (*HOURLY.key, "pm25", "provisional"))
    of_each = nowcast.of(hours, rules.in_service).filter(~pl.col("provisional"))
    found = of_each.group_by("station_id").agg(pl.col(nowcast.COLUMNS).last())
    return {station_id: (value, aqi) for station_id, value, aqi in found.drop_nulls().iter_rows()}
