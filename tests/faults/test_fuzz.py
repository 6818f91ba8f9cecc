"""Answers that nobody thought of: real ones with something broken in them, and any bytes at all."""

import gzip
import json
import math
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airq_etl import capture, daily, documents, hourly, payload
from airq_etl.capture import Answer
from airq_etl.errors import AirqError
from airq_etl.payload import clean_text
from airq_etl.pipeline.run import run_all
from airq_etl.responses import http_date, look_at
from airq_etl.sensors import present
from airq_etl.settings import build
from airq_etl.stations import Rules
from tests.faults.state import state
from tests.frames import published
from tests.server import Reply, Request, serving

if TYPE_CHECKING:
    from tests.conftest import Airq

ASKED = datetime(2023, 12, 10, 0, 30, tzinfo=UTC)
SLICE = 60
CASES = 30  # a seed, so 300 of the slice
TOKENS = (
    *b'{ } [ ] , : " \\ null true NaN -Infinity 1e999 -0 1e-999 3.4028235e38 1725876000 "12.3" {} []'.split(),
    *b'"data": "header": "CO": "timestamp": "2034-01-01T00:00:00" "0001-01-01T00:00:00+05:00" "\\u0000"'.split(),
    *b'"2023-12-09T23:59:60" "\\ud800" \x00 \xff \xef\xbb\xbf \xe2\x80\xae \xed\xa0\x80'.split(),
    *(b"9" * 400, b"[" * 60, b'{"a":' * 60, b"[" * 5000),
)
Break = Callable[[bytearray, random.Random], None]


def flip(text: bytearray, dice: random.Random) -> None:
    """One bit is another."""
    text[dice.randrange(len(text))] ^= 1 << dice.randrange(8)


def delete(text: bytearray, dice: random.Random) -> None:
    """Some bytes are gone."""
    at = dice.randrange(len(text))
    del text[at : at + dice.choice((1, 1, 2, 10, 200))]


def insert(text: bytearray, dice: random.Random) -> None:
    """Something stands where it does not belong."""
    at = dice.randrange(len(text))
    text[at:at] = dice.choice(TOKENS)


def truncate(text: bytearray, dice: random.Random) -> None:
    """The end is gone."""
    del text[dice.randrange(1, len(text)) :]


def repeat(text: bytearray, dice: random.Random) -> None:
    """A piece stands there twice, somewhere."""
    at = dice.randrange(len(text))
    piece = bytes(text[at : at + dice.choice((1, 20, 185, 1000))])
    to = dice.randrange(len(text))
    text[to:to] = piece


def replace(text: bytearray, dice: random.Random) -> None:
    """A value is another."""
    colon = text.find(b":", dice.randrange(len(text)))
    ends = [end for end in (text.find(b",", colon), text.find(b"}", colon)) if end > colon >= 0]
    if ends:
        text[colon + 1 : min(ends)] = dice.choice(TOKENS)


BREAKS: tuple[Break, ...] = (flip, delete, insert, truncate, repeat, replace, replace, replace)


def broken(whole: bytes, dice: random.Random) -> bytes:
    """The answer with one to four things broken."""
    text = bytearray(whole)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        dice.choice(BREAKS)(text, dice)
        text = text or bytearray(b" ")
    return bytes(text)


@pytest.fixture(scope="module")
def whole(captures_dir: Path) -> bytes:
    """A real payload of a year."""
    return gzip.decompress((captures_dir / "283164601_2023-12-10.json.gz").read_bytes())


@pytest.fixture(scope="module")
def slice_of(whole: bytes) -> bytes:
    """Its header and its last rows."""
    document = json.loads(whole)
    return json.dumps({**document, "data": document["data"][-SLICE:]}, separators=(",", ":")).encode()


def assert_sound(body: bytes) -> bool:
    """It is refused as an error of ours, or whatever is taken makes sense; whether it was taken."""
    answer = Answer(station_id=7, requested_at=ASKED, url="u", status=200, body=body)
    assert capture.decode(capture.encode(answer).rstrip(b"\n")) == answer
    refused = ""
    try:
        look_at(answer, httpx.Headers())
    except AirqError as error:
        refused = str(error)
    if refused:
        assert clean_text(refused) == refused[: payload.LONGEST_TEXT]
        return False
    decoded = payload.decode(body)
    parsed = hourly.parse(decoded, 7, ASKED)
    assert parsed.rows.height + parsed.duplicates + len(parsed.rejected) == len(decoded.rows) + len(decoded.rejected)
    for text in (decoded.header.station_name or "", *decoded.unknown_keys):
        assert clean_text(text) == text
    for rejected in parsed.rejected:
        assert "".join(rejected[1:]).encode()
    assert_rows_sound(parsed.rows, ASKED)
    table = hourly.merge(hourly.empty(), parsed.rows).rows
    assert len(documents.hourly(published(table))) == parsed.rows.height
    days = daily.compute(table, Rules({7: "Europe/Rome"}))
    assert len(documents.daily(days)) == days.height
    return True


def assert_rows_sound(rows: pl.DataFrame, asked: datetime) -> None:
    """Whole hours, each once, none of the future; only finite values."""
    hours = rows["hour"]
    assert hours.null_count() == 0
    assert (hours == hours.dt.truncate("1h")).all()
    assert rows.filter((pl.col("hour") > asked) | (pl.col("hour") < hourly.EARLIEST)).is_empty()
    assert not rows.select(hourly.KEY).is_duplicated().any()
    for name in present(rows.columns):
        assert all(math.isfinite(value) for value in rows[name].drop_nulls())


