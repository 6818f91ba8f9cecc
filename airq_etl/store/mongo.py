"""MongoDB, and what speaks its protocol: only operations that MongoDB 5, Atlas, DocumentDB and FerretDB share.

Plain collections, since a time-series collection refuses to replace a document and hours are revised. What is
there is read by `_id` first and only what is new or differs is sent, so a load that finds nothing new writes
nothing. Hours go before days, and the mark goes last. A replacement is conditional: what another data directory
wrote in the meantime stays where it is newer.
"""

import time
from collections.abc import Collection as Some
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

import polars as pl
import pymongo
import pymongo.collection
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.errors import BulkWriteError, DuplicateKeyError, InvalidName, OperationFailure, PyMongoError

from airq_etl.documents import COLLECTIONS, LAYOUT, META, Collection, Document, schema
from airq_etl.errors import StoreError, UsageError
from airq_etl.store import Batch, Mark, column, hosts, mark_id, mark_of
from airq_etl.store.mongo_client import client_of

DEFAULT_DATABASE = "air_quality"
READ_AT_ONCE = 1000
FRAME_AT_ONCE = 20_000
# FerretDB 1.x on SQLite holds a connection of a hundred for each replacement of one command.
REPLACE_AT_ONCE = 50
DUPLICATE_KEY = 11000
# Zone-less, since a zone for each of a million times takes long; what another program wrote must not end the reading.
_READ_FOR_FRAMES: "CodecOptions[Document]" = CodecOptions(
    tz_aware=False, datetime_conversion=DatetimeConversion.DATETIME_CLAMP, unicode_decode_error_handler="replace"
)
FAREWELL_S = 1.0


class MongoStore:
    """The documents in a MongoDB database; `limit_s` seconds from now nothing more is begun."""

    def __init__(self, uri: str, database: str | None, limit_s: float) -> None:
        self._client = client_of(uri, limit_s)
        try:
            name = database or self._client.get_default_database(DEFAULT_DATABASE).name
            self._database = self._client.get_database(name)
        except InvalidName as error:
            self._client.close()
            raise UsageError(f"AIRQ_MONGODB_DATABASE: MongoDB allows no database named {database!r}") from error
        self._deadline = time.monotonic() + limit_s
        self.name = f"MongoDB database {name} on {hosts(uri)}"

    def mark(self, lake_id: str) -> Mark:
        """See `Store`."""
        return mark_of(self.read(META), lake_id, self.name)

    def save(
        self, batches: Iterable[Batch], lake_id: str, position: int, *, exact: bool = False, shares: bool = False
    ) -> dict[str, int]:
        """See `Store`."""
        written: dict[str, int] = {}
        with self._translated():
            for collection in (kind for kind in COLLECTIONS if kind.time is not None):
                self._database[collection.name].create_index([("station_id", 1), (str(collection.time), 1)])
            empty = self._empty() if self._leaves_a_mark(lake_id) else set()
            for collection, documents in batches:
                chunks, new = _chunks(documents, READ_AT_ONCE), collection.name in empty
                sent = sum(self._write(collection, chunk, exact=exact, shares=shares, new=new) for chunk in chunks)
                written[collection.name] = written.get(collection.name, 0) + sent
            self._write(META, [{"_id": mark_id(lake_id), "position": position, "layout": LAYOUT}])
        return written

    def put(self, collection: Collection, documents: list[Document]) -> int:
        """See `Store`."""
        with self._translated():
            return self._write(collection, documents, exact=True)

    def remove(self, collection: Collection, ids: Sequence[str]) -> None:
        """See `Store`."""
        with self._translated():
            self._database[collection.name].delete_many({"_id": {"$in": list(ids)}})

    def read(self, collection: Collection, station_id: int | None = None) -> Iterator[Document]:
        """See `Store`."""
        wanted = {} if station_id is None else {"station_id": station_id}
        with self._translated():
            yield from self._database[collection.name].find(wanted).sort("_id", 1)

    def between(self, collection: Collection, station_id: int, first: datetime, last: datetime) -> Iterator[Document]:
        """See `Store`."""
        wanted = {"station_id": station_id, str(collection.time): {"$gte": first, "$lt": last}}
        with self._translated():
            yield from self._database[collection.name].find(wanted)

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
        bounds = {name: time for name, time in (("$gte", first), ("$lt", last)) if time is not None}
        where: dict[str, Any] = {str(collection.time): bounds} if bounds else {}
        where |= {} if stations is None else {"station_id": {"$in": sorted(stations)}}
        projection = dict.fromkeys(wanted, 1) | ({} if "_id" in wanted else {"_id": 0})
        source = self._database[collection.name].with_options(codec_options=_READ_FOR_FRAMES)
        with self._translated():
            found = source.find(where, projection, batch_size=FRAME_AT_ONCE)
            # Some at a time: as Python's objects they take ten times the memory.
            return pl.concat([pl.DataFrame(schema=wanted), *(_frame(wanted, d) for d in _chunks(found, FRAME_AT_ONCE))])

    def stations(self, collection: Collection) -> frozenset[int]:
        """See `Store`."""
        with self._translated():
            found = self._database[collection.name].distinct("station_id")
        # MongoDB's shell writes each number as a double.
        return frozenset(int(id_) for id_ in found if isinstance(id_, int | float))

    def close(self) -> None:
        """See `Store`."""
        # It says good-bye to the server, which may hang.
        with pymongo.timeout(FAREWELL_S):
            self._client.close()

    def _leaves_a_mark(self, lake_id: str) -> bool:
        """From the first document on others are to see that they share; whether the data directory was new here."""
        try:
            self._database[META.name].insert_one({"_id": mark_id(lake_id), "position": None, "layout": LAYOUT})
        except DuplicateKeyError:
            return False
        return True

    def _empty(self) -> set[str]:
        """The collections in which there is nothing that would have to be looked for."""
        return {kind.name for kind in COLLECTIONS if self._database[kind.name].find_one({}, {"_id": 1}) is None}

    def _write(
        self,
        collection: Collection,
        documents: list[Document],
        *,
        exact: bool = False,
        shares: bool = False,
        new: bool = False,
    ) -> int:
        """Insert or replace; those that are likely `new` are not looked for first."""
        self._check_deadline()
        target, newness = self._database[collection.name], collection.newness
        ids = [] if new else [document["_id"] for document in documents]
        there = {document["_id"]: document for document in target.find({"_id": {"$in": ids}})} if ids else {}
        unknown = [document for document in documents if document["_id"] not in there]
        replaced = [d for d in documents if d["_id"] in there and _replaces(d, there[d["_id"]], newness, exact=exact)]
        overtaken = _insert(target, unknown)
        for pending, condition in ((replaced, newness if shares else None), (overtaken, newness)):
            for chunk in _chunks(pending, REPLACE_AT_ONCE):
                self._check_deadline()
                _replace(target, chunk, condition)
        return len(unknown) + len(replaced)

    def _check_deadline(self) -> None:
        if time.monotonic() > self._deadline:
            raise StoreError(f"{self.name} was not done before the run's deadline (AIRQ_RUN_DEADLINE_S)")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OperationFailure as error:
            details = error.details or {}
            parts = [*details.get("writeErrors", []), *details.get("writeConcernErrors", []), details]
            reason = next((part["errmsg"] for part in parts if "errmsg" in part), f"error {error.code}")
            raise StoreError(f"{self.name} refuses: {str(reason)[:200]}; see AIRQ_MONGODB_URI") from error
        except PyMongoError as error:
            reason = str(error).partition(" (configured")[0].partition(",")[0][:200]
            raise StoreError(f"{self.name} cannot be used: {reason}; see AIRQ_MONGODB_URI") from error


