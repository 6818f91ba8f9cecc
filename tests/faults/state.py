"""What a fault must leave alone, and how it must be told: the whole state of a data directory, and one line."""

import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
from polars.testing import assert_frame_equal

from airq_etl import documents
from airq_etl import settings as configuration
from airq_etl.lake import TABLES, Lake
from airq_etl.ledger import FILE
from airq_etl.pipeline.load import open_store

if TYPE_CHECKING:
    from tests.conftest import Ran

KINDS = (documents.STATIONS, documents.HOURLY, documents.DAILY, documents.REVISIONS)


class State(NamedTuple):
    """The tables by name, and the documents of the store by collection.

    Documents are without the field that says how new they are: by design that is of the answer from which this store
    first took the values, and so depends on when it was loaded. The tables have it, and it must be equal there.
    """

    tables: dict[str, pl.DataFrame]
    store: dict[str, list[dict[str, Any]]]

    @property
    def hours(self) -> set[tuple[int, datetime]]:
        """The (station, hour) pairs of the hourly table."""
        return set(self.tables["hourly"].select("station_id", "hour").iter_rows())


def state(data: Path, mongodb_uri: str | None = None) -> State:
    """Everything that a run leaves for its users: tables, and documents of the embedded store (or of MongoDB)."""
    lake = Lake(data)
    store = open_store(configuration.build({"data_dir": data, "mongodb_uri": mongodb_uri}), lake, 60)
    try:
        stored = {kind.name: [_without(document, kind.newness) for document in store.read(kind)] for kind in KINDS}
    finally:
        store.close()
    return State({table.name: lake.read(table) for table in TABLES}, stored)


def _without(document: dict[str, Any], field: str | None) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != field}


def copy_data(source: Path, target: Path) -> None:
    """Copy a data directory so that it takes itself for the one that it is a copy of."""
    shutil.copytree(source, target)
    with closing(sqlite3.connect(target / FILE)) as ledger:
        ledger.execute("update meta set value = ? where key = 'place'", [str((target / FILE).stat().st_ino)])
        ledger.commit()


def assert_same(found: State, expected: State) -> None:
    """Equal row for row, value for value, document for document; neither holds an hour or a day twice."""
    for name, table in expected.tables.items():
        assert_frame_equal(found.tables[name], table, check_exact=True)
    assert found.store == expected.store
    hours = found.tables["hourly"].select("station_id", "hour")
    assert hours.height == hours.unique().height


def lines(ran: "Ran") -> list[str]:
    """The lines on stderr, each of which must be one of ours: no traceback, nobody else's warning."""
    found = ran.err.splitlines()
    assert all(line.startswith("airq-etl: ") for line in found), ran.err
    assert "Traceback" not in ran.err
    return found


def complaint(ran: "Ran") -> str:
    """The one line of level error, or with which a command ended; fails where there are several or none."""
    found = [line for line in lines(ran) if not line.startswith("airq-etl: warning: ")]
    found = [line for line in found if "asking again in" not in line]
    assert len(found) == 1, ran.err
    return found[0].removeprefix("airq-etl: ").removeprefix("error: ")
