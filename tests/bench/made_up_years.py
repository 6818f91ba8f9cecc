"""Whole years of made-up stations as the API would send them, made before anything is measured, and kept."""

import gzip
import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airq_etl import synthetic
from airq_etl.synthetic import HISTORY, made_up
from tests.mongo import CACHE

NOW = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)
"""When the benchmarks begin, by their clock."""
AT_ONCE = 8


def kept() -> Path:
    """Where the years up to NOW lie, of these made-up stations."""
    digest = hashlib.sha256(Path(synthetic.__file__).read_bytes()).hexdigest()[:16]
    return CACHE / f"bench-years-{digest}"


def file_of(directory: Path, station: int, now: datetime) -> Path:
    """The file of one answer."""
    return directory / f"{now:%Y%m%dT%H%M}-{station}.json.gz"


def make(directory: Path, stations: Iterable[int], now: datetime = NOW) -> None:
    """Make the answers that are missing there, on all cores."""
    directory.mkdir(parents=True, exist_ok=True)
    missing = [(directory, station, now) for station in stations if not file_of(directory, station, now).exists()]
    if len(missing) > 1:
        with ProcessPoolExecutor() as pool:
            list(pool.map(_make, missing, chunksize=AT_ONCE))
    for one in missing if len(missing) == 1 else []:
        _make(one)


def body(answer: dict[str, Any]) -> bytes:
    """An answer as it goes over the wire."""
    return gzip.compress(json.dumps(answer, separators=(",", ":")).encode(), 6)


def _make(one: tuple[Path, int, datetime]) -> None:
    directory, station, now = one
    answer = made_up([station])(station, now - HISTORY, now, now)
    assert answer is not None
    target = file_of(directory, station, now)
    unfinished = target.with_suffix(".unfinished")
    unfinished.write_bytes(body(answer))
    unfinished.replace(target)
