"""What is known of a station beside its readings: its name, its place, and whose midnight ends its day."""

from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """A station as the stations file or the API describes it; null is unknown.

    `latitude` and `longitude` are degrees (WGS 84) as given, right or wrong; `timezone` is an IANA name.
    """

    name: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    timezone: str | None = None


class StationsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the stations file: what it says overrides what the API says."""

    name: str | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    timezone: str | None = None


def midnight(day: date, zone: str) -> datetime:
    """When `day` begins in `zone`, as aware UTC; where the clock jumps over midnight, the moment of the jump."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def zone_exists(name: str) -> bool:
    """Whether `name` is a time zone of the IANA database (and not one of the extras that lie beside it)."""
    if name.startswith(("posix/", "right/")) or name in {"localtime", "posixrules", "Factory"}:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
