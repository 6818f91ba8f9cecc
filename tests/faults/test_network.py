"""What a network does: nobody there, cut, slow, endless, busy, elsewhere."""

import contextlib
import gzip
import itertools
import json
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from airq_etl import settings as configuration
from airq_etl.credentials import LONGEST_RENEWAL
from tests.faults.dns_server import answering, asking
from tests.faults.realm import CREDENTIALS, HUSH, Realm
from tests.faults.state import assert_same, complaint, lines, state
from tests.faults.twins import STATIONS, hours, station, well
from tests.server import RawServer, Reply, Request, Talk, in_turn, serving, talking

if TYPE_CHECKING:
    from tests.faults.twins import Twins

MEGABYTE = 1 << 20
MOST_MB = 300
# What is still read by its size: nine tenths of what is allowed.
NEARLY = configuration.build({"data_dir": "d"}).max_response_mb * MEGABYTE // 10 * 9
ENDLESS = itertools.repeat(bytes(1 << 16))
Address = Callable[[], "contextlib.AbstractContextManager[str]"]


@contextmanager
def nowhere() -> Iterator[str]:
    """A name that has no address (RFC 6761)."""
    yield "http://nosuchhost.invalid"


@contextmanager
def closed_port() -> Iterator[str]:
    """A port that is ours, and that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def reset(connection: socket.socket) -> None:
    """End a connection by RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def reset_when_asked(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    reset(connection)


def reset_within_the_body(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"data": [')
    time.sleep(0.05)
    reset(connection)


def reset_for_8(connection: socket.socket) -> None:
    if b"/8?" in connection.recv(1 << 16):
        reset(connection)
        return
    found = hours(7)
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(found) + found)


@contextmanager
def resetting(talk: Talk) -> Iterator[str]:
    with talking(talk) as server:
        yield server.url


@pytest.mark.parametrize(
    ("address", "host"),
    [
        pytest.param(nowhere, "nosuchhost.invalid", id="no address"),
        pytest.param(closed_port, "127.0.0.1", id="refused"),
        pytest.param(lambda: resetting(reset_when_asked), "127.0.0.1", id="reset"),
        pytest.param(lambda: resetting(reset_within_the_body), "127.0.0.1", id="reset in the body"),
    ],
)
def test_12_nobody_there(twins: "Twins", address: Address, host: str) -> None:
    """Where no station can be reached each is asked again, and then it is exit code 5 and one line."""
    with address() as url:
        ran = twins.meet(5, api_url=url, retries=1)
    said = complaint(ran)
    assert "stations 7, 8: " in said
    assert f"{host} cannot be reached: " in said
    assert [(found["requests"], found["retries"]) for found in ran.json["stations"]] == [(2, 1), (2, 1)]
    twins.recover()


def test_12_one_station_reset(twins: "Twins") -> None:
    """Where one station cannot be reached the other is stored, and it is exit code 3."""
    with talking(reset_for_8) as server:
        ran = twins.run(3, api_url=server.url)
    assert complaint(ran).startswith("station 8: 127.0.0.1 cannot be reached: ")
    twins.assert_failed_alone(8, other=7)
    twins.recover()


def test_12_back_off(twins: "Twins") -> None:
    """Each wait before asking again is longer at least than the last could be at shortest, and none is foreseeable."""
    with talking(reset_when_asked) as server:
        twins.meet(5, api_url=server.url, retries=3, stations="8")
    waits = [after - before for before, after in itertools.pairwise(server.came)]
    beyond = [wait - 0.1 * 2**n for n, wait in enumerate(waits)]
    assert len(waits) == 3
    assert all(0 <= more < 1.5 for more in beyond)
    assert len({round(more, 3) for more in beyond}) > 1
    twins.recover()


def chunk(body: bytes) -> bytes:
    """One piece of a body under Transfer-Encoding: chunked."""
    return b"%x\r\n%s\r\n" % (len(body), body)


def chunked(*pieces: bytes) -> Reply:
    return Reply(body=iter(pieces), headers={"Transfer-Encoding": "chunked"})


def squeezed(body: bytes) -> Reply:
    return Reply(body=body, headers={"Content-Encoding": "gzip"})


CUT: dict[str, Callable[[bytes], Reply]] = {
    "short of its length": lambda body: Reply(body=body[:-9], headers={"Content-Length": str(len(body))}),
    "whole JSON short of its length": lambda body: Reply(body=body, headers={"Content-Length": str(len(body) + 1)}),
    "chunks without an end": lambda body: chunked(chunk(body)),
    "a chunk cut": lambda body: chunked(chunk(body)[:-20]),
    "gzip cut": lambda body: squeezed(gzip.compress(body)[:-30]),
    "gzip without its check": lambda body: squeezed(gzip.compress(body)[:-8]),
    "JSON cut": lambda body: Reply(body=body[:-9]),
    "JSON cut after a row": lambda body: Reply(body=body[: body.rindex(b",{")]),
}


@pytest.mark.parametrize("fault", CUT)
def test_13_a_cut_answer(twins: "Twins", fault: str) -> None:
    """A cut answer is never taken for a whole one: it is asked for again, then its station has failed, and no other."""

    def script(request: Request) -> Reply:
        return CUT[fault](hours(8)) if station(request) == 8 else well(request)

    with serving(script) as server:
        ran = twins.run(3, api_url=server.url)
        assert [station(request) for request in server.requests].count(8) == 2
    assert complaint(ran).startswith("station 8: ")
    assert [found["retries"] for found in ran.json["stations"]] == [0, 1]
    twins.assert_failed_alone(8, other=7)
    twins.recover()


def test_13_all_answers_cut(twins: "Twins") -> None:
    """Where every answer is cut, which readers in common use do not notice, it is exit code 5."""
    whole = hours(8)
    with serving(in_turn(CUT["short of its length"](whole), CUT["gzip cut"](whole))) as server:
        with urllib.request.urlopen(server.url) as response:  # noqa: S310 -- ours
            assert response.read(MEGABYTE) == whole[:-9]
        with urllib.request.urlopen(server.url) as response:  # noqa: S310 -- ours
            assert whole.startswith(zlib.decompressobj(wbits=31).decompress(response.read()))
        ran = twins.meet(5, api_url=server.url)
    assert complaint(ran).startswith("stations 7, 8: ")
    twins.recover()


def slow(head: bytes = b"", byte: bytes = b"") -> Talk:
    """A server that sends `head`, then a byte a quarter of a second, until the other end has gone."""

    def talk(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(head)
        while True:
            if select.select([connection], [], [], 0.25)[0]:
                if not connection.recv(1 << 16):
                    return
            else:
                connection.sendall(byte)

    return talk


SLOW = {
    "body": slow(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" "),
    "headers": slow(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    "nothing": slow(),
}


def assert_in_time(server: RawServer, requests: int, most: float) -> None:
    """Every connection ended within a second of `most`."""
    until = time.monotonic() + 2
    while len(server.lasted) < requests and time.monotonic() < until:
        time.sleep(0.01)
    assert len(server.lasted) == len(server.came) == requests
    assert all(0.5 < lasted < most + 1 for lasted in server.lasted), server.lasted


def test_14_a_time_out_that_never_comes() -> None:
    """The time-out of an HTTP library starts anew with each byte, so that a dripping body never meets it."""

    def drips() -> Iterator[bytes]:
        for _ in range(8):
            time.sleep(0.25)
            yield b" "

    with serving(lambda _: Reply(body=drips(), headers={"Content-Length": "8"})) as server:
        began = time.monotonic()
        assert httpx.get(server.url, timeout=1).status_code == 200
        assert time.monotonic() - began >= 2


@pytest.mark.parametrize("stop", [False, True])
def test_14_names_that_nobody_looks_up(twins: "Twins", resolver: str, stop: bool) -> None:  # noqa: FBT001 -- a case
    """A name server that says nothing holds no request beyond its time, and nothing beyond SIGTERM."""
    names = asking(resolver, twins.airq.directory)
    env = twins.settings({"api_url": "http://api.airq.test", "timeout_s": 20 if stop else 1, "retries": 0})
    with answering(resolver, None) as asked:
        words = [*names, sys.executable, "-m", "airq_etl", "run", "-q"]
        run = subprocess.Popen(words, env=twins.airq.environment | env, stderr=subprocess.PIPE, encoding="utf-8")
        while not asked:
            assert run.poll() is None
            time.sleep(0.01)
        began = time.monotonic()
        if stop:
            run.send_signal(signal.SIGTERM)
        _, said = run.communicate(timeout=30)
        assert time.monotonic() - began < 3
    assert run.returncode == (128 + signal.SIGTERM if stop else 5)
    assert len(said.splitlines()) == 1
    assert_same(state(twins.data), twins.before)


@pytest.mark.parametrize("fault", [*SLOW, "handshake"])
def test_14_a_slow_api(twins: "Twins", fault: str) -> None:
    """A request ends within a second of its total deadline, whatever drips, and the line names the setting."""
    with talking(SLOW.get(fault, slow())) as server:
        url = server.url.replace("http", "https") if fault == "handshake" else server.url
        began = time.monotonic()
        ran = twins.meet(5, api_url=url, timeout_s=1, retries=0)
        assert time.monotonic() - began < 4
        assert_in_time(server, requests=2, most=1)
    assert "stations 7, 8: " in complaint(ran)
    assert "AIRQ_TIMEOUT_S" in complaint(ran) or fault == "handshake"
    twins.recover()


@pytest.mark.parametrize("fault", ["body", "headers", "nothing"])
def test_14_a_slow_token_endpoint(twins: "Twins", fault: str) -> None:
    """A token endpoint that drips is given up in time, too, and the line says which of the two it was."""
    with serving(well) as api, talking(SLOW[fault]) as server:
        env = CREDENTIALS | {"api_url": api.url, "token_url": server.url, "timeout_s": 1, "retries": 0}
        began = time.monotonic()
        ran = twins.meet(5, **env)
        assert time.monotonic() - began < LONGEST_RENEWAL + 3
        assert api.requests == []
        assert_in_time(server, requests=len(server.came), most=LONGEST_RENEWAL)
    assert "stations 7, 8: " in complaint(ran)
    assert "token endpoint" in complaint(ran)
    twins.recover()


def bomb(megabytes: int) -> bytes:
    """So many megabytes of zeros under gzip."""
    pack = zlib.compressobj(9, wbits=31)
    first = pack.compress(bytes(MEGABYTE)) + pack.flush(zlib.Z_FULL_FLUSH)
    # After a full flush each block stands by itself, so that one may be repeated.
    again = pack.compress(bytes(MEGABYTE)) + pack.flush(zlib.Z_FULL_FLUSH)
    return first + again * (megabytes - 1) + pack.flush()


def layered(body: bytes, layers: int) -> Reply:
    for _ in range(layers):
        body = gzip.compress(body)
    return Reply(body=body, headers={"Content-Encoding": ", ".join(["gzip"] * layers)})


def filled(piece: bytes, size: int) -> bytes:
    """A document whose data are `piece` again and again, up to `size` bytes."""
    return b'{"data":[' + b",".join([piece] * (size // (len(piece) + 1))) + b"]}"


def long_headers(connection: socket.socket) -> None:
    connection.recv(1 << 16)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-More: %s\r\n" % (b"x" * 1000) * 100)


MEMBER = gzip.compress(bytes(MEGABYTE))
HEAVY: dict[str, Callable[[], Reply]] = {
    "endless": lambda: Reply(body=ENDLESS),
    "endless chunks": lambda: Reply(
        body=itertools.repeat(chunk(bytes(1 << 16))), headers={"Transfer-Encoding": "chunked"}
    ),
    "1 GB": lambda: Reply(body=itertools.repeat(bytes(1 << 16), 1 << 14), headers={"Content-Length": str(1 << 30)}),
    "gzip bomb": lambda: squeezed(bomb(1024)),
    "gzip in 1024 members": lambda: squeezed(MEMBER * 1024),
    "gzip, then zeros": lambda: squeezed(gzip.compress(b"{}") + bytes(NEARLY)),
    "gzip in 10 layers": lambda: layered(bomb(1024), 10),
    "lists": lambda: squeezed(gzip.compress(filled(b"[]", NEARLY), 1)),
    "objects": lambda: squeezed(gzip.compress(filled(b"{}", NEARLY), 1)),
    "spaces": lambda: Reply(body=b'{"data":' + b" " * (NEARLY)),
    "nested": lambda: Reply(body=b'{"data":' + b"[" * (NEARLY)),
    "wide text": lambda: Reply(body=b'{"data":{"a":"%s"}}' % ("😀".encode() + b"a" * (NEARLY))),
    "a long number": lambda: Reply(body=b'{"data":%s}' % (b"9" * (NEARLY))),
}


def test_15_heavy_answers_at_once(twins: "Twins", record_property: Callable[[str, object], None]) -> None:
    """As many heavy answers as are asked for at a time together stay below 300 MB."""
    reply = squeezed(bomb(1024))
    with serving(lambda _: reply) as server:
        ran, peak = twins.weigh(5, api_url=server.url, stations="1,2,3,4,5,6,7,8", retries=0)
    record_property("peak_rss_mb", peak)
    print(f"8 gzip bombs at once: {peak} MB")  # noqa: T201 -- a measure for whoever looks on
    assert complaint(ran).startswith("stations 1, 2, 3, 4, 5 and 3 more: ")
    assert_same(state(twins.data), twins.before)
    assert peak < MOST_MB
    twins.recover()


@pytest.mark.parametrize("fault", HEAVY)
def test_15_a_heavy_answer(twins: "Twins", record_property: Callable[[str, object], None], fault: str) -> None:
    """An answer that is too much is given up in good time, and the command never holds 300 MB."""
    reply = HEAVY[fault]()
    with serving(lambda _: reply) as server:
        began = time.monotonic()
        ran, peak = twins.weigh(5, api_url=server.url, stations="8", retries=0)
        took = time.monotonic() - began
    record_property("peak_rss_mb", peak)
    print(f"{fault}: {peak} MB, {took:.1f} s")  # noqa: T201 -- a measure for whoever looks on
    assert complaint(ran).startswith("station 8: ")
    assert_same(state(twins.data), twins.before)
    assert peak < MOST_MB
    assert took < 15
    twins.recover()


LIGHTER = {
    "lists": filled(b"[]", 3 * 990_000),
    "objects": filled(b"{}", 3 * 990_000),
    "keys": b'{"data":[{%s}]}' % b",".join(b'"%d":1' % n for n in range(990_000)),
}


@pytest.mark.parametrize("fault", LIGHTER)
def test_15_an_answer_just_light_enough(
    twins: "Twins", record_property: Callable[[str, object], None], fault: str
) -> None:
    """The heaviest answers that are still read, whatever comes of them, stay below 300 MB and a handful of lines."""
    with serving(in_turn(Reply(body=LIGHTER[fault]))) as server:
        ran, peak = twins.weigh(0, 5, api_url=server.url, stations="8", retries=0)
    record_property("peak_rss_mb", peak)
    print(f"just light enough, {fault}: {peak} MB")  # noqa: T201 -- a measure for whoever looks on
    assert len(ran.err.splitlines()) < 10
    assert peak < MOST_MB
    twins.recover()


def test_15_endless_headers(twins: "Twins") -> None:
    """Headers without an end are given up."""
    with talking(long_headers) as server:
        ran, peak = twins.weigh(5, api_url=server.url, stations="8", retries=0)
    assert complaint(ran).startswith("station 8: ")
    assert peak < MOST_MB
    assert_same(state(twins.data), twins.before)
    twins.recover()


def date_in(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "least"),
    [
        pytest.param(lambda: "2", 2.0, id="seconds"),
        pytest.param(lambda: date_in(3), 2.0, id="date"),
        pytest.param(lambda: date_in(-3600), 0.0, id="past"),
        pytest.param(lambda: "-5", 0.1, id="negative"),
        pytest.param(lambda: "soon", 0.1, id="junk"),
        pytest.param(lambda: "\xb2", 0.1, id="no ASCII digit"),
        pytest.param(lambda: "Mon, 01 Jan 0001 00:00:00 +2300", 0.0, id="before time"),
        pytest.param(lambda: "Fri, 31 Dec 9999 23:59:59 -2300", 0.1, id="after time"),
    ],
)
def test_16_a_wait_that_is_told(twins: "Twins", header: Callable[[], str], least: float) -> None:
    """A 429 is waited out as its Retry-After tells, and with back-off where that tells nothing."""
    came: list[float] = []

    def script(request: Request) -> Reply:
        came.append(time.monotonic())
        return well(request) if len(came) == 2 else Reply(429, headers={"Retry-After": header()})

    with serving(lambda request: script(request) if station(request) == 8 else well(request)) as server:
        ran = twins.run(0, api_url=server.url)
    assert [found["retries"] for found in ran.json["stations"]] == [0, 1]
    assert least <= came[1] - came[0] < least + 3
    twins.assert_like_undisturbed()


def test_16_digits_that_are_no_number() -> None:
    """What is a digit to Python is not always a number."""
    assert "\xb2".isdigit()
    with pytest.raises(ValueError, match="could not convert"):
        float("\xb2")


@pytest.mark.parametrize("header", ["999999", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT", "1", "junk"])
def test_16_never_past_the_deadline(twins: "Twins", header: str) -> None:
    """However long a 429 asks to wait, or however often, a run ends at its deadline."""
    with serving(in_turn(Reply(429, headers={"Retry-After": header}))) as server:
        began = time.monotonic()
        ran = twins.meet(5, api_url=server.url, retries=20, run_deadline_s=2)
        assert time.monotonic() - began < 2 + 2
    # By the last answer or by the deadline, whichever came first for a station.
    assert all("429" in line or "AIRQ_RUN_DEADLINE_S" in line for line in lines(ran))
    assert 1 <= len(lines(ran)) <= len(STATIONS)
    twins.recover()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_17_a_server_in_trouble(twins: "Twins", status: int) -> None:
    """Errors of the server that pass are waited out: exit code 0, the retries are counted, nothing is complained of."""
    asked = itertools.count()

    def script(request: Request) -> Reply:
        return well(request) if station(request) == 7 or next(asked) == 2 else Reply(status, b"<html>sorry")

    with serving(script) as server:
        ran = twins.run(0, api_url=server.url, retries=2)
    assert [(found["requests"], found["retries"]) for found in ran.json["stations"]] == [(1, 0), (3, 2)]
    assert ran.err == ""
    twins.assert_like_undisturbed()


@pytest.mark.parametrize("status", [302, 307])
def test_23_the_api_elsewhere(twins: "Twins", status: int) -> None:
    """A redirect of the API is refused, and the other host, which careless readers show the token, sees nothing."""
    realm = Realm()
    with serving(realm.grant) as token, serving(well) as other:
        target = other.url.replace("127.0.0.1", "localhost")
        with serving(lambda request: Reply(status, headers={"Location": target + request.path})) as api:
            careless = urllib.request.Request(api.url + "/v3/7", headers={"Authorization": "Bearer hush"})  # noqa: S310 -- ours
            urllib.request.urlopen(careless).close()  # noqa: S310 -- ours
            assert other.requests.pop().headers["Authorization"] == "Bearer hush"
            api.requests.clear()
            env = CREDENTIALS | {"api_url": api.url, "token_url": token.url}
            ran = twins.meet(5, **env)
            assert len(api.requests) == len(STATIONS)
            twins.say(5, [HUSH], **env)
        assert other.requests == []
    assert complaint(ran).startswith("stations 7, 8: ")
    assert "redirects to 'http://localhost:" in complaint(ran)
    twins.recover()


def test_23_a_loop(twins: "Twins") -> None:
    """A redirect of the API to itself is refused at once."""
    with serving(lambda request: Reply(302, headers={"Location": request.path})) as api:
        ran = twins.meet(5, api_url=api.url, stations="8")
        assert len(api.requests) == 1
    assert complaint(ran).startswith("station 8: the API redirects to ")
    twins.recover()


@pytest.mark.parametrize("status", [302, 307])
def test_23_the_token_endpoint_elsewhere(twins: "Twins", status: int) -> None:
    """A redirect of the token endpoint is refused: the other host gets no credentials, the API is not asked."""
    with serving(Realm().grant) as other, serving(well) as api:
        with serving(in_turn(Reply(status, headers={"Location": other.url}))) as token:
            httpx.post(token.url, data=dict(CREDENTIALS), follow_redirects=True)
            careless = other.requests.pop()
            assert (careless.form.get("client_secret") == "hush-client") == (status != 302)
            env = CREDENTIALS | {"api_url": api.url, "token_url": token.url}
            ran = twins.meet(5, **env)
            twins.say(5, [HUSH], **env)
        assert other.requests == api.requests == []
    assert complaint(ran).startswith("stations 7, 8: ")
    assert f"the token endpoint answers with status {status}" in complaint(ran)
    twins.recover()


def test_13_json_that_is_cut_is_no_json() -> None:
    """The rows of a cut document are found by whoever looks for rows, and by no one who reads it whole."""
    cut = hours(8)[:-9]
    assert cut.count(b'{"timestamp"') == 65
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut)
