"""The contract of the two keepers of documents, `store.embedded` (SQLite) and `store.mongo` (MongoDB).

A store holds the same documents whichever keeper it is, and with them a mark: up to which change of which data
directory it was loaded. The mark moves last, so a load that was interrupted is done again, and a store that was
down, is new, or was restored from a copy catches up by itself.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

from airq_etl.documents import Collection, Document

Batch = tuple[Collection, list[Document]]


class Store(Protocol):
    """A keeper of documents. Every method raises StoreError where the store is out of reach or refuses."""

    @property
    def name(self) -> str:
        """What to call it in a message, without credentials."""

    def position(self, lake_id: str) -> int | None:
        """The last change of this data directory that is in the store; None where there was never one."""

    def save(self, batches: Iterable[Batch], lake_id: str, position: int) -> dict[str, int]:
        """Insert new documents, replace those that differ, then move the mark.

        Returns how many documents were written, by collection; what is there already, equal, is not written.
        """

    def read(self, collection: Collection, station_id: int | None = None) -> Iterator[Document]:
        """The documents of a collection (of one station), by `_id`."""

    def close(self) -> None:
        """Let go of it."""


def mark_id(lake_id: str) -> str:
    """The `_id` of the document of `meta` that holds a data directory's mark."""
    return f"loaded:{lake_id}"
