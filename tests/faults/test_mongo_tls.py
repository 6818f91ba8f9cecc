"""MongoDB over TLS, by options of the URI alone, and found through DNS as Atlas is; what does not fit is refused."""

import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from tests.faults.dns_server import answering, asking
from tests.faults.mongo_proxy import Answer, Document, proxying
from tests.faults.state import assert_same, complaint, lines, state
from tests.frames import body, hour
from tests.server import Reply, serving

if TYPE_CHECKING:
    from tests.conftest import Airq, Ran

HOURS = 10 * 24
CLUSTER, HOST = "cluster.airq.test", "db.cluster.airq.test"
DEADLINE_S, LATE_S = 4, 8
KEY_PASSWORD = "k3y-p%4ss:w0rd"  # noqa: S105 -- no message may show it


class Runner:
    """Runs of two stations into a MongoDB URI, ten days in all; `database` is a name that nobody else uses."""

    def __init__(self, airq: "Airq", api_url: str, plain_uri: str) -> None:
        self.airq = airq
        self.api_url = api_url
        self.plain_uri = plain_uri
        self.data = airq.directory / "data"
        self.database = f"airq_test_{secrets.token_hex(6)}"

    def __call__(self, uri: str, *words: str, expect: int = 0, resolver: str | None = None) -> "Ran":
        """A run to its end; one that has to fail has a short deadline, and keeps it."""
        env = {
            "AIRQ_API_URL": self.api_url,
            "AIRQ_DATA_DIR": str(self.data),
            "AIRQ_MONGODB_URI": uri,
            "AIRQ_NOW": hour(HOURS).isoformat(),
            "AIRQ_RUN_DEADLINE_S": str(DEADLINE_S) if expect else "60",
            "AIRQ_STATIONS": "7,8",
        }
        under = [] if resolver is None else asking(resolver, self.airq.directory)
        began = time.monotonic()
        ran = self.airq("run", *words, env=env, expect=expect, under=under)
        assert not expect or time.monotonic() - began < DEADLINE_S + LATE_S
        return ran

    def assert_loaded(self, uri: str) -> None:
        """The store of `uri` holds what one without TLS would."""
        found = state(self.data, uri)
        assert len(found.store["hourly"]) == 2 * HOURS
        self(self.plain_uri)
        assert_same(state(self.data, self.plain_uri), found)


@pytest.fixture
def run(airq: "Airq", mongo_uri: str) -> Iterator[Runner]:
    """See `Runner`."""
    readings = body({n: {"CO": n % 24 / 10} for n in range(HOURS)})
    with serving(lambda _: Reply(body=readings)) as server:
        yield Runner(airq, server.url, mongo_uri)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who signs our certificates, and whom no system knows."""
    return trustme.CA()


@pytest.fixture(scope="module")
def ca(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority's certificate."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@contextmanager
def listening(
    program: Path, authority: trustme.CA, directory: Path, *names: str, clients: Path | None = None
) -> Iterator[str]:
    """A server that speaks TLS alone, with a certificate for these names; gives its host and port.

    With the certificate of an authority for `clients` it takes only those that show one of its certificates.
    """
    directory.mkdir()
    certificate, key = directory / "server.pem", directory / "server.key"
    issued = authority.issue_cert(*names)
    issued.private_key_pem.write_to_path(str(key))
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    command: list[str | Path] = [program, "127.0.0.1:0", directory, certificate, key, *([clients] if clients else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            uri = process.stdout.readline().strip()
            assert uri, f"the server did not start; its exit code: {process.wait()}"
            yield uri.removeprefix("mongodb://").partition("/")[0]
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def address(mongo_program: Path, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a server that speaks TLS, which asks for no certificate."""
    directory = tmp_path_factory.mktemp("tls") / "server"
    with listening(mongo_program, authority, directory, "127.0.0.1", HOST) as found:
        yield found


def assert_unwarned(ran: "Ran") -> None:
    assert not [line for line in lines(ran) if "warning" in line]


# -- TLS ---------------------------------------------------------------------------------------------------


def test_24_mongo_over_tls(run: Runner, address: str, ca: Path) -> None:
    """A server whose certificate the URI's authority signed is written to as any other."""
    uri = f"mongodb://{address}/{run.database}?tls=true&tlsCAFile={quote(str(ca), safe='')}"
    assert_unwarned(run(uri, "-q"))
    run.assert_loaded(uri)


