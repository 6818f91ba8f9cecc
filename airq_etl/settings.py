"""Settings: flags before environment before env file before defaults, typed by msgspec.

Every setting begins with AIRQ_; a name that is not one of them is an error.
"""

import difflib
import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import msgspec

from airq_etl.env_file import read_env_file
from airq_etl.errors import UsageError
from airq_etl.shards import Shard, parse_shard
from airq_etl.stations import Rules, Station, StationsFile
from airq_etl.stations_file import check_zone, parse_stations, read_stations_file

PREFIX = "AIRQ_"
EARLIEST_YEAR, LATEST_YEAR = 2000, 2199
MOST_HOURS_KEPT = 365 * 24
SECRETS = ("client_secret", "refresh_token", "password", "mongodb_uri", "alert_urls", "ping_url")
PATHS = ("data_dir", "stations_file", "metrics_file")

Hours = Annotated[int, msgspec.Meta(ge=0, le=MOST_HOURS_KEPT)]
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a user can set; the field is the name of the setting without AIRQ_, in lower case."""

    stations: tuple[int, ...] = (283164601, 283181971)
    stations_file: Path | None = None
    api_url: str = "https://airqino-api.magentalab.it"
    token_url: str = "https://airqino-auth.magentalab.it/realms/airqino/protocol/openid-connect/token"  # noqa: S105
    client_id: str = "airqino-api"
    client_secret: str | None = None
    refresh_token: str | None = None
    username: str | None = None
    password: str | None = None
    data_dir: Path
    mongodb_uri: str | None = None
    mongodb_database: str | None = None
    timezone: str = "UTC"
    min_hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 18
    overlap_hours: Hours = 48
    sweep_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 7
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=256)] = 8
    timeout_s: Seconds = 30
    retries: Annotated[int, msgspec.Meta(ge=0, le=20)] = 4
    run_deadline_s: Seconds = 3000
    max_response_mb: AtLeastOne = 16
    alert_urls: tuple[str, ...] = ()
    alert_after: AtLeastOne = 1
    alert_slow: Annotated[float, msgspec.Meta(ge=0, le=100)] = 2
    alert_records: Percent = 80
    alert_rejected: Percent = 1
    alert_minute: Annotated[int, msgspec.Meta(ge=0, le=59)] = 50
    alert_overdue_h: Hours = 2
    ping_url: str | None = None
    metrics_file: Path | None = None
    now: datetime | None = None
    shard: Shard | None = None
    known: dict[int, StationsFile] = {}  # what the stations file says

    def clock(self) -> datetime:
        """Now, as aware UTC: what `now` says, else the system's clock."""
        return self.now or datetime.now(UTC)

    def zone(self, station_id: int) -> str:
        """The IANA time zone whose midnight ends the station's day."""
        return self.known.get(station_id, StationsFile()).timezone or self.timezone

    def in_service(self, station_id: int) -> datetime | None:
        """Since when (aware UTC) the station serves, where the stations file says so."""
        return self.known.get(station_id, StationsFile()).serves_from(self.zone(station_id))

    def rules(self, stations: Iterable[int]) -> Rules:
        """What makes a day, and a mean, of these stations."""
        ids = list(stations)
        served = {station_id: since for station_id in ids if (since := self.in_service(station_id)) is not None}
        return Rules({station_id: self.zone(station_id) for station_id in ids}, self.min_hours, served)

    def station(self, station_id: int, said: Station) -> Station:
        """The station as the API says, overridden by the stations file."""
        told = self.known.get(station_id, StationsFile())
        return Station(
            in_service_from=self.in_service(station_id),
            name=told.name if told.name is not None else said.name,
            latitude=told.latitude if told.latitude is not None else said.latitude,
            longitude=told.longitude if told.longitude is not None else said.longitude,
            timezone=self.zone(station_id),
        )

    def fingerprint(self) -> str:
        """Twelve letters that differ where these settings differ, by which no secret can be guessed."""
        told = {name: getattr(self, name) for name in (*FIELDS, "known") if name not in {*SECRETS, "now"}}
        text = msgspec.json.encode({name: str(value) for name, value in told.items()}, order="sorted")
        return hashlib.sha256(text).hexdigest()[:12]

    def secrets(self) -> list[str]:
        """The values that no log, table or message may show."""
        uri = self.mongodb_uri or ""
        uri_password = uri.rpartition("@")[0].rpartition(":")[2]
        values = [self.client_secret, self.refresh_token, self.password, uri if "@" in uri else None]
        values.append((self.ping_url or "").rstrip("/"))
        passwords = [uri_password, *map(_password_in, self.alert_urls)]
        return [value for value in (*values, *self.alert_urls, *passwords, *map(unquote, passwords)) if value]


FIELDS = tuple(name for name in Settings.__struct_fields__ if name != "known")
NAMES = tuple(PREFIX + name.upper() for name in FIELDS)


