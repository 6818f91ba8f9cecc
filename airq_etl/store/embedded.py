"""The embedded store: one SQLite file that needs no server and that anything can read while it is written.

A collection is a table, a field a column. Times are text in UTC (`2024-09-09 10:00:00`; a day `2024-09-09`),
booleans 0 or 1. A load is one transaction: a reader sees all of it or none.
"""

from collections.abc import Collection as Some
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from airq_etl import sqlite
from airq_etl.documents import COLLECTIONS, LAYOUT, META, Collection, Document, schema
from airq_etl.store import Batch, Mark, column, mark_id, mark_of

REMEDY = "move it away, and the next load makes it again"
WAIT_FOR_A_WRITER_S = 10.0
FRAME_AT_ONCE = 20_000
_TYPES = {str: "text", int: "integer", float: "real", bool: "integer", datetime: "text"}


class EmbeddedStore:
    """The documents in one SQLite file, in write-ahead mode, synced at each load.

    While somebody else writes to the file it waits for `wait_s` seconds, then StoreError.
    """

    def __init__(self, path: Path, *, wait_s: float = WAIT_FOR_A_WRITER_S) -> None:
        self._path = path
        self.name = f"embedded store {path}"
        script = "".join(_definition(collection) for collection in COLLECTIONS)
        self._db = sqlite.connect(path, LAYOUT, script, wait_s=wait_s, remedy=REMEDY)
        with sqlite.translated(path, REMEDY):
            for collection in COLLECTIONS:
                self._add_missing(collection)

    def mark(self, lake_id: str) -> Mark:
        """See `Store`; the file lies in the data directory, so others never share it."""
        return mark_of(self.read(META), lake_id, self.name)._replace(shares=False)

    def save(
        self,
        batches: Iterable[Batch],
        lake_id: str,
        position: int,
        *,
        exact: bool = False,
        shares: bool = False,  # noqa: ARG002 -- see `mark`
    ) -> dict[str, int]:
        """See `Store`."""
        written: dict[str, int] = {}
        with sqlite.translated(self._path, REMEDY):
            self._db.execute("begin immediate")
            try:
                for collection, documents in batches:
                    before = self._db.total_changes
                    self._upsert(collection, documents, exact=exact)
                    written[collection.name] = written.get(collection.name, 0) + self._db.total_changes - before
                self._upsert(META, [{"_id": mark_id(lake_id), "position": position, "layout": LAYOUT}])
                self._db.execute("commit")
            finally:
                if self._db.in_transaction:
                    self._db.execute("rollback")
        return written

    def put(self, collection: Collection, documents: list[Document]) -> int:
        """See `Store`."""
        with sqlite.translated(self._path, REMEDY):
            self._db.execute("begin immediate")
            try:
                before = self._db.total_changes
                self._upsert(collection, documents, exact=True)
                self._db.execute("commit")
                return self._db.total_changes - before
            finally:
                if self._db.in_transaction:
                    self._db.execute("rollback")

    def remove(self, collection: Collection, ids: Sequence[str]) -> None:
        """See `Store`."""
        with sqlite.translated(self._path, REMEDY):
            self._db.execute("begin immediate")
            self._db.executemany(f"delete from {collection.name} where _id = ?", ([id_] for id_ in ids))  # noqa: S608
            self._db.execute("commit")

    def read(self, collection: Collection, station_id: int | None = None) -> Iterator[Document]:
        """See `Store`."""
        where, values = ("true", []) if station_id is None else ("station_id = ?", [station_id])
        return self._select(collection, f"{where} order by _id", values)

    def between(self, collection: Collection, station_id: int, first: datetime, last: datetime) -> Iterator[Document]:
        """See `Store`."""
        times = [_text(str(collection.time), time) for time in (first, last)]
        where = f"station_id = ? and {collection.time} >= ? and {collection.time} < ?"
        return self._select(collection, where, [station_id, *times])

    def frame(
        self,
        collection: Collection,
        first: datetime | None = None,
        last: datetime | None = None,
        fields: Sequence[str] | None = None,
        stations: Some[int] | None = None,
    ) -> pl.DataFrame:
        """See `Store`."""
        wanted = schema(collection, fields)
        bounds = {"{} >= ?": first, "{} < ?": last}
        given = {text: time for text, time in bounds.items() if time is not None}
        only = [] if stations is None else [f"station_id in ({', '.join(map(str, map(int, stations)))})"]
        where = " and ".join([*(text.format(collection.time) for text in given), *only]) or "true"
        times = [_text(str(collection.time), time) for time in given.values()]
        query = f"select {', '.join(wanted)} from {collection.name} where {where}"  # noqa: S608
        frames = [pl.DataFrame(schema=wanted)]
        with sqlite.translated(self._path, REMEDY):
            found = self._db.execute(query, times)
            # Some at a time: as Python's objects they take ten times the memory.
            while rows := found.fetchmany(FRAME_AT_ONCE):
                frames.append(_frame(wanted, rows))
        return pl.concat(frames)

    def stations(self, collection: Collection) -> frozenset[int]:
        """See `Store`."""
        # From one to the next by the index; `select distinct` would walk all of it.
        following = f"select min(station_id) from {collection.name}"  # noqa: S608
        query = (
            f"with recursive found(id) as ({following} union all select ({following} where station_id > id)"  # noqa: S608
            " from found where id is not null) select id from found"
        )
        with sqlite.translated(self._path, REMEDY):
            return frozenset(id_ for (id_,) in self._db.execute(query) if isinstance(id_, int))

    def close(self) -> None:
        """See `Store`."""
        self._db.close()

    def _select(self, collection: Collection, where: str, values: list[Any]) -> Iterator[Document]:
        query = f"select {', '.join(collection.fields)} from {collection.name} where {where}"  # noqa: S608
        with sqlite.translated(self._path, REMEDY):
            for row in self._db.execute(query, values):
                yield _document(collection, row)

    def _add_missing(self, collection: Collection) -> None:
        """Make a table that an older version did not have, or give one that it made the fields that it lacks."""
        there = {row[1] for row in self._db.execute(f"pragma table_info({collection.name})")}
        if not there:
            self._db.executescript(_definition(collection))
            return
        for name, kind in collection.fields.items():
            if name not in there:
                self._db.execute(f"alter table {collection.name} add column {name} {_TYPES[kind]}")

    def _upsert(self, collection: Collection, documents: list[Document], *, exact: bool = False) -> None:
        names = list(collection.fields)
        values = [name for name in names if name != "_id"]
        changes = ", ".join(f"{name} = excluded.{name}" for name in values)
        compared = [name for name in values if exact or name != collection.newness]
        differs = " or ".join(f"{collection.name}.{name} is not excluded.{name}" for name in compared)
        if collection.newness is not None:
            there = f"{collection.name}.{collection.newness}"
            differs = f"{there} is null or (({differs}) and excluded.{collection.newness} >= {there})"
        self._db.executemany(
            f"insert into {collection.name} ({', '.join(names)}) values ({', '.join('?' * len(names))})"  # noqa: S608
            f" on conflict (_id) do update set {changes} where {differs}",
            _rows(collection, documents),
        )


