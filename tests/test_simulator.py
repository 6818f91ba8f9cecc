"""The look-alike answers as the API does, over real HTTP on the loopback."""

import gzip
import json
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from airq_etl.simulator import Simulator
from airq_etl.synthetic import HISTORY, readings, station_header

FIRST, SECOND = 283164601, 283181971
NOW = datetime(2026, 9, 10, 10, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
EARLY = datetime(2023, 12, 6, 16, 20, tzinfo=UTC)  # when the first captures had just been taken
LATE = datetime(2023, 12, 10, 0, 30, tzinfo=UTC)

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; httpx would load the machine's certificates each time
get = partial(httpx.get, verify=TLS, trust_env=False)
post = partial(httpx.post, verify=TLS, trust_env=False)

Row = dict[str, Any]


class Clock:
    """A time that a test moves; counts how often it is read."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.reads = 0

    def __call__(self) -> datetime:
        self.reads += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def simulator(clock: Clock) -> Iterator[Simulator]:
    with Simulator([FIRST, SECOND], now=clock) as running:
        yield running


@pytest.fixture
def guarded(clock: Clock) -> Iterator[Simulator]:
    with Simulator([FIRST], now=clock, auth=True) as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(verify=TLS, trust_env=False) as running:
        yield running


def hourly(simulator: Simulator, station: int | str = FIRST) -> str:
    return f"{simulator.url}/v3/getStationHourlyAvg/{station}"


def rows(answer: httpx.Response) -> list[Row]:
    assert answer.status_code == 200
    data: list[Row] = answer.json()["data"]
    return data


def date(moment: datetime) -> str:
    return f"{moment:%Y%m%d-%H%M}"


def window(first: datetime, last: datetime) -> dict[str, str]:
    return {"start_date": date(first), "end_date": date(last)}


def refresh(simulator: Simulator, token: str, **other: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    client = {"client_id": simulator.client_id, "client_secret": simulator.client_secret}
    return post(simulator.token_url, data=form | client | other)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def saved(path: Path, station_name: str, *stamps: str) -> None:
    data = [{"timestamp": stamp, "CO": 1.5} for stamp in stamps]
    body = json.dumps({"header": {"station_name": station_name}, "data": data}).encode()
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)


# What it answers


def test_made_up_station(simulator: Simulator, client: httpx.Client) -> None:
    """Without dates the answer is header and rows of the year before now, as compact JSON."""
    answer = client.get(hourly(simulator))
    assert answer.json() == {"header": station_header(FIRST), "data": readings(FIRST, NOW - HISTORY, NOW, NOW)}
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == json.dumps(answer.json(), separators=(",", ":"))


def test_window(simulator: Simulator, client: httpx.Client) -> None:
    """With dates the answer holds the hours from the first to the last of them, both included."""
    first, last = NOW - 40 * HOUR, NOW - 30 * HOUR
    answer = client.get(hourly(simulator), params=window(first, last))
    assert rows(answer) == readings(FIRST, first, last, NOW)
    sharp = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert [row["timestamp"] for row in rows(client.get(hourly(simulator), params=window(sharp, sharp)))] == [
        "2026-03-01 12:00:00"
    ]


def test_one_end(simulator: Simulator, client: httpx.Client) -> None:
    """An end that is not given is a year ago, or now."""
    moment = NOW - 30 * HOUR
    since = client.get(hourly(simulator), params={"start_date": date(moment)})
    until = client.get(hourly(simulator), params={"end_date": date(moment)})
    assert rows(since) == readings(FIRST, moment, NOW, NOW)
    assert rows(until) == readings(FIRST, NOW - HISTORY, moment, NOW)


def test_history_expires(simulator: Simulator, client: httpx.Client) -> None:
    """A window older than a year is an empty answer, no error."""
    answer = client.get(hourly(simulator), params=window(NOW - 2 * HISTORY, NOW - HISTORY - HOUR))
    assert answer.json() == {"header": station_header(FIRST), "data": []}


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "2026-09-10"},
        {"start_date": "20260910"},
        {"end_date": "20260910-2460"},
        {"end_date": "20261310-0000"},
        {"start_date": ""},
        {"start_date": "20260910-0000Z"},
        {"start_date": "20260910-0100", "end_date": "20260910-0000"},
        {"start_date": "20250101-0000", "end_date": "20260103-0000"},
    ],
)
def test_bad_window(simulator: Simulator, client: httpx.Client, query: dict[str, str]) -> None:
    """A date that is none, a start after its end, and more than 366 days are refused with 400 and a reason."""
    answer = client.get(hourly(simulator), params=query)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_longest_window(simulator: Simulator, client: httpx.Client) -> None:
    """366 days are not too many."""
    assert rows(client.get(hourly(simulator), params=window(NOW - timedelta(days=366), NOW)))


@pytest.mark.parametrize("path", ["/v3/getStationHourlyAvg/5", "/v3/getStationHourlyAvg/abc", "/", "/v3/getStations/x"])
def test_unknown(simulator: Simulator, client: httpx.Client, path: str) -> None:
    """An unknown station or path is 404 with a reason."""
    answer = client.get(simulator.url + path)
    assert answer.status_code == 404
    assert answer.json()["error"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_other_methods(simulator: Simulator, client: httpx.Client, method: str) -> None:
    """What the API does not know it refuses in JSON, and the next request is answered."""
    answer = client.request(method, hourly(simulator), json={"a": 1})
    assert answer.status_code in {404, 501}
    assert answer.json()["error"]
    assert rows(client.get(hourly(simulator)))


# How it speaks HTTP


def test_gzip_when_asked(simulator: Simulator) -> None:
    """The body is gzip for a client that takes it, else plain; both are the same JSON, the first a third at most."""
    plain = get(hourly(simulator), headers={"Accept-Encoding": "identity"})
    packed = get(hourly(simulator), headers={"Accept-Encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(plain.headers["content-length"]) == len(plain.content)
    assert int(packed.headers["content-length"]) < len(plain.content) / 3


def test_requests_are_written_down(simulator: Simulator) -> None:
    """A test can read what was asked, and how many bytes the answer took on the wire."""
    with socket.create_connection(("127.0.0.1", httpx.URL(simulator.url).port or 0)) as connection:
        connection.sendall(
            b"GET /v3/getStationHourlyAvg/5?end_date=20260101-0000 HTTP/1.1\r\nConnection: close\r\n\r\n"
        )
        size = sum(map(len, iter(lambda: connection.recv(65536), b"")))
    (asked,) = simulator.requests
    assert asked.method == "GET"
    assert asked.path == "/v3/getStationHourlyAvg/5"
    assert asked.query == {"end_date": "20260101-0000"}
    assert asked.status == 404
    assert asked.wire_bytes == size


def test_connection_is_kept(simulator: Simulator, client: httpx.Client) -> None:
    """Requests follow each other on one connection."""
    streams = set()
    for _ in range(3):
        with client.stream("GET", hourly(simulator, 5)) as answer:
            streams.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
            answer.read()
    assert len(streams) == 1


def test_clock_is_the_callers(simulator: Simulator, client: httpx.Client, clock: Clock) -> None:
    """Rows and the Date header follow the given clock, which is read once a request."""
    clock.now = datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)
    answer = client.get(hourly(simulator))
    assert answer.headers.get_list("date") == ["Thu, 29 Feb 2024 23:59:58 GMT"]
    assert rows(answer) == readings(FIRST, clock.now - HISTORY, clock.now, clock.now)
    assert clock.reads == 1
    clock.now += 30 * HOUR
    assert rows(client.get(hourly(simulator)))[-1]["timestamp"] > "2024-03-01"


def test_many_at_once(simulator: Simulator) -> None:
    """Dozens of clients are answered at the same time."""
    query = window(NOW - 48 * HOUR, NOW)
    with ThreadPoolExecutor(24) as pool, httpx.Client(verify=TLS, trust_env=False) as client:
        answers = list(pool.map(lambda _: client.get(hourly(simulator), params=query).status_code, range(96)))
    assert answers == [200] * 96
    assert len(simulator.requests) == 96


def test_latency(clock: Clock) -> None:
    """Every answer waits for the latency that was asked for."""
    with Simulator([FIRST], now=clock, latency_s=0.05) as simulator:
        begin = time.monotonic()
        get(hourly(simulator, 5))
        assert time.monotonic() - begin >= 0.05


def test_an_outage_is_one(clock: Clock, client: httpx.Client) -> None:
    """When it has stopped, its port is closed, also to a client that kept its connection."""
    with Simulator([FIRST], now=clock) as simulator:
        assert client.get(hourly(simulator, 5)).status_code == 404
    with pytest.raises(httpx.TransportError):
        client.get(hourly(simulator, 5))
    with Simulator([FIRST], now=clock, port=httpx.URL(simulator.url).port or 0) as again:
        assert again.url == simulator.url
        assert client.get(hourly(again, 5)).status_code == 404


def test_port_taken(simulator: Simulator, clock: Clock) -> None:
    """A port that another process holds is an OSError, at once."""
    with pytest.raises(OSError, match="in use"):
        Simulator([FIRST], now=clock, port=httpx.URL(simulator.url).port or 0)


@pytest.mark.parametrize(
    "request_",
    [
        "\x16\x03\x01 nonsense",
        "GET",
        "GET / HTTP/9.9",
        "POST / HTTP/1.1\r\nContent-Length: 999999",
        "POST / HTTP/1.1\r\nContent-Length: -1",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked",
    ],
)
def test_malformed_requests(simulator: Simulator, request_: str) -> None:
    """What is no HTTP, or has a body beyond measure, is answered with an error in JSON, and the server goes on."""
    with socket.create_connection(("127.0.0.1", httpx.URL(simulator.url).port or 0)) as connection:
        connection.sendall(f"{request_}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b'{"error":' in answer
    assert get(hourly(simulator, 5)).status_code == 404


def test_silence(simulator: Simulator, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Requests are logged for who debugs, and nothing is printed, not even when a client hangs up."""
    caplog.set_level(logging.DEBUG)
    with socket.create_connection(("127.0.0.1", httpx.URL(simulator.url).port or 0)) as connection:
        connection.sendall(b"GET /v3/getStationHourlyAvg/283164601 HTTP/1.1\r\n\r\n")
    get(hourly(simulator, 5))
    ours = [record for record in caplog.records if record.name == "airq_etl.simulator"]
    assert ours
    assert {record.levelno for record in ours} == {logging.DEBUG}
    assert capfd.readouterr() == ("", "")


# Tokens


def test_no_token(guarded: Simulator, client: httpx.Client) -> None:
    """Without a token, or with a wrong one, the answer is 401 with the body `{}`, whatever the path."""
    wrong = [{}, bearer("wrong"), bearer(guarded.refresh_token), bearer("x y"), {"Authorization": "Basic YTpi"}]
    for headers in wrong:
        for url in (hourly(guarded), hourly(guarded, 5), guarded.url):
            answer = client.get(url, headers=headers)
            assert answer.status_code == 401
            assert answer.content == b"{}"


def test_refresh_token_grant(guarded: Simulator, client: httpx.Client) -> None:
    """The refresh token is good for an access token, and that for readings."""
    granted = refresh(guarded, guarded.refresh_token)
    assert granted.status_code == 200
    assert granted.json().keys() == {"access_token", "expires_in", "refresh_token", "token_type"}
    assert granted.json()["expires_in"] == 60
    assert granted.json()["token_type"] == "Bearer"  # noqa: S105 -- a scheme, no secret
    assert rows(client.get(hourly(guarded), headers=bearer(granted.json()["access_token"])))


def test_password_grant(guarded: Simulator, client: httpx.Client) -> None:
    """Name and password are good for the same; a wrong password is refused."""
    user = {"grant_type": "password", "scope": "openid", "username": guarded.username}
    granted = refresh(guarded, "", **user, password=guarded.password)
    assert rows(client.get(hourly(guarded), headers=bearer(granted.json()["access_token"])))
    assert refresh(guarded, granted.json()["refresh_token"]).status_code == 200
    refused = refresh(guarded, "", **user, password="wrong")  # noqa: S106 -- and it is wrong
    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_grant"})


def test_refresh_tokens_rotate(guarded: Simulator) -> None:
    """Each use of a refresh token gives a new one and ends the old; the access token lives on."""
    token, seen = guarded.refresh_token, {guarded.refresh_token}
    for _ in range(3):
        granted = refresh(guarded, token)
        refused = refresh(guarded, token)
        assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})
        token = granted.json()["refresh_token"]
        seen |= {token, granted.json()["access_token"]}
        assert guarded.accepts(f"Bearer {granted.json()['access_token']}")
    assert len(seen) == 7
    assert min(map(len, seen)) >= 40


