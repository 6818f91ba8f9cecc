"""What sanity checks look at: the tables, the store and the ledger, read as frames."""

from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from functools import partial

import polars as pl

from airq_etl import daily, documents, hourly
from airq_etl.lake import DAILY, HOURLY, REVISIONS
from airq_etl.pipeline.days import outdated
from airq_etl.pipeline.job import Job
from airq_etl.pipeline.load import due_days, open_store
from airq_etl.pipeline.stretches import frame_of
from airq_etl.portions import portions
from airq_etl.sanity.evidence import SEEN, Evidence, Place
from airq_etl.sanity.parts import has
from airq_etl.stations import Rules
from airq_etl.store import Mark, Store
from airq_etl.windows import Days

DAY = timedelta(days=1)


def gather(
    work: Job,
    days: Days | None = None,
    store_days: Days | None = None,
    *,
    with_store: bool = True,
    short: bool = False,
) -> Evidence:
    """All that is stored, or that of local `days`; of the store that of `store_days`, where these are given.

    For a `short` look the hours of the tables are read some stations at a time, as they are looked at.
    Stations that others load into a shared store are left out: whose midnight ends their day is not known here.
    StoreError where the store is out of reach, DamagedError where a table cannot be read.
    """
    said = work.ledger.stations()
    tables = _tables(work, days, frozenset(said), short=short)
    rules = work.rules({*said, *work.settings.stations, *_known(tables.hourly), *_known(tables.daily)})
    revisions = work.lake.read(REVISIONS).with_columns(day=daily.day_of(rules.zones))
    rejects = work.ledger.rejects().with_columns(day=daily.day_of(rules.zones, "requested_at"))
    evidence = Evidence(
        now=work.now,
        rules=rules,
        tables=tables,
        days=days,
        configured=frozenset(work.settings.stations),
        known={station_id: work.settings.station(station_id, station) for station_id, station in said.items()},
        said=said,
        positions=work.ledger.positions(),
        outdated=frozenset(outdated(work)),
        placed=frozenset(s for s, told in work.settings.known.items() if None not in {told.latitude, told.longitude}),
        keys={station_id: work.ledger.keys_seen(station_id) for station_id in said},
        revisions=_cut(revisions, days).drop("day"),
        rejects=_cut(rejects, days).drop("day"),
        read_hours=partial(_hours, work, days) if short else None,
    )
    return _with_store(work, evidence, store_days) if with_store else evidence


def _with_store(work: Job, evidence: Evidence, store_days: Days | None) -> Evidence:
    """The evidence, and what the store holds of the same days, or of `store_days`; in a shard of its own stations."""
    of_store = store_days or evidence.days
    with closing(open_store(work.settings, work.lake, work.seconds_left())) as store:
        mark = store.mark(work.ledger.lake_id)
        own = None if work.settings.shard is None else frozenset(evidence.rules.zones)
        hours, rows, listed = _stored(store, of_store, own)
    if mark.shares:
        hours, rows = (_without_stations(frame, listed - evidence.rules.zones.keys()) for frame in (hours, rows))
    rules = work.rules({*evidence.rules.zones, *_known(hours), *_known(rows)})
    waiting = _cut(_waiting(work, mark), of_store)
    return evidence._replace(
        rules=rules,
        store=Place(store.name, _cut_hours(hours, of_store, rules).sort(hourly.KEY), rows.sort(daily.KEY), listed),
        shares=mark.shares,
        behind=waiting.height,
        waiting=waiting,
        store_days=store_days,
    )


def _tables(work: Job, days: Days | None, listed: frozenset[int], *, short: bool) -> Place:
    """What the tables have of these days; of the hours in a `short` look what is `SEEN` of them."""
    hours = _seen(work, days) if short else _hours(work, days)
    if days is None:
        return Place("tables", hours, work.lake.read(DAILY), listed)
    years = [str(year) for year in range(days.first.year, days.last.year + 1)]
    return Place("tables", hours, work.lake.read(DAILY, years, pl.col("day").is_between(*days)), listed)


def _seen(work: Job, days: Days | None) -> pl.DataFrame:
    """Which hours the tables hold, some stations at a time: to put months in order takes several times their memory."""
    some = portions(work.lake.count(HOURLY, _months(days)))
    # In one piece, since whoever groups them would make it one.
    return pl.concat([_hours(work, days, has(portion), SEEN) for portion in some], rechunk=True)


def _hours(
    work: Job, days: Days | None, its: pl.Expr | None = None, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """The hours of the tables on these days, or some of them."""
    if days is None:
        return work.lake.read(HOURLY, None, its, columns)
    near = pl.col("hour").is_between(*_bounds(days))
    found = work.lake.read(HOURLY, _months(days), near if its is None else its & near, columns)
    return _cut_hours(found, days, work.rules(_known(found)))


def _months(days: Days | None) -> list[str] | None:
    """The files of hours that may have some of these days; None for all."""
    if days is None:
        return None
    first, last = _bounds(days)
    return pl.datetime_range(first, last + timedelta(days=31), "1mo", eager=True).dt.strftime("%Y-%m").to_list()


def _stored(
    store: Store, days: Days | None, own: Collection[int] | None
) -> tuple[pl.DataFrame, pl.DataFrame, frozenset[int]]:
    """Hours (not yet cut to the days), days and listed stations of a store; all where there is no `own`."""
    first, last = (None, None) if days is None else _bounds(days)
    stations = own
    if days is not None and own is None:
        stations = store.stations(documents.HOURLY) | store.stations(documents.DAILY)
    hours = store.frame(documents.HOURLY, first, last, documents.hourly_fields(), stations)
    rows = documents.daily_frame(store.frame(documents.DAILY, first, last, documents.daily_fields(), stations))
    listed = store.frame(documents.STATIONS, None, None, ["station_id"], own)
    return documents.hourly_frame(hours), _cut(rows, days), frozenset(_known(listed))


def _bounds(days: Days) -> tuple[datetime, datetime]:
    """From when to when (UTC) the hours of these days lie, wherever."""
    midnight = time(tzinfo=UTC)
    return datetime.combine(days.first, midnight) - DAY, datetime.combine(days.last, midnight) + 2 * DAY


def _known(rows: pl.DataFrame) -> set[int]:
    return set(rows["station_id"].drop_nulls().unique())


def _without_stations(rows: pl.DataFrame, stations: Collection[int]) -> pl.DataFrame:
    return rows.filter(~pl.col("station_id").is_in(list(stations)).fill_null(value=False))


def _cut_hours(hours: pl.DataFrame, days: Days | None, rules: Rules) -> pl.DataFrame:
    if days is None:
        return hours
    return _cut(hours.with_columns(day=daily.day_of(rules.zones)), days).drop("day")


def _cut(rows: pl.DataFrame, days: Days | None) -> pl.DataFrame:
    return rows if days is None else rows.filter(pl.col("day").is_between(days.first, days.last))


def _waiting(work: Job, mark: Mark) -> pl.DataFrame:
    """The days (`station_id`, `day`) that the next load sends."""
    return frame_of(due_days(work, mark))