def _frame(wanted: dict[str, pl.DataType], found: list[Document]) -> pl.DataFrame:
    return pl.DataFrame([_column(name, kind, [d.get(name) for d in found]) for name, kind in wanted.items()])


def _column(name: str, kind: pl.DataType, values: list[Any]) -> pl.Series:
    if kind == pl.Datetime:
        return column(name, pl.Datetime("us"), values).dt.replace_time_zone("UTC")
    return column(name, kind, values)


def _insert(target: "pymongo.collection.Collection[Document]", documents: list[Document]) -> list[Document]:
    """Insert documents; those that somebody else inserted in the meantime are returned, to be replaced."""
    if not documents:
        return []
    try:
        target.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        if error.details["writeConcernErrors"] or any(failure["code"] != DUPLICATE_KEY for failure in failed):
            raise
        return [documents[failure["index"]] for failure in failed]
    return []


def _replaces(document: Document, there: Document, newness: str | None, *, exact: bool) -> bool:
    """Whether a document is to replace the one that is there."""
    if newness is None or newness not in there:
        return document != there
    if document[newness] < there[newness]:
        return False
    return document != (there if exact else there | {newness: document[newness]})


def _replace(target: "pymongo.collection.Collection[Document]", documents: list[Document], newness: str | None) -> None:
    """Replace documents; with `newness` one that is there stays where it is newer by this field.

    No upsert: in a collection that is sharded by another field than `_id` MongoDB refuses one that finds by `_id`,
    and routes a replacement by what it replaces with.
    """
    # A server that scans for what is more than an `_id`, as FerretDB 1.x does, takes long for the condition.
    conditions = [{} if newness is None else {newness: {"$not": {"$gt": d[newness]}}} for d in documents]
    commands = [pymongo.ReplaceOne({"_id": d["_id"]} | c, d) for d, c in zip(documents, conditions, strict=True)]
    done = target.bulk_write(commands, ordered=False)
    if newness is None and done.matched_count < len(documents):
        # Somebody removed one in the meantime.
        _insert(target, documents)


def _chunks(things: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(things)
    while chunk := list(islice(iterator, size)):
        yield chunk
