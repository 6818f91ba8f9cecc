"""SQLite files as the ledger and the embedded store keep them: in write-ahead mode, synced."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from airq_etl.errors import DamagedError, StoreError


def connect(  # noqa: PLR0913 -- what a file is, and how it is opened
    path: Path, layout: int, script: str, *, wait_s: float, remedy: str, upgrade: str = ""
) -> sqlite3.Connection:
    """Open a file, made by `script` where it is new; `layout` is the version of what the script makes.

    A file of an older layout gets the `upgrade` before it, which makes it one of this layout or of the last.
    A writer is waited for so many seconds. StoreError where the file cannot be used or was written by a newer
    version, DamagedError where it is damaged, with the `remedy`.
    """
    with translated(path, remedy):
        db = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
        try:
            _prepare(db, path, layout, script, upgrade)
        except BaseException:
            db.close()
            raise
    return db


def _prepare(db: sqlite3.Connection, path: Path, layout: int, script: str, upgrade: str) -> None:
    (there,) = db.execute("pragma user_version").fetchone()
    if there > layout:
        raise StoreError(
            f"{path} was written by a newer airq-etl (layout {there}, this one knows {layout}); "
            "upgrade airq-etl, or name another AIRQ_DATA_DIR"
        )
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    if there < layout:
        db.executescript(f"begin; {upgrade if there else ''} {script} pragma user_version = {layout}; commit;")


def look_into(path: Path, check: Callable[[sqlite3.Connection], None], *, wait_s: float) -> sqlite3.Connection:
    """Open a file that is there for who only looks: nothing is made or altered, and no writer has to wait.

    `check` reads of it, and raises where this version cannot. StoreError where this user cannot read it.
    """
    try:
        return _looking(path, "mode=rw", check, wait_s)
    except sqlite3.OperationalError as error:
        # SQLite lays files beside what it reads. Who may not, reads what a run has left whole.
        if path.with_name(f"{path.name}-wal").exists():
            raise StoreError(
                f"{path} is in use, and who may only read the directory cannot read it meanwhile; "
                "ask as the user who runs airq-etl, or again when the run has ended"
            ) from error
        try:
            return _looking(path, "mode=ro&immutable=1", check, wait_s)
        except sqlite3.OperationalError as other:
            raise StoreError(f"{path} cannot be read ({other}); ask as the user who runs airq-etl") from other


def _looking(path: Path, how: str, check: Callable[[sqlite3.Connection], None], wait_s: float) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=wait_s, isolation_level=None)
    try:
        db.execute("pragma query_only = on")
        check(db)
    except BaseException:
        db.close()
        raise
    return db


def refuse_other(db: sqlite3.Connection, path: Path, layout: int) -> None:
    """StoreError where a file is not of this layout, which who only looks does not alter."""
    (there,) = db.execute("pragma user_version").fetchone()
    if there < layout:
        raise StoreError(f"{path} is of an older airq-etl; the next `airq-etl run` brings it up to date")
    if there > layout:
        raise StoreError(f"{path} was written by a newer airq-etl; upgrade this one")


@contextmanager
def translated(path: Path, remedy: str) -> Iterator[None]:
    """SQLite's errors in the block as ours."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") in {"SQLITE_CORRUPT", "SQLITE_NOTADB"}:
            raise DamagedError(f"{path} is damaged ({error}); {remedy}") from error
        raise StoreError(f"{path} cannot be used: {error}") from error
