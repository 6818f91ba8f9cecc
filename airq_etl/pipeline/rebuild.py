"""transform --rebuild: the tables once more, from the captures alone.

The new tables are built aside, answers in the order in which they were asked for, so that the revisions are the
canonical ones; then they replace the old files one by one. A mark in the ledger says that this goes on: a rebuild
that was interrupted is begun again by the next transform.
"""

import logging
import shutil
from collections.abc import Iterator
from datetime import date, datetime
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from airq_etl import captures
from airq_etl.capture import Answer
from airq_etl.changes import touch
from airq_etl.errors import DamagedError, UsageError
from airq_etl.lake import DAILY, HOURLY, REVISIONS, Lake
from airq_etl.ledger import mark_captures, remember
from airq_etl.pipeline.days import write_daily
from airq_etl.pipeline.job import Job
from airq_etl.pipeline.recording import step
from airq_etl.pipeline.signals import unbounded
from airq_etl.pipeline.transform import counting, work_in

log = logging.getLogger(__name__)

REBUILDING = "rebuilding"


class Entry(NamedTuple):
    """Where an answer lies: in which capture, at which line."""

    requested_at: datetime
    path: Path
    line: int


def is_unfinished(work: Job) -> bool:
    """Whether a rebuild was interrupted while it replaced files."""
    return work.ledger.meta(REBUILDING) == "yes"


def rebuild(work: Job, *, discard: bool) -> None:
    """Make hourly, daily and revisions again. UsageError where hours would be lost, unless `discard`."""
    unbounded()
    with step(work, "transform") as counts:
        aside = Lake(work.lake.temporary / "rebuild")
        aside.open()
        entries, paths = _index(work)
        touched: list[tuple[int, date, bool]] = []
        work_in(work, aside, in_order(work.lake, entries), counting(work, touched.extend), mark=False)
        lost = _lost(work.lake, aside)
        if lost and not discard and not is_unfinished(work):
            raise UsageError(
                f"{lost} hours of the tables are in no capture and would be lost; nothing was replaced "
                "(--discard replaces the tables all the same)"
            )
        _replace(work, aside, touched)
        with work.ledger.transaction() as db:
            mark_captures(db, (captures.name(work.lake, path) for path in paths), work.now)
            remember(db, REBUILDING, "no")
        counts["captures"] = len(paths)


def _index(work: Job) -> tuple[list[Entry], list[Path]]:
    """The answers of all captures, and the captures; a damaged one is noted, and left out."""
    entries: list[Entry] = []
    paths = []
    for path in captures.files(work.lake):
        try:
            entries += [Entry(answer.requested_at, path, line) for line, answer in enumerate(captures.read(path))]
            paths.append(path)
        except DamagedError as error:
            work.fail(error)
    return entries, paths


def in_order(lake: Lake, entries: list[Entry]) -> Iterator[tuple[str, Iterator[Answer]]]:
    """The answers, oldest request first, in portions of one capture each."""
    for path, portion in groupby(sorted(entries), key=attrgetter("path")):
        wanted = {entry.line for entry in portion}
        answers = islice(enumerate(captures.read(path)), max(wanted) + 1)
        yield captures.name(lake, path), (answer for line, answer in answers if line in wanted)


def _replace(work: Job, aside: Lake, touched: list[tuple[int, date, bool]]) -> None:
    days = {(station_id, day) for station_id, day, _ in touched}
    for part in work.lake.parts(DAILY):
        try:
            days |= set(work.lake.read(DAILY, [part]).select(DAILY.key).iter_rows())
        except DamagedError:
            work.lake.path(DAILY, part).unlink()
    with work.ledger.transaction() as db:
        remember(db, REBUILDING, "yes")
        touch(db, ((station_id, day, True) for station_id, day in days))
    for table in (HOURLY, REVISIONS):
        for part in aside.parts(table):
            work.lake.write(table, part, aside.read(table, [part]))
        for part in set(work.lake.parts(table)) - set(aside.parts(table)):
            work.lake.path(table, part).unlink()
    write_daily(work)
    shutil.rmtree(aside.root)


def _lost(lake: Lake, aside: Lake) -> int:
    lost = 0
    for part in lake.parts(HOURLY):
        try:
            old = lake.read(HOURLY, [part])
        except DamagedError as error:
            log.warning("%s", error)
            continue
        lost += old.join(aside.read(HOURLY, [part]), on=HOURLY.key, how="anti").height
    return lost
