"""Tokens that are refused, that run out, that rotate, and an endpoint that is not there to give them."""

import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from airq_etl.simulator import Simulator
from tests.faults.realm import CREDENTIALS, HUSH, Realm
from tests.faults.state import assert_same, complaint, lines, state
from tests.faults.twins import STATIONS, assert_hidden, station, well
from tests.frames import hour
from tests.server import Reply, Request, in_turn, serving

if TYPE_CHECKING:
    from tests.faults.twins import Twins


@pytest.mark.parametrize("status", [401, 403])
def test_18_refused(twins: "Twins", status: int) -> None:
    """An API that refuses is tried with one fresh token, then it is exit code 6 and a line about credentials."""
    realm, refusing = Realm(), [True]

    def api(request: Request) -> Reply:
        return Reply(status, b"{}") if refusing[0] or not realm.opens(request) else well(request)

    with serving(realm.grant) as token, serving(api) as server:
        assert httpx.get(server.url).json().get("data", []) == []  # what a careless reader calls no new rows
        env = CREDENTIALS | {"api_url": server.url, "token_url": token.url, "concurrency": 1}
        ran = twins.meet(6, **env)
        assert realm.asked == 2
        twins.say(6, [HUSH], **env)
        said = complaint(ran)
        assert said.startswith("stations 7, 8: ")
        assert "credentials" in said
        assert str(status) in said
        assert "0 rows" not in ran.out
        refusing[0] = False
        twins.run(0, **env)
        assert_hidden([HUSH], ran, twins.data)
    twins.assert_like_undisturbed()


def test_18_one_station_refused(twins: "Twins") -> None:
    """An API that refuses one station gives the other: exit code 3, and a line about credentials."""
    realm = Realm()

    def api(request: Request) -> Reply:
        return well(request) if realm.opens(request) and station(request) == 7 else Reply(403, b"{}")

    with serving(realm.grant) as token, serving(api) as server:
        env = CREDENTIALS | {"api_url": server.url, "token_url": token.url, "concurrency": 1}
        ran = twins.run(3, **env)
        assert realm.asked == 2
    assert complaint(ran).startswith("station 8: the API refuses the credentials")
    twins.assert_failed_alone(8, other=7)
    twins.recover()


def test_18_credentials_refused(twins: "Twins") -> None:
    """A token endpoint that refuses is asked once, the API never, and it is exit code 6."""
    realm = Realm()
    realm.granted = 1  # so that the configured token is dead
    with serving(realm.grant) as token, serving(well) as server:
        env = CREDENTIALS | {"api_url": server.url, "token_url": token.url, "concurrency": 1}
        ran = twins.meet(6, **env)
        assert (realm.asked, server.requests) == (1, [])
        twins.say(6, [HUSH], **env)
    assert complaint(ran).startswith("stations 7, 8: the token endpoint refuses the credentials")
    twins.recover()


def test_19_no_token_endpoint(twins: "Twins") -> None:
    """A token endpoint that is down is asked again, then it is exit code 5 and a line that names it."""
    with socket.socket() as bound, serving(well) as server:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        env = CREDENTIALS | {"api_url": server.url, "token_url": url}
        ran = twins.meet(5, **env)
        assert server.requests == []
        twins.say(5, [HUSH], **env)
    assert complaint(ran).startswith("stations 7, 8: the token endpoint cannot be reached")
    assert [found["retries"] for found in ran.json["stations"]] == [1, 1]
    twins.recover()


def test_19_a_token_endpoint_in_trouble(twins: "Twins") -> None:
    """A token endpoint that answers with errors of a server is asked again, and its trouble passes unseen."""
    realm, asked = Realm(), itertools.count()
    with serving(lambda request: realm.grant(request) if next(asked) == 2 else Reply(503)) as token:
        with serving(lambda request: well(request) if realm.opens(request) else Reply(401, b"{}")) as server:
            ran = twins.run(0, **CREDENTIALS, api_url=server.url, token_url=token.url, retries=3)
        assert len(token.requests) == 3
    assert max(found["retries"] for found in ran.json["stations"]) in {1, 2}
    assert ran.err == ""
    twins.assert_like_undisturbed()


