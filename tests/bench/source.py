"""An AirQino look-alike that is never the bottleneck: `python -m tests.bench.source CLOCK LATENCY_S YEARS STATION...`.

It answers what `airq_etl.simulator.Simulator` answers, byte for byte, without a thread a connection: from the made-up
stations 1 to STATIONS, as of the time in the file CLOCK (ISO, UTC), each answer LATENCY_S seconds after its request,
making it included. Whole years are taken from the directory YEARS where they lie ready (see `made_up_years`).
Its first line on stdout is its URL. /bench gives as JSON what it took and sent since it began; /bench/ready answers
once the newest days of all stations lie ready. It ends with stdin.
"""

import asyncio
import gzip
import json
import re
import resource
import sys
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from airq_etl.synthetic import HISTORY, made_up
from tests.bench.made_up_rows import Rows
from tests.bench.made_up_years import body, file_of

HOURLY = re.compile(r"/v3/getStationHourlyAvg/([0-9]{1,18})")
PHRASES = {200: "OK", 404: "Not Found"}


class Source:
    """What is answered, and what was sent."""

    def __init__(self, clock: Path, latency_s: float, years: Path, stations: int) -> None:
        self.latency_s = latency_s
        self._clock, self._years = clock, years
        self._stations = range(1, stations + 1)
        self._answer = made_up(self._stations)
        self._rows: dict[int, Rows] = {}
        self._sent = {"requests": 0, "wire_bytes": 0}

    def wire(self, target: str, *, zipped: bool) -> bytes:
        """The whole answer to a GET."""
        parts = urlsplit(target)
        now = datetime.fromisoformat(self._clock.read_text(encoding="utf-8").strip()).replace(tzinfo=UTC)
        if parts.path.startswith("/bench"):
            if parts.path == "/bench/ready":
                self._make_ready(now)
            used = resource.getrusage(resource.RUSAGE_SELF)
            told = {**self._sent, "source_cpu_s": used.ru_utime + used.ru_stime}
            return _message(200, json.dumps(told).encode(), now, zipped=False)
        station = HOURLY.fullmatch(parts.path)
        packed = None if station is None else self._packed(int(station[1]), dict(parse_qsl(parts.query)), now)
        status = 404 if packed is None else 200
        content = packed or gzip.compress(b'{"error":"no such path or station"}')
        message = _message(status, content if zipped else gzip.decompress(content), now, zipped=zipped)
        self._sent["requests"] += 1
        self._sent["wire_bytes"] += len(message)
        return message

    def _make_ready(self, now: datetime) -> None:
        for station in self._stations:
            self._rows.setdefault(station, Rows(station, now)).bring_up(now)

    def _packed(self, station: int, query: dict[str, str], now: datetime) -> bytes | None:
        ready = file_of(self._years, station, now)
        if not query and ready.exists():
            return ready.read_bytes()
        first, last = (_date(query.get(name)) for name in ("start_date", "end_date"))
        rows = self._rows.get(station)
        if rows is not None and first is not None and rows.covers(first):
            rows.bring_up(now)
            return rows.packed(first, last or now)
        answer = self._answer(station, first or now - HISTORY, last or now, now)
        return None if answer is None else body(answer)


class Connection(asyncio.Protocol):
    """One that is kept; requests without a body, answered in turn."""

    def __init__(self, source: Source) -> None:
        self._source, self._came = source, b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._came += data
        while b"\r\n\r\n" in self._came:
            head, _, self._came = self._came.partition(b"\r\n\r\n")
            loop = asyncio.get_running_loop()
            due = loop.time() + self._source.latency_s
            first, *fields = head.decode("latin-1").split("\r\n")
            zipped = any(field.lower().startswith("accept-encoding:") and "gzip" in field for field in fields)
            loop.call_at(due, self._send, self._source.wire(first.split(" ")[1], zipped=zipped))

    def _send(self, message: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(message)


def _message(status: int, content: bytes, now: datetime, *, zipped: bool) -> bytes:
    head = [f"HTTP/1.1 {status} {PHRASES[status]}", f"Date: {format_datetime(now, usegmt=True)}"]
    head += ["Content-Encoding: gzip"] if zipped else []
    head += ["Content-Type: application/json", f"Content-Length: {len(content)}", "", ""]
    return "\r\n".join(head).encode() + content


def _date(text: str | None) -> datetime | None:
    return None if text is None else datetime.strptime(text, "%Y%m%d-%H%M").replace(tzinfo=UTC)


async def main() -> None:
    """Serve until stdin ends."""
    clock, latency_s, years, stations = sys.argv[1:]
    source = Source(Path(clock), float(latency_s), Path(years), int(stations))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(source), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201 -- as said above
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