def test_24_mongo_certificate_of_nobody(run: Runner, address: str, ca: Path) -> None:
    """A certificate that no authority of the system signed is refused, and the cause is named."""
    ran = run(f"mongodb://{address}/{run.database}?tls=true", expect=7)
    said = complaint(ran)
    assert address in said
    assert "certificate" in said
    run(f"mongodb://{address}/{run.database}?tls=true&tlsCAFile={ca}")


def test_24_mongo_certificate_of_another_host(
    run: Runner, mongo_program: Path, authority: trustme.CA, ca: Path, tmp_path: Path
) -> None:
    """A certificate for another host is refused, and the cause is named."""
    with listening(mongo_program, authority, tmp_path / "server", HOST) as address:
        ran = run(f"mongodb://{address}/{run.database}?tls=true&tlsCAFile={ca}", expect=7)
    said = complaint(ran)
    assert address in said
    assert "certificate" in said


def test_24_mongo_plain_to_tls(run: Runner, address: str, ca: Path) -> None:
    """A URI without TLS to a server with it is refused in bounded time."""
    assert address in complaint(run(f"mongodb://{address}/{run.database}", expect=7))
    run(f"mongodb://{address}/{run.database}?tls=true&tlsCAFile={ca}")


def test_24_mongo_tls_to_plain(run: Runner, ca: Path) -> None:
    """A URI with TLS to a server without it is refused in bounded time, never written to in the clear."""
    separator = "&" if "?" in run.plain_uri else "?"
    ran = run(f"{run.plain_uri}{separator}tls=true&tlsCAFile={ca}", expect=7)
    assert run.plain_uri.partition("://")[2].partition("/")[0].rpartition("@")[2] in complaint(ran)
    run(run.plain_uri)


# -- certificates of clients -------------------------------------------------------------------------------


@pytest.fixture
def strict(mongo_program: Path, authority: trustme.CA, ca: Path, tmp_path: Path) -> Iterator[str]:
    """Host and port of a server that takes only clients with a certificate."""
    with listening(mongo_program, authority, tmp_path / "server", "127.0.0.1", clients=ca) as address:
        yield address