def test_one_refresh_of_many_wins(guarded: Simulator) -> None:
    """A refresh token used many times at once is good for exactly one of them."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(guarded, guarded.refresh_token).status_code, range(16)))
    assert sorted(answers) == [200] + [400] * 15


def test_client_must_be_known(guarded: Simulator) -> None:
    """A wrong client or secret is refused, and costs no refresh token."""
    for wrong in ({"client_id": "other"}, {"client_secret": "other"}, {"client_secret": ""}):
        refused = refresh(guarded, guarded.refresh_token, **wrong)
        assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})
    assert refresh(guarded, guarded.refresh_token).status_code == 200


def test_other_grants(guarded: Simulator) -> None:
    """Other grants, unknown refresh tokens and forms that are none are refused."""
    assert refresh(guarded, "", grant_type="client_credentials").json() == {"error": "unsupported_grant_type"}
    assert refresh(guarded, "").json() == {"error": "invalid_grant"}
    assert post(guarded.token_url, json={}).status_code == 401


def test_access_tokens_expire(clock: Clock) -> None:
    """An access token dies after its seconds of real time, whatever the clock of the readings says."""
    with Simulator([FIRST], now=clock, auth=True, token_seconds=0) as simulator:
        token = refresh(simulator, simulator.refresh_token).json()["access_token"]
        assert get(hourly(simulator), headers=bearer(token)).status_code == 401
    with Simulator([FIRST], now=clock, auth=True) as simulator:
        token = refresh(simulator, simulator.refresh_token).json()["access_token"]
        clock.now += 9 * HOUR
        assert get(hourly(simulator), headers=bearer(token)).status_code == 200


def test_tokens_are_not_logged(guarded: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    """No secret reaches the log or the list of requests."""
    caplog.set_level(logging.DEBUG)
    granted = refresh(guarded, guarded.refresh_token).json()
    get(hourly(guarded), headers=bearer(granted["access_token"]))
    secret = {guarded.client_secret, guarded.refresh_token, granted["access_token"], granted["refresh_token"]}
    told = caplog.text + repr(guarded.requests)
    assert not [token for token in secret if token in told]


# Saved payloads


@pytest.mark.parametrize(("now", "day", "count"), [(EARLY, "2023-12-06", 16_162), (LATE, "2023-12-10", 16_183)])
def test_playback_is_the_payload(captures_dir: Path, now: datetime, day: str, count: int) -> None:
    """A real payload passes through to the byte: no row lost, no digit changed."""
    told = 0
    with Simulator([], now=Clock(now), captures=captures_dir) as simulator:
        for station in (FIRST, SECOND):
            answer = get(hourly(simulator, station))
            assert answer.content == gzip.decompress((captures_dir / f"{station}_{day}.json.gz").read_bytes())
            told += len(rows(answer))
    assert told == count


def test_playback_before_the_first(captures_dir: Path) -> None:
    """While a station's payloads all end in the future it has its header and no rows."""
    with Simulator([], now=Clock(EARLY - HOUR), captures=captures_dir) as simulator:
        answer = get(hourly(simulator)).json()
    assert answer["header"]["station_name"] == "SMART188"
    assert answer["data"] == []


