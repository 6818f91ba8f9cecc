"""The newest days of made-up stations as JSON, kept row by row: an hour that nothing changes any more is made once."""

import gzip
import json
from datetime import UTC, datetime, timedelta

from airq_etl.synthetic import readings, station_header

HOUR = timedelta(hours=1)
SETTLED = timedelta(hours=2)
"""After which the made-up source changes and adds nothing."""
KEPT = timedelta(days=5)


class Rows:
    """Those of one station: `settled` from `_first` to before `_until`, the others as of one time."""

    def __init__(self, station: int, now: datetime) -> None:
        self._station = station
        self._first = self._until = _hour(now - KEPT)
        self._settled: dict[datetime, bytes] = {}
        self._fresh: dict[datetime, bytes] = {}
        self._now: datetime | None = None
        self._head = json.dumps(station_header(station), separators=(",", ":")).encode()

    def bring_up(self, now: datetime) -> None:
        """Make what is to be known at this time."""
        if now == self._now:
            return
        until = _hour(now - SETTLED)
        if until > self._until:
            self._settled |= self._made(self._until, until - HOUR, now)
            self._until = until
        self._fresh = self._made(self._until, now, now)
        self._now = now

    def covers(self, first: datetime) -> bool:
        """Whether all hours from `first` on are among them."""
        return first >= self._first

    def packed(self, first: datetime, last: datetime) -> bytes:
        """The answer for a window, both ends included, as it goes over the wire."""
        rows = {**self._settled, **self._fresh}.items()
        data = b",".join(row for hour, row in rows if first <= hour <= last)
        return gzip.compress(b'{"header":' + self._head + b',"data":[' + data + b"]}", 6)

    def _made(self, first: datetime, last: datetime, now: datetime) -> dict[datetime, bytes]:
        rows = readings(self._station, first, last, now)
        times = (datetime.fromisoformat(str(row["timestamp"])).replace(tzinfo=UTC) for row in rows)
        return {hour: json.dumps(row, separators=(",", ":")).encode() for hour, row in zip(times, rows, strict=True)}


def _hour(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)
