"""What the ledger keeps of the answers about a station: its name, where it is said to be, its keys, rows set aside."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from airq_etl.payload import Rejected
from airq_etl.sanity.evidence import Position
from airq_etl.stations import Station

MOST_REJECTS_KEPT = 1000
DECIMALS = 3  # of a degree, 110 m: a receiver that jitters gives no new place with every answer

STATION_TABLES = """
create table if not exists stations (
    station_id integer primary key, name text, latitude real, longitude real, requested_at text,
    swept_at text, rule text);
create table if not exists station_keys (
    station_id integer, key text, seen_at text not null, primary key (station_id, key)) without rowid;
create table if not exists positions (
    station_id integer, latitude real, longitude real, first text not null, last text not null,
    primary key (station_id, latitude, longitude)) without rowid;
insert or ignore into positions
    select station_id, round(latitude, 3), round(longitude, 3), requested_at, requested_at from stations
    where latitude is not null and longitude is not null and requested_at is not null;
create table if not exists rejects (
    capture text, station_id integer, requested_at text, position integer, key text, reason text, row text,
    primary key (capture, station_id, requested_at, position)) without rowid;
"""
POSITIONS = "select station_id, latitude, longitude, first, last from positions order by station_id, first, last"
_REJECT = ("station_id", "requested_at", "capture", "position", "key", "reason", "row")
REJECTS = f"select {', '.join(_REJECT)} from rejects order by requested_at, station_id, position"  # noqa: S608


def keep_station(db: sqlite3.Connection, station_id: int, station: Station, requested_at: datetime) -> None:
    """Record what an answer says of a station, unless a newer one has spoken; where it says it is, in any case."""
    db.execute(
        "insert into stations (station_id, name, latitude, longitude, requested_at) values (?, ?, ?, ?, ?)"
        " on conflict do update set name = excluded.name, latitude = excluded.latitude,"
        " longitude = excluded.longitude, requested_at = excluded.requested_at"
        " where stations.requested_at is null or excluded.requested_at >= stations.requested_at",
        [station_id, station.name, station.latitude, station.longitude, text(requested_at)],
    )
    if station.latitude is not None and station.longitude is not None:
        place = round(station.latitude, DECIMALS), round(station.longitude, DECIMALS)
        db.execute(
            "insert into positions values (?1, ?2, ?3, ?4, ?4) on conflict do update set"
            " first = min(first, excluded.first), last = max(last, excluded.last)",
            [station_id, *place, text(requested_at)],
        )


def keep_keys(db: sqlite3.Connection, seen: Mapping[tuple[int, str], datetime]) -> None:
    """Record the newest hours for which keys (station, key) were given."""
    db.executemany(
        "insert into station_keys values (?, ?, ?) on conflict do update set seen_at = max(seen_at, excluded.seen_at)",
        ((station_id, key, text(when)) for (station_id, key), when in seen.items()),
    )


def keep_rejects(
    db: sqlite3.Connection, capture: str, station_id: int, requested_at: datetime, rejected: Sequence[Rejected]
) -> None:
    """Record the rows of one answer that were set aside (the first thousand; all are counted)."""
    db.executemany(
        "insert or replace into rejects values (?, ?, ?, ?, ?, ?, ?)",
        (
            [capture, station_id, text(requested_at), bad.position, bad.key, bad.reason, bad.row]
            for bad in rejected[:MOST_REJECTS_KEPT]
        ),
    )


def positions(rows: Iterable[Any]) -> tuple[Position, ...]:
    """What POSITIONS gives."""
    times = datetime.fromisoformat
    return tuple(
        Position(station_id, latitude, longitude, times(first), times(last))
        for station_id, latitude, longitude, first, last in rows
    )


def rejects(rows: Sequence[Any]) -> pl.DataFrame:
    """What REJECTS gives."""
    kinds = {name: pl.Int64 if name in {"station_id", "position"} else pl.String for name in _REJECT}
    frame = pl.DataFrame(rows, schema=kinds, orient="row")
    return frame.with_columns(pl.col("requested_at").str.to_datetime(time_unit="us", time_zone="UTC"))


def text(time: datetime | None) -> str | None:
    """A time as the ledger writes it: ISO 8601 in UTC."""
    return None if time is None else time.astimezone(UTC).isoformat()
