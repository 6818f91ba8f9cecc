"""Asking the API: patience, bounds, and what is told from what."""

import asyncio
import gzip
import itertools
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from airq_etl import settings as configuration
from airq_etl.airqino import AirqinoClient, Ask, Asked
from airq_etl.capture import Answer
from airq_etl.errors import AnswerError, BusyError, CredentialsError
from airq_etl.windows import Window
from tests.frames import body
from tests.server import Reply, Request, Script, Server, in_turn, packed, serving

GOOD = body({0: {"CO": 1.0}})
ASK = Ask(7, Window())
NOW = datetime(2024, 9, 9, 10, 20, tzinfo=UTC)


def ask(server: Server, *asks: Ask, seconds: float = 60, **flags: Any) -> tuple[list[Asked], list[Answer]]:  # noqa: ANN401
    """What came of asking, and what was kept."""
    given = configuration.build({"data_dir": Path("d"), "api_url": server.url, "timeout_s": 5, "now": NOW} | flags)
    kept: list[Answer] = []
    client = AirqinoClient(given, None, kept.append, time.monotonic() + seconds)

    async def collect() -> list[Asked]:
        return [asked async for asked in client.ask_all(asks or (ASK,))]

    return asyncio.run(collect()), kept


def one(script: Script, **flags: Any) -> tuple[Asked, list[Answer], list[Request]]:  # noqa: ANN401 -- any setting
    with serving(script) as server:
        (asked,), kept = ask(server, **flags)
        return asked, kept, server.requests


def test_what_is_asked() -> None:
    """A station is asked by its id, a window by its ends in UTC, packed; none of it names a client or a user."""
    window = Window(datetime(2024, 9, 7, 9, tzinfo=UTC), datetime(2024, 9, 9, 11, tzinfo=UTC))
    with serving(in_turn(packed(GOOD))) as server:
        ask(server, Ask(283164601, window), Ask(7, Window()), concurrency=1)
        first, second = server.requests
    assert first.path == "/v3/getStationHourlyAvg/283164601"
    assert first.query == {"start_date": "20240907-0900", "end_date": "20240909-1100"}
    assert first.headers["Accept-Encoding"] == "gzip"
    assert "Authorization" not in first.headers
    assert (second.path, second.query) == ("/v3/getStationHourlyAvg/7", {})


@pytest.mark.parametrize(("reply", "wire"), [(Reply(body=GOOD), len(GOOD)), (packed(GOOD), len(gzip.compress(GOOD)))])
def test_an_answer_is_kept_as_it_is(reply: Reply, wire: int) -> None:
    """The body, unpacked, is kept to the byte with when and for what it was asked; bytes are counted."""
    asked, (kept,), _ = one(in_turn(reply))
    assert asked._replace(seconds=0) == Asked(ASK, 1, 0, wire, len(GOOD), 0, None)
    assert (kept.station_id, kept.requested_at, kept.status, kept.body) == (7, NOW, 200, GOOD)
    assert kept.url.endswith("/v3/getStationHourlyAvg/7")


@pytest.mark.parametrize(
    "trouble",
    [
        *(Reply(status) for status in (500, 502, 503, 504, 429)),
        Reply(429, headers={"Retry-After": "0"}),
        Reply(503, headers={"Retry-After": "soon"}),
        Reply(503, headers={"Retry-After": "-5"}),
        Reply(503, headers={"Retry-After": format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)}),
        Reply(body=GOOD[:-5]),
        Reply(body=GOOD[:-5], headers={"Content-Length": str(len(GOOD))}),
        Reply(body=gzip.compress(GOOD)[:-12], headers={"Content-Encoding": "gzip"}),
        Reply(body=b"no gzip at all", headers={"Content-Encoding": "gzip"}),
    ],
)
def test_trouble_that_passes_is_asked_again(trouble: Reply) -> None:
    """Errors of the server, too many requests, and answers cut short are asked again; retries are counted."""
    asked, kept, requests = one(in_turn(trouble, Reply(body=GOOD)))
    assert (asked.error, asked.requests, asked.retries, len(requests)) == (None, 2, 1, 2)
    assert kept[-1].body == GOOD


