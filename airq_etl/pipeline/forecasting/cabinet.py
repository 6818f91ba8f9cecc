"""Fitted models on disk: one JSON file a station, `forecasts/fitted/283164601.json`."""

import logging
from pathlib import Path

import msgspec

from airq_etl.errors import StoreError
from airq_etl.forecast.ahead import Cabinet
from airq_etl.lake import Lake

log = logging.getLogger(__name__)

FOLDER = "forecasts/fitted"


def read(lake: Lake, station_id: int) -> Cabinet:
    """What is kept of a station; an empty one where there is nothing that can be read: it is made again."""
    path = _path(lake, station_id)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Cabinet)
    except FileNotFoundError:
        return Cabinet(station_id=station_id)
    except (OSError, msgspec.DecodeError) as error:
        log.debug("%s cannot be read, and is made again: %s", path, error)
        return Cabinet(station_id=station_id)


def write(lake: Lake, cabinet: Cabinet) -> None:
    """Keep it; StoreError where that is not possible."""
    path = _path(lake, cabinet.station_id)
    with lake.replacing(path) as temporary:
        try:
            temporary.write_bytes(msgspec.json.encode(cabinet))
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def _path(lake: Lake, station_id: int) -> Path:
    return lake.root / FOLDER / f"{station_id}.json"