def default_data_dir(environment: Mapping[str, str]) -> Path:
    """$XDG_DATA_HOME/airq-etl, by default in the home directory of the user."""
    root = environment.get("XDG_DATA_HOME")
    try:
        return (Path(root) if root else Path.home() / ".local" / "share") / "airq-etl"
    except RuntimeError as error:
        raise UsageError("there is no home directory to keep data in; set AIRQ_DATA_DIR") from error


def load(
    flags: Mapping[str, Any], environment: Mapping[str, str] | None = None, env_file: Path | None = None
) -> Settings:
    """The settings in force; `flags` are field names with values (None: not given).

    Raises UsageError that names the setting.
    """
    environment = os.environ if environment is None else environment
    raw: dict[str, Any] = {}
    for source, values in ((str(env_file or ".env"), read_env_file(env_file)), ("the environment", environment)):
        raw |= _ours(values, source)
    raw |= {name: value for name, value in flags.items() if value is not None}
    raw["data_dir"] = raw.get("data_dir") or default_data_dir(environment)
    return build(raw)


def build(raw: Mapping[str, Any]) -> Settings:
    """Settings from field names and texts (or values already typed)."""
    typed = {name: _prepare(name, value) for name, value in raw.items()}
    for name, value in typed.items():
        _convert_one(name, value)
    settings = msgspec.convert(typed, Settings, strict=False)
    _check(settings)
    known, listed = settings.known, settings.stations
    if settings.stations_file is not None:
        known = read_stations_file(settings.stations_file)
        listed = settings.stations if "stations" in raw else tuple(known)
        if not listed:
            raise UsageError(f"AIRQ_STATIONS_FILE: {settings.stations_file} lists no station")
    if settings.shard is not None:
        listed = tuple(filter(settings.shard.has, listed))
    return msgspec.structs.replace(settings, known=known, stations=listed)


def parse_time(text: str, name: str) -> datetime:
    """An ISO 8601 time as aware UTC; without an offset it is UTC. UsageError with `name` where it is none."""
    try:
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{name}: {text!r} is not a time like 2024-09-09T10:20:00") from error
    if not EARLIEST_YEAR <= time.year <= LATEST_YEAR:
        raise UsageError(f"{name}: {text!r} is not of this time")
    # Whole milliseconds: MongoDB keeps no more.
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def _ours(values: Mapping[str, str], source: str) -> dict[str, str]:
    ours = {}
    for name, value in values.items():
        if not name.startswith(PREFIX):
            continue
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.0)[0]
            raise UsageError(f"{name} in {source} is not a setting; the nearest one is {near}")
        if value != "":
            ours[name.removeprefix(PREFIX).lower()] = value
    return ours


def _prepare(name: str, value: Any) -> Any:  # noqa: ANN401 -- text, or a value that is typed already
    if name == "stations":
        try:
            return parse_stations(value)
        except UsageError as error:
            raise UsageError(f"AIRQ_STATIONS: {error}") from error
    if name == "alert_urls" and isinstance(value, str):
        return tuple(url for url in re.split(r"[,\s]+(?=[A-Za-z0-9]+://)", value.strip(", ")) if url)
    if name == "now" and isinstance(value, str):
        return parse_time(value, "AIRQ_NOW")
    if name == "shard" and isinstance(value, str):
        return parse_shard(value, "AIRQ_SHARD")
    return _path(name, value) if name in PATHS else value


def _path(name: str, value: str | Path) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{PREFIX}{name.upper()}: {value}: there is no such user") from error


def _convert_one(name: str, value: Any) -> None:  # noqa: ANN401 -- as above
    (field,) = (f for f in msgspec.structs.fields(Settings) if f.name == name)
    try:
        msgspec.convert(value, field.type, strict=False)
    except msgspec.ValidationError as error:
        shown = "its value" if name in SECRETS else repr(str(value))
        raise UsageError(f"{PREFIX}{name.upper()}: {shown} will not do: {error}") from error


def _check(settings: Settings) -> None:
    for name in ("api_url", "token_url", "ping_url"):
        url = getattr(settings, name)
        if url is not None and not _is_url(url):
            shown = "its value" if "@" in url or name in SECRETS else repr(url)
            raise UsageError(f"{PREFIX}{name.upper()}: {shown} is not a URL like https://host/path")
    if not all("://" in url for url in settings.alert_urls):
        raise UsageError("AIRQ_ALERT_URLS: its value is no list of URLs like mailto://user:password@host, slack://...")
    check_zone(settings.timezone, "AIRQ_TIMEZONE")
    if settings.client_secret and not (settings.refresh_token or (settings.username and settings.password)):
        raise UsageError("AIRQ_CLIENT_SECRET needs AIRQ_REFRESH_TOKEN, or AIRQ_USERNAME and AIRQ_PASSWORD, beside it")


def _password_in(url: str) -> str:
    # Not by urlsplit, which will have nothing to do with a bracket in a password.
    authority = url.partition("://")[2].partition("/")[0].partition("?")[0]
    return authority.rpartition("@")[0].partition(":")[2]


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:
        return False
