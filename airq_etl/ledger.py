"""The ledger: which runs there were, which captures are worked in, what changed and must still be sent.

A small SQLite file. It holds no reading: were it lost, all captures would be worked in again, which changes
nothing, and a store would be sent everything once.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import polars as pl

from airq_etl import sqlite
from airq_etl.ledger_layout import ANSWER_TABLES, RUN_TABLES, UPGRADE
from airq_etl.ledger_stations import (
    POSITIONS,
    REJECTS,
    STATION_TABLES,
    keep_keys,
    keep_rejects,
    keep_station,
    positions,
    rejects,
    text,
)
from airq_etl.sanity.evidence import Position
from airq_etl.stations import Station

__all__ = ["FILE", "LAYOUT", "Ledger", "keep_keys", "keep_rejects", "keep_station", "mark_captures", "remember", "text"]

FILE = "ledger.db"
LAYOUT = 4
WAIT_FOR_A_WRITER_S = 10.0
REMEDY = "move it away and run `airq-etl transform`"

_TABLES = """
create table if not exists meta (key text primary key, value text not null);
insert or ignore into meta values ('lake_id', lower(hex(randomblob(8))));
create table if not exists captures (name text primary key, worked_in_at text not null);
create table if not exists changes (
    station_id integer, day text, touched integer not null, changed integer not null default 0,
    primary key (station_id, day)) without rowid;
create index if not exists changes_touched on changes (touched);
create index if not exists changes_changed on changes (changed);
create table if not exists notices (subject text primary key, told_at text not null) without rowid;
"""


class Ledger:
    """The open ledger; a context manager. StoreError where it cannot be written, DamagedError where it is not one."""

    def __init__(self, root: Path) -> None:
        self.path = root / FILE
        self._db = sqlite.connect(
            self.path,
            LAYOUT,
            _TABLES + RUN_TABLES + STATION_TABLES + ANSWER_TABLES,
            wait_s=WAIT_FOR_A_WRITER_S,
            remedy=REMEDY,
            upgrade=UPGRADE,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that the block writes, or nothing."""
        with sqlite.translated(self.path, REMEDY):
            self._db.execute("begin immediate")
            try:
                yield self._db
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """What a query gives."""
        with sqlite.translated(self.path, REMEDY):
            return self._db.execute(query, values).fetchall()

    def is_news(self, subject: str, now: datetime) -> bool:
        """Whether a subject was not told for a day; it then counts as told."""
        rows = self.rows("select told_at from notices where subject = ?", [subject])
        if rows and timedelta(0) <= now - datetime.fromisoformat(rows[0][0]) < timedelta(days=1):
            return False
        with self.transaction() as db:
            db.execute("insert or replace into notices values (?, ?)", [subject, text(now)])
        return True

    def know_its_place(self) -> None:
        """Take a new identity where this file is a copy of the one that got it.

        Two data directories of one identity would take each other's mark in a shared store for their own.
        """
        place = str(self.path.stat().st_ino)
        if self.meta("place") == place:
            return
        with self.transaction() as db:
            if self.meta("place") is not None:
                remember(db, "lake_id", secrets.token_hex(8))
            remember(db, "place", place)

    # -- captures, stations, rejects -----------------------------------------------------------------------

    def worked_in(self) -> set[str]:
        """The names of the captures that are in the tables."""
        return {name for (name,) in self.rows("select name from captures")}

    def stations(self) -> dict[int, Station]:
        """What the API said of each station, in its newest answer."""
        rows = self.rows("select station_id, name, latitude, longitude from stations where requested_at is not null")
        return {row[0]: Station(name=row[1], latitude=row[2], longitude=row[3]) for row in rows}

    def swept_at(self) -> dict[int, datetime]:
        """When the whole year was last asked of each station."""
        rows = self.rows("select station_id, swept_at from stations where swept_at is not null")
        return {station_id: datetime.fromisoformat(when) for station_id, when in rows}

    def rules(self) -> dict[int, str]:
        """By which rule (zone, hours of a valid mean) each station's daily rows were computed."""
        return dict(self.rows("select station_id, rule from stations where rule is not null"))

    def keys_seen(self, station_id: int) -> dict[str, datetime]:
        """The newest hour (UTC) for which each key was given."""
        rows = self.rows("select key, seen_at from station_keys where station_id = ?", [station_id])
        return {key: datetime.fromisoformat(when) for key, when in rows}

    def positions(self) -> tuple[Position, ...]:
        """Where the API has said that stations are, each place with when it first and last did."""
        return positions(self.rows(POSITIONS))

    def rejects(self) -> pl.DataFrame:
        """The rows set aside: capture, station_id, requested_at, position, key, reason, row."""
        return rejects(self.rows(REJECTS))

    # -- what else is remembered ---------------------------------------------------------------------------

    @property
    def lake_id(self) -> str:
        """Which data directory this is, for the mark that a store keeps."""
        return str(self.rows("select value from meta where key = 'lake_id'")[0][0])

    def meta(self, key: str) -> str | None:
        """A remembered value."""
        rows = self.rows("select value from meta where key = ?", [key])
        return str(rows[0][0]) if rows else None


def mark_captures(db: sqlite3.Connection, names: Iterable[str], now: datetime) -> None:
    """Record captures as worked in."""
    db.executemany("insert or ignore into captures values (?, ?)", ((name, text(now)) for name in names))


def remember(db: sqlite3.Connection, key: str, value: str) -> None:
    """Keep a value under a key."""
    db.execute("insert or replace into meta values (?, ?)", [key, value])
