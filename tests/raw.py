"""A store as anybody else sees and writes it, with none of our code in between."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pymongo


class Raw(Protocol):
    """One document of a collection at a time, by its `_id`; times as aware UTC."""

    def insert(self, collection: str, document: Mapping[str, Any]) -> None: ...

    def change(self, collection: str, key: str, **fields: Any) -> None: ...  # noqa: ANN401 -- whatever is written

    def delete(self, collection: str, key: str) -> None: ...

    def copy(self, collection: str, key: str, **fields: Any) -> None:  # noqa: ANN401 -- as above
        """Insert a document once more, with other `fields`."""


class RawSqlite:
    def __init__(self, path: Path) -> None:
        self.path = path

    def insert(self, collection: str, document: Mapping[str, Any]) -> None:
        names, marks = ", ".join(document), ", ".join("?" * len(document))
        self._do(f"insert into {collection} ({names}) values ({marks})", [_text(*item) for item in document.items()])  # noqa: S608

    def change(self, collection: str, key: str, **fields: Any) -> None:  # noqa: ANN401 -- as above
        changes = ", ".join(f"{name} = ?" for name in fields)
        self._do(f"update {collection} set {changes} where _id = ?", [*(_text(*i) for i in fields.items()), key])  # noqa: S608

    def delete(self, collection: str, key: str) -> None:
        self._do(f"delete from {collection} where _id = ?", [key])  # noqa: S608

    def copy(self, collection: str, key: str, **fields: Any) -> None:  # noqa: ANN401 -- as above
        with closing(sqlite3.connect(self.path)) as db:
            db.row_factory = sqlite3.Row
            row = db.execute(f"select * from {collection} where _id = ?", [key]).fetchone()  # noqa: S608
        self.insert(collection, dict(row) | fields)

    def _do(self, command: str, values: list[Any]) -> None:
        with closing(sqlite3.connect(self.path)) as db, db:
            assert db.execute(command, values).rowcount == 1, values


class RawMongo:
    def __init__(self, uri: str) -> None:
        self.uri = uri

    def insert(self, collection: str, document: Mapping[str, Any]) -> None:
        with self._client() as client:
            client.get_default_database()[collection].insert_one(dict(document))

    def change(self, collection: str, key: str, **fields: Any) -> None:  # noqa: ANN401 -- as above
        with self._client() as client:
            found = client.get_default_database()[collection].update_one({"_id": key}, {"$set": fields})
        assert found.matched_count == 1, key

    def delete(self, collection: str, key: str) -> None:
        with self._client() as client:
            assert client.get_default_database()[collection].delete_one({"_id": key}).deleted_count == 1, key

    def copy(self, collection: str, key: str, **fields: Any) -> None:  # noqa: ANN401 -- as above
        with self._client() as client:
            document = client.get_default_database()[collection].find_one({"_id": key})
        assert document is not None, key
        self.insert(collection, document | fields)

    def _client(self) -> "closing[pymongo.MongoClient[dict[str, Any]]]":
        return closing(pymongo.MongoClient(self.uri, tz_aware=True))


def _text(name: str, value: Any) -> Any:  # noqa: ANN401 -- as above
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d}" if name == "day" else f"{value:%Y-%m-%d %H:%M:%S}"
    return value
