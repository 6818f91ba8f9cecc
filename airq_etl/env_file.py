"""The env file: lines of NAME=value, taken as they are."""

import os
import stat
from pathlib import Path

from airq_etl.errors import UsageError
from airq_etl.stations_file import why

USUAL = Path(".env")


def read_env_file(path: Path | None) -> dict[str, str]:
    """The AIRQ_ lines of an env file; without a path those of ./.env, where there is one."""
    chosen = path or USUAL
    if path is None and not chosen.is_file():
        return {}
    import dotenv.parser

    try:
        with chosen.open(encoding="utf-8-sig") as file:
            # Parsed and not interpolated: a password may well hold a dollar sign.
            lines = list(dotenv.parser.parse_stream(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the env file {chosen} cannot be read: {why(error)}") from error
    for line in lines:
        if line.error:
            raise UsageError(f"the env file {chosen} cannot be understood from line {line.original.line} on")
    return {line.key: line.value or "" for line in lines if line.key is not None}


def env_file_is_open(path: Path | None) -> bool:
    """Whether others may read the env file in use."""
    chosen = path or USUAL
    return os.name == "posix" and chosen.is_file() and bool(chosen.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
