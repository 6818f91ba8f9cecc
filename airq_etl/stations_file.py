"""Stations as a user names them: by ids, and in the stations file."""

from collections.abc import Iterable
from datetime import MAXYEAR, MINYEAR, date
from pathlib import Path

import msgspec

from airq_etl.errors import UsageError
from airq_etl.stations import StationsFile, zone_exists

MOST_DIGITS = 18  # what a 64-bit column holds


def read_stations_file(path: Path) -> dict[int, StationsFile]:
    """The stations file: a TOML table a station id with name, latitude, longitude, timezone, in_service_from."""
    import tomllib

    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"AIRQ_STATIONS_FILE: {path} cannot be read: {why(error)}") from error
    known = {}
    for key, table in tables.items():
        try:
            (station_id,) = parse_stations(key)
            known[station_id] = msgspec.convert(_dates_as_text(table), StationsFile)
        except (ValueError, msgspec.ValidationError, UsageError) as error:
            raise UsageError(f"AIRQ_STATIONS_FILE: {path}, table [{key}]: {error}") from error
        check_zone(known[station_id].timezone, f"AIRQ_STATIONS_FILE: {path}, table [{key}]")
        _check_service(known[station_id], f"AIRQ_STATIONS_FILE: {path}, table [{key}]")
    return known


def _dates_as_text(table: object) -> object:
    """A TOML table in which a day or a time, which TOML has types for, is as good as its text."""
    if not isinstance(table, dict):
        return table
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in table.items()}


def _check_service(station: StationsFile, where: str) -> None:
    wrong = UsageError(f"{where}: in_service_from: {station.in_service_from!r} is no day like 2023-01-31, and no time")
    try:
        since = station.serves_from("UTC")
    except (ValueError, OverflowError) as error:
        raise wrong from error
    if since is not None and since.year in {MINYEAR, MAXYEAR}:  # in another zone outside the calendar
        raise wrong


def parse_stations(text: str | Iterable[int]) -> tuple[int, ...]:
    """Station ids out of a comma-separated list, each once, in the order given."""
    parts = [part.strip() for part in text.split(",")] if isinstance(text, str) else [str(part) for part in text]
    for part in parts:
        if not (part.isascii() and part.isdigit() and len(part) <= MOST_DIGITS and int(part) > 0):
            raise UsageError(f"{part!r} is no station id; an id is a whole number like 283164601")
    return tuple(dict.fromkeys(int(part) for part in parts))


def check_zone(name: str | None, where: str) -> None:
    """UsageError, which says `where`, if a zone is named that does not exist."""
    if name is not None and not zone_exists(name):
        raise UsageError(f"{where}: {name!r} is no time zone; they are named like Africa/Abidjan")


def why(error: Exception) -> str:
    """What an error of reading says, in one line and without the path."""
    return error.strerror or str(error) if isinstance(error, OSError) else str(error).partition("\n")[0]
