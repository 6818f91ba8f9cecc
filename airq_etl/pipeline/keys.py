"""Which keys a station's answers bring: one never seen is news, one that is no longer there is an error."""

import logging
from datetime import datetime
from typing import NamedTuple

import polars as pl

from airq_etl.ledger import keep_keys
from airq_etl.payload import Payload
from airq_etl.pipeline.job import Job
from airq_etl.sensors import BY_COLUMN, BY_KEY, present

log = logging.getLogger(__name__)

DAY = 24  # rows: an answer of fewer says little about a sensor that left them all out
MOST_KEPT = 20  # keys of an answer: one may be made of nothing else


class _Newest(NamedTuple):
    """The answer with the newest `hour` of a station: how many rows it has, and which known keys."""

    hour: datetime
    rows: int
    keys: frozenset[str]


class Keys:
    """What the answers of one transform bring."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str], datetime] = {}
        self._counts: dict[tuple[int, str], int] = {}
        self._newest: dict[int, _Newest] = {}

    def note(self, station_id: int, decoded: Payload, rows: pl.DataFrame) -> None:
        """Note the keys of an answer, each with the newest hour that has it; `rows` are those that came of it."""
        if rows.is_empty():
            return
        last = {name: pl.col("hour").filter(pl.col(name).is_not_null()).max() for name in present(rows.columns)}
        hours = rows.select(pl.col("hour").max(), **last).row(0, named=True)
        newest = hours.pop("hour")
        seen = {BY_COLUMN[name].key: hour for name, hour in hours.items() if hour is not None}
        unknown = dict(sorted(decoded.unknown_keys.items())[:MOST_KEPT])
        for key, hour in (seen | dict.fromkeys(unknown, newest)).items():
            self._seen[station_id, key] = max(hour, self._seen.get((station_id, key), hour))
        for key, count in unknown.items():
            self._counts[station_id, key] = self._counts.get((station_id, key), 0) + count
        if rows.height >= DAY and (station_id not in self._newest or newest >= self._newest[station_id].hour):
            self._newest[station_id] = _Newest(newest, rows.height, frozenset(seen))

    def conclude(self, work: Job) -> None:
        """Warn of keys never seen before, once; tell of sensors that the newest hours no longer have, once a day."""
        before = {station_id: work.ledger.keys_seen(station_id) for station_id in {s for s, _ in self._counts}}
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
        for station_id, (newest, rows, given) in sorted(self._newest.items()):
            # One that was given for later hours than those of this answer is not gone.
            missing = {key for key, hour in work.ledger.keys_seen(station_id).items() if hour <= newest} - given
            gone = [sensor for key, sensor in BY_KEY.items() if key in missing]
            work.result.station(station_id).sensors_gone = [sensor.column for sensor in gone]
            news = [sensor.key for sensor in gone if work.ledger.is_news(f"gone:{station_id}:{sensor.key}", work.now)]
            if news:
                log.error(
                    "station %s: %s is in none of the %d rows of its newest answer, and was there before; "
                    "its column is empty from then on, see the station or the API",
                    station_id,
                    ", ".join(news),
                    rows,
                )
