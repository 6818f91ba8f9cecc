"""The embedded store for who only looks: nothing is made or altered, and no load has to wait."""

import sqlite3
from pathlib import Path

from airq_etl import sqlite
from airq_etl.documents import LAYOUT, STATIONS
from airq_etl.store.embedded import REMEDY, WAIT_FOR_A_WRITER_S, EmbeddedStore


class EmbeddedReader(EmbeddedStore):
    """A store that is there, open for reading; StoreError where this user or this version cannot read it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"embedded store {path}"
        with sqlite.translated(path, REMEDY):
            self._db = sqlite.look_into(path, self._check, wait_s=WAIT_FOR_A_WRITER_S)

    def _check(self, db: sqlite3.Connection) -> None:
        sqlite.refuse_other(db, self._path, LAYOUT)
        db.execute(f"select 1 from {STATIONS.name} limit 1").fetchall()  # noqa: S608 -- ours
