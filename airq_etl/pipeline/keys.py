"""Which keys a station's answers bring: one never seen is news, one that is no longer there is an error."""

import logging
from datetime import datetime

import polars as pl

from airq_etl.ledger import keep_keys
from airq_etl.payload import Payload
from airq_etl.pipeline.job import Job
from airq_etl.sensors import BY_COLUMN, BY_KEY, present

log = logging.getLogger(__name__)

DAY = 24  # rows: an answer of fewer says little about a sensor that left them all out
MOST_KEPT = 20  # keys of an answer: one may be made of nothing else


class Keys:
    """What the answers of one transform bring."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str], datetime] = {}
        self._counts: dict[tuple[int, str], int] = {}
        self._newest: dict[int, tuple[datetime, int]] = {}

    def note(self, station_id: int, requested_at: datetime, decoded: Payload, rows: pl.DataFrame) -> None:
        """Note the keys of an answer; `rows` are those that came of it."""
        brought = [BY_COLUMN[name].key for name in present(rows.columns) if rows[name].null_count() < rows.height]
        unknown = dict(sorted(decoded.unknown_keys.items())[:MOST_KEPT])
        for key in (*brought, *unknown):
            self._seen[station_id, key] = max(requested_at, self._seen.get((station_id, key), requested_at))
        for key, count in unknown.items():
            self._counts[station_id, key] = self._counts.get((station_id, key), 0) + count
        if rows.height >= DAY:
            self._newest[station_id] = max((requested_at, rows.height), self._newest.get(station_id, (requested_at, 0)))

    def conclude(self, work: Job) -> None:
        """Warn of keys never seen before, once; tell of sensors that the newest answer no longer has."""
        before = {station_id: work.ledger.keys_seen(station_id) for station_id in {s for s, _ in self._seen}}
        with work.ledger.transaction() as db:
            keep_keys(db, self._seen)
        for (station_id, key), count in sorted(self._counts.items()):
            if key not in before[station_id]:
                log.warning(
                    "station %s: key %r, in %d rows, is no sensor known here; it stays in the captures",
                    station_id,
                    key,
                    count,
                )
        for station_id, (asked_at, rows) in sorted(self._newest.items()):
            seen = work.ledger.keys_seen(station_id)
            gone = [sensor for key, sensor in BY_KEY.items() if key in seen and seen[key] < asked_at]
            work.result.station(station_id).sensors_gone = [sensor.column for sensor in gone]
            if gone:
                log.error(
                    "station %s: %s is in none of the %d rows of its newest answer, and was there before; "
                    "its column is empty from then on, see the station or the API",
                    station_id,
                    ", ".join(sensor.key for sensor in gone),
                    rows,
                )
