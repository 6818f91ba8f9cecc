"""What everyone's first script does each hour: `way_naive.py URL STORE STATION ...`; STORE is a MongoDB URI, or a file.

Per station: the whole year by requests, into a pandas DataFrame, the daily means of CO and PM2.5 by groupby, then all
hours and all days inserted; with a file for STORE, appended to a SQLite database by to_sql. Twice is twice: such a
script inserts its rows anew at each run. Where MongoDB is FerretDB, which the benchmarks start by themselves, it
refuses keys with a dot, and NaN: so for MongoDB columns are renamed, and missing values left out.
"""

import sqlite3
import sys
from contextlib import closing
from typing import Any

import pandas as pd
import pymongo
import requests

MEANT = ["CO", "PM2.5"]
Tables = tuple[pd.DataFrame, pd.DataFrame]


def fetched(url: str, station: str) -> Tables:
    """The hours of a station, and its days."""
    response = requests.get(f"{url}/v3/getStationHourlyAvg/{station}", timeout=60)
    response.raise_for_status()
    hours = pd.DataFrame(response.json()["data"])
    hours["timestamp"] = pd.to_datetime(hours["timestamp"])
    hours["station"] = int(station)
    days = hours.groupby(hours["timestamp"].dt.normalize())[MEANT].mean().reset_index()
    days["station"] = int(station)
    return hours, days


def documents(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as MongoDB takes them."""
    renamed = frame.rename(columns=lambda name: name.replace(". ", "_").replace(".", "_"))
    rows = renamed.to_dict("records")
    return [{key: value for key, value in row.items() if value == value} for row in rows]  # noqa: PLR0124 -- NaN


def main() -> None:
    """Fetch, and insert."""
    url, store, *stations = sys.argv[1:]
    tables = [fetched(url, station) for station in stations]
    if store.startswith("mongodb"):
        client: Any = pymongo.MongoClient(store)
        with client:
            database = client.get_default_database()
            for hours, days in tables:
                database.hours.insert_many(documents(hours))
                database.days.insert_many(documents(days))
        return
    with closing(sqlite3.connect(store)) as connection:
        for hours, days in tables:
            hours.to_sql("hours", connection, if_exists="append", index=False)
            days.to_sql("days", connection, if_exists="append", index=False)


if __name__ == "__main__":
    main()