def _definition(collection: Collection) -> str:
    columns = ", ".join(
        f"{name} {_TYPES[kind]}{' primary key' if name == '_id' else ''}" for name, kind in collection.fields.items()
    )
    table = f"create table if not exists {collection.name} ({columns}) without rowid;"
    if collection.time is None:
        return table
    index = f"{collection.name}_station_{collection.time}"
    return f"{table} create index if not exists {index} on {collection.name} (station_id, {collection.time});"


def _rows(collection: Collection, documents: list[Document]) -> Iterator[list[Any]]:
    """The values of documents as SQLite has them."""
    names = list(collection.fields)
    times = [(at, name) for at, (name, kind) in enumerate(collection.fields.items()) if kind is datetime]
    for document in documents:
        row: list[Any] = [*map(document.get, names)]
        for at, name in times:
            if row[at] is not None:
                row[at] = _text(name, row[at])
        yield row


def _text(name: str, time: datetime) -> str:
    """A time, which is UTC, as text; one that is named `day` is a date."""
    if name == "day":
        return time.isoformat()[:10]
    return time.isoformat(" ", "milliseconds")[:23] if time.microsecond else time.isoformat(" ", "seconds")[:19]


def _frame(wanted: dict[str, pl.DataType], rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    # By columns: a dict for each of a year's hours would take ten times as long.
    columns = zip(wanted.items(), zip(*rows, strict=True), strict=True)
    return pl.DataFrame([_column(name, kind, values) for (name, kind), values in columns])


def _column(name: str, kind: pl.DataType, values: tuple[Any, ...]) -> pl.Series:
    """Values as SQLite has them, as a column of the type that they stand for."""
    if kind == pl.Boolean:
        return column(name, pl.Int64(), values).cast(pl.Boolean)
    if kind == pl.Datetime:
        form = "%Y-%m-%d" if name == "day" else "%Y-%m-%d %H:%M:%S%.f"
        texts = column(name, pl.String(), values).str
        return texts.to_datetime(form, time_unit="us", strict=False).dt.replace_time_zone("UTC")
    return column(name, kind, values)


def _document(collection: Collection, row: tuple[Any, ...]) -> Document:
    document = {name: _typed(kind, value) for (name, kind), value in zip(collection.fields.items(), row, strict=True)}
    for name in [n for n, deciding in collection.optional.items() if document[deciding] is None]:
        del document[name]
    return document


def _typed(kind: type, value: Any) -> Any:  # noqa: ANN401 -- as above
    if value is None:
        return None
    if kind is datetime:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return kind(value)
