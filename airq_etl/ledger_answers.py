"""Which hours backfills set out to ask for, and which they were answered for and not given.

`wanted` is written before anything is asked: without it the rows on both sides of a window that failed could be
taken for those of one answer. `not_given` is written when the answers are in the tables: they will not come by asking
again. What an hourly run asks for is not kept here.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from airq_etl.ledger_stations import text
from airq_etl.missing import Answered
from airq_etl.windows import KEPT, Hours

if TYPE_CHECKING:
    from airq_etl.ledger import Ledger


def want(db: sqlite3.Connection, hours: Mapping[int, Iterable[Hours]]) -> None:
    """Record hours of stations, in place of those that were wanted of each before."""
    for station_id, wanted_now in hours.items():
        db.execute("delete from wanted where station_id = ?", [station_id])
        rows = ([station_id, text(first), text(last)] for first, last in wanted_now)
        db.executemany("insert or ignore into wanted values (?, ?, ?)", rows)


def wanted(ledger: "Ledger") -> dict[int, list[Hours]]:
    """The hours of each station that a backfill set out to ask for and has not had a good answer for."""
    found: dict[int, list[Hours]] = defaultdict(list)
    for station_id, *ends in ledger.rows("select station_id, first, last from wanted order by 1, 2"):
        found[station_id].append(Hours(*map(datetime.fromisoformat, ends)))
    return found


def keep_not_given(db: sqlite3.Connection, hours: Iterable[tuple[int, Hours]], asked_at: datetime) -> None:
    """Record hours (of a station) that a good answer did not have; what the source no longer keeps is forgotten."""
    db.executemany(
        "insert or replace into not_given values (?, ?, ?, ?)",
        ([station_id, text(first), text(last), text(asked_at)] for station_id, (first, last) in hours),
    )
    for table in ("not_given", "wanted"):
        db.execute(f"delete from {table} where last < ?", [text(asked_at - KEPT)])  # noqa: S608


def answered(ledger: "Ledger") -> dict[int, list[Answered]]:
    """The hours of each station that a backfill was answered for and not given, and when it asked."""
    found: dict[int, list[Answered]] = defaultdict(list)
    for station_id, *times in ledger.rows("select station_id, first, last, asked_at from not_given order by 1, 2"):
        first, last, asked_at = map(datetime.fromisoformat, times)
        found[station_id].append(Answered(Hours(first, last), asked_at))
    return found
