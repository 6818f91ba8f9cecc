"""A local HTTP server that answers as a test tells it, faults included."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit


class Request(NamedTuple):
    """What was asked: the so-manieth request of this server, from 0 on."""

    number: int
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]


class Reply(NamedTuple):
    """What is answered: `body` goes out whole, or piece by piece where it is an iterable; `headers` go as given."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: dict[str, str] = {}  # noqa: RUF012 -- never changed


Script = Callable[[Request], Reply]
Talk = Callable[[socket.socket], None]


class Server(ThreadingHTTPServer):
    """Answers each request by its script, over TLS where it has `tls`; remembers what was asked, counts connections."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.requests: list[Request] = []
        self.connections = 0
        self.lock = threading.Lock()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_address[1]}"
        if tls:
            # Hands are shaken at the first read, so in the thread of the connection.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def get_request(self) -> tuple[socket.socket, object]:
        """One more connection."""
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is part of many tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        form = dict(parse_qsl(self.rfile.read(length).decode()))
        with self.server.lock:
            request = Request(
                len(self.server.requests),
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                dict(self.headers),
                form,
            )
            self.server.requests.append(request)
        self._answer(self.server.script(request))

    do_POST = do_GET  # noqa: N815 -- as http.server wants it

    def _answer(self, reply: Reply) -> None:
        headers = {"Date": self.date_time_string()} | reply.headers
        self.send_response_only(reply.status)
        if isinstance(reply.body, bytes):
            headers.setdefault("Content-Length", str(len(reply.body)))
        whole = len(reply.body) if isinstance(reply.body, bytes) else -1
        # What promises another length than it has ends with the connection.
        self.close_connection = headers.get("Content-Length") != str(whole)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            for piece in [reply.body] if isinstance(reply.body, bytes) else reply.body:
                self.wfile.write(piece)
                self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class RawServer(ThreadingTCPServer):
    """Hands each connection to `talk`; remembers when each came, and how long it lasted, in seconds."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, talk: Talk) -> None:
        super().__init__(("127.0.0.1", 0), _Talker)
        self.talk = talk
        self.came: list[float] = []
        self.lasted: list[float] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Talker(BaseRequestHandler):
    server: RawServer

    def handle(self) -> None:
        began = time.monotonic()
        self.server.came.append(began)
        with suppress(OSError):
            self.server.talk(self.request)
        self.server.lasted.append(time.monotonic() - began)


AnyServer = TypeVar("AnyServer", Server, RawServer)


@contextmanager
def serving(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server at work while the block runs."""
    with _at_work(Server(script, tls)) as server:
        yield server


@contextmanager
def talking(talk: Talk) -> Iterator[RawServer]:
    """A server without HTTP at work while the block runs."""
    with _at_work(RawServer(talk)) as server:
        yield server


@contextmanager
def _at_work(server: AnyServer) -> Iterator[AnyServer]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def in_turn(*replies: Reply) -> Script:
    """Each reply once, the last one for ever after."""
    return lambda request: replies[min(request.number, len(replies) - 1)]


def packed(body: bytes) -> Reply:
    """A body under gzip."""
    return Reply(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
