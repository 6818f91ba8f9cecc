"""transform --rebuild: the tables once more, from the captures alone.

The new tables are built aside, answers in the order in which they were asked for, so that the revisions are the
canonical ones; then they replace the old files one by one. A mark in the ledger says that this goes on: a rebuild
that was interrupted is begun again by the next transform.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from airq_etl import captures
from airq_etl.capture import Answer
from airq_etl.changes import touch
from airq_etl.errors import DamagedError, UsageError
from airq_etl.lake import DAILY, HOURLY, REVISIONS, Lake
from airq_etl.ledger import mark_captures, remember
from airq_etl.pipeline.days import write_daily
from airq_etl.pipeline.job import Job, step
from airq_etl.pipeline.transform import counting, work_in

log = logging.getLogger(__name__)

REBUILDING = "rebuilding"


def is_unfinished(work: Job) -> bool:
    """Whether a rebuild was interrupted while it replaced files."""
    return work.ledger.meta(REBUILDING) == "yes"


def rebuild(work: Job, *, discard: bool) -> None:
    """Make hourly, daily and revisions again. UsageError where hours would be lost, unless `discard`."""
    with step(work, "transform") as counts:
        aside = Lake(work.lake.temporary / "rebuild")
        aside.open()
        paths = captures.files(work.lake)
        touched: list[tuple[int, date, bool]] = []
        work_in(work, aside, in_order(work.lake, paths), counting(work, touched.extend), mark=False)
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


def in_order(lake: Lake, paths: Sequence[Path]) -> Iterator[tuple[str, list[Answer]]]:
    """The answers of all captures, oldest request first, in portions that name their capture."""
    entries = sorted(
        (answer.requested_at, file, line)
        for file, path in enumerate(paths)
        for line, answer in enumerate(captures.read(path))
    )
    for file, portion in groupby(entries, key=itemgetter(1)):
        wanted = [line for _, _, line in portion]
        lines = {line: answer for line, answer in enumerate(captures.read(paths[file])) if line in set(wanted)}
        yield captures.name(lake, paths[file]), [lines[line] for line in wanted]


def _replace(work: Job, aside: Lake, touched: list[tuple[int, date, bool]]) -> None:
    with work.ledger.transaction() as db:
        remember(db, REBUILDING, "yes")
        touch(db, ((station_id, day, True) for station_id, day, _ in touched))
    for table in (HOURLY, REVISIONS):
        for part in aside.parts(table):
            work.lake.write(table, part, aside.read(table, [part]))
        for part in set(work.lake.parts(table)) - set(aside.parts(table)):
            work.lake.path(table, part).unlink()
    for part in work.lake.parts(DAILY):
        work.lake.path(DAILY, part).unlink()
    write_daily(work)


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
