"""export superset: what Superset needs to show the data, as a directory of YAML that it imports."""

import logging
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from airq_etl import ledger
from airq_etl.errors import AirqError, UsageError
from airq_etl.lake import DAILY, FORECASTS, Lake, with_data
from airq_etl.ledger_reader import LedgerReader
from airq_etl.pipeline.load import EMBEDDED
from airq_etl.settings import Settings
from airq_etl.stations import Station
from airq_etl.superset.bundle import FOLDERS, MARK, METADATA, bundle
from airq_etl.superset.source import Name, Source, embedded, parquet

log = logging.getLogger(__name__)


def write_bundle(settings: Settings, name: Name, target: Path) -> None:
    """Write the bundle into a directory, whole or not at all; a bundle that lies there is replaced.

    UsageError where there are no data, or something else lies there; AirqError where it cannot be written.
    """
    files = bundle(_source(settings, name))
    try:
        # Where it really lies: what is renamed must be the directory, not a link to it.
        place = target.resolve()
        _check(place, target)
        _replace(place, files)
    except OSError as error:
        raise AirqError(f"{target} cannot be written: {error.strerror or error}") from error


def _source(settings: Settings, name: Name) -> Source:
    root = settings.data_dir
    if name == "sqlite" and settings.mongodb_uri:
        raise UsageError(
            "the store is MongoDB, which Superset cannot read; `--source parquet` shows the tables beside it"
        )
    lake = with_data(root, DAILY)
    if name == "sqlite" and not (root / EMBEDDED).is_file():
        raise UsageError(f"there is no {EMBEDDED} in {root}; `airq-etl load` makes it, `--source parquet` needs none")
    names = _names(settings, lake)
    if name == "sqlite":
        return embedded((root / EMBEDDED).resolve().as_posix(), names)
    forecasts = bool(lake.parts(FORECASTS))
    if not forecasts:
        log.warning("there are no forecasts in %s yet: once there are, export and import again", root)
    return parquet(root.resolve().as_posix(), names, forecasts=forecasts)


def _names(settings: Settings, lake: Lake) -> dict[int, str | None]:
    """What the stations of the tables are called, as the API and the stations file say."""
    if not (lake.root / ledger.FILE).is_file():
        raise UsageError(f"there is no ledger in {lake.root}; `airq-etl run` makes one")
    with LedgerReader(lake.root) as opened:
        said = opened.stations()
    known = lake.read(DAILY)["station_id"].unique().to_list()
    return {station: settings.station(station, said.get(station, Station())).name for station in known}


def _check(place: Path, target: Path) -> None:
    """UsageError where something lies there that is no bundle."""
    if not place.parent.is_dir():
        raise UsageError(f"{target}: there is no directory {place.parent}; make it first")
    if not place.exists():
        return
    if not place.is_dir():
        raise UsageError(f"{target} is a file; name a directory for the bundle")
    if place == Path.cwd():
        raise UsageError(f"{target} is the working directory, which would be replaced under you; go up and name it")
    there = {path.name for path in place.iterdir()}
    if there and not (there <= {METADATA, *FOLDERS} and _is_ours(place / METADATA)):
        raise UsageError(f"{target} holds something else than a bundle; name a new or an empty directory")


def _is_ours(metadata: Path) -> bool:
    return metadata.is_file() and metadata.read_bytes().startswith(MARK.encode())


def _replace(place: Path, files: Mapping[str, str]) -> None:
    made, old = (place.with_name(f".{place.name}.{os.getpid()}.{what}") for what in ("new", "old"))
    try:
        for path, text in files.items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_text(text, encoding="utf-8", newline="\n")
        if place.exists():
            place.rename(old)
        try:
            made.rename(place)
        except OSError:
            with suppress(OSError):
                old.rename(place)
            raise
    finally:
        for rest in (made, old):
            shutil.rmtree(rest, ignore_errors=True)
