"""The body of an answer, decoded strictly: good rows typed, bad rows set aside with their reason.

A body is `{"header": {...}, "data": [{"timestamp": "2023-09-10 11:00:00", "CO": 0.0, ...}, ...]}`. The whole
document is decoded in one go; only where that fails is it walked row by row, so that one bad row costs itself
and no other. A sensor without a value is absent or null. Where a key stands twice in a row, the last one wins.
"""

import codecs
import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from airq_etl.errors import AnswerError, BusyError
from airq_etl.sensors import BY_KEY, SENSORS, Sensor

LONGEST_TEXT = 200
# Three station-years: a body of few megabytes can unpack into gigabytes of empty objects.
MOST_VALUES = 400_000
# Five station-years: text beyond Latin takes eight times its bytes when it is walked row by row.
MOST_BYTES_WALKED = 8 << 20


class Header(msgspec.Struct, frozen=True):
    """What the API says of the station; degrees as given."""

    station_name: str | None = None
    station_lat: float | None = None
    station_lon: float | None = None


def _row(name: str, sensors: Iterable[Sensor]) -> type[Any]:
    """A row with one field a sensor, named as our column and spelled as the API's key.

    It holds nothing that could make a cycle, so the collector need not look at it.
    """
    fields = [(s.column, float | None, msgspec.field(name=s.key, default=None)) for s in sensors]
    return msgspec.defstruct(
        name, [("timestamp", datetime), *fields], forbid_unknown_fields=True, frozen=True, gc=False
    )


CORE = tuple(s for s in SENSORS if s.core)
Row = _row("Row", SENSORS)
CoreRow = _row("CoreRow", CORE)

# The values of a column of many rows: a comprehension that names its attribute takes half the time of an attrgetter.
_VALUES = {
    s.column: eval(f"lambda rows: [row.{s.column} for row in rows]")  # noqa: S307 -- the table of sensors, no input
    for s in SENSORS
}


class _Document(msgspec.Struct):
    data: list[Row]  # type: ignore[valid-type]
    header: msgspec.Raw = msgspec.Raw(b"{}")


class _CoreDocument(msgspec.Struct):
    data: list[CoreRow]  # type: ignore[valid-type]
    header: msgspec.Raw = msgspec.Raw(b"{}")


class Rejected(NamedTuple):
    """A row set aside: its position in `data`, the key at fault ("" for the row), why, and the row as JSON text."""

    position: int
    key: str
    reason: str
    row: str


class Payload(NamedTuple):
    """A decoded body: `rows` in the order given with their `indexes` in `data`, those set aside, unknown keys.

    The rows are of one kind: `Row`, or `CoreRow` where no other sensor is named.
    """

    header: Header
    rows: list[Any]
    indexes: Sequence[int]
    rejected: list[Rejected]
    unknown_keys: dict[str, int]


_WHOLE = msgspec.json.Decoder(_Document)
_CORE = msgspec.json.Decoder(_CoreDocument)


def decode(body: bytes) -> Payload:
    """The payload in a body.

    Raises BusyError where the JSON is cut short (worth asking again), AnswerError where it is no payload; both
    show the first 80 bytes.
    """
    if body.count(b",") > MOST_VALUES:
        raise AnswerError(f"the answer holds more than {MOST_VALUES:,} values: {opening(body)}")
    try:
        document = _decoded(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if len(body) > MOST_BYTES_WALKED:
            raise AnswerError(f"the answer is malformed, and too large to find out where: {opening(body)}") from error
        return _row_by_row(_document(body))
    try:
        header = _header(_json(bytes(document.header)))
    except (ValueError, RecursionError):
        header = Header()
    return Payload(header, document.data, range(len(document.data)), [], {})


def _decoded(body: bytes) -> _CoreDocument | _Document:
    """The whole document; with rows of all sensors, which cost more, only where some are not core."""
    try:
        return _CORE.decode(body)
    except msgspec.ValidationError:
        return _WHOLE.decode(body)


def values(rows: list[Any]) -> Iterator[tuple[str, list[float | None]]]:
    """Columns with the values of rows, in the order of the rows; a sensor that is not core where it has one."""
    for sensor in CORE if rows and isinstance(rows[0], CoreRow) else SENSORS:
        given = _VALUES[sensor.column](rows)
        if sensor.core or given.count(None) < len(given):
            yield sensor.column, given


def clean_text(text: str) -> str:
    """Text fit for a terminal, a query and a file: no control characters, no lone surrogates, not endless."""
    kept = (c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} else "�" for c in text[:LONGEST_TEXT])
    return "".join(kept)


def _json(text: bytes) -> Any:  # noqa: ANN401 -- whatever the JSON holds
    # Whole numbers as floats: one of five thousand digits is then infinite, which costs its row only.
    # What is no UTF-8 becomes lone surrogates, which cost their row, or the header.
    return json.loads(text.decode("utf-8-sig", "surrogateescape"), parse_int=float)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = _json(body)
    except (ValueError, RecursionError) as error:
        if body.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"{"):
            raise BusyError(f"the answer is cut short or malformed: {opening(body)}") from error
        raise AnswerError(f"the answer is not JSON: {opening(body)}") from error
    if not isinstance(document, dict) or not isinstance(document.get("data"), list):
        raise AnswerError(f'the answer has no "data" list: {opening(body)}')
    return document


def opening(body: bytes) -> str:
    """The first 80 bytes of a body, fit to be shown."""
    text = clean_text(body[:80].decode("utf-8", "replace"))
    return repr(text) if body else "it is empty"


def _header(value: object) -> Header:
    known = {key: value.get(key) for key in Header.__struct_fields__} if isinstance(value, dict) else {}
    try:
        header = msgspec.convert(known, Header)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return Header()
    return Header(
        clean_text(header.station_name) if header.station_name is not None else None,
        _finite(header.station_lat),
        _finite(header.station_lon),
    )


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _row_by_row(document: dict[str, Any]) -> Payload:
    indexes: list[int] = []
    payload = Payload(_header(document.get("header")), [], indexes, [], {})
    unknown: Counter[str] = Counter()
    for index, row in enumerate(document["data"]):
        if not isinstance(row, dict):
            payload.rejected.append(_rejected(index, "", "not an object", row))
            continue
        unknown.update(clean_text(key) for key in row if key not in BY_KEY and key != "timestamp")
        try:
            payload.rows.append(_typed(row))
            indexes.append(index)
        except msgspec.ValidationError as error:
            reason, _, path = str(error).partition(" - at `$.")
            payload.rejected.append(_rejected(index, path.rstrip("`"), reason, row))
    payload.unknown_keys.update(unknown)
    return payload


def _typed(row: dict[str, Any]) -> Any:  # noqa: ANN401 -- Row is made at run time, from the table of sensors
    known = {key: value for key, value in row.items() if key in BY_KEY or key == "timestamp"}
    for key, value in known.items():
        if isinstance(value, str) and not _is_unicode(value):
            message = f"text that is not Unicode - at `$.{key}`"
            raise msgspec.ValidationError(message)
        if isinstance(value, float) and not math.isfinite(value):
            message = f"{value} is not a finite number - at `$.{key}`"
            raise msgspec.ValidationError(message)
    if not all(map(_is_unicode, row)):
        raise msgspec.ValidationError("a key that is not Unicode")
    return msgspec.convert(known, Row)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def _rejected(index: int, key: str, reason: str, row: object) -> Rejected:
    return Rejected(index, key, reason, json.dumps(row)[:LONGEST_TEXT])
