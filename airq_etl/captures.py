"""The captures: every answer of the API, to the byte, one gzip file a run.

A file is built in tmp/ while answers arrive and takes its place, synced, when the run's extract ends, so that it
is whole or not there. What a killed run had built is salvaged by the next. Nothing ever changes a capture.
"""

import gzip
import os
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from airq_etl import capture
from airq_etl.capture import Answer
from airq_etl.errors import DamagedError, StoreError
from airq_etl.lake import Lake, make, sync

if TYPE_CHECKING:
    import io

UNFINISHED = ".unfinished.jsonl.gz"
AT_ONCE = 1 << 16
PATTERN = "[0-9]*/[0-9]*/[0-9]*/*.jsonl.gz"


class CaptureWriter:
    """Collects the answers of one run; as a context manager it keeps them, also when the block fails.

    Each answer is a gzip member of its own, written at once: what a signal cuts off is left out of the file.
    """

    def __init__(self, lake: Lake, run_id: str, started_at: datetime) -> None:
        self._lake = lake
        self._target = _place(lake, run_id, started_at)
        self._temporary = lake.temporary / f"{run_id}{UNFINISHED}"
        self._file: io.FileIO | None = None
        self._whole = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.keep()

    def add(self, answer: Answer) -> None:
        """Write one answer down, on the disk as far as this process can see."""
        member = gzip.compress(capture.encode(answer), compresslevel=6, mtime=0)
        try:
            if self._file is None:
                # Unbuffered, so that what could not be written is not tried again when the file is closed.
                self._file = self._temporary.open("xb", buffering=0)
            rest = memoryview(member)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise StoreError(f"{self._target} cannot be written: {error.strerror}") from error
        self._whole += len(member)

    def keep(self) -> Path | None:
        """Put the file in its place; the path, or None where there was no answer."""
        if self._file is None:
            return None
        try:
            self._file.close()
            return _take_place(self._temporary, self._whole, self._target)
        finally:
            self._file = None


def salvage(lake: Lake) -> list[Path]:
    """Keep the answers, each whole, that a run had in hand when it was killed; only while holding the lock."""
    kept = []
    for path in sorted(lake.temporary.glob(f"*{UNFINISHED}")):
        written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        kept.append(_take_place(path, _whole(path), _place(lake, path.name.removesuffix(UNFINISHED), written_at)))
    return [path for path in kept if path is not None]


def _take_place(unfinished: Path, whole: int, target: Path) -> Path | None:
    """Make the first `whole` bytes a capture, in one step; the path, None where there are none.

    StoreError where the disk refuses; the file then stays where it is, to be salvaged.
    """
    try:
        os.truncate(unfinished, whole)
        if not whole:
            unfinished.unlink()
            return None
        sync(unfinished)
        make(target.parent)
        unfinished.replace(target)
        sync(target.parent)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}") from error
    return target


def _place(lake: Lake, run_id: str, time: datetime) -> Path:
    return lake.captures / f"{time:%Y/%m/%d/%H%M%SZ}-{run_id}.jsonl.gz"


def _whole(path: Path) -> int:
    """Where the last whole member of a gzip file ends, in bytes from its beginning."""
    end = position = 0
    unpacker = zlib.decompressobj(wbits=31)
    with path.open("rb") as file:
        while chunk := file.read(AT_ONCE):
            position += len(chunk)
            try:
                unpacker.decompress(chunk)
            except zlib.error:
                break
            if unpacker.eof:
                end = position = position - len(unpacker.unused_data)
                file.seek(end)
                unpacker = zlib.decompressobj(wbits=31)
    return end


def files(lake: Lake) -> list[Path]:
    """All captures, oldest first."""
    return sorted(lake.captures.glob(PATTERN))


def name(lake: Lake, path: Path) -> str:
    """How the ledger names a capture: its path below captures/."""
    return path.relative_to(lake.captures).as_posix()


def read(path: Path) -> Iterator[Answer]:
    """The answers in one capture; DamagedError names the file where it is not as it was written."""
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                yield capture.decode(line)
    except (OSError, EOFError, ValueError, zlib.error, DamagedError) as error:
        raise DamagedError(f"the capture {path} cannot be read: {error}") from error
