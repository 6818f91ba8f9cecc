"""Answers as they are kept."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airq_etl import capture
from airq_etl.capture import Answer
from airq_etl.errors import DamagedError

AT = datetime(2024, 9, 9, 10, 20, tzinfo=UTC)


def answer(body: bytes) -> Answer:
    return Answer(station_id=1, requested_at=AT, url="http://host/v3/getStationHourlyAvg/1", status=200, body=body)


@given(st.binary())
def test_a_body_is_kept_byte_for_byte(body: bytes) -> None:
    """Whatever bytes a body has, they come back the same, and a line is one line."""
    line = capture.encode(answer(body))
    assert line.count(b"\n") == 1
    assert capture.decode(line) == answer(body)


@pytest.mark.parametrize("body", [b"", b"\x00\r\n", b"\xef\xbb\xbf{}", b'{"a": "\\ud800"}', b"\xff\xfe", "µg".encode()])
def test_awkward_bodies_come_back(body: bytes) -> None:
    """NUL, line ends, a byte order mark, escapes and invalid UTF-8 survive."""
    assert capture.decode(capture.encode(answer(body))).body == body


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b"\xff", b'{"station_id": 1}', capture.encode(answer(b"x"))[:-9]])
def test_a_damaged_line_is_an_error(line: bytes) -> None:
    """What was not written by us is refused, never half read."""
    with pytest.raises(DamagedError):
        capture.decode(line)
