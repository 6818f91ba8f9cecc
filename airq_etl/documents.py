"""Rows of the tables as the documents that both stores keep, the same in MongoDB and in SQLite.

A document is a function of the data alone: `_id` comes from its key, times are aware UTC (a day is its midnight).
The core sensors are always there, null where there is no value; any other only where it has one. When the answer
was asked for that gave a document its values stands in `requested_at` (a day: `updated_at`): of two that differ
the newer is kept, whoever wrote it, and one that only confirms what is known changes nothing in a store.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import polars as pl

from airq_etl import daily as daily_table
from airq_etl.forecast.table import SCHEMA as FORECAST
from airq_etl.hourly import SCHEMA, TIME
from airq_etl.hourly import arrange as hourly_table
from airq_etl.runs import OF_A_STATION, STEPS, RunRecord
from airq_etl.sensors import BY_COLUMN, SENSORS
from airq_etl.stations import Station

Document = dict[str, Any]


# The version of what the documents hold; a store that was loaded by an older one is sent everything once.
LAYOUT = 3


class Collection(NamedTuple):
    """A kind of document: its fields with their types, the time that it is indexed by, what may be missing.

    `newness` names the field that says how new a document is; it is no difference by itself.
    """

    name: str
    fields: Mapping[str, type]
    time: str | None = None
    optional: Mapping[str, str] = {}
    newness: str | None = None


def _daily_fields() -> dict[str, type]:
    fields: dict[str, type] = {"_id": str, "station_id": int, "day": datetime, "expected": int}
    for sensor in SENSORS:
        fields |= {f"{sensor.column}_{what}": _kind(kind) for what, kind in daily_table.OF_A_SENSOR.items()}
    return fields | {name: _kind(kind) for name, kind in daily_table.OF_A_DAY.items()}


def _kind(kind: pl.DataType) -> type:
    return datetime if kind == TIME else kind.to_python()


def _step_fields(step: str) -> dict[str, type]:
    name = step.replace("-", "_")
    return {f"{name}_state": str, f"{name}_s": float}


_OTHERS = tuple(sensor.column for sensor in SENSORS if not sensor.core)

STATIONS = Collection(
    "stations",
    {
        "_id": str,
        "station_id": int,
        "name": str,
        "latitude": float,
        "longitude": float,
        "timezone": str,
        "in_service_from": datetime,
    },
)
HOURLY = Collection(
    "hourly",
    {"_id": str, "station_id": int, "hour": datetime}
    | {sensor.column: float for sensor in SENSORS}
    | {f"{sensor.column}_flag": str for sensor in SENSORS}
    | {"reasons": str, "pm25_nowcast": float, "pm25_nowcast_aqi": int}
    | {"provisional": bool, "requested_at": datetime},
    time="hour",
    optional={name: name for name in _OTHERS} | {f"{name}_flag": name for name in _OTHERS},
    newness="requested_at",
)
DAILY = Collection(
    "daily",
    _daily_fields(),
    time="day",
    optional={field: f"{sensor}_mean" for field in _daily_fields() if (sensor := field.rpartition("_")[0]) in _OTHERS},
    newness="updated_at",
)
REVISIONS = Collection(
    "revisions",
    {"_id": str, "station_id": int, "hour": datetime, "sensor": str, "old": float, "new": float, "seen_at": datetime},
    time="hour",
)
FORECASTS = Collection(
    "forecasts",
    {"_id": str} | {name: _kind(kind) for name, kind in FORECAST.items()},
    time="hour",
    newness="updated_at",
)
RUNS = Collection(
    "runs",
    {"_id": str, "command": str, "state": str, "exit_code": int, "started_at": datetime, "ended_at": datetime}
    | {"duration_s": float, "message": str, "host": str, "version": str, "settings": str, "data_dir": str}
    | {field: kind for step in STEPS for field, kind in _step_fields(step).items()}
    | dict.fromkeys((name for names in OF_A_STATION.values() for name in names), int)
    | {"documents": int, "errors_found": int, "warnings_found": int},
)
META = Collection("meta", {"_id": str, "position": int, "layout": int})
COLLECTIONS = (STATIONS, HOURLY, DAILY, REVISIONS, FORECASTS, RUNS, META)

_KINDS: dict[type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    datetime: TIME,
}


def schema(collection: Collection, fields: Iterable[str] | None = None) -> dict[str, pl.DataType]:
    """The columns of a frame of documents, some of their `fields` or all."""
    return {name: _KINDS[collection.fields[name]] for name in fields or collection.fields}


def stations(known: Mapping[int, Station]) -> list[Document]:
    """One document a station."""
    return [
        {
            "_id": str(station_id),
            "station_id": station_id,
            "name": station.name,
            "latitude": station.latitude,
            "longitude": station.longitude,
            "timezone": station.timezone,
            "in_service_from": station.in_service_from,
        }
        for station_id, station in sorted(known.items())
    ]


def hourly(judged: pl.DataFrame) -> list[Document]:
    """One document a row of the hourly table, judged and with its NowCast; `_id` is like `283164601:2024-09-09T10`."""
    key = pl.format("{}:{}", "station_id", pl.col("hour").dt.strftime("%Y-%m-%dT%H"))
    return _documents(HOURLY, judged.with_columns(_id=key))


def hourly_fields() -> list[str]:
    """The fields of an hour's document that the hourly table has."""
    return [name for name in HOURLY.fields if name in {*SCHEMA, *BY_COLUMN}]


