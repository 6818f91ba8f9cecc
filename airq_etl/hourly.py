"""The hourly table: one row a station and hour, the newest answer wins row by row.

Merging is a maximum over answers (by the time they were asked for, ties by the values themselves), so it does
not matter in which order, how often, or in which portions answers come. Hours are UTC and named by their start.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
import polars as pl

from airq_etl.payload import Payload, Rejected, values
from airq_etl.sensors import CORE_COLUMNS, present

KEY = ("station_id", "hour")
TIME = pl.Datetime("us", "UTC")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHORTEST = '"2024-09-09T10:00:00",'  # of times as msgspec writes them: a zone, or a fraction, makes one longer
IN_THE_FUTURE = "in the future of the request"

SCHEMA: dict[str, pl.DataType] = {
    "station_id": pl.Int64(),
    "hour": TIME,
    **{column: pl.Float64() for column in CORE_COLUMNS},
    "provisional": pl.Boolean(),
    "requested_at": TIME,
}
REVISION_SCHEMA: dict[str, pl.DataType] = {
    "station_id": pl.Int64(),
    "hour": TIME,
    "sensor": pl.String(),
    "old": pl.Float64(),
    "new": pl.Float64(),
    "seen_at": TIME,
}
REVISION_KEY = ("station_id", "hour", "sensor", "seen_at")


class Parsed(NamedTuple):
    """One answer as rows of the hourly table; `rejected` holds the payload's own and those of impossible hours."""

    rows: pl.DataFrame
    rejected: list[Rejected]
    duplicates: int


class Merged(NamedTuple):
    """What merging gave.

    `rows` is the whole table; `outcome` names each hour that an answer touched, with what came of it: `new`,
    `settled` (it was provisional, and differs now), `revised` (it was not, and differs now) or `confirmed`;
    `revisions` has one row a value that the source changed afterwards.
    """

    rows: pl.DataFrame
    outcome: pl.DataFrame
    revisions: pl.DataFrame


def empty() -> pl.DataFrame:
    """The hourly table with no rows."""
    return pl.DataFrame(schema=SCHEMA)


