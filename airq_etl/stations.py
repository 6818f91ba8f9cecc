"""What is known of a station beside its readings: its name, its place, and whose midnight ends its day."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

Zones = Mapping[int, str]
"""The IANA time zone of each station that is not in UTC."""


class Rules(NamedTuple):
    """What makes a day, and a mean: zones, hours (of 24) that make a mean valid, and since when stations serve.

    Hours before `in_service` (aware UTC, by station) are kept, flagged bad, and left out of means.
    """

    zones: Zones = MappingProxyType({})
    min_hours: int = 18
    in_service: Mapping[int, datetime] = MappingProxyType({})


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """A station as the stations file or the API describes it; null is unknown.

    `latitude` and `longitude` are degrees (WGS 84) as given, right or wrong; `timezone` is an IANA name. Hours
    before `in_service_from` (aware UTC) are not of its site.
    """

    name: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    timezone: str | None = None
    in_service_from: datetime | None = None


class StationsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the stations file: what it says overrides what the API says.

    `in_service_from` is a day in the station's time zone, or a time (without an offset it is UTC).
    """

    name: str | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    timezone: str | None = None
    in_service_from: str | None = None

    def serves_from(self, zone: str) -> datetime | None:
        """`in_service_from` as aware UTC; a day begins at midnight in `zone`. ValueError where it is neither."""
        text = self.in_service_from
        if text is None:
            return None
        try:
            return midnight(date.fromisoformat(text), zone)
        except ValueError:
            since = datetime.fromisoformat(text)
            return since.replace(tzinfo=UTC) if since.tzinfo is None else since.astimezone(UTC)


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
