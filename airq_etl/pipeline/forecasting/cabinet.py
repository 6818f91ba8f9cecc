"""Fitted models on disk: a JSON file a station, and its challengers in one of their own, since trees are long.

forecasts/fitted/283164601.json              the station's own models, and the standings of the day
forecasts/fitted/283164601.lightgbm.json.gz  the challengers, where `forecast --challenge` fitted some
"""

import gzip
import logging
import zlib
from contextlib import ExitStack
from datetime import date
from functools import cache
from pathlib import Path

import msgspec

from airq_etl.forecast import trees
from airq_etl.forecast.ahead import Cabinet
from airq_etl.forecast.features import VERSION
from airq_etl.forecast.fitted import Fitted
from airq_etl.forecast.gate import CHALLENGER
from airq_etl.lake import Lake

log = logging.getLogger(__name__)

FOLDER = "forecasts/fitted"


def read(lake: Lake, station_id: int, day: date, horizon: int) -> Cabinet:
    """What is kept of a station, as far as a day needs it; what cannot be read is left out: it is made again.

    Challengers are read where the standings of the day are yet to be made, or where one serves. Where one serves
    that cannot be had, the standings are forgotten, so that the day is begun anew without it.
    """
    cabinet = _own(lake, station_id).as_of(day)
    serves = CHALLENGER in {one.standing.model for one in cabinet.standings}
    if cabinet.serves(day, horizon) and not serves:
        return cabinet
    whole = read_whole(lake, station_id, day)
    if serves and CHALLENGER not in {model.model for model in whole.models}:
        whole.day = date.min
    return whole


def read_whole(lake: Lake, station_id: int, day: date) -> Cabinet:
    """All that is kept of a station, was there on a day, and can be read."""
    cabinet = _own(lake, station_id).as_of(day)
    cabinet.models += [one for one in _challengers(lake, station_id) if one.serves_from.date() <= day]
    return cabinet


def write(lake: Lake, cabinet: Cabinet) -> None:
    """Keep it without its challengers, which stay on disk as they are; StoreError where that is not possible."""
    with ExitStack() as written:
        put_aside(lake, cabinet, written)


def put_aside(lake: Lake, cabinet: Cabinet, written: ExitStack) -> None:
    """Write it as `write` does, but so that it takes its place when `written` ends well."""
    own = [model for model in cabinet.models if model.model != CHALLENGER]
    temporary = written.enter_context(lake.replacing(_path(lake, cabinet.station_id)))
    temporary.write_bytes(msgspec.json.encode(msgspec.structs.replace(cabinet, models=own)))


def write_whole(lake: Lake, cabinet: Cabinet) -> None:
    """Keep it with its challengers; StoreError where that is not possible."""
    grown = [model for model in cabinet.models if model.model == CHALLENGER]
    # First, so that no standing names a challenger that is not there; without the time of writing, so that the same
    # trees are the same bytes.
    content = gzip.compress(msgspec.json.encode(grown), compresslevel=6, mtime=0)
    with lake.replacing(_challengers_path(lake, cabinet.station_id)) as temporary:
        temporary.write_bytes(content)
    write(lake, cabinet)


def _own(lake: Lake, station_id: int) -> Cabinet:
    path = _path(lake, station_id)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Cabinet)
    except FileNotFoundError:
        return Cabinet(station_id=station_id)
    except (OSError, msgspec.DecodeError) as error:
        log.debug("%s cannot be read, and is made again: %s", path, error)
        return Cabinet(station_id=station_id)


def _challengers(lake: Lake, station_id: int) -> list[Fitted]:
    path = _challengers_path(lake, station_id)
    if not path.exists() or not _can_be_read_by_lightgbm():
        return []
    try:
        found = msgspec.json.decode(gzip.decompress(path.read_bytes()), type=list[Fitted])
    except (OSError, EOFError, zlib.error, msgspec.DecodeError) as error:
        log.warning("%s cannot be read (%s); `airq-etl forecast --challenge` makes it again", path, error)
        return []
    return [model for model in found if model.version == VERSION]


@cache
def _can_be_read_by_lightgbm() -> bool:
    """Whether LightGBM is there; one warning says so where it is not, however many stations have challengers."""
    if trees.there():
        return True
    log.warning(
        "LightGBM cannot be loaded, so the challengers that are kept do not take part; "
        "pip install 'airq-etl[lightgbm]' brings them back"
    )
    return False


def _path(lake: Lake, station_id: int) -> Path:
    return lake.root / FOLDER / f"{station_id}.json"


def _challengers_path(lake: Lake, station_id: int) -> Path:
    return lake.root / FOLDER / f"{station_id}.lightgbm.json.gz"
