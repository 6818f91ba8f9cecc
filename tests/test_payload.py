"""Decoding of answers' bodies."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airq_etl import payload
from airq_etl.errors import AirqError, AnswerError, BusyError
from airq_etl.sensors import SENSORS

HOUR = '"timestamp": "2024-09-09 10:00:00"'
GOOD = f'{{{HOUR}, "CO": 0.5, "T. int.": 400, "PM2.5": 7.25}}'


def body(*rows: str) -> bytes:
    header = '{"station_name": "S", "station_lat": 5.3, "station_lon": -4.0}'
    return f'{{"header": {header}, "data": [{",".join(rows)}]}}'.encode()


def test_a_row_is_typed_by_the_table_of_sensors() -> None:
    """Each key of the API arrives in its sensor's column; an absent or null sensor has no value."""
    row = {"timestamp": "2024-09-09 10:00:00"} | {s.key: float(n) for n, s in enumerate(SENSORS)}
    decoded = payload.decode(body(json.dumps(row), f'{{{HOUR}, "CO": null}}'))
    assert [getattr(decoded.rows[0], s.column) for s in SENSORS] == [float(n) for n in range(len(SENSORS))]
    assert [getattr(decoded.rows[1], s.column) for s in SENSORS] == [None] * len(SENSORS)
    assert decoded.header == payload.Header("S", 5.3, -4.0)


def test_no_rows_is_an_empty_payload() -> None:
    """`data: []` is a success with nothing in it."""
    assert payload.decode(body()).rows == []


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"error": "x"}', '{"header": {}}', '{"data": 5}', "<html>no"]
)
def test_what_is_no_payload_is_an_error(text: str) -> None:
    """An error page, or nothing, is never an empty success, and its beginning is shown."""
    with pytest.raises(AnswerError) as caught:
        payload.decode(text.encode())
    assert (text[:80] or "it is empty") in str(caught.value)


def test_a_cut_answer_is_worth_asking_again() -> None:
    """JSON that stops in the middle is told from a page that is no JSON at all."""
    whole = body(GOOD, GOOD)
    for length in range(len(body()) - 2, len(whole)):
        with pytest.raises(BusyError):
            payload.decode(whole[:length])


@pytest.mark.parametrize(
    ("row", "key", "reason"),
    [
        (f'{{{HOUR}, "CO": NaN}}', "CO", "nan"),
        (f'{{{HOUR}, "CO": -Infinity}}', "CO", "inf"),
        (f'{{{HOUR}, "CO": 1e999}}', "CO", "inf"),
        (f'{{{HOUR}, "CO": {"9" * 5000}}}', "CO", "inf"),
        (f'{{{HOUR}, "PM2.5": "12.3"}}', "PM2.5", "str"),
        (f'{{{HOUR}, "PM2.5": true}}', "PM2.5", "bool"),
        (f'{{{HOUR}, "T. int.": [1]}}', "T. int.", "array"),
        ('{"CO": 1}', "", "timestamp"),
        ('{"timestamp": null}', "timestamp", "null"),
        ('{"timestamp": 1700000000}', "timestamp", "float"),
        ('{"timestamp": "yesterday"}', "timestamp", "RFC3339"),
        ("5", "", "not an object"),
        ("null", "", "not an object"),
    ],
)
def test_a_bad_row_costs_itself_alone(row: str, key: str, reason: str) -> None:
    """A bad row is set aside with its position, key and reason; its neighbours are kept."""
    decoded = payload.decode(body(GOOD, row, GOOD))
    assert decoded.indexes == [0, 2]
    assert [kept.co for kept in decoded.rows] == [0.5, 0.5]
    (rejected,) = decoded.rejected
    assert (rejected.position, rejected.key) == (1, key)
    assert reason in rejected.reason
    assert len(rejected.row) <= payload.LONGEST_TEXT


def test_an_offset_is_heeded() -> None:
    """A timestamp with an explicit offset keeps it."""
    (row,) = payload.decode(body('{"timestamp": "2024-09-09T10:00:00+02:00"}')).rows
    assert row.timestamp.utcoffset().total_seconds() == 7200


def test_a_new_key_is_news() -> None:
    """A key that no sensor declares is counted, and costs nothing."""
    decoded = payload.decode(body(GOOD, f'{{{HOUR}, "CO": 1.5, "H2S": 3}}'))
    assert decoded.unknown_keys == {"H2S": 1}
    assert [row.co for row in decoded.rows] == [0.5, 1.5]
    assert decoded.rejected == []


def test_the_last_of_two_equal_keys_wins() -> None:
    """Where a key stands twice in a row the last one counts, on the fast path and on the slow one."""
    twice = f'{{{HOUR}, "CO": 1, "CO": 2}}'
    assert payload.decode(body(twice)).rows[0].co == 2
    assert payload.decode(body(twice, "5")).rows[0].co == 2


@pytest.mark.parametrize("header", ["5", "[]", '{"station_name": 5}', '{"station_lat": "x"}'])
def test_a_bad_header_costs_no_row(header: str) -> None:
    """A header that is not one is as good as none."""
    decoded = payload.decode(f'{{"header": {header}, "data": [{GOOD}]}}'.encode())
    assert decoded.header == payload.Header()
    assert len(decoded.rows) == 1


def test_a_name_is_made_harmless() -> None:
    """Control characters and lone surrogates in a name never reach a terminal or a database."""
    text = '{"header": {"station_name": "a\\u001b[31m\\ud800\\u0000b"}, "data": []}'
    assert payload.decode(text.encode()).header.station_name == "a�[31m��b"
    assert payload.decode(b'{"header": {"station_lat": 1e999}, "data": []}').header.station_lat is None


def test_both_paths_agree_on_real_payloads(captures_dir: Path) -> None:
    """A bad row more leaves all other rows of a real payload as the fast path reads them."""
    for path in sorted(captures_dir.glob("*.json.gz")):
        whole = gzip.decompress(path.read_bytes())
        fast = payload.decode(whole)
        slow = payload.decode(whole.removesuffix(b"]}") + b",5]}")
        assert [row.timestamp for row in slow.rows] == [row.timestamp for row in fast.rows]
        assert [*payload.values(slow.rows)] == [*payload.values(fast.rows)]
        assert len(slow.rejected) == 1


@given(st.binary(max_size=200))
def test_any_bytes_give_a_payload_or_our_error(junk: bytes) -> None:
    """Whatever comes, nothing but our own errors gets out."""
    for answer in (junk, b'{"data": [' + junk + b"]}"):
        try:
            payload.decode(answer)
        except AirqError:
            continue
