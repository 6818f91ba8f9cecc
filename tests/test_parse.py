"""Parsing an answer: quick where its hours are in order, and the same as row by row whatever it holds."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airq_etl import hourly, payload
from airq_etl.errors import AirqError
from airq_etl.hourly import Parsed
from airq_etl.payload import Payload, Rejected
from airq_etl.sensors import SENSORS
from tests.frames import STATION, hour

YEAR_ONE, YEAR_9999 = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 20, tzinfo=UTC)
BEFORE_2000 = datetime(1999, 12, 31, 22, tzinfo=UTC)

# How an hour may be written, the usual way first; and what may stand for a value.
WAYS = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00:00"),
    *("%Y-%m-%dT%H:%M:%S+05:30", "%Y-%m-%dT%H:%M:%S-01:00", "%Y-%m-%d %H:%M:%S.000", "%Y-%m-%d %H:%M:%S.000001"),
    *("%Y-%m-%d %H:30:00", "%Y-%m-%d %H:%M", "%Y-%m-%d", " %Y-%m-%d %H:%M:%S", "%Y-02-30 %H:%M:%S", "soon", ""),
)
NUMBERS = (
    *("0", "-0.0", "1", "17.839743", "-3e-5", "3.4e38", "1e308", "5e-324", "null"),
    "123456789012345678901234567890",
)
NO_NUMBERS = ("NaN", "-Infinity", "1e400", "-1e999", "9" * 400, '"12.3"', '"\\ud800"', "true", "[]", "{}", "01", "")
KEYS = tuple(sensor.key for sensor in SENSORS)
ODD_KEYS = ("\\u0043O", "T\\u002e", "H2S", "co", "", "\\ud800", "timestamp", "CO")

usual = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(NUMBERS), max_size=4).map(lambda row: [*row.items()])
odd = st.lists(
    st.tuples(st.sampled_from(KEYS + ODD_KEYS), st.sampled_from(NUMBERS + NO_NUMBERS) | st.floats().map(str)),
    max_size=4,
)
starts = st.sampled_from([hour(0), hour(0), BEFORE_2000, YEAR_ONE, YEAR_9999])
moments = st.sampled_from(
    [hour(3), hour(3) - timedelta(microseconds=1), hour(50), BEFORE_2000, datetime.max.replace(tzinfo=UTC)]
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """The body of an answer of a few rows: as usual, with the times or the values odd, or both."""
    ways = WAYS[:1] if draw(st.booleans()) else draw(st.sampled_from([WAYS, WAYS[1:6]]))
    steps = st.sampled_from([1, 2] if draw(st.booleans()) else [1, 1, 0, -1])
    rows, time = [], draw(starts)
    for values in draw(st.lists(usual if draw(st.booleans()) else odd, max_size=6)):
        written = time.replace(tzinfo=None).strftime(draw(st.sampled_from(ways)).replace("%Y", f"{time.year:04}"))
        pairs = [("timestamp", f'"{written}"'), *values]
        rows.append(", ".join(f'"{key}": {value}' for key, value in pairs))
        try:
            time += timedelta(hours=draw(steps))
        except OverflowError:
            break
    return f'{{"header": {{"station_name": "S"}}, "data": [{", ".join(f"{{{row}}}" for row in rows)}]}}'.encode()


def reason(time: datetime, asked: datetime) -> str | None:
    """Why a time is no hour of an answer asked for at `asked`."""
    try:
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except OverflowError:
        return "outside the calendar"
    if (time.minute, time.second, time.microsecond) != (0, 0, 0):
        return "not on the hour"
    if time > asked:
        return "in the future of the request"
    return "before 2000" if time.year < 2000 else None


def row_by_row(decoded: Payload, station_id: int, asked: datetime) -> Parsed:
    """What `hourly.parse` says of a payload, without a table: a loop over its rows."""
    kept = dict[datetime, dict[str, float | None]]()
    rejected, duplicates = list(decoded.rejected), 0
    for index, row in zip(decoded.indexes, decoded.rows, strict=True):
        fault = reason(row.timestamp, asked)
        if fault is not None:
            rejected.append(Rejected(index, "timestamp", fault, f'{{"timestamp": "{row.timestamp}"}}'))
            continue
        time = hourly.utc(row.timestamp)
        assert time is not None
        duplicates += time in kept
        kept[time] = {s.column: getattr(row, s.column, None) for s in SENSORS}
    columns = [s.column for s in SENSORS if s.core or any(row[s.column] is not None for row in kept.values())]
    rows = [
        (station_id, time, *(kept[time][name] for name in columns), time > asked - timedelta(hours=1), asked)
        for time in sorted(kept)
    ]
    schema = {name: hourly.SCHEMA.get(name, pl.Float64()) for name in ("station_id", "hour", *columns)}
    schema |= {"provisional": pl.Boolean(), "requested_at": hourly.TIME}
    return Parsed(pl.DataFrame(rows, schema=schema, orient="row"), rejected, duplicates)


def said(parsed: Parsed) -> tuple[Any, ...]:
    """All that can be told apart: also 0.0 from -0.0."""
    frame = parsed.rows
    return dict(frame.schema), repr(frame.rows()), parsed.rejected, parsed.duplicates


def assert_parsed_as_row_by_row(body: bytes, asked: datetime) -> None:
    try:
        decoded = payload.decode(body)
    except AirqError:
        return
    parsed = hourly.parse(decoded, STATION, asked)
    assert said(parsed) == said(row_by_row(decoded, STATION, asked))
    assert parsed.rows["hour"].flags["SORTED_ASC"]
    hours = [time for time in (hourly.utc(row.timestamp) for row in decoded.rows) if time is not None and time <= asked]
    assert repr(hourly.newest(decoded, asked)) == repr(max(hours, default=None))


@settings(deadline=None, max_examples=500)
@given(answers(), moments)
@example(b'{"data": []}', hour(3))
@example(b'{"data": [{"timestamp": "0001-01-01T00:00:00+05:00"}, {"timestamp": "9999-12-31T23:00:00-05:00"}]}', hour(3))
def test_an_answer_is_parsed_as_row_by_row(body: bytes, asked: datetime) -> None:
    """Whatever an answer holds, its table is what a loop over its rows makes of it, to the last bit."""
    assert_parsed_as_row_by_row(body, asked)


@settings(deadline=None, max_examples=300)
@given(answers())
def test_a_bad_row_more_changes_no_other(body: bytes) -> None:
    """Decoded in one go or row by row, the rows, the header and what is set aside are the same."""
    try:
        decoded = payload.decode(body)
    except AirqError:
        return
    slow = payload.decode(
        body.removesuffix(b"]}") + (b",5]}" if len(decoded.indexes) + len(decoded.rejected) else b"5]}")
    )
    assert repr([*payload.values(slow.rows)]) == repr([*payload.values(decoded.rows)])
    assert [row.timestamp for row in slow.rows] == [row.timestamp for row in decoded.rows]
    assert list(slow.indexes) == list(decoded.indexes)
    assert slow.rejected[:-1] == decoded.rejected
    assert (slow.header, slow.unknown_keys) == (decoded.header, decoded.unknown_keys)


def test_real_answers_are_parsed_as_row_by_row(captures_dir: Path) -> None:
    """So it is with real answers: as they came, with offsets, off the hour, backwards and twice; asked for earlier."""
    for path in sorted(captures_dir.glob("*.json.gz")):
        whole = gzip.decompress(path.read_bytes())
        opening, rows = whole.removesuffix(b"]}").split(b"[", 1)
        backwards = b"},".join(reversed(rows.removesuffix(b"}").split(b"},"))) + b"}"
        bodies = [
            *(whole, whole.replace(b':00"', b':00Z"', 1), whole.replace(b':00"', b':00+00:00"')),
            whole.replace(b'00:00"', b'00:01"', 3),
            *(opening + b"[" + text + b"]}" for text in (backwards, rows + b"," + backwards)),
        ]
        newest = payload.decode(whole).rows[-1].timestamp.replace(tzinfo=UTC)
        for body in bodies:
            assert len(payload.decode(body).rows) >= 1000
            for asked in (newest + timedelta(minutes=30), newest - timedelta(hours=500)):
                assert_parsed_as_row_by_row(body, asked)
