"""A file of a table that is made piece by piece, so that no more than a piece of it is in memory at a time.

Pieces come in the order of the table's key, each with other stations. They lie in tmp/ until all are there; then
they are put together, and what they make replaces the file.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import polars as pl

from airq_etl import seal
from airq_etl.errors import StoreError
from airq_etl.lake import ROWS_IN_GROUP, Lake, Table, reason

if TYPE_CHECKING:
    from pathlib import Path

Arrange = Callable[[pl.LazyFrame], pl.LazyFrame]


def put_aside(lake: Lake, name: str, rows: pl.DataFrame, aside: list["Path"]) -> None:
    """Write rows into tmp/, beside those that lie `aside`; StoreError where the disk refuses."""
    path = lake.temporary / f"{name}.{len(aside)}.{os.getpid()}"
    aside.append(path)
    try:
        rows.write_parquet(path, compression="lz4")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreError(f"{path} cannot be written: {reason(error)}") from error


def remove(aside: list["Path"]) -> None:
    """Remove what lies aside."""
    for path in aside:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    aside.clear()


class Pieces:
    """The pieces of one file; a single one is never written aside."""

    def __init__(self, lake: Lake, table: Table, part: str) -> None:
        self._lake, self._table, self._part = lake, table, part
        self._last: pl.DataFrame | None = None
        self._aside: list[Path] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Add what comes next; StoreError where the disk refuses."""
        if self._last is not None:
            self._put_aside(self._last)
        self._last = rows

    def write(self, arrange: Arrange) -> None:
        """Replace the file by the pieces, once `arrange` has made their columns one table's; none leave it alone."""
        if self._last is None:
            return
        if not self._aside:
            self._lake.write(self._table, self._part, arrange(self._last.lazy()).collect())
            return
        self._put_aside(self._last)
        whole = pl.concat([pl.scan_parquet(path, glob=False) for path in self._aside], how="diagonal")
        with self._lake.replacing(self._lake.path(self._table, self._part)) as path:
            arrange(whole).sink_parquet(path, compression="zstd", row_group_size=ROWS_IN_GROUP, engine="streaming")
            seal.seal(path)
        self.discard()

    @property
    def is_empty(self) -> bool:
        """Whether there are none."""
        return self._last is None

    def columns(self) -> set[str]:
        """Those that any of the pieces has."""
        names = {name for path in self._aside for name in pl.read_parquet_schema(path)}
        return names | set(self._last.columns if self._last is not None else ())

    def discard(self) -> None:
        """Forget the pieces."""
        self._last = None
        remove(self._aside)

    def _put_aside(self, rows: pl.DataFrame) -> None:
        put_aside(self._lake, f"{self._table.name.replace('/', '-')}-{self._part}", rows, self._aside)
