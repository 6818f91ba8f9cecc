"""A local AirQino look-alike: made-up stations, or saved payloads played back, over real HTTP.

It speaks as the API does: the same path, dates, JSON and gzip; with `auth` also a token endpoint
with short-lived access tokens and refresh tokens that rotate. Its clock is the caller's.
"""

import gzip
import json
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from socketserver import TCPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from airq_etl.playback import Playback
from airq_etl.synthetic import HISTORY, as_utc, made_up

__all__ = ["Asked", "Simulator"]

_log = logging.getLogger(__name__)

_HOURLY = re.compile(r"/v3/getStationHourlyAvg/([0-9]{1,18})")
_DATE = re.compile(r"[0-9]{8}-[0-9]{4}")
_LENGTH = re.compile(r"[0-9]{1,5}")  # of a form, in bytes
_TOKEN_PATH = "/realms/airqino/protocol/openid-connect/token"  # noqa: S105 - a path, no secret
_LONGEST_WINDOW = timedelta(days=366)

_Json = dict[str, Any]


class Asked(NamedTuple):
    """One request as it was answered; `wire_bytes` is the size of the answer with its headers."""

    method: str
    path: str
    query: dict[str, str]
    status: int
    wire_bytes: int


class Simulator:
    """A server on `host:port` (0: a free port) that answers for `stations` as of `now()`.

    `now` is called once a request, so tests can move the clock; a time without a zone is UTC.
    With `captures` the stations are those of that directory (`{station_id}_*.json[.gz]`) and
    `stations` is not used. With `auth` requests need a Bearer token, good for `token_seconds` of
    real time. Every answer waits for `latency_s` seconds. Raises OSError when the port cannot be
    had, ValueError when `captures` holds no payload. Serves while it is a context, or by `serve`.
    """

    def __init__(  # noqa: PLR0913 - an argument for each trait of the API that tests vary
        self,
        stations: Sequence[int],
        *,
        now: Callable[[], datetime],
        port: int = 0,
        host: str = "127.0.0.1",
        captures: Path | None = None,
        auth: bool = False,
        token_seconds: int = 60,
        latency_s: float = 0.0,
    ) -> None:
        self.now, self.auth, self.latency_s = now, auth, latency_s
        self.source = made_up(stations) if captures is None else Playback(captures)
        self.client_id, self.client_secret = "airqino-api", secrets.token_urlsafe(32)
        self.username, self.password = "simulator", secrets.token_urlsafe(32)
        self.refresh_token = secrets.token_urlsafe(32)
        self._token_seconds = token_seconds
        self._expiry: dict[str, float] = {}  # of access tokens, by the monotonic clock
        self._unused = {self.refresh_token: True}
        self.requests: list[Asked] = []
        self._server = _Server((host, port), self)
        self._thread = threading.Thread(target=self.serve, daemon=True)
        self.url = f"http://{host}:{self._server.server_address[1]}"
        self.token_url = self.url + _TOKEN_PATH

    def serve(self) -> None:
        """Answer until `shutdown`, then close the port and every connection."""
        try:
            self._server.serve_forever(poll_interval=0.02)
        finally:
            self._server.server_close()

    def shutdown(self) -> None:
        """Ask `serve` to return; does not wait for it, so a signal handler may call this."""
        threading.Thread(target=self._server.shutdown, daemon=True).start()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()

    def accepts(self, authorization: str) -> bool:
        """Whether an Authorization header holds an access token that has not expired."""
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and self._expiry.get(token, 0.0) > time.monotonic()

    def grant(self, form: dict[str, str]) -> _Json:
        """Answer the token endpoint's form; a refresh token is good for one use."""
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            raise _RefusedError(401, {"error": "invalid_client"})
        match form.get("grant_type"):
            case "refresh_token":
                if not self._unused.pop(form.get("refresh_token", ""), False):
                    raise _RefusedError(400, {"error": "invalid_grant"})
            case "password":
                if (form.get("username"), form.get("password")) != (self.username, self.password):
                    raise _RefusedError(401, {"error": "invalid_grant"})
            case _:
                raise _RefusedError(400, {"error": "unsupported_grant_type"})
        return self._new_tokens()

    def _new_tokens(self) -> _Json:
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._expiry[access] = time.monotonic() + self._token_seconds
        self._unused[refresh] = True
        tokens = {"access_token": access, "refresh_token": refresh}
        return tokens | {"expires_in": self._token_seconds, "token_type": "Bearer"}


