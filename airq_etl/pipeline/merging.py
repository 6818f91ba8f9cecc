"""Rows of answers into the hourly tables: gathered by month first, then merged, so that each file is written once.

What is gathered lies in memory while it is little, and in tmp/ beyond that; it is merged some stations at a time.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from airq_etl import hourly
from airq_etl.lake import HOURLY, REVISIONS, Lake
from airq_etl.pieces import Pieces, put_aside, remove
from airq_etl.portions import Portion, portions
from airq_etl.sensors import present

if TYPE_CHECKING:
    from pathlib import Path

ROWS_IN_MEMORY = 300_000
ROWS_GATHERED = 20_000_000
"""Rows after which what is gathered should be merged, so that tmp/ does not grow without bound."""

Touched = Callable[[pl.DataFrame], None]


class _Month:
    """The rows of one month."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self.frames: list[pl.DataFrame] = []
        self.aside: list[Path] = []

    def of(self, portion: Portion) -> pl.DataFrame:
        """Those of some stations."""
        aside = [pl.scan_parquet(path, glob=False).filter(portion.has()).collect() for path in self.aside]
        return hourly.combine([*aside, *(frame.filter(portion.has()) for frame in self.frames)])


class Gathered:
    """Rows of the hourly table, any number an hour, that wait to be merged into the tables of a lake."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._months: defaultdict[str, _Month] = defaultdict(_Month)
        self._in_memory = self.rows = 0

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows; StoreError where the disk refuses."""
        for (part,), own in rows.group_by(pl.col("hour").dt.strftime("%Y-%m").alias("part")):
            month = self._months[str(part)]
            month.counts.update(dict(own.group_by("station_id").len().iter_rows()))
            month.frames.append(own.drop("part", strict=False))
        self.rows += rows.height
        self._in_memory += rows.height
        if self._in_memory > ROWS_IN_MEMORY:
            self._put_aside()

    def merge(self, touched: Touched) -> None:
        """Merge them, and begin anew; `touched` is told the outcome of each month before its file is replaced."""
        for part, month in sorted(self._months.items()):
            _merge_month(self._lake, part, month, touched)
        self.discard()

    def discard(self) -> None:
        """Forget them."""
        for month in self._months.values():
            remove(month.aside)
        self._months.clear()
        self._in_memory = self.rows = 0

    def _put_aside(self) -> None:
        for part, month in self._months.items():
            if not month.frames:
                continue
            put_aside(self._lake, f"answers-{part}", hourly.combine(month.frames), month.aside)
            month.frames.clear()
        self._in_memory = 0


def _merge_month(lake: Lake, part: str, month: _Month, touched: Touched) -> None:
    pieces = Pieces(lake, HOURLY, part)
    outcomes, revisions, changed = [], [], False
    try:
        for portion in portions(lake.count(HOURLY, [part]), month.counts, at_once=ROWS_IN_MEMORY):
            stored = lake.read(HOURLY, [part], portion.has())
            rows, merged, differs = _merge(stored, month.of(portion))
            outcomes.append(merged.outcome)
            revisions.append(merged.revisions)
            changed = changed or differs
            if rows.height:
                pieces.add(rows)
        if changed:
            _add_revisions(lake, pl.concat(revisions))
            touched(pl.concat(outcomes))
            pieces.write(partial(_arranged, columns=pieces.columns()))
    finally:
        pieces.discard()


def _merge(stored: pl.DataFrame, answers: pl.DataFrame) -> tuple[pl.DataFrame, hourly.Merged, bool]:
    """The stored hours and those of answers as one table, what merging those gave that are in both, and if it differs.

    What no answer touches is left out of the merging, which takes several times the memory of its rows.
    """
    keys = answers.select(hourly.KEY).unique()
    near = stored.join(keys, on=hourly.KEY, how="semi", maintain_order="left")
    merged = hourly.merge(near, answers)
    if merged.rows.equals(hourly.arrange(near)):
        return stored, merged, False
    far = stored.join(keys, on=hourly.KEY, how="anti", maintain_order="left")
    return hourly.combine([far, merged.rows]).sort(hourly.KEY), merged, True


def _arranged(rows: pl.LazyFrame, columns: Collection[str]) -> pl.LazyFrame:
    return rows.select(*hourly.KEY, *present(columns), "provisional", "requested_at")


def _add_revisions(lake: Lake, revisions: pl.DataFrame) -> None:
    for (year,), found in revisions.group_by(pl.col("seen_at").dt.year().alias("year")):
        known = lake.read(REVISIONS, [str(year)])
        new = found.drop("year", strict=False)
        rows = pl.concat([known, new]).unique(hourly.REVISION_KEY, keep="first", maintain_order=True)
        lake.write(REVISIONS, str(year), rows)
