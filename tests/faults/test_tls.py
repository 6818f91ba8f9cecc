"""Certificates that prove nothing."""

import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme

import airq_etl
from airq_etl.settings import NAMES
from tests.faults.realm import CREDENTIALS, HUSH, Realm
from tests.faults.state import complaint
from tests.faults.twins import STATIONS, hours, well
from tests.server import Reply, in_turn, serving

if TYPE_CHECKING:
    from tests.faults.twins import Twins

HERE = "127.0.0.1"
LONG_AGO = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC))
FAULTS = ("unknown authority", "self-signed", "expired", "another host")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs the certificates that are to be believed."""
    return trustme.CA()


@pytest.fixture
def believed(authority: trustme.CA, tmp_path: Path) -> str:
    """The file that SSL_CERT_FILE names."""
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    return str(tmp_path / "authority.pem")


def showing(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """The TLS of a server that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def self_signed(directory: Path) -> ssl.SSLContext:
    """The TLS of a server that has signed its own certificate."""
    signed = trustme.CA()
    signed.cert_pem.write_to_path(directory / "self.pem")
    signed.private_key_pem.write_to_path(directory / "self.pem", append=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "self.pem")
    return context


def bad(fault: str, authority: trustme.CA, directory: Path) -> ssl.SSLContext:
    """The TLS of a server that nobody should believe."""
    if fault == "self-signed":
        return self_signed(directory)
    if fault == "unknown authority":
        return showing(trustme.CA().issue_cert(HERE))
    if fault == "expired":
        return showing(authority.issue_cert(HERE, not_before=LONG_AGO[0], not_after=LONG_AGO[1]))
    return showing(authority.issue_cert("elsewhere.example"))


@pytest.mark.parametrize("fault", FAULTS)
def test_24_the_api(twins: "Twins", authority: trustme.CA, believed: str, tmp_path: Path, fault: str) -> None:
    """An API with a certificate that proves nothing is refused once, in one line; no token is shown to it."""
    with serving(Realm().grant) as token, serving(well, bad(fault, authority, tmp_path)) as server:
        careless = httpx.get(f"{server.url}/v3/7", verify=False, params={"start_date": ""})  # noqa: S501 -- what is not to be done
        assert careless.content == hours(7, again=False)
        server.requests.clear()
        connections = server.connections
        env = CREDENTIALS | {"api_url": server.url, "token_url": token.url, "retries": 2, "SSL_CERT_FILE": believed}
        ran = twins.meet(5, **env)
        assert server.connections - connections == len(STATIONS)
        twins.say(5, [HUSH], **env)
        assert server.requests == []
    assert complaint(ran).startswith("stations 7, 8: ")
    assert "certificate" in complaint(ran).lower()
    assert [(found["requests"], found["retries"]) for found in ran.json["stations"]] == [(1, 0), (1, 0)]
    twins.recover()


@pytest.mark.parametrize("fault", ["unknown authority", "another host"])
def test_24_the_token_endpoint(
    twins: "Twins", authority: trustme.CA, believed: str, tmp_path: Path, fault: str
) -> None:
    """A token endpoint with a certificate that proves nothing is refused once, and sees no credentials."""
    with serving(well) as server, serving(Realm().grant, bad(fault, authority, tmp_path)) as token:
        env = CREDENTIALS | {"api_url": server.url, "token_url": token.url, "retries": 2, "SSL_CERT_FILE": believed}
        ran = twins.meet(5, **env)
        assert token.connections <= len(STATIONS)
        twins.say(5, [HUSH], **env)
        assert token.requests == server.requests == []
    said = complaint(ran)
    assert said.startswith("stations 7, 8: the token endpoint")
    assert "certificate" in said.lower()
    assert [found["retries"] for found in ran.json["stations"]] == [0, 0]
    twins.recover()


def test_24_a_private_authority(twins: "Twins", authority: trustme.CA, believed: str) -> None:
    """With SSL_CERT_FILE an authority of one's own is believed, by API and token endpoint."""
    realm, certificate = Realm(), authority.issue_cert(HERE)
    with serving(realm.grant, showing(certificate)) as token, serving(well, showing(certificate)) as server:
        env = CREDENTIALS | {"api_url": server.url, "token_url": token.url, "retries": 0}
        ran = twins.run(0, **env, SSL_CERT_FILE=believed)
    assert (ran.err, realm.asked) == ("", 1)
    assert server.requests[0].headers["Authorization"].startswith("Bearer hush")
    twins.assert_like_undisturbed()


def test_23_from_https_to_http(twins: "Twins", authority: trustme.CA, believed: str) -> None:
    """A redirect from https to http is refused, and nothing is said in the clear."""
    with serving(Realm().grant) as token, serving(well) as clear:
        script = in_turn(Reply(301, headers={"Location": f"{clear.url}/"}))
        with serving(script, showing(authority.issue_cert(HERE))) as server:
            env = CREDENTIALS | {"api_url": server.url, "token_url": token.url, "SSL_CERT_FILE": believed}
            ran = twins.meet(5, **env)
            twins.say(5, [HUSH], **env)
        assert clear.requests == []
    assert complaint(ran).startswith("stations 7, 8: the API redirects to 'http://127.0.0.1")
    twins.recover()


def test_24_no_switch() -> None:
    """No setting, and no line of the source, does without a proof."""
    assert [name for name in NAMES if any(word in name for word in ("INSECURE", "VERIFY", "TLS", "SSL"))] == []
    source = {path: path.read_text(encoding="utf-8") for path in Path(airq_etl.__file__).parent.rglob("*.py")}
    # `trusted` is what httpx makes where nobody says otherwise, made once for all clients.
    source = {path: text.replace("verify=trusted", "") for path, text in source.items()}
    made = [line.strip() for text in source.values() for line in text.splitlines() if "trusted, one =" in line]
    assert made == ["trusted, one = httpx.create_ssl_context(), httpx.Limits(max_connections=1)"]
    unproven = ("verify=", "CERT_NONE", "check_hostname", "_create_unverified")
    assert [path for path, text in source.items() if any(word in text for word in unproven)] == []
