"""No secret that a run was given stands in anything that it leaves or says."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.frames import body, hour
from tests.server import Reply, Request, Server, serving

if TYPE_CHECKING:
    from tests.conftest import Airq

SECRET, PASSWORD, MONGODB_PASSWORD = "client-secret-5f1", "pass word/5f2%", "mongo:pass@5f3"
CONFIGURED, PING, HOOK = "refresh-configured-5f4", "ping-uuid-5f5", "hook-key-5f6"


class Realm:
    """A token endpoint that rotates, an API that wants its newest token, a ping and an alert target."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def __call__(self, request: Request) -> Reply:
        if request.path == "/token":
            number = len(self.given)
            self.given += [f"access-{number}-5f7", f"refresh-{number}-5f8"]
            access, refresh = self.given[-2:]
            return Reply(
                body=f'{{"access_token": "{access}", "expires_in": 300, "refresh_token": "{refresh}"}}'.encode()
            )
        if request.path.startswith("/v3"):
            if request.path.endswith("/9"):
                return Reply(401, b"{}")
            return Reply(body=body({n: {"CO": 1.0} for n in range(30)}))
        return Reply(500)


@pytest.fixture
def realm() -> Realm:
    return Realm()


@pytest.fixture
def server(realm: Realm) -> Iterator[Server]:
    with serving(realm) as opened:
        yield opened


@pytest.mark.parametrize(("grant", "log_format"), [("refresh_token", "text"), ("password", "json")])
def test_no_secret_is_left_anywhere(airq: "Airq", realm: Realm, server: Server, grant: str, log_format: str) -> None:
    """Every file and all output at -v is searched for every secret; only the rotated token is in its own file."""
    host = server.url.removeprefix("http://")
    env = {
        "AIRQ_API_URL": server.url,
        "AIRQ_TOKEN_URL": f"{server.url}/token",
        "AIRQ_STATIONS": "7,9",
        "AIRQ_NOW": hour(31).isoformat(),
        "AIRQ_CLIENT_SECRET": SECRET,
        "AIRQ_MONGODB_URI": f"mongodb://user:{quote(MONGODB_PASSWORD, safe='')}@127.0.0.1:1/air",
        "AIRQ_PING_URL": f"{server.url}/{PING}",
        "AIRQ_ALERT_URLS": f"json://{host}/{HOOK}",
        "AIRQ_METRICS_FILE": str(airq.directory / "airq.prom"),
    }
    env |= {"AIRQ_REFRESH_TOKEN": CONFIGURED} if grant == "refresh_token" else {}
    env |= {"AIRQ_USERNAME": "airq", "AIRQ_PASSWORD": PASSWORD} if grant == "password" else {}
    said = []
    for words in (["run", "-v"], ["run", "-v", "--json"], ["load", "-v"], ["transform", "--rebuild", "-v"]):
        ran = airq(*words, "--log-format", log_format, env=env, expect=None)
        said += [ran.out, ran.err]
    assert "Traceback" in "".join(said), "with -v a failure shows where, which may quote what it was given"
    secrets = [SECRET, PASSWORD, MONGODB_PASSWORD, CONFIGURED, PING, HOOK, *realm.given]
    assert len(realm.given) > 2
    searched = 0
    for path in [path for path in airq.directory.rglob("*") if path.is_file()]:
        content = _unpacked(path)
        for secret in secrets:
            ours = path.name == "refresh_token.json" and secret.startswith("refresh-") and secret != CONFIGURED
            assert ours or not _stands_in(secret, content), (secret, path)
        searched += 1
    assert searched > 7
    for text in said:
        for secret in secrets:
            assert not _stands_in(secret, text.encode()), secret


def _unpacked(path: Path) -> bytes:
    import gzip

    content = path.read_bytes()
    return content + gzip.decompress(content) if path.suffix == ".gz" else content


def _stands_in(secret: str, content: bytes) -> bool:
    return any(form.encode() in content for form in (secret, quote(secret), quote(secret, safe="")))
