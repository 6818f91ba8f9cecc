"""The data directory, its ledger, the disk under it, and the lock."""

import getpass
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from airq_etl import ledger, lock, sqlite
from airq_etl.checkup import Remark, failure
from airq_etl.errors import DamagedError, StoreError
from airq_etl.lake import FORECAST_TABLES, FORECASTS, TABLES, Lake
from airq_etl.pipeline.load import EMBEDDED
from airq_etl.settings import Settings
from airq_etl.status_words import bytes_text

LITTLE, TOO_LITTLE = 1000**3, 100 * 1000**2  # bytes free on the disk
READ_S = 5.0


def look_at_data(root: Path) -> list[Remark]:
    """Whether whoever asks may write in the data directory, and read its ledger."""
    if not root.exists():
        return [_can_be_made(root)]
    if not root.is_dir():
        return [Remark("data", "failed", f"{root} is no directory", "name another AIRQ_DATA_DIR")]
    lake = Lake(root)
    folders = [root, lake.captures, lake.temporary, *(root / table.name for table in (*TABLES, *FORECAST_TABLES))]
    files = [root / name for name in (ledger.FILE, EMBEDDED, "lock", "refresh_token.json")]
    trouble = [_trouble(folder) for folder in folders if folder.exists()]
    trouble += [f"{path} cannot be written" for path in files if path.exists() and not os.access(path, os.W_OK)]
    if found := [one for one in trouble if one]:
        more = f" (and {len(found) - 1} more in {root})" if len(found) > 1 else ""
        action = f"give all of {root} to {_user()}, or run airq-etl as who owns it"
        return [Remark("data", "failed", f"{found[0]} by {_user()}{more}", action)]
    return [*_of_another(root), *_look_at_ledger(root)]


def _can_be_made(root: Path) -> Remark:
    parent = next(path for path in root.parents if path.exists())
    trouble = _trouble(parent)
    if trouble is None:
        return Remark("data", "ok", f"{root} is not there yet; the first run makes it, as {_user()}")
    action = f"make {root}, and give it to {_user()}; or name another AIRQ_DATA_DIR"
    return Remark("data", "failed", f"{root} is not there, and {trouble} by {_user()}", action)


def _trouble(folder: Path) -> str | None:
    """Why nothing can be written into a folder; a file without a name finds it out, where the system has such."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"probe")
    except OSError as error:
        return f"{folder} cannot be written ({error.strerror})"
    return None


def belongs_to_another(root: Path) -> bool:
    """Whether what is made in the data directory would not be its owner's: root may do everything."""
    return os.name == "posix" and root.exists() and root.stat().st_uid != os.geteuid()


def _of_another(root: Path) -> list[Remark]:
    if not belongs_to_another(root):
        return []
    owner = _name_of(root.stat().st_uid)
    action = f"ask as {owner}: what {_user()} makes there, the runs of {owner} may not be able to read"
    return [Remark("data", "warning", f"{root} belongs to {owner}, and this is {_user()}", action)]


def _look_at_ledger(root: Path) -> list[Remark]:
    try:
        found = layout(root / ledger.FILE, ledger.REMEDY, thorough=True)
    except (DamagedError, StoreError) as error:
        return [failure("data", error, "see the permissions of the file")]
    if found is None:
        what = "no ledger yet"
    elif found > ledger.LAYOUT:
        said = f"{root / ledger.FILE} was written by a newer airq-etl (layout {found}, this one knows {ledger.LAYOUT})"
        return [Remark("data", "failed", said, "upgrade airq-etl, or name another AIRQ_DATA_DIR")]
    elif found < ledger.LAYOUT:
        what = f"a ledger of layout {found}, which the next run brings up to {ledger.LAYOUT}"
    else:
        what = f"its ledger is sound (layout {found})"
    return [Remark("data", "ok", f"{root}, writable by {_user()}; {what}")]


def layout(path: Path, remedy: str, *, thorough: bool = False) -> int | None:
    """The layout of an SQLite file, without bringing it up to date; None where there is no file (or an empty one).

    DamagedError where it is none, with `thorough` also where a look at all of it finds damage.
    """
    if not path.is_file():
        return None
    with (
        sqlite.translated(path, remedy),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", READ_S, uri=True)) as db,
    ):
        (found,) = db.execute("pragma user_version").fetchone()
        damage = db.execute("pragma quick_check(1)").fetchone()[0] if thorough else "ok"
    if damage != "ok":
        raise DamagedError(f"{path} is damaged ({damage.partition(chr(10))[0]}); {remedy}")
    return int(found) or None


def look_at_disk(root: Path) -> list[Remark]:
    """How much is free, and how large what is kept there is."""
    place = next(path for path in (root, *root.parents) if path.exists())
    sizes = {"captures": _size(root / "captures")}
    sizes["tables"] = sum(_size(root / table.name) for table in (*TABLES, FORECASTS))
    sizes |= {"store": _of_database(root / EMBEDDED), "ledger": _of_database(root / ledger.FILE)}
    return [disk_remark(place, shutil.disk_usage(place).free, sizes)]


def disk_remark(place: Path, free: int, sizes: dict[str, int]) -> Remark:
    """What is to be said of so many bytes free, and in use."""
    used = ", ".join(f"{name} {bytes_text(size)}" for name, size in sizes.items() if size)
    said = f"{bytes_text(free)} free" + (f"; {used}" if used else "")
    if free >= LITTLE:
        return Remark("disk", "ok", said)
    status, why = ("failed", "a run needs more") if free < TOO_LITTLE else ("warning", "it will not last")
    return Remark("disk", status, f"{said}: {why}", f"make room on the disk of {place}")  # type: ignore[arg-type]


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _of_database(path: Path) -> int:
    return sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*")) if path.parent.is_dir() else 0


def look_at_lock(settings: Settings) -> tuple[bool, list[Remark]]:
    """Whether a run is at work, and whether it should be."""
    root = settings.data_dir
    try:
        held = lock.look(root)
    except FileNotFoundError:
        return False, [Remark("lock", "ok", "free; nothing has run here yet")]
    except OSError as error:
        said = f"{root / lock.NAME} cannot be locked: {error.strerror}"
        return False, [Remark("lock", "failed", said, "keep the data on a file system that knows locks")]
    return held, [_held(settings) if held else Remark("lock", "ok", "free")]


def _held(settings: Settings) -> Remark:
    try:
        holder = msgspec.json.decode((settings.data_dir / "lock.json").read_bytes(), type=lock.Holder)
    except (OSError, msgspec.DecodeError, ValueError):
        return Remark("lock", "ok", "held by another process, which is not known yet")
    who = f"`airq-etl {holder.command}` (process {holder.pid} on {holder.host})"
    held = f"held by {who} since {holder.since:%Y-%m-%d %H:%M} UTC"
    late = datetime.now(UTC) - holder.since > timedelta(seconds=settings.run_deadline_s)
    if holder.command != "run" or settings.now is not None or not late:
        return Remark("lock", "ok", held)
    action = f"see what it waits for, and end it: `ps -fp {holder.pid}`, `kill {holder.pid}`"
    return Remark("lock", "warning", f"{held}, which is past its deadline (AIRQ_RUN_DEADLINE_S)", action)


def _user() -> str:
    return _name_of(os.geteuid()) if os.name == "posix" else getpass.getuser()


def _name_of(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
