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

try:
    import fcntl
except ImportError:  # on Windows
    FCNTL = False
else:
    FCNTL = True

NAME = "lock"
PATIENCE_S, POLL_S = 0.5, 0.02  # longer than anybody's look at it lasts


class Holder(msgspec.Struct, frozen=True):
    """Who holds the lock, for the message that another one gets."""

    pid: int
    host: str
    command: str
    since: datetime


@contextmanager
def hold(root: Path, command: str, now: datetime) -> Iterator[None]:
    """Hold the lock of a data directory; LockedError, within half a second, where another process does."""
    lock = filelock.FileLock(root / NAME, timeout=PATIENCE_S, poll_interval=POLL_S, mode=0o600)
    note = root / "lock.json"
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise LockedError(f"{root} is in use by {_holder(note)}; nothing was done") from error
    except OSError as error:
        raise StoreError(f"{root / NAME} cannot be locked: {error.strerror}") from error
    try:
        try:
            note.write_bytes(msgspec.json.encode(Holder(os.getpid(), platform.node(), command, now)))
        except OSError as error:
            raise StoreError(f"{note} cannot be written: {error.strerror}") from error
        yield
    finally:
        lock.release()


def is_held(root: Path) -> bool:
    """Whether somebody holds the lock of a data directory; also where this user cannot tell.

    A look disturbs nobody: another look gets by it, and `hold` waits for longer than it lasts.
    """
    try:
        return look(root)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def look(root: Path) -> bool:
    """The same; OSError where it cannot be told, FileNotFoundError where nobody ever held it."""
    path = root / NAME
    if not FCNTL:
        path.stat()
        try:
            with filelock.FileLock(path, timeout=0):
                return False
        except filelock.Timeout:
            return True
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _holder(note: Path) -> str:
    try:
        holder = msgspec.json.decode(note.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError, ValueError, RecursionError):
        return "another run"
    return (
        f"`airq-etl {holder.command}` (process {holder.pid} on {holder.host}, since {holder.since:%Y-%m-%d %H:%M} UTC)"
    )
