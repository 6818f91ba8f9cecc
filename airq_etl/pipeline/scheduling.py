"""schedule: entries for what is to start airq-etl, of this installation and its settings."""

import getpass
import logging
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

import airq_etl
from airq_etl import settings as configuration
from airq_etl.env_file import read_env_file
from airq_etl.errors import UsageError
from airq_etl.pipeline.examination.given import env_file_in_use, only_in_shell, this_program
from airq_etl.pipeline.foreseen import foreseen
from airq_etl.schedule.plan import Plan
from airq_etl.settings import PREFIX, SECRETS, Settings

log = logging.getLogger(__name__)

WHOLE = {"kubernetes": ", and --shards splits them", "airflow": ", and --shards splits them", "docker": ""}
"""Targets that take no share, and what they do instead."""
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_ADDRESS = re.compile(r"[!-~]+")
_USER = re.compile(r"[A-Za-z_][\w.-]*\$?", re.ASCII)
_WINDOWS_USER = re.compile(r"[^\W][^\x00-\x1f\"/\[\]:;|=,+*?<>]*")
_IMAGE = re.compile(r"[a-zA-Z0-9][\w./:@-]*", re.ASCII)
# What an entry says by itself, or what is for replays alone.
_NOT_TOLD = {*SECRETS, "data_dir", "stations_file", "now", "shard"}


def plan_of(target: str, settings: Settings, flags: Mapping[str, Any], env_file: Path | None, **wanted: object) -> Plan:
    """What an entry is made of: this program, these settings, and what is `wanted` of the fields of Plan.

    `flags` are the settings given as options. UsageError where a scheduler would not find what is found here.
    """
    in_file = read_env_file(env_file)
    stations_file, data_dir = settings.stations_file, _plain(settings.data_dir)
    plan = Plan(
        program=this_program(),
        python=str(Path(sys.base_prefix).resolve()),
        home=_home(),
        env_file=env_file_in_use(env_file),
        data_dir=data_dir,
        data_dir_is_in_env_file=in_file.get("AIRQ_DATA_DIR") == str(data_dir),
        shard=None if flags.get("shard") is None else str(settings.shard),
        user=_user(),
        image=f"airq-etl:{airq_etl.__version__}",
        deadline_s=settings.run_deadline_s,
        settings=_texts(settings),
        secrets=tuple(PREFIX + name.upper() for name in SECRETS if getattr(settings, name)),
        has_mongodb=settings.mongodb_uri is not None,
        station_count=len(settings.stations),
        stations_file=None if stations_file is None else stations_file.read_text(encoding="utf-8"),
        reads=() if stations_file is None else (stations_file,),
        writes=() if settings.metrics_file is None else (settings.metrics_file,),
    )
    _user_wanted(target, wanted.get("user"))
    plan = msgspec.structs.replace(plan, **wanted)
    _check(plan)
    _check_paths(plan, settings)
    if settings.shard is not None and target in WHOLE:
        raise UsageError(f"AIRQ_SHARD (--shard): {target} takes all stations{WHOLE[target]}; leave it out")
    for line in foreseen(target, plan, settings, only_in_shell(flags, env_file)):
        log.warning("%s", line)
    return plan


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # nobody, as in some containers
        return str(os.geteuid()) if hasattr(os, "geteuid") else ""


def _plain(path: Path) -> Path:
    """An absolute path without `..` in it."""
    return Path(os.path.abspath(path))  # noqa: PTH100 -- the same but for what links lead to


def _home() -> str:
    try:
        return str(Path.home())
    except RuntimeError:
        return os.sep


def _texts(settings: Settings) -> dict[str, str]:
    """The settings that are not as by default, by name; neither secrets nor what an entry says by itself."""
    usual = configuration.build({"data_dir": settings.data_dir})
    listed_in_file = settings.stations == tuple(settings.known)
    left_out = _NOT_TOLD | ({"stations"} if listed_in_file else set())
    found = {}
    for name in configuration.FIELDS:
        value = getattr(settings, name)
        if name not in left_out and value != getattr(usual, name):
            found[PREFIX + name.upper()] = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return found


def _check(plan: Plan) -> None:
    if _NAME.fullmatch(plan.name) is None:
        raise UsageError(f"--name {plan.name!r}: up to 40 lower-case letters, digits and dashes, as in airq-etl")
    if _IMAGE.fullmatch(plan.image) is None:
        raise UsageError(f"--image {plan.image!r}: a name like registry.example.org/airq-etl:1")
    if plan.mail_to is not None and _ADDRESS.fullmatch(plan.mail_to) is None:
        raise UsageError(f"--mail-to {plan.mail_to!r}: an address or a user, without spaces")
    if plan.log_file is not None and (plan.log_file.is_dir() or not plan.log_file.parent.is_dir()):
        raise UsageError(f"--log-file {plan.log_file}: name a file in a directory that is there")


def _user_wanted(target: str, user: object) -> None:
    """UsageError where no user can be called so."""
    shape = _WINDOWS_USER if target == "windows" else _USER
    if user is not None and shape.fullmatch(str(user)) is None:
        raise UsageError(f"--user {user!r}: no user is called so")


def _check_paths(plan: Plan, settings: Settings) -> None:
    settled = (*plan.program, plan.data_dir, plan.env_file, plan.log_file)
    for path in (*settled, *plan.reads, *plan.writes):
        if path is not None and not str(path).isprintable():
            raise UsageError(f"{str(path)!r}: no scheduler takes a path with such a character; rename it")
    for name in ("stations_file", "metrics_file"):
        path = getattr(settings, name)
        if path is not None and not path.is_absolute():
            raise UsageError(f"{PREFIX}{name.upper()}: {path} is found from here alone: write it as {path.absolute()}")