@pytest.fixture
def identity(authority: trustme.CA, tmp_path: Path) -> Path:
    """A client's certificate with its key, which a password protects."""
    issued = authority.issue_cert("client@airq.test")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(KEY_PASSWORD.encode()),
    )
    path = tmp_path / "client.pem"
    path.write_bytes(locked + b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    return path


def shows_key_password(ran: "Ran", data: Path) -> bool:
    forms = {KEY_PASSWORD, quote(KEY_PASSWORD, safe=""), quote(KEY_PASSWORD)}
    content = [ran.out.encode(), ran.err.encode(), *(p.read_bytes() for p in data.rglob("*") if p.is_file())]
    return any(form.encode() in each for form in forms for each in content)


def test_24_mongo_client_certificate(run: Runner, strict: str, ca: Path, identity: Path) -> None:
    """The client certificate that the URI names is shown to the server; its password is shown to nobody."""
    uri = f"mongodb://{strict}/{run.database}?tls=true&tlsCAFile={ca}&tlsCertificateKeyFile={identity}"
    uri += f"&tlsCertificateKeyFilePassword={quote(KEY_PASSWORD, safe='')}"
    ran = run(uri, "-v")
    assert not shows_key_password(ran, run.data)
    run.assert_loaded(uri)


def test_24_mongo_client_without_certificate(run: Runner, strict: str, ca: Path) -> None:
    """A server that demands a certificate which the URI does not name is an error of the store."""
    ran = run(f"mongodb://{strict}/{run.database}?tls=true&tlsCAFile={ca}", expect=7)
    assert strict in complaint(ran)
    run(run.plain_uri)


def test_24_mongo_wrong_key_password(run: Runner, strict: str, ca: Path, identity: Path) -> None:
    """A key that the URI's password does not open is an error that names the setting, and shows no password."""
    uri = f"mongodb://{strict}/{run.database}?tls=true&tlsCAFile={ca}&tlsCertificateKeyFile={identity}"
    uri += f"&tlsCertificateKeyFilePassword={quote(KEY_PASSWORD, safe='')}x"
    for words in ((), ("-v",)):
        ran = run(uri, *words, expect=2)
        assert "AIRQ_MONGODB_URI" in ran.err
        assert not shows_key_password(ran, run.data)
    run(run.plain_uri)


# -- other options of the URI ------------------------------------------------------------------------------


def test_24_mongo_options_pass(run: Runner) -> None:
    """Options of the URI reach the driver, and what they say wins over what we would say."""
    seen: list[tuple[str, Document]] = []

    def listen(name: str, command: Document) -> Answer:
        seen.append((name, command))
        return None

    with proxying(run.plain_uri, listen) as proxy:
        assert_unwarned(run(f"{proxy.uri}&retryWrites=false&w=majority&wtimeoutMS=5000&appName=of-the-uri"))
    writes = [command for name, command in seen if name in {"insert", "update"}]
    assert writes
    assert all(command["writeConcern"] == {"w": "majority", "wtimeout": 5000} for command in writes)
    assert not any("txnNumber" in command for command in writes)
    names = {
        command["client"]["application"]["name"] for _, command in seen if "application" in command.get("client", {})
    }
    assert names == {"of-the-uri"}


def test_24_mongo_application_name(run: Runner) -> None:
    """Without a name in the URI the server's log shows ours."""
    names: set[str] = set()

    def listen(_: str, command: Document) -> Answer:
        if "client" in command:
            names.add(command["client"]["application"]["name"])
        return None

    with proxying(run.plain_uri, listen) as proxy:
        run(proxy.uri)
    assert names == {"airq-etl"}


def test_24_mongo_patience_of_the_uri(run: Runner) -> None:
    """A URI that says how long a server is looked for is heeded."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        uri = f"mongodb://127.0.0.1:{nobody.getsockname()[1]}/air"
        began = time.monotonic()
        run(f"{uri}?serverSelectionTimeoutMS=200", expect=7)
        assert time.monotonic() - began < 4


# -- found through DNS -------------------------------------------------------------------------------------


def records(port: str, **other: str) -> dict[tuple[str, str], str]:
    return {
        (f"_mongodb._tcp.{CLUSTER}.", "SRV"): f"0 0 {port} {HOST}.",
        (f"{CLUSTER}.", "TXT"): '"authSource=admin"',
        (f"{HOST}.", "A"): "127.0.0.1",
    } | {(f"{CLUSTER}.", kind): value for kind, value in other.items()}


def test_24_mongo_srv(run: Runner, address: str, ca: Path, resolver: str) -> None:
    """mongodb+srv:// finds host and options through DNS, and speaks TLS without being told."""
    port = address.rpartition(":")[2]
    with answering(resolver, records(port)) as asked:
        ran = run(f"mongodb+srv://{CLUSTER}/{run.database}?tlsCAFile={ca}", resolver=resolver)
    assert_unwarned(ran)
    assert {f"_mongodb._tcp.{CLUSTER}.", f"{CLUSTER}.", f"{HOST}."} <= set(asked)
    assert CLUSTER in ran.out + ran.err
    uri = f"mongodb://{address}/{run.database}?tls=true&tlsCAFile={ca}"
    run.assert_loaded(uri)


def test_24_mongo_srv_certificate_of_nobody(run: Runner, address: str, resolver: str) -> None:
    """TLS is on by default: without the authority the certificate is refused."""
    with answering(resolver, records(address.rpartition(":")[2])):
        uri = f"mongodb+srv://{CLUSTER}/{run.database}"
        ran = run(uri, expect=7, resolver=resolver)
    said = complaint(ran)
    assert CLUSTER in said
    assert "certificate" in said


def test_24_mongo_srv_unknown(run: Runner, resolver: str) -> None:
    """A cluster that DNS does not know is an error of the store that names it, and not the password."""
    with answering(resolver, {}):
        uri = f"mongodb+srv://airq:s3cret-w0rd@{CLUSTER}/air"
        ran = run(uri, expect=7, resolver=resolver)
        loud = run(uri, "-v", expect=7, resolver=resolver)
    assert "s3cret-w0rd" not in ran.out + ran.err + loud.out + loud.err
    assert CLUSTER in complaint(ran)
    run(run.plain_uri)


def test_24_mongo_srv_silent(run: Runner, resolver: str) -> None:
    """A DNS server that says nothing is waited for until the run's deadline."""
    with answering(resolver, None) as asked:
        ran = run(f"mongodb+srv://{CLUSTER}/air", expect=7, resolver=resolver)
    assert asked
    assert CLUSTER in complaint(ran)
    run(run.plain_uri)


def test_24_mongo_srv_option_refused(run: Runner, address: str, resolver: str) -> None:
    """DNS may not switch TLS off: an option in TXT that is not for DNS to set is refused."""
    with answering(resolver, records(address.rpartition(":")[2], TXT='"tls=false"')):
        ran = run(f"mongodb+srv://{CLUSTER}/{run.database}", expect=7, resolver=resolver)
    assert "AIRQ_MONGODB_URI" in complaint(ran)