@pytest.mark.parametrize("seed", range(10))
def test_a_broken_answer_is_refused_or_makes_sense(slice_of: bytes, seed: int) -> None:
    """Whatever breaks in a real answer, it raises one of our errors, or what is taken of it is sound."""
    dice = random.Random(seed)  # noqa: S311 -- repeatable, no secret
    taken = 0
    for case in range(CASES):
        text = broken(slice_of, dice)
        try:
            taken += assert_sound(text)
        except BaseException as error:
            error.add_note(f"case {case} of seed {seed}: {text!r}")
            raise
    assert 0 < taken < CASES


@pytest.mark.parametrize("seed", range(20))
def test_a_broken_year_is_refused_or_makes_sense(whole: bytes, seed: int) -> None:
    """The same with the real answer of a whole year."""
    assert_sound(broken(whole, random.Random(seed)))  # noqa: S311 -- repeatable, no secret


def test_any_depth_of_nesting_is_no_harm() -> None:
    """However deep something is nested, wherever it stands, it is refused or set aside."""
    limit = sys.getrecursionlimit()
    good = '{"timestamp": "2023-12-09 10:00:00", "CO": 1}'
    for depth in (*range(10, limit - 150, 100), *range(limit - 150, limit + 10), 10 * limit, 100 * limit):
        for opening, closing in (("[", "]"), ('{"a":', "}")):
            deep = opening * depth + "0" + closing * depth
            for text in (
                f'{{"data": [{good}, {deep}]}}',
                f'{{"data": [{good[:-1]}, "x": {deep}}}, {good[:-1]}, "RH": {deep}}}]}}',
                f'{{"header": {deep}, "data": [{good}, 5]}}',
            ):
                with suppress(AirqError):
                    assert payload.decode(text.encode()).rows[0].co == 1


def test_a_broken_station_costs_no_other(airq: "Airq", slice_of: bytes) -> None:
    """Of many stations with broken answers each costs itself alone, and what is stored is sound."""
    dice = random.Random(1)  # noqa: S311 -- repeatable, no secret
    bodies = {n: slice_of if n % 10 == 0 else broken(slice_of, dice) for n in range(1, 121)}

    def script(request: Request) -> Reply:
        return Reply(body=bodies[int(request.path.rpartition("/")[2])])

    data = airq.directory / "data"
    with serving(script) as server:
        given = {"data_dir": data, "api_url": server.url, "stations": tuple(bodies), "now": ASKED, "retries": 0}
        result = run_all(build(given))
    assert result.exit_code == 3
    found = state(data)
    rows = found.tables["hourly"]
    assert_rows_sound(rows, ASKED)
    assert len(found.store["hourly"]) == rows.height
    failed = {station.station_id for station in result.stations if station.error is not None}
    sizes = dict(rows.group_by("station_id").len().iter_rows())
    assert {sizes[n] for n in bodies if n % 10 == 0} == {SLICE}
    assert failed.isdisjoint(sizes)


texts = st.text() | st.sampled_from(["timestamp", "CO", "T. int.", "data", "header", "station_name", "station_lat"])
times = st.sampled_from(["2023-12-09 10:00:00", "2023-12-09T10:00:00+01:00", "2033-01-01 00:00:00"]) | st.text()
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | texts | st.text(st.characters(categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
rows_of_any_kind = (
    st.fixed_dictionaries({"timestamp": times | values}, optional={"CO": values, "PM2.5": st.floats(), "H2S": values})
    | values
)
headers_of_any_kind = st.fixed_dictionaries(
    {}, optional={"station_name": values, "station_lat": values, "station_lon": st.floats()}
)
any_answer = st.fixed_dictionaries(
    {"data": st.lists(rows_of_any_kind, max_size=5)}, optional={"header": headers_of_any_kind | values, "error": values}
).map(lambda document: json.dumps(document).encode())


@settings(deadline=None, max_examples=200)
@given(any_answer)
@example(rb'{"data": [{"timestamp": "2023-12-09 10:00:00", "CO": "\ud800"}]}')
@example(rb'{"header": {"\ud800": 1}, "data": []}')
def test_any_json_is_refused_or_makes_sense(body: bytes) -> None:
    """Any JSON of about the right shape is refused by an error of ours, or what is taken of it is sound."""
    assert_sound(body)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_refused_or_make_sense(junk: bytes, packed: bool) -> None:  # noqa: FBT001
    """Any bytes as the body of an answer are refused by an error of ours, or make sense."""
    assert_sound(junk)
    assert_sound(b'{"data": [' + (gzip.compress(junk) if packed else junk) + b"]}")


header_texts = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n")) | st.from_regex(
    r"\A(Mon, )?[0-9]{1,2} (Jan|Dec) [0-9]{1,4} [0-9]{2}:[0-9]{2}:[0-9]{2} ([+-][0-9]{4}|GMT)\Z"
)


@settings(deadline=None, max_examples=300)
@given(st.integers(100, 599), header_texts)
@example(429, "²")
@example(503, "Fri, 31 Dec 9999 23:59:59 -0500")
@example(429, "9" * 5000)
def test_any_status_and_header_is_one_of_our_errors(status: int, text: str) -> None:
    """Whatever status, Retry-After, Location and Date an answer carries, nothing but our own errors gets out."""
    headers = httpx.Headers([(name, text.encode("latin-1")) for name in (b"Retry-After", b"Location", b"Date")])
    answer = Answer(station_id=7, requested_at=ASKED, url="u", status=status, body=b"junk")
    with pytest.raises(AirqError) as caught:
        look_at(answer, headers)
    wait = getattr(caught.value, "retry_after_s", None)
    assert wait is None or (math.isfinite(wait) and wait >= 0)
    http_date(headers.get("Date"))
