"""Files that a user named, written whole or not at all; and standard output."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from airq_etl.errors import AirqError


def write(pieces: Iterable[bytes], target: Path | None) -> None:
    """Write a file, whole or not at all; to standard output where there is none, or it is `-`."""
    if target is None or str(target) == "-":
        _write_out(pieces)
    else:
        write_whole(target, pieces)


def _write_out(pieces: Iterable[bytes]) -> None:
    if sys.stdout is None:
        raise AirqError("standard output is closed")
    try:
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
    except BrokenPipeError as error:
        # Without its number: typer would end the process by itself.
        raise BrokenPipeError from error
    except OSError as error:
        raise AirqError(f"standard output cannot be written: {error.strerror or error}") from error


def write_whole(target: Path, pieces: Iterable[bytes]) -> None:
    """Write a file; into what is no file of its own, a device or a pipe, as it comes. AirqError where it cannot be."""
    as_it_comes = target.exists() and not target.is_file()
    place = target if as_it_comes else target.with_name(f".{target.name}.{os.getpid()}")
    try:
        # Through Python, whose errors keep their number: polars loses it on the way.
        with place.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            if not as_it_comes:
                os.fsync(file.fileno())
        if not as_it_comes:
            place.replace(target)
    except OSError as error:
        raise AirqError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        if not as_it_comes:
            with suppress(OSError):
                place.unlink(missing_ok=True)