def test_playback_window(captures_dir: Path) -> None:
    """Dates cut a payload, both ends included; the year before now cuts it too."""
    clock = Clock(LATE)
    first, last = datetime(2023, 12, 6, 14, tzinfo=UTC), datetime(2023, 12, 6, 16, tzinfo=UTC)
    with Simulator([], now=clock, captures=captures_dir) as simulator:
        asked = rows(get(hourly(simulator), params=window(first, last)))
        clock.now += timedelta(days=100)
        left = rows(get(hourly(simulator)))
    assert [row["timestamp"][11:13] for row in asked] == ["14", "15", "16"]
    assert asked[-1]["CO"] == -0.4155067  # final; the earlier payload has the partial hour
    assert left[0]["timestamp"] >= "2023-03-20 00:30:00"
    assert left[-1]["timestamp"] == "2023-12-10 00:00:00"


def test_playback_stations(tmp_path: Path) -> None:
    """The stations are those of the directory, plain or packed, and not those that were named."""
    saved(tmp_path / "1_a.json", "one", "2026-09-10 09:00:00")
    saved(tmp_path / "22_a.json.gz", "two", "2026-09-10 09:00:00")
    (tmp_path / "notes.json").write_text("no payload")
    (tmp_path / "33_a.csv").write_text("no payload")
    with Simulator([FIRST], now=Clock(NOW), captures=tmp_path) as simulator:
        names = [get(hourly(simulator, n)).json()["header"]["station_name"] for n in (1, 22)]
        unknown = [get(hourly(simulator, n)).status_code for n in (FIRST, 2, 33)]
    assert names == ["one", "two"]
    assert unknown == [404] * 3


