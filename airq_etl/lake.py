"""The data directory: Parquet tables, written whole or not at all.

    captures/YYYY/MM/DD/*.jsonl.gz   answers as they came (see `captures`)
    hourly/YYYY-MM.parquet           partitioned by the UTC month of the hour
    daily/YYYY.parquet               by the year of the local day
    revisions/YYYY.parquet           by the UTC year in which the revision was seen
    forecasts/YYYY-MM.parquet        by the UTC month of the origin
    forecasts/models/YYYY.parquet    by the UTC year since which the model serves
    ledger.db, airq.db               runs and marks; the embedded store
    tmp/                             files being written; whatever lies there at start is a stray

A file is written beside its place in tmp/, synced, and renamed over the old one, so that a reader or a crash
sees the old or the new file. Temporary files never lie where a scan would find them.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import polars as pl

from airq_etl import daily, hourly, seal
from airq_etl.errors import DamagedError, StoreError, UsageError
from airq_etl.forecast import table as forecasts


class Table(NamedTuple):
    """A kind of table: its folder, the columns that name a row, a frame of it without rows, what mends it."""

    name: str
    key: tuple[str, ...]
    empty: Callable[[], pl.DataFrame]
    remedy: str = "`airq-etl transform --rebuild` makes the tables again from the captures"


HOURLY = Table("hourly", hourly.KEY, hourly.empty)
DAILY = Table("daily", daily.KEY, daily.empty)
REVISIONS = Table("revisions", hourly.REVISION_KEY, lambda: pl.DataFrame(schema=hourly.REVISION_SCHEMA))
TABLES = (HOURLY, DAILY, REVISIONS)
"""Those that are a function of the captures."""
_SAID_ONCE = "move it away; forecasts begin anew"
FORECASTS = Table("forecasts", forecasts.KEY, forecasts.empty, _SAID_ONCE)
MODELS = Table("forecasts/models", forecasts.MODEL_KEY, forecasts.no_models, _SAID_ONCE)
FORECAST_TABLES = (FORECASTS, MODELS)
"""What was said at the time, which nothing can make again."""


class Lake:
    """The tables under one data directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.captures = root / "captures"
        self.temporary = root / "tmp"

    def open(self) -> None:
        """Make the directories; UsageError where that is not allowed."""
        try:
            if self.root.exists() and not self.root.is_dir():
                raise UsageError(f"the data directory {self.root} is no directory")
            tables = (self.root / table.name for table in (*TABLES, *FORECAST_TABLES))
            for folder in (self.root, self.captures, self.temporary, *tables):
                make(folder)
            with (self.temporary / f"writable-{os.getpid()}").open("wb") as probe:
                Path(probe.name).unlink()
        except OSError as error:
            raise UsageError(f"the data directory {self.root} cannot be used: {error.strerror}") from error

    def sweep(self) -> None:
        """Remove what an interrupted run left in tmp/; only while holding the lock."""
        for stray in self.temporary.iterdir():
            shutil.rmtree(stray) if stray.is_dir() else stray.unlink()

    def parts(self, table: Table) -> list[str]:
        """The names of the files that a table has, in order: `2024-09` or `2024`."""
        return sorted(path.stem for path in (self.root / table.name).glob("*.parquet"))

    def path(self, table: Table, part: str) -> Path:
        """Where one file of a table lies."""
        return self.root / table.name / f"{part}.parquet"

    def read(self, table: Table, parts: Iterable[str] | None = None, where: pl.Expr | None = None) -> pl.DataFrame:
        """Rows of a table, sorted by its key; `parts` without a file are empty, None is all of them."""
        return pl.concat([table.empty(), *self._frames(table, parts, where)], how="diagonal").sort(table.key)

    def _frames(self, table: Table, parts: Iterable[str] | None, where: pl.Expr | None) -> Iterator[pl.DataFrame]:
        there = self.parts(table)
        for part in there if parts is None else sorted(set(there) & set(parts)):
            path = self.path(table, part)
            try:
                seal.check(path)
                rows = pl.scan_parquet(path, glob=False)
                yield (rows if where is None else rows.filter(where)).collect()
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
                raise DamagedError(f"{path} cannot be read ({_reason(error)}); {table.remedy}") from error

    def write(self, table: Table, part: str, frame: pl.DataFrame) -> None:
        """Replace one file of a table by `frame`, sorted by the table's key."""
        with self.replacing(self.path(table, part)) as path:
            frame.sort(table.key).write_parquet(path, compression="zstd")
            seal.seal(path)

    @contextmanager
    def replacing(self, target: Path) -> Iterator[Path]:
        """A temporary path to write to; what was written replaces `target` when the block ends well."""
        temporary = self.temporary / f"{target.name}.{os.getpid()}"
        try:
            yield temporary
            sync(temporary)
            make(target.parent)
            temporary.replace(target)
            sync(target.parent)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise StoreError(f"{target} cannot be written: {_reason(error)}") from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the disk keep a file, or the names in a directory (where the system can)."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make(folder: Path) -> None:
    """Make a directory and those above it, each kept by the disk."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in made:
        sync(path.parent)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error).partition("\n")[0]


@contextmanager
def private() -> Iterator[None]:
    """What is made in the block is its owner's alone: files 0600, directories 0700, or stricter as the umask says."""
    mask = os.umask(0o077)
    os.umask(mask | 0o077)
    try:
        yield
    finally:
        os.umask(mask)
