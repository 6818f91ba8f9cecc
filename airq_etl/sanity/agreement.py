"""Does the store hold what the tables hold."""

from collections.abc import Iterator

import msgspec
import polars as pl

from airq_etl.sanity import differences, faults
from airq_etl.sanity.differences import KINDS, MISSING, OTHER
from airq_etl.sanity.evidence import Evidence, Place
from airq_etl.sanity.finding import Finding
from airq_etl.sanity.follows import wrong_in_tables
from airq_etl.sanity.saying import LOAD, error, rows_of, value, which
from airq_etl.sanity.wording import at, many
from airq_etl.sensors import BY_COLUMN

REMOVE = f"remove them, or empty the store and {LOAD}"


def store_differs(evidence: Evidence) -> Iterator[Finding]:
    """What the store lacks of the tables, has beside them, or has otherwise, and no other check has said."""
    if evidence.store is None or evidence.behind > evidence.waiting.height:
        return  # where which days wait is not known, neither is what should be there
    hours, days = differences.of_hours(evidence, evidence.store), differences.of_days(evidence, evidence.store)
    if hours.is_empty() and days.is_empty():
        return
    # Where the tables have gone wrong, that is what is said.
    wrong = wrong_in_tables(evidence)
    hours = hours.join(wrong, on=faults.DAY, how="anti")
    days = days.join(wrong, on=faults.DAY, how="anti")
    yield from _say(evidence, evidence.store, hours, days)


def days_waiting(evidence: Evidence) -> Iterator[Finding]:
    """How many days of all stations the store has not been sent yet."""
    if evidence.store is None or not evidence.behind:
        return
    wait = "waits" if evidence.behind == 1 else "wait"
    yield msgspec.structs.replace(
        error(
            "store-differs",
            evidence.store,
            evidence.waiting["day"],
            count=evidence.behind,
            sentence=f"{many(evidence.behind, 'day')} {wait} to be loaded",
            action="run `airq-etl load`",
        ),
        severity="warning",
    )


def _say(evidence: Evidence, store: Place, hours: pl.DataFrame, days: pl.DataFrame) -> Iterator[Finding]:
    """One finding a station and kind of difference, of hours and days together."""
    for station_id in sorted(faults.stations(hours) | faults.stations(days), key=lambda station: station or 0):
        for kind in KINDS:
            of_it = pl.col("station_id").eq_missing(station_id) & (pl.col("kind") == kind)
            frames = hours.filter(of_it), days.filter(of_it)
            if frames[0].height + frames[1].height:
                yield _difference(evidence, store, kind, *frames)


def _difference(evidence: Evidence, store: Place, kind: str, hours: pl.DataFrame, days: pl.DataFrame) -> Finding:
    rows, key = (hours.sort("hour"), "hour") if hours.height else (days.sort("day"), "day")
    what = rows_of(hours.get_column("hour", default=pl.Series()), days.get_column("day", default=pl.Series()))
    count = hours.height + days.height
    if kind == OTHER:
        sentence = f"{what} {_have(count)} other values than in the tables: {_values(rows.head(1), key)}"
    elif kind == MISSING:
        sentence = f"{what} of the tables {_are(count)} missing{_month(evidence, store, rows)}"
    else:
        sentence = f"{what} {_are(count)} not in the tables{_month(evidence, store, rows)}"
    columns = {name for frame in (hours, days) for name in _off(frame)} if kind == OTHER else set()
    sensors = {_sensor(name) for name in columns}
    return error(
        "store-differs",
        store,
        rows[key],
        station_id=rows["station_id"][0],
        sensor=sensors.pop() if len(sensors) == 1 else None,
        count=count,
        sentence=sentence,
        action=LOAD if kind in {MISSING, OTHER} else REMOVE,
    )


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _off(rows: pl.DataFrame) -> list[str]:
    """The columns in which any of these rows differ."""
    names = [name for name in rows.columns if f"{name}_store" in rows.columns]
    differs = rows.select(pl.col(name).ne_missing(pl.col(f"{name}_store")).any() for name in names)
    return [name for name in names if rows.height and differs[name].item()]


def _sensor(column: str) -> str | None:
    return next((name for name in BY_COLUMN if column == name or column.startswith(f"{name}_")), None)


def _values(row: pl.DataFrame, key: str) -> str:
    """The first value in which a row differs, in both places."""
    name = _off(row)[0]
    said, unit = (BY_COLUMN[name].key, BY_COLUMN[name].unit) if name in BY_COLUMN else (name, "")
    theirs, ours = (value(row[column].item(), unit) for column in (f"{name}_store", name))
    return f"{said} of {at(row[key].item())} is {theirs}, there {ours}"


def _month(evidence: Evidence, store: Place, rows: pl.DataFrame) -> str:
    """Which hours (or days) these are, and how many the month of the first one has in both places."""
    key = "hour" if "hour" in rows.columns else "day"
    if rows[key][0] is None:
        return "; its time cannot be read"
    month = rows[key].dt.truncate("1mo")[0]
    in_it = (pl.col("station_id") == rows["station_id"][0]) & (pl.col(key).dt.truncate("1mo") == month)
    frames = (place.hourly if key == "hour" else place.daily for place in (store, evidence.tables))
    theirs, ours = (frame.filter(in_it)[key].n_unique() for frame in frames)
    return f"{which(rows[key])}; {month:%Y-%m} has {many(theirs, key)}, in the tables {ours:,}"
