"""Forecasts into the store: those made, or observed, since it was last sent some.

How far it was sent them stands in the store itself, beside the mark of the load: the newest `updated_at`, in
microseconds. It moves last, so what an interrupted run did not send is sent by the next, and a store that is new
or was restored from a copy catches up.
"""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import polars as pl

from airq_etl import documents
from airq_etl.documents import LAYOUT, META
from airq_etl.errors import StoreError
from airq_etl.forecast import table
from airq_etl.lake import FORECASTS, Lake
from airq_etl.pipeline.job import Job
from airq_etl.pipeline.load import open_store
from airq_etl.store import Store, mark_of

MARKS = "forecasts:"
AT_ONCE = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LONGEST_RUN = timedelta(days=1)


def send(work: Job, *, full: bool = False) -> tuple[dict[str, int], str | None]:
    """Bring the store up to the table of forecasts; what was written by collection, and the store's name.

    Nothing where there are no forecasts, or where the load of this run did not reach the store.
    """
    if not work.lake.parts(FORECASTS) or _is_out_of_reach(work):
        return {}, None
    with closing(open_store(work.settings, work.lake, work.seconds_left())) as store:
        mark = None if full else _mark(store, work.ledger.lake_id)
        rows = _waiting(work.lake, mark, work.now)
        pieces = (documents.forecasts(piece) for piece in rows.iter_slices(AT_ONCE))
        written = sum(store.put(documents.FORECASTS, piece) for piece in pieces)
        _move_mark(store, work, rows)
        work.result.store = store.name
    return {documents.FORECASTS.name: written}, store.name


def _is_out_of_reach(work: Job) -> bool:
    """Whether this run tried the store already, in vain."""
    failed = any(problem.exit_code == StoreError.exit_code for problem in work.result.problems)
    return failed and work.result.store is None


def _mark(store: Store, lake_id: str) -> datetime | None:
    """Up to which `updated_at` it was sent forecasts; None where that is not known."""
    found = list(store.read(META))
    mark_of(found, lake_id, store.name)  # refuses a store that a newer version loaded
    mine = next((document for document in found if document["_id"] == f"{MARKS}{lake_id}"), {})
    position = mine.get("position")
    if mine.get("layout") != LAYOUT or not isinstance(position, int):
        return None
    return EPOCH + position * MICROSECOND


def _waiting(lake: Lake, mark: datetime | None, now: datetime) -> pl.DataFrame:
    """The rows that a store with this mark may not have; all where that cannot be known.

    Those at the mark are among them: with `--now` two runs are of one moment. A mark in the future is of a replay, or
    of a clock that was put right; one beyond all rows says that the table is a restored copy.
    """
    if mark is not None and mark <= now:
        first = f"{mark - table.REACH - LONGEST_RUN:%Y-%m}"
        parts = [part for part in lake.parts(FORECASTS) if part >= first]
        rows = lake.read(FORECASTS, parts, pl.col("updated_at") >= mark)
        if not rows.is_empty():
            return rows
    return lake.read(FORECASTS)


def _move_mark(store: Store, work: Job, rows: pl.DataFrame) -> None:
    newest = rows["updated_at"].max()
    if isinstance(newest, datetime):
        position = (min(newest, work.now) - EPOCH) // MICROSECOND
        mark = {"_id": f"{MARKS}{work.ledger.lake_id}", "position": position, "layout": LAYOUT}
        store.put(META, [mark])