def arrange(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of the hourly table in their order, core sensors always, others where they have a value."""
    sensors = present(name for name in frame.columns if frame[name].null_count() < frame.height)
    missing = [pl.lit(None, dtype=pl.Float64).alias(name) for name in sensors if name not in frame.columns]
    return frame.with_columns(missing).select(*KEY, *sensors, "provisional", "requested_at")


def parse(payload: Payload, station_id: int, requested_at: datetime) -> Parsed:
    """The rows of one answer asked for at `requested_at` (aware UTC).

    An hour is provisional while it had not ended at `requested_at`. Set aside are timestamps off the hour, in
    the future of the request, or before 2000. Of an hour that stands twice the later in the list is kept.
    """
    hours = _hours(payload)
    given = pl.DataFrame([hours, *(pl.Series(name, of, dtype=pl.Float64) for name, of in values(payload.rows))])
    if _is_in_order(hours, requested_at):
        return Parsed(_labelled(given, station_id, requested_at), [*payload.rejected], 0)
    return _sifted(given, payload, station_id, requested_at)


def newest(payload: Payload, now: datetime) -> datetime | None:
    """The newest hour of a payload that is not in the future of `now` (aware UTC); null where it has none."""
    hours = _hours(payload)
    last: datetime | None = hours.filter(hours <= now).max()  # type: ignore[assignment]
    return last and last.replace(tzinfo=UTC)


def combine(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Frames of the hourly table below each other; a sensor that one of them lacks is null there."""
    return arrange(pl.concat([empty(), *frames], how="diagonal"))


def merge(stored: pl.DataFrame, answers: pl.DataFrame) -> Merged:
    """The stored hours (one row an hour) and the rows of answers (any number an hour) made one table."""
    both = combine([stored, answers])
    sensors = present(both.columns)
    both = both.with_columns(
        answered=pl.Series([False] * stored.height + [True] * answers.height, dtype=pl.Boolean)
    ).sort(*KEY, "requested_at", *sensors, nulls_last=False, maintain_order=True)
    rows = both.unique(KEY, keep="last", maintain_order=True)
    revisions = _revisions(both, sensors)
    return Merged(arrange(rows), _outcome(combine([stored]), rows, answers, revisions), revisions)


def utc(time: datetime) -> datetime | None:
    """A time as aware UTC, zone-less ones as they are; None where an offset leads out of the calendar."""
    try:
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        return None


def _hours(payload: Payload) -> pl.Series:
    """The times of the rows; null where one is outside the calendar."""
    times = [row.timestamp for row in payload.rows]
    # Text that msgspec writes and polars reads takes a tenth of the time that aware datetimes take.
    text = msgspec.json.encode(times).decode()
    if len(text) == len(times) * len(SHORTEST) + 1:
        plain = pl.Series("hour", text[2:-2].split('","'), dtype=pl.String)
        return plain.str.strptime(TIME, "%Y-%m-%dT%H:%M:%S", cache=False)
    return pl.Series("hour", [utc(time) for time in times], dtype=TIME)


def _is_in_order(hours: pl.Series, requested_at: datetime) -> bool:
    """Whether there are hours, each one possible and later than the one before: as nearly all answers have them."""
    if hours.is_empty() or hours.null_count():
        return False
    # As numbers, and no expressions: polars starts one in the time that all of this takes.
    given = hours.cast(pl.Int64)
    rises, whole = given.head(-1) < given.tail(-1), given % _microseconds(HOUR) == 0
    first, last = _microseconds(EARLIEST - EPOCH), _microseconds(requested_at - EPOCH)
    return bool(rises.all() and whole.all() and first <= given[0] and given[-1] <= last)


def _microseconds(time: timedelta) -> int:
    return time // timedelta(microseconds=1)


def _sifted(given: pl.DataFrame, payload: Payload, station_id: int, requested_at: datetime) -> Parsed:
    """The rows that are possible, each hour once, in order; `given` has the rows of the payload as they stand."""
    frame = given.with_columns(pl.Series("index", payload.indexes, dtype=pl.Int64), reason=_fault(requested_at))
    times = dict(zip(payload.indexes, (row.timestamp for row in payload.rows), strict=True))
    rejected = [
        Rejected(index, "timestamp", reason, f'{{"timestamp": "{times[index]}"}}')
        for index, reason in frame.drop_nulls("reason").select("index", "reason").iter_rows()
    ]
    good = frame.filter(pl.col("reason").is_null()).drop("index", "reason")
    rows = good.unique("hour", keep="last", maintain_order=True).sort("hour")
    labelled = arrange(_labelled(rows, station_id, requested_at))
    return Parsed(labelled, [*payload.rejected, *rejected], good.height - rows.height)


def _labelled(rows: pl.DataFrame, station_id: int, requested_at: datetime) -> pl.DataFrame:
    """Hours in order and their values, with whose they are, whether they are provisional, and when asked for."""
    hours, asked = rows["hour"].set_sorted(), _microseconds(requested_at - EPOCH)
    return pl.DataFrame(
        [
            pl.Series("station_id", [station_id], dtype=pl.Int64).new_from_index(0, rows.height),
            hours,
            *rows.get_columns()[1:],
            (hours.cast(pl.Int64) > asked - _microseconds(HOUR)).alias("provisional"),
            pl.Series("requested_at", [asked], dtype=pl.Int64).new_from_index(0, rows.height).cast(TIME),
        ]
    )


def _fault(requested_at: datetime) -> pl.Expr:
    hour = pl.col("hour")
    return (
        pl.when(hour.is_null())
        .then(pl.lit("outside the calendar"))
        .when(hour != hour.dt.truncate("1h"))
        .then(pl.lit("not on the hour"))
        .when(hour > requested_at)
        .then(pl.lit(IN_THE_FUTURE))
        .when(hour < EARLIEST)
        .then(pl.lit("before 2000"))
    )


def _outcome(stored: pl.DataFrame, rows: pl.DataFrame, answers: pl.DataFrame, revisions: pl.DataFrame) -> pl.DataFrame:
    touched = rows.join(answers.select(KEY).unique(), on=KEY, how="semi")
    # A value may have changed and changed back between two of the answers.
    there_and_back = revisions.select(*KEY, wavered=True).unique()
    joined = touched.join(stored.with_columns(stored=True), on=KEY, how="left", suffix="_old").join(
        there_and_back, on=KEY, how="left"
    )
    values = [name for name in joined.columns if f"{name}_old" in joined.columns and name != "requested_at"]
    added = [s for s in present(rows.columns) if s not in stored.columns]
    differs = pl.any_horizontal(
        *(pl.col(name).ne_missing(pl.col(f"{name}_old")) for name in values),
        *(pl.col(name).is_not_null() for name in added),
    )
    return joined.select(
        *KEY,
        "requested_at",
        requested_before=pl.col("requested_at_old"),
        outcome=pl.when(pl.col("stored").is_null())
        .then(pl.lit("new"))
        .when(~differs & pl.col("wavered").is_null())
        .then(pl.lit("confirmed"))
        .when(pl.col("provisional_old"))
        .then(pl.lit("settled"))
        .otherwise(pl.lit("revised")),
    ).sort(KEY)


def _revisions(both: pl.DataFrame, sensors: tuple[str, ...]) -> pl.DataFrame:
    # `both` is sorted by key and time: a row's predecessor is what the source said of that hour before.
    before = [pl.col(c).shift(1).name.suffix("_old") for c in (*KEY, *sensors, "provisional", "requested_at")]
    pairs = both.with_columns(
        *before, stored_at=pl.col("requested_at").filter(~pl.col("answered")).max().over(KEY)
    ).filter(
        pl.col("answered"),
        pl.col("station_id") == pl.col("station_id_old"),
        pl.col("hour") == pl.col("hour_old"),
        pl.col("requested_at") > pl.col("requested_at_old"),
        pl.col("stored_at").is_null() | (pl.col("requested_at") > pl.col("stored_at")),
        ~pl.col("provisional_old"),
    )
    found = [
        pairs.filter(pl.col(f"{name}_old").is_not_null(), pl.col(name).ne_missing(pl.col(f"{name}_old"))).select(
            *KEY, sensor=pl.lit(name), old=pl.col(f"{name}_old"), new=pl.col(name), seen_at=pl.col("requested_at")
        )
        for name in sensors
    ]
    return pl.concat([pl.DataFrame(schema=REVISION_SCHEMA), *found]).sort(REVISION_KEY)
