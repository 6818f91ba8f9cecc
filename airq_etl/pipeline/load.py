"""load: what changed since this store was last loaded, into MongoDB or the embedded store."""

from collections.abc import Iterator

import polars as pl

from airq_etl import changes, daily, documents
from airq_etl.changes import Change
from airq_etl.lake import DAILY, HOURLY, REVISIONS, Lake
from airq_etl.pipeline.days import hours_around, judged, span
from airq_etl.pipeline.job import Job
from airq_etl.pipeline.recording import step
from airq_etl.pipeline.stretches import frame_of, hours_under, stretches
from airq_etl.portions import portions
from airq_etl.settings import Settings
from airq_etl.stations import Rules
from airq_etl.store import Batch, Mark, Store

EMBEDDED = "airq.db"
DOCUMENTS_AT_ONCE = 10_000


def open_store(settings: Settings, lake: Lake, limit_s: float) -> Store:
    """The store of these settings; `limit_s` bounds its operations."""
    if settings.mongodb_uri is None:
        from airq_etl.store.embedded import EmbeddedStore

        return EmbeddedStore(lake.root / EMBEDDED)
    from airq_etl.store.mongo import MongoStore

    return MongoStore(settings.mongodb_uri, settings.mongodb_database, limit_s)


def load(work: Job, *, full: bool = False) -> None:
    """Bring the store up to the tables; with `full` whatever its mark says. StoreError where it cannot be."""
    with step(work, "load") as counts:
        store = open_store(work.settings, work.lake, work.seconds_left())
        try:
            position = changes.position(work.ledger)
            mark = store.mark(work.ledger.lake_id)
            everything = full or _is_unknown(work, mark)
            due = _all_days(work) if full else due_days(work, mark)
            gone = [] if mark.shares else _gone(work, 0 if everything else mark.position or 0)
            if gone:
                store.remove(documents.DAILY, gone)
            if everything or due:
                batches = _batches(work, due, store if mark.shares else None)
                exact = full or mark.shares
                written = store.save(batches, work.ledger.lake_id, position, exact=exact, shares=mark.shares)
                work.result.documents = written
            work.result.store = store.name
            counts.update(work.result.documents)
        finally:
            store.close()


def due_days(work: Job, mark: Mark) -> list[Change]:
    """The days that a store with this mark is still to be sent."""
    if _is_unknown(work, mark):
        return _all_days(work)
    # What an answer only confirmed counts as well where others must not replace it with older news.
    since = changes.touched_since if mark.shares else changes.changed_since
    return since(work.ledger, mark.position or 0)


def _is_unknown(work: Job, mark: Mark) -> bool:
    """Whether nobody knows what a store with this mark holds of the tables."""
    # A mark ahead of the ledger means that the ledger is a restored copy.
    return mark.position is None or mark.position > changes.position(work.ledger)


def _all_days(work: Job) -> list[Change]:
    days = work.lake.read(DAILY, columns=DAILY.key)
    return [Change(station_id, day) for station_id, day in days.iter_rows()]


def _gone(work: Job, loaded: int) -> list[str]:
    """The `_id` of days that changed and have no hour any more: another zone has put their hours on other days."""
    changed = changes.changed_since(work.ledger, loaded)
    if not changed:
        return []
    days = frame_of(changed)
    years = [str(year) for year in days["day"].dt.year().unique()]
    gone = days.join(work.lake.read(DAILY, years, columns=DAILY.key), on=daily.KEY, how="anti")
    # A daily table that somebody removed is no reason: its days can be made again, from their hours.
    return documents.daily_ids(gone.join(_days_with_hours(work, gone), on=daily.KEY, how="anti"))


def _days_with_hours(work: Job, days: pl.DataFrame) -> pl.DataFrame:
    """Those of some days (`station_id`, `day`) and of those beside them on which the tables have hours."""
    near = [days["day"].dt.offset_by(by).dt.strftime("%Y-%m") for by in ("-1d", "1d")]
    stations = set(days["station_id"])
    hours = work.lake.read(HOURLY, set(pl.concat(near)), pl.col("station_id").is_in(stations), HOURLY.key)
    return hours.select("station_id", day=daily.day_of(work.zones(stations))).unique()


def _batches(work: Job, due: list[Change], shared: Store | None) -> Iterator[Batch]:
    """Stations, then the hours, then revisions and days: a day is never there before its hours.

    The days of a `shared` store are computed from the hours that stand in it, of which others may have more.
    """
    days = frame_of(due)
    rules = work.rules(days["station_id"].unique())
    known = {station: work.settings.station(station, said) for station, said in work.ledger.stations().items()}
    yield documents.STATIONS, documents.stations(known)
    for rows in _hours(work, days, rules):
        yield documents.HOURLY, documents.hourly(rows)
    revised = work.lake.read(REVISIONS).with_columns(day=daily.day_of(rules.zones))
    for rows in _slices(revised.join(days, on=daily.KEY, how="semi", maintain_order="left").drop("day")):
        yield documents.REVISIONS, documents.revisions(rows)
    if shared is not None:
        month = pl.col("day").dt.truncate("1mo").alias("month")
        for _, of_month in days.sort(daily.KEY).group_by("station_id", month, maintain_order=True):
            found = shared.between(documents.HOURLY, of_month["station_id"][0], *span(of_month))
            yield documents.DAILY, documents.daily(daily.compute(documents.hourly_frame(found), rules, of_month))
        return
    for rows in _days(work, days):
        yield documents.DAILY, documents.daily(rows)


def _hours(work: Job, days: pl.DataFrame, rules: Rules) -> Iterator[pl.DataFrame]:
    """The hours of days (`station_id`, `day`), judged, some at a time."""
    for portion in portions(hours_under(days)):
        for stretch in stretches(days.filter(portion.has())):
            yield from _slices(judged(hours_around(work.lake, stretch), stretch, rules))


def _days(work: Job, days: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows of the daily table of days (`station_id`, `day`), some at a time."""
    for (year,), of_year in days.group_by(pl.col("day").dt.year().alias("year"), maintain_order=True):
        for portion in portions(work.lake.count(DAILY, [str(year)])):
            of_portion = of_year.filter(portion.has())
            if not of_portion.is_empty():
                rows = work.lake.read(DAILY, [str(year)], portion.has())
                yield from _slices(rows.join(of_portion, on=daily.KEY, how="semi", maintain_order="left"))


def _slices(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Rows, so many at a time: as documents they take some kilobytes each. Where there are none, once none."""
    yield from rows.iter_slices(DOCUMENTS_AT_ONCE) if rows.height else [rows]
