"""transform: pending captures into the hourly tables, then the daily tables of the days they touch.

Safe to interrupt anywhere. For each month the revisions are written first, then the ledger learns which days
are touched, then the hourly file is replaced; a capture counts as worked in after its last month. Days are
recomputed from what the ledger says was touched, so those of an interrupted run are made up for by the next.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import polars as pl

from airq_etl import captures, daily, hourly, payload
from airq_etl.capture import Answer
from airq_etl.changes import Change, last_days, touch
from airq_etl.errors import DamagedError, SourceError
from airq_etl.lake import Lake
from airq_etl.ledger import keep_rejects, keep_station, mark_captures
from airq_etl.payload import Rejected
from airq_etl.pipeline.days import touch_all_days, touch_days, touch_where_the_rule_changed, write_daily
from airq_etl.pipeline.job import Job
from airq_etl.pipeline.keys import Keys
from airq_etl.pipeline.merging import ROWS_GATHERED, Gathered
from airq_etl.pipeline.recording import step
from airq_etl.pipeline.stretches import frame_of
from airq_etl.sanity.wording import many
from airq_etl.stations import Station
from airq_etl.windows import Days

log = logging.getLogger(__name__)

BYTES_AT_ONCE = 32 << 20


class Work(NamedTuple):
    """Answers decoded, to be merged together: `rows` of the hourly table, and what else they hold."""

    rows: list[pl.DataFrame]
    stations: list[tuple[int, Station, datetime]]
    rejects: list[tuple[str, int, datetime, list[Rejected]]]
    captures: list[str]


def transform(work: Job, stations: Sequence[int], days: Days | None, tried: Collection[str] = ()) -> None:
    """Work pending captures in, but for those `tried` before; with `days`, compute these (of `stations`) anew as well.

    Where a rule changed all days of its stations are computed anew; with `days` these alone.
    """
    with step(work, "transform") as counts:
        worked_in = work_in_pending(work, tried)
        if days is None:
            touch_where_the_rule_changed(work)
        else:
            touch_days(work, stations, days)
        write_daily(work, some_days=days is not None)
        counts["captures"] = len({*worked_in, *tried})


def work_in_pending(work: Job, tried: Collection[str] = ()) -> list[str]:
    """Work into the hourly tables what waits, but for the captures `tried` before; the names of the captures."""
    if not work.ledger.worked_in():
        # A new ledger: what the tables hold already is to be computed, and sent, once more.
        touch_all_days(work)
    pending = {name: path for name, path in waiting(work).items() if name not in tried}
    sources = ((name, captures.read(path)) for name, path in pending.items())
    work_in(work, work.lake, sources, counting(work, _touch(work)))
    return list(pending)


def waiting(work: Job) -> dict[str, Path]:
    """The captures that are not worked in, oldest first."""
    done = work.ledger.worked_in()
    named = {captures.name(work.lake, path): path for path in captures.files(work.lake)}
    return {name: path for name, path in named.items() if name not in done}


def work_in(
    work: Job,
    lake: Lake,
    sources: Iterable[tuple[str, Iterable[Answer]]],
    touched: Callable[[pl.DataFrame], None],
    *,
    mark: bool = True,
) -> None:
    """Merge the answers of captures into the hourly tables of `lake`, decoded some megabytes at a time.

    `touched` is told the outcome (see `hourly.Merged`) of each month before its file is replaced. The captures
    are marked as worked in, unless `mark` says that the caller does so.
    """
    keys, gathered, noted = Keys(), Gathered(lake), list[Work]()
    try:
        for batch in _batches(work, sources, keys):
            gathered.add(hourly.combine(batch.rows))
            noted.append(batch._replace(rows=[]))
            if gathered.rows > ROWS_GATHERED:
                gathered.merge(touched)
                _note(work, noted, mark=mark)
        gathered.merge(touched)
        _note(work, noted, mark=mark)
    finally:
        gathered.discard()
    keys.conclude(work)


def _note(work: Job, noted: list[Work], *, mark: bool) -> None:
    """Record in the ledger what was merged, and forget it."""
    with work.ledger.transaction() as db:
        for batch in noted:
            for station_id, station, requested_at in batch.stations:
                keep_station(db, station_id, station, requested_at)
            for reject in batch.rejects:
                keep_rejects(db, *reject)
            if mark:
                mark_captures(db, batch.captures, work.now)
    noted.clear()


def _batches(work: Job, sources: Iterable[tuple[str, Iterable[Answer]]], keys: Keys) -> Iterator[Work]:
    batch, size = Work([], [], [], []), 0
    for name, answers in sources:
        try:
            for answer in answers:
                _decode(work, name, answer, batch, keys)
                size += len(answer.body)
                if size > BYTES_AT_ONCE:
                    yield batch
                    batch, size = Work([], [], [], []), 0
        except DamagedError as error:
            work.fail(error)
            continue
        batch.captures.append(name)
    yield batch


def _decode(work: Job, name: str, answer: Answer, batch: Work, keys: Keys) -> None:
    if answer.status != HTTPStatus.OK:
        return
    try:
        decoded = payload.decode(answer.body)
    except SourceError as error:
        log.debug("station %s, asked at %s: %s", answer.station_id, answer.requested_at, error)
        return
    except Exception as error:
        # One answer that nobody foresaw must not keep all others from being worked in, in this run and the next.
        what = f"{type(error).__name__}: {error}"
        raise DamagedError(f"the answer of station {answer.station_id} in {name} cannot be decoded: {what}") from error
    parsed = hourly.parse(decoded, answer.station_id, answer.requested_at)
    station = work.result.station(answer.station_id)
    station.rows_rejected += len(parsed.rejected)
    station.rows_duplicate += parsed.duplicates
    station.rows_read += parsed.rows.height
    lacking = (column.null_count() for column in parsed.rows.get_columns())
    station.values_missing += sum(count for count in lacking if count < parsed.rows.height)
    header = decoded.header
    said = Station(name=header.station_name, latitude=header.station_lat, longitude=header.station_lon)
    batch.rows.append(parsed.rows)
    batch.stations.append((answer.station_id, said, answer.requested_at))
    if parsed.rejected:
        batch.rejects.append((name, answer.station_id, answer.requested_at, parsed.rejected))
        first = parsed.rejected[0]
        log.warning(
            "station %s: %s set aside, the first is data[%d]%s: %s (see `airq-etl export rejects`)",
            answer.station_id,
            many(len(parsed.rejected), "row"),
            first.position,
            f".{first.key}" if first.key else "",
            first.reason,
        )
    keys.note(answer.station_id, decoded, parsed.rows)


def _touch(work: Job) -> Callable[[list[tuple[int, date, bool]]], None]:
    def touched(days: list[tuple[int, date, bool]]) -> None:
        with work.ledger.transaction() as db:
            touch(db, days)

    return touched


def counting(work: Job, touched: Callable[[list[tuple[int, date, bool]]], None]) -> Callable[[pl.DataFrame], None]:
    """Counts outcomes into the result, and hands on the days that they touch."""
    counted: set[tuple[int, date]] = set()

    def count(outcome: pl.DataFrame) -> None:
        _count_hours(work, outcome)
        days = daily.touched_days(outcome, work.zones(outcome["station_id"].unique()))
        touched([*days.iter_rows(), *_influenced(days, last_days(work.ledger))])
        for station_id, day, changed in days.iter_rows():
            if changed and (station_id, day) not in counted:
                counted.add((station_id, day))
                work.result.station(station_id).days_changed += 1

    return count


def _influenced(days: pl.DataFrame, known: list[Change]) -> Iterator[tuple[int, date, bool]]:
    """The days whose flags may change with the changed ones among `days`, up to the last that is `known` of."""
    there = frame_of(known)
    last = pl.concat([there, days.select(there.columns)]).group_by("station_id").agg(pl.col("day").max())
    influenced = daily.influenced_days(days.filter("changed"), last)
    return ((station_id, day, True) for station_id, day in influenced.iter_rows())


def _count_hours(work: Job, outcome: pl.DataFrame) -> None:
    for station_id, what, hours in outcome.group_by("station_id", "outcome").len().iter_rows():
        if what != "confirmed":
            station = work.result.station(station_id)
            setattr(station, f"hours_{what}", getattr(station, f"hours_{what}") + hours)
