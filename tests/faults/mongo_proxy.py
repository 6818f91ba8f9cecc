"""A proxy between a client and a server that speaks MongoDB: it forwards everything, and lets a test meddle.

No mock: what a test does not meddle with goes to the server, and comes back from it, byte for byte.
"""

import itertools
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any, Literal
from urllib.parse import urlsplit

import bson

Document = dict[str, Any]
Answer = Document | Literal["drop"] | None
Hook = Callable[[str, Document], Answer]

HEADER = struct.Struct("<iiii")  # length, id, id of the message that it answers, kind
OP_QUERY, OP_MSG = 2004, 2013
LONGEST_S = 60


class Proxy(ThreadingTCPServer):
    """Asks `on_command` about each command before it goes on.

    None sends it to the server, "drop" closes the connection, a document is the answer. `uri` is the one of the
    server, with our own host and port.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, uri: str, on_command: Hook) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        parts = urlsplit(uri)
        assert parts.hostname is not None
        self.target = (parts.hostname, parts.port or 27017)
        self.host = f"127.0.0.1:{self.server_address[1]}"
        user, at, _ = parts.netloc.rpartition("@")
        # Direct, so that a member of a replica set is not asked for the others, to go round us.
        query = "&".join(filter(None, (parts.query, "directConnection=true")))
        self.uri = parts._replace(netloc=f"{user}{at}{self.host}", query=query).geturl()
        self.on_command = on_command
        self.ends: set[socket.socket] = set()

    def cut(self) -> None:
        """Close all connections, and refuse new ones."""
        self.shutdown()
        self.server_close()
        for end in tuple(self.ends):
            _shut(end)


class _Connection(BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        with suppress(OSError), socket.create_connection(self.server.target) as server:
            self.server.ends |= {self.request, server}
            back = threading.Thread(target=_pump, args=(server, self.request), daemon=True)
            back.start()
            try:
                while message := _message(self.request):
                    answer = self._answer(message)
                    if answer == "drop":
                        break
                    if answer is None:
                        server.sendall(message)
                    else:
                        self.request.sendall(_reply(message, answer))
            finally:
                _shut(self.request)
                _shut(server)
                back.join()
                self.server.ends -= {self.request, server}

    def _answer(self, message: bytes) -> Answer:
        command = _command(message)
        return self.server.on_command(next(iter(command)), command) if command else None


def _pump(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while piece := server.recv(1 << 16):
            client.sendall(piece)
    _shut(client)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def _message(client: socket.socket) -> bytes:
    """The next message; empty where the connection has ended."""
    header = _read(client, HEADER.size)
    return header and header + _read(client, HEADER.unpack(header)[0] - HEADER.size)


def _read(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = client.recv(size - len(found))
        if not piece:
            return b""
        found += piece
    return found


def _command(message: bytes) -> Document | None:
    """The first document of a message; its first key is the name of the command."""
    kind = HEADER.unpack_from(message)[3]
    if kind == OP_MSG:
        start = HEADER.size + 5  # flags, kind of section
    elif kind == OP_QUERY:
        start = message.index(b"\0", HEADER.size + 4) + 9  # flags, name; then two numbers
    else:
        return None
    (size,) = struct.unpack_from("<i", message, start)
    return bson.decode(message[start : start + size])


def _reply(message: bytes, document: Document) -> bytes:
    body = b"\0\0\0\0\0" + bson.encode(document)
    return HEADER.pack(HEADER.size + len(body), 0, HEADER.unpack_from(message)[1], OP_MSG) + body


@contextmanager
def proxying(uri: str, on_command: Hook) -> Iterator[Proxy]:
    """A proxy before the server of `uri`, at work while the block runs."""
    proxy = Proxy(uri, on_command)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.cut()
        thread.join()


class Hold:
    """Holds whoever calls it, until it is let go; `reached` says that somebody is held."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self._over = threading.Event()

    def __call__(self) -> Answer:
        self.reached.set()
        self._over.wait(LONGEST_S)
        return "drop"

    def let_go(self) -> None:
        self._over.set()


def at(names: set[str], collection: str | None, act: Callable[[], Answer], number: int = 1) -> Hook:
    """Acts once: at the so-manieth command of one of these names on a collection (None: on any)."""
    counted = itertools.count(1)

    def on_command(name: str, command: Document) -> Answer:
        if name in names and collection in {None, command[name]} and next(counted) == number:
            return act()
        return None

    return on_command
