"""OAuth2 against the simulator, and against token endpoints in trouble."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from airq_etl import settings as configuration
from airq_etl.credentials import BearerAuth, TokenFile, auth_for
from airq_etl.errors import AirqError, AnswerError, BusyError, CredentialsError
from airq_etl.lake import Lake
from airq_etl.settings import Settings
from airq_etl.simulator import Simulator
from tests.server import Reply, Request, Server, in_turn, serving


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path / "data")
    made.open()
    return made


def simulator(token_seconds: int = 60) -> Simulator:
    return Simulator([7], now=configuration.build({"data_dir": "d"}).clock, auth=True, token_seconds=token_seconds)


def of(server: Simulator, **more: Any) -> Settings:  # noqa: ANN401 -- any setting
    given = {
        "data_dir": "d",
        "api_url": server.url,
        "token_url": server.token_url,
        "client_secret": server.client_secret,
        "refresh_token": server.refresh_token,
    }
    return configuration.build({name: value for name, value in (given | more).items() if value is not None})


def both_at(server: Server) -> Settings:
    """The settings of an API and a token endpoint that are the same server."""
    given = {"data_dir": "d", "client_secret": "s", "refresh_token": "r"}
    return configuration.build(given | {"api_url": server.url, "token_url": server.url})


def get(settings: Settings, auth: httpx.Auth, times: int = 1) -> list[int]:
    """The statuses of so many requests at once."""

    async def ask() -> list[int]:
        url = f"{settings.api_url}/v3/getStationHourlyAvg/7"
        async with httpx.AsyncClient(auth=auth) as client:
            responses = await asyncio.gather(*(client.get(url) for _ in range(times)))
            return [response.status_code for response in responses]

    return asyncio.run(ask())


def tokens_asked(server: Simulator) -> int:
    return sum(asked.method == "POST" for asked in server.requests)


def test_a_refresh_token_opens(lake: Lake) -> None:
    """A configured refresh token gets a token, and one is enough for many requests at once."""
    with simulator() as server:
        settings = of(server)
        assert get(settings, BearerAuth(settings, lake), times=10) == [200] * 10
        assert tokens_asked(server) == 1


def test_a_password_opens(lake: Lake) -> None:
    """User and password get a token, too."""
    with simulator() as server:
        settings = of(server, refresh_token=None, username=server.username, password=server.password)
        assert get(settings, BearerAuth(settings, lake)) == [200]


def test_a_rotated_token_is_on_disk(lake: Lake) -> None:
    """Each new process goes on with the token that the last one was given, though the configured one is dead."""
    with simulator() as server:
        settings = of(server)
        for _ in range(3):
            assert get(settings, BearerAuth(settings, lake)) == [200]
        assert server.refresh_token not in (lake.root / "refresh_token.json").read_text()
        (lake.root / "refresh_token.json").unlink()
        with pytest.raises(CredentialsError):
            get(settings, BearerAuth(settings, lake))


@pytest.mark.parametrize("content", [b"", b"{", b'{"refresh_token": "\xff", "configured": "x"}', b"[" * 100_000])
def test_a_damaged_token_file_is_told_and_passed_over(
    lake: Lake, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    """Where the kept token cannot be read the configured one is tried, with one warning that names the file."""
    kept = TokenFile(lake, "configured")
    kept.path.write_bytes(content)
    assert kept.tokens() == kept.tokens() == ["configured"]
    assert [record.getMessage() for record in caplog.records] == [
        f"{kept.path} cannot be read; the configured refresh token is tried"
    ]


def test_the_kept_token_is_private(lake: Lake) -> None:
    """The kept token may be read by its owner alone."""
    TokenFile(lake, "configured").keep("rotated")
    assert (lake.root / "refresh_token.json").stat().st_mode & 0o777 == 0o600


def test_another_configured_token_starts_anew(lake: Lake) -> None:
    """A token kept for one configured token is not used for another; a damaged file is as good as none."""
    TokenFile(lake, "old").keep("rotated")
    assert TokenFile(lake, "old").tokens() == ["rotated", "old"]
    assert TokenFile(lake, "new").tokens() == ["new"]
    (lake.root / "refresh_token.json").write_bytes(b"\xff")
    assert TokenFile(lake, "old").tokens() == ["old"]


def test_a_dead_kept_token_falls_back(lake: Lake) -> None:
    """Where the kept token is refused the configured one is tried, then the password."""
    with simulator() as server:
        settings = of(server)
        TokenFile(lake, server.refresh_token).keep("dead")
        assert get(settings, BearerAuth(settings, lake)) == [200]
        both = of(server, refresh_token="dead as well", username=server.username, password=server.password)  # noqa: S106
        assert get(both, BearerAuth(both, lake)) == [200]


def test_a_token_that_ran_out_is_renewed(lake: Lake) -> None:
    """A token that the API no longer takes is renewed once, and the request made again."""
    with simulator(token_seconds=1) as server:
        settings = of(server)
        auth = BearerAuth(settings, lake)
        for _ in range(3):
            assert get(settings, auth) == [200]
        assert tokens_asked(server) == 3


def test_a_refused_token_is_renewed_once(lake: Lake) -> None:
    """An API that refuses every token is asked twice, not for ever."""
    grant = Reply(body=json.dumps({"access_token": "a", "expires_in": 300}).encode())
    with serving(lambda request: grant if request.method == "POST" else Reply(401, b"{}")) as server:
        settings = both_at(server)
        assert get(settings, BearerAuth(settings, lake)) == [401]
        assert [request.method for request in server.requests] == ["POST", "GET", "POST", "GET"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(400, b'{"error": "invalid_grant"}'), CredentialsError),
        (Reply(401, b'{"error": "invalid_client"}'), CredentialsError),
        (Reply(503), BusyError),
        (Reply(429), BusyError),
        (Reply(404), AnswerError),
        (Reply(302, headers={"Location": "http://127.0.0.1:9/"}), AnswerError),
        (Reply(200, b"<html>"), AnswerError),
        (Reply(200, b"{}"), AnswerError),
        (Reply(200, b" " * (2 << 20)), AnswerError),
    ],
)
def test_trouble_at_the_token_endpoint(lake: Lake, reply: Reply, kind: type[AirqError]) -> None:
    """A refusal is told from an outage, and both from an answer that is none; no secret is in the message."""
    with serving(in_turn(reply)) as server:
        settings = configuration.build(
            {"data_dir": "d", "token_url": server.url, "client_secret": "hush1", "refresh_token": "hush2"}
        )
        with pytest.raises(kind) as caught:
            get(settings, BearerAuth(settings, lake))
    assert "hush" not in str(caught.value)


def test_the_token_goes_to_no_other_host(lake: Lake) -> None:
    """A redirect of the API takes no token anywhere."""
    with serving(in_turn(Reply())) as other, simulator() as server:

        def script(_: Request) -> Reply:
            return Reply(302, headers={"Location": other.url})

        with serving(script) as redirecting:
            settings = of(server, api_url=redirecting.url)
            assert get(settings, BearerAuth(settings, lake)) == [302]
            assert redirecting.requests[0].headers["Authorization"].startswith("Bearer ")
        assert other.requests == []


def test_without_a_secret_there_is_no_token(lake: Lake) -> None:
    """Without a client secret requests go without a token."""
    assert auth_for(configuration.build({"data_dir": "d"}), lake) is None
    assert auth_for(configuration.build({"data_dir": "d", "refresh_token": "r"}), lake) is None


def test_tokens_are_not_renewed_in_a_crowd(lake: Lake) -> None:
    """Many requests that are refused together renew the token once."""
    granted = iter(["dead", "alive"])

    def script(request: Request) -> Reply:
        if request.method == "POST":
            return Reply(body=json.dumps({"access_token": next(granted), "expires_in": 300}).encode())
        return Reply(200 if request.headers["Authorization"] == "Bearer alive" else 401, b"{}")

    with serving(script) as server:
        settings = both_at(server)
        assert get(settings, BearerAuth(settings, lake), times=10) == [200] * 10
        assert sum(request.method == "POST" for request in server.requests) == 2


def test_a_slow_endpoint_loses_no_token(lake: Lake) -> None:
    """A renewal goes on when the request that asked for it ran out of time, so that no rotated token is lost."""

    def script(request: Request) -> Reply:
        if request.method == "POST":
            time.sleep(0.4)
            return Reply(body=json.dumps({"access_token": "a", "refresh_token": "rotated"}).encode())
        return Reply(body=b"{}")

    async def ask(settings: Settings, auth: httpx.Auth) -> int:
        async with httpx.AsyncClient(auth=auth) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.get(settings.api_url)
            return (await client.get(settings.api_url)).status_code

    with serving(script) as server:
        settings = both_at(server)
        assert asyncio.run(ask(settings, BearerAuth(settings, lake))) == 200
        assert [request.method for request in server.requests] == ["POST", "GET"]
    assert TokenFile(lake, "r").tokens() == ["rotated", "r"]


def test_a_token_unfit_for_a_header(lake: Lake) -> None:
    """A token that no header can hold is an error that does not show it."""
    with serving(in_turn(Reply(body=b'{"access_token": "hush\\n"}'))) as server:
        settings = configuration.build(
            {"data_dir": "d", "token_url": server.url, "client_secret": "s3cr", "refresh_token": "r"}
        )
        with pytest.raises(AnswerError) as caught:
            get(settings, BearerAuth(settings, lake))
    assert "hush" not in str(caught.value)
