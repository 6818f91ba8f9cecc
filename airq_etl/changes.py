"""What changed, and must still be computed or sent: days of stations, numbered in the ledger.

Each writing of hours has a number that grows with time. A day carries the number of the writing that last touched
it, and of the one that last changed it. The daily table has a position in these numbers, and so has every store:
what lies beyond it is still to be done.
"""

import sqlite3
import time
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from airq_etl.ledger import Ledger, remember

POSITION = "daily_position"


class Change(NamedTuple):
    """A station's day."""

    station_id: int
    day: date


def touch(db: sqlite3.Connection, days: Iterable[tuple[int, date, bool]]) -> None:
    """Record days (station, day, changed) as touched by one writing, and as changed where the flag says so."""
    (newest,) = db.execute("select coalesce(max(touched), 0) from changes").fetchone()
    # By the clock, so that what comes after a ledger was restored from a copy lies beyond every store's mark.
    number = max(newest + 1, time.time_ns() // 1000)
    db.executemany(
        "insert into changes values (?, ?, ?, ?) on conflict do update set touched = excluded.touched,"
        " changed = max(changed, excluded.changed)",
        ((station, day.isoformat(), number, number if changed else 0) for station, day, changed in days),
    )


def position(ledger: Ledger) -> int:
    """The number of the newest writing whose days are in the daily table."""
    return int(ledger.meta(POSITION) or 0)


def remember_position(db: sqlite3.Connection, number: int) -> None:
    """Record that the daily table holds all days up to this writing."""
    remember(db, POSITION, str(number))


def touched_since_daily(ledger: Ledger) -> tuple[int, list[Change]]:
    """The number of the newest writing, and the days touched after the daily table was last written."""
    ((newest,),) = ledger.rows("select coalesce(max(touched), 0) from changes")
    return int(newest), _changes(ledger, "touched > ?", position(ledger))


def changed_since(ledger: Ledger, number: int) -> list[Change]:
    """The days that changed after a writing and are in the daily table."""
    return _changes(ledger, "changed > ? and changed <= ?", number, position(ledger))


def touched_since(ledger: Ledger, number: int) -> list[Change]:
    """The days touched, if only by an answer that confirmed them, after a writing, and in the daily table."""
    return _changes(ledger, "touched > ? and touched <= ?", number, position(ledger))


def last_days(ledger: Ledger) -> list[Change]:
    """The last day of each station that was ever touched: beyond it the tables hold none of its hours."""
    rows = ledger.rows("select station_id, max(day) from changes group by station_id")
    return [Change(station_id, date.fromisoformat(day)) for station_id, day in rows]


def _changes(ledger: Ledger, condition: str, *values: int) -> list[Change]:
    rows = ledger.rows(f"select station_id, day from changes where {condition} order by 1, 2", values)  # noqa: S608
    return [Change(station_id, date.fromisoformat(day)) for station_id, day in rows]