def hourly_frame(found: Iterable[Document] | pl.DataFrame) -> pl.DataFrame:
    """The rows of the hourly table that some of its documents (or a frame of them) were made of."""
    if not isinstance(found, pl.DataFrame):
        names = schema(HOURLY, hourly_fields())
        found = pl.DataFrame([{name: d.get(name) for name in names} for d in found], schema=names)
    return hourly_table(found)


def daily_fields() -> list[str]:
    """The fields of a day's document that the daily table has."""
    return [name for name in DAILY.fields if name != "_id"]


def daily_frame(found: pl.DataFrame) -> pl.DataFrame:
    """The rows of the daily table that a frame of its documents was made of."""
    kinds = {name: kind for name, kind in daily_table.schema(tuple(BY_COLUMN)).items() if name in found.columns}
    rows = found.select(pl.col(name).cast(kind, strict=False) for name, kind in kinds.items())
    return daily_table.combine([rows])


def daily(frame: pl.DataFrame) -> list[Document]:
    """One document a row of the daily table; `_id` is like `283164601:2024-09-09`."""
    midnight = pl.col("day").cast(TIME)
    return _documents(DAILY, frame.with_columns(midnight, _id=_daily_id()))


def daily_ids(days: pl.DataFrame) -> list[str]:
    """The `_id` of the documents of these days (`station_id`, `day`)."""
    return days.select(_daily_id()).to_series().to_list()


def _daily_id() -> pl.Expr:
    return pl.format("{}:{}", "station_id", pl.col("day").dt.strftime("%Y-%m-%d"))


def revisions(frame: pl.DataFrame) -> list[Document]:
    """One document a revision; `_id` is like `283164601:2024-09-09T10:co:2024-09-16T10:20:00.000`."""
    key = pl.format(
        "{}:{}:{}:{}",
        "station_id",
        pl.col("hour").dt.strftime("%Y-%m-%dT%H"),
        "sensor",
        pl.col("seen_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.3f"),
    )
    return _documents(REVISIONS, frame.with_columns(_id=key))


def forecasts(frame: pl.DataFrame) -> list[Document]:
    """One document a forecast; `_id` is like `283164601:pm25:2024-09-09T10:1`: origin and horizon.

    Times are cut to the millisecond, which is all that MongoDB keeps.
    """
    key = pl.format("{}:{}:{}:{}", "station_id", "sensor", pl.col("origin").dt.strftime("%Y-%m-%dT%H"), "horizon")
    return _documents(FORECASTS, frame.with_columns(pl.col(TIME).dt.truncate("1ms"), _id=key))


def runs(found: Iterable[RunRecord], lake_id: str) -> list[Document]:
    """One document a run of the data directory `lake_id`, with what its steps counted; `_id` is the run's."""
    return [_run(run, lake_id) for run in found]


def _run(run: RunRecord, lake_id: str) -> Document:
    document: Document = dict.fromkeys(RUNS.fields) | {name: getattr(run, name, None) for name in RUNS.fields}
    document |= {"_id": run.run_id, "data_dir": lake_id}
    for step in run.steps:
        known = zip(_step_fields(step.step), (step.state, step.duration_s), strict=True)
        document |= {name: value for name, value in known if name in RUNS.fields}
    document |= {name: run.count(name) for names in OF_A_STATION.values() for name in names}
    written = (run.count(collection.name) for collection in COLLECTIONS)
    return document | {
        "documents": sum(written),
        "errors_found": run.count("error"),
        "warnings_found": run.count("warning"),
    }


def _documents(collection: Collection, frame: pl.DataFrame) -> list[Document]:
    absent = {name for name in {*collection.optional.values()} if _is_empty(frame, name)}
    optional = {name: deciding for name, deciding in collection.optional.items() if deciding not in absent}
    wanted = [name for name in collection.fields if name in optional or name not in collection.optional]
    present = [name for name in wanted if name in frame.columns]
    times = [name for name in present if collection.fields[name] is datetime]
    # Zone-less on the way out: polars would look a zone up for each value.
    found = frame.select(present).with_columns(pl.col(times).dt.replace_time_zone(None)).to_dicts()
    for document in found:
        if optional:
            for name in [n for n, deciding in optional.items() if document[deciding] is None]:
                document.pop(name, None)
        for time in times:
            if document[time] is not None:
                document[time] = document[time].replace(tzinfo=UTC)
    return found


def _is_empty(frame: pl.DataFrame, name: str) -> bool:
    return name not in frame.columns or frame[name].null_count() == frame.height
