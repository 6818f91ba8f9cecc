"""schedule: entries for what is to start airq-etl, of this installation and its settings."""

import getpass
import logging
import os
import re
import shutil
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

import airq_etl
from airq_etl import settings as configuration
from airq_etl.checkup import named
from airq_etl.env_file import read_env_file
from airq_etl.errors import AirqError, UsageError
from airq_etl.pipeline.examination.given import env_file_in_use, only_in_shell
from airq_etl.pipeline.output import write_whole
from airq_etl.schedule.plan import Entry, Plan
from airq_etl.schedule.systemd import STATE
from airq_etl.settings import NAMES, PREFIX, SECRETS, Settings

log = logging.getLogger(__name__)

SPLIT = {"kubernetes", "airflow", "docker"}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
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
        program=program(),
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
    plan = msgspec.structs.replace(plan, **wanted)
    _check(plan)
    if target in SPLIT and settings.shard is not None:
        raise UsageError(f"AIRQ_SHARD (--shard): {target} splits the stations by itself, with --shards")
    # What comes from the shell stands in the manifest.
    _warn(plan, settings, [] if target == "kubernetes" else only_in_shell(flags, env_file))
    if target == "systemd" and not data_dir.exists() and not data_dir.is_relative_to(STATE):
        log.warning("%s is not there, and systemd makes none but under %s: make it first", data_dir, STATE)
    return plan


def entries(target: str, plan: Plan) -> list[Entry]:
    """The entries of a target: cron, systemd, windows, kubernetes, airflow or docker."""
    made: list[Entry] = import_module(f"airq_etl.schedule.{target}").entries(plan)
    return made


def entries_text(made: list[Entry]) -> str:
    """Entries to be looked at: one as it is, several each under its name."""
    if len(made) == 1:
        return made[0].text.removesuffix("\n")
    return "\n".join(f"# ---- {entry.name}\n{entry.text}" for entry in made).removesuffix("\n")


def write_entries(made: list[Entry], directory: Path) -> None:
    """Write entries into a directory, made where it is not there. AirqError where it cannot be."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AirqError(f"{directory} cannot be made: {error.strerror or error}") from error
    for entry in made:
        write_whole(directory / entry.name, [entry.text.encode()])


def program() -> tuple[str, ...]:
    """The words that start this installation, whatever the PATH."""
    found = shutil.which("airq-etl", path=str(Path(sys.executable).absolute().parent))
    return (found,) if found else (str(Path(sys.executable).absolute()), "-m", "airq_etl")


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
        raise UsageError(f"--name {plan.name!r}: lower-case letters, digits and dashes, as in airq-etl")
    if _IMAGE.fullmatch(plan.image) is None:
        raise UsageError(f"--image {plan.image!r}: a name like registry.example.org/airq-etl:1")
    for option, word in (("--mail-to", plan.mail_to), ("--user", plan.user or None)):
        if word is not None and (not word.isprintable() or not word.strip() or (" " in word and option != "--user")):
            raise UsageError(f"{option} {word!r} will not do: it is a word by itself")
    _check_paths(plan)


def _check_paths(plan: Plan) -> None:
    settled = (*plan.program, plan.data_dir, plan.env_file, plan.log_file)
    for path in (*settled, *plan.reads, *plan.writes):
        if path is not None and not str(path).isprintable():
            raise UsageError(f"{str(path)!r}: no scheduler takes a path with such a character; rename it")
    for path in (*plan.reads, *plan.writes):
        if not path.is_absolute():
            raise UsageError(f"{path} of the settings is found from here alone: write it as {path.absolute()}")


def _warn(plan: Plan, settings: Settings, shell: list[str]) -> None:
    told = [name for name in shell if name in NAMES and name != "AIRQ_DATA_DIR"]
    if told:
        log.warning("%s: from your shell, which a scheduler does not have; put it into the env file", named(told))
    if 0 < settings.alert_overdue_h <= plan.every:
        log.warning(
            "every %d h is rarer than AIRQ_ALERT_OVERDUE_H expects: set it to %d or more", plan.every, plan.every + 1
        )
