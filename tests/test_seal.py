"""A byte that changes in a table on the disk is found, wherever it is."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from airq_etl import seal
from airq_etl.errors import DamagedError
from airq_etl.lake import HOURLY, Lake
from tests.frames import answer, hour

ROWS = answer({n: {"CO": n / 10, "PM2.5": n * 1.5} for n in range(40)}, hour(100))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    opened = Lake(tmp_path)
    opened.open()
    opened.write(HOURLY, "2024-09", ROWS)
    return opened


def test_a_sealed_file_is_parquet_like_any_other(lake: Lake) -> None:
    """Any reader of Parquet reads it, whole or a part of it."""
    path = lake.path(HOURLY, "2024-09")
    assert pl.read_parquet(path).equals(ROWS)
    assert pl.scan_parquet(path).filter(pl.col("co") > 3.85).select("pm25").collect()["pm25"].to_list() == [58.5]


READER = """
import sys, polars as pl
good = pl.read_parquet(sys.argv[1])
for path in sys.argv[2:]:
    try:
        if not pl.read_parquet(path).equals(good):
            print(path, flush=True)
    except BaseException:
        pass
"""


def test_a_changed_byte_is_found(lake: Lake, tmp_path: Path) -> None:
    """Polars alone reads other values from most such files; no flip of a bit anywhere gives other rows here."""
    path = lake.path(HOURLY, "2024-09")
    whole = path.read_bytes()
    flipped = []
    for position in range(0, len(whole), 3):
        content = whole[:position] + bytes([whole[position] ^ 8]) + whole[position + 1 :]
        flipped.append(tmp_path / f"{position}.parquet")
        flipped[-1].write_bytes(content)
        path.write_bytes(content)
        with suppress(DamagedError):
            # Where it is read all the same, the flip lay in the mark of the seal.
            assert lake.read(HOURLY).equals(ROWS)
    path.write_bytes(whole)
    assert lake.read(HOURLY).equals(ROWS)
    # In a process of its own, since some of them end it.
    reader = subprocess.run([sys.executable, "-c", READER, path, *flipped], capture_output=True, check=False)
    assert reader.stdout.count(b"\n") > 20


@pytest.mark.parametrize("length", [0, 3, 8, 100, -1, -40])
def test_a_file_cut_short_is_found(lake: Lake, length: int) -> None:
    """So is one that ends early."""
    path = lake.path(HOURLY, "2024-09")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedError, match="--rebuild"):
        lake.read(HOURLY)


def test_a_file_without_a_seal_is_read(tmp_path: Path) -> None:
    """A table that an older version, or somebody else, wrote bears no seal and is taken as it is."""
    ROWS.write_parquet(tmp_path / "old.parquet")
    seal.check(tmp_path / "old.parquet")
