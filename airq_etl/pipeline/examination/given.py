"""The settings: whether they load, and from where each comes."""

import os
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from airq_etl import logs
from airq_etl import settings as configuration
from airq_etl.checkup import Remark, failure, named
from airq_etl.env_file import USUAL, env_file_is_open, read_env_file
from airq_etl.errors import UsageError
from airq_etl.sanity.wording import many
from airq_etl.settings import PREFIX, Settings
from airq_etl.stations import midnight

MOST_ZONES = 3
LOCAL_ZONE = Path("/etc/localtime")


def look_at_settings(flags: Mapping[str, Any], env_file: Path | None) -> tuple[Settings | None, list[Remark]]:
    """The settings in force (None where they do not load), and what is to be said of them."""
    try:
        settings = configuration.load(flags, env_file=env_file)
    except UsageError as error:
        return None, [failure("settings", error, "config.example.env has all settings, with defaults and units")]
    logs.hide(settings.secrets())
    path = env_file_in_use(env_file)
    parts = [many(len(settings.stations), "station"), "no env file" if path is None else str(path)]
    if shell := only_in_shell(flags, env_file):
        parts.append(f"from the environment: {named(shell)}")
    remarks = [Remark("settings", "ok", "; ".join(parts))]
    if env_file_is_open(env_file) and settings.secrets():
        remarks.append(Remark("settings", "warning", f"others may read the secrets in {path}", f"chmod 600 {path}"))
    return settings, remarks


def env_file_in_use(env_file: Path | None) -> Path | None:
    """The env file as an absolute path, None where there is none."""
    chosen = env_file or USUAL
    return chosen.absolute() if env_file is not None or chosen.is_file() else None


def this_program() -> tuple[str, ...]:
    """The words that start this installation, whatever the PATH."""
    python = Path(sys.executable).absolute()
    found = shutil.which("airq-etl", path=str(python.parent))
    return (found,) if found else (str(python), "-m", "airq_etl")


def only_in_shell(flags: Mapping[str, Any], env_file: Path | None) -> list[str]:
    """The settings that the environment gives, and the env file does not, or otherwise; flags go before both."""
    in_file = read_env_file(env_file)
    overridden = {PREFIX + name.upper() for name, value in flags.items() if value is not None}
    return sorted(
        name
        for name, value in os.environ.items()
        if name in configuration.NAMES and name not in overridden and value not in {"", in_file.get(name)}
    )


def look_at_zones(settings: Settings | None) -> list[Remark]:
    """Whose midnight ends a day, and when that is in UTC; whose hours cron goes by."""
    if not available_timezones():
        return [Remark("zone", "failed", "this machine has no time zone database", "install its package tzdata")]
    if settings is None:
        return []
    zones = sorted({settings.zone(station_id) for station_id in settings.stations})
    days = [f"a day of {zone} begins at {_begins(settings.clock(), zone):%H:%M} UTC" for zone in zones[:MOST_ZONES]]
    days += [f"{len(zones) - MOST_ZONES} more zones"] if len(zones) > MOST_ZONES else []
    return [Remark("zone", "ok", "; ".join([*days, f"cron goes by {_of_the_machine()}"]))]


def _begins(now: datetime, zone: str) -> datetime:
    """When the day that it is in `zone` began."""
    return midnight(now.astimezone(ZoneInfo(zone)).date(), zone)


def _of_the_machine() -> str:
    """The zone of the machine, which is cron's whatever TZ says here."""
    found = LOCAL_ZONE.resolve().as_posix().partition("zoneinfo/")[2]
    return found or ("UTC" if os.name == "posix" and not LOCAL_ZONE.exists() else time.tzname[0])
