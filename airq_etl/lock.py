"""One writer a data directory: a lock of the operating system, so that it dies with its holder."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import filelock
import msgspec

from airq_etl.errors import LockedError, StoreError


class Holder(msgspec.Struct, frozen=True):
    """Who holds the lock, for the message that another one gets."""

    pid: int
    host: str
    command: str
    since: datetime


@contextmanager
def hold(root: Path, command: str, now: datetime) -> Iterator[None]:
    """Hold the lock of a data directory; LockedError, at once, where another process does."""
    lock = filelock.FileLock(root / "lock", timeout=0, mode=0o600)
    note = root / "lock.json"
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise LockedError(f"{root} is in use by {_holder(note)}; nothing was done") from error
    except OSError as error:
        raise StoreError(f"{root / 'lock'} cannot be locked: {error.strerror}") from error
    try:
        try:
            note.write_bytes(msgspec.json.encode(Holder(os.getpid(), platform.node(), command, now)))
        except OSError as error:
            raise StoreError(f"{note} cannot be written: {error.strerror}") from error
        yield
    finally:
        lock.release()


def _holder(note: Path) -> str:
    try:
        holder = msgspec.json.decode(note.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError, ValueError, RecursionError):
        return "another run"
    return (
        f"`airq-etl {holder.command}` (process {holder.pid} on {holder.host}, since {holder.since:%Y-%m-%d %H:%M} UTC)"
    )