def test_patience_ends() -> None:
    """After so many retries the station has failed."""
    asked, _, requests = one(in_turn(Reply(503)), retries=2)
    assert isinstance(asked.error, BusyError)
    assert "503" in str(asked.error)
    assert len(requests) == 3


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(404, b"{}"), "does not know this station"),
        (Reply(400, b'{"error": "bad date"}'), "bad date"),
        (Reply(200, b"<html>sorry"), "<html>sorry"),
        (Reply(200, b""), "it is empty"),
        (Reply(200, b"{}"), "'{}'"),
        (Reply(200, b'{"error": "x"}'), "x"),
        (Reply(200, GOOD, {"Content-Encoding": "br"}), "'br'"),
    ],
)
def test_what_will_not_pass_is_not_asked_again(reply: Reply, said: str) -> None:
    """What would come again is not asked for again, and the error shows what came."""
    asked, _, requests = one(in_turn(reply))
    assert isinstance(asked.error, AnswerError)
    assert said in str(asked.error)
    assert len(requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_refused(status: int) -> None:
    """A redirect is followed nowhere."""
    with serving(in_turn(Reply(body=GOOD))) as other:
        asked, _, requests = one(in_turn(Reply(status, headers={"Location": other.url})))
        assert other.requests == []
    assert isinstance(asked.error, AnswerError)
    assert "redirects" in str(asked.error)
    assert len(requests) == 1


def test_a_wait_beyond_the_deadline_is_not_waited() -> None:
    """A Retry-After that reaches past the deadline of the run fails at once."""
    began = time.monotonic()
    asked, _, requests = one(in_turn(Reply(429, headers={"Retry-After": "999999"})))
    assert isinstance(asked.error, BusyError)
    assert len(requests) == 1
    assert time.monotonic() - began < 5


def test_retry_after_is_heeded() -> None:
    """A sensible Retry-After is waited for, in seconds or as a date."""
    for as_date in (False, True):
        began = time.monotonic()
        header = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if as_date else "1"
        asked, _, _ = one(in_turn(Reply(429, headers={"Retry-After": header}), Reply(body=GOOD)))
        assert asked.error is None
        assert 0.9 <= time.monotonic() - began < 5


def test_a_dripping_body_has_a_deadline() -> None:
    """A body that drips a byte at a time ends at the total deadline of the request, not never."""
    stop = time.monotonic() + 20

    def drip() -> Iterator[bytes]:
        while time.monotonic() < stop:
            yield b" "
            time.sleep(0.05)

    began = time.monotonic()
    asked, _, _ = one(lambda _: Reply(body=drip(), headers={"Content-Length": "1000000"}), timeout_s=1, retries=0)
    assert "AIRQ_TIMEOUT_S" in str(asked.error)
    assert time.monotonic() - began < 2


def test_a_bomb_is_not_unpacked() -> None:
    """An answer larger than allowed is refused while it arrives, packed or not."""
    pack = zlib.compressobj(9, wbits=31)
    bomb = pack.compress(bytes(64 << 20)) + pack.flush()
    endless = Reply(body=itertools.repeat(bytes(1 << 16)))
    for reply in (Reply(body=bomb, headers={"Content-Encoding": "gzip"}), endless):
        asked, kept, requests = one(in_turn(reply), max_response_mb=1)
        assert isinstance(asked.error, AnswerError)
        assert "larger than 1 MB" in str(asked.error)
        assert (kept, len(requests)) == ([], 1)


def test_a_closed_port_is_one_line() -> None:
    """Where nobody listens, it is asked again, then said in one line that names the host."""
    with serving(in_turn(Reply())) as server:
        pass
    (asked,), _ = ask(server, retries=1)
    assert isinstance(asked.error, BusyError)
    assert "127.0.0.1 cannot be reached" in str(asked.error)
    assert asked.requests == 2


def test_one_station_stops_no_other() -> None:
    """Of many stations one fails, and all others are answered."""
    asks = [Ask(station, Window()) for station in range(1, 41)]
    with serving(lambda request: Reply(404) if request.path.endswith("/7") else Reply(body=GOOD)) as server:
        asked, kept = ask(server, *asks)
    assert [found.ask.station_id for found in asked if found.error] == [7]
    assert {answer.station_id for answer in kept if answer.status == 200} == set(range(1, 41)) - {7}


def test_no_more_at_a_time_than_allowed() -> None:
    """At no time are more requests under way than AIRQ_CONCURRENCY says, and that many are."""
    most, now = [0], [0]

    def script(_: Request) -> Reply:
        now[0] += 1
        most[0] = max(most[0], now[0])
        time.sleep(0.02)
        now[0] -= 1
        return Reply(body=GOOD)

    with serving(script) as server:
        ask(server, *(Ask(station, Window()) for station in range(1, 25)), concurrency=3)
    assert most[0] == 3


def test_a_refusal_is_asked_once() -> None:
    """Where the API wants credentials and there are none, one question is enough for all stations."""
    with serving(in_turn(Reply(401, b"{}"))) as server:
        asked, _ = ask(server, *(Ask(station, Window()) for station in range(1, 10)), concurrency=1)
        assert len(server.requests) == 1
    assert all(isinstance(found.error, CredentialsError) for found in asked)


def test_the_apis_clock_is_believed() -> None:
    """Where this machine's clock is far off, an answer counts as asked for when the API says it was."""
    with serving(in_turn(Reply(body=GOOD, headers={"Date": format_datetime(NOW, usegmt=True)}))) as server:
        _, (replayed,) = ask(server, now=NOW - timedelta(days=4))
        _, (ahead,) = ask(server, now=NOW + timedelta(days=400))
        _, (real,) = ask(server, now=None)
    assert replayed.requested_at == NOW - timedelta(days=4)
    assert ahead.requested_at == real.requested_at == NOW


@pytest.mark.parametrize("days", [0.5, 400])
def test_a_clock_that_is_behind(days: float) -> None:
    """Where the API's date is ahead it is believed, if by more than a day then only with hours to show for it."""
    theirs = (datetime.now(UTC) + timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    date = {"Date": format_datetime(theirs, usegmt=True)}
    new = GOOD.replace(b"2024-09-09 00:00:00", f"{theirs:%Y-%m-%d %H}:00:00".encode())
    for said, believed in ((GOOD, days < 1), (new, True)):
        with serving(in_turn(Reply(body=said, headers=date))) as server:
            _, (answer,) = ask(server, now=None)
        assert (answer.requested_at == theirs) == believed
    with serving(in_turn(Reply(body=GOOD, headers={"Date": "junk"}))) as server:
        _, (junk,) = ask(server, now=None)
    assert abs(junk.requested_at - datetime.now(UTC)) < timedelta(minutes=1)
