"""Documents into one store, in a process of its own: `python -m tests.bench.saving STORE WHERE DATA MOST`.

STORE is embedded, mongodb or naive; WHERE a file or a URI, new; DATA a data directory with an hourly table. The
documents of its hours (the first MOST, 0 for all), by month as `load` has them, are made before anything counts. Then
they are saved: all of them new; all of them again; again with every hundredth changed; with every one changed. On
stdout, as JSON, for each what it took: `cpu_s`, `wall_s`, `rows` written, `rows_s` (documents gone through, a second).
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from airq_etl import documents
from airq_etl.lake import HOURLY, Lake
from airq_etl.pipeline.days import hours_around, judged
from airq_etl.stations import Rules
from airq_etl.store import Batch, Store

LAKE = "0123456789abcdef"
EVERY = {"changed, 1 %": 100, "changed, all": 1}
LIMIT_S = 86_400.0
AT_ONCE = 50
"""Replacements in one command of the naive: of more than a hundred FerretDB 1 on SQLite never answers."""
LATER = timedelta(hours=1)
Documents = list[documents.Document]
Saving = Callable[[list[Documents]], int]


def months(data: Path) -> Iterator[Documents]:
    """The documents of the hours of each month."""
    lake = Lake(data)
    for part in lake.parts(HOURLY):
        days = lake.read(HOURLY, [part]).select("station_id", day=pl.col("hour").dt.date()).unique()
        rules = Rules(dict.fromkeys(days["station_id"].unique(), "UTC"), 18, {})
        yield documents.hourly(judged(hours_around(lake, days), days, rules))


def first(found: Iterator[Documents], most: int) -> list[Documents]:
    """So many of them, by month."""
    kept: list[Documents] = []
    while most > 0:
        kept.append(next(found)[:most])
        most -= len(kept[-1])
    return kept


def changed(all_months: list[Documents], every: int, by: float) -> list[Documents]:
    """The same, with another CO in one of so many, as a newer answer would give it."""
    number, found = 0, []
    for month in all_months:
        fresh = []
        for document in month:
            number += 1
            new = {"co": (document["co"] or 0.0) + by, "requested_at": document["requested_at"] + LATER}
            fresh.append(document if number % every else document | new)
        found.append(fresh)
    return found


def ours(store: Store) -> Saving:
    """By the store's own `save`, as `load` calls it."""
    position = iter(range(1, 100))

    def save(found: list[Documents]) -> int:
        batches: Iterator[Batch] = ((documents.HOURLY, month) for month in found)
        return sum(store.save(batches, LAKE, next(position)).values())

    return save


def opened(kind: str, where: str) -> Saving:
    """How documents are saved there."""
    if kind == "embedded":
        from airq_etl.store.embedded import EmbeddedStore

        return ours(EmbeddedStore(Path(where)))
    if kind == "mongodb":
        from airq_etl.store.mongo import MongoStore

        return ours(MongoStore(where, None, LIMIT_S))
    return _naive(where)


def _naive(uri: str) -> Saving:
    """Insert all at first; then replace each, whether it changed or not, inserting where it is not there."""
    import pymongo

    hours: Any = pymongo.MongoClient(uri).get_default_database().hourly

    def save(found: list[Documents]) -> int:
        rows = [document for month in found for document in month]
        if hours.find_one() is None:
            hours.insert_many(rows)
        else:
            for begin in range(0, len(rows), AT_ONCE):
                part = rows[begin : begin + AT_ONCE]
                hours.bulk_write([pymongo.ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in part])
        return len(rows)

    return save


def main() -> None:
    """Make the documents, save them, tell."""
    kind, where, data, most = sys.argv[1:]
    found = first(months(Path(data)), int(most)) if int(most) else list(months(Path(data)))
    count = sum(map(len, found))
    save = opened(kind, where)
    rounds = {"new": found, "the same": found}
    rounds |= {
        what: changed(found, every, float(number)) for number, (what, every) in enumerate(EVERY.items(), start=1)
    }
    told = {}
    for what, batch in rounds.items():
        cpu, wall = time.process_time(), time.perf_counter()
        rows = save(batch)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        told[what] = {"cpu_s": cpu, "wall_s": wall, "rows": rows, "rows_s": count / wall}
    print(json.dumps(told))  # noqa: T201 -- the result


if __name__ == "__main__":
    main()