def test_playback_takes_the_newest_that_has_ended(tmp_path: Path) -> None:
    """Of a station's payloads the one counts that ends last, but not after now; names and order play no part."""
    saved(tmp_path / "1_c.json", "early", "2026-09-08 10:00:00", "2026-09-08 09:00:00")
    saved(tmp_path / "1_b.json", "middle", "2026-09-09 10:00:00")
    saved(tmp_path / "1_a.json", "late", "2026-09-10 10:00:00")
    clock, told = Clock(NOW), []
    with Simulator([], now=clock, captures=tmp_path) as simulator:
        for moment in ("2026-09-10 10:00", "2026-09-10 09:59", "2026-09-09 09:59", "2026-09-08 09:59"):
            clock.now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
            answer = get(hourly(simulator, 1)).json()
            told.append((answer["header"]["station_name"], len(answer["data"])))
    assert told == [("late", 1), ("middle", 1), ("early", 2), ("early", 0)]


@pytest.mark.parametrize("name", ["empty", "absent"])
def test_playback_without_payloads(tmp_path: Path, name: str) -> None:
    """A directory without payloads, or none at all, is an error that names it."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=str(tmp_path / name)):
        Simulator([], now=Clock(NOW), captures=tmp_path / name)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"header": {}}', b'{"header": {}, "data": [{"CO": 1}]}', b"\xff"])
def test_playback_of_a_damaged_file(tmp_path: Path, body: bytes) -> None:
    """A file that cannot be read is a 500 that names it, and hurts no other station."""
    (tmp_path / "1_a.json").write_bytes(body)
    (tmp_path / "2_a.json.gz").write_bytes(gzip.compress(body)[:-3])
    saved(tmp_path / "3_a.json", "well", "2026-09-10 09:00:00")
    with Simulator([], now=Clock(NOW), captures=tmp_path) as simulator:
        for station, name in ((1, "1_a.json"), (2, "2_a.json.gz")):
            answer = get(hourly(simulator, station))
            assert answer.status_code == 500
            assert name in answer.json()["error"]
        assert rows(get(hourly(simulator, 3)))