@pytest.mark.parametrize("expires_in", [300, 1])
def test_19_a_token_that_runs_out(twins: "Twins", expires_in: int) -> None:
    """A token that runs out, or that the API takes only once, is renewed within the run; none is shown."""
    realm, opened = Realm(expires_in), set[str]()

    def api(request: Request) -> Reply:
        token = request.headers["Authorization"]
        if token in opened or not realm.opens(request):
            return Reply(401, b"{}")
        opened.add(token)
        return well(request)

    with serving(realm.grant) as token, serving(api) as server:
        env = CREDENTIALS | {"api_url": server.url, "token_url": token.url, "concurrency": 1}
        ran = twins.run(0, "-v", **env)
    assert realm.asked == len(STATIONS)
    assert all(line.startswith("airq-etl: ") for line in lines(ran))
    assert_hidden([HUSH], ran, twins.data)
    twins.assert_like_undisturbed()


def test_19_tokens_of_a_second(twins: "Twins") -> None:
    """Where tokens last a second, a run over many stations takes as many as it needs, and shows none."""
    ids = range(1, 4)
    with Simulator(ids, now=lambda: hour(64), auth=True, token_seconds=1, latency_s=0.1) as server:
        env = {
            "api_url": server.url,
            "token_url": server.token_url,
            "client_secret": server.client_secret,
            "refresh_token": server.refresh_token,
            "stations": ",".join(map(str, ids)),
            "concurrency": 2,
        }
        ran = twins.run(0, "-v", **env)
        assert sum(asked.method == "POST" for asked in server.requests) > 1
        kept = json.loads((twins.data / "refresh_token.json").read_text())["refresh_token"]
        assert_hidden([server.client_secret, server.refresh_token, kept], ran, twins.data)
    assert [found["error"] for found in ran.json["stations"]] == [None] * 3


def test_19_killed_after_a_rotation(twins: "Twins") -> None:
    """A rotated refresh token is on disk, for its owner alone, before it is used: a kill loses nothing."""
    realm, asked, killed = Realm(), threading.Event(), threading.Event()
    file = twins.data / "refresh_token.json"
    on_disk: list[str] = []

    def api(request: Request) -> Reply:
        if not asked.is_set():
            on_disk.append(file.read_text())
            asked.set()
        if not killed.is_set():
            killed.wait(20)
        return well(request) if realm.opens(request) else Reply(401, b"{}")

    with serving(realm.grant) as token, serving(api) as server:
        env = CREDENTIALS | {"api_url": server.url, "token_url": token.url}
        victim = twins.start(**env)
        assert asked.wait(20)
        victim.kill()
        victim.wait()
        killed.set()
        assert "hush-refresh-1" in on_disk[0]
        assert file.stat().st_mode & 0o777 == 0o600
        refused = httpx.post(token.url, data=dict(CREDENTIALS))
        assert (refused.status_code, realm.granted) == (400, 1)  # the configured token is dead
        assert_same(state(twins.data), twins.before)
        ran = twins.run(0, "-v", **env)
        assert realm.granted == 2
    assert_hidden([HUSH], ran, twins.data)
    twins.assert_like_undisturbed()


def test_19_a_rotation_that_is_late(twins: "Twins") -> None:
    """A rotated token that comes after the last attempt gave up is kept all the same: the next run has it."""
    realm = Realm()

    def late(request: Request) -> Reply:
        granted = realm.grant(request)
        if granted.status != 200 or realm.granted > 1:
            return granted
        assert isinstance(granted.body, bytes)
        return Reply(body=slowly(granted.body))

    def slowly(body: bytes) -> Iterator[bytes]:
        for start in range(0, len(body), 30):
            time.sleep(0.4)
            yield body[start : start + 30]

    with serving(late) as token, serving(lambda r: well(r) if realm.opens(r) else Reply(401, b"{}")) as server:
        env = CREDENTIALS | {"api_url": server.url, "token_url": token.url}
        ran = twins.meet(5, timeout_s=1, retries=0, **env)
        assert complaint(ran).startswith("stations 7, 8: ")
        twins.run(0, **env)
    twins.assert_like_undisturbed()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"<html>" + HUSH.encode()),
        Reply(body=b'{"refresh_token": "hush-refresh-1"}'),
        Reply(body=b'{"access_token": "hush\\nbreak", "refresh_token": "hush-refresh-1"}'),
    ],
)
def test_19_an_answer_without_a_token(twins: "Twins", reply: Reply) -> None:
    """A token endpoint whose answer holds no token is exit code 5 and a line that names it, and shows no secret."""
    with serving(in_turn(reply)) as token, serving(well) as server:
        env = CREDENTIALS | {"api_url": server.url, "token_url": token.url, "retries": 0}
        ran = twins.meet(5, **env)
        assert server.requests == []
        twins.say(5, [HUSH], **env)
    assert complaint(ran).startswith("stations 7, 8: the token endpoint")
    twins.recover()
