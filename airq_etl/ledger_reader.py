"""The ledger for who only looks: nothing is made or altered, and no run has to wait."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from airq_etl import sqlite
from airq_etl.errors import StoreError
from airq_etl.ledger import FILE, LAYOUT, REMEDY, WAIT_FOR_A_WRITER_S, Ledger


class LedgerReader(Ledger):
    """A ledger that is there, open for reading; StoreError where this user or this version cannot read it."""

    def __init__(self, root: Path) -> None:
        self.path = root / FILE
        with sqlite.translated(self.path, REMEDY):
            self._db = sqlite.look_into(self.path, self._check, wait_s=WAIT_FOR_A_WRITER_S)

    @contextmanager
    def moment(self) -> Iterator[None]:
        """All that the block reads is of the same moment."""
        with sqlite.translated(self.path, REMEDY):
            self._db.execute("begin")
            try:
                yield
            finally:
                self._db.execute("rollback")

    def copy_to(self, path: Path) -> None:
        """Make a copy of one moment, whoever writes meanwhile."""
        with sqlite.translated(self.path, REMEDY), closing(sqlite3.connect(path)) as copy:
            self._db.backup(copy)

    def _check(self, db: sqlite3.Connection) -> None:
        sqlite.refuse_other(db, self.path, LAYOUT)
        db.execute("select 1 from runs limit 1").fetchall()


@contextmanager
def copied(root: Path) -> Iterator[Ledger]:
    """A copy of the ledger, a new one where there is none: opening SQLite's own file leaves traces beside it.

    Where somebody writes it there are traces already, and files copied one after the other may not fit.
    """
    with tempfile.TemporaryDirectory(prefix="airq-etl-") as place:
        try:
            whole = _copied_at_rest(root, Path(place))
        except OSError as error:
            raise StoreError(f"{root / FILE} cannot be read: {error.strerror}") from error
        if not whole:
            with LedgerReader(root) as written:
                written.copy_to(Path(place) / FILE)
        with Ledger(Path(place)) as ledger:
            yield ledger


def _copied_at_rest(root: Path, place: Path) -> bool:
    """Copy the files of the ledger; whether nobody wrote them meanwhile, and the copies are there."""
    before = _as_they_stand(root)
    for path in before:
        shutil.copyfile(path, place / path.name)
    if _as_they_stand(root) == before:
        return True
    for path in before:
        (place / path.name).unlink()
    return False


def _as_they_stand(root: Path) -> dict[Path, tuple[int, int]]:
    """The files of the ledger, each with when it was written, and its size."""
    there = (path for path in (root / f"{FILE}-wal", root / FILE) if path.exists())
    return {path: (stat.st_mtime_ns, stat.st_size) for path in there for stat in [path.stat()]}
