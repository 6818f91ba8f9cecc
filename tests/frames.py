"""Small answers and frames that tests are made of."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl

from airq_etl import hourly, nowcast, payload, quality, synthetic

START = datetime(2024, 9, 9, tzinfo=UTC)
STATION = 283164601


def hour(number: int) -> datetime:
    """The so-manieth hour of 2024-09-09 (UTC) and after."""
    return START + timedelta(hours=number)


def body(values: dict[int, dict[str, float]]) -> bytes:
    """The body of an answer: hour number -> API key -> value."""
    rows = [{"timestamp": f"{hour(number):%Y-%m-%d %H:%M:%S}", **readings} for number, readings in values.items()]
    return msgspec.json.encode({"header": {"station_name": "SMART188"}, "data": rows})


def answer(values: dict[int, dict[str, float]], asked: datetime, station_id: int = STATION) -> pl.DataFrame:
    """The rows that an answer, asked for at `asked`, gives."""
    return hourly.parse(payload.decode(body(values)), station_id, asked).rows


def published(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the hourly table as they are exported and stored: judged, and with their NowCast."""
    return nowcast.add(quality.judge(rows, {}))


def captured(captures: Path, *stations: int) -> pl.DataFrame:
    """The hourly table of real captures, of all stations where none is named; asked for at half past the newest."""
    answers = []
    for path in sorted(captures.glob("*.json.gz")):
        station_id = int(path.name.partition("_")[0])
        if stations and station_id not in stations:
            continue
        decoded = payload.decode(gzip.decompress(path.read_bytes()))
        asked = max(row.timestamp for row in decoded.rows).replace(tzinfo=UTC) + timedelta(minutes=30)
        answers.append(hourly.parse(decoded, station_id, asked).rows)
    return hourly.merge(hourly.empty(), hourly.combine(answers)).rows


def made_up(station: int, days: int) -> pl.DataFrame:
    """The hourly table of a made-up station, asked for on 2026-09-09."""
    now = datetime(2026, 9, 9, 10, 20, tzinfo=UTC)
    said = synthetic.made_up([station])(station, now - timedelta(days=days), now, now)
    return hourly.parse(payload.decode(msgspec.json.encode(said)), station, now).rows
