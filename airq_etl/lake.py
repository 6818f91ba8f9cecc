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
from collections.abc import Callable, Iterable, Iterator, Sequence
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

ROWS_IN_GROUP = 1 << 14
"""Of a Parquet file: who reads some stations reads the groups that they lie in."""
SOON_SORTED = 1 << 14


class Lake:
    """The tables under one data directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.captures = root / "captures"
        self.temporary = root / "tmp"
        self._checked: dict[Path, tuple[int, ...]] = {}

    def open(self) -> None:
        """Make the directories; UsageError where that is not allowed."""
        try:
            refuse_file(self.root)
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

    def read(
        self,
        table: Table,
        parts: Iterable[str] | None = None,
        where: pl.Expr | None = None,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """Rows of a table, sorted by its key; `parts` without a file are empty, None is all of them.

        Of its columns those in `columns`, the key among them, where they are given.
        """
        empty = table.empty() if columns is None else table.empty().select(columns)
        return _sorted(pl.concat([empty, *self._frames(table, parts, where, columns)], how="diagonal"), table.key)

    def _frames(
        self, table: Table, parts: Iterable[str] | None, where: pl.Expr | None, columns: Sequence[str] | None
    ) -> Iterator[pl.DataFrame]:
        for part in self._among(table, parts):
            with self._looking_into(table, part) as rows:
                found = rows if where is None else rows.filter(where)
                yield (found if columns is None else found.select(columns)).collect()

    def count(self, table: Table, parts: Iterable[str] | None = None) -> dict[int, int]:
        """How many rows each station has in some files of a table, in all of them where `parts` is None."""
        counts: dict[int, int] = {}
        for part in self._among(table, parts):
            with self._looking_into(table, part) as rows:
                of_station = rows.drop_nulls("station_id").group_by("station_id").len().collect(engine="streaming")
            for station_id, number in of_station.iter_rows():
                counts[station_id] = counts.get(station_id, 0) + number
        return counts

    def _among(self, table: Table, parts: Iterable[str] | None) -> list[str]:
        there = self.parts(table)
        return there if parts is None else sorted(set(there) & set(parts))

    @contextmanager
    def _looking_into(self, table: Table, part: str) -> Iterator[pl.LazyFrame]:
        path = self.path(table, part)
        try:
            self._check(path)
            yield pl.scan_parquet(path, glob=False)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise DamagedError(f"{path} cannot be read ({reason(error)}); {table.remedy}") from error

    def _check(self, path: Path) -> None:
        """Check the seal of a file, once for as long as it is the same."""
        found = path.stat()
        state = found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        if self._checked.get(path) != state:
            seal.check(path)
            self._checked[path] = state

    def write(self, table: Table, part: str, frame: pl.DataFrame) -> None:
        """Replace one file of a table by `frame`, sorted by the table's key."""
        with self.replacing(self.path(table, part)) as path:
            _sorted(frame, table.key).write_parquet(path, compression="zstd", row_group_size=ROWS_IN_GROUP)
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
            raise StoreError(f"{target} cannot be written: {reason(error)}") from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def with_data(root: Path, table: Table | None = None) -> Lake:
    """The tables of a data directory that is there, and has rows of `table`; UsageError where it has none."""
    refuse_file(root)
    lake = Lake(root)
    if not root.is_dir() or (table is not None and not lake.parts(table)):
        raise UsageError(f"there is no data in {root} yet; `airq-etl run` fetches some")
    return lake


def refuse_file(root: Path) -> None:
    """UsageError where something else bears the name of a data directory; there may be nothing."""
    if root.exists() and not root.is_dir():
        raise UsageError(f"the data directory {root} is no directory; name another (AIRQ_DATA_DIR)")


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


def reason(error: Exception) -> str:
    """What an error of the disk, or of polars, says in one line."""
    return getattr(error, "strerror", None) or str(error).partition("\n")[0]


def _sorted(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Rows by their key: as they are, or months of many stations, each in order, by stations alone, or by all of it."""
    if _is_sorted(frame, key):
        return frame
    by_first = frame.sort(key[0], maintain_order=True) if frame.height >= SOON_SORTED else frame
    return by_first if _is_sorted(by_first, key) else frame.sort(key)


def _is_sorted(frame: pl.DataFrame, key: Sequence[str]) -> bool:
    """Whether many rows are in order already, which is sooner said than sorting them; nulls count as out of order."""
    if frame.height < SOON_SORTED:
        return False
    later = pl.lit(value=True)
    for name in reversed(key):
        here, before = pl.col(name), pl.col(name).shift(1)
        later = (here > before) | ((here == before) & later)
    found = frame.lazy().select(later.slice(1).all() & ~pl.any_horizontal(pl.col(key).is_null()).any()).collect()
    return bool(found.item())


@contextmanager
def private() -> Iterator[None]:
    """What is made in the block is its owner's alone: files 0600, directories 0700, or stricter as the umask says."""
    mask = os.umask(0o077)
    os.umask(mask | 0o077)
    try:
        yield
    finally:
        os.umask(mask)
