"""The contract of the two keepers of documents, `store.embedded` (SQLite) and `store.mongo` (MongoDB).

A store holds the same documents whichever keeper it is, and with them a mark: up to which change of which data
directory it was loaded. The mark moves last, so a load that was interrupted is done again, and a store that was
down, is new, or was restored from a copy catches up by itself.

Several data directories may share a MongoDB. A document is replaced only by one that is as new or newer (see
`Collection.newness`), so what stands there is of the newest answer, whoever loads last.
"""

import secrets
from collections.abc import Collection as Some
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import polars as pl

from airq_etl.documents import LAYOUT, META, Collection, Document
from airq_etl.errors import StoreError

Batch = tuple[Collection, list[Document]]


class Mark(NamedTuple):
    """How far a data directory has been loaded (None: not at all), and whether it `shares` the store with others."""

    position: int | None
    shares: bool


class Store(Protocol):
    """A keeper of documents. Every method raises StoreError where the store is out of reach or refuses."""

    @property
    def name(self) -> str:
        """What to call it in a message, without credentials."""

    def mark(self, lake_id: str) -> Mark:
        """The last change of this data directory that is in the store."""

    def save(
        self, batches: Iterable[Batch], lake_id: str, position: int, *, exact: bool = False, shares: bool = False
    ) -> dict[str, int]:
        """Insert new documents, replace those that differ and are not newer, then move the mark.

        Returns how many documents were written, by collection; what is there already, equal, is not written.
        With `exact`, a document that is newer and else the same is written too; where others share the store
        (`shares`), what they write while this is going on is respected as well.
        """

    def put(self, collection: Collection, documents: list[Document]) -> int:
        """Insert documents or replace them, without a word to the mark; how many were written, as `save` counts."""

    def remove(self, collection: Collection, ids: Sequence[str]) -> None:
        """Remove documents by `_id`; those that are not there are no error."""

    def between(self, collection: Collection, station_id: int, first: datetime, last: datetime) -> Iterator[Document]:
        """The documents of a station whose time is from `first` to before `last`, in no order."""

    def read(self, collection: Collection, station_id: int | None = None) -> Iterator[Document]:
        """The documents of a collection (of one station), by `_id`."""

    def frame(
        self,
        collection: Collection,
        first: datetime | None = None,
        last: datetime | None = None,
        fields: Sequence[str] | None = None,
        stations: Some[int] | None = None,
    ) -> pl.DataFrame:
        """The documents whose time is from `first` to before `last`, as `documents.schema` has them, in no order.

        With `stations` those of these alone.

        A field that is absent is null, and so is a value that is not of its field's type.
        """

    def stations(self, collection: Collection) -> frozenset[int]:
        """The stations that a collection has documents of, found without a look at each document.

        To ask for the documents of a time by their stations is quick, to ask by the time alone takes all of them.
        """

    def close(self) -> None:
        """Let go of it."""


def column(name: str, kind: pl.DataType, values: Sequence[Any]) -> pl.Series:
    """Values as a column; what somebody else wrote there that is of another type is null."""
    try:
        return pl.Series(name, values, dtype=kind)
    except (TypeError, pl.exceptions.PolarsError):
        return pl.Series(name, [_fitting(kind, value) for value in values], dtype=kind)


def _fitting(kind: pl.DataType, value: Any) -> Any:  # noqa: ANN401 -- whatever a field may hold
    if kind.is_integer():
        # MongoDB's shell writes each number as a double.
        return int(value) if isinstance(value, int) or (isinstance(value, float) and value.is_integer()) else None
    if kind.is_float():
        return float(value) if isinstance(value, int | float) else None
    return value if isinstance(value, kind.to_python()) else None


def hosts(uri: str) -> str:
    """The hosts in a URI, without credentials."""
    return uri.rpartition("://")[2].rpartition("@")[2].partition("/")[0].partition("?")[0]


PROBES = "probe:"


def probe(store: Store) -> None:
    """Write a document, read it back, remove it; StoreError where the store does not keep it."""
    document: Document = {"_id": f"{PROBES}{secrets.token_hex(8)}", "position": None, "layout": LAYOUT}
    store.put(META, [document])
    try:
        kept = document in store.read(META)
    finally:
        store.remove(META, [document["_id"]])
    if not kept:
        raise StoreError(f"{store.name} does not keep what is written to it")


MARKS = "loaded:"
FORGOTTEN = 30 * 86_400 * 1_000_000  # a position is a time in microseconds


def mark_id(lake_id: str) -> str:
    """The `_id` of the document of `meta` that holds a data directory's mark."""
    return f"{MARKS}{lake_id}"


def mark_of(found: Iterable[Document], lake_id: str, store: str) -> Mark:
    """The mark among the documents of `meta`; StoreError where a newer version of airq-etl loaded the `store`."""
    marks = {str(document["_id"]): document for document in found if str(document["_id"]).startswith(MARKS)}
    if any(_number(mark, "layout") > LAYOUT for mark in marks.values()):
        raise StoreError(f"{store} was loaded by a newer airq-etl; upgrade airq-etl, or name another database")
    mine = marks.pop(mark_id(lake_id), {})
    # Whatever else may stand there, a full load puts it right.
    current = _number(mine, "layout") == LAYOUT and isinstance(mine.get("position"), int)
    position = mine["position"] if current else None
    # A directory that was moved, or restored from a copy, leaves its old mark behind.
    long_ago = 0 if position is None else position - FORGOTTEN
    shares = any(mark.get("position") is None or _number(mark, "position") > long_ago for mark in marks.values())
    return Mark(position, shares)


def _number(document: Document, field: str) -> int:
    value = document.get(field)
    return value if isinstance(value, int) else 0