class _RefusedError(Exception):
    """The request is answered with `args`: a status and a JSON object."""


def _window(query: dict[str, str], now: datetime) -> tuple[datetime, datetime]:
    first, last = _date(query, "start_date", now - HISTORY), _date(query, "end_date", now)
    if first > last:
        raise _RefusedError(400, {"error": "start_date is after end_date"})
    if last - first > _LONGEST_WINDOW:
        raise _RefusedError(400, {"error": "more than 366 days asked for"})
    return first, last


def _date(query: dict[str, str], name: str, default: datetime) -> datetime:
    if name not in query:
        return default
    with suppress(ValueError):
        if _DATE.fullmatch(query[name]):
            return datetime.strptime(query[name], "%Y%m%d-%H%M").replace(tzinfo=UTC)
    raise _RefusedError(400, {"error": f"{name} is not a YYYYmmdd-HHMM date"})


class _Server(ThreadingHTTPServer):
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], simulator: Simulator) -> None:
        self.simulator = simulator
        self.connections: set[socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:  # HTTPServer's own looks the host's name up: seconds, at times
        TCPServer.server_bind(self)

    def server_close(self) -> None:  # a client that keeps its connection must see an outage too
        super().server_close()
        for connection in tuple(self.connections):
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - inherited
        _log.debug("a request from %s ended early", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120  # seconds that an idle connection is kept
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        simulator = self.server.simulator
        now, target = as_utc(simulator.now()), urlsplit(self.path)
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        try:
            form = self._form()
            time.sleep(simulator.latency_s)
            status, answer = 200, self._answer(target.path, query, form, now)
        except _RefusedError as refused:
            status, answer = refused.args
        except ValueError as error:  # a damaged file among the captures
            status, answer = 500, {"error": str(error)}
        wire = self._wire(status, answer, now)
        simulator.requests.append(Asked(self.command, target.path, query, status, len(wire)))
        self.wfile.write(wire)

    do_POST = do_GET  # noqa: N815 - http.server's name

    def _form(self) -> dict[str, str]:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not _LENGTH.fullmatch(length):
            self.close_connection = True
            raise _RefusedError(413, {"error": "a short body with its Content-Length is wanted"})
        return dict(parse_qsl(self.rfile.read(int(length)).decode(errors="replace")))

    def _answer(self, path: str, query: dict[str, str], form: dict[str, str], now: datetime) -> _Json:
        simulator = self.server.simulator
        if (self.command, path) == ("POST", _TOKEN_PATH):
            return simulator.grant(form)
        if simulator.auth and not simulator.accepts(self.headers.get("Authorization", "")):
            raise _RefusedError(401, {})
        station = _HOURLY.fullmatch(path)
        if station is None or self.command != "GET":
            raise _RefusedError(404, {"error": "no such path"})
        answer = simulator.source(int(station[1]), *_window(query, now), now)
        if answer is None:
            raise _RefusedError(404, {"error": f"unknown station {station[1]}"})
        return answer

    def _wire(self, status: int, answer: _Json, now: datetime) -> bytes:
        body = json.dumps(answer, separators=(",", ":")).encode()
        head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Date: {format_datetime(now, usegmt=True)}"]
        if status == HTTPStatus.OK and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 6)
            head.append("Content-Encoding: gzip")
        if self.close_connection:
            head.append("Connection: close")
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
        self.log_request(status, len(body))
        return "\r\n".join(head).encode() + body

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002 - inherited
        self.close_connection = True
        error = {"error": message or HTTPStatus(code).phrase}
        self.wfile.write(self._wire(code, error, as_utc(self.server.simulator.now())))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
        _log.debug(format, *args)
